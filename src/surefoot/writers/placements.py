"""The placements of a record in ``assessment.json``: as recorded, each reading is one, unmoved."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from surefoot.analysis.assess.placed import LEAST_WEIGHT
from surefoot.analysis.locate import Reading, Readings
from surefoot.positions.grid import Grid
from surefoot.positions.local import from_local

Floats = npt.NDArray[np.float64]


def placement_documents(readings: Readings, grid: Grid) -> list[dict[str, Any]]:
    """Return the placements of weight >= 0.05, the heaviest first."""
    return [
        _placement(reading, grid)
        for rank, reading in enumerate(readings.readings)
        if rank == 0 or reading.weight >= LEAST_WEIGHT
    ]


def _placement(reading: Reading, grid: Grid) -> dict[str, Any]:
    placed = reading.pivot is not None and bool(reading.points)
    return {
        "weight": reading.weight,
        "pivot": _pivot(reading, grid) if placed else None,
        "shift_east_m": 0.0,
        "shift_north_m": 0.0,
        "turn_deg": 0.0,
        "scale": 1.0,
        "cov": similarity_covariance(reading).tolist() if placed else None,
        "hypotheses": dict(reading.hypotheses),
    }


def _pivot(reading: Reading, grid: Grid) -> dict[str, float]:
    assert reading.pivot is not None
    centre = np.mean(list(reading.point_means().values()))
    longitude, latitude = from_local(np.array([centre]), pivot=reading.pivot)
    east, north = grid.project(longitude, latitude)[0]
    return {
        "easting": float(east), "northing": float(north), "longitude": float(longitude[0]),
        "latitude": float(latitude[0]),
    }  # fmt: skip


def similarity_covariance(reading: Reading) -> Floats:
    """Covariance (4, 4) of shift east, shift north (m), turn (deg, clockwise), scale of the named points.

    The joint covariance of the points is projected by least squares on a similarity about their centroid; with
    fewer than two points turn and scale have no variance that the form states, and only the shift is given.
    """
    stacked = list(reading.points.values())
    base, chain = np.stack([b for b, _ in stacked]), np.stack([c for _, c in stacked])
    joint = reading.network.joint_covariance(base, chain)
    offset = reading.network.means(base, chain)
    offset = offset - offset.mean()
    count = len(offset)
    design = np.zeros((2 * count, 4))
    design[0::2, 0] = design[1::2, 1] = 1.0
    # A clockwise turn of one degree moves a point at (e, n) by (n, -e) pi / 180.
    design[0::2, 2], design[1::2, 2] = np.radians(offset.imag), -np.radians(offset.real)
    design[0::2, 3], design[1::2, 3] = offset.real, offset.imag
    inverse = np.linalg.pinv(design)
    return np.asarray(inverse @ joint @ inverse.T)

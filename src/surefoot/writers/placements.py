"""The placements of a record as JSON: those that re-anchoring left possible; as recorded its readings, unmoved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from surefoot.analysis.assess.placed import LEAST_WEIGHT
from surefoot.analysis.locate import Reading, Readings
from surefoot.analysis.reanchor import Placement, Placements
from surefoot.model import Doubt, Where
from surefoot.positions.grid import Grid
from surefoot.positions.local import from_local
from surefoot.terms import Severity

Floats = npt.NDArray[np.float64]

SPEAKS_AGAINST = -float(np.log(10.0))
"""Log evidence of a record below which what was seen and searched speaks against it, ten to one."""


def placement_documents(readings: Readings, grid: Grid) -> list[dict[str, Any]]:
    """Return the placements of weight >= 0.05, the heaviest first."""
    return [
        _placement(reading, grid)
        for rank, reading in enumerate(readings.readings)
        if rank == 0 or reading.weight >= LEAST_WEIGHT
    ]


def worth_listing(placements: Sequence[Placement]) -> list[Placement]:
    """Return the heaviest placement and every other of weight >= 0.05."""
    return [p for n, p in enumerate(placements) if n == 0 or p.weight >= LEAST_WEIGHT]


def weight_not_listed(placements: Sequence[Placement]) -> float:
    """Weight of the placements that are too light to be listed."""
    return max(0.0, 1.0 - sum(p.weight for p in worth_listing(placements)))


def corrected_documents(placed: Placements, grid: Grid) -> list[dict[str, Any]]:
    """Return the placements that remain possible after re-anchoring, the heaviest first."""
    return [corrected_placement(p, grid, row_names(placed)) for p in worth_listing(placed.placements)]


def doubts_of_evidence(placed: Placements, where: Where) -> Iterator[Doubt]:
    """What was seen and searched may speak for another field, or against the record."""
    if placed.of_another_field:
        yield Doubt("SF-C052", Severity.WARNING, where, f"{100.0 * placed.stranger:.0f} %")
    if placed.log_evidence < SPEAKS_AGAINST:
        yield Doubt("SF-C055", Severity.WARNING, where, f"{np.exp(min(-placed.log_evidence, 30.0)):.0f}")
    if placed.early_seen or placed.early_searched:
        values = {"seen": str(placed.early_seen), "searched": str(placed.early_searched)}
        yield Doubt("SF-C056", Severity.WARNING, where, "", values)


def row_names(placed: Placements) -> list[str]:
    """Names of a record's rows in the order of `Placement.row_offset`."""
    return sorted(set(placed.row.astype(str)))


def corrected_placement(placement: Placement, grid: Grid, rows: Sequence[str]) -> dict[str, Any]:
    """Describe a placement: a similarity about the pivot of the reading that it moves (interfaces.md section 5)."""
    longitude, latitude = grid.unproject(np.array([placement.pivot.real]), np.array([placement.pivot.imag]))
    return {
        "weight": placement.weight,
        "pivot": {
            "easting": placement.pivot.real, "northing": placement.pivot.imag,
            "longitude": float(longitude[0]), "latitude": float(latitude[0]),
        },
        "shift_east_m": placement.shift_m.real,
        "shift_north_m": placement.shift_m.imag,
        "turn_deg": placement.turn_deg,
        "scale": placement.scale,
        "cov": placement.covariance.tolist(),
        "hypotheses": {"error": placement.hypothesis.error, **placement.hypothesis.labels},
        "expected_matched": float(placement.p_find.sum()),
        "stands_as_read": placement.stranger,
        "row_offsets": [
            {"row": row, "east_m": offset.real, "north_m": offset.imag, "sigma_m": float(sd)}
            for row, offset, sd in zip(rows, placement.row_offset, placement.row_offset_sd, strict=True)
        ],
    }  # fmt: skip


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

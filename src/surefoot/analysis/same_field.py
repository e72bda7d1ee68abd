"""Two records of one field: one of them without its datum shift, or one field recorded twice. A person decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import spatial

from surefoot.analysis.signatures import GrossError

Floats = npt.NDArray[np.float64]

_ONE_PLACE_SIGMAS = 2.0

KDTree: Any = spatial.KDTree  # SciPy ships no types


@dataclass(frozen=True, slots=True)
class DatumDuplicate:
    """Two records proposed as one field, of which one was not shifted to WGS 84.

    `not_shifted` is "a" or "b": the one that stands off by the unapplied shift. `azimuth_deg` (grid,
    clockwise) and `distance_m` lead from a to b; `misfit_m` is the root mean square distance left when the
    shift is taken out.
    """

    not_shifted: str
    distance_m: float
    azimuth_deg: float
    misfit_m: float


def datum_duplicate(
    points_a: Floats,
    points_b: Floats,
    shift: GrossError,
    *,
    tolerance_m: float = 10.0,
) -> DatumDuplicate | None:
    """Propose that two records show one field, one of them without its datum shift.

    Parameters
    ----------
    points_a, points_b : (n, 2), (m, 2)
        Places of the two records' devices or corners, metres, one CRS; in any order.
    shift
        ``datum_ignored`` of `displacement_of_mistakes`, in the axes of the points.
    tolerance_m
        Largest root mean square distance that may be left.

    Returns
    -------
    DatumDuplicate or None
        None when neither way fits, or when the records already agree better as they stand.
    """
    if points_a.shape[0] == 0 or points_b.shape[0] == 0:
        return None
    move = np.array([shift.east_m, shift.north_m])
    as_is = _misfit(points_a, points_b)
    ways: Sequence[tuple[float, str]] = (
        (_misfit(points_a + move, points_b), "b"),
        (_misfit(points_a - move, points_b), "a"),
    )
    misfit, not_shifted = min(ways)
    if misfit > tolerance_m or as_is <= misfit:
        return None
    east, north = points_b.mean(axis=0) - points_a.mean(axis=0)
    azimuth = float(np.degrees(np.arctan2(east, north)) % 360.0)
    return DatumDuplicate(not_shifted, float(np.hypot(east, north)), azimuth, misfit)


def same_field(
    points_a: Floats, points_b: Floats, sigma_m: float, *, tolerance_m: float = 5.0, shape_tolerance_m: float = 1.0
) -> float | None:
    """Propose that two records show one field: they coincide, or they have one pattern near one place.

    One row looks like any other, and rows lie beside each other: only a pattern with breadth counts, or one that
    coincides as exactly as a shape would.

    Parameters
    ----------
    points_a, points_b : (n, 2), (m, 2)
        Places of the two records' devices, metres, one CRS; in any order.
    sigma_m
        Of the distance between them per axis, metres.
    tolerance_m
        Largest root mean square distance of records with breadth that coincide as they stand.
    shape_tolerance_m
        The same of patterns laid on each other: rows of like spacing are not yet one field.

    Returns
    -------
    float or None
        Root mean square distance of the patterns laid on each other, metres; None when nothing speaks for it.
    """
    if min(len(points_a), len(points_b)) < 2:
        return None
    centres = points_a.mean(axis=0), points_b.mean(axis=0)
    shape = _misfit(points_a - centres[0], points_b - centres[1])
    broad = np.linalg.svd(points_a - centres[0], compute_uv=False)[-1] > shape_tolerance_m * np.sqrt(len(points_a))
    alike = broad and len(points_a) == len(points_b) and shape <= shape_tolerance_m
    near = np.hypot(*(centres[0] - centres[1])) <= _ONE_PLACE_SIGMAS * sigma_m
    coincide = _misfit(points_a, points_b) <= (tolerance_m if broad else shape_tolerance_m)
    return shape if (alike and near) or coincide else None


def _misfit(a: Floats, b: Floats) -> float:
    """Root mean square distance to the nearest point of the other set, either way, or of the centroids."""
    to_b, to_a = KDTree(b).query(a)[0], KDTree(a).query(b)[0]
    centre = np.hypot(*(a.mean(axis=0) - b.mean(axis=0)))
    return float(max(np.sqrt(np.mean(np.square(to_b))), np.sqrt(np.mean(np.square(to_a))), centre))

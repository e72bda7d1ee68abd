"""What looks like a known mistake: records that stand off by a known displacement, or twice in one field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from surefoot.analysis.assess.placed import PlacedItems
from surefoot.analysis.locate import Reading, Readings
from surefoot.analysis.same_field import datum_duplicate, same_field
from surefoot.analysis.signatures import GrossError, SignatureMatch, match_signature, mistakes_behind
from surefoot.errors import PositionError
from surefoot.positions.grid import Grid
from surefoot.positions.zones import convergence_deg

Floats = npt.NDArray[np.float64]

FEWEST_FINDS = 2
LIKELY_MATCHED = 0.5  # a record with more expected finds than this is not looked at for gross errors
PAIR_SEARCH_M = 250.0
NO_DIRECTION_M = 0.1


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A record whose unmatched finds fit a known mistake of reading or writing its coordinates."""

    record: int
    mistake: GrossError
    finds: int
    ranked: tuple[SignatureMatch, ...]


@dataclass(frozen=True, slots=True)
class RecordPair:
    """Two records proposed as one field.

    Attributes
    ----------
    kind
        ``datum``: one of them, `not_shifted`, was not shifted to the datum of the other; ``one field``: same pattern.
    distance_m, azimuth_deg
        Of their middles, from the first to the second; from true north, None where they lie at one place.
    misfit_m
        Of the patterns laid on each other, root mean square.
    """

    kind: str
    first: int
    second: int
    distance_m: float
    azimuth_deg: float | None
    not_shifted: int | None
    misfit_m: float


def gross_errors(
    items: PlacedItems, located: Sequence[Readings], finds_per_record: Floats, free_finds: Floats, grid: Grid
) -> tuple[Suspicion, ...]:
    """Look for records without finds of their own whose shape, moved by a known mistake, meets finds of no record.

    Parameters
    ----------
    finds_per_record : (records,)
        Expected finds of each record as it stands.
    free_finds : (k, 2)
        Finds that probably belong to no record as they stand, metres, case CRS.
    """
    if len(free_finds) < FEWEST_FINDS:
        return ()
    tree = KDTree(free_finds)
    found = []
    for number, readings in enumerate(located):
        best = readings.best
        if finds_per_record[number] > LIKELY_MATCHED or best is None or best.pivot is None:
            continue
        points, sigma = _cloud(items, number)
        if len(points):
            crs = best.crs if best.crs.startswith("EPSG") else "EPSG:4326"
            suspicion = _best_mistake(number, points, sigma, tree, _mistakes(best.pivot, crs, grid))
            if suspicion is not None:
                found.append(suspicion)
    return tuple(found)


def _cloud(items: PlacedItems, record: int) -> tuple[Floats, float]:
    rows = np.flatnonzero((items.record == record) & items.is_best & np.isfinite(items.easting))
    points = np.column_stack([items.easting[rows], items.northing[rows]])
    spread = np.sqrt(np.mean(items.grid_cov_m2[rows][:, [0, 2]])) if len(rows) else 0.0
    return points, float(spread)


def _mistakes(pivot: tuple[float, float], crs: str, grid: Grid) -> tuple[GrossError, ...]:
    try:
        return mistakes_behind(pivot[0], pivot[1], crs, metric_crs=grid.crs)
    except PositionError:
        return ()


def _best_mistake(
    record: int, points: Floats, sigma: float, tree: KDTree, mistakes: Sequence[GrossError]
) -> Suspicion | None:
    reach = 3.0 * sigma + 10.0
    as_read = _near(points, np.zeros(2), tree, reach)
    best: tuple[int, GrossError] | None = None
    for mistake in mistakes:
        if mistake.distance_m < reach:
            continue  # not to be told apart from the record's own uncertainty
        near = _near(points, np.array([mistake.east_m, mistake.north_m]), tree, reach)
        if len(near) >= max(FEWEST_FINDS, 3 * len(as_read) + 1) and (best is None or len(near) > best[0]):
            best = (len(near), mistake)
    if best is None:
        return None
    near = _near(points, np.array([best[1].east_m, best[1].north_m]), tree, reach)
    residual = points.mean(axis=0) - np.asarray(tree.data)[near].mean(axis=0)
    spread = float(np.hypot(sigma, np.sqrt(points.var(axis=0).sum() / 2.0)))
    nothing = GrossError("none", 0.0, 0.0)
    ranked = match_signature(float(residual[0]), float(residual[1]), spread, [nothing, *mistakes])
    return Suspicion(record, best[1], best[0], ranked)


def _near(points: Floats, displacement: Floats, tree: KDTree, reach: float) -> npt.NDArray[np.int64]:
    """Finds near the record's devices once the displacement of the reading is taken back."""
    lists = tree.query_ball_point(points - displacement, reach)
    return np.unique(np.concatenate([np.asarray(one, dtype=np.int64) for one in lists]))


def record_pairs(items: PlacedItems, located: Sequence[Readings], grid: Grid) -> tuple[RecordPair, ...]:
    """Propose records of one field: one not shifted to the datum of the other, or one field recorded twice."""
    made = [_Cloud(number, *_cloud(items, number), best=reading.best) for number, reading in enumerate(located)]
    clouds = [cloud for cloud in made if len(cloud.points) >= 2]
    if len(clouds) < 2:
        return ()
    pairs = []
    for a, b in sorted(KDTree(np.array([c.points.mean(axis=0) for c in clouds])).query_pairs(PAIR_SEARCH_M)):
        pair = _datum_pair(clouds[a], clouds[b], grid) or _one_field(clouds[a], clouds[b], grid)
        if pair is not None:
            pairs.append(pair)
    return tuple(pairs)


def repeated_records(pairs: Sequence[RecordPair], count: int) -> int:
    """Return the number of records, of `count`, that are proposed as repeating another one."""
    ends = np.array([(pair.first, pair.second) for pair in pairs], dtype=np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(count, count))
    return count - int(connected_components(graph, directed=False)[0]) if count else 0


class _Cloud(NamedTuple):
    """Devices of one record where its heaviest reading puts them."""

    number: int
    points: Floats
    sigma_m: float
    best: Reading | None


def _datum_pair(a: _Cloud, b: _Cloud, grid: Grid) -> RecordPair | None:
    assert a.best is not None
    assert a.best.pivot is not None
    for crs in ("EPSG:4284", a.best.crs):
        shift = next((m for m in _mistakes(a.best.pivot, crs, grid) if m.name == "datum_ignored"), None)
        found = None if shift is None else datum_duplicate(a.points, b.points, shift)
        if found is not None:
            azimuth = _true_azimuth(found.azimuth_deg, a.best.pivot, grid)
            odd = {"a": a.number, "b": b.number}[found.not_shifted]
            return RecordPair("datum", a.number, b.number, found.distance_m, azimuth, odd, found.misfit_m)
    return None


def _one_field(a: _Cloud, b: _Cloud, grid: Grid) -> RecordPair | None:
    assert a.best is not None
    assert a.best.pivot is not None
    misfit = same_field(a.points, b.points, float(np.hypot(a.sigma_m, b.sigma_m)))
    if misfit is None:
        return None
    east, north = b.points.mean(axis=0) - a.points.mean(axis=0)
    distance = float(np.hypot(east, north))
    azimuth = _true_azimuth(float(np.degrees(np.arctan2(east, north))), a.best.pivot, grid)
    shown = azimuth if distance >= NO_DIRECTION_M else None
    return RecordPair("one field", a.number, b.number, distance, shown, None, misfit)


def _true_azimuth(azimuth_deg: float, pivot: tuple[float, float], grid: Grid) -> float:
    return (azimuth_deg + float(convergence_deg(grid.crs, *pivot))) % 360.0

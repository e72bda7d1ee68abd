"""Which find may belong to which recorded device, with probabilities.

Model (methods.md sections 2 and 3): a recorded device i is there with probability ``presence``, lies on
searched ground with probability ``searched`` and is then found with probability ``detection``; devices of no
record are a Poisson process of density ``clutter``. The odds of a pair against "i not found, k of no record"
are::

    w_ik = presence_i detection N(y_k; m_i, C_i + v_k I) / ((1 - presence_i searched_i detection) clutter
    detection)

and the marginals over all one-to-one assignments come from belief propagation (Williams and Lau 2014, IEEE
Transactions on Aerospace and Electronic Systems 50(4), "Approximate evaluation of marginal association
probabilities with belief propagation"). Nothing is ever thresholded: counts are sums of probabilities.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefoot.analysis.kernels import association as kernels
from surefoot.errors import UsageError
from surefoot.model import Accidents, DevicesFound
from surefoot.terms import DeviceCategory, FindFate

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]

STATED_RECORD_RELIABILITY = 0.95
"""How often a finder who names the record names the right one (interfaces.md section 2)."""

CATEGORY_NUMBER = {
    DeviceCategory.UNKNOWN: 0,
    DeviceCategory.AP: 1,
    DeviceCategory.AV: 2,
    DeviceCategory.OTHER: 3,
}

MAX_SWEEPS = 30
TOLERANCE = 1e-5
MAX_ROUNDS = 12
ROUND_TOLERANCE = 2e-3
NEGLIGIBLE = 1e-12
SMALLEST_VARIANCE_M2 = 1e-4  # one centimetre: nobody knows a place better, and zero has no density
_MAX_CELLS = 1_000_000


def marginal_variance(sigma: Floats, bounds: Sequence[float]) -> Floats:
    """Variance per axis; where sigma is unknown the mean of sigma^2 over a log-uniform range."""
    low, high = bounds
    unknown = (high**2 - low**2) / (2.0 * np.log(high / low))
    return np.where(np.isfinite(sigma), sigma, np.sqrt(unknown)) ** 2


def category_numbers(categories: Texts) -> Ints:
    """Return the categories as the small numbers of `matching.associate`."""
    return np.array([CATEGORY_NUMBER.get(DeviceCategory(c or "unknown"), 0) for c in categories], dtype=np.int64)


def same_events(finds: DevicesFound, find_xy: Floats, accidents: Accidents, accident_xy: Floats) -> Ints:
    """Accident -> the find that is the same event (fate detonated, same day, within both errors), -1 = none."""
    result = np.full(len(accidents), -1, dtype=np.int64)
    blown = np.flatnonzero((finds.fate == FindFate.DETONATED) & ~np.isnat(finds.date))
    pairs = []
    for number in np.flatnonzero(~np.isnat(accidents.date)):
        same_day = blown[finds.date[blown] == accidents.date[number]]
        gaps = np.hypot(*(find_xy[same_day] - accident_xy[number]).T)
        reach = 3.0 * np.hypot(
            np.nan_to_num(finds.sigma_m[same_day], nan=5.0),
            np.nan_to_num(accidents.sigma_m[number], nan=50.0),
        )
        pairs += [(float(gaps[k]), int(number), int(same_day[k])) for k in np.flatnonzero(gaps <= reach)]
    # Closest first, whatever the order of the rows.
    taken: set[int] = set()
    for _, accident, find in sorted(pairs, key=lambda p: (p[0], str(accidents.id[p[1]]), str(finds.id[p[2]]))):
        if result[accident] < 0 and find not in taken:
            result[accident] = find
            taken.add(find)
    return result


@dataclass(frozen=True, eq=False)
class Association:
    """Which find may be which recorded device.

    Attributes
    ----------
    find, item : int arrays (p,)
        The pairs that are possible, item by item, finds ascending. Items that cannot be told apart (same
        place, covariance, category, presence and record: devices somewhere in an area) share ONE line under
        the first of them, with the probability that the find is any of them; `per_item` shares it out evenly.
    probability : float array (p,)
        P(find is that item); for one find these and `unrecorded` sum to one.
    unrecorded : float array (m,)
        P(find is of no record).
    item_record : int array (n,)
        Record of every item.
    group : int array (n,)
        First item of the lot each item belongs to; itself where it can be told apart.
    clutter_density : float
        Devices of no record per m2, as given or as estimated.
    converged : bool
        Whether the messages settled within the sweeps allowed.
    """

    find: Ints
    item: Ints
    probability: Floats
    unrecorded: Floats
    item_record: Ints
    group: Ints
    clutter_density: float
    converged: bool

    @property
    def recorded(self) -> Floats:
        """P(find is of some record), (m,)."""
        return 1.0 - self.unrecorded

    def per_item(self, find_weight: Floats | None = None) -> Floats:
        """Return P(item was found), (n,).

        Parameters
        ----------
        find_weight
            Weight of each find (m,), for example 1 for the finds of one kind and 0 for the others.
        """
        weighted = self.probability if find_weight is None else self.probability * find_weight[self.find]
        n = self.item_record.size
        by_first = np.bincount(self.item, weights=weighted, minlength=n)
        shared_by = np.bincount(self.group, minlength=n)
        return np.asarray(by_first[self.group] / shared_by[self.group], dtype=np.float64)

    def per_find_record(self) -> tuple[Ints, Ints, Floats]:
        """Return the pairs (find, record) that are possible and P(find is of that record), sorted."""
        records = int(self.item_record.max(initial=-1)) + 1
        key = self.find * max(records, 1) + self.item_record[self.item]
        keys, line = np.unique(key, return_inverse=True)
        total = np.bincount(line, weights=self.probability, minlength=keys.size)
        find = np.asarray(keys // max(records, 1), dtype=np.int64)
        record = np.asarray(keys % max(records, 1), dtype=np.int64)
        return find, record, np.asarray(total, dtype=np.float64)

    def per_record(self, find_weight: Floats | None = None) -> Floats:
        """Return the expected number of finds of each record, (records,)."""
        weighted = self.probability if find_weight is None else self.probability * find_weight[self.find]
        records = int(self.item_record.max(initial=-1)) + 1
        total = np.bincount(self.item_record[self.item], weights=weighted, minlength=records)
        return np.asarray(total, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class _Lots:
    """Items with those that cannot be told apart taken together."""

    first: Ints  # (g,) first item of each lot
    size: Floats  # (g,)
    group: Ints  # (n,) first item of the lot of each item


@dataclass(frozen=True, eq=False)
class _Edges:
    """Possible pairs, lot by lot."""

    starts: Ints  # (g + 1,)
    find: npt.NDArray[np.int32]  # (p,)
    odds: Floats  # (p,) odds times clutter density


def associate(
    *,
    item_mean: Floats,
    item_cov: Floats,
    item_presence: Floats | float,
    item_category: npt.NDArray[np.integer],
    item_record: npt.NDArray[np.integer],
    find_position: Floats,
    find_variance: Floats,
    find_category: npt.NDArray[np.integer],
    find_stated_record: npt.NDArray[np.integer] | None = None,
    detection: float,
    clutter_density: float | None = None,
    area_m2: float | None = None,
    item_searched: Floats | float = 1.0,
    gate_sigma: float = 5.0,
) -> Association:
    """Give every find its probabilities of being each recorded device.

    Parameters
    ----------
    item_mean : (n, 2)
        Easting and northing of the recorded devices, metres, case CRS; nan = no position (never matched).
    item_cov : (n, 3)
        Covariance ee, en, nn in m2. Devices known to a row or an area only come with wide covariance.
    item_presence
        P(the recorded device is in the ground at the time of the search), scalar or (n,).
    item_category, find_category
        0 unknown, 1 AP, 2 AV, 3 other; two known and different categories never match.
    item_record : (n,)
        Index of the record.
    find_position : (m, 2)
        Easting and northing of the finds, metres, case CRS; all must be known.
    find_variance : (m,)
        Variance of the find's own position per axis, m2.
    find_stated_record : (m,)
        Record the finder named, -1 = none. Evidence of reliability 0.95: the odds of that record's devices
        are multiplied by 19.
    detection
        Probability that a device on searched ground is found, over 0 and at most 1.
    clutter_density
        Devices of no record per m2 of searched ground; None = estimated from the finds over `area_m2`.
    area_m2
        Area the finds come from (searched ground), needed when `clutter_density` is None.
    item_searched
        P(the item lies on searched ground), scalar or (n,).
    gate_sigma
        Pairs farther apart than this Mahalanobis distance are left out.

    Raises
    ------
    UsageError
        SF-A001 clutter not positive or area missing, SF-A002 a find without position, SF-A003 a probability
        outside its range.

    Notes
    -----
    Shared errors of a record are not modelled here: with positions as recorded the result is an upper bound
    on what can be matched, with re-anchored positions it is the answer given one placement.
    """
    n, finds = item_mean.shape[0], find_position.shape[0]
    _check(find_position, find_variance, detection, clutter_density, area_m2, item_presence, item_searched)
    presence = np.broadcast_to(np.asarray(item_presence, dtype=np.float64), (n,))
    searched = np.broadcast_to(np.asarray(item_searched, dtype=np.float64), (n,))
    record = np.asarray(item_record, dtype=np.int64)
    lots = _lots(item_mean, item_cov, presence, searched, np.asarray(item_category), record)
    item = np.column_stack([item_mean, item_cov])[lots.first]
    find = np.column_stack([find_position, np.maximum(find_variance, SMALLEST_VARIANCE_M2)]).astype(np.float64)
    categories = (
        np.asarray(item_category)[lots.first].astype(np.int32),
        np.asarray(find_category).astype(np.int32),
    )
    edges = _edges(item, find, categories, gate_sigma)
    missed = np.maximum(1.0 - presence * searched * detection, 1e-6)[lots.first]
    _weigh(edges, presence[lots.first] / missed, record[lots.first], find_stated_record)
    if clutter_density is None:
        state = _estimated_clutter(edges, lots.size, finds, detection, float(area_m2 or 0.0))
    else:
        state = _propagated(edges, lots.size, finds, float(clutter_density), None)
    return _association(edges, lots, state, record)


def _check(
    find_position: Floats,
    find_variance: Floats,
    detection: float,
    clutter: float | None,
    area_m2: float | None,
    presence: Floats | float,
    searched: Floats | float,
) -> None:
    """Refuse what would give a number without meaning."""
    if clutter is None and not (area_m2 is not None and area_m2 > 0.0):
        raise UsageError("SF-A001", f"area {area_m2}")
    if clutter is not None and not (clutter > 0.0 and np.isfinite(clutter)):
        raise UsageError("SF-A001", f"density {clutter}")
    if not (np.all(np.isfinite(find_position)) and np.all(np.isfinite(find_variance))):
        raise UsageError("SF-A002", f"{int(np.sum(~np.isfinite(find_position).all(axis=1)))}")
    if not 0.0 < detection <= 1.0:
        raise UsageError("SF-A003", f"detection {detection}")
    for name, value in (("presence", presence), ("searched", searched)):
        values = np.asarray(value)
        if not np.all((values >= 0.0) & (values <= 1.0)):
            raise UsageError("SF-A003", name)


def _lots(mean: Floats, cov: Floats, presence: Floats, searched: Floats, category: Ints, record: Ints) -> _Lots:
    """Take items together that no find can tell apart."""
    if mean.shape[0] == 0:
        none = np.empty(0, dtype=np.int64)
        return _Lots(none, np.empty(0), none)
    table = np.column_stack([mean, cov, presence, searched, category, record]).astype(np.float64) + 0.0
    table[~np.isfinite(table[:, :5]).all(axis=1), :5] = np.nan
    order = np.lexsort(table.T[::-1])
    same = np.all(table[order[1:]] == table[order[:-1]], axis=1)
    lot_in_order = np.concatenate([[0], np.cumsum(~same)])
    first_in_order = np.minimum.reduceat(order, np.concatenate([[0], np.flatnonzero(~same) + 1]))
    group = np.empty(order.size, dtype=np.int64)
    group[order] = first_in_order[lot_in_order]
    first, size = np.unique(group, return_counts=True)
    return _Lots(first, size.astype(np.float64), group)


def _edges(item: Floats, find: Floats, categories: tuple[kernels.Indices, kernels.Indices], gate: float) -> _Edges:
    """List the pairs inside the gate, with the density of the find under the item."""
    if item.shape[0] == 0 or find.shape[0] == 0:
        return _Edges(np.zeros(item.shape[0] + 1, dtype=np.int64), np.empty(0, dtype=np.int32), np.empty(0))
    spread = 0.5 * (item[:, 2] + item[:, 4]) + np.hypot(0.5 * (item[:, 2] - item[:, 4]), item[:, 3])
    radius = gate * np.sqrt(np.maximum(spread, 0.0) + find[:, 2].max())
    radius = np.where(np.isfinite(item).all(axis=1), radius * (1.0 + 1e-9), -1.0)
    grid, cell_start, order = _grid(find, radius)
    near = (item, radius, find, categories, grid, cell_start, order, gate)
    counts = kernels.count_near(*near)
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    listed = kernels.list_near(*near, starts) if starts[-1] else np.empty(0, dtype=np.int32)
    return _Edges(starts, listed, kernels.pair_densities(item, starts, listed, find))


def _grid(find: Floats, radius: Floats) -> tuple[tuple[float, float, float, int, int], Ints, npt.NDArray[np.int32]]:
    """Sort the finds into square cells of half the typical reach, within a bounded number of cells."""
    low, high = find[:, :2].min(axis=0), find[:, :2].max(axis=0)
    reach = radius[radius > 0.0]
    size = float(np.median(reach)) / 2.0 if reach.size else 1.0
    extent = np.maximum(high - low, size)
    size = max(size, float(np.sqrt(extent[0] * extent[1] / _MAX_CELLS)), float(extent.max() / _MAX_CELLS), 1e-3)
    columns, rows = (int(np.floor(span / size)) + 1 for span in high - low)
    column, row = (np.floor((find[:, axis] - low[axis]) / size).astype(np.int64) for axis in (0, 1))
    cell = np.minimum(row, rows - 1) * columns + np.minimum(column, columns - 1)
    order = np.argsort(cell, kind="stable").astype(np.int32)
    cell_start = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=columns * rows))]).astype(np.int64)
    return (float(low[0]), float(low[1]), size, columns, rows), cell_start, order


def _weigh(edges: _Edges, item_factor: Floats, record: Ints, stated: npt.NDArray[np.integer] | None) -> None:
    """Turn densities into odds times clutter density, in place."""
    counts = np.diff(edges.starts)
    np.multiply(edges.odds, np.repeat(item_factor, counts), out=edges.odds)
    if stated is not None:
        factor = STATED_RECORD_RELIABILITY / (1.0 - STATED_RECORD_RELIABILITY)
        edges.odds[np.repeat(record, counts) == np.asarray(stated)[edges.find]] *= factor


@dataclass(frozen=True, eq=False)
class _State:
    """Messages as they stand."""

    to_item: Floats
    to_find: Floats
    at_find: Floats
    clutter: float
    converged: bool


def _propagated(edges: _Edges, size: Floats, finds: int, clutter: float, warm: _State | None) -> _State:
    """Sweep until the messages settle, from where they stood."""
    to_item = np.ones(edges.find.size) if warm is None else warm.to_item
    to_find = np.empty(edges.find.size) if warm is None else warm.to_find
    at_find = np.zeros(finds)
    for _ in range(MAX_SWEEPS):
        change = kernels.sweep(edges.starts, edges.find, edges.odds, size, 1.0 / clutter, to_item, to_find, at_find)
        if change < TOLERANCE:
            return _State(to_item, to_find, at_find, clutter, True)
    return _State(to_item, to_find, at_find, clutter, False)


def _estimated_clutter(edges: _Edges, size: Floats, finds: int, detection: float, area_m2: float) -> _State:
    """Estimate the density of devices of no record by expectation-maximisation.

    Half a device is added, so that no number of matched finds makes "of no record" impossible.
    """
    state: _State | None = None
    clutter = (0.5 * finds + 0.5) / (detection * area_m2)
    for _ in range(MAX_ROUNDS):
        state = _propagated(edges, size, finds, clutter, state)
        expected = float(np.sum(1.0 / (1.0 + state.at_find)))
        updated = (expected + 0.5) / (detection * area_m2)
        settled = abs(updated - clutter) <= ROUND_TOLERANCE * clutter
        clutter = updated
        if settled:
            break
    return _propagated(edges, size, finds, clutter, state)


def _association(edges: _Edges, lots: _Lots, state: _State, record: Ints) -> Association:
    """Turn messages into probabilities."""
    counts = np.diff(edges.starts)
    lot = np.repeat(np.arange(lots.first.size), counts)
    probability = lots.size[lot] * state.to_find / (1.0 + state.at_find[edges.find])
    kernels.cap_items(edges.starts, probability, lots.size)
    kept = probability > NEGLIGIBLE
    probability, find = probability[kept], edges.find[kept].astype(np.int64)
    total = np.bincount(find, weights=probability, minlength=state.at_find.size)
    return Association(
        find=find,
        item=lots.first[lot[kept]],
        probability=probability,
        unrecorded=np.clip(1.0 - total, 0.0, 1.0),
        item_record=record,
        group=lots.group,
        clutter_density=state.clutter,
        converged=state.converged,
    )

"""Symbols that are proposed as the same thing drawn twice. A person decides; nothing is dropped here."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import spatial

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]

KDTree: Any = spatial.KDTree  # SciPy ships no types

SAME_SHEET = "same_sheet"
OTHER_SHEET = "other_sheet"


@dataclass(frozen=True, eq=False)
class DuplicateSymbols:
    """Pairs of symbols proposed as one, and the groups they make.

    Attributes
    ----------
    first, second : (p,)
        Indices of the two symbols, first < second.
    distance_m : (p,)
        Distance between them.
    kind : (p,)
        ``same_sheet`` (drawn twice) or ``other_sheet`` (repeated on another sheet).
    group : (n,)
        Index of the group's first symbol from west to east (then south to north, then by sheet): the order of the
        input does not matter. Itself when it is alone.
    """

    first: Ints
    second: Ints
    distance_m: Floats
    kind: Texts
    group: Ints

    @property
    def is_representative(self) -> Booleans:
        """The one symbol of each group that is kept, (n,)."""
        return np.asarray(self.group == np.arange(self.group.size), dtype=np.bool_)

    @property
    def extra(self) -> int:
        """Number of symbols that repeat another one."""
        return int(np.sum(~self.is_representative))


def propose_duplicate_symbols(
    points: Floats,
    sheet: Texts,
    same_sheet_tolerance_m: float = 5.0,
    cross_sheet_tolerance_m: float = 110.0,
    date: npt.NDArray[np.datetime64] | None = None,
) -> DuplicateSymbols:
    """Propose symbols that show one thing twice.

    Parameters
    ----------
    points : (n, 2)
        Easting and northing, metres; nan = not located, never proposed.
    sheet : (n,)
        Name of the map sheet each symbol was read from; "" = not stated, never compared across sheets.
    same_sheet_tolerance_m
        Symbols of one sheet (or of none) this close are one, drawn twice.
    cross_sheet_tolerance_m
        Symbols of two sheets that are each other's nearest and this close are one, repeated on both (the
        datum shift of the South Caucasus is 97 to 106 m).
    date : (n,)
        Day of the event behind each symbol, NaT = not stated; two stated and different days are two events and
        never one group. None = not stated for all.

    Notes
    -----
    Pairs join into groups, closest first; two symbols of one sheet that are not one drawn twice never end up
    in the same group.
    """
    name = np.asarray([str(s) for s in sheet], dtype=object)
    day = np.full(len(name), np.datetime64("NaT"), dtype="datetime64[D]") if date is None else date
    order = np.lexsort([day, name.astype(str), points[:, 1], points[:, 0]]) if len(name) else np.empty(0, np.int64)
    found = _propose(points[order], name[order], day[order], (same_sheet_tolerance_m, cross_sheet_tolerance_m))
    group = np.empty(len(name), dtype=np.int64)
    group[order] = order[found.group]
    first, second = np.sort(np.column_stack([order[found.first], order[found.second]]), axis=1).T
    return DuplicateSymbols(first, second, found.distance_m, found.kind, group)


def _propose(
    points: Floats, name: Texts, day: npt.NDArray[np.datetime64], tolerance_m: tuple[float, float]
) -> DuplicateSymbols:
    """Propose symbols that are sorted already."""
    located = np.flatnonzero(np.isfinite(points).all(axis=1))
    group = np.arange(points.shape[0])
    days = {int(i): set() if np.isnat(day[i]) else {day[i]} for i in located}
    near = [p for p in _doubled(points, name, located, tolerance_m[0]) if _join_same_day(group, days, *p)]
    heads = np.asarray([i for i in located if group[i] == i], dtype=np.int64)
    across = _repeated(points, name, heads, tolerance_m[1])
    sheets = {int(i): {name[i]} for i in heads}
    kept = [p for p in across if _join_across(group, sheets, days, *p)]
    pairs = np.asarray(near + kept, dtype=np.int64).reshape(-1, 2)
    return DuplicateSymbols(
        first=pairs[:, 0],
        second=pairs[:, 1],
        distance_m=np.hypot(*(points[pairs[:, 0]] - points[pairs[:, 1]]).T),
        kind=np.asarray([SAME_SHEET] * len(near) + [OTHER_SHEET] * len(kept), dtype=object),
        group=group,
    )


def _doubled(points: Floats, name: Texts, located: Ints, tolerance: float) -> list[tuple[int, int]]:
    """Pairs on one sheet within the tolerance, closest first."""
    if located.size < 2:
        return []
    near = located[KDTree(points[located]).query_pairs(tolerance, output_type="ndarray")]
    return _closest_first(points, near[name[near[:, 0]] == name[near[:, 1]]])


def _repeated(points: Floats, name: Texts, heads: Ints, tolerance: float) -> list[tuple[int, int]]:
    """Pairs of two sheets that are each other's nearest within the tolerance, closest first."""
    on = {s: heads[name[heads] == s] for s in sorted(set(name[heads])) if s}
    trees = {s: KDTree(points[members]) for s, members in on.items()}
    pairs = []
    for a, b in combinations(on, 2):
        if np.any(trees[a].maxes + tolerance < trees[b].mins) or np.any(trees[b].maxes + tolerance < trees[a].mins):
            continue
        to_b = trees[b].query(points[on[a]], distance_upper_bound=tolerance * (1 + 1e-12))[1]
        to_a = trees[a].query(points[on[b]], distance_upper_bound=tolerance * (1 + 1e-12))[1]
        reached = np.flatnonzero(to_b < on[b].size)
        mutual = reached[to_a[to_b[reached]] == reached]
        pairs.append(np.column_stack([on[a][mutual], on[b][to_b[mutual]]]))
    return _closest_first(points, np.concatenate(pairs) if pairs else np.empty((0, 2), dtype=np.int64))


def _closest_first(points: Floats, pairs: Ints) -> list[tuple[int, int]]:
    pairs = np.sort(pairs, axis=1)
    distance = np.hypot(*(points[pairs[:, 0]] - points[pairs[:, 1]]).T)
    order = np.lexsort((pairs[:, 1], pairs[:, 0], distance))
    return [(int(a), int(b)) for a, b in pairs[order]]


def _join_same_day(group: Ints, days: dict[int, set[np.datetime64]], a: int, b: int) -> bool:
    """Join two groups unless they hold events of different days; tell whether they are joined now."""
    low, high = sorted((int(group[a]), int(group[b])))
    if low == high:
        return True
    if len(days[low] | days[high]) > 1:
        return False
    days[low] |= days.pop(high)
    group[group == high] = low
    return True


def _join_across(group: Ints, sheets: dict[int, set[str]], days: dict[int, set[np.datetime64]], a: int, b: int) -> bool:
    """Join two groups unless they hold different symbols of one sheet or events of different days."""
    low, high = sorted((int(group[a]), int(group[b])))
    if low == high:
        return True
    if sheets[low] & sheets[high] or not _join_same_day(group, days, a, b):
        return False
    sheets[low] |= sheets.pop(high)
    return True

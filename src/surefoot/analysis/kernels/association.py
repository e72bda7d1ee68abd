"""Pairs of finds and recorded devices, and the messages of belief propagation between them.

Sums run item by item, find by find inside an item.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from surefoot.analysis.kernels import compiled

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
Starts = npt.NDArray[np.int64]

LARGEST_ODDS = 1e10
"""Odds of one pair are capped here: beyond it the subtraction inside the sweeps would lose its digits."""

TWO_PI = 2.0 * np.pi


@compiled
def squared_mahalanobis(
    east: float, north: float, ee: float, en: float, nn: float
) -> tuple[float, float]:  # pragma: no cover - compiled
    """Return the squared Mahalanobis length of (east, north) and the determinant of its covariance."""
    determinant = ee * nn - en * en
    if not determinant > 0.0:
        return np.inf, 0.0
    return (nn * east * east - 2.0 * en * east * north + ee * north * north) / determinant, determinant


@compiled
def count_near(  # pragma: no cover - compiled
    item: Floats,
    radius: Floats,
    find: Floats,
    category: tuple[Indices, Indices],
    grid: tuple[float, float, float, int, int],
    cell_start: Starts,
    order: Indices,
    gate: float,
) -> Starts:
    """Count the finds inside the gate of each item (`item` columns: east, north, ee, en, nn)."""
    counts = np.zeros(item.shape[0], dtype=np.int64)
    nothing = np.empty(0, dtype=np.int32)
    starts = np.empty(0, dtype=np.int64)
    _visit_near(item, radius, find, category, grid, cell_start, order, gate, counts, starts, nothing)
    return counts


@compiled
def list_near(  # pragma: no cover - compiled
    item: Floats,
    radius: Floats,
    find: Floats,
    category: tuple[Indices, Indices],
    grid: tuple[float, float, float, int, int],
    cell_start: Starts,
    order: Indices,
    gate: float,
    starts: Starts,
) -> Indices:
    """List the finds inside the gate of each item, ascending, in the layout that `starts` gives."""
    counts = np.zeros(item.shape[0], dtype=np.int64)
    listed = np.empty(starts[-1], dtype=np.int32)
    _visit_near(item, radius, find, category, grid, cell_start, order, gate, counts, starts, listed)
    for i in range(item.shape[0]):
        listed[starts[i] : starts[i + 1]].sort()
    return listed


@compiled
def _visit_near(  # pragma: no cover - compiled
    item: Floats,
    radius: Floats,
    find: Floats,
    category: tuple[Indices, Indices],
    grid: tuple[float, float, float, int, int],
    cell_start: Starts,
    order: Indices,
    gate: float,
    counts: Starts,
    starts: Starts,
    listed: Indices,
) -> None:
    """Walk over every (item, find) pair inside the gate; count it, and list it when there is room."""
    west, south, size, columns, rows = grid
    for i in range(item.shape[0]):
        reach = radius[i]
        if not reach >= 0.0:
            continue
        first_column = max(0, int(np.floor((item[i, 0] - reach - west) / size)))
        last_column = min(columns - 1, int(np.floor((item[i, 0] + reach - west) / size)))
        first_row = max(0, int(np.floor((item[i, 1] - reach - south) / size)))
        last_row = min(rows - 1, int(np.floor((item[i, 1] + reach - south) / size)))
        if last_column < first_column:
            continue
        for row in range(first_row, last_row + 1):
            begin = cell_start[row * columns + first_column]
            for at in range(begin, cell_start[row * columns + last_column + 1]):
                k = order[at]
                a, b = category[0][i], category[1][k]
                if a != b and a != 0 and b != 0:
                    continue
                squared, _ = squared_mahalanobis(
                    find[k, 0] - item[i, 0],
                    find[k, 1] - item[i, 1],
                    item[i, 2] + find[k, 2],
                    item[i, 3],
                    item[i, 4] + find[k, 2],
                )
                if squared <= gate * gate:
                    if listed.size > 0:
                        listed[starts[i] + counts[i]] = k
                    counts[i] += 1


@compiled
def pair_densities(  # pragma: no cover - compiled
    item: Floats, starts: Starts, find_of: Indices, find: Floats
) -> Floats:
    """Density of each listed find under its item, 1/m2: the normal with the two covariances added."""
    density = np.empty(find_of.size, dtype=np.float64)
    for i in range(starts.size - 1):
        for e in range(starts[i], starts[i + 1]):
            k = find_of[e]
            squared, determinant = squared_mahalanobis(
                find[k, 0] - item[i, 0],
                find[k, 1] - item[i, 1],
                item[i, 2] + find[k, 2],
                item[i, 3],
                item[i, 4] + find[k, 2],
            )
            density[e] = np.exp(-0.5 * squared) / (TWO_PI * np.sqrt(determinant))
    return density


@compiled
def sweep(  # pragma: no cover - compiled
    starts: Starts,
    find_of: Indices,
    odds: Floats,
    size: Floats,
    scale: float,
    to_item: Floats,
    to_find: Floats,
    at_find: Floats,
) -> float:
    """One sweep of Williams-Lau belief propagation, in place (twin: `sweep_slowly` in the tests).

    `odds` times `scale` are the pairs' odds against "this device was not found, this find is of no record";
    `size` says how many indistinguishable items share a line; `at_find` receives the sum of messages at each
    find. Returns the largest change of a message.
    """
    at_find[:] = 0.0
    for i in range(starts.size - 1):
        total = 1.0
        for e in range(starts[i], starts[i + 1]):
            total += min(odds[e] * scale, LARGEST_ODDS) * to_item[e]
        for e in range(starts[i], starts[i + 1]):
            weight = min(odds[e] * scale, LARGEST_ODDS)
            to_find[e] = weight / max(total - weight * to_item[e], 1.0)
            at_find[find_of[e]] += size[i] * to_find[e]
    change = 0.0
    for e in range(find_of.size):
        message = 1.0 / max(1.0 + at_find[find_of[e]] - to_find[e], 1.0)
        change = max(change, abs(message - to_item[e]))
        to_item[e] = message
    return change


@compiled
def cap_items(  # pragma: no cover - compiled
    starts: Starts, probability: Floats, size: Floats
) -> None:
    """Scale an item's probabilities down where they sum to more than it holds, in place.

    Belief propagation cut off before convergence can overshoot by its tolerance; what is taken away goes to
    "of no record", since that is counted as the rest.
    """
    for i in range(starts.size - 1):
        total = 0.0
        for e in range(starts[i], starts[i + 1]):
            total += probability[e]
        if total > size[i]:
            for e in range(starts[i], starts[i + 1]):
                probability[e] *= size[i] / total

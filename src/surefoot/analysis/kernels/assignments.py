"""Sums over all one-to-one assignments of finds to devices, by belief propagation.

Williams and Lau 2014, "Approximate evaluation of marginal association probabilities with belief propagation", IEEE
Trans. AES 50(4); the sum is the Bethe free energy of the messages (methods.md section 2).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from surefoot.analysis.kernels import compiled

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SWEEPS = 24
SETTLED = 0.01
"""Messages that change less are settled: the free energy is stationary in them, so its error is of second order."""
_SMALL, _LARGE = 1e-150, 1e150


@compiled
def sum_over_assignments(  # pragma: no cover - compiled
    edges: int, edge_item: Ints, edge_find: Ints, odds: Floats, to_find: Floats, to_item: Floats, at_item: Floats
) -> float:  # fmt: skip
    """Log of the sum over all one-to-one assignments of the product of their odds (Bethe approximation).

    Williams-Lau belief propagation, find by find and back again, which settles in few passes where the finds lie
    along a row; exact where no device is wanted by two finds. Afterwards the probability of edge e is
    ``w a b / (1 + w a b)`` with ``a = to_find[e]``, ``b = to_item[e]`` (`shares`). Edges come find by find. `at_item`
    is scratch of zeros and is left as zeros.
    """
    total, contested = 0.0, False
    begin = 0
    while begin < edges:
        end, sum_of_odds = begin, 0.0
        while end < edges and edge_find[end] == edge_find[begin]:
            sum_of_odds += odds[end]
            end += 1
        total += np.log1p(sum_of_odds)
        for e in range(begin, end):
            to_find[e] = 1.0
            to_item[e] = 1.0 / (1.0 + sum_of_odds - odds[e])
            contested = contested or at_item[edge_item[e]] > 0.0
            at_item[edge_item[e]] += odds[e] * to_item[e]
        begin = end
    if contested:
        for turn in range(SWEEPS):
            if _pass_over(turn % 2 == 0, edges, edge_item, edge_find, odds, to_find, to_item, at_item) < SETTLED:
                break
        total = _free_energy(edges, edge_item, edge_find, odds, to_find, to_item, at_item)
    for e in range(edges):
        at_item[edge_item[e]] = 0.0
    return total


@compiled
def _pass_over(  # pragma: no cover - compiled
    backward: bool, edges: int, edge_item: Ints, edge_find: Ints, odds: Floats, to_find: Floats, to_item: Floats,
    at_item: Floats,
) -> float:  # fmt: skip
    """Send the messages of one find after the other, in place; return the largest change of one."""
    change = 0.0
    at = edges - 1 if backward else 0
    while 0 <= at < edges:
        begin = end = at
        while begin > 0 and edge_find[begin - 1] == edge_find[at]:
            begin -= 1
        while end < edges and edge_find[end] == edge_find[at]:
            end += 1
        total = 1.0
        for e in range(begin, end):
            to_find[e] = 1.0 / max(1.0 + at_item[edge_item[e]] - odds[e] * to_item[e], 1.0)
            total += odds[e] * to_find[e]
        for e in range(begin, end):
            message = 1.0 / max(total - odds[e] * to_find[e], 1.0)
            # Where odds are large a message is small and what matters is odds x message.
            change = max(change, odds[e] * abs(message - to_item[e]) / (1.0 + odds[e] * message))
            at_item[edge_item[e]] += odds[e] * (message - to_item[e])
            to_item[e] = message
        at = begin - 1 if backward else end
    return change


@compiled
def _free_energy(  # pragma: no cover - compiled
    edges: int, edge_item: Ints, edge_find: Ints, odds: Floats, to_find: Floats, to_item: Floats, at_item: Floats
) -> float:  # fmt: skip
    """Bethe free energy of the messages as they stand; brings `to_find` up to date.

    Logarithms are taken of products, as long as these stay in range.
    """
    for e in range(edges):
        at_item[edge_item[e]] = 0.0
    for e in range(edges):
        at_item[edge_item[e]] += odds[e] * to_item[e]
    total, product = 0.0, 1.0
    begin = 0
    while begin < edges:
        end, sum_of_odds = begin, 0.0
        while end < edges and edge_find[end] == edge_find[begin]:
            to_find[end] = 1.0 / max(1.0 + at_item[edge_item[end]] - odds[end] * to_item[end], 1.0)
            sum_of_odds += odds[end] * to_find[end]
            product /= 1.0 + odds[end] * to_find[end] * to_item[end]
            end += 1
        product *= 1.0 + sum_of_odds
        total, product = carried(total, product)
        begin = end
    for e in range(edges):
        product *= 1.0 + at_item[edge_item[e]]
        at_item[edge_item[e]] = 0.0
        total, product = carried(total, product)
    return float(total + np.log(product))


@compiled
def shares(edges: int, odds: Floats, to_find: Floats, to_item: Floats, share: Floats) -> None:  # pragma: no cover
    """Write the probability of every edge into `share`, from settled messages."""
    for e in range(edges):
        message = odds[e] * to_find[e] * to_item[e]
        share[e] = message / (1.0 + message)


@compiled
def carried(total: float, product: float) -> tuple[float, float]:  # pragma: no cover - compiled
    """Move a product that is about to leave its range into the sum of logarithms."""
    if _SMALL < product < _LARGE:
        return total, product
    return float(total + np.log(product)), 1.0

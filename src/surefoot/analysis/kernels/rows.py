"""The offset that the devices of one row share, summed over which device each find is.

The sum over assignments treats the whole variance of a device as its own. For every row the error of that is taken
out: with the probabilities ``p_ik`` of the assignments, ``f_k(z) = 1 + sum_i p_ik (N(e_ik; r z, v) / N(e_ik; 0, v +
r^2) - 1)`` is what find k says of the offset z (in sigmas, ``z ~ N(0, I)``) beyond what it says on its own; the row's
term is ``log E[prod_k f_k(z)]``. The expectation is taken by Gauss-Hermite quadrature about the best linear unbiased
prediction of z (Liu and Pierce 1994, "A note on Gauss-Hermite quadrature", Biometrika 81(3)); docs/decisions/0022.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from surefoot.analysis.kernels import compiled, inlined

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

VAGUE_VARIANCE_M2 = 25.0
"""Things seen (accidents, mostly) whose place is vaguer than this share no device: they take none from the others."""
LEAST_SHARE = 0.002
"""Pairs less likely than this say nothing of a row's offset."""
NODES = 5
"""A side: 3 leave a likelihood that is up to a tenth too steep, 7 change nothing more (decision 0022)."""
FEW_NODES = 3
"""Enough to tell where the offset is."""
_NODE = np.polynomial.hermite_e.hermegauss(NODES)[0]
_WEIGHT = np.polynomial.hermite_e.hermegauss(NODES)[1] / np.sqrt(2.0 * np.pi)
_FEW_NODE = np.polynomial.hermite_e.hermegauss(FEW_NODES)[0]
_FEW_WEIGHT = np.polynomial.hermite_e.hermegauss(FEW_NODES)[1] / np.sqrt(2.0 * np.pi)
_LEAST_FACTOR = 1e-12
_FINDS_A_LOG = 16  # factors lie within 1e-12 and 1e12: so many are multiplied before a logarithm is taken out


@compiled
def row_terms(  # pragma: no cover - compiled
    rows: int, edges: int, edge_item: Ints, edge_find: Ints, share: Floats, pattern: Floats, finds: Floats,
    items: Floats, after: Ints, first: Ints, about: bool, fine: bool,
) -> float:  # fmt: skip
    """Log of what the devices of one row say together, beyond what each says on its own.

    `share` holds the probability of every edge; edges come find by find. Leaves variance and mean (east, north) of
    each row's z in columns 3 to 5 of `items`. A row with one find adds nothing. `after` and `first` are scratch: the
    edges of a row as a list, `first` by row and `after` by edge, -1 at its end. `about` says that the shares were
    taken about the variances and means that stand there, not about the prior of z; not `fine` that a rough answer will
    do.
    """
    _list_rows(rows, edges, edge_item, edge_find, share, pattern, finds, after, first)
    node, mass = (_NODE, _WEIGHT) if fine else (_FEW_NODE, _FEW_WEIGHT)
    total, scratch = 0.0, np.empty((3, len(node) * len(node)))
    for r in range(rows):
        wide, by_east, by_north = 1.0, 0.0, 0.0
        if about:
            wide, by_east, by_north = items[r, 3], items[r, 4], items[r, 5]
        root = np.sqrt(wide)
        a, east, north, count, last = wide, -root * by_east, -root * by_north, 0, -1
        e = first[r]
        while e >= 0:
            i, k = edge_item[e], edge_find[e]
            v, offset = pattern[i, 2] - pattern[i, 4] + finds[k, 2], np.sqrt(pattern[i, 4])
            per_metre = share[e] * offset * root / v
            a += per_metre * offset * root
            east += per_metre * (finds[k, 0] - items[i, 0] - offset * by_east)
            north += per_metre * (finds[k, 1] - items[i, 1] - offset * by_north)
            if k != last:
                count, last = count + 1, k
            e = after[e]
        items[r, 3], items[r, 4], items[r, 5] = 1.0 / a, east / a, north / a
        if count > 1 or (about and count > 0):
            total += _row_term(
                first[r], after, edge_item, edge_find, share, pattern, finds, items, r, wide, by_east, by_north,
                node, mass, scratch,
            )  # fmt: skip
        items[r, 3], items[r, 4], items[r, 5] = (
            wide * items[r, 3], by_east + root * items[r, 4], by_north + root * items[r, 5]
        )  # fmt: skip
    return float(total)


@compiled
def _list_rows(  # pragma: no cover - compiled
    rows: int, edges: int, edge_item: Ints, edge_find: Ints, share: Floats, pattern: Floats, finds: Floats,
    after: Ints, first: Ints,
) -> None:  # fmt: skip
    """List the edges that bear on the offset of a row, row by row, in their order."""
    first[:rows] = -1
    for e in range(edges - 1, -1, -1):
        i = edge_item[e]
        if share[e] >= LEAST_SHARE and pattern[i, 4] > 0.0 and finds[edge_find[e], 2] <= VAGUE_VARIANCE_M2:
            row = int(pattern[i, 5])
            after[e] = first[row]
            first[row] = e


@inlined
def _row_term(  # pragma: no cover - compiled
    first: int, after: Ints, edge_item: Ints, edge_find: Ints, share: Floats, pattern: Floats, finds: Floats,
    items: Floats, row: int, wide: float, by_east: float, by_north: float, node: Floats,
    mass: Floats, scratch: Floats,
) -> float:  # fmt: skip
    """Log of the expectation for one row; puts the moments of its offset into `items`.

    The offset is ``z = by + sqrt(wide) w`` sigmas; nodes and moments are those of w.
    """
    nodes = len(node)
    sd, east, north, root = np.sqrt(items[row, 3]), items[row, 4], items[row, 5], np.sqrt(wide)
    weight, factor, line = scratch[0], scratch[1], scratch[2]
    for j in range(nodes):
        zx, zy = by_east + root * (east + sd * node[j]), by_north + root * (north + sd * node[j])
        line[j] = mass[j] * np.exp(0.5 * (node[j] * node[j] - zx * zx))
        line[nodes + j] = mass[j] * np.exp(0.5 * (node[j] * node[j] - zy * zy))
    for x in range(nodes):
        for y in range(nodes):
            weight[nodes * x + y] = line[x] * line[nodes + y]
    total, e, multiplied = 0.0, first, 0
    while e >= 0:
        e = _factor_of_find(
            e, after, edge_item, edge_find, share, pattern, finds, items, sd, east, north, wide, by_east, by_north,
            node, factor, line,
        )  # fmt: skip
        for j in range(nodes * nodes):
            weight[j] *= max(factor[j], _LEAST_FACTOR)
        multiplied += 1
        if multiplied % _FINDS_A_LOG == 0:
            top = weight.max()
            weight /= top
            total += np.log(top)
    whole = mean_x = mean_y = squared = 0.0
    for x in range(nodes):
        for y in range(nodes):
            w, zx, zy = weight[nodes * x + y], east + sd * node[x], north + sd * node[y]
            whole += w
            mean_x += w * zx
            mean_y += w * zy
            squared += w * (zx * zx + zy * zy)
    mean_x, mean_y = mean_x / whole, mean_y / whole
    total += np.log(whole * items[row, 3] * wide)
    items[row, 3] = max(0.5 * (squared / whole - mean_x * mean_x - mean_y * mean_y), 0.1 * items[row, 3])
    items[row, 4], items[row, 5] = mean_x, mean_y
    return float(total)


@inlined
def _factor_of_find(  # pragma: no cover - compiled
    e: int, after: Ints, edge_item: Ints, edge_find: Ints, share: Floats, pattern: Floats, finds: Floats,
    items: Floats, sd: float, east: float, north: float, wide: float, by_east: float, by_north: float, node: Floats,
    factor: Floats, line: Floats,
) -> int:  # fmt: skip
    """Write ``f_k`` at every node for the find of edge `e`; return the row's first edge of the next find, or -1."""
    k, nodes = edge_find[e], len(node)
    factor[:] = 1.0
    while e >= 0 and edge_find[e] == k:
        i, p = edge_item[e], share[e]
        offset, shared = np.sqrt(pattern[i, 4]), pattern[i, 4] * wide
        v, root = pattern[i, 2] - pattern[i, 4] + finds[k, 2], np.sqrt(shared)
        de, dn = finds[k, 0] - items[i, 0] - offset * by_east, finds[k, 1] - items[i, 1] - offset * by_north
        constant, half = 0.5 * (de * de + dn * dn) / (v + shared), 0.5 / v
        for j in range(nodes):
            miss_east, miss_north = (
                de - root * (east + sd * node[j]),
                dn - root * (north + sd * node[j]),
            )
            line[j] = p * (1.0 + shared / v) * np.exp(constant - half * miss_east * miss_east)
            line[nodes + j] = np.exp(-half * miss_north * miss_north)
        for x in range(nodes):
            for y in range(nodes):
                factor[nodes * x + y] += line[x] * line[nodes + y] - p
        e = after[e]
    return int(e)

"""The likelihood of a record's placement given what was seen, and the moves that explore it.

A placement is six numbers: shift east and north (m), turn (radians, clockwise), log scale, stretch and shear. It
takes a pattern place `u` (metres about the record's centroid) to ``T + s R A u``, again about the centroid, with
``A = [[e^stretch, shear], [shear, e^-stretch]]``. Formulas: methods.md section 2.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from surefoot.analysis.kernels import compiled
from surefoot.analysis.kernels.assignments import carried, shares, sum_over_assignments
from surefoot.analysis.kernels.rows import VAGUE_VARIANCE_M2, row_terms

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Search = tuple[Singles, float, float, float, Singles]
"""Raster of the chance that a device meant for a place was found, its west and south edges, its cell (m), and the share
of the ground that was searched there, each blurred (`ground.mask_of`)."""

GATE = 5.0
"""Finds farther than this many sigmas from a device are not its find."""
ROUNDED_UP = 1.0 + 1e-9
"""A reach is made so much longer: no pair inside the gate is lost to rounding."""
SURVEYED_VARIANCE_M2, NOT_OF_THE_SEARCH = 4.0, 0.1
"""Finds placed as well as that were dug up by searchers, who look nowhere but in the searched ground; the weight of the
chance that this one was not."""
LARGEST_ODDS = 1e10
SMALLEST_ODDS = 0.01
"""Pairs with smaller odds against clutter are left out of the likelihood, which they move by less than that."""
LARGE_OFFSET = 1.0
"""Square of an offset, in sigmas, from which the rows are gone through again about it."""
VAGUE_GATE = 7.0
"""They reach farther than a clear find: many small odds add up."""
FIRST_LOOK = 0.5
"""Share of the first part's gain that decides whether a proposal is looked at in full: 92 of 100 moves remain for two
thirds of the time (docs/decisions/0024)."""
RANDOM_WALK, ALIAS_JUMP, TURN_ABOUT_FIND = 0, 1, 2
COMPILED_WITH = "155d22e13af73a67"
"""Digest of the kernels that are compiled into these. Numba keeps machine code on disk until the file of the *calling*
kernel changes: with this line it does whenever one of theirs changes (a test holds it to the files)."""


@compiled
def matrix(state: Floats) -> tuple[float, float, float, float]:  # pragma: no cover - compiled
    """Return the 2 x 2 matrix ``s R A`` of one placement, row by row."""
    s = np.exp(state[3])
    cosine, sine = s * np.cos(state[2]), s * np.sin(state[2])
    stretch, shear = np.exp(state[4]), state[5]
    return (
        cosine * stretch + sine * shear,
        cosine * shear + sine / stretch,
        -sine * stretch + cosine * shear,
        -sine * shear + cosine / stretch,
    )


@compiled
def seen_chance(  # pragma: no cover - compiled
    east: float, north: float, raster: Singles, west: float, south: float, cell: float
) -> float:
    """Chance that a device at a place would have been found by now, bilinear between cell centres."""
    per_metre = 1.0 / cell
    column, row = (east - west) * per_metre - 0.5, (north - south) * per_metre - 0.5
    if not (column >= 0.0 and row >= 0.0 and column < raster.shape[1] - 1 and row < raster.shape[0] - 1):
        return 0.0
    c, r = int(column), int(row)
    if raster[r, c] == 0.0:  # then its neighbours are negligible (`ground.mask_of`)
        return 0.0
    x, y = column - c, row - r
    low = raster[r, c] * (1.0 - x) + raster[r, c + 1] * x
    high = raster[r + 1, c] * (1.0 - x) + raster[r + 1, c + 1] * x
    return float(low * (1.0 - y) + high * y)


@compiled
def in_searched(east: float, north: float, search: Search) -> float:  # pragma: no cover - compiled
    """Weight of a place as that of a find that searchers dug up."""
    _, west, south, cell, worked = search
    return float(seen_chance(east, north, worked, west, south, cell)) + NOT_OF_THE_SEARCH


@compiled
def place_items(state: Floats, pattern: Floats, items: Floats) -> tuple[float, int]:  # pragma: no cover - compiled
    """Place every device: `items` gets east, north and -1, the mark of a `q` not looked up yet.

    Returns the largest variance of a device and the number of rows.

    `pattern` columns: east, north, variance per axis, presence, the part of the variance that the row shares, number
    of the row. `q` is the chance that the device would have been found by now.
    """
    a, b, c, d = matrix(state)
    largest, last = 0.0, -1.0
    for i in range(pattern.shape[0]):
        items[i, 0] = state[0] + a * pattern[i, 0] + b * pattern[i, 1]
        items[i, 1] = state[1] + c * pattern[i, 0] + d * pattern[i, 1]
        items[i, 2] = -1.0
        largest = max(largest, pattern[i, 2])
        last = max(last, pattern[i, 5])
    return largest, int(last) + 1


@compiled
def _largest_stretch_back(a: float, b: float, c: float, d: float) -> float:  # pragma: no cover - compiled
    """Return the largest singular value of the inverse: how much it stretches a length at most."""
    determinant, frobenius = a * d - b * c, a * a + b * b + c * c + d * d
    spread = np.sqrt(max(frobenius * frobenius - 4.0 * determinant * determinant, 0.0))
    return float(np.sqrt(0.5 * (frobenius + spread)) / abs(determinant))


@compiled
def list_edges(  # pragma: no cover - compiled
    state: Floats, pattern: Floats, cells: tuple[Ints, Ints, float, float, float, int, int],
    search: Search, finds: Floats, base: Floats, items: Floats, edge_item: Ints,
    edge_find: Ints, odds: Floats, largest: float, vague_apart: bool,
) -> tuple[int, float]:  # fmt: skip
    """List the pairs inside the gate with their odds against clutter.

    Returns how many, and the sum of ``exp(-d^2 / 2 v) / v`` over all that could be a pair, listed or not.

    `finds` columns: east, north, variance. `base` (finds, devices) holds presence, type agreement and the clutter's
    density: ``odds = base / (1 - q) exp(-d^2 / 2 v) / v``. A find that searchers dug up lies in searched ground: where
    device and find together put it at the edge or outside, its odds fall (docs/decisions/0024). Each find looks for
    devices in the record's own frame, in which the pattern stands still, through a hash of cells; `q` is looked up for
    the devices inside a gate. With `vague_apart` the vague finds are left to `vague_terms`, and pairs that do not
    matter are left out.
    """
    raster, raster_west, raster_south, cell, _ = search
    start, order, west, south, size, columns, rows = cells
    a, b, c, d = matrix(state)
    determinant = a * d - b * c
    smallest = SMALLEST_ODDS if vague_apart else 0.0
    reach_of_metre = _largest_stretch_back(a, b, c, d)
    edges, near = 0, 0.0
    for k in range(finds.shape[0]):
        if vague_apart and finds[k, 2] > VAGUE_VARIANCE_M2:
            continue
        limit = GATE * GATE * (largest + finds[k, 2])
        reach = ROUNDED_UP * np.sqrt(limit) * reach_of_metre
        x, y = finds[k, 0] - state[0], finds[k, 1] - state[1]
        east, north = (d * x - b * y) / determinant, (-c * x + a * y) / determinant
        first_column = max(0, int(np.floor((east - reach - west) / size)))
        last_column = min(columns - 1, int(np.floor((east + reach - west) / size)))
        first_row = max(0, int(np.floor((north - reach - south) / size)))
        last_row = min(rows - 1, int(np.floor((north + reach - south) / size)))
        if last_column < first_column:
            continue
        here = in_searched(finds[k, 0], finds[k, 1], search)
        for row in range(first_row, last_row + 1):
            for at in range(start[row * columns + first_column], start[row * columns + last_column + 1]):
                i = order[at]
                v = pattern[i, 2] + finds[k, 2]
                de, dn = finds[k, 0] - items[i, 0], finds[k, 1] - items[i, 1]
                squared = de * de + dn * dn
                if squared > GATE * GATE * v or base[k, i] == 0.0:
                    continue
                if items[i, 2] < 0.0:
                    items[i, 2] = pattern[i, 3] * seen_chance(
                        items[i, 0], items[i, 1], raster, raster_west, raster_south, cell
                    )
                normal = np.exp(-0.5 * squared / v) / v
                near += normal
                w = base[k, i] / (1.0 - items[i, 2]) * normal
                if finds[k, 2] <= SURVEYED_VARIANCE_M2 and w >= smallest:
                    lean = finds[k, 2] / v
                    w *= in_searched(finds[k, 0] - lean * de, finds[k, 1] - lean * dn, search) / here
                if w < smallest:
                    continue
                edge_item[edges], edge_find[edges], odds[edges] = i, k, min(w, LARGEST_ODDS)
                edges += 1
    return edges, near


@compiled
def vague_terms(  # pragma: no cover - compiled
    pattern: Floats, finds: Floats, base: Floats, search: Search, items: Floats,
    taken: Floats,
) -> float:  # fmt: skip
    """Log of what the vaguely placed things seen say, each on its own: ``log(1 + sum of its odds)``.

    A device that is a clear find, `taken` (n,) by that chance, is not the one of an accident.
    """
    raster, west, south, cell, _ = search
    total = 0.0
    for k in range(finds.shape[0]):
        if finds[k, 2] > VAGUE_VARIANCE_M2:
            odds, own, half, reach = 0.0, -1.0, 0.0, 0.0
            for i in range(pattern.shape[0]):
                if pattern[i, 2] != own:  # seldom
                    own = pattern[i, 2]
                    half = 0.5 / (own + finds[k, 2])
                    reach = VAGUE_GATE * VAGUE_GATE * (own + finds[k, 2])
                de, dn = finds[k, 0] - items[i, 0], finds[k, 1] - items[i, 1]
                squared = de * de + dn * dn
                if squared < reach:
                    if items[i, 2] < 0.0:
                        items[i, 2] = pattern[i, 3] * seen_chance(items[i, 0], items[i, 1], raster, west, south, cell)
                    w = base[k, i] * np.exp(-half * squared) * (2.0 * half) * max(1.0 - taken[i], 0.0)
                    odds += w / (1.0 - items[i, 2]) if items[i, 2] > 0.0 else w
            total += np.log1p(odds)
    return total


@compiled
def absences(  # pragma: no cover - compiled
    pattern: Floats, search: Search, items: Floats, taken: Floats, least: float
) -> float:  # fmt: skip
    """Log of the chance that the devices which are none of the finds were not found: the sum of ``log(1 - q)``.

    Where finds tell the offset of a row, its devices are looked up where that offset puts them: else one empty strip
    beside a row would count as many empty strips. A device that may be a find counts so by the chance that it is not,
    1 - `taken`; for the rest its odds hold ``1 / (1 - q)`` at the similarity's place. Comes after `row_terms`; leaves q
    in `items`. Ends early, with a bound, where the sum is sure to be below `least`.
    """
    raster, west, south, cell, _ = search
    total, product, row, shared = 0.0, 1.0, -1.0, -1.0
    known, east_by, north_by = False, 0.0, 0.0
    for i in range(pattern.shape[0]):
        if pattern[i, 5] != row or pattern[i, 4] != shared:  # devices come row by row: seldom
            if total + np.log(product) < least:
                break
            row, shared = pattern[i, 5], pattern[i, 4]
            number, sd = int(row), np.sqrt(shared)
            known = items[number, 3] < 1.0 and shared > 0.0
            east_by, north_by = sd * items[number, 4], sd * items[number, 5]
        east, north, q = items[i, 0], items[i, 1], items[i, 2]
        if known:
            q = pattern[i, 3] * seen_chance(east + east_by, north + north_by, raster, west, south, cell)
        elif q < 0.0:
            q = pattern[i, 3] * seen_chance(east, north, raster, west, south, cell)
        if taken[i] > 0.0:
            found = min(taken[i], 1.0)
            total += found * np.log(1.0 - items[i, 2]) + (1.0 - found) * np.log(1.0 - q)
        elif q > 0.0:
            product *= 1.0 - q
            total, product = carried(total, product)
        items[i, 2] = q
    return float(total + np.log(product))


@compiled
def assigned(  # pragma: no cover - compiled
    state: Floats, pattern: Floats,
    cells: tuple[Ints, Ints, float, float, float, int, int],
    search: Search, finds: Floats, base: Floats, items: Floats, ints: Ints, floats: Floats,
) -> tuple[float, int, int, float]:  # fmt: skip
    """Log of the sum over assignments, the first part of a placement's log likelihood; numbers of pairs and of rows.

    Last comes the sum of `list_edges`: how near devices and finds lie.

    Leaves the devices' places in `items`, the pairs in `ints` and their odds and messages in `floats`.
    """
    largest, rows = place_items(state, pattern, items)
    edges, near = list_edges(
        state, pattern, cells, search, finds, base, items, ints[0], ints[1], floats[0], largest, True
    )
    total = sum_over_assignments(edges, ints[0], ints[1], floats[0], floats[1], floats[2], floats[3])
    return float(total), edges, rows, float(near)


@compiled
def about_offsets(  # pragma: no cover - compiled
    edges: int, edge_item: Ints, edge_find: Ints, odds: Floats, pattern: Floats, search: Search, finds: Floats,
    items: Floats,
) -> None:  # fmt: skip
    """Take the odds of every pair about the offset of its row as the finds tell it, in place, not about no offset.

    An offset of two sigmas makes the right pairs unlikely and their neighbours likely; what is built on such shares is
    off by several nats where a row has many finds (docs/decisions/0024).
    """
    for e in range(edges):
        i, k = edge_item[e], edge_find[e]
        row, shared = int(pattern[i, 5]), pattern[i, 4]
        before = pattern[i, 2] + finds[k, 2]
        now, offset = before - shared * (1.0 - items[row, 3]), np.sqrt(shared)
        de, dn = finds[k, 0] - items[i, 0], finds[k, 1] - items[i, 1]
        east, north = de - offset * items[row, 4], dn - offset * items[row, 5]
        nearer = 0.5 * ((de * de + dn * dn) / before - (east * east + north * north) / now)
        w = odds[e] * np.exp(nearer) * before / now
        if finds[k, 2] <= SURVEYED_VARIANCE_M2:
            old, new = finds[k, 2] / before, finds[k, 2] / now
            w *= in_searched(finds[k, 0] - new * east, finds[k, 1] - new * north, search)
            w /= in_searched(finds[k, 0] - old * de, finds[k, 1] - old * dn, search)
        odds[e] = min(w, LARGEST_ODDS)


@compiled
def in_rows(  # pragma: no cover - compiled
    total: float, edges: int, rows: int, pattern: Floats, search: Search, finds: Floats, items: Floats, ints: Ints,
    floats: Floats, fine: bool,
) -> float:  # fmt: skip
    """Add to a sum over assignments what the devices of a row say together; leaves the shares in `floats[4]`.

    Rough with few nodes; `fine` goes through rows whose offset is large again about that offset.
    """
    share = floats[4]
    shares(edges, floats[0], floats[1], floats[2], share)
    together = row_terms(rows, edges, ints[0], ints[1], share, pattern, finds, items, ints[2], ints[3], False, False)
    if not fine:
        return total + float(together)
    largest = 0.0
    for r in range(rows):
        largest = max(largest, items[r, 4] * items[r, 4] + items[r, 5] * items[r, 5])
    about = largest > LARGE_OFFSET
    if about:
        about_offsets(edges, ints[0], ints[1], floats[0], pattern, search, finds, items)
        total = float(sum_over_assignments(edges, ints[0], ints[1], floats[0], floats[1], floats[2], floats[3]))
        shares(edges, floats[0], floats[1], floats[2], share)
    together = row_terms(rows, edges, ints[0], ints[1], share, pattern, finds, items, ints[2], ints[3], about, True)
    return total + float(together)


@compiled
def completed(  # pragma: no cover - compiled
    total: float, edges: int, rows: int, pattern: Floats, search: Search, finds: Floats,
    base: Floats, items: Floats, ints: Ints, floats: Floats, least: float, fine: bool,
) -> float:  # fmt: skip
    """Log likelihood of the placement that `assigned` left in the scratch, `total` being what it returned.

    Against "every find is clutter and nothing of the record was to be found". Where it is sure to be below `least`,
    what comes back is a bound below `least`, not the value: what was not found only lowers it and takes longest to
    look up.
    """
    total = in_rows(total, edges, rows, pattern, search, finds, items, ints, floats, fine)
    share, taken = floats[4], floats[3]
    for e in range(edges):
        taken[ints[0][e]] += share[e]
    total += float(vague_terms(pattern, finds, base, search, items, taken))
    if total >= least:
        total += float(absences(pattern, search, items, taken, least - total))
    for e in range(edges):
        taken[ints[0][e]] = 0.0
    return total


@compiled
def log_likelihoods(  # pragma: no cover - compiled
    states: Floats, pattern: Floats,
    cells: tuple[Ints, Ints, float, float, float, int, int],
    search: Search, finds: Floats, base: Floats, items: Floats, ints: Ints, floats: Floats,
    fine: bool, out: Floats,
) -> None:  # fmt: skip
    """Log likelihood, `fine` or rough (`in_rows`), of every placement into `out` (n, 2), and its first part."""
    for j in range(states.shape[0]):
        part, edges, rows, _ = assigned(states[j], pattern, cells, search, finds, base, items, ints, floats)
        out[j, 0] = completed(part, edges, rows, pattern, search, finds, base, items, ints, floats, -np.inf, fine)
        out[j, 1] = part


@compiled
def first_parts(  # pragma: no cover - compiled
    states: Floats, pattern: Floats,
    cells: tuple[Ints, Ints, float, float, float, int, int],
    search: Search, finds: Floats, base: Floats, items: Floats, ints: Ints, floats: Floats, out: Floats,
) -> None:  # fmt: skip
    """First part of the log likelihood of every placement and how near devices and finds lie, into `out` (n, 2).

    The latter is ``sum of exp(-d^2 / 2 v) / v`` over the pairs inside the gate.
    """
    for j in range(states.shape[0]):
        out[j, 0], _, _, out[j, 1] = assigned(states[j], pattern, cells, search, finds, base, items, ints, floats)


@compiled
def log_prior(  # pragma: no cover - compiled
    state: Floats, whitener: Floats, free: int, degrees_of_freedom: float
) -> float:
    """Log density of a multivariate Student t over the first `free` numbers, up to a constant."""
    total = 0.0
    for r in range(free):
        z = 0.0
        for c in range(r + 1):
            z += whitener[r, c] * state[c]
        total += z * z
    return float(-0.5 * (degrees_of_freedom + free) * np.log1p(total / degrees_of_freedom))


@compiled
def move(  # pragma: no cover - compiled
    states: Floats, likelihood: Floats, prior: Floats, power: float,
    steps: Floats, kind: Ints, choice: Floats, threshold: Floats, jumps: Ints,
    whitener: Floats, free: int, degrees_of_freedom: float,
    pattern: Floats, cells: tuple[Ints, Ints, float, float, float, int, int],
    search: Search, finds: Floats, base: Floats, items: Floats, ints: Ints, floats: Floats, fine: bool,
) -> int:  # fmt: skip
    """One Metropolis step of every particle, in place, towards ``prior x likelihood^power``; return how many moved.

    `steps` (n, 6) are the random-walk steps, `kind` what each particle tries: a random walk, an alias jump (shift by
    the difference of two neighbouring devices, `jumps` (m, 2): rows repeat, and this is how a placement leaves a
    wrong neighbour), or a turn and scale about one of the finds. `choice` picks the jump or the find. Acceptance is
    delayed: what passes with `FIRST_LOOK` of the gain in the first part of the likelihood is looked at in full and
    taken by the rest of the gain (Christen and Fox 2005, "Markov chain Monte Carlo using an approximation", J. Comput.
    Graph. Stat. 14(4)); `threshold` (n, 2) holds logarithms of uniform numbers for either look. `likelihood` (n, 2):
    the whole and its first part.
    """
    moved = 0
    proposal = np.empty(6)
    for j in range(states.shape[0]):
        volume = _propose(states[j], steps[j], kind[j], choice[j], jumps, pattern, finds, proposal)
        there = log_prior(proposal, whitener, free, degrees_of_freedom)
        part, edges, rows, _ = assigned(proposal, pattern, cells, search, finds, base, items, ints, floats)
        seen = FIRST_LOOK * (part - likelihood[j, 1])
        if power * seen + there - prior[j] + volume < threshold[j, 0]:
            continue
        least = likelihood[j, 0] + seen + threshold[j, 1] / power
        value = completed(part, edges, rows, pattern, search, finds, base, items, ints, floats, least, fine)
        if value > least:
            states[j] = proposal
            likelihood[j, 0], likelihood[j, 1] = value, part
            prior[j] = there
            moved += 1
    return moved


@compiled
def _propose(  # pragma: no cover - compiled
    state: Floats, step: Floats, kind: int, choice: float, jumps: Ints, pattern: Floats, finds: Floats, proposal: Floats
) -> float:  # fmt: skip
    """Write a proposal and return the log of how much the step stretches the volume."""
    proposal[:] = state
    if kind == ALIAS_JUMP and jumps.shape[0] > 0:
        pick = int(choice * 2 * jumps.shape[0])
        first, second = jumps[pick // 2, 0], jumps[pick // 2, 1]
        sign = 1.0 - 2.0 * (pick % 2)
        a, b, c, d = matrix(state)
        x, y = pattern[first, 0] - pattern[second, 0], pattern[first, 1] - pattern[second, 1]
        proposal[0] += sign * (a * x + b * y)
        proposal[1] += sign * (c * x + d * y)
        return 0.0
    proposal += step
    if kind == TURN_ABOUT_FIND and finds.shape[0] > 0:
        k = int(choice * finds.shape[0])
        a, b, c, d = matrix(state)
        determinant = a * d - b * c
        x, y = finds[k, 0] - state[0], finds[k, 1] - state[1]
        u, v = (d * x - b * y) / determinant, (-c * x + a * y) / determinant
        a, b, c, d = matrix(proposal)
        proposal[0] = finds[k, 0] - (a * u + b * v)
        proposal[1] = finds[k, 1] - (c * u + d * v)
        return float(np.log(abs((a * d - b * c) / determinant)))
    return 0.0


@compiled
def add_associations(  # pragma: no cover - compiled
    states: Floats, group: Ints, pattern: Floats,
    cells: tuple[Ints, Ints, float, float, float, int, int],
    search: Search, finds: Floats, base: Floats, items: Floats, ints: Ints, floats: Floats,
    pairs: Floats, missed: Floats, covered: Floats, offsets: Floats,
) -> None:  # fmt: skip
    """Add what each placement says of every device to the sums of its group, in place.

    `pairs` (groups, finds, devices) gets P(find is that device), `missed` (groups, devices) P(the device is there and
    was not found), `covered` the chance that a device there would have been found; `offsets` (states, rows, 3) the
    variance and the mean (east, north) of each row's offset, in units of the prior's sigma.
    """
    for j in range(states.shape[0]):
        g = group[j]
        largest, rows = place_items(states[j], pattern, items)
        edges, _ = list_edges(
            states[j], pattern, cells, search, finds, base, items, ints[0], ints[1], floats[0], largest, False
        )
        total = sum_over_assignments(edges, ints[0], ints[1], floats[0], floats[1], floats[2], floats[3])
        in_rows(total, edges, rows, pattern, search, finds, items, ints, floats, True)
        taken = floats[3]
        for e in range(edges):
            pairs[g, ints[1][e], ints[0][e]] += floats[4][e]
            taken[ints[0][e]] += floats[4][e]
        absences(pattern, search, items, taken, -np.inf)
        offsets[j] = items[: offsets.shape[1], 3:]
        for i in range(pattern.shape[0]):
            q, presence = items[i, 2], pattern[i, 3]
            free = 1.0 - min(taken[i], 1.0)
            missed[g, i] += free * (presence - q) / (1.0 - q)
            covered[g, i] += q / presence if presence > 0.0 else 0.0
            taken[i] = 0.0

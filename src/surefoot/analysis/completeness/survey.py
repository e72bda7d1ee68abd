"""How many devices lie outside the records, from blocks drawn at random and searched in full.

The recommended estimator (methods.md section 4): the draw itself makes it valid, no matter how devices depend
on records. Two answers stand side by side: the Horvitz-Thompson total, which assumes nothing about the ground
but whose interval leans on a few occupied blocks, and a zero-inflated negative-binomial model, which says how
devices cluster in blocks and so stays honest where few blocks hold any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, logsumexp, stdtrit

from surefoot.analysis.accuracy import LEVEL
from surefoot.errors import UsageError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MEAN_MEDIAN, MEAN_LOG_SD = 10.0, 1.5
"""Prior of the mean count of an occupied block: log-normal, 90 % between 0.8 and 118 devices."""

SIZE_RANGE = (0.1, 20.0)
"""Prior of the negative binomial's size: log-uniform; small = very uneven blocks."""

OCCUPANCY_PRIOR = (0.5, 1.5)
"""Beta prior of the share of occupied blocks in a stratum."""

DRAWS = 8000
_MEAN_CELLS, _SIZE_CELLS, _OCCUPANCY_CELLS = 60, 24, 400


@dataclass(frozen=True, eq=False)
class Stratum:
    """One stratum of the ground, divided into blocks of equal size.

    Attributes
    ----------
    blocks : int
        Blocks there are.
    found : int array (n,)
        Devices found in each block that was drawn at random and searched in full, zeros included.
    detection : float or None
        P(a device in a searched block is found); None = not known, then there is no estimate.
    """

    blocks: int
    found: Ints
    detection: float | None


@dataclass(frozen=True, slots=True)
class SurveyTotal:
    """Devices in all strata. Values and intervals are None with a reason (message id) where not known.

    `horvitz_thompson` is the sum of finds over inclusion and detection probabilities, `ht_interval` log-normal
    with as many degrees of freedom as occupied blocks but one; it and `ht_sd` are None where the blocks do not say how
    much blocks differ (reason SF-A076: then read the model's): fewer than two occupied, all alike, or none in a
    stratum. `model_total`, `model_interval` come from the zero-inflated negative binomial.
    """

    horvitz_thompson: float | None
    ht_sd: float | None
    ht_interval: tuple[float, float] | None
    model_total: float | None
    model_interval: tuple[float, float] | None
    blocks_searched: int
    blocks_occupied: int
    found: int
    level: float
    reason: str | None = None


def survey_total(strata: Sequence[Stratum], *, rng: np.random.Generator, level: float = LEVEL) -> SurveyTotal:
    """Estimate how many devices lie in all blocks of all strata.

    Parameters
    ----------
    strata
        The strata; every one needs at least one searched block.
    rng
        For the draws of the model.
    level
        Probability of the intervals.

    Raises
    ------
    UsageError
        SF-A075 counts out of range: no block searched, more searched than there are, a negative find or a
        detection outside its range.

    Notes
    -----
    At detection 1 the Horvitz-Thompson total is exactly the sum over strata of blocks / searched x found.
    Measured coverage: benchmarks/totals.py.
    """
    _check(strata)
    counts = [np.asarray(s.found, dtype=np.float64) for s in strata]
    sizes = (sum(c.size for c in counts), sum(int((c > 0).sum()) for c in counts), int(sum(c.sum() for c in counts)))
    if any(s.detection is None for s in strata):
        return SurveyTotal(None, None, None, None, None, *sizes, level, "SF-A074")
    total, sd = _horvitz_thompson(strata)
    differ = _blocks_differ(strata)
    interval = _log_normal(total, sd, sizes[1] - 1, float(sizes[2]), level) if differ else None
    draws = _model_draws(strata, rng)
    low, middle, high = (float(q) for q in np.quantile(draws, ((1 - level) / 2, 0.5, (1 + level) / 2)))
    reason = "SF-A076" if interval is None else None
    return SurveyTotal(total, sd if differ else None, interval, middle, (low, high), *sizes, level, reason)


def _check(strata: Sequence[Stratum]) -> None:
    if not strata:
        raise UsageError("SF-A075", "0")
    for stratum in strata:
        found = np.asarray(stratum.found)
        usable = 1 <= found.size <= stratum.blocks and np.all(np.isfinite(found)) and np.all(found >= 0)
        if not usable or np.any(found != np.round(found)):
            raise UsageError("SF-A075", f"{found.size} / {stratum.blocks}")
        if stratum.detection is not None and not 0.0 < stratum.detection <= 1.0:
            raise UsageError("SF-A075", f"{stratum.detection}")


def _horvitz_thompson(strata: Sequence[Stratum]) -> tuple[float, float]:
    """Total and standard deviation: between blocks with its finite-population factor, and of detection."""
    total, variance = 0.0, 0.0
    for stratum in strata:
        assert stratum.detection is not None
        found, p, n = np.asarray(stratum.found, dtype=np.float64), stratum.detection, len(stratum.found)
        total += stratum.blocks / n * float(found.sum()) / p
        between = float(np.var(found / p, ddof=1)) if n > 1 else float(found.sum() / p) ** 2
        variance += stratum.blocks**2 * (1.0 - n / stratum.blocks) * between / n
        variance += stratum.blocks / n * float(found.sum()) * (1.0 - p) / p**2
    return total, float(np.sqrt(variance))


def _blocks_differ(strata: Sequence[Stratum]) -> bool:
    """Whether the blocks say how much blocks differ: alike by chance, or empty all, they would say not at all."""
    return all(
        len(s.found) == s.blocks or (len(s.found) == 1 and s.found[0] > 0) or np.ptp(np.asarray(s.found)) > 0.0
        for s in strata
    )


def _log_normal(total: float, sd: float, freedom: int, at_least: float, level: float) -> tuple[float, float] | None:
    """Interval of a total that cannot be below what was found; None where too few blocks speak for it."""
    if sd == 0.0 and total > 0.0:
        return total, total
    if freedom < 1 or not total > 0.0:
        return None
    spread = float(stdtrit(freedom, (1 + level) / 2)) * float(np.sqrt(np.log1p((sd / total) ** 2)))
    return max(total * float(np.exp(-spread)), at_least), max(total * float(np.exp(spread)), at_least)


# --- the model -------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Grid:
    """Means and sizes of occupied blocks (cells,), shares of occupied blocks (occupancies,)."""

    mean: Floats
    size: Floats
    log_prior: Floats
    occupancy: Floats
    log_occupancy_prior: Floats


def _grid() -> _Grid:
    log_mean = np.log(MEAN_MEDIAN) + MEAN_LOG_SD * np.linspace(-3.0, 3.0, _MEAN_CELLS)
    log_size = np.linspace(np.log(SIZE_RANGE[0]), np.log(SIZE_RANGE[1]), _SIZE_CELLS)
    mean, size = (a.ravel() for a in np.meshgrid(np.exp(log_mean), np.exp(log_size), indexing="ij"))
    prior = -0.5 * ((np.log(mean) - np.log(MEAN_MEDIAN)) / MEAN_LOG_SD) ** 2
    # finer towards zero: few blocks hold anything
    share = ((np.arange(_OCCUPANCY_CELLS) + 0.5) / _OCCUPANCY_CELLS) ** 3
    a, b = OCCUPANCY_PRIOR
    log_share = (a - 1) * np.log(share) + (b - 1) * np.log1p(-share) + 2.0 / 3.0 * np.log(share)
    return _Grid(mean, size, prior, share, log_share)


def _model_draws(strata: Sequence[Stratum], rng: np.random.Generator) -> Floats:
    """Draws of the number of devices in all blocks, searched and not."""
    grid = _grid()
    given = [_stratum_log_likelihood(s, grid) for s in strata]
    log_weight = grid.log_prior + sum(logsumexp(g, axis=1) for g in given)
    weight = np.exp(log_weight - logsumexp(log_weight))
    cell = rng.choice(weight.size, size=DRAWS, p=weight / weight.sum())
    total = np.zeros(DRAWS)
    for stratum, log_likelihood in zip(strata, given, strict=True):
        total += _stratum_draws(stratum, grid, log_likelihood, cell, rng)
    return total


def _stratum_log_likelihood(stratum: Stratum, grid: _Grid) -> Floats:
    """Log likelihood of a stratum's finds with the occupancy prior, (cells, occupancies)."""
    found, p = np.asarray(stratum.found, dtype=np.float64), stratum.detection
    assert p is not None
    empty = np.exp(_log_negative_binomial(np.zeros(1), grid.mean * p, grid.size)[:, 0])
    some, repeats = np.unique(found[found > 0], return_counts=True)
    seen = _log_negative_binomial(some, grid.mean * p, grid.size) @ repeats.astype(np.float64)
    share = grid.occupancy
    zeros, positives = float((found == 0).sum()), float((found > 0).sum())
    nothing = np.log1p(-share[None, :] * (1.0 - empty[:, None]))
    return np.asarray(
        zeros * nothing + positives * np.log(share) + seen[:, None] + grid.log_occupancy_prior, dtype=np.float64
    )


def _log_negative_binomial(y: Floats, mean: Floats, size: Floats) -> Floats:
    """Log probability of counts (k,) for each (mean, size), (cells, k)."""
    m, r = mean[:, None], size[:, None]
    choose = gammaln(y + r) - gammaln(r) - gammaln(y + 1.0)
    return np.asarray(choose + r * np.log(r / (r + m)) + y * np.log(m / (r + m)), dtype=np.float64)


def _stratum_draws(
    stratum: Stratum, grid: _Grid, log_likelihood: Floats, cell: Ints, rng: np.random.Generator
) -> Floats:
    """Draws of the devices of one stratum: found, missed in searched blocks, and in blocks never searched."""
    found, p = np.asarray(stratum.found, dtype=np.float64), stratum.detection
    assert p is not None
    cells, back = np.unique(cell, return_inverse=True)
    mass = np.exp(log_likelihood[cells] - logsumexp(log_likelihood[cells], axis=1, keepdims=True))
    # one row of the table per draw: the first occupancy whose cumulated mass passes a uniform number
    running = np.cumsum(mass, axis=1)
    at = (running[back] < rng.random(len(cell))[:, None] * running[back][:, -1:]).sum(axis=1)
    share = grid.occupancy[np.minimum(at, len(grid.occupancy) - 1)]
    mean, size = grid.mean[cell], grid.size[cell]
    rest = _negative_binomial(rng, rng.binomial(stratum.blocks - found.size, share), mean, size)
    empty = np.exp(size * np.log(size / (size + mean * p)))
    occupied = rng.binomial(int((found == 0).sum()), share * empty / (1.0 - share * (1.0 - empty)))
    # given y found in an occupied block, what was missed is negative binomial of size r + y
    failed = mean * (1.0 - p) / (size + mean * p)
    shape = size * (occupied + float((found > 0).sum())) + float(found.sum())
    missed = rng.poisson(rng.gamma(np.maximum(shape, 1e-12)) * failed)
    return np.asarray(found.sum() + missed + rest, dtype=np.float64)


def _negative_binomial(rng: np.random.Generator, blocks: Ints, mean: Floats, size: Floats) -> Floats:
    """Sum over occupied blocks of their devices."""
    return np.asarray(rng.poisson(rng.gamma(np.maximum(size * blocks, 1e-12)) * mean / size), dtype=np.float64)

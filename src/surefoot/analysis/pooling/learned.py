"""Sigmas learned from the records of a series that the ground has corrected: the priors of the next record.

The prior covariance of a record's placement is a sum over sources of error: the landmark's place, bearings, distances,
and what no prior rules (rounding, datum). A series may be better or worse than the defaults at each of the first three:
a factor on each source's sigmas, one for all records of the series. Each record's posterior draws tell how likely any
factors are: importance weights of a normal prior with those sigmas against the Student t prior they were drawn under,
which is wider because there the sigmas are not known. Records without finds tell nothing. The factors' prior is
log-normal about 1, a little wider than what the Student t prior of re-anchoring takes its own sigma to be (inverse
gamma with shape 2: sd of the log about 0.4). Methods.md section 3, partial pooling.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, logsumexp

from surefoot.analysis.accuracy import Interval
from surefoot.analysis.locate import Priors
from surefoot.analysis.reanchor import Hypothesis, Placements

Floats = npt.NDArray[np.float64]
HypothesesUnder = Callable[[Priors], Sequence[Hypothesis]]

SOURCES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "landmark": (
        ("map", "plain_mm_axis"), ("map", "mountain_mm_axis"), ("map", "reading_mm_axis"),
        ("landmark", "stated_m_axis"), ("landmark", "memory_m_axis"),
    ),
    "bearing": (("bearing", "common_sd_deg"), ("bearing", "leg_sd_deg")),
    "distance": (("distance", "common_sd"), ("distance", "leg_sd")),
}  # fmt: skip
"""Which sigmas of ``priors.toml`` a factor stands on."""

LOG_FACTOR_SD = 0.5
FACTORS = np.exp(np.linspace(-1.5, 1.5, 11))
LEVEL = 0.8
DRAWS = 200
_APART = 2.0  # factor at which a source's share of the covariance is read off
_LEAST_SHARE = 1e-3  # of a record's prior variance, below which a source is not there


@dataclass(frozen=True)
class BeforeFinds:
    """What a record might be before any find, over its hypotheses (h,): what a like record, not seen yet, may be.

    `offset` (h, 2) is how far each hypothesis puts the centroid from where the record reads, metres; `covariance` and
    `parts` as in `RecordErrors`.
    """

    weight: Floats
    offset: Floats
    covariance: Floats
    parts: Floats


@dataclass(frozen=True)
class RecordErrors:
    """One corrected record: what its prior is made of, and where its placement came to lie.

    Attributes
    ----------
    weight : float array (h,)
        Posterior probability of each hypothesis.
    covariance : float array (h, 4, 4)
        Prior of (east m, north m, clockwise turn rad, log scale) under each hypothesis.
    parts : float array (h, sources, 4, 4)
        What each source of `SOURCES` adds to it.
    draws : tuple of float arrays (s, 4)
        Posterior draws under each hypothesis.
    degrees_of_freedom
        Of the Student t prior.
    before
        The record before any find.
    """

    weight: Floats
    covariance: Floats
    parts: Floats
    draws: tuple[Floats, ...]
    degrees_of_freedom: float
    before: BeforeFinds


@dataclass(frozen=True)
class LearnedErrors:
    """Factors on a series' sigmas: median and 80 % interval by source, None where no record has that source.

    `grid` (g, sources) and `probability` (g,) are the joint posterior; `priors` are the sections of ``priors.toml`` to
    be laid over the defaults for the next records of the series (empty where its records had different ones).
    """

    scope: str
    records: int
    factor: Mapping[str, Interval | None]
    grid: Floats
    probability: Floats
    priors: Mapping[str, Any]


def record_errors(placed: Placements, priors: Priors, under: HypothesesUnder) -> RecordErrors | None:
    """Return what a corrected record tells about its sources of error; None where nothing bears on its placement.

    Parameters
    ----------
    placed
        The record after re-anchoring.
    priors
        Those it was placed with.
    under
        The record's hypotheses under other priors.
    """
    if not any(p.p_find.sum() > 0.5 for p in placed.placements):
        return None
    wider = [_by_name(under(Priors(scaled(priors.table, {name: _APART})))) for name in SOURCES]
    kept: dict[tuple[str, int], tuple[float, Hypothesis, list[Floats]]] = {}
    for one in placed.placements:
        key = (one.hypothesis.error, one.hypothesis.reading)
        if all(key in table for table in wider):
            weight, hypothesis, draws = kept.get(key, (0.0, one.hypothesis, []))
            share = max(1, round(one.weight * DRAWS))
            kept[key] = (weight + one.weight, hypothesis, [*draws, one.draws[:: max(1, len(one.draws) // share), :4]])
    if not kept:
        return None
    hypotheses = [h for _, h, _ in kept.values()]
    return RecordErrors(
        np.array([w for w, _, _ in kept.values()]), np.array([h.covariance for h in hypotheses]),
        _parts(hypotheses, wider), tuple(np.concatenate(d) for _, _, d in kept.values()),
        float(priors.table["student_t"]["degrees_of_freedom"]), _before(placed, wider),
    )  # fmt: skip


def _parts(hypotheses: Sequence[Hypothesis], wider: Sequence[Mapping[tuple[str, int], Hypothesis]]) -> Floats:
    """What each source adds to the covariance of each hypothesis, (h, sources, 4, 4)."""
    return np.array([
        [(table[h.error, h.reading].covariance - h.covariance) / (_APART**2 - 1.0) for table in wider]
        for h in hypotheses
    ])  # fmt: skip


def _before(placed: Placements, wider: Sequence[Mapping[tuple[str, int], Hypothesis]]) -> BeforeFinds:
    every = [h for h in placed.posterior.prior.hypotheses if all((h.error, h.reading) in table for table in wider)]
    off = np.array([h.centroid for h in every]) - placed.recorded.mean()
    weight = np.array([h.weight for h in every])
    return BeforeFinds(
        weight / weight.sum(), np.column_stack([off.real, off.imag]), np.array([h.covariance for h in every]),
        _parts(every, wider),
    )  # fmt: skip


def _by_name(hypotheses: Sequence[Hypothesis]) -> dict[tuple[str, int], Hypothesis]:
    return {(h.error, h.reading): h for h in hypotheses}


def scaled(table: Mapping[str, Any], factors: Mapping[str, float]) -> dict[str, Any]:
    """Return a table of priors with the sigmas of sources multiplied."""
    result = {name: dict(section) if isinstance(section, Mapping) else section for name, section in table.items()}
    for source, factor in factors.items():
        for section, key in SOURCES[source]:
            value = result[section][key]
            result[section][key] = (
                {k: v * factor for k, v in value.items()} if isinstance(value, Mapping) else value * factor
            )
    return result


def learn(scope: str, errors: Sequence[RecordErrors], priors: Priors | None) -> LearnedErrors:
    """Learn the factors of a series from its corrected records; without any the prior stands.

    `priors` are those the records were placed with; None where they differ from record to record.
    """
    present = _present(errors)
    axes = [FACTORS if there else np.ones(1) for there in present]
    grid = np.array(list(itertools.product(*axes)))
    logs = -0.5 * np.square(np.log(grid) / LOG_FACTOR_SD).sum(axis=1)
    for one in errors:
        logs = logs + _log_likelihood(one, grid)
    probability = np.exp(logs - logsumexp(logs))
    factor = {
        name: _interval(grid[:, n], probability) if present[n] else None for n, name in enumerate(SOURCES)
    }  # fmt: skip
    known = {name: f.value for name, f in factor.items() if f is not None}
    sections = {} if priors is None else _sections(scaled(priors.table, known), known)
    return LearnedErrors(scope, len(errors), factor, grid, probability, sections)


def _present(errors: Sequence[RecordErrors]) -> list[bool]:
    """Whether any record has an error of each source."""
    result = []
    for n in range(len(SOURCES)):
        shares = [np.trace(e.parts[:, n], axis1=1, axis2=2) / np.trace(e.covariance, axis1=1, axis2=2) for e in errors]
        turns = [e.parts[:, n, 2:, 2:].trace(axis1=1, axis2=2) for e in errors]
        result.append(any(s.max() > _LEAST_SHARE or t.max() > 1e-8 for s, t in zip(shares, turns, strict=True)))
    return result


def _log_likelihood(one: RecordErrors, grid: Floats) -> Floats:
    """Log of how much more likely the record's finds are under other factors, (g,)."""
    total = np.zeros(len(grid))
    for weight, covariance, parts, draws in zip(one.weight, one.covariance, one.parts, one.draws, strict=True):
        other = covariance + np.einsum("gs,sij->gij", grid**2 - 1.0, parts)
        ratio = _log_normal(draws, other) - _log_student(draws, covariance, one.degrees_of_freedom)
        total += weight * np.exp(logsumexp(ratio, axis=1)) / len(draws)
    return np.asarray(np.log(np.maximum(total / one.weight.sum(), 1e-300)))


def _log_normal(draws: Floats, covariance: Floats) -> Floats:
    """Log density of draws (s, 4) under normal priors (g, 4, 4), (g, s)."""
    squared, log_det = _whitened(draws, covariance)
    return np.asarray(-log_det[:, None] - 0.5 * squared - 2.0 * np.log(2.0 * np.pi))


def _log_student(draws: Floats, covariance: Floats, degrees_of_freedom: float) -> Floats:
    """Log density of draws (s, 4) under one Student t prior (4, 4), (s,)."""
    (squared,), (log_det,) = _whitened(draws, covariance[None])
    nu = degrees_of_freedom
    constant = gammaln(0.5 * (nu + 4.0)) - gammaln(0.5 * nu) - 2.0 * np.log(nu * np.pi)
    return np.asarray(constant - log_det - 0.5 * (nu + 4.0) * np.log1p(squared / nu))


def _whitened(draws: Floats, covariance: Floats) -> tuple[Floats, Floats]:
    """Squared Mahalanobis lengths (g, s), and half the log determinants (g,)."""
    factor = np.linalg.cholesky(covariance + 1e-12 * np.eye(4))
    white = np.linalg.solve(factor, np.broadcast_to(draws.T, (len(factor), *draws.T.shape)))
    return np.square(white).sum(axis=1), np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)


def _interval(values: Floats, probability: Floats) -> Interval:
    """Median and interval of a factor: quantiles of its marginal, interpolated between the grid's values."""
    points, which = np.unique(values, return_inverse=True)
    mass = np.bincount(which, probability)
    middle = np.cumsum(mass) - 0.5 * mass
    tail = (1.0 - LEVEL) / 2.0
    low, value, high = (float(np.exp(np.interp(p, middle, np.log(points)))) for p in (tail, 0.5, 1.0 - tail))
    return Interval(value, low, high)


def _sections(table: Mapping[str, Any], known: Mapping[str, float]) -> dict[str, Any]:
    result: dict[str, dict[str, Any]] = {}
    for source in known:
        for section, key in SOURCES[source]:
            result.setdefault(section, {})[key] = table[section][key]
    return result


def draws_for_new(
    errors: Sequence[RecordErrors], learned: LearnedErrors, rng: np.random.Generator, count: int = 4000
) -> Floats:
    """Draw where a record not seen yet lies against where it reads, (count, 4).

    It is like one of the records: a hypothesis by its prior weight, gross errors among them, and beside that a normal
    error under the learned factors, which were learned as of normal errors.
    """
    which = rng.integers(0, len(errors), count)
    at = rng.choice(len(learned.grid), count, p=learned.probability)
    before = [e.before for e in errors]
    chosen = np.array([rng.choice(len(before[n].weight), p=before[n].weight) for n in which])
    pairs = list(zip(which.tolist(), chosen.tolist(), strict=True))
    covariance = np.array([before[n].covariance[h] for n, h in pairs])
    parts = np.array([before[n].parts[h] for n, h in pairs])
    covariance = covariance + np.einsum("cs,csij->cij", learned.grid[at] ** 2 - 1.0, parts)
    factor = np.linalg.cholesky(covariance + 1e-12 * np.eye(4))
    drawn = np.einsum("cij,cj->ci", factor, rng.standard_normal((count, 4)))
    drawn[:, :2] += np.array([before[n].offset[h] for n, h in pairs])
    return np.asarray(drawn)

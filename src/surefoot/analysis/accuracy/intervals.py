"""Intervals for shares whose trials come in clusters: a beta-binomial posterior on a grid.

Finds cluster by record, events by place: naive Wilson intervals cover 44 % where 90 % is stated (methods.md
section 3). Here every cluster has its own share, drawn from Beta(mu nu, (1 - mu) nu); the posterior of the
mean mu and the concentration nu is computed on a grid, so one cluster, no success and nothing but successes
are ordinary cases.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.polynomial import Chebyshev
from scipy.special import betainc, betaln, gammaln, logsumexp

from surefoot.errors import UsageError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MU_PRIOR = (1.0, 1.0)
"""Beta prior of the mean share: uniform."""

NU_RANGE = (0.5, 300.0)
NU_PRIOR_POWER = -0.2
"""Prior density of log nu is proportional to nu ** power over `NU_RANGE`."""

_MU_CELLS = 80
_NU_CELLS = 32
_EXACT_CLUSTERS = 256  # above it the sums over clusters come from their Chebyshev series
_CHEBYSHEV_DEGREE = 80
_NEGLIGIBLE = 1e-6  # weight of a grid cell that a prediction may leave out


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its credible interval: `low` <= `value` <= `high`."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class _Posterior:
    """Posterior weights over a grid; edges of the mu cells, centres of the nu cells."""

    edges: Floats
    nu: Floats
    weight: Floats  # (mu cells, nu cells), sums to one

    @property
    def mu(self) -> Floats:
        """Centres of the mu cells."""
        return 0.5 * (self.edges[1:] + self.edges[:-1])


def beta_binomial_interval(successes: Floats, trials: Floats, level: float = 0.9) -> Interval:
    """Estimate a share from clustered trials.

    Parameters
    ----------
    successes, trials : (clusters,)
        Per cluster, 0 <= successes <= trials; expected (non-integer) counts are accepted. Clusters without
        trials are left out.
    level
        Probability of the equal-tailed credible interval.

    Returns
    -------
    Interval
        Median and interval of the mean share over clusters.

    Raises
    ------
    UsageError
        SF-A004 no trials at all, or counts out of range.

    Notes
    -----
    Coverage of the 90 % interval, over 1,000 simulated sets for each of mu = 0.1, 0.25, 0.5, 0.75, 0.9
    and nu = 2, 5, 15, 50 (cluster sizes 3-30): 0.869 to 0.948 with 8 clusters, 0.883 to 0.922 with 25. The
    highest is at nu = 50 with few clusters, where the interval is a little too wide.
    """
    posterior = _posterior(successes, trials)
    low, value, high = _quantiles(posterior, ((1 - level) / 2, 0.5, (1 + level) / 2))
    return Interval(value, low, high)


def beta_binomial_quantiles(successes: Floats, trials: Floats, probabilities: Floats) -> Floats:
    """Return quantiles of the mean share over clusters; arguments as in `beta_binomial_interval`."""
    return np.asarray(
        _quantiles(_posterior(successes, trials), tuple(float(p) for p in probabilities)), dtype=np.float64
    )


def predict_new(successes: Floats, trials: Floats, level: float = 0.9, new_trials: int | None = None) -> Interval:
    """Predict the share of a record that has not been checked yet.

    Parameters
    ----------
    successes, trials : (clusters,)
        As in `beta_binomial_interval`.
    level
        Probability of the interval.
    new_trials
        Predict the observed share among so many trials; None = the record's own true share.
    """
    posterior = _posterior(successes, trials)
    held = posterior.weight > _NEGLIGIBLE
    weight = posterior.weight[held] / posterior.weight[held].sum()
    a = (posterior.mu[:, None] * posterior.nu)[held]
    b = ((1.0 - posterior.mu[:, None]) * posterior.nu)[held]
    wanted = ((1 - level) / 2, 0.5, (1 + level) / 2)
    if new_trials is not None:
        k = np.arange(new_trials + 1.0)
        log_choose = -betaln(k + 1.0, new_trials - k + 1.0) - np.log(new_trials + 1.0)
        mass = np.array(
            [
                np.sum(weight * np.exp(c + betaln(a + j, b + new_trials - j) - betaln(a, b)))
                for j, c in zip(k, log_choose, strict=True)
            ]
        )
        at = np.minimum(np.searchsorted(np.cumsum(mass) / mass.sum(), wanted), new_trials)
        low, value, high = (float(k[i]) / new_trials for i in at)
        return Interval(value, low, high)
    share = np.linspace(0.0, 1.0, 201)
    below = np.array([np.sum(weight * betainc(a, b, s)) for s in share])
    low, value, high = (float(np.interp(p, below, share)) for p in wanted)
    return Interval(value, low, high)


def _posterior(successes: Floats, trials: Floats) -> _Posterior:
    """Compute the posterior of (mu, nu): a coarse grid over everything, then a fine one where the mass is."""
    k, n = np.asarray(successes, dtype=np.float64).ravel(), np.asarray(trials, dtype=np.float64).ravel()
    if k.size != n.size or not (np.all(np.isfinite(k)) and np.all(np.isfinite(n)) and np.all(k >= -1e-9)):
        raise UsageError("SF-A004", f"{k.size} / {n.size}")
    if not np.any(n > 0.0) or np.any(k > n * (1.0 + 1e-9) + 1e-9):
        raise UsageError("SF-A004", f"{k.sum():g} / {n.sum():g}")
    k, n = np.clip(k[n > 0.0], 0.0, n[n > 0.0]), n[n > 0.0]
    coarse = _on_grid(k, n, np.linspace(0.0, 1.0, _MU_CELLS + 1))
    marginal = coarse.weight.sum(axis=1)
    held = np.flatnonzero(marginal > 1e-7 * marginal.max())
    low, high = coarse.edges[max(held[0] - 1, 0)], coarse.edges[min(held[-1] + 2, _MU_CELLS)]
    return _on_grid(k, n, np.linspace(low, high, _MU_CELLS + 1))


def _on_grid(k: Floats, n: Floats, edges: Floats) -> _Posterior:
    mu = 0.5 * (edges[1:] + edges[:-1])
    log_nu = np.linspace(np.log(NU_RANGE[0]), np.log(NU_RANGE[1]), _NU_CELLS)
    nu = np.exp(log_nu)
    a, b = mu[:, None] * nu, (1.0 - mu[:, None]) * nu
    log_prior = (MU_PRIOR[0] - 1.0) * np.log(mu) + (MU_PRIOR[1] - 1.0) * np.log1p(-mu)
    total = log_prior[:, None] + NU_PRIOR_POWER * log_nu - k.size * betaln(a, b)
    # Thousands of clusters of one or two events are a handful of different ones.
    pairs, repeats = np.unique(np.column_stack([k, n - k]).round(9), axis=0, return_counts=True)
    hits, misses = pairs.T
    if len(pairs) <= _EXACT_CLUSTERS:
        total += betaln(a[..., None] + hits, b[..., None] + misses) @ repeats
    else:
        total += _sum_gammaln(a, hits, repeats) + _sum_gammaln(b, misses, repeats)
        total -= gammaln(nu[:, None] + hits + misses) @ repeats
    return _Posterior(edges, nu, np.exp(total - logsumexp(total)))


def _sum_gammaln(at: Floats, counts: Floats, repeats: Ints) -> Floats:
    """Sum over clusters of repeats x gammaln(at + counts), in the shape of `at`.

    A smooth function of one number once the logarithm that is steep near zero is split off: gammaln(z) =
    gammaln(z + 1) - log(z). Its Chebyshev series in log(1 + at) has its nearest singularity pi off the real
    axis, and holds it to about 1e-12 of its size.
    """
    steep = counts < 1.0
    lifted = counts + steep

    def smooth(t: Floats) -> Floats:
        return np.asarray(gammaln(np.expm1(t)[:, None] + lifted) @ repeats, dtype=np.float64)

    series = Chebyshev.interpolate(smooth, _CHEBYSHEV_DEGREE, domain=[0.0, float(np.log1p(at.max()))])
    total = np.asarray(series(np.log1p(at)), dtype=np.float64)
    whole = counts == 0.0
    total -= np.log(at) * repeats[whole].sum()
    rest = np.flatnonzero(steep & ~whole)
    for start in range(0, len(rest), _EXACT_CLUSTERS):
        some = rest[start : start + _EXACT_CLUSTERS]
        total -= np.log(at[..., None] + counts[some]) @ repeats[some]
    return total


def _quantiles(posterior: _Posterior, wanted: tuple[float, ...]) -> tuple[float, ...]:
    below = np.concatenate([[0.0], np.cumsum(posterior.weight.sum(axis=1))])
    return tuple(float(np.interp(p, below / below[-1], posterior.edges)) for p in wanted)

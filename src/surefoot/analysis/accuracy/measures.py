"""What a measure is: an ISO 19157 number with its interval, or the words "not known" with a reason."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefoot.analysis.accuracy.intervals import beta_binomial_interval, beta_binomial_quantiles
from surefoot.terms import Stage

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.generic]

LEVEL = 0.9
BETA_BINOMIAL = "ratio of sums; beta-binomial posterior over clusters, widened to hold the ratio"
_STEPS = 512  # quantiles kept of a posterior


@dataclass(frozen=True, slots=True)
class Measure:
    """One quality measure.

    `value` and `interval` are None together, and then `reason` is a message id (`surefoot.messages`). `n` is
    the number of devices or events behind it (expected, so not always whole), `clusters` the number of
    independent groups. `definition` says in words what was computed.
    """

    id: str
    name: str
    scope: str
    stage: Stage
    value: float | None
    interval: tuple[float, float] | None
    level: float
    unit: str
    n: float
    clusters: int
    method: str
    definition: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """A share of clustered trials: ratio of sums with its interval."""

    value: float
    interval: tuple[float, float]
    numerator: float
    denominator: float
    clusters: int


@dataclass(frozen=True, eq=False)
class SharePosterior:
    """A share of clustered trials for further sums: ratio of sums, and quantiles of its posterior.

    `quantiles` (k,) stand at the middles of k equal steps of probability.
    """

    value: float
    quantiles: Floats

    def at(self, probability: Floats) -> Floats:
        """Return the quantiles at probabilities, by interpolation."""
        steps = (np.arange(self.quantiles.size) + 0.5) / self.quantiles.size
        return np.asarray(np.interp(probability, steps, self.quantiles), dtype=np.float64)


def share_posterior(successes: Floats, trials: Floats, cluster: Labels) -> SharePosterior | None:
    """Return the posterior behind `clustered_share`, None when there are no trials; arguments as there."""
    if not float(np.sum(trials)) > 0.0:
        return None
    k, n = _by_cluster(successes, trials, cluster)
    value = min(max(float(np.sum(successes)) / float(np.sum(trials)), 0.0), 1.0)
    return SharePosterior(value, beta_binomial_quantiles(k, n, (np.arange(_STEPS) + 0.5) / _STEPS))


def _by_cluster(successes: Floats, trials: Floats, cluster: Labels) -> tuple[Floats, Floats]:
    """Successes and trials of each cluster that has trials."""
    _, group = np.unique(cluster, return_inverse=True)
    k = np.asarray(np.bincount(group, weights=successes), dtype=np.float64)
    n = np.maximum(np.asarray(np.bincount(group, weights=trials), dtype=np.float64), k)
    used = n > 0.0
    return k[used], n[used]


def clustered_share(
    successes: Floats, trials: Floats, cluster: Labels, *, level: float = LEVEL, information: float = 1.0
) -> Share | None:
    """Share of trials that succeed, None when there are no trials.

    Parameters
    ----------
    successes, trials : (n,)
        Per unit (a find, an event, a recorded device); expected counts are accepted.
    cluster : (n,)
        Label of the group each unit belongs to; units of one group are not independent.
    level
        Probability of the interval.
    information
        Factor from the trials' sum to an effective number of trials, below 1 where units carry unequal
        weights.

    Notes
    -----
    A group may show more successes than trials where both are expectations; for the interval its trials are
    then raised to its successes. The ratio of sums can lie outside the interval of the mean share when a few
    large groups differ from the others: the interval is widened to hold it.
    """
    denominator = float(np.sum(trials))
    if not denominator > 0.0:
        return None
    k, n = _by_cluster(successes, trials, cluster)
    estimate = beta_binomial_interval(k * information, n * information, level)
    numerator = float(np.sum(successes))
    value = min(max(numerator / denominator, 0.0), 1.0)
    interval = (min(estimate.low, value), max(estimate.high, value))
    return Share(value, interval, numerator, denominator, k.size)


def rate_measure(
    share: Share | None,
    *,
    id_: str,
    name: str,
    scope: str,
    stage: Stage,
    definition: str,
    level: float,
    reason: str,
) -> Measure:
    """Dress a share as a measure; `reason` is used when the share is not known."""
    return Measure(
        id=id_,
        name=name,
        scope=scope,
        stage=stage,
        value=None if share is None else share.value,
        interval=None if share is None else share.interval,
        level=level,
        unit="1",
        n=0.0 if share is None else share.denominator,
        clusters=0 if share is None else share.clusters,
        method=BETA_BINOMIAL,
        definition=definition,
        reason=reason if share is None else None,
    )


def not_known(measure: Measure, reason: str) -> Measure:
    """Return the measure with the words "not known" in place of its value."""
    return Measure(
        measure.id, measure.name, measure.scope, measure.stage, None, None, measure.level, measure.unit,
        measure.n, measure.clusters, measure.method, measure.definition, reason,
    )  # fmt: skip

"""How many devices there are in all, from three or more lists: latent classes, the spread over them shown.

Devices fall into a few classes that nobody sees; within a class the lists are independent, each with its own
chance of holding a device. Posterior by Gibbs sampling (the finite form of Manrique-Vallier 2016, Biometrics
72(4), 1246-1254). Fits that agree with the data alike can differ widely in the total, because a class that no
list reaches leaves no trace: every number of classes is shown, and so is whether the chains agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefoot.analysis.accuracy import LEVEL
from surefoot.analysis.completeness.log_linear import FEWEST_LISTS, Histories
from surefoot.errors import UsageError

Floats = npt.NDArray[np.float64]

CLASSES = (2, 3, 4)
CHAINS = 4
SWEEPS = 6000
AGREE = 1.1
"""Chains agree when the potential scale reduction of log N is below this (Gelman and Rubin 1992)."""

_WARM_UP = 0.25
_MOST_UNSEEN = 1e3  # times the devices seen: where a class no list reaches would run away


@dataclass(frozen=True, slots=True)
class LatentClassModel:
    """The posterior with one number of classes.

    `chains` holds the median of each chain; `agree` says whether they found the same. `deviance` is minus
    twice the mean log likelihood of the counts given the number seen: lower fits better.
    """

    classes: int
    total: float
    interval: tuple[float, float]
    chains: tuple[float, ...]
    scale_reduction: float
    agree: bool
    deviance: float


@dataclass(frozen=True, slots=True)
class LatentClassTotal:
    """All numbers of classes; `spread` runs from the lowest lower to the highest upper bound."""

    models: tuple[LatentClassModel, ...]
    spread: tuple[float, float]
    seen: int
    level: float


def latent_class_total(
    histories: Histories,
    *,
    rng: np.random.Generator,
    classes: Sequence[int] = CLASSES,
    chains: int = CHAINS,
    sweeps: int = SWEEPS,
    level: float = LEVEL,
) -> LatentClassTotal:
    """Sample the total for each number of classes.

    Parameters
    ----------
    histories
        Counts of three lists or more.
    rng
        Source of all randomness.
    classes
        Numbers of classes, each at least 1.
    chains, sweeps
        Chains of each number of classes and their length; the first quarter is thrown away.
    level
        Probability of the intervals.

    Raises
    ------
    UsageError
        SF-A073 fewer than three lists.

    Notes
    -----
    Priors: class shares Dirichlet(1), chances uniform, N proportional to 1 / N; the unseen count is held below
    a thousand times the devices seen.
    """
    if histories.history.shape[1] < FEWEST_LISTS or not histories.count.sum() > 0.0:
        raise UsageError("SF-A073", f"{histories.history.shape[1]}")
    models = tuple(_model(histories, k, stream, chains, sweeps, level) for k, stream in _streams(classes, rng))
    spread = (min(m.interval[0] for m in models), max(m.interval[1] for m in models))
    return LatentClassTotal(models, spread, int(histories.count.sum()), level)


def _streams(classes: Sequence[int], rng: np.random.Generator) -> list[tuple[int, np.random.Generator]]:
    return list(zip(classes, rng.spawn(len(classes)), strict=True))


def _model(
    histories: Histories, classes: int, rng: np.random.Generator, chains: int, sweeps: int, level: float
) -> LatentClassModel:
    runs = [_chain(histories, classes, stream, sweeps) for stream in rng.spawn(chains)]
    totals = np.stack([total for total, _ in runs])
    low, middle, high = (float(q) for q in np.quantile(totals, ((1 - level) / 2, 0.5, (1 + level) / 2)))
    reduction = _scale_reduction(np.log(totals))
    deviance = float(np.mean([deviance for _, deviance in runs]))
    medians = tuple(float(m) for m in np.median(totals, axis=1))
    return LatentClassModel(classes, middle, (low, high), medians, reduction, reduction < AGREE, deviance)


def _scale_reduction(draws: Floats) -> float:
    """Potential scale reduction of chains (c, draws), each split in two."""
    half = draws.shape[1] // 2
    parts = np.concatenate([draws[:, :half], draws[:, -half:]])
    within = float(np.mean(np.var(parts, axis=1, ddof=1)))
    around = float(np.var(parts.mean(axis=1), ddof=1))
    return float(np.sqrt((half - 1) / half + around / within)) if within > 0.0 else 1.0


def _chain(histories: Histories, classes: int, rng: np.random.Generator, sweeps: int) -> tuple[Floats, float]:
    """One chain: the totals after the warm-up, and the mean deviance."""
    used = histories.count > 0
    history = histories.history[used].astype(np.float64)
    count = histories.count[used].astype(np.int64)
    seen = int(count.sum())
    chance = rng.uniform(0.05, 0.95, (classes, history.shape[1]))
    share = rng.dirichlet(np.ones(classes))
    warm = int(sweeps * _WARM_UP)
    totals, deviance = np.empty(sweeps - warm), 0.0
    for sweep in range(sweeps):
        chance = np.clip(chance, 1e-9, 1.0 - 1e-9)
        joint = np.exp(history @ np.log(chance).T + (1.0 - history) @ np.log1p(-chance).T) * share
        none = share * np.prod(1.0 - chance, axis=1)
        hidden = min(float(none.sum()), 1.0 - 1.0 / (1.0 + _MOST_UNSEEN))
        of_seen = rng.multinomial(count, joint / joint.sum(axis=1, keepdims=True))
        unseen = min(int(rng.negative_binomial(seen, 1.0 - hidden)), int(_MOST_UNSEEN * seen))
        members = of_seen.sum(axis=0) + rng.multinomial(unseen, none / none.sum())
        listed = of_seen.T.astype(np.float64) @ history
        chance = rng.beta(1.0 + listed, 1.0 + members[:, None] - listed)
        share = rng.dirichlet(1.0 + members)
        if sweep >= warm:
            totals[sweep - warm] = seen + unseen
            deviance -= 2.0 * float(count @ np.log(joint.sum(axis=1) / (1.0 - hidden)))
    return totals, deviance / max(sweeps - warm, 1)

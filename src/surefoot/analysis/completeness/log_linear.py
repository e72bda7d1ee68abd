"""How many devices there are in all, from three to five lists: every log-linear model, never only the best.

The counts of the capture histories are Poisson; the logarithm of their means is a sum of main effects of the
lists and of interactions. The count of devices on no list is exp(intercept). Every hierarchical model is fitted
(interactions of two lists; of three as well where there are at most four lists) and all of them are shown with
their weights (Burnham and Anderson 2002, exp(-delta AIC / 2)): models that fit alike can differ in the total.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, ndtr, ndtri

from surefoot.analysis.accuracy import LEVEL
from surefoot.errors import UsageError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Term = tuple[int, ...]

FEWEST_LISTS, MOST_LISTS, MOST_LISTS_THREE_WAY = 3, 5, 4
CLOSE = 10.0
"""Models within this many units of AIC of the best count towards the spread."""

MOST_LEFT_OUT = 0.05
"""Weight of models without an estimate from which the others are no answer: the data favour what cannot be computed."""
FEWEST_SHARED = 10
"""Devices on two lists or more, at least: as with two lists."""

_ROUNDS = 60
_SETTLED = 1e-9
_LARGEST_COEFFICIENT = 30.0


@dataclass(frozen=True, slots=True)
class LogLinearModel:
    """One model: its interactions, fit and total. `weight` is its share of the average."""

    interactions: tuple[Term, ...]
    parameters: int
    aic: float
    weight: float
    total: float
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class LogLinearTotal:
    """All models, best AIC first.

    Attributes
    ----------
    models : tuple of LogLinearModel
        Every model that could be fitted.
    not_estimable : int
        Models left out because the counts do not determine them: their likelihood is largest at the edge (an
        interaction of lists that share nothing, or of which one holds the other).
    left_out : float
        Weight these would have in the average.
    average, interval : float, (float, float), None
        Median and interval of the mixture of all models, by weight; None with a reason where `left_out` is above
        `MOST_LEFT_OUT` (SF-A084) or fewer than `FEWEST_SHARED` devices are on two lists or more (SF-A085).
    spread : (float, float)
        Lowest and highest total of the models within `CLOSE` units of AIC.
    independence : float or None
        Total if no list depended on any other, for comparison; often far too low.
    """

    models: tuple[LogLinearModel, ...]
    not_estimable: int
    left_out: float
    average: float | None
    interval: tuple[float, float] | None
    spread: tuple[float, float]
    independence: float | None
    seen: int
    level: float
    reason: str | None = None


@dataclass(frozen=True, eq=False)
class Histories:
    """Counts of capture histories: `history` (h, lists) of 0 and 1, every one but all zeros; `count` (h,)."""

    history: Ints
    count: Floats

    @classmethod
    def of(cls, membership: npt.NDArray[np.integer]) -> Histories:
        """Count the histories of a table with one row per device and one column of 0 and 1 per list.

        Raises
        ------
        UsageError
            SF-A073 other values than 0 and 1, fewer than two lists, or no device; rows of zeros are refused too:
            a device on no list cannot be in the table.
        """
        table = np.asarray(membership, dtype=np.int64)
        if table.ndim != 2 or table.shape[1] < 2 or not np.isin(table, (0, 1)).all() or not len(table):
            raise UsageError("SF-A073", f"{table.shape}")
        if not table.any(axis=1).all():
            raise UsageError("SF-A073", f"{int((~table.any(axis=1)).sum())}")
        lists = table.shape[1]
        code = table @ (1 << np.arange(lists))
        counts = np.bincount(code, minlength=1 << lists)[1:]
        every = (np.arange(1, 1 << lists)[:, None] >> np.arange(lists)) & 1
        return cls(every.astype(np.int64), counts.astype(np.float64))


def log_linear_total(histories: Histories, *, three_way: bool | None = None, level: float = LEVEL) -> LogLinearTotal:
    """Fit every hierarchical log-linear model and average them by AIC.

    Parameters
    ----------
    histories
        Counts of three to five lists.
    three_way
        Whether interactions of three lists are tried; None = with four lists. Never all lists at once.
    level
        Probability of the intervals.

    Raises
    ------
    UsageError
        SF-A073 fewer than three or more than five lists, SF-A086 no model could be fitted.

    Notes
    -----
    The interval of a model is log-normal in the unseen count, with its Poisson variance included.
    """
    lists = histories.history.shape[1]
    if not FEWEST_LISTS <= lists <= MOST_LISTS:
        raise UsageError("SF-A073", f"{lists}")
    largest = 3 if (lists == MOST_LISTS_THREE_WAY if three_way is None else three_way) else 2
    every = [_fit(histories, terms) for terms in _hierarchical(lists, min(largest, lists - 1))]
    if not any(fit.inside for fit in every):
        raise UsageError("SF-A086", f"{lists}")
    shared = float(histories.count[histories.history.sum(axis=1) > 1].sum())
    return _averaged(every, shared, int(histories.count.sum()), level)


def _hierarchical(lists: int, largest: int) -> Iterator[tuple[Term, ...]]:
    """Every set of interactions that holds all the smaller ones inside each of its own."""
    pairs = list(combinations(range(lists), 2))
    for chosen in _subsets(pairs):
        yield chosen
        if largest < 3:
            continue
        able = [t for t in combinations(range(lists), 3) if all(p in chosen for p in combinations(t, 2))]
        for triples in _subsets(able):
            if triples:
                yield (*chosen, *triples)


def _subsets(terms: Sequence[Term]) -> Iterator[tuple[Term, ...]]:
    for size in range(len(terms) + 1):
        yield from combinations(terms, size)


@dataclass(frozen=True, slots=True)
class _Fit:
    terms: tuple[Term, ...]
    parameters: int
    aic: float
    inside: bool  # the likelihood has its maximum inside; else at the edge, and there is no estimate
    log_unseen: float
    log_sd: float  # of the estimate of the mean unseen count


def _fit(histories: Histories, terms: tuple[Term, ...]) -> _Fit:
    """Maximum likelihood by Newton steps."""
    columns = [histories.history[:, list(term)].prod(axis=1) for term in terms]
    design = np.column_stack([np.ones(len(histories.count)), histories.history, *columns]).astype(np.float64)
    beta, inside = _newton(design, histories.count)
    inside = inside and all(float(c @ histories.count) > 0.0 for c in columns)
    eta = np.clip(design @ beta, -_LARGEST_COEFFICIENT, _LARGEST_COEFFICIENT)
    likelihood = float(np.sum(histories.count * eta - np.exp(eta) - gammaln(histories.count + 1.0)))
    k = design.shape[1]
    sd = np.nan
    if inside:
        information = design.T @ (design * np.exp(eta)[:, None])
        sd = float(np.sqrt(np.linalg.inv(information)[0, 0]))
    return _Fit(terms, k, 2.0 * k - 2.0 * likelihood, inside, float(beta[0]), sd)


def _newton(design: Floats, count: Floats) -> tuple[Floats, bool]:
    """Coefficients of a Poisson regression and whether they settled; where they run away the likelihood has by then."""
    eta = np.log(count + 0.5)
    beta = np.zeros(design.shape[1])
    for _ in range(_ROUNDS):
        mean = np.exp(np.clip(eta, -_LARGEST_COEFFICIENT, _LARGEST_COEFFICIENT))
        root = np.sqrt(mean)
        target = root * (eta + (count - mean) / mean)
        updated, _, rank, _ = np.linalg.lstsq(root[:, None] * design, target, rcond=1e-12)
        if rank < design.shape[1] or np.abs(updated).max() > _LARGEST_COEFFICIENT:
            return beta, False
        moved = float(np.abs(updated - beta).max())
        beta, eta = np.asarray(updated, dtype=np.float64), design @ updated
        if moved < _SETTLED * (1.0 + float(np.abs(beta).max())):
            return beta, True
    return beta, False


def _averaged(every: Sequence[_Fit], shared: float, seen: int, level: float) -> LogLinearTotal:
    fits = [f for f in every if f.inside]
    order = np.argsort([f.aic for f in fits], kind="stable")
    ranked = [fits[i] for i in order]
    delta = np.array([f.aic for f in ranked]) - ranked[0].aic
    weight = np.exp(-delta / 2.0)
    # Of models at the edge only how well they fit is known.
    edge = np.exp(np.array([ranked[0].aic - f.aic for f in every if not f.inside]).clip(max=600.0) / 2.0).sum()
    left_out = float(edge / (edge + weight.sum()))
    weight /= weight.sum()
    models = tuple(_model(f, float(w), seen, level) for f, w in zip(ranked, weight, strict=True))
    close = [m.total for m, d in zip(models, delta, strict=True) if d <= CLOSE]
    low, middle, high = (seen + _mixture_quantile(ranked, weight, p) for p in ((1 - level) / 2, 0.5, (1 + level) / 2))
    alone = next((m.total for m in models if not m.interactions), None)
    reason = "SF-A085" if shared < FEWEST_SHARED else "SF-A084" if left_out > MOST_LEFT_OUT else None
    average, interval = (middle, (low, high)) if reason is None else (None, None)
    return LogLinearTotal(
        models,
        len(every) - len(fits),
        left_out,
        average,
        interval,
        (min(close), max(close)),
        alone,
        seen,
        level,
        reason,
    )


def _model(fit: _Fit, weight: float, seen: int, level: float) -> LogLinearModel:
    unseen, spread = float(np.exp(fit.log_unseen)), float(ndtri((1 + level) / 2)) * _log_sd(fit)
    interval = (seen + unseen * float(np.exp(-spread)), seen + unseen * float(np.exp(spread)))
    return LogLinearModel(fit.terms, fit.parameters, fit.aic, weight, seen + unseen, interval)


def _log_sd(fit: _Fit) -> float:
    """Standard deviation of the log of the unseen count: of its mean, and of the count about it."""
    return float(np.sqrt(fit.log_sd**2 + np.log1p(np.exp(-fit.log_unseen))))


def _mixture_quantile(fits: Sequence[_Fit], weight: Floats, probability: float) -> float:
    """Quantile of the unseen count over the models, by bisection on its logarithm."""
    middle, sd = np.array([f.log_unseen for f in fits]), np.array([_log_sd(f) for f in fits])
    low, high = float((middle - 9 * sd).min()), float((middle + 9 * sd).max())
    for _ in range(80):
        at = 0.5 * (low + high)
        below = float(np.sum(weight * ndtr((at - middle) / sd)))
        low, high = (at, high) if below < probability else (low, at)
    return float(np.exp(0.5 * (low + high)))

"""How many devices there are in all, from two lists (recorded, found), as a curve over how the two depend.

With n11 on both lists, n10 recorded only and n01 found only, the devices on neither are
``n00 = psi n10 n01 / n11``, where psi is the odds ratio between being recorded and being found. Two lists say
nothing about psi (methods.md section 4), so the total is given for a range of psi and, with
``log psi ~ N(0, 0.7^2)``, over all of it; one number alone would be a guess about psi.

"Recorded" means devices that records state AND that are there: ``R kappa``, with kappa the correctness. With
``o = (1 - C) / C`` the odds that a device found stands in no record, the total is::

    N = n1+ + n01 + psi (n1+ - n11) o        n1+ = R kappa        (psi = 1: N = R kappa / C)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, ndtri
from scipy.stats import qmc

from surefoot.analysis.accuracy import LEVEL, SharePosterior
from surefoot.errors import UsageError

Floats = npt.NDArray[np.float64]

ODDS_RATIOS = (0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0)
BAND = (0.3, 3.0)
"""The odds ratios for which the integrated interval must hold (issue 3)."""

LOG_ODDS_SD = 0.7
FEWEST_MATCHED = 10.0
"""Fewer devices on both lists than this give no total, only a range."""

_PRIOR = 0.5  # Jeffreys: half a device is added to each count of a sampled share
_LOG2_DRAWS = 12
_STEPS = 1024
_SMALLEST_SHARE = 1e-6


@dataclass(frozen=True, eq=False)
class TwoLists:
    """What is known of devices recorded and devices found; counts may be sums of probabilities.

    Attributes
    ----------
    both : float
        n11, devices found that stand in a record.
    found_only : float
        n01, devices found that stand in none.
    recorded : float
        R, devices that the records state; it includes `both`.
    correctness : SharePosterior or None
        kappa, the share of R that is really there; None = all of it is.
    completeness : SharePosterior or None
        C, the share of devices found that stand in a record, with clustered finds; None = Beta from the
        counts and `design_effect`.
    design_effect : float
        Variance of the counts over that of independent devices, at least 1. Used where there is no posterior.
    linkage_variance : float
        Variance of n11 because the matching is uncertain: the sum of A (1 - A).
    detection_known : bool
        Whether the detection probability of the search is stated; without it correctness means nothing.
    seen : float
        Devices known to exist; no total is below this.
    """

    both: float
    found_only: float
    recorded: float
    correctness: SharePosterior | None = None
    completeness: SharePosterior | None = None
    design_effect: float = 1.0
    linkage_variance: float = 0.0
    detection_known: bool = True
    seen: float = 0.0

    @property
    def real_recorded(self) -> float:
        """n1+ = R kappa, never below n11."""
        kappa = 1.0 if self.correctness is None else self.correctness.value
        return max(self.recorded * kappa, self.both)


@dataclass(frozen=True, slots=True)
class TotalAt:
    """The total for one odds ratio; `total` is None where only a range may be stated."""

    odds_ratio: float
    total: float | None
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class IntegratedTotal:
    """The total over all odds ratios.

    `total` is the value at the prior's median odds ratio, which is 1. `interval` holds the quantiles of the
    prior-weighted total and is widened to the one-sided limits at the ends of `BAND`; `mixture` is the interval
    before it was widened. `reason` is a message id when there is no total.
    """

    total: float | None
    interval: tuple[float, float] | None
    mixture: tuple[float, float] | None
    level: float
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class TwoListTotal:
    """The curve over the odds ratio and the total over all of it."""

    curve: tuple[TotalAt, ...]
    integrated: IntegratedTotal


@dataclass(frozen=True, slots=True)
class ChanceAbove:
    """P(N > threshold): over all odds ratios, and its lowest and highest value within `BAND`."""

    threshold: float
    integrated: float
    lowest: float
    highest: float


def two_list_total(
    lists: TwoLists, *, odds_ratios: Sequence[float] = ODDS_RATIOS, level: float = LEVEL
) -> TwoListTotal:
    """Estimate the total for every odds ratio and over all of them.

    Parameters
    ----------
    lists
        The counts.
    odds_ratios
        Values of psi, all above 0.
    level
        Probability of the intervals.

    Returns
    -------
    TwoListTotal
        With fewer than `FEWEST_MATCHED` devices on both lists the points are None and the intervals remain;
        with less than one, or without detection, the curve is empty too.

    Raises
    ------
    UsageError
        SF-A072 counts or odds ratios out of range.

    Notes
    -----
    4,096 fixed quasi-random points stand for the posterior, so the same counts give the same answer without a
    seed, and the total cannot fall when psi rises. Coverage: benchmarks/totals.py.
    """
    _check(lists, odds_ratios)
    reason = reason_to_refuse(lists)
    if not lists.detection_known or lists.both < 1.0:
        return TwoListTotal((), IntegratedTotal(None, None, None, level, reason))
    draws = _Draws.of(lists)
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    curve = tuple(_at(lists, draws, psi, tails, known=reason is None) for psi in odds_ratios)
    return TwoListTotal(curve, _integrated(lists, draws, tails, level, reason))


def reason_to_refuse(lists: TwoLists) -> str | None:
    """Return the message id of why no total may be stated, None where one may."""
    if not lists.detection_known:
        return "SF-A071"
    return "SF-A070" if lists.both < FEWEST_MATCHED else None


def chance_above(lists: TwoLists, threshold: float) -> ChanceAbove | None:
    """Return P(N > threshold), None where no total may be stated."""
    if reason_to_refuse(lists) is not None:
        return None
    draws = _Draws.of(lists)
    share = [_share_above(draws.total(psi), threshold) for psi in BAND]
    return ChanceAbove(threshold, _share_above(draws.total(draws.psi), threshold), min(share), max(share))


def _share_above(totals: Floats, threshold: float) -> float:
    """Share of draws above a threshold; a finite number of draws never makes it certain."""
    return (float(np.sum(totals > threshold)) + 0.5) / (totals.size + 1.0)


def between(most: TwoListTotal, least: TwoListTotal) -> TwoListTotal:
    """Widen `most` to hold `least`: two ways of matching between which the truth lies.

    The points are those of `most`; where either refuses, there is none.
    """
    integrated = most.integrated
    if most.integrated.total is None or least.integrated.total is None:
        why = most.integrated.reason or least.integrated.reason
        integrated = replace(integrated, total=None, interval=None, mixture=None, reason=why)
        if not most.curve or not least.curve:
            return TwoListTotal((), integrated)
    else:
        integrated = replace(
            integrated,
            interval=_hull(most.integrated.interval, least.integrated.interval),
            mixture=_hull(most.integrated.mixture, least.integrated.mixture),
        )
    known = integrated.total is not None
    curve = tuple(
        TotalAt(
            a.odds_ratio,
            a.total if known else None,
            (min(a.interval[0], b.interval[0]), max(a.interval[1], b.interval[1])),
        )
        for a, b in zip(most.curve, least.curve, strict=True)
    )
    return TwoListTotal(curve, integrated)


def _hull(a: tuple[float, float] | None, b: tuple[float, float] | None) -> tuple[float, float] | None:
    if a is None or b is None:
        return None
    return min(a[0], b[0]), max(a[1], b[1])


def _check(lists: TwoLists, odds_ratios: Sequence[float]) -> None:
    counts = (lists.both, lists.found_only, lists.recorded, lists.linkage_variance, lists.seen)
    good = all(np.isfinite(c) and c >= 0.0 for c in counts) and lists.design_effect >= 1.0
    # a sum of probabilities may pass the count it is part of by rounding
    if not good or (lists.correctness is None and lists.recorded < lists.both * (1 - 1e-9)):
        raise UsageError("SF-A072", f"{lists.both:g}, {lists.found_only:g}, {lists.recorded:g}")
    if not all(np.isfinite(psi) and psi > 0.0 for psi in odds_ratios):
        raise UsageError("SF-A072", f"odds ratio {tuple(odds_ratios)}")


def _point(lists: TwoLists, psi: float) -> float:
    real = lists.real_recorded
    unseen = psi * (real - lists.both) * lists.found_only / lists.both
    return max(real + lists.found_only + unseen, lists.seen)


def _at(lists: TwoLists, draws: _Draws, psi: float, tails: Floats, *, known: bool) -> TotalAt:
    point = _point(lists, psi)
    low, high = (float(q) for q in np.quantile(draws.total(psi), tails))
    return TotalAt(float(psi), point if known else None, (min(low, point), max(high, point)))


def _integrated(lists: TwoLists, draws: _Draws, tails: Floats, level: float, reason: str | None) -> IntegratedTotal:
    if reason is not None:
        return IntegratedTotal(None, None, None, level, reason)
    low, high = (float(q) for q in np.quantile(draws.total(draws.psi), tails))
    point = _point(lists, 1.0)  # the prior's median odds ratio
    # At an end of the band the truth can only leave the interval on one side, so a one-sided limit holds there.
    lowest = float(np.quantile(draws.total(BAND[0]), 1.0 - level))
    highest = float(np.quantile(draws.total(BAND[1]), level))
    return IntegratedTotal(point, (min(low, lowest, point), max(high, highest, point)), (low, high), level)


@dataclass(frozen=True, eq=False)
class _Draws:
    """Quasi-random draws from the posterior, apart from psi."""

    known: Floats  # (d,) devices on either list: n1+ + n01
    per_psi: Floats  # (d,) expected devices on neither list at psi = 1
    noise: Floats  # (d,) standard normal: chance in the number on neither list
    psi: Floats  # (d,) draws of the odds ratio
    design_effect: float
    seen: float

    @classmethod
    def of(cls, lists: TwoLists) -> _Draws:
        u = qmc.Sobol(4, scramble=False).random_base2(_LOG2_DRAWS) + 0.5 / 2**_LOG2_DRAWS
        share = np.clip(_completeness(lists, u[:, 1]), _SMALLEST_SHARE, 1.0)
        kappa = 1.0 if lists.correctness is None else lists.correctness.at(u[:, 0])
        only = np.maximum(lists.recorded * kappa - lists.both, 0.0) * np.ones(len(u))
        known = lists.both + only + lists.found_only
        if lists.correctness is None:  # then R itself is a sample of the devices there are
            only = lists.design_effect * _gamma_quantile(only / lists.design_effect + _PRIOR, ndtri(u[:, 0]))
        psi = np.exp(LOG_ODDS_SD * ndtri(u[:, 3]))
        return cls(known, only * (1.0 - share) / share, ndtri(u[:, 2]), psi, lists.design_effect, lists.seen)

    def total(self, psi: float | Floats) -> Floats:
        """Draws of the total at psi: a gamma variate with the mean and variance of the unseen count."""
        shape = np.maximum(psi * self.per_psi / self.design_effect, 1e-12)
        unseen = self.design_effect * _gamma_quantile(shape, self.noise)
        return np.asarray(np.maximum(self.known + unseen, self.seen), dtype=np.float64)


def _completeness(lists: TwoLists, u: Floats) -> Floats:
    """Draws of C: from the clustered posterior, else a Beta whose size counts dependent devices once."""
    if lists.completeness is not None:
        return lists.completeness.at(u)
    found = lists.both + lists.found_only
    share = (lists.both + _PRIOR) / (found + 2 * _PRIOR)
    effect = lists.design_effect + lists.linkage_variance / max(found * share * (1.0 - share), 1e-9)
    a, b = lists.both / effect + _PRIOR, lists.found_only / effect + _PRIOR
    steps = (np.arange(_STEPS) + 0.5) / _STEPS
    return SharePosterior(share, np.asarray(betaincinv(a, b, steps), dtype=np.float64)).at(u)


def _gamma_quantile(shape: Floats, z: Floats) -> Floats:
    """Quantiles of gamma variates by Wilson and Hilferty's cube, which rises with the shape for z < 5.6."""
    root = 1.0 - 1.0 / (9.0 * shape) + z / (3.0 * np.sqrt(shape))
    return np.asarray(shape * np.maximum(root, 0.0) ** 3, dtype=np.float64)

"""How complete and how correct the records are on verified ground (ISO 19157 measures 7, 3 and 4)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from surefoot.analysis.accuracy.measures import (
    LEVEL,
    Measure,
    Share,
    SharePosterior,
    clustered_share,
    rate_measure,
    share_posterior,
)
from surefoot.analysis.matching import Association
from surefoot.terms import Stage

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.generic]


def completeness(
    association: Association,
    on_verified: Booleans,
    cluster: Labels,
    weights: Floats | None = None,
    *,
    level: float = LEVEL,
) -> Share | None:
    """Share of the devices found on verified ground that belong to a record: 1 - omission.

    Parameters
    ----------
    association
        Association probabilities of the m finds.
    on_verified : (m,)
        Finds made on verified ground within its search.
    cluster : (m,)
        Finds that are not independent: of one searched polygon, block or field. Not the record, since a find
        of no record has none.
    weights : (m,)
        1 / propensity of the find's ground to be searched, where known.
    level
        Probability of the interval.

    Returns
    -------
    Share or None
        None when no device was found on verified ground.
    """
    return _recorded_share(association.recorded, on_verified, cluster, weights, level)


def _recorded_share(
    success: Floats, on_verified: Booleans, cluster: Labels, weights: Floats | None, level: float
) -> Share | None:
    used = np.asarray(on_verified, dtype=np.bool_)
    weight = np.ones(success.size) if weights is None else np.asarray(weights, dtype=np.float64)
    weight = weight[used]
    if not weight.sum() > 0.0:
        return None
    information = float(weight.sum() / np.sum(weight**2))
    return clustered_share(
        success[used] * weight, weight, np.asarray(cluster)[used], level=level, information=information
    )


def missing_items(
    association: Association,
    on_verified: Booleans,
    cluster: Labels,
    weights: Floats | None = None,
    *,
    scope: str = "all",
    stage: Stage = Stage.AS_RECORDED,
    level: float = LEVEL,
) -> Measure:
    """Rate of missing items (measure 7): 1 - completeness, arguments as there."""
    return rate_measure(
        _recorded_share(association.unrecorded, on_verified, cluster, weights, level),
        id_="iso19157:7",
        name="rate of missing items",
        scope=scope,
        stage=stage,
        level=level,
        reason="SF-A010",
        definition=(
            "Devices found on verified ground that match no record, as a share of all devices found there; "
            "sums of association probabilities"
            + ("" if weights is None else ", each find weighted by 1 / propensity of its ground to be searched")
            + "."
        ),
    )


def correctness(
    association: Association,
    find_on_verified: Booleans,
    item_verified_weight: Floats,
    item_removed: Floats | float = 0.0,
    *,
    find_before: Floats | None = None,
    item_used: Booleans | None = None,
    level: float = LEVEL,
) -> Share | None:
    """Share of the recorded devices on verified ground that were really there: 1 - commission.

    Parameters
    ----------
    association
        Association probabilities.
    find_on_verified : (m,)
        Finds made on verified ground within its search.
    item_verified_weight : (n,)
        v_i = P(item i lies on verified ground) times the detection probability there.
    item_removed
        P(item i was removed before the search, as the record notes), scalar or (n,), before looking at what was
        found.
    find_before : (m,)
        Detection of the verified ground on which the event took a device away before the search (an earlier
        search's find, an accident), 0 for every other event; None = no such event.
    item_used : (n,)
        Items in scope (a series); None = all.
    level
        Probability of the interval; the record is the cluster.

    Returns
    -------
    Share or None
        None when less than one recorded device is expected to have been findable there.
    """
    n = association.item_record.size
    used = np.ones(n, dtype=np.bool_) if item_used is None else np.asarray(item_used, dtype=np.bool_)
    found = association.per_item(np.asarray(find_on_verified, dtype=np.float64))
    trials = _findable(association, item_verified_weight, item_removed, find_before)
    if not np.sum(trials[used]) >= 1.0:
        return None
    return clustered_share(found[used], trials[used], association.item_record[used], level=level)


def correctness_posterior(
    association: Association,
    find_on_verified: Booleans,
    item_verified_weight: Floats,
    item_removed: Floats | float = 0.0,
    *,
    find_before: Floats | None = None,
) -> SharePosterior | None:
    """Return the posterior behind `correctness`, arguments as there."""
    trials = _findable(association, item_verified_weight, item_removed, find_before)
    if not np.sum(trials) >= 1.0:
        return None
    found = association.per_item(np.asarray(find_on_verified, dtype=np.float64))
    return share_posterior(found, trials, association.item_record)


def checked_by_record(
    association: Association,
    find_on_verified: Booleans,
    item_verified_weight: Floats,
    item_removed: Floats | float = 0.0,
    *,
    find_before: Floats | None = None,
    records: int,
) -> tuple[Floats, Floats]:
    """Devices of each record that were found, and that a search would have found if the record is right, (records,).

    Expected counts; arguments as in `correctness`, `records` is their number.
    """
    trials = _findable(association, item_verified_weight, item_removed, find_before)
    found = association.per_item(np.asarray(find_on_verified, dtype=np.float64))
    of = association.item_record
    confirmed, checked = (np.bincount(of, weights=values, minlength=records) for values in (found, trials))
    return np.asarray(confirmed, dtype=np.float64), np.asarray(checked, dtype=np.float64)


def _findable(
    association: Association, item_verified_weight: Floats, item_removed: Floats | float, find_before: Floats | None
) -> Floats:
    """P(the search of the verified ground finds the item, if the record is right), (n,)."""
    n = association.item_record.size
    trials = np.asarray(item_verified_weight) * (1.0 - np.broadcast_to(np.asarray(item_removed, dtype=float), (n,)))
    if find_before is not None:
        # Taken off record by record: where one device was taken away, another's place was no longer searched for it.
        trials = _less_by_record(trials, association.per_item(np.asarray(find_before)), association.item_record)
    return np.asarray(trials, dtype=np.float64)


def _less_by_record(trials: Floats, gone: Floats, record: npt.NDArray[np.int64]) -> Floats:
    """Take what is gone off the trials of each record, in proportion and never below zero."""
    had, took = (np.bincount(record, weights=values) for values in (trials, gone))
    left = np.maximum(had - took, 0.0) / np.maximum(had, 1e-300)
    return np.asarray(trials * left[record], dtype=np.float64)


def excess_items(
    association: Association,
    find_on_verified: Booleans,
    item_verified_weight: Floats,
    item_removed: Floats | float = 0.0,
    *,
    find_before: Floats | None = None,
    item_used: Booleans | None = None,
    scope: str = "all",
    stage: Stage = Stage.AS_RECORDED,
    level: float = LEVEL,
) -> Measure:
    """Rate of excess items (measure 3): 1 - correctness, arguments as there."""
    share = correctness(
        association, find_on_verified, item_verified_weight, item_removed, find_before=find_before,
        item_used=item_used, level=level,
    )  # fmt: skip
    flipped = None if share is None else Share(
        1.0 - share.value,
        (1.0 - share.interval[1], 1.0 - share.interval[0]),
        share.denominator - share.numerator,
        share.denominator,
        share.clusters,
    )  # fmt: skip
    return rate_measure(
        flipped,
        id_="iso19157:3",
        name="rate of excess items",
        scope=scope,
        stage=stage,
        level=level,
        reason="SF-A011",
        definition=(
            "Recorded devices on verified ground that match no find, as a share of the recorded devices "
            "expected to be found there; detection, removals noted on the record and devices that an accident or "
            "an earlier search took away there are taken out, other removals are not. One record is one cluster."
        ),
    )


def duplicate_instances(
    extra: int, checked: int, *, scope: str = "all", stage: Stage = Stage.AS_RECORDED, level: float = LEVEL
) -> Measure:
    """Number of duplicate instances (measure 4).

    Parameters
    ----------
    extra
        Records or symbols proposed as repeating another one (all but one of every group).
    checked
        Number that was looked at.

    Notes
    -----
    The interval is the number that would be proposed in a like collection of the same size: the share's
    posterior interval (uniform prior, units independent) times `checked`, widened to hold the count.
    """
    known = checked > 0
    spread = (0.0, 0.0)
    if known:
        tails = np.array([(1 - level) / 2, (1 + level) / 2])
        low, high = checked * betaincinv(extra + 1.0, checked - extra + 1.0, tails)
        spread = (float(min(low, extra)), float(max(high, extra)))
    return Measure(
        id="iso19157:4",
        name="number of duplicate instances",
        scope=scope,
        stage=stage,
        value=float(extra) if known else None,
        interval=spread if known else None,
        level=level,
        unit="1",
        n=float(checked),
        clusters=checked,
        method="count of proposals",
        definition="Records or symbols proposed as repeating another one; a person decides.",
        reason=None if known else "SF-A012",
    )

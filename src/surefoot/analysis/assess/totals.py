"""The number of all devices, recorded or not, from what an assessment matched on verified ground."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefoot.analysis.accuracy import LEVEL, correctness_posterior, share_posterior
from surefoot.analysis.claims import Figure
from surefoot.analysis.completeness import (
    FindsNeeded,
    Implication,
    IntegratedTotal,
    TotalTested,
    TwoLists,
    TwoListTotal,
    between,
    finds_needed,
    implications,
    totals_tested,
    two_list_total,
)
from surefoot.analysis.matching import Association
from surefoot.model import Claim
from surefoot.terms import Stage

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Totals:
    """The total of the case and what published figures imply.

    `lists` holds the counts under each way of matching (the most that can be matched first); empty when there
    is nothing to count. `clusters` is the number of pieces of verified ground with finds.
    """

    total: TwoListTotal
    lists: tuple[TwoLists, ...]
    clusters: int
    stage: Stage
    implied: tuple[Implication, ...]
    tested: tuple[TotalTested, ...]
    needed: FindsNeeded


def totals_of(
    associations: Sequence[Association], verified_of: Ints, find_cluster: Ints, item_verified: Floats,
    item_removed: Floats, find_before: Floats, seen: int, claims: Sequence[Claim], *,
    stage: Stage = Stage.AS_RECORDED,
) -> Totals:  # fmt: skip
    """Estimate the total under every way of matching and let the interval hold them all.

    Parameters
    ----------
    associations
        Ways of matching, the most that can be matched first.
    verified_of, find_cluster : (m,)
        Verified polygon of each find (-1 = none) and its piece of ground.
    item_verified : (n,)
        P(the item lies on verified ground) times the detection there.
    item_removed : (n,)
        P(the item was removed as its record notes); the total counts what lay there after that.
    find_before : (m,)
        Detection of the verified ground on which an earlier search's find took a device away, else 0.
    seen
        Devices found, on verified ground or not.
    claims
        Published figures.
    """
    on = verified_of >= 0
    lists, reason = _lists(associations, on, find_cluster, item_verified, item_removed, find_before, float(seen))
    if reason is not None:
        total = TwoListTotal((), IntegratedTotal(None, None, None, LEVEL, reason))
    else:
        total = two_list_total(lists[0])
        for other in lists[1:]:
            total = between(total, two_list_total(other))
    clusters = int(np.unique(find_cluster[on]).size)
    tested = totals_tested(claims, lists)
    return Totals(total, lists, clusters, stage, implications(claims), tested, finds_needed())


def _lists(
    associations: Sequence[Association], on: npt.NDArray[np.bool_], find_cluster: Ints, item_verified: Floats,
    item_removed: Floats, find_before: Floats, seen: float,
) -> tuple[tuple[TwoLists, ...], str | None]:  # fmt: skip
    """Counts under each way of matching, or none and why."""
    if not on.any():
        return (), "SF-A010"
    made = []
    for one in associations:
        correctness = correctness_posterior(one, on, item_verified, item_removed, find_before=find_before)
        if correctness is None:
            return (), "SF-A011"
        completeness = share_posterior(one.recorded[on], np.ones(int(on.sum())), find_cluster[on])
        both = float(one.recorded[on].sum())
        made.append(
            TwoLists(
                both=both,
                found_only=float(one.unrecorded[on].sum()),
                recorded=max(float(np.sum(1.0 - item_removed)), both),
                correctness=correctness,
                completeness=completeness,
                seen=seen,
            )
        )
    return tuple(made), None


def total_figure(totals: Totals) -> Figure:
    """Return the total as a figure that a claim may mean."""
    whole = totals.total.integrated
    return Figure("total", whole.total, whole.interval, whole.reason)

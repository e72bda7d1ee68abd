"""What published figures imply together, under each meaning they could have. No side is right or wrong here.

Whatever a speaker meant, R devices on the maps, a share kappa of them really there and a share C of all devices
on the maps fix the number in all: ``N = R kappa / C``. Published figures give some of the four; every way to
read them gives another N, or another C that they need. The sums take the figures as if they spoke of the same
ground at the same time, which their speakers may not have said.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import product

from scipy.special import ndtri

from surefoot.analysis.accuracy import LEVEL
from surefoot.analysis.completeness.two_lists import ChanceAbove, TwoLists, chance_above, reason_to_refuse
from surefoot.errors import UsageError
from surefoot.model import Claim
from surefoot.terms import Bound

HALF_WIDTH = 0.05
DESIGN_EFFECTS = (1.0, 2.0, 4.0)
MOST_ROWS = 40
_UPWARD, _DOWNWARD = frozenset({Bound.MORE_THAN, Bound.AT_LEAST}), frozenset({Bound.LESS_THAN})
_SHARE_UNITS = ("%", "share", "1")


class ReadAs(StrEnum):
    """What a published figure is taken to mean in one sum."""

    RECORDED = "recorded"
    TOTAL = "total"
    CORRECTNESS = "correctness"
    COMPLETENESS = "completeness"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Part:
    """A published figure as it enters one sum; shares from 0 to 1, `outside` as the share outside."""

    claim_id: str
    speaker: str
    read_as: ReadAs
    value: float
    bound: Bound


@dataclass(frozen=True, slots=True)
class Implication:
    """What follows from some published figures under one meaning of each.

    Attributes
    ----------
    parts
        The figures used.
    every_recorded_is_real
        Whether kappa = 1 was assumed, because no figure states it.
    quantity
        ``total`` (N follows) or ``completeness`` (the C that is needed).
    value
        N, or C from 0 upwards; a C above 1 cannot be: the figures contradict each other in this meaning.
    bound
        Which way the figures bound it; None where they pull both ways, then `value` holds for the figures as
        stated and nothing beyond.
    possible
        False where a share above 1 would be needed.
    """

    parts: tuple[Part, ...]
    every_recorded_is_real: bool
    quantity: str
    value: float
    bound: Bound | None
    possible: bool


@dataclass(frozen=True, slots=True)
class FindsNeeded:
    """Finds on verified ground that fix C to within `half_width`, with the stated probability."""

    half_width: float
    level: float
    by_design_effect: tuple[tuple[float, int], ...]


@dataclass(frozen=True, slots=True)
class TotalTested:
    """P(N > a published total | data); `recorded_claim` is "" for the records of the case, else whose R."""

    claim_id: str
    recorded_claim: str
    recorded: float
    chance: ChanceAbove | None
    reason: str | None


def implied_total(recorded: float, correctness: float, completeness: float) -> float:
    """N = R kappa / C.

    Raises
    ------
    UsageError
        SF-A077 a share outside its range or a negative count.
    """
    if not (recorded >= 0.0 and 0.0 <= correctness <= 1.0 and 0.0 < completeness <= 1.0):
        raise UsageError("SF-A077", f"{recorded:g}, {correctness:g}, {completeness:g}")
    return recorded * correctness / completeness


def needed_completeness(recorded: float, correctness: float, total: float) -> float:
    """C = R kappa / N: N is above `total` exactly when C is below this.

    Raises
    ------
    UsageError
        SF-A077 as in `implied_total`.
    """
    if not (recorded >= 0.0 and 0.0 <= correctness <= 1.0 and total > 0.0):
        raise UsageError("SF-A077", f"{recorded:g}, {correctness:g}, {total:g}")
    return recorded * correctness / total


def finds_needed(
    half_width: float = HALF_WIDTH,
    *,
    share: float = 0.5,
    level: float = LEVEL,
    design_effects: Sequence[float] = DESIGN_EFFECTS,
) -> FindsNeeded:
    """Return how many finds fix a share to within plus or minus `half_width`.

    Parameters
    ----------
    half_width
        Half the width of the interval, as a share.
    share
        The share expected; 0.5 needs the most.
    level
        Probability of the interval.
    design_effects
        Finds lie in clusters: so many times more are needed.

    Raises
    ------
    UsageError
        SF-A077 a share outside its range.
    """
    if not (0.0 < half_width < 1.0 and 0.0 <= share <= 1.0):
        raise UsageError("SF-A077", f"{half_width:g}, {share:g}")
    independent = float(ndtri((1.0 + level) / 2.0)) ** 2 * share * (1.0 - share) / half_width**2
    return FindsNeeded(half_width, level, tuple((e, math.ceil(e * independent - 1e-9)) for e in design_effects))


def implications(claims: Sequence[Claim]) -> tuple[Implication, ...]:
    """Return what the confirmed published figures imply together, at most `MOST_ROWS` sums.

    Parameters
    ----------
    claims
        Figures of any measure; those nobody confirmed are not used.
    """
    rows: list[Implication] = []
    for recorded in _parts(claims, ReadAs.RECORDED):
        for total, correct in product(_parts(claims, ReadAs.TOTAL), _correctness(claims)):
            rows.append(_needed(recorded, total, correct))
        for share, correct in product(_completeness(claims), _correctness(claims)):
            if correct is None or correct.claim_id != share.claim_id:
                rows.append(_total(recorded, share, correct))
    return tuple(rows[:MOST_ROWS])


def totals_tested(claims: Sequence[Claim], ways: Sequence[TwoLists]) -> tuple[TotalTested, ...]:
    """Compare published totals with the data: with the records of the case, and with each published R.

    Parameters
    ----------
    claims
        Figures of any measure; those nobody confirmed are not used.
    ways
        The data under one or more ways of matching, the leading one first; the lowest and highest chance are
        over all of them. With a published R the shares on the case's verified ground are taken to hold for all
        of it.
    """
    published = [None, *_parts(claims, ReadAs.RECORDED)]
    return tuple(_tested(total, recorded, ways) for total in _parts(claims, ReadAs.TOTAL) for recorded in published)


def _tested(total: Part, published: Part | None, ways: Sequence[TwoLists]) -> TotalTested:
    name = "" if published is None else published.claim_id
    used = [w if published is None else replace(w, recorded=max(published.value, w.both), seen=0.0) for w in ways]
    recorded = used[0].recorded if used else 0.0
    reason = "SF-A078" if not used else next((r for w in used if (r := reason_to_refuse(w)) is not None), None)
    if reason is not None:
        return TotalTested(total.claim_id, name, recorded, None, reason)
    chances = [c for w in used if (c := chance_above(w, total.value)) is not None]
    low, high = min(c.lowest for c in chances), max(c.highest for c in chances)
    return TotalTested(total.claim_id, name, recorded, replace(chances[0], lowest=low, highest=high), None)


def _of(claims: Sequence[Claim], measures: Sequence[str]) -> list[Claim]:
    return [c for c in claims if c.confirmed_by and c.measure in measures and math.isfinite(c.value) and c.value > 0]


def _parts(claims: Sequence[Claim], read_as: ReadAs) -> Iterator[Part]:
    measure = {
        ReadAs.RECORDED: ("recorded_total",),
        ReadAs.TOTAL: ("total",),
        ReadAs.CORRECTNESS: ("unspecified", "accuracy", "correctness"),
        ReadAs.COMPLETENESS: ("unspecified", "accuracy", "completeness", "inside"),
        ReadAs.OUTSIDE: ("outside", "D1", "D2", "D3", "D4"),
    }[read_as]
    counted = read_as in (ReadAs.RECORDED, ReadAs.TOTAL)
    for claim in _of(claims, measure):
        if counted == (claim.unit in _SHARE_UNITS):
            continue
        value = claim.value / 100.0 if claim.unit == "%" else claim.value
        if counted or value <= 1.0:
            yield Part(claim.id, claim.speaker, read_as, value, claim.bound)


def _correctness(claims: Sequence[Claim]) -> list[Part | None]:
    return [None, *_parts(claims, ReadAs.CORRECTNESS)]


def _completeness(claims: Sequence[Claim]) -> list[Part]:
    outside = [p for p in _parts(claims, ReadAs.OUTSIDE) if p.value < 1.0]
    return [*_parts(claims, ReadAs.COMPLETENESS), *outside]


def _needed(recorded: Part, total: Part, correct: Part | None) -> Implication:
    kappa = 1.0 if correct is None else correct.value
    value = needed_completeness(recorded.value, kappa, total.value)
    bound = _combined([_sign(recorded), -_sign(total), _sign(correct)], [recorded, total, correct])
    return Implication(_present(recorded, correct, total), correct is None, "completeness", value, bound, value <= 1.0)


def _total(recorded: Part, share: Part, correct: Part | None) -> Implication:
    kappa = 1.0 if correct is None else correct.value
    is_outside = share.read_as is ReadAs.OUTSIDE
    value = implied_total(recorded.value, kappa, 1.0 - share.value if is_outside else share.value)
    bound = _combined(
        [_sign(recorded), _sign(share) if is_outside else -_sign(share), _sign(correct)], [recorded, share, correct]
    )
    return Implication(_present(recorded, correct, share), correct is None, "total", value, bound, True)


def _present(*parts: Part | None) -> tuple[Part, ...]:
    return tuple(part for part in parts if part is not None)


def _sign(part: Part | None) -> int:
    """Whether the figure may be larger (1), smaller (-1) or is as stated (0)."""
    if part is None:
        return 0
    return 1 if part.bound in _UPWARD else -1 if part.bound in _DOWNWARD else 0


def _combined(signs: Sequence[int], parts: Sequence[Part | None]) -> Bound | None:
    """Which way the result is bounded; None where the figures pull both ways."""
    if 1 in signs and -1 in signs:
        return None
    if 1 in signs:
        return Bound.MORE_THAN
    if -1 in signs:
        return Bound.LESS_THAN
    about = any(part is not None and part.bound is Bound.ABOUT for part in parts)
    return Bound.ABOUT if about else Bound.EXACTLY

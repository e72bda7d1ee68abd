"""A public figure against every measure it could mean. Code never calls a party right or wrong.

A claim says rarely what it measures; each possible meaning is compared on its own and the meanings are never
merged into one verdict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from surefoot.model import Claim
from surefoot.terms import Bound, Verdict

ABOUT_TOLERANCE = 0.10  # "about 40 %" is met by 36 to 44 %


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure the data give, with its interval; `reason` is a message id when it is not known."""

    measure: str
    value: float | None
    interval: tuple[float, float] | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimReading:
    """One possible meaning of a claim, compared with the data. `reason` is a message id."""

    measure: str
    value: float | None
    interval: tuple[float, float] | None
    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True)
class CheckedClaim:
    """A claim with all its possible meanings."""

    claim: Claim
    stated: float
    readings: tuple[ClaimReading, ...]


# What a claim's measure may mean, as ids of figures. "unspecified" figures about maps are the ones most in dispute.
MEANINGS: Mapping[str, tuple[str, ...]] = {
    "unspecified": (
        "correctness", "completeness", "share_of_forms_located", "share_within_25_m", "share_within_100_m", "inside_D1",
    ),
    "accuracy": ("correctness", "completeness", "share_within_25_m", "share_within_100_m"),
    "outside": ("D1", "D1_as_known_on_the_day", "D2", "D3", "D4"),
    "inside": ("inside_D1", "completeness"),
    "recorded_total": ("recorded_total",),
    "total": ("total",),
    "records_handed_over": ("records",),
    "victims": ("victims",),
    "killed": ("killed",),
    "injured": ("injured",),
    "accidents": ("accidents",),
}  # fmt: skip


def meanings_of(claim: Claim, figures: Mapping[str, Figure]) -> tuple[str, ...]:
    """Return the measures a claim could mean; a measure named directly means itself."""
    if claim.measure in MEANINGS:
        if claim.measure == "unspecified" and claim.unit not in ("%", "share", "1"):
            return ()
        return MEANINGS[claim.measure]
    return (claim.measure,) if claim.measure in figures else ()


def check_claims(claims: Sequence[Claim], figures: Mapping[str, Figure]) -> tuple[CheckedClaim, ...]:
    """Compare each confirmed claim with every measure it could mean.

    Parameters
    ----------
    claims
        Claims; those nobody confirmed are returned with a single reading "cannot be tested".
    figures
        Figure id -> figure, shares as numbers from 0 to 1. ``D1`` stands for every buffer: ``D1@25`` and so on.
    """
    return tuple(_checked(claim, figures) for claim in claims)


def _checked(claim: Claim, figures: Mapping[str, Figure]) -> CheckedClaim:
    stated = claim.value / 100.0 if claim.unit == "%" else claim.value
    if not claim.confirmed_by:
        reading = ClaimReading(claim.measure, None, None, Verdict.CANNOT_BE_TESTED, "SF-C001")
        return CheckedClaim(claim, stated, (reading,))
    names = [name for meaning in meanings_of(claim, figures) for name in _expanded(meaning, figures)]
    if not names:
        reading = ClaimReading(claim.measure, None, None, Verdict.CANNOT_BE_TESTED, "SF-C002")
        return CheckedClaim(claim, stated, (reading,))
    return CheckedClaim(claim, stated, tuple(_compared(claim, stated, figures, name) for name in names))


def _expanded(meaning: str, figures: Mapping[str, Figure]) -> list[str]:
    """A share outside the maps exists once for every buffer."""
    return [name for name in figures if name.startswith(f"{meaning}@")] or [meaning]


def _compared(claim: Claim, stated: float, figures: Mapping[str, Figure], name: str) -> ClaimReading:
    figure = figures.get(name)
    if figure is None or figure.value is None or figure.interval is None:
        reason = figure.reason if figure is not None and figure.reason else "SF-C003"
        return ClaimReading(name, None, None, Verdict.CANNOT_BE_TESTED, reason)
    consistent = is_consistent(stated, claim.bound, figure.interval)
    return ClaimReading(
        name, figure.value, figure.interval,
        Verdict.CONSISTENT if consistent else Verdict.NOT_CONSISTENT,
        "SF-C004" if consistent else "SF-C005",
    )  # fmt: skip


def is_consistent(stated: float, bound: Bound, interval: tuple[float, float]) -> bool:
    """Whether some value inside the interval satisfies the claim."""
    low, high = interval
    if bound is Bound.AT_LEAST:
        return high >= stated
    if bound is Bound.MORE_THAN:
        return high > stated
    if bound is Bound.LESS_THAN:
        return low < stated
    slack = ABOUT_TOLERANCE * abs(stated) if bound is Bound.ABOUT else 0.0
    return low - slack <= stated <= high + slack

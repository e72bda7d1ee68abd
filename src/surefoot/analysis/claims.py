"""A public figure against every measure it could mean. Code never calls a party right or wrong.

A claim says rarely what it measures; each possible meaning is compared on its own and the meanings are never
merged into one verdict.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from surefoot.model import NO_VALUES, Claim, Dates, Period
from surefoot.terms import Bound, Verdict

ABOUT_TOLERANCE = 0.10  # "about 40 %" is met by 36 to 44 %


class Kind(StrEnum):
    """What a figure counts; only figures of one kind can be compared."""

    SHARE = "share"
    COUNT = "count"
    METRES = "m"
    OTHER = "other"  # a rate, an area, a span of time: no figure here is one


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure the data give, with its interval; `reason` is a message id, with `values`, when it is not known."""

    measure: str
    value: float | None
    interval: tuple[float, float] | None
    reason: str | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    days: tuple[dt.date, dt.date] | None = None  # the days it was limited to by a claim's period


@dataclass(frozen=True, slots=True)
class ClaimReading:
    """One possible meaning of a claim, compared with the data. `reason` is a message id, with its `values`."""

    measure: str
    value: float | None
    interval: tuple[float, float] | None
    verdict: Verdict
    reason: str
    values: Mapping[str, object] = field(default_factory=dict)
    days: tuple[dt.date, dt.date] | None = None  # of the data compared, where the claim's period limits them


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


SHARE_UNITS = frozenset({"%", "share", "1"})
_SHARES = frozenset({"D1", "D1_as_known_on_the_day", "D2", "D3", "D4", "correctness", "completeness", "inside_D1"})
_ISO_KINDS = {"3": Kind.SHARE, "7": Kind.SHARE, "31": Kind.SHARE, "4": Kind.COUNT,
              "44": Kind.METRES, "45": Kind.METRES, "47": Kind.METRES, "49": Kind.METRES}  # fmt: skip
_OTHER_UNIT = re.compile(
    r"\bper\b|/|\bpoints?\b|пункт|^(?:k?m|ha|hectares?|км|га|к?м)[²2]?\b(?<!^m)|^(?:days?|months?|years?|лет|год\w*|дн\w+)\b"
    r"|\bв (?:день|сутки|неделю|месяц|год)\b|^pp$"
)
_WITHIN = re.compile(r"share_within_\d+_m")
_COUNTS = frozenset({"recorded_total", "total", "records", "victims", "killed", "injured", "accidents"})
TESTABLE = (
    *MEANINGS, "D1", "D1_as_known_on_the_day", "D2", "D3", "D4", "inside_D1", "correctness", "completeness",
    "share_of_forms_located", "share_within_25_m", "share_within_100_m",
    *(f"iso19157:{number}" for number in sorted(_ISO_KINDS, key=int)),
)  # fmt: skip


def kind_of(measure: str) -> Kind | None:
    """Return what a measure or figure counts; None where the name leaves it open or is not known."""
    name = measure.partition("@")[0]
    if name in MEANINGS and MEANINGS[name] != (name,):
        kinds = {kind_of(meaning) for meaning in MEANINGS[name]}
        return kinds.pop() if len(kinds) == 1 and name != "unspecified" else None
    if name in _SHARES or name == "share_of_forms_located" or _WITHIN.fullmatch(name):
        return Kind.SHARE
    if name in _COUNTS:
        return Kind.COUNT
    return _ISO_KINDS.get(name.removeprefix("iso19157:")) if name.startswith("iso19157:") else None


def kind_of_unit(unit: str) -> Kind | None:
    """Return what a unit counts; None where none is stated. A word that is no other unit counts things."""
    if not unit:
        return None
    if _OTHER_UNIT.search(unit.casefold()):
        return Kind.OTHER
    return Kind.SHARE if unit in SHARE_UNITS else Kind.METRES if unit == "m" else Kind.COUNT


def meanings_of(claim: Claim, figures: Mapping[str, Figure]) -> tuple[str, ...]:
    """Return the figures a claim could mean: a measure named directly means itself, at every buffer it has."""
    if claim.measure == "unspecified" and claim.unit not in SHARE_UNITS:
        return ()
    meanings = MEANINGS.get(claim.measure, (claim.measure,))
    names = [name for meaning in meanings for name in _expanded(meaning, figures)]
    known = claim.measure in MEANINGS or ("@" not in claim.measure and kind_of(claim.measure) is not None)
    return tuple(name for name in names if known or name in figures)


Within = Callable[[Period], Mapping[str, Figure]]


def check_claims(
    claims: Sequence[Claim], figures: Mapping[str, Figure], within: Within | None = None
) -> tuple[CheckedClaim, ...]:
    """Compare each confirmed claim with every measure it could mean.

    Parameters
    ----------
    claims
        Claims; those nobody confirmed are returned with a single reading "cannot be tested".
    figures
        Figure id -> figure, shares as numbers from 0 to 1. ``D1`` stands for every buffer: ``D1@25`` and so on.
    within
        Gives the same figures for a period; without it a claim that states a period cannot be tested.
    """
    return tuple(_checked(claim, figures, within) for claim in claims)


def _checked(claim: Claim, figures: Mapping[str, Figure], within: Within | None) -> CheckedClaim:
    stated = claim.value / 100.0 if claim.unit == "%" else claim.value
    if not claim.confirmed_by:
        return CheckedClaim(claim, stated, (_untested(claim.measure, "SF-C001"),))
    names = meanings_of(claim, figures)
    if not names:
        return CheckedClaim(claim, stated, (_without_meaning(claim, figures),))
    limited = bool(claim.period) and claim.days != Period(None, None)
    if limited and (claim.days is None or within is None):
        reason = "SF-C063" if claim.days is None else "SF-C068"
        return CheckedClaim(claim, stated, tuple(_unfit_unit(claim, n) or _unlimited(claim, n, reason) for n in names))
    if limited and claim.days is not None and within is not None:
        figures = within(claim.days)
    return CheckedClaim(claim, stated, tuple(_compared(claim, stated, figures, name) for name in names))


def _unlimited(claim: Claim, name: str, reason: str) -> ClaimReading:
    return _untested(name, reason, {"period": claim.period, "days": "?"})


def _untested(measure: str, reason: str, values: Mapping[str, object] = NO_VALUES) -> ClaimReading:
    return ClaimReading(measure, None, None, Verdict.CANNOT_BE_TESTED, reason, values)


def _without_meaning(claim: Claim, figures: Mapping[str, Figure]) -> ClaimReading:
    if claim.measure == "unspecified":
        return _untested(claim.measure, "SF-C002")
    at_buffers = [name for name in figures if name.partition("@")[0] == claim.measure.partition("@")[0]]
    known = ", ".join(at_buffers or TESTABLE)
    return _untested(claim.measure, "SF-C060", {"measure": claim.measure, "known": known})


def _expanded(meaning: str, figures: Mapping[str, Figure]) -> list[str]:
    """A share outside the maps exists once for every buffer."""
    return [name for name in figures if name.startswith(f"{meaning}@")] or [meaning]


def _compared(claim: Claim, stated: float, figures: Mapping[str, Figure], name: str) -> ClaimReading:
    unfit = _unfit_unit(claim, name)
    if unfit is not None:
        return unfit
    figure = figures.get(name)
    if figure is None or figure.value is None or figure.interval is None:
        if figure is not None and figure.reason:
            return _untested(name, figure.reason, {"period": claim.period, **figure.values})
        return _untested(name, "SF-C003")
    consistent = is_consistent(stated, claim.bound, figure.interval)
    verdict = Verdict.CONSISTENT if consistent else Verdict.NOT_CONSISTENT
    if figure.days is None:
        return ClaimReading(name, figure.value, figure.interval, verdict, "SF-C004" if consistent else "SF-C005")
    told = {"period": claim.period, "first": figure.days[0], "last": figure.days[1]}
    reason = "SF-C066" if consistent else "SF-C067"
    return ClaimReading(name, figure.value, figure.interval, verdict, reason, told, figure.days)


def _unfit_unit(claim: Claim, name: str) -> ClaimReading | None:
    """Return why a claim's unit cannot be that of a figure: 55 devices are no share, 55 % are no number of them."""
    wanted, stated = kind_of(name), kind_of_unit(claim.unit)
    if stated is None:
        bare = wanted is Kind.COUNT or wanted is None  # a number without a unit counts things
        return None if bare else _untested(name, "SF-C062", {"wanted": _asked_unit(wanted)})
    if wanted is None or stated is wanted:
        return None
    return _untested(name, "SF-C061", {"unit": claim.unit, "wanted": _asked_unit(wanted)})


def _asked_unit(kind: Kind | None) -> str:
    return {Kind.SHARE: "%", Kind.METRES: "m"}.get(kind or Kind.COUNT, "devices, persons, records ...")


def names_another_place(claim: Claim, case_name: str) -> bool:
    """Whether a claim states a place that the case's name does not hold: whether the case covers it is not known."""
    return bool(claim.place) and claim.place.casefold() not in case_name.casefold()


def holds(period: Period, dates: Dates) -> npt.NDArray[np.bool_]:
    """Return which days lie in a period; NaT does not."""
    inside = ~np.isnat(dates)
    if period.first is not None:
        inside &= dates >= np.datetime64(period.first, "D")
    if period.last is not None:
        inside &= dates <= np.datetime64(period.last, "D")
    return np.asarray(inside, dtype=bool)


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

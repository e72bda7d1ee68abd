"""Claims against figures: like with like, every meaning, and no verdict where there can be none."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from surefoot.analysis.claims import MEANINGS, TESTABLE, CheckedClaim, Figure, check_claims, is_consistent, kind_of
from surefoot.messages import render
from surefoot.model import Claim
from surefoot.terms import Bound, Verdict

FIGURES: Mapping[str, Figure] = {
    "D1@0": Figure("D1@0", 0.7, (0.6, 0.8)),
    "D1@25": Figure("D1@25", 0.5, (0.4, 0.58)),
    "inside_D1@0": Figure("inside_D1@0", 0.3, (0.2, 0.4)),
    "D4": Figure("D4", 0.1, (0.05, 0.2)),
    "completeness": Figure("completeness", 0.9, (0.8, 0.95)),
    "iso19157:7": Figure("iso19157:7", 0.1, (0.05, 0.2)),
    "iso19157:47": Figure("iso19157:47", 12.0, (10.0, 15.0)),
    "killed": Figure("killed", 14.0, (14.0, 14.0)),
    "total": Figure("total", None, None, "SF-A078"),
}


def claim(measure: str, value: float, unit: str, bound: Bound = Bound.ABOUT, confirmed: str = "x") -> Claim:
    return Claim("c", "S", None, "", "", "", measure, value, bound, unit, confirmed_by=confirmed)


def check(one: Claim, figures: Mapping[str, Figure] = FIGURES) -> CheckedClaim:
    (checked,) = check_claims([one], figures)
    for reading in checked.readings:
        for lang in ("en", "ru"):
            assert render(reading.reason, reading.values, lang=lang).reason
    return checked


def verdicts(one: Claim) -> dict[str, tuple[Verdict, str]]:
    return {r.measure: (r.verdict, r.reason) for r in check(one).readings}


def test_per_cent_and_share_are_the_same_figure() -> None:
    for value, unit in ((55.0, "%"), (0.55, "share"), (0.55, "1")):
        checked = check(claim("D1", value, unit, Bound.MORE_THAN))
        assert checked.stated == pytest.approx(0.55)
        assert {r.measure: r.verdict for r in checked.readings} == {
            "D1@0": Verdict.CONSISTENT, "D1@25": Verdict.CONSISTENT,
        }  # fmt: skip


@pytest.mark.parametrize(
    ("measure", "value", "unit", "names"),
    [
        ("D1", 70, "%", {"D1@0", "D1@25"}),
        ("D4", 10, "%", {"D4"}),
        ("iso19157:7", 10, "%", {"iso19157:7"}),
        ("iso19157:47", 12, "m", {"iso19157:47"}),
        ("completeness", 90, "%", {"completeness"}),
        ("D1@25", 50, "%", {"D1@25"}),
    ],
)
def test_a_figure_can_be_named_directly(measure: str, value: float, unit: str, names: set[str]) -> None:
    told = verdicts(claim(measure, value, unit))
    assert set(told) == names
    assert all(verdict is not Verdict.CANNOT_BE_TESTED for verdict, _ in told.values())


@pytest.mark.parametrize(
    ("measure", "value", "unit", "reason"),
    [
        ("D1", 55, "devices", "SF-C061"),
        ("killed", 55, "%", "SF-C061"),
        ("killed", 14, "persons per year", "SF-C061"),
        ("D4", 5, "percentage points", "SF-C061"),
        ("iso19157:47", 12, "%", "SF-C061"),
        ("D4", 1, "", "SF-C062"),
        ("beauty", 1, "%", "SF-C060"),
        ("D1@30", 50, "%", "SF-C060"),
        ("share_of_everything", 50, "%", "SF-C060"),
        ("unspecified", 50, "devices", "SF-C002"),
        ("correctness", 50, "%", "SF-C003"),
        ("total", 50, "devices", "SF-A078"),
    ],
)
def test_what_cannot_be_compared_gets_no_verdict(measure: str, value: float, unit: str, reason: str) -> None:
    told = verdicts(claim(measure, value, unit))
    assert set(told.values()) == {(Verdict.CANNOT_BE_TESTED, reason)}


def test_an_unknown_measure_is_told_the_known_ones() -> None:
    (reading,) = check(claim("beauty", 1, "%")).readings
    told = render(reading.reason, reading.values).reason
    assert "beauty" in told
    assert all(name in told for name in ("outside", "D2", "iso19157:7", "completeness"))
    (reading,) = check(claim("D1@30", 50, "%")).readings
    assert "D1@0, D1@25" in render(reading.reason, reading.values).reason


def test_every_testable_name_has_a_kind_or_is_open() -> None:
    assert {name for name in TESTABLE if kind_of(name) is None} == {"unspecified"}
    assert set(MEANINGS) <= set(TESTABLE)


def test_an_unconfirmed_claim_is_never_compared() -> None:
    assert verdicts(claim("D1", 70, "%", confirmed="")) == {"D1": (Verdict.CANNOT_BE_TESTED, "SF-C001")}


@pytest.mark.parametrize(
    ("bound", "stated", "holds"),
    [(Bound.MORE_THAN, 0.8, False), (Bound.AT_LEAST, 0.8, True), (Bound.LESS_THAN, 0.6, False),
     (Bound.EXACTLY, 0.6, True), (Bound.ABOUT, 0.56, True), (Bound.ABOUT, 0.5, False)],
)  # fmt: skip
def test_bounds_at_the_ends_of_the_interval(bound: Bound, stated: float, holds: bool) -> None:
    assert is_consistent(stated, bound, (0.6, 0.8)) is holds

"""Claims against figures: like with like, every meaning, and no verdict where there can be none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import pytest

from surefoot.analysis.assess import assess
from surefoot.analysis.claims import MEANINGS, TESTABLE, CheckedClaim, Figure, check_claims, is_consistent, kind_of
from surefoot.messages import render
from surefoot.model import Claim, Period
from surefoot.readers import read_case_folder
from surefoot.terms import Bound, Verdict
from surefoot.writers.describe import describe
from surefoot.writers.report_tables import claim_columns
from surefoot.writers.words import Words

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


# --- periods ---------------------------------------------------------------------------------------------

CASE = """name = "periods"
bbox = [46.8, 39.9, 47.1, 40.1]
as_of = 2024-01-01
"""
RECORD = """record_id: R
family: formulyar
laid: "07.1993"
crs: WGS84
points: [{id: "1", position: "39.99 46.93"}, {id: "2", position: "39.99 46.94"}]
rows: [{no: "1", from: "1", to: "2", mines: {ПМН: "20"}}]
"""
ACCIDENTS = """id,longitude,latitude,sigma_m,date,killed,injured
A1,46.932,39.99,3,2010-03-01,1,2
A2,46.934,39.99,3,2015-03-01,1,2
A3,46.936,39.99,3,2021-03-01,0,1
A4,46.950,39.99,3,2022-03-01,0,1
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Mapping[str, tuple[str, float | None, str]]]:
    """Claim id -> measure -> (verdict, value, reason) of a case with accidents from 2010 to 2022."""
    folder = tmp_path_factory.mktemp("periods")
    (folder / "records").mkdir()
    (folder / "case.toml").write_text(CASE, encoding="utf-8")
    (folder / "records" / "r.yaml").write_text(RECORD, encoding="utf-8")
    (folder / "accidents.csv").write_text(ACCIDENTS, encoding="utf-8")
    entries = [
        ("all", "victims", "8", ""), ("since", "victims", "2", "since 2020"), ("long", "victims", "8", "since 2005"),
        ("vague", "victims", "8", "recently"), ("none", "accidents", "0", "in 2012"), ("empty", "D1", "5 %", "in 2012"),
        ("whole", "victims", "8", "2010-2023"),
        ("share", "D1", "50 %", "since 2020"), ("deep", "D2", "50 %", "since 2020"), ("laid", "records", "1", "1993"),
        ("other", "records", "1", "1995"),
    ]  # fmt: skip
    lines = [
        f"- {{id: {i}, speaker: S, measure: {m}, value: '{v}', period: '{p}', bound: exactly, confirmed_by: x}}"
        for i, m, v, p in entries
    ]
    (folder / "claims.yaml").write_text("\n".join(lines), encoding="utf-8")
    assessment = assess(read_case_folder(folder), reanchoring=False)
    document = describe(assessment, version="test").document
    for lang in ("en", "ru"):
        describe(assessment, version="test", lang=lang)
    limited = {c["claim_id"] for c in document["claims"] if any(r["days"] for r in c["readings"])}
    assert limited == {"since", "share", "none"}
    ((_, views),) = claim_columns(document, Words("en"))
    assert any("2021-03-01" in reading[4] for view in views for reading in view.readings)
    return {
        checked.claim.id: {r.measure: (r.verdict.value, r.value, r.reason) for r in checked.readings}
        for checked in assessment.claims
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("id_", "measure", "verdict", "value", "reason"),
    [
        ("all", "victims", "consistent", 8, "SF-C004"),
        ("whole", "victims", "consistent", 8, "SF-C004"),
        ("since", "victims", "consistent", 2, "SF-C066"),
        ("long", "victims", "cannot be tested", None, "SF-C065"),
        ("none", "accidents", "consistent", 0, "SF-C066"),
        ("empty", "D1@0", "cannot be tested", None, "SF-C065"),
        ("vague", "victims", "cannot be tested", None, "SF-C063"),
        ("share", "D1@0", "consistent", 0.5, "SF-C066"),
        ("deep", "D2@0", "cannot be tested", None, "SF-C010"),
        ("laid", "records", "consistent", 1, "SF-C004"),
        ("other", "records", "cannot be tested", None, "SF-C065"),
    ],
)
def test_a_claim_is_held_against_the_data_of_its_period(
    told: Mapping[str, Mapping[str, tuple[str, float | None, str]]],
    id_: str, measure: str, verdict: str, value: float | None, reason: str,
) -> None:  # fmt: skip
    found = told[id_][measure]
    assert (found[0], found[2]) == (verdict, reason)
    assert found[1] == (None if value is None else pytest.approx(value))


def test_without_figures_for_a_period_there_is_no_verdict() -> None:
    days = Period(dt.date(2020, 1, 1), None)
    one = Claim("c", "S", None, "", "", "", "killed", 14.0, Bound.EXACTLY, "", "since 2020", "", "x", days)
    assert {r.reason for r in check(one).readings} == {"SF-C068"}


@pytest.mark.parametrize(
    ("place", "elsewhere"),
    [("Fizuli", True), ("", False), ("rivertown", False)],
    ids=["another place", "no place", "the case's own"],
)
def test_a_verdict_about_a_place_says_so_where_the_name_of_the_case_does_not_hold_it(
    place: str, elsewhere: bool, tmp_path: Path
) -> None:
    (tmp_path / "case.toml").write_text('name = "Rivertown sector 3"\nbbox = [46.9, 39.9, 47.0, 40.0]\n', "utf-8")
    (tmp_path / "accidents.csv").write_text("id,longitude,latitude,date,killed\na,46.95,39.95,2021-05-01,2\n", "utf-8")
    stated = f"- {{id: c, speaker: S, measure: killed, value: 2, bound: exactly, place: '{place}', confirmed_by: x}}\n"
    (tmp_path / "claims.yaml").write_text(stated, "utf-8")
    document = describe(assess(read_case_folder(tmp_path)), version="x").document
    (told,) = document["claims"]
    (reading,) = told["readings"]
    assert reading["verdict"] == "consistent"
    assert ("speaks of Fizuli" in reading["reason"]) == elsewhere
    ((_, (view,)),) = claim_columns(document, Words("en"))
    assert view.place == place
    assert bool(view.place_note) == elsewhere

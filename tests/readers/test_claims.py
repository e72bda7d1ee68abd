"""Claims: what can be tested, what is only listed, what is set aside."""

from __future__ import annotations

import datetime as dt
import json
from importlib.resources import as_file, files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import InputError
from surefoot.messages import render
from surefoot.model import Period, Where
from surefoot.readers.claim_figures import measure_name, read_figure
from surefoot.readers.claims import read_claims
from surefoot.readers.periods import read_period
from surefoot.terms import Bound, Severity


def write(folder: Path, text: str) -> Path:
    path = folder / "claims.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_claim_is_read_as_stated(tmp_path: Path) -> None:
    text = """
- {id: c1, speaker: A, date: 30.04.2021, text: t, subject: s, measure: D1, value: 55 %, bound: more than,
   unit: share, period: recent, place: north, confirmed_by: officer 7}
"""
    result = read_claims(write(tmp_path, text))
    (claim,) = result.claims
    assert claim.value == pytest.approx(0.55)
    assert (claim.bound, claim.measure, claim.date) == (Bound.MORE_THAN, "D1", dt.date(2021, 4, 30))
    assert claim.confirmed_by == "officer 7"
    assert not result.doubts


@pytest.mark.parametrize(
    ("entry", "id_"),
    [
        ("{id: a, value: 5}", "SF-R171"),
        ("{id: a, speaker: S}", "SF-R171"),
        ("{id: a, speaker: S, value: many}", "SF-R172"),
        ("{id: a, speaker: S, value: '2,005'}", "SF-R172"),
        ("{id: a, speaker: S, value: 5, bound: surely}", "SF-R173"),
        ("just text", "SF-R170"),
    ],
)
def test_unusable_claim_is_set_aside_and_the_rest_goes_on(tmp_path: Path, entry: str, id_: str) -> None:
    result = read_claims(write(tmp_path, f"- {entry}\n- {{id: b, speaker: S, value: 1, confirmed_by: x}}\n"))
    assert [s.id for s in result.set_aside] == [id_]
    assert [c.id for c in result.claims] == ["b"]
    assert (result.count.rows_in, result.count.accepted, result.count.set_aside) == (2, 1, 1)


@pytest.mark.parametrize(("unit", "value", "of"), [("share", 0.55, "share"), ("'%'", 55, "%"), ("''", 55, "%")])
def test_per_cent_keeps_its_unit(tmp_path: Path, unit: str, value: float, of: str) -> None:
    (claim,) = read_claims(write(tmp_path, f"- {{id: a, speaker: S, value: 55 %, unit: {unit}}}\n")).claims
    assert claim.value == pytest.approx(value)
    assert claim.unit == of


def test_unconfirmed_claim_is_kept_and_said_so(tmp_path: Path) -> None:
    result = read_claims(write(tmp_path, "- {id: a, speaker: S, value: '1,000,000'}\n"))
    assert result.claims[0].confirmed_by == ""
    assert result.claims[0].value == 1_000_000
    assert result.claims[0].measure == "unspecified"
    assert [d.id for d in result.doubts] == ["SF-R174"]


def test_same_id_twice_gets_a_number(tmp_path: Path) -> None:
    text = "- {id: a, speaker: S, value: 1, confirmed_by: x}\n- {id: a, speaker: S, value: 2, confirmed_by: x}\n"
    result = read_claims(write(tmp_path, text))
    assert [c.id for c in result.claims] == ["a", "a-2"]
    assert [d.id for d in result.doubts] == ["SF-R175"]
    assert result.count.accepted_with_doubts == 1


@pytest.mark.parametrize("text", ["a: [", "just a sentence", "{a: 1}"])
def test_file_that_is_no_list_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError) as caught:
        read_claims(write(tmp_path, text))
    assert caught.value.id == "SF-R170"


def test_the_first_statement_ships_whole_and_unconfirmed() -> None:
    with as_file(files("surefoot").joinpath("data", "claims_first_statement.yaml")) as path:
        result = read_claims(path)
    values = {c.id: c.value for c in result.claims}
    assert not result.set_aside
    assert len(values) == 11
    assert values["mines-on-maps"] == 400_000
    assert values["explosions-outside"] == pytest.approx(0.55)
    assert values["victims-killed"] / values["victims"] == pytest.approx(0.190, abs=5e-4)
    assert not any(c.confirmed_by for c in result.claims)


# --- figures ---------------------------------------------------------------------------------------------


def one(folder: Path, measure: str, value: str, unit: str) -> tuple[float, str, list[str]]:
    entry = json.dumps(
        {"id": "a", "speaker": "S", "measure": measure, "value": value, "unit": unit, "confirmed_by": "x"}
    )
    result = read_claims(write(folder, f"- {entry}\n"))
    for told in (*result.doubts, *result.set_aside):
        for lang in ("en", "ru"):
            assert render(told.id, told.values, found=told.found, lang=lang).reason
    if result.set_aside:
        return float("nan"), result.set_aside[0].id, []
    (claim,) = result.claims
    return claim.value, claim.unit, [d.id for d in result.doubts if d.severity is not Severity.INFO]


@pytest.mark.parametrize(
    "unit",
    ["%", "%%", "percent", "per cent", "Per-cent", "pct", "pct.", "процентов", "процента", "проц.", "posto",
     "відсотків", "% of explosions", "процентов взрывов", "percent of all accidents"],
)  # fmt: skip
def test_a_unit_is_read_by_its_meaning(tmp_path: Path, unit: str) -> None:
    assert one(tmp_path, "outside", "55", unit) == (55, "%", [])
    assert one(tmp_path, "unspecified", "55", unit) == (55, "%", [])


@pytest.mark.parametrize(
    ("measure", "value", "unit", "read", "canonical", "doubts"),
    [
        ("outside", "55", "", 55, "%", ["SF-R212"]),
        ("D2", "0,55", "", 0.55, "share", ["SF-R212"]),
        ("outside", "1", "", 1, "", []),  # all of them, or one in a hundred
        ("outside", "0.25", "%", 0.25, "%", ["SF-R213"]),
        ("outside", "550", "‰", 55, "%", []),
        ("outside", "0.55", "доля", 0.55, "share", []),
        ("outside", "55 %", "devices", 55, "%", ["SF-R211"]),
        ("unspecified", "5", "percentage points", 5, "percentage points", []),
        ("recorded_total", "400,000", "devices", 400_000, "devices", ["SF-R214"]),
        ("unspecified", "400,000", "", 400_000, "", ["SF-R214"]),
        ("recorded_total", "400.000", "mines", 400_000, "mines", ["SF-R214"]),
        ("recorded_total", "400 000", "", 400_000, "", []),
        ("recorded_total", "400\u00a0000 мин", "", 400_000, "мин", []),
        ("total", "1'000'000", "", 1_000_000, "", []),
        ("total", "1,5 million", "", 1_500_000, "", []),
        ("total", "1.5 млн", "devices", 1_500_000, "devices", []),
        ("total", "2 thousand", "", 2000, "", []),
        ("total", "400", "тыс. мин", 400_000, "мин", []),
        ("killed", "2,005", "persons", 2005, "persons", ["SF-R214"]),
        ("outside", "55,125", "%", 55.125, "%", []),
        ("completeness", "0,550", "share", 0.55, "share", []),
    ],
)
def test_a_figure_is_read_as_people_write_it(
    tmp_path: Path, measure: str, value: str, unit: str, read: float, canonical: str, doubts: list[str]
) -> None:
    assert one(tmp_path, measure, value, unit) == (pytest.approx(read), canonical, doubts)


@pytest.mark.parametrize(
    ("measure", "value", "unit", "id_"),
    [
        ("outside", "155", "%", "SF-R210"),
        ("outside", "-5", "percent", "SF-R210"),
        ("outside", "155", "", "SF-R210"),
        ("unspecified", "1.2", "share", "SF-R210"),
        ("outside", "55", "share", "SF-R210"),
        ("killed", "-1", "", "SF-R210"),
        ("total", "400,5", "devices", "SF-R210"),
        ("total", "1,250 thousand", "", "SF-R172"),  # a thousand more or less
        ("total", "2 thousand", "million", "SF-R172"),
        ("total", "400,000,5", "", "SF-R172"),
        ("total", "12 15", "", "SF-R172"),
        ("total", "40-50", "", "SF-R172"),
        ("total", "1e999", "", "SF-R172"),
    ],
)
def test_a_figure_that_cannot_be_is_set_aside(tmp_path: Path, measure: str, value: str, unit: str, id_: str) -> None:
    assert one(tmp_path, measure, value, unit)[1] == id_


@pytest.mark.parametrize(
    ("written", "name"),
    [("d1", "D1"), ("D1@25 m", "D1@25"), ("d3 @ 0 x3", "D3@0x3"), ("ISO 19157:7", "iso19157:7"),
     ("iso 19157:2013 measure 47", "iso19157:47"), ("Completeness", "completeness"), ("missing items", "iso19157:7"),
     ("вне карт", "outside"), ("погибшие", "killed"), ("-", "unspecified"), ("beauty", "beauty")],
)  # fmt: skip
def test_a_measure_is_read_under_its_own_name(written: str, name: str) -> None:
    assert measure_name(written) == name


@given(st.integers(0, 10**9))
def test_a_whole_number_reads_back_from_every_grouping(number: int) -> None:
    for mark in (",", ".", " ", "\u00a0", "'"):
        written = f"{number:,}".replace(",", mark)
        assert read_figure("total", written, "devices", Where("claims.yaml")).value == number


# --- periods ---------------------------------------------------------------------------------------------

SPOKEN = dt.date(2024, 9, 1)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("since 2020", "2020-01-01", "2024-09-01"),
        ("с 2020 года", "2020-01-01", "2024-09-01"),
        ("2020 onwards", "2020-01-01", "2024-09-01"),
        ("since November 2020 (after the war)", "2020-11-01", "2024-09-01"),
        ("after 2020", "2021-01-01", "2024-09-01"),
        ("после ноября 2020 г.", "2020-12-01", "2024-09-01"),
        ("с 2020 по настоящее время", "2020-01-01", "2024-09-01"),
        ("2019-2024", "2019-01-01", "2024-12-31"),
        ("2019 – 2024 гг.", "2019-01-01", "2024-12-31"),
        ("2019-24", "2019-01-01", "2024-12-31"),
        ("from 2019 to 2024", "2019-01-01", "2024-12-31"),
        ("с 2019 по 2024 год", "2019-01-01", "2024-12-31"),
        ("between 2019 and 2021", "2019-01-01", "2021-12-31"),
        ("12.07.2020 - 31.12.2020", "2020-07-12", "2020-12-31"),
        ("2020-07-12/2021-01-01", "2020-07-12", "2021-01-01"),
        ("в 2021 году", "2021-01-01", "2021-12-31"),
        ("2021", "2021-01-01", "2021-12-31"),
        ("before 2020", None, "2019-12-31"),
        ("до 2020 года", None, "2019-12-31"),
        ("by the end of 2020", None, "2020-12-31"),
        ("за последние 3 года", "2021-09-01", "2024-09-01"),
        ("1990s", "1990-01-01", "1999-12-31"),
        ("the whole period", None, None),
    ],
)
def test_a_period_is_read_as_days(text: str, first: str | None, last: str | None) -> None:
    period = read_period(text, SPOKEN)
    assert period is not None
    assert period.first == (first and dt.date.fromisoformat(first))
    assert period.last == (last and dt.date.fromisoformat(last))


@pytest.mark.parametrize(
    "text",
    ["recent", "30 years", "partly after 2020", "hand-overs after November 2020", "until 2020", "2021-2019", "soon"],
)
def test_a_period_without_plain_dates_is_not_guessed(text: str) -> None:
    assert read_period(text, SPOKEN) is None


def test_the_last_years_need_the_day_of_the_statement(tmp_path: Path) -> None:
    assert read_period("last 3 years", None) is None
    text = "- {id: a, speaker: S, value: 1, period: since 2020, date: 2021-05-01, confirmed_by: x}\n"
    (claim,) = read_claims(write(tmp_path, text)).claims
    assert claim.period == "since 2020"
    assert claim.days == Period(dt.date(2020, 1, 1), dt.date(2021, 5, 1))

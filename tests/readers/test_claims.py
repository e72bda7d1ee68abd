"""Claims: what can be tested, what is only listed, what is set aside."""

from __future__ import annotations

import datetime as dt
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from surefoot.errors import InputError
from surefoot.readers.claims import read_claims
from surefoot.terms import Bound


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

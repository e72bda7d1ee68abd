"""The declination of a map's margin: one value in many spellings, other quantities beside it, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.model import MinefieldRecord, Where
from surefoot.readers.forms.documents import FormDocument
from surefoot.readers.forms.margin import parse_declination
from surefoot.readers.forms.parse import parse_form
from surefoot.terms import Severity

EAST = 4 + 35 / 60
WEST = -(1 + 20 / 60)


def form(**margin: str) -> MinefieldRecord:
    fields = {"form_no": "1", "map": {"sheet": "J-38-10", **margin}}
    return parse_form(FormDocument(Where("f.yaml", row=1), "f", fields))


def doubts(record: MinefieldRecord) -> dict[str, Severity]:
    return {doubt.id: doubt.severity for doubt in record.doubts}


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("+4°35'", EAST), ("4°35'", EAST), ("4°35' в.", EAST), ("восточное 4°35'", EAST), ("E 4°35'", EAST),
        ("4º35′ East", EAST), ("4 град. 35 мин. вост.", EAST), ("4 35 E", EAST), ("4°35'00\" E", EAST),
        ("магнитное склонение восточное 4°35'", EAST), ("mag. decl. 4°35'E", EAST), ("şərq 4°35'", EAST),
        ("արևելյան 4°35'", EAST), ("istočna 4°35'", EAST), ("склонение - 4°35' вост.", EAST),
        ("+4°35' (0-76)", EAST), ("восточное 4°35' (0-76)", EAST),  # the margin prints both
        ("4.58 E", 4.58), ("4,58E", 4.58), ("+4.58", 4.58), ("5 E", 5.0), ("0", 0.0),
        ("-1°20'", WEST), ("−1°20'", WEST), ("– 1°20'", WEST), ("западное 1°20'", WEST), ("1°20' W", WEST),
        ("-1°20' з.", WEST), ("zapadna 1°20'", WEST), ("qərb 1°20'", WEST), ("արևմտյան 1°20'", WEST),
        # 76 of 6000: 76 x 0.06 degrees
        ("0-76", 4.56), ("+0-76", 4.56), ("0 - 76 в.", 4.56), ("76 делений угломера", 4.56),
        ("-0-22", -1.32), ("−0–22", -1.32), ("западное 0-22", -1.32),
        ("80 mils E", 4.5),
    ],
)  # fmt: skip
def test_spellings(text: str, degrees: float) -> None:
    stated = parse_declination(text)
    assert stated.degrees == pytest.approx(degrees, abs=1e-9)
    assert (stated.year, stated.set_aside) == (None, "")


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("+4°35' (1978)", EAST), ("+4°35' (1978 г.)", EAST), ("на 1978 г. восточное 4°35'", EAST),
        ("4°35' в 1978 г.", EAST), ("4°35' в. 1978 г.", EAST), ("1978: 4°35' E", EAST), ("+0-76 (1978)", 4.56),
        ("4°35' E for 1.7.1978", EAST), ("западное 1°20' в 1978 году", WEST), ("(1978) -1°20'", WEST),
    ],
)  # fmt: skip
def test_the_year_beside_the_value(text: str, degrees: float) -> None:
    stated = parse_declination(text)
    assert (stated.degrees, stated.year) == (pytest.approx(degrees, abs=1e-9), 1978)


@pytest.mark.parametrize(
    ("text", "degrees", "aside"),
    [
        ("+4°35', годовое изменение +0°03'", EAST, "годовое изменение +0°03'"),
        ("+4°35' годовое изменение +0°03'", EAST, "годовое изменение +0°03'"),
        ("+4°35' (годовое изменение +0°03')", EAST, "годовое изменение +0°03'"),
        ("4°35' E (1978), annual change 3' W", EAST, "annual change 3' W"),
        ("4°35' E, increasing 3' annually", EAST, "increasing 3' annually"),
        ("1°20' W. Grid convergence 1°15' E", WEST, "Grid convergence 1°15' E"),
        (
            "Склонение на 1978 г. восточное 4°35' (0-76). Годовое изменение склонения западное 0°03' (0-01)",
            EAST, "Годовое изменение склонения западное 0°03' (0-01)",
        ),
        (
            "Склонение восточное 4°35'. Среднее сближение меридианов западное 1°15'; поправка +5°50'",
            EAST, "Среднее сближение меридианов западное 1°15'; поправка +5°50'",
        ),
    ],
)  # fmt: skip
def test_other_quantities_never_enter_the_value(text: str, degrees: float, aside: str) -> None:
    stated = parse_declination(text)
    assert (stated.degrees, stated.set_aside) == (pytest.approx(degrees, abs=1e-9), aside)
    assert doubts(form(margin_declination=text))["SF-R220"] is Severity.WARNING


@pytest.mark.parametrize(
    "text",
    [
        "нет", "none", "(1978)", "1978", "восточное", "4 or 5", "181", "4°70'", "±4°35'", "+-4°", "+/-4°",
        "-4°35' E", "+1°20' западное", "4°35' E W",  # the sign and the word contradict each other
        "склонение - 4°35'", "1978 - 4.5",  # a minus or a dash
        "минус 4°35'", "склонение отрицательное 4.5", "minus 4.5", "N",  # the sign in a word; no number
        "+4°35' (0-96)", "4°35' E 1978 1985",
        "4°35' +0°03' в год", "поправка направления +3-12", "G-M angle 5°", "сближение +1°15'",
    ],
)  # fmt: skip
def test_what_is_no_declination_is_set_aside_as_written(text: str) -> None:
    record = form(margin_declination=text, margin_year="1978")
    assert doubts(record)["SF-R027"] is Severity.ERROR
    assert [doubt.found for doubt in record.doubts if doubt.id == "SF-R027"] == [text]
    assert (record.map.margin_declination_deg, record.map.raw_margin_declination) == (None, text)
    assert int(record.map.margin_year or 0) == 1978


def test_the_field_margin_year_holds_against_the_year_in_the_text() -> None:
    alone, agreed = (
        form(margin_declination="+4°35' (1978)"),
        form(margin_declination="+4°35' (1978)", margin_year="1978"),
    )
    assert alone.map == agreed.map
    assert doubts(alone) == doubts(agreed) == {}
    other = form(margin_declination="+4°35' (1978)", margin_year="1985")
    assert int(other.map.margin_year or 0) == 1985
    assert doubts(other) == {"SF-R205": Severity.WARNING}


@given(
    st.integers(0, 179), st.integers(0, 59), st.booleans(),
    st.sampled_from(["{sign}{d}°{m:02d}'", "{word} {d}°{m:02d}'", "{d}°{m:02d}' {letter}", "{sign}{d} град. {m} мин."]),
    st.sampled_from(["", " (1978)", ", годовое изменение +0°03'", " (annual change 3' W)"]),
)  # fmt: skip
def test_every_declination_written_comes_back(degrees: int, minutes: int, east: bool, shape: str, tail: str) -> None:
    words = {"sign": "+", "word": "восточное", "letter": "E"} if east else {"sign": "-", "word": "зап.", "letter": "з"}
    found = parse_declination(shape.format(d=degrees, m=minutes, **words) + tail).degrees
    assert found == pytest.approx((1 if east else -1) * (degrees + minutes / 60), abs=1e-9)


@given(st.text(alphabet="0123456789 +-−°'\",.;()/EWвзгод±", max_size=24))
def test_any_text_is_a_declination_within_half_a_circle_or_refused(text: str) -> None:
    record = form(margin_declination=text)
    degrees = record.map.margin_declination_deg
    assert degrees is None or abs(degrees) <= 180.0
    assert (degrees is None) is (not text.strip() or "SF-R027" in doubts(record))

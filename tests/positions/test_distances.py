"""Distances: units, paces and pairs of paces, ugly writing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import InputError
from surefoot.positions.distances import horizontal_m, parse_distance, to_metres
from surefoot.terms import DistanceUnit

PAIR, STEP, METRE = DistanceUnit.PAIR_OF_STEPS, DistanceUnit.STEP, DistanceUnit.METRE


@pytest.mark.parametrize(
    ("text", "value", "unit", "metres"),
    [
        ("320\u00a0м", 320, METRE, 320),
        ("320 м", 320, METRE, 320),
        ("320м.", 320, METRE, 320),
        ("320", 320, METRE, 320),
        ("320 metara", 320, METRE, 320),
        ("ок. 300 м", 300, METRE, 300),
        ("~300m", 300, METRE, 300),
        ("0,75 м", 0.75, METRE, 0.75),
        ("0.125 m", 0.125, METRE, 0.125),
        ("1 200 м", 1200, METRE, 1200),
        ("1,2 км", 1.2, DistanceUnit.KILOMETRE, 1200),
        ("1.234 km", 1.234, DistanceUnit.KILOMETRE, 1234),
        ("320 пар шагов", 320, PAIR, 480),
        ("320 п.ш.", 320, PAIR, 480),
        ("320 пш", 320, PAIR, 480),
        ("320 двойных шагов", 320, PAIR, 480),
        ("320 double paces", 320, PAIR, 480),
        ("320 parova koraka", 320, PAIR, 480),
        ("160 dvokoraka", 160, PAIR, 240),
        ("320 шагов", 320, STEP, 240),
        ("320 ш", 320, STEP, 240),
        ("320 paces", 320, STEP, 240),
        ("320 koraka", 320, STEP, 240),
        ("350 yd", 350, DistanceUnit.YARD, 320.04),
        ("100 ft", 100, DistanceUnit.FOOT, 30.48),
    ],
)
def test_as_written(text: str, value: float, unit: DistanceUnit, metres: float) -> None:
    distance = parse_distance(text)
    assert (distance.value, distance.unit, distance.slope_deg) == (value, unit, None)
    assert to_metres(distance) == pytest.approx(metres)


def test_own_step_length() -> None:
    assert to_metres(parse_distance("100 шагов"), step_m=0.8) == pytest.approx(80)
    assert to_metres(parse_distance("100 пар шагов"), pair_of_steps_m=1.6) == pytest.approx(160)


def test_slope() -> None:
    distance = parse_distance("320 м по склону 20°")
    assert (distance.value, distance.slope_deg) == (320, 20)
    assert horizontal_m(to_metres(distance), 20) == pytest.approx(300.7, abs=0.05)


def test_single_or_pairs_is_not_guessed() -> None:
    distance = parse_distance("320 п.")
    assert distance.unit is None
    with pytest.raises(InputError) as caught:
        to_metres(distance)
    assert caught.value.id == "SF-P033"


@pytest.mark.parametrize(
    ("text", "id_"),
    [
        ("", "SF-P031"),
        ("у дороги", "SF-P031"),
        ("300-320 м", "SF-P031"),
        ("320 м 15", "SF-P031"),
        ("320 градусов", "SF-P031"),
        ("-5 m", "SF-P030"),
        ("−5 м", "SF-P030"),
        ("1.200 m", "SF-P032"),
        ("1,200 m", "SF-P032"),
    ],
)
def test_refused(text: str, id_: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_distance(text)
    assert caught.value.id == id_


@given(value=st.integers(0, 99_999), word=st.sampled_from(["м", " м", " m", " шагов", " пар шагов", " yd", ""]))
def test_the_number_survives(value: int, word: str) -> None:
    assert parse_distance(f"{value}{word}").value == value


@given(text=st.text(max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        distance = parse_distance(text)
    except InputError:
        return
    assert distance.value >= 0

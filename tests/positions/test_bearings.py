"""Bearings: words and numbers of forms, norths, units, senses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import InputError
from surefoot.positions.bearings import (
    CIRCLE,
    back_bearing,
    bearing_from_true,
    clockwise_deg,
    degrees_of,
    from_degrees,
    grid_from_true,
    magnetic_from_true,
    parse_bearing,
    to_degrees,
    true_bearing,
    true_from,
    wrap_deg,
)
from surefoot.terms import BearingUnit, North, Sense

DEG, GON = BearingUnit.DEGREE, BearingUnit.GON
M6000, M6400, M6300 = BearingUnit.MIL_6000, BearingUnit.MIL_6400, BearingUnit.MIL_6300
MAG, GRID, TRUE = North.MAGNETIC, North.GRID, North.TRUE


@pytest.mark.parametrize(
    ("text", "value", "unit", "north"),
    [
        ("Ам 15-40", 1540, M6000, MAG),
        ("А.м. 15-40", 1540, M6000, MAG),
        ("Am 15-40", 1540, M6000, MAG),
        ("Ам=92°", 92, DEG, MAG),
        ("15–40", 1540, M6000, None),
        ("15-40 д.у.", 1540, M6000, None),
        ("ДУ 15-40", 1540, M6000, GRID),
        ("1540 тысячных", 1540, M6000, None),
        ("1540 т.д.", 1540, M6000, None),
        ("1540/6000", 1540, M6000, None),
        ("дирекционный угол 123°30'", 123.5, DEG, GRID),
        ("дирекционный угол 123º 30′", 123.5, DEG, GRID),
        ("дир. угол α 123-30", 123.5, DEG, GRID),
        ("Аист 95°", 95, DEG, TRUE),
        ("Ai 95°", 95, DEG, TRUE),
        ("истинный азимут 95 градусов", 95, DEG, TRUE),
        ("магнитный азимут 92°24'", 92.4, DEG, MAG),
        ("Азимут магнитный — 92 град.", 92, DEG, MAG),
        ("1240 hiljaditih", 1240, M6400, None),
        ("direkcioni ugao 13-33 hiljaditih", 1333, M6400, GRID),
        ("azimut 95°", 95, DEG, MAG),
        ("pravi azimut 45 stepeni", 45, DEG, TRUE),
        ("azimuth 095° M", 95, DEG, MAG),
        ("6400 mils", 6400, M6400, None),
        ("1600 mil grid", 1600, M6400, GRID),
        ("100 gon", 100, GON, None),
        ("100 grad", 100, GON, None),
        ("100 гон", 100, GON, None),
        ("100g", 100, GON, None),
        ("95°T", 95, DEG, TRUE),
        ("95 deg true", 95, DEG, TRUE),
        ("95,5", 95.5, DEG, None),
        ("N 45 E", 45, DEG, None),
        ("N45°30'E", 45.5, DEG, None),
        ("S 30 W", 210, DEG, None),
        ("СВ 45", 45, DEG, None),
        ("CB 45", 45, DEG, None),
        ("ЮЗ 30°", 210, DEG, None),
        ("СЗ:20°", 340, DEG, None),
        ("ЮВ 10", 170, DEG, None),
        ("NE", 45, DEG, None),
        ("north-west", 315, DEG, None),
        ("северо-восток", 45, DEG, None),
        ("на юго-запад", 225, DEG, None),
        ("в", 90, DEG, None),
        ("SZ", 315, DEG, None),
        ("jugoistok", 135, DEG, None),
    ],
)
def test_as_written(text: str, value: float, unit: BearingUnit, north: North | None) -> None:
    bearing = parse_bearing(text)
    assert (bearing.value, bearing.unit, bearing.north) == (pytest.approx(value), unit, north)
    assert bearing.possible_units == (unit,)
    assert bearing.raw == text


def test_bare_number_leaves_the_unit_open() -> None:
    assert parse_bearing("95").unit is None
    assert parse_bearing("95").possible_units == (DEG, M6400, M6000, M6300)
    assert parse_bearing("95", formulyar=True).possible_units == (M6000, DEG, M6400, M6300)
    assert parse_bearing("400").possible_units == (M6400, M6000, M6300)
    assert parse_bearing("6350").possible_units == (M6400,)
    assert parse_bearing("95 G").north is GRID
    assert parse_bearing("95 G").unit is None


@pytest.mark.parametrize(
    ("text", "quantum"),
    [
        ("95", 1.0),
        ("95.5", 0.1),
        ("123°30'", 0.5),
        ("123°20'", 1 / 6),
        ("123°17'", 1 / 60),
        ("123°30'15\"", 1 / 3600),
        ("NNE", 22.5),
        ("северо-северо-восток", 22.5),
        ("NE", 45.0),
        ("север", 45.0),
        ("15-40", 1.0),
    ],
)
def test_rounding_step(text: str, quantum: float) -> None:
    assert parse_bearing(text).quantum == pytest.approx(quantum)


@pytest.mark.parametrize(
    ("text", "id_"),
    [
        ("", "SF-P020"),
        ("по дороге", "SF-P020"),
        ("400 градусов", "SF-P021"),
        ("400 deg", "SF-P021"),
        ("400°", "SF-P021"),
        ("361°", "SF-P021"),
        ("7000", "SF-P021"),
        ("6401 mils", "SF-P021"),
        ("401 gon", "SF-P021"),
        ("6001 тысячных", "SF-P021"),
        ("-5°", "SF-P021"),
        ("123°75'", "SF-P021"),
        ("N 95 E", "SF-P021"),
        ("99-80", "SF-P021"),
        ("95 или 105", "SF-P022"),
        ("61-20", "SF-P023"),
    ],
)
def test_refused(text: str, id_: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_bearing(text)
    assert (caught.value.id, caught.value.found) == (id_, text)


def test_north_of_another_field() -> None:
    assert parse_bearing("95°", north_text="магнитный").north is MAG
    assert parse_bearing("95°", north_text="G").north is GRID
    assert parse_bearing("95°", north_text="true").north is TRUE
    assert parse_bearing("Ам 95°", north_text="grid").north is MAG
    assert parse_bearing("95°", north_text="").north is None


def test_sense() -> None:
    assert parse_bearing("95° против часовой").sense is Sense.COUNTER_CLOCKWISE
    assert parse_bearing("95 ccw").sense is Sense.COUNTER_CLOCKWISE
    assert parse_bearing("95° по часовой").sense is Sense.CLOCKWISE
    assert parse_bearing("95°").sense is None
    assert clockwise_deg(95, Sense.COUNTER_CLOCKWISE) == 265
    assert clockwise_deg(95, Sense.CLOCKWISE) == 95


def test_norths() -> None:
    turns = {"declination_deg": 4.648, "convergence_deg": 1.241}
    assert true_from(92.4, MAG, **turns) == pytest.approx(97.048)
    assert true_from(92.4, GRID, **turns) == pytest.approx(93.641)
    assert true_from(92.4, TRUE, **turns) == pytest.approx(92.4)
    assert true_from(358, MAG, declination_deg=5) == pytest.approx(3)
    assert grid_from_true(97.048, convergence_deg=1.241) == pytest.approx(95.807)
    assert magnetic_from_true(2, declination_deg=5) == pytest.approx(357)


angles = st.floats(0, 359.999)


@given(bearing=angles, north=st.sampled_from(North), d=st.floats(-30, 30), c=st.floats(-5, 5))
def test_there_and_back(bearing: float, north: North, d: float, c: float) -> None:
    turns = {"declination_deg": d, "convergence_deg": c}
    again = float(bearing_from_true(true_from(bearing, north, **turns), north, **turns))
    assert abs((again - bearing + 180) % 360 - 180) < 1e-9


@given(bearing=st.floats(-1e6, 1e6), north=st.sampled_from(North), d=st.floats(-30, 30), c=st.floats(-5, 5))
def test_one_bearing_alone_is_the_same_to_the_last_bit(bearing: float, north: North, d: float, c: float) -> None:
    together = true_from([bearing], north, declination_deg=[d], convergence_deg=[c])
    assert true_bearing(bearing, north, declination_deg=d, convergence_deg=c) == together[0]
    for unit in BearingUnit:
        assert degrees_of(bearing, unit) == to_degrees([bearing], unit)[0]


@given(value=st.floats(0, 1), unit=st.sampled_from(BearingUnit))
def test_units_there_and_back(value: float, unit: BearingUnit) -> None:
    written = value * CIRCLE[unit]
    assert from_degrees(to_degrees(written, unit), unit) == pytest.approx(written)
    assert to_degrees(CIRCLE[unit], unit) == 360


@given(bearing=angles)
def test_back_and_back_again(bearing: float) -> None:
    assert float(back_bearing(back_bearing(bearing))) == pytest.approx(bearing, abs=1e-9)


@given(bearing=st.floats(-1e6, 1e6))
def test_wrapped_stays_in_the_circle(bearing: float) -> None:
    assert 0 <= float(wrap_deg(bearing)) < 360


@given(large=st.integers(0, 59), small=st.integers(0, 99), name=st.sampled_from(["Ам ", "", "ДУ ", "азимут "]))
def test_every_aiming_circle_reading(large: int, small: int, name: str) -> None:
    bearing = parse_bearing(f"{name}{large}-{small:02d}")
    assert (bearing.value, bearing.unit) == (100 * large + small, M6000)


@given(text=st.text(max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        bearing = parse_bearing(text)
    except InputError:
        return
    assert all(0 <= bearing.value <= CIRCLE[unit] for unit in bearing.possible_units)
    assert bearing.possible_units

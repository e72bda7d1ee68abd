"""The checked numbers of the design (records.md sections 3, 4 and 6): PROJ with EPSG:15865, IGRF-14."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pyproj import Geod

from surefoot.errors import PositionError
from surefoot.positions.bearings import (
    back_bearing,
    clockwise_deg,
    grid_from_true,
    parse_bearing,
    to_degrees,
    true_from,
)
from surefoot.positions.coordinates import expand_abbreviated, parse_coordinate, swap_by_range
from surefoot.positions.datums import PinnedOperation, pin_operation, source_geographic, to_wgs84
from surefoot.positions.declination import declination_deg
from surefoot.positions.distances import horizontal_m, parse_distance, to_metres
from surefoot.positions.local import from_local, to_local
from surefoot.positions.sheets import parse_sheet, sheet_at
from surefoot.positions.squares import square_bounds
from surefoot.positions.zones import convergence_deg, gauss_kruger_crs, parse_crs, utm_crs
from surefoot.terms import BearingUnit, North, Sense

GEOD = Geod(ellps="WGS84")
ZONE_8 = "EPSG:28408"
EASTING, NORTHING = 8664944.0, 4430293.0


@pytest.fixture(scope="module")
def operation() -> PinnedOperation:
    return pin_operation(ZONE_8, EASTING, NORTHING)


@pytest.fixture(scope="module")
def landmark(operation: PinnedOperation) -> tuple[float, float]:
    lon, lat = to_wgs84(ZONE_8, EASTING, NORTHING, operation)
    return float(lon), float(lat)


def metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    return float(GEOD.inv(*a, *b)[2])


def east_north(a: tuple[float, float], b: tuple[float, float]) -> complex:
    return complex(to_local(*b, pivot=a))


# --- section 6 -------------------------------------------------------------------------------------------


def test_case_1_landmark_and_point(operation: PinnedOperation, landmark: tuple[float, float]) -> None:
    assert operation.code == "EPSG:15865"
    assert landmark[1] == pytest.approx(39.989996, abs=5e-7)
    assert landmark[0] == pytest.approx(46.929995, abs=5e-7)
    bearing, distance = parse_bearing("Ам 15-40", formulyar=True), parse_distance("320 м")
    assert bearing.unit is not None
    assert bearing.north is North.MAGNETIC
    magnetic = to_degrees(bearing.value, bearing.unit)
    declination = declination_deg(*landmark, 1993 + 192.5 / 365)
    convergence = convergence_deg(ZONE_8, *landmark)
    true = true_from(magnetic, bearing.north, declination_deg=declination)
    assert magnetic == pytest.approx(92.40, abs=1e-9)
    assert declination == pytest.approx(4.648, abs=0.005)
    assert convergence == pytest.approx(1.241, abs=0.0005)
    assert true == pytest.approx(97.048, abs=0.005)
    assert grid_from_true(true, convergence_deg=convergence) == pytest.approx(95.807, abs=0.005)
    lon, lat, _ = GEOD.fwd(*landmark, float(true), to_metres(distance))
    assert metres((lon, lat), (46.933714, 39.989642)) < 0.5


def test_case_2_three_norths(landmark: tuple[float, float]) -> None:
    turns = {"declination_deg": 4.648, "convergence_deg": 1.241}
    ends = [
        from_local(320 * np.exp(1j * np.radians(90 - true_from(92.4, north, **turns))), pivot=landmark)
        for north in North
    ]
    at = {north: (float(e[0]), float(e[1])) for north, e in zip(North, ends, strict=True)}
    assert metres(at[North.MAGNETIC], at[North.GRID]) == pytest.approx(19, abs=0.5)
    assert metres(at[North.MAGNETIC], at[North.TRUE]) == pytest.approx(26, abs=0.5)


def test_case_3_number_without_unit() -> None:
    bearing = parse_bearing("1540", formulyar=True)
    assert bearing.unit is None
    assert bearing.possible_units == (BearingUnit.MIL_6000, BearingUnit.MIL_6400, BearingUnit.MIL_6300)
    degrees = [float(to_degrees(1540, unit)) for unit in bearing.possible_units]
    assert degrees == pytest.approx([92.4, 86.625, 88.0])
    away = [2 * 320 * math.sin(math.radians(abs(d - 92.4) / 2)) for d in degrees]
    assert away == pytest.approx([0, 32, 25], abs=0.6)


def test_case_4_no_zone_prefix() -> None:
    (sheet,) = parse_sheet("J-38-10")
    assert sheet.zone == 8
    assert expand_abbreviated(4430293, 664944, zone=None, sheet=sheet) == ((4430293, 8664944),)


def test_case_5_shortened_coordinates() -> None:
    (sheet,) = parse_sheet("J-38-10-Б")
    written = parse_coordinate("X=30293 Y=64944")
    assert (written.northing, written.easting, written.notation) == (30293, 64944, "abbreviated")
    assert expand_abbreviated(30293, 64944, zone=None, sheet=sheet) == ((4430293, 8664944),)
    everywhere = expand_abbreviated(30293, 64944, zone=8, sheet=None)
    assert (4430293, 8664944) in everywhere
    assert (4330293, 8664944) in everywhere
    assert len(everywhere) > 100


def test_case_6_swapped() -> None:
    written = parse_coordinate("X=8664944 Y=4430293")
    assert (written.northing, written.easting) == (8664944, 4430293)
    assert swap_by_range(8664944, 4430293) == (4430293, 8664944, True)
    assert (written.alternatives[0].northing, written.alternatives[0].easting) == (4430293, 8664944)


def test_case_9_square_and_snail(operation: PinnedOperation) -> None:
    near = {"near_easting": EASTING, "near_northing": NORTHING}
    west, south, east, north = square_bounds("3064", **near)
    lon, lat = to_wgs84(ZONE_8, (west + east) / 2, (south + north) / 2, operation)
    assert (lat, lon) == (pytest.approx(39.99195, abs=6e-6), pytest.approx(46.92485, abs=6e-6))
    assert math.sqrt(2 * (east - west) ** 2 / 12) == pytest.approx(408, abs=0.5)
    west, south, east, north = square_bounds("3064", ninth=5, **near)
    lon, lat = to_wgs84(ZONE_8, (west + east) / 2, (south + north) / 2, operation)
    assert (lat, lon) == (pytest.approx(39.98888, abs=6e-6), pytest.approx(46.92867, abs=6e-6))
    assert (east - west) / 2 == pytest.approx(167, abs=0.5)


def test_case_10_latin_b_is_two_sheets() -> None:
    sheets = parse_sheet("K-38-141-B")
    assert [s.name for s in sheets] == ["K-38-141-Б", "K-38-141-В"]
    centres = [((s.west + s.east) / 2, (s.south + s.north) / 2) for s in sheets]
    assert metres(*centres) == pytest.approx(28200, abs=60)


def test_case_11_yugoslav_grid() -> None:
    crs = parse_crs("Gauss-Krüger zona 6")
    assert crs.epsg == "EPSG:3908"
    written = parse_coordinate("Y=6508000 X=4955000")
    assert written.easting is not None
    assert written.northing is not None
    operation = pin_operation(crs.epsg, written.easting, written.northing)
    lon, lat = to_wgs84(crs.epsg, written.easting, written.northing, operation)
    assert metres((float(lon), float(lat)), (18.09592, 44.73943)) < 1.0


def test_case_12_steps() -> None:
    assert to_metres(parse_distance("320 пар шагов")) == 480
    assert to_metres(parse_distance("320 шагов")) == 240


def test_case_16_degrees_minutes_seconds() -> None:
    dms, decimal = parse_coordinate("39-59-24 / 46-55-48"), parse_coordinate("39.5924 / 46.5548")
    assert (dms.latitude, dms.longitude) == (pytest.approx(39.99), pytest.approx(46.93))
    assert (decimal.latitude, decimal.longitude) == (39.5924, 46.5548)
    again = decimal.alternatives[0]
    assert (again.latitude, again.longitude, again.notation) == (dms.latitude, dms.longitude, "dms")
    away = metres((46.93, 39.99), (46.5548, 39.5924))
    assert 43_000 < away < 55_000
    assert abs(39.99 - 39.5924) * 111.0 == pytest.approx(44, abs=0.5)
    (sheet,) = parse_sheet("J-38-10-Б")
    assert not sheet.south <= 39.5924 <= sheet.north


def test_slope_distance() -> None:
    assert horizontal_m(320, 20) == pytest.approx(300.7, abs=0.05)


# --- section 3 -------------------------------------------------------------------------------------------


def test_datum_shift_of_the_south_caucasus() -> None:
    for lon in (46.0, 47.0, 48.0):
        for lat in (39.2, 40.0, 41.0):
            operation = pin_operation("EPSG:4284", lon, lat)
            moved = east_north((lon, lat), tuple(float(v) for v in to_wgs84("EPSG:4284", lon, lat, operation)))
            assert -106.5 <= moved.real <= -96.5
            assert -13.5 <= moved.imag <= -4.5
            assert (operation.code, operation.second_code) == ("EPSG:15865", "EPSG:1808")
            assert operation.spread_m is not None
            assert 1.0 <= operation.spread_m <= 6.0
            assert not operation.flagged


def test_sheets_of_the_examples() -> None:
    assert sheet_at(46.93, 39.99, 25_000).name == "J-38-10-Б-б"
    assert sheet_at(46.04, 40.30, 50_000).name == "K-38-141-А"


@pytest.mark.parametrize(
    ("year", "degrees"),
    [(1988.0, 4.58), (1993.5, 4.65), (2000.0, 4.94), (2010.0, 5.57), (2020.8, 6.31), (2024.0, 6.40)],
)
def test_declination(year: float, degrees: float) -> None:
    assert declination_deg(47.0, 40.0, year) == pytest.approx(degrees, abs=0.012)


# --- section 4: gross errors -----------------------------------------------------------------------------


def test_datum_ignored_and_applied_twice(operation: PinnedOperation, landmark: tuple[float, float]) -> None:
    lon, lat = source_geographic(ZONE_8, EASTING, NORTHING)
    ignored = east_north(landmark, (float(lon), float(lat)))
    assert abs(ignored) == pytest.approx(102.6, abs=0.1)
    assert (ignored.real, ignored.imag) == (pytest.approx(102, abs=0.6), pytest.approx(10, abs=0.8))
    twice = east_north(landmark, tuple(float(v) for v in to_wgs84("EPSG:4284", *landmark, operation)))
    assert abs(twice) == pytest.approx(102.6, abs=0.1)
    assert (twice.real, twice.imag) == (pytest.approx(-102, abs=0.6), pytest.approx(-10, abs=0.8))


def test_gauss_kruger_taken_as_utm(landmark: tuple[float, float]) -> None:
    utm = utm_crs(38)
    place = to_wgs84(utm, EASTING - 8e6, NORTHING, pin_operation(utm, EASTING - 8e6, NORTHING))
    off = east_north(landmark, (float(place[0]), float(place[1])))
    assert abs(off) == pytest.approx(1870, abs=1)
    assert (off.real, off.imag) == (pytest.approx(211, abs=1), pytest.approx(1858, abs=1))


@pytest.mark.parametrize("zone", [7, 9])
def test_wrong_zone(zone: int, operation: PinnedOperation, landmark: tuple[float, float]) -> None:
    crs = gauss_kruger_crs(zone)
    place = to_wgs84(crs, EASTING + (zone - 8) * 1e6, NORTHING, operation)
    assert metres(landmark, (float(place[0]), float(place[1]))) == pytest.approx(512_000, rel=0.002)


def test_six_degree_value_in_a_three_degree_zone(operation: PinnedOperation, landmark: tuple[float, float]) -> None:
    crs = gauss_kruger_crs(16, width_deg=3, prefixed=False)
    assert crs == "EPSG:2591"
    place = to_wgs84(crs, EASTING - 8e6, NORTHING, operation)
    assert metres(landmark, (float(place[0]), float(place[1]))) == pytest.approx(256_000, rel=0.002)


def test_swapped_axes_land_out_of_area() -> None:
    lon, lat = source_geographic(ZONE_8, NORTHING, EASTING)
    assert (round(float(lat)), round(float(lon))) == (54, -28)
    with pytest.raises(PositionError):
        pin_operation(ZONE_8, NORTHING, EASTING)


def test_square_read_the_nato_way() -> None:
    near = {"near_easting": EASTING, "near_northing": NORTHING}
    ours, theirs = square_bounds("3064", **near), square_bounds("3064", order="YX", **near)
    assert math.hypot(ours[0] - theirs[0], ours[1] - theirs[1]) == pytest.approx(48_000, rel=0.01)


def test_mgi_taken_for_mgi_1901() -> None:
    right = to_wgs84("EPSG:3908", 6508000, 4955000, pin_operation("EPSG:3908", 6508000, 4955000))
    zero_shift = source_geographic("EPSG:31276", 6508000, 4955000)
    off = east_north((float(right[0]), float(right[1])), (float(zero_shift[0]), float(zero_shift[1])))
    assert abs(off) == pytest.approx(404, abs=1)
    assert off.real == pytest.approx(404, abs=2)


@pytest.mark.parametrize(
    ("wrong_true_deg", "metres_off"),
    [
        pytest.param(92.4, 26, id="declination forgotten"),
        pytest.param(92.4 + 1.241, 19, id="taken as grid"),
        pytest.param(92.4 + 6.4, 10, id="today's declination"),
        pytest.param(92.4 - 4.648, 52, id="wrong sign"),
        pytest.param(86.625 + 4.648, 32, id="read as 6400"),
        pytest.param(88.0 + 4.648, 25, id="read as 6300"),
        pytest.param(float(clockwise_deg(92.4, Sense.COUNTER_CLOCKWISE)) + 4.648, 639, id="counter-clockwise"),
        pytest.param(float(back_bearing(97.048)), 640, id="back-azimuth"),
    ],
)
def test_mistakes_on_a_leg(wrong_true_deg: float, metres_off: float) -> None:
    right, wrong = (320 * np.exp(1j * np.radians(b)) for b in (97.048, wrong_true_deg))
    assert abs(right - wrong) == pytest.approx(metres_off, abs=0.6)

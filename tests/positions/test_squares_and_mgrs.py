"""Grid squares, the snail, MGRS cells and shortened coordinates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from surefoot.errors import InputError
from surefoot.positions.abbreviated import expand_abbreviated
from surefoot.positions.mgrs import lonlat_to_mgrs, mgrs_to_utm
from surefoot.positions.sheets import parse_sheet, sheet_at
from surefoot.positions.squares import square_bounds
from surefoot.positions.zones import gauss_kruger_crs, gauss_kruger_zone_of, utm_crs

GEOD = Geod(ellps="WGS84")
NEAR = {"near_easting": 8664944.0, "near_northing": 4430293.0}


def test_snail_goes_round_from_the_north_west() -> None:
    corners = [square_bounds("3064", ninth=n, **NEAR)[:2] for n in range(1, 10)]
    columns = [round((west - 8664000) * 3 / 1000) for west, _ in corners]
    rows = [round((south - 4430000) * 3 / 1000) for _, south in corners]
    assert columns == [0, 1, 2, 2, 2, 1, 0, 0, 1]
    assert rows == [2, 2, 2, 1, 0, 0, 0, 1, 1]


def test_quarters_go_round_clockwise() -> None:
    corners = [square_bounds(f"3064{q}", **NEAR)[:2] for q in "АБВГ"]
    assert corners == [(8664000, 4430500), (8664500, 4430500), (8664500, 4430000), (8664000, 4430000)]


@given(
    north=st.integers(0, 99),
    east=st.integers(0, 99),
    near_e=st.floats(8.2e6, 8.8e6),
    near_n=st.floats(3.9e6, 4.9e6),
)
def test_the_nearest_square_with_these_numbers(north: int, east: int, near_e: float, near_n: float) -> None:
    bounds = square_bounds(f"{north:02d}{east:02d}", near_easting=near_e, near_northing=near_n)
    assert bounds[0] // 1000 % 100 == east
    assert bounds[1] // 1000 % 100 == north
    assert abs(bounds[0] + 500 - near_e) <= 50_000
    assert abs(bounds[1] + 500 - near_n) <= 50_000


@pytest.mark.parametrize(
    ("square", "ninth", "order"),
    [("306", None, "XY"), ("30a4", None, "XY"), ("3064", 0, "XY"), ("3064", None, "NE")],
)
def test_no_square(square: str, ninth: int | None, order: str) -> None:
    with pytest.raises(InputError) as caught:
        square_bounds(square, ninth=ninth, order=order, **NEAR)
    assert caught.value.id == "SF-P012"


def test_mgrs_cell_of_the_landmark() -> None:
    assert mgrs_to_utm("38S PK 647 284") == (38, True, 664750.0, 4428450.0, 100.0)
    assert mgrs_to_utm("38SPK 6477 2843") == (38, True, 664775.0, 4428435.0, 10.0)
    assert lonlat_to_mgrs(46.929995, 39.989996).startswith("38S PK 647")
    assert lonlat_to_mgrs(46.929995, 39.989996, 3) == "38S PK 647 284"


@pytest.mark.parametrize(
    ("text", "zone", "north", "easting", "northing"),
    [
        # Worked out by hand from the letter tables of NGA.STND.0037.
        ("31N AA 00000 00000", 31, True, 100000.5, 0.5),
        ("31N EA 0 0", 31, True, 505000, 5000),
        ("32N KF 0 0", 32, True, 205000, 5000),
        ("4Q FJ 1 5", 4, True, 615000, 2355000),
        ("33X VG 7 4", 33, True, 475000, 8645000),
        ("21F UC 5 5", 21, False, 355000, 4255000),
    ],
)
def test_mgrs_letters(text: str, zone: int, north: bool, easting: float, northing: float) -> None:
    found = mgrs_to_utm(text)
    assert found[:2] == (zone, north)
    assert found[2] == pytest.approx(easting)
    assert found[3] == pytest.approx(northing)


@given(lon=st.floats(-180, 179.999), lat=st.floats(-79.9, 83.9), digits=st.integers(1, 5))
def test_mgrs_there_and_back(lon: float, lat: float, digits: int) -> None:
    zone, north, easting, northing, quantum = mgrs_to_utm(lonlat_to_mgrs(lon, lat, digits))
    own_easting, own_northing = Transformer.from_crs("EPSG:4326", utm_crs(zone, north), always_xy=True).transform(
        lon, lat
    )
    assert quantum == 10 ** (5 - digits)
    assert abs(own_easting - easting) <= quantum / 2 + 1e-3
    assert abs(own_northing - northing) <= quantum / 2 + 1e-3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "38S",
        "38S PK 12 345",
        "38I PK 12 34",
        "38S PI 12 34",
        "61S PK 12 34",
        "38S AA 1 1",
        "38S PW 1 1",
        "38C PK 1 1",
    ],
)
def test_no_mgrs(text: str) -> None:
    with pytest.raises(InputError) as caught:
        mgrs_to_utm(text)
    assert caught.value.id == "SF-P011"


def test_no_mgrs_at_the_poles() -> None:
    with pytest.raises(InputError):
        lonlat_to_mgrs(0, 85)


@given(lon=st.floats(24.2, 59.8), lat=st.floats(25, 55))
def test_shortened_numbers_are_unique_inside_a_sheet(lon: float, lat: float) -> None:
    zone = gauss_kruger_zone_of(lon)
    to_grid = Transformer.from_crs("EPSG:4284", gauss_kruger_crs(zone), always_xy=True)
    easting, northing = (round(v) for v in to_grid.transform(lon, lat))
    sheet = sheet_at(lon, lat, 100_000)
    for short_north in (northing % 100_000, northing):
        for short_east in (easting % 100_000, easting % 1_000_000):
            assert expand_abbreviated(short_north, short_east, zone=None, sheet=sheet) == ((northing, easting),)


def test_shortened_numbers_that_are_on_no_sheet() -> None:
    (sheet,) = parse_sheet("J-38-10-Б")
    assert expand_abbreviated(80_000, 10_000, zone=8, sheet=sheet) == ()
    assert expand_abbreviated(4430293, 8664944, zone=8, sheet=parse_sheet("K-38-1")[0]) == ((4430293, 8664944),)
    assert (4430293, 664944) in expand_abbreviated(30293, 64944, zone=None, sheet=None)
    assert expand_abbreviated(430293, 664944, zone=8, sheet=sheet) == ((4430293, 8664944),)

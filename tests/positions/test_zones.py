"""Zones: codes against the EPSG database, words, convergence, ranges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS, Geod, Transformer

from surefoot.errors import InputError, PositionError
from surefoot.positions.datums import crs_exists
from surefoot.positions.zones import (
    convergence_deg,
    gauss_kruger_crs,
    gauss_kruger_zone_of,
    geographic_crs,
    parse_crs,
    swap_by_range,
    utm_crs,
    utm_zone_of,
    zone_from_easting,
)

GEOD = Geod(ellps="WGS84")


def projection(code: str) -> dict[str, float]:
    operation = CRS(code).coordinate_operation
    assert operation is not None
    return {p.name: p.value for p in operation.params}


@pytest.mark.parametrize("zone", range(2, 33))
@pytest.mark.parametrize("prefixed", [True, False])
def test_six_degree_zones(zone: int, prefixed: bool) -> None:
    found = projection(gauss_kruger_crs(zone, prefixed=prefixed))
    meridian = (6 * zone - 3 + 180) % 360 - 180
    assert found["Longitude of natural origin"] == meridian
    assert found["False easting"] == (zone * 1e6 if prefixed else 0) + 5e5
    assert CRS(gauss_kruger_crs(zone, prefixed=prefixed)).geodetic_crs == CRS("EPSG:4284")


@pytest.mark.parametrize("zone", range(7, 65))
@pytest.mark.parametrize("prefixed", [True, False])
def test_three_degree_zones(zone: int, prefixed: bool) -> None:
    found = projection(gauss_kruger_crs(zone, width_deg=3, prefixed=prefixed))
    assert (found["Longitude of natural origin"] - 3 * zone) % 360 == 0
    assert found["False easting"] == (zone * 1e6 if prefixed else 0) + 5e5


@pytest.mark.parametrize("zone", range(4, 33))
def test_zones_of_1995(zone: int) -> None:
    for prefixed in (True, False):
        found = projection(gauss_kruger_crs(zone, datum="SK-95", prefixed=prefixed))
        assert (found["Longitude of natural origin"] - (6 * zone - 3)) % 360 == 0


def test_named_zones() -> None:
    assert gauss_kruger_crs(8) == "EPSG:28408"
    assert gauss_kruger_crs(8, prefixed=False) == "EPSG:28468"
    assert gauss_kruger_crs(16, width_deg=3) == "EPSG:2532"
    assert [gauss_kruger_crs(z, datum="CS63") for z in (1, 2, 3, 4)] == [f"EPSG:{c}" for c in range(2935, 2939)]
    assert [gauss_kruger_crs(z, datum="MGI1901") for z in (5, 6, 7, 8)] == [f"EPSG:{c}" for c in range(3907, 3911)]
    assert (utm_crs(38), utm_crs(36, north=False)) == ("EPSG:32638", "EPSG:32736")
    assert geographic_crs("SK-42") == "EPSG:4284"
    assert geographic_crs("elsewhere") is None


@pytest.mark.parametrize(
    "arguments",
    [
        {"zone": 0},
        {"zone": 33},
        {"zone": 6, "width_deg": 3},
        {"zone": 4, "datum": "MGI1901"},
        {"zone": 8, "datum": "?"},
    ],
)
def test_no_such_zone(arguments: dict[str, object]) -> None:
    with pytest.raises(PositionError) as caught:
        gauss_kruger_crs(**arguments)  # type: ignore[arg-type]
    assert caught.value.id == "SF-P050"
    with pytest.raises(PositionError):
        utm_crs(61)


def test_zone_of_a_longitude() -> None:
    assert utm_zone_of(46.93, 40) == (38, True)
    assert utm_zone_of(180, -40) == (1, False)
    assert utm_zone_of(-180, 40) == (1, True)
    assert gauss_kruger_zone_of(46.93) == 8
    assert gauss_kruger_zone_of(-169) == 32


@pytest.mark.parametrize(
    ("text", "datum", "projection_name", "zone", "epsg"),
    [
        ("СК-42 зона 8", "SK-42", "gauss_kruger", 8, "EPSG:28408"),
        ("SK-42 zone 8", "SK-42", "gauss_kruger", 8, "EPSG:28408"),
        ("S-42, 8-я зона", "SK-42", "gauss_kruger", 8, "EPSG:28408"),
        ("CК 42 (зона № 8)", "SK-42", "gauss_kruger", 8, "EPSG:28408"),
        ("Пулково 1942 зона 8", "SK-42", "gauss_kruger", 8, "EPSG:28408"),
        ("система координат 1942 года, зона 9", "SK-42", "gauss_kruger", 9, "EPSG:28409"),
        ("Pulkovo 1942 / Gauss-Kruger zone 8", "SK-42", "gauss_kruger", 8, "EPSG:28408"),
        ("СК-42 осевой меридиан 45", "SK-42", "gauss_kruger", 8, "EPSG:28408"),
        ("СК-42, 3-градусная зона 16", "SK-42", "gauss_kruger_3", 16, "EPSG:2532"),
        ("СК-42", "SK-42", "", None, None),
        ("ГК зона 8", "", "gauss_kruger", 8, None),
        ("Гаусса-Крюгера, зона 8", "", "gauss_kruger", 8, None),
        ("СК-95 зона 8", "SK-95", "gauss_kruger", 8, "EPSG:20008"),
        ("СК-63 зона А3", "CS63", "gauss_kruger_3", 3, "EPSG:2937"),
        ("СК-63 зона 3", "CS63", "gauss_kruger_3", 3, None),
        ("Gauss-Krüger zona 6", "MGI1901", "gauss_kruger", 6, "EPSG:3908"),
        ("Gauss-Krüger zone 6", "MGI1901", "gauss_kruger", 6, "EPSG:3908"),
        ("Гаус-Кригер 7. зона", "MGI1901", "gauss_kruger", 7, "EPSG:3909"),
        ("JNA zona 6", "MGI1901", "gauss_kruger", 6, "EPSG:3908"),
        ("MGI zona 6", "MGI1901", "gauss_kruger", 6, "EPSG:3908"),
        ("Gauss-Krüger zone 8", "", "gauss_kruger", 8, None),
        ("UTM 38 WGS84", "WGS84", "utm", 38, "EPSG:32638"),
        ("UTM 38N WGS-84", "WGS84", "utm", 38, "EPSG:32638"),
        ("WGS 84 / UTM zone 38N", "WGS84", "utm", 38, "EPSG:32638"),
        ("UTM 38T WGS84", "WGS84", "utm", 38, "EPSG:32638"),
        ("UTM 38N", "", "utm", 38, None),
        ("UTM 38S WGS84", "WGS84", "utm", 38, None),
        ("UTM 36 south WGS84", "WGS84", "utm", 36, "EPSG:32736"),
        ("UTM 36L WGS84", "WGS84", "utm", 36, "EPSG:32736"),
        ("ED50 UTM 36", "ED50", "utm", 36, "EPSG:23036"),
        ("WGS-84", "WGS84", "", None, None),
        ("WGS84 широта, долгота", "WGS84", "geographic", None, "EPSG:4326"),
        ("MGRS", "WGS84", "mgrs", None, None),
        ("МСК-05", "MSK", "", None, None),
        ("EPSG:28408", "SK-42", "gauss_kruger", 8, "EPSG:28408"),
        ("epsg 3908", "MGI1901", "gauss_kruger", 6, "EPSG:3908"),
        ("EPSG:32638", "WGS84", "utm", 38, "EPSG:32638"),
        ("EPSG:4284", "SK-42", "geographic", None, "EPSG:4284"),
        ("", "", "", None, None),
        ("по карте", "", "", None, None),
    ],
)
def test_words(text: str, datum: str, projection_name: str, zone: int | None, epsg: str | None) -> None:
    crs = parse_crs(text)
    assert (crs.datum, crs.projection, crs.zone, crs.epsg) == (datum, projection_name, zone, epsg)
    assert crs.raw == text


def test_unknown_code() -> None:
    with pytest.raises(InputError) as caught:
        parse_crs("EPSG:99999")
    assert caught.value.id == "SF-P002"


@given(text=st.text(max_size=20))
def test_any_words_give_a_statement_with_a_real_code(text: str) -> None:
    try:
        crs = parse_crs(text)
    except InputError:
        return
    assert crs.epsg is None or crs_exists(crs.epsg)


@given(lon=st.floats(42.5, 47.5), lat=st.floats(36, 44))
def test_convergence_is_the_turn_of_the_grid(lon: float, lat: float) -> None:
    """Walk north in the grid and look which way that was on the ground."""
    crs = CRS("EPSG:32638")
    to_grid = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    easting, northing = to_grid.transform(lon, lat)
    up = to_grid.transform(easting, northing + 10, direction="INVERSE")
    true_bearing_of_grid_north = GEOD.inv(lon, lat, *up)[0]
    assert float(convergence_deg("EPSG:32638", lon, lat)) == pytest.approx(true_bearing_of_grid_north, abs=1e-4)


def test_convergence_of_arrays_and_of_degrees() -> None:
    assert convergence_deg("EPSG:28408", [44.0, 45.0, 46.0], 40.0).shape == (3,)
    assert convergence_deg("EPSG:4326", [44.0, 45.0], 40.0).tolist() == [0.0, 0.0]
    assert np.sign(convergence_deg("EPSG:28408", [44.0, 46.0], 40.0)).tolist() == [-1.0, 1.0]
    with pytest.raises(PositionError):
        convergence_deg("EPSG:99999", 46, 40)


@pytest.mark.parametrize(
    ("easting", "zone"),
    [
        (8664944, 8),
        (6508000, 6),
        (12664944, 12),
        (664944, None),
        (64944, None),
        (8999999, None),
        (4430293, 4),
    ],
)
def test_zone_in_front(easting: float, zone: int | None) -> None:
    assert zone_from_easting(easting) == zone


@pytest.mark.parametrize(
    ("northing", "easting", "swapped"),
    [
        (4430293, 8664944, False),
        (8664944, 4430293, True),
        (4430293, 664944, False),
        (664944, 4430293, True),
        (4955000, 6508000, False),
        (6508000, 4955000, True),
        (5400000, 7400000, False),
        (7400000, 5400000, True),
        (4430293, 12664944, False),
        (12664944, 4430293, True),
        (30293, 64944, False),
        (300000, 500000, False),
    ],
)
def test_swap(northing: float, easting: float, swapped: bool) -> None:
    north, east, was_swapped = swap_by_range(northing, easting)
    assert was_swapped is swapped
    assert (north, east) == ((easting, northing) if swapped else (northing, easting))


@given(lon=st.floats(0.1, 179), lat=st.floats(12, 55))
def test_a_written_place_is_never_swapped(lon: float, lat: float) -> None:
    zone = gauss_kruger_zone_of(lon)
    central = 6 * zone - 3
    easting = zone * 1e6 + 5e5 + (lon - central) * 111_000 * np.cos(np.radians(lat))
    northing = lat * 110_900
    assert swap_by_range(northing, easting) == (northing, easting, False)


@pytest.mark.parametrize("words", ["СК-42 3-градусная зона", "СК-42 трёхградусная зона", "SK-42 3-degree"])
def test_three_degree_words_without_a_zone_are_no_geographic_degrees(words: str) -> None:
    stated = parse_crs(words)
    assert (stated.datum, stated.projection, stated.zone, stated.epsg) == ("SK-42", "gauss_kruger_3", None, None)

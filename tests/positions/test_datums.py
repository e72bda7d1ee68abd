"""Datum operations: never a silent zero shift, always a code, an accuracy and a second opinion."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from surefoot.errors import PositionError
from surefoot.positions.datums import (
    PinnedOperation,
    crs_exists,
    from_wgs84,
    operation_sigma_m,
    pin_operation,
    source_geographic,
    to_wgs84,
)

GEOD = Geod(ellps="WGS84")


@pytest.mark.parametrize(
    ("source", "easting", "northing", "id_"),
    [
        pytest.param("EPSG:4284", 69.2, 34.5, "SF-P001", id="Kabul"),
        pytest.param("EPSG:4281", 35.9, 32.0, "SF-P001", id="Jordan"),
        pytest.param("EPSG:4281", 35.75, 33.0, "SF-P001", id="Golan"),
        pytest.param("EPSG:4227", 35.5, 33.9, "SF-P001", id="Deir ez-Zor in Lebanon"),
        pytest.param("EPSG:31276", 6508000, 4955000, "SF-P004", id="MGI in Bosnia"),
        pytest.param("EPSG:31275", 5550000, 4955000, "SF-P004", id="MGI zone 5"),
        pytest.param("EPSG:31277", 7400000, 4955000, "SF-P004", id="MGI zone 7"),
        pytest.param("EPSG:4312", 18.0, 44.7, "SF-P004", id="MGI geographic in Bosnia"),
        pytest.param("EPSG:99999", 1, 1, "SF-P002", id="no such code"),
        pytest.param("zone eight", 1, 1, "SF-P002", id="no CRS"),
        pytest.param("EPSG:28408", float("nan"), 1, "SF-P003", id="not a number"),
        pytest.param("EPSG:28408", 1e30, 1e30, "SF-P003", id="no place"),
        pytest.param("EPSG:4326", 46, 91, "SF-P003", id="beyond the pole"),
        pytest.param("EPSG:22700", 300000, 300000, "SF-P006", id="projection not in PROJ"),
    ],
)
def test_refused(source: str, easting: float, northing: float, id_: str) -> None:
    with pytest.raises(PositionError) as caught:
        pin_operation(source, easting, northing)
    assert caught.value.id == id_


def test_proj_alone_falls_into_the_trap() -> None:
    """What the refusals above protect from: PROJ's default answer is a zero shift."""
    lon, lat = Transformer.from_crs("EPSG:4284", "EPSG:4326", always_xy=True).transform(69.2, 34.5)
    assert Transformer.from_crs("EPSG:31276", "EPSG:4326", always_xy=True).transform(6508000, 4955000)
    assert abs(lon - 69.2) < 0.01
    assert abs(lat - 34.5) < 0.01


@pytest.mark.parametrize("source", ["EPSG:3906", "EPSG:3909"])
def test_kosovo_is_flagged(source: str) -> None:
    place = (20.9, 42.6) if source == "EPSG:3906" else (7491000.0, 4718000.0)
    operation = pin_operation(source, *place)
    assert operation.flagged
    assert operation.spread_m == pytest.approx(1600, abs=50)
    assert operation_sigma_m(operation) > 1000


def test_bosnia_is_not_flagged() -> None:
    operation = pin_operation("EPSG:3908", 6508000, 4955000)
    assert not operation.flagged
    assert operation.accuracy_m <= 5
    assert operation.code.startswith("EPSG:")


@pytest.mark.parametrize("source", ["EPSG:4326", "EPSG:32638", "EPSG:9057"])
def test_wgs84_needs_no_operation(source: str) -> None:
    place = (664944.0, 4430293.0) if source == "EPSG:32638" else (46.9, 40.0)
    operation = pin_operation(source, *place)
    assert (operation.code, operation.accuracy_m, operation.spread_m) == ("none", 0.0, None)
    assert operation_sigma_m(operation) == 0.0
    lon, lat = to_wgs84(source, *place, operation)
    assert (lon, lat) == tuple(pytest.approx(v, abs=1e-12) for v in source_geographic(source, *place))


def test_sigma_adds_the_spread() -> None:
    operation = PinnedOperation("EPSG:28408", "EPSG:15865", "", 4.5, "EPSG:1808", 6.0, False)
    assert operation_sigma_m(operation) == pytest.approx(0.707 * 7.5)
    assert operation_sigma_m(operation, axis_factor=1.0) == pytest.approx(7.5)


def test_an_operation_of_another_datum_is_refused() -> None:
    operation = pin_operation("EPSG:28408", 8664944, 4430293)
    with pytest.raises(PositionError) as caught:
        to_wgs84("EPSG:3908", 6508000, 4955000, operation)
    assert caught.value.id == "SF-P005"
    with pytest.raises(PositionError):
        to_wgs84("EPSG:28408", 8664944, 4430293, pin_operation("EPSG:4326", 46, 40))


def test_an_operation_serves_every_grid_of_its_datum() -> None:
    """A wrong zone is a reading that must be computed, although PROJ would offer nothing there."""
    operation = PinnedOperation("EPSG:28411", "EPSG:1303", "", 2.0, None, None, False)
    lon, lat = to_wgs84("EPSG:28408", 8664944, 4430293, operation)
    direct = Transformer.from_pipeline("urn:ogc:def:coordinateOperation:EPSG::1303")
    base = source_geographic("EPSG:28408", 8664944, 4430293)
    expected_lat, expected_lon = direct.transform(float(base[1]), float(base[0]))
    assert (lon, lat) == (pytest.approx(expected_lon, abs=1e-9), pytest.approx(expected_lat, abs=1e-9))


def test_against_the_operation_by_its_epsg_code() -> None:
    operation = pin_operation("EPSG:28408", 8664944, 4430293)
    lon, lat = to_wgs84("EPSG:28408", 8664944, 4430293, operation)
    base = source_geographic("EPSG:28408", 8664944, 4430293)
    direct = Transformer.from_pipeline("urn:ogc:def:coordinateOperation:EPSG::15865")
    expected_lat, expected_lon = direct.transform(float(base[1]), float(base[0]))
    assert (lon, lat) == (pytest.approx(expected_lon, abs=1e-10), pytest.approx(expected_lat, abs=1e-10))


def test_missing_places_stay_missing_and_bad_ones_are_refused() -> None:
    operation = pin_operation("EPSG:28408", 8664944, 4430293)
    lon, lat = to_wgs84("EPSG:28408", [8664944, np.nan], [4430293, np.nan], operation)
    assert np.isfinite([lon[0], lat[0]]).all()
    assert not np.isfinite([lon[1], lat[1]]).any()
    with pytest.raises(PositionError):
        to_wgs84("EPSG:28408", [1e30], [1e30], operation)


def test_input_arrays_are_left_alone() -> None:
    operation = pin_operation("EPSG:28408", 8664944, 4430293)
    easting, northing = np.array([8664944.0]), np.array([4430293.0])
    to_wgs84("EPSG:28408", easting, northing, operation)
    assert easting[0] == 8664944.0
    assert northing[0] == 4430293.0


def test_place_on_the_date_line() -> None:
    assert pin_operation("EPSG:4284", 179.99, 66.9).code == "EPSG:5044"
    assert pin_operation("EPSG:4284", -179.9, 66.9).code == "EPSG:5044"
    assert pin_operation("EPSG:4284", 180.0, 66.9).code.startswith("EPSG:")


def test_unknown_crs() -> None:
    assert crs_exists("EPSG:28408")
    assert not crs_exists("EPSG:99999")


@given(lon=st.floats(44, 51), lat=st.floats(38.5, 43))
def test_there_and_back(lon: float, lat: float) -> None:
    operation = pin_operation("EPSG:28408", 8664944, 4430293)
    easting, northing = from_wgs84("EPSG:28408", lon, lat, operation)
    again = to_wgs84("EPSG:28408", easting, northing, operation)
    assert GEOD.inv(lon, lat, float(again[0]), float(again[1]))[2] < 1e-3


@given(lon=st.floats(15.8, 19.4), lat=st.floats(42.7, 45.2))
def test_every_place_in_bosnia_has_an_accuracy(lon: float, lat: float) -> None:
    operation = pin_operation("EPSG:3906", lon, lat)
    assert operation.code != "none"
    assert 0 < operation.accuracy_m <= 5
    assert operation.second_code != operation.code

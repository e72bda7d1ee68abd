"""Declination against two independent programs, and the years it refuses."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import ppigrf
import pyIGRF14
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import PositionError
from surefoot.positions.declination import declination_deg


@given(lon=st.floats(-180, 180), lat=st.floats(-60, 60), year=st.floats(1900, 2030), height=st.floats(0, 5000))
def test_against_pyigrf14(lon: float, lat: float, year: float, height: float) -> None:
    expected, _, horizontal, *_ = pyIGRF14.igrf_value(lat, lon, height / 1000, year)
    found = float(declination_deg(lon, lat, year, height))
    # Its ellipsoid is rounded by a few metres: a trillionth of the field, seen only where the needle is weak.
    assert abs((found - expected + 180) % 360 - 180) * horizontal < 1.0


@pytest.mark.parametrize("year", [1905, 1943, 1974, 1988, 1993, 1999, 2006, 2020, 2024])
@pytest.mark.parametrize(("lon", "lat"), [(46.93, 39.99), (18.1, 44.74), (37.5, 48.5), (69.2, 34.5), (-59.0, -51.7)])
def test_against_ppigrf(year: int, lon: float, lat: float) -> None:
    east, north, _ = ppigrf.igrf(lon, lat, 0.5, dt.datetime(year, 1, 1))
    expected = math.degrees(math.atan2(float(np.ravel(east)[0]), float(np.ravel(north)[0])))
    assert declination_deg(lon, lat, float(year), 500.0) == pytest.approx(expected, abs=0.01)


def test_arrays_broadcast() -> None:
    years = np.array([1988.0, 1993.5, 2010.0])
    found = declination_deg(np.full((4, 1), 46.93), 39.99, years)
    assert found.shape == (4, 3)
    assert (found[0] == found[3]).all()
    assert found[0, 1] == declination_deg(46.93, 39.99, 1993.5)


@pytest.mark.parametrize("year", [1899.99, 2030.01, float("nan"), 0.0, 20190.0])
def test_years_without_a_model_are_refused(year: float) -> None:
    with pytest.raises(PositionError) as caught:
        declination_deg(46.93, 39.99, year)
    assert caught.value.id == "SF-P040"


def test_first_and_last_year_and_the_seams_of_the_model() -> None:
    assert np.isfinite(declination_deg(46.93, 39.99, [1900.0, 2030.0])).all()
    for seam in (1905.0, 1995.0, 2000.0, 2025.0):
        before, after = declination_deg(46.93, 39.99, [seam - 1e-6, seam + 1e-6])
        assert after == pytest.approx(before, abs=1e-4)


def test_beyond_the_pole_is_no_place() -> None:
    with pytest.raises(PositionError):
        declination_deg(46.93, 91.0, 1993.5)


def test_missing_places_stay_missing() -> None:
    found = declination_deg([46.93, np.nan], [39.99, np.nan], 1993.5)
    assert np.isfinite(found[0])
    assert np.isnan(found[1])

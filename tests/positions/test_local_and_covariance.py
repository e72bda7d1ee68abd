"""The flat frame about a pivot, and ellipses."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS, Geod, Transformer
from scipy.stats import chi2

from surefoot.errors import PositionError
from surefoot.positions.covariance import checked_covariance, ellipse, ellipse_scale, turned
from surefoot.positions.local import from_local, meridian_turn_deg, to_local

GEOD = Geod(ellps="WGS84")
lons, lats = st.floats(-179, 179), st.floats(-70, 70)
offsets = st.floats(-15_000, 15_000)


@given(lon=lons, lat=lats, east=offsets, north=offsets)
def test_there_and_back(lon: float, lat: float, east: float, north: float) -> None:
    place = from_local(east + 1j * north, pivot=(lon, lat))
    assert abs(complex(to_local(*place, pivot=(lon, lat))) - (east + 1j * north)) < 1e-6


@given(lon=lons, lat=lats, east=offsets, north=offsets)
def test_against_proj_azimuthal_equidistant(lon: float, lat: float, east: float, north: float) -> None:
    crs = CRS.from_proj4(f"+proj=aeqd +lat_0={lat} +lon_0={lon} +ellps=WGS84 +units=m")
    expected = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True).transform(east, north)
    found = from_local(east + 1j * north, pivot=(lon, lat))
    assert GEOD.inv(*expected, float(found[0]), float(found[1]))[2] < 1e-3


@given(lon=lons, lat=lats, east=offsets, north=offsets)
def test_true_north_in_the_frame(lon: float, lat: float, east: float, north: float) -> None:
    """Walk north on the ground and look which way that was in the frame."""
    z = east + 1j * north
    here = from_local(z, pivot=(lon, lat))
    up = GEOD.fwd(float(here[0]), float(here[1]), 0.0, 10.0)[:2]
    step = complex(to_local(*up, pivot=(lon, lat))) - z
    assert float(meridian_turn_deg(z, pivot=(lon, lat))) == pytest.approx(90 - math.degrees(np.angle(step)), abs=1e-3)


def test_pivot_itself() -> None:
    assert to_local(46.9, 40.0, pivot=(46.9, 40.0)) == 0
    assert meridian_turn_deg(0j, pivot=(46.9, 40.0)) == 0
    assert meridian_turn_deg(10_000 + 0j, pivot=(46.9, 40.0)) < 0
    assert meridian_turn_deg(-10_000 + 0j, pivot=(46.9, 40.0)) > 0


def test_arrays() -> None:
    z = to_local([46.9, 46.95, np.nan], [40.0, 40.01, np.nan], pivot=(46.9, 40.0))
    assert z.shape == (3,)
    assert np.isnan(z[2])
    assert to_local(46.95, [40.0, 40.1], pivot=(46.9, 40.0)).shape == (2,)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
def test_ellipse_scale(level: float) -> None:
    assert ellipse_scale(level) == pytest.approx(math.sqrt(chi2.ppf(level, 2)))


def test_ellipse_of_a_known_shape() -> None:
    major, minor, azimuth = ellipse([[100.0, 0.0], [0.0, 400.0]], 0.9)
    assert (major, minor, azimuth) == (
        pytest.approx(20 * 2.14597, rel=1e-5),
        pytest.approx(10 * 2.14597, rel=1e-5),
        0,
    )
    assert ellipse([[400.0, 0.0], [0.0, 100.0]], 0.9)[2] == pytest.approx(90)
    assert ellipse([[5.0, 3.0], [3.0, 5.0]], 0.9)[2] == pytest.approx(45)
    assert ellipse([[5.0, -3.0], [-3.0, 5.0]], 0.9)[2] == pytest.approx(135)


@given(a=st.floats(0.1, 100), b=st.floats(0.1, 100), turn=st.floats(0, 179.9))
def test_ellipse_turns_with_its_place(a: float, b: float, turn: float) -> None:
    long, short = max(a, b) + 1.0, min(a, b)
    cov = turned(np.diag([short**2, long**2]), turn)
    major, minor, azimuth = ellipse(cov, 0.5)
    scale = ellipse_scale(0.5)
    assert (major, minor) == (pytest.approx(long * scale), pytest.approx(short * scale, rel=1e-6))
    assert abs((float(azimuth) - turn + 90) % 180 - 90) < 1e-4


def test_ellipse_holds_its_share_of_places() -> None:
    rng = np.random.default_rng(7)
    cov = np.array([[900.0, -250.0], [-250.0, 100.0]])
    places = rng.multivariate_normal([0, 0], cov, 100_000)
    major, minor, azimuth = (float(v) for v in ellipse(cov, 0.9))
    along = np.array([np.sin(np.radians(azimuth)), np.cos(np.radians(azimuth))])
    across = np.array([along[1], -along[0]])
    inside = (places @ along / major) ** 2 + (places @ across / minor) ** 2 <= 1
    assert inside.mean() == pytest.approx(0.9, abs=0.004)


def test_stack_of_covariances() -> None:
    covs = np.array([np.eye(2), np.diag([4.0, 1.0]), np.zeros((2, 2))])
    major, minor, azimuth = ellipse(covs, 0.9)
    assert major.shape == minor.shape == azimuth.shape == (3,)
    assert major[2] == 0
    assert ellipse(np.zeros((0, 2, 2)), 0.9)[0].shape == (0,)


@pytest.mark.parametrize(
    "cov",
    [
        [[1.0, 2.0], [2.0, 1.0]],
        [[1.0, 0.5], [0.0, 1.0]],
        [[np.nan, 0], [0, 1.0]],
        [[-1.0, 0], [0, 1.0]],
        [1.0, 2.0],
    ],
)
def test_no_covariance(cov: list[object]) -> None:
    with pytest.raises(PositionError) as caught:
        checked_covariance(cov)
    assert caught.value.id == "SF-P060"


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, float("nan")])
def test_no_probability(level: float) -> None:
    with pytest.raises(PositionError) as caught:
        ellipse_scale(level)
    assert caught.value.id == "SF-P061"

"""Magnetic declination by the International Geomagnetic Reference Field."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from pyIGRF14.loadCoeffs import get_coeffs

from surefoot.errors import PositionError

Floats = npt.NDArray[np.float64]

FIRST_YEAR = 1900.0
LAST_YEAR = 2030.0
_REFERENCE_RADIUS_KM = 6371.2
_AT_ONCE = 4096  # points; the Legendre tables of a million would fill gigabytes
_A2 = 6378.137**2
_B2 = 6356.752314245**2


def declination_deg(
    longitude: npt.ArrayLike,
    latitude: npt.ArrayLike,
    decimal_year: npt.ArrayLike,
    height_m: npt.ArrayLike = 0.0,
) -> Floats:
    """Return the magnetic declination, degrees, east positive.

    IGRF-14 (Alken et al. 2021, Earth Planets Space 73:49, and the 14th generation's coefficients), evaluated
    for whole arrays; the coefficients are those that ship with pyIGRF14.

    Parameters
    ----------
    longitude, latitude
        WGS 84 degrees, arrays that broadcast; tens of metres of datum do not matter here.
    decimal_year
        Such as 1993.5; 1900.0 to 2030.0.
    height_m
        Above the ellipsoid, metres.

    Raises
    ------
    PositionError
        SF-P040 outside the years the model covers (it would freeze and go on in silence); SF-P003 no place.
    """
    lon, lat, year, height = np.broadcast_arrays(
        *(np.asarray(a, dtype=np.float64) for a in (longitude, latitude, decimal_year, height_m))
    )
    outside = ~((year >= FIRST_YEAR) & (year <= LAST_YEAR))
    if outside.any():
        raise PositionError("SF-P040", str(year[outside].flat[0]), first=FIRST_YEAR, last=LAST_YEAR)
    if (np.abs(lat) > 90.0).any():
        raise PositionError("SF-P003", "WGS 84", first=float(lon.flat[0]), second=float(np.abs(lat).max()))
    lons, lats, years, heights = (a.ravel() for a in (lon, lat, year, height))
    out = np.empty(lons.shape)
    for one_year in np.unique(years):
        places = np.flatnonzero(years == one_year)
        for start in range(0, len(places), _AT_ONCE):
            at = places[start : start + _AT_ONCE]
            east, north = _horizontal_field(lons[at], lats[at], heights[at] / 1000.0, float(one_year))
            out[at] = np.degrees(np.arctan2(east, north))
    return out.reshape(lon.shape)


@lru_cache(maxsize=512)
def _coefficients(year: float) -> tuple[Floats, Floats]:
    """Return g and h as (degree + 1, degree + 1) arrays, nanotesla."""
    g_rows, h_rows = get_coeffs(year)  # type: ignore[no-untyped-call]
    size = len(g_rows)
    g, h = np.zeros((size, size)), np.zeros((size, size))
    for n in range(1, size):
        g[n, : n + 1] = g_rows[n]
        h[n, 1 : n + 1] = h_rows[n][1:]
    return g, h


def _horizontal_field(lon: Floats, lat: Floats, height_km: Floats, year: float) -> tuple[Floats, Floats]:
    """Return the east and north components on the ellipsoid's tangent plane, nanotesla."""
    colatitude, tilt, radius = _geocentric(lat, height_km)
    g, h = _coefficients(year)
    down, south, east = np.zeros_like(lon), np.zeros_like(lon), np.zeros_like(lon)
    sin_t, cos_t = np.maximum(np.sin(colatitude), 1e-12), np.cos(colatitude)
    legendre, slope = _schmidt(cos_t, sin_t, len(g) - 1)
    m = np.arange(len(g))[:, None]
    cos_m, sin_m = np.cos(m * np.radians(lon)), np.sin(m * np.radians(lon))
    for n in range(1, len(g)):
        power = (_REFERENCE_RADIUS_KM / radius) ** (n + 2)
        cosines, sines, orders = cos_m[: n + 1], sin_m[: n + 1], m[: n + 1]
        g_n, h_n = g[n, : n + 1, None], h[n, : n + 1, None]
        along = g_n * cosines + h_n * sines
        down -= (n + 1) * power * np.sum(along * legendre[n, : n + 1], axis=0)
        south -= power * np.sum(along * slope[n, : n + 1], axis=0)
        across = orders * (g_n * sines - h_n * cosines)
        east += power * np.sum(across * legendre[n, : n + 1], axis=0) / sin_t
    return east, -south * np.cos(tilt) + down * np.sin(tilt)


def _geocentric(lat: Floats, height_km: Floats) -> tuple[Floats, Floats, Floats]:
    """Return geocentric colatitude, its tilt against the geodetic vertical (radians) and radius (km)."""
    sin_l, cos_l = np.sin(np.radians(lat)), np.cos(np.radians(lat))
    prime_vertical = _A2 / np.sqrt(_A2 * cos_l**2 + _B2 * sin_l**2)
    across = (prime_vertical + height_km) * cos_l
    up = (prime_vertical * _B2 / _A2 + height_km) * sin_l
    colatitude = np.arctan2(across, up)
    return colatitude, colatitude - np.radians(90.0 - lat), np.hypot(across, up)


def _schmidt(cos_t: Floats, sin_t: Floats, degree: int) -> tuple[Floats, Floats]:
    """Return the Schmidt quasi-normalised Legendre functions and their slopes, (n, m, points)."""
    p = np.zeros((degree + 1, degree + 1, *cos_t.shape))
    dp = np.zeros_like(p)
    p[0, 0] = 1.0
    for n in range(1, degree + 1):
        diagonal = np.sqrt(1.0 - 0.5 / n) if n > 1 else 1.0
        p[n, n] = diagonal * sin_t * p[n - 1, n - 1]
        dp[n, n] = diagonal * (sin_t * dp[n - 1, n - 1] + cos_t * p[n - 1, n - 1])
        m = np.arange(n)[:, None]
        root = np.sqrt(n * n - m * m)
        before = np.sqrt(np.maximum((n - 1) ** 2 - m * m, 0))
        last, older = p[n - 1, :n], p[max(n - 2, 0), :n]
        last_slope, older_slope = dp[n - 1, :n], dp[max(n - 2, 0), :n]
        p[n, :n] = ((2 * n - 1) * cos_t * last - before * older) / root
        dp[n, :n] = ((2 * n - 1) * (cos_t * last_slope - sin_t * last) - before * older_slope) / root
    return p, dp

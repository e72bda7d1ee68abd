"""A flat frame in metres about a pivot: azimuthal equidistant on the WGS 84 ellipsoid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pyproj import Geod

Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]

_GEOD = Geod(ellps="WGS84")


def to_local(longitude: npt.ArrayLike, latitude: npt.ArrayLike, *, pivot: tuple[float, float]) -> Complexes:
    """Return places as ``east + 1j * north`` in metres from the pivot.

    Distance and true azimuth from the pivot are exact; between other places the frame is true to 1e-6 within
    15 km of the pivot.

    Parameters
    ----------
    longitude, latitude
        WGS 84 degrees, arrays that broadcast.
    pivot
        Longitude and latitude of the frame's zero.
    """
    lon, lat = np.broadcast_arrays(np.asarray(longitude, dtype=np.float64), np.asarray(latitude, dtype=np.float64))
    azimuth, _, distance = _inverse(lon, lat, pivot)
    return np.asarray(distance * np.exp(1j * np.radians(90.0 - azimuth)), dtype=np.complex128)


def from_local(z: npt.ArrayLike, *, pivot: tuple[float, float]) -> tuple[Floats, Floats]:
    """Return WGS 84 longitude and latitude in degrees of ``east + 1j * north`` metres, undoing `to_local`."""
    at = np.asarray(z, dtype=np.complex128)
    azimuth = 90.0 - np.degrees(np.angle(at))
    lon, lat = np.full(at.shape, pivot[0]), np.full(at.shape, pivot[1])
    out_lon, out_lat, _ = _GEOD.fwd(lon, lat, azimuth, np.abs(at))
    return np.asarray(out_lon, dtype=np.float64), np.asarray(out_lat, dtype=np.float64)


def meridian_turn_deg(z: npt.ArrayLike, *, pivot: tuple[float, float]) -> Floats:
    """Return how far true north at `z` is turned from the frame's north axis, degrees, clockwise positive.

    A bearing counted from true north at `z` becomes one in the frame by adding it. East of the pivot on the
    northern half of the earth it is negative: the meridians lean towards the pole.
    """
    at = np.asarray(z, dtype=np.complex128)
    lon, lat = from_local(at, pivot=pivot)
    azimuth, back, distance = _inverse(lon, lat, pivot)
    turn = np.mod(azimuth - (back + 180.0) + 180.0, 360.0) - 180.0
    return np.where(distance < 1e-6, 0.0, turn)


def _inverse(lon: Floats, lat: Floats, pivot: tuple[float, float]) -> tuple[Floats, Floats, Floats]:
    from_lon, from_lat = np.full(lon.shape, pivot[0]), np.full(lat.shape, pivot[1])
    azimuth, back, distance = _GEOD.inv(from_lon, from_lat, lon, lat)
    return (
        np.asarray(azimuth, dtype=np.float64),
        np.asarray(back, dtype=np.float64),
        np.asarray(distance, dtype=np.float64),
    )

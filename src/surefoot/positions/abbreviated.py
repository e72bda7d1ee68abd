"""Shortened plane coordinates: forms leave out the digits that are the same all over a sheet."""

from __future__ import annotations

import itertools

import numpy as np

from surefoot.positions.datums import source_geographic
from surefoot.positions.statements import Sheet
from surefoot.positions.zones import gauss_kruger_crs

_STEP_M = 100_000.0
_MILLION_M = 1_000_000.0
# A landmark just over the sheet's edge is still read on its overlap.
_EDGE_DEG = 0.02


def expand_abbreviated(
    northing: float, easting: float, *, zone: int | None, sheet: Sheet | None
) -> tuple[tuple[float, float], ...]:
    """Return every full (northing, easting) in metres that shortened numbers may mean.

    Numbers of up to five digits repeat every 100 km, an easting of six digits lacks its zone, a northing of
    six digits its millions.

    Parameters
    ----------
    northing, easting
        As written, metres.
    zone
        6-degree zone, if stated; else that of the sheet; without either the eastings stay without a prefix.
    sheet
        Keeps only what lies on it (bounds on Pulkovo 1942, 0.02 degrees over the edge allowed). Full
        coordinates are returned as they are: the sheet is then the caller's checksum.

    Returns
    -------
    tuple
        Unique inside a sheet of 1:200,000 or larger; empty if none lies on the sheet.
    """
    stated_zone = zone if zone is not None else (sheet.zone if sheet is not None else None)
    northings, eastings = _northings(northing), _eastings(easting, stated_zone)
    pairs = tuple(itertools.product(northings, eastings))
    shortened = len(northings) > 1 or len(eastings) > 1
    if sheet is None or not shortened:
        return pairs
    return _on_sheet(pairs, sheet)


def _northings(northing: float) -> tuple[float, ...]:
    if northing < _STEP_M:
        return tuple(northing + _STEP_M * k for k in range(94))
    if northing < _MILLION_M:
        return tuple(northing + _MILLION_M * k for k in range(10))
    return (northing,)


def _eastings(easting: float, zone: int | None) -> tuple[float, ...]:
    if easting >= _MILLION_M:
        return (easting,)
    prefix = _MILLION_M * zone if zone is not None else 0.0
    if easting < _STEP_M:
        return tuple(prefix + easting + _STEP_M * k for k in range(1, 9))
    return (prefix + easting,)


def _on_sheet(pairs: tuple[tuple[float, float], ...], sheet: Sheet) -> tuple[tuple[float, float], ...]:
    north, east = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
    zones = (east // _MILLION_M).astype(int)
    keep = np.zeros(len(pairs), dtype=bool)
    for zone in np.unique(zones):
        at = zones == zone
        lon, lat = source_geographic(gauss_kruger_crs(int(zone)), east[at], north[at])
        inside_lon = (lon >= sheet.west - _EDGE_DEG) & (lon <= sheet.east + _EDGE_DEG)
        keep[at] = inside_lon & (lat >= sheet.south - _EDGE_DEG) & (lat <= sheet.north + _EDGE_DEG)
    return tuple(pair for pair, kept in zip(pairs, keep, strict=True) if kept)

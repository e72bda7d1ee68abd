"""Plane coordinates and files in another CRS -> WGS 84, through a pinned operation only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyproj
import pyproj.exceptions

from surefoot.errors import InputError, PositionError
from surefoot.model import Floats, Texts
from surefoot.positions.datums import PinnedOperation, operation_sigma_m, pin_operation, to_wgs84
from surefoot.positions.statements import CrsStatement
from surefoot.positions.zones import gauss_kruger_crs, parse_crs, utm_crs, zone_from_easting
from surefoot.readers.cells_text import Mask

BLOCK_M = 200_000.0  # one operation is pinned per block: which one is best depends on the place
BLOCK_DEG = 2.0
_PREFIXED_SK42 = re.compile(r"EPSG:284(0[4-9]|[12]\d|3[0-2])")
_UTM = re.compile(r"EPSG:32[67](0[1-9]|[1-5]\d|60)")
_ZONE_REACH_M = 420_000.0  # half a zone at the equator and its overlap
_LEAST_M = 100_000.0  # five digits or fewer: a shortened number
_WKT = ("PROJCS", "GEOGCS", "PROJCRS", "GEOGCRS", "COMPD", "BOUNDCRS")
_AUTHORITY = re.compile(r"(EPSG|ESRI|OGC|IGNF):[A-Z0-9]+", re.IGNORECASE)


@dataclass(frozen=True)
class Moved:
    """Positions moved to WGS 84.

    Parameters
    ----------
    sigma_m
        Sigma per axis of the datum operation, 0 for WGS 84.
    failures
        Error -> which positions it concerns; they are nan.
    operations
        The operations used.
    """

    longitude: Floats
    latitude: Floats
    sigma_m: Floats
    failures: tuple[tuple[PositionError, Mask], ...] = ()
    operations: tuple[PinnedOperation, ...] = ()


def move(source: str, easting: Floats, northing: Floats) -> Moved:
    """Move positions from one CRS to WGS 84, block by block with the operation pinned there.

    Parameters
    ----------
    source
        CRS as pyproj takes it.
    easting, northing
        Or longitude and latitude if the source is geographic; nan stays nan.
    """
    longitude, latitude = np.full(len(easting), np.nan), np.full(len(easting), np.nan)
    sigma = np.zeros(len(easting))
    failures: list[tuple[PositionError, Mask]] = []
    operations: dict[str, PinnedOperation] = {}
    for block in _blocks(easting, northing, BLOCK_DEG if is_geographic(source) else BLOCK_M):
        try:
            operation = pin_operation(source, float(np.median(easting[block])), float(np.median(northing[block])))
            lon, lat = to_wgs84(source, easting[block], northing[block], operation)
        except PositionError as error:
            failures.append((error, block))
            continue
        longitude[block], latitude[block] = lon, lat
        sigma[block] = operation_sigma_m(operation) if operation.code != "none" else 0.0
        operations[operation.code] = operation
    return Moved(longitude, latitude, sigma, tuple(failures), tuple(operations.values()))


def _blocks(easting: Floats, northing: Floats, size: float) -> Iterator[Mask]:
    known = np.isfinite(easting) & np.isfinite(northing)
    if not known.any():
        return
    columns = np.where(known, np.floor(np.where(known, easting, 0) / size), 0)
    rows = np.where(known, np.floor(np.where(known, northing, 0) / size), 0)
    keys = columns * 1e6 + rows
    for key in np.unique(keys[known]):
        yield known & (keys == key)


@cache
def is_geographic(source: str) -> bool:
    """Return whether a CRS counts in degrees."""
    return bool(pyproj.CRS.from_user_input(source).is_geographic)


def sources(crs: Texts, easting: Floats) -> Iterator[tuple[str, Mask]]:
    """Yield each CRS that stands in a column, with its rows.

    A Gauss-Krueger system without a zone takes the zone from the easting.

    Raises
    ------
    InputError
        SF-R129 for a text that decides no CRS.
    """
    for text in dict.fromkeys(crs.tolist()):
        rows = crs == text
        if text:
            yield from _zoned(text, rows, easting)


def _zoned(text: str, rows: Mask, easting: Floats) -> Iterator[tuple[str, Mask]]:
    if (fixed := source_of(text)) is not None:
        yield fixed, rows
        return
    statement = parse_crs(text)
    if statement.zone is not None or statement.projection not in {"gauss_kruger", ""}:
        raise InputError("SF-R129", text)
    millions = np.floor(np.where(np.isfinite(easting), easting, 0) / 1e6)
    for million in np.unique(millions[rows]):
        zone = zone_from_easting(float(million) * 1e6 + 500_000)
        if zone is None or not statement.datum:
            raise InputError("SF-R129", text)
        yield gauss_kruger_crs(zone, datum=statement.datum), rows & (millions == million)


@cache
def source_of(text: str) -> str | None:
    """Return the CRS a text decides by itself; None if a zone must come from the coordinates.

    Raises
    ------
    InputError
        SF-R129 for a text that is no CRS.
    """
    written = text.strip()
    if written.isdigit():
        written = f"EPSG:{written}"
    if _AUTHORITY.fullmatch(written) or written.upper().startswith(("PROJCS", "GEOGCS", "PROJCRS", "GEOGCRS")):
        return _known(written)
    return _decided(parse_crs(text))


def _known(written: str) -> str:
    try:
        crs = pyproj.CRS.from_user_input(written)
    except pyproj.exceptions.CRSError as error:
        raise InputError("SF-R129", written[:120]) from error
    authority = crs.to_authority(min_confidence=70)
    return ":".join(authority) if authority else str(crs.to_wkt())


def _decided(statement: CrsStatement) -> str | None:
    if statement.epsg is not None:
        return statement.epsg if ":" in statement.epsg else f"EPSG:{statement.epsg}"
    if statement.projection == "utm" and statement.zone is not None and statement.datum in {"", "WGS84"}:
        # "38S": the band of 32-40 degrees north, as receivers show it; a southern place would fall outside the region.
        return utm_crs(statement.zone, statement.hemisphere_north is not False)
    if statement.projection == "gauss_kruger" and statement.zone is not None and statement.datum:
        return gauss_kruger_crs(statement.zone, datum=statement.datum)
    return None


def shortened(source: str, easting: Floats, northing: Floats) -> Mask:
    """Return which rows are no full coordinates of a UTM or Gauss-Krueger zone, whichever axis comes first.

    Forms shorten coordinates to their last digits; a place made of such digits is a wrong place.
    """
    if not (_UTM.fullmatch(source) or _PREFIXED_SK42.fullmatch(source)):
        return np.zeros(len(easting), dtype=bool)
    full = _full(source, easting, northing) | _full(source, northing, easting)
    return np.asarray(np.isfinite(easting) & np.isfinite(northing) & ~full)


def _full(source: str, easting: Floats, northing: Floats) -> Mask:
    """Return which pairs have all their digits. A short northing is UTM's just north of the equator."""
    utm = _UTM.fullmatch(source) is not None
    local = easting if utm else np.mod(easting, 1e6)
    in_zone = np.abs(local - 500_000) <= _ZONE_REACH_M
    tropical = (easting >= _LEAST_M) & utm
    return np.asarray(in_zone & ((northing >= _LEAST_M) | (tropical & (northing >= 0))))


def tidy_axes(source: str, easting: Floats, northing: Floats) -> tuple[Floats, Floats, Mask]:
    """Give Gauss-Krueger SK-42 eastings their zone prefix, and put X and Y in their places by the prefix.

    Returns
    -------
    Easting, northing, and which rows had them swapped.
    """
    match = _PREFIXED_SK42.fullmatch(source)
    if match is None:
        return easting, northing, np.zeros(len(easting), dtype=bool)
    zone = int(match[1])
    swapped = (np.floor(northing / 1e6) == zone) & (np.floor(easting / 1e6) != zone)
    east, north = np.where(swapped, northing, easting), np.where(swapped, easting, northing)
    return np.where(east < 1e6, east + zone * 1e6, east), north, swapped

"""From a coordinate as written to places on the ground: every way to read it, under one coordinate system."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

import numpy as np
import pyproj
from shapely.geometry.base import BaseGeometry

from surefoot.analysis.locate.frames import Frame, is_projected, is_utm
from surefoot.positions.abbreviated import expand_abbreviated
from surefoot.positions.mgrs import mgrs_to_utm
from surefoot.positions.squares import square_bounds
from surefoot.positions.statements import CoordinateStatement, Sheet
from surefoot.positions.zones import swap_by_range, utm_crs, utm_swap_by_range, zone_from_easting

# A coordinate just over a sheet's edge is still "on the sheet": neat lines and datums differ a little.
SHEET_MARGIN_DEG = 0.01
REGION_EDGE_DEG = 0.1
FAR_OFF_M = 40_000.0  # about a sheet of 1:100,000
_DECIMAL_READING_WEIGHT = 0.9
_MILLION_M = 1_000_000.0
SQUARES_REPEAT_M = 100_000.0
MOST_REGION_M = 500_000.0  # a larger region holds too many squares of one number to say anything


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the numbers of one coordinate system. `cell_m` is the size of the square it was rounded to."""

    source: str  # EPSG code, or "local"
    easting: float
    northing: float
    cell_m: float
    weight: float = 1.0
    label: str = ""
    swapped: bool = False


def places_of(
    statement: CoordinateStatement, frame: Frame, sheets: Sequence[Sheet], region: BaseGeometry | None = None
) -> list[Place]:
    """Return every place a written coordinate may mean, weights adding to 1; empty when it cannot be placed.

    The sheets, or else the region (WGS 84), decide between repeats of shortened coordinates.
    """
    if statement.kind == "local":
        return [Place("local", statement.easting or 0.0, statement.northing or 0.0, 0.0)]
    if statement.kind == "mgrs":
        return [_mgrs(statement)]
    if statement.kind == "square":
        return _square(statement, frame, sheets) if sheets or region is None else _square_in(statement, frame, region)
    if statement.kind == "geographic":
        return _geographic(statement, frame, sheets, region)
    return _plane(statement, frame, sheets, region)


def _mgrs(statement: CoordinateStatement) -> Place:
    zone, north, easting, northing, quantum = mgrs_to_utm(statement.mgrs)
    if statement.easting is not None and statement.northing is not None:  # written as UTM with its latitude band
        easting, northing, quantum = statement.easting, statement.northing, statement.quantum_m
    return Place(utm_crs(zone, north), easting, northing, quantum)


def _square(statement: CoordinateStatement, frame: Frame, sheets: Sequence[Sheet]) -> list[Place]:
    if frame.plane is None:
        return []
    # The second order is that of a form whose author wrote east first: only where X first misses every sheet.
    for order in ("XY", "YX"):
        squares = (_square_on(sheet, statement, frame.plane, order) for sheet in sheets)
        places = [
            place for place, sheet in zip(squares, sheets, strict=True) if _inside_sheet(place, [sheet], place.cell_m)
        ]
        if places:
            return _equal_weights(places)
    return []


def _square_in(statement: CoordinateStatement, frame: Frame, region: BaseGeometry) -> list[Place]:
    """Squares of that number inside the region: they repeat every 100 km."""
    if frame.plane is None:
        return []
    west, south, east, north = region.bounds
    corners = [_projection(frame.plane)(lon, lat) for lon in (west, east) for lat in (south, north)]
    edges = [(min(values), max(values)) for values in zip(*corners, strict=True)]
    if any(high - low > MOST_REGION_M for low, high in edges):
        return []
    near = [np.arange(low, high + SQUARES_REPEAT_M, SQUARES_REPEAT_M) for low, high in edges]
    places = []
    for easting, northing in itertools.product(*near):
        left, low, right, high = square_bounds(
            statement.square, near_easting=float(easting), near_northing=float(northing), order="XY",
            ninth=statement.ninth,
        )  # fmt: skip
        places.append(Place(frame.plane, (left + right) / 2, (low + high) / 2, right - left))
    return _equal_weights([place for place in places if on_stated_ground(place, (), region)])


def _square_on(sheet: Sheet, statement: CoordinateStatement, plane: str, order: str) -> Place:
    east, north = _sheet_centre(sheet, plane)
    west, south, right, top = square_bounds(
        statement.square, near_easting=east, near_northing=north, order=order, ninth=statement.ninth
    )
    middle = ((west + right) / 2, (south + top) / 2)
    return Place(plane, *middle, right - west, label=sheet.name, swapped=order == "YX")


def _sheet_centre(sheet: Sheet, plane: str) -> tuple[float, float]:
    east, north = _projection(plane)((sheet.west + sheet.east) / 2, (sheet.south + sheet.north) / 2)
    return float(east), float(north)


@cache
def _projection(epsg: str) -> pyproj.Proj:
    return pyproj.Proj(epsg)


def _geographic(
    statement: CoordinateStatement, frame: Frame, sheets: Sequence[Sheet], region: BaseGeometry | None
) -> list[Place]:
    """Degrees as written, or in another notation; latitude and longitude exchanged only where nothing else fits."""
    written = [statement, *statement.alternatives]
    places = [
        Place(
            frame.geographic, s.longitude, s.latitude, s.quantum_m, label=s.notation,
            swapped=_is_exchanged(s, statement),
        )
        for s in written
        if s.longitude is not None and s.latitude is not None
    ]  # fmt: skip
    inside = [place for place in places if on_stated_ground(place, sheets, region)]
    straight = [place for place in inside if not place.swapped] or inside
    kept = straight or [place for place in places if not place.swapped]
    if len(kept) < 2:
        return kept
    rest = (1.0 - _DECIMAL_READING_WEIGHT) / (len(kept) - 1)
    return [replace(p, weight=rest if k else _DECIMAL_READING_WEIGHT) for k, p in enumerate(kept)]


def _is_exchanged(reading: CoordinateStatement, written: CoordinateStatement) -> bool:
    """Whether a reading has the latitude where the text, in any notation, has the longitude."""
    numbers = (reading.latitude, reading.longitude, written.latitude, written.longitude)
    lat, lon, first, second = (n or 0.0 for n in numbers)
    return abs(lat - second) < 1.0 and abs(lon - first) < 1.0 <= abs(lat - first)


def on_stated_ground(place: Place, sheets: Sequence[Sheet], region: BaseGeometry | None) -> bool:
    """Whether a place lies on a stated sheet or, without sheets, inside the region; False when neither is stated."""
    if sheets:
        return _inside_sheet(place, sheets)
    if region is None:
        return False
    west, south, east, north = region.bounds
    longitude, latitude = pulkovo_degrees(place)
    edge = REGION_EDGE_DEG
    return west - edge <= longitude <= east + edge and south - edge <= latitude <= north + edge


def _plane(
    statement: CoordinateStatement, frame: Frame, sheets: Sequence[Sheet], region: BaseGeometry | None
) -> list[Place]:
    if frame.plane is None or statement.easting is None or statement.northing is None:
        return []
    northing, easting, swapped = statement.northing, statement.easting, False
    if frame.prefix is not None:
        northing, easting, swapped = swap_by_range(northing, easting)
        if min(northing, easting) < 0.0:
            return []
        if is_abbreviated(northing, easting):
            return _abbreviated(statement.northing, statement.easting, statement, frame, sheets, region)
        if easting < _MILLION_M or zone_from_easting(easting) not in (None, frame.prefix):
            # No zone before the easting, or that of another reading of the form: this reading's own.
            easting = frame.prefix * _MILLION_M + easting % _MILLION_M
    elif is_utm(frame.plane):
        fitting = utm_swap_by_range(northing, easting)
        if fitting is None:
            return []
        northing, easting, swapped = fitting
    return [Place(frame.plane, easting, northing, statement.quantum_m, swapped=swapped)]


def is_abbreviated(northing: float, easting: float) -> bool:
    """Whether the leading digits that are the same all over a sheet were left out."""
    return northing < _MILLION_M or easting < _MILLION_M / 10


def abbreviated_candidates(
    statement: CoordinateStatement, frame: Frame, region: BaseGeometry | None = None
) -> list[Place]:
    """Every place, 100 km apart, that shortened coordinates may mean without a sheet; inside the region if stated."""
    if frame.prefix is None or statement.easting is None or statement.northing is None:
        return []
    if min(statement.northing, statement.easting) < 0.0:
        return []
    pairs = expand_abbreviated(statement.northing, statement.easting, zone=frame.prefix, sheet=None)
    repeats = [Place(str(frame.plane), east, north, statement.quantum_m) for north, east in pairs]
    return repeats if region is None else [place for place in repeats if on_stated_ground(place, (), region)]


def _abbreviated(
    northing: float, easting: float, statement: CoordinateStatement, frame: Frame, sheets: Sequence[Sheet],
    region: BaseGeometry | None,
) -> list[Place]:  # fmt: skip
    if not sheets and region is not None:
        return _equal_weights(abbreviated_candidates(statement, frame, region))
    # X and Y exchanged: only where the order as written lies on no sheet.
    for swapped, (x, y) in ((False, (northing, easting)), (True, (easting, northing))):
        places = [
            Place(str(frame.plane), east, north, statement.quantum_m, label=sheet.name, swapped=swapped)
            for sheet in sheets
            for north, east in expand_abbreviated(x, y, zone=frame.zone, sheet=sheet)
        ]
        if places:
            return _equal_weights(places)
    return []


def _equal_weights(places: list[Place]) -> list[Place]:
    distinct = list({(p.source, p.easting, p.northing): p for p in places}.values())
    return [replace(p, weight=1.0 / len(distinct)) for p in distinct]


def _inside_sheet(place: Place, sheets: Sequence[Sheet], margin_m: float = 0.0) -> bool:
    longitude, latitude = pulkovo_degrees(place)
    margin = SHEET_MARGIN_DEG + margin_m / 80_000.0
    return any(
        s.west - margin <= longitude <= s.east + margin and s.south - margin <= latitude <= s.north + margin
        for s in sheets
    )


def pulkovo_degrees(place: Place) -> tuple[float, float]:
    """Return longitude and latitude in the place's own datum; the 100 m to Pulkovo do not matter for a sheet."""
    if not is_projected(place.source):
        return place.easting, place.northing
    return _degrees(place.source, place.easting, place.northing)


@lru_cache(maxsize=100_000)  # a form is asked again and again how far its places lie apart
def _degrees(source: str, easting: float, northing: float) -> tuple[float, float]:
    longitude, latitude = _projection(source)(easting, northing, inverse=True)
    return float(longitude), float(latitude)


def far_off_sheets(place: Place, sheets: Sequence[Sheet]) -> bool:
    """Whether a place lies so far from every stated sheet that one of the two must be wrong."""
    return outside_sheets(place, sheets) and not _inside_sheet(place, sheets, FAR_OFF_M)


def outside_sheets(place: Place, sheets: Sequence[Sheet]) -> bool:
    """Whether a place lies on none of the stated sheets."""
    return bool(sheets) and place.source != "local" and not _inside_sheet(place, sheets, place.cell_m)

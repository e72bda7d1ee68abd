"""Plane coordinates that name no system: the zone in front of the easting, and where the case is, may decide it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from surefoot.errors import InputError, PositionError
from surefoot.model import Texts
from surefoot.positions.statements import CoordinateStatement
from surefoot.positions.zones import gauss_kruger_crs, plausible_plane, swap_by_range, zone_from_easting
from surefoot.readers.cells_text import Mask
from surefoot.readers.columns import empty_texts
from surefoot.readers.plane import move, source_of

_MARGIN_DEG = 0.6  # about 50 km: as far from the region as a place may lie
_YUGOSLAV_NORTHING_M = (4_510_000.0, 5_210_000.0)  # northings of the land the Yugoslav zones 5 to 8 were made for


def crs_by_prefix(stated: Texts, rows: Mask, region: BaseGeometry | None, case_crs: str | None) -> Texts:
    """Return the system of plane coordinates that name none, as far as their zone prefix decides it; "" elsewhere.

    Parameters
    ----------
    stated
        `CoordinateStatement` of each row, None = nothing stated.
    rows
        The rows that name no system.
    region
        Stated region of the case, WGS 84. Where several systems have such a zone, the one that lies there is meant.
    case_crs
        CRS of the case; it stands where it is itself one of the systems.
    """
    decided = empty_texts(len(stated))
    for i in np.flatnonzero(rows):
        decided[i] = _decided(stated[i], region, case_crs) or ""
    return decided


def _decided(one: CoordinateStatement, region: BaseGeometry | None, case_crs: str | None) -> str | None:
    if one.easting is None or one.northing is None:
        return None
    northing, easting, _ = swap_by_range(one.northing, one.easting)
    zone = zone_from_easting(easting)
    if zone is None or not plausible_plane(northing, easting):
        return None
    systems = tuple(_systems(zone, northing, in_region=region is not None))
    if case_crs is not None and source_of(case_crs) in systems:
        return None
    fitting = [crs for crs in systems if region is None or _lies_in(crs, easting, northing, region)]
    return fitting[0] if len(fitting) == 1 else None


def _systems(zone: int, northing: float, *, in_region: bool) -> Iterator[str]:
    """Yield the systems whose eastings start with this zone; 3-degree ones only where a region tells them apart."""
    yugoslav = _YUGOSLAV_NORTHING_M[0] <= northing <= _YUGOSLAV_NORTHING_M[1]
    wanted = [("SK-42", 6), *([("SK-42", 3)] if in_region else []), *([("MGI1901", 3)] if yugoslav else [])]
    for datum, width in wanted:
        try:
            yield gauss_kruger_crs(zone, width_deg=width, datum=datum)
        except PositionError:
            continue  # no such zone


def _lies_in(crs: str, easting: float, northing: float, region: BaseGeometry) -> bool:
    try:
        moved = move(crs, np.array([easting]), np.array([northing]))
    except (InputError, PositionError):
        return False
    place = shapely.Point(moved.longitude[0], moved.latitude[0])
    return not place.is_empty and bool(np.isfinite(place.x)) and bool(shapely.dwithin(region, place, _MARGIN_DEG))


def system_name(source: str) -> str:
    """Return a system's code with its name in the EPSG database."""
    return f"{source} ({pyproj.CRS.from_user_input(source).name})"

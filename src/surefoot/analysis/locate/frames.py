"""Which coordinate system a form's numbers are in: the options, with weights, when the form leaves it open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import pyproj
from shapely.geometry.base import BaseGeometry

from surefoot.analysis.locate.priors import Priors
from surefoot.errors import PositionError
from surefoot.model import MinefieldRecord
from surefoot.positions.statements import CoordinateStatement, CrsStatement
from surefoot.positions.zones import (
    gauss_kruger_crs,
    geographic_crs,
    swap_by_range,
    utm_crs,
    utm_swap_by_range,
    zone_from_easting,
    zones_meeting,
)
from surefoot.terms import RecordFamily

BAND_S_NORTHINGS_M = (3_530_000.0, 4_440_000.0)
"""Northings of the MGRS band S, 32-40 degrees north, with a margin."""
_BAND_READING_WEIGHT = 0.95
_UTM_DATUMS = ("", "WGS84", "ED50")
ZONE_OVERLAP_DEG = 2.0
"""So far beyond its edge a zone's kilometre grid is drawn on Soviet maps, beside that of the next zone."""

Longitudes = tuple[tuple[float, float], ...]
"""West and east of the ground on which a form must lie: its sheets, else the region; empty where neither is stated."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A coordinate system the numbers may be in: for plane coordinates, for geographic ones; `local` for neither."""

    label: str
    plane: str | None  # EPSG code of the projected system, None when its zone is not known
    geographic: str
    weight: float
    zone: int | None = None

    @property
    def prefix(self) -> int | None:
        """Zone number that stands before the easting in this system, None where none does."""
        return None if self.plane is None else easting_prefix(self.plane)


@cache
def geographic_of(epsg: str) -> str:
    """Return the code of the geographic system a projected one is built on."""
    geodetic = pyproj.CRS(epsg).geodetic_crs
    code = geodetic.to_epsg() if geodetic is not None else None
    if code is None:
        raise PositionError("SF-R040", epsg)
    return f"EPSG:{code}"


@cache
def easting_prefix(epsg: str) -> int | None:
    """Return the millions of a projected system's false easting: the zone written before the easting."""
    operation = pyproj.CRS(epsg).coordinate_operation
    params = operation.params if operation is not None else []
    millions = next((int(float(p.value) // 1e6) for p in params if p.name == "False easting"), 0)
    return millions or None


@cache
def _middle_and_half_deg(epsg: str) -> tuple[float, float]:
    """Central meridian of a zone and half its width: 6-degree zones have theirs at 6 n - 3."""
    operation = pyproj.CRS(epsg).coordinate_operation
    params = operation.params if operation is not None else []
    middle = next((float(p.value) for p in params if p.name == "Longitude of natural origin"), 0.0)
    return middle, 3.0 if middle == 6.0 * (easting_prefix(epsg) or 0) - 3.0 else 1.5


def beyond_zone_deg(epsg: str, longitude: float) -> float:
    """Return by how many degrees a place lies beyond the edge of the Gauss-Krueger zone that it is counted in."""
    middle, half = _middle_and_half_deg(epsg)
    return max(0.0, abs(longitude - middle) - half)


def zone_is_open(record: MinefieldRecord, statements: Sequence[CoordinateStatement]) -> bool:
    """Whether plane coordinates are stated, but their zone neither in words nor before an easting."""
    if record.crs is not None and (record.crs.zone is not None or record.crs.epsg is not None):
        return False
    return any(s.kind in ("plane", "square") for s in statements) and not _prefixes(statements)


@cache
def is_projected(epsg: str) -> bool:
    """Whether a code names a projected system."""
    return bool(pyproj.CRS(epsg).is_projected)


@cache
def is_utm(epsg: str) -> bool:
    """Whether a code names a zone of the Universal Transverse Mercator grid, on any datum."""
    return pyproj.CRS(epsg).utm_zone is not None


def frame_options(
    record: MinefieldRecord,
    statements: Sequence[CoordinateStatement],
    priors: Priors,
    region: BaseGeometry | None = None,
    *,
    reach_deg: float = 0.0,
) -> list[Frame]:
    """Return the coordinate systems the form may mean, weights adding to 1; empty when nothing can be said.

    A zone that neither the words nor the eastings state is that of the sheets, else one that meets the region (WGS 84);
    also the zones whose edge is at most `reach_deg` away.
    """
    prefixes = _prefixes(statements)
    ground: Longitudes = tuple((sheet.west, sheet.east) for sheet in record.map.sheets)
    if not ground and region is not None and any(s.kind in ("plane", "square") for s in statements):
        ground = ((region.bounds[0], region.bounds[2]),)
    ground = tuple((west - reach_deg, east + reach_deg) for west, east in ground)
    if record.crs is not None and (record.crs.epsg or record.crs.datum or record.crs.projection):
        return _stated(record, record.crs, statements, prefixes, ground)
    return _unstated(record, statements, prefixes, ground, priors)


def _zones_of(ground: Longitudes, datum: str, width: int = 6) -> set[int]:
    return {zone for west, east in ground for zone in zones_meeting(west, east, width_deg=width, datum=datum)}


def _prefixes(statements: Sequence[CoordinateStatement]) -> set[int]:
    """Zones written before the eastings, X and Y exchanged where only that fits."""
    zones: set[int] = set()
    for statement in statements:
        if statement.kind == "plane" and statement.easting is not None and statement.northing is not None:
            zone = zone_from_easting(swap_by_range(statement.northing, statement.easting)[1])
            zones |= {zone} if zone is not None else set()
    return zones


def _stated(
    record: MinefieldRecord, crs: CrsStatement, statements: Sequence[CoordinateStatement], prefixes: set[int],
    ground: Longitudes,
) -> list[Frame]:  # fmt: skip
    if crs.projection == "local":
        return [Frame("local metres", None, "EPSG:4326", 1.0)]
    _check_datum(crs)
    if crs.epsg is None and (crs.projection in ("utm", "mgrs") or crs.datum in ("WGS84", "ED50")):
        return _utm_like(crs, statements)
    if crs.epsg is not None and not is_projected(crs.epsg) and crs.datum != "SK-42":
        return [Frame(crs.raw.strip(), None, crs.epsg, 1.0)]
    datum = crs.datum or ("MGI1901" if record.family is RecordFamily.ZAPISNIK else "SK-42")
    width = 3 if crs.projection == "gauss_kruger_3" else 6
    if crs.epsg is not None and is_projected(crs.epsg):
        own = easting_prefix(crs.epsg)
        if width == 3 or own is None or not prefixes or own in prefixes:
            return [Frame(crs.raw.strip(), crs.epsg, geographic_of(crs.epsg), 1.0, crs.zone)]
    # The zone of the words and the zone before the easting may contradict each other: both are kept.
    zones = {crs.zone, *prefixes} if crs.zone is not None else (prefixes or _zones_of(ground, datum, width))
    three = _three_degree_zones(record, prefixes) if width == 6 and datum == "SK-42" and crs.zone is None else set()
    if three:
        return [_zone_frame(datum, zone, 3, 1.0 / len(three)) for zone in sorted(three)]
    if not zones:
        return [Frame(datum, None, geographic_crs(datum) or "EPSG:4284", 1.0)]
    return [_zone_frame(datum, zone, width, 1.0 / len(zones)) for zone in sorted(z for z in zones if z)]


def _three_degree_zones(record: MinefieldRecord, prefixes: set[int]) -> set[int]:
    """Zones before the eastings that fit the sheets as 3-degree zones and not as 6-degree ones."""
    sheets = record.map.sheets
    if not sheets or prefixes & {sheet.zone for sheet in sheets}:
        return set()
    return {p for p in prefixes if all(s.west - 2.0 <= 3.0 * p <= s.east + 2.0 for s in sheets)}


def _zone_frame(datum: str, zone: int, width: int, weight: float) -> Frame:
    plane = gauss_kruger_crs(zone, width_deg=width, datum=datum)
    return Frame(f"{datum} zone {zone}", plane, geographic_of(plane), weight, zone)


def _check_datum(crs: CrsStatement) -> None:
    """Refuse a datum that is named but has no operation here: another one in its place would be a guess."""
    if crs.epsg is not None or not crs.datum:
        return
    grid = crs.projection in ("utm", "mgrs") and crs.datum not in _UTM_DATUMS
    if grid or geographic_crs(crs.datum) is None:
        raise PositionError("SF-R231", crs.raw.strip(), datum=crs.datum)


def _utm_like(crs: CrsStatement, statements: Sequence[CoordinateStatement]) -> list[Frame]:
    """A UTM grid, in both halves of the globe where "38S" leaves that open; or degrees on a named datum."""
    if crs.datum == "ED50":
        return [Frame("ED50", None, "EPSG:4230", 1.0)]
    if not crs.zone:
        return [Frame("WGS84", None, "EPSG:4326", 1.0)]
    if crs.hemisphere_north is not None:
        plane = utm_crs(crs.zone, crs.hemisphere_north)
        return [Frame(f"WGS84 UTM {crs.zone}", plane, "EPSG:4326", 1.0, crs.zone)]
    band = _BAND_READING_WEIGHT if _in_band_s(statements) else 1.0 - _BAND_READING_WEIGHT
    halves = ((True, f"WGS84 UTM {crs.zone} north (band S)", band), (False, f"WGS84 UTM {crs.zone} south", 1.0 - band))
    return [Frame(label, utm_crs(crs.zone, north), "EPSG:4326", w, crs.zone) for north, label, w in halves]


def _in_band_s(statements: Sequence[CoordinateStatement]) -> bool:
    """Whether every northing lies in the band S, or none is stated."""
    low, high = BAND_S_NORTHINGS_M
    pairs = [
        utm_swap_by_range(s.northing, s.easting) for s in statements if s.kind == "plane" and s.northing and s.easting
    ]
    return all(low <= pair[0] <= high for pair in pairs if pair is not None)


def _unstated(
    record: MinefieldRecord,
    statements: Sequence[CoordinateStatement],
    prefixes: set[int],
    ground: Longitudes,
    priors: Priors,
) -> list[Frame]:
    kinds = {s.kind for s in statements}
    if kinds == {"local"}:
        return [Frame("local metres", None, "EPSG:4326", 1.0)]
    soviet = record.family is RecordFamily.FORMULYAR or bool(record.map.sheets)
    if kinds <= {"mgrs"} and kinds:
        return [Frame("WGS84", None, "EPSG:4326", 1.0)]
    if kinds <= {"geographic"} and kinds and not soviet:
        return [Frame("WGS84", None, "EPSG:4326", 1.0)]
    if record.family is RecordFamily.ZAPISNIK and prefixes <= {5, 6, 7, 8}:
        zones = prefixes or _zones_of(ground, "MGI1901")
        return [_zone_frame("MGI1901", zone, 6, 1.0 / len(zones)) for zone in sorted(zones)]
    three = _three_degree_zones(record, prefixes)
    # Six and seven digits without a zone may as well be UTM: only on a Soviet-type form they are taken for SK-42.
    known = soviet or all(s.notation == "abbreviated" for s in statements if s.kind == "plane")
    zones, width = (three, 3) if three else (prefixes or (_zones_of(ground, "SK-42") if known else set()), 6)
    sk42 = [_zone_frame("SK-42", zone, width, 1.0 / len(zones)) for zone in sorted(zones)]
    if not sk42 and soviet and kinds <= {"geographic", "square", "plane"} and kinds:
        sk42 = [Frame("SK-42", None, "EPSG:4284", 1.0)]
    if not (kinds <= {"geographic"} and kinds and sk42):
        return sk42
    # Degrees may have been taken from a receiver, not from the sheet.
    slip = priors.datum_ignored()
    kept = [Frame(f.label, f.plane, f.geographic, f.weight * (1 - slip), f.zone) for f in sk42]
    return [*kept, Frame("WGS84", None, "EPSG:4326", slip)]

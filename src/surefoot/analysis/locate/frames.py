"""Which coordinate system a form's numbers are in: the options, with weights, when the form leaves it open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import pyproj

from surefoot.analysis.locate.priors import Priors
from surefoot.errors import PositionError
from surefoot.model import MinefieldRecord
from surefoot.positions.statements import CoordinateStatement, CrsStatement
from surefoot.positions.zones import gauss_kruger_crs, utm_crs, zone_from_easting
from surefoot.terms import RecordFamily

_GEOGRAPHIC = {"SK-42": "EPSG:4284", "WGS84": "EPSG:4326", "MGI1901": "EPSG:3906", "ED50": "EPSG:4230"}
_ED50_UTM_BASE = 23000


@dataclass(frozen=True, slots=True)
class Frame:
    """A coordinate system the numbers may be in: for plane coordinates, for geographic ones; `local` for neither."""

    label: str
    plane: str | None  # EPSG code of the projected system, None when its zone is not known
    geographic: str
    weight: float
    zone: int | None = None

    @property
    def gauss_kruger(self) -> bool:
        """Whether plane coordinates carry the zone before the easting."""
        return self.plane is not None and self.zone is not None and "UTM" not in self.label


@cache
def geographic_of(epsg: str) -> str:
    """Return the code of the geographic system a projected one is built on."""
    geodetic = pyproj.CRS(epsg).geodetic_crs
    code = geodetic.to_epsg() if geodetic is not None else None
    if code is None:
        raise PositionError("SF-R040", epsg)
    return f"EPSG:{code}"


@cache
def is_projected(epsg: str) -> bool:
    """Whether a code names a projected system."""
    return bool(pyproj.CRS(epsg).is_projected)


def frame_options(record: MinefieldRecord, statements: Iterable[CoordinateStatement], priors: Priors) -> list[Frame]:
    """Return the coordinate systems the form may mean, weights adding to 1; empty when nothing can be said."""
    eastings = [s.easting for s in statements if s.kind == "plane" and s.easting is not None]
    northings = [s.northing for s in statements if s.kind == "plane" and s.northing is not None]
    # Swapped pairs are mended later; the zone is looked for in either number.
    prefixes = {zone for value in [*eastings, *northings] if (zone := zone_from_easting(value))}
    sheet_zones = {sheet.zone for sheet in record.map.sheets}
    if record.crs is not None and (record.crs.epsg or record.crs.datum or record.crs.projection):
        return _stated(record, record.crs, prefixes, sheet_zones)
    return _unstated(record, statements, prefixes, sheet_zones, priors)


def _stated(
    record: MinefieldRecord, crs: CrsStatement, prefixes: set[int], sheet_zones: set[int]
) -> list[Frame]:
    if crs.projection in ("utm", "mgrs") or crs.datum in ("WGS84", "ED50"):
        return [_utm_like(crs)]
    datum = crs.datum or ("MGI1901" if record.family is RecordFamily.ZAPISNIK else "SK-42")
    width = 3 if crs.projection == "gauss_kruger_3" else 6
    if crs.epsg is not None and (crs.zone is None or width == 3):
        projected = is_projected(crs.epsg)
        geographic = geographic_of(crs.epsg) if projected else crs.epsg
        if projected or not prefixes:
            return [Frame(crs.raw, crs.epsg if projected else None, geographic, 1.0, crs.zone)]
    zones = {crs.zone} if crs.zone is not None else (prefixes or sheet_zones)
    if crs.zone is not None and prefixes and crs.zone not in prefixes and width == 6:
        zones = {crs.zone, *prefixes}
    if not zones:
        return [Frame(datum, None, _GEOGRAPHIC.get(datum, "EPSG:4284"), 1.0)]
    return [_zone_frame(datum, zone, width, 1.0 / len(zones)) for zone in sorted(z for z in zones if z)]


def _zone_frame(datum: str, zone: int, width: int, weight: float) -> Frame:
    plane = gauss_kruger_crs(zone, width_deg=width, datum=datum)
    return Frame(f"{datum} zone {zone}", plane, geographic_of(plane), weight, zone)


def _utm_like(crs: CrsStatement) -> Frame:
    if crs.datum == "ED50":
        plane = f"EPSG:{_ED50_UTM_BASE + crs.zone}" if crs.zone else None
        return Frame("ED50 UTM", plane, "EPSG:4230", 1.0, crs.zone)
    plane = utm_crs(crs.zone, crs.hemisphere_north) if crs.zone else None
    label = f"WGS84 UTM {crs.zone}" if crs.zone else "WGS84"
    return Frame(label, plane, "EPSG:4326", 1.0, crs.zone)


def _unstated(
    record: MinefieldRecord,
    statements: Iterable[CoordinateStatement],
    prefixes: set[int],
    sheet_zones: set[int],
    priors: Priors,
) -> list[Frame]:
    kinds = {s.kind for s in statements}
    soviet = record.family is RecordFamily.FORMULYAR or bool(record.map.sheets)
    if kinds <= {"mgrs"} and kinds:
        return [Frame("WGS84", None, "EPSG:4326", 1.0)]
    if kinds <= {"geographic"} and kinds and not soviet:
        return [Frame("WGS84", None, "EPSG:4326", 1.0)]
    if record.family is RecordFamily.ZAPISNIK and prefixes <= {5, 6, 7, 8}:
        zones = prefixes
        return [_zone_frame("MGI1901", zone, 6, 1.0 / len(zones)) for zone in sorted(zones)]
    zones = prefixes or sheet_zones
    sk42 = [_zone_frame("SK-42", zone, 6, 1.0 / len(zones)) for zone in sorted(zones)]
    if not sk42 and soviet and kinds <= {"geographic", "square", "plane"} and kinds:
        sk42 = [Frame("SK-42", None, "EPSG:4284", 1.0)]
    if not (kinds <= {"geographic"} and kinds and sk42):
        return sk42
    # Degrees may have been taken from a receiver, not from the sheet.
    slip = priors.datum_ignored()
    kept = [Frame(f.label, f.plane, f.geographic, f.weight * (1 - slip), f.zone) for f in sk42]
    return [*kept, Frame("WGS84", None, "EPSG:4326", slip)]

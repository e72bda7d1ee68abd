"""Which coordinate system a form's numbers are in: the options, with weights, when the form leaves it open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import pyproj

from surefoot.analysis.locate.priors import Priors
from surefoot.errors import PositionError
from surefoot.model import MinefieldRecord
from surefoot.positions.statements import CoordinateStatement, CrsStatement
from surefoot.positions.zones import gauss_kruger_crs, swap_by_range, utm_crs, zone_from_easting
from surefoot.terms import RecordFamily

_GEOGRAPHIC = {"SK-42": "EPSG:4284", "WGS84": "EPSG:4326", "MGI1901": "EPSG:3906", "ED50": "EPSG:4230"}


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
def is_projected(epsg: str) -> bool:
    """Whether a code names a projected system."""
    return bool(pyproj.CRS(epsg).is_projected)


def frame_options(record: MinefieldRecord, statements: Sequence[CoordinateStatement], priors: Priors) -> list[Frame]:
    """Return the coordinate systems the form may mean, weights adding to 1; empty when nothing can be said."""
    prefixes = _prefixes(statements)
    sheet_zones = {sheet.zone for sheet in record.map.sheets}
    if record.crs is not None and (record.crs.epsg or record.crs.datum or record.crs.projection):
        return _stated(record, record.crs, prefixes, sheet_zones)
    return _unstated(record, statements, prefixes, sheet_zones, priors)


def _prefixes(statements: Sequence[CoordinateStatement]) -> set[int]:
    """Zones written before the eastings, X and Y exchanged where only that fits."""
    zones: set[int] = set()
    for statement in statements:
        if statement.kind == "plane" and statement.easting is not None and statement.northing is not None:
            zone = zone_from_easting(swap_by_range(statement.northing, statement.easting)[1])
            zones |= {zone} if zone is not None else set()
    return zones


def _stated(record: MinefieldRecord, crs: CrsStatement, prefixes: set[int], sheet_zones: set[int]) -> list[Frame]:
    if crs.projection == "local":
        return [Frame("local metres", None, "EPSG:4326", 1.0)]
    if crs.epsg is None and (crs.projection in ("utm", "mgrs") or crs.datum in ("WGS84", "ED50")):
        return [_utm_like(crs)]
    if crs.epsg is not None and not is_projected(crs.epsg) and crs.datum != "SK-42":
        return [Frame(crs.raw.strip(), None, crs.epsg, 1.0)]
    datum = crs.datum or ("MGI1901" if record.family is RecordFamily.ZAPISNIK else "SK-42")
    width = 3 if crs.projection == "gauss_kruger_3" else 6
    if crs.epsg is not None and is_projected(crs.epsg):
        own = easting_prefix(crs.epsg)
        if width == 3 or own is None or not prefixes or own in prefixes:
            return [Frame(crs.raw.strip(), crs.epsg, geographic_of(crs.epsg), 1.0, crs.zone)]
    # The zone of the words and the zone before the easting may contradict each other: both are kept.
    zones = {crs.zone, *prefixes} if crs.zone is not None else (prefixes or sheet_zones)
    if not zones:
        return [Frame(datum, None, _GEOGRAPHIC.get(datum, "EPSG:4284"), 1.0)]
    return [_zone_frame(datum, zone, width, 1.0 / len(zones)) for zone in sorted(z for z in zones if z)]


def _zone_frame(datum: str, zone: int, width: int, weight: float) -> Frame:
    plane = gauss_kruger_crs(zone, width_deg=width, datum=datum)
    return Frame(f"{datum} zone {zone}", plane, geographic_of(plane), weight, zone)


def _utm_like(crs: CrsStatement) -> Frame:
    """A UTM whose words leave its half of the globe open ("38S"), or degrees on a named datum."""
    if crs.datum == "ED50":
        return Frame("ED50", None, "EPSG:4230", 1.0)
    plane = utm_crs(crs.zone, crs.hemisphere_north) if crs.zone else None
    label = f"WGS84 UTM {crs.zone}" if crs.zone else "WGS84"
    return Frame(label, plane, "EPSG:4326", 1.0, crs.zone)


def _unstated(
    record: MinefieldRecord,
    statements: Sequence[CoordinateStatement],
    prefixes: set[int],
    sheet_zones: set[int],
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

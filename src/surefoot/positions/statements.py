"""What a form says about places, before anything is decided: values as written, with what is left open."""

from __future__ import annotations

from dataclasses import dataclass

from shapely.geometry import Polygon

from surefoot.terms import BearingUnit, DistanceUnit, North, Sense


@dataclass(frozen=True, slots=True)
class BearingStatement:
    """A bearing as written.

    `value` is in `unit`; when `unit` is None the form does not say and `possible_units` lists the units in
    which the value is a bearing at all (0 <= value <= one circle). `north` and `sense` None = not stated.
    """

    raw: str
    value: float
    unit: BearingUnit | None
    possible_units: tuple[BearingUnit, ...]
    north: North | None
    sense: Sense | None
    quantum: float  # smallest step written, in the unit (rounding), e.g. 1 for "95", 0.5 for 30'


@dataclass(frozen=True, slots=True)
class DistanceStatement:
    """A distance as written. `unit` None = paces without saying single or pairs."""

    raw: str
    value: float
    unit: DistanceUnit | None
    slope_deg: float | None = None  # slope along which it was measured; None = horizontal or not stated


@dataclass(frozen=True, slots=True)
class CoordinateStatement:
    """A coordinate as written; which numbers are what, as far as the text itself says.

    kind is one of ``plane`` (X = north, Y = east of a transverse Mercator zone, metres), ``geographic``
    (degrees), ``mgrs``, ``square`` (kilometre grid square "3064", with `ninth` 1-9 or None) or ``local`` (metres
    east, north in an arbitrary frame).

    For ``plane``: `northing`, `easting` as the labels or the order say; `labelled` tells whether they were
    labelled. For ``geographic``: `latitude`, `longitude`. `quantum_m` is the rounding step in metres as written
    (1 m for whole metres). `alternatives` are other ways to read the same text (DMS as decimal, X and Y
    swapped), best first, not including this one.
    """

    raw: str
    kind: str
    easting: float | None = None
    northing: float | None = None
    longitude: float | None = None
    latitude: float | None = None
    mgrs: str = ""
    square: str = ""
    ninth: int | None = None
    labelled: bool = False
    quantum_m: float = 0.0
    notation: str = ""  # dms, dm, decimal, metres, abbreviated ...
    alternatives: tuple[CoordinateStatement, ...] = ()


@dataclass(frozen=True, slots=True)
class CrsStatement:
    """A coordinate system as written, as far as it says. `epsg` is set only when it is fully decided.

    datum: ``SK-42``, ``WGS84``, ``MGI1901``, ``ED50`` ... or ""; projection: ``gauss_kruger``, ``gauss_kruger_3``,
    ``utm``, ``geographic``, ``mgrs`` or ""; `zone` as written or None; `hemisphere_north` for UTM, None
    where the letter S may be the southern half or the band of 32-40 degrees north.
    """

    raw: str
    datum: str
    projection: str
    zone: int | None
    hemisphere_north: bool | None = True
    epsg: str | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A Soviet map sheet: canonical name (Cyrillic letters), scale denominator and bounds in degrees.

    Bounds are geographic on the Pulkovo 1942 datum.
    """

    name: str
    scale: int
    west: float
    south: float
    east: float
    north: float

    @property
    def zone(self) -> int:
        """Six-degree Gauss-Krueger zone of the sheet."""
        return int((self.west + self.east) / 2 // 6) + 1

    @property
    def polygon(self) -> Polygon:
        """Outline of the sheet, longitude and latitude on Pulkovo 1942."""
        return Polygon.from_bounds(self.west, self.south, self.east, self.north)

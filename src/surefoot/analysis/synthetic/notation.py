"""How a compiler writes places, bearings and distances: text, with what the text says when it is read back.

Writing rounds. Everything downstream starts from what was written, not from what was drawn, so that the only
errors of a made-up record are the pinned ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pyproj import Geod

from surefoot.positions.datums import PinnedOperation, from_wgs84, pin_operation, to_wgs84
from surefoot.positions.mgrs import lonlat_to_mgrs, mgrs_to_utm
from surefoot.positions.sheets import sheet_at
from surefoot.positions.zones import convergence_deg
from surefoot.terms import BearingUnit, North, RecordFamily

Floats = npt.NDArray[np.float64]
Points = tuple[Floats, Floats]  # longitude, latitude, degrees on WGS 84

GEOD = Geod(ellps="WGS84")
GAUSS_KRUGER = "EPSG:28409"
PULKOVO = "EPSG:4284"
UTM = "EPSG:32639"
CIRCLE: Mapping[BearingUnit, float] = {
    BearingUnit.DEGREE: 360.0,
    BearingUnit.MIL_6000: 6000.0,
    BearingUnit.MIL_6400: 6400.0,
}
MAP_SCALE = 50000
# A place in the middle of the open Caspian Sea, some 100 km from any coast, in each system written.
MIDDLE_LONGITUDE, MIDDLE_LATITUDE = 50.7, 39.6
_MIDDLE: Mapping[str, tuple[float, float]] = {
    GAUSS_KRUGER: (9_474_300.0, 4_385_000.0),
    UTM: (474_250.0, 4_383_300.0),
    PULKOVO: (MIDDLE_LONGITUDE, MIDDLE_LATITUDE),
}
_METRE = {"ru": "м", "en": "m"}
_NORTH = {
    ("ru", North.MAGNETIC): "магнитный",
    ("en", North.MAGNETIC): "magnetic",
    ("ru", North.GRID): "дирекционный",
    ("en", North.GRID): "grid",
}


@dataclass(frozen=True, slots=True)
class Notation:
    """The habits of one compiler. `coordinates` is ``gauss_kruger``, ``utm`` or ``mgrs``."""

    family: RecordFamily
    language: str
    unit: BearingUnit
    north: North
    coordinates: str
    rounding: bool

    @property
    def crs(self) -> str:
        """EPSG code of the plane coordinates written."""
        return GAUSS_KRUGER if self.coordinates == "gauss_kruger" else UTM

    @property
    def crs_words(self) -> str:
        """The coordinate system as the form names it."""
        if self.coordinates == "gauss_kruger":
            return "СК-42 зона 9" if self.language == "ru" else "SK-42 zone 9"
        return "UTM 39 WGS84"


@dataclass(frozen=True, slots=True)
class Place:
    """A point as written and as it reads: degrees on WGS 84."""

    text: str
    longitude: float
    latitude: float


@dataclass(frozen=True)
class Sights:
    """Bearings and distances as written, with the points they lead to (degrees on WGS 84)."""

    entries: tuple[Mapping[str, str], ...]
    true_deg: Floats
    longitude: Floats
    latitude: Floats


def draw_notation(rounding: bool, rng: np.random.Generator) -> Notation:
    """Draw a compiler: a Soviet-type formulyar or a NATO form, in Russian or in English."""
    formulyar, russian, rare, square = rng.random(4)
    language = "ru" if russian < 0.5 else "en"
    if formulyar < 0.6:
        unit = BearingUnit.MIL_6000 if rounding else BearingUnit.DEGREE
        north = North.GRID if rare < 0.15 else North.MAGNETIC
        return Notation(RecordFamily.FORMULYAR, language, unit, north, "gauss_kruger", rounding)
    unit = BearingUnit.MIL_6400 if rounding and rare < 0.3 else BearingUnit.DEGREE
    coordinates = "mgrs" if rounding and square < 0.5 else "utm"
    return Notation(RecordFamily.NATO, language, unit, North.MAGNETIC, coordinates, rounding)


def write_place(notation: Notation, longitude: float, latitude: float) -> Place:
    """Write one point in plane coordinates to the metre (or to 0.01 mm when nothing is to be rounded)."""
    if notation.coordinates == "mgrs":
        text = lonlat_to_mgrs(longitude, latitude, 5)
        _, _, easting, northing, _ = mgrs_to_utm(text)
    else:
        easting, northing = _plane(notation.crs, longitude, latitude)
        decimals = 0 if notation.rounding else 5
        east, north = f"{easting:.{decimals}f}", f"{northing:.{decimals}f}"
        text = f"E {east} N {north}" if notation.crs == UTM else f"X={north} Y={east}"
        easting, northing = float(east), float(north)
    read_longitude, read_latitude = to_wgs84(notation.crs, easting, northing, _operation(notation.crs))
    return Place(text, float(read_longitude), float(read_latitude))


def _plane(crs: str, longitude: float, latitude: float) -> tuple[float, float]:
    easting, northing = from_wgs84(crs, longitude, latitude, _operation(crs))
    return float(easting), float(northing)


def _operation(crs: str) -> PinnedOperation:
    return pin_operation(crs, *_MIDDLE[crs])


def sheet_name(longitude: float, latitude: float) -> str:
    """Return the 1:50,000 sheet (Pulkovo 1942) of a place given on WGS 84."""
    return sheet_at(*_plane(PULKOVO, longitude, latitude), MAP_SCALE).name


@dataclass(frozen=True, slots=True)
class Compass:
    """A compiler at work on one day: the habits, and the magnetic declination at the landmark in degrees."""

    notation: Notation
    declination_deg: float

    def sight(self, origin: Points, target: Points, *, step_m: float = 0.1, distance_m: Floats | None = None) -> Sights:
        """Write the bearings and distances from each origin to its target.

        Parameters
        ----------
        origin, target
            Longitude, latitude in degrees on WGS 84, each of shape (n,).
        step_m
            What distances are rounded to.
        distance_m
            Distances to state instead of the geodesic ones, metres, shape (n,).
        """
        forward, _, geodesic_m = GEOD.inv(*origin, *target)
        bearings, true_deg = _bearings(self.notation, np.asarray(forward), self.declination_deg, origin)
        decimals = round(-np.log10(step_m)) if self.notation.rounding else 6
        written_m = np.round(np.asarray(geodesic_m if distance_m is None else distance_m), decimals)
        longitude, latitude, _ = GEOD.fwd(*origin, true_deg, written_m)
        lengths = [distance_text(self.notation, float(metres), decimals) for metres in written_m]
        entries = tuple({**b, "distance": length} for b, length in zip(bearings, lengths, strict=True))
        return Sights(entries, true_deg, np.asarray(longitude), np.asarray(latitude))


def distance_text(notation: Notation, metres: float, decimals: int) -> str:
    """Write a distance: "320 м", "4,5 м", "4.5 m"."""
    number = f"{metres:.{decimals}f}"
    # Trailing zeros stay where there are many decimals: "7,037" may be read as seven thousand.
    number = number.removesuffix(".0")
    return f"{number.replace('.', ',') if notation.language == 'ru' else number} {_METRE[notation.language]}"


def _bearings(
    notation: Notation, true_deg: Floats, declination_deg: float, origin: Points
) -> tuple[list[dict[str, str]], Floats]:
    """Return the bearings as written, and the true bearings that the written ones state."""
    offset: float | Floats = declination_deg
    if notation.north is North.GRID:
        offset = np.asarray(convergence_deg(notation.crs, *origin))
    circle = CIRCLE[notation.unit]
    decimals = 9 if not notation.rounding else 1 if notation.unit is BearingUnit.DEGREE else 0
    value = np.round((true_deg - offset) % 360.0 * circle / 360.0, decimals) % circle
    return [_bearing_entry(notation, float(v), decimals) for v in value], value * 360.0 / circle + offset


def _bearing_entry(notation: Notation, value: float, decimals: int) -> dict[str, str]:
    russian = notation.language == "ru"
    if notation.unit is BearingUnit.MIL_6000:
        number = f"{int(value) // 100}-{int(value) % 100:02d}"
    elif notation.unit is BearingUnit.MIL_6400:
        number = f"{int(value)} mils"
    else:
        number = f"{value:.{decimals}f}°" if russian else f"{value:.{decimals}f} deg"
    if russian and notation.family is RecordFamily.FORMULYAR:
        word = "Ам" if notation.north is North.MAGNETIC else "дирекционный угол"
        return {"bearing": f"{word} {number}"}
    return {"bearing": number, "north": _NORTH[notation.language, notation.north]}

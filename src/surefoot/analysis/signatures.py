"""A residual against the list of known gross errors (records.md section 4).

The residual is READING minus GROUND: where the record's reading puts a point, less where the point is, east
and north in metres. A mistake moves the reading by a displacement that can be computed for the place; a
residual that lies at one of them, within the uncertainty, is proposed as that mistake. A person decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from pyproj import CRS, Geod, Transformer
from pyproj.transformer import AreaOfInterest, TransformerGroup

from surefoot.errors import PositionError

Floats = npt.NDArray[np.float64]

WGS84 = "EPSG:4326"
PULKOVO = "EPSG:4284"
NO_MISTAKE = "none"
UNEXPLAINED = "unexplained"
DATUM_STEPS_DIFFER_M = 5.0
"""Sigma per axis of a displacement: two datum operations differ by metres."""
UNEXPLAINED_SIGMA_M = 2_000.0
"""A displacement nobody has on the list: a wide circle, so that the list never explains everything."""

_GEOD = Geod(ellps="WGS84")
_FARTHEST_SIGMAS = 4.0
_GRIDS_KEPT = 256  # projections kept ready


@dataclass(frozen=True, slots=True)
class GrossError:
    """A mistake and how far it moves the reading: east and north in metres, sigma per axis, prior weight."""

    name: str
    east_m: float
    north_m: float
    sigma_m: float = 0.0
    weight: float = 1.0

    @property
    def distance_m(self) -> float:
        """Length of the displacement."""
        return float(np.hypot(self.east_m, self.north_m))


@dataclass(frozen=True, slots=True)
class SignatureMatch:
    """One explanation of a residual: its probability among those listed, and how many sigmas off it is."""

    name: str
    probability: float
    sigmas_off: float
    east_m: float
    north_m: float


def match_signature(
    residual_east_m: float,
    residual_north_m: float,
    sigma_m: float,
    candidates: Iterable[GrossError],
    *,
    unexplained_weight: float = 0.02,
) -> tuple[SignatureMatch, ...]:
    """Rank the mistakes that explain a residual.

    Parameters
    ----------
    residual_east_m, residual_north_m
        Reading minus ground, metres, in the same axes as the candidates.
    sigma_m
        Sigma per axis of the residual: the record's own uncertainty and that of the finds. Over 0.
    candidates
        The mistakes; include ``GrossError("none", 0, 0)`` with its weight, it is the one most often true.
    unexplained_weight
        Prior weight of a displacement nobody listed, normal with 2 km per axis.

    Returns
    -------
    tuple of SignatureMatch
        Most probable first; only candidates within 4 sigma, and always ``unexplained`` (a residual that is
        too far from everything is unexplained, not the nearest mistake).
    """
    wide = GrossError(UNEXPLAINED, 0.0, 0.0, UNEXPLAINED_SIGMA_M, unexplained_weight)
    found = []
    for error in (*candidates, wide):
        spread = float(np.hypot(sigma_m, error.sigma_m))
        off = float(np.hypot(residual_east_m - error.east_m, residual_north_m - error.north_m)) / spread
        if error is wide or off <= _FARTHEST_SIGMAS:
            found.append((error, off, np.log(error.weight) - 0.5 * off**2 - 2.0 * np.log(spread)))
    logs = np.array([entry[2] for entry in found])
    share = np.exp(logs - logs.max())
    ranked = sorted(zip(found, share / share.sum(), strict=True), key=lambda pair: (-pair[1], pair[0][0].name))
    return tuple(SignatureMatch(e.name, float(p), off, e.east_m, e.north_m) for (e, off, _), p in ranked)


# --- the displacement of each mistake at a place ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Grid:
    """A transverse Mercator grid by its numbers."""

    base: str  # geographic CRS
    longitude: float
    scale: float
    false_easting: float
    prefix: float = 0.0  # zone number x 1,000,000 written before the easting

    def crs(self, *, longitude: float | None = None) -> CRS:
        """Return the projection on its own ellipsoid, optionally on another central meridian."""
        shape = CRS(self.base).get_geod()
        axis, flat = (shape.a, 1.0 / shape.f) if shape is not None else (_GEOD.a, 1.0 / _GEOD.f)
        middle = self.longitude if longitude is None else longitude
        return CRS.from_proj4(
            f"+proj=tmerc +lat_0=0 +lon_0={middle} +k={self.scale} +x_0={self.false_easting} +y_0=0 "
            f"+a={axis} +rf={flat} +units=m +no_defs"
        )

    def forward(self, longitude: float, latitude: float) -> tuple[float, float]:
        """Geographic degrees on the grid's own datum to easting, northing."""
        return _project(self, None, longitude, latitude, inverse=False)

    def inverse(self, easting: float, northing: float, *, longitude: float | None = None) -> tuple[float, float]:
        """Easting, northing to degrees on the grid's own datum, or as if on another central meridian."""
        return _project(self, longitude, easting, northing, inverse=True)


def _project(grid: _Grid, middle: float | None, x: float, y: float, *, inverse: bool) -> tuple[float, float]:
    first, second = _projection(grid, middle).transform(x, y, direction="INVERSE" if inverse else "FORWARD")
    return float(first), float(second)


@lru_cache(maxsize=_GRIDS_KEPT)
def _projection(grid: _Grid, middle: float | None) -> Transformer:
    """Degrees to metres on a grid, optionally on another central meridian; building one is the slow part."""
    crs = grid.crs(longitude=middle)
    return Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True)


@lru_cache(maxsize=_GRIDS_KEPT)
def _to_metric(metric_crs: str) -> Transformer:
    return Transformer.from_crs(WGS84, metric_crs, always_xy=True, allow_ballpark=False)


@lru_cache(maxsize=_GRIDS_KEPT)
def _grid_of(crs_epsg: str) -> _Grid | None:
    """The transverse Mercator numbers of a CRS, None for any other kind."""
    crs = CRS(crs_epsg)
    operation = crs.coordinate_operation
    if operation is None or "Transverse Mercator" not in operation.method_name:
        return None
    numbers = {p.name: float(p.value) for p in operation.params}
    base = crs.geodetic_crs
    code = base.to_epsg() if base is not None else None
    return _Grid(
        f"EPSG:{code}",
        numbers["Longitude of natural origin"],
        numbers["Scale factor at natural origin"],
        numbers["False easting"] % 1_000_000.0,
        numbers["False easting"] // 1_000_000.0 * 1_000_000.0,
    )


def _utm(longitude: float) -> _Grid:
    return _Grid(WGS84, 6.0 * np.floor(longitude / 6.0) + 3.0, 0.9996, 500_000.0)


def _gauss_kruger(base: str, longitude: float) -> _Grid:
    return _Grid(base, 6.0 * np.floor(longitude / 6.0) + 3.0, 1.0, 500_000.0)


def datum_step(base: str, longitude: float, latitude: float) -> Transformer | None:
    """Return the best operation from a geographic CRS to WGS 84 at a place; None when there is none.

    Never a ballpark transformation: without an operation that covers the place the shift is not known.
    """
    if CRS(base) == CRS(WGS84):
        return None
    near = AreaOfInterest(longitude - 0.05, latitude - 0.05, longitude + 0.05, latitude + 0.05)
    group = TransformerGroup(base, WGS84, always_xy=True, allow_ballpark=False, area_of_interest=near)
    usable = [t for t in group.transformers if t.accuracy is not None and t.accuracy >= 0.0]
    return usable[0] if usable else None


def displacement_of_mistakes(
    longitude: float,
    latitude: float,
    crs_epsg: str,
    *,
    metric_crs: str | None = None,
    other_datum: str = PULKOVO,
    sigma_m: float = DATUM_STEPS_DIFFER_M,
) -> tuple[GrossError, ...]:
    """Compute how far each gross error moves a point at a place.

    Parameters
    ----------
    longitude, latitude
        The place on the ground, WGS 84 degrees.
    crs_epsg
        CRS the record's coordinates are read in, "EPSG:28408", "EPSG:4284", "EPSG:32638".
    metric_crs
        Give displacements in this CRS's grid axes; None = true east and north along the geodesic.
    other_datum
        Geographic CRS of the local maps, for records read as WGS 84.
    sigma_m
        Uncertainty per axis of every displacement: two datum operations differ by metres.

    Returns
    -------
    tuple of GrossError
        Names: datum_ignored, shift_twice, gauss_kruger_as_utm, utm_as_gauss_kruger, zone_west, zone_east,
        three_degree_west, three_degree_east, swapped, square_read_nato_way, dms_as_decimal,
        digits_<axis>_<power>. Those that cannot happen with this CRS are left out.

    Raises
    ------
    PositionError
        SF-A030 when no operation joins the record's datum to WGS 84 at the place (a ballpark is refused).

    Notes
    -----
    "MGI for MGI 1901" in Bosnia is ``datum_ignored`` of EPSG:3908 and its sisters: PROJ's route from MGI
    there is a ballpark, which is no shift at all.
    """
    ground = longitude, latitude
    moved = _moved_by_mistakes(longitude, latitude, crs_epsg, other_datum)
    return _errors({name: _offset(ground, place, metric_crs) for name, place in moved.items()}, sigma_m)


def mistakes_behind(longitude: float, latitude: float, crs_epsg: str, *, metric_crs: str) -> tuple[GrossError, ...]:
    """Compute how far each gross error would have moved what a record READS: the ground lies at reading less that.

    The same as `displacement_of_mistakes` but for where it is asked: at the reading instead of on the ground. Of a
    zone or of two digits the two differ by as much as the mistake itself. Parameters, result, errors as there; a record
    read as WGS 84 is taken to come from Pulkovo 1942 maps.
    """
    reading = longitude, latitude
    moved = _moved_by_mistakes(longitude, latitude, crs_epsg, PULKOVO)
    if "dms_as_decimal" in moved:
        moved["dms_as_decimal"] = _place_of(longitude, latitude, crs_epsg, PULKOVO).own_from_dms()
    ground = {name: moved.get(_UNDONE_BY.get(name, name)) for name in moved}
    # Reading less ground: the way from the reading to the ground, turned round.
    ways = {name: _offset(reading, place, metric_crs) for name, place in ground.items()}
    return _errors({name: (-east, -north) for name, (east, north) in ways.items()}, DATUM_STEPS_DIFFER_M)


_UNDONE_BY = {
    a: b
    for pair in (
        ("datum_ignored", "shift_twice"), ("gauss_kruger_as_utm", "utm_as_gauss_kruger"),
        ("zone_west", "zone_east"), ("three_degree_west", "three_degree_east"),
    )
    for a, b in (pair, pair[::-1])
}  # fmt: skip
"""What takes a mistake back, made anew; the others are their own reverse: digits that change places twice."""


def _place_of(longitude: float, latitude: float, crs_epsg: str, other_datum: str) -> _Place:
    base = _base_of(crs_epsg)
    local = other_datum if base == WGS84 else base
    step = datum_step(local, longitude, latitude)
    if step is None and base != WGS84:
        raise PositionError("SF-A030", crs_epsg, longitude=longitude, latitude=latitude)
    return _Place(longitude, latitude, base, local, step)


def _moved_by_mistakes(longitude: float, latitude: float, crs_epsg: str, other_datum: str) -> dict[str, Degrees | None]:
    """Where each mistake takes a place, WGS 84; None off the globe."""
    here = _place_of(longitude, latitude, crs_epsg, other_datum)
    grid = _grid_of(crs_epsg)
    moved = {**_datum_mistakes(here), **_zone_mistakes(here, grid), **_digit_mistakes(here, grid)}
    if grid is None:
        moved["dms_as_decimal"] = here.read(*(_dms_as_decimal(v) for v in here.own))
        moved["swapped"] = here.read(here.own[1], here.own[0])
    return moved


def _errors(ways: dict[str, tuple[float, float]], sigma_m: float) -> tuple[GrossError, ...]:
    return tuple(
        GrossError(name, east, north, sigma_m)
        for name, (east, north) in ways.items()
        if np.isfinite(east) and np.isfinite(north) and np.hypot(east, north) > 0.01
    )


@lru_cache(maxsize=_GRIDS_KEPT)
def _base_of(crs_epsg: str) -> str:
    """Geographic CRS of a CRS."""
    geodetic = CRS(crs_epsg).geodetic_crs
    return f"EPSG:{geodetic.to_epsg() if geodetic is not None else None}"


Degrees = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Place:
    """The place on WGS 84 and on the datum of the record."""

    longitude: float
    latitude: float
    base: str
    local: str
    step: Transformer | None

    @property
    def on_local(self) -> Degrees:
        """The place in degrees of the local datum."""
        if self.step is None:
            return self.longitude, self.latitude
        first, second = self.step.transform(self.longitude, self.latitude, direction="INVERSE")
        return float(first), float(second)

    @property
    def own(self) -> Degrees:
        """The place in degrees of the record's datum."""
        return (self.longitude, self.latitude) if self.base == WGS84 else self.on_local

    def from_local(self, longitude: float, latitude: float) -> Degrees:
        """Degrees of the local datum to WGS 84."""
        if self.step is None:
            return longitude, latitude
        first, second = self.step.transform(longitude, latitude)
        return float(first), float(second)

    def own_from_dms(self) -> Degrees | None:
        """The place if its degrees are degrees, minutes and seconds read as decimals; None where they cannot be."""
        degrees = [_decimal_as_dms(v) for v in self.own]
        return None if None in degrees else self.read(*(v for v in degrees if v is not None))

    def read(self, longitude: float, latitude: float) -> Degrees | None:
        """Degrees of the record's datum to WGS 84, as the reader takes them; None off the globe."""
        if not (abs(latitude) <= 90.0 and abs(longitude) <= 180.0):
            return None
        return (longitude, latitude) if self.base == WGS84 else self.from_local(longitude, latitude)


def _datum_mistakes(here: _Place) -> dict[str, Degrees | None]:
    if here.step is None:
        return {}
    return {
        "datum_ignored": here.on_local,
        "shift_twice": here.from_local(here.longitude, here.latitude),
    }


def _zone_mistakes(here: _Place, own: _Grid | None) -> dict[str, Degrees | None]:
    """Mistakes of grid and zone."""
    if own is None:
        return {}
    true_utm = _utm(here.longitude)
    true_local = own if own.base != WGS84 else _gauss_kruger(here.local, here.longitude)
    east, north = own.forward(*here.own)
    wrong: dict[str, Degrees | None] = {
        "zone_west": here.read(*own.inverse(east, north, longitude=own.longitude - 6.0)),
        "zone_east": here.read(*own.inverse(east, north, longitude=own.longitude + 6.0)),
        "three_degree_west": here.read(*own.inverse(east, north, longitude=own.longitude - 3.0)),
        "three_degree_east": here.read(*own.inverse(east, north, longitude=own.longitude + 3.0)),
        "swapped": here.read(*own.inverse(north - own.prefix, east + own.prefix)),
    }
    if here.step is not None:
        wrong["gauss_kruger_as_utm"] = true_utm.inverse(*true_local.forward(*here.on_local))
        read_as_local = true_local.inverse(*true_utm.forward(here.longitude, here.latitude))
        wrong["utm_as_gauss_kruger"] = here.from_local(*read_as_local)
    return wrong


def _digit_mistakes(here: _Place, own: _Grid | None) -> dict[str, Degrees | None]:
    """Two digits of an easting or northing changed places, and a square's two numbers read the other way."""
    if own is None:
        return {}
    east, north = own.forward(*here.own)
    wrong = {
        f"digits_easting_{power}": here.read(*own.inverse(east + shift, north))
        for power, shift in transposition_shifts(east)
    } | {
        f"digits_northing_{power}": here.read(*own.inverse(east, north + shift))
        for power, shift in transposition_shifts(north)
    }
    gap = (np.floor(north / 1000.0) % 100.0 - np.floor(east / 1000.0) % 100.0) * 1000.0
    wrong["square_read_nato_way"] = here.read(*own.inverse(east + gap, north - gap))
    return wrong


def transposition_shifts(value_m: float) -> tuple[tuple[int, float], ...]:
    """Return (power, shift in metres) for each two neighbouring digits of a coordinate changing places.

    Swapping the digits at 10^k and 10^(k+1) moves the point by a multiple of 9 x 10^k. Digits below 100 m are
    left out: such a shift cannot be told from an ordinary error.
    """
    whole = int(abs(value_m))
    made = []
    for power in range(2, max(len(str(whole)) - 1, 2)):
        low, high = whole // 10**power % 10, whole // 10 ** (power + 1) % 10
        if low != high:
            made.append((power, float(9 * (low - high) * 10**power)))
    return tuple(made)


def _dms_as_decimal(degrees: float) -> float:
    """Degrees-minutes-seconds written 39-59-24 and read as 39.5924."""
    seconds = round(abs(degrees) * 3600.0)
    whole, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    return float(np.copysign(whole + minutes / 100.0 + rest / 10_000.0, degrees))


def _decimal_as_dms(value: float) -> float | None:
    """The reverse of `_dms_as_decimal`; None where minutes or seconds would be 60 or more."""
    whole, rest = divmod(round(abs(value) * 10_000.0, 3), 10_000.0)
    minutes, seconds = divmod(rest, 100.0)
    if minutes >= 60 or seconds >= 60:
        return None
    return float(np.copysign(whole + minutes / 60.0 + seconds / 3600.0, value))


def _offset(true: Degrees, wrong: Degrees | None, metric_crs: str | None) -> tuple[float, float]:
    """Return the way from one place to another, east and north; nan where there is no other."""
    if wrong is None:
        return np.nan, np.nan
    if metric_crs is not None:
        longitudes, latitudes = [true[0], wrong[0]], [true[1], wrong[1]]
        (east, wrong_east), (north, wrong_north) = _to_metric(metric_crs).transform(longitudes, latitudes)
        return float(wrong_east - east), float(wrong_north - north)
    azimuth, _, distance = _GEOD.inv(*true, *wrong)
    return float(distance * np.sin(np.radians(azimuth))), float(distance * np.cos(np.radians(azimuth)))

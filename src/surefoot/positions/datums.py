"""Datums: one pinned operation from a source's coordinates to WGS 84, with its accuracy and a second opinion.

PROJ falls back silently to a zero shift where no operation covers a place. Here every operation is chosen for
the place, must be published with an accuracy, must need no grid file, and is kept with every position.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from pyproj import CRS, Geod, Transformer
from pyproj.aoi import AreaOfInterest
from pyproj.enums import TransformDirection
from pyproj.exceptions import CRSError, ProjError
from pyproj.transformer import TransformerGroup

from surefoot.errors import PositionError

Floats = npt.NDArray[np.float64]

WGS84 = "EPSG:4326"
FLAG_FACTOR = 3.0
_CELL_DEG = 0.25
_GEOD = Geod(ellps="WGS84")


@dataclass(frozen=True, slots=True)
class PinnedOperation:
    """The one datum operation used for a place.

    `code` is the EPSG code of the datum step, ``none`` when the source is WGS 84 already; two steps are
    joined by ``+``. `accuracy_m` is the stated (radial) accuracy. `spread_m` is how far the two best
    operations lie apart at the place, None if there is only one. `flagged`: they differ by more than three
    times the stated accuracy, so one of them is wrong here.
    """

    source: str
    code: str
    name: str
    accuracy_m: float
    second_code: str | None
    spread_m: float | None
    flagged: bool


@dataclass(frozen=True, slots=True)
class _Candidate:
    code: str
    name: str
    accuracy_m: float
    bounds: tuple[float, float, float, float]  # west, south, east, north; west > east over the date line
    transformer: Transformer


@dataclass(frozen=True, slots=True)
class _Pin:
    base: str
    bounds: tuple[float, float, float, float]
    codes: tuple[str, ...]


# The order that was checked for a region, before PROJ's own. South Caucasus: the area of EPSG:1808.
_PINS = (_Pin("EPSG:4284", (39.99, 37.89, 51.73, 43.59), ("EPSG:15865", "EPSG:1808")),)

# Austrian MGI taken for the MGI 1901 of Yugoslavia: an operation to WGS 84 exists only for Austria.
_MGI_AUSTRIA = "EPSG:4312"


def pin_operation(source: str, easting: float, northing: float) -> PinnedOperation:
    """Choose the operation from `source` to WGS 84 at a place.

    Parameters
    ----------
    source
        CRS of the coordinates, such as "EPSG:28408".
    easting, northing
        The place in the source's own coordinates; longitude, latitude in degrees if it is geographic.

    Returns
    -------
    PinnedOperation
        The first operation of the checked order of the region, else of PROJ's order for the place, and the
        next different one as second opinion, compared at the centre of the quarter-degree cell of the place.

    Raises
    ------
    PositionError
        SF-P001 no published operation covers the place, SF-P002 unknown CRS, SF-P003 not a place in this CRS,
        SF-P004 the Austrian MGI outside Austria, SF-P006 a projection that PROJ cannot compute.
    """
    longitude, latitude = _geographic(source, easting, northing)
    base = _base_code(source)
    if _is_wgs84(base):
        return PinnedOperation(source, "none", "already WGS 84", 0.0, None, None, False)
    cell = (min(math.floor(longitude / _CELL_DEG), 719), min(math.floor(latitude / _CELL_DEG), 359))
    codes = tuple(c.code for c in _ranked(base, cell) if _contains(c.bounds, longitude, latitude))
    codes = _pinned_first(base, longitude, latitude, codes)
    if not codes:
        id_ = "SF-P004" if base == _MGI_AUSTRIA else "SF-P001"
        raise PositionError(id_, source, longitude=round(longitude, 5), latitude=round(latitude, 5))
    return _compare(source, base, cell, codes[:2])


def to_wgs84(
    source: str, easting: npt.ArrayLike, northing: npt.ArrayLike, operation: PinnedOperation
) -> tuple[Floats, Floats]:
    """Return WGS 84 longitude and latitude in degrees by the pinned operation.

    Parameters
    ----------
    source
        CRS of the coordinates, with the same datum as the operation's source.
    easting, northing
        Arrays (n,), metres; longitude, latitude in degrees if the source is geographic.
    operation
        From `pin_operation`; never another one in silence.

    Raises
    ------
    PositionError
        SF-P005 the operation does not belong to this source, SF-P003 a coordinate that is no place,
        SF-P006 a projection that PROJ cannot compute.
    """
    return _apply(source, easting, northing, operation, TransformDirection.FORWARD)


def from_wgs84(
    source: str, longitude: npt.ArrayLike, latitude: npt.ArrayLike, operation: PinnedOperation
) -> tuple[Floats, Floats]:
    """Return easting and northing in `source` of WGS 84 degrees: the inverse of `to_wgs84`."""
    return _apply(source, longitude, latitude, operation, TransformDirection.INVERSE)


def operation_sigma_m(operation: PinnedOperation, axis_factor: float = 0.707) -> float:
    """Return one standard deviation per axis of the datum shift, metres.

    The stated accuracy and the spread between the two best operations are radial; each times `axis_factor`
    (priors.toml, ``datum.operation_axis_factor``), added in quadrature.
    """
    return axis_factor * math.hypot(operation.accuracy_m, operation.spread_m or 0.0)


def source_geographic(source: str, easting: npt.ArrayLike, northing: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return longitude and latitude in degrees on the source's OWN datum: no shift is applied."""
    first, second = np.asarray(easting, dtype=np.float64), np.asarray(northing, dtype=np.float64)
    if _crs(source).is_geographic:
        return first, second
    return _pair(_unprojector(source).transform(first, second))


def crs_exists(source: str) -> bool:
    """Whether the CRS is known to the EPSG database that ships with PROJ."""
    try:
        _crs(source)
    except PositionError:
        return False
    return True


def _apply(
    source: str,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    operation: PinnedOperation,
    way: TransformDirection,
) -> tuple[Floats, Floats]:
    transformer = _transformer(source, operation.code)
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    out = _pair(transformer.transform(a, b, direction=way))
    # A missing position may stay missing; a stated one that PROJ cannot place may not.
    lost = ~(np.isfinite(out[0]) & np.isfinite(out[1])) & np.isfinite(a) & np.isfinite(b)
    if lost.any():
        at = np.flatnonzero(lost.ravel())[0]
        raise PositionError("SF-P003", source, first=float(a.ravel()[at]), second=float(b.ravel()[at]))
    return out


def _pair(values: tuple[Any, ...]) -> tuple[Floats, Floats]:
    return np.asarray(values[0], dtype=np.float64), np.asarray(values[1], dtype=np.float64)


def _geographic(source: str, easting: float, northing: float) -> tuple[float, float]:
    lon, lat = source_geographic(source, easting, northing)
    longitude, latitude = float(lon), float(lat)
    if not (abs(longitude) <= 180.0 and abs(latitude) <= 90.0):
        raise PositionError("SF-P003", source, first=easting, second=northing)
    return longitude, latitude


@lru_cache(maxsize=256)
def _crs(source: str) -> CRS:
    try:
        return CRS.from_user_input(source)
    except CRSError as error:
        raise PositionError("SF-P002", source) from error


@lru_cache(maxsize=256)
def _base_code(source: str) -> str:
    """Return the code of the geographic CRS under a source."""
    geodetic = _crs(source).geodetic_crs
    authority = geodetic.to_authority() if geodetic is not None else None
    if authority is None:
        raise PositionError("SF-P002", source)
    return ":".join(authority)


@lru_cache(maxsize=256)
def _is_wgs84(base: str) -> bool:
    datum = _crs(base).datum
    return datum is not None and datum.name.startswith("World Geodetic System 1984")


@lru_cache(maxsize=256)
def _unprojector(source: str) -> Transformer:
    crs = _crs(source)
    try:
        return Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True, allow_ballpark=False)
    except ProjError as error:
        raise PositionError("SF-P006", source) from error


@lru_cache(maxsize=1024)
def _ranked(base: str, cell: tuple[int, int]) -> tuple[_Candidate, ...]:
    west, south = cell[0] * _CELL_DEG, cell[1] * _CELL_DEG
    return _group(base, (west, south, west + _CELL_DEG, south + _CELL_DEG))


def _group(base: str, area: tuple[float, float, float, float] | None = None) -> tuple[_Candidate, ...]:
    """Return the usable operations to WGS 84: published, with an accuracy, without a grid file."""
    interest: Any = AreaOfInterest(*area) if area else None
    group = TransformerGroup(
        _crs(base),
        WGS84,
        always_xy=True,
        allow_ballpark=False,
        area_of_interest=interest,
    )
    found = (_candidate(transformer) for transformer in group.transformers)
    return tuple(c for c in found if c is not None)


def _candidate(transformer: Transformer) -> _Candidate | None:
    operations = transformer.operations or ()
    steps = [o for o in operations if o.type_name == "Transformation"]
    ids = [o.to_json_dict().get("id", {}) for o in steps]
    area = transformer.area_of_use
    if not steps or area is None or transformer.accuracy < 0 or any(o.grids for o in operations):
        return None
    if not all(ids):
        return None
    code = "+".join(f"{_authority(i['authority'])}:{i['code']}" for i in ids)
    name = " + ".join(o.name for o in steps)
    return _Candidate(code, name, float(transformer.accuracy), area.bounds, transformer)


def _authority(word: str) -> str:
    return word.removeprefix("INVERSE(").removesuffix(")")


def _contains(bounds: tuple[float, float, float, float], longitude: float, latitude: float) -> bool:
    west, south, east, north = bounds
    over_date_line = west > east
    inside = (longitude >= west or longitude <= east) if over_date_line else west <= longitude <= east
    return inside and south <= latitude <= north


def _pinned_first(base: str, longitude: float, latitude: float, codes: tuple[str, ...]) -> tuple[str, ...]:
    for pin in _PINS:
        if pin.base == base and _contains(pin.bounds, longitude, latitude):
            first = tuple(c for c in pin.codes if c in codes)
            return first + tuple(c for c in codes if c not in first)
    return codes


@lru_cache(maxsize=4096)
def _compare(source: str, base: str, cell: tuple[int, int], codes: tuple[str, ...]) -> PinnedOperation:
    by_code = {c.code: c for c in _ranked(base, cell)}
    best = by_code[codes[0]]
    if len(codes) == 1:
        return PinnedOperation(source, best.code, best.name, best.accuracy_m, None, None, False)
    second = by_code[codes[1]]
    middle = ((cell[0] + 0.5) * _CELL_DEG, (cell[1] + 0.5) * _CELL_DEG)
    here, there = best.transformer.transform(*middle), second.transformer.transform(*middle)
    spread = float(_GEOD.inv(here[0], here[1], there[0], there[1])[2])
    flagged = spread > FLAG_FACTOR * best.accuracy_m
    return PinnedOperation(source, best.code, best.name, best.accuracy_m, second.code, spread, flagged)


@lru_cache(maxsize=256)
def _transformer(source: str, code: str) -> Transformer:
    """Return the transformer of one source by one datum operation, axes always east, north."""
    base = _base_code(source)
    if code == "none":
        if not _is_wgs84(base):
            raise PositionError("SF-P005", source, code=code)
        return Transformer.from_crs(_crs(source), WGS84, always_xy=True, allow_ballpark=False)
    shift = next((c.transformer for c in _group(base) if c.code == code), None)
    if shift is None:
        raise PositionError("SF-P005", source, code=code)
    if _crs(source).is_geographic:
        return shift
    # PROJ offers an operation for a projected CRS only inside that CRS's own area of use; a wrong zone is a
    # reading we must be able to compute, so projection and shift are joined here.
    return Transformer.from_pipeline(f"proj=pipeline {_steps(_unprojector(source))} {_steps(shift)}")


def _steps(transformer: Transformer) -> str:
    definition = transformer.definition
    return definition.removeprefix("proj=pipeline ") if "step" in definition else f"step {definition}"

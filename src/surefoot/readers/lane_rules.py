"""``[policy.lane_rules]`` of a case -> `LaneRules`. Nothing is skipped: a limit that cannot be read stops the command.

A forbidden area left out in silence would be proposed as ground to work on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from surefoot.errors import InputError, PositionError, UsageError
from surefoot.model import LaneRules
from surefoot.readers.columns import NamedTable, TableContext
from surefoot.readers.counting import Ledger
from surefoot.readers.named_files import load_shapes
from surefoot.readers.near import KM_A_DEGREE, REGION_MARGIN_KM
from surefoot.readers.raw import RawTable
from surefoot.readers.shapes import read_shapes

POLYGONAL = frozenset({"Polygon", "MultiPolygon"})
LINEAR = frozenset({"LineString", "MultiLineString"})
_FILES: Mapping[str, frozenset[str]] = {
    "forbidden": POLYGONAL, "allowed": POLYGONAL, "access": POLYGONAL | LINEAR,
}  # fmt: skip
_NUMBERS: Mapping[str, tuple[Callable[[float], bool], str]] = {
    "keep_off_m": (lambda v: 0.0 <= v < math.inf, "metres, not below 0"),
    "start_within_m": (lambda v: 0.0 <= v < math.inf, "metres, not below 0"),
    "direction_tolerance_deg": (lambda v: 0.0 <= v <= 180.0, "degrees from 0 to 180"),
    "detection_probability": (lambda v: 0.0 < v < 1.0, "a number between 0 and 1"),
    "lane_cost_per_m2": (lambda v: 0.0 < v < math.inf, "a number above 0"),
    "box_cost_per_m2": (lambda v: 0.0 < v < math.inf, "a number above 0"),
}
_DIRECTIONS = "directions_deg"


def read_lane_rules(folder: Path, stated: Mapping[str, Any], region: BaseGeometry) -> LaneRules:
    """Read the limits of work of a case.

    Parameters
    ----------
    folder
        The case folder; the files named lie inside it.
    stated
        The table ``[policy.lane_rules]``; an empty one says that there is no limit.
    region
        Of the case, WGS 84: a limit that lies nowhere near it has swapped axes or belongs to another place.

    Raises
    ------
    UsageError
        SF-R162 for a value of the wrong type or range, SF-R191 for a key that is not known, SF-R192 for a file of which
        not every feature can be used.
    """
    known = (*_FILES, *_NUMBERS, _DIRECTIONS)
    for key in stated:
        if key not in known:
            raise UsageError("SF-R191", key, known=", ".join(known))
    numbers = {key: _number(key, stated[key]) for key in _NUMBERS if key in stated}
    shapes = {key: _shapes(folder, key, stated[key], region) for key in _FILES if key in stated}
    directions = tuple(_direction(value) for value in _list(stated.get(_DIRECTIONS, [])))
    return LaneRules(**shapes, **numbers, directions_deg=directions)  # type: ignore[arg-type]


def _wrong(key: str, value: object, expected: str) -> UsageError:
    return UsageError("SF-R162", str(value)[:100], key=f"policy.lane_rules.{key}", expected=expected)


def _number(key: str, value: object) -> float:
    fits, expected = _NUMBERS[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not fits(float(value)):
        raise _wrong(key, value, expected)
    return float(value)


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise _wrong(_DIRECTIONS, value, "a list of degrees clockwise from true north")
    return value


def _direction(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= 360.0:
        raise _wrong(_DIRECTIONS, value, "a list of degrees clockwise from true north, 0 to 360")
    return float(value)


def _shapes(folder: Path, key: str, name: object, region: BaseGeometry) -> BaseGeometry:
    """Return the union of every feature of a file, WGS 84."""
    if not isinstance(name, str) or not name.strip():
        raise _wrong(key, name, "the name of a file in the case folder, in quotes")
    try:
        shapes = [shape for raw in load_shapes(folder, name) for shape in _features(raw, key, name)]
    except (InputError, PositionError) as error:
        raise UsageError("SF-R192", name, key=key, because=error.id) from error
    if not shapes:
        raise UsageError("SF-R192", name, key=key, because="SF-R131")
    if not all(_near(shape, region) for shape in shapes):
        raise UsageError("SF-R192", name, key=key, because="SF-R125")
    if not shapely.is_valid(np.array(shapes, dtype=object)).all():
        raise UsageError("SF-R192", name, key=key, because="SF-R133")
    return shapely.union_all(shapes)


def _near(shape: BaseGeometry, region: BaseGeometry) -> bool:
    """Whether any of a shape lies within reach of the case's region."""
    lon, lat = region.centroid.x, region.centroid.y
    scale = np.array([KM_A_DEGREE * np.cos(np.deg2rad(lat)), KM_A_DEGREE])
    one, other = (shapely.transform(g, lambda xy: (xy - (lon, lat)) * scale) for g in (shape, region))
    return bool(shapely.distance(one, other) <= REGION_MARGIN_KM)


def _features(raw: RawTable, key: str, name: str) -> list[BaseGeometry]:
    """Every feature of a layer; one that cannot be used stops the command."""
    ledger = Ledger(raw, "region")
    shapes = read_shapes(NamedTable(raw, "region", raw.columns, {}), TableContext(), ledger)
    if ledger.set_asides:
        raise UsageError("SF-R192", name, key=key, because=ledger.set_asides[0].id)
    if not all(shape.geom_type in _FILES[key] for shape in shapes):
        raise UsageError("SF-R192", name, key=key, because="SF-R134")
    return list(shapes)

"""How far apart the points of one record may lie."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from surefoot.analysis.locate.anchors import Place, pulkovo_degrees

FAR_APART_M = 8_000.0
"""The landmarks and corners of one record stand within a few kilometres, in view of the field and on one map sheet.

A sheet of 1:25,000, the largest scale a form was filled in on, is 9.3 km high. Two kilometre digits exchanged move a
point by 9 km or a multiple of it.
"""
IMPOSSIBLE_APART_M = 100_000.0
"""No sheet of 1:200,000 reaches so far; shortened digits repeat there, a wrong zone is several times as far off."""
_EARTH_RADIUS_M = 6_371_000.0


def apart_m(first: Place, second: Place) -> float:
    """Return the distance between two places, metres, on a sphere and without the datum shift."""
    if "local" in (first.source, second.source):
        return 0.0
    (lon, lat), (other_lon, other_lat) = pulkovo_degrees(first), pulkovo_degrees(second)
    lon, lat, other_lon, other_lat = map(math.radians, (lon, lat, other_lon, other_lat))
    half = math.sin((lat - other_lat) / 2) ** 2
    half += math.cos(lat) * math.cos(other_lat) * math.sin((lon - other_lon) / 2) ** 2
    return 2.0 * _EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(half)))


def nearer_than(first: Place, second: Place, limit_m: float) -> bool:
    """Whether two places lie at most so far apart.

    Shortened digits repeat in thousands of places; most of them are told by their latitude alone.
    """
    if "local" in (first.source, second.source):
        return True
    north = math.radians(abs(pulkovo_degrees(first)[1] - pulkovo_degrees(second)[1]))
    return _EARTH_RADIUS_M * north <= limit_m and apart_m(first, second) <= limit_m


def farthest_pair(places: Mapping[str, complex]) -> tuple[str, str, float] | None:
    """Return the point farthest from the middle of all and the one farthest from it, with their distance, metres.

    In the order of `places`; None for fewer than two. The middle is the median, which one wrong point does not move.
    """
    if len(places) < 2:
        return None
    names, at = list(places), np.array(list(places.values()))
    middle = complex(np.median(at.real), np.median(at.imag))
    first = int(np.argmax(np.abs(at - middle)))
    second = int(np.argmax(np.abs(at - at[first])))
    return names[min(first, second)], names[max(first, second)], float(abs(at[first] - at[second]))

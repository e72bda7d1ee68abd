"""Kilometre grid squares ("3064") and their parts: quarters А-Г and the nine fields of the "snail"."""

from __future__ import annotations

import re

from surefoot.errors import InputError
from surefoot.positions.glyphs import plain

_SNAIL = {1: (0, 2), 2: (1, 2), 3: (2, 2), 4: (2, 1), 5: (2, 0), 6: (1, 0), 7: (0, 0), 8: (0, 1), 9: (1, 1)}
# On the ground the quarters of a grid square go round clockwise, unlike those of a map sheet.
_QUARTERS = {"А": (0, 1), "Б": (1, 1), "В": (1, 0), "Г": (0, 0)}
_SQUARE = re.compile(r"(\d{2})[ \-]?(\d{2})[ \-]?([АБВГ])?")


def square_bounds(
    square: str, *, near_easting: float, near_northing: float, order: str = "XY", ninth: int | None = None
) -> tuple[float, float, float, float]:
    """Return (west, south, east, north) in metres of the grid square nearest to a place.

    The two-digit kilometre numbers repeat every 100 km.

    Parameters
    ----------
    square
        "3064", with an optional quarter "3064Б" (А north-west, clockwise).
    near_easting, near_northing
        A place in the grid, metres.
    order
        "XY": the first two digits are kilometres north (Soviet and Yugoslav forms); "YX": east (NATO).
    ninth
        Field of the snail, 1 = north-west, clockwise to 8 = west, 9 = centre.

    Raises
    ------
    InputError
        SF-P012 no grid square, or no such field.
    """
    match = _SQUARE.fullmatch(plain(square).upper())
    if match is None or order not in ("XY", "YX") or (ninth is not None and ninth not in _SNAIL):
        raise InputError("SF-P012", square)
    first, second = int(match[1]), int(match[2])
    north_km, east_km = (first, second) if order == "XY" else (second, first)
    west = _nearest(east_km, near_easting)
    south = _nearest(north_km, near_northing)
    if ninth is not None:
        return _cell(west, south, _SNAIL[ninth], 3)
    if match[3]:
        return _cell(west, south, _QUARTERS[match[3]], 2)
    return west, south, west + 1000.0, south + 1000.0


def _nearest(kilometre: int, near: float) -> float:
    offset = 1000.0 * kilometre
    return offset + 100_000.0 * round((near - 500.0 - offset) / 100_000.0)


def _cell(west: float, south: float, at: tuple[int, int], parts: int) -> tuple[float, float, float, float]:
    size = 1000.0 / parts
    left, bottom = west + at[0] * size, south + at[1] * size
    return left, bottom, left + size, bottom + size

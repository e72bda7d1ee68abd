"""Soviet map sheets: from a name to its bounds and back, with every sheet a name may mean.

1:1,000,000 = 4 by 6 degrees ("J-38"); 1:500,000 = quarters А-Г; 1:200,000 = 36 parts in Roman numerals;
1:100,000 = 144 parts; 1:50,000, 1:25,000 and 1:10,000 = quarters А-Г, а-г and 1-4 of the sheet before.
Quarters and parts are counted by rows from the north-west. The doubled sheets beyond 60 degrees north are not
used.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from surefoot.errors import PositionError
from surefoot.positions.glyphs import latin_twins, plain
from surefoot.positions.statements import Sheet

_ROWS = "ABCDEFGHIJKLMNOPQRSTUV"
_QUARTERS = "АБВГ"
SCALES = (1_000_000, 500_000, 200_000, 100_000, 50_000, 25_000, 10_000)
_SIZE_S = {  # height, width in seconds of arc
    1_000_000: (14400, 21600),
    500_000: (7200, 10800),
    200_000: (2400, 3600),
    100_000: (1200, 1800),
    50_000: (600, 900),
    25_000: (300, 450),
    10_000: (150, 225),
}
_PARENT = {
    500_000: 1_000_000,
    200_000: 1_000_000,
    100_000: 1_000_000,
    50_000: 100_000,
    25_000: 50_000,
    10_000: 25_000,
}

# Row letters in Cyrillic: those that look like a Latin one, and those that sound like it. Н may be either.
_ROW_READINGS = {
    "А": "A", "Б": "B", "В": "BV", "С": "CS", "Ц": "C", "Д": "D", "Е": "E", "Ф": "F", "Г": "G", "Н": "HN",
    "Х": "H", "И": "I", "І": "I", "Й": "J", "Ј": "J", "Ж": "J", "К": "K", "Л": "L", "М": "M", "О": "O",
    "П": "P", "Р": "PR", "Т": "T", "У": "U",
}  # fmt: skip
# Quarter letters: a Latin B looks like В and sounds like Б; C and D come from counting A, B, C, D.
_QUARTER_READINGS = {
    "А": "А",
    "A": "А",
    "Б": "Б",
    "В": "В",
    "B": "БВ",
    "V": "В",
    "Г": "Г",
    "G": "Г",
    "C": "В",
    "D": "Г",
}

_NOISE = re.compile(
    r"(?:лист\w*|карт\w*|номенклатур\w*|sheet|map|list|karta|sekcija|nomenklatura)\b[ .:№]*"
    r"|\([^)]*\)|\"[^\"]*\"",
    re.IGNORECASE,
)
_BRACKETED_PART = re.compile(r"([\w)\]] ?[-\s]?) ?[(\[] ?(\d{1,3}|[IVXХ]{1,7}|[A-GА-Гa-gа-г]) ?[)\]]", re.IGNORECASE)
_SCALE = re.compile(r"(?:м(?:асштаб)?\.? ?)?1 ?[:/] ?\d[\d .]*(?:000|k|к)?", re.IGNORECASE)
_QUARTER = "[" + "".join(_QUARTER_READINGS) + "]"
_NAME = re.compile(r"(?P<row>[A-VА-ЯІЈ])-?(?P<zone>\d{1,2})(?:-?(?P<rest>[^-].*))?")
_HUNDRED = re.compile(rf"(?P<number>\d{{1,3}})(?:-?(?P<a>{_QUARTER})(?:-?(?P<b>{_QUARTER})(?:-?(?P<c>[1-4]))?)?)?")
_ROMAN = re.compile(r"X{0,3}(?:IX|IV|V?I{0,3})")


@dataclass(frozen=True, slots=True)
class _Cell:
    """A sheet as whole numbers: its south-west corner in units of its own height and width."""

    scale: int
    up: int
    right: int


def parse_sheet(text: str) -> tuple[Sheet, ...]:
    """Return every sheet the text may mean, likeliest letters first; empty if it names no sheet.

    "K-38-141-B" with a Latin B is two sheets, Б and В, 28 km apart. Spaces, dashes, missing dashes, capital
    or small letters, a scale and a title in brackets do not matter.
    """
    # "К-38-(141)-Б": a part of the name in brackets, not a title.
    whole = plain(text)
    return _parsed(_BRACKETED_PART.sub(r"\1 \2", whole)) or _parsed(whole)


def _parsed(text: str) -> tuple[Sheet, ...]:
    clean = _SCALE.sub(" ", _NOISE.sub(" ", text))
    first, *others = (re.sub(r"[ \-_./]+", "-", part.strip(" .-_/")).upper() for part in re.split(r"[,;+]", clean))
    # "J-38-10-А,Б": a map glued from neighbours, named by its last letters.
    names = [first] + [first[:-1] + letter for letter in others if re.fullmatch(_QUARTER, letter)]
    return tuple(dict.fromkeys(sheet for name in names for sheet in _named(name)))


def farthest_centres_km(sheets: Sequence[Sheet]) -> float:
    """Return the greatest distance between the centres of sheets, kilometres (on a sphere)."""
    lon, lat = (np.radians([(a + b) / 2 for a, b in sides]) for sides in (
        [(s.west, s.east) for s in sheets], [(s.south, s.north) for s in sheets]
    ))  # fmt: skip
    half = (
        np.sin((lat[:, None] - lat) / 2) ** 2
        + np.cos(lat[:, None]) * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
    )
    return float(2 * 6371.0 * np.arcsin(np.sqrt(half)).max())


def _named(name: str) -> list[Sheet]:
    match = _NAME.fullmatch(name)
    if match is None:
        return []
    rows = _ROW_READINGS.get(match["row"], match["row"])
    zone = int(match["zone"])
    if not 1 <= zone <= 60:
        return []
    return [
        _sheet(cell)
        for row in rows
        if row in _ROWS
        for cell in _within(_Cell(1_000_000, _ROWS.index(row), zone - 31), match["rest"] or "")
    ]


def _within(million: _Cell, rest: str) -> list[_Cell]:
    """Return the cells that the part of a name after the zone may mean."""
    if not rest:
        return [million]
    cells: list[_Cell] = []
    roman = latin_twins(rest)
    if _ROMAN.fullmatch(roman) and 1 <= _arabic(roman) <= 36:
        cells.append(_part(million, 200_000, _arabic(roman)))
    if re.fullmatch(_QUARTER, rest):
        cells += [_part(million, 500_000, _QUARTERS.index(q) + 1) for q in _QUARTER_READINGS[rest]]
    match = _HUNDRED.fullmatch(rest)
    if match and 1 <= int(match["number"]) <= 144:
        cells += _quartered(_part(million, 100_000, int(match["number"])), match)
    return cells


def _quartered(hundred: _Cell, match: re.Match[str]) -> list[_Cell]:
    letters = [_QUARTER_READINGS[match[key]] for key in ("a", "b") if match[key]]
    cells = []
    for choice in itertools.product(*letters):
        cell = hundred
        for letter, scale in zip(choice, (50_000, 25_000), strict=False):
            cell = _part(cell, scale, _QUARTERS.index(letter) + 1)
        cells.append(_part(cell, 10_000, int(match["c"])) if match["c"] else cell)
    return cells


def _across(scale: int) -> int:
    """Return how many sheets of a scale lie side by side in the sheet they are counted in."""
    return _SIZE_S[_PARENT[scale]][1] // _SIZE_S[scale][1]


def _part(parent: _Cell, scale: int, number: int) -> _Cell:
    across = _across(scale)
    down, right = divmod(number - 1, across)
    return _Cell(scale, parent.up * across + across - 1 - down, parent.right * across + right)


def _number(cell: _Cell) -> int:
    across = _across(cell.scale)
    return (across - 1 - cell.up % across) * across + cell.right % across + 1


def _name(cell: _Cell) -> str:
    if cell.scale == 1_000_000:
        return f"{_ROWS[cell.up]}-{cell.right + 31}"
    across = _across(cell.scale)
    parent = _name(_Cell(_PARENT[cell.scale], cell.up // across, cell.right // across))
    number = _number(cell)
    words = {
        500_000: lambda: _QUARTERS[number - 1],
        200_000: lambda: _roman(number),
        100_000: lambda: str(number),
        50_000: lambda: _QUARTERS[number - 1],
        25_000: lambda: _QUARTERS[number - 1].lower(),
        10_000: lambda: str(number),
    }
    return f"{parent}-{words[cell.scale]()}"


def _sheet(cell: _Cell) -> Sheet:
    height, width = _SIZE_S[cell.scale]
    return Sheet(
        _name(cell),
        cell.scale,
        west=cell.right * width / 3600.0,
        south=cell.up * height / 3600.0,
        east=(cell.right + 1) * width / 3600.0,
        north=(cell.up + 1) * height / 3600.0,
    )


def sheet_at(longitude: float, latitude: float, scale: int) -> Sheet:
    """Return the sheet a place lies on; a place on an edge belongs to the sheet north and east of it.

    Parameters
    ----------
    longitude, latitude
        Degrees on Pulkovo 1942.
    scale
        Scale denominator, one of `SCALES`.

    Raises
    ------
    PositionError
        SF-P051 no sheets there (south of the equator or beyond 88 degrees north), or no such scale.
    """
    if scale not in _SIZE_S or not (0.0 <= latitude < 88.0 and -180.0 <= longitude <= 180.0):
        raise PositionError("SF-P051", f"{latitude}, {longitude}", scale=scale)
    height, width = _SIZE_S[scale]
    right = _wrapped(_floor(longitude * 3600.0 / width), width)
    return _sheet(_Cell(scale, _floor(latitude * 3600.0 / height), right))


def _wrapped(right: int, width_s: int) -> int:
    """Return the column counted from Greenwich, the 180th meridian being the west edge of zone 1."""
    around = 360 * 3600 // width_s
    return (right + around // 2) % around - around // 2


def _floor(value: float) -> int:
    # 39.9999999999999 from a division is the sheet line itself.
    nearest = round(value)
    return nearest if abs(value - nearest) < 1e-9 else math.floor(value)


def sheets_at(longitude: float, latitude: float, scale: int) -> tuple[Sheet, ...]:
    """Return all sheets that touch a place within 1e-9 degrees: two on an edge, four on a corner.

    The first is `sheet_at`.
    """
    height, width = _SIZE_S.get(scale, (1, 1))
    first = sheet_at(longitude, latitude, scale)
    ups = _touching(latitude * 3600.0 / height, height)
    rights = _touching(longitude * 3600.0 / width, width)
    cells = [
        _Cell(scale, up, _wrapped(right, width))
        for up, right in itertools.product(ups, rights)
        if 0 <= up < 88 * 3600 // height
    ]
    return tuple(dict.fromkeys([first, *(_sheet(cell) for cell in cells)]))


def _touching(value: float, size_s: int) -> tuple[int, ...]:
    """Return the indices of the cells that touch a coordinate given in units of the cell's size."""
    nearest = round(value)
    if abs(value - nearest) * size_s / 3600.0 <= 1e-9:
        return nearest, nearest - 1
    return (math.floor(value),)


def _arabic(roman: str) -> int:
    values = [{"I": 1, "V": 5, "X": 10}[letter] for letter in roman]
    return sum(-v if any(v < w for w in values[i + 1 : i + 2]) else v for i, v in enumerate(values))


def _roman(number: int) -> str:
    tens, ones = divmod(number, 10)
    return "X" * tens + ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")[ones]

"""Bearings: the words and numbers of a form, and the turn from one north to another."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from surefoot.errors import InputError
from surefoot.positions.compass import compass_point, quadrant_bearing
from surefoot.positions.glyphs import REMEMBERED, plain
from surefoot.positions.statements import BearingStatement
from surefoot.terms import BearingUnit, North, Sense

Floats = npt.NDArray[np.float64]

CIRCLE: dict[BearingUnit, float] = {
    BearingUnit.DEGREE: 360.0,
    BearingUnit.GON: 400.0,
    BearingUnit.MIL_6000: 6000.0,
    BearingUnit.MIL_6400: 6400.0,
    BearingUnit.MIL_6300: 6300.0,
}

_ORDER_FORMULYAR = (BearingUnit.MIL_6000, BearingUnit.DEGREE, BearingUnit.MIL_6400, BearingUnit.MIL_6300)
_ORDER_OTHER = (BearingUnit.DEGREE, BearingUnit.MIL_6400, BearingUnit.MIL_6000, BearingUnit.MIL_6300)

_NORTHS: tuple[tuple[North, str], ...] = (
    (
        North.MAGNETIC,
        r"магн|магнет|magn|maqn|մագն|\bmag\b|\bмаг\b|\bm\.? ?n\b|(?<!\w)м\. ?а\."
        r"|(?<![a-zа-я])[аa]\.? ?[мm](?:агн)?(?![a-zа-я])",
    ),
    (
        North.GRID,
        r"дирекц|direkc|direks|դիրեկց|(?<!\w)дир\.? ?у|\bg\.? ?n\b"
        r"|\bgrid\b|сетк|(?<![а-яa-z])д\.? ?у\.?(?= *[=:-]? *\d)|α|координатн",
    ),
    (
        North.TRUE,
        r"истин|дійсн|həqiq|իսկական|istinit|\bt\.? ?n\b"
        r"|(?<![a-zа-я])[аa]\.? ?[иi](?:ст)?(?![a-zа-я])|\btrue\b|геогр|geogr|\bpravi\b|\bправи\b",
    ),
)
_NORTH_LETTERS = {"M": North.MAGNETIC, "G": North.GRID, "T": North.TRUE, "М": North.MAGNETIC, "Т": North.TRUE}

_UNITS: tuple[tuple[BearingUnit, str], ...] = (
    (BearingUnit.MIL_6400, r"hiljad|хиљад|хильяд|тисућ|tisuć|\bmils?\b|\bмил(?:ов|ы|а|ей)?\b|₥|/ ?6400"),
    (BearingUnit.MIL_6300, r"streck|/ ?6300"),
    (
        BearingUnit.MIL_6000,
        r"тысячн|(?<=\d) ?т\. ?д\b|(?<=\d) ?тд\b|(?<=\d) ?д\. ?у\b|делени|угломер|piiru|/ ?6000",
    ),
    (BearingUnit.GON, r"\bgons?\b|\bgrads?\b|гон(?:ов|а|ы)?\b|\bградов\b|ᵍ|\bgr\b"),
    (BearingUnit.DEGREE, r"°|градус|\bград\b|\bdeg|stepen|stupn|степен|ступњ"),
)

_COUNTER = re.compile(r"против|counter|anti-?clock|\bccw\b|against the clock|suprotno|супротно|обрнуто|obrnuto")
_CLOCKWISE = re.compile(r"по (?:ходу )?час|clockwise|\bcw\b|u smeru kaz|u smjeru kaz|у смеру каз")

_NUMBER = r"\d+(?:[.,]\d+)?"
_SEXAGESIMAL = re.compile(
    rf"(?P<d>\d+) ?(?:°|град\w*\.?|deg\w*|d(?=\d)) ?-? ?(?P<m>{_NUMBER}) ?(?:'|мин\w*\.?|min\w*|m\b)?"
    rf"(?: ?(?P<s>{_NUMBER}) ?(?:\"|сек\w*|sec\w*)?)?"
)
_HYPHEN = re.compile(r"(?<!\d)(?<!\d[.,])(\d{1,3}) ?- ?(\d{2})(?!\d)(?![.,]\d)")  # "Маг.аз.15-40", "15-40."
_BACK = re.compile(r"обратн|\bback\b|back[- ]?(?:bearing|azimuth)|reverse|reciprocal|зворотн|povratn|повратн")
_TWICE = re.compile(r"([^()]*\d[^()]*)\(([^()]*\d[^()]*)\)[ .]*")
_TWICE_AGREES_DEG = 0.06  # one division of 6000


def to_degrees(value: npt.ArrayLike, unit: BearingUnit) -> Floats:
    """Return a bearing in degrees; 6000 thousandths, 6400 or 6300 mils, 400 gon make one circle."""
    return np.asarray(value, dtype=np.float64) * (360.0 / CIRCLE[unit])


def from_degrees(deg: npt.ArrayLike, unit: BearingUnit) -> Floats:
    """Return a bearing in degrees in another unit."""
    return np.asarray(deg, dtype=np.float64) * (CIRCLE[unit] / 360.0)


def wrap_deg(deg: npt.ArrayLike) -> Floats:
    """Return the bearing within one circle, 0 <= result < 360 degrees."""
    wrapped = np.mod(np.asarray(deg, dtype=np.float64), 360.0)
    return np.where(wrapped >= 360.0, 0.0, wrapped)


def back_bearing(deg: npt.ArrayLike) -> Floats:
    """Return the bearing of the way back, degrees."""
    return wrap_deg(np.asarray(deg, dtype=np.float64) + 180.0)


def clockwise_deg(deg: npt.ArrayLike, sense: Sense) -> Floats:
    """Return a bearing counted in either sense as one counted clockwise, degrees."""
    sign = 1.0 if sense is Sense.CLOCKWISE else -1.0
    return wrap_deg(sign * np.asarray(deg, dtype=np.float64))


def true_from(
    bearing_deg: npt.ArrayLike,
    north: North,
    *,
    declination_deg: npt.ArrayLike = 0.0,
    convergence_deg: npt.ArrayLike = 0.0,
) -> Floats:
    """Return the true bearing, degrees clockwise.

    ``true = magnetic + declination`` (east positive) and ``true = grid + convergence``.

    Parameters
    ----------
    bearing_deg
        Bearing from `north`, degrees clockwise.
    declination_deg, convergence_deg
        At the place and, for the declination, at the date of the bearing; degrees, east positive.
    """
    return wrap_deg(np.asarray(bearing_deg, dtype=np.float64) + _turn(north, declination_deg, convergence_deg))


def degrees_of(value: float, unit: BearingUnit) -> float:
    """Return one bearing in degrees, as `to_degrees`: an array of one costs more than the sum."""
    return value * (360.0 / CIRCLE[unit])


def true_bearing(
    bearing_deg: float, north: North, *, declination_deg: float = 0.0, convergence_deg: float = 0.0
) -> float:
    """Return one true bearing, degrees clockwise, as `true_from`."""
    turn = {North.MAGNETIC: declination_deg, North.GRID: convergence_deg, North.TRUE: 0.0}[north]
    true = (bearing_deg + turn) % 360.0
    return 0.0 if true >= 360.0 else true


def bearing_from_true(
    true_deg: npt.ArrayLike,
    north: North,
    *,
    declination_deg: npt.ArrayLike = 0.0,
    convergence_deg: npt.ArrayLike = 0.0,
) -> Floats:
    """Return a true bearing as counted from another north: the inverse of `true_from`, degrees clockwise."""
    return wrap_deg(np.asarray(true_deg, dtype=np.float64) - _turn(north, declination_deg, convergence_deg))


def grid_from_true(true_deg: npt.ArrayLike, *, convergence_deg: npt.ArrayLike) -> Floats:
    """Return the grid bearing (``true - convergence``), degrees clockwise."""
    return bearing_from_true(true_deg, North.GRID, convergence_deg=convergence_deg)


def magnetic_from_true(true_deg: npt.ArrayLike, *, declination_deg: npt.ArrayLike) -> Floats:
    """Return the magnetic bearing (``true - declination``), degrees clockwise."""
    return bearing_from_true(true_deg, North.MAGNETIC, declination_deg=declination_deg)


def _turn(north: North, declination_deg: npt.ArrayLike, convergence_deg: npt.ArrayLike) -> Floats:
    turn = {North.MAGNETIC: declination_deg, North.GRID: convergence_deg, North.TRUE: 0.0}[north]
    return np.asarray(turn, dtype=np.float64)


@lru_cache(maxsize=REMEMBERED)
def parse_bearing(text: str, *, north_text: str = "", formulyar: bool = False) -> BearingStatement:
    """Read a bearing as written on a form.

    Parameters
    ----------
    text
        "Ам 15-40", "дирекционный угол 123°30'", "1240 hiljaditih", "N 45 E", "СВ", "1540" ...
    north_text
        What another field of the form says about the north; the bearing's own words come first.
    formulyar
        Whether the form is of the Soviet type: the order of `possible_units` of a bare number.

    Returns
    -------
    BearingStatement
        A hyphen ("15-40") means 6000 to the circle; a decimal fraction means degrees; a bare whole number
        leaves the unit open. A compass word has the width of its sector as `quantum` (22.5 or 45 degrees).

    Raises
    ------
    InputError
        SF-P020 no bearing, SF-P021 the value is more than one circle, SF-P022 several numbers,
        SF-P023 "61-20": too large for 6000, and 6400 or degrees and minutes both remain.
    """
    clean = plain(text)
    twice = _TWICE.fullmatch(clean)
    if twice:
        return _said_twice(text, twice, north_text, formulyar)
    low = clean.casefold()
    north = _north(clean, low) or _north_of_words(north_text)
    sense = _sense(low)
    worded = quadrant_bearing(clean) or compass_point(clean)
    if worded is not None:
        return _statement(text, worded[0], BearingUnit.DEGREE, north, sense, worded[1])
    value, quantum, unit = _value(text, clean)
    if is_back_bearing(text):
        if unit is None:  # half a circle of an unknown unit
            raise InputError("SF-P020", text)
        value = (value + CIRCLE[unit] / 2.0) % CIRCLE[unit]
    if unit is not None:
        return _statement(text, value, unit, north, sense, quantum)
    order = _ORDER_FORMULYAR if formulyar else _ORDER_OTHER
    possible = tuple(u for u in order if value <= CIRCLE[u])
    if not possible:
        raise InputError("SF-P021", text, value=value, circle=max(CIRCLE.values()))
    return BearingStatement(text, value, None, possible, north, sense, quantum)


@lru_cache(maxsize=REMEMBERED)
def is_back_bearing(text: str) -> bool:
    """Whether the words say that the bearing is that of the way back; `parse_bearing` turns it round."""
    return _BACK.search(plain(text).casefold()) is not None


def _said_twice(raw: str, twice: re.Match[str], north_text: str, formulyar: bool) -> BearingStatement:
    """Read "15-40 (92°24')": one bearing in two units, if the two agree.

    Raises
    ------
    InputError
        SF-P022 the two are not the same, or one of them leaves its unit open.
    """
    outer, inner = (parse_bearing(part, north_text=north_text, formulyar=formulyar) for part in twice.groups())
    if outer.unit is None or inner.unit is None:
        raise InputError("SF-P022", raw)
    apart = to_degrees(outer.value, outer.unit) - to_degrees(inner.value, inner.unit)
    if abs((float(apart) + 180.0) % 360.0 - 180.0) > _TWICE_AGREES_DEG:
        raise InputError("SF-P022", raw)
    return BearingStatement(
        raw, outer.value, outer.unit, outer.possible_units, outer.north or inner.north, outer.sense or inner.sense,
        outer.quantum,
    )  # fmt: skip


def _statement(
    raw: str, value: float, unit: BearingUnit, north: North | None, sense: Sense | None, quantum: float
) -> BearingStatement:
    if value > CIRCLE[unit]:
        raise InputError("SF-P021", raw, value=value, circle=CIRCLE[unit])
    return BearingStatement(raw, value, unit, (unit,), north, sense, quantum)


def _north_of_words(text: str) -> North | None:
    clean = plain(text)
    return _north(clean, clean.casefold()) or _NORTH_LETTERS.get(clean.upper().strip(". "))


def _north(clean: str, low: str) -> North | None:
    for north, pattern in _NORTHS:
        if re.search(pattern, low):
            return north
    letter = re.search(r"(?:\d|°|'|\"|mils?|deg\w*) ?\(?([MGTМТ])\)?\.?$", clean)
    if letter:
        return _NORTH_LETTERS[letter[1]]
    # On Yugoslav forms "azimut" alone is the compass reading.
    return North.MAGNETIC if re.search(r"\bazimut(?!h)", low) else None


def _sense(low: str) -> Sense | None:
    if _COUNTER.search(low):
        return Sense.COUNTER_CLOCKWISE
    return Sense.CLOCKWISE if _CLOCKWISE.search(low) else None


def _unit(clean: str) -> BearingUnit | None:
    for unit, pattern in _UNITS:
        if re.search(pattern, clean.casefold()):
            return unit
    # A small "g" is gon, a capital "G" after the number is grid north.
    return BearingUnit.GON if re.search(r"\d ?g$", clean) else None


def _value(raw: str, clean: str) -> tuple[float, float, BearingUnit | None]:
    """Return value, quantum and unit of the one number in the text."""
    bare = re.sub(r"/ ?6[034]00\b", " ", clean.casefold())
    if re.match(r"^-\d", bare):
        raise InputError("SF-P021", raw, value=bare, circle=360.0)
    unit = _unit(clean)
    parts = _SEXAGESIMAL.search(bare) if unit in (None, BearingUnit.DEGREE) else None
    if parts:
        _only(raw, bare, parts)
        return (*_sexagesimal(raw, parts), BearingUnit.DEGREE)
    hyphen = _HYPHEN.search(bare)
    if hyphen:
        _only(raw, bare, hyphen)
        return _hyphenated(raw, int(hyphen[1]), int(hyphen[2]), unit)
    number = re.search(_NUMBER, bare)
    if number is None:
        raise InputError("SF-P020", raw)
    _only(raw, bare, number)
    digits = number[0].replace(",", ".")
    decimals = len(digits.partition(".")[2])
    fraction_unit = BearingUnit.DEGREE if decimals else None
    return float(digits), 10.0**-decimals, unit or fraction_unit


def _only(raw: str, text: str, match: re.Match[str]) -> None:
    rest = text[: match.start()] + " " + text[match.end() :]
    if re.search(r"\d", rest):
        raise InputError("SF-P022", raw)


def _sexagesimal(raw: str, parts: re.Match[str]) -> tuple[float, float]:
    minutes = float(parts["m"].replace(",", "."))
    seconds = float(parts["s"].replace(",", ".")) if parts["s"] else 0.0
    if minutes >= 60.0 or seconds >= 60.0:
        raise InputError("SF-P021", raw, value=parts[0], circle=360.0)
    value = int(parts["d"]) + minutes / 60.0 + seconds / 3600.0
    return value, 1.0 / 3600.0 if parts["s"] else _minute_step(minutes)


def _minute_step(minutes: float) -> float:
    """Return the rounding that written minutes betray, degrees: 30' half a degree, 20' ten minutes."""
    steps = (s for s in (30.0, 15.0, 10.0, 5.0, 1.0, 0.1) if abs(minutes / s - round(minutes / s)) < 1e-9)
    return next(steps, 0.01) / 60.0


def _hyphenated(raw: str, large: int, small: int, unit: BearingUnit | None) -> tuple[float, float, BearingUnit | None]:
    """Read "15-40" (large and small divisions); above one circle it can only be degrees and minutes."""
    mils = unit or BearingUnit.MIL_6000
    if mils is BearingUnit.GON:
        raise InputError("SF-P020", raw)
    value = 100.0 * large + small
    if unit is None and CIRCLE[BearingUnit.MIL_6000] < value <= CIRCLE[BearingUnit.MIL_6400]:
        raise InputError("SF-P023", raw, value=value)
    if mils is not BearingUnit.DEGREE and value <= CIRCLE[mils]:
        return value, 1.0, mils
    if unit in (None, BearingUnit.DEGREE) and small < 60:
        return large + small / 60.0, _minute_step(small), BearingUnit.DEGREE
    raise InputError("SF-P021", raw, value=value, circle=CIRCLE[mils])

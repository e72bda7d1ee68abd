"""Distances as written, in metres, steps, pairs of steps, yards and feet."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from surefoot.errors import InputError
from surefoot.positions.glyphs import REMEMBERED, plain
from surefoot.positions.statements import DistanceStatement
from surefoot.terms import DistanceUnit

Floats = npt.NDArray[np.float64]

METRES_PER_YARD = 0.9144
METRES_PER_FOOT = 0.3048

_UNITS: tuple[tuple[DistanceUnit | None, str], ...] = (
    (
        DistanceUnit.PAIR_OF_STEPS,
        r"п ?[./]? ?ш\.?|пар\w*\.? ?(?:шаг\w*|ш)\.?|дв(?:ойн\w*|\.) ?шаг\w*|double[ -]?(?:paces?|steps?)"
        r"|pairs? of (?:paces?|steps?)|par\w* korak\w*|dvokora[kc]\w*|двокора[кц]\w*|пар\w* корак\w*"
        r"|(?:пар\w*|подвійн\w*) крок\w*|cüt add[ıi]m\w*|զույգ քայլ\w*",
    ),
    (
        DistanceUnit.STEP,
        r"шаг\w*\.?|ш\.?|(?:single )?paces?|(?:single )?steps?|kora[kc]\w*|кора[кц]\w*|крок\w*|add[ıi]m\w*|քայլ\w*",
    ),
    (DistanceUnit.KILOMETRE, r"км\.?|km\.?|կմ\.?|килом\w*|kilom\w*"),
    (DistanceUnit.METRE, r"м\.?|m\.?|метр\w*|metr\w*|met(?:er|ar)\w*|մետր\w*|մ\.?|мет\.?|метар\w*|mtr?s?\.?"),
    (DistanceUnit.YARD, r"yds?\.?|yards?|ярд\w*|jard\w*"),
    (DistanceUnit.FOOT, r"ft\.?|feet|foot|фут\w*|stop[aei]"),
    (None, r"п\.?|пар\w*"),
)
_ABOUT = (
    r"(?:ок\.?|около|примерно|прибл\w*\.?|~|≈|about|approx\w*\.?|ca?\.?|circa|oko|cca\.?|до"
    r"|[dsrlд] ?[=:]"
    r"|[lд] ?-|расстояни\w*|дистанци\w*|дальность|distance|range|rastojanje|udaljenost|растојање|удаљеност|відстань"
    r"|məsafə|հեռավորություն\w*|через|каждые|кажд\w*|every|each|at|на|svakih|сваких|hər|кожні|:|=)"
)
_SLOPE = re.compile(
    r"[,;(]? ?(?:по склону|на склоне|склон|уклон|крутизна|угол наклона|(?:along |on )?(?:a |the )?slope"
    r"|(?:uz )?nagib)(?: of)? ?[=:]? ?(\d+(?:[.,]\d+)?) ?(?:°|deg\w*|град\w*)\)?"
)
_DISTANCE = re.compile(rf"^(?:{_ABOUT} ?)*(?P<sign>-)? ?(?P<number>\d+(?: \d{{3}})*(?:[.,]\d+)?) ?(?P<unit>[^\d]*)$")


_UNIT_FIRST = re.compile(r"(?P<unit>[^\d:=]+?) ?[:=]? ?(?P<number>\d+(?: \d{3})*(?:[.,]\d+)?)")
_NO_SLOPE = r"склон|slope|nagib|нагиб|накл|похил"
_FLAT = re.compile(r"[,;]? ?(?:\bhorizontal(?:ly)?\b|\bпо горизонтали\b|\bгоризонтально\b|\bvodoravno\b)")


@lru_cache(maxsize=REMEMBERED)
def parse_distance(text: str) -> DistanceStatement:
    """Read a distance as written on a form.

    Parameters
    ----------
    text
        "320 м", "320 пар шагов", "1,2 км", "350 yd"; a bare number is metres. "about" is left out.

    Returns
    -------
    DistanceStatement
        `unit` None: paces without saying single or pairs ("320 п."). A slope is read from
        "320 м по склону 20°", in degrees.

    Raises
    ------
    InputError
        SF-P030 negative, SF-P031 no distance (or more than one), SF-P032 a point or comma that may be a
        thousands sign ("1.200 m").
    """
    low = plain(text).casefold()
    slope = _SLOPE.search(low)
    if slope:
        low = (low[: slope.start()] + low[slope.end() :]).strip()
    low = _FLAT.sub("", low)
    if not re.search(_NO_SLOPE, low):  # "320 (триста двадцать) м", "320 м (по карте)"
        low = re.sub(r" +", " ", re.sub(r"\([^\d()]*\)", " ", low)).strip()
    worded = _UNIT_FIRST.fullmatch(low)
    if worded and _known_unit(worded["unit"].strip(" .")):
        low = f"{worded['number']} {worded['unit'].strip()}"
    match = _DISTANCE.match(low)
    if match is None:
        raise InputError("SF-P031", text)
    if match["sign"]:
        raise InputError("SF-P030", text)
    unit = _unit(text, match["unit"].strip(" )(,;"))
    value = _number(text, match["number"], unit)
    slope_deg = float(slope[1].replace(",", ".")) if slope else None
    if slope_deg is not None and slope_deg >= 90.0:
        raise InputError("SF-P031", text)
    return DistanceStatement(text, value, unit, slope_deg)


def _unit(raw: str, word: str) -> DistanceUnit | None:
    if not word:
        return DistanceUnit.METRE
    for unit, pattern in _UNITS:
        if re.fullmatch(pattern, word):
            return unit
    raise InputError("SF-P031", raw)


def _known_unit(word: str) -> bool:
    return any(unit is not None and re.fullmatch(pattern, word) for unit, pattern in _UNITS)


def _number(raw: str, digits: str, unit: DistanceUnit | None) -> float:
    digits = digits.replace(" ", "").replace(",", ".")
    whole, _, fraction = digits.partition(".")
    # Nobody measures a mine row to the millimetre, and "1.200 m" is how many countries write 1200 m.
    if len(fraction) == 3 and unit is not DistanceUnit.KILOMETRE and len(whole) <= 3 and whole != "0":
        raise InputError("SF-P032", raw)
    return float(digits)


def to_metres(statement: DistanceStatement, *, step_m: float = 0.75, pair_of_steps_m: float = 1.5) -> float:
    """Return the distance in metres along the ground, as stated.

    Parameters
    ----------
    statement
        A distance whose unit is decided.
    step_m, pair_of_steps_m
        Length of one step and of a pair, metres (priors.toml: 0.75 and 1.5, unknown calibration +-5 %).

    Raises
    ------
    InputError
        SF-P033 the unit is not decided (paces that may be single or pairs).
    """
    factors = {
        DistanceUnit.METRE: 1.0,
        DistanceUnit.KILOMETRE: 1000.0,
        DistanceUnit.STEP: step_m,
        DistanceUnit.PAIR_OF_STEPS: pair_of_steps_m,
        DistanceUnit.YARD: METRES_PER_YARD,
        DistanceUnit.FOOT: METRES_PER_FOOT,
    }
    if statement.unit is None:
        raise InputError("SF-P033", statement.raw)
    return statement.value * factors[statement.unit]


def horizontal_m(distance_m: npt.ArrayLike, slope_deg: npt.ArrayLike) -> Floats:
    """Return the horizontal part of a distance measured along a slope, metres."""
    return np.asarray(distance_m, dtype=np.float64) * np.cos(np.radians(np.asarray(slope_deg, dtype=np.float64)))

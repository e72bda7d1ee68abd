"""Compass words and quadrant bearings in English, Russian and Serbo-Croatian."""

from __future__ import annotations

import re

from surefoot.errors import InputError

# Longer words first: "северо" before the letter "с".
_ATOMS: tuple[tuple[str, str], ...] = (
    ("n", r"северн\w*|северо|север\w*|sjevero?\w{0,3}?|severo?\w{0,3}?|north(?:ern)?|north|сев|с|n"),
    ("s", r"южн\w*|юго|юг\w?|jugo|jug\w?|south(?:ern)?|south|югo|ю|s"),
    ("e", r"восточн\w*|восток\w?|istočn\w*|istocn\w*|istok\w?|east(?:ern)?|вост|в|e"),
    ("w", r"западн\w*|запад\w?|zapadn\w*|zapad\w?|west(?:ern)?|зап|з|w"),
)
_TOKEN = re.compile("|".join(f"(?P<{key}>{pattern})" for key, pattern in _ATOMS))
_FILLER = re.compile(
    r"\b(?:in|to|the|towards?|direction|bearing|azimuth|azimut|на|к|в сторону|направлени[ею]|азимут|румб"
    r"|prema|ka)\b[:=]?"
)
_VALUE = r"(\d{1,2}(?:[.,]\d+)?) ?(?:°|deg\.?|град\.?|градус\w*)? ?(?:(\d{1,2})')?"
_QUADRANT_SPLIT = re.compile(rf"^([nsсю]) ?[:=]? ?{_VALUE} ?([ewвз])$")
_QUADRANT_JOINED = re.compile(rf"^(?:румб )?([nsсю])[ -]?([ewвз]) ?[:=]? ?{_VALUE}$")
_LETTERS = {"с": "n", "ю": "s", "в": "e", "з": "w"}
_CYRILLIC_TWINS = str.maketrans("cb", "св")  # a Latin C or B typed for С or В; no English point has either
_SOUTH_SLAVIC = {
    "si": "ne",
    "sz": "nw",
    "ji": "se",
    "jz": "sw",
    "ssi": "nne",
    "ssz": "nnw",
    "jji": "sse",
    "jjz": "ssw",
}


def quadrant_bearing(text: str) -> tuple[float, float] | None:
    """Return (degrees clockwise, quantum in degrees) of "N 45 E" or "СВ 45", None for other texts.

    Raises
    ------
    InputError
        SF-P021 more than 90 degrees from north or south.
    """
    low = text.casefold().strip().translate(_CYRILLIC_TWINS)
    split, joined = _QUADRANT_SPLIT.match(low), _QUADRANT_JOINED.match(low)
    if split:
        ns, degrees, minutes, ew = split.groups()
    elif joined:
        ns, ew, degrees, minutes = joined.groups()
    else:
        return None
    angle = float(degrees.replace(",", ".")) + (int(minutes) / 60.0 if minutes else 0.0)
    if angle > 90.0:
        raise InputError("SF-P021", text, value=angle, circle=90.0)
    decimals = len(degrees.replace(",", ".").partition(".")[2])
    quantum = 1.0 / 60.0 if minutes else 10.0**-decimals
    return _from_quadrant(_LETTERS.get(ns, ns), _LETTERS.get(ew, ew), angle), quantum


def _from_quadrant(ns: str, ew: str, angle: float) -> float:
    along = angle if ew == "e" else -angle
    return (along if ns == "n" else 180.0 - along) % 360.0


def compass_point(text: str) -> tuple[float, float] | None:
    """Return (degrees clockwise, width of the sector) of a compass word, None if it is none.

    "NNE" and its like are sixteenths (22.5 degrees wide); "north" and "NE" eighths (45 degrees).
    """
    low = _FILLER.sub(" ", text.casefold())
    low = re.sub(r"[\s.\-]+", "", low)
    if low in _SOUTH_SLAVIC:
        return _sector(_SOUTH_SLAVIC[low])
    if len(low) <= 3:
        low = low.translate(_CYRILLIC_TWINS)
    keys: list[str] = []
    at = 0
    while at < len(low):
        match = _TOKEN.match(low, at)
        if match is None or match.end() == at:
            return None
        keys.append(str(match.lastgroup))
        at = match.end()
    return _sector("".join(keys))


_POINTS = ("n", "nne", "ne", "ene", "e", "ese", "se", "sse", "s", "ssw", "sw", "wsw", "w", "wnw", "nw", "nnw")
_SECTORS = {name: 22.5 * i for i, name in enumerate(_POINTS)}


def _sector(keys: str) -> tuple[float, float] | None:
    if keys not in _SECTORS:
        return None
    return _SECTORS[keys], 22.5 if len(keys) == 3 else 45.0

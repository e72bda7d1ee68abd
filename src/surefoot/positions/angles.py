"""Latitude and longitude as written: degrees, minutes and seconds in any dress."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from surefoot.positions.statements import CoordinateStatement

METRES_PER_DEGREE = 111_200.0  # of latitude; only for the size of a rounding step

_WORDS: tuple[tuple[str, str], ...] = (
    ("N", r"пн\.? ?ш\.?|(?:šimal|şimal)\w* ?(?:en\w*\.?)?|հյուս\w*\.?|с\.? ?ш\.?|сев\w*\.? ?шир\w*\.?|сш"),
    ("S", r"ю\.? ?ш\.?|южн?\w*\.? ?шир\w*\.?|юш"),
    ("E", r"сх\.? ?д\.?|şərq\w* ?(?:uz\w*\.?)?|արեւ\w*\.?|в\.? ?д\.?|вост\w*\.? ?долг\w*\.?|вд"),
    ("W", r"з\.? ?д\.?|зап\w*\.? ?долг\w*\.?|зд"),
    ("LAT", r"lat(?:itude)?\.?|широта|шир\.?|φ|b(?= ?[=:])|ш(?= ?[=:.])"),
    ("LON", r"lon(?:g(?:itude)?)?\.?|долгота|долг\.?|λ|l(?= ?[=:])|д(?= ?[=:.])"),
    ("N", r"n(?:orth)?|sjever\w*|sever\w*|с(?![а-я])"),
    ("S", r"s(?:outh)?|ю(?![а-я])"),
    ("E", r"e(?:ast)?|istok|istočno|в(?![а-я])"),
    ("W", r"w(?:est)?|zapad\w*|з(?![а-я])"),
    ("X", r"[xх]"),
    ("Y", r"[yу]"),
)
_TOKEN = re.compile(
    r"(?P<number>\d+(?:[.,]\d+)?)|(?P<minus>(?<![\d°'\"])-(?=\d))"
    r"|(?P<join>[-:])|(?P<cut>[;/,])|(?P<skip>[ =.()]+)"
    r"|(?P<deg>°|град\w*\.?|deg\w*\.?|(?<=\d)d(?![a-zа-я]))"
    r"|(?P<min>'|мин\w*\.?|min\w*\.?|(?<=\d)m(?![a-zа-я]))|(?P<sec>\"|сек\w*\.?|sec\w*\.?)|"
    + "|".join(f"(?P<word_{i}_{letter}>{pattern})" for i, (letter, pattern) in enumerate(_WORDS))
)
_COMPACT = re.compile(r"(\d{2})(\d{2})(\d{2}(?:\.\d+)?) ?([ns])[ ,;/]*(\d{3})(\d{2})(\d{2}(?:\.\d+)?) ?([ew])")
_COMPACT_BEFORE = re.compile(r"([ns]) ?(\d{2})(\d{2})(\d{2}(?:\.\d+)?)[ ,;/]*([ew]) ?(\d{3})(\d{2})(\d{2}(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class _Angle:
    """One angle as written: one to three numbers, and the letter that says which it is ("" = not said)."""

    numbers: tuple[str, ...]
    letter: str
    negative: bool

    @property
    def degrees(self) -> float | None:
        parts = [float(n) for n in self.numbers]
        if any("." in n for n in self.numbers[:-1]) or any(p >= 60.0 for p in parts[1:]):
            return None
        size = sum(p / 60.0**i for i, p in enumerate(parts))
        return -size if self.negative or self.letter in ("S", "W") else size

    @property
    def step_deg(self) -> float:
        last = self.numbers[-1]
        return 10.0 ** -len(last.partition(".")[2]) / 60.0 ** (len(self.numbers) - 1)


def parse_geographic(raw: str, low: str) -> CoordinateStatement | None:
    """Return the geographic coordinate in a cleaned, lower-case text, None if it is none.

    Latitude first, unless hemisphere letters, the words for latitude and longitude or a value above 90 say
    otherwise. The alternatives are, for "39.5924 46.5548", degrees, minutes and seconds run together, and
    the exchanged order if nothing said it.
    """
    # "39.59.24" and "39d59m24s" are degrees, minutes, seconds
    low = re.sub(r"(?<![\d.])(\d{1,3})\.(\d{2})\.(\d{2}(?:,\d+)?)(?![\d.])", r"\1-\2-\3", low)
    low = re.sub(r"(\d+)d ?(\d+)m ?(\d+(?:[.,]\d+)?)s(?![a-zа-я])", r"""\1°\2'\3" """, low).strip()
    compact = _compact(low)
    angles = compact if compact is not None else _angles(_decimal_points(low))
    if angles is None:
        return None
    here = _ordered(raw, *angles)
    if here is None:
        return None
    together = _run_together(raw, *angles)
    others = [together, _exchanged(here), None if together is None else _exchanged(together)]
    return replace(here, alternatives=tuple(s for s in others if s is not None))


def _decimal_points(low: str) -> str:
    """Return the text with decimal points, and commas only where they separate."""
    text = re.sub(r"(?<=\d), +", " ; ", low)
    pair = re.fullmatch(r"(-?\d{1,3}),(\d+),(-?\d{1,3}),(\d+)", text)
    if pair:
        return f"{pair[1]}.{pair[2]} ; {pair[3]}.{pair[4]}"
    if "." in re.sub(r"[a-zа-я] ?\.", "", text) and re.search(r"\d\.\d", text):
        return text.replace(",", " ; ")
    if text.count(",") == 1 and not re.search(r"[ ;/]", text.strip()):
        return text.replace(",", " ; ")
    return re.sub(r"(?<=\d),(?=\d)", ".", text).replace(",", " ; ")


def _compact(low: str) -> tuple[_Angle, _Angle] | None:
    """Read "395924N 0465548E"."""
    after, before = _COMPACT.fullmatch(low), _COMPACT_BEFORE.fullmatch(low)
    if after:
        g = after.groups()
        return _Angle(g[0:3], g[3].upper(), False), _Angle(g[4:7], g[7].upper(), False)
    if before:
        g = before.groups()
        return _Angle(g[1:4], g[0].upper(), False), _Angle(g[5:8], g[4].upper(), False)
    return None


def _tokens(low: str) -> list[tuple[str, str]] | None:
    """Return (kind, text) of each sign, None if something is no part of a coordinate."""
    out: list[tuple[str, str]] = []
    at = 0
    while at < len(low):
        match = _TOKEN.match(low, at)
        if match is None or match.end() == at:
            return None
        kind = str(match.lastgroup)
        if kind.startswith("word_"):
            out.append(("word", kind.rpartition("_")[2]))
        elif kind != "skip":
            out.append((kind, match[0]))
        at = match.end()
    return out


def _angles(low: str) -> tuple[_Angle, _Angle] | None:
    tokens = _tokens(low)
    if tokens is None:
        return None
    numbers = [i for i, (kind, _) in enumerate(tokens) if kind == "number"]
    if not 2 <= len(numbers) <= 6:
        return None
    second = _start_of_second(tokens, numbers)
    if second is None:
        return None
    words_first = next((kind for kind, _ in tokens if kind in ("word", "number")), "") == "word"
    cut = second
    while cut > 0 and (tokens[cut - 1][0] == "minus" or (words_first and tokens[cut - 1][0] == "word")):
        cut -= 1
    parts = (_angle(tokens[:cut]), _angle(tokens[cut:]))
    return (parts[0], parts[1]) if parts[0] is not None and parts[1] is not None else None


def _start_of_second(tokens: list[tuple[str, str]], numbers: list[int]) -> int | None:
    """Return where the first number of the second angle stands."""
    degree_signs = [i for i in numbers if i + 1 < len(tokens) and tokens[i + 1][0] == "deg"]
    if len(degree_signs) == 2:
        return degree_signs[1] if degree_signs[0] == numbers[0] else None
    borders = [i for i, (kind, _) in enumerate(tokens) if kind in ("word", "cut") and numbers[0] < i < numbers[-1]]
    # "39 ; 59 ; 24": a cut inside an angle is not a border between two.
    starts = {next(n for n in numbers if n > border) for border in borders}
    if len(starts) == 1:
        return starts.pop()
    return numbers[len(numbers) // 2] if len(numbers) % 2 == 0 and not starts else None


def _angle(tokens: list[tuple[str, str]]) -> _Angle | None:
    numbers = tuple(text for kind, text in tokens if kind == "number")
    letters = [text for kind, text in tokens if kind == "word"]
    if not 1 <= len(numbers) <= 3 or not _units_in_order(tokens):
        return None
    named = [letter for letter in letters if letter in "NSEW"]
    axis = [letter for letter in letters if letter in ("LAT", "LON", "X", "Y")]
    if len(named) > 1 or len(axis) > 1:
        return None
    letter = named[0] if named else (axis[0] if axis else "")
    if named and axis and (axis[0] == "LAT") != (named[0] in "NS"):
        return None
    return _Angle(numbers, letter, any(kind == "minus" for kind, _ in tokens))


def _units_in_order(tokens: list[tuple[str, str]]) -> bool:
    """Whether each sign of degrees, minutes, seconds follows the number of its place."""
    place = -1
    for kind, _ in tokens:
        if kind == "number":
            place += 1
        elif kind in ("deg", "min", "sec") and place != ("deg", "min", "sec").index(kind):
            return False
    return True


def _ordered(raw: str, first: _Angle, second: _Angle) -> CoordinateStatement | None:
    a, b = first.degrees, second.degrees
    if a is None or b is None:
        return None
    axis = {"N": 0, "S": 0, "LAT": 0, "E": 1, "W": 1, "LON": 1, "X": 1, "Y": 0}
    said = [axis.get(angle.letter) for angle in (first, second)]
    if said[0] is not None and said[0] == said[1]:
        return None
    labelled = said != [None, None] and not {"X", "Y"} & {first.letter, second.letter}
    longitude_first = said[0] == 1 or said[1] == 0 or (said == [None, None] and abs(a) > 90.0)
    latitude, longitude = (b, a) if longitude_first else (a, b)
    if abs(latitude) > 90.0 or abs(longitude) > 180.0:
        return None
    notation = ("decimal", "dm", "dms")[max(len(first.numbers), len(second.numbers)) - 1]
    step = max(first.step_deg, second.step_deg) * METRES_PER_DEGREE
    return CoordinateStatement(
        raw,
        "geographic",
        longitude=longitude,
        latitude=latitude,
        labelled=labelled,
        quantum_m=step,
        notation=notation,
    )


def _exchanged(here: CoordinateStatement) -> CoordinateStatement | None:
    if here.labelled or here.longitude is None or abs(here.longitude) > 90.0:
        return None
    return replace(here, longitude=here.latitude, latitude=here.longitude)


def _run_together(raw: str, first: _Angle, second: _Angle) -> CoordinateStatement | None:
    """Read "39.5924" as 39 degrees 59 minutes 24 seconds, "39.59" as 39 degrees 59 minutes."""
    split = [re.fullmatch(r"(\d+)\.(\d{2})(\d{2})?", " ".join(angle.numbers)) for angle in (first, second)]
    if split[0] is None or split[1] is None or (split[0][3] is None) != (split[1][3] is None):
        return None
    parts = [tuple(g for g in match.groups() if g is not None) for match in split if match is not None]
    return _ordered(raw, replace(first, numbers=parts[0]), replace(second, numbers=parts[1]))

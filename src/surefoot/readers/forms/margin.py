"""The declination in the margin of a map as written: degrees or divisions, east or west, of a year."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from surefoot.errors import InputError
from surefoot.positions.bearings import degrees_of, parse_bearing
from surefoot.positions.glyphs import plain
from surefoot.readers.forms.days import parse_date
from surefoot.readers.forms.notes import Notes
from surefoot.readers.forms.numbers import text_of
from surefoot.terms import BearingUnit, Severity

_LARGEST_DEG = 180.0
_NO_LETTER_BEFORE, _NO_LETTER_AFTER = r"(?<![^\W\d_])", r"(?![^\W\d_])"


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"{_NO_LETTER_BEFORE}(?:{pattern}){_NO_LETTER_AFTER}\.?")


_EAST = _words(r"e|east\w*|в|вост\w*|східн\w*|исто[чк]\w*|isto[čck]\w*|şərq\w*|արեւել\w*|արևել\w*")
_WEST = _words(r"w|west\w*|з|зап\w*|захід\w*|zap\w*|qərb\w*|արեւմ\w*|արևմ\w*")
_ANOTHER_QUANTITY = re.compile(
    r"годов|изменени|изм\.|ежегодн|в год|річн|annual|yearly|per year|change|godišnj|годишњ|illik|տարեկան"
    r"|сближени|зближенн|поправк|отклонени|converg|konverg|конверг|correction|\bgrid\b|\bg-?m\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    rf"[;\n]|, |\.,? (?=[^\W\d_])|(?=\([^()]*(?:{_ANOTHER_QUANTITY.pattern}))|(?<=[\w'\")]) (?=годов|annual \w)",
    re.IGNORECASE,
)
_YEAR = re.compile(
    rf"(?:{_NO_LETTER_BEFORE}(?:на|в|за|in|for|of) )?(?<![\d.,-])(?:\d\d?\.){{0,2}}((?:19|20)\d\d)(?![\d°]|[.,-]\d)"
    rf"(?: ?г(?:од\w*|\.)?{_NO_LETTER_AFTER})?:?",
    re.IGNORECASE,
)
_SIGN = re.compile(rf"^(?:[^\d+-]*{_NO_LETTER_BEFORE})?([+-])(?=\d)|^([+-]) ?(?=\d)")
_MINUS_WORD = _words(r"минус|minus|отрицат\w*|negativ\w*|від'?ємн\w*|mənfi|բացասական")
_DASH = re.compile(r"^\D+- ?(?=\d)")  # "склонение - 4°35'": a minus or a dash
_SPACED = re.compile(r"(?<![\d.,])(\d{1,3}) (\d\d)(?![\d°'.,])")


@dataclass(frozen=True, slots=True)
class Declination:
    """What the margin of a map states: degrees, east positive; the year; words about other quantities as written."""

    degrees: float
    year: int | None
    set_aside: str


@dataclass(frozen=True, slots=True)
class Margin:
    """The margin of a form's map: the declination as written and in degrees, east positive, and its decimal year."""

    raw: str = ""
    degrees: float | None = None
    year: float | None = None


def margin_of(written: Mapping[str, Any], notes: Notes) -> Margin:
    """Return what the field `map` of a form says about the margin; what is uncertain becomes a doubt."""
    raw, raw_year = text_of(written.get("margin_declination")), text_of(written.get("margin_year"))
    stated = notes.attempt(parse_declination, raw, "map.margin_declination")
    year = notes.attempt(_decimal_year, raw_year, "map.margin_year")
    if stated is None:
        return Margin(raw, None, year)
    if stated.set_aside:
        notes.add("SF-R220", Severity.WARNING, "map.margin_declination", stated.set_aside)
    if stated.year is not None and year is None:
        year = _decimal_year(str(stated.year))
    elif stated.year is not None and year is not None and stated.year != int(year):
        notes.add("SF-R205", Severity.WARNING, "map.margin_year", "margin_year", first=stated.year, second=raw_year)
    return Margin(raw, stated.degrees, year)


def _decimal_year(text: str) -> float:
    return parse_date(text).decimal_year


def parse_declination(text: str) -> Declination:
    """Read a declination as a map margin states it.

    Parameters
    ----------
    text
        "+4°35'", "восточное 4°35' (0-76)", "4.58 E (1978)", "-0-22"; a hyphen between digits means 6000 to the
        circle, as in bearings; without a sign or a word it is east. An annual change, the convergence or a
        correction to the grid beside it are other quantities and are not used.

    Raises
    ------
    InputError
        SF-R027 no declination, more than one, over 180 degrees, or its sign and its word contradict each other.
    """
    clean = plain(text)
    year = _YEAR.search(clean)
    if year and re.match(r" +- +\d", clean[year.end() :]):
        raise InputError("SF-R027", text)  # "1978 - 4.5": a minus or a dash
    if year:
        clean = re.sub(r"\( *\)", "", clean[: year.start()] + clean[year.end() :])
    clauses = [re.sub(r"^\((.*)\)$", r"\1", clause.strip(" ,.")) for clause in _CLAUSE.split(clean)]
    others = [clause for clause in clauses if _ANOTHER_QUANTITY.search(clause)]
    own = " ".join(clause for clause in clauses if clause not in others).strip().casefold()
    try:
        degrees = _east_positive(own)
    except InputError as error:
        raise InputError("SF-R027", text) from error
    return Declination(degrees, int(year[1]) if year else None, "; ".join(others))


def _east_positive(own: str) -> float:
    """Return the degrees of the words about the declination alone."""
    east, west, sign = _EAST.search(own), _WEST.search(own), _SIGN.search(own)
    minus = sign is not None and "-" in sign[0]
    # "минус 4": the word is told, never passed over
    unclear = (
        "±" in own
        or not any(letter.isdigit() for letter in own)
        or _MINUS_WORD.search(own) is not None
        or (sign is None and not (east or west) and _DASH.search(own) is not None)
    )
    if (east and (west or minus)) or (west and sign and not minus) or unclear:
        raise InputError("SF-R027", own)
    number = _WEST.sub(" ", _EAST.sub(" ", own[sign.end() :] if sign else own))
    stated = parse_bearing(_SPACED.sub(r"\1°\2'", _DASH.sub("", number)))
    degrees = degrees_of(stated.value, stated.unit or BearingUnit.DEGREE)
    if degrees > _LARGEST_DEG:
        raise InputError("SF-R027", own)
    return -degrees if west or minus else degrees

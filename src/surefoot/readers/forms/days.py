"""Dates as forms write them: a day, a month, a season or a year."""

from __future__ import annotations

import calendar
import datetime as dt
import re

from surefoot.errors import InputError
from surefoot.model import StatedDate
from surefoot.readers.calendar_words import month_of, season_of

_ROMAN = {
    word: number
    for number, word in enumerate(["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"], start=1)
}
_NUMERIC_DAY = re.compile(r"^(\d{1,2})([./-])(\d{1,2}|[IVX]+)[./-](\d{4}|\d{2})\b(.*)$")
_ISO_DAY = re.compile(r"^(\d{4})[-./](\d{1,2})[-./](\d{1,2})\b(.*)$")
_ORDINAL = r"(?:-?(?:го|ого|е|st|nd|rd|th)\b)?"
_WORD_DAY = re.compile(rf"^(\d{{1,2}}){_ORDINAL}[\s.\-]+([^\W\d]{{3,}})[.,]*[\s\-]+(\d{{4}}|\d{{2}})\b(.*)$")
_WORD_FIRST = re.compile(rf"^([^\W\d]{{3,}})\.?\s+(\d{{1,2}}){_ORDINAL},?\s+(\d{{4}})\b(.*)$")
_DATE_TIME_GROUP = re.compile(
    r"^(\d{2})([01]\d|2[0-3])([0-5]\d)\s?([A-Z])\s?([A-Z]{3})\s?(\d{4}|\d{2})$", re.IGNORECASE
)
_QUOTES = re.compile("[\u00ab\u00bb\u201c\u201d\u201e\u201f\"\u2039\u203a]|''")
_YEAR_WORDS = r"(?:г|год\w*|р|рік|року|year|godin\w*|годин\w*|թ|թվական\w*|il\w*)"
# A number after a month that cannot be a day is a year of two digits: "07.93", "лето 93".
_SHORT_YEAR = r"(\d{4}|'?[3-9]\d(?<!3[01]))"
_MONTH = re.compile(
    rf"^(?:(\d{{1,2}})[./-]\s*|([ivx]+)[./-]\s*|([^\W\d]{{3,}})\.?,?\s+){_SHORT_YEAR}\s*{_YEAR_WORDS}?\.?$"
)
_YEAR_MONTH = re.compile(rf"^(\d{{4}})(?:-?c[iıuü])?\s*{_YEAR_WORDS}?[.,]?\s+([^\W\d]{{3,}})$")
_MONTH_ISO = re.compile(r"^(\d{4})-(\d{1,2})$")
_YEAR = re.compile(rf"^(\d{{4}})(?:-?c[iıuü])?\s*{_YEAR_WORDS}?\.?$")


def full_year(year: int) -> int:
    """Two-digit years are 1930-2029."""
    if year >= 100:
        return year
    return year + (1900 if year >= 30 else 2000)


def parse_date(text: str) -> StatedDate:
    """Read a date as written on a form: day, month, season or year.

    Numeric dates are day.month.year; "07/25/1993" is month first, because there is no month 25 (`is_month_first`).
    A NATO date-time group ("121430ZJUL93") states its day, in its own time zone.

    Raises
    ------
    InputError
        SF-R010 for a day that does not exist, SF-R011 for text that is no date.
    """
    raw, text = text, _bare(text)
    day = _day_of(text, raw)
    if day is not None:
        return StatedDate(raw, day, day)
    span = _span_of(text.casefold())
    if span is None:
        raise InputError("SF-R011", raw)
    return StatedDate(raw, *span)


def is_month_first(text: str) -> bool:
    """Whether a numeric date can only be read with the month before the day."""
    match = _NUMERIC_DAY.match(_bare(text))
    return match is not None and _only_month_first(match)


def _only_month_first(match: re.Match[str]) -> bool:
    return match[2] != "." and match[3].isdigit() and int(match[3]) > 12 >= int(match[1])


def _bare(text: str) -> str:
    """Return the text without quotation marks ("«12» июля") and with single spaces."""
    return " ".join(_QUOTES.sub(" ", text.replace("\u00a0", " ")).split())


def _day_of(text: str, raw: str) -> dt.date | None:
    if match := _ISO_DAY.match(text):
        return _calendar_day(int(match[1]), int(match[2]), int(match[3]), raw)
    if match := _NUMERIC_DAY.match(text):
        month = _ROMAN.get(match[3]) or (int(match[3]) if match[3].isdigit() else 0)
        day = int(match[1])
        if _only_month_first(match):
            month, day = day, month
        return _calendar_day(full_year(int(match[4])), month, day, raw)
    if (match := _WORD_DAY.match(text)) and (named := month_of(match[2])):
        return _calendar_day(full_year(int(match[3])), named, int(match[1]), raw)
    if (match := _WORD_FIRST.match(text)) and (named := month_of(match[1])):
        return _calendar_day(int(match[3]), named, int(match[2]), raw)
    if (match := _DATE_TIME_GROUP.match(text)) and (named := month_of(match[5])):
        return _calendar_day(full_year(int(match[6])), named, int(match[1]), raw)
    return None


def _calendar_day(year: int, month: int, day: int, raw: str) -> dt.date:
    try:
        return dt.date(year, month, day)
    except ValueError as error:
        raise InputError("SF-R010", raw) from error


def _span_of(text: str) -> tuple[dt.date, dt.date] | None:
    if match := _YEAR.match(text):
        return dt.date(int(match[1]), 1, 1), dt.date(int(match[1]), 12, 31)
    if match := _MONTH_ISO.match(text):
        return _months(int(match[1]), int(match[2]), int(match[2]))
    if match := _MONTH.match(text):
        year = full_year(int(match[4].lstrip("'")))
        if match[1]:
            return _months(year, int(match[1]), int(match[1]))
        if match[2]:
            number = _ROMAN.get(match[2].upper(), 0)
            return _months(year, number, number)
        return _named_span(year, match[3])
    if match := _YEAR_MONTH.match(text):
        return _named_span(int(match[1]), match[2])
    return None


def _named_span(year: int, word: str) -> tuple[dt.date, dt.date] | None:
    month = month_of(word)
    span = (month, month) if month else season_of(word)
    return _months(year, *span) if span else None


def _months(year: int, first: int, last: int) -> tuple[dt.date, dt.date] | None:
    if not (1 <= first <= 12 and 1 <= last <= 12):
        return None
    # A winter begins in the December before the year it is named after.
    begin = dt.date(year - 1 if first > last else year, first, 1)
    return begin, dt.date(year, last, calendar.monthrange(year, last)[1])

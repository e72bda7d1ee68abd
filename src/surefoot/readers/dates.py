"""Dates as written -> days. The column as a whole decides whether 05/06 is in June or in May."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from surefoot.model import StatedDate, Texts
from surefoot.readers.calendar_words import month_of
from surefoot.readers.cells_text import Mask, is_nothing

FIRST_YEAR, LAST_YEAR = 1900, 2100
_ISO = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?:[T\s].*)?")
_TRIPLE = re.compile(r"(\d{1,2})\s*([./\-])\s*(\d{1,2})\s*\2\s*(\d{4}|\d{2})(?:\s*г\.?)?(?:[\sT,].*)?")
_NAMED = re.compile(r"(\d{1,2})[\s.\-]*([^\W\d_]{3,})[\s.,\-]*(\d{4}|\d{2})(?:\s*г\.?)?(?:\s.*)?")
_NAMED_FIRST = re.compile(r"([^\W\d_]{3,})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?:\s.*)?")
_MONTH = re.compile(r"(?:(\d{1,2})[./\-](\d{4})|(\d{4})-(\d{1,2}))")
_MONTH_NAMED = re.compile(r"([^\W\d_]{3,})\.?\s+(\d{4})(?:\s*г(?:\.|ода?)?)?")
_YEAR = re.compile(r"(\d{4})(?:\s*г(?:\.|ода?)?)?")
_COMPACT = re.compile(r"(19|20)(\d{2})(\d{2})(\d{2})")
_SERIAL = re.compile(r"(\d{5})(?:\.\d+)?")
_SERIAL_START = dt.date(1899, 12, 30)
_SEASONS = {
    "spring": (3, 5), "summer": (6, 8), "autumn": (9, 11), "fall": (9, 11),
    "весна": (3, 5), "весной": (3, 5), "лето": (6, 8), "летом": (6, 8), "осень": (9, 11), "осенью": (9, 11),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class DateColumn:
    """A column of dates as read.

    Parameters
    ----------
    stated
        Distinct text -> the days it may mean; None where it is empty or no date.
    impossible
        Texts that look like a value but are no day of the calendar.
    undecided
        Texts like 05/06/1993 whose order neither they nor their column decide; read as day/month.
    serial
        Texts that are day numbers of a spreadsheet.
    """

    stated: dict[str, StatedDate | None]
    impossible: frozenset[str]
    undecided: frozenset[str]
    serial: frozenset[str]

    def days(self, column: Texts) -> np.ndarray[tuple[int], np.dtype[np.datetime64]]:
        """Return the column as ``datetime64[D]``; NaT where no single day is stated."""
        days = {
            text: np.datetime64("NaT", "D") if s is None or not s.exact else np.datetime64(s.first, "D")
            for text, s in self.stated.items()
        }
        return np.array([days[text] for text in column.tolist()], dtype="datetime64[D]")

    def mask(self, column: Texts, texts: Iterable[str]) -> Mask:
        """Return which cells hold one of the texts."""
        chosen = frozenset(texts)
        if not chosen:
            return np.zeros(len(column), dtype=bool)
        return np.array([text in chosen for text in column.tolist()], dtype=bool)

    @property
    def imprecise(self) -> frozenset[str]:
        """Texts that state a month, a season or a year only."""
        return frozenset(t for t, s in self.stated.items() if s is not None and not s.exact)


def read_dates(column: Texts) -> DateColumn:
    """Read a column of dates: ISO, day.month.year, day/month/year, month names, spreadsheet day numbers.

    Two-digit years are 1930-2029. With a slash or hyphen the order of day and month is what the unambiguous
    cells of the column show; where none does, day/month, and the text is `undecided`.
    """
    texts = set(column.tolist())
    month_first = _month_first(texts)
    stated: dict[str, StatedDate | None] = {}
    impossible, undecided, serial = set(), set(), set()
    for text in texts:
        stated[text] = read_date(text, month_first=month_first is True)
        if stated[text] is None and not is_nothing(text):
            impossible.add(text)
        if month_first is None and _is_open(text):
            undecided.add(text)
        if stated[text] is not None and _SERIAL.fullmatch(text):
            serial.add(text)
    return DateColumn(stated, frozenset(impossible), frozenset(undecided), frozenset(serial))


def read_date(text: str, *, month_first: bool = False) -> StatedDate | None:
    """Return the days a text may mean; None if it is no date or no day of the calendar.

    Parameters
    ----------
    month_first
        Whether 05/06/1993 is the 6th of May.
    """
    text = text.strip()
    if match := _ISO.fullmatch(text):
        return _day(text, int(match[1]), int(match[3]), int(match[4]))
    if match := _TRIPLE.fullmatch(text):
        first, second, year = int(match[1]), int(match[3]), full_year(match[4])
        swap = match[2] != "." and (second > 12 or (month_first and first <= 12))
        return _day(text, year, first if swap else second, second if swap else first)
    if match := _COMPACT.fullmatch(text):
        return _day(text, int(match[1] + match[2]), int(match[3]), int(match[4]))
    return _named(text) or _part_of_year(text) or _serial(text)


def full_year(digits: str) -> int:
    """Return the year; two digits mean 1930-2029."""
    year = int(digits)
    if len(digits) == 4:
        return year
    return 1900 + year if year >= 30 else 2000 + year


def _day(raw: str, year: int, month: int, day: int) -> StatedDate | None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    try:
        date = dt.date(year, month, day)
    except ValueError:
        return None
    return StatedDate(raw, date, date)


def _months(raw: str, year: int, first: int, last: int) -> StatedDate | None:
    if not (FIRST_YEAR <= year <= LAST_YEAR and 1 <= first <= last <= 12):
        return None
    after = dt.date(year + last // 12, last % 12 + 1, 1)
    return StatedDate(raw, dt.date(year, first, 1), after - dt.timedelta(days=1))


def _named(text: str) -> StatedDate | None:
    if match := _NAMED.fullmatch(text):
        day, word, year = match[1], match[2], match[3]
    elif match := _NAMED_FIRST.fullmatch(text):
        word, day, year = match[1], match[2], match[3]
    else:
        return None
    month = month_of(word)
    return None if month is None else _day(text, full_year(year), month, int(day))


def _part_of_year(text: str) -> StatedDate | None:
    if match := _YEAR.fullmatch(text):
        return _months(text, int(match[1]), 1, 12)
    if match := _MONTH.fullmatch(text):
        month, year = int(match[1] or match[4]), int(match[2] or match[3])
        return _months(text, year, month, month)
    if match := _MONTH_NAMED.fullmatch(text):
        word, year = match[1].casefold(), int(match[2])
        if word in _SEASONS:
            return _months(text, year, *_SEASONS[word])
        found = month_of(word)
        return None if found is None else _months(text, year, found, found)
    return None


def _serial(text: str) -> StatedDate | None:
    match = _SERIAL.fullmatch(text)
    if match is None or not 10_000 <= int(match[1]) <= 60_000:
        return None
    date = _SERIAL_START + dt.timedelta(days=int(match[1]))
    return StatedDate(text, date, date)


def _open_pairs(texts: Iterable[str]) -> list[tuple[int, int]]:
    matches = (_TRIPLE.fullmatch(text.strip()) for text in texts)
    return [(int(m[1]), int(m[3])) for m in matches if m and m[2] != "."]


def _is_open(text: str) -> bool:
    return any(a <= 12 and b <= 12 and a != b for a, b in _open_pairs([text]))


def _month_first(texts: Iterable[str]) -> bool | None:
    """Return whether the month stands first, None if the column does not tell or contradicts itself."""
    pairs = _open_pairs(texts)
    day_first = any(a > 12 >= b for a, b in pairs)
    month_first = any(b > 12 >= a for a, b in pairs)
    return month_first if day_first != month_first else None

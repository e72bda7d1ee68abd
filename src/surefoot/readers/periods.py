"""The period of a claim as written -> days: "since 2020", "с 2020 года", "2019-2024", "after November 2020"."""

from __future__ import annotations

import datetime as dt
import re

from surefoot.model import Period, StatedDate
from surefoot.readers.dates import read_date

_ALL = re.compile(
    r"(?:(?:the )?(?:whole|entire|all|full|total)(?: (?:of )?(?:the )?(?:period|time|data|years|dates))?|all time"
    r"|overall|(?:весь|всё|все|всего)(?: (?:период|время|годы|данные))?|за (?:весь период|всё время|все время|все годы)"
    r"|sve|sve vrijeme)"
)
_SINCE = re.compile(
    r"(?:since|from|starting (?:from|in|with)|beginning (?:in|with)|с|со|начиная с|з|від|od|počev od)\s+(.+)"
)
_ONWARDS = re.compile(r"(.+?)(?: (?:onwards?|and (?:later|after)|и позже|и далее)|\+)")
_AFTER = re.compile(r"(?:after|later than|после|позже|позднее|після|nakon|poslije|posle)\s+(.+)")
_BEFORE = re.compile(r"(?:before|prior to|earlier than|до|раньше|ранее|prije|pre)\s+(.+)")
_THROUGH = re.compile(
    r"(?:through|by the end of|(?:until|till|up to|to) the end of|up to and including|до конца|по конец|do kraja"
    r"|по)\s+(.+)"
)
_IN = re.compile(r"(?:in|during|for|over|within|в|во|за|у|u|tokom)\s+(.+)")
_BETWEEN = re.compile(
    r"(?:(?:from|between|с|со|од|od|з|між|между)\s+)?(.+?)\s*(?:\s(?:to|through|and|и|по|та)\s|\s[-/]+\s|[–—]|\.{2,})\s*(.+)"
)
_TIGHT = re.compile(r"([\d./]{6,10}|\d{4}-\d\d-\d\d)[-/]([\d./]{6,10}|\d{4}-\d\d-\d\d)")  # two whole dates
_YEARS = re.compile(r"(\d{4})\s*[-/]\s*(\d{4}|\d{2})")
_DECADE = re.compile(r"(?:the )?(\d{3})0\s*['’]?(?:s|-?е|-?х)")
_LAST_YEARS = re.compile(
    r"(?:the )?(?:last|past|recent|последни[ехй]|минулі|posljednji[hx]?|zadnji[hx]?) (\d{1,2})"
    r" (?:years?|лет|года?|років|godina)"
)
_AFTER_WORDS = re.compile(
    r"[\s,]*(?:\b(?:г|гг|год|года|году|годы|годов|годах|рік|року|рр|years?|inclusive|включительно|god(?:ine|ina)?)\b\.?[\s,]*)+$"
)
_NOW = frozenset({"now", "today", "present", "date", "the present", "сегодня", "настоящее время", "сейчас", "danas"})


def read_period(text: str, spoken: dt.date | None) -> Period | None:
    """Return the days a claim speaks of.

    Parameters
    ----------
    text
        As written.
    spoken
        Day of the statement: a period that goes on ends with it, and "the last 3 years" are counted back from it.

    Returns
    -------
    None where the words state no dates that can be read ("recent", "hand-overs after November 2020").
    """
    low = re.sub(r"\([^)]*\)|\s+", " ", text.casefold()).strip(" .;,")
    if _ALL.fullmatch(low):
        return Period(None, None)
    if match := _LAST_YEARS.fullmatch(_IN.sub(r"\1", low)):
        return None if spoken is None else Period(_years_before(spoken, int(match[1])), spoken)
    return _from_to(low, spoken) or _open(low, spoken) or _one(low)


def _from_to(low: str, spoken: dt.date | None) -> Period | None:
    bare = _AFTER_WORDS.sub("", _IN.sub(r"\1", low) if _IN.match(low) else low)
    if match := _YEARS.fullmatch(bare):
        last = match[2] if len(match[2]) == 4 else match[1][:2] + match[2]
        if len(match[2]) == 4 or int(match[2]) > 12:
            return _spanned(_days(match[1]), _days(last))
    match = _TIGHT.fullmatch(bare) or _BETWEEN.fullmatch(low)
    if match is None:
        return None
    first = _days(re.sub(r"^since ", "", match[1]))
    if _AFTER_WORDS.sub("", match[2]).strip() in _NOW:
        return None if first is None else Period(first.first, spoken)
    return _spanned(first, _days(match[2]))


def _spanned(first: StatedDate | None, last: StatedDate | None) -> Period | None:
    if first is None or last is None or first.first > last.last:
        return None
    return Period(first.first, last.last)


def _open(low: str, spoken: dt.date | None) -> Period | None:
    day = dt.timedelta(days=1)
    if (match := _THROUGH.fullmatch(low)) and (days := _days(match[1])):
        return Period(None, days.last)
    if (match := _SINCE.fullmatch(low) or _ONWARDS.fullmatch(low)) and (days := _days(match[1])):
        return Period(days.first, spoken)
    if (match := _AFTER.fullmatch(low)) and (days := _days(match[1])):
        return Period(days.last + day, spoken)
    if (match := _BEFORE.fullmatch(low)) and (days := _days(match[1])):
        return Period(None, days.first - day)
    return None


def _one(low: str) -> Period | None:
    bare = re.sub(r"^(?:the )?(?:years?|год(?:ы|у|а)?) ", "", _IN.sub(r"\1", low))
    if match := _DECADE.fullmatch(bare):
        start = int(match[1]) * 10
        return Period(dt.date(start, 1, 1), dt.date(start + 9, 12, 31))
    days = _days(bare)
    return None if days is None else Period(days.first, days.last)


def _days(text: str) -> StatedDate | None:
    """Read one date; a bare two-digit number is none."""
    bare = _AFTER_WORDS.sub("", text).strip(" .,")
    return read_date(bare) if re.search(r"\d{4}|\d[./-]\d{2}$", bare) and not re.fullmatch(r"\d{5}", bare) else None


def _years_before(day: dt.date, years: int) -> dt.date:
    last_of_month = 28 if (day.month, day.day) == (2, 29) else day.day
    return dt.date(day.year - years, day.month, last_of_month)

"""Words of Russian and English forms: dates, counts, device lists, later events."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Mapping

from surefoot.errors import InputError
from surefoot.model import LaterEvent, StatedDate
from surefoot.terms import EventKind, RecordFamily

# Stems, so that every case ending of a Russian month is met.
_MONTHS: Mapping[str, int] = {
    "янв": 1, "фев": 2, "мар": 3, "апр": 4, "мая": 5, "май": 5, "мае": 5, "июн": 6, "июл": 7, "авг": 8, "сен": 9,
    "окт": 10, "ноя": 11, "дек": 12, "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "maj": 5, "jun": 6, "jul": 7,
    "aug": 8, "avg": 8, "sep": 9, "oct": 10, "okt": 10, "nov": 11, "dec": 12,
}  # fmt: skip
_ROMAN = {
    word: number
    for number, word in enumerate(["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"], start=1)
}
_SEASONS: Mapping[str, tuple[int, int]] = {
    "зим": (12, 2), "вес": (3, 5), "лет": (6, 8), "осен": (9, 11), "winter": (12, 2), "spring": (3, 5),
    "summer": (6, 8), "autumn": (9, 11), "fall": (9, 11),
}  # fmt: skip
_EVENT_WORDS: tuple[tuple[str, EventKind], ...] = (
    (r"переустан|переставл|повторно устан|re-?laid|relaid", EventKind.RELAID),
    (r"снят|извлеч|обезврежен|lifted|removed|recovered|izva[dđ]en|uklonjen", EventKind.LIFTED),
    (r"подорв|подрыв|взорв|взрыв|detonat|explod|exploz|eksplod", EventKind.DETONATED),
    (r"смыт|унес|паводк|наводнен|оползн|утер|потер|flood|washed|lost|landslide", EventKind.LOST),
    (r"передан|handed over|transferred|predat", EventKind.HANDED_OVER),
    (r"разминир|очищен|cleared|demined|očišćen|razminir", EventKind.CLEARED),
)
_COUNT = re.compile(r"-?\d{1,3}(?:[  \u202f,]\d{3})+(?!\d)|-?\d+")
_DATE_TEXT = re.compile(
    r"\b(\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{1,2}[./]\d{4}|\d{1,2}\s+[^\W\d]{3,}\.?\s+\d{4})"
)
_YEAR_WORD = r"\s*(?:г\.|г\b|год\w*|year\b)?"
_NAMED_YEAR = re.compile(rf"\b[^\W\d]{{3,}}\s+(?:19|20)\d\d(?!\s*[^\W\d_]*[A-ZА-Я]){_YEAR_WORD}")
_BARE_YEAR = re.compile(rf"(?<![\w-])(?:19|20)\d\d(?=\s*(?:г\.|г\b|год|year|[.,;)]|$)){_YEAR_WORD}")
_NUMERIC_DAY = re.compile(r"^(\d{1,2})[./-](\d{1,2}|[IVX]+)[./-](\d{4}|\d{2})\b(.*)$")
_ISO_DAY = re.compile(r"^(\d{4})-(\d{1,2})-(\d{1,2})\b(.*)$")
_WORD_DAY = re.compile(r"^(\d{1,2})[\s.]+([^\W\d]{3,})\.?,?\s+(\d{4}|\d{2})\b(.*)$")
_MONTH = re.compile(r"^(?:(\d{1,2})[./-]|([^\W\d]{3,})\.?\s+)(\d{4})\s*(?:г|год\w*|year)?\.?$")
_MONTH_ISO = re.compile(r"^(\d{4})-(\d{1,2})$")
_YEAR = re.compile(r"^(\d{4})\s*(?:г|год\w*|year)?\.?$")


def full_year(year: int) -> int:
    """Two-digit years are 1930-2029."""
    if year >= 100:
        return year
    return year + (1900 if year >= 30 else 2000)


def parse_date(text: str) -> StatedDate:
    """Read a date as written on a form: day, month, season or year.

    Numeric dates are day.month.year.

    Raises
    ------
    InputError
        SF-R010 for a day that does not exist, SF-R011 for text that is no date.
    """
    raw, text = text, " ".join(text.replace("\u00a0", " ").split())
    day = _day_of(text, raw)
    if day is not None:
        return StatedDate(raw, day, day)
    span = _span_of(text.casefold())
    if span is None:
        raise InputError("SF-R011", raw)
    return StatedDate(raw, *span)


def _day_of(text: str, raw: str) -> dt.date | None:
    if match := _ISO_DAY.match(text):
        return _calendar_day(int(match[1]), int(match[2]), int(match[3]), raw)
    if match := _NUMERIC_DAY.match(text):
        month = _ROMAN.get(match[2]) or (int(match[2]) if match[2].isdigit() else 0)
        return _calendar_day(full_year(int(match[3])), month, int(match[1]), raw)
    if (match := _WORD_DAY.match(text)) and (named := _month_number(match[2])):
        return _calendar_day(full_year(int(match[3])), named, int(match[1]), raw)
    return None


def _calendar_day(year: int, month: int, day: int, raw: str) -> dt.date:
    try:
        return dt.date(year, month, day)
    except ValueError as error:
        raise InputError("SF-R010", raw) from error


def _month_number(word: str) -> int | None:
    return _MONTHS.get(word.casefold()[:3])


def _span_of(text: str) -> tuple[dt.date, dt.date] | None:
    if match := _YEAR.match(text):
        return dt.date(int(match[1]), 1, 1), dt.date(int(match[1]), 12, 31)
    if match := _MONTH_ISO.match(text):
        return _months(int(match[1]), int(match[2]), int(match[2]))
    if match := _MONTH.match(text):
        year = int(match[3])
        if match[1]:
            return _months(year, int(match[1]), int(match[1]))
        if month := _month_number(match[2]):
            return _months(year, month, month)
        for stem, (first, last) in _SEASONS.items():
            if match[2].startswith(stem):
                return _months(year, first, last)
    return None


def _months(year: int, first: int, last: int) -> tuple[dt.date, dt.date] | None:
    if not (1 <= first <= 12 and 1 <= last <= 12):
        return None
    # A winter begins in the December before the year it is named after.
    begin = dt.date(year - 1 if first > last else year, first, 1)
    return begin, dt.date(year, last, calendar.monthrange(year, last)[1])


def parse_count(text: str) -> int:
    """Read a number of devices.

    Raises
    ------
    InputError
        SF-R012 for a negative number, SF-R013 for text without a whole number.
    """
    match = _COUNT.search(text)
    if match is None or re.search(r"\d[.,]\d{1,2}(?!\d)", text):
        raise InputError("SF-R013", text)
    number = int(re.sub(r"[^\d-]", "", match[0]))
    if number < 0:
        raise InputError("SF-R012", text)
    return number


def split_device_list(text: str) -> dict[str, str]:
    """Split "ПМН: 60; ТМ-62: 12" into {model as written: number as written}."""
    pairs: dict[str, str] = {}
    for part in re.split(r"[;\n]", text):
        if not part.strip():
            continue
        model, colon, number = part.rpartition(":")
        if not colon:
            match = re.match(r"^\s*(.+?)\s*[-–xх×]?\s*(-?\d+)\s*(?:шт\.?|pcs\.?)?\s*$", part)
            model, number = (match[1], match[2]) if match else ("", part)
        pairs[model.strip()] = number.strip()
    return pairs


def parse_event(text: str) -> LaterEvent:
    """Read a later event of one type of device; see `parse_events`."""
    return parse_events(text)[0]


def parse_events(text: str) -> tuple[LaterEvent, ...]:
    """Read a later event such as "12.10.94 снято 40 ПМН и 5 ТМ-62": one event for each type it names.

    A year is a date, never a number of devices.

    Raises
    ------
    InputError
        SF-R010 when it names a day that does not exist.
    """
    date, rest = _event_date(text)
    kind = EventKind.UNKNOWN
    for pattern, candidate in _EVENT_WORDS:
        if match := re.search(rf"(?:{pattern})\w*", rest, re.IGNORECASE):
            kind = candidate
            rest = rest[: match.start()] + " " + rest[match.end() :]
            break
    counted = _counts_and_models(rest) or [(None, "")]
    return tuple(LaterEvent(text, kind, date, count, model) for count, model in counted)


def _event_date(text: str) -> tuple[StatedDate | None, str]:
    """Return the date and the text without it."""
    for pattern in (_DATE_TEXT, _NAMED_YEAR, _BARE_YEAR):
        match = pattern.search(text)
        if match is None:
            continue
        try:
            stated = parse_date(match[0].strip(" ,;"))
        except InputError as error:
            if error.id == "SF-R010":
                raise
            continue  # the word before the year is no month and no season
        return stated, text.replace(match[0], " ", 1)
    return None, text


def _counts_and_models(text: str) -> list[tuple[int | None, str]]:
    # A number that belongs to a model name (ПМН-2, ТМ-62) is no count.
    pattern = r"(?<![\w-])(\d+)(?:\s*(?:шт\.?|pcs\.?|x|х|×))?\s*([^\W\d_][\w./-]*)?"
    return [(int(match[1]), _model_after(text, match)) for match in re.finditer(pattern, text)]


def _model_after(text: str, match: re.Match[str]) -> str:
    word = (match[2] or "").rstrip(".,;")
    if re.match(r"^(мин|mine|устройств|device|item)", word, re.IGNORECASE):
        following = re.match(r"\s+([^\W\d_][\w./-]*)", text[match.end() :])
        word = following[1].rstrip(".,;") if following else ""
    return word if word[:1].isupper() else ""


_FAMILIES: Mapping[str, RecordFamily] = {
    "формуляр": RecordFamily.FORMULYAR, "formular": RecordFamily.FORMULYAR, "записник": RecordFamily.ZAPISNIK,
    "da1355": RecordFamily.NATO, "da form 1355": RecordFamily.NATO, "us": RecordFamily.NATO,
}  # fmt: skip


def parse_family(text: str) -> RecordFamily:
    """Return the family of form; an unknown word raises `InputError` SF-R014."""
    word = text.strip().casefold()
    if word in _FAMILIES:
        return _FAMILIES[word]
    try:
        return RecordFamily(word)
    except ValueError as error:
        raise InputError("SF-R014", text) from error


_INSTRUMENTS: tuple[tuple[str, str], ...] = (
    (r"буссол|пабл|aiming|dioptr|теодолит|theodolite", "aiming_circle"),
    (r"компас|compass|kompas|busola", "compass"),
    (r"глаз|eye|estimat|od oka", "eye"),
)
_MEASURES: tuple[tuple[str, str], ...] = (
    (r"шаг|pace|step|korak|п\.?\s?ш\.?$", "paced"),
    (r"рулет|лент|tape|мерн|шнур|pantljik", "taped"),
    (r"глаз|eye|estimat|od oka", "eye"),
)


def instrument_of(text: str) -> str:
    """Return the bearing instrument's key in priors.toml."""
    return _first_match(text, _INSTRUMENTS)


def distance_method_of(text: str) -> str:
    """Return the key in priors.toml of how a distance was measured."""
    return _first_match(text, _MEASURES)


def _first_match(text: str, words: tuple[tuple[str, str], ...]) -> str:
    for pattern, key in words:
        if re.search(pattern, text, re.IGNORECASE):
            return key
    return "unknown"

"""Words of Russian and English forms: dates, counts, device lists, later events."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from functools import lru_cache

from surefoot.errors import InputError
from surefoot.model import LaterEvent, StatedDate, category_of_model
from surefoot.positions.glyphs import REMEMBERED
from surefoot.readers.calendar_words import month_of, season_of
from surefoot.terms import DeviceCategory, EventKind, RecordFamily

_ROMAN = {
    word: number
    for number, word in enumerate(["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"], start=1)
}
_EVENT_WORDS: tuple[tuple[str, EventKind], ...] = (
    (r"переустан|переставл|повторно устан|re-?laid|relaid|перевстанов", EventKind.RELAID),
    (
        r"снят|извлеч|обезврежен|знят|вилуч|знешкод|lifted|removed|recovered|izva[dđ]en|уклоњ|uklonj|извађ"
        r"|çıxar|götür|zərərsiz|հան(?:վ|ել)",
        EventKind.LIFTED,
    ),
    (r"подорв|подрыв|взорв|взрыв|підірв|detonat|explod|exploz|eksplod|експлод|partla|պայթ", EventKind.DETONATED),
    (r"смыт|унес|паводк|наводнен|оползн|утер|потер|flood|washed|lost|landslide", EventKind.LOST),
    (r"передан|handed over|transferred|predat|предат|təhvil|հանձն", EventKind.HANDED_OVER),
    (r"разминир|очищен|розмін|cleared|demined|očišćen|очишћ|razminir|təmizl|ականազ", EventKind.CLEARED),
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
    if (match := _WORD_DAY.match(text)) and (named := month_of(match[2])):
        return _calendar_day(full_year(int(match[3])), named, int(match[1]), raw)
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


_PARTS = re.compile(r"[;\n]|,\s+|,(?=[^\W\d_])|\s\+\s|\s(?:и|та|and|i|və|և)\s(?=\s*[\w-])")
_PIECES = r"(?:шт(?:ук\w*)?\.?|pcs\.?|pieces|ədəd|հատ|kom(?:ada)?\.?|ком(?:ада)?\.?)"
_NUMBER_ONLY = re.compile(rf"-?\d[\d ]*{_PIECES}?\.?")
_NUMBER_FIRST = re.compile(rf"(-?\d+(?:[ ,]\d{{3}})*)\s*(?:{_PIECES}|[xх×])?\s+(?:мин\w*\s+|mines?\s+)?([^\W\d_].*)")
_NUMBER_LAST = re.compile(rf"(.*?[^\W\d_].*?)\s*(?:[-–—xх×]\s*)?(?<!\d)(\d+(?: \d{{3}})*)\s*{_PIECES}?")
NO_NUMBER = "?"


def split_device_list(text: str) -> dict[str, str]:
    """Split "ПМН: 60; ТМ-62: 12", "60 ПМН, 12 ТМ-62" or "ПМН-60" into {model as written: number as written}.

    A number alone ("180") stands under the empty name. A known model without a number ("ТМ-62") keeps its name
    and gets `NO_NUMBER`, which is no count. A model that comes again is added up.
    """
    pairs: dict[str, str] = {}
    for part in _PARTS.split(text):
        if not part or not part.strip():
            continue
        model, number = _model_and_number(part.strip().rstrip(".,"))
        if model in pairs and pairs[model].isdigit() and number.isdigit():
            number = str(int(pairs[model]) + int(number))
        pairs[model] = number
    return pairs


def _model_and_number(part: str) -> tuple[str, str]:
    model, colon, number = (s.strip() for s in re.sub(r"\s*=\s*", ":", part).rpartition(":"))
    if colon:
        return model, number
    if _NUMBER_ONLY.fullmatch(part):
        return "", part
    if match := _NUMBER_FIRST.fullmatch(part):
        return match[2].strip(), match[1]
    if is_model(part):
        return part, NO_NUMBER
    match = _NUMBER_LAST.fullmatch(part)
    return (match[1].strip(), match[2]) if match else ("", part)


def is_model(text: str) -> bool:
    """Whether a text with a hyphen and number, "ТМ-62" or "ПМН-2", is a model and not a model and its count.

    The designations of the well-known models are listed; "ПМН-180" is 180 of them.
    """
    match = re.fullmatch(r"([^\W\d_]+)-(\d+)([^\W\d_]*)", text.strip())
    if match is None:
        return False
    return bool(match[3]) or _MODEL_NUMBER.fullmatch(f"{match[1]}-{match[2]}") is not None


_MODEL_NUMBER = re.compile(
    r"(?:ПМН|PMN)-[124]|(?:ПМД|PMD)-[67]|(?:ПОМЗ|POMZ)-2|(?:ОЗМ|OZM)-(?:3|4|72|160)|(?:МОН|MON)-(?:50|90|100|200)"
    r"|(?:ПФМ|PFM)-1|(?:ТМ|TM)-(?:41|44|46|57|62|72|83|89)|(?:ТМК|TMK)-2|(?:ТМД|TMD|ТМН|TMN)-4[46]|(?:ПТМ|PTM)-[13]"
    r"|(?:PMA|ПМА|PMR|ПМР)-[123]|(?:PROM|ПРОМ|MRUD|МРУД|TMM|ТММ)-1|(?:TMA|ТМА)-[1-5]|(?:TMRP|ТМРП)-6"
    r"|[MМ]-(?:14|15|16|18|19|21)",
    re.IGNORECASE,
)


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


def without_date(text: str) -> str:
    """Return an event's text without its written date, so that the rest can be read when the day does not exist."""
    return _DATE_TEXT.sub(" ", text, count=1)


def _counts_and_models(text: str) -> list[tuple[int | None, str]]:
    # "ПМН-40" is forty of them, a number that belongs to a model name (ПМН-2, ТМ-62) is no count.
    spaced = re.sub(r"[^\W\d_]+-\d+(?![\w-])", _spaced_count, text)
    pattern = r"(?<![\w-])(\d+)(?:\s*(?:шт\.?|pcs\.?|x|х|×))?\s*([^\W\d_][\w./-]*)?"
    found = [m for m in re.finditer(pattern, spaced) if not _OTHER_NUMBER.search(spaced[: m.start()])]
    return [(int(m[1]), _model_after(spaced, m) or _model_before(spaced[: m.start()])) for m in found]


# "unit 5", "в/ч 12345", "row 2": not a number of devices.
_OTHER_NUMBER = re.compile(
    r"(?:\b(?:unit|team|group|row|sheet|act|no|отряд\w*|групп\w*|рот\w*|взвод\w*|ряд\w*|акт\w*|лист\w*)|№|в/ч|#)"
    r"\.?\s*$",
    re.IGNORECASE,
)


def _spaced_count(match: re.Match[str]) -> str:
    stem, _, number = match[0].partition("-")
    known = category_of_model(stem) is not DeviceCategory.UNKNOWN
    return match[0] if is_model(match[0]) or not known else f"{stem} - {number}"


def _model_before(text: str) -> str:
    match = re.search(r"([^\W\d_][\w./-]*?)\s*[-–—:x×]?\s*$", text)
    return match[1] if match and match[1][:1].isupper() else ""


def _model_after(text: str, match: re.Match[str]) -> str:
    word = (match[2] or "").rstrip(".,;")
    if re.match(r"^(мин|mine|устройств|device|item)", word, re.IGNORECASE):
        following = re.match(r"\s+([^\W\d_][\w./-]*)", text[match.end() :])
        word = following[1].rstrip(".,;") if following else ""
    return word if word[:1].isupper() else ""


# Stems of what forms are called; the first that a word begins with.
_FAMILIES: tuple[tuple[str, RecordFamily], ...] = (
    ("формуляр", RecordFamily.FORMULYAR), ("formular", RecordFamily.FORMULYAR), ("formuly", RecordFamily.FORMULYAR),
    ("ֆորմուլյար", RecordFamily.FORMULYAR),
    ("записник", RecordFamily.ZAPISNIK), ("zapisnik", RecordFamily.ZAPISNIK),
    ("da1355", RecordFamily.NATO), ("da form", RecordFamily.NATO), ("da 1355", RecordFamily.NATO),
    ("us", RecordFamily.NATO), ("нато", RecordFamily.NATO),
    ("дистанц", RecordFamily.REMOTE), ("remote", RecordFamily.REMOTE), ("scatter", RecordFamily.REMOTE),
    ("опрос", RecordFamily.INTERVIEW), ("интервью", RecordFamily.INTERVIEW), ("по памяти", RecordFamily.INTERVIEW),
    ("interv", RecordFamily.INTERVIEW), ("опиту", RecordFamily.INTERVIEW), ("intervju", RecordFamily.INTERVIEW),
    ("müsahibə", RecordFamily.INTERVIEW), ("հարցազրույց", RecordFamily.INTERVIEW),
    ("перимет", RecordFamily.PERIMETER), ("perimet", RecordFamily.PERIMETER),
    ("план", RecordFamily.PLAN), ("карта", RecordFamily.MAP), ("hasty", RecordFamily.HASTY),
)  # fmt: skip


def parse_family(text: str) -> RecordFamily:
    """Return the family of form; an unknown word raises `InputError` SF-R014."""
    word = text.strip().casefold()
    if word in set(RecordFamily):
        return RecordFamily(word)
    for stem, family in _FAMILIES:
        if word.startswith(stem):
            return family
    raise InputError("SF-R014", text)


_INSTRUMENTS: tuple[tuple[str, str], ...] = (
    (r"буссол|пабл|aiming|dioptr|теодолит|theodolite", "aiming_circle"),
    (r"компас|compass|kompas|busola", "compass"),
    (r"глаз|eye|estimat|od oka", "eye"),
)
_MEASURES: tuple[tuple[str, str], ...] = (
    (r"шаг|pace|step|korak|корак|крок|addım|addim|քայլ|п\.?\s?ш\.?$", "paced"),
    (r"рулет|лент|tape|мерн|шнур|pantljik", "taped"),
    (r"глаз|eye|estimat|od oka", "eye"),
)


def instrument_of(text: str) -> str:
    """Return the bearing instrument's key in priors.toml."""
    return _first_match(text, _INSTRUMENTS)


def distance_method_of(text: str) -> str:
    """Return the key in priors.toml of how a distance was measured."""
    return _first_match(text, _MEASURES)


@lru_cache(maxsize=REMEMBERED)
def _first_match(text: str, words: tuple[tuple[str, str], ...]) -> str:
    for pattern, key in words:
        if re.search(pattern, text, re.IGNORECASE):
            return key
    return "unknown"

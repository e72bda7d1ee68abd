"""Later events noted on a form: "12.10.94 снято 40 ПМН (акт №5 от 13.10.94)" is one event of forty devices.

Only a number beside what happened, or beside a type of device, is a number of devices: dates, numbers of documents
and units, and what stands in brackets are taken out before anything is counted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from surefoot.errors import InputError
from surefoot.model import LaterEvent, StatedDate, category_of_model
from surefoot.readers.forms.counts import is_model
from surefoot.readers.forms.days import parse_date
from surefoot.terms import DeviceCategory, EventKind

_EVENT_WORDS: tuple[tuple[str, EventKind], ...] = (
    (r"переустан|переставл|повторно устан|re-?laid|relaid|перевстанов", EventKind.RELAID),
    (
        r"снят|снима|извлеч|обезврежен|знят|вилуч|знешкод|lifted|removed|recovered|izva[dđ]en|уклоњ|uklonj|извађ"
        r"|çıxar|götür|zərərsiz|հան(?:վ|ել)",
        EventKind.LIFTED,
    ),
    (r"подорв|подрыв|взорв|взрыв|підірв|detonat|explod|exploz|eksplod|експлод|partla|պայթ", EventKind.DETONATED),
    (
        r"смыт|унес|паводк|паводок|половод|наводн|затопл|размы|оползн|оползен|утер|утрач|потер|flood|washed|lost"
        r"|landslide|poplav|поплав|повін|паводок|sel\b|daşqın",
        EventKind.LOST,
    ),
    (r"передан|handed over|transferred|predat|предат|təhvil|հանձն", EventKind.HANDED_OVER),
    (r"разминир|очищен|розмін|cleared|demined|očišćen|очишћ|razminir|təmizl|ականազ", EventKind.CLEARED),
)
_ANY_WORD = re.compile("(?:" + "|".join(pattern for pattern, _ in _EVENT_WORDS) + r")\w*", re.IGNORECASE)

# --- dates -----------------------------------------------------------------------------------------------

_YEAR_WORD = r"\s*(?:г\.|г\b|год\w*|year\b)?"
_DATE_TEXT = re.compile(
    r"(?<![\d.])(?:\d{1,2}\s*(?:-|–|по|до|to|till)\s*(?=\d{1,2}[./]\d))?"
    r"(?P<date>\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./-](?:\d{1,2}|[IVX]+)[./-](?:\d{4}|\d{2})|\d{1,2}[./](?:19|20)\d\d"
    r"|\d{6}[A-Z]{4}\d{2,4})"
    rf"(?!\d){_YEAR_WORD}"
)
_WORD_DAY = re.compile(
    r"(?P<date>[«\"]?\b\d{1,2}[»\"]?\s+[^\W\d]{3,}\.?,?\s+(?:\d{4}|\d{2}(?=\s*(?:г|$|[.,;)])))"
    rf"|\b[^\W\d]{{3,}}\s+\d{{1,2}},\s*\d{{4}})(?!\d){_YEAR_WORD}"
)
_NAMED_YEAR = re.compile(rf"\b(?P<date>[^\W\d]{{3,}}\s+(?:19|20)\d\d)(?!\s*[^\W\d_]*[A-ZА-Я]){_YEAR_WORD}")
_BARE_YEAR = re.compile(
    rf"(?<![\w-])(?P<date>(?:19|20)\d\d)(?=\s*(?:г\.|г\b|год|year|[.,;)]|$)|\s+(?=\D*$)(?!\s*[^\W\d_]*[A-ZА-Я])){_YEAR_WORD}"
)
_DAY_AND_TIME = re.compile(
    r"(?:\bв\s+|\bat\s+)?\b\d{1,2}[:]\d{2}\b(?:\s*(?:час\w*|ч\b\.?|h\b|hrs?\b))?|\b\d{1,2}\s*(?:час\w*|ч\b\.?)"
    r"|(?<![\d.,])\d{1,2}\.\d{1,2}(?![\d.])|\b\d{1,2}\s+(?:янв|фев|мар|апр|ма[йя]|июн|июл|авг|сен|окт|ноя|дек)\w*"
)

# --- what is no count ------------------------------------------------------------------------------------

_PAPER = (
    r"акт\w*|приказ\w*|распоряж\w*|донесен\w*|рапорт\w*|протокол\w*|журнал\w*|отч[её]т\w*|наряд\w*|письм\w*|исх|вх|стр"
    r"|формуляр\w*|report|order|ref(?:erence)?|doc(?:ument)?|act|certificate|protocol|page|letter|form|zapisnik\w*"
    r"|записник\w*|извештај\w*|izve[sš]taj\w*|naredb\w*|наказ\w*"
)
_NUMBER_SIGN = r"(?:№|\bno\.?(?=\s*\d)|\bnr\.?|\bn(?=[.\s]*\d)|#)"
_DOCUMENT = re.compile(
    rf"(?:(?:\b(?:согласно|по|см|see|as per|per|under|vide)\.?\s+)?\b(?:{_PAPER})\b\.?\s*{_NUMBER_SIGN}?"
    r"\s*[-\w/.]*\d[-\w/]*"
    rf"|(?:\b(?:{_PAPER})\b\.?\s*)?{_NUMBER_SIGN}\s*[-\w/.]*\d[-\w/]*)(?:\s*(?:от|dated|of|від|od)\s+\x00\d+\x02)?",
    re.IGNORECASE,
)
_PAPER_DATE = re.compile(rf"\b(?:{_PAPER})\b[^\d\x00]{{0,20}}(?:от|dated|of|від|od)\s+\x00\d+\x02", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_BROKEN_DOWN = re.compile(
    r"(?<![\w./-])(?P<sum>\d+)\s*(?:мин\w*|шт\w*\.?|pcs\.?|mines?|devices?)?\s*[(\[](?P<list>[^()\[\]]*)[)\]]"
)
_IS_PAPER = re.compile(rf"\b(?:{_PAPER})\b|{_NUMBER_SIGN}|\bсм\b|\bsee\b", re.IGNORECASE)
# "unit 5", "в/ч 12345", "row 2", "квадрат 3064": not a number of devices.
_OTHER_NUMBER = re.compile(
    r"(?:\b(?:unit|team|group|row|sheet|square|sector|area|point|km|strip|лист\w*|отряд\w*|групп\w*|рот[аыуой]\w*|взвод\w*|ряд\w*"
    r"|квадрат\w*|кв|участ\w*|сектор\w*|точк\w*|высот\w*|отм\w*|поле|полос\w*|бригад\w*|батальон\w*|полк\w*|дом\w*"
    r"|глубин\w*|через|за|within|after|for|depth)|в/ч|#)\.?\s*$",
    re.IGNORECASE,
)
_OTHER_UNIT = re.compile(
    r"\s*(?:-?(?:го|й|я|ой|му|th|st|nd|rd)\b|(?:кв\.?\s*)?(?:м|см|км|га|m|cm|km|ha|°|%|дн\w*|день|дня|сут\w*|недел\w*|месяц\w*|час\w*|ч"
    r"|мин(?:ут\w*)|лет|год\w*|г|days?|weeks?|months?|hours?|years?|metres?|meters?|инженерн\w+ (?:рот|бат)\w*"
    r"|рот\w*|отделени\w*|взвод\w*|отряд\w*|ряд\w*|rows?)\b)",
    re.IGNORECASE,
)
_PART = re.compile(r"^\s*(?:в том числе|в т\. ?ч\.|из|из них|includ\w*|incl|of which|out of|of)\b", re.IGNORECASE)

_CLAUSES = re.compile(
    r"[;,\n]\s*|(?<!шт)(?<!pcs)(?<!\bг)(?<!\bт)\.\s+|\s(?=(?:и|а|затем|потом|та|then|and|i|və|և)\s)|(?=\x00)"
)
_COUNTED = re.compile(
    r"(?<![\w./-])(\d{1,3}(?:[ ,]\d{3})+(?!\d)|\d+)(?!\w*[./:]\d)(?:\s*(?:шт\w*\.?|pcs\.?|x\b|х\b|×|-))?"
)
_TYPE_AFTER = re.compile(
    r"\s*(?:(?:шт\w*\.?|pcs\.?|из|of|the|противо\w+|инженерн\w+|anti-?\w+)\s+){0,3}"
    r"(?P<mines>(?:мин\w{0,3}|mines?|міни?|устройств\w*|devices?|items?|боеприпас\w*)\b\s*)?(?P<model>[^\W\d_][\w./-]*)?"
)
_SMALL_WORDS = r"(?:всего|ещ[её]|около|примерно|только|было|была|были|total|about|only|je|је|из них|мин\w{0,3}|է)"


@dataclass(frozen=True, slots=True)
class _Clause:
    """A part of an event's text: what it says happened, when, and to how many."""

    kind: EventKind | None
    date: StatedDate | None
    dated: bool  # a day is written, even if it does not exist
    counts: tuple[tuple[int, str], ...]


def parse_event(text: str) -> LaterEvent:
    """Read a later event of one type of device; see `parse_events`."""
    return parse_events(text)[0]


def parse_events(text: str, *, no_such_day: bool = False) -> tuple[LaterEvent, ...]:
    """Read later events such as "12.10.94 снято 40 ПМН и 5 ТМ-62": one for each type, and for each thing that happened.

    A year is a date, never a number of devices. The date of an event is that of its own part of the text; the
    dates and numbers of documents are no dates and counts of events.

    Parameters
    ----------
    no_such_day
        Read events on days that do not exist, without a date.

    Raises
    ------
    InputError
        SF-R010 when it names a day that does not exist.
    """
    veiled, dates = _veiled_dates(text, no_such_day)
    bare = _without_papers(veiled)
    clauses = [_clause(part, dates) for part in _joined(bare)]
    fallback = None if any(clause.dated for clause in clauses) else next(iter(dates), None)
    return _events(text, [c for c in clauses if c.kind or c.counts] or clauses, fallback)


def _events(text: str, clauses: list[_Clause], fallback: StatedDate | None) -> tuple[LaterEvent, ...]:
    kind = next((clause.kind for clause in clauses if clause.kind), EventKind.UNKNOWN)
    date = next((clause.date for clause in clauses if clause.dated), fallback)
    told: list[LaterEvent] = []
    for clause in clauses:
        kind, date = clause.kind or kind, clause.date if clause.dated else date
        told += [LaterEvent(text, kind, date, count, model) for count, model in clause.counts or ((None, ""),)]
    counted = [event for event in told if event.count is not None]
    kinds = {event.kind for event in counted}
    # "разминировано, снято 40 ПМН": the ground was cleared by lifting them.
    kinds |= {EventKind.CLEARED} if EventKind.LIFTED in kinds else set()
    bare = dict.fromkeys(event for event in told if event.count is None and event.kind not in kinds)
    return tuple(event for event in told if event.count is not None or event in bare) if counted else tuple(bare)


def date_texts(text: str) -> list[str]:
    """Return every day that the text of an event names, as written."""
    return [match["date"] for match in _DATE_TEXT.finditer(text)]


def _veiled_dates(text: str, no_such_day: bool) -> tuple[str, list[StatedDate | None]]:
    """Return the text with each date as its number between two signs of no script; and the dates."""
    dates: list[StatedDate | None] = []

    def veil(match: re.Match[str]) -> str:
        try:
            dates.append(parse_date(match["date"].strip(" ,;")))
        except InputError as error:
            if error.id != "SF-R010":
                return match[0]  # the word before the year is no month and no season
            if not no_such_day:
                raise
            dates.append(None)
        return f" \x00{len(dates) - 1}\x02 "

    for pattern in (_DATE_TEXT, _WORD_DAY, _NAMED_YEAR, _BARE_YEAR):
        text = pattern.sub(veil, text)
    return text, dates


def _without_papers(text: str) -> str:
    """Return the text without documents, times of day and brackets that only explain."""
    text = _IN_BRACKETS.sub(_of_brackets, _BROKEN_DOWN.sub(_broken_down, text))
    text = _PAPER_DATE.sub(" ", _DOCUMENT.sub(" ", text))
    return _DAY_AND_TIME.sub(" ", text)


def _broken_down(match: re.Match[str]) -> str:
    """Return "(40 ПМН, 5 ТМ-62)" for "45 мин (40 ПМН, 5 ТМ-62)": the same devices by type."""
    listed = _counts_and_models(match["list"], None)
    same = all(model for _, model in listed) and sum(count for count, _ in listed) == int(match["sum"])
    return f" {match['list']} " if same else match[0]


def _of_brackets(match: re.Match[str]) -> str:
    inner = match[1]
    if _IS_PAPER.search(inner) or _PART.match(inner):
        return " "
    only_date = re.fullmatch(r"[\s,.;]*\x00\d+\x02[\s,.;]*", inner)
    typed = any(model for _, model in _counts_and_models(_plain_of_dates(inner), None))
    return (
        f" {inner} "
        if only_date or (typed and not _COUNTED.search(_plain_of_dates(match.string[: match.start()])))
        else " "
    )


def _joined(text: str) -> list[str]:
    """Cut a text into parts that each say what happened; a part without its own verb goes on with the one before."""
    parts: list[str] = []
    for piece in _CLAUSES.split(text):
        if not piece.strip(" .,;:-"):
            continue
        last = parts[-1] if parts else ""
        open_end = last and not _COUNTED.search(_plain_of_dates(last))
        undated = "\x00" not in piece
        if parts and (not _ANY_WORD.search(piece) or not _ANY_WORD.search(last) or (open_end and undated)):
            if "\x00" in piece and _ANY_WORD.search(last) and "\x00" in last and not _ANY_WORD.search(piece):
                parts.append(piece)
            else:
                parts[-1] += " , " + piece
        else:
            parts.append(piece)
    return parts


def _plain_of_dates(text: str) -> str:
    return re.sub(r"\x00\d+\x02", " ", text)


def _clause(part: str, dates: list[StatedDate | None]) -> _Clause:
    named = [dates[int(number)] for number in re.findall(r"\x00(\d+)\x02", part)]
    rest, kind = _plain_of_dates(part), None
    verb: re.Match[str] | None = None
    for pattern, candidate in _EVENT_WORDS:
        if verb := re.search(rf"(?:{pattern})\w*", rest, re.IGNORECASE):
            kind = candidate
            break
    return _Clause(kind, named[0] if named else None, bool(named), tuple(_counts_and_models(rest, verb)))


def _counts_and_models(text: str, verb: re.Match[str] | None) -> list[tuple[int, str]]:
    """Numbers that stand beside a type, beside "mines", or beside the verb."""
    # "ПМН-40" is forty of them, a number that belongs to a model name (ПМН-2, ТМ-62) is no count.
    if verb:
        text = text[: verb.start()] + "\x01" + text[verb.end() :]
    spaced = re.sub(r"[^\W\d_]+-\d+(?![\w-])", _spaced_count, _ANY_WORD.sub("\x01", text))
    found: list[tuple[int, str]] = []
    end = 0
    for match in _COUNTED.finditer(spaced):
        before, after = spaced[end : match.start()], spaced[match.end() :]
        if _OTHER_NUMBER.search(before) or _OTHER_UNIT.match(after):
            continue
        follows = _TYPE_AFTER.match(after)
        assert follows is not None
        model, earlier = _model_of(follows["model"]), _model_before(before)
        beside_verb = re.search(rf"\x01[\s:\-–—=]*(?:{_SMALL_WORDS}[\s:\-–—]*)*$", before) or re.match(
            r"\s*\x01", after
        )
        if (
            model
            or earlier
            or follows["mines"]
            or beside_verb
            or re.match(r"\s*шт|\s*pcs", match[0][len(match[1]) :] + after)
        ):
            found.append((int(re.sub(r"\D", "", match[1])), model or earlier))
            end = match.end()
    return found


def _spaced_count(match: re.Match[str]) -> str:
    stem, _, number = match[0].partition("-")
    known = category_of_model(stem) is not DeviceCategory.UNKNOWN
    return match[0] if is_model(match[0]) or not known else f"{stem} - {number}"


def _model_before(text: str) -> str:
    match = re.search(r"([^\W\d_][\w./-]*?)\s*[-–—:x×=]?\s*$", text)
    return _model_of(match[1]) if match and _is_type(match[1]) else ""


def _is_type(word: str) -> bool:
    letters = re.sub(r"[\W\d_]", "", word)
    return category_of_model(word) is not DeviceCategory.UNKNOWN or (len(letters) > 1 and letters.isupper())


def _model_of(word: str | None) -> str:
    word = (word or "").rstrip(".,;")
    return word if word[:1].isupper() else ""

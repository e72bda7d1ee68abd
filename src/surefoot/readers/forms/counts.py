"""Numbers of devices and lists of devices as forms write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from surefoot.designations import type_key
from surefoot.errors import InputError
from surefoot.model import category_of_model
from surefoot.positions.glyphs import REMEMBERED, plain
from surefoot.terms import DeviceCategory, Severity

_PIECES = r"(?:шт(?:ук\w*)?\.?|pcs\.?|pieces|ədəd|հատ|kom(?:ada)?\.?|ком(?:ада)?\.?|ea\.?|мин[аы]?|mines?|мін[аи]?)"
_DIGITS = r"(?:\d{1,3}(?:[ ,.']\d{3})+|\d+)"
_PART_OF = r"(?:из (?:них|которых)|в том числе|в т\. ?ч\.|includ\w*|incl\.?|of (?:which|them)|od toga|у тому числі)"
_WORDS = rf"(?:(?!{_PART_OF})[^\W\d_][^\d+%/]*)"
_WHOLE = re.compile(rf"(?:{_WORDS}[ :=])??(?P<number>{_DIGITS})(?:[.,]0{{1,2}})?(?: ?{_PIECES})?(?: {_WORDS})?\.?")
_RANGE = re.compile(
    rf"(?:от |from )?(?P<low>{_DIGITS}) ?(?:-|\.{{2,3}}|…|до|to|или|or) ?(?P<high>{_DIGITS})(?: ?{_PIECES})?\.?"
)
_SUM = re.compile(rf"{_DIGITS}(?: ?{_PIECES})?(?: ?\+ ?{_DIGITS}(?: ?{_PIECES})?)+\.?")
_ABOUT = re.compile(
    r"^(?:ок\.?|около|примерно|прибл\w*\.?|почти|более|менее|свыше|до|не (?:более|менее)|больше|меньше|~|≈|>|<|≥|≤"
    r"|about|approx\w*\.?|ca\.?|circa|over|under|(?:more|less) than|at (?:least|most)|up to|oko|cca\.?|біля) ?(?=\d)"
)
_LIKE_DIGITS = str.maketrans("oоlіiз", "001113")
_TYPED_FOR_DIGITS = re.compile(r"(?=[oоlіiз]*\d)[\doоlіiз]*[oоlіiз][\doоlіiз]*")


@dataclass(frozen=True, slots=True)
class StatedCount:
    """A number of devices as read. `doubt` is the message id of what is uncertain about it, "" for nothing."""

    number: int
    doubt: str = ""
    severity: Severity = Severity.WARNING
    values: Mapping[str, object] = field(default_factory=dict)


@lru_cache(maxsize=REMEMBERED)
def read_count(text: str) -> StatedCount:
    """Read a number of devices, with what is uncertain about it.

    "10-15" counts as the larger number with a doubt; "около 40", "12?" as the number with a doubt; "1O" (a letter
    typed for a digit) as 10 with a doubt; "5 + 5" as 10 and "1.200" as 1200 with a note.

    Raises
    ------
    InputError
        SF-R012 for a negative number, SF-R013 for text without one whole number.
    """
    bare = _bare(text)
    if re.search(r"^- ?\d|[ :=]-\d|\b(?:минус|minus) ?\d", bare):
        raise InputError("SF-R012", text)
    if match := _RANGE.fullmatch(bare):
        low, high = _whole(match["low"]), _whole(match["high"])
        if low < high:
            return StatedCount(high, "SF-R196", values={"low": low, "number": high})
        raise InputError("SF-R013", text)
    if _SUM.fullmatch(bare):
        total = sum(map(_whole, re.findall(_DIGITS, bare)))
        return StatedCount(total, "SF-R197", Severity.INFO, {"number": total})
    exact = _ABOUT.sub("", bare.removesuffix("?").strip())
    if _TYPED_FOR_DIGITS.fullmatch(exact):
        number = int(exact.translate(_LIKE_DIGITS))
        return StatedCount(number, "SF-R198", values={"number": number})
    match = _WHOLE.fullmatch(exact)
    if match is None:
        raise InputError("SF-R013", text)
    number = _whole(match["number"])
    if exact != bare:
        return StatedCount(number, "SF-R199", values={"number": number})
    if "." in match["number"]:
        return StatedCount(number, "SF-R200", Severity.INFO, {"number": number})
    return StatedCount(number)


def parse_count(text: str) -> int:
    """Read a number of devices; see `read_count`, which also tells what is uncertain about it."""
    return read_count(text).number


def _bare(text: str) -> str:
    """Return the text without brackets around a number and without a number in words beside it."""
    low = plain(text).casefold()
    low = re.sub(r"\(([^\d()]*)\)", " ", low)
    low = re.sub(r"^\(([^()]*)\)$", r"\1", low.strip())
    return re.sub(r" +", " ", low).strip(" ;:=")


def _whole(digits: str) -> int:
    if digits[0] == "0" and len(digits) > 1 and not digits.isdecimal():
        raise InputError("SF-R013", digits)  # "0.200" is no two hundred
    return int(re.sub(r"[^\d]", "", digits))


# --- lists -----------------------------------------------------------------------------------------------

_PARTS = re.compile(
    rf"[;\n]|,\s+|,(?=[^\W\d_])|(?<=[^\W\d_]),(?=\d)|\s\+\s(?!\s*\d+(?:\s*{_PIECES})?\s*(?:[;,\n]|$))|(?<=[^\W\d_])\+(?=\d)"
    r"|(?<=[\d).тsm])\s*/\s*(?=[^\W\d_])|(?<=[^\W\d_])\s*/\s*(?=\d+\s*[^\W\d_])"
    r"|\s(?:и|та|and|i|və|և)\s(?=\s*[\w-])"
)
_COUNT_LAST = rf"(?:{_DIGITS}(?:\s*(?:-|\.\.\.?|…|\+|/)\s*{_DIGITS})?)"
_NUMBER_ONLY = re.compile(rf"-?\d[\d ]*{_PIECES}?\.?")
_NUMBER_FIRST = re.compile(
    rf"(-?{_COUNT_LAST})\s*(?:{_PIECES}|[xх×])?\s+(?:мин\w*\s+|mines?\s+)?([^\W\d_].*)"
    rf"|({_DIGITS})(?:[×]|(?=[^\W\d_]{{2}}))([^\W\d_].*)"
)
_NUMBER_LAST = re.compile(
    rf"(.*?[^\W\d_].*?)\s*(?:[-×/]\s*|(?<!\w)[xх]\s*|[xх](?=\d))?(?<![\d.,])"
    rf"(?:\(\s*({_COUNT_LAST})\s*{_PIECES}?\s*\)|({_COUNT_LAST})\s*{_PIECES}?)"
)
_NUMBER_WITH_TIMES = re.compile(rf"({_DIGITS})[xх]([^\W\d_]{{2}}.*)")
# Words that say "of all types", or only that something is counted.
_ALL_TYPES = re.compile(
    r"\b(?:всего|итого|общ\w*|количеств\w*|кол-во|числ\w*|сумм\w*|установлен\w*|поставлен\w*|уложен\w*|заложен\w*|штук\w*|шт"
    r"|мин\w{0,3}|вс[её]х|устройств\w*|боеприпас\w*|(?:на|в) (?:минном )?пол[ея]|минн\w+ пол[ея]|зданий"
    r"|из них|в том числе|в т\. ?ч|том числе|total\w*|all|altogether|overall|sum|quantity|number|count|laid|emplaced"
    r"|mines?|devices?|in (?:the )?(?:mine)?field|of which|including|incl|of|in|the"
    r"|ukupno|svega|mina|укупно|свега|усього|разом|всього|мін|cəmi|ընդամենը)\b\.?",
    re.IGNORECASE,
)
_TOKENS = re.compile(rf"{_DIGITS}(?:\s*{_PIECES}(?!\w))?|[^\W\d_]+")
NO_NUMBER = "?"


def split_device_list(text: str) -> dict[str, str]:
    """Split "ПМН: 60; ТМ-62: 12", "60 ПМН, 12 ТМ-62" or "ПМН-60" into {model as written: number as written}.

    A number alone ("180") stands under the empty name. A type without a number ("ТМ-62", "ПМН") keeps its name
    and gets `NO_NUMBER`, which is no count. A type that comes again is added up.
    """
    pairs: dict[str, str] = {}
    lines = "\n".join(map(plain, text.splitlines()))
    veiled, names = _veiled(re.sub(r"(?<=[\d.])\s*\([^\d()]*\)", "", lines))
    for part in (piece for chunk in _PARTS.split(veiled) if chunk for piece in _pieces(chunk)):
        model, number = (_unveiled(word, names) for word in _model_and_number(part))
        if model in pairs and pairs[model].isdigit() and number.isdigit():
            number = str(int(pairs[model]) + int(number))
        pairs[model] = number
    return pairs


# Designations with a number of their own are veiled by one letter of a script that no form is written in.
_VEIL = 0x10000  # Linear B


def _veiled(text: str) -> tuple[str, list[str]]:
    names: list[str] = []

    def veil(match: re.Match[str]) -> str:
        if not is_model(match[0]):
            return match[0]
        names.append(match[0])
        return chr(_VEIL + len(names) - 1) * 2

    return re.sub(r"(?<!\w)[^\W\d_]+-\d+(?:[^\W\d_]+\d?)?(?!\w)", veil, text), names


def _unveiled(text: str, names: list[str]) -> str:
    for number, name in enumerate(names):
        text = text.replace(chr(_VEIL + number) * 2, name)
    return text


def _pieces(chunk: str) -> list[str]:
    """Cut "60 ПМН 12 ТМ-62" and "Всего 180: ПМН 160", where no comma does, into a type and its number each."""
    chunk = chunk.strip(" .,\t")
    left, colon, right = chunk.partition(":")
    if colon and right.strip() and re.search(r"\d", left) and not type_of_total(re.sub(r"\d+", "", left)):
        return [left.strip(), *_pieces(right)]
    tokens = _TOKENS.findall(chunk)
    digits = [token[0].isdigit() for token in tokens]
    rest = re.sub(r"[\s\-:=x×()./]+", "", _TOKENS.sub(" ", chunk))
    if len(tokens) >= 4 and len(tokens) % 2 == 0 and not rest and all(a != b for a, b in pairwise(digits)):
        return [f"{one} {two}" for one, two in zip(tokens[::2], tokens[1::2], strict=True)]
    return [chunk] if chunk else []


def type_of_total(name: str) -> str:
    """Return the type that a total speaks of, as written: "" for "Всего установлено мин", ПМН for "из них ПМН"."""
    left = _ALL_TYPES.sub(" ", name)
    bare = re.sub(r"^[\s\-:.,=]+|[\s\-:.,=]+$", "", left)
    return "" if not bare else (name.strip() if left == name else bare)


def _model_and_number(part: str) -> tuple[str, str]:
    of_these = re.match(rf"{_PART_OF}[\s:]*", part, re.IGNORECASE)
    if of_these:
        model, number = _model_and_number(part[of_these.end() :])
        return (model, number) if category_of_model(model) is not DeviceCategory.UNKNOWN else ("", part)
    introduction = re.match(r"([^\d:=]+?)[\s\-]+(?=\d)", part)
    if introduction and not type_of_total(introduction[1]):
        part = part[introduction.end() :]
    model, colon, number = (s.strip() for s in re.sub(r"\s*=\s*", ":", part).rpartition(":"))
    if colon:
        return (model, number) if number else (model, NO_NUMBER)
    if _NUMBER_ONLY.fullmatch(part):
        return "", part
    if (match := _NUMBER_WITH_TIMES.fullmatch(part)) and category_of_model(match[2]) is not DeviceCategory.UNKNOWN:
        return match[2].strip(), match[1]
    if match := _NUMBER_FIRST.fullmatch(part):
        return (match[2] or match[4]).strip(), match[1] or match[3]
    if match := _NUMBER_LAST.fullmatch(part):
        return match[1].strip(), match[2] or match[3]
    return (part, NO_NUMBER) if _is_name(part) else ("", part)


def _is_name(part: str) -> bool:
    """Whether a text names a type and no number: a known one, or one word."""
    if re.search(r"\d", part):
        return False
    return category_of_model(part) is not DeviceCategory.UNKNOWN or re.fullmatch(r"[^\W\d_]+", part) is not None


def is_model(text: str) -> bool:
    """Whether a text with a hyphen and number, "ТМ-62" or "ПМН-2", is a model and not a model and its count.

    The designations of the well-known models are listed; "ПМН-180" is 180 of them.
    """
    match = re.fullmatch(r"([^\W\d_]+)-(\d+)([^\W\d_]*\d?)", text.strip())
    if match is None or re.fullmatch(_PIECES, match[3].casefold()):
        return False
    return bool(match[3]) or type_key(text) in _DESIGNATIONS


_LISTED = (
    "PMN1 PMN2 PMN4 PMD6 PMD7 POMZ2 OZM3 OZM4 OZM72 OZM160 MON50 MON90 MON100 MON200 PFM1 TM41 TM44 TM46 TM57 TM62 "
    "TM72 TM83 TM89 TMK2 TMD44 TMD46 TMN44 TMN46 PTM1 PTM3 PMA1 PMA2 PMA3 PMR1 PMR2 PMR3 PROM1 MRUD1 TMM1 TMA1 TMA2 "
    "TMA3 TMA4 TMA5 TMRP6 M14 M15 M16 M18 M19 M21"
)
_DESIGNATIONS = frozenset(_LISTED.split())

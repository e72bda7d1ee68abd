"""Cells as written -> numbers and words. A whole column decides what a single cell leaves open."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from surefoot.model import Floats, Texts

Mask = npt.NDArray[np.bool_]

NOTHING = frozenset(
    {"", "-", "--", "—", "–", "n/a", "na", "nan", "null", "none", "nil", "?", "#n/a", "нет данных", "<null>"}
)
_SPACES = re.compile(r"[\s\u00a0\u2007\u2009\u202f'’]+")
_ONE_COMMA = re.compile(r"[+-]?\d{1,3}[,.]\d{3}")
_GROUPS = re.compile(r"[+-]?\d{1,3}([,.])\d{3}(?:\1\d{3})+")
_UNIT = re.compile(r"(?<=\d)(m|м|metres|meters|метров)\.?$", re.IGNORECASE)
_ANGLE = re.compile(
    r"(?P<before>[NSEWСЮВЗ])? ?(?P<deg>[+-]?\d{1,3}(?:\.\d+)?) ?(?:[°º] ?|(?= |$|[NSEWСЮВЗ])|(?<= ))"
    r"(?:(?P<min>\d{1,2}(?:\.\d+)?) ?['′’] ?(?:(?P<sec>\d{1,2}(?:\.\d+)?) ?(?:\"|″|”|''|′′)?)?)? ?"
    r"(?P<after>[NSEWСЮВЗ])?",
    re.IGNORECASE,
)

_NOT = re.compile(r"(?:^|_)(?:not|no|non|without|не|нет|без|nije|ne|deyil)_")


class NumberKind(StrEnum):
    """What a column of numbers counts; it decides what "2,005" means."""

    COUNT = "count"
    DEGREES = "degrees"
    METRES = "metres"
    PLAIN = "plain"


@dataclass(frozen=True)
class Numbers:
    """A column of numbers: nan where empty or unreadable.

    `bad` marks cells that hold something that is no number, `guessed` cells like "2,005" whose separator the
    column did not decide.
    """

    values: Floats
    bad: Mask
    guessed: Mask


def is_nothing(text: str) -> bool:
    """Return whether a cell says that there is no value."""
    return text.strip().casefold() in NOTHING


def each_distinct(column: Texts, function: Callable[[str], Any]) -> dict[str, Any]:
    """Call a function once for each distinct text of a column."""
    return {text: function(text) for text in set(column.tolist())}


def read_numbers(column: npt.NDArray[Any], kind: NumberKind) -> Numbers:
    """Read a column of numbers as written.

    Decimal commas, thousands separators (blank, comma, point, apostrophe), a typographic minus and, for
    degrees, hemispheres and degrees-minutes-seconds are understood. "2,005" is 2005 in a column of counts,
    2.005 in one of degrees; elsewhere the other cells of the column decide.
    """
    none = np.zeros(len(column), dtype=bool)
    if column.dtype.kind == "f":
        return Numbers(column.astype(np.float64), none, none)
    texts = column.tolist()
    plain = {text: _plain(text, kind) for text in set(texts)}
    odd = [text for text, value in plain.items() if value is None]
    guessed: set[str] = set()
    if odd:
        comma_is_decimal = _comma_is_decimal(odd, kind)
        for text in odd:
            plain[text], open_ = _slow(text, kind, comma_is_decimal)
            guessed |= {text} if open_ else set()
    values = np.array([math.nan if (v := plain[t]) is None else v for t in texts], dtype=np.float64)
    if not odd:
        return Numbers(values, none, none)
    bad = np.array([plain[t] is None for t in texts], dtype=bool)
    return Numbers(values, bad, np.array([t in guessed for t in texts], dtype=bool))


def _plain(text: str, kind: NumberKind) -> float | None:
    """Return the number where nothing is open about it; None sends the cell down the slow path."""
    try:
        value = float(text)
    except ValueError:
        return math.nan if is_nothing(text) else None
    if not math.isfinite(value) or "_" in text:
        return math.nan if is_nothing(text) else None
    if kind is NumberKind.COUNT and not value.is_integer():
        return None
    return value


def _comma_is_decimal(texts: Iterable[str], kind: NumberKind) -> bool | None:
    """Return what a single comma means in this column, None if its cells do not tell."""
    if kind is NumberKind.DEGREES:
        return True
    if kind is NumberKind.COUNT:
        return False
    cleaned = [_SPACES.sub("", text) for text in texts]
    if any(text.count(",") == 1 and not _ONE_COMMA.fullmatch(_UNIT.sub("", text)) for text in cleaned):
        return True
    if any(_GROUPS.fullmatch(text) for text in cleaned):
        return False
    return None


def _slow(text: str, kind: NumberKind, comma_is_decimal: bool | None) -> tuple[float | None, bool]:
    """Return (number or None, whether its separator was left open)."""
    text = text.replace("−", "-").replace("–", "-")
    if kind is NumberKind.DEGREES and (angle := _angle(text)) is not None:
        return angle, False
    cleaned = _UNIT.sub("", _SPACES.sub("", text))
    if _GROUPS.fullmatch(cleaned):
        return _float(re.sub(r"[,.]", "", cleaned)), False
    if _ONE_COMMA.fullmatch(cleaned):
        return _three_digits(cleaned, kind, comma_is_decimal)
    if "," in cleaned and "." in cleaned:
        decimal = max(cleaned.rfind(","), cleaned.rfind("."))
        head, tail = re.sub(r"[,.]", "", cleaned[:decimal]), cleaned[decimal + 1 :]
        return _float(f"{head}.{tail}"), False
    value = _float(cleaned.replace(",", ".") if cleaned.count(",") == 1 else cleaned)
    return value, False


def _three_digits(cleaned: str, kind: NumberKind, comma_is_decimal: bool | None) -> tuple[float | None, bool]:
    """Read a number like 2,005: one separator, three digits after it."""
    thousands, decimal = _float(re.sub(r"[,.]", "", cleaned)), _float(cleaned.replace(",", "."))
    if kind is NumberKind.COUNT:
        return thousands, True
    if comma_is_decimal is not None:
        return (decimal if comma_is_decimal else thousands), False
    return (thousands if kind is NumberKind.METRES else decimal), True


def _angle(text: str) -> float | None:
    match = _ANGLE.fullmatch(" ".join(text.replace(",", ".").split()))
    if match is None or (match["before"] and match["after"]):
        return None
    minutes, seconds = float(match["min"] or 0), float(match["sec"] or 0)
    if minutes >= 60 or seconds >= 60:
        return None
    degrees = float(match["deg"])
    size = abs(degrees) + minutes / 60 + seconds / 3600
    hemisphere = (match["before"] or match["after"] or "").upper()
    if hemisphere and match["deg"].startswith(("+", "-")):
        return None
    return -size if match["deg"].startswith("-") or hemisphere in set("SWЮЗ") else size


def _float(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in text else None


def word_key(text: str) -> str:
    """Return a word for comparison: lower case, without brackets, blanks and punctuation as '_'."""
    return whole_key(re.sub(r"\([^)]*\)|\[[^\]]*\]", " ", text))


def whole_key(text: str) -> str:
    """Return a word for comparison with what stands in its brackets."""
    return re.sub(r"[\W_]+", "_", text.casefold().replace("ё", "е")).strip("_")


@dataclass(frozen=True)
class KnownWords:
    """Words of a column: `word_key` -> ours, and patterns of whole cells -> ours for where no word fits."""

    words: Mapping[str, str]
    patterns: tuple[tuple[re.Pattern[str], str], ...] = ()

    def meaning(self, text: str) -> str:
        """Return our word for a cell, "" where it is not known. What stands in brackets counts first."""
        whole, bare = whole_key(text), word_key(text)
        if whole in self.words:
            return self.words[whole]
        negated = bool(self.patterns) and _NOT.search(whole) is not None
        for pattern, ours in () if negated else self.patterns:
            if pattern.fullmatch(whole):
                return ours
        return "" if negated else self.words.get(bare, "")


def read_words(column: Texts, known: KnownWords, own: Mapping[str, str]) -> tuple[dict[str, str], set[str]]:
    """Translate the distinct words of a column.

    Parameters
    ----------
    own
        The case's ``[values.TABLE.COLUMN]``: their word as written -> ours.

    Returns
    -------
    Their word -> ours ("" for empty cells), and the words nobody knows (mapped to "").
    """
    own_keys = {word_key(theirs): ours for theirs, ours in own.items()}
    meanings: dict[str, str] = {}
    unknown: set[str] = set()
    for text in set(column.tolist()):
        ours = own.get(text) or own_keys.get(word_key(text)) or known.meaning(text)
        meanings[text] = ours
        if not ours and not is_nothing(text):
            unknown.add(text)
    return meanings, unknown

"""Words of Russian and English forms: families, instruments, ways to measure; and the doors to dates and counts."""

from __future__ import annotations

import re
from functools import lru_cache

from surefoot.errors import InputError
from surefoot.positions.glyphs import REMEMBERED
from surefoot.readers.forms.counts import parse_count, split_device_list
from surefoot.readers.forms.days import parse_date
from surefoot.readers.forms.events import parse_event, parse_events
from surefoot.terms import RecordFamily

__all__ = [
    "distance_method_of", "instrument_of", "parse_count", "parse_date", "parse_event", "parse_events", "parse_family",
    "split_device_list",
]  # fmt: skip

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

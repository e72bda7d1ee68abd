"""Every message by id, rendered in a language.

The catalogue of a language is the TOML files in ``locale/<language>/``, one per room; English is complete,
another language falls back to it message by message. Sums and readers hand over an id and values only.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

LANGUAGES = ("en", "ru")


@dataclass(frozen=True, slots=True)
class Message:
    """One rendered message: what is the matter and what to do."""

    reason: str
    advice: str


@cache
def catalogue(lang: str) -> Mapping[str, Mapping[str, str]]:
    """Return the catalogue of one language, message id -> {reason, advice}."""
    merged: dict[str, Mapping[str, str]] = {}
    for room in files("surefoot").joinpath("locale", lang).iterdir():
        if room.name.endswith(".toml"):
            merged |= tomllib.loads(room.read_text(encoding="utf-8"))
    return merged


def render(id_: str, values: Mapping[str, object] | None = None, *, found: str = "", lang: str = "en") -> Message:
    """Render a message.

    Parameters
    ----------
    id_
        Message id; an unknown id is a programming error and raises `KeyError`.
    values
        Placeholders of the message; `found` is always available.
    lang
        One of `LANGUAGES`; other languages read English.
    """
    entry = catalogue(lang).get(id_) if lang in LANGUAGES else None
    if entry is None:
        entry = catalogue("en")[id_]
    filled = {"found": found, **(values or {})}
    return Message(entry["reason"].format_map(filled), entry["advice"].format_map(filled))

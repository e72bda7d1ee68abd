"""How a page says things: the strings of a language, and its way to write numbers.

The strings stand in ``locale/<language>/report.toml``; English is complete, another language falls back to it
string by string.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from surefoot.messages import LANGUAGES

NARROW_SPACE = "\u202f"
EN_DASH = "\u2013"
MINUS = "-"  # what a spreadsheet takes when a figure is copied from the page


@cache
def _strings(lang: str) -> Mapping[str, Any]:
    source = files("surefoot").joinpath("locale", lang, "report.toml")
    return tomllib.loads(source.read_text(encoding="utf-8"))["report"]  # type: ignore[no-any-return]


def _find(strings: Mapping[str, Any], key: str) -> str | None:
    value: Any = strings
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class Words:
    """One language of the report. `lang` is one of `surefoot.messages.LANGUAGES`; any other reads English."""

    lang: str = "en"

    def __call__(self, key: str, **values: object) -> str:
        """Return a string by its dotted key with its placeholders filled; `KeyError` for an unknown key."""
        text = self.maybe(key, **values)
        if text is None:
            raise KeyError(key)
        return text

    def maybe(self, key: str, **values: object) -> str | None:
        """Return a string by its dotted key, None when there is none (words that come from the data)."""
        own = _find(_strings(self.lang), key) if self.lang in LANGUAGES else None
        text = own if own is not None else _find(_strings("en"), key)
        return text.format_map(values) if text is not None and values else text

    def number(self, value: float, decimals: int = 0) -> str:
        """Write a number with the language's decimal sign, thousands apart from 10 000 on."""
        text = f"{abs(value):,.{decimals}f}"
        if abs(value) < 10_000:
            text = text.replace(",", "")
        text = text.replace(",", NARROW_SPACE)
        if self.lang == "ru":
            text = text.replace(".", ",")
        negative = value < 0 and any(c in "123456789" for c in text)
        return f"{MINUS}{text}" if negative else text

    def count(self, value: float) -> str:
        """Write a count: whole numbers bare, expected counts below a hundred with one decimal."""
        return self.number(value, 0 if float(value).is_integer() or abs(value) >= 100 else 1)

    def metres(self, value: float) -> str:
        """Write an estimated length in metres."""
        return f"{self.number(value, _decimals(value))}{NARROW_SPACE}{self('unit.m')}"

    def stated(self, value: float, unit: str = "") -> str:
        """Write a number as somebody set or said it: no decimals are added, two at most are kept."""
        decimals = next((d for d in (0, 1) if math.isclose(round(value, d), value, abs_tol=1e-9)), 2)
        return f"{self.number(value, decimals)}{NARROW_SPACE}{unit}" if unit else self.number(value, decimals)

    def share(self, value: float, decimals: int = 0) -> str:
        """Write a share 0-1 in per cent. Never rounds to a bare 0 or 100 what is neither."""
        step = 10.0**-decimals
        per_cent = value * 100
        if 0 < per_cent <= step / 2:  # a half itself rounds to even
            return f"<{NARROW_SPACE}{self.number(step, decimals)}{NARROW_SPACE}%"
        if 100 - step / 2 <= per_cent < 100:
            return f">{NARROW_SPACE}{self.number(100 - step, decimals)}{NARROW_SPACE}%"
        return f"{self.number(per_cent, decimals)}{NARROW_SPACE}%"

    def value(self, value: float, unit: str) -> str:
        """Write a number with its unit: ``share``, ``m``, ``deg``, ``count`` or the unit as it is given."""
        if unit == "share":
            return self.share(value, 1 if 0 < value < 0.0995 else 0)
        if unit == "m":
            return self.metres(value)
        if unit == "deg":
            return f"{self.number(value, 1)}°"
        text = self.count(value)
        return text if unit == "count" else f"{text} {unit}".rstrip()

    def estimate(self, value: float, bounds: Sequence[float] | None, unit: str) -> str:
        """Write an estimate with as many decimals as its interval; without an interval as `value`."""
        if unit != "m" or bounds is None or len(bounds) != 2:
            return self.value(value, unit)
        decimals = _decimals(max(abs(value), *(abs(b) for b in bounds)))
        return f"{self.number(value, decimals)}{NARROW_SPACE}{self('unit.m')}"

    def interval(self, bounds: Sequence[float] | None, unit: str) -> str:
        """Write an interval, or an empty text where there is none."""
        if bounds is None or len(bounds) != 2 or any(not isinstance(b, int | float) for b in bounds):
            return ""
        low, high = self._bounds(bounds, unit)
        tail = _common_tail(low, high)
        between = "…" if MINUS in low else EN_DASH  # a dash before a minus sign reads badly
        return f"{low[: len(low) - len(tail)]}{NARROW_SPACE}{between}{NARROW_SPACE}{high}"

    def _bounds(self, bounds: Sequence[float], unit: str) -> tuple[str, str]:
        """Both bounds with the same number of decimals."""
        low, high = bounds
        if unit == "share":
            decimals = 1 if 0 < high < 0.0995 else 0
            return self.share(low, decimals if low else 0), self.share(high, decimals)
        if unit == "m":
            decimals = _decimals(max(abs(low), abs(high)))
            end = f"{NARROW_SPACE}{self('unit.m')}"
            return self.number(low, decimals) + end, self.number(high, decimals) + end
        return self.value(low, unit), self.value(high, unit)


def _common_tail(low: str, high: str) -> str:
    """The unit that both bounds end in, so that it is written once."""
    for tail in (f"{NARROW_SPACE}%", f"{NARROW_SPACE}m", f"{NARROW_SPACE}м", "°"):
        if low.endswith(tail) and high.endswith(tail):
            return tail
    return ""


def _decimals(value: float) -> int:
    """Decimals of an estimated length: centimetres below a metre, decimetres below a hundred."""
    return 2 if 0 < abs(value) < 1 else 1 if 0 < abs(value) < 100 else 0


def mistake_word(error: str) -> str:
    """Name under which a gross error stands among the words: all digit slips are one."""
    return "digits" if error.startswith("digits") else error

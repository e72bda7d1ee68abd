"""The figure of a claim as written -> measure, number and unit. A word means what it says, in every language here."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from surefoot.analysis.claims import TESTABLE, Kind, kind_of, kind_of_unit
from surefoot.errors import InputError
from surefoot.model import Doubt, Where
from surefoot.readers.cells_text import is_nothing, word_key
from surefoot.terms import Severity

UNSPECIFIED = "unspecified"
_BLANKS = re.compile(r"[\s\u00a0\u2007\u2009\u202f]+")
_NUMBER = re.compile(
    r"(?P<number>[+-]?(?:\d[\d .,'’]*\d|\d)(?:e[+-]?\d+)?)(?P<rest>(?: |(?=[^\W\d]|%|‰)).*|)", re.IGNORECASE
)
_PLAIN = re.compile(r"[+-]?\d+(?:[.,]\d+)?(?:e[+-]?\d+)?")
_GROUPS = re.compile(r"[+-]?\d{1,3}(?:(?P<mark>[ ,.'])\d{3})(?:(?P=mark)\d{3})*(?:(?!(?P=mark)|[.,]\d{3}$)[.,]\d+)?")
_ONE_MARK = re.compile(r"[+-]?(?P<head>\d{1,3})[.,]\d{3}")
_ISO = re.compile(r"iso\W*19157(?:\W*20\d\d)?\D*(\d{1,3})(?P<tail>@.*)?")
_AT_BUFFER = re.compile(
    r"(?P<name>[^@]+?)\s*@\s*(?P<buffer>\d+(?:[.,]\d+)?)\s*(?:m|м)?\s*(?P<ratio>x\s*\d+(?:[.,]\d+)?)?"
)
_POINTS = re.compile(r"\bpoints?\b|пункт|^point")
_OF = frozenset({"of", "от", "из", "among", "среди", "всех", "od", "від"})


@dataclass(frozen=True)
class ClaimFigure:
    """What a claim states: `value` in `unit`, of `measure`, and what was guessed about it."""

    measure: str
    value: float
    unit: str
    doubts: tuple[Doubt, ...] = ()


def read_figure(measure: str, value: str, unit: str, where: Where) -> ClaimFigure:
    """Read the figure of a claim.

    Parameters
    ----------
    measure, value, unit
        As written; the value may carry its unit ("55 %", "1.5 million devices").

    Returns
    -------
    A share in ``%`` or ``share``, metres in ``m``, other units as written; "" = none stated.

    Raises
    ------
    InputError
        SF-R172 no number, or one whose separator leaves it open by a factor of a thousand; SF-R210 no possible
        share or count.
    """
    name = measure_name(measure)
    number, own_unit = _split(value)
    scale, rest = _multiplier(own_unit)
    more, stated_unit = _multiplier("" if is_nothing(unit) else unit)
    if scale != 1.0 and more != 1.0:
        raise InputError("SF-R172", f"{value} {unit}")
    written = unit_name(rest) or unit_name(stated_unit)
    amount, guessed = _number(number, value, name, written, scaled=scale * more != 1.0)
    figure = ClaimFigure(name, amount * scale * more, written)
    doubts = [Doubt("SF-R214", Severity.WARNING, where, value, {"read": f"{figure.value:.15g}"})] if guessed else []
    figure, told = _one_unit(figure, unit_name(rest), unit_name(stated_unit), where, value)
    doubts += told
    figure, told = _without_unit(figure, value, where)
    doubts += told
    _possible(figure, value)
    if word_key(name) != word_key(measure) and not is_nothing(measure) and ":" not in name:
        doubts.append(Doubt("SF-R150", Severity.INFO, where, f"{measure} = {name}", {"column": "measure"}))
    return replace(figure, doubts=tuple(doubts))


@cache
def _words() -> Mapping[str, Any]:
    return tomllib.loads(files("surefoot").joinpath("data", "words_claims.toml").read_text(encoding="utf-8"))


@cache
def _known(table: str) -> Mapping[str, str]:
    return {word_key(word): ours for ours, words in _words()[table].items() for word in (ours, *words)}


def measure_name(text: str) -> str:
    """Return a measure under the name the program gives it; a name nobody knows stays as written."""
    if is_nothing(text):
        return UNSPECIFIED
    low = text.strip().casefold()
    if match := _ISO.fullmatch(low):
        return f"iso19157:{match[1]}{match['tail'] or ''}"
    if match := _AT_BUFFER.fullmatch(low):
        ratio = (match["ratio"] or "").replace(" ", "").replace(",", ".")
        return f"{measure_name(match['name'])}@{float(match['buffer'].replace(',', '.')):g}{ratio}"
    exact = {word_key(name): name for name in TESTABLE}
    key = word_key(text)
    return exact.get(key) or _known("measures").get(key) or text.strip()


def unit_name(text: str) -> str:
    """Return a unit by its meaning: ``%``, ``permille``, ``share``, ``m``, else as written."""
    low = _BLANKS.sub(" ", text.strip().casefold())
    if not low:
        return ""
    if low[0] in "%٪％":
        return "%" if not _POINTS.search(low) else low
    if low[0] == "‰":
        return "permille"
    words = word_key(low.replace(".", " ")).split("_")
    for length in (3, 2, 1):
        found = _known("units").get("_".join(words[:length])) if len(words) >= length else None
        following = "".join(words[length : length + 1])
        if found is not None and (not following or following in _OF or found == "%") and not _POINTS.match(following):
            return found
    return text.strip()


def _multiplier(text: str) -> tuple[float, str]:
    """Split a leading "thousand" or "млн" off a unit."""
    first, _, rest = _BLANKS.sub(" ", text.strip()).partition(" ")
    factor = _known("multipliers").get(word_key(first)) if first else None
    if factor is None:
        return 1.0, text.strip()
    return float(factor), re.sub(r"^(?:of|из)\s+", "", rest.strip())


def _split(value: str) -> tuple[str, str]:
    """Split a value into its number and what stands behind it."""
    text = _BLANKS.sub(" ", value.strip().replace("−", "-").replace("–", "-").replace("’", "'"))
    if match := re.fullmatch(r"([%‰]) ?([+-]?\d.*)", text):
        text = f"{match[2]} {match[1]}"
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise InputError("SF-R172", value)
    return match["number"].strip(), match["rest"].strip()


def _number(text: str, value: str, measure: str, unit: str, *, scaled: bool) -> tuple[float, bool]:
    """Return the number and whether its separator was guessed."""
    kind = kind_of_unit(unit) or kind_of(measure)
    if unit == "permille":
        kind = Kind.SHARE
    if match := _ONE_MARK.fullmatch(text):
        thousands, decimal = float(re.sub(r"[.,]", "", text)), float(text.replace(",", "."))
        if match["head"].startswith("0") or kind in (Kind.SHARE, Kind.METRES):
            return decimal, False
        if scaled:
            raise InputError("SF-R172", value)  # 1,250 thousand: a quarter more than one, or than a thousand
        if kind is Kind.COUNT or text.endswith("000"):
            return thousands, True
        raise InputError("SF-R172", value)
    if _PLAIN.fullmatch(text):
        return float(text.replace(",", ".")), False
    if match := _GROUPS.fullmatch(text):
        whole, _, decimals = _decimals(text, match["mark"])
        return float(f"{whole}.{decimals or 0}"), False
    raise InputError("SF-R172", value)


def _decimals(text: str, mark: str) -> tuple[str, str, str]:
    """Take the group marks out of a number; the other mark, or one after blanks, is the decimal one."""
    bare = text.replace(mark, "")
    decimal = "," if "," in bare else "."
    return bare.partition(decimal)


def _one_unit(figure: ClaimFigure, own: str, stated: str, where: Where, value: str) -> tuple[ClaimFigure, list[Doubt]]:
    """Settle a value that carries a unit beside a field that states one, and turn per mille into per cent."""
    doubts: list[Doubt] = []
    if own == "%" and stated == "share":
        figure = replace(figure, value=figure.value / 100, unit="share")
    elif own and stated and own != stated and own in {"%", "share", "permille", "m"}:
        doubts.append(Doubt("SF-R211", Severity.WARNING, where, value, {"unit": stated}))
    if figure.unit == "permille":
        figure = replace(figure, value=figure.value / 10, unit="%")
    return figure, doubts


def _without_unit(figure: ClaimFigure, value: str, where: Where) -> tuple[ClaimFigure, list[Doubt]]:
    """Guess the unit of a share that states none, and doubt per cents that look like a share."""
    if figure.unit == "%" and 0 < figure.value < 1:
        return figure, [Doubt("SF-R213", Severity.WARNING, where, value)]
    if figure.unit or kind_of(figure.measure) is not Kind.SHARE or figure.value == 1 or not 0 <= figure.value <= 100:
        return figure, []
    unit = "%" if figure.value > 1 else "share"
    return replace(figure, unit=unit), [Doubt("SF-R212", Severity.WARNING, where, value, {"unit": unit})]


def _possible(figure: ClaimFigure, value: str) -> None:
    """Refuse what cannot be: a share below 0 or above the whole, a negative or broken number of things."""
    if not math.isfinite(figure.value):
        raise InputError("SF-R172", value)
    kind = kind_of_unit(figure.unit) or kind_of(figure.measure)
    whole = 100.0 if figure.unit == "%" else 1.0
    share = figure.unit in {"%", "share"}
    bare_share = kind is Kind.SHARE and not share and not 0 <= figure.value <= 100
    broken = kind is Kind.COUNT and not math.isclose(figure.value, round(figure.value), abs_tol=1e-6)
    if (share and not 0 <= figure.value <= whole) or bare_share or figure.value < 0 or broken:
        raise InputError("SF-R210", value, unit=figure.unit or "-")

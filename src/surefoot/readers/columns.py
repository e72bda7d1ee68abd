"""Their columns -> ours: exact names first, the case's own mapping above all, then well-known words."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from shapely.geometry.base import BaseGeometry

from surefoot.model import Texts
from surefoot.readers.accuracies import Accuracy, accuracy_of
from surefoot.readers.cells_text import KnownWords, NumberKind, Numbers, is_nothing, read_numbers, word_key
from surefoot.readers.counting import Ledger
from surefoot.readers.raw import Column, RawTable, text_column
from surefoot.terms import Severity

KINDS = ("records", "finds", "accidents", "searched", "areas")
_PLACE = ("id", "longitude", "latitude", "easting", "northing", "crs", "mgrs", "position", "geometry")
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "finds": (*_PLACE, "sigma_m", "date", "category", "model", "fate", "searched_id", "production_year",
              "record_id", "row", "index"),
    "accidents": (*_PLACE, "sigma_m", "date", "activity", "category", "killed", "injured", "sheet"),
    "searched": (*_PLACE, "date", "method", "detection_probability", "qa", "reason"),
    "areas": (*_PLACE, "status", "date", "sheet", "detection_probability"),
    "records": (*_PLACE, "record_id", "form_no", "series", "family", "laid", "received", "counts", "count",
                "category", "model", "row", "unit", "compiler", "status", "sigma_m"),
}  # fmt: skip
_EITHER = "category_or_model"
_WHEN = "date_or_time"
_DAY = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}[./]\d{1,2}[./]\d{2,4}|(?:19|20)\d{6}")


@dataclass(frozen=True)
class TableContext:
    """What the case says about its tables.

    Parameters
    ----------
    region
        Stated region, WGS 84; None = not stated.
    crs
        Stated CRS of plane coordinates that name none; None = not stated.
    as_of
        Day of the assessment; later dates are doubted.
    columns, values
        ``[columns.TABLE]`` and ``[values.TABLE.COLUMN]`` of ``case.toml``.
    """

    region: BaseGeometry | None = None
    crs: str | None = None
    as_of: dt.date | None = None
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)

    def own_words(self, table: NamedTable, column: str) -> Mapping[str, str]:
        """Return the case's own words of a column, theirs -> ours, stated under our name of it or the file's."""
        stated = self.values.get(table.kind, {})
        theirs = word_key(table.header(column))
        by_header = [words for name, words in stated.items() if word_key(name) == theirs and name != column]
        return {word: ours for words in (*by_header, stated.get(column, {})) for word, ours in words.items()}


@dataclass(frozen=True)
class NamedTable:
    """A raw table whose columns carry our names."""

    raw: RawTable
    kind: str
    columns: Mapping[str, Column]
    headers: Mapping[str, str]  # ours -> as written
    accuracy: Accuracy | None = None  # what sigma_m is computed from, None = it is stated itself

    def __len__(self) -> int:
        return len(self.raw)

    def has(self, name: str) -> bool:
        """Return whether the table has the column."""
        return name in self.columns

    def header(self, name: str) -> str:
        """Return the column's name as the user wrote it."""
        return self.headers.get(name, name)

    def text(self, name: str) -> Texts:
        """Return a column as text, empty where there is none; words for "nothing" are empty."""
        if name not in self.columns:
            return empty_texts(len(self))
        column = self.as_written(name)
        nothing = {text for text in set(column.tolist()) if text and is_nothing(text)}
        if not nothing:
            return column
        cleaned = empty_texts(len(column))
        cleaned[:] = ["" if text in nothing else text for text in column.tolist()]
        return cleaned

    def as_written(self, name: str) -> Texts:
        """Return a column as text, exactly as written."""
        column = self.columns.get(name, empty_texts(len(self)))
        return text_column(column) if column.dtype.kind == "f" else column

    def numbers(self, name: str, kind: NumberKind) -> Numbers:
        """Return a column as numbers, nan where there is none."""
        if name not in self.columns:
            none = np.zeros(len(self), dtype=bool)
            return Numbers(np.full(len(self), np.nan), none, none)
        return read_numbers(self.columns[name], kind)


def empty_texts(length: int) -> Texts:
    """Return a text column that states nothing."""
    column = np.empty(length, dtype=object)
    column[:] = ""
    return column


@cache
def known_words() -> Mapping[str, Any]:
    """Return ``data/words_tables.toml``."""
    return tomllib.loads(files("surefoot").joinpath("data", "words_tables.toml").read_text(encoding="utf-8"))


@cache
def known_values(column: str) -> Mapping[str, str]:
    """Return the well-known words of a column: `word_key` -> ours."""
    table = known_words()["values"][column]
    return {word_key(word): ours for ours, words in table.items() for word in (ours, *words)}


@cache
def words_of(column: str) -> KnownWords:
    """Return the well-known words and patterns of a column."""
    patterns = known_words().get("patterns", {}).get(column, {})
    return KnownWords(
        known_values(column), tuple((re.compile(one), ours) for ours, several in patterns.items() for one in several)
    )


def name_columns(raw: RawTable, kind: str, context: TableContext, ledger: Ledger) -> NamedTable:
    """Give the columns of a table our names, and note which words were recognised."""
    headers = _overridden(raw, kind, context, ledger)
    headers |= _exact(raw, kind, headers)
    recognised = _recognised(raw, kind, headers, ledger)
    _plane_axes(raw, kind, headers | recognised, recognised)
    if recognised:
        told = ", ".join(f"{theirs} = {ours}" for ours, theirs in recognised.items())
        ledger.note("SF-R111", told)
    headers |= recognised
    accuracy = _accuracy(raw, kind, headers, ledger)
    unused = [h for h in raw.columns if h not in headers.values()]
    if unused:
        ledger.note("SF-R113", ", ".join(unused)[:300])
    _doubt_stated_words(kind, headers, context, ledger)
    return NamedTable(raw, kind, {ours: raw.columns[h] for ours, h in headers.items()}, headers, accuracy)


def _accuracy(raw: RawTable, kind: str, headers: dict[str, str], ledger: Ledger) -> Accuracy | None:
    """Take a column of accuracies for sigma where no sigma is stated, and tell what was assumed. Changes `headers`."""
    if "sigma_m" in headers or "sigma_m" not in COLUMNS[kind]:
        return None
    known = {word_key(word) for word in known_words()["columns"]["any"]["accuracy"]}
    unused = [h for h in raw.columns if h not in headers.values() and _holds_numbers(raw.columns[h])]
    stated = {h: a for h in unused if (a := accuracy_of(h, known))}
    if not stated:
        return None
    header, accuracy = max(stated.items(), key=lambda found: found[1].statistic != "")
    headers["sigma_m"] = header
    divisor = {"statistic": accuracy.statistic, "sigmas": f"{accuracy.sigmas:.3f}"}
    if accuracy.statistic:
        ledger.note("SF-R217", header, severity=Severity.WARNING, **divisor)
    else:
        ledger.note("SF-R216", header, severity=Severity.WARNING)
    return accuracy


def _doubt_stated_words(kind: str, headers: Mapping[str, str], context: TableContext, ledger: Ledger) -> None:
    """Doubt ``[values.TABLE.COLUMN]`` of a column whose words are not translated, or that is no column at all."""
    translated = {ours for ours in known_words()["values"] if ours in COLUMNS[kind]}
    theirs = {word_key(headers[ours]) for ours in translated if ours in headers}
    for name in context.values.get(kind, {}):
        if name not in translated and word_key(name) not in theirs:
            told = ", ".join(sorted(translated))
            ledger.note("SF-R218", f"values.{kind}.{name}", severity=Severity.WARNING, known=told)


def _overridden(raw: RawTable, kind: str, context: TableContext, ledger: Ledger) -> dict[str, str]:
    by_key = {word_key(h): h for h in raw.columns}
    headers: dict[str, str] = {}
    for ours, theirs in context.columns.get(kind, {}).items():
        found = theirs if theirs in raw.columns else by_key.get(word_key(theirs))
        if ours not in COLUMNS[kind]:
            ledger.note("SF-R161", f"columns.{kind}.{ours}", severity=Severity.WARNING)
        elif found is None:
            ledger.note("SF-R112", theirs, severity=Severity.WARNING, ours=ours)
        else:
            headers[ours] = found
    return headers


def _exact(raw: RawTable, kind: str, taken: Mapping[str, str]) -> dict[str, str]:
    wanted = {name for name in COLUMNS[kind] if name not in taken}
    used = set(taken.values())
    exact: dict[str, str] = {}
    for header in raw.columns:
        name = header.strip().casefold()
        if name in wanted and name not in exact and header not in used:
            exact[name] = header
    return exact


def _recognised(raw: RawTable, kind: str, taken: Mapping[str, str], ledger: Ledger) -> dict[str, str]:
    words = _synonyms(kind)
    used = set(taken.values())
    ranked: dict[str, list[tuple[int, str]]] = {}
    for header in raw.columns:
        for ours, rank in words.get(_header_key(header), ()) if header not in used else ():
            name = _category_or_model(raw.columns[header]) if ours == _EITHER else ours
            if ours == _WHEN:
                name = "date" if _holds_days(raw.columns[header]) else ""
            if name in COLUMNS[kind] and name not in taken:
                ranked.setdefault(name, []).append((rank, header))
    chosen: dict[str, str] = {}
    for name, candidates in ranked.items():
        free = [h for _, h in sorted(candidates, key=lambda c: c[0]) if h not in chosen.values()]
        if free:
            chosen[name] = free[0]
        if len(free) > 1 and name != "id":
            ledger.note("SF-R114", ", ".join(free), severity=Severity.WARNING, ours=name, used=free[0])
    return chosen


def _header_key(header: str) -> str:
    return re.sub(r"_(?:wgs_?84|deg|dd|m|м)$", "", word_key(header)) or word_key(header)


@cache
def _synonyms(kind: str) -> Mapping[str, tuple[tuple[str, int], ...]]:
    merged: dict[str, list[tuple[str, int]]] = {}
    tables = known_words()["columns"]
    for table in (tables.get(kind, {}), tables["any"]):
        for ours, words in table.items():
            for rank, word in enumerate(words):
                for key in {word_key(word), _header_key(word)}:
                    merged.setdefault(key, []).append((ours, rank))
    for table_name in COLUMNS[kind]:
        merged.setdefault(word_key(table_name), []).insert(0, (table_name, -1))
    return {key: tuple(found) for key, found in merged.items()}


def _category_or_model(column: Column) -> str:
    """Return what a column called "type" holds: categories if most of its words are, else models."""
    texts = {t for t in text_column(column).tolist()[:5000] if not is_nothing(t)}
    known = sum(word_key(text) in known_values("category") for text in texts)
    return "category" if texts and known * 2 >= len(texts) else "model"


def _holds_days(column: Column) -> bool:
    """Return whether a column called "time" holds days, with or without a time of day."""
    texts = {t for t in text_column(column).tolist()[:5000] if not is_nothing(t)}
    return bool(texts) and sum(_DAY.match(text) is not None for text in texts) * 2 > len(texts)


def _holds_numbers(column: Column) -> bool:
    read = read_numbers(column, NumberKind.METRES)
    return bool(np.isfinite(read.values).sum() > read.bad.sum())


def _plane_axes(raw: RawTable, kind: str, taken: Mapping[str, str], recognised: dict[str, str]) -> None:
    """Recognise columns x and y when nothing else gives a position: degrees where the numbers are degrees."""
    if raw.geometry is not None or {"longitude", "easting", "mgrs", "position", "geometry"} & set(taken):
        return
    axes = {word_key(h): h for h in raw.columns if word_key(h) in {"x", "y"} and h not in taken.values()}
    if len(axes) != 2:
        return
    x, y = (read_numbers(raw.columns[axes[a]], NumberKind.PLAIN).values for a in ("x", "y"))
    degrees = bool(np.nanmax(np.abs(x), initial=0) <= 180 and np.nanmax(np.abs(y), initial=0) <= 90)
    if degrees:
        recognised |= {"longitude": axes["x"], "latitude": axes["y"]}
        return
    # Gauss-Krueger tables write X for north, UTM tables x for east; only the latter is short of a million
    x_is_east = bool(np.nanmedian(x) < 1e6) if np.isfinite(x).any() else True
    east, north = ("x", "y") if x_is_east else ("y", "x")
    recognised |= {"easting": axes[east], "northing": axes[north]}

"""The quality sheet: every measure as a line, every scope as a column, every definition once."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from surefoot.terms import Stage
from surefoot.writers.report_figures import basis, is_bound, is_number, reason_text, unit_of
from surefoot.writers.words import Words

SCOPES_ABREAST = 3
RECORD_SCOPES_SHOWN = 12
AS_THEY_STAND = ", records as they stand"  # of a measure's name
OF_DEVICES_LEFT = ("iso19157:44", "iso19157:45")  # after re-anchoring
_PARTS = ("azimuth", "major", "minor", "east", "north")  # in this order: "azimuth of the semi-major axis"
_THRESHOLD = re.compile(r"(?<=longer than )\d+(\.\d+)? m\b")  # five measures, one definition
_SENTENCE_END = re.compile(r"(?<=[a-zа-я\])]\.)\s+")
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """One measure in one scope; `note` is the letter of the reason when it is not known."""

    value: str
    interval: str
    basis: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """Up to three scopes side by side, of one stage."""

    stage: str
    scopes: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[Cell | None, ...]], ...]  # number, name, cells


@dataclass(frozen=True, slots=True)
class QualitySheet:
    """The measures of a case: blocks, reasons by letter, definitions by measure numbers."""

    blocks: tuple[Block, ...]
    reasons: tuple[tuple[str, str], ...]
    definitions: tuple[tuple[str, str], ...]
    scopes_left_out: int
    level: str


def quality_sheet(document: Entry, words: Words) -> QualitySheet:
    """Return the quality sheet; scopes of single records beyond the first dozen are left out and counted."""
    measures = document["measures"]
    scopes = sorted({str(m["scope"]) for m in measures}, key=_scope_order)
    records = [s for s in scopes if s.startswith("record:")]
    left_out = set(records[RECORD_SCOPES_SHOWN:])
    shown = [s for s in scopes if s not in left_out]
    notes: dict[str, str] = {}
    stages = sorted({str(m["stage"]) for m in measures}, key=lambda s: s != "as_recorded")
    blocks = [
        block
        for stage in stages
        for start in range(0, len(shown), SCOPES_ABREAST)
        if (block := _block(measures, stage, shown[start : start + SCOPES_ABREAST], notes, words)).rows
    ]
    return QualitySheet(
        blocks=tuple(blocks),
        reasons=tuple((letter, reason) for reason, letter in notes.items()),
        definitions=_definitions(measures, words),
        scopes_left_out=len(left_out),
        level=", ".join(
            words.share(v) for v in sorted({float(m["level"]) for m in measures if is_number(m.get("level"))})
        ),
    )


FORECASTS = {"share_confirmed": "share", "displacement_m": "m"}


def forecast_rows(document: Entry, words: Words) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Return what to expect of a record not checked: by scope a cell a figure (median, interval, what is behind it)."""
    by_scope: dict[str, dict[str, Entry]] = defaultdict(dict)
    for one in document.get("forecast") or ():
        by_scope[str(one["scope"])][str(one["figure"])] = one
    return [
        (_scope(scope, words), [_forecast(of.get(figure), unit, words) for figure, unit in FORECASTS.items()])
        for scope, of in by_scope.items()
        if any(is_number(one["median"]) for one in of.values())
    ]


def _forecast(one: Entry | None, unit: str, words: Words) -> tuple[str, str, str]:
    if one is None or not is_number(one["median"]):
        reason = "" if one is None else reason_text(one.get("reason"), words)
        return words("not_known"), "", reason
    return (
        words.estimate(one["median"], one["interval"], unit), words.interval(one["interval"], unit) or "",
        words("forecast.records", n=words.count(one["records"])),
    )  # fmt: skip


def _scope_order(scope: str) -> tuple[int, str]:
    kind, _, name = scope.partition(":")
    return {"all": 0, "series": 1}.get(kind, 2), name


def _block(measures: Sequence[Entry], stage: str, scopes: Sequence[str], notes: dict[str, str], words: Words) -> Block:
    lines: dict[tuple[str, str], dict[str, Cell]] = defaultdict(dict)
    for m in measures:
        if m["stage"] == stage and m["scope"] in scopes:
            lines[str(m["id"]).partition(":")[2], measure_name(m, words)][str(m["scope"])] = _cell(m, notes, words)
    table = [[cells.get(scope) for scope in scopes] for cells in lines.values()]
    for column in range(len(scopes)):
        _say_once(table, column)
    rows = tuple((number, name, tuple(cells)) for (number, name), cells in zip(lines, table, strict=True))
    return Block(words.maybe(f"stage.{stage}") or stage, tuple(_scope(s, words) for s in scopes), rows)


def _say_once(rows: Sequence[list[Cell | None]], column: int) -> None:
    """Leave out what stands behind a figure where it is the same as in the line above: the sheet is one page."""
    before = ""
    for cells in rows:
        cell = cells[column]
        if cell is not None:
            cells[column] = replace(cell, basis="" if cell.basis == before else cell.basis)
            before = cell.basis


def _cell(m: Entry, notes: dict[str, str], words: Words) -> Cell:
    if not is_number(m["value"]):
        reason = reason_text(m.get("reason"), words)
        note = notes.setdefault(reason, chr(ord("a") + len(notes) % 26))
        return Cell(words("not_known"), "", basis(m, words), note)
    unit = unit_of(m)
    interval = words.interval(m.get("interval"), unit)
    if unit == "share" and is_bound(m["value"], m.get("interval")):
        return Cell(interval, "", basis(m, words))
    return Cell(
        words.estimate(m["value"], m.get("interval"), unit), interval or words("key.no_interval"), basis(m, words)
    )


def measure_name(m: Entry, words: Words) -> str:
    """Return a measure's name in the report's language, its own name where there is no other.

    Circular errors after re-anchoring are those stated for devices still in the ground, not those measured on finds:
    they say so, since the two stand in one table.
    """
    name = str(m["name"])
    plain = _plain_name(str(m["id"]), name.removesuffix(AS_THEY_STAND), words)
    if name.endswith(AS_THEY_STAND):
        return words("measure.as_they_stand", name=plain)
    of_those_left = m["id"] in OF_DEVICES_LEFT and m.get("stage") == Stage.RE_ANCHORED
    return words("measure.of_devices_left", name=plain) if of_those_left else plain


def _plain_name(id_: str, name: str, words: Words) -> str:
    number = id_.partition(":")[2]
    part = next((p for p in _PARTS if p in name), None)
    text = words.maybe(f"measure.{number}_{part}") if part else None
    text = text or words.maybe(f"measure.{number}")
    if text and "{threshold}" in text:
        threshold = re.search(r"\d+(\.\d+)?", name)
        return text.format(threshold=words.stated(float(threshold.group()), words("unit.m"))) if threshold else name
    return text or name


def _scope(scope: str, words: Words) -> str:
    kind, _, name = scope.partition(":")
    return words.maybe(f"quality.scope_{kind}", name=name) or scope


def _definitions(measures: Sequence[Entry], words: Words) -> tuple[tuple[str, str], ...]:
    """Every sentence of the definitions once, under the numbers of all measures that it belongs to."""
    owners: dict[str, list[str]] = defaultdict(list)
    for m in measures:
        number = str(m["id"]).partition(":")[2]
        own = words.maybe(f"definition.{number}") if words.lang != "en" else None
        stated = _THRESHOLD.sub(words("quality.threshold"), str(m.get("definition") or ""))
        for sentence in [*_SENTENCE_END.split(own or stated), _as_sentence(_method(m, words))]:
            if sentence and number not in owners[sentence]:
                owners[sentence].append(number)
    together: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for sentence, numbers in owners.items():
        together[tuple(sorted(numbers, key=lambda n: n.zfill(4)))].append(_as_sentence(sentence))
    ordered = sorted(together.items(), key=lambda kv: (-len(kv[0]), kv[0][0].zfill(4)))
    return tuple((", ".join(numbers), " ".join(sentences)) for numbers, sentences in ordered)


def _method(m: Entry, words: Words) -> str:
    method = str(m.get("method") or "")
    return words.maybe("method." + re.sub(r"[^a-z]+", "_", method.lower()).strip("_")) or method


def _as_sentence(text: str) -> str:
    return text and text[:1].upper() + text[1:].rstrip(".") + "."

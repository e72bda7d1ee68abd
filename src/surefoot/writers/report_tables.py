"""What the report says in tables: forms, ledger, claims, and every row that was doubted or set aside."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from surefoot.analysis.claims import Kind, kind_of
from surefoot.positions.glyphs import latin_twins
from surefoot.terms import Fate
from surefoot.writers.report_figures import is_bound, is_number, reason_text
from surefoot.writers.svg_bars import fate_stack, fate_swatch
from surefoot.writers.words import Words

ROWS_SHOWN = 60
GROUPS_SHOWN = 40
PLACES_SHOWN = 8
FATES = tuple(fate.value for fate in Fate)
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FatesRow:
    """One line of the ledger: its name, recorded, the six fates, and whether it balances."""

    name: str
    counts: tuple[str, ...]
    balance: str
    still: str = ""  # in the ground, with its interval


@dataclass(frozen=True, slots=True)
class LedgerView:
    """The ledger page."""

    identity: FatesRow
    fates: tuple[tuple[Markup, str, str], ...]  # swatch, name, count
    stack: Markup
    by_type: tuple[FatesRow, ...]
    by_record: tuple[FatesRow, ...]
    more_types: int
    more_records: int


@dataclass(frozen=True, slots=True)
class ClaimView:
    """One claim with each thing it may mean."""

    speaker: str
    date: str
    outlet: str
    text: str
    stated: str
    measure: str
    place: str
    place_note: str
    readings: tuple[tuple[str, str, str, str, str], ...]  # meaning, data, interval, verdict, reason


@dataclass(frozen=True, slots=True)
class NoteGroup:
    """Doubts or set-aside rows of one kind."""

    id: str
    severity: str
    level: str
    reason: str
    advice: str
    count: int
    places: tuple[str, ...]
    more: int


@dataclass(frozen=True, slots=True)
class TableRow:
    """Bookkeeping of one file, or of several files of one kind."""

    kind: str
    file: str
    counts: tuple[str, ...]
    balance: str
    still: str = ""  # in the ground, with its interval


# --- forms -----------------------------------------------------------------------------------------------


def form_rows(document: Entry, words: Words) -> tuple[tuple[tuple[str, ...], ...], str, int]:
    """Return the form-quality lines, what every form lacks, and how many lines were left out."""
    forms = document.get("form_quality") or []
    lacking = [{k for k, v in (f.get("completeness_items") or {}).items() if v is False} for f in forms]
    common = set.intersection(*lacking) if len(forms) > 1 else set()
    rows = tuple(_form_row(f, common, words) for f in forms[:ROWS_SHOWN])
    return rows, ", ".join(_item_name(k, words) for k in sorted(common)), max(len(forms) - ROWS_SHOWN, 0)


def _item_name(key: str, words: Words) -> str:
    return words.maybe(f"form_item.{key}") or key.replace("_", " ")


def _form_row(form: Entry, common: set[str], words: Words) -> tuple[str, ...]:
    items = form.get("completeness_items") or {}
    lacking = [_item_name(k, words) for k, v in items.items() if v is False and k not in common]
    asked = [v for v in items.values() if v is not None]
    filled = f"{sum(map(bool, asked))} / {len(asked)}" if asked else words("not_known")
    sigma = form.get("sigma_m")
    return (
        str(form.get("form_no") or form["record_id"]),
        str(form.get("family") or words("not_stated")),
        str(form.get("series") or words("not_stated")),
        str(form.get("laid") or words("not_stated")),
        _count(form.get("locatability"), words),
        filled,
        ", ".join(lacking) or words("none"),
        _count(form.get("recorded"), words),
        _count(form.get("readings"), words),
        words.metres(float(sigma)) if is_number(sigma) else words("not_known"),
        _count(form.get("doubts"), words),
    )


def _count(value: object, words: Words) -> str:
    return words.count(float(value)) if is_number(value) else words("not_known")


def duplicate_rows(document: Entry, words: Words) -> tuple[tuple[tuple[str, ...], ...], int]:
    """Return the proposed duplicates and how many were left out."""
    pairs = document.get("duplicates") or []
    rows = tuple(
        (
            words.maybe(f"table.{p.get('kind')}") or str(p.get("kind") or ""),
            str(p["a"]),
            str(p["b"]),
            words.metres(p["distance_m"]) if is_number(p.get("distance_m")) else words("not_known"),
            reason_text(p.get("reason"), words),
        )
        for p in pairs[:ROWS_SHOWN]
    )
    return rows, max(len(pairs) - ROWS_SHOWN, 0)


# --- the ledger ------------------------------------------------------------------------------------------


def ledger_view(document: Entry, words: Words) -> LedgerView:
    """Return the ledger page: the identity, the six fates drawn, by type, by record."""
    ledger = document["ledger"]
    by_type = sorted((ledger.get("by_type") or {}).items(), key=lambda kv: (-kv[1]["recorded"], kv[0]))
    by_record = ledger.get("by_record") or []
    types = [name for name, _ in by_type]
    names = [(fate, words(f"ledger.{fate.value}"), _expected(ledger[fate.value], words)) for fate in Fate]
    spoken = "; ".join(f"{name}: {count}" for _, name, count in names)
    return LedgerView(
        identity=_fates_row(words("ledger.total"), ledger, words),
        fates=tuple((Markup(fate_swatch(fate)), name, count) for fate, name, count in names),
        stack=Markup(fate_stack(ledger, label=spoken)),
        by_type=tuple(_fates_row(_type_name(t, types, words), c, words) for t, c in by_type[:ROWS_SHOWN]),
        by_record=tuple(_fates_row(_record_name(r), r, words) for r in by_record[:ROWS_SHOWN]),
        more_types=max(len(by_type) - ROWS_SHOWN, 0),
        more_records=max(len(by_record) - ROWS_SHOWN, 0),
    )


def _type_name(name: str, types: Sequence[str], words: Words) -> str:
    """A type as recorded; said to be Cyrillic where another type looks the same in Latin letters."""
    twin = latin_twins(name)
    alike = twin != name and any(other != name and latin_twins(other) == twin for other in types)
    return words("ledger.cyrillic", name=name) if alike else name or words("ledger.type_unknown")


def _record_name(row: Entry) -> str:
    form = row.get("form_no")
    return f"{form} ({row['record_id']})" if form and form != row["record_id"] else str(row["record_id"])


def _expected(value: float, words: Words) -> str:
    """An expected count; a small one is never shown as zero."""
    if 0 < value < 0.05:
        return f"<\u202f{words.number(0.1, 1)}"
    return words.number(value, 1)


def _fates_row(name: str, counts: Entry, words: Words) -> FatesRow:
    off = counts["recorded"] - math.fsum(counts[f] for f in FATES)
    balanced = abs(off) <= 1e-9 * max(1.0, abs(counts["recorded"]))
    balance = words("ledger.balances") if balanced else words("ledger.differs", n=words.number(off, 3))
    shown = (words.count(counts["recorded"]), *(_expected(counts[f], words) for f in FATES))
    return FatesRow(name, shown, balance, _still(counts.get("still_in_ground") or {}, words))


def _still(still: Entry, words: Words) -> str:
    if still.get("interval") is None:
        return ""
    low, high = math.floor(still["interval"][0]), math.ceil(still["interval"][1])  # devices are whole
    return f"{words.count(round(still['median']))} ({words.count(low)} – {words.count(high)})"


# --- claims ----------------------------------------------------------------------------------------------


def claim_columns(document: Entry, words: Words) -> tuple[tuple[str, tuple[ClaimView, ...]], ...]:
    """Return the claims by speaker, in the order in which the speakers first spoke."""
    columns: dict[str, list[ClaimView]] = defaultdict(list)
    for claim in sorted(document["claims"], key=lambda c: (c.get("date") or "", c["claim_id"])):
        columns[str(claim["speaker"])].append(_claim_view(claim, words))
    return tuple((speaker, tuple(views)) for speaker, views in columns.items())


def _claim_view(claim: Entry, words: Words) -> ClaimView:
    stated = claim.get("stated") or {}
    unit = str(stated.get("unit") or "")
    measure = claim.get("measure")
    return ClaimView(
        speaker=str(claim["speaker"]),
        date=str(claim.get("date") or words("not_stated")),
        outlet=str(claim.get("outlet") or ""),
        text=str(claim.get("text") or ""),
        stated=_stated(stated, unit, words),
        measure=meaning(str(measure), words) if measure else words("claims.unspecified"),
        place=str(claim.get("place") or ""),
        place_note=str(claim.get("place_note") or ""),
        readings=tuple(_reading(r, words) for r in claim.get("readings") or []),
    )


def _stated(stated: Entry, unit: str, words: Words) -> str:
    value = stated.get("value")
    if not is_number(value):
        return words("not_stated")
    number = float(value)
    if unit == "%":
        text = words.stated(number, "%")
    elif unit in {"share", "1"} and number <= 1:
        text = words.stated(number * 100, "%")
    else:
        text = words.stated(number, unit)
    return words.maybe(f"bound.{stated.get('bound')}", value=text) or text


def meaning(measure: str, words: Words) -> str:
    """Return what a measure's id means, in words; ``D1@25`` is D1 with a buffer of 25 m, ``x3`` an exposure of 3."""
    whole, _, ratio = measure.partition("x") if "@" in measure else (measure, "", "")
    name, _, buffer = whole.partition("@")
    text = words.maybe(f"meaning.{name}") or name.replace("_", " ")
    if not buffer:
        return text
    try:
        metres = words.stated(float(buffer), words("unit.m"))
    except ValueError:
        metres = buffer
    how = "meaning.at_threshold" if name == "iso19157:31" else "meaning.at_buffer"
    told = words(how, meaning=text, buffer=metres)
    return f"{told}, {words('outside.exposure', ratio=ratio)}" if ratio else told


def _reading(reading: Entry, words: Words) -> tuple[str, str, str, str, str]:
    verdict = str(reading.get("verdict") or "").replace(" ", "_")
    value, interval = reading.get("value"), reading.get("interval")
    unit = (kind_of(str(reading["measure"])) or Kind.COUNT).value
    data = words.value(float(value), unit) if is_number(value) else words("not_known")
    bounds = words.interval(interval, unit) if is_number(value) else ""
    if unit == "share" and is_bound(value, interval):
        data, bounds = bounds, ""
    elif interval is not None and interval[0] == interval[1] == value:
        bounds = ""  # counted, not estimated
    explained = verdict == "cannot_be_tested" or reading.get("days") is not None
    return (
        meaning(str(reading["measure"]), words),
        data,
        bounds,
        words.maybe(f"verdict.{verdict}") or verdict,
        reason_text(reading.get("reason"), words) if explained else "",
    )


# --- doubts and rows set aside ---------------------------------------------------------------------------


def table_rows(document: Entry, words: Words) -> tuple[TableRow, ...]:
    """Return the bookkeeping of the tables read: rows in must equal rows out.

    Files of one kind in which every row was accepted without a doubt share a line; the others stand alone.
    """
    plain: dict[str, list[Entry]] = defaultdict(list)
    rows: list[TableRow] = []
    for table in document.get("tables") or []:
        if table["rows_in"] == table["accepted"]:
            plain[str(table["kind"])].append(table)
        else:
            rows.append(_table_row([table], words))
    return (*(_table_row(found, words) for found in plain.values()), *rows)


def _table_row(tables: Sequence[Entry], words: Words) -> TableRow:
    keys = ("rows_in", "accepted", "accepted_with_doubts", "set_aside")
    rows_in, *out = (sum(t[key] for t in tables) for key in keys)
    off = rows_in - sum(out)
    kind = str(tables[0]["kind"])
    several = words("doubts.files", n=words.count(len(tables)))
    return TableRow(
        kind=words.maybe(f"table.{kind}") or kind,
        file=str(tables[0]["file"]) if len(tables) == 1 else several,
        counts=tuple(words.count(n) for n in (rows_in, *out)),
        balance=words("doubts.balances") if off == 0 else words("doubts.differs", n=words.count(off)),
    )


def note_groups(entries: Sequence[Entry], words: Words) -> tuple[tuple[NoteGroup, ...], int]:
    """Return notes by kind, errors first, then the most frequent, and how many kinds are left out."""
    groups: dict[tuple[str, str, str, str], list[Entry]] = defaultdict(list)
    for e in entries:
        key = (
            str(e.get("severity") or ""),
            str(e["id"]),
            str(e.get("reason") or ""),
            str(e.get("advice") or ""),
        )
        groups[key].append(e)
    rank = {"error": 0, "warning": 1, "info": 2}
    ordered = sorted(groups.items(), key=lambda kv: (rank.get(kv[0][0], 3), -len(kv[1]), kv[0][1:]))
    views = tuple(_note_group(key, found, words) for key, found in ordered[:GROUPS_SHOWN])
    return views, max(len(ordered) - GROUPS_SHOWN, 0)


def _note_group(key: tuple[str, str, str, str], found: Sequence[Entry], words: Words) -> NoteGroup:
    severity, id_, reason, advice = key
    return NoteGroup(
        id=id_,
        severity=words.maybe(f"severity.{severity}") or severity,
        level=severity,
        reason=reason,
        advice=advice,
        count=len(found),
        places=tuple(_place(e, words) for e in found[:PLACES_SHOWN]),
        more=max(len(found) - PLACES_SHOWN, 0),
    )


def _place(entry: Entry, words: Words) -> str:
    where = entry.get("where") or {}
    parts = [str(entry.get("record_id") or ""), str(where.get("file") or "")]
    parts += [
        words(f"doubts.{key}", n=where[key]) if key == "row" else words(f"doubts.{key}", name=where[key])
        for key in ("sheet", "row", "column")
        if where.get(key) not in (None, "")
    ]
    place = ", ".join(p for p in parts if p)
    found = str(entry.get("found") or "")
    shown = found if len(found) <= 80 else f"{found[:80]}…"
    return f"{place}: “{shown}”" if shown else place

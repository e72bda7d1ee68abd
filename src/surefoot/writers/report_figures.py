"""What the report says of measures and shares: each with its interval and definition, or why not known."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from markupsafe import Markup

from surefoot.messages import LANGUAGES, catalogue
from surefoot.writers.svg_bars import interval_bar
from surefoot.writers.words import Words

SHARE_MEASURES = frozenset({"3", "7", "31"})
_NOT_KNOWN = re.compile(r"^(Not known|Неизвестно)\s*:\s*", re.IGNORECASE)
WIDE, EDGE = 0.25, 0.02  # an interval this wide; a value this near its end, as a share of the width
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """A key figure in words; `value` is empty when it is not known, and then `reason` says why."""

    title: str
    value: str
    interval: str
    basis: str
    definition: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OutsideRow:
    """One line of a definition of "outside the maps"."""

    buffer: str
    value: str
    interval: str
    counts: str
    bar: Markup
    reason: str
    day_value: str = ""
    day_interval: str = ""
    day_counts: str = ""
    day_bar: Markup | str = ""


@dataclass(frozen=True, slots=True)
class OutsideTable:
    """One of the four definitions with its lines."""

    key: str
    rows: tuple[OutsideRow, ...]
    notes: tuple[str, ...]
    level: str
    on_the_day: bool
    day_reason: str
    computed: bool
    reason: str


def reason_text(reason: object, words: Words) -> str:
    """Return why something is not known, in words; a bare message id is looked up."""
    if not reason:
        return words("no_reason")
    text = str(reason)
    own = catalogue(words.lang) if words.lang in LANGUAGES else {}
    entry = own.get(text) or catalogue("en").get(text)
    if entry is not None and "reason" in entry:
        text = entry["reason"]
    plain = _NOT_KNOWN.sub("", text)
    return plain[:1].upper() + plain[1:]


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value of the document is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def unit_of(measure: Entry) -> str:
    """Return the unit to print a measure in: ``share``, ``count`` or the unit itself."""
    number = str(measure["id"]).partition(":")[2]
    if number in SHARE_MEASURES:
        return "share"
    unit = str(measure.get("unit") or "1")
    return "count" if unit in {"1", "count"} else unit


# --- key figures -----------------------------------------------------------------------------------------


def key_figures(document: Entry, words: Words) -> tuple[Figure, ...]:
    """Return the figures of the first page, in the order in which they are usually asked."""
    return (
        _recorded(document, words),
        _still(document["ledger"].get("still_in_ground") or {}, words),
        _measure_figure(document, ("iso19157:49", "iso19157:44"), "position", words),
        _measure_figure(document, ("iso19157:3",), "excess", words),
        _measure_figure(document, ("iso19157:7",), "missing", words),
        _outside_figure(document, "D1", "d1", words),
        _outside_figure(document, "D4", "d4", words),
        _total_figure(document.get("total") or {}, words),
    )


def _recorded(document: Entry, words: Words) -> Figure:
    ledger = document["ledger"]
    unallocated = ledger.get("unallocated")
    definition = words(
        "key.recorded_def",
        records=words.count(len(document["records"])),
        unallocated=words.count(unallocated) if is_number(unallocated) else words("not_known"),
    )
    if not document["records"] and not ledger["recorded"]:
        return Figure(words("key.recorded"), "", "", "", definition, words("quality.no_forms"))
    value = words.count(ledger["recorded"])
    return Figure(words("key.recorded"), value, "", words("key.counted"), definition)


def _still(still: Entry, words: Words) -> Figure:
    title, definition = words("key.still"), words("key.still_def")
    if not is_number(still.get("median")):
        return Figure(title, "", "", "", definition, reason_text(still.get("reason"), words))
    interval = _interval_words(still.get("interval"), "count", still.get("level"), words)
    return Figure(title, words.count(still["median"]), interval, "", definition)


def _interval_words(bounds: Sequence[float] | None, unit: str, level: float | None, words: Words) -> str:
    text = words.interval(bounds, unit)
    if not text:
        return words("key.no_interval")
    name = words("key.interval", level=words.share(level)) if level is not None else words("quality.interval")
    return f"{name}: {text}"


def _measure_figure(document: Entry, ids: Sequence[str], key: str, words: Words) -> Figure:
    title, definition = words(f"key.{key}"), words(f"key.{key}_def")
    wide = [m for m in document["measures"] if m["scope"] == "all" and m["id"] in ids]
    wide.sort(key=lambda m: (not is_number(m["value"]), ids.index(m["id"]), m["stage"] == "as_recorded"))
    if not wide:
        return Figure(title, "", "", "", definition, words("quality.no_measures"))
    best = wide[0]
    if not is_number(best["value"]):
        return Figure(title, "", "", "", definition, reason_text(best.get("reason"), words))
    unit = unit_of(best)
    value, interval = _headline(best, unit, words)
    behind = f"{basis(best, words)}; {words('stage.' + str(best['stage']))}"
    return Figure(title, value, interval, behind, definition)


def basis(measure: Entry, words: Words) -> str:
    """Return how many devices or events, in how many independent groups, stand behind a measure."""
    n = words.count(round(float(measure.get("n") or 0), 1))
    clusters = measure.get("clusters")
    if not is_number(clusters) or not clusters:
        return words("key.n", n=n)
    return words("key.n_clusters", n=n, clusters=words.count(clusters))


def _outside_figure(document: Entry, which: str, key: str, words: Words) -> Figure:
    title, definition = words(f"key.{key}"), words(f"key.{key}_def")
    entries = document["outside"].get(which) or []
    if not entries:
        return Figure(title, "", "", "", definition, words("no_reason"))
    first = min(entries, key=lambda e: (e.get("buffer_m") or 0.0, e["stage"] == "as_recorded"))
    if not is_number(first["value"]):
        return Figure(title, "", "", "", definition, reason_text(first.get("reason"), words))
    value, interval = _headline(first, "share", words)
    return Figure(title, value, interval, _k_of_n(first, words), definition)


def _headline(entry: Entry, unit: str, words: Words) -> tuple[str, str]:
    """The large figure and the line under it.

    A share at the very edge of a wide interval is a bound rather than an estimate (rates as recorded are such);
    then the interval is what stands large, so that nobody quotes the edge alone.
    """
    value, bounds = float(entry["value"]), entry.get("interval")
    single, level = words.estimate(value, bounds, unit), entry.get("level")
    if unit == "share" and is_bound(value, bounds):
        named = words.share(level) if level is not None else words("not_stated")
        return words.interval(bounds, unit), words("key.at_edge", level=named, value=single)
    return single, _interval_words(bounds, unit, level, words)


def is_bound(value: object, bounds: Sequence[float] | None) -> bool:
    """Whether a share stands at the very edge of a wide interval: a bound that must not be quoted alone."""
    if not is_number(value) or bounds is None or bounds[1] - bounds[0] <= WIDE:
        return False
    return min(value - bounds[0], bounds[1] - value) <= EDGE * (bounds[1] - bounds[0])


def _k_of_n(entry: Entry, words: Words) -> str:
    k, n = entry.get("numerator"), entry.get("denominator")
    if not is_number(k) or not is_number(n):
        return ""
    return words("key.k_of_n", k=words.count(k), n=words.count(n))


def _total_figure(total: Entry, words: Words) -> Figure:
    title, definition = words("key.total"), words("key.total_def")
    whole = total.get("integrated") or {}
    value = next((whole[k] for k in ("total", "median", "value") if is_number(whole.get(k))), None)
    if value is None:
        reason = whole.get("reason") or total.get("reason")
        return Figure(title, "", "", "", definition, reason_text(reason, words))
    interval = _interval_words(whole.get("interval"), "count", whole.get("level"), words)
    return Figure(title, words.count(value), interval, "", definition)


# --- outside the maps ------------------------------------------------------------------------------------


def outside_tables(document: Entry, words: Words) -> tuple[OutsideTable, ...]:
    """Return the four definitions D1 to D4, each with a drawn interval for every buffer."""
    return tuple(_outside_table(key, document["outside"].get(key) or [], words) for key in ("D1", "D2", "D3", "D4"))


def maps_words(maps: object, words: Words) -> str:
    """What counts as the maps (``records, areas:suspected``) in words; empty where it is not stated."""
    named = []
    for word in filter(None, str(maps or "").split(", ")):
        table, _, status = word.partition(":")
        named.append(words.maybe(f"outside.maps_{table}_status" if status else f"outside.maps_{table}", status=status))
    return ", ".join(name for name in named if name) or str(maps or "")


def _outside_table(key: str, entries: Sequence[Entry], words: Words) -> OutsideTable:
    computed = [e for e in entries if is_number(e.get("value"))]
    level = next((words.share(e["level"]) for e in entries if is_number(e.get("level"))), "")
    reason = next((e["reason"] for e in entries if e.get("reason")), None)
    days = [e["as_known_on_the_day"] for e in computed if e.get("as_known_on_the_day")]
    return OutsideTable(
        key=key,
        rows=tuple(_outside_row(e, words) for e in entries) if computed else (),
        notes=_outside_notes(entries, words),
        level=level,
        on_the_day=any(is_number(day.get("value")) for day in days),
        day_reason=_day_reason(days, words),
        computed=bool(computed),
        reason="" if computed else reason_text(reason, words),
    )


def _day_reason(days: Sequence[Entry], words: Words) -> str:
    """Why nothing is known for the records of the day; empty where something is, or nothing was asked."""
    if not days or any(is_number(day.get("value")) for day in days):
        return ""
    return reason_text(next((day["reason"] for day in days if day.get("reason")), None), words)


def _outside_notes(entries: Sequence[Entry], words: Words) -> tuple[str, ...]:
    notes = []
    for field, key in (("n_not_located", "not_located"), ("n_without_footprint", "without_footprint")):
        n = next((e[field] for e in entries if is_number(e.get(field))), 0)
        if n:
            notes.append(words(f"outside.{key}", n=words.count(n)))
    return tuple(notes)


def _outside_row(entry: Entry, words: Words) -> OutsideRow:
    label = _buffer_label(entry, words)
    value, interval, counts, bar = _share_cells(entry, label, words)
    day = entry.get("as_known_on_the_day") or {}
    day_cells = _share_cells(day, label, words) if day else ("", "", "", Markup(""))
    reason = "" if is_number(entry.get("value")) else reason_text(entry.get("reason"), words)
    return OutsideRow(label, value, interval, counts, bar, reason, *day_cells)


def _buffer_label(entry: Entry, words: Words) -> str:
    buffer, ratio = entry.get("buffer_m"), entry.get("exposure_ratio")
    parts = [words.stated(float(buffer), words("unit.m"))] if is_number(buffer) else []
    if is_number(ratio):
        parts.append(words("outside.exposure", ratio=words.number(float(ratio), 1)))
    return ", ".join(parts) or words(f"stage.{entry['stage']}")


def _share_cells(entry: Entry, label: str, words: Words) -> tuple[str, str, str, Markup]:
    known = is_number(entry.get("value"))
    value = words.value(entry["value"], "share") if known else words("not_known")
    interval = words.interval(entry.get("interval"), "share") if known else ""
    bound = is_bound(entry.get("value"), entry.get("interval"))
    if bound:
        value = words("outside.see_interval")
    spoken = f"{label}: {value} ({interval})" if interval else f"{label}: {value}"
    drawn = entry["value"] if known and not bound else None
    bar = interval_bar(drawn, entry.get("interval") if known else None, label=spoken)
    return value, interval, _k_of_n(entry, words), Markup(bar)

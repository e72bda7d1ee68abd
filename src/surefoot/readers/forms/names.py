"""Names of points on one form: one spelling for each, and one place for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from surefoot.positions.glyphs import latin_twins
from surefoot.readers.forms.notes import Notes
from surefoot.terms import Severity

_DECLARED = ("reference_points", "points")
_NAMED_IN: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("reference_points", ("id",)),
    ("points", ("id",)),
    ("legs", ("from", "to")),
    ("rows", ("from", "to")),
    ("devices", ("from",)),
)


def with_one_name_each(fields: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    """Return the fields with every point under one spelling and stated once.

    A Latin "A" and a Cyrillic "А" are one point, with a note. Of two places under one name the first is kept, with
    a doubt that names both; a landmark described here and placed there is one point.
    """
    spelled: dict[str, str] = {}
    told: set[str] = set()

    def one_spelling(written: object, column: str) -> str:
        name = str(written).strip()
        first = spelled.setdefault(latin_twins(name), name)
        if name != first and name not in told:
            told.add(name)
            notes.add("SF-R204", Severity.INFO, column, name, name=first)
        return first

    return _stated_once(_respelled(fields, one_spelling), notes)


def _respelled(fields: Mapping[str, Any], one_spelling: Callable[[object, str], str]) -> dict[str, Any]:
    out = dict(fields)
    for key, names in _NAMED_IN:
        if isinstance(out.get(key), list):
            out[key] = [_with_names(e, names, f"{key}[{n}]", one_spelling) for n, e in enumerate(out[key], start=1)]
    if isinstance(out.get("area"), list):
        out["area"] = [one_spelling(name, "area") for name in out["area"]]
    sketch = out.get("sketch")
    if isinstance(sketch, dict) and isinstance(sketch.get("control_points"), list):
        points = [_with_names(e, ("point",), "sketch.control_points", one_spelling) for e in sketch["control_points"]]
        out["sketch"] = {**sketch, "control_points": points}
    return out


def _with_names(
    entry: Any, names: tuple[str, ...], column: str, one_spelling: Callable[[object, str], str]
) -> Mapping[str, Any]:
    changed = {name: one_spelling(entry[name], f"{column}.{name}") for name in names if entry.get(name)}
    return {**entry, **changed}


def _stated_once(fields: dict[str, Any], notes: Notes) -> dict[str, Any]:
    kept: dict[str, list[Any]] = {key: [] for key in _DECLARED}
    first: dict[str, str] = {}
    described: dict[str, tuple[str, int]] = {}  # landmarks whose place stands elsewhere on the form
    for key, number, entry in _declared(fields):
        name, place = str(entry.get("id") or "").strip(), _place(entry)
        if name and place and name in first:
            severity = Severity.INFO if place == first[name] else Severity.WARNING
            notes.add("SF-R203", severity, f"{key}[{number}].id", name, first=first[name], second=place)
            continue
        if name and place:
            first[name] = place
        if place and name in described:
            list_, at = described.pop(name)
            kept[list_][at] = {**entry, **kept[list_][at]}
            continue
        if name and not place:
            described.setdefault(name, (key, len(kept[key])))
        kept[key].append(entry)
    return {**fields, **{key: entries for key, entries in kept.items() if key in fields}}


def _declared(fields: Mapping[str, Any]) -> Iterator[tuple[str, int, Mapping[str, Any]]]:
    for key in _DECLARED:
        for number, entry in enumerate(fields.get(key) or [], start=1):
            yield key, number, entry


def _place(entry: Mapping[str, Any]) -> str:
    """Return what an entry says about its place, as written."""
    position = str(entry.get("position") or "").strip()
    candidates = entry.get("candidates") or ""
    written = candidates if isinstance(candidates, str) else "; ".join(map(_candidate_text, candidates))
    return "; ".join(text for text in (position, written) if text)[:120]


def _candidate_text(written: object) -> str:
    return str(written.get("position", "")) if isinstance(written, dict) else str(written)

"""The numbers of devices of a form: of its rows, and its totals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from surefoot.errors import InputError
from surefoot.model import Row, category_of_model
from surefoot.positions.distances import parse_distance
from surefoot.readers.forms.counts import NO_NUMBER, read_count, split_device_list, type_of_total
from surefoot.readers.forms.notes import Notes
from surefoot.terms import DeviceCategory, Severity


def text_of(value: object) -> str:
    """Return a value of a form as text; "" for none."""
    return "" if value is None else str(value).strip()


def count_of(text: str, column: str, notes: Notes) -> int | None:
    """Return a number of devices; what is uncertain about it becomes a doubt."""
    if not text:
        return None
    try:
        stated = read_count(text)
    except InputError as error:
        notes.add(error.id, Severity.ERROR, column, error.found, **error.values)
        return None
    if stated.doubt:
        notes.add(stated.doubt, stated.severity, column, text, **stated.values)
    return stated.number


def counts_by_type(written: object, column: str, notes: Notes) -> tuple[dict[str, int], list[str]]:
    """Return the number of each type as written, and the types without a number of their own."""
    pairs = written if isinstance(written, dict) else split_device_list(text_of(written))
    counts: dict[str, int] = {}
    bare: list[str] = []
    for name, number in pairs.items():
        model, text = text_of(name), text_of(number)
        if model and text in ("", NO_NUMBER):
            bare.append(model)
            continue
        count = count_of(text, column, notes)
        if count is not None:
            counts[model] = count
    return counts, bare


def totals_of(written: object, notes: Notes) -> dict[str, int]:
    """Return the form's totals by type as written; "" = of all types ("Всего установлено мин")."""
    counts, bare = counts_by_type(written, "totals", notes)
    if bare:
        notes.add("SF-R201", Severity.ERROR, "totals", ", ".join(bare))
    totals: dict[str, int] = {}
    for name, count in counts.items():
        model = type_of_total(name)
        if model in totals and totals[model] != count:
            told = {"first": totals[model], "second": count}
            notes.add("SF-R205", Severity.WARNING, "totals", name, **told)
        totals[model] = max(count, totals.get(model, 0))
    return totals


def rows_of(entries: Sequence[Mapping[str, Any]], notes: Notes) -> tuple[Row, ...]:
    """Return the rows of a form."""
    return tuple(_row(entry, number, f"rows[{number}]", notes) for number, entry in enumerate(entries, start=1))


def _row(entry: Mapping[str, Any], number: int, column: str, notes: Notes) -> Row:
    mines, count = _mines_and_count(entry, column, notes)
    return Row(
        no=text_of(entry.get("no")) or str(number),
        origin=text_of(entry.get("from")),
        target=text_of(entry.get("to")),
        spacing=notes.attempt(parse_distance, text_of(entry.get("spacing")), f"{column}.spacing"),
        count=count,
        mines=mines,
        fuze=text_of(entry.get("fuze")),
        depth=text_of(entry.get("depth")),
        anti_handling=text_of(entry.get("anti_handling")),
    )


def _mines_and_count(entry: Mapping[str, Any], column: str, notes: Notes) -> tuple[dict[str, int], int | None]:
    """Return the types of a row and its number; a type beside a number for the whole row has that number."""
    mines, bare = counts_by_type(entry.get("mines"), f"{column}.mines", notes)
    text = text_of(entry.get("count"))
    if not mines and not bare and _names_types(text):  # count: "60 ПМН"
        mines, bare = counts_by_type(text, f"{column}.count", notes)
        text = ""
    stated = count_of(text, f"{column}.count", notes)
    if bare:
        mines, stated = _shared(mines, bare, stated, f"{column}.mines", notes)
    elif stated is not None and mines and stated != sum(mines.values()):
        notes.add("SF-R023", Severity.WARNING, f"{column}.count", stated, mines=sum(mines.values()))
    return mines, sum(mines.values()) if mines else stated


def _names_types(text: str) -> bool:
    types = [name for name in split_device_list(text) if name]
    return bool(types) and all(category_of_model(name) is not DeviceCategory.UNKNOWN for name in types)


def _shared(
    mines: dict[str, int], bare: list[str], stated: int | None, column: str, notes: Notes
) -> tuple[dict[str, int], int | None]:
    """Give the row's number, or what the numbered types leave of it, to the one type without a number."""
    rest = -1 if stated is None else stated - sum(mines.values())
    if stated is None or rest < 0:
        notes.add("SF-R201", Severity.ERROR, column, ", ".join(bare))
        return mines, stated
    if len(bare) == 1:
        if mines:
            notes.add("SF-R209", Severity.WARNING, column, bare[0], number=rest)
        return {**mines, bare[0]: rest}, stated
    notes.add("SF-R202", Severity.WARNING, column, ", ".join([*mines, *bare]), number=stated)
    return {}, stated

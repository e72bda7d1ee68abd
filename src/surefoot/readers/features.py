"""Features of a vector file or table -> minefield records with a geometry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from surefoot.errors import InputError
from surefoot.model import (
    Doubt,
    Floats,
    Geometries,
    LaterEvent,
    MinefieldRecord,
    StatedDate,
    Texts,
    Where,
)
from surefoot.readers.cells_text import read_words
from surefoot.readers.columns import NamedTable, TableContext, words_of
from surefoot.readers.counting import Ledger
from surefoot.readers.dates import read_dates
from surefoot.readers.facts import counts, free_id, row_ids, words
from surefoot.readers.forms.counts import read_count, split_device_list
from surefoot.terms import AreaStatus, DeviceCategory, EventKind, RecordFamily, Severity


def vector_records(
    table: NamedTable, shapes: Geometries, sigma: Floats, context: TableContext, ledger: Ledger
) -> tuple[MinefieldRecord, ...]:
    """Build one record per feature, or per `record_id` where features are its rows or points.

    Parameters
    ----------
    shapes
        Geometry of each row, WGS 84.
    sigma
        Sigma per axis of the place, metres; nan = unknown.

    Notes
    -----
    The features of one record become one geometry, the record's own feature first; the counts of its rows by type
    add up. Where the record's own feature states a count too, it is the record's total, as on a form.
    """
    totals = device_counts(table, context, ledger)
    laid, received = (_dates(table, name, context, ledger) for name in ("laid", "received"))
    _doubt_order(table, laid, received, ledger)
    status = _status(table, context)
    family = words(table, "family", RecordFamily.MAP, context, ledger)
    form_no, series, owner = table.text("form_no"), table.text("series"), table.text("record_id")
    return tuple(
        MinefieldRecord(
            record_id=name,
            where=Where(table.raw.file, table.raw.sheet, int(table.raw.rows[rows[0]])),
            family=RecordFamily(family[rows[0]]),
            form_no=_first(form_no, rows),
            series=_first(series, rows),
            laid=laid[rows[0]],
            received=received[rows[0]],
            events=_events(status, rows),
            totals=_totals(totals, rows, [i for i in rows if not owner[i]]),
            geometry=_together([shapes[i] for i in rows]),
            geometry_sigma_m=_widest(sigma[rows]),
        )
        for name, rows in _rows_of_records(table, ledger)
    )


def _rows_of_records(table: NamedTable, ledger: Ledger) -> list[tuple[str, list[int]]]:
    """Return the id of each record and the rows of the table that belong to it."""
    ids, owner = row_ids(table, ledger), table.text("record_id")
    groups: dict[tuple[bool, str], list[int]] = {}
    records = {ids[i] for i in np.flatnonzero(ledger.kept & (owner == ""))}
    for i in np.flatnonzero(ledger.kept).tolist():
        owned = owner[i] != "" and (owner[i] not in records or owner[i] == ids[i])
        groups.setdefault((owned, owner[i] or ids[i]), []).append(i)
    taken = {name for _, name in groups}
    used: set[str] = set()
    named = []
    for (_, name), rows in groups.items():
        own_first = sorted(rows, key=lambda i: owner[i] != "")
        named.append((free_id(name, 2, taken) if name in used else name, own_first))
        used.add(name)
    return named


def with_row_doubts(records: tuple[MinefieldRecord, ...], doubts: tuple[Doubt, ...]) -> tuple[MinefieldRecord, ...]:
    """Give each record the doubts that stand in its row."""
    by_row: dict[int | None, list[Doubt]] = {}
    for doubt in doubts:
        if doubt.where.row is not None and doubt.values.get("count", 1) == 1:
            by_row.setdefault(doubt.where.row, []).append(doubt)
    return tuple(replace(r, doubts=tuple(by_row.get(r.where.row, ()))) for r in records)


def _first(column: Texts, rows: list[int]) -> str:
    return next((str(column[i]) for i in rows if column[i]), "")


def _status(table: NamedTable, context: TableContext) -> list[tuple[str, str]]:
    """Return (as written, our word) of the status of each feature."""
    cells = table.text("status")
    meanings, _ = read_words(cells, words_of("status"), context.own_words(table, "status"))
    return [(text, meanings[text]) for text in cells.tolist()]


_ENDED = {
    AreaStatus.LIFTED: EventKind.LIFTED,
    AreaStatus.CLEARED: EventKind.CLEARED,
}


def _events(status: list[tuple[str, str]], rows: list[int]) -> tuple[LaterEvent, ...]:
    """Return what the status of a record's features says happened to it."""
    told = dict.fromkeys(status[i] for i in rows)
    return tuple(LaterEvent(raw, _ENDED[AreaStatus(ours)], None, None, "") for raw, ours in told if ours in _ENDED)


def _widest(sigma: Floats) -> float:
    known = sigma[np.isfinite(sigma)]
    return float(known.max()) if len(known) else float("nan")


def _totals(counted: list[dict[str, int]], rows: list[int], own: list[int]) -> dict[str, int]:
    """Return the devices of a record by type: of its rows, or its own count where that holds more."""
    total, stated = _sum([counted[i] for i in rows if i not in own]), _sum([counted[i] for i in own])
    return {model: max(total.get(model, 0), stated.get(model, 0)) for model in {**stated, **total}}


def _sum(parts: list[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for part in parts:
        for model, number in part.items():
            total[model] = total.get(model, 0) + number
    return total


def _together(shapes: list[BaseGeometry]) -> BaseGeometry:
    """Return one geometry of the features of a record, in their order."""
    if len(shapes) == 1:
        return shapes[0]
    parts = shapely.get_parts(shapes).tolist()
    kinds = {part.geom_type for part in parts}
    if kinds == {"Polygon"}:
        return shapely.union_all(parts)
    if kinds == {"Point"}:
        return shapely.MultiPoint(parts)
    return shapely.MultiLineString(parts) if kinds == {"LineString"} else shapely.GeometryCollection(parts)


def _dates(table: NamedTable, column: str, context: TableContext, ledger: Ledger) -> list[StatedDate | None]:
    cells = table.text(column)
    read = read_dates(cells)
    header = table.header(column)
    ledger.doubt(read.mask(cells, read.impossible), "SF-R143", header, cells, severity=Severity.ERROR)
    ledger.doubt(read.mask(cells, read.undecided), "SF-R144", header, cells)
    stated = [read.stated[text] for text in cells.tolist()]
    if context.as_of is not None:
        later = [date is not None and date.first > context.as_of for date in stated]
        ledger.doubt(later, "SF-R145", header, cells, as_of=str(context.as_of))
    return stated


def _doubt_order(
    table: NamedTable, laid: list[StatedDate | None], received: list[StatedDate | None], ledger: Ledger
) -> None:
    wrong = [a is not None and b is not None and a.first > b.last for a, b in zip(laid, received, strict=True)]
    ledger.doubt(wrong, "SF-R180", table.header("received"), table.text("received"))


def device_counts(table: NamedTable, context: TableContext, ledger: Ledger) -> list[dict[str, int]]:
    """Return the recorded devices of each row by model as written: `counts`, else `count` with its model.

    Without a model the category stands for it; "" = the type is not stated.
    """
    written = table.text("counts")
    numbers = counts(table, "count", ledger)
    model, category = table.text("model"), words(table, "category", "", context, ledger)
    result: list[dict[str, int]] = []
    for i, text in enumerate(written.tolist()):
        totals = _by_type(i, text, table, ledger) if text else {}
        if not totals and np.isfinite(numbers[i]):
            known = category[i] in {DeviceCategory.AP, DeviceCategory.AV}
            totals = {model[i] or (category[i] if known else ""): int(numbers[i])}
        result.append(totals)
    return result


def _by_type(index: int, text: str, table: NamedTable, ledger: Ledger) -> dict[str, int]:
    totals: dict[str, int] = {}
    row, header = np.arange(len(table)) == index, table.header("counts")
    for model, number in split_device_list(text).items():
        try:
            stated = read_count(number)
        except InputError as error:
            ledger.doubt(row, error.id, header, lambda _: text, severity=Severity.ERROR)
            continue
        totals[model] = totals.get(model, 0) + stated.number
        if stated.doubt:
            ledger.doubt(row, stated.doubt, header, lambda _: text, severity=stated.severity, **stated.values)
    return totals

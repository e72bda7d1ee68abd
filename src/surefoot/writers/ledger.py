"""``ledger.xlsx``: every recorded device with its fate, and totals that balance.

Totals are formulas, so that a reader can follow them; their results are stored with them, so that a program
that does not calculate sees the same numbers. Text from the data is always written as text, never as a
formula.
"""

from __future__ import annotations

import datetime as dt
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import xlsxwriter
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell

from surefoot.terms import Fate, SpotOutcome
from surefoot.writers import SIMULATED, Assessment, LayerLike
from surefoot.writers.quick_sheet import Column, QuickSheet

FATES = tuple(fate.value for fate in Fate)
TITLES = {
    "recorded": "Recorded",
    "found": "Found",
    "detonated": "Detonated",
    "lifted": "Lifted (as stated)",
    "lost": "Lost (as stated)",
    "searched_not_found": "Searched, not found",
    "not_searched": "Not searched",
}
ITEM_COLUMNS = (
    *("record_id", "row", "index", "slot", "category", "model", "placement", "weight", "is_best"),
    *("longitude", "latitude", "p_present", "fate", *(f"p_{fate}" for fate in FATES), "find_id"),
)
_SHOWN = frozenset({"case", "simulated", "as_of", "version", "ledger", "set_aside", "doubts"})
ROWS_PER_SHEET = 1_000_000  # a sheet holds 1,048,576
TEXT_LIMIT = 32_000  # a cell holds 32,767
NO_DATE = dt.datetime(1980, 1, 1)  # the earliest date a ZIP entry can have
FIRST_ROW = 4  # rows 1-3: title, note, empty; row 4: heads

ABOUT = (
    ("What this is", "The account of every device that the minefield records state, as far as it is known."),
    ("Identity", "Recorded = found + detonated + lifted + lost + searched, not found + not searched. "
     "The check cells show recorded minus the six; 0 when the account balances."),
    ("Expected counts", "Fates are probabilities added up, because it is seldom certain which find is which "
     "recorded device; so a count may have decimals."),
    ("Recorded", "What the records state, not what was laid. Records can state too much or too little."),
    ("Found", "Recorded devices that a device found on the ground is believed to be."),
    ("Detonated", "Recorded devices believed to have exploded, by a later note or an accident."),
    ("Lifted", "Recorded devices that a later note on the record says were lifted; a statement."),
    ("Lost", "Recorded devices that a later note on the record says were lost or washed away."),
    ("Searched, not found", "Recorded devices whose place was searched; nothing was found. The record or "
     "the place may be wrong, or the search may have missed the device."),
    ("Not searched", "Recorded devices whose place has not been searched. Nothing is known of them."),
    ("To look for again", "Recorded devices whose place was searched without finding them, or whose neighbours in "
     "the row were found. Outcome of a search of the box: found, crater, evidence of removal, migrated, unexplained."),
    ("Still in the ground", "A separate estimate with its interval; it is not one of the six."),
    ("Exact, row, area, none", "How closely the record states the place of a device (column slot)."),
    ("Weight", "A record can be read in several ways; each placement has the weight of its reading."),
    ("Not evidence of safety", "Nothing in this workbook is evidence that any place is free of devices."),
    ("Who decides", "This is a proposal for the national authority, which decides."),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Column:
    """One column of a table sheet."""

    key: str
    title: str
    width: float = 14
    kind: str = "text"  # text, count, share, number


@dataclass(slots=True)
class _Book:
    """The workbook with its formats; one per file written."""

    book: xlsxwriter.Workbook
    simulated: bool
    formats: dict[str, Any] = field(default_factory=dict)

    def style(self, name: str) -> Any:
        """One format by name, made once."""
        if name not in self.formats:
            self.formats[name] = self.book.add_format(_FORMATS[name])
        return self.formats[name]


_STILL = (
    _Column("still_median", "Still in the ground: median", 14, "count"),
    _Column("still_low", "from", 10, "count"),
    _Column("still_high", "to (90 %)", 10, "count"),
)
_FORMATS: Mapping[str, Mapping[str, Any]] = {
    "title": {"bold": True, "font_size": 14},
    "note": {"italic": True, "font_color": "#444444"},
    "mark": {"bold": True, "font_color": "#FFFFFF", "bg_color": "#8B0000"},
    "head": {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "bg_color": "#E6EAF0"},
    "text": {"valign": "top"},
    "wrap": {"text_wrap": True, "valign": "top"},
    "quoted": {"valign": "top", "quote_prefix": True},
    "count": {"num_format": "#,##0.0##"},
    "whole": {"num_format": "#,##0"},
    "share": {"num_format": "0.000"},
    "number": {"num_format": "0.000000"},
    "total": {"num_format": "#,##0.0##", "bold": True, "top": 1},
    "total_text": {"bold": True, "top": 1},
    "check": {"num_format": "0.000000;-0.000000;0", "bold": True, "bg_color": "#FFF2CC", "border": 1},
    "bold": {"bold": True, "valign": "top"},
}


def write_ledger(assessment: Assessment, path: str | os.PathLike[str]) -> None:
    """Write the ledger workbook.

    Sheets: Summary, By type, By record, To look for again, Items (one row per recorded device and placement, a
    further sheet per million rows), Doubts and set aside, About. Counts are expected counts; shares 0 to 1.

    Parameters
    ----------
    assessment
        The result; ``document["ledger"]`` and the layer ``items`` are used.
    path
        File to write; an existing one is replaced.
    """
    document = assessment.document
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": False,
    }
    with xlsxwriter.Workbook(os.fspath(path), options) as workbook:
        book = _Book(workbook, bool(document["simulated"]))
        workbook.set_properties(_properties(document))
        ledger = document["ledger"]
        by_type, by_record = _type_rows(ledger), _record_rows(ledger)
        _summary_sheet(book, document, by_type, by_record)
        _fates_sheet(book, "By type", [_Column("model", "Type as recorded", 24)], by_type, _STILL)
        _fates_sheet(
            book,
            "By record",
            [_Column("record_id", "Record", 20), _Column("form_no", "Form no.", 14)],
            by_record,
            _STILL,
        )
        _missed_sheet(book, ledger.get("missed") or [])
        _item_sheets(book, assessment.layers.get("items"))
        _notes_sheet(book, document)
        _about_sheet(book)


@dataclass(frozen=True)
class _Items:
    """The columns of the items, without their geometry."""

    name: str
    geometry: npt.NDArray[np.object_]
    columns: Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class _Parts:
    """What the ledger shows of an assessment."""

    document: Mapping[str, Any]
    layers: Mapping[str, LayerLike]


def ledger_parts(assessment: Assessment) -> Assessment:
    """Return what `write_ledger` needs of an assessment, and no more: light to hand to another process."""
    document = {key: value for key, value in assessment.document.items() if key in _SHOWN}
    items = assessment.layers["items"]
    nowhere = np.full(len(items.geometry), None, dtype=object)
    columns = {name: column for name, column in items.columns.items() if name in ITEM_COLUMNS}
    return _Parts(document, {"items": _Items("items", nowhere, columns)})


def _properties(document: Mapping[str, Any]) -> dict[str, Any]:
    as_of = document.get("as_of")
    mark = f"{SIMULATED}: invented data. " if document["simulated"] else ""
    return {
        "title": f"Ledger of recorded devices: {document['case']}",
        "comments": f"{mark}Not evidence that any place is free of devices.",
        "author": f"Surefoot {document['version']}",
        "created": dt.datetime.fromisoformat(as_of) if as_of else NO_DATE,
    }


def _type_rows(ledger: Mapping[str, Any]) -> list[dict[str, Any]]:
    by_type = ledger.get("by_type") or {}
    return [{"model": model or "(type not stated)", **_with_still(by_type[model])} for model in sorted(by_type)]


def _record_rows(ledger: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [_with_still(row) for row in ledger.get("by_record") or []]


def _with_still(row: Mapping[str, Any]) -> dict[str, Any]:
    still = row.get("still_in_ground") or {}
    low, high = still.get("interval") or (None, None)
    return {**row, "still_median": still.get("median"), "still_low": low, "still_high": high}


# --- cells -----------------------------------------------------------------------------------------------


def _put(book: _Book, sheet: Any, row: int, column: int, value: object, kind: str = "text") -> None:
    """Write one value as what it is; nothing for a value that is not known."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return
    if isinstance(value, bool | np.bool_):
        sheet.write_boolean(row, column, bool(value), book.style("text"))
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value, book.style(kind if kind != "text" else "count"))
    else:
        text = str(value)[:TEXT_LIMIT]
        # quote_prefix keeps it text even when the sheet is saved as CSV and opened again in Excel
        style = "quoted" if text[:1] in "=+-@\t\r" and text else kind
        sheet.write_string(row, column, text, book.style(style))


def _open_sheet(book: _Book, name: str, title: str, note: str, widths: Sequence[float]) -> Any:
    sheet = book.book.add_worksheet(name, worksheet_class=QuickSheet)
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    sheet.write_string(0, 0, title, book.style("title"))
    sheet.write_string(1, 0, note, book.style("note"))
    if book.simulated:
        sheet.write_string(2, 0, f"{SIMULATED}: invented data", book.style("mark"))
    mark = f"&C&B{SIMULATED}: invented data" if book.simulated else ""
    sheet.set_header(f"&L&A{mark}")
    sheet.set_footer("&LNot evidence that any place is free of devices&RPage &P of &N")
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    return sheet


def _heads(book: _Book, sheet: Any, columns: Sequence[_Column], n_rows: int) -> None:
    head_row = FIRST_ROW - 1
    for i, column in enumerate(columns):
        sheet.write_string(head_row, i, column.title, book.style("head"))
    sheet.freeze_panes(FIRST_ROW, 1)
    sheet.repeat_rows(head_row)
    sheet.autofilter(head_row, 0, head_row + max(n_rows, 1), len(columns) - 1)


# --- sheets ----------------------------------------------------------------------------------------------


def _fates_sheet(
    book: _Book, name: str, keys: Sequence[_Column], rows: Sequence[Mapping[str, Any]], beside: Sequence[_Column] = ()
) -> None:  # fmt: skip
    """A table of fates with a total row and a check column; `beside` are columns that no total is made of."""
    fates = [_Column(k, t, 13, "count") for k, t in TITLES.items()]
    columns = [*keys, *fates, _Column("check", "Check: recorded minus the six", 16, "check"), *beside]
    note = "Expected counts. Every line balances: recorded = the six fates."
    sheet = _open_sheet(book, name, name, note, [c.width for c in columns])
    _heads(book, sheet, columns, len(rows))
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            if column.key != "check":
                _put(book, sheet, FIRST_ROW + i, j, row.get(column.key), column.kind)
        _check(book, sheet, FIRST_ROW + i, len(keys), row)
    if rows:
        _totals(book, sheet, len(keys), rows)


def _check(book: _Book, sheet: Any, row: int, first: int, values: Mapping[str, Any]) -> None:
    recorded = xl_rowcol_to_cell(row, first)
    six = f"{xl_rowcol_to_cell(row, first + 1)}:{xl_rowcol_to_cell(row, first + 6)}"
    formula = f"=ROUND({recorded}-SUM({six}),6)"
    sheet.write_formula(row, first + 7, formula, book.style("check"), _imbalance(values))


def _imbalance(values: Mapping[str, Any]) -> float:
    return round(float(values["recorded"]) - math.fsum(values[f] for f in FATES), 6) + 0.0


def _totals(book: _Book, sheet: Any, first: int, rows: Sequence[Mapping[str, Any]]) -> None:
    last = FIRST_ROW + len(rows)
    sheet.write_string(last, 0, "Total", book.style("total_text"))
    sums = _sums(rows)
    for j, key in enumerate(TITLES):
        letter = xl_col_to_name(first + j)
        formula = f"=SUM({letter}{FIRST_ROW + 1}:{letter}{last})"
        sheet.write_formula(last, first + j, formula, book.style("total"), sums[key])
    _check(book, sheet, last, first, sums)


def _sums(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    return {key: math.fsum(row[key] for row in rows) for key in TITLES}


def _summary_sheet(
    book: _Book,
    document: Mapping[str, Any],
    by_type: Sequence[Mapping[str, Any]],
    by_record: Sequence[Mapping[str, Any]],
) -> None:
    as_of = document.get("as_of") or "not stated"
    note = f"Case: {document['case']}. As of {as_of}. Surefoot {document['version']}."
    sheet = _open_sheet(book, "Summary", "Ledger of recorded devices", note, [40, 18, 18, 18])
    ledger = document["ledger"]
    for j, title in enumerate(("", "Ledger", "Sum of By type", "Sum of By record")):
        sheet.write_string(FIRST_ROW - 1, j, title, book.style("head"))
    for i, (key, title) in enumerate(TITLES.items()):
        row = FIRST_ROW + i
        sheet.write_string(row, 0, title, book.style("bold"))
        sheet.write_number(row, 1, ledger[key], book.style("count"))
        _linked_total(book, sheet, row, 2, "By type", 1 + i, by_type, key)
        _linked_total(book, sheet, row, 3, "By record", 2 + i, by_record, key)
    _summary_checks(book, sheet, FIRST_ROW + len(TITLES), ledger, by_type, by_record)
    _summary_tail(book, sheet, FIRST_ROW + len(TITLES) + 2, ledger)
    sheet.freeze_panes(FIRST_ROW, 1)


def _linked_total(
    book: _Book,
    sheet: Any,
    row: int,
    column: int,
    name: str,
    source: int,
    rows: Sequence[Mapping[str, Any]],
    key: str,
) -> None:
    if rows:
        cell = xl_rowcol_to_cell(FIRST_ROW + len(rows), source)
        sheet.write_formula(row, column, f"='{name}'!{cell}", book.style("count"), _sums(rows)[key])


def _summary_checks(
    book: _Book,
    sheet: Any,
    row: int,
    ledger: Mapping[str, Any],
    by_type: Sequence[Mapping[str, Any]],
    by_record: Sequence[Mapping[str, Any]],
) -> None:
    sheet.write_string(row, 0, "Check: recorded minus the six fates (0 = balances)", book.style("bold"))
    sources: tuple[Mapping[str, Any] | None, ...] = (
        ledger,
        _sums(by_type) if by_type else None,
        _sums(by_record) if by_record else None,
    )
    for column, values in enumerate(sources, start=1):
        if values is not None:
            letter = xl_col_to_name(column)
            formula = f"=ROUND({letter}{FIRST_ROW + 1}-SUM({letter}{FIRST_ROW + 2}:{letter}{FIRST_ROW + 7}),6)"
            sheet.write_formula(row, column, formula, book.style("check"), _imbalance(values))


def _summary_tail(book: _Book, sheet: Any, row: int, ledger: Mapping[str, Any]) -> None:
    still = ledger.get("still_in_ground") or {}
    level = still.get("level")
    share = f" ({level:.0%} interval in the next two cells)" if level is not None else ""
    sheet.write_string(row, 0, f"Still in the ground, median{share}", book.style("wrap"))
    if still.get("median") is None:
        reason = still.get("reason") or "no reason is given"
        _put(book, sheet, row, 1, f"not known: {reason}")
    else:
        low, high = still.get("interval") or (None, None)
        for column, value in enumerate((still["median"], low, high), start=1):
            _put(book, sheet, row, column, value, "count")
    counts = (
        ("allocated", "Devices with a row or place on the form"),
        ("unallocated", "Devices stated only as a total"),
    )
    for offset, (key, title) in enumerate(counts, start=1):
        sheet.write_string(row + offset, 0, title, book.style("bold"))
        _put(book, sheet, row + offset, 1, ledger.get(key), "whole")


def _missed_sheet(book: _Book, missed: Sequence[Mapping[str, Any]]) -> None:
    """Devices that a search passed or stopped beside, with a box for each and a cell for what the search meets."""
    columns = [
        _Column("record_id", "Record", 20), _Column("row", "Row", 8), _Column("index", "Position in row", 9, "whole"),
        _Column("reason", "Why", 20), _Column("latitude", "Latitude", 12, "number"),
        _Column("longitude", "Longitude", 12, "number"), _Column("length_m", "Box along row, m", 11, "count"),
        _Column("width_m", "Box across row, m", 11, "count"),
        _Column("bearing_deg", "Bearing of row, true", 11, "count"),
        _Column("capture", "In the box, if there", 11, "share"), _Column("p_present", "Still there", 11, "share"),
        _Column("p_searched", "Searched before", 11, "share"), _Column("outcome", "Outcome", 22),
        _Column("remarks", "Remarks", 40),
    ]  # fmt: skip
    note = "Middle and size of the box that holds the device with the stated probability, if it is there. WGS 84."
    sheet = _open_sheet(
        book, "To look for again", "Recorded devices to look for again", note, [c.width for c in columns]
    )
    _heads(book, sheet, columns, len(missed))
    if missed:
        outcome = [column.key for column in columns].index("outcome")
        codes = {"validate": "list", "source": [code.value for code in SpotOutcome]}
        sheet.data_validation(FIRST_ROW, outcome, FIRST_ROW + len(missed) - 1, outcome, codes)
    sheet.write_columns(FIRST_ROW, [_told(book, sheet, column, missed) for column in columns])


def _item_sheets(book: _Book, items: LayerLike | None) -> None:
    columns = items.columns if items is not None else {}
    names = [name for name in ITEM_COLUMNS if name in columns] or list(ITEM_COLUMNS)
    n = len(items.geometry) if items is not None else 0
    for k, start in enumerate(range(0, max(n, 1), ROWS_PER_SHEET)):
        stop = min(start + ROWS_PER_SHEET, n)
        title = "Items" if k == 0 else f"Items {k + 1}"
        _item_sheet(book, title, names, [columns[c][start:stop] for c in names if c in columns], stop - start)


def _item_sheet(book: _Book, title: str, names: Sequence[str], data: Sequence[npt.NDArray[Any]], n: int) -> None:
    widths = [20.0 if name in {"record_id", "fate", "find_id"} else 12.0 for name in names]
    note = "One row per recorded device and placement. p_... are probabilities; empty = not known. WGS 84."
    sheet = _open_sheet(book, title, "Recorded devices", note, widths)
    _heads(book, sheet, [_Column(name, name) for name in names], n)
    sheet.write_columns(FIRST_ROW, [_column(book, sheet, *named) for named in zip(names, data, strict=False)])


def _column(book: _Book, sheet: Any, name: str, values: npt.NDArray[Any]) -> Column:
    kind = "number" if name in {"longitude", "latitude"} else "share" if name[:2] in {"p_", "we"} else "whole"

    def write(row: int, column: int, value: Any) -> None:
        if value != "":
            _put(book, sheet, row, column, value)

    return values, book.style(kind), write


def _notes_sheet(book: _Book, document: Mapping[str, Any]) -> None:
    columns = [
        _Column("what", "What", 14), _Column("severity", "Severity", 10), _Column("id", "Message", 10),
        _Column("record_id", "Record", 16), _Column("file", "File", 26), _Column("sheet", "Sheet", 12),
        _Column("row", "Row", 8, "whole"), _Column("column", "Column", 16),
        _Column("found", "What stood there", 26),
        _Column("reason", "What is the matter", 50, "wrap"), _Column("advice", "What to do", 60, "wrap"),
    ]  # fmt: skip
    rows = [
        {**entry, **(entry.get("where") or {}), "what": what}
        for what, key in (("set aside", "set_aside"), ("doubt", "doubts"))
        for entry in document.get(key) or []
    ]
    note = "Set aside: the row is not used. Doubt: the row is used, with a reservation."
    name = "Doubts and set aside"
    sheet = _open_sheet(book, name, name, note, [c.width for c in columns])
    _heads(book, sheet, columns, len(rows))
    sheet.write_columns(FIRST_ROW, [_told(book, sheet, column, rows) for column in columns])


def _told(book: _Book, sheet: Any, column: _Column, rows: Sequence[Mapping[str, Any]]) -> Column:
    values = np.empty(len(rows), dtype=object)
    values[:] = [row.get(column.key) for row in rows]
    return values, book.style(column.kind), partial(_put, book, sheet, kind=column.kind)


def _about_sheet(book: _Book) -> None:
    sheet = _open_sheet(book, "About", "What the words mean", "", [28, 110])
    for row, (term, meaning) in enumerate(ABOUT, start=FIRST_ROW):
        sheet.write_string(row, 0, term, book.style("bold"))
        sheet.write_string(row, 1, meaning, book.style("wrap"))

"""Text tables and workbooks -> raw tables. Formulas are never run; only the stored values are read."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from pathlib import Path

import numpy as np
import python_calamine

from surefoot.errors import InputError
from surefoot.model import Doubt, Where
from surefoot.readers.raw import RawTable, cell_text, text_column
from surefoot.terms import Severity

DELIMITERS = ";\t,|"
_LONG_CELL = 50_000_000  # a polygon with a million vertices as text
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")


def read_delimited(path: Path, name: str) -> RawTable:
    """Read a CSV, TSV or other delimited text file.

    The delimiter is the one that cuts most lines into as many cells as the header has. UTF-8 (with or without
    mark) and UTF-16 with mark are read as such; anything else is Cyrillic cp1251 or Western cp1252, whichever
    its bytes look like, with a doubt.

    Raises
    ------
    InputError
        SF-R104 (not a text table), SF-R108 (no rows).
    """
    text, guessed = decode(path.read_bytes())
    csv.field_size_limit(_LONG_CELL)
    try:
        grid = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text)))
    except csv.Error as error:
        raise InputError("SF-R104", name, detail=str(error)) from error
    doubts = (Doubt("SF-R109", Severity.WARNING, Where(name), values={"encoding": guessed}),) if guessed else ()
    return _from_grid(grid, name, None, doubts)


def decode(data: bytes) -> tuple[str, str]:
    """Return (text, name of the encoding if it had to be guessed, else '')."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace"), ""
    try:
        return data.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        pass
    runs = [len(run) for run in _HIGH_RUN.findall(data[:1_000_000])]
    # Cyrillic words are runs of high bytes, accented Western letters stand alone
    if sum(runs) >= 2 * len(runs):
        return data.decode("cp1251", "replace"), "cp1251"
    return data.decode("cp1252", "replace"), "latin-1"


def delimiter_of(text: str) -> str:
    """Return the delimiter that cuts the first lines most evenly."""
    lines = [line for line in text[:200_000].splitlines()[:60] if line.strip()][:50]
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        widths = [len(cells) for cells in csv.reader(lines, delimiter=delimiter)]
        width, times = Counter(widths).most_common(1)[0] if widths else (1, 0)
        header_fits = widths[:1] == [width]
        score = ((times / len(widths)) * (1.0 if header_fits else 0.5), width) if width > 1 else (0.0, 0)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def workbook_sheets(path: Path, name: str) -> tuple[str, ...]:
    """Return the names of a workbook's sheets.

    Raises
    ------
    InputError
        SF-R104 (damaged workbook).
    """
    return tuple(_workbook(path, name).sheet_names)


def read_workbook(path: Path, name: str, kind: str | None) -> RawTable:
    """Read the sheet named like the table, else the first sheet that holds rows.

    Raises
    ------
    InputError
        SF-R104 (damaged workbook), SF-R108 (no rows).
    """
    book = _workbook(path, name)
    grids = {sheet: _sheet_grid(book, sheet, name) for sheet in book.sheet_names}
    filled = [sheet for sheet, grid in grids.items() if sum(map(any, grid)) > 1]
    if not filled:
        raise InputError("SF-R108", name)
    named = [sheet for sheet in filled if sheet.strip().lower() == kind]
    chosen = (named or filled)[0]
    others = [sheet for sheet in filled if sheet != chosen]
    doubts: tuple[Doubt, ...] = ()
    if others:
        values = {"sheets": ", ".join(others), "sheet": chosen}
        doubts = (Doubt("SF-R110", Severity.WARNING, Where(name, chosen), values=values),)
    return _from_grid(grids[chosen], name, chosen, doubts)


def _workbook(path: Path, name: str) -> python_calamine.CalamineWorkbook:
    try:
        return python_calamine.CalamineWorkbook.from_path(str(path))
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise InputError("SF-R104", name, detail=str(error)) from error


def _sheet_grid(book: python_calamine.CalamineWorkbook, sheet: str, name: str) -> list[list[str]]:
    try:
        rows = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise InputError("SF-R104", name, detail=str(error)) from error
    return [[cell_text(cell) for cell in row] for row in rows]


def _from_grid(grid: list[list[str]], name: str, sheet: str | None, doubts: tuple[Doubt, ...]) -> RawTable:
    """Cut a grid of cells into a header and columns. Blank rows do not count as rows."""
    filled = [(number, row) for number, row in enumerate(grid, start=1) if any(c and c.strip() for c in row)]
    while len(filled) > 1 and sum(map(bool, filled[0][1])) < 2 <= max(len(row) for _, row in filled[1:6]):
        filled = filled[1:]  # a title above the header
    if len(filled) < 2:
        raise InputError("SF-R108", name)
    header = _unique([cell.strip() for cell in filled[0][1]])
    width = len(header)
    body, broken = [], []
    for number, row in filled[1:]:
        if len(row) > width and any(cell.strip() for cell in row[width:]):
            broken.append((number, " | ".join(row)))
        else:
            body.append((number, row if len(row) == width else (row + [""] * width)[:width]))
    cells = list(zip(*(row for _, row in body), strict=True)) or [()] * width
    columns = {h: text_column(column) for h, column in zip(header, cells, strict=True) if h or any(column)}
    rows = np.array([number for number, _ in body], dtype=np.int64)
    return RawTable(name, sheet, columns, rows, doubts=doubts, broken=tuple(broken))


def _unique(header: list[str]) -> list[str]:
    seen: Counter[str] = Counter()
    names = []
    for column in header:
        seen[column] += 1
        names.append(column if seen[column] == 1 else f"{column} ({seen[column]})")
    return names

"""A worksheet that takes a hundred thousand rows at once.

xlsxwriter spends some ten microseconds on every cell: its arguments are checked, a table entry is made, its format
and its characters are looked up. Most cells of a long table say what a cell above them said. Here xlsxwriter writes
every different text once, and the markup it wrote stands again wherever that text comes again; numbers are written
as xlsxwriter writes them. The file is the same, byte for byte (a test compares the two).
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy.typing as npt
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

Column = tuple[npt.NDArray[Any], Any, Callable[[int, int, Any], None]]
"""Values (n,), the format of its numbers, and the ordinary writer (row, column, value) of anything else."""
ROWS_AT_ONCE = 10_000  # in memory


class QuickSheet(Worksheet):
    """A worksheet of a workbook in ``constant_memory`` mode: rows are written downwards."""

    fh: Any  # where xlsxwriter writes: in this mode a file of rows

    def write_columns(self, first_row: int, columns: Sequence[Column]) -> None:
        """Write a table of columns from a row (counted from 0) on; the rows above it are written before."""
        n = len(columns[0][0]) if columns else 0
        if n == 0:
            return
        self._check_dimensions(first_row + n - 1, len(columns) - 1)  # the sheet states how far it goes
        self._write_single_row(first_row)  # the row above, which xlsxwriter still holds
        known: list[dict[Any, str]] = [{} for _ in columns]
        starts = [f'<c r="{xl_col_to_name(j)}' for j in range(len(columns))]
        for begin in range(0, n, ROWS_AT_ONCE):
            part = slice(begin, begin + ROWS_AT_ONCE)
            marked = [self._marked(first_row, j, c, part, known[j]) for j, c in enumerate(columns)]
            for row, cells in enumerate(zip(*marked, strict=True), start=first_row + begin + 1):
                written = [f"{start}{row}{cell}" for start, cell in zip(starts, cells, strict=True) if cell]
                if written:
                    self.fh.write(f'<row r="{row}">{"".join(written)}</row>')
        self.previous_row = first_row + n

    def _marked(self, row: int, j: int, column: Column, part: slice, known: dict[Any, str]) -> Iterator[str]:
        """Yield each cell's markup after its row number, "" for no cell."""
        values, style, write = column
        if values.dtype.kind in "fiu":
            begin = f'" s="{style._get_xf_index()}"><v>'
            yield from (f"{begin}{v:.16G}</v></c>" if math.isfinite(v) else "" for v in values[part].tolist())
            return
        for value in values[part].tolist():
            key = (type(value), value)  # True and 1 are alike, but not written alike
            if key not in known:
                known[key] = self._markup(row, j, value, write)
            yield known[key]

    def _markup(self, row: int, column: int, value: Any, write: Callable[[int, int, Any], None]) -> str:
        """Let xlsxwriter write a cell; return what it wrote after the row number."""
        write(row, column, value)
        cell = self.table[row].pop(column, None)
        if cell is None:
            return ""
        held, self.fh = self.fh, io.StringIO()
        self._write_cell(row, column, cell)
        text, self.fh = self.fh.getvalue(), held
        return str(text).removeprefix(f'<c r="{xl_col_to_name(column)}{row + 1}')

"""A table as it came out of a file: cells as text, geometry as WKB, nothing interpreted yet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from surefoot.model import Doubt, Ints, Texts

Column = npt.NDArray[Any]  # object array of str, or float64 with nan for empty


@dataclass(frozen=True)
class RawTable:
    """One sheet, layer or text table.

    Parameters
    ----------
    file
        As the user would name it.
    sheet
        Sheet or layer, None where the format has only one.
    columns
        Header as written -> cells.
    rows
        Row numbers as the user's program shows them; a vector file's features count from 1.
    geometry
        WKB (bytes) or None per row; None for tables without a geometry column.
    crs
        CRS of the geometry as the file states it; None = not stated.
    broken
        Rows with more cells than the header: (row number, cells as written).
    """

    file: str
    sheet: str | None
    columns: Mapping[str, Column]
    rows: Ints
    geometry: Texts | None = None
    crs: str | None = None
    doubts: tuple[Doubt, ...] = ()
    broken: tuple[tuple[int, str], ...] = ()

    def __len__(self) -> int:
        return len(self.rows)


def cell_text(value: object) -> str:
    """Return a cell as text: whole numbers without a fraction, dates as ISO, empty as ''."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float):
        return "" if value != value else str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return str(value)


def text_column(values: Sequence[object] | npt.NDArray[Any]) -> Texts:
    """Return cells as an object array of `str`."""
    column = np.empty(len(values), dtype=object)
    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        column[:] = ["" if np.isnat(v) else str(v) for v in values]
    elif isinstance(values, np.ndarray) and values.dtype.kind in "fiub":
        column[:] = [cell_text(v) for v in values.tolist()]
    else:
        column[:] = [v.strip() if type(v) is str else cell_text(v) for v in values]
    return column

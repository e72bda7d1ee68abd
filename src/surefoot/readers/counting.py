"""The bookkeeping of a table: every row is accepted, accepted with a doubt, or set aside; none is lost."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from surefoot.model import Doubt, SetAside, TableCount, Texts, Where
from surefoot.readers.cells_text import Mask
from surefoot.readers.raw import RawTable
from surefoot.terms import Severity

Found = Texts | list[str] | Callable[[int], str]  # what stood in each row, or how to tell it
SINGLE_DOUBTS = 20  # more rows with the same doubt are told in one


class Ledger:
    """Collects what is said about the rows of one raw table.

    Notes of severity info tell how something was read; they do not make a row doubtful.
    """

    def __init__(self, table: RawTable, kind: str) -> None:
        self.kind = kind
        self.table = table
        self.out: Mask = np.zeros(len(table), dtype=bool)
        self.doubted: Mask = np.zeros(len(table), dtype=bool)
        self.doubts: list[Doubt] = list(table.doubts)
        self.set_asides: list[SetAside] = [
            SetAside("SF-R118", self._where(row), cells[:200]) for row, cells in table.broken
        ]

    def _where(self, row: int | None, column: str | None = None) -> Where:
        return Where(self.table.file, self.table.sheet, row, column)

    def note(self, id_: str, found: str = "", *, severity: Severity = Severity.INFO, **values: object) -> None:
        """Note something about the table as a whole."""
        self.doubts.append(Doubt(id_, severity, self._where(None), found, values))

    def set_aside(self, rows: npt.ArrayLike, id_: str, header: str | None, found: Found, **values: object) -> None:
        """Set rows aside for a reason; the first reason of a row stands.

        Parameters
        ----------
        rows
            Mask over the table.
        found
            What stood in each row of the table, as written.
        """
        chosen = np.flatnonzero(np.asarray(rows, dtype=bool) & ~self.out)
        if not len(chosen):
            return
        tell: Callable[[int], str] = found if callable(found) else found.__getitem__
        for i in chosen.tolist():
            where = self._where(int(self.table.rows[i]), header)
            self.set_asides.append(SetAside(id_, where, str(tell(i))[:200], values))
        self.out[chosen] = True

    def doubt(
        self,
        rows: npt.ArrayLike,
        id_: str,
        header: str | None,
        found: Found,
        *,
        severity: Severity = Severity.WARNING,
        **values: object,
    ) -> None:
        """Doubt rows that stay. Many rows with one doubt are told in one, with their number and the first."""
        chosen = np.flatnonzero(np.asarray(rows, dtype=bool) & ~self.out)
        if not len(chosen):
            return
        if severity is not Severity.INFO:
            self.doubted[chosen] = True
        tell: Callable[[int], str] = found if callable(found) else found.__getitem__
        numbers = [int(self.table.rows[i]) for i in chosen]
        if len(chosen) <= SINGLE_DOUBTS and severity is not Severity.INFO:
            for i, number in zip(chosen.tolist(), numbers, strict=True):
                told = {"count": 1, "rows": str(number), **values}
                self.doubts.append(Doubt(id_, severity, self._where(number, header), str(tell(i))[:200], told))
            return
        rows_text = ", ".join(map(str, numbers[:10])) + (" …" if len(numbers) > 10 else "")
        words = list(dict.fromkeys(str(tell(i))[:60] for i in chosen[:1000].tolist()))[:5]
        told = {"count": len(chosen), "rows": rows_text, **values}
        self.doubts.append(Doubt(id_, severity, self._where(numbers[0], header), "; ".join(filter(None, words)), told))

    @property
    def kept(self) -> Mask:
        """Which rows of the table stay."""
        return ~self.out

    def count(self) -> TableCount:
        """Return the sum that must come out: rows in = accepted + with doubts + set aside."""
        with_doubts = int((self.doubted & ~self.out).sum())
        rows_in = len(self.table) + len(self.table.broken)
        aside = len(self.set_asides)
        return TableCount(self.kind, self.table.file, rows_in, rows_in - aside - with_doubts, with_doubts, aside)

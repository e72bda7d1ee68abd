"""The error tree.

::

    SurefootError                something the user can act on; always has an id
    ├── UsageError               the command or call was wrong              (exit 2)
    ├── RefusedError             nothing usable, or not allowed             (exit 3)
    ├── InputError               one piece of input cannot be used; the rest goes on
    └── PositionError            a position cannot be computed honestly

An error carries an id and values; `surefoot.messages` turns them into words.
Exit codes and HTTP codes are known only at the doors.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import TracebackType
from typing import Any


class SurefootError(Exception):
    """Root of every error this program raises on purpose.

    Parameters
    ----------
    id_
        Message id, such as ``SF-R012``; see `surefoot.messages`.
    found
        What stood there, as written.
    values
        Values for the message's placeholders.
    """

    def __init__(self, id_: str, found: str = "", **values: object) -> None:
        super().__init__(id_, found, values)
        self.id = id_
        self.found = found
        self.values: Mapping[str, object] = values

    def __str__(self) -> str:
        detail = ", ".join(f"{k}={v}" for k, v in self.values.items())
        return f"{self.id}: {self.found}" + (f" ({detail})" if detail else "")

    def __reduce__(self) -> tuple[Any, ...]:  # an error may come from another process
        again: Any = type(self)
        return partial(again, **self.values), (self.id, self.found), self.__dict__


class UsageError(SurefootError):
    """The command or call was wrong."""


class RefusedError(SurefootError):
    """Nothing usable was given, or it is not allowed."""


class InputError(SurefootError):
    """One piece of input cannot be used; the rest goes on."""


class PositionError(SurefootError):
    """A position cannot be computed honestly."""


class InRecord:
    """Notes a record's id on whatever error leaves a ``with`` block: it may come from another thread or machine."""

    def __init__(self, record_id: str) -> None:
        self.record_id = record_id

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            error.add_note(f"in record {self.record_id}")

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


class UsageError(SurefootError):
    """The command or call was wrong."""


class RefusedError(SurefootError):
    """Nothing usable was given, or it is not allowed."""


class InputError(SurefootError):
    """One piece of input cannot be used; the rest goes on."""


class PositionError(SurefootError):
    """A position cannot be computed honestly."""

"""Collects the doubts of one form while it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from surefoot.errors import SurefootError
from surefoot.model import Doubt, Where
from surefoot.terms import Severity

T = TypeVar("T")


@dataclass
class Notes:
    """The doubts of one form, each with the field it stands in."""

    where: Where
    doubts: list[Doubt] = field(default_factory=list)
    local_metres: bool = False  # the form says that its coordinates are metres from a point of its own

    def add(self, id_: str, severity: Severity, column: str, found: object = "", **values: object) -> None:
        """Note a doubt about the field `column`."""
        self.doubts.append(Doubt(id_, severity, replace(self.where, column=column), str(found), values))

    def attempt(self, parse: Callable[[str], T], text: str, column: str) -> T | None:
        """Parse `text`; what cannot be read becomes a doubt of severity error and None."""
        if not text.strip():
            return None
        try:
            return parse(text)
        except SurefootError as error:
            self.add(error.id, Severity.ERROR, column, error.found or text, **error.values)
            return None

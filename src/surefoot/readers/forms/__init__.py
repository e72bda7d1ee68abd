"""The record form: YAML documents and the record workbook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from surefoot.errors import InputError
from surefoot.model import MinefieldRecord, SetAside, TableCount, Where
from surefoot.readers.forms.documents import FormDocument, read_workbook_documents, read_yaml_documents
from surefoot.readers.forms.parse import parse_form
from surefoot.readers.forms.schema import schema
from surefoot.terms import Severity

__all__ = ["FormsResult", "read_forms", "schema"]

_READERS: dict[str, Callable[[Path], list[FormDocument]]] = {
    ".yaml": read_yaml_documents,
    ".yml": read_yaml_documents,
    ".xlsx": read_workbook_documents,
    ".xls": read_workbook_documents,
    ".ods": read_workbook_documents,
}
FORM_SUFFIXES = frozenset(_READERS)


@dataclass(frozen=True, slots=True)
class FormsResult:
    """The forms of one file: read, or set aside with a reason. A file that cannot be opened counts as one row."""

    records: tuple[MinefieldRecord, ...]
    set_aside: tuple[SetAside, ...]
    count: TableCount


def read_forms(path: Path) -> FormsResult:
    """Read every form of a YAML file or a record workbook; nothing is raised for bad content."""
    try:
        documents = _READERS[path.suffix.casefold()](path)
        if not documents:
            raise InputError("SF-R001", path.name)
    except InputError as error:
        aside = SetAside(error.id, Where(path.name), error.found, error.values)
        return FormsResult((), (aside,), TableCount("records", path.name, 1, 0, 0, 1))
    records: list[MinefieldRecord] = []
    set_aside: list[SetAside] = []
    for document in documents:
        try:
            records.append(parse_form(document))
        except InputError as error:
            set_aside.append(SetAside(error.id, document.where, error.found, error.values))
    doubtful = sum(any(d.severity is not Severity.INFO for d in record.doubts) for record in records)
    count = TableCount("records", path.name, len(documents), len(records) - doubtful, doubtful, len(set_aside))
    return FormsResult(tuple(records), tuple(set_aside), count)

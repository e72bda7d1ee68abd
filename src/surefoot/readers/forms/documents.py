"""From a file to the fields of its forms, every value as the text that was written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from python_calamine import CalamineError, CalamineWorkbook

from surefoot.errors import InputError
from surefoot.model import Where
from surefoot.readers.forms.counts import split_device_list

_BASE: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # the C parser where there is one
WORKBOOK_SHEETS = (
    "record",
    "reference_points",
    "legs",
    "points",
    "rows",
    "devices",
    "areas",
    "events",
    "sketch",
)


@dataclass(frozen=True, slots=True)
class StatedTwice:
    """A field that stands twice in one table of a form: YAML keeps the second value."""

    table: Mapping[Any, Any]
    key: str
    first: str
    second: str


class _Strings(_BASE):  # type: ignore[misc]
    """Loads strings only: "1540", "0-95" and "12.07.1993" stay what was written on the form.

    A form is thousands of short texts. Nothing is looked up for them, neither a tag by its place in the document
    nor a constructor by its tag; lists and tables go the loader's own way, with its checks of keys and aliases.
    """

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.twice: list[StatedTwice] = []

    def descend_resolver(self, parent: Any, index: Any) -> None:
        """Tags do not depend on the place."""

    def ascend_resolver(self) -> None:
        """Tags do not depend on the place."""

    def resolve(self, kind: type[yaml.Node], value: object, implicit: object) -> str:
        """Return the tag of plain text, list or table."""
        return _TAGS[kind]

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Return what a node stands for."""
        return node.value if type(node) is yaml.ScalarNode else super().construct_object(node, deep=deep)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """Return a table, and remember the keys that stand twice in it."""
        table = super().construct_mapping(node, deep=deep)
        if len(table) < len(node.value):
            first: dict[str, Any] = {}
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode) and key.value in first:
                    texts = (_node_text(first[key.value]), _node_text(value))
                    self.twice.append(StatedTwice(table, key.value, *texts))
                elif isinstance(key, yaml.ScalarNode):
                    first[key.value] = value
        return table


def _node_text(node: Any) -> str:
    return str(node.value)[:80] if isinstance(node, yaml.ScalarNode) else "..."


_TAGS = {
    yaml.ScalarNode: yaml.BaseLoader.DEFAULT_SCALAR_TAG,
    yaml.SequenceNode: yaml.BaseLoader.DEFAULT_SEQUENCE_TAG,
    yaml.MappingNode: yaml.BaseLoader.DEFAULT_MAPPING_TAG,
}


@dataclass(frozen=True, slots=True)
class FormDocument:
    """The fields of one form and where it stands; `fields` None when it is no form at all."""

    where: Where
    default_id: str
    fields: Mapping[str, Any] | None
    found: str = ""
    twice: tuple[StatedTwice, ...] = ()


def read_yaml_documents(path: Path) -> list[FormDocument]:
    """Read the forms of one YAML file.

    Raises
    ------
    InputError
        SF-R001 for an empty file, SF-R002 for text that is not YAML, SF-R003 for a file that is not UTF-8.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("SF-R003", path.name) from error
    if not text.strip():
        raise InputError("SF-R001", path.name)
    twice: list[StatedTwice] = []
    try:
        marked = _documents_with_lines(text, twice)
    except yaml.YAMLError as error:
        raise InputError("SF-R002", path.name, detail=_first_line(error)) from error
    forms = [form for line, node in marked for form in _forms_in(node, line)]
    several = len(forms) > 1
    return [
        FormDocument(
            Where(path.name, row=line),
            f"{path.stem}#{number}" if several else path.stem,
            fields if isinstance(fields, dict) else None,
            "" if isinstance(fields, dict) else str(fields)[:80],
            tuple(one for one in twice if _holds(fields, one.table)),
        )
        for number, (line, fields) in enumerate(forms, start=1)
    ]


def _first_line(error: yaml.YAMLError) -> str:
    return str(error).replace("\n", " ")[:160]


def _documents_with_lines(text: str, twice: list[StatedTwice] | None = None) -> list[tuple[int, Any]]:
    """Return the documents with their lines; the keys stated twice in them are added to `twice`."""
    loader = _Strings(text)
    documents: list[tuple[int, Any]] = []
    try:
        while loader.check_node():
            node = loader.get_node()
            if node is not None:
                documents.append((node.start_mark.line + 1, loader.construct_document(node)))
    finally:
        loader.dispose()
    if twice is not None:
        twice += loader.twice
    return documents


def _forms_in(document: Any, line: int) -> list[tuple[int, Any]]:
    if document in (None, ""):
        return []
    if isinstance(document, list):
        return [(line, item) for item in document]
    return [(line, document)]


def _holds(fields: Any, table: Mapping[Any, Any]) -> bool:
    """Whether a table is that of a form, or one inside it."""
    open_parts, seen = [fields], set()
    while open_parts:
        part = open_parts.pop()
        if part is table:
            return True
        if isinstance(part, dict | list) and id(part) not in seen:
            seen.add(id(part))
            open_parts += part.values() if isinstance(part, dict) else part
    return False


def read_workbook_documents(path: Path) -> list[FormDocument]:
    """Read the forms of the record workbook (XLSX, XLS, ODS): one sheet a part, first column record_id.

    Raises
    ------
    InputError
        SF-R004 for a damaged workbook, SF-R005 when it has no sheet ``record``.
    """
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        names = {name.strip().casefold(): name for name in workbook.sheet_names}
        sheets = {
            key: _sheet_rows(workbook.get_sheet_by_name(names[key]).to_python())
            for key in WORKBOOK_SHEETS
            if key in names
        }
    except (CalamineError, OSError, ValueError) as error:
        raise InputError("SF-R004", path.name, detail=str(error)[:160]) from error
    if "record" not in sheets:
        raise InputError("SF-R005", path.name)
    documents = []
    parts = {key: rows for key, rows in sheets.items() if key != "record"}
    ids = [fields.get("record_id", "") for _, fields in sheets["record"]]
    for place, (number, fields) in enumerate(sheets["record"]):
        record_id = ids[place] or f"{path.stem}#{number - 1}"
        # Rows of an id that stands twice go to the first of its records, so that no device counts twice.
        own = ids[place] not in ids[:place] and (ids[place] != "" or ids.count("") == 1)
        mine = {
            key: [row for _, row in rows if own and row.get("record_id", "") == ids[place]]
            for key, rows in parts.items()
        }
        documents.append(FormDocument(Where(path.name, "record", number), record_id, _assemble(fields, mine)))
    known = {name for name in ids if name or ids.count("") == 1}
    return documents + _orphans(path, parts, known)


def _orphans(path: Path, parts: Mapping[str, list[tuple[int, dict[str, str]]]], known: set[str]) -> list[FormDocument]:
    """Rows whose record_id is not in the sheet ``record``: each such id is set aside as one form."""
    found: dict[str, FormDocument] = {}
    for sheet, rows in parts.items():
        for number, row in rows:
            record_id = row.get("record_id", "")
            if record_id not in known:
                found.setdefault(record_id, FormDocument(Where(path.name, sheet, number), record_id, None, record_id))
    return list(found.values())


def _sheet_rows(cells: list[list[Any]]) -> list[tuple[int, dict[str, str]]]:
    if not cells:
        return []
    header = [_cell_text(value).strip().casefold() for value in cells[0]]
    rows = []
    for number, line in enumerate(cells[1:], start=2):
        row = {key: _cell_text(value) for key, value in zip(header, line, strict=False) if key}
        if any(row.values()):
            rows.append((number, row))
    return rows


def _cell_text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dt.datetime) and value.time() != dt.time():
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, dt.date):
        return value.isoformat()[:10]
    return str(value).strip()


def _assemble(fields: Mapping[str, str], parts: Mapping[str, list[dict[str, str]]]) -> dict[str, Any]:
    form: dict[str, Any] = {key: value for key, value in fields.items() if value}
    form["map"] = {key.removeprefix("map_"): form.pop(key) for key in [*form] if key.startswith("map_")} or {}
    form["totals"] = split_device_list(form.get("totals", ""))
    for key in ("reference_points", "legs", "points", "devices"):
        if parts.get(key):
            form[key] = [_present(row) for row in parts[key]]
    form["rows"] = [
        {**_present(row), "mines": split_device_list(row.get("mines", ""))} for row in parts.get("rows", [])
    ]
    form["area"] = [row.get("point", "") or row.get("id", "") for row in parts.get("areas", [])]
    form["events"] = [_event(row) for row in parts.get("events", [])]
    if parts.get("sketch"):
        form["sketch"] = _sketch(parts["sketch"])
    return {key: value for key, value in form.items() if value not in ("", [], {})}


def _event(row: Mapping[str, str]) -> str:
    return " ".join(text for text in (row.get("date", ""), row.get("text", "") or row.get("event", "")) if text)


def _present(row: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in row.items() if value and key != "record_id"}


def _sketch(rows: list[dict[str, str]]) -> dict[str, Any]:
    head = {key: rows[0].get(key, "") for key in ("image", "scale_known", "north_arrow_deg")}
    points = [{key: row[key] for key in ("pixel", "point", "position") if row.get(key)} for row in rows]
    return {**{k: v for k, v in head.items() if v}, "control_points": [p for p in points if p]}

"""Several files of one table -> one table; several sources of records -> one tuple with ids of their own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import shapely

from surefoot.errors import InputError, PositionError
from surefoot.model import (
    Accidents,
    DevicesFound,
    Doubt,
    HazardousAreas,
    MinefieldRecord,
    SearchedAreas,
    SetAside,
    TableCount,
    Where,
)
from surefoot.positions.statements import CoordinateStatement, CrsStatement
from surefoot.readers.facts import free_id
from surefoot.readers.plane import move, sources, tidy_axes
from surefoot.readers.raw import text_column
from surefoot.readers.read_tables import Facts, TableResult
from surefoot.terms import Severity

Columns = DevicesFound | Accidents | SearchedAreas | HazardousAreas
_TYPES: dict[str, type[Columns]] = {
    "finds": DevicesFound,
    "accidents": Accidents,
    "searched": SearchedAreas,
    "areas": HazardousAreas,
}
_FLOATS = frozenset(
    {
        "longitude", "latitude", "sigma_m", "production_year", "index",
        "killed", "injured", "detection_probability",
    }
)  # fmt: skip


def empty_columns(kind: str) -> Columns:
    """Return a table of that kind without rows."""
    columns: dict[str, Any] = {}
    for part in fields(_TYPES[kind]):
        dtype: Any = np.float64 if part.name in _FLOATS else object
        dtype = {"date": "datetime64[D]", "source_row": np.int64}.get(part.name, dtype)
        columns[part.name] = np.empty(0, dtype=dtype)
    return _TYPES[kind](**columns)


def join_columns(kind: str, results: Sequence[TableResult]) -> tuple[Columns, tuple[Doubt, ...]]:
    """Join the tables of one kind. An id that another file has too gets a number, with a doubt."""
    parts = [r.facts for r in results if isinstance(r.facts, _TYPES[kind])]
    if not parts:
        return empty_columns(kind), ()
    if len(parts) == 1:
        return parts[0], ()
    merged = {
        part.name: np.concatenate([getattr(table, part.name) for table in parts]) for part in fields(_TYPES[kind])
    }
    files = [r.count.file for r in results if isinstance(r.facts, _TYPES[kind])]
    merged["id"], doubts = _own_ids(merged["id"], [len(table) for table in parts], files)
    return _TYPES[kind](**merged), doubts


def _own_ids(ids: Any, lengths: Sequence[int], files: Sequence[str]) -> tuple[Any, tuple[Doubt, ...]]:
    own = ids.copy()
    seen: set[str] = set()
    taken = set(ids.tolist())
    again: dict[str, list[str]] = {}
    file_of = np.repeat(np.array(files, dtype=object), lengths)
    for i, name in enumerate(ids.tolist()):
        if name in seen:
            own[i] = free_id(name, 2, taken)
            again.setdefault(file_of[i], []).append(name)
        seen.add(name)
    doubts = [
        Doubt(
            "SF-R120",
            Severity.WARNING,
            Where(file),
            "; ".join(names[:5]),
            {"count": len(names), "rows": "—"},
        )
        for file, names in again.items()
    ]
    return own, tuple(doubts)


def renamed(
    records: Sequence[MinefieldRecord], set_aside: Sequence[SetAside], count: TableCount, name: str
) -> tuple[list[MinefieldRecord], list[SetAside], TableCount]:
    """Return the outcome of a forms file with the file's name inside the case."""
    there = [
        replace(
            record,
            where=replace(record.where, file=name),
            doubts=tuple(replace(d, where=replace(d.where, file=name)) for d in record.doubts),
        )
        for record in records
    ]
    aside = [replace(s, where=replace(s.where, file=name)) for s in set_aside]
    return there, aside, replace(count, file=name)


def join_records(records: Sequence[MinefieldRecord], as_of: dt.date | None = None) -> tuple[MinefieldRecord, ...]:
    """Join records of several files; an id that stands twice gets a number, with a doubt, as does a later date."""
    doubts: dict[int, list[Doubt]] = {}
    taken = {r.record_id for r in records}
    seen: set[str] = set()
    own: list[MinefieldRecord] = []
    for i, record in enumerate(records):
        name = record.record_id
        if name in seen:
            name = free_id(name, 2, taken)
            told = {"count": 1, "rows": str(record.where.row or "—")}
            doubts.setdefault(i, []).append(Doubt("SF-R120", Severity.WARNING, record.where, record.record_id, told))
        seen.add(name)
        doubts.setdefault(i, []).extend(_later_than(record, as_of))
        own.append(replace(record, record_id=name))
    return tuple(replace(r, doubts=(*r.doubts, *doubts.get(i, ()))) for i, r in enumerate(own))


def located_bounds(
    facts: Iterable[Facts | None], records: Iterable[MinefieldRecord]
) -> tuple[float, float, float, float] | None:
    """Return west, south, east, north of everything that has a place; None if nothing has."""
    corners: list[tuple[float, float]] = []
    for table in facts:
        if isinstance(table, DevicesFound | Accidents):
            known = np.isfinite(table.longitude)
            corners += zip(table.longitude[known], table.latitude[known], strict=True)
        elif isinstance(table, SearchedAreas | HazardousAreas) and len(table):
            corners += _box_corners(shapely.total_bounds(table.geometry))
    for record in records:
        if record.geometry is not None:
            corners += _box_corners(shapely.total_bounds(record.geometry))
        corners += _form_places(record)
    if not corners:
        return None
    xy = np.array(corners)
    return float(xy[:, 0].min()), float(xy[:, 1].min()), float(xy[:, 0].max()), float(xy[:, 1].max())


def _box_corners(bounds: Any) -> list[tuple[float, float]]:
    west, south, east, north = (float(v) for v in bounds)
    return [(west, south), (east, north)]


def _form_places(record: MinefieldRecord) -> list[tuple[float, float]]:
    """Return where a form's own coordinates lie, roughly; where they do not tell, its map sheet."""
    positions = [p.position for p in record.reference_points] + [p.position for p in record.points]
    places = [_place(p, record.crs) for p in positions if p is not None]
    found = [place for place in places if place is not None]
    if not found and len(record.map.sheets) == 1:
        sheet = record.map.sheets[0]
        found = _box_corners((sheet.west, sheet.south, sheet.east, sheet.north))
    return found


def _place(position: CoordinateStatement, crs: CrsStatement | None) -> tuple[float, float] | None:
    if position.kind == "geographic" and position.longitude is not None and position.latitude is not None:
        return position.longitude, position.latitude
    if position.kind != "plane" or crs is None or position.easting is None or position.northing is None:
        return None
    east, north = np.array([position.easting]), np.array([position.northing])
    try:
        for source, _ in sources(text_column([crs.raw]), east):
            east, north, _ = tidy_axes(source, east, north)
            moved = move(source, east, north)
            lon, lat = float(moved.longitude[0]), float(moved.latitude[0])
            return (lon, lat) if np.isfinite(lon + lat) else None
    except (InputError, PositionError):
        return None
    return None


def _later_than(record: MinefieldRecord, as_of: dt.date | None) -> list[Doubt]:
    """Return doubts about dates of a form after the day of the assessment; a table's were doubted in its rows."""
    if as_of is None or any(doubt.id == "SF-R145" for doubt in record.doubts):
        return []
    told = {"count": 1, "rows": str(record.where.row or "—"), "as_of": str(as_of)}
    return [
        Doubt("SF-R145", Severity.WARNING, replace(record.where, column=column), date.raw, told)
        for column, date in (("laid", record.laid), ("compiled", record.compiled), ("received", record.received))
        if date is not None and date.first > as_of
    ]

"""Files -> tables of facts: loaded in a limited child, then placed, checked against the case and built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely

from surefoot.errors import InputError
from surefoot.model import (
    Accidents,
    DevicesFound,
    Doubt,
    Floats,
    Geometries,
    HazardousAreas,
    MinefieldRecord,
    SearchedAreas,
    SetAside,
    TableCount,
    Where,
)
from surefoot.readers.cells_text import word_key
from surefoot.readers.columns import KINDS, NamedTable, TableContext, known_values, known_words, name_columns
from surefoot.readers.counting import Ledger
from surefoot.readers.facts import (
    accidents,
    area_status,
    devices_found,
    hazardous_areas,
    searched_areas,
    sigma_m,
)
from surefoot.readers.features import vector_records, with_row_doubts
from surefoot.readers.limits import Job, limits_for, run_jobs
from surefoot.readers.near import Reach, settle_points
from surefoot.readers.places import Points, read_points
from surefoot.readers.raw import RawTable
from surefoot.readers.shapes import middle, polygons_only, read_shapes, settle_shapes
from surefoot.readers.sniff import SCANS, VECTORS, WORKBOOKS, sniff, suffix_fits
from surefoot.readers.symbols import doubt_neighbours, doubt_repeats
from surefoot.readers.tables import read_delimited, read_workbook
from surefoot.readers.vector import read_vector
from surefoot.terms import RELEASED_STATUSES, AreaStatus, Severity

Facts = DevicesFound | Accidents | SearchedAreas | HazardousAreas | tuple[MinefieldRecord, ...]
_KIND_COLUMNS = frozenset({"typearea", "type_area", "type", "status", "тип"})
_POINT_KINDS = frozenset({"finds", "accidents"})


@dataclass(frozen=True)
class TableResult:
    """One table as read. A file that cannot be opened has no facts and counts as one row set aside."""

    kind: str
    facts: Facts | None
    count: TableCount
    set_aside: tuple[SetAside, ...] = ()
    doubts: tuple[Doubt, ...] = ()


@dataclass
class Draft:
    """A table whose places are read but not yet judged by where the case is."""

    table: NamedTable
    ledger: Ledger
    points: Points | None = None
    shapes: Geometries | None = None


def load_job(path: Path, name: str, kind: str | None) -> Job:
    """Return the job that loads a table file in the child.

    Raises
    ------
    InputError
        When the content is no table.
    """
    form = sniff(path)
    seconds, megabytes = limits_for(path.stat().st_size)
    if form in VECTORS:
        return Job(read_vector, (path, name, form, kind), seconds, megabytes)
    if form in WORKBOOKS:
        return Job(read_workbook, (path, name, kind), seconds, megabytes)
    if form in SCANS or form == "yaml":
        raise InputError("SF-R105", path.name)
    return Job(read_delimited, (path, name), seconds, megabytes)


def misnamed(path: Path, name: str) -> tuple[Doubt, ...]:
    """Return the doubt about a file whose name says another format than its content."""
    form = sniff(path)
    if suffix_fits(path, form):
        return ()
    return (Doubt("SF-R106", Severity.WARNING, Where(name), path.suffix, {"actual": form}),)


def refused(error: InputError, name: str, kind: str) -> TableResult:
    """Return the result of a file that cannot be used: one row in, one set aside."""
    aside = SetAside(error.id, Where(name), error.found, error.values)
    return TableResult(kind, None, TableCount(kind, name, 1, 0, 0, 1), (aside,))


def draft(raw: RawTable, kind: str, context: TableContext) -> Draft:
    """Name the columns of a raw table and read its places."""
    ledger = Ledger(raw, kind)
    table = name_columns(raw, kind, context, ledger)
    if kind in _POINT_KINDS:
        return Draft(table, ledger, points=read_points(table, context, ledger))
    if raw.geometry is None and not table.has("geometry") and kind == "records":
        return Draft(table, ledger, points=read_points(table, context, ledger))
    return Draft(table, ledger, shapes=read_shapes(table, context, ledger))


def places(drafts: Sequence[Draft]) -> tuple[Floats, Floats]:
    """Return the longitude and latitude of every row that has a place."""
    found: list[tuple[Floats, Floats]] = [(np.empty(0), np.empty(0))]
    for one in drafts:
        if one.points is not None:
            known = ~one.points.missing
            found.append((one.points.longitude[known], one.points.latitude[known]))
        elif one.shapes is not None and one.ledger.kept.any():
            found.append(middle(one.shapes[one.ledger.kept]))
    lon, lat = (np.concatenate(part) for part in zip(*found, strict=True))
    return lon, lat


def finish(one: Draft, reach: Reach, context: TableContext) -> TableResult:
    """Judge the places of a draft by where the case is, and build its facts."""
    table, ledger = one.table, one.ledger
    facts: Facts
    if one.points is not None:
        column = _position_column(table)
        optional = table.kind == "accidents"
        settle_points(one.points, reach, ledger, column=column, optional=optional)
        facts = _point_facts(table, one.points, context, ledger)
    else:
        assert one.shapes is not None
        settle_shapes(one.shapes, reach, ledger)
        facts = _shape_facts(table, one.shapes, context, ledger)
    if isinstance(facts, Accidents):
        doubt_neighbours(facts, ledger)
    if isinstance(facts, DevicesFound):
        doubt_repeats(facts, ledger)
    doubts = tuple(ledger.doubts)
    if isinstance(facts, tuple):
        facts = with_row_doubts(facts, doubts)
    return TableResult(table.kind, facts, ledger.count(), tuple(ledger.set_asides), doubts)


def _position_column(table: NamedTable) -> str:
    if table.raw.geometry is not None:
        return "geometry"
    names = [n for n in ("longitude", "easting", "mgrs", "position") if table.has(n)]
    return table.header(names[0]) if names else "position"


def _point_facts(table: NamedTable, points: Points, context: TableContext, ledger: Ledger) -> Facts:
    if table.kind == "finds":
        return devices_found(table, points, context, ledger)
    if table.kind == "accidents":
        return accidents(table, points, context, ledger)
    shapes: Geometries = np.full(len(table), None, dtype=object)
    known = ~points.missing
    shapes[known] = shapely.points(points.longitude[known], points.latitude[known])
    return vector_records(table, shapes, sigma_m(table, points, ledger), context, ledger)


def _shape_facts(table: NamedTable, shapes: Geometries, context: TableContext, ledger: Ledger) -> Facts:
    everything = np.ones(len(table), dtype=bool)
    if table.kind == "searched":
        polygons_only(shapes, ledger, keep_all=~everything)
        return searched_areas(table, shapes, context, ledger)
    if table.kind == "areas":
        status = area_status(table, context, ledger)
        released = np.isin(status, [*RELEASED_STATUSES, AreaStatus.LIFTED])
        polygons_only(shapes, ledger, keep_all=~released)
        return hazardous_areas(table, shapes, status, context, ledger)
    areal = ledger.kept & np.isin(shapely.get_type_id(shapes), (3, 6))
    polygons_only(shapes, ledger, keep_all=areal, among=areal)
    sigma = sigma_m(table, _located(shapes), ledger)
    return vector_records(table, shapes, sigma, context, ledger)


def _located(shapes: Geometries) -> Points:
    """Return points that stand for shapes, where only whether there is a place matters."""
    points = Points.unread(len(shapes))
    known = ~shapely.is_missing(shapes)
    points.longitude[known] = points.latitude[known] = 0.0
    return points


def read_raw(raws: Sequence[tuple[RawTable, str]], context: TableContext) -> tuple[list[TableResult], Reach]:
    """Read raw tables of known kind together: without a region, their places tell where the case is."""
    drafts = [draft(raw, kind, context) for raw, kind in raws]
    region = context.region
    reach = Reach.of_region(region) if region is not None else Reach.of_places(*places(drafts))
    return [finish(one, reach, context) for one in drafts], reach


def read_table_file(
    path: Path, kind: str | None = None, context: TableContext | None = None
) -> tuple[TableResult, ...]:
    """Read one vector or table file by itself.

    Parameters
    ----------
    kind
        records, finds, accidents, searched or areas; None = guessed from the file's name, then its columns,
        then its words and geometry. A guess is noted.

    Returns
    -------
    One result per layer; a file that cannot be used gives one result without facts.
    """
    context = context or TableContext()
    try:
        doubts = misnamed(path, path.name)
        loaded = run_jobs([load_job(path, path.name, kind or _kind_of_word(path.stem))])[0]
    except InputError as error:
        return (refused(error, path.name, kind or "unknown"),)
    if isinstance(loaded, InputError):
        return (refused(loaded, path.name, kind or "unknown"),)
    raws = loaded if isinstance(loaded, tuple) else (loaded,)
    results: list[TableResult] = []
    for raw in raws:
        guess, how = (kind, "") if kind else guess_kind(path, raw)
        if guess is None:
            results.append(refused(InputError("SF-R116", raw.sheet or path.name), path.name, "unknown"))
            continue
        result = read_raw([(raw, guess)], context)[0][0]
        told = doubts + ((_guessed(path.name, guess, how),) if how else ())
        results.append(_with(result, told))
    return tuple(results)


def _guessed(name: str, kind: str, how: str) -> Doubt:
    return Doubt("SF-R115", Severity.INFO, Where(name), how, {"kind": kind})


def _with(result: TableResult, doubts: tuple[Doubt, ...]) -> TableResult:
    return TableResult(result.kind, result.facts, result.count, result.set_aside, doubts + result.doubts)


def guess_kind(path: Path, raw: RawTable) -> tuple[str | None, str]:
    """Return (kind, what it was guessed from), (None, "") when nothing tells."""
    for text in (path.stem, raw.sheet or ""):
        found = _kind_of_word(text)
        if found == "areas" and _only_points(raw):
            return "records", f"{text}, points"  # a symbol on a map stands for a record, not for ground
        if found:
            return found, text
    by_columns = _kind_of_columns(raw)
    if by_columns is not None:
        return by_columns
    for name, column in raw.columns.items():
        if column.dtype.kind != "O" or word_key(name) not in {
            "typearea",
            "type_area",
            "type",
            "status",
            "тип",
        }:
            continue
        kinds = {_kind_of_cell(text) for text in set(column.tolist()[:5000]) if text}
        if len(kinds) == 1 and (kind := kinds.pop()):
            kind = "records" if kind == "areas" and _only_points(raw) else kind
            return kind, f"{name}: {column[0]}"
    return None, ""


def _only_points(raw: RawTable) -> bool:
    if raw.geometry is None:
        return False
    types = shapely.get_type_id(shapely.from_wkb(raw.geometry, on_invalid="ignore"))
    return bool(np.isin(types, (-1, 0)).all() and (types == 0).any())


def _kind_of_word(text: str) -> str | None:
    key = word_key(text)
    tables: dict[str, list[str]] = known_words()["kinds"]
    exact = [kind for kind, names in tables.items() if key in {word_key(n) for n in (kind, *names)}]
    if exact:
        return exact[0]
    parts = set(key.split("_"))
    found = [kind for kind, names in tables.items() if parts & {word_key(n) for n in (kind, *names)}]
    return found[0] if len(found) == 1 else None


def _kind_of_cell(text: str) -> str | None:
    return "areas" if word_key(text) in known_values("status") else _kind_of_word(text)


_TELLING = {
    "accidents": {"killed", "injured"},
    "searched": {"detection_probability", "method", "qa"},
    "finds": {"fate", "searched_id", "production_year"},
    "records": {"form_no", "laid", "counts", "series"},
    "areas": {"status"},
}


def _kind_of_columns(raw: RawTable) -> tuple[str, str] | None:
    """Return the kind whose own columns the table has most of."""
    scores: dict[str, set[str]] = {}
    for kind in KINDS:
        named = name_columns(raw, kind, TableContext(), Ledger(raw, kind))
        told = {c for c in named.columns if c in _TELLING[kind]}
        scores[kind] = told - ({"status"} if raw.geometry is None else set())
    best = max(scores, key=lambda kind: len(scores[kind]))
    ties = [kind for kind in scores if len(scores[kind]) == len(scores[best])]
    if not scores[best] or len(ties) > 1 or scores[best] == {"status"}:
        return None
    return best, ", ".join(sorted(scores[best]))

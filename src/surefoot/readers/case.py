"""A case folder -> `Case`: everything that can be read is read, everything else is listed with its reason."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import shapely
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from surefoot.analysis.locate.priors import merged
from surefoot.errors import InputError, RefusedError, UsageError
from surefoot.model import (
    Accidents,
    Case,
    CaseSettings,
    DevicesFound,
    Doubt,
    HazardousAreas,
    InputFile,
    MinefieldRecord,
    SearchedAreas,
    SetAside,
    TableCount,
    Where,
)
from surefoot.positions.zones import utm_crs, utm_zone_of
from surefoot.readers.case_toml import FILE, CaseFile, read_case_file
from surefoot.readers.claims import ClaimsResult, read_claims
from surefoot.readers.columns import KINDS, NamedTable, TableContext
from surefoot.readers.counting import Ledger
from surefoot.readers.joining import join_columns, join_records, located_bounds, renamed
from surefoot.readers.learned_priors import LearnedPriors, read_learned_priors
from surefoot.readers.limits import Job, limits_for, run_jobs
from surefoot.readers.named_files import load_shapes
from surefoot.readers.raw import RawTable
from surefoot.readers.read_tables import TableResult, load_job, misnamed, read_raw, refused
from surefoot.readers.shapes import read_shapes
from surefoot.readers.sniff import SCANS, WORKBOOKS, sniff
from surefoot.readers.tables import read_workbook, workbook_sheets
from surefoot.terms import Severity

_PARTS_OF_SHP = frozenset({".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx", ".qix", ".qpj", ".qmd"})
_NOT_TABLES = frozenset({FILE, "claims.yaml", "cells.csv"})
_NOTHING_LEARNED = LearnedPriors()
_LEAST_SIDE_DEG = 0.01  # a region of one point needs some ground around it


class FormsOutcome(Protocol):
    """What a reader of record forms returns for one file."""

    @property
    def records(self) -> tuple[MinefieldRecord, ...]:
        """The forms that could be read."""

    @property
    def set_aside(self) -> tuple[SetAside, ...]:
        """The forms that could not."""

    @property
    def count(self) -> TableCount:
        """Forms in = read + set aside."""


FormsReader = Callable[[Path], FormsOutcome]


@dataclass
class _Reading:
    """What came out of the files of a case so far."""

    raws: list[tuple[RawTable, str]] = field(default_factory=list)
    records: list[MinefieldRecord] = field(default_factory=list)
    results: list[TableResult] = field(default_factory=list)
    learned: LearnedPriors = _NOTHING_LEARNED
    claims: ClaimsResult | None = None
    tables: list[TableCount] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)


def read_case(folder: Path, *, forms_reader: FormsReader) -> Case:
    """Read a case folder.

    Parameters
    ----------
    folder
        As in interfaces.md: ``case.toml``, ``records/``, tables, ``claims.yaml``. ``truth/`` is never opened.
    forms_reader
        Importable function that reads the record forms of one YAML file or record workbook.

    Raises
    ------
    UsageError
        ``case.toml`` or its region cannot be used.
    RefusedError
        SF-R167 no such folder, SF-R168 nothing in it has a place and no region is stated.
    """
    if not folder.is_dir():
        raise RefusedError("SF-R167", str(folder))
    stated = read_case_file(folder)
    files = _files(folder)
    region = _stated_region(folder, stated)
    learned = _NOTHING_LEARNED if stated.learned is None else read_learned_priors(folder, stated.learned)
    reading = _Reading(learned=learned, doubts=[*stated.doubts, *_listed(folder, files, stated)])
    if learned.case and learned.case == (stated.name or folder.resolve().name):
        reading.doubts.append(Doubt("SF-R194", Severity.WARNING, Where(FILE), str(stated.learned)))
    if stated.region is not None and stated.bbox is not None:
        reading.doubts.append(Doubt("SF-R188", Severity.WARNING, Where(FILE), stated.region))
    _load(folder, files, forms_reader, reading)
    context = TableContext(region, stated.crs, stated.as_of, stated.columns, stated.values)
    results, _ = read_raw(reading.raws, context)
    reading.results += results
    return _case(folder, stated, region, files, reading)


# --- which files -----------------------------------------------------------------------------------------


def _files(folder: Path) -> list[tuple[Path, str]]:
    """Return the files of the case with the table each belongs to, sorted."""
    found: list[tuple[Path, str]] = []
    for path in sorted(folder.iterdir()):
        kind = path.stem.casefold()
        if path.is_file() and kind in KINDS and _visible(path):
            found.append((path, kind))
    inside = folder / "records"
    if inside.is_dir():
        found += [(path, "records") for path in sorted(inside.rglob("*")) if path.is_file() and _visible(path)]
    return found


def _visible(path: Path) -> bool:
    if path.name.startswith((".", "~$")) or path.name.casefold() == "thumbs.db":
        return False
    part_of_shp = path.suffix.casefold() in _PARTS_OF_SHP
    return not (part_of_shp and any(path.with_suffix(s).exists() for s in (".shp", ".SHP")))


def _listed(folder: Path, files: Sequence[tuple[Path, str]], stated: CaseFile) -> list[Doubt]:
    """Return what is to be said about which files there are."""
    doubts: list[Doubt] = []
    for kind in KINDS[1:]:
        names = [_name(folder, path) for path, of in files if of == kind]
        if len(names) > 1:
            told = {"kind": kind, "count": len(names)}
            doubts.append(Doubt("SF-R117", Severity.WARNING, Where(names[0]), ", ".join(names), told))
    texts = sorted(p.name for p in (folder / "statements").glob("*") if p.is_file())
    if texts:
        doubts.append(Doubt("SF-R166", Severity.INFO, Where("statements"), ", ".join(texts), {"count": len(texts)}))
    known = {path for path, _ in files}
    others = [p.name for p in sorted(folder.iterdir()) if p.is_file() and _visible(p) and p not in known]
    others = [n for n in others if n.casefold() not in _NOT_TABLES and not n.casefold().startswith("readme")]
    rules = [value for value in (stated.policy.lane_rules or {}).values() if isinstance(value, str)]
    others = [n for n in others if n not in (*rules, stated.learned)]
    if others:
        doubts.append(Doubt("SF-R189", Severity.INFO, Where(FILE), ", ".join(others)))
    return doubts


def _name(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


# --- loading ---------------------------------------------------------------------------------------------


def load_workbook_or_forms(path: Path, name: str, forms_reader: FormsReader) -> Any:
    """Load a workbook in the child: record forms if it has a sheet ``record``, else a table of records."""
    if "record" in {sheet.strip().casefold() for sheet in workbook_sheets(path, name)}:
        return forms_reader(path)
    return read_workbook(path, name, "records")


def _job(path: Path, name: str, kind: str, forms_reader: FormsReader) -> Job:
    form = sniff(path)
    seconds, megabytes = limits_for(path.stat().st_size)
    if kind == "records" and form == "yaml":
        return Job(forms_reader, (path,), seconds, megabytes)
    if kind == "records" and form in WORKBOOKS:
        return Job(load_workbook_or_forms, (path, name, forms_reader), seconds, megabytes)
    return load_job(path, name, kind)


def _load(folder: Path, files: Sequence[tuple[Path, str]], forms_reader: FormsReader, reading: _Reading) -> None:
    """Load every file in one limited child."""
    jobs: list[tuple[str, str, Job]] = []
    scans = []
    for path, kind in files:
        name = _name(folder, path)
        try:
            if sniff(path) in SCANS and kind == "records":
                scans.append(name)
                continue
            reading.doubts += misnamed(path, name)
            jobs.append((name, kind, _job(path, name, kind, forms_reader)))
        except InputError as error:
            reading.results.append(refused(error, name, kind))
    if scans:
        told = {"count": len(scans)}
        reading.doubts.append(Doubt("SF-R165", Severity.INFO, Where("records"), ", ".join(scans)[:500], told))
    claims = folder / "claims.yaml"
    if claims.is_file():
        jobs.append(("claims.yaml", "claims", Job(read_claims, (claims,), *limits_for(claims.stat().st_size))))
    for (name, kind, _), loaded in zip(jobs, run_jobs([job for _, _, job in jobs]), strict=True):
        _sort_in(name, kind, loaded, reading)


def _sort_in(name: str, kind: str, loaded: Any, reading: _Reading) -> None:
    if isinstance(loaded, InputError):
        reading.results.append(refused(loaded, name, kind))
    elif isinstance(loaded, ClaimsResult):
        reading.claims = loaded
    elif isinstance(loaded, RawTable):
        reading.raws.append((loaded, kind))
    elif isinstance(loaded, tuple):
        reading.raws += [(raw, kind) for raw in loaded]
    else:
        _take_forms(name, loaded, reading)


def _take_forms(name: str, outcome: FormsOutcome, reading: _Reading) -> None:
    """Take forms over under the file's name inside the case."""
    records, set_aside, count = renamed(outcome.records, outcome.set_aside, outcome.count, name)
    reading.records += records
    reading.set_aside += set_aside
    reading.tables.append(count)


# --- the region ------------------------------------------------------------------------------------------


def _stated_region(folder: Path, stated: CaseFile) -> BaseGeometry | None:
    if stated.region is not None:
        return _region_file(folder, stated.region)
    return box(*stated.bbox) if stated.bbox is not None else None


def _region_file(folder: Path, name: str) -> BaseGeometry:
    """Return the polygon of the region's file, WGS 84."""
    try:
        raws = load_shapes(folder, name)
    except InputError as error:
        raise UsageError("SF-R164", name, because=error.id) from error
    parts = [_polygons_of(raw) for raw in raws]
    region = shapely.union_all([part for part in parts if part is not None])
    if region.is_empty or region.area == 0:
        raise UsageError("SF-R164", name, because="SF-R134")
    return region


def _polygons_of(raw: RawTable) -> BaseGeometry | None:
    ledger = Ledger(raw, "region")
    shapes = read_shapes(NamedTable(raw, "region", raw.columns, {}), TableContext(), ledger)
    kept = shapely.make_valid(shapes[ledger.kept])
    areal = [g for g in shapely.get_parts(kept).tolist() if g.geom_type in {"Polygon", "MultiPolygon"}]
    return shapely.union_all(areal) if areal else None


def _box_of(reading: _Reading, records: Iterable[MinefieldRecord]) -> BaseGeometry:
    """Return the box around every usable position of the case."""
    bounds = located_bounds([result.facts for result in reading.results], records)
    if bounds is None:
        raise RefusedError("SF-R168")
    west, south, east, north = bounds
    lack_x = max(_LEAST_SIDE_DEG - (east - west), 0) / 2
    lack_y = max(_LEAST_SIDE_DEG - (north - south), 0) / 2
    return box(west - lack_x, south - lack_y, east + lack_x, north + lack_y)


# --- putting together ------------------------------------------------------------------------------------


def _case(
    folder: Path,
    stated: CaseFile,
    stated_region: BaseGeometry | None,
    files: Sequence[tuple[Path, str]],
    reading: _Reading,
) -> Case:
    records = join_records([*reading.records, *_of_type(reading, MinefieldRecord)], stated.as_of)
    joined = {kind: join_columns(kind, [r for r in reading.results if r.kind == kind]) for kind in KINDS[1:]}
    region = stated_region if stated_region is not None else _box_of(reading, records)
    if stated_region is None:
        bounds = ", ".join(f"{v:.4f}" for v in region.bounds)
        reading.doubts.append(Doubt("SF-R169", Severity.INFO, Where(FILE), bounds))
    zone, north = utm_zone_of(region.centroid.x, region.centroid.y)
    claims = reading.claims or ClaimsResult((), TableCount("claims", "claims.yaml", 0, 0, 0, 0))
    doubts = [d for r in reading.results for d in r.doubts] + [d for _, more in joined.values() for d in more]
    finds, accidents, searched, areas = (joined[kind][0] for kind in KINDS[1:])
    assert isinstance(finds, DevicesFound)
    assert isinstance(accidents, Accidents)
    assert isinstance(searched, SearchedAreas)
    assert isinstance(areas, HazardousAreas)
    return Case(
        settings=_settings(folder, stated, region, stated_region is not None, utm_crs(zone, north), reading.learned),
        records=records,
        finds=finds,
        accidents=accidents,
        searched=searched,
        areas=areas,
        claims=claims.claims,
        tables=(
            *reading.tables,
            *(r.count for r in reading.results),
            *((claims.count,) if reading.claims else ()),
        ),
        set_aside=(*reading.set_aside, *(s for r in reading.results for s in r.set_aside), *claims.set_aside),
        doubts=(*reading.doubts, *doubts, *claims.doubts),
        inputs=_inputs(folder, stated, files),
    )


def _of_type(reading: _Reading, kind: type[MinefieldRecord]) -> list[MinefieldRecord]:
    return [f for r in reading.results if isinstance(r.facts, tuple) for f in r.facts if isinstance(f, kind)]


def _settings(
    folder: Path, stated: CaseFile, region: BaseGeometry, region_stated: bool, utm: str, learned: LearnedPriors
) -> CaseSettings:
    return CaseSettings(
        name=stated.name or folder.resolve().name,
        crs=stated.crs or utm,
        region=region,
        region_stated=region_stated,
        as_of=stated.as_of,
        cell_m=stated.cell_m,
        maps=stated.maps,
        buffers_m=stated.buffers_m,
        include_cleared=stated.include_cleared,
        policy=stated.policy,
        simulated=stated.simulated,
        series=_series(learned, stated),
        priors=stated.priors,
    )


def _series(learned: LearnedPriors, stated: CaseFile) -> Mapping[str, Mapping[str, Any]]:
    """Priors by series: learned ones, the case's own over them."""
    names = {**learned.series, **stated.series}
    return {name: merged(learned.series.get(name, {}), stated.series.get(name, {})) for name in names}


def _inputs(folder: Path, stated: CaseFile, files: Sequence[tuple[Path, str]]) -> tuple[InputFile, ...]:
    """Return every file that was looked at, with its checksum, by its path inside the case."""
    paths = {path for path, _ in files}
    for path, _ in files:
        if path.suffix.casefold() == ".shp":
            paths |= {path.with_suffix(s) for s in _PARTS_OF_SHP if path.with_suffix(s).is_file()}
    paths |= {folder / name for name in (FILE, "claims.yaml", stated.region or FILE, stated.learned or FILE)}
    real = [path for path in paths if path.is_file()]
    found = [InputFile(_name(folder, path), _sha256(path)) for path in real]
    return tuple(sorted(found, key=lambda f: f.path))


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

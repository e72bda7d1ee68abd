"""One door into the program: files in, facts and doubts out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from shapely.geometry.base import BaseGeometry

from surefoot.analysis.locate import LocateContext, Readings, locate
from surefoot.errors import InputError, RefusedError
from surefoot.model import Case, Doubt, MinefieldRecord, SetAside, TableCount, Where
from surefoot.readers.case import read_case
from surefoot.readers.columns import TableContext
from surefoot.readers.forms import read_forms
from surefoot.readers.joining import join_records
from surefoot.readers.limits import limits_for, run_limited
from surefoot.readers.priors import default_priors
from surefoot.readers.read_tables import TableResult, read_table_file
from surefoot.readers.tables import workbook_sheets
from surefoot.terms import Severity

__all__ = ["ReadResult", "default_priors", "read", "read_case_folder"]

_YAML = frozenset({".yaml", ".yml"})
_WORKBOOKS = frozenset({".xlsx", ".xls", ".ods"})


@dataclass(frozen=True)
class ReadResult:
    """Everything in the files given: located records, other tables, counts, rows set aside and doubts."""

    records: tuple[tuple[MinefieldRecord, Readings], ...]
    tables: tuple[TableCount, ...]
    set_aside: tuple[SetAside, ...]
    doubts: tuple[Doubt, ...]
    case: Case | None = None

    @property
    def worst(self) -> Severity:
        """The most serious doubt anywhere."""
        every = [*self.doubts, *(d for r, located in self.records for d in (*r.doubts, *located.doubts))]
        order = list(Severity)
        return max((d.severity for d in every), key=order.index, default=Severity.INFO)


def read_case_folder(folder: Path) -> Case:
    """Read a case folder; see `surefoot.readers.case.read_case`."""
    case = read_case(folder, forms_reader=read_forms)
    priors = default_priors().for_series(case.settings.priors)
    return replace(case, records=note_twins(case.records), settings=replace(case.settings, priors=priors.table))


def read(paths: Path | Sequence[Path], *, region: BaseGeometry | None = None) -> ReadResult:
    """Read files and case folders of any readable kind, and place every record on the ground.

    Parameters
    ----------
    paths
        Files or folders.
    region
        Area of interest, WGS 84: positions far outside are set aside with a doubt.

    Raises
    ------
    RefusedError
        SF-R063 for a path that does not exist.
    """
    parts = [_read_one(path, region) for path in ([paths] if isinstance(paths, Path) else paths)]
    context = LocateContext(default_priors(), region)
    twins = note_twins([record for part in parts for record in part.records])
    located, start = [], 0
    for part in parts:
        located += _located(twins[start : start + len(part.records)], part.context or context)
        start += len(part.records)
    tables = [table for part in parts for table in part.tables]
    return ReadResult(
        tuple(located),
        tuple(_recounted(tables, located)),
        tuple(row for part in parts for row in part.set_aside),
        tuple(doubt for part in parts for doubt in part.doubts),
        parts[0].case if len(parts) == 1 else None,
    )


@dataclass
class _Part:
    records: Sequence[MinefieldRecord]
    tables: Sequence[TableCount]
    set_aside: Sequence[SetAside]
    doubts: Sequence[Doubt]
    case: Case | None = None
    context: LocateContext | None = None


def _read_one(path: Path, region: BaseGeometry | None) -> _Part:
    if not path.exists():
        raise RefusedError("SF-R063", str(path))
    if path.is_dir():
        return _of_case(read_case(path, forms_reader=read_forms))
    suffix = path.suffix.casefold()
    if suffix in _YAML or (suffix in _WORKBOOKS and _is_record_workbook(path)):
        return _of_forms(path)
    return _of_tables(read_table_file(path, context=TableContext(region=region)))


def _is_record_workbook(path: Path) -> bool:
    try:
        names = run_limited(workbook_sheets, path, path.name)
    except InputError:
        return False  # damaged: the table reader says so in the same words for every workbook
    return "record" in {str(name).strip().casefold() for name in names}


def _of_case(case: Case) -> _Part:
    settings = case.settings
    context = LocateContext(
        default_priors().for_series(settings.priors),
        settings.region if settings.region_stated else None,
        series=settings.series,
    )
    return _Part(case.records, case.tables, case.set_aside, case.doubts, case, context)


def _of_forms(path: Path) -> _Part:
    seconds, megabytes = limits_for(path.stat().st_size)
    try:
        forms = run_limited(read_forms, path, seconds=seconds, megabytes=megabytes)
    except InputError as error:
        aside = SetAside(error.id, Where(path.name), error.found, error.values)
        return _Part((), [TableCount("records", path.name, 1, 0, 0, 1)], [aside], ())
    return _Part(join_records(forms.records), [forms.count], forms.set_aside, ())


def _of_tables(results: Iterable[TableResult]) -> _Part:
    part = _Part([], [], [], [])
    records: list[MinefieldRecord] = []
    for result in results:
        if isinstance(result.facts, tuple):
            records += result.facts
        part.tables = [*part.tables, result.count]
        part.set_aside = [*part.set_aside, *result.set_aside]
        part.doubts = [*part.doubts, *result.doubts]
    part.records = join_records(records)
    return part


def note_twins(records: Sequence[MinefieldRecord]) -> tuple[MinefieldRecord, ...]:
    """Doubt every form number that stands on records of other content; both are kept."""
    by_number: dict[tuple[str, str], list[MinefieldRecord]] = {}
    for record in records:
        if record.form_no:
            by_number.setdefault((record.form_no.strip().casefold(), record.series), []).append(record)
    return tuple(_with_twins(r, by_number.get((r.form_no.strip().casefold(), r.series), ())) for r in records)


def _with_twins(record: MinefieldRecord, alike: Sequence[MinefieldRecord]) -> MinefieldRecord:
    others = [r for r in alike if r is not record and _content(r) != _content(record)]
    if not others:
        return record
    told = {"other": ", ".join(r.record_id for r in others[:5])}
    where = replace(record.where, column="form_no")
    doubt = Doubt("SF-R031", Severity.WARNING, where, record.form_no, told)
    return replace(record, doubts=(*record.doubts, doubt))


def _content(record: MinefieldRecord) -> MinefieldRecord:
    """What a record says, without where and when it came in."""
    return replace(record, record_id="", where=Where(""), received=None, doubts=(), geometry_sigma_m=0.0)


def _located(records: Sequence[MinefieldRecord], context: LocateContext) -> list[tuple[MinefieldRecord, Readings]]:
    return [(record, locate(record, context=context)) for record in records]


def _recounted(tables: Sequence[TableCount], located: Sequence[tuple[MinefieldRecord, Readings]]) -> list[TableCount]:
    """Count records with doubts once more: placing them can raise doubts of its own."""
    doubtful: Counter[str] = Counter()
    for record, readings in located:
        serious = any(d.severity is not Severity.INFO for d in (*record.doubts, *readings.doubts))
        doubtful[record.where.file] += serious
    return [_recount(table, doubtful) if table.kind == "records" else table for table in tables]


def _recount(table: TableCount, doubtful: Mapping[str, int]) -> TableCount:
    usable = table.accepted + table.accepted_with_doubts
    with_doubts = min(usable, max(doubtful.get(table.file, 0), table.accepted_with_doubts))
    return replace(table, accepted=usable - with_doubts, accepted_with_doubts=with_doubts)

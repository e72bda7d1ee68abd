"""Named tables -> the column facts of the model: finds, accidents, searched and hazardous areas."""

from __future__ import annotations

import datetime as dt
import re

import numpy as np

from surefoot.model import (
    Accidents,
    Dates,
    DevicesFound,
    Floats,
    Geometries,
    HazardousAreas,
    SearchedAreas,
    Texts,
    category_of_model,
)
from surefoot.readers.cells_text import NumberKind, Numbers, each_distinct, read_numbers, read_words
from surefoot.readers.columns import NamedTable, TableContext, empty_texts, known_values, words_of
from surefoot.readers.counting import Ledger
from surefoot.readers.dates import read_dates
from surefoot.readers.places import COARSE_M, Points
from surefoot.readers.raw import text_column
from surefoot.terms import AreaStatus, DeviceCategory, FindFate, QaResult, SearchMethod, Severity

NO_DEVICE = "no_device"
"""What the word of a fate may say beside those of `FindFate`: the row is no find."""
NEVER_CERTAIN = 0.999  # what a stated detection probability of 1 becomes: no search finds everything
LEAST_PER_CENT = 10.0  # from here on a bare number is in per cent; 1.2 is no share and hardly 1.2 %
_FIRST_PRODUCTION_YEAR = 1900
_PER_CENT = re.compile(r"\s*(?:%|per\s?cent|pct|процент\w*|проц|відсот\w*|posto|faiz)\.?\s*$", re.IGNORECASE)


def devices_found(table: NamedTable, points: Points, context: TableContext, ledger: Ledger) -> DevicesFound:
    """Build the table of finds from the rows that stay."""
    model = table.text("model")
    columns = DevicesFound(
        id=row_ids(table, ledger),
        longitude=points.longitude,
        latitude=points.latitude,
        sigma_m=sigma_m(table, points, ledger),
        date=days(table, "date", context, ledger),
        category=_category(table, model, context, ledger),
        model=model,
        fate=words(table, "fate", FindFate.UNKNOWN, context, ledger),
        searched_id=table.text("searched_id"),
        production_year=_production_year(table, context, ledger),
        record_id=table.text("record_id"),
        row=table.text("row"),
        index=counts(table, "index", ledger),
        source_row=table.raw.rows,
    )
    if table.has("fate"):
        ledger.set_aside(columns.fate == NO_DEVICE, "SF-R233", table.header("fate"), table.text("fate"))
    return columns.take(ledger.kept)


def accidents(table: NamedTable, points: Points, context: TableContext, ledger: Ledger) -> Accidents:
    """Build the table of accidents from the rows that stay; a row may have no position."""
    columns = Accidents(
        id=row_ids(table, ledger),
        longitude=points.longitude,
        latitude=points.latitude,
        sigma_m=sigma_m(table, points, ledger),
        date=days(table, "date", context, ledger),
        activity=table.text("activity"),
        category=_category(table, empty_texts(len(table)), context, ledger),
        killed=counts(table, "killed", ledger),
        injured=counts(table, "injured", ledger),
        sheet=table.text("sheet"),
        source_row=table.raw.rows,
    )
    return columns.take(ledger.kept)


def searched_areas(table: NamedTable, shapes: Geometries, context: TableContext, ledger: Ledger) -> SearchedAreas:
    """Build the table of searched ground from the rows that stay."""
    columns = SearchedAreas(
        id=row_ids(table, ledger),
        geometry=shapes,
        date=days(table, "date", context, ledger),
        method=words(table, "method", SearchMethod.UNKNOWN, context, ledger),
        detection_probability=detection_probability(table, ledger, expected=True),
        qa=words(table, "qa", QaResult.NONE, context, ledger),
        reason=table.text("reason"),
        source_row=table.raw.rows,
    )
    return columns.take(ledger.kept)


def hazardous_areas(
    table: NamedTable, shapes: Geometries, status: Texts, context: TableContext, ledger: Ledger
) -> HazardousAreas:
    """Build the table of areas from the rows that stay."""
    columns = HazardousAreas(
        id=row_ids(table, ledger),
        geometry=shapes,
        status=status,
        date=days(table, "date", context, ledger),
        sheet=table.text("sheet"),
        detection_probability=detection_probability(table, ledger, expected=False),
        source_row=table.raw.rows,
    )
    return columns.take(ledger.kept)


def area_status(table: NamedTable, context: TableContext, ledger: Ledger) -> Texts:
    """Return the status of each area; an area whose status is not understood counts as suspected."""
    if not table.has("status"):
        ledger.note("SF-R148", severity=Severity.WARNING)
        return words(table, "status", AreaStatus.SUSPECTED, context, ledger)
    status = words(table, "status", AreaStatus.SUSPECTED, context, ledger)
    ledger.doubt(table.text("status") == "", "SF-R157", table.header("status"), table.text("status"))
    return status


def row_ids(table: NamedTable, ledger: Ledger) -> Texts:
    """Return the ids; a missing one is made from file and row, one that comes again gets a number."""
    ids = table.text("id").copy()
    made = ledger.kept & (ids == "")
    if made.any():
        stem = table.raw.file.rpartition("/")[2].rpartition(".")[0] or table.raw.file
        ids[made] = [f"{stem}-{row}" for row in table.raw.rows[made]]
        ledger.note("SF-R119", str(ids[made][0]), count=int(made.sum()))
    _doubt_twins(table, ids, made, ledger)
    return ids


def _doubt_twins(table: NamedTable, ids: Texts, made: np.ndarray, ledger: Ledger) -> None:
    """Doubt rows that stand twice, and number ids that stand twice. Changes `ids`."""
    kept = np.flatnonzero(ledger.kept)
    cells = [column.tolist() for column in table.raw.columns.values()]
    if table.raw.geometry is not None:
        cells.append(table.raw.geometry.tolist())
    contents = list(zip(*cells, strict=True))
    seen: set[tuple[object, ...]] = set()
    known: dict[str, int] = {}
    again, other = np.zeros(len(ids), dtype=bool), np.zeros(len(ids), dtype=bool)
    written = ids.copy()
    taken = set(ids[kept].tolist())
    for i in kept:
        again[i] = contents[i] in seen
        seen.add(contents[i])
        name = written[i]
        known[name] = known.get(name, 0) + 1
        if known[name] > 1:
            other[i] = not again[i]
            ids[i] = free_id(name, known[name], taken)
    ledger.doubt(again, "SF-R121", None, written)
    ledger.doubt(other & ~made, "SF-R120", table.header("id"), written)


def free_id(name: str, number: int, taken: set[str]) -> str:
    """Return ``name-number``, counted on until nobody has it; it is taken then."""
    while f"{name}-{number}" in taken:
        number += 1
    taken.add(f"{name}-{number}")
    return f"{name}-{number}"


def words(table: NamedTable, column: str, default: str, context: TableContext, ledger: Ledger) -> Texts:
    """Translate a column of words; a word nobody knows stays `default`, with a doubt that names it."""
    cells = table.text(column)
    meanings, unknown = read_words(cells, words_of(column), context.own_words(table, column))
    allowed = set(known_values(column).values())
    strange = {text for text, ours in meanings.items() if ours and ours not in allowed}
    unknown |= strange
    result = empty_texts(len(cells))
    result[:] = [default if t in strange else meanings[t] or default for t in cells.tolist()]
    if unknown:
        doubtful = np.array([text in unknown for text in cells.tolist()], dtype=bool)
        ledger.doubt(doubtful, "SF-R147", table.header(column), cells, column=column, taken_as=str(default))
    _note_known(column, meanings, unknown, ledger)
    return result


def _note_known(column: str, meanings: dict[str, str], unknown: set[str], ledger: Ledger) -> None:
    translated = sorted(f"{t} = {o}" for t, o in meanings.items() if o and t != o and t not in unknown)
    if translated:
        ledger.note("SF-R150", ", ".join(translated)[:300], column=column)


def _category(table: NamedTable, model: Texts, context: TableContext, ledger: Ledger) -> Texts:
    """Return the category as stated, else the one of a well-known model."""
    category = words(table, "category", DeviceCategory.UNKNOWN, context, ledger)
    stated = table.text("category") != ""
    by_model = each_distinct(model, category_of_model)
    guess = np.array([by_model[text] for text in model.tolist()], dtype=object)
    from_model = ~stated & (guess != DeviceCategory.UNKNOWN) & ledger.kept
    if from_model.any():
        category[from_model] = guess[from_model]
        ledger.note("SF-R183", count=int(from_model.sum()))
    return category


def days(table: NamedTable, column: str, context: TableContext, ledger: Ledger) -> Dates:
    """Read a column of dates; what is no single day is NaT with a doubt."""
    cells = table.text(column)
    read = read_dates(cells)
    header = table.header(column)
    ledger.doubt(read.mask(cells, read.impossible), "SF-R143", header, cells, severity=Severity.ERROR)
    ledger.doubt(read.mask(cells, read.imprecise), "SF-R146", header, cells)
    ledger.doubt(read.mask(cells, read.undecided), "SF-R144", header, cells)
    ledger.doubt(read.mask(cells, read.serial), "SF-R160", header, cells)
    result = read.days(cells)
    later = _after(result, context.as_of)
    ledger.doubt(later, "SF-R145", header, cells, as_of=str(context.as_of))
    return result


def _after(dates: Dates, as_of: dt.date | None) -> np.ndarray:
    if as_of is None:
        return np.zeros(len(dates), dtype=bool)
    return np.asarray(~np.isnat(dates) & (dates > np.datetime64(as_of, "D")))


def counts(table: NamedTable, column: str, ledger: Ledger) -> Floats:
    """Read a column of counts; what is no number, negative or a fraction is dropped with a doubt."""
    read = table.numbers(column, NumberKind.COUNT)
    header, cells = table.header(column), table.as_written(column)
    ledger.doubt(read.bad, "SF-R140", header, cells, severity=Severity.ERROR)
    negative = read.values < 0
    ledger.doubt(negative, "SF-R141", header, cells, severity=Severity.ERROR)
    broken = ~negative & np.isfinite(read.values) & (read.values != np.floor(read.values))
    ledger.doubt(broken, "SF-R158", header, cells, severity=Severity.ERROR)
    ledger.doubt(read.guessed, "SF-R142", header, cells)
    return np.where(negative | broken, np.nan, read.values)


def _production_year(table: NamedTable, context: TableContext, ledger: Ledger) -> Floats:
    years = counts(table, "production_year", ledger)
    short = years < 100
    years = np.where(short, np.where(years >= 30, years + 1900, years + 2000), years)
    last = 2100 if context.as_of is None else context.as_of.year
    strange = np.isfinite(years) & ((years < _FIRST_PRODUCTION_YEAR) | (years > last))
    header, cells = table.header("production_year"), table.as_written("production_year")
    ledger.doubt(strange, "SF-R184", header, cells, severity=Severity.ERROR)
    return np.where(strange, np.nan, years)


def sigma_m(table: NamedTable, points: Points, ledger: Ledger) -> Floats:
    """Return sigma per axis in metres: as stated, joined by the datum operation and a coarse rounding.

    A missing sigma stays unknown (nan), except where the place is written so coarsely that its rounding
    (quantum / sqrt(12) per axis) is what counts.
    """
    read = table.numbers("sigma_m", NumberKind.METRES)
    header, cells = table.header("sigma_m"), table.as_written("sigma_m")
    ledger.doubt(read.bad, "SF-R140", header, cells, severity=Severity.ERROR)
    ledger.doubt(read.guessed, "SF-R142", header, cells)
    nothing = read.values <= 0
    ledger.doubt(nothing, "SF-R149", header, cells)
    per_sigma = table.accuracy.unit_m / table.accuracy.sigmas if table.accuracy is not None else 1.0
    stated = np.where(nothing, np.nan, read.values * per_sigma)
    sigma = stated
    missing = ledger.kept & ~np.isfinite(sigma) & ~points.missing
    if missing.any():
        ledger.note("SF-R151", count=int(missing.sum()), severity=Severity.INFO)
    coarse = points.quantum_m >= COARSE_M
    rounding = np.where(coarse, points.quantum_m / np.sqrt(12.0), 0.0)
    sigma = np.where(coarse & ~np.isfinite(sigma), 0.0, sigma)
    result = np.sqrt(sigma**2 + rounding**2 + points.datum_sigma_m**2)
    return np.where(points.missing, stated, result)


def detection_probability(table: NamedTable, ledger: Ledger, *, expected: bool) -> Floats:
    """Read detection probabilities: "95 %" and "95" are 0.95, 1 becomes `NEVER_CERTAIN`, "0.95 %" stays unknown."""
    cells = table.as_written("detection_probability")
    header = table.header("detection_probability")
    percent = np.array([_PER_CENT.search(text) is not None for text in cells.tolist()], dtype=bool)
    read = _without_percent(table, cells, percent)
    ledger.doubt(read.bad, "SF-R140", header, cells, severity=Severity.ERROR)
    either = percent & (read.values > 0) & (read.values <= 1)
    ledger.doubt(either, "SF-R232", header, cells, severity=Severity.ERROR)
    percent |= (read.values >= LEAST_PER_CENT) & (read.values <= 100)
    values = np.where(percent, read.values / 100, read.values)
    if (percent & ledger.kept).any():
        ledger.note("SF-R153", str(cells[percent][0]))
    outside = np.isfinite(values) & ((values <= 0) | (values > 1))
    ledger.doubt(outside, "SF-R152", header, cells, severity=Severity.ERROR)
    certain = (values > NEVER_CERTAIN) & (values <= 1)
    ledger.doubt(certain, "SF-R154", header, cells, kept=NEVER_CERTAIN)
    result = np.where(outside | either, np.nan, np.minimum(values, NEVER_CERTAIN))
    missing = ledger.kept & ~np.isfinite(result)
    if expected and missing.any():
        ledger.note("SF-R159", count=int(missing.sum()))
    return result


def _without_percent(table: NamedTable, cells: Texts, percent: np.ndarray) -> Numbers:
    if not percent.any():
        return table.numbers("detection_probability", NumberKind.PLAIN)
    bare = [_PER_CENT.sub("", text) for text in cells.tolist()]
    return read_numbers(text_column(bare), NumberKind.PLAIN)

"""Where the rows of a table lie: points and shapes in WGS 84, each with what was open about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import shapely

from surefoot.errors import InputError, PositionError
from surefoot.model import Floats, Geometries, Texts
from surefoot.positions.coordinates import parse_coordinate
from surefoot.positions.mgrs import mgrs_to_utm
from surefoot.positions.statements import CoordinateStatement
from surefoot.positions.zones import geographic_crs, parse_crs, utm_crs
from surefoot.readers.cells_text import Mask, NumberKind
from surefoot.readers.columns import NamedTable, TableContext, empty_texts
from surefoot.readers.counting import Ledger
from surefoot.readers.plane import Moved, is_geographic, move, shortened, source_of, sources, tidy_axes
from surefoot.readers.prefixes import crs_by_prefix, system_name
from surefoot.terms import Severity

WGS84 = "EPSG:4326"
METRES_A_DEGREE = 111_320.0
_ROWS_THAT_SHOW_ROUNDING = 20
COARSE_M = 100.0  # a place written more coarsely than this gets its rounding as uncertainty


@dataclass
class Points:
    """Point positions of a table while they are being read.

    `problem` holds the id of why a row has no position yet ("" = none was looked at), `other` the second way
    to read it (swapped axes, another notation), computed only when the first lies nowhere near.
    """

    longitude: Floats
    latitude: Floats
    datum_sigma_m: Floats
    quantum_m: Floats
    found: Texts
    problem: Texts
    details: dict[int, dict[str, object]] = field(default_factory=dict)
    other: list[tuple[Mask, str, Callable[[Mask], Moved]]] = field(default_factory=list)

    @classmethod
    def unread(cls, length: int) -> Points:
        """Return positions of which nothing is known yet."""
        nan, zero = np.full(length, np.nan), np.zeros(length)
        return cls(nan, nan.copy(), zero, zero.copy(), empty_texts(length), empty_texts(length))

    @property
    def missing(self) -> Mask:
        """Rows without a position so far."""
        return ~(np.isfinite(self.longitude) & np.isfinite(self.latitude))

    def put(self, rows: Mask, moved: Moved) -> None:
        """Take positions over for some rows; `moved` is over the whole table."""
        good = rows & np.isfinite(moved.longitude) & np.isfinite(moved.latitude)
        self.longitude[good], self.latitude[good] = moved.longitude[good], moved.latitude[good]
        self.datum_sigma_m[good] = moved.sigma_m[good]
        self.problem[good] = ""
        for error, failed in moved.failures:
            self.fail(failed & rows, error.id, dict(error.values))
        lost = rows & ~good & (self.problem == "")
        self.problem[lost] = "SF-R123"

    def fail(self, rows: Mask, id_: str, values: dict[str, object] | None = None) -> None:
        """Remember why rows have no position."""
        self.problem[rows] = id_
        if values:
            self.details |= {int(i): values for i in np.flatnonzero(rows)}


def read_points(table: NamedTable, context: TableContext, ledger: Ledger) -> Points:
    """Read the position of every row, in the order geometry, degrees, plane, MGRS, as written."""
    points = Points.unread(len(table))
    if table.raw.geometry is not None or table.has("geometry"):
        _from_geometry(table, context, points, ledger)
    for reader in (_from_degrees, _from_plane, _from_mgrs, _from_text):
        if points.missing.any():
            reader(table, context, points, ledger)
    return points


def note_operations(moved: Moved, source: str, ledger: Ledger) -> None:
    """Tell which datum operation was used, and flag one that another contradicts."""
    for operation in moved.operations:
        if operation.code == "none":
            continue
        values = {
            "operation": operation.code,
            "name": operation.name,
            "source": source,
            "accuracy_m": operation.accuracy_m,
            "spread_m": "?" if operation.spread_m is None else round(operation.spread_m, 1),
        }
        severity = Severity.WARNING if operation.flagged else Severity.INFO
        ledger.note("SF-R136", source, severity=severity, **values)


def _from_geometry(table: NamedTable, context: TableContext, points: Points, ledger: Ledger) -> None:
    shapes, cells, _ = shapes_of(table)
    single = shapely.get_num_geometries(shapes) == 1
    shapes[single] = shapely.get_geometry(shapes[single], 0)
    empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    is_point = (shapely.get_type_id(shapes) == 0) & ~empty
    other = ~empty & ~is_point
    points.found[:] = np.where(cells == "null", "", cells)
    points.fail(other, "SF-R134", {"wanted": "point"})
    points.fail(empty & (cells == "null"), "SF-R131")
    x, y = np.full(len(table), np.nan), np.full(len(table), np.nan)
    x[is_point], y[is_point] = shapely.get_x(shapes[is_point]), shapely.get_y(shapes[is_point])
    points.found[is_point] = [f"{a:.7g}, {b:.7g}" for a, b in zip(x[is_point], y[is_point], strict=True)]
    if table.raw.geometry is None:
        points.fail(shapely.is_missing(shapes) & (cells != ""), "SF-R123")
        degrees = is_point & (np.abs(x) <= 360) & (np.abs(y) <= 360)
        for stated, chosen in _geographic_sources(table, degrees):
            _take(points, chosen, stated, x, y, ledger)
        _plane(points, is_point & ~degrees, _stated_crs(table, context), x, y, ledger)
        return
    source = file_source(table, context, x, y, ledger)
    if source is None:
        points.fail(is_point, "SF-R128")
    else:
        _take(points, is_point, source, x, y, ledger)


def file_source(table: NamedTable, context: TableContext, x: Floats, y: Floats, ledger: Ledger) -> str | None:
    """Return the CRS of a file's geometry; None if it states none and its numbers do not tell either."""
    if table.raw.crs:
        try:
            return source_of(table.raw.crs)
        except InputError:
            return None
    size = np.nanmax(np.abs(np.concatenate([x, y])), initial=0.0)
    if context.crs is not None and size > 360:
        ledger.note("SF-R186", severity=Severity.WARNING, crs=context.crs)
        return source_of(context.crs)
    if size <= 360:
        ledger.note("SF-R186", severity=Severity.WARNING, crs="WGS 84")
        return WGS84
    return None


def _take(points: Points, rows: Mask, source: str, x: Floats, y: Floats, ledger: Ledger) -> None:
    """Move coordinates of one CRS and remember what they are with the axes swapped."""
    east, north = np.where(rows, x, np.nan), np.where(rows, y, np.nan)
    moved = _move(source, east, north)
    points.put(rows, moved)
    note_operations(moved, source, ledger)
    points.other.append((rows, "swapped", lambda some: _move(source, *_only(some, north, east))))


def _only(some: Mask, a: Floats, b: Floats) -> tuple[Floats, Floats]:
    return np.where(some, a, np.nan), np.where(some, b, np.nan)


def _move(source: str, x: Floats, y: Floats) -> Moved:
    """Move positions; WGS 84 degrees stay, also impossible ones, which are judged later."""
    if source in {WGS84, "OGC:CRS84"}:
        return Moved(x, y, np.zeros(len(x)))
    return move(source, x, y)


def _from_degrees(table: NamedTable, context: TableContext, points: Points, ledger: Ledger) -> None:
    if not (table.has("longitude") and table.has("latitude")):
        return
    lon = table.numbers("longitude", NumberKind.DEGREES)
    lat = table.numbers("latitude", NumberKind.DEGREES)
    rows = points.missing & np.isfinite(lon.values) & np.isfinite(lat.values)
    bad = points.missing & (lon.bad | lat.bad)
    points.found[rows | bad] = _pairs(table, "longitude", "latitude", rows | bad)
    points.fail(bad, "SF-R123")
    nowhere = rows & (lon.values == 0) & (lat.values == 0)
    points.fail(nowhere, "SF-R122")
    rows &= ~nowhere
    if not rows.any():
        return
    for source, chosen in _geographic_sources(table, rows):
        _take(points, chosen, source, lon.values, lat.values, ledger)
    _round_off(table, points, rows)


def _geographic_sources(table: NamedTable, rows: Mask) -> list[tuple[str, Mask]]:
    """Return the geographic CRS of each row: the one its crs cell states, else WGS 84."""
    crs = table.text("crs")
    found: list[tuple[str, Mask]] = []
    for text in dict.fromkeys(crs[rows].tolist()):
        chosen = rows & (crs == text)
        found.append((geographic_source(text), chosen))
    return found


def geographic_source(text: str) -> str:
    """Return the geographic CRS a text states; degrees beside a plane CRS (or none) are WGS 84."""
    if not text:
        return WGS84
    try:
        source = source_of(text)
        return source if source is not None and is_geographic(source) else _of_datum(text)
    except (InputError, PositionError):
        return WGS84


def _of_datum(text: str) -> str:
    """Return the geographic CRS of a text that names a datum only, such as "СК-42"."""
    statement = parse_crs(text)
    only_datum = statement.projection in {"", "geographic"}
    return (geographic_crs(statement.datum) if only_datum else None) or WGS84


def _pairs(table: NamedTable, first: str, second: str, rows: Mask) -> list[str]:
    a, b = table.as_written(first)[rows], table.as_written(second)[rows]
    return [f"{x}, {y}" for x, y in zip(a.tolist(), b.tolist(), strict=True)]


def _round_off(table: NamedTable, points: Points, rows: Mask) -> None:
    """Take the rounding of a whole column of degrees as the coarseness of its places.

    Only a column of some length shows it: a few places may well lie on round numbers.
    """
    longest = 0
    if rows.sum() < _ROWS_THAT_SHOW_ROUNDING:
        return
    for name in ("longitude", "latitude"):
        if table.columns[name].dtype.kind == "f":
            return
        cells = [text for text, row in zip(table.columns[name].tolist(), rows, strict=True) if row]
        decimals = [len(c.replace(",", ".").partition(".")[2].rstrip(" °NSEW")) for c in cells]
        longest = max(longest, *decimals)
        if any(mark in cell for cell in cells[:100] for mark in "'′\""):
            return
    points.quantum_m[rows] = METRES_A_DEGREE * 10.0 ** (-longest)


def _from_plane(table: NamedTable, context: TableContext, points: Points, ledger: Ledger) -> None:
    if not (table.has("easting") and table.has("northing")):
        return
    east = table.numbers("easting", NumberKind.METRES)
    north = table.numbers("northing", NumberKind.METRES)
    rows = points.missing & np.isfinite(east.values) & np.isfinite(north.values)
    bad = points.missing & (east.bad | north.bad)
    points.found[rows | bad] = _pairs(table, "easting", "northing", rows | bad)
    points.fail(bad, "SF-R123")
    _plane(points, rows, _stated_crs(table, context), east.values, north.values, ledger)


def _stated_crs(table: NamedTable, context: TableContext) -> Texts:
    """Return the CRS column, with the case's CRS where a row states none."""
    crs = table.text("crs").copy()
    if context.crs:
        crs[crs == ""] = context.crs
    return crs


def _plane(points: Points, rows: Mask, crs: Texts, easting: Floats, northing: Floats, ledger: Ledger) -> None:
    points.fail(rows & (crs == ""), "SF-R128")
    for text in dict.fromkeys(crs[rows & (crs != "")].tolist()):
        chosen = rows & (crs == text)
        only = np.where(chosen, crs, "")
        try:
            for source, part in sources(only, easting):
                east, north, swapped = tidy_axes(source, easting, northing)
                short = part & shortened(source, east, north)
                points.fail(short, "SF-R190", {"source": source})
                ledger.doubt(part & swapped, "SF-R127", "easting", points.found)
                _take(points, part & ~short, source, east, north, ledger)
        except (InputError, PositionError) as error:
            points.fail(chosen & points.missing, error.id, {"crs": text, **error.values})


def _from_mgrs(table: NamedTable, context: TableContext, points: Points, ledger: Ledger) -> None:
    cells = table.text("mgrs")
    rows = points.missing & (cells != "")
    points.found[rows] = cells[rows]
    _mgrs(points, rows, cells, ledger)


def _mgrs(points: Points, rows: Mask, cells: Texts, ledger: Ledger) -> None:
    easting, northing = np.full(len(cells), np.nan), np.full(len(cells), np.nan)
    crs = empty_texts(len(cells))
    for i in np.flatnonzero(rows):
        try:
            zone, north, east_m, north_m, quantum = mgrs_to_utm(cells[i])
        except (InputError, PositionError) as error:
            points.fail(_single(len(cells), int(i)), "SF-R123", {"detail": error.id})
            continue
        easting[i], northing[i], crs[i] = east_m, north_m, utm_crs(zone, north)
        points.quantum_m[i] = quantum
    for source in dict.fromkeys(crs[crs != ""].tolist()):
        _take(points, crs == source, source, easting, northing, ledger)


def _single(length: int, index: int) -> Mask:
    mask = np.zeros(length, dtype=bool)
    mask[index] = True
    return mask


def _from_text(table: NamedTable, context: TableContext, points: Points, ledger: Ledger) -> None:
    cells = table.text("position")
    rows = points.missing & (cells != "")
    points.found[rows] = cells[rows]
    statements: dict[str, CoordinateStatement] = {}
    for text in dict.fromkeys(cells[rows].tolist()):
        try:
            statements[text] = parse_coordinate(text)
        except InputError:
            points.fail(rows & (cells == text), "SF-R123")
    read = np.array([text in statements for text in cells.tolist()], dtype=bool) & rows
    stated = np.full(len(cells), None, dtype=object)
    for i in np.flatnonzero(read):
        stated[i] = statements[cells[i]]
    _place(table, context, points, stated, ledger)
    _remember_alternatives(table, context, points, stated, ledger)


def _place(table: NamedTable, context: TableContext, points: Points, stated: Texts, ledger: Ledger) -> None:
    """Place coordinate statements by their kind; None = nothing stated in the row."""
    kinds = np.array(["" if s is None else s.kind for s in stated.tolist()], dtype=object)
    points.quantum_m[kinds != ""] = [s.quantum_m for s in stated[kinds != ""].tolist()]
    degrees = kinds == "geographic"
    crs = table.text("crs")
    for text in dict.fromkeys(crs[degrees].tolist()):
        lon, lat = _numbers(stated, "longitude"), _numbers(stated, "latitude")
        _take(points, degrees & (crs == text), geographic_source(text), lon, lat, ledger)
    plane = kinds == "plane"
    if plane.any():
        _place_plane(table, context, points, stated, plane, ledger)
    grid = kinds == "mgrs"
    if grid.any():
        references = empty_texts(len(stated))
        references[grid] = [s.mgrs or s.raw for s in stated[grid].tolist()]
        _mgrs(points, grid, references, ledger)
    points.fail((kinds == "square") | (kinds == "local"), "SF-R185")


def _place_plane(
    table: NamedTable, context: TableContext, points: Points, stated: Texts, rows: Mask, ledger: Ledger
) -> None:
    """Place plane coordinates: in their own system, else in that of their zone prefix, else in the case's."""
    crs = _stated_crs(table, context)
    by_prefix = crs_by_prefix(stated, rows & (table.text("crs") == ""), context.region, context.crs)
    guessed = by_prefix != ""
    crs[guessed] = by_prefix[guessed]
    _plane(points, rows, crs, _numbers(stated, "easting"), _numbers(stated, "northing"), ledger)
    for source in dict.fromkeys(by_prefix[guessed].tolist()):
        placed = (by_prefix == source) & ~points.missing
        ledger.doubt(placed, "SF-R215", table.header("position"), points.found, crs=system_name(source))


def _numbers(stated: Texts, name: str) -> Floats:
    values = [None if s is None else getattr(s, name) for s in stated.tolist()]
    return np.array([np.nan if v is None else v for v in values], dtype=np.float64)


def _remember_alternatives(
    table: NamedTable, context: TableContext, points: Points, stated: Texts, ledger: Ledger
) -> None:
    """Keep the second notation a coordinate text may be in, for the case that the first lies nowhere near."""
    second = np.full(len(stated), None, dtype=object)
    for i, statement in enumerate(stated.tolist()):
        if statement is not None and statement.alternatives:
            second[i] = statement.alternatives[0]
    rows = np.array([s is not None for s in second.tolist()], dtype=bool)
    if not rows.any():
        return

    def again(some: Mask) -> Moved:
        trial = Points.unread(len(stated))
        chosen = second.copy()
        chosen[~some] = None
        _place(table, context, trial, chosen, ledger)
        return Moved(trial.longitude, trial.latitude, trial.datum_sigma_m)

    points.other.append((rows, "other notation", again))


def shapes_of(table: NamedTable) -> tuple[Geometries, Texts, Mask]:
    """Return the geometry of each row (None = unreadable), what stood there, and which outline was open.

    A vector file's geometry, else a geometry column of WKT, WKB in hexadecimals or GeoJSON. An outline whose
    last point is not its first is closed.
    """
    if table.raw.geometry is not None:
        strict = shapely.from_wkb(table.raw.geometry, on_invalid="ignore")
        shapes = np.asarray(shapely.from_wkb(table.raw.geometry, on_invalid="fix"), dtype=object)
        found = empty_texts(len(table))
        found[:] = ["null" if s is None else str(s.geom_type) for s in shapes.tolist()]
        return shapes, found, shapely.is_missing(strict) & ~shapely.is_missing(shapes)
    cells = table.text("geometry")
    shapes = np.full(len(cells), None, dtype=object)
    opened = np.zeros(len(cells), dtype=bool)
    for i, text in enumerate(cells.tolist()):
        shapes[i] = _shape(text, "fix")
        opened[i] = shapes[i] is not None and _shape(text, "ignore") is None
    return shapes, cells, opened


def _shape(text: str, on_invalid: Literal["ignore", "fix"]) -> object:
    written = text.partition(";")[2] if text.upper().startswith("SRID=") else text
    try:
        if written.startswith("{"):
            return shapely.from_geojson(written, on_invalid="ignore")
        if written[:2] in {"00", "01"}:
            return shapely.from_wkb(written, on_invalid=on_invalid)
        return shapely.from_wkt(written, on_invalid=on_invalid) if written else None
    except (shapely.errors.GEOSException, ValueError, TypeError):
        return None


def move_shapes(source: str, shapes: Geometries) -> tuple[Geometries, Moved]:
    """Move the vertices of shapes to WGS 84."""
    moved_to: list[Moved] = []

    def vertices(xy: Floats) -> Floats:
        moved_to.append(_move(source, xy[:, 0].copy(), xy[:, 1].copy()))
        return np.column_stack([moved_to[-1].longitude, moved_to[-1].latitude])

    moved = shapely.transform(shapes, vertices)
    return moved, moved_to[0]

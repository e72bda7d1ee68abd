"""Polygons as drawn -> polygons that can be computed with; every repair is told."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from surefoot.errors import InputError, PositionError
from surefoot.model import Floats, Geometries
from surefoot.readers.cells_text import Mask
from surefoot.readers.columns import NamedTable, TableContext
from surefoot.readers.counting import Ledger
from surefoot.readers.near import KM_A_DEGREE, Reach
from surefoot.readers.places import file_source, move_shapes, note_operations, shapes_of
from surefoot.readers.plane import sources

LONG_SIDE_KM = 5.0
_POLYGONAL = (3, 6)


def read_shapes(table: NamedTable, context: TableContext, ledger: Ledger) -> Geometries:
    """Read the geometry of every row, moved to WGS 84; rows without one are set aside.

    Shapes of any type come back, not yet judged; None where the row is set aside.
    """
    shapes, found, opened = shapes_of(table)
    column = table.header("geometry") if table.has("geometry") else None
    none = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    unreadable = shapely.is_missing(shapes) & (found != "") & (found != "null")
    ledger.set_aside(unreadable, "SF-R123", column, found)
    ledger.set_aside(none, "SF-R131", column, found)
    shapes[none] = None
    ledger.doubt(opened, "SF-R135", column, found)
    if table.raw.geometry is None:
        _move_by_column(table, context, shapes, ledger)
    else:
        _move_by_file(table, context, shapes, ledger)
    return shapes


def _extent(shapes: Geometries) -> tuple[Floats, Floats]:
    bounds = shapely.bounds(shapes)
    return bounds[:, [0, 2]].ravel(), bounds[:, [1, 3]].ravel()


def _move_by_file(table: NamedTable, context: TableContext, shapes: Geometries, ledger: Ledger) -> None:
    here = ledger.kept
    if not here.any():
        return
    source = file_source(table, context, *_extent(shapes[here]), ledger)
    if source is None:
        ledger.set_aside(here, "SF-R128", None, np.full(len(shapes), table.raw.crs or "", dtype=object))
        return
    _move(shapes, here, source, ledger)


def _move_by_column(table: NamedTable, context: TableContext, shapes: Geometries, ledger: Ledger) -> None:
    """Move shapes written in cells: by the crs column, plain degrees as WGS 84, else by the case's CRS."""
    crs = table.text("crs").copy()
    bounds = np.abs(shapely.bounds(shapes))
    degrees = (bounds <= 360).all(axis=1)
    crs[(crs == "") & degrees] = "EPSG:4326"
    if context.crs:
        crs[crs == ""] = context.crs
    ledger.set_aside(ledger.kept & (crs == ""), "SF-R128", "crs", table.text("geometry"))
    for text in dict.fromkeys(crs[ledger.kept].tolist()):
        rows = ledger.kept & (crs == text)
        try:
            for source, part in sources(np.where(rows, crs, ""), shapely.bounds(shapes)[:, 0]):
                _move(shapes, part, source, ledger)
        except (InputError, PositionError) as error:
            ledger.set_aside(rows, error.id, "crs", crs, **{"crs": text, **error.values})


def _move(shapes: Geometries, rows: Mask, source: str, ledger: Ledger) -> None:
    if source in {"EPSG:4326", "OGC:CRS84"}:
        return
    moved, how = move_shapes(source, shapes[rows])
    shapes[rows] = moved
    note_operations(how, source, ledger)
    lost = rows.copy()
    lost[rows] = ~np.isfinite(shapely.bounds(moved)).all(axis=1)
    if lost.any():
        error = how.failures[0][0] if how.failures else PositionError("SF-R123")
        ledger.set_aside(lost, error.id, None, np.full(len(shapes), source, dtype=object), **error.values)


def settle_shapes(shapes: Geometries, reach: Reach, ledger: Ledger) -> None:
    """Mend swapped axes, and set aside shapes that lie nowhere near the case. Changes `shapes`."""
    here = np.flatnonzero(ledger.kept)
    if not len(here):
        return
    x, y = middle(shapes[here])
    away = ~reach.holds(x, y)
    if reach.centre is not None and away.any():
        back = away & reach.holds(y, x)
        shapes[here[back]] = shapely.transform(shapes[here[back]], lambda xy: xy[:, ::-1])
        ledger.doubt(_mask(ledger, here[back]), "SF-R127", None, _told(shapes))
        away &= ~back
    for i, lon, lat in zip(here[away], x[away], y[away], strict=True):
        on_earth = abs(lon) <= 180 and abs(lat) <= 90
        id_ = ("SF-R126" if reach.region is None else "SF-R125") if on_earth else "SF-R124"
        ledger.set_aside(_mask(ledger, [i]), id_, None, _told(shapes), **reach.values(lon, lat))


def middle(shapes: Geometries) -> tuple[Floats, Floats]:
    """Return the middle of the box of each shape, degrees."""
    box = shapely.bounds(shapes)
    return (box[:, 0] + box[:, 2]) / 2, (box[:, 1] + box[:, 3]) / 2


def _mask(ledger: Ledger, indices: npt.ArrayLike) -> Mask:
    mask = np.zeros(len(ledger.table), dtype=bool)
    mask[np.asarray(indices, dtype=np.int64)] = True
    return mask


def _told(shapes: Geometries) -> Callable[[int], str]:
    """Return how to tell a shape in a message: by its middle."""

    def tell(index: int) -> str:
        x, y = middle(shapes[[index]])
        return f"{x[0]:.5g}, {y[0]:.5g}"

    return tell


def polygons_only(shapes: Geometries, ledger: Ledger, *, keep_all: Mask, among: Mask | None = None) -> None:
    """Keep polygons of more than nothing; repair crossing outlines. Changes `shapes`.

    Parameters
    ----------
    keep_all
        Rows where a repair keeps every lobe of a crossing outline (hazards); elsewhere (searched or released
        ground) it keeps only what is inside by every rule.
    among
        Only these rows are looked at, the others may be of any type; None = every row must be a polygon.
    """
    if among is None:
        _close_rings(shapes, ledger)
        collections = ledger.kept & (shapely.get_type_id(shapes) == 7)
        shapes[collections] = [_polygons_in(shape) for shape in shapes[collections].tolist()]
        wrong = ledger.kept & ~np.isin(shapely.get_type_id(shapes), _POLYGONAL)
        ledger.set_aside(wrong, "SF-R134", None, lambda i: str(shapes[i].geom_type), wanted="polygon")
        among = np.ones(len(shapes), dtype=bool)
    _repair(shapes, ledger, keep_all, among)
    flat = ledger.kept & among & (shapely.area(shapes) <= 0)
    ledger.set_aside(flat, "SF-R132", None, _told(shapes))
    _doubt_long_sides(shapes, ledger)


def _close_rings(shapes: Geometries, ledger: Ledger) -> None:
    lines = ledger.kept & np.isin(shapely.get_type_id(shapes), (1, 2))
    closed = lines & shapely.is_closed(shapes) & (shapely.get_num_coordinates(shapes) >= 4)
    if closed.any():
        rings = [shapely.get_coordinates(shape) for shape in shapes[closed].tolist()]
        shapes[closed] = [shapely.Polygon(ring) for ring in rings]
        ledger.doubt(closed, "SF-R135", None, _told(shapes))


def _repair(shapes: Geometries, ledger: Ledger, keep_all: Mask, among: Mask) -> None:
    crossing = ledger.kept & among & ~shapely.is_valid(shapes)
    few = np.zeros(len(shapes), dtype=bool)
    for i in np.flatnonzero(crossing):
        few[i] = len(np.unique(shapely.get_coordinates(shapes[i]), axis=0)) < 3
        if not few[i]:
            shapes[i] = repaired(shapes[i], keep_all=bool(keep_all[i]))
    ledger.set_aside(few, "SF-R132", None, _told(shapes))
    gone = crossing & ~few & shapely.is_empty(shapes)
    ledger.set_aside(gone, "SF-R132", None, lambda _: "")
    ledger.doubt(crossing & ~few & ~gone, "SF-R133", None, _told(shapes))


def repaired(shape: BaseGeometry, *, keep_all: bool) -> BaseGeometry:
    """Return a crossing outline as valid polygons.

    The two ways to repair (even-odd by lines, and by the structure of rings) differ where an outline overlaps
    itself. A hazard keeps what is inside by either, released ground only what is inside by both.
    """
    by_lines = _polygons_in(shapely.make_valid(shape))
    by_structure = _polygons_in(shapely.make_valid(shape, method="structure", keep_collapsed=False))
    both = shapely.union(by_lines, by_structure) if keep_all else shapely.intersection(by_lines, by_structure)
    return _polygons_in(both)


def _polygons_in(shape: BaseGeometry) -> BaseGeometry:
    """Return the polygonal part of a geometry."""
    parts = shapely.get_parts(shapely.get_parts([shape]))
    polygons = parts[shapely.get_type_id(parts) == 3]
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons.tolist())


def _doubt_long_sides(shapes: Geometries, ledger: Ledger) -> None:
    here = np.flatnonzero(ledger.kept)
    xy, owner = shapely.get_coordinates(shapes[here], return_index=True)
    step = np.diff(xy, axis=0) * np.column_stack([np.cos(np.deg2rad(xy[1:, 1])), np.ones(max(len(xy) - 1, 0))])
    same = np.diff(owner) == 0
    long = same & (np.hypot(step[:, 0], step[:, 1]) * KM_A_DEGREE > LONG_SIDE_KM)
    ledger.doubt(_mask(ledger, here[np.unique(owner[1:][long])]), "SF-R138", None, _told(shapes), km=LONG_SIDE_KM)

"""Shapes as SVG path text: short numbers, one path per class, nothing finer than the page can show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import numpy.typing as npt
import shapely

from surefoot.writers.map_frame import Floats, Frame, Geometries

FINENESS = 0.35  # page units; finer detail cannot be seen
SMALL = 3.0  # page units; smaller shapes are drawn as a mark of this size


def element(name: str, attributes: Mapping[str, object], content: str | None = None) -> str:
    """Return one SVG element; `content` is markup, already escaped."""
    head = " ".join(f"{k}={quoteattr(str(v))}" for k, v in attributes.items())
    return f"<{name} {head}/>" if content is None else f"<{name} {head}>{content}</{name}>"


def text(x: float, y: float, words: str, **attributes: object) -> str:
    """Return a text element; underscores in attribute names become hyphens."""
    named = {k.replace("_", "-"): v for k, v in attributes.items()}
    return element("text", {"x": num(x), "y": num(y), **named}, escape(words))


def num(value: float) -> str:
    """Write a page coordinate with one decimal, without a useless one."""
    return f"{value:.1f}".removesuffix(".0")


@dataclass(frozen=True, slots=True)
class Shapes:
    """What of a layer lies in a frame: path data, and how many features it stands for."""

    path: str
    small: str  # marks for shapes too small to be seen
    n: int


def shapes(geometry: Geometries, frame: Frame, *, closed: bool, mark_small: bool = True) -> Shapes:
    """Return the paths of lines or polygons within a frame.

    Geometry is clipped a little outside the frame, so that no edge runs along the frame itself.
    """
    near = geometry[~(shapely.is_missing(geometry) | shapely.is_empty(geometry))]
    margin = 6 * frame.metres_per_unit
    west, south, east, north = (
        *(frame.west - margin, frame.south - margin),
        *(frame.east + margin, frame.north + margin),
    )
    bounds = shapely.bounds(near)
    # by boxes: a true intersection test fails on the invalid polygons that real files hold
    hit = (bounds[:, 0] <= east) & (bounds[:, 2] >= west) & (bounds[:, 1] <= north) & (bounds[:, 3] >= south)
    near, bounds = near[hit], bounds[hit]
    extent = np.maximum(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1]) / frame.metres_per_unit
    tiny = extent < SMALL
    large = _as_polygons(near[~tiny], 1.5 * frame.metres_per_unit) if closed else near[~tiny]
    simple = shapely.simplify(large, FINENESS * frame.metres_per_unit)
    drawn = shapely.clip_by_rect(simple, west, south, east, north)
    marks = ""
    if mark_small and tiny.any():
        centres = shapely.get_coordinates(shapely.centroid(near[tiny]))
        marks = squares(frame.page(centres))
    return Shapes(_paths(drawn, frame, closed=closed), marks, len(near))


def _as_polygons(geometry: Geometries, half_width_m: float) -> Geometries:
    """Lines and points in a layer of polygons become narrow polygons; they must not be lost from the map."""
    others = ~np.isin(shapely.get_type_id(geometry), [3, 6])
    widened = geometry.copy()
    widened[others] = shapely.buffer(geometry[others], half_width_m, quad_segs=2)
    return widened


def _paths(geometry: Geometries, frame: Frame, *, closed: bool) -> str:
    parts = shapely.get_parts(shapely.get_parts(geometry))  # twice: clipping can nest collections
    wanted = parts[np.isin(shapely.get_type_id(parts), [3] if closed else [1, 2])]
    rings = shapely.get_rings(wanted) if closed else wanted
    coordinates, owner = shapely.get_coordinates(rings, return_index=True)
    if not len(coordinates):
        return ""
    page = np.round(frame.page(coordinates), 1)
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    return "".join(_ring(points, closed=closed) for points in np.split(page, starts[1:]))


def _ring(points: Floats, *, closed: bool) -> str:
    """One ring as relative moves, which are shorter than absolute ones."""
    steps = np.rint(points * 10).astype(np.int64)
    moves = np.diff(steps, axis=0)[: -1 if closed else None]
    start = f"M{num(points[0, 0])},{num(points[0, 1])}"
    line = "".join(f"l{_tenth(dx)},{_tenth(dy)}" for dx, dy in moves.tolist() if dx or dy)
    return f"{start}{line}z" if closed else f"{start}{line}"


def _tenth(value: int) -> str:
    return f"{value / 10:.1f}".removesuffix(".0")


def thin_points(points: Floats, *, spacing: float = 1.0) -> Floats:
    """Return the points (n, 2) that differ on a grid of `spacing` page units, so that many stay small."""
    if not len(points):
        return points
    _, first = np.unique(np.rint(points / spacing).astype(np.int64), axis=0, return_index=True)
    return points[np.sort(first)]


def squares(points: Floats, size: float = SMALL) -> str:
    """Return squares centred on points."""
    half, s = size / 2, num(size)
    return _stamps(thin_points(points), f"m-{num(half)},-{num(half)}h{s}v{s}h-{s}z")


def circles(points: Floats, radius: float) -> str:
    """Return circles centred on points."""
    r, d = num(radius), num(2 * radius)
    return _stamps(thin_points(points), f"m-{r},0a{r},{r} 0 1,0 {d},0a{r},{r} 0 1,0 -{d},0z")


def triangles(points: Floats, radius: float) -> str:
    """Return upright triangles centred on points."""
    r, h = num(radius), num(1.73 * radius)
    return _stamps(thin_points(points), f"m0,-{num(1.1 * radius)}l{r},{h}h-{num(2 * radius)}z")


def stars(points: Floats, radius: float) -> str:
    """Return five-pointed stars centred on points."""
    turn = np.arange(10) * np.pi / 5
    reach = radius * np.where(np.arange(10) % 2, 0.45, 1.0)
    ring = np.column_stack([reach * np.sin(turn), -reach * np.cos(turn)])
    moves = np.diff(np.vstack([[0.0, 0.0], ring]), axis=0)
    stamp = "".join(f"{'m' if i == 0 else 'l'}{dx:.2f},{dy:.2f}" for i, (dx, dy) in enumerate(moves.tolist()))
    return _stamps(thin_points(points), f"{stamp}z")


def _stamps(points: Floats, stamp: str) -> str:
    return "".join(f"M{num(px)},{num(py)}{stamp}" for px, py in points.tolist())


def symbols(data: str, *, fill: str, edge: str, width: float) -> str:
    """Return symbols of one class: a rim under all of them, then the symbols.

    One path with a stroke would paint every rim over every symbol: where many lie on one another nothing but
    rim would be left, and a cluster of finds would vanish in white.
    """
    inner = {"stroke": edge, "stroke-width": round(width * 0.6, 2), "stroke-opacity": 0.4}
    rim = path(data, {"fill": "none", "stroke": edge, "stroke-width": round(width * 2, 2), "stroke-linejoin": "round"})
    return rim + path(data, {"fill": fill, **inner})


def path(data: str, attributes: Mapping[str, Any]) -> str:
    """Return a path element, or nothing for no data."""
    return element("path", {"d": data, **attributes}) if data else ""


def group(parts: Iterable[str], attributes: Mapping[str, Any]) -> str:
    """Return a group of the parts that are not empty."""
    return element("g", attributes, "".join(p for p in parts if p))


def northern_corners(geometry: Geometries) -> Geometries:
    """Return the northernmost vertex of every geometry as a point, None where there is none."""
    corners = np.full(len(geometry), None, dtype=object)
    coordinates, owner = shapely.get_coordinates(geometry, return_index=True)
    order = np.lexsort((-coordinates[:, 1], owner))
    rows, first = np.unique(owner[order], return_index=True)
    corners[rows] = shapely.points(coordinates[order][first])
    return corners


def page_points(geometry: Geometries, frame: Frame) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return the points of a layer that lie in the frame, in page units, with their row numbers."""
    rows = np.flatnonzero(~(shapely.is_missing(geometry) | shapely.is_empty(geometry)))
    there = geometry[rows]
    points = there if (shapely.get_type_id(there) == shapely.GeometryType.POINT).all() else shapely.centroid(there)
    coordinates = shapely.get_coordinates(points)
    inside = frame.contains(coordinates)
    return frame.page(coordinates[inside]), rows[inside]

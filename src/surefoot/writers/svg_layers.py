"""The layers of a map, each class of things drawn with its legend entry, lowest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from surefoot.terms import AreaStatus, QaResult, SearchMethod
from surefoot.writers import palette
from surefoot.writers.map_frame import Floats, Frame, Geometries, Ground
from surefoot.writers.svg_labels import place_labels
from surefoot.writers.svg_paths import (
    Shapes,
    circles,
    element,
    northern_corners,
    page_points,
    path,
    shapes,
    squares,
    stars,
    symbols,
    text,
    triangles,
)
from surefoot.writers.words import Words

# how many labels go with which size; beyond the last none, rather than some
LABEL_SIZES = ((60, 13.0), (120, 11.0), (320, 9.0))
_SIZES = {squares: 2.0, circles: 1.0, triangles: 1.45}  # of the radius, so that the three look equally large
_RELEASED = {
    AreaStatus.CLEARED: "1 3",
    AreaStatus.REDUCED: "5 2",
    AreaStatus.CANCELLED: "9 3",
    AreaStatus.LIFTED: "7 2 1 2",
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """One class of things on a map: its markup, its legend swatch and words."""

    svg: str
    swatch: str
    label: str
    n: int


def draw_layers(ground: Ground, frame: Frame, words: Words, *, detail: bool, corrected: bool) -> Iterator[Drawn]:
    """Every class of things, lowest first; rows after re-anchoring where `corrected`."""
    yield from _searched(ground, frame, words)
    yield from _areas(ground, frame, words)
    yield from _record_layers(ground, frame, words, detail=detail)
    if corrected:
        yield from _corrected_rows(ground, frame, words, detail=detail)
    yield from _finds(ground, frame, words, detail=detail)
    yield from _accidents(ground, frame, words)


def _swatch(attributes: Mapping[str, object]) -> str:
    return element("rect", {"x": 0, "y": -11, "width": 26, "height": 13, **attributes})


def _polygons(geometry: Geometries, frame: Frame, label: str, words: Words, style: Mapping[str, object]) -> Drawn:
    found = shapes(geometry, frame, closed=True)
    small = {**style, "fill-opacity": 1, "fill": style.get("stroke", style["fill"]), "stroke": "none"}
    svg = path(found.path, {**style, "fill-rule": "nonzero", "stroke-linejoin": "round"}) + path(found.small, small)
    return Drawn(svg, _swatch(style), _counted(label, found, words), found.n)


def _counted(label: str, found: Shapes, words: Words) -> str:
    return f"{label} ({words.count(found.n)})"


def _searched(ground: Ground, frame: Frame, words: Words) -> Iterator[Drawn]:
    geometry = ground.geometry.get("searched")
    if geometry is None:
        return
    clearance = ground.column("searched", "method") == SearchMethod.CLEARANCE.value
    passed = ground.column("searched", "qa") == QaResult.PASSED.value
    stated = np.array(
        [v is not None and v == v for v in ground.column("searched", "detection_probability")], dtype=bool
    )
    verified = np.asarray(clearance & passed, dtype=bool) & stated
    style = {"stroke": palette.SEARCHED_LINE.hex, "stroke-width": 1.2}
    other = {**style, "fill": "#EDF1F6", "stroke-dasharray": "5 3"}
    yield _polygons(geometry[~verified], frame, words("map.searched_other"), words, other)
    solid = {**style, "fill": palette.SEARCHED.hex}
    yield _polygons(geometry[verified], frame, words("map.searched_verified"), words, solid)


def _areas(ground: Ground, frame: Frame, words: Words) -> Iterator[Drawn]:
    geometry = ground.geometry.get("areas")
    if geometry is None:
        return
    status = ground.column("areas", "status")
    for value, dash in _RELEASED.items():
        colour = palette.AREA[value]
        style = {"fill": colour.hex, "fill-opacity": colour.opacity, "stroke": "#5B6675", "stroke-width": 1}
        label = words(f"map.area_{value.value}")
        yield _polygons(geometry[status == value.value], frame, label, words, {**style, "stroke-dasharray": dash})
    for value in (AreaStatus.SUSPECTED, AreaStatus.SHA, AreaStatus.CHA):
        colour = palette.AREA[value]
        style = {
            "fill": colour.hex,
            "fill-opacity": colour.opacity,
            "stroke": colour.hex,
            "stroke-width": 1.2,
        }
        if value is AreaStatus.SUSPECTED:
            style["stroke-dasharray"] = "6 3"
        label = words(f"map.area_{value.value}")
        yield _polygons(geometry[status == value.value], frame, label, words, style)


def _record_layers(ground: Ground, frame: Frame, words: Words, *, detail: bool) -> Iterator[Drawn]:
    empty = np.empty(0, dtype=object)
    colour = palette.RECORD.hex
    style = {"fill": colour, "fill-opacity": 0.16, "stroke": colour, "stroke-width": 1.8 if detail else 1.1}
    yield _polygons(ground.geometry.get("records", empty), frame, words("map.records"), words, style)
    rows = shapes(ground.geometry.get("rows", empty), frame, closed=False, mark_small=False)
    line = {
        "fill": "none",
        "stroke": palette.ROW.hex,
        "stroke-width": 2 if detail else 1,
        "stroke-linecap": "round",
    }
    yield Drawn(path(rows.path, line), path("M0,-5H26", line), _counted(words("map.rows"), rows, words), rows.n)
    ellipses = shapes(ground.geometry.get("ellipses", empty), frame, closed=True, mark_small=False)
    dash = {
        "fill": "none",
        "stroke": palette.ELLIPSE.hex,
        "stroke-width": 1.6 if detail else 1,
        "stroke-dasharray": "6 3",
    }
    swatch = element("ellipse", {"cx": 13, "cy": -5, "rx": 12, "ry": 6, **dash})
    label = words("map.ellipses", level=_level(ground, words))
    yield Drawn(path(ellipses.path, dash), swatch, _counted(label, ellipses, words), ellipses.n)


def _corrected_rows(ground: Ground, frame: Frame, words: Words, *, detail: bool) -> Iterator[Drawn]:
    geometry = ground.geometry.get("rows_corrected")
    if geometry is None:
        return
    best = np.asarray(ground.column("rows_corrected", "is_best"), dtype=bool)
    for chosen, key, dash in ((~best, "rows_possible", "2 4"), (best, "rows_corrected", None)):
        rows = shapes(geometry[chosen], frame, closed=False, mark_small=False)
        line = {
            "fill": "none", "stroke": palette.CORRECTED.hex, "stroke-width": 2.4 if detail else 1.4,
            "stroke-linecap": "round", **({"stroke-dasharray": dash} if dash else {}),
        }  # fmt: skip
        yield Drawn(path(rows.path, line), path("M0,-5H26", line), _counted(words(f"map.{key}"), rows, words), rows.n)


def _level(ground: Ground, words: Words) -> str:
    levels = sorted({round(float(v), 3) for v in ground.column("ellipses", "level") if v is not None})
    return ", ".join(words.share(v) for v in levels) or words("not_stated")


def _finds(ground: Ground, frame: Frame, words: Words, *, detail: bool) -> Iterator[Drawn]:
    points, rows = page_points(ground.geometry.get("finds", np.empty(0, dtype=object)), frame)
    p = np.array([np.nan if v is None else v for v in ground.column("finds", "p_unrecorded")[rows]], dtype=np.float64)
    radius = 5.0 if detail else 3.4
    if not len(ground.geometry.get("records", ())):
        p[:] = np.nan  # nothing to be of
    classes = (
        ("map.finds_untested", np.isnan(p), squares, palette.FIND_UNTESTED.hex),
        ("map.finds_recorded", p < 0.5, circles, palette.FIND_RECORDED.hex),
        ("map.finds_unrecorded", p >= 0.5, triangles, palette.FIND_UNRECORDED.hex),
    )
    for key, chosen, shape, fill in classes:
        size = _SIZES[shape] * radius
        white = palette.PAPER.hex
        swatch = symbols(shape(np.array([[13.0, -5.0]]), size), fill=fill, edge=white, width=0.9)
        label = f"{words(key)} ({words.count(int(chosen.sum()))})"
        svg = symbols(shape(points[chosen], size), fill=fill, edge=white, width=0.9)
        yield Drawn(svg, swatch, label, int(chosen.sum()))


def _accidents(ground: Ground, frame: Frame, words: Words) -> Iterator[Drawn]:
    points, rows = page_points(ground.geometry.get("accidents", np.empty(0, dtype=object)), frame)
    outside = [None if v is None or v != v else bool(v) for v in ground.column("accidents", "outside_records")[rows]]
    classes = (
        ("map.accidents_unknown", None, palette.ACCIDENT_UNKNOWN.hex),
        ("map.accidents_inside", False, palette.ACCIDENT_INSIDE.hex),
        ("map.accidents_outside", True, palette.ACCIDENT_OUTSIDE.hex),
    )
    radius = 8.0 if len(points) <= 150 else 6.0 if len(points) <= 600 else 4.5
    for key, value, fill in classes:
        chosen = np.array([v is value for v in outside], dtype=bool)
        ink = {"fill": fill, "edge": palette.INK.hex}
        swatch = symbols(stars(np.array([[13.0, -5.0]]), 8), **ink, width=1.1)
        label = f"{words(key)} ({words.count(int(chosen.sum()))})"
        svg = symbols(stars(points[chosen], radius), **ink, width=radius / 7)
        yield Drawn(svg, swatch, label, int(chosen.sum()))


def draw_labels(ground: Ground, frame: Frame, *, detail: bool) -> tuple[list[str], int]:
    """Form numbers at the northern corner of the records; on a crowded overview none, rather than some."""
    anchors, rows = page_points(northern_corners(_places_of_records(ground)), frame)
    size = 15.0 if detail else next((size for most, size in LABEL_SIZES if len(rows) <= most), 0.0)
    if not size:
        return [], len(rows)
    forms, ids = ground.column("records", "form_no"), ground.column("records", "record_id")
    names = [str(forms[i] or ids[i]) for i in rows]
    marks = _marks(ground, frame)
    placed, left_out = place_labels(names, anchors, marks, frame, size=size, reach=4)
    style = {
        "font_size": size, "font_weight": "bold", "fill": palette.ROW.hex,
        "stroke": palette.PAPER.hex, "stroke_width": 3, "paint_order": "stroke", "stroke_linejoin": "round",
    }  # fmt: skip
    return [text(p.left, p.baseline, p.words, **style) for p in placed], left_out


def _places_of_records(ground: Ground) -> Geometries:
    """The footprint of every record, the ellipse of its place where it has none."""
    empty = np.empty(0, dtype=object)
    places = ground.geometry.get("records", empty).copy()
    ellipses = ground.geometry.get("ellipses", empty)
    by_record = dict(zip(ground.column("ellipses", "record_id"), ellipses, strict=True))
    for n, record_id in enumerate(ground.column("records", "record_id")):
        if places[n] is None or places[n].is_empty:
            places[n] = by_record.get(record_id)
    return places


def _marks(ground: Ground, frame: Frame) -> Floats:
    empty = np.empty(0, dtype=object)
    points = [page_points(ground.geometry.get(layer, empty), frame)[0] for layer in ("finds", "accidents")]
    return np.vstack(points)

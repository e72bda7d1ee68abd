"""The one map writer: an SVG that says by itself what it shows, when, in which grid, and what it does not.

Ground of which nothing is known is hatched, so that it never looks lower than ground that was searched;
nothing is green. Every map carries its warnings, because maps are cut out and passed on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import shorten, wrap
from typing import Any

import numpy as np

from surefoot.writers import Assessment, palette
from surefoot.writers.map_frame import (
    Frame,
    Ground,
    centre_wgs84,
    convergence_deg,
    fit,
    ground_of,
    overview_bounds,
    record_bounds,
    round_step,
)
from surefoot.writers.svg_layers import Drawn, draw_labels, draw_layers
from surefoot.writers.svg_paths import (
    element,
    group,
    num,
    page_points,
    path,
    text,
)
from surefoot.writers.words import Words

WIDTH = 1000.0
LEFT, RIGHT, TOP = 70.0, 34.0, 62.0
LEGEND_ROW = 22.0
LINE_LETTERS = 108  # bold letters of size 13 across the frame
TITLE_LETTERS, CASE_LETTERS = 52, 60
OVERVIEW_SHAPE = (0.6, 0.95)
DETAIL_SHAPE = (0.4, 0.44)  # two to a page


@dataclass(frozen=True, slots=True)
class MapSheet:
    """What stands on every map of one assessment."""

    case: str
    as_of: str
    simulated: bool
    words: Words


@dataclass(frozen=True, slots=True)
class SvgMap:
    """One finished map: its title, its SVG and the record it shows ("" = the overview)."""

    title: str
    svg: str
    record_id: str = ""


def overview_maps(assessment: Assessment, ground: Ground, *, words: Words) -> tuple[SvgMap, ...]:
    """Return the maps of the whole case, as recorded and after re-anchoring; none where nothing has a position."""
    bounds = overview_bounds(ground)
    if bounds is None:
        return ()
    sheet, frame = _sheet(assessment, words), _frame(bounds, OVERVIEW_SHAPE)
    moved = ground.geometry.get("rows_corrected")
    if moved is None or not len(moved):
        title = words("map.overview")
        return (SvgMap(title, _draw(sheet, ground, frame, title, prefix="m0", detail=False, corrected=False)),)
    before, after = words("map.overview_before"), words("map.overview_after")
    return (
        SvgMap(before, _draw(sheet, ground, frame, before, prefix="m0", detail=False, corrected=False)),
        SvgMap(after, _draw(sheet, ground, frame, after, prefix="m00", detail=False, corrected=True)),
    )


def detail_maps(assessment: Assessment, ground: Ground, *, words: Words, limit: int = 12) -> tuple[SvgMap, ...]:
    """Return maps of single records: those with most finds first, then those with most doubts.

    Records whose ground already lies in an earlier detail map get none of their own.
    """
    sheet = _sheet(assessment, words)
    maps: list[SvgMap] = []
    for k, (record_id, frame) in enumerate(_detail_frames(assessment, ground, limit), start=1):
        title = words("map.detail", record=_record_name(ground, record_id))
        svg = _draw(sheet, ground, frame, title, prefix=f"m{k}", detail=True, corrected=True)
        maps.append(SvgMap(title, svg, record_id))
    return tuple(maps)


def maps_of(assessment: Assessment, *, lang: str = "en", limit: int = 12) -> tuple[SvgMap, ...]:
    """Return the overviews, then the detail maps; empty where nothing has a position.

    Parameters
    ----------
    assessment
        The result; layers in EPSG:4326, drawn in the assessment's CRS.
    lang
        Language of the maps.
    limit
        At most so many detail maps.
    """
    words, ground = Words(lang), ground_of(assessment)
    overview = overview_maps(assessment, ground, words=words)
    return (*overview, *detail_maps(assessment, ground, words=words, limit=limit)) if overview else ()


def _sheet(assessment: Assessment, words: Words) -> MapSheet:
    document = assessment.document
    as_of = document.get("as_of") or words("not_stated")
    return MapSheet(str(document["case"]), str(as_of), bool(document["simulated"]), words)


def _frame(bounds: tuple[float, float, float, float], shape: tuple[float, float]) -> Frame:
    return fit(bounds, left=LEFT, top=TOP, width=WIDTH - LEFT - RIGHT, shape=shape)


def _record_name(ground: Ground, record_id: str) -> str:
    ids, forms = ground.column("records", "record_id"), ground.column("records", "form_no")
    form = next((f for r, f in zip(ids, forms, strict=True) if r == record_id and f), None)
    return f"{form} ({record_id})" if form else record_id


def _detail_frames(assessment: Assessment, ground: Ground, limit: int) -> Iterator[tuple[str, Frame]]:
    finds = {r["record_id"]: float(r.get("finds") or 0.0) for r in assessment.document.get("records") or []}
    doubts = Counter(d.get("record_id") for d in assessment.document.get("doubts") or [])
    ids = [str(r) for r in ground.column("records", "record_id")]
    used: list[tuple[float, float, float, float]] = []
    for record_id in sorted(ids, key=lambda r: (-finds.get(r, 0.0), -doubts[r], r)):
        bounds = record_bounds(ground, record_id) if len(used) < limit else None
        if bounds is None or any(_within(bounds, other) for other in used):
            continue
        frame = _frame(bounds, DETAIL_SHAPE)
        used.append((frame.west, frame.south, frame.east, frame.north))
        yield record_id, frame


def _within(inner: tuple[float, ...], outer: tuple[float, ...]) -> bool:
    return inner[0] >= outer[0] and inner[1] >= outer[1] and inner[2] <= outer[2] and inner[3] <= outer[3]


# --- the sheet -------------------------------------------------------------------------------------------


def _draw(
    sheet: MapSheet, ground: Ground, frame: Frame, title: str, *, prefix: str, detail: bool, corrected: bool
) -> str:
    drawn = [d for d in draw_layers(ground, frame, sheet.words, detail=detail, corrected=corrected) if d.n]
    labels, left_out = draw_labels(ground, frame, detail=detail)
    bottom = frame.top + frame.height
    legend, legend_height = _legend(drawn, prefix, bottom + 80, sheet.words, columns=3 if detail else 2)
    top = bottom + 100 + legend_height
    notes = _warnings(sheet, top) if detail else _notes(ground, frame, left_out, sheet, top)
    height = top + 20 * len(notes) - 6
    x, y, w, h = (num(v) for v in (frame.left, frame.top, frame.width, frame.height))
    box = {"x": x, "y": y, "width": w, "height": h}
    parts = [
        _defs(prefix, box),
        element("rect", {"width": num(WIDTH), "height": num(height), "fill": palette.PAPER.hex}),
        element("rect", {**box, "fill": f"url(#{prefix}-hatch)"}),
        group([d.svg for d in drawn] + labels, {"clip-path": f"url(#{prefix}-clip)"}),
        _grid(frame, sheet.words),
        element("rect", {**box, "fill": "none", "stroke": palette.INK.hex, "stroke-width": 1.6}),
        _head(sheet, ground, title),
        _scale_bar(frame, bottom + 52, sheet.words),
        _north_arrow(frame, ground, bottom + 30, sheet.words),
        legend,
        *notes,
        _watermark(frame, sheet),
    ]
    head = {
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": f"0 0 {num(WIDTH)} {num(height)}",
        "role": "img",
        "aria-label": f"{title}. {sheet.words('map.warning')}",
        "font-family": "Noto Sans, sans-serif",
        "font-size": 14,
        "fill": palette.INK.hex,
    }
    return element("svg", head, "".join(p for p in parts if p))


def _defs(prefix: str, box: Mapping[str, str]) -> str:
    stroke = {"stroke": "#C4CAD3", "stroke-width": 1}
    hatch = element(
        "pattern",
        {"id": f"{prefix}-hatch", "width": 9, "height": 9, "patternUnits": "userSpaceOnUse",
         "patternTransform": "rotate(45)"},
        element("rect", {"width": 9, "height": 9, "fill": "#F4F5F7"})
        + element("path", {"d": "M0,0V9", **stroke}),
    )  # fmt: skip
    clip = element("clipPath", {"id": f"{prefix}-clip"}, element("rect", box))
    return element("defs", {}, hatch + clip)


def _head(sheet: MapSheet, ground: Ground, title: str) -> str:
    words = sheet.words
    case = shorten(sheet.case, CASE_LETTERS, placeholder="…")
    line = words("map.subtitle", case=case, as_of=sheet.as_of, crs=ground.crs, crs_name=ground.crs_name)
    name = title if len(title) <= TITLE_LETTERS else f"{title[: TITLE_LETTERS - 1]}…"
    return text(LEFT, 19, name, font_size=19, font_weight="bold") + text(LEFT, 45, line, font_size=13)


def _watermark(frame: Frame, sheet: MapSheet) -> str:
    if not sheet.simulated:
        return ""
    box = {"x": num(frame.left + frame.width - 330), "y": 1, "width": 330, "height": 24, "fill": "#8B0000"}
    words = sheet.words("simulated")
    middle = frame.left + frame.width - 165
    label = text(middle, 18, words, text_anchor="middle", font_weight="bold", fill="#FFFFFF", font_size=15)
    return element("rect", box) + label


def _grid(frame: Frame, words: Words) -> str:
    step = round_step(max(frame.east - frame.west, frame.north - frame.south), 4.5)
    unit, decimals = (1000.0, 0 if step >= 1000 else 1 if step >= 100 else 2)
    lines, labels = [], []
    bottom, right = frame.top + frame.height, frame.left + frame.width
    for easting in np.arange(np.ceil(frame.west / step), frame.east / step) * step:
        x = num(float(frame.page(np.array([[easting, frame.north]]))[0, 0]))
        lines.append(f"M{x},{num(frame.top)}V{num(bottom)}")
        label = f"{easting / unit:.{decimals}f}"
        if float(x) < right - 24:  # room for the unit at the corner
            labels.append(text(float(x), bottom + 17, label, text_anchor="middle", font_size=12.5))
    for northing in np.arange(np.ceil(frame.south / step), frame.north / step) * step:
        y = num(float(frame.page(np.array([[frame.west, northing]]))[0, 1]))
        lines.append(f"M{num(frame.left)},{y}H{num(right)}")
        label = f"{northing / unit:.{decimals}f}"
        if float(y) > frame.top + 18:  # room for the unit at the corner
            labels.append(text(frame.left - 6, float(y) + 4, label, text_anchor="end", font_size=12.5))
    axes = text(right + 3, bottom + 17, words("map.easting"), font_size=11.5)
    axes += text(frame.left - 6, frame.top + 4, words("map.northing"), font_size=11.5, text_anchor="end")
    grid = path("".join(lines), {"stroke": "#5B6675", "stroke-width": 0.6, "stroke-opacity": 0.45, "fill": "none"})
    return grid + "".join(labels) + axes


def _scale_bar(frame: Frame, y: float, words: Words) -> str:
    length = round_step(frame.east - frame.west, 4)
    side = length / frame.metres_per_unit
    quarter = side / 4
    ink = {"stroke": palette.INK.hex, "stroke-width": 1}
    cells = [
        element("rect", {"x": num(LEFT + i * quarter), "y": num(y), "width": num(quarter), "height": 7,
                         "fill": palette.INK.hex if i % 2 == 0 else palette.PAPER.hex, **ink})
        for i in range(4)
    ]  # fmt: skip
    unit, factor = (words("unit.km"), 1000.0) if length >= 1000 else (words("unit.m"), 1.0)
    ticks = [
        (0.0, "0"),
        (side / 2, _short(length / 2 / factor, words)),
        (side, f"{_short(length / factor, words)} {unit}"),
    ]
    labels = [text(LEFT + at, y - 5, label, text_anchor="middle", font_size=12.5) for at, label in ticks]
    return "".join(cells + labels)


def _short(value: float, words: Words) -> str:
    return words.number(value, 0 if float(value).is_integer() else 2 if round(value * 10) != value * 10 else 1)


def _north_arrow(frame: Frame, ground: Ground, y: float, words: Words) -> str:
    x = LEFT + frame.width * 0.36
    arrow = path(f"M{num(x)},{num(y)}l8,28l-8,-7l-8,7z", {"fill": palette.INK.hex})
    turn = convergence_deg(frame, ground.crs)
    longitude, latitude = centre_wgs84(frame, ground.crs)
    lines = [
        words(
            "map.grid_north",
            angle=words.number(abs(turn), 1),
            side=words("map.east" if turn > 0 else "map.west"),
        ),
        words(
            "map.centre",
            latitude=words("map.latitude_n" if latitude >= 0 else "map.latitude_s", angle=f"{abs(latitude):.5f}"),
            longitude=words("map.longitude_e" if longitude >= 0 else "map.longitude_w", angle=f"{abs(longitude):.5f}"),
        ),
    ]
    label = "".join(text(x + 34, y + 12 + 17 * i, line, font_size=12.5) for i, line in enumerate(lines))
    return arrow + text(x + 11, y + 8, "N", font_weight="bold", font_size=14) + label


def _legend(drawn: Sequence[Drawn], prefix: str, top: float, words: Words, *, columns: int) -> tuple[str, float]:
    hatch = element("rect", {"width": 26, "height": 13, "x": 0, "y": -11, "fill": f"url(#{prefix}-hatch)",
                             "stroke": "#8A93A0", "stroke-width": 0.8})  # fmt: skip
    entries = [*((d.swatch, d.label) for d in reversed(drawn)), (hatch, words("map.no_information"))]
    rows = -(-len(entries) // columns)
    column = (WIDTH - LEFT - RIGHT) / columns
    parts = []
    for i, (swatch, label) in enumerate(entries):
        x, y = LEFT + (i // rows) * column, top + 16 + (i % rows) * LEGEND_ROW
        moved = element("g", {"transform": f"translate({num(x)},{num(y)})"}, swatch)
        parts.append(moved + text(x + 34, y, label, font_size=13 if columns == 2 else 12))
    return "".join(parts), rows * LEGEND_ROW


def _warnings(sheet: MapSheet, top: float) -> list[str]:
    """The warnings, which stand on every map."""
    words = sheet.words
    first = f"{words('map.simulated')} {words('map.warning')}" if sheet.simulated else words("map.warning")
    lines = [line for full in (first, words("map.positions")) for line in wrap(full, LINE_LETTERS)]
    return [text(LEFT, top + 20 * i, line, font_size=13, font_weight="bold") for i, line in enumerate(lines)]


def _notes(ground: Ground, frame: Frame, left_out: int, sheet: MapSheet, top: float) -> list[str]:
    words = sheet.words
    warnings = _warnings(sheet, top)
    lines = []
    only = _drawn_as_ellipse(ground)
    if only:
        lines.append(words("map.ellipse_only", n=words.count(only)))
    missing = _not_drawn(ground, words)
    if missing:
        lines.append(words("map.not_drawn", what=missing))
    beyond = _beyond(ground, frame)
    if beyond:
        lines.append(words("map.beyond", n=words.count(beyond)))
    if left_out:
        lines.append(words("map.labels_left_out", n=words.count(left_out)))
    start = top + 20 * len(warnings)
    return warnings + [text(LEFT, start + 20 * i, line, font_size=12.5) for i, line in enumerate(lines)]


def _not_drawn(ground: Ground, words: Words) -> str:
    parts = []
    for layer in ("records", "areas", "finds", "accidents"):
        geometry = ground.geometry.get(layer, np.empty(0, dtype=object))
        n = sum(g is None or g.is_empty for g in geometry)
        if layer == "records":
            n -= _drawn_as_ellipse(ground)
        if n:
            parts.append(words(f"map.missing_{layer}", n=words.count(n)))
    return "; ".join(parts)


def _drawn_as_ellipse(ground: Ground) -> int:
    """How many records have no footprint, but a place."""
    none: tuple[object, ...] = ()
    ellipses = zip(ground.column("ellipses", "record_id"), ground.geometry.get("ellipses", none), strict=True)
    placed = {record_id for record_id, geometry in ellipses if _is_there(geometry)}
    records = zip(ground.column("records", "record_id"), ground.geometry.get("records", none), strict=True)
    return sum(record_id in placed and not _is_there(geometry) for record_id, geometry in records)


def _is_there(geometry: Any) -> bool:
    return geometry is not None and not geometry.is_empty


def _beyond(ground: Ground, frame: Frame) -> int:
    total = 0
    for layer in ("records", "finds", "accidents"):
        geometry = ground.geometry.get(layer, np.empty(0, dtype=object))
        present = sum(g is not None and not g.is_empty for g in geometry)
        total += present - len(page_points(geometry, frame)[1])
    return total

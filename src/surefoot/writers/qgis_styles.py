"""The default QGIS style of every layer, as QML (QGIS 3).

The style is stored in the GeoPackage's table ``layer_styles``; QGIS applies it when the layer is opened.
CHA is filled FF0000 and SHA F4A718, both at 50 %; nothing is green, no class is invisible, and every
categorized layer ends in a class for all other values, so that nothing vanishes from a map.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from surefoot.terms import AreaStatus, Fate
from surefoot.writers import palette
from surefoot.writers.palette import Colour

DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_GEOMETRY_CODE = {"marker": "0", "line": "1", "fill": "2"}


@dataclass(frozen=True, slots=True)
class Symbol:
    """One symbol layer: `kind` is marker, line or fill; `options` are QGIS's own names and values."""

    kind: str
    cls: str
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Category:
    """One class of a categorized layer; the empty value takes everything that is not named."""

    value: str
    label: str
    symbol: Symbol


def style_qml(layer: str) -> str:
    """Return the QML of a layer of the GeoPackage by name; `KeyError` for a name that has no style."""
    return _STYLES[layer]()


def styled_layers() -> tuple[str, ...]:
    """Names of the layers that have a style."""
    return tuple(_STYLES)


def _fill(colour: Colour, outline: Colour, *, width_mm: float = 0.4, dash: bool = False) -> Symbol:
    return Symbol(
        "fill",
        "SimpleFill",
        {
            "color": colour.rgba,
            "style": "solid",
            "outline_color": outline.rgba,
            "outline_style": "dash" if dash else "solid",
            "outline_width": str(width_mm),
            "outline_width_unit": "MM",
            "joinstyle": "miter",
        },
    )


def _outline(colour: Colour, *, width_mm: float, dash: bool = False) -> Symbol:
    return Symbol(
        "fill",
        "SimpleLine",
        {
            "line_color": colour.rgba,
            "line_style": "dash" if dash else "solid",
            "line_width": str(width_mm),
            "line_width_unit": "MM",
            "joinstyle": "round",
        },
    )


def _line(colour: Colour, *, width_mm: float) -> Symbol:
    return Symbol("line", "SimpleLine", {**_outline(colour, width_mm=width_mm).options, "capstyle": "round"})


def _marker(shape: str, colour: Colour, outline: Colour, *, size_mm: float) -> Symbol:
    return Symbol(
        "marker",
        "SimpleMarker",
        {
            "name": shape,
            "color": colour.rgba,
            "outline_color": outline.rgba,
            "outline_style": "solid",
            "outline_width": "0.2",
            "outline_width_unit": "MM",
            "size": str(size_mm),
            "size_unit": "MM",
        },
    )


def _add_symbol(parent: ET.Element, name: str, symbol: Symbol) -> None:
    head = {"type": symbol.kind, "name": name, "alpha": "1", "clip_to_extent": "1", "force_rhr": "0"}
    element = ET.SubElement(parent, "symbol", head)
    layer = ET.SubElement(element, "layer", {"class": symbol.cls, "enabled": "1", "locked": "0", "pass": "0"})
    options = ET.SubElement(layer, "Option", {"type": "Map"})
    for key, value in symbol.options.items():
        ET.SubElement(options, "Option", {"type": "QString", "name": key, "value": value})
        ET.SubElement(layer, "prop", {"k": key, "v": value})  # what QGIS before 3.16 reads


def _document(renderer: ET.Element, kind: str, *, label_field: str = "", min_scale: int = 0) -> str:
    head = {"version": "3.22.0", "styleCategories": "Symbology|Labeling|Rendering"}
    if min_scale:
        head |= {"hasScaleBasedVisibilityFlag": "1", "minScale": str(min_scale), "maxScale": "0"}
    root = ET.Element("qgis", head)
    root.append(renderer)
    if label_field:
        root.append(_labelling(label_field))
    ET.SubElement(root, "blendMode").text = "0"
    ET.SubElement(root, "featureBlendMode").text = "0"
    ET.SubElement(root, "layerOpacity").text = "1"
    ET.SubElement(root, "layerGeometryType").text = _GEOMETRY_CODE[kind]
    ET.indent(root, " ")
    return DOCTYPE + ET.tostring(root, encoding="unicode") + "\n"


def _labelling(field: str) -> ET.Element:
    labelling = ET.Element("labeling", {"type": "simple"})
    settings = ET.SubElement(labelling, "settings", {"calloutType": "simple"})
    style = ET.SubElement(
        settings,
        "text-style",
        {
            "fieldName": field,
            "fontFamily": "Noto Sans",
            "fontWeight": "75",  # bold; without it QGIS takes the thinnest face
            "fontSize": "9",
            "fontSizeUnit": "Point",
            "textColor": palette.ROW.rgba,
            "textOpacity": "1",
        },
    )
    ET.SubElement(
        style,
        "text-buffer",
        {"bufferDraw": "1", "bufferSize": "0.8", "bufferSizeUnits": "MM", "bufferColor": palette.PAPER.rgba},
    )
    # 8 = outside the polygon, so that the number hides no device
    ET.SubElement(settings, "placement", {"placement": "8", "dist": "1", "distUnits": "MM"})
    ET.SubElement(settings, "rendering", {"drawLabels": "1", "scaleVisibility": "1", "scaleMax": "100000"})
    return labelling


def _renderer(kind: str, extra: Mapping[str, str] | None = None) -> ET.Element:
    head = {
        "type": kind,
        "forceraster": "0",
        "symbollevels": "0",
        "enableorderby": "0",
        "referencescale": "-1",
    }
    return ET.Element("renderer-v2", {**head, **(extra or {})})


def _single(symbol: Symbol, *, label_field: str = "") -> str:
    renderer = _renderer("singleSymbol")
    _add_symbol(ET.SubElement(renderer, "symbols"), "0", symbol)
    return _document(renderer, symbol.kind, label_field=label_field)


def _categorized(expression: str, classes: Sequence[Category], *, min_scale: int = 0) -> str:
    renderer = _renderer("categorizedSymbol", {"attr": expression})
    categories = ET.SubElement(renderer, "categories")
    symbols = ET.SubElement(renderer, "symbols")
    for i, category in enumerate(classes):
        head = {"symbol": str(i), "value": category.value, "label": category.label, "render": "true"}
        ET.SubElement(categories, "category", {**head, "type": "string"})
        _add_symbol(symbols, str(i), category.symbol)
    return _document(renderer, classes[0].symbol.kind, min_scale=min_scale)


def _records() -> str:
    return _single(_fill(Colour(palette.RECORD.hex, 0.12), palette.RECORD, width_mm=0.5), label_field="form_no")


def _rows() -> str:
    return _single(_line(palette.ROW, width_mm=0.4))


def _rows_corrected() -> str:
    return _categorized('''if("is_best", 'best', 'other')''', [
        Category("best", "row after re-anchoring, heaviest placement", _line(palette.CORRECTED, width_mm=0.5)),
        Category("other", "another placement that remains possible", _line(palette.OTHER, width_mm=0.3)),
    ])  # fmt: skip


def _ellipses() -> str:
    return _single(_outline(palette.ELLIPSE, width_mm=0.3, dash=True))


def _regions() -> str:
    return _categorized('''if("level" < 0.7, 'inner', 'outer')''', [
        Category("inner", "half of a record's devices not found yet",
                 _fill(Colour(palette.CORRECTED.hex, 0.3), Colour(palette.CORRECTED.hex))),
        Category("outer", "nine tenths of them", _fill(Colour(palette.CORRECTED.hex, 0.12), palette.CORRECTED)),
    ])  # fmt: skip


def _searched() -> str:
    return _single(_fill(Colour(palette.SEARCHED.hex, 0.6), palette.SEARCHED_LINE, width_mm=0.3))


def _missed() -> str:
    return _single(_outline(palette.PRIORITY, width_mm=0.4), label_field="index")


def _priorities() -> str:
    return _single(_fill(Colour(palette.PRIORITY.hex, 0.15), palette.PRIORITY, width_mm=0.6, dash=True))


def _next_search() -> str:
    return _single(
        _fill(Colour(palette.PRIORITY.hex, 0.15), palette.PRIORITY, width_mm=0.6, dash=True), label_field="rank"
    )


def _items() -> str:
    labels = {fate: f"most probable fate: {fate.value.replace('_', ' ')}" for fate in Fate}
    classes = [
        Category(fate.value, labels[fate], _marker("circle", palette.FATE[fate], palette.PAPER, size_mm=1.6))
        for fate in Fate
    ]
    other = _marker("circle", palette.OTHER, palette.OTHER, size_mm=1.0)
    return _categorized('''if("is_best", "fate", 'other placement')''', [
        *classes,
        Category("other placement", "another placement that remains possible", other),
        Category("", "not known", _marker("circle", palette.PAPER, palette.INK, size_mm=1.6)),
    ], min_scale=25_000)  # fmt: skip


def _finds() -> str:
    expression = (
        """CASE WHEN "p_unrecorded" IS NULL THEN 'not known' """
        """WHEN "p_unrecorded" >= 0.5 THEN 'unrecorded' ELSE 'recorded' END"""
    )
    return _categorized(expression, [
        Category("recorded", "device found, more likely than not of a record",
                 _marker("circle", palette.FIND_RECORDED, palette.PAPER, size_mm=2.2)),
        Category("unrecorded", "device found, more likely than not of no record",
                 _marker("triangle", palette.FIND_UNRECORDED, palette.PAPER, size_mm=2.8)),
        Category("", "device found, not compared with the records",
                 _marker("square", palette.FIND_UNTESTED, palette.PAPER, size_mm=2.0)),
    ])  # fmt: skip


def _accidents() -> str:
    expression = (
        """CASE WHEN "outside_records" IS NULL THEN 'not known' """
        """WHEN "outside_records" THEN 'outside' ELSE 'inside' END"""
    )
    return _categorized(expression, [
        Category("outside", "accident, fix outside the maps (no buffer)",
                 _marker("star", palette.ACCIDENT_OUTSIDE, palette.INK, size_mm=4.0)),
        Category("inside", "accident, fix inside the maps",
                 _marker("star", palette.ACCIDENT_INSIDE, palette.INK, size_mm=4.0)),
        Category("", "accident, not compared with the maps",
                 _marker("star", palette.ACCIDENT_UNKNOWN, palette.INK, size_mm=3.4)),
    ])  # fmt: skip


def _areas() -> str:
    classes = [
        Category(status.value, status.value, _fill(colour, Colour(colour.hex), dash=status is AreaStatus.SUSPECTED))
        for status, colour in palette.AREA.items()
    ]
    other = _fill(Colour(palette.OTHER.hex, 0.35), palette.INK, dash=True)
    return _categorized("status", [*classes, Category("", "status not known", other)])


_STYLES: Mapping[str, Callable[[], str]] = {
    "records": _records,
    "rows": _rows,
    "rows_corrected": _rows_corrected,
    "items": _items,
    "regions": _regions,
    "ellipses": _ellipses,
    "finds": _finds,
    "accidents": _accidents,
    "searched": _searched,
    "areas": _areas,
    "missed": _missed,
    "priorities": _priorities,
    "next_search": _next_search,
}

"""Small drawings beside numbers: an interval on a line, and how a whole is made up of parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from surefoot.terms import Fate
from surefoot.writers import palette
from surefoot.writers.svg_paths import element, num

BAR_WIDTH, BAR_HEIGHT = 240.0, 18.0
STACK_WIDTH, STACK_HEIGHT = 1000.0, 34.0
_PADDING = 5.0


def interval_bar(value: float | None, interval: Sequence[float] | None, *, label: str, top: float = 1.0) -> str:
    """Return a line from 0 to `top` with a bar for the interval and a dot for the value.

    An interval without a value (a bound that must not be read alone) is drawn without the dot. Nothing but a
    dashed line is drawn where neither is known, so that it cannot be read as zero.
    """
    middle = BAR_HEIGHT / 2
    scale = (BAR_WIDTH - 2 * _PADDING) / top
    axis = {"stroke": "#8A93A0", "stroke-width": 1}
    known = value is not None or interval is not None
    if not known:
        axis |= {"stroke-dasharray": "2 5"}
    parts = [_line(_PADDING, middle, BAR_WIDTH - _PADDING, middle, axis)]
    parts += [
        _line(_PADDING + q * top * scale, middle - 4, _PADDING + q * top * scale, middle + 4, axis)
        for q in ((0.0, 0.25, 0.5, 0.75, 1.0) if known else ())
    ]
    if interval is not None:
        low, high = (_PADDING + min(max(b, 0.0), top) * scale for b in interval)
        bar = {"x": num(low), "y": num(middle - 4), "width": num(max(high - low, 1.5)), "height": 8}
        parts.append(element("rect", {**bar, "fill": palette.FIND_RECORDED.hex, "fill-opacity": 0.45}))
    if value is not None:
        at = _PADDING + min(max(value, 0.0), top) * scale
        parts.append(element("circle", {"cx": num(at), "cy": num(middle), "r": 4.4, "fill": palette.INK.hex}))
    return _svg(BAR_WIDTH, BAR_HEIGHT, label, parts, "bar")


def fate_stack(counts: Mapping[str, float], *, label: str) -> str:
    """Return one bar divided by the six fates; not searched is hatched, as on the maps."""
    total = sum(max(counts[fate.value], 0.0) for fate in Fate)
    if total <= 0:
        return ""
    hatch = element(
        "pattern",
        {"id": "fate-hatch", "width": 9, "height": 9, "patternUnits": "userSpaceOnUse",
         "patternTransform": "rotate(45)"},
        element("rect", {"width": 9, "height": 9, "fill": "#F4F5F7"})
        + element("path", {"d": "M0,0V9", "stroke": "#8A93A0", "stroke-width": 1.4}),
    )  # fmt: skip
    parts, at = [element("defs", {}, hatch)], 0.0
    for fate in Fate:
        width = max(counts[fate.value], 0.0) / total * STACK_WIDTH
        box = {"x": num(at), "y": 0.5, "width": num(width), "height": STACK_HEIGHT - 1}
        parts.append(element("rect", {**box, "fill": fate_fill(fate), "stroke": "#1A2530", "stroke-width": 0.6}))
        at += width
    return _svg(STACK_WIDTH, STACK_HEIGHT, label, parts, "stack")


def fate_swatch(fate: Fate) -> str:
    """Return the legend square of one fate."""
    box = {"x": 0.5, "y": 0.5, "width": 13, "height": 13, "stroke": "#1A2530", "stroke-width": 0.6}
    return _svg(14, 14, "", [element("rect", {**box, "fill": fate_fill(fate)})], "swatch")


def fate_fill(fate: Fate) -> str:
    """Return the fill of a fate: its colour, or the hatch of "no information"."""
    return "url(#fate-hatch)" if fate is Fate.NOT_SEARCHED else palette.FATE[fate].hex


def _line(x1: float, y1: float, x2: float, y2: float, style: Mapping[str, object]) -> str:
    return element("line", {"x1": num(x1), "y1": num(y1), "x2": num(x2), "y2": num(y2), **style})


def _svg(width: float, height: float, label: str, parts: Sequence[str], cls: str) -> str:
    named = {"role": "img", "aria-label": label} if label else {"aria-hidden": "true"}
    head = {"xmlns": "http://www.w3.org/2000/svg", "class": cls, "viewBox": f"0 0 {num(width)} {num(height)}"}
    return element("svg", {**head, **named}, "".join(parts))

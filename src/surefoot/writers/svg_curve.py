"""One drawing: the number of all devices against the assumed odds ratio, with its interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from surefoot.writers import palette
from surefoot.writers.svg_paths import element, num, text

WIDTH, HEIGHT = 640.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 70.0, 128.0, 16.0, 48.0
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_AXIS = {"stroke": "#8A93A0", "stroke-width": 1}
Entry = Mapping[str, Any]


def total_curve(
    curve: Sequence[Entry], integrated: Sequence[float] | None, *, count: Callable[[float], str],
    odds: Callable[[float], str], label: str, x_label: str, over_all: str,
) -> str:  # fmt: skip
    """Return the curve as SVG.

    Parameters
    ----------
    curve
        Points of ``total.curve``, each with an interval; a total of None draws the band alone.
    integrated
        Interval over all odds ratios, drawn beside the curve; None = none.
    count, odds
        Write a number of devices, an odds ratio.
    label, x_label, over_all
        What the drawing says to a screen reader; the words under the axis and under the bar.
    """
    high = max([float(p["interval"][1]) for p in curve] + [float(b) for b in integrated or ()])
    ticks = _ticks(high)
    x, y = _scales(curve, max(ticks[-1], high))
    parts = [_grid(ticks, y, count)]
    parts += [_band(curve, x, y), _points(curve, x, y)]
    parts += [
        text(x(p["odds_ratio"]), HEIGHT - BOTTOM + 17, odds(float(p["odds_ratio"])), text_anchor="middle")
        for p in curve
    ]
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 9, x_label, text_anchor="middle"))
    if integrated is not None:
        parts.append(_beside(integrated, y, over_all))
    style = {"font-size": 13, "fill": palette.INK.hex, "font-family": "Noto Sans, sans-serif"}
    head = {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {num(WIDTH)} {num(HEIGHT)}", "role": "img"}
    return element("svg", {**head, "aria-label": label, "width": num(WIDTH)}, element("g", style, "".join(parts)))


def _ticks(high: float) -> list[float]:
    """Four to six round numbers from zero to at least `high`."""
    rough = max(high, 1.0) / 4.0
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(s * power for s in _STEPS if s * power >= rough)
    return [step * k for k in range(math.ceil(max(high, 1.0) / step) + 1)]


def _scales(curve: Sequence[Entry], top: float) -> tuple[Callable[[float], float], Callable[[float], float]]:
    logs = [math.log(float(p["odds_ratio"])) for p in curve]
    first, wide = min(logs), max(max(logs) - min(logs), 1e-9)

    def x(odds_ratio: float) -> float:
        return LEFT + 20 + (math.log(float(odds_ratio)) - first) / wide * (WIDTH - LEFT - RIGHT - 40)

    def y(devices: float) -> float:
        return HEIGHT - BOTTOM - float(devices) / top * (HEIGHT - TOP - BOTTOM)

    return x, y


def _grid(ticks: Sequence[float], y: Callable[[float], float], count: Callable[[float], str]) -> str:
    parts = []
    for tick in ticks:
        faint = {**_AXIS, "stroke-opacity": 1 if tick == 0 else 0.35}
        ends = {"x1": num(LEFT), "x2": num(WIDTH - RIGHT), "y1": num(y(tick)), "y2": num(y(tick))}
        parts.append(element("line", {**ends, **faint}))
        parts.append(text(LEFT - 8, y(tick) + 4.5, count(tick), text_anchor="end"))
    return "".join(parts)


def _band(curve: Sequence[Entry], x: Callable[[float], float], y: Callable[[float], float]) -> str:
    upper = [(x(p["odds_ratio"]), y(p["interval"][1])) for p in curve]
    lower = [(x(p["odds_ratio"]), y(p["interval"][0])) for p in reversed(curve)]
    outline = " ".join(f"{num(a)},{num(b)}" for a, b in (*upper, *lower))
    return element("polygon", {"points": outline, "fill": palette.FIND_RECORDED.hex, "fill-opacity": 0.22})


def _points(curve: Sequence[Entry], x: Callable[[float], float], y: Callable[[float], float]) -> str:
    known = [(x(p["odds_ratio"]), y(p["total"])) for p in curve if p["total"] is not None]
    line = " ".join(f"{num(a)},{num(b)}" for a, b in known)
    stroke = {"fill": "none", "stroke": palette.INK.hex, "stroke-width": 2}
    dots = [element("circle", {"cx": num(a), "cy": num(b), "r": 3.6, "fill": palette.INK.hex}) for a, b in known]
    return "".join([element("polyline", {"points": line, **stroke}), *dots]) if known else ""


def _beside(interval: Sequence[float], y: Callable[[float], float], words: str) -> str:
    middle = WIDTH - RIGHT / 2 - 4
    low, high = y(interval[0]), y(interval[1])
    box = {"x": num(middle - 9), "y": num(high), "width": 18, "height": num(max(low - high, 1.5))}
    lines = [
        text(middle, HEIGHT - BOTTOM + 17 + 14 * n, part, text_anchor="middle")
        for n, part in enumerate(words.split("|"))
    ]
    filled = element("rect", {**box, "fill": palette.FIND_RECORDED.hex, "fill-opacity": 0.55})
    return "".join([filled, *lines])

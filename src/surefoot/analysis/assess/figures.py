"""Every figure of an assessment that a public claim may mean."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from surefoot.analysis.accounting import Ledger
from surefoot.analysis.accuracy import Measure, OutsideShare
from surefoot.analysis.assess.outside import Outside
from surefoot.analysis.assess.totals import Totals, total_figure
from surefoot.analysis.claims import Figure, kind_of
from surefoot.analysis.locate import Readings
from surefoot.model import Accidents, Case

Floats = npt.NDArray[np.float64]


def figures_of(
    case: Case, located: Sequence[Readings], measures: Sequence[Measure], outside: Outside,
    corrected: Sequence[OutsideShare], d4: OutsideShare, book: Ledger, totals: Totals,
) -> Mapping[str, Figure]:  # fmt: skip
    """Return the figures by id, shares from 0 to 1, each with its interval or the reason why it is not known."""
    figures = outside_figures(outside)
    nearest = min((share.buffer_m or 0.0 for share in corrected), default=0.0)
    for share in corrected:
        if share.exposure_ratio is not None and share.buffer_m != nearest:
            continue  # one band of exposure is enough for a claim
        name = "D2" if share.exposure_ratio is None else "D3"
        ratio = "" if share.exposure_ratio is None else f"x{share.exposure_ratio:g}"
        figures[f"{name}@{share.buffer_m:g}{ratio}"] = Figure(
            f"{name}@{share.buffer_m:g}{ratio}", share.value, share.interval, share.reason
        )  # fmt: skip
    figures["D4"] = Figure("D4", d4.value, d4.interval, d4.reason)
    for measure in measures:
        figures |= _by_its_own_name(measure)
        other = _complement_name(measure)
        if other is not None:
            figures[other] = _complement(other, measure.value, measure.interval, measure.reason)
    return figures | _counts(case, located, book) | {"total": total_figure(totals)}


def outside_figures(outside: Outside) -> dict[str, Figure]:
    """Return D1 at every buffer, the share inside, and D1 as known on the day."""
    figures = {f"D1@{share.buffer_m:g}": _figure("D1", share) for share in outside.d1}
    for share in outside.d1:
        name = f"inside_D1@{share.buffer_m:g}"
        figures[name] = _complement(name, share.value, share.interval, share.reason)
    for share, day in zip(outside.d1, outside.known_on_the_day, strict=True):
        name = f"D1_as_known_on_the_day@{share.buffer_m:g}"
        known = day.share
        figures[name] = Figure(name, None, None, "SF-C045") if known is None else Figure(
            name, known.value, known.interval
        )  # fmt: skip
    return figures


def _by_its_own_name(measure: Measure) -> dict[str, Figure]:
    """Return a measure of all records as the figure of its ISO number; one name must mean one number."""
    if measure.scope != "all" or kind_of(measure.id) is None:
        return {}
    threshold = re.search(r"\d+", measure.name) if measure.id == "iso19157:31" else None
    name = f"{measure.id}@{threshold[0]}" if threshold else measure.id
    return {name: Figure(name, measure.value, measure.interval, measure.reason)}


def _complement_name(measure: Measure) -> str | None:
    """Name of the figure that is one minus a measure, None for every other measure."""
    if measure.scope != "all":
        return None
    if measure.id == "iso19157:31":
        threshold = re.search(r"\d+", measure.name)
        return f"share_within_{threshold[0]}_m" if threshold else None
    return {"iso19157:7": "completeness", "iso19157:3": "correctness"}.get(measure.id)


def _figure(name: str, share: OutsideShare) -> Figure:
    return Figure(f"{name}@{share.buffer_m:g}", share.value, share.interval, share.reason)


def _complement(name: str, value: float | None, interval: tuple[float, float] | None, reason: str | None) -> Figure:
    if value is None or interval is None:
        return Figure(name, None, None, reason)
    return Figure(name, 1 - value, (1 - interval[1], 1 - interval[0]))


def _counts(case: Case, located: Sequence[Readings], book: Ledger) -> dict[str, Figure]:
    """Counts as they stand in the case folder; they are counts of what was handed over, not of the world."""
    placed = sum(1 for readings in located if readings.best is not None and readings.best.pivot is not None)
    counts: dict[str, float | None] = {
        "recorded_total": book.totals()["recorded"] if len(book.fate) else None,
        "records": float(len(case.records)) if case.records else None,
        "share_of_forms_located": placed / len(case.records) if case.records else None,
    }
    return _counted(counts) | accident_figures(case.accidents)


def accident_figures(accidents: Accidents) -> dict[str, Figure]:
    """Return the number of accidents and of their victims; not known where there are none in the data."""
    counts = {
        "accidents": float(len(accidents)) if len(accidents) else None,
        "killed": _sum(accidents.killed),
        "injured": _sum(accidents.injured),
    }
    killed, injured = counts["killed"], counts["injured"]
    return _counted(counts | {"victims": killed + injured if killed is not None and injured is not None else None})


def _counted(counts: Mapping[str, float | None]) -> dict[str, Figure]:
    return {
        name: Figure(name, value, None if value is None else (value, value), None if value is not None else "SF-C003")
        for name, value in counts.items()
    }


def _sum(values: Floats) -> float | None:
    """Sum, None unless every accident states its number: an empty cell is not zero."""
    return float(np.sum(values)) if len(values) and np.isfinite(values).all() else None

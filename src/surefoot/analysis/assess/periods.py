"""The figures for a claim's period: cut to it where the dates allow it, else not known, with the reason."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from surefoot.analysis.assess.figures import accident_figures, outside_figures
from surefoot.analysis.assess.layout import Layout, event_dates, outside_of
from surefoot.analysis.assess.outside import Maps
from surefoot.analysis.claims import Figure, Within, holds
from surefoot.model import Case, Dates, Period

_CUT_SHARES = frozenset({"D1", "inside_D1", "D1_as_known_on_the_day"})
_OF_EVENTS = frozenset({"D2", "D3"})
_COUNTS = frozenset({"accidents", "killed", "injured", "victims"})
_OF_RECORDS = frozenset({"records", "recorded_total", "share_of_forms_located", "total", "iso19157:4"})


@dataclass(frozen=True)
class Span:
    """The dates behind a figure; `known_until` is how far the data go at least, None = not stated."""

    first: Dates
    last: Dates
    known_until: dt.date | None

    def inside(self, period: Period) -> int:
        """Return how many lie wholly in the period."""
        return int((holds(period, self.first) & holds(period, self.last)).sum())

    @property
    def undated(self) -> int:
        """Return how many have no date."""
        return int(np.isnat(self.first).sum())

    def days(self, period: Period | None = None) -> tuple[dt.date, dt.date] | None:
        """Return the first and last day of what lies in the period, None where nothing does."""
        chosen = ~np.isnat(self.first)
        if period is not None:
            chosen &= holds(period, self.first) & holds(period, self.last)
        if not chosen.any():
            return None
        return self.first[chosen].min().astype(object), self.last[chosen].max().astype(object)

    def covers(self, period: Period) -> bool:
        """Whether the data begin and end in the years the period does, or go on beyond it."""
        days = self.days()
        if days is None:
            return False
        until = max(days[1], self.known_until or days[1])
        begins = period.first is None or days[0].year <= period.first.year
        return begins and (period.last is None or until.year >= period.last.year)


def figures_by_period(case: Case, layout: Layout, maps: Maps, figures: Mapping[str, Figure]) -> Within:
    """Return the function that gives the figures for a period."""
    as_of = case.settings.as_of
    events = event_dates(case, layout)
    located = np.ones(len(events), dtype=bool)
    located[: len(layout.accident_xy)] = np.isfinite(layout.accident_xy).all(axis=1)
    spans = {
        "shares": Span(events[located], events[located], as_of),
        "counts": Span(case.accidents.date, case.accidents.date, as_of),
        "finds": Span(case.finds.date, case.finds.date, as_of),
        "records": _of_records(case, as_of),
    }

    @cache
    def within(period: Period) -> Mapping[str, Figure]:
        cut = dict(figures)
        cut |= outside_figures(outside_of(case, layout, maps, period))
        cut |= accident_figures(case.accidents.take(holds(period, case.accidents.date)))
        return {
            name: _limited(cut[name], spans[_span_of(name)], period) if whole.value is not None else whole
            for name, whole in figures.items()
        }

    return within


def _of_records(case: Case, as_of: dt.date | None) -> Span:
    """Return when the records were laid, or else received."""
    stated = [record.laid or record.received for record in case.records]
    firsts, lasts = [None if d is None else d.first for d in stated], [None if d is None else d.last for d in stated]
    return Span(_column(firsts), _column(lasts), as_of)


def _column(days: list[dt.date | None]) -> Dates:
    return np.array([np.datetime64("NaT") if d is None else np.datetime64(d, "D") for d in days], dtype="datetime64[D]")


def _span_of(name: str) -> str:
    whole = name.partition("@")[0]
    if whole in _COUNTS:
        return "counts"
    if whole in _CUT_SHARES or whole in _OF_EVENTS:
        return "shares"
    return "records" if whole in _OF_RECORDS else "finds"


def _limited(figure: Figure, span: Span, period: Period) -> Figure:
    """Return a figure with the days it speaks of, or not known where these are not those of the period."""
    whole = figure.measure.partition("@")[0]
    days, everything = span.days(period), span.days()
    told: dict[str, object] = {"days": f"{everything[0]} - {everything[1]}"} if everything else {"days": "?"}
    reason = None
    if span.undated or everything is None:
        reason = "SF-C064"
        told = {"count": span.undated}
    elif days is None and whole in _COUNTS and span.covers(period):
        return Figure(
            figure.measure, 0.0, (0.0, 0.0), days=(period.first or everything[0], period.last or everything[1])
        )
    elif days is None or (whole in _COUNTS and not span.covers(period)):
        reason = "SF-C065"
    elif whole not in _CUT_SHARES | _COUNTS and span.inside(period) < len(span.first):
        reason = "SF-C068"
    if reason is not None:
        return Figure(figure.measure, None, None, reason, told)
    complete = span.inside(period) == len(span.first) and span.covers(period)
    return figure if complete else replace(figure, days=days)

"""The case's tables on its grid, and which events count where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from shapely.geometry.base import BaseGeometry

from surefoot.analysis.accuracy import DuplicateSymbols, propose_duplicate_symbols
from surefoot.analysis.assess.corrected_outside import Located
from surefoot.analysis.assess.ground import Events, Verified, pieces, verified_ground
from surefoot.analysis.assess.outside import Maps, Outside, event_clusters, outside_shares
from surefoot.analysis.assess.placed import Shapes
from surefoot.analysis.claims import holds
from surefoot.analysis.locate import Priors
from surefoot.analysis.matching import category_numbers, marginal_variance, same_events
from surefoot.model import Case, Dates, Period
from surefoot.positions.grid import Grid
from surefoot.terms import FindFate

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """The case's tables on its grid."""

    events: Events
    accident_xy: Floats
    searched: npt.NDArray[np.object_]
    areas: npt.NDArray[np.object_]
    verified: Verified
    same_event: Ints
    duplicates: DuplicateSymbols


def layout_of(case: Case, grid: Grid, priors: Priors) -> Layout:
    """Put a case's tables on its grid."""
    finds, accidents = case.finds, case.accidents
    find_xy = grid.project(finds.longitude, finds.latitude)
    accident_xy = grid.project(accidents.longitude, accidents.latitude)
    same = same_events(finds, find_xy, accidents, accident_xy)
    gps = priors.table["gps"]
    own = np.flatnonzero((same < 0) & np.isfinite(accident_xy).all(axis=1))
    none = np.full(len(own), "", dtype=object)
    events = Events(
        position=np.concatenate([find_xy, accident_xy[own]]),
        variance=np.concatenate([
            marginal_variance(finds.sigma_m, gps["find_sigma_m_axis"]),
            marginal_variance(accidents.sigma_m[own], gps["accident_sigma_m_axis"]),
        ]),
        category=np.concatenate([category_numbers(finds.category), category_numbers(accidents.category[own])]),
        fate=np.concatenate([finds.fate, np.full(len(own), FindFate.DETONATED, dtype=object)]),
        date=np.concatenate([finds.date, accidents.date[own]]),
        find=np.concatenate([np.arange(len(finds)), np.full(len(own), -1)]),
        accident=np.concatenate([np.full(len(finds), -1), own]),
        stated_record=np.concatenate([finds.record_id, none]),
        searched_id=np.concatenate([finds.searched_id, none]),
    )  # fmt: skip
    searched, areas = grid.project_shapes(case.searched.geometry), grid.project_shapes(case.areas.geometry)
    verified = verified_ground(case.searched, searched, case.areas, areas, case.settings.include_cleared)
    duplicates = propose_duplicate_symbols(accident_xy, accidents.sheet, date=accidents.date)
    return Layout(events, accident_xy, searched, areas, verified, same, duplicates)


def find_clusters(layout: Layout, verified_of: Ints) -> Ints:
    """Finds on one piece of searched ground are one cluster; the others stand alone."""
    piece = pieces(layout.verified.shapes)
    alone = len(piece) + np.arange(len(verified_of))
    return np.where(verified_of >= 0, piece[verified_of] if len(piece) else alone, alone)


def footprints_of(shapes: Sequence[Shapes], grid: Grid) -> list[BaseGeometry | None]:
    """Return the footprint of every record on the grid, None where it has none."""
    column = np.array([shape.footprint for shape in shapes] + [None], dtype=object)[:-1]
    return list(grid.project_shapes(column))


def extra_events(case: Case, layout: Layout) -> Ints:
    """Detonated finds that are no accident of the list."""
    return np.setdiff1d(np.flatnonzero(case.finds.fate == FindFate.DETONATED), layout.same_event)


def located_events(case: Case, layout: Layout, maps: Maps, priors: Priors) -> Located:
    """Return the events of D1 that have a place, with its error."""
    extra = extra_events(case, layout)
    points = np.concatenate([layout.accident_xy, layout.events.position[extra]])
    bounds = priors.table["gps"]["accident_sigma_m_axis"]
    variance = np.concatenate([marginal_variance(case.accidents.sigma_m, bounds), layout.events.variance[extra]])
    seen = np.concatenate([len(case.finds) + np.arange(len(case.accidents)), extra])
    same = np.concatenate([layout.same_event, np.full(len(extra), -1)])
    seen = np.where(same >= 0, same, seen)
    sheets = np.concatenate([case.accidents.sheet, np.full(len(extra), "", dtype=object)])
    clusters = event_clusters(points, sheets, maps)
    known = np.isfinite(points).all(axis=1)
    return Located(points[known, 0] + 1j * points[known, 1], variance[known], clusters[known], seen[known])


def outside_of(case: Case, layout: Layout, maps: Maps, period: Period | None = None) -> Outside:
    """D1 over the events: accidents, and detonated finds that are no accident of the list; in a period, only those."""
    extra = extra_events(case, layout)
    points = np.concatenate([layout.accident_xy, layout.events.position[extra]])
    dates = event_dates(case, layout)
    sheets = np.concatenate([case.accidents.sheet, np.full(len(extra), "", dtype=object)])
    if period is not None:
        chosen = holds(period, dates)
        points, dates, sheets = points[chosen], dates[chosen], sheets[chosen]
    duplicates = propose_duplicate_symbols(points, sheets, date=dates)
    return outside_shares(points, dates, sheets, duplicates, maps, case.settings.buffers_m)


def event_dates(case: Case, layout: Layout) -> Dates:
    """Return the days of the events of D1."""
    return np.concatenate([case.accidents.date, case.finds.date[extra_events(case, layout)]])

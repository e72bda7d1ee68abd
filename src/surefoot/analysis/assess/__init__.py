"""All steps in one call: from a case's facts to everything an assessment says, positions as recorded.

`runner` maps a pure function over the records (default: the plain `map`), so that the same steps run on one core,
on threads or on a cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from shapely.geometry.base import BaseGeometry

from surefoot.analysis.accounting import Ledger, Removal, ledger
from surefoot.analysis.accuracy import (
    DuplicateSymbols,
    Measure,
    OutsideShare,
    devices_outside_records,
    duplicate_instances,
    excess_items,
    missing_items,
    positional_measures,
    propose_duplicate_symbols,
    residuals,
)
from surefoot.analysis.accuracy.stated import StatedErrors
from surefoot.analysis.assess.figures import figures_of
from surefoot.analysis.assess.ground import (
    Events,
    Verified,
    chances_inside,
    gone_before,
    grid_of,
    on_verified,
    pieces,
    same_events,
    union_area_m2,
    verified_ground,
)
from surefoot.analysis.assess.outside import Maps, Outside, maps_of, not_computed, outside_shares
from surefoot.analysis.assess.placed import PlacedItems, Shapes, place_items, shapes_of
from surefoot.analysis.assess.stated import stated_errors
from surefoot.analysis.assess.suspicions import RecordPair, Suspicion, gross_errors, record_pairs
from surefoot.analysis.assess.totals import Totals, totals_of
from surefoot.analysis.claims import CheckedClaim, check_claims
from surefoot.analysis.locate import LocateContext, Priors, Readings, locate, mixture_shares
from surefoot.analysis.matching import Association, associate, category_numbers, marginal_variance
from surefoot.model import Case, MinefieldRecord
from surefoot.positions.grid import Grid
from surefoot.terms import EventKind, Fate, FindFate, Slot

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
Runner = Callable[[Callable[[MinefieldRecord], Readings], Iterable[MinefieldRecord]], Iterable[Readings]]
Progress = Callable[[str, float], None]

AS_RECORDED_WORDS = (
    "Positions as recorded: the value is from the most that can be matched, the interval reaches to the least; "
    "re-anchoring narrows it."
)
D2_WORDS = "D2: D1 corrected for the position error of records and events."
D3_WORDS = "D3: D2 reweighted over a band of exposure outside : inside."
_REMOVAL_FATE = {
    EventKind.LIFTED: Fate.LIFTED,
    EventKind.CLEARED: Fate.LIFTED,
    EventKind.DETONATED: Fate.DETONATED,
    EventKind.LOST: Fate.LOST,
    EventKind.RELAID: Fate.LOST,
}
SPARSE_CLUTTER_PER_M2 = 1e-6
"""One device of no record per square kilometre: then everything that can be matched is matched (upper bound)."""
ENOUGH_FINDS = 3.0  # expected matched finds from which a record counts as confirmed on the ground


@dataclass(frozen=True)
class Evidence:
    """Proposed evidence class of a record: direct supports a CHA, indirect an SHA. `reasons` are message ids."""

    evidence_class: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Assessment:
    """Everything an assessment found, positions as recorded."""

    case: Case
    seed: int
    grid: Grid
    located: tuple[Readings, ...]
    shapes: tuple[Shapes, ...]
    items: PlacedItems
    best: Ints  # rows of `items` of the heaviest readings, in the order of the ledger
    events: Events
    association: Association
    on_verified: Ints
    verified: Verified
    measures: tuple[Measure, ...]
    outside: Outside
    d2: tuple[OutsideShare, ...]
    d3: tuple[OutsideShare, ...]
    d4: OutsideShare
    ledger: Ledger
    duplicates: DuplicateSymbols
    record_pairs: tuple[RecordPair, ...]
    suspicions: tuple[Suspicion, ...]
    same_event: Ints
    evidence: tuple[Evidence, ...]
    finds_per_record: Floats
    claims: tuple[CheckedClaim, ...]
    totals: Totals
    presence: float  # prior probability that a recorded device was laid and was not removed unseen


def assess(
    case: Case,
    *,
    seed: int = 0,
    runner: Runner | None = None,
    rng: np.random.Generator | None = None,
    progress: Progress | None = None,
) -> Assessment:
    """Assess a case: place, match, measure, account, check the claims.

    Parameters
    ----------
    case
        Facts as read, with the whole table of priors in its settings; its series lay their own over them.
    seed
        Written into the result; the default of `rng`.
    runner
        Maps `locate` over the records in order.
    progress
        Called with a step's name and the share done, 0 to 1.
    """
    tell = progress or (lambda step, share: None)
    rng = rng if rng is not None else np.random.default_rng(seed)
    grid, priors = grid_of(case), Priors(case.settings.priors)
    located = _locate_all(case, priors, runner, tell)
    items = place_items(located, grid)
    shapes = tuple(shapes_of(r, reading) for r, reading in zip(case.records, located, strict=True))
    tell("matching finds", 0.0)
    layout = _layout(case, grid, priors)
    best = np.flatnonzero(items.is_best)
    matchable = _matchable(items, best, layout)
    association = _associate(case, items, best, layout, matchable, priors, SPARSE_CLUTTER_PER_M2)
    strict = _associate(case, items, best, layout, matchable, priors, None)
    tell("measuring", 0.0)
    book = _ledger(case, items, best, layout, matchable, association, priors, rng)
    verified_of = on_verified(layout.events, layout.verified)
    counted = _devices_by_record(items, best, None, len(case.records))
    stated = stated_errors(case, located, priors, grid, counted, rng)
    measures = _measures(case, items, best, (association, strict), layout, matchable, verified_of, book, stated, rng)
    maps = maps_of(case, _footprints(shapes, grid), case.areas, layout.areas)
    outside = _outside(case, layout, maps)
    d4 = _devices_outside((association, strict), layout, verified_of, shapes)
    finds_per_record = _padded(association.per_record(), len(case.records))
    free = layout.events.position[association.unrecorded > 0.5]
    suspicions = gross_errors(items, located, finds_per_record, free, grid)
    d2 = not_computed(outside.d1, "SF-C010", D2_WORDS)
    d3 = not_computed(outside.d1, "SF-C010", D3_WORDS)
    totals = totals_of(
        (association, strict), verified_of, _find_clusters(layout, verified_of), matchable.verified,
        book.noted_removed, gone_before(layout.events, layout.verified, verified_of), len(case.finds), case.claims,
    )  # fmt: skip
    figures = figures_of(case, located, measures, outside, d4, book, totals)
    tell("done", 1.0)
    return Assessment(
        case, seed, grid, located, shapes, items, best, layout.events, association, verified_of, layout.verified,
        measures, outside, d2, d3, d4, book, layout.duplicates, record_pairs(items, located, grid), suspicions,
        layout.same_event, _evidence(case, located, finds_per_record), finds_per_record,
        check_claims(case.claims, figures), totals, _prior_presence(priors),
    )  # fmt: skip


def _ledger(
    case: Case, items: PlacedItems, best: Ints, layout: _Layout, devices: _Matchable, association: Association,
    priors: Priors, rng: np.random.Generator,
) -> Ledger:  # fmt: skip
    return ledger(
        association,
        find_fate=layout.events.fate,
        item_row=items.row[best],
        item_model=items.model[best],
        searched=devices.searched,
        detection=_typical_detection(case),
        removals=_removals(case),
        rng=rng,
        mixtures={str(label): mixture_shares(str(label)) for label in set(items.model[best])},
        presence_beta=tuple(priors.table["presence"]["beta"]),
        detection_beta=tuple(priors.table["search"]["unknown_detection_beta"]),
        as_recorded=True,
    )


def _devices_outside(
    associations: tuple[Association, Association], layout: _Layout, verified_of: Ints, shapes: Sequence[Shapes]
) -> OutsideShare:
    clusters = _find_clusters(layout, verified_of)
    without = sum(shape.footprint is None for shape in shapes)
    most, least = (
        devices_outside_records(one, verified_of >= 0, clusters, n_without_footprint=without) for one in associations
    )
    return _between_bounds(most, least)


def _locate_all(case: Case, priors: Priors, runner: Runner | None, tell: Progress) -> tuple[Readings, ...]:
    region = case.settings.region if case.settings.region_stated else None
    step = partial(locate, context=LocateContext(priors, region, series=case.settings.series))
    done: list[Readings] = []
    for readings in (runner or map)(step, case.records):
        done.append(readings)
        tell("placing records", len(done) / len(case.records))
    return tuple(done)


@dataclass(frozen=True)
class _Layout:
    """The case's tables on its grid."""

    events: Events
    accident_xy: Floats
    searched: npt.NDArray[np.object_]
    areas: npt.NDArray[np.object_]
    verified: Verified
    same_event: Ints
    duplicates: DuplicateSymbols


def _layout(case: Case, grid: Grid, priors: Priors) -> _Layout:
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
    return _Layout(events, accident_xy, searched, areas, verified, same, duplicates)


def _typical_detection(case: Case) -> float | None:
    """Median stated detection probability of the searched ground, None where none is stated."""
    stated = case.searched.detection_probability[np.isfinite(case.searched.detection_probability)]
    return float(np.median(stated)) if len(stated) else None


@dataclass(frozen=True)
class _Matchable:
    """The recorded devices as they enter the matching."""

    mean: Floats  # (n, 2) case CRS
    cov: Floats  # (n, 3)
    searched: Floats  # P(its place was searched)
    verified: Floats  # P(its place is verified ground) times the detection there
    area_m2: float  # of the searched ground


def _matchable(items: PlacedItems, best: Ints, layout: _Layout) -> _Matchable:
    mean = np.column_stack([items.easting[best], items.northing[best]])
    cov = items.grid_cov_m2[best]
    verified = layout.verified
    shapes = np.concatenate([layout.searched, verified.shapes])
    weights = np.zeros((len(shapes), 2))
    weights[: len(layout.searched), 0], weights[len(layout.searched) :, 1] = 1.0, verified.detection
    searched, on_verified_ground = chances_inside(mean, cov, shapes, weights).T
    area = union_area_m2(layout.searched) or _extent_m2(layout.events.position)
    return _Matchable(
        mean,
        cov,
        searched,
        on_verified_ground,
        max(area, 1.0),
    )


def _associate(
    case: Case, items: PlacedItems, best: Ints, layout: _Layout, devices: _Matchable, priors: Priors,
    clutter: float | None,
) -> Association:  # fmt: skip
    a, b = priors.table["search"]["unknown_detection_beta"]
    number = {record.record_id: n for n, record in enumerate(case.records)}
    return associate(
        item_mean=devices.mean,
        item_cov=devices.cov,
        item_presence=_prior_presence(priors),
        item_category=category_numbers(items.category[best]),
        item_record=items.record[best],
        item_searched=devices.searched,
        find_position=layout.events.position,
        find_variance=layout.events.variance,
        find_category=layout.events.category,
        find_stated_record=np.array([number.get(r, -1) for r in layout.events.stated_record], dtype=np.int64),
        detection=_typical_detection(case) or a / (a + b),
        clutter_density=clutter,
        area_m2=devices.area_m2,
    )


def _prior_presence(priors: Priors) -> float:
    a, b = priors.table["presence"]["beta"]
    return float(a / (a + b))


def _extent_m2(points: Floats) -> float:
    """Area of the box around points, at least one hectare: where nobody says what was searched."""
    if len(points) == 0:
        return 1e4
    return float(max(np.prod(np.ptp(points, axis=0)), 1e4))


def _removals(case: Case) -> list[Removal]:
    noted = []
    for number, record in enumerate(case.records):
        for event in sorted(record.events, key=lambda e: (e.date.first if e.date else None) is None):
            fate = _REMOVAL_FATE.get(event.kind)
            if fate is not None:
                count = None if event.count is None else float(event.count)
                noted.append(Removal(number, fate, count, event.model, event.raw, record.where))
    return noted


def _find_clusters(layout: _Layout, verified_of: Ints) -> Ints:
    """Finds on one piece of searched ground are one cluster; the others stand alone."""
    piece = pieces(layout.verified.shapes)
    alone = len(piece) + np.arange(len(verified_of))
    return np.where(verified_of >= 0, piece[verified_of] if len(piece) else alone, alone)


def _measures(
    case: Case, items: PlacedItems, best: Ints, associations: tuple[Association, Association], layout: _Layout,
    devices: _Matchable, verified_of: Ints, book: Ledger, stated: StatedErrors,
    rng: np.random.Generator,
) -> tuple[Measure, ...]:  # fmt: skip
    clusters = _find_clusters(layout, verified_of)
    verified = verified_of >= 0
    before = gone_before(layout.events, layout.verified, verified_of)
    exact = items.slot[best] == Slot.EXACT
    made: list[Measure] = [duplicate_instances(layout.duplicates.extra, len(case.accidents))]
    for scope, rows in _scopes(case, items.record[best]).items():
        made.append(_between_bounds(*(
            excess_items(
                one, verified, devices.verified, book.noted_removed, find_before=before, item_used=rows, scope=scope
            )
            for one in associations
        )))  # fmt: skip
        if scope == "all":
            made.append(_between_bounds(*(
                missing_items(one, verified, clusters, scope=scope) for one in associations
            )))  # fmt: skip
        pairs = residuals(associations[0], devices.mean, exact & rows, layout.events.position, layout.events.variance)
        counted = replace(stated, devices=_devices_by_record(items, best, rows, len(case.records)))
        made.extend(positional_measures(pairs, rng=rng, stated=counted, scope=scope))
    return tuple(made)


def _devices_by_record(items: PlacedItems, best: Ints, rows: Booleans | None, records: int) -> Floats:
    """Devices of each record whose own place is recorded and known, of the rows in scope, (records,)."""
    exact = (items.slot[best] == Slot.EXACT) & np.isfinite(items.easting[best])
    used = exact if rows is None else exact & rows
    return np.bincount(items.record[best][used], minlength=records).astype(np.float64)


Bounded = TypeVar("Bounded", Measure, OutsideShare)


def _between_bounds(most: Bounded, least: Bounded) -> Bounded:
    """Widen the interval of a rate to hold both ways of matching positions as recorded.

    `most` matches all that can be matched; `least` estimates the density of unrecorded devices as if the errors
    of one record's devices were independent, which they are not: it matches too few. The truth lies between.
    """
    if most.interval is None or least.interval is None:
        return most
    interval = (min(most.interval[0], least.interval[0]), max(most.interval[1], least.interval[1]))
    return replace(most, interval=interval, definition=f"{most.definition} {AS_RECORDED_WORDS}")


def _scopes(case: Case, item_record: Ints) -> dict[str, Booleans]:
    scopes: dict[str, Booleans] = {"all": np.ones(len(item_record), dtype=bool)}
    series = np.array([record.series for record in case.records], dtype=object)
    for name in sorted(set(series) - {""}):
        scopes[f"series:{name}"] = np.asarray(series[item_record] == name, dtype=bool)
    return scopes


def _footprints(shapes: Sequence[Shapes], grid: Grid) -> list[BaseGeometry | None]:
    column = np.array([shape.footprint for shape in shapes] + [None], dtype=object)[:-1]
    return list(grid.project_shapes(column))


def _outside(case: Case, layout: _Layout, maps: Maps) -> Outside:
    """D1 over the events: accidents, and detonated finds that are no accident of the list."""
    blown = np.flatnonzero(case.finds.fate == FindFate.DETONATED)
    extra = np.setdiff1d(blown, layout.same_event)
    points = np.concatenate([layout.accident_xy, layout.events.position[extra]])
    dates = np.concatenate([case.accidents.date, case.finds.date[extra]])
    sheets = np.concatenate([case.accidents.sheet, np.full(len(extra), "", dtype=object)])
    duplicates = propose_duplicate_symbols(points, sheets, date=dates)
    return outside_shares(points, dates, sheets, duplicates, maps, case.settings.buffers_m)


def _padded(values: Floats, count: int) -> Floats:
    result = np.zeros(count)
    result[: len(values)] = values
    return result


def _evidence(case: Case, located: Sequence[Readings], finds: Floats) -> tuple[Evidence, ...]:
    return tuple(
        _evidence_of(record, readings, float(expected))
        for record, readings, expected in zip(case.records, located, finds, strict=True)
    )


def _evidence_of(record: MinefieldRecord, readings: Readings, expected_finds: float) -> Evidence:
    if readings.best is None or readings.best.pivot is None:
        return Evidence("none", ("SF-C020",))
    if record.family == "interview":
        return Evidence("indirect", ("SF-C021",))
    if expected_finds < ENOUGH_FINDS:
        return Evidence("indirect", ("SF-C022",))
    return Evidence("direct", ("SF-C023",))

"""One stage of an assessment: devices matched with finds, accounted for and measured, as recorded or re-anchored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from surefoot.analysis.accounting import Ledger, Removal, ledger
from surefoot.analysis.accuracy import (
    Measure,
    OutsideShare,
    devices_outside_records,
    duplicate_instances,
    excess_items,
    missing_items,
    positional_measures,
    residuals,
)
from surefoot.analysis.accuracy.stated import StatedErrors
from surefoot.analysis.assess.ground import chances_inside, gone_before, made_by_search, union_area_m2
from surefoot.analysis.assess.layout import Layout, find_clusters
from surefoot.analysis.assess.placed import PlacedItems, Shapes, place_items
from surefoot.analysis.assess.reanchored import Corrected, remaining_measures
from surefoot.analysis.assess.stated import stated_errors
from surefoot.analysis.assess.suspicions import RecordPair, record_pairs, repeated_records
from surefoot.analysis.locate import Priors, Readings, mixture_shares
from surefoot.analysis.matching import Association, associate, category_numbers
from surefoot.model import Case, MinefieldRecord
from surefoot.positions.grid import Grid
from surefoot.terms import EventKind, Fate, Slot, Stage

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

AS_RECORDED_WORDS = (
    "Positions as recorded: the value is from the most that can be matched, the interval reaches to the least; "
    "re-anchoring narrows it."
)
AS_THEY_STAND = "Positions as recorded, finds matched to them after re-anchoring. "
_REMOVAL_FATE = {
    EventKind.LIFTED: Fate.LIFTED,
    EventKind.CLEARED: Fate.LIFTED,
    EventKind.DETONATED: Fate.DETONATED,
    EventKind.LOST: Fate.LOST,
    EventKind.RELAID: Fate.LOST,
}
SPARSE_CLUTTER_PER_M2 = 1e-6
"""One device of no record per square kilometre: then everything that can be matched is matched (upper bound)."""


@dataclass(frozen=True)
class Basis:
    """What both stages of an assessment start from."""

    case: Case
    grid: Grid
    priors: Priors
    located: tuple[Readings, ...]
    shapes: tuple[Shapes, ...]
    layout: Layout
    verified_of: Ints


@dataclass(frozen=True)
class StageResult:
    """What one stage of an assessment says."""

    items: PlacedItems
    best: Ints
    associations: tuple[Association, ...]  # ways of matching, the most that can be matched first
    devices: _Matchable
    book: Ledger
    measures: tuple[Measure, ...]
    d4: OutsideShare
    pairs: tuple[RecordPair, ...] = ()  # records proposed as one field; of the first stage


def as_recorded(basis: Basis, rng: np.random.Generator) -> StageResult:
    """Match, account and measure with the records as they stand."""
    case, layout, priors = basis.case, basis.layout, basis.priors
    items = place_items(basis.located, basis.grid)
    best = np.flatnonzero(items.is_best)
    matchable = _matchable(case, items, best, layout)
    ways = (
        _associate(case, items, best, layout, matchable, priors, SPARSE_CLUTTER_PER_M2),
        _associate(case, items, best, layout, matchable, priors, None),
    )
    book = _ledger(case, items, best, layout, matchable, ways[0], priors, rng, as_recorded=True)
    counted = _devices_by_record(items, best, None, len(case.records))
    stated = stated_errors(case, basis.located, priors, basis.grid, counted, rng)
    pairs = record_pairs(items, basis.located, basis.grid)
    repeated = layout.duplicates.extra + repeated_records(pairs, len(case.records))
    measures = [duplicate_instances(repeated, len(case.accidents) + len(case.records))]
    measures += _shares_of_devices(basis, items, best, ways, matchable, book, Stage.AS_RECORDED)
    measures += _positional(basis, items, best, ways[0], stated, Stage.AS_RECORDED, rng)
    return StageResult(items, best, ways, matchable, book, tuple(measures), _devices_outside(basis, ways), pairs)


def re_anchored(basis: Basis, recorded: StageResult, corrected: Corrected, rng: np.random.Generator) -> StageResult:
    """Match, account and measure with what re-anchoring left possible."""
    case, layout = basis.case, basis.layout
    items, best, ways = corrected.items, corrected.best, (corrected.association,)
    rows = _matchable(case, items, np.arange(len(items)), layout)
    of_it = ~corrected.stranger
    over_all = corrected.averaged(
        np.column_stack([rows.searched * of_it, rows.stated * of_it, rows.found_there * of_it, rows.verified])
    )
    searched, stated, found_there, verified = over_all.T
    devices = _Matchable(
        rows.mean[best], rows.cov[best], searched, stated, found_there, verified, rows.area_m2
    )  # fmt: skip
    book = _ledger(case, items, best, layout, devices, ways[0], basis.priors, rng, as_recorded=False)
    measures = _shares_of_devices(basis, items, best, ways, devices, book, Stage.RE_ANCHORED)
    counted = _devices_by_record(recorded.items, recorded.best, None, len(case.records))
    errors = stated_errors(case, basis.located, basis.priors, basis.grid, counted, rng)
    standing = _positional(basis, recorded.items, recorded.best, ways[0], errors, Stage.RE_ANCHORED, rng)
    measures += [replace(m, name=f"{m.name}, records as they stand") for m in standing]
    measures += remaining_measures(corrected, scopes_of(case, items.record[best]), rng)
    d4 = _devices_outside(basis, ways)
    return StageResult(items, best, ways, devices, book, tuple(measures), replace(d4, stage=Stage.RE_ANCHORED))


def _ledger(
    case: Case, items: PlacedItems, best: Ints, layout: Layout, devices: _Matchable, association: Association,
    priors: Priors, rng: np.random.Generator, *, as_recorded: bool,
) -> Ledger:  # fmt: skip
    return ledger(
        association,
        find_fate=layout.events.fate,
        item_row=items.row[best],
        item_model=items.model[best],
        searched=devices.searched,
        detection=devices.detection,
        find_in_search=made_by_search(layout.events, layout.searched),
        removals=_removals(case),
        rng=rng,
        mixtures={str(label): mixture_shares(str(label)) for label in set(items.model[best])},
        presence_beta=tuple(priors.table["presence"]["beta"]),
        detection_beta=tuple(priors.table["search"]["unknown_detection_beta"]),
        as_recorded=as_recorded,
        elsewhere=_elsewhere(priors) if as_recorded else 0.0,
    )


def _elsewhere(priors: Priors) -> float:
    """Prior chance of a mistake that puts a record off its place: where its ground was searched, it was not there."""
    table = priors.table["hypotheses"]
    slips = sum(float(weight) for weight in table["coordinate_slip"].values())
    return min(slips + float(table["landmark_mistaken"]) + float(table["first_leg_reversed"]), 0.5)


def _devices_outside(basis: Basis, ways: Sequence[Association]) -> OutsideShare:
    clusters = find_clusters(basis.layout, basis.verified_of)
    without = sum(shape.footprint is None for shape in basis.shapes)
    return _between_bounds([
        devices_outside_records(one, basis.verified_of >= 0, clusters, n_without_footprint=without) for one in ways
    ])  # fmt: skip


def _typical_detection(case: Case) -> float | None:
    """Median stated detection probability of the searched ground, None where none is stated."""
    stated = case.searched.detection_probability[np.isfinite(case.searched.detection_probability)]
    return float(np.median(stated)) if len(stated) else None


MOST_DETECTION = 0.999
"""No search finds everything."""


@dataclass(frozen=True)
class _Matchable:
    """The recorded devices as they enter the matching."""

    mean: Floats  # (n, 2) case CRS
    cov: Floats  # (n, 3)
    searched: Floats  # P(its place was searched)
    stated: Floats  # P(it was searched with a stated detection probability)
    found_there: Floats  # the same times that probability
    verified: Floats  # P(its place is verified ground) times the detection there
    area_m2: float  # of the searched ground

    @property
    def detection(self) -> Floats:
        """Detection probability of the ground a device lies on if searched, (n,); nan = for most of it not stated."""
        known = self.stated > 0.5 * self.searched
        return np.where(known, self.found_there / np.maximum(self.stated, 1e-300), np.nan)


def _matchable(case: Case, items: PlacedItems, best: Ints, layout: Layout) -> _Matchable:
    mean = np.column_stack([items.easting[best], items.northing[best]])
    cov = items.grid_cov_m2[best]
    verified = layout.verified
    shapes = np.concatenate([layout.searched, verified.shapes])
    detection = np.minimum(case.searched.detection_probability, MOST_DETECTION)
    weights = np.zeros((len(shapes), 4))
    weights[: len(layout.searched), 0], weights[len(layout.searched) :, 3] = 1.0, verified.detection
    weights[: len(layout.searched), 1] = np.isfinite(detection)
    weights[: len(layout.searched), 2] = np.nan_to_num(detection)
    dates = np.concatenate([case.searched.date, verified.date])
    chances = chances_inside(mean, cov, shapes, weights)
    laid = _laid(case)[items.record[best]]
    for day in np.unique(laid[~np.isnat(laid)]):
        early, there = dates < day, laid == day
        if early.any():  # ground searched before its devices were laid
            chances[there] = chances_inside(mean[there], cov[there], shapes[~early], weights[~early])
    searched, stated, found_there, on_verified_ground = chances.T
    area = union_area_m2(layout.searched) or _extent_m2(layout.events.position)
    return _Matchable(
        mean,
        cov,
        searched,
        stated,
        found_there,
        on_verified_ground,
        max(area, 1.0),
    )


def _laid(case: Case) -> npt.NDArray[np.datetime64]:
    """Earliest day on which each record was laid, NaT = not known."""
    days = [None if record.laid is None else record.laid.first for record in case.records]
    return np.array(days, dtype="datetime64[D]")


def _associate(
    case: Case, items: PlacedItems, best: Ints, layout: Layout, devices: _Matchable, priors: Priors,
    clutter: float | None,
) -> Association:  # fmt: skip
    a, b = priors.table["search"]["unknown_detection_beta"]
    number = {record.record_id: n for n, record in enumerate(case.records)}
    return associate(
        item_mean=devices.mean,
        item_cov=devices.cov,
        item_presence=prior_presence(priors),
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


def prior_presence(priors: Priors) -> float:
    """Prior probability that a recorded device was laid and was not removed unseen."""
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


def _shares_of_devices(
    basis: Basis, items: PlacedItems, best: Ints, ways: Sequence[Association], devices: _Matchable, book: Ledger,
    stage: Stage,
) -> list[Measure]:  # fmt: skip
    """Rates of excess and of missing items."""
    layout, verified_of = basis.layout, basis.verified_of
    clusters, verified = find_clusters(layout, verified_of), verified_of >= 0
    before = gone_before(layout.events, layout.verified, verified_of)
    made: list[Measure] = []
    for scope, rows in scopes_of(basis.case, items.record[best]).items():
        made.append(_between_bounds([
            excess_items(
                one, verified, devices.verified, book.noted_removed, find_before=before, item_used=rows, scope=scope,
                stage=stage,
            )
            for one in ways
        ]))  # fmt: skip
        if scope == "all":
            made.append(_between_bounds([
                missing_items(one, verified, clusters, scope=scope, stage=stage) for one in ways
            ]))  # fmt: skip
    return made


def _positional(
    basis: Basis, items: PlacedItems, best: Ints, association: Association, stated: StatedErrors, stage: Stage,
    rng: np.random.Generator,
) -> list[Measure]:  # fmt: skip
    """How far off the records are as they stand, finds matched at one stage or the other."""
    exact = items.slot[best] == Slot.EXACT
    mean = np.column_stack([items.easting[best], items.northing[best]])
    made: list[Measure] = []
    for scope, rows in scopes_of(basis.case, items.record[best]).items():
        events = basis.layout.events
        pairs = residuals(association, mean, exact & rows, events.position, events.variance)
        counted = replace(stated, devices=_devices_by_record(items, best, rows, len(basis.case.records)))
        made += positional_measures(pairs, rng=rng, stated=counted, scope=scope, stage=stage)
    return made


def _devices_by_record(items: PlacedItems, best: Ints, rows: Booleans | None, records: int) -> Floats:
    """Devices of each record whose own place is recorded and known, of the rows in scope, (records,)."""
    exact = (items.slot[best] == Slot.EXACT) & np.isfinite(items.easting[best])
    used = exact if rows is None else exact & rows
    return np.bincount(items.record[best][used], minlength=records).astype(np.float64)


Bounded = TypeVar("Bounded", Measure, OutsideShare)


def _between_bounds(ways: Sequence[Bounded]) -> Bounded:
    """Widen the interval of a rate to hold both ways of matching positions as recorded.

    The first matches all that can be matched; the other estimates the density of unrecorded devices as if the errors
    of one record's devices were independent, which they are not: it matches too few. The truth lies between.
    """
    most, known = ways[0], [one.interval for one in ways if one.interval is not None]
    if len(ways) == 1 or len(known) < len(ways):
        return most
    interval = (min(low for low, _ in known), max(high for _, high in known))
    return replace(most, interval=interval, definition=f"{most.definition} {AS_RECORDED_WORDS}")


def scopes_of(case: Case, item_record: Ints) -> dict[str, Booleans]:
    """Return the devices of all records, and of those of each series."""
    return {scope: member[item_record] for scope, member in record_scopes(case.records).items()}


def record_scopes(records: Sequence[MinefieldRecord]) -> dict[str, Booleans]:
    """Return which records are in scope: all, and those of each series."""
    series = np.array([record.series for record in records], dtype=object)
    scopes: dict[str, Booleans] = {"all": np.ones(len(records), dtype=bool)}
    for name in sorted(set(series) - {""}):
        scopes[f"series:{name}"] = np.asarray(series == name, dtype=bool)
    return scopes

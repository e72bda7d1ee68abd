"""Correct a record from its first finds and from the ground that was searched without any.

A record's pattern is far sharper than its place: two or three finds move all of it. `reanchor` returns, for every
record, the placements that remain possible with their weights, and where each device is under each of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import shapely

from surefoot.analysis.locate import LocateContext, Priors, Readings, category_of_label, locate, mixture_shares
from surefoot.analysis.matching import category_numbers, marginal_variance, same_events
from surefoot.analysis.reanchor.clutter import Clutter, expected_clutter
from surefoot.analysis.reanchor.ground import FAR_M, SearchedGround, Seen
from surefoot.analysis.reanchor.hypotheses import AS_READ, Hypothesis, RecordPrior, hypotheses_of
from surefoot.analysis.reanchor.placements import Placement
from surefoot.analysis.reanchor.posterior import Posterior, RecordFacts
from surefoot.analysis.reanchor.sampler import Settings
from surefoot.analysis.reanchor.subject import Corrected, Subject
from surefoot.analysis.reanchor.together import Runner, Surroundings, correct_all, visited
from surefoot.designations import type_key
from surefoot.model import Accidents, DevicesFound, MinefieldRecord, SearchedAreas
from surefoot.positions.grid import Grid
from surefoot.positions.local import from_local
from surefoot.terms import EventKind, Slot

__all__ = ["Hypothesis", "Placement", "Placements", "Posterior", "ReanchorContext", "Settings", "reanchor"]

Floats = npt.NDArray[np.float64]
ABOUT_M = 100.0
"""How far about a record what is older than it is told."""
LEAST_LEFT = 0.02
"""Chance that a device is there although the form notes that all of its kind were removed."""
REMOVED = (EventKind.LIFTED, EventKind.CLEARED, EventKind.DETONATED, EventKind.LOST, EventKind.RELAID)


@dataclass(frozen=True)
class ReanchorContext:
    """What is known beside records, finds and searched ground: the case's grid, the priors, the sampler's effort."""

    grid: Grid
    locate: LocateContext
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True)
class Placements:
    """What remains possible for one record.

    Attributes
    ----------
    record_id
        The record.
    placements
        Heaviest first; weights sum to 1. Never averaged into one.
    row, index
        Of the devices that have a place of their own, the columns of every placement.
    item
        Their rows in the items of the record's readings.
    recorded : complex array (n,)
        Where the heaviest reading shows them, easting + i northing, metres.
    find
        Rows of the finds (then the accidents) within reach; the rows of `Placement.p_find`.
    log_evidence
        Of the record against "everything seen is on no record", natural logarithm.
    log_evidence_unrelated
        Of the best rival against the same: no field, an even or clustered one, or the record's own pattern elsewhere.
    posterior
        The sampled hypotheses behind it.
    early_seen, early_searched
        Things seen and searched areas about the record that are dated before the earliest day on which it was laid:
        they are not used for it.
    """

    record_id: str
    placements: tuple[Placement, ...]
    row: npt.NDArray[np.object_]
    index: Floats
    item: npt.NDArray[np.int64]
    recorded: npt.NDArray[np.complex128]
    find: npt.NDArray[np.int64]
    log_evidence: float
    log_evidence_unrelated: float
    posterior: Posterior
    early_seen: int = 0
    early_searched: int = 0

    @property
    def best(self) -> Placement:
        """The heaviest placement."""
        return self.placements[0]

    @property
    def stranger(self) -> float:
        """P(nothing seen is of the record)."""
        return float(sum(p.weight for p in self.placements if p.stranger))

    @property
    def of_another_field(self) -> bool:
        """Whether what was seen about the record speaks as much for a field that is on no record."""
        return len(self.find) > 0 and self.log_evidence <= self.log_evidence_unrelated


def reanchor(
    records: Sequence[MinefieldRecord],
    finds: DevicesFound,
    searched: SearchedAreas,
    *,
    context: ReanchorContext,
    rng: np.random.Generator,
    accidents: Accidents | None = None,
    located: Sequence[Readings] | None = None,
    wanted: str | None = None,
    runner: Runner | None = None,
) -> Mapping[str, Placements]:
    """Correct records from what was found and from what was searched.

    Parameters
    ----------
    records
        Overlapping records go in together: they compete for the finds.
    finds, searched
        As read; a find may belong to no record, detection is below 1.
    context
        Grid, priors, effort.
    rng
        Gives one number, the root of every record's own stream: order and threads change nothing.
    accidents
        Seen devices too, each with the accuracy of its place; one that is a find already is not counted twice.
    located
        The records' readings where they are known already.
    wanted
        Id of the one record to correct, with those that compete with it; None = all.
    runner
        Maps a pure function over records, in their order; default: the plain `map`. No runner changes a bit.

    Returns
    -------
    mapping of record id to Placements
        Records of which no device has a place of its own are left out.
    """
    known = located if located is not None else [locate(r, context=context.locate) for r in records]
    listed = seen_of(finds, accidents, context)
    order = np.lexsort((listed.variance, *listed.position.T))  # draws must not hang on the order of the tables' rows
    seen = listed.take(order)
    around = Surroundings(
        seen, searched_of(searched, context), int(rng.integers(2**32)),
        float(context.locate.priors.table["student_t"]["degrees_of_freedom"]), context.settings,
    )  # fmt: skip
    made = [_subject(r, readings, seen, context) for r, readings in zip(records, known, strict=True)]
    subjects = _around([s for s in made if s is not None], seen, wanted)
    corrected = correct_all(subjects, around, runner) if subjects else ()
    made_by_id = {s.prior.record_id: (s, _result(s, c, order)) for s, c in zip(subjects, corrected, strict=True)}
    return {name: _with_early(result, s.since, around) for name, (s, result) in made_by_id.items()}


def _around(subjects: list[Subject], seen: Seen, wanted: str | None) -> list[Subject]:
    """One record and all that compete with it for finds, at first or second hand; or all records."""
    if wanted is None:
        return subjects
    names = [s.prior.record_id for s in subjects]
    if wanted not in names:
        return []
    rivals = visited([s.prior for s in subjects], seen)
    reached, waiting = set(), [names.index(wanted)]
    while waiting:
        number = waiting.pop()
        if number not in reached:
            reached.add(number)
            waiting += rivals[number].tolist()
    return [subjects[n] for n in sorted(reached)]


def seen_of(finds: DevicesFound, accidents: Accidents | None, context: ReanchorContext) -> Seen:
    """Put finds and accidents on the grid as one list, finds first; far away what has no place or is a find already.

    A find listed twice would hold two devices of a record, and move it: it is seen once.
    """
    grid, gps = context.grid, context.locate.priors.table["gps"]
    place = [grid.project(finds.longitude, finds.latitude)]
    place[0][finds.first_listed() != np.arange(len(finds))] = np.nan
    variance = [marginal_variance(finds.sigma_m, gps["find_sigma_m_axis"])]
    category, record, row, index, date = [finds.category], [finds.record_id], [finds.row], [finds.index], [finds.date]
    if accidents is not None:
        none = np.full(len(accidents), "", dtype=object)
        at = grid.project(accidents.longitude, accidents.latitude)
        at[same_events(finds, place[0], accidents, at) >= 0] = np.nan
        place.append(at)
        variance.append(marginal_variance(accidents.sigma_m, gps["accident_sigma_m_axis"]))
        category.append(accidents.category)
        record.append(none)
        row.append(none)
        index.append(np.full(len(accidents), np.nan))
        date.append(accidents.date)
    position = np.concatenate(place)
    return Seen(
        np.where(np.isfinite(position), position, FAR_M),
        np.maximum(np.concatenate(variance), 1e-4),
        category_numbers(np.concatenate(category)),
        np.concatenate(record), np.concatenate(row), np.concatenate(index), np.concatenate(date),
    )  # fmt: skip


def searched_of(searched: SearchedAreas, context: ReanchorContext) -> SearchedGround:
    """Put the searched ground on the grid; where no detection probability is stated its prior mean stands."""
    a, b = context.locate.priors.table["search"]["unknown_detection_beta"]
    stated = searched.detection_probability
    detection = np.where(np.isfinite(stated), np.minimum(stated, 0.999), a / (a + b))
    return SearchedGround(context.grid.project_shapes(searched.geometry), detection, searched.date)


def _subject(record: MinefieldRecord, readings: Readings, seen: Seen, context: ReanchorContext) -> Subject | None:
    priors = context.locate.priors.for_series(context.locate.series.get(record.series, {}))
    prior = hypotheses_of(readings, priors, context.grid.project, context.grid.crs)
    if prior is None:
        return None
    since = np.datetime64("NaT") if record.laid is None else np.datetime64(record.laid.first, "D")
    clutter = expected_clutter(prior, seen.since(since), **priors.table["clutter"])
    facts = _facts(record, readings, prior, priors, clutter)
    return Subject(prior, facts, _vague_density(readings, seen, context, priors), clutter.at_seen, since)


def _facts(
    record: MinefieldRecord, readings: Readings, prior: RecordPrior, priors: Priors, clutter: Clutter
) -> RecordFacts:  # fmt: skip
    assert readings.best is not None
    items = readings.best.items
    labels = items.model[prior.item]
    kinds = {label: category_of_label(label) for label in set(labels)}
    a, b = priors.table["presence"]["beta"]
    return RecordFacts(
        items.index[prior.item],
        category_numbers(np.array([kinds[label] for label in labels], dtype=object)),
        a / (a + b) * _not_removed(record, items.model)[prior.item],
        clutter.near,
        clutter.own,
    )


def _not_removed(record: MinefieldRecord, model: npt.NDArray[np.object_]) -> Floats:
    """Chance that a device is not one of those the form notes as removed since, any of its type alike."""
    left = np.ones(len(model))
    for event in record.events:
        if event.kind not in REMOVED or event.count is None:
            continue
        wanted = type_key(event.model)
        fits = np.array([not wanted or wanted in map(type_key, mixture_shares(label)) for label in model], dtype=bool)
        if left[fits].sum() > 0.0:
            left[fits] *= max(0.0, 1.0 - event.count / left[fits].sum())
    return np.maximum(left, LEAST_LEFT)


def _vague_density(readings: Readings, seen: Seen, context: ReanchorContext, priors: Priors) -> Floats:
    """Density at each thing seen of the record's devices that lie somewhere on a row or area, per m2."""
    best = readings.best
    assert best is not None
    vague = np.flatnonzero((best.items.slot == Slot.ROW) | (best.items.slot == Slot.AREA))
    density = np.zeros(len(seen))
    if best.pivot is None or not len(vague):
        return density
    a, b = priors.table["presence"]["beta"]
    mean = context.grid.project(*from_local(best.item_means()[vague], pivot=best.pivot))
    spread = 0.5 * np.trace(best.item_covariances()[vague], axis1=1, axis2=2)
    for place, variance in zip(mean, spread, strict=True):
        squared = np.square(seen.position - place).sum(axis=1) / (variance + seen.variance)
        density += a / (a + b) * np.exp(-0.5 * squared) / (2.0 * np.pi * (variance + seen.variance))
    return density


def _result(subject: Subject, corrected: Corrected, order: npt.NDArray[np.int64]) -> Placements:
    """Name finds by their rows in the tables; `order` are those of the things seen, as sampled."""
    posterior = corrected.posterior
    read = min((h for h in subject.prior.hypotheses if h.error == AS_READ), key=lambda h: h.reading)
    rows = order[posterior.find]
    listed = np.argsort(rows)
    return Placements(
        subject.prior.record_id, tuple(replace(p, p_find=p.p_find[listed]) for p in corrected.placements),
        subject.prior.row, subject.facts.index, subject.prior.item, read.centroid + read.pattern, rows[listed],
        posterior.log_evidence, posterior.log_evidence_unrelated, posterior,
    )  # fmt: skip


def _with_early(placed: Placements, since: np.datetime64, around: Surroundings) -> Placements:
    """Count what about a record is dated before it was laid."""
    seen, searched = around.seen, around.searched
    assert seen.date is not None
    assert searched.date is not None
    places = np.concatenate([placed.recorded, placed.best.mean])
    about = shapely.box(places.real.min(), places.imag.min(), places.real.max(), places.imag.max())
    near = shapely.buffer(about, ABOUT_M)
    old_seen = shapely.contains_xy(near, *seen.position[seen.date < since].T)
    old_searched = shapely.intersects(near, searched.shapes[searched.date < since])
    return replace(placed, early_seen=int(old_seen.sum()), early_searched=int(old_searched.sum()))

"""All steps in one call: from a case's facts to everything an assessment says, as recorded and after re-anchoring.

`runner` maps the correction of a record, a pure function that takes a second, over the records (default: the plain
`map`), so that the same steps run on one core, on threads or on a cluster (`surefoot.jobs`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from surefoot.analysis.accounting import Ledger
from surefoot.analysis.accuracy import DuplicateSymbols, Measure, OutsideShare
from surefoot.analysis.assess.corrected_outside import D2_WORDS, Spread, corrected_shares, reweighted_shares
from surefoot.analysis.assess.figures import figures_of
from surefoot.analysis.assess.ground import Events, Verified, gone_before, grid_of, on_verified
from surefoot.analysis.assess.layout import find_clusters, footprints_of, layout_of, located_events, outside_of
from surefoot.analysis.assess.missed import MissedDevice, missed_devices
from surefoot.analysis.assess.outside import Maps, Outside, maps_of, not_computed
from surefoot.analysis.assess.periods import figures_by_period
from surefoot.analysis.assess.placed import PlacedItems, Shapes, shapes_of
from surefoot.analysis.assess.pooled import Pooled, pooled
from surefoot.analysis.assess.reanchored import Corrected, corrected_records
from surefoot.analysis.assess.stage import Basis, StageResult, as_recorded, prior_presence, re_anchored
from surefoot.analysis.assess.suspicions import RecordPair, Suspicion, gross_errors
from surefoot.analysis.assess.totals import Totals, totals_of
from surefoot.analysis.claims import CheckedClaim, check_claims
from surefoot.analysis.locate import LocateContext, Priors, Readings, locate
from surefoot.analysis.matching import Association
from surefoot.analysis.reanchor import ReanchorContext, reanchor
from surefoot.analysis.reanchor.subject import Corrected as CorrectedRecord
from surefoot.analysis.reanchor.subject import Work
from surefoot.analysis.reanchor.together import Runner
from surefoot.model import Case, Doubt, MinefieldRecord, Where
from surefoot.positions.grid import Grid
from surefoot.terms import Severity, Stage

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Progress = Callable[[str, float], None]

MOST_REANCHORED = 300
"""With more records than this, re-anchoring is left to an explicit wish: it takes about a second a record."""
ENOUGH_FINDS = 3.0  # expected matched finds from which a record counts as confirmed on the ground


@dataclass(frozen=True)
class Evidence:
    """Proposed evidence class of a record: direct supports a CHA, indirect an SHA. `reasons` are message ids."""

    evidence_class: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Assessment:
    """Everything an assessment found.

    `items`, `best`, `association`, `ledger`, `totals` and `finds_per_record` are those after re-anchoring where
    there is one (`corrected`), as recorded where there is none; `measures` and `d4` hold both stages. `recorded_items`
    and `recorded_best` are as recorded in any case. `missed` is empty without re-anchoring.
    """

    case: Case
    seed: int
    grid: Grid
    located: tuple[Readings, ...]
    shapes: tuple[Shapes, ...]
    items: PlacedItems
    best: Ints  # rows of `items` of the heaviest placements, in the order of the ledger
    recorded_items: PlacedItems
    recorded_best: Ints
    corrected: Corrected | None
    events: Events
    association: Association
    on_verified: Ints
    verified: Verified
    measures: tuple[Measure, ...]
    outside: Outside
    d2: tuple[OutsideShare, ...]
    d3: tuple[OutsideShare, ...]
    d4: tuple[OutsideShare, ...]
    ledger: Ledger
    missed: tuple[MissedDevice, ...]
    duplicates: DuplicateSymbols
    record_pairs: tuple[RecordPair, ...]
    suspicions: tuple[Suspicion, ...]
    same_event: Ints
    evidence: tuple[Evidence, ...]
    finds_per_record: Floats
    claims: tuple[CheckedClaim, ...]
    totals: Totals
    pooled: Pooled
    presence: float  # prior probability that a recorded device was laid and was not removed unseen
    doubts: tuple[Doubt, ...]  # about the assessment as a whole


def assess(
    case: Case,
    *,
    seed: int = 0,
    runner: Runner | None = None,
    rng: np.random.Generator | None = None,
    progress: Progress | None = None,
    reanchoring: bool | None = None,
) -> Assessment:
    """Assess a case: place, match, measure, account, correct from the finds, check the claims.

    Parameters
    ----------
    case
        Facts as read, with the whole table of priors in its settings; its series lay their own over them.
    seed
        Written into the result; the default of `rng`.
    runner
        Maps the correction of a record over the records, in order; no runner changes a bit.
    progress
        Called with a step's name and the share done, 0 to 1.
    reanchoring
        Whether records are corrected from what was found; None = with up to `MOST_REANCHORED` records.
    """
    tell = progress or (lambda step, share: None)
    rng = rng if rng is not None else np.random.default_rng(seed)
    (for_corrections,) = rng.spawn(1)
    grid, priors = grid_of(case), Priors(case.settings.priors)
    located = _locate_all(case, priors, tell)
    shapes = tuple(shapes_of(r, reading) for r, reading in zip(case.records, located, strict=True))
    tell("matching finds", 0.0)
    layout = layout_of(case, grid, priors)
    basis = Basis(case, grid, priors, located, shapes, layout, on_verified(layout.events, layout.verified))
    recorded = as_recorded(basis, rng)
    maps = maps_of(case, footprints_of(shapes, grid), case.areas, layout.areas)
    outside = outside_of(case, layout, maps)
    corrected = _corrected(basis, recorded, reanchoring, np.random.default_rng(seed), runner, tell)
    final = recorded if corrected is None else re_anchored(basis, recorded, corrected, for_corrections)
    d2 = _corrected_outside(basis, outside, maps, corrected, for_corrections)
    both = (recorded,) if corrected is None else (recorded, final)
    left_out = reanchoring is None and len(case.records) > MOST_REANCHORED and len(layout.events) > 0
    doubts = [Doubt("SF-C012", Severity.WARNING, Where("case.toml"), "", {"n": len(case.records)})] if left_out else []
    of_new = pooled(basis, final, corrected, _context(case, priors), for_corrections)
    return _assembled(basis, both, corrected, outside, maps, d2, of_new, seed, doubts, tell)


def _corrected(
    basis: Basis, recorded: StageResult, wanted: bool | None, rng: np.random.Generator, runner: Runner | None,
    tell: Progress,
) -> Corrected | None:  # fmt: skip
    """Re-anchor every record; None where that is not wanted or nothing was seen or searched."""
    case = basis.case
    few = len(case.records) <= MOST_REANCHORED if wanted is None else wanted
    if not few or not len(case.records) or not (len(basis.layout.events) or len(case.searched)):
        return None
    context = ReanchorContext(basis.grid, _context(case, basis.priors))
    tell("correcting records", 0.0)
    placements = reanchor(
        case.records, case.finds, case.searched, context=context, rng=rng, accidents=case.accidents,
        located=basis.located, runner=_telling(runner or map, tell, len(case.records)),
    )  # fmt: skip
    if not placements:
        return None
    return corrected_records(
        case, basis.grid, recorded.items, recorded.best, basis.layout.events, recorded.associations[1], placements
    )


def _telling(runner: Runner, tell: Progress, count: int) -> Runner:
    """Tell how far it is, as results come."""

    def run(step: Callable[[Work], CorrectedRecord], work: Iterable[Work]) -> Iterable[CorrectedRecord]:
        for done, one in enumerate(runner(step, work), start=1):
            tell("correcting records", min(done / count, 1.0))
            yield one

    return run


def _corrected_outside(
    basis: Basis, outside: Outside, maps: Maps, corrected: Corrected | None, rng: np.random.Generator
) -> tuple[OutsideShare, ...]:
    """D2; not known without re-anchoring, and where the maps are not the records' own footprints."""
    if corrected is None:
        return not_computed(outside.d1, "SF-C010", D2_WORDS)
    if maps.source != "records":
        return not_computed(outside.d1, "SF-C011", D2_WORDS)
    sigma = np.array([_stated_sigma_m(readings) for readings in basis.located])
    located = located_events(basis.case, basis.layout, maps, basis.priors)
    spread = Spread(**{name: float(value) for name, value in basis.priors.table["clutter"].items()})
    return corrected_shares(outside.d1, located, maps.footprints, sigma, corrected.placements, spread, rng)


def _stated_sigma_m(readings: Readings) -> float:
    """Mean sigma per axis of a record's named points, metres."""
    best = readings.best
    if best is None or not best.points:
        return 0.0
    return float(np.mean([np.sqrt(np.trace(cov) / 2.0) for cov in best.point_covariances().values()]))


def _assembled(
    basis: Basis, stages: Sequence[StageResult], corrected: Corrected | None, outside: Outside,
    maps: Maps, d2: tuple[OutsideShare, ...], of_new: Pooled, seed: int, doubts: Sequence[Doubt], tell: Progress,
) -> Assessment:  # fmt: skip
    case, layout, located = basis.case, basis.layout, basis.located
    recorded, final = stages[0], stages[-1]
    count = len(case.records)
    finds_per_record = _padded(final.associations[0].per_record(), count)
    as_read = _padded(recorded.associations[0].per_record(), count)
    free = layout.events.position[recorded.associations[0].unrecorded > 0.5]
    suspicions = gross_errors(recorded.items, located, as_read, free, basis.grid)
    totals = totals_of(
        final.associations, basis.verified_of, find_clusters(layout, basis.verified_of), final.devices.verified,
        final.book.noted_removed, gone_before(layout.events, layout.verified, basis.verified_of), len(case.finds),
        case.claims, stage=Stage.AS_RECORDED if corrected is None else Stage.RE_ANCHORED,
    )  # fmt: skip
    measures = tuple(measure for stage in stages for measure in stage.measures)
    d3 = reweighted_shares(d2)
    figures = figures_of(case, located, measures, outside, (*d2, *d3), final.d4, final.book, totals)
    within = figures_by_period(case, layout, maps, figures)
    tell("done", 1.0)
    return Assessment(
        case, seed, basis.grid, located, basis.shapes, final.items, final.best, recorded.items, recorded.best,
        corrected, layout.events, final.associations[0], basis.verified_of, layout.verified, measures, outside,
        d2, d3, tuple(stage.d4 for stage in stages), final.book,
        () if corrected is None else missed_devices(corrected.placements), layout.duplicates,
        recorded.pairs, suspicions, layout.same_event,
        _evidence(case, located, finds_per_record, corrected), finds_per_record,
        check_claims(case.claims, figures, within), totals, of_new, prior_presence(basis.priors), tuple(doubts),
    )  # fmt: skip


def _context(case: Case, priors: Priors) -> LocateContext:
    region = case.settings.region if case.settings.region_stated else None
    return LocateContext(priors, region, series=case.settings.series)


def _locate_all(case: Case, priors: Priors, tell: Progress) -> tuple[Readings, ...]:
    step = partial(locate, context=_context(case, priors))
    done: list[Readings] = []
    for readings in map(step, case.records):
        done.append(readings)
        tell("placing records", len(done) / len(case.records))
    return tuple(done)


def _padded(values: Floats, count: int) -> Floats:
    result = np.zeros(count)
    result[: len(values)] = values
    return result


def _evidence(
    case: Case, located: Sequence[Readings], finds: Floats, corrected: Corrected | None
) -> tuple[Evidence, ...]:
    return tuple(
        _evidence_of(
            record, readings, float(finds[number]), corrected is not None and corrected.of_another_field(number)
        )
        for number, (record, readings) in enumerate(zip(case.records, located, strict=True))
    )


def _evidence_of(record: MinefieldRecord, readings: Readings, expected_finds: float, stranger: bool) -> Evidence:
    if readings.best is None or readings.best.pivot is None:
        return Evidence("none", ("SF-C020",))
    if record.family == "interview":
        return Evidence("indirect", ("SF-C021",))
    if stranger:
        return Evidence("indirect", ("SF-C052",))
    return Evidence("indirect", ("SF-C022",)) if expected_finds < ENOUGH_FINDS else Evidence("direct", ("SF-C023",))

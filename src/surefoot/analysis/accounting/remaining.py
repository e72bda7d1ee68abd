"""What is still in the ground: a posterior over what was laid, was there, was searched and was missed.

Methods.md section 6, reconciliation. A search that misses one device in twenty never proves that all are gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, betaln, gammaln, logsumexp

from surefoot.analysis.accounting.by_type import OpenByType
from surefoot.analysis.matching import Association
from surefoot.terms import Fate, FindFate

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Texts = npt.NDArray[np.object_]

FATES: tuple[Fate, ...] = tuple(Fate)
COLUMN = {fate: column for column, fate in enumerate(FATES)}
REMOVALS = (Fate.LIFTED, Fate.DETONATED, Fate.LOST)

EXACT_COUNT_WEIGHT = 0.6
"""P(exactly what was recorded was laid); else a negative binomial about it (methods.md section 6)."""

COUNT_SPREAD = 0.1
COVERAGE_FACTOR = 3.0
COVERAGE_FACTORS = COVERAGE_FACTOR ** np.linspace(-1.0, 1.0, 9)
"""Factors of the odds of coverage, alike likely, for positions as recorded."""

NOBODY_LOOKED = 1e-4
"""Chance of having been found of a device that lies outside all searched ground: a find may be there by chance."""

STATED_DETECTION_TRIALS = 120.0
"""A stated detection is believed as if it had been measured on so many devices: 0.95 is 0.95 +- 0.02, 1 is never 1.

With it methods.md's worked figures come out within a device: recorded 120, found 96, removed 4: 5 (1-12), there
5 (1-11); found 116: 5 (0-12), there the same.
"""

SMALL_RECORD = 12
"""Devices up to which parts of a find matter: of a larger record they vanish in what is not known."""

_DETECTION_POINTS = 15
_DETECTION_POINTS_BESIDE = 5  # of stated detection where there is ground without one too
_PRESENCE_POINTS = 20
_MOST_LAID = 3000  # a larger record is summed over in steps of more than one device
_LEAST = 1e-300
NEGLIGIBLE = 1e-4
"""Weight of what is not known of the search that an expectation does without."""


@dataclass(frozen=True, slots=True)
class StillInGround:
    """Posterior of the number of devices still in the ground. `none` = P(not one)."""

    median: float
    interval: tuple[float, float]
    level: float
    none: float


@dataclass(frozen=True, eq=False)
class Remaining:
    """What is still in the ground of all records together (None = nothing is recorded), by record and by type."""

    together: StillInGround | None
    by_record: Mapping[int, StillInGround]
    by_type: Mapping[str, StillInGround]


@dataclass(frozen=True, eq=False)
class RecordFacts:
    """What the posterior needs of each record, (records,)."""

    recorded: Floats
    removed: Floats  # before or beside the search
    found: Floats  # by the search
    coverage: Floats
    left: Floats  # found and left in place
    group: Ints  # from 0; records of one group share how much of what they state is there
    stated: Floats  # detection of its searched ground where that is stated, times the share of that ground
    unstated: Floats  # share of its searched ground of which no detection is stated
    number: Ints  # of the record

    def line_of(self, record: Ints) -> Ints:
        """Line of each record number among these, alike in shape."""
        order = np.argsort(self.number)
        return np.asarray(order[np.searchsorted(self.number[order], record)], dtype=np.int64)


def record_facts(
    association: Association,
    fate: Floats,
    ground: Floats,
    detection: Floats,
    find_fate: Texts,
    in_search: npt.NDArray[np.bool_] | None,
    item_group: Ints | None,
    as_recorded: bool,
) -> RecordFacts:
    """Sum over each record what was recorded, removed, found and left, and how much of it was searched.

    Where the record stands as it reads, at least as large a part of it was searched as was found by the search.
    `detection` is that of the ground each device lies on if it lies on searched ground; nan = not stated.
    """
    kinds = np.asarray(find_fate, dtype=object)
    made_by_search = kinds != FindFate.DETONATED if in_search is None else np.asarray(in_search, dtype=np.bool_)
    keys, first, line = np.unique(association.item_record, return_index=True, return_inverse=True)

    def total(values: Floats) -> Floats:
        return np.asarray(np.bincount(line, weights=values, minlength=keys.size), dtype=np.float64)

    found = np.minimum(association.per_item(made_by_search.astype(np.float64)), 1.0)
    gone = fate[:, [COLUMN[f] for f in (*REMOVALS, Fate.FOUND)]].sum(axis=1) - found
    left = np.minimum(association.per_item((kinds == FindFate.LEFT).astype(np.float64)), 1.0)
    recorded = total(np.ones(ground.size))
    group = np.zeros(keys.size) if item_group is None else np.asarray(item_group)[first]
    whole, known = total(ground), np.isfinite(detection)
    caught, opened = total(ground * np.where(known, detection, 0.0)), total(ground * ~known)
    # Where nothing of a record was searched, its ground is as that of the others.
    every = max(float(whole.sum()), 1e-300)
    of_all = (caught.sum() / every, opened.sum() / every) if whole.sum() > 0.0 else (0.0, 1.0)
    stated, unstated = (
        np.where(whole > 0.0, part / np.maximum(whole, 1e-300), other)
        for part, other in zip((caught, opened), of_all, strict=True)
    )
    coverage = whole / recorded
    coverage = np.maximum(coverage, total(found) / recorded) if as_recorded else coverage
    columns = [recorded, np.maximum(total(gone), 0.0), total(found), coverage, total(left), stated, unstated]
    # Draws must not depend on the order in which the records came.
    order = np.lexsort([*(np.round(c, 6) for c in columns), group])
    recorded, removed, by_search, coverage, left_there, stated, unstated = (column[order] for column in columns)
    return RecordFacts(
        recorded=recorded,
        removed=removed,
        found=by_search,
        coverage=np.clip(coverage, 0.0, 1.0),
        left=left_there,
        group=np.unique(group[order], return_inverse=True)[1].astype(np.int64),
        stated=stated,
        unstated=unstated,
        number=keys[order],
    )


def _midpoints(points: int) -> Floats:
    return (np.arange(points) + 0.5) / points


def _log_beta(x: Floats, beta: tuple[float, float]) -> Floats:
    return np.asarray((beta[0] - 1) * np.log(x) + (beta[1] - 1) * np.log1p(-x), dtype=np.float64)


def presence_levels(presence_beta: tuple[float, float]) -> tuple[tuple[float, float], float]:
    """Split the prior of one record's share that is there: beta of its group's mean, concentration of records about it.

    Half of the variance lies in either, so that the share of one record by itself keeps the prior that is stated.
    """
    whole = sum(presence_beta)
    each = 1.0 / (1.0 - np.sqrt(1.0 - 1.0 / (whole + 1.0))) - 1.0
    return (presence_beta[0] * each / whole, presence_beta[1] * each / whole), float(each)


def _stated_beta(detection: Floats) -> tuple[Floats, Floats]:
    """Parameters of the belief in stated detections (Jeffreys prior)."""
    return STATED_DETECTION_TRIALS * detection + 0.5, STATED_DETECTION_TRIALS * (1.0 - detection) + 0.5


def believed_detection(stated: Floats) -> Floats:
    """Mean of what a stated detection is believed to be."""
    caught, missed = _stated_beta(stated)
    return np.asarray(caught / (caught + missed), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class _Search:
    """What is not known of the search and shared by all records, as cells (c,) with log weights.

    `chance`: detection where none is stated; `rank`: 0-1, where in their own beliefs all stated detections lie;
    `factor`: of the odds of coverage. `elsewhere` as in `still_in_ground`.
    """

    chance: Floats
    rank: Floats
    factor: Floats
    log_weight: Floats
    elsewhere: float

    def log_found(self, facts: RecordFacts, r: int, case: _Case, cells: Ints) -> Floats:
        """Log probability of what was found of record r, for some cells and numbers present, (cells, p)."""
        present, found = case.present, case.found
        factor = self.factor[cells]
        coverage = factor * facts.coverage[r] / (1.0 + (factor - 1.0) * facts.coverage[r])
        seen = coverage * facts.unstated[r] * self.chance[cells]
        known = 1.0 - facts.unstated[r]
        if known > 1e-9:
            detection = np.clip(facts.stated[r] / known, 0.0, 1.0)
            seen = seen + coverage * known * betaincinv(*_stated_beta(detection), self.rank[cells])
        seen = np.clip(seen, NOBODY_LOOKED, 1.0 - 1e-9)[:, None]
        missed = present - found
        log_found = missed * np.log1p(-seen) + found * np.log(seen)
        if self.elsewhere > 0.0:
            unseen = missed * np.log1p(-NOBODY_LOOKED) + found * np.log(NOBODY_LOOKED)
            log_found = np.logaddexp(np.log1p(-self.elsewhere) + log_found, np.log(self.elsewhere) + unseen)
        return np.asarray(log_found + gammaln(present + 1) - gammaln(missed + 1), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class _Case:
    """What may be of one record: so many found, numbers present (p,), their log probabilities by mean (means, p)."""

    log_weight: float
    found: float
    present: Floats
    by_mean: Floats


def _cases(facts: RecordFacts, r: int, means: Floats, concentration: float) -> list[_Case]:
    """Cases of one record: where it is small, whole numbers found and removed, as probable as their means say.

    A tenth of a find of a single device is no tenth of a device: with nine in ten nothing of it was found.
    """
    small = facts.recorded[r] <= SMALL_RECORD
    ways = [_whole(float(v)) if small else [(float(v), 0.0)] for v in (facts.found[r], facts.removed[r])]
    made = []
    for (found, one), (removed, other) in product(*ways):
        table = _present_table(facts.recorded[r], removed, found, means, concentration)
        made.append(_Case(one + other, found, *table))
    return made


def _whole(mean: float) -> list[tuple[float, float]]:
    """The whole numbers about a mean, with log weights."""
    low = float(np.floor(mean + 1e-6))
    part = mean - low
    return [(low, 0.0)] if part < 1e-3 else [(low, float(np.log1p(-part))), (low + 1.0, float(np.log(part)))]


def _search_of(facts: RecordFacts, factors: Floats, detection_beta: tuple[float, float], elsewhere: float) -> _Search:
    open_, stated = bool(np.any(facts.unstated > 1e-9)), bool(np.any(facts.unstated < 1.0 - 1e-9))
    chance = _midpoints(_DETECTION_POINTS if open_ else 1)
    rank = _midpoints((_DETECTION_POINTS_BESIDE if open_ else _DETECTION_POINTS) if stated else 1)
    chance, rank, factor = (a.ravel() for a in np.meshgrid(chance, rank, factors, indexing="ij"))
    log_weight = _log_beta(chance, detection_beta) if open_ else np.zeros(chance.size)
    return _Search(chance, rank, factor, log_weight, elsewhere)


@dataclass(frozen=True, eq=False)
class Belief:
    """What is believed of all records after the search: by cell of `search`, then by mean presence of each group.

    `cases` (records,) hold what may be of each record; `evidence` (groups, cells, means) is logarithmic.
    """

    facts: RecordFacts
    search: _Search
    cases: Sequence[Sequence[_Case]]
    evidence: Floats

    def expected_missed(self) -> Mapping[int, float]:
        """How many recorded devices are there and were not found, in the mean, by number of the record.

        Summed over all that is not known, not drawn: the same for every seed. Devices found and left in place are not
        in it, nor are those laid beyond what is recorded.
        """
        of_group = logsumexp(self.evidence, axis=2)
        of_cell = self.search.log_weight + of_group.sum(axis=0)
        weight = np.exp((of_cell - logsumexp(of_cell) - of_group)[:, :, None] + self.evidence)
        return {
            int(number): _expected_missed(self.search, self.facts, r, self.cases[r], weight[self.facts.group[r]])
            for r, number in enumerate(self.facts.number)
        }


def believe(
    facts: RecordFacts, factors: Floats, elsewhere: float, presence_beta: tuple[float, float],
    detection_beta: tuple[float, float],
) -> Belief:  # fmt: skip
    """Weigh what may remain of each record: laid -> less removals -> present -> found.

    Laid is what was recorded with probability 0.6, else negative binomial about it; what is present of it is
    beta-binomial about a mean that the records of a group share and that their searched part teaches; what
    was found is binomial with coverage x detection, the odds of coverage times a factor all records share.
    Ground without a stated detection has one that all records share, learnt together with the rest; a stated one is
    believed as `STATED_DETECTION_TRIALS` says, too high or too low alike everywhere. With the
    chance `elsewhere` a record lies where nobody looked and its ground says nothing of it.
    """
    search, means = _search_of(facts, factors, detection_beta, elsewhere), _midpoints(_PRESENCE_POINTS)
    every = np.arange(search.chance.size)
    of_group, concentration = presence_levels(presence_beta)
    evidence = np.zeros((int(facts.group.max()) + 1, every.size, means.size)) + _log_beta(means, of_group)
    cases = [_cases(facts, r, means, concentration) for r in range(facts.recorded.size)]
    for r, own in enumerate(cases):
        evidence[facts.group[r]] += logsumexp(_by_case(search, facts, r, own, every), axis=0)
    return Belief(facts, search, cases, evidence)


def still_in_ground(
    belief: Belief, level: float, draws: int, rng: np.random.Generator, types: OpenByType | None = None
) -> Remaining:
    """Draw what remains of all records together, of each and of each type.

    Devices found and left in place are still there.
    """
    facts, search, evidence = belief.facts, belief.search, belief.evidence
    of_cell = _draw(search.log_weight + logsumexp(evidence, axis=2).sum(axis=0), draws, rng)
    of_mean = np.empty((evidence.shape[0], draws), dtype=np.int64)
    for g, c in np.ndindex(evidence.shape[0], search.chance.size):
        here = of_cell == c
        of_mean[g, here] = _draw(evidence[g, c], int(here.sum()), rng)
    total, each = np.zeros(draws), {}
    stream = rng.spawn(1)[0]
    of_type = np.zeros((len(types.names) if types else 0, draws))
    for r, cases in enumerate(belief.cases):
        own = _drawn_missed(search, facts, r, cases, of_cell, of_mean[facts.group[r]], rng)
        if types:
            of_type += types.left[r][:, None] + types.shared_out(r, own, stream)
        own += facts.left[r]
        total += own
        each[int(facts.number[r])] = _told(own, level)
    kinds = types.names if types else ()
    return Remaining(_told(total, level), each, {k: _told(d, level) for k, d in zip(kinds, of_type, strict=True)})


def _log_sum(log_found: Floats, by_mean: Floats) -> Floats:
    """Log of the sum over numbers present, (cells, means)."""
    top, other = log_found.max(axis=1, keepdims=True), by_mean.max(axis=1, keepdims=True)
    summed = np.exp(log_found - top) @ np.exp(by_mean - other).T
    return np.asarray(np.log(np.maximum(summed, _LEAST)) + top + other.T, dtype=np.float64)


def _by_case(search: _Search, facts: RecordFacts, r: int, cases: Sequence[_Case], cells: Ints) -> Floats:
    """Log evidence of one record, (cases, cells, means)."""
    return np.array([c.log_weight + _log_sum(search.log_found(facts, r, c, cells), c.by_mean) for c in cases])


def _expected_missed(
    search: _Search, facts: RecordFacts, r: int, cases: Sequence[_Case], weight: Floats
) -> float:  # fmt: skip
    """How many recorded devices of one record are there and were not found; `weight` (cells, means)."""
    of_cell = weight.sum(axis=1)
    cells = np.flatnonzero(of_cell > NEGLIGIBLE)
    weight = weight[cells] / of_cell[cells].sum()
    chance = _by_case(search, facts, r, cases, cells)
    chance = np.exp(chance - logsumexp(chance, axis=0))
    total, open_ = 0.0, max(facts.recorded[r] - facts.removed[r] - facts.found[r], 0.0)
    for part, case in zip(chance, cases, strict=True):
        log_found = search.log_found(facts, r, case, cells)
        seen = np.exp(log_found - log_found.max(axis=1, keepdims=True))
        there = np.exp(case.by_mean - case.by_mean.max(axis=1, keepdims=True))
        missed = seen @ (there * np.clip(case.present - case.found, 0.0, open_)).T / np.maximum(seen @ there.T, _LEAST)
        total += float(np.sum(weight * part * missed))
    return total


def _drawn_missed(
    search: _Search, facts: RecordFacts, r: int, cases: Sequence[_Case], of_cell: Ints, of_mean: Ints,
    rng: np.random.Generator,
) -> Floats:  # fmt: skip
    """Draw how many of one record are there and were not found, for each draw's cell and mean, (draws,)."""
    cells, cell = np.unique(of_cell, return_inverse=True)
    log_found = [search.log_found(facts, r, c, cells) for c in cases]
    chance = _by_case(search, facts, r, cases, cells) if len(cases) > 1 else None
    drawn = np.empty(of_cell.size)
    means = len(cases[0].by_mean)
    both = cell * means + of_mean
    for at in np.unique(both):
        here, (row, mean) = np.flatnonzero(both == at), divmod(int(at), means)
        which = np.zeros(here.size, np.int64) if chance is None else _draw(chance[:, row, mean], here.size, rng)
        for n, case in enumerate(cases):
            some = here[which == n]
            number = case.present[_draw(case.by_mean[mean] + log_found[n][row], some.size, rng)]
            drawn[some] = np.maximum(number - case.found, 0.0)
    return drawn


def _told(draws: Floats, level: float) -> StillInGround:
    low, median, high = np.quantile(draws, [(1 - level) / 2, 0.5, (1 + level) / 2]).round(9)
    return StillInGround(float(median), (float(low), float(high)), level, float(np.mean(draws < 0.5)))


def _draw(log_weight: Floats, size: int, rng: np.random.Generator) -> Ints:
    """Draw indices by their log weights."""
    below = np.cumsum(np.exp(log_weight - log_weight.max()))
    drawn = np.searchsorted(below, rng.random(size) * below[-1], side="right")
    return np.asarray(np.minimum(drawn, below.size - 1), dtype=np.int64)


def _present_table(
    recorded: float, removed: float, found: float, means: Floats, concentration: float
) -> tuple[Floats, Floats]:
    """Numbers present before the search, (p,), and their log probabilities for each mean presence, (means, p).

    The sum over the numbers laid is a correlation: the beta-binomial is a product of functions of what is present, of
    what is left and of their sum.
    """
    laid, log_weight, step = _laid(recorded)
    one, other = (means * concentration)[:, None], ((1.0 - means) * concentration)[:, None]
    beyond = laid - removed - found
    enough = beyond > -1e-9
    left = np.maximum(beyond[enough], 0.0)
    able = found + left
    log_able = log_weight[enough] + gammaln(able + 1.0) - gammaln(able + concentration)
    log_left = gammaln(left + other) - gammaln(left + 1.0)
    present = found + step * np.arange(max(left.size, 1), dtype=np.float64)
    log_present = np.full((means.size, present.size), -np.inf)
    with np.errstate(divide="ignore"):
        if left.size:
            top, other_top = float(log_able.max()), log_left.max(axis=1, keepdims=True)
            summed = _correlated(np.exp(log_able - top), np.exp(log_left - other_top))
            log_present = np.log(np.maximum(summed, 0.0)) + top + other_top
        # Finds may exceed what could have been there: then the form undercounts, and all of it was.
        short = np.logaddexp.reduce(log_weight[~enough], initial=-np.inf)
        none_left = short + gammaln(found + 1.0) - gammaln(found + concentration) + gammaln(other[:, 0])
        log_present[:, 0] = np.logaddexp(log_present[:, 0], none_left)
    log_present += gammaln(present + one) - gammaln(present + 1.0) - betaln(one, other)
    return present, log_present


def _correlated(one: Floats, other: Floats) -> Floats:
    """Sum over i of one[i] other[..., i - j], for every j from 0, (..., n).

    Directly: by FFT the terms of records nearly all removed, e^50 times the others, would drown these.
    """
    return np.stack([np.correlate(one, row, mode="full")[one.size - 1 :] for row in other])


def _laid(recorded: float) -> tuple[Floats, Floats, float]:
    """Numbers that may have been laid, log probabilities (the form's own, else spread about it), and their step."""
    most = recorded + 5.0 * np.sqrt(recorded + (COUNT_SPREAD * recorded) ** 2)
    step = float(np.ceil(most / _MOST_LAID))
    below = np.arange(np.floor(recorded / step), 0.0, -1.0) * step
    laid = np.concatenate([recorded - below, np.arange(recorded, most + step, step)])
    size = 1.0 / COUNT_SPREAD**2
    log_nb = gammaln(laid + size) - gammaln(laid + 1) + laid * np.log(recorded / (size + recorded))
    log_nb += np.log1p(-EXACT_COUNT_WEIGHT) - logsumexp(log_nb)
    log_nb[below.size] = np.logaddexp(log_nb[below.size], np.log(EXACT_COUNT_WEIGHT))
    return laid, log_nb, step

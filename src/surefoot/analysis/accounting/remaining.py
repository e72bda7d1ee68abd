"""What is still in the ground: a posterior over what was laid, was there, was searched and was missed.

Methods.md section 6, reconciliation. A search that misses one device in twenty never proves that all are gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betaln, gammaln, logsumexp

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

_LAID_POINTS = 21
_DETECTION_POINTS = 15
_PRESENCE_POINTS = 20


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


def still_in_ground(
    facts: RecordFacts,
    factors: Floats,
    elsewhere: float,
    presence_beta: tuple[float, float],
    detection_beta: tuple[float, float],
    level: float,
    draws: int,
    rng: np.random.Generator,
    types: OpenByType | None = None,
) -> Remaining:
    """Sample what remains of all records together, of each and of each type: laid -> less removals -> present -> found.

    Laid is what was recorded with probability 0.6, else negative binomial about it; what is present of it is
    beta-binomial about a mean that the records of a group share and that their searched part teaches; what
    was found is binomial with coverage x detection, the odds of coverage times a factor all records share.
    Ground without a stated detection has one that all records share, learnt together with the rest. With the
    chance `elsewhere` a record lies where nobody looked and its ground says nothing of it. Devices found and
    left in place are still there.
    """
    open_ = bool(np.any(facts.unstated > 0.0))
    chances = _midpoints(_DETECTION_POINTS) if open_ else np.ones(1)
    log_chance = _log_beta(chances, detection_beta) if open_ else np.zeros(1)
    chances, log_chance = np.tile(chances, factors.size), np.tile(log_chance, factors.size)
    factor = np.repeat(factors, chances.size // factors.size)
    means = _midpoints(_PRESENCE_POINTS)
    log_mean = _log_beta(means, presence_beta)
    tables = [
        _present_table(facts, r, (chances, factor, elsewhere), means, sum(presence_beta))
        for r in range(facts.recorded.size)
    ]
    evidence = np.zeros((int(facts.group.max()) + 1, chances.size, means.size))
    seen = [logsumexp(by_mean + by_chance[:, None, :], axis=2) for _, by_mean, by_chance in tables]
    np.add.at(evidence, facts.group, np.array(seen))
    evidence += log_mean
    of_chance = _draw(log_chance + logsumexp(evidence, axis=2).sum(axis=0), draws, rng)
    of_mean = np.empty((evidence.shape[0], draws), dtype=np.int64)
    for g, c in np.ndindex(evidence.shape[0], chances.size):
        here = of_chance == c
        of_mean[g, here] = _draw(evidence[g, c], int(here.sum()), rng)
    total, each = np.zeros(draws), {}
    stream = rng.spawn(1)[0]
    of_type = np.zeros((len(types.names) if types else 0, draws))
    for r, (present, by_mean, by_chance) in enumerate(tables):
        own = np.zeros(draws)
        cell = of_chance * means.size + of_mean[facts.group[r]]
        for at in np.unique(cell):
            here = cell == at
            chance, mean = divmod(at, means.size)
            number = present[_draw(by_mean[mean] + by_chance[chance], int(here.sum()), rng)]
            own[here] = np.maximum(number - facts.found[r], 0.0)
        if types:
            of_type += types.left[r][:, None] + types.shared_out(r, own, stream)
        own += facts.left[r]
        total += own
        each[int(facts.number[r])] = _told(own, level)
    kinds = types.names if types else ()
    return Remaining(_told(total, level), each, {k: _told(d, level) for k, d in zip(kinds, of_type, strict=True)})


def _told(draws: Floats, level: float) -> StillInGround:
    low, median, high = np.quantile(draws, [(1 - level) / 2, 0.5, (1 + level) / 2]).round(9)
    return StillInGround(float(median), (float(low), float(high)), level, float(np.mean(draws < 0.5)))


def _draw(log_weight: Floats, size: int, rng: np.random.Generator) -> Ints:
    """Draw indices by their log weights."""
    below = np.cumsum(np.exp(log_weight - log_weight.max()))
    drawn = np.searchsorted(below, rng.random(size) * below[-1], side="right")
    return np.asarray(np.minimum(drawn, below.size - 1), dtype=np.int64)


def _present_table(
    facts: RecordFacts, r: int, search: tuple[Floats, Floats, float], means: Floats, concentration: float
) -> tuple[Floats, Floats, Floats]:
    """Numbers present before the search, (p,), and the two parts of their log posterior.

    The parts are (mean presence, p) and (detection, p). Their sum over every pair of the two, for all records of a
    large case together, would take hundreds of megabytes.
    """
    found = facts.found[r]
    laid, log_laid = _laid(facts.recorded[r])
    # Finds may exceed what could have been there: then the form undercounts, and all of it was.
    able = np.maximum(laid - facts.removed[r], found)[:, None]
    present = found + np.arange(np.ceil(float(able.max()) - found) + 1.0)
    left = able - present
    possible = left >= -1e-9
    left = np.where(possible, left, 0.0).clip(min=0.0)
    one, other = (means * concentration)[:, None], ((1.0 - means) * concentration)[:, None]
    fixed = np.where(possible, gammaln(able + 1) - gammaln(present + 1) - gammaln(left + 1), -np.inf)
    fixed += log_laid[:, None] - gammaln(able + concentration)
    # What is left takes few different values: numbers laid differ by whole devices.
    values, place = np.unique(left.round(9), return_inverse=True)
    log_left = fixed + gammaln(values + other)[:, place.reshape(left.shape)]
    top = np.maximum(log_left.max(axis=1), np.finfo(np.float64).min)  # a number that nothing allows stays impossible
    with np.errstate(divide="ignore"):
        log_present = top + np.log(np.exp(log_left - top[:, None, :]).sum(axis=1))
    log_present += gammaln(present + one) - betaln(one, other)
    chances, factor, elsewhere = search
    coverage = factor * facts.coverage[r] / (1.0 + (factor - 1.0) * facts.coverage[r])
    seen = np.clip(coverage * (facts.stated[r] + facts.unstated[r] * chances), NOBODY_LOOKED, 1.0 - 1e-9)[:, None]
    missed = present - found
    log_found = missed * np.log1p(-seen) + found * np.log(seen)
    if elsewhere > 0.0:
        unseen = missed * np.log1p(-NOBODY_LOOKED) + found * np.log(NOBODY_LOOKED)
        log_found = np.logaddexp(np.log1p(-elsewhere) + log_found, np.log(elsewhere) + unseen)
    return present, log_present, log_found + gammaln(present + 1) - gammaln(missed + 1)


def _laid(recorded: float) -> tuple[Floats, Floats]:
    """Numbers that may have been laid, with log weights: the form's own, else spread about it."""
    spread = np.sqrt(recorded + (COUNT_SPREAD * recorded) ** 2)
    low, high = max(0.0, np.floor(recorded - 4 * spread)), np.ceil(recorded + 5 * spread)
    laid = np.unique(np.round(np.linspace(low, high, _LAID_POINTS)))
    size = 1.0 / COUNT_SPREAD**2
    log_nb = gammaln(laid + size) - gammaln(laid + 1) + laid * np.log(recorded / (size + recorded))
    log_nb += np.log1p(-EXACT_COUNT_WEIGHT) - logsumexp(log_nb)
    return np.append(laid, recorded), np.append(log_nb, np.log(EXACT_COUNT_WEIGHT))

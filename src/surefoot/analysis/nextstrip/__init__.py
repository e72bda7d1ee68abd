"""Where to search next: the lanes and boxes that find most and tell most about where a record belongs, per cost.

A proposal, never an order: the order of work and the safety distances are the operator's, and ground without a find is
not declared safe. Hard limits of work (`LaneRules`) are filters, not costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from surefoot.analysis.nextstrip.limits import Limits, limits_on
from surefoot.analysis.nextstrip.predicted import DRAWS, Predicted, predict
from surefoot.analysis.nextstrip.scores import (
    TINY,
    Touched,
    count_interval,
    detection_at,
    expected_counts,
    log_chance_of_sampled,
    outcomes,
    touched,
)
from surefoot.analysis.nextstrip.strips import BOX, LANE, Strip, draw_strips
from surefoot.analysis.reanchor import Placements, ReanchorContext, searched_of
from surefoot.analysis.reanchor.ground import SearchedGround
from surefoot.analysis.reanchor.placements import Placement
from surefoot.analysis.reanchor.posterior import Posterior
from surefoot.analysis.reanchor.together import stream_of
from surefoot.model import LaneRules, SearchedAreas

__all__ = ["BOX", "LANE", "Limits", "Proposal", "Search", "Strip", "limits_on", "next_search", "propose"]

Floats = npt.NDArray[np.float64]

FIND_WORTH_NATS = 0.1
"""What one expected find counts beside information (methods.md section 2, "Next strip")."""
LEAST_WORTH_NATS = 0.002
"""Strips that promise less are not proposed: on ground searched well nothing is left to gain."""
LEVEL = 0.9
SCENARIOS = 32
"""Results of the strips chosen before that are played through when the next is chosen."""


@dataclass(frozen=True)
class Search:
    """How the proposed search would be done.

    Attributes
    ----------
    detection
        Chance that it finds a device on its ground.
    lane_cost_per_m2, box_cost_per_m2
        In any one unit.
    candidates, draws
        How many strips are compared, over how many draws of the posterior.
    information_worth
        What a nat of information counts; 0 = strips are chosen by expected finds alone.
    """

    detection: float
    lane_cost_per_m2: float = 1.0
    box_cost_per_m2: float = 1.0
    candidates: int = 90
    draws: int = DRAWS
    information_worth: float = 1.0

    def cost_of(self, strip: Strip) -> float:
        """Area times the cost of a square metre."""
        return strip.area_m2 * (self.lane_cost_per_m2 if strip.kind == LANE else self.box_cost_per_m2)


@dataclass(frozen=True)
class Proposal:
    """A strip with what it promises, if those ranked before it are searched first.

    Attributes
    ----------
    strip
        Where, and from which side.
    start_fixed
        Whether the side where work starts follows from the limits.
    expected_finds, finds_interval
        Mean and 90 % interval of the devices found.
    background_finds
        The part of the mean that is on no record.
    p_no_find
        Chance that nothing is found, which does not make the ground safe.
    information_nats
        Expected information about the placement, in nats.
    cost, score
        ``score = (information + 0.1 x expected finds) / cost``.
    """

    strip: Strip
    start_fixed: bool
    expected_finds: float
    finds_interval: tuple[float, float]
    background_finds: float
    p_no_find: float
    information_nats: float
    cost: float
    score: float

    @property
    def mostly_informs(self) -> bool:
        """Whether it is proposed more for what it tells than for what it finds."""
        return self.information_nats > FIND_WORTH_NATS * self.expected_finds


def next_search(
    result: Placements, searched: SearchedAreas, rules: LaneRules, *, context: ReanchorContext, count: int, seed: int
) -> tuple[tuple[Proposal, ...], Search]:
    """Propose where to search next for a record that `reanchor` has placed.

    Parameters
    ----------
    result
        What remains possible for the record.
    searched
        As read.
    rules
        Limits, method and costs as the operator states them. Without a stated detection probability the prior mean
        stands.
    count
        Strips wanted.
    seed
        With the record's id it gives the random stream: other records change nothing.

    Returns
    -------
    tuple of Proposal, Search
        Best first; the method and effort they were weighed with.
    """
    rng = stream_of(seed, f"{result.record_id}/next search")
    a, b = context.locate.priors.table["search"]["unknown_detection_beta"]
    detection = rules.detection_probability if rules.detection_probability is not None else a / (a + b)
    search = Search(float(detection), rules.lane_cost_per_m2, rules.box_cost_per_m2)
    limits = limits_on(context.grid, rules, complex(result.best.mean.mean()))
    ground = searched_of(searched, context)
    return propose(result.posterior, result.placements, ground, limits, search, count=count, rng=rng), search


def propose(
    posterior: Posterior,
    placements: Sequence[Placement],
    searched: SearchedGround,
    limits: Limits,
    search: Search,
    *,
    count: int,
    rng: np.random.Generator,
) -> tuple[Proposal, ...]:
    """Propose the strips to search next for one record, best first.

    Parameters
    ----------
    posterior, placements
        Of the record, after all finds; every placement with its weight.
    searched
        Ground searched so far, on the grid.
    limits
        Hard limits; nothing that breaks one is returned.
    search
        Method, costs and effort.
    count
        Strips wanted. Each is chosen given that those before it are searched; fewer come back where limits or searched
        ground leave nothing worth it.
    rng
        Source of all randomness.
    """
    predicted = predict(posterior, placements, rng, search.draws)
    strips = draw_strips(predicted, limits, search.candidates, rng)
    pool = [_candidate(strip, predicted, searched) for strip in strips]
    draws = len(predicted.place)
    truth = rng.choice(draws, SCENARIOS)
    weight, chosen = np.full((1, draws), 1.0 / draws), list[Proposal]()
    while pool and len(chosen) < count:
        promised = [_promised(one, predicted, search, weight) for one in pool]
        best = int(np.argmax([one.worth / search.cost_of(one.strip) for one in promised]))
        if promised[best].worth < LEAST_WORTH_NATS:
            break
        chosen.append(_proposal(promised[best], search, limits))
        weight = _told(weight, log_chance_of_sampled(promised[best].counts, truth, rng))
        pool = _without(pool, best, search.detection)
    return tuple(chosen)


@dataclass(frozen=True)
class _Candidate:
    """A strip with the devices that may lie in it and the detection of earlier searches at its points."""

    strip: Strip
    near: Touched
    points: npt.NDArray[np.complex128]
    before: Floats


def _candidate(strip: Strip, predicted: Predicted, searched: SearchedGround) -> _Candidate:
    points = strip.points()
    return _Candidate(strip, touched(strip, predicted), points, detection_at(points, searched))


@dataclass(frozen=True)
class _Promised:
    """What a candidate promises: expected finds by draw and cell, those on no record, information, worth in nats."""

    strip: Strip
    counts: Floats
    background: Floats
    information_nats: float
    worth: float


def _promised(one: _Candidate, predicted: Predicted, search: Search, weight: Floats) -> _Promised:
    counts, background = expected_counts(one.strip, one.near, predicted, one.before, search.detection)
    information = outcomes(counts).information(weight)
    worth = search.information_worth * information + FIND_WORTH_NATS * float(counts.sum(axis=1).mean())
    return _Promised(one.strip, counts, background, information, worth)


def _proposal(promised: _Promised, search: Search, limits: Limits) -> Proposal:
    of_draw, cost = promised.counts.sum(axis=1), search.cost_of(promised.strip)
    return Proposal(
        promised.strip, limits.fix_the_start, float(of_draw.mean()), count_interval(of_draw, LEVEL),
        float(promised.background.sum()), float(np.exp(-of_draw).mean()), promised.information_nats, cost,
        promised.worth / cost,
    )  # fmt: skip


def _told(weight: Floats, logs: Floats) -> Floats:
    """Weights of the draws in every scenario after one more result, (scenarios, draws)."""
    total = np.log(np.maximum(weight, TINY)) + logs
    raw = np.exp(total - total.max(axis=1, keepdims=True))
    return np.asarray(raw / raw.sum(axis=1, keepdims=True))


def _without(pool: list[_Candidate], best: int, detection: float) -> list[_Candidate]:
    """The other candidates, with the ground of the chosen one taken as searched."""
    shape = pool[best].strip.shape
    shapely.prepare(shape)
    rest = []
    for number, one in enumerate(pool):
        if number == best:
            continue
        inside = shapely.contains_xy(shape, one.points.real, one.points.imag)
        before = np.where(inside, np.maximum(one.before, detection), one.before) if inside.any() else one.before
        rest.append(_Candidate(one.strip, one.near, one.points, before))
    return rest

"""Where to search next: known answers, hard limits that nothing breaks, and the same proposals for the same seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import poisson

from surefoot.analysis.nextstrip import BOX, LANE, Limits, Proposal, Search, Strip, limits_on, propose
from surefoot.analysis.nextstrip.predicted import Predicted, neighbours_in_row, predict
from surefoot.analysis.nextstrip.scores import count_interval, detection_at, expected_counts, outcomes, touched
from surefoot.analysis.reanchor.ground import SearchedGround, Seen
from surefoot.analysis.reanchor.hypotheses import Hypothesis, RecordPrior
from surefoot.analysis.reanchor.placements import Placement, placements_of
from surefoot.analysis.reanchor.posterior import Posterior, RecordFacts, explore
from surefoot.analysis.reanchor.sampler import Settings
from surefoot.model import LaneRules
from surefoot.positions.grid import grid_at
from surefoot.positions.zones import convergence_deg

Complexes = npt.NDArray[np.complex128]
COUNT = 6
ROW = np.arange(COUNT) * 6.0 - 15.0 + 0j
PRESENCE, CLUTTER = 0.85, 1e-4
NO_FINDS = Seen(
    np.zeros((0, 2)), np.zeros(0), np.zeros(0, dtype=np.int64), np.empty(0, dtype=object), np.empty(0, dtype=object),
    np.zeros(0),
)  # fmt: skip
NOT_SEARCHED = SearchedGround(np.empty(0, dtype=object), np.zeros(0))
QUICK = Search(detection=0.95, candidates=40, draws=80)


def searched(*shapes: shapely.Polygon, detection: float = 0.95) -> SearchedGround:
    every = np.empty(len(shapes), dtype=object)
    every[:] = shapes
    return SearchedGround(every, np.full(len(shapes), detection))


def hypothesis(pattern: Complexes, weight: float, shift_sd_m: float) -> Hypothesis:
    variance = np.full(len(pattern), 0.25)
    covariance = np.diag(np.square([shift_sd_m, shift_sd_m, 1e-4, 1e-4]))
    return Hypothesis("as_read", 0, {}, weight, 0j, pattern, covariance, variance, np.zeros(len(pattern)))


def record(
    *patterns: Complexes, shift_sd_m: float = 0.1, seen: Seen = NO_FINDS, ground: SearchedGround = NOT_SEARCHED
) -> tuple[Posterior, tuple[Placement, ...]]:
    """A record that may lie in any of some ways, each as likely before any find."""
    n = len(patterns[0])
    prior = RecordPrior(
        "R", np.arange(n), np.array([str(1 + i // COUNT) for i in range(n)], dtype=object),
        tuple(hypothesis(pattern, 1.0 / len(patterns), shift_sd_m) for pattern in patterns),
    )  # fmt: skip
    facts = RecordFacts(np.arange(n) % COUNT + 1.0, np.zeros(n, dtype=np.int64), np.full(n, PRESENCE), CLUTTER, 0.01)
    rng = np.random.default_rng(0)
    posterior = explore(prior, facts, seen, ground, rng=rng, settings=Settings(400, 2))
    return posterior, placements_of(posterior, rng)


def proposals(
    made: tuple[Posterior, tuple[Placement, ...]], count: int = 1, limits: Limits | None = None, seed: int = 0,
    ground: SearchedGround = NOT_SEARCHED, search: Search = QUICK,
) -> tuple[Proposal, ...]:  # fmt: skip
    return propose(*made, ground, limits or Limits(), search, count=count, rng=np.random.default_rng(seed))


def distance_m(one: Proposal, places: Complexes) -> float:
    return float(shapely.distance(one.strip.shape, shapely.MultiPoint(np.column_stack([places.real, places.imag]))))


# --- known answers ---------------------------------------------------------------------------------------


NORTH, SOUTH = ROW + 40j, ROW - 40j
TWO_WAYS = (np.concatenate([ROW, NORTH]), np.concatenate([ROW, SOUTH]))


@pytest.mark.parametrize("seed", range(4))
def test_the_best_strip_lies_where_just_one_of_two_placements_has_devices(seed: int) -> None:
    """Both share row 1, where most finds are to be had; row 2 lies north under one, south under the other."""
    (best,) = proposals(record(*TWO_WAYS), seed=seed)
    assert min(distance_m(best, NORTH), distance_m(best, SOUTH)) == 0.0
    assert distance_m(best, ROW) > 20.0
    assert best.mostly_informs
    assert best.information_nats > 0.2


def test_expected_finds_alone_go_where_both_placements_agree() -> None:
    (best,) = proposals(record(*TWO_WAYS), search=replace(QUICK, information_worth=0.0))
    assert distance_m(best, ROW) == 0.0
    assert best.information_nats < 0.05


def test_what_one_strip_told_the_next_need_not_tell() -> None:
    first, *others = proposals(record(*TWO_WAYS), count=5)
    assert sum(one.information_nats for one in (first, *others)) < np.log(2.0) + 0.1
    assert others[-1].information_nats < first.information_nats / 2.0


@pytest.mark.parametrize("mean", [0.3, 1.0, 3.0])
def test_information_is_that_of_two_placements_in_closed_form(mean: float) -> None:
    background = 0.01
    counts = np.array([[mean + background], [background]])
    told = outcomes(counts).information(np.array([[0.5, 0.5]]))
    y = np.arange(40)
    p = np.stack([poisson.pmf(y, mean + background), poisson.pmf(y, background)])
    exact = float(np.sum(0.5 * p * np.log(p / p.mean(axis=0))))
    assert exact - 0.002 < told <= exact + 1e-12  # three or more are one outcome


def test_information_counts_in_which_cell_a_find_lies() -> None:
    """Two cells, two placements, each with a device in another: seen as one cell there would be nothing to learn."""
    counts = np.array([[1.0, 0.001], [0.001, 1.0]])
    even = np.array([[0.5, 0.5]])
    assert outcomes(counts).information(even) > 0.35
    assert outcomes(counts.sum(axis=1, keepdims=True)).information(even) == pytest.approx(0.0, abs=1e-12)


def test_the_interval_of_finds_is_that_of_the_mixture() -> None:
    assert count_interval(np.full(5, 2.0), 0.9) == (poisson.ppf(0.05, 2.0), poisson.ppf(0.95, 2.0))
    assert count_interval(np.array([0.0] * 19 + [50.0]), 0.8) == (0.0, 0.0)


def alone(sigma_m: float = 0.4) -> Predicted:
    """One device at the origin in one draw."""
    one = np.ones((1, 1))
    return Predicted(0j * one, sigma_m**2 * one, PRESENCE * one, PRESENCE * one, np.zeros(1, dtype=np.int64), 0.0)


@pytest.mark.parametrize(("kind", "across"), [(BOX, 1.0), (LANE, 0.7887)])  # P(|v| < 0.5 m) at sigma 0.4 m
def test_expected_finds_of_one_device_in_a_strip(kind: str, across: float) -> None:
    middle = Strip(kind, 0j, 1 + 0j).length_m / 2.0
    strip = Strip(kind, -middle * 1j, 1j)
    counts, background = expected_counts(
        strip, touched(strip, alone()), alone(), detection_at(strip.points(), NOT_SEARCHED), 0.95
    )
    assert counts.sum() == pytest.approx(PRESENCE * 0.95 * across, abs=1e-3)
    assert background.sum() == 0.0


def test_a_searched_strip_scores_nothing_and_a_half_searched_one_half() -> None:
    strip = Strip(BOX, -2.5 + 0j, 1 + 0j)
    near = touched(strip, alone())
    for shape, left in ((shapely.box(-9, -9, 9, 9), 0.0), (shapely.box(-9, -9, 0, 9), 0.5)):
        before = detection_at(strip.points(), searched(shape))
        counts, _ = expected_counts(strip, near, alone(), before, 0.95)
        assert counts.sum() == pytest.approx(left * PRESENCE * 0.95, abs=0.02)


def test_the_background_is_the_density_of_devices_on_no_record_over_the_free_ground() -> None:
    lonely = replace(alone(), place=np.full((1, 1), 1000.0 + 0j), background_per_m2=0.002)
    strip = Strip(LANE, 0j, 1 + 0j)
    before = detection_at(strip.points(), searched(shapely.box(-1, -1, 10, 1)))
    counts, background = expected_counts(strip, touched(strip, lonely), lonely, before, 0.9)
    assert counts.sum() == pytest.approx(0.002 * (15 * 0.9), rel=1e-9)  # 0.95 was reached on the rest
    assert background.sum() == pytest.approx(counts.sum())


def test_nothing_is_proposed_on_ground_that_was_searched() -> None:
    """Nothing was found where the row should be, so some draws go far off: the ground has to reach beyond them all."""
    everywhere = searched(shapely.box(-400, -400, 400, 400))
    made = record(ROW, shift_sd_m=2.0, ground=everywhere)
    assert proposals(made, count=3, ground=everywhere) == ()


def test_a_record_not_found_where_it_should_be_is_looked_for_beside_the_searched_ground() -> None:
    ground = searched(shapely.box(-60, -60, 60, 60))
    found = proposals(record(ROW, shift_sd_m=10.0, ground=ground), count=3, ground=ground)
    assert len(found) == 3
    for one in found:
        inside = shapely.area(shapely.intersection(one.strip.shape, ground.shapes[0])) / shapely.area(one.strip.shape)
        assert inside < 0.5


def test_strips_go_to_the_part_of_a_row_that_was_not_searched() -> None:
    west = searched(shapely.box(-40, -20, 0, 20))
    for one in proposals(record(ROW, ground=west), count=3, ground=west):
        assert one.strip.shape.difference(west.shapes[0]).area > 0.5 * one.strip.area_m2


def test_a_device_that_was_found_is_no_new_find() -> None:
    at = np.array([[ROW[2].real, ROW[2].imag]])
    found = Seen(
        at, np.array([0.25]), np.zeros(1, dtype=np.int64), np.array([""], dtype=object), np.array([""], dtype=object),
        np.array([np.nan]),
    )  # fmt: skip
    posterior, placements = record(ROW, seen=found)
    predicted = predict(posterior, placements, np.random.default_rng(0))
    left = predicted.missed.mean(axis=0)
    assert left[2] < 0.05
    assert np.delete(left, 2).min() > 0.8


def test_every_placement_has_its_share_of_the_draws() -> None:
    posterior, placements = record(*TWO_WAYS)
    predicted = predict(posterior, placements, np.random.default_rng(0), draws=100)
    north = (predicted.place[:, COUNT:].imag > 0).all(axis=1)
    assert north.sum() in range(48, 53)


def test_neighbours_stay_in_their_row() -> None:
    row = np.array(["1", "1", "1", "2", "3", "3"], dtype=object)
    assert neighbours_in_row(row).tolist() == [1, 2, 1, 3, 5, 4]


def test_the_same_seed_proposes_the_same_ground() -> None:
    made = record(*TWO_WAYS, shift_sd_m=3.0)
    assert proposals(made, count=3, seed=7) == proposals(made, count=3, seed=7)
    assert proposals(made, count=3, seed=7) != proposals(made, count=3, seed=8)


# --- hard limits -----------------------------------------------------------------------------------------


WIDE = record(ROW, ROW * 1j, shift_sd_m=6.0)


@settings(deadline=None, max_examples=10)
@given(
    west=st.floats(-30, 20), south=st.floats(-30, 20), width=st.floats(1, 30), height=st.floats(1, 30),
    seed=st.integers(0, 2**31),
)  # fmt: skip
def test_forbidden_ground_is_never_proposed(west: float, south: float, width: float, height: float, seed: int) -> None:
    forbidden = shapely.box(west, south, west + width, south + height)
    for one in proposals(WIDE, count=2, limits=Limits(forbidden=forbidden), seed=seed):
        assert not one.strip.shape.intersects(forbidden)


@settings(deadline=None, max_examples=10)
@given(bearing=st.floats(0, 360), tolerance=st.floats(0, 40), seed=st.integers(0, 2**31))
def test_work_goes_on_in_allowed_directions_only(bearing: float, tolerance: float, seed: int) -> None:
    wanted = np.exp(1j * np.radians(90.0 - bearing))
    limits = Limits(directions=np.array([wanted]), tolerance_rad=np.radians(tolerance))
    for one in proposals(WIDE, count=2, limits=limits, seed=seed):
        assert one.start_fixed
        assert abs(np.degrees(np.angle(one.strip.heading / wanted))) <= tolerance + 1e-6


@pytest.mark.parametrize("access", [shapely.LineString([(-40, -8), (40, -8)]), shapely.box(-40, -12, 40, -8)])
@pytest.mark.parametrize("seed", range(3))
def test_work_starts_from_the_access(access: shapely.Geometry, seed: int) -> None:
    got = proposals(WIDE, count=4, limits=Limits(access=access, start_within_m=0.5), seed=seed)
    assert got
    for one in got:
        assert shapely.distance(access, shapely.Point(one.strip.start.real, one.strip.start.imag)) <= 0.5
        assert one.start_fixed


def test_work_stays_inside_the_allowed_ground() -> None:
    allowed = shapely.box(-20, -20, 20, 4)
    got = proposals(WIDE, count=4, limits=Limits(allowed=allowed))
    assert got
    assert all(allowed.covers(one.strip.shape) for one in got)


def test_an_access_out_of_reach_leaves_nothing_to_propose() -> None:
    assert proposals(WIDE, count=4, limits=Limits(access=shapely.box(500, 500, 510, 510))) == ()


def test_rules_are_put_on_the_grid_with_their_margin_and_true_bearings() -> None:
    grid = grid_at("EPSG:32638", 47.5, 40.0)  # 2.5 degrees east of the meridian
    ground = shapely.box(47.5, 40.0, 47.501, 40.001)
    limits = limits_on(grid, LaneRules(forbidden=ground, keep_off_m=5.0, directions_deg=(90.0,)), _at(grid))
    east, north = grid.project(np.array([47.5]), np.array([40.0005]))[0]
    assert shapely.distance(limits.forbidden, shapely.Point(east - 7.0, north)) == pytest.approx(2.0, abs=0.1)
    turn = float(np.asarray(convergence_deg(grid.crs, np.array([47.5]), np.array([40.0]))).ravel()[0])
    assert turn > 1.0
    assert np.degrees(np.angle(limits.directions[0])) == pytest.approx(turn, abs=0.01)  # grid bearing 90 - turn


def _at(grid: object) -> complex:
    east, north = grid.project(np.array([47.5]), np.array([40.0]))[0]  # type: ignore[attr-defined]
    return complex(east, north)

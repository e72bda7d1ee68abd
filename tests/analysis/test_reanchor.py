"""Re-anchoring: the likelihood against every assignment counted, known posteriors, a region whose truth is known."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import shapely
from scipy.ndimage import map_coordinates
from scipy.stats import multivariate_normal, norm, qmc

from surefoot.analysis.kernels import registration
from surefoot.analysis.locate import LocateContext, locate
from surefoot.analysis.reanchor import LEAST_LEFT, Placements, ReanchorContext, Settings, _not_removed, reanchor
from surefoot.analysis.reanchor import sampler as sampler_module
from surefoot.analysis.reanchor.ground import (
    NEGLIGIBLE,
    NOTHING_SEARCHED,
    SearchedGround,
    Seen,
    agreement,
    mask_of,
)
from surefoot.analysis.reanchor.hypotheses import Hypothesis, RecordPrior
from surefoot.analysis.reanchor.placements import Placement, between_placements, overall, placements_of
from surefoot.analysis.reanchor.posterior import Posterior, RecordFacts, doubted, explore, stranger_shares
from surefoot.analysis.reanchor.sampler import (
    Target,
    carried,
    crew_for,
    draw_prior,
    evaluate,
    first_states,
    sample,
    scratch_for,
)
from surefoot.analysis.reanchor.subject import Subject
from surefoot.analysis.reanchor.together import Surroundings, correct_all
from surefoot.analysis.synthetic import SimulatedRegion, simulate
from surefoot.model import MinefieldRecord, Where
from surefoot.positions.grid import grid_at
from surefoot.readers.forms.documents import FormDocument
from surefoot.readers.forms.parse import parse_form
from surefoot.readers.priors import default_priors
from surefoot.writers.placements import doubts_of_evidence

Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]
EFFORT = Settings(particles=600, sweeps=3)


def target(pattern: Floats, finds: Floats, base: float, sd_m: float = 20.0, turn: float = 1e-4) -> Target:
    """Devices of one row with 1 m2 of their own variance, none of it shared, and presence 0.8; nothing searched."""
    n = len(pattern)
    rows = np.column_stack([pattern, np.full(n, 1.0), np.full(n, 0.8), np.zeros((n, 2))])
    seen = np.column_stack([finds, np.full(len(finds), 1.0)])
    return Target(
        rows, seen, np.full((len(finds), len(pattern)), base), NOTHING_SEARCHED.about(0j),
        np.diag(np.square([sd_m, sd_m, turn, turn])), 4.0,
    )  # fmt: skip


def every_assignment(t: Target, state: Floats) -> float:
    """Log of the sum over all one-to-one assignments, one by one: twin of the kernel for a pure shift."""
    gap = t.finds[:, None, :2] - t.pattern[None, :, :2] - state[:2]
    variance = t.pattern[:, 2] + t.finds[:, None, 2]
    odds = t.base * np.exp(-0.5 * np.square(gap).sum(axis=2) / variance) / variance
    total = 0.0
    choices = range(-1, len(t.pattern))
    for pick in itertools.product(choices, repeat=len(t.finds)):
        used = [i for i in pick if i >= 0]
        if len(set(used)) == len(used):
            total += np.prod([odds[k, i] for k, i in enumerate(pick) if i >= 0])
    return float(np.log(total))


ROW = np.column_stack([np.arange(4) * 5.0, np.zeros(4)])


@pytest.mark.parametrize("base", [1.0, 30.0, 1000.0])
@pytest.mark.parametrize("shift", [0.0, 1.0, 2.5])
def test_the_likelihood_counts_every_assignment(base: float, shift: float) -> None:
    finds = np.array([[0.5, 0.3], [5.2, -0.6], [6.0, 1.5]])
    t = target(ROW, finds, base)
    state = np.array([[shift, 0.0, 0.0, 0.0, 0.0, 0.0]])
    assert evaluate(t, state, scratch_for(t))[0] == pytest.approx(every_assignment(t, state[0]), abs=0.12)


def test_uncontested_finds_are_counted_exactly() -> None:
    finds = np.array([[0.2, 0.3], [15.2, -0.6]])
    t = target(ROW, finds, 1000.0)
    state = np.zeros((1, 6))
    assert evaluate(t, state, scratch_for(t))[0] == pytest.approx(every_assignment(t, state[0]), abs=0.03)


@pytest.mark.parametrize("searched", [False, True])
@pytest.mark.parametrize("clear", [0, 1])
def test_a_vaguely_placed_accident_counts_in_full(searched: bool, clear: int) -> None:
    """It may be any of the devices near; one that would have been found by now is the likelier to have gone off."""
    t = target(ROW, np.array([[5.2, 0.1], [9.0, 4.0]])[1 - clear :], 30.0)
    t.finds[-1, 2] = 100.0
    ground = np.zeros((80, 80), dtype=np.float32)
    ground[:, :53] = 0.9 if searched else 0.0  # west of 6.25 m: the first two devices
    t = replace(t, search=(ground, -20.0, -20.0, 0.5, np.zeros_like(ground)))
    chance = np.where((ROW[:, 0] < 6.0) & searched, 0.9 * 0.8, 0.0)
    gone, alone = replace(t, base=t.base / (1.0 - chance), search=NOTHING_SEARCHED.about(0j)), np.zeros(6)
    expected = every_assignment(gone, alone)
    expected += np.log(1.0 - chance).sum()  # of every device: the odds are against "there and not found"
    found = evaluate(t, alone[None], scratch_for(t))[0]
    assert found == pytest.approx(expected, abs=0.01)


def test_a_device_that_was_dug_up_did_not_go_off_in_an_accident() -> None:
    """By hand: the find is the first device as good as certainly, so the accident is one of the others or clutter."""
    t = target(ROW, np.array([[0.0, 0.0], [2.0, 1.0]]), 30.0)
    t.finds[1, 2] = 64.0
    t.base[0] = 1e6
    squared = np.square(ROW[1:] - t.finds[1, :2]).sum(axis=1)
    others = np.log1p((30.0 * np.exp(-0.5 * squared / 65.0) / 65.0).sum())
    alone = replace(t, finds=t.finds[:1], base=t.base[:1])
    both, first = (evaluate(x, np.zeros((1, 6)), scratch_for(x))[0] for x in (t, alone))
    assert both - first == pytest.approx(others, abs=0.002)


@pytest.mark.parametrize("meant_m", [-1.5, 0.0, 0.8, 1.6])
@pytest.mark.parametrize("reported_m", [0.0, 0.6])
def test_a_find_dug_up_in_a_lane_lay_in_the_lane(meant_m: float, reported_m: float) -> None:
    """Against the chances, integrated by hand, that device and find together and the find alone lie in the lane."""
    lane = SearchedGround(np.array([shapely.box(-1.0, -30.0, 1.0, 30.0)], dtype=object), np.array([0.9]))
    t = target(np.array([[meant_m, 0.0]]), np.array([[reported_m, 0.0]]), 50.0)
    t.finds[0, 2] = 0.25
    mask = mask_of(lane, (-50, -50, 50, 50), 1.0, 0.5)
    t = replace(t, search=mask.about(0j))
    narrow, middle = np.sqrt(0.25 / 1.25), (0.25 * meant_m + reported_m) / 1.25
    inside = norm.cdf((1.0 - middle) / narrow) - norm.cdf((-1.0 - middle) / narrow)
    at_all = norm.cdf((1.0 - reported_m) / narrow) - norm.cdf((-1.0 - reported_m) / narrow)
    weight = (inside + registration.NOT_OF_THE_SEARCH) / (at_all + registration.NOT_OF_THE_SEARCH)
    q = 0.8 * 0.9 * (norm.cdf(1.0 - meant_m) - norm.cdf(-1.0 - meant_m))
    odds = weight * 50.0 * np.exp(-0.5 * (reported_m - meant_m) ** 2 / 1.25) / 1.25
    found = evaluate(t, np.zeros((1, 6)), scratch_for(t))[0]
    assert found == pytest.approx(np.log(1.0 - q + odds), abs=0.1)


def test_two_finds_at_one_device_cannot_both_be_it() -> None:
    t = target(np.array([[0.0, 0.0], [50.0, 0.0]]), np.array([[0.1, 0.0], [-0.1, 0.0]]), 1000.0)
    one = target(np.array([[0.0, 0.0], [50.0, 0.0]]), np.array([[0.1, 0.0]]), 1000.0)
    both, single = (evaluate(x, np.zeros((1, 6)), scratch_for(x))[0] for x in (t, one))
    assert both == pytest.approx(every_assignment(t, np.zeros(6)), abs=0.05)
    assert both - single < 1.0  # twice as many ways, no second device


def test_devices_of_a_row_share_its_offset() -> None:
    """Three clear finds, two of them in one row: the joint normal density of their residuals, in closed form."""
    pattern = np.array([[0.0, 0.0], [30.0, 0.0], [0.0, 40.0]])
    finds = pattern + np.array([[0.9, 0.4], [1.3, -0.2], [-0.7, 0.5]])
    t = target(pattern, finds, 1e6)
    shared, state = 0.6, np.zeros((1, 6))
    in_rows = np.array(t.pattern)
    in_rows[:, 4], in_rows[:, 5] = shared, [0, 0, 1]
    gained = evaluate(replace(t, pattern=in_rows), state, scratch_for(t))[0] - evaluate(t, state, scratch_for(t))[0]
    joint = 2.0 * np.eye(3) + shared * (np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]]))
    by_hand = sum(
        multivariate_normal(cov=joint).logpdf(axis) - multivariate_normal(cov=2.0 * np.eye(3)).logpdf(axis)
        for axis in (finds - pattern).T
    )
    assert gained == pytest.approx(by_hand, abs=1e-5)


def every_assignment_and_offset(t: Target, state: Floats, points: int = 2048) -> float:
    """Log of the mean, over the offsets of the rows, of the sum over all assignments: twin for a pure shift."""
    rows = t.pattern[:, 5].astype(int)
    uniform = qmc.Sobol(2 * (rows.max() + 1), seed=1).random(points)
    offset = norm.ppf(uniform * (1.0 - 1e-12) + 5e-13).reshape(points, -1, 2)[:, rows]
    at = t.pattern[:, :2] + state[:2] + np.sqrt(t.pattern[:, 4])[:, None] * offset
    variance = (t.pattern[:, 2] - t.pattern[:, 4])[:, None] + t.finds[:, 2]
    squared = np.square(t.finds[:, :2] - at[:, :, None]).sum(axis=3)
    odds = t.base.T * np.exp(-0.5 * squared / variance) / variance
    ways = np.zeros((points, 2 ** len(t.finds)))  # by the set of finds that have a device
    ways[:, 0] = 1.0
    for device in range(len(rows)):
        before = ways.copy()
        for find in range(len(t.finds)):
            taken = [one for one in range(ways.shape[1]) if one >> find & 1]
            ways[:, taken] += before[:, [one ^ 1 << find for one in taken]] * odds[:, device, find, None]
    return float(np.log(ways.sum(axis=1).mean()))


@pytest.mark.parametrize("spacing_m", [1.5, 3.0, 5.0])
def test_an_offset_is_summed_over_the_devices_that_a_find_may_be(spacing_m: float) -> None:
    """Devices so close that a find may be any of several: likelihood ratios of placements as by enumeration."""
    slopes = []
    for seed in range(4):
        rng = np.random.default_rng([5, seed])
        pattern = np.array([[spacing_m * column, 8.0 * row] for row in range(2) for column in range(6)])
        row = np.repeat([0, 1], 6)
        true = pattern + rng.normal(0.0, 0.8, (2, 2))[row] + rng.normal(0.0, 0.7, pattern.shape)
        finds = true[rng.choice(12, 6, replace=False)] + rng.normal(0.0, 1.0, (6, 2))
        t = target(pattern, finds, 50.0)
        in_rows = np.array(t.pattern)
        in_rows[:, 2], in_rows[:, 4], in_rows[:, 5] = 0.64 + 0.49, 0.64, row
        t = replace(t, pattern=in_rows)
        states = np.column_stack([rng.normal(0.0, 0.8, (20, 2)), np.zeros((20, 4))])
        found = evaluate(t, states, scratch_for(t))
        expected = np.array([every_assignment_and_offset(t, state) for state in states])
        assert np.std(found - expected) < 0.15 * np.std(expected)
        slopes.append(np.polyfit(expected, found, 1)[0])
    assert np.mean(slopes) == pytest.approx(1.0, abs=0.06)


@pytest.mark.parametrize("sigmas", [0.0, 1.5, 2.5])
def test_a_row_far_off_its_place_is_believed_as_much_as_it_should_be(sigmas: float) -> None:
    """Finds of one row, all moved by its offset: the likelihood at the true place as by enumeration."""
    gaps = []
    for seed in range(6):
        rng = np.random.default_rng([9, seed])
        pattern = np.column_stack([3.0 * np.arange(9.0), np.zeros(9)])
        finds = pattern[:8] + 0.8 * sigmas * np.array([0.6, 0.8]) + rng.normal(0.0, 0.85, (8, 2))
        t = target(pattern, finds, 50.0)
        in_rows = np.array(t.pattern)
        in_rows[:, 2], in_rows[:, 4] = 0.64 + 0.49, 0.64
        t = replace(t, pattern=in_rows)
        t.finds[:, 2] = 0.25
        gaps.append(evaluate(t, np.zeros((1, 6)), scratch_for(t))[0] - every_assignment_and_offset(t, np.zeros(6)))
    assert np.abs(np.mean(gaps)) < 0.6


def test_one_find_leaves_one_place_for_each_device() -> None:
    """Closed form (methods.md section 2): with one find the shift is a mixture about y - u_i."""
    t = target(ROW, np.array([[7.0, 3.0]]), 1e4)
    cloud = sample(t, Settings(2000, 5), np.random.default_rng(0))
    gap = cloud.states[:, None, :2] - (np.array([7.0, 3.0]) - ROW)[None]
    nearest = np.hypot(gap[..., 0], gap[..., 1])
    assert np.quantile(nearest.min(axis=1), 0.95) < 3.0 * np.sqrt(2.0)
    share = np.bincount(nearest.argmin(axis=1), minlength=4) / len(cloud.states)
    assert share.min() > 0.15  # the prior is wide: no device is preferred


@pytest.mark.parametrize("seed", [0, 1])
def test_the_evidence_is_the_integral_over_the_prior(seed: int) -> None:
    """Against a sum over a fine grid of shifts; turn and scale are as good as fixed."""
    t = target(ROW, np.array([[1.0, 2.0], [6.1, 2.2]]), 200.0, sd_m=10.0)
    cloud = sample(t, Settings(2000, 5), np.random.default_rng(seed))
    axis = np.arange(-120.0, 120.0, 0.5) + 0.25
    east, north = (part.ravel() for part in np.meshgrid(axis, axis))
    states = np.zeros((east.size, 6))
    states[:, 0], states[:, 1] = east, north
    squared = (east**2 + north**2) / 100.0
    prior = (1.0 + squared / 4.0) ** -3.0  # bivariate Student t with 4 degrees of freedom
    value = np.exp(evaluate(t, states, scratch_for(t)))
    assert cloud.log_evidence == pytest.approx(np.log((value * prior).sum() / prior.sum()), abs=0.15)


def test_where_the_sampler_starts_is_the_prior_once_weighted() -> None:
    """Importance sampling: weights of mean 1, and the prior's own quantiles under them."""
    t = target(ROW, np.array([[7.0, 3.0], [-20.0, 25.0]]), 1e4, sd_m=15.0, turn=0.05)
    factor, rng = np.linalg.cholesky(t.covariance), np.random.default_rng(3)
    with crew_for(t) as crew:
        states, lean, _ = first_states(t, 60_000, factor, crew, rng)
    weight = np.exp(lean)
    assert weight.mean() == pytest.approx(1.0, abs=0.02)
    assert weight.max() <= 2.0  # half of the draws are the prior
    plain = draw_prior(60_000, factor, t.degrees_of_freedom, rng)
    for parameter in range(4):
        for level in (0.1, 0.5, 0.9):
            edge = np.quantile(plain[:, parameter], level)
            assert np.average(states[:, parameter] < edge, weights=weight) == pytest.approx(level, abs=0.02)


@pytest.mark.parametrize("finds", [[], [[0.0, 0.0]], [[5.0, -20.0], [40.0, 31.0], [-60.0, 12.0]]])
def test_finds_of_others_do_not_hold_a_record_on_ground_that_was_searched_in_vain(finds: list[list[float]]) -> None:
    """All ground about 40 devices was searched: a find or three there are clutter and the record lies elsewhere.

    Against draws of the prior weighed by their likelihood. First draws kept for their assignments alone all lie at the
    finds, and no move leads away.
    """
    pattern = np.stack(np.meshgrid(np.arange(10) * 4.0 - 18.0, np.arange(4) * 10.0 - 15.0), -1).reshape(-1, 2)
    ground = SearchedGround(np.array([shapely.box(-80, -60, 80, 60)], dtype=object), np.array([0.95]))
    plain = target(pattern, np.array(finds).reshape(-1, 2), 1000.0, turn=0.05)
    t = replace(plain, search=mask_of(ground, (-300, -300, 300, 300), 1.0).about(0j))
    drawn = draw_prior(40_000, np.linalg.cholesky(t.covariance), 4.0, np.random.default_rng(1))
    truth = np.exp(evaluate(t, drawn, scratch_for(t)))
    cloud = sample(t, Settings(), np.random.default_rng(2))
    assert cloud.log_evidence == pytest.approx(np.log(truth.mean()), abs=0.25)
    weighed = drawn[np.random.default_rng(3).choice(len(drawn), 5000, p=truth / truth.sum())]
    for level in (0.25, 0.5, 0.75):
        off, expected = (np.quantile(np.abs(states[:, :2]), level) for states in (cloud.states, weighed))
        assert off == pytest.approx(expected, rel=0.2)


@pytest.mark.parametrize("find_variance_m2", [1.0, 400.0])
def test_the_evidence_is_exact_where_nothing_seen_speaks_for_any_place(find_variance_m2: float) -> None:
    """The weights of the first draws have a known mean of one; what they scatter by is taken out again."""
    pattern = np.column_stack([np.arange(40) % 10 * 4.0, np.arange(40) // 10 * 10.0]) - [18.0, 15.0]
    nothing = target(pattern, np.array([[5.0, 0.0], [60.0, -20.0], [-30.0, 8.0]]), base=1e-9)
    nothing.finds[:, 2] = find_variance_m2
    for seed in range(6):
        assert abs(sample(nothing, EFFORT, np.random.default_rng(seed)).log_evidence) < 1e-5


def test_a_narrow_placement_far_out_in_the_prior_is_found() -> None:
    """Eight finds on their devices, four sigmas off and turned: draws of the prior alone seldom meet that."""
    pattern = np.random.default_rng(8).uniform(-40.0, 40.0, (40, 2))
    state = np.array([[70.0, -60.0, 0.06, 0.03, 0.0, 0.0]])
    at = carried(state, pattern[:8, 0] + 1j * pattern[:8, 1])[0]
    finds = np.column_stack([at.real, at.imag])
    t = target(pattern, finds, 50.0, sd_m=22.0, turn=0.05)
    for seed in range(3):
        cloud = sample(t, EFFORT, np.random.default_rng(seed))
        assert np.abs(np.median(cloud.states[:, :2], axis=0) - state[0, :2]).max() < 2.0


def test_searched_ground_without_a_find_pushes_the_record_away() -> None:
    ground = SearchedGround(np.array([shapely.box(-2, -6, 17, 6)], dtype=object), np.array([0.95]))
    plain = target(ROW, np.zeros((0, 2)), 1.0, sd_m=6.0)
    searched = replace(plain, search=mask_of(ground, (-100, -100, 100, 100), 1.0).about(0j))
    state = np.zeros((2, 6))
    state[1, 1] = 30.0
    there, away = evaluate(searched, state, scratch_for(searched))
    assert there == pytest.approx(4 * np.log(1 - 0.8 * 0.95), abs=0.25)
    assert away == 0.0
    north = sample(searched, Settings(1000, 3), np.random.default_rng(0)).states[:, 1]
    assert np.abs(north).mean() > 1.5 * 6.0 * 0.8


def test_the_mask_is_the_detection_probability_inside_a_large_polygon() -> None:
    ground = SearchedGround(np.array([shapely.box(0, 0, 60, 60), None], dtype=object), np.array([0.9, 0.5]))
    mask, west, south, cell, _ = mask_of(ground, (-200, -200, 200, 200), 1.0).about(0j)
    assert registration.seen_chance(30.0, 30.0, mask, west, south, cell) == pytest.approx(0.9, abs=1e-6)
    assert registration.seen_chance(0.0, 30.0, mask, west, south, cell) == pytest.approx(0.45, abs=0.08)
    assert registration.seen_chance(-30.0, 30.0, mask, west, south, cell) == 0.0


@pytest.mark.parametrize("blur_m", [0.05, 0.4, 1.5])
def test_the_chance_of_having_been_found_is_linear_between_cells_at_every_edge(blur_m: float) -> None:
    """Sharp edges too, where the blur is finer than a cell; what is left out is negligible."""
    ground = SearchedGround(np.array([shapely.box(-10.0, -10.0, 10.0, 10.0)], dtype=object), np.array([0.9]))
    mask, west, south, cell, _ = mask_of(ground, (-100, -100, 100, 100), blur_m).about(0j)
    points = np.random.default_rng(0).uniform(-13.0, 13.0, (4000, 2))
    at = (points - [west, south]) / cell - 0.5
    expected = map_coordinates(mask, at[:, ::-1].T, order=1, mode="constant")
    found = [registration.seen_chance(east, north, mask, west, south, cell) for east, north in points]
    np.testing.assert_allclose(found, expected, atol=2.0 * NEGLIGIBLE)


def test_drawing_the_mask_leaves_the_ground_as_it_is_so_that_threads_may_share_it() -> None:
    ground = SearchedGround(np.array([shapely.box(0, 0, 60, 60)], dtype=object), np.array([0.9]))
    mask_of(ground, (-200, -200, 200, 200), 1.0)
    assert not shapely.is_prepared(ground.shapes).any()


@pytest.mark.parametrize("stretch", [0.0, 0.12])
def test_a_sketch_drawn_out_along_one_axis_is_bent_back_only_where_the_finds_ask_for_it(stretch: float) -> None:
    rng = np.random.default_rng(4)
    east, north = (part.ravel() for part in np.meshgrid(np.arange(-45.0, 46.0, 10.0), np.arange(-30.0, 31.0, 20.0)))
    u, n = east + 1j * north, east.size
    hypothesis = Hypothesis(
        "as_read", 0, {}, 1.0, 0j, u, np.diag(np.square([10.0, 10.0, 0.05, 0.03])), np.full(n, 1.0), np.zeros(n)
    )
    row = np.array([f"{y:g}" for y in north], dtype=object)
    prior = RecordPrior("R-1", np.arange(n), row, (hypothesis,))
    true = np.exp(stretch) * east + 1j * np.exp(-stretch) * north + 4.0 - 3.0j
    found = rng.choice(n, 12, replace=False)
    at = true[found] + rng.standard_normal(12) + 1j * rng.standard_normal(12)
    none = np.full(12, "", dtype=object)
    seen = Seen(np.column_stack([at.real, at.imag]), np.ones(12), np.zeros(12, int), none, none, np.full(12, np.nan))
    ground = SearchedGround(np.array([], dtype=object), np.array([]))
    facts = RecordFacts(east, np.zeros(n, int), np.full(n, 0.85), 1e-5, 5e-3)
    posterior = explore(prior, facts, seen, ground, rng=np.random.default_rng(1), settings=Settings(1000, 4))
    best = placements_of(posterior, np.random.default_rng(2))[0]
    if stretch:
        assert best.stretch == pytest.approx(stretch, abs=0.05)
        assert np.median(np.abs(best.mean - true)) < 1.5
    else:
        assert (best.stretch, best.shear) == (0.0, 0.0)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_placement_stands_on_the_finds_not_between_two_places_where_it_might(seed: int) -> None:
    """Three finds of a row of five that may be its first, its middle or its last three."""
    u = np.arange(-16.0, 17.0, 8.0) + 0j
    wide = np.diag(np.square([12.0, 12.0, 0.01, 0.005]))
    hypothesis = Hypothesis("as_read", 0, {}, 1.0, 0j, u, wide, np.full(5, 0.5), np.zeros(5))
    prior = RecordPrior("R-1", np.arange(5), np.full(5, "1", dtype=object), (hypothesis,))
    at, none = np.array([-3.0, 5.0, 13.0]), np.full(3, "", dtype=object)
    seen = Seen(np.column_stack([at, np.ones(3)]), np.full(3, 0.5), np.zeros(3, int), none, none, np.full(3, np.nan))
    facts = RecordFacts(np.arange(5) + 1.0, np.zeros(5, int), np.full(5, 0.85), 1e-6, 5e-3)
    ground = SearchedGround(np.array([], dtype=object), np.array([]))
    posterior = explore(prior, facts, seen, ground, rng=np.random.default_rng(seed), settings=EFFORT)
    for placement in placements_of(posterior, np.random.default_rng(seed)):
        off = np.abs(placement.mean[None, :] - (at + 1j)[:, None]).min(axis=1)
        assert off.max() < 1.5


def test_threads_inside_a_large_record_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    u = np.concatenate([np.arange(-20.0, 21.0, 5.0) + y * 1j for y in (0.0, 12.0)])
    n, none = len(u), np.full(3, "", dtype=object)
    plain = Hypothesis(
        "as_read", 0, {}, 0.6, 0j, u, np.diag([25.0, 25.0, 1e-3, 1e-3]), np.full(n, 0.5), np.full(n, 0.2)
    )
    turned = replace(plain, error="end_for_end", weight=0.4, pattern=-u)
    prior = RecordPrior("R-1", np.arange(n), np.repeat(["1", "2"], n // 2).astype(object), (plain, turned))
    at = np.array([[-15.0, 1.0], [-4.0, 0.5], [6.0, 12.5]])
    seen = Seen(at, np.ones(3), np.zeros(3, int), none, none, np.full(3, np.nan))
    facts = RecordFacts(np.full(n, np.nan), np.zeros(n, int), np.full(n, 0.85), 1e-5, 5e-3)
    ground = SearchedGround(np.array([], dtype=object), np.array([]))
    monkeypatch.setattr(sampler_module.os, "cpu_count", lambda: 3)
    one, other = (
        explore(prior, facts, seen, ground, rng=np.random.default_rng(1), settings=EFFORT)
        for pairs in (0, 10**9)
        if monkeypatch.setattr(sampler_module, "WORTH_THREADS", pairs) is None
    )
    for first, second in zip(one.sampled, other.sampled, strict=True):
        assert first.cloud is not None
        assert second.cloud is not None
        assert np.array_equal(first.cloud.states, second.cloud.states)


THREE_ROWS = np.concatenate([np.arange(-40.0, 41.0, 5.0) + y * 1j for y in (-12.0, 0.0, 15.0)])


def explored_three_rows(mistakes: dict[str, float], at: npt.NDArray[np.complex128], detection: float) -> Posterior:
    """Three rows placed to 10 m, read as they are or end for end, and finds all over the ground that was searched."""
    n, m = len(THREE_ROWS), len(at)
    wide = np.diag(np.square([10.0, 10.0, np.radians(3.0), 0.03]))
    plain = Hypothesis("as_read", 0, {}, 1.0, 0j, THREE_ROWS, wide, np.full(n, 0.5), np.zeros(n))
    turned = {"as_read": THREE_ROWS, "end_for_end": -THREE_ROWS}
    every = tuple(replace(plain, error=e, weight=w, pattern=turned[e]) for e, w in mistakes.items())
    prior = RecordPrior("R-1", np.arange(n), np.repeat(["1", "2", "3"], n // 3).astype(object), every)
    none, points = np.full(m, "", dtype=object), np.column_stack([at.real, at.imag])
    seen = Seen(points, np.ones(m), np.zeros(m, int), none, none, np.full(m, np.nan))
    searched = shapely.MultiPoint(points).convex_hull.buffer(3.0)
    ground = SearchedGround(np.array([searched], dtype=object), np.array([detection]))
    facts = RecordFacts(np.full(n, np.nan), np.zeros(n, int), np.full(n, 0.85), 1e-5, 5e-3)
    return explore(prior, facts, seen, ground, rng=np.random.default_rng(1), settings=EFFORT)


@pytest.mark.parametrize(("turn_deg", "off", "its_own"), [(2.0, 6.0 - 5.0j, True), (75.0, 60.0 + 40.0j, False)])
def test_a_strangers_field_of_the_same_make_is_no_evidence_for_a_record(
    turn_deg: float, off: complex, its_own: bool
) -> None:
    """Eight finds lie as the record's devices do: near its place, or off it and turned."""
    rng = np.random.default_rng(3)
    at = THREE_ROWS[[18, 19, 20, 22, 3, 4, 40, 42]] * np.exp(-1j * np.radians(turn_deg)) + off
    at = at + 0.7 * (rng.standard_normal(8) + 1j * rng.standard_normal(8))
    posterior = explored_three_rows({"as_read": 1.0}, at, 0.9)
    assert (posterior.log_evidence > posterior.log_evidence_unrelated) is its_own
    odds = np.exp(posterior.log_evidence_unrelated - posterior.log_evidence)
    alone, among = stranger_shares([posterior])[0], stranger_shares([posterior] * 10)
    assert alone == pytest.approx(0.002)
    assert np.ptp(among) == 0.0
    for share in (alone, float(among[0])):
        expected = share / (1.0 - share) * odds / (1.0 + share / (1.0 - share) * odds)
        assert doubted(posterior, share).stranger == pytest.approx(expected, abs=1.1e-4)


def test_strangers_teach_of_the_others_and_not_of_themselves() -> None:
    none = np.zeros(0, dtype=np.int64)
    facts = RecordFacts(np.zeros(0), none, np.zeros(0), 1e-5, 5e-3)
    empty = RecordPrior("R", none, np.zeros(0, dtype=object), ())

    def of(evidence: float) -> Posterior:
        return Posterior(empty, facts, (), np.zeros(0), np.zeros(1, dtype=np.int64), evidence, 0.0)

    odd = stranger_shares([of(-6.0), *[of(3.0)] * 7])
    assert odd[0] < 0.002 < odd[1] < 0.1
    null = stranger_shares([of(-1.0), *[of(-20.0)] * 7])
    assert null[0] > 0.4


def test_a_record_that_what_was_seen_does_not_fit_stands_as_it_reads() -> None:
    rng = np.random.default_rng(3)
    at = 60.0 * (rng.random(30) - 0.5) + 60.0j * (rng.random(30) - 0.5) + 40.0
    found = explored_three_rows({"as_read": 0.9, "end_for_end": 0.1}, at, 0.98)
    assert found.log_evidence < found.log_evidence_unrelated - 12.0
    posterior = doubted(found, 0.002)
    placements = placements_of(posterior, np.random.default_rng(2))
    assert posterior.stranger > 0.99
    assert placements[0].stranger
    assert abs(placements[0].shift_m) < 10.0
    assert sum(p.weight * p.p_find.sum() for p in placements) < 0.01 * 30
    assert sum(p.weight for p in placements if p.hypothesis.error == "as_read") == pytest.approx(0.9, abs=0.02)


# --- a region whose truth is known -----------------------------------------------------------------------


def records_of(region: SimulatedRegion) -> list[MinefieldRecord]:
    return [parse_form(FormDocument(Where("f.yaml", row=1), str(f["record_id"]), f)) for f in region.forms]


def context_of(region: SimulatedRegion) -> ReanchorContext:
    middle = region.settings.region.centroid
    grid = grid_at(region.settings.crs, middle.x, middle.y)
    return ReanchorContext(grid, LocateContext(default_priors(), series=region.settings.series), EFFORT)


def corrected(region: SimulatedRegion, records: list[MinefieldRecord]) -> dict[str, Placements]:
    found = reanchor(
        records, region.finds, region.searched, context=context_of(region), rng=np.random.default_rng(0),
        accidents=region.accidents,
    )  # fmt: skip
    return dict(found)


@pytest.fixture(scope="module")
def region() -> SimulatedRegion:
    return simulate(
        "nominal", rng=np.random.default_rng(11), records=8, overrides={"max_finds_per_record": 20, "presence": 0.95}
    )


def errors_m(region: SimulatedRegion, one: Placements) -> tuple[float, float]:
    """Median error of a record's devices as recorded and in the best placement, metres."""
    truth = region.truth.devices
    grid = context_of(region).grid
    mine = np.flatnonzero(truth.record_id == one.record_id)
    at = {(str(truth.row[m]), float(truth.index[m])): m for m in mine}
    order = [at[str(row), float(index)] for row, index in zip(one.row, one.index, strict=True)]
    there = grid.project(truth.longitude[order], truth.latitude[order]) @ np.array([1, 1j])
    read = grid.project(truth.recorded_longitude[order], truth.recorded_latitude[order]) @ np.array([1, 1j])
    return float(np.median(np.abs(there - read))), float(np.median(np.abs(there - one.best.mean)))


def test_twenty_finds_bring_the_devices_to_where_they_are(region: SimulatedRegion) -> None:
    found = corrected(region, records_of(region))
    before, after = zip(*(errors_m(region, one) for one in found.values()), strict=True)
    assert np.median(after) < np.median(before) / 5.0
    for one in found.values():
        assert sum(p.weight for p in one.placements) == pytest.approx(1.0)
        assert one.best.p_find.sum(axis=0).max() <= 1.0 + 1e-2
        assert ((one.best.p_missed >= -1e-9) & (one.best.p_missed <= 1.0)).all()


def test_neither_order_nor_company_of_the_records_changes_a_bit(region: SimulatedRegion) -> None:
    records = records_of(region)[:4]
    forwards, backwards = corrected(region, records), corrected(region, records[::-1])
    for name, one in forwards.items():
        assert np.array_equal(one.best.mean, backwards[name].best.mean)
        assert [p.weight for p in one.placements] == [p.weight for p in backwards[name].placements]


def test_the_order_of_the_finds_rows_changes_nothing(region: SimulatedRegion) -> None:
    records = records_of(region)[:2]
    order = np.random.default_rng(4).permutation(len(region.finds))
    turned = replace(region, finds=region.finds.take(order))
    plain, shuffled = corrected(region, records), corrected(turned, records)
    for name, one in plain.items():
        other = shuffled[name]
        assert np.array_equal(one.best.mean, other.best.mean)
        assert [p.weight for p in one.placements] == [p.weight for p in other.placements]
        ids = np.concatenate([region.finds.id, region.accidents.id])
        again = np.concatenate([turned.finds.id, region.accidents.id])
        by_find = dict(zip(ids[one.find], one.best.p_find.max(axis=1), strict=True))
        assert by_find == dict(zip(again[other.find], other.best.p_find.max(axis=1), strict=True))


def test_two_forms_of_one_field_do_not_take_each_other_s_finds(region: SimulatedRegion) -> None:
    found = {name: one for name, one in corrected(region, records_of(region)).items() if len(one.find) > 15}
    name = next(iter(found))
    record = next(r for r in records_of(region) if r.record_id == name)
    alone = corrected(region, [record])[name]
    both = corrected(region, [record, replace(record, record_id="COPY")])
    for one in both.values():
        assert one.best.p_find.sum() == pytest.approx(alone.best.p_find.sum(), abs=1.0)
        assert np.median(np.abs(one.best.mean - alone.best.mean)) < 3.0


def test_a_find_listed_twice_moves_nothing(region: SimulatedRegion) -> None:
    records = records_of(region)[:2]
    count = len(region.finds)
    twice = region.finds.take(np.concatenate([np.arange(count), np.arange(count)]))
    twice.id[count:] = [f"{name}-B" for name in region.finds.id]
    plain, doubled = corrected(region, records), corrected(replace(region, finds=twice), records)
    assert np.sum(twice.first_listed() != np.arange(2 * count)) == count
    for name, one in plain.items():
        assert np.array_equal(one.best.mean, doubled[name].best.mean)


def test_what_is_older_than_the_minefield_says_nothing_of_it(region: SimulatedRegion) -> None:
    records = records_of(region)[:4]
    day = np.datetime64("1950-01-01")
    none = replace(region, finds=region.finds.take(np.arange(0)), searched=region.searched.take(np.arange(0)),
                   accidents=region.accidents.take(np.arange(0)))  # fmt: skip
    old = replace(
        region, finds=replace(region.finds, date=np.full(len(region.finds), day)),
        searched=replace(region.searched, date=np.full(len(region.searched), day)),
        accidents=replace(region.accidents, date=np.full(len(region.accidents), day)),
    )  # fmt: skip
    now, before, bare = (corrected(one, records) for one in (region, old, none))
    assert max(one.early_seen for one in before.values()) > 10
    for name, one in before.items():
        assert one.early_searched > 0
        assert len(one.find) == 0
        assert one.log_evidence == pytest.approx(0.0, abs=1e-9)
        assert np.array_equal(one.best.mean, bare[name].best.mean)
        assert (now[name].early_seen, now[name].early_searched) == (0, 0)
        told, untold = ([d.id for d in doubts_of_evidence(x, Where("form.yaml"))] for x in (one, now[name]))
        assert "SF-C056" in told
        assert "SF-C056" not in untold


def test_devices_measured_along_a_row_were_taken_with_the_form_s_instrument(region: SimulatedRegion) -> None:
    """One compiler, one compass: a row measured device by device is no looser than one with a spacing."""
    context = context_of(region)
    for record in records_of(region):
        best = locate(record, context=context.locate.__class__(default_priors(), series=region.settings.series)).best
        assert best is not None
        methods = {leg.instrument for leg in record.legs}
        assert len(methods) == 1
        row = best.items.row
        joint = best.network.joint_covariance(best.items.base, best.items.chain)
        relative = joint[0::2, 0::2].diagonal()[-1] + joint[0, 0] - 2.0 * joint[0, -2]
        length = abs(best.item_means()[-1] - best.item_means()[0])
        assert np.sqrt(max(relative, 0.0)) < 0.12 * length + 2.0, row[-1]


def subject_of(name: str, u: Complexes, seen: Seen, *hypotheses: tuple[str, float, complex, float]) -> Subject:
    """A record in rows of one line each; hypotheses by error, weight, centroid and sd of the shift, metres."""
    n = len(u)
    facts = RecordFacts(np.full(n, np.nan), np.zeros(n, int), np.full(n, 0.85), 1e-5, 5e-3)
    made = tuple(
        Hypothesis(
            error, 0, {}, weight, centre, u, np.diag(np.square([sd, sd, 0.03, 0.02])), np.full(n, 1.1), np.full(n, 0.5)
        )
        for error, weight, centre, sd in hypotheses
    )
    prior = RecordPrior(name, np.arange(n), np.unique(u.imag, return_inverse=True)[1].astype(str).astype(object), made)
    return Subject(prior, facts, np.zeros(len(seen)), np.full(len(seen), 1e-5))


def seen_at(places: Complexes) -> Seen:
    m, none = len(places), np.full(len(places), "", dtype=object)
    return Seen(
        np.column_stack([places.real, places.imag]), np.ones(m), np.zeros(m, int), none, none, np.full(m, np.nan)
    )


def field(rows: int, apart: float, length: int, spacing: float) -> Complexes:
    east, north = np.meshgrid(spacing * np.arange(length), apart * np.arange(rows))
    places = (east + 1j * north).ravel()
    return np.asarray(places - places.mean())


def claims_of(subjects: list[Subject], seen: Seen) -> list[float]:
    """Finds that each record claims where the ground within 10 m of any of them was searched well."""
    boxes = [shapely.box(x - 10.0, y - 10.0, x + 10.0, y + 10.0) for x, y in seen.position]
    searched = SearchedGround(np.array([shapely.union_all(boxes)], dtype=object), np.array([0.95]))
    corrected = correct_all(subjects, Surroundings(seen, searched, 0, 4.0, EFFORT))
    return [float(sum(p.weight * p.p_find.sum() for p in one.placements)) for one in corrected]


def overlapping() -> tuple[list[Subject], Surroundings]:
    """Two rows of nine devices, 8 m apart, each placed to 15 m; five finds along one line between them."""
    u, rng = np.arange(-20.0, 21.0, 5.0) + 0j, np.random.default_rng(0)
    seen = seen_at(np.arange(-10.0, 11.0, 5.0) + 4j + rng.normal(0.0, 1.0, 5) + 1j * rng.normal(0.0, 1.0, 5))
    centres = (("A", 0j), ("B", 3.0 + 8.0j))
    subjects = [subject_of(name, u, seen, ("as_read", 1.0, centre, 15.0)) for name, centre in centres]
    empty = SearchedGround(np.array([], dtype=object), np.array([]))
    return subjects, Surroundings(seen, empty, 0, 4.0, EFFORT)


@pytest.mark.slow
def test_finds_that_may_be_of_two_records_are_shared_whatever_their_order() -> None:
    subjects, around = overlapping()
    one, other = correct_all(subjects, around), correct_all(subjects[::-1], around)[::-1]
    claimed = []
    for a, b in zip(one, other, strict=True):
        assert np.array_equal(a.placements[0].draws, b.placements[0].draws)
        claimed.append(float(sum(p.weight * p.p_find.sum() for p in a.placements)))
    assert claimed[0] == pytest.approx(claimed[1], abs=1.0)  # they are alike
    assert sum(claimed) < 6.0  # each sees the other as it is on average: an assessment shares out what is too much


@pytest.mark.slow
@pytest.mark.parametrize("owner", ["A", "B"])
def test_finds_of_one_of_two_overlapping_records_are_let_go_by_the_other_only(owner: str) -> None:
    """Both took them at first, both let go when they saw the other take them (decision 0032)."""
    fields = {"A": (0j, field(2, 12.0, 20, 4.0)), "B": (6.0 + 12.0j, field(2, 15.0, 20, 5.0))}
    centre, pattern = fields[owner]
    rng = np.random.default_rng(1)
    places = centre + pattern[[*range(9), *range(20, 29)]] + 8.0 + 6.0j
    seen = seen_at(places + rng.normal(0.0, 0.7, 18) + 1j * rng.normal(0.0, 0.7, 18))
    subjects = [subject_of(name, u, seen, ("as_read", 1.0, at, 40.0)) for name, (at, u) in fields.items()]
    claimed = dict(zip(fields, claims_of(subjects, seen), strict=True))
    assert claimed.pop(owner) > 16.0
    assert next(iter(claimed.values())) < 2.0


@pytest.mark.slow
def test_a_mistaken_landmark_does_not_give_a_record_the_finds_of_another() -> None:
    """The finds of A explain B's pattern better than B's own five do, but A has them already (decision 0032)."""
    u, rng = field(2, 12.0, 20, 4.0), np.random.default_rng(5)
    of_a, of_b = u[[*range(2, 11), *range(22, 31)]] + 12.0 - 9.0j, 600.0 + u[[3, 4, 5, 23, 24]] - 10.0 + 5.0j
    places = np.concatenate([of_a, of_b])
    seen = seen_at(places + rng.normal(0.0, 0.7, len(places)) + 1j * rng.normal(0.0, 0.7, len(places)))
    subjects = [
        subject_of(name, u, seen, ("as_read", 0.9, at, 40.0), ("landmark_mistaken", 0.1, at, 253.0))
        for name, at in (("A", 0j), ("B", 600.0 + 0j))
    ]
    claimed = claims_of(subjects, seen)
    assert claimed[0] == pytest.approx(18.0, abs=1.5)
    assert claimed[1] == pytest.approx(5.0, abs=1.5)


@pytest.mark.slow
def test_each_field_of_a_belt_keeps_its_own_finds() -> None:
    """Neighbours reach each other's finds all along; records that are no rivals have their turn at once."""
    rng, u, own = np.random.default_rng(8), field(2, 12.0, 20, 4.0), []
    centres = [150.0 * k + 0j for k in range(5)]
    for centre in centres:
        shift = complex(*rng.normal(0.0, 15.0, 2))
        some = u[rng.choice(len(u), 8, replace=False)]
        own.append(centre + some + shift + rng.normal(0.0, 0.7, 8) + 1j * rng.normal(0.0, 0.7, 8))
    seen = seen_at(np.concatenate(own))
    subjects = [subject_of(str(k), u, seen, ("as_read", 1.0, centre, 25.0)) for k, centre in enumerate(centres)]
    assert claims_of(subjects, seen) == pytest.approx([8.0] * 5, abs=1.5)


def test_two_orders_that_explain_alike_weigh_alike() -> None:
    subjects, around = overlapping()
    corrected = correct_all(subjects, around)
    for one in corrected:
        own = [w for s, w in zip(one.posterior.sampled, one.posterior.weight, strict=True) if not s.stranger]
        assert own == pytest.approx([0.5, 0.5], abs=0.1)  # one hypothesis, under either order
        assert sum(p.weight for p in one.placements) == pytest.approx(1.0)
        known = {id(s.hypothesis) for s in one.posterior.sampled}
        assert {id(p.hypothesis) for p in one.placements} <= known


def test_a_finder_who_names_the_record_raises_its_odds_by_nineteen() -> None:
    row, index = np.repeat(["1", "2"], 5).astype(object), np.tile(np.arange(5) + 1.0, 2)

    def said(record: str, in_row: str, number: float) -> Floats:
        words = (np.array([text], dtype=object) for text in (record, in_row))
        seen = Seen(np.zeros((1, 2)), np.ones(1), np.zeros(1, int), *words, np.array([number]))
        return agreement(seen, "R-1", row, index, np.zeros(10, int))[0]

    assert said("", "", np.nan) == pytest.approx(np.ones(10))
    assert said("R-2", "1", 1.0) == pytest.approx(np.ones(10))
    assert said("R-1", "", np.nan) == pytest.approx(np.full(10, 19.0))
    assert said("R-1", "9", np.nan) == pytest.approx(np.full(10, 19.0))
    in_row = said("R-1", "2", np.nan)
    assert in_row[:5] == pytest.approx(np.full(5, 19.0 * 0.1))
    assert in_row[5:] == pytest.approx(np.full(5, 19.0 * 1.9))
    assert said("R-1", "2", 3.0).mean() == pytest.approx(19.0)
    assert said("R-1", "2", 3.0).argmax() == 7


def test_lanes_beside_each_other_are_searched_ground_in_large_cells_too() -> None:
    """Forty lanes of 1 m cover 40 m; one lane alone covers its share of a cell, wherever the cells lie."""
    lanes = [shapely.box(0.0, float(k), 25.0, k + 1.0) for k in range(40)]
    alone = shapely.box(60.0, 20.3, 85.0, 21.3)
    corner = shapely.box(5000.0, 5000.0, 5001.0, 5001.0)  # draws the raster out: cells of 3.5 m
    ground = SearchedGround(np.array([*lanes, alone, corner], dtype=object), np.full(42, 0.9))
    mask = mask_of(ground, (-50.0, -50.0, 5050.0, 5050.0), 0.5)
    assert mask.cell_m > 3.0
    east, north = (
        edge + (np.arange(size) + 0.5) * mask.cell_m
        for edge, size in zip((mask.west, mask.south), mask.chance.shape[::-1], strict=True)
    )
    inner = mask.chance[np.ix_((north > 8.0) & (north < 32.0), (east > 8.0) & (east < 17.0))]
    assert inner.min() > 0.85
    beside = mask.chance[:40, (east > 50.0) & (east < 95.0)]
    assert beside.sum() * mask.cell_m**2 == pytest.approx(0.9 * 25.0, rel=0.05)


@pytest.mark.parametrize("events", [["12.10.94 снято 60 ПМН"], ["12.10.94 снято 30 ПМН", "13.10.94 снято 30 ПМН"]])
def test_removals_in_several_events_add_up(events: list[str]) -> None:
    form = {
        "record_id": "R", "family": "formulyar", "laid": "12.07.1993", "crs": "СК-42 зона 8",
        "reference_points": [{"id": "A", "position": "X=4416343 Y=8491643"}],
        "legs": [{"from": "A", "to": "1", "bearing": "10°", "distance": "15 м"},
                 {"from": "1", "to": "2", "bearing": "10°", "distance": "300 м"}],
        "rows": [{"no": "1", "from": "1", "to": "2", "spacing": "4 м", "mines": {"ПМН": "60"}}],
    }  # fmt: skip

    def left(noted: list[str]) -> Floats:
        record = parse_form(FormDocument(Where("f.yaml", row=1), "R", {**form, "events": noted}))
        return _not_removed(record, np.full(60, "ПМН", dtype=object))

    assert left(events) == pytest.approx(np.full(60, LEAST_LEFT))
    assert left(["12.10.94 снято 10 ПМН"] * 3) == pytest.approx(np.full(60, 0.5))


def test_a_far_placement_of_little_weight_does_not_draw_an_ellipse_out() -> None:
    near, far = (_placed_at(centre, weight) for centre, weight in ((0j, 0.97), (30_000.0 + 0j, 0.03)))
    mean, covariance = overall((near, far))
    assert abs(mean).max() < 25.0
    assert np.sqrt(covariance[:, [0, 1], [0, 1]]).max() < 5.0
    assert not between_placements((near, far), mean).any()
    apart = _placed_at(0j, 0.5), _placed_at(300.0 + 0j, 0.5)
    assert between_placements(apart, overall(apart)[0]).all()


def _placed_at(centre: complex, weight: float) -> Placement:
    u, n = np.arange(-20.0, 21.0, 5.0) + 0j, 9
    one = Hypothesis("as_read", 0, {}, 1.0, centre, u, np.eye(4), np.ones(n), np.zeros(n))
    none, draws = np.zeros((0, n)), np.zeros((50, 6))
    cov = np.tile(np.eye(2), (n, 1, 1))
    return Placement(
        weight, one, centre, 0j, 0.0, 1.0, np.eye(4), 0.0, 0.0, centre + u, cov, none, np.ones(n), np.zeros(n),
        np.zeros(n, dtype=np.int64), np.zeros(1, dtype=complex), np.zeros(1), draws, np.zeros((50, 1), dtype=complex),
        np.zeros(1),
    )  # fmt: skip

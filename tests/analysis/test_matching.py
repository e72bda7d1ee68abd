"""Matching: exact enumeration first, then the slow twin, then laws, then the ugly."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from surefoot.analysis.kernels import association as kernels
from surefoot.analysis.matching import Association, associate
from surefoot.errors import UsageError


def pairs_as_table(association: Association, items: int, finds: int) -> np.ndarray:
    table = np.zeros((items, finds))
    table[association.item, association.find] = association.probability
    return table


def match(mean, cov, finds, **more):
    n, m = len(mean), len(finds)
    settings_ = {
        "item_presence": 0.85,
        "item_category": np.zeros(n, dtype=np.int64),
        "item_record": np.zeros(n, dtype=np.int64),
        "find_variance": np.ones(m),
        "find_category": np.zeros(m, dtype=np.int64),
        "detection": 0.95,
        "clutter_density": 1e-4,
    } | more
    return associate(
        item_mean=np.asarray(mean, dtype=float).reshape(n, 2),
        item_cov=np.asarray(cov, dtype=float).reshape(n, 3),
        find_position=np.asarray(finds, dtype=float).reshape(m, 2),
        **settings_,
    )


def odds_by_hand(mean, cov, finds, presence=0.85, detection=0.95, clutter=1e-4, variance=1.0):
    odds = np.zeros((len(mean), len(finds)))
    for i, k in itertools.product(range(len(mean)), range(len(finds))):
        ee, en, nn = cov[i]
        total = [[ee + variance, en], [en, nn + variance]]
        density = multivariate_normal(mean[i], total).pdf(finds[k])
        odds[i, k] = presence * detection * density / ((1 - presence * detection) * clutter * detection)
    return odds


def marginals_by_enumeration(odds):
    """Sum over every one-to-one assignment: the truth for small problems."""
    items, finds = odds.shape
    table, total = np.zeros_like(odds), 0.0
    for choice in itertools.product(range(-1, items), repeat=finds):
        used = [i for i in choice if i >= 0]
        if len(set(used)) < len(used):
            continue
        weight = float(np.prod([odds[i, k] for k, i in enumerate(choice) if i >= 0]))
        total += weight
        for k, i in enumerate(choice):
            if i >= 0:
                table[i, k] += weight
    return table / total


def sweep_slowly(odds, sweeps=200):
    """Williams-Lau in plain NumPy, every pair at once: twin of `kernels.sweep`."""
    odds = np.minimum(odds, kernels.LARGEST_ODDS)
    to_item = np.ones_like(odds)
    for _ in range(sweeps):
        to_find = odds / (1 + (odds * to_item).sum(axis=1, keepdims=True) - odds * to_item)
        to_item = 1 / (1 + to_find.sum(axis=0, keepdims=True) - to_find)
    return to_find / (1 + to_find.sum(axis=0, keepdims=True))


ROW = [(5.0 * j, 0.0) for j in range(5)]
ROUND = [(9.0, 0.0, 9.0)] * 5


class TestTruth:
    def test_one_item_one_find_is_bayes_exactly(self):
        odds = odds_by_hand([(0, 0)], [(4, 1, 9)], [(1, 2)])[0, 0]
        association = match([(0, 0)], [(4, 1, 9)], [(1, 2)])
        assert association.probability[0] == pytest.approx(odds / (1 + odds), rel=1e-12)
        assert association.unrecorded[0] == pytest.approx(1 / (1 + odds), rel=1e-9)

    def test_one_item_two_finds_is_exact(self):
        odds = odds_by_hand([(0, 0)], [(9, 0, 9)], [(1, 0), (-2, 1)])
        got = pairs_as_table(match([(0, 0)], [(9, 0, 9)], [(1, 0), (-2, 1)]), 1, 2)
        np.testing.assert_allclose(got, marginals_by_enumeration(odds), atol=1e-9)

    @pytest.mark.parametrize("clutter", [1e-5, 1e-3])
    @pytest.mark.parametrize(
        "finds", [[(1, 0), (4, 1)], [(2.5, 0), (7, -1), (12, 1)], [(0, 0), (1, 0), (2, 0), (3, 0)]]
    )
    def test_close_to_full_enumeration(self, finds, clutter):
        # Belief propagation is exact without loops; two finds competing for one item is where it is worst.
        truth = marginals_by_enumeration(odds_by_hand(ROW, ROUND, finds, clutter=clutter))
        association = match(ROW, ROUND, finds, clutter_density=clutter)
        got = pairs_as_table(association, 5, len(finds))
        assert np.abs(got - truth).max() < 0.11
        assert got.sum() == pytest.approx(truth.sum(), rel=0.03)

    def test_agrees_with_the_slow_twin(self):
        rng = np.random.default_rng(4)
        mean = rng.uniform(0, 60, (30, 2))
        cov = np.column_stack([rng.uniform(4, 60, 30), rng.uniform(-1, 1, 30), rng.uniform(4, 60, 30)])
        finds = rng.uniform(0, 60, (20, 2))
        twin = sweep_slowly(odds_by_hand(mean, cov, finds, presence=0.6, detection=0.7, clutter=1e-3))
        got = match(mean, cov, finds, item_presence=0.6, detection=0.7, clutter_density=1e-3, gate_sigma=40.0)
        np.testing.assert_allclose(pairs_as_table(got, 30, 20), twin, atol=5e-5)
        assert got.converged

    def test_a_well_placed_record_matches_one_to_one(self):
        mean = [(10.0 * i, 7.0 * (i % 3)) for i in range(40)]
        association = match(mean, [(0.5, 0, 0.5)] * 40, np.asarray(mean) + 0.3, clutter_density=1e-6)
        assert association.unrecorded.max() < 1e-3
        np.testing.assert_allclose(association.per_item(), 1.0, atol=1e-3)
        best = association.item[np.argsort(association.probability)[-40:]]
        assert sorted(best.tolist()) == list(range(40))

    def test_clutter_density_is_recovered(self):
        rng = np.random.default_rng(8)
        side, per, records = 10_000.0, 30, 60
        centre = np.repeat(rng.uniform(200, side - 200, (records, 2)), per, axis=0)
        pattern = np.column_stack([np.arange(per) % 10 * 6.0, np.arange(per) // 10 * 20.0])
        place = centre + np.tile(pattern, (records, 1))
        stated = place + np.repeat(rng.normal(0, 15, (records, 2)), per, axis=0)
        found = rng.random(records * per) < 0.8
        clutter = rng.uniform(0, side, (500, 2))
        association = match(
            stated,
            [(225.0, 0.0, 225.0)] * (records * per),
            np.concatenate([place[found] + rng.normal(0, 1, (found.sum(), 2)), clutter]),
            item_record=np.repeat(np.arange(records), per),
            clutter_density=None,
            area_m2=side**2,
        )
        assert association.clutter_density * side**2 * 0.95 == pytest.approx(500, rel=0.12)
        assert association.recorded[: found.sum()].mean() > 0.95

    def test_records_that_have_nothing_to_do_with_the_finds_match_as_chance_says(self):
        rng = np.random.default_rng(3)
        side, n, m = 10_000.0, 300, 3000
        association = match(
            rng.uniform(0, side, (n, 2)),
            [(100.0, 0.0, 100.0)] * n,
            rng.uniform(0, side, (m, 2)),
            item_presence=0.05,
            clutter_density=None,
            area_m2=side**2,
        )
        assert association.recorded.mean() < 0.02


class TestEvidence:
    def test_conflicting_known_categories_never_match(self):
        association = match([(0, 0)], [(9, 0, 9)], [(0, 0)], item_category=np.array([1]), find_category=np.array([2]))
        assert association.find.size == 0
        assert association.unrecorded.tolist() == [1.0]

    @pytest.mark.parametrize(("item", "find"), [(0, 2), (1, 0), (1, 1)])
    def test_equal_or_unknown_categories_may_match(self, item, find):
        association = match(
            [(0, 0)], [(9, 0, 9)], [(0, 0)], item_category=np.array([item]), find_category=np.array([find])
        )
        assert association.probability[0] > 0.9

    def test_a_stated_record_multiplies_the_odds_by_nineteen(self):
        plain = match([(0, 0)], [(9, 0, 9)], [(9, 0)])
        stated = match([(0, 0)], [(9, 0, 9)], [(9, 0)], find_stated_record=np.array([0]))
        other = match([(0, 0)], [(9, 0, 9)], [(9, 0)], find_stated_record=np.array([5]))

        def odds(a):
            return a.probability[0] / a.unrecorded[0]

        assert odds(stated) / odds(plain) == pytest.approx(19.0, rel=1e-6)
        assert odds(other) == pytest.approx(odds(plain), rel=1e-12)

    def test_a_stated_record_is_no_hard_link(self):
        association = match(
            [(0, 0), (40, 0)],
            [(4, 0, 4)] * 2,
            [(40, 0)],
            item_record=np.array([0, 1]),
            find_stated_record=np.array([0]),
        )
        find, record, probability = association.per_find_record()
        assert record[np.argmax(probability)] == 1
        assert find.tolist() == [0] * find.size

    def test_ground_not_searched_says_nothing_against_an_item(self):
        searched = match([(0, 0)], [(9, 0, 9)], [(9, 0)])
        aside = match([(0, 0)], [(9, 0, 9)], [(9, 0)], item_searched=0.0)
        assert aside.probability[0] < searched.probability[0]


class TestLots:
    def test_items_that_cannot_be_told_apart_share_one_line(self):
        finds = [(3.0, 1.0), (-20.0, 4.0), (15.0, -9.0)]
        together = match([(0, 0)] * 6, [(400, 0, 400)] * 6, finds)
        apart = match([(1e-7 * i, 0) for i in range(6)], [(400, 0, 400)] * 6, finds)
        assert together.find.size == 3
        assert apart.find.size == 18
        np.testing.assert_allclose(together.unrecorded, apart.unrecorded, atol=1e-6)
        np.testing.assert_allclose(together.per_item(), apart.per_item(), atol=1e-6)

    def test_different_records_are_told_apart(self):
        association = match([(0, 0)] * 2, [(400, 0, 400)] * 2, [(1, 1)], item_record=np.array([0, 1]))
        assert association.find.size == 2

    def test_a_wide_area_of_many_items_stays_small(self):
        rng = np.random.default_rng(0)
        finds = rng.normal(0, 400, (5000, 2))
        association = match([(0, 0)] * 20_000, [(250_000, 0, 250_000)] * 20_000, finds)
        assert association.find.size <= 5000
        assert association.per_item().sum() == pytest.approx(association.recorded.sum(), rel=1e-9)


@st.composite
def problems(draw):
    items, finds = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    spread = draw(st.sampled_from([1.0, 20.0, 200.0]))
    sigma = draw(st.sampled_from([0.1, 3.0, 60.0]))
    return {
        "mean": rng.normal(0, spread, (items, 2)),
        "cov": np.tile([sigma**2, 0.3 * sigma**2, sigma**2], (items, 1)),
        "finds": rng.normal(0, spread, (finds, 2)),
        "clutter_density": draw(st.sampled_from([1e-9, 1e-5, 1e-2])),
        "item_presence": draw(st.sampled_from([0.0, 0.3, 1.0])),
        "item_record": rng.integers(0, 3, items),
        "item_category": rng.integers(0, 4, items),
        "find_category": rng.integers(0, 4, finds),
    }


class TestLaws:
    @settings(max_examples=120)
    @given(problem=problems())
    def test_probabilities_are_probabilities(self, problem):
        association = match(**problem)
        finds = len(problem["finds"])
        per_find = np.bincount(association.find, weights=association.probability, minlength=finds)
        np.testing.assert_allclose(per_find + association.unrecorded, 1.0, atol=1e-12)
        assert np.all((association.probability >= 0) & (association.probability <= 1 + 1e-12))
        assert np.all(association.per_item() <= 1 + 1e-12)
        assert association.per_item().sum() == pytest.approx(association.recorded.sum(), abs=1e-9)
        assert association.per_record().sum() == pytest.approx(association.recorded.sum(), abs=1e-9)

    @settings(max_examples=40)
    @given(problem=problems(), east=st.floats(-1e5, 1e5), north=st.floats(-1e5, 1e5))
    def test_moving_everything_changes_nothing(self, problem, east, north):
        here = match(**problem)
        problem["mean"] = problem["mean"] + [east, north]
        problem["finds"] = problem["finds"] + [east, north]
        np.testing.assert_allclose(match(**problem).unrecorded, here.unrecorded, atol=1e-6)

    @settings(max_examples=40)
    @given(problem=problems(), seed=st.integers(0, 99))
    def test_the_order_of_finds_does_not_matter(self, problem, seed):
        here = match(**problem)
        order = np.random.default_rng(seed).permutation(len(problem["finds"]))
        problem["finds"] = problem["finds"][order]
        problem["find_category"] = problem["find_category"][order]
        np.testing.assert_allclose(match(**problem).unrecorded, here.unrecorded[order], atol=1e-4)

    def test_the_same_input_gives_the_same_bits(self):
        rng = np.random.default_rng(1)
        mean, finds = rng.uniform(0, 500, (400, 2)), rng.uniform(0, 500, (200, 2))
        once, again = (match(mean, [(900, 0, 900)] * 400, finds) for _ in range(2))
        assert np.array_equal(once.probability, again.probability)


class TestUgly:
    def test_nothing_on_either_side(self):
        assert match([], [], [(0, 0)]).unrecorded.tolist() == [1.0]
        assert match([(0, 0)], [(1, 0, 1)], []).per_item().tolist() == [0.0]

    def test_an_item_without_a_place_is_never_matched(self):
        association = match([(np.nan, np.nan), (0, 0)], [(np.nan,) * 3, (4, 0, 4)], [(0, 0)])
        assert association.per_item()[0] == 0.0
        assert association.per_item()[1] > 0.9

    def test_perfect_positions_still_have_a_density(self):
        association = match([(5, 5)], [(0, 0, 0)], [(5, 5)], find_variance=np.zeros(1))
        assert association.probability[0] > 0.99

    def test_beyond_the_gate_nothing(self):
        assert match([(0, 0)], [(3, 0, 3)], [(10.01, 0)]).find.size == 0
        assert match([(0, 0)], [(3, 0, 3)], [(9.99, 0)]).find.size == 1

    @pytest.mark.parametrize(
        ("more", "id_"),
        [
            ({"clutter_density": 0.0}, "SF-A001"),
            ({"clutter_density": None}, "SF-A001"),
            ({"clutter_density": None, "area_m2": 0.0}, "SF-A001"),
            ({"detection": 0.0}, "SF-A003"),
            ({"detection": float("nan")}, "SF-A003"),
            ({"item_presence": 1.2}, "SF-A003"),
            ({"item_searched": float("nan")}, "SF-A003"),
        ],
    )
    def test_numbers_without_meaning_are_refused(self, more, id_):
        with pytest.raises(UsageError) as caught:
            match([(0, 0)], [(1, 0, 1)], [(0, 0)], **more)
        assert caught.value.id == id_

    def test_a_find_without_a_place_is_refused(self):
        with pytest.raises(UsageError, match="SF-A002"):
            match([(0, 0)], [(1, 0, 1)], [(np.nan, 0)])

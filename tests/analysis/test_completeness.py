"""The number of all devices: known answers, laws, coverage, refusals, and the sums of published figures."""

from __future__ import annotations

import datetime as dt
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from surefoot.analysis.accuracy import SharePosterior, share_posterior
from surefoot.analysis.assess.totals import totals_of
from surefoot.analysis.completeness import (
    Histories,
    Stratum,
    TwoLists,
    between,
    chance_above,
    finds_needed,
    implications,
    implied_total,
    latent_class_total,
    log_linear_total,
    needed_completeness,
    survey_total,
    totals_tested,
    two_list_total,
)
from surefoot.analysis.matching import Association
from surefoot.errors import UsageError
from surefoot.model import Claim
from surefoot.terms import Bound

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
DATA = Path(os.environ.get("SUREFOOT_DATA", SHARED)) / "completeness" / "kosovo_aggregate.csv"


def cells(recorded: float, found: float, psi: float) -> list[float]:
    both = recorded * found
    if psi != 1.0:
        a = 1.0 + (recorded + found) * (psi - 1.0)
        both = (a - np.sqrt(a * a - 4.0 * psi * (psi - 1.0) * recorded * found)) / (2.0 * (psi - 1.0))
    return [both, recorded - both, found - both, 1.0 - recorded - found + both]


# --- two lists -------------------------------------------------------------------------------------------


def test_two_lists_give_the_identity_back() -> None:
    result = two_list_total(TwoLists(200, 100, 500), odds_ratios=(0.5, 1.0, 2.0))
    # n10 = 300, n01 = 100, n11 = 200: n00 = psi * 150
    assert [at.total for at in result.curve] == [675.0, 750.0, 900.0]
    assert result.integrated.total == 750.0
    assert result.integrated.reason is None


def test_only_recorded_devices_that_are_there_count() -> None:
    half = SharePosterior(0.5, np.full(512, 0.5))
    result = two_list_total(TwoLists(200, 100, 1000, correctness=half), odds_ratios=(1.0,))
    assert result.curve[0].total == pytest.approx(1000 * 0.5 / (200 / 300))


counts = st.floats(min_value=1.0, max_value=1e5)
lists = st.builds(
    lambda both, only, new, effect: TwoLists(both, new, both + only, design_effect=effect),
    both=st.floats(min_value=10.0, max_value=1e5),
    only=counts,
    new=counts,
    effect=st.floats(min_value=1.0, max_value=10.0),
)


@settings(deadline=None, max_examples=40)
@given(lists)
def test_the_total_is_never_below_the_devices_seen_and_rises_with_the_odds_ratio(given_lists: TwoLists) -> None:
    result = two_list_total(given_lists)
    seen = given_lists.recorded + given_lists.found_only
    totals = [at.total for at in result.curve]
    assert None not in totals
    assert totals == sorted(totals, key=float)
    for at in result.curve:
        assert seen * (1 - 1e-9) <= at.interval[0] <= (at.total or 0.0) <= at.interval[1]
    for end in (0, 1):
        bounds = [at.interval[end] for at in result.curve]
        assert all(b >= a * (1 - 1e-9) for a, b in pairwise(bounds))
    whole = result.integrated
    assert whole.interval is not None
    assert whole.mixture is not None
    assert whole.interval[0] <= whole.mixture[0] <= whole.mixture[1] <= whole.interval[1]


@settings(deadline=None, max_examples=30)
@given(lists, st.floats(min_value=2.0, max_value=50.0))
def test_counts_times_k_give_totals_times_k_and_no_wider_intervals(given_lists: TwoLists, k: float) -> None:
    only = given_lists.recorded - given_lists.both
    unseen = only * given_lists.found_only / given_lists.both
    assume(unseen >= given_lists.design_effect)  # below one device (or cluster) unseen, whole numbers rule the width
    more = TwoLists(
        given_lists.both * k, given_lists.found_only * k, given_lists.recorded * k,
        design_effect=given_lists.design_effect,
    )  # fmt: skip
    small, large = two_list_total(given_lists, odds_ratios=(1.0,)), two_list_total(more, odds_ratios=(1.0,))
    assert large.curve[0].total == pytest.approx(k * float(small.curve[0].total or 0.0), rel=1e-9)
    widths = [(r.curve[0].interval[1] - r.curve[0].interval[0]) for r in (small, large)]
    assert widths[1] <= k * widths[0] * (1 + 1e-6) + 1e-6


def test_clustered_and_uncertain_counts_widen_the_interval() -> None:
    plain, clustered, unsure = (
        two_list_total(one, odds_ratios=(1.0,)).curve[0].interval
        for one in (
            TwoLists(100, 50, 300),
            TwoLists(100, 50, 300, design_effect=3.0),
            TwoLists(100, 50, 300, linkage_variance=40.0),
        )
    )
    assert clustered[1] - clustered[0] > 1.4 * (plain[1] - plain[0])
    assert unsure[1] - unsure[0] > 1.2 * (plain[1] - plain[0])


@pytest.mark.parametrize("psi", [0.3, 1.0, 3.0])
def test_coverage_over_the_odds_ratio(psi: float) -> None:
    """60 sets; the limit is the promised 0.85 less two and a half standard errors."""
    rng = np.random.default_rng(round(100 * psi))
    held = np.zeros(2)
    for _ in range(60):
        both, only, new, _ = rng.multinomial(2000, cells(0.4, 0.2, psi))
        result = two_list_total(TwoLists(both, new, both + only), odds_ratios=(psi,))
        assert result.integrated.interval is not None
        held += [low <= 2000 <= high for low, high in (result.curve[0].interval, result.integrated.interval)]
    assert held.min() / 60 >= 0.85 - 2.5 * np.sqrt(0.85 * 0.15 / 60)


def test_few_matches_give_a_range_but_no_total() -> None:
    result = two_list_total(TwoLists(9.9, 5, 40))
    assert result.integrated.total is None
    assert result.integrated.interval is None
    assert result.integrated.reason == "SF-A070"
    assert len(result.curve) == 7
    assert all(at.total is None and at.interval[1] > at.interval[0] for at in result.curve)
    assert two_list_total(TwoLists(0.4, 5, 40)).curve == ()
    assert chance_above(TwoLists(9.9, 5, 40), 100.0) is None


def test_unknown_detection_gives_no_total() -> None:
    result = two_list_total(TwoLists(100, 50, 300, detection_known=False))
    assert result.curve == ()
    assert result.integrated.total is None
    assert result.integrated.reason == "SF-A071"


def test_two_ways_of_matching_are_both_held_and_either_may_refuse() -> None:
    most, least = two_list_total(TwoLists(100, 10, 300)), two_list_total(TwoLists(60, 50, 300))
    held = between(most, least)
    assert held.integrated.total == most.integrated.total
    assert held.integrated.interval is not None
    assert least.integrated.interval is not None
    assert held.integrated.interval[1] >= least.integrated.interval[1]
    refused = between(most, two_list_total(TwoLists(5, 105, 300)))
    assert refused.integrated.total is None
    assert refused.integrated.reason == "SF-A070"
    assert all(at.total is None for at in refused.curve)
    assert between(most, two_list_total(TwoLists(0.2, 110, 300))).curve == ()


@pytest.mark.parametrize("bad", [TwoLists(-1, 5, 40), TwoLists(50, 5, 40), TwoLists(20, np.nan, 40)])
def test_impossible_counts_are_refused(bad: TwoLists) -> None:
    with pytest.raises(UsageError, match="SF-A072"):
        two_list_total(bad)


def test_chance_above_falls_with_the_threshold_and_is_never_certain() -> None:
    one = TwoLists(200, 100, 500)
    chances = [chance_above(one, t) for t in (600.0, 750.0, 900.0, 1e6)]
    values = [c.integrated for c in chances if c is not None]
    assert values == sorted(values, reverse=True)
    assert 0.0 < values[-1] < 0.01
    assert 0.4 < values[1] < 0.6


# --- several lists ---------------------------------------------------------------------------------------


def drawn_lists(n: int, chance: list[list[float]], share: list[float], seed: int) -> Histories:
    rng = np.random.default_rng(seed)
    kind = rng.choice(len(share), n, p=share)
    table = (rng.random((n, len(chance[0]))) < np.array(chance)[kind]).astype(int)
    return Histories.of(table[table.any(axis=1)])


def test_independent_lists_give_the_number_back() -> None:
    histories = drawn_lists(4000, [[0.3, 0.4, 0.25]], [1.0], 1)
    result = log_linear_total(histories)
    assert len(result.models) == 8
    assert result.independence == pytest.approx(4000, rel=0.04)
    assert result.interval[0] <= 4000 <= result.interval[1]
    assert sum(m.weight for m in result.models) == pytest.approx(1.0)
    assert result.spread[0] <= result.average <= result.spread[1] + 1e-9


def test_one_saturated_model_has_the_closed_form() -> None:
    """Three lists, all pairs: n000 = n111 n100 n010 n001 / (n110 n101 n011)."""
    history = Histories.of(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1]]))
    count = dict(zip(map(tuple, history.history.tolist()), history.count, strict=True))
    assert set(count.values()) == {1.0}
    numbers = {(1, 0, 0): 120, (0, 1, 0): 90, (0, 0, 1): 70, (1, 1, 0): 40, (1, 0, 1): 30, (0, 1, 1): 25, (1, 1, 1): 15}
    made = Histories(history.history, np.array([float(numbers[tuple(h)]) for h in history.history.tolist()]))
    result = log_linear_total(made)
    full = next(m for m in result.models if len(m.interactions) == 3)
    assert full.total == pytest.approx(390 + 15 * 120 * 90 * 70 / (40 * 30 * 25), rel=1e-6)


def test_an_interaction_of_lists_that_share_nothing_is_left_out_and_counted() -> None:
    rows = [[1, 0, 0]] * 20 + [[0, 1, 0]] * 20 + [[0, 0, 1]] * 20 + [[1, 0, 1]] * 8 + [[0, 1, 1]] * 8
    result = log_linear_total(Histories.of(np.array(rows)))
    assert result.not_estimable >= 4
    assert all((0, 1) not in m.interactions for m in result.models)


@pytest.mark.parametrize("copied", ["the same", "one inside the other"])
def test_lists_of_which_one_was_copied_give_no_average(copied: str) -> None:
    """Two of three lists are one: the models the data favour have no estimate, the others are far too low."""
    rng = np.random.default_rng(2)
    one, two = rng.random((500, 2)).T < 0.4
    copy = one if copied == "the same" else one & (rng.random(500) < 0.6)
    table = np.column_stack([one, copy, two]).astype(int)
    result = log_linear_total(Histories.of(table[table.any(axis=1)]))
    assert result.left_out > 0.9
    assert result.average is None
    assert result.interval is None
    assert result.reason == "SF-A084"


def test_lists_that_share_few_devices_give_no_average() -> None:
    rows = [[1, 0, 0]] * 30 + [[0, 1, 0]] * 30 + [[0, 0, 1]] * 30 + [[1, 1, 0]] * 3 + [[1, 0, 1]] * 3 + [[0, 1, 1]] * 3
    assert log_linear_total(Histories.of(np.array(rows))).reason == "SF-A085"
    assert log_linear_total(Histories.of(np.array(rows * 2))).reason is None
    with pytest.raises(UsageError, match="SF-A086"):
        log_linear_total(Histories.of(np.array([[1, 1, 1]] * 20)))


def test_latent_classes_show_how_far_they_differ() -> None:
    truth = 3000
    histories = drawn_lists(truth, [[0.6, 0.5, 0.6, 0.5], [0.1, 0.15, 0.1, 0.12]], [0.5, 0.5], 3)
    result = latent_class_total(histories, rng=np.random.default_rng(0), chains=2, sweeps=1500, classes=(2, 3))
    assert [m.classes for m in result.models] == [2, 3]
    assert all(len(m.chains) == 2 for m in result.models)
    assert result.spread[0] <= truth <= result.spread[1]
    assert result.spread == (min(m.interval[0] for m in result.models), max(m.interval[1] for m in result.models))
    independent = log_linear_total(histories, three_way=False).independence
    assert independent is not None
    assert independent < 0.9 * truth


def test_tables_that_are_no_lists_are_refused() -> None:
    for bad in (np.array([[0, 0, 0]]), np.array([[1, 2, 0]]), np.zeros((0, 3), dtype=int)):
        with pytest.raises(UsageError, match="SF-A073"):
            Histories.of(bad)
    with pytest.raises(UsageError, match="SF-A073"):
        log_linear_total(Histories.of(np.array([[1, 0], [0, 1], [1, 1]])))


@pytest.mark.skipif(not DATA.is_file(), reason="SUREFOOT_DATA does not lead to the four lists")
def test_four_real_lists_give_the_known_totals() -> None:
    histories = Histories.of(np.loadtxt(DATA, delimiter=",", skiprows=1, dtype=np.int64))
    result = log_linear_total(histories, three_way=False)
    assert result.independence == pytest.approx(7395, abs=1)
    assert result.models[0].total == pytest.approx(14_342, abs=2)
    assert any(abs(m.total - 11_322) < 2 for m in result.models[:4])
    wide = log_linear_total(histories)
    assert len(wide.models) == 113
    assert wide.spread[1] > 2.0 * wide.spread[0]


# --- survey ----------------------------------------------------------------------------------------------


def test_perfect_detection_is_horvitz_thompson_exactly() -> None:
    strata = [
        Stratum(600, np.array([0, 0, 3, 0, 5, 0]), 1.0),
        Stratum(40, np.array([2, 0, 0, 1]), 1.0),
    ]
    result = survey_total(strata, rng=np.random.default_rng(0))
    assert result.horvitz_thompson == 600 / 6 * 8 + 40 / 4 * 3
    by_hand = 600**2 * (1 - 6 / 600) * np.var([0, 0, 3, 0, 5, 0], ddof=1) / 6
    by_hand += 40**2 * (1 - 4 / 40) * np.var([2, 0, 0, 1], ddof=1) / 4
    assert result.ht_sd == pytest.approx(np.sqrt(by_hand))


def test_everything_searched_with_certainty_leaves_no_doubt() -> None:
    result = survey_total([Stratum(5, np.array([0, 2, 0, 4, 1]), 1.0)], rng=np.random.default_rng(0))
    assert result.horvitz_thompson == 7
    assert result.ht_interval == (7, 7)
    assert result.model_interval == (7, 7)


def test_a_survey_without_detection_gives_no_total() -> None:
    result = survey_total([Stratum(100, np.array([0, 2]), None)], rng=np.random.default_rng(0))
    assert result.horvitz_thompson is None
    assert result.model_interval is None
    assert result.reason == "SF-A074"


def test_finding_nothing_does_not_mean_there_is_nothing() -> None:
    result = survey_total([Stratum(6000, np.zeros(60, dtype=int), 0.9)], rng=np.random.default_rng(0))
    assert result.ht_interval is None
    assert result.reason == "SF-A076"
    assert result.model_interval is not None
    assert result.model_interval[1] > 100


def test_an_empty_stratum_says_nothing_of_how_its_blocks_differ() -> None:
    """One block in a hundred of the wide stratum is occupied: forty blocks without a find do not make it empty."""
    strata = [Stratum(10_000, np.zeros(40, dtype=int), 0.9), Stratum(200, np.array([0, 3, 0, 7, 2] * 10), 0.9)]
    result = survey_total(strata, rng=np.random.default_rng(0))
    assert result.ht_interval is None
    assert result.ht_sd is None
    assert result.reason == "SF-A076"
    assert result.model_interval is not None
    assert result.model_interval[1] > 2.0 * result.horvitz_thompson
    whole = survey_total([Stratum(40, np.zeros(40, dtype=int), 0.9), strata[1]], rng=np.random.default_rng(0))
    assert whole.ht_interval is not None


@pytest.mark.parametrize(
    "bad", [Stratum(3, np.array([1, 0, 0, 0]), 0.9), Stratum(9, np.array([-1]), 0.9), Stratum(9, np.array([1]), 1.2)]
)
def test_impossible_surveys_are_refused(bad: Stratum) -> None:
    with pytest.raises(UsageError, match="SF-A075"):
        survey_total([bad], rng=np.random.default_rng(0))


@pytest.mark.slow
@pytest.mark.parametrize(("blocks", "promised"), [(60, 0.92), (150, 0.90)])
def test_coverage_of_random_blocks(blocks: int, promised: float) -> None:
    """60 surveys of 6,000 blocks, 6 % occupied; limit: the promise less two and a half standard errors."""
    rng, held = np.random.default_rng(5), 0
    for _ in range(60):
        ground = np.where(rng.random(6000) < 0.06, rng.negative_binomial(1.0, 1 / 9, 6000) + 1, 0)
        found = rng.binomial(ground[rng.choice(6000, blocks, replace=False)], 0.9)
        result = survey_total([Stratum(6000, found, 0.9)], rng=rng)
        assert result.model_interval is not None
        held += result.model_interval[0] <= ground.sum() <= result.model_interval[1]
    assert held / 60 >= promised - 2.5 * np.sqrt(promised * (1 - promised) / 60)


# --- published figures -----------------------------------------------------------------------------------


def claim(id_: str, measure: str, value: float, bound: Bound, unit: str, confirmed_by: str = "o") -> Claim:
    return Claim(
        id=id_, speaker="Party A", date=dt.date(2024, 1, 1), outlet="", text="", subject="", measure=measure,
        value=value, bound=bound, unit=unit, period="", place="", confirmed_by=confirmed_by,
    )  # fmt: skip


PUBLISHED = (
    claim("R", "recorded_total", 400_000, Bound.EXACTLY, "mines"),
    claim("N", "total", 1_000_000, Bound.MORE_THAN, "mines"),
    claim("A", "unspecified", 25, Bound.EXACTLY, "%"),
    claim("O", "outside", 55, Bound.MORE_THAN, "%"),
)


def test_the_sums_of_the_design() -> None:
    assert needed_completeness(400_000, 1.0, 1_000_000) == 0.40
    assert needed_completeness(400_000, 0.25, 1_000_000) == 0.10
    assert implied_total(400_000, 1.0, 0.25) == 1_600_000
    assert implied_total(400_000, 0.25, 0.45) == pytest.approx(222_222, abs=1)
    rows = {
        ("".join(p.claim_id for p in r.parts), r.quantity, r.every_recorded_is_real): r for r in implications(PUBLISHED)
    }
    needed = rows["RN", "completeness", True]
    assert (needed.value, needed.bound) == (0.40, Bound.LESS_THAN)
    assert rows["RAN", "completeness", False].value == pytest.approx(0.10)
    assert rows["RA", "total", True].value == 1_600_000
    both = rows["RAO", "total", False]
    assert both.value == pytest.approx(222_222, abs=1)
    assert both.bound is Bound.MORE_THAN
    assert len(rows) == 5


def test_one_figure_is_never_read_in_two_ways_in_one_sum_and_unconfirmed_ones_not_at_all() -> None:
    for row in implications(PUBLISHED):
        assert len({p.claim_id for p in row.parts}) == len(row.parts)
    assert implications([claim("R", "recorded_total", 4e5, Bound.ABOUT, "mines", ""), *PUBLISHED[1:]]) == ()


def test_figures_that_pull_both_ways_bound_nothing_and_impossible_ones_are_marked() -> None:
    pulled = implications([PUBLISHED[0], claim("C", "completeness", 30, Bound.LESS_THAN, "%")])[0]
    assert pulled.bound is Bound.MORE_THAN
    less = claim("R", "recorded_total", 400_000, Bound.LESS_THAN, "mines")
    assert implications([less, claim("C", "completeness", 30, Bound.LESS_THAN, "%")])[0].bound is None
    cannot = implications([PUBLISHED[0], claim("N", "total", 100_000, Bound.EXACTLY, "mines")])[0]
    assert not cannot.possible


def test_finds_that_settle_a_share() -> None:
    assert finds_needed().by_design_effect == ((1.0, 271), (2.0, 542), (4.0, 1083))
    assert finds_needed(share=0.1).by_design_effect[0][1] < 271
    with pytest.raises(UsageError, match="SF-A077"):
        implied_total(10, 1.2, 0.5)


def test_published_totals_against_data() -> None:
    tested = totals_tested(PUBLISHED, [TwoLists(200, 100, 500)])
    assert [t.recorded_claim for t in tested] == ["", "R"]
    own, published = (t.chance for t in tested)
    assert own is not None
    assert own.integrated < 0.01
    assert published is not None
    assert published.lowest <= published.integrated <= published.highest
    assert totals_tested(PUBLISHED, [])[0].reason == "SF-A078"
    assert totals_tested(PUBLISHED, [TwoLists(5, 100, 500)])[0].reason == "SF-A070"


# --- from an association ---------------------------------------------------------------------------------


def association(finds: int, items: int, off: int) -> Association:
    """The first `finds` finds are surely the first items; the rest are surely of no record."""
    known = np.arange(finds)
    unrecorded = np.concatenate([np.zeros(finds), np.ones(off)])
    return Association(
        find=known, item=known, probability=np.ones(finds), unrecorded=unrecorded,
        item_record=np.arange(items) // 10, group=np.arange(items), clutter_density=1e-6, converged=True,
    )  # fmt: skip


def test_the_total_from_an_association_on_verified_ground() -> None:
    # 100 items, 40 of them certainly on verified ground with detection 0.9; 36 found there, 12 of no record
    one = association(36, 100, 12)
    verified = np.where(np.arange(100) < 40, 0.9, 0.0)
    on, cluster = np.zeros(48, dtype=np.int64), np.arange(48) % 8
    result = totals_of((one, one), on, cluster, verified, np.zeros(100), np.zeros(48), 48, ())
    at_one = next(at for at in result.total.curve if at.odds_ratio == 1.0)
    assert at_one.total == pytest.approx(100 * 1.0 / 0.75)
    assert result.clusters == 8
    nothing = totals_of((one, one), np.full(48, -1), cluster, verified, np.zeros(100), np.zeros(48), 48, ())
    assert nothing.total.integrated.reason == "SF-A010"


def test_what_another_search_took_out_does_not_count_against_correctness() -> None:
    one = association(36, 100, 12)
    verified = np.where(np.arange(100) < 40, 0.9, 0.0)
    on = np.where(np.arange(48) < 18, -1, 0)  # half of the recorded finds were made by an earlier search
    before = np.where(on < 0, 0.9, 0.0)
    result = totals_of((one,), on, np.arange(48) % 8, verified, np.zeros(100), before, 48, ())
    posterior = result.lists[0].correctness
    assert posterior is not None
    assert posterior.value == pytest.approx(18 / (0.9 * 40 - 0.9 * 18))


def test_share_posterior_is_the_one_behind_the_interval() -> None:
    k, n = np.array([3.0, 8.0, 5.0]), np.array([10.0, 10.0, 8.0])
    posterior = share_posterior(k, n, np.arange(3))
    assert posterior is not None
    assert posterior.value == pytest.approx(16 / 28)
    assert np.all(np.diff(posterior.quantiles) >= 0)
    low, high = posterior.at(np.array([0.05, 0.95]))
    assert 0.2 < low < 16 / 28 < high < 0.9


@pytest.mark.parametrize(("blocks", "known"), [(1000, False), (3, True)])
def test_blocks_that_happen_to_be_alike_say_nothing_of_their_scatter(blocks: int, known: bool) -> None:
    result = survey_total([Stratum(blocks, np.array([2, 2, 2]), 1.0)], rng=np.random.default_rng(0))
    assert result.ht_interval == ((6.0, 6.0) if known else None)
    assert result.reason == (None if known else "SF-A076")

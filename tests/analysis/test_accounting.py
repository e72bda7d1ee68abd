"""The ledger: it balances, whatever comes in; and what is still in the ground is never certain."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, betabinom, binom, nbinom

from surefoot.analysis.accounting import FATES, Removal, ledger
from surefoot.analysis.accounting.by_type import OpenByType
from surefoot.analysis.matching import Association
from surefoot.errors import UsageError
from surefoot.messages import LANGUAGES, render
from surefoot.terms import Fate, FindFate


def association(table, record=None):
    """An association from a table of probabilities, items by finds."""
    table = np.asarray(table, dtype=float)
    items = table.shape[0]
    item, find = np.nonzero(table)
    return Association(
        find=find,
        item=item,
        probability=table[item, find],
        unrecorded=1.0 - table.sum(axis=0),
        item_record=np.zeros(items, dtype=np.int64) if record is None else np.asarray(record),
        group=np.arange(items),
        clutter_density=1e-4,
        converged=True,
    )


def account(table, *, record=None, fates=None, model="PMN", searched=1.0, detection=0.95, **more):
    table = np.asarray(table, dtype=float)
    items, finds = table.shape
    return ledger(
        association(table, record),
        find_fate=np.asarray([FindFate.DESTROYED] * finds if fates is None else fates, dtype=object),
        item_row=np.asarray(["1"] * items, dtype=object),
        item_model=np.asarray([model] * items if isinstance(model, str) else model, dtype=object),
        searched=np.broadcast_to(np.asarray(searched, dtype=float), (items,)),
        detection=detection,
        rng=np.random.default_rng(0),
        **more,
    )


def found_of(recorded, found):
    return np.eye(recorded)[:, :found]


class TestTruth:
    def test_finds_are_split_by_their_fate(self):
        fates = [FindFate.DESTROYED, FindFate.DETONATED, FindFate.LIFTED, FindFate.LEFT, FindFate.UNKNOWN]
        totals = account(found_of(8, 5), fates=fates).totals()
        assert totals["recorded"] == 8
        assert totals["found"] == 3
        assert totals["detonated"] == 1
        assert totals["lifted"] == 1
        assert totals["searched_not_found"] == pytest.approx(3)

    def test_ground_not_searched_is_a_column_of_its_own(self):
        totals = account(found_of(4, 1), searched=[1, 1, 0, 0]).totals()
        assert (totals["found"], totals["searched_not_found"], totals["not_searched"]) == pytest.approx((1, 1, 2))

    def test_case_eighteen_forty_lifted_slots_unknown(self):
        noted = Removal(0, Fate.LIFTED, 40, "ПМН", "12.10.94 снято 40 ПМН")
        result = account(np.zeros((60, 0)), model="ПМН", searched=0.0, removals=[noted])
        assert result.totals()["lifted"] == pytest.approx(40)
        assert result.totals()["not_searched"] == pytest.approx(20)
        assert np.ptp(result.fate[:, FATES.index(Fate.LIFTED)]) < 1e-12
        assert result.doubts == ()

    def test_a_removal_of_one_type_takes_its_part_of_a_mixed_row(self):
        mixtures = {"PMN x30 + TM-62 x10": {"PMN": 0.75, "TM-62": 0.25}}
        noted = [Removal(0, Fate.LIFTED, 20, "PMN"), Removal(0, Fate.LIFTED, 15, "TM-62")]
        result = account(
            np.zeros((40, 0)), model="PMN x30 + TM-62 x10", searched=0.0, removals=noted, mixtures=mixtures
        )
        assert result.totals()["lifted"] == pytest.approx(30)  # 20 of 30 PMN, all 10 TM-62; 5 do not fit
        assert [d.id for d in result.doubts] == ["SF-A020"]
        assert {k[1]: v for k, v in result.removed_of_model.items()} == pytest.approx({"PMN": 20.0, "TM-62": 10.0})
        assert np.allclose(result.fate.sum(axis=1), 1.0, atol=1e-9)

    def test_finds_that_were_lifted_are_no_removal_noted_on_the_record(self):
        result = account(found_of(10, 4), fates=[FindFate.LIFTED] * 4, removals=[Removal(0, Fate.LIFTED, 3)])
        assert result.noted_removed == pytest.approx(np.full(10, 0.3))
        assert result.totals()["lifted"] == pytest.approx(7)

    def test_what_is_present_falls_with_a_search_and_not_with_a_find_left_in_place(self):
        fates = [FindFate.DESTROYED, FindFate.LEFT]
        result = account(found_of(4, 2), fates=fates, searched=[1, 1, 1, 0], detection=0.9)
        assert result.present[0] == pytest.approx(0.0)
        assert result.present[1] == pytest.approx(1.0)
        assert 0.0 < result.present[2] < 0.6 < result.present[3] < 1.0

    def test_a_record_that_nobody_searched_is_there_as_the_others_of_its_series_are(self):
        """Of four records half of each was not there: twenty devices of a fifth are no seventeen."""
        record = np.repeat([0, 1, 2, 3, 4], [30, 30, 30, 30, 20])
        finds = np.zeros((140, 60))
        finds[np.concatenate([np.arange(15) + 30 * r for r in range(4)]), np.arange(60)] = 1.0
        result = account(finds, record=record, searched=np.where(record < 4, 1.0, 0.0))
        told = result.still_by_record[4]
        assert told.median - 1.5 <= result.present[record == 4].sum() <= told.median + 1.5
        assert result.present[record == 4].sum() < 14.0

    def test_a_type_whose_ground_was_nearly_all_searched_in_a_poor_series_may_still_be_there(self):
        """How many of each type are left hangs on what the series teaches, not on the prior of presence."""
        record = np.repeat([0, 1, 2, 3, 4], [100, 100, 100, 100, 400])
        model = np.array(["OZM-72"] * 400 + ["PMN"] * 200 + ["TM-62"] * 200)
        searched = np.where(record < 4, 1.0, np.where(model == "PMN", 0.9, 0.0))
        finds = np.zeros((800, 80))
        finds[np.concatenate([np.arange(20) + 100 * r for r in range(4)]), np.arange(80)] = 1.0
        result = account(finds, record=record, model=model, searched=searched, detection=0.9)
        told = result.still_by_type["PMN"]
        assert told.none < 0.5
        assert told.interval[0] <= result.present[model == "PMN"].sum() <= told.interval[1]

    def test_devices_laid_beyond_the_record_do_not_make_the_last_one_certain(self):
        """Nine of ten were found: the tenth is as uncertain as the record."""
        result = account(found_of(10, 9), searched=0.8)
        assert result.still_in_ground.none > 0.05
        assert result.present[9] < 0.97

    @given(seed=st.integers(0, 50), as_recorded=st.booleans())
    @settings(max_examples=12, deadline=None)
    def test_devices_add_up_to_what_the_posterior_of_their_record_expects(self, seed, as_recorded):
        rng = np.random.default_rng(seed)
        record = np.repeat([0, 1], [40, 25])
        finds = np.zeros((65, 18))
        finds[rng.permutation(65)[:18], np.arange(18)] = rng.uniform(0.3, 1.0, 18)
        result = account(finds, record=record, searched=rng.uniform(0.0, 1.0, 65), as_recorded=as_recorded)
        for number, told in result.still_by_record.items():
            own = result.present[record == number]
            spread = told.interval[1] - told.interval[0]
            assert own.sum() == pytest.approx(min(told.median, len(own)), abs=0.5 + 0.15 * spread)

    def test_the_order_of_the_records_does_not_matter(self):
        record = np.repeat([0, 1, 2], [8, 5, 11])
        table = np.zeros((24, 6))
        table[[0, 1, 2, 8, 13, 14], range(6)] = 1.0
        again = np.array([2, 0, 1])[record]
        first = account(table, record=record, searched=np.where(record == 1, 0.4, 0.8), as_recorded=True)
        second = account(table, record=again, searched=np.where(record == 1, 0.4, 0.8), as_recorded=True)
        assert first.still_in_ground == second.still_in_ground

    def test_a_removal_takes_only_its_type_and_record(self):
        result = account(
            np.zeros((6, 0)),
            record=[0, 0, 0, 0, 1, 1],
            model=["PMN", "PMN", "TM-46", "TM-46", "PMN", "PMN"],
            removals=[Removal(0, Fate.LOST, 1, "tm 46")],
        )
        np.testing.assert_allclose(result.fate[:, FATES.index(Fate.LOST)], [0, 0, 0.5, 0.5, 0, 0])

    def test_a_removal_in_other_letters_is_of_the_same_type(self):
        removals = [Removal(0, Fate.LIFTED, 2, "ПМН"), Removal(0, Fate.LIFTED, 1, "TM-62")]
        result = account(np.zeros((4, 0)), model=["PMN", "PMN", "ТМ-62", "ТМ-62"], removals=removals)
        np.testing.assert_allclose(result.fate[:, FATES.index(Fate.LIFTED)], [1, 1, 0.5, 0.5])
        assert result.doubts == ()

    def test_what_was_found_was_not_lifted(self):
        result = account(found_of(3, 2), removals=[Removal(0, Fate.LIFTED, 1)])
        np.testing.assert_allclose(result.fate[:, FATES.index(Fate.LIFTED)], [0, 0, 1])

    def test_more_removed_than_there_were_is_a_doubt(self):
        result = account(found_of(10, 8), removals=[Removal(0, Fate.LIFTED, 5, "PMN", "снято 5")])
        assert result.totals()["lifted"] == pytest.approx(2)
        assert [d.id for d in result.doubts] == ["SF-A020"]
        assert result.doubts[0].values["excess"] == 3.0
        for lang in LANGUAGES:
            assert "3" in render("SF-A020", result.doubts[0].values, found="снято 5", lang=lang).reason

    def test_a_removal_without_number_takes_nothing_and_is_a_doubt(self):
        result = account(np.zeros((3, 0)), removals=[Removal(0, Fate.LIFTED, None)])
        assert result.totals()["lifted"] == 0
        assert [d.id for d in result.doubts] == ["SF-A021"]

    def test_sums_by_model_record_and_row(self):
        result = account(found_of(4, 2), record=[0, 0, 1, 1], model=["A", "B", "A", ""])
        assert result.by_model()["A"]["recorded"] == 2
        assert result.by_model()[""]["searched_not_found"] == pytest.approx(1)
        assert result.by_record()[0]["found"] == 2
        assert result.by_row()[1, "1"]["recorded"] == 2
        assert result.most_probable.tolist() == [Fate.FOUND] * 2 + [Fate.SEARCHED_NOT_FOUND] * 2


class TestStillInGround:
    """The three worked cases of methods.md section 6."""

    @pytest.mark.parametrize(
        ("found", "coverage", "median", "low", "high"),
        [(96, 1.0, 5, 1, 11), (116, 1.0, 5, 0, 12), (60, 0.6, 44, 32, 55)],
    )
    def test_worked_cases(self, found, coverage, median, low, high):
        result = account(found_of(120, found), searched=coverage, removals=[Removal(0, Fate.LIFTED, 4)])
        remaining = result.still_in_ground
        assert remaining.median == pytest.approx(median, abs=1)
        assert remaining.interval == pytest.approx((low, high), abs=1.5)
        assert remaining.none < 0.1

    def test_all_found_never_means_none_left(self):
        remaining = account(found_of(120, 120)).still_in_ground
        assert remaining.interval[1] > 0
        assert remaining.none < 1

    def test_nothing_searched_leaves_the_prior(self):
        remaining = account(np.zeros((100, 0)), searched=0.0).still_in_ground
        assert remaining.interval[0] < 85 < remaining.interval[1]

    def test_unknown_detection_widens(self):
        known, unknown = (account(found_of(60, 50), detection=d).still_in_ground for d in (0.9, None))
        assert np.diff(unknown.interval) > 1.5 * np.diff(known.interval)

    def test_a_device_left_in_place_is_still_there(self):
        gone = account(found_of(20, 18)).still_in_ground
        left = account(found_of(20, 18), fates=[FindFate.LEFT] * 18).still_in_ground
        assert left.median == pytest.approx(gone.median + 18)

    def test_explosions_off_searched_ground_do_not_pass_for_a_good_search(self):
        remaining = account(found_of(100, 10), fates=[FindFate.DETONATED] * 10, searched=0.0).still_in_ground
        assert 40 < remaining.median < 95

    def test_interval_covers(self):
        rng = np.random.default_rng(5)
        hits = 0
        for _ in range(150):
            present = rng.binomial(80, rng.beta(8.5, 1.5))
            found = rng.binomial(present, 0.9)
            remaining = account(found_of(80, found), detection=0.9).still_in_ground
            hits += remaining.interval[0] <= present - found <= remaining.interval[1]
        assert 0.86 <= hits / 150 <= 0.98


@st.composite
def cases(draw):
    items, finds = draw(st.integers(1, 9)), draw(st.integers(0, 7))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    table = rng.random((items, finds)) * (rng.random((items, finds)) < 0.6)
    if finds:
        table /= max(1.0, table.sum(axis=0).max(), table.sum(axis=1).max())
    removals = [
        Removal(
            draw(st.integers(0, 3)),
            draw(st.sampled_from([Fate.LIFTED, Fate.DETONATED, Fate.LOST])),
            draw(st.one_of(st.none(), st.floats(0, 30))),
            draw(st.sampled_from(["", "A", "B", "C"])),
        )
        for _ in range(draw(st.integers(0, 3)))
    ]
    return {
        "table": table,
        "record": rng.integers(0, 3, items),
        "fates": [draw(st.sampled_from(list(FindFate))) for _ in range(finds)],
        "model": rng.choice(["A", "B", ""], items).tolist(),
        "searched": rng.choice([0.0, 0.3, 1.0], items),
        "detection": draw(st.sampled_from([None, 0.2, 0.95, 1.0])),
        "removals": removals,
        "draws": 50,
    }


class TestLaws:
    @settings(max_examples=150, deadline=None)
    @given(cases())
    def test_the_identity_holds_for_everything(self, case):
        result = account(**case)
        np.testing.assert_allclose(result.fate.sum(axis=1), 1.0, atol=1e-9)
        assert np.all(result.fate >= 0)
        tables = [
            [result.totals()],
            result.by_model().values(),
            result.by_record().values(),
            result.by_row().values(),
        ]
        for lines in tables:
            assert sum(line["recorded"] for line in lines) == len(case["table"])
            for line in lines:
                assert sum(line[f.value] for f in FATES) == pytest.approx(line["recorded"], abs=1e-9)
        low, high = result.still_in_ground.interval
        assert 0 <= low <= result.still_in_ground.median <= high

    @settings(max_examples=20, deadline=None)
    @given(cases())
    def test_the_same_seed_gives_the_same_answer(self, case):
        assert account(**case).still_in_ground == account(**case).still_in_ground


class TestRemainingExactly:
    """Against sums over everything that could be, written down without any of the program's tables."""

    @pytest.mark.parametrize(("recorded", "found", "detection"), [(120, 100, 0.9), (300, 270, 0.9), (100, 95, 0.95)])
    def test_the_sum_over_what_was_laid_is_exact(self, recorded, found, detection):
        told = account(found_of(recorded, found), detection=detection, draws=40000).still_in_ground
        number, weight = summed_out(recorded, found, detection)
        below = np.cumsum(weight)
        exact = [number[np.searchsorted(below, q)] for q in (0.05, 0.5, 0.95)]
        assert [told.interval[0], told.median, told.interval[1]] == pytest.approx(exact, abs=1.01)
        assert told.none == pytest.approx(weight[0], abs=0.01)

    def test_what_was_removed_teaches_nothing_of_what_was_never_there(self):
        """100 recorded, 50 lifted before, 45 of the rest found at 0.8: five are open and nearly all were there."""
        result = account(found_of(100, 45), detection=0.8, removals=[Removal(0, Fate.LIFTED, 50)])
        assert result.present.sum() > 3.5
        assert result.present.sum() <= 5.0

    @pytest.mark.parametrize(("recorded", "removed"), [(60, 40), (60, 59), (5000, 4000)])
    def test_a_record_nearly_all_removed_keeps_its_rest(self, recorded, removed):
        told = account(
            np.zeros((recorded, 0)), searched=0.0, removals=[Removal(0, Fate.LIFTED, removed)], draws=20000
        ).still_in_ground
        laid = nbinom.rvs(100, 100 / (100 + recorded), size=40000, random_state=1)
        laid = np.where(np.arange(40000) < 24000, recorded, laid)
        left = np.maximum(laid - removed, 0) * beta.rvs(8.5, 1.5, size=40000, random_state=2)
        spread = max(1.5, 0.03 * recorded)
        assert told.median == pytest.approx(np.median(left), abs=spread)
        assert told.interval == pytest.approx(np.quantile(left, [0.05, 0.95]), abs=2.0 * spread)

    def test_a_tenth_of_a_find_of_a_single_device_is_no_device_accounted_for(self):
        """One device, nowhere searched, which one find may be with 0.1 and one accident with 0.04."""
        fates = [FindFate.DESTROYED, FindFate.DETONATED]
        told = account(np.array([[0.1, 0.04]]), fates=fates, searched=0.2, draws=20000).still_in_ground
        assert told.median == 1.0
        assert 0.2 < told.none < 0.5

    def test_a_detection_stated_as_certain_leaves_a_doubt(self):
        """Half of a record is missing: that questions the record and the search alike, never the search not at all."""
        told = account(found_of(200, 100), detection=1.0).still_in_ground
        assert told.none < 0.999
        assert told.interval[1] >= 1.0


def summed_out(recorded, found, detection):
    """Numbers still there and their weights: laid, mean presence, present, detection, all summed over."""
    laid = np.arange(found, 2 * recorded)
    of_laid = 0.4 * nbinom.pmf(laid, 100, 100 / (100 + recorded)) + 0.6 * (laid == recorded)
    each = 1.0 / (1.0 - np.sqrt(10.0 / 11.0)) - 1.0  # two levels together have the variance of Beta(8.5, 1.5)
    means = (np.arange(80) + 0.5) / 80
    of_mean = beta.pdf(means, 0.85 * each, 0.15 * each)
    chance = beta.ppf((np.arange(60) + 0.5) / 60, 120 * detection + 0.5, 120 * (1 - detection) + 0.5)
    present = np.arange(found, 2 * recorded)
    seen = binom.pmf(found, present[:, None], chance).mean(axis=1)
    weight = np.zeros(len(present))
    for mean, of in zip(means, of_mean / of_mean.sum(), strict=True):
        for number, w in zip(laid, of_laid, strict=True):
            if w > 1e-9:
                weight[: number - found + 1] += (
                    of * w * betabinom.pmf(present[: number - found + 1], number, mean * each, (1 - mean) * each)
                )
    weight = weight * seen
    return present - found, weight / weight.sum()


class TestGroups:
    def test_a_series_that_proves_poor_lowers_what_is_expected_of_its_unsearched_records(self):
        table = np.zeros((400, 20))
        table[np.arange(20) * 10, np.arange(20)] = 1.0  # 20 of 200 found in the ten searched records
        more = {"table": table, "record": np.arange(400) // 20, "searched": [1.0] * 200 + [0.0] * 200}
        shared = account(**more).still_in_ground
        apart = account(**more, item_group=(np.arange(400) >= 200).astype(int)).still_in_ground
        assert shared.median < 100
        assert apart.median > 130

    def test_many_unsearched_records_share_their_doubt(self):
        remaining = account(np.zeros((2000, 0)), record=np.arange(2000) // 20, searched=0.0).still_in_ground
        assert np.diff(remaining.interval) > 0.2 * 2000


class TestUgly:
    def test_no_items(self):
        result = account(np.zeros((0, 0)))
        assert result.totals()["recorded"] == 0
        assert result.still_in_ground is None

    @pytest.mark.parametrize("more", [{"searched": 1.1}, {"detection": 0.0}, {"searched": float("nan")}])
    def test_probabilities_out_of_range(self, more):
        with pytest.raises(UsageError, match="SF-A003"):
            account(np.zeros((2, 0)), **more)

    def test_a_removal_that_is_none(self):
        with pytest.raises(UsageError, match="SF-A005"):
            account(np.zeros((2, 0)), removals=[Removal(0, Fate.FOUND, 1)])

    def test_more_finds_than_devices_recorded(self):
        table = np.full((2, 6), 1 / 3)
        remaining = account(table).still_in_ground
        assert np.isfinite(remaining.median)


def test_what_is_left_hangs_on_the_detection_of_each_records_own_ground() -> None:
    """Of two records of 100 devices one was searched at 0.99 (85 found), one at 0.5 (42 found)."""
    record = np.repeat([0, 1], 100)
    table = np.zeros((200, 127))
    table[np.r_[0:85, 100:142], np.arange(127)] = 1.0
    told = account(table, record=record, detection=np.where(record == 0, 0.99, 0.5))
    assert told.still_in_ground.interval[0] < 43 < told.still_in_ground.interval[1]
    assert told.still_by_record[0].median <= 3
    assert 25 < told.still_by_record[1].median < 60
    one = account(table, record=record, detection=np.where(record == 0, 0.99, np.nan))
    assert one.still_by_record[0].median <= 3
    assert one.still_by_record[1].interval[1] > 20  # of unknown detection


def test_ground_searched_without_a_find_is_no_proof_where_the_record_may_lie_elsewhere() -> None:
    nothing = np.zeros((60, 0))
    sure, doubtful = account(nothing), account(nothing, elsewhere=0.2)
    assert sure.still_in_ground.interval[1] < 5
    assert doubtful.still_in_ground.interval[1] > 45


class TestStillByType:
    """Of which types what is left is of."""

    def test_the_type_whose_rows_were_searched_is_gone_the_other_is_not(self):
        model = ["PMN"] * 30 + ["TM-62"] * 30
        table = np.zeros((60, 26))
        table[np.arange(26), np.arange(26)] = 1.0
        told = account(table, model=model, searched=[1.0] * 30 + [0.0] * 30, detection=0.98)
        assert set(told.still_by_type) == {"PMN", "TM62"}
        assert told.still_by_type["PMN"].interval[1] <= 4
        assert told.still_by_type["TM62"].interval[0] >= 15

    @pytest.mark.parametrize("found", [0, 12, 40])
    def test_a_record_of_one_type_is_that_type(self, found):
        told = account(found_of(40, found), searched=0.7)
        assert told.still_by_type == {"PMN": told.still_by_record[0]}
        assert told.still_by_record[0] == told.still_in_ground

    def test_types_written_in_two_ways_are_one(self):
        told = account(found_of(20, 5), model=["PMN", "ПМН"] * 10)
        assert list(told.still_by_type) == ["PMN"]

    def test_what_was_lifted_of_a_mixed_row_is_not_left(self):
        told = account(
            np.zeros((30, 0)), model="20 PMN + 10 TM-62", searched=0.0, removals=[Removal(0, Fate.LIFTED, 20, "PMN")],
            mixtures={"20 PMN + 10 TM-62": {"PMN": 2 / 3, "TM-62": 1 / 3}},
        )  # fmt: skip
        assert told.still_by_type["PMN"].median == 0.0  # up to 3: more may have been laid than the form says
        assert told.still_by_type["TM62"].median == pytest.approx(told.still_in_ground.median, abs=1.0)

    def test_devices_left_in_place_are_of_their_own_type(self):
        told = account(
            found_of(4, 4), fates=[FindFate.LEFT] * 2 + [FindFate.DESTROYED] * 2, model=["A1"] * 2 + ["B2"] * 2
        )
        assert (told.still_by_type["A1"].median, told.still_by_type["B2"].median) == (2.0, 0.0)

    @given(st.integers(0, 2**32 - 1), st.integers(1, 5))
    @settings(max_examples=60, deadline=None)
    def test_shares_are_whole_within_what_remains_and_add_up_to_it(self, seed, types):
        rng = np.random.default_rng(seed)
        recorded = rng.integers(0, 40, types) + (np.arange(types) == rng.integers(types))
        open_ = recorded * rng.random(types)
        mean = open_ * rng.random(types)
        book = OpenByType(tuple("abcde"[:types]), *(part[None] for part in (recorded, open_, mean, 0.0 * mean)))
        remaining = rng.integers(0, 60, 300) + 0.25
        out = book.shared_out(0, remaining, rng)
        assert np.allclose(out.sum(axis=0), remaining)
        assert (out >= 0.0).all()
        assert (out[recorded == 0] == 0.0).all()
        inside = remaining < np.ceil(open_).sum()
        assert (out[:, inside] < np.ceil(open_)[:, None] + 0.26).all()

    @pytest.mark.parametrize(
        "kinds",
        [
            ((60, 0.85), (60, 0.1)), ((20, 0.5), (60, 0.5)), ((5, 0.3), (4, 0.9)), ((2, 0.05), (40, 0.05)),
            ((40, 0.02), (2, 0.3)), ((400, 0.5), (300, 0.3)), ((3, 0.05),) * 6,
        ],
    )  # fmt: skip
    def test_shares_are_those_of_independent_devices_given_their_sum(self, kinds):
        """Of one record and summed over a hundred, against draws of every device on its own."""
        rng = np.random.default_rng(4)
        numbers, chances = (np.array(part, dtype=float)[:, None, None] for part in zip(*kinds, strict=True))
        truth = rng.binomial(numbers.astype(int), chances, (len(kinds), 100, 2000)).astype(float)
        count, mean = numbers[:, 0].T, (numbers * chances)[:, 0].T
        book = OpenByType(tuple("abcdef"[: len(kinds)]), count, count, mean, 0.0 * count)
        out = np.stack([book.shared_out(0, each.sum(axis=0), rng) for each in np.moveaxis(truth, 1, 0)], axis=1)
        sums, expected = out.sum(axis=1), truth.sum(axis=1)
        assert sums.mean(axis=1) == pytest.approx(expected.mean(axis=1), rel=0.01, abs=0.4)
        assert out[:, 0].std(axis=1) == pytest.approx(truth[:, 0].std(axis=1), rel=0.12)
        for level in (0.05, 0.95):
            assert np.quantile(sums, level, axis=1) == pytest.approx(
                np.quantile(expected, level, axis=1), rel=0.03, abs=1
            )

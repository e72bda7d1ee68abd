"""Assessment after re-anchoring: nothing is lost or counted twice, and the truth is nearer than before."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from surefoot.analysis.assess import Assessment, assess
from surefoot.analysis.assess.corrected_outside import (
    EXPOSURE_RATIOS,
    _as_recorded,
    reweighted_shares,
)
from surefoot.analysis.reanchor.clutter import expected_clutter
from surefoot.analysis.reanchor.ground import Seen
from surefoot.analysis.reanchor.hypotheses import moved
from surefoot.analysis.reanchor.placements import overall, predicted
from surefoot.analysis.synthetic import SimulatedRegion, simulate
from surefoot.readers import read_case_folder
from surefoot.terms import Stage
from surefoot.writers.case_folder import write_case

RECORDS = 5


@pytest.fixture(scope="module")
def region() -> SimulatedRegion:
    return simulate("nominal", rng=np.random.default_rng(21), records=RECORDS)


@pytest.fixture(scope="module")
def folder(region: SimulatedRegion, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corrected") / "case"
    write_case(region, path)
    return path


@pytest.fixture(scope="module")
def result(folder: Path) -> Assessment:
    return assess(read_case_folder(folder), reanchoring=True)


def test_every_find_is_shared_out_once(result: Assessment) -> None:
    association = result.association
    claimed = np.bincount(association.find, association.probability, len(result.events))
    assert claimed + association.unrecorded == pytest.approx(1.0)
    assert association.per_item().max() <= 1.0 + 1e-2
    assert np.all(np.diff(association.item * len(result.events) + association.find) > 0)


@pytest.mark.slow
def test_finds_listed_twice_are_of_the_records_of_the_first(folder: Path, result: Assessment) -> None:
    """They are seen once when a record is moved, and counted as finds on no record (decision 0032)."""
    case = read_case_folder(folder)
    count = len(case.finds)
    again = np.flatnonzero(result.association.unrecorded[:count] < 0.02)[::3]
    finds = case.finds.take(np.concatenate([np.arange(count), again]))
    finds.id[count:] = [f"{name}-B" for name in case.finds.id[again]]
    twice = assess(replace(case, finds=finds), reanchoring=True)
    test_every_find_is_shared_out_once(twice)
    test_the_ledger_still_balances(twice)
    assert len(again) > 10
    assert twice.association.unrecorded[:count] == pytest.approx(result.association.unrecorded[:count], abs=1e-6)
    assert np.median(twice.association.unrecorded[count : count + len(again)]) < 0.1


def test_the_ledger_still_balances(result: Assessment) -> None:
    totals = result.ledger.totals()
    assert sum(value for key, value in totals.items() if key != "recorded") == pytest.approx(totals["recorded"])
    assert totals["recorded"] == len(result.recorded_best)


def test_every_placement_lists_every_device(result: Assessment) -> None:
    items, corrected = result.items, result.corrected
    assert corrected is not None
    assert np.array_equal(items.row[result.best], result.recorded_items.row[result.recorded_best])
    for number, placed in corrected.placements.items():
        listed = [p.weight for n, p in enumerate(placed.placements) if n == 0 or p.weight >= 0.05]
        own = items.record == number
        devices = int((result.recorded_items.record[result.recorded_best] == number).sum())
        assert np.bincount(items.placement[own])[1:].tolist() == [devices] * len(listed)
        assert sorted(set(corrected.device[own])) == sorted(set(corrected.device[own & items.is_best]))
    assert np.isfinite(items.cov_m2).all()


def test_devices_come_nearer_to_the_truth(region: SimulatedRegion, result: Assessment) -> None:
    truth = region.truth.devices
    number = {r.record_id: n for n, r in enumerate(result.case.records)}
    true = result.grid.project(truth.longitude, truth.latitude)
    at = {
        (number[r], str(row), float(i)): xy
        for r, row, i, xy in zip(truth.record_id, truth.row, truth.index, true, strict=True)
        if r in number
    }
    before, after = (
        np.median([
            np.hypot(*(at[int(items.record[b]), str(items.row[b]), float(items.index[b])]
                       - [items.easting[b], items.northing[b]]))
            for b in best
        ])
        for items, best in ((result.recorded_items, result.recorded_best), (result.items, result.best))
    )  # fmt: skip
    assert after < 0.5 * before


def test_both_stages_are_told_apart(result: Assessment) -> None:
    told = {(m.id, m.stage, m.name, m.scope) for m in result.measures}
    assert len(told) == len(result.measures)
    assert [share.stage for share in result.d4] == [Stage.AS_RECORDED, Stage.RE_ANCHORED]
    as_recorded, re_anchored = (share.interval for share in result.d4)
    assert as_recorded is not None
    assert re_anchored is not None
    assert re_anchored[1] - re_anchored[0] < as_recorded[1] - as_recorded[0]


def test_wider_buffers_leave_less_outside_and_exposure_less_still(result: Assessment) -> None:
    values = [float(share.value or 0.0) for share in result.d2]
    assert (np.diff(values) <= 1e-12).all()
    band = reweighted_shares(result.d2[:1])
    assert [share.exposure_ratio for share in band] == list(EXPOSURE_RATIOS)
    assert band[0].value == pytest.approx(result.d2[0].value)
    assert all(a.value > b.value for a, b in pairwise(band) if a.value and b.value)


def test_a_true_place_goes_back_to_where_the_record_shows_it(result: Assessment) -> None:
    assert result.corrected is not None
    seen = set()
    for placed in result.corrected.placements.values():
        for placement in placed.placements:
            one = replace(placement, draws=placement.draws[:1])
            there = moved(one.draws, one.hypothesis)[0]
            back = _as_recorded(there, placed, one, np.random.default_rng(0))
            if one.hypothesis.reading == 0:
                assert back == pytest.approx(placed.recorded, abs=1e-6)
                seen.add(one.hypothesis.error)
    assert len(seen) >= 3


def test_without_corrections_everything_is_as_recorded(folder: Path) -> None:
    result = assess(read_case_folder(folder), reanchoring=False)
    assert result.corrected is None
    assert {m.stage for m in result.measures} == {Stage.AS_RECORDED}
    assert {share.reason for share in (*result.d2, *result.d3)} == {"SF-C010"}
    assert np.array_equal(result.items.easting, result.recorded_items.easting)


def test_the_ellipse_over_all_placements_holds_nine_tenths_of_where_devices_may_lie(result: Assessment) -> None:
    assert result.corrected is not None
    rng, held = np.random.default_rng(3), []
    for placed in result.corrected.placements.values():
        mean, covariance = overall(placed.placements)
        precision = np.linalg.inv(covariance)
        inside = 0.0
        for p in placed.placements:
            places, sd = predicted(p, len(p.draws))
            off = places + sd * (rng.standard_normal(places.shape) + 1j * rng.standard_normal(places.shape)) - mean
            off = np.stack([off.real, off.imag], axis=-1)
            inside += p.weight * float(np.mean(np.einsum("sni,nij,snj->sn", off, precision, off) < 4.605))
        held.append(inside)
    assert np.mean(held) == pytest.approx(0.9, abs=0.01)
    assert min(held) > 0.8


def test_devices_of_no_record_are_expected_about_the_record(result: Assessment) -> None:
    """A vague thing seen meets the mean density over its error, not the density of an endless plain."""
    assert result.corrected is not None
    prior = result.corrected.placements[0].posterior.prior
    centre = prior.hypotheses[0].centroid
    at = np.array([[centre.real, centre.imag]] * 2 + [[centre.real + 5000.0, centre.imag]])
    none = np.full(3, "", dtype=object)
    seen = Seen(at, np.array([1.0, 200.0**2, 1.0]), np.zeros(3, np.int64), none, none, np.full(3, np.nan))
    found = expected_clutter(prior, seen, share=0.2, reach_m=50.0, beyond=0.1)
    assert found.near == pytest.approx(0.2 * found.own)
    assert found.at_seen[0] > 0.7 * found.near
    assert 0.1 * found.near < found.at_seen[1] < 0.5 * found.near
    assert found.at_seen[2] == pytest.approx(0.1 * found.near)


def test_what_the_records_say_of_the_next_one_is_stated_for_all_and_by_series(result: Assessment) -> None:
    pooled = result.pooled
    assert {f.scope for f in pooled.forecasts} >= {"all", "series:SIM-FORMULYAR"}
    for forecast in pooled.forecasts:
        assert (forecast.median is None) == (forecast.reason is not None)
        if forecast.median is not None and forecast.interval is not None:
            assert forecast.interval[0] <= forecast.median <= forecast.interval[1]
    learned = {one.scope: one for one in pooled.learned}
    assert learned["all"].records == RECORDS
    assert learned["all"].priors == {}  # its records had priors of their own, series by series
    assert learned["series:SIM-FORMULYAR"].priors["map"]["plain_mm_axis"] > 0.0

"""Recorded devices to look for again: which, where, and how often the box holds what it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely

from surefoot.analysis.assess.missed import CAPTURE, GAP, SEARCHED_NOT_FOUND, MissedDevice, missed_devices
from surefoot.analysis.locate import LocateContext
from surefoot.analysis.reanchor import Placement, Placements, ReanchorContext, Settings, reanchor
from surefoot.analysis.synthetic import SimulatedRegion, simulate
from surefoot.model import Where
from surefoot.positions.grid import Grid, grid_at
from surefoot.readers.forms.documents import FormDocument
from surefoot.readers.forms.parse import parse_form
from surefoot.readers.priors import default_priors

Region = tuple[SimulatedRegion, Grid, list[str], dict[int, Placements], tuple[MissedDevice, ...]]


@pytest.fixture(scope="module")
def regions() -> list[Region]:
    made = []
    for seed in (2, 3):
        region = simulate("nominal", rng=np.random.default_rng([77, seed]), records=8)
        middle = region.settings.region.centroid
        grid = grid_at(region.settings.crs, middle.x, middle.y)
        context = ReanchorContext(
            grid, LocateContext(default_priors(), series=region.settings.series), Settings(400, 4)
        )
        forms = [parse_form(FormDocument(Where("f.yaml", row=1), str(f["record_id"]), f)) for f in region.forms]
        found = reanchor(
            forms, region.finds, region.searched, context=context, rng=np.random.default_rng(seed),
            accidents=region.accidents,
        )  # fmt: skip
        names = [form.record_id for form in forms]
        placed = {names.index(name): one for name, one in found.items()}
        made.append((region, grid, names, placed, missed_devices(placed)))
    return made


def test_a_box_holds_its_device_as_often_as_it_says_and_as_many_are_there(regions: list[Region]) -> None:
    there, said, inside = 0, 0.0, []
    for region, grid, names, _, missed in regions:
        truth = region.truth.devices
        at = grid.project(truth.longitude, truth.latitude)
        row = {
            (r, str(w), float(i)): k
            for k, (r, w, i) in enumerate(zip(truth.record_id, truth.row, truth.index, strict=True))
            if truth.recorded[k] == 1
        }
        for one in missed:
            k = row[names[one.record], one.row, one.index]
            said += one.present
            if truth.present[k] == 1 and truth.found[k] == 0 and truth.accident_id[k] == "":
                there += 1
                inside.append(one.box.covers(shapely.Point(*at[k])))
    assert there >= 10
    assert said == pytest.approx(there, abs=3.0 * np.sqrt(said))
    # Not above CAPTURE by chance alone: the binomial's far tail on the low side.
    assert np.sum(inside) >= CAPTURE * there - 3.1 * np.sqrt(there * CAPTURE * (1.0 - CAPTURE))


def test_the_list_is_in_the_order_of_the_form_and_only_of_devices_not_found(regions: list[Region]) -> None:
    for _, _, _, placed, missed in regions:
        keys = [(one.record, one.row, one.index) for one in missed]
        assert keys == sorted(keys)
        for one in missed:
            record = placed[one.record]
            device = np.flatnonzero((record.row.astype(str) == one.row) & (record.index == one.index))
            found = sum(p.weight * p.p_find[:, device].sum() for p in record.placements)
            assert found < 0.5
            assert one.length_m * one.width_m == pytest.approx(one.box.area, rel=1e-6)
            assert 0.0 < one.present <= 1.0


def _with(placement: Placement, found: list[int], searched: float) -> Placement:
    """The placement as if these devices had been found, and this much of the ground searched."""
    p_find = np.zeros((max(len(found), 1), len(placement.mean)))
    p_find[np.arange(len(found)), found] = 1.0
    missed = np.where(p_find.sum(axis=0) > 0.0, 0.0, 0.8)
    return replace(placement, weight=1.0, p_find=p_find, p_missed=missed, covered=np.full(len(missed), searched))


def test_a_gap_between_two_finds_is_looked_for_and_an_open_end_is_not(regions: list[Region]) -> None:
    _, _, _, placed, _ = regions[0]
    record = placed[0]
    own = np.flatnonzero(record.row.astype(str) == str(record.row[0]))
    own = own[np.argsort(record.index[own])]
    best = _with(record.best, [int(own[1]), int(own[3])], 0.0)
    (one,) = missed_devices({0: replace(record, placements=(best,))})
    assert (one.reason, one.index) == (GAP, record.index[own[2]])
    off = one.middle - best.mean[own[2]]
    assert abs(off) < 3.0 * np.sqrt(np.trace(best.item_covariance[own[2]]))
    along = best.mean[own[3]] - best.mean[own[1]]
    assert abs(np.sin(np.angle(along) - one.heading_rad)) < 1e-6


def test_ground_searched_without_a_find_puts_every_device_on_the_list(regions: list[Region]) -> None:
    _, _, _, placed, _ = regions[0]
    record = placed[0]
    best = _with(record.best, [0], 0.95)
    missed = missed_devices({0: replace(record, placements=(best,))})
    assert len(missed) == len(record.row) - 1
    assert {one.reason for one in missed} == {SEARCHED_NOT_FOUND}


def test_records_that_were_not_corrected_have_no_list() -> None:
    assert missed_devices({}) == ()

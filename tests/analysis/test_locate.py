"""Placing records: closed forms against draws, known places given back, open choices kept with weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

from surefoot.analysis.locate import (
    LegErrors,
    LocateContext,
    Network,
    Reading,
    Readings,
    locate,
    mixture_shares,
)
from surefoot.analysis.locate.digitised import shape_moments
from surefoot.analysis.synthetic import simulate
from surefoot.model import MinefieldRecord, Where
from surefoot.positions.local import from_local, to_local
from surefoot.readers.forms.documents import FormDocument
from surefoot.readers.forms.parse import parse_form
from surefoot.readers.priors import default_priors
from surefoot.terms import RecordFamily, Severity

Floats = npt.NDArray[np.float64]
GEOD = Geod(ellps="WGS84")
CHI2 = {0.5: 1.386294361, 0.9: 4.605170186, 0.99: 9.210340372}
DRAWS = 200_000
SK42 = "СК-42 зона 8"
A = {"id": "A", "position": "X=4430293 Y=8664944"}
B = {"id": "B", "position": "X=4430293 Y=8665144"}  # 200 m east of A on the grid


def record(**fields: Any) -> MinefieldRecord:
    """Make a record of a form with grid bearings on SK-42 zone 8, unless the fields say otherwise."""
    form = {"form_no": "1", "family": "formulyar", "laid": "07.1993", "crs": SK42, **fields}
    return parse_form(FormDocument(Where("form.yaml", row=1), "form", form))


def placed(**fields: Any) -> Readings:
    return locate(record(**fields), context=LocateContext(default_priors()))


def leg(origin: str, target: str, bearing: str, distance: str, **more: str) -> Mapping[str, str]:
    entry = {"from": origin, "to": target, "bearing": bearing, "distance": distance, "north": "grid", **more}
    return {key: value for key, value in entry.items() if value}


def ids(found: Readings) -> set[str]:
    return {doubt.id for doubt in found.doubts}


def weights(found: Readings) -> list[float]:
    return [reading.weight for reading in found.readings]


def offset_m(reading: Reading, name: str, origin: str = "A") -> complex:
    """Easting + i northing of a point from another one on the reading's own grid, metres."""
    east, north = reading.grid_points[name]
    from_east, from_north = reading.grid_points[origin]
    return complex(east - from_east, north - from_north)


def test_degrees_the_wrong_way_round_are_mended_only_where_the_sheet_says_so() -> None:
    """39.99 N 46.93 E written longitude first: the sheet J-38-10 decides, without it nothing is exchanged."""
    point = {"id": "A", "position": "46.929995 39.989996"}
    mended = placed(crs="WGS84", reference_points=[point], map={"sheet": "J-38-10-Б", "scale": "50000"})
    assert mended.readings[0].lonlat_points()["A"] == pytest.approx((46.929995, 39.989996), abs=1e-6)
    assert "SF-R046" in ids(mended)
    kept = placed(crs="WGS84", reference_points=[point])
    assert kept.readings[0].lonlat_points()["A"] == pytest.approx((39.989996, 46.929995), abs=1e-6)
    assert "SF-R046" not in ids(kept)


# --- closed forms against draws --------------------------------------------------------------------------


def polar(bearing_sd_deg: float) -> tuple[Network, Floats, Floats]:
    """One landmark and one leg of 320 m."""
    turn = math.radians(bearing_sd_deg) ** 2
    errors = LegErrors(np.array([[turn]]), np.log1p(np.array([[0.04**2]])))
    legs = np.array([320.0 * np.exp(0.3j)])
    return Network(np.zeros(1, complex), 18.0**2 * np.eye(2), legs, errors), np.ones((1, 1)), np.ones((1, 1))


def traverse(bearing_sd_deg: float) -> tuple[Network, Floats, Floats]:
    """A traverse 180 m + 25 m and a row of 95 m with 20 devices (methods.md section 1)."""
    legs = np.array([180.0 * np.exp(0.7j), 25.0 * np.exp(2.0j), 95.0 * np.exp(-0.4j)])
    common, own = math.radians(bearing_sd_deg), math.radians(bearing_sd_deg / 2)
    errors = LegErrors(
        np.full((3, 3), common**2) + own**2 * np.eye(3),
        np.log1p(np.full((3, 3), 0.03**2) + 0.02**2 * np.eye(3)),
    )
    chain = np.column_stack([np.ones(20), np.ones(20), np.linspace(0.0, 1.0, 20)])
    return Network(np.zeros(1, complex), 18.0**2 * np.eye(2), legs, errors), np.ones((20, 1)), chain


def from_form(reading: Reading) -> tuple[Network, Floats, Floats]:
    pairs = list(reading.points.values())
    return reading.network, np.stack([b for b, _ in pairs]), np.stack([c for _, c in pairs])


def closed_traverse(bearing_sd_deg: float) -> tuple[Network, Floats, Floats]:
    """Case 13 as a form: three legs that close on a second landmark, adjusted."""
    found = placed(
        reference_points=[{"id": "A", "position": "(0, 0)"}, {"id": "B", "position": "(229, 3)"}],
        legs=[leg("A", "1", "95.8°", "120 m"), leg("1", "2", "40°", "85 m"), leg("2", "B", "130°", "60 m")],
    ).readings[0]  # fmt: skip
    network, base, chain = from_form(found)
    scaled = replace(network, errors=network.errors.scaled(bearing_sd_deg / 3.0), anchor_cov=network.anchor_cov)
    return replace(scaled, anchor_cov=scaled.anchor_cov + 9.0 * np.eye(len(scaled.anchor_cov))), base, chain


def stacked(drawn: npt.NDArray[np.complex128]) -> Floats:
    result = np.empty((drawn.shape[0], 2 * drawn.shape[1]))
    result[:, 0::2], result[:, 1::2] = drawn.real, drawn.imag
    return result


MODELS = [polar, traverse, closed_traverse]


@pytest.mark.parametrize("degrees", [1.0, 3.0, pytest.param(10.0, id="10")])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_joint_covariance_is_that_of_the_draws(model: Any, degrees: float) -> None:
    network, base, chain = model(degrees)
    drawn = stacked(network.sample(base, chain, DRAWS, np.random.default_rng(1)))
    joint = network.joint_covariance(base, chain)
    assert np.linalg.norm(np.cov(drawn.T) - joint) <= 0.01 * np.linalg.norm(joint)
    means = stacked(network.means(base, chain)[None])[0]
    assert np.abs(drawn.mean(axis=0) - means).max() < 5 * math.sqrt(np.diag(joint).max() / DRAWS)


@pytest.mark.parametrize("degrees", [1.0, 5.0, pytest.param(10.0, id="10")])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_ellipses_hold_what_they_say(model: Any, degrees: float) -> None:
    network, base, chain = model(degrees)
    off = network.sample(base, chain, 100_000, np.random.default_rng(2)) - network.means(base, chain)
    inverse = np.linalg.inv(network.point_covariances(base, chain) + 1e-9 * np.eye(2))
    pairs = np.stack([off.real, off.imag], axis=-1)
    squared = np.einsum("sni,nij,snj->sn", pairs, inverse, pairs)
    for level, limit in CHI2.items():
        share = np.mean(squared <= limit, axis=0)
        assert np.abs(share - level).max() <= 0.011, (level, share)  # one point, and the noise of the draws


def test_coverage_falls_when_shared_errors_are_called_independent() -> None:
    """The test of the test: a covariance without the shared part must be noticed."""
    network, base, chain = traverse(3.0)
    drawn = stacked(network.sample(base, chain, 50_000, np.random.default_rng(3)))
    joint = network.joint_covariance(base, chain)
    assert np.linalg.norm(np.cov(drawn.T) - np.diag(np.diag(joint))) > 0.5 * np.linalg.norm(joint)


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.floats(1.0, 2000.0), min_size=1, max_size=5),
    azimuths=st.lists(st.floats(0.0, 6.28), min_size=5, max_size=5),
    sds=st.tuples(*[st.floats(0.0, 0.3)] * 4),
    anchor=st.floats(0.0, 500.0),
)
def test_joint_covariance_is_a_covariance(
    lengths: list[float], azimuths: list[float], sds: tuple[float, ...], anchor: float
) -> None:
    count = len(lengths)
    legs = np.array(lengths) * np.exp(1j * np.array(azimuths[:count]))
    same, own = np.ones((count, count)), np.eye(count)
    errors = LegErrors(sds[0] ** 2 * same + sds[1] ** 2 * own, np.log1p(sds[2] ** 2 * same + sds[3] ** 2 * own))
    network = Network(np.zeros(1, complex), anchor**2 * np.eye(2), legs, errors)
    base, chain = np.ones((count, 1)), np.tril(np.ones((count, count)))
    joint = network.joint_covariance(base, chain)
    size = max(1.0, np.abs(joint).max())
    assert np.allclose(joint, joint.T, atol=1e-9 * size)
    assert np.linalg.eigvalsh(joint).min() >= -1e-9 * size
    factor = network.factor(base, chain)
    assert np.allclose(factor @ factor.T, joint, atol=1e-8 * size)
    blocks = network.point_covariances(base, chain)
    for n in range(count):
        assert np.allclose(blocks[n], joint[2 * n : 2 * n + 2, 2 * n : 2 * n + 2], atol=1e-9 * size)


# --- a known truth, given back ---------------------------------------------------------------------------


def without_errors() -> dict[str, Any]:
    """Overrides that set every sigma of priors.toml to zero."""

    def zeros(table: Mapping[str, float]) -> dict[str, float]:
        return dict.fromkeys(table, 0.0)

    table = default_priors().table
    return {
        "map": {"plain_mm_axis": 0.0, "mountain_mm_axis": 0.0, "reading_mm_axis": 0.0},
        "landmark": {"stated_m_axis": 0.0, "memory_m_axis": 0.0},
        "datum": {"operation_axis_factor": 0.0},
        "bearing": {key: zeros(table["bearing"][key]) for key in ("common_sd_deg", "leg_sd_deg")},
        "distance": {key: zeros(table["distance"][key]) for key in ("common_sd", "leg_sd")},
        "pattern": {"row_offset_sd_m_axis": 0.0, "row_bearing_sd_deg": 0.0, "device_scatter_sd_m_axis": 0.0},
    }


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_form_without_errors_gives_the_truth_back_to_a_millimetre(seed: int) -> None:
    names = "shift_sd_m turn_sd_deg scale_sd row_offset_sd_m scatter_sd_m end_for_end mirrored first_leg_reversed"
    zero = dict.fromkeys(names.split(), 0.0)
    region = simulate("nominal", rng=np.random.default_rng(seed), records=8, overrides={**zero, "rounding": False})
    priors = default_priors().for_series(without_errors())
    truth, checked = region.truth.devices, 0
    for form in region.forms:
        found = locate(
            parse_form(FormDocument(Where("sim"), str(form["record_id"]), form)),
            context=LocateContext(priors),
        )
        best = found.readings[0]
        assert best.pivot is not None
        assert np.allclose(best.item_means(), best.network.positions(best.items.base, best.items.chain))
        places = {
            (str(row), float(index)): place
            for row, index, place in zip(best.items.row, best.items.index, best.item_means(), strict=True)
        }
        rows = np.flatnonzero((truth.record_id == form["record_id"]) & (truth.recorded == 1))
        at = to_local(truth.longitude[rows], truth.latitude[rows], pivot=best.pivot)
        for n, z in zip(rows, at, strict=True):
            miss = abs(places[str(truth.row[n]), float(truth.index[n])] - z)
            assert miss <= 1e-3, (form["record_id"], truth.row[n], truth.index[n], miss)
            checked += 1
    assert checked > 200


@settings(max_examples=25, deadline=None)
@given(east=st.integers(-20_000, 20_000), north=st.integers(-20_000, 20_000))
def test_moving_the_coordinates_moves_every_point(east: int, north: int) -> None:
    def form(shift_east: int, shift_north: int) -> Reading:
        at = f"X={4430293 + shift_north} Y={8664944 + shift_east}"
        legs = [leg("A", "1", "95.8°", "120 m"), leg("1", "2", "40°", "85 m")]
        rows = [{"no": "1", "from": "1", "to": "2", "mines": {"ПМН": "10"}}]
        return placed(reference_points=[{"id": "A", "position": at}], legs=legs, rows=rows).readings[0]

    still, moved = form(0, 0), form(east, north)
    for name in ("A", "1", "2"):
        was, now = still.grid_points[name], moved.grid_points[name]
        # True lengths on a grid differ by its scale factor: 3e-5 over 205 m.
        assert now[0] - was[0] == pytest.approx(east, abs=0.02)
        assert now[1] - was[1] == pytest.approx(north, abs=0.02)
    assert np.allclose(still.item_covariances(), moved.item_covariances(), rtol=2e-2, atol=0.5)


# --- legs, closures, intersections -----------------------------------------------------------------------


def test_a_leg_measured_towards_a_known_point_is_walked_backwards() -> None:
    there = placed(reference_points=[A], legs=[leg("A", "1", "95°", "120 m")]).readings[0]
    back = placed(reference_points=[A], legs=[leg("1", "A", "275°", "120 m")]).readings[0]
    assert abs(offset_m(there, "1") - offset_m(back, "1")) < 0.01
    assert abs(offset_m(there, "1") - 120 * np.exp(-1j * math.radians(5))) < 0.1


def test_two_distances_have_two_solutions_of_equal_weight() -> None:
    found = placed(reference_points=[A, B], legs=[leg("A", "1", "", "125 m"), leg("B", "1", "", "125 m")])
    assert weights(found) == pytest.approx([0.5, 0.5])
    north = sorted(offset_m(reading, "1").imag for reading in found.readings)
    assert north == pytest.approx([-75.0, 75.0], abs=0.2)
    assert {r.hypotheses["point 1"] for r in found.readings} == {"left solution", "right solution"}
    assert found.readings[1].spread_m == pytest.approx(150.0, abs=0.5)


def test_a_third_distance_decides() -> None:
    third = {"id": "C", "position": "X=4430393 Y=8664944"}
    legs = [leg("A", "1", "", "125 m"), leg("B", "1", "", "125 m"), leg("C", "1", "", "103.1 m")]
    found = placed(reference_points=[A, B, third], legs=legs)
    assert weights(found) == [1.0]
    assert offset_m(found.readings[0], "1") == pytest.approx(100 + 75j, abs=0.5)


def test_two_bearings_have_one_solution() -> None:
    found = placed(reference_points=[A, B], legs=[leg("A", "1", "45°", ""), leg("B", "1", "315°", "")])
    assert weights(found) == [1.0]
    assert offset_m(found.readings[0], "1") == pytest.approx(100 + 100j, abs=0.1)


def test_intersection_shares_the_compass_error_of_its_bearings() -> None:
    """Two bearings of one compass, 3 degrees common and 2 of each, against a plain simulation."""
    found = placed(reference_points=[A, B], legs=[leg("A", "1", "45°", ""), leg("B", "1", "315°", "")])
    cov = found.readings[0].point_covariances()
    common, own = default_priors().bearing_sd_rad("unknown")
    rng = np.random.default_rng(5)
    shared = rng.normal(0, common, DRAWS)
    first = np.tan(math.radians(45) + shared + rng.normal(0, own, DRAWS))
    second = np.tan(math.radians(315) + shared + rng.normal(0, own, DRAWS))
    north = 200.0 / (first - second)
    # At a right angle a landmark's own error passes on with the same covariance.
    assert cov["1"] == pytest.approx(cov["A"] + np.cov(np.stack([north * first, north])), rel=0.1, abs=3.0)


def test_intersection_shares_the_step_length_of_its_distances() -> None:
    """Two paced distances: 5 % common and 2 % of each, seen from 125 m and 125 m, 200 m apart."""
    legs = [leg("A", "1", "", "125 шагов"), leg("B", "1", "", "125 шагов")]
    near = {"id": "B", "position": "X=4430293 Y=8665094"}
    found = placed(reference_points=[A, near], legs=legs)
    cov = found.readings[0].point_covariances()
    common, own = default_priors().distance_sd("paced")
    rng = np.random.default_rng(6)
    shared = rng.normal(0, common, DRAWS)
    ra, rb = (93.75 * (1 + shared + rng.normal(0, own, DRAWS)) for _ in range(2))
    east = (ra**2 - rb**2 + 150.0**2) / 300.0
    north = np.sqrt(np.maximum(ra**2 - east**2, 0.0))
    own_part = cov["1"] - np.cov(np.stack([east, north]))
    landmarks = cov["A"][0, 0]
    assert np.abs(own_part - np.diag(np.diag(own_part))).max() < 0.2 * landmarks
    # Landmarks apart by 150 m pass on at most their own variance along, and (75 / 56)^2 of their difference across.
    assert 0.4 * landmarks < own_part[0, 0] < 1.1 * landmarks
    assert 0.4 * landmarks < own_part[1, 1] < 2.3 * landmarks


def test_circles_that_do_not_meet_leave_the_point_out_with_a_doubt() -> None:
    found = placed(reference_points=[A, B], legs=[leg("A", "1", "", "20 m"), leg("B", "1", "", "20 m")])
    assert "1" not in found.readings[0].points
    assert "SF-R044" in ids(found)


def test_a_closed_traverse_is_adjusted_and_its_side_branch_moves_along() -> None:
    legs = [leg("A", "1", "95.8°", "120 m"), leg("1", "2", "40°", "85 m"), leg("2", "B", "130°", "60 m")]
    points = [{"id": "A", "position": "(0, 0)"}, {"id": "B", "position": "(228.99, 3.42)"}]
    side = leg("1", "row", "180°", "50 m")
    found = placed(reference_points=points, legs=[*legs, side]).readings[0]
    at = found.point_positions()
    assert at["1"] == pytest.approx(123.46 - 17.11j, abs=0.02)
    assert at["2"] == pytest.approx(180.98 + 44.48j, abs=0.02)
    assert at["B"] == pytest.approx(228.99 + 3.42j, abs=1e-6)
    assert at["row"] - at["1"] == pytest.approx(-50j, abs=0.01)
    (miss,) = found.misclosures
    assert (miss.east_m, miss.north_m) == pytest.approx((9.0, -11.0), abs=0.02)
    assert miss.ratio == pytest.approx(18.6, abs=0.2)


def test_a_large_misclosure_raises_the_legs_sigma() -> None:
    def sigma(east: float) -> float:
        points = [{"id": "A", "position": "(0, 0)"}, {"id": "B", "position": f"({east}, 0)"}]
        legs = [leg("A", "1", "90°", "100 m"), leg("1", "B", "90°", "100 m"), leg("1", "s", "0°", "300 m")]
        found = placed(reference_points=points, legs=legs).readings[0]
        return float(np.trace(found.point_covariances()["s"]))

    assert sigma(230) > 2 * sigma(200)


def test_a_leg_from_nowhere_is_said() -> None:
    found = placed(reference_points=[A], legs=[leg("X", "1", "40°", "85 m"), leg("A", "2", "40°", "85 m")])
    (doubt,) = [d for d in found.doubts if d.id == "SF-R044"]
    assert doubt.found == "1"


# --- rows and devices ------------------------------------------------------------------------------------

ENDS = [{"id": "1", "position": "X=4430293 Y=8665000"}, {"id": "2", "position": "X=4430293 Y=8665236"}]


def row(**fields: Any) -> Mapping[str, Any]:
    return {"no": "1", "from": "1", "to": "2", "spacing": "4 м", "mines": {"ПМН": "60"}, **fields}


def test_items_of_a_row_lie_at_start_plus_spacing() -> None:
    best = placed(reference_points=[A], points=ENDS, rows=[row()]).readings[0]
    at = best.network.positions(best.items.base, best.items.chain)
    start = best.point_positions()["1"]
    assert set(best.items.slot) == {"exact"}
    assert best.items.index.tolist() == list(range(1, 61))
    assert np.abs(at - start) == pytest.approx(4.0 * np.arange(60), abs=0.03)


def test_a_contradicting_row_has_three_readings_and_no_slots() -> None:
    far = [ENDS[0], {"id": "2", "position": "X=4430293 Y=8665300"}]
    found = placed(reference_points=[A], points=far, rows=[row()])
    assert weights(found) == pytest.approx([1 / 3] * 3)
    assert {r.hypotheses["rows"] for r in found.readings} == {"ends", "spacing", "count"}
    assert "SF-R056" in ids(found)
    for reading in found.readings:
        assert set(reading.items.slot) == {"row"}
        assert np.isnan(reading.items.index).all()
        assert len(reading.items) == 60
    shown = {r.hypotheses["rows"]: (r.rows[0].items, r.rows[0].spacing_m) for r in found.readings}
    assert shown["spacing"][0] == 76
    assert shown["ends"] == (60, pytest.approx(300 / 59, abs=0.01))
    assert shown["count"] == (60, pytest.approx(4.0))


def test_a_small_difference_is_no_contradiction() -> None:
    near = [ENDS[0], {"id": "2", "position": "X=4430293 Y=8665240"}]
    assert len(placed(reference_points=[A], points=near, rows=[row()]).readings) == 1


def test_devices_in_no_row_are_unallocated() -> None:
    found = placed(reference_points=[A], points=ENDS, rows=[row()], totals={"ПМН": "70", "ТМ-62": "5"})
    assert found.unallocated == {"ПМН": 10, "ТМ-62": 5}
    items = found.readings[0].items
    assert len(items) == 75
    assert sum(items.slot == "area") == 15
    assert "SF-R054" in ids(found)


def test_rows_above_the_total_are_said() -> None:
    found = placed(reference_points=[A], points=ENDS, rows=[row()], totals={"ПМН": "40"})
    assert "SF-R053" in ids(found)
    assert found.unallocated == {}


def test_a_mixed_row_states_shares_not_an_order() -> None:
    found = placed(reference_points=[A], points=ENDS, rows=[row(mines={"ПМН": "45", "ТМ-62": "15"})])
    labels = set(found.readings[0].items.model)
    assert len(labels) == 1
    assert mixture_shares(labels.pop()) == {"ПМН": 0.75, "ТМ-62": 0.25}


def test_devices_without_any_place_still_count() -> None:
    found = placed(rows=[{"no": "1", "mines": {"ПМН": "12"}}], totals={"ПМН": "20"})
    assert found.locatability == 0
    assert "SF-R041" in ids(found)
    (reading,) = found.readings
    assert len(reading.items) == 20
    assert set(reading.items.slot) == {"none"}


# --- open choices ----------------------------------------------------------------------------------------


def test_disputed_landmark_keeps_every_candidate_and_the_unknown_one() -> None:
    disputed = {
        "id": "A",
        "candidates": [
            {"position": "X=4430293 Y=8664944", "weight": "0.5"},
            {"position": "X=4430900 Y=8665500", "weight": "0.3"},
        ],
    }
    found = placed(reference_points=[disputed], legs=[leg("A", "1", "90°", "100 m")])
    assert weights(found) == pytest.approx([0.5, 0.3, 0.2])
    assert found.readings[2].hypotheses["point A"] == "unknown landmark"
    assert not found.readings[2].points
    assert found.readings[1].spread_m == pytest.approx(math.hypot(607, 556), rel=0.01)


def test_many_open_choices_are_cut_to_twelve_and_the_cut_is_stated() -> None:
    candidates = [{"position": f"X=443{n}293 Y=8664944", "weight": "0.2"} for n in range(5)]
    found = placed(
        reference_points=[{"id": "A", "candidates": candidates}],
        legs=[{"from": "A", "to": "1", "bearing": "1540", "distance": "320 м"}],
    )
    assert len(found.readings) == 12
    assert sum(weights(found)) == pytest.approx(1.0, abs=1e-12)
    assert 0.0 < found.weight_cut < 1.0
    # 5 candidates x 3 norths x 3 or 4 units, the twelve heaviest kept.
    north, unit = (0.8, 0.1, 0.1), (0.80, 0.05, 0.03, 0.12)
    every = sorted((0.2 * n * u / sum(unit) for n in north for u in unit for _ in range(5)), reverse=True)
    degrees_out = sorted((0.2 * n * u / 0.88 for n in north for u in unit[:3] for _ in range(5)), reverse=True)
    assert any(found.weight_cut == pytest.approx(1 - sum(kept[:12]), abs=1e-9) for kept in (every, degrees_out))


@settings(max_examples=40, deadline=None)
@given(
    bearing=st.sampled_from(["Ам 15-40", "1540", "40°", "магнитный 12°30'", "90"]),
    distance=st.sampled_from(["320 м", "320 шагов", "320 пар шагов", "0,32 км", "320"]),
    shares=st.lists(st.sampled_from(["0.1", "0.2", "0.3", ""]), max_size=3),
)
def test_weights_add_to_one_whatever_is_open(bearing: str, distance: str, shares: list[str]) -> None:
    candidates = [
        {"position": f"X=443{n}293 Y=8664944", **({"weight": share} if share else {})} for n, share in enumerate(shares)
    ]
    landmark = {"id": "A", "candidates": candidates} if candidates else A
    found = placed(
        reference_points=[landmark], legs=[{"from": "A", "to": "1", "bearing": bearing, "distance": distance}]
    )
    assert 1 <= len(found.readings) <= 12
    assert sum(weights(found)) == pytest.approx(1.0, abs=1e-9)
    assert weights(found) == sorted(weights(found), reverse=True)
    assert 0.0 <= found.weight_cut < 1.0


@pytest.mark.parametrize(("landmarks", "level"), [([], 0), ([A], 1), ([A, B], 2), ([A, B, {"id": "C"}], 2)])
def test_locatability_counts_landmarks_with_a_place(landmarks: list[Any], level: int) -> None:
    legs = [leg("A", "1", "40°", "85 m")]
    assert placed(reference_points=landmarks, legs=legs).locatability == level


def test_two_landmarks_without_coordinates_locate_nothing() -> None:
    found = placed(reference_points=[{"id": "A", "description": "old mill"}, {"id": "B"}])
    assert found.locatability == 0
    assert not found.readings[0].points


def test_a_region_leaves_out_what_lies_far_away() -> None:
    context = LocateContext(default_priors(), box(17, 43, 19, 45))
    found = locate(record(reference_points=[A]), context=context)
    assert "SF-R045" in ids(found)
    assert not found.readings[0].points


# --- drawn records ---------------------------------------------------------------------------------------

U_SHAPE = Polygon([(0, 0), (90, 0), (90, 60), (60, 60), (60, 20), (30, 20), (30, 60), (0, 60)])
WITH_HOLE = Polygon([(0, 0), (100, 0), (100, 50), (0, 50)], [[(10, 10), (40, 10), (40, 40), (10, 40)]])


@pytest.mark.parametrize(
    "shape",
    [
        U_SHAPE,
        WITH_HOLE,
        MultiPolygon([U_SHAPE, Polygon([(200, 10), (260, 10), (230, 90)])]),
        U_SHAPE.reverse(),
    ],
    ids=["concave", "hole", "two parts", "clockwise"],
)
def test_polygon_moments_are_those_of_dense_points(shape: Any) -> None:
    west, south, east, north = shape.bounds
    x, y = np.meshgrid(np.arange(west, east, 0.25) + 0.125, np.arange(south, north, 0.25) + 0.125)
    inside = shapely.contains_xy(shape, x, y)
    points = np.stack([x[inside], y[inside]])
    mean, cov = shape_moments(shape)
    assert mean == pytest.approx(complex(*points.mean(axis=1)), abs=0.1)
    assert cov == pytest.approx(np.cov(points), rel=5e-3, abs=2.0)


def drawn(shape: Any, **fields: Any) -> MinefieldRecord:
    plain = MinefieldRecord("drawn", Where("records.geojson"), RecordFamily.PERIMETER, **fields)

    def lonlat(xy: Floats) -> Floats:
        return np.column_stack(from_local(xy[:, 0] + 1j * xy[:, 1], pivot=(46.9, 40.0)))

    return replace(plain, geometry=shapely.transform(shape, lonlat), geometry_sigma_m=20.0)


def test_a_drawn_area_spreads_its_devices_over_it() -> None:
    found = locate(drawn(U_SHAPE, totals={"ПМН": 30}), context=LocateContext(default_priors()))
    (reading,) = found.readings
    assert found.locatability == 2
    assert set(reading.items.slot) == {"area"}
    cov = reading.item_covariances()[0]
    own = default_priors()
    pattern = own.row_offset_sd_m**2 + own.scatter_sd_m**2
    assert cov == pytest.approx(shape_moments(U_SHAPE)[1] + (20.0**2 + pattern) * np.eye(2), rel=1e-3, abs=0.5)


def test_a_drawn_point_is_one_device_in_its_place() -> None:
    found = locate(drawn(Point(0, 0), totals={"ПМН": 1}), context=LocateContext(default_priors()))
    assert found.readings[0].items.slot.tolist() == ["exact"]
    assert found.readings[0].item_means()[0] == pytest.approx(0j, abs=1e-6)


def test_a_drawn_line_carries_its_devices_in_order() -> None:
    found = locate(drawn(LineString([(0, 0), (100, 0)]), totals={"ПМН": 10}), context=LocateContext(default_priors()))
    means = found.readings[0].item_means()
    assert np.diff(means.real) == pytest.approx(np.full(9, 10.0), abs=0.01)
    assert found.readings[0].items.slot.tolist() == ["row"] * 10


# --- what a reviewer found --------------------------------------------------------------------------------


@pytest.mark.parametrize("miss_m", [150, 1_000, 27_000])
def test_a_traverse_that_contradicts_its_ends_is_read_from_either_end(miss_m: int) -> None:
    points = [{"id": "A", "position": "(0, 0)"}, {"id": "B", "position": f"(100, {miss_m})"}]
    legs = [leg("A", "1", "90°", "50 m"), leg("1", "B", "90°", "50 m")]
    found = placed(reference_points=points, legs=legs)
    assert [r.weight for r in found.readings] == [0.5, 0.5]
    norths = sorted(r.point_positions()["1"].imag for r in found.readings)
    assert norths == pytest.approx([0.0, miss_m], abs=1.0)
    assert all(np.trace(r.point_covariances()["1"]) < 100.0 for r in found.readings)
    assert [d.severity for d in found.doubts if d.id == "SF-R230"] == [Severity.ERROR]


def test_many_contradictions_do_not_multiply_the_readings() -> None:
    points = [{"id": f"P{n}", "position": f"(0, {1000 * n})"} for n in range(31)]
    legs = [leg("P0", "1", "90°", "50 m"), *(leg("1", f"P{n}", "90°", "50 m") for n in range(1, 31))]
    found = placed(reference_points=points, legs=legs)
    assert 1 <= len(found.readings) <= 2
    assert "SF-R230" in ids(found)


def test_a_traverse_without_length_is_placed() -> None:
    points = [{"id": "A", "position": "(0, 0)"}, {"id": "B", "position": "(0, 0)"}]
    found = placed(reference_points=points, legs=[leg("A", "1", "90°", "0 m"), leg("1", "B", "90°", "0 m")])
    assert abs(found.readings[0].point_positions()["1"]) < 1e-9


def test_a_point_known_by_bearings_from_it_is_placed() -> None:
    """Resection: the bearings are taken back from the two known points."""
    points = [{"id": "A", "position": "(0, 0)"}, {"id": "B", "position": "(100, 0)"}]
    legs = [{"from": "1", "to": "A", "bearing": "225°"}, {"from": "1", "to": "B", "bearing": "135°"}]
    found = placed(reference_points=points, legs=legs).readings[0]
    assert found.point_positions()["1"] == pytest.approx(50 + 50j, abs=1e-6)


def test_a_spacing_in_undecided_paces_is_read_as_single_and_as_double_ones() -> None:
    points = [{"id": "1", "position": "(0, 0)"}, {"id": "2", "position": "(0, 57)"}]
    row = {"no": "1", "from": "1", "to": "2", "spacing": "4 п.", "mines": {"ПМН": "20"}}
    found = placed(reference_points=points, rows=[row])
    assert {r.hypotheses["distance_unit"] for r in found.readings} == {"step", "pair_of_steps"}
    assert sum(r.weight for r in found.readings if r.hypotheses["distance_unit"] == "step") >= 0.6
    fits = next(r for r in found.readings if r.hypotheses["distance_unit"] == "step")
    assert fits.rows[0].spacing_m == pytest.approx(3.0)


PLACE = (46.93, 39.99)


@pytest.mark.parametrize(
    ("crs", "position", "laid", "doubt"),
    [
        ("UTM 38 WGS84", "E 4428430 N 664773", "2003", "SF-R046"),
        ("EPSG:32638", "X=664773 Y=4428430", "2003", "SF-R046"),
        ("UTM 38S", "E 664773 N 4428430", "2003", "SF-R052"),
        ("СК-42 зона 7", "X=4430293 Y=8664944", "1993", "SF-R052"),
        ("GPS WGS84", "39.99000 46.93000", "1998", "SF-R057"),
    ],
)
def test_coordinates_that_need_a_second_thought_are_placed_with_a_doubt(
    crs: str, position: str, laid: str, doubt: str
) -> None:
    found = placed(crs=crs, laid=f"15.07.{laid}", reference_points=[{"id": "A", "position": position}], family="nato")
    near = [r for r in found.readings if r.pivot is not None and np.allclose(r.pivot, PLACE, atol=0.001)]
    assert sum(r.weight for r in near) >= 0.5
    assert doubt in {d.id for d in found.doubts}


def test_a_receiver_before_may_2000_was_off_by_forty_metres() -> None:
    found = placed(crs="GPS WGS84", laid="15.07.1998", reference_points=[{"id": "A", "position": "39.99 46.93"}])
    assert np.sqrt(found.readings[0].point_covariances()["A"][0, 0]) >= 41.0


@pytest.mark.parametrize("crs", ["UTM 38 Pulkovo 1942", "UTM 38 WGS72", "ПЗ-90", "NAD83", "Indian 1975", "МСК-05"])
def test_a_named_datum_without_an_operation_is_not_replaced_by_another(crs: str) -> None:
    position = "E 664773 N 4428430" if "UTM" in crs else "39.99 46.93"
    found = placed(crs=crs, family="nato", reference_points=[{"id": "A", "position": position}])
    assert not any(r.points for r in found.readings)
    assert "SF-R231" in {d.id for d in found.doubts}


def test_sk_95_degrees_are_not_taken_for_sk_42() -> None:
    found = placed(crs="СК-95", reference_points=[{"id": "A", "position": "39.99 46.93"}])
    assert found.readings[0].operation == "EPSG:5043"


def test_a_negative_plane_number_is_no_local_metre() -> None:
    found = placed(crs="СК-42 зона 8", reference_points=[{"id": "A", "position": "X=-4430293 Y=8664944"}])
    assert not any(r.points for r in found.readings)
    assert Severity.ERROR in {d.severity for d in found.doubts}


def test_three_degree_zones_are_tried_where_the_sheet_asks_for_them() -> None:
    found = placed(
        crs="СК-42", map={"sheet": "J-38-10"}, reference_points=[{"id": "A", "position": "X=4429053 Y=16408715"}]
    )
    assert found.readings[0].pivot == pytest.approx(PLACE, abs=0.001)


def test_a_grid_square_without_a_sheet_is_looked_for_in_the_region() -> None:
    form = {"crs": "СК-42 зона 8", "reference_points": [{"id": "A", "position": "кв. 3064"}]}
    record = parse_form(FormDocument(Where("f.yaml"), "f", form))
    context = LocateContext(default_priors(), shapely.box(46.5, 39.7, 47.3, 40.3))
    found = locate(record, context=context)
    assert found.readings[0].pivot == pytest.approx((46.93, 39.99), abs=0.01)


@pytest.mark.parametrize(
    ("in_row", "totals", "unallocated", "as_one"),
    [
        ("ТМ-62", {"ТМ-62М": "60"}, {}, True),
        ("ТМ-62М", {"TM-62": "60"}, {}, True),
        ("ТМ-62", {"ТМ-62М": "70"}, {"ТМ-62М": 10}, True),
        ("ТМ-62", {"ТМ-62": "60", "ТМ-62М": "60"}, {"ТМ-62М": 60}, False),  # both are named: two types
        ("ТМ-62", {"ТМ-62М": "40", "ТМ-62П": "20"}, {"ТМ-62М": 40, "ТМ-62П": 20}, False),  # either may be meant
        ("ПМН", {"ПМН-2": "60"}, {"ПМН-2": 60}, False),  # types of their own
        ("М1", {"М14": "60"}, {"М14": 60}, False),
    ],
)
def test_a_type_and_its_variant_are_one_where_only_one_pair_is_possible(
    in_row: str, totals: dict[str, str], unallocated: dict[str, int], as_one: bool
) -> None:
    rows = [{"no": "1", "from": "A", "to": "B", "mines": {in_row: "60"}}]
    found = placed(reference_points=[A, B], rows=rows, totals=totals)
    assert found.unallocated == unallocated
    assert ("SF-R229" in ids(found)) == as_one

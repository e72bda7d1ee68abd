"""Gross errors: the numbers of the design note are the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from surefoot.analysis.same_field import datum_duplicate, same_field
from surefoot.analysis.signatures import (
    NO_MISTAKE,
    UNEXPLAINED,
    GrossError,
    displacement_of_mistakes,
    match_signature,
    mistakes_behind,
    transposition_shifts,
)
from surefoot.errors import PositionError

PLACE = (46.93, 39.99)


def mistakes(crs="EPSG:28408", place=PLACE, **more):
    return {e.name: e for e in displacement_of_mistakes(*place, crs, **more)}


class TestDisplacements:
    @pytest.mark.parametrize(
        ("name", "distance", "within", "east", "north"),
        [
            ("datum_ignored", 102.6, 0.2, 102, 10),
            ("shift_twice", 102.6, 0.2, -102, -10),
            ("gauss_kruger_as_utm", 1870, 1, 211, 1858),
            ("zone_west", 512_000, 1000, None, None),
            ("zone_east", 512_000, 1000, None, None),
            ("three_degree_east", 256_000, 500, None, None),
            ("square_read_nato_way", 48_000, 500, None, None),
        ],
    )
    def test_the_table_of_the_design_note(self, name, distance, within, east, north):
        error = mistakes()[name]
        assert error.distance_m == pytest.approx(distance, abs=within)
        if east is not None:
            assert error.east_m == pytest.approx(east, abs=1)
            assert error.north_m == pytest.approx(north, abs=1)

    @pytest.mark.parametrize("crs", ["EPSG:4284", "EPSG:28408", "EPSG:28468", "EPSG:32638"])
    def test_the_datum_is_the_same_mistake_in_every_notation(self, crs):
        assert mistakes(crs)["datum_ignored"].distance_m == pytest.approx(102.6, abs=0.2)

    def test_the_same_by_plain_pyproj(self):
        step = Transformer.from_pipeline(
            "+proj=pipeline +step +inv +proj=utm +zone=38 +ellps=WGS84 +step +proj=unitconvert +xy_in=rad +xy_out=deg"
        )
        east, north = Transformer.from_crs("EPSG:4326", "EPSG:28408", always_xy=True).transform(*PLACE)
        longitude, latitude = step.transform(east - 8_000_000.0, north)
        to_utm = Transformer.from_crs("EPSG:4326", "EPSG:32638", always_xy=True)
        (e0, e1), (n0, n1) = to_utm.transform([PLACE[0], longitude], [PLACE[1], latitude])
        error = mistakes(metric_crs="EPSG:32638")["gauss_kruger_as_utm"]
        assert (error.east_m, error.north_m) == pytest.approx((e1 - e0, n1 - n0), abs=0.5)

    def test_swapped_axes_land_far_out_of_the_area(self):
        error = mistakes()["swapped"]
        azimuth = np.degrees(np.arctan2(error.east_m, error.north_m))
        longitude, latitude, _ = Geod(ellps="WGS84").fwd(*PLACE, azimuth, error.distance_m)
        assert (longitude, latitude) == pytest.approx((-28, 54), abs=0.5)

    def test_degrees_minutes_seconds_read_as_decimal(self):
        error = mistakes("EPSG:4284")["dms_as_decimal"]
        assert abs(error.north_m) == pytest.approx(44_000, abs=300)

    def test_mgi_for_mgi_1901_in_bosnia(self):
        error = mistakes("EPSG:3908", (18.09592, 44.73943))["datum_ignored"]
        assert error.distance_m == pytest.approx(404, abs=1)
        assert error.east_m == pytest.approx(404, abs=1)

    def test_a_ballpark_is_refused(self):
        with pytest.raises(PositionError, match="SF-A030"):
            displacement_of_mistakes(18.09592, 44.73943, "EPSG:31276")

    def test_grid_axes_turn_with_convergence(self):
        true, grid = (
            mistakes()["gauss_kruger_as_utm"],
            mistakes(metric_crs="EPSG:32638")["gauss_kruger_as_utm"],
        )
        turn = np.degrees(np.arctan2(true.east_m, true.north_m) - np.arctan2(grid.east_m, grid.north_m))
        assert turn == pytest.approx(1.24, abs=0.03)

    @given(st.integers(0, 9_999_999))
    def test_transposed_digits_move_by_multiples_of_nine(self, value):
        for power, shift in transposition_shifts(float(value)):
            assert shift % (9 * 10**power) == 0
            digits = str(value)
            at = len(digits) - 1 - power
            swapped = digits[: at - 1] + digits[at] + digits[at - 1] + digits[at + 1 :]
            assert int(swapped) - value == shift

    def test_examples_of_transposed_digits(self):
        assert transposition_shifts(4_430_293.0) == ((2, 1800.0), (3, -27_000.0), (4, -90_000.0))
        assert transposition_shifts(664_944.0) == ((2, 4500.0), (3, -18_000.0))


class TestMatch:
    LIST = (
        GrossError(NO_MISTAKE, 0, 0, 0, weight=0.9),
        GrossError("datum_ignored", 102, 10, 5, weight=0.03),
        GrossError("shift_twice", -102, -10, 5, weight=0.005),
        GrossError("gauss_kruger_as_utm", 211, 1858, 5, weight=0.01),
    )

    @pytest.mark.parametrize("error", LIST, ids=lambda e: e.name)
    def test_a_residual_at_a_mistake_is_that_mistake(self, error):
        best = match_signature(error.east_m + 6, error.north_m - 4, 12.0, self.LIST)[0]
        assert best.name == error.name
        assert best.probability > 0.9

    def test_far_from_everything_is_unexplained(self):
        ranked = match_signature(600.0, -500.0, 15.0, self.LIST)
        assert [m.name for m in ranked] == [UNEXPLAINED]
        assert ranked[0].probability == 1.0

    def test_a_blurred_residual_leaves_several_open(self):
        ranked = match_signature(50.0, 5.0, 60.0, self.LIST)
        assert {m.name for m in ranked} >= {NO_MISTAKE, "datum_ignored", UNEXPLAINED}
        assert sum(m.probability for m in ranked) == pytest.approx(1.0)

    @given(st.floats(-5000, 5000), st.floats(-5000, 5000), st.floats(0.5, 500))
    def test_probabilities_add_up_and_are_sorted(self, east, north, sigma):
        ranked = match_signature(east, north, sigma, self.LIST)
        shares = [m.probability for m in ranked]
        assert sum(shares) == pytest.approx(1.0)
        assert shares == sorted(shares, reverse=True)
        assert any(m.name == UNEXPLAINED for m in ranked)

    def test_case_seven_the_record_labelled_utm(self):
        residual = (205.0, 1862.0)  # the reading stands 1.87 km north of the finds
        ranked = match_signature(*residual, 20.0, displacement_of_mistakes(*PLACE, "EPSG:32638"))
        assert ranked[0].name == "gauss_kruger_as_utm"


class TestDatumDuplicate:
    ROW = np.column_stack([np.arange(12) * 5.0, np.arange(12) % 2 * 20.0]) + np.array([500_000.0, 4_400_000.0])

    def shift(self):
        return mistakes(metric_crs="EPSG:32638")["datum_ignored"]

    def test_case_eight_one_record_not_shifted(self):
        shift = self.shift()
        proposal = datum_duplicate(self.ROW, self.ROW + np.array([shift.east_m, shift.north_m]), shift)
        assert proposal is not None
        assert proposal.not_shifted == "b"
        assert proposal.distance_m == pytest.approx(102.6, abs=0.2)
        assert proposal.azimuth_deg == pytest.approx(84, abs=2)
        other = datum_duplicate(self.ROW + np.array([shift.east_m, shift.north_m]), self.ROW, shift)
        assert other is not None
        assert other.not_shifted == "a"
        assert other.azimuth_deg == pytest.approx(264, abs=2)

    def test_rounding_and_order_do_not_hide_it(self):
        rng = np.random.default_rng(2)
        shift = self.shift()
        moved = rng.permutation(self.ROW + np.array([shift.east_m, shift.north_m]) + rng.normal(0, 2, self.ROW.shape))
        assert datum_duplicate(self.ROW, moved, shift) is not None

    @pytest.mark.parametrize("move", [(0, 0), (102, -40), (60, 6), (0, 102), (1000, 0)])
    def test_other_offsets_are_no_datum_duplicates(self, move):
        assert datum_duplicate(self.ROW, self.ROW + np.asarray(move), self.shift()) is None

    def test_another_field_at_that_distance_is_not_proposed(self):
        shift = self.shift()
        field = self.ROW.mean(axis=0) + (self.ROW - self.ROW.mean(axis=0)) @ np.array([[0, -1], [1, 0]])
        assert datum_duplicate(self.ROW, field + np.array([shift.east_m, shift.north_m]), shift) is None

    def test_nothing_to_compare(self):
        assert datum_duplicate(np.empty((0, 2)), self.ROW, self.shift()) is None


class TestSameField:
    ROWS = TestDatumDuplicate.ROW

    @pytest.mark.parametrize("move", [(0, 0), (4, -2), (40, 20)])
    def test_one_pattern_within_reach_is_proposed(self, move):
        assert same_field(self.ROWS, np.random.default_rng(1).permutation(self.ROWS + move), 30.0) < 1e-6

    def test_places_that_coincide_are_proposed_though_drawn_anew(self):
        drawn = self.ROWS + np.random.default_rng(2).normal(0, 1.5, self.ROWS.shape)
        assert 1.0 < same_field(self.ROWS, drawn[:-2], 1.0) < 10.0

    @pytest.mark.parametrize("move", [(70, 0), (0, -300)])
    def test_one_pattern_out_of_reach_is_another_field(self, move):
        assert same_field(self.ROWS, self.ROWS + move, 30.0) is None

    def test_rows_beside_each_other_are_no_pattern(self):
        row = self.ROWS[::2]
        assert same_field(row, row + np.array([0, 30]), 30.0) is None
        assert same_field(row, row + np.array([0, 5]), 30.0) is None
        assert same_field(row, row + np.array([0.3, 0.3]), 30.0) is not None

    def test_other_counts_or_spacing_are_another_field(self):
        middle = self.ROWS.mean(axis=0)
        assert same_field(self.ROWS, self.ROWS[:-1] + np.array([30, 0]), 30.0) is None
        assert same_field(self.ROWS, middle + 1.2 * (self.ROWS - middle) + [30, 0], 30.0) is None
        assert same_field(self.ROWS[:1], self.ROWS[:1], 30.0) is None


@pytest.mark.parametrize("crs", ["EPSG:28408", "EPSG:32638", "EPSG:4284", "EPSG:4326"])
def test_what_a_reading_is_taken_back_by_leads_to_the_ground(crs: str) -> None:
    """Every mistake made on the ground and taken back at the reading: the same place again."""
    to_metric = Transformer.from_crs("EPSG:4326", "EPSG:32638", always_xy=True)
    true = np.array(to_metric.transform(*PLACE))
    made = mistakes(crs, metric_crs="EPSG:32638")
    assert len(made) >= 4
    for name, mistake in made.items():
        reading = true + np.array([mistake.east_m, mistake.north_m])
        degrees = to_metric.transform(*reading, direction="INVERSE")
        if mistake.distance_m > 2e6:  # the grid's datum has no step out there
            continue
        behind = {e.name: e for e in mistakes_behind(*degrees, crs, metric_crs="EPSG:32638")}
        way = np.array([behind[name].east_m, behind[name].north_m])
        # Seconds are read whole; on the far side of a zone another datum step may be best.
        assert np.hypot(*(reading - way - true)) < (35.0 if name == "dms_as_decimal" else 5.0), name

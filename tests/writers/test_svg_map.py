"""The map: things lie where they are, nothing looks safe, every map warns."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from surefoot.writers.map_frame import Frame, centre_wgs84, convergence_deg, fit, ground_of, round_step
from surefoot.writers.svg_labels import place_labels
from surefoot.writers.svg_map import maps_of
from surefoot.writers.svg_paths import shapes, thin_points

NS = "{http://www.w3.org/2000/svg}"
FRAME = Frame(1000.0, 2000.0, 2000.0, 2500.0, 50.0, 20.0, 500.0, 250.0)


def words_of(svg: str) -> str:
    return " | ".join(t.text or "" for t in ET.fromstring(svg).iter(f"{NS}text"))


class TestFrame:
    def test_corners_of_the_ground_are_corners_of_the_page(self) -> None:
        corners = np.array([[1000.0, 2500.0], [2000.0, 2000.0], [1500.0, 2250.0]])
        assert FRAME.page(corners).tolist() == [[50.0, 20.0], [550.0, 270.0], [300.0, 145.0]]
        assert FRAME.metres_per_unit == 2.0

    @given(
        st.tuples(*(st.floats(-1e6, 1e6) for _ in range(2))),
        st.tuples(*(st.floats(0, 1e6) for _ in range(2))),
    )
    def test_a_fitted_frame_holds_its_ground_undistorted(
        self, start: tuple[float, ...], size: tuple[float, ...]
    ) -> None:
        bounds = (*start, start[0] + size[0], start[1] + size[1])
        frame = fit(bounds, left=10, top=20, width=900, shape=(0.4, 1.0))  # type: ignore[arg-type]
        assert frame.west <= bounds[0] <= bounds[2] <= frame.east
        assert frame.south <= bounds[1] <= bounds[3] <= frame.north
        up = (frame.north - frame.south) / frame.height
        assert up == pytest.approx(frame.metres_per_unit, rel=1e-9)
        assert 0.4 - 1e-9 <= frame.height / frame.width <= 1.0 + 1e-9

    @given(st.floats(1e-2, 1e7), st.floats(1.5, 12))
    def test_a_round_step_is_round_and_just_below(self, span: float, parts: float) -> None:
        step = round_step(span, parts)
        assert f"{step:e}"[0] in "125"
        assert float(f"{step:e}".partition("e")[0]) == pytest.approx(float(f"{step:e}"[0]))
        assert step <= span / parts * (1 + 1e-6) < 2.5 * step * (1 + 1e-6)

    def test_convergence_is_that_of_the_textbook(self) -> None:
        """Transverse Mercator: gamma ~ (longitude - central meridian) sin(latitude)."""
        east, north = Transformer.from_crs(4326, 32638, always_xy=True).transform(46.9, 39.9)
        frame = Frame(east - 100, north - 100, east + 100, north + 100, 0, 0, 100, 100)
        assert centre_wgs84(frame, "EPSG:32638") == pytest.approx((46.9, 39.9), abs=1e-7)
        assert convergence_deg(frame, "EPSG:32638") == pytest.approx(1.9 * np.sin(np.radians(39.9)), abs=2e-3)


class TestShapes:
    def test_a_square_lies_where_it_is(self) -> None:
        square = np.array([shapely.box(1100, 2100, 1300, 2200)], dtype=object)
        drawn = shapes(square, FRAME, closed=True)
        assert drawn.n == 1
        start = re.match(r"M([\d.]+),([\d.]+)", drawn.path)
        assert start is not None
        moves = [(float(a), float(b)) for a, b in re.findall(r"l(-?[\d.]+),(-?[\d.]+)", drawn.path)]
        corners = np.cumsum([[float(start[1]), float(start[2])], *moves], axis=0)
        assert sorted(map(tuple, corners)) == [(100, 170), (100, 220), (200, 170), (200, 220)]

    def test_what_is_too_small_to_see_becomes_a_mark_and_what_is_elsewhere_nothing(self) -> None:
        ground = np.array(
            [shapely.Point(1500, 2250).buffer(0.5), shapely.box(9000, 9000, 9100, 9100), None], dtype=object
        )
        drawn = shapes(ground, FRAME, closed=True)
        assert drawn.path == ""
        assert drawn.small.startswith("M300,145")
        assert drawn.n == 1

    @pytest.mark.parametrize(
        "ugly",
        [
            shapely.Polygon([(1000, 2000), (1400, 2400), (1400, 2000), (1000, 2400)]),  # a bow tie
            shapely.LineString([(1000, 2000), (1900, 2400)]),  # a line in a layer of areas
            shapely.MultiPoint([(1100, 2100), (1800, 2400)]),
            shapely.GeometryCollection([shapely.Point(1500, 2200), shapely.box(1100, 2100, 1200, 2200)]),
            shapely.Polygon([(1000, 2000), (1900, 2000), (1900, 2400), (1000, 2400)],
                            [[(1100, 2100), (1200, 2100), (1200, 2200)]]),
        ],
    )  # fmt: skip
    def test_ugly_geometry_is_drawn_not_lost(self, ugly: Any) -> None:
        drawn = shapes(np.array([ugly], dtype=object), FRAME, closed=True)
        assert drawn.n == 1
        assert drawn.path or drawn.small

    def test_empty_geometry_is_nothing(self) -> None:
        drawn = shapes(np.array([shapely.Polygon(), None], dtype=object), FRAME, closed=True)
        assert (drawn.path, drawn.small, drawn.n) == ("", "", 0)

    def test_points_on_one_spot_are_drawn_once(self) -> None:
        points = np.array([[10.0, 10.0], [10.2, 10.1], [12.0, 10.0]])
        assert thin_points(points).tolist() == [[10.0, 10.0], [12.0, 10.0]]


class TestLabels:
    @settings(max_examples=60)
    @given(st.lists(st.tuples(st.floats(60, 540), st.floats(30, 260)), min_size=1, max_size=25))
    def test_no_label_lies_on_another_or_leaves_the_frame(self, places: list[tuple[float, float]]) -> None:
        words = [f"{n}/93" for n in range(len(places))]
        placed, left_out = place_labels(words, np.array(places), np.empty((0, 2)), FRAME, size=12)
        assert len(placed) + left_out == len(words)
        boxes = [(p.left, p.baseline + 3 - 12, p.left + 0.6 * 12 * len(p.words) + 2, p.baseline + 3) for p in placed]
        for i, a in enumerate(boxes):
            assert a[0] >= 50
            assert a[2] <= 550
            assert a[1] >= 20
            assert a[3] <= 270
            for b in boxes[:i]:
                assert a[2] <= b[0] + 1e-9 or b[2] <= a[0] + 1e-9 or a[3] <= b[1] + 1e-9 or b[3] <= a[1] + 1e-9

    def test_a_label_steps_aside_for_a_mark(self) -> None:
        anchor = np.array([[300.0, 150.0]])
        beside = place_labels(["17"], anchor, np.array([[310.0, 140.0]]), FRAME, size=12)[0][0]
        alone = place_labels(["17"], anchor, np.empty((0, 2)), FRAME, size=12)[0][0]
        assert (beside.left, beside.baseline) != (alone.left, alone.baseline)


class TestMaps:
    def test_every_map_is_xml_and_warns_and_says_when_and_in_which_grid(self, assessment: Any) -> None:
        maps = maps_of(assessment)
        assert len(maps) == 13
        for one in maps:
            said = words_of(one.svg)
            assert "Not evidence that any place is free of devices." in said
            assert "no ground for entering an area" in said
            assert "SIMULATED - invented data" in said
            assert "2024-06-30" in said
            assert "EPSG:32638" in said
            assert "Grid north" in said

    def test_the_mark_is_only_on_simulated_cases(self, build_standin: Any) -> None:
        for one in maps_of(build_standin(6, simulated=False)):
            assert "SIMULATED" not in one.svg

    def test_nothing_is_green_and_unknown_ground_is_hatched(self, assessment: Any) -> None:
        for one in maps_of(assessment):
            for code in set(re.findall(r"#[0-9A-Fa-f]{6}", one.svg)):
                red, green, blue = (int(code[i : i + 2], 16) for i in (1, 3, 5))
                assert not (green > red * 1.15 and green > blue * 1.15), code
            root = ET.fromstring(one.svg)
            hatch = root.find(f".//{NS}pattern")
            assert hatch is not None
            background = [r for r in root.findall(f"{NS}rect") if r.attrib["fill"] == f"url(#{hatch.attrib['id']})"]
            assert len(background) == 1

    def test_grid_lines_carry_their_true_coordinates(self, assessment: Any) -> None:
        """The label under a grid line, put through the frame backwards, must give the label."""
        svg = maps_of(assessment)[0].svg
        ground = ground_of(assessment)
        boxes = np.concatenate([shapely.bounds(g[~shapely.is_missing(g)]) for g in ground.geometry.values() if len(g)])
        ticks = {float(t.text): float(t.attrib["x"]) for t in ET.fromstring(svg).iter(f"{NS}text")
                 if re.fullmatch(r"\d{3}\.\d", t.text or "")}  # fmt: skip
        assert len(ticks) >= 4
        (k1, x1), (k2, x2) = min(ticks.items()), max(ticks.items())
        units_per_km = (x2 - x1) / (k2 - k1)
        middle_km = k1 + (70 + (1000 - 70 - 34) / 2 - x1) / units_per_km
        assert middle_km * 1000 == pytest.approx((boxes[:, 0].min() + boxes[:, 2].max()) / 2, abs=3)

    def test_the_scale_bar_is_as_long_as_it_says(self, assessment: Any) -> None:
        root = ET.fromstring(maps_of(assessment)[0].svg)
        bar = [r for r in root.findall(f"{NS}rect") if r.attrib.get("height") == "7"]
        length = sum(float(r.attrib["width"]) for r in bar)
        ticks = {float(t.text): float(t.attrib["x"]) for t in root.iter(f"{NS}text")
                 if re.fullmatch(r"\d{3}\.\d", t.text or "")}  # fmt: skip
        per_km = (max(ticks.values()) - min(ticks.values())) / (max(ticks) - min(ticks))
        assert "1 km" in words_of(ET.tostring(root, encoding="unicode"))
        assert length == pytest.approx(per_km, rel=5e-3)

    def test_detail_maps_go_to_the_records_with_most_finds_first(self, assessment: Any) -> None:
        """By the expected number of finds that belong to a record, not by what the finders wrote down."""
        counts = {r["record_id"]: r["finds"] for r in assessment.document["records"]}
        chosen = [counts[m.record_id] for m in maps_of(assessment, limit=3)[1:]]
        assert chosen == sorted(chosen, reverse=True)
        assert chosen[0] == max(counts.values())

    def test_what_has_no_position_is_counted_not_dropped(self, assessment: Any) -> None:
        said = words_of(maps_of(assessment)[0].svg)
        assert "Not drawn, no position known: accidents: 1." in said
        assert "drawn by the ellipse of their place alone: 2." in said

    def test_a_record_without_a_footprint_bears_its_number_at_its_ellipse(
        self, assessment: Any, with_layer: Any
    ) -> None:
        layer = assessment.layers["records"]
        bare = np.full(len(layer.geometry), None, dtype=object)
        said = words_of(maps_of(with_layer(assessment, "records", bare, layer.columns), limit=0)[0].svg)
        assert set(layer.columns["form_no"]) <= set(said.split(" | "))

    def test_two_hundred_records_still_bear_their_numbers(self, build_standin: Any) -> None:
        case = build_standin(240)
        said = words_of(maps_of(case, limit=0)[0].svg).split(" | ")
        shown = [f for f in case.layers["records"].columns["form_no"] if f in said]
        assert len(shown) > 200

    def test_symbols_on_one_another_do_not_vanish_under_their_rims(self, assessment: Any) -> None:
        """The rim of a class lies under all its symbols: a crowd of finds must not turn into a white patch."""
        svg = maps_of(assessment, limit=0)[0].svg
        paths = [p.attrib for p in ET.fromstring(svg).iter(f"{NS}path")]
        for fill in ("#000000", "#0072B2", "#D55E00"):
            drawn = [n for n, p in enumerate(paths) if p.get("fill") == fill]
            assert drawn
            for n in drawn:
                rim = paths[n - 1]
                assert (rim["d"], rim["fill"]) == (paths[n]["d"], "none")
                assert float(paths[n]["stroke-opacity"]) < 0.5

    def test_finds_are_not_called_unrecorded_where_there_is_no_record(self, assessment: Any, with_layer: Any) -> None:
        none = np.array([], dtype=object)
        bare = with_layer(assessment, "records", none, {"record_id": none})
        said = words_of(maps_of(bare, limit=0)[0].svg)
        assert "not compared with records" in said
        assert "likely of" not in said

    def test_no_word_of_the_head_lies_under_the_mark(self, assessment: Any) -> None:
        root = ET.fromstring(maps_of(assessment)[0].svg)
        mark = next(r for r in root.iter(f"{NS}rect") if r.get("fill") == "#8B0000")
        under = float(mark.attrib["y"]) + float(mark.attrib["height"])
        lines = [t for t in root.iter(f"{NS}text") if "EPSG" in (t.text or "")]
        assert all(float(t.attrib["y"]) - 1.1 * float(t.attrib["font-size"]) > under for t in lines)

    def test_a_far_off_position_does_not_shrink_the_map_and_is_counted(
        self, build_standin: Any, with_layer: Any
    ) -> None:
        base = build_standin(60)
        layer = base.layers["accidents"]
        geometry = layer.geometry.copy()
        geometry[0] = shapely.Point(10.0, 10.0)
        said = words_of(maps_of(with_layer(base, "accidents", geometry, layer.columns), limit=0)[0].svg)
        assert "beyond the edge of this map" in said

    def test_nothing_with_a_position_gives_no_map(self, empty_assessment: Any) -> None:
        assert maps_of(empty_assessment) == ()

    def test_names_from_the_data_are_escaped(self, assessment: Any, with_layer: Any) -> None:
        layer = assessment.layers["records"]
        forms = np.array(['<b>"&' for _ in layer.geometry], dtype=object)
        changed = with_layer(assessment, "records", layer.geometry, {**layer.columns, "form_no": forms})
        for one in maps_of(changed, limit=1):
            assert '<b>"&' in words_of(one.svg)

    def test_the_same_case_gives_the_same_maps(self, assessment: Any) -> None:
        assert maps_of(assessment) == maps_of(assessment)

    def test_without_a_crs_the_zone_of_the_data_is_used(self, assessment: Any, with_document: Any) -> None:
        assert ground_of(with_document(assessment, crs=None)).crs == "EPSG:32638"

    def test_eight_thousand_areas_stay_small_and_quick(self, assessment: Any, with_layer: Any) -> None:
        rng = np.random.default_rng(1)
        centres = np.column_stack([rng.uniform(44.0, 47.0, 8000), rng.uniform(38.0, 41.0, 8000)])
        wavy = shapely.buffer(shapely.points(centres), rng.uniform(0.0005, 0.01, 8000), quad_segs=16)
        status = np.array(["SHA", "CHA"] * 4000, dtype=object)
        case = with_layer(assessment, "areas", wavy, {"status": status})
        overview = maps_of(case, limit=0)[0]
        assert len(overview.svg) < 3_000_000
        assert "(4000)" in words_of(overview.svg)

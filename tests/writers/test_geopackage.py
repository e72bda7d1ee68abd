"""assessment.gpkg: every layer exists, styled, honest about what is not known, the same bytes every time."""

from __future__ import annotations

import re
import sqlite3
import time
import xml.etree.ElementTree as ET
from contextlib import closing
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely

from surefoot.terms import AreaStatus, Fate
from surefoot.writers import palette
from surefoot.writers.geopackage import LAYERS, write_geopackage
from surefoot.writers.next_search import PLAN
from surefoot.writers.qgis_styles import style_qml, styled_layers

COLOUR = re.compile(r"^(\d+),(\d+),(\d+),(\d+)$")


@pytest.fixture(scope="module")
def written(assessment: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gpkg") / "assessment.gpkg"
    write_geopackage(assessment, path)
    return path


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def test_every_layer_comes_back_as_it_went_in(written: Path, assessment: Any) -> None:
    for name, layer in assessment.layers.items():
        back = geopandas.read_file(written, layer=name)
        assert len(back) == len(layer.geometry)
        assert back.crs.to_epsg() == 4326
        missing = shapely.is_missing(layer.geometry)
        assert (back.geometry.isna().to_numpy() == missing).all()
        distance = shapely.hausdorff_distance(back.geometry.to_numpy()[~missing], layer.geometry[~missing])
        assert np.all(distance < 1e-12)


def test_values_and_what_is_not_known_come_back(written: Path, assessment: Any) -> None:
    back = geopandas.read_file(written, layer="finds")
    finds = assessment.layers["finds"].columns
    assert list(back["model"]) == list(finds["model"])
    np.testing.assert_allclose(back["p_unrecorded"], finds["p_unrecorded"])
    assert list(back["sigma_m"].isna()) == list(np.isnan(finds["sigma_m"]))
    assert list(back["date"].isna()) == list(np.isnat(finds["date"]))
    known = ~np.isnat(finds["date"])
    assert list(back["date"].astype("datetime64[s]")[known].dt.strftime("%Y-%m-%d")) == [
        str(d) for d in finds["date"][known]
    ]
    assert list(back["record_id"].isna()) == [r == "" for r in finds["record_id"]]


def test_an_empty_case_has_every_layer_with_its_columns(empty_assessment: Any, tmp_path: Path) -> None:
    path = tmp_path / "empty.gpkg"
    write_geopackage(empty_assessment, path)
    assert {name for name, _ in pyogrio.list_layers(path)} == {*LAYERS, "layer_styles"}
    for name, plan in LAYERS.items():
        info = pyogrio.read_info(path, layer=name)
        assert list(info["fields"]) == list(plan.columns)
        assert info["features"] == 0
    assert "simulated" not in pyogrio.read_info(path, layer="items")["fields"]
    assert "SIMULATED" not in str(rows(path, "SELECT identifier, description FROM gpkg_contents"))


def test_a_layer_has_the_same_types_whether_it_is_full_empty_or_lacks_a_column(
    written: Path, assessment: Any, empty_assessment: Any, with_layer: Any, tmp_path: Path
) -> None:
    bare = with_layer(empty_assessment, "items", assessment.layers["items"].geometry, {})
    for name, case in (("empty", empty_assessment), ("bare", bare)):
        write_geopackage(case, tmp_path / f"{name}.gpkg")
        for layer, plan in LAYERS.items():
            full = pyogrio.read_info(written, layer=layer)
            other = pyogrio.read_info(tmp_path / f"{name}.gpkg", layer=layer)
            of_full = dict(zip(full["fields"], full["dtypes"], strict=True))
            of_other = dict(zip(other["fields"], other["dtypes"], strict=True))
            assert {k: of_full[k] for k in plan.columns if layer != "priorities"} == {
                k: of_other[k] for k in plan.columns if layer != "priorities"
            }
    assert rows(tmp_path / "bare.gpkg", "SELECT DISTINCT is_best, placement, weight, fate FROM items") == [
        (None, None, None, None)
    ]


def test_every_layer_has_exactly_one_default_style_where_qgis_looks_for_it(written: Path) -> None:
    found = rows(
        written,
        """SELECT f_table_name, f_geometry_column, f_table_schema, useAsDefault, update_time
        FROM layer_styles""",
    )
    assert sorted(r[0] for r in found) == sorted(LAYERS)
    assert {r[1:] for r in found} == {("geom", "", 1, "2024-06-30T00:00:00.000Z")}
    assert rows(written, "SELECT data_type FROM gpkg_contents WHERE table_name = 'layer_styles'") == [("attributes",)]


def test_form_numbers_are_bold_and_beside_their_record() -> None:
    """Without a weight QGIS takes the thinnest face; inside the polygon a number would lie on devices."""
    style = ET.fromstring(style_qml("records").partition(">\n")[2])
    text = style.find("./labeling/settings/text-style")
    place = style.find("./labeling/settings/placement")
    assert text is not None
    assert place is not None
    assert (text.attrib["fontWeight"], text.attrib["textOpacity"]) == ("75", "1")
    assert place.attrib["placement"] == "8"


def test_a_simulated_case_carries_the_mark_in_every_layer(written: Path) -> None:
    for name in LAYERS:
        assert rows(written, f"SELECT DISTINCT simulated FROM {name}") in ([(1,)], [])
    for identifier, description in rows(
        written, "SELECT identifier, description FROM gpkg_contents WHERE data_type = 'features'"
    ):
        assert "SIMULATED" in identifier
        assert "SIMULATED" in description
        assert "Not evidence that any place is free of devices" in description


def test_the_same_case_gives_the_same_bytes(assessment: Any, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_geopackage(assessment, tmp_path / f"{name}.gpkg")
        time.sleep(0.02)
    assert (tmp_path / "a.gpkg").read_bytes() == (tmp_path / "b.gpkg").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.gpkg", "b.gpkg"]


def test_an_older_file_is_replaced(written: Path, empty_assessment: Any, assessment: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.gpkg"
    write_geopackage(assessment, path)
    write_geopackage(empty_assessment, path)
    assert rows(path, "SELECT count(*) FROM items") == [(0,)]


def test_real_files_mix_points_into_areas_and_leave_flags_unknown(
    assessment: Any, with_layer: Any, tmp_path: Path
) -> None:
    geometry = np.array([shapely.Point(1, 2), shapely.box(0, 0, 1, 1), None], dtype=object)
    columns = {
        "status": np.array(["SHA", "", None], dtype=object),
        "flag": np.array([True, None, False], dtype=object),
        "size": np.array([1, 2.5, None], dtype=object),
        "text": np.array([1, "x", None], dtype=object),
        "unicode": np.array(["a", "b", "c"]),
    }
    write_geopackage(with_layer(assessment, "areas", geometry, columns), tmp_path / "a.gpkg")
    sql = "SELECT status, flag, size, text, unicode, geom IS NULL FROM areas"
    assert rows(tmp_path / "a.gpkg", sql) == [
        ("SHA", 1, 1.0, "1", "a", 0),
        (None, None, 2.5, "x", "b", 0),
        (None, 0, None, None, "c", 1),
    ]


@pytest.mark.slow
def test_a_hundred_thousand_items_take_seconds(build_standin: Any, tmp_path: Path) -> None:
    big = build_standin(900)
    assert len(big.layers["items"].geometry) > 90_000
    start = time.perf_counter()
    write_geopackage(big, tmp_path / "big.gpkg")
    assert time.perf_counter() - start < 8  # 1.3 s alone on the machine


class TestStyles:
    def test_every_layer_has_a_style(self) -> None:
        assert set(styled_layers()) == {*LAYERS, *PLAN}

    @pytest.mark.parametrize("name", [*LAYERS, *PLAN])
    def test_a_style_is_whole(self, name: str) -> None:
        root = ET.fromstring(style_qml(name).partition("\n")[2])
        renderer = root.find("renderer-v2")
        assert renderer is not None
        symbols = {s.attrib["name"] for s in renderer.iter("symbol")}
        assert symbols
        for category in renderer.iter("category"):
            assert category.attrib["symbol"] in symbols
        kinds = {s.attrib["type"] for s in renderer.iter("symbol")}
        assert root.findtext("layerGeometryType") == {"marker": "0", "line": "1", "fill": "2"}[kinds.pop()]

    @pytest.mark.parametrize("name", [*LAYERS, *PLAN])
    def test_no_class_is_green_and_none_is_invisible(self, name: str) -> None:
        seen = 0
        for option in ET.fromstring(style_qml(name).partition("\n")[2]).iter("Option"):
            match = COLOUR.match(option.attrib.get("value", ""))
            if match:
                red, green, blue, alpha = (int(v) for v in match.groups())
                assert not (green > red * 1.15 and green > blue * 1.15), option.attrib
                assert alpha >= 30, option.attrib
                seen += 1
        assert seen

    def test_categorized_layers_leave_nothing_out(self) -> None:
        for name in ("items", "finds", "accidents", "areas"):
            root = ET.fromstring(style_qml(name).partition("\n")[2])
            assert [c.attrib["value"] for c in root.iter("category")][-1] == ""

    def test_areas_wear_the_field_s_colours(self) -> None:
        root = ET.fromstring(style_qml("areas").partition("\n")[2])
        values = {c.attrib["value"]: c.attrib["symbol"] for c in root.iter("category")}
        assert set(values) == {*(s.value for s in AreaStatus), ""}
        fills = {
            s.attrib["name"]: next(o.attrib["value"] for o in s.iter("Option") if o.attrib.get("name") == "color")
            for s in root.iter("symbol")
        }
        assert fills[values["CHA"]] == "255,0,0,128"
        assert fills[values["SHA"]] == "244,167,24,128"

    def test_every_status_and_fate_has_a_colour(self) -> None:
        assert set(palette.AREA) == set(AreaStatus)
        assert set(palette.FATE) == set(Fate)

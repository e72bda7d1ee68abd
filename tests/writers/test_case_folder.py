"""A made-up region as files: the same bytes for the same seed, everything marked, everything there."""

from __future__ import annotations

import csv
import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
import shapely
import yaml

from surefoot.analysis.synthetic import SimulatedRegion, simulate
from surefoot.errors import UsageError
from surefoot.messages import render
from surefoot.writers.case_folder import case_texts, write_case


def made(preset: str = "nominal", seed: int = 0) -> SimulatedRegion:
    return simulate(preset, rng=np.random.default_rng(seed), records=5)


@pytest.fixture(scope="module")
def easy() -> SimulatedRegion:
    return made("easy")


@pytest.fixture(scope="module")
def folder(easy: SimulatedRegion, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("case") / "made-up"
    write_case(easy, target)
    return target


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("preset", ["nominal", "easy", "null"])
def test_the_same_seed_gives_the_same_bytes(preset: str, tmp_path: Path) -> None:
    written = [write_case(made(preset, 7), tmp_path / name) for name in ("first", "second")]
    assert contents(tmp_path / "first") == contents(tmp_path / "second")
    assert [path.relative_to(tmp_path / "first") for path in written[0]] == sorted(
        Path(name) for name in contents(tmp_path / "first")
    )
    assert case_texts(made(preset, 8)) != case_texts(made(preset, 7))


def test_the_folder_is_the_one_of_the_interfaces(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {
        "README.txt", "case.toml", "records", "truth", "claims.yaml",
        "finds.csv", "accidents.csv", "searched.geojson", "areas.geojson",
    }  # fmt: skip
    assert {path.name for path in (folder / "truth").iterdir()} == {
        "devices.csv", "records.csv", "rows.csv", "areas.csv",
    }  # fmt: skip


def test_a_region_without_areas_has_no_file_of_areas() -> None:
    assert "areas.geojson" not in case_texts(made("nominal"))


def test_the_settings_say_simulated_and_hold_the_series(folder: Path, easy: SimulatedRegion) -> None:
    case = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    assert case["simulated"] is True
    assert "simulated" in case["name"]
    assert case["crs"] == "EPSG:32639"
    assert case["as_of"] == "2024-12-31"
    assert case["bbox"] == pytest.approx(list(easy.settings.region.bounds))
    assert set(case["series"]) == {str(form["series"]) for form in easy.forms}
    for series in case["series"].values():
        assert series["map"]["plain_mm_axis"] * 50 == pytest.approx(8.0)
        assert series["bearing"]["common_sd_deg"]["compass"] == 1.0
        assert series["distance"]["common_sd"]["paced"] == 0.01


def test_forms_come_back_as_they_were_written(folder: Path, easy: SimulatedRegion) -> None:
    for form in easy.forms:
        text = (folder / "records" / f"{form['record_id']}.yaml").read_text(encoding="utf-8")
        assert yaml.load(text, Loader=yaml.BaseLoader) == form  # the reader's loader: every scalar is text
        assert yaml.safe_load(text)["totals"] == form["totals"]  # quoted where another loader would make numbers


def test_tables_come_back_as_they_were_written(folder: Path, easy: SimulatedRegion) -> None:
    finds = rows_of(folder / "finds.csv")
    assert len(finds) == len(easy.finds) > 0
    assert [row["id"] for row in finds] == list(easy.finds.id)
    longitude = np.array([float(row["longitude"]) for row in finds])
    latitude = np.array([float(row["latitude"]) for row in finds])
    assert np.abs(longitude - easy.finds.longitude).max() < 1e-9
    assert np.abs(latitude - easy.finds.latitude).max() < 1e-9
    assert {row["production_year"] for row in finds} == {""}
    accidents = rows_of(folder / "accidents.csv")
    for row, sigma in zip(accidents, easy.accidents.sigma_m, strict=True):
        assert row["sigma_m"] == ("" if np.isnan(sigma) else f"{sigma:g}")
    devices = rows_of(folder / "truth" / "devices.csv")
    assert len(devices) == len(easy.truth.devices.truth_id)
    assert sum(row["found"] == "1" for row in devices) == len(finds)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_polygons_come_back_as_they_were_written(folder: Path, easy: SimulatedRegion) -> None:
    for name, table in (("searched", easy.searched), ("areas", easy.areas)):
        collection = json.loads((folder / f"{name}.geojson").read_text(encoding="utf-8"), parse_constant=pytest.fail)
        assert collection["simulated"] is True
        assert len(collection["features"]) == len(table)
        for feature, shape in zip(collection["features"], table.geometry, strict=True):
            read = shapely.from_geojson(json.dumps(feature["geometry"]))
            assert read.exterior.is_ccw
            assert read.hausdorff_distance(shape) < 3e-9
            assert feature["properties"]["id"].startswith("SIM-")
    searched = json.loads((folder / "searched.geojson").read_text(encoding="utf-8"))
    assert {f["properties"]["qa"] for f in searched["features"]} == {"none", "passed"}
    assert {f["properties"]["detection_probability"] for f in searched["features"]} == {0.98}


def test_every_file_says_that_it_is_made_up(folder: Path) -> None:
    for name, raw in contents(folder).items():
        text = raw.decode("utf-8")
        assert "SIMULATED" in text or "SIM-" in text, name
        assert "\r" not in text
        assert text.endswith("\n")
    notice = (folder / "README.txt").read_text(encoding="utf-8")
    assert "open Caspian Sea" in notice
    assert "no real minefield" in notice


def test_nothing_is_written_over_or_beside_an_older_case(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text("older", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        write_case(made(), tmp_path)
    assert caught.value.id == "SF-Y010"
    assert [path.name for path in tmp_path.iterdir()] == ["old.txt"]
    assert str(tmp_path) in render("SF-Y010", found=caught.value.found, lang="ru").reason
    with pytest.raises(UsageError):
        write_case(made(), tmp_path / "old.txt")

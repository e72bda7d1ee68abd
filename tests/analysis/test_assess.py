"""A whole assessment against known answers: the design's cases, a plain second computation, strict files."""

from __future__ import annotations

import json
import math
import os
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely
from jsonschema import Draft202012Validator
from pyproj import Geod, Transformer
from shapely.geometry import Point, box
from typer.testing import CliRunner

from surefoot.analysis.accuracy import propose_duplicate_symbols
from surefoot.analysis.assess import Assessment, assess
from surefoot.analysis.assess.ground import chances_inside, spread_points
from surefoot.analysis.assess.outside import Maps, outside_shares
from surefoot.analysis.synthetic import simulate
from surefoot.cli import app
from surefoot.readers import read_case_folder
from surefoot.writers.case_folder import write_case
from surefoot.writers.describe import describe

GEOD = Geod(ellps="WGS84")
TO_UTM = Transformer.from_crs("EPSG:4326", "EPSG:32638", always_xy=True)
FROM_UTM = Transformer.from_crs("EPSG:32638", "EPSG:4326", always_xy=True)
# SK-42 zone 8 by EPSG:15865, written out so that nothing of ours is used.
FROM_SK42 = Transformer.from_pipeline(
    "+proj=pipeline +step +inv +proj=tmerc +lat_0=0 +lon_0=45 +k=1 +x_0=8500000 +ellps=krass "
    "+step +proj=push +v_3 +step +proj=cart +ellps=krass "
    "+step +proj=helmert +x=25 +y=-141 +z=-78.5 +rx=0 +ry=-0.35 +rz=-0.736 +s=0 +convention=coordinate_frame "
    "+step +inv +proj=cart +ellps=WGS84 +step +proj=pop +v_3 +step +proj=unitconvert +xy_in=rad +xy_out=deg"
)
BBOX = "bbox = [46.8, 39.8, 47.1, 40.1]\n"
LEDGER = ("found", "detonated", "lifted", "lost", "searched_not_found", "not_searched")


def case(folder: Path, forms: str, *, finds: list[tuple[float, float]] = (), settings: str = "", **tables: str) -> Path:  # type: ignore[assignment]
    """Write a case folder of forms (YAML) and finds (longitude, latitude)."""
    (folder / "records").mkdir(parents=True)
    (folder / "case.toml").write_text(f'name = "test"\n{BBOX}{settings}', encoding="utf-8")
    (folder / "records" / "forms.yaml").write_text(forms, encoding="utf-8")
    if finds:
        lines = [f"F{n},{lon:.8f},{lat:.8f},1,AP" for n, (lon, lat) in enumerate(finds)]
        head = "id,longitude,latitude,sigma_m,category"
        (folder / "finds.csv").write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    for name, text in tables.items():
        ending = "geojson" if text.startswith("{") else "csv"
        (folder / f"{name}.{ending}").write_text(text, encoding="utf-8")
    return folder


def assessed(folder: Path) -> Assessment:
    return assess(read_case_folder(folder))


def document(folder: Path) -> Any:
    return describe(assessed(folder), version="test").document


def form(record_id: str, crs: str, ends: list[tuple[str, str]], more: str = "", count: int = 20) -> str:
    """A form of rows whose end points are given directly."""
    points = [f"{{id: '{n}', position: '{at}'}}" for n, at in enumerate((p for pair in ends for p in pair), start=1)]
    rows = [
        f"{{no: '{n + 1}', from: '{2 * n + 1}', to: '{2 * n + 2}', mines: {{ПМН: '{count}'}}}}"
        for n in range(len(ends))
    ]
    return (
        f"record_id: {record_id}\nform_no: '{record_id}'\nfamily: formulyar\nlaid: '07.1993'\ncrs: {crs}\n"
        f"points: [{', '.join(points)}]\nrows: [{', '.join(rows)}]\n{more}"
    )


# --- cases of the design ---------------------------------------------------------------------------------


def test_case_7_gauss_krueger_read_as_utm_is_named(tmp_path: Path) -> None:
    east, north, gap = 664944, 4430293, 20
    ends = [(f"E {east} N {north - gap * n}", f"E {east + 95} N {north - gap * n}") for n in range(3)]
    at = [(8_000_000 + east + 5.0 * j, north - gap * n) for n in range(3) for j in range(0, 20, 2)]
    finds = [FROM_SK42.transform(e, n) for e, n in at]
    landmark = FROM_UTM.transform(east, north)
    assert GEOD.inv(*landmark, *finds[0])[2] == pytest.approx(1870, abs=5)
    told = document(case(tmp_path / "case", form("R7", "UTM 38 WGS84", ends), finds=finds))
    (record,) = told["records"]
    assert record["signatures"], "no signature"
    ranked = sorted(record["signatures"], key=lambda s: -s["probability"])
    assert "gauss_kruger_as_utm" in ranked[0]["mistake"]
    (doubt,) = [d for d in told["doubts"] if d["id"] == "SF-C040"]
    words = f"{doubt.get('reason', '')} {doubt['advice']}"
    assert "SK-42 zone 8" in words
    assert doubt["record_id"] == "R7"


def test_a_record_that_fits_its_finds_has_no_signature(tmp_path: Path) -> None:
    ends = [("E 664944 N 4430293", "E 665039 N 4430293")]
    finds = [FROM_UTM.transform(664944 + 5 * j, 4430293) for j in range(20)]
    told = document(case(tmp_path / "case", form("R", "UTM 38 WGS84", ends), finds=finds))
    assert told["records"][0]["signatures"] == []
    assert not [d for d in told["doubts"] if d["id"] == "SF-C040"]


def test_case_8_one_field_twice_is_proposed_as_a_datum_duplicate(tmp_path: Path) -> None:
    lines = [("X=4430293 Y=8664944", "X=4430293 Y=8665039"), ("X=4430273 Y=8664950", "X=4430273 Y=8665045")]

    def unshifted(text: str) -> str:
        """The SK-42 latitude and longitude, written down as if they were WGS 84."""
        north, east = (float(part[2:]) for part in text.split())
        plane = Transformer.from_crs("EPSG:28408", "EPSG:4284", always_xy=True)
        lon, lat = plane.transform(east, north)
        return f"{lat:.7f} {lon:.7f}"

    raw = [(unshifted(a), unshifted(b)) for a, b in lines]
    told = document(case(tmp_path / "case", form("SK", "СК-42 зона 8", lines) + "---\n" + form("WG", "WGS84", raw)))
    (pair,) = [d for d in told["duplicates"] if d["kind"].startswith("records")]
    assert pair["kind"] == "records, datum"
    assert pair["distance_m"] == pytest.approx(102.6, abs=0.5)
    assert min(abs(pair["azimuth_deg"] - a) for a in (85, 265)) < 1.5
    assert {pair["a"], pair["b"]} == {"SK", "WG"}
    assert pair["not_shifted"] == "WG"


def test_one_form_handed_over_twice_is_proposed_as_one_field(tmp_path: Path) -> None:
    lines = [("X=4430293 Y=8664944", "X=4430293 Y=8665039"), ("X=4430273 Y=8664950", "X=4430273 Y=8665045")]
    text = "---\n".join(form(name, "СК-42 зона 8", lines) for name in ("A", "B", "C"))
    told = document(case(tmp_path / "case", text))
    pairs = [d for d in told["duplicates"] if d["kind"] == "records, one field"]
    assert {(p["a"], p["b"]) for p in pairs} == {("A", "B"), ("A", "C"), ("B", "C")}
    assert all(p["azimuth_deg"] is None and "SF" not in p["reason"] for p in pairs)
    (count,) = [m for m in told["measures"] if m["id"] == "iso19157:4"]
    assert (count["value"], count["n"]) == (2.0, 3.0)


def test_two_fields_side_by_side_are_no_duplicate(tmp_path: Path) -> None:
    one = [("X=4430293 Y=8664944", "X=4430293 Y=8665039")]
    other = [("X=4430393 Y=8664944", "X=4430393 Y=8665039")]
    text = form("A", "СК-42 зона 8", one) + "---\n" + form("B", "СК-42 зона 8", other)
    assert not [d for d in document(case(tmp_path / "case", text))["duplicates"] if d["kind"].startswith("records")]


ONE_ROW = [("X=4430293 Y=8664944", "X=4430293 Y=8665180")]


def test_case_20_an_interview_is_indirect_evidence(tmp_path: Path) -> None:
    text = form("memory", "СК-42 зона 8", ONE_ROW).replace("formulyar", "interview")
    told = document(case(tmp_path / "case", text))
    assert told["records"][0]["evidence_class"] == "indirect"
    assert told["records"][0]["reasons"]


def test_case_18_forty_lifted_are_taken_off_the_ledger(tmp_path: Path) -> None:
    text = form("R18", "СК-42 зона 8", ONE_ROW, "events: ['12.10.94 снято 40 ПМН']\n", count=60)
    found = assessed(case(tmp_path / "case", text))
    ledger = describe(found, version="test").document["ledger"]
    assert ledger["recorded"] == 60
    assert ledger["lifted"] == pytest.approx(40.0, abs=1e-9)
    assert ledger["not_searched"] == pytest.approx(20.0, abs=1e-9)
    still = ledger["still_in_ground"]
    assert still["median"] is None or still["median"] <= 25


def test_a_year_in_an_event_takes_nothing_off_the_ledger(tmp_path: Path) -> None:
    text = form("R", "СК-42 зона 8", ONE_ROW, "events: ['снято в 1994 г.']\n", count=60)
    ledger = document(case(tmp_path / "case", text))["ledger"]
    assert ledger["lifted"] == 0.0


def test_case_14_a_contradicting_row_has_no_exact_slots(tmp_path: Path) -> None:
    far = [("X=4430293 Y=8665244", "X=4430293 Y=8665544")]
    text = form("R14", "СК-42 зона 8", far, count=60).replace("mines:", "spacing: '4 м', mines:")
    found = assessed(case(tmp_path / "case", text))
    assert len(found.best) == 60
    assert "exact" not in set(found.items.slot[found.best])


def test_case_19_a_remote_field_is_an_even_area(tmp_path: Path) -> None:
    corners = ["X=4430300 Y=8664900", "X=4430300 Y=8665100", "X=4430200 Y=8665100", "X=4430200 Y=8664900"]
    points = ", ".join(f"{{id: '{n}', position: '{at}'}}" for n, at in enumerate(corners, start=1))
    text = (
        "record_id: R19\nfamily: remote\nlaid: '07.1993'\ncrs: СК-42 зона 8\n"
        f"points: [{points}]\narea: ['1', '2', '3', '4']\ntotals: {{ПФМ-1: '300'}}\n"
    )
    found = assessed(case(tmp_path / "case", text))
    items, best = found.items, found.best
    assert len(best) == 300
    assert set(items.slot[best]) == {"area"}
    footprint = found.shapes[0].footprint
    assert footprint is not None
    assert abs(GEOD.geometry_area_perimeter(footprint)[0]) == pytest.approx(20_000, rel=0.01)
    ee, _, nn = items.grid_cov_m2[best[0]]
    assert ee - nn == pytest.approx((200**2 - 100**2) / 12, rel=0.1)  # an even spread over 200 x 100 m
    ledger = describe(found, version="test").document["ledger"]
    assert ledger["not_searched"] == pytest.approx(300, abs=1e-9)


# --- D1 against a plain computation ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sim") / "case"
    write_case(simulate("easy", rng=np.random.default_rng(3), records=6), folder)
    return folder


def plain_d1(events: Any, maps: Any, crs: str, buffer_m: float) -> tuple[int, int]:
    """The share outside with nothing but GeoPandas."""
    points = geopandas.GeoSeries(events, crs="EPSG:4326").to_crs(crs)
    union = geopandas.GeoSeries(maps, crs="EPSG:4326").to_crs(crs).union_all()
    return int((points.distance(union) > buffer_m).sum()), len(points)


def test_d1_is_what_geopandas_says(simulated: Path) -> None:
    found = assessed(simulated)
    accidents = found.case.accidents
    located = np.isfinite(accidents.longitude)
    events = [Point(x, y) for x, y in zip(accidents.longitude[located], accidents.latitude[located], strict=True)]
    footprints = [shape.footprint for shape in found.shapes if shape.footprint is not None]
    assert len(found.outside.d1) == 5
    for share in found.outside.d1:
        assert share.buffer_m is not None
        outside, number = plain_d1(events, footprints, found.grid.crs, share.buffer_m)
        assert (share.numerator, share.denominator) == (outside, number)
        assert share.interval is not None
        assert share.value is not None
        assert share.interval[0] <= share.value <= share.interval[1]


SCATTERED = [(0.0, 0.0), (30.0, 0.0), (130.0, 0.0), (700.0, 0.0), (2000.0, 0.0), (0.0, 60.0), (0.0, 160.0)]


def areas_and_accidents() -> dict[str, str]:
    east, north = TO_UTM.transform(46.93, 39.99)
    square = shapely.transform(box(east - 20, north - 20, east + 20, north + 20), lambda xy: np.column_stack(
        FROM_UTM.transform(xy[:, 0], xy[:, 1])))  # fmt: skip
    feature = {
        "type": "Feature",
        "properties": {"id": "S1", "status": "suspected"},
        "geometry": square.__geo_interface__,
    }
    at = [FROM_UTM.transform(east + x, north + y) for x, y in SCATTERED]
    lines = [f"A{n},{lon:.9f},{lat:.9f},2001-01-0{n + 1}" for n, (lon, lat) in enumerate(at)]
    return {
        "areas": json.dumps({"type": "FeatureCollection", "features": [feature]}),
        "accidents": "\n".join(["id,longitude,latitude,date", *lines]) + "\n",
    }


def test_d1_of_areas_by_hand(tmp_path: Path) -> None:
    folder = tmp_path / "case"
    folder.mkdir()
    (folder / "case.toml").write_text(f'name = "test"\n{BBOX}crs = "EPSG:32638"\n', encoding="utf-8")
    for name, text in areas_and_accidents().items():
        (folder / f"{name}.{'geojson' if name == 'areas' else 'csv'}").write_text(text, encoding="utf-8")
    found = assessed(folder)
    # Distances to the square: 0, 10, 110, 680, 1980, 40, 140 metres.
    by_buffer = {share.buffer_m: share.numerator for share in found.outside.d1}
    assert by_buffer == {0.0: 6.0, 25.0: 5.0, 100.0: 4.0, 500.0: 2.0, 1000.0: 1.0}


def test_as_known_on_the_day_by_hand() -> None:
    """Three maps handed over in turn, four events, one of them without a date."""
    maps = Maps(
        tuple(box(x, 0, x + 10, 10) for x in (0, 100, 200)),
        np.array(["m0", "m1", "m2"], dtype=object),
        np.array(["2000-01-01", "2005-01-01", "2010-01-01"], dtype="datetime64[D]"),
        "records",
    )
    points = np.array([[5.0, 5.0], [105.0, 5.0], [105.0, 5.0], [205.0, 5.0]])
    dates = np.array(["2001-06-01", "2004-06-01", "2006-06-01", "NaT"], dtype="datetime64[D]")
    sheets = np.array([""] * 4, dtype=object)
    outside = outside_shares(points, dates, sheets, propose_duplicate_symbols(points, sheets), maps, [0.0, 95.0])
    first, wide = outside.known_on_the_day
    # Event 1 lies in map 1 (known), event 2 in map 2 (not known yet), event 3 in map 2 (known), event 4 undated.
    assert first.share is not None
    assert (first.share.numerator, first.share.denominator) == (1.0, 3.0)
    assert (first.n_undated_events, first.n_undated_maps) == (1, 0)
    assert wide.share is not None
    assert wide.share.numerator == 0.0
    assert outside.d1[0].numerator == 0.0


def test_before_the_first_hand_over_nothing_is_known() -> None:
    maps = Maps((box(0, 0, 10, 10),), np.array(["m0"], dtype=object), np.array(["2000-01-01"], "datetime64[D]"), "x")
    points, sheets = np.array([[5.0, 5.0], [5.0, 5.0]]), np.array(["", ""], dtype=object)
    dates = np.array(["1999-12-31", "2000-01-01"], dtype="datetime64[D]")
    outside = outside_shares(points, dates, sheets, propose_duplicate_symbols(points, sheets), maps, [0.0])
    (known,) = outside.known_on_the_day
    assert known.share is not None
    assert (known.share.numerator, known.share.denominator) == (1.0, 2.0)


def test_d1_without_duplicates_drops_the_repeated_symbols(tmp_path: Path) -> None:
    tables = areas_and_accidents()
    lines = tables["accidents"].splitlines()
    again = ["R" + line for line in lines[4:6]]  # the two farthest but one, drawn twice
    folder = tmp_path / "case"
    folder.mkdir()
    (folder / "case.toml").write_text(f'name = "test"\n{BBOX}crs = "EPSG:32638"\n', encoding="utf-8")
    (folder / "areas.geojson").write_text(tables["areas"], encoding="utf-8")
    head, *rows = [f"{line},{'sheet' if not n else 'J-38'}" for n, line in enumerate([*lines, *again])]
    (folder / "accidents.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    found = assessed(folder)
    with_all, without = found.outside.d1[0], found.outside.d1_without_duplicates[0]
    assert (with_all.numerator, with_all.denominator) == (8.0, 9.0)
    assert (without.numerator, without.denominator) == (6.0, 7.0)


BOSNIA = Path(os.environ.get("SUREFOOT_DATA", Path(__file__).parents[3] / "shared" / "data")) / "bosnia"


@pytest.mark.slow
@pytest.mark.skipif(not BOSNIA.is_dir(), reason="the Bosnian files are not shipped")
def test_d1_of_bosnia_is_what_geopandas_says(tmp_path: Path) -> None:
    names = {path.stem: path for path in BOSNIA.glob("*.geojson")}
    events = next((path for stem, path in names.items() if "incident" in stem), None)
    if events is None or "suspected_areas" not in names:
        pytest.skip(f"no incidents among {sorted(names)}")
    folder = tmp_path / "case"
    folder.mkdir()
    (folder / "case.toml").write_text(
        'name = "bosnia"\nbbox = [15.5, 42.4, 19.8, 45.5]\ncrs = "EPSG:32633"\n', encoding="utf-8"
    )
    shutil.copy(names["suspected_areas"], folder / "areas.geojson")
    shutil.copy(events, folder / "accidents.geojson")
    found = assessed(folder)
    accidents, areas = found.case.accidents, found.case.areas
    located = np.isfinite(accidents.longitude)
    points = shapely.points(accidents.longitude[located], accidents.latitude[located])
    released = np.isin(areas.status.astype(str), ["cleared", "reduced", "cancelled"])
    shapes = geopandas.GeoSeries(areas.geometry[~released], crs="EPSG:4326").to_crs("EPSG:32633")
    at = geopandas.GeoSeries(points, crs="EPSG:4326").to_crs("EPSG:32633")
    nearest = geopandas.sjoin_nearest(
        geopandas.GeoDataFrame(geometry=at), geopandas.GeoDataFrame(geometry=shapes), distance_col="metres"
    )
    metres = nearest.groupby(level=0)["metres"].min()
    for share in found.outside.d1:
        assert share.value == pytest.approx(float((metres > share.buffer_m).mean()), abs=1e-6)


# --- the files -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def written(simulated: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folders = tmp_path_factory.mktemp("one") / "out", tmp_path_factory.mktemp("two") / "out"
    for folder in folders:
        outcome = CliRunner().invoke(app, ["assess", str(simulated), "--out", str(folder), "--seed", "5", "--quiet"])
        assert outcome.exit_code in (0, 1), outcome.output
    return folders


def strict(text: str) -> Any:
    def refuse(word: str) -> None:
        raise AssertionError(word)

    return json.loads(text, parse_constant=refuse)


def test_the_same_seed_gives_the_same_bytes(written: tuple[Path, Path]) -> None:
    one, two = written
    names = {"assessment.json", "assessment.gpkg", "ledger.xlsx", "report.html"}
    assert names <= {path.name for path in one.iterdir()}
    different = [name for name in sorted(names) if (one / name).read_bytes() != (two / name).read_bytes()]
    assert different == []


def test_the_document_is_strict_and_follows_its_schema(written: tuple[Path, Path]) -> None:
    schema = json.loads(files("surefoot").joinpath("data", "assessment.schema.json").read_text(encoding="utf-8"))
    told = strict((written[0] / "assessment.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    errors = [f"{list(e.absolute_path)}: {e.message[:120]}" for e in Draft202012Validator(schema).iter_errors(told)]
    assert errors == []
    assert told["schema"] == "surefoot/assessment-1"
    assert told["seed"] == 5
    assert told["simulated"] is True


def test_the_ledger_balances(written: tuple[Path, Path]) -> None:
    ledger = strict((written[0] / "assessment.json").read_text(encoding="utf-8"))["ledger"]
    for line in (ledger, *ledger["by_type"].values(), *ledger["by_record"]):
        assert line["recorded"] == pytest.approx(sum(line[fate] for fate in LEDGER), abs=1e-9)
        assert all(line[fate] >= -1e-12 for fate in LEDGER)
    assert ledger["recorded"] == pytest.approx(sum(line["recorded"] for line in ledger["by_type"].values()), abs=1e-6)
    assert ledger["recorded"] == pytest.approx(sum(line["recorded"] for line in ledger["by_record"]), abs=1e-6)
    assert ledger["recorded"] == ledger["allocated"] + ledger["unallocated"]


def test_every_number_has_an_interval_or_a_reason(written: tuple[Path, Path]) -> None:
    told = strict((written[0] / "assessment.json").read_text(encoding="utf-8"))
    shares = [share for name in ("D1", "D2", "D3", "D4") for share in told["outside"][name]]
    for figure in (*told["measures"], *shares):
        if figure["value"] is None:
            assert figure["reason"], figure
        else:
            low, high = figure["interval"]
            assert low <= figure["value"] <= high, figure
            assert math.isfinite(low)
            assert math.isfinite(high)


def test_the_geopackage_has_every_layer_and_its_style(written: tuple[Path, Path]) -> None:
    path = written[0] / "assessment.gpkg"
    layers = {str(name) for name, _ in pyogrio.list_layers(path)}
    promised = {"records", "rows", "items", "finds", "accidents", "areas", "priorities"}
    assert promised <= layers
    styles = pyogrio.read_dataframe(path, layer="layer_styles")
    styled = styles[styles["useAsDefault"].astype(bool)]["f_table_name"].tolist()
    assert promised <= set(styled)
    assert len(styled) == len(set(styled))
    items = pyogrio.read_dataframe(path, layer="items")
    told = strict((written[0] / "assessment.json").read_text(encoding="utf-8"))
    best = items[items["is_best"].astype(bool)]
    assert len(best) == told["ledger"]["recorded"]
    assert (best[[f"p_{fate}" for fate in LEDGER]].sum(axis=1) - 1.0).abs().max() < 1e-9


def test_another_seed_changes_no_count_as_recorded(simulated: Path) -> None:
    one = assess(read_case_folder(simulated), seed=1, reanchoring=False)
    two = assess(read_case_folder(simulated), seed=2, reanchoring=False)
    assert one.ledger.totals() == two.ledger.totals()
    assert [s.value for s in one.outside.d1] == [s.value for s in two.outside.d1]


def test_a_runner_of_its_own_gives_the_same(simulated: Path) -> None:
    read = read_case_folder(simulated)
    plain = assess(read)
    backwards = assess(read, runner=lambda step, records: [step(r) for r in list(records)[::-1]][::-1])
    assert plain.ledger.totals() == backwards.ledger.totals()
    assert [m.value for m in plain.measures] == [m.value for m in backwards.measures]


# --- chance matches --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_unrelated_records_match_only_by_chance() -> None:
    """Small version of benchmarks/calibration.py: 4 regions cannot show 0.02, but they show a gross bias."""
    import sys

    sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
    from calibration import Ground, chance_completeness, null_region

    rng = np.random.default_rng(0)
    differences = []
    for seed in range(4):
        region = null_region(seed)
        shifts = rng.uniform(0.0, 1.0, (20, 2)) * region.size
        ground = Ground(region.searched)
        by_chance = np.mean([chance_completeness(region, ground, shift) for shift in shifts], axis=0)
        differences.append((chance_completeness(region, ground, np.zeros(2)) - by_chance)[1])
    assert abs(float(np.mean(differences))) < 0.06


def test_chances_inside_are_the_share_of_points_that_lie_on_a_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shape by shape gives the same as every point of every device asked against every shape."""
    rng = np.random.default_rng(4)
    mean, sigma = rng.uniform(0, 1000, (60, 2)), rng.uniform(1, 60, (60, 2))
    mean[7] = np.nan
    cov = np.column_stack([sigma[:, 0] ** 2, rng.uniform(-0.9, 0.9, 60) * sigma.prod(axis=1), sigma[:, 1] ** 2])
    shapes = np.array([*(Point(*rng.uniform(0, 1000, 2)).buffer(150) for _ in range(9)), None], dtype=object)
    weights = rng.uniform(0, 1, (10, 2))
    points = np.asarray(shapely.points(spread_points(mean, cov)), dtype=object)
    inside = np.array([shapely.intersects(points, shape) for shape in shapes[:-1]])
    expected = (inside[:, :, None] * weights[:-1, None, :]).max(axis=0).reshape(-1, 60, 2).mean(axis=0)
    monkeypatch.setattr("surefoot.analysis.assess.ground._AT_ONCE", 25)
    np.testing.assert_array_equal(chances_inside(mean, cov, shapes, weights), expected)


@pytest.mark.parametrize("removed", [0, 5, 10, 20])
def test_devices_taken_away_where_no_search_is_on_file_are_gone(tmp_path: Path, removed: int) -> None:
    """Without searched ground the finds still leave less in the ground, never more."""
    form = (
        'record_id: R1\nform_no: "1"\nfamily: formulyar\nlaid: "15.07.1993"\ncrs: "UTM 38 WGS84"\n'
        'points: [{id: "1", position: "E 664773 N 4428430"}, {id: "2", position: "E 664868 N 4428430"}]\n'
        'rows: [{no: "1", from: "1", to: "2", spacing: "5 м", count: "20", mines: {ПМН: "20"}}]\n'
    )
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "r1.yaml").write_text(form, encoding="utf-8")
    (tmp_path / "case.toml").write_text('name = "c"\nbbox = [46.8, 39.9, 47.1, 40.1]\ncrs = "EPSG:32638"\n')
    lines = [f"F{n},{664773 + 5 * n},4428430,EPSG:32638,1.0,AP,destroyed" for n in range(removed)]
    (tmp_path / "finds.csv").write_text("\n".join(["id,easting,northing,crs,sigma_m,category,fate", *lines]) + "\n")
    still = assess(read_case_folder(tmp_path)).ledger.still_in_ground
    assert still is not None
    assert still.median == pytest.approx((20 - removed) * 0.85, abs=2.5)
    assert still.interval[0] <= 20 - removed


FAR_SEARCH = json.dumps({"type": "FeatureCollection", "features": [{
    "type": "Feature", "properties": {"id": "S1", "detection_probability": 0.95, "method": "clearance", "qa": "passed"},
    "geometry": shapely.geometry.mapping(box(46.99, 39.95, 46.991, 39.951)),
}]})  # fmt: skip


@pytest.mark.slow
def test_ground_searched_far_from_every_record_stops_nothing(simulated: Path, tmp_path: Path) -> None:
    shutil.copytree(simulated, tmp_path / "far")
    (tmp_path / "far" / "searched.geojson").write_text(FAR_SEARCH, encoding="utf-8")
    for corrected in (False, True):
        result = assess(read_case_folder(tmp_path / "far"), reanchoring=corrected)
        assert result.ledger.totals()["searched_not_found"] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.slow
def test_the_command_for_one_record_and_the_assessment_say_the_same(simulated: Path) -> None:
    read = read_case_folder(simulated)
    result = assess(read)
    assert result.corrected is not None
    number, placed = max(result.corrected.placements.items(), key=lambda pair: len(pair[1].find))
    outcome = CliRunner().invoke(app, ["reanchor", str(simulated), "--record", placed.record_id, "--json"])
    told = json.loads(outcome.stdout)
    assert [p["weight"] for p in told["placements"]] == [p.weight for p in placed.placements][: len(told["placements"])]
    record = describe(result, version="0").document["records"][number]
    assert sum(p["weight"] for p in record["placements"]) + record["weight_not_listed"] == pytest.approx(1.0)
    assert record["weight_not_listed"] == told["weight_not_listed"]
    left = describe(result, version="0").document["ledger"]["by_record"][number]["still_in_ground"]
    assert left["interval"][0] <= left["median"] <= left["interval"][1]

"""A case folder: everything that can be read is read, the rest is listed with its reason."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import shapely
import xlsxwriter

from surefoot.errors import InputError, RefusedError, UsageError
from surefoot.messages import render
from surefoot.model import Case, MinefieldRecord, SetAside, StatedDate, TableCount, Where
from surefoot.readers.case import read_case
from surefoot.readers.joining import join_records
from surefoot.terms import RecordFamily


@dataclass(frozen=True)
class Forms:
    records: tuple[MinefieldRecord, ...]
    set_aside: tuple[SetAside, ...]
    count: TableCount


def forms_reader(path: Path) -> Forms:
    """A stand-in for the reader of record forms: one record per line, named by it."""
    workbook = path.suffix == ".xlsx"
    names = ["from-workbook"] if workbook else path.read_text(encoding="utf-8").split()
    if "boom" in names:
        raise InputError("SF-R002", path.name, detail="boom")
    records = tuple(
        MinefieldRecord(record_id=name, where=Where(path.name, None, i), family=RecordFamily.OTHER)
        for i, name in enumerate(names, start=1)
    )
    return Forms(records, (), TableCount("records", path.name, len(names), len(names), 0, 0))


def read(folder: Path) -> Case:
    case = read_case(folder, forms_reader=forms_reader)
    for table in case.tables:
        assert table.rows_in == table.accepted + table.accepted_with_doubts + table.set_aside
    assert sum(t.set_aside for t in case.tables) == len(case.set_aside)
    for told in (*case.doubts, *case.set_aside):
        assert render(told.id, told.values, found=told.found).advice
    return case


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


FINDS = "id,longitude,latitude,date\na,46.5,39.5,2020-01-01\nb,46.6,39.6,2021-01-01\n"
SQUARE = "POLYGON ((46.5 39.5, 46.51 39.5, 46.51 39.51, 46.5 39.51, 46.5 39.5))"
FULL = """
name = "Invented valley"
bbox = [46.0, 39.0, 47.0, 40.0]
crs = "EPSG:32638"
as_of = 2024-06-30
cell_m = 25
simulated = true
[columns.finds]
model = "Typ"
[values.finds.fate]
gesprengt = "destroyed"
[series.old]
provenance = "first hand-over"
[outside]
maps = ["records", "areas:suspected"]
buffers_m = [100, 0, 25]
[verified]
include_cleared = true
[policy]
p_star = 0.01
fade_out_m = 50
exposure_ratio = [1, 10]
[policy.lane_rules]
width_m = 1.5
"""


def test_whole_case(tmp_path: Path) -> None:
    put(tmp_path, "case.toml", FULL)
    put(tmp_path, "finds.csv", "id,longitude,latitude,Typ,fate\na,46.5,39.5,S-1,gesprengt\n")
    put(tmp_path, "accidents.csv", "id,longitude,latitude,killed\nx,46.5,39.5,1\ny,,,2\n")
    put(tmp_path, "areas.csv", f'id,status,wkt\nq,SHA,"{SQUARE}"\n')
    put(tmp_path, "searched.csv", f'id,method,detection_probability,wkt\ns,clearance,0.9,"{SQUARE}"\n')
    put(tmp_path, "records/one.yaml", "r1 r2")
    put(tmp_path, "records/two.csv", f'id,count,wkt\nv1,12,"{SQUARE}"\n')
    put(tmp_path, "claims.yaml", "- {id: c, speaker: S, value: 5, confirmed_by: x}\n")
    put(tmp_path, "statements/speech.txt", "more than 55 %")
    put(tmp_path, "truth/finds.csv", "id,longitude,latitude\nnever,46.5,39.5\n")
    (tmp_path / "records" / "scan.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    case = read(tmp_path)
    settings = case.settings
    assert (settings.name, settings.crs, settings.as_of) == (
        "Invented valley", "EPSG:32638", dt.date(2024, 6, 30)
    )  # fmt: skip
    assert (settings.cell_m, settings.simulated, settings.include_cleared) == (25.0, True, True)
    assert settings.region.bounds == (46.0, 39.0, 47.0, 40.0)
    assert settings.region_stated
    assert settings.maps == ("records", "areas:suspected")
    assert settings.buffers_m == (0.0, 25.0, 100.0)
    assert (settings.policy.p_star, settings.policy.fade_out_m) == (0.01, 50.0)
    assert settings.policy.exposure_ratio == (1.0, 10.0)
    assert settings.policy.lane_rules == {"width_m": 1.5}
    assert settings.series["old"]["provenance"] == "first hand-over"
    assert (case.finds.model[0], case.finds.fate[0]) == ("S-1", "destroyed")
    assert (len(case.finds), len(case.accidents), len(case.areas), len(case.searched)) == (1, 2, 1, 1)
    assert sorted(r.record_id for r in case.records) == ["r1", "r2", "v1"]
    assert {r.where.file for r in case.records} == {"records/one.yaml", "records/two.csv"}
    assert next(r for r in case.records if r.record_id == "v1").totals == {"": 12}
    assert [c.id for c in case.claims] == ["c"]
    told = {d.id for d in case.doubts}
    assert {"SF-R165", "SF-R166", "SF-R130"} <= told
    assert not any(i.path.startswith(("truth", "statements")) for i in case.inputs)


def test_inputs_carry_their_checksums(tmp_path: Path) -> None:
    put(tmp_path, "case.toml", "name = 'x'")
    put(tmp_path, "finds.csv", FINDS)
    put(tmp_path, "records/b/form.yaml", "r1")
    case = read(tmp_path)
    assert [i.path for i in case.inputs] == ["case.toml", "finds.csv", "records/b/form.yaml"]
    assert case.inputs[1].sha256 == hashlib.sha256(FINDS.encode()).hexdigest()


def test_case_without_settings_works_and_says_so(tmp_path: Path) -> None:
    put(tmp_path, "finds.csv", FINDS)
    case = read(tmp_path)
    assert case.settings.name == tmp_path.name
    assert case.settings.crs == "EPSG:32638"
    assert not case.settings.region_stated
    assert case.settings.region.bounds == pytest.approx((46.5, 39.5, 46.6, 39.6))
    assert {"SF-R187", "SF-R169"} <= {d.id for d in case.doubts}


def test_region_comes_from_a_file(tmp_path: Path) -> None:
    put(tmp_path, "case.toml", 'region = "valley.geojson"')
    put(tmp_path, "valley.geojson", shapely.to_geojson(shapely.box(46, 39, 47, 40)))
    put(tmp_path, "finds.csv", FINDS + "far,-71.1,42.3,2020-01-01\n")
    case = read(tmp_path)
    assert case.settings.region.bounds == (46.0, 39.0, 47.0, 40.0)
    assert [s.id for s in case.set_aside] == ["SF-R125"]
    assert "valley.geojson" in [i.path for i in case.inputs]


def test_without_a_region_all_tables_tell_what_is_far(tmp_path: Path) -> None:
    put(tmp_path, "finds.csv", FINDS + "c,46.55,39.55,2020-01-01\n")
    put(tmp_path, "accidents.csv", "id,longitude,latitude\nfar,-71.1,42.3\n")
    case = read(tmp_path)
    assert [(s.id, s.where.file) for s in case.set_aside] == [("SF-R126", "accidents.csv")]
    assert len(case.accidents) == 0


def test_several_files_of_one_table_are_joined_with_a_doubt(tmp_path: Path) -> None:
    put(tmp_path, "finds.csv", FINDS)
    feature = {
        "type": "Feature",
        "properties": {"id": "a"},
        "geometry": {"type": "Point", "coordinates": [46.55, 39.55]},
    }
    put(tmp_path, "finds.geojson", json.dumps({"type": "FeatureCollection", "features": [feature]}))
    case = read(tmp_path)
    assert case.finds.id.tolist() == ["a", "b", "a-2"]
    assert {"SF-R117", "SF-R120"} <= {d.id for d in case.doubts}


def test_one_bad_file_does_not_stop_the_rest(tmp_path: Path) -> None:
    put(tmp_path, "finds.csv", FINDS)
    put(tmp_path, "accidents.csv", "")
    put(tmp_path, "areas.geojson", '{"type": "FeatureCollection", "features": [')
    put(tmp_path, "records/bad.yaml", "boom")
    put(tmp_path, "records/good.yaml", "r1")
    (tmp_path / "searched.xlsx").write_bytes(b"PK\x03\x04 no archive at all")
    (tmp_path / "records" / "strange.bin").write_bytes(bytes(range(256)))
    case = read(tmp_path)
    assert {(s.where.file, s.id) for s in case.set_aside} == {
        ("accidents.csv", "SF-R100"),
        ("areas.geojson", "SF-R104"),
        ("records/bad.yaml", "SF-R002"),
        ("searched.xlsx", "SF-R104"),
        ("records/strange.bin", "SF-R105"),
    }
    assert len(case.finds) == 2
    assert [r.record_id for r in case.records] == ["r1"]


def test_record_workbook_goes_to_the_forms_and_a_plain_one_is_a_table(tmp_path: Path) -> None:
    put(tmp_path, "case.toml", "bbox = [46, 39, 47, 40]")
    (tmp_path / "records").mkdir()
    with xlsxwriter.Workbook(tmp_path / "records" / "forms.xlsx") as book:
        book.add_worksheet("record").write_row(0, 0, ["record_id", "form_no"])
    with xlsxwriter.Workbook(tmp_path / "records" / "table.xlsx") as book:
        sheet = book.add_worksheet("list")
        sheet.write_row(0, 0, ["id", "longitude", "latitude", "count"])
        sheet.write_row(1, 0, ["t1", 46.5, 39.5, 4])
    case = read(tmp_path)
    assert sorted(r.record_id for r in case.records) == ["from-workbook", "t1"]


def test_same_record_id_in_two_files_gets_a_number(tmp_path: Path) -> None:
    put(tmp_path, "case.toml", "bbox = [46, 39, 47, 40]")
    put(tmp_path, "records/a.yaml", "17")
    put(tmp_path, "records/b.yaml", "17")
    first, second = read(tmp_path).records
    assert (first.record_id, second.record_id) == ("17", "17-2")
    assert [d.id for d in second.doubts] == ["SF-R120"]


def test_a_form_dated_after_the_day_of_the_assessment_is_doubted() -> None:
    late, early = dt.date(2051, 1, 1), dt.date(1993, 7, 12)
    form = MinefieldRecord("R", Where("r.yaml", None, 1), RecordFamily.OTHER, laid=StatedDate("2051", late, late))
    (told,) = join_records([form], dt.date(2024, 1, 1))
    assert [(d.id, d.where.column, d.found) for d in told.doubts] == [("SF-R145", "laid", "2051")]
    assert render("SF-R145", told.doubts[0].values, found="2051", lang="ru").reason
    assert join_records([form])[0].doubts == ()
    assert join_records([replace(form, laid=StatedDate("1993", early, early))], dt.date(2024, 1, 1))[0].doubts == ()


def test_unknown_keys_are_told(tmp_path: Path) -> None:
    lines = ["bbox = [46, 39, 47, 40]", 'colour = "red"', "[policy]", "q = 1", "[columns.fnds]", 'a = "b"']
    put(tmp_path, "case.toml", "\n".join(lines))
    case = read(tmp_path)
    assert [d.found for d in case.doubts if d.id == "SF-R161"] == ["colour", "policy.q", "columns.fnds"]


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("name = 5", "name"),
        ("bbox = [47, 39, 46, 40]", "bbox"),
        ("bbox = [46, 39, 47]", "bbox"),
        ('bbox = ["a", 1, 2, 3]', "bbox"),
        ('crs = "EPSG:4326"', "crs"),
        ('crs = "EPSG:999999"', "crs"),
        ('crs = "metres"', "crs"),
        ('as_of = "31.02.2020"', "as_of"),
        ("cell_m = 0", "cell_m"),
        ("cell_m = true", "cell_m"),
        ("cell_m = nan", "cell_m"),
        ('simulated = "yes"', "simulated"),
        ("outside = 5", "outside"),
        ('outside = {maps = ["fields"]}', "outside.maps"),
        ("outside = {buffers_m = [-5]}", "outside.buffers_m"),
        ("verified = {include_cleared = 1}", "verified.include_cleared"),
        ("policy = {p_star = 1.5}", "policy.p_star"),
        ("policy = {exposure_ratio = [0]}", "policy.exposure_ratio"),
        ("columns = {finds = 3}", "columns.finds"),
        ("columns = {finds = {model = 3}}", "columns.finds.model"),
    ],
)
def test_wrong_setting_is_named(tmp_path: Path, line: str, key: str) -> None:
    put(tmp_path, "case.toml", line)
    put(tmp_path, "finds.csv", FINDS)
    with pytest.raises(UsageError) as caught:
        read(tmp_path)
    assert (caught.value.id, caught.value.values["key"]) == ("SF-R162", key)
    assert key in render(caught.value.id, caught.value.values, found=caught.value.found).reason


def test_settings_that_are_no_toml(tmp_path: Path) -> None:
    put(tmp_path, "case.toml", "name = unquoted")
    with pytest.raises(UsageError) as caught:
        read(tmp_path)
    assert caught.value.id == "SF-R163"


@pytest.mark.parametrize("name", ["nowhere.geojson", "../outside.geojson", "finds.csv"])
def test_region_that_gives_no_polygon(tmp_path: Path, name: str) -> None:
    put(tmp_path, "case.toml", f'region = "{name}"')
    put(tmp_path, "finds.csv", FINDS)
    with pytest.raises(UsageError) as caught:
        read(tmp_path)
    assert caught.value.id == "SF-R164"


def test_nothing_usable_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as caught:
        read(tmp_path / "absent")
    assert caught.value.id == "SF-R167"
    put(tmp_path, "accidents.csv", "id,killed\nx,1\n")
    with pytest.raises(RefusedError) as caught:
        read(tmp_path)
    assert caught.value.id == "SF-R168"


def test_only_accidents_without_places_are_enough_when_the_region_is_stated(tmp_path: Path) -> None:
    put(tmp_path, "case.toml", "bbox = [46, 39, 47, 40]")
    put(tmp_path, "accidents.csv", "id,killed\nx,1\n")
    assert len(read(tmp_path).accidents) == 1


def test_a_table_that_is_a_link_is_read(tmp_path: Path) -> None:
    """An officer links the national file into a case; the folder is the officer's own."""
    elsewhere = tmp_path / "elsewhere.csv"
    elsewhere.write_text("id,longitude,latitude\na,50.70,39.60\n", encoding="utf-8")
    folder = tmp_path / "case"
    folder.mkdir()
    (folder / "finds.csv").symlink_to(elsewhere)
    assert read(folder).finds.id.tolist() == ["a"]


LEARNED = {
    "schema": "surefoot/learned-1",
    "case": "Earlier",
    "series": {"S1": {"records": 7, "priors": {"map": {"plain_mm_axis": 0.7}}}},
}


def learned_case(
    folder: Path, content: object, toml: str = 'name = "Later"\nlearned = "learned_priors.json"\n'
) -> Case:
    put(folder, "case.toml", toml)
    put(folder, "finds.csv", FINDS)
    put(folder, "learned_priors.json", content if isinstance(content, str) else json.dumps(content))
    return read(folder)


def test_learned_priors_of_an_earlier_case_lie_under_the_case_s_own(tmp_path: Path) -> None:
    own = 'name = "Later"\nlearned = "learned_priors.json"\n[series.S1.map]\nreading_mm_axis = 0.1\n'
    case = learned_case(tmp_path, LEARNED, own)
    assert case.settings.series == {"S1": {"map": {"plain_mm_axis": 0.7, "reading_mm_axis": 0.1}}}
    assert "learned_priors.json" in {file.path for file in case.inputs}
    assert not [d for d in case.doubts if d.id in {"SF-R189", "SF-R194", "SF-R161"}]


def test_priors_learned_from_these_same_finds_are_told(tmp_path: Path) -> None:
    case = learned_case(tmp_path, {**LEARNED, "case": "Later"})
    assert [d.found for d in case.doubts if d.id == "SF-R194"] == ["learned_priors.json"]


@pytest.mark.parametrize(
    "content",
    [
        "{", "[]", '{"schema": "other"}', {**LEARNED, "series": []},
        {**LEARNED, "series": {"S1": {"priors": {"map": {"plain_mm_axis": -1.0}}}}},
        {**LEARNED, "series": {"S1": {"priors": {"map": {"plain_mm_axis": "0.5"}}}}},
        {**LEARNED, "series": {"S1": {"priors": {"strange": {"sd": 1.0}}}}},
    ],
)  # fmt: skip
def test_a_file_of_learned_priors_that_holds_anything_else_stops(tmp_path: Path, content: object) -> None:
    with pytest.raises(UsageError, match="SF-R193") as stopped:
        learned_case(tmp_path, content)
    assert render(stopped.value.id, stopped.value.values, found=stopped.value.found).advice


def test_learned_priors_outside_the_case_are_not_opened(tmp_path: Path) -> None:
    put(tmp_path, "learned.json", json.dumps(LEARNED))
    with pytest.raises(UsageError, match="SF-R193"):
        learned_case(tmp_path / "case", LEARNED, 'learned = "../learned.json"\n')

"""The record form: every value as written, the workbook equal to its YAML twin, no silent loss."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from surefoot.cli import app
from surefoot.errors import InputError
from surefoot.model import MinefieldRecord, Where
from surefoot.readers.forms import documents, read_forms, schema
from surefoot.readers.forms.documents import FormDocument
from surefoot.readers.forms.parse import parse_form
from surefoot.readers.forms.words import parse_count, parse_date, parse_event, parse_family, split_device_list
from surefoot.terms import EventKind, RecordFamily, Severity

D = dt.date


def form(**fields: Any) -> MinefieldRecord:
    return parse_form(FormDocument(Where("f.yaml", row=1), "f", {"form_no": "1", **fields}))


def ids(record: MinefieldRecord) -> set[str]:
    return {doubt.id for doubt in record.doubts}


def write(folder: Path, text: str, name: str = "f.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


# --- words -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("12.07.1993", D(1993, 7, 12), D(1993, 7, 12)),
        ("12.07.93 14:30", D(1993, 7, 12), D(1993, 7, 12)),
        ("1993-07-12", D(1993, 7, 12), D(1993, 7, 12)),
        ("12 июля 1993", D(1993, 7, 12), D(1993, 7, 12)),
        ("12.VII.1993", D(1993, 7, 12), D(1993, 7, 12)),
        ("05/06/1994", D(1994, 6, 5), D(1994, 6, 5)),  # day first, always
        ("07.1993", D(1993, 7, 1), D(1993, 7, 31)),
        ("июль 1993 г.", D(1993, 7, 1), D(1993, 7, 31)),
        ("лето 1993", D(1993, 6, 1), D(1993, 8, 31)),
        ("зима 1994", D(1993, 12, 1), D(1994, 2, 28)),
        ("1993", D(1993, 1, 1), D(1993, 12, 31)),
        ("01.01.30", D(1930, 1, 1), D(1930, 1, 1)),
        ("01.01.29", D(2029, 1, 1), D(2029, 1, 1)),
        ("29.02.1992", D(1992, 2, 29), D(1992, 2, 29)),
    ],
)
def test_dates(text: str, first: dt.date, last: dt.date) -> None:
    stated = parse_date(text)
    assert (stated.first, stated.last) == (first, last)
    assert stated.raw == text


@pytest.mark.parametrize(
    ("text", "id_"),
    [("31.02.1993", "SF-R010"), ("29.02.1993", "SF-R010"), ("12.13.1993", "SF-R010"), ("soon", "SF-R011"),
     ("13.1993", "SF-R011"), ("00.00.1993", "SF-R010")],
)  # fmt: skip
def test_days_that_do_not_exist_are_refused(text: str, id_: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_date(text)
    assert caught.value.id == id_


@given(day=st.dates(D(1930, 1, 1), D(2029, 12, 31)))
def test_every_day_comes_back_from_every_way_to_write_it(day: dt.date) -> None:
    for text in (f"{day:%d.%m.%Y}", f"{day:%d.%m.%y}", day.isoformat(), f"{day.day}/{day.month}/{day.year}"):
        assert parse_date(text).first == parse_date(text).last == day


@pytest.mark.parametrize(
    ("text", "number"),
    [("60", 60), ("60 шт.", 60), ("1 200", 1200), ("1,200", 1200), ("0", 0), ("около 40", 40)],
)
def test_counts(text: str, number: int) -> None:
    assert parse_count(text) == number


@pytest.mark.parametrize(("text", "id_"), [("-5", "SF-R012"), ("many", "SF-R013"), ("2.5", "SF-R013")])
def test_counts_that_are_none(text: str, id_: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_count(text)
    assert caught.value.id == id_


@given(st.integers(0, 999_999))
def test_counts_with_spaced_thousands(number: int) -> None:
    assert parse_count(f"{number:,}".replace(",", " ")) == number


@pytest.mark.parametrize(
    ("text", "kind", "date", "count", "model"),
    [
        ("12.10.94 снято 40 ПМН", EventKind.LIFTED, D(1994, 10, 12), 40, "ПМН"),
        ("снято 12 ПМН-2 12.10.1994", EventKind.LIFTED, D(1994, 10, 12), 12, "ПМН-2"),
        ("1994-10-12 lifted 4 PMN", EventKind.LIFTED, D(1994, 10, 12), 4, "PMN"),
        ("подорвался 1 человек", EventKind.DETONATED, None, 1, ""),
        ("03.05.95 переустановлено 20 мин ТМ-62", EventKind.RELAID, D(1995, 5, 3), 20, "ТМ-62"),
        ("паводком смыто 8 мин", EventKind.LOST, None, 8, ""),
        ("handed over 1996", EventKind.HANDED_OVER, D(1996, 1, 1), None, ""),
        ("a fence was seen", EventKind.UNKNOWN, None, None, ""),
    ],
)
def test_events(text: str, kind: EventKind, date: dt.date | None, count: int | None, model: str) -> None:
    event = parse_event(text)
    assert event.kind is kind
    assert (event.date.first if event.date else None) == date
    assert event.model == model
    if kind is not EventKind.HANDED_OVER:  # a bare year is no number of devices that is ever taken off
        assert event.count == count


@pytest.mark.parametrize(
    "text",
    ["снято в 1994 г.", "разминировано в 1996 году", "lifted in 1994", "cleared 1996", "снято летом 1994"],
)
def test_a_year_is_no_number_of_devices(text: str) -> None:
    """1994 devices taken off the ledger by the date of an event would be the worst kind of error."""
    assert parse_event(text).count is None


@pytest.mark.parametrize("text", ["снято 40 ПМН и 5 ТМ-62", "lifted 40 PMN, 5 TM-62"])
def test_two_models_in_one_event_are_not_cut_to_one_in_silence(text: str) -> None:
    record = form(events=[text])
    assert sum(event.count or 0 for event in record.events) == 45 or record.doubts


@pytest.mark.parametrize(
    ("word", "family"),
    [
        ("formulyar", RecordFamily.FORMULYAR),
        ("Формуляр", RecordFamily.FORMULYAR),
        (" NATO ", RecordFamily.NATO),
        ("DA Form 1355", RecordFamily.NATO),
        ("записник", RecordFamily.ZAPISNIK),
        ("interview", RecordFamily.INTERVIEW),
    ],
)
def test_families(word: str, family: RecordFamily) -> None:
    assert parse_family(word) is family


def test_an_unknown_family_is_other_with_a_doubt() -> None:
    record = form(family="scroll")
    assert record.family is RecordFamily.OTHER
    assert "SF-R014" in ids(record)


def test_device_lists() -> None:
    assert split_device_list("ПМН: 60; ТМ-62: 12") == {"ПМН": "60", "ТМ-62": "12"}
    assert split_device_list("ПМН 60 шт.\nТМ-62 - 12") == {"ПМН": "60", "ТМ-62": "12"}
    assert split_device_list("") == {}


@given(st.dictionaries(st.sampled_from(["ПМН", "ТМ-62", "PMA-2", "ОЗМ-72", "M16"]), st.integers(0, 5000)))
def test_device_lists_come_back(counts: dict[str, int]) -> None:
    text = "; ".join(f"{model}: {number}" for model, number in counts.items())
    assert {m: int(n) for m, n in split_device_list(text).items()} == counts


# --- YAML ------------------------------------------------------------------------------------------------


def test_yaml_values_stay_what_was_written(tmp_path: Path) -> None:
    text = """
form_no: 0017
family: formulyar
unit: no
laid: 12.07.1993
reference_points: [{id: no, description: yes, position: "X=4430293 Y=8664944"}]
legs: [{from: no, to: 1e3, bearing: 1540, distance: 320 м}]
rows: [{no: 1540, from: 1e3, to: 0x10, mines: {NO: 60, off: 1_000}}]
"""
    (record,) = read_forms(write(tmp_path, text)).records
    assert record.form_no == "0017"
    assert record.reference_points[0].id == "no"
    assert record.reference_points[0].description == "yes"
    assert (record.legs[0].origin, record.legs[0].target) == ("no", "1e3")
    assert record.legs[0].bearing is not None
    assert record.legs[0].bearing.value == 1540
    assert (record.rows[0].no, record.rows[0].target) == ("1540", "0x10")
    assert record.rows[0].mines["NO"] == 60
    assert record.laid is not None
    assert record.laid.first == D(1993, 7, 12)


def test_several_forms_in_one_file_have_ids_and_lines(tmp_path: Path) -> None:
    read = read_forms(write(tmp_path, "form_no: 1\n---\nform_no: 2\n---\n---\nrecord_id: own\nform_no: 3\n"))
    assert [r.record_id for r in read.records] == ["f#1", "f#2", "own"]
    assert [r.where.row for r in read.records] == [1, 3, 6]
    assert (read.count.rows_in, read.count.set_aside) == (3, 0)


def test_unknown_fields_are_noted_and_the_rest_is_read() -> None:
    record = form(colour="green", reference_points=[{"id": "A", "height": "12", "position": "X=4430293 Y=8664944"}])
    noted = {d.where.column: d.found for d in record.doubts if d.id == "SF-R017"}
    assert noted == {"colour": "green", "reference_points.0.height": "12"}
    assert record.reference_points[0].position is not None


def test_a_value_of_the_wrong_shape_is_dropped_with_an_error() -> None:
    record = form(rows="60 mines", totals={"ПМН": "60"})
    assert record.rows == ()
    assert record.totals == {"ПМН": 60}
    (doubt,) = [d for d in record.doubts if d.id == "SF-R018"]
    assert doubt.severity is Severity.ERROR
    assert doubt.found == "60 mines"


def test_one_bad_leg_does_not_take_the_others_along() -> None:
    legs: list[Any] = [{"from": "A", "to": "1", "bearing": "40°", "distance": "10 m"}, "???", {"from": "A"}]
    record = form(reference_points=[{"id": "A"}], legs=[*legs, {"to": "2", "bearing": "50°", "distance": "20 m"}])
    assert [leg.target for leg in record.legs] == ["1", "2"]
    assert {"SF-R018", "SF-R022"} <= ids(record)


def test_dates_out_of_order_and_counts_that_disagree_are_said() -> None:
    record = form(laid="12.07.1993", received="01.01.1990", rows=[{"count": "50", "mines": {"ПМН": "60"}}])
    assert {"SF-R015", "SF-R023"} <= ids(record)
    assert record.rows[0].count == 60


def test_total_of_all_types() -> None:
    assert form(totals={"всего": "180"}).totals == {"": 180}
    assert form(totals="ПМН: 60; total: 80").totals == {"ПМН": 60, "": 80}


def test_candidates_share_what_nobody_claimed() -> None:
    point = {"id": "A", "candidates": ["X=4430293 Y=8664944", "X=4430900 Y=8665500"]}
    (read,) = form(reference_points=[point]).reference_points
    assert [c.weight for c in read.candidates] == pytest.approx([0.45, 0.45])
    assert read.unknown_weight == pytest.approx(0.1)
    over = {
        "id": "A",
        "candidates": [{"position": "X=4430293 Y=8664944", "weight": w} for w in ("90%", "0,9")],
    }
    assert [c.weight for c in form(reference_points=[over]).reference_points[0].candidates] == [0.5, 0.5]


# --- the workbook ----------------------------------------------------------------------------------------

TWIN = """
record_id: R1
form_no: "17"
family: formulyar
series: S
unit: в/ч 12345
compiler: nobody in particular
laid: "12.07.1993"
map: {sheet: J-38-10-Б, scale: "50000", edition: "1978"}
crs: СК-42 зона 8
reference_points:
- {id: A, description: road fork, position: X=4430293 Y=8664944}
- {id: B, candidates: "X=4430293 Y=8665144; X=4430900 Y=8665500"}
legs:
- {from: A, to: "1", bearing: Ам 15-40, distance: 320 м, instrument: компас}
- {from: "1", to: "2", bearing: Ам 20-00, distance: 100 пар шагов}
points: [{id: C1, position: X=4430393 Y=8664944}]
rows:
- {no: "1", from: "1", to: "2", spacing: 4 м, mines: {ПМН: "30", ТМ-62: "6"}, fuze: МУВ}
- {no: "2", from: "2", to: C1, count: "12"}
devices: [{row: "1", index: "3", from: A, bearing: 40°, distance: 12 м, type: ОЗМ-72}]
area: ["1", "2", C1]
front: 300 м
totals: {ПМН: "30", ТМ-62: "10"}
method: вручную
events: [12.10.94 снято 40 ПМН, "a fence was seen"]
sketch:
  image: s.png
  scale_known: "no"
  north_arrow_deg: "12"
  control_points: [{pixel: 10 20, point: A}, {pixel: 110 20, point: B}, {pixel: 60 90, point: X}]
"""
LISTS = ("reference_points", "legs", "points", "rows", "devices")


def write_workbook(path: Path, forms: list[dict[str, Any]]) -> Path:
    sheets: dict[str, list[dict[str, str]]] = {name: [] for name in ("record", *LISTS, "areas", "events", "sketch")}
    for entry in forms:
        key = {"record_id": entry["record_id"]}
        flat = {k: v for k, v in entry.items() if isinstance(v, str)}
        on_map = {f"map_{k}": v for k, v in entry.get("map", {}).items()}
        sheets["record"].append({**flat, **on_map, "totals": device_list(entry["totals"])})
        for name in LISTS:
            sheets[name] += [{**key, **line} for line in entry.get(name, [])]
        sheets["areas"] += [{**key, "point": point} for point in entry.get("area", [])]
        sheets["events"] += [{**key, "text": text} for text in entry.get("events", [])]
        drawn = entry.get("sketch", {})
        head = {k: v for k, v in drawn.items() if isinstance(v, str)}
        sheets["sketch"] += [{**key, **head, **point} for point in drawn.get("control_points", [])]
    with xlsxwriter.Workbook(str(path)) as book:
        for name, lines in sheets.items():
            sheet = book.add_worksheet(name)
            columns = list(dict.fromkeys(["record_id", *(key for line in lines for key in line)]))
            sheet.write_row(0, 0, columns)
            for number, line in enumerate(lines, start=1):
                for at, column in enumerate(columns):
                    value = line.get(column, "")
                    sheet.write_string(number, at, device_list(value) if isinstance(value, dict) else str(value))
    return path


def device_list(counts: dict[str, str]) -> str:
    return "; ".join(f"{model}: {number}" for model, number in counts.items())


def bare(record: MinefieldRecord) -> MinefieldRecord:
    return replace(record, where=Where(""), doubts=())


def test_workbook_and_yaml_say_the_same(tmp_path: Path) -> None:
    second = TWIN.replace("R1", "R2").replace("12.07.1993", "лето 1994").replace("320 м", "410 м")
    (yaml_file := tmp_path / "forms.yaml").write_text(f"{TWIN}---{second}", encoding="utf-8")
    forms = [yaml.load(text, Loader=yaml.BaseLoader) for text in (TWIN, second)]
    from_yaml = read_forms(yaml_file)
    from_book = read_forms(write_workbook(tmp_path / "forms.xlsx", forms))
    assert len(from_yaml.records) == len(from_book.records) == 2
    assert from_book.count.rows_in == 2
    for one, other in zip(from_yaml.records, from_book.records, strict=True):
        assert bare(one) == bare(other)
        assert sorted(d.id for d in one.doubts) == sorted(d.id for d in other.doubts)
    assert [r.where.sheet for r in from_book.records] == ["record", "record"]
    assert [r.where.row for r in from_book.records] == [2, 3]


def test_numbers_and_dates_of_a_workbook_are_what_the_sheet_shows(tmp_path: Path) -> None:
    path = tmp_path / "typed.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("record")
        sheet.write_row(0, 0, ["record_id", "form_no", "laid"])
        sheet.write_row(1, 0, ["R1", 17])
        sheet.write_datetime(1, 2, dt.datetime(1993, 7, 12), book.add_format({"num_format": "dd.mm.yyyy"}))
        rows = book.add_worksheet("rows")
        rows.write_row(0, 0, ["record_id", "no", "count"])
        rows.write_row(1, 0, ["R1", 1, 60])
    (record,) = read_forms(path).records
    assert record.form_no == "17"
    assert record.laid is not None
    assert record.laid.first == D(1993, 7, 12)
    assert (record.rows[0].no, record.rows[0].count) == ("1", 60)


# --- the schema, and what never comes out ----------------------------------------------------------------


def test_the_schema_is_one_and_takes_a_whole_form() -> None:
    Draft202012Validator.check_schema(schema())
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    loaded = yaml.load(TWIN, Loader=yaml.BaseLoader)
    assert not list(Draft202012Validator(schema()).iter_errors(loaded))
    assert list(Draft202012Validator(schema()).iter_errors({"rows": "no list"}))


def test_unit_and_compiler_never_come_out(tmp_path: Path) -> None:
    case = tmp_path / "case"
    (case / "records").mkdir(parents=True)
    (case / "case.toml").write_text("name = 'x'\nbbox = [46.5, 39.5, 47.5, 40.5]\n", encoding="utf-8")
    write(case / "records", TWIN)
    outcome = CliRunner().invoke(app, ["read", str(case / "records" / "f.yaml"), "--json"])
    assert json.loads(outcome.stdout)["records"]
    assert CliRunner().invoke(app, ["assess", str(case), "--out", str(tmp_path / "out")]).exit_code in (0, 1)
    published = outcome.stdout.encode() + b"".join(p.read_bytes() for p in (tmp_path / "out").iterdir())
    for name in ("12345", "nobody in particular"):
        assert name.encode() not in published
    (record,) = read_forms(case / "records" / "f.yaml").records
    assert record.unit
    assert record.compiler
    assert record.unit.encode() not in published


def test_the_same_hand_is_recognised_again() -> None:
    assert form(compiler="Nobody  Particular").compiler == form(compiler="nobody particular").compiler
    assert form(compiler="nobody particular").compiler != form(compiler="somebody").compiler


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from([*schema()["properties"], "colour"]),
        st.recursive(
            st.text(max_size=12),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["id", "position", "from", "to", "mines", "pixel", "x"]),
                    inner,
                    max_size=3,
                )
            ),
            max_leaves=6,
        ),
        min_size=1,
        max_size=5,
    )
)
def test_any_form_is_read_or_refused_with_a_reason(fields: dict[str, Any]) -> None:
    document = FormDocument(Where("f.yaml"), "f", fields)
    if set(fields) & set(schema()["properties"]):
        assert parse_form(document).record_id
    else:
        with pytest.raises(InputError, match="SF-R006"):
            parse_form(document)


@pytest.mark.parametrize(
    "text",
    [
        "a: 0x1F\nb: [yes, null, ~, 1_000, 12:30:00, 2001-01-01, !!int 7]\nc: {? {x: 1} : 2}",
        "a: 0x1F\nb: [yes, null, ~, 1_000, 12:30:00, 2001-01-01, !!int 7, 'it''s', \"\\u0416\"]\nc: !own {x: }\n",
        "a: &a [1, 2]\nb: *a\nc: {<<: &m {x: 1}, y: *m}\n--- \n- one\n- {two: |\n    2\n  }\n",
        "a: 1\na: 2\n",
        "a: &a [*a]\n",
        "a: *unknown\n",
        "a: &s text\nb: *s\n*s : c\n",
        "--- !!python/object/apply:os.system [ls]\n",
    ],
)
def test_yaml_is_read_as_the_plain_loader_of_strings_reads_it(text: str) -> None:
    """Values, line numbers and refusals (unhashable keys, lists that hold themselves) are the loader's own."""

    def read(loader: Any) -> Any:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(documents, "_Strings", loader)
            try:
                return documents._documents_with_lines(text)
            except yaml.YAMLError as error:
                return str(error)

    assert read(documents._Strings) == read(getattr(yaml, "CBaseLoader", yaml.BaseLoader))


def test_an_alias_is_one_object_so_that_a_bomb_of_aliases_stays_small() -> None:
    bomb = "\n".join(["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 30))])
    ((_, fields),) = documents._documents_with_lines(bomb)
    assert fields["a29"][0] is fields["a29"][1] is fields["a28"]

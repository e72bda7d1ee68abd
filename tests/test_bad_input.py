"""Ugly input through the command line: a plain message with id, place and advice, and the rest goes on."""

from __future__ import annotations

import contextlib
import io
import json
import random
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.__main__ import main
from surefoot.readers.forms import read_forms

GOOD = """
form_no: "{no}"
family: formulyar
laid: "07.1993"
crs: СК-42 зона 8
reference_points: [{{id: A, position: "X=4430293 Y=8664944"}}]
legs:
- {{from: A, to: "1", bearing: "Ам 15-40", distance: "320 м"}}
- {{from: A, to: "2", bearing: "Ам 20-00", distance: "300 м"}}
rows: [{{no: "1", from: "1", to: "2", mines: {{ПМН: "20"}}}}]
"""
SERIOUS = 1


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    @property
    def told(self) -> list[dict[str, Any]]:
        """Every doubt and every row set aside, wherever it stands."""
        document = self.document
        found = [*document["set_aside"], *document.get("doubts", [])]
        return found + [doubt for record in document["records"] for doubt in record["doubts"]]

    def one(self, id_: str) -> dict[str, Any]:
        found = [entry for entry in self.told if entry["id"] == id_]
        assert found, (id_, [(entry["id"], entry["found"]) for entry in self.told])
        return found[0]


def run(*arguments: object) -> Outcome:
    """Run the program as its user does, without a new process."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    argv = ["surefoot", *(str(a) for a in arguments)]
    with mock.patch.object(sys, "argv", argv), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
    assert "Traceback" not in err.getvalue() + out.getvalue()
    return Outcome(code, out.getvalue(), err.getvalue())


def read(*paths: object) -> Outcome:
    outcome = run("read", *paths, "--json")
    for table in outcome.document["tables"]:
        assert table["rows_in"] == table["accepted"] + table["accepted_with_doubts"] + table["set_aside"]
    return outcome


def assert_plain(entry: dict[str, Any]) -> None:
    """The message says where, what was found or what is the matter, and what to do."""
    assert entry["where"]["file"]
    assert len(entry["advice"]) > 10
    assert "{" not in entry["advice"] + entry.get("reason", "")


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def form(folder: Path, text: str = "", *, name: str = "bad.yaml", no: str = "1") -> Path:
    return write(folder / name, GOOD.format(no=no) + text)


# --- files that cannot be read ---------------------------------------------------------------------------


def empty(folder: Path) -> Path:
    return write(folder / "empty.yaml", "")


def empty_table(folder: Path) -> Path:
    return write(folder / "finds.csv", "")


def wrong_ending(folder: Path) -> Path:
    return write(folder / "notes.txt", "The field lies behind the mill.")


def a_picture(folder: Path) -> Path:
    (folder / "scan.yaml").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(2000))
    return folder / "scan.yaml"


def damaged_workbook(folder: Path) -> Path:
    path = folder / "records.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet("record").write_row(0, 0, ["record_id", "form_no"])
    path.write_bytes(path.read_bytes()[:900])
    return path


def workbook_of_noise(folder: Path) -> Path:
    (folder / "records.xlsx").write_bytes(random.Random(0).randbytes(4000))
    return folder / "records.xlsx"


def garbage(folder: Path) -> Path:
    (folder / "garbage.yaml").write_bytes(random.Random(0).randbytes(1_000_000))
    return folder / "garbage.yaml"


def garbage_text(folder: Path) -> Path:
    letters = "abc {}[]:,&*#!|>'\"\n-"
    return write(folder / "garbage.yaml", "".join(random.Random(0).choices(letters, k=1_000_000)))


def garbage_table(folder: Path) -> Path:
    (folder / "finds.csv").write_bytes(random.Random(1).randbytes(1_000_000))
    return folder / "finds.csv"


def plain_words(folder: Path) -> Path:
    return write(folder / "words.yaml", "just a sentence without any field")


def not_a_form(folder: Path) -> Path:
    return write(folder / "other.yaml", "colour: green\nshape: round\n")


def deep_nesting(folder: Path) -> Path:
    return write(folder / "deep.yaml", "form_no: " + "[" * 20_000 + "]" * 20_000)


UNREADABLE = [
    empty, empty_table, wrong_ending, a_picture, damaged_workbook, workbook_of_noise, garbage, garbage_text,
    garbage_table, plain_words, not_a_form, deep_nesting,
]  # fmt: skip


@pytest.mark.parametrize("make", UNREADABLE, ids=lambda make: make.__name__)
def test_a_file_that_cannot_be_read_is_set_aside_and_the_next_one_is_read(make: Any, tmp_path: Path) -> None:
    bad = make(tmp_path)
    alone = read(bad)
    assert alone.code == 3
    entry = alone.document["set_aside"][0]
    assert_plain(entry)
    assert entry["where"]["file"] == bad.name
    both = read(bad, form(tmp_path, name="good.yaml"))
    assert both.code == 1
    assert [r["record_id"] for r in both.document["records"]] == ["good"]
    assert sum(t["set_aside"] for t in both.document["tables"]) == 1


def test_billion_laughs_are_refused_within_the_limits(tmp_path: Path) -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for before, name in zip("abcdefghij", "bcdefghijk", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]")
    outcome = read(write(tmp_path / "bomb.yaml", "\n".join([*lines, "form_no: *k"])))
    assert outcome.code == 3
    assert_plain(outcome.document["set_aside"][0])


def test_a_missing_path_is_refused_in_words(tmp_path: Path) -> None:
    outcome = run("read", tmp_path / "nowhere.yaml")
    assert outcome.code == 3
    assert outcome.out == ""
    assert outcome.err.startswith("SF-R063: ")
    assert "nowhere.yaml" in outcome.err
    assert "Check the path" in outcome.err


@pytest.mark.parametrize("command", [["read"], ["assess"], ["claims", "check"]], ids=" ".join)
def test_an_empty_folder_is_refused_in_words(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "case").mkdir()
    more = ["--out", str(tmp_path / "out")] if command == ["assess"] else []
    outcome = run(*command, tmp_path / "case", *more)
    assert outcome.code == 3
    assert outcome.err.startswith("SF-")
    assert len(outcome.err.splitlines()) == 2


def test_as_a_program_of_its_own(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "surefoot", "read", str(form(tmp_path)), str(empty(tmp_path)), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert len(json.loads(done.stdout)["records"]) == 1
    assert "Traceback" not in done.stderr
    missing = [sys.executable, "-m", "surefoot", "read", str(tmp_path / "nowhere.yaml")]
    refused = subprocess.run(missing, capture_output=True, text=True, timeout=120, check=False)
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "Traceback" not in refused.stderr


# --- values that cannot be ------------------------------------------------------------------------------


def replaced(folder: Path, old: str, new: str) -> Outcome:
    text = GOOD.format(no="1")
    assert old in text
    return read(write(folder / "bad.yaml", text.replace(old, new)))


def items(outcome: Outcome) -> int:
    (one,) = outcome.document["records"]
    return int(one["items"])


@pytest.mark.parametrize("bearing", ["400°", "-20°", "Ам 61-00", "361 deg"])
def test_a_bearing_that_does_not_exist(bearing: str, tmp_path: Path) -> None:
    outcome = replaced(tmp_path, "Ам 15-40", bearing)
    assert outcome.code == SERIOUS
    bad = [e for e in outcome.told if (e["where"]["column"] or "").startswith("legs[1].bearing")]
    assert bad, outcome.told
    assert bad[0]["severity"] == "error"
    assert bearing in bad[0]["found"]
    assert_plain(bad[0])
    assert items(outcome) == 20
    (one,) = outcome.document["records"]
    assert "2" in one["readings"][0]["points"]
    assert "1" not in one["readings"][0]["points"]


def test_a_bearing_that_only_fits_another_unit_is_not_changed_in_silence(tmp_path: Path) -> None:
    """75-00 is no bearing of 6000 units; if it is taken for 75 degrees, that must be said."""
    outcome = replaced(tmp_path, "Ам 15-40", "Ам 75-00")
    assert [e for e in outcome.told if "75-00" in str(e["found"])]


def test_a_day_that_does_not_exist(tmp_path: Path) -> None:
    outcome = replaced(tmp_path, '"07.1993"', '"31.02.1993"')
    assert outcome.code == SERIOUS
    entry = outcome.one("SF-R010")
    assert (entry["found"], entry["where"]["column"]) == ("31.02.1993", "laid")
    assert_plain(entry)
    assert outcome.document["records"][0]["laid"] is None


def test_a_device_nobody_knows_is_kept_as_written(tmp_path: Path) -> None:
    outcome = replaced(tmp_path, "ПМН", "XYZ-99")
    assert outcome.code == 0
    assert outcome.one("SF-R016")["found"] == "XYZ-99"
    assert outcome.document["records"][0]["items_by_type"] == {"XYZ-99": 20}


def test_a_negative_count(tmp_path: Path) -> None:
    outcome = replaced(tmp_path, '"20"', '"-20"')
    assert outcome.code == SERIOUS
    entry = outcome.one("SF-R012")
    assert entry["found"] == "-20"
    assert entry["where"]["column"] == "rows[1].mines"
    assert_plain(entry)


def test_an_area_of_two_points(tmp_path: Path) -> None:
    outcome = read(form(tmp_path, 'area: ["1", "2"]\n'))
    assert outcome.code == SERIOUS
    assert_plain(outcome.one("SF-R020"))
    assert outcome.document["records"][0]["readings"][0]["area_wkt"] is None


def test_a_form_without_any_reference_point(tmp_path: Path) -> None:
    outcome = read(write(tmp_path / "bad.yaml", 'form_no: "1"\nrows: [{no: "1", mines: {ПМН: "20"}}]\n'))
    assert outcome.code == SERIOUS
    assert_plain(outcome.one("SF-R041"))
    assert outcome.document["records"][0]["locatability"] == 0
    assert items(outcome) == 20


def test_a_place_on_another_continent_with_a_box(tmp_path: Path) -> None:
    outcome = run("read", form(tmp_path), "--bbox", "17,43,19,45", "--json")
    assert outcome.code == SERIOUS
    entry = outcome.one("SF-R045")
    assert_plain(entry)
    assert "46.9" in entry["found"]
    assert not any(reading["points"] for reading in outcome.document["records"][0]["readings"])


@pytest.fixture
def case(tmp_path: Path) -> Path:
    folder = tmp_path / "case"
    (folder / "records").mkdir(parents=True)
    write(folder / "case.toml", 'name = "test"\nbbox = [46.8, 39.9, 47.1, 40.1]\n')
    form(folder / "records", name="near.yaml")
    write(folder / "finds.csv", "id,longitude,latitude,sigma_m\nF1,46.934,39.99,2\n")
    return folder


def test_a_place_on_another_continent_in_a_case(case: Path) -> None:
    far = GOOD.format(no="2").replace("X=4430293 Y=8664944", "-33.9000 18.4000").replace("СК-42 зона 8", "WGS84")
    write(case / "records" / "far.yaml", far)
    write(case / "finds.csv", "id,longitude,latitude,sigma_m\nF1,46.934,39.99,2\nF2,18.4,-33.9,2\n")
    outcome = read(case)
    assert outcome.code == SERIOUS
    assert outcome.one("SF-R045")["where"]["file"].endswith("far.yaml")
    told = [e for e in outcome.told if e["where"]["file"] == "finds.csv"]
    assert told, "a find on another continent is not mentioned"
    for entry in told:
        assert_plain(entry)
    done = run("assess", case, "--out", case.parent / "out", "--json")
    assert done.code == SERIOUS
    assert done.document["ledger"]["recorded"] == 40


def test_one_number_on_two_forms_of_other_content(tmp_path: Path) -> None:
    one = form(tmp_path, name="one.yaml", no="7")
    other = write(tmp_path / "other.yaml", GOOD.format(no="7").replace('"20"', '"25"'))
    outcome = read(one, other)
    assert outcome.code == 0
    assert len(outcome.document["records"]) == 2
    entry = outcome.one("SF-R031")
    assert_plain(entry)
    assert entry["found"] == "7"


def test_the_same_form_twice_is_no_contradiction(tmp_path: Path) -> None:
    outcome = read(form(tmp_path, name="one.yaml"), form(tmp_path, name="two.yaml"))
    assert "SF-R031" not in {entry["id"] for entry in outcome.told}


def test_a_list_of_forms_is_read_one_by_one(tmp_path: Path) -> None:
    entries = "\n".join(f"- {{form_no: '{n}', rows: [{{no: '1', mines: {{ПМН: '5'}}}}]}}" for n in range(3))
    outcome = read(write(tmp_path / "list.yaml", f"{entries}\n- just words\n"))
    assert outcome.code == SERIOUS
    assert [r["record_id"] for r in outcome.document["records"]] == ["list#1", "list#2", "list#3"]
    (table,) = outcome.document["tables"]
    assert (table["rows_in"], table["set_aside"]) == (4, 1)


def test_two_forms_of_one_id_are_both_kept_and_told(case: Path) -> None:
    write(case / "records" / "more.yaml", "record_id: near\n" + GOOD.format(no="9").replace('"20"', '"25"'))
    outcome = read(case)
    assert sum(r["items"] for r in outcome.document["records"]) == 45
    assert len({r["record_id"] for r in outcome.document["records"]}) == 2


@pytest.mark.parametrize(
    ("text", "id_"),
    [("name = ", ""), ("bbox = [1, 2]\n", ""), ("bbox = [50, 39, 46, 40]\n", ""), ("region = 'none.geojson'\n", "")],
)
def test_a_broken_case_file_is_a_usage_error_in_words(text: str, id_: str, case: Path) -> None:
    write(case / "case.toml", text)
    outcome = run("assess", case, "--out", case.parent / "out")
    assert outcome.code in (2, 3)
    assert outcome.err.startswith(f"SF-{id_}")
    assert len(outcome.err.splitlines()) == 2
    assert not (case.parent / "out").exists()


@pytest.mark.parametrize("bbox", ["1,2,3", "a,b,c,d", "20,0,10,5", "0,0,0,400", "nan,0,1,1"])
def test_a_box_that_is_none(bbox: str, tmp_path: Path) -> None:
    outcome = run("read", form(tmp_path), "--bbox", bbox)
    assert outcome.code == 2
    assert outcome.err.startswith("SF-C032")


# --- counts in = counts out ------------------------------------------------------------------------------

PIECES = [
    GOOD.format(no="1"),
    GOOD.format(no="2").replace("Ам 15-40", "400°"),
    GOOD.format(no="3").replace('"07.1993"', '"31.02.1993"'),
    GOOD.format(no="4").replace("X=4430293 Y=8664944", "behind the mill"),
    "\njust a sentence\n",
    "\ncolour: green\n",
    "\nform_no: '5'\nrows: nonsense\n",
    "\n- form_no: '6'\n- form_no: '7'\n- 8\n",
]
FORMS_IN = [1, 1, 1, 1, 1, 1, 1, 3]
ACCEPTED = [1, 1, 1, 1, 0, 0, 1, 2]


@settings(max_examples=40)
@given(st.lists(st.integers(0, len(PIECES) - 1), min_size=1, max_size=7))
def test_every_form_that_goes_in_comes_out(chosen: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        read_back = read_forms(write(Path(folder) / "mixed.yaml", "\n---\n".join(PIECES[n] for n in chosen)))
    count = read_back.count
    assert count.rows_in == sum(FORMS_IN[n] for n in chosen)
    assert count.rows_in == count.accepted + count.accepted_with_doubts + count.set_aside
    assert len(read_back.records) == sum(ACCEPTED[n] for n in chosen)
    assert len(read_back.set_aside) == count.set_aside
    assert len({record.record_id for record in read_back.records}) == len(read_back.records)


def test_mixed_forms_through_the_door(tmp_path: Path) -> None:
    outcome = read(write(tmp_path / "mixed.yaml", "\n---\n".join(PIECES)))
    assert outcome.code == SERIOUS
    (table,) = outcome.document["tables"]
    assert table["rows_in"] == sum(FORMS_IN)
    assert len(outcome.document["records"]) == sum(ACCEPTED)
    assert len(outcome.document["set_aside"]) == sum(FORMS_IN) - sum(ACCEPTED)
    for entry in outcome.told:
        assert_plain(entry)

"""Names of points, fields and sheets: nothing is replaced, joined or lost in silence."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from surefoot.model import Where
from surefoot.readers import read
from surefoot.readers.forms import read_forms
from surefoot.readers.forms.documents import FormDocument
from surefoot.readers.forms.parse import parse_form
from surefoot.terms import Severity

HEAD = 'form_no: "1"\nfamily: formulyar\nlaid: "07.1993"\ncrs: СК-42 зона 8\n'
PLACE, AWAY = "X=4430000 Y=8664000", "X=4431000 Y=8664000"


def placed(folder: Path, text: str) -> Any:
    path = folder / "f.yaml"
    path.write_text(HEAD + text, encoding="utf-8")
    ((record, located),) = read(path).records
    return record, located, {d.id: d for d in (*record.doubts, *located.doubts)}


def test_a_point_stated_twice_keeps_its_first_place(tmp_path: Path) -> None:
    points = f'reference_points: [{{id: A, position: "{PLACE}"}}, {{id: A, position: "{AWAY}"}}]\n'
    leg = 'legs: [{from: A, to: "1", bearing: "дирекционный угол 0°", distance: "100 м"}]\n'
    record, located, told = placed(tmp_path, points + leg)
    assert told["SF-R203"].severity is Severity.WARNING
    assert dict(told["SF-R203"].values) == {"first": PLACE, "second": AWAY}
    assert [p.position.raw for p in record.reference_points] == [PLACE]
    _, once, _ = placed(tmp_path, points.replace(f', {{id: A, position: "{AWAY}"}}', "") + leg)
    assert located.readings[0].lonlat_points() == once.readings[0].lonlat_points()


def test_the_same_place_twice_is_a_note(tmp_path: Path) -> None:
    points = f'reference_points: [{{id: A, position: "{PLACE}"}}]\npoints: [{{id: A, position: "{PLACE}"}}]\n'
    _, _, told = placed(tmp_path, points)
    assert told["SF-R203"].severity is Severity.INFO


def test_a_landmark_described_here_and_placed_there_is_one_point(tmp_path: Path) -> None:
    points = f'reference_points: [{{id: A, description: bridge}}]\npoints: [{{id: A, position: "{PLACE}"}}]\n'
    _, located, told = placed(tmp_path, points)
    assert "SF-R203" not in told
    assert set(located.readings[0].points) == {"A"}


def test_letters_that_look_alike_name_one_point(tmp_path: Path) -> None:
    points = f'reference_points: [{{id: "A", position: "{PLACE}"}}]\n'  # Latin
    leg = 'legs: [{from: "А", to: "В", bearing: "дир. угол 90°", distance: "100 м"}]\n'  # Cyrillic
    record, located, told = placed(tmp_path, points + leg + 'rows: [{no: 1, from: "A", to: "B", mines: {ПМН: 10}}]\n')
    assert told["SF-R204"].severity is Severity.INFO
    assert (record.legs[0].origin, record.rows[0].target) == ("A", "В")
    assert set(located.readings[0].points) == {"A", "В"}
    assert (located.readings[0].items.slot == "exact").all()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("form_no: '2'\n", "form_no"),
        ("rows: [{no: 1, mines: {ПМН: 20, ПМН: 30}}]\n", "ПМН"),
        ("rows: []\nrows: []\n", "rows"),
    ],
)
def test_a_field_stated_twice_is_told(tmp_path: Path, text: str, key: str) -> None:
    _, _, told = placed(tmp_path, text)
    assert (told["SF-R205"].found, told["SF-R205"].severity) == (key, Severity.WARNING)


def test_a_field_stated_twice_belongs_to_its_form(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text("- {form_no: '1'}\n- {form_no: '2', unit: a, unit: b}\n---\nform_no: '3'\n", encoding="utf-8")
    records = read_forms(path).records
    assert ["SF-R205" in {d.id for d in record.doubts} for record in records] == [False, True, False]


@pytest.mark.parametrize("shift", [0.0, 0.4])
def test_an_area_on_one_line_has_no_surface(tmp_path: Path, shift: float) -> None:
    at = [(0, 0.0), (100, shift), (200, 0.0)]
    points = ", ".join(f'{{id: "{n}", position: "X={4430000 + y} Y={8664000 + x}"}}' for n, (x, y) in enumerate(at))
    _, _, told = placed(tmp_path, f'points: [{points}]\narea: ["0", "1", "2"]\n')
    assert told["SF-R206"].severity is Severity.WARNING
    assert "SF-R032" not in told


def form(**fields: Any) -> dict[str, Any]:
    record = parse_form(FormDocument(Where("f.yaml", row=1), "f", {"form_no": "1", **fields}))
    return {d.id: d for d in record.doubts}


@pytest.mark.parametrize("sheet", ["K-38-145", "J-38-10-Д", "J-38-0", "без листа"])
def test_a_sheet_that_cannot_be_read_is_told(sheet: str) -> None:
    told = form(family="formulyar", map={"sheet": sheet})
    assert (told["SF-R207"].found, told["SF-R207"].severity) == (sheet, Severity.WARNING)


def test_other_map_series_have_names_of_their_own() -> None:
    assert form(family="zapisnik", map={"sheet": "Zenica 3-2"})["SF-R207"].severity is Severity.INFO
    assert form(family="zapisnik", map={"sheet": "K-38-145"})["SF-R207"].severity is Severity.WARNING
    assert "SF-R207" not in form(family="formulyar", map={"sheet": "J-38-10-Б"})
    assert "SF-R207" not in form(family="formulyar", map={"scale": "50000"})


def test_a_closure_is_cut_to_the_worse_whole_ratio(tmp_path: Path) -> None:
    path = Path(__file__).parents[2] / "examples" / "records" / "13-misclosure.yaml"
    ((_, located),) = read(path).records
    (miss,) = located.readings[0].misclosures
    assert math.floor(miss.ratio) == 18 < round(miss.ratio)
    assert next(d for d in located.doubts if d.id == "SF-R051").found == "14.2 m = 1:18"

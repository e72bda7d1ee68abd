"""One meaning in many spellings, through the door: the place, the counts and the doubts must not depend on them."""

from __future__ import annotations

import datetime as dt
import json
import math
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from surefoot.positions.bearings import parse_bearing, to_degrees
from surefoot.positions.coordinates import parse_coordinate, parse_local
from surefoot.positions.distances import parse_distance, to_metres
from surefoot.readers import read
from surefoot.readers.forms.words import parse_date, parse_events, parse_family, split_device_list
from surefoot.terms import EventKind, North, RecordFamily, Severity

LANDMARK = (39.989996, 46.929995)


def form(folder: Path, **fields: Any) -> Any:
    """Read one form; the landmark of the design note unless other reference points are given."""
    landmark = {"id": "A", "position": "X=4430293 Y=8664944"}
    whole = {"family": "formulyar", "laid": "07.1993", "reference_points": [landmark], **fields}
    path = folder / "form.yaml"
    path.write_text(json.dumps(whole, ensure_ascii=False), encoding="utf-8")
    ((record, located),) = read(path).records
    return record, located


def off_m(located: Any, name: str, place: tuple[float, float] = LANDMARK) -> float:
    """Metres between a point of the heaviest reading and a place (latitude, longitude)."""
    longitude, latitude = located.readings[0].lonlat_points()[name]
    east = (longitude - place[1]) * 111_320 * math.cos(math.radians(place[0]))
    return math.hypot((latitude - place[0]) * 111_000, east)


def doubts(record: Any, located: Any) -> dict[str, Severity]:
    return {d.id: d.severity for d in (*record.doubts, *located.doubts)}


@pytest.mark.parametrize(
    "text",
    [
        "15 - 40", "маг. аз. 15-40", "Маг.аз.15-40",
        "Аз.маг.15-40.", "М.А. 15-40", "MN 92.4°", "մագնիսական ազիմուտ 15-40", "Ам 15-40 (92°24')",
        "обратный Ам 45-40", "back azimuth 272.4° mag", "magnetni azimut 92°24'",
    ],
)  # fmt: skip
def test_magnetic_bearings(text: str) -> None:
    bearing = parse_bearing(text, north_text="magnetic", formulyar=True)
    assert bearing.unit is not None
    assert float(to_degrees(bearing.value, bearing.unit)) == pytest.approx(92.4, abs=1e-6)
    assert bearing.north is North.MAGNETIC


@pytest.mark.parametrize("text", ["дир. угол 95°48'", "Дир. уг. 15-97", "GN 95.8°", "direksion bucaq 95.8°"])
def test_grid_bearings(text: str) -> None:
    assert parse_bearing(text, formulyar=True).north is North.GRID


@pytest.mark.parametrize("text", ["Ам 15-40 (95°24')", "обратный Ам 1540"])
def test_bearings_that_contradict_themselves_are_refused(text: str, tmp_path: Path) -> None:
    record, located = form(tmp_path, legs=[{"from": "A", "to": "1", "bearing": text, "distance": "320 м"}])
    assert Severity.ERROR in doubts(record, located).values()
    assert "1" not in located.readings[0].points


def test_a_back_bearing_and_a_point_for_a_hyphen_are_said(tmp_path: Path) -> None:
    legs = [
        {"from": "A", "to": "1", "bearing": "обратный Ам 45-40", "distance": "320 м"},
        {"from": "A", "to": "2", "bearing": "Ам 15.40", "distance": "320 м"},
    ]
    record, located = form(tmp_path, legs=legs)
    assert {"SF-R034", "SF-R035"} <= doubts(record, located).keys()
    assert off_m(located, "1", (39.989642, 46.933714)) < 0.5


@pytest.mark.parametrize(
    ("text", "metres"),
    [
        ("320 metr", 320), ("320 մետր", 320), ("320 мет.", 320), ("213 cüt addım", 319.5), ("213 пар кроків", 319.5),
        ("427 քայլ", 320.25), ("шагов 427", 320.25), ("пар шагов: 213", 319.5), ("320 (триста двадцать) м", 320),
        ("320 м (по карте)", 320), ("L - 320 м", 320), ("расстояние 320 м", 320), ("через 4 м", 4),
    ],
)  # fmt: skip
def test_distances(text: str, metres: float) -> None:
    assert to_metres(parse_distance(text)) == pytest.approx(metres)


@pytest.mark.parametrize(
    "text",
    [
        "39.59.24 46.55.48", "39d59m24s 46d55m48s", "39°59′24″ пн.ш. 46°55′48″ сх.д.",
        "հյուս. 39°59′24″, արև. 46°55′48″",
    ],
)  # fmt: skip
def test_degrees(text: str) -> None:
    read_back = parse_coordinate(text)
    assert (read_back.latitude, read_back.longitude) == pytest.approx((39.99, 46.93))


@pytest.mark.parametrize("text", ["Х-4430293 У-8664944", "X=4430.293 Y=8664.944", "координаты: х 4430293 у 8664944"])
def test_plane(text: str) -> None:
    read_back = parse_coordinate(text)
    assert (read_back.kind, read_back.northing, read_back.easting) == ("plane", 4430293.0, 8664944.0)


@pytest.mark.parametrize("text", ["квадрат (3064)", "кв. 3064 (5)", "кв. 3064 клетка 5", "քառակուսի 3064"])
def test_squares(text: str) -> None:
    assert parse_coordinate(text).square == "3064"


@pytest.mark.parametrize(
    "text", ["(228.99, 3.42)", "228,99; 3,42", "E 228.99 N 3.42", "X=3.42 Y=228.99", "228.99 3.42"]
)
def test_metres_from_a_point_of_their_own(text: str, tmp_path: Path) -> None:
    read_back = parse_local(text)
    assert (read_back.easting, read_back.northing) == (228.99, 3.42)
    points = [{"id": "A", "position": "0, 0"}, {"id": "B", "position": text}]
    _, located = form(tmp_path, crs="местная", reference_points=points)
    assert set(located.readings[0].points) == {"A", "B"}


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("07.93", "1993-07-01"), ("VII.1993", "1993-07-01"), ("лето 93", "1993-06-01"), ("15 липня 1993", "1993-07-15"),
        ("15 iyul 1993", "1993-07-15"), ("srpanj 1993", "1993-07-01"), ("15 հուլիսի 1993", "1993-07-15"),
        ("«12» июля 1993 года", "1993-07-12"), ("12-го июля 1993", "1993-07-12"), ("121430ZJUL93", "1993-07-12"),
        ("121430Z JUL 93", "1993-07-12"), ("07/25/1993", "1993-07-25"), ("July 12, 1993", "1993-07-12"),
        ("1993 թ. հուլիս", "1993-07-01"), ("јул 1993", "1993-07-01"), ("15. travnja 1993", "1993-04-15"),
    ],
)  # fmt: skip
def test_dates(text: str, first: str) -> None:
    assert parse_date(text).first.isoformat() == first


def test_a_month_written_first_is_told(tmp_path: Path) -> None:
    record, located = form(tmp_path, laid="07/25/1993", events=["07/25/1994 lifted 5 PMN"])
    told = [d for d in record.doubts if d.id == "SF-R208"]
    assert [(d.where.column, d.severity) for d in told] == [
        ("laid", Severity.WARNING),
        ("events[1]", Severity.WARNING),
    ]
    record, located = form(tmp_path, laid="05/06/1993")
    assert "SF-R208" not in doubts(record, located)
    record, located = form(tmp_path, laid="12.25.1993")
    assert doubts(record, located)["SF-R010"] is Severity.ERROR


@pytest.mark.parametrize(
    ("laid", "complete"),
    [
        ("12.07.1993", False), ("12.07.93 14:30", True), ("121430ZJUL93", True), ("12.07.93, 14 час.", True),
        ("12-07-1993", False), ("лето 1993", False), ("12.07.93 в 14.30", True),
    ],
)  # fmt: skip
def test_a_date_without_a_time_of_day_is_half_of_what_is_asked(tmp_path: Path, laid: str, complete: bool) -> None:
    _, located = form(tmp_path, laid=laid)
    assert located.form_completeness["date_and_time"] is complete


def test_the_time_of_day_of_a_workbook_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "forms.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("record")
        sheet.write_row(0, 0, ["record_id", "laid", "compiled"])
        sheet.write_row(1, 0, ["R1"])
        shown = book.add_format({"num_format": "dd.mm.yyyy hh:mm"})
        sheet.write_datetime(1, 1, dt.datetime(1993, 7, 12, 14, 30), shown)
        sheet.write_datetime(1, 2, dt.datetime(1993, 7, 13), shown)
    ((record, located),) = read(path).records
    assert (record.laid.raw, record.compiled.raw) == ("1993-07-12 14:30", "1993-07-13")
    assert located.form_completeness["date_and_time"]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("y=6.508.000 x=4.955.000", (6508000.0, 4955000.0)), ("Y=6.508.000,5 X=4.955.000,5", (6508000.5, 4955000.5)),
        ("38S 664773 4428430", (664773.0, 4428430.0)), ("38 S E 664773 N 4428430", (664773.0, 4428430.0)),
        ("38N 664773 4428430", (664773.0, 4428430.0)),  # the northern half, not the band of the equator
    ],
)  # fmt: skip
def test_plane_with_points_and_utm_with_its_band(text: str, numbers: tuple[float, float]) -> None:
    read_back = parse_coordinate(text)
    assert (read_back.easting, read_back.northing) == numbers


@pytest.mark.parametrize("text", ["38S 664773 4428430", "38N 664773 4428430"])
def test_utm_with_its_band_needs_no_other_words(text: str, tmp_path: Path) -> None:
    _, located = form(tmp_path, reference_points=[{"id": "A", "position": text}])
    _, mgrs = form(tmp_path, reference_points=[{"id": "A", "position": "38S PK 64773 28430"}])
    longitude, latitude = mgrs.readings[0].lonlat_points()["A"]
    assert off_m(located, "A", (latitude, longitude)) < 0.8  # the corner of the cell, not its centre


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("180", {"": "180"}), ("ПМН-180", {"ПМН": "180"}), ("60 ПМН", {"ПМН": "60"}), ("ПМН-2 60", {"ПМН-2": "60"}),
        ("60 ПМН, 12 ТМ-62", {"ПМН": "60", "ТМ-62": "12"}), ("ПМН: 60, ТМ-62: 12", {"ПМН": "60", "ТМ-62": "12"}),
        ("ПМН 60 и ТМ-62 12", {"ПМН": "60", "ТМ-62": "12"}), ("ПМН: 20; ПМН: 30", {"ПМН": "50"}),
        ("ТМ-62", {"ТМ-62": "?"}), ("1,200 PMN", {"PMN": "1,200"}),
    ],
)  # fmt: skip
def test_device_lists(text: str, counts: dict[str, str]) -> None:
    assert split_device_list(text) == counts


def test_a_bare_total_is_the_total(tmp_path: Path) -> None:
    _, located = form(tmp_path, rows=[{"no": "1", "mines": ["ПМН 86"]}, {"no": "2", "mines": "86 ПМН"}], totals="180")
    assert dict(located.unallocated) == {"": 8}


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ("12.10.94 снято ПМН - 40", [(40, "ПМН")]), ("12.10.94 снято: ПМН-40, ТМ-62 - 5", [(40, "ПМН"), (5, "ТМ-62")]),
        ("12.10.94 lifted by unit 5, 40 PMN", [(40, "PMN")]), ("12.10.94 знято 40 ПМН", [(40, "ПМН")]),
        ("12.10.94 հանվել է 40 ՊՄՆ", [(40, "ՊՄՆ")]), ("12.10.94 çıxarılıb 40 PMN", [(40, "PMN")]),
    ],
)  # fmt: skip
def test_events(text: str, events: list[tuple[int, str]]) -> None:
    found = parse_events(text)
    assert {event.kind for event in found} == {EventKind.LIFTED}
    assert [(event.count, event.model) for event in found] == events


def test_an_event_on_a_day_that_does_not_exist_keeps_its_count(tmp_path: Path) -> None:
    record, located = form(tmp_path, events="31.02.94 снято 40 ПМН")
    assert [(e.kind, e.count, e.model, e.date) for e in record.events] == [(EventKind.LIFTED, 40, "ПМН", None)]
    assert doubts(record, located)["SF-R010"] is Severity.ERROR


@pytest.mark.parametrize(
    ("text", "family"), [("опрос", RecordFamily.INTERVIEW), ("дистанционное", RecordFamily.REMOTE)]
)
def test_families(text: str, family: RecordFamily) -> None:
    assert parse_family(text) is family


def test_a_zone_that_does_not_exist_stops_one_form_and_not_the_file(tmp_path: Path) -> None:
    points = [{"id": "A", "position": "Y=6508000 X=4955000"}]
    record, located = form(tmp_path, crs="EPSG:31277", reference_points=points)
    assert doubts(record, located)["SF-P050"] is Severity.ERROR
    assert not any(reading.points for reading in located.readings)


@pytest.mark.parametrize("position", ["X=430293 Y=64944", "X=64944 Y=30293", "X=30293 Y=664944"])
def test_shortened_numbers_are_tried_both_ways_on_the_sheet(position: str, tmp_path: Path) -> None:
    points = [{"id": "A", "position": position}]
    record, located = form(tmp_path, map={"sheet": "J-38-10-Б"}, reference_points=points)
    assert off_m(located, "A") < 0.5
    assert ("SF-R046" in doubts(record, located)) == position.startswith("X=64944")


def test_degrees_run_together_and_exchanged_are_mended_by_the_sheet(tmp_path: Path) -> None:
    points = [{"id": "A", "position": "46.5548 39.5924"}]
    record, located = form(tmp_path, map={"sheet": "J-38-10-Б"}, crs="WGS84", reference_points=points)
    assert off_m(located, "A", (39.99, 46.93)) < 0.5
    assert "SF-R046" in doubts(record, located)


def test_a_place_far_off_the_sheet_is_an_error(tmp_path: Path) -> None:
    points = [{"id": "A", "position": "X=4430293 Y=7664944"}]
    record, located = form(tmp_path, map={"sheet": "J-38-10"}, reference_points=points)
    assert doubts(record, located)["SF-R048"] is Severity.ERROR


CORNERS = {"a": "39.99000 46.93000", "b": "39.99300 46.93500", "c": "39.99000 46.93500", "d": "39.99300 46.93000"}


def test_corners_in_a_wrong_order_are_said_and_corners_without_an_area_make_one(tmp_path: Path) -> None:
    points = [{"id": name, "position": place} for name, place in CORNERS.items()]
    fields = {"family": "remote", "crs": "WGS84", "points": points, "reference_points": []}
    record, located = form(tmp_path, **fields)
    assert located.readings[0].area == ("a", "b", "c", "d")
    assert {"SF-R032", "SF-R033"} <= doubts(record, located).keys()
    record, located = form(tmp_path, **fields, area="a, c, b, d")
    assert located.readings[0].area == ("a", "c", "b", "d")
    assert not {"SF-R032", "SF-R033"} & doubts(record, located).keys()


def test_a_place_beside_candidates_takes_what_they_leave(tmp_path: Path) -> None:
    other = [{"position": "X=4430900 Y=8665500", "weight": "30%"}]
    point = {"id": "A", "position": "X=4430293 Y=8664944", "candidates": other}
    _, located = form(tmp_path, reference_points=[point])
    told = {r.hypotheses["point A"]: r.weight for r in located.readings}
    assert told == pytest.approx({"as stated": 0.63, "candidate 1": 0.3, "unknown landmark": 0.07})


def test_workbook_rows_of_no_record_are_set_aside_and_no_row_counts_twice(tmp_path: Path) -> None:
    path = tmp_path / "forms.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        for name, rows in {
            "record": [["record_id", "form_no"], ["R1", 1], ["R1", 2]],
            "rows": [["record_id", "no", "mines"], ["R1", 1, "60 ПМН"], ["R9", 1, "20 ПМН"]],
        }.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    result = read(path)
    assert sum(sum(row.mines.values()) for record, _ in result.records for row in record.rows) == 60
    assert [(aside.where.sheet, aside.found) for aside in result.set_aside] == [("rows", "R9")]
    (table,) = result.tables
    assert table.rows_in == table.accepted + table.accepted_with_doubts + table.set_aside == 3


def test_a_date_in_a_column_of_its_own_belongs_to_the_event(tmp_path: Path) -> None:
    path = tmp_path / "forms.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet("record").write_column(0, 0, ["record_id", "R1"])
        events = book.add_worksheet("events")
        events.write_row(0, 0, ["record_id", "date", "text"])
        events.write_row(1, 0, ["R1", "12.10.94", "снято 40 ПМН"])
    ((record, _),) = read(path).records
    (event,) = record.events
    assert event.date is not None
    assert (event.date.first.isoformat(), event.count) == ("1994-10-12", 40)


def test_rows_that_name_a_record_of_the_same_file_belong_to_it(tmp_path: Path) -> None:
    def feature(name: str, owner: str, count: int, geometry: dict[str, Any]) -> dict[str, Any]:
        told = {"id": name, "record_id": owner, "count": count, "category": "AP"}
        return {"type": "Feature", "properties": told, "geometry": geometry}

    square = [[46.0, 39.0], [46.01, 39.0], [46.01, 39.01], [46.0, 39.01], [46.0, 39.0]]
    lines = [[[46.001, 39.001], [46.002, 39.001]], [[46.001, 39.002], [46.002, 39.002]]]
    features = [feature(f"r{n}", "R1", 30, {"type": "LineString", "coordinates": line}) for n, line in enumerate(lines)]
    features.append(feature("R1", "", 65, {"type": "Polygon", "coordinates": [square]}))
    path = tmp_path / "records.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    ((record, _),) = read(path).records
    assert record.record_id == "R1"
    assert record.totals == {"AP": 65}
    assert record.geometry is not None
    assert record.geometry.geoms[0].geom_type == "Polygon"

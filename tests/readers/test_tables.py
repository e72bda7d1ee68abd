"""Tables of finds, accidents, searched land, areas and records: known answers, laws, ugly input."""

from __future__ import annotations

import datetime as dt
import math
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, box

from surefoot.messages import render
from surefoot.model import Accidents, DevicesFound, HazardousAreas, SearchedAreas
from surefoot.readers.cells_text import NumberKind, read_numbers
from surefoot.readers.columns import TableContext
from surefoot.readers.dates import read_dates
from surefoot.readers.raw import RawTable, text_column
from surefoot.readers.read_tables import TableResult, read_raw, read_table_file
from surefoot.readers.tables import decode, delimiter_of, read_delimited
from surefoot.terms import Severity

REGION = box(46.0, 39.0, 47.5, 41.0)
HERE = TableContext(region=REGION, as_of=dt.date(2024, 1, 1))


def raw(header: str, *rows: str, name: str = "finds.csv") -> RawTable:
    names = header.split("|")
    cells = [row.split("|") for row in rows]
    columns = {n: text_column([row[i] for row in cells]) for i, n in enumerate(names)}
    return RawTable(name, None, columns, np.arange(2, 2 + len(rows), dtype=np.int64))


def read(kind: str, header: str, *rows: str, context: TableContext = HERE) -> TableResult:
    result = read_raw([(raw(header, *rows), kind)], context)[0][0]
    count = result.count
    assert count.rows_in == len(rows) == count.accepted + count.accepted_with_doubts + count.set_aside
    assert result.facts is not None
    assert len(result.facts) == count.accepted + count.accepted_with_doubts
    renders(result)
    return result


def renders(result: TableResult) -> None:
    for told in (*result.doubts, *result.set_aside):
        for lang in ("en", "ru"):
            message = render(told.id, told.values, found=told.found, lang=lang)
            assert message.reason
            assert message.advice


def finds(header: str, *rows: str, context: TableContext = HERE) -> tuple[DevicesFound, TableResult]:
    result = read("finds", header, *rows, context=context)
    assert isinstance(result.facts, DevicesFound)
    return result.facts, result


def ids(told: Sequence[object]) -> list[str]:
    return [t.id for t in told]  # type: ignore[attr-defined]


def serious(result: TableResult) -> list[str]:
    return [d.id for d in result.doubts if d.severity is not Severity.INFO]


# --- positions -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("id|longitude|latitude", "a|46.929995|39.989996"),
        ("id|lon|lat", "a|46,929995|39,989996"),
        ("ид|Долгота|Широта", "a|46.929995|39.989996"),
        ("id|dužina|širina", "a|46.929995|39.989996"),
        ("id|easting|northing|crs", "a|8664944|4430293|EPSG:28408"),
        ("id|easting|northing|crs", "a|8 664 944|4 430 293|СК-42 зона 8"),
        ("id|easting|northing|crs", "a|664944|4430293|СК-42 зона 8"),
        ("id|easting|northing|crs", "a|4430293|8664944|28408"),
        ("id|position|crs", "a|X=4430293 Y=8664944|СК-42 зона 8"),
        ("id|position", "a|39.989996, 46.929995"),
        ("id|x|y", "a|46.929995|39.989996"),
        ("id|longitude|latitude", "a|46°55'47.98\"E|39°59'23.99\"N"),
        ("id|geometry", "a|POINT (46.929995 39.989996)"),
    ],
)
def test_every_way_to_state_a_position_gives_the_same_place(header: str, cells: str) -> None:
    facts, _ = finds(header, cells)
    assert facts.longitude[0] == pytest.approx(46.929995, abs=2e-6)
    assert facts.latitude[0] == pytest.approx(39.989996, abs=2e-6)


def test_mgrs_is_the_middle_of_its_cell_with_the_cell_as_uncertainty() -> None:
    facts, result = finds("id|mgrs", "a|38SPK 6477 2843", "b|38SPK 647 284")
    assert facts.sigma_m[0] != facts.sigma_m[0]
    assert facts.sigma_m[1] == pytest.approx(100 / math.sqrt(12))
    assert "SF-R137" in ids(result.doubts)


def test_yugoslav_grid_and_the_ballpark_operation_that_is_refused() -> None:
    context = TableContext(region=box(16, 43, 20, 46))
    rows = ["a|6508000|4955000|Gauss-Krüger zona 6", "b|6508000|4955000|EPSG:31276"]
    facts, result = finds("id|easting|northing|crs", *rows, context=context)
    assert facts.id.tolist() == ["a"]
    assert facts.longitude[0] == pytest.approx(18.09592, abs=5e-6)
    assert facts.latitude[0] == pytest.approx(44.73943, abs=5e-6)
    assert result.set_aside[0].id.startswith("SF-P")


def test_case_crs_serves_plane_coordinates_that_name_none() -> None:
    context = TableContext(region=REGION, crs="EPSG:28408")
    facts, _ = finds("id|easting|northing", "a|8664944|4430293", context=context)
    assert facts.longitude[0] == pytest.approx(46.929995, abs=2e-6)
    _, refused = finds("id|easting|northing", "a|8664944|4430293")
    assert ids(refused.set_aside) == ["SF-R128"]


@pytest.mark.parametrize(
    "text", ["X=4430293 Y=8664944", "Y=8664944 X=4430293", "4430293 8664944", "X=8664944 Y=4430293"]
)
@pytest.mark.parametrize("crs", [None, "EPSG:32638", "EPSG:28407"])
@pytest.mark.parametrize("region", [REGION, None])
def test_a_zone_prefix_decides_the_system_of_a_position_as_written(text: str, crs: str | None, region: object) -> None:
    context = TableContext(region=region, crs=crs)  # type: ignore[arg-type]
    facts, result = finds("id|position", f"a|{text}", context=context)
    assert facts.longitude[0] == pytest.approx(46.929995, abs=2e-6)
    assert facts.latitude[0] == pytest.approx(39.989996, abs=2e-6)
    assert "SF-R215" in serious(result)
    (doubt,) = [d for d in result.doubts if d.id == "SF-R215"]
    assert "28408" in str(doubt.values["crs"])


def test_the_system_of_the_case_needs_no_guess_where_it_has_the_prefix() -> None:
    context = TableContext(region=REGION, crs="EPSG:28408")
    facts, result = finds("id|position", "a|X=4430293 Y=8664944", "b|X=4430293 Y=664944", context=context)
    assert facts.longitude == pytest.approx([46.929995] * 2, abs=2e-6)
    assert serious(result) == []


def test_the_region_tells_a_yugoslav_zone_from_a_soviet_one() -> None:
    context = TableContext(region=box(16, 43, 20, 46))
    facts, result = finds("id|position", "a|X=4955000 Y=6508000", context=context)
    assert facts.longitude[0] == pytest.approx(18.09592, abs=5e-6)
    assert serious(result) == ["SF-R215"]
    _, open_ = finds("id|position", "a|X=4955000 Y=6508000", context=TableContext())
    assert ids(open_.set_aside) == ["SF-R128"]


@pytest.mark.parametrize("text", ["X=4430293 Y=664944", "664944 4430293", "X=4430293 Y=5664944", "X=30293 Y=64944"])
def test_a_position_that_nothing_places_is_set_aside(text: str) -> None:
    _, result = finds("id|position", f"a|{text}")
    assert result.set_aside[0].id in {"SF-R128", "SF-R123"}


def test_rounding_of_a_whole_column_is_told_and_counted() -> None:
    rows = [f"f{i}|46.{400 + i}|39.{500 + 3 * i}" for i in range(30)]
    facts, result = finds("id|longitude|latitude", *rows)
    assert facts.sigma_m == pytest.approx(111.32 / math.sqrt(12))
    assert serious(result) == ["SF-R137"]


def test_shortened_plane_coordinates_are_not_placed() -> None:
    rows = ["a|64944|30293|СК-42 зона 8", "b|64944|4430293|EPSG:32638", "c|4430293|664944|EPSG:32638"]
    facts, result = finds("id|easting|northing|crs", *rows)
    assert ids(result.set_aside) == ["SF-R190", "SF-R190"]
    assert facts.id.tolist() == ["c"]  # only swapped, which the region mends
    assert serious(result) == ["SF-R127"]


def test_full_coordinates_just_north_of_the_equator_are_placed() -> None:
    context = TableContext(region=box(-78, -1, -74, 2))
    facts, _ = finds("id|easting|northing|crs", "a|300000|55000|EPSG:32618", context=context)
    assert facts.latitude[0] == pytest.approx(0.4974, abs=1e-3)


def test_datum_operation_is_part_of_sigma() -> None:
    facts, result = finds("id|easting|northing|crs|sigma_m", "a|8664944|4430293|EPSG:28408|3")
    assert facts.sigma_m[0] > 4.0
    assert "SF-R136" in ids(result.doubts)


def test_swapped_axes_are_mended_where_the_region_says_so() -> None:
    facts, result = finds("id|longitude|latitude", "a|39.99|46.93", "b|46.9|39.9")
    assert facts.longitude[0] == pytest.approx(46.93)
    assert facts.latitude[0] == pytest.approx(39.99)
    assert serious(result) == ["SF-R127"]


@pytest.mark.parametrize(
    ("cells", "id_"),
    [
        ("a|-71.1|42.3", "SF-R125"),  # another continent
        ("a|46.9|95.2", "SF-R124"),
        ("a||", "SF-R122"),
        ("a|0|0", "SF-R122"),
        ("a|near the bridge|39.9", "SF-R123"),
    ],
)
def test_row_without_a_usable_place_is_set_aside(cells: str, id_: str) -> None:
    _, result = finds("id|longitude|latitude", cells, "b|46.9|39.9")
    assert ids(result.set_aside) == [id_]
    assert result.set_aside[0].where.row == 2
    assert result.set_aside[0].where.file == "finds.csv"


def test_without_a_region_the_median_tells_what_is_far() -> None:
    rows = [f"f{i}|46.{i}|39.9" for i in range(1, 8)] + ["far|-71.1|42.3", "swapped|39.9|46.5"]
    facts, result = finds("id|longitude|latitude", *rows, context=TableContext())
    assert ids(result.set_aside) == ["SF-R126"]
    assert len(facts) == 8


def test_accident_without_a_place_stays_and_counts_as_not_located() -> None:
    result = read("accidents", "id|longitude|latitude|killed", "a|||2", "b|46.9|39.9|0", "c|somewhere|39|1")
    assert isinstance(result.facts, Accidents)
    assert len(result.facts) == 3
    assert np.isnan(result.facts.longitude[[0, 2]]).all()
    assert result.facts.killed.tolist() == [2, 0, 1]
    assert serious(result) == ["SF-R130", "SF-R130"]


# --- cells -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "kind", "values", "guessed"),
    [
        (["2,005"], NumberKind.COUNT, [2005], [True]),
        (["2.005"], NumberKind.COUNT, [2005], [True]),
        (["46,123"], NumberKind.DEGREES, [46.123], [False]),
        (["2,005", "1,5"], NumberKind.PLAIN, [2.005, 1.5], [False, False]),
        (["2,005", "1,234,567"], NumberKind.PLAIN, [2005, 1234567], [False, False]),
        (["4 430 293", "4\u00a0430\u00a0293,5"], NumberKind.METRES, [4430293, 4430293.5], [False, False]),
        (["1.234,5", "1,234.5"], NumberKind.METRES, [1234.5, 1234.5], [False, False]),
        (["−3", "5 м"], NumberKind.METRES, [-3, 5], [False, False]),
        (["46°30'", "46 30' 36\" E", "S 3.5"], NumberKind.DEGREES, [46.5, 46.51, -3.5], [False] * 3),
    ],
)
def test_numbers_as_people_write_them(
    texts: list[str], kind: NumberKind, values: list[float], guessed: list[bool]
) -> None:
    read_ = read_numbers(text_column(texts), kind)
    assert read_.values == pytest.approx(values)
    assert read_.guessed.tolist() == guessed
    assert not read_.bad.any()


@pytest.mark.parametrize("text", ["inf", "1_000", "many", "1e999", "46°75'", "5;6"])
def test_what_is_no_number_is_bad_and_not_zero(text: str) -> None:
    read_ = read_numbers(text_column([text]), NumberKind.DEGREES)
    assert read_.bad[0]
    assert np.isnan(read_.values[0])


@given(st.floats(-1e7, 1e7, allow_nan=False))
def test_plain_number_reads_back_itself(value: float) -> None:
    for text in (repr(value), f"{value:.9f}".replace(".", ",")):
        read_ = read_numbers(text_column([text, "0,5"]), NumberKind.PLAIN)
        assert read_.values[0] == pytest.approx(value, abs=1e-8, rel=1e-12)


@pytest.mark.parametrize(
    ("texts", "days"),
    [
        (["1993-07-12", "12.07.1993", "12.07.93", "12 July 1993", "12 июля 1993 г."], ["1993-07-12"] * 5),
        (["1993-07-12T10:30:00", "12.07.93 14:30", "19930712"], ["1993-07-12"] * 3),
        (["05/06/1993", "25/06/1993"], ["1993-06-05", "1993-06-25"]),
        (["05/06/1993", "06/25/1993"], ["1993-05-06", "1993-06-25"]),
        (["01.01.29", "01.01.30"], ["2029-01-01", "1930-01-01"]),
        (["34162"], ["1993-07-12"]),
        (["31.02.1993", "12.13.1993", "0093-07-12", "soon"], ["NaT"] * 4),
        (["1993", "07.1993", "лето 1993"], ["NaT"] * 3),
    ],
)
def test_dates_as_people_write_them(texts: list[str], days: list[str]) -> None:
    column = text_column(texts)
    assert [str(d) for d in read_dates(column).days(column)] == days


def test_order_of_day_and_month_that_nothing_decides_is_doubted() -> None:
    facts, result = finds("id|longitude|latitude|date", "a|46.9|39.9|05/06/1993")
    assert str(facts.date[0]) == "1993-06-05"
    assert serious(result) == ["SF-R144"]


@given(st.dates(dt.date(1930, 1, 1), dt.date(2029, 12, 31)))
def test_every_day_reads_back_in_every_notation(day: dt.date) -> None:
    texts = [day.isoformat(), f"{day:%d.%m.%Y}", f"{day:%d.%m.%y}", f"{day.day}.{day.month}.{day.year}"]
    column = text_column(texts)
    assert set(read_dates(column).days(column).tolist()) == {day}


def test_impossible_date_is_dropped_and_the_row_kept() -> None:
    facts, result = finds("id|longitude|latitude|date", "a|46.9|39.9|31.02.1993")
    assert np.isnat(facts.date[0])
    doubt = next(d for d in result.doubts if d.id == "SF-R143")
    assert (doubt.severity, doubt.found, doubt.where.column) == (Severity.ERROR, "31.02.1993", "date")


def test_date_after_the_assessment_is_doubted() -> None:
    _, result = finds("id|longitude|latitude|date", "a|46.9|39.9|2031-05-01")
    assert serious(result) == ["SF-R145"]


def test_negative_counts_are_dropped_and_the_row_kept() -> None:
    result = read("accidents", "id|longitude|latitude|killed|injured", "a|46.9|39.9|-2|1,5", "b|46.8|39.9|1|2")
    assert isinstance(result.facts, Accidents)
    assert np.isnan(result.facts.killed[0])
    assert np.isnan(result.facts.injured[0])
    assert serious(result) == ["SF-R141", "SF-R158"]
    assert result.count.accepted_with_doubts == 1


def test_unknown_device_is_kept_as_written_and_unknown_word_is_named() -> None:
    facts, result = finds(
        "id|longitude|latitude|category|model|fate",
        "a|46.9|39.9|Зюзя|Изделие 99|vanished",
        "b|46.8|39.9|противопехотная|ПМН-2|уничтожена",
        "c|46.7|39.9||TMA-3|",
    )
    assert facts.model.tolist() == ["Изделие 99", "ПМН-2", "TMA-3"]
    assert facts.category.tolist() == ["unknown", "AP", "AV"]
    assert facts.fate.tolist() == ["unknown", "destroyed", "unknown"]
    assert [d.found for d in result.doubts if d.id == "SF-R147"] == ["Зюзя", "vanished"]


def test_the_case_translates_its_own_words_and_columns() -> None:
    context = TableContext(
        region=REGION,
        columns={"finds": {"model": "Typ gefunden", "id": "Lfd"}},
        values={"finds": {"fate": {"gesprengt": "destroyed"}, "category": {"S-Mine": "AP"}}},
    )
    facts, result = finds(
        "Lfd|longitude|latitude|Typ gefunden|fate|category|model",
        "7|46.9|39.9|S-35|gesprengt|S-Mine|other column",
        context=context,
    )
    assert (facts.id[0], facts.model[0], facts.fate[0], facts.category[0]) == ("7", "S-35", "destroyed", "AP")
    assert not serious(result)


def test_column_of_the_case_that_is_not_there_is_told() -> None:
    context = TableContext(region=REGION, columns={"finds": {"model": "Typ"}})
    _, result = finds("id|longitude|latitude", "a|46.9|39.9", context=context)
    assert serious(result) == ["SF-R112"]


def test_a_column_called_type_is_what_it_holds() -> None:
    assert finds("id|lon|lat|type", "a|46.9|39.9|AP", "b|46.8|39.9|AT")[0].category.tolist() == ["AP", "AV"]
    assert finds("id|lon|lat|type", "a|46.9|39.9|ПМН", "b|46.8|39.9|X-1")[0].model.tolist() == ["ПМН", "X-1"]


def test_sigma_is_never_zero() -> None:
    facts, result = finds("id|longitude|latitude|sigma_m", "a|46.9|39.9|0", "b|46.8|39.9|-3", "c|46.7|39.9|2.5")
    assert np.isnan(facts.sigma_m[:2]).all()
    assert facts.sigma_m[2] == 2.5
    assert serious(result) == ["SF-R149", "SF-R149"]


def test_missing_id_is_made_once_and_told_once() -> None:
    facts, result = finds("longitude|latitude", "46.9|39.9", "46.8|39.9")
    assert facts.id.tolist() == ["finds-2", "finds-3"]
    assert ids(result.doubts).count("SF-R119") == 1
    assert result.count.accepted == 2


def test_same_id_and_same_row_are_kept_and_doubted() -> None:
    facts, result = finds("id|longitude|latitude", "a|46.9|39.9", "a |46.8|39.9", "a|46.9|39.9", "a-2|46.7|39.9")
    assert len(set(facts.id.tolist())) == 4
    assert facts.id[0] == "a"
    assert facts.id[3] == "a-2"
    assert sorted(serious(result)) == ["SF-R120", "SF-R121"]


# --- searched land, areas, records -----------------------------------------------------------------------

SQUARE = "POLYGON ((46.5 39.5, 46.51 39.5, 46.51 39.51, 46.5 39.51, 46.5 39.5))"


def test_detection_probability_is_a_share_and_never_one() -> None:
    result = read(
        "searched",
        "id|geometry|detection_probability|method|qa",
        *(f"{i}|{SQUARE}|{p}|clearance|passed" for i, p in enumerate(["95 %", "0,9", "1", "0", "1.2", ""])),
    )
    assert isinstance(result.facts, SearchedAreas)
    expected = [0.95, 0.9, 0.999, np.nan, np.nan, np.nan]
    np.testing.assert_allclose(result.facts.detection_probability, expected)
    assert serious(result) == ["SF-R152", "SF-R152", "SF-R154"]


@pytest.mark.parametrize(
    ("wkt", "id_"),
    [
        ("POLYGON ((46.5 39.5, 46.6 39.5, 46.5 39.5))", "SF-R132"),  # two points
        ("POLYGON ((46.5 39.5, 46.6 39.5, 46.7 39.5, 46.5 39.5))", "SF-R132"),  # no area
        ("POLYGON EMPTY", "SF-R131"),
        ("", "SF-R131"),
        ("POLYGON of sorts", "SF-R123"),
        ("POINT (46.5 39.5)", "SF-R134"),
        ("POLYGON ((-71 42, -71.1 42, -71.1 42.1, -71 42))", "SF-R125"),
    ],
)
def test_area_without_ground_is_set_aside(wkt: str, id_: str) -> None:
    result = read("areas", "id|geometry|status", f"a|{wkt}|SHA", f"b|{SQUARE}|CHA")
    assert ids(result.set_aside) == [id_]


BOW = "POLYGON ((46.5 39.5, 46.51 39.51, 46.51 39.5, 46.5 39.51, 46.5 39.5))"
STAR_POINTS = [(46.5 + 0.01 * math.sin(0.8 * math.pi * k), 39.5 + 0.01 * math.cos(0.8 * math.pi * k)) for k in range(6)]
STAR = "POLYGON ((" + ", ".join(f"{x} {y}" for x, y in STAR_POINTS) + "))"


def test_crossing_outline_is_repaired_and_told() -> None:
    result = read("areas", "id|geometry|status", f"a|{BOW}|SHA")
    assert isinstance(result.facts, HazardousAreas)
    assert result.facts.geometry[0].is_valid
    assert result.facts.geometry[0].area == pytest.approx(0.01 * 0.01 / 2)
    assert serious(result) == ["SF-R133"]


def test_repair_keeps_all_of_a_hazard_and_only_the_sure_part_of_a_search() -> None:
    hazard = read("areas", "id|geometry|status", f"a|{STAR}|SHA").facts
    search = read("searched", "id|geometry", f"a|{STAR}").facts
    assert isinstance(hazard, HazardousAreas)
    assert isinstance(search, SearchedAreas)
    middle = Point(46.5, 39.5)
    assert hazard.geometry[0].contains(middle)
    assert not search.geometry[0].contains(middle)
    assert hazard.geometry[0].contains(search.geometry[0].buffer(-1e-9))


def test_open_outline_is_closed_and_told() -> None:
    open_ = SQUARE.replace(", 46.5 39.5))", "))")
    result = read("areas", "id|geometry|status", f"a|{open_}|SHA")
    assert isinstance(result.facts, HazardousAreas)
    assert result.facts.geometry[0].area == pytest.approx(1e-4)
    assert serious(result) == ["SF-R135"]


def test_status_words_and_the_lack_of_one() -> None:
    rows = ["Suspected Minefield", "Cleared Areas", "Lifted Minefields", "odd", ""]
    cells = [f"{i}|{SQUARE.replace('39.5 ', f'39.5{i} ')}|{w}" for i, w in enumerate(rows)]
    result = read("areas", "id|geometry|typeArea", *cells)
    assert isinstance(result.facts, HazardousAreas)
    assert result.facts.status.tolist() == ["suspected", "cleared", "lifted", "suspected", "suspected"]
    assert serious(result) == ["SF-R147", "SF-R157"]


def test_spike_of_a_wrong_corner_is_doubted() -> None:
    spike = "POLYGON ((46.5 39.5, 46.51 39.5, 46.7 39.9, 46.5 39.51, 46.5 39.5))"
    assert serious(read("areas", "id|geometry|status", f"a|{spike}|SHA")) == ["SF-R138"]


def test_records_as_rows_carry_counts_by_type() -> None:
    result = read(
        "records",
        "id|geometry|form_no|laid|counts|count|category",
        f"r1|{SQUARE}|17|12.07.1993|ПМН:60; ТМ-62:12||",
        f"r2|{BOW}|18|1994||40|AP",
        "r3|LINESTRING (46.5 39.5, 46.51 39.5)|19|||7|",
        "r4|POINT (46.5 39.5)|20||ПМН:-3||",
    )
    assert isinstance(result.facts, tuple)
    one, two, three, four = result.facts
    assert one.totals == {"ПМН": 60, "ТМ-62": 12}
    assert one.laid is not None
    assert one.laid.first == dt.date(1993, 7, 12)
    assert two.totals == {"AP": 40}
    assert two.laid is not None
    assert (two.laid.first, two.laid.last) == (dt.date(1994, 1, 1), dt.date(1994, 12, 31))
    assert three.totals == {"": 7}
    assert four.totals == {}
    assert [d.id for d in four.doubts] == ["SF-R012"]
    assert np.isnan(four.geometry_sigma_m)


def test_rows_of_one_record_come_together() -> None:
    result = read_raw(
        [
            (
                raw(
                    "id|record_id|geometry|counts",
                    "1|R7|LINESTRING (46.5 39.5, 46.51 39.5)|ПМН:10",
                    "2|R7|LINESTRING (46.5 39.51, 46.51 39.51)|ПМН:12",
                    "3||POINT (46.6 39.5)|",
                ),
                "records",
            )
        ],
        HERE,
    )[0][0]
    assert isinstance(result.facts, tuple)
    together, alone = result.facts
    assert together.record_id == "R7"
    assert together.totals == {"ПМН": 22}
    assert together.geometry is not None
    assert len(together.geometry.geoms) == 2  # type: ignore[attr-defined]
    assert alone.record_id == "3"


# --- files -----------------------------------------------------------------------------------------------


def test_csv_in_every_dress_reads_the_same(tmp_path: Path) -> None:
    rows = [
        ["id", "longitude", "latitude", "модель"],
        ["a", "46.5", "39.5", "ПМН"],
        ["b", "46.6", "39.6", "ТМ"],
    ]
    dresses = {
        "comma": (",", "utf-8"),
        "bom": (";", "utf-8-sig"),
        "tab": ("\t", "utf-16"),
        "cyrillic": (";", "cp1251"),
    }
    for name, (delimiter, encoding) in dresses.items():
        path = tmp_path / f"{name}.csv"
        path.write_bytes("\r\n".join(delimiter.join(row) for row in rows).encode(encoding))
        table = read_delimited(path, path.name)
        assert table.columns["модель"].tolist() == ["ПМН", "ТМ"], name
        assert table.rows.tolist() == [2, 3]
        assert ids(table.doubts) == (["SF-R109"] if name == "cyrillic" else [])


def test_western_letters_are_not_taken_for_cyrillic() -> None:
    assert decode("id,señal\n1,Peñón café".encode("latin-1")) == ("id,señal\n1,Peñón café", "latin-1")


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [("a;b\n1,5;2,5\n", ";"), ("a,b\n1,2\n", ","), ("a\tb\n1,5\t2,5\n", "\t"), ('a,b\n"1;2;3",4\n', ",")],
)
def test_delimiter_is_the_one_that_cuts_evenly(text: str, delimiter: str) -> None:
    assert delimiter_of(text) == delimiter


def test_row_with_too_many_cells_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "finds.csv"
    path.write_text("id,longitude,latitude\na,46.5,39.5\nb,46,5,39,5\n\nc,46.6,39.6\n", encoding="utf-8")
    (result,) = read_table_file(path)
    assert (result.count.rows_in, result.count.accepted, result.count.set_aside) == (3, 2, 1)
    assert ids(result.set_aside) == ["SF-R118"]
    assert result.set_aside[0].where.row == 3
    assert isinstance(result.facts, DevicesFound)
    assert result.facts.source_row.tolist() == [2, 5]


def test_workbook_takes_the_sheet_of_the_table_and_real_dates(tmp_path: Path) -> None:
    path = tmp_path / "finds.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("notes").write_row(0, 0, ["just", "words"])
        book.get_worksheet_by_name("notes").write_row(1, 0, ["more", "words"])
        sheet = book.add_worksheet("Finds")
        sheet.write_row(0, 0, ["id", "longitude", "latitude", "date", "production_year"])
        sheet.write_row(1, 0, [1, 46.5, 39.5])
        sheet.write_datetime(1, 3, dt.datetime(2021, 5, 4), book.add_format({"num_format": "dd.mm.yyyy"}))
        sheet.write_number(1, 4, 1987)
    (result,) = read_table_file(path)
    assert isinstance(result.facts, DevicesFound)
    assert (result.facts.id[0], str(result.facts.date[0])) == ("1", "2021-05-04")
    assert result.facts.production_year[0] == 1987
    assert "SF-R110" in ids(result.doubts)
    renders(result)


@pytest.mark.parametrize(
    ("name", "content", "id_"),
    [
        ("finds.csv", b"", "SF-R100"),
        ("finds.csv", b"   \n", "SF-R100"),
        ("finds.csv", b"id,longitude,latitude\n", "SF-R108"),
        ("finds.xlsx", b"PK\x03\x04 this is no archive", "SF-R104"),
        ("finds.xls", b"\xd0\xcf\x11\xe0" + bytes(600), "SF-R104"),
        ("finds.geojson", b'{"type": "FeatureCollection", "features": [', "SF-R104"),
        ("finds.gpkg", b"SQLite format 3\0" + bytes(100), "SF-R104"),
        ("finds.csv", b"\x00\x01\x02\x03" * 50, "SF-R105"),
        ("finds.csv", b"%PDF-1.4 a scan", "SF-R105"),
        ("finds.xml", b"<?xml version='1.0'?><other/>", "SF-R105"),
        ("mystery.csv", b"a,b\n1,2\n", "SF-R116"),
    ],
)
def test_file_that_cannot_be_used_is_set_aside_with_a_reason(
    tmp_path: Path, name: str, content: bytes, id_: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    (result,) = read_table_file(path)
    assert result.facts is None
    assert ids(result.set_aside) == [id_]
    assert (result.count.rows_in, result.count.set_aside) == (1, 1)
    renders(result)


def test_workbook_called_csv_is_read_for_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "finds.csv"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["id", "longitude", "latitude"])
        sheet.write_row(1, 0, ["a", 46.5, 39.5])
    (result,) = read_table_file(path)
    assert result.count.accepted == 1
    assert "SF-R106" in ids(result.doubts)


@pytest.mark.parametrize(
    ("name", "header", "kind"),
    [
        ("found_devices.csv", "id,longitude,latitude", "finds"),
        ("export.csv", "id,longitude,latitude,killed,injured", "accidents"),
        ("export.csv", "id,longitude,latitude,fate", "finds"),
    ],
)
def test_kind_is_guessed_and_the_guess_is_told(tmp_path: Path, name: str, header: str, kind: str) -> None:
    path = tmp_path / name
    path.write_text(f"{header}\n1,46.5,39.5{',0' * (header.count(',') - 2)}\n", encoding="utf-8")
    (result,) = read_table_file(path)
    assert result.kind == kind
    assert "SF-R115" in ids(result.doubts)


# --- laws ------------------------------------------------------------------------------------------------

CELL = st.sampled_from(
    [
        "",
        "46.5",
        "39.5",
        "-3",
        "0",
        "1e9",
        "x",
        "2,005",
        "31.02.1993",
        "AP",
        "95 %",
        "1",
        "null",
        "a",
        "46,5",
        "кв. 3064",
    ]
)
HEADERS = [
    "id",
    "longitude",
    "latitude",
    "sigma_m",
    "date",
    "position",
    "killed",
    "category",
    "detection_probability",
    "crs",
]


@settings(max_examples=150)
@given(
    st.sampled_from(["finds", "accidents", "searched", "areas", "records"]),
    st.lists(st.lists(CELL, min_size=len(HEADERS), max_size=len(HEADERS)), max_size=8),
    st.sampled_from([HERE, TableContext()]),
)
def test_no_row_is_ever_lost(kind: str, rows: list[list[str]], context: TableContext) -> None:
    columns = {h: text_column([row[i] for row in rows]) for i, h in enumerate(HEADERS)}
    table = RawTable("t.csv", None, columns, np.arange(2, 2 + len(rows), dtype=np.int64))
    result = read_raw([(table, kind)], context)[0][0]
    count = result.count
    assert count.rows_in == len(rows) == count.accepted + count.accepted_with_doubts + count.set_aside
    assert result.facts is not None
    assert len(result.facts) == count.accepted + count.accepted_with_doubts
    assert len({s.where.row for s in result.set_aside}) == count.set_aside
    renders(result)


@pytest.mark.slow
def test_a_hundred_thousand_finds_in_three_seconds(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lon, lat = rng.uniform(46, 47, 100_000), rng.uniform(39, 40, 100_000)
    lines = [
        f"F{i},{x:.6f},{y:.6f},3,2001-05-{1 + i % 28:02d},AP,ПМН-2"
        for i, (x, y) in enumerate(zip(lon, lat, strict=True))
    ]
    path = tmp_path / "finds.csv"
    path.write_text("id,longitude,latitude,sigma_m,date,category,model\n" + "\n".join(lines), encoding="utf-8")
    started = time.perf_counter()
    (result,) = read_table_file(path, "finds", HERE)
    taken = time.perf_counter() - started
    assert result.count.accepted == 100_000
    assert isinstance(result.facts, DevicesFound)
    np.testing.assert_allclose(result.facts.longitude, lon, atol=6e-7)
    assert taken < 10.0  # 1.3 s on a quiet machine; a busy one must not fail the suite


# --- words of the case and of the world ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fate", "words"),
    [
        ("destroyed", ["destroyed", "demolished", "blown up", "Blown up in place", "BIP", "B.I.P.",
                       "detonated in place", "detonated (in place)", "Detonated by EOD team", "controlled detonation",
                       "destroyed in situ by EOD",
                       "подорвана", "Подорваны", "подорван на месте", "уничтожена", "уничтожены",
                       "Уничтожен подрывом", "уничтожена накладным зарядом", "взорвана",
                       "ликвидировано", "обезврежена подрывом"]),
        ("lifted", ["lifted", "removed", "neutralised", "rendered safe", "снята", "сняты", "Снято", "обезврежена",
                    "обезврежены", "обезврежен", "извлечён", "изъята"]),
        ("detonated", ["detonated", "exploded", "взорвалась", "подорвался", "сработала", "взрыв"]),
        ("left", ["left", "left in place", "not removed", "оставлена", "оставлены на месте", "не снята"]),
        ("unknown", ["found", "найдена", ""]),
    ],
)  # fmt: skip
def test_what_became_of_a_find_is_read_in_every_form(fate: str, words: list[str]) -> None:
    facts, result = finds("id|longitude|latitude|fate", *(f"f{n}|46.9{n:02d}00|39.9|{w}" for n, w in enumerate(words)))
    assert dict(zip(words, facts.fate.tolist(), strict=True)) == dict.fromkeys(words, fate)
    assert serious(result) == []


@pytest.mark.parametrize("word", ["not destroyed", "не уничтожена", "detonated by a vehicle", "given to a museum"])
def test_a_fate_that_is_not_understood_is_doubted(word: str) -> None:
    facts, result = finds("id|longitude|latitude|fate", f"a|46.9|39.9|{word}")
    assert facts.fate.tolist() == ["unknown"]
    assert serious(result) == ["SF-R147"]


@pytest.mark.parametrize("key", ["category", "Kind of mine", "kind_of_mine"])
def test_words_of_the_case_hold_under_either_name_of_the_column(key: str) -> None:
    context = TableContext(
        region=REGION,
        columns={"finds": {"category": "Kind of mine"}},
        values={"finds": {key: {"big": "AV", "small": "AP"}}},
    )
    facts, result = finds(
        "id|longitude|latitude|Kind of mine", "a|46.9|39.9|big", "b|46.91|39.9|small", context=context
    )
    assert facts.category.tolist() == ["AV", "AP"]
    assert serious(result) == []


@pytest.mark.parametrize("key", ["colour", "date", "modell"])
def test_words_for_a_column_that_is_not_read_are_doubted(key: str) -> None:
    context = TableContext(region=REGION, values={"finds": {key: {"red": "AP"}}})
    _, result = finds("id|longitude|latitude|date", "a|46.9|39.9|2020-01-01", context=context)
    assert serious(result) == ["SF-R218"]
    assert "fate" in str(result.doubts[0].values["known"])


@pytest.mark.parametrize(
    ("header", "cell", "sigma", "id_"),
    [
        ("accuracy_m", "5", 5.0, "SF-R216"),
        ("Accuracy (m)", "5 m", 5.0, "SF-R216"),
        ("accuracy", "5", 5.0, "SF-R216"),
        ("Точность, м", "2,5", 2.5, "SF-R216"),
        ("Погрешность GPS, см", "50", 0.5, "SF-R216"),
        ("CE90", "4.292", 2.0, "SF-R217"),
        ("CE90 (m)", "4.292", 2.0, "SF-R217"),
        ("Accuracy (95 %)", "4.895", 2.0, "SF-R217"),
        ("horizontal accuracy CE 95", "4.895", 2.0, "SF-R217"),
        ("точность_95_м", "4.895", 2.0, "SF-R217"),
        ("RMSE_m", "2.828", 2.0, "SF-R217"),
    ],
)
def test_an_accuracy_is_read_as_sigma_and_told(header: str, cell: str, sigma: float, id_: str) -> None:
    facts, result = finds(f"id|longitude|latitude|{header}", f"a|46.9|39.9|{cell}")
    assert facts.sigma_m[0] == pytest.approx(sigma, rel=1e-3)
    assert serious(result) == [id_]


@pytest.mark.parametrize("header", ["accuracy, %", "accuracy class", "Accuracy"])
def test_what_is_no_accuracy_in_metres_is_left_alone(header: str) -> None:
    facts, result = finds(f"id|longitude|latitude|{header}", "a|46.9|39.9|" + ("high" if header == "Accuracy" else "5"))
    assert np.isnan(facts.sigma_m[0])
    assert serious(result) == []


def test_a_stated_sigma_stands_above_an_accuracy() -> None:
    facts, result = finds("id|longitude|latitude|accuracy_m|sigma_m", "a|46.9|39.9|9|2")
    assert facts.sigma_m[0] == pytest.approx(2.0)
    assert serious(result) == []


def test_a_time_is_a_date_only_where_it_holds_days() -> None:
    facts, _ = finds("id|longitude|latitude|time", "a|46.9|39.9|2021-05-12T10:00:00Z", "b|46.91|39.9|")
    assert str(facts.date[0]) == "2021-05-12"
    facts, result = finds("id|longitude|latitude|time", "a|46.9|39.9|14:30")
    assert np.isnat(facts.date[0])
    assert serious(result) == []


# --- what cannot be --------------------------------------------------------------------------------------

AREA = "POLYGON ((46.9 39.9, 46.91 39.9, 46.91 39.91, 46.9 39.9))"


@pytest.mark.parametrize(
    ("kind", "header", "cell", "id_"),
    [
        ("finds", "sigma_m", "0", "SF-R149"),
        ("finds", "sigma_m", "-3", "SF-R149"),
        ("finds", "accuracy_m", "0", "SF-R149"),
        ("finds", "production_year", "2050", "SF-R184"),
        ("finds", "date", "2051-05-12", "SF-R145"),
        ("accidents", "date", "12.05.2051", "SF-R145"),
        ("accidents", "killed", "-1", "SF-R141"),
        ("accidents", "injured", "-1", "SF-R141"),
        ("records", "laid", "2051", "SF-R145"),
        ("records", "received", "2051-01-01", "SF-R145"),
        ("records", "count", "-5", "SF-R141"),
    ],
)
def test_a_value_that_cannot_be_is_never_taken_silently(kind: str, header: str, cell: str, id_: str) -> None:
    result = read(kind, f"id|longitude|latitude|{header}", f"a|46.9|39.9|{cell}")
    assert id_ in serious(result)


@pytest.mark.parametrize("cell", ["unexplained", "Not found", "не обнаружена", "nije pronađeno"])
def test_a_spot_where_no_device_was_is_no_find(cell: str) -> None:
    result = read("finds", "id|longitude|latitude|outcome", f"a|46.9|39.9|{cell}", "b|46.9|39.91|found")
    assert isinstance(result.facts, DevicesFound)
    assert result.facts.id.tolist() == ["b"]
    assert [s.id for s in result.set_aside] == ["SF-R233"]


@pytest.mark.parametrize(
    ("outcome", "fate"),
    [
        ("found", "unknown"),
        ("crater", "detonated"),
        ("evidence of removal", "lifted"),
        ("evidence_of_removal", "lifted"),
    ],
)
def test_what_the_search_of_a_spot_met_is_the_fate_of_a_find(outcome: str, fate: str) -> None:
    result = read("finds", "id|longitude|latitude|outcome", f"a|46.9|39.9|{outcome}")
    assert isinstance(result.facts, DevicesFound)
    assert result.facts.fate.tolist() == [fate]
    assert serious(result) == []


@pytest.mark.parametrize("cell", ["950", "101", "1.2", "0", "-0.5", "150 %", "-5%", "high"])
def test_an_impossible_detection_probability_is_unknown(cell: str) -> None:
    result = read("searched", "id|geometry|detection_probability", f"a|{AREA}|{cell}")
    assert isinstance(result.facts, SearchedAreas)
    assert np.isnan(result.facts.detection_probability[0])
    assert serious(result)[0] in {"SF-R152", "SF-R140"}


@pytest.mark.parametrize("cell", ["0.95 %", "0,95%", "1 %"])
def test_a_detection_probability_of_a_per_cent_or_less_may_be_a_share(cell: str) -> None:
    result = read("searched", "id|geometry|detection_probability", f"a|{AREA}|{cell}")
    assert isinstance(result.facts, SearchedAreas)
    assert np.isnan(result.facts.detection_probability[0])
    assert serious(result) == ["SF-R232"]


@pytest.mark.parametrize(
    "cell", ["95 %", "95%", "95 percent", "95 per cent", "95 процентов", "0.95", "0,95", "95", "95,0"]
)
def test_a_detection_probability_in_per_cent_is_a_share(cell: str) -> None:
    result = read("searched", "id|geometry|detection_probability", f"a|{AREA}|{cell}")
    assert isinstance(result.facts, SearchedAreas)
    assert result.facts.detection_probability[0] == pytest.approx(0.95)
    assert serious(result) == []
    assert ("SF-R153" in {doubt.id for doubt in result.doubts}) == (not cell.startswith("0"))

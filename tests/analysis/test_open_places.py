"""What a form leaves open about the ground: the sheet, the hundred-kilometre square, the zone; points far apart."""

from __future__ import annotations

from typing import Any

import pytest
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from surefoot.analysis.locate import LocateContext, Readings, locate
from surefoot.model import Doubt, Where
from surefoot.readers.forms.documents import FormDocument
from surefoot.readers.forms.parse import parse_form
from surefoot.readers.priors import default_priors


def placed(region: BaseGeometry | None = None, **fields: Any) -> Readings:
    """Locate a Soviet-type form with nothing on it but the fields."""
    form = {"form_no": "1", "family": "formulyar", "laid": "07.1993", **fields}
    record = parse_form(FormDocument(Where("form.yaml", row=1), "form", form))
    return locate(record, context=LocateContext(default_priors(), region))


def doubt(found: Readings, id_: str) -> Doubt | None:
    return next((doubt for doubt in found.doubts if doubt.id == id_), None)


def at(id_: str, position: str) -> dict[str, str]:
    return {"id": id_, "position": position}


# --- a sheet's name that may mean several ----------------------------------------------------------------

LATIN_B = {"sheet": "K-38-141-B"}
ONLY_B, ONLY_V, BOTH = box(46.3, 40.2, 46.4, 40.3), box(46.05, 40.05, 46.2, 40.1), box(46.0, 40.0, 46.5, 40.3)


@pytest.mark.parametrize(
    ("region", "sheets"),
    [
        (ONLY_B, {"K-38-141-Б": 1.0}),
        (ONLY_V, {"K-38-141-В": 1.0}),
        (BOTH, {"K-38-141-Б": 0.5, "K-38-141-В": 0.5}),
        (box(47.0, 40.0, 47.5, 40.3), {"K-38-141-Б": 0.5, "K-38-141-В": 0.5}),
        (None, {"K-38-141-Б": 0.5, "K-38-141-В": 0.5}),
    ],
    ids=["only Б", "only В", "both meet", "none meets", "no region"],
)
def test_the_region_decides_between_sheets_where_only_one_meets_it(
    region: BaseGeometry | None, sheets: dict[str, float]
) -> None:
    found = placed(region, map=LATIN_B)
    assert {r.hypotheses["sheet"]: r.weight for r in found.readings} == sheets
    assert (doubt(found, "SF-R223") is not None) == (len(sheets) == 1)


@pytest.mark.parametrize(
    "position", ["40-15-00 46-20-00", "X=4460000 Y=8613000", "X=60000 Y=13000", "кв. 6013"],
    ids=["degrees", "metres", "shortened", "square"],
)  # fmt: skip
def test_coordinates_on_one_of_the_sheets_decide_before_the_region(position: str) -> None:
    found = placed(ONLY_V, map=LATIN_B, reference_points=[at("A", position)])
    settled = doubt(found, "SF-R223")
    assert settled is not None
    assert settled.values["sheets"] == "K-38-141-Б"
    assert doubt(found, "SF-R048") is None


def test_a_coordinate_on_neither_sheet_decides_nothing() -> None:
    found = placed(map=LATIN_B, reference_points=[at("A", "X=4465000 Y=8588000")])
    assert doubt(found, "SF-R223") is None
    assert doubt(found, "SF-R048") is not None


# --- no zone, no hundred-kilometre square ----------------------------------------------------------------

SHORTENED = [at("A", "X=30293 Y=64944")]
NEAR_47E, WIDE = box(46.5, 39.5, 47.5, 40.5), box(44.5, 39.0, 49.5, 42.0)


@pytest.mark.parametrize("crs", ["СК-42 зона 8", "СК-42", ""])
def test_shortened_digits_without_a_sheet_are_looked_for_in_the_region(crs: str) -> None:
    found = placed(NEAR_47E, crs=crs, reference_points=SHORTENED)
    assert [reading.weight for reading in found.readings] == [1.0]
    assert found.readings[0].lonlat_points()["A"] == pytest.approx((46.929995, 39.989996), abs=1e-5)
    assert doubt(found, "SF-R225") is not None
    assert (doubt(found, "SF-R224") is None) == bool("зона" in crs)


def test_a_square_whose_zone_the_region_gave_is_doubted() -> None:
    found = placed(NEAR_47E, reference_points=[at("A", "кв. 3064")])
    assert found.readings[0].points
    assert doubt(found, "SF-R224") is not None


def test_a_shortened_point_beside_whole_ones_is_not_dropped_in_silence() -> None:
    whole = at("B", "X=4430393 Y=8664844")
    found = placed(crs="СК-42 зона 8", reference_points=[whole, *SHORTENED])
    assert list(found.readings[0].points) == ["B"]
    assert doubt(found, "SF-R061") is not None


def test_a_large_region_keeps_twelve_of_its_places_and_says_what_was_cut() -> None:
    found = placed(WIDE, crs="СК-42", reference_points=SHORTENED)
    listed = doubt(found, "SF-R225")
    assert listed is not None
    assert listed.values["count"] == 21  # in zone 8 up to 48 E, in zone 9 from there
    assert len(found.readings) == 12
    assert sum(reading.weight for reading in found.readings) == pytest.approx(1.0)
    assert 0.0 < found.weight_cut < 1.0


@pytest.mark.parametrize("crs", ["СК-42", ""])
def test_without_a_region_nothing_is_guessed_and_what_is_needed_is_said(crs: str) -> None:
    found = placed(crs=crs, reference_points=SHORTENED)
    assert [reading.points for reading in found.readings] == [{}]
    needed = doubt(found, "SF-R226")
    assert needed is not None
    assert needed.found == "X=30293 Y=64944"


def test_digits_that_fit_no_place_of_the_region_are_an_error() -> None:
    found = placed(box(46.5, 39.5, 46.6, 39.6), crs="СК-42", reference_points=SHORTENED)
    listed = doubt(found, "SF-R225")
    assert listed is not None
    assert (listed.values["count"], str(listed.severity)) == (0, "error")


def test_numbers_that_may_be_utm_are_not_taken_for_a_zone_of_the_region() -> None:
    point = [at("A", "E 664944 N 4430293")]
    assert not placed(NEAR_47E, family="nato", reference_points=point).readings[0].points
    assert placed(NEAR_47E, reference_points=point).readings[0].points


def test_the_yugoslav_zones_are_those_that_meet_the_region() -> None:
    found = placed(box(18.0, 44.5, 18.3, 45.0), family="zapisnik", reference_points=[at("A", "Y=508000 X=4955000")])
    assert found.readings[0].lonlat_points()["A"] == pytest.approx((18.09592, 44.73943), abs=1e-4)


# --- over the edge of a zone -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("position", "sheet", "longitude", "zone"),
    [("X=4427000 Y=760500", "J-39-1", 48.046, 8), ("X=4427000 Y=239500", "J-38-12", 47.951, 9)],
    ids=["east of the line in zone 8", "west of it in zone 9"],
)
@pytest.mark.parametrize("known_by", ["sheet", "region"])
def test_coordinates_kept_in_the_grid_of_the_next_zone(
    position: str, sheet: str, longitude: float, zone: int, known_by: str
) -> None:
    on_sheet = known_by == "sheet"
    region = None if on_sheet else box(longitude - 0.2, 39.8, longitude + 0.2, 40.0)
    fields = {"map": {"sheet": sheet}} if on_sheet else {"crs": "СК-42"}
    found = placed(region, reference_points=[at("A", position)], **fields)
    assert found.readings[0].lonlat_points()["A"][0] == pytest.approx(longitude, abs=1e-3)
    note = doubt(found, "SF-R227")
    assert note is not None
    assert note.values["zone"] == zone
    assert doubt(found, "SF-R048") is None


def test_a_place_inside_its_zone_is_not_read_in_the_next_one() -> None:
    """Shortened digits repeat in the next zone's grid too; the sheet's own grid comes first."""
    found = placed(map={"sheet": "J-38-12"}, reference_points=[at("A", "X=30293 Y=30293")])
    assert {reading.crs for reading in found.readings} == {"EPSG:28408"}


# --- points far apart ------------------------------------------------------------------------------------

HERE = at("A", "X=4430293 Y=8664944")


@pytest.mark.parametrize(
    ("other", "severity", "apart"),
    [
        ("X=4437293 Y=8664944", None, ""),
        ("X=4403293 Y=8664944", "warning", "27.0"),  # 3 and 0 exchanged
        ("X=2430293 Y=8664944", "error", "1999.3"),  # one digit wrong; true length, the grid says 2000
    ],
    ids=["7 km", "two digits exchanged", "a wrong digit"],
)
def test_points_too_far_apart_for_one_record_are_doubted(other: str, severity: str | None, apart: str) -> None:
    found = placed(crs="СК-42 зона 8", reference_points=[HERE, at("B", other), at("C", "X=4430393 Y=8664844")])
    far = doubt(found, "SF-R228")
    if severity is None:
        assert far is None
        return
    assert far is not None
    assert (str(far.severity), far.found) in ((severity, "A - B"), (severity, "B - C"))
    assert float(str(far.values["apart"])) == pytest.approx(float(apart), abs=0.5)


def test_every_point_of_a_reading_is_read_in_the_same_hundred_kilometre_square() -> None:
    points = [*SHORTENED, at("B", "X=30193 Y=64844"), at("C", "X=29193 Y=64844")]
    found = placed(WIDE, crs="СК-42", reference_points=points)
    assert len(found.readings) == 12
    for reading in found.readings:
        places = list(reading.point_positions().values())
        assert max(abs(place - places[0]) for place in places) < 1200.0


def test_a_point_27_km_off_leaves_its_own_square_the_nearest() -> None:
    points = [*SHORTENED, at("B", "X=03293 Y=64844")]
    found = placed(NEAR_47E, crs="СК-42", reference_points=points)
    assert doubt(found, "SF-R228") is not None
    assert found.readings[0].lonlat_points()["B"] == pytest.approx((46.92, 39.747), abs=0.01)


def test_candidates_that_the_form_names_are_kept_however_far_they_lie() -> None:
    candidates = [
        {"position": "X=4430493 Y=8665144", "weight": "0.7"},
        {"position": "X=4460493 Y=8665144", "weight": "0.3"},
    ]
    found = placed(crs="СК-42 зона 8", reference_points=[HERE, {"id": "B", "candidates": candidates}])
    assert sorted(reading.weight for reading in found.readings) == pytest.approx([0.3, 0.7])

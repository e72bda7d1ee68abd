"""Map sheets: names to bounds and back, look-alike letters, places on the sheet lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import PositionError
from surefoot.positions.sheets import SCALES, parse_sheet, sheet_at, sheets_at

longitudes = st.floats(-180, 180)
latitudes = st.floats(0, 87.999)
scales = st.sampled_from(SCALES)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("J-38", ["J-38"]),
        ("J-38-10", ["J-38-10"]),
        ("J-38-10-Б", ["J-38-10-Б"]),
        ("J-38-10-Б-б", ["J-38-10-Б-б"]),
        ("J-38-10-Б-б-1", ["J-38-10-Б-б-1"]),
        ("J3810Б", ["J-38-10-Б"]),
        ("j 38 10 б", ["J-38-10-Б"]),
        ("J–38–10—Б", ["J-38-10-Б"]),
        ("лист J-38-10-Б (название), 1:50 000", ["J-38-10-Б"]),
        ("J-38-010", ["J-38-10"]),
        ("К-38-(141)-Б", ["K-38-141-Б"]),  # a part of the name in brackets is no title
        ("K-38-[141]-Б", ["K-38-141-Б"]),
        ("K-38 (141)", ["K-38-141"]),
        ("J-38-10-(Б)-б", ["J-38-10-Б-б"]),
        ("J-38-10-Б (5)", ["J-38-10-Б"]),
        ("J-38-10 (1978)", ["J-38-10"]),
        ("К-38-141-А", ["K-38-141-А"]),
        ("K-38-141-A", ["K-38-141-А"]),
        ("K-38-141-B", ["K-38-141-Б", "K-38-141-В"]),
        ("K-38-141-V", ["K-38-141-В"]),
        ("K-38-141-G", ["K-38-141-Г"]),
        ("J-38-10-Б-b", ["J-38-10-Б-б", "J-38-10-Б-в"]),
        ("J-38-II", ["J-38-II"]),
        ("J-38-ХII", ["J-38-XII"]),
        ("J-38-XXXVI", ["J-38-XXXVI"]),
        ("J-38-А", ["J-38-А"]),
        ("M-37-V", ["M-37-V", "M-37-В"]),
        ("Н-37-10", ["H-37-10", "N-37-10"]),
        ("J-38-10-А,Б", ["J-38-10-А", "J-38-10-Б"]),
    ],
)
def test_names(text: str, names: list[str]) -> None:
    assert [sheet.name for sheet in parse_sheet(text)] == names


@pytest.mark.parametrize(
    "text",
    ["", "abc", "3064", "J-38-145", "J-38-0", "J-61", "W-38", "J-38-10-Ж", "J-38-XXXVII", "СК-42 зона 8"],
)
def test_no_sheet(text: str) -> None:
    assert parse_sheet(text) == ()


@pytest.mark.parametrize(
    ("text", "west", "south", "east", "north", "scale"),
    [
        ("J-38", 42, 36, 48, 40, 1_000_000),
        ("J-38-А", 42, 38, 45, 40, 500_000),
        ("J-38-I", 42, 40 - 2 / 3, 43, 40, 200_000),
        ("J-38-XXXVI", 47, 36, 48, 36 + 2 / 3, 200_000),
        ("J-38-1", 42, 40 - 1 / 3, 42.5, 40, 100_000),
        ("J-38-144", 47.5, 36, 48, 36 + 1 / 3, 100_000),
        ("J-38-10-Б", 46.75, 40 - 1 / 6, 47, 40, 50_000),
        ("J-38-10-Г", 46.75, 40 - 1 / 3, 47, 40 - 1 / 6, 50_000),
        ("J-38-10-Б-б", 46.875, 40 - 1 / 12, 47, 40, 25_000),
        ("K-1", -180, 40, -174, 44, 1_000_000),
    ],
)
def test_bounds(text: str, west: float, south: float, east: float, north: float, scale: int) -> None:
    (sheet,) = parse_sheet(text)
    assert (sheet.west, sheet.south, sheet.east, sheet.north) == pytest.approx((west, south, east, north))
    assert sheet.scale == scale


@given(lon=longitudes, lat=latitudes, scale=scales)
def test_a_sheet_holds_its_place_and_its_name_leads_back(lon: float, lat: float, scale: int) -> None:
    sheet = sheet_at(lon, lat, scale)
    from_west = (lon - sheet.west + 1e-9) % 360
    assert from_west <= sheet.east - sheet.west + 2e-9
    assert sheet.south - 1e-9 <= lat <= sheet.north + 1e-9
    assert sheet in parse_sheet(sheet.name)
    assert parse_sheet(sheet.name)[0] == sheet


@given(lon=st.floats(0, 179.9), lat=latitudes, scale=scales)
def test_the_middle_of_a_sheet_lies_on_it(lon: float, lat: float, scale: int) -> None:
    sheet = sheet_at(lon, lat, scale)
    middle = ((sheet.west + sheet.east) / 2, (sheet.south + sheet.north) / 2)
    assert sheet_at(*middle, scale) == sheet
    assert sheets_at(*middle, scale) == (sheet,)
    assert sheet.zone == int(middle[0] // 6) + 1


@pytest.mark.parametrize(
    ("lon", "lat", "names"),
    [
        (47.9, 40.0, {"K-38-144", "J-38-12"}),
        (48.0, 39.9, {"J-38-12", "J-39-1"}),
        (48.0, 40.0, {"K-38-144", "K-39-133", "J-38-12", "J-39-1"}),
        (48.0 + 5e-10, 40.0 - 5e-10, {"K-38-144", "K-39-133", "J-38-12", "J-39-1"}),
        (48.0 + 2e-9, 40.0 + 2e-9, {"K-39-133"}),
        (-180.0, 40.5, {"K-1-121", "K-60-132"}),
        (180.0, 40.5, {"K-1-121", "K-60-132"}),
    ],
)
def test_on_the_sheet_lines(lon: float, lat: float, names: set[str]) -> None:
    sheets = sheets_at(lon, lat, 100_000)
    assert {sheet.name for sheet in sheets} == names
    assert sheets[0] == sheet_at(lon, lat, 100_000)


@given(lon=st.integers(-359, 359).map(lambda k: k / 2), lat=st.integers(1, 260).map(lambda k: k / 3))
def test_corners_have_four_sheets(lon: float, lat: float) -> None:
    sheets = sheets_at(lon, lat, 100_000)
    assert len(sheets) == 4
    assert all(abs(lat - s.south) < 1e-8 or abs(lat - s.north) < 1e-8 for s in sheets)


@pytest.mark.parametrize(
    ("lon", "lat", "scale"), [(46, -1, 50_000), (46, 89, 50_000), (46, 40, 63_360), (200, 40, 50_000)]
)
def test_refused(lon: float, lat: float, scale: int) -> None:
    for function in (sheet_at, sheets_at):
        with pytest.raises(PositionError) as caught:
            function(lon, lat, scale)
        assert caught.value.id == "SF-P051"


@given(text=st.text(max_size=15))
def test_any_text_gives_sheets_or_none(text: str) -> None:
    assert all(sheet.north > sheet.south and sheet.east > sheet.west for sheet in parse_sheet(text))

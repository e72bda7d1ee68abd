"""Coordinates as forms write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import InputError
from surefoot.positions.coordinates import parse_coordinate

N, E = 4430293.0, 8664944.0


@pytest.mark.parametrize(
    ("text", "northing", "easting", "labelled"),
    [
        ("X=4430293 Y=8664944", N, E, True),
        ("Х=4430293 У=8664944", N, E, True),
        ("х: 4430293; у: 8664944", N, E, True),
        ("Y=8664944, X=4430293", N, E, True),
        ("X=4430293/Y=8664944", N, E, True),
        ("X=4\u00a0430\u202f293 Y=8\u00a0664\u00a0944", N, E, True),
        ("X=4 430 293 Y=8 664 944", N, E, True),
        ("X=4,430,293 Y=8,664,944", N, E, True),
        ("X=4430293 Y=8664944 H=350", N, E, True),
        ("X=4430293 м, Y=8664944 м", N, E, True),
        ("X=4430.293 км Y=8664.944 км", N, E, True),
        ("X=4430293,5 Y=8664944,5", N + 0.5, E + 0.5, True),
        ("E 664944 N 4430293", N, 664944, True),
        ("N 4430293 E 664944", N, 664944, True),
        ("664944 mE 4430293 mN", N, 664944, True),
        ("Easting 664944 Northing 4430293", N, 664944, True),
        ("664944 4430293", N, 664944, False),
        ("4430293 664944", N, 664944, False),
        ("664944,4430293", N, 664944, False),
        ("8664944 4430293", N, E, False),
        ("4430293 / 8664944", N, E, False),
        ("4 430 293 8 664 944", N, E, False),
        ("(8664944, 4430293)", N, E, False),
        ("x30293y64944", 30293, 64944, True),
        ("30293 64944", 30293, 64944, False),
        ("Y=6508000 X=4955000", 4955000, 6508000, True),
        ("6508000 4955000", 4955000, 6508000, False),
    ],
)
def test_plane(text: str, northing: float, easting: float, labelled: bool) -> None:
    written = parse_coordinate(text)
    assert (written.kind, written.northing, written.easting) == ("plane", northing, easting)
    assert written.labelled is labelled
    assert written.raw == text
    assert written.notation == ("abbreviated" if northing < 1e5 else "metres")


@pytest.mark.parametrize(
    ("text", "notation", "labelled"),
    [
        ("39-59-24 / 46-55-48", "dms", False),
        ("39-59-24 46-55-48", "dms", False),
        ("39–59–24 46–55–48", "dms", False),
        ("39 59 24 46 55 48", "dms", False),
        ("39:59:24, 46:55:48", "dms", False),
        ("39°59'24\"N 46°55'48\"E", "dms", True),
        ("39º59’24” с.ш. 46º55’48” в.д.", "dms", True),
        ("39° 59′ 24″ СШ, 46° 55′ 48″ ВД", "dms", True),
        ("46°55'48\" в.д. 39°59'24\" с.ш.", "dms", True),
        ("сев. шир. 39°59'24\" вост. долг. 46°55'48\"", "dms", True),
        ("E 46-55-48 N 39-59-24", "dms", True),
        ("B=39°59'24\" L=46°55'48\"", "dms", True),
        ("395924N 0465548E", "dms", True),
        ("39град 59мин 24сек 46град 55мин 48сек", "dms", False),
        ("N39 59.4 E46 55.8", "dm", True),
        ("39°59,4' 46°55,8'", "dm", False),
        ("39.99, 46.93", "decimal", False),
        ("39.99,46.93", "decimal", False),
        ("39,99 46,93", "decimal", False),
        ("39,99; 46,93", "decimal", False),
        ("39,99,46,93", "decimal", False),
        ("46.93E 39.99N", "decimal", True),
        ("39.99° с.ш., 46.93° в.д.", "decimal", True),
        ("lat 39.99 lon 46.93", "decimal", True),
        ("долгота 46,93 широта 39,99", "decimal", True),
        ("x=46.93 y=39.99", "decimal", False),
    ],
)
def test_geographic(text: str, notation: str, labelled: bool) -> None:
    written = parse_coordinate(text)
    assert written.kind == "geographic"
    assert (written.latitude, written.longitude) == (pytest.approx(39.99), pytest.approx(46.93))
    assert (written.notation, written.labelled) == (notation, labelled)
    assert any(a.latitude == written.longitude for a in written.alternatives) is not labelled


@pytest.mark.parametrize(
    ("text", "latitude", "longitude"),
    [
        ("33.5S 18.2E", -33.5, 18.2),
        ("-33.5, 18.2", -33.5, 18.2),
        ("51°30' ю.ш. 59°15' з.д.", -51.5, -59.25),
        ("120.5 39.5", 39.5, 120.5),
    ],
)
def test_other_quarters_of_the_earth(text: str, latitude: float, longitude: float) -> None:
    written = parse_coordinate(text)
    assert (written.latitude, written.longitude) == (pytest.approx(latitude), pytest.approx(longitude))


@pytest.mark.parametrize(
    ("text", "square", "ninth", "quantum"),
    [
        ("кв. 3064", "3064", None, 1000),
        ("кв.3064", "3064", None, 1000),
        ("квадрат 30 64", "3064", None, 1000),
        ("3064-5", "3064", 5, 1000 / 3),
        ("кв. 3064-5", "3064", 5, 1000 / 3),
        ("кв. 3064 улитка 5", "3064", 5, 1000 / 3),
        ("кв. 3064-Б", "3064Б", None, 500),
    ],
)
def test_square(text: str, square: str, ninth: int | None, quantum: float) -> None:
    written = parse_coordinate(text)
    assert (written.kind, written.square, written.ninth) == ("square", square, ninth)
    assert written.quantum_m == pytest.approx(quantum)


@pytest.mark.parametrize(("text", "quantum"), [("38SPK 6477 2843", 10), ("38S PK 647 284", 100), ("38S PK", 1e5)])
def test_mgrs(text: str, quantum: float) -> None:
    written = parse_coordinate(text)
    assert (written.kind, written.mgrs, written.quantum_m) == ("mgrs", text, quantum)


def test_local() -> None:
    written = parse_coordinate("(120, -15)")
    assert (written.kind, written.easting, written.northing) == ("local", 120, -15)
    degrees = parse_coordinate("(39.98999, 46.92999)")
    assert degrees.kind == "geographic"
    assert degrees.alternatives[-1].kind == "local"


@pytest.mark.parametrize(
    ("text", "quantum"),
    [
        ("X=4430293 Y=8664944", 1),
        ("X=4430293.5 Y=8664944", 1),
        ("X=4430.3 км Y=8664.9 км", 100),
        ("39-59-24 46-55-48", 30.9),
        ("39°59' 46°55'", 1853),
        ("39.99, 46.93", 1112),
        ("39.98999, 46.92999", 1.112),
    ],
)
def test_rounding_step(text: str, quantum: float) -> None:
    assert parse_coordinate(text).quantum_m == pytest.approx(quantum, rel=0.01)


def test_run_together_degrees_are_an_alternative_only_where_they_can_be() -> None:
    assert parse_coordinate("39.5924 46.5548").alternatives[0].notation == "dms"
    assert parse_coordinate("39.59 46.55").alternatives[0].notation == "dm"
    assert all(a.notation == "decimal" for a in parse_coordinate("39.9824 46.5548").alternatives)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "123",
        "у дороги",
        "39°59'24\"",
        "39-75-24 46-55-48",
        "91.5 200.1",
        "N 39 N 46",
        "X=1 X=2",
        "39 59 24 46 55",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_coordinate(text)
    assert (caught.value.id, caught.value.found) == ("SF-P010", text)


def test_impossible_mgrs_is_named_as_such() -> None:
    with pytest.raises(InputError) as caught:
        parse_coordinate("38S AA 123 456")
    assert caught.value.id == "SF-P011"


@given(north=st.integers(3_900_000, 5_900_000), east=st.integers(160_000, 840_000), zone=st.integers(4, 12))
def test_plane_numbers_survive(north: int, east: int, zone: int) -> None:
    full = zone * 1_000_000 + east
    for text in (f"X={north} Y={full}", f"Y = {full}; X = {north}", f"х {north} у {full}"):
        written = parse_coordinate(text)
        assert (written.northing, written.easting) == (north, full)
    for text in (f"{north} {east}", f"{east} {north}"):
        written = parse_coordinate(text)
        assert (written.northing, written.easting) == (north, east)


@given(
    lat=st.tuples(st.integers(0, 89), st.integers(0, 59), st.integers(0, 59)),
    lon=st.tuples(st.integers(0, 89), st.integers(0, 59), st.integers(0, 59)),
)
def test_sexagesimal_numbers_survive(lat: tuple[int, int, int], lon: tuple[int, int, int]) -> None:
    expected = [d + m / 60 + s / 3600 for d, m, s in (lat, lon)]
    for form in (
        "{}-{}-{} {}-{}-{}",
        "{}°{}'{}\" с.ш. {}°{}'{}\" в.д.",
        "N{} {} {} E{} {} {}",
        "{}º{}′{}″, {}º{}′{}″",
    ):
        written = parse_coordinate(form.format(*lat, *lon))
        assert [written.latitude, written.longitude] == pytest.approx(expected)


@given(text=st.text(alphabet="0123456789 .,-°'\"/()NSEWXYХУсшвдкв=", max_size=25))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        written = parse_coordinate(text)
    except InputError:
        return
    if written.kind == "geographic":
        assert written.latitude is not None
        assert written.longitude is not None
        assert abs(written.latitude) <= 90
        assert abs(written.longitude) <= 180
    assert written.kind in ("plane", "geographic", "mgrs", "square", "local")

"""Made-up regions: forms say what the truth says, errors are the pinned ones, the search peeks at nothing."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer
from scipy import stats

from surefoot.analysis.synthetic import PRESETS, SimulatedRegion, simulate
from surefoot.analysis.synthetic.field import draw_field
from surefoot.analysis.synthetic.ground import Site
from surefoot.analysis.synthetic.presets import Preset
from surefoot.analysis.synthetic.search import Ground, draw_accidents, draw_ground, search
from surefoot.errors import UsageError
from surefoot.messages import render
from surefoot.model import StatedDate
from surefoot.positions.declination import declination_deg

GEOD = Geod(ellps="WGS84")
EXACT = {
    "shift_sd_m": 0.0, "turn_sd_deg": 0.0, "scale_sd": 0.0, "row_offset_sd_m": 0.0, "scatter_sd_m": 0.0,
    "end_for_end": 0.0, "mirrored": 0.0, "first_leg_reversed": 0.0,
}  # fmt: skip
# SK-42 zone 9 by EPSG:15865, written out so that nothing of ours is used (Krassowsky; seven parameters).
SK42 = Transformer.from_pipeline(
    "+proj=pipeline +step +inv +proj=tmerc +lat_0=0 +lon_0=51 +k=1 +x_0=9500000 +ellps=krass "
    "+step +proj=push +v_3 +step +proj=cart +ellps=krass "
    "+step +proj=helmert +x=25 +y=-141 +z=-78.5 +rx=0 +ry=-0.35 +rz=-0.736 +s=0 +convention=coordinate_frame "
    "+step +inv +proj=cart +ellps=WGS84 +step +proj=pop +v_3 +step +proj=unitconvert +xy_in=rad +xy_out=deg"
)
UTM39 = Transformer.from_crs("EPSG:32639", "EPSG:4326", always_xy=True)


def region(preset: str = "nominal", seed: int = 0, records: int | None = None, **overrides: Any) -> SimulatedRegion:
    return simulate(preset, rng=np.random.default_rng(seed), records=records, overrides=overrides)


@pytest.fixture(scope="module")
def nominal() -> SimulatedRegion:
    return region(records=400)


@pytest.fixture(scope="module")
def easy() -> SimulatedRegion:
    return region("easy", records=40)


# --- a reader of forms that shares nothing with the writer ------------------------------------------------


def read_position(text: str) -> tuple[float, float]:
    if match := re.fullmatch(r"X=([\d.]+) Y=([\d.]+)", text):
        return SK42.transform(float(match[2]), float(match[1]))
    if match := re.fullmatch(r"E ([\d.]+) N ([\d.]+)", text):
        return UTM39.transform(float(match[1]), float(match[2]))
    match = re.fullmatch(r"39SVD(\d{5})(\d{5})", text.replace(" ", ""))
    assert match, text
    return UTM39.transform(400_000 + int(match[1]) + 0.5, 4_300_000 + int(match[2]) + 0.5)


def read_bearing(entry: Mapping[str, str], declination: float, at: tuple[float, float], crs: str) -> float:
    text = entry["bearing"]
    if match := re.search(r"(\d+)-(\d\d)$", text):
        degrees = (int(match[1]) * 100 + int(match[2])) * 0.06
    elif match := re.search(r"(\d+) mils$", text):
        degrees = int(match[1]) * 360 / 6400
    else:
        match = re.search(r"([\d.]+)(°| deg)$", text)
        assert match, text
        degrees = float(match[1])
    words = f"{text} {entry.get('north', '')}"
    if re.search("дирекционный|grid", words):
        assert "42" in crs
        lon, lat = np.radians(at[0] - 51.0), np.radians(at[1])
        return degrees + float(np.degrees(np.arctan(np.tan(lon) * np.sin(lat))))
    assert re.search("Ам|магнитный|magnetic", words), words
    return degrees + declination


def read_metres(text: str) -> float:
    number, unit = text.split(" ")
    assert unit in ("м", "m")
    return float(number.replace(",", "."))


def read_date(text: str) -> dt.date:
    return dt.datetime.strptime(text, "%d.%m.%Y").date() if "." in text else dt.date.fromisoformat(text)


def read_items(form: Mapping[str, Any]) -> list[tuple[str, str, float, float]]:
    """Return (row, index, longitude, latitude) of every device on a form."""
    points = {"A": read_position(form["reference_points"][0]["position"])}
    laid = read_date(form["laid"])
    declination = float(declination_deg(*points["A"], StatedDate("", laid, laid).decimal_year))

    def reach(entry: Mapping[str, str], metres: float | None = None) -> tuple[float, float]:
        at = points[entry["from"]]
        azimuth = read_bearing(entry, declination, at, form["crs"])
        length = read_metres(entry["distance"]) if metres is None else metres
        return GEOD.fwd(*at, azimuth, length)[:2]

    for leg in form["legs"]:
        points[leg["to"]] = reach(leg)
    along = {leg["from"]: leg for leg in form["legs"] if leg["to"].endswith("e")}
    items = [(device["row"], device["index"], *reach(device)) for device in form.get("devices", [])]
    for row in form["rows"]:
        if "spacing" in row:
            spacing, count = read_metres(row["spacing"]), int(row["count"])
            items += [(row["no"], str(j + 1), *reach(along[row["from"]], j * spacing)) for j in range(count)]
            last = read_metres(along[row["from"]]["distance"])
            assert last == pytest.approx((count - 1) * spacing, abs=0.051)
    return items


def metres_apart(lon1: Any, lat1: Any, lon2: Any, lat2: Any) -> Any:
    return np.asarray(GEOD.inv(lon1, lat1, lon2, lat2)[2])


def devices_of(made: SimulatedRegion, record_id: str) -> np.ndarray:
    return np.flatnonzero(made.truth.devices.record_id == record_id)


@pytest.mark.parametrize("rounding", [True, False])
def test_a_form_reads_back_to_where_its_truth_says_it_reads(rounding: bool) -> None:
    made = region(records=30, seed=3, rounding=rounding)
    truth = made.truth.devices
    for form in made.forms:
        rows = devices_of(made, form["record_id"])
        known = {(truth.row[i], f"{truth.index[i]:.0f}"): i for i in rows}
        items = read_items(form)
        assert len(items) == len(rows) == len(known)
        for row, index, longitude, latitude in items:
            i = known[row, index]
            apart = metres_apart(longitude, latitude, truth.recorded_longitude[i], truth.recorded_latitude[i])
            assert apart < 0.001, (form["record_id"], row, index)


@pytest.mark.parametrize("rounding", [True, False])
def test_without_errors_the_ground_is_where_the_record_reads(rounding: bool) -> None:
    truth = region(records=6, rounding=rounding, **EXACT).truth
    on_form = truth.devices.recorded == 1
    columns = [
        getattr(truth.devices, name)[on_form]
        for name in ("longitude", "latitude", "recorded_longitude", "recorded_latitude")
    ]
    assert metres_apart(*columns).max() < 0.001
    assert np.abs(truth.records.displacement_east_m).max() < 0.001


@pytest.mark.parametrize("blunder", ["none", "end_for_end", "mirrored", "first_leg_reversed"])
def test_the_stated_error_takes_the_record_to_the_ground(blunder: str) -> None:
    overrides = dict.fromkeys(("end_for_end", "mirrored", "first_leg_reversed", "row_offset_sd_m", "scatter_sd_m"), 0.0)
    overrides |= {blunder: 1.0} if blunder != "none" else {}
    made = region(records=8, **overrides)
    records, devices = made.truth.records, made.truth.devices
    assert set(records.blunder) == {blunder}
    for r, record_id in enumerate(records.record_id):
        rows = devices_of(made, record_id)
        centre = (records.centroid_longitude[r], records.centroid_latitude[r])
        read = plane(centre, devices.recorded_longitude[rows], devices.recorded_latitude[rows])
        true = plane(centre, devices.longitude[rows], devices.latitude[rows])
        turn = np.exp(-1j * np.radians(records.turn_deg[r]))
        way = records.displacement_east_m[r] + 1j * records.displacement_north_m[r]
        shift = records.shift_east_m[r] + 1j * records.shift_north_m[r]
        pattern = {"end_for_end": -read, "mirrored": reflected(read, devices.row[rows])}.get(blunder, read)
        assert np.abs(way + records.scale[r] * turn * pattern - true).max() < 0.01
        if blunder == "first_leg_reversed":
            assert abs(way - shift + 2 * first_leg(made.forms[r])) < 0.01
        else:
            assert abs(way - shift) < 1e-9


def first_leg(form: Mapping[str, Any]) -> complex:
    """Return the first leg as read, metres east + i north."""
    at = read_position(form["reference_points"][0]["position"])
    laid = read_date(form["laid"])
    declination = float(declination_deg(*at, StatedDate("", laid, laid).decimal_year))
    leg = form["legs"][0]
    azimuth = read_bearing(leg, declination, at, form["crs"])
    return complex(read_metres(leg["distance"]) * np.exp(1j * np.radians(90 - azimuth)))


def plane(centre: tuple[float, float], lon: Any, lat: Any) -> Any:
    lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    azimuth, _, metres = GEOD.inv(np.full(lon.shape, centre[0]), np.full(lat.shape, centre[1]), lon, lat)
    return metres * np.exp(1j * np.radians(90 - np.asarray(azimuth)))


def reflected(read: Any, row: Any) -> Any:
    """Reflect in the line through the centroid along row 1; the ends of a curved row give its direction."""
    first = np.flatnonzero(row == "1")
    axis = read[first[-1]] - read[first[0]]
    axis /= abs(axis)
    return axis**2 * np.conj(read)


# --- the pinned preset --------------------------------------------------------------------------------------


def binomial_ok(hits: int, trials: int, share: float) -> bool:
    return stats.binomtest(int(hits), int(trials), share).pvalue > 1e-4


def sd_ok(values: Any, sd: float) -> bool:
    """The sample's mean square about zero, against chi-square."""
    values = np.asarray(values)
    share = stats.chi2.cdf((values**2).sum() / sd**2, len(values))
    return 1e-4 < share < 1 - 1e-4


def test_the_nominal_preset_is_the_one_of_methods_section_7() -> None:
    assert PRESETS["nominal"] == Preset("nominal")
    pinned = Preset("nominal")
    assert (pinned.rows, pinned.items_per_row) == ((2, 4), (8, 27))
    assert (pinned.spacing_m, pinned.row_gap_m, pinned.landmark_m) == ((4, 7), (8, 25), (60, 250))
    assert (pinned.irregular_share, pinned.curvature_per_m) == (0.4, 0.002)
    assert (pinned.shift_sd_m, pinned.turn_sd_deg, pinned.scale_sd) == (25, 4, 0.05)
    assert (pinned.row_offset_sd_m, pinned.scatter_sd_m, pinned.gps_sd_m) == (0.8, 0.7, 1.0)
    assert (pinned.presence, pinned.detection, pinned.clutter, pinned.clutter_reach_m) == (
        0.85,
        0.95,
        0.15,
        50,
    )
    assert (pinned.end_for_end, pinned.mirrored, pinned.first_leg_reversed) == (0.08, 0.04, 0.06)
    assert (pinned.box_share, pinned.box_m, pinned.lane_m) == (0.6, 10, (40, 2))


def test_errors_of_records_have_the_pinned_spread(nominal: SimulatedRegion) -> None:
    records = nominal.truth.records
    assert sd_ok(records.landmark_shift_east_m, 25.0)
    assert sd_ok(records.landmark_shift_north_m, 25.0)
    assert sd_ok(records.turn_deg, 4.0)
    assert sd_ok(np.log(records.scale), 0.05)
    assert sd_ok(nominal.truth.rows.offset_east_m, 0.8)
    assert sd_ok(nominal.truth.rows.offset_north_m, 0.8)


def test_discrete_errors_have_the_pinned_shares(nominal: SimulatedRegion) -> None:
    blunder = nominal.truth.records.blunder
    for name, share in (
        ("end_for_end", 0.08),
        ("mirrored", 0.04),
        ("first_leg_reversed", 0.06),
        ("none", 0.82),
    ):
        assert binomial_ok((blunder == name).sum(), len(blunder), share), name


def test_presence_and_clutter_have_the_pinned_shares(nominal: SimulatedRegion) -> None:
    devices = nominal.truth.devices
    recorded = devices.recorded == 1
    assert binomial_ok(devices.present[recorded].sum(), recorded.sum(), 0.85)
    expected = 0.15 * recorded.sum()
    assert abs((~recorded).sum() - expected) < 4 * np.sqrt(expected)
    assert (devices.present[~recorded] == 1).all()


def test_what_is_searched_is_found_with_the_pinned_probability(nominal: SimulatedRegion) -> None:
    devices, ground = nominal.truth.devices, shapely.union_all(nominal.searched.geometry)
    shapely.prepare(ground)
    inside = shapely.contains_xy(ground, devices.longitude, devices.latitude)
    could = inside & (devices.present == 1) & (devices.accident_id == "")
    assert could.sum() > 2000
    assert binomial_ok(devices.found[could].sum(), could.sum(), 0.95)


def test_patterns_keep_to_the_pinned_ranges(nominal: SimulatedRegion) -> None:
    rows = [row for form in nominal.forms for row in form["rows"]]
    counts = np.array([int(row["count"]) for row in rows])
    assert {len(form["rows"]) for form in nominal.forms} == {2, 3, 4}
    assert (counts.min(), counts.max()) == (8, 27)
    spacings = [read_metres(row["spacing"]) for row in rows if "spacing" in row]
    assert min(spacings) >= 4.0
    assert max(spacings) <= 7.0
    assert binomial_ok(len(rows) - len(spacings), len(rows), 0.4)
    records = nominal.truth.records
    reach = metres_apart(
        records.landmark_longitude, records.landmark_latitude,
        records.centroid_longitude, records.centroid_latitude,
    )  # fmt: skip
    assert reach.min() > 58
    assert reach.max() < 252
    assert stats.kstest(reach, "uniform", (60, 190)).pvalue > 1e-4


def test_as_recorded_the_error_is_that_of_the_baseline() -> None:
    """methods.md 7: a run is valid only if the records as they stand are 30-38 m off."""
    made = region(seed=8, records=300)
    devices = made.truth.devices
    read = np.nan_to_num(devices.recorded_longitude), np.nan_to_num(devices.recorded_latitude)
    apart = metres_apart(devices.longitude, devices.latitude, *read)
    missed = (devices.found == 0) & (devices.present == 1)
    medians = [np.median(apart[rows[missed[rows]]]) for rows in by_record(made) if missed[rows].any()]
    assert 30 <= np.median(medians) <= 38


def by_record(made: SimulatedRegion) -> Iterator[np.ndarray]:
    for record_id in made.truth.records.record_id:
        yield devices_of(made, record_id)


# --- what is seen -------------------------------------------------------------------------------------------


def test_every_find_lies_in_the_ground_it_was_found_in(nominal: SimulatedRegion) -> None:
    finds, searched, devices = nominal.finds, nominal.searched, nominal.truth.devices
    polygon = dict(zip(searched.id, searched.geometry, strict=True))
    day = dict(zip(searched.id, searched.date, strict=True))
    where = {find_id: i for i, find_id in enumerate(devices.find_id) if find_id}
    assert len(where) == len(finds) > 3000
    true = np.array([where[find_id] for find_id in finds.id])
    shapes = np.array([polygon[searched_id] for searched_id in finds.searched_id])
    margin = 2e-8  # degrees: 2 mm, the edge of a search that stopped at its last find
    assert (shapely.distance(shapes, shapely.points(devices.longitude[true], devices.latitude[true])) < margin).all()
    assert (finds.date == np.array([day[searched_id] for searched_id in finds.searched_id])).all()
    assert (finds.category == devices.category[true]).all()
    error = metres_apart(finds.longitude, finds.latitude, devices.longitude[true], devices.latitude[true])
    assert stats.kstest(error, "rayleigh").pvalue > 1e-4
    assert (finds.sigma_m == 1.0).all()


def test_an_accident_befell_a_device_that_was_there(nominal: SimulatedRegion) -> None:
    accidents, devices = nominal.accidents, nominal.truth.devices
    hit = devices.accident_id != ""
    assert hit.sum() == len(accidents)
    assert (devices.present[hit] == 1).all()
    assert (devices.found[hit] == 0).all()
    assert 0 < (devices.recorded[hit] == 0).mean() < 0.3
    stated = accidents.sigma_m[~np.isnan(accidents.sigma_m)]
    assert 5 <= stated.min() <= stated.max() <= 200
    assert np.isnan(accidents.sigma_m).any()
    per_record = len(accidents) / len(nominal.forms)
    assert 1.3 < per_record < 1.7
    last_laid = max(read_date(form["laid"]) for form in nominal.forms)
    assert accidents.date.min() > np.datetime64(last_laid)
    assert nominal.settings.as_of is not None
    assert max(accidents.date.max(), nominal.searched.date.max()) <= np.datetime64(nominal.settings.as_of)


def test_about_half_of_the_records_have_a_verified_block(nominal: SimulatedRegion) -> None:
    searched = nominal.searched
    verified = (searched.method == "clearance") & (searched.qa == "passed")
    assert binomial_ok(verified.sum(), len(nominal.forms), 0.5)
    assert (searched.detection_probability == 0.95).all()
    boxes, lanes = (searched.method == "technical_survey").sum(), (searched.method == "lane").sum()
    assert binomial_ok(boxes, boxes + lanes, 0.6)
    assert set(searched.reason) >= {"around an accident", "around an earlier find"}


def test_the_search_sees_only_what_was_seen() -> None:
    """Move every device that was not found out of the searchers' reach: they must walk exactly as before."""
    preset = PRESETS["nominal"]
    for seed in range(20):
        rng = np.random.default_rng(seed)
        places = rng.normal(0, 40, 60) + 1j * rng.normal(0, 40, 60)
        site = Site((50.7, 39.6), places, np.ones(60, bool), np.arange(60), np.full(60, "AP"), np.full(60, "PMN"))
        accidents = draw_accidents(site, rng)
        ground = draw_ground(site, accidents, preset, rng)
        log = search(ground, accidents, preset, np.random.default_rng(seed + 100))
        elsewhere = places.copy()
        hidden = np.setdiff1d(np.arange(60), log.device)
        elsewhere[hidden] = 1e6 + 1e6j
        other_site = Site(site.pivot, elsewhere, site.present, site.recorded, site.category, site.model)
        reported = ground.reported + (elsewhere - places)
        other = search(
            Ground(other_site, ground.findable, reported),
            accidents,
            preset,
            np.random.default_rng(seed + 100),
        )
        assert other.device == log.device
        assert other.polygons == log.polygons


def test_ten_finds_lie_about_as_widely_as_their_field() -> None:
    """A search huddled about the accident tells less than the pinned preset's, whose RANSAC comes to 6-9 m."""
    made = region(seed=8, records=40, max_finds_per_record=10)
    devices = made.truth.devices
    radii = []
    for rows in by_record(made):
        found = rows[devices.found[rows] == 1]
        north = 111_200.0 * devices.latitude[found]
        east = 111_300.0 * np.cos(np.deg2rad(devices.latitude[found])) * devices.longitude[found]
        radii.append(float(np.hypot(east.std(), north.std())))
    assert 24.0 < np.median(radii) < 40.0


def test_the_search_keeps_within_reach_of_what_is_known() -> None:
    preset = dataclasses.replace(PRESETS["nominal"], max_finds_per_record=10)
    for seed in range(10):
        rng = np.random.default_rng(seed)
        places = rng.normal(0, 40, 60) + 1j * rng.normal(0, 40, 60)
        site = Site((50.7, 39.6), places, np.ones(60, bool), np.arange(60), np.full(60, "AP"), np.full(60, "PMN"))
        accidents = draw_accidents(site, rng)
        ground = draw_ground(site, accidents, preset, rng)
        log = search(ground, accidents, preset, rng)
        for step, polygon in enumerate(log.polygons[:-1]):  # the last may stop at its last find
            earlier = [d for d, at in zip(log.device, log.polygon_of_find, strict=True) if at < step]
            known = np.concatenate([accidents.reported[accidents.sigma_m <= 20.0], ground.reported[earlier]])
            middle = complex(polygon.centroid.x, polygon.centroid.y)
            assert np.abs(known - middle).min() <= preset.search_reach_m + 1e-6


@pytest.mark.parametrize("target", [0, 1, 5, 10])
def test_a_search_stops_at_the_number_of_finds_asked_for(target: int) -> None:
    made = region(seed=5, records=40, max_finds_per_record=target)
    assert len(made.finds) == made.truth.devices.found.sum()
    assert len(made.finds) <= 40 * target
    # A field may hold fewer devices that can be found; hardly any does.
    assert len(made.finds) >= 0.97 * 40 * target
    assert all(made.truth.devices.found[rows].sum() <= target for rows in by_record(made))
    assert not (made.searched.method == "clearance").any()


def test_a_longer_search_sees_the_same_ground_and_first_finds_the_same() -> None:
    short = region(seed=5, records=5, max_finds_per_record=3)
    long = region(seed=5, records=5, max_finds_per_record=8)
    assert short.forms == long.forms
    assert (short.truth.devices.longitude == long.truth.devices.longitude).all()
    assert ((short.truth.devices.found == 1) <= (long.truth.devices.found == 1)).all()


# --- the forms ----------------------------------------------------------------------------------------------


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


def test_every_value_on_a_form_is_text(nominal: SimulatedRegion) -> None:
    assert all(type(leaf) is str and leaf for form in nominal.forms for leaf in leaves(form))


def test_counts_on_a_form_balance_with_the_truth(nominal: SimulatedRegion) -> None:
    devices = nominal.truth.devices
    for form in nominal.forms[:100]:
        rows = devices_of(nominal, form["record_id"])
        summed: dict[str, int] = {}
        for row in form["rows"]:
            assert int(row["count"]) == sum(map(int, row["mines"].values()))
            for model, count in row["mines"].items():
                summed[model] = summed.get(model, 0) + int(count)
        assert summed == {model: int(count) for model, count in form["totals"].items()}
        names, counts = np.unique(devices.model[rows].astype(str), return_counts=True)
        assert summed == dict(zip(names.tolist(), counts.tolist(), strict=True))


def test_later_events_account_for_devices_that_are_gone(nominal: SimulatedRegion) -> None:
    devices, noted = nominal.truth.devices, 0
    for form in nominal.forms:
        rows = devices_of(nominal, form["record_id"])
        lifted = rows[devices.lifted_on_form[rows] == 1]
        if not len(lifted):
            assert "events" not in form
            continue
        match = re.fullmatch(r"(\S+) (?:снято|lifted) (\d+) (\S+)", form["events"][0])
        assert match, form["events"]
        assert int(match[2]) == len(lifted)
        assert set(devices.model[lifted]) == {match[3]}
        assert (devices.present[lifted] == 0).all()
        noted += 1
    assert binomial_ok(noted, len(nominal.forms), 0.3)


def test_families_words_and_landmarks_are_mixed(nominal: SimulatedRegion) -> None:
    forms = nominal.forms
    assert {form["family"] for form in forms} == {"formulyar", "nato"}
    assert {form["crs"] for form in forms} == {"СК-42 зона 9", "SK-42 zone 9", "UTM 39 WGS84"}
    words = {re.sub(r"[\d.-]+", "#", leg["bearing"]) for form in forms for leg in form["legs"]}
    assert words == {"Ам #", "дирекционный угол #", "#", "#°", "# deg", "# mils"}
    assert binomial_ok(sum(len(form["reference_points"]) == 2 for form in forms), len(forms), 0.5)
    assert binomial_ok(sum("area" in form for form in forms), len(forms), 0.8)
    assert all(form["map"]["sheet"].startswith("J-39-") for form in forms if form["family"] == "formulyar")
    models = {model for form in forms for model in form["totals"]}
    assert models == {"ПМН", "ПМН-2", "ТМ-62", "PMN", "PMN-2", "TM-62", "TM-62M", "M14", "M15"}


def test_fields_lie_apart_in_the_open_sea(nominal: SimulatedRegion) -> None:
    devices = nominal.truth.devices
    hulls = []
    for rows in by_record(nominal):
        places = plane((50.7, 39.6), devices.recorded_longitude[rows], devices.recorded_latitude[rows])
        hull = shapely.MultiPoint(np.column_stack([places.real, places.imag])).convex_hull
        hulls.append(hull.buffer(50 + 8))
    pairs = shapely.STRtree(hulls).query(hulls, predicate="intersects")
    assert (pairs[0] == pairs[1]).all()
    west, south, east, north = nominal.settings.region.bounds
    # The nearest coast to 50.7 E 39.6 N is more than 80 km away.
    assert 50.4 < west < east < 51.0
    assert 39.4 < south < north < 39.8


# --- the other presets --------------------------------------------------------------------------------------


def test_null_has_nothing_to_do_with_its_records() -> None:
    made = region("null", records=60)
    devices = made.truth.devices
    assert (devices.present[devices.recorded == 1] == 0).all()
    assert (devices.found[devices.recorded == 1] == 0).all()
    assert (made.truth.records.related == 0).all()
    assert len(made.finds) > 300
    # Chance does bring finds within reach of records: the preset has something to be tested on.
    centres = plane((50.7, 39.6), made.truth.records.centroid_longitude, made.truth.records.centroid_latitude)
    finds = plane((50.7, 39.6), made.finds.longitude, made.finds.latitude)
    assert (np.abs(centres[:, None] - finds[None, :]).min(axis=1) < 100).mean() > 0.2


def test_easy_has_suspected_areas_some_of_them_truly_empty(easy: SimulatedRegion) -> None:
    areas, truth = easy.areas, easy.truth.areas
    assert (areas.id == truth.area_id).all()
    assert (areas.status == "SHA").all()
    assert (truth.devices == 0).sum() == 20
    assert len(areas) == 60
    whole = truth.fully_searched == 1
    assert 0.2 < whole[truth.devices == 0].mean() < 0.8
    assert 0.2 < whole[truth.devices > 0].mean() < 0.8
    verified = [s for s, q in zip(easy.searched.geometry, easy.searched.qa, strict=True) if q == "passed"]
    covered = shapely.STRtree(verified)
    for outline in areas.geometry[whole]:
        assert len(covered.query(outline.buffer(-1e-7), predicate="covered_by")) >= 1


def test_easy_is_easy(easy: SimulatedRegion) -> None:
    records, devices = easy.truth.records, easy.truth.devices
    assert set(records.blunder) == {"none"}
    assert sd_ok(records.landmark_shift_east_m, 8.0)
    assert sd_ok(records.turn_deg, 1.0)
    recorded = devices.recorded == 1
    assert binomial_ok(devices.present[recorded].sum(), recorded.sum(), 0.95)


# --- laws and ugly input ------------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), preset=st.sampled_from(sorted(PRESETS)))
def test_ids_are_unique_and_point_to_what_exists(seed: int, preset: str) -> None:
    made = region(preset, seed, records=3)
    for table in (made.finds, made.accidents, made.searched, made.areas):
        assert len(set(table.id)) == len(table)
    devices = made.truth.devices
    assert len(set(devices.truth_id)) == len(devices.truth_id)
    assert {*devices.find_id} - {""} == {*made.finds.id}
    assert {*devices.accident_id} - {""} == {*made.accidents.id}
    assert {*made.finds.searched_id} <= {*made.searched.id}
    assert all(polygon.is_valid for polygon in made.searched.geometry)
    assert made.settings.simulated
    assert "simulated" in made.settings.name


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_field_is_the_same_for_the_same_stream(seed: int) -> None:
    first, second = (
        draw_field(1, (50.7, 39.6), (50.71, 39.6), PRESETS["nominal"], np.random.default_rng(seed)) for _ in range(2)
    )
    assert first.form == second.form
    assert (first.site.places == second.site.places).all()
    assert first.log == second.log


@pytest.mark.parametrize(
    ("preset", "records", "overrides", "id_"),
    [
        ("nasty", None, {}, "SF-Y001"),
        ("nominal", None, {"shift_sd": 3.0}, "SF-Y002"),
        ("nominal", None, {"name": "mine"}, "SF-Y002"),
        ("nominal", 0, {}, "SF-Y003"),
    ],
)
def test_a_wrong_call_is_refused_in_words(
    preset: str, records: int | None, overrides: dict[str, Any], id_: str
) -> None:
    with pytest.raises(UsageError) as caught:
        simulate(preset, rng=np.random.default_rng(0), records=records, overrides=overrides)
    assert caught.value.id == id_
    for lang in ("en", "ru"):
        message = render(id_, caught.value.values, found=caught.value.found, lang=lang)
        assert caught.value.found in message.reason
        assert message.advice


def test_claims_are_attributed_and_invented(nominal: SimulatedRegion) -> None:
    assert {claim["speaker"] for claim in nominal.claims} == {"Party A", "Party B"}
    assert all("invented" in claim["text"] and "simulated" in claim["outlet"] for claim in nominal.claims)

"""The fields of a region as tables: what was seen, in `surefoot.model`'s columns, and the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from surefoot.analysis.synthetic.field import Field
from surefoot.analysis.synthetic.patterns import Complexes
from surefoot.analysis.synthetic.presets import Preset
from surefoot.analysis.synthetic.truth import TrueAreas, TrueDevices, TrueRecords, TrueRows
from surefoot.model import (
    Accidents,
    Dates,
    DevicesFound,
    Floats,
    Geometries,
    HazardousAreas,
    SearchedAreas,
    Texts,
)
from surefoot.positions.local import from_local
from surefoot.terms import AreaStatus, FindFate, QaResult, SearchMethod

FIRST_ACCIDENT = np.datetime64("2019-01-01")
FIRST_SEARCH = np.datetime64("2024-02-01")
AREAS_DRAWN = np.datetime64("2023-12-31")
# Finds are listed in one language, whatever the record is written in.
_LISTED_AS = {"ПМН": "PMN", "ПМН-2": "PMN-2", "ТМ-62": "TM-62"}


@dataclass(frozen=True)
class EmptyArea:
    """A suspected area in which there is nothing: outline in metres about the pivot."""

    pivot: tuple[float, float]
    polygon: shapely.Polygon
    searched: bool


def finds(fields: Sequence[Field], preset: Preset) -> DevicesFound:
    """Return every device found, in the order of fields, then of the search."""
    places = _points((field.pivot_of_site, field.ground.reported[field.log.device]) for field in fields)
    count = len(places[0])
    polygons = _offsets([len(field.log.polygons) for field in fields])
    where = _joined(np.array(f.log.polygon_of_find, dtype=int) + o for f, o in zip(fields, polygons, strict=True))
    dates = _joined(_search_dates(n, f)[f.log.polygon_of_find] for n, f in enumerate(fields))
    sites = [field.site for field in fields]
    logs = [field.log.device for field in fields]
    model = _joined(site.model[log] for site, log in zip(sites, logs, strict=True))
    return DevicesFound(
        id=_numbered("SIM-F{:04d}", count),
        longitude=places[0],
        latitude=places[1],
        sigma_m=np.full(count, preset.gps_sd_m if preset.gps_sd_m > 0 else 0.01),
        date=dates.astype("datetime64[D]"),
        category=_texts(_joined(site.category[log] for site, log in zip(sites, logs, strict=True))),
        model=_texts([_LISTED_AS.get(name, name) for name in model]),
        fate=_constant(str(FindFate.DESTROYED), count),
        searched_id=_texts([f"SIM-S{position + 1:04d}" for position in where]),
        production_year=np.full(count, np.nan),
        record_id=_constant("", count),
        row=_constant("", count),
        index=np.full(count, np.nan),
        source_row=np.arange(1, count + 1),
    )


def accidents(fields: Sequence[Field]) -> Accidents:
    """Return every accident."""
    places = _points((field.pivot_of_site, field.accidents.reported) for field in fields)
    count = len(places[0])
    killed = _joined(field.accidents.killed for field in fields).astype(float)
    days = _joined(field.accidents.day for field in fields).astype(int)
    return Accidents(
        id=_numbered("SIM-E{:03d}", count),
        longitude=places[0],
        latitude=places[1],
        sigma_m=_joined(field.accidents.sigma_m for field in fields),
        date=FIRST_ACCIDENT + days,
        activity=_constant("on foot (simulated)", count),
        category=_texts(_joined(field.site.category[field.accidents.device] for field in fields)),
        killed=killed,
        injured=1.0 - killed,
        sheet=_constant("", count),
        source_row=np.arange(1, count + 1),
    )


def searched(fields: Sequence[Field], empties: Sequence[EmptyArea], preset: Preset) -> SearchedAreas:
    """Return all searched ground: the fields', then the empty areas that were searched."""
    bare = [empty for empty in empties if empty.searched]
    shapes = [(field.pivot_of_site, polygon) for field in fields for polygon in field.log.polygons]
    shapes += [(empty.pivot, empty.polygon) for empty in bare]
    days = [_search_dates(number, field) for number, field in enumerate(fields)]
    days.append(np.full(len(bare), FIRST_SEARCH + 120))
    whole = [str(SearchMethod.CLEARANCE)] * len(bare)
    count = len(shapes)
    return SearchedAreas(
        id=_numbered("SIM-S{:04d}", count),
        geometry=_polygons(shapes),
        date=_joined(days).astype("datetime64[D]"),
        method=_texts([str(method) for field in fields for method in field.log.method] + whole),
        detection_probability=np.full(count, preset.detection),
        qa=_texts([str(qa) for field in fields for qa in field.log.qa] + [str(QaResult.PASSED)] * len(bare)),
        reason=_texts([why for field in fields for why in field.log.reason] + ["the whole suspected area"] * len(bare)),
        source_row=np.arange(1, count + 1),
    )


def areas(fields: Sequence[Field], empties: Sequence[EmptyArea]) -> HazardousAreas:
    """Return the suspected areas, those round records first."""
    shapes = [(field.pivot, field.area) for field in fields if field.area is not None]
    shapes += [(empty.pivot, empty.polygon) for empty in empties]
    count = len(shapes)
    return HazardousAreas(
        id=_numbered("SIM-A{:03d}", count),
        geometry=_polygons(shapes),
        status=_constant(str(AreaStatus.SHA), count),
        date=np.full(count, AREAS_DRAWN),
        sheet=_constant("", count),
        detection_probability=np.full(count, np.nan),
        source_row=np.arange(1, count + 1),
    )


def true_devices(fields: Sequence[Field]) -> TrueDevices:
    """Return the truth of every device, recorded or not."""
    parts = [_device_part(field) for field in fields]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    find_offsets = _offsets([len(field.log.device) for field in fields])
    accident_offsets = _offsets([len(field.accidents.device) for field in fields])
    columns["find_id"] = _joined(
        _marked(field, field.log.device, "SIM-F{:04d}", offset)
        for field, offset in zip(fields, find_offsets, strict=True)
    )
    columns["accident_id"] = _joined(
        _marked(field, field.accidents.device, "SIM-E{:03d}", offset)
        for field, offset in zip(fields, accident_offsets, strict=True)
    )
    columns["found"] = (columns["find_id"] != "").astype(np.int64)
    return TrueDevices(truth_id=_numbered("SIM-T{:05d}", len(columns["row"])), **columns)


def _device_part(field: Field) -> dict[str, npt.NDArray[Any]]:
    """Return the columns of one field: its recorded devices in their order, then those on no record."""
    count = len(field.category)
    extra = field.site.recorded < 0
    present = field.site.present[~extra] if field.related else np.zeros(count, dtype=bool)
    added = int(extra.sum())
    true = [
        np.concatenate(pair)
        for pair in zip(
            from_local(field.true, pivot=field.pivot),
            from_local(field.site.places[extra], pivot=field.pivot_of_site),
            strict=True,
        )
    ]
    blank, unknown = _constant("", added), np.full(added, np.nan)
    lifted = np.zeros(count + added, dtype=np.int64)
    lifted[field.lifted] = 1
    return {
        "record_id": np.concatenate([_constant(str(field.form["record_id"]), count), blank]),
        "row": np.concatenate([_texts([str(row) for row in field.pattern.row]), blank]),
        "index": np.concatenate([field.pattern.index.astype(float), unknown]),
        "longitude": true[0],
        "latitude": true[1],
        "recorded_longitude": np.concatenate([field.compiled.measured.items[0], unknown]),
        "recorded_latitude": np.concatenate([field.compiled.measured.items[1], unknown]),
        "category": np.concatenate([field.category, field.site.category[extra]]),
        "model": np.concatenate([field.model, field.site.model[extra]]),
        "present": np.concatenate([present, field.site.present[extra]]).astype(np.int64),
        "recorded": np.repeat([1, 0], [count, added]),
        "lifted_on_form": lifted,
    }


def _marked(field: Field, devices: Iterable[int], pattern: str, offset: int) -> Texts:
    """Return, for each device of a field's truth, the id of the find or accident it became ("" = neither)."""
    recorded = len(field.category)
    marks = _constant("", recorded + int((field.site.recorded < 0).sum()))
    # Where ground and record are unrelated, the site's devices stand after all recorded ones.
    ahead = 0 if field.related else recorded
    for number, device in enumerate(devices, start=offset + 1):
        marks[device + ahead] = pattern.format(number)
    return marks


def true_records(fields: Sequence[Field], preset: Preset) -> TrueRecords:
    """Return the true error of each record."""
    errors = [field.error for field in fields]
    centroids = _points((field.pivot, np.array([field.error.centroid])) for field in fields)
    landmarks = [field.compiled.landmark for field in fields]

    def columns(pick: Callable[[Any], complex]) -> tuple[Floats, Floats]:
        values = np.array([pick(error) for error in errors])
        return values.real, values.imag

    shift, whole = columns(lambda e: e.shift), columns(lambda e: e.displacement)
    drawn = columns(lambda e: e.landmark_shift)
    return TrueRecords(
        record_id=_texts([str(field.form["record_id"]) for field in fields]),
        blunder=_texts([error.blunder for error in errors]),
        centroid_longitude=centroids[0],
        centroid_latitude=centroids[1],
        shift_east_m=shift[0],
        shift_north_m=shift[1],
        turn_deg=np.array([error.turn_deg for error in errors]),
        scale=np.array([error.scale for error in errors]),
        displacement_east_m=whole[0],
        displacement_north_m=whole[1],
        landmark_longitude=np.array([landmark.longitude for landmark in landmarks]),
        landmark_latitude=np.array([landmark.latitude for landmark in landmarks]),
        landmark_shift_east_m=drawn[0],
        landmark_shift_north_m=drawn[1],
        related=np.full(len(fields), int(preset.related)),
    )


def true_rows(fields: Sequence[Field]) -> TrueRows:
    """Return the true offset of each row."""
    offsets = _joined(field.error.row_offsets for field in fields)
    names = [(str(field.form["record_id"]), str(row)) for field in fields for row in field.pattern.row_numbers]
    return TrueRows(
        record_id=_texts([record for record, _ in names]),
        row=_texts([row for _, row in names]),
        offset_east_m=offsets.real,
        offset_north_m=offsets.imag,
    )


def true_areas(fields: Sequence[Field], empties: Sequence[EmptyArea]) -> TrueAreas:
    """Return what truly lay in each suspected area, in the order of `areas`."""
    drawn = [field for field in fields if field.area is not None]
    outlines = areas(fields, empties).geometry
    there = _points((field.pivot_of_site, field.site.places[field.site.present]) for field in fields)
    held = [int(shapely.contains_xy(outline, *there).sum()) for outline in outlines]
    searched_whole = [field.area_searched for field in drawn] + [empty.searched for empty in empties]
    return TrueAreas(
        area_id=_numbered("SIM-A{:03d}", len(outlines)),
        devices=np.array(held, dtype=np.int64),
        fully_searched=np.array(searched_whole, dtype=np.int64),
    )


def _search_dates(number: int, field: Field) -> Dates:
    """Return the day of each searched polygon; teams begin at one field after the other."""
    dates: Dates = FIRST_SEARCH + number % 60 + np.array(field.log.day, dtype=int)
    return dates


def _points(parts: Iterable[tuple[tuple[float, float], Complexes]]) -> tuple[Floats, Floats]:
    """Return longitude, latitude of local places, each part about its own pivot."""
    degrees = [from_local(places, pivot=pivot) for pivot, places in parts]
    return np.concatenate([part[0] for part in degrees]), np.concatenate([part[1] for part in degrees])


def _polygons(shapes: Sequence[tuple[tuple[float, float], shapely.Polygon]]) -> Geometries:
    """Return local polygons as polygons in degrees."""
    rings = [shapely.get_coordinates(polygon.exterior) for _, polygon in shapes]
    parts = ((pivot, ring[:, 0] + 1j * ring[:, 1]) for (pivot, _), ring in zip(shapes, rings, strict=True))
    made = np.empty(len(shapes), dtype=object)
    for position, (pivot, corners) in enumerate(parts):
        made[position] = shapely.Polygon(np.column_stack(from_local(corners, pivot=pivot)))
    return made


def _joined(parts: Iterable[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    return np.concatenate([*parts])


def _offsets(lengths: Sequence[int]) -> list[int]:
    return [0, *accumulate(lengths)][:-1]


def _texts(values: Iterable[str]) -> Texts:
    return np.array([*values], dtype=object)


def _constant(value: str, count: int) -> Texts:
    return np.full(count, value, dtype=object)


def _numbered(pattern: str, count: int) -> Texts:
    return _texts([pattern.format(number) for number in range(1, count + 1)])

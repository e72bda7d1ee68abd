"""Builds one reading: an assumption about what a form means, turned into geometry with covariance."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyproj

from surefoot.analysis.locate.anchors import Place, far_off_sheets, outside_sheets
from surefoot.analysis.locate.epochs import by_epoch
from surefoot.analysis.locate.frames import Frame
from surefoot.analysis.locate.hypotheses import Assumption, bearings_of, device_point
from surefoot.analysis.locate.items import place_rows, row_conflicts, row_length_m
from surefoot.analysis.locate.moments import LegErrors
from surefoot.analysis.locate.priors import Priors
from surefoot.analysis.locate.readings import Network, Reading, ReadLeg
from surefoot.analysis.locate.sketch import add_sketch_points
from surefoot.analysis.locate.survey import TRAVERSE, Measure, Solution, Survey, solve
from surefoot.errors import PositionError
from surefoot.model import Leg, MinefieldRecord, PlannedDevice
from surefoot.positions.bearings import degrees_of, true_bearing
from surefoot.positions.datums import PinnedOperation, from_wgs84, operation_sigma_m, pin_operation, to_wgs84
from surefoot.positions.declination import declination_deg
from surefoot.positions.distances import horizontal_m, to_metres
from surefoot.positions.local import from_local, to_local
from surefoot.positions.statements import BearingStatement, DistanceStatement
from surefoot.positions.zones import convergence_deg, gauss_kruger_crs, utm_crs, utm_zone_of
from surefoot.terms import DistanceUnit, MagneticEpoch, North, RecordFamily, Sense, Severity

Floats = npt.NDArray[np.float64]
EARTH_RADIUS_M = 6_371_000.0
SELECTIVE_AVAILABILITY_OFF = 2000.33  # 2 May 2000
_INSTRUMENTS = ("unknown", "compass", "aiming_circle", "eye")
_METHODS = ("unknown", "paced", "taped", "eye")
_TRUSTS = ("ends", "spacing", "count")
NO_ERRORS = LegErrors(np.zeros((0, 0)), np.zeros((0, 0)))


class Remark(NamedTuple):
    """A doubt met while building a reading."""

    id: str
    severity: Severity
    column: str
    found: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a reading stands: the pivot, the grid and the magnetic field there. Pivot None = local metres."""

    pivot: tuple[float, float] | None
    crs: str
    operation: PinnedOperation | None
    declination: float | None
    convergence: float | None


@dataclass(frozen=True, slots=True)
class LegReading:
    """A leg's bearing and length under one assumption, in degrees and metres."""

    measure: Measure
    shown: ReadLeg


@dataclass
class ReadingBuilder:
    """Builds the readings of one record; remembers remarks about it."""

    record: MinefieldRecord
    priors: Priors
    remarks: list[Remark] = field(default_factory=list)

    def remark(self, id_: str, severity: Severity, column: str, found: object = "", **values: object) -> None:
        """Note a remark once."""
        remark = Remark(id_, severity, column, str(found), values)
        if remark not in self.remarks:
            self.remarks.append(remark)

    def build(self, way: Assumption) -> list[Reading]:
        """Return the readings of one assumption: several where an intersection has two solutions."""
        placed = {name: place for name, place in way.places.items() if place is not None}
        if way.frame is None or not placed:
            return [self.unplaced(way)]
        ground, names, anchors = self._ground(way.frame, placed)
        covariance = self._anchor_covariance(placed, ground)
        return [
            reading
            for told in self._by_epoch(way, ground)
            for reading in self._surveyed(told, self._magnetic(ground, told), names, anchors, covariance)
        ]

    def _surveyed(
        self, way: Assumption, ground: Ground, names: list[str], anchors: list[complex], anchor_covariance: Floats
    ) -> list[Reading]:
        legs = [self._leg(leg, way, ground, n) for n, leg in enumerate(self.record.legs)]
        devices = self._device_legs(way, ground)
        survey = Survey(
            names,
            anchors,
            anchor_covariance,
            [leg.measure for leg in (*legs, *devices.values())],
            0.0 if ground.pivot is None else math.tan(math.radians(ground.pivot[1])) / EARTH_RADIUS_M,
        )
        if self.record.sketch is not None:
            add_sketch_points(survey, self.record.sketch, self.remark)
        solutions = solve(survey)
        shown = [leg.shown for leg in legs]
        share = 1.0 / len(solutions)
        return [r for solved in solutions for r in self._readings(way, ground, solved, shown, share)]

    # --- the ground ---------------------------------------------------------------------------------

    def _ground(self, frame: Frame, placed: Mapping[str, Place]) -> tuple[Ground, list[str], list[complex]]:
        names = list(placed)
        if any(place.source == "local" for place in placed.values()):
            local = {n: p for n, p in placed.items() if p.source == "local"}
            ground = Ground(None, "local", None, None, None)
            return ground, list(local), [complex(p.easting, p.northing) for p in local.values()]
        operation, longitude, latitude = self._on_earth(list(placed.values()))
        pivot = (float(longitude[0]), float(latitude[0]))
        anchors = to_local(longitude, latitude, pivot=pivot).tolist()
        grid = frame.plane or grid_of(frame, pivot)
        convergence = float(np.asarray(convergence_deg(grid, pivot[0], pivot[1])))
        self._check_places(placed, operation)
        return Ground(pivot, grid, operation, self.declination(pivot), convergence), names, anchors

    def _on_earth(self, places: list[Place]) -> tuple[PinnedOperation, Floats, Floats]:
        longitude, latitude = np.empty(len(places)), np.empty(len(places))
        operation: PinnedOperation | None = None
        for source in dict.fromkeys(place.source for place in places):
            rows = [n for n, place in enumerate(places) if place.source == source]
            east = np.array([places[n].easting for n in rows])
            north = np.array([places[n].northing for n in rows])
            pinned = pin_operation(source, float(east[0]), float(north[0]))
            longitude[rows], latitude[rows] = to_wgs84(source, east, north, pinned)
            operation = operation or pinned
        if operation is None or not (np.isfinite(longitude).all() and np.isfinite(latitude).all()):
            raise PositionError("SF-R060", ", ".join(f"{p.easting:.0f} {p.northing:.0f}" for p in places))
        return operation, longitude, latitude

    def _check_places(self, placed: Mapping[str, Place], operation: PinnedOperation) -> None:
        for name, place in placed.items():
            if place.swapped:
                self.remark("SF-R046", Severity.WARNING, "reference_points", name)
            if outside_sheets(place, self.record.map.sheets):
                severity = Severity.ERROR if far_off_sheets(place, self.record.map.sheets) else Severity.WARNING
                self.remark("SF-R048", severity, "map.sheet", name, sheet=self.record.map.raw_sheet)
        if operation.flagged:
            self.remark("SF-R047", Severity.WARNING, "crs", operation.code, spread=f"{operation.spread_m or 0:.0f}")

    @property
    def year(self) -> float:
        """Decimal year of the bearings: of laying, else of compiling, else 1990."""
        stated = self.record.laid or self.record.compiled
        return stated.decimal_year if stated is not None else _UNDATED_YEAR

    def declination(self, pivot: tuple[float, float]) -> float | None:
        """Declination on the day of laying, degrees, east positive; None where no bearing needs it or none is known."""
        if not self._needs_declination():
            return None
        stated = self.record.laid or self.record.compiled
        if stated is None:
            self.remark("SF-R049", Severity.WARNING, "laid")
        try:
            return declination_at(*pivot, self.year)
        except PositionError as error:
            margin, raw = self.record.map.margin_declination_deg, stated.raw if stated else self.year
            if margin is None:
                self.remark(error.id, Severity.ERROR, "laid", raw, **error.values)
            else:
                self.remark("SF-R222", Severity.WARNING, "laid", raw, margin=f"{margin:.2f}")
            return margin

    def _by_epoch(self, way: Assumption, ground: Ground) -> list[Assumption]:
        margin = self.record.map.margin_declination_deg
        if margin is None or ground.declination is None or ground.convergence is None:
            return [way]
        turns = {
            MagneticEpoch.LAYING_DATE: ground.declination,
            MagneticEpoch.MAP_MARGIN: margin,
            MagneticEpoch.NONE_APPLIED: ground.convergence,
        }
        if ground.declination == margin:  # the model does not reach the day of laying; the margin stands in (SF-R222)
            del turns[MagneticEpoch.LAYING_DATE]
        return by_epoch(way, self.record, self.priors, turns)

    def _magnetic(self, ground: Ground, way: Assumption) -> Ground:
        """Return the ground with the declination that the form's magnetic bearings are counted with."""
        if way.epoch is not MagneticEpoch.MAP_MARGIN:
            return ground
        return replace(ground, declination=self.record.map.margin_declination_deg)

    def _needs_declination(self) -> bool:
        return any(bearing.north in (None, North.MAGNETIC) for bearing in bearings_of(self.record))

    # --- how sure the anchors are --------------------------------------------------------------------

    def _anchor_covariance(self, placed: Mapping[str, Place], ground: Ground) -> Floats:
        count = sum(place.source == "local" for place in placed.values()) or len(placed)
        if ground.operation is None:
            return np.zeros((2 * count, 2 * count))
        own = np.array([self.own_variance(place) for place in placed.values()])
        shared = operation_sigma_m(ground.operation, self.priors.operation_axis_factor()) ** 2
        if self.record.family is RecordFamily.INTERVIEW:
            shared += self.priors.memory_sigma_m() ** 2
        return np.asarray(np.kron(np.diag(own) + shared, np.eye(2)), dtype=np.float64)

    def own_variance(self, place: Place) -> float:
        """Variance per axis of one landmark: its place on the map, and the rounding of its numbers."""
        scale = self.record.map.scale
        sigma = self.priors.map_sigma_m(scale) if scale else self.priors.landmark_sigma_m()
        if scale is None and place.source.startswith(_RECEIVER) and self._before_civil_gps():
            sigma = self.priors.gps_before_2000_sigma_m()
            self.remark("SF-R057", Severity.INFO, "laid", f"{sigma:.0f}")
        return float(sigma**2 + place.cell_m**2 / 12.0)

    def _before_civil_gps(self) -> bool:
        stated = self.record.compiled or self.record.laid
        return stated is not None and stated.decimal_year < SELECTIVE_AVAILABILITY_OFF

    # --- bearings and distances ----------------------------------------------------------------------

    def _leg(self, leg: Leg, way: Assumption, ground: Ground, number: int) -> LegReading:
        azimuths = self._azimuths(leg.bearing, way, ground)
        metres = self._metres(leg.distance, way)
        instrument = self._only_instrument if leg.instrument == "unknown" else leg.instrument
        method = self._only_method if leg.distance_method == "unknown" else leg.distance_method
        measure = self._measure(
            leg.origin, leg.target, azimuths.get(North.TRUE), metres, leg.bearing, instrument, method, number,
            leg.bearing is not None and _north(leg.bearing, way) is North.GRID,
        )  # fmt: skip
        shown = ReadLeg(
            leg.origin, leg.target, azimuths.get(North.MAGNETIC), ground.declination, ground.convergence,
            azimuths.get(North.TRUE), azimuths.get(North.GRID), metres,
        )  # fmt: skip
        return LegReading(measure, shown)

    @cached_property
    def _only_instrument(self) -> str:
        return _the_only_one(leg.instrument for leg in self.record.legs)

    @cached_property
    def _only_method(self) -> str:
        return _the_only_one(leg.distance_method for leg in self.record.legs)

    def _device_legs(self, way: Assumption, ground: Ground) -> dict[int, LegReading]:
        """Legs of the devices measured singly; those sighted along one row share one sighting error."""
        groups: dict[tuple[str, str], int] = {}
        legs = {}
        for number, device in enumerate(self.record.devices):
            if device.bearing is None or device.distance is None or not device.origin:
                continue
            group = groups.setdefault((device.row, device.origin), len(self.record.legs) + len(groups))
            legs[number] = self._leg(_device_leg(device, number), way, ground, group)
        return legs

    def _azimuths(self, bearing: BearingStatement | None, way: Assumption, ground: Ground) -> dict[North, float]:
        """The bearing counted from every north that is known here, degrees clockwise."""
        if bearing is None:
            return {}
        unit, north = bearing.unit or way.unit, _north(bearing, way)
        if unit is None:
            return {}
        degrees = degrees_of(bearing.value, unit) % 360.0
        if bearing.sense is Sense.COUNTER_CLOCKWISE:
            degrees = (360.0 - degrees) % 360.0
        if ground.pivot is None:  # local metres: the frame's own north is all there is
            return {north: degrees, North.TRUE: degrees}
        if north is North.MAGNETIC and ground.declination is None:
            return {North.MAGNETIC: degrees}
        declination, convergence = ground.declination or 0.0, ground.convergence or 0.0
        true = true_bearing(degrees, north, declination_deg=declination, convergence_deg=convergence)
        norths = {North.TRUE: true % 360.0, North.GRID: (true - convergence) % 360.0}
        if ground.declination is not None:
            norths[North.MAGNETIC] = (true - declination) % 360.0
        return norths

    def _metres(self, distance: DistanceStatement | None, way: Assumption) -> float | None:
        if distance is None:
            return None
        length = to_metres(
            _decided(distance, way), step_m=self.priors.step_m, pair_of_steps_m=self.priors.pair_of_steps_m
        )
        return float(horizontal_m(length, distance.slope_deg)) if distance.slope_deg else length

    def _measure(
        self, origin: str, target: str, true_deg: float | None, metres: float | None,
        bearing: BearingStatement | None, instrument: str, method: str, group: int, from_grid: bool,
    ) -> Measure:  # fmt: skip
        common, own = self.priors.bearing_sd_rad(instrument)
        if bearing is not None and bearing.unit is not None:
            rounding = math.radians(degrees_of(bearing.quantum, bearing.unit)) / math.sqrt(12.0)
            own = math.hypot(own, rounding)
        return Measure(
            origin, target, None if true_deg is None else math.radians(true_deg), metres,
            (common, own), self.priors.distance_sd(method),
            _INSTRUMENTS.index(instrument), _METHODS.index(method), group, grid_north=from_grid,
        )  # fmt: skip

    # --- putting together ----------------------------------------------------------------------------

    def _readings(
        self, way: Assumption, ground: Ground, solution: Solution, legs: list[ReadLeg], share: float
    ) -> list[Reading]:
        """Readings of one solved survey: three where a row's count, spacing and ends contradict each other."""
        record = _with_decided_spacings(self.record, way)
        trusts = _TRUSTS if self._conflicting_rows(record, solution) else ("",)
        return [
            self._reading(record, way, ground, solution, legs, share / len(trusts), trust, share < 1.0)
            for trust in trusts
        ]

    def _conflicting_rows(self, record: MinefieldRecord, solution: Solution) -> bool:
        lengths = {row.no: row_length_m(row, solution.network, solution.points) for row in record.rows}
        found = [row for row in record.rows if row_conflicts(row, lengths[row.no], self.priors)]
        for row in found:
            self.remark(
                "SF-R056", Severity.WARNING, "rows", row.no, count=row.count,
                spacing=row.spacing.raw if row.spacing else "", length=f"{lengths[row.no] or 0:.0f}",
            )  # fmt: skip
        return bool(found)

    def _reading(
        self, record: MinefieldRecord, way: Assumption, ground: Ground, solution: Solution, legs: list[ReadLeg],
        share: float, trust: str, two_sided: bool,
    ) -> Reading:  # fmt: skip
        names = {n: device_point(n) for n in range(len(self.record.devices))}
        devices = {n: name for n, name in names.items() if name in solution.points}
        items, rows = place_rows(record, solution.network, solution.points, devices, self.priors, trust)
        labels = dict(way.labels)
        labels |= {
            name if name == TRAVERSE else f"point {name}": f"{side} solution"
            for name, side in solution.sides.items()
            if two_sided
        }
        labels |= {"rows": trust} if trust else {}
        named = {name: c for name, c in solution.points.items() if name not in set(devices.values())}
        return Reading(
            weight=way.weight * share,
            hypotheses=labels,
            crs=ground.crs,
            operation=ground.operation.code if ground.operation is not None else "none",
            pivot=ground.pivot,
            network=solution.network,
            points=named,
            grid_points=_grid_points(ground, named, solution),
            legs=tuple(legs),
            rows=rows,
            items=items,
            area=self.record.area if len(set(self.record.area)) >= 3 else (),
            misclosures=solution.misclosures,
        )

    def unplaced(self, way: Assumption | None) -> Reading:
        """Return a reading that keeps its label and every recorded device though nothing can be placed."""
        network = Network(np.zeros(0, complex), np.zeros((0, 0)), np.zeros(0, complex), NO_ERRORS)
        record = _with_decided_spacings(self.record, way)
        items, rows = place_rows(record, network, {}, {}, self.priors, "")
        frame = way.frame if way is not None else None
        crs = (frame.plane or frame.geographic) if frame is not None else "unknown"
        labels = way.labels if way is not None else {}
        weight = way.weight if way is not None else 1.0
        return Reading(weight, labels, crs, "none", None, network, {}, {}, (), rows, items, ())


_UNDATED_YEAR = 1990.0  # of forms without any date
_RECEIVER = ("EPSG:326", "EPSG:327", "EPSG:4326")  # WGS 84: before 2000 nothing but a receiver gave it


def _north(bearing: BearingStatement, way: Assumption) -> North:
    """The north a bearing is counted from: its own, else the assumed one; the grid where no declination was applied."""
    north = bearing.north or way.north or North.MAGNETIC
    untouched = way.epoch is MagneticEpoch.NONE_APPLIED
    return North.GRID if untouched and north is North.MAGNETIC else north


def _decided(distance: DistanceStatement, way: Assumption | None) -> DistanceStatement:
    """The distance in a unit: its own, else what the assumption takes paces for."""
    unit = distance.unit or (way.steps if way is not None else None) or DistanceUnit.STEP
    return replace(distance, unit=unit)


def _with_decided_spacings(record: MinefieldRecord, way: Assumption | None) -> MinefieldRecord:
    if all(row.spacing is None or row.spacing.unit is not None for row in record.rows):
        return record
    rows = (row if row.spacing is None else replace(row, spacing=_decided(row.spacing, way)) for row in record.rows)
    return replace(record, rows=tuple(rows))


def _the_only_one(on_form: Iterable[str]) -> str:
    """The only word that the form's legs state, for those that state none: one compiler, one instrument."""
    words = {word for word in on_form if word != "unknown"}
    return next(iter(words)) if len(words) == 1 else "unknown"


def _device_leg(device: PlannedDevice, number: int) -> Leg:
    return Leg(device.origin, device_point(number), device.bearing, device.distance)


def _grid_points(
    ground: Ground, points: Mapping[str, tuple[Floats, Floats]], solution: Solution
) -> dict[str, tuple[float, float]]:
    if not points:
        return {}
    stacked = list(points.values())
    at = solution.network.positions(np.stack([b for b, _ in stacked]), np.stack([c for _, c in stacked]))
    if ground.pivot is None:
        return {name: (float(z.real), float(z.imag)) for name, z in zip(points, at, strict=True)}
    longitude, latitude = from_local(at, pivot=ground.pivot)
    pinned = grid_operation(ground.crs, ground.operation, ground.pivot)
    east, north = from_wgs84(ground.crs, longitude, latitude, pinned)
    return {n: (float(e), float(v)) for n, e, v in zip(points, east, north, strict=True)}


def grid_operation(crs: str, operation: PinnedOperation | None, pivot: tuple[float, float]) -> PinnedOperation:
    """Return the operation from the grid `crs` to WGS 84 at a place; the anchors' own one where it is the same."""
    if operation is not None and operation.source == crs:
        return operation
    east, north = projection(crs)(*pivot)
    return pin_operation(crs, float(east), float(north))


def grid_of(frame: Frame, pivot: tuple[float, float]) -> str:
    """Return the grid a map of that datum carries at a place: what "grid north" means there."""
    if frame.geographic == "EPSG:4284":
        return gauss_kruger_crs(int(pivot[0] // 6) + 1)
    zone, north = utm_zone_of(*pivot)
    return utm_crs(zone, north)


def declination_at(longitude: float, latitude: float, year: float) -> float:
    """Magnetic declination in degrees, east positive; neighbours share one value (0.0001 degree, 0.001 year)."""
    return _declination_at(round(longitude, 4), round(latitude, 4), round(year, 3))


@lru_cache(maxsize=4096)
def _declination_at(longitude: float, latitude: float, year: float) -> float:
    return float(np.asarray(declination_deg(longitude, latitude, year)))


@cache
def projection(crs: str) -> pyproj.Proj:
    """Return the bare projection of a grid, without any datum step."""
    return pyproj.Proj(crs)

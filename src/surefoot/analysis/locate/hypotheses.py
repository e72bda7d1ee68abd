"""What a form leaves open, as weighted assumptions: each one is a complete way to read it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from shapely.geometry.base import BaseGeometry

from surefoot.analysis.locate.anchors import (
    REGION_EDGE_DEG,
    Place,
    abbreviated_candidates,
    on_stated_ground,
    places_of,
    pulkovo_degrees,
)
from surefoot.analysis.locate.apart import FAR_APART_M, IMPOSSIBLE_APART_M, nearer_than
from surefoot.analysis.locate.frames import ZONE_OVERLAP_DEG, Frame, beyond_zone_deg, frame_options, zone_is_open
from surefoot.analysis.locate.priors import Priors
from surefoot.model import Leg, MinefieldRecord, PlannedDevice, ReferencePoint
from surefoot.positions.statements import BearingStatement, CoordinateStatement, DistanceStatement
from surefoot.terms import BearingUnit, DistanceUnit, MagneticEpoch, North, RecordFamily

Way = tuple[str, Place | None, float, str]
"""One way to place a point: its name, the place (None = another one, unknown), the weight, what it was read as."""
_EXPLORED = 4096  # combinations looked at before the lightest are left out


@dataclass(frozen=True, slots=True)
class Assumption:
    """One complete way to read a form. `places` maps a point to where it is, None = another place, unknown."""

    weight: float
    frame: Frame | None
    places: Mapping[str, Place | None]
    north: North | None = None
    epoch: MagneticEpoch | None = None
    unit: BearingUnit | None = None
    steps: DistanceUnit | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Assumptions:
    """The assumptions kept, heaviest first, with weights adding to 1, and the weight of those left out."""

    kept: tuple[Assumption, ...]
    weight_cut: float


def assumptions(record: MinefieldRecord, priors: Priors, region: BaseGeometry | None = None) -> Assumptions:
    """Enumerate the ways to read a form."""
    statements = [statement for _, statement in stated_places(record)]
    frames = frame_options(record, statements, priors, region)
    grounded = [option for frame in frames for option in _placed(record, frame, region)]
    if zone_is_open(record, statements):
        reach = frame_options(record, statements, priors, region, reach_deg=ZONE_OVERLAP_DEG)
        next_zones = [frame for frame in reach if frame.plane not in {own.plane for own in frames}]
        grounded = _of_open_zone(record, grounded, next_zones, region)
    ways = grounded or _unplaced(record, frames)
    dimensions = [_norths(record, priors), _units(record, priors), _steps(record, priors)]
    combined = [_joined(way, choices) for choices in itertools.product(*dimensions) for way in ways]
    return _heaviest(combined, priors.keep_at_most())


def _of_open_zone(
    record: MinefieldRecord, own: list[Assumption], next_zones: Sequence[Frame], region: BaseGeometry | None
) -> list[Assumption]:
    """Readings of a form whose zone is open: those on the stated ground and inside the zone they are counted in.

    Where there are none, those just over a zone's edge, where maps carry the grids of both zones; else as before.
    """
    inside = [way for way in own if _on_ground(way, record, region) and _beyond_zone_deg(way) <= REGION_EDGE_DEG]
    if inside:
        return inside
    every = own + [way for frame in next_zones for way in _placed(record, frame, region)]
    over = [way for way in every if _on_ground(way, record, region) and _beyond_zone_deg(way) <= ZONE_OVERLAP_DEG]
    return over or own


def _on_ground(way: Assumption, record: MinefieldRecord, region: BaseGeometry | None) -> bool:
    return any(on_stated_ground(place, record.map.sheets, region) for place in _in_zone(way))


def _beyond_zone_deg(way: Assumption) -> float:
    return max((beyond_zone_deg(place.source, pulkovo_degrees(place)[0]) for place in _in_zone(way)), default=0.0)


def _in_zone(way: Assumption) -> list[Place]:
    """Places counted in the zone of the reading's own coordinate system."""
    plane = None if way.frame is None else way.frame.plane
    return [place for place in way.places.values() if place is not None and place.source == plane]


def stated_places(record: MinefieldRecord) -> list[tuple[str, CoordinateStatement]]:
    """Every coordinate on the form with the name of its point."""
    named = [(p.id, p.position) for p in record.reference_points if p.position is not None]
    named += [(p.id, c.position) for p in record.reference_points for c in p.candidates]
    named += [(p.id, p.position) for p in record.points]
    named += [(device_point(n), d.position) for n, d in enumerate(record.devices) if d.position is not None]
    if record.sketch is not None:
        named += [
            (sketch_point(n, c.point), c.position)
            for n, c in enumerate(record.sketch.control_points)
            if c.position is not None
        ]
    return named


def device_point(number: int) -> str:
    """Name of the point of a planned device."""
    return f"device {number + 1}"


def sketch_point(number: int, name: str) -> str:
    """Name of a control point of the sketch."""
    return name or f"control point {number + 1}"


def _placed(record: MinefieldRecord, frame: Frame, region: BaseGeometry | None) -> list[Assumption]:
    """Combine the ways to place every point under one coordinate system; [] when none can be placed."""
    options: list[list[Way]] = []
    for point in record.reference_points:
        ways = _landmark_ways(point, frame, record, region)
        if ways:
            options.append(ways)
    landmarks = {point.id for point in record.reference_points}
    for name, statement in stated_places(record):
        if name in landmarks:
            continue
        places = places_of(statement, frame, record.map.sheets, region)
        if places:
            options.append([(name, place, place.weight, place.label) for place in places])
    if not options:
        return []
    disputed = {point.id for point in record.reference_points if point.candidates}
    return [_as_assumption(frame, choice) for choice in _together(options, disputed)]


def _together(options: list[list[Way]], disputed: set[str]) -> list[tuple[Way, ...]]:
    """Choices of one way for every point in which the points lie as near together as those of one record can.

    Where none are so near, the farther ones. Candidates that the form itself names for a landmark are never left out.
    """
    if all(len(ways) == 1 for ways in options):
        return [tuple(ways[0] for ways in options)]
    fixed = min(range(len(options)), key=lambda n: (options[n][0][0] in disputed, len(options[n])))
    for limit in (FAR_APART_M, IMPOSSIBLE_APART_M, math.inf):
        near = itertools.chain.from_iterable(
            itertools.product(
                *(_near(ways, way, limit, disputed) if n != fixed else [way] for n, ways in enumerate(options))
            )
            for way in options[fixed]
        )
        choices = list(itertools.islice(_coherent(near, options), _EXPLORED))
        if choices:
            return choices
    return []


def _near(ways: list[Way], fixed: Way, limit_m: float, disputed: set[str]) -> list[Way]:
    """Ways of a point that lie near a way of another one; all of them where it has no choice, or candidates named."""
    if len(ways) == 1 or {ways[0][0], fixed[0]} & disputed:
        return ways
    return [way for way in ways if way[1] is None or fixed[1] is None or nearer_than(way[1], fixed[1], limit_m)]


def _coherent(choices: Iterable[tuple[Way, ...]], options: list[list[Way]]) -> Iterable[tuple[Way, ...]]:
    """Choices in which points read from the same ambiguous sheet or notation are read alike."""
    labels = [
        {label for _, _, _, label in ways if label}
        for ways in options
        if len({label for _, _, _, label in ways if label}) > 1
    ]
    shared = set.intersection(*labels) if len(labels) > 1 else set()
    for choice in choices:
        chosen = {label for _, _, _, label in choice if label in shared}
        if len(chosen) <= 1:
            yield choice


def _landmark_ways(
    point: ReferencePoint, frame: Frame, record: MinefieldRecord, region: BaseGeometry | None
) -> list[Way]:
    if not point.candidates:
        if point.position is None:
            return []
        places = places_of(point.position, frame, record.map.sheets, region)
        return [(point.id, place, place.weight, place.label) for place in places]
    ways: list[Way] = []
    own = [] if point.position is None else [point.position]
    stated = sum(c.weight for c in point.candidates)
    for number, candidate in enumerate(point.candidates, start=1):
        ways += [
            (point.id, place, candidate.weight * place.weight, f"candidate {number}")
            for place in places_of(candidate.position, frame, record.map.sheets, region)
        ]
    for statement in own:
        # A position beside candidates is one more candidate with the weight nobody else claims.
        share = max(1.0 - stated - point.unknown_weight, 0.0) or 1.0 / (len(point.candidates) + 1)
        ways += [
            (point.id, p, share * p.weight, "as stated") for p in places_of(statement, frame, record.map.sheets, region)
        ]
    if point.unknown_weight > 0:
        ways.append((point.id, None, point.unknown_weight, "unknown landmark"))
    return ways


def _as_assumption(frame: Frame, choice: tuple[Way, ...]) -> Assumption:
    weight, labels = frame.weight, {"crs": frame.label}
    for name, place, share, label in choice:
        weight *= share
        if label and (share < 1.0 or place is None):
            labels[f"point {name}"] = label
    return Assumption(weight, frame, {name: place for name, place, _, _ in choice}, labels=labels)


def _unplaced(record: MinefieldRecord, frames: Sequence[Frame]) -> list[Assumption]:
    """No point can be placed: the sheet at least, every one it may be."""
    label = {"crs": frames[0].label} if frames else {}
    sheets = record.map.sheets
    if not sheets:
        return []
    share = 1.0 / len(sheets)
    return [Assumption(share, None, {}, labels={**label, "sheet": sheet.name}) for sheet in sheets]


def bearings_of(record: MinefieldRecord) -> list[BearingStatement]:
    """Every bearing on the form."""
    measured: Sequence[Leg | PlannedDevice] = (*record.legs, *record.devices)
    return [m.bearing for m in measured if m.bearing is not None]


def _distances(record: MinefieldRecord) -> list[DistanceStatement]:
    """Every distance on the form, spacings of rows included."""
    measured: Sequence[Leg | PlannedDevice] = (*record.legs, *record.devices)
    stated = [m.distance for m in measured if m.distance is not None]
    return stated + [row.spacing for row in record.rows if row.spacing is not None]


def _norths(record: MinefieldRecord, priors: Priors) -> list[tuple[str, object, float]]:
    if all(bearing.north is not None for bearing in bearings_of(record)):
        return [("north", None, 1.0)]
    return [("north", north, weight) for north, weight in priors.north_weights().items()]


def _units(record: MinefieldRecord, priors: Priors) -> list[tuple[str, object, float]]:
    """Units in which EVERY bearing without a unit is a bearing at all."""
    open_bearings = [bearing for bearing in bearings_of(record) if bearing.unit is None]
    if not open_bearings:
        return [("unit", None, 1.0)]
    possible = set.intersection(*(set(bearing.possible_units) for bearing in open_bearings))
    weights = priors.unit_weights(record.family is RecordFamily.FORMULYAR)
    kept = {unit: weight for unit, weight in weights.items() if unit in possible}
    total = sum(kept.values())
    return [("unit", unit, weight / total) for unit, weight in kept.items()] or [("unit", None, 1.0)]


def _steps(record: MinefieldRecord, priors: Priors) -> list[tuple[str, object, float]]:
    if all(distance.unit is not None for distance in _distances(record)):
        return [("steps", None, 1.0)]
    return [("steps", DistanceUnit(unit), weight) for unit, weight in priors.step_weights().items()]


_LABELS = {"north": "north", "unit": "bearing_unit", "steps": "distance_unit"}


def _joined(way: Assumption, choices: tuple[tuple[str, object, float], ...]) -> Assumption:
    weight, labels = way.weight, dict(way.labels)
    values: dict[str, object] = {}
    for name, value, share in choices:
        weight *= share
        values[name] = value
        if value:
            labels[_LABELS[name]] = str(value)
    return replace(way, weight=weight, labels=labels, **values)  # type: ignore[arg-type]


def _heaviest(ways: list[Assumption], keep: int) -> Assumptions:
    total = sum(way.weight for way in ways)
    if total <= 0:
        return Assumptions((), 0.0)
    ordered = sorted(ways, key=lambda way: -way.weight)[:keep]
    kept = sum(way.weight for way in ordered)
    return Assumptions(tuple(replace(w, weight=w.weight / kept) for w in ordered), max(0.0, 1.0 - kept / total))


def shortened_candidates(record: MinefieldRecord, priors: Priors, region: BaseGeometry | None) -> list[Place]:
    """Places, inside the region if there is one, that the first shortened coordinate may mean without a sheet."""
    shortened = first_shortened(record)
    if shortened is None:
        return []
    statements = [statement for _, statement in stated_places(record)]
    frames = frame_options(record, statements, priors, region)
    repeats = [place for frame in frames for place in abbreviated_candidates(shortened[1], frame, region)]
    if not zone_is_open(record, statements):
        return repeats
    inside = [p for p in repeats if beyond_zone_deg(p.source, pulkovo_degrees(p)[0]) <= REGION_EDGE_DEG]
    return inside or repeats


def first_shortened(record: MinefieldRecord) -> tuple[str, CoordinateStatement] | None:
    """Return the first point whose leading digits were left out and which no sheet completes."""
    shortened = (named for named in stated_places(record) if named[1].notation == "abbreviated")
    return None if record.map.sheets else next(shortened, None)

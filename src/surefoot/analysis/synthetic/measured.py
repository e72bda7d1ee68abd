"""The legs of a record: written down one after the other, each from where the one before is read to end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from surefoot.analysis.synthetic.notation import GEOD, Compass, Place, Points, Sights
from surefoot.analysis.synthetic.patterns import Ints, Pattern
from surefoot.positions.local import from_local


@dataclass(frozen=True)
class Measured:
    """What was measured, as text, with where the text leads: longitude, latitude in degrees on WGS 84.

    `devices` has an entry for every device of an irregular row, by its position among all devices; `items`
    are all devices, shape (n,), `corners` the four corners, and `station` is the end of the first leg.
    """

    legs: tuple[Mapping[str, str], ...]
    devices: Mapping[int, Mapping[str, str]]
    items: Points
    corners: Points
    station: tuple[float, float]


def measure(pattern: Pattern, compass: Compass, centre: tuple[float, float], landmark: Place) -> Measured:
    """Measure a pattern out from its landmark.

    The first leg leads to the nearest start of a row; from there legs lead to the other starts and to the
    corners, and from each start one leads to its row's end. So a first leg that was noted the wrong way round
    moves the whole pattern and turns nothing.
    """
    drawn = from_local(pattern.places, pivot=centre)
    corners = from_local(pattern.corners, pivot=centre)
    starts = np.flatnonzero(pattern.index == 1)
    nearest = int(np.argmin(np.abs(pattern.places[starts] - pattern.landmark)))
    others = np.delete(np.arange(len(starts)), nearest)
    leg = compass.sight(
        (np.array([landmark.longitude]), np.array([landmark.latitude])),
        _taken(drawn, starts[[nearest]]),
        step_m=1.0,
    )
    targets = _joined(_taken(drawn, starts[others]), corners)
    fan = compass.sight(_repeated((leg.longitude, leg.latitude), len(others) + 4), targets)
    order = np.argsort(np.concatenate([[nearest], others]))
    reached = _joined((leg.longitude, leg.latitude), (fan.longitude[:-4], fan.latitude[:-4]))
    rows = _measured_rows(pattern, compass, drawn, _taken(reached, order))
    station = f"{nearest + 1}"
    names = [*(f"{other + 1}" for other in others), "C1", "C2", "C3", "C4"]
    spread = [{"from": station, "to": to, **entry} for to, entry in zip(names, fan.entries, strict=True)]
    return Measured(
        legs=({"from": "A", "to": station, **leg.entries[0]}, *spread, *rows.legs),
        devices=rows.devices,
        items=rows.items,
        corners=(fan.longitude[-4:], fan.latitude[-4:]),
        station=(float(leg.longitude[0]), float(leg.latitude[0])),
    )


@dataclass(frozen=True)
class _Rows:
    legs: tuple[Mapping[str, str], ...]
    devices: Mapping[int, Mapping[str, str]]
    items: Points


def _measured_rows(pattern: Pattern, compass: Compass, drawn: Points, starts: Points) -> _Rows:
    longitude, latitude = np.empty(len(pattern.row)), np.empty(len(pattern.row))
    legs: list[Mapping[str, str]] = []
    devices: dict[int, Mapping[str, str]] = {}
    for number, spacing in zip(pattern.row_numbers, pattern.spacing_m, strict=True):
        members = np.flatnonzero(pattern.row == number)
        origin = _taken(starts, np.array([number - 1]))
        regular = not np.isnan(spacing)
        if regular:
            end, places = _regular_row(compass, origin, _taken(drawn, members[[-1]]), spacing, len(members))
        else:
            sights = _irregular_row(compass, origin, _taken(drawn, members))
            end, places = sights.entries[-1], (sights.longitude, sights.latitude)
            devices |= _device_entries(number, members, sights)
        longitude[members], latitude[members] = places
        legs.append({"from": f"{number}", "to": f"{number}e", **end})
    return _Rows(tuple(legs), devices, (longitude, latitude))


def _regular_row(
    compass: Compass, origin: Points, target: Points, spacing: float, count: int
) -> tuple[Mapping[str, str], Points]:
    """Return the leg along a row of equal spacing, with the places of its devices."""
    along = np.arange(count, dtype=np.float64) * spacing
    leg = compass.sight(origin, target, distance_m=along[-1:])
    longitude, latitude, _ = GEOD.fwd(*_repeated(origin, count), np.repeat(leg.true_deg, count), along)
    return leg.entries[0], (np.asarray(longitude), np.asarray(latitude))


def _irregular_row(compass: Compass, origin: Points, targets: Points) -> Sights:
    """Sight each device of a row from the row's start; the first stands at 0 m."""
    aim = (np.append(targets[0][-1], targets[0][1:]), np.append(targets[1][-1], targets[1][1:]))
    origins = _repeated(origin, len(targets[0]))
    metres = np.asarray(GEOD.inv(*origins, *targets)[2])
    return compass.sight(origins, aim, distance_m=np.append(0.0, metres[1:]))


def _device_entries(number: int, members: Ints, sights: Sights) -> dict[int, Mapping[str, str]]:
    return {
        int(member): {"row": f"{number}", "index": f"{index}", "from": f"{number}", **entry}
        for index, (member, entry) in enumerate(zip(members, sights.entries, strict=True), start=1)
    }


def _taken(points: Points, which: Ints) -> Points:
    return points[0][which], points[1][which]


def _joined(first: Points, second: Points) -> Points:
    return np.concatenate([first[0], second[0]]), np.concatenate([first[1], second[1]])


def _repeated(point: Points, count: int) -> Points:
    return np.repeat(point[0], count), np.repeat(point[1], count)

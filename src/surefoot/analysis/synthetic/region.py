"""A whole region: fields spread over open sea, what was seen of them, and the truth.

See methods.md section 7. The result holds the same facts that a reader would bring in, except that records
are still forms: their text is what is to be read.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from surefoot.analysis.synthetic import tables
from surefoot.analysis.synthetic.field import Field, draw_field
from surefoot.analysis.synthetic.notation import MIDDLE_LATITUDE, MIDDLE_LONGITUDE, UTM
from surefoot.analysis.synthetic.patterns import Complexes
from surefoot.analysis.synthetic.presets import Preset, chosen_preset, series_priors
from surefoot.analysis.synthetic.search import polygon_of
from surefoot.analysis.synthetic.truth import Truth
from surefoot.model import Accidents, CaseSettings, DevicesFound, HazardousAreas, Policy, SearchedAreas
from surefoot.positions.local import from_local

AS_OF = dt.date(2024, 12, 31)
_MIDDLE = (MIDDLE_LONGITUDE, MIDDLE_LATITUDE)
_RIM_M = 600.0


@dataclass(frozen=True)
class SimulatedRegion:
    """A made-up case with its truth.

    `forms` are record forms as text (interfaces.md 3), one mapping a record; the tables are the facts of
    `surefoot.model`; `claims` are entries of ``claims.yaml``. Everything is invented and lies in the open
    sea.
    """

    preset: Preset
    settings: CaseSettings
    forms: tuple[Mapping[str, Any], ...]
    finds: DevicesFound
    accidents: Accidents
    searched: SearchedAreas
    areas: HazardousAreas
    claims: tuple[Mapping[str, Any], ...]
    truth: Truth


def simulate(
    preset: str,
    *,
    rng: np.random.Generator,
    records: int | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> SimulatedRegion:
    """Make up a region.

    Parameters
    ----------
    preset
        ``nominal`` (pinned, methods.md section 7), ``easy`` (small errors, hazardous areas, some of them
        empty, some searched from end to end) or ``null`` (the ground has nothing to do with the records).
    rng
        Source of all randomness; the same state gives the same region. It is only used to spawn other
        streams.
    records
        Number of records instead of the preset's.
    overrides
        Numbers of `Preset` by name instead of the preset's own, such as ``{"max_finds_per_record": 10}`` or
        ``{"shift_sd_m": 0.0}``.

    Raises
    ------
    UsageError
        SF-Y001 to SF-Y003, see `chosen_preset`.
    """
    chosen = chosen_preset(preset, records, overrides)
    for_places, for_areas, *for_fields = rng.spawn(chosen.records + 2)
    empty = round(chosen.records * chosen.empty_areas_per_record) if chosen.areas else 0
    cells, half = _cells(chosen, chosen.records + empty, for_places)
    pivots = _on_earth(cells)
    strangers = _on_earth(_anywhere(half, chosen.records, for_places))
    fields = [
        draw_field(number, pivots[number - 1], strangers[number - 1], chosen, stream)
        for number, stream in enumerate(for_fields, start=1)
    ]
    empties = [_empty_area(pivot, chosen, for_areas) for pivot in pivots[chosen.records :]]
    return _assembled(chosen, fields, empties, half)


def _cells(preset: Preset, count: int, rng: np.random.Generator) -> tuple[Complexes, float]:
    """Return centres of fields, apart from each other, in metres; half the region's width."""
    side = math.ceil(math.sqrt(count))
    at = rng.permutation(side * side)[:count]
    wander = 0.1 * preset.spread_m
    jitter = rng.uniform(-wander, wander, (2, count))
    east = (at % side - (side - 1) / 2) * preset.spread_m + jitter[0]
    north = (at // side - (side - 1) / 2) * preset.spread_m + jitter[1]
    return east + 1j * north, side * preset.spread_m / 2 + _RIM_M


def _anywhere(half: float, count: int, rng: np.random.Generator) -> Complexes:
    reach = half - _RIM_M
    places: Complexes = rng.uniform(-reach, reach, count) + 1j * rng.uniform(-reach, reach, count)
    return places


def _on_earth(places: Complexes) -> list[tuple[float, float]]:
    longitude, latitude = from_local(places, pivot=_MIDDLE)
    return [(float(lon), float(lat)) for lon, lat in zip(longitude, latitude, strict=True)]


def _empty_area(pivot: tuple[float, float], preset: Preset, rng: np.random.Generator) -> tables.EmptyArea:
    """Draw a suspected area in which there is nothing; some are searched from end to end."""
    heading = complex(np.exp(2j * np.pi * rng.random()))
    length, width = rng.uniform(100.0, 260.0) / 2, rng.uniform(60.0, 180.0) / 2
    corners = np.array([-length - 1j * width, length - 1j * width, length + 1j * width, -length + 1j * width])
    searched = bool(rng.random() < preset.fully_searched_share) and preset.max_finds_per_record is None
    return tables.EmptyArea(pivot, polygon_of(heading * corners), searched)


def _assembled(preset: Preset, fields: list[Field], empties: list[tables.EmptyArea], half: float) -> SimulatedRegion:
    forms = tuple(field.form for field in fields)
    finds, accidents = tables.finds(fields, preset), tables.accidents(fields)
    return SimulatedRegion(
        preset=preset,
        settings=_settings(preset, forms, half),
        forms=forms,
        finds=finds,
        accidents=accidents,
        searched=tables.searched(fields, empties, preset),
        areas=tables.areas(fields, empties),
        claims=_claims(sum(len(field.category) for field in fields)),
        truth=Truth(
            devices=tables.true_devices(fields),
            records=tables.true_records(fields, preset),
            rows=tables.true_rows(fields),
            areas=tables.true_areas(fields, empties),
        ),
    )


def _settings(preset: Preset, forms: tuple[Mapping[str, Any], ...], half: float) -> CaseSettings:
    longitude, latitude = from_local(np.array([complex(-half, -half), complex(half, half)]), pivot=_MIDDLE)
    west, south, east, north = (round(float(v), 5) for v in np.column_stack([longitude, latitude]).ravel())
    priors = series_priors(preset)
    return CaseSettings(
        name=f"{preset.name} region in the open sea (simulated)",
        crs=UTM,
        region=shapely.box(west, south, east, north),
        region_stated=True,
        as_of=AS_OF,
        policy=Policy(lane_rules={"detection_probability": preset.detection}),  # set, and without any limit
        simulated=True,
        series=dict.fromkeys(sorted({str(form["series"]) for form in forms}), priors),
    )


def _claims(recorded: int) -> tuple[Mapping[str, Any], ...]:
    """Return invented statements of two parties about the invented region."""
    common = {
        "outlet": "invented newspaper (simulated)",
        "place": "the whole invented region",
        "confirmed_by": "simulation",
    }
    return (
        {
            "id": "SIM-C1", "speaker": "Party A", "date": "2024-06-01", "subject": "accuracy of the maps",
            "text": "About a quarter of the maps are accurate (invented statement).",
            "measure": "unspecified", "value": 25, "bound": "about", "unit": "%", **common,
        },
        {
            "id": "SIM-C2", "speaker": "Party A", "date": "2024-09-01",
            "subject": "explosions outside the maps",
            "text": "More than 55 % of the explosions were outside the maps (invented statement).",
            "measure": "outside", "value": 55, "bound": "more_than", "unit": "%", "period": "2019-2024",
            **common,
        },
        {
            "id": "SIM-C3", "speaker": "Party B", "date": "2024-10-01",
            "subject": "devices on the maps",
            "text": f"All {recorded} devices are on the maps handed over (invented statement).",
            "measure": "recorded_total", "value": recorded, "bound": "exactly", "unit": "devices",
            **common,
        },
    )  # fmt: skip

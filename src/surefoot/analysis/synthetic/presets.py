"""The numbers a made-up region is drawn from, pinned so that figures compare between versions.

Source: methods.md section 7 (the nominal preset word for word). The patterns are reading-side abstractions,
rows of points with a spacing; nothing here describes how anything is laid.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from surefoot.errors import UsageError

Blunder = str
NO_BLUNDER: Blunder = "none"
END_FOR_END: Blunder = "end_for_end"
MIRRORED: Blunder = "mirrored"
FIRST_LEG_REVERSED: Blunder = "first_leg_reversed"


@dataclass(frozen=True, slots=True)
class Preset:
    """What a region is drawn from. Pairs are the two ends of a uniform draw, both ends included.

    Sigmas are one standard deviation, per axis where a position is meant. Turn and scale act about the
    landmark, as a compass or a pace error does; the shift is the error of the landmark's own place.
    """

    name: str
    records: int = 24
    rows: tuple[int, int] = (2, 4)
    items_per_row: tuple[int, int] = (8, 27)
    spacing_m: tuple[float, float] = (4.0, 7.0)
    row_gap_m: tuple[float, float] = (8.0, 25.0)
    row_start_m: tuple[float, float] = (-5.0, 5.0)
    irregular_share: float = 0.4
    curvature_per_m: float = 0.002
    landmark_m: tuple[float, float] = (60.0, 250.0)
    shift_sd_m: float = 25.0
    turn_sd_deg: float = 4.0
    scale_sd: float = 0.05
    row_offset_sd_m: float = 0.8
    scatter_sd_m: float = 0.7
    gps_sd_m: float = 1.0
    presence: float = 0.85
    detection: float = 0.95
    clutter: float = 0.15  # unrecorded devices per recorded one
    clutter_reach_m: float = 50.0
    end_for_end: float = 0.08
    mirrored: float = 0.04
    first_leg_reversed: float = 0.06
    box_share: float = 0.6
    box_m: float = 10.0
    lane_m: tuple[float, float] = (40.0, 2.0)
    search_reach_m: float = 60.0  # from an accident or find to the middle of the next box or lane, at most
    search_steps: tuple[int, int] = (8, 24)
    max_finds_per_record: int | None = None  # stop at this many finds instead of after `search_steps`
    cleared_share: float = 0.5  # of records with a contiguous verified block around the finds
    areas: bool = False  # hazardous areas round the records, and empty ones
    empty_areas_per_record: float = 0.5
    fully_searched_share: float = 0.5
    related: bool = True  # False: the ground has nothing to do with the records
    spread_m: float = 1200.0  # between the centres of neighbouring records
    rounding: bool = True  # False: the forms state decimals enough for a tenth of a millimetre


PRESETS: Mapping[str, Preset] = {
    "nominal": Preset("nominal"),
    "easy": Preset(
        "easy",
        shift_sd_m=8.0,
        turn_sd_deg=1.0,
        scale_sd=0.01,
        presence=0.95,
        detection=0.98,
        clutter=0.05,
        end_for_end=0.0,
        mirrored=0.0,
        first_leg_reversed=0.0,
        areas=True,
    ),
    # Close together, so that foreign finds fall within reach of records: chance matches are what is tested.
    "null": Preset("null", related=False, spread_m=400.0),
}


def chosen_preset(name: str, records: int | None, overrides: Mapping[str, Any] | None) -> Preset:
    """Return a preset with some of its numbers replaced.

    Raises
    ------
    UsageError
        SF-Y001 for an unknown preset, SF-Y002 for an override that is no number of a preset, SF-Y003 for a
        number of records below 1.
    """
    if name not in PRESETS:
        raise UsageError("SF-Y001", name, known=", ".join(PRESETS))
    changes = dict(overrides or {}) | ({} if records is None else {"records": records})
    known = {field.name for field in dataclasses.fields(Preset)} - {"name"}
    for key in changes:
        if key not in known:
            raise UsageError("SF-Y002", key, known=", ".join(sorted(known)))
    preset = dataclasses.replace(PRESETS[name], **changes)
    if preset.records < 1:
        raise UsageError("SF-Y003", str(preset.records))
    return preset


def series_priors(preset: Preset) -> Mapping[str, Any]:
    """Return what a series' compiler would have to know of its own errors: overrides of priors.toml.

    The map's share is set so that map, datum and rounding together come to the preset's shift; errors of
    single legs, of which the preset has none, are set to the rounding of the form.
    """
    return {
        "map": {
            "plain_mm_axis": _at_least(preset.shift_sd_m / 50.0, 0.001),
            "mountain_mm_axis": _at_least(preset.shift_sd_m / 50.0, 0.001),
            "reading_mm_axis": 0.001,
        },
        "bearing": {
            "common_sd_deg": dict.fromkeys(("compass", "unknown"), _at_least(preset.turn_sd_deg, 0.03)),
            "leg_sd_deg": dict.fromkeys(("compass", "unknown"), 0.03),
        },
        "distance": {
            "common_sd": dict.fromkeys(("paced", "unknown"), _at_least(preset.scale_sd, 0.0005)),
            "leg_sd": dict.fromkeys(("paced", "unknown"), 0.0005),
        },
        "pattern": {
            "row_offset_sd_m_axis": _at_least(preset.row_offset_sd_m, 0.01),
            "row_bearing_sd_deg": 0.03,
            "device_scatter_sd_m_axis": _at_least(preset.scatter_sd_m, 0.01),
        },
        "hypotheses": {
            "end_for_end": preset.end_for_end,
            "mirrored": preset.mirrored,
            "first_leg_reversed": preset.first_leg_reversed,
            "landmark_mistaken": 0.0,
        },
    }


def _at_least(value: float, floor: float) -> float:
    return max(round(value, 6), floor)

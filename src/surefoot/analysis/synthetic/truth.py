"""The truth of a made-up region, as columns; never read by an assessment."""

from __future__ import annotations

from dataclasses import dataclass

from surefoot.model import Floats, Ints, Texts


@dataclass(frozen=True)
class TrueDevices:
    """Every device there is or that a record says there is.

    Degrees on WGS 84. `longitude`, `latitude` are the true place (of a recorded device that is not `present`:
    where it would be); `recorded_longitude`, `recorded_latitude` are where the record reads, nan for a device
    on no record. `record_id`, `row` are "" and `index` is nan there. Flags are 0 or 1. `find_id`,
    `accident_id` say what became of it.
    """

    truth_id: Texts
    record_id: Texts
    row: Texts
    index: Floats
    longitude: Floats
    latitude: Floats
    recorded_longitude: Floats
    recorded_latitude: Floats
    category: Texts
    model: Texts
    present: Ints
    recorded: Ints
    found: Ints
    find_id: Texts
    accident_id: Texts
    lifted_on_form: Ints


@dataclass(frozen=True)
class TrueRecords:
    """How each record is wrong: from the record to the ground, about the record's own centroid.

    `shift_*` is the shift of the centroid after the discrete error `blunder` is taken out (the two are the
    same for every blunder but a reversed first leg, where `displacement_*` holds the whole way of the
    centroid); `landmark_shift_*` is the landmark's, which is what the presets state. Turn is clockwise
    positive, degrees.
    """

    record_id: Texts
    blunder: Texts
    centroid_longitude: Floats
    centroid_latitude: Floats
    shift_east_m: Floats
    shift_north_m: Floats
    turn_deg: Floats
    scale: Floats
    displacement_east_m: Floats
    displacement_north_m: Floats
    landmark_longitude: Floats
    landmark_latitude: Floats
    landmark_shift_east_m: Floats
    landmark_shift_north_m: Floats
    related: Ints  # 0: the ground has nothing to do with this record


@dataclass(frozen=True)
class TrueRows:
    """The offset of each row of each record, metres east and north, after turn and scale."""

    record_id: Texts
    row: Texts
    offset_east_m: Floats
    offset_north_m: Floats


@dataclass(frozen=True)
class TrueAreas:
    """How many devices lay in each hazardous area before any search; 1 where all of it was searched."""

    area_id: Texts
    devices: Ints
    fully_searched: Ints


@dataclass(frozen=True)
class Truth:
    """The whole truth."""

    devices: TrueDevices
    records: TrueRecords
    rows: TrueRows
    areas: TrueAreas

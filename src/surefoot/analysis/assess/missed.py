"""Recorded devices that a search has passed or stopped beside: where to look for each of them.

A device that is not among the finds although its place was searched, or although its neighbours in the row were found,
is a gap in the pattern: its spot is searched again, and what is met there is coded (records.md, the missed-mine drill).
The spot is a box along the row that holds the device with a stated probability if it is there, over all placements.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from shapely.geometry import Polygon

from surefoot.analysis.reanchor import Placements
from surefoot.analysis.reanchor.placements import predicted

Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]

CAPTURE = 0.9
"""Probability with which a box holds its device, if the device is there."""
SEARCHED = 0.5
"""A place counts as searched where a device would have been found with this probability."""
LEAST_LEFT = 0.02
"""Devices less probably still there are not listed."""
FOUND = 0.5
DRAWS = 250
LEAST_SD_M = 0.1
SEARCHED_NOT_FOUND, GAP = "searched_not_found", "gap_in_row"


@dataclass(frozen=True)
class MissedDevice:
    """One recorded device to look for again.

    Attributes
    ----------
    record
        Number of its record.
    row, index
        Its row and its position in it; nan = not stated.
    reason
        `SEARCHED_NOT_FOUND` or `GAP` (neighbours on both sides were found).
    box
        On the case's grid.
    middle
        Easting + i northing of the box's middle, metres.
    length_m, width_m, heading_rad
        Of the box; the heading of its length, along the row, counter-clockwise from grid east.
    capture
        Probability that the box holds the device, if it is there.
    present
        Probability that the device is there and was not found.
    searched
        Probability that it would have been found by now, if it was there.
    """

    record: int
    row: str
    index: float
    reason: str
    box: Polygon
    middle: complex
    length_m: float
    width_m: float
    heading_rad: float
    capture: float
    present: float
    searched: float


def missed_devices(placements: Mapping[int, Placements]) -> tuple[MissedDevice, ...]:
    """Return the devices to look for again, by record, row and position.

    Parameters
    ----------
    placements
        Of every corrected record, by its number.
    """
    return tuple(one for number, placed in sorted(placements.items()) for one in _of_record(number, placed))


def _of_record(number: int, placed: Placements) -> Iterator[MissedDevice]:
    weight = np.array([p.weight for p in placed.placements])
    found, left, searched = (
        np.asarray(weight @ np.stack(values))
        for values in zip(*((p.p_find.sum(axis=0), p.p_missed, p.covered) for p in placed.placements), strict=True)
    )
    gap = _between_finds(placed, found)
    wanted = (found < FOUND) & (left >= LEAST_LEFT) & ((searched >= SEARCHED) | gap)
    clouds = [predicted(p, DRAWS) for p in placed.placements]
    order = sorted(np.flatnonzero(wanted), key=lambda i: (str(placed.row[i]), placed.index[i], i))
    for i in order:
        heading = _along_row(placed, int(i))
        middle, length, width = _box(clouds, weight, int(i), heading)
        turn = np.exp(1j * heading)
        corners = middle + turn * 0.5 * (length * np.array([-1, 1, 1, -1]) + 1j * width * np.array([-1, -1, 1, 1]))
        yield MissedDevice(
            number, str(placed.row[i]), float(placed.index[i]),
            SEARCHED_NOT_FOUND if searched[i] >= SEARCHED else GAP,
            Polygon(np.column_stack([corners.real, corners.imag])), middle, length, width, heading, CAPTURE,
            float(left[i]), float(min(searched[i], 1.0)),
        )  # fmt: skip


def _between_finds(placed: Placements, found: Floats) -> npt.NDArray[np.bool_]:
    """Devices whose nearest neighbours in the row, by position, were found on both sides."""
    result = np.zeros(len(found), dtype=bool)
    for own in _rows(placed):
        if len(own) > 2:
            result[own[1:-1]] = (found[own[:-2]] >= FOUND) & (found[own[2:]] >= FOUND)
    return result


def _rows(placed: Placements) -> list[npt.NDArray[np.int64]]:
    """Devices of each row in the order of their positions."""
    names = placed.row.astype(str)
    rows = [np.flatnonzero(names == name) for name in np.unique(names)]
    return [own[np.argsort(placed.index[own], kind="stable")] for own in rows]


def _along_row(placed: Placements, device: int) -> float:
    """Direction from the device before to the device after it in the best placement; east where it stands alone."""
    own = next(row for row in _rows(placed) if device in row)
    at = int(np.flatnonzero(own == device)[0])
    before, after = own[max(at - 1, 0)], own[min(at + 1, len(own) - 1)]
    along = placed.best.mean[after] - placed.best.mean[before]
    return float(np.angle(along)) if abs(along) > 0.0 else 0.0


def _box(
    clouds: list[tuple[Complexes, Floats]], weight: Floats, device: int, heading: float
) -> tuple[complex, float, float]:  # fmt: skip
    """Middle, length and width of the box along the heading that holds `CAPTURE` of where the device may be."""
    rng = np.random.default_rng(device)  # its own scatter; the same box every time
    parts = []
    for places, sd in clouds:
        scatter = rng.standard_normal(len(places)) + 1j * rng.standard_normal(len(places))
        parts.append(places[:, device] + sd[device] * scatter)
    share = np.concatenate([np.full(len(p), w / len(p)) for p, w in zip(parts, weight, strict=True)])
    at = np.concatenate(parts) * np.exp(-1j * heading)
    east, north = _weighted(at.real, share, 0.5), _weighted(at.imag, share, 0.5)
    off_east, off_north = np.abs(at.real - east), np.abs(at.imag - north)
    sd_east = max(_weighted(off_east, share, 0.68), LEAST_SD_M)
    sd_north = max(_weighted(off_north, share, 0.68), LEAST_SD_M)
    reach = _weighted(np.maximum(off_east / sd_east, off_north / sd_north), share, CAPTURE)
    return complex((east + 1j * north) * np.exp(1j * heading)), 2.0 * reach * sd_east, 2.0 * reach * sd_north


def _weighted(values: Floats, share: Floats, level: float) -> float:
    """Weighted quantile."""
    order = np.argsort(values)
    held = np.cumsum(share[order])
    return float(values[order[min(int(np.searchsorted(held, level * held[-1])), len(values) - 1)]])

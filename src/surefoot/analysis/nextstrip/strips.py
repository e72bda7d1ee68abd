"""Lanes and boxes that could be searched next: their shape on the grid, and candidates drawn on predicted devices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from surefoot.analysis.nextstrip.limits import Limits
from surefoot.analysis.nextstrip.predicted import Predicted

Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]

LANE, BOX = "lane", "box"
SIZE_M = {LANE: (25.0, 1.0), BOX: (5.0, 5.0)}
"""Length along the direction of work and width, metres."""
CELL_M = 2.5
POINT_M = 0.5
LANE_SHARE = 2.0 / 3.0
ATTEMPTS = 12
"""Strips tried for each candidate wanted where there are limits: many of them fall away."""


@dataclass(frozen=True)
class Strip:
    """A piece of ground that could be searched, on the case's grid.

    Attributes
    ----------
    kind
        ``lane`` or ``box``.
    start
        Middle of the side where work would start, easting + i northing, metres.
    heading
        Direction of work, a unit number.
    """

    kind: str
    start: complex
    heading: complex

    @property
    def length_m(self) -> float:
        """Along the direction of work."""
        return SIZE_M[self.kind][0]

    @property
    def width_m(self) -> float:
        """Across it."""
        return SIZE_M[self.kind][1]

    @property
    def area_m2(self) -> float:
        """Length times width."""
        return self.length_m * self.width_m

    @property
    def shape(self) -> shapely.Polygon:
        """Its outline."""
        side = 0.5j * self.width_m
        corners = np.array([-side, self.length_m - side, self.length_m + side, side])
        places = self.start + self.heading * corners
        return shapely.Polygon(np.column_stack([places.real, places.imag]))

    def edges(self) -> tuple[Floats, Floats]:
        """Edges of its cells along and across, metres from the start and from the middle line."""
        across = min(CELL_M, self.width_m)
        return (
            np.arange(0.0, self.length_m + 0.5 * CELL_M, CELL_M),
            np.arange(-0.5 * self.width_m, 0.5 * self.width_m + 0.5 * across, across),
        )

    def points(self) -> Complexes:
        """Points every half metre, (cells, points of a cell); cells in the order along, then across."""
        along, across = self.edges()
        deep, wide = along[1] - along[0], across[1] - across[0]
        inside = (
            (np.arange(round(deep / POINT_M)) + 0.5)[:, None] * POINT_M
            + 1j * (np.arange(round(wide / POINT_M)) + 0.5)[None, :] * POINT_M
        ).ravel()
        corner = (along[:-1, None] + 1j * across[None, :-1]).ravel()
        return np.asarray(self.start + self.heading * (corner[:, None] + inside[None, :]))


def draw_strips(predicted: Predicted, limits: Limits, count: int, rng: np.random.Generator) -> tuple[Strip, ...]:
    """Draw lanes and boxes on places where the posterior expects devices not yet found; none breaks a limit.

    Parameters
    ----------
    predicted
        Where each draw of the posterior has the devices.
    limits
        Hard limits; they are checked on every strip, whatever way it was drawn.
    count
        Candidates wanted; fewer come back where the limits leave little ground.
    """
    missed = predicted.missed.ravel()
    total = float(missed.sum())
    if total <= 0.0:
        return ()
    chosen = rng.choice(missed.size, count * (ATTEMPTS if limits.any else 1), p=missed / total)
    draw, device = np.divmod(chosen, predicted.missed.shape[1])
    lane = rng.random(len(chosen)) < LANE_SHARE
    length = np.where(lane, SIZE_M[LANE][0], SIZE_M[BOX][0])
    place = predicted.place[draw, device]
    heading = _headings(predicted, draw, device, limits, rng)
    start = _starts(place, heading, length, limits, rng)
    usable = np.isfinite(start.real)
    made = [
        Strip(LANE if is_lane else BOX, complex(at), complex(way))
        for is_lane, at, way in zip(lane[usable], start[usable], heading[usable], strict=True)
    ]
    if not limits.any:
        return tuple(made)
    kept = limits.permitted(np.array([s.shape for s in made], dtype=object), start[usable], heading[usable])
    return tuple(strip for strip, fine in zip(made, kept, strict=True) if fine)[:count]


def _headings(
    predicted: Predicted, draw: npt.NDArray[np.int64], device: npt.NDArray[np.int64], limits: Limits,
    rng: np.random.Generator,
) -> Complexes:  # fmt: skip
    """Directions of work: those allowed; without such, along a predicted row, across it or any, in equal parts."""
    count = len(draw)
    turn, way = rng.random((2, count))
    if len(limits.directions):
        off = limits.tolerance_rad * (2.0 * turn - 1.0)
        return np.asarray(limits.directions[(way * len(limits.directions)).astype(np.int64)] * np.exp(1j * off))
    other = predicted.neighbour[device]
    row = predicted.place[draw, other] - predicted.place[draw, device]
    length = np.abs(row)
    along = np.where(length > 0.0, row / np.where(length > 0.0, length, 1.0), 1.0)
    anyhow = np.exp(2j * np.pi * turn)
    signed = along * np.where(turn < 0.5, 1.0, -1.0)
    return np.asarray(np.select([way < 1 / 3, way < 2 / 3], [signed, 1j * signed], anyhow))


def _starts(
    place: Complexes, heading: Complexes, length: Floats, limits: Limits, rng: np.random.Generator
) -> Complexes:
    """Where work starts so that the strip holds the place; nan where no access lies back along the direction."""
    if limits.access is None:
        return np.asarray(place - heading * length * rng.random(len(place)))
    far = place - heading * length
    rays = shapely.linestrings(np.stack([_pairs(place), _pairs(far)], axis=1))
    met = shapely.intersection(rays, limits.access)
    nearest = shapely.get_point(shapely.shortest_line(met, shapely.points(_pairs(place))), 0)
    back = shapely.get_x(nearest) + 1j * shapely.get_y(nearest)
    return np.where(np.abs(back - place) > 0.25, back, np.nan + 0j)


def _pairs(places: Complexes) -> Floats:
    return np.stack([places.real, places.imag], axis=-1)

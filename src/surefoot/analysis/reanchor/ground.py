"""What was seen: devices with the accuracy of their places, and the ground on which one would have been found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from scipy import ndimage
from shapely.geometry.base import BaseGeometry

from surefoot.analysis.kernels.registration import Search

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Shapes = npt.NDArray[np.object_]
Dates = npt.NDArray[np.datetime64]

CELL_M = 0.5
FAR_M = 1e12
"""Where things stand that bear on nothing: without a place, or older than the field."""
_NDIMAGE: Any = ndimage  # SciPy ships no types
MOST_CELLS = 2_000_000
NEGLIGIBLE = 1e-3
"""Chances of having been found that may be taken for 0."""
STATED_PLACE_RELIABILITY = 0.95
"""How often a finder who names record, row or position names the right one (interfaces.md section 2)."""
TYPE_AGREEMENT = 0.95
"""How often the category on the record is the category found, where both are stated (estimate)."""


@dataclass(frozen=True)
class Seen:
    """Devices seen, one row each, on the case's grid.

    Attributes
    ----------
    position : float array (m, 2)
        Easting, northing, metres.
    variance : float array (m,)
        Per axis, m2; over 0.
    category : int array (m,)
        0 = unknown.
    stated_record, stated_row : object arrays (m,)
        As the finder says, "" = not said.
    stated_index : float array (m,)
        Position in the row from 1, nan = not said.
    date : datetime64 array (m,)
        NaT = not known; None = of none.
    """

    position: Floats
    variance: Floats
    category: Ints
    stated_record: npt.NDArray[np.object_]
    stated_row: npt.NDArray[np.object_]
    stated_index: Floats
    date: Dates | None = None

    def __len__(self) -> int:
        return len(self.variance)

    def take(self, rows: Ints) -> Seen:
        """Return some of them."""
        return Seen(
            self.position[rows], self.variance[rows], self.category[rows],
            self.stated_record[rows], self.stated_row[rows], self.stated_index[rows],
            None if self.date is None else self.date[rows],
        )  # fmt: skip

    def since(self, day: np.datetime64) -> Seen:
        """Put far away what is dated before a day; NaT = nothing."""
        if self.date is None or not np.any(self.date < day):
            return self
        return replace(self, position=np.where((self.date < day)[:, None], FAR_M, self.position))


@dataclass(frozen=True)
class SearchedGround:
    """Searched polygons on the case's grid with the chance that a device there was found."""

    shapes: Shapes
    detection: Floats
    date: Dates | None = None

    def since(self, day: np.datetime64) -> SearchedGround:
        """Return what was not searched before a day; NaT = all."""
        if self.date is None or not np.any(self.date < day):
            return self
        later = ~(self.date < day)
        return SearchedGround(self.shapes[later], self.detection[later], self.date[later])

    def near(self, bounds: tuple[float, float, float, float]) -> SearchedGround:
        """Return the polygons whose own box meets a box; none of the missing and the empty ones."""
        west, south, east, north = self._bounds.T
        hit = (west <= bounds[2]) & (east >= bounds[0]) & (south <= bounds[3]) & (north >= bounds[1])
        return SearchedGround(self.shapes[hit], self.detection[hit])

    @cached_property
    def _bounds(self) -> Floats:
        """Return box of each polygon, nan = it has none, (m, 4)."""
        return np.asarray(shapely.bounds(self.shapes), dtype=np.float64).reshape(-1, 4)


@dataclass(frozen=True)
class Mask:
    """What was searched, at the cell centres of a raster.

    `chance` is ``Q(x)``: the chance that a device meant for x, scattered about it, was found; `worked` the share of the
    ground about x that was searched at all, over the reach of where a find may really have lain.
    """

    chance: Singles
    west: float
    south: float
    cell_m: float
    worked: Singles

    def about(self, origin: complex) -> Search:
        """Return what the kernels take, in metres from an origin."""
        return self.chance, self.west - origin.real, self.south - origin.imag, self.cell_m, self.worked


_NOWHERE = np.zeros((2, 2), dtype=np.float32)
NOTHING_SEARCHED = Mask(_NOWHERE, 0.0, 0.0, CELL_M, _NOWHERE)


def mask_of(
    searched: SearchedGround, bounds: tuple[float, float, float, float], blur_m: float, find_m: float = 0.5
) -> Mask:
    """Draw the searched ground inside a box, blurred by the scatter of the single device.

    Parameters
    ----------
    searched
        Polygons and detection probabilities.
    bounds
        West, south, east, north; metres.
    blur_m
        Sigma per axis of a device about its place in the moved pattern.
    find_m
        Sigma per axis of a find about where it is reported.

    Notes
    -----
    ``Q = (p_d S) * N(0, sigma^2)`` (methods.md section 2). A cell that is exactly 0 has no neighbour of `NEGLIGIBLE` or
    more: the kernels need not look at these. Where polygons overlap the largest probability holds:
    going over the same ground again is not taken to find more.
    """
    inside = searched.near(bounds)
    if not len(inside.shapes):
        return NOTHING_SEARCHED
    margin = 4.0 * blur_m + 2.0 * CELL_M
    box = shapely.total_bounds(inside.shapes) + np.array([-margin, -margin, margin, margin])
    box = np.array([*np.maximum(box[:2], bounds[:2]), *np.minimum(box[2:], bounds[2:])])
    size = np.maximum(box[2:] - box[:2], 2.0 * CELL_M)
    cell = max(CELL_M, float(np.sqrt(size.prod() / MOST_CELLS)))
    columns, rows = (np.ceil(size / cell).astype(int) + 1).tolist()
    chance, best = np.zeros((rows, columns)), np.zeros((rows, columns))
    own = shapely.force_2d(inside.shapes)  # copies: GEOS fills a prepared shape as it is asked, one thread at a time
    for shape, detection in zip(own, inside.detection, strict=True):
        _draw(chance, best, shape, detection, box[0], box[1], cell)
    share = np.divide(chance, best, out=np.zeros_like(chance), where=best > 0.0)
    either = blur_m * find_m / float(np.hypot(blur_m, find_m))  # a find that is this device lies between the two
    found, worked = _blurred(chance, blur_m / cell), _blurred(share, either / cell)
    return Mask(found, float(box[0]), float(box[1]), cell, worked)


def _blurred(values: Floats, sigma: float) -> Singles:
    """Blur a raster; a cell that is exactly 0 has no neighbour that matters."""
    blurred: Singles = _NDIMAGE.gaussian_filter(values, sigma, mode="constant", truncate=4.0).astype(np.float32)
    beside = _NDIMAGE.maximum_filter(blurred, 3) >= NEGLIGIBLE
    blurred[beside & (blurred == 0.0)] = np.finfo(np.float32).tiny
    return blurred


def _draw(
    chance: Floats, best: Floats, shape: BaseGeometry, detection: float, west: float, south: float, cell: float
) -> None:  # fmt: skip
    """Put a polygon into the raster, in place; `best` holds the best detection that touches each cell."""
    left, bottom, right, top = shape.bounds
    first_column, last_column = (
        int(max((left - west) // cell, 0)),
        int(min((right - west) // cell, chance.shape[1] - 1)),
    )
    first_row, last_row = int(max((bottom - south) // cell, 0)), int(min((top - south) // cell, chance.shape[0] - 1))
    if last_column < first_column or last_row < first_row:
        return
    east = west + (np.arange(first_column, last_column + 1) + 0.5) * cell
    north = south + (np.arange(first_row, last_row + 1) + 0.5) * cell
    east, north = np.meshgrid(east, north)
    share = _shares(shape, east, north, cell)
    window = slice(first_row, last_row + 1), slice(first_column, last_column + 1)
    # Parts of a cell add up, lane beside lane; going over the same ground again finds what the better search would.
    best[window] = np.maximum(best[window], np.where(share > 0.0, detection, 0.0))
    chance[window] = np.minimum(chance[window] + detection * share, best[window])


def _shares(shape: BaseGeometry, east: Floats, north: Floats, cell: float) -> Floats:
    """Share of each cell that a polygon covers; of cells of `CELL_M` whether it covers the middle.

    By its middle a lane narrower than a cell would come and go with where the cells happen to lie.
    """
    shapely.prepare(shape)
    share = np.asarray(shapely.contains_xy(shape, east, north), dtype=np.float64)
    if cell <= CELL_M:
        return share
    # Only cells on the edge are covered in part: those that points close together on it lie in.
    edge = shapely.get_coordinates(shapely.segmentize(shape.boundary, 0.2 * cell))
    column, row = (np.rint((edge - [east[0, 0], north[0, 0]]) / cell).astype(np.int64)).T
    seen = (column >= 0) & (row >= 0) & (column < share.shape[1]) & (row < share.shape[0])
    cut = np.unique(row[seen] * share.shape[1] + column[seen])
    x, y, half = east.ravel()[cut], north.ravel()[cut], 0.5 * cell
    cells = shapely.box(x - half, y - half, x + half, y + half)
    share.flat[cut] = shapely.area(shapely.intersection(shape, cells)) / cell**2
    return share


def agreement(seen: Seen, record_id: str, row: npt.NDArray[np.object_], index: Floats, category: Ints) -> Floats:
    """Return (finds, devices): how much more likely a find's words are if it is that device than if it is clutter."""
    factor = _type_agreement(seen.category, category)
    for k in np.flatnonzero(seen.stated_record != ""):
        factor[k] *= _stated_agreement(seen, int(k), record_id, row, index)
    return factor


def _type_agreement(found: Ints, recorded: Ints) -> Floats:
    """Category found against category recorded; clutter is taken to come in the record's own proportions."""
    factor = np.ones((len(found), len(recorded)))
    known = recorded[recorded > 0]
    for kind in np.unique(found[found > 0]):
        share = float(np.mean(known == kind)) if len(known) else 0.0
        agree = np.where(recorded == kind, TYPE_AGREEMENT, 1.0 - TYPE_AGREEMENT)
        if share == 0.0:  # a type that is on no line of the record
            column = np.where(recorded == 0, 1.0, 0.0)
        elif share == 1.0:
            column = np.where(recorded == 0, 1.0, np.where(recorded == kind, 1.0, 0.0))
        else:
            expected = TYPE_AGREEMENT * share + (1.0 - TYPE_AGREEMENT) * (1.0 - share)
            column = np.where(recorded == 0, 1.0, agree / expected)
        factor[found == kind] = column
    return factor


def _stated_agreement(seen: Seen, k: int, record_id: str, row: npt.NDArray[np.object_], index: Floats) -> Floats:
    """The finder's own words, right with `STATED_PLACE_RELIABILITY`; clutter is given any words as wrong ones are.

    The record named has odds of 19 against one not named, as where finds are matched; row and number share these out
    among its devices, the wrong words evenly over the rest. Words about another record say nothing of this one: that
    one competes for the find.
    """
    if seen.stated_record[k] != record_id:
        return np.ones(len(row))
    right = STATED_PLACE_RELIABILITY
    fits = np.ones(len(row), dtype=bool)
    if seen.stated_row[k]:
        fits &= np.array([str(name) == str(seen.stated_row[k]) for name in row])
    if np.isfinite(seen.stated_index[k]):
        fits &= index == seen.stated_index[k]
    share, named = float(fits.mean()), np.full(len(row), right / (1.0 - right))
    if 0.0 < share < 1.0:
        named *= np.where(fits, right / share, (1.0 - right) / (1.0 - share))
    return named


def union_box(boxes: Sequence[tuple[float, float, float, float]]) -> tuple[float, float, float, float]:
    """Return the box around boxes."""
    every = np.array(boxes)
    return (*every[:, :2].min(axis=0).tolist(), *every[:, 2:].max(axis=0).tolist())

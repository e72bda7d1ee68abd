"""Where a record's devices may lie, as a raster, where an ellipse would mislead.

While several placements compete, or one is still wider than the rows are apart, the mean of a device is a place where
it hardly lies and its ellipse holds ground that no placement reaches. The raster is the expected number of devices
that are there and were not found, over all placements; its smallest sets holding a stated share of them are the regions
of highest density (Hyndman 1996, Am. Stat. 50(2)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from scipy import ndimage, spatial
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from shapely.geometry.base import BaseGeometry

from surefoot.analysis.reanchor.placements import CHI2_90, Placement, predicted

Floats = npt.NDArray[np.float64]
KDTree: Any = spatial.KDTree  # SciPy ships no types
gaussian_filter: Any = ndimage.gaussian_filter  # type: ignore[attr-defined]
Box = tuple[float, float, float, float]

LEVELS = (0.5, 0.9)
COMPETING = 0.1
"""Placements at least this heavy compete."""
SPACINGS = 2.0
"""An ellipse reaches too far where its longer half axis is more than this many times the distance of neighbours."""
LEAST_CELL_M, MOST_CELLS = 1.0, 500
DRAWS = 250
REACH_SIGMAS = 4.0
PLACEMENTS_COMPETE, ELLIPSES_WIDE = "placements_compete", "ellipses_wide"


@dataclass(frozen=True)
class _Cloud:
    """Places of every device under draws of a placement, the devices each stands for, and their own sd."""

    places: npt.NDArray[np.complex128]
    expected: Floats
    sd_m: float

    def box(self) -> Box:
        margin, east, north = REACH_SIGMAS * self.sd_m, self.places.real, self.places.imag
        return (
            float(east.min() - margin), float(north.min() - margin),
            float(east.max() + margin), float(north.max() + margin),
        )  # fmt: skip


@dataclass(frozen=True)
class Patch:
    """One raster on the case's grid: expected number of devices a cell, rows from south to north."""

    expected: Floats  # (rows, columns)
    west: float
    south: float


@dataclass(frozen=True)
class Region:
    """Where the devices of one record that are still in the ground may lie, on the case's grid.

    Attributes
    ----------
    patches
        Placements that lie apart (a coordinate read in another zone lies kilometres off) have rasters of their own,
        the one with most devices first.
    cell_m
        Size of a cell of every raster, metres.
    """

    patches: tuple[Patch, ...]
    cell_m: float

    @property
    def devices(self) -> float:
        """Expected number of devices that are there and were not found."""
        return float(sum(p.expected.sum() for p in self.patches))

    def threshold(self, level: float) -> float:
        """Least expected number of a cell in the smallest set of cells that holds this share of the devices."""
        ordered = np.sort(np.concatenate([p.expected[p.expected > 0.0] for p in self.patches]))[::-1]
        if not len(ordered):
            return np.inf
        held = np.cumsum(ordered)
        return float(ordered[min(int(np.searchsorted(held, level * held[-1])), len(ordered) - 1)])

    def shape(self, level: float) -> BaseGeometry:
        """The smallest set of cells that holds this share of the devices, as polygons on the grid."""
        least = self.threshold(level)
        return shapely.union_all([_cells_above(p, least, self.cell_m) for p in self.patches])


def _cells_above(patch: Patch, least: float, cell: float) -> BaseGeometry:
    inside = patch.expected >= least
    edge = np.zeros((len(inside), 1), dtype=bool)
    change = np.diff(np.hstack([edge, inside, edge]).astype(np.int8), axis=1)
    row, first = np.nonzero(change == 1)
    last = np.nonzero(change == -1)[1]
    west, south = patch.west, patch.south
    runs = shapely.box(west + first * cell, south + row * cell, west + last * cell, south + (row + 1) * cell)
    return shapely.union_all(runs)


def why_ellipses_mislead(placements: Sequence[Placement]) -> tuple[str, ...]:
    """Return the reasons, none where an ellipse for every device tells as much; `placements` heaviest first."""
    best = placements[0]
    found = []
    if len(placements) > 1 and placements[1].weight >= COMPETING:
        found.append(PLACEMENTS_COMPETE)
    major = np.sqrt(CHI2_90 * np.linalg.eigvalsh(best.item_covariance)[:, -1])
    if len(best.mean) > 1 and float(np.median(major)) > SPACINGS * _spacing(best):
        found.append(ELLIPSES_WIDE)
    return tuple(found)


def region_of(placements: Sequence[Placement]) -> Region:
    """Return where the devices of a record lie that are there and were not found; `placements` are all it has."""
    clouds = [_cloud(p) for p in placements]
    together = _near_each_other([c.box() for c in clouds])
    boxes = [_bounds([clouds[n].box() for n in group]) for group in together]
    cell = max(LEAST_CELL_M, max(max(e - w, n - s) for w, s, e, n in boxes) / MOST_CELLS)
    patches = [_patch([clouds[n] for n in group], box, cell) for group, box in zip(together, boxes, strict=True)]
    return Region(tuple(sorted(patches, key=lambda p: -p.expected.sum())), cell)


def _patch(clouds: Sequence[_Cloud], box: Box, cell: float) -> Patch:
    west, south, east, north = box
    expected = np.zeros((int(np.ceil((north - south) / cell)), int(np.ceil((east - west) / cell))))
    for cloud in clouds:
        own = np.zeros_like(expected)
        column, row = (
            ((cloud.places.real - west) // cell).astype(int),
            ((cloud.places.imag - south) // cell).astype(int),
        )
        np.add.at(own, (row, column), cloud.expected)
        expected += gaussian_filter(own, cloud.sd_m / cell, mode="constant", truncate=REACH_SIGMAS)
    return Patch(expected, west, south)


def _near_each_other(boxes: Sequence[Box]) -> list[list[int]]:
    """Group boxes that overlap, at first or second hand."""
    shapes = shapely.box(*np.array(boxes).T)
    first, second = shapely.STRtree(shapes).query(shapes)
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(len(boxes), len(boxes)))
    label = connected_components(graph, directed=False)[1]
    return [np.flatnonzero(label == g).tolist() for g in range(int(label.max()) + 1)]


def _bounds(boxes: Sequence[Box]) -> Box:
    west, south, east, north = np.array(boxes).T
    return float(west.min()), float(south.min()), float(east.max()), float(north.max())


def _spacing(placement: Placement) -> float:
    """Median distance of a device to its nearest neighbour, metres."""
    at = np.column_stack([placement.mean.real, placement.mean.imag])
    return float(np.median(KDTree(at).query(at, k=2)[0][:, 1]))


def _cloud(placement: Placement) -> _Cloud:
    places, sd = predicted(placement, DRAWS)
    expected = np.broadcast_to(placement.weight * placement.p_missed / len(places), places.shape)
    return _Cloud(places.ravel(), expected.ravel(), float(np.sqrt(np.mean(sd**2))))

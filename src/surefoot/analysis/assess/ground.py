"""The case laid out on its metric grid: finds, accidents, searched and verified ground as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.special import ndtri
from scipy.stats import qmc
from shapely.geometry.base import BaseGeometry

from surefoot.model import Case, HazardousAreas, SearchedAreas
from surefoot.positions.grid import Grid, grid_at
from surefoot.terms import AreaStatus, FindFate, QaResult, SearchMethod

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]

WITHIN_SIGMAS = 3.0  # a find this near to searched ground may well lie on it
CLUSTER_GAP_M = 25.0  # searched polygons closer than this are one piece of ground
_SPREAD_POINTS = 16
_AT_ONCE = 10_000  # devices in memory with all their points
_FARTHEST_SIGMAS = 4.0


def grid_of(case: Case) -> Grid:
    """Return the metric grid of a case."""
    middle = case.settings.region.centroid
    return grid_at(case.settings.crs, middle.x, middle.y)


@dataclass(frozen=True)
class Events:
    """Finds and accidents as one list of devices seen: finds first, then accidents that are no find."""

    position: Floats  # (m, 2)
    variance: Floats  # (m,) per axis, m2
    category: Ints
    fate: Texts  # FindFate
    date: npt.NDArray[np.datetime64]
    find: Ints  # index into the finds, -1 for an accident
    accident: Ints  # index into the accidents, -1 for a find
    stated_record: Texts
    searched_id: Texts

    def __len__(self) -> int:
        return len(self.fate)


@dataclass(frozen=True)
class Verified:
    """Verified ground: polygons, detection probabilities and dates; see V in the interfaces."""

    shapes: Texts
    detection: Floats
    date: npt.NDArray[np.datetime64]
    id: Texts


def verified_ground(
    searched: SearchedAreas,
    searched_shapes: Texts,
    areas: HazardousAreas,
    area_shapes: Texts,
    include_cleared: bool,
) -> Verified:
    """Searched by clearance with stated detection and passed QA; with `include_cleared` also cleared areas."""
    good = (
        (searched.method == SearchMethod.CLEARANCE)
        & np.isfinite(searched.detection_probability)
        & (searched.qa == QaResult.PASSED)
    )
    cleared = (areas.status == AreaStatus.CLEARED) & np.isfinite(areas.detection_probability) & include_cleared
    return Verified(
        np.concatenate([searched_shapes[good], area_shapes[cleared]]),
        np.concatenate([searched.detection_probability[good], areas.detection_probability[cleared]]),
        np.concatenate([searched.date[good], areas.date[cleared]]),
        np.concatenate([searched.id[good], areas.id[cleared]]),
    )


def made_by_search(events: Events, searched: Texts) -> npt.NDArray[np.bool_]:
    """Which finds lie on searched ground, as far as their positions are known, (m,).

    A device taken away where no search is on file was removed; it tells nothing about how well ground was searched.
    """
    result = np.zeros(len(events), dtype=bool)
    ground = searched[~shapely.is_missing(searched)]
    found = (events.find >= 0) & (events.fate != FindFate.DETONATED)
    finds = np.flatnonzero(found & np.isfinite(events.position).all(axis=1))
    if len(ground) and len(finds):
        reach = WITHIN_SIGMAS * np.sqrt(np.where(np.isfinite(events.variance[finds]), events.variance[finds], 0.0))
        points = shapely.points(events.position[finds])
        hit = shapely.STRtree(ground).query(points, predicate="dwithin", distance=reach)[0]
        result[finds[np.unique(hit)]] = True
    return result


def on_verified(events: Events, verified: Verified) -> Ints:
    """Verified polygon each event counts on, -1 = none: named by the finder, or inside it; never dated after it."""
    result = np.full(len(events), -1, dtype=np.int64)
    named = {name: number for number, name in enumerate(verified.id)}
    for number, name in enumerate(events.searched_id):
        if name in named and not events.date[number] > verified.date[named[name]]:
            result[number] = named[name]
    if len(verified.shapes) == 0 or len(events) == 0:
        return result
    points = np.asarray(shapely.points(events.position), dtype=object)
    pairs = shapely.STRtree(verified.shapes).query(points, predicate="intersects")
    for event, polygon in pairs.T:
        later = events.date[event] > verified.date[polygon]
        if result[event] < 0 and not events.searched_id[event] and events.find[event] >= 0 and not later:
            result[event] = polygon
    return result


def gone_before(events: Events, verified: Verified, verified_of: Ints) -> Floats:
    """Detection on the verified polygon on which each event took a device away before its search; 0 = no such event.

    Finds of another search and accidents on verified ground do not count on V, but the device was there and is
    gone: no later search can find it again. An event later than the search was still there to be found.
    """
    result = np.zeros(len(events))
    if len(verified.shapes) == 0 or len(events) == 0:
        return result
    points = np.asarray(shapely.points(events.position), dtype=object)
    for event, polygon in shapely.STRtree(verified.shapes).query(points, predicate="intersects").T:
        if verified_of[event] < 0 and not events.date[event] > verified.date[polygon]:
            result[event] = max(result[event], float(verified.detection[polygon]))
    return result


def pieces(shapes: Texts) -> Ints:
    """Label each polygon with the piece of ground it belongs to: neighbours within 25 m are one piece."""
    if len(shapes) == 0:
        return np.zeros(0, dtype=np.int64)
    left, right = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=CLUSTER_GAP_M)
    graph = csr_array((np.ones(len(left)), (left, right)), shape=(len(shapes), len(shapes)))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def chances_inside(mean: Floats, cov: Floats, shapes: Texts, weights: Floats) -> Floats:
    """Largest weight of a shape that an uncertain point lies on, averaged; weight 1 gives P(it lies on any).

    Parameters
    ----------
    mean : (n, 2)
        Metres; nan gives 0.
    cov : (n, 3)
        ee, en, nn in m2.
    shapes : (k,)
        Polygons in the same CRS.
    weights : (k, w)
        What each shape counts in each of the w answers: 1, or its detection probability, or 0.

    Returns
    -------
    array (n, w)

    Notes
    -----
    Sixteen quasi-random points of each point's normal distribution (Sobol, fixed), the same for every point.
    """
    result = np.zeros((len(mean), weights.shape[1]))
    known = np.flatnonzero(np.isfinite(mean).all(axis=1))
    if len(shapes) == 0 or len(known) == 0:
        return result
    tree = shapely.STRtree(shapes)
    shapely.prepare(shapes)
    for part in np.split(known, np.arange(_AT_ONCE, len(known), _AT_ONCE)):
        result[part] = _chances(mean[part], cov[part], shapes, weights, tree)
    return result


def _chances(mean: Floats, cov: Floats, shapes: Texts, weights: Floats, tree: shapely.STRtree) -> Floats:
    """`chances_inside` of some points, shape by shape: the points of all at once would take half a gigabyte."""
    reach = _FARTHEST_SIGMAS * np.sqrt(np.maximum(cov[:, 0], cov[:, 2]))
    east, north = mean.T
    near, shape = tree.query(shapely.box(east - reach, north - reach, east + reach, north + reach))
    if not len(near):
        return np.zeros((len(mean), weights.shape[1]))
    order = np.argsort(shape, kind="stable")
    numbers, starts = np.unique(shape[order], return_index=True)
    points = spread_points(mean, cov).reshape(_SPREAD_POINTS, len(mean), 2)
    values = np.zeros((weights.shape[1], _SPREAD_POINTS, len(mean)))
    for number, rows in zip(numbers, np.split(near[order], starts[1:]), strict=True):
        inside = shapely.intersects_xy(shapes[number], points[:, rows, 0], points[:, rows, 1])
        values[:, :, rows] = np.maximum(values[:, :, rows], weights[number][:, None, None] * inside)
    return np.asarray(values.mean(axis=1).T)


def spread_points(mean: Floats, cov: Floats) -> Floats:
    """Sixteen points of every normal distribution, (16 n, 2), point by point of the design."""
    uniform = qmc.Sobol(2, scramble=False).random(_SPREAD_POINTS) + 0.5 / _SPREAD_POINTS
    unit = ndtri(np.clip(uniform, 1e-3, 1 - 1e-3))
    lower_ee = np.sqrt(np.maximum(cov[:, 0], 0.0))
    lower_en = np.divide(cov[:, 1], lower_ee, out=np.zeros(len(cov)), where=lower_ee > 0)
    lower_nn = np.sqrt(np.maximum(cov[:, 2] - lower_en**2, 0.0))
    east = mean[:, 0] + unit[:, :1] * lower_ee
    north = mean[:, 1] + unit[:, :1] * lower_en + unit[:, 1:] * lower_nn
    return np.column_stack([east.ravel(), north.ravel()])


def union_area_m2(shapes: Texts) -> float:
    """Area of the union, square metres."""
    usable: list[BaseGeometry] = [shape for shape in shapes if shape is not None]
    return float(shapely.disjoint_subset_union_all(usable).area) if usable else 0.0

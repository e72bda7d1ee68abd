"""Is a place where the case is? Another continent is set aside; swapped axes are mended where that fits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from surefoot.model import Floats
from surefoot.readers.cells_text import Mask
from surefoot.readers.counting import Ledger
from surefoot.readers.places import COARSE_M, Points

KM_A_DEGREE = 111.32
REGION_MARGIN_KM = 50.0
MEDIAN_REACH_KM = 1000.0


@dataclass(frozen=True)
class Reach:
    """The part of the world where the case's places may lie.

    Parameters
    ----------
    centre
        Longitude, latitude; None = nothing is known, every place on Earth may be right.
    region
        Stated region, WGS 84; None = not stated, then `centre` is the median of all places.
    """

    centre: tuple[float, float] | None = None
    region: BaseGeometry | None = None

    @classmethod
    def of_region(cls, region: BaseGeometry) -> Reach:
        """Return the reach of a stated region: within 50 km of it."""
        return cls((region.centroid.x, region.centroid.y), region)

    @classmethod
    def of_places(cls, longitude: Floats, latitude: Floats) -> Reach:
        """Return the reach of a case without a region: within 1,000 km of the median of its places."""
        good = (np.abs(longitude) <= 180) & (np.abs(latitude) <= 90)
        if not good.any():
            return cls()
        return cls((float(np.median(longitude[good])), float(np.median(latitude[good]))))

    def distance_km(self, longitude: Floats, latitude: Floats) -> Floats:
        """Return the distance of places from the region or the median (0 inside), on a local plane."""
        if self.centre is None:
            return np.zeros(len(longitude))
        scale = np.array([KM_A_DEGREE * np.cos(np.deg2rad(self.centre[1])), KM_A_DEGREE])
        xy = np.column_stack([longitude, latitude]) * scale
        if self.region is None:
            return np.asarray(np.hypot(*(xy - np.array(self.centre) * scale).T), dtype=np.float64)
        region = shapely.transform(self.region, lambda c: c * scale)
        west, south, east, north = region.bounds
        inside = (xy[:, 0] >= west) & (xy[:, 0] <= east) & (xy[:, 1] >= south) & (xy[:, 1] <= north)
        distance = np.zeros(len(xy))
        # only the box is asked of places inside it: the margin is far wider than a region's corners matter
        distance[~inside] = shapely.distance(shapely.points(xy[~inside]), region)
        return distance

    def holds(self, longitude: Floats, latitude: Floats) -> Mask:
        """Return which places are on Earth and within reach."""
        on_earth = (np.abs(longitude) <= 180) & (np.abs(latitude) <= 90)
        limit = MEDIAN_REACH_KM if self.region is None else REGION_MARGIN_KM
        distance = self.distance_km(np.where(on_earth, longitude, 0), np.where(on_earth, latitude, 0))
        return on_earth & (distance <= limit)

    def values(self, longitude: float, latitude: float) -> dict[str, object]:
        """Return what a message about a place out of reach says."""
        on_earth = abs(longitude) <= 180 and abs(latitude) <= 90
        km = float(self.distance_km(np.array([longitude]), np.array([latitude]))[0]) if on_earth else None
        return {"km": "?" if km is None else round(km)}


def settle_points(points: Points, reach: Reach, ledger: Ledger, *, column: str, optional: bool) -> None:
    """Mend, doubt or set aside every row by its place.

    Parameters
    ----------
    optional
        A row without a position stays, not located (accidents); else it is set aside.
    """
    known = ~points.missing
    away = known & ~reach.holds(points.longitude, points.latitude)
    if reach.centre is not None and away.any():
        _mend(points, away, reach, ledger, column)
    _set_aside_away(points, away, reach, ledger, column)
    _without_place(points, ledger, column, optional)
    coarse = ~points.missing & (points.quantum_m >= COARSE_M)
    ledger.doubt(
        coarse,
        "SF-R137",
        column,
        points.found,
        quantum_m=round(float(np.max(points.quantum_m[coarse], initial=0))),
    )


def _mend(points: Points, away: Mask, reach: Reach, ledger: Ledger, column: str) -> None:
    for rows, how, read in points.other:
        some = rows & away
        if not some.any():
            continue
        moved = read(some)
        fits = some & np.isfinite(moved.longitude) & np.isfinite(moved.latitude)
        fits[fits] = reach.holds(moved.longitude[fits], moved.latitude[fits])
        points.put(fits, moved)
        ledger.doubt(fits, "SF-R127" if how == "swapped" else "SF-R139", column, points.found)
        away &= ~fits


def _set_aside_away(points: Points, away: Mask, reach: Reach, ledger: Ledger, column: str) -> None:
    off_earth = away & ((np.abs(points.longitude) > 180) | (np.abs(points.latitude) > 90))
    ledger.set_aside(off_earth, "SF-R124", column, points.found)
    id_ = "SF-R126" if reach.region is None else "SF-R125"
    for i in np.flatnonzero(away & ~off_earth):
        one = np.zeros(len(away), dtype=bool)
        one[i] = True
        place = reach.values(float(points.longitude[i]), float(points.latitude[i]))
        ledger.set_aside(one, id_, column, points.found, **place)


def _without_place(points: Points, ledger: Ledger, column: str, optional: bool) -> None:
    missing = points.missing & ledger.kept
    for id_ in dict.fromkeys(points.problem[missing].tolist()):
        rows = missing & (points.problem == id_)
        if optional:
            ledger.doubt(rows, "SF-R130", column, points.found)
        elif id_ and points.details:
            _one_by_one(points, rows, id_, ledger, column)
        else:
            ledger.set_aside(rows, id_ or "SF-R122", column, points.found)


def _one_by_one(points: Points, rows: Mask, id_: str, ledger: Ledger, column: str) -> None:
    for i in np.flatnonzero(rows):
        one = np.zeros(len(rows), dtype=bool)
        one[i] = True
        ledger.set_aside(one, id_, column, points.found, **points.details.get(int(i), {}))

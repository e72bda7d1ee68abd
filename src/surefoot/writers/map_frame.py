"""The frame of a map: which ground it shows, in which CRS, and where that lies on the page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS, Proj, Transformer

from surefoot.writers import Assessment, LayerLike

Floats = npt.NDArray[np.float64]
Geometries = npt.NDArray[np.object_]
MIN_SIDE_M = 150.0
PAD = 0.07


@dataclass(frozen=True)
class Ground:
    """The layers of an assessment in its metric CRS: geometry in metres, columns as they are."""

    crs: str
    crs_name: str
    geometry: Mapping[str, Geometries]
    columns: Mapping[str, Mapping[str, npt.NDArray[Any]]]

    def column(self, layer: str, name: str) -> npt.NDArray[Any]:
        """Return a column, or as many None as the layer has rows when it is not there."""
        found = self.columns.get(layer, {}).get(name)
        if found is not None:
            return found
        return np.full(len(self.geometry.get(layer, ())), None, dtype=object)


@dataclass(frozen=True, slots=True)
class Frame:
    """A window of ground and its place on the page.

    `west`, `south`, `east`, `north` in metres of the CRS; `left`, `top`, `width`, `height` in page units;
    page y grows downwards.
    """

    west: float
    south: float
    east: float
    north: float
    left: float
    top: float
    width: float
    height: float

    @property
    def metres_per_unit(self) -> float:
        """Ground metres in one page unit."""
        return (self.east - self.west) / self.width

    def page(self, coordinates: Floats) -> Floats:
        """Turn easting, northing (n, 2) into page units (n, 2)."""
        easting, northing = coordinates[:, 0], coordinates[:, 1]
        scale = 1.0 / self.metres_per_unit
        return np.column_stack([self.left + (easting - self.west) * scale, self.top + (self.north - northing) * scale])

    def contains(self, coordinates: Floats) -> npt.NDArray[np.bool_]:
        """Which of the points (n, 2) in metres lie in the window."""
        easting, northing = coordinates[:, 0], coordinates[:, 1]
        inside = (easting >= self.west) & (easting <= self.east)
        return np.asarray(inside & (northing >= self.south) & (northing <= self.north))


def ground_of(assessment: Assessment) -> Ground:
    """Project every layer into the CRS of the assessment, into the UTM zone of the data if none is stated."""
    crs = assessment.document.get("crs") or _utm_of(assessment.layers)
    to_crs = Transformer.from_crs("EPSG:4326", crs, always_xy=True)

    def project(coordinates: Floats) -> Floats:
        return np.column_stack(to_crs.transform(coordinates[:, 0], coordinates[:, 1]))

    names = assessment.layers.keys() - {"items"}
    return Ground(
        crs=str(crs),
        crs_name=CRS.from_user_input(crs).name,
        geometry={n: shapely.transform(assessment.layers[n].geometry, project) for n in sorted(names)},
        columns={n: assessment.layers[n].columns for n in sorted(names)},
    )


def _utm_of(layers: Mapping[str, LayerLike]) -> str:
    bounds = [shapely.total_bounds(layer.geometry) for layer in layers.values() if len(layer.geometry)]
    known = [b for b in bounds if np.isfinite(b).all()]
    if not known:
        return "EPSG:32631"
    longitude, latitude = (float(np.mean([(b[i] + b[i + 2]) / 2 for b in known])) for i in (0, 1))
    zone = min(60, max(1, int((longitude + 180) // 6) + 1))
    return f"EPSG:{(32600 if latitude >= 0 else 32700) + zone}"


def overview_bounds(ground: Ground) -> tuple[float, float, float, float] | None:
    """Return west, south, east, north of the data in metres, None where nothing has a position.

    A few far-off positions must not shrink the rest to a dot: when the full extent is more than three times
    that of the middle 98 % of features, the map shows the middle and says how many lie beyond.
    """
    every = [shapely.bounds(g[_drawable(g)]) for g in ground.geometry.values()]
    boxes = np.concatenate([b for b in every if len(b)] or [np.empty((0, 4))])
    if not len(boxes):
        return None
    full = (*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0))
    low, high = np.quantile(boxes[:, :2], 0.01, axis=0), np.quantile(boxes[:, 2:], 0.99, axis=0)
    extent = max(full[2] - full[0], full[3] - full[1])
    middle = max(*(high - low), MIN_SIDE_M)
    west, south, east, north = (*low, *high) if extent > 3 * middle else full
    return float(west), float(south), float(east), float(north)


def record_bounds(ground: Ground, record_id: str) -> tuple[float, float, float, float] | None:
    """Return the bounds of everything drawn for one record, None where nothing of it has a position."""
    parts = []
    for layer in ("records", "rows", "rows_corrected", "ellipses", "finds"):
        geometry = ground.geometry.get(layer)
        if geometry is not None:
            own = geometry[(ground.column(layer, "record_id") == record_id) & _drawable(geometry)]
            parts.append(shapely.bounds(own))
    boxes = np.concatenate([p for p in parts if len(p)] or [np.empty((0, 4))])
    if not len(boxes):
        return None
    west, south = boxes[:, :2].min(axis=0)
    east, north = boxes[:, 2:].max(axis=0)
    return float(west), float(south), float(east), float(north)


def _drawable(geometry: Geometries) -> npt.NDArray[np.bool_]:
    return np.asarray(~(shapely.is_missing(geometry) | shapely.is_empty(geometry)))


def fit(
    bounds: tuple[float, float, float, float],
    *,
    left: float,
    top: float,
    width: float,
    shape: tuple[float, float],
) -> Frame:
    """Return a frame `width` page units wide around `bounds`; height : width within `shape` (low, high)."""
    west, south, east, north = bounds
    wide, high = (max(side, MIN_SIDE_M) * (1 + 2 * PAD) for side in (east - west, north - south))
    ratio = min(max(high / wide, shape[0]), shape[1])
    wide, high = max(wide, high / ratio), max(high, wide * ratio)
    middle = (west + east) / 2, (south + north) / 2
    return Frame(
        middle[0] - wide / 2,
        middle[1] - high / 2,
        middle[0] + wide / 2,
        middle[1] + high / 2,
        left,
        top,
        width,
        width * high / wide,
    )


def round_step(span: float, parts: float) -> float:
    """Return the round number (1, 2 or 5 times a power of ten) next below ``span / parts``."""
    rough = span / parts
    power = 10.0 ** math.floor(math.log10(rough))
    return max(f * power for f in (1.0, 2.0, 5.0) if f * power <= rough * (1 + 1e-9))


def centre_wgs84(frame: Frame, crs: str) -> tuple[float, float]:
    """Return longitude, latitude of the middle of the frame."""
    back = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    longitude, latitude = back.transform((frame.west + frame.east) / 2, (frame.south + frame.north) / 2)
    return float(longitude), float(latitude)


def convergence_deg(frame: Frame, crs: str) -> float:
    """Return the angle from true to grid north at the middle of the frame, degrees, clockwise positive."""
    longitude, latitude = centre_wgs84(frame, crs)
    return float(Proj(crs).get_factors(longitude, latitude).meridian_convergence)

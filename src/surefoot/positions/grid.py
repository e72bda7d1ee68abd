"""The metric grid in which a case is computed: plane coordinates in metres, by a pinned operation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Proj

from surefoot.positions.datums import PinnedOperation, from_wgs84, pin_operation, to_wgs84

Floats = npt.NDArray[np.float64]
Shapes = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Grid:
    """The metric CRS of a case and the way into it."""

    crs: str
    operation: PinnedOperation

    def project(self, longitude: Floats, latitude: Floats) -> Floats:
        """Return easting and northing, (n, 2), metres; nan stays nan."""
        result = np.full((len(longitude), 2), np.nan)
        known = np.isfinite(longitude) & np.isfinite(latitude)
        if known.any():
            east, north = from_wgs84(self.crs, longitude[known], latitude[known], self.operation)
            result[known, 0], result[known, 1] = east, north
        return result

    def unproject(self, easting: Floats, northing: Floats) -> tuple[Floats, Floats]:
        """Return WGS 84 longitude and latitude, degrees, undoing `project`."""
        return to_wgs84(self.crs, easting, northing, self.operation)

    def project_shapes(self, shapes: Shapes) -> Shapes:
        """Project geometries; None stays None."""
        if len(shapes) == 0:
            return np.empty(0, dtype=object)
        projected = shapely.transform(shapes, lambda xy: self.project(xy[:, 0], xy[:, 1]))
        return np.asarray(projected, dtype=object)

    def unproject_shapes(self, shapes: Shapes) -> Shapes:
        """Return geometries in WGS 84 degrees, undoing `project_shapes`; None stays None."""
        if len(shapes) == 0:
            return np.empty(0, dtype=object)
        placed = shapely.transform(shapes, lambda xy: np.column_stack(self.unproject(xy[:, 0].copy(), xy[:, 1].copy())))
        return np.asarray(placed, dtype=object)


def grid_at(crs: str, longitude: float, latitude: float) -> Grid:
    """Return the grid of a projected CRS with the operation that is right near a place (WGS 84 degrees)."""
    east, north = Proj(crs)(longitude, latitude)
    return Grid(crs, pin_operation(crs, float(east), float(north)))

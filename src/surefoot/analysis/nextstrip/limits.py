"""Hard limits of work on the case's grid: ground that breaks one is never proposed, whatever it would tell."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from surefoot.model import LaneRules
from surefoot.positions.grid import Grid
from surefoot.positions.zones import convergence_deg

Complexes = npt.NDArray[np.complex128]
Shapes = npt.NDArray[np.object_]
Bools = npt.NDArray[np.bool_]

_SLACK_RAD, _SLACK_M = 1e-9, 1e-6  # rounding of the sums


def _no_directions() -> Complexes:
    return np.empty(0, dtype=np.complex128)


@dataclass(frozen=True)
class Limits:
    """What `LaneRules` say, in metres on the grid.

    Attributes
    ----------
    forbidden, allowed, access
        None = not limited. `forbidden` already has its margin.
    start_within_m
        Farthest that the middle of the starting side may lie from `access`.
    directions
        Allowed directions of work as unit numbers; empty = any.
    tolerance_rad
        How far a direction may be off one of them.
    """

    forbidden: BaseGeometry | None = None
    allowed: BaseGeometry | None = None
    access: BaseGeometry | None = None
    start_within_m: float = 0.5
    directions: Complexes = field(default_factory=_no_directions)
    tolerance_rad: float = 0.0

    @property
    def any(self) -> bool:
        """Whether anything is limited."""
        return self.fix_the_start or self.forbidden is not None or self.allowed is not None

    @property
    def fix_the_start(self) -> bool:
        """Whether the side where work starts follows from the limits; else a strip can be begun at either end."""
        return self.access is not None or len(self.directions) > 0

    def permitted(self, shapes: Shapes, start: Complexes, heading: Complexes) -> Bools:
        """Say of each strip whether it keeps every limit.

        Parameters
        ----------
        shapes : object array (c,)
            Outlines, metres.
        start, heading : complex arrays (c,)
            Middle of the starting side, metres; direction of work, unit numbers.
        """
        fine = np.ones(len(shapes), dtype=bool)
        if self.forbidden is not None:
            fine &= ~shapely.intersects(self.forbidden, shapes)
        if self.allowed is not None:
            fine &= shapely.covers(self.allowed, shapes)
        if self.access is not None:
            at = shapely.points(np.column_stack([start.real, start.imag]))
            fine &= shapely.distance(self.access, at) <= self.start_within_m + _SLACK_M
        if len(self.directions):
            off = np.abs(np.angle(heading[:, None] * np.conj(self.directions)[None, :]))
            fine &= off.min(axis=1) <= self.tolerance_rad + _SLACK_RAD
        return fine


def limits_on(grid: Grid, rules: LaneRules, near: complex) -> Limits:
    """Put the rules on the case's grid.

    Parameters
    ----------
    grid
        Of the case.
    rules
        WGS 84, directions from true north.
    near
        Easting + i northing of the record: the grid's axes are turned from true north by the convergence there.
    """
    longitude, latitude = grid.unproject(np.array([near.real]), np.array([near.imag]))
    turn = float(np.asarray(convergence_deg(grid.crs, longitude, latitude)).ravel()[0])
    bearing = np.radians(np.array(rules.directions_deg, dtype=np.float64) - turn)
    forbidden, allowed, access = (_projected(grid, shape) for shape in (rules.forbidden, rules.allowed, rules.access))
    if forbidden is not None and rules.keep_off_m > 0.0:
        forbidden = forbidden.buffer(rules.keep_off_m)
    return Limits(
        forbidden, allowed, access, rules.start_within_m,
        np.asarray(np.sin(bearing) + 1j * np.cos(bearing)), float(np.radians(rules.direction_tolerance_deg)),
    )  # fmt: skip


def _projected(grid: Grid, shape: BaseGeometry | None) -> BaseGeometry | None:
    if shape is None:
        return None
    projected = grid.project_shapes(np.array([shape], dtype=object))[0]
    shapely.prepare(projected)
    return projected  # type: ignore[no-any-return]

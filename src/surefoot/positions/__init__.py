"""Where a thing is and how sure we are: datums and grids, bearings and distances, covariance."""

from surefoot.positions.statements import (
    BearingStatement,
    CoordinateStatement,
    CrsStatement,
    DistanceStatement,
    Sheet,
)

__all__ = ["BearingStatement", "CoordinateStatement", "CrsStatement", "DistanceStatement", "Sheet"]

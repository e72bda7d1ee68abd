"""Which of the sheets that one name may mean is meant: the form's own coordinates decide, else the case's region."""

from __future__ import annotations

from collections.abc import Sequence

from shapely.geometry.base import BaseGeometry

from surefoot.analysis.locate.anchors import outside_sheets, places_of
from surefoot.analysis.locate.frames import Frame, frame_options
from surefoot.analysis.locate.hypotheses import stated_places
from surefoot.analysis.locate.priors import Priors
from surefoot.model import MinefieldRecord
from surefoot.positions.statements import CoordinateStatement, Sheet


def settled_sheets(record: MinefieldRecord, priors: Priors, region: BaseGeometry | None) -> tuple[Sheet, ...]:
    """Return the sheets on which coordinates of the form lie; without any those that meet the region; else all."""
    sheets = record.map.sheets
    if len(sheets) < 2:
        return sheets
    statements = [statement for _, statement in stated_places(record)]
    frames = frame_options(record, statements, priors)
    holding = tuple(sheet for sheet in sheets if _holds_any(sheet, statements, frames))
    meeting = () if region is None else tuple(sheet for sheet in sheets if region.intersects(sheet.polygon))
    return holding or meeting or sheets


def _holds_any(sheet: Sheet, statements: Sequence[CoordinateStatement], frames: Sequence[Frame]) -> bool:
    """Whether one of the coordinates, in one of the systems they may be in, lies on a sheet."""
    return any(
        place.source != "local" and not outside_sheets(place, [sheet])
        for statement in statements
        for frame in frames
        for place in places_of(statement, frame, [sheet])
    )

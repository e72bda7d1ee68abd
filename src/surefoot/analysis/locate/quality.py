"""What a form states: completeness against the CCW yardstick, and how far it can be located at all."""

from __future__ import annotations

from surefoot.model import MinefieldRecord
from surefoot.terms import RecordFamily


def form_completeness(record: MinefieldRecord) -> dict[str, bool | None]:
    """Return one item for each demand of the CCW Amended Protocol II, Technical Annex 1(a).

    True = stated, False = not stated, None = does not apply to this family or cannot be told. The protocol is a
    yardstick, binding only on its parties; the 1980 text asks for one reference point only.
    """
    corners = len(set(record.area)) >= 3
    located_rows = bool(record.rows) and all(row.origin and row.target for row in record.rows)
    planned = bool(record.devices) and all(_placed(d.position, d.origin) for d in record.devices)
    remote = record.family is RecordFamily.REMOTE
    counted = bool(record.totals) or any(row.count is not None for row in record.rows) or bool(record.devices)
    typed = bool(set(record.totals) - {""}) or any(row.mines for row in record.rows)
    return {
        "two_reference_points": sum(1 for p in record.reference_points if p.position or p.candidates) >= 2,
        "one_reference_point_1980": any(p.position or p.candidates for p in record.reference_points),
        "dimensions_relative_to_them": bool(record.legs) or bool(record.points) or record.geometry is not None,
        "perimeter_and_extent": corners or bool(record.front and record.depth) or _areal(record),
        "types": typed or any(device.model for device in record.devices),
        "numbers": counted,
        "emplacing_method": bool(record.method),
        "fuze_type_and_life": bool((record.fuze or any(r.fuze for r in record.rows)) and record.life),
        "date_and_time": record.laid is not None and record.laid.exact and record.laid.states_time,
        "anti_handling": bool(record.anti_handling) or any(row.anti_handling for row in record.rows),
        "position_of_each_mine_or_row": None if remote else (planned or located_rows),
        "booby_traps_singly": bool(record.booby_traps) or (planned if record.devices else None),
    }


def _placed(position: object, origin: str) -> bool:
    return position is not None or bool(origin)


def _areal(record: MinefieldRecord) -> bool:
    return record.geometry is not None and record.geometry.geom_type in ("Polygon", "MultiPolygon")


def locatability(record: MinefieldRecord, placed_references: int) -> int:
    """Return 0 (not locatable), 1 (position known, turn unknown) or 2 (both).

    `placed_references` counts reference points and directly given points with a position.
    """
    if record.geometry is not None:
        return 2
    return min(2, placed_references)

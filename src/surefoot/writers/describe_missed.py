"""The devices to look for again, for the JSON, the ledger and the map."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from surefoot.analysis.assess import Assessment
from surefoot.positions.zones import convergence_deg


def missed_documents(assessment: Assessment) -> list[dict[str, Any]]:
    """Describe every device to look for again; the box as WKT in WGS 84, its bearing in degrees from true north."""
    missed = assessment.missed
    if not missed:
        return []
    grid, middle = assessment.grid, np.array([one.middle for one in missed])
    longitude, latitude = grid.unproject(middle.real.copy(), middle.imag.copy())
    turn = np.broadcast_to(convergence_deg(grid.crs, longitude, latitude), longitude.shape)
    boxes = grid.unproject_shapes(np.array([one.box for one in missed], dtype=object))
    wkt = shapely.to_wkt(boxes, rounding_precision=8)
    return [
        {
            "record_id": assessment.case.records[one.record].record_id,
            "row": one.row,
            "index": one.index if np.isfinite(one.index) else None,
            "reason": one.reason,
            "longitude": float(longitude[n]),
            "latitude": float(latitude[n]),
            "length_m": one.length_m,
            "width_m": one.width_m,
            "bearing_deg": float((90.0 - np.degrees(one.heading_rad) + turn[n]) % 180.0),
            "capture": one.capture,
            "p_present": one.present,
            "p_searched": one.searched,
            "wkt": str(wkt[n]),
        }
        for n, one in enumerate(missed)
    ]

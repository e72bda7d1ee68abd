"""The ground proposed for the next search: its part of the reanchor document, and a styled layer for QGIS."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from surefoot.analysis.nextstrip import LEVEL, Proposal, Search
from surefoot.messages import render
from surefoot.model import LaneRules
from surefoot.positions.grid import Grid
from surefoot.positions.zones import convergence_deg
from surefoot.writers.geopackage import NO_DATE, NUMBER, TEXT, WHOLE, LayerPlan, write_layers

NOTE = (
    "A proposal of where a search would find most and tell most about this record, no order: the order of work and the "
    "safety distances are the operator's. Ground without a find is not declared safe, and ground that is not proposed "
    "is not safer."
)
INFORMS, FINDS = "tells placements apart", "devices expected"
FEWER = "No further ground inside the limits promises a find or tells the placements apart."

PLAN: Mapping[str, LayerPlan] = {
    "next_search": LayerPlan(
        "MultiPolygon",
        {
            "record_id": TEXT, "rank": WHOLE, "kind": TEXT,
            **dict.fromkeys(
                (
                    "start_longitude", "start_latitude", "bearing_deg", "area_m2", "expected_finds", "finds_low",
                    "finds_high", "p_no_find", "information_gain", "cost", "score",
                ),
                NUMBER,
            ),
            "reason": TEXT, "note": TEXT,
        },
        f"Ground proposed for the next search. {NOTE}",
    )
}  # fmt: skip


def nothing_proposed(id_: str, asked: int) -> dict[str, Any]:
    """Return the part of the document when nothing may be proposed, with the reason."""
    message = render(id_)
    return {
        "note": NOTE, "asked": asked, "limits": None, "detection_probability": None, "proposals": [],
        "reason": {"id": id_, "reason": message.reason, "advice": message.advice},
    }  # fmt: skip


def next_search_document(
    proposals: Sequence[Proposal], rules: LaneRules, search: Search, grid: Grid, *, asked: int
) -> dict[str, Any]:
    """Return what is proposed, best first, with the limits that were kept.

    Places are WGS 84 degrees, bearings degrees clockwise from true north, information in nats. `start` is null where
    the limits leave open from which side work starts; `bearing_deg` is then the axis, below 180.
    """
    listed = [_proposal(n, p, grid) for n, p in enumerate(proposals, start=1)]
    return {
        "note": NOTE,
        "asked": asked,
        "limits": {
            "forbidden": rules.forbidden is not None,
            "allowed": rules.allowed is not None,
            "access": rules.access is not None,
            "keep_off_m": rules.keep_off_m,
            "start_within_m": rules.start_within_m if rules.access is not None else None,
            "directions_deg": list(rules.directions_deg),
            "direction_tolerance_deg": rules.direction_tolerance_deg if rules.directions_deg else None,
        },
        "detection_probability": {"value": search.detection, "stated": rules.detection_probability is not None},
        "proposals": listed,
        "reason": FEWER if len(listed) < asked else None,
    }


def _proposal(rank: int, proposal: Proposal, grid: Grid) -> dict[str, Any]:
    strip = proposal.strip
    corners = shapely.get_coordinates(strip.shape)
    outline = np.column_stack(grid.unproject(corners[:, 0].copy(), corners[:, 1].copy()))
    longitude, latitude = grid.unproject(np.array([strip.start.real]), np.array([strip.start.imag]))
    turn = float(np.asarray(convergence_deg(grid.crs, longitude, latitude)).ravel()[0])
    bearing = (float(np.degrees(np.angle(1j * np.conj(strip.heading)))) + turn) % 360.0
    fixed = proposal.start_fixed
    return {
        "rank": rank,
        "kind": strip.kind,
        "wkt": shapely.to_wkt(shapely.Polygon(outline), rounding_precision=8),
        "start": {"longitude": float(longitude[0]), "latitude": float(latitude[0])} if fixed else None,
        "bearing_deg": bearing if fixed else bearing % 180.0,
        "length_m": strip.length_m,
        "width_m": strip.width_m,
        "area_m2": strip.area_m2,
        "expected_finds": proposal.expected_finds,
        "finds_interval": list(proposal.finds_interval),
        "level": LEVEL,
        "background_finds": proposal.background_finds,
        "p_no_find": proposal.p_no_find,
        "information_gain": proposal.information_nats,
        "cost": proposal.cost,
        "score": proposal.score,
        "reason": INFORMS if proposal.mostly_informs else FINDS,
    }


@dataclass(frozen=True)
class _Layer:
    name: str
    geometry: npt.NDArray[np.object_]
    columns: Mapping[str, npt.NDArray[Any]]


def write_next_search(document: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write the proposals of a reanchor document as a GeoPackage with one styled layer ``next_search``."""
    proposals = document["next_search"]["proposals"]
    start = [p["start"] or {"longitude": np.nan, "latitude": np.nan} for p in proposals]
    count = len(proposals)
    columns: dict[str, npt.NDArray[Any]] = {
        "record_id": np.full(count, document["record_id"], dtype=object),
        "start_longitude": np.array([s["longitude"] for s in start], dtype=np.float64),
        "start_latitude": np.array([s["latitude"] for s in start], dtype=np.float64),
        "finds_low": np.array([p["finds_interval"][0] for p in proposals], dtype=np.float64),
        "finds_high": np.array([p["finds_interval"][1] for p in proposals], dtype=np.float64),
        "note": np.full(count, NOTE, dtype=object),
    }
    for name, kind in PLAN["next_search"].columns.items():
        if name not in columns:
            columns[name] = np.array([p[name] for p in proposals], dtype=kind)
    shapes = np.empty(count, dtype=object)
    shapes[:] = [shapely.from_wkt(p["wkt"]) for p in proposals]
    layers = {"next_search": _Layer("next_search", shapes, columns)}
    write_layers(layers, PLAN, path, simulated=bool(document["simulated"]), as_of=NO_DATE)

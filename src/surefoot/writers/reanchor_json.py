"""What `surefoot reanchor` says of one record as a JSON document (schema ``surefoot/reanchor-1``)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from surefoot.analysis.reanchor import Placement, Placements
from surefoot.analysis.reanchor.placements import between_placements, overall
from surefoot.analysis.reanchor.region import LEVELS, region_of, why_ellipses_mislead
from surefoot.model import Case
from surefoot.positions.covariance import turned
from surefoot.positions.grid import Grid
from surefoot.positions.zones import convergence_deg
from surefoot.writers.placements import (
    corrected_placement,
    doubts_of_evidence,
    row_names,
    weight_not_listed,
    worth_listing,
)
from surefoot.writers.read_json import doubt_document, set_aside_document

Floats = npt.NDArray[np.float64]
STAGE_NOTE = (
    "Each placement's covariances hold if that placement is the true one; in simulated cases 90 % ellipses of the best "
    "placement alone held 82 to 88 % of the devices. Weights may change with the seed: try several. "
    "A proposal: the national authority decides. "
    "Not evidence that any place is free of devices."
)


def reanchor_document(
    case: Case, grid: Grid, result: Placements, *, version: str, seed: int, lang: str = "en"
) -> dict[str, Any]:  # fmt: skip
    """Return the placements that remain possible for a record, and its devices under each of them.

    Places are WGS 84 degrees; covariances of devices m2, east then north in the tangent plane of the device, those of a
    placement in (m, m, deg, 1) in the case's CRS. `devices` are the same over all placements: their 90 % ellipses hold
    90 % of the posterior, whichever placement is true; null where the placements lie apart and the middle between them
    is in none (then `region` tells). Placements below a weight of 0.05 are counted in
    `weight_not_listed`. `set_aside` and `doubts` are those of the whole case and of the record's evidence.
    """
    where = next(r.where for r in case.records if r.record_id == result.record_id)
    doubts = [*doubts_of_evidence(result, where), *case.doubts]
    listed, names, rows = worth_listing(result.placements), _names(case), row_names(result)
    return {
        "schema": "surefoot/reanchor-1",
        "case": case.settings.name,
        "simulated": case.settings.simulated,
        "version": version,
        "seed": seed,
        "record_id": result.record_id,
        "note": STAGE_NOTE,
        "events_within_reach": [names[k] for k in result.find],
        "log_evidence_against_clutter": result.log_evidence,
        "log_evidence_against_another_field": result.log_evidence - result.log_evidence_unrelated,
        "weight_not_listed": weight_not_listed(result.placements),
        "placements": [corrected_placement(p, grid, rows) for p in listed],
        "region": region_document(result, grid),
        "devices": _devices(result, grid),
        "items": [row for n, p in enumerate(listed) for row in _items(n, p, result, grid, names)],
        "set_aside": [set_aside_document(row, lang) for row in case.set_aside],
        "doubts": [doubt_document(doubt, lang) for doubt in doubts],
    }


def region_document(result: Placements, grid: Grid) -> dict[str, Any] | None:
    """Describe where the devices not found yet may lie; None where the ellipses of the devices tell it as well.

    `levels` holds the smallest ground that holds each share of them, as WKT in WGS 84 degrees.
    """
    reasons = why_ellipses_mislead(result.placements)
    if not reasons:
        return None
    region = region_of(result.placements)
    shapes = np.array([region.shape(level) for level in LEVELS], dtype=object)
    wkt = shapely.to_wkt(grid.unproject_shapes(shapes), rounding_precision=7)
    return {
        "reasons": list(reasons),
        "cell_m": region.cell_m,
        "devices": region.devices,
        "levels": [
            {"level": level, "area_m2": float(shape.area), "wkt": text}
            for level, shape, text in zip(LEVELS, shapes, wkt, strict=True)
        ],
    }


def _names(case: Case) -> list[str]:
    return [*map(str, case.finds.id), *map(str, case.accidents.id)]


def _devices(result: Placements, grid: Grid) -> list[dict[str, Any]]:
    mean, covariance = overall(result.placements)
    longitude, latitude, cov = _on_earth(mean, covariance, grid)
    nowhere = between_placements(result.placements, mean)
    return [
        {**_name(result, i), **(_NO_PLACE if nowhere[i] else _place(longitude[i], latitude[i], cov[i]))}
        for i in range(len(mean))
    ]


def _on_earth(mean: npt.NDArray[np.complex128], covariance: Floats, grid: Grid) -> tuple[Floats, Floats, Floats]:
    longitude, latitude = grid.unproject(mean.real.copy(), mean.imag.copy())
    # The grid's axes are turned clockwise from true north by the convergence; turned back, they are true.
    return longitude, latitude, turned(covariance, convergence_deg(grid.crs, longitude, latitude))


def _name(result: Placements, device: int) -> dict[str, Any]:
    index = float(result.index[device])
    return {"row": str(result.row[device]), "index": index if np.isfinite(index) else None}


_NO_PLACE: dict[str, float | None] = dict.fromkeys(("longitude", "latitude", "cov_ee_m2", "cov_en_m2", "cov_nn_m2"))
"""Of a device whose placements lie apart: the middle between them is no place where it may be."""


def _place(longitude: float, latitude: float, cov: Floats) -> dict[str, float | None]:
    return {
        "longitude": float(longitude), "latitude": float(latitude),
        "cov_ee_m2": float(cov[0, 0]), "cov_en_m2": float(cov[0, 1]), "cov_nn_m2": float(cov[1, 1]),
    }  # fmt: skip


def _items(number: int, placement: Placement, result: Placements, grid: Grid, names: list[str]) -> list[dict[str, Any]]:
    longitude, latitude, cov = _on_earth(placement.mean, placement.item_covariance, grid)
    found = placement.p_find.sum(axis=0)
    rows = []
    for i in range(len(placement.mean)):
        likely = int(np.argmax(placement.p_find[:, i])) if len(placement.p_find) else 0
        named = len(placement.p_find) > 0 and placement.p_find[likely, i] > 0.5
        rows.append({
            **_name(result, i),
            "placement": number + 1,
            "weight": placement.weight,
            "is_best": number == 0,
            **_place(longitude[i], latitude[i], cov[i]),
            "p_present": float(placement.p_missed[i]),
            "p_found": float(min(found[i], 1.0)),
            "find_id": names[result.find[likely]] if named else None,
        })  # fmt: skip
    return rows

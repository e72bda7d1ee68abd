"""The document of ``surefoot read --json`` (schema surefoot/read-1)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import shapely

from surefoot.analysis.locate import Reading, Readings, items_by_type
from surefoot.messages import render
from surefoot.model import Doubt, MinefieldRecord, SetAside, TableCount, Where
from surefoot.positions.local import from_local

SCHEMA = "surefoot/read-1"


def where_document(where: Where) -> dict[str, Any]:
    """Return a place in the input as a document."""
    return asdict(where)


def set_aside_document(row: SetAside, lang: str) -> dict[str, Any]:
    """Return a row set aside with its reason and advice in words."""
    message = render(row.id, row.values, found=row.found, lang=lang)
    return {
        "id": row.id, "where": where_document(row.where), "found": row.found,
        "reason": message.reason, "advice": message.advice,
    }  # fmt: skip


def doubt_document(doubt: Doubt, lang: str) -> dict[str, Any]:
    """Return a doubt with its reason and advice in words."""
    message = render(doubt.id, doubt.values, found=doubt.found, lang=lang)
    return {
        "id": doubt.id, "severity": doubt.severity.value, "where": where_document(doubt.where),
        "found": doubt.found, "reason": message.reason, "advice": message.advice,
    }  # fmt: skip


def read_document(
    records: Sequence[tuple[MinefieldRecord, Readings]],
    tables: Sequence[TableCount],
    set_aside: Sequence[SetAside],
    doubts: Sequence[Doubt],
    *,
    lang: str = "en",
    seed: int = 0,
) -> dict[str, Any]:
    """Return everything that was read as the document promised in the reference."""
    return {
        "schema": SCHEMA,
        "seed": seed,
        "tables": [asdict(table) for table in tables],
        "set_aside": [set_aside_document(row, lang) for row in set_aside],
        "doubts": [doubt_document(doubt, lang) for doubt in doubts],
        "records": [_record(record, readings, lang) for record, readings in records],
    }


def _record(record: MinefieldRecord, readings: Readings, lang: str) -> dict[str, Any]:
    best = readings.best
    return {
        "record_id": record.record_id,
        "form_no": record.form_no,
        "family": record.family.value,
        "series": record.series,
        "laid": _stated(record),
        "where": where_document(record.where),
        "form_completeness": dict(readings.form_completeness),
        "locatability": readings.locatability,
        "readings": [_reading(reading) for reading in readings.readings if reading.points or reading.hypotheses],
        "weight_cut": readings.weight_cut,
        "items_by_type": items_by_type(record),
        "unallocated_by_type": dict(readings.unallocated),
        "items": len(best.items) if best is not None else 0,
        "events": [_event(event) for event in record.events],
        "doubts": [doubt_document(doubt, lang) for doubt in (*record.doubts, *readings.doubts)],
    }


def _stated(record: MinefieldRecord) -> dict[str, Any] | None:
    if record.laid is None:
        return None
    return {
        "raw": record.laid.raw, "first": record.laid.first.isoformat(), "last": record.laid.last.isoformat()
    }  # fmt: skip


def _event(event: Any) -> dict[str, Any]:
    date = event.date
    exact = date.first.isoformat() if date is not None and date.exact else None
    return {
        "kind": event.kind.value, "date": exact, "count": event.count, "type": event.model or None, "raw": event.raw,
        "date_interval": None if date is None else [date.first.isoformat(), date.last.isoformat()],
    }  # fmt: skip


def _reading(reading: Reading) -> dict[str, Any]:
    return {
        "weight": reading.weight,
        "hypotheses": dict(reading.hypotheses),
        "crs": reading.crs,
        "operation": reading.operation,
        "pivot": None if reading.pivot is None else {"longitude": reading.pivot[0], "latitude": reading.pivot[1]},
        "points": _points(reading),
        "legs": [_leg(leg) for leg in reading.legs],
        "rows": [asdict(row) | {"points": list(row.points)} for row in reading.rows],
        "area_wkt": _area_wkt(reading),
        "misclosures": [
            {"point": m.target, "east_m": m.east_m, "north_m": m.north_m, "length_m": m.length_m,
             "traverse_m": m.traverse_m, "ratio": m.ratio if math.isfinite(m.ratio) else None}
            for m in reading.misclosures
        ],
        "spread_m": reading.spread_m,
    }  # fmt: skip


def _points(reading: Reading) -> dict[str, Any]:
    lonlat, places = reading.lonlat_points(), reading.point_positions()
    means, covariances = reading.point_means(), reading.point_covariances()
    document = {}
    for name, place in places.items():
        longitude, latitude = lonlat.get(name, (None, None))
        east, north = reading.grid_points[name]
        cov = covariances[name]
        document[name] = {
            "longitude": longitude,
            "latitude": latitude,
            "cov_m2": cov.tolist(),
            "sigma_m": float(np.sqrt(np.trace(cov) / 2.0)),
            "easting": east if reading.drawn is None else None,
            "northing": north if reading.drawn is None else None,
            "east_m": place.real,
            "north_m": place.imag,
            "mean_offset_m": [(means[name] - place).real, (means[name] - place).imag],
        }
    return document


def _leg(leg: Any) -> dict[str, Any]:
    values = asdict(leg)
    return {"from": values.pop("origin"), "to": values.pop("target"), **values}


def _area_wkt(reading: Reading) -> str | None:
    polygon = reading.drawn if reading.drawn is not None else reading.area_polygon()
    if polygon is None or polygon.geom_type not in ("Polygon", "MultiPolygon"):
        return None
    if reading.pivot is not None:
        pivot = reading.pivot
        polygon = shapely.transform(polygon, lambda xy: _lonlat(xy, pivot))
    return shapely.to_wkt(polygon, rounding_precision=8 if reading.pivot is not None else 3)


def _lonlat(xy: np.ndarray, pivot: tuple[float, float]) -> np.ndarray:
    longitude, latitude = from_local(xy[:, 0] + 1j * xy[:, 1], pivot=pivot)
    return np.column_stack([longitude, latitude])

"""The map layers of an assessment as columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from shapely.geometry import LineString, Polygon

from surefoot.analysis.assess import Assessment
from surefoot.analysis.locate import Readings
from surefoot.analysis.reanchor.region import LEVELS, region_of, why_ellipses_mislead
from surefoot.positions.covariance import ellipse
from surefoot.positions.local import from_local
from surefoot.terms import Fate, Slot
from surefoot.writers.describe_missed import missed_documents
from surefoot.writers.placements import row_names, worth_listing

ELLIPSE_LEVEL = 0.9
_ELLIPSE_POINTS = 48


@dataclass(frozen=True)
class Layer:
    """One map layer: geometry (WGS 84, None = no place) and columns of the same length."""

    name: str
    geometry: npt.NDArray[np.object_]
    columns: Mapping[str, npt.NDArray[Any]]


def layers_of(assessment: Assessment) -> dict[str, Layer]:
    """Return every layer of the GeoPackage and of the report's maps."""
    made = (
        _records(assessment), _rows(assessment), _rows_corrected(assessment), _regions(assessment),
        _items(assessment), _ellipses(assessment), _finds(assessment),
        _accidents(assessment), _searched(assessment), _areas(assessment), _missed(assessment), _priorities(),
    )  # fmt: skip
    return {layer.name: layer for layer in made}


def _objects(values: list[Any]) -> npt.NDArray[np.object_]:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _records(assessment: Assessment) -> Layer:
    records = assessment.case.records
    recorded = assessment.ledger.by_record()
    sigma = [record_sigma_m(readings) for readings in assessment.located]
    return Layer("records", _objects([shape.footprint for shape in assessment.shapes]), {
        "record_id": _objects([r.record_id for r in records]),
        "form_no": _objects([r.form_no for r in records]),
        "family": _objects([r.family.value for r in records]),
        "series": _objects([r.series for r in records]),
        "laid": _objects([r.laid.raw if r.laid else "" for r in records]),
        "locatability": np.array([r.locatability for r in assessment.located], dtype=np.int64),
        "recorded": np.array([recorded.get(n, {}).get("recorded", 0.0) for n in range(len(records))], dtype=float),
        "sigma_m": np.array([np.nan if s is None else s for s in sigma], dtype=float),
        "readings": np.array([len(r.readings) for r in assessment.located], dtype=np.int64),
        "evidence_class": _objects([e.evidence_class for e in assessment.evidence]),
        "expected_finds": assessment.finds_per_record,
        "footprint_is_buffered_rows": np.array([s.buffered for s in assessment.shapes], dtype=bool),
    })  # fmt: skip


def record_sigma_m(readings: Readings) -> float | None:
    """Mean sigma per axis of a record's placed points, metres; None where nothing is placed."""
    best = readings.best
    if best is None or best.pivot is None or not best.points:
        return None
    return float(np.mean([np.sqrt(np.trace(cov) / 2.0) for cov in best.point_covariances().values()]))


def _rows(assessment: Assessment) -> Layer:
    geometry, record, row, count, model = [], [], [], [], []
    for facts, shapes in zip(assessment.case.records, assessment.shapes, strict=True):
        stated = {one.no: one for one in facts.rows}
        for name, line in shapes.rows:
            one = stated.get(name)
            geometry.append(line)
            record.append(facts.record_id)
            row.append(name)
            count.append((one.count or 0) if one else 0)
            model.append(", ".join(one.mines) if one else "")
    return Layer("rows", _objects(geometry), {
        "record_id": _objects(record), "row": _objects(row), "count": np.array(count, dtype=np.int64),
        "model": _objects(model),
    })  # fmt: skip


def _rows_corrected(assessment: Assessment) -> Layer:
    """Rows of two devices and more after re-anchoring, one line per row and placement."""
    found = {} if assessment.corrected is None else assessment.corrected.placements
    geometry, told = [], []
    for number, placed in sorted(found.items()):
        for rank, placement in enumerate(worth_listing(placed.placements)):
            longitude, latitude = assessment.grid.unproject(placement.mean.real.copy(), placement.mean.imag.copy())
            sigma = np.sqrt(0.5 * np.trace(placement.item_covariance, axis1=1, axis2=2))
            for name in row_names(placed):
                own = np.flatnonzero(placed.row.astype(str) == name)
                own = own[np.argsort(placed.index[own], kind="stable")]
                if len(own) < 2:
                    continue
                geometry.append(LineString(np.column_stack([longitude[own], latitude[own]])))
                told.append((
                    assessment.case.records[number].record_id, name, rank + 1, placement.weight, rank == 0,
                    float(np.mean(sigma[own])),
                ))  # fmt: skip
    record, row, rank_of, weight, best, spread = ([one[n] for one in told] for n in range(6))
    return Layer("rows_corrected", _objects(geometry), {
        "record_id": _objects(record), "row": _objects(row), "placement": np.array(rank_of, dtype=np.int64),
        "weight": np.array(weight, dtype=float), "is_best": np.array(best, dtype=bool),
        "sigma_m": np.array(spread, dtype=float),
    })  # fmt: skip


def _regions(assessment: Assessment) -> Layer:
    """Where the devices of a record still lie with the stated probability, for records whose ellipses would mislead."""
    found = {} if assessment.corrected is None else assessment.corrected.placements
    geometry, told = [], []
    for number, placed in sorted(found.items()):
        reasons = why_ellipses_mislead(placed.placements)
        if not reasons:
            continue
        region = region_of(placed.placements)
        if region.devices <= 0.0:
            continue
        for level in LEVELS:
            shape = region.shape(level)
            geometry.append(shape)
            told.append((
                assessment.case.records[number].record_id, level, region.devices * level, shape.area,
                "; ".join(reasons),
            ))  # fmt: skip
    record, of, devices, area, reason = ([one[n] for one in told] for n in range(5))
    return Layer("regions", assessment.grid.unproject_shapes(_objects(geometry)), {
        "record_id": _objects(record), "level": np.array(of, dtype=float), "devices": np.array(devices, dtype=float),
        "area_m2": np.array(area, dtype=float), "reason": _objects(reason),
    })  # fmt: skip


def _items(assessment: Assessment) -> Layer:
    items, records = assessment.items, assessment.case.records
    placed = np.isfinite(items.longitude)
    points = np.full(len(items), None, dtype=object)
    exact = placed & (items.slot == Slot.EXACT)
    points[placed] = shapely.points(items.longitude[placed], items.latitude[placed])
    ids = _objects([record.record_id for record in records])
    columns: dict[str, npt.NDArray[Any]] = {
        "record_id": ids[items.record] if len(ids) else _objects([]),
        "row": items.row,
        "index": items.index,
        "slot": items.slot,
        "category": items.category,
        "model": items.model,
        "placement": items.placement,
        "weight": items.weight,
        "is_best": items.is_best,
        "longitude": np.where(exact, items.longitude, np.nan),
        "latitude": np.where(exact, items.latitude, np.nan),
        "cov_ee_m2": items.cov_m2[:, 0],
        "cov_en_m2": items.cov_m2[:, 1],
        "cov_nn_m2": items.cov_m2[:, 2],
    }
    return Layer("items", points, {**columns, **_fates(assessment)})


def _fates(assessment: Assessment) -> dict[str, npt.NDArray[Any]]:
    """Fate columns; they belong to a device, so every placement of it carries the same."""
    items, book = assessment.items, assessment.ledger
    of_best = _device_of(assessment)
    fate = book.fate[of_best]
    find = _most_probable_find(assessment)[of_best]
    return {
        "p_present": book.present[of_best],
        "fate": _objects([str(f.value) for f in book.most_probable[of_best]]) if len(items) else _objects([]),
        **{f"p_{name.value}": fate[:, column] for column, name in enumerate(Fate)},
        "find_id": find,
    }


def _device_of(assessment: Assessment) -> npt.NDArray[np.int64]:
    """Row of the ledger for every row of the items: placements of one record list their devices alike."""
    items = assessment.items
    start: dict[int, int] = {}
    for rank, row in enumerate(assessment.best):
        start.setdefault(int(items.record[row]), rank)
    result = np.zeros(len(items), dtype=np.int64)
    if len(items) == 0:
        return result
    boundaries = np.flatnonzero(np.diff(items.record, prepend=-1) | np.diff(items.placement, prepend=-1))
    for begin, end in zip(boundaries, [*boundaries[1:], len(items)], strict=True):
        result[begin:end] = start[int(items.record[begin])] + np.arange(end - begin)
    return result


def _most_probable_find(assessment: Assessment) -> npt.NDArray[np.object_]:
    """Id of the find that most probably is each device, "" when none is likelier than not."""
    association = assessment.association
    result = _objects([""] * len(assessment.best))
    ids = [
        assessment.case.finds.id[f] if f >= 0 else assessment.case.accidents.id[a]
        for f, a in zip(assessment.events.find, assessment.events.accident, strict=True)
    ]
    alike = np.bincount(association.group, minlength=len(association.group))
    for pair in np.flatnonzero(association.probability > 0.5 * alike[association.item]):
        result[association.item[pair]] = str(ids[association.find[pair]])
    return result


def _ellipses(assessment: Assessment) -> Layer:
    """90 % ellipse of every record's centre in its heaviest reading."""
    geometry, record = [], []
    for facts, readings in zip(assessment.case.records, assessment.located, strict=True):
        best = readings.best
        if best is None or best.pivot is None or not best.points:
            continue
        base = np.mean([b for b, _ in best.points.values()], axis=0, keepdims=True)
        chain = np.mean([c for _, c in best.points.values()], axis=0, keepdims=True)
        centre = complex(best.network.means(base, chain)[0])
        geometry.append(_ellipse(centre, best.network.point_covariances(base, chain), best.pivot))
        record.append(facts.record_id)
    return Layer("ellipses", _objects(geometry), {
        "record_id": _objects(record), "level": np.full(len(record), ELLIPSE_LEVEL),
    })  # fmt: skip


def _ellipse(centre: complex, cov: npt.NDArray[np.float64], pivot: tuple[float, float]) -> Polygon:
    major, minor, azimuth = (float(np.ravel(value)[0]) for value in ellipse(cov, ELLIPSE_LEVEL))
    angle = np.linspace(0.0, 2 * np.pi, _ELLIPSE_POINTS, endpoint=False)
    # Along the major axis is "north" of the unturned ellipse; turned clockwise by its azimuth.
    ring = (1j * major * np.cos(angle) + minor * np.sin(angle)) * np.exp(-1j * np.radians(azimuth))
    longitude, latitude = from_local(centre + ring, pivot=pivot)
    return Polygon(np.column_stack([longitude, latitude]))


def _points(longitude: npt.NDArray[np.float64], latitude: npt.NDArray[np.float64]) -> npt.NDArray[np.object_]:
    points = np.full(len(longitude), None, dtype=object)
    known = np.isfinite(longitude) & np.isfinite(latitude)
    points[known] = shapely.points(longitude[known], latitude[known])
    return points


def _finds(assessment: Assessment) -> Layer:
    finds = assessment.case.finds
    unrecorded = np.asarray(assessment.association.unrecorded[: len(finds)], dtype=np.float64)
    if not assessment.case.records:
        unrecorded = np.full(len(finds), np.nan)  # nothing to compare with
    return Layer("finds", _points(finds.longitude, finds.latitude), {
        "id": finds.id, "date": finds.date, "category": finds.category, "model": finds.model, "fate": finds.fate,
        "sigma_m": finds.sigma_m, "p_unrecorded": unrecorded, "record_id": _likeliest_record(assessment),
        "on_verified_ground": assessment.on_verified[: len(finds)] >= 0,
    })  # fmt: skip


def _likeliest_record(assessment: Assessment) -> npt.NDArray[np.object_]:
    """The record each find is most probably of; "" where it is more probably of none."""
    pairs, records = assessment.association, assessment.case.records
    count = len(assessment.case.finds)
    of = pairs.find < count
    chance = coo_array(
        (pairs.probability[of], (pairs.find[of], pairs.item_record[pairs.item[of]])),
        shape=(count, max(len(records), 1)),
    ).tocsr()
    best = np.asarray(chance.argmax(axis=1)).ravel()
    top = chance.max(axis=1).toarray().ravel()
    known = top > np.asarray(pairs.unrecorded[:count])
    return _objects([records[n].record_id if is_ else "" for n, is_ in zip(best.tolist(), known, strict=True)])


def _accidents(assessment: Assessment) -> Layer:
    accidents = assessment.case.accidents
    distance = assessment.outside.distance_m[: len(accidents)]
    return Layer("accidents", _points(accidents.longitude, accidents.latitude), {
        "id": accidents.id, "date": accidents.date, "killed": accidents.killed, "injured": accidents.injured,
        "outside_records": _told(distance), "sigma_m": accidents.sigma_m, "distance_to_maps_m": _finite(distance),
        "sheet": accidents.sheet,
    })  # fmt: skip


def _told(distance: npt.NDArray[np.float64]) -> npt.NDArray[np.object_]:
    """Outside or not; None where the accident has no place or nothing counts as maps."""
    return _objects([bool(d > 0.0) if np.isfinite(d) else None for d in distance])


def _finite(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(np.isfinite(values), values, np.nan)


def _searched(assessment: Assessment) -> Layer:
    searched = assessment.case.searched
    return Layer("searched", searched.geometry, {
        "id": searched.id, "date": searched.date, "method": searched.method,
        "detection_probability": searched.detection_probability, "qa": searched.qa, "reason": searched.reason,
    })  # fmt: skip


def _areas(assessment: Assessment) -> Layer:
    areas = assessment.case.areas
    return Layer("areas", areas.geometry, {
        "id": areas.id, "status": areas.status, "date": areas.date, "sheet": areas.sheet,
    })  # fmt: skip


def _missed(assessment: Assessment) -> Layer:
    told = missed_documents(assessment)
    columns = ("record_id", "row", "index", "reason", "length_m", "width_m", "bearing_deg", "capture", "p_present")
    return Layer("missed", _objects([shapely.from_wkt(one["wkt"]) for one in told]), {
        **{name: _objects([one[name] for one in told]) for name in columns},
        "p_searched": np.array([one["p_searched"] for one in told], dtype=float),
        "outcome": _objects([""] * len(told)),
    })  # fmt: skip


def _priorities() -> Layer:
    """Empty until priorities are computed; the layer exists so that a QGIS project finds it."""
    empty = np.zeros(0)
    return Layer("priorities", _objects([]), {
        "rank": np.zeros(0, dtype=np.int64), "kind": _objects([]), "expected_finds": empty, "reason": _objects([]),
    })  # fmt: skip

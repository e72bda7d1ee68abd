"""Records on the case's grid: items of every reading as columns, and the footprint of each record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import LineString
from shapely.geometry.base import BaseGeometry

from surefoot.analysis.locate import Reading, Readings, category_of_label
from surefoot.model import MinefieldRecord
from surefoot.positions.grid import Grid
from surefoot.positions.local import from_local
from surefoot.positions.zones import convergence_deg
from surefoot.terms import Slot

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Texts = npt.NDArray[np.object_]

ROW_BUFFER_M = 5.0
LEAST_WEIGHT = 0.05  # readings below it are not written out


@dataclass(frozen=True)
class PlacedItems:
    """Recorded devices, one row per device and reading of weight >= 0.05 (always the heaviest one)."""

    record: Ints
    row: Texts
    index: Floats
    slot: Texts
    category: Texts
    model: Texts  # label of `locate.mixture_label`
    placement: Ints  # from 1 within its record
    weight: Floats
    is_best: npt.NDArray[np.bool_]
    longitude: Floats
    latitude: Floats
    cov_m2: Floats  # (n, 3) ee, en, nn in the local tangent plane
    easting: Floats  # case CRS
    northing: Floats
    grid_cov_m2: Floats  # (n, 3) in the axes of the case CRS

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True)
class _Piece:
    """Items of one reading before projection."""

    row: Texts
    index: Floats
    slot: Texts
    model: Texts
    longitude: Floats
    latitude: Floats
    cov: Floats


def place_items(located: Sequence[Readings], grid: Grid) -> PlacedItems:
    """Stack the items of every record's readings into columns on the case's grid."""
    pieces, head = [], []
    for number, readings in enumerate(located):
        for rank, reading in enumerate(readings.readings):
            if rank and reading.weight < LEAST_WEIGHT:
                continue
            pieces.append(_piece(reading))
            head.append((number, rank, reading.weight, len(reading.items)))
    lengths = np.array([length for *_, length in head], dtype=np.int64)

    def spread(values: list[float]) -> Floats:
        return np.repeat(np.array(values, dtype=float), lengths)

    longitude, latitude = _numbers([p.longitude for p in pieces]), _numbers([p.latitude for p in pieces])
    cov = np.concatenate([p.cov for p in pieces]) if pieces else np.zeros((0, 3))
    xy = grid.project(longitude, latitude)
    model = _texts([p.model for p in pieces])
    labels = {label: category_of_label(label) for label in set(model)}
    return PlacedItems(
        record=spread([h[0] for h in head]).astype(np.int64),
        row=_texts([p.row for p in pieces]),
        index=_numbers([p.index for p in pieces]),
        slot=_texts([p.slot for p in pieces]),
        category=np.array([labels[label] for label in model], dtype=object),
        model=model,
        placement=spread([h[1] + 1 for h in head]).astype(np.int64),
        weight=spread([h[2] for h in head]),
        is_best=spread([h[1] for h in head]) == 0,
        longitude=longitude,
        latitude=latitude,
        cov_m2=cov,
        easting=xy[:, 0],
        northing=xy[:, 1],
        grid_cov_m2=_turned(cov, longitude, latitude, grid),
    )


def _numbers(parts: list[Floats]) -> Floats:
    return np.concatenate(parts) if parts else np.zeros(0)


def _texts(parts: list[Texts]) -> Texts:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=object)


def _piece(reading: Reading) -> _Piece:
    items = reading.items
    count = len(items)
    longitude, latitude = np.full(count, np.nan), np.full(count, np.nan)
    cov = np.full((count, 3), np.nan)
    known = np.flatnonzero(items.slot != Slot.NONE)
    if reading.pivot is not None and len(known):
        means, full = reading.item_means()[known], reading.item_covariances()[known]
        longitude[known], latitude[known] = from_local(means, pivot=reading.pivot)
        cov[known] = np.column_stack([full[:, 0, 0], full[:, 0, 1], full[:, 1, 1]])
    return _Piece(items.row, items.index, items.slot, items.model, longitude, latitude, cov)


def _turned(cov: Floats, longitude: Floats, latitude: Floats, grid: Grid) -> Floats:
    """Turn covariances from true north to the grid's north."""
    result = np.array(cov)
    known = np.isfinite(longitude)
    if not known.any():
        return result
    turn = np.radians(convergence_deg(grid.crs, longitude[known], latitude[known]))
    cosine, sine = np.cos(turn), np.sin(turn)
    ee, en, nn = cov[known].T
    result[known, 0] = cosine**2 * ee - 2 * cosine * sine * en + sine**2 * nn
    result[known, 2] = sine**2 * ee + 2 * cosine * sine * en + cosine**2 * nn
    result[known, 1] = cosine * sine * (ee - nn) + (cosine**2 - sine**2) * en
    return result


@dataclass(frozen=True)
class Shapes:
    """Shapes of a record's heaviest reading, WGS 84: footprint (None = none), and one line per row."""

    footprint: BaseGeometry | None
    buffered: bool  # the footprint is the row lines with a buffer
    rows: tuple[tuple[str, BaseGeometry], ...]  # name and line


def shapes_of(record: MinefieldRecord, readings: Readings) -> Shapes:
    """Return the shapes of a record's heaviest reading."""
    reading = readings.best
    if reading is None or reading.pivot is None:
        return Shapes(None, False, ())
    rows = [(name, line) for name, line in _row_lines(record, reading)]
    area: BaseGeometry | None = reading.drawn if reading.drawn is not None else reading.area_polygon()
    if area is not None and area.area == 0.0:
        rows = rows or [("", part) for part in _lines(area)]
        area = None if rows else area.buffer(ROW_BUFFER_M)
    buffered = area is None and bool(rows)
    if buffered:
        area = shapely.union_all([line.buffer(ROW_BUFFER_M) for _, line in rows])
    if area is not None and not area.is_valid:
        area = shapely.make_valid(area)
    return Shapes(
        None if area is None else _on_earth(area, reading.pivot),
        buffered,
        tuple((name, _on_earth(line, reading.pivot)) for name, line in rows),
    )


def _row_lines(record: MinefieldRecord, reading: Reading) -> list[tuple[str, LineString]]:
    lines = []
    means, places = reading.item_means(), reading.point_positions()
    for row in record.rows:
        ends = [places[name] for name in (row.origin, row.target) if name in places]
        chosen = np.flatnonzero((reading.items.row == row.no) & (reading.items.slot == Slot.EXACT))
        ordered = means[chosen[np.argsort(reading.items.index[chosen], kind="stable")]]
        path = ordered if len(ordered) >= 2 else np.array(ends)
        if len(path) >= 2 and np.ptp(path.real) + np.ptp(path.imag) > 0:
            lines.append((row.no, LineString(np.column_stack([path.real, path.imag]))))
    return lines


def _lines(shape: BaseGeometry) -> list[LineString]:
    parts = list(shape.geoms) if hasattr(shape, "geoms") else [shape]
    return [part for part in parts if isinstance(part, LineString)]


def _on_earth(shape: BaseGeometry, pivot: tuple[float, float]) -> BaseGeometry:
    def lonlat(xy: Floats) -> Floats:
        longitude, latitude = from_local(xy[:, 0] + 1j * xy[:, 1], pivot=pivot)
        return np.column_stack([longitude, latitude])

    return shapely.transform(shape, lonlat)

"""Records that come as features of a file: their shape is drawn already, only its place is uncertain."""

from __future__ import annotations

import math

import numpy as np
import shapely
from shapely.geometry import LineString, Polygon
from shapely.geometry.base import BaseGeometry

from surefoot.analysis.locate.items import ItemColumns, mixture_label
from surefoot.analysis.locate.moments import LegErrors
from surefoot.analysis.locate.priors import Priors
from surefoot.analysis.locate.readings import Network, Reading, ReadItems, ReadRow
from surefoot.analysis.locate.tally import expanded
from surefoot.model import MinefieldRecord
from surefoot.positions.local import to_local
from surefoot.terms import Slot


def locate_geometry(record: MinefieldRecord, priors: Priors) -> Reading:
    """Return the one reading of a drawn record: shape as drawn, a common shift of the stated sigma."""
    assert record.geometry is not None
    middle = record.geometry.centroid
    pivot = (float(middle.x), float(middle.y))
    drawn = shapely.transform(record.geometry, lambda xy: _plane(xy, pivot))
    sigma = record.geometry_sigma_m
    if not math.isfinite(sigma):
        sigma = priors.map_sigma_m(priors.table["digitised"]["map_scale"])
    network = Network(
        np.zeros(1, complex), sigma**2 * np.eye(2), np.zeros(0, complex),
        LegErrors(np.zeros((0, 0)), np.zeros((0, 0))),
    )  # fmt: skip
    items, rows = _items(record, drawn, priors)
    centre = {"centre": (np.ones(1), np.zeros(0))}
    return Reading(
        1.0,
        {},
        "EPSG:4326",
        "none",
        pivot,
        network,
        centre,
        {"centre": pivot},
        (),
        rows,
        items,
        (),
        drawn=drawn,
    )


def _plane(lonlat: np.ndarray, pivot: tuple[float, float]) -> np.ndarray:
    z = to_local(lonlat[:, 0], lonlat[:, 1], pivot=pivot)
    return np.column_stack([z.real, z.imag])


def _items(record: MinefieldRecord, drawn: BaseGeometry, priors: Priors) -> tuple[ReadItems, tuple[ReadRow, ...]]:
    lines = [part for part in _parts(drawn) if isinstance(part, LineString)]
    columns = ItemColumns(1, 0)
    offsets: list[complex] = []
    rows = []
    counts, with_totals = expanded(record)
    for number, (row, count) in enumerate(zip(record.rows, counts, strict=True)):
        line = lines[number] if number < len(lines) else None
        _add_row(columns, offsets, row.no, mixture_label(row.mines), count, line, drawn, priors)
        rows.append(ReadRow(row.no, (), row.count, None))
    if not record.rows and with_totals:
        for model, count in record.totals.items():
            line = lines[0] if len(lines) == 1 else None
            _add_row(columns, offsets, "", model, count, line, drawn, priors)
    items = columns.columns()
    placed = ReadItems(
        items.row, items.index, items.slot, items.model, items.base, items.chain, items.extra_cov,
        np.array(offsets, dtype=complex),
    )  # fmt: skip
    return placed, tuple(rows)


def _add_row(
    columns: ItemColumns, offsets: list[complex], row: str, model: str, count: int, line: LineString | None,
    drawn: BaseGeometry, priors: Priors,
) -> None:  # fmt: skip
    own = (priors.row_offset_sd_m**2 + priors.scatter_sd_m**2) * np.eye(2)
    place = (np.ones(1), np.zeros(0))
    if line is None:
        middle, spread = shape_moments(drawn)
        slot = Slot.EXACT if count == 1 and drawn.geom_type == "Point" else Slot.AREA
        for _ in range(count):
            columns.add(row, math.nan, slot, model, place, own + spread)
            offsets.append(middle)
        return
    for index in range(count):
        share = (index + 0.5) / count
        point, ahead = (
            line.interpolate(share, normalized=True),
            line.interpolate(min(1.0, share + 1e-3), normalized=True),
        )
        along = np.array([ahead.x - point.x, ahead.y - point.y])
        along = along / max(float(np.linalg.norm(along)), 1e-9)
        gap = line.length / count
        columns.add(row, index + 1.0, Slot.ROW, model, place, own + np.outer(along, along) * gap**2 / 12.0)
        offsets.append(complex(point.x, point.y))


def shape_moments(shape: BaseGeometry) -> tuple[complex, np.ndarray]:
    """Mean (complex) and covariance (2, 2) of a point spread evenly over a shape, metres."""
    polygons = [part for part in _parts(shape) if isinstance(part, Polygon)]
    if not polygons:
        points = shapely.get_coordinates(shape)
        centred = points - points.mean(axis=0)
        return complex(*points.mean(axis=0)), centred.T @ centred / len(points)
    triangles, areas = _triangles(polygons)
    centres = triangles.mean(axis=1)
    total = areas.sum()
    mean = (areas[:, None] * centres).sum(axis=0) / total
    # Second moment of a triangle: the mean of its corners' and centre's outer products, weights 1/12 and 9/12.
    corner = np.einsum("tki,tkj->tij", triangles - mean, triangles - mean)
    centre = np.einsum("ti,tj->tij", centres - mean, centres - mean)
    second = ((corner + 9.0 * centre) / 12.0 * areas[:, None, None]).sum(axis=0) / total
    return complex(*mean), second


def _triangles(polygons: list[Polygon]) -> tuple[np.ndarray, np.ndarray]:
    """Signed triangles from a fan around the first vertex of each ring; holes count negative."""
    pieces, signed = [], []
    for polygon in polygons:
        for hole, ring in enumerate([polygon.exterior, *polygon.interiors]):
            xy = np.asarray(ring.coords)[:-1, :2]
            fan = np.stack([np.broadcast_to(xy[0], xy[2:].shape), xy[1:-1], xy[2:]], axis=1)
            one, two = fan[:, 1] - fan[:, 0], fan[:, 2] - fan[:, 0]
            area = (one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]) / 2.0
            orientation = np.sign(area.sum()) * (-1.0 if hole else 1.0)
            pieces.append(fan)
            signed.append(area * orientation)
    return np.concatenate(pieces), np.concatenate(signed)


def _parts(shape: BaseGeometry) -> list[BaseGeometry]:
    return [leaf for part in shape.geoms for leaf in _parts(part)] if hasattr(shape, "geoms") else [shape]

"""Vector files -> raw tables, through GDAL. Runs in the limited child process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyogrio
import pyogrio.errors
import pyogrio.raw

from surefoot.errors import InputError
from surefoot.readers.raw import Column, RawTable, text_column

_ALL_LAYERS = frozenset({"kml", "kmz", "gpx", "dxf"})  # folders and tracks are layers there
_PARTS = frozenset({"route_points", "track_points"})  # the vertices of other layers, once more


def read_vector(path: Path, name: str, form: str, kind: str | None) -> tuple[RawTable, ...]:
    """Read a vector file: the layer named like the table, else every layer that holds features.

    Parameters
    ----------
    form
        Format by content, as `surefoot.readers.sniff.sniff` gives it.

    Raises
    ------
    InputError
        SF-R104 (damaged), SF-R108 (no features).
    """
    source = f"/vsizip/{path}" if form == "shpzip" else str(path)
    try:
        layers = [str(layer) for layer in pyogrio.list_layers(source)[:, 0]]  # type: ignore[no-untyped-call]
        named = [layer for layer in layers if layer.lower() == kind and form not in _ALL_LAYERS]
        tables = [_layer(source, name, layer, form) for layer in named or layers if layer not in _PARTS]
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError, OSError) as error:
        raise InputError("SF-R104", name, detail=str(error)[:300]) from error
    filled = tuple(table for table in tables if len(table))
    if not filled:
        raise InputError("SF-R108", name)
    return filled


def _layer(source: str, name: str, layer: str, form: str) -> RawTable:
    meta, _, geometry, fields = pyogrio.raw.read(  # type: ignore[no-untyped-call]
        source, layer=layer, force_2d=True
    )
    columns: dict[str, Column] = {}
    for field, values in zip(meta["fields"], fields, strict=True):
        columns[str(field)] = values.astype(np.float64) if values.dtype.kind == "f" else text_column(values)
    if _is_made(columns.get("id"), layer) or (form in {"kml", "kmz"} and _is_worse(columns)):
        del columns["id"]
    count = len(geometry) if geometry is not None else len(fields[0]) if fields else 0
    rows = np.arange(1, count + 1, dtype=np.int64)
    return RawTable(name, layer, columns, rows, geometry=geometry, crs=meta["crs"])


def _is_made(ids: Column | None, layer: str) -> bool:
    """Return whether ids are the ``layer.1``, ``layer.2`` that KML writers put in, not the user's own."""
    return ids is not None and len(ids) > 0 and all(str(i).rpartition(".")[0] == layer for i in ids.tolist())


def _is_worse(columns: dict[str, Column]) -> bool:
    """Return whether fewer placemarks have an id, which programs put in, than a name, which people do."""
    ids, names = columns.get("id"), columns.get("Name")
    return ids is not None and names is not None and _filled(ids) < _filled(names)


def _filled(column: Column) -> int:
    return sum(text != "" for text in column.tolist())

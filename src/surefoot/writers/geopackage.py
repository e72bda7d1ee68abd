"""``assessment.gpkg``: every layer with one default style; QGIS opens it styled.

All layers exist even when they are empty, with their main columns, so that a QGIS project built on one case
opens on the next. Nothing in the file comes from the clock.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyogrio import raw

from surefoot.terms import Fate, SpotOutcome
from surefoot.writers import SIMULATED, Assessment, LayerLike
from surefoot.writers.qgis_styles import style_qml

TEXT, NUMBER, WHOLE, DAY, FLAG = (np.dtype(t) for t in (object, np.float64, np.int64, "datetime64[D]", np.bool_))
Field = tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None]  # values, and where they are not known
WARNING = "Not evidence that any place is free of devices."
NO_DATE = "1970-01-01"  # the format wants a date; a case without `as_of` has none


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """What a layer is: its geometry type, the columns it always has, what it shows."""

    geometry_type: str
    columns: Mapping[str, np.dtype[Any]]
    description: str


LAYERS: Mapping[str, LayerPlan] = {
    "areas": LayerPlan(
        "MultiPolygon",
        {"id": TEXT, "status": TEXT, "date": DAY, "sheet": TEXT},
        "Hazardous and released areas as stated by their source.",
    ),
    "searched": LayerPlan(
        "MultiPolygon",
        {"id": TEXT, "date": DAY, "method": TEXT, "detection_probability": NUMBER, "qa": TEXT},
        "Ground that was searched, and how.",
    ),
    "records": LayerPlan(
        "MultiPolygon",
        {
            **dict.fromkeys(("record_id", "form_no", "family", "series", "laid"), TEXT),
            "locatability": WHOLE,
            "recorded": NUMBER,
            "sigma_m": NUMBER,
        },
        "Footprint of every record in its heaviest reading; no geometry where the record has no footprint.",
    ),
    "rows": LayerPlan(
        "MultiLineString",
        {"record_id": TEXT, "row": TEXT, "count": WHOLE, "model": TEXT},
        "Rows of the records in their heaviest reading.",
    ),
    "rows_corrected": LayerPlan(
        "MultiLineString",
        {"record_id": TEXT, "row": TEXT, "placement": WHOLE, "weight": NUMBER, "is_best": FLAG, "sigma_m": NUMBER},
        "Rows after re-anchoring, under every placement of weight >= 0.05; empty where nothing was corrected.",
    ),
    "regions": LayerPlan(
        "MultiPolygon",
        {"record_id": TEXT, "level": NUMBER, "devices": NUMBER, "area_m2": NUMBER, "reason": TEXT},
        "Smallest ground that holds the stated share of a record's devices not found yet, over all placements after "
        "re-anchoring; only for records whose ellipses would mislead.",
    ),
    "ellipses": LayerPlan(
        "MultiPolygon",
        {"record_id": TEXT, "level": NUMBER},
        "Where a record or device lies with the stated probability, if the record's own reading is right.",
    ),
    "items": LayerPlan(
        "Point",
        {
            **dict.fromkeys(("record_id", "row"), TEXT),
            "index": NUMBER,
            **dict.fromkeys(("slot", "category", "model"), TEXT),
            "placement": WHOLE,
            "weight": NUMBER,
            "is_best": FLAG,
            **dict.fromkeys(("longitude", "latitude", "cov_ee_m2", "cov_en_m2", "cov_nn_m2", "p_present"), NUMBER),
            "fate": TEXT,
            **{f"p_{fate.value}": NUMBER for fate in Fate},
            "find_id": TEXT,
        },
        "Every recorded device and placement, with the probabilities of its fates.",
    ),
    "finds": LayerPlan(
        "Point",
        {
            "id": TEXT,
            "date": DAY,
            **dict.fromkeys(("category", "model", "fate"), TEXT),
            "sigma_m": NUMBER,
            "p_unrecorded": NUMBER,
            "record_id": TEXT,
        },
        "Devices found, with the probability that they belong to no record.",
    ),
    "accidents": LayerPlan(
        "Point",
        {
            "id": TEXT,
            "date": DAY,
            "killed": NUMBER,
            "injured": NUMBER,
            "outside_records": FLAG,
            "sigma_m": NUMBER,
        },
        "Accidents; one row is one event, not one victim.",
    ),
    "missed": LayerPlan(
        "MultiPolygon",
        {
            **dict.fromkeys(("record_id", "row"), TEXT),
            "index": NUMBER,
            "reason": TEXT,
            **dict.fromkeys(("length_m", "width_m", "bearing_deg", "capture", "p_present", "p_searched"), NUMBER),
            "outcome": TEXT,
        },
        "Where to look again for recorded devices that a search passed or stopped beside; outcome is filled in by the "
        f"search: {', '.join(outcome.value for outcome in SpotOutcome)}.",
    ),
    "priorities": LayerPlan(
        "MultiPolygon",
        {"rank": WHOLE, "kind": TEXT, "expected_finds": NUMBER, "information_gain": NUMBER, "reason": TEXT},
        "Work proposed next. The national authority decides.",
    ),
}


def write_geopackage(assessment: Assessment, path: str | os.PathLike[str]) -> None:
    """Write every layer of an assessment with its default QGIS style.

    Parameters
    ----------
    assessment
        The result; layers in EPSG:4326. Columns beyond the promised ones are written as they come.
    path
        File to write; an existing one is replaced.

    Notes
    -----
    Numbers that are nan and dates that are NaT become NULL. The dates inside the file are the case's `as_of`.
    """
    as_of = assessment.document.get("as_of") or NO_DATE
    simulated = bool(assessment.document["simulated"])
    write_layers(assessment.layers, LAYERS, path, simulated=simulated, as_of=str(as_of))


def write_layers(
    layers: Mapping[str, LayerLike],
    plans: Mapping[str, LayerPlan],
    path: str | os.PathLike[str],
    *,
    simulated: bool,
    as_of: str,
) -> None:
    """Write layers as planned, each with its default style; a planned layer that is not given is empty."""
    target = Path(path)
    target.unlink(missing_ok=True)
    stamp = f"{as_of}T00:00:00.000Z"
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "draft.gpkg"
        for name, plan in plans.items():
            _write_layer(draft, name, plan, layers.get(name), simulated=simulated)
        with contextlib.closing(sqlite3.connect(draft)) as connection:
            _write_styles(connection, plans, stamp)
            connection.commit()
            # a fresh file: the draft's change counter depends on how often GDAL happened to flush
            connection.execute("VACUUM INTO ?", (str(target),))


def _write_layer(path: Path, name: str, plan: LayerPlan, layer: LayerLike | None, *, simulated: bool) -> None:
    geometry = layer.geometry if layer is not None else np.empty(0, dtype=object)
    columns = _columns(plan, layer.columns if layer is not None else {}, len(geometry))
    if simulated:
        columns["simulated"] = (np.ones(len(geometry), dtype=np.bool_), None)
    mark = f" {SIMULATED}: invented data." if simulated else ""
    kind = _geometry_type(plan.geometry_type, geometry)
    raw.write(  # type: ignore[no-untyped-call]
        str(path),
        shapely.to_wkb(geometry, include_srid=False),
        [values for values, _ in columns.values()],
        list(columns),
        field_mask=[mask for _, mask in columns.values()],
        layer=name,
        driver="GPKG",
        geometry_type=kind,
        promote_to_multi=kind.startswith("Multi"),
        crs="EPSG:4326",
        encoding="UTF-8",
        append=path.exists(),
        dataset_options={"VERSION": "1.3"},  # what QGIS 3.22 LTR opens without a warning
        layer_options={
            "IDENTIFIER": f"{name} [{SIMULATED}]" if simulated else name,
            "DESCRIPTION": f"{plan.description} {WARNING}{mark}",
            "GEOMETRY_NAME": "geom",
        },
    )


def _geometry_type(planned: str, geometry: npt.NDArray[np.object_]) -> str:
    """The planned type, or the open one where real files mix points and lines into areas."""
    allowed = {"Point": [0], "MultiLineString": [1, 5], "MultiPolygon": [3, 6]}[planned]
    present = geometry[~shapely.is_missing(geometry)]
    return planned if np.isin(shapely.get_type_id(present), allowed).all() else "Unknown"


def _columns(plan: LayerPlan, given: Mapping[str, npt.NDArray[Any]], n: int) -> dict[str, Field]:
    """The promised columns first, not known where they are not given, then whatever else came."""
    promised = {
        name: _as_type(given[name], dtype) if name in given else _unknown(dtype, n)
        for name, dtype in plan.columns.items()
    }
    others = {name: _as_type(v, _own_type(v)) for name, v in given.items() if name not in promised}
    return promised | others


def _unknown(dtype: np.dtype[Any], n: int) -> Field:
    return np.zeros(n, dtype=dtype), np.ones(n, dtype=np.bool_)


def _as_type(values: npt.NDArray[Any], dtype: np.dtype[Any]) -> Field:
    """One column in a type the file format has, with the mask of what is not known (None, nan, NaT, "")."""
    missing = _missing(values)
    if dtype.kind == "O":
        text = (None if m else str(v) for v, m in zip(values.tolist(), missing, strict=True))
        return np.fromiter(text, object, len(values)), missing
    filled = np.where(missing, np.zeros(1, dtype=dtype).astype(object), values.astype(object))
    known = values if values.dtype.kind != "O" and not missing.any() else filled
    whole = dtype.kind == "i" and any(float(v) % 1 for v in known)
    return known.astype(np.float64 if whole else dtype), missing


def _missing(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    if values.dtype.kind == "M":
        return np.asarray(np.isnat(values))
    if values.dtype.kind == "f":
        return np.asarray(np.isnan(values))
    if values.dtype.kind != "O":
        return np.zeros(len(values), dtype=np.bool_)
    blank = (v is None or v == "" or v != v for v in values)
    return np.fromiter(blank, np.bool_, len(values))


def _own_type(values: npt.NDArray[Any]) -> np.dtype[Any]:
    """The file's type for a column that nobody promised."""
    by_kind = {"M": DAY, "f": NUMBER, "i": WHOLE, "u": WHOLE, "b": FLAG}
    if values.dtype.kind != "O":
        return by_kind.get(values.dtype.kind, TEXT)
    kinds = {type(v) for v in values if v is not None}
    if kinds and kinds <= {bool, np.bool_}:
        return FLAG
    return NUMBER if kinds and kinds <= {int, float, np.int64, np.float64} else TEXT


def _write_styles(connection: sqlite3.Connection, plans: Mapping[str, LayerPlan], stamp: str) -> None:
    """Add the table QGIS looks for, register it, and set the file's own dates to the case's."""
    connection.execute(
        """CREATE TABLE layer_styles (
            id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
            f_table_catalog TEXT(256), f_table_schema TEXT(256), f_table_name TEXT(256),
            f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
            useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),
            update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')))"""
    )
    connection.executemany(
        """INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column,
            styleName, styleQML, styleSLD, useAsDefault, description, owner, ui, update_time)
            VALUES ('', '', ?, 'geom', ?, ?, '', 1, ?, '', NULL, ?)""",
        [(name, name, style_qml(name), plan.description, stamp) for name, plan in plans.items()],
    )
    connection.execute(
        """INSERT INTO gpkg_contents (table_name, data_type, identifier, description, srs_id)
            VALUES ('layer_styles', 'attributes', 'layer_styles', 'Default QGIS styles', 0)"""
    )
    connection.execute("UPDATE gpkg_contents SET last_change = ?", (stamp,))

"""A made-up region as a case folder (interfaces.md 2): text files, the same bytes for the same region."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
import yaml

from surefoot.analysis.synthetic import SimulatedRegion
from surefoot.errors import UsageError
from surefoot.model import CaseSettings, Geometries
from surefoot.writers import SIMULATED

DEGREE_DECIMALS = 9  # a tenth of a millimetre
METRE_DECIMALS = 4
NOTICE = (
    f"{SIMULATED}: everything in this folder is invented. The places lie in the open Caspian Sea; "
    "there is no real minefield here, and no person, unit or statement is real.\n"
    "Все данные вымышлены (имитация), места лежат в открытом море; настоящих минных полей здесь нет.\n"
)
_Columns = Mapping[str, npt.NDArray[Any]]


def write_case(region: SimulatedRegion, folder: Path) -> tuple[Path, ...]:
    """Write a made-up region as a case folder, with its truth.

    Parameters
    ----------
    region
        What `surefoot.analysis.synthetic.simulate` returned.
    folder
        A folder that does not exist yet or is empty.

    Returns
    -------
    tuple of Path
        The files written, sorted.

    Raises
    ------
    UsageError
        SF-Y010 when the folder already holds something: an older region's records would be read as part of
        this one.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError("SF-Y010", str(folder))
    texts = case_texts(region)
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return tuple(sorted(folder / name for name in texts))


def case_texts(region: SimulatedRegion) -> Mapping[str, str]:
    """Return the files of a case folder, {path inside the folder: content}."""
    texts = {"README.txt": NOTICE, "case.toml": _case_toml(region.settings)}
    texts |= {f"records/{form['record_id']}.yaml": _yaml(form) for form in region.forms}
    texts |= {
        "finds.csv": _csv(_table(region.finds)),
        "accidents.csv": _csv(_table(region.accidents)),
        "searched.geojson": _geojson(region.searched.geometry, _table(region.searched)),
        "claims.yaml": _yaml(list(region.claims)),
    }
    if len(region.areas):
        texts["areas.geojson"] = _geojson(region.areas.geometry, _table(region.areas))
    for field in dataclasses.fields(region.truth):
        texts[f"truth/{field.name}.csv"] = _csv(_table(getattr(region.truth, field.name)))
    return texts


def _case_toml(settings: CaseSettings) -> str:
    bbox = ", ".join(f"{bound:.5f}" for bound in settings.region.bounds)
    lines = [
        *(f"# {line}" for line in NOTICE.splitlines()),
        f"name = {json.dumps(settings.name)}",
        "simulated = true",
        f"bbox = [{bbox}]",
        f"crs = {json.dumps(settings.crs)}",
        f'as_of = "{settings.as_of}"',
    ]
    if settings.policy.lane_rules is not None:
        lines += ["", "[policy.lane_rules]"]
        lines += [f"{key} = {json.dumps(value)}" for key, value in settings.policy.lane_rules.items()]
    for name, priors in settings.series.items():
        lines += ["", f"[series.{json.dumps(name)}]", 'provenance = "simulated"']
        lines += _toml_tables(f"series.{json.dumps(name)}", priors)
    return "\n".join(lines) + "\n"


def _toml_tables(path: str, tables: Mapping[str, Any]) -> list[str]:
    """Return TOML tables of numbers, one level of inline tables deep."""
    lines: list[str] = []
    for name, values in tables.items():
        lines.append(f"[{path}.{name}]")
        lines += [f"{key} = {_toml_value(value)}" for key, value in values.items()]
    return lines


def _toml_value(value: float | Mapping[str, float]) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_toml_value(inner)}" for key, inner in value.items()) + "}"
    return repr(float(value))


def _yaml(content: Any) -> str:
    head = "".join(f"# {line}\n" for line in NOTICE.splitlines())
    body = yaml.safe_dump(content, allow_unicode=True, sort_keys=False, default_flow_style=None, width=140)
    return head + body


def _table(columns: Any) -> _Columns:
    """Return the columns of a table that a user's file would have."""
    names = [field.name for field in dataclasses.fields(columns)]
    return {name: getattr(columns, name) for name in names if name not in ("source_row", "geometry")}


def _csv(columns: _Columns) -> str:
    rows = zip(*(_written(name, column) for name, column in columns.items()), strict=True)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue()


def _written(name: str, column: npt.NDArray[Any]) -> list[str]:
    """Write one column; what is not stated is an empty cell."""
    if column.dtype.kind == "f":
        decimals = DEGREE_DECIMALS if name.endswith(("longitude", "latitude")) else METRE_DECIMALS
        return ["" if np.isnan(v) else _number(float(v), decimals) for v in column]
    if column.dtype.kind == "M":
        return ["" if np.isnat(v) else str(v) for v in column]
    return [str(v) for v in column]


def _number(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _geojson(geometry: Geometries, columns: _Columns) -> str:
    written = {name: _written(name, column) for name, column in columns.items()}
    features = [
        _feature(shape, {name: _property(columns[name], values[i]) for name, values in written.items()})
        for i, shape in enumerate(geometry)
    ]
    head = f'{{"type": "FeatureCollection", "simulated": true, "notice": {json.dumps(NOTICE.splitlines()[0])},\n'
    return head + '"features": [\n' + ",\n".join(features) + "\n]}\n"


def _property(column: npt.NDArray[Any], text: str) -> str | float | None:
    if text == "":
        return None
    return float(text) if column.dtype.kind == "f" else text


def _feature(shape: Any, properties: Mapping[str, str | float | None]) -> str:
    ring: Sequence[Sequence[float]] = shapely.get_coordinates(shapely.orient_polygons(shape)).tolist()
    coordinates = [[round(value, DEGREE_DECIMALS) for value in corner] for corner in ring]
    feature = {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Polygon", "coordinates": [coordinates]},
    }
    return json.dumps(feature, ensure_ascii=False, allow_nan=False)

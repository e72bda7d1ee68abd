"""One text where a list is due, and the like: brought into the shape of the schema before anything is checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_LISTS = ("reference_points", "legs", "points", "rows", "devices")


def in_shape(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields with single entries as lists, an area "1, 2, 3" as a list, a list of devices as text."""
    out = dict(fields)
    for key in _LISTS:
        if isinstance(out.get(key), dict):
            out[key] = [out[key]]
    if isinstance(out.get("events"), str):
        out["events"] = [line.strip() for line in re.split(r"[;\n]", out["events"]) if line.strip()]
    if isinstance(out.get("area"), str):
        out["area"] = [name for name in re.split(r"\s*[,;]\s*|\s+-\s+|\s+", out["area"].strip()) if name]
    if "totals" in out:
        out["totals"] = _devices(out["totals"])
    if isinstance(out.get("rows"), list):
        out["rows"] = [_row(row) for row in out["rows"]]
    return out


def _row(row: Any) -> Any:
    return {**row, "mines": _devices(row["mines"])} if isinstance(row, dict) and "mines" in row else row


def _devices(written: Any) -> Any:
    """A list of texts is one text; a list of tables is one table unless a name comes twice."""
    if not isinstance(written, list) or not written:
        return written
    if all(isinstance(entry, str) for entry in written):
        return "; ".join(written)
    if all(isinstance(entry, dict) for entry in written):
        merged = {name: number for entry in written for name, number in entry.items()}
        return merged if len(merged) == sum(map(len, written)) else written
    return written

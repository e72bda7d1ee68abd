"""``assessment.json``: strict JSON, the same bytes for the same assessment.

A number that is not known is null with a reason; NaN and Infinity are refused, because a reader in another
language would take them for text, for zero, or not at all.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import os
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from surefoot.errors import UsageError
from surefoot.writers import Assessment

TOP_KEYS = (
    *(
        "schema",
        "case",
        "simulated",
        "as_of",
        "version",
        "seed",
        "crs",
        "inputs",
        "tables",
        "measures",
        "outside",
    ),
    *(
        "records",
        "form_quality",
        "duplicates",
        "ledger",
        "total",
        "forecast",
        "learned",
        "claims",
        "priorities",
        "set_aside",
        "doubts",
    ),
)

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None


def write_assessment_json(assessment: Assessment, path: str | os.PathLike[str]) -> None:
    """Write ``assessment.json``: UTF-8, two-space indent, keys in a fixed order, LF at the end.

    Parameters
    ----------
    assessment
        The result; its ``document`` may hold NumPy scalars and arrays, dates and enums.
    path
        File to write.

    Raises
    ------
    UsageError
        ``SF-W001`` for NaN or an infinity, ``SF-W002`` for a value JSON has no form for, each with its place
        in the document. Nothing is written then.
    """
    write_json(assessment.document, path)


def write_json(document: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a document as `write_assessment_json` does."""
    # a file name that is no UTF-8 arrives as lone surrogates; backslashreplace writes them as JSON escapes
    Path(path).write_bytes(dumps(document).encode("utf-8", "backslashreplace"))


def dumps(document: Mapping[str, Any]) -> str:
    """Return the document as strict JSON text, see `write_assessment_json`."""
    content = {key: plain(document[key], f"$.{key}") for key in sorted(document, key=_top_order)}
    return json.dumps(content, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def _top_order(key: str) -> tuple[int, str]:
    """The promised keys first, in the promised order; whatever was added later after them."""
    return (TOP_KEYS.index(key) if key in TOP_KEYS else len(TOP_KEYS), key)


def plain(value: object, place: str = "$") -> Json:
    """Return `value` with nothing but JSON's own types in it.

    Sets become sorted lists; mapping keys become text, sorted. `place` is the JSON path named in an error.
    """
    if isinstance(value, Enum):
        return plain(value.value, place)
    if isinstance(value, Mapping):
        entries = sorted(((_key(k, place), v) for k, v in value.items()), key=lambda entry: entry[0])
        return {k: plain(v, f"{place}.{k}") for k, v in entries}
    if isinstance(value, str | None):
        return value
    if isinstance(value, set | frozenset):
        return _list(sorted(value, key=str), place)
    if isinstance(value, list | tuple):
        return _list(value, place)
    if isinstance(value, np.ndarray):
        return _list(value.tolist(), place) if value.ndim else plain(value.item(), place)
    return _scalar(value, place)


def _list(values: Iterable[object], place: str) -> list[Json]:
    return [plain(v, f"{place}[{i}]") for i, v in enumerate(values)]


def _key(key: object, place: str) -> str:
    if isinstance(key, Enum):
        return str(key.value)
    if not isinstance(key, str | int):
        raise UsageError("SF-W002", found=type(key).__name__, place=place)
    return str(key)


def _scalar(value: object, place: str) -> Json:
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else str(value.astype("datetime64[D]"))
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise UsageError("SF-W001", found=str(value), place=place)
        return value
    if isinstance(value, dt.date):
        return value.isoformat()
    raise UsageError("SF-W002", found=type(value).__name__, place=place)


@cache
def schema() -> Mapping[str, Any]:
    """Return the JSON Schema (2020-12) of ``assessment.json`` as it ships with the package."""
    source = files("surefoot").joinpath("data", "assessment.schema.json")
    loaded: Mapping[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    return loaded

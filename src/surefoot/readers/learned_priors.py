"""``learned_priors.json`` of an earlier assessment -> the priors of this case's series."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from surefoot.errors import InputError, UsageError
from surefoot.readers.limits import Job, limits_for, run_jobs
from surefoot.readers.named_files import path_inside
from surefoot.readers.priors import default_priors

SCHEMA = "surefoot/learned-1"


@dataclass(frozen=True)
class LearnedPriors:
    """Sections of priors by series, and the name of the case they were learned in."""

    case: str = ""
    series: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def read_learned_priors(folder: Path, name: str) -> LearnedPriors:
    """Read the learned priors that a case names.

    Parameters
    ----------
    folder, name
        The case folder and the file that ``learned`` in its ``case.toml`` names.

    Raises
    ------
    UsageError
        SF-R193 where it is no such file, or holds anything that is no sigma above 0 of a known section.
    """
    try:
        path = path_inside(folder, name)
        if not path.is_file():
            raise InputError("SF-R167", name)
        loaded = run_jobs([Job(load_json, (path,), *limits_for(path.stat().st_size))])[0]
        if isinstance(loaded, InputError):
            raise loaded
    except InputError as error:
        raise UsageError("SF-R193", name, because=error.id) from error
    if not isinstance(loaded, dict) or loaded.get("schema") != SCHEMA or not isinstance(loaded.get("series"), dict):
        raise UsageError("SF-R193", name, because=f"no {SCHEMA}")
    series = {str(key): _sections(name, told) for key, told in loaded["series"].items()}
    return LearnedPriors(str(loaded.get("case", "")), series)


def load_json(path: Path) -> Any:
    """Load a JSON file, in the child.

    Raises
    ------
    InputError
        SF-R193 where it is no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InputError("SF-R193", path.name, because=str(error)[:100]) from error


def _sections(name: str, told: Any) -> Mapping[str, Any]:
    sections = told.get("priors") if isinstance(told, dict) else None
    if not isinstance(sections, dict):
        raise UsageError("SF-R193", name, because="no priors")
    known = default_priors().table
    for section, values in sections.items():
        if section not in known or not isinstance(values, dict) or not _is_sigmas(values):
            raise UsageError("SF-R193", name, because=f"{section}")
    return sections


def _is_sigmas(values: Mapping[str, Any]) -> bool:
    """Whether every value, at any depth, is a number above 0."""
    return all(
        _is_sigmas(v)
        if isinstance(v, dict)
        else isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) and v > 0
        for v in values.values()
    )

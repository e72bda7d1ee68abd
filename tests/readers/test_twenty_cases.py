"""The cases of the design note on records, each an input file and what must come out of ``read --json``.

A place must agree within 0.5 m and an angle within 0.01 degree; other numbers as the case says. A list of records
or readings must have exactly the length shown.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from surefoot.cli import app

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
METRE, DEGREE = 0.5, 0.01
EXACT_LENGTH = {"records", "readings", "misclosures", "events"}


def title(path: Path) -> str:
    """First comment of the case."""
    return f"{path.stem}: {path.read_text(encoding='utf-8').splitlines()[0].lstrip('# ')}"


@pytest.mark.parametrize("path", CASES, ids=title)
def test_reads_as_the_design_says(path: Path) -> None:
    result = CliRunner().invoke(app, ["read", str(path), "--json"])
    assert result.exit_code in (0, 1), result.output
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["expected"]
    failures = list(differences(expected, json.loads(result.stdout), "$"))
    assert not failures, "\n".join(failures)


def differences(expected: Any, found: Any, place: str) -> Any:
    """Yield every place where `found` does not hold what is expected."""
    if isinstance(expected, dict):
        yield from _of_table(expected, found, place)
    elif isinstance(expected, list):
        if place.rpartition(".")[2] in EXACT_LENGTH and len(expected) != len(found):
            yield f"{place}: {len(expected)} expected, {len(found)} found"
        for number, item in enumerate(expected):
            if number >= len(found):
                yield f"{place}[{number}] is missing"
            else:
                yield from differences(item, found[number], f"{place}[{number}]")
    elif isinstance(expected, float):
        tolerance = DEGREE if place.endswith("_deg") else METRE if place.endswith("_m") else 1e-9
        if found is None or abs(found - expected) > tolerance:
            yield f"{place}: {expected} expected, {found} found"
    elif expected != found:
        yield f"{place}: {expected!r} expected, {found!r} found"


def _of_table(expected: dict[str, Any], found: Any, place: str) -> Any:
    if "about" in expected:
        if found is None or not abs(found - expected["about"]) <= expected["within"]:
            yield f"{place}: {expected['about']} +- {expected['within']} expected, {found} found"
        return
    if "starts" in expected:
        if not str(found).startswith(expected["starts"]):
            yield f"{place}: {expected['starts']}... expected, {found} found"
        return
    if "has" in expected or "has_severity" in expected:
        yield from _of_doubts(expected, found, place)
        return
    if place.endswith(".points") and not expected and found:
        yield f"{place}: nothing expected, {found} found"
    if {"latitude", "longitude"} <= expected.keys() and isinstance(expected["latitude"], float):
        yield from _of_position(expected, found, place)
        expected = {k: v for k, v in expected.items() if k not in ("latitude", "longitude")}
    for key, value in expected.items():
        yield from differences(value, _value(found, key), f"{place}.{key}")


def _value(found: Any, key: str) -> Any:
    if key == "rms_m" and found is not None:
        return math.sqrt(found["cov_m2"][0][0] + found["cov_m2"][1][1])
    return None if found is None else found.get(key)


def _of_doubts(expected: dict[str, Any], found: Any, place: str) -> Any:
    ids = {doubt["id"] for doubt in found}
    for wanted in expected.get("has", []):
        if wanted not in ids:
            yield f"{place}: {wanted} expected, {sorted(ids)} found"
    severity = expected.get("has_severity")
    if severity and severity not in {doubt["severity"] for doubt in found}:
        yield f"{place}: a doubt of severity {severity} expected, {found} found"


def _of_position(expected: dict[str, Any], found: Any, place: str) -> Any:
    if found is None or found["latitude"] is None:
        yield f"{place}: a position expected, {found} found"
        return
    north = (found["latitude"] - expected["latitude"]) * 111_000
    east = (found["longitude"] - expected["longitude"]) * 111_320 * math.cos(math.radians(expected["latitude"]))
    # The checked numbers are printed to five or six decimals: half a digit is up to 0.6 m.
    rounding = 0.6 if round(expected["latitude"], 5) == expected["latitude"] else 0.06
    if math.hypot(north, east) > METRE + rounding:
        yield f"{place}: {math.hypot(north, east):.2f} m from the expected place"


def test_a_wrong_expectation_is_noticed() -> None:
    wrong = {"records": [{"readings": [{"points": {"A": {"latitude": 40.0, "longitude": 47.0}}}]}]}
    found = {"records": [{"readings": [{"points": {"A": {"latitude": 40.001, "longitude": 47.0}}}]}]}
    assert list(differences(wrong, found, "$"))

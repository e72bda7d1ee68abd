"""The whole answer of ``read --json`` on the examples, as it was last looked at; `make golden` writes it anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from surefoot.cli import app

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples" / "records").glob("*.yaml"))
GOLDEN = ROOT / "tests" / "golden"


def rounded(value: Any) -> Any:
    """Numbers to nine digits: other machine types differ in the last ones."""
    if isinstance(value, float):
        return float(f"{value:.9g}") if abs(value) > 1e-9 else 0.0
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_reads_as_last_looked_at(path: Path, request: pytest.FixtureRequest) -> None:
    result = CliRunner().invoke(app, ["read", str(path), "--json"])
    found = rounded(json.loads(result.stdout))
    expected = GOLDEN / f"{path.stem}.json"
    if request.config.getoption("--golden"):
        expected.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    assert found == json.loads(expected.read_text(encoding="utf-8"))

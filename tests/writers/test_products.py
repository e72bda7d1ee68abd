"""The products are the same files whether one process writes them or two."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

import pytest
from xlsxwriter.exceptions import FileCreateError

from surefoot.writers import products
from surefoot.writers.ledger import write_ledger

NAMES = ["assessment.gpkg", "assessment.json", "ledger.xlsx", "report.html"]
OURS = "SUREFOOT_TEST_PROCESS"


def only_elsewhere(assessment: Any, path: Path) -> None:
    assert os.environ[OURS] != str(os.getpid())
    write_ledger(assessment, path)


def only_here(assessment: Any, path: Path) -> None:
    if os.environ[OURS] != str(os.getpid()):
        os._exit(3)
    write_ledger(assessment, path)


def written(assessment: Any, out: Path) -> dict[str, bytes]:
    products.write_products(assessment, out, lang="en")
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


@pytest.fixture
def two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "WORTH_A_PROCESS", 1)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setenv(OURS, str(os.getpid()))


def test_two_processes_write_what_one_writes(
    assessment: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    alone = written(assessment, tmp_path / "one")
    assert list(alone) == NAMES
    request.getfixturevalue("two_processes")
    monkeypatch.setattr(products, "write_ledger", only_elsewhere)
    assert written(assessment, tmp_path / "two") == alone


@pytest.mark.usefixtures("two_processes")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # xlsxwriter leaves its rows open
def test_an_error_of_the_other_process_is_told_as_if_it_had_happened_here(assessment: Any, tmp_path: Path) -> None:
    (tmp_path / "ledger.xlsx").mkdir()
    with pytest.raises(FileCreateError, match=r"ledger\.xlsx"):
        written(assessment, tmp_path)
    gc.collect()


@pytest.mark.usefixtures("two_processes")
def test_a_process_that_is_taken_away_costs_time_not_the_ledger(
    assessment: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(products, "write_ledger", only_here)
    assert list(written(assessment, tmp_path)) == NAMES


def test_a_small_case_starts_no_process(assessment: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OURS, str(os.getpid()))
    monkeypatch.setattr(products, "write_ledger", only_here)
    assert list(written(assessment, tmp_path)) == NAMES

"""The products are the same files whether one process writes them or two."""

from __future__ import annotations

import multiprocessing
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
from xlsxwriter.exceptions import FileCreateError

from surefoot.errors import InputError
from surefoot.writers import products
from surefoot.writers.ledger import write_ledger

NAMES = ["assessment.gpkg", "assessment.json", "ledger.xlsx", "report.html"]


def dies_elsewhere(assessment: Any, path: Path) -> None:
    if multiprocessing.parent_process() is not None:
        os._exit(3)
    write_ledger(assessment, path)


def written(assessment: Any, out: Path) -> dict[str, bytes]:
    products.write_products(assessment, out, lang="en")
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


@pytest.fixture
def two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "WORTH_A_PROCESS", 1)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def test_two_processes_write_what_one_writes(assessment: Any, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    alone = written(assessment, tmp_path / "one")
    assert list(alone) == NAMES
    request.getfixturevalue("two_processes")
    assert products._second_process(assessment) is not None
    assert written(assessment, tmp_path / "two") == alone


@pytest.mark.usefixtures("two_processes")
def test_an_error_of_the_other_process_arrives_as_itself(assessment: Any, tmp_path: Path) -> None:
    (tmp_path / "ledger.xlsx").mkdir()
    with pytest.raises(FileCreateError, match=r"ledger\.xlsx"):
        written(assessment, tmp_path)


def test_every_error_of_ours_survives_the_way_between_processes() -> None:
    error = InputError("SF-R104", "x.csv", detail="bad")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.id, again.found, again.values) == (InputError, "SF-R104", "x.csv", {"detail": "bad"})


@pytest.mark.usefixtures("two_processes")
def test_a_process_that_is_taken_away_costs_time_not_the_ledger(
    assessment: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(products, "write_ledger", dies_elsewhere)
    assert list(written(assessment, tmp_path)) == NAMES


@pytest.mark.usefixtures("two_processes")
def test_a_system_without_shared_semaphores_uses_one_process(
    assessment: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no /dev/shm")

    monkeypatch.setattr(products, "ProcessPoolExecutor", refuse)
    assert list(written(assessment, tmp_path)) == NAMES


def test_a_small_case_starts_no_process(assessment: Any) -> None:
    assert products._second_process(assessment) is None

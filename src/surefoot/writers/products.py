"""The four products of an assessment, the ledger in a process of its own where the case is large.

Every file is written by the same call with the same content, wherever it runs.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

from surefoot.writers import Assessment
from surefoot.writers.assessment_json import write_assessment_json
from surefoot.writers.geopackage import write_geopackage
from surefoot.writers.ledger import ledger_parts, write_ledger
from surefoot.writers.report import write_report

WORTH_A_PROCESS = 30_000  # rows of items: writing fewer takes no longer than starting a process


def write_products(assessment: Assessment, out: Path, *, lang: str) -> None:
    """Write ``assessment.json``, ``assessment.gpkg``, ``ledger.xlsx`` and ``report.html`` into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    write_assessment_json(assessment, out / "assessment.json")
    pool = _second_process(assessment)
    if pool is None:
        _write_maps_and_report(assessment, out, lang)
        write_ledger(assessment, out / "ledger.xlsx")
        return
    with pool:
        ledger = pool.submit(write_ledger, ledger_parts(assessment), out / "ledger.xlsx")
        _write_maps_and_report(assessment, out, lang)
        try:
            ledger.result()  # an error of the other process is raised here as if it had happened here
        except BrokenProcessPool:  # the system took the process away, for want of memory say
            write_ledger(assessment, out / "ledger.xlsx")


def _write_maps_and_report(assessment: Assessment, out: Path, lang: str) -> None:
    write_geopackage(assessment, out / "assessment.gpkg")
    write_report(assessment, out / "report.html", lang=lang)


def _second_process(assessment: Assessment) -> ProcessPoolExecutor | None:
    """Return a second process; None where it does not pay, or where the system allows none.

    A fresh interpreter, not a fork: a fork of a process with threads can hang, and Windows has none.
    """
    items = assessment.layers.get("items")
    if items is None or len(items.geometry) < WORTH_A_PROCESS or (os.cpu_count() or 1) < 2:
        return None
    try:
        return ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    except (ImportError, NotImplementedError, OSError):  # no semaphores that processes share
        return None

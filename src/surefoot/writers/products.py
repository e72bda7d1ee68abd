"""The products of an assessment, the ledger in a process of its own where the case is large.

Every file is written by the same call with the same content, wherever it runs.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from surefoot.writers import Assessment
from surefoot.writers.assessment_json import write_assessment_json, write_json
from surefoot.writers.describe_pooled import learned_file
from surefoot.writers.geopackage import write_geopackage
from surefoot.writers.ledger import ledger_parts, write_ledger
from surefoot.writers.report import write_report

WORTH_A_PROCESS = 30_000  # rows of items: writing fewer takes no longer than starting a process
_START = "import pickle, sys; function, args = pickle.load(sys.stdin.buffer); function(*args)"


def write_products(assessment: Assessment, out: Path, *, lang: str) -> None:
    """Write ``assessment.json``, ``assessment.gpkg``, ``ledger.xlsx`` and ``report.html`` into a folder.

    Beside them ``learned_priors.json`` where the finds corrected records of a series.
    """
    out.mkdir(parents=True, exist_ok=True)
    write_assessment_json(assessment, out / "assessment.json")
    learned = learned_file(assessment.document)
    if learned["series"]:
        write_json(learned, out / "learned_priors.json")
    if not _is_large(assessment):
        _write_maps_and_report(assessment, out, lang)
        write_ledger(assessment, out / "ledger.xlsx")
        return
    with _ledger_begun(assessment, out / "ledger.xlsx") as other:
        _write_maps_and_report(assessment, out, lang)
        if other.wait() != 0:  # what was the matter there is met again here, and told; or it was that process alone
            write_ledger(assessment, out / "ledger.xlsx")


def _write_maps_and_report(assessment: Assessment, out: Path, lang: str) -> None:
    write_geopackage(assessment, out / "assessment.gpkg")
    write_report(assessment, out / "report.html", lang=lang)


def _is_large(assessment: Assessment) -> bool:
    """Whether a second process pays."""
    items = assessment.layers.get("items")
    return items is not None and len(items.geometry) >= WORTH_A_PROCESS and (os.cpu_count() or 1) > 1


@contextmanager
def _ledger_begun(assessment: Assessment, path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Begin the ledger in a fresh interpreter, as for reading: no fork, and nobody's script runs a second time."""
    paths = os.pathsep.join(p or os.getcwd() for p in sys.path)
    other = subprocess.Popen(
        [sys.executable, "-c", _START], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": paths},
    )  # fmt: skip
    assert other.stdin is not None
    try:
        with suppress(BrokenPipeError), other.stdin as pipe:
            pickle.dump((write_ledger, (ledger_parts(assessment), path)), pipe, protocol=5)
        yield other
    finally:
        other.kill()
        other.wait()

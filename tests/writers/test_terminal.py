"""What the terminal shows: in the language asked for, and text from the data as text."""

from __future__ import annotations

import re
from typing import Any

import pytest

from surefoot.writers.terminal import show_assessment, show_claims, show_reading

COUNTS = {"rows_in": 1, "accepted": 1, "accepted_with_doubts": 0, "set_aside": 0}


@pytest.fixture
def reading() -> dict[str, Any]:
    where = {"file": "[/b]odd[red].yaml", "sheet": None, "row": 1, "column": "[x]"}
    doubt = {"id": "SF-R044", "severity": "error", "where": where, "reason": "[link]", "advice": "[/]"}
    table = {"kind": "records", "file": "[/b]odd[red].yaml", **COUNTS}
    return {"tables": [table], "records": [], "set_aside": [], "doubts": [doubt]}


def test_brackets_in_the_data_are_text(reading: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    show_reading(reading)
    shown = capsys.readouterr().out
    for text in ("[/b]odd[red].yaml", "[link]", "[/]"):
        assert text in shown


def test_an_assessment_is_shown_in_the_language_asked_for(assessment: Any, capsys: pytest.CaptureFixture[str]) -> None:
    document = {**assessment.document, "case": "", "tables": []}
    show_assessment(document, "ru")
    shown = re.sub(r"SIMULATED|D1|D4|CE95", "", capsys.readouterr().out)
    assert not re.search(r"[A-Za-z]{3}", shown), shown


def test_claims_are_shown_in_the_words_of_the_report(assessment: Any, capsys: pytest.CaptureFixture[str]) -> None:
    show_claims(assessment.document)
    shown = " ".join(capsys.readouterr().out.split())
    assert "about 25" in shown
    assert "@" not in shown
    assert "share_within" not in shown


def test_a_bound_is_not_shown_as_an_estimate(assessment: Any, capsys: pytest.CaptureFixture[str]) -> None:
    share = {**assessment.document["outside"]["D1"][0], "value": 0.002, "interval": [0.002, 0.64]}
    show_assessment({**assessment.document, "outside": {"D1": [], "D4": [share]}, "measures": []})
    assert "see interval" in capsys.readouterr().out

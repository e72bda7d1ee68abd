"""ledger.xlsx: totals that balance, in formulas and in their stored results; text stays text."""

from __future__ import annotations

import math
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

from surefoot.writers import ledger as ledger_writer
from surefoot.writers import quick_sheet
from surefoot.writers.ledger import FATES, write_ledger
from surefoot.writers.quick_sheet import Column, QuickSheet

SHEETS = ["Summary", "By type", "By record", "To look for again", "Items", "Doubts and set aside", "About"]


@pytest.fixture(scope="module")
def written(assessment: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ledger") / "ledger.xlsx"
    write_ledger(assessment, path)
    return path


def values(path: Path, sheet: str) -> list[tuple[Any, ...]]:
    return list(openpyxl.load_workbook(path, data_only=True)[sheet].iter_rows(values_only=True))


def formulas(path: Path, sheet: str) -> list[tuple[Any, ...]]:
    return list(openpyxl.load_workbook(path)[sheet].iter_rows(values_only=True))


def test_the_sheets_are_there(written: Path) -> None:
    assert openpyxl.load_workbook(written).sheetnames == SHEETS


def test_every_line_balances_and_the_totals_are_the_ledger(written: Path, assessment: Any) -> None:
    ledger = assessment.document["ledger"]
    for sheet, first in (("By type", 1), ("By record", 2)):
        *lines, total = values(written, sheet)[4:]
        for line in [*lines, total]:
            recorded, six, check = line[first], line[first + 1 : first + 7], line[first + 7]
            assert recorded == pytest.approx(math.fsum(six), abs=1e-9)
            assert check == 0
        assert total[first : first + 7] == pytest.approx([ledger["recorded"], *(ledger[f] for f in FATES)])


def test_totals_are_formulas_over_all_lines(written: Path, assessment: Any) -> None:
    n = len(assessment.document["ledger"]["by_record"])
    total = formulas(written, "By record")[-1]
    assert total[2] == f"=SUM(C5:C{4 + n})"
    assert total[9] == f"=ROUND(C{5 + n}-SUM(D{5 + n}:I{5 + n}),6)"
    assert [row[1] for row in formulas(written, "Summary")][11] == "=ROUND(B5-SUM(B6:B11),6)"


def test_the_summary_agrees_three_times(written: Path) -> None:
    for line in values(written, "Summary")[4:12]:
        assert line[1] == pytest.approx(line[2], abs=1e-6)
        assert line[1] == pytest.approx(line[3], abs=1e-6)


def test_a_ledger_that_does_not_balance_shows_it(assessment: Any, with_document: Any, tmp_path: Path) -> None:
    broken = with_document(assessment, ledger={**assessment.document["ledger"], "found": 0})
    write_ledger(broken, tmp_path / "l.xlsx")
    check = values(tmp_path / "l.xlsx", "Summary")[11]
    assert check[0].startswith("Check")
    assert check[1] == pytest.approx(assessment.document["ledger"]["found"], abs=1e-5)
    assert check[3] == 0


def test_items_come_back_and_the_unknown_is_empty(written: Path, assessment: Any) -> None:
    columns = assessment.layers["items"].columns
    heads, *lines = values(written, "Items")[3:]
    assert len(lines) == len(columns["record_id"])
    for name in ("record_id", "row", "index", "slot", "model", "is_best", "fate"):
        assert [line[heads.index(name)] for line in lines] == list(columns[name])
    longitude = [line[heads.index("longitude")] for line in lines]
    assert [v is None for v in longitude] == list(np.isnan(columns["longitude"]))
    p = np.array([[line[heads.index(f"p_{f}")] for f in FATES] for line in lines])
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-12)


@pytest.mark.parametrize(
    "text",
    ['=HYPERLINK("http://x")', "+1+1", "-2+3", "@SUM(A1)", "\t=1", "http://example.org", "{=1}", "1234"],
)
def test_text_from_the_data_is_never_a_formula_a_link_or_a_number(
    text: str, assessment: Any, with_document: Any, tmp_path: Path
) -> None:
    doubt = {**assessment.document["doubts"][0], "found": text, "record_id": text}
    by_record = [{**assessment.document["ledger"]["by_record"][0], "record_id": text, "form_no": text}]
    ledger = {**assessment.document["ledger"], "by_record": by_record, "by_type": {text: by_record[0]}}
    case = with_document(assessment, doubts=[doubt], ledger=ledger, case=text)
    write_ledger(case, tmp_path / "l.xlsx")
    book = openpyxl.load_workbook(tmp_path / "l.xlsx")
    for sheet, cell in (
        ("By record", "A5"),
        ("By record", "B5"),
        ("By type", "A5"),
        ("Doubts and set aside", "I8"),
    ):
        found = book[sheet][cell]
        assert found.value == text
        assert found.data_type == "s"
        assert found.hyperlink is None
        if text[0] in "=+-@\t":
            assert found.quotePrefix


def test_long_and_odd_text_does_not_break_the_file(assessment: Any, with_document: Any, tmp_path: Path) -> None:
    doubt = {
        **assessment.document["doubts"][0],
        "found": "x" * 40_000,
        "reason": "a\x00b\x1fc",
        "advice": "😀",
    }
    write_ledger(with_document(assessment, doubts=[doubt]), tmp_path / "l.xlsx")
    line = values(tmp_path / "l.xlsx", "Doubts and set aside")[-1]
    assert line[8].startswith("xxx")
    assert line[10] == "😀"


def test_sheets_are_ready_to_use(written: Path) -> None:
    book = openpyxl.load_workbook(written)
    for name in ("By type", "By record", "Items", "Doubts and set aside"):
        sheet = book[name]
        assert sheet.freeze_panes == "B5"
        assert sheet.auto_filter.ref is not None
        assert sheet.column_dimensions["A"].width > 12


def test_simulated_cases_are_marked_on_every_sheet_and_others_on_none(
    written: Path, empty_assessment: Any, tmp_path: Path
) -> None:
    book = openpyxl.load_workbook(written)
    for sheet in book:
        assert "SIMULATED" in str(sheet["A3"].value)
        assert "SIMULATED" in str(sheet.oddHeader.center.text)
        assert "Not evidence that any place is free of devices" in str(sheet.oddFooter.left.text)
    write_ledger(empty_assessment, tmp_path / "e.xlsx")
    with zipfile.ZipFile(tmp_path / "e.xlsx") as archive:
        assert not any(b"SIMULATED" in archive.read(name) for name in archive.namelist())


def test_an_empty_case_says_not_known_with_the_reason(empty_assessment: Any, tmp_path: Path) -> None:
    write_ledger(empty_assessment, tmp_path / "e.xlsx")
    cells = [v for line in values(tmp_path / "e.xlsx", "Summary") for v in line]
    assert "not known: No records." in cells
    assert openpyxl.load_workbook(tmp_path / "e.xlsx").sheetnames == SHEETS


def test_set_aside_rows_and_doubts_are_all_there(written: Path, assessment: Any) -> None:
    lines = values(written, "Doubts and set aside")[4:]
    document = assessment.document
    assert len(lines) == len(document["set_aside"]) + len(document["doubts"])
    assert lines[0][:8] == ("set aside", None, "SF-R031", None, "finds.csv", None, 11, "position")


def test_the_same_case_gives_the_same_bytes(assessment: Any, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_ledger(assessment, tmp_path / f"{name}.xlsx")
        time.sleep(0.02)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


class CellByCell(QuickSheet):
    """The same table through the ordinary writer of every cell."""

    def write_columns(self, first_row: int, columns: Sequence[Column]) -> None:
        for row in range(len(columns[0][0])):
            for j, (values, style, write) in enumerate(columns):
                value = values[row : row + 1].tolist()[0]
                if values.dtype.kind not in "fiu":
                    write(first_row + row, j, value)
                elif math.isfinite(value):
                    self.write_number(first_row + row, j, value, style)


def test_long_tables_are_what_xlsxwriter_writes_cell_by_cell(
    assessment: Any, with_document: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["plain", "", "=1", "<a> & b", " kept ", "a\x00b_x0041_", "😀" * 20_000, "a\nb", True, None, 3, 1, 2.5]
    doubts = [{**assessment.document["doubts"][0], "found": text, "advice": str(text)} for text in [*texts, *texts]]
    odd = with_document(assessment, doubts=doubts)
    number = odd.layers["items"].columns["p_found"].copy()
    monkeypatch.setitem(odd.layers["items"].columns, "p_found", number)  # other tests share the case
    number[:8] = [np.nan, 1e-300, 1 / 3, 2.0, 1e17, -0.0, np.inf, 123456789.125]
    monkeypatch.setattr(quick_sheet, "ROWS_AT_ONCE", 7)
    write_ledger(odd, tmp_path / "quick.xlsx")
    monkeypatch.setattr(ledger_writer, "QuickSheet", CellByCell)
    write_ledger(odd, tmp_path / "slow.xlsx")
    with zipfile.ZipFile(tmp_path / "quick.xlsx") as quick, zipfile.ZipFile(tmp_path / "slow.xlsx") as slow:
        assert quick.namelist() == slow.namelist()
        for name in quick.namelist():
            assert quick.read(name) == slow.read(name), name

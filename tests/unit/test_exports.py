"""Files of lists: typed, intact, and never a formula (EXP-1)."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from typing import Any

import pytest
from openpyxl import load_workbook

from app.exports.csv_file import BOM, neutral, write_csv
from app.exports.values import Amount
from app.exports.xlsx_file import write_xlsx

HEADER = ["Nom", "CIN", "Mobile", "Montant", "Date", "Le"]
ROW = [
    "سنية الغربي",
    "01234567",
    "+216 20 000 001",
    Amount(424_500),
    datetime(2026, 11, 17, 10, 42, 5),
    date(2026, 1, 2),
]
FORMULAS = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    " =1+1",
    "\u00a0=1+1",
    "＝1+1",
    '=HYPERLINK("http://example.org";"x")',
    "%0A=1",
]


def _csv(rows: list[list[Any]], header: list[str] = HEADER) -> tuple[bytes, list[list[str]]]:
    target = io.BytesIO()
    write_csv(target, header, rows)
    data = target.getvalue()
    return data, list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";"))


def _xlsx(rows: list[list[Any]], header: list[str] = HEADER) -> Any:
    target = io.BytesIO()
    write_xlsx(target, "Demandes", header, rows)
    return load_workbook(io.BytesIO(target.getvalue()))


@pytest.mark.spec("EXP-1")
def test_csv_keeps_arabic_leading_zeros_phones_and_amounts() -> None:
    data, rows = _csv([ROW])
    assert data.startswith(BOM.encode())
    assert rows == [
        HEADER,
        ["سنية الغربي", "01234567", "+216 20 000 001", "424,500", "17/11/2026 10:42:05", "02/01/2026"],
    ]


@pytest.mark.spec("EXP-1")
def test_csv_quotes_text_and_not_numbers_so_that_a_reader_can_tell_them() -> None:
    data, _rows = _csv([ROW])
    line = data.decode("utf-8-sig").splitlines()[1]
    assert '"01234567";"+216 20 000 001";424,500;' in line


@pytest.mark.spec("EXP-1")
@pytest.mark.parametrize("text", FORMULAS)
def test_csv_never_holds_a_formula(text: str) -> None:
    _data, rows = _csv([[text]], ["Nom"])
    assert rows[1] == ["'" + text]


@pytest.mark.spec("EXP-1")
@pytest.mark.parametrize(
    "text", ["+21620000001", "+216 71 000 000", "-5", "00012", "-", "Société = A", "a@b.tn", "12-13", "’=1", "+"]
)
def test_csv_leaves_what_is_no_formula_as_it_is(text: str) -> None:
    assert neutral(text) == text


def test_csv_holds_quotes_separators_and_lines_in_their_cell() -> None:
    text = 'a;"b"\nc\r\nd'
    _data, rows = _csv([[text]], ["Nom"])
    assert rows[1] == [text]


@pytest.mark.spec("EXP-1")
def test_xlsx_is_typed_frozen_and_filtered() -> None:
    sheet = _xlsx([ROW]).active
    values = [cell.value for cell in sheet[2]]
    assert values == [
        ROW[0],
        "01234567",
        "+216 20 000 001",
        424.5,
        datetime(2026, 11, 17, 10, 42, 5),
        datetime(2026, 1, 2),
    ]
    assert [cell.data_type for cell in sheet[2]] == ["s", "s", "s", "n", "d", "d"]
    assert sheet["D2"].number_format == "#,##0.000"
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:F2"


@pytest.mark.spec("EXP-1")
@pytest.mark.parametrize("text", [*FORMULAS, "http://example.org", "{=1}"])
def test_xlsx_cells_are_strings_and_never_formulas_or_links(text: str) -> None:
    cell = _xlsx([[text]], ["Nom"]).active["A2"]
    assert cell.data_type == "s"
    assert cell.hyperlink is None
    assert str(cell.value).strip() == text.strip()


def test_xlsx_takes_characters_that_its_format_cannot_hold() -> None:
    assert _xlsx([["a\x00b\x0bc\ufffed"]], ["Nom"]).active["A2"].value == "abcd"


def test_xlsx_goes_on_in_another_sheet_past_the_formats_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.exports.xlsx_file.ROWS_A_SHEET", 2)
    book = _xlsx([[str(n)] for n in range(5)], ["Nom"])
    assert [[row[0].value for row in sheet] for sheet in book.worksheets] == [
        ["Nom", "0", "1"],
        ["Nom", "2", "3"],
        ["Nom", "4"],
    ]


def test_an_empty_list_is_a_header() -> None:
    assert [cell.value for cell in _xlsx([]).active[1]] == HEADER
    assert _csv([])[1] == [HEADER]

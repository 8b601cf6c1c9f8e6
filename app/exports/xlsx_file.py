"""Rows → XLSX: typed cells, frozen header, filters (EXP-1); a row in memory at a time (EXP-2).

Text is always a string cell: leading zeros, ``+216`` and Arabic stay as they are and ``=…`` is never a formula.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, BinaryIO

from app.exports.values import Amount, Value

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROWS_A_SHEET = 1_000_000  # the format holds 1,048,576
_LONGEST_CELL = 32_767
# Characters that XML 1.0 cannot hold.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def write_xlsx(target: BinaryIO, title: str, header: Sequence[str], rows: Iterable[Sequence[Value]]) -> int:
    """Write the file; returns how many rows it holds. A list too long for one sheet goes on in the next."""
    import xlsxwriter

    book = xlsxwriter.Workbook(
        target,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    formats = {
        "head": book.add_format({"bold": True, "bottom": 1, "bg_color": "#EEF2F3"}),
        "day": book.add_format({"num_format": "dd/mm/yyyy"}),
        "moment": book.add_format({"num_format": "dd/mm/yyyy hh:mm"}),
        "amount": book.add_format({"num_format": "#,##0.000"}),
        "text": book.add_format({"num_format": "@"}),
    }
    name = re.sub(r"[\[\]:*?/\\']", " ", title)[:24]
    count, line, sheets = 0, 0, 0
    sheet: Any = None
    for row in rows:
        if sheet is None or line >= ROWS_A_SHEET:
            _close(sheet, line, len(header))
            sheets += 1
            sheet = _open(book, name if sheets == 1 else f"{name} ({sheets})", header, formats)
            line = 0
        line += 1
        for index, value in enumerate(row):
            _cell(sheet, line, index, value, formats)
        count += 1
    if sheet is None:
        sheet = _open(book, name, header, formats)
    _close(sheet, line, len(header))
    book.close()
    return count


def _open(book: Any, name: str, header: Sequence[str], formats: dict[str, Any]) -> Any:
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    for index, label in enumerate(header):
        sheet.set_column(index, index, max(14, min(len(label) + 6, 32)))
    for index, label in enumerate(header):
        sheet.write_string(0, index, label, formats["head"])
    return sheet


def _close(sheet: Any, last_line: int, columns: int) -> None:
    if sheet is not None:
        sheet.autofilter(0, 0, last_line, columns - 1)


def _cell(sheet: Any, line: int, index: int, value: Value, formats: dict[str, Any]) -> None:
    if value is None or value == "":
        return
    if isinstance(value, Amount):
        sheet.write_number(line, index, value.millimes / 1000, formats["amount"])
    elif isinstance(value, datetime):
        sheet.write_datetime(line, index, value.replace(tzinfo=None, microsecond=0), formats["moment"])
    elif isinstance(value, date):
        sheet.write_datetime(line, index, value, formats["day"])
    elif isinstance(value, int):
        sheet.write_number(line, index, value)
    else:
        text = _FORBIDDEN.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))
        sheet.write_string(line, index, text[:_LONGEST_CELL], formats["text"])

"""Rows → CSV for spreadsheets: UTF-8 with BOM, « ; », decimal comma (EXP-1; docs/adr on exports).

Text is quoted and numbers are not, so that a reader who asks for it keeps leading zeros. A text that a
spreadsheet could run as a formula gets an apostrophe in front; a phone (``+216 71 000 000``) or a number is no
formula and is written as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import BinaryIO

from app.exports.values import Amount, Value

BOM = "\ufeff"
MEDIA_TYPE = "text/csv; charset=utf-8"
_NUMBER_OR_PHONE = re.compile(r"[+-]?[\d\s.,()\u00a0\u202f]*")
# Also their full-width forms, which some spreadsheets take for the same signs.
_STARTS_A_FORMULA = "=+-@\t\r\n|%\uff1d\uff0b\uff0d\uff20"


def write_csv(target: BinaryIO, header: Sequence[str], rows: Iterable[Sequence[Value]]) -> int:
    """Write the file; returns how many rows it holds, the header apart. One row in memory at a time."""
    target.write((BOM + ";".join(_quoted(label) for label in header) + "\r\n").encode())
    count = 0
    for row in rows:
        target.write((";".join(_field(value) for value in row) + "\r\n").encode())
        count += 1
    return count


def _field(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, Amount):
        sign = "-" if value.millimes < 0 else ""
        whole, part = divmod(abs(value.millimes), 1000)
        return f"{sign}{whole},{part:03d}"
    if isinstance(value, datetime):
        return value.strftime("%d/%m/%Y %H:%M:%S")
    if isinstance(value, date):
        return value.strftime("%d/%m/%Y")
    if isinstance(value, int):
        return str(value)
    return _quoted(neutral(value)) if value else ""


def neutral(text: str) -> str:
    """The text as a cell that no spreadsheet runs."""
    bare = text.lstrip(" \u00a0\u200b\ufeff")
    if bare[:1] and bare[0] in _STARTS_A_FORMULA and not _NUMBER_OR_PHONE.fullmatch(bare):
        return "'" + text
    return text


def _quoted(text: str) -> str:
    return '"' + text.replace("\x00", "").replace('"', '""') + '"'

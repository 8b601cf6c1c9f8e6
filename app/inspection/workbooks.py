"""XLSX workbooks of strangers, opened in the bench's child (ORD-5): what they weigh unpacked, then their cells.

Runs without the application. A workbook is a ZIP: its parts are unpacked and counted before a reader sees them, so
that neither a bomb nor a ZIP of something else gets any further. A cell far away makes the reader ask for more memory
than the child may have: it dies, and the file is « too_complex ».
"""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time, timedelta
from typing import Any

from app.inspection.opening import Refusal

MOST_PARTS = 400
MOST_UNPACKED = 64 * 1024 * 1024  # bytes, all parts together
MOST_ROWS = 2_000
MOST_COLUMNS = 200
LONGEST = 2_000
_CHUNK = 256 * 1024
_PREFERRED = "demandes"


def read_workbook(data: bytes) -> dict[str, Any]:
    """The rows of the sheet « Demandes », or else of the first one shown, and its merged cells.

    A cell is a text, a number, a boolean, or ``{"day": "1985-03-17"}``. Raises Refusal: ``not_a_workbook``,
    ``other_workbook`` (ODS, XLSB), ``locked``, ``bomb``, ``broken``, ``no_sheet``.
    """
    _weigh(data)
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        shown = [
            sheet.name
            for sheet in book.sheets_metadata
            if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
        ]
        if not shown:
            raise Refusal("no_sheet")
        name = next((each for each in shown if each.strip().lower() == _PREFERRED), shown[0])
        sheet = book.get_sheet_by_name(name)
        rows = [[_cell(value) for value in row[:MOST_COLUMNS]] for row in sheet.to_python(skip_empty_area=False)]
        merged = [[list(corner) for corner in area] for area in (sheet.merged_cell_ranges or [])[:MOST_ROWS]]
    except PasswordError:
        raise Refusal("locked") from None
    except CalamineError:
        raise Refusal("broken") from None
    filled = [[number, row] for number, row in enumerate(rows, 1) if any(cell != "" for cell in row)]
    return {"sheet": name, "rows": filled[:MOST_ROWS], "count": len(filled), "merged": merged}


def _weigh(data: bytes) -> None:
    """Unpack every part and count what comes out. Raises Refusal."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
                raise Refusal("bomb")
            names = {part.filename for part in parts}
            if "mimetype" in names or "xl/workbook.bin" in names:
                raise Refusal("other_workbook")
            if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
                raise Refusal("not_a_workbook")
            if any(part.flag_bits & 1 for part in parts):
                raise Refusal("locked")
            _unpack(archive, parts)
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, RuntimeError):
        raise Refusal("broken") from None


def _unpack(archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo]) -> None:
    seen = 0
    for part in parts:
        with archive.open(part) as stream:
            first = True
            while chunk := stream.read(_CHUNK):
                seen += len(chunk)
                if seen > MOST_UNPACKED or (first and b"<!DOCTYPE" in chunk[:4096]):
                    raise Refusal("bomb")
                first = False


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"day": value.date().isoformat()}
    if isinstance(value, date):
        return {"day": value.isoformat()}
    if isinstance(value, time | timedelta):
        return str(value)
    if isinstance(value, str):
        return value[:LONGEST]
    return value

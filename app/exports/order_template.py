"""The file to fill in for a bulk order, as CSV and XLSX: titles, an example, the lists of values (ORD-5).

What explains stands on lines that begin with « # », which are not read. In the workbook, numbers are text cells, so
that leading zeros stay, and the lists of values are offered in the cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from app.exports.csv_file import BOM, neutral

ROWS = 500


def write_csv_template(
    target: BinaryIO, titles: Sequence[str], rows: Sequence[Sequence[str]], explained: Sequence[str] = ()
) -> None:
    """Titles, rows, then what explains. Semicolons and UTF-8 with its mark, as spreadsheets here expect."""
    lines = [titles, *rows, *([f"# {text}"] for text in explained)]
    text = "\r\n".join(";".join(_quoted(cell) for cell in line) for line in lines)
    target.write((BOM + text + "\r\n").encode())


def _quoted(text: str) -> str:
    return '"' + neutral(text).replace('"', '""') + '"'


def write_xlsx_template(
    target: BinaryIO,
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    lists: Mapping[str, Sequence[str]],
    *,
    hints: Mapping[str, str] | None = None,
) -> None:
    """A sheet « Demandes » of text cells, and « Listes » with the values of the columns that have a list."""
    import xlsxwriter

    book = xlsxwriter.Workbook(
        target, {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    head = book.add_format({"bold": True, "bottom": 1, "bg_color": "#EEF2F3", "text_wrap": True, "valign": "top"})
    text = book.add_format({"num_format": "@"})
    sheet = book.add_worksheet("Demandes")
    sheet.freeze_panes(1, 0)
    for place, title in enumerate(titles):
        sheet.set_column(place, place, max(16, min(len(title) + 4, 34)), text)
        sheet.write_string(0, place, title, head)
        hint = (hints or {}).get(title)
        if hint:
            sheet.write_comment(0, place, hint)
    for line, row in enumerate(rows, 1):
        for place, cell in enumerate(row):
            sheet.write_string(line, place, cell, text)
    _lists(book, sheet, titles, lists, head)
    book.close()


def _lists(book: Any, sheet: Any, titles: Sequence[str], lists: Mapping[str, Sequence[str]], head: Any) -> None:
    values = book.add_worksheet("Listes")
    for column, (title, words) in enumerate(lists.items()):
        values.set_column(column, column, 28)
        values.write_string(0, column, title, head)
        for line, word in enumerate(words, 1):
            values.write_string(line, column, word)
        if title in titles and words:
            place = titles.index(title)
            letter = chr(ord("A") + column)
            source = f"=Listes!${letter}$2:${letter}${len(words) + 1}"
            # A choice is offered and never imposed: a cell may hold several domains.
            rule = {"validate": "list", "source": source, "show_error": False}
            sheet.data_validation(1, place, ROWS, place, rule)

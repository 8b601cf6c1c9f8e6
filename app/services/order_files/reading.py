"""A file of people, CSV or XLSX: its titles and its cells as texts, or what keeps it from being read (ORD-5).

What is wrong with the file as a whole is said at once, before any row is looked at. Nothing in a file is ever run.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask_babel import gettext as _

from app.errors import DomainError
from app.identifiers import tidy_text
from app.inspection import bench
from app.services.order_files.columns import COLUMNS, EXAMPLE_EMAIL, column_named, titles

MAX_BYTES = 5 * 1024 * 1024
MAX_ROWS = 500
HEADER_WITHIN = 15
"""Titles stand on the first line; lines about the file itself may come before."""
MOST_CELLS = 200
"""Cells read of a line, as of a workbook's: titles by the million would keep a process busy for a minute."""
LONGEST_CELL = 500
SHOWN_LINES = 8
MARKS = (";", ",", "\t")
WORKBOOK, OLD_WORKBOOK = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_HIGH_RUN = re.compile(rb"[\x80-\xff]{3,}")
_AS_TEXT = re.compile(r'="([^"]*)"')
_RIGHT_TO_LEFT = "\u200e\u200f\u202a\u202b\u202c\ufeff"


class FileRefused(DomainError):
    """The file as a whole cannot be read: every reason that was found."""

    def __init__(self, *sentences: str) -> None:
        super().__init__(" ".join(sentences), field="file")
        self.sentences = sentences


@dataclass(slots=True)
class FileRow:
    """A row: its line in the file, its cells as texts by column; ``replaces``: the row it mends."""

    number: int
    cells: dict[str, str]
    replaces: int | None = None


@dataclass(slots=True)
class Table:
    """What a file holds. ``notes``: sentences on what was left aside."""

    rows: list[FileRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    names_lines: bool = False

    def fingerprint(self, *about: object) -> str:
        """The same for the same people, in whatever order and form they are saved."""
        rows = sorted(json.dumps(row.cells, sort_keys=True, ensure_ascii=False) for row in self.rows)
        return hashlib.sha256(json.dumps([*map(str, about), rows], ensure_ascii=False).encode()).hexdigest()


Line = tuple[int, list[str]]


def read_file(data: bytes) -> Table:
    """The people of a CSV (« ; », « , », tab; UTF-8 or Windows-1252) or XLSX file. Raises FileRefused."""
    if not data.strip(b"\xef\xbb\xbf \t\r\n\x00"):
        raise FileRefused(_("Ce fichier est vide."))
    if len(data) > MAX_BYTES:
        raise FileRefused(
            _("Ce fichier est trop grand : %(most)d Mo au plus pour %(rows)d lignes.", most=5, rows=MAX_ROWS)
        )
    if data.startswith(OLD_WORKBOOK):
        raise FileRefused(_("Ce classeur est ancien (.xls) ou protégé : enregistrez-le en .xlsx, sans mot de passe."))
    if data.startswith(WORKBOOK):
        return _table(*_workbook_lines(data))
    return _table(_csv_lines(_text(data)), [])


# ------------------------------------------------------------------------------------------------------- a workbook


def _workbook_lines(data: bytes) -> tuple[list[Line], list[list[list[int]]]]:
    try:
        answer, _nothing = bench.ask("read_workbook", data)
    except bench.JobRefused as refused:
        raise FileRefused(_workbook_sentence(refused.code)) from None
    except bench.BenchUnavailable:
        raise FileRefused(_("Le fichier n'a pas pu être ouvert pour le moment : envoyez-le de nouveau.")) from None
    read = answer["read"]
    lines = [(number, [cell_text(cell) for cell in cells]) for number, cells in read["rows"]]
    if read["count"] > len(lines):
        raise _too_many(read["count"])
    return lines, read["merged"]


def _workbook_sentence(code: str) -> str:
    sentences = {
        "not_a_workbook": _("Ce fichier est une archive ZIP, pas un classeur XLSX."),
        "other_workbook": _("Ce classeur n'est pas au format XLSX : enregistrez-le en .xlsx ou en CSV."),
        "locked": _("Ce classeur est protégé par un mot de passe : enregistrez-le sans, puis recommencez."),
        "bomb": _("Ce classeur est démesuré une fois décompressé : il n'a pas été ouvert."),
        "no_sheet": _("Ce classeur n'a aucune feuille visible."),
        "too_complex": _(
            "Ce classeur est trop lourd pour être lu : copiez les lignes dans le modèle, puis envoyez-le."
        ),
    }
    return sentences.get(code) or _("Ce classeur est abîmé : ouvrez-le et enregistrez-le de nouveau en .xlsx.")


def cell_text(cell: Any) -> str:
    """What a person reads in the cell: whole numbers without a point, days as 17/03/1985."""
    if isinstance(cell, dict):
        return date.fromisoformat(cell["day"]).strftime("%d/%m/%Y")
    if isinstance(cell, bool):
        return _("VRAI") if cell else _("FAUX")
    if isinstance(cell, float | int):
        return str(int(cell)) if float(cell).is_integer() else str(cell).replace(".", ",")
    return str(cell or "")


# ------------------------------------------------------------------------------------------------------------ a CSV


def _text(data: bytes) -> str:
    """UTF-8 with or without its mark, or Windows-1252; nothing is guessed beyond. Raises FileRefused."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in data[:2000]:
        raise _encoding(_("Ce fichier est en UTF-16 ou n'est pas un texte."))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = _windows(data)
    if any(ord(char) < 32 and char not in "\t\r\n" for char in text):
        raise _encoding(_("Ce fichier n'est ni un CSV lisible, ni un classeur XLSX."))
    return text


def _windows(data: bytes) -> str:
    escaped = data.decode("utf-8", errors="surrogateescape")
    if any("\x80" <= char < "\ud800" or char > "\udfff" for char in escaped):
        number = next(n for n, line in enumerate(escaped.splitlines(), 1) if re.search("[\udc80-\udcff]", line))
        raise _encoding(_("La ligne %(n)d contient un caractère qui n'est pas de l'UTF-8, comme le reste.", n=number))
    if _HIGH_RUN.search(data):
        raise _encoding(_("Le codage de ce fichier n'est ni UTF-8 ni Windows-1252 (peut-être Windows-1256, arabe)."))
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        raise _encoding(_("Le codage de ce fichier n'est ni UTF-8 ni Windows-1252.")) from None


def _encoding(what: str) -> FileRefused:
    return FileRefused(what, _("Enregistrez-le au format « CSV UTF-8 » ou XLSX, puis recommencez."))


def _csv_lines(text: str) -> list[Line]:
    """The lines, split at the mark that its titles are split at. Raises FileRefused."""
    lines = text.splitlines(keepends=True)
    mark, start = _mark(lines)
    reader = csv.reader(lines[start:], delimiter=mark, strict=True)
    found: list[Line] = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if any(cell.strip() for cell in cells[MOST_CELLS:]):
                    raise _too_wide(start + reader.line_num)
                found.append((start + reader.line_num, cells[:MOST_CELLS]))
            if len(found) > MAX_ROWS * 4:
                raise _too_many(len(lines) - start - 1)
    except csv.Error:
        raise FileRefused(_("Ce fichier n'est pas un CSV lisible : un guillemet y est mal fermé.")) from None
    if found:
        _refuse_mixed(found, mark)
    return found


def _mark(lines: Sequence[str]) -> tuple[str, int]:
    """The mark between cells and the line of titles: where most titles are known."""
    best, known = (MARKS[0], 0), 0
    for at, line in enumerate(lines[:HEADER_WITHIN]):
        for mark in MARKS:
            try:
                cells = next(csv.reader([line], delimiter=mark), [])[:MOST_CELLS]
            except csv.Error:
                continue
            count = sum(column_named(cell) is not None for cell in cells)
            if count > known:
                best, known = (mark, at), count
    return best


def _refuse_mixed(lines: Sequence[Line], mark: str) -> None:
    """Lines split at another mark than the titles, or in more cells than there are titles. Raises FileRefused."""
    width = len(lines[0][1])
    other: dict[str, list[int]] = {}
    long = []
    for number, cells in lines[1:]:
        if _is_remark(cells):
            continue
        one = "".join(cells)
        rival = max((each for each in MARKS if each != mark), key=one.count)
        if len([cell for cell in cells if cell.strip()]) <= 1 < width and one.count(rival) >= min(3, width - 1):
            other.setdefault(rival, []).append(number)
        elif any(cell.strip() for cell in cells[width:]):
            long.append(number)
    words = {";": _("point-virgule"), ",": _("virgule"), "\t": _("tabulation")}
    sentences = [
        _(
            "Deux séparateurs se mêlent : « %(mark)s » entre les titres, « %(other)s » ailleurs (%(lines)s).",
            mark=words[mark],
            other=words[rival],
            lines=_lines_named(numbers),
        )
        for rival, numbers in other.items()
    ]
    if long:
        sentences.append(
            _(
                "Plus de cases que de titres (%(lines)s) : mettez entre guillemets le texte qui contient « %(mark)s ».",
                lines=_lines_named(long),
                mark=mark if mark != "\t" else words[mark],
            )
        )
    if sentences:
        raise FileRefused(*sentences)


def _lines_named(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:SHOWN_LINES]))
    return _("lignes %(numbers)s", numbers=shown + (" …" if len(numbers) > SHOWN_LINES else ""))


# ----------------------------------------------------------------------------------------------- titles and people


def _table(lines: Sequence[Line], merged: Sequence[Sequence[Sequence[int]]]) -> Table:
    at = max(range(min(len(lines), HEADER_WITHIN)), key=lambda n: _known(lines[n][1]), default=0)
    if not lines:
        raise FileRefused(_("Ce fichier est vide."))
    header_line, header = lines[at]
    columns, unread = _columns(header)
    low = [area for area in merged if area[1][0] + 1 >= header_line]
    if low:
        (row, column), _end = low[0]
        where = f"{_letters(column)}{row + 1}"
        raise FileRefused(
            _(
                "Des cases sont fusionnées, par exemple en %(where)s : défusionnez-les, une valeur par case.",
                where=where,
            )
        )
    table = Table(names_lines="line" in columns)
    for number, cells in lines[at + 1 :]:
        if _is_remark(cells):
            continue
        texts = {key: _tidy(cells[place]) for key, place in columns.items() if place < len(cells)}
        replaces = texts.pop("line", "")
        texts.pop("wrong", None)
        if not any(texts.values()):
            continue
        if texts.get("email", "").lower() == EXAMPLE_EMAIL:
            table.notes.append(_("La ligne %(n)d, celle de l'exemple du modèle, est laissée de côté.", n=number))
            continue
        table.rows.append(FileRow(number, texts, int(replaces) if replaces.isdecimal() and len(replaces) < 6 else None))
    if len(table.rows) > MAX_ROWS:
        raise _too_many(len(table.rows))
    if not table.rows:
        raise FileRefused(_("Ce fichier ne contient personne sous ses titres."))
    if unread:
        table.notes.append(_("Colonnes qui ne sont pas lues : %(names)s.", names=", ".join(f"« {t} »" for t in unread)))
    return table


def _known(cells: Sequence[str]) -> int:
    return sum(column_named(cell) is not None for cell in cells)


def _is_remark(cells: Sequence[str]) -> bool:
    """A line of the template that explains: it begins with « # »."""
    return next((cell for cell in cells if cell.strip()), "").lstrip(_RIGHT_TO_LEFT + " ").startswith("#")


def _columns(header: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    """Where each column stands, and the titles that are not ours. Raises FileRefused naming all that is wrong."""
    found: dict[str, int] = {}
    unread: list[str] = []
    twice: list[str] = []
    for place, title in enumerate(header):
        key = column_named(title)
        if key is None:
            unread += [tidy_text(title)[:40]] if title.strip() else []
        elif key in found:
            twice.append(tidy_text(title)[:40])
        else:
            found[key] = place
    missing = [column.key for column in COLUMNS if column.required and column.key not in found]
    sentences = []
    if len(missing) >= len([column for column in COLUMNS if column.required]) - 1:
        sentences.append(
            _("La première ligne doit nommer les colonnes, comme dans le modèle : on ne les y trouve pas.")
        )
    elif missing:
        sentences.append(_("Il manque des colonnes : %(names)s.", names=titles(missing)))
        if unread:
            named = ", ".join(f"« {title} »" for title in unread[:SHOWN_LINES])
            sentences.append(_("Colonnes du fichier qui ne sont pas connues : %(names)s.", names=named))
    again = list(dict.fromkeys(twice))[:SHOWN_LINES]
    sentences += [_("La colonne « %(name)s » y est deux fois.", name=title) for title in again]
    if sentences:
        raise FileRefused(*sentences)
    return found, unread[:SHOWN_LINES]


def _tidy(cell: str) -> str:
    """A cell's text on one line; what spreadsheets write to keep a number as it is (« ="01234567" ») is undone."""
    text = tidy_text(cell.replace("\x00", "").replace("\ufffd", "?"))[:LONGEST_CELL]
    as_text = _AS_TEXT.fullmatch(text)
    if as_text:
        return as_text[1].strip()
    return text[1:] if re.fullmatch(r"'[+=\d].*", text) else text


def _letters(column: int) -> str:
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def _too_wide(number: int) -> FileRefused:
    return FileRefused(
        _("La ligne %(n)d a plus de %(limit)d cases : gardez les colonnes du modèle.", n=number, limit=MOST_CELLS)
    )


def _too_many(count: int) -> FileRefused:
    return FileRefused(
        _(
            "Ce fichier a %(count)d lignes : %(limit)d au plus à la fois. Partagez-le en plusieurs fichiers.",
            count=count,
            limit=MAX_ROWS,
        )
    )

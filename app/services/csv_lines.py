"""A small CSV somebody sends: its lines that hold something, whatever wrote it (QUE-4, CRT-2).

« ; », « , » or tab, UTF-8 with or without BOM, UTF-16 or Windows-1252; anything else is refused in a sentence.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence

from flask_babel import gettext as _

from app.errors import DomainError
from app.identifiers import fold

MAX_BYTES = 1024 * 1024
REFERENCE_NAMES = frozenset({"reference", "ref", "demande", "reference de la demande", "reference demande"})
NUMBER_NAMES = frozenset(
    {
        "tracking number", "trackingnumber", "tracking", "suivi", "numero de suivi", "numero suivi", "n de suivi",
        "no de suivi", "numero d envoi", "n d envoi", "no d envoi", "numero rapidpost", "n rapidpost", "rapidpost",
        "numero de suivi rapidpost", "n de suivi rapidpost",
    }
)  # fmt: skip
REFERENCE = re.compile(r"DEM-\d{4}-\d{1,9}", re.IGNORECASE)
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")

Lines = list[tuple[int, list[str]]]
"""(number in the file, cells) of each line that is not empty."""
_DECLARED = re.compile(r"sep=(?P<mark>[;,\t])\r?\n", re.IGNORECASE)
"""The line in which Excel is told the separator, and which it does not show."""


def read_lines(data: bytes) -> Lines:
    """The lines that hold something, with their numbers. Raises DomainError on ``file`` for what is no such CSV."""
    if not data.strip(b"\xef\xbb\xbf \t\r\n\x00"):
        raise DomainError(_("Ce fichier est vide."), field="file")
    if len(data) > MAX_BYTES:
        raise DomainError(_("Ce fichier est trop grand : 1 Mo au plus pour 500 lignes."), field="file")
    if data.startswith(_WORKBOOKS):
        raise DomainError(
            _("Ce fichier est un classeur : enregistrez-le au format CSV, puis recommencez."), field="file"
        )
    text = _text(data)
    declared = _DECLARED.match(text)
    first = next((line for line in text.splitlines() if line.strip()), "")
    mark = declared["mark"] if declared else max((";", ",", "\t"), key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark))
    except csv.Error:
        raise DomainError(_("Ce fichier n'est pas un CSV lisible."), field="file") from None
    titles = 2 if declared else 1
    found = [
        (number, cells)
        for number, cells in enumerate(rows, 1)
        if number >= titles and any(cell.strip() for cell in cells)
    ]
    if not found:
        raise DomainError(_("Ce fichier est vide."), field="file")
    return found


def _text(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", errors="replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", errors="replace")
    if any(ord(char) < 32 and char not in "\t\r\n" for char in text) or "\ufffd" in text:
        raise DomainError(_("Ce fichier n'est pas un CSV lisible."), field="file")
    return text


def columns_named(titles: Sequence[str], names: Mapping[str, frozenset[str]]) -> dict[str, int]:
    """Where the columns of these names stand on a line of titles; accents, case and punctuation do not matter."""
    found: dict[str, int] = {}
    for at, cell in enumerate(titles):
        title = " ".join(re.sub(r"[^a-z ]+", " ", fold(cell).replace("_", " ")).split())
        for key, known in names.items():
            if title in known:
                found.setdefault(key, at)
    return found


def too_few_cells(number: int) -> str:
    """A line without all its columns: cut short, or written with another separator than the first line."""
    return _(
        "Ligne %(number)d : il manque une colonne. Le même séparateur doit servir sur toutes les lignes.",
        number=number,
    )

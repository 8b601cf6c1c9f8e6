"""The CSV of RapidPost numbers (QUE-4): what it says line by line, before anything is done with it."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

from flask_babel import gettext as _

from app.errors import DomainError
from app.identifiers import fold, tidy_text
from app.services.bulk import LIMIT
from app.services.deciding import normalise_tracking_number

MAX_BYTES = 1024 * 1024
REFERENCE_NAMES = frozenset({"reference", "ref", "demande", "reference de la demande", "reference demande"})
NUMBER_NAMES = frozenset(
    {
        "tracking number", "trackingnumber", "tracking", "suivi", "numero de suivi", "numero suivi", "n de suivi",
        "no de suivi", "numero d envoi", "n d envoi", "no d envoi", "numero rapidpost", "n rapidpost", "rapidpost",
        "numero de suivi rapidpost", "n de suivi rapidpost",
    }
)  # fmt: skip
_REFERENCE = re.compile(r"DEM-\d{4}-\d{1,9}", re.IGNORECASE)
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


@dataclass(frozen=True, slots=True)
class TrackingLine:
    """A line of the file. ``refused``: what is wrong with it, whatever the request."""

    number: int
    reference: str
    tracking_number: str
    refused: str = ""


def read_tracking_file(data: bytes) -> list[TrackingLine]:
    """The lines of « reference;tracking_number » (« ; », « , » or tab; the header may be missing or in French).

    Raises DomainError on ``file`` when it is no such file at all: empty, binary, too large, other columns.
    """
    rows = _rows(data)
    start, where = _columns(rows[0][1])
    lines: list[TrackingLine] = []
    seen: dict[str, int] = {}
    numbers: dict[str, int] = {}
    for number, cells in rows[start:]:
        reference, text = (tidy_text(cells[at]) if at < len(cells) else "" for at in where)
        lines.append(_checked(number, reference.upper(), text, seen, numbers))
    if not lines:
        raise DomainError(_("Ce fichier ne contient aucun numéro de suivi sous ses titres."), field="file")
    if len(lines) > LIMIT:
        raise DomainError(
            _("Ce fichier a %(count)d lignes : %(limit)d au plus à la fois.", count=len(lines), limit=LIMIT),
            field="file",
        )
    return lines


def _checked(number: int, reference: str, text: str, seen: dict[str, int], numbers: dict[str, int]) -> TrackingLine:
    if not reference:
        return TrackingLine(number, "", text[:60], _("Ligne %(number)d : la référence manque.", number=number))
    if reference in seen:
        refused = _("Déjà donnée à la ligne %(first)d du fichier.", first=seen[reference])
        return TrackingLine(number, reference, text[:60], refused)
    seen[reference] = number
    try:
        tracking = normalise_tracking_number(text)
    except DomainError as refusal:
        return TrackingLine(number, reference, text[:60], str(refusal))
    if tracking in numbers:
        refused = _("Ce numéro de suivi est déjà à la ligne %(first)d du fichier.", first=numbers[tracking])
        return TrackingLine(number, reference, tracking, refused)
    numbers[tracking] = number
    return TrackingLine(number, reference, tracking)


def _rows(data: bytes) -> list[tuple[int, list[str]]]:
    """The lines that hold something, with their numbers."""
    if not data.strip(b"\xef\xbb\xbf \t\r\n\x00"):
        raise DomainError(_("Ce fichier est vide."), field="file")
    if len(data) > MAX_BYTES:
        raise DomainError(_("Ce fichier est trop grand : 1 Mo au plus pour 500 lignes."), field="file")
    if data.startswith(_WORKBOOKS):
        raise DomainError(
            _("Ce fichier est un classeur : enregistrez-le au format CSV, puis recommencez."), field="file"
        )
    text = _text(data)
    first = next((line for line in text.splitlines() if line.strip()), "")
    mark = max((";", ",", "\t"), key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark))
    except csv.Error:
        raise DomainError(_("Ce fichier n'est pas un CSV lisible."), field="file") from None
    found = [(number, cells) for number, cells in enumerate(rows, 1) if any(cell.strip() for cell in cells)]
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


def _columns(first: list[str]) -> tuple[int, tuple[int, int]]:
    """How many lines of titles there are, and where the reference and the number stand."""
    names = [re.sub(r"[^a-z ]+", " ", fold(cell).replace("_", " ")) for cell in first]
    names = [" ".join(name.split()) for name in names]
    reference = next((at for at, name in enumerate(names) if name in REFERENCE_NAMES), None)
    number = next((at for at, name in enumerate(names) if name in NUMBER_NAMES), None)
    if reference is not None and number is not None:
        return 1, (reference, number)
    bare = next((at for at, cell in enumerate(first) if _REFERENCE.fullmatch(cell.strip())), None)
    if bare is not None and len(first) == 2:
        return 0, (bare, 1 - bare)
    raise DomainError(
        _("Il faut deux colonnes, « reference » et « tracking_number » : la première ligne les nomme."), field="file"
    )

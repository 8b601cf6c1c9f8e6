"""The CSV of RapidPost numbers (QUE-4): what it says line by line, before anything is done with it."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from app.errors import DomainError
from app.identifiers import tidy_text
from app.services.bulk import LIMIT
from app.services.csv_lines import NUMBER_NAMES, REFERENCE, REFERENCE_NAMES, columns_named, read_lines, too_few_cells
from app.services.deciding import normalise_tracking_number


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
    rows = read_lines(data)
    start, where = _columns(rows[0][1])
    lines: list[TrackingLine] = []
    seen: dict[str, int] = {}
    numbers: dict[str, int] = {}
    for number, cells in rows[start:]:
        reference, text = (tidy_text(cells[at]) if at < len(cells) else "" for at in where)
        if len(cells) <= max(where):
            lines.append(TrackingLine(number, reference.upper()[:40], "", too_few_cells(number)))
            continue
        lines.append(_checked(number, reference.upper()[:40], text, seen, numbers))
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


def _columns(first: list[str]) -> tuple[int, tuple[int, int]]:
    """How many lines of titles there are, and where the reference and the number stand."""
    found = columns_named(first, {"reference": REFERENCE_NAMES, "number": NUMBER_NAMES})
    if len(found) == 2:
        return 1, (found["reference"], found["number"])
    bare = next((at for at, cell in enumerate(first) if REFERENCE.fullmatch(cell.strip())), None)
    if bare is not None and len(first) == 2:
        return 0, (bare, 1 - bare)
    raise DomainError(
        _("Il faut deux colonnes, « reference » et « tracking_number » : la première ligne les nomme."), field="file"
    )

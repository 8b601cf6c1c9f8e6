"""The CSV of parcels that the post office handed over (CRT-2): what it says line by line, before anything is done."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _

from app.errors import DomainError
from app.identifiers import tidy_text
from app.services.bulk import LIMIT
from app.services.csv_lines import (
    NUMBER_NAMES,
    REFERENCE,
    REFERENCE_NAMES,
    Lines,
    columns_named,
    read_lines,
    too_few_cells,
)
from app.services.deciding import normalise_tracking_number

DAY_NAMES = frozenset(
    {
        "date", "date de retrait", "date retrait", "retire le", "retrait", "date de remise", "remis le", "livre le",
        "date de livraison", "collected on", "collected", "collection date",
    }
)  # fmt: skip
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_FRENCH = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")


@dataclass(frozen=True, slots=True)
class CollectionLine:
    """A line of the file: a request by its reference, its parcel's number, or both. ``refused``: what is wrong."""

    number: int
    reference: str = ""
    tracking_number: str = ""
    collected_on: date | None = None
    refused: str = ""


def read_collection_file(data: bytes) -> list[CollectionLine]:
    """The lines of « reference » or « tracking_number », and perhaps « date » (none: today); « ; », « , » or tab.

    A file of one column needs no titles. Raises DomainError on ``file`` when it is no such file at all.
    """
    rows = read_lines(data)
    start, where = _columns(rows)
    seen: dict[tuple[str, str], int] = {}
    lines = [_line(number, cells, where, seen) for number, cells in rows[start:]]
    if not lines:
        raise DomainError(_("Ce fichier ne contient aucun colis sous ses titres."), field="file")
    if len(lines) > LIMIT:
        raise DomainError(
            _("Ce fichier a %(count)d lignes : %(limit)d au plus à la fois.", count=len(lines), limit=LIMIT),
            field="file",
        )
    return lines


def _columns(rows: Lines) -> tuple[int, dict[str, int]]:
    first = rows[0][1]
    where = columns_named(first, {"reference": REFERENCE_NAMES, "number": NUMBER_NAMES, "day": DAY_NAMES})
    if "reference" in where or "number" in where:
        return 1, where
    if len(first) == 1 and REFERENCE.fullmatch(first[0].strip()):
        return 0, {"reference": 0}
    if len(first) == 1 and _is_number(first[0]):
        return 0, {"number": 0}
    raise DomainError(
        _(
            "Il faut une colonne « reference » ou « tracking_number », et au besoin « date » : la première ligne les "
            "nomme."
        ),
        field="file",
    )


def _line(number: int, cells: list[str], where: dict[str, int], seen: dict[tuple[str, str], int]) -> CollectionLine:
    values = {key: tidy_text(cells[at]) if at < len(cells) else "" for key, at in where.items()}
    reference, given = values.get("reference", "").upper()[:40], values.get("number", "")[:60]
    if len(cells) <= max(at for key, at in where.items() if key != "day"):
        return CollectionLine(number, reference, refused=too_few_cells(number))
    if not reference and not given:
        return CollectionLine(number, refused=_("Ligne %(number)d : la référence manque.", number=number))
    try:
        tracking = normalise_tracking_number(given) if given else ""
        day = _day(values.get("day", ""))
    except DomainError as refusal:
        return CollectionLine(number, reference, given, refused=str(refusal))
    key = ("reference", reference) if reference else ("number", tracking)  # one parcel may hold several tokens
    if key in seen:
        refused = _("Déjà donnée à la ligne %(first)d du fichier.", first=seen[key])
        return CollectionLine(number, reference, tracking, day, refused)
    seen[key] = number
    return CollectionLine(number, reference, tracking, day)


def _is_number(text: str) -> bool:
    try:
        normalise_tracking_number(text)
    except DomainError:
        return False
    return True


def _day(text: str) -> date | None:
    """The day in a cell, whatever hour follows it; None when the cell is empty. Raises DomainError."""
    if not text:
        return None
    word = text.replace("T", " ").split()[0]
    try:
        if found := _ISO.fullmatch(word):
            return date(int(found[1]), int(found[2]), int(found[3]))
        if found := _FRENCH.fullmatch(word):
            return date(int(found[3]), int(found[2]), int(found[1]))
    except ValueError:
        pass
    raise DomainError(_("« %(text)s » n'est pas une date : écrivez-la ainsi, 29/11/2026.", text=text[:40]))

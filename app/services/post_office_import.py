"""The official list of post offices, imported from CSV (REF-1): an office keeps its row by its code."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from app.errors import DomainError
from app.extensions import db
from app.identifiers import InvalidIdentifier, fold, normalise_postal_code, tidy_arabic_name, tidy_text
from app.models import Governorate, PostOffice
from app.permissions import Actor, Permission
from app.services import audit
from app.services.authority import require
from app.services.unit_of_work import use_case

COLUMNS = ("code", "nom_fr", "nom_ar", "gouvernorat", "delegation", "code_postal", "adresse")
REQUIRED = ("code", "nom_fr", "gouvernorat", "code_postal")
MAX_LINES = 5_000
MAX_BYTES = 5 * 1024 * 1024
MAX_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    added: int
    changed: int
    same: int
    disabled: int


@use_case
def import_post_offices(data: bytes, *, disable_missing: bool, actor: Actor) -> Imported:
    """Add and change offices from a CSV (« ; », « , » or tab; UTF-8 or Windows-1252); all of it or nothing.

    ``disable_missing``: offices the file does not name are no longer offered; requests keep theirs. Raises
    Forbidden, DomainError listing the wrong lines.
    """
    require(actor, Permission.MANAGE_REFERENCE_DATA)
    lines = _read(data)
    present = {office.code: office for office in db.session.scalars(select(PostOffice).with_for_update())}
    added = changed = 0
    for values in lines:
        office = present.get(values["code"])
        if office is None:
            db.session.add(PostOffice(**values))
            added += 1
        elif any(getattr(office, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(office, name, value)
            changed += 1
    disabled = 0
    if disable_missing:
        named = {values["code"] for values in lines}
        for office in present.values():
            if office.code not in named and office.active:
                office.active = False
                disabled += 1
    db.session.flush()
    result = Imported(added, changed, len(lines) - added - changed, disabled)
    audit.record(
        actor,
        "import_post_offices",
        ("post_offices", "*"),
        after={"added": result.added, "changed": result.changed, "same": result.same, "disabled": result.disabled},
    )
    return result


def _read(data: bytes) -> list[dict[str, Any]]:
    if not data.strip():
        raise DomainError(_("Ce fichier est vide."), field="file")
    if len(data) > MAX_BYTES:
        raise DomainError(_("Ce fichier est trop grand : 5 Mo au plus."), field="file")
    reader = csv.reader(io.StringIO(_text(data)), delimiter=_delimiter(data))
    try:
        header = [fold(name).replace(" ", "_") for name in next(reader)]
        rows = list(reader)
    except csv.Error:
        raise DomainError(_("Ce fichier n'est pas un CSV lisible."), field="file") from None
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise DomainError(
            _("Il manque des colonnes : %(names)s. La première ligne nomme les colonnes.", names=", ".join(missing)),
            field="file",
        )
    if len(rows) > MAX_LINES:
        raise DomainError(_("Ce fichier a trop de lignes : %(max)d au plus.", max=MAX_LINES), field="file")
    return _checked(header, rows)


def _checked(header: list[str], rows: list[list[str]]) -> list[dict[str, Any]]:
    governorates: dict[str, int] = {}
    for governorate in db.session.scalars(select(Governorate)):
        for name in (governorate.iso_code, governorate.name_fr, governorate.name_ar):
            governorates[fold(name)] = governorate.id
    lines: list[dict[str, Any]] = []
    problems: list[str] = []
    codes: set[str] = set()
    for number, row in enumerate(rows, start=2):
        if not any(cell.strip() for cell in row):
            continue
        cells = dict(zip(header, (tidy_text(cell) for cell in row), strict=False))
        problem = _problem(cells, governorates, codes)
        if problem:
            problems.append(_("Ligne %(number)d : %(problem)s", number=number, problem=problem))
            continue
        codes.add(cells["code"])
        lines.append(_values(cells, governorates))
    if problems:
        shown = problems[:MAX_PROBLEMS]
        if len(problems) > MAX_PROBLEMS:
            shown.append(_("… et %(count)d autres lignes.", count=len(problems) - MAX_PROBLEMS))
        raise DomainError(_("Rien n'est importé. ") + " ".join(shown), field="file")
    if not lines:
        raise DomainError(_("Ce fichier ne contient aucun bureau."), field="file")
    return lines


def _problem(cells: dict[str, str], governorates: dict[str, int], codes: set[str]) -> str:
    empty = [name for name in REQUIRED if not cells.get(name)]
    if empty:
        return _("colonne vide (%(names)s).", names=", ".join(empty))
    if len(cells["code"]) > 40 or len(cells["nom_fr"]) > 120 or len(cells.get("adresse", "")) > 255:
        return _("texte trop long.")
    if len(cells.get("nom_ar", "")) > 120 or len(cells.get("delegation", "")) > 120:
        return _("texte trop long.")
    if cells["code"] in codes:
        return _("le code %(code)s y est deux fois.", code=cells["code"])
    if fold(cells["gouvernorat"]) not in governorates:
        return _("le gouvernorat « %(name)s » est inconnu.", name=cells["gouvernorat"])
    try:
        normalise_postal_code(cells["code_postal"])
    except InvalidIdentifier:
        return _("le code postal « %(code)s » n'a pas quatre chiffres.", code=cells["code_postal"])
    return ""


def _values(cells: dict[str, str], governorates: dict[str, int]) -> dict[str, Any]:
    return {
        "code": cells["code"],
        "name_fr": cells["nom_fr"],
        "name_ar": tidy_arabic_name(cells.get("nom_ar", "")),
        "governorate_id": governorates[fold(cells["gouvernorat"])],
        "delegation": cells.get("delegation", ""),
        "postal_code": normalise_postal_code(cells["code_postal"]),
        "address": cells.get("adresse", ""),
        "active": True,
    }


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _delimiter(data: bytes) -> str:
    first = data.splitlines()[0]
    return max((";", ",", "\t"), key=lambda mark: first.count(mark.encode()))

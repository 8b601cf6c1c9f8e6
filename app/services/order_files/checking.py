"""Checking the rows of a file: each by itself, then against each other and against what there is (ORD-5, ORD-6)."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _

from app.extensions import db
from app.identifiers import fold
from app.models import ImportRowStatus, OrderImport, OrderImportRow, User
from app.permissions import Actor
from app.queries import reference
from app.services.order_files.values import Offer, Own, read_row
from app.services.order_lines import (
    RequestLine,
    account_problems,
    duplicates_of,
    offer_problems,
    reason_wanted,
    repeated,
)


def offer_of(certificate_type_id: int) -> Offer:
    """What a file may order of a product today."""
    domains = reference.usage_domains()
    names = {fold(name).replace(" ", ""): domain.id for domain in domains for name in (domain.label, domain.code)}
    return Offer(
        certificate_type_id, names, [domain.label for domain in domains], reference.validities(certificate_type_id)
    )


def own_of(actor: Actor) -> Own:
    """The administrator's own account, as a row may name it."""
    user = db.session.get_one(User, actor.user_id)
    return Own(user.email, (user.identity_kind, user.identity_number))


def read_rows(actor: Actor, file: OrderImport, rows: Sequence[OrderImportRow]) -> None:
    """Each row by itself. What others have to do with it, ``compare_rows`` says."""
    offer, own = offer_of(file.certificate_type_id), own_of(actor)
    for row in rows:
        read = read_row(row.cells, offer, own)
        row.line = read.line.to_json() if read.line is not None else None
        row.problems, row.remarks = read.problems, read.remarks
        row.status = ImportRowStatus.PRETE if read.line is not None else ImportRowStatus.A_CORRIGER


def compare_rows(actor: Actor, file: OrderImport, rows: Sequence[OrderImportRow]) -> list[RequestLine]:
    """The readable rows against each other, the accounts, the offer and the organisation's requests; their lines.

    Writes what is wrong into the rows. A handful of statements for five hundred rows.
    """
    whole = [row for row in rows if row.line is not None]
    lines = [RequestLine.from_json(row.line) for row in whole if row.line is not None]
    problems: list[list[list[str]]] = [
        [[key, str(why)] for key, why in wrong.items()]
        for wrong in map(_merged, offer_problems(lines), account_problems(actor, lines))
    ]
    for place, (column, first) in repeated(lines).items():
        problems[place].append([column, _said_before(column, whole[first].number)])
    known = duplicates_of(file.organisation_id, lines)
    for place, row in enumerate(whole):
        if place in known and not lines[place].duplicate_reason and not problems[place]:
            _set(row, ImportRowStatus.A_CONFIRMER, [["duplicate_reason", reason_wanted(known[place][0])]])
        else:
            status = ImportRowStatus.A_CORRIGER if problems[place] else ImportRowStatus.PRETE
            _set(row, status, problems[place])
    return lines


def _merged(one: dict[str, object], other: dict[str, object]) -> dict[str, object]:
    return {**one, **other}


def _said_before(column: str, number: int) -> str:
    if column == "identity_number":
        return _("Cette personne est déjà à la ligne %(number)d du fichier.", number=number)
    return _("La personne de la ligne %(number)d a déjà cette adresse e-mail.", number=number)


def _set(row: OrderImportRow, status: ImportRowStatus, problems: list[list[str]]) -> None:
    if row.status is not status or row.problems != problems:
        row.status, row.problems = status, problems

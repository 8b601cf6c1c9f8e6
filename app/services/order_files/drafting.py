"""A file under way: received, checked, mended row by row or by another file, given up (ORD-5).

Kept on the server for a week, for the administrator who sent it. Nothing of it is an order before ``confirming``.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import timedelta

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import Select, delete, func, insert, select

from app import clock
from app.errors import DomainError, NotFound
from app.extensions import db
from app.models import CertificateRequest, CertificateType, ImportRowStatus, OrderImport, OrderImportRow
from app.permissions import Actor, Permission
from app.services import attempts
from app.services.authority import require_organisation
from app.services.order_files.checking import compare_rows, read_rows
from app.services.order_files.columns import COLUMNS
from app.services.order_files.reading import LONGEST_CELL, MAX_ROWS, FileRefused, Table, read_file
from app.services.ordering import orderable_organisation
from app.services.unit_of_work import use_case
from app.states import RequestState

LIFE = timedelta(days=7)
FILES_PER_HOUR = 60
CHUNK = 100
"""Rows checked in one transaction: how often the progress moves."""
_PUBLIC_ID = re.compile(r"[\w-]{16,40}")


def new_public_id() -> str:
    """The name of a file to come, so that its progress can be asked for while it is sent."""
    return secrets.token_urlsafe(16)


def receive(
    actor: Actor, organisation_id: int, certificate_type_id: int, data: bytes, name: str, *, public_id: str = ""
) -> str:
    """Read a file, keep its rows and check them; returns the draft's public id.

    The draft before it goes. Sent twice (double click), the same draft answers. Raises FileRefused, DomainError when
    the organisation may not order or the same file is ordered already.
    """
    orderable_organisation(actor, organisation_id)
    _count_file(actor)
    table = read_file(data)
    draft_id = _keep(actor, organisation_id, certificate_type_id, table, name, public_id)
    check(actor, organisation_id, draft_id)
    return draft_id


def _count_file(actor: Actor) -> None:
    """Opening a stranger's workbook costs a child process its memory. Raises TooManyAttempts."""
    key = attempts.key_for("order-file", str(actor.user_id))
    attempts.count_attempt(key, limit=FILES_PER_HOUR, window=timedelta(hours=1))


@use_case
def _keep(actor: Actor, organisation_id: int, certificate_type_id: int, table: Table, name: str, public_id: str) -> str:
    orderable_organisation(actor, organisation_id)
    product = db.session.get(CertificateType, certificate_type_id)
    if product is None or not product.active:
        raise DomainError(_("Ce certificat n'est plus proposé."))
    fingerprint = table.fingerprint(certificate_type_id)
    refuse_ordered(organisation_id, fingerprint)
    same = db.session.scalar(select(OrderImport).where(OrderImport.public_id == public_id))
    if same is not None or not _PUBLIC_ID.fullmatch(public_id):
        if same is not None and same.user_id == actor.user_id and same.fingerprint == fingerprint:
            return same.public_id
        public_id = new_public_id()
    for draft in drafts_of(actor, organisation_id):
        delete_draft(draft)
    moment = clock.now()
    file = OrderImport(
        public_id=public_id,
        organisation_id=organisation_id,
        user_id=actor.user_id,
        certificate_type_id=certificate_type_id,
        original_name=name[-255:] or _("fichier"),
        fingerprint=fingerprint,
        locale=actor.locale,
        notes=table.notes,
        created_at=moment,
        expires_at=moment + LIFE,
    )
    db.session.add(file)
    db.session.flush()
    _insert(file.id, {row.number: row.cells for row in table.rows})
    return public_id


def refuse_ordered(organisation_id: int, fingerprint: str) -> None:
    """The same file is ordered once, unless all of it was cancelled since. Inside a use case; raises FileRefused."""
    known = db.session.scalar(
        select(OrderImport).where(OrderImport.organisation_id == organisation_id, OrderImport.trace == fingerprint)
    )
    if known is None or known.order is None:
        return
    alive = select(CertificateRequest.id).where(
        CertificateRequest.order_id == known.order_id, CertificateRequest.state != RequestState.ANNULEE
    )
    if db.session.scalar(alive.limit(1)) is None:
        known.trace = None
        db.session.flush()
        return
    raise FileRefused(
        _(
            "Ce fichier est déjà commandé, le %(when)s : commande %(reference)s.",
            when=clock.local(known.order.created_at).strftime("%d/%m/%Y à %H:%M"),
            reference=known.order.reference,
        )
    )


def _insert(import_id: int, rows: Mapping[int, Mapping[str, str]]) -> None:
    values: list[dict[str, object]] = [
        {
            "import_id": import_id,
            "number": number,
            "cells": dict(cells),
            "status": ImportRowStatus.A_CONTROLER,
            "line": None,
            "problems": [],
            "remarks": [],
        }
        for number, cells in rows.items()
    ]
    db.session.execute(insert(OrderImportRow), values)


# ------------------------------------------------------------------------------------------------------- checking


def check(actor: Actor, organisation_id: int, public_id: str) -> None:
    """Check the rows that were not yet, some at a time, then all of them against each other. Safe to run again."""
    while _check_some(actor, organisation_id, public_id):
        pass
    _compare(actor, organisation_id, public_id)


@use_case
def _check_some(actor: Actor, organisation_id: int, public_id: str) -> bool:
    file = edited(actor, organisation_id, public_id)
    rows = db.session.scalars(
        select(OrderImportRow)
        .where(OrderImportRow.import_id == file.id, OrderImportRow.status == ImportRowStatus.A_CONTROLER)
        .order_by(OrderImportRow.number)
        .limit(CHUNK)
    ).all()
    read_rows(actor, file, rows)
    return len(rows) == CHUNK


@use_case
def _compare(actor: Actor, organisation_id: int, public_id: str) -> None:
    file = edited(actor, organisation_id, public_id)
    compare_rows(actor, file, rows_of(file))


@use_case
def _ask_check(actor: Actor, organisation_id: int, public_id: str) -> None:
    file = edited(actor, organisation_id, public_id)
    file.locale = actor.locale
    for row in rows_of(file):
        row.status = ImportRowStatus.A_CONTROLER


def check_again(actor: Actor, organisation_id: int, public_id: str) -> None:
    """« Vérifier de nouveau »: every row, in the reader's language, against what there is now."""
    _ask_check(actor, organisation_id, public_id)
    check(actor, organisation_id, public_id)


# -------------------------------------------------------------------------------------------------------- mending


@use_case
def mend_row(
    actor: Actor, organisation_id: int, public_id: str, number: int, typed: Mapping[str, str]
) -> ImportRowStatus:
    """Write a row's cells anew and check it; right or wrong, they are kept. Raises NotFound, DomainError."""
    file = edited(actor, organisation_id, public_id)
    row = _row(file, number)
    row.cells = {
        column.key: (typed.get(column.key) or "").strip()[:LONGEST_CELL]
        for column in COLUMNS
        if typed.get(column.key) or column.key in row.cells
    }
    read_rows(actor, file, [row])
    compare_rows(actor, file, rows_of(file))
    return row.status


@use_case
def remove_row(actor: Actor, organisation_id: int, public_id: str, number: int) -> None:
    """Take a row off; one already gone is no error (double click)."""
    file = edited(actor, organisation_id, public_id)
    db.session.execute(
        delete(OrderImportRow).where(OrderImportRow.import_id == file.id, OrderImportRow.number == number)
    )
    compare_rows(actor, file, rows_of(file))


@use_case
def give_reasons(actor: Actor, organisation_id: int, public_id: str, reasons: Mapping[int, str]) -> int:
    """Why people are ordered for again, row by row (ORD-6); how many rows still lack theirs."""
    file = edited(actor, organisation_id, public_id)
    rows = rows_of(file)
    changed = []
    for row in rows:
        reason = " ".join((reasons.get(row.number) or "").split())[:LONGEST_CELL]
        if reason:
            row.cells = {**row.cells, "duplicate_reason": reason}
            changed.append(row)
    read_rows(actor, file, changed)
    compare_rows(actor, file, rows)
    return sum(row.status is ImportRowStatus.A_CONFIRMER for row in rows)


def add_file(actor: Actor, organisation_id: int, public_id: str, data: bytes) -> list[str]:
    """Mend by another file; what became of the rows, in sentences.

    With a column « Ligne », each of its rows takes the place of that row. Without, it replaces the rows to mend, and
    those of the same people; the other right rows stay. Raises FileRefused, DomainError, NotFound.
    """
    find(actor, organisation_id, public_id)
    _count_file(actor)
    table = read_file(data)
    said = _merge(actor, organisation_id, public_id, table)
    check(actor, organisation_id, public_id)
    return [*said, *table.notes]


@use_case
def _merge(actor: Actor, organisation_id: int, public_id: str, table: Table) -> list[str]:
    file = edited(actor, organisation_id, public_id)
    rows = {row.number: row for row in rows_of(file)}
    if table.names_lines and all(row.replaces in rows for row in table.rows):
        new = {row.replaces or 0: row.cells for row in table.rows}
        if len(new) < len(table.rows):  # one of the two people would be lost without a word
            raise FileRefused(_("La colonne « Ligne » y nomme deux fois la même ligne : une ligne par personne."))
        gone = set(new)
    else:
        numbers = {row.cells.get("identity_number", "").lstrip("0") for row in table.rows}
        gone = {
            number
            for number, row in rows.items()
            if row.status is ImportRowStatus.A_CORRIGER or row.cells.get("identity_number", "").lstrip("0") in numbers
        }
        first = max([row.number for row in table.rows] + [n for n in rows if n not in gone], default=1) + 1
        taken = set(rows) - gone
        new = {}
        for row in table.rows:
            number = row.number if row.number not in taken and row.number not in new else first + len(new)
            new[number] = row.cells
    kept = len(rows) - len(gone)
    if kept + len(new) > MAX_ROWS:
        raise FileRefused(_("Cela ferait %(count)d lignes : %(limit)d au plus.", count=kept + len(new), limit=MAX_ROWS))
    db.session.execute(
        delete(OrderImportRow).where(OrderImportRow.import_id == file.id, OrderImportRow.number.in_(gone))
    )
    db.session.expire_all()
    _insert(file.id, new)
    return [
        ngettext(
            "%(num)d ligne lue dans le nouveau fichier.", "%(num)d lignes lues dans le nouveau fichier.", len(new)
        ),
        ngettext("%(num)d ligne du premier est gardée.", "%(num)d lignes du premier sont gardées.", kept),
    ]


# -------------------------------------------------------------------------------------------------- whose it is


def find(actor: Actor, organisation_id: int, public_id: str) -> OrderImport:
    """The actor's own file of that name. Raises NotFound for any other, and for one that is too old."""
    file = db.session.scalar(_own(actor, organisation_id).where(OrderImport.public_id == public_id))
    if file is None:
        raise NotFound(_("Ce fichier n'existe pas ou n'existe plus."))
    return file


def edited(actor: Actor, organisation_id: int, public_id: str) -> OrderImport:
    """The same, locked, for a change. Raises NotFound, DomainError once it is ordered."""
    require_organisation(actor, organisation_id, Permission.ORDER_CERTIFICATES)
    file = db.session.scalar(
        _own(actor, organisation_id)
        .where(OrderImport.public_id == public_id)
        .with_for_update(of=OrderImport)
        .execution_options(populate_existing=True)
    )
    if file is None:
        raise NotFound(_("Ce fichier n'existe pas ou n'existe plus."))
    if file.order_id is not None:
        raise DomainError(_("Ce fichier est déjà commandé."))
    file.expires_at = clock.now() + LIFE
    return file


def drafts_of(actor: Actor, organisation_id: int) -> list[OrderImport]:
    """The actor's files under way: one, but for two sent at the same moment."""
    return list(
        db.session.scalars(
            _own(actor, organisation_id).where(OrderImport.order_id.is_(None)).order_by(OrderImport.id.desc())
        )
    )


def _own(actor: Actor, organisation_id: int) -> Select[OrderImport]:
    return select(OrderImport).where(
        OrderImport.organisation_id == organisation_id,
        OrderImport.user_id == actor.user_id,
        (OrderImport.expires_at > clock.now()) | OrderImport.order_id.is_not(None),
    )


def rows_of(file: OrderImport) -> list[OrderImportRow]:
    """All its rows, in the file's order."""
    return list(
        db.session.scalars(
            select(OrderImportRow).where(OrderImportRow.import_id == file.id).order_by(OrderImportRow.number)
        )
    )


def _row(file: OrderImport, number: int) -> OrderImportRow:
    row = db.session.scalar(
        select(OrderImportRow).where(OrderImportRow.import_id == file.id, OrderImportRow.number == number)
    )
    if row is None:
        raise NotFound(_("Cette ligne n'est plus dans le fichier."))
    return row


def progress(actor: Actor, organisation_id: int, public_id: str) -> tuple[int, int]:
    """How many rows are checked, of how many. Raises NotFound."""
    file = find(actor, organisation_id, public_id)
    waits = func.count().filter(OrderImportRow.status == ImportRowStatus.A_CONTROLER)
    total, waiting = db.session.execute(select(func.count(), waits).where(OrderImportRow.import_id == file.id)).one()
    return total - waiting, total


# ------------------------------------------------------------------------------------------------------- giving up


@use_case
def abandon(actor: Actor, organisation_id: int, public_id: str) -> None:
    """« Abandonner ce fichier »: it goes with its rows; one already gone is no error."""
    require_organisation(actor, organisation_id, Permission.ORDER_CERTIFICATES)
    for draft in drafts_of(actor, organisation_id):
        if draft.public_id == public_id:
            delete_draft(draft)


def delete_draft(draft: OrderImport) -> None:
    """Rows first. Inside a use case."""
    db.session.execute(delete(OrderImportRow).where(OrderImportRow.import_id == draft.id))
    db.session.execute(delete(OrderImport).where(OrderImport.id == draft.id))


@use_case
def purge_files() -> int:
    """Delete the files given up a week ago, with their rows; how many. Safe to run twice."""
    old = select(OrderImport).where(OrderImport.order_id.is_(None), OrderImport.expires_at <= clock.now())
    drafts = db.session.scalars(old.with_for_update(skip_locked=True)).all()
    for draft in drafts:
        delete_draft(draft)
    return len(drafts)

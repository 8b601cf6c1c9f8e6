"""The credit note's PDF: made by whoever needs it first, kept once, the same bytes for ever (AVO-2)."""

from __future__ import annotations

import hashlib

import structlog
from flask_babel import gettext as _
from sqlalchemy.dialects import postgresql, sqlite

from app import clock
from app.adapters.storage import FileNotStored, new_key
from app.errors import NotFound
from app.extensions import db
from app.models import CreditNote, CreditNoteArchive
from app.papers import Attachment, CreditNoteData, credit_note_pdf
from app.papers.teif import VERSION
from app.services import files
from app.services.electronic_invoices import NOT_MADE, teif_of_credit_note
from app.services.invoice_archives import ArchiveDamaged
from app.services.unit_of_work import use_case

log = structlog.get_logger()


def credit_note_pdf_bytes(credit_note_id: int) -> tuple[str, bytes]:
    """The file's name and the PDF with its TEIF inside, archived at its first use; identical at each call.

    Raises NotFound, ArchiveDamaged (lost, and what can be made again has other bytes).
    """
    note = db.session.get(CreditNote, credit_note_id)
    if note is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    name = f"{note.number}.pdf"
    archive = db.session.get(CreditNoteArchive, credit_note_id)
    if archive is not None:
        return name, _kept(note, archive)
    pdf = _made(note)
    key = new_key("credit-notes")
    files.storage().put(key, pdf)
    if _write_down(credit_note_id, key, hashlib.sha256(pdf).hexdigest()):
        return name, pdf
    files.storage().delete(key)  # somebody else was first: theirs is the archive
    note, archive = (
        db.session.get_one(CreditNote, credit_note_id),
        db.session.get_one(CreditNoteArchive, credit_note_id),
    )
    return name, _kept(note, archive)


def _made(note: CreditNote) -> bytes:
    try:
        name, xml = teif_of_credit_note(note.id)
        attachments: tuple[Attachment, ...] = (Attachment(name, xml, description=f"TEIF {VERSION}"),)
    except NOT_MADE as fault:
        log.exception("electronic_invoice_not_made", credit_note=note.number, why=str(fault))
        attachments = ()
    return credit_note_pdf(CreditNoteData.from_snapshot(note.snapshot), attachments)


@use_case
def _write_down(credit_note_id: int, key: str, sha256: str) -> bool:
    insert = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    written = db.session.scalar(
        insert(CreditNoteArchive)
        .values(credit_note_id=credit_note_id, storage_key=key, sha256=sha256, created_at=clock.now())
        .on_conflict_do_nothing()
        .returning(CreditNoteArchive.credit_note_id)
    )
    return written is not None


def _kept(note: CreditNote, archive: CreditNoteArchive) -> bytes:
    try:
        pdf = files.storage().get(archive.storage_key)
    except FileNotStored:
        pdf = b""
    if hashlib.sha256(pdf).hexdigest() == archive.sha256:
        return pdf
    log.error("credit_note_archive_damaged", credit_note=note.number, key=archive.storage_key)
    again = _made(note)
    if hashlib.sha256(again).hexdigest() != archive.sha256:
        raise ArchiveDamaged(note.number)
    files.storage().put(archive.storage_key, again)
    return again

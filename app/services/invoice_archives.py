"""The invoice's PDF: made by whoever needs it first, kept once, the same bytes for ever (INV-2)."""

from __future__ import annotations

import hashlib

import structlog
from flask_babel import gettext as _
from sqlalchemy.dialects import postgresql, sqlite

from app import clock
from app.adapters.storage import FileNotStored, new_key
from app.errors import NotFound
from app.extensions import db
from app.models import Invoice, InvoiceArchive
from app.papers import Attachment, InvoiceData, invoice_pdf
from app.papers.teif import VERSION
from app.services import files
from app.services.electronic_invoices import NOT_MADE, teif_of_invoice
from app.services.unit_of_work import use_case

log = structlog.get_logger()


class ArchiveDamaged(FileNotStored):
    """The kept bytes are not those whose hash was written down, and cannot be made again."""


def invoice_pdf_bytes(invoice_id: int) -> tuple[str, bytes]:
    """The file's name and the PDF, archived at its first use; identical at each call.

    A crash between keeping the file and writing its row leaves a file without a row, never a row without its
    file. A file that was lost is made again from the snapshot when that gives the very same bytes. Raises
    NotFound for no such invoice, ArchiveDamaged.
    """
    invoice = db.session.get(Invoice, invoice_id)
    if invoice is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    name = f"{invoice.number}.pdf"
    archive = db.session.get(InvoiceArchive, invoice_id)
    if archive is not None:
        return name, _kept(invoice, archive)
    pdf = invoice_pdf(InvoiceData.from_snapshot(dict(invoice.snapshot)), _attachments(invoice))
    key = new_key("invoices")
    files.storage().put(key, pdf)
    if _write_down(invoice_id, key, hashlib.sha256(pdf).hexdigest()):
        return name, pdf
    files.storage().delete(key)  # somebody else was first: theirs is the archive
    invoice, archive = db.session.get(Invoice, invoice_id), db.session.get(InvoiceArchive, invoice_id)
    if invoice is None or archive is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    return name, _kept(invoice, archive)


@use_case
def _write_down(invoice_id: int, key: str, sha256: str) -> bool:
    """The archive's row, if it is the first; the table takes no change afterwards."""
    insert = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    written = db.session.scalar(
        insert(InvoiceArchive)
        .values(invoice_id=invoice_id, storage_key=key, sha256=sha256, created_at=clock.now())
        .on_conflict_do_nothing()
        .returning(InvoiceArchive.invoice_id)
    )
    return written is not None


def _kept(invoice: Invoice, archive: InvoiceArchive) -> bytes:
    try:
        pdf = files.storage().get(archive.storage_key)
    except FileNotStored:
        pdf = b""
    if hashlib.sha256(pdf).hexdigest() == archive.sha256:
        return pdf
    log.error("invoice_archive_damaged", invoice=invoice.number, key=archive.storage_key)
    for attachments in (_attachments(invoice), ()):  # without, as before invoices had an electronic form
        again = invoice_pdf(InvoiceData.from_snapshot(invoice.snapshot), attachments)
        if hashlib.sha256(again).hexdigest() == archive.sha256:
            files.storage().put(archive.storage_key, again)
            return again
    raise ArchiveDamaged(invoice.number)


def _attachments(invoice: Invoice) -> tuple[Attachment, ...]:
    """The electronic form, inside the PDF/A-3 (INV-3). A paid invoice prints even where that cannot be made."""
    try:
        name, xml = teif_of_invoice(invoice.id)
    except NOT_MADE as fault:
        log.exception("electronic_invoice_not_made", invoice=invoice.number, why=str(fault))
        return ()
    return (Attachment(name, xml, description=f"TEIF {VERSION}"),)

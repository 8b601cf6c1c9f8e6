"""The TEIF document of an invoice or credit note: made by whoever needs it first, kept once (INV-3).

Signing is a switch (setting ``teif.sign``), off by default; a document keeps the form it was made in.
"""

from __future__ import annotations

import hashlib

import structlog
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from app import clock
from app.adapters.storage import FileNotStored, new_key
from app.errors import ConfigurationError, NotFound
from app.extensions import db
from app.models import CreditNote, ElectronicInvoice, Invoice
from app.papers import InvoiceData, PaperError, TeifOptions, teif_xml
from app.papers.teif import CREDIT_NOTE, INVOICE
from app.services import files, settings
from app.services.unit_of_work import use_case
from app.states import TransmissionState

log = structlog.get_logger()


class ElectronicInvoiceDamaged(FileNotStored):
    """The kept bytes are not those whose hash was written down."""


NOT_MADE = (PaperError, ConfigurationError, FileNotStored)
"""Why a document may be missing: its amounts, the signing key, its file."""


def teif_of_invoice(invoice_id: int) -> tuple[str, bytes]:
    """The file's name and the TEIF I-11 document, kept at its first use and identical at each call.

    Raises NotFound, ElectronicInvoiceDamaged, PaperError (amounts that contradict each other), ConfigurationError
    (signing is on without a key).
    """
    invoice = db.session.get(Invoice, invoice_id)
    if invoice is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    return f"{invoice.number}.xml", _document(INVOICE, invoice, {"invoice_id": invoice_id})


def teif_of_credit_note(credit_note_id: int) -> tuple[str, bytes]:
    """The same for a credit note: TEIF I-12, negative amounts, its invoice by I-89 (AVO-2). Raises the same."""
    note = db.session.get(CreditNote, credit_note_id)
    if note is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    return f"{note.number}.xml", _document(CREDIT_NOTE, note, {"credit_note_id": credit_note_id})


def _document(kind: str, row: Invoice | CreditNote, subject: dict[str, int]) -> bytes:
    kept = _kept(subject)
    if kept is not None:
        return kept
    snapshot, asked = dict(row.snapshot), settings.group("teif")
    options = TeifOptions(
        document_type=kind,
        refers_to=str(snapshot.get("invoice_number", "")),
        ttn_reference=_ttn_reference(row.invoice_id) if isinstance(row, CreditNote) else "",
        words=str(snapshot.get("words", "")),
        tax_id_suffix=str(asked["tax_id_suffix"]),
    )
    xml, signed = teif_xml(InvoiceData.from_snapshot(snapshot), options), bool(asked["sign"])
    if signed:
        xml = _sign(xml)
    key = new_key("teif")
    files.storage().put(key, xml)
    if _write_down(subject, key, hashlib.sha256(xml).hexdigest(), signed):
        return xml
    files.storage().delete(key)  # somebody else was first: theirs is the document
    kept = _kept(subject)
    if kept is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    return kept


def signed_if_asked(xml: bytes) -> bytes:
    """The document with the seller's signature where the operator signs (``teif.sign``), else as it is.

    Raises ConfigurationError when signing is on without a key.
    """
    return _sign(xml) if settings.get("teif.sign") else xml


def _sign(xml: bytes) -> bytes:
    from app.adapters.teif_signing import open_signer

    config = current_app.config
    return open_signer(config.get("TEIF_SIGNING_KEY"), config.get("TEIF_SIGNING_CERTIFICATE")).sign(xml)


def _ttn_reference(invoice_id: int) -> str:
    """What TTN calls the invoice, once it took it (I-88)."""
    found = select(ElectronicInvoice.ttn_reference).where(ElectronicInvoice.invoice_id == invoice_id)
    return db.session.scalar(found) or ""


def _kept(subject: dict[str, int]) -> bytes | None:
    row = db.session.scalar(select(ElectronicInvoice).filter_by(**subject).execution_options(populate_existing=True))
    if row is None:
        return None
    try:
        xml = files.storage().get(row.storage_key)
    except FileNotStored:
        xml = b""
    if hashlib.sha256(xml).hexdigest() != row.sha256:
        log.error("electronic_invoice_damaged", key=row.storage_key, **subject)
        raise ElectronicInvoiceDamaged(row.storage_key)
    return xml


@use_case
def _write_down(subject: dict[str, int], key: str, sha256: str, signed: bool) -> bool:
    """The document's row, if it is the first; whether it is to be sent is decided by the switch of that moment."""
    insert = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    send = bool(settings.get("ttn.send"))
    moment = clock.now()
    written = db.session.scalar(
        insert(ElectronicInvoice)
        .values(
            **subject,
            storage_key=key,
            sha256=sha256,
            signed=signed,
            created_at=moment,
            state=TransmissionState.A_ENVOYER if send else TransmissionState.NON_ENVOYEE,
            due_at=moment if send else None,
            attempts=0,
            last_error="",
            ttn_reference="",
            data={},
        )
        .on_conflict_do_nothing()
        .returning(ElectronicInvoice.id)
    )
    return written is not None

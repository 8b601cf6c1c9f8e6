"""Sending electronic invoices to TTN and learning what became of them; off unless the operator says so (INV-3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import structlog
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import or_, select

from app import clock
from app.adapters.ttn import ElFatoora, TtnRefused, TtnUnavailable
from app.errors import IllegalTransition, NotFound
from app.extensions import db
from app.models import CreditNote, ElectronicInvoice, Invoice
from app.permissions import Actor, Permission
from app.services import audit, settings
from app.services.authority import require
from app.services.electronic_invoices import NOT_MADE, signed_if_asked, teif_of_credit_note, teif_of_invoice
from app.services.locking import lock
from app.services.unit_of_work import use_case
from app.states import TransmissionState

log = structlog.get_logger()

WAITS = (1, 5, 15, 60, 240, 1440)
"""Minutes until the next try, by tries already made; then daily, for ever: a tax document is never dropped."""
OUTAGE = 3


def transmit_due(limit: int = 50) -> str:
    """One run of the job: deposit what waits, ask about what was deposited. Never raises because of TTN."""
    if not settings.get("ttn.send"):
        return _("Envoi à TTN désactivé")
    service = client()
    if service is None:
        return _("Envoi à TTN : le serveur n'a pas d'identifiants")
    _take_up_missing(limit)
    done = failed = 0
    for row_id in _due(limit):
        if _one(service, row_id):
            done += 1
        else:
            failed += 1
            if failed == OUTAGE and not done:
                break
    return _("%(done)d traitées, %(failed)d sans réponse", done=done, failed=failed)


def client() -> ElFatoora | None:
    """The client of the configured service; None when this server has no account there."""
    config = current_app.config
    names = ("TTN_URL", "TTN_LOGIN", "TTN_PASSWORD", "TTN_TAX_ID")
    values = [str(config.get(name) or "") for name in names]
    return ElFatoora(values[0], values[1], values[2], values[3]) if all(values) else None


@use_case
def send_again(electronic_invoice_id: int, *, actor: Actor) -> ElectronicInvoice:
    """« Renvoyer » a document that TTN rejected, or one made while sending was off.

    Raises Forbidden, NotFound, IllegalTransition (it is accepted, or on its way).
    """
    require(actor, Permission.SETTLE_PAYMENTS)
    row = lock(ElectronicInvoice, electronic_invoice_id)
    if row.state in (TransmissionState.ACCEPTEE, TransmissionState.ENVOYEE):
        raise IllegalTransition(_("Ce document est déjà chez TTN."))
    before = row.state
    row.state, row.due_at, row.last_error = TransmissionState.A_ENVOYER, clock.now(), ""
    audit.record(actor, "transmit_again", row, before={"state": before}, after={"state": row.state})
    return row


def _take_up_missing(limit: int) -> None:
    """Invoices and credit notes issued since sending is on, whose document nobody has needed yet, get theirs."""

    def make(kind: Callable[[int], object], row_id: int) -> None:
        try:
            kind(row_id)
        except NOT_MADE as fault:
            log.exception("electronic_invoice_not_made", id=row_id, why=str(fault))

    known_invoices = select(ElectronicInvoice.invoice_id).where(ElectronicInvoice.invoice_id.is_not(None))
    known_notes = select(ElectronicInvoice.credit_note_id).where(ElectronicInvoice.credit_note_id.is_not(None))
    since = clock.now() - timedelta(days=7)
    for invoice_id in db.session.scalars(
        select(Invoice.id).where(Invoice.issued_at >= since, Invoice.id.not_in(known_invoices)).limit(limit)
    ).all():
        make(teif_of_invoice, invoice_id)
    for note_id in db.session.scalars(
        select(CreditNote.id).where(CreditNote.issued_at >= since, CreditNote.id.not_in(known_notes)).limit(limit)
    ).all():
        make(teif_of_credit_note, note_id)


def _due(limit: int) -> list[int]:
    waiting = (TransmissionState.A_ENVOYER, TransmissionState.ENVOYEE)
    return list(
        db.session.scalars(
            select(ElectronicInvoice.id)
            .where(
                ElectronicInvoice.state.in_(waiting),
                or_(ElectronicInvoice.due_at.is_(None), ElectronicInvoice.due_at <= clock.now()),
            )
            .order_by(ElectronicInvoice.due_at, ElectronicInvoice.id)
            .limit(limit)
        )
    )


def _one(service: ElFatoora, row_id: int) -> bool:
    """Deposit or ask about one document, no transaction open meanwhile; False when TTN gave no answer."""
    row = db.session.get(ElectronicInvoice, row_id)
    if row is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    try:
        name, xml = _document(row)
    except NOT_MADE as fault:  # nothing of TTN's: the next document is asked about all the same
        log.exception("electronic_invoice_not_made", id=row_id, why=str(fault))
        _note(row_id, None, error=str(fault))
        return True
    number, state, answered = name.removesuffix(".xml"), row.state, row.answered_at is not None
    db.session.rollback()
    try:
        found = service.consult(number)
        anew = found is None or (found.rejected and answered)  # a person sends what was rejected again
        if anew and state is TransmissionState.A_ENVOYER:
            service.deposit(xml)
            _note(row_id, TransmissionState.ENVOYEE)
            found = service.consult(number)
    except TtnRefused as refusal:
        _note(row_id, TransmissionState.REJETEE, error=str(refusal))
        return True
    except TtnUnavailable as outage:
        _note(row_id, None, error=str(outage))
        return False
    if found is not None and found.accepted:
        _note(row_id, TransmissionState.ACCEPTEE, reference=found.reference)
    elif found is not None and found.rejected:
        _note(row_id, TransmissionState.REJETEE, error="; ".join(found.messages))
    else:
        _note(row_id, TransmissionState.ENVOYEE)
    return True


def _document(row: ElectronicInvoice) -> tuple[str, bytes]:
    """What TTN is given: the kept document, signed now if it was made while signing was off."""
    make, subject = (teif_of_invoice, row.invoice_id) if row.invoice_id else (teif_of_credit_note, row.credit_note_id)
    name, xml = make(subject or 0)
    return name, xml if row.signed else signed_if_asked(xml)


@use_case
def _note(row_id: int, state: TransmissionState | None, *, error: str = "", reference: str = "") -> None:
    """Write down what was learned; ``state`` None: nothing was, try again later."""
    row = lock(ElectronicInvoice, row_id)
    if row.state is TransmissionState.ACCEPTEE:
        return
    moment = clock.now()
    row.last_error = error[:1000]
    row.attempts += 1
    row.due_at = moment + timedelta(minutes=WAITS[min(row.attempts, len(WAITS)) - 1])
    if state is None:
        return
    row.state = state
    if state is TransmissionState.ENVOYEE and row.sent_at is None:
        row.sent_at = moment
    if state in (TransmissionState.ACCEPTEE, TransmissionState.REJETEE):
        row.answered_at, row.due_at, row.ttn_reference = moment, None, reference[:120]
    log.info("electronic_invoice", id=row_id, state=state)

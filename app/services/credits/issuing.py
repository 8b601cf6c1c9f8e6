"""Issuing a credit note: numbered without a gap by a second person, then never changed (AVO-2, PPL-3)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select

from app import clock
from app.errors import DomainError, Forbidden, NotFound
from app.extensions import db
from app.models import (
    CreditNote,
    CreditOutcome,
    CreditProposal,
    HistoryEntry,
    Invoice,
    PaymentLine,
    Refund,
    RefundMethod,
)
from app.money import Split, amount_in_words, split, vat_rows
from app.permissions import Actor, Permission
from app.queries.people import administrators_of
from app.services import audit, history, outbox
from app.services.authority import require
from app.services.credits import guided, ledger
from app.services.credits.amounts import Wanted, left_of, parts_of
from app.services.credits.proposing import check_refundable, locked_invoice
from app.services.links import public_url
from app.services.locking import lock
from app.services.moving import move_credit_proposal
from app.services.numbering import Dated, take_dated_number
from app.services.unit_of_work import use_case
from app.state_labels import state_label
from app.states import CreditProposalState, RefundState

_CODE_ALPHABET = "ABCDEFGHJKLMNPQRSTVWXYZ23456789"
_CODE_LENGTH = 20


@use_case
def issue(proposal_id: int, *, actor: Actor, expected_version: int | None = None) -> CreditNote:
    """The second person says yes: number, snapshot, credit or refund to make, mail; in one transaction (AVO-2).

    The amounts are checked again under the invoice's lock: another credit note may have been issued meanwhile.
    Raises Forbidden (who prepared or edited it, PPL-3), NotFound, IllegalTransition, StaleObject, DomainError.
    """
    require(actor, Permission.APPROVE_CREDIT_NOTES)
    found = db.session.get(CreditProposal, proposal_id)
    if found is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    invoice = locked_invoice(found.invoice_id)
    proposal = lock(CreditProposal, proposal_id)
    own = why_not_by(proposal, invoice, actor)
    if own:
        raise Forbidden(own)
    if proposal.state is CreditProposalState.A_APPROUVER:
        check_amounts(proposal, invoice)
    given = {each.line.id: each.line.delivery - each.delivery for each in left_of(invoice).lines}
    move_credit_proposal(proposal, "issue", actor=actor, expected_version=expected_version)
    proposal.decided_by_id, proposal.decided_at = actor.user_id, clock.now()
    note = _written(proposal, invoice, given)
    _follow(note, invoice)
    guided.carry_out(proposal, actor=actor)
    history.write(
        actor,
        "issue_credit_note",
        payment_id=invoice.payment_id,
        organisation_id=invoice.organisation_id,
        details={"credit_note": note.number, "invoice": invoice.number, "total": note.total_ttc},
    )
    audit.record(actor, "issue_credit_note", note, after={"number": note.number, "total": note.total_ttc})
    _tell(note, invoice)
    return note


def check_amounts(proposal: CreditProposal, invoice: Invoice) -> None:
    """Is all of it still there to give back? Another credit note may have been issued since. Raises DomainError."""
    wanted = [Wanted(line.payment_line_id, line.price_ht, line.delivery) for line in proposal.lines]
    parts = parts_of(left_of(invoice), wanted, proposal.stamp_duty)
    if [(part.vat, part.total) for part in parts] != [
        (line.vat, line.price_ht + line.vat + line.delivery) for line in proposal.lines
    ]:
        raise DomainError(_("Ce qui reste à rendre sur la facture a changé : modifiez l'avoir avant de l'émettre."))
    check_refundable(proposal, invoice)


def why_not_by(proposal: CreditProposal, invoice: Invoice, actor: Actor) -> str:
    """Why this person may not issue it, in a sentence; « » when they may.

    Nobody issues what they prepared or ever edited, nor their own organisation's (PPL-3).
    """
    entries = db.session.scalars(
        select(HistoryEntry).where(
            HistoryEntry.payment_id == invoice.payment_id,
            HistoryEntry.action.in_(("credit_prepared", "credit_edit")),
            HistoryEntry.actor_id == actor.user_id,
        )
    )
    worked = any(entry.details.get("proposal") == proposal.reference for entry in entries)
    if worked or actor.user_id in (proposal.prepared_by_id, proposal.edited_by_id):
        return _("Vous avez préparé ou modifié cet avoir : une autre personne doit l'émettre.")
    if invoice.organisation_id in actor.organisation_ids:
        return _("C'est un avoir de votre propre organisation : une autre personne doit l'émettre.")
    return ""


def _written(proposal: CreditProposal, invoice: Invoice, given: Mapping[int, int]) -> CreditNote:
    """``given``: delivery that earlier credit notes gave back, by payment line; millimes."""
    dated = take_dated_number("AV")
    code = "".join(secrets.choice(_CODE_ALPHABET) for _index in range(_CODE_LENGTH))
    with force_locale("fr"):
        snapshot = _snapshot(proposal, invoice, given, dated, code)
    amounts = snapshot["amounts"]
    note = CreditNote(
        number=dated.number,
        year=dated.day.year,
        sequence=dated.sequence,
        proposal_id=proposal.id,
        invoice_id=invoice.id,
        organisation_id=invoice.organisation_id,
        outcome=proposal.outcome,
        issued_at=dated.moment,
        total_ht=-amounts["total_ht"],
        total_vat=-amounts["total_vat"],
        total_delivery=-(amounts["delivery_ht"] + amounts["delivery_vat"]),
        stamp_duty=-amounts["stamp_duty"],
        total_ttc=-amounts["total_ttc"],
        snapshot=snapshot,
        verification_code=code,
    )
    db.session.add(note)
    db.session.flush()
    return note


def _snapshot(
    proposal: CreditProposal, invoice: Invoice, given: Mapping[int, int], dated: Dated, code: str
) -> dict[str, Any]:
    """The invoice's own snapshot, with the lines given back and every amount negative (AVO-2)."""
    printed = invoice.snapshot
    positions = {
        line.id: line.position
        for line in db.session.scalars(select(PaymentLine).where(PaymentLine.payment_id == invoice.payment_id))
    }
    lines, taxed, delivered = [], [], 0
    delivery_bp = int(printed["amounts"]["delivery_vat_bp"])
    delivery = Split(0, 0)
    for part in proposal.lines:
        original = printed["lines"][positions[part.payment_line_id] - 1]
        lines.append({**original, "unit_ht": -part.price_ht, "ht": -part.price_ht, "vat": -part.vat, "quantity": 1})
        taxed.append((int(original["vat_rate_bp"]), Split(-part.price_ht, -part.vat)))
        if part.delivery:
            own = _delivery_part(part.delivery, given[part.payment_line_id], delivery_bp)
            delivery = Split(delivery.ht - own.ht, delivery.vat - own.vat)
            delivered += 1
    if delivery_bp:
        taxed.append((delivery_bp, delivery))
    total_ht = sum(int(line["ht"]) for line in lines)
    total_vat = sum(int(line["vat"]) for line in lines)
    total = total_ht + total_vat + delivery.ht + delivery.vat - proposal.stamp_duty
    return {
        **printed,
        "number": dated.number,
        "issued_at": dated.moment.isoformat(),
        "issued_on": dated.day.isoformat(),
        "lines": lines,
        "amounts": {
            "total_ht": total_ht,
            "total_vat": total_vat,
            "delivery_quantity": delivered,
            "delivery_ht": delivery.ht,
            "delivery_vat": delivery.vat,
            "delivery_vat_bp": delivery_bp,
            "stamp_duty": -proposal.stamp_duty,
            "total_ttc": total,
            "vat": [{"rate_bp": row.rate_bp, "base": row.base, "vat": row.vat} for row in vat_rows(taxed) if row.base],
        },
        "words": amount_in_words(-total),
        "verification_url": public_url("invoices.verify", code=code),
        "invoice_number": invoice.number,
        "invoice_issued_on": printed["issued_on"],
        "reason": proposal.reason_text,
        "reason_kind": state_label(proposal.reason),
        "outcome": state_label(proposal.outcome),
    }


def _delivery_part(amount: int, before: int, rate_bp: int) -> Split:
    """A part of a delivery taken apart so that all parts together have the VAT the whole was invoiced with (PRI-2)."""
    whole, earlier = split(before + amount, rate_bp), split(before, rate_bp)
    return Split(whole.ht - earlier.ht, whole.vat - earlier.vat)


def _follow(note: CreditNote, invoice: Invoice) -> None:
    """What becomes of the money: credit at once, or a refund to make (AVO-1)."""
    if note.outcome is CreditOutcome.CREDIT:
        ledger.give(note)
        return
    by_gateway = note.outcome is CreditOutcome.REMBOURSEMENT_PASSERELLE
    db.session.add(
        Refund(
            credit_note_id=note.id,
            payment_id=invoice.payment_id,
            method=RefundMethod.PASSERELLE if by_gateway else RefundMethod.MANUEL,
            amount=note.total_ttc,
            state=RefundState.A_REMBOURSER,
        )
    )
    db.session.flush()


def _tell(note: CreditNote, invoice: Invoice) -> None:
    """One mail with the PDF to each active administrator, in this transaction (AVO-2)."""
    for person in administrators_of(note.organisation_id):
        if person.disabled_at is not None:
            continue
        outbox.write(
            "credit_note_issued",
            to=person.email,
            locale=person.locale,
            attachments=[{"name": f"{note.number}.pdf", "credit_note_id": note.id}],
            organisation_id=note.organisation_id,
            name=person.display_name,
            credit_note_number=note.number,
            invoice_number=invoice.number,
            amount=note.total_ttc,
            reason=note.snapshot["reason"],
            outcome=note.outcome,
            link=public_url("invoices.index"),
        )

"""Preparing a credit note: by one person, for another to issue (AVO-1, PPL-3)."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import select

from app import clock
from app.errors import DomainError, Forbidden, NotFound, StaleObject
from app.extensions import db
from app.models import (
    CreditOutcome,
    CreditProposal,
    CreditProposalLine,
    CreditReason,
    Invoice,
    Organisation,
    Payment,
    PaymentMethod,
)
from app.money import format_millimes
from app.permissions import Actor, Permission
from app.services import audit, history
from app.services.authority import require
from app.services.credits.amounts import Wanted, left_of, parts_of
from app.services.locking import lock
from app.services.moving import REASON_LIMIT, move_credit_proposal
from app.services.numbering import next_reference
from app.services.unit_of_work import use_case
from app.states import CreditProposalState


class AlreadyPrepared(StaleObject):
    """Somebody prepared another credit note of this invoice after the page was made: ``reference`` is that one."""

    def __init__(self, latest: CreditProposal) -> None:
        super().__init__(
            _(
                "%(who)s a préparé l'avoir %(reference)s (%(total)s) pour cette facture le %(when)s, après l'ouverture "
                "de votre page. Votre saisie est conservée : relisez avant de continuer.",
                who=latest.prepared_by.display_name,
                reference=latest.reference,
                total=format_millimes(total_of(latest)),
                when=clock.local(latest.prepared_at).strftime("%d/%m/%Y à %H:%M"),
            )
        )
        self.reference, self.proposal_id, self.total = latest.reference, latest.id, total_of(latest)
        self.prepared_by_id = latest.prepared_by_id


@use_case
def prepare(
    invoice_id: int,
    wanted: Sequence[Wanted],
    *,
    stamp_duty: int,
    reason: CreditReason,
    reason_text: str,
    outcome: CreditOutcome,
    actor: Actor,
    revokes: bool = False,
    reorders: bool = False,
    latest_seen: int | None = None,
) -> CreditProposal:
    """Write a credit note for a second person to issue; amounts in millimes (AVO-1).

    ``revokes`` and ``reorders``: what issuing it does besides, for the certificates of its lines (AVO-5).
    ``latest_seen``: id of the invoice's latest proposal that the page knew of, 0 for none: a second click, or a
    colleague's proposal meanwhile, is refused rather than doubled.

    Raises Forbidden, NotFound, AlreadyPrepared, DomainError on ``line-<id>``, ``stamp_duty``, ``reason_text`` or
    ``outcome``.
    """
    require(actor, Permission.PREPARE_CREDIT_NOTES)
    invoice = locked_invoice(invoice_id)
    if latest_seen is not None:
        _check_latest(invoice.id, latest_seen)
    if invoice.organisation_id in actor.organisation_ids:
        raise DomainError(_("C'est une facture de votre propre organisation : un collègue doit préparer l'avoir."))
    proposal = CreditProposal(
        reference=next_reference("PAV"),
        invoice_id=invoice.id,
        organisation_id=invoice.organisation_id,
        state=CreditProposalState.A_APPROUVER,
        prepared_by_id=actor.user_id,
        prepared_at=clock.now(),
        revokes=revokes,
        reorders=reorders,
    )
    _fill(proposal, invoice, wanted, stamp_duty, reason, reason_text, outcome)
    db.session.add(proposal)
    db.session.flush()
    history.write(
        actor,
        "credit_prepared",
        payment_id=invoice.payment_id,
        organisation_id=invoice.organisation_id,
        to_state=proposal.state,
        reason=proposal.reason_text,
        details={"proposal": proposal.reference, "invoice": invoice.number, "total": total_of(proposal)},
    )
    audit.record(actor, "credit_prepared", proposal, after=_facts(proposal))
    return proposal


@use_case
def edit(
    proposal_id: int,
    wanted: Sequence[Wanted],
    *,
    stamp_duty: int,
    reason: CreditReason,
    reason_text: str,
    outcome: CreditOutcome,
    actor: Actor,
    expected_version: int | None = None,
) -> CreditProposal:
    """Change what was prepared; whoever does can no longer issue it (PPL-3). Raises as ``prepare``, StaleObject."""
    require(actor, Permission.PREPARE_CREDIT_NOTES)
    invoice = locked_invoice(_invoice_of(proposal_id))
    proposal = lock(CreditProposal, proposal_id)
    refuse_own(proposal.organisation_id, actor)
    move_credit_proposal(proposal, "edit", actor=actor, expected_version=expected_version)
    before = _facts(proposal)
    proposal.lines.clear()
    db.session.flush()
    _fill(proposal, invoice, wanted, stamp_duty, reason, reason_text, outcome)
    proposal.edited_by_id = actor.user_id
    db.session.flush()
    audit.record(actor, "credit_edited", proposal, before=before, after=_facts(proposal))
    return proposal


@use_case
def withdraw(proposal_id: int, *, actor: Actor, expected_version: int | None = None) -> CreditProposal:
    """Give up what was prepared. Raises Forbidden, NotFound, IllegalTransition, StaleObject."""
    require(actor, Permission.PREPARE_CREDIT_NOTES)
    proposal = lock(CreditProposal, proposal_id)
    refuse_own(proposal.organisation_id, actor)
    move_credit_proposal(proposal, "withdraw", actor=actor, expected_version=expected_version)
    _decided(proposal, actor)
    return proposal


@use_case
def refuse(proposal_id: int, *, reason: str, actor: Actor, expected_version: int | None = None) -> CreditProposal:
    """The second person says no, and why. Raises Forbidden, IllegalTransition, StaleObject, DomainError."""
    require(actor, Permission.APPROVE_CREDIT_NOTES)
    proposal = lock(CreditProposal, proposal_id)
    refuse_own(proposal.organisation_id, actor)
    move_credit_proposal(proposal, "refuse", actor=actor, reason=reason, expected_version=expected_version)
    proposal.decision_reason = reason.strip()
    _decided(proposal, actor)
    return proposal


def refuse_own(organisation_id: int, actor: Actor) -> None:
    """An officer who administers the organisation has no hand on its credit notes and refunds (PPL-3).

    Raises Forbidden.
    """
    if organisation_id in actor.organisation_ids:
        raise Forbidden(_("C'est un avoir de votre propre organisation : un collègue doit s'en occuper."))


def total_of(proposal: CreditProposal) -> int:
    """What is given back, everything included; millimes."""
    return proposal.stamp_duty + sum(line.price_ht + line.vat + line.delivery for line in proposal.lines)


def locked_invoice(invoice_id: int) -> Invoice:
    """The invoice, its organisation and payment locked before it: nothing more is given back meanwhile."""
    found = db.session.get(Invoice, invoice_id)
    if found is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    lock(Organisation, found.organisation_id)
    lock(Payment, found.payment_id)
    return lock(Invoice, invoice_id)


def refundable(invoice: Invoice) -> int:
    """What came through the gateway and did not go back there yet; millimes. Credit goes back as credit only."""
    payment = db.session.get_one(Payment, invoice.payment_id)
    if payment.method is PaymentMethod.CREDIT:
        return 0
    from app.models import CreditNote, Refund

    promised = db.session.scalars(
        select(Refund.amount).join(CreditNote).where(CreditNote.invoice_id == invoice.id)
    ).all()
    return payment.amount - sum(promised)


def _check_latest(invoice_id: int, latest_seen: int) -> None:
    latest = db.session.scalar(
        select(CreditProposal)
        .where(CreditProposal.invoice_id == invoice_id)
        .order_by(CreditProposal.id.desc())
        .limit(1)
    )
    if latest is not None and latest.id != latest_seen:
        raise AlreadyPrepared(latest)


def _invoice_of(proposal_id: int) -> int:
    return db.session.scalar(select(CreditProposal.invoice_id).where(CreditProposal.id == proposal_id)) or 0


def _fill(
    proposal: CreditProposal,
    invoice: Invoice,
    wanted: Sequence[Wanted],
    stamp_duty: int,
    reason: CreditReason,
    reason_text: str,
    outcome: CreditOutcome,
) -> None:
    reason_text = reason_text.strip()
    if len(reason_text) < 3:
        raise DomainError(_("Écrivez la raison : elle est imprimée sur l'avoir."), field="reason_text")
    if len(reason_text) > REASON_LIMIT:
        raise DomainError(_("2 000 caractères au plus."), field="reason_text")
    parts = parts_of(left_of(invoice), wanted, stamp_duty)
    proposal.reason, proposal.reason_text, proposal.outcome = reason, reason_text, outcome
    proposal.stamp_duty = stamp_duty
    proposal.lines.extend(
        CreditProposalLine(
            payment_line_id=part.payment_line_id,
            position=position,
            price_ht=part.price_ht,
            vat=part.vat,
            delivery=part.delivery,
        )
        for position, part in enumerate(parts, 1)
    )
    check_refundable(proposal, invoice)


def check_refundable(proposal: CreditProposal, invoice: Invoice) -> None:
    """Money goes back only as far as money came. Raises DomainError on ``outcome``."""
    if proposal.outcome is CreditOutcome.CREDIT:
        return
    most = refundable(invoice)
    if total_of(proposal) > most:
        raise DomainError(
            _(
                "Au plus %(amount)s peuvent être remboursés pour cette facture, le reste ayant été payé par avoir "
                "ou déjà remboursé : choisissez un avoir à valoir.",
                amount=format_millimes(most),
            ),
            field="outcome",
        )


def _decided(proposal: CreditProposal, actor: Actor) -> None:
    proposal.decided_by_id = actor.user_id
    proposal.decided_at = clock.now()


def _facts(proposal: CreditProposal) -> dict[str, object]:
    return {
        "reference": proposal.reference,
        "total": total_of(proposal),
        "stamp_duty": proposal.stamp_duty,
        "reason": proposal.reason,
        "outcome": proposal.outcome,
        "lines": [[line.payment_line_id, line.price_ht, line.vat, line.delivery] for line in proposal.lines],
    }

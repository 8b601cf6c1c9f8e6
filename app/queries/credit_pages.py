"""What the pages of a credit note and of an invoice show: everything linked to everything (BIL-1, AVO-1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import func, or_, select
from sqlalchemy.orm import defer, joinedload, selectinload

from app.errors import NotFound
from app.extensions import db
from app.models import (
    CertificateRequest,
    CreditNote,
    CreditProposal,
    CreditProposalLine,
    CreditReason,
    ElectronicInvoice,
    Invoice,
    LedgerEntry,
    Organisation,
    OutboxMail,
    Payment,
    PaymentCredit,
    PaymentLine,
)
from app.permissions import Actor, Permission
from app.queries.credit_accounts import Standing, standings_by_note
from app.queries.uncollected import is_left_uncollected
from app.states import RequestState

SHOWN = 20


@dataclass(frozen=True, slots=True)
class NoteUse:
    """A payment that used, or holds, a credit note's credit."""

    payment: str
    invoice: str
    amount: int
    live: bool


@dataclass(slots=True)
class ProposalPage:
    """A proposal and, once issued, its credit note with what became of it."""

    proposal: CreditProposal
    payment: Payment
    note: CreditNote | None
    standing: Standing
    uses: list[NoteUse]
    mails: list[OutboxMail]
    electronic: ElectronicInvoice | None
    others: list[CreditProposal]


@dataclass(slots=True)
class InvoicePage:
    """An invoice with its payment, lines, proposals and electronic form."""

    invoice: Invoice
    payment: Payment
    lines: list[PaymentLine]
    proposals: list[CreditProposal]
    electronic: ElectronicInvoice | None
    given_back: int


def proposal_page(actor: Actor, reference: str) -> ProposalPage:
    """By PAV-… or AV-…, for staff who read billing. Raises NotFound."""
    proposal = proposal_named(actor, reference)
    note = proposal.credit_note
    payment = db.session.get_one(Payment, proposal.invoice.payment_id)
    return ProposalPage(
        proposal=proposal,
        payment=payment,
        note=note,
        standing=standings_by_note([note.id]).get(note.id, Standing()) if note else Standing(),
        uses=_uses(note.id) if note else [],
        mails=_mails(note) if note else [],
        electronic=_electronic(credit_note_id=note.id) if note else None,
        others=[each for each in proposals_of(proposal.invoice_id) if each.id != proposal.id],
    )


def proposal_named(actor: Actor, reference: str) -> CreditProposal:
    """The proposal with its lines. Raises NotFound."""
    wanted = reference.strip().upper()[:40]
    issued = select(CreditNote.proposal_id).where(CreditNote.number == wanted)
    proposal = db.session.scalar(
        select(CreditProposal)
        .where(or_(CreditProposal.reference == wanted, CreditProposal.id.in_(issued)))
        .options(
            selectinload(CreditProposal.lines)
            .joinedload(CreditProposalLine.payment_line)
            .joinedload(PaymentLine.request),
            joinedload(CreditProposal.invoice).defer(Invoice.snapshot),
            joinedload(CreditProposal.organisation),
            joinedload(CreditProposal.prepared_by),
            joinedload(CreditProposal.credit_note).joinedload(CreditNote.refund),
        )
        .execution_options(populate_existing=True)
    )
    if proposal is None or not actor.can(Permission.READ_BILLING):
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    return proposal


def invoice_named(actor: Actor, number: str) -> Invoice:
    """An invoice by its number, for staff who read billing. Raises NotFound."""
    found = db.session.scalar(
        select(Invoice)
        .where(Invoice.number == number.strip().upper()[:40])
        .options(joinedload(Invoice.organisation), joinedload(Invoice.payment))
    )
    if found is None or not actor.can(Permission.READ_BILLING):
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    return found


def invoice_page(actor: Actor, number: str) -> InvoicePage:
    """An invoice with all that hangs on it, in a fixed number of statements. Raises NotFound."""
    invoice = invoice_named(actor, number)
    given = db.session.scalar(select(func.sum(CreditNote.total_ttc)).where(CreditNote.invoice_id == invoice.id))
    return InvoicePage(
        invoice=invoice,
        payment=invoice.payment,
        lines=lines_of(invoice),
        proposals=proposals_of(invoice.id),
        electronic=_electronic(invoice_id=invoice.id),
        given_back=int(given or 0),
    )


def lines_of(invoice: Invoice) -> list[PaymentLine]:
    """Its lines with their requests, in the order printed."""
    return list(
        db.session.scalars(
            select(PaymentLine)
            .where(PaymentLine.payment_id == invoice.payment_id)
            .options(joinedload(PaymentLine.request).joinedload(CertificateRequest.certificate))
            .order_by(PaymentLine.position)
        )
    )


def proposals_of(invoice_id: int) -> list[CreditProposal]:
    """What was prepared on an invoice, issued or not, newest first."""
    return list(
        db.session.scalars(
            select(CreditProposal)
            .where(CreditProposal.invoice_id == invoice_id)
            .options(
                selectinload(CreditProposal.lines),
                joinedload(CreditProposal.prepared_by),
                joinedload(CreditProposal.credit_note).defer(CreditNote.snapshot),
                joinedload(CreditProposal.credit_note).joinedload(CreditNote.refund),
            )
            .order_by(CreditProposal.id.desc())
            .limit(SHOWN)
        )
    )


def proposals_of_request(request_id: int) -> list[CreditProposal]:
    """What was prepared of a request's line, newest first."""
    about = (
        select(CreditProposalLine.proposal_id)
        .join(PaymentLine, PaymentLine.id == CreditProposalLine.payment_line_id)
        .where(PaymentLine.request_id == request_id)
    )
    return list(
        db.session.scalars(
            select(CreditProposal)
            .where(CreditProposal.id.in_(about))
            .options(
                selectinload(CreditProposal.lines).joinedload(CreditProposalLine.payment_line),
                joinedload(CreditProposal.credit_note).defer(CreditNote.snapshot),
                joinedload(CreditProposal.credit_note).joinedload(CreditNote.refund),
            )
            .order_by(CreditProposal.id.desc())
            .limit(SHOWN)
        )
    )


def invoices_of_organisation(organisation_id: int) -> list[Invoice]:
    """An organisation's latest invoices, for its file."""
    return list(
        db.session.scalars(
            select(Invoice)
            .where(Invoice.organisation_id == organisation_id)
            .options(defer(Invoice.snapshot))
            .order_by(Invoice.id.desc())
            .limit(SHOWN)
        )
    )


def organisation_account(actor: Actor, reference: str) -> Organisation:
    """The organisation of an account page, for staff who read billing. Raises NotFound."""
    found = db.session.scalar(select(Organisation).where(Organisation.reference == reference.strip().upper()[:40]))
    if found is None or not actor.can(Permission.READ_BILLING):
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    return found


def latest_proposal_id(invoice_id: int) -> int:
    """What a page of preparation remembers, to know of a later proposal; 0 when there is none."""
    return (
        db.session.scalar(
            select(CreditProposal.id)
            .where(CreditProposal.invoice_id == invoice_id)
            .order_by(CreditProposal.id.desc())
            .limit(1)
        )
        or 0
    )


def usual_requests(lines: list[PaymentLine], reason: CreditReason) -> list[int] | None:
    """The requests a reason is about, when some of the invoice's are in that case; None: all of them (AVO-1)."""
    if reason in (CreditReason.REJET_APRES_PAIEMENT, CreditReason.RETRAIT_DEMANDE):
        found = [line.request_id for line in lines if line.request.state is RequestState.ANNULEE]
    elif reason is CreditReason.NON_RETRAIT_90_JOURS:
        found = [line.request_id for line in lines if is_left_uncollected(line.request)]
    else:
        found = []
    return found or None


def _uses(note_id: int) -> list[NoteUse]:
    used = db.session.execute(
        select(Payment.reference, Invoice.number, LedgerEntry.amount)
        .join(Payment, Payment.id == LedgerEntry.payment_id)
        .outerjoin(Invoice, Invoice.payment_id == Payment.id)
        .where(LedgerEntry.credit_note_id == note_id)
        .order_by(LedgerEntry.id)
    )
    held = db.session.execute(
        select(Payment.reference, PaymentCredit.amount)
        .join(Payment, Payment.id == PaymentCredit.payment_id)
        .where(PaymentCredit.credit_note_id == note_id, PaymentCredit.live)
    )
    return [
        *(NoteUse(row.reference, row.number or "", -row.amount, False) for row in used),
        *(NoteUse(row.reference, "", row.amount, True) for row in held),
    ]


def _mails(note: CreditNote) -> list[OutboxMail]:
    """The mails that took it to the administrators: written with it."""
    moment = note.issued_at
    return list(
        db.session.scalars(
            select(OutboxMail)
            .where(
                OutboxMail.organisation_id == note.organisation_id,
                OutboxMail.kind == "credit_note_issued",
                OutboxMail.created_at.between(moment - timedelta(minutes=1), moment + timedelta(minutes=1)),
                OutboxMail.subject.contains(note.number, autoescape=True),
            )
            .options(defer(OutboxMail.text), defer(OutboxMail.html))
            .order_by(OutboxMail.id)
        )
    )


def _electronic(*, invoice_id: int | None = None, credit_note_id: int | None = None) -> ElectronicInvoice | None:
    """Its TEIF document, when somebody needed it already."""
    return db.session.scalar(
        select(ElectronicInvoice).where(
            ElectronicInvoice.invoice_id == invoice_id
            if invoice_id is not None
            else ElectronicInvoice.credit_note_id == credit_note_id
        )
    )

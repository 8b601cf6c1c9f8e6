"""Baskets, payments and invoices, as each person may see them (PPL-2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import defer, joinedload, selectinload

from app.extensions import db
from app.models import (
    CertificateRequest,
    CreditNote,
    CreditProposalLine,
    Invoice,
    Payment,
    PaymentLine,
    PaymentRemedy,
    Refund,
    RemedyKind,
)
from app.permissions import Actor, Permission
from app.states import LIVE_PAYMENT_STATES, PaymentState, RefundState, RemedyState, RequestState

PAGE_SIZE = 30

# ---------------------------------------------------------------------------------------------------- basket

_IN_BASKET = (
    CertificateRequest.state == RequestState.EN_ATTENTE_DE_PAIEMENT,
    CertificateRequest.basket_added_at.is_not(None),
)


def basket_of(organisation_id: int) -> list[CertificateRequest]:
    """The organisation's basket, in the order things were put into it (PAY-1)."""
    return list(
        db.session.scalars(
            select(CertificateRequest)
            .where(CertificateRequest.organisation_id == organisation_id, *_IN_BASKET)
            .options(joinedload(CertificateRequest.certificate_type))
            .order_by(CertificateRequest.basket_added_at, CertificateRequest.id)
        )
    )


def requests_named(organisation_id: int, references: Sequence[str]) -> list[CertificateRequest]:
    """The organisation's requests of these references; others' and unknown ones are left out."""
    return list(
        db.session.scalars(
            select(CertificateRequest).where(
                CertificateRequest.organisation_id == organisation_id, CertificateRequest.reference.in_(references)
            )
        )
    )


def basket_count(organisation_ids: Iterable[int]) -> int:
    """How many requests wait in the baskets of these organisations, for the menu."""
    wanted = list(organisation_ids)
    if not wanted:
        return 0
    return (
        db.session.scalar(
            select(func.count())
            .select_from(CertificateRequest)
            .where(CertificateRequest.organisation_id.in_(wanted), *_IN_BASKET)
        )
        or 0
    )


# -------------------------------------------------------------------------------------------------- payments


def live_payments_of(request_ids: Sequence[int]) -> list[Payment]:
    """Attempts under way that hold one of these requests, oldest first."""
    if not request_ids:
        return []
    return list(
        db.session.scalars(
            select(Payment)
            .where(
                Payment.state.in_(LIVE_PAYMENT_STATES),
                Payment.id.in_(
                    select(PaymentLine.payment_id).where(PaymentLine.live, PaymentLine.request_id.in_(request_ids))
                ),
            )
            .options(selectinload(Payment.lines))
            .order_by(Payment.id)
        )
    )


def payments_in_doubt_of(request_ids: Sequence[int]) -> list[Payment]:
    """Attempts at the reconciliation desk that were for one of these requests, oldest first."""
    if not request_ids:
        return []
    return list(
        db.session.scalars(
            select(Payment)
            .where(
                Payment.state == PaymentState.A_REGULARISER,
                Payment.remedied_at.is_(None),
                Payment.id.in_(select(PaymentLine.payment_id).where(PaymentLine.request_id.in_(request_ids))),
            )
            .order_by(Payment.id)
        )
    )


def payment_of_return(*, token: str | None, order_id: str | None) -> Payment | None:
    """The attempt that a browser coming back names; what it brings only says which one to look up (GAT-2)."""
    if token:
        return db.session.scalar(select(Payment).where(Payment.return_token == token[:120]))
    if order_id:
        return db.session.scalar(select(Payment).where(Payment.gateway_order_id == order_id[:120]))
    return None


def requests_of_payment(payment_id: int) -> list[CertificateRequest]:
    """The requests an attempt is for, in its lines' order."""
    return list(
        db.session.scalars(
            select(CertificateRequest)
            .join(PaymentLine, PaymentLine.request_id == CertificateRequest.id)
            .where(PaymentLine.payment_id == payment_id)
            .options(joinedload(CertificateRequest.certificate_type))
            .order_by(PaymentLine.position)
        )
    )


def payments_to_regularise(limit: int = 200) -> list[Payment]:
    """The reconciliation desk's list: money moved but the basket did not allow it, oldest first (GAT-3)."""
    return list(
        db.session.scalars(
            select(Payment)
            .where(Payment.state == PaymentState.A_REGULARISER, Payment.remedied_at.is_(None))
            .options(joinedload(Payment.organisation), selectinload(Payment.lines))
            .order_by(Payment.id)
            .limit(limit)
        )
    )


def was_given_back(payment: Payment) -> bool:
    """Did the money of an attempt without an invoice go back, by whatever way? (GAT-4)"""
    if payment.remedied_at is None:
        return False
    moved = PaymentRemedy.kind != RemedyKind.CLASSEMENT
    done = (PaymentRemedy.payment_id == payment.id, PaymentRemedy.state == RemedyState.FAIT, moved)
    return db.session.scalar(select(PaymentRemedy.id).where(*done).limit(1)) is not None


def refunded_in_books(payment_id: int) -> int:
    """What our books know went back of a payment, by the gateway or by transfer, in millimes (AVO-4)."""
    given = db.session.scalar(
        select(func.coalesce(func.sum(Refund.amount), 0)).where(
            Refund.payment_id == payment_id, Refund.state == RefundState.REMBOURSE
        )
    )
    return int(given or 0)


# -------------------------------------------------------------------------------------------------- invoices


@dataclass(frozen=True, slots=True)
class InvoicePage:
    """A page of « Mes factures », newest first; ``next_before`` is the key of the following page."""

    rows: list[Invoice]
    next_before: int | None


def invoices_of(actor: Actor, before: int | None = None) -> InvoicePage:
    """The invoices of the organisations the actor pays for (INV-2), by key rather than by offset."""
    if not actor.can(Permission.PAY) or not actor.organisation_ids:
        return InvoicePage([], None)
    statement = select(Invoice).where(Invoice.organisation_id.in_(actor.organisation_ids))
    if before is not None:
        statement = statement.where(Invoice.id < before)
    statement = statement.options(defer(Invoice.snapshot)).order_by(Invoice.id.desc()).limit(PAGE_SIZE + 1)
    rows = list(db.session.scalars(statement))
    more = len(rows) > PAGE_SIZE
    rows = rows[:PAGE_SIZE]
    return InvoicePage(rows, rows[-1].id if more else None)


def invoice_for(actor: Actor, number: str) -> Invoice | None:
    """An invoice by its number: the organisation's administrators' own, or any for staff who read billing."""
    allowed = [Invoice.organisation_id.in_(actor.organisation_ids)] if actor.can(Permission.PAY) else []
    if actor.can(Permission.READ_BILLING):
        allowed.append(Invoice.id.is_not(None))
    if not allowed:
        return None
    return db.session.scalar(select(Invoice).where(Invoice.number == number, or_(*allowed)))


def invoice_of_payment(payment_id: int) -> Invoice | None:
    """The invoice an attempt led to, if any."""
    return db.session.scalar(select(Invoice).where(Invoice.payment_id == payment_id))


@dataclass(frozen=True, slots=True)
class Bill:
    """What a request was settled by: its invoice, its own part of it in millimes, its credit notes, oldest first."""

    invoice: Invoice
    part_ttc: int
    credit_notes: list[CreditNote]


def bill_of_request(request_id: int) -> Bill | None:
    """The invoice of the payment that settled a request, None before; two statements."""
    found = db.session.execute(
        select(Invoice, PaymentLine)
        .join(Payment, Invoice.payment_id == Payment.id)
        .join(PaymentLine, PaymentLine.payment_id == Payment.id)
        .where(PaymentLine.request_id == request_id, Payment.state == PaymentState.PAYE)
        .options(defer(Invoice.snapshot))
        .order_by(Invoice.id.desc())
        .limit(1)
    ).first()
    if found is None:
        return None
    invoice, line = found
    notes = db.session.scalars(
        select(CreditNote)
        .join(CreditProposalLine, CreditProposalLine.proposal_id == CreditNote.proposal_id)
        .where(CreditProposalLine.payment_line_id == line.id)
        .order_by(CreditNote.id)
    )
    return Bill(invoice, line.price_ht + line.vat + line.delivery, list(notes))


def invoice_by_code(code: str) -> Invoice | None:
    """The invoice a QR code names; hyphens, spaces and case do not count (INV-2)."""
    tidy = "".join(character for character in code.upper() if character.isascii() and character.isalnum())
    return db.session.scalar(select(Invoice).where(Invoice.verification_code == tidy[:40])) if tidy else None

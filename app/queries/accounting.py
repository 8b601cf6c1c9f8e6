"""The books of a period, read from what was issued and paid: nothing is reckoned again (BIL-1, issue of invoices).

Invoices count on the day they were issued in Tunis, payments on the day they were settled, refunds on the day they
were made. Credit notes are negative throughout.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, func, select

from app import clock
from app.adapters.clictopay import DINAR, PAID
from app.errors import DomainError
from app.extensions import db
from app.models import (
    CreditNote,
    Invoice,
    LedgerEntry,
    Organisation,
    Payment,
    PaymentMethod,
    Refund,
    RefundMethod,
)
from app.queries.lists import start_of
from app.queries.reconciliation import at_the_desk
from app.states import Anomaly, PaymentState, RefundState

LONGEST = 366
"""Days a period may span."""
BUNDLE = 300
"""Documents in one ZIP: each PDF may still have to be printed."""


@dataclass(frozen=True, slots=True)
class Period:
    """Days, both included, on Tunis's calendar."""

    first: date
    last: date

    def of(self, column: Any) -> list[Any]:
        """The conditions that a moment falls in it."""
        return [column >= start_of(self.first), column < start_of(self.last + timedelta(days=1))]


def period(first: date | None, last: date | None) -> Period:
    """The days asked for, or this month so far. Raises DomainError on ``first`` or ``last``."""
    today = clock.today()
    first = first or today.replace(day=1)
    last = last or max(today, first)
    if not (first.year >= 2000 and last.year < 2200):
        raise DomainError(_("Choisissez des dates de ce siècle."), field="first")
    if last < first:
        raise DomainError(_("La fin précède le début."), field="last")
    if (last - first).days >= LONGEST:
        raise DomainError(_("Choisissez une période d'un an au plus."), field="first")
    return Period(first, last)


@dataclass(frozen=True, slots=True)
class SalesRow:
    """One line of the journal of sales; millimes, negative for a credit note."""

    issued_on: date
    number: str
    is_credit: bool
    corrects: str
    organisation_reference: str
    organisation: str
    tax_id: str
    total_ht: int
    total_vat: int
    delivery_ht: int
    delivery_vat: int
    stamp_duty: int
    total_ttc: int
    credit_used: int
    method: str
    payment_reference: str
    vat: tuple[tuple[int, int, int], ...]  # rate in basis points, base, VAT


def sales(span: Period) -> Iterator[SalesRow]:
    """The journal of sales: invoices, then credit notes, each by number; from a server-side cursor."""
    invoices = _issued(Invoice, span, Invoice.payment_id)
    notes = _issued(
        CreditNote, span, select(Invoice.payment_id).where(Invoice.id == CreditNote.invoice_id).scalar_subquery()
    )
    return chain(
        (_row(row, is_credit=False) for row in db.session.execute(invoices.execution_options(yield_per=500))),
        (_row(row, is_credit=True) for row in db.session.execute(notes.execution_options(yield_per=500))),
    )


def _issued(model: Any, span: Period, payment_id: Any) -> Select[*tuple[Any, ...]]:
    return (
        select(
            model.number,
            model.issued_at,
            model.snapshot,
            Organisation.reference.label("organisation_reference"),
            Payment.reference.label("payment_reference"),
        )
        .join(Organisation, Organisation.id == model.organisation_id)
        .join(Payment, Payment.id == payment_id)
        .where(*span.of(model.issued_at))
        .order_by(model.year, model.sequence)
    )


def _row(row: Any, *, is_credit: bool) -> SalesRow:
    printed, amounts = row.snapshot, row.snapshot["amounts"]
    vat = [(int(each["rate_bp"]), int(each["base"]), int(each["vat"])) for each in amounts["vat"]]
    if not amounts["delivery_vat_bp"] and amounts["delivery_ht"]:
        vat.append((0, int(amounts["delivery_ht"]), 0))
    return SalesRow(
        issued_on=clock.local(row.issued_at).date(),
        number=row.number,
        is_credit=is_credit,
        corrects=str(printed.get("invoice_number", "")),
        organisation_reference=row.organisation_reference,
        organisation=str(printed["client"]["name"]),
        tax_id=str(printed["client"]["tax_id"]),
        total_ht=int(amounts["total_ht"]),
        total_vat=int(amounts["total_vat"]),
        delivery_ht=int(amounts["delivery_ht"]),
        delivery_vat=int(amounts["delivery_vat"]),
        stamp_duty=int(amounts["stamp_duty"]),
        total_ttc=int(amounts["total_ttc"]),
        credit_used=0 if is_credit else int(printed.get("credit_used", 0)),
        method="" if is_credit else str(printed["payment_method"]),
        payment_reference=row.payment_reference,
        vat=tuple(vat),
    )


@dataclass(frozen=True, slots=True)
class MoneyRow:
    """A movement of money: a payment settled or a refund made; refunds are negative; millimes."""

    on: date
    kind: str  # PAIEMENT, REMBOURSEMENT
    method: PaymentMethod | RefundMethod
    reference: str
    document: str
    organisation: str
    amount: int
    approval_code: str


def movements(span: Period) -> Iterator[MoneyRow]:
    """Payments by card and e-Dinar, then refunds, by day; credit moves no money and is left out."""
    paid = (
        select(
            Payment.settled_at,
            Payment.method,
            Payment.reference,
            Payment.amount,
            Payment.approval_code,
            Invoice.number,
            Organisation.legal_name,
        )
        .join(Organisation, Organisation.id == Payment.organisation_id)
        .outerjoin(Invoice, Invoice.payment_id == Payment.id)
        .where(Payment.state == PaymentState.PAYE, Payment.amount > 0, *span.of(Payment.settled_at))
        .order_by(Payment.settled_at, Payment.id)
        .execution_options(yield_per=500)
    )
    back = (
        select(
            Refund.done_at,
            Refund.method,
            Payment.reference,
            Refund.amount,
            Refund.bank_reference,
            CreditNote.number,
            Organisation.legal_name,
        )
        .join(CreditNote, CreditNote.id == Refund.credit_note_id)
        .join(Payment, Payment.id == Refund.payment_id)
        .join(Organisation, Organisation.id == CreditNote.organisation_id)
        .where(Refund.state == RefundState.REMBOURSE, *span.of(Refund.done_at))
        .order_by(Refund.done_at, Refund.id)
        .execution_options(yield_per=500)
    )
    for paid_row in db.session.execute(paid):
        yield MoneyRow(
            on=clock.local(paid_row.settled_at).date(),
            kind="PAIEMENT",
            method=paid_row.method,
            reference=paid_row.reference,
            document=paid_row.number or "",
            organisation=paid_row.legal_name,
            amount=paid_row.amount,
            approval_code=paid_row.approval_code or "",
        )
    for back_row in db.session.execute(back):
        yield MoneyRow(
            on=clock.local(back_row.done_at).date(),
            kind="REMBOURSEMENT",
            method=back_row.method,
            reference=back_row.reference,
            document=back_row.number,
            organisation=back_row.legal_name,
            amount=-back_row.amount,
            approval_code=back_row.bank_reference,
        )


@dataclass(slots=True)
class Summary:
    """A period in figures; millimes. ``turnover`` and the rest are invoices less credit notes."""

    invoices: int = 0
    credit_notes: int = 0
    invoiced: int = 0
    credited: int = 0
    total_ht: int = 0
    total_vat: int = 0
    delivery: int = 0
    stamp_duty: int = 0
    credit_used: int = 0
    vat: dict[int, tuple[int, int]] | None = None
    methods: dict[PaymentMethod | RefundMethod, tuple[int, int]] | None = None
    credit_left: int = 0

    @property
    def turnover(self) -> int:
        """Invoiced less credited, tax included."""
        return self.invoiced - self.credited


def summary(span: Period) -> Summary:
    """The period's totals, added up from the very rows that the files hold."""
    found = Summary(vat={}, methods={})
    assert found.vat is not None and found.methods is not None  # noqa: S101, PT018 - given one line above
    for row in sales(span):
        if row.is_credit:
            found.credit_notes += 1
            found.credited -= row.total_ttc
        else:
            found.invoices += 1
            found.invoiced += row.total_ttc
        found.total_ht += row.total_ht
        found.total_vat += row.total_vat + row.delivery_vat
        found.delivery += row.delivery_ht
        found.stamp_duty += row.stamp_duty
        found.credit_used += row.credit_used
        for rate, base, vat in row.vat:
            before = found.vat.get(rate, (0, 0))
            found.vat[rate] = (before[0] + base, before[1] + vat)
    for move in movements(span):
        count, amount = found.methods.get(move.method, (0, 0))
        found.methods[move.method] = (count + 1, amount + move.amount)
    found.credit_left = int(
        db.session.scalar(
            select(func.coalesce(func.sum(LedgerEntry.amount), 0)).where(
                LedgerEntry.at < start_of(span.last + timedelta(days=1))
            )
        )
        or 0
    )
    return found


@dataclass(frozen=True, slots=True)
class Outstanding:
    """What stands in no book of a period yet, today; millimes."""

    held_count: int = 0
    held: int = 0
    refund_count: int = 0
    refunds: int = 0


def outstanding() -> Outstanding:
    """Money the gateway took that pays no invoice (GAT-4), and credit notes whose money has not gone back (AVO-4)."""
    answers = db.session.scalars(
        select(Payment.gateway_answer).where(
            Payment.state == PaymentState.A_REGULARISER,
            at_the_desk(),
            Payment.anomaly != Anomaly.IDENTITY_DIFFERS,  # the answer, and its amount, are another order's
        )
    )
    held = [
        int(answer["amount"]) - int(answer["refunded"])
        for answer in answers
        if answer and answer.get("status") == PAID and answer.get("currency") == DINAR
    ]
    refunds = db.session.execute(
        select(func.count(), func.coalesce(func.sum(Refund.amount), 0)).where(Refund.state != RefundState.REMBOURSE)
    ).one()
    return Outstanding(len(held), sum(held), int(refunds[0]), int(refunds[1]))


def documents(span: Period, part: int) -> tuple[list[tuple[str, int]], int]:
    """One part of the period's papers as (« invoice » or « credit_note », id), and how many parts there are."""
    found: list[tuple[str, int]] = []
    for kind, model in (("invoice", Invoice), ("credit_note", CreditNote)):
        entity: Any = model
        ids = db.session.scalars(
            select(entity.id).where(*span.of(entity.issued_at)).order_by(entity.year, entity.sequence)
        )
        found += [(kind, each) for each in ids]
    parts = max(1, -(-len(found) // BUNDLE))
    return found[(part - 1) * BUNDLE : part * BUNDLE], parts

"""Payments and invoices, for those who settle and those who read (BIL-1)."""

from __future__ import annotations

from functools import cache
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, exists, func, or_, select

from app.extensions import db
from app.models import CertificateRequest, Invoice, Order, Organisation, Payment, PaymentLine, PaymentMethod
from app.permissions import Actor, Permission
from app.queries.exact import Kind, identifiers_in
from app.queries.lists import Filter, Sort, Source, Tab, every_word, since, until
from app.state_labels import choices_of
from app.states import LIVE_PAYMENT_STATES, PaymentState

_UNPAID = (PaymentState.REFUSE, PaymentState.EXPIRE, PaymentState.ABANDONNE)


def _reader(column: Any) -> Any:
    return lambda actor: None if actor.can(Permission.READ_BILLING) else column.is_(None)


def _of_organisation(column: Any, text: str) -> ColumnElement[bool]:
    return column.in_(select(Organisation.id).where(every_word(Organisation.search_text, text)))


# -------------------------------------------------------------------------------------------------- payments


@cache
def _payments() -> Select[*tuple[Any, ...]]:
    held = select(func.count(PaymentLine.id)).where(PaymentLine.payment_id == Payment.id).correlate(Payment)
    return (
        select(
            Payment.id,
            Payment.reference,
            Payment.method,
            Payment.state,
            Payment.amount,
            Payment.created_at,
            Payment.settled_at,
            Payment.last_queried_at,
            Payment.anomaly,
            Payment.refusal,
            Payment.approval_code,
            Payment.masked_pan,
            Payment.gateway_order_id,
            Organisation.legal_name.label("organisation"),
            Organisation.reference.label("organisation_reference"),
            Invoice.id.label("invoice_id"),
            Invoice.number.label("invoice_number"),
            held.scalar_subquery().label("requests"),
        )
        .join(Organisation, Organisation.id == Payment.organisation_id)
        .outerjoin(Invoice, Invoice.payment_id == Payment.id)
    )


def search_payments(text: str) -> ColumnElement[bool]:
    """Reference of the payment, of its invoice, requests or order; else the organisation's names."""
    found = [_exact_payment(kind, value) for kind, value in identifiers_in(text).items()]
    exact = [condition for condition in found if condition is not None]
    if exact and db.session.scalar(select(exists(select(Payment.id).where(or_(*exact))))):
        return or_(*exact)
    return _of_organisation(Payment.organisation_id, text)


def _exact_payment(kind: Kind, value: str) -> ColumnElement[bool] | None:
    if kind is Kind.PAYMENT:
        return Payment.reference == value
    if kind is Kind.TAX_ID:
        return Payment.organisation_id.in_(select(Organisation.id).where(Organisation.tax_id == value))
    if kind is not Kind.REFERENCE:
        return None
    if value.startswith("FAC"):
        return Payment.id.in_(select(Invoice.payment_id).where(Invoice.number == value))
    if value.startswith("ORG"):
        return Payment.organisation_id.in_(select(Organisation.id).where(Organisation.reference == value))
    lines = select(PaymentLine.payment_id).join(CertificateRequest, CertificateRequest.id == PaymentLine.request_id)
    if value.startswith("CMD"):
        return Payment.id.in_(
            lines.join(Order, Order.id == CertificateRequest.order_id).where(Order.reference == value)
        )
    return Payment.id.in_(lines.where(CertificateRequest.reference == value))


PAYMENTS = Source(
    model=Payment,
    rows=_payments,
    tabs=(
        Tab(
            "a-regulariser",
            _l("À régulariser"),
            lambda _actor: Payment.anomaly.is_not(None) & Payment.remedied_at.is_(None),
            "creation",
        ),
        Tab("en-cours", _l("En cours"), lambda _actor: Payment.state.in_(LIVE_PAYMENT_STATES), "creation"),
        Tab("payes", _l("Payés"), lambda _actor: Payment.state == PaymentState.PAYE, "creation", descending=True),
        Tab("non-payes", _l("Non payés"), lambda _actor: Payment.state.in_(_UNPAID), "creation", descending=True),
        Tab("tous", _l("Tous"), lambda _actor: None, "creation", descending=True),
    ),
    filters=(
        Filter(
            "etat",
            _l("État"),
            "choice",
            lambda value: Payment.state == PaymentState(value),
            choices=lambda: choices_of(PaymentState),
        ),
        Filter(
            "moyen",
            _l("Moyen de paiement"),
            "choice",
            lambda value: Payment.method == PaymentMethod(value),
            choices=lambda: choices_of(PaymentMethod),
        ),
        Filter("depuis", _l("Depuis le"), "day_from", since(Payment.created_at)),
        Filter("jusqu", _l("Jusqu'au"), "day_to", until(Payment.created_at)),
    ),
    sorts={
        "creation": Sort(Payment.created_at),
        "montant": Sort(Payment.amount),
        "reference": Sort(Payment.reference),
    },
    search=search_payments,
    scope=_reader(Payment.id),
)

# -------------------------------------------------------------------------------------------------- invoices


@cache
def _invoices() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Invoice.id,
            Invoice.number,
            Invoice.issued_at,
            Invoice.total_ht,
            Invoice.total_vat,
            Invoice.total_delivery,
            Invoice.stamp_duty,
            Invoice.total_ttc,
            Organisation.legal_name.label("organisation"),
            Organisation.reference.label("organisation_reference"),
            Organisation.tax_id,
            Payment.reference.label("payment_reference"),
        )
        .join(Organisation, Organisation.id == Invoice.organisation_id)
        .join(Payment, Payment.id == Invoice.payment_id)
    )


def search_invoices(text: str) -> ColumnElement[bool]:
    """Number of the invoice, reference of its payment or requests; else the organisation's names."""
    found = [_exact_invoice(kind, value) for kind, value in identifiers_in(text).items()]
    exact = [condition for condition in found if condition is not None]
    if exact and db.session.scalar(select(exists(select(Invoice.id).where(or_(*exact))))):
        return or_(*exact)
    return _of_organisation(Invoice.organisation_id, text)


def _exact_invoice(kind: Kind, value: str) -> ColumnElement[bool] | None:
    if kind is Kind.REFERENCE and value.startswith("FAC"):
        return Invoice.number == value
    condition = _exact_payment(kind, value)
    return None if condition is None else Invoice.payment_id.in_(select(Payment.id).where(condition))


def _invoice_scope(actor: Actor) -> ColumnElement[bool] | None:
    return None if actor.can(Permission.READ_BILLING) else Invoice.id.is_(None)


INVOICES = Source(
    model=Invoice,
    rows=_invoices,
    tabs=(Tab("toutes", _l("Toutes"), lambda _actor: None, "date", descending=True),),
    filters=(
        Filter("depuis", _l("Depuis le"), "day_from", since(Invoice.issued_at)),
        Filter("jusqu", _l("Jusqu'au"), "day_to", until(Invoice.issued_at)),
    ),
    sorts={
        "date": Sort(Invoice.issued_at),
        "numero": Sort(Invoice.number),
        "montant": Sort(Invoice.total_ttc),
    },
    search=search_invoices,
    scope=_invoice_scope,
)

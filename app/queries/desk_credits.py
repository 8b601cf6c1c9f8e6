"""« Avoirs », for those who prepare, issue, give back and read (AVO-1 … AVO-4, BIL-1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import BigInteger, ColumnElement, Select, cast, exists, func, literal, or_, select
from sqlalchemy.orm import aliased

from app.extensions import db
from app.models import (
    CertificateRequest,
    CreditNote,
    CreditOutcome,
    CreditProposal,
    CreditProposalLine,
    CreditReason,
    Invoice,
    Organisation,
    Payment,
    PaymentLine,
    Refund,
    User,
)
from app.permissions import Actor, Permission
from app.queries.exact import Kind, identifiers_in
from app.queries.lists import CAP, Filter, Sort, Source, Tab, every_word, since, until
from app.state_labels import choices_of
from app.states import CreditProposalState, RefundState

P = CreditProposal
TO_REFUND = (RefundState.A_REMBOURSER, RefundState.EN_COURS)
CLOSED = (CreditProposalState.REFUSE, CreditProposalState.RETIRE)


def _to_refund() -> ColumnElement[bool]:
    waiting = (
        select(CreditNote.proposal_id).join(Refund, Refund.credit_note_id == CreditNote.id).where(
            Refund.state.in_(TO_REFUND)
        )
    )  # fmt: skip
    return P.id.in_(waiting)


@cache
def _rows() -> Select[*tuple[Any, ...]]:
    preparer, decider = aliased(User), aliased(User)

    def total(*columns: Any) -> Any:
        summed = sum(columns[1:], columns[0])
        return (
            select(cast(func.coalesce(func.sum(summed), 0), BigInteger))  # PostgreSQL sums integers to a decimal
            .where(CreditProposalLine.proposal_id == P.id)
            .correlate(P)
            .scalar_subquery()
        )

    line = CreditProposalLine
    return (
        select(
            P.id,
            P.reference,
            P.state,
            P.reason,
            P.reason_text,
            P.outcome,
            P.prepared_at,
            P.decided_at,
            P.stamp_duty,
            P.decision_reason,
            P.revokes,
            total(line.price_ht).label("total_ht"),
            total(line.vat).label("total_vat"),
            total(line.delivery).label("total_delivery"),
            (total(line.price_ht, line.vat, line.delivery) + P.stamp_duty).label("total"),
            Invoice.number.label("invoice_number"),
            Organisation.legal_name.label("organisation"),
            Organisation.reference.label("organisation_reference"),
            Organisation.tax_id,
            CreditNote.number.label("credit_note_number"),
            CreditNote.issued_at,
            Refund.state.label("refund_state"),
            Refund.last_error,
            Refund.bank_reference,
            Refund.done_at.label("refunded_at"),
            func.trim(preparer.first_name + " " + preparer.last_name).label("prepared_by"),
            func.trim(decider.first_name + " " + decider.last_name).label("decided_by"),
        )
        .join(Invoice, Invoice.id == P.invoice_id)
        .join(Organisation, Organisation.id == P.organisation_id)
        .join(preparer, preparer.id == P.prepared_by_id)
        .outerjoin(decider, decider.id == P.decided_by_id)
        .outerjoin(CreditNote, CreditNote.proposal_id == P.id)
        .outerjoin(Refund, Refund.credit_note_id == CreditNote.id)
    )


def search(text: str) -> ColumnElement[bool]:
    """Number of the credit note, of its proposal or invoice, a request's reference; else the organisation's names."""
    found = [_exact(kind, value) for kind, value in identifiers_in(text).items()]
    exact = [condition for condition in found if condition is not None]
    if exact and db.session.scalar(select(exists(select(P.id).where(or_(*exact))))):
        return or_(*exact)
    return P.organisation_id.in_(select(Organisation.id).where(every_word(Organisation.search_text, text)))


def _exact(kind: Kind, value: str) -> ColumnElement[bool] | None:
    if kind is Kind.PAYMENT:
        paid = select(Invoice.id).join(Payment, Payment.id == Invoice.payment_id)
        return P.invoice_id.in_(paid.where(Payment.reference == value))
    if kind is Kind.TAX_ID:
        return P.organisation_id.in_(select(Organisation.id).where(Organisation.tax_id == value))
    if kind is not Kind.REFERENCE:
        return None
    prefix = value.split("-")[0]
    if prefix == "PAV":
        return P.reference == value
    if prefix == "AV":
        return P.id.in_(select(CreditNote.proposal_id).where(CreditNote.number == value))
    if prefix == "FAC":
        return P.invoice_id.in_(select(Invoice.id).where(Invoice.number == value))
    if prefix == "ORG":
        return P.organisation_id.in_(select(Organisation.id).where(Organisation.reference == value))
    lines = (
        select(CreditProposalLine.proposal_id)
        .join(PaymentLine, PaymentLine.id == CreditProposalLine.payment_line_id)
        .join(CertificateRequest, CertificateRequest.id == PaymentLine.request_id)
    )
    return P.id.in_(lines.where(CertificateRequest.reference == value))


def _scope(actor: Actor) -> ColumnElement[bool] | None:
    return None if actor.can(Permission.READ_BILLING) else P.id.is_(None)


SOURCE = Source(
    model=P,
    rows=_rows,
    tabs=(
        Tab("a-approuver", _l("À approuver"), lambda _actor: P.state == CreditProposalState.A_APPROUVER, "preparation"),
        Tab("a-rembourser", _l("À rembourser"), lambda _actor: _to_refund(), "preparation"),
        Tab("emis", _l("Émis"), lambda _actor: P.state == CreditProposalState.EMIS, "preparation", descending=True),
        Tab(
            "refuses",
            _l("Refusés et abandonnés"),
            lambda _actor: P.state.in_(CLOSED),
            "preparation",
            descending=True,
        ),
        Tab("tous", _l("Tous"), lambda _actor: None, "preparation", descending=True),
    ),
    filters=(
        Filter(
            "motif",
            _l("Motif"),
            "choice",
            lambda value: P.reason == CreditReason(value),
            choices=lambda: choices_of(CreditReason),
        ),
        Filter(
            "suite",
            _l("Suite"),
            "choice",
            lambda value: P.outcome == CreditOutcome(value),
            choices=lambda: choices_of(CreditOutcome),
        ),
        Filter("depuis", _l("Préparé depuis le"), "day_from", since(P.prepared_at)),
        Filter("jusqu", _l("Préparé jusqu'au"), "day_to", until(P.prepared_at)),
    ),
    # References are given in the order of the proposals: the key itself is the order of preparation.
    sorts={"preparation": Sort(P.id), "reference": Sort(P.reference)},
    search=search,
    scope=_scope,
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many credit notes wait for a second person, and refunds for somebody to make; no further than ``CAP``."""

    to_issue: int
    to_refund: int


def waiting() -> Waiting:
    """Both figures in one statement, by the indexes of their states."""
    issue = select(literal(1)).where(P.state == CreditProposalState.A_APPROUVER).limit(CAP + 1)
    refund = select(literal(1)).where(Refund.state.in_(TO_REFUND)).limit(CAP + 1)
    counts = (select(func.count()).select_from(inner.subquery()).scalar_subquery() for inner in (issue, refund))
    row = db.session.execute(select(*counts)).one()
    return Waiting(row[0], row[1])

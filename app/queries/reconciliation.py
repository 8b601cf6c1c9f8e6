"""The reconciliation desk's list and its attempts: money and books that differ (GAT-4, BIL-1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select
from sqlalchemy.orm import joinedload

from app import clock
from app.extensions import db
from app.models import (
    AGREEING,
    CertificateRequest,
    CreditNote,
    HistoryEntry,
    Invoice,
    Organisation,
    Payment,
    PaymentLine,
    PaymentRemedy,
    StatementLine,
)
from app.permissions import Actor, Permission
from app.queries.desk_billing import search_payments
from app.queries.lists import CAP, Filter, Sort, Source, Tab, since, until
from app.state_labels import choices_of
from app.states import LIVE_PAYMENT_STATES, OPEN_REMEDY_STATES, Anomaly, PaymentState, RemedyState

TOO_LONG = timedelta(minutes=15)
"""An open attempt this long past its session: the job asks every few minutes and gets no end."""
TAKEN = (
    Anomaly.IDENTITY_DIFFERS,
    Anomaly.AMOUNT_DIFFERS,
    Anomaly.CURRENCY_DIFFERS,
    Anomaly.HELD_ELSEWHERE,
    Anomaly.NOT_PAYABLE,
    Anomaly.CREDIT_GONE,
    Anomaly.PREAUTHORISED,
)
"""Money is at the gateway and pays nothing."""
_ENDED = (PaymentState.REFUSE, PaymentState.EXPIRE, PaymentState.ABANDONNE)
_ORDER_ID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{20,30}")


def at_the_desk() -> ColumnElement[bool]:
    """Waits for a decision, or for its being carried out."""
    return and_(Payment.anomaly.is_not(None), Payment.remedied_at.is_(None))


def _of(*anomalies: Anomaly) -> ColumnElement[bool]:
    return and_(at_the_desk(), Payment.anomaly.in_(anomalies))


def _remedy_in(*states: RemedyState) -> ColumnElement[bool]:
    return Payment.id.in_(select(PaymentRemedy.payment_id).where(PaymentRemedy.state.in_(states)))


def _late() -> ColumnElement[bool]:
    """Paid after the attempt had its end."""
    after_its_end = select(HistoryEntry.payment_id).where(
        HistoryEntry.payment_id == Payment.id,
        HistoryEntry.action == "set_aside",
        HistoryEntry.from_state.in_(_ENDED),
    )
    return and_(at_the_desk(), or_(Payment.anomaly == Anomaly.CREDIT_GONE, after_its_end.correlate(Payment).exists()))


def _endless() -> ColumnElement[bool]:
    return and_(Payment.state.in_(LIVE_PAYMENT_STATES), Payment.expires_at < clock.now() - TOO_LONG)


@cache
def _rows() -> Select[*tuple[Any, ...]]:
    opened = PaymentRemedy.state.in_(OPEN_REMEDY_STATES)
    return (
        select(
            Payment.id,
            Payment.reference,
            Payment.state,
            Payment.anomaly,
            Payment.amount,
            Payment.created_at,
            Payment.settled_at,
            Payment.last_queried_at,
            Payment.remedied_at,
            Payment.gateway_order_id,
            Payment.refunded,
            Organisation.legal_name.label("organisation"),
            Organisation.reference.label("organisation_reference"),
            PaymentRemedy.kind.label("remedy_kind"),
            PaymentRemedy.state.label("remedy_state"),
        )
        .join(Organisation, Organisation.id == Payment.organisation_id)
        .outerjoin(PaymentRemedy, and_(PaymentRemedy.payment_id == Payment.id, opened))
    )


def _search(text: str) -> ColumnElement[bool]:
    """As the list of payments, and the gateway's own identifier."""
    if _ORDER_ID.fullmatch(text.strip()):
        return Payment.gateway_order_id == text.strip().lower()
    return search_payments(text)


def _scope(actor: Actor) -> ColumnElement[bool] | None:
    return None if actor.can(Permission.READ_BILLING) else Payment.id.is_(None)


SOURCE = Source(
    model=Payment,
    rows=_rows,
    tabs=(
        Tab("a-traiter", _l("À traiter"), lambda _actor: at_the_desk(), "creation"),
        Tab(
            "a-approuver",
            _l("À approuver"),
            lambda _actor: and_(at_the_desk(), _remedy_in(RemedyState.A_APPROUVER)),
            "creation",
        ),
        Tab(
            "a-executer",
            _l("À exécuter"),
            lambda _actor: and_(at_the_desk(), _remedy_in(RemedyState.A_FAIRE, RemedyState.EN_COURS)),
            "creation",
        ),
        Tab("sans-effet", _l("Payés sans effet"), lambda _actor: _of(*TAKEN), "creation"),
        Tab("deux-fois", _l("Payés deux fois"), lambda _actor: _of(Anomaly.PAID_TWICE), "creation"),
        Tab("tardifs", _l("Payés trop tard"), lambda _actor: _late(), "creation"),
        Tab("rendus", _l("Rendus par la passerelle"), lambda _actor: _of(Anomaly.GIVEN_BACK), "creation"),
        Tab("sans-reponse", _l("Sans réponse"), lambda _actor: _of(Anomaly.NO_ANSWER), "creation"),
        Tab("sans-fin", _l("Ouverts trop longtemps"), lambda _actor: _endless(), "creation"),
        Tab("regles", _l("Réglés"), lambda _actor: Payment.remedied_at.is_not(None), "creation", descending=True),
    ),
    filters=(
        Filter(
            "cas",
            _l("Cas"),
            "choice",
            lambda value: Payment.anomaly == value,
            choices=lambda: choices_of(Anomaly),
        ),
        Filter("depuis", _l("Créé depuis le"), "day_from", since(Payment.created_at)),
        Filter("jusqu", _l("Créé jusqu'au"), "day_to", until(Payment.created_at)),
    ),
    sorts={
        "creation": Sort(Payment.created_at),
        "montant": Sort(Payment.amount),
        "reference": Sort(Payment.reference),
    },
    search=_search,
    scope=_scope,
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What calls for somebody; each count stops at the lists' cap."""

    attempts: int
    to_approve: int
    endless: int
    differences: int

    @property
    def everything(self) -> int:
        """The number beside the menu's entry."""
        return self.attempts + self.endless


def waiting() -> Waiting:
    """What waits at the desk, in one statement."""
    differing = and_(StatementLine.match.not_in(AGREEING), StatementLine.resolved_at.is_(None))
    asked = [
        (Payment, at_the_desk()),
        (PaymentRemedy, PaymentRemedy.state == RemedyState.A_APPROUVER),
        (Payment, _endless()),
        (StatementLine, differing),
    ]
    counts = [
        select(func.count())
        .select_from(select(literal(1)).select_from(model).where(condition).limit(CAP + 1).subquery())
        .scalar_subquery()
        for model, condition in asked
    ]
    row = db.session.execute(select(*counts)).one()
    return Waiting(*(int(count) for count in row))


# ------------------------------------------------------------------------------------------------ one attempt


@dataclass(frozen=True, slots=True)
class AttemptFile:
    """Everything that is known of one attempt."""

    payment: Payment
    requests: list[CertificateRequest]
    invoice: Invoice | None
    credit_notes: list[CreditNote]
    remedies: list[PaymentRemedy]
    others: list[Payment]
    statement_lines: list[StatementLine]

    @property
    def open_remedy(self) -> PaymentRemedy | None:
        """The decision under way, if there is one."""
        return next((each for each in self.remedies if each.state in OPEN_REMEDY_STATES), None)

    @property
    def stuck(self) -> list[CertificateRequest]:
        """The requests that this payment cannot pay any more, as they stand now."""
        from app.states import RequestState

        return [row for row in self.requests if row.state is not RequestState.EN_ATTENTE_DE_PAIEMENT]

    @property
    def paid_by(self) -> Payment | None:
        """The other attempt that paid the same requests."""
        return next((each for each in self.others if each.state is PaymentState.PAYE), None)


def attempt_named(actor: Actor, reference: str) -> Payment | None:
    """An attempt by its reference, for those who read billing."""
    if not actor.can(Permission.READ_BILLING):
        return None
    statement = select(Payment).where(Payment.reference == reference).options(joinedload(Payment.organisation))
    return db.session.scalar(statement)


def attempt_file(payment: Payment) -> AttemptFile:
    """What the attempt's page shows, in a number of statements that no basket makes grow."""
    requests = _requests(payment)
    invoice = db.session.scalar(select(Invoice).where(Invoice.payment_id == payment.id))
    notes = (
        list(db.session.scalars(select(CreditNote).where(CreditNote.invoice_id == invoice.id).order_by(CreditNote.id)))
        if invoice is not None
        else []
    )
    remedies = db.session.scalars(
        select(PaymentRemedy)
        .where(PaymentRemedy.payment_id == payment.id)
        .options(
            joinedload(PaymentRemedy.prepared_by),
            joinedload(PaymentRemedy.decided_by),
            joinedload(PaymentRemedy.done_by),
        )
        .order_by(PaymentRemedy.id.desc())
    )
    lines = db.session.scalars(
        select(StatementLine)
        .where(StatementLine.payment_id == payment.id)
        .options(joinedload(StatementLine.statement))
        .order_by(StatementLine.id)
        .limit(20)
    )
    return AttemptFile(
        payment=payment,
        requests=requests,
        invoice=invoice,
        credit_notes=notes,
        remedies=list(remedies),
        others=_others(payment, [row.id for row in requests]),
        statement_lines=list(lines),
    )


def _requests(payment: Payment) -> list[CertificateRequest]:
    return list(
        db.session.scalars(
            select(CertificateRequest)
            .join(PaymentLine, PaymentLine.request_id == CertificateRequest.id)
            .where(PaymentLine.payment_id == payment.id)
            .order_by(PaymentLine.position)
        )
    )


def _others(payment: Payment, request_ids: Sequence[int]) -> list[Payment]:
    """The other attempts for one of the same requests, latest first."""
    same = select(PaymentLine.payment_id).where(PaymentLine.request_id.in_(request_ids))
    return list(
        db.session.scalars(
            select(Payment)
            .where(Payment.id.in_(same), Payment.id != payment.id)
            .options(joinedload(Payment.invoice))
            .order_by(Payment.id.desc())
            .limit(20)
        )
    )

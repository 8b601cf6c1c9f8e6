"""What the gateway's answer changes (GAT-2, GAT-3): one confirmation, one invoice, one mail, whatever the order.

``settle`` asks, ``apply_answer`` decides under the locks of the organisation and of the attempt. Only an answer
to our own query is ever applied; nothing that a browser brings back is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select

from app import clock
from app.adapters.clictopay import (
    AT_ISSUER,
    DECLINED,
    PAID,
    PREAUTHORISED,
    REFUNDED,
    REVERSED,
    SESSION_EXPIRED,
    OrderStatus,
    refusal_reason,
)
from app.errors import NotFound, TooManyAttempts
from app.extensions import db
from app.models import CertificateRequest, Organisation, Payment, PaymentLine, PaymentRemedy
from app.permissions import SYSTEM, Actor
from app.services import attempts, invoicing
from app.services.credits import ledger
from app.services.locking import lock
from app.services.moving import move_payment, move_request
from app.services.payments import gateway
from app.services.unit_of_work import use_case
from app.states import LIVE_PAYMENT_STATES, OPEN_REMEDY_STATES, Anomaly, PaymentState, RequestState

log = structlog.get_logger()

REGISTRATION_TAKES = timedelta(minutes=1)
"""An attempt younger than this may still be registering: « unknown at the gateway » says nothing yet."""
ISSUER_TAKES = timedelta(minutes=15)
"""What the cardholder's bank (3-D Secure) may take beyond the session's end."""


ONE_MINUTE = timedelta(minutes=1)


class Verdict(StrEnum):
    """What an answer means for an attempt."""

    PENDING = "PENDING"
    PAID = "PAID"
    REFUSED = "REFUSED"
    EXPIRED = "EXPIRED"
    UNREGISTERED = "UNREGISTERED"
    SET_ASIDE = "SET_ASIDE"


def settle(payment_id: int) -> Payment:
    """Ask the gateway about an attempt and apply what it says; the attempt as it stands then.

    A paid attempt is not asked again, nor one that a person put in order at the reconciliation desk. Raises
    GatewayDown when no answer can be used: nothing changed.
    """
    payment = db.session.get(Payment, payment_id, populate_existing=True)
    if payment is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    if payment.state is PaymentState.PAYE or payment.remedied_at is not None:
        return payment
    answer = gateway.ask(payment)
    return apply_answer(payment_id, answer)


def settle_for_return(payment_id: int) -> tuple[Payment, bool]:
    """``settle`` for a browser that came back; False when nothing new could be learned.

    Whoever holds the page's address may reload it: the gateway is asked at most thirty times a minute for one
    attempt, and an outage is no error of the reader's.
    """
    payment = db.session.get(Payment, payment_id)
    if payment is not None and payment.state is PaymentState.PAYE:
        return payment, True
    try:
        attempts.count_attempt(attempts.key_for("payment:return", str(payment_id)), limit=30, window=ONE_MINUTE)
        return settle(payment_id), True
    except (gateway.GatewayDown, TooManyAttempts):
        return db.session.get_one(Payment, payment_id), False


@use_case
def apply_answer(payment_id: int, answer: OrderStatus | None) -> Payment:
    """Apply the gateway's answer (None: it knows no such order) to an attempt, once and for all (GAT-3).

    Locks organisation, attempt, requests. An attempt already paid is left as it is, so any number of returns,
    reloads and jobs may bring the same answer. So is one that a person put in order, or is about to: money that is
    being given back never pays an order as well (GAT-4).
    """
    payment = lock_payment(payment_id)
    if payment.state is PaymentState.PAYE:
        return payment
    note_answer(payment, answer)
    if payment.remedied_at is not None or has_open_remedy(payment.id):
        return payment
    verdict, anomaly = judge(payment, answer, clock.now())
    if verdict is Verdict.PAID:
        _confirm_or_set_aside(payment)
    elif verdict is Verdict.SET_ASIDE:
        _set_aside(payment, anomaly or Anomaly.NO_ANSWER)
    elif payment.state in LIVE_PAYMENT_STATES or payment.anomaly == Anomaly.NO_ANSWER:
        _end_unpaid(payment, verdict, answer)
    return payment


def has_open_remedy(payment_id: int) -> bool:
    """Is somebody about to give this money back, or to close the case? (GAT-4)"""
    statement = select(PaymentRemedy.id).where(
        PaymentRemedy.payment_id == payment_id, PaymentRemedy.state.in_(OPEN_REMEDY_STATES)
    )
    return db.session.scalar(statement.limit(1)) is not None


def judge(payment: Payment, answer: OrderStatus | None, at: datetime) -> tuple[Verdict, Anomaly | None]:
    """What an answer means. Paid: orderStatus 2 and our orderNumber, orderId, amount and currency (GAT-2)."""
    expired = at >= payment.expires_at
    unpaid = Verdict.EXPIRED if expired else Verdict.PENDING
    if answer is None:
        never_there = payment.gateway_order_id is None and at >= payment.created_at + REGISTRATION_TAKES
        return (Verdict.UNREGISTERED if never_there else unpaid), None
    ours = (answer.order_id, answer.order_number) == (payment.gateway_order_id, payment.reference)
    if answer.status == PAID:
        anomaly = _disagreement(payment, answer, ours=ours)
        return (Verdict.SET_ASIDE, anomaly) if anomaly else (Verdict.PAID, None)
    if not ours:
        return unpaid, None
    if answer.status in (REVERSED, REFUNDED):
        return Verdict.SET_ASIDE, Anomaly.GIVEN_BACK
    if answer.status == DECLINED:
        return (Verdict.EXPIRED if answer.action_code == SESSION_EXPIRED else Verdict.REFUSED), None
    if answer.status == AT_ISSUER:
        return (Verdict.EXPIRED if at >= payment.expires_at + ISSUER_TAKES else Verdict.PENDING), None
    if payment.state is PaymentState.INITIE and at >= payment.created_at + REGISTRATION_TAKES:
        return Verdict.UNREGISTERED, None  # the registration's answer was lost: nobody holds the page's address
    if answer.status == PREAUTHORISED:
        return (Verdict.SET_ASIDE, Anomaly.PREAUTHORISED) if expired else (Verdict.PENDING, None)
    return unpaid, None


def _disagreement(payment: Payment, answer: OrderStatus, *, ours: bool) -> Anomaly | None:
    if not ours:
        return Anomaly.IDENTITY_DIFFERS
    if answer.amount != payment.amount:
        return Anomaly.AMOUNT_DIFFERS
    return Anomaly.CURRENCY_DIFFERS if answer.currency != payment.currency else None


def lock_payment(payment_id: int) -> Payment:
    """The attempt, locked after its organisation: the order everybody locks in."""
    organisation_id = db.session.scalar(select(Payment.organisation_id).where(Payment.id == payment_id))
    if organisation_id is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    lock(Organisation, organisation_id)
    return lock(Payment, payment_id)


def given_back(answer: OrderStatus) -> int:
    """What the gateway says it gave back, in millimes; all of it once it calls the order reversed or refunded."""
    whole = answer.status in (REVERSED, REFUNDED)
    return max(answer.refunded_amount, answer.amount) if whole else answer.refunded_amount


def note_answer(payment: Payment, answer: OrderStatus | None) -> None:
    """Keep what the gateway said (None: it knows no such order), on an attempt that the caller locked.

    Its identifier is adopted when the registration's answer never came.
    """
    moment = clock.now()
    payment.last_queried_at = moment
    payment.gateway_answer = {"at": moment.isoformat(timespec="seconds"), "known": answer is not None}
    if answer is None:
        return
    payment.gateway_answer = {
        **payment.gateway_answer,
        "status": answer.status,
        "amount": answer.amount,
        "currency": answer.currency[:16],
        "order_number": answer.order_number[:40],
        "order_id": answer.order_id[:120],
        "refunded": given_back(answer),
        "action_code": answer.action_code,
        "description": " ".join(answer.action_code_description.split())[:200],
    }
    payment.refunded = given_back(answer)
    if payment.gateway_order_id is None and answer.order_number == payment.reference and answer.order_id:
        payment.gateway_order_id = answer.order_id[:120]
    payment.gateway_status = answer.status
    payment.action_code = answer.action_code
    payment.masked_pan = answer.masked_pan[:40] or None
    payment.approval_code = answer.approval_code[:40] or None


def _confirm_or_set_aside(payment: Payment) -> None:
    requests = _lock_requests(payment)
    anomaly = _obstacle(payment, requests)
    if anomaly is not None:
        _set_aside(payment, anomaly)
        return
    moment = clock.now()
    for request in requests:
        move_request(request.id, "pay", actor=SYSTEM, details={"payment": payment.reference})
        request.paid_at = request.complete_since = moment
    move_payment(payment, "confirm", actor=SYSTEM)
    payment.anomaly = None
    payment.refusal = ""
    ledger.spend(payment)
    _let_go(payment)
    invoice = invoicing.issue_invoice(payment, requests)
    invoicing.mail_invoice(invoice, payment)
    log.info("payment_confirmed", payment=payment.reference, invoice=invoice.number)


def _obstacle(payment: Payment, requests: Sequence[CertificateRequest]) -> Anomaly | None:
    """Why money that arrived cannot pay its requests any more; None when it can."""
    ids = [request.id for request in requests]
    elsewhere = (
        select(PaymentLine.id)
        .join(Payment, Payment.id == PaymentLine.payment_id)
        .where(PaymentLine.request_id.in_(ids), PaymentLine.payment_id != payment.id)
    )
    if any(request.state is not RequestState.EN_ATTENTE_DE_PAIEMENT for request in requests):
        paid = db.session.scalar(elsewhere.where(Payment.state == PaymentState.PAYE).limit(1))
        return Anomaly.NOT_PAYABLE if paid is None else Anomaly.PAID_TWICE
    if db.session.scalar(elsewhere.where(PaymentLine.live).limit(1)) is not None:
        return Anomaly.HELD_ELSEWHERE
    return None if ledger.covers(payment) else Anomaly.CREDIT_GONE


def confirm_by_credit(payment: Payment) -> None:
    """An attempt just written, nothing of it due: paid at once, inside the caller's use case and locks (PAY-2)."""
    if payment.amount or not payment.credit_used:
        raise AssertionError("only credit that covers everything confirms without the gateway")
    _confirm_or_set_aside(payment)


def _lock_requests(payment: Payment) -> list[CertificateRequest]:
    """The attempt's requests, locked by ascending id, in the order of its lines."""
    positions = {line.request_id: line.position for line in payment.lines}
    rows = db.session.scalars(
        select(CertificateRequest)
        .where(CertificateRequest.id.in_(positions))
        .order_by(CertificateRequest.id)
        .with_for_update(of=CertificateRequest)
        .execution_options(populate_existing=True)
    ).all()
    return sorted(rows, key=lambda row: positions[row.id])


def _set_aside(payment: Payment, anomaly: Anomaly) -> None:
    """To the reconciliation desk; asked again and still wrong, it stays there with the latest cause."""
    if payment.state is not PaymentState.A_REGULARISER:
        move_payment(payment, "set_aside", actor=SYSTEM, details={"anomaly": anomaly})
        log.warning("payment_set_aside", payment=payment.reference, anomaly=anomaly)
        _let_go(payment)
    payment.anomaly = anomaly


def _end_unpaid(payment: Payment, verdict: Verdict, answer: OrderStatus | None) -> None:
    if verdict is Verdict.REFUSED and answer is not None:
        with force_locale("fr"):
            payment.refusal = refusal_reason(answer.action_code, answer.action_code_description)
        move_payment(payment, "refuse", actor=SYSTEM, details={"action_code": answer.action_code})
    elif verdict is Verdict.EXPIRED:
        move_payment(payment, "expire", actor=SYSTEM)
    elif verdict is Verdict.UNREGISTERED:
        move_payment(payment, "abandon", actor=SYSTEM, details={"cause": "unregistered"})
    else:
        return
    payment.anomaly = None
    _let_go(payment)


def _let_go(payment: Payment) -> None:
    """The attempt has its end: its requests are free, and the credit it held unless it was spent."""
    payment.settled_at = clock.now()
    ledger.let_go(payment)
    for line in payment.lines:
        line.live = False
    db.session.flush()


@use_case
def abandon(payment_id: int, *, actor: Actor = SYSTEM, cause: str = "") -> bool:
    """End an attempt that is not paid so that something else may happen; False when it already had its end.

    Its hosted page may still be open: a payment made there all the same is found by the reconciliation.
    """
    payment = lock_payment(payment_id)
    if payment.state not in LIVE_PAYMENT_STATES:
        return False
    move_payment(payment, "abandon", actor=actor, details={"cause": cause} if cause else None)
    _let_go(payment)
    return True


@use_case
def give_up_asking(payment_id: int) -> None:
    """A day without a usable answer: nobody knows whether money moved, so people must look (GAT-4, unknown)."""
    payment = lock_payment(payment_id)
    if payment.state in LIVE_PAYMENT_STATES:
        _set_aside(payment, Anomaly.NO_ANSWER)


def refusal_sentence(payment: Payment) -> str:
    """Why the attempt was refused, in the reader's language when the code is known."""
    told = payment.refusal
    if payment.action_code is None or "(" in told:
        return told
    return refusal_reason(payment.action_code)

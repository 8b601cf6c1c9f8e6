"""Asking about every attempt without an end, and once more about those that ended lately (GAT-3, GAT-4)."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import zip_longest

import structlog
from flask_babel import gettext as _
from sqlalchemy import and_, or_, select

from app import clock
from app.adapters.clictopay import OrderStatus
from app.errors import NotFound
from app.extensions import db
from app.models import Payment, PaymentMethod
from app.permissions import SYSTEM, Actor, Permission
from app.queries.billing import refunded_in_books
from app.services import audit, history
from app.services.authority import require
from app.services.payments import gateway
from app.services.payments.gateway import GatewayDown
from app.services.payments.settling import give_up_asking, lock_payment, note_answer, settle
from app.services.unit_of_work import use_case
from app.state_labels import state_label
from app.states import LIVE_PAYMENT_STATES, Anomaly, PaymentState

log = structlog.get_logger()

AFTERMATH = timedelta(minutes=30)
"""An ended attempt is asked about until an answer comes this long after its session: a late payment is found."""
PATIENCE = timedelta(hours=24)
"""Ended attempts older than this are no longer asked about; one that never got an answer goes to the desk, and is asked
about until it gets one, for it has no end (GAT-4)."""
BATCH = 200
OUTAGE = 3
"""So many questions in a row without an answer: the gateway is down, the next run will ask."""

ENDED_UNPAID = (PaymentState.EXPIRE, PaymentState.ABANDONNE, PaymentState.REFUSE)
MENDABLE = (
    Anomaly.IDENTITY_DIFFERS,
    Anomaly.AMOUNT_DIFFERS,
    Anomaly.CURRENCY_DIFFERS,
    Anomaly.HELD_ELSEWHERE,
    Anomaly.CREDIT_GONE,
)
"""What a later, right answer may put in order by itself."""


_WAITS = and_(Payment.state == PaymentState.A_REGULARISER, Payment.remedied_at.is_(None))


def reconcile_payments() -> str:
    """One run of the reconciliation job; a sentence for its log. Never raises because of the gateway."""
    outcomes: Counter[str] = Counter()
    silent = 0
    for payment_id in _due():
        try:
            state = settle(payment_id).state
        except GatewayDown:
            outcomes[_("sans réponse")] += 1
            silent += 1
            _give_up_if_old(payment_id)
            if silent == OUTAGE:
                break
        else:
            silent = 0
            outcomes[state_label(state)] += 1
    if not outcomes:
        return _("Aucune tentative à interroger")
    return ", ".join(f"{name} : {count}" for name, count in sorted(outcomes.items()))


def _due() -> list[int]:
    """Attempts to ask about: those asked longest ago and those asked last in turns.

    One that never answers is always the one asked longest ago. Three of them would otherwise pass for an outage at
    the beginning of each run, and nobody else would ever be asked about.
    """
    moment = clock.now()
    recent = Payment.expires_at > moment - PATIENCE
    statement = (
        select(Payment.id, Payment.state, Payment.last_queried_at, Payment.expires_at)
        .where(
            or_(
                Payment.state.in_(LIVE_PAYMENT_STATES),
                and_(Payment.state.in_(ENDED_UNPAID), recent),
                and_(_WAITS, Payment.anomaly.in_(MENDABLE), recent),
                and_(_WAITS, Payment.anomaly == Anomaly.NO_ANSWER),
            )
        )
        .order_by(Payment.last_queried_at.is_not(None), Payment.last_queried_at, Payment.id)
    )
    due = []
    for row in db.session.execute(statement):
        done = row.last_queried_at is not None and row.last_queried_at >= row.expires_at + AFTERMATH
        if row.state not in ENDED_UNPAID or not done:
            due.append(row.id)
    due = due[:BATCH]
    half = (len(due) + 1) // 2
    turns = zip_longest(due[:half], reversed(due[half:]))
    return [payment_id for pair in turns for payment_id in pair if payment_id is not None]


def _give_up_if_old(payment_id: int) -> None:
    payment = db.session.get(Payment, payment_id, populate_existing=True)
    if payment is not None and payment.state in LIVE_PAYMENT_STATES and payment.expires_at <= clock.now() - PATIENCE:
        give_up_asking(payment_id)


def query_gateway(payment_id: int, actor: Actor) -> Payment:
    """« Interroger la passerelle » of the reconciliation desk. Raises NotFound, Forbidden, GatewayDown.

    A paid attempt, and one put in order, are asked about as well: what the gateway gave back since is noted.
    """
    require(actor, Permission.SETTLE_PAYMENTS)
    payment = db.session.get(Payment, payment_id, populate_existing=True)
    if payment is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    ended = payment.state is PaymentState.PAYE or payment.remedied_at is not None
    if not ended:
        payment = settle(payment_id)
    elif payment.method is not PaymentMethod.CREDIT:  # credit never went there
        payment = look_again(payment_id, gateway.ask(payment))
    _note_question(payment_id, actor)
    return payment


@use_case
def look_again(payment_id: int, answer: OrderStatus | None) -> Payment:
    """Keep what the gateway now says of an attempt that has its end; a paid one never changes by it.

    Money that went back there without a credit note of ours brings a paid attempt to the desk (GAT-4); once the
    books have it, the attempt leaves the desk.
    """
    payment = lock_payment(payment_id)
    note_answer(payment, answer)
    if payment.state is not PaymentState.PAYE or answer is None:
        return payment
    if payment.refunded > refunded_in_books(payment_id):
        if payment.anomaly is None:
            facts = {"given_back": payment.refunded}
            history.write(
                SYSTEM, "given_back", payment_id=payment.id, organisation_id=payment.organisation_id, details=facts
            )
        payment.anomaly = Anomaly.GIVEN_BACK
    elif payment.anomaly == Anomaly.GIVEN_BACK:
        payment.anomaly = None
    return payment


@use_case
def _note_question(payment_id: int, actor: Actor) -> None:
    payment = db.session.get(Payment, payment_id)
    audit.record(
        actor, "query_gateway", ("payments", str(payment_id)), after={"state": payment.state if payment else None}
    )

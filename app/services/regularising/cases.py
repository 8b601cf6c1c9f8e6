"""Which remedies an attempt at the desk allows, and how much of its money is to be given back (GAT-4)."""

from __future__ import annotations

from app.adapters.clictopay import PAID, PREAUTHORISED
from app.models import Payment, RemedyKind
from app.states import Anomaly, PaymentState

_ALL = (RemedyKind.PASSERELLE, RemedyKind.VIREMENT, RemedyKind.CLASSEMENT)
ALLOWED: dict[str, tuple[RemedyKind, ...]] = {
    Anomaly.PAID_TWICE: _ALL,
    Anomaly.NOT_PAYABLE: _ALL,
    Anomaly.HELD_ELSEWHERE: _ALL,
    Anomaly.CREDIT_GONE: _ALL,
    Anomaly.AMOUNT_DIFFERS: _ALL,
    # The amount is in units of that currency: our bank does not pay it back.
    Anomaly.CURRENCY_DIFFERS: (RemedyKind.PASSERELLE, RemedyKind.CLASSEMENT),
    # What the gateway names is somebody else's order: refunding ours there would move unknown money.
    Anomaly.IDENTITY_DIFFERS: (RemedyKind.CLASSEMENT,),
    Anomaly.PREAUTHORISED: (RemedyKind.PASSERELLE, RemedyKind.CLASSEMENT),
    Anomaly.GIVEN_BACK: (RemedyKind.CONSTAT, RemedyKind.CLASSEMENT),
    Anomaly.NO_ANSWER: (RemedyKind.CLASSEMENT,),
}
"""By cause, the usual one first."""


def waits(payment: Payment) -> bool:
    """Is the attempt at the desk, with nobody's decision carried out yet?"""
    return payment.anomaly is not None and payment.remedied_at is None


def remedies_of(payment: Payment) -> tuple[RemedyKind, ...]:
    """What may be done with the attempt, the usual one first; nothing for one that has its invoice.

    Money taken for an invoice goes back by a credit note (AVO-1).
    """
    if payment.state is not PaymentState.A_REGULARISER or not waits(payment):
        return ()
    allowed = ALLOWED.get(payment.anomaly or "", (RemedyKind.CLASSEMENT,))
    money = left_to_give_back(payment) > 0
    gateway = money and payment.gateway_order_id is not None
    return tuple(
        kind
        for kind in allowed
        if (kind is not RemedyKind.PASSERELLE or gateway) and (kind is not RemedyKind.VIREMENT or money)
    )


def left_to_give_back(payment: Payment) -> int:
    """What the gateway took of the attempt, as it last said, less what it gave back; millimes (of its currency)."""
    answer = payment.gateway_answer or {}
    if answer.get("status") not in (PAID, PREAUTHORISED):
        return 0
    return max(int(answer.get("amount", 0)) - int(answer.get("refunded", 0)), 0)


def only_blocked(payment: Payment) -> bool:
    """Is the money only blocked on the card, never taken? Then the gateway releases it."""
    return (payment.gateway_answer or {}).get("status") == PREAUTHORISED

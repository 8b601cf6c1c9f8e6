"""Payments at the gateway (PAY-3, GAT-1 … GAT-5), by subject.

``starting`` opens an attempt, ``settling`` applies what the gateway says of one, ``releasing`` ends those in the
way of something else, ``reconciling`` asks about every attempt without an end. No transaction is ever open
while the gateway is asked: an answer may take seconds, a row lock must not.
"""

from app.services.payments.gateway import GatewayDown
from app.services.payments.reconciling import query_gateway, reconcile_payments
from app.services.payments.releasing import PaymentDone, PaymentInProgress, release_requests, require_not_held
from app.services.payments.settling import refusal_sentence, settle, settle_for_return
from app.services.payments.starting import BasketChanged, Opening, start_payment
from app.states import Anomaly

__all__ = [
    "Anomaly",
    "BasketChanged",
    "GatewayDown",
    "Opening",
    "PaymentDone",
    "PaymentInProgress",
    "query_gateway",
    "reconcile_payments",
    "refusal_sentence",
    "release_requests",
    "require_not_held",
    "settle",
    "settle_for_return",
    "start_payment",
]

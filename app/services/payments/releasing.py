"""Ending the attempts that hold some requests, before those change or are paid anew (GAT-3)."""

from __future__ import annotations

import time
from collections.abc import Sequence

from flask_babel import gettext as _

from app.adapters.clictopay import REGISTERED
from app.errors import DomainError
from app.extensions import db
from app.models import Payment
from app.permissions import Actor, Permission
from app.queries.billing import live_payments_of
from app.services.authority import require_organisation
from app.services.payments.settling import abandon, settle
from app.states import LIVE_PAYMENT_STATES, PaymentState

REGISTRATION_WAIT = 5.0
"""Seconds a second click waits for the first one's registration at the gateway."""


class PaymentInProgress(DomainError):
    """The gateway is still deciding, or cannot say: nothing may change meanwhile."""

    def __init__(self) -> None:
        super().__init__(
            _("Un paiement de ces demandes est en cours de vérification. Réessayez dans quelques minutes.")
        )


class PaymentDone(DomainError):
    """The attempt turned out to be paid: ``return_token`` leads to its result."""

    def __init__(self, payment: Payment) -> None:
        super().__init__(_("Ces demandes viennent d'être payées."))
        self.return_token = payment.return_token


def require_not_held(request_ids: Sequence[int]) -> None:
    """Refuse while an attempt holds one of these requests (chapter 1, withdraw). Call it with their rows locked.

    Raises PaymentInProgress.
    """
    if live_payments_of(request_ids):
        raise PaymentInProgress


def settle_live(request_ids: Sequence[int]) -> list[Payment]:
    """Ask about every attempt holding these requests; those still open and unpaid at the gateway remain.

    Raises PaymentDone, PaymentInProgress, GatewayDown.
    """
    remaining = []
    for payment_id in [payment.id for payment in live_payments_of(request_ids)]:
        _await_registration(payment_id)
        payment = settle(payment_id)
        if payment.state is PaymentState.PAYE:
            raise PaymentDone(payment)
        if payment.state is PaymentState.A_REGULARISER:
            raise PaymentInProgress
        if payment.state in LIVE_PAYMENT_STATES:
            if payment.state is PaymentState.INITIE or payment.gateway_status != REGISTERED:
                raise PaymentInProgress
            remaining.append(payment)
    return remaining


def release_requests(actor: Actor, organisation_id: int, request_ids: Sequence[int]) -> None:
    """End the attempts that hold these requests, once the gateway says that they are unpaid.

    Raises PaymentDone, PaymentInProgress, GatewayDown, NotFound, Forbidden.
    """
    require_organisation(actor, organisation_id, Permission.PAY)
    for payment_id in [payment.id for payment in settle_live(request_ids)]:
        abandon(payment_id, actor=actor, cause="released")


def _await_registration(payment_id: int) -> None:
    """Another click has just created this attempt and is at the gateway: wait for it rather than compete."""
    until = time.monotonic() + REGISTRATION_WAIT
    while time.monotonic() < until:
        db.session.rollback()
        payment = db.session.get(Payment, payment_id, populate_existing=True)
        if payment is None or payment.state is not PaymentState.INITIE:
            return
        time.sleep(0.1)

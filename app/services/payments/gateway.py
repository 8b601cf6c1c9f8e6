"""The gateway as the services use it: one client for the configured address, asked outside any transaction."""

from __future__ import annotations

from datetime import timedelta

import structlog
from flask import current_app
from flask_babel import gettext as _

from app.adapters.clictopay import ClicToPay, GatewayRefused, GatewayUnavailable, OrderStatus
from app.errors import DomainError
from app.extensions import db
from app.models import Payment

log = structlog.get_logger()

UNKNOWN_ORDER = "6"
TIMEOUT = (3.0, 10.0)
UNDER_WAY = timedelta(seconds=60)
"""The gateway may still be obeying a demand of ours for so long: until then « not given back » says nothing."""


class GatewayDown(DomainError):
    """The gateway gave no answer that can be used: nothing is known, nothing was changed."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "Le service de paiement est indisponible. "
                "Vos demandes restent à payer : réessayez dans quelques minutes."
            )
        )


def client() -> ClicToPay:
    """The client for the configured gateway; kept, and made anew when the configuration is another."""
    config = current_app.config
    wanted = (
        str(config["CLICTOPAY_BASE_URL"]),
        str(config["CLICTOPAY_USERNAME"]),
        str(config["CLICTOPAY_PASSWORD"]),
        config.get("CLICTOPAY_TIMEOUT") or TIMEOUT,
    )
    kept: dict[object, ClicToPay] = current_app.extensions.setdefault("clictopay", {})
    if wanted not in kept:
        kept.clear()
        kept[wanted] = ClicToPay(wanted[0], wanted[1], wanted[2], timeout=wanted[3])
    return kept[wanted]


def ask(payment: Payment) -> OrderStatus | None:
    """What the gateway says of an attempt; None when it knows no such order. Raises GatewayDown.

    Asked by the gateway's identifier, or by our number when the registration's answer never came. Ends the
    session's transaction first.
    """
    order_id, reference = payment.gateway_order_id, payment.reference
    db.session.rollback()
    try:
        if order_id:
            return client().order_status(order_id=order_id)
        return client().order_status(order_number=reference)
    except GatewayRefused as refusal:
        if refusal.code == UNKNOWN_ORDER:
            return None
        log.exception("gateway_refused_query", payment=reference, code=refusal.code)
        raise GatewayDown from None
    except GatewayUnavailable as outage:
        log.warning("gateway_unavailable", payment=reference, reason=outage.reason)
        raise GatewayDown from None

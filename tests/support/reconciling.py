"""Attempts at the reconciliation desk, made for real through the gateway's sandbox, one for each cause."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from app import clock
from app.extensions import db
from app.models import PaymentRemedy, RemedyKind
from app.permissions import Actor
from app.services.moving import move_request
from app.services.payments import settle
from app.services.payments.settling import abandon
from app.services.regularising import preparing
from app.services.unit_of_work import use_case
from tests.support.crediting import Desk
from tests.support.paying import Shop, attempt, behave, misbehave, move, pay
from tests.support.servers import HttpServer

DUE = 424_500


def paid_twice(gateway: HttpServer) -> tuple[Shop, int]:
    """An abandoned page paid after another attempt had paid the same request."""
    shop = Shop()
    first = shop.start()
    abandon(first.payment_id)
    second = shop.start()
    pay(gateway, second.payment_id)
    settle(second.payment_id)
    pay(gateway, first.payment_id)
    settle(first.payment_id)
    return shop, first.payment_id


def withdrawn(gateway: HttpServer) -> tuple[Shop, int]:
    """Paid after the administrator withdrew the request."""
    shop = Shop()
    opening = shop.start()
    abandon(opening.payment_id)
    use_case(move_request)(shop.request_ids[0], "withdraw", actor=shop.actor)
    pay(gateway, opening.payment_id)
    settle(opening.payment_id)
    return shop, opening.payment_id


def held_elsewhere(gateway: HttpServer) -> tuple[Shop, int]:
    """Paid while a newer attempt holds the request."""
    shop = Shop()
    first = shop.start()
    abandon(first.payment_id)
    shop.start()
    pay(gateway, first.payment_id)
    settle(first.payment_id)
    return shop, first.payment_id


def told_otherwise(mode: str) -> Callable[[HttpServer], tuple[Shop, int]]:
    """Paid, and the gateway names another amount, currency or order."""

    def make(gateway: HttpServer) -> tuple[Shop, int]:
        shop = Shop()
        opening = shop.start()
        pay(gateway, opening.payment_id)
        misbehave(gateway, mode)
        settle(opening.payment_id)
        behave(gateway)
        return shop, opening.payment_id

    return make


def forced(status: int) -> Callable[[HttpServer], tuple[Shop, int]]:
    """The order stands there at the gateway when the session is over."""

    def make(gateway: HttpServer) -> tuple[Shop, int]:
        shop = Shop()
        opening = shop.start()
        move(gateway, opening.payment_id, status=status)
        with clock.put_back():
            clock.shift(timedelta(minutes=21))
            settle(opening.payment_id)
        return shop, opening.payment_id

    return make


def to_carry_out(desk: Desk, payment_id: int, kind: RemedyKind = RemedyKind.PASSERELLE) -> int:
    """A remedy prepared by the agent and approved by the supervisor."""
    remedy = preparing.approve(prepared(payment_id, kind, desk.agent), actor=desk.supervisor)
    return remedy.id


def prepared(payment_id: int, kind: RemedyKind, actor: Actor, reference: str = "Courrier SMT 2026-118") -> int:
    """A remedy that waits for a second person."""
    remedy = preparing.prepare(
        payment_id,
        kind,
        reason="Payé deux fois par le client.",
        outside_reference=reference,
        anomaly_seen=attempt(payment_id).anomaly or "",
        actor=actor,
    )
    return remedy.id


def remedy(remedy_id: int) -> PaymentRemedy:
    """The remedy as it stands in the database."""
    return db.session.get_one(PaymentRemedy, remedy_id, populate_existing=True)

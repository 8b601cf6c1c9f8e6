"""Payments in tests: baskets, the sandbox's levers, what must hold after any order of events."""

from __future__ import annotations

from typing import Any

import httpx
from sqlalchemy import func, select

from app import clock
from app.extensions import db
from app.models import CertificateRequest, Invoice, Organisation, OutboxMail, Payment, PaymentMethod, User
from app.permissions import Actor
from app.queries.billing import basket_of
from app.services.payments import Opening, start_payment
from app.services.pricing import quote_requests
from app.states import PaymentState, RequestState
from tests import factories
from tests.support.servers import HttpServer

GOOD_CARD = {"pan": "4509211111111119", "cvv": "748"}
NO_FUNDS = {"pan": "5104051111111115", "cvv": "186"}


class Shop:
    """An organisation with two administrators and ``count`` requests in its basket."""

    def __init__(self, count: int = 1) -> None:
        organisation = factories.organisation()
        self.organisation_id = organisation.id
        self.people = [factories.administrator(organisation), factories.administrator(organisation)]
        self.emails = sorted(person.email for person in self.people)
        self.actor: Actor = factories.actor(self.people[0])
        self.request_ids = [self.add(organisation) for _index in range(count)]

    def add(self, organisation: Organisation | None = None) -> int:
        """One more request in the basket."""
        owner = organisation or db.session.get_one(Organisation, self.organisation_id)
        row = factories.certificate_request(
            owner, RequestState.EN_ATTENTE_DE_PAIEMENT, by=self.people[0], basket_added_at=clock.now()
        )
        return row.id

    @property
    def requests(self) -> list[CertificateRequest]:
        return [db.session.get_one(CertificateRequest, each, populate_existing=True) for each in self.request_ids]

    @property
    def states(self) -> set[RequestState]:
        return {row.state for row in self.requests}

    @property
    def references(self) -> list[str]:
        return [row.reference for row in self.requests]

    @property
    def administrator(self) -> User:
        return db.session.get_one(User, self.people[0].id)

    def start(self, method: PaymentMethod = PaymentMethod.CARTE, **changed: Any) -> Opening:
        """« Payer » from a page that shows the basket as it is."""
        rows = basket_of(self.organisation_id)
        given = {
            "request_ids": [row.id for row in rows],
            "expected_total": quote_requests(rows).quote.total,
            **changed,
        }
        return start_payment(self.actor, self.organisation_id, method=method, **given)


def attempt(payment_id: int) -> Payment:
    """The attempt as it stands in the database."""
    return db.session.get_one(Payment, payment_id, populate_existing=True)


def pay(gateway: HttpServer, payment_id: int, **card: str) -> None:
    """The payer types a card at the hosted page, without a browser."""
    order_id = attempt(payment_id).gateway_order_id
    db.session.rollback()
    httpx.post(f"{gateway.url}/control/orders/{order_id}/pay", json=card or GOOD_CARD).raise_for_status()


def move(gateway: HttpServer, payment_id: int, **body: float) -> None:
    """Force an order at the gateway: ``expires_in=0``, ``status=5``."""
    order_id = attempt(payment_id).gateway_order_id
    db.session.rollback()
    httpx.post(f"{gateway.url}/control/orders/{order_id}", json=body).raise_for_status()


def misbehave(gateway: HttpServer, mode: str, call: str = "getOrderStatusExtended", **more: float) -> None:
    httpx.post(f"{gateway.url}/control/behaviour", json={"call": call, "mode": mode, **more}).raise_for_status()


def behave(gateway: HttpServer) -> None:
    httpx.delete(f"{gateway.url}/control/behaviour").raise_for_status()


def invoices() -> list[Invoice]:
    return list(db.session.scalars(select(Invoice).order_by(Invoice.id)))


def mailed() -> list[str]:
    """To whom confirmations were written, one entry a mail."""
    return sorted(db.session.scalars(select(OutboxMail.recipient).where(OutboxMail.kind == "payment_confirmed")))


def count_payments(*states: PaymentState) -> int:
    return (
        db.session.scalar(select(func.count()).select_from(Payment).where(Payment.state.in_(states or PaymentState)))
        or 0
    )


def assert_paid_once(shop: Shop) -> None:
    """One confirmation: every request moved, one invoice, one mail for each administrator (GAT-3)."""
    db.session.rollback()
    assert shop.states == {RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST}
    assert len(invoices()) == 1
    assert mailed() == shop.emails
    assert count_payments(PaymentState.PAYE) == 1


def assert_unpaid(shop: Shop) -> None:
    """Nothing was paid and everything may still be."""
    db.session.rollback()
    assert shop.states == {RequestState.EN_ATTENTE_DE_PAIEMENT}
    assert invoices() == []
    assert mailed() == []

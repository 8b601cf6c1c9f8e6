"""REL-5: returns from the gateway that nobody there ever sent, or that somebody sent before."""

from __future__ import annotations

import random
from collections import Counter
from urllib.parse import quote, quote_from_bytes

from flask import Flask

from app.extensions import db
from app.states import PaymentState
from tests.support.paying import Shop, attempt, behave, misbehave, pay
from tests.support.servers import HttpServer

LIES = ("wrong_amount", "wrong_currency", "wrong_order_number")
CLAIMS = (
    "status=2",
    "orderStatus=2&errorCode=0",
    "status=PAYE&amount=1",
    "actionCode=0&approvalCode=123456",
    "state=PAYE",
)
METHODS = ("GET", "GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")


class Forger:
    """A victim with an unpaid attempt, a payer with a paid one, and somebody who tries everything with both."""

    def __init__(self, app: Flask, gateway: HttpServer, seed: int = 2026) -> None:
        self._app, self._gateway, self._dice = app, gateway, random.Random(seed)
        self.payer = Shop()
        self._paid = self._named(self.payer)
        pay(gateway, self._paid[2])
        self.answers: Counter[int] = Counter()
        app.test_client().get(f"/paiements/retour?t={self._paid[0]}")
        self.victims: list[tuple[Shop, int]] = []
        self.short: list[tuple[Shop, int]] = []
        self._victim()

    def _named(self, shop: Shop) -> tuple[str, str, int]:
        """Token, order at the gateway and id of a new attempt."""
        payment = attempt(shop.start().payment_id)
        return payment.return_token, payment.gateway_order_id or "", payment.id

    def _victim(self) -> None:
        """One more unpaid attempt; each is asked about thirty times a minute at most."""
        shop = Shop()
        self._token, self._order, payment_id = self._named(shop)
        self.victims.append((shop, payment_id))

    def _pays_something_else(self) -> None:
        """The card was taken, and the gateway tells another amount, currency or order at the return."""
        shop = Shop()
        token, _order, payment_id = self._named(shop)
        pay(self._gateway, payment_id)
        misbehave(self._gateway, self._dice.choice(LIES))
        self.answers[self._app.test_client().get(f"/paiements/retour?t={token}&status=2").status_code] += 1
        behave(self._gateway)
        self.short.append((shop, payment_id))

    def forge(self, count: int) -> None:
        """``count`` requests of every kind, in any order; what each answered is counted."""
        client = self._app.test_client()
        for index in range(count):
            if index and index % 25 == 0:
                self._victim()
                self._pays_something_else()
            lie = self._dice.random() < 0.15
            if lie:
                misbehave(self._gateway, self._dice.choice(LIES))
            address = f"/paiements/retour?{self._query()}"
            response = client.open(address, method=self._dice.choice(METHODS))
            self.answers[response.status_code] += 1
            if lie:
                behave(self._gateway)

    def _query(self) -> str:
        """An address that claims too much."""
        dice = self._dice
        token, order, _id = self._paid
        claim = dice.choice(CLAIMS)
        return dice.choice(
            [
                f"t={self._token}&{claim}",
                f"orderId={self._order}&{claim}",
                f"t={self._token}&orderId={order}&{claim}",  # with somebody else's paid order
                f"t={token}&orderId={self._order}",
                f"t={token}",  # replayed
                f"orderId={order}&{claim}",
                f"t={self._token}&t={token}",
                f"t={self._odd()}&orderId={self._odd()}",
                f"{self._odd()}={self._odd()}&t={self._token}",
                f"t={self._token.swapcase()}&orderId={order[:-1]}0",
                f"t[]={self._token}&orderId[status]=2",
            ]
        )

    def _odd(self) -> str:
        """Text no gateway sends."""
        dice = self._dice
        return dice.choice(
            [
                "",
                "%00",
                "%FF%FE",
                "%",
                quote("' OR 1=1 --"),
                quote("{{7*7}}<script>"),
                quote("رمز"),
                "9" * dice.choice((40, 400, 4000)),
                quote_from_bytes(dice.randbytes(24)),
                "-1",
                quote("../../etc/passwd"),
            ]
        )

    def check(self) -> None:
        """Nothing but the payer's own order was paid, once, and no answer was our fault."""
        db.session.rollback()
        assert all(status < 500 for status in self.answers), self.answers
        expected = [(*each, PaymentState.EN_COURS) for each in self.victims]
        expected += [(*each, PaymentState.A_REGULARISER) for each in self.short]
        for shop, payment_id, state in expected:
            payment = attempt(payment_id)
            assert payment.state is state
            assert payment.invoice is None
            assert shop.states == {"EN_ATTENTE_DE_PAIEMENT"}
        invoice = attempt(self._paid[2]).invoice
        assert invoice is not None
        assert invoice.sequence == 1

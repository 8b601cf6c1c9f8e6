"""The product's client of ClicToPay against the sandbox, well and badly behaved, over real HTTP."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx
import pytest
from flask import Flask
from flask_babel import Babel

from app.adapters.clictopay import (
    ClicToPay,
    GatewayRefused,
    GatewayUnavailable,
    OrderStatus,
    Registration,
    refusal_reason,
)
from tests.support.servers import HttpServer

pytestmark = pytest.mark.slow

NUMBERS = count(1)


@pytest.fixture
def clictopay(gateway: HttpServer) -> ClicToPay:
    return ClicToPay(f"{gateway.url}/payment/rest/", "sandbox", "sandbox", timeout=(1, 1))


@pytest.fixture
def words() -> Iterator[None]:
    app = Flask(__name__)
    app.config["BABEL_DEFAULT_LOCALE"] = "fr"
    Babel(app)
    with app.test_request_context():
        yield


def register(clictopay: ClicToPay, **changed: Any) -> Registration:
    given: dict[str, Any] = {
        "order_number": f"PAY{next(NUMBERS)}", "amount": 424500, "return_url": "http://127.0.0.1/retour",
    }  # fmt: skip
    return clictopay.register(**{**given, **changed})


def pay(gateway: HttpServer, order: Registration, **card: str) -> None:
    httpx.post(f"{gateway.url}/control/orders/{order.order_id}/pay", json=card).raise_for_status()


def misbehave(gateway: HttpServer, call: str, mode: str, **more: float) -> None:
    body = {"call": call, "mode": mode, **more}
    httpx.post(f"{gateway.url}/control/behaviour", json=body).raise_for_status()


@pytest.mark.spec("GAT-1")
def test_a_registration_gives_the_gateways_identifier_and_its_page(gateway: HttpServer, clictopay: ClicToPay) -> None:
    order = register(
        clictopay, order_number="PAY2026000001", fail_url="http://127.0.0.1/echec", description="3 certificats",
        json_params={"email": "foulan@mail.com"}, language="fr", session_timeout_secs=1200, client_id="12",
    )  # fmt: skip
    assert order.form_url.startswith(f"{gateway.url}/payment/merchants/CLICTOPAY/payment_fr.html?mdOrder=")
    status = clictopay.order_status(order_id=order.order_id)
    assert clictopay.order_status(order_number="PAY2026000001") == status
    assert (status.order_id, status.order_number) == (order.order_id, "PAY2026000001")
    assert (status.status, status.amount, status.currency) == (0, 424500, "788")
    assert (status.payment_state, status.masked_pan, status.refunded_amount) == ("CREATED", "", 0)
    assert status.raw["merchantOrderParams"] == [{"name": "email", "value": "foulan@mail.com"}]


@pytest.mark.spec("GAT-1")
def test_the_address_is_taken_with_or_without_its_end(gateway: HttpServer) -> None:
    for address in (gateway.url, f"{gateway.url}/", f"{gateway.url}/payment/rest"):
        assert register(ClicToPay(address, "sandbox", "sandbox")).order_id


@pytest.mark.spec("GAT-2")
def test_only_the_very_payment_we_stored_is_proved_paid(gateway: HttpServer, clictopay: ClicToPay) -> None:
    order = register(clictopay, order_number="PAY-STORED")
    stored: dict[str, Any] = {"order_id": order.order_id, "order_number": "PAY-STORED", "amount": 424500}
    assert not clictopay.order_status(order_id=order.order_id).proves_payment_of(**stored)
    pay(gateway, order)
    paid = clictopay.order_status(order_id=order.order_id)
    assert (paid.status, paid.action_code, paid.masked_pan) == (2, 0, "450921**1119")
    assert paid.approval_code
    assert paid.proves_payment_of(**stored)
    for wrong in ({"amount": 424501}, {"order_id": "x"}, {"order_number": "x"}, {"currency": "978"}):
        assert not paid.proves_payment_of(**{**stored, **wrong})


@pytest.mark.spec("GAT-2")
@pytest.mark.parametrize("mode", ["wrong_amount", "wrong_currency", "wrong_order_number"])
def test_an_answer_about_something_else_proves_nothing(gateway: HttpServer, clictopay: ClicToPay, mode: str) -> None:
    order = register(clictopay, order_number=f"PAY-{mode}")
    pay(gateway, order)
    misbehave(gateway, "getOrderStatusExtended", mode, times=1)
    status = clictopay.order_status(order_id=order.order_id)
    assert status.status == 2
    assert not status.proves_payment_of(
        order_id=order.order_id, order_number=f"PAY-{mode}", amount=424500
    )  # fmt: skip


@pytest.mark.spec("GAT-1")
def test_a_declined_payment_is_an_answer(gateway: HttpServer, clictopay: ClicToPay) -> None:
    order = register(clictopay)
    pay(gateway, order, pan="5104051111111115", cvv="186")
    status = clictopay.order_status(order_id=order.order_id)
    assert (status.status, status.action_code, status.payment_state) == (6, 116, "DECLINED")


@pytest.mark.spec("GAT-1")
def test_a_refusal_carries_the_gateways_code(clictopay: ClicToPay, gateway: HttpServer) -> None:
    register(clictopay, order_number="PAY-TWICE")
    with pytest.raises(GatewayRefused) as refused:
        register(clictopay, order_number="PAY-TWICE")
    assert refused.value.code == "1"
    with pytest.raises(GatewayRefused) as refused:
        clictopay.order_status(order_id="inconnu")
    assert refused.value.code == "6"
    with pytest.raises(GatewayRefused) as refused:
        register(ClicToPay(gateway.url, "sandbox", "faux"))
    assert refused.value.code == "5"


@pytest.mark.spec("GAT-1", "AVO-4")
def test_refunds_and_reversals_are_obeyed_or_refused(gateway: HttpServer, clictopay: ClicToPay) -> None:
    order = register(clictopay)
    with pytest.raises(GatewayRefused):
        clictopay.refund(order.order_id, 1000)
    pay(gateway, order)
    clictopay.refund(order.order_id, 1000)
    assert clictopay.order_status(order_id=order.order_id).refunded_amount == 1000
    other = register(clictopay)
    pay(gateway, other)
    clictopay.reverse(other.order_id)
    assert clictopay.order_status(order_id=other.order_id).status == 3


@pytest.mark.spec("AVO-4")
def test_a_refund_whose_answer_is_lost_is_not_sent_again(gateway: HttpServer, clictopay: ClicToPay) -> None:
    order = register(clictopay)
    pay(gateway, order)
    for mode in ("drop", "error500", "garbage"):
        misbehave(gateway, "refund", mode, times=1)
    for _ in range(3):
        with pytest.raises(GatewayUnavailable) as lost:
            clictopay.refund(order.order_id, 1000)
        assert lost.value.sent
    assert [path for _, path in gateway.requests].count("/payment/rest/refund.do") == 3
    assert clictopay.order_status(order_id=order.order_id).refunded_amount == 2000


@pytest.mark.spec("GAT-1")
@pytest.mark.parametrize("mode", ["error500", "down", "garbage", "empty", "drop", "json_list", "missing_fields"])
def test_a_read_is_tried_three_times_and_no_more(gateway: HttpServer, clictopay: ClicToPay, mode: str) -> None:
    order = register(clictopay)
    misbehave(gateway, "getOrderStatusExtended", mode, times=2)
    assert clictopay.order_status(order_id=order.order_id).status == 0
    misbehave(gateway, "getOrderStatusExtended", mode)
    gateway.requests.clear()
    with pytest.raises(GatewayUnavailable):
        clictopay.order_status(order_id=order.order_id)
    assert len(gateway.requests) == 3


@pytest.mark.spec("GAT-1")
@pytest.mark.parametrize("mode", ["error500", "garbage", "empty", "drop", "json_list", "missing_fields"])
def test_a_registration_is_sent_once_whatever_comes_back(gateway: HttpServer, clictopay: ClicToPay, mode: str) -> None:
    misbehave(gateway, "register", mode)
    with pytest.raises(GatewayUnavailable):
        register(clictopay)
    assert [path for _, path in gateway.requests].count("/payment/rest/register.do") == 1


@pytest.mark.spec("GAT-1")
def test_a_slow_gateway_is_left_after_the_timeout_and_not_asked_again(
    gateway: HttpServer, clictopay: ClicToPay
) -> None:
    order = register(clictopay)
    misbehave(gateway, "*", "slow", seconds=2.5)
    gateway.requests.clear()
    started = time.monotonic()
    with pytest.raises(GatewayUnavailable) as slow:
        clictopay.order_status(order_id=order.order_id)
    assert time.monotonic() - started < 2
    assert slow.value.sent
    assert len(gateway.requests) == 1


@pytest.mark.spec("GAT-1")
def test_a_gateway_that_is_down_never_got_the_request(gateway: HttpServer, clictopay: ClicToPay) -> None:
    gateway.stop()
    with pytest.raises(GatewayUnavailable) as down:
        register(clictopay)
    assert not down.value.sent


def answered(gateway: HttpServer, body: object) -> OrderStatus:
    gateway.answer(json.dumps(body))
    return ClicToPay(gateway.url, "sandbox", "sandbox").order_status(order_id="o-1")


MINIMAL = {"errorCode": "0", "orderNumber": "PAY1", "orderStatus": 2, "amount": 424500}


@pytest.mark.spec("GAT-2")
def test_numbers_may_come_as_strings_and_the_currency_not_at_all(gateway: HttpServer) -> None:
    loose = {**MINIMAL, "orderStatus": "2", "amount": "424500", "errorCode": 0, "actionCode": "-2007"}
    status = answered(gateway, loose)
    assert (status.status, status.amount, status.currency, status.action_code) == (2, 424500, "788", -2007)
    assert status.order_id == "o-1"
    assert answered(gateway, {**MINIMAL, "currency": 788}).currency == "788"


@pytest.mark.spec("GAT-2")
@pytest.mark.parametrize(
    "changed",
    [
        {"orderStatus": None},
        {"orderStatus": "payé"},
        {"orderStatus": True},
        {"orderStatus": 9},
        {"orderStatus": 2.0},
        {"amount": None},
        {"amount": "424,500"},
        {"amount": -1},
        {"amount": "٤٢"},
        {"orderNumber": None},
        {"orderNumber": 12},
        {"actionCode": []},
        {"paymentAmountInfo": {"refundedAmount": "beaucoup"}},
        {"errorCode": "7"},
    ],
)
def test_missing_or_odd_fields_are_unintelligible_never_a_crash(
    gateway: HttpServer, monkeypatch: pytest.MonkeyPatch, changed: dict[str, object]
) -> None:
    monkeypatch.setattr("app.adapters.clictopay.BACKOFF_SECONDS", 0.0)
    with pytest.raises(GatewayUnavailable):
        answered(gateway, {**MINIMAL, **changed})


@pytest.mark.parametrize("odd", [{"attributes": 3}, {"attributes": [1, {}]}, {"cardAuthInfo": []}, {"currency": ""}])
def test_odd_optional_fields_are_passed_over(gateway: HttpServer, odd: dict[str, object]) -> None:
    assert answered(gateway, {**MINIMAL, **odd}).status == 2


@pytest.mark.spec("GAT-1")
@pytest.mark.parametrize(
    "form_url",
    [
        "https://paiement.exemple.invalid/payment_fr.html?mdOrder=1",
        "http://127.0.0.1.exemple.invalid/payment_fr.html",
        "http://{host}@exemple.invalid/",
        "http://{host}\\@exemple.invalid/",
        "//exemple.invalid/",
        "javascript:alert(1)//{host}",
        "http://127.0.0.1:1/",
        "http://{host} /",
        "http://[",
        "",
        7,
    ],
)
def test_a_page_on_another_host_is_never_gone_to(gateway: HttpServer, form_url: object) -> None:
    host = gateway.url.removeprefix("http://")
    told = form_url.format(host=host) if isinstance(form_url, str) else form_url
    gateway.answer(json.dumps({"orderId": "o-1", "formUrl": told}))
    with pytest.raises(GatewayUnavailable):
        register(ClicToPay(gateway.url, "sandbox", "sandbox"))


@pytest.mark.spec("GAT-1")
def test_a_page_on_an_allowed_host_is_used_as_returned(gateway: HttpServer) -> None:
    form_url = "https://paiement.exemple.invalid/payment_fr.html?mdOrder=o-1&x=%20"
    gateway.answer(json.dumps({"orderId": "o-1", "formUrl": form_url}))
    client = ClicToPay(gateway.url, "sandbox", "sandbox", allowed_hosts=["Paiement.exemple.invalid"])
    assert register(client).form_url == form_url


@pytest.mark.spec("SEC-6")
def test_credentials_and_card_are_never_logged(gateway: HttpServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = ClicToPay(gateway.url, "sandbox", "MotDePasseSecret")
    with pytest.raises(GatewayRefused):
        register(client)
    gateway.stop()
    with pytest.raises(GatewayUnavailable):
        register(client)
    assert "clictopay register" in caplog.text
    assert "MotDePasseSecret" not in caplog.text


@pytest.mark.spec("GAT-5")
@pytest.mark.usefixtures("words")
def test_a_refusal_is_told_in_words() -> None:
    assert refusal_reason(116, "Insufficient funds") == "La provision de la carte est insuffisante."
    assert refusal_reason(-2007) == "Le délai de paiement est dépassé."
    assert refusal_reason(9999, " Do not\n honour ") == "La banque a refusé le paiement. (Do not honour)"
    assert refusal_reason(None) == "La banque a refusé le paiement."
    assert "indisponible" in str(GatewayUnavailable("x"))

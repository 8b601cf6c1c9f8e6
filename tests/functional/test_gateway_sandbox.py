"""The gateway's sandbox, tried over real HTTP as third-party clients of the protocol do (GAT-6)."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from app.sandbox.gateway import create_gateway
from app.sandbox.gateway_page import amount_in_words, countdown
from tests.support.servers import HttpServer

pytestmark = [pytest.mark.spec("GAT-6"), pytest.mark.slow]

CREDENTIALS = {"userName": "sandbox", "password": "sandbox"}
NUMBERS = count(1)
CARD = {
    "pan": "4509211111111119", "month": "12", "year": "2026", "cvv": "748", "cardholder": "Foulan Foulan",
}  # fmt: skip

Send = Callable[[str, dict[str, str]], httpx.Response]


def by_get(url: str, params: dict[str, str]) -> httpx.Response:
    return httpx.get(url, params=params)


def by_form(url: str, params: dict[str, str]) -> httpx.Response:
    return httpx.post(url, data=params)


def by_query(url: str, params: dict[str, str]) -> httpx.Response:
    return httpx.post(url, params=params)


def by_query_as_json(url: str, params: dict[str, str]) -> httpx.Response:
    return httpx.post(url, params=params, headers={"Content-Type": "application/json"})


WAYS = pytest.mark.parametrize("send", [by_get, by_form, by_query, by_query_as_json])


class Merchant:
    """A client of the protocol that is none of the product's."""

    def __init__(self, server: HttpServer, send: Send = by_form) -> None:
        self.url = server.url
        self._send = send

    def call(self, name: str, **params: object) -> Any:
        sent = CREDENTIALS | {key: str(value) for key, value in params.items() if value is not None}
        response = self._send(f"{self.url}/payment/rest/{name}.do", sent)
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json"
        return response.json()

    def register(self, call: str = "register", **params: object) -> Any:
        defaults = {"orderNumber": f"CMD{next(NUMBERS)}", "amount": 424500, "currency": 788,
                    "returnUrl": "https://marchand.example/retour"}  # fmt: skip
        return self.call(call, **{**defaults, **params})

    def extended(self, order: Any) -> Any:
        return self.call("getOrderStatusExtended", orderId=order["orderId"])

    def pay(self, order: Any, **card: str) -> httpx.Response:
        return httpx.post(order["formUrl"], data={**CARD, **card})

    def operations(self, order: Any) -> list[str]:
        shown = httpx.get(f"{self.url}/control/orders/{order['orderId']}").json()
        return [operation["kind"] for operation in shown["operations"]]

    def control(self, path: str, body: object) -> httpx.Response:
        return httpx.post(f"{self.url}/control/{path}", json=body)


@pytest.fixture
def client(gateway: HttpServer) -> Merchant:
    return Merchant(gateway)


@WAYS
def test_every_call_is_understood_in_every_way_of_sending(gateway: HttpServer, send: Send) -> None:
    client = Merchant(gateway, send)
    order = client.register(description="Certificats", language="fr", jsonParams='{"email": "a@b.tn"}')
    assert set(order) == {"orderId", "formUrl"}
    assert order["formUrl"] == (f"{gateway.url}/payment/merchants/CLICTOPAY/payment_fr.html?mdOrder={order['orderId']}")
    assert client.call("getOrderStatus", orderId=order["orderId"])["OrderStatus"] == 0
    client.pay(order)
    assert client.extended(order)["orderStatus"] == 2
    assert client.call("refund", orderId=order["orderId"], amount=1000) == {"errorCode": "0"}
    held = client.register("registerPreAuth")
    client.pay(held)
    assert client.extended(held)["orderStatus"] == 1
    assert client.call("deposit", orderId=held["orderId"], amount=400000) == {"errorCode": "0"}
    assert client.call("reverse", orderId=held["orderId"]) == {"errorCode": "0", "errorMessage": "Success"}


def test_a_paid_order_tells_all_that_the_protocol_lists(client: Merchant) -> None:
    order = client.register(
        orderNumber="CMD-2026-000001", description="Un certificat", jsonParams='{"lot": "7", "n": 3}'
    )
    client.pay(order, email="foulan@mail.com")
    status = client.extended(order)
    assert client.call("getOrderStatusExtended", orderNumber="CMD-2026-000001") == status
    assert (status["errorCode"], status["errorMessage"], status["actionCode"]) == ("0", "Success", 0)
    assert (status["orderNumber"], status["orderStatus"]) == ("CMD-2026-000001", 2)
    assert (status["amount"], status["currency"]) == (424500, "788")
    assert status["orderDescription"] == "Un certificat"
    assert status["merchantOrderParams"] == [{"name": "lot", "value": "7"}, {"name": "n", "value": "3"}]
    assert status["attributes"] == [{"name": "mdOrder", "value": order["orderId"]}]
    assert abs(status["date"] / 1000 - time.time()) < 60
    assert status["depositedDate"] >= status["date"]
    card = status["cardAuthInfo"]
    assert (card["maskedPan"], card["pan"]) == ("450921**1119", "450921**1119")
    assert (card["expiration"], card["cardholderName"]) == ("202612", "Foulan Foulan")
    assert re.fullmatch(r"\d{6}", card["approvalCode"])
    assert status["paymentAmountInfo"] == {
        "paymentState": "DEPOSITED", "approvedAmount": 424500, "depositedAmount": 424500,
        "refundedAmount": 0, "feeAmount": 0,
    }  # fmt: skip
    assert status["payerData"] == {"email": "foulan@mail.com"}
    assert status["chargeback"] is False
    short = client.call("getOrderStatus", orderId=order["orderId"], language="en")
    assert (short["ErrorCode"], short["OrderStatus"], short["Amount"]) == ("0", 2, 424500)
    assert (short["Pan"], short["expiration"], short["depositAmount"]) == ("450921**1119", "202612", 424500)
    assert short["OrderNumber"] == "CMD-2026-000001"
    assert "errorCode" not in short


@pytest.mark.parametrize(
    "params, code",
    [
        ({"orderNumber": None}, "4"),
        ({"orderNumber": ""}, "4"),
        ({"amount": None}, "4"),
        ({"returnUrl": None}, "4"),
        ({"userName": ""}, "4"),
        ({"password": ""}, "4"),
        ({"password": "faux"}, "5"),
        ({"userName": "autre"}, "5"),
        ({"orderNumber": "N" * 33}, "5"),
        ({"amount": "0"}, "5"),
        ({"amount": "-5"}, "5"),
        ({"amount": "12.5"}, "5"),
        ({"amount": "٤٢"}, "5"),
        ({"amount": "1" * 13}, "5"),
        ({"currency": "978"}, "3"),
        ({"currency": "TND"}, "3"),
        ({"returnUrl": "javascript:alert(1)"}, "5"),
        ({"returnUrl": "/retour"}, "5"),
        ({"returnUrl": "https://m.tn/" + "a" * 500}, "5"),
        ({"failUrl": "ftp://m.tn/"}, "5"),
        ({"description": "d" * 513}, "5"),
        ({"language": "xx"}, "5"),
        ({"pageView": "MONTRE"}, "5"),
        ({"jsonParams": "[1]"}, "5"),
        ({"jsonParams": "{"}, "5"),
        ({"sessionTimeoutSecs": "0"}, "5"),
        ({"sessionTimeoutSecs": "vingt"}, "5"),
        ({"expirationDate": "22/11/2026"}, "5"),
    ],
)
def test_a_wrong_registration_is_refused_with_the_code_of_its_fault(
    client: Merchant, params: dict[str, str | None], code: str
) -> None:
    answer = client.register(**params)
    assert answer["errorCode"] == code
    assert answer["errorMessage"]
    assert "orderId" not in answer


def test_values_at_their_limits_and_absent_options_are_taken(client: Merchant) -> None:
    order = client.register(
        orderNumber="N" * 32, amount="9" * 12, currency=None, description="d" * 512, failUrl="", language="AR",
        jsonParams="", pageView="mobile", sessionTimeoutSecs="",
    )  # fmt: skip
    assert "/mobile_payment_ar.html?" in order["formUrl"]
    assert httpx.get(order["formUrl"]).status_code == 200
    status = client.extended(order)
    assert (status["amount"], status["currency"], status["orderStatus"]) == (999999999999, "788", 0)
    assert status["paymentAmountInfo"]["paymentState"] == "CREATED"


def test_an_order_number_serves_once_even_when_asked_for_at_the_same_time(client: Merchant) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.register(orderNumber="CMD-UNIQUE"), range(8)))
    assert sum("orderId" in answer for answer in answers) == 1
    assert {answer.get("errorCode") for answer in answers} == {None, "1"}


@pytest.mark.parametrize(
    "typed, action_code, words",
    [
        ({"pan": "4568941111111119", "cvv": "257"}, 121, "plafond"),
        ({"pan": "5104 0511 1111 1115", "cvv": "186"}, 116, "provision insuffisante"),
        ({"pan": "4557691111111119", "cvv": "111"}, 111, "carte invalide"),
        ({"pan": "4000000000000002"}, 111, "carte invalide"),
        ({"year": "28"}, 101, "expiration"),
        ({"cvv": "123"}, 71015, "CVV"),
    ],
)
def test_a_refused_card_leaves_the_order_declined_and_says_why(
    client: Merchant, typed: dict[str, str], action_code: int, words: str
) -> None:
    order = client.register(failUrl="https://marchand.example/echec?a=1")
    answer = client.pay(order, **typed)
    assert answer.status_code == 303
    page = httpx.get(httpx.URL(order["formUrl"]).join(answer.headers["location"]))
    assert "Le paiement a été refusé" in page.text
    assert words in page.text
    assert f"https://marchand.example/echec?a=1&amp;orderId={order['orderId']}&amp;lang=fr" in page.text
    status = client.extended(order)
    assert (status["errorCode"], status["orderStatus"], status["actionCode"]) == ("0", 6, action_code)
    assert status["paymentAmountInfo"]["paymentState"] == "DECLINED"
    assert status["paymentAmountInfo"]["depositedAmount"] == 0
    short = client.call("getOrderStatus", orderId=order["orderId"])
    assert (short["ErrorCode"], short["ErrorMessage"]) == ("2", "Payment is declined")
    assert short["OrderStatus"] == 6
    assert client.pay(order).headers["location"].startswith("/payment/merchants/")
    assert client.operations(order) == ["decline"]


@pytest.mark.parametrize("pan_cvv", [("4509211111111119", "748"), ("5440 2127-1111 1110", "665")])
@pytest.mark.parametrize("means", ["card", "edinar"])
def test_an_accepted_card_pays_once_and_leads_back_after_the_merchants_own_query(
    client: Merchant, pan_cvv: tuple[str, str], means: str
) -> None:
    order = client.register(returnUrl="https://marchand.example/retour?panier=7#fin", language="en")
    answer = client.pay(order, pan=pan_cvv[0], cvv=pan_cvv[1], means=means)
    assert answer.status_code == 303
    target = urlsplit(answer.headers["location"])
    assert (target.netloc, target.path, target.fragment) == ("marchand.example", "/retour", "fin")
    assert parse_qs(target.query) == {"panier": ["7"], "orderId": [order["orderId"]], "lang": ["en"]}
    assert client.operations(order) == ["charge"]
    assert client.extended(order)["paymentWay"] == {"card": "CARD", "edinar": "E_DINAR"}[means]


def test_a_form_sent_many_times_at_once_charges_once(client: Merchant) -> None:
    order = client.register()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.pay(order), range(16)))
    assert {answer.headers["location"] for answer in answers} == {
        f"https://marchand.example/retour?orderId={order['orderId']}&lang=fr"
    }
    assert client.operations(order) == ["charge"]


def test_going_back_to_a_paid_order_shows_that_it_is_paid_and_offers_no_form(client: Merchant) -> None:
    order = client.register()
    before = httpx.get(order["formUrl"])
    assert before.headers["cache-control"] == "no-store"
    client.pay(order)
    again = httpx.get(order["formUrl"])
    assert "Cette commande est payée" in again.text
    assert "<form" not in again.text
    refused_later = client.pay(order, pan="5104051111111115", cvv="186")
    assert refused_later.headers["location"].startswith("https://marchand.example/retour?")
    assert client.extended(order)["orderStatus"] == 2


@pytest.mark.parametrize(
    "typed, field",
    [
        ({"pan": "4509"}, "pan"),
        ({"pan": "numéro"}, "pan"),
        ({"month": ""}, "month"),
        ({"month": "13"}, "month"),
        ({"cvv": "7"}, "cvv"),
        ({"cardholder": " "}, "cardholder"),
        ({"email": "foulan@"}, "email"),
    ],
)
def test_a_form_badly_filled_keeps_what_was_typed_but_the_cvv_and_tries_no_card(
    client: Merchant, typed: dict[str, str], field: str
) -> None:
    order = client.register()
    answer = client.pay(order, **typed)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert f'href="#{field}"' in answer.text
    assert 'value="748"' not in answer.text
    if field != "cardholder":
        assert 'value="Foulan Foulan"' in answer.text
    assert client.extended(order)["orderStatus"] == 0
    assert client.operations(order) == []


def test_the_page_shows_order_merchant_amount_date_and_countdown(client: Merchant) -> None:
    order = client.register(orderNumber="<CMD>9900", sessionTimeoutSecs="1115", amount=1271500,
                            jsonParams='{"email": "foulan@mail.com"}')  # fmt: skip
    page = httpx.get(order["formUrl"])
    assert "&lt;CMD&gt;9900" in page.text
    assert "ANCE" in page.text
    assert "1\u00a0271.500\u00a0TND" in page.text
    assert re.search(r"Le paiement expire dans\s+<bdi[^>]*>00:0h:18m:3[0-5]s</bdi>", page.text)
    assert 'type="password"' in page.text
    assert 'value="foulan@mail.com"' in page.text
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|\sstyle=", page.text)
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert f'href="https://marchand.example/retour?orderId={order["orderId"]}&amp;lang=fr"' in page.text


def test_cancelling_changes_nothing_at_the_gateway(client: Merchant) -> None:
    order = client.register(failUrl="https://marchand.example/echec")
    assert "https://marchand.example/echec?orderId=" in httpx.get(order["formUrl"]).text
    assert client.extended(order)["orderStatus"] == 0


@pytest.mark.parametrize("language", ["fr", "en", "ar"])
def test_the_page_speaks_three_languages_in_their_direction(client: Merchant, language: str) -> None:
    order = client.register(language=language)
    page = httpx.get(order["formUrl"])
    assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">' in page.text


def test_an_unknown_order_has_a_page_that_says_so(client: Merchant) -> None:
    page = httpx.get(f"{client.url}/payment/merchants/CLICTOPAY/payment_fr.html?mdOrder=inconnu")
    assert page.status_code == 404
    assert "Commande introuvable" in page.text


@pytest.mark.parametrize("way", ["timeout", "date"])
def test_a_session_past_its_end_is_declined_with_its_own_code(client: Merchant, way: str) -> None:
    if way == "timeout":
        order = client.register(sessionTimeoutSecs=1)
        time.sleep(1.05)
    else:
        tunis = datetime.now(UTC) + timedelta(hours=1) - timedelta(seconds=5)
        order = client.register(expirationDate=tunis.strftime("%Y-%m-%dT%H:%M:%S"), sessionTimeoutSecs=1200)
    assert client.pay(order).status_code == 303
    status = client.extended(order)
    assert (status["orderStatus"], status["actionCode"]) == (6, -2007)
    assert client.operations(order) == ["expire"]
    assert "La session de paiement a expiré" in httpx.get(order["formUrl"]).text


def test_partial_refunds_add_up_to_what_was_paid_and_no_more(client: Merchant) -> None:
    order = client.register(amount=100000)
    assert client.call("refund", orderId=order["orderId"], amount=1)["errorCode"] == "7"
    client.pay(order)
    assert client.call("refund", orderId=order["orderId"], amount=60000)["errorCode"] == "0"
    assert client.call("refund", orderId=order["orderId"], amount=60000)["errorCode"] == "7"
    assert client.call("reverse", orderId=order["orderId"])["errorCode"] == "7"
    status = client.extended(order)
    assert (status["orderStatus"], status["paymentAmountInfo"]["refundedAmount"]) == (2, 60000)
    assert client.call("refund", orderId=order["orderId"], amount=40000)["errorCode"] == "0"
    status = client.extended(order)
    assert (status["orderStatus"], status["paymentAmountInfo"]["paymentState"]) == (4, "REFUNDED")
    assert client.call("refund", orderId=order["orderId"], amount=1)["errorCode"] == "7"
    assert client.operations(order) == ["charge", "refund", "refund"]


def test_refunds_asked_at_once_never_exceed_the_payment(client: Merchant) -> None:
    order = client.register(amount=100000)
    client.pay(order)
    with ThreadPoolExecutor(8) as pool:
        ask = lambda _: client.call("refund", orderId=order["orderId"], amount=30000)["errorCode"]  # noqa: E731
        answers = list(pool.map(ask, range(8)))
    assert sorted(answers) == ["0"] * 3 + ["7"] * 5


def test_each_operation_refuses_the_wrong_state_and_the_unknown_order(client: Merchant) -> None:
    order = client.register()
    number = order["orderId"]
    assert client.call("deposit", orderId=number, amount=1)["errorCode"] == "7"
    assert client.call("reverse", orderId=number)["errorCode"] == "7"
    held = client.register("registerPreAuth")
    client.pay(held)
    assert client.call("refund", orderId=held["orderId"], amount=1)["errorCode"] == "7"
    assert client.call("deposit", orderId=held["orderId"], amount=424501)["errorCode"] == "7"
    assert client.call("reverse", orderId=held["orderId"])["errorCode"] == "0"
    assert client.extended(held)["orderStatus"] == 3
    assert client.call("reverse", orderId=held["orderId"])["errorCode"] == "7"
    for call in ("deposit", "refund", "reverse", "getOrderStatusExtended"):
        assert client.call(call, orderId="inconnu", amount=1)["errorCode"] == "6"
        assert client.call(call, amount=1)["errorCode"] == "4"
    assert client.call("getOrderStatus", orderId="inconnu")["ErrorCode"] == "6"
    assert client.call("refund", orderId=number)["errorCode"] == "4"
    assert client.call("refund", orderId=number, amount="x")["errorCode"] == "5"


def test_the_sentence_of_an_error_is_in_the_language_asked_for(client: Merchant) -> None:
    assert client.register(language="fr", amount=None)["errorMessage"].startswith("Le paramètre")
    assert client.register(language="en", amount=None)["errorMessage"].startswith("Parameter")


def test_orders_outlive_the_process_and_are_shared_with_others(tmp_path: Path) -> None:
    first = create_gateway(tmp_path / "new" / "gateway.sqlite").test_client()
    second = create_gateway(tmp_path / "new" / "gateway.sqlite").test_client()
    sent = CREDENTIALS | {"orderNumber": "P1", "amount": "1", "returnUrl": "https://m.example/"}
    order = first.post("/payment/rest/register.do", data=sent).get_json()
    asked = second.get("/payment/rest/getOrderStatus.do", query_string=CREDENTIALS | order).get_json()
    assert asked["OrderNumber"] == "P1"


@pytest.mark.parametrize(
    "public_base, expected",
    [(None, "http://dev.example:5000/dev/passerelle/"), ("https://pay.example/x/", "https://pay.example/x/")],
)
def test_the_form_address_is_as_the_caller_reaches_it_unless_told_otherwise(
    tmp_path: Path, public_base: str | None, expected: str
) -> None:
    inner = create_gateway(tmp_path / "g.sqlite", public_base)
    client = Client(DispatcherMiddleware(lambda _e, _s: [b""], {"/dev/passerelle": inner.wsgi_app}))
    sent = CREDENTIALS | {"orderNumber": "P1", "amount": "1", "returnUrl": "https://m.example/"}
    answer = client.post("/dev/passerelle/payment/rest/register.do", data=sent,
                         base_url="http://dev.example:5000/")  # fmt: skip
    order = json.loads(answer.get_data())
    assert order["formUrl"] == (f"{expected}payment/merchants/CLICTOPAY/payment_fr.html?mdOrder={order['orderId']}")
    page = client.get("/dev/passerelle/" + order["formUrl"].removeprefix(expected))
    assert '"/dev/passerelle/static/gateway/gateway.css"' in page.get_data(as_text=True)


def test_the_countdown_and_the_amount_have_the_manuals_form() -> None:
    assert countdown(18 * 60 + 35) == "00:0h:18m:35s"
    assert countdown(2 * 86400 + 3 * 3600 + 4) == "02:3h:00m:04s"
    assert amount_in_words(424500) == "424.500\u00a0TND"
    assert amount_in_words(7) == "0.007\u00a0TND"


def test_a_lever_misbehaves_as_often_as_asked_and_then_no_more(client: Merchant) -> None:
    order = client.register()
    assert client.control("behaviour", {"call": "getOrderStatus", "mode": "error500", "times": 2}).is_success
    url = f"{client.url}/payment/rest/getOrderStatus.do"
    codes = [httpx.post(url, data=CREDENTIALS | {"orderId": order["orderId"]}).status_code for _ in range(3)]
    assert codes == [500, 500, 200]
    assert client.extended(order)["orderStatus"] == 0
    client.control("behaviour", {"call": "*", "mode": "down"})
    assert [httpx.get(order["formUrl"]).status_code for _ in range(3)] == [503] * 3
    assert httpx.delete(f"{client.url}/control/behaviour").status_code == 204
    assert httpx.get(order["formUrl"]).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"mode": "dance"},
        {"mode": "slow", "call": "x"},
        {"mode": "slow", "times": 0},
        {"mode": "slow", "seconds": -1},
        [],
    ],
)
def test_a_lever_that_does_not_exist_is_refused(client: Merchant, body: object) -> None:
    assert client.control("behaviour", body).status_code == 400
    assert httpx.get(f"{client.url}/control/behaviour").json() == []


def test_a_lever_is_not_pulled_by_a_plain_form(client: Merchant) -> None:
    assert httpx.post(f"{client.url}/control/behaviour", data={"mode": "down"}).status_code == 415


def test_a_payment_without_a_browser_is_a_payment(client: Merchant) -> None:
    order = client.register()
    path = f"orders/{order['orderId']}"
    assert client.control(f"{path}/pay", {"pan": "5440212711111110", "cvv": "665"}).json()["status"] == 2
    other = client.register()
    moved = client.control(f"orders/{other['orderId']}", {"expires_in": 0}).json()
    assert (moved["status"], moved["action_code"]) == (6, -2007)
    assert client.control("orders/inconnu/pay", {}).status_code == 404

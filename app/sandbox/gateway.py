"""A payment gateway that speaks ClicToPay's REST protocol over real HTTP (GAT-6).

It stands alone (``flask --app run sandbox gateway``) or under a prefix of the development server: every
address it gives is built from how the caller reached it, unless ``public_base`` says otherwise. It knows
nothing of the product. Calls: ``/payment/rest/*.do``; hosted page: ``gateway_page``; misbehaviour on
demand, payments without a browser: ``gateway_control``. Production never serves it.
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, request, url_for
from flask.json.provider import DefaultJSONProvider

from app.sandbox import gateway_rules as rules
from app.sandbox.gateway_control import after_work, before_work, control_blueprint
from app.sandbox.gateway_page import page_blueprint
from app.sandbox.gateway_store import Row, Store

Answer = dict[str, Any]


def create_gateway(
    database: Path,
    public_base: str | None = None,
    username: str = "sandbox",
    password: str = "sandbox",  # noqa: S107  # the sandbox's published password (chapter 8)
) -> Flask:
    """The sandbox as a WSGI application. Its SQLite file is made at the first call.

    ``public_base`` is the address browsers reach it at (``https://host/prefix``) when that is not the one
    the calling server uses.
    """
    app = Flask(__name__, template_folder="templates", static_folder="static", static_url_path="/static")
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
    if isinstance(app.json, DefaultJSONProvider):
        app.json.sort_keys = False
    store = Store(database)

    def address(endpoint: str, **values: Any) -> str:
        if public_base is None:
            return url_for(endpoint, _external=True, **values)
        inner = url_for(endpoint, **values).removeprefix(request.script_root)
        return public_base.rstrip("/") + inner

    calls: dict[str, Callable[[dict[str, str]], Answer]] = {
        "register": lambda params: _register(store, address, params, two_phase=False),
        "registerPreAuth": lambda params: _register(store, address, params, two_phase=True),
        "deposit": lambda params: _deposit(store, params),
        "reverse": lambda params: _reverse(store, params),
        "refund": lambda params: _refund(store, params),
        "getOrderStatus": lambda params: _status(store, params),
        "getOrderStatusExtended": lambda params: _extended_status(store, params),
    }

    def rest(call: str) -> Response:
        params = {**request.args.to_dict(), **request.form.to_dict()}
        try:
            _check_credentials(params, username, password)
            answer = calls[call](params)
        except rules.Refusal as refusal:
            code, message = refusal.code, refusal.message(rules.language_of(params))
            capital = call == "getOrderStatus"
            answer = {
                "ErrorCode" if capital else "errorCode": code,
                "ErrorMessage" if capital else "errorMessage": message,
            }
        return jsonify(answer)

    def route(call: str) -> Callable[[], Response]:
        def view() -> Response:
            behaviour = store.next_behaviour(call)
            if behaviour is None:
                return rest(call)
            return before_work(*behaviour) or after_work(*behaviour, rest(call))

        return view

    for call in calls:
        app.add_url_rule(f"/payment/rest/{call}.do", endpoint=call, view_func=route(call), methods=["GET", "POST"])
    app.register_blueprint(page_blueprint(store))
    app.register_blueprint(control_blueprint(store))
    app.after_request(_protect)
    return app


def _protect(response: Response) -> Response:
    """No inline script or style; the form may lead back to any merchant, which form-action would forbid."""
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none';"
        " frame-ancestors 'none'; form-action 'self' http: https:"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response


def _check_credentials(params: dict[str, str], username: str, password: str) -> None:
    given_name, given_word = rules.compulsory(params, "userName"), rules.compulsory(params, "password")
    same_name = hmac.compare_digest(given_name.encode(), username.encode())
    same_word = hmac.compare_digest(given_word.encode(), password.encode())
    if not (same_name and same_word):
        raise rules.access_denied()


def _register(store: Store, address: Callable[..., str], params: dict[str, str], *, two_phase: bool) -> Answer:
    order = rules.new_order(params, time.time(), two_phase=two_phase)
    md_order = store.register(order, request.remote_addr or "")
    page = "page.show_mobile" if order.mobile else "page.show"
    return {"orderId": md_order, "formUrl": address(page, language=order.language, mdOrder=md_order)}


def _deposit(store: Store, params: dict[str, str]) -> Answer:
    store.deposit(rules.compulsory(params, "orderId"), rules.number(params, "amount"))
    return {"errorCode": rules.OK}


def _reverse(store: Store, params: dict[str, str]) -> Answer:
    store.reverse(rules.compulsory(params, "orderId"))
    return {"errorCode": rules.OK, "errorMessage": "Success"}


def _refund(store: Store, params: dict[str, str]) -> Answer:
    store.refund(rules.compulsory(params, "orderId"), rules.number(params, "amount"))
    return {"errorCode": rules.OK}


def _status(store: Store, params: dict[str, str]) -> Answer:
    """The short status: a declined payment is told as ErrorCode 2, and is an answer all the same."""
    order = store.find(md_order=rules.compulsory(params, "orderId"))
    declined = order["status"] == rules.REFUSED
    return _present(
        {
            "expiration": order["expiry"],
            "cardholderName": order["cardholder"],
            "depositAmount": order["deposited"],
            "currency": order["currency"],
            "approvalCode": order["approval_code"],
            "authCode": 2,
            "ErrorCode": rules.DECLINED if declined else rules.OK,
            "ErrorMessage": "Payment is declined" if declined else "Success",
            "OrderStatus": order["status"],
            "OrderNumber": order["order_number"],
            "Pan": order["pan"],
            "Amount": order["amount"],
            "Ip": order["ip"],
        }
    )


def _extended_status(store: Store, params: dict[str, str]) -> Answer:
    md_order, order_number = params.get("orderId", ""), params.get("orderNumber", "")
    if not md_order and not order_number:
        raise rules.missing("orderId")
    order = store.find(md_order=md_order, order_number=order_number)
    extra = json.loads(order["json_params"] or "{}")
    answer = {
        "errorCode": rules.OK,
        "errorMessage": "Success",
        "orderNumber": order["order_number"],
        "orderStatus": order["status"],
        "actionCode": order["action_code"],
        "actionCodeDescription": DESCRIPTIONS.get(order["action_code"], ""),
        "amount": order["amount"],
        "currency": order["currency"],
        "date": _milliseconds(order["created_at"]),
        "depositedDate": _milliseconds(order["deposited_at"]),
        "orderDescription": order["description"] or None,
        "ip": order["ip"],
        "merchantOrderParams": [
            {"name": name, "value": value if isinstance(value, str) else json.dumps(value)}
            for name, value in extra.items()
        ],
        "attributes": [{"name": "mdOrder", "value": order["md_order"]}],
        "paymentAmountInfo": {
            "paymentState": rules.PAYMENT_STATES[order["status"]],
            "approvedAmount": order["approved"],
            "depositedAmount": order["deposited"],
            "refundedAmount": order["refunded"],
            "feeAmount": 0,
        },
        "chargeback": False,
    }
    if order["pan"]:
        answer |= _card_details(order)
    return _present(answer)


def _card_details(order: Row) -> Answer:
    return {
        "cardAuthInfo": _present(
            {
                "maskedPan": order["pan"],
                "pan": order["pan"],
                "expiration": order["expiry"],
                "cardholderName": order["cardholder"],
                "approvalCode": order["approval_code"],
                "paymentSystem": "MASTERCARD" if order["pan"].startswith("5") else "VISA",
            }
        ),
        "authDateTime": _milliseconds(order["authorised_at"]),
        "terminalId": "00000001",
        "authRefNum": order["auth_ref"],
        "bankInfo": {"bankName": "BANQUE DU BAC A SABLE", "bankCountryCode": "TN",
                     "bankCountryName": "Tunisie"},
        "payerData": {"email": order["email"]} if order["email"] else None,
        "paymentWay": order["payment_way"],
    }  # fmt: skip


DESCRIPTIONS = {
    0: "Request processed successfully",
    rules.SESSION_EXPIRED: "Session expired",
    rules.NO_FUNDS: "Insufficient funds",
    rules.CARD_EXPIRED: "Expired card",
    rules.CARD_INVALID: "Invalid card number",
    rules.CEILING: "Ceiling exceeded",
    rules.WRONG_CVV: "Wrong security code",
}


def _milliseconds(moment: float | None) -> int | None:
    return None if moment is None else int(moment * 1000)


def _present(answer: Answer) -> Answer:
    """What the gateway does not know it does not mention."""
    return {name: value for name, value in answer.items() if value is not None}

"""Levers for tests and demonstrations: they are no part of ClicToPay's protocol.

``POST /control/behaviour`` ``{"call": "getOrderStatusExtended", "mode": "slow", "seconds": 5, "times": 3}``
queues a misbehaviour (``call``: a REST call, ``page`` or ``*``; without ``times``, until
``DELETE /control/behaviour``; ``GET`` lists). Modes:

- nothing is done: ``down`` (503), ``error500``;
- the work is done, then the answer is spoilt: ``slow``, ``drop`` (connection cut), ``garbage`` (HTML),
  ``empty``, ``json_list``, ``missing_fields``, ``wrong_amount``, ``wrong_currency``,
  ``wrong_order_number``, ``foreign_form_url``.

``GET /control/orders/<mdOrder>`` shows the order and its operations; ``POST`` with ``{"expires_in": 0}`` or
``{"status": 5}`` moves it; ``POST /control/orders/<mdOrder>/pay`` ``{"pan", "expiry", "cvv"}`` pays without
a browser. Bodies must be JSON, so no web page can pull a lever by a plain form.
"""

from __future__ import annotations

import json
import socket
import time
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request

from app.sandbox import gateway_rules as rules
from app.sandbox.gateway_store import Row, Store

CALLS = frozenset(
    (
        *("register", "registerPreAuth", "deposit", "reverse", "refund"),
        *("getOrderStatus", "getOrderStatusExtended", "page", "*"),
    )
)
MODES = frozenset(
    (
        *("down", "error500", "slow", "drop", "garbage", "empty", "json_list", "missing_fields"),
        *("wrong_amount", "wrong_currency", "wrong_order_number", "foreign_form_url"),
    )
)
_NONSENSE = "<!doctype html><html lang=fr><title>Maintenance</title><h1>Service indisponible</h1></html>"


def control_blueprint(store: Store) -> Blueprint:
    """The levers and the list of orders, bound to one store."""
    bp = Blueprint("control", __name__)

    @bp.errorhandler(rules.Refusal)
    def refused(refusal: rules.Refusal) -> tuple[Response, int]:
        status = 404 if refusal.code == rules.UNKNOWN_ORDER else 400
        return jsonify(error=refusal.message("en")), status

    @bp.get("/")
    def index() -> str:
        return render_template("gateway/index.html", orders=store.latest(), cards=rules.TEST_CARDS,
                               states=rules.PAYMENT_STATES)  # fmt: skip

    @bp.get("/control/behaviour")
    def listed() -> Response:
        return jsonify([dict(row) for row in store.behaviours()])

    @bp.post("/control/behaviour")
    def misbehave() -> Response:
        body = _body()
        call, mode, times = body.get("call", "*"), body.get("mode"), body.get("times")
        seconds = body.get("seconds", 5 if mode == "slow" else 0)
        if call not in CALLS or mode not in MODES:
            raise rules.wrong("call" if call not in CALLS else "mode")
        if times is not None and (type(times) is not int or times < 1):
            raise rules.wrong("times")
        if type(seconds) not in (int, float) or not 0 <= seconds <= 120:
            raise rules.wrong("seconds")
        store.misbehave(call, mode, float(seconds), times)
        return jsonify([dict(row) for row in store.behaviours()])

    @bp.delete("/control/behaviour")
    def behave() -> tuple[str, int]:
        store.behave()
        return "", 204

    @bp.get("/control/orders/<md_order>")
    def show(md_order: str) -> Response:
        return _order(store, store.find(md_order=md_order))

    @bp.post("/control/orders/<md_order>")
    def move(md_order: str) -> Response:
        body = _body()
        status, expires_in = body.get("status"), body.get("expires_in")
        if status is not None and (type(status) is not int or status not in rules.PAYMENT_STATES):
            raise rules.wrong("status")
        if expires_in is not None and type(expires_in) not in (int, float):
            raise rules.wrong("expires_in")
        return _order(store, store.force(md_order, status=status, expires_in=expires_in))

    @bp.post("/control/orders/<md_order>/pay")
    def pay(md_order: str) -> Response:
        body = _body()
        first = rules.TEST_CARDS[0]
        row = store.pay(
            md_order,
            pan=str(body.get("pan", first.pan)),
            expiry=str(body.get("expiry", rules.CARD_EXPIRY)),
            cvv=str(body.get("cvv", first.cvv)),
            cardholder=str(body.get("cardholder", "TITULAIRE DE TEST")),
            email=str(body.get("email", "")),
            payment_way="CARD",
            ip=request.remote_addr or "",
        )
        return _order(store, row)

    return bp


def _body() -> dict[str, Any]:
    body = request.get_json()
    if not isinstance(body, dict):
        raise rules.wrong("body")
    return body


def _order(store: Store, row: Row) -> Response:
    operations = [dict(operation) for operation in store.operations(row["md_order"])]
    return jsonify({**dict(row), "operations": operations})


def before_work(mode: str, seconds: float) -> Response | None:
    """The answer of a gateway that is out of order and does nothing, or None to go on."""
    if mode == "down":
        return Response(_NONSENSE, 503, mimetype="text/html")
    if mode == "error500":
        return Response("Internal Server Error", 500, mimetype="text/plain")
    return None


def after_work(mode: str, seconds: float, response: Response) -> Response:
    """Spoil the answer of a call that has done its work."""
    if mode == "slow":
        time.sleep(seconds)
        return response
    if mode == "drop":
        _hang_up()
        return Response("", 502)
    if mode == "garbage":
        return Response(_NONSENSE, 200, mimetype="text/html")
    if mode == "empty":
        return Response("", 200, mimetype="application/json")
    if mode == "json_list":
        return Response('["0"]', 200, mimetype="application/json")
    if response.mimetype != "application/json":
        return response
    return Response(json.dumps(_falsify(mode, response.get_json())), 200, mimetype="application/json")


def _falsify(mode: str, answer: dict[str, Any]) -> dict[str, Any]:
    spoilt = dict(answer)
    for name in answer:
        key = name.lower()
        if mode == "wrong_amount" and key in ("amount", "depositamount"):
            spoilt[name] = answer[name] + 1000
        elif mode == "wrong_currency" and key == "currency":
            spoilt[name] = "978"
        elif mode == "wrong_order_number" and key == "ordernumber":
            spoilt[name] = "AUTRE-COMMANDE"
        elif mode == "foreign_form_url" and key == "formurl":
            spoilt[name] = "https://paiement.exemple.invalid/payment_fr.html"
        elif mode == "missing_fields" and key in ("orderid", "orderstatus", "amount", "errorcode"):
            del spoilt[name]
    return spoilt


def _hang_up() -> None:
    """Cut the connection where the server lends its socket (werkzeug, gunicorn); else the caller gets 502."""
    line = request.environ.get("werkzeug.socket") or request.environ.get("gunicorn.socket")
    if isinstance(line, socket.socket):
        line.shutdown(socket.SHUT_RDWR)

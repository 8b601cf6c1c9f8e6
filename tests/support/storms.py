"""REL-1: returns, polls and reconciliation runs of one payment, from several processes at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

from flask import Flask

from app.extensions import db
from app.models import Payment
from app.services.payments import reconcile_payments, settle, settling
from tests.support.paying import Shop, assert_paid_once, attempt, pay
from tests.support.processes import barrier, in_processes, in_threads
from tests.support.servers import HttpServer

PROCESSES = 4


def storm(app: Flask, gateway: HttpServer, calls: int, *, certificates: int = 3) -> tuple[Shop, list[str]]:
    """``calls`` over four processes on one payment that was just paid; the shop and what went wrong."""
    shop = Shop(certificates)
    payment_id = shop.start().payment_id
    payment = attempt(payment_id)
    addresses = (
        f"/paiements/retour?t={payment.return_token}",
        f"/paiements/retour?orderId={payment.gateway_order_id}",
    )
    pay(gateway, payment_id)

    def one_process(first: int) -> Callable[[], list[str]]:
        def work() -> list[str]:
            mine = [_call(app, payment_id, addresses, index) for index in range(first, calls, PROCESSES)]
            return [problem for problem in in_threads(app, mine) if problem]

        return work

    answers = in_processes(app, [one_process(first) for first in range(PROCESSES)])
    return shop, [str(problem) for problems in answers for problem in problems]


def _call(app: Flask, payment_id: int, addresses: tuple[str, str], index: int) -> Callable[[], str]:
    """A return by token, a poll, a return by order, a reconciliation run, in turn; what went wrong, or nothing."""

    def returned(address: str) -> str:
        status = app.test_client().get(address).status_code
        return "" if status == 200 else f"{address} answered {status}"

    def polled() -> str:
        state = settle(payment_id).state
        return "" if state == "PAYE" else f"a poll found {state}"

    def reconciled() -> str:
        reconcile_payments()
        return ""

    kinds = (lambda: returned(addresses[0]), polled, lambda: returned(addresses[1]), reconciled)
    return kinds[(index // PROCESSES) % len(kinds)]


def storm_without_the_lock(app: Flask, gateway: HttpServer) -> tuple[Shop, list[str]]:
    """The same payment, one poll a process, with the attempt read instead of locked: in the children only."""
    shop = Shop(3)
    payment_id = shop.start().payment_id
    pay(gateway, payment_id)
    everybody_read = barrier(PROCESSES)

    def plain_read(model: Any, row_id: int) -> Any:
        row = db.session.get_one(model, row_id)
        if model is Payment:
            everybody_read.wait(30)
        return row

    def work() -> str:
        with mock.patch.object(settling, "lock", plain_read):
            try:
                return "" if settle(payment_id).state == "PAYE" else "not paid"
            except Exception as error:  # noqa: BLE001 - what the test looks for
                return type(error).__name__

    answers = in_processes(app, [work] * PROCESSES)
    return shop, [problem for problem in answers if problem]


def check_storm(shop: Shop, problems: list[str]) -> None:
    """One confirmation, one invoice, one mail an administrator, no error."""
    assert problems == []
    assert_paid_once(shop)

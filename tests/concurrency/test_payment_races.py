"""Payments, several connections at once: one confirmation, one attempt, numbers without a gap."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.extensions import db
from app.models import Invoice, InvoiceArchive, Payment
from app.services.basket import remove_from_basket
from app.services.invoicing import invoice_pdf_bytes
from app.services.numbering import take_numbers
from app.services.payments import Opening, reconcile_payments, settle, settle_for_return, settling
from app.services.unit_of_work import use_case
from app.states import PaymentState
from tests.support.paying import Shop, assert_paid_once, assert_unpaid, attempt, count_payments, invoices, pay
from tests.support.racing import errors_of, race
from tests.support.servers import HttpServer

THREADS = 8


def _returns_and_jobs(payment_id: int) -> list[Callable[[], object]]:
    """A browser coming back in several tabs while the reconciliation runs."""
    kinds: list[Callable[[], object]] = [
        lambda: settle(payment_id).state,
        lambda: settle_for_return(payment_id)[0].state,
        reconcile_payments,
    ]
    return [kinds[index % len(kinds)] for index in range(THREADS)]


@pytest.mark.spec("GAT-3", "INV-1")
def test_threads_settling_one_payment_confirm_it_once(gateway: HttpServer, app: Flask) -> None:
    shop = Shop(3)
    opening = shop.start()
    pay(gateway, opening.payment_id)
    _assert_one_confirmation(race(app, *_returns_and_jobs(opening.payment_id)), shop)


@pytest.mark.spec("GAT-3")
def test_without_the_lock_the_same_race_breaks(
    gateway: HttpServer, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above is worth something: with a plain read instead of the lock, it fails."""
    shop = Shop(3)
    opening = shop.start()
    pay(gateway, opening.payment_id)
    everybody_read = threading.Barrier(THREADS)

    def plain_read(model: Any, row_id: int) -> Any:
        row = db.session.get_one(model, row_id)
        if model is Payment:
            everybody_read.wait(30)
        return row

    monkeypatch.setattr(settling, "lock", plain_read)
    results = race(app, *[lambda: settle(opening.payment_id).state for _index in range(THREADS)])
    with pytest.raises(AssertionError):
        _assert_one_confirmation(results, shop)


def _assert_one_confirmation(results: list[object], shop: Shop) -> None:
    assert errors_of(results) == []
    assert_paid_once(shop)


@pytest.mark.spec("GAT-3", "PAY-3")
def test_clicks_at_the_same_instant_open_one_attempt(gateway: HttpServer, app: Flask) -> None:
    shop = Shop(2)
    request_ids = list(shop.request_ids)
    clicks = [lambda: shop.start(request_ids=request_ids, expected_total=848_000) for _index in range(THREADS)]
    results = race(app, *clicks)
    assert errors_of(results) == []
    assert len({each for each in results if isinstance(each, Opening)}) == 1
    assert count_payments() == 1
    assert count_payments(PaymentState.EN_COURS) == 1


@pytest.mark.spec("GAT-3")
def test_paying_against_emptying_the_basket_ends_one_way_or_the_other(gateway: HttpServer, app: Flask) -> None:
    shop = Shop(2)
    opening = shop.start()
    pay(gateway, opening.payment_id)
    reference = shop.references[0]
    race(app, lambda: settle(opening.payment_id).state, lambda: remove_from_basket(shop.actor, reference).state)
    assert_paid_once(shop)
    assert attempt(opening.payment_id).state is PaymentState.PAYE


@pytest.mark.spec("GAT-3")
def test_an_attempt_for_other_people_is_never_in_the_way(gateway: HttpServer, app: Flask) -> None:
    shops = [Shop(2) for _index in range(4)]
    openings = [shop.start() for shop in shops]
    for opening in openings:
        pay(gateway, opening.payment_id)
    ids = [opening.payment_id for opening in openings]
    works = [lambda payment_id=payment_id: settle(payment_id).state for payment_id in ids * 2]
    assert set(race(app, *works)) == {PaymentState.PAYE}
    assert [invoice.sequence for invoice in invoices()] == [1, 2, 3, 4]


@pytest.mark.spec("INV-1")
def test_numbers_have_no_gap_over_writers_that_give_up(app: Flask) -> None:
    """16 writers × 20 takings, a third of them rolled back: what was committed is 1 … n."""

    def writer(seed: int) -> list[int]:
        dice = random.Random(seed)
        kept: list[int] = []
        for _index in range(20):
            count = dice.randint(1, 3)
            give_up = dice.random() < 0.34
            try:
                kept += _take(count, give_up=give_up)
            except ZeroDivisionError:
                assert give_up
        return kept

    results = race(app, *[lambda seed=seed: writer(seed) for seed in range(16)])
    assert errors_of(results) == []
    numbers = sorted(number for kept in results if isinstance(kept, list) for number in kept)
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 16 * 10


@use_case
def _take(count: int, *, give_up: bool) -> list[int]:
    numbers = list(take_numbers("FAC-2026", count))
    if give_up:
        raise ZeroDivisionError
    return numbers


@pytest.mark.spec("INV-2")
def test_whoever_needs_a_pdf_first_archives_it_for_all(gateway: HttpServer, app: Flask) -> None:
    shop = Shop()
    opening = shop.start()
    pay(gateway, opening.payment_id)
    settle(opening.payment_id)
    invoice_id = db.session.scalars(select(Invoice.id)).one()
    results = race(app, *[lambda: invoice_pdf_bytes(invoice_id) for _index in range(4)])
    assert errors_of(results) == []
    assert len(set(results)) == 1
    assert db.session.scalar(select(func.count()).select_from(InvoiceArchive)) == 1


@pytest.mark.spec("GAT-3")
def test_an_unpaid_attempt_is_ended_once_by_many(gateway: HttpServer, app: Flask, travel: Callable[..., Any]) -> None:
    shop = Shop()
    opening = shop.start()
    travel(minutes=21)
    assert errors_of(race(app, *_returns_and_jobs(opening.payment_id))) == []
    assert attempt(opening.payment_id).state is PaymentState.EXPIRE
    assert_unpaid(shop)

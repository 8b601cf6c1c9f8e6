"""Credit notes pay for the next baskets: offered first, used once, oldest first (PAY-2, AVO-3)."""

from __future__ import annotations

import contextlib

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.errors import DomainError
from app.extensions import db
from app.models import CreditOutcome, CreditReason, Invoice, LedgerEntry, Payment, PaymentMethod
from app.services.credits import ledger
from app.services.credits.amounts import Wanted, left_of
from app.services.payments import settle
from app.services.payments.settling import Anomaly, abandon
from app.services.payments.starting import CreditChanged
from app.states import PaymentState, RequestState
from tests.services.test_invoices import sell
from tests.support.crediting import Desk, assert_books_add_up
from tests.support.paying import Shop, attempt, invoices, mailed, move, pay
from tests.support.servers import HttpServer


def credited(gateway: HttpServer, amount: int | None = None) -> Shop:
    """An organisation with ``amount`` millimes of credit (424,500 by default) and one request in its basket."""
    shop, invoice = sell(gateway)
    if amount is None:
        Desk().issue(invoice)
    else:
        line = left_of(invoice).lines[0].line
        ht = min(amount, line.price_ht)
        Desk().issue(invoice, wanted=[Wanted(line.id, ht, 0)], stamp_duty=0)
    shop.request_ids = [shop.add()]
    return shop


@pytest.mark.spec("PAY-2", "AVO-3")
def test_a_credit_pays_the_new_order_to_the_millime_without_the_gateway(gateway: HttpServer, app: Flask) -> None:
    shop = credited(gateway)
    opening = shop.start(credit=424_500)
    payment = attempt(opening.payment_id)
    assert (payment.state, payment.method, payment.amount) == (PaymentState.PAYE, PaymentMethod.CREDIT, 0)
    assert payment.gateway_order_id is None
    assert payment.return_token in opening.form_url
    assert shop.states == {RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST}
    latest = invoices()[-1]
    assert (latest.payment_id, latest.total_ttc) == (payment.id, 424_500)
    assert latest.snapshot["payment_method"] == "Avoir"
    assert len(mailed()) == 2 * len(shop.emails)
    assert ledger.balance_of(shop.organisation_id) == 0
    assert_books_add_up(shop.organisation_id)


@pytest.mark.spec("PAY-2", "AVO-3")
def test_a_smaller_credit_leaves_the_rest_to_the_card(gateway: HttpServer, app: Flask) -> None:
    shop = credited(gateway, 100_000)
    available = ledger.available_to(shop.organisation_id)
    assert available == 119_000
    opening = shop.start(credit=available)
    payment = attempt(opening.payment_id)
    assert (payment.amount, payment.credit_used, payment.state) == (305_500, 119_000, PaymentState.EN_COURS)
    assert ledger.available_to(shop.organisation_id) == 0  # held while the attempt is live
    assert ledger.balance_of(shop.organisation_id) == 119_000  # and not used yet
    pay(gateway, opening.payment_id)
    settle(opening.payment_id)
    assert attempt(opening.payment_id).state is PaymentState.PAYE
    assert ledger.balance_of(shop.organisation_id) == 0
    latest = invoices()[-1]
    assert (latest.total_ttc, latest.snapshot["credit_used"]) == (424_500, 119_000)
    assert latest.snapshot["payment_method"] == "Carte bancaire et avoir"
    assert_books_add_up(shop.organisation_id)


@pytest.mark.spec("AVO-3")
def test_a_larger_credit_is_used_in_part_oldest_first(gateway: HttpServer, app: Flask) -> None:
    shop, first = sell(gateway, 2)
    line = left_of(first).lines[0].line
    older = Desk().issue(first, wanted=[Wanted(line.id, 10_000, 0)], stamp_duty=0)
    newer = Desk().issue(first, reason=CreditReason.ERREUR_TUNTRUST)
    shop.request_ids = [shop.add()]
    shop.start(credit=424_500)
    used = {
        entry.credit_note_id: -entry.amount
        for entry in db.session.scalars(select(LedgerEntry).where(LedgerEntry.amount < 0))
    }
    assert used == {older.id: older.total_ttc, newer.id: 424_500 - older.total_ttc}
    assert ledger.available_to(shop.organisation_id) == first.total_ttc - 424_500
    assert_books_add_up(shop.organisation_id)


@pytest.mark.spec("AVO-3", "GAT-3")
def test_an_attempt_that_ends_unpaid_gives_its_credit_back(gateway: HttpServer, app: Flask) -> None:
    shop = credited(gateway, 100_000)
    opening = shop.start(credit=119_000)
    again = shop.start(credit=119_000)
    assert again.payment_id == opening.payment_id  # the same basket, the same credit: the same page again
    without = shop.start(credit=0)
    assert without.payment_id != opening.payment_id
    assert attempt(opening.payment_id).state is PaymentState.ABANDONNE
    assert ledger.available_to(shop.organisation_id) == 119_000
    abandon(without.payment_id)
    assert_books_add_up(shop.organisation_id)


@pytest.mark.spec("GAT-3", "AVO-3")
def test_a_late_payment_whose_credit_was_used_elsewhere_goes_to_the_desk(gateway: HttpServer, app: Flask) -> None:
    shop = credited(gateway, 100_000)
    late = shop.start(credit=119_000)
    abandon(late.payment_id)
    spent = shop.add()
    kept = shop.request_ids
    basket = db.session.get_one(type(shop.requests[0]), kept[0])
    basket.basket_added_at = None
    db.session.commit()
    shop.request_ids = [spent]
    other = shop.start(credit=119_000)
    pay(gateway, other.payment_id)
    settle(other.payment_id)
    pay(gateway, late.payment_id)
    settle(late.payment_id)
    payment = attempt(late.payment_id)
    assert (payment.state, payment.anomaly) == (PaymentState.A_REGULARISER, Anomaly.CREDIT_GONE)
    assert_books_add_up(shop.organisation_id)


@pytest.mark.spec("GAT-3", "AVO-3")
def test_a_late_payment_takes_its_credit_again_where_it_is_still_there(gateway: HttpServer, app: Flask) -> None:
    shop = credited(gateway, 100_000)
    late = shop.start(credit=119_000)
    move(gateway, late.payment_id, status=6)
    settle(late.payment_id)
    assert attempt(late.payment_id).state is PaymentState.REFUSE
    move(gateway, late.payment_id, status=2)
    settle(late.payment_id)
    assert attempt(late.payment_id).state is PaymentState.PAYE
    assert ledger.balance_of(shop.organisation_id) == 0
    assert_books_add_up(shop.organisation_id)


@pytest.mark.spec("AVO-3", "PPL-2")
@pytest.mark.parametrize("credit", [-1, 1, 424_501, 10**11])
def test_credit_that_is_not_there_is_refused_and_nothing_written(gateway: HttpServer, app: Flask, credit: int) -> None:
    credited(gateway)  # another organisation's credit is nobody else's
    poor = Shop()
    with pytest.raises(CreditChanged):
        poor.start(credit=credit)
    assert db.session.scalars(select(Payment).where(Payment.organisation_id == poor.organisation_id)).all() == []


@pytest.mark.spec("AVO-1")
def test_what_credit_paid_goes_back_as_credit_only(gateway: HttpServer, app: Flask) -> None:
    shop = credited(gateway)
    shop.start(credit=424_500)
    latest = db.session.scalars(select(Invoice).order_by(Invoice.id.desc()).limit(1)).one()
    with pytest.raises(DomainError) as refusal:
        Desk().prepare(latest, outcome=CreditOutcome.REMBOURSEMENT_PASSERELLE)
    assert refusal.value.field == "outcome"
    Desk().issue(latest)
    assert ledger.available_to(shop.organisation_id) == 424_500
    assert_books_add_up(shop.organisation_id)


@pytest.mark.slow
@pytest.mark.spec("AVO-3", "REL-6")
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from("ocpab"), st.integers(1, 3), st.integers(0, 600_000)), max_size=7))
def test_whatever_happens_the_books_add_up(gateway: HttpServer, app: Flask, steps: list[tuple[str, int, int]]) -> None:
    """Orders, credit notes in part, payments, attempts given up, in any order."""
    shop, invoice = sell(gateway)
    desk = Desk()
    opened: list[int] = []
    for kind, count, amount in steps:
        if kind == "c":
            target = (
                db.session.scalars(
                    select(Invoice).where(Invoice.organisation_id == shop.organisation_id).order_by(Invoice.id.desc())
                ).first()
                or invoice
            )
            left = left_of(target)
            wanted = [Wanted(each.line.id, min(amount, each.price_ht), each.delivery) for each in left.lines]
            if sum(part.price_ht + part.delivery for part in wanted):
                desk.issue(target, wanted=wanted, stamp_duty=0)
        elif kind == "a" and opened:
            abandon(opened[-1])
        elif kind == "p" and opened and attempt(opened[-1]).state is PaymentState.EN_COURS:
            pay(gateway, opened[-1])
            settle(opened[-1])
        elif kind in "ob":
            for _index in range(count):
                shop.add()
            credit = min(ledger.available_to(shop.organisation_id), amount) if kind == "b" else 0
            with contextlib.suppress(CreditChanged):  # an open attempt held it, and is ended now
                opened.append(shop.start(credit=credit).payment_id)
        assert_books_add_up(shop.organisation_id)

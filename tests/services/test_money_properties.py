"""Whatever is bought, at whatever prices, given back in whatever parts: the totals always add up (REL-6, PRI-2)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from app import clock
from app.extensions import db
from app.models import (
    BillingRate,
    CreditNote,
    CreditOutcome,
    Invoice,
    Payment,
    Refund,
    Tariff,
)
from app.papers import InvoiceData, check_amounts
from app.papers.teif import read_amounts
from app.queries.billing import basket_of
from app.services.credits import ledger, refunding
from app.services.credits.amounts import Wanted, left_of
from app.services.credits.proposing import refundable
from app.services.electronic_invoices import teif_of_credit_note, teif_of_invoice
from app.services.payments import BasketChanged, settle
from app.services.pricing import quote_requests
from app.states import PaymentState
from tests.support.crediting import Desk, assert_books_add_up
from tests.support.paying import Shop, attempt, pay
from tests.support.servers import HttpServer


@dataclass(frozen=True, slots=True)
class Prices:
    """What the operator asks from a day on."""

    ht: int
    vat_bp: int
    delivery: int
    delivery_vat_bp: int
    stamp: int

    def apply(self) -> None:
        """In force from now on, in place of what today's prices were."""
        usual = db.session.scalars(select(Tariff).order_by(Tariff.id)).first()
        assert usual is not None
        db.session.execute(delete(Tariff).where(Tariff.valid_from == clock.today()))
        db.session.execute(delete(BillingRate).where(BillingRate.valid_from == clock.today()))
        db.session.add(
            Tariff(
                certificate_type_id=usual.certificate_type_id,
                validity_years=2,
                price_ht=self.ht,
                vat_rate_bp=self.vat_bp,
                valid_from=clock.today(),
            )
        )
        db.session.add(
            BillingRate(
                valid_from=clock.today(),
                stamp_duty=self.stamp,
                delivery_ttc=self.delivery,
                delivery_vat_bp=self.delivery_vat_bp,
            )
        )
        db.session.commit()


RATES = st.sampled_from((0, 700, 1300, 1900)) | st.integers(0, 2_500)
PRICES = st.builds(
    Prices,
    ht=st.sampled_from((1, 350_000)) | st.integers(1, 2_000_000),
    vat_bp=RATES,
    delivery=st.sampled_from((0, 7_000)) | st.integers(0, 20_000),
    delivery_vat_bp=RATES,
    stamp=st.sampled_from((0, 1_000)) | st.integers(0, 3_000),
)
SHARES = st.sampled_from((0, 1_000)) | st.integers(0, 1_000)
"""Thousandths of what is left of a line."""


@dataclass(frozen=True, slots=True)
class Giving:
    """One credit note: a share of the price and of the delivery of each line, the stamp or not."""

    shares: Sequence[tuple[int, int]]
    stamp: bool
    outcome: CreditOutcome


GIVINGS = st.builds(
    Giving,
    shares=st.lists(st.tuples(SHARES, SHARES), min_size=1, max_size=3),
    stamp=st.booleans(),
    outcome=st.sampled_from(CreditOutcome),
)
THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
few = settings(
    max_examples=150 if THOROUGH else 4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.mark.slow
@pytest.mark.spec("REL-6", "PRI-1", "PRI-2", "INV-1", "AVO-2", "AVO-3")
@few
@example(
    first=Prices(ht=1, vat_bp=0, delivery=66, delivery_vat_bp=1_300, stamp=0),
    then=Prices(ht=1, vat_bp=0, delivery=0, delivery_vat_bp=0, stamp=0),
    count=1,
    givings=[Giving([(0, 16)], False, CreditOutcome.CREDIT), Giving([(0, 1_000)], False, CreditOutcome.CREDIT)],
    again=1,
)
@given(
    first=PRICES,
    then=PRICES,
    count=st.integers(1, 3),
    givings=st.lists(GIVINGS, max_size=3),
    again=st.integers(1, 3),
)
def test_totals_add_up_whatever_is_bought_and_given_back(
    gateway: HttpServer, app: Flask, first: Prices, then: Prices, count: int, givings: list[Giving], again: int
) -> None:
    """Bought at one price, the tariff changing before the card is typed; given back in parts; credit spent anew."""
    first.apply()
    shop, desk = Shop(count), Desk()
    opening = shop.start()
    then.apply()  # the attempt keeps its frozen price
    invoice = _paid(gateway, opening.payment_id)
    for giving in givings:
        _give(desk, invoice, giving)
    for _index in range(again):
        shop.add()
    rows = basket_of(shop.organisation_id)
    total = quote_requests(rows).quote.total
    credit = min(ledger.available_to(shop.organisation_id), total)
    second = attempt(shop.start(credit=credit).payment_id)
    if second.state is not PaymentState.PAYE:
        _paid(gateway, second.id)
    _give(desk, attempt(second.id).invoice, Giving([(1_000, 1_000)], stamp=True, outcome=CreditOutcome.CREDIT))
    _check(shop)


def _paid(gateway: HttpServer, payment_id: int) -> Invoice:
    pay(gateway, payment_id)
    invoice = settle(payment_id).invoice
    assert invoice is not None
    return invoice


def _give(desk: Desk, invoice: Invoice | None, giving: Giving) -> None:
    """A credit note of that share of what is left, refunded at once when it is to be."""
    assert invoice is not None
    left = left_of(invoice)
    wanted = []
    for index, line in enumerate(left.lines):
        price, delivery = giving.shares[index % len(giving.shares)]
        wanted.append(Wanted(line.line.id, line.price_ht * price // 1_000, line.delivery * delivery // 1_000))
    if not any(each.price_ht + each.delivery for each in wanted):
        return
    outcome = giving.outcome if refundable(invoice) >= left.total else CreditOutcome.CREDIT
    note = desk.issue(invoice, wanted=wanted, stamp_duty=left.stamp_duty if giving.stamp else 0, outcome=outcome)
    refund = db.session.scalars(select(Refund).where(Refund.credit_note_id == note.id)).one_or_none()
    if refund is not None and outcome is CreditOutcome.REMBOURSEMENT_PASSERELLE:
        refunding.refund_by_gateway(refund.id, actor=desk.supervisor)
    elif refund is not None:
        refunding.refund_by_hand(refund.id, bank_reference="VIR 2026", actor=desk.supervisor)


def _check(shop: Shop) -> None:
    """Everything that must hold between papers, books, electronic forms and the bank."""
    assert_books_add_up(shop.organisation_id)
    for invoice in db.session.scalars(select(Invoice).where(Invoice.organisation_id == shop.organisation_id)):
        payment = db.session.get_one(Payment, invoice.payment_id)
        assert invoice.total_ttc == payment.amount + payment.credit_used
        _check_paper(invoice, teif_of_invoice, sign=1)
        notes = db.session.scalars(select(CreditNote).where(CreditNote.invoice_id == invoice.id)).all()
        for note in notes:
            _check_paper(note, teif_of_credit_note, sign=-1)
        _check_given(invoice, notes)
        refunds = db.session.scalars(select(Refund).where(Refund.payment_id == payment.id)).all()
        assert sum(refund.amount for refund in refunds) <= payment.amount
        assert payment.refunded <= payment.amount


def _check_paper(row: Any, teif: Callable[[int], tuple[str, bytes]], *, sign: int) -> None:
    """Row, snapshot and TEIF say the same amounts, and each is the sum of its parts."""
    assert row.total_ttc == row.total_ht + row.total_vat + row.total_delivery + row.stamp_duty
    data = InvoiceData.from_snapshot(dict(row.snapshot))
    check_amounts(data)
    said = data.amounts
    assert said.total_ttc == sign * row.total_ttc
    assert (said.total_ht, said.total_vat) == (sign * row.total_ht, sign * row.total_vat)
    assert said.total_ht == sum(line.ht for line in data.lines)
    assert said.total_vat == sum(line.vat for line in data.lines)
    told = read_amounts(teif(row.id)[1])
    vat = said.total_vat + said.delivery_vat
    assert (told["I-180"], told["I-181"], told["I-1601"]) == (said.total_ttc, vat, said.stamp_duty)


def _check_given(invoice: Invoice, notes: Sequence[CreditNote]) -> None:
    """No more than was invoiced, part by part; to the millime when all of it was given back, the VAT too."""
    bought = _parts(invoice, 1)
    given = [sum(amounts) for amounts in zip(*(_parts(note, -1) for note in notes), strict=True)] or [0] * 5
    assert all(0 <= part <= whole for part, whole in zip(given, bought, strict=True)), (given, bought)
    if sum(note.total_ttc for note in notes) == invoice.total_ttc:
        assert given == bought


def _parts(row: Any, sign: int) -> list[int]:
    amounts = row.snapshot["amounts"]
    names = ("total_ht", "total_vat", "delivery_ht", "delivery_vat", "stamp_duty")
    return [sign * int(amounts[name]) for name in names]


@pytest.mark.spec("PRI-2", "PAY-1")
def test_a_tariff_changed_between_basket_and_payment_is_shown_before_it_is_paid(
    gateway: HttpServer, app: Flask
) -> None:
    """The page's total is no longer right: refused with the new one. An attempt already open keeps its price."""
    shop = Shop(2)
    shown = quote_requests(basket_of(shop.organisation_id)).quote.total
    opened = attempt(shop.start().payment_id)
    Prices(ht=400_000, vat_bp=1_900, delivery=7_000, delivery_vat_bp=0, stamp=1_000).apply()
    with pytest.raises(BasketChanged) as told:
        Shop(2).start(expected_total=shown)
    assert told.value.total == 2 * 476_000 + 2 * 7_000 + 1_000
    invoice = _paid(gateway, opened.id)
    assert (invoice.total_ttc, shown) == (848_000, 848_000)
    _check(shop)

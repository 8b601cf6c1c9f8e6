"""Credit notes and credit, several connections at once: never above the invoice, never used twice (AVO-2, AVO-3)."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.errors import DomainError
from app.extensions import db
from app.models import CreditNote, CreditOutcome, Invoice, LedgerEntry, Organisation, Payment, PaymentMethod
from app.permissions import Actor, Role
from app.services.credits import amounts, issuing, ledger, proposing, refunding
from app.services.credits.amounts import Wanted
from app.services.payments import settle, settling, start_payment
from app.services.payments.settling import apply_answer
from app.states import RefundState
from tests import factories
from tests.support.crediting import Desk, assert_books_add_up
from tests.support.paying import Shop, invoices, pay
from tests.support.racing import errors_of, race
from tests.support.servers import HttpServer
from tests.support.sold import paid_answer, payments_under_way

WRITERS = 16
WHOLE = 424_500


def _invoiced(shop: Shop, lines: int) -> Invoice:
    payment_id = payments_under_way(1, lines=lines, administrator=shop.administrator)[0]
    apply_answer(payment_id, paid_answer(payment_id))
    return db.session.scalars(select(Invoice).where(Invoice.payment_id == payment_id)).one()


def _supervisors(count: int) -> list[Actor]:
    return [factories.actor(factories.staff(Role.SUPERVISEUR)) for _index in range(count)]


def _sequences() -> list[int]:
    db.session.rollback()
    return sorted(db.session.scalars(select(CreditNote.sequence)))


@pytest.mark.spec("AVO-2")
def test_sixteen_officers_issuing_on_one_invoice_never_exceed_it(app: Flask) -> None:
    """Parts and wholes, prepared while all of it was left: some are refused in words, none breaks the sum."""
    shop, desk = Shop(0), Desk()
    invoice = _invoiced(shop, 3)
    lines = [line.id for line in invoice.payment.lines]
    proposals = []
    for index in range(WRITERS):
        if index % 4 == 3:
            proposals.append(desk.prepare(invoice))  # everything that is left
        else:
            part = [Wanted(lines[index % 3], 40_000 + 20_000 * index, 7_000 if index % 2 else 0)]
            proposals.append(desk.prepare(invoice, wanted=part, stamp_duty=0))
    works = [
        lambda proposal=proposal, officer=officer: issuing.issue(proposal, actor=officer).id
        for proposal, officer in zip(proposals, _supervisors(WRITERS), strict=True)
    ]
    results = race(app, *works)
    refused = errors_of(results)
    assert refused
    assert all(isinstance(each, DomainError) for each in refused), refused
    assert _sequences() == list(range(1, WRITERS - len(refused) + 1))
    assert_books_add_up(shop.organisation_id)


@pytest.mark.spec("AVO-2")
def test_without_the_services_lock_the_database_still_refuses(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two wholes of one invoice, both checked before either is written: the trigger takes one."""
    shop, desk = Shop(0), Desk()
    invoice = _invoiced(shop, 1)
    proposals = [desk.prepare(invoice), desk.prepare(invoice)]
    both_checked = threading.Barrier(2)
    checked = issuing.check_amounts

    def check_then_wait(*given: Any) -> None:
        checked(*given)
        both_checked.wait(30)

    monkeypatch.setattr(issuing, "locked_invoice", lambda invoice_id: db.session.get_one(Invoice, invoice_id))
    monkeypatch.setattr(issuing, "check_amounts", check_then_wait)
    works = [
        lambda proposal=proposal, officer=officer: issuing.issue(proposal, actor=officer).id
        for proposal, officer in zip(proposals, _supervisors(2), strict=True)
    ]
    refused = errors_of(race(app, *works))
    assert len(refused) == 1
    assert isinstance(refused[0], IntegrityError)
    assert "exceed the invoice" in str(refused[0])
    assert _sequences() == [1]


@pytest.mark.spec("AVO-3", "PAY-2")
def test_eight_baskets_competing_for_one_credit_use_it_once(gateway: HttpServer, app: Flask) -> None:
    """Two administrators, four tabs each, the same basket: paid once, by the credit, and the ledger at zero."""
    shop, desk = Shop(0), Desk()
    desk.issue(_invoiced(shop, 1))
    shop.request_ids.append(shop.add())
    shown = list(shop.request_ids)
    actors = [factories.actor(person) for person in shop.people]
    works = [
        lambda actor=actors[index % 2]: start_payment(
            actor, shop.organisation_id, shown, PaymentMethod.CARTE, WHOLE, credit=WHOLE
        )
        for index in range(8)
    ]
    refused = errors_of(race(app, *works))
    assert len(refused) == 7
    assert all(isinstance(each, DomainError) for each in refused), refused
    assert ledger.balance_of(shop.organisation_id) == 0
    assert len(invoices()) == 2
    assert_books_add_up(shop.organisation_id)


@pytest.mark.spec("AVO-3")
def test_late_payments_counting_on_one_credit_spend_it_once(app: Flask) -> None:
    """Eight ended attempts that each counted on the whole of one credit are all paid at once: one has it."""
    shop, desk = Shop(0), Desk()
    note = desk.issue(_invoiced(shop, 1))
    ids = payments_under_way(8, administrator=shop.administrator, credit=200_000)
    for payment_id in ids:
        payment = db.session.get_one(Payment, payment_id)
        ledger.set_aside(payment, [ledger.Share(note.id, 200_000)])
        ledger.let_go(payment)
    db.session.commit()
    answers = {payment_id: paid_answer(payment_id) for payment_id in ids}
    works = [lambda payment_id=payment_id: apply_answer(payment_id, answers[payment_id]).state for payment_id in ids]
    results = race(app, *works)
    assert errors_of(results) == []
    assert sorted(str(each) for each in results) == ["A_REGULARISER"] * 6 + ["PAYE"] * 2
    assert ledger.balance_of(shop.organisation_id) == WHOLE - 400_000
    assert_books_add_up(shop.organisation_id)


@pytest.mark.spec("AVO-3")
def test_without_the_services_lock_credit_is_still_not_spent_twice(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both payments found their credit before either spent it: the ledger's trigger takes one."""
    shop, desk = Shop(0), Desk()
    note = desk.issue(_invoiced(shop, 1))
    ids = payments_under_way(2, administrator=shop.administrator, credit=300_000)
    for payment_id in ids:
        payment = db.session.get_one(Payment, payment_id)
        ledger.set_aside(payment, [ledger.Share(note.id, 300_000)])
        ledger.let_go(payment)
    db.session.commit()
    answers = {payment_id: paid_answer(payment_id) for payment_id in ids}
    both_covered = threading.Barrier(2)
    covers = ledger.covers

    def cover_then_wait(payment: Payment) -> bool:
        found = covers(payment)
        both_covered.wait(30)
        return found

    plain = settling.lock
    monkeypatch.setattr(
        settling,
        "lock",
        lambda model, row_id: db.session.get_one(model, row_id) if model is Organisation else plain(model, row_id),
    )
    monkeypatch.setattr(settling.ledger, "covers", cover_then_wait)
    results = race(app, *[lambda each=each: apply_answer(each, answers[each]).state for each in ids])
    refused = errors_of(results)
    assert len(refused) == 1
    assert "beyond what is left" in str(refused[0])
    assert ledger.balance_of(shop.organisation_id) == WHOLE - 300_000
    assert_books_add_up(shop.organisation_id)


@pytest.mark.spec("AVO-2", "AVO-3", "AVO-4")
def test_issuing_paying_refunding_and_settling_at_once_never_lock_each_other_out(
    gateway: HttpServer, app: Flask
) -> None:
    """One organisation, one invoice, every kind of hand on it, several rounds: refusals in words, no deadlock."""
    shop, desk = Shop(2), Desk()
    payment_id = shop.start().payment_id
    pay(gateway, payment_id)
    settle(payment_id)
    paid = invoices()[0]
    payment_lines = [line.id for line in paid.payment.lines]
    officers = _supervisors(3)
    for turn in range(4):
        shop.request_ids = [shop.add()]
        part = [Wanted(payment_lines[turn % 2], 60_000, 0)]
        to_credit = desk.prepare(paid, wanted=part, stamp_duty=0)
        to_refund = desk.prepare(paid, wanted=part, stamp_duty=0, outcome=CreditOutcome.REMBOURSEMENT_PASSERELLE)
        refund = issuing.issue(to_refund, actor=officers[0])
        waiting = db.session.scalars(select(refunding.Refund).filter_by(credit_note_id=refund.id)).one().id
        credit = ledger.available_to(shop.organisation_id)
        opened = shop.start(credit=credit).payment_id
        pay(gateway, opened)
        works = [
            lambda to_credit=to_credit: issuing.issue(to_credit, actor=officers[0]),
            lambda waiting=waiting: refunding.refund_by_gateway(waiting, actor=officers[1]),
            lambda waiting=waiting: refunding.refund_by_gateway(waiting, actor=officers[2]),
            lambda opened=opened: settle(opened),
            lambda opened=opened: settle(opened),
            lambda credit=credit: shop.start(credit=credit),
            lambda part=part: proposing.prepare(
                paid.id,
                part,
                stamp_duty=0,
                reason=amounts.CreditReason.RETRAIT_DEMANDE,
                reason_text="En même temps que le reste.",
                outcome=CreditOutcome.CREDIT,
                actor=desk.agent,
            ),
        ]
        broken = [each for each in errors_of(race(app, *works)) if not isinstance(each, DomainError)]
        assert broken == []
        states = set(db.session.scalars(select(refunding.Refund.state)))
        assert states == {RefundState.REMBOURSE}
        assert_books_add_up(shop.organisation_id)
    assert db.session.scalar(select(func.count()).select_from(LedgerEntry)) == 4 + 3
    assert _sequences() == list(range(1, 9))

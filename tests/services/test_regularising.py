"""The reconciliation desk: each cause and its remedy, by two people, once a press, never by itself (GAT-4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import httpx
import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from app import clock
from app.errors import DomainError, Forbidden, IllegalTransition, StaleObject
from app.extensions import db
from app.models import CreditOutcome, HistoryEntry, OutboxMail, Payment, PaymentRemedy, RefundMethod, RemedyKind
from app.permissions import Actor, Role
from app.queries import reconciliation
from app.queries.history import history_of_payment
from app.queries.lists import Asked, capped_counts, fetch_page
from app.queries.reconciliation_words import explained
from app.services.credits.refunding import refund_by_hand
from app.services.moving import move_request
from app.services.payments import query_gateway, reconcile_payments, settle
from app.services.payments.gateway import GatewayDown
from app.services.payments.reconciling import _due
from app.services.regularising import carrying, cases, closing, preparing
from app.services.unit_of_work import use_case
from app.states import Anomaly, PaymentState, RemedyState, RequestState
from tests import factories
from tests.services.test_invoices import sell
from tests.support.crediting import Desk
from tests.support.paying import Shop, assert_paid_once, attempt, behave, invoices, misbehave, move, pay
from tests.support.reconciling import (
    DUE,
    forced,
    held_elsewhere,
    paid_twice,
    prepared,
    remedy,
    to_carry_out,
    told_otherwise,
    withdrawn,
)
from tests.support.servers import HttpServer

K = RemedyKind
Make = Callable[[HttpServer], tuple[Shop, int]]


def operations(gateway: HttpServer, payment_id: int) -> list[tuple[str, int]]:
    """What was done to the order at the gateway, with its amounts."""
    order_id = attempt(payment_id).gateway_order_id
    db.session.rollback()
    told = httpx.get(f"{gateway.url}/control/orders/{order_id}").json()["operations"]
    return [(each["kind"], each["amount"]) for each in told if each["kind"] in ("refund", "reverse")]


def mails() -> list[OutboxMail]:
    return list(db.session.scalars(select(OutboxMail).where(OutboxMail.kind == "payment_given_back")))


@pytest.mark.spec("GAT-3", "GAT-4")
@pytest.mark.parametrize(
    ("make", "anomaly", "kinds", "taken"),
    [
        (paid_twice, Anomaly.PAID_TWICE, (K.PASSERELLE, K.VIREMENT, K.CLASSEMENT), DUE),
        (withdrawn, Anomaly.NOT_PAYABLE, (K.PASSERELLE, K.VIREMENT, K.CLASSEMENT), DUE),
        (held_elsewhere, Anomaly.HELD_ELSEWHERE, (K.PASSERELLE, K.VIREMENT, K.CLASSEMENT), DUE),
        (
            told_otherwise("wrong_amount"),
            Anomaly.AMOUNT_DIFFERS,
            (K.PASSERELLE, K.VIREMENT, K.CLASSEMENT),
            DUE + 1_000,
        ),
        (told_otherwise("wrong_currency"), Anomaly.CURRENCY_DIFFERS, (K.PASSERELLE, K.CLASSEMENT), DUE),
        (told_otherwise("wrong_order_number"), Anomaly.IDENTITY_DIFFERS, (K.CLASSEMENT,), DUE),
        (forced(1), Anomaly.PREAUTHORISED, (K.PASSERELLE, K.CLASSEMENT), DUE),
        (forced(3), Anomaly.GIVEN_BACK, (K.CONSTAT, K.CLASSEMENT), 0),
    ],
)
def test_each_cause_has_its_words_its_amounts_and_its_remedies(
    gateway: HttpServer, app: Flask, make: Make, anomaly: Anomaly, kinds: tuple[K, ...], taken: int
) -> None:
    _shop, payment_id = make(gateway)
    payment = attempt(payment_id)
    assert (payment.state, payment.anomaly) == (PaymentState.A_REGULARISER, anomaly)
    assert cases.remedies_of(payment) == kinds
    case = explained(reconciliation.attempt_file(payment))
    assert (case.expected, case.taken, case.booked, case.difference) == (DUE, taken, 0, taken)
    assert case.from_expected == (taken - DUE if taken else 0)
    assert all((case.happened, case.gateway, case.books, case.advice))
    assert reconciliation.waiting().attempts == 1


@pytest.mark.spec("GAT-4", "PPL-3")
def test_money_paid_twice_goes_back_once_by_two_people(gateway: HttpServer, app: Flask) -> None:
    shop, payment_id = paid_twice(gateway)
    desk = Desk()
    remedy_id = prepared(payment_id, K.PASSERELLE, desk.agent)
    assert remedy(remedy_id).amount == DUE
    with pytest.raises(IllegalTransition):
        carrying.carry_out(remedy_id, actor=desk.agent)  # nobody approved it
    with pytest.raises(IllegalTransition, match="déjà préparé"):
        prepared(payment_id, K.VIREMENT, desk.supervisor)
    preparing.approve(remedy_id, actor=desk.supervisor, expected_version=1)
    assert operations(gateway, payment_id) == []
    done = carrying.carry_out(remedy_id, actor=desk.agent, expected_version=2)
    assert (done.state, done.attempts, done.done_by_id) == (RemedyState.FAIT, 1, desk.agent.user_id)
    for again in (carrying.carry_out, preparing.approve):
        with pytest.raises(IllegalTransition):
            again(remedy_id, actor=desk.supervisor)
    assert operations(gateway, payment_id) == [("refund", DUE)]
    payment = attempt(payment_id)
    assert (payment.refunded, payment.remedied_by_id) == (DUE, desk.agent.user_id)
    assert payment.remedied_at is not None
    assert explained(reconciliation.attempt_file(payment)).difference == 0
    assert sorted(mail.recipient for mail in mails()) == shop.emails
    assert "424,500" in mails()[0].text
    assert reconciliation.waiting() == reconciliation.Waiting(0, 0, 0, 0)
    reconcile_payments()
    settle(payment_id)
    assert_paid_once(shop)
    texts = " ".join(line.text for _day, lines in history_of_payment(payment_id) for line in lines)
    assert "Rendre par la passerelle." in texts


@pytest.mark.spec("GAT-4", "PPL-3")
def test_who_prepared_never_approves_and_the_database_says_so_too(gateway: HttpServer, app: Flask) -> None:
    _shop, payment_id = paid_twice(gateway)
    desk = Desk()
    remedy_id = prepared(payment_id, K.PASSERELLE, desk.supervisor)
    for who in (desk.supervisor, desk.agent):
        for decide in (
            lambda who=who: preparing.approve(remedy_id, actor=who),
            lambda who=who: preparing.refuse(remedy_id, reason="Non.", actor=who),
        ):
            with pytest.raises(Forbidden):
                decide()
    with pytest.raises(IntegrityError):
        db.session.execute(
            update(PaymentRemedy).values(decided_by_id=desk.supervisor.user_id, state=RemedyState.A_FAIRE)
        )
    db.session.rollback()
    other = factories.actor(factories.staff(Role.SUPERVISEUR))
    with pytest.raises(DomainError):
        preparing.refuse(remedy_id, reason=" ", actor=other)
    refused = preparing.refuse(remedy_id, reason="Le client a confirmé vouloir autre chose.", actor=other)
    assert (refused.state, refused.decided_by_id) == (RemedyState.REFUSE, other.user_id)
    assert cases.waits(attempt(payment_id))
    to_carry_out(desk, payment_id)


@pytest.mark.spec("GAT-4", "PPL-2", "PPL-3")
def test_others_and_ones_own_organisation_are_refused(gateway: HttpServer, app: Flask) -> None:
    shop, payment_id = paid_twice(gateway)
    for role in (Role.RESPONSABLE, Role.ADMINISTRATEUR):
        other = factories.actor(factories.staff(role))
        for act in (
            lambda other=other: prepared(payment_id, K.PASSERELLE, other),
            lambda other=other: closing.acknowledge(payment_id, actor=other),
            lambda other=other: closing.reopen(payment_id, reason="Non.", actor=other),
            lambda other=other: carrying.carry_out(1, actor=other),
        ):
            with pytest.raises(Forbidden):
                act()
    agent = factories.actor(factories.staff())
    own = Actor(agent.user_id, agent.label, agent.roles, frozenset({shop.organisation_id}))
    with pytest.raises(Forbidden, match="collègue"):
        prepared(payment_id, K.PASSERELLE, own)


@pytest.mark.spec("GAT-4", "AVO-4")
@pytest.mark.parametrize("again", [carrying.carry_out, carrying.query_remedy])
def test_an_answer_that_came_too_late_is_found_and_nothing_goes_back_twice(
    gateway: HttpServer, app: Flask, travel: Callable[..., datetime], again: Callable[..., PaymentRemedy]
) -> None:
    _shop, payment_id = paid_twice(gateway)
    desk = Desk()
    remedy_id = to_carry_out(desk, payment_id)
    misbehave(gateway, "garbage", "refund")
    left = carrying.carry_out(remedy_id, actor=desk.agent)
    assert left.state is RemedyState.A_FAIRE
    assert left.last_error
    behave(gateway)
    assert again(remedy_id, actor=desk.agent).state is RemedyState.FAIT
    assert operations(gateway, payment_id) == [("refund", DUE)]
    assert len(mails()) == 2


@pytest.mark.spec("GAT-4")
def test_a_late_answer_is_found_even_after_the_remedy_was_given_up(gateway: HttpServer, app: Flask) -> None:
    """A transfer prepared instead would pay a second time: the gateway is asked before anything is written."""
    _shop, payment_id = paid_twice(gateway)
    desk = Desk()
    remedy_id = to_carry_out(desk, payment_id)
    misbehave(gateway, "garbage", "refund")
    carrying.carry_out(remedy_id, actor=desk.agent)
    behave(gateway)
    preparing.withdraw(remedy_id, actor=desk.agent)
    with pytest.raises(StaleObject):
        prepared(payment_id, K.VIREMENT, desk.agent)
    assert attempt(payment_id).anomaly == Anomaly.GIVEN_BACK
    assert closing.acknowledge(payment_id, actor=desk.agent).amount == DUE
    assert operations(gateway, payment_id) == [("refund", DUE)]


@pytest.mark.spec("GAT-4")
def test_a_crash_while_asking_is_told_apart_from_a_press_under_way(
    gateway: HttpServer, app: Flask, travel: Callable[..., datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    _shop, payment_id = paid_twice(gateway)
    desk = Desk()
    remedy_id = to_carry_out(desk, payment_id)
    with monkeypatch.context() as patch:
        patch.setattr(carrying, "_asked", lambda payment_id: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            carrying.carry_out(remedy_id, actor=desk.agent)
    assert remedy(remedy_id).state is RemedyState.EN_COURS
    with pytest.raises(IllegalTransition, match="déjà demandé"):
        carrying.carry_out(remedy_id, actor=desk.agent)
    assert carrying.query_remedy(remedy_id, actor=desk.agent).state is RemedyState.EN_COURS
    travel(seconds=61)
    assert carrying.query_remedy(remedy_id, actor=desk.agent).state is RemedyState.A_FAIRE
    assert carrying.carry_out(remedy_id, actor=desk.agent).state is RemedyState.FAIT
    assert operations(gateway, payment_id) == [("refund", DUE)]


@pytest.mark.spec("GAT-4")
def test_a_refusal_and_an_outage_leave_it_to_be_done(gateway: HttpServer, app: Flask) -> None:
    _shop, payment_id = withdrawn(gateway)
    desk = Desk()
    remedy_id = to_carry_out(desk, payment_id)
    misbehave(gateway, "down")
    with pytest.raises(GatewayDown):
        carrying.carry_out(remedy_id, actor=desk.agent)
    assert remedy(remedy_id).last_error
    behave(gateway)
    move(gateway, payment_id, status=6)
    assert carrying.carry_out(remedy_id, actor=desk.agent).state is RemedyState.A_FAIRE
    move(gateway, payment_id, status=2)
    with pytest.raises(StaleObject):
        carrying.carry_out(remedy_id, actor=desk.agent, expected_version=1)
    assert carrying.carry_out(remedy_id, actor=desk.agent).state is RemedyState.FAIT
    assert operations(gateway, payment_id) == [("refund", DUE)]


@pytest.mark.spec("GAT-4")
def test_a_blocked_sum_is_released(gateway: HttpServer, app: Flask) -> None:
    _shop, payment_id = forced(1)(gateway)
    desk = Desk()
    assert carrying.carry_out(to_carry_out(desk, payment_id), actor=desk.agent).state is RemedyState.FAIT
    assert [kind for kind, _amount in operations(gateway, payment_id)] == ["reverse"]
    assert "débloqués" in mails()[0].text


@pytest.mark.spec("GAT-4", "PPL-3")
def test_a_transfer_is_noted_under_its_reference_unless_the_gateway_gave_it_back(
    gateway: HttpServer, app: Flask
) -> None:
    _shop, payment_id = paid_twice(gateway)
    desk = Desk()
    remedy_id = to_carry_out(desk, payment_id, K.VIREMENT)
    with pytest.raises(IllegalTransition):
        carrying.carry_out(remedy_id, actor=desk.agent)
    for wrong in ("", " x ", "r" * 121):
        with pytest.raises(DomainError):
            carrying.transfer_done(remedy_id, bank_reference=wrong, actor=desk.agent)
    move(gateway, payment_id, status=4)
    with pytest.raises(IllegalTransition, match="entre-temps"):
        carrying.transfer_done(remedy_id, bank_reference="VIR 118", actor=desk.agent)
    move(gateway, payment_id, status=2)
    done = carrying.transfer_done(remedy_id, bank_reference=" VIR  2026 118 ", actor=desk.agent)
    assert (done.state, done.outside_reference) == (RemedyState.FAIT, "VIR 2026 118")
    assert operations(gateway, payment_id) == []
    assert "VIR 2026 118" in mails()[0].text
    other_shop, other_id = paid_twice(gateway)
    with pytest.raises(IllegalTransition):
        carrying.transfer_done(to_carry_out(desk, other_id), bank_reference="VIR 119", actor=desk.agent)
    assert other_shop.organisation_id != attempt(payment_id).organisation_id


@pytest.mark.spec("GAT-3", "GAT-4")
def test_money_about_to_go_back_pays_no_order_meanwhile(gateway: HttpServer, app: Flask) -> None:
    shop, payment_id = held_elsewhere(gateway)
    desk = Desk()
    remedy_id = prepared(payment_id, K.PASSERELLE, desk.agent)
    newer = db.session.scalars(select(Payment.id).where(Payment.id != payment_id)).one()
    move(gateway, newer, expires_in=0)
    reconcile_payments()
    reconcile_payments()
    assert attempt(newer).state is PaymentState.EXPIRE
    assert query_gateway(payment_id, desk.agent).state is PaymentState.A_REGULARISER
    preparing.withdraw(remedy_id, actor=desk.agent)
    assert invoices() == []
    query_gateway(payment_id, desk.agent)
    assert_paid_once(shop)


@pytest.mark.spec("GAT-4")
def test_requests_payable_again_get_their_invoice(gateway: HttpServer, app: Flask) -> None:
    shop = Shop()
    opening = shop.start()
    with clock.put_back():
        clock.shift(timedelta(minutes=21))
        reconcile_payments()
    use_case(move_request)(shop.request_ids[0], "reopen", actor=shop.actor, reason="Mobile changé.")
    pay(gateway, opening.payment_id)
    settle(opening.payment_id)
    agent = factories.actor(factories.staff())
    assert attempt(opening.payment_id).anomaly == Anomaly.NOT_PAYABLE
    assert query_gateway(opening.payment_id, agent).state is PaymentState.A_REGULARISER
    row = shop.requests[0]
    row.state = RequestState.EN_ATTENTE_DE_PAIEMENT
    db.session.commit()
    assert query_gateway(opening.payment_id, agent).state is PaymentState.PAYE
    assert_paid_once(shop)


@pytest.mark.spec("GAT-4")
def test_an_attempt_without_any_answer_is_asked_about_until_it_gets_one(
    gateway: HttpServer, app: Flask, travel: Callable[..., datetime]
) -> None:
    shop = Shop(2)
    opening = shop.start()
    misbehave(gateway, "down")
    travel(hours=25)
    reconcile_payments()
    assert attempt(opening.payment_id).anomaly == Anomaly.NO_ANSWER
    travel(days=3)
    assert reconcile_payments() == "sans réponse : 1"
    behave(gateway)
    move(gateway, opening.payment_id, status=6)
    reconcile_payments()
    payment = attempt(opening.payment_id)
    assert (payment.state, payment.anomaly) == (PaymentState.REFUSE, None)
    assert shop.states == {RequestState.EN_ATTENTE_DE_PAIEMENT}


@pytest.mark.spec("GAT-4")
def test_attempts_that_never_answer_do_not_hide_the_others(gateway: HttpServer, app: Flask) -> None:
    ids = [Shop().start().payment_id for _index in range(7)]
    for index, payment_id in enumerate(ids[3:]):
        attempt(payment_id).last_queried_at = clock.now() + timedelta(seconds=index)
    db.session.commit()
    asked = _due()
    assert sorted(asked) == sorted(ids)
    silent = [each in ids[:3] for each in asked]  # never asked with success: first in the line at each run
    assert "".join("s" if each else "a" for each in silent).find("sss") == -1


@pytest.mark.spec("GAT-4")
def test_what_the_gateway_gave_back_is_acknowledged_by_its_own_word(gateway: HttpServer, app: Flask) -> None:
    desk = Desk()
    _shop, kept = withdrawn(gateway)
    with pytest.raises(IllegalTransition, match="tout rendu"):
        closing.acknowledge(kept, actor=desk.agent)
    shop, payment_id = forced(4)(gateway)
    assert closing.acknowledge(payment_id, actor=desk.agent).kind is K.CONSTAT
    assert attempt(payment_id).remedied_at is not None
    with pytest.raises(IllegalTransition):
        closing.acknowledge(payment_id, actor=desk.agent)
    assert len(mails()) == 2
    assert shop.states == {RequestState.EN_ATTENTE_DE_PAIEMENT}


@pytest.mark.spec("GAT-4", "PPL-3")
def test_a_case_is_closed_with_a_proof_by_two_people_and_opened_again(gateway: HttpServer, app: Flask) -> None:
    _shop, payment_id = told_otherwise("wrong_order_number")(gateway)
    misbehave(gateway, "wrong_order_number")
    desk = Desk()
    with pytest.raises(DomainError) as told:
        prepared(payment_id, K.CLASSEMENT, desk.agent, reference="x")
    assert told.value.field == "outside_reference"
    with pytest.raises(DomainError):
        prepared(payment_id, K.PASSERELLE, desk.agent)
    with pytest.raises(StaleObject):
        preparing.prepare(
            payment_id, K.CLASSEMENT, reason="SMT a répondu.", outside_reference="SMT 1", anomaly_seen="PAID_TWICE",
            actor=desk.agent,
        )  # fmt: skip
    done = preparing.approve(prepared(payment_id, K.CLASSEMENT, desk.agent), actor=desk.supervisor)
    assert (done.state, done.amount) == (RemedyState.FAIT, 0)
    assert attempt(payment_id).remedied_at is not None
    assert mails() == []
    with pytest.raises(DomainError):
        closing.reopen(payment_id, reason=" ", actor=desk.agent)
    closing.reopen(payment_id, reason="Classé par erreur.", actor=desk.agent)
    assert cases.waits(attempt(payment_id))
    behave(gateway)
    _other, refunded = paid_twice(gateway)
    carrying.carry_out(to_carry_out(desk, refunded), actor=desk.agent)
    with pytest.raises(IllegalTransition):
        closing.reopen(refunded, reason="Pour rembourser encore.", actor=desk.agent)


@pytest.mark.spec("GAT-4", "BIL-1")
def test_an_invoiced_payment_given_back_elsewhere_waits_until_the_books_have_it(
    gateway: HttpServer, app: Flask
) -> None:
    _shop, invoice = sell(gateway)
    desk = Desk()
    query_gateway(invoice.payment_id, desk.agent)
    assert attempt(invoice.payment_id).anomaly is None
    move(gateway, invoice.payment_id, status=4)
    query_gateway(invoice.payment_id, desk.agent)
    query_gateway(invoice.payment_id, desk.agent)
    payment = attempt(invoice.payment_id)
    assert (payment.state, payment.anomaly, payment.refunded) == (PaymentState.PAYE, Anomaly.GIVEN_BACK, DUE)
    assert cases.remedies_of(payment) == ()
    assert explained(reconciliation.attempt_file(payment)).difference == -DUE
    lines = select(func.count()).select_from(HistoryEntry).where(HistoryEntry.action == "given_back")
    assert db.session.scalar(lines) == 1
    note = desk.issue(invoice, outcome=CreditOutcome.REMBOURSEMENT_MANUEL)
    assert note.refund is not None
    assert refund_by_hand(note.refund.id, bank_reference="Passerelle 1", actor=desk.agent).method is RefundMethod.MANUEL
    query_gateway(invoice.payment_id, desk.agent)
    assert attempt(invoice.payment_id).anomaly is None
    assert reconciliation.waiting().attempts == 0


@pytest.mark.spec("GAT-4", "QUE-2")
def test_the_list_has_a_tab_for_each_kind_and_finds_by_the_gateways_number(gateway: HttpServer, app: Flask) -> None:
    _shop, twice = paid_twice(gateway)
    _other, late = withdrawn(gateway)
    actor = factories.actor(factories.staff(Role.RESPONSABLE))
    first = reconciliation.SOURCE.tabs[0]
    counts = capped_counts(reconciliation.SOURCE, Asked(first, first.sort, False), actor)
    assert {key: count for key, count in counts.items() if count} == {
        "a-traiter": 2,
        "sans-effet": 1,
        "deux-fois": 1,
        "tardifs": 2,
    }
    desk = Desk()
    prepared(twice, K.PASSERELLE, desk.agent)
    order_id = attempt(late).gateway_order_id or ""
    found = fetch_page(reconciliation.SOURCE, Asked(first, first.sort, False, search=order_id), actor)
    assert [row.id for row in found.rows] == [late]
    assert reconciliation.waiting().to_approve == 1
    nobody = factories.actor(factories.staff(Role.ADMINISTRATEUR))
    assert fetch_page(reconciliation.SOURCE, Asked(first, first.sort, False), nobody).rows == []

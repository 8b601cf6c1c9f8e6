"""Payments at the gateway, over real HTTP: well, badly, twice, late."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import select

from app import clock
from app.errors import DomainError, NotFound
from app.extensions import db
from app.models import BillingRate, HistoryEntry, Payment, PaymentMethod, Tariff
from app.permissions import Role
from app.queries.billing import payment_of_return, payments_to_regularise
from app.services.basket import add_to_basket, remove_from_basket
from app.services.moving import move_request
from app.services.payments import (
    Anomaly,
    BasketChanged,
    GatewayDown,
    PaymentDone,
    PaymentInProgress,
    query_gateway,
    reconcile_payments,
    require_not_held,
    settle,
    settle_for_return,
    start_payment,
)
from app.services.unit_of_work import use_case
from app.states import OrganisationState, PaymentState, RequestState
from tests import factories
from tests.support.paying import (
    NO_FUNDS,
    Shop,
    assert_paid_once,
    assert_unpaid,
    attempt,
    behave,
    count_payments,
    invoices,
    misbehave,
    move,
    pay,
)
from tests.support.racing import errors_of, race
from tests.support.servers import HttpServer


@pytest.fixture(autouse=True)
def _impatient(app: Flask) -> None:
    """A gateway that is slow for the tests is slow for less long."""
    app.config["CLICTOPAY_TIMEOUT"] = (1.0, 1.0)


@pytest.mark.spec("PRI-1", "PAY-3", "GAT-1")
@pytest.mark.parametrize(("count", "total"), [(1, 424_500), (3, 1_271_500)])
def test_the_basket_is_registered_for_its_price_to_the_millime(
    gateway: HttpServer, app: Flask, count: int, total: int
) -> None:
    shop = Shop(count)
    opening = shop.start()
    payment = attempt(opening.payment_id)
    assert (payment.state, payment.amount) == (PaymentState.EN_COURS, total)
    assert opening.form_url == payment.form_url
    assert opening.form_url.startswith(gateway.url)
    assert len(payment.reference) <= 32
    assert payment.reference.isalnum()
    assert 19 * 60 < (payment.expires_at - clock.now()).total_seconds() <= 20 * 60
    assert_unpaid(shop)


@pytest.mark.spec("GAT-2", "GAT-3", "INV-1")
def test_a_paid_attempt_confirms_its_requests_once(gateway: HttpServer, app: Flask) -> None:
    shop = Shop(2)
    opening = shop.start()
    pay(gateway, opening.payment_id)
    payment = settle(opening.payment_id)
    assert payment.state is PaymentState.PAYE
    assert_paid_once(shop)
    payment = attempt(opening.payment_id)
    assert payment.masked_pan == "450921**1119"
    assert payment.approval_code
    assert not any(line.live for line in payment.lines)
    for row in shop.requests:
        assert row.paid_at is not None
        assert row.complete_since == row.paid_at
        assert row.basket_added_at is None
    moves = db.session.scalars(select(HistoryEntry.action).where(HistoryEntry.request_id == shop.request_ids[0])).all()
    assert moves == ["pay"]


@pytest.mark.spec("GAT-3")
def test_fifty_returns_and_jobs_confirm_once(gateway: HttpServer, app: Flask) -> None:
    shop = Shop()
    opening = shop.start()
    pay(gateway, opening.payment_id)
    for index in range(50):
        settle_for_return(opening.payment_id) if index % 2 else reconcile_payments()
    assert_paid_once(shop)


@pytest.mark.spec("GAT-2")
def test_an_attempt_the_gateway_has_not_seen_paid_stays_under_way(gateway: HttpServer, app: Flask) -> None:
    shop = Shop()
    opening = shop.start()
    assert settle(opening.payment_id).state is PaymentState.EN_COURS
    assert_unpaid(shop)


@pytest.mark.spec("GAT-2", "GAT-3")
@pytest.mark.parametrize(
    ("mode", "anomaly"),
    [
        ("wrong_amount", Anomaly.AMOUNT_DIFFERS),
        ("wrong_currency", Anomaly.CURRENCY_DIFFERS),
        ("wrong_order_number", Anomaly.IDENTITY_DIFFERS),
    ],
)
def test_an_answer_about_something_else_pays_nothing_and_goes_to_the_desk(
    gateway: HttpServer, app: Flask, mode: str, anomaly: Anomaly
) -> None:
    shop = Shop()
    opening = shop.start()
    pay(gateway, opening.payment_id)
    misbehave(gateway, mode)
    payment = settle(opening.payment_id)
    assert (payment.state, payment.anomaly) == (PaymentState.A_REGULARISER, anomaly)
    assert [each.id for each in payments_to_regularise()] == [opening.payment_id]
    assert_unpaid(shop)
    require_not_held(shop.request_ids)
    # The right answer, when it comes, is confirmed: by the job or by an agent.
    behave(gateway)
    reconcile_payments()
    assert_paid_once(shop)


@pytest.mark.slow
@pytest.mark.spec("GAT-2")
@pytest.mark.parametrize(
    "mode", ["garbage", "empty", "json_list", "missing_fields", "down", "error500", "drop", "slow"]
)
def test_a_gateway_out_of_order_changes_nothing(gateway: HttpServer, app: Flask, mode: str) -> None:
    shop = Shop()
    opening = shop.start()
    pay(gateway, opening.payment_id)
    misbehave(gateway, mode, **({"seconds": 3} if mode == "slow" else {}))
    with pytest.raises(GatewayDown):
        settle(opening.payment_id)
    payment, heard = settle_for_return(opening.payment_id)
    assert (payment.state, heard) == (PaymentState.EN_COURS, False)
    assert reconcile_payments() == "sans réponse : 1"
    assert_unpaid(shop)
    behave(gateway)
    reconcile_payments()
    assert_paid_once(shop)


@pytest.mark.spec("GAT-1")
@pytest.mark.parametrize("mode", ["garbage", "missing_fields", "down", "drop", "foreign_form_url", "slow"])
def test_a_registration_that_fails_leaves_the_basket_payable(gateway: HttpServer, app: Flask, mode: str) -> None:
    shop = Shop()
    misbehave(gateway, mode, call="register", **({"seconds": 3} if mode == "slow" else {}))
    with pytest.raises(GatewayDown, match="indisponible"):
        shop.start()
    assert count_payments(PaymentState.ABANDONNE) == 1
    assert_unpaid(shop)
    behave(gateway)
    opening = shop.start()
    pay(gateway, opening.payment_id)
    reconcile_payments()
    assert_paid_once(shop)
    assert count_payments() == 2


@pytest.mark.spec("GAT-1")
def test_a_gateway_that_is_down_at_payer_says_so(app: Flask) -> None:
    shop = Shop()
    with pytest.raises(GatewayDown, match="indisponible"):
        shop.start()
    assert_unpaid(shop)


@pytest.mark.spec("GAT-3")
def test_an_order_registered_without_an_answer_is_asked_about_by_our_number(gateway: HttpServer, app: Flask) -> None:
    shop = Shop()
    misbehave(gateway, "drop", call="register", times=1)
    with pytest.raises(GatewayDown):
        shop.start()
    payment_id = db.session.scalars(select(Payment.id)).one()
    assert attempt(payment_id).gateway_order_id is None
    reconcile_payments()
    assert attempt(payment_id).gateway_order_id is not None
    # Somebody found the page all the same.
    pay(gateway, payment_id)
    reconcile_payments()
    assert_paid_once(shop)


@pytest.mark.spec("GAT-3")
def test_a_crash_between_writing_and_registering_frees_the_requests(
    gateway: HttpServer, app: Flask, travel: Callable[..., datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop()
    with monkeypatch.context() as patch:
        patch.setattr("app.services.payments.starting._register", lambda payment: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            shop.start()
        patch.setattr("app.services.payments.releasing.REGISTRATION_WAIT", 0.0)
        with pytest.raises(PaymentInProgress):
            shop.start()
    assert count_payments(PaymentState.INITIE) == 1
    travel(minutes=2)
    reconcile_payments()
    assert count_payments(PaymentState.ABANDONNE) == 1
    assert shop.start().form_url


@pytest.mark.spec("GAT-5")
def test_a_refused_card_ends_the_attempt_with_its_reason(gateway: HttpServer, app: Flask) -> None:
    shop = Shop()
    opening = shop.start()
    pay(gateway, opening.payment_id, **NO_FUNDS)
    payment = settle(opening.payment_id)
    assert payment.state is PaymentState.REFUSE
    assert payment.action_code == 116
    assert "provision" in payment.refusal
    assert_unpaid(shop)
    again = shop.start()
    assert again.payment_id != opening.payment_id
    assert attempt(again.payment_id).reference != attempt(opening.payment_id).reference


@pytest.mark.spec("GAT-3")
def test_an_abandoned_attempt_expires_with_its_session(
    gateway: HttpServer, app: Flask, travel: Callable[..., datetime]
) -> None:
    shop = Shop()
    opening = shop.start()
    travel(minutes=19)
    reconcile_payments()
    assert attempt(opening.payment_id).state is PaymentState.EN_COURS
    travel(minutes=2)
    reconcile_payments()
    assert attempt(opening.payment_id).state is PaymentState.EXPIRE
    require_not_held(shop.request_ids)
    assert_unpaid(shop)


@pytest.mark.spec("GAT-3")
def test_the_gateways_own_expiry_ends_the_attempt(gateway: HttpServer, app: Flask) -> None:
    shop = Shop()
    opening = shop.start()
    move(gateway, opening.payment_id, expires_in=0)
    assert settle(opening.payment_id).state is PaymentState.EXPIRE


@pytest.mark.spec("GAT-3")
def test_a_payment_after_the_expiry_of_a_basket_still_whole_is_confirmed(
    gateway: HttpServer, app: Flask, travel: Callable[..., datetime]
) -> None:
    shop = Shop()
    opening = shop.start()
    travel(minutes=21)
    reconcile_payments()
    assert attempt(opening.payment_id).state is PaymentState.EXPIRE
    pay(gateway, opening.payment_id)
    reconcile_payments()
    assert_paid_once(shop)


@pytest.mark.spec("GAT-3")
def test_money_for_a_withdrawn_request_goes_to_the_desk(
    gateway: HttpServer, app: Flask, travel: Callable[..., datetime]
) -> None:
    shop = Shop(2)
    opening = shop.start()
    travel(minutes=21)
    reconcile_payments()
    use_case(move_request)(shop.request_ids[0], "withdraw", actor=shop.actor)
    pay(gateway, opening.payment_id)
    reconcile_payments()
    payment = attempt(opening.payment_id)
    assert (payment.state, payment.anomaly) == (PaymentState.A_REGULARISER, Anomaly.NOT_PAYABLE)
    assert invoices() == []
    assert shop.states == {RequestState.ANNULEE, RequestState.EN_ATTENTE_DE_PAIEMENT}


@pytest.mark.spec("GAT-3")
def test_a_basket_paid_twice_is_invoiced_once_and_the_rest_goes_to_the_desk(
    gateway: HttpServer, app: Flask, travel: Callable[..., datetime]
) -> None:
    shop = Shop()
    first = shop.start()
    travel(minutes=21)
    second = shop.start()
    assert first.payment_id != second.payment_id
    pay(gateway, second.payment_id)
    pay(gateway, first.payment_id)
    settle(second.payment_id)
    reconcile_payments()
    assert_paid_once(shop)
    payment = attempt(first.payment_id)
    assert (payment.state, payment.anomaly) == (PaymentState.A_REGULARISER, Anomaly.PAID_TWICE)
    assert query_gateway(first.payment_id, factories.actor(factories.staff())).anomaly == Anomaly.PAID_TWICE
    assert_paid_once(shop)


@pytest.mark.spec("GAT-3")
def test_money_for_requests_held_by_another_attempt_waits_for_it(
    gateway: HttpServer, app: Flask, travel: Callable[..., datetime]
) -> None:
    shop = Shop()
    first = shop.start()
    travel(minutes=21)
    second = shop.start()
    pay(gateway, first.payment_id)
    settle(first.payment_id)
    assert attempt(first.payment_id).anomaly == Anomaly.HELD_ELSEWHERE
    assert_unpaid(shop)
    travel(minutes=21)
    reconcile_payments()
    reconcile_payments()
    assert attempt(second.payment_id).state is PaymentState.EXPIRE
    assert_paid_once(shop)
    assert attempt(first.payment_id).anomaly is None


@pytest.mark.spec("GAT-3", "PAY-3")
def test_payer_twice_leads_to_the_same_attempt(gateway: HttpServer, app: Flask) -> None:
    shop = Shop(2)
    first, second = shop.start(), shop.start()
    assert first == second
    assert count_payments() == 1


@pytest.mark.spec("GAT-3", "PAY-3")
def test_clicks_and_returns_at_the_same_instant_count_once(gateway: HttpServer, app: Flask) -> None:
    shop = Shop(2)
    request_ids = list(shop.request_ids)
    clicks = race(app, *[lambda: shop.start(request_ids=request_ids, expected_total=848_000)] * 4)
    assert errors_of(clicks) == []
    assert len(set(clicks)) == 1
    payment_id = db.session.scalars(select(Payment.id)).one()
    pay(gateway, payment_id)
    assert errors_of(race(app, *[lambda: settle(payment_id).state] * 4)) == []
    assert_paid_once(shop)


@pytest.mark.spec("GAT-3")
def test_another_basket_or_means_ends_the_earlier_attempt(gateway: HttpServer, app: Flask) -> None:
    shop = Shop()
    first = shop.start()
    second = shop.start(PaymentMethod.EDINAR)
    shop.request_ids.append(shop.add())
    third = shop.start(PaymentMethod.EDINAR)
    assert [attempt(each.payment_id).state for each in (first, second, third)] == [
        PaymentState.ABANDONNE,
        PaymentState.ABANDONNE,
        PaymentState.EN_COURS,
    ]
    assert attempt(third.payment_id).amount == 848_000


@pytest.mark.spec("GAT-3")
def test_a_new_attempt_first_finds_the_old_one_paid(gateway: HttpServer, app: Flask) -> None:
    shop = Shop()
    opening = shop.start()
    pay(gateway, opening.payment_id)
    with pytest.raises(PaymentDone) as told:
        shop.start()
    assert told.value.return_token == attempt(opening.payment_id).return_token
    assert_paid_once(shop)


@pytest.mark.spec("GAT-3")
def test_nothing_starts_while_the_bank_decides(gateway: HttpServer, app: Flask) -> None:
    shop = Shop()
    opening = shop.start()
    move(gateway, opening.payment_id, status=5)
    with pytest.raises(PaymentInProgress, match="vérification"):
        shop.start()
    with pytest.raises(PaymentInProgress):
        remove_from_basket(shop.actor, shop.references[0])
    assert count_payments() == 1


@pytest.mark.spec("GAT-3", "GAT-4")
def test_an_attempt_without_any_answer_for_a_day_goes_to_the_desk(
    gateway: HttpServer, app: Flask, travel: Callable[..., datetime]
) -> None:
    shop = Shop()
    opening = shop.start()
    gateway.stop()
    travel(hours=23)
    reconcile_payments()
    assert attempt(opening.payment_id).state is PaymentState.EN_COURS
    travel(hours=2)
    reconcile_payments()
    payment = attempt(opening.payment_id)
    assert (payment.state, payment.anomaly) == (PaymentState.A_REGULARISER, Anomaly.NO_ANSWER)
    assert_unpaid(shop)


@pytest.mark.spec("GAT-3")
@pytest.mark.parametrize(("status", "anomaly"), [(3, Anomaly.GIVEN_BACK), (4, Anomaly.GIVEN_BACK)])
def test_money_given_back_at_the_gateway_goes_to_the_desk(
    gateway: HttpServer, app: Flask, status: int, anomaly: Anomaly
) -> None:
    shop = Shop()
    opening = shop.start()
    move(gateway, opening.payment_id, status=status)
    payment = settle(opening.payment_id)
    assert (payment.state, payment.anomaly) == (PaymentState.A_REGULARISER, anomaly)
    assert_unpaid(shop)


@pytest.mark.spec("PAY-1", "PRI-2")
def test_a_basket_changed_since_the_page_is_shown_again(gateway: HttpServer, app: Flask) -> None:
    shop = Shop()
    shown = list(shop.request_ids)
    shop.request_ids.append(shop.add())
    with pytest.raises(BasketChanged, match="848,000") as told:
        shop.start(request_ids=shown, expected_total=424_500)
    assert told.value.total == 848_000
    with pytest.raises(BasketChanged):
        shop.start(expected_total=1)
    assert count_payments() == 0


@pytest.mark.spec("PRI-1", "PRI-2")
def test_a_price_is_frozen_when_the_payment_is_created(gateway: HttpServer, app: Flask) -> None:
    shop = Shop()
    opening = shop.start()
    tariff = db.session.scalars(select(Tariff).order_by(Tariff.id)).first()
    assert tariff is not None
    db.session.add(
        Tariff(
            certificate_type_id=tariff.certificate_type_id,
            validity_years=2,
            price_ht=500_000,
            vat_rate_bp=700,
            valid_from=clock.today(),
        )
    )
    db.session.add(BillingRate(valid_from=clock.today(), stamp_duty=2_000, delivery_ttc=9_000, delivery_vat_bp=1900))
    db.session.commit()
    pay(gateway, opening.payment_id)
    settle(opening.payment_id)
    assert_paid_once(shop)
    assert invoices()[0].total_ttc == 424_500
    dearer = Shop()
    assert attempt(dearer.start().payment_id).amount == 535_000 + 9_000 + 2_000


@pytest.mark.spec("PPL-2", "PAY-1")
def test_nobody_pays_for_another_organisation(gateway: HttpServer, app: Flask) -> None:
    shop, other = Shop(), Shop()
    with pytest.raises(NotFound):
        start_payment(other.actor, shop.organisation_id, shop.request_ids, PaymentMethod.CARTE, 424_500)
    with pytest.raises(NotFound):
        add_to_basket(other.actor, shop.references)
    with pytest.raises(NotFound):
        remove_from_basket(other.actor, shop.references[0])
    assert count_payments() == 0


@pytest.mark.spec("PAY-1")
def test_a_suspended_organisation_cannot_pay(gateway: HttpServer, app: Flask) -> None:
    shop = Shop()
    shop.requests[0].organisation.state = OrganisationState.SUSPENDUE
    db.session.commit()
    with pytest.raises(DomainError, match="ne peut pas payer"):
        shop.start()


@pytest.mark.spec("PAY-1")
@pytest.mark.parametrize("state", [state for state in RequestState if state != "EN_ATTENTE_DE_PAIEMENT"])
def test_only_requests_waiting_for_payment_enter_the_basket(app: Flask, state: RequestState) -> None:
    shop = Shop()
    row = factories.certificate_request(shop.requests[0].organisation, state, by=shop.people[0])
    with pytest.raises(DomainError, match=row.reference):
        add_to_basket(shop.actor, [row.reference])


@pytest.mark.spec("PAY-1")
def test_the_basket_belongs_to_the_organisation(app: Flask) -> None:
    shop = Shop()
    row = factories.certificate_request(
        shop.requests[0].organisation, RequestState.EN_ATTENTE_DE_PAIEMENT, by=shop.people[0]
    )
    second = factories.actor(shop.people[1])
    assert add_to_basket(second, [row.reference, row.reference]) == 1
    assert add_to_basket(shop.actor, [row.reference]) == 0
    assert remove_from_basket(shop.actor, row.reference).basket_added_at is None
    with pytest.raises(DomainError, match="Cochez"):
        add_to_basket(shop.actor, [])


@pytest.mark.spec("GAT-3")
def test_taking_a_request_out_of_the_basket_ends_its_open_attempt(gateway: HttpServer, app: Flask) -> None:
    shop = Shop(2)
    opening = shop.start()
    with pytest.raises(PaymentInProgress):
        require_not_held(shop.request_ids)
    remove_from_basket(shop.actor, shop.references[0])
    assert attempt(opening.payment_id).state is PaymentState.ABANDONNE
    # The old page was still open and is paid: the requests are whole, so nothing is lost.
    pay(gateway, opening.payment_id)
    reconcile_payments()
    assert_paid_once(shop)


@pytest.mark.spec("PPL-2", "GAT-4")
@pytest.mark.parametrize("role", [Role.RESPONSABLE, Role.ADMINISTRATEUR])
def test_only_those_who_settle_may_question_the_gateway(gateway: HttpServer, app: Flask, role: Role) -> None:
    opening = Shop().start()
    with pytest.raises(DomainError):
        query_gateway(opening.payment_id, factories.actor(factories.staff(role)))


@pytest.mark.spec("GAT-2")
def test_a_return_finds_its_attempt_by_token_or_order_id_only(gateway: HttpServer, app: Flask) -> None:
    opening = Shop().start()
    payment = attempt(opening.payment_id)
    for token, order_id in [(payment.return_token, None), (None, payment.gateway_order_id)]:
        found = payment_of_return(token=token, order_id=order_id)
        assert found is not None
        assert found.id == payment.id
    for token, order_id in [("x", None), (None, "x"), (None, None), ("", ""), (None, payment.reference)]:
        assert payment_of_return(token=token, order_id=order_id) is None

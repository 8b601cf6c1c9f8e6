"""A withdrawal racing the opening of a payment: one of them, never both (chapter 1, GAT-3)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from app import clock
from app.errors import DomainError
from app.extensions import db
from app.models import CertificateRequest, Payment, PaymentLine, PaymentMethod
from app.services import withdrawing
from app.services.payments import settling, starting
from app.states import PaymentState, RequestState
from tests import factories
from tests.support.racing import errors_of, race
from tests.support.sold import paid_answer, payments_under_way

ROUNDS = 12
TOTAL = 424_500


def withdraw(app, actor, request_id, ready):
    with app.app_context():
        ready.wait(10)
        try:
            withdrawing.withdraw(actor, request_id)
        except DomainError:
            return False
        return True


def pay(app, actor, organisation_id, request_id, ready):
    with app.app_context():
        ready.wait(10)
        try:
            starting.start_payment(actor, organisation_id, [request_id], PaymentMethod.CARTE, TOTAL)
        except DomainError:
            return False
        return True


@pytest.mark.spec("GAT-3", "STA-2")
def test_a_request_is_withdrawn_or_held_by_a_payment_never_both(app, gateway):
    with ThreadPoolExecutor(2) as threads:
        for _round in range(ROUNDS):
            of = factories.organisation()
            admin = factories.administrator(of)
            row = factories.certificate_request(
                of, RequestState.EN_ATTENTE_DE_PAIEMENT, by=admin, basket_added_at=clock.now()
            )
            actor, request_id = factories.actor(admin), row.id
            ready = threading.Barrier(2)
            first = threads.submit(withdraw, app, actor, request_id, ready)
            second = threads.submit(pay, app, actor, of.id, request_id, ready)
            gone, held = first.result(30), second.result(30)
            db.session.rollback()
            db.session.expire_all()
            live = db.session.scalars(
                select(PaymentLine).where(PaymentLine.request_id == request_id, PaymentLine.live)
            ).all()
            state = db.session.get_one(CertificateRequest, request_id).state
            assert gone != held
            assert (state is RequestState.ANNULEE) == gone
            assert bool(live) == held


@pytest.mark.spec("GAT-3", "STA-2")
def test_a_payment_after_expiry_against_a_withdrawal_pays_or_waits_at_the_desk(app):
    """Taken back while money that came late is being confirmed: a paid request, or one withdrawn and its money kept."""
    for place in range(ROUNDS):
        of = factories.organisation()
        admin = factories.administrator(of)
        payment_id = payments_under_way(1, administrator=admin)[0]
        settling.abandon(payment_id, cause="late")
        answer, actor = paid_answer(payment_id), factories.actor(admin)
        request_id = db.session.scalars(
            select(PaymentLine.request_id).where(PaymentLine.payment_id == payment_id)
        ).one()
        works = [
            lambda payment_id=payment_id, answer=answer: settling.apply_answer(payment_id, answer).state,
            lambda actor=actor, request_id=request_id: withdrawing.withdraw(actor, request_id).state,
        ]
        results = race(app, *(works if place % 2 else reversed(works)))
        assert all(isinstance(each, DomainError) for each in errors_of(results))
        payment = db.session.get_one(Payment, payment_id, populate_existing=True)
        request = db.session.get_one(CertificateRequest, request_id, populate_existing=True)
        if payment.state is PaymentState.PAYE:
            assert payment.invoice is not None
            assert request.state is RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST
            assert request.paid_at is not None
        else:
            assert (payment.state, payment.anomaly) == (PaymentState.A_REGULARISER, settling.Anomaly.NOT_PAYABLE)
            assert payment.invoice is None
            assert (request.state, request.paid_at) == (RequestState.ANNULEE, None)

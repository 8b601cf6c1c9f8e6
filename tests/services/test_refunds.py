"""Refunds: asked of the gateway once a press, its failures kept, never twice (AVO-4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import select

from app.adapters.clictopay import GatewayUnavailable
from app.errors import DomainError, Forbidden, IllegalTransition, StaleObject
from app.extensions import db
from app.models import CreditOutcome, CreditReason, OutboxMail, Refund, RefundMethod
from app.permissions import Actor, Role
from app.services.credits import issuing, proposing, refunding
from app.services.credits.amounts import Wanted, left_of
from app.services.credits.refunding import query_refund, refund_by_gateway, refund_by_hand, transfer_done
from app.services.payments import gateway as payments_gateway
from app.services.payments.gateway import GatewayDown
from app.states import RefundState
from tests import factories
from tests.services.test_invoices import sell
from tests.support.crediting import Desk
from tests.support.paying import attempt, behave, misbehave, move
from tests.support.servers import HttpServer


def to_refund(gateway: HttpServer, *parts: int) -> tuple[Desk, list[int]]:
    """Refunds to make by the gateway, one for each part (before tax) of one paid certificate; whole without parts."""
    _shop, invoice = sell(gateway)
    desk = Desk()
    line_id = left_of(invoice).lines[0].line.id
    for part in parts or (None,):
        wanted = None if part is None else [Wanted(line_id, part, 0)]
        desk.issue(
            invoice,
            outcome=CreditOutcome.REMBOURSEMENT_PASSERELLE,
            wanted=wanted,
            stamp_duty=None if part is None else 0,
        )
    return desk, list(db.session.scalars(select(Refund.id).order_by(Refund.id)))


def at_gateway(refund_id: int) -> int:
    """What the gateway gave back of the refund's payment."""
    from app.services.payments import gateway as service

    payment = attempt(db.session.get_one(Refund, refund_id).payment_id)
    answer = service.ask(payment)
    assert answer is not None
    return answer.refunded_amount


def refund(refund_id: int) -> Refund:
    return db.session.get_one(Refund, refund_id, populate_existing=True)


@pytest.mark.spec("AVO-4")
def test_the_gateway_gives_the_money_back_once(gateway: HttpServer, app: Flask) -> None:
    desk, [refund_id] = to_refund(gateway)
    done = refund_by_gateway(refund_id, actor=desk.agent)
    assert (done.state, done.attempts, done.done_by_id) == (RefundState.REMBOURSE, 1, desk.agent.user_id)
    assert at_gateway(refund_id) == 424_500 == attempt(done.payment_id).refunded
    with pytest.raises(IllegalTransition):
        refund_by_gateway(refund_id, actor=desk.agent)
    assert at_gateway(refund_id) == 424_500
    assert db.session.scalars(select(OutboxMail).where(OutboxMail.kind == "refund_done")).first() is not None


@pytest.mark.spec("AVO-4")
def test_a_refusal_stays_to_be_refunded_with_its_error(gateway: HttpServer, app: Flask) -> None:
    desk, [refund_id] = to_refund(gateway)
    payment_id = refund(refund_id).payment_id
    move(gateway, payment_id, status=6)
    left = refund_by_gateway(refund_id, actor=desk.agent)
    assert left.state is RefundState.A_REMBOURSER
    assert left.last_error.startswith("7 ")
    move(gateway, payment_id, status=2)
    assert refund_by_gateway(refund_id, actor=desk.agent).state is RefundState.REMBOURSE
    assert at_gateway(refund_id) == 424_500


@pytest.mark.spec("AVO-4")
@pytest.mark.parametrize("again", [refund_by_gateway, query_refund])
def test_an_answer_that_came_too_late_is_found_and_not_paid_twice(
    gateway: HttpServer, app: Flask, again: object
) -> None:
    desk, [refund_id] = to_refund(gateway)
    misbehave(gateway, "garbage", "refund")
    left = refund_by_gateway(refund_id, actor=desk.agent)
    assert left.state is RefundState.A_REMBOURSER
    assert left.last_error
    behave(gateway)
    assert at_gateway(refund_id) == 424_500  # obeyed all the same
    done = again(refund_id, actor=desk.agent)  # type: ignore[operator]  # one of two services
    assert done.state is RefundState.REMBOURSE
    assert at_gateway(refund_id) == 424_500


@pytest.mark.spec("AVO-4")
def test_parts_of_one_payment_are_told_apart(gateway: HttpServer, app: Flask) -> None:
    """The money another part gave back is no answer to a part that was never obeyed."""
    desk, [first, second] = to_refund(gateway, 100_000, 100_000)
    payment_id = refund(first).payment_id
    move(gateway, payment_id, status=6)
    refund_by_gateway(first, actor=desk.agent)
    move(gateway, payment_id, status=2)
    refund_by_gateway(second, actor=desk.agent)
    assert query_refund(first, actor=desk.agent).state is RefundState.A_REMBOURSER
    assert refund_by_gateway(first, actor=desk.agent).state is RefundState.REMBOURSE
    assert at_gateway(first) == 2 * 119_000


@pytest.mark.spec("AVO-4")
def test_a_demand_that_may_still_be_obeyed_is_not_made_again(
    gateway: HttpServer, app: Flask, travel: Callable[..., datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part of a payment may be given back twice at the gateway: it is not asked again while it may be at work."""
    desk, [refund_id] = to_refund(gateway, 100_000)
    client = payments_gateway.client()
    obey, asked = client.refund, []

    def late(order_id: str, amount: int) -> None:
        asked.append((order_id, amount))
        assert query_refund(refund_id, actor=desk.agent).state is RefundState.EN_COURS  # a colleague looks meanwhile
        raise GatewayUnavailable("ReadTimeout")

    monkeypatch.setattr(client, "refund", late)
    assert refund_by_gateway(refund_id, actor=desk.agent).state is RefundState.A_REMBOURSER
    travel(seconds=40)
    again = refund_by_gateway(refund_id, actor=desk.agent)
    assert (again.state, len(asked)) == (RefundState.A_REMBOURSER, 1)
    assert "traite encore" in again.last_error
    with pytest.raises(IllegalTransition, match="traite encore"):
        transfer_done(refund_id, bank_reference="VIR 2026 118", actor=desk.agent)
    obey(*asked[0])  # so late was it
    assert refund_by_gateway(refund_id, actor=desk.agent).state is RefundState.REMBOURSE
    assert (len(asked), at_gateway(refund_id)) == (1, 119_000)


@pytest.mark.spec("AVO-4")
def test_a_demand_never_obeyed_is_made_again_after_its_minute(
    gateway: HttpServer, app: Flask, travel: Callable[..., datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, [refund_id] = to_refund(gateway, 100_000)
    with monkeypatch.context() as patch:
        patch.setattr(refunding, "_given_back", lambda payment_id: 1 / 0)  # a crash while it is asked
        with pytest.raises(ZeroDivisionError):
            refund_by_gateway(refund_id, actor=desk.agent)
    assert query_refund(refund_id, actor=desk.agent).state is RefundState.EN_COURS
    travel(seconds=61)
    assert query_refund(refund_id, actor=desk.agent).state is RefundState.A_REMBOURSER
    assert refund_by_gateway(refund_id, actor=desk.agent).state is RefundState.REMBOURSE
    assert at_gateway(refund_id) == 119_000


@pytest.mark.spec("AVO-4")
def test_what_goes_back_for_one_part_is_no_answer_to_another(
    gateway: HttpServer, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the gateway's answer and our note, another part's question would find money above the books."""
    desk, [first, second] = to_refund(gateway, 100_000, 100_000)
    payment_id = refund(first).payment_id
    move(gateway, payment_id, status=6)
    refund_by_gateway(first, actor=desk.agent)  # refused
    move(gateway, payment_id, status=2)
    client = payments_gateway.client()
    obey = client.refund

    def meanwhile(order_id: str, amount: int) -> None:
        obey(order_id, amount)
        for service in (query_refund, refund_by_gateway):
            with pytest.raises(IllegalTransition, match="autre remboursement"):
                service(first, actor=desk.agent)

    with monkeypatch.context() as patch:
        patch.setattr(client, "refund", meanwhile)
        assert refund_by_gateway(second, actor=desk.agent).state is RefundState.REMBOURSE
    assert refund(first).state is RefundState.A_REMBOURSER
    assert refund_by_gateway(first, actor=desk.agent).state is RefundState.REMBOURSE
    assert at_gateway(first) == 2 * 119_000


@pytest.mark.spec("AVO-4")
def test_a_gateway_that_is_down_is_asked_nothing(gateway: HttpServer, app: Flask) -> None:
    desk, [refund_id] = to_refund(gateway)
    misbehave(gateway, "down")
    with pytest.raises(GatewayDown):
        refund_by_gateway(refund_id, actor=desk.agent)
    assert refund(refund_id).state is RefundState.A_REMBOURSER
    behave(gateway)
    assert at_gateway(refund_id) == 0


@pytest.mark.spec("AVO-1", "AVO-4")
def test_by_hand_it_needs_its_reference_and_is_done_once(gateway: HttpServer, app: Flask) -> None:
    desk, [refund_id] = to_refund(gateway)
    for wrong in ("", " x ", "r" * 121):
        with pytest.raises(DomainError):
            refund_by_hand(refund_id, bank_reference=wrong, actor=desk.agent)
    with pytest.raises(StaleObject):
        refund_by_hand(refund_id, bank_reference="VIR 2026 118", actor=desk.agent, expected_version=99)
    done = refund_by_hand(refund_id, bank_reference=" VIR  2026 118 ", actor=desk.agent)
    assert (done.state, done.method, done.bank_reference) == (
        RefundState.REMBOURSE,
        RefundMethod.MANUEL,
        "VIR 2026 118",
    )
    for service in (refund_by_gateway, query_refund):
        if service is query_refund:
            assert query_refund(refund_id, actor=desk.agent).state is RefundState.REMBOURSE
        else:
            with pytest.raises(IllegalTransition):
                refund_by_gateway(refund_id, actor=desk.agent)
    assert at_gateway(refund_id) == 0


@pytest.mark.spec("AVO-4", "PPL-2")
@pytest.mark.parametrize("role", [Role.RESPONSABLE, Role.ADMINISTRATEUR])
def test_others_refund_nothing(gateway: HttpServer, app: Flask, role: Role) -> None:
    _desk, [refund_id] = to_refund(gateway)
    other: Actor = factories.actor(factories.staff(role))
    for act in (
        lambda: refund_by_gateway(refund_id, actor=other),
        lambda: query_refund(refund_id, actor=other),
        lambda: refund_by_hand(refund_id, bank_reference="VIR 1", actor=other),
    ):
        with pytest.raises(Forbidden):
            act()
    assert refund(refund_id).state is RefundState.A_REMBOURSER


@pytest.mark.spec("PPL-3")
def test_an_officer_has_no_hand_on_their_own_organisations_money(gateway: HttpServer, app: Flask) -> None:
    """Who also administers the organisation could raise what a colleague prepared, or note a transfer never made."""
    _shop, invoice = sell(gateway)
    desk = Desk()
    own = replace(
        factories.actor(factories.staff(Role.SUPERVISEUR)), organisation_ids=frozenset({invoice.organisation_id})
    )
    line_id = left_of(invoice).lines[0].line.id
    part = [Wanted(line_id, 1_000, 0)]
    proposal_id = desk.prepare(invoice, wanted=part, stamp_duty=0, outcome=CreditOutcome.REMBOURSEMENT_PASSERELLE)
    with pytest.raises(Forbidden, match="propre organisation"):
        proposing.edit(
            proposal_id,
            [Wanted(line_id, 350_000, 7_000)],
            stamp_duty=1_000,
            reason=CreditReason.ERREUR_TUNTRUST,
            reason_text="Tout est rendu.",
            outcome=CreditOutcome.REMBOURSEMENT_MANUEL,
            actor=own,
        )
    with pytest.raises(Forbidden):
        proposing.withdraw(proposal_id, actor=own)
    with pytest.raises(Forbidden):
        proposing.refuse(proposal_id, reason="Non merci.", actor=own)
    with pytest.raises(Forbidden):
        issuing.issue(proposal_id, actor=own)
    note = issuing.issue(proposal_id, actor=desk.supervisor)
    refund_id = db.session.scalars(select(Refund.id).filter_by(credit_note_id=note.id)).one()
    with pytest.raises(Forbidden):
        refund_by_hand(refund_id, bank_reference="VIR 0001", actor=own)
    with pytest.raises(Forbidden):
        refund_by_gateway(refund_id, actor=own)
    assert (refund(refund_id).state, at_gateway(refund_id)) == (RefundState.A_REMBOURSER, 0)
    assert refund_by_gateway(refund_id, actor=desk.agent).state is RefundState.REMBOURSE

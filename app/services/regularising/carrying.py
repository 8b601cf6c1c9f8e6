"""Carrying out what a second person approved: by the gateway, once for each press, or by transfer (GAT-4).

As for refunds (AVO-4): the gateway is asked what it gave back before it is asked to give anything, so that an answer
that never came is found and nothing goes back twice. An un-invoiced attempt is given back whole, and the gateway
refuses more than it holds.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from flask_babel import force_locale
from flask_babel import gettext as _

from app import clock
from app.adapters.clictopay import PAID, PREAUTHORISED, GatewayRefused, GatewayUnavailable, OrderStatus
from app.errors import IllegalTransition, NotFound
from app.extensions import db
from app.models import Payment, PaymentRemedy, RemedyKind
from app.permissions import Actor, Permission
from app.services.authority import require
from app.services.locking import check_version
from app.services.moving import move_remedy
from app.services.payments import gateway
from app.services.payments.gateway import UNDER_WAY, GatewayDown
from app.services.payments.settling import given_back, note_answer
from app.services.regularising.closing import end
from app.services.regularising.preparing import REFERENCE_LIMIT, checked_text, locked
from app.services.unit_of_work import use_case
from app.states import RemedyState

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Claimed:
    """What is needed of a remedy while no transaction is open; millimes."""

    payment_id: int
    order_id: str
    amount: int


def carry_out(remedy_id: int, *, actor: Actor, expected_version: int | None = None) -> PaymentRemedy:
    """Ask the gateway to give the money back, or to release it; the remedy as it stands then.

    No transaction is open while it is asked. A refusal, an outage or a late answer leaves it to be done with its
    error. Raises NotFound, Forbidden, IllegalTransition, StaleObject, GatewayDown (before anything was asked).
    """
    require(actor, Permission.SETTLE_PAYMENTS)
    claimed = _claim(remedy_id, actor, expected_version)
    try:
        answer = _asked(claimed.payment_id)
    except GatewayDown:
        _fail(remedy_id, actor, _in_french(_("La passerelle n'a pas répondu : rien ne lui a été demandé.")))
        raise
    if _all_back(answer, claimed.amount):
        return _confirm(remedy_id, actor, answer)  # an earlier answer was lost: the money went back already
    if answer.status not in (PAID, PREAUTHORISED):
        return _fail(remedy_id, actor, _in_french(_("La passerelle ne détient plus cette somme.")), answer)
    try:
        if answer.status == PREAUTHORISED:
            gateway.client().reverse(claimed.order_id)
        else:
            gateway.client().refund(claimed.order_id, claimed.amount)
    except GatewayRefused as refusal:
        return _fail(remedy_id, actor, f"{refusal.code} · {refusal.gateway_message}"[:500], answer)
    except GatewayUnavailable as outage:
        log.warning("remedy_unanswered", remedy=remedy_id, reason=outage.reason)
        return _fail(
            remedy_id, actor, _in_french(_("La passerelle n'a pas répondu : interrogez-la avant de recommencer."))
        )
    return _confirm(remedy_id, actor, None)


def query_remedy(remedy_id: int, *, actor: Actor) -> PaymentRemedy:
    """« Interroger la passerelle »: did the money go back? For an answer that never came, or a crash meanwhile.

    Raises NotFound, Forbidden, GatewayDown.
    """
    require(actor, Permission.SETTLE_PAYMENTS)
    found = db.session.get(PaymentRemedy, remedy_id, populate_existing=True)
    if found is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    if found.state not in (RemedyState.A_FAIRE, RemedyState.EN_COURS) or not found.attempts:
        return found
    amount, asked_at, payment_id = found.amount, found.asked_at, found.payment_id
    answer = _asked(payment_id)
    if _all_back(answer, amount):
        return _confirm(remedy_id, actor, answer)
    if asked_at is not None and clock.now() < asked_at + UNDER_WAY:
        return db.session.get_one(PaymentRemedy, remedy_id)
    return _fail(remedy_id, actor, _in_french(_("La passerelle n'a rien rendu.")), answer)


def transfer_done(
    remedy_id: int, *, bank_reference: str, actor: Actor, expected_version: int | None = None
) -> PaymentRemedy:
    """« Virement fait », under the bank's reference: only for what was approved as a transfer (PPL-3).

    The gateway is asked first: what it gave back meanwhile is not paid a second time. Raises NotFound, Forbidden,
    IllegalTransition, StaleObject, GatewayDown, DomainError on ``bank_reference``.
    """
    require(actor, Permission.SETTLE_PAYMENTS)
    bank_reference = checked_text(
        " ".join(bank_reference.split()), "bank_reference", _("Écrivez la référence du virement."), REFERENCE_LIMIT
    )
    found = db.session.get(PaymentRemedy, remedy_id, populate_existing=True)
    if found is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    if found.kind is not RemedyKind.VIREMENT:
        raise IllegalTransition(_("Ce règlement passe par la passerelle, et non par un virement."))
    amount = found.amount
    answer = _asked(found.payment_id)
    if answer.status != PAID or answer.amount - given_back(answer) < amount:
        raise IllegalTransition(
            _("La passerelle a rendu cette somme entre-temps : ne faites pas ce virement, abandonnez-le.")
        )
    return _noted_transfer(remedy_id, bank_reference, actor, expected_version)


@use_case
def _noted_transfer(remedy_id: int, bank_reference: str, actor: Actor, expected_version: int | None) -> PaymentRemedy:
    remedy = locked(remedy_id)
    check_version(remedy, expected_version, for_staff=True)
    move_remedy(remedy, "done_by_hand", actor=actor, details={"reference": bank_reference})
    remedy.outside_reference = bank_reference
    end(remedy, actor=actor)
    return remedy


@use_case
def _claim(remedy_id: int, actor: Actor, expected_version: int | None) -> _Claimed:
    remedy = locked(remedy_id)
    if remedy.kind is not RemedyKind.PASSERELLE or not remedy.payment.gateway_order_id:
        raise IllegalTransition(_("Ce règlement ne passe pas par la passerelle."))
    if remedy.state is RemedyState.EN_COURS:
        raise IllegalTransition(_("Ce remboursement est déjà demandé à la passerelle : interrogez-la."))
    check_version(remedy, expected_version, for_staff=True)
    move_remedy(remedy, "ask_gateway", actor=actor)
    remedy.attempts += 1
    remedy.asked_at, remedy.asked_by_id, remedy.last_error = clock.now(), actor.user_id, ""
    return _Claimed(remedy.payment_id, remedy.payment.gateway_order_id, remedy.amount)


@use_case
def _confirm(remedy_id: int, actor: Actor, answer: OrderStatus | None) -> PaymentRemedy:
    remedy = locked(remedy_id)
    if remedy.state is RemedyState.FAIT:
        return remedy
    move_remedy(remedy, "confirm", actor=actor)
    if answer is not None:
        note_answer(remedy.payment, answer)
    else:
        payment = remedy.payment
        payment.refunded += remedy.amount
        payment.gateway_answer = {**(payment.gateway_answer or {}), "refunded": payment.refunded}
    end(remedy, actor=actor)
    return remedy


@use_case
def _fail(remedy_id: int, actor: Actor, error: str, answer: OrderStatus | None = None) -> PaymentRemedy:
    remedy = locked(remedy_id)
    if answer is not None:
        note_answer(remedy.payment, answer)
    if remedy.state is RemedyState.EN_COURS:
        move_remedy(remedy, "fail", actor=actor, details={"error": error})
    if remedy.state is RemedyState.A_FAIRE:
        remedy.last_error = error
    return remedy


def _asked(payment_id: int) -> OrderStatus:
    answer = gateway.ask(db.session.get_one(Payment, payment_id))
    if answer is None:
        raise GatewayDown
    return answer


def _all_back(answer: OrderStatus, amount: int) -> bool:
    """Does the gateway hold nothing more of it? Everything of an un-invoiced attempt goes back at once."""
    return given_back(answer) >= max(amount, 1) and answer.amount - given_back(answer) <= 0


def _in_french(sentence: str) -> str:
    """Errors are kept as they were said; the desk reads them."""
    with force_locale("fr"):
        return str(sentence)

"""Giving money back for a credit note: by the gateway when a person asks it, or by hand (AVO-4).

The gateway is asked once for each press of a person, never twice by itself. Before a second try it is asked what
it already gave back: what was refunded there above what our books know was the answer that never came.
"""

from __future__ import annotations

import structlog
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import func, select

from app import clock
from app.adapters.clictopay import GatewayRefused, GatewayUnavailable
from app.errors import DomainError, IllegalTransition, NotFound
from app.extensions import db
from app.models import Organisation, Payment, Refund, RefundMethod
from app.permissions import Actor, Permission
from app.services.announcing import tell_administrators
from app.services.authority import require
from app.services.credits.proposing import refuse_own
from app.services.links import public_url
from app.services.locking import check_version, lock
from app.services.moving import move_refund
from app.services.payments import gateway
from app.services.payments.gateway import UNDER_WAY, GatewayDown
from app.services.unit_of_work import use_case
from app.states import RefundState

log = structlog.get_logger()

REFERENCE_LIMIT = 120


def refund_by_gateway(refund_id: int, *, actor: Actor, expected_version: int | None = None) -> Refund:
    """« Rembourser »: ask the gateway to give the amount back (AVO-4); the refund as it stands then.

    No transaction is open while it is asked. A refusal, an outage or a late answer leaves it « à rembourser » with
    its error; after a late one the gateway is asked for nothing more within the minute it may still be at work, or
    a part of a payment would go back twice. Raises NotFound, Forbidden, IllegalTransition, StaleObject, GatewayDown
    (before anything was asked).
    """
    require(actor, Permission.SETTLE_PAYMENTS)
    claimed = _claim(refund_id, actor, expected_version)
    try:
        given_back = _given_back(claimed.payment_id)
    except GatewayDown:
        error = _in_french(_("La passerelle n'a pas répondu : rien ne lui a été demandé."))
        _fail(refund_id, actor, error, unanswered=claimed.unanswered)
        raise
    if claimed.attempts > 1 and given_back - _confirmed(claimed.payment_id) >= claimed.amount:
        return _found(refund_id, actor, given_back)  # an earlier answer was lost: the money went back already
    if claimed.at_work:
        return _fail(refund_id, actor, _in_french(_at_work()), unanswered=claimed.unanswered)
    try:
        gateway.client().refund(claimed.order_id, claimed.amount)
    except GatewayRefused as refusal:
        return _fail(refund_id, actor, f"{refusal.code} · {refusal.gateway_message}"[:500])
    except GatewayUnavailable as outage:
        log.warning("refund_unanswered", refund=refund_id, reason=outage.reason)
        error = _in_french(_("La passerelle n'a pas répondu : interrogez-la avant de recommencer."))
        return _fail(refund_id, actor, error, unanswered=given_back if outage.sent else None)
    return _confirm(refund_id, actor, given_back + claimed.amount)


def query_refund(refund_id: int, *, actor: Actor) -> Refund:
    """« Interroger la passerelle »: did the money go back? For an answer that never came, or a crash meanwhile.

    One asked for within the last minute stays as it is: its answer may be on its way. Raises NotFound, Forbidden,
    GatewayDown, IllegalTransition while the gateway gives another part of the same payment back.
    """
    require(actor, Permission.SETTLE_PAYMENTS)
    found = db.session.get(Refund, refund_id, populate_existing=True)
    if found is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    if found.state is RefundState.REMBOURSE or found.attempts == 0:
        return found
    payment_id, amount = found.payment_id, found.amount
    unanswered, at_work = found.refunded_before, _is_at_work(found)
    given_back = _given_back(payment_id)
    if given_back - _confirmed(payment_id) >= amount:
        return _found(refund_id, actor, given_back)
    if at_work:
        return db.session.get_one(Refund, refund_id)
    return _fail(refund_id, actor, _in_french(_("La passerelle n'a rien remboursé.")), unanswered=unanswered)


@use_case
def refund_by_hand(refund_id: int, *, bank_reference: str, actor: Actor, expected_version: int | None = None) -> Refund:
    """The money went back by bank transfer, under this reference (AVO-1).

    One that the gateway was asked for is queried there first by the caller's page; what it gave back is never paid
    twice. Raises NotFound, Forbidden, IllegalTransition, StaleObject, DomainError on ``bank_reference``.
    """
    require(actor, Permission.SETTLE_PAYMENTS)
    bank_reference = " ".join(bank_reference.split())
    if len(bank_reference) < 3:
        raise DomainError(_("Écrivez la référence du virement."), field="bank_reference")
    if len(bank_reference) > REFERENCE_LIMIT:
        raise DomainError(_("120 caractères au plus."), field="bank_reference")
    refund = _locked(refund_id)
    refuse_own(refund.credit_note.organisation_id, actor)
    check_version(refund, expected_version, for_staff=True)
    move_refund(refund, "done_by_hand", actor=actor, details={"reference": bank_reference})
    refund.method = RefundMethod.MANUEL
    refund.bank_reference, refund.last_error = bank_reference, ""
    refund.done_at, refund.done_by_id = clock.now(), actor.user_id
    _tell(refund)
    return refund


def transfer_done(refund_id: int, *, bank_reference: str, actor: Actor, expected_version: int | None = None) -> Refund:
    """« Virement fait »: by hand, after asking the gateway when it was ever pressed, so that nothing is paid twice.

    When the gateway turns out to have given the money back, that is noted instead: its ``method`` says so.
    Raises as ``refund_by_hand``; GatewayDown, nothing written, when the gateway cannot tell.
    """
    require(actor, Permission.SETTLE_PAYMENTS)
    found = db.session.get(Refund, refund_id, populate_existing=True)
    if found is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    check_version(found, expected_version, for_staff=True)
    if found.method is RefundMethod.PASSERELLE and found.attempts:
        found = query_refund(refund_id, actor=actor)
        if found.state is RefundState.REMBOURSE:
            return found
        if _is_at_work(found):
            raise IllegalTransition(_at_work())
        expected_version = found.version
    return refund_by_hand(refund_id, bank_reference=bank_reference, actor=actor, expected_version=expected_version)


class _Claimed:
    """What is needed of a refund while no transaction is open."""

    def __init__(self, refund: Refund) -> None:
        self.payment_id, self.amount, self.attempts = refund.payment_id, refund.amount, refund.attempts
        self.order_id = refund.payment.gateway_order_id or ""
        self.unanswered, self.at_work = refund.refunded_before, _is_at_work(refund)


def _is_at_work(refund: Refund) -> bool:
    """May the gateway still be at the last press? Until a minute later « not given back » says nothing."""
    answered = refund.state is not RefundState.EN_COURS and refund.refunded_before is None
    return not answered and refund.asked_at is not None and clock.now() < refund.asked_at + UNDER_WAY


def _at_work() -> str:
    return _("La passerelle traite encore la demande : interrogez-la dans une minute.")


@use_case
def _claim(refund_id: int, actor: Actor, expected_version: int | None) -> _Claimed:
    refund = _locked(refund_id)
    refuse_own(refund.credit_note.organisation_id, actor)
    if refund.method is not RefundMethod.PASSERELLE or not refund.payment.gateway_order_id:
        raise IllegalTransition(_("Ce remboursement se fait par virement, et non par la passerelle."))
    if refund.state is RefundState.EN_COURS:
        raise IllegalTransition(_("Ce remboursement est déjà demandé à la passerelle : interrogez-la."))
    check_version(refund, expected_version, for_staff=True)
    _refuse_beside_another(refund)
    claimed = _Claimed(refund)
    claimed.attempts += 1
    move_refund(refund, "ask_gateway", actor=actor)
    refund.attempts, refund.last_error = claimed.attempts, ""
    if not claimed.at_work:  # else the earlier press is the one that may still be obeyed
        refund.asked_at, refund.asked_by_id = clock.now(), actor.user_id
    return claimed


def _refuse_beside_another(refund: Refund) -> None:
    """One part of a payment at a time: what goes back for one is no answer to another. Raises IllegalTransition."""
    other = select(Refund.id).where(
        Refund.payment_id == refund.payment_id, Refund.id != refund.id, Refund.state == RefundState.EN_COURS
    )
    if db.session.scalar(other.limit(1)) is not None:
        raise IllegalTransition(
            _("La passerelle traite un autre remboursement du même paiement : interrogez-la d'abord pour celui-là.")
        )


@use_case
def _found(refund_id: int, actor: Actor, given_back: int) -> Refund:
    """The gateway gave back above our books: judged again under the payment's lock, for another part may be on its way.

    Raises IllegalTransition then.
    """
    refund = _locked(refund_id)
    if refund.state is not RefundState.REMBOURSE:
        _refuse_beside_another(refund)
        if given_back - _confirmed(refund.payment_id) < refund.amount:
            raise IllegalTransition(_at_work())
    return _confirm(refund_id, actor, given_back)


@use_case
def _confirm(refund_id: int, actor: Actor, given_back: int) -> Refund:
    refund = _locked(refund_id)
    if refund.state is RefundState.REMBOURSE:
        return refund
    move_refund(refund, "confirm", actor=actor)
    refund.last_error, refund.refunded_before = "", None
    refund.done_at, refund.done_by_id = clock.now(), actor.user_id
    refund.payment.refunded = given_back
    _tell(refund)
    return refund


@use_case
def _fail(refund_id: int, actor: Actor, error: str, *, unanswered: int | None = None) -> Refund:
    """``unanswered``: what the gateway had given back when it was asked and did not answer; None: it said no."""
    refund = _locked(refund_id)
    if refund.state is RefundState.EN_COURS:
        move_refund(refund, "fail", actor=actor, details={"error": error})
    if refund.state is not RefundState.REMBOURSE:
        refund.last_error, refund.refunded_before = error, unanswered
    return refund


def _locked(refund_id: int) -> Refund:
    """The refund, after its organisation and payment: the order everybody locks in."""
    row = db.session.execute(
        select(Refund.payment_id, Payment.organisation_id)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Refund.id == refund_id)
    ).first()
    if row is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    lock(Organisation, row.organisation_id)
    lock(Payment, row.payment_id)
    return lock(Refund, refund_id)


def _given_back(payment_id: int) -> int:
    """What the gateway says it gave back of a payment, in millimes. Raises GatewayDown."""
    payment = db.session.get_one(Payment, payment_id)
    answer = gateway.ask(payment)
    return answer.refunded_amount if answer is not None else 0  # an order it does not know gave nothing back


def _confirmed(payment_id: int) -> int:
    """What our books know went back by the gateway, in millimes."""
    return int(
        db.session.scalar(
            select(func.coalesce(func.sum(Refund.amount), 0)).where(
                Refund.payment_id == payment_id,
                Refund.method == RefundMethod.PASSERELLE,
                Refund.state == RefundState.REMBOURSE,
            )
        )
        or 0
    )


def _in_french(sentence: str) -> str:
    """Errors are kept as they were said; the desk reads them."""
    with force_locale("fr"):
        return str(sentence)


def _tell(refund: Refund) -> None:
    organisation = db.session.get_one(Organisation, refund.credit_note.organisation_id)
    tell_administrators(
        "refund_done",
        organisation,
        amount=refund.amount,
        credit_note_number=refund.credit_note.number,
        by_bank=refund.method is RefundMethod.MANUEL,
        bank_reference=refund.bank_reference,
        link=public_url("invoices.index"),
    )

"""Ending a case of the reconciliation desk, and opening it again when it was closed by mistake (GAT-4)."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select

from app import clock
from app.errors import DomainError, Forbidden, IllegalTransition
from app.extensions import db
from app.models import Organisation, PaymentRemedy, RemedyKind
from app.permissions import Actor, Permission
from app.services import audit, history
from app.services.announcing import tell_administrators
from app.services.authority import require
from app.services.links import public_url
from app.services.payments.settling import has_open_remedy, lock_payment, settle
from app.services.unit_of_work import use_case
from app.states import Anomaly, PaymentState, RemedyState

DINAR = "788"
REOPENABLE = (RemedyKind.CLASSEMENT, RemedyKind.CONSTAT)
"""What moved no money of ours: opening it again can give nothing back twice."""


def end(remedy: PaymentRemedy, *, actor: Actor) -> None:
    """Inside a use case, after the remedy's last move: the attempt leaves the desk, and its people are told."""
    payment, moment = remedy.payment, clock.now()
    remedy.done_at, remedy.done_by_id, remedy.last_error = moment, actor.user_id, ""
    payment.remedied_at, payment.remedied_by_id = moment, actor.user_id
    payment.remedy = remedy.reason
    payment.version += 1
    if remedy.kind is not RemedyKind.CLASSEMENT:
        _tell(remedy)


def acknowledge(payment_id: int, *, actor: Actor) -> PaymentRemedy:
    """« Constater le remboursement »: the gateway itself says, asked now, that everything went back already.

    No money leaves by it, so one person is enough. Raises Forbidden, NotFound, GatewayDown, IllegalTransition
    (the gateway does not say so, or the attempt is no longer at the desk).
    """
    require(actor, Permission.SETTLE_PAYMENTS)
    settle(payment_id)
    return _acknowledged(payment_id, actor)


@use_case
def _acknowledged(payment_id: int, actor: Actor) -> PaymentRemedy:
    payment = lock_payment(payment_id)
    if payment.organisation_id in actor.organisation_ids:
        raise Forbidden(_("C'est un paiement de votre propre organisation : un collègue doit s'en occuper."))
    if payment.state is not PaymentState.A_REGULARISER or payment.remedied_at is not None:
        raise IllegalTransition(_("Ce paiement n'est plus à régulariser."))
    if has_open_remedy(payment.id):
        raise IllegalTransition(_("Un règlement est déjà préparé : menez-le à son terme ou abandonnez-le."))
    if payment.anomaly != Anomaly.GIVEN_BACK:
        raise IllegalTransition(_("La passerelle ne dit pas avoir tout rendu."))
    answer = payment.gateway_answer or {}
    remedy = PaymentRemedy(
        payment_id=payment.id,
        kind=RemedyKind.CONSTAT,
        state=RemedyState.FAIT,
        amount=max(payment.refunded, 1),
        currency=str(answer.get("currency") or payment.currency),
        anomaly=payment.anomaly,
        reason=_("La passerelle dit avoir tout rendu."),
        prepared_by_id=actor.user_id,
        prepared_at=clock.now(),
    )
    db.session.add(remedy)
    db.session.flush()
    facts = {"remedy": remedy.kind, "amount": remedy.amount, "currency": remedy.currency}
    history.write(
        actor,
        "remedy_acknowledged",
        payment_id=payment.id,
        organisation_id=payment.organisation_id,
        to_state=remedy.state,
        details=facts,
    )
    audit.record(actor, "remedy_acknowledged", remedy, after=facts)
    end(remedy, actor=actor)
    return remedy


@use_case
def reopen(payment_id: int, *, reason: str, actor: Actor) -> None:
    """Back to the desk: the case was closed by mistake. Only what moved no money can be opened again.

    Raises Forbidden, NotFound, IllegalTransition, DomainError on ``reason``.
    """
    require(actor, Permission.SETTLE_PAYMENTS)
    payment = lock_payment(payment_id)
    reason = reason.strip()
    last = db.session.scalar(
        select(PaymentRemedy)
        .where(PaymentRemedy.payment_id == payment.id, PaymentRemedy.state == RemedyState.FAIT)
        .order_by(PaymentRemedy.id.desc())
        .limit(1)
    )
    if payment.remedied_at is None or last is None or last.kind not in REOPENABLE:
        raise IllegalTransition(_("Ce paiement ne peut pas être rouvert."))
    if not 3 <= len(reason) <= 2000:
        raise DomainError(_("Écrivez la raison : elle sera gardée dans l'historique."), field="reason")
    payment.remedied_at = payment.remedied_by_id = None
    payment.remedy = ""
    payment.version += 1
    history.write(
        actor, "remedy_reopened", payment_id=payment.id, organisation_id=payment.organisation_id, reason=reason
    )
    audit.record(actor, "remedy_reopened", payment, after={"reason": reason})


def _tell(remedy: PaymentRemedy) -> None:
    payment = remedy.payment
    organisation = db.session.get_one(Organisation, payment.organisation_id)
    tell_administrators(
        "payment_given_back",
        organisation,
        amount=remedy.amount if remedy.currency == DINAR else None,
        payment_reference=payment.reference,
        how=_how(remedy),
        bank_reference=remedy.outside_reference,
        link=public_url("orders.history"),
    )


def _how(remedy: PaymentRemedy) -> str:
    if remedy.kind is RemedyKind.VIREMENT:
        return "transfer"
    return "released" if remedy.anomaly == Anomaly.PREAUTHORISED else "card"

"""Preparing what is done with an attempt, and the second person's word (GAT-4, PPL-3)."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select

from app import clock
from app.errors import DomainError, Forbidden, IllegalTransition, NotFound, StaleObject
from app.extensions import db
from app.models import Payment, PaymentRemedy, RemedyKind
from app.permissions import Actor, Permission
from app.services import audit, history
from app.services.authority import require
from app.services.locking import check_version, lock
from app.services.moving import REASON_LIMIT, move_remedy
from app.services.payments.settling import has_open_remedy, lock_payment, settle
from app.services.regularising.cases import left_to_give_back, remedies_of
from app.services.regularising.closing import end
from app.services.unit_of_work import use_case
from app.states import RemedyState

REFERENCE_LIMIT = 120
SECOND_PERSON = Permission.APPROVE_CREDIT_NOTES


def prepare(
    payment_id: int,
    kind: RemedyKind,
    *,
    reason: str,
    outside_reference: str = "",
    anomaly_seen: str,
    actor: Actor,
) -> PaymentRemedy:
    """Write what is to be done with an attempt, for a second person to approve; nothing moves yet.

    The amount is what the gateway, asked now, says that it holds: nobody types it. ``anomaly_seen`` is the cause that
    the page showed. Raises Forbidden, NotFound, GatewayDown, IllegalTransition (no longer at the desk, or already
    prepared), StaleObject (the cause is another now), DomainError on ``kind``, ``reason`` or ``outside_reference``.
    """
    require(actor, Permission.SETTLE_PAYMENTS)
    if kind is not RemedyKind.CLASSEMENT:
        settle(payment_id)
    return _written(payment_id, kind, reason, outside_reference, anomaly_seen, actor)


@use_case
def _written(
    payment_id: int, kind: RemedyKind, reason: str, outside_reference: str, anomaly_seen: str, actor: Actor
) -> PaymentRemedy:
    payment = lock_payment(payment_id)
    check_open(payment, actor)
    if payment.anomaly != anomaly_seen:
        raise StaleObject(_("La situation de ce paiement a changé depuis l'ouverture de la page : relisez-la."))
    if kind is RemedyKind.CONSTAT or kind not in remedies_of(payment):
        raise DomainError(_("Ce règlement n'est pas possible pour ce paiement."), field="kind")
    remedy = PaymentRemedy(
        payment_id=payment.id,
        kind=kind,
        state=RemedyState.A_APPROUVER,
        amount=0 if kind is RemedyKind.CLASSEMENT else left_to_give_back(payment),
        currency=_currency(payment),
        anomaly=payment.anomaly,
        reason=checked_text(
            reason, "reason", _("Écrivez la raison : elle sera gardée dans l'historique."), REASON_LIMIT
        ),
        outside_reference=_outside(kind, outside_reference),
        prepared_by_id=actor.user_id,
        prepared_at=clock.now(),
    )
    db.session.add(remedy)
    db.session.flush()
    facts = {"remedy": kind, "amount": remedy.amount, "currency": remedy.currency, "anomaly": remedy.anomaly}
    history.write(
        actor,
        "remedy_prepared",
        payment_id=payment.id,
        organisation_id=payment.organisation_id,
        to_state=remedy.state,
        reason=remedy.reason,
        details=facts,
    )
    audit.record(actor, "remedy_prepared", remedy, after={**facts, "reason": remedy.reason})
    return remedy


@use_case
def approve(remedy_id: int, *, actor: Actor, expected_version: int | None = None) -> PaymentRemedy:
    """The second person says yes (PPL-3). What moves no money is done by it; the rest may then be carried out.

    Raises Forbidden (who prepared it), NotFound, IllegalTransition, StaleObject.
    """
    require(actor, SECOND_PERSON)
    remedy = locked(remedy_id)
    check_version(remedy, expected_version, for_staff=True)
    _check_second_person(remedy, actor)
    move_remedy(remedy, "approve", actor=actor)
    _decided(remedy, actor)
    if remedy.kind is RemedyKind.CLASSEMENT:
        move_remedy(remedy, "confirm", actor=actor)
        end(remedy, actor=actor)
    return remedy


@use_case
def refuse(remedy_id: int, *, reason: str, actor: Actor, expected_version: int | None = None) -> PaymentRemedy:
    """The second person says no, and why. Raises as ``approve``; DomainError on ``reason``."""
    require(actor, SECOND_PERSON)
    remedy = locked(remedy_id)
    check_version(remedy, expected_version, for_staff=True)
    _check_second_person(remedy, actor)
    move_remedy(remedy, "refuse", actor=actor, reason=reason)
    remedy.decision_reason = reason.strip()
    _decided(remedy, actor)
    return remedy


@use_case
def withdraw(remedy_id: int, *, actor: Actor, expected_version: int | None = None) -> PaymentRemedy:
    """Give up what was prepared, as long as the gateway was never asked. Raises Forbidden, IllegalTransition …"""
    require(actor, Permission.SETTLE_PAYMENTS)
    remedy = locked(remedy_id)
    check_version(remedy, expected_version, for_staff=True)
    if remedy.attempts and remedy.state is not RemedyState.A_APPROUVER and not remedy.last_error:
        raise IllegalTransition(_("La passerelle a été sollicitée : interrogez-la avant d'abandonner."))
    move_remedy(remedy, "withdraw", actor=actor)
    _decided(remedy, actor)
    return remedy


def locked(remedy_id: int) -> PaymentRemedy:
    """The remedy, after its organisation and attempt: the order everybody locks in. Raises NotFound."""
    payment_id = db.session.scalar(select(PaymentRemedy.payment_id).where(PaymentRemedy.id == remedy_id))
    if payment_id is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    lock_payment(payment_id)
    return lock(PaymentRemedy, remedy_id)


def check_open(payment: Payment, actor: Actor) -> None:
    """The attempt is at the desk, of somebody else's organisation, and nobody has decided anything of it yet."""
    if payment.organisation_id in actor.organisation_ids:
        raise Forbidden(_("C'est un paiement de votre propre organisation : un collègue doit s'en occuper."))
    if not remedies_of(payment):
        raise IllegalTransition(_("Ce paiement n'est plus à régulariser."))
    if has_open_remedy(payment.id):
        raise IllegalTransition(_("Un règlement est déjà préparé : menez-le à son terme ou abandonnez-le."))


def checked_text(text: str, field: str, empty: str, limit: int) -> str:
    """A sentence of a person, three characters at least. Raises DomainError on ``field``."""
    text = text.strip()
    if len(text) < 3:
        raise DomainError(empty, field=field)
    if len(text) > limit:
        raise DomainError(_("%(limit)s caractères au plus.", limit=limit), field=field)
    return text


def _outside(kind: RemedyKind, reference: str) -> str:
    reference = " ".join(reference.split())
    if kind is not RemedyKind.CLASSEMENT:
        return ""
    return checked_text(
        reference,
        "outside_reference",
        _("Écrivez la référence qui prouve ce qui a été fait : courrier de SMT, relevé, virement…"),
        REFERENCE_LIMIT,
    )


def _currency(payment: Payment) -> str:
    return str((payment.gateway_answer or {}).get("currency") or payment.currency)


def _check_second_person(remedy: PaymentRemedy, actor: Actor) -> None:
    if actor.user_id == remedy.prepared_by_id:
        raise Forbidden(_("Vous avez préparé ce règlement : une autre personne doit l'approuver."))
    if remedy.payment.organisation_id in actor.organisation_ids:
        raise Forbidden(_("C'est un paiement de votre propre organisation : un collègue doit s'en occuper."))


def _decided(remedy: PaymentRemedy, actor: Actor) -> None:
    remedy.decided_by_id, remedy.decided_at = actor.user_id, clock.now()

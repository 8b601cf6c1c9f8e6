"""Taking a request back: for good, or for a correction (chapter 1: withdraw, reopen; APP-2).

Lock order: organisation, requests, users. Paying locks the organisation first as well, so that a payment and a
withdrawal of the same request come one after the other and never both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, or_, select

from app.errors import IllegalTransition, NotFound, ValidationFailed
from app.extensions import db
from app.models import CertificateRequest, Document, IdentityKind, Order, Organisation, User
from app.permissions import Actor, Permission, Role
from app.queries.people import administers_something
from app.services import attempts, audit, history
from app.services.accounts import end_sessions
from app.services.authority import require_organisation
from app.services.declared import PERSON_FIELDS, apply_person, mail_applicant
from app.services.links import public_url
from app.services.locking import check_version, lock
from app.services.moving import REASON_LIMIT, move_request
from app.services.ordering import RequestLine, applicant_account, check_person, write_invitation
from app.services.payments.releasing import require_not_held
from app.services.unit_of_work import use_case
from app.states import RequestState

MOVES_TO_AN_ADDRESS = 3
"""Invitations an hour that corrected addresses may send to one mailbox: it may be a stranger's."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What a correction did, for the sentence on screen."""

    changed: tuple[str, ...]
    invited: bool  # a new invitation went to another address


@use_case
def withdraw(
    actor: Actor, request_id: int, *, reason: str = "", expected_version: int | None = None
) -> CertificateRequest:
    """« Retirer la demande »: ANNULEE for good; the applicant is told, unless it is the administrator's own.

    Raises NotFound, Forbidden, IllegalTransition, StaleObject, PaymentInProgress while a payment is live.
    """
    request = _locked(actor, request_id, Permission.WITHDRAW_REQUEST)
    if request.state in (RequestState.NON_FINALISEE, RequestState.EN_ATTENTE_DE_PAIEMENT):
        require_not_held([request.id])
    request = move_request(request.id, "withdraw", actor=actor, reason=reason, expected_version=expected_version)
    request.closing_reason = reason.strip()
    if request.applicant_id != actor.user_id:
        mail_applicant("request_withdrawn", request, reason=request.closing_reason)
    return request


@use_case
def reopen(
    actor: Actor,
    request_id: int,
    person: dict[str, Any],
    *,
    reason: str,
    expected_version: int | None = None,
) -> Correction:
    """« Rouvrir pour correction »: back to NON_FINALISEE with the data as corrected, to be validated anew.

    The acceptance of the conditions is void (the journal keeps it); the office stays chosen. The applicant is
    mailed. Raises NotFound, Forbidden, IllegalTransition, StaleObject, PaymentInProgress, DomainError on field
    ``reason``, ValidationFailed beside the person's fields.
    """
    request = _locked(actor, request_id, Permission.ORDER_CERTIFICATES)
    if request.state is RequestState.EN_ATTENTE_DE_PAIEMENT:
        require_not_held([request.id])
    accepted = {
        "cgu_version_id": request.cgu_version_id,
        "accepted_at": request.cgu_accepted_at.isoformat() if request.cgu_accepted_at else None,
        "ip": request.cgu_accepted_ip,
    }
    request = move_request(request.id, "reopen", actor=actor, reason=reason, expected_version=expected_version)
    request.validated_at = request.cgu_accepted_at = None
    request.cgu_version_id = request.cgu_accepted_ip = None
    audit.record(actor, "void_acceptance", request, before=accepted)
    done = _apply(actor, request, person)
    if not done.invited:
        _ask_to_validate(request, reason)
    return done


@use_case
def correct(
    actor: Actor, request_id: int, person: dict[str, Any], *, expected_version: int | None = None
) -> Correction:
    """« Corriger » while the applicant has not validated; ends their report of an error (APP-2).

    A wrong e-mail is mended before activation: the invitation moves to the account of the new address, and an
    account that was made for the wrong one and serves nothing else goes (ORD-7); the person's other requests of
    this organisation that wait for them follow. An activated account keeps its address. The account takes the
    corrected data only while nobody has activated it and it serves this request alone. Raises NotFound, Forbidden,
    IllegalTransition, StaleObject, TooManyAttempts (one mailbox, time and again), ValidationFailed beside the fields.
    """
    request = _locked(actor, request_id, Permission.ORDER_CERTIFICATES)
    if request.state is not RequestState.NON_FINALISEE:
        raise IllegalTransition(_("Cette demande est validée : rouvrez-la pour la corriger."))
    check_version(request, expected_version)
    asked = request.correction_asked_at is not None
    done = _apply(actor, request, person)
    if asked and not done.invited:
        _ask_to_validate(request, _("L'administrateur a revu vos données après votre signalement."))
    return done


def _locked(actor: Actor, request_id: int, permission: Permission) -> CertificateRequest:
    """The organisation's row, then the request's, both locked; 404 for another organisation's (PPL-2)."""
    organisation_id = db.session.scalar(
        select(CertificateRequest.organisation_id).where(CertificateRequest.id == request_id)
    )
    if organisation_id is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    require_organisation(actor, organisation_id, permission)
    lock(Organisation, organisation_id)
    return lock(CertificateRequest, request_id)


def _apply(actor: Actor, request: CertificateRequest, person: dict[str, Any]) -> Correction:
    wanted_email = person.get("email", request.email)
    temporary: str | None = None
    invited = False
    if wanted_email != request.email:
        temporary = _move_to(actor, request, person)
        invited = True
    changed = apply_person(request, person)
    applicant = lock(User, request.applicant_id)
    if applicant.password_hash is None and not administers_something(applicant) and _is_only_for(applicant, request):
        for name in PERSON_FIELDS:
            setattr(applicant, name, getattr(request, name))
    had_report = request.correction_asked_at is not None
    request.correction_asked_at = None
    request.applicant_remark = ""
    if changed or had_report:
        request.version += 1
        _note(actor, request, "email_mended" if invited else "correct", changed)
    if invited:
        write_invitation(request, request.organisation, applicant, temporary)
    return Correction(tuple(changed), invited)


def _move_to(actor: Actor, request: CertificateRequest, person: dict[str, Any]) -> str | None:
    """Give the request to the account of another address; the temporary password to invite it with, if any.

    Both accounts are locked in ascending id. Raises ValidationFailed on field ``email``.
    """
    before_id = request.applicant_id
    db.session.execute(
        select(User.id)
        .where(or_(User.id == before_id, User.email == person["email"]))
        .order_by(User.id)
        .with_for_update()
    ).all()
    before = lock(User, before_id)
    if before.password_hash is not None:
        raise _wrong_email(
            _(
                "Cette personne a activé son compte : son adresse ne change plus. "
                "Pour une autre personne, retirez la demande et commandez de nouveau."
            )
        )
    if _own_email(actor) == person["email"]:
        raise _wrong_email(_("C'est votre adresse : pour vous-même, retirez la demande et commandez pour vous."))
    line = _line(request, person)
    check_person(actor, line, [])
    key = attempts.key_for("mended-email", line.email)
    attempts.count_attempt(key, limit=MOVES_TO_AN_ADDRESS, window=timedelta(hours=1))
    account, temporary = applicant_account(actor, line)
    if account.disabled_at is not None:
        raise _wrong_email(_("Cette adresse e-mail ne peut pas être utilisée pour un demandeur."))
    for other in _waiting_too(before, request):
        other.applicant_id = account.id
        apply_person(other, {"email": person["email"]})
        other.version += 1
        _note(actor, other, "email_mended", ["email"])
    request.applicant_id = account.id
    db.session.flush()
    _close_to_the_wrong_address(before)
    return temporary


def _waiting_too(before: User, request: CertificateRequest) -> list[CertificateRequest]:
    """The person's other requests of this organisation that wait for them: the address was wrong for all."""
    return list(
        db.session.scalars(
            select(CertificateRequest)
            .where(
                CertificateRequest.applicant_id == before.id,
                CertificateRequest.organisation_id == request.organisation_id,
                CertificateRequest.state == RequestState.NON_FINALISEE,
                CertificateRequest.id != request.id,
            )
            .order_by(CertificateRequest.id)
            .with_for_update(of=CertificateRequest)
            .execution_options(populate_existing=True)
        )
    )


def _close_to_the_wrong_address(before: User) -> None:
    """The invitation sent there opens nothing any more, unless another organisation's request waits for it."""
    waits = select(CertificateRequest.id).where(
        CertificateRequest.applicant_id == before.id, CertificateRequest.state == RequestState.NON_FINALISEE
    )
    if not administers_something(before) and db.session.scalar(waits.limit(1)) is None:
        before.temporary_password_hash = before.temporary_password_expires_at = None
        end_sessions(before.id)
    _drop_if_useless(before)


def _own_email(actor: Actor) -> str | None:
    """The address of the actor's own account."""
    return db.session.scalar(select(User.email).where(User.id == actor.user_id))


def _wrong_email(sentence: str) -> ValidationFailed:
    return ValidationFailed(_("Corrigez les points signalés."), {"email": sentence})


def _line(request: CertificateRequest, person: dict[str, Any]) -> RequestLine:
    values = {name: person.get(name, getattr(request, name)) for name in PERSON_FIELDS}
    values["identity_kind"] = IdentityKind(values["identity_kind"])
    return RequestLine(
        certificate_type_id=request.certificate_type_id,
        validity_years=request.validity_years,
        domain_ids=(),
        for_self=False,
        **values,
    )


def _drop_if_useless(account: User) -> None:
    """An account made for a wrong address, never activated and used by nothing else, goes with its personal data."""
    uses = (
        select(func.count()).select_from(CertificateRequest).where(CertificateRequest.applicant_id == account.id),
        select(func.count()).select_from(CertificateRequest).where(CertificateRequest.created_by_id == account.id),
        select(func.count()).select_from(Order).where(Order.created_by_id == account.id),
        select(func.count()).select_from(Document).where(Document.uploaded_by_id == account.id),
    )
    others = any(grant.role is not Role.DEMANDEUR for grant in account.grants)
    if others or any(db.session.scalar(use) for use in uses):
        return
    end_sessions(account.id)
    db.session.delete(account)
    db.session.flush()


def _is_only_for(account: User, request: CertificateRequest) -> bool:
    count = db.session.scalar(
        select(func.count())
        .select_from(CertificateRequest)
        .where(CertificateRequest.applicant_id == account.id, CertificateRequest.id != request.id)
    )
    return not count


def _ask_to_validate(request: CertificateRequest, reason: str) -> None:
    mail_applicant(
        "request_reopened",
        request,
        reason=reason.strip()[:REASON_LIMIT],
        link=public_url("requests.validate", reference=request.reference),
    )


def _note(actor: Actor, request: CertificateRequest, action: str, changed: list[str]) -> None:
    history.write(
        actor,
        action,
        request_id=request.id,
        organisation_id=request.organisation_id,
        from_state=request.state,
        to_state=request.state,
        details={"fields": changed} if changed else None,
    )
    audit.record(actor, action, request, after={"fields": changed})

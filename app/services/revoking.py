"""Revoking a certificate: at once by its people, by two officers, or with a credit note (CRT-4, AVO-5, PPL-3).

A revocation is final. However it comes about, ``carry_out`` does it: the move, the ground that is kept, the request
that ends when its token never left, the mails. Lock order: request, certificate, revocations.
"""

from __future__ import annotations

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select

from app import clock
from app.errors import DomainError, Forbidden, IllegalTransition, NotFound
from app.extensions import db
from app.models import Certificate, CertificateRequest, Revocation, RevocationReason
from app.permissions import SYSTEM, Actor, Permission
from app.services import accounts, audit, history
from app.services.announcing import tell_people_of_request
from app.services.authority import checked_move, hands_on_request, require, require_officer
from app.services.links import public_url
from app.services.locking import check_version, lock
from app.services.moving import REASON_LIMIT, lock_certificate, move_certificate, move_request, move_revocation
from app.services.numbering import next_reference
from app.services.unit_of_work import use_case
from app.state_labels import state_label
from app.states import CERTIFICATE_MOVES, RequestState, RevocationState, Who

CLIENT_REASONS = (
    RevocationReason.CLE_COMPROMISE,
    RevocationReason.DEPART_DU_TITULAIRE,
    RevocationReason.INFORMATION_INEXACTE,
    RevocationReason.DEMANDE_NON_AUTORISEE,
    RevocationReason.DEMANDE_DU_CLIENT,
)
"""What a holder may say, the most pressing first."""
ADMINISTRATOR_REASONS = (
    *CLIENT_REASONS,
    RevocationReason.DECES_OU_INCAPACITE,
    RevocationReason.ORGANISATION_DISSOUTE,
)
NEEDS_WORDS = 10
"""Characters an officer writes at least: the second person decides on them."""


def revoke_own(
    request_id: int,
    *,
    reason: RevocationReason,
    text: str = "",
    password: str,
    actor: Actor,
    expected_version: int | None = None,
) -> Certificate:
    """The holder, or an administrator of their organisation, revokes a certificate at once (CRT-4).

    ``password``: the actor's own, again. ``expected_version`` is the certificate's. Everybody concerned is mailed.
    Raises NotFound (another's, or none generated), DomainError on ``current`` (wrong password), ``reason`` or
    ``text``, TooManyAttempts, IllegalTransition (revoked or expired already), StaleObject.
    """
    request = db.session.get(CertificateRequest, request_id)
    if request is None or not hands_on_request(actor, request) & {Who.APPLICANT, Who.ADMINISTRATOR}:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    accounts.confirm_password(actor.user_id or 0, password, ip=actor.ip)
    return revoke_confirmed(request_id, reason=reason, text=text, actor=actor, expected_version=expected_version)


@use_case
def revoke_confirmed(
    request_id: int,
    *,
    reason: RevocationReason,
    text: str = "",
    actor: Actor,
    expected_version: int | None = None,
) -> Certificate:
    """``revoke_own`` once the password was confirmed: for what revokes and does more in one transaction (CRT-5)."""
    require(actor, Permission.REVOKE_CERTIFICATES)
    certificate, request = lock_certificate(request_id)
    hands = hands_on_request(actor, request) & {Who.APPLICANT, Who.ADMINISTRATOR}
    if not hands:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    if reason not in reasons_for(hands):
        raise DomainError(_("Choisissez un motif de la liste."), field="reason")
    text = checked_text(text)
    carry_out(certificate, request, reason=reason, text=text, actor=actor, expected_version=expected_version)
    return certificate


def reasons_for(hands: frozenset[Who]) -> tuple[RevocationReason, ...]:
    """The grounds these people may give; officers may give all of them."""
    if Who.AGENT in hands:
        return tuple(RevocationReason)
    return ADMINISTRATOR_REASONS if Who.ADMINISTRATOR in hands else CLIENT_REASONS


@use_case
def prepare(
    request_id: int,
    *,
    reason: RevocationReason,
    text: str,
    actor: Actor,
    expected_version: int | None = None,
) -> Revocation:
    """An officer prepares a revocation, without money: nothing is revoked before another approves it (PPL-3).

    ``expected_version`` is the certificate's. Raises NotFound, Forbidden (one's own file), IllegalTransition
    (nothing to revoke, or prepared already), StaleObject, DomainError on ``text``.
    """
    certificate, request = lock_certificate(request_id)
    hands = hands_on_request(actor, request)
    if not hands:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    require(actor, Permission.PREPARE_REVOCATIONS)
    require_officer(hands)
    checked_move(CERTIFICATE_MOVES, certificate.state, "revoke", hands)
    check_version(certificate, expected_version, for_staff=actor.is_staff)
    waiting = waiting_for(certificate.id)
    if waiting is not None:
        raise IllegalTransition(
            _("La révocation %(reference)s de ce certificat attend déjà d'être approuvée.", reference=waiting.reference)
        )
    text = checked_text(text)
    if len(text) < NEEDS_WORDS:
        raise DomainError(_("Écrivez ce qui s'est passé : la seconde personne décide là-dessus."), field="text")
    row = _row(certificate, reason, text, actor, state=RevocationState.A_APPROUVER)
    history.write(
        actor,
        "revocation_prepared",
        request_id=request.id,
        organisation_id=request.organisation_id,
        to_state=row.state,
        reason=in_words(reason, text),
    )
    audit.record(actor, "revocation_prepared", row, after={"reference": row.reference, "reason": reason})
    return row


@use_case
def approve(revocation_id: int, *, actor: Actor, expected_version: int | None = None) -> Certificate:
    """The second person says yes: the certificate is revoked, its people are mailed.

    Raises NotFound, Forbidden (who prepared it, one's own file), IllegalTransition, StaleObject.
    """
    require(actor, Permission.APPROVE_REVOCATIONS)
    revocation, certificate, request = _locked(revocation_id)
    why = why_not_by(revocation, actor)
    if why:
        raise Forbidden(why)
    move_revocation(revocation, "approve", actor=actor, expected_version=expected_version)
    _decided(revocation, actor)
    carry_out(
        certificate, request, reason=revocation.reason, text=revocation.reason_text, actor=actor, prepared=revocation
    )
    return certificate


@use_case
def refuse(revocation_id: int, *, reason: str, actor: Actor, expected_version: int | None = None) -> Revocation:
    """The second person says no, and why. Raises as ``approve``, DomainError on ``reason``."""
    require(actor, Permission.APPROVE_REVOCATIONS)
    revocation, _certificate, request = _locked(revocation_id)
    require_officer(hands_on_request(actor, request))
    move_revocation(revocation, "refuse", actor=actor, reason=reason, expected_version=expected_version)
    revocation.decision_reason = reason.strip()
    _decided(revocation, actor)
    return revocation


@use_case
def withdraw(revocation_id: int, *, actor: Actor, expected_version: int | None = None) -> Revocation:
    """What was prepared is given up. Raises as ``approve``."""
    require(actor, Permission.PREPARE_REVOCATIONS)
    revocation, _certificate, request = _locked(revocation_id)
    require_officer(hands_on_request(actor, request))
    move_revocation(revocation, "withdraw", actor=actor, expected_version=expected_version)
    _decided(revocation, actor)
    return revocation


def why_not_by(revocation: Revocation, actor: Actor) -> str:
    """Why this person may not approve it, in a sentence; « » when they may (PPL-3)."""
    if actor.user_id == revocation.prepared_by_id:
        return _("Vous avez préparé cette révocation : une autre personne doit l'approuver.")
    if Who.AGENT not in hands_on_request(actor, revocation.certificate.request):
        return _("Ce dossier est aussi le vôtre : un collègue doit le traiter.")
    return ""


def waiting_for(certificate_id: int) -> Revocation | None:
    """The revocation that waits for a second person, if there is one."""
    return db.session.scalar(
        select(Revocation).where(
            Revocation.certificate_id == certificate_id, Revocation.state == RevocationState.A_APPROUVER
        )
    )


def carry_out(
    certificate: Certificate,
    request: CertificateRequest,
    *,
    reason: RevocationReason,
    text: str,
    actor: Actor,
    prepared: Revocation | None = None,
    prepared_by_id: int | None = None,
    expected_version: int | None = None,
) -> None:
    """Revoke a certificate locked with its request, inside a use case that checked who may.

    ``prepared``: the revocation just approved; otherwise one is written, ``prepared_by_id`` being the first of two
    officers (a credit note's). One that still waits is closed. A request whose token never left ends too.
    """
    words = in_words(reason, text)
    move_certificate(certificate, request, "revoke", actor=actor, reason=words, expected_version=expected_version)
    if prepared is None:
        row = _row(certificate, reason, text, actor, state=RevocationState.FAITE, prepared_by_id=prepared_by_id)
        _decided(row, actor)
        waiting = waiting_for(certificate.id)
        if waiting is not None:
            move_revocation(waiting, "withdraw", actor=SYSTEM)
            waiting.decision_reason = words
            waiting.decided_at = clock.now()
    if request.state is RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST:  # generated and never dispatched: it ends here
        by = actor if Who.AGENT in hands_on_request(actor, request) else SYSTEM
        move_request(request.id, "reject", actor=by, reason=words)
        request.closing_reason = words
    tell_people_of_request(
        "certificate_revoked",
        request,
        ground=reason,
        reason=text,
        serial_number=certificate.serial_number,
        link=public_url("requests.show", reference=request.reference),
    )


def in_words(reason: RevocationReason, text: str) -> str:
    """What the history keeps: the ground, then the words; French, as all that is kept."""
    with force_locale("fr"):
        ground = state_label(reason)
    return f"{ground}. {text}" if text else f"{ground}."


def checked_text(text: str) -> str:
    """The words as kept. Raises DomainError on ``text``."""
    text = text.strip()
    if len(text) > REASON_LIMIT - 200:
        raise DomainError(_("%(n)d caractères au plus.", n=REASON_LIMIT - 200), field="text")
    return text


def _row(
    certificate: Certificate,
    reason: RevocationReason,
    text: str,
    actor: Actor,
    *,
    state: RevocationState,
    prepared_by_id: int | None = None,
) -> Revocation:
    row = Revocation(
        reference=next_reference("REV"),
        certificate_id=certificate.id,
        state=state,
        reason=reason,
        reason_text=text,
        by_staff=prepared_by_id is not None or state is RevocationState.A_APPROUVER,
        prepared_by_id=prepared_by_id or actor.user_id,
        prepared_at=clock.now(),
    )
    db.session.add(row)
    return row


def _locked(revocation_id: int) -> tuple[Revocation, Certificate, CertificateRequest]:
    """In the lock order: what was prepared is read again once its request and certificate are held."""
    request_id = db.session.scalar(
        select(Certificate.request_id)
        .join(Revocation, Revocation.certificate_id == Certificate.id)
        .where(Revocation.id == revocation_id)
    )
    if request_id is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    certificate, request = lock_certificate(request_id)
    return lock(Revocation, revocation_id), certificate, request


def _decided(revocation: Revocation, actor: Actor) -> None:
    revocation.decided_by_id, revocation.decided_at = actor.user_id, clock.now()

"""The applicant checks what was declared, chooses an office, accepts the conditions, validates (APP-2, APP-3)."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from app import clock
from app.errors import DomainError, IllegalTransition, NotFound, ValidationFailed
from app.extensions import db
from app.models import CertificateRequest, CguVersion, Document, DocumentKind, PostOffice, User
from app.permissions import Actor, Permission
from app.queries import reference
from app.queries.documents import identity_copy_of
from app.queries.people import administers_something
from app.services import audit, documents, history
from app.services.authority import hands_on_request, require
from app.services.declared import (
    IDENTITY_FIELDS,
    apply_person,
    mail_administrators,
    needs_identity_copy,
)
from app.services.documents import Examined
from app.services.links import public_url
from app.services.locking import check_version, lock
from app.services.moving import REASON_LIMIT, move_request
from app.services.unit_of_work import use_case
from app.states import RequestState, Who


@dataclass(frozen=True, slots=True)
class Choice:
    """What the applicant filled in; ``cgu_version_id`` is the version whose text the page showed."""

    mobile: str
    post_office_id: int | None
    cgu_version_id: int | None
    accepted: bool


@use_case
def validate(
    actor: Actor, request_id: int, choice: Choice, *, expected_version: int | None = None
) -> CertificateRequest:
    """« Valider »: NON_FINALISEE → EN_ATTENTE_DE_PAIEMENT, with the conditions' version, time and address kept.

    The administrators are mailed. Raises NotFound, IllegalTransition, Forbidden, StaleObject, DomainError (an error
    was reported and not corrected yet), ValidationFailed beside the fields: identity copy missing, office not
    chosen or closed, conditions not accepted or published anew meanwhile (they are to be read again).
    """
    require(actor, Permission.VALIDATE_OWN_REQUEST)
    request = move_request(
        request_id,
        "validate",
        actor=actor,
        expected_version=expected_version,
        details={"cgu_version": reference.current_cgu().number},
    )
    if request.correction_asked_at is not None:
        raise DomainError(
            _(
                "Vous avez signalé une erreur dans vos données : attendez la correction de l'administrateur, "
                "ou retirez votre signalement."
            )
        )
    office, version = _checked(request, choice)
    moment = clock.now()
    apply_person(request, {"mobile": choice.mobile})
    request.post_office_id = office.id
    request.cgu_version_id = version.id
    request.cgu_accepted_at = request.validated_at = moment
    request.cgu_accepted_ip = actor.ip
    _confirm_account(request)
    audit.record(
        actor, "accept_cgu", request, after={"cgu_version": version.number, "post_office": office.code, "ip": actor.ip}
    )
    mail_administrators(
        "request_validated",
        request,
        price_ht=request.price_ht,
        link=public_url("requests.show", reference=request.reference),
    )
    return request


def _checked(request: CertificateRequest, choice: Choice) -> tuple[PostOffice, CguVersion]:
    errors: dict[str, object] = {}
    office = db.session.get(PostOffice, choice.post_office_id) if choice.post_office_id is not None else None
    if office is None or not office.active:
        errors["post_office"] = _("Choisissez le bureau de poste où retirer votre certificat.")
    if needs_identity_copy(request) and identity_copy_of(request.id) is None:
        errors["identity_copy"] = _("Joignez la copie de votre pièce d'identité.")
    version = reference.current_cgu()
    if choice.cgu_version_id != version.id:
        errors["accept"] = _(
            "Les conditions générales d'utilisation viennent de changer : relisez la nouvelle version, "
            "puis acceptez-la."
        )
    elif not choice.accepted:
        errors["accept"] = _("Cochez la case pour accepter les conditions générales d'utilisation.")
    if errors or office is None:
        raise ValidationFailed(_("Corrigez les points signalés."), errors)
    return office, version


def _confirm_account(request: CertificateRequest) -> None:
    """The person has just confirmed these data as theirs: their account takes them, for the next order.

    An administrator's account is left alone: it is their organisation's verified data (CON-2).
    """
    applicant = lock(User, request.applicant_id)
    if administers_something(applicant):
        return
    for name in (*IDENTITY_FIELDS, "mobile"):
        setattr(applicant, name, getattr(request, name))


@use_case
def report_error(
    actor: Actor, request_id: int, remark: str, *, expected_version: int | None = None
) -> CertificateRequest:
    """« Signaler une erreur »: identity data goes back to the administrators with the applicant's words (APP-2).

    The state stays; validating waits for the correction. A second report replaces the first one's words.
    Raises NotFound, IllegalTransition, StaleObject, DomainError on field ``remark``.
    """
    request = _own_unfinished(actor, request_id, "report_error")
    check_version(request, expected_version)
    remark = remark.strip()
    if len(remark) < 3:
        raise DomainError(_("Dites ce qui est à corriger."), field="remark")
    if len(remark) > REASON_LIMIT:
        raise DomainError(_("2 000 caractères au plus."), field="remark")
    if request.correction_asked_at is not None and request.applicant_remark == remark:
        return request  # the same click twice
    request.applicant_remark = remark
    request.correction_asked_at = clock.now()
    _note(actor, request, "correction_asked", reason=remark)
    mail_administrators(
        "correction_asked",
        request,
        remark=remark,
        link=public_url("requests.correct", reference=request.reference),
    )
    return request


@use_case
def take_back_report(actor: Actor, request_id: int) -> CertificateRequest:
    """The applicant found that the data is right after all; nothing happens when there is no report."""
    request = _own_unfinished(actor, request_id, "report_error")
    if request.correction_asked_at is not None:
        request.correction_asked_at = None
        request.applicant_remark = ""
        _note(actor, request, "correction_taken_back")
    return request


def receive_identity_copy(actor: Actor, request_id: int, data: bytes, filename: str) -> Document:
    """The copy of a foreigner's identity document; a second one takes the place of the first (APP-2, ORG-5).

    Raises UploadRefused with its reason (nothing of the file is kept), NotFound, IllegalTransition.
    """
    return _keep_identity_copy(actor, request_id, documents.examine(data, filename))


@use_case
def _keep_identity_copy(actor: Actor, request_id: int, examined: Examined) -> Document:
    request = _own_unfinished(actor, request_id, "identity_copy")
    present = identity_copy_of(request.id)
    if present is not None and present.sha256 == examined.intake.sha256:
        return present  # the same file again: a double click
    received = documents.keep(
        examined,
        kind=DocumentKind.APPLICANT_IDENTITY,
        actor=actor,
        request_id=request.id,
        user_id=request.applicant_id,
        replaces=present,
    )
    history.write(actor, "identity_copy_received", request_id=request.id, organisation_id=request.organisation_id)
    return received


def _own_unfinished(actor: Actor, request_id: int, what: str) -> CertificateRequest:
    """The actor's own request, locked, while it waits for them. Raises NotFound, Forbidden, IllegalTransition."""
    request = lock(CertificateRequest, request_id)
    if Who.APPLICANT not in hands_on_request(actor, request):
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    require(actor, Permission.VALIDATE_OWN_REQUEST)
    if request.state is not RequestState.NON_FINALISEE:
        raise IllegalTransition(
            _("Cette demande est déjà validée.")
            if what == "report_error"
            else _("Cette demande n'attend plus de copie de pièce d'identité.")
        )
    return request


def _note(actor: Actor, request: CertificateRequest, action: str, reason: str = "") -> None:
    request.version += 1
    history.write(
        actor,
        action,
        request_id=request.id,
        organisation_id=request.organisation_id,
        from_state=request.state,
        to_state=request.state,
        reason=reason,
    )
    audit.record(actor, action, request)

"""What an agent decides of a request: approve, reject, dispatch (chapter 1, CRT-2)."""

from __future__ import annotations

import re

from flask_babel import gettext as _
from sqlalchemy import select

from app import clock
from app.errors import DomainError, IllegalTransition, NotFound
from app.extensions import db
from app.models import Certificate, CertificateRequest, Organisation, PostOffice
from app.permissions import Actor
from app.queries.asks import open_ask
from app.queries.readiness import approval_obstacles_of, obstacles_to_dispatch
from app.services.announcing import tell_people_of_request
from app.services.links import public_url
from app.services.locking import lock
from app.services.moving import move_certificate, move_request
from app.services.supplying import close_ask
from app.services.unit_of_work import use_case

_TRACKING = re.compile(r"[A-Z0-9]{8,30}")


class AlreadyTracked(DomainError):
    """Another token already travels under this number: perhaps one parcel of several, perhaps a slip."""


@use_case
def approve(request_id: int, *, actor: Actor, expected_version: int | None = None) -> CertificateRequest:
    """The certificate may be generated; any later change of the file cancels this.

    Only if the organisation is verified, its contract verified, every document accepted, no field refused.
    Raises NotFound, IllegalTransition, Forbidden, StaleObject, DomainError naming every obstacle.
    """
    _lock_organisation(request_id)
    request = move_request(request_id, "approve", actor=actor, expected_version=expected_version)
    if request.approved_at is not None:
        raise IllegalTransition(_("Cette demande est déjà approuvée."))
    obstacles = approval_obstacles_of(request)
    if obstacles:
        raise DomainError(_("Cette demande ne peut pas encore être approuvée : %(why)s.", why=" ; ".join(obstacles)))
    request.approved_at = clock.now()
    request.approved_by_id = actor.user_id
    tell_people_of_request("request_approved", request, link=public_url("requests.show", reference=request.reference))
    return request


def _lock_organisation(request_id: int) -> None:
    """Held first, so that its papers and state cannot change under an approval (lock order)."""
    organisation_id = db.session.scalar(
        select(CertificateRequest.organisation_id).where(CertificateRequest.id == request_id)
    )
    if organisation_id is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    lock(Organisation, organisation_id)


@use_case
def reject(request_id: int, *, actor: Actor, reason: str, expected_version: int | None = None) -> CertificateRequest:
    """The request ends, its reason is mailed; an open ask is closed.

    Raises NotFound, IllegalTransition (a generated certificate must be revoked first), Forbidden, StaleObject,
    DomainError on field ``reason``.
    """
    request = move_request(request_id, "reject", actor=actor, reason=reason, expected_version=expected_version)
    if request.certificate is not None:
        raise IllegalTransition(
            _("Un certificat est déjà enregistré pour cette demande : elle ne peut plus être rejetée.")
        )
    request.closing_reason = reason.strip()
    request.approved_at = request.approved_by_id = None
    ask = open_ask(request.id)
    if ask is not None:
        close_ask(ask, "rejected")
    tell_people_of_request(
        "request_rejected",
        request,
        reason=request.closing_reason,
        paid=request.paid_at is not None,
        link=public_url("requests.show", reference=request.reference),
    )
    return request


def normalise_tracking_number(text: str) -> str:
    """The RapidPost number without spaces, in capitals. Raises DomainError on field ``tracking_number``."""
    number = re.sub(r"[\s.\-]+", "", text).upper()
    if not number:
        raise DomainError(_("Écrivez le numéro de suivi RapidPost."), field="tracking_number")
    if not _TRACKING.fullmatch(number) or sum(char.isdigit() for char in number) < 6:
        raise DomainError(
            _("Un numéro de suivi compte de 8 à 30 lettres et chiffres, par exemple EE123456789TN."),
            field="tracking_number",
        )
    return number


@use_case
def dispatch(
    request_id: int,
    tracking_number: str,
    *,
    actor: Actor,
    post_office_id: int | None = None,
    number_confirmed: bool = False,
    expected_version: int | None = None,
) -> CertificateRequest:
    """The token is on its way to the post office, under this RapidPost number (CRT-2).

    Raises NotFound, IllegalTransition, Forbidden, StaleObject; AlreadyTracked unless ``number_confirmed``;
    DomainError when it is not approved, has no generated certificate or no office, or on ``tracking_number``.
    """
    number = normalise_tracking_number(tracking_number)
    request = move_request(
        request_id,
        "dispatch",
        actor=actor,
        expected_version=expected_version,
        details={"tracking_number": number},
    )
    if post_office_id is not None:
        office = db.session.get(PostOffice, post_office_id)
        if office is None or not office.active:
            raise DomainError(_("Ce bureau de poste n'est plus proposé."), field="post_office_id")
        request.post_office = office
    obstacles = obstacles_to_dispatch(request)
    certificate, office = request.certificate, request.post_office
    if obstacles or certificate is None or office is None:
        raise DomainError(_("Cette demande ne peut pas être expédiée : %(why)s.", why=" ; ".join(obstacles)))
    if not number_confirmed:
        _check_unused(number, certificate)
    move_certificate(certificate, request, "dispatch", actor=actor)
    certificate.tracking_number = number
    certificate.dispatched_at = clock.now()
    tell_people_of_request(
        "certificate_dispatched",
        request,
        tracking_number=number,
        office=office,
        link=public_url("requests.show", reference=request.reference),
    )
    return request


def _check_unused(number: str, certificate: Certificate) -> None:
    other = db.session.scalar(
        select(CertificateRequest.reference)
        .join(Certificate, Certificate.request_id == CertificateRequest.id)
        .where(Certificate.tracking_number == number, Certificate.id != certificate.id)
        .limit(1)
    )
    if other is not None:
        raise AlreadyTracked(already_tracked(other), field="tracking_number")


def already_tracked(reference: str) -> str:
    """What is said of a RapidPost number that another request's token travels under."""
    return _(
        "Ce numéro est déjà celui de %(reference)s. Si les deux jetons voyagent ensemble, confirmez-le.",
        reference=reference,
    )

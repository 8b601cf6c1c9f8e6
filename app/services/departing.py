"""« Départ du titulaire »: the certificate revoked and the successor's ordered, both or neither (CRT-5)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask_babel import gettext as _

from app.errors import IllegalTransition, NotFound
from app.extensions import db
from app.models import CertificateRequest, Order, Organisation, RevocationReason
from app.permissions import Actor, Permission
from app.services import accounts
from app.services.authority import require_organisation
from app.services.locking import lock
from app.services.moving import lock_certificate
from app.services.ordering import RequestLine, order_directly
from app.services.revoking import revoke_confirmed
from app.services.unit_of_work import use_case
from app.states import VALID_CERTIFICATE_STATES


@dataclass(frozen=True, slots=True)
class Departure:
    """What was done, for the sentence on screen."""

    revoked: bool
    order: Order | None


def say_goodbye(
    request_id: int,
    *,
    successor: RequestLine | None,
    text: str = "",
    password: str,
    actor: Actor,
    expected_version: int | None = None,
) -> Departure:
    """Revoke what somebody who leaves holds and, with a ``successor``, order theirs in the same transaction.

    A certificate revoked or expired meanwhile is no obstacle to the order; without a successor it is. Raises
    NotFound, Forbidden, DomainError on ``current`` (wrong password), TooManyAttempts, StaleObject, ValidationFailed
    beside the successor's fields: nothing is revoked then.
    """
    request = db.session.get(CertificateRequest, request_id)
    if request is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    require_organisation(actor, request.organisation_id, Permission.REVOKE_CERTIFICATES)
    accounts.confirm_password(actor.user_id or 0, password, ip=actor.ip)
    return _both(request_id, successor, text, actor, expected_version)


@use_case
def _both(
    request_id: int, successor: RequestLine | None, text: str, actor: Actor, expected_version: int | None
) -> Departure:
    organisation_id = db.session.get_one(CertificateRequest, request_id).organisation_id
    lock(Organisation, organisation_id)  # before the request's, as every order does
    certificate, request = lock_certificate(request_id)
    valid = certificate.state in VALID_CERTIFICATE_STATES
    if not valid and successor is None:
        raise IllegalTransition(_("Ce certificat n'est plus valable : il n'y a rien à révoquer."))
    if valid:
        revoke_confirmed(
            request_id,
            reason=RevocationReason.DEPART_DU_TITULAIRE,
            text=text,
            actor=actor,
            expected_version=expected_version,
        )
    order = None
    if successor is not None:
        order = order_directly(actor, organisation_id, replace(successor, replaces_id=request.id))
    return Departure(revoked=valid, order=order)

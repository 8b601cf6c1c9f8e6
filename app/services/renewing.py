"""« Renouveler »: certificates laid on the list « Commander certificats », to be mended and sent from there (CRT-5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from app import clock
from app.errors import DomainError, NotFound
from app.extensions import db
from app.models import CertificateRequest, OrderDraftLine, Organisation
from app.permissions import Actor, Permission
from app.queries import reference
from app.services.authority import require_organisation
from app.services.locking import lock
from app.services.ordering import RequestLine
from app.services.replacing import why_not_replaceable
from app.services.unit_of_work import use_case
from app.states import ORDERING_STATES

MOST = 500
"""People on one list laid out for renewal, as in one file (ORD-5)."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was laid on the list, and the product whose page shows it."""

    added: int
    code: str


@use_case
def prepare_renewal(actor: Actor, organisation_id: int, references: Sequence[str]) -> Prepared:
    """Lay these requests' certificates on the actor's list, with the data they were made with.

    One already on the actor's own list is left as it is (double click). Nothing is ordered before the list is sent.
    Raises NotFound (another organisation's), Forbidden, DomainError naming what cannot be renewed, and why.
    """
    require_organisation(actor, organisation_id, Permission.ORDER_CERTIFICATES)
    organisation = lock(Organisation, organisation_id)
    if organisation.state not in ORDERING_STATES:
        raise DomainError(_("Votre organisation ne peut pas commander pour le moment. Voyez « Mon organisation »."))
    if not references:
        raise DomainError(_("Cochez au moins un certificat à renouveler."))
    requests = _requests(organisation.id, references)
    if len(requests) != len(set(references)):
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    lists = _lists(organisation.id)
    own = {replaced for replaced, owner in lists.items() if owner == actor.user_id}
    wanted = [request for request in requests if request.id not in own]
    for request in wanted:
        why = why_not_replaceable(request)
        if not request.certificate_type.active:
            why = _("Ce certificat n'est plus proposé.")
        if request.id in lists:
            why = _("Ce certificat est déjà sur la liste de l'autre administrateur.")
        if why:
            raise DomainError(_("%(name)s : %(why)s", name=request.common_name, why=why))
    _check_room(actor, organisation.id, len(wanted))
    for request in wanted:
        line = line_replacing(request, for_self=request.applicant_id == actor.user_id)
        lay_line(line, organisation.id, actor.user_id or 0)
    return Prepared(len(wanted), requests[0].certificate_type.code)


def line_replacing(request: CertificateRequest, *, for_self: bool) -> RequestLine:
    """The same person and certificate once more; what is no longer on offer is left out, to be chosen again."""
    validities = reference.validities(request.certificate_type_id)
    years = request.validity_years
    return RequestLine(
        certificate_type_id=request.certificate_type_id,
        validity_years=years if years in validities or not validities else validities[0],
        domain_ids=tuple(domain.id for domain in request.domains if domain.active),
        for_self=for_self,
        last_name=request.last_name,
        first_name=request.first_name,
        last_name_ar=request.last_name_ar,
        first_name_ar=request.first_name_ar,
        birth_date=request.birth_date,
        nationality=request.nationality,
        identity_kind=request.identity_kind,
        identity_number=request.identity_number,
        mobile=request.mobile,
        email=request.applicant.email,
        duplicate_reason=_("Remplace le certificat de la demande %(reference)s.", reference=request.reference),
        names_confirmed=True,  # as they stand in the certificate that TunTrust issued
        replaces_id=request.id,
    )


def lay_line(line: RequestLine, organisation_id: int, user_id: int) -> None:
    """A line on somebody's list, unchecked: they read it, mend it and send it (``ordering.send_order`` checks)."""
    moment = clock.now()
    db.session.add(
        OrderDraftLine(
            organisation_id=organisation_id, user_id=user_id, data=line.to_json(), created_at=moment, updated_at=moment
        )
    )


def _requests(organisation_id: int, references: Sequence[str]) -> list[CertificateRequest]:
    return list(
        db.session.scalars(
            select(CertificateRequest)
            .where(
                CertificateRequest.organisation_id == organisation_id,
                CertificateRequest.reference.in_(sorted(set(references))[: MOST + 1]),
            )
            .options(
                joinedload(CertificateRequest.certificate),
                joinedload(CertificateRequest.applicant),
                joinedload(CertificateRequest.certificate_type),
                selectinload(CertificateRequest.domains),
            )
            .order_by(CertificateRequest.common_name, CertificateRequest.id)
        )
    )


def _lists(organisation_id: int) -> dict[int, int]:
    """What the organisation's lists already replace, and whose list it is."""
    rows = db.session.scalars(select(OrderDraftLine).where(OrderDraftLine.organisation_id == organisation_id))
    return {row.data["replaces_id"]: row.user_id for row in rows if row.data.get("replaces_id")}


def _check_room(actor: Actor, organisation_id: int, added: int) -> None:
    held = len(
        db.session.scalars(
            select(OrderDraftLine.id).where(
                OrderDraftLine.organisation_id == organisation_id, OrderDraftLine.user_id == actor.user_id
            )
        ).all()
    )
    if held + added > MOST:
        raise DomainError(
            ngettext(
                "La liste est limitée à %(most)d personnes et en compte déjà %(num)d : envoyez-la, puis continuez.",
                "La liste est limitée à %(most)d personnes et en compte déjà %(num)d : envoyez-la, puis continuez.",
                held,
                most=MOST,
            )
        )

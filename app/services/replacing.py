"""What a new certificate replaces: one in reach of its end, ended or revoked, and once only (CRT-5)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app import clock
from app.errors import DomainError
from app.extensions import db
from app.models import Certificate, CertificateRequest
from app.queries.replacements import replacement_of
from app.state_labels import state_label
from app.states import VALID_CERTIFICATE_STATES, CertificateState

RENEWABLE_WITHIN = timedelta(days=90)
"""How long before its end a certificate may be ordered anew: earlier, its holder would pay for the same time twice."""


class Replacing(Protocol):
    """A line of an order that may replace something."""

    @property
    def replaces_id(self) -> int | None:
        """The request whose certificate it replaces."""


def why_not_renewable(certificate: Certificate | None) -> str:
    """Why nothing may take this certificate's place yet, in a sentence; « » when something may."""
    if certificate is None:
        return _("Aucun certificat n'est encore généré pour cette demande.")
    if certificate.state in (CertificateState.REVOQUE, CertificateState.EXPIRE):
        return ""
    opens = certificate.not_after - RENEWABLE_WITHIN
    if certificate.state in VALID_CERTIFICATE_STATES and opens > clock.now():
        return _(
            "Ce certificat se renouvelle à partir du %(day)s, 90 jours avant sa fin.",
            day=clock.local(opens).strftime("%d/%m/%Y"),
        )
    return ""


def check_replacements(organisation_id: int, lines: Sequence[Replacing]) -> None:
    """Everything these lines replace is the organisation's, may be replaced, and is by nothing else.

    The caller holds the organisation's lock, so that two orders cannot both find it free; the database refuses it
    too. Raises DomainError naming whose certificate it is.
    """
    seen: set[int] = set()
    for request_id in [line.replaces_id for line in lines if line.replaces_id is not None]:
        request = _request(organisation_id, request_id)
        if request is None:
            raise DomainError(_("Le certificat à remplacer n'existe plus."))
        why = why_not_replaceable(request)
        if request_id in seen:
            why = _("Ce certificat est déjà dans la liste.")
        if why:
            raise DomainError(_("%(name)s : %(why)s", name=request.common_name, why=why))
        seen.add(request_id)


def why_not_replaceable(request: CertificateRequest) -> str:
    """Why this request's certificate cannot be ordered anew, in a sentence; « » when it can."""
    other = replacement_of(request.id)
    if other is not None:
        return _(
            "Ce certificat est déjà remplacé par la demande %(reference)s (%(state)s).",
            reference=other.reference,
            state=state_label(other.state),
        )
    return why_not_renewable(request.certificate)


def replaced_reference(line: Replacing) -> dict[str, str]:
    """For the history of what was ordered: the request it replaces."""
    if line.replaces_id is None:
        return {}
    return {"replaces": db.session.get_one(CertificateRequest, line.replaces_id).reference}


def _request(organisation_id: int, request_id: int) -> CertificateRequest | None:
    return db.session.scalar(
        select(CertificateRequest)
        .where(CertificateRequest.id == request_id, CertificateRequest.organisation_id == organisation_id)
        .options(joinedload(CertificateRequest.certificate))
    )

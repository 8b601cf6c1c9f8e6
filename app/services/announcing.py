"""Mails of TunTrust's decisions: once to each person concerned, in their language (MAI-1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.extensions import db
from app.models import CertificateRequest, Organisation, User
from app.queries.people import administrators_of
from app.services import outbox


@dataclass(frozen=True, slots=True)
class Letter:
    """One recipient of a mail and what the mail calls things for them: the same for its preview."""

    to: str
    locale: str
    names: dict[str, Any]


def tell_people_of_request(kind: str, request: CertificateRequest, **context: Any) -> None:
    """The applicant and the organisation's active administrators; somebody who is both gets one mail."""
    for letter in letters_of_request(request):
        outbox.write(
            kind,
            to=letter.to,
            locale=letter.locale,
            organisation_id=request.organisation_id,
            request_id=request.id,
            **letter.names,
            **context,
        )


def letters_of_request(request: CertificateRequest) -> list[Letter]:
    """To whom a mail about this request goes, the applicant first."""
    return [
        Letter(
            person.email,
            person.locale,
            {
                "name": person.display_name,
                "own": person.id == request.applicant_id,
                "applicant": f"{request.first_name} {request.last_name}",
                "organisation": request.organisation.legal_name,
                "reference": request.reference,
            },
        )
        for person in recipients_of_request(request)
    ]


def recipients_of_request(request: CertificateRequest) -> list[User]:
    """Whom a mail about this request goes to, the applicant first."""
    applicant = db.session.get_one(User, request.applicant_id)
    return [applicant, *(one for one in recipients_of_organisation(request.organisation_id) if one.id != applicant.id)]


def tell_administrators(kind: str, organisation: Organisation, **context: Any) -> None:
    """The organisation's active administrators."""
    for letter in letters_of_organisation(organisation):
        outbox.write(
            kind, to=letter.to, locale=letter.locale, organisation_id=organisation.id, **letter.names, **context
        )


def letters_of_organisation(organisation: Organisation) -> list[Letter]:
    """To whom a mail about this organisation goes."""
    return [
        Letter(
            person.email,
            person.locale,
            {
                "name": person.display_name,
                "organisation": organisation.legal_name,
                "reference": organisation.reference,
            },
        )
        for person in recipients_of_organisation(organisation.id)
    ]


def recipients_of_organisation(organisation_id: int) -> list[User]:
    """Its administrators who activated their account and still have it."""
    return [
        one for one in administrators_of(organisation_id) if one.password_hash is not None and one.disabled_at is None
    ]

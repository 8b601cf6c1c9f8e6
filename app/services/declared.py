"""The declared data of a request's person: who may be told, what changing it entails (APP-2, REV-5)."""

from __future__ import annotations

from datetime import date
from typing import Any

from app import clock
from app.extensions import db
from app.identifiers import common_name
from app.models import CertificateRequest, IdentityKind, User
from app.queries.documents import identity_copy_of
from app.services import outbox
from app.services.announcing import recipients_of_organisation
from app.services.inspecting import ask_file_inspection
from app.services.search_columns import fill_request

IDENTITY_FIELDS = (
    "last_name",
    "first_name",
    "last_name_ar",
    "first_name_ar",
    "birth_date",
    "nationality",
    "identity_kind",
    "identity_number",
)
PERSON_FIELDS = (*IDENTITY_FIELDS, "mobile", "email")


def apply_person(request: CertificateRequest, values: dict[str, Any]) -> list[str]:
    """Write declared values, already in stored form, into a locked request; the names of those that changed.

    What hangs on them follows: the CN, the search text, the identity service's answer (void), and the copy of
    an identity document of another kind (superseded).
    """
    changed = [name for name in PERSON_FIELDS if name in values and _differs(getattr(request, name), values[name])]
    if not changed:
        return []
    kind_before = request.identity_kind
    for name in changed:
        setattr(request, name, IdentityKind(values[name]) if name == "identity_kind" else values[name])
    request.common_name = common_name(request.first_name, request.last_name)
    fill_request(request, request.organisation)
    if set(IDENTITY_FIELDS) & set(changed):
        request.identity_answer = None
        request.identity_checked_at = None
    if request.identity_kind is not kind_before:
        _forget_copy(request)
    ask_file_inspection(request_id=request.id)
    return changed


def _differs(before: Any, after: Any) -> bool:
    if isinstance(before, date):
        return bool(before != after)
    return str(before) != str(after)


def _forget_copy(request: CertificateRequest) -> None:
    copy = identity_copy_of(request.id)
    if copy is not None:
        copy.superseded_at = clock.now()
        copy.version += 1


def needs_identity_copy(request: CertificateRequest) -> bool:
    """A foreigner gives a copy of the residence card or passport (ORG-5, APP-2)."""
    return request.identity_kind is not IdentityKind.CIN


def mail_administrators(kind: str, request: CertificateRequest, **context: Any) -> None:
    """One mail to each active administrator of the request's organisation. Inside a use case."""
    for one in recipients_of_organisation(request.organisation_id):
        outbox.write(
            kind,
            to=one.email,
            locale=one.locale,
            organisation_id=request.organisation_id,
            request_id=request.id,
            name=one.display_name,
            applicant=f"{request.first_name} {request.last_name}",
            reference=request.reference,
            **context,
        )


def mail_applicant(kind: str, request: CertificateRequest, **context: Any) -> None:
    """One mail to the person the request is for. Inside a use case."""
    applicant = db.session.get_one(User, request.applicant_id)
    outbox.write(
        kind,
        to=applicant.email,
        locale=applicant.locale,
        organisation_id=request.organisation_id,
        request_id=request.id,
        name=f"{request.first_name} {request.last_name}",
        organisation=request.organisation.legal_name,
        reference=request.reference,
        **context,
    )

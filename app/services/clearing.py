"""A clean file in few actions: everything on screen conforming at once, approve with what it needs (REV-6)."""

from __future__ import annotations

from dataclasses import dataclass

from app.extensions import db
from app.models import CertificateRequest
from app.permissions import Actor
from app.services import verdicts
from app.services.deciding import approve
from app.services.unit_of_work import use_case
from app.services.verifying import verify_organisation
from app.states import Verdict


@dataclass(frozen=True, slots=True)
class SeenField:
    """A declared field as the page showed it."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class SeenPaper:
    """A paper as the page showed it."""

    document_id: int
    version: int | None


@use_case
def accept_all(
    fields: list[SeenField],
    paper: SeenPaper | None,
    *,
    actor: Actor,
    request_id: int | None = None,
    organisation_id: int | None = None,
) -> int:
    """✓ on every field and on the paper that the page showed without a verdict, each with its own line (REV-2, REV-6).

    All of them or none: a value changed or judged meanwhile raises StaleObject, naming who and when. Returns how
    many verdicts. Raises what ``verdicts`` raises.
    """
    for field in fields:
        verdicts.give_field_verdict(
            field.name,
            Verdict.ACCEPTE,
            actor=actor,
            value_seen=field.value,
            request_id=request_id,
            organisation_id=organisation_id,
            seen_at="",
        )
    if paper is not None:
        verdicts.accept_document(paper.document_id, actor=actor, expected_version=paper.version)
    return len(fields) + (paper is not None)


@use_case
def approve_with_organisation(
    request_id: int,
    *,
    actor: Actor,
    expected_version: int | None = None,
    organisation_version: int | None = None,
) -> CertificateRequest:
    """Declare the request's organisation verified, then approve the request: both or neither (REV-6).

    ``organisation_version``: the one the page showed, where it offered to verify; None only approves.
    Raises what ``verify_organisation`` and ``approve`` raise.
    """
    if organisation_version is not None:
        request = db.session.get_one(CertificateRequest, request_id)
        verify_organisation(request.organisation_id, actor=actor, expected_version=organisation_version)
    return approve(request_id, actor=actor, expected_version=expected_version)

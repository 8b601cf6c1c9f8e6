"""What was declared about a document, an organisation, a request: what the checks compare with (REV-3)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from app import clock
from app.inspection.checks import generic_email
from app.inspection.checks_names import latin_and_arabic, tax_id_letter_finding
from app.inspection.declared import Declared
from app.inspection.findings import Finding
from app.inspection.people_checks import identity_answer
from app.models import (
    CertificateRequest,
    Contract,
    Document,
    DocumentKind,
    IdentityKind,
    LegalRepresentative,
    Organisation,
    User,
)

CASE_KINDS: dict[DocumentKind, str] = {
    DocumentKind.RNE_EXTRACT: "rne",
    DocumentKind.TAX_CARD: "tax_card",
    DocumentKind.TRADE_REGISTER: "trade_register",
    DocumentKind.REPRESENTATIVE_IDENTITY: "identity",
    DocumentKind.ADMINISTRATOR_IDENTITY: "identity",
    DocumentKind.APPLICANT_IDENTITY: "identity",
    DocumentKind.SIGNED_CONTRACT: "contract",
    DocumentKind.OTHER: "other",
}


def declared_of_document(
    document: Document,
    organisation: Organisation,
    request: CertificateRequest | None,
    administrators: Sequence[User],
    contract: Contract | None = None,
) -> Declared:
    """What the document should say."""
    head = organisation.representative
    owner = _owner(document, head, request, administrators)
    return Declared(
        tax_id=organisation.tax_id or "",
        register_number=organisation.register_number or "",
        legal_name=organisation.legal_name,
        legal_name_ar=organisation.legal_name_ar,
        trade_name=organisation.trade_name,
        representative=full_name(head),
        representative_ar=full_name_ar(head),
        representative_number=head.identity_number,
        person=full_name(owner),
        person_ar=full_name_ar(owner),
        person_number=(owner.identity_number or "") if owner is not None else "",
        issued_on=document.issued_on,
        contract_number=contract.number if contract is not None else "",
        signers=tuple(map(full_name, administrators)) if document.kind is DocumentKind.SIGNED_CONTRACT else (),
        signer_numbers=tuple(person.identity_number or "" for person in administrators),
    )


def _owner(
    document: Document,
    head: LegalRepresentative,
    request: CertificateRequest | None,
    administrators: Sequence[User],
) -> LegalRepresentative | CertificateRequest | User | None:
    if document.kind is DocumentKind.APPLICANT_IDENTITY:
        return request
    if document.kind is DocumentKind.REPRESENTATIVE_IDENTITY:
        return head
    if document.kind is DocumentKind.ADMINISTRATOR_IDENTITY:
        return next((person for person in administrators if person.id == document.user_id), None)
    return None


def full_name(person: Any) -> str:
    """First name, last name; empty for nobody."""
    return f"{person.first_name} {person.last_name}".strip() if person is not None else ""


def full_name_ar(person: Any) -> str:
    """The same in Arabic."""
    return f"{person.first_name_ar} {person.last_name_ar}".strip() if person is not None else ""


def findings_on_organisation(organisation: Organisation) -> list[Finding]:
    """Checks of an organisation's declared data, which need no document; cheap, hence never stale."""
    head = organisation.representative
    found = [
        tax_id_letter_finding(organisation.tax_id or ""),
        identity_answer("representative", head.identity_answer or "", _day(head)),
        generic_email([head.email]),
        latin_and_arabic(full_name(head), full_name_ar(head), foreign=_foreign(head)),
    ]
    return [each for each in found if each is not None]


def findings_on_request(request: CertificateRequest) -> list[Finding]:
    """The same for a request's applicant."""
    found = [
        identity_answer("applicant", request.identity_answer or "", _day(request)),
        generic_email([request.email]),
        latin_and_arabic(full_name(request), full_name_ar(request), foreign=_foreign(request)),
    ]
    return [each for each in found if each is not None]


def person_hash(person: LegalRepresentative | CertificateRequest) -> str:
    """Changes when the person's number or name does: what the search for others with that number was about."""
    plain = "|".join((person.identity_number, person.identity_kind, full_name(person)))
    return hashlib.sha256(plain.encode()).hexdigest()


def _foreign(person: LegalRepresentative | CertificateRequest) -> bool:
    return person.identity_kind is not IdentityKind.CIN


def _day(person: LegalRepresentative | CertificateRequest) -> Any:
    return clock.local(person.identity_checked_at).date() if person.identity_checked_at else None

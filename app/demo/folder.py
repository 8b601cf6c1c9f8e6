"""The papers each invented organisation sends: drawn, then read as an upload is (OPS-1).

All this is slow and touches no database, hence done before the transaction of the seeding.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from app.demo import papers_signed
from app.demo.companies import RESIDENT, TRAVELLER, Company
from app.demo.papers import rne_extract, tax_card, trade_register_foreign
from app.demo.papers_identity import identity_copy
from app.demo.papers_scans import Zone, scanned, signature_boxes, signed_contract_scan
from app.demo.people import Person
from app.identifiers import tax_id_letter
from app.models import DocumentKind, IdentityKind
from app.services.documents import Examined, examine

_ANOTHER = {
    "legal_name": "BATIMENT ET TRAVAUX DU GOLFE",
    "legal_name_ar": "البناء والأشغال بالخليج",
    "trade_name": "",
    "tax_id": "0912345" + tax_id_letter("0912345"),
    "representative": {
        "first_name": "Foued",
        "last_name": "Chakroun",
        "first_name_ar": "فؤاد",
        "last_name_ar": "شقرون",
        "cin": "09988776",
    },
}
"""The company whose extract was sent by mistake."""
_BIRTH_PLACES = {"FR": ("Lyon", "ليون"), "DE": ("Köln", "كولونيا")}


@dataclass(frozen=True, slots=True)
class Paper:
    """A file that was read and may be kept; ``owner`` is whose identity document it is."""

    kind: DocumentKind
    examined: Examined
    issued_on: date | None = None
    owner: Person | None = None


def sent_at_sign_up(company: Company, day: date) -> list[Paper]:
    """What an organisation joins when it registers on that day (ORG-4, ORG-5)."""
    issued = day - timedelta(days=company.extract_age)
    facts = _facts(company) | (_ANOTHER if company.slip == "other_company" else {})
    printed = issued - timedelta(days=150) if company.slip == "old_print" else issued
    head, *staff = company.people()
    if company.paper == "register":
        papers = [_paper(DocumentKind.TRADE_REGISTER, trade_register_foreign(facts, issued), "register.pdf", issued)]
    elif company.paper == "tax_card":
        papers = [_paper(DocumentKind.TAX_CARD, scanned(tax_card(facts), angle=-0.9), "patente.jpg")]
    elif company.paper == "rne_scan":
        scan = scanned(rne_extract(facts, printed, style=company.style), angle=1.4)
        papers = [_paper(DocumentKind.RNE_EXTRACT, scan, "RNE scan.jpg", issued)]
    elif company.paper == "rne_arabic":
        arabic = rne_extract(facts, issued, lang="ar", style=company.style)
        papers = [
            _paper(DocumentKind.RNE_EXTRACT, arabic, "مضمون السجل.pdf", issued),
            _paper(DocumentKind.TAX_CARD, scanned(tax_card(facts), angle=0.7), "carte fiscale.jpg"),
        ]
    else:
        extract = rne_extract(facts, printed, style=company.style)
        papers = [_paper(DocumentKind.RNE_EXTRACT, extract, f"extrait-rne-{issued:%Y%m%d}.pdf", issued)]
    for person, kind in [
        (head, DocumentKind.REPRESENTATIVE_IDENTITY),
        *((one, DocumentKind.ADMINISTRATOR_IDENTITY) for one in staff[: company.administrators]),
    ]:
        if person.identity_kind is not IdentityKind.CIN:
            papers.append(identity_paper(person, kind))
    return papers


def fresh_extract(company: Company, day: date) -> Paper:
    """A recent extract, for an organisation that was asked for one."""
    issued = day - timedelta(days=4)
    scan = scanned(rne_extract(_facts(company), issued, style=1), angle=-1.1)
    return _paper(DocumentKind.RNE_EXTRACT, scan, "nouvel extrait.jpg", issued)


def identity_paper(person: Person, kind: DocumentKind) -> Paper:
    """The photograph of somebody's identity document."""
    copy = identity_copy(
        {
            **person.declared,
            "number": person.identity_number,
            "birth_place": _BIRTH_PLACES.get(person.nationality, ("", ""))[0],
            "birth_place_ar": _BIRTH_PLACES.get(person.nationality, ("", ""))[1],
            "nationality": {"FR": "Française", "DE": "Allemande"}.get(person.nationality, "Tunisienne"),
        },
        person.identity_kind.value,
    )
    return Paper(kind, examine(copy, "IMG_20261004.jpg"), None, person)


def signed_copy(company: Company, contract: bytes, *, complete: bool = True) -> Examined:
    """The contract printed, signed and scanned; not ``complete``: the representative's signature is missing."""
    head, *staff = company.people()
    names = [f"{person.first_name} {person.last_name}" for person in (head, *staff[: company.administrators])]
    places: list[Zone | None] = list(signature_boxes(contract))
    scan = signed_contract_scan(
        contract,
        names,
        stamp=(company.trade_name or company.legal_name)[:24],
        boxes=places if complete else [None, *places[1:]],
        dpi=96,
    )
    return examine(scan, "contrat signé.pdf")


def signed_electronically(company: Company, contract: bytes, at: datetime, *, complete: bool = True) -> Examined:
    """The contract signed with certificates of the demonstration; not ``complete``: by the representative alone."""
    head, *staff = company.people()
    people = [head, *staff[: company.administrators]] if complete else [head]
    return examine(papers_signed.signed_electronically(contract, people, company.legal_name, at), "contrat signé.pdf")


def applicant_papers() -> dict[str, Paper]:
    """The copies that foreign applicants join, by e-mail."""
    kind = DocumentKind.APPLICANT_IDENTITY
    return {person.email: identity_paper(person, kind) for person in (RESIDENT, TRAVELLER)}


def _paper(kind: DocumentKind, data: bytes, name: str, issued_on: date | None = None) -> Paper:
    return Paper(kind, examine(data, name), issued_on)


def _facts(company: Company) -> dict[str, Any]:
    """An organisation as the papers' designs take it."""
    head = company.people()[0]
    facts = {
        "legal_name": company.legal_name,
        "legal_name_ar": company.legal_name_ar,
        "trade_name": company.trade_name,
        "address": company.address,
        "postal_code": company.postal_code,
        "city": company.city,
        "representative": {
            "first_name": head.first_name,
            "last_name": head.last_name,
            "first_name_ar": head.first_name_ar,
            "last_name_ar": head.last_name_ar,
            "cin": head.identity_number,
        },
        **company.details,
    }
    if company.tax_id is not None:
        facts["tax_id"] = company.tax_id
    if company.register_number is not None:
        facts["register_number"] = company.register_number
    return facts

"""The subscription contract (ACT-1, CON-1): all that was entered, the terms, and a box for each signature."""

from typing import Any

from app.identifiers import format_phone
from app.papers.data import ContractData, ContractOrganisation, ContractPerson, PaperError
from app.papers.text import blocks
from app.papers.typesetting import FOLDER, day, typeset


def contract_pdf(data: ContractData) -> bytes:
    """The contract as PDF/A-3b; the same data give the same bytes.

    Signed by the legal representative and every administrator, who may be the same person: one box each.
    Raises `PaperError` without an administrator.
    """
    if not data.administrators:
        raise PaperError("a contract names an administrator")
    return typeset("contract", _printed(data), created=data.issued_at)


def default_terms() -> str:
    """The articles shipped with the product, where the operator has not published others."""
    return (FOLDER / "contract_terms_fr.md").read_text(encoding="utf-8")


def _printed(data: ContractData) -> dict[str, Any]:
    several = len(data.administrators) > 1
    titles = [
        f"Administrateur {place}" if several else "Administrateur" for place in range(1, 1 + len(data.administrators))
    ]
    people = [("Représentant légal", data.representative), *zip(titles, data.administrators, strict=True)]
    return {
        "number": data.number,
        "version": str(data.version),
        "supersedes": str(data.version - 1) if data.version > 1 else "",
        "date": day(data.issued_on),
        "name": data.organisation.legal_name,
        "organisation": _organisation(data.organisation),
        "people": [_person(title, person) for title, person in people],
        "documents": [
            {
                "label": one.label,
                "file": one.file_name,
                "dated": day(one.dated_on),
                "received": day(one.received_on),
            }
            for one in data.documents
        ],
        "terms": [list(block) for block in blocks(data.terms or default_terms())],
    }


def _organisation(organisation: ContractOrganisation) -> list[list[str]]:
    place = " ".join(part for part in (organisation.postal_code, organisation.city) if part)
    rows = [
        _two_scripts("Raison sociale", organisation.legal_name, organisation.legal_name_ar, "الاسم الاجتماعي"),
        ("Nom commercial", organisation.trade_name),
        ("Catégorie", organisation.category),
        ("Pays d'enregistrement", organisation.country),
        ("Matricule fiscal", organisation.tax_id),
        ("Numéro de registre", organisation.register_number),
        ("Adresse", organisation.address),
        ("Code postal et ville", place),
        ("Gouvernorat", organisation.governorate),
        ("Téléphone fixe", format_phone(organisation.phone)),
        ("Fax", format_phone(organisation.fax) if organisation.fax else ""),
    ]
    return [list(row) for row in rows if row[1]]


def _person(title: str, person: ContractPerson) -> dict[str, Any]:
    rows = [
        _two_scripts("Nom", person.last_name, person.last_name_ar, "اللقب"),
        _two_scripts("Prénom", person.first_name, person.first_name_ar, "الاسم"),
        ("Date de naissance", day(person.birth_date)),
        ("Nationalité", "Tunisienne" if person.nationality == "Tunisie" else person.nationality),
        ("Pièce d'identité", f"{person.document} {person.document_number}"),
        ("Téléphone mobile", format_phone(person.mobile)),
        ("E-mail", person.email),
    ]
    return {
        "title": title,
        "name": f"{person.last_name} {person.first_name}",
        "name_ar": f"{person.last_name_ar} {person.first_name_ar}".strip(),
        "rows": [list(row) for row in rows],
    }


def _two_scripts(name: str, latin: str, arabic: str, name_ar: str) -> tuple[str, ...]:
    return (name, latin, arabic, name_ar) if arabic else (name, latin)

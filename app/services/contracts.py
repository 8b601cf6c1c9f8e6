"""The subscription contract: numbered, versioned, printed from what was entered (ACT-1, CON-1)."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

from babel import Locale
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select

from app import clock
from app.adapters.storage import new_key
from app.errors import DomainError
from app.extensions import db
from app.models import (
    Contract,
    Document,
    DocumentKind,
    Governorate,
    LegalRepresentative,
    Organisation,
    User,
)
from app.papers import (
    ContractData,
    ContractDocument,
    ContractOrganisation,
    ContractPerson,
    contract_pdf,
    default_terms,
    snapshot,
)
from app.permissions import Actor
from app.queries.people import administrators_of
from app.services import audit
from app.services.files import storage
from app.services.numbering import next_reference
from app.services.unit_of_work import after_rollback
from app.state_labels import state_label


def issue_contract(organisation: Organisation, *, actor: Actor) -> Contract:
    """Print and keep the next version of an organisation's contract; the earlier one is superseded (CON-1).

    Called inside a use case that holds the organisation's lock (or has just inserted it). The number stays the
    same over versions. The stored PDF is deleted if the use case is given up. Raises DomainError when the
    organisation has no administrator, or one whose identity data is incomplete.
    """
    db.session.flush()
    earlier = list(
        db.session.scalars(
            select(Contract).where(Contract.organisation_id == organisation.id).order_by(Contract.version_number)
        )
    )
    data = contract_data(
        organisation,
        number=earlier[-1].number if earlier else next_reference("CTR"),
        version=earlier[-1].version_number + 1 if earlier else 1,
    )
    pdf = contract_pdf(data)
    key = new_key("contracts")
    after_rollback(lambda: _forget(key))
    storage().put(key, pdf)
    for old in earlier:
        if old.superseded_at is None:
            old.superseded_at = clock.now()
    contract = Contract(
        organisation_id=organisation.id,
        number=data.number,
        version_number=data.version,
        template_version=_template_version(),
        data=snapshot(data),
        storage_key=key,
        sha256=hashlib.sha256(pdf).hexdigest(),
        created_at=clock.now(),
    )
    db.session.add(contract)
    db.session.flush()
    audit.record(actor, "issue_contract", contract, after={"number": data.number, "version": data.version})
    return contract


def _forget(key: str) -> None:
    storage().delete(key)


def current_contract(organisation_id: int) -> Contract | None:
    """The version in force: the latest."""
    return db.session.scalar(
        select(Contract)
        .where(Contract.organisation_id == organisation_id)
        .order_by(Contract.version_number.desc())
        .limit(1)
    )


def contract_attachment(contract: Contract) -> dict[str, str]:
    """The contract as a mail's attachment (see ``outbox.write``)."""
    return {
        "name": contract_file_name(contract),
        "media_type": "application/pdf",
        "storage_key": contract.storage_key,
    }


def contract_file_name(contract: Contract) -> str:
    """What a downloaded contract is called."""
    return f"contrat-{contract.number}-v{contract.version_number}.pdf"


def contract_data(organisation: Organisation, *, number: str, version: int) -> ContractData:
    """Everything the contract prints, as it stands in the database now; texts in French, the contract's language."""
    with force_locale("fr"):
        moment = clock.now()
        representative = db.session.scalars(
            select(LegalRepresentative).where(LegalRepresentative.organisation_id == organisation.id)
        ).one()
        return ContractData(
            number=number,
            version=version,
            issued_at=moment,
            issued_on=clock.local(moment).date(),
            organisation=_organisation(organisation),
            representative=_person(representative),
            administrators=tuple(_person(user) for user in administrators_of(organisation.id)),
            documents=_documents(organisation.id),
        )


def changes_between(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What differs between two contracts' data: (path, old, new), in the paper's order; the frame is left out."""
    old, new = _flat(before), _flat(after)
    return [
        (path, old.get(path, ""), new.get(path, ""))
        for path in [*new, *(path for path in old if path not in new)]
        if path.split(".")[0] in {"organisation", "representative", "administrators", "documents"}
        and old.get(path, "") != new.get(path, "")
    ]


def _flat(value: Any, path: str = "") -> dict[str, str]:
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = [(str(place), item) for place, item in enumerate(value)]
    else:
        return {path: "" if value is None else str(value)}
    found: dict[str, str] = {}
    for name, item in items:
        found.update(_flat(item, f"{path}.{name}" if path else str(name)))
    return found


def _organisation(row: Organisation) -> ContractOrganisation:
    governorate = db.session.get(Governorate, row.governorate_id) if row.governorate_id else None
    return ContractOrganisation(
        legal_name=row.legal_name,
        legal_name_ar=row.legal_name_ar,
        trade_name=row.trade_name,
        category=state_label(row.category),
        country=country_name(row.country),
        tax_id=row.tax_id or "",
        register_number=row.register_number or "",
        address=row.address,
        postal_code=row.postal_code,
        city=row.city,
        governorate=governorate.name_fr if governorate is not None else "",
        phone=row.phone,
        fax=row.fax,
    )


def _person(row: LegalRepresentative | User) -> ContractPerson:
    if row.birth_date is None or row.identity_kind is None or not row.identity_number or not row.mobile:
        raise DomainError(
            _("Les données d'identité de %(name)s sont incomplètes.", name=f"{row.first_name} {row.last_name}")
        )
    return ContractPerson(
        first_name=row.first_name,
        last_name=row.last_name,
        first_name_ar=row.first_name_ar,
        last_name_ar=row.last_name_ar,
        birth_date=row.birth_date,
        nationality=country_name(row.nationality or ""),
        document=state_label(row.identity_kind),
        document_number=row.identity_number,
        mobile=row.mobile,
        email=row.email,
    )


def _documents(organisation_id: int) -> tuple[ContractDocument, ...]:
    rows = db.session.scalars(
        select(Document)
        .where(
            Document.organisation_id == organisation_id,
            Document.request_id.is_(None),
            Document.superseded_at.is_(None),
            Document.kind != DocumentKind.SIGNED_CONTRACT,
        )
        .order_by(Document.id)
    )
    return tuple(
        ContractDocument(
            label=state_label(row.kind),
            file_name=row.original_name,
            received_on=clock.local(row.uploaded_at).date(),
            dated_on=row.issued_on,
        )
        for row in rows
    )


def country_name(code: str, locale: str = "fr") -> str:
    """« Tunisie » for « TN »; an unknown code is shown as it is."""
    return str(Locale.parse(locale).territories.get(code.upper(), code))


@lru_cache(maxsize=1)
def _template_version() -> str:
    """Names the articles that were printed: the shipped text's own hash."""
    return hashlib.sha256(default_terms().encode()).hexdigest()[:12]

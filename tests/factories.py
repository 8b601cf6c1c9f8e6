"""Invented people, organisations and requests for the tests. Everything is committed.

Each takes keyword arguments that override what it would invent. People log in with ``PASSWORD``.
"""

from __future__ import annotations

import itertools
import uuid
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import select

from app import clock
from app.extensions import db
from app.identifiers import common_name, fold, tax_id_letter
from app.models import (
    CertificateRequest,
    CertificateType,
    Contract,
    Document,
    DocumentKind,
    IdentityKind,
    LegalRepresentative,
    Order,
    Organisation,
    OrganisationCategory,
    PostOffice,
    RegistrationCountry,
    RoleGrant,
    UsageDomain,
    User,
)
from app.permissions import Actor, Role
from app.queries import reference
from app.services import accounts, passwords
from app.states import OrganisationState, RequestState, Verdict

PASSWORD = "phrase-de-passe-des-tests-2026"
PEOPLE = [
    ("Gharbi", "Sonia", "الغربي", "سنية"),
    ("Mejri", "Khaled", "الماجري", "خالد"),
    ("Ayari", "Nejib", "العياري", "نجيب"),
    ("Trabelsi", "Rim", "الطرابلسي", "ريم"),
    ("Bouazizi", "Hédi", "البوعزيزي", "الهادي"),
    ("Ben Salah", "Mohamed", "بن صالح", "محمد"),
    ("Chebbi", "Amira", "الشابي", "أميرة"),
]
_serial = itertools.count(1)


@lru_cache(maxsize=1)
def _hash() -> str:
    return passwords.hash_password(PASSWORD)


def person(number: int | None = None) -> dict[str, Any]:
    """The declared data of somebody: what a PersonMixin row takes."""
    n = number if number is not None else next(_serial)
    last, first, last_ar, first_ar = PEOPLE[n % len(PEOPLE)]
    return {
        "last_name": last,
        "first_name": first,
        "last_name_ar": last_ar,
        "first_name_ar": first_ar,
        "birth_date": date(1980, 1, 1) + timedelta(days=n % 3650),
        "nationality": "TN",
        "identity_kind": IdentityKind.CIN,
        "identity_number": f"{n % 100_000_000:08d}",
        "mobile": f"+21620{n % 1_000_000:06d}",
        "email": f"{fold(first)}.{fold(last).replace(' ', '')}.{n}@exemple.tn",
    }


def user(*roles: Role, activated: bool = True, **values: Any) -> User:
    """An account; without roles it may only look at its own page."""
    row = User(
        **{
            **person(),
            "created_at": clock.now(),
            "activated_at": clock.now() if activated else None,
            "password_hash": _hash() if activated else None,
            **values,
        }
    )
    row.grants = [RoleGrant(role=role, granted_at=clock.now()) for role in roles]
    db.session.add(row)
    db.session.commit()
    return row


def staff(role: Role = Role.AGENT, **values: Any) -> User:
    """Somebody of TunTrust's."""
    return user(role, **{"email": f"{role.lower()}.{next(_serial)}@tuntrust-exemple.tn", **values})


def applicant(**values: Any) -> User:
    """A person certificates are for."""
    return user(Role.DEMANDEUR, **values)


def administrator(organisation: Organisation, **values: Any) -> User:
    """One more administrator of an organisation."""
    row = user(**values)
    row.grants.append(RoleGrant(role=Role.ADMIN_ORGANISATION, organisation_id=organisation.id, granted_at=clock.now()))
    db.session.commit()
    return row


def organisation(state: OrganisationState = OrganisationState.VERIFIEE, **values: Any) -> Organisation:
    """A Tunisian organisation with its representative; no administrator (see ``administrator``)."""
    n = next(_serial)
    digits = f"{1_000_000 + n:07d}"
    moment = clock.now()
    row = Organisation(
        **{
            "reference": f"ORG-2026-{500_000 + n:06d}",
            "registration_country": RegistrationCountry.TUNISIE,
            "tax_id": digits + tax_id_letter(digits),
            "country": "TN",
            "category": OrganisationCategory.ENTREPRISE_PRIVEE,
            "legal_name": f"Société Exemple {n}",
            "address": "12 rue des Oliviers",
            "postal_code": "1002",
            "city": "Tunis",
            "governorate_id": reference.governorates()[0].id,
            "phone": "+21671000000",
            "state": state,
            "created_at": moment,
            "activation_deadline": moment + timedelta(hours=48),
            "activated_at": None if state is OrganisationState.EN_ATTENTE_ACTIVATION else moment,
            "complete_since": None if state is OrganisationState.EN_ATTENTE_ACTIVATION else moment,
            "verified_at": moment if state is OrganisationState.VERIFIEE else None,
            **values,
        }
    )
    row.search_text = fold(f"{row.legal_name} {row.tax_id} {row.reference}")
    row.representative = LegalRepresentative(**person())
    db.session.add(row)
    db.session.commit()
    return row


def document(kind: DocumentKind = DocumentKind.RNE_EXTRACT, **values: Any) -> Document:
    """A document's row; its bytes are in the storage only when the test puts them at ``storage_key``."""
    row = Document(
        **{
            "public_id": uuid.uuid4().hex,
            "kind": kind,
            "original_name": "extrait.pdf",
            "media_type": "application/pdf",
            "size": 1000,
            "sha256": uuid.uuid4().hex * 2,
            "storage_key": f"documents/{uuid.uuid4().hex}",
            "uploaded_at": clock.now(),
            "issued_on": clock.today() if kind is DocumentKind.RNE_EXTRACT else None,
            **values,
        }
    )
    db.session.add(row)
    db.session.commit()
    return row


def contract(of: Organisation, *, signed: Verdict | None = Verdict.ACCEPTE) -> Contract:
    """A contract; ``signed`` is the verdict of its signed copy, None for no copy."""
    row = Contract(
        organisation_id=of.id,
        number=f"CTR-2026-{next(_serial):06d}",
        version_number=1,
        template_version="1",
        data={},
        storage_key=f"contracts/{uuid.uuid4().hex}",
        sha256="0" * 64,
        created_at=clock.now(),
    )
    db.session.add(row)
    db.session.commit()
    if signed is not None:
        copy = document(DocumentKind.SIGNED_CONTRACT, organisation_id=of.id, contract_id=row.id, verdict=signed)
        row.signed_document_id = copy.id
        db.session.commit()
    return row


def post_office() -> PostOffice:
    """Any active post office."""
    return db.session.scalars(select(PostOffice).order_by(PostOffice.id).limit(1)).one()


def certificate_request(
    of: Organisation | None = None,
    state: RequestState = RequestState.NON_FINALISEE,
    *,
    applicant: User | None = None,
    by: User | None = None,
    **values: Any,
) -> CertificateRequest:
    """A request in any state, with what that state implies (validated, paid …)."""
    owner = of if of is not None else organisation()
    who = applicant if applicant is not None else user(Role.DEMANDEUR)
    creator = by if by is not None else administrator(owner)
    n, moment = next(_serial), clock.now()
    product = db.session.scalars(select(CertificateType).where(CertificateType.code == "ID_TRUST")).one()
    order = Order(
        reference=f"CMD-2026-{500_000 + n:06d}",
        organisation_id=owner.id,
        created_by_id=creator.id,
        created_at=moment,
        attested_at=moment,
    )
    db.session.add(order)
    db.session.flush()
    validated = state is not RequestState.NON_FINALISEE
    paid = state in (
        RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST,
        RequestState.EN_ATTENTE_DE_JUSTIFICATIFS,
        RequestState.EXPEDIEE,
    )
    data = {name: getattr(who, name) for name in person(0)}
    row = CertificateRequest(
        **{
            **data,
            "reference": f"DEM-2026-{500_000 + n:06d}",
            "order_id": order.id,
            "organisation_id": owner.id,
            "applicant_id": who.id,
            "certificate_type_id": product.id,
            "validity_years": 2,
            "common_name": common_name(who.first_name, who.last_name),
            "state": state,
            "state_changed_at": moment,
            "created_at": moment,
            "created_by_id": creator.id,
            "price_ht": 350_000,
            "post_office_id": post_office().id if validated else None,
            "cgu_version_id": reference.current_cgu().id if validated else None,
            "cgu_accepted_at": moment if validated else None,
            "validated_at": moment if validated else None,
            "paid_at": moment if paid else None,
            "complete_since": moment if paid else None,
            **values,
        }
    )
    row.domains = list(db.session.scalars(select(UsageDomain).order_by(UsageDomain.position).limit(2)))
    row.search_text = fold(f"{row.first_name} {row.last_name} {row.identity_number} {row.reference}")
    db.session.add(row)
    db.session.commit()
    return row


def actor(of: User, ip: str = "127.0.0.1") -> Actor:
    """The actor a service takes, for somebody's account."""
    return accounts.actor_for(of, ip=ip, locale=of.locale)

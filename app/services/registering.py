"""Writing a new organisation with its people, papers, contract and mails, in the sign-up's transaction (ACT-1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from app import clock
from app.extensions import db
from app.models import (
    Document,
    IdentityKind,
    LegalRepresentative,
    Organisation,
    OrganisationCategory,
    RegistrationCountry,
    User,
)
from app.permissions import Actor, Role
from app.queries.people import administrators_of
from app.services import audit, contracts, history, numbering, outbox, passwords, settings
from app.services.accounts import grant_role
from app.services.documents import forget_file
from app.services.identity_checks import IdentityCheck
from app.services.inspecting import ask_file_inspection
from app.services.links import public_url
from app.services.search_columns import fill_organisation
from app.states import OrganisationState

PERSON = (
    "last_name",
    "first_name",
    "last_name_ar",
    "first_name_ar",
    "nationality",
    "identity_number",
    "mobile",
    "email",
)


@dataclass(frozen=True, slots=True)
class Known:
    """What a sign-up met that was there before: the organisation, or accounts of its administrators' addresses."""

    organisation: Organisation | None
    users: list[User]


def register(
    organisation: Mapping[str, Any],
    representative: Mapping[str, Any],
    administrators: list[dict[str, Any]],
    *,
    papers: Mapping[str, Document],
    answers: Mapping[str, IdentityCheck],
    actor: Actor,
) -> Organisation:
    """Create everything a sign-up declares, inside its use case; answers of the identity service come along.

    Each administrator is mailed a temporary password, of which only the hash stays, with the contract attached.
    """
    moment = clock.now()
    hours = settings.get("activation.hours")
    row = _organisation(organisation)
    row.created_at = moment
    row.activation_deadline = moment + timedelta(hours=hours)
    row.representative = _representative(representative, answers.get("representative"))
    db.session.add(row)
    db.session.flush()
    accounts = [_account(person, row, actor) for person in administrators]
    _hand_over(papers, row, accounts, organisation)
    fill_organisation(row, [user for user, _password in accounts])
    contract = contracts.issue_contract(row, actor=actor)
    history.write(
        actor,
        "sign_up",
        organisation_id=row.id,
        to_state=OrganisationState.EN_ATTENTE_ACTIVATION,
        details={
            "administrators": len(accounts),
            "identity": {who: check.answer.value for who, check in answers.items()},
        },
    )
    audit.record(actor, "sign_up", row, after={"reference": row.reference, "administrators": len(accounts)})
    ask_file_inspection(organisation_id=row.id, actor=actor)
    for user, password in accounts:
        outbox.write(
            "account_created",
            to=user.email,
            locale=user.locale,
            secret=True,
            attachments=[contracts.contract_attachment(contract)],
            organisation_id=row.id,
            name=user.display_name,
            organisation=row.legal_name,
            reference=row.reference,
            password=password,
            deadline=row.activation_deadline,
            hours=hours,
            link=public_url("auth.login"),
        )
    return row


def _organisation(declared: Mapping[str, Any]) -> Organisation:
    return Organisation(
        reference=numbering.next_reference("ORG"),
        registration_country=RegistrationCountry(declared["registration_country"]),
        category=OrganisationCategory(declared["category"]),
        state=OrganisationState.EN_ATTENTE_ACTIVATION,
        **{
            name: declared[name]
            for name in (
                "tax_id",
                "tax_id_confirmed",
                "country",
                "register_number",
                "legal_name",
                "legal_name_ar",
                "trade_name",
                "address",
                "postal_code",
                "city",
                "governorate_id",
                "phone",
                "fax",
                "has_rne",
                "rne_in_arabic_only",
            )
        },
    )


def _person(declared: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "birth_date": date.fromisoformat(declared["birth_date"]),
        "identity_kind": IdentityKind(declared["identity_kind"]),
        **{name: declared[name] for name in PERSON},
    }


def _representative(declared: Mapping[str, Any], check: IdentityCheck | None) -> LegalRepresentative:
    return LegalRepresentative(
        **_person(declared),
        identity_answer=check.answer if check is not None else None,
        identity_checked_at=check.at if check is not None else None,
    )


def _account(declared: Mapping[str, Any], organisation: Organisation, actor: Actor) -> tuple[User, str]:
    moment = clock.now()
    password = passwords.new_temporary_password()
    user = User(
        **_person(declared),
        locale=actor.locale,
        temporary_password_hash=passwords.hash_password(password),
        temporary_password_expires_at=organisation.activation_deadline,
        invited_at=moment,
        created_at=moment,
    )
    db.session.add(user)
    grant_role(user, Role.ADMIN_ORGANISATION, organisation_id=organisation.id, by=actor)
    db.session.flush()
    return user, password


def _hand_over(
    papers: Mapping[str, Document],
    organisation: Organisation,
    accounts: list[tuple[User, str]],
    declared: Mapping[str, Any],
) -> None:
    """The draft's papers become the organisation's; those no answer asks for are deleted with their files."""
    owners = dict(zip(("administrator_identity", "administrator2_identity"), accounts, strict=False))
    dates = {"rne_extract": declared["rne_issued_on"], "trade_register": declared["trade_issued_on"]}
    draft_ids = {document.draft_id for document in papers.values()}
    for slot, document in papers.items():
        issued = dates.get(slot)
        document.organisation_id = organisation.id
        document.issued_on = date.fromisoformat(issued) if issued else None
        document.user_id = owners[slot][0].id if slot in owners else None
        document.draft_id = document.draft_slot = None
        document.version += 1
    db.session.flush()
    for left in db.session.scalars(select(Document).where(Document.draft_id.in_(draft_ids - {None}))):
        forget_file(left)
        db.session.delete(left)


def tell_already_registered(known: Known, *, actor: Actor) -> None:
    """The page says nothing; the addresses we know get the truth (ORG-8). Called inside the sign-up's use case."""
    organisation = known.organisation
    told = administrators_of(organisation.id) if organisation is not None else []
    for user in {user.id: user for user in [*told, *known.users]}.values():
        outbox.write(
            "already_registered",
            to=user.email,
            locale=user.locale,
            name=user.display_name,
            organisation=organisation.legal_name if organisation is not None and user in told else None,
            active=user.password_hash is not None,
            link=public_url("auth.login"),
            forgotten_link=public_url("auth.forgotten"),
        )
    subject: Any = organisation if organisation is not None else known.users[0]
    audit.record(actor, "sign_up_again", subject)

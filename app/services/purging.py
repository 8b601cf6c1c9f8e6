"""What was not activated in time is deleted whole, or not at all (ACT-3).

Lock order: organisation, users, documents; activation locks in the same order, so that the two meet at the
organisation's row. Files are deleted once the rows are gone for good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import structlog
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.exc import SQLAlchemyError

from app import clock
from app.adapters.storage import Storage
from app.extensions import db
from app.models import (
    CertificateRequest,
    Contract,
    DestructionRecord,
    Document,
    HistoryEntry,
    Organisation,
    OutboxMail,
    RoleGrant,
    SignupDraft,
    StaffRoleChange,
    User,
)
from app.permissions import SYSTEM, Role
from app.services import audit, contracts, documents, files, history, outbox
from app.services.activation import activation_period
from app.services.links import public_url
from app.services.unit_of_work import after_commit, use_case
from app.states import OrganisationState, Verdict

log = structlog.get_logger()
FAREWELL = "registration_deleted"
LATE = "Invitation non activée dans le délai"
BATCH = 200


def purge_unactivated() -> str:
    """Delete the registrations, then the second administrators, whose 48 hours are over; returns a summary.

    One transaction each: one that cannot be deleted is logged and left for the next run, and stops no other.
    """
    forget_sent_farewells()
    organisations = sum(_tried(purge_organisation, organisation_id) for organisation_id in overdue_organisations())
    people = sum(_tried(purge_administrator, grant_id) for grant_id in overdue_administrators())
    return _(
        "Inscriptions supprimées : %(organisations)d. Administrateurs retirés : %(people)d.",
        organisations=organisations,
        people=people,
    )


def _tried(purge: Callable[[int], bool], row_id: int) -> bool:
    try:
        return purge(row_id)
    except SQLAlchemyError:
        log.exception("purge_failed", row_id=row_id)
        return False


def overdue_organisations() -> list[int]:
    """Registrations whose deadline has passed without a first password, oldest first."""
    return list(
        db.session.scalars(
            select(Organisation.id)
            .where(
                Organisation.state == OrganisationState.EN_ATTENTE_ACTIVATION,
                Organisation.activation_deadline <= clock.now(),
            )
            .order_by(Organisation.activation_deadline, Organisation.id)
            .limit(BATCH)
        )
    )


@use_case
def purge_organisation(organisation_id: int) -> bool:
    """Delete one overdue registration with its people, files, mails and history; False when it was activated.

    What stays is a line of the destruction register without personal data, the journal, and a mail that tells
    each person (it names nobody, and its row goes once it is sent). The tax id and the e-mails are free again.
    """
    organisation = db.session.execute(
        select(Organisation)
        .where(Organisation.id == organisation_id)
        .with_for_update(of=Organisation)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if (
        organisation is None
        or organisation.state is not OrganisationState.EN_ATTENTE_ACTIVATION
        or organisation.activation_deadline > clock.now()
    ):
        return False
    reference = organisation.reference
    granted = select(RoleGrant.user_id).where(RoleGrant.organisation_id == organisation_id)
    people = _lock_users(db.session.scalars(granted))
    leaving = [user for user in people if not _has_another_life(user, organisation_id)]
    _say_farewell(leaving)
    leaving_ids = [user.id for user in leaving]
    counts = {
        "people": len(leaving),
        "documents": _delete_documents(organisation_id, leaving_ids),
        "contracts": _delete_contracts(organisation_id),
        "mails": _delete(OutboxMail, OutboxMail.organisation_id == organisation_id),
        "history": _delete(HistoryEntry, HistoryEntry.organisation_id == organisation_id),
    }
    _delete(Organisation, Organisation.id == organisation_id)
    _delete(User, User.id.in_(leaving_ids))
    _register(f"Organisation {reference}", "Inscription non activée dans le délai", counts)
    audit.record(SYSTEM, "purge_organisation", ("organisations", organisation_id), after=counts)
    return True


def overdue_administrators() -> list[int]:
    """Grants of administrators of living organisations who chose no password within 48 h of their invitation."""
    limit = clock.now() - activation_period()
    return list(
        db.session.scalars(
            select(RoleGrant.id)
            .join(User, User.id == RoleGrant.user_id)
            .join(Organisation, Organisation.id == RoleGrant.organisation_id)
            .where(
                RoleGrant.role == Role.ADMIN_ORGANISATION,
                RoleGrant.revoked_at.is_(None),
                RoleGrant.granted_at <= limit,
                or_(User.invited_at.is_(None), User.invited_at <= limit),
                User.password_hash.is_(None),
                Organisation.state != OrganisationState.EN_ATTENTE_ACTIVATION,
            )
            .order_by(RoleGrant.id)
            .limit(BATCH)
        )
    )


@use_case
def purge_administrator(grant_id: int) -> bool:
    """Remove alone a second administrator who did not activate; they can be invited again (ACT-3).

    A contract that nobody has accepted yet is issued again without them; an accepted one stays as it is signed.
    """
    grant = db.session.get(RoleGrant, grant_id)
    if grant is None or grant.organisation_id is None:
        return False
    organisation_id, user_id = grant.organisation_id, grant.user_id
    organisation = db.session.execute(
        select(Organisation).where(Organisation.id == organisation_id).with_for_update(of=Organisation)
    ).scalar_one()
    users = _lock_users([user_id])
    if not users or grant_id not in overdue_administrators():
        return False
    remove_administrator(organisation, users[0])
    history.write(SYSTEM, "administrator_removed", organisation_id=organisation_id, details={"why": "not_activated"})
    renew_unaccepted_contract(organisation)
    audit.record(SYSTEM, "purge_administrator", organisation, after={"user_id": user_id})
    return True


def remove_administrator(organisation: Organisation, user: User, *, reason: str = LATE) -> None:
    """Take an administrator who never activated away; the account goes too unless it has another life.

    Called inside a use case that holds the organisation's and the person's locks. Who is late is told by mail.
    """
    user_id = user.id
    if _has_another_life(user, organisation.id):
        _delete(RoleGrant, RoleGrant.user_id == user_id, RoleGrant.organisation_id == organisation.id)
        db.session.expire(user)
        return
    if reason == LATE:
        _say_farewell([user])
    papers = _delete_documents(None, [user_id])
    mails = _delete(
        OutboxMail,
        OutboxMail.organisation_id == organisation.id,
        OutboxMail.recipient == user.email,
    )
    db.session.flush()
    for row in [each for each in db.session if isinstance(each, RoleGrant) and each.user_id == user_id]:
        db.session.expunge(row)  # deleted below by the database: SQLite may give their ids out again
    db.session.expunge(user)
    _delete(User, User.id == user_id)
    db.session.expire(organisation)
    counts = {"people": 1, "documents": papers, "mails": mails}
    _register("Administrateur d'organisation", reason, counts)


def renew_unaccepted_contract(organisation: Organisation) -> None:
    """A new version of a contract whose signed copy nobody has accepted yet: its signatories changed."""
    contract = contracts.current_contract(organisation.id)
    signed = contract.signed_document if contract is not None else None
    if contract is None or (signed is not None and signed.verdict is Verdict.ACCEPTE):
        return
    contracts.issue_contract(organisation, actor=SYSTEM)


@use_case
def forget_sent_farewells() -> int:
    """Mails that told somebody of a deletion hold an address that must not stay: gone once sent or given up."""
    return _delete(
        OutboxMail, OutboxMail.kind == FAREWELL, or_(OutboxMail.sent_at.is_not(None), OutboxMail.dead_at.is_not(None))
    )


def _lock_users(ids: Iterable[int]) -> list[User]:
    return list(
        db.session.scalars(
            select(User)
            .where(User.id.in_(sorted(set(ids))))
            .order_by(User.id)
            .with_for_update(of=User)
            .execution_options(populate_existing=True)
        )
    )


def _has_another_life(user: User, organisation_id: int) -> bool:
    """Activated, or known for something else than this organisation: such an account is kept."""
    if user.password_hash is not None or user.activated_at is not None:
        return True
    elsewhere = select(func.count()).where(
        RoleGrant.user_id == user.id, func.coalesce(RoleGrant.organisation_id, 0) != organisation_id
    )
    requests = select(func.count()).where(CertificateRequest.applicant_id == user.id)
    staff = select(func.count()).where(StaffRoleChange.user_id == user.id)
    return any(db.session.scalar(count) for count in (elsewhere, requests, staff))


def _say_farewell(people: Iterable[User]) -> None:
    for user in people:
        outbox.write(FAREWELL, to=user.email, locale=user.locale, secret=True, link=public_url("auth.login"))


def _delete_documents(organisation_id: int | None, user_ids: list[int]) -> int:
    wanted: ColumnElement[bool] = Document.user_id.in_(user_ids)
    if organisation_id is not None:
        wanted = or_(wanted, Document.organisation_id == organisation_id)
    rows = db.session.scalars(select(Document).where(wanted).order_by(Document.id)).all()
    for row in rows:
        documents.forget_file(row)
    _delete(SignupDraft, SignupDraft.id.in_({row.draft_id for row in rows if row.draft_id is not None}))
    return _delete(Document, Document.id.in_([row.id for row in rows]))


def _delete_contracts(organisation_id: int) -> int:
    keys = db.session.scalars(select(Contract.storage_key).where(Contract.organisation_id == organisation_id)).all()
    _delete(Contract, Contract.organisation_id == organisation_id)
    storage = files.storage()
    for key in keys:
        after_commit(partial(_forget_file, storage, key))
    return len(keys)


def _forget_file(storage: Storage, key: str) -> None:
    try:
        storage.delete(key)
    except OSError:  # the orphan files' job takes it up
        log.exception("file_not_deleted", key=key)


def _delete(model: type, *conditions: object) -> int:
    statement = delete(model).where(*conditions)  # type: ignore[arg-type]  # column conditions of that model
    result = db.session.execute(statement, execution_options={"synchronize_session": False})
    return int(getattr(result, "rowcount", 0))


def _register(what: str, reason: str, counts: dict[str, int]) -> None:
    db.session.add(DestructionRecord(at=clock.now(), what=what, reason=reason, counts=counts))

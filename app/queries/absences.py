"""Who of TunTrust's is away, whose files wait meanwhile, and who can be given some (QUE-3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import joinedload

from app import clock
from app.extensions import db
from app.models import CertificateRequest, Organisation, RoleGrant, StaffAbsence, User
from app.permissions import Role
from app.states import OrganisationState, RequestState

REVIEWERS = (Role.AGENT, Role.SUPERVISEUR)
"""Whose roles can hold a file."""
OPEN_REQUESTS = (RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST, RequestState.EN_ATTENTE_DE_JUSTIFICATIFS)
OPEN_ORGANISATIONS = (OrganisationState.A_VERIFIER, OrganisationState.PIECES_DEMANDEES)
"""Files that still need somebody: the only ones worth handing over."""


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody files can be handed to. ``absent_until``: the last day of today's absence, if any."""

    id: int
    name: str
    role: Role
    absent_until: date | None = None


@dataclass(frozen=True, slots=True)
class Away:
    """Somebody absent today, and how many open files are with them."""

    user_id: int
    name: str
    until_on: date
    requests: int
    organisations: int

    @property
    def files(self) -> int:
        """Both together."""
        return self.requests + self.organisations


def _reviews() -> ColumnElement[bool]:
    return exists(
        select(RoleGrant.id).where(
            RoleGrant.user_id == User.id, RoleGrant.role.in_(REVIEWERS), RoleGrant.revoked_at.is_(None)
        )
    )


def absence_on(user_id: int, day: date | None = None) -> StaffAbsence | None:
    """The absence of a person that covers a day (today in Tunis unless said); periods never overlap."""
    day = day or clock.today()
    return db.session.scalar(
        select(StaffAbsence)
        .where(StaffAbsence.user_id == user_id, StaffAbsence.from_on <= day, StaffAbsence.until_on >= day)
        .limit(1)
    )


def colleagues(*, except_ids: Sequence[int | None] = ()) -> list[Colleague]:
    """Agents and supervisors whose account is open, with today's absences: one statement."""
    today = clock.today()
    role = (
        select(func.max(RoleGrant.role))
        .where(RoleGrant.user_id == User.id, RoleGrant.role.in_(REVIEWERS), RoleGrant.revoked_at.is_(None))
        .correlate(User)
        .scalar_subquery()
    )
    until = (
        select(func.max(StaffAbsence.until_on))
        .where(StaffAbsence.user_id == User.id, StaffAbsence.from_on <= today, StaffAbsence.until_on >= today)
        .correlate(User)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(User.id, User.first_name, User.last_name, User.email, role, until)
        .where(_reviews(), User.disabled_at.is_(None), User.activated_at.is_not(None))
        .order_by(User.last_name, User.first_name, User.id)
    )
    left_out = set(except_ids)
    return [
        Colleague(row[0], f"{row[1]} {row[2]}".strip() or row[3], Role(row[4]), row[5])
        for row in rows
        if row[0] not in left_out
    ]


def away_with_files() -> list[Away]:
    """Who is absent today and holds open files, most files first: one statement for the home (QUE-3)."""
    today = clock.today()
    requests = (
        select(func.count(CertificateRequest.id))
        .where(CertificateRequest.assigned_to_id == User.id, CertificateRequest.state.in_(OPEN_REQUESTS))
        .correlate(User)
        .scalar_subquery()
    )
    organisations = (
        select(func.count(Organisation.id))
        .where(Organisation.assigned_to_id == User.id, Organisation.state.in_(OPEN_ORGANISATIONS))
        .correlate(User)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(User.id, User.first_name, User.last_name, User.email, StaffAbsence.until_on, requests, organisations)
        .join(StaffAbsence, StaffAbsence.user_id == User.id)
        .where(StaffAbsence.from_on <= today, StaffAbsence.until_on >= today)
        .order_by(User.id)
        .limit(100)
    )
    found = [Away(row[0], f"{row[1]} {row[2]}".strip() or row[3], row[4], row[5], row[6]) for row in rows]
    return sorted((each for each in found if each.files), key=lambda each: -each.files)


def files_held_by(user_id: int, limit: int) -> tuple[list[CertificateRequest], list[Organisation]]:
    """The open files of a person, requests then organisations, each by ascending id; ``limit`` over both."""
    requests = db.session.scalars(
        select(CertificateRequest)
        .where(CertificateRequest.assigned_to_id == user_id, CertificateRequest.state.in_(OPEN_REQUESTS))
        .order_by(CertificateRequest.id)
        .limit(limit)
    ).all()
    organisations = db.session.scalars(
        select(Organisation)
        .where(Organisation.assigned_to_id == user_id, Organisation.state.in_(OPEN_ORGANISATIONS))
        .order_by(Organisation.id)
        .limit(max(0, limit - len(requests)))
    ).all()
    return list(requests), list(organisations)


def absences(*, user_id: int | None = None, past_days: int = 30, limit: int = 200) -> list[StaffAbsence]:
    """Recorded absences that are not long over, the next to begin first; of one person when named."""
    statement = (
        select(StaffAbsence)
        .where(StaffAbsence.until_on >= clock.today() - timedelta(days=past_days))
        .options(joinedload(StaffAbsence.user))
        .order_by(StaffAbsence.from_on, StaffAbsence.id)
        .limit(limit)
    )
    if user_id is not None:
        statement = statement.where(StaffAbsence.user_id == user_id)
    return list(db.session.scalars(statement))

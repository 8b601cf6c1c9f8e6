"""The chase list: whom an organisation's orders wait for, since when, and what is ready to be paid (ORD-7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, select
from sqlalchemy.orm import contains_eager

from app import clock
from app.extensions import db
from app.models import CertificateRequest, HistoryEntry, Payment, PaymentLine, User
from app.services import attempts
from app.states import LIVE_PAYMENT_STATES, RequestState

PAGE_SIZE = 30
PAUSE = timedelta(hours=1)
"""A person is told again at most this often (ORD-7)."""
TOLD_BY = ("create", "invitation_resent", "email_mended", "reopen")
"""The history's lines that went with a mail to the applicant."""

R = CertificateRequest


class Stage(StrEnum):
    """What a request waits for; the value is its name in an address."""

    ACTIVATION = "a-activer"
    VALIDATION = "a-valider"
    CORRECTION = "a-corriger"
    READY = "a-payer"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that waits. ``told_at``: the last mail to its person; ``again_at``: when they may have another."""

    request: CertificateRequest
    since: datetime
    days: int
    told_at: datetime | None
    again_at: datetime | None
    invitation_expired: bool


@dataclass(frozen=True, slots=True)
class ChasePage:
    """A page of one stage, the longest wait first, and how many wait in it."""

    stage: Stage
    rows: list[Waiting]
    total: int
    page: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // PAGE_SIZE))


def invitation_key(user_id: int) -> str:
    """The key under which a person's invitations are counted."""
    return attempts.key_for("invitation", str(user_id))


def is_held() -> ColumnElement[bool]:
    """A payment under way holds the request: it is nobody's turn."""
    return exists(
        select(PaymentLine.id)
        .join(Payment, PaymentLine.payment_id == Payment.id)
        .where(PaymentLine.request_id == R.id, PaymentLine.live, Payment.state.in_(LIVE_PAYMENT_STATES))
        .correlate(R)
    )


def stage_is(stage: Stage) -> ColumnElement[bool]:
    """The condition of a stage, on a request joined with its applicant."""
    unfinished = R.state == RequestState.NON_FINALISEE
    if stage is Stage.READY:
        return and_(R.state == RequestState.EN_ATTENTE_DE_PAIEMENT, R.basket_added_at.is_(None), ~is_held())
    if stage is Stage.CORRECTION:
        return and_(unfinished, R.correction_asked_at.is_not(None))
    active = User.password_hash.is_not(None) if stage is Stage.VALIDATION else User.password_hash.is_(None)
    return and_(unfinished, R.correction_asked_at.is_(None), active)


def counts(organisation_id: int) -> dict[Stage, int]:
    """How many of an organisation's requests wait in each stage: one statement."""
    columns = [func.sum(case((stage_is(stage), 1), else_=0)) for stage in Stage]
    states = (RequestState.NON_FINALISEE, RequestState.EN_ATTENTE_DE_PAIEMENT)
    found = db.session.execute(
        select(*columns)
        .select_from(R)
        .join(User, User.id == R.applicant_id)
        .where(R.organisation_id == organisation_id, R.state.in_(states))
    ).one()
    return {stage: int(number or 0) for stage, number in zip(Stage, found, strict=True)}


def chase_page(organisation_id: int, stage: Stage, found: dict[Stage, int], page: int = 1) -> ChasePage:
    """One page of a stage: three statements whatever the rows; ``found``: what ``counts`` just said."""
    page = min(max(1, page), max(1, -(-found[stage] // PAGE_SIZE)))
    rows = db.session.scalars(
        _of(organisation_id, stage)
        .options(contains_eager(R.applicant))
        .order_by(R.state_changed_at, R.id)
        .limit(PAGE_SIZE)
        .offset((page - 1) * PAGE_SIZE)
    ).all()
    told = _told_at([row.id for row in rows])
    tries = attempts.latest({invitation_key(row.applicant_id) for row in rows}, within=PAUSE)
    return ChasePage(stage, [_waiting(row, told, tries) for row in rows], found[stage], page)


def _of(organisation_id: int, stage: Stage) -> Select[CertificateRequest]:
    return select(R).join(User, User.id == R.applicant_id).where(R.organisation_id == organisation_id, stage_is(stage))


def _waiting(row: CertificateRequest, told: dict[int, datetime], tries: dict[str, datetime]) -> Waiting:
    moment = clock.now()
    since = row.correction_asked_at or row.state_changed_at
    tried = tries.get(invitation_key(row.applicant_id))
    expires = row.applicant.temporary_password_expires_at
    return Waiting(
        request=row,
        since=since,
        days=(clock.local(moment).date() - clock.local(since).date()).days,
        told_at=max((each for each in (told.get(row.id), tried) if each is not None), default=None),
        again_at=tried + PAUSE if tried is not None else None,
        invitation_expired=row.applicant.password_hash is None and expires is not None and expires <= moment,
    )


def _told_at(request_ids: list[int]) -> dict[int, datetime]:
    if not request_ids:
        return {}
    rows = db.session.execute(
        select(HistoryEntry.request_id, func.max(HistoryEntry.at))
        .where(HistoryEntry.request_id.in_(request_ids), HistoryEntry.action.in_(TOLD_BY))
        .group_by(HistoryEntry.request_id)
    )
    return {row[0]: row[1] for row in rows if row[0] is not None}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to tell again, by the oldest of their requests that wait."""

    request_id: int
    told_at: datetime | None


def people_to_chase(organisation_id: int, stage: Stage, *, but: int | None) -> list[Person]:
    """Each applicant of the stage once, whoever was told longest ago first; ``but``: the administrator themself."""
    waiting = _of(organisation_id, stage).subquery()
    rows = db.session.execute(
        select(func.min(waiting.c.id), func.max(HistoryEntry.at))
        .select_from(waiting)
        .outerjoin(HistoryEntry, and_(HistoryEntry.request_id == waiting.c.id, HistoryEntry.action.in_(TOLD_BY)))
        .where(waiting.c.applicant_id != (but or 0))
        .group_by(waiting.c.applicant_id)
        .order_by(func.max(HistoryEntry.at), func.min(waiting.c.id))
    )
    return [Person(row[0], row[1]) for row in rows]


def ready_references(organisation_id: int, limit: int) -> list[str]:
    """What waits for its payment outside the basket, the oldest first."""
    rows = _of(organisation_id, Stage.READY).with_only_columns(R.reference).order_by(R.state_changed_at, R.id)
    return list(db.session.scalars(rows.limit(limit)))

"""What waits for a person of TunTrust's this morning, counted in one statement (JOB-1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, Select, and_, exists, func, select, true

from app import clock
from app.extensions import db
from app.models import CertificateRequest, MessageThread, Organisation, RoleGrant, User
from app.permissions import Actor
from app.queries import desk_messages, desk_requests
from app.queries.absences import REVIEWERS, absence_on
from app.queries.lists import Source, start_of
from app.queries.notes import calling
from app.states import OrganisationState

R = CertificateRequest
NAMED = 20
"""Late files named in the mail; the others are counted."""


@dataclass(frozen=True, slots=True)
class Digest:
    """Figures of one morning. ``late``: references of the person's own files, the oldest first."""

    requests: int
    organisations: int
    late: int
    late_references: list[str]
    messages: int
    notes: int
    uncollected: int
    late_of_nobody: int
    uncollected_of_nobody: int

    @property
    def empty(self) -> bool:
        """Nothing waits: no mail."""
        mine = self.requests, self.organisations, self.messages, self.notes, self.uncollected
        return not any((*mine, self.late_of_nobody, self.uncollected_of_nobody))


def readers_of_digests() -> list[int]:
    """Agents and supervisors whose account is open and who are not away today."""
    today = clock.today()
    holds = exists(
        select(RoleGrant.id).where(
            RoleGrant.user_id == User.id, RoleGrant.role.in_(REVIEWERS), RoleGrant.revoked_at.is_(None)
        )
    )
    people = db.session.scalars(
        select(User.id).where(holds, User.disabled_at.is_(None), User.activated_at.is_not(None)).order_by(User.id)
    ).all()
    return [user_id for user_id in people if absence_on(user_id, today) is None]


def digest_of(actor: Actor, *, review_days: int, shares_out: bool) -> Digest:
    """What waits for them: their own files; for who shares files out, those of nobody that are late or uncollected."""
    uncollected = _tab(desk_requests.SOURCE, "90-jours", actor)
    late = and_(
        desk_requests.under_review(),
        R.clock_paused_at.is_(None),
        R.complete_since < start_of(clock.today() - timedelta(days=review_days)),
    )
    mine, nobodys = R.assigned_to_id == actor.user_id, R.assigned_to_id.is_(None)
    to_verify = and_(Organisation.assigned_to_id == actor.user_id, Organisation.state == OrganisationState.A_VERIFIER)
    my_threads = _tab(desk_messages.SOURCE, "les-miens", actor)
    counted = [
        _requests(and_(mine, desk_requests.under_review())),
        select(func.count(Organisation.id)).where(to_verify),
        _requests(and_(mine, late)),
        select(func.count(MessageThread.id)).where(MessageThread.awaits_staff.is_(True), my_threads),
        _requests(and_(mine, uncollected)),
        _requests(and_(nobodys, late)),
        _requests(and_(nobodys, uncollected)),
    ]
    found = db.session.execute(select(*(each.scalar_subquery() for each in counted))).one()
    named = select(R.reference).where(mine, late).order_by(R.complete_since, R.id).limit(NAMED)
    return Digest(
        requests=found[0],
        organisations=found[1],
        late=found[2],
        late_references=list(db.session.scalars(named)) if found[2] else [],
        messages=found[3],
        notes=calling(actor).notes,
        uncollected=found[4],
        late_of_nobody=found[5] if shares_out else 0,
        uncollected_of_nobody=found[6] if shares_out else 0,
    )


def _requests(condition: ColumnElement[bool]) -> Select[int]:
    return select(func.count(R.id)).where(condition)


def _tab(source: Source, key: str, actor: Actor) -> ColumnElement[bool]:
    """The very rows that a tab of a list shows."""
    condition = next(tab.condition(actor) for tab in source.tabs if tab.key == key)
    return condition if condition is not None else true()

"""Internal notes: those of a file, and the follow-ups of whoever wrote them (REV-8). For staff only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select
from sqlalchemy.orm import joinedload

from app import clock
from app.extensions import db
from app.models import CertificateRequest, FileNote, MessageThread, Organisation, User
from app.permissions import Actor, Permission
from app.queries.lists import Sort, Source, Tab, every_word
from app.queries.threads import COUNTED, EXCERPT, Subject

SHOWN = 100
"""Notes shown on a file, the newest."""

N, R, O = FileNote, CertificateRequest, Organisation  # noqa: E741 - letters of tables, as in the other lists


def may_read_notes(actor: Actor, subject: Subject) -> bool:
    """TunTrust's people who read such files, except on their own: there they are the client."""
    right = Permission.READ_REQUESTS if subject.request is not None else Permission.READ_ORGANISATIONS
    own = subject.organisation.id in actor.organisation_ids
    if subject.request is not None and subject.request.applicant_id == actor.user_id:
        own = True
    return actor.can(right) and actor.is_staff and not own


def notes_of(actor: Actor, subject: Subject) -> list[FileNote]:
    """A request's notes with its organisation's own, newest first; none for whoever is the file's client."""
    if not may_read_notes(actor, subject):
        return []
    about = N.organisation_id == subject.organisation.id
    if subject.request is not None:
        about = or_(about, N.request_id == subject.request.id)
    return list(
        db.session.scalars(select(N).where(about).options(joinedload(N.author)).order_by(N.id.desc()).limit(SHOWN))
    )


def open_count(actor: Actor, subject: Subject) -> int:
    """How many follow-ups are still open on a file, whosever they are: one statement."""
    if not may_read_notes(actor, subject):
        return 0
    about = N.organisation_id == subject.organisation.id
    if subject.request is not None:
        about = or_(about, N.request_id == subject.request.id)
    wanted = select(func.count(N.id)).where(about, N.follow_up_on.is_not(None), N.done_at.is_(None))
    return db.session.scalar(wanted) or 0


@dataclass(frozen=True, slots=True)
class Calling:
    """What calls for a person of TunTrust's: conversations without an answer, their own follow-ups that are due."""

    messages: int
    notes: int


def calling(actor: Actor) -> Calling:
    """Both badges of the back office's menu, in one statement by indexes, counted up to ``COUNTED``."""
    threads = select(literal(1)).select_from(MessageThread).where(MessageThread.awaits_staff.is_(True)).limit(COUNTED)
    due = select(literal(1)).select_from(N).where(_due(actor)).limit(COUNTED)
    counts = (select(func.count()).select_from(inner.subquery()).scalar_subquery() for inner in (threads, due))
    row = db.session.execute(select(*counts)).one()
    return Calling(row[0], row[1])


def _open(actor: Actor) -> ColumnElement[bool]:
    return and_(N.author_id == actor.user_id, N.follow_up_on.is_not(None), N.done_at.is_(None))


def _due(actor: Actor) -> ColumnElement[bool]:
    return and_(_open(actor), N.follow_up_on <= clock.today())


def _later(actor: Actor) -> ColumnElement[bool]:
    return and_(_open(actor), N.follow_up_on > clock.today())


def _everybodys(_actor: Actor) -> ColumnElement[bool]:
    return and_(N.follow_up_on.is_not(None), N.done_at.is_(None))


def _not_own(actor: Actor) -> ColumnElement[bool] | None:
    """Never a note on one's own request or organisation."""
    if not actor.can(Permission.READ_REQUESTS) or not actor.is_staff:
        return N.id.is_(None)
    own = select(R.id).where(or_(R.applicant_id == actor.user_id, R.organisation_id.in_(actor.organisation_ids)))
    if not actor.organisation_ids:
        own = select(R.id).where(R.applicant_id == actor.user_id)
    organisations = sorted(actor.organisation_ids) or [0]
    return and_(
        or_(N.request_id.is_(None), N.request_id.not_in(own)),
        or_(N.organisation_id.is_(None), N.organisation_id.not_in(organisations)),
    )


def _search(text: str) -> ColumnElement[bool]:
    return or_(
        N.request_id.in_(select(R.id).where(every_word(R.search_text, text))),
        N.organisation_id.in_(select(O.id).where(every_word(O.search_text, text))),
        N.text.icontains(text, autoescape=True),
    )


@cache
def _rows() -> Select[*tuple[Any, ...]]:
    return (
        select(
            N.id,
            N.follow_up_on,
            N.created_at,
            N.done_at,
            func.substr(N.text, 1, EXCERPT).label("text"),
            func.coalesce(R.reference, O.reference).label("reference"),
            func.coalesce(R.common_name, O.legal_name).label("about"),
            func.trim(User.first_name + " " + User.last_name).label("author"),
        )
        .outerjoin(R, R.id == N.request_id)
        .outerjoin(O, O.id == N.organisation_id)
        .join(User, User.id == N.author_id)
    )


SOURCE = Source(
    model=N,
    rows=_rows,
    tabs=(
        Tab("a-suivre", _l("À suivre aujourd'hui"), _due, "jour"),
        Tab("a-venir", _l("À venir"), _later, "jour"),
        Tab("de-tous", _l("De tous"), _everybodys, "jour"),
        Tab(
            "faites",
            _l("Faites"),
            lambda actor: and_(N.author_id == actor.user_id, N.done_at.is_not(None)),
            "ecrite",
            descending=True,
        ),
    ),
    sorts={"jour": Sort(N.follow_up_on, nullable=True), "ecrite": Sort(N.created_at)},
    search=_search,
    scope=_not_own,
)

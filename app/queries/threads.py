"""Conversations between a client and TunTrust, each in the scope of who asks (MSG-1, PPL-2).

A conversation is about a request or an organisation, whose reference is its address; its row exists from the
first message on. Clients read « TunTrust » where an officer wrote, staff read the name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, or_, select
from sqlalchemy.orm import joinedload, selectinload

from app import clock
from app.errors import NotFound
from app.extensions import db
from app.models import CertificateRequest, Message, MessageReading, MessageThread, Organisation
from app.permissions import Actor, Permission
from app.queries.lists import Asked, Page, Sort, Source, Tab, every_word, fetch_page

SHOWN = 50
"""Messages of a page of a conversation."""
PAGE_SIZE = 30
"""Conversations of a page of « Mes messages »."""
COUNTED = 99
"""Where badges stop counting."""
RETRACT_WITHIN = timedelta(minutes=5)
"""How long an author may take a message back (MSG-1)."""
EXCERPT = 160

T, R = MessageThread, CertificateRequest


@dataclass(frozen=True, slots=True)
class Subject:
    """What a conversation is about: a request, or an organisation as such (``request`` is None)."""

    organisation: Organisation
    request: CertificateRequest | None = None

    @property
    def row(self) -> CertificateRequest | Organisation:
        """The request, else the organisation."""
        return self.request or self.organisation

    @property
    def reference(self) -> str:
        """DEM-… or ORG-…: the conversation's address."""
        return self.row.reference


@dataclass(frozen=True, slots=True)
class Shown:
    """One message as its reader sees it."""

    message: Message
    author: str
    mine: bool
    new: bool
    retractable_until: datetime | None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A page of a conversation, oldest message first; ``older`` is the key of the page before."""

    subject: Subject
    thread: MessageThread | None
    days: list[tuple[str, list[Shown]]]
    older: int | None
    last_id: int

    @property
    def awaits_staff(self) -> bool:
        """« Attend une réponse »."""
        return self.thread is not None and self.thread.awaits_staff


# ------------------------------------------------------------------------------------------------- the scope


def subject_for_client(actor: Actor, reference: str) -> Subject:
    """What the reader may write about: their organisation, its requests, their own request. Raises NotFound."""
    wanted = reference.strip().upper()
    if not actor.can(Permission.WRITE_MESSAGES):
        raise _nothing()
    if wanted.startswith("ORG-"):
        found = _organisation(wanted)
        if found is None or found.id not in actor.organisation_ids:
            raise _nothing()
        return Subject(found)
    request = _request(wanted)
    own = request is not None and actor.user_id is not None and request.applicant_id == actor.user_id
    if request is None or not (own or request.organisation_id in actor.organisation_ids):
        raise _nothing()
    return Subject(request.organisation, request)


def subject_for_staff(actor: Actor, reference: str) -> Subject:
    """The same for TunTrust's people who read files. Raises NotFound."""
    wanted = reference.strip().upper()
    if wanted.startswith("ORG-"):
        found = _organisation(wanted)
        if found is None or not actor.can(Permission.READ_ORGANISATIONS):
            raise _nothing()
        return Subject(found)
    request = _request(wanted)
    if request is None or not actor.can(Permission.READ_REQUESTS):
        raise _nothing()
    return Subject(request.organisation, request)


def may_read_thread(actor: Actor, thread_id: int) -> bool:
    """Is the person one of the conversation's, on either side? Attachments follow this."""
    if actor.can(Permission.READ_DOCUMENTS):
        return True
    found = select(T.id).where(T.id == thread_id, own_threads(actor))
    return actor.can(Permission.WRITE_MESSAGES) and db.session.scalar(found) is not None


def own_threads(actor: Actor) -> ColumnElement[bool]:
    """The client's conversations: of the organisations they administer and of their own requests."""
    own = T.request_id.in_(select(R.id).where(R.applicant_id == actor.user_id))
    if actor.user_id is None:
        return literal(False)
    return or_(own, T.organisation_id.in_(sorted(actor.organisation_ids))) if actor.organisation_ids else own


def own_reference(actor: Actor) -> str | None:
    """The reference of the organisation the person administers, whose conversation they may begin."""
    if not actor.organisation_ids:
        return None
    return db.session.scalar(select(Organisation.reference).where(Organisation.id == min(actor.organisation_ids)))


def _nothing() -> NotFound:
    return NotFound(_("Cet élément n'existe pas ou n'existe plus."))


def _organisation(reference: str) -> Organisation | None:
    return db.session.scalar(select(Organisation).where(Organisation.reference == reference))


def _request(reference: str) -> CertificateRequest | None:
    return db.session.scalar(select(R).where(R.reference == reference).options(joinedload(R.organisation)))


# ------------------------------------------------------------------------------------------ one conversation


def thread_of(subject: Subject) -> MessageThread | None:
    """The conversation's row; None before its first message."""
    if subject.request is not None:
        return db.session.scalar(select(T).where(T.request_id == subject.request.id))
    return db.session.scalar(select(T).where(T.organisation_id == subject.organisation.id, T.request_id.is_(None)))


def conversation(
    actor: Actor, subject: Subject, *, as_staff: bool, before: int | None = None, read_up_to: int | None = None
) -> Conversation:
    """The last messages, or those before one: three statements, whatever their number.

    ``read_up_to``: what the reader had read before this page; others' later messages are marked as new.
    """
    thread = thread_of(subject)
    if thread is None:
        return Conversation(subject, None, [], None, 0)
    statement = select(Message).where(Message.thread_id == thread.id).options(selectinload(Message.attachments))
    if before is not None:
        statement = statement.where(Message.id < before)
    found = list(db.session.scalars(statement.order_by(Message.id.desc()).limit(SHOWN + 1)))
    rows = found[:SHOWN][::-1]
    shown = [_shown(row, actor, as_staff=as_staff, read_up_to=read_up_to) for row in rows]
    days = groupby(shown, key=lambda each: clock.local(each.message.created_at).date())
    return Conversation(
        subject,
        thread,
        [(day.strftime("%d/%m/%Y"), list(group)) for day, group in days],
        rows[0].id if len(found) > SHOWN else None,
        rows[-1].id if rows else 0,
    )


def _shown(message: Message, actor: Actor, *, as_staff: bool, read_up_to: int | None) -> Shown:
    mine = message.author_id is not None and message.author_id == actor.user_id and message.by_staff is as_staff
    until = message.created_at + RETRACT_WITHIN
    return Shown(
        message=message,
        author=message.author_label if as_staff or not message.by_staff else "TunTrust",
        mine=mine,
        new=read_up_to is not None and message.id > read_up_to and not mine and message.retracted_at is None,
        retractable_until=until if mine and message.retracted_at is None and until > clock.now() else None,
    )


def reading_of(actor: Actor, thread: MessageThread) -> int:
    """The last message the person has read; 0 for none."""
    found = select(MessageReading.last_message_id).where(
        MessageReading.thread_id == thread.id, MessageReading.user_id == actor.user_id
    )
    return db.session.scalar(found) or 0


def newest_message(thread: MessageThread) -> int:
    """The conversation's last message; 0 for none."""
    return db.session.scalar(select(func.max(Message.id)).where(Message.thread_id == thread.id)) or 0


@dataclass(frozen=True, slots=True)
class Summary:
    """A conversation in a line: how many messages, whether the last was TunTrust's, what the reader has not read."""

    count: int
    last_at: datetime
    by_staff: bool
    unread: bool


def summary_of(actor: Actor, request_id: int) -> Summary | None:
    """The conversation about a request whose page the actor reads; None before its first message. One statement."""
    live = (Message.thread_id == T.id) & Message.retracted_at.is_(None)
    count = select(func.count()).select_from(Message).where(live).correlate(T).scalar_subquery()
    row = db.session.execute(
        select(count, T.last_message_at, last_message(Message.by_staff), unread_by(actor.user_id)).where(
            T.request_id == request_id
        )
    ).one_or_none()
    return Summary(row[0], row[1], bool(row[2]), bool(row[3])) if row is not None and row[0] else None


# ------------------------------------------------------------------------------------------- « Mes messages »


def unread_by(user_id: int | None) -> ColumnElement[bool]:
    """Somebody else wrote there since the person last read it."""
    read = select(MessageReading.last_message_id).where(
        MessageReading.thread_id == T.id, MessageReading.user_id == user_id
    )
    return exists(
        select(Message.id).where(
            Message.thread_id == T.id,
            Message.id > func.coalesce(read.correlate(T).scalar_subquery(), 0),
            Message.retracted_at.is_(None),
            or_(Message.author_id.is_(None), Message.author_id != user_id),
        )
    )


def unread_count(actor: Actor) -> int:
    """How many of the client's conversations hold something unread: one statement, counted up to ``COUNTED``."""
    inner = select(literal(1)).select_from(T).where(own_threads(actor), unread_by(actor.user_id)).limit(COUNTED)
    return db.session.scalar(select(func.count()).select_from(inner.subquery())) or 0


def last_message(column: Any) -> Any:
    """A column of the conversation's last message that was not taken back."""
    return (
        select(column)
        .where(Message.thread_id == T.id, Message.retracted_at.is_(None))
        .order_by(Message.id.desc())
        .limit(1)
        .correlate(T)
        .scalar_subquery()
    )


def threads_of(actor: Actor, *, unread_only: bool = False, search: str = "", after: str = "", before: str = "") -> Page:
    """A page of the client's conversations by their last message, newest first: one statement."""
    source = _client_source(actor)
    tab = source.tabs[1 if unread_only else 0]
    asked = Asked(tab=tab, sort=tab.sort, descending=True, search=search, after=after, before=before)
    return fetch_page(source, asked, actor, size=PAGE_SIZE)


def _client_source(actor: Actor) -> Source:
    def rows() -> Select[*tuple[Any, ...]]:
        text = last_message(func.substr(Message.text, 1, EXCERPT))
        return (
            select(
                T.id,
                T.last_message_at,
                func.coalesce(R.reference, Organisation.reference).label("reference"),
                case((R.id.is_not(None), R.common_name), else_=Organisation.legal_name).label("about"),
                R.id.is_not(None).label("of_request"),
                text.label("excerpt"),
                last_message(Message.by_staff).label("by_staff"),
                unread_by(actor.user_id).label("unread"),
            )
            .join(Organisation, Organisation.id == T.organisation_id)
            .outerjoin(R, R.id == T.request_id)
        )

    return Source(
        model=T,
        rows=rows,
        tabs=(
            Tab("toutes", _l("Toutes"), lambda _actor: None, "dernier", descending=True),
            Tab("non-lues", _l("Non lues"), lambda who: unread_by(who.user_id), "dernier", descending=True),
        ),
        sorts={"dernier": Sort(T.last_message_at)},
        search=_search,
        scope=own_threads,
    )


def _search(text: str) -> ColumnElement[bool]:
    """By reference, or by the name of whom the request is for; within the client's own conversations."""
    reference = "".join(text.split()).upper()
    request = select(R.id).where(or_(R.reference.contains(reference, autoescape=True), every_word(R.search_text, text)))
    organisation = select(Organisation.id).where(Organisation.reference.contains(reference, autoescape=True))
    return or_(T.request_id.in_(request), and_(T.request_id.is_(None), T.organisation_id.in_(organisation)))

"""Messages between clients and TunTrust (MSG-1): write, take back within five minutes, read, tell by mail.

Locks: the request or organisation first, then the conversation's row. Attached files are opened before the
transaction begins. Nothing of what was written goes into a mail, the history or the journal.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import structlog
from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from app import clock
from app.errors import DomainError, Forbidden, NotFound, StaleObject
from app.extensions import db
from app.models import (
    CertificateRequest,
    Document,
    DocumentKind,
    Message,
    MessageReading,
    MessageThread,
    Organisation,
    User,
)
from app.permissions import Actor, Permission
from app.queries.threads import RETRACT_WITHIN, Subject, thread_of
from app.services import attempts, audit, canned, documents, history, outbox
from app.services.announcing import recipients_of_organisation, recipients_of_request
from app.services.authority import hands_on_organisation, hands_on_request, require
from app.services.links import public_url
from app.services.locking import lock
from app.services.unit_of_work import use_case
from app.states import OrganisationState, Who

log = structlog.get_logger()

FILES_LIMIT = 5
AN_HOUR = 60
"""Messages one client may send in an hour."""
IN_A_ROW = timedelta(minutes=20)
"""One mail tells of all that TunTrust writes without a pause of five minutes, at the latest after this."""
NOTICE_HORIZON = timedelta(days=7)
"""How far back the notices' job looks for messages nobody was told of."""

CLIENT_HANDS = frozenset({Who.ADMINISTRATOR, Who.APPLICANT})


# -------------------------------------------------------------------------------------------------- writing


def send_message(
    actor: Actor,
    subject: Subject,
    text: str,
    *,
    as_staff: bool,
    files: Sequence[tuple[bytes, str]] = (),
    seen: int | None = None,
) -> Message:
    """Write in a conversation, whose row is made by its first message; whole with its files, or not at all.

    ``seen`` is the last message of the page it was written on: the same words sent twice from that page are one
    message. Raises NotFound (no hand on it), Forbidden (reads only, own file), TooManyAttempts; DomainError on
    ``text`` (empty, above 5,000 characters, a placeholder left) or on ``files`` (more than five, refused).
    """
    text = clean(text)
    _check_text(text, files, as_staff=as_staff)
    _check_hands(actor, subject.row, as_staff=as_staff)
    try:
        opened = [documents.examine(data, name) for data, name in files]
    except DomainError as refusal:
        raise DomainError(refusal.message, field="files") from refusal
    ids = subject.organisation.id, subject.request.id if subject.request is not None else None
    return _write(actor, *ids, text, opened, as_staff=as_staff, seen=seen)


def clean(text: str) -> str:
    """What was typed, with plain line ends and no outer white space."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").strip()


def _check_text(text: str, files: Sequence[object], *, as_staff: bool) -> None:
    if not text and not files:
        raise DomainError(_("Écrivez votre message."), field="text")
    if len(text) > canned.TEXT_LIMIT:
        raise DomainError(_("5 000 caractères au plus."), field="text")
    if len(files) > FILES_LIMIT:
        raise DomainError(_("5 fichiers au plus par message."), field="files")
    left = canned.placeholders_in(text) if as_staff else []
    if left:
        raise DomainError(_("Complétez ou retirez : %(what)s.", what=", ".join(left)), field="text")


def _check_hands(actor: Actor, row: CertificateRequest | Organisation, *, as_staff: bool) -> None:
    """Who may write there, and for which side. Raises NotFound, Forbidden, DomainError."""
    if isinstance(row, CertificateRequest):
        own, reads = hands_on_request(actor, row) & CLIENT_HANDS, actor.can(Permission.READ_REQUESTS)
    else:
        own, reads = hands_on_organisation(actor, row) & CLIENT_HANDS, actor.can(Permission.READ_ORGANISATIONS)
    if not as_staff:
        if not own or not actor.can(Permission.WRITE_MESSAGES):
            raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
        return
    if not reads:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    require(actor, Permission.ANSWER_MESSAGES)
    if own:
        raise Forbidden(_("Ce dossier est aussi le vôtre : un collègue doit le traiter."))
    if isinstance(row, Organisation) and row.state is OrganisationState.EN_ATTENTE_ACTIVATION:
        raise DomainError(_("L'organisation n'a pas encore activé son compte : personne ne lirait ce message."))


@use_case
def _write(
    actor: Actor,
    organisation_id: int,
    request_id: int | None,
    text: str,
    opened: list[documents.Examined],
    *,
    as_staff: bool,
    seen: int | None,
) -> Message:
    row: CertificateRequest | Organisation
    row = lock(CertificateRequest, request_id) if request_id is not None else lock(Organisation, organisation_id)
    _check_hands(actor, row, as_staff=as_staff)
    thread = _thread(organisation_id, request_id)
    twin = _twin(actor, thread, text, opened, as_staff=as_staff, seen=seen)
    if twin is not None:
        return twin
    if not as_staff:
        attempts.count_attempt(
            attempts.key_for("message:account", str(actor.user_id)), limit=AN_HOUR, window=timedelta(hours=1)
        )
    message = Message(
        thread_id=thread.id,
        author_id=actor.user_id,
        author_label=actor.label[:120],
        by_staff=as_staff,
        text=text,
        created_at=clock.now(),
    )
    db.session.add(message)
    db.session.flush()
    for each in opened:
        documents.keep(each, kind=DocumentKind.OTHER, actor=actor, message_id=message.id)
    thread.last_message_at = message.created_at
    thread.version += 1
    thread.awaits_staff = not as_staff or _unseen_question(thread, seen)
    _note_reading(thread, actor, message.id)
    line = history.write(
        actor, "message_sent", request_id=request_id, organisation_id=None if request_id else organisation_id
    )
    line.by_staff = as_staff
    audit.record(
        actor, "send_message", message, after={"thread": thread.id, "characters": len(text), "files": len(opened)}
    )
    return message


def _thread(organisation_id: int, request_id: int | None) -> MessageThread:
    """The conversation, locked; made when there is none: its subject is locked, so nobody else makes it too."""
    about = MessageThread.request_id == request_id if request_id is not None else MessageThread.request_id.is_(None)
    thread = db.session.scalar(
        select(MessageThread)
        .where(MessageThread.organisation_id == organisation_id, about)
        .with_for_update(of=MessageThread)
        .execution_options(populate_existing=True)
    )
    if thread is None:
        moment = clock.now()
        thread = MessageThread(
            organisation_id=organisation_id, request_id=request_id, created_at=moment, last_message_at=moment
        )
        db.session.add(thread)
        db.session.flush()
    return thread


def _twin(
    actor: Actor,
    thread: MessageThread,
    text: str,
    opened: list[documents.Examined],
    *,
    as_staff: bool,
    seen: int | None,
) -> Message | None:
    """The message that this one repeats: the same words and files from the same page (a double click)."""
    if seen is None:
        return None
    rows = db.session.scalars(
        select(Message).where(
            Message.thread_id == thread.id,
            Message.id > seen,
            Message.author_id == actor.user_id,
            Message.by_staff.is_(as_staff),
            Message.text == text,
            Message.retracted_at.is_(None),
        )
    ).all()
    wanted = sorted(each.intake.sha256 for each in opened)
    return next((row for row in rows if sorted(paper.sha256 for paper in row.attachments) == wanted), None)


def _unseen_question(thread: MessageThread, seen: int | None) -> bool:
    """Did the client write after the page that the officer answered from? Then it still waits."""
    if seen is None:
        return False
    return _last_live(thread, Message.id > seen, Message.by_staff.is_(False)) is not None


def _last_live(thread: MessageThread, *conditions: object) -> Message | None:
    return db.session.scalar(
        select(Message)
        .where(Message.thread_id == thread.id, Message.retracted_at.is_(None), *conditions)  # type: ignore[arg-type]  # column conditions
        .order_by(Message.id.desc())
        .limit(1)
    )


# ---------------------------------------------------------------------------------------------- taking back


@use_case
def retract_message(actor: Actor, subject: Subject, message_id: int, *, as_staff: bool) -> Message:
    """Take one's own message back, within five minutes: its words and files are deleted, that it was stays.

    A second click changes nothing. A conversation waits again for an answer whose words were taken back.
    Raises NotFound (another's message, another conversation's), DomainError (too late).
    """
    _check_hands(actor, subject.row, as_staff=as_staff)
    found = thread_of(subject)
    thread = lock(MessageThread, found.id) if found is not None else None
    message = db.session.get(Message, message_id, with_for_update=True, populate_existing=True)
    if thread is None or message is None or message.thread_id != thread.id:
        raise NotFound(_("Ce message n'existe pas."))
    if message.author_id != actor.user_id or message.by_staff is not as_staff:
        raise NotFound(_("Ce message n'existe pas."))
    if message.retracted_at is not None:
        return message
    if clock.now() >= message.created_at + RETRACT_WITHIN:
        raise DomainError(_("Ce message est parti depuis plus de cinq minutes : il ne se retire plus."))
    papers = db.session.scalars(select(Document).where(Document.message_id == message.id)).all()
    gone = {"thread": thread.id, "characters": len(message.text), "files": len(papers)}
    for paper in papers:
        documents.forget_file(paper)
        db.session.delete(paper)
    message.text = ""
    message.retracted_at = clock.now()
    db.session.flush()
    last = _last_live(thread)
    asked = last is not None and not last.by_staff
    thread.awaits_staff = asked and (as_staff or thread.awaits_staff)
    thread.version += 1
    line = history.write(
        actor,
        "message_retracted",
        request_id=thread.request_id,
        organisation_id=None if thread.request_id else thread.organisation_id,
    )
    line.by_staff = as_staff
    audit.record(actor, "retract_message", message, before=gone)
    return message


# -------------------------------------------------------------------------------------- reading, « répondu »


@use_case
def note_reading(actor: Actor, thread_id: int, message_id: int) -> None:
    """Remember how far the person has read; never backwards."""
    _note_reading(lock(MessageThread, thread_id), actor, message_id)


def _note_reading(thread: MessageThread, actor: Actor, message_id: int) -> None:
    if actor.user_id is None:
        return
    reading = db.session.get(MessageReading, (thread.id, actor.user_id), populate_existing=True)
    if reading is None:
        db.session.add(
            MessageReading(thread_id=thread.id, user_id=actor.user_id, last_message_id=message_id, read_at=clock.now())
        )
    elif reading.last_message_id < message_id:
        reading.last_message_id, reading.read_at = message_id, clock.now()


@use_case
def need_no_answer(actor: Actor, subject: Subject, *, seen: int | None) -> None:
    """« Pas de réponse nécessaire »: out of the agents' list until the client writes again.

    Raises NotFound, Forbidden, StaleObject (the client wrote after the page was opened).
    """
    _check_hands(actor, subject.row, as_staff=True)
    found = thread_of(subject)
    if found is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    thread = lock(MessageThread, found.id)
    if not thread.awaits_staff:
        return
    if _unseen_question(thread, seen):
        raise StaleObject(_("Le client a écrit entre-temps : relisez la conversation."))
    thread.awaits_staff = False
    thread.version += 1
    audit.record(actor, "need_no_answer", thread)


# -------------------------------------------------------------------------------------------------- notices


def send_notices() -> int:
    """Tell clients by mail of what TunTrust wrote and can no longer take back; how many mails. A job calls it.

    One mail for messages in a row, none to whoever has read them. One transaction a conversation; one that fails
    is logged and tried again at the next run.
    """
    return sum(_tried(thread_id) for thread_id in _threads_to_tell())


def _tried(thread_id: int) -> int:
    try:
        return _tell(thread_id)
    except SQLAlchemyError:
        log.exception("notice_failed", thread=thread_id)
        return 0


def _untold() -> list[object]:
    return [Message.by_staff, Message.notified_at.is_(None), Message.retracted_at.is_(None)]


def _threads_to_tell() -> list[int]:
    """Conversations that rest since five minutes, or in which TunTrust has been writing for twenty."""
    moment = clock.now()
    last, first = func.max(Message.created_at), func.min(Message.created_at)
    return list(
        db.session.scalars(
            select(Message.thread_id)
            .join(MessageThread, MessageThread.id == Message.thread_id)
            .where(MessageThread.last_message_at >= moment - NOTICE_HORIZON, *_untold())  # type: ignore[arg-type]  # column conditions
            .group_by(Message.thread_id)
            .having((last <= moment - RETRACT_WITHIN) | (first <= moment - IN_A_ROW))
            .order_by(Message.thread_id)
            .limit(200)
        )
    )


@use_case
def _tell(thread_id: int) -> int:
    thread, moment = lock(MessageThread, thread_id), clock.now()
    rows = db.session.scalars(
        select(Message)
        .where(Message.thread_id == thread.id, Message.created_at <= moment - RETRACT_WITHIN, *_untold())  # type: ignore[arg-type]  # column conditions
        .order_by(Message.id)
    ).all()
    for message in rows:
        message.notified_at = moment
    return sum(_mail(thread, person) for person in _to_tell(thread, rows)) if rows else 0


def _to_tell(thread: MessageThread, rows: Sequence[Message]) -> list[User]:
    """The client's people who have an account that works and have not read the last of these."""
    if thread.request_id is not None:
        people = recipients_of_request(db.session.get_one(CertificateRequest, thread.request_id))
    else:
        people = recipients_of_organisation(thread.organisation_id)
    read = dict(
        db.session.execute(
            select(MessageReading.user_id, MessageReading.last_message_id).where(MessageReading.thread_id == thread.id)
        ).all()
    )
    authors = {row.author_id for row in rows}
    return [
        one for one in people if one.disabled_at is None and one.id not in authors and read.get(one.id, 0) < rows[-1].id
    ]


def _mail(thread: MessageThread, person: User) -> int:
    subject = thread.request or thread.organisation
    outbox.write(
        "message_received",
        to=person.email,
        locale=person.locale,
        organisation_id=thread.organisation_id,
        request_id=thread.request_id,
        reference=subject.reference,
        link=public_url("messages.thread", reference=subject.reference),
    )
    return 1

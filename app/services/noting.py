"""Internal notes on a file, with a day to come back to it (REV-8). Clients never see them, nor their existence."""

from __future__ import annotations

from datetime import date, timedelta

from flask_babel import gettext as _
from sqlalchemy import select

from app import clock
from app.errors import DomainError, NotFound
from app.extensions import db
from app.models import CertificateRequest, FileNote, Organisation
from app.permissions import Actor, Permission
from app.queries.notes import may_read_notes
from app.queries.threads import Subject
from app.services import audit
from app.services.authority import require
from app.services.locking import lock
from app.services.unit_of_work import use_case

TEXT_LIMIT = 5_000
FURTHEST = timedelta(days=730)
REPEATED = timedelta(minutes=2)
"""The same note by the same person within this is a double click."""


@use_case
def write_note(actor: Actor, subject: Subject, text: str, *, follow_up_on: date | None = None) -> FileNote:
    """Add a note to a request's file or an organisation's. The same note sent twice is one.

    Raises NotFound (own file), Forbidden, DomainError on ``text`` (empty, above 5,000 characters) or on
    ``follow_up_on`` (past, or more than two years away).
    """
    _check_hands(actor, subject)
    text = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not text:
        raise DomainError(_("Écrivez la note."), field="text")
    if len(text) > TEXT_LIMIT:
        raise DomainError(_("5 000 caractères au plus."), field="text")
    if follow_up_on is not None and follow_up_on < clock.today():
        raise DomainError(_("Choisissez aujourd'hui ou un jour à venir."), field="follow_up_on")
    if follow_up_on is not None and follow_up_on > clock.today() + FURTHEST:
        raise DomainError(_("Choisissez un jour dans les deux ans."), field="follow_up_on")
    model = CertificateRequest if subject.request is not None else Organisation
    lock(model, subject.row.id)
    about = {
        "request_id": subject.request.id if subject.request is not None else None,
        "organisation_id": None if subject.request is not None else subject.organisation.id,
    }
    twin = db.session.scalar(
        select(FileNote).where(
            *(getattr(FileNote, name) == value for name, value in about.items() if value is not None),
            FileNote.author_id == actor.user_id,
            FileNote.text == text,
            FileNote.created_at >= clock.now() - REPEATED,
        )
    )
    if twin is not None and twin.follow_up_on == follow_up_on:
        return twin
    note = FileNote(**about, author_id=actor.user_id, text=text, created_at=clock.now(), follow_up_on=follow_up_on)
    db.session.add(note)
    db.session.flush()
    audit.record(
        actor, "write_note", note, after={**about, "follow_up_on": follow_up_on.isoformat() if follow_up_on else None}
    )
    return note


@use_case
def finish_note(actor: Actor, subject: Subject, note_id: int) -> FileNote:
    """« Fait »: nothing is left to follow up. A second click changes nothing. Raises NotFound, Forbidden."""
    note = _own(actor, subject, note_id)
    if note.done_at is None:
        note.done_at, note.done_by_id = clock.now(), actor.user_id
        audit.record(actor, "finish_note", note)
    return note


@use_case
def reopen_note(actor: Actor, subject: Subject, note_id: int) -> FileNote:
    """« Rouvrir »: done by mistake. Raises NotFound, Forbidden."""
    note = _own(actor, subject, note_id)
    if note.done_at is not None:
        note.done_at = note.done_by_id = None
        audit.record(actor, "reopen_note", note)
    return note


def _own(actor: Actor, subject: Subject, note_id: int) -> FileNote:
    """A note of this very file, locked."""
    _check_hands(actor, subject)
    note = db.session.get(FileNote, note_id, with_for_update=True, populate_existing=True)
    wanted = (subject.request.id, None) if subject.request is not None else (None, subject.organisation.id)
    if note is None or (note.request_id, note.organisation_id) != wanted:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    return note


def _check_hands(actor: Actor, subject: Subject) -> None:
    if not may_read_notes(actor, subject):
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    require(actor, Permission.WRITE_NOTES)

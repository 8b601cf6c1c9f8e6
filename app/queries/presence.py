"""Who else has a file open right now (QUE-3): one statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select

from app import clock
from app.extensions import db
from app.models import CertificateRequest, FilePresence, Organisation, User
from app.permissions import Actor

SEEN_FOR = timedelta(seconds=40)
"""Silent for longer than this, a person has left: two beats may be lost."""


@dataclass(frozen=True, slots=True)
class Looker:
    """A colleague with the file open. ``elsewhere``: they have its organisation's file, not this request's."""

    user_id: int
    name: str
    since: datetime
    elsewhere: bool = False


def others_on(file: CertificateRequest | Organisation, actor: Actor) -> list[Looker]:
    """The colleagues who have this file open, or the organisation's file that it rests on; first come first."""
    own = isinstance(file, CertificateRequest)
    about = (
        or_(FilePresence.request_id == file.id, FilePresence.organisation_id == file.organisation_id)
        if isinstance(file, CertificateRequest)
        else FilePresence.organisation_id == file.id
    )
    rows = db.session.execute(
        select(User.id, User.first_name, User.last_name, User.email, FilePresence.opened_at, FilePresence.request_id)
        .join(User, User.id == FilePresence.user_id)
        .where(about, FilePresence.seen_at > clock.now() - SEEN_FOR, FilePresence.user_id != actor.user_id)
        .order_by(FilePresence.request_id.is_(None), FilePresence.opened_at, User.id)
        .limit(10)
    )
    found: dict[int, Looker] = {}
    for row in rows:
        name = f"{row.first_name} {row.last_name}".strip() or row.email
        found.setdefault(row.id, Looker(row.id, name, row.opened_at, own and row.request_id is None))
    return list(found.values())

"""Who has a file open right now (QUE-3, REV-7): the page says so again every few seconds, silence means gone."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import case, text
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from app import clock
from app.extensions import db
from app.models import CertificateRequest, FilePresence, Organisation
from app.permissions import Actor, Permission
from app.queries.presence import SEEN_FOR
from app.services.authority import require
from app.services.unit_of_work import use_case

BEAT = timedelta(seconds=15)
"""How often an open page says so."""
LINGER = timedelta(seconds=8)
"""How long a page just left still counts: a reload says the same again before."""


@use_case
def note_presence(file: CertificateRequest | Organisation, *, actor: Actor, leaving: bool = False) -> None:
    """This person has the file open (QUE-3), or is ``leaving`` its page. One statement. Raises Forbidden.

    ``opened_at`` holds as long as the page keeps saying so; after a silence the file is opened anew.
    """
    require(actor, Permission.ENTER_BACK_OFFICE)
    now = clock.now()
    own = isinstance(file, CertificateRequest)
    _write(
        user_id=actor.user_id,
        request_id=file.id if own else None,
        organisation_id=None if own else file.id,
        seen_at=now - SEEN_FOR + LINGER if leaving else now,
        now=now,
    )


def _write(
    *, user_id: int | None, request_id: int | None, organisation_id: int | None, seen_at: datetime, now: datetime
) -> None:
    insert = postgres_insert if db.session.get_bind().dialect.name == "postgresql" else sqlite_insert
    row = insert(FilePresence).values(
        user_id=user_id, request_id=request_id, organisation_id=organisation_id, opened_at=now, seen_at=seen_at
    )
    silent = FilePresence.seen_at <= now - SEEN_FOR
    db.session.execute(
        row.on_conflict_do_update(
            index_elements=[text("user_id"), text("coalesce(request_id, 0)"), text("coalesce(organisation_id, 0)")],
            set_={"opened_at": case((silent, now), else_=FilePresence.opened_at), "seen_at": seen_at},
        )
    )


@use_case
def forget_presences() -> int:
    """Delete what nobody has open any more, a day later; how many. A job calls it."""
    from sqlalchemy import delete

    found = db.session.execute(delete(FilePresence).where(FilePresence.seen_at < clock.now() - timedelta(days=1)))
    return int(found.rowcount)  # type: ignore[attr-defined]  # a DELETE answers with a cursor

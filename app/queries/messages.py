"""The mails TunTrust sent to somebody, below the conversations of « Mes messages » (MSG-1)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, or_, select

from app.extensions import db
from app.models import CertificateRequest, OutboxMail, User
from app.permissions import Actor

PAGE_SIZE = 30


@dataclass(frozen=True, slots=True)
class Notice:
    """One mail, with the request it is about when the reader may see that request."""

    mail: OutboxMail
    reference: str | None

    @property
    def text(self) -> str:
        """The mail's words without the signature; empty when it held a password."""
        if self.mail.secret:
            return ""
        return self.mail.text.split("\n-- \n", 1)[0].strip()


@dataclass(frozen=True, slots=True)
class NoticePage:
    """A page of notices, newest first; ``next_before`` is the key of the following page."""

    rows: list[Notice]
    next_before: int | None


def notices_for(actor: Actor, before: int | None = None) -> NoticePage:
    """Mails to the reader's own address since their account exists, newest first, by key."""
    user = db.session.get(User, actor.user_id) if actor.user_id is not None else None
    if user is None:
        return NoticePage([], None)
    own = or_(
        CertificateRequest.applicant_id == user.id, CertificateRequest.organisation_id.in_(actor.organisation_ids)
    )
    statement = (
        select(OutboxMail, CertificateRequest.reference)
        .outerjoin(CertificateRequest, and_(CertificateRequest.id == OutboxMail.request_id, own))
        .where(
            OutboxMail.recipient == user.email,
            OutboxMail.created_at >= user.created_at,
            OutboxMail.kind != "message_received",  # it stands above, as a conversation
        )
    )
    if before is not None:
        statement = statement.where(OutboxMail.id < before)
    rows = db.session.execute(statement.order_by(OutboxMail.id.desc()).limit(PAGE_SIZE + 1)).all()
    notices = [Notice(row[0], row[1]) for row in rows[:PAGE_SIZE]]
    return NoticePage(notices, notices[-1].mail.id if len(rows) > PAGE_SIZE else None)

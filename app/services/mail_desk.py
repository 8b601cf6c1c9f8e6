"""« Renvoyer »: a mail that could not be delivered goes back to the queue, by hand and in the journal (MAI-1)."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import select

from app.errors import DomainError
from app.extensions import db
from app.models import OutboxMail
from app.permissions import Actor, Permission
from app.services import audit, outbox
from app.services.authority import require
from app.services.locking import lock
from app.services.unit_of_work import use_case

MANY = 500
"""Dead letters sent again at once: after an outage of somebody's mail server, a few presses do for thousands."""


@use_case
def resend_mails(mail_ids: Sequence[int], *, actor: Actor) -> int:
    """The same for many, at most ``MANY``: how many go again. Those that left meanwhile are passed over.

    One line of the journal names them all. Raises Forbidden.
    """
    require(actor, Permission.MANAGE_MAIL)
    dead = db.session.scalars(
        select(OutboxMail.id)
        .where(OutboxMail.id.in_(mail_ids[:MANY]), OutboxMail.sent_at.is_(None), OutboxMail.dead_at.is_not(None))
        .order_by(OutboxMail.id)
        .with_for_update()
    ).all()
    for mail_id in dead:
        outbox.send_again(mail_id)
    if dead:
        audit.record(actor, "resend_mails", ("outbox_mails", "many"), after={"mails": list(dead)})
    return len(dead)


@use_case
def resend_mail(mail_id: int, *, actor: Actor) -> str:
    """Queue the mail again; returns its recipient. Raises Forbidden, NotFound, DomainError for one already sent."""
    require(actor, Permission.MANAGE_MAIL)
    mail = lock(OutboxMail, mail_id)
    if mail.sent_at is not None:
        raise DomainError(_("Ce courriel est déjà parti : il ne part qu'une fois."))
    outbox.send_again(mail.id)
    audit.record(actor, "resend_mail", mail, after={"kind": mail.kind, "recipient": mail.recipient})
    return mail.recipient

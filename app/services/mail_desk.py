"""« Renvoyer »: a mail that could not be delivered goes back to the queue, by hand and in the journal (MAI-1)."""

from __future__ import annotations

from flask_babel import gettext as _

from app.errors import DomainError
from app.models import OutboxMail
from app.permissions import Actor, Permission
from app.services import audit, outbox
from app.services.authority import require
from app.services.locking import lock
from app.services.unit_of_work import use_case


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

"""The morning mail of TunTrust's officers: what waits for them; nothing to say, no mail (JOB-1, digests)."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import exists, select

from app import clock
from app.extensions import db
from app.models import OutboxMail, User
from app.permissions import Permission
from app.queries.digests import digest_of, readers_of_digests
from app.queries.lists import start_of
from app.services import outbox, settings
from app.services.accounts import actor_for
from app.services.links import public_url
from app.services.locking import lock
from app.services.unit_of_work import use_case

KIND = "staff_digest"


def send_digests() -> str:
    """One mail to each officer for whom something waits; a summary for the list of jobs. Safe to run twice a day."""
    sent = sum(_send(user_id) for user_id in readers_of_digests())
    return _("Résumés envoyés : %(count)d.", count=sent)


@use_case
def _send(user_id: int) -> bool:
    """Under the person's lock, so that two runs at once send one mail."""
    user = lock(User, user_id)
    if _sent_today(user):
        return False
    actor = actor_for(user, ip=None, locale=user.locale)
    digest = digest_of(actor, review_days=settings.get("review.days"), shares_out=actor.can(Permission.REASSIGN_FILES))
    if digest.empty:
        return False
    mail = outbox.write(
        KIND,
        to=user.email,
        locale=user.locale,
        name=user.display_name,
        digest=digest,
        days=settings.get("review.days"),
        link=public_url("admin.index"),
    )
    return mail is not None


def _sent_today(user: User) -> bool:
    today = start_of(clock.today())
    written = exists(
        select(OutboxMail.id).where(
            OutboxMail.recipient == user.email,
            OutboxMail.kind == KIND,
            OutboxMail.created_at >= today,
            OutboxMail.created_at < today + timedelta(days=1),
        )
    )
    return bool(db.session.scalar(select(written)))

"""What is not kept for ever: the words of mails that left long ago (JOB-1, retention; ADR 103)."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import or_, select, update

from app import clock
from app.extensions import db
from app.models import OutboxMail
from app.services import settings
from app.services.rounds import Round
from app.services.unit_of_work import use_case

BATCH = 500
ROUND_SECONDS = 60.0


def forget_old_mail() -> str:
    """Erase the bodies of mails sent more than ``mail.retention_days`` ago; a summary for the list of jobs.

    Who got which mail, and when, stays. What was never delivered is left to whoever minds the dead letters.
    """
    forgotten, this_round = 0, Round(ROUND_SECONDS)
    while not this_round.over():
        done = _forget_some()
        forgotten += done
        if done < BATCH:
            break
    return _("Textes de courriels effacés : %(count)d.", count=forgotten)


@use_case
def _forget_some() -> int:
    before = clock.now() - timedelta(days=settings.get("mail.retention_days"))
    worded = or_(OutboxMail.text != "", OutboxMail.html != "")
    ids = db.session.scalars(
        select(OutboxMail.id).where(OutboxMail.sent_at < before, worded).order_by(OutboxMail.id).limit(BATCH)
    ).all()
    if ids:
        db.session.execute(update(OutboxMail).where(OutboxMail.id.in_(ids)).values(text="", html=""))
    return len(ids)

"""« Relances »: telling again the people an organisation's orders wait for (ORD-7)."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from app import clock
from app.errors import DomainError, TooManyAttempts
from app.permissions import Actor, Permission
from app.queries import chasing
from app.queries.chasing import PAUSE, Stage
from app.services import ordering
from app.services.authority import require_organisation

AT_ONCE = 100
"""People told again at one click: each gets a new temporary password, whose hash takes its time."""
CHASED = (Stage.ACTIVATION, Stage.VALIDATION)
"""The stages that wait for the applicant."""


@dataclass(frozen=True, slots=True)
class Chased:
    """What became of « Relancer tout le monde », in people."""

    sent: int
    recent: int  # had a mail within the hour
    left: int  # beyond ``AT_ONCE``: another click


def resend_all(actor: Actor, organisation_id: int, stage: Stage) -> Chased:
    """Mail everybody of a stage again, once a person however many their requests, each in a transaction of its own.

    Whoever had a mail within the hour, the first invitation included, is left in peace; who has validated
    meanwhile too. The administrator's own requests are not mailed. Raises NotFound, Forbidden, DomainError (a stage
    that waits for no applicant).
    """
    require_organisation(actor, organisation_id, Permission.ORDER_CERTIFICATES)
    if stage not in CHASED:
        raise DomainError(_("Personne n'est à relancer à cette étape."))
    people = chasing.people_to_chase(organisation_id, stage, but=actor.user_id)
    since = clock.now() - PAUSE
    due = [one for one in people if one.told_at is None or one.told_at <= since]
    recent, sent = len(people) - len(due), 0
    for one in due[:AT_ONCE]:
        try:
            ordering.resend_invitation(actor, one.request_id)
        except TooManyAttempts:
            recent += 1
        except DomainError:  # validated or withdrawn in this very instant
            continue
        else:
            sent += 1
    return Chased(sent, recent, max(0, len(due) - AT_ONCE))

"""When an agent is away (QUE-3): said by themselves, or by a supervisor for anyone."""

from __future__ import annotations

from datetime import date, timedelta

from flask_babel import gettext as _
from sqlalchemy import select

from app import clock
from app.errors import DomainError, NotFound
from app.extensions import db
from app.models import StaffAbsence, User
from app.permissions import Actor, Permission
from app.queries.absences import REVIEWERS
from app.services import audit
from app.services.authority import require
from app.services.locking import lock
from app.services.unit_of_work import use_case

LONGEST = timedelta(days=366)
FURTHEST = timedelta(days=731)


@use_case
def record_absence(user_id: int, from_on: date, until_on: date, *, actor: Actor) -> StaffAbsence:
    """Somebody is away from the first day to the last, both included, on Tunis's calendar.

    Raises Forbidden or NotFound (somebody else's, without REASSIGN_FILES), DomainError on ``from_on`` or
    ``until_on`` (past, reversed, overlapping another absence, longer than a year).
    """
    user = _person(user_id, actor)
    _check_days(from_on, until_on)
    other = db.session.scalar(
        select(StaffAbsence)
        .where(StaffAbsence.user_id == user.id, StaffAbsence.from_on <= until_on, StaffAbsence.until_on >= from_on)
        .order_by(StaffAbsence.from_on)
        .limit(1)
    )
    if other is not None:
        raise DomainError(
            _(
                "Ces dates touchent une absence déjà notée, du %(first)s au %(last)s. Retirez-la d'abord.",
                first=other.from_on.strftime("%d/%m/%Y"),
                last=other.until_on.strftime("%d/%m/%Y"),
            ),
            field="from_on",
        )
    absence = StaffAbsence(
        user_id=user.id, from_on=from_on, until_on=until_on, recorded_by_id=actor.user_id, recorded_at=clock.now()
    )
    db.session.add(absence)
    db.session.flush()
    audit.record(actor, "record_absence", user, after={"from": from_on.isoformat(), "until": until_on.isoformat()})
    return absence


@use_case
def end_absence(absence_id: int, *, actor: Actor) -> User:
    """Take back an absence to come, or end today one that began: the days already past stay on record.

    Raises NotFound (another's, without REASSIGN_FILES), DomainError when it is over.
    """
    owner = db.session.scalar(select(StaffAbsence.user_id).where(StaffAbsence.id == absence_id))
    if owner is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    user = _person(owner, actor)
    absence = lock(StaffAbsence, absence_id)
    today = clock.today()
    if absence.until_on < today:
        raise DomainError(_("Cette absence est terminée."))
    before = {"from": absence.from_on.isoformat(), "until": absence.until_on.isoformat()}
    if absence.from_on >= today:
        db.session.delete(absence)
        audit.record(actor, "end_absence", user, before=before)
    else:
        absence.until_on = today - timedelta(days=1)
        audit.record(actor, "end_absence", user, before=before, after={"until": absence.until_on.isoformat()})
    return user


def _person(user_id: int, actor: Actor) -> User:
    """The person, locked, so that two periods recorded at once cannot overlap."""
    if not actor.is_staff:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    require(actor, Permission.REVIEW_FILES)
    if user_id != actor.user_id:
        require(actor, Permission.REASSIGN_FILES)
    user = lock(User, user_id)
    if not any(grant.role in REVIEWERS and grant.revoked_at is None for grant in user.grants):
        raise NotFound(_("Cette personne ne traite pas de dossiers."))
    return user


def _check_days(from_on: date, until_on: date) -> None:
    today = clock.today()
    if until_on < from_on:
        raise DomainError(_("Le dernier jour vient avant le premier."), field="until_on")
    if from_on < today:
        raise DomainError(_("Le premier jour est passé : notez l'absence à partir d'aujourd'hui."), field="from_on")
    if until_on - from_on > LONGEST:
        raise DomainError(_("Un an au plus par absence."), field="until_on")
    if from_on - today > FURTHEST:
        raise DomainError(_("Deux ans d'avance au plus."), field="from_on")

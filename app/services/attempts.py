"""Counted tries, in a table of our own so that limits hold over all processes (LOG-2, SEC-4).

Nobody is locked out for good: old tries fall out of the window, and the refusal says when to try again.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import delete, func, select

from app import clock
from app.errors import TooManyAttempts
from app.extensions import db
from app.models import Attempt
from app.services.passwords import hash_token
from app.services.unit_of_work import use_case


def key_for(purpose: str, who: str) -> str:
    """A key that tells nothing about whom it counts."""
    return f"{purpose}:{hash_token(who)[:40]}"


@use_case
def count_attempt(key: str, *, limit: int, window: timedelta) -> None:
    """Count one try. Raises TooManyAttempts when ``limit`` of them already fell within ``window``."""
    if db.session.get_bind().dialect.name == "postgresql":
        # Tries of one key follow each other, or a burst would all be counted before any was written.
        db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))
    moment = clock.now()
    since = moment - window
    recent = db.session.execute(
        select(func.count(), func.min(Attempt.at)).where(Attempt.key == key, Attempt.at > since)
    ).one()
    if recent[0] >= limit:
        retry_after = max(1, int((recent[1] + window - moment).total_seconds()) + 1)
        raise TooManyAttempts(_too_many(retry_after), retry_after=retry_after)
    db.session.add(Attempt(key=key, at=moment))


def latest(keys: Collection[str], *, within: timedelta) -> dict[str, datetime]:
    """When each of these keys was last tried within the window; those that were not are left out."""
    if not keys:
        return {}
    rows = db.session.execute(
        select(Attempt.key, func.max(Attempt.at))
        .where(Attempt.key.in_(keys), Attempt.at > clock.now() - within)
        .group_by(Attempt.key)
    )
    return {row.key: row[1] for row in rows}


@use_case
def forget_attempts(key: str) -> None:
    """A success clears the count."""
    db.session.execute(delete(Attempt).where(Attempt.key == key))


@use_case
def purge_old_attempts() -> int:
    """Drop tries older than a day; returns how many."""
    result = db.session.execute(delete(Attempt).where(Attempt.at < clock.now() - timedelta(days=1)))
    return int(getattr(result, "rowcount", 0))


def _too_many(seconds: int) -> str:
    minutes = (seconds + 59) // 60
    return _(
        "Trop d'essais. Réessayez %(when)s.",
        when=ngettext("dans %(num)d minute", "dans %(num)d minutes", minutes),
    )

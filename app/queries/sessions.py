"""A person's own sessions: on which devices they are logged in (SEC-2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import current_app
from sqlalchemy import select

from app import clock
from app.devices import browser_and_system
from app.extensions import db
from app.models import UserSession

MOST = 50


@dataclass(frozen=True, slots=True)
class Device:
    """One live session, as its owner reads it."""

    id: int
    browser: str | None
    system: str | None
    ip: str | None
    since: datetime
    last_seen_at: datetime


def live_sessions(user_id: int) -> list[Device]:
    """The sessions that still open something, the last used first."""
    moment, config = clock.now(), current_app.config
    rows = db.session.scalars(
        select(UserSession)
        .where(
            UserSession.user_id == user_id,
            UserSession.ended_at.is_(None),
            UserSession.factor_due.is_(False),
            UserSession.last_seen_at > moment - config["SESSION_IDLE"],
            UserSession.created_at > moment - config["SESSION_ABSOLUTE"],
        )
        .order_by(UserSession.last_seen_at.desc(), UserSession.id.desc())
        .limit(MOST)
    )
    return [
        Device(row.id, *browser_and_system(row.user_agent), row.ip, row.created_at, row.last_seen_at) for row in rows
    ]

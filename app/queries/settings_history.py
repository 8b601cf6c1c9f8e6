"""Who set what, for the page of settings (REF-1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.extensions import db
from app.models import Setting, User


@dataclass(frozen=True, slots=True)
class SettingNow:
    """An operator's value over a default."""

    value: Any
    updated_at: datetime
    updated_by: str


def settings_now() -> dict[str, SettingNow]:
    """Every setting an operator changed, in one statement."""
    rows = db.session.execute(
        select(Setting.key, Setting.value, Setting.updated_at, User.first_name, User.last_name, User.email).outerjoin(
            User, User.id == Setting.updated_by_id
        )
    )
    return {
        row.key: SettingNow(
            row.value, row.updated_at, f"{row.first_name or ''} {row.last_name or ''}".strip() or (row.email or "")
        )
        for row in rows
    }

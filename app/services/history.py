"""History lines: who, when, from, to, why (STA-2). Every move writes exactly one."""

from __future__ import annotations

from typing import Any

from app import clock
from app.extensions import db
from app.models import HistoryEntry
from app.permissions import Actor


def write(
    actor: Actor,
    action: str,
    *,
    request_id: int | None = None,
    organisation_id: int | None = None,
    payment_id: int | None = None,
    from_state: str | None = None,
    to_state: str | None = None,
    reason: str = "",
    details: dict[str, Any] | None = None,
) -> HistoryEntry:
    """Add a line; ``details`` holds plain values that the sentence on screen may use."""
    entry = HistoryEntry(
        at=clock.now(),
        request_id=request_id,
        organisation_id=organisation_id,
        payment_id=payment_id,
        actor_id=actor.user_id,
        actor_label=actor.label,
        by_staff=actor.is_staff,
        action=action,
        from_state=from_state,
        to_state=to_state,
        reason=reason,
        details=details or {},
    )
    db.session.add(entry)
    return entry

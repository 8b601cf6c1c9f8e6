"""What became of a request's approval: one that fell says so until somebody decides anew (REV-2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from app.extensions import db
from app.models import HistoryEntry


@dataclass(frozen=True, slots=True)
class FallenApproval:
    """Who had approved and when; who changed what, and when."""

    approved_by: str
    approved_at: datetime | None
    changed_by: str
    by_staff: bool
    changed_at: datetime
    why: str


def fallen_approval(request_id: int) -> FallenApproval | None:
    """The approval that a change cancelled, when nothing was approved since. One statement."""
    entries = db.session.scalars(
        select(HistoryEntry)
        .where(HistoryEntry.request_id == request_id, HistoryEntry.action.in_(("approve", "approval_cancelled")))
        .order_by(HistoryEntry.id.desc())
        .limit(2)
    ).all()
    if not entries or entries[0].action != "approval_cancelled":
        return None
    fall = entries[0]
    before = entries[1] if len(entries) > 1 and entries[1].action == "approve" else None
    return FallenApproval(
        before.actor_label if before is not None else "",
        before.at if before is not None else None,
        fall.actor_label,
        fall.by_staff,
        fall.at,
        fall.reason,
    )

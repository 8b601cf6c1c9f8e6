"""The journal (AUD-1): who did what to which object; append-only and hash-chained.

Lines are collected during a use case and written at its very end, so that the lock that orders the chain is
the last one taken and is held for an instant.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from app import clock
from app.extensions import db
from app.models import AuditEntry
from app.permissions import Actor
from app.services.unit_of_work import after_rollback, before_commit

GENESIS = "0" * 64
_CHAIN_LOCK = 0x45434552


def record(
    actor: Actor,
    action: str,
    subject: Any,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write one journal line in this transaction. ``subject`` is a row, or a (type, id) pair.

    Never put a password, a token or a whole identity number in ``before`` or ``after`` (SEC-6).
    """
    pending: list[dict[str, Any]] = db.session().info.setdefault("audit", [])
    if not pending:
        before_commit(_write_pending)
        after_rollback(_forget_pending)
    pending.append(
        {
            "at": clock.now(),
            "actor": actor,
            "action": action,
            "subject": subject,
            "before": dict(before) if before else None,
            "after": dict(after) if after else None,
        }
    )


def _forget_pending() -> None:
    db.session().info.pop("audit", None)


def _write_pending() -> None:
    pending: list[dict[str, Any]] = db.session().info.pop("audit", [])
    if db.session.get_bind().dialect.name == "postgresql":
        db.session.execute(select(func.pg_advisory_xact_lock(_CHAIN_LOCK)))
    previous = db.session.scalar(select(AuditEntry.hash).order_by(AuditEntry.id.desc()).limit(1)) or GENESIS
    for line in pending:
        subject = line["subject"]
        if isinstance(subject, tuple):
            subject_type, subject_id = subject
        else:
            subject_type, subject_id = subject.__tablename__, subject.id
        entry = AuditEntry(
            at=line["at"],
            actor_id=line["actor"].user_id,
            actor_label=line["actor"].label,
            ip=line["actor"].ip,
            action=line["action"],
            subject_type=subject_type,
            subject_id=str(subject_id),
            before=line["before"],
            after=line["after"],
            previous_hash=previous,
            hash="",
        )
        entry.hash = previous = chain_hash(entry)
        db.session.add(entry)
    db.session.flush()


def chain_hash(entry: AuditEntry) -> str:
    """SHA-256 over the entry's contents and its predecessor's hash."""
    content = json.dumps(
        {
            "at": _stamp(entry.at),
            "actor_id": entry.actor_id,
            "actor": entry.actor_label,
            "ip": entry.ip,
            "action": entry.action,
            "subject": [entry.subject_type, entry.subject_id],
            "before": entry.before,
            "after": entry.after,
            "previous": entry.previous_hash,
        },
        sort_keys=True,
        ensure_ascii=False,
    )
    return hashlib.sha256(content.encode()).hexdigest()


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")


def first_broken_entry() -> AuditEntry | None:
    """The first line whose hash or link does not hold, or None when the chain is whole (`audit verify`)."""
    previous = GENESIS
    for entry in db.session.execute(
        select(AuditEntry).order_by(AuditEntry.id).execution_options(yield_per=1000)
    ).scalars():
        if entry.previous_hash != previous or entry.hash != chain_hash(entry):
            return entry
        previous = entry.hash
    return None

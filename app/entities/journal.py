"""Outgoing mail, job runs and the journal."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from app.column_types import (
    BigId,
    Id,
    JsonType,
    LongText,
    Moment,
    Str16,
    Str40,
    Str120,
    Str255,
)
from app.entities.base import Model


class OutboxMail(Model):
    """A mail written in the business transaction, sent after it (MAI-1)."""

    __tablename__ = "outbox_mails"
    __table_args__ = (
        Index("ix_outbox_mails_due", "sent_at", "dead_at", "due_at"),
        Index("ix_outbox_mails_recipient", "recipient", "id"),
    )

    id: Mapped[Id]
    message_id: Mapped[Str255] = mapped_column(unique=True)
    kind: Mapped[Str40]
    recipient: Mapped[Str255]
    subject: Mapped[Str255]
    text: Mapped[LongText]
    html: Mapped[LongText]
    locale: Mapped[Str16] = mapped_column(default="fr")
    attachments: Mapped[list[dict[str, Any]]] = mapped_column(JsonType, default=list)
    secret: Mapped[bool] = mapped_column(default=False)  # body erased once sent: it held a temporary password
    organisation_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("organisations.id", ondelete="CASCADE"), index=True
    )
    request_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("certificate_requests.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[Moment]
    due_at: Mapped[Moment]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[LongText] = mapped_column(default="")
    sent_at: Mapped[Moment | None]
    dead_at: Mapped[Moment | None]


class JobRun(Model):
    """One run of a scheduled job; (job, slot) is unique, so that a slot runs once over all processes (JOB-1).

    ``waiting``: somebody asked for it, and the elected scheduler has not taken it up yet (JOB-2).
    """

    __tablename__ = "job_runs"
    __table_args__ = (
        UniqueConstraint("job", "slot"),
        Index("ix_job_runs_job_id", "job", "id"),
        Index("ix_job_runs_waiting", "id", postgresql_where=text("waiting"), sqlite_where=text("waiting")),
    )

    id: Mapped[Id]
    job: Mapped[Str40]
    slot: Mapped[Str40]
    started_at: Mapped[Moment]
    finished_at: Mapped[Moment | None]
    waiting: Mapped[bool] = mapped_column(default=False, server_default=false())
    result: Mapped[LongText] = mapped_column(default="")
    error: Mapped[LongText] = mapped_column(default="")


class AuditEntry(Model):
    """The journal (AUD-1): append-only, hash-chained; triggers refuse UPDATE and DELETE."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_subject", "subject_type", "subject_id", "id"),
        Index("ix_audit_entries_actor", "actor_id", "id"),
    )

    id: Mapped[Id]
    at: Mapped[Moment] = mapped_column(index=True)
    actor_id: Mapped[int | None] = mapped_column(BigId)  # no foreign key: the line outlives the account
    actor_label: Mapped[Str255]
    ip: Mapped[Str40 | None]
    action: Mapped[Str40]
    subject_type: Mapped[Str40]
    subject_id: Mapped[Str40]
    before: Mapped[dict[str, Any] | None] = mapped_column(JsonType)
    after: Mapped[dict[str, Any] | None] = mapped_column(JsonType)
    previous_hash: Mapped[Str120]
    hash: Mapped[Str120] = mapped_column(unique=True)

"""What the review desk keeps: automatic checks, notes, messages, presence, absences, saved filters, bulk runs."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.column_types import BigId, Day, Id, Json, LongText, Moment, Str16, Str40, Str120, enum_column
from app.entities.base import Model

if TYPE_CHECKING:
    from app.entities.documents import Document
    from app.entities.people import Organisation, User
    from app.entities.requests import CertificateRequest


class CheckResult(StrEnum):
    """What an automatic check says; never more than advice (REV-3)."""

    OK = "OK"
    ALERT = "ALERT"
    UNVERIFIABLE = "UNVERIFIABLE"


class DocumentText(Model):
    """The words of a received paper, read once: from the PDF itself or by OCR (REV-3)."""

    __tablename__ = "document_texts"

    document_id: Mapped[int] = mapped_column(BigId, ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True)
    source: Mapped[Str16]  # pdf, ocr, none (nothing could be read), missing (no OCR on this machine)
    pages: Mapped[Json]  # {"1": "text of the page", …}; {"rotation": 90} where the scan had to be turned
    engine: Mapped[Str40]  # what read it, with its version
    read_at: Mapped[Moment]


class Inspection(Model):
    """One run of the automatic checks over a subject: asked for after an upload or a change, done in the background.

    The latest run of a subject is what the desk shows. ``declared_hash`` is of what was compared: when the
    declared values change, the run is stale.
    """

    __tablename__ = "inspections"
    __table_args__ = (
        CheckConstraint(
            "(CASE WHEN document_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN request_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN organisation_id IS NULL THEN 0 ELSE 1 END) = 1",
            name="one_subject",
        ),
        Index("ix_inspections_document", "document_id", "id"),
        Index("ix_inspections_request", "request_id", "id"),
        Index("ix_inspections_organisation", "organisation_id", "id"),
        Index(
            "ix_inspections_due",
            "due_at",
            "id",
            postgresql_where=text("done_at IS NULL"),
            sqlite_where=text("done_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    document_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("documents.id", ondelete="CASCADE"))
    request_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("certificate_requests.id", ondelete="CASCADE"))
    organisation_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("organisations.id", ondelete="CASCADE"))
    asked_at: Mapped[Moment]
    asked_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    due_at: Mapped[Moment]
    started_at: Mapped[Moment | None]
    done_at: Mapped[Moment | None]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[LongText] = mapped_column(default="")
    version: Mapped[Str40] = mapped_column(default="")  # of the checks that ran
    declared_hash: Mapped[Str120] = mapped_column(default="")

    findings: Mapped[list[InspectionFinding]] = relationship(
        back_populates="inspection", cascade="all, delete-orphan", order_by="InspectionFinding.position"
    )


class InspectionFinding(Model):
    """What one check said, of what it compared and where it saw it. Words are made when shown, in the reader's
    language: here are codes and values."""

    __tablename__ = "inspection_findings"
    __table_args__ = (UniqueConstraint("inspection_id", "position"),)

    id: Mapped[Id]
    inspection_id: Mapped[int] = mapped_column(BigId, ForeignKey("inspections.id", ondelete="CASCADE"))
    position: Mapped[int]
    check: Mapped[Str40]
    result: Mapped[CheckResult] = mapped_column(enum_column(CheckResult, "result"))
    declared: Mapped[LongText] = mapped_column(default="")
    found: Mapped[LongText] = mapped_column(default="")
    evidence: Mapped[Json] = mapped_column(default=dict)  # {"page": 1, "excerpt": "…", "why": code, …}

    inspection: Mapped[Inspection] = relationship(back_populates="findings")


class FileNote(Model):
    """An internal note on a file, with a day to come back to it (REV-8). Clients never see it."""

    __tablename__ = "file_notes"
    __table_args__ = (
        CheckConstraint("(request_id IS NULL) <> (organisation_id IS NULL)", name="one_subject"),
        Index("ix_file_notes_request", "request_id", "id"),
        Index("ix_file_notes_organisation", "organisation_id", "id"),
        Index("ix_file_notes_follow_up", "follow_up_on", "done_at"),
    )

    id: Mapped[Id]
    request_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("certificate_requests.id", ondelete="CASCADE"))
    organisation_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("organisations.id", ondelete="CASCADE"))
    author_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"))
    text: Mapped[LongText]
    created_at: Mapped[Moment]
    follow_up_on: Mapped[Day | None]
    done_at: Mapped[Moment | None]
    done_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))

    author: Mapped[User] = relationship(foreign_keys=[author_id])
    request: Mapped[CertificateRequest | None] = relationship()
    organisation: Mapped[Organisation | None] = relationship()


class MessageThread(Model):
    """The conversation of a request, or of an organisation, with TunTrust (MSG-1): one each."""

    __tablename__ = "message_threads"
    __table_args__ = (
        Index(
            "uq_message_threads_request",
            "request_id",
            unique=True,
            postgresql_where=text("request_id IS NOT NULL"),
            sqlite_where=text("request_id IS NOT NULL"),
        ),
        Index(
            "uq_message_threads_organisation",
            "organisation_id",
            unique=True,
            postgresql_where=text("request_id IS NULL"),
            sqlite_where=text("request_id IS NULL"),
        ),
        Index("ix_message_threads_awaiting", "awaits_staff", "last_message_at"),
        Index("ix_message_threads_last", "last_message_at", "id"),
        Index("ix_message_threads_of_organisation", "organisation_id", "last_message_at"),
    )

    id: Mapped[Id]
    organisation_id: Mapped[int] = mapped_column(BigId, ForeignKey("organisations.id", ondelete="CASCADE"))
    request_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("certificate_requests.id", ondelete="CASCADE"))
    created_at: Mapped[Moment]
    last_message_at: Mapped[Moment]
    awaits_staff: Mapped[bool] = mapped_column(default=False)  # « attend une réponse »
    version: Mapped[int] = mapped_column(default=1)

    organisation: Mapped[Organisation] = relationship()
    request: Mapped[CertificateRequest | None] = relationship()


class Message(Model):
    """One message of a thread. For five minutes its author may take it back: it then shows that it was."""

    __tablename__ = "messages"
    __table_args__ = (Index("ix_messages_thread", "thread_id", "id"),)

    id: Mapped[Id]
    thread_id: Mapped[int] = mapped_column(BigId, ForeignKey("message_threads.id", ondelete="CASCADE"))
    author_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    author_label: Mapped[Str120]
    by_staff: Mapped[bool]
    text: Mapped[LongText]  # emptied when taken back
    created_at: Mapped[Moment]
    retracted_at: Mapped[Moment | None]
    notified_at: Mapped[Moment | None]  # its mail leaves when it can no longer be taken back

    thread: Mapped[MessageThread] = relationship()
    attachments: Mapped[list[Document]] = relationship(
        foreign_keys="Document.message_id", order_by="Document.id", viewonly=True
    )


class MessageReading(Model):
    """How far a person has read a thread: what the unread badge counts."""

    __tablename__ = "message_readings"

    thread_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("message_threads.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    last_message_id: Mapped[int] = mapped_column(BigId)
    read_at: Mapped[Moment]


class CannedReply(Model):
    """A ready-made reply with placeholders, in French and Arabic (REV-8, REF-1)."""

    __tablename__ = "canned_replies"

    id: Mapped[Id]
    code: Mapped[Str40] = mapped_column(unique=True)
    title: Mapped[Str120]
    text_fr: Mapped[LongText]
    text_ar: Mapped[LongText] = mapped_column(default="")
    active: Mapped[bool] = mapped_column(default=True)
    position: Mapped[int] = mapped_column(default=0)


class FilePresence(Model):
    """Who has a file open right now (QUE-3): a page says so again every few seconds, silence means gone."""

    __tablename__ = "file_presences"
    __table_args__ = (
        CheckConstraint("(request_id IS NULL) <> (organisation_id IS NULL)", name="one_subject"),
        Index(
            "uq_file_presences_person",
            "user_id",
            text("coalesce(request_id, 0)"),
            text("coalesce(organisation_id, 0)"),
            unique=True,
        ),
        Index("ix_file_presences_request", "request_id", "seen_at"),
        Index("ix_file_presences_organisation", "organisation_id", "seen_at"),
    )

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"))
    request_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("certificate_requests.id", ondelete="CASCADE"))
    organisation_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("organisations.id", ondelete="CASCADE"))
    opened_at: Mapped[Moment]
    seen_at: Mapped[Moment]


class StaffAbsence(Model):
    """When an agent is away (QUE-3): nothing is handed to them meanwhile, their files may be shared out."""

    __tablename__ = "staff_absences"
    __table_args__ = (
        CheckConstraint("until_on >= from_on", name="ends_after_it_begins"),
        Index("ix_staff_absences_user", "user_id", "until_on"),
    )

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"))
    from_on: Mapped[Day]
    until_on: Mapped[Day]
    recorded_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    recorded_at: Mapped[Moment]

    user: Mapped[User] = relationship(foreign_keys=[user_id])


class SavedFilter(Model):
    """A list's address saved under a name by one person (QUE-2)."""

    __tablename__ = "saved_filters"
    __table_args__ = (UniqueConstraint("user_id", "list_name", "name"),)

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"))
    list_name: Mapped[Str40]  # the list's endpoint
    name: Mapped[Str120]
    query: Mapped[LongText]  # the address's arguments, checked when used
    created_at: Mapped[Moment]


class BulkOutcome(StrEnum):
    """How one row of a bulk action ended."""

    A_FAIRE = "A_FAIRE"
    FAIT = "FAIT"
    REFUSE = "REFUSE"


class BulkRun(Model):
    """A bulk action confirmed by somebody (QUE-4): its rows are done one by one, none lost at a crash."""

    __tablename__ = "bulk_runs"
    __table_args__ = (Index("ix_bulk_runs_open", "finished_at", "id"), Index("ix_bulk_runs_user", "user_id", "id"))

    id: Mapped[Id]
    public_id: Mapped[Str40] = mapped_column(unique=True)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"))
    action: Mapped[Str40]
    data: Mapped[Json]  # what the action needs besides its rows
    ip: Mapped[Str40 | None]
    created_at: Mapped[Moment]
    finished_at: Mapped[Moment | None]

    user: Mapped[User] = relationship()
    rows: Mapped[list[BulkRow]] = relationship(
        back_populates="run", cascade="all, delete-orphan", order_by="BulkRow.position"
    )


class BulkRow(Model):
    """One row of a bulk action and what became of it."""

    __tablename__ = "bulk_rows"
    __table_args__ = (UniqueConstraint("run_id", "position"),)

    id: Mapped[Id]
    run_id: Mapped[int] = mapped_column(BigId, ForeignKey("bulk_runs.id", ondelete="CASCADE"))
    position: Mapped[int]
    request_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("certificate_requests.id", ondelete="SET NULL"))
    reference: Mapped[Str40]
    data: Mapped[Json] = mapped_column(default=dict)  # the row's own values: a tracking number
    expected_version: Mapped[int | None]
    outcome: Mapped[BulkOutcome] = mapped_column(enum_column(BulkOutcome, "outcome"), default=BulkOutcome.A_FAIRE)
    message: Mapped[LongText] = mapped_column(default="")
    done_at: Mapped[Moment | None]

    run: Mapped[BulkRun] = relationship(back_populates="rows")

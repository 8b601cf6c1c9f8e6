"""Papers received, what was said of them, what was asked for, and contracts."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.column_types import (
    BigId,
    Day,
    Id,
    Json,
    LongText,
    Moment,
    Str40,
    Str120,
    Str255,
    enum_column,
)
from app.entities.base import Model
from app.states import Verdict

if TYPE_CHECKING:
    from app.entities.people import Organisation
    from app.entities.requests import CertificateRequest


class DocumentKind(StrEnum):
    """What a received paper is."""

    RNE_EXTRACT = "RNE_EXTRACT"
    TAX_CARD = "TAX_CARD"
    TRADE_REGISTER = "TRADE_REGISTER"
    REPRESENTATIVE_IDENTITY = "REPRESENTATIVE_IDENTITY"
    ADMINISTRATOR_IDENTITY = "ADMINISTRATOR_IDENTITY"
    APPLICANT_IDENTITY = "APPLICANT_IDENTITY"
    SIGNED_CONTRACT = "SIGNED_CONTRACT"
    OTHER = "OTHER"


class Document(Model):
    """An uploaded file, one version (its successor names it in ``replaces_id``). Bytes live in the storage."""

    __tablename__ = "documents"
    __table_args__ = (
        Index("ix_documents_organisation", "organisation_id", "kind", "id"),
        Index("ix_documents_request", "request_id", "kind", "id"),
        Index("ix_documents_sha256", "sha256"),
        CheckConstraint("size > 0", name="not_empty"),
    )

    id: Mapped[Id]
    public_id: Mapped[Str40] = mapped_column(unique=True)  # random: what addresses carry
    kind: Mapped[DocumentKind] = mapped_column(enum_column(DocumentKind, "kind"))
    draft_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("signup_drafts.id", ondelete="SET NULL"), index=True)
    draft_slot: Mapped[Str40 | None]  # which upload field of the sign-up it fills
    organisation_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("organisations.id", ondelete="CASCADE"))
    request_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("certificate_requests.id", ondelete="CASCADE"))
    user_id: Mapped[int | None] = mapped_column(  # whose identity copy it is, when an administrator's
        BigId, ForeignKey("users.id", ondelete="SET NULL")
    )
    contract_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("contracts.id", ondelete="SET NULL"), index=True)
    original_name: Mapped[Str255]
    media_type: Mapped[Str40]
    size: Mapped[int]
    pages: Mapped[int] = mapped_column(default=1)
    sha256: Mapped[Str120]  # of the file as it was received
    storage_key: Mapped[Str255] = mapped_column(unique=True)
    issued_on: Mapped[Day | None]  # the date an extract bears, as declared (ORG-4)
    scanned_at: Mapped[Moment | None]  # antivirus said clean; None: none configured or still in quarantine
    verdict: Mapped[Verdict] = mapped_column(enum_column(Verdict, "verdict"), default=Verdict.A_VERIFIER)
    verdict_reason: Mapped[LongText] = mapped_column(default="")
    verdict_reason_ar: Mapped[LongText] = mapped_column(default="")
    verdict_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    verdict_at: Mapped[Moment | None]
    uploaded_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    uploaded_at: Mapped[Moment]
    message_id: Mapped[int | None] = mapped_column(  # what it was attached to, when it came with a message
        BigId, ForeignKey("messages.id", ondelete="CASCADE"), index=True
    )
    replaces_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("documents.id", ondelete="SET NULL"))
    superseded_at: Mapped[Moment | None]  # a newer version took its place
    version: Mapped[int] = mapped_column(default=1)

    organisation: Mapped[Organisation | None] = relationship()
    request: Mapped[CertificateRequest | None] = relationship()


class FieldVerdict(Model):
    """✓ or ✗ on one declared field (REV-2), with the value that was looked at: a change voids it."""

    __tablename__ = "field_verdicts"
    __table_args__ = (
        CheckConstraint("(request_id IS NULL) <> (organisation_id IS NULL)", name="one_subject"),
        Index(
            "uq_field_verdicts_field",
            text("coalesce(request_id, 0)"),
            text("coalesce(organisation_id, 0)"),
            "field",
            unique=True,
        ),
    )

    id: Mapped[Id]
    request_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("certificate_requests.id", ondelete="CASCADE"), index=True
    )
    organisation_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("organisations.id", ondelete="CASCADE"), index=True
    )
    field: Mapped[Str40]
    verdict: Mapped[Verdict] = mapped_column(enum_column(Verdict, "field_verdict"))
    reason: Mapped[LongText] = mapped_column(default="")
    reason_ar: Mapped[LongText] = mapped_column(default="")
    value_seen: Mapped[LongText]
    by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    at: Mapped[Moment]


class DocumentAsk(Model):
    """« Pièces manquantes »: one ask holds all points (REV-5). Open until supplied or withdrawn."""

    __tablename__ = "document_asks"
    __table_args__ = (
        CheckConstraint("(request_id IS NULL) <> (organisation_id IS NULL)", name="one_subject"),
        Index(
            "uq_document_asks_open_request",
            "request_id",
            unique=True,
            postgresql_where=text("closed_at IS NULL AND request_id IS NOT NULL"),
            sqlite_where=text("closed_at IS NULL AND request_id IS NOT NULL"),
        ),
        Index(
            "uq_document_asks_open_organisation",
            "organisation_id",
            unique=True,
            postgresql_where=text("closed_at IS NULL AND organisation_id IS NOT NULL"),
            sqlite_where=text("closed_at IS NULL AND organisation_id IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    request_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("certificate_requests.id", ondelete="CASCADE"))
    organisation_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("organisations.id", ondelete="CASCADE"))
    message: Mapped[LongText] = mapped_column(default="")
    asked_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    asked_at: Mapped[Moment]
    due_on: Mapped[Day | None]
    reminded_at: Mapped[Moment | None]
    reminders: Mapped[int] = mapped_column(default=0)
    closed_at: Mapped[Moment | None]
    outcome: Mapped[Str40 | None]  # supplied, withdrawn, rejected

    items: Mapped[list[DocumentAskItem]] = relationship(
        back_populates="ask", cascade="all, delete-orphan", order_by="DocumentAskItem.position"
    )


class DocumentAskItem(Model):
    """One point of an ask: a document to bring again, or a declared field to correct or explain."""

    __tablename__ = "document_ask_items"
    __table_args__ = (CheckConstraint("(document_kind IS NULL) <> (field IS NULL)", name="document_or_field"),)

    id: Mapped[Id]
    ask_id: Mapped[int] = mapped_column(BigId, ForeignKey("document_asks.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    document_kind: Mapped[DocumentKind | None] = mapped_column(enum_column(DocumentKind, "asked_kind"))
    document_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("documents.id", ondelete="SET NULL"))
    field: Mapped[Str40 | None]
    reason: Mapped[LongText]
    reason_ar: Mapped[LongText] = mapped_column(default="")
    answered_at: Mapped[Moment | None]
    answer_text: Mapped[LongText] = mapped_column(default="")
    answer_document_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("documents.id", ondelete="SET NULL"))

    ask: Mapped[DocumentAsk] = relationship(back_populates="items")
    answer_document: Mapped[Document | None] = relationship(foreign_keys=[answer_document_id])


class Contract(Model):
    """A version of an organisation's contract (CON-1): made by us, signed by them, verified by an agent."""

    __tablename__ = "contracts"
    __table_args__ = (UniqueConstraint("organisation_id", "version_number"),)

    id: Mapped[Id]
    organisation_id: Mapped[int] = mapped_column(BigId, ForeignKey("organisations.id", ondelete="CASCADE"), index=True)
    number: Mapped[Str40]  # CTR-2026-000001; the same over its versions
    version_number: Mapped[int]
    template_version: Mapped[Str40]
    data: Mapped[Json]  # everything printed, as entered
    storage_key: Mapped[Str255]
    sha256: Mapped[Str120]
    created_at: Mapped[Moment]
    superseded_at: Mapped[Moment | None]
    signed_document_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("documents.id", ondelete="SET NULL", use_alter=True)
    )

    organisation: Mapped[Organisation] = relationship(back_populates="contracts")
    signed_document: Mapped[Document | None] = relationship(foreign_keys=[signed_document_id], post_update=True)

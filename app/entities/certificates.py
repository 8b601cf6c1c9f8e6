"""Generated certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.column_types import (
    BigId,
    Id,
    JsonType,
    LongText,
    Moment,
    Str40,
    Str120,
    Str255,
    enum_column,
)
from app.entities.base import Model
from app.states import CertificateState

if TYPE_CHECKING:
    from app.entities.requests import CertificateRequest


class Certificate(Model):
    """What was generated for a request, as read from the certificate itself (CRT-1, CRT-2)."""

    __tablename__ = "certificates"
    __table_args__ = (
        UniqueConstraint("issuer", "serial_number"),
        Index("ix_certificates_state", "state", "id"),
        Index(
            "ix_certificates_uncollected",
            "recorded_at",
            "request_id",
            postgresql_where=text("state IN ('GENERE', 'EXPEDIE') AND collected_at IS NULL"),
            sqlite_where=text("state IN ('GENERE', 'EXPEDIE') AND collected_at IS NULL"),
        ),
        Index("ix_certificates_dispatched", "dispatched_at", "id"),  # a day's slip (CRT-2)
        Index("ix_certificates_collected", "collected_at", "id"),
    )

    id: Mapped[Id]
    request_id: Mapped[int] = mapped_column(BigId, ForeignKey("certificate_requests.id"), unique=True)
    state: Mapped[CertificateState] = mapped_column(
        enum_column(CertificateState, "state"), default=CertificateState.GENERE
    )
    serial_number: Mapped[Str120] = mapped_column(index=True)  # hexadecimal
    issuer: Mapped[Str255]
    subject: Mapped[Str255]
    not_before: Mapped[Moment]
    not_after: Mapped[Moment] = mapped_column(index=True)
    key_description: Mapped[Str40]
    fingerprint: Mapped[Str120]
    pem: Mapped[LongText]
    recorded_at: Mapped[Moment]
    recorded_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    tracking_number: Mapped[Str40 | None] = mapped_column(index=True)
    dispatched_at: Mapped[Moment | None]
    collected_at: Mapped[Moment | None]
    collection_reminders: Mapped[int] = mapped_column(default=0)  # reminders whose day has come (CRT-3)
    collection_reminded_at: Mapped[Moment | None]
    renewal_notices: Mapped[int] = mapped_column(default=0)  # notices of its end whose day has come (CRT-5)
    version: Mapped[int] = mapped_column(default=1)

    request: Mapped[CertificateRequest] = relationship(back_populates="certificate")


class CertificateBatch(Model):
    """Certificates read from files and matched, not confirmed yet (CRT-1); kept for a day, for one person.

    ``lines``: reference, request, its version, and what was read of each certificate.
    """

    __tablename__ = "certificate_batches"
    __table_args__ = (Index("ix_certificate_batches_created", "created_at"),)

    id: Mapped[Id]
    public_id: Mapped[Str40] = mapped_column(unique=True)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[Moment]
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JsonType)

"""Payments and invoices: integer millimes."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.column_types import (
    BigId,
    Id,
    Json,
    LongText,
    Millimes,
    Moment,
    Str16,
    Str40,
    Str120,
    Str255,
    enum_column,
)
from app.entities.base import Model
from app.states import Anomaly, PaymentState

if TYPE_CHECKING:
    from app.entities.people import Organisation, User
    from app.entities.requests import CertificateRequest


class PaymentMethod(StrEnum):
    """PAY-3; CREDIT covers all (PAY-2)."""

    CARTE = "CARTE"
    EDINAR = "EDINAR"
    CREDIT = "CREDIT"


class Payment(Model):
    """One attempt at the gateway, with the basket frozen in its lines (PRI-2)."""

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount_not_negative"),
        CheckConstraint("credit_used >= 0", name="credit_not_negative"),
        Index("ix_payments_state_expires", "state", "expires_at"),
        Index("ix_payments_organisation", "organisation_id", "id"),
        Index("ix_payments_created", "created_at", "id"),
        Index(
            "ix_payments_at_the_desk",
            "created_at",
            "id",
            postgresql_where=text("anomaly IS NOT NULL AND remedied_at IS NULL"),
            sqlite_where=text("anomaly IS NOT NULL AND remedied_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    reference: Mapped[Str40] = mapped_column(unique=True)  # orderNumber at the gateway, ≤ 32
    return_token: Mapped[Str120] = mapped_column(unique=True)  # lets the result page work without a session
    organisation_id: Mapped[int] = mapped_column(BigId, ForeignKey("organisations.id"))
    created_by_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"))
    method: Mapped[PaymentMethod] = mapped_column(enum_column(PaymentMethod, "method"))
    state: Mapped[PaymentState] = mapped_column(enum_column(PaymentState, "state"), default=PaymentState.INITIE)
    amount: Mapped[Millimes]  # due at the gateway: the basket's total less the credit
    credit_used: Mapped[Millimes] = mapped_column(default=0)
    currency: Mapped[Str16] = mapped_column(default="788")
    stamp_duty: Mapped[Millimes]
    delivery_vat_bp: Mapped[int] = mapped_column(default=0)
    gateway_order_id: Mapped[Str120 | None] = mapped_column(unique=True)
    form_url: Mapped[LongText | None]
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    settled_at: Mapped[Moment | None]
    last_queried_at: Mapped[Moment | None]
    gateway_status: Mapped[int | None]
    action_code: Mapped[int | None]
    refusal: Mapped[LongText] = mapped_column(default="")
    anomaly: Mapped[Str40 | None]  # why it is at the reconciliation desk
    refunded: Mapped[Millimes] = mapped_column(default=0)  # at the gateway, as it last said
    remedy: Mapped[LongText] = mapped_column(default="")  # what a person decided at the reconciliation desk
    remedied_at: Mapped[Moment | None]
    remedied_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    masked_pan: Mapped[Str40 | None]
    approval_code: Mapped[Str40 | None]
    gateway_answer: Mapped[Json | None]  # what it last said of it, for the reconciliation desk (GAT-4)
    version: Mapped[int] = mapped_column(default=1)

    organisation: Mapped[Organisation] = relationship()
    created_by: Mapped[User] = relationship(foreign_keys=[created_by_id])
    lines: Mapped[list[PaymentLine]] = relationship(
        back_populates="payment", order_by="PaymentLine.position", cascade="all, delete-orphan"
    )
    invoice: Mapped[Invoice | None] = relationship(back_populates="payment", uselist=False)

    @property
    def cause(self) -> Anomaly | None:
        """Why it is, or was, at the reconciliation desk."""
        return Anomaly(self.anomaly) if self.anomaly in set(Anomaly) else None


class PaymentLine(Model):
    """One request in a payment, its price frozen. ``live`` while the attempt holds it: at most one a request."""

    __tablename__ = "payment_lines"
    __table_args__ = (
        UniqueConstraint("payment_id", "request_id"),
        Index(
            "uq_payment_lines_live_request",
            "request_id",
            unique=True,
            postgresql_where=text("live"),
            sqlite_where=text("live"),
        ),
    )

    id: Mapped[Id]
    payment_id: Mapped[int] = mapped_column(BigId, ForeignKey("payments.id", ondelete="CASCADE"))
    request_id: Mapped[int] = mapped_column(BigId, ForeignKey("certificate_requests.id"), index=True)
    position: Mapped[int]
    price_ht: Mapped[Millimes]
    vat_rate_bp: Mapped[int]  # basis points: 1900 is 19 %
    vat: Mapped[Millimes]
    delivery: Mapped[Millimes]
    live: Mapped[bool] = mapped_column(default=True)

    payment: Mapped[Payment] = relationship(back_populates="lines")
    request: Mapped[CertificateRequest] = relationship()


class Invoice(Model):
    """An immutable snapshot (INV-1): triggers refuse UPDATE and DELETE on both databases."""

    __tablename__ = "invoices"
    __table_args__ = (
        UniqueConstraint("year", "sequence"),
        Index("ix_invoices_organisation", "organisation_id", "id"),
    )

    id: Mapped[Id]
    number: Mapped[Str40] = mapped_column(unique=True)  # FAC-2026-000001
    year: Mapped[int]
    sequence: Mapped[int]
    organisation_id: Mapped[int] = mapped_column(BigId, ForeignKey("organisations.id"))
    payment_id: Mapped[int] = mapped_column(BigId, ForeignKey("payments.id"), unique=True)
    issued_at: Mapped[Moment] = mapped_column(index=True)
    total_ht: Mapped[Millimes]
    total_vat: Mapped[Millimes]
    total_delivery: Mapped[Millimes]
    stamp_duty: Mapped[Millimes]
    total_ttc: Mapped[Millimes]
    snapshot: Mapped[Json]  # seller, client, lines, VAT by rate, words: all that is printed
    verification_code: Mapped[Str40] = mapped_column(unique=True)

    organisation: Mapped[Organisation] = relationship()
    payment: Mapped[Payment] = relationship(back_populates="invoice")
    archive: Mapped[InvoiceArchive | None] = relationship(uselist=False)


class InvoiceArchive(Model):
    """The invoice's PDF, made once and identical at each download (INV-2)."""

    __tablename__ = "invoice_archives"

    invoice_id: Mapped[int] = mapped_column(BigId, ForeignKey("invoices.id"), primary_key=True)
    storage_key: Mapped[Str255]
    sha256: Mapped[Str120]
    created_at: Mapped[Moment]


class Counter(Model):
    """The last number given in each series; its row lock makes series gapless (INV-1)."""

    __tablename__ = "counters"

    series: Mapped[Str40] = mapped_column(primary_key=True)  # FAC-2026, DEM-2026, …
    last: Mapped[int]

"""Orders, certificate requests and the history of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.column_types import (
    BigId,
    Id,
    Json,
    LongText,
    Millimes,
    Moment,
    Str40,
    Str255,
    enum_column,
)
from app.entities.base import Model
from app.entities.people import IdentityAnswer, PersonMixin
from app.extensions import Base
from app.states import RequestState

if TYPE_CHECKING:
    from app.entities.certificates import Certificate
    from app.entities.people import Organisation, User
    from app.entities.reference import CertificateType, CguVersion, PostOffice, UsageDomain


request_domains = Table(
    "request_domains",
    Base.metadata,
    Column("request_id", BigId, ForeignKey("certificate_requests.id", ondelete="CASCADE"), primary_key=True),
    Column("domain_id", BigId, ForeignKey("usage_domains.id"), primary_key=True),
)


_TAKEN = "state = 'PRISE_EN_CHARGE_PAR_TUNTRUST'"


def _queue(name: str, condition: str, *columns: str) -> Index:
    """The index of one tab of the back office's list, in its order (QUE-1)."""
    where = text(condition)
    return Index(name, *(columns or ("complete_since",)), "id", postgresql_where=where, sqlite_where=where)


class Order(Model):
    """What was entered together."""

    __tablename__ = "orders"

    id: Mapped[Id]
    reference: Mapped[Str40] = mapped_column(unique=True)  # CMD-2026-000001
    organisation_id: Mapped[int] = mapped_column(BigId, ForeignKey("organisations.id"), index=True)
    created_by_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"))
    created_at: Mapped[Moment]
    attested_at: Mapped[Moment]

    organisation: Mapped[Organisation] = relationship()


class OrderDraftLine(Model):
    """A person on the page « liste des demandes », not yet sent (ORD-4)."""

    __tablename__ = "order_draft_lines"

    id: Mapped[Id]
    organisation_id: Mapped[int] = mapped_column(BigId, ForeignKey("organisations.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    data: Mapped[Json]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]


class CertificateRequest(PersonMixin, Model):
    """One certificate for one person: the centre of everything. Person's data is a snapshot as declared."""

    __tablename__ = "certificate_requests"
    __table_args__ = (
        Index("ix_certificate_requests_org_state", "organisation_id", "state", "id"),
        Index("ix_certificate_requests_state_since", "state", "complete_since", "id"),
        Index("ix_certificate_requests_created", "created_at", "id"),
        Index("ix_certificate_requests_complete", "complete_since", "id"),
        _queue("ix_certificate_requests_to_take", f"{_TAKEN} AND assigned_to_id IS NULL AND approved_at IS NULL"),
        _queue("ix_certificate_requests_approved", f"{_TAKEN} AND approved_at IS NOT NULL"),
        _queue(
            "ix_certificate_requests_held",
            "state IN ('PRISE_EN_CHARGE_PAR_TUNTRUST', 'EN_ATTENTE_DE_JUSTIFICATIFS')",
            "assigned_to_id",
            "complete_since",
        ),
        _queue("ix_certificate_requests_done", "state IN ('EXPEDIEE', 'ANNULEE')", "state_changed_at"),
        Index(
            "uq_certificate_requests_replaces",
            "replaces_id",
            unique=True,
            postgresql_where=text("replaces_id IS NOT NULL AND state <> 'ANNULEE'"),
            sqlite_where=text("replaces_id IS NOT NULL AND state <> 'ANNULEE'"),
        ),
        Index("ix_certificate_requests_email", "email"),
        Index("ix_certificate_requests_mobile", "mobile"),
    )

    id: Mapped[Id]
    reference: Mapped[Str40] = mapped_column(unique=True)  # DEM-2026-000001
    order_id: Mapped[int] = mapped_column(BigId, ForeignKey("orders.id"), index=True)
    organisation_id: Mapped[int] = mapped_column(BigId, ForeignKey("organisations.id"))
    applicant_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"), index=True)
    certificate_type_id: Mapped[int] = mapped_column(BigId, ForeignKey("certificate_types.id"))
    validity_years: Mapped[int]
    common_name: Mapped[Str255]
    state: Mapped[RequestState] = mapped_column(enum_column(RequestState, "state"), default=RequestState.NON_FINALISEE)
    state_changed_at: Mapped[Moment]
    created_at: Mapped[Moment]
    created_by_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"))
    price_ht: Mapped[Millimes]  # as shown when ordered; frozen for good in PaymentLine
    post_office_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("post_offices.id"))
    cgu_version_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("cgu_versions.id"))
    cgu_accepted_at: Mapped[Moment | None]
    cgu_accepted_ip: Mapped[Str40 | None]
    validated_at: Mapped[Moment | None]
    applicant_remark: Mapped[LongText] = mapped_column(default="")
    correction_asked_at: Mapped[Moment | None]  # identity data goes back to the administrator (APP-2)
    basket_added_at: Mapped[Moment | None]  # in the organisation's basket (PAY-1)
    paid_at: Mapped[Moment | None]
    complete_since: Mapped[Moment | None]  # oldest complete file first; moved on by every pause (QUE-1)
    clock_paused_at: Mapped[Moment | None]  # TunTrust waits for the client since then
    search_keys: Mapped[LongText] = mapped_column(default="")  # names as they sound, for small differences (QUE-2)
    assigned_to_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"), index=True)
    approved_at: Mapped[Moment | None]
    approved_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    closing_reason: Mapped[LongText] = mapped_column(default="")
    duplicate_reason: Mapped[LongText] = mapped_column(default="")  # why one more, for who has one already (ORD-6)
    replaces_id: Mapped[int | None] = mapped_column(  # whose certificate this one replaces (CRT-5)
        BigId, ForeignKey("certificate_requests.id", ondelete="SET NULL")
    )
    identity_answer: Mapped[IdentityAnswer | None] = mapped_column(
        enum_column(IdentityAnswer, "request_identity_answer")
    )
    identity_checked_at: Mapped[Moment | None]
    search_text: Mapped[LongText] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)

    order: Mapped[Order] = relationship()
    organisation: Mapped[Organisation] = relationship()
    applicant: Mapped[User] = relationship(foreign_keys=[applicant_id])
    certificate_type: Mapped[CertificateType] = relationship()
    post_office: Mapped[PostOffice | None] = relationship()
    assigned_to: Mapped[User | None] = relationship(foreign_keys=[assigned_to_id])
    approved_by: Mapped[User | None] = relationship(foreign_keys=[approved_by_id])
    cgu_version: Mapped[CguVersion | None] = relationship()
    domains: Mapped[list[UsageDomain]] = relationship(secondary=request_domains, order_by="UsageDomain.position")
    certificate: Mapped[Certificate | None] = relationship(back_populates="request", uselist=False)
    replaces: Mapped[CertificateRequest | None] = relationship(
        remote_side="CertificateRequest.id", foreign_keys=[replaces_id]
    )


class HistoryEntry(Model):
    """One line per move or notable act: who, when, from, to, why (STA-2). Shown to people in sentences."""

    __tablename__ = "history_entries"
    __table_args__ = (
        CheckConstraint(
            "(request_id IS NOT NULL) OR (organisation_id IS NOT NULL) OR (payment_id IS NOT NULL)",
            name="has_a_subject",
        ),
        Index("ix_history_entries_request", "request_id", "id"),
        Index("ix_history_entries_organisation", "organisation_id", "id"),
    )

    id: Mapped[Id]
    at: Mapped[Moment]
    request_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("certificate_requests.id", ondelete="CASCADE"))
    organisation_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("organisations.id", ondelete="CASCADE"))
    payment_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("payments.id"), index=True)
    actor_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    actor_label: Mapped[Str255]
    by_staff: Mapped[bool] = mapped_column(default=False)
    action: Mapped[Str40]
    from_state: Mapped[Str40 | None]
    to_state: Mapped[Str40 | None]
    reason: Mapped[LongText] = mapped_column(default="")
    details: Mapped[Json] = mapped_column(default=dict)

"""What is done with money that moved without its books: prepared by one person, approved by another (GAT-4)."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.column_types import BigId, Id, LongText, Millimes, Moment, Str16, Str40, Str120, enum_column
from app.entities.base import Model
from app.states import RemedyState

if TYPE_CHECKING:
    from app.entities.money import Payment
    from app.entities.people import User

_OPEN = text("state IN ('A_APPROUVER', 'A_FAIRE', 'EN_COURS')")


class RemedyKind(StrEnum):
    """How an attempt at the reconciliation desk is put in order."""

    PASSERELLE = "PASSERELLE"  # given back, or released, by the gateway
    VIREMENT = "VIREMENT"  # given back by bank transfer
    CLASSEMENT = "CLASSEMENT"  # closed with a reason and an outside reference; no money leaves by it
    CONSTAT = "CONSTAT"  # the gateway itself says that it gave everything back


class PaymentRemedy(Model):
    """A decision about one attempt. Money without an invoice needs no credit note, but a second person (PPL-3)."""

    __tablename__ = "payment_remedies"
    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount_not_negative"),
        CheckConstraint("(kind = 'CLASSEMENT') OR (amount > 0)", name="money_has_an_amount"),
        CheckConstraint(
            "kind = 'CONSTAT' OR decided_by_id IS NULL OR decided_by_id <> prepared_by_id OR state = 'RETIRE'",
            name="two_people",
        ),
        Index("ix_payment_remedies_payment", "payment_id", "id"),
        Index("ix_payment_remedies_state", "state", "id"),
        Index("uq_payment_remedies_open", "payment_id", unique=True, postgresql_where=_OPEN, sqlite_where=_OPEN),
    )

    id: Mapped[Id]
    payment_id: Mapped[int] = mapped_column(BigId, ForeignKey("payments.id"))
    kind: Mapped[RemedyKind] = mapped_column(enum_column(RemedyKind, "kind"))
    state: Mapped[RemedyState] = mapped_column(enum_column(RemedyState, "state"), default=RemedyState.A_APPROUVER)
    amount: Mapped[Millimes] = mapped_column(default=0)  # in ``currency``; 0 for what moves no money
    currency: Mapped[Str16] = mapped_column(default="788")
    anomaly: Mapped[Str40] = mapped_column(default="")  # as it stood when this was prepared
    reason: Mapped[LongText]
    outside_reference: Mapped[Str120] = mapped_column(default="")  # of the transfer, or of who was written to
    prepared_by_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"))
    prepared_at: Mapped[Moment]
    decided_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"))
    decided_at: Mapped[Moment | None]
    decision_reason: Mapped[LongText] = mapped_column(default="")
    attempts: Mapped[int] = mapped_column(default=0)
    asked_at: Mapped[Moment | None]
    asked_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    last_error: Mapped[LongText] = mapped_column(default="")
    done_at: Mapped[Moment | None]
    done_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    version: Mapped[int] = mapped_column(default=1)

    payment: Mapped[Payment] = relationship()
    prepared_by: Mapped[User] = relationship(foreign_keys=[prepared_by_id])
    decided_by: Mapped[User | None] = relationship(foreign_keys=[decided_by_id])
    done_by: Mapped[User | None] = relationship(foreign_keys=[done_by_id])

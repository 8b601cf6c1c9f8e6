"""Orders from a file: the file under way and its rows (ORD-5)."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.column_types import BigId, Id, Json, JsonType, Moment, Str16, Str40, Str120, Str255, enum_column
from app.entities.base import Model

if TYPE_CHECKING:
    from app.entities.reference import CertificateType
    from app.entities.requests import Order


class ImportRowStatus(StrEnum):
    """Where a row of an imported file stands (ORD-5)."""

    A_CONTROLER = "A_CONTROLER"
    A_CORRIGER = "A_CORRIGER"
    A_CONFIRMER = "A_CONFIRMER"  # right, but the person has one already: a reason is wanted (ORD-6)
    PRETE = "PRETE"


class OrderImport(Model):
    """A file of people to order for, under way or ordered (ORD-5); its rows wait until all of them are right."""

    __tablename__ = "order_imports"
    __table_args__ = (
        UniqueConstraint("organisation_id", "trace", name="uq_order_imports_trace"),
        Index("ix_order_imports_user", "user_id", "organisation_id", "id"),
    )

    id: Mapped[Id]
    public_id: Mapped[Str40] = mapped_column(unique=True)
    organisation_id: Mapped[int] = mapped_column(BigId, ForeignKey("organisations.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"))
    certificate_type_id: Mapped[int] = mapped_column(BigId, ForeignKey("certificate_types.id"))
    original_name: Mapped[Str255]
    fingerprint: Mapped[Str120]  # of what the file holds, however it was saved
    trace: Mapped[Str120 | None]  # the fingerprint, once ordered: the same file is ordered once
    order_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("orders.id"), index=True)
    locale: Mapped[Str16]  # of the sentences that its rows hold
    notes: Mapped[list[str]] = mapped_column(JsonType)  # sentences on what was left aside
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment] = mapped_column(index=True)

    certificate_type: Mapped[CertificateType] = relationship()
    order: Mapped[Order | None] = relationship()


class OrderImportRow(Model):
    """A row of such a file: what its cells hold, what they mean, and what is wrong with it."""

    __tablename__ = "order_import_rows"
    __table_args__ = (
        UniqueConstraint("import_id", "number", name="uq_order_import_rows_number"),
        Index("ix_order_import_rows_status", "import_id", "status", "number"),
    )

    id: Mapped[Id]
    import_id: Mapped[int] = mapped_column(BigId, ForeignKey("order_imports.id", ondelete="CASCADE"))
    number: Mapped[int]  # its line in the file
    cells: Mapped[Json]  # as written, by column
    status: Mapped[ImportRowStatus] = mapped_column(enum_column(ImportRowStatus, "status"))
    line: Mapped[Json | None]  # the person, once every cell reads
    problems: Mapped[list[list[str]]] = mapped_column(JsonType)  # [column, sentence]
    remarks: Mapped[list[list[str]]] = mapped_column(JsonType)  # the same, of what was put right

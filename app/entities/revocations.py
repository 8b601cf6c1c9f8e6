"""Revocations of certificates: prepared, approved, done, and on what ground of the general conditions (CRT-4)."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.column_types import BigId, Id, LongText, Moment, Str40, enum_column
from app.entities.base import Model
from app.states import RevocationState

if TYPE_CHECKING:
    from app.entities.certificates import Certificate
    from app.entities.people import User


class RevocationReason(StrEnum):
    """The grounds of article 5 of the general conditions, in their order (docs/adr/0096)."""

    DEMANDE_DU_CLIENT = "DEMANDE_DU_CLIENT"
    DEMANDE_NON_AUTORISEE = "DEMANDE_NON_AUTORISEE"
    CLE_COMPROMISE = "CLE_COMPROMISE"
    CLE_NON_CONFORME = "CLE_NON_CONFORME"
    USAGE_CONTRAIRE = "USAGE_CONTRAIRE"
    OBLIGATION_NON_RESPECTEE = "OBLIGATION_NON_RESPECTEE"
    INFORMATION_INEXACTE = "INFORMATION_INEXACTE"
    DEPART_DU_TITULAIRE = "DEPART_DU_TITULAIRE"
    ORGANISATION_DISSOUTE = "ORGANISATION_DISSOUTE"
    DECES_OU_INCAPACITE = "DECES_OU_INCAPACITE"
    EMISSION_NON_CONFORME = "EMISSION_NON_CONFORME"
    FIN_DU_SERVICE = "FIN_DU_SERVICE"
    AUTORITE_COMPROMISE = "AUTORITE_COMPROMISE"
    EXIGENCE_PC_DPC = "EXIGENCE_PC_DPC"
    RISQUE_TECHNIQUE = "RISQUE_TECHNIQUE"
    NON_RETRAIT_90_JOURS = "NON_RETRAIT_90_JOURS"


class Revocation(Model):
    """A revocation asked for. ``by_staff``: prepared by an officer, hence approved by another (PPL-3).

    At most one waits and at most one is done for a certificate, whatever the code does.
    """

    __tablename__ = "revocations"
    __table_args__ = (
        CheckConstraint(
            "NOT by_staff OR state <> 'FAITE' OR (decided_by_id IS NOT NULL AND decided_by_id <> prepared_by_id)",
            name="four_eyes",
        ),
        Index("ix_revocations_state", "state", "id"),
        Index("ix_revocations_certificate", "certificate_id", "id"),
        *(
            Index(
                name,
                "certificate_id",
                unique=True,
                postgresql_where=text(f"state = '{state}'"),
                sqlite_where=text(f"state = '{state}'"),
            )
            for name, state in (("uq_revocations_waiting", "A_APPROUVER"), ("uq_revocations_done", "FAITE"))
        ),
    )

    id: Mapped[Id]
    reference: Mapped[Str40] = mapped_column(unique=True)  # REV-2026-000001
    certificate_id: Mapped[int] = mapped_column(BigId, ForeignKey("certificates.id"))
    state: Mapped[RevocationState] = mapped_column(enum_column(RevocationState, "state"))
    reason: Mapped[RevocationReason] = mapped_column(enum_column(RevocationReason, "reason"))
    reason_text: Mapped[LongText] = mapped_column(default="")
    by_staff: Mapped[bool] = mapped_column(default=False)
    prepared_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"))  # None: the clock (CRT-3)
    prepared_at: Mapped[Moment]
    decided_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"))
    decided_at: Mapped[Moment | None]
    decision_reason: Mapped[LongText] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)

    certificate: Mapped[Certificate] = relationship()
    prepared_by: Mapped[User | None] = relationship(foreign_keys=[prepared_by_id])
    decided_by: Mapped[User | None] = relationship(foreign_keys=[decided_by_id])

"""Credit notes, the ledger of credit, refunds, statements and electronic invoices: integer millimes."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.column_types import BigId, Id, Json, LongText, Millimes, Moment, Str16, Str40, Str120, Str255, enum_column
from app.entities.base import Model
from app.states import CreditProposalState, RefundState, TransmissionState

if TYPE_CHECKING:
    from app.entities.money import Invoice, Payment, PaymentLine
    from app.entities.people import Organisation, User


class CreditReason(StrEnum):
    """Why a credit note is made (AVO-1)."""

    REJET_APRES_PAIEMENT = "REJET_APRES_PAIEMENT"
    NON_RETRAIT_90_JOURS = "NON_RETRAIT_90_JOURS"
    RETRAIT_DEMANDE = "RETRAIT_DEMANDE"
    ERREUR_TUNTRUST = "ERREUR_TUNTRUST"
    PAIEMENT_EN_DOUBLE = "PAIEMENT_EN_DOUBLE"


class CreditOutcome(StrEnum):
    """What becomes of the money (AVO-1)."""

    CREDIT = "CREDIT"
    REMBOURSEMENT_PASSERELLE = "REMBOURSEMENT_PASSERELLE"
    REMBOURSEMENT_MANUEL = "REMBOURSEMENT_MANUEL"


class CreditProposal(Model):
    """A credit note as prepared by one person, waiting for another (AVO-1, AVO-2, PPL-3). Issued apart."""

    __tablename__ = "credit_proposals"
    __table_args__ = (
        CheckConstraint("stamp_duty >= 0", name="stamp_not_negative"),
        Index("ix_credit_proposals_state", "state", "id"),
        Index("ix_credit_proposals_invoice", "invoice_id", "id"),
    )

    id: Mapped[Id]
    reference: Mapped[Str40] = mapped_column(unique=True)  # PAV-2026-000001
    invoice_id: Mapped[int] = mapped_column(BigId, ForeignKey("invoices.id"))
    organisation_id: Mapped[int] = mapped_column(BigId, ForeignKey("organisations.id"), index=True)
    state: Mapped[CreditProposalState] = mapped_column(
        enum_column(CreditProposalState, "state"), default=CreditProposalState.A_APPROUVER
    )
    reason: Mapped[CreditReason] = mapped_column(enum_column(CreditReason, "reason"))
    reason_text: Mapped[LongText]
    outcome: Mapped[CreditOutcome] = mapped_column(enum_column(CreditOutcome, "outcome"))
    stamp_duty: Mapped[Millimes] = mapped_column(default=0)  # of the invoice's, given back
    revokes: Mapped[bool] = mapped_column(default=False)  # issuing it revokes the certificates of its lines
    reorders: Mapped[bool] = mapped_column(default=False)  # and lays the new order on the client's list (AVO-5)
    prepared_by_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"))
    prepared_at: Mapped[Moment]
    edited_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"))
    decided_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"))
    decided_at: Mapped[Moment | None]
    decision_reason: Mapped[LongText] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)

    invoice: Mapped[Invoice] = relationship()
    organisation: Mapped[Organisation] = relationship()
    prepared_by: Mapped[User] = relationship(foreign_keys=[prepared_by_id])
    edited_by: Mapped[User | None] = relationship(foreign_keys=[edited_by_id])
    decided_by: Mapped[User | None] = relationship(foreign_keys=[decided_by_id])
    lines: Mapped[list[CreditProposalLine]] = relationship(
        back_populates="proposal", cascade="all, delete-orphan", order_by="CreditProposalLine.position"
    )
    credit_note: Mapped[CreditNote | None] = relationship(back_populates="proposal", uselist=False)


class CreditProposalLine(Model):
    """What is given back of one line of the invoice."""

    __tablename__ = "credit_proposal_lines"
    __table_args__ = (
        UniqueConstraint("proposal_id", "payment_line_id"),
        CheckConstraint("price_ht >= 0 AND vat >= 0 AND delivery >= 0", name="not_negative"),
    )

    id: Mapped[Id]
    proposal_id: Mapped[int] = mapped_column(BigId, ForeignKey("credit_proposals.id", ondelete="CASCADE"))
    payment_line_id: Mapped[int] = mapped_column(BigId, ForeignKey("payment_lines.id"), index=True)
    position: Mapped[int]
    price_ht: Mapped[Millimes]
    vat: Mapped[Millimes]
    delivery: Mapped[Millimes]

    proposal: Mapped[CreditProposal] = relationship(back_populates="lines")
    payment_line: Mapped[PaymentLine] = relationship()


class CreditNote(Model):
    """An issued credit note (AVO-2): an immutable snapshot as the invoice is; amounts are positive here, printed
    negative. The database refuses one that would take the sum of its invoice's above the invoice."""

    __tablename__ = "credit_notes"
    __table_args__ = (
        UniqueConstraint("year", "sequence"),
        CheckConstraint("total_ttc > 0", name="total_positive"),
        Index("ix_credit_notes_invoice", "invoice_id", "id"),
        Index("ix_credit_notes_organisation", "organisation_id", "id"),
    )

    id: Mapped[Id]
    number: Mapped[Str40] = mapped_column(unique=True)  # AV-2026-000001
    year: Mapped[int]
    sequence: Mapped[int]
    proposal_id: Mapped[int] = mapped_column(BigId, ForeignKey("credit_proposals.id"), unique=True)
    invoice_id: Mapped[int] = mapped_column(BigId, ForeignKey("invoices.id"))
    organisation_id: Mapped[int] = mapped_column(BigId, ForeignKey("organisations.id"))
    outcome: Mapped[CreditOutcome] = mapped_column(enum_column(CreditOutcome, "note_outcome"))
    issued_at: Mapped[Moment] = mapped_column(index=True)
    total_ht: Mapped[Millimes]
    total_vat: Mapped[Millimes]
    total_delivery: Mapped[Millimes]
    stamp_duty: Mapped[Millimes]
    total_ttc: Mapped[Millimes]
    snapshot: Mapped[Json]
    verification_code: Mapped[Str40] = mapped_column(unique=True)

    invoice: Mapped[Invoice] = relationship()
    organisation: Mapped[Organisation] = relationship()
    proposal: Mapped[CreditProposal] = relationship(back_populates="credit_note")
    archive: Mapped[CreditNoteArchive | None] = relationship(uselist=False)
    refund: Mapped[Refund | None] = relationship(back_populates="credit_note", uselist=False)


class CreditNoteArchive(Model):
    """The credit note's PDF, made once and identical at each download."""

    __tablename__ = "credit_note_archives"

    credit_note_id: Mapped[int] = mapped_column(BigId, ForeignKey("credit_notes.id"), primary_key=True)
    storage_key: Mapped[Str255]
    sha256: Mapped[Str120]
    created_at: Mapped[Moment]


class LedgerKind(StrEnum):
    """What a ledger line records."""

    AVOIR = "AVOIR"
    UTILISATION = "UTILISATION"


class LedgerEntry(Model):
    """A line of an organisation's credit (AVO-3): + when a credit note gives some, − when a payment uses it.

    Append-only: triggers refuse UPDATE and DELETE, and a use above what its credit note still holds.
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (
        CheckConstraint("(kind = 'AVOIR') = (amount > 0)", name="sign"),
        CheckConstraint("amount <> 0", name="not_zero"),
        CheckConstraint("(kind = 'UTILISATION') = (payment_id IS NOT NULL)", name="use_names_its_payment"),
        UniqueConstraint("credit_note_id", "payment_id"),
        Index(
            "uq_ledger_entries_issue",
            "credit_note_id",
            unique=True,
            postgresql_where=text("kind = 'AVOIR'"),
            sqlite_where=text("kind = 'AVOIR'"),
        ),
        Index("ix_ledger_entries_organisation", "organisation_id", "id"),
    )

    id: Mapped[Id]
    organisation_id: Mapped[int] = mapped_column(BigId, ForeignKey("organisations.id"))
    kind: Mapped[LedgerKind] = mapped_column(enum_column(LedgerKind, "kind"))
    amount: Mapped[Millimes]
    credit_note_id: Mapped[int] = mapped_column(BigId, ForeignKey("credit_notes.id"))
    payment_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("payments.id"), index=True)
    at: Mapped[Moment]

    credit_note: Mapped[CreditNote] = relationship()
    payment: Mapped[Payment | None] = relationship()


class PaymentCredit(Model):
    """Credit set aside for an attempt (PAY-2): held while the payment is live, written to the ledger when paid."""

    __tablename__ = "payment_credits"
    __table_args__ = (
        UniqueConstraint("payment_id", "credit_note_id"),
        CheckConstraint("amount > 0", name="amount_positive"),
        Index(
            "ix_payment_credits_live",
            "credit_note_id",
            postgresql_where=text("live"),
            sqlite_where=text("live"),
        ),
    )

    id: Mapped[Id]
    payment_id: Mapped[int] = mapped_column(BigId, ForeignKey("payments.id", ondelete="CASCADE"))
    credit_note_id: Mapped[int] = mapped_column(BigId, ForeignKey("credit_notes.id"))
    amount: Mapped[Millimes]
    live: Mapped[bool] = mapped_column(default=True)

    credit_note: Mapped[CreditNote] = relationship()


class RefundMethod(StrEnum):
    """How money goes back."""

    PASSERELLE = "PASSERELLE"
    MANUEL = "MANUEL"


class Refund(Model):
    """Money to give back for a credit note (AVO-4): asked of the gateway once per press of a person, or by hand."""

    __tablename__ = "refunds"
    __table_args__ = (CheckConstraint("amount > 0", name="amount_positive"), Index("ix_refunds_state", "state", "id"))

    id: Mapped[Id]
    credit_note_id: Mapped[int] = mapped_column(BigId, ForeignKey("credit_notes.id"), unique=True)
    payment_id: Mapped[int] = mapped_column(BigId, ForeignKey("payments.id"), index=True)
    method: Mapped[RefundMethod] = mapped_column(enum_column(RefundMethod, "method"))
    amount: Mapped[Millimes]
    state: Mapped[RefundState] = mapped_column(enum_column(RefundState, "state"), default=RefundState.A_REMBOURSER)
    attempts: Mapped[int] = mapped_column(default=0)
    asked_at: Mapped[Moment | None]
    asked_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    refunded_before: Mapped[Millimes | None]  # at the gateway when it was asked and did not answer
    last_error: Mapped[LongText] = mapped_column(default="")
    bank_reference: Mapped[Str120] = mapped_column(default="")
    done_at: Mapped[Moment | None]
    done_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    version: Mapped[int] = mapped_column(default=1)

    credit_note: Mapped[CreditNote] = relationship(back_populates="refund")
    payment: Mapped[Payment] = relationship()


class Operation(StrEnum):
    """What a line of a statement is about."""

    PAIEMENT = "PAIEMENT"
    REMBOURSEMENT = "REMBOURSEMENT"


class StatementMatch(StrEnum):
    """How an operation of the gateway compares with our books (GAT-4)."""

    CONFORME = "CONFORME"
    DEJA_RELEVE = "DEJA_RELEVE"  # the same operation as in an earlier statement whose period overlaps
    INCONNU = "INCONNU"  # no attempt of that number
    IDENTITE = "IDENTITE"  # the number and the gateway's identifier are of two different attempts
    MONTANT = "MONTANT"
    DEVISE = "DEVISE"
    NON_PAYE = "NON_PAYE"  # settled there, not paid here
    EN_DOUBLE = "EN_DOUBLE"  # settled twice for one attempt
    SANS_AVOIR = "SANS_AVOIR"  # given back there, no credit note nor remedy here
    MONTANT_REMBOURSE = "MONTANT_REMBOURSE"
    ABSENT = "ABSENT"  # in our books, missing from the statement of that period


AGREEING = (StatementMatch.CONFORME, StatementMatch.DEJA_RELEVE)
"""Nothing to do about these."""


class StatementImport(Model):
    """A statement of the gateway's settled operations, as imported (GAT-4)."""

    __tablename__ = "statement_imports"

    id: Mapped[Id]
    original_name: Mapped[Str255]
    sha256: Mapped[Str120] = mapped_column(unique=True)
    imported_at: Mapped[Moment]
    imported_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    first_at: Mapped[Moment | None]
    last_at: Mapped[Moment | None]
    row_count: Mapped[int]
    total: Mapped[Millimes]
    storage_key: Mapped[Str255] = mapped_column(default="")  # the file as it came
    matched_at: Mapped[Moment | None]  # when its lines were last compared with the books

    imported_by: Mapped[User | None] = relationship()
    lines: Mapped[list[StatementLine]] = relationship(
        back_populates="statement", cascade="all, delete-orphan", order_by="StatementLine.position"
    )


class StatementLine(Model):
    """One settled operation and what it was matched with."""

    __tablename__ = "statement_lines"
    __table_args__ = (
        UniqueConstraint("statement_id", "position"),
        Index("ix_statement_lines_match", "match", "id"),
        Index("ix_statement_lines_order_number", "order_number"),
        Index(
            "ix_statement_lines_differing",
            "id",
            postgresql_where=text("match NOT IN ('CONFORME', 'DEJA_RELEVE') AND resolved_at IS NULL"),
            sqlite_where=text("match NOT IN ('CONFORME', 'DEJA_RELEVE') AND resolved_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    statement_id: Mapped[int] = mapped_column(BigId, ForeignKey("statement_imports.id", ondelete="CASCADE"))
    position: Mapped[int]
    operation: Mapped[Str40]  # PAIEMENT, REMBOURSEMENT
    order_number: Mapped[Str40]
    gateway_order_id: Mapped[Str120] = mapped_column(default="")
    amount: Mapped[Millimes]
    currency: Mapped[Str16] = mapped_column(default="788")
    approval_code: Mapped[Str40] = mapped_column(default="")
    at: Mapped[Moment]
    payment_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("payments.id"), index=True)
    match: Mapped[Str40]  # a StatementMatch
    difference: Mapped[Millimes] = mapped_column(default=0)
    resolved_at: Mapped[Moment | None]
    resolved_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    resolution: Mapped[LongText] = mapped_column(default="")

    statement: Mapped[StatementImport] = relationship(back_populates="lines")
    payment: Mapped[Payment | None] = relationship()
    resolved_by: Mapped[User | None] = relationship()

    @property
    def verdict(self) -> StatementMatch:
        """How it compares with our books."""
        return StatementMatch(self.match)

    @property
    def what(self) -> Operation:
        """A payment, or money given back."""
        return Operation(self.operation)


class ElectronicInvoice(Model):
    """The TEIF document of an invoice or a credit note (INV-3), made once, and its way to TTN when that is on."""

    __tablename__ = "electronic_invoices"
    __table_args__ = (
        CheckConstraint("(invoice_id IS NULL) <> (credit_note_id IS NULL)", name="one_subject"),
        Index("ix_electronic_invoices_state", "state", "due_at"),
    )

    id: Mapped[Id]
    invoice_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("invoices.id"), unique=True)
    credit_note_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("credit_notes.id"), unique=True)
    storage_key: Mapped[Str255]
    sha256: Mapped[Str120]
    signed: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[Moment]
    state: Mapped[TransmissionState] = mapped_column(
        enum_column(TransmissionState, "state"), default=TransmissionState.NON_ENVOYEE
    )
    due_at: Mapped[Moment | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[LongText] = mapped_column(default="")
    sent_at: Mapped[Moment | None]
    ttn_reference: Mapped[Str120] = mapped_column(default="")
    answered_at: Mapped[Moment | None]
    data: Mapped[Json] = mapped_column(default=dict)  # TTN's answer, its own QR and reference

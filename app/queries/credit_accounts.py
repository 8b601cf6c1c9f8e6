"""An organisation's account of credit: given, used, held by attempts under way, left; it always adds up (AVO-3)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy import func, or_, select
from sqlalchemy.orm import defer, joinedload

from app.extensions import db
from app.models import (
    CreditNote,
    CreditOutcome,
    CreditProposal,
    Invoice,
    LedgerEntry,
    LedgerKind,
    Payment,
    PaymentCredit,
)
from app.permissions import Actor, Permission

PAGE_SIZE = 30
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one credit note or of a whole account, in millimes; ``left`` is what a new basket may count on."""

    issued: int = 0
    used: int = 0
    held: int = 0

    @property
    def left(self) -> int:
        """Neither used nor held."""
        return self.issued - self.used - self.held


@dataclass(frozen=True, slots=True)
class Movement:
    """A line of the ledger, and the balance after it (what attempts hold not taken off); millimes."""

    id: int
    at: datetime
    kind: LedgerKind
    amount: int
    balance: int
    credit_note: str
    invoice: str  # that the credit note gave back, or that the credit paid
    payment: str  # that used the credit; « » for a credit note


@dataclass(frozen=True, slots=True)
class Hold:
    """Credit set aside for an attempt that has no end yet."""

    credit_note: str
    payment: str
    at: datetime
    amount: int


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows, newest first; ``next_before`` is the key of the following page."""

    rows: list[T]
    next_before: int | None


def standing_of(organisation_ids: Collection[int]) -> Standing:
    """The whole account of these organisations."""
    given = func.coalesce(func.sum(LedgerEntry.amount).filter(LedgerEntry.amount > 0), 0)
    taken = func.coalesce(func.sum(LedgerEntry.amount).filter(LedgerEntry.amount < 0), 0)
    row = db.session.execute(select(given, taken).where(LedgerEntry.organisation_id.in_(organisation_ids))).one()
    held = db.session.scalar(
        select(func.coalesce(func.sum(PaymentCredit.amount), 0))
        .join(CreditNote, CreditNote.id == PaymentCredit.credit_note_id)
        .where(PaymentCredit.live, CreditNote.organisation_id.in_(organisation_ids))
    )
    return Standing(int(row[0]), -int(row[1]), int(held or 0))


def standings_by_note(note_ids: Collection[int]) -> dict[int, Standing]:
    """Each credit note's own; those that gave no credit are left out."""
    if not note_ids:
        return {}
    given = func.coalesce(func.sum(LedgerEntry.amount).filter(LedgerEntry.amount > 0), 0)
    taken = func.coalesce(func.sum(LedgerEntry.amount).filter(LedgerEntry.amount < 0), 0)
    live = db.session.execute(
        select(PaymentCredit.credit_note_id, func.sum(PaymentCredit.amount))
        .where(PaymentCredit.live, PaymentCredit.credit_note_id.in_(note_ids))
        .group_by(PaymentCredit.credit_note_id)
    )
    held = {row[0]: int(row[1]) for row in live}
    rows = db.session.execute(
        select(LedgerEntry.credit_note_id, given, taken)
        .where(LedgerEntry.credit_note_id.in_(note_ids))
        .group_by(LedgerEntry.credit_note_id)
    )
    return {row[0]: Standing(int(row[1]), -int(row[2]), held.get(row[0], 0)) for row in rows}


def movements_of(organisation_ids: Collection[int], before: int | None = None) -> Page[Movement]:
    """The ledger's lines, newest first, each with the balance after it."""
    own = LedgerEntry.organisation_id.in_(organisation_ids)
    source, paid = Invoice.__table__.alias("source"), Invoice.__table__.alias("paid")
    statement = (
        select(
            LedgerEntry.id,
            LedgerEntry.at,
            LedgerEntry.kind,
            LedgerEntry.amount,
            CreditNote.number,
            source.c.number.label("given_back"),
            paid.c.number.label("paid"),
            Payment.reference,
        )
        .join(CreditNote, CreditNote.id == LedgerEntry.credit_note_id)
        .join(source, source.c.id == CreditNote.invoice_id)
        .outerjoin(Payment, Payment.id == LedgerEntry.payment_id)
        .outerjoin(paid, paid.c.payment_id == LedgerEntry.payment_id)
        .where(own)
        .order_by(LedgerEntry.id.desc())
        .limit(PAGE_SIZE + 1)
    )
    if before is not None:
        statement = statement.where(LedgerEntry.id < before)
    rows = db.session.execute(statement).all()
    shown = rows[:PAGE_SIZE]
    if not shown:
        return Page([], None)
    balance = int(
        db.session.scalar(select(func.sum(LedgerEntry.amount)).where(own, LedgerEntry.id <= shown[0].id)) or 0
    )
    found = []
    for row in shown:
        is_use = row.kind is LedgerKind.UTILISATION
        found.append(
            Movement(
                row.id,
                row.at,
                row.kind,
                row.amount,
                balance,
                row.number,
                (row.paid if is_use else row.given_back) or "",
                row.reference or "",
            )
        )
        balance -= row.amount
    return Page(found, shown[-1].id if len(rows) > PAGE_SIZE else None)


def holds_of(organisation_ids: Collection[int]) -> list[Hold]:
    """What attempts under way have set aside: few, as a request is in one attempt at most."""
    rows = db.session.execute(
        select(CreditNote.number, Payment.reference, Payment.created_at, PaymentCredit.amount)
        .join(CreditNote, CreditNote.id == PaymentCredit.credit_note_id)
        .join(Payment, Payment.id == PaymentCredit.payment_id)
        .where(PaymentCredit.live, CreditNote.organisation_id.in_(organisation_ids))
        .order_by(PaymentCredit.id)
        .limit(PAGE_SIZE)
    )
    return [Hold(row.number, row.reference, row.created_at, row.amount) for row in rows]


def notes_of(
    organisation_ids: Collection[int], before: int | None = None, *, credit_only: bool = False
) -> Page[CreditNote]:
    """The credit notes of these organisations with their invoice and refund, newest first."""
    statement = (
        select(CreditNote)
        .where(CreditNote.organisation_id.in_(organisation_ids))
        .options(
            defer(CreditNote.snapshot),
            joinedload(CreditNote.invoice).defer(Invoice.snapshot),
            joinedload(CreditNote.refund),
            joinedload(CreditNote.proposal).load_only(CreditProposal.reference),
        )
        .order_by(CreditNote.id.desc())
        .limit(PAGE_SIZE + 1)
    )
    if credit_only:
        statement = statement.where(CreditNote.outcome == CreditOutcome.CREDIT)
    if before is not None:
        statement = statement.where(CreditNote.id < before)
    rows = list(db.session.scalars(statement))
    return Page(rows[:PAGE_SIZE], rows[PAGE_SIZE - 1].id if len(rows) > PAGE_SIZE else None)


def credit_note_for(actor: Actor, number: str) -> CreditNote | None:
    """A credit note by its number: the organisation's administrators' own, or any for staff who read billing."""
    allowed = [CreditNote.organisation_id.in_(actor.organisation_ids)] if actor.can(Permission.PAY) else []
    if actor.can(Permission.READ_BILLING):
        allowed.append(CreditNote.id.is_not(None))
    if not allowed:
        return None
    return db.session.scalar(select(CreditNote).where(CreditNote.number == number, or_(*allowed)))


def credit_note_by_code(code: str) -> CreditNote | None:
    """The credit note a QR code names; hyphens, spaces and case do not count (INV-2)."""
    tidy = "".join(character for character in code.upper() if character.isascii() and character.isalnum())
    return db.session.scalar(select(CreditNote).where(CreditNote.verification_code == tidy[:40])) if tidy else None


@dataclass(frozen=True, slots=True)
class OwnCredits:
    """« Mes avoirs »: what an administrator sees of it."""

    standing: Standing
    notes: Page[CreditNote]
    by_note: dict[int, Standing]
    movements: Page[Movement]
    holds: Sequence[Hold]


def own_credits(actor: Actor, notes_before: int | None, movements_before: int | None) -> OwnCredits | None:
    """The credit notes and account of the organisations the actor pays for; None when they never had any."""
    own = actor.organisation_ids if actor.can(Permission.PAY) else frozenset()
    notes = notes_of(own, notes_before) if own else Page([], None)
    if not notes.rows and notes_before is None:
        return None
    return OwnCredits(
        standing_of(own),
        notes,
        standings_by_note([note.id for note in notes.rows if note.outcome is CreditOutcome.CREDIT]),
        movements_of(own, movements_before),
        holds_of(own),
    )

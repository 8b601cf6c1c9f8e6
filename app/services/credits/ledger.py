"""An organisation's credit: given by credit notes, set aside by attempts, used by paid ones (AVO-3, PAY-2).

The ledger's lines are only ever added. What may be spent is their sum less what live attempts hold. Callers hold
the organisation's lock, so that two baskets never count on the same credit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from app import clock
from app.extensions import db
from app.models import CreditNote, LedgerEntry, LedgerKind, Payment, PaymentCredit


@dataclass(frozen=True, slots=True)
class Share:
    """A part of one credit note's credit; millimes."""

    credit_note_id: int
    amount: int


def balance_of(organisation_id: int) -> int:
    """Issued less used, in millimes; what attempts under way hold is still in it."""
    return int(
        db.session.scalar(
            select(func.coalesce(func.sum(LedgerEntry.amount), 0)).where(LedgerEntry.organisation_id == organisation_id)
        )
        or 0
    )


def shares_left(organisation_id: int, *, but: Sequence[int] = ()) -> list[Share]:
    """What each credit note still holds and no live attempt has set aside, oldest first.

    ``but``: attempts about to be ended, whose share counts as free.
    """
    held = (
        select(PaymentCredit.credit_note_id, func.sum(PaymentCredit.amount).label("held"))
        .where(PaymentCredit.live, PaymentCredit.payment_id.not_in(but))
        .group_by(PaymentCredit.credit_note_id)
        .subquery()
    )
    rows = db.session.execute(
        select(
            LedgerEntry.credit_note_id,
            (func.sum(LedgerEntry.amount) - func.coalesce(func.max(held.c.held), 0)).label("left"),
        )
        .join(CreditNote, CreditNote.id == LedgerEntry.credit_note_id)
        .outerjoin(held, held.c.credit_note_id == LedgerEntry.credit_note_id)
        .where(LedgerEntry.organisation_id == organisation_id)
        .group_by(LedgerEntry.credit_note_id)
        .order_by(func.min(CreditNote.issued_at), LedgerEntry.credit_note_id)
    )
    return [Share(row.credit_note_id, int(row.left)) for row in rows if int(row.left) > 0]


def available_to(organisation_id: int, *, but: Sequence[int] = ()) -> int:
    """What a new basket may count on, in millimes (PAY-2)."""
    return sum(share.amount for share in shares_left(organisation_id, but=but))


def allocate(organisation_id: int, due: int) -> list[Share]:
    """The credit for a basket of ``due`` millimes: oldest first, the last one in part (AVO-3)."""
    taken: list[Share] = []
    for share in shares_left(organisation_id):
        if due <= 0:
            break
        amount = min(share.amount, due)
        taken.append(Share(share.credit_note_id, amount))
        due -= amount
    return taken


def give(credit_note: CreditNote) -> LedgerEntry:
    """Write the credit of a credit note just issued."""
    entry = LedgerEntry(
        organisation_id=credit_note.organisation_id,
        kind=LedgerKind.AVOIR,
        amount=credit_note.total_ttc,
        credit_note_id=credit_note.id,
        at=clock.now(),
    )
    db.session.add(entry)
    db.session.flush()
    return entry


def set_aside(payment: Payment, shares: list[Share]) -> None:
    """Hold credit for an attempt just written: nobody else can count on it while it is live."""
    db.session.add_all(
        PaymentCredit(payment_id=payment.id, credit_note_id=share.credit_note_id, amount=share.amount)
        for share in shares
    )
    db.session.flush()


def shares_of(payment: Payment) -> list[PaymentCredit]:
    """What an attempt set aside, live or not; nothing is asked about one that counts on no credit."""
    if not payment.credit_used:
        return []
    return list(
        db.session.scalars(
            select(PaymentCredit).where(PaymentCredit.payment_id == payment.id).order_by(PaymentCredit.credit_note_id)
        )
    )


def covers(payment: Payment) -> bool:
    """Is the credit this attempt counted on still there? An ended attempt's may have been spent elsewhere."""
    shares = shares_of(payment)
    if all(share.live for share in shares):
        return True
    left = {share.credit_note_id: share.amount for share in shares_left(payment.organisation_id)}
    return all(share.live or left.get(share.credit_note_id, 0) >= share.amount for share in shares)


def let_go(payment: Payment) -> None:
    """The attempt has its end unpaid: its credit is free again."""
    for share in shares_of(payment):
        share.live = False
    db.session.flush()


def spend(payment: Payment) -> None:
    """The attempt is paid: its credit is used, once and for all. ``covers`` was asked under the same locks."""
    moment = clock.now()
    for share in shares_of(payment):
        share.live = False
        db.session.add(
            LedgerEntry(
                organisation_id=payment.organisation_id,
                kind=LedgerKind.UTILISATION,
                amount=-share.amount,
                credit_note_id=share.credit_note_id,
                payment_id=payment.id,
                at=moment,
            )
        )
    db.session.flush()

"""Comparing settled operations with attempts, invoices and refunds, in bulk (GAT-4).

A statement is judged against our books and against the statements imported before it. Look-ups go by thousands of
keys at once: fifty thousand operations take a few dozen statements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from app import clock
from app.extensions import db
from app.models import (
    Operation,
    Payment,
    PaymentMethod,
    PaymentRemedy,
    Refund,
    RefundMethod,
    RemedyKind,
    StatementImport,
    StatementLine,
    StatementMatch,
)
from app.queries.lists import start_of
from app.services.statements.reading import DINAR, StatementRow
from app.states import Anomaly, PaymentState, RefundState, RemedyState

CHUNK = 5_000
_GIVEN = (RemedyKind.PASSERELLE, RemedyKind.CONSTAT)


@dataclass(frozen=True, slots=True)
class Found:
    """How one operation compares. ``difference`` in millimes: the gateway's side less ours."""

    match: StatementMatch
    payment_id: int | None = None
    difference: int = 0


@dataclass(frozen=True, slots=True)
class Missing:
    """Something of our books that the statement of its day does not hold."""

    operation: Operation
    payment_id: int
    order_number: str
    gateway_order_id: str
    amount: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Period:
    """The days that a statement covers: from ``first`` (included) to ``end`` (not included)."""

    first: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class _Book:
    """What our books say of one attempt."""

    id: int
    reference: str
    gateway_order_id: str
    amount: int
    settled: bool  # paid and invoiced, or put in order at the desk


@dataclass(frozen=True, slots=True)
class _Seen:
    """An operation of an earlier statement, or of an earlier line of this one."""

    operation: str
    amount: int
    at: datetime
    elsewhere: bool


def period_of(rows: Sequence[StatementRow], first: datetime | None = None, end: datetime | None = None) -> Period:
    """The days of the operations, or those that a person gave; a day not over ends with its last operation."""
    moments = [row.at for row in rows]
    start = first or start_of(clock.local(min(moments)).date())
    stop = end or start_of(clock.local(max(moments)).date() + timedelta(days=1))
    return Period(start, stop if stop <= clock.now() else max(moments) + timedelta(seconds=1))


def judge(rows: Sequence[StatementRow], before_id: int | None = None) -> list[Found]:
    """How each operation compares, in the rows' order. ``before_id``: only statements imported before it count."""
    books = _Books.of(rows)
    payments = [books.named(row) for row in rows]
    ids = sorted({each.id for each in payments if isinstance(each, _Book)})
    seen = _earlier(ids, before_id)
    refunds = _Refunds(_given_back(ids), seen)
    found: list[Found] = []
    for row, payment in zip(rows, payments, strict=True):
        found.append(_judged(row, payment, seen, refunds))
    return refunds.paired(rows, found)


def _judged(
    row: StatementRow, payment: _Book | StatementMatch, seen: dict[int, list[_Seen]], refunds: _Refunds
) -> Found:
    if row.currency != DINAR:
        return Found(StatementMatch.DEVISE, payment.id if isinstance(payment, _Book) else None, row.amount)
    if isinstance(payment, StatementMatch):
        return Found(payment, None, row.amount)
    before = [each for each in seen[payment.id] if each.operation == row.operation]
    again = any(each.elsewhere and each.amount == row.amount and _same_moment(each.at, row.at) for each in before)
    if again:
        return Found(StatementMatch.DEJA_RELEVE, payment.id)
    seen[payment.id].append(_Seen(row.operation, row.amount, row.at, elsewhere=False))
    if row.operation is Operation.REMBOURSEMENT:
        return refunds.take(payment.id, row.amount)
    if before:
        return Found(StatementMatch.EN_DOUBLE, payment.id, row.amount)
    if row.amount != payment.amount and not payment.settled:
        return Found(StatementMatch.MONTANT, payment.id, row.amount - payment.amount)
    if not payment.settled:
        return Found(StatementMatch.NON_PAYE, payment.id, row.amount)
    if row.amount != payment.amount:
        return Found(StatementMatch.MONTANT, payment.id, row.amount - payment.amount)
    return Found(StatementMatch.CONFORME, payment.id)


def _same_moment(one: datetime, other: datetime) -> bool:
    """The same to the minute; a day without an hour is the same as any hour of it."""
    here, there = clock.local(one), clock.local(other)
    if here.date() == there.date() and 0 in (here.hour * 60 + here.minute, there.hour * 60 + there.minute):
        return True
    return abs(one - other) < timedelta(minutes=1)


class _Books:
    """The attempts that a statement may name."""

    def __init__(self, books: Iterable[_Book]) -> None:
        self._by_reference: dict[str, _Book] = {}
        self._by_order_id: dict[str, _Book] = {}
        for book in books:
            self._by_reference[book.reference.upper()] = book
            if book.gateway_order_id:
                self._by_order_id[book.gateway_order_id.lower()] = book

    @classmethod
    def of(cls, rows: Sequence[StatementRow]) -> _Books:
        """Everything that these rows name."""
        columns = [
            (Payment.reference, {row.order_number for row in rows if row.order_number}),
            (Payment.gateway_order_id, {row.gateway_order_id for row in rows if row.gateway_order_id}),
        ]
        found: dict[int, _Book] = {}
        for column, keys in columns:
            for chunk in _chunks(sorted(keys)):
                for each in db.session.execute(
                    select(
                        Payment.id,
                        Payment.reference,
                        Payment.gateway_order_id,
                        Payment.amount,
                        Payment.state,
                        Payment.remedied_at,
                    ).where(column.in_(chunk))
                ):
                    settled = each.state is PaymentState.PAYE or each.remedied_at is not None
                    found[each.id] = _Book(each.id, each.reference, each.gateway_order_id or "", each.amount, settled)
        return cls(found.values())

    def named(self, row: StatementRow) -> _Book | StatementMatch:
        """The attempt of a row; INCONNU for none, IDENTITE when its number and identifier are of two."""
        by_number = self._by_reference.get(row.order_number) if row.order_number else None
        by_id = self._by_order_id.get(row.gateway_order_id) if row.gateway_order_id else None
        if by_number is None and by_id is None:
            return StatementMatch.INCONNU
        if row.order_number and row.gateway_order_id:
            lost = by_number is not None and not by_number.gateway_order_id  # its registration's answer never came
            if by_number is not by_id and not lost:
                return StatementMatch.IDENTITE
        book = by_number or by_id
        return StatementMatch.INCONNU if book is None else book


def _earlier(payment_ids: Sequence[int], before_id: int | None) -> dict[int, list[_Seen]]:
    """What earlier statements hold of these attempts, in order."""
    found: dict[int, list[_Seen]] = defaultdict(list)
    for chunk in _chunks(payment_ids):
        statement = (
            select(StatementLine.payment_id, StatementLine.operation, StatementLine.amount, StatementLine.at)
            .where(
                StatementLine.payment_id.in_(chunk),
                StatementLine.match.not_in((StatementMatch.ABSENT, StatementMatch.DEJA_RELEVE, StatementMatch.DEVISE)),
            )
            .order_by(StatementLine.statement_id, StatementLine.position)
        )
        if before_id is not None:
            statement = statement.where(StatementLine.statement_id < before_id)
        for each in db.session.execute(statement):
            found[each.payment_id].append(_Seen(each.operation, each.amount, each.at, elsewhere=True))
    return found


def _given_back(payment_ids: Sequence[int]) -> dict[int, list[int]]:
    """What our books gave back of these attempts, by amounts: by the gateway first, then by hand."""
    found: dict[int, list[int]] = defaultdict(list)
    for chunk in _chunks(payment_ids):
        for refund in db.session.execute(
            select(Refund.payment_id, Refund.amount)
            .where(Refund.payment_id.in_(chunk), Refund.state == RefundState.REMBOURSE)
            .order_by(Refund.method != RefundMethod.PASSERELLE, Refund.id)
        ):
            found[refund.payment_id].append(refund.amount)
        for remedy in db.session.execute(
            select(PaymentRemedy.payment_id, PaymentRemedy.amount).where(
                PaymentRemedy.payment_id.in_(chunk),
                PaymentRemedy.state == RemedyState.FAIT,
                PaymentRemedy.kind.in_(_GIVEN),
                PaymentRemedy.anomaly != Anomaly.PREAUTHORISED,
            )
        ):
            found[remedy.payment_id].append(remedy.amount)
    return found


class _Refunds:
    """Our refunds still to be found in statements. Equal amounts go together first, what is left in order."""

    def __init__(self, books: dict[int, list[int]], seen: Mapping[int, list[_Seen]]) -> None:
        self._left = books
        for payment_id, operations in seen.items():
            given = [each.amount for each in operations if each.operation == Operation.REMBOURSEMENT]
            unpaired = [amount for amount in given if not self._takes(payment_id, amount)]
            del self._left.get(payment_id, [])[: len(unpaired)]  # earlier lines said that these amounts differ

    def _takes(self, payment_id: int, amount: int) -> bool:
        left = self._left.get(payment_id, [])
        if amount not in left:
            return False
        left.remove(amount)
        return True

    def take(self, payment_id: int, amount: int) -> Found:
        """A refund of ours of that amount; SANS_AVOIR, to be paired afterwards, when there is none."""
        if self._takes(payment_id, amount):
            return Found(StatementMatch.CONFORME, payment_id)
        return Found(StatementMatch.SANS_AVOIR, payment_id, amount)

    def paired(self, rows: Sequence[StatementRow], found: list[Found]) -> list[Found]:
        """Those without their equal take a refund of another amount, when one is left: the amount differs."""
        paired = []
        for row, each in zip(rows, found, strict=True):
            left = self._left.get(each.payment_id or 0)
            if each.match is StatementMatch.SANS_AVOIR and left:
                each = Found(StatementMatch.MONTANT_REMBOURSE, each.payment_id, row.amount - left.pop(0))
            paired.append(each)
        return paired


# ---------------------------------------------------------------------------------- what the statement lacks


def missing_from(
    period: Period, rows: Sequence[StatementRow], found: Sequence[Found], own_id: int | None = None
) -> list[Missing]:
    """What our books paid or gave back within the period, and that no statement holds (« absent du relevé »).

    The gateway's moment of a payment lies between its creation and its end here: a payment counts only when both are
    within days that statements cover without a hole.
    """
    named = {each.payment_id for each in found if each.payment_id is not None}
    paid = {
        each.payment_id
        for row, each in zip(rows, found, strict=True)
        if row.operation is Operation.PAIEMENT and each.payment_id is not None
    }
    told = select(StatementLine.id).where(
        StatementLine.payment_id == Payment.id,
        StatementLine.operation == Operation.PAIEMENT,
        StatementLine.match != StatementMatch.ABSENT,
    )
    if own_id is not None:
        told = told.where(StatementLine.statement_id != own_id)
    payments = db.session.execute(
        select(Payment.id, Payment.reference, Payment.gateway_order_id, Payment.amount, Payment.settled_at)
        .where(
            Payment.state == PaymentState.PAYE,
            Payment.method != PaymentMethod.CREDIT,
            Payment.settled_at >= period.first,
            Payment.settled_at < period.end,
            Payment.created_at >= _covered_since(period, own_id),
            Payment.created_at < period.end,
            ~told.correlate(Payment).exists(),
        )
        .order_by(Payment.settled_at, Payment.id)
    )
    missing = [
        Missing(
            Operation.PAIEMENT,
            each.id,
            each.reference,
            each.gateway_order_id or "",
            each.amount,
            each.settled_at or period.first,
        )
        for each in payments
        if each.id not in paid
    ]
    return missing + _missing_refunds(period, rows, found, named, own_id)


def _covered_since(period: Period, own_id: int | None) -> datetime:
    """Where the days without a hole that lead to this period begin, by all statements."""
    spans = db.session.execute(
        select(StatementImport.first_at, StatementImport.last_at)
        .where(
            StatementImport.first_at.is_not(None),
            StatementImport.id != (own_id or 0),
            StatementImport.first_at < period.first,
        )
        .order_by(StatementImport.last_at.desc())
    ).all()
    since = period.first
    for first, end in spans:
        if first is not None and end is not None and end >= since > first:
            since = first
    return since


def _missing_refunds(
    period: Period, rows: Sequence[StatementRow], found: Sequence[Found], named: set[int], own_id: int | None
) -> list[Missing]:
    done = _refunds_done(period)
    ids = sorted({each.payment_id for each in done})
    told: dict[int, list[int]] = defaultdict(list)
    for chunk in _chunks(ids):
        statement = select(StatementLine.payment_id, StatementLine.amount).where(
            StatementLine.payment_id.in_(chunk),
            StatementLine.operation == Operation.REMBOURSEMENT,
            StatementLine.match.not_in((StatementMatch.ABSENT, StatementMatch.DEJA_RELEVE)),
        )
        if own_id is not None:
            statement = statement.where(StatementLine.statement_id != own_id)
        for each in db.session.execute(statement):
            told[each.payment_id].append(each.amount)
    for row, judged in zip(rows, found, strict=True):
        if row.operation is Operation.REMBOURSEMENT and judged.payment_id in named:
            told[judged.payment_id].append(row.amount)
    missing = []
    for refund in done:
        amounts = told[refund.payment_id]
        if refund.amount in amounts:
            amounts.remove(refund.amount)
        elif amounts:
            amounts.pop(0)  # told with another amount: that line says so
        else:
            missing.append(refund)
    return missing


def _refunds_done(period: Period) -> list[Missing]:
    """What we had the gateway give back within the period."""
    refunds = db.session.execute(
        select(Payment.id, Payment.reference, Payment.gateway_order_id, Refund.amount, Refund.done_at)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(
            Refund.method == RefundMethod.PASSERELLE,
            Refund.state == RefundState.REMBOURSE,
            Refund.done_at >= period.first,
            Refund.done_at < period.end,
        )
        .order_by(Refund.id)
    )
    remedies = db.session.execute(
        select(Payment.id, Payment.reference, Payment.gateway_order_id, PaymentRemedy.amount, PaymentRemedy.done_at)
        .join(Payment, Payment.id == PaymentRemedy.payment_id)
        .where(
            PaymentRemedy.kind == RemedyKind.PASSERELLE,
            PaymentRemedy.state == RemedyState.FAIT,
            PaymentRemedy.currency == DINAR,
            PaymentRemedy.anomaly != Anomaly.PREAUTHORISED,  # released, never taken: no statement holds it
            PaymentRemedy.done_at >= period.first,
            PaymentRemedy.done_at < period.end,
        )
        .order_by(PaymentRemedy.id)
    )
    return [
        Missing(Operation.REMBOURSEMENT, row[0], row[1], row[2] or "", row[3], row[4] or period.first)
        for row in (*refunds, *remedies)
    ]


def _chunks(keys: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (keys[at : at + CHUNK] for at in range(0, len(keys), CHUNK))

"""Importing a statement: shown first, kept whole or not at all, compared again when the books change (GAT-4)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from app import clock
from app.adapters.storage import FileNotStored, new_key
from app.errors import DomainError
from app.extensions import db
from app.models import AGREEING, Operation, StatementImport, StatementLine, StatementMatch
from app.permissions import Actor, Permission
from app.queries.lists import start_of
from app.services import audit, files
from app.services.authority import require
from app.services.locking import lock
from app.services.statements.matching import Found, Missing, Period, judge, missing_from, period_of
from app.services.statements.reading import DINAR, Reading, StatementRow, WrongCell, read_statement
from app.services.unit_of_work import use_case

LIFE = timedelta(hours=4)
"""How long a preview may be confirmed; its file goes with the orphans after a day."""
SHOWN = 50
BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do. Without ``token`` nothing can be confirmed: the file has ``problems``."""

    name: str
    token: str
    problems: Sequence[WrongCell]
    problem_count: int
    rows: int
    unit: str
    period: Period | None
    paid: int  # millimes
    given_back: int  # millimes
    counts: dict[StatementMatch, int]
    differing: Sequence[tuple[StatementRow, Found]]
    missing: Sequence[Missing]


def preview(
    data: bytes, name: str, *, actor: Actor, unit: str = "auto", first: date | None = None, last: date | None = None
) -> Preview:
    """Read a statement and compare it, without keeping anything but the file itself, for ``confirm``.

    ``first`` and ``last``: the days it covers, when days without operations matter. Raises Forbidden, DomainError on
    ``file``, ``unit``, ``first`` or ``last``.
    """
    require(actor, Permission.SETTLE_PAYMENTS)
    sha256 = hashlib.sha256(data).hexdigest()
    known = _imported(sha256)
    if known is not None:
        raise DomainError(
            _(
                "Ce relevé est déjà importé, le %(when)s : « %(name)s ».",
                when=clock.local(known.imported_at).strftime("%d/%m/%Y à %H:%M"),
                name=known.original_name,
            ),
            field="file",
        )
    reading = read_statement(data, unit=unit)
    if reading.problem_count:
        return Preview(
            name, "", reading.problems, reading.problem_count, len(reading.rows), reading.unit, None, 0, 0, {}, (), ()
        )
    period = _period(reading, first, last)
    found = judge(reading.rows)
    missing = missing_from(period, reading.rows, found)
    key = new_key("statements")
    db.session.rollback()
    files.storage().put(key, data)
    counts = Counter(each.match for each in found)
    if missing:
        counts[StatementMatch.ABSENT] = len(missing)
    differing = [pair for pair in zip(reading.rows, found, strict=True) if pair[1].match not in AGREEING]
    content = {
        "key": key,
        "name": name[:255],
        "unit": reading.unit,
        "first": first.isoformat() if first else None,
        "last": last.isoformat() if last else None,
    }
    return Preview(
        name=name,
        token=str(_serializer(actor).dumps(content)),
        problems=(),
        problem_count=0,
        rows=len(reading.rows),
        unit=reading.unit,
        period=period,
        paid=_sum(reading.rows, Operation.PAIEMENT),
        given_back=_sum(reading.rows, Operation.REMBOURSEMENT),
        counts=dict(counts),
        differing=differing[:SHOWN],
        missing=missing[:SHOWN],
    )


def confirm(token: str, *, actor: Actor) -> int:
    """Keep what the preview showed; the statement's id. Pressed twice, it is kept once.

    Raises Forbidden, DomainError when the preview is somebody else's or too old.
    """
    require(actor, Permission.SETTLE_PAYMENTS)
    try:
        content = _serializer(actor).loads(token, max_age=int(LIFE.total_seconds()))
        data = files.storage().get(content["key"])
    except (BadData, FileNotStored):
        raise DomainError(_("Cet aperçu n'est plus valable : envoyez le relevé de nouveau.")) from None
    first, last = (date.fromisoformat(text) if text else None for text in (content["first"], content["last"]))
    try:
        return keep(
            data, name=content["name"], key=content["key"], unit=content["unit"], first=first, last=last, actor=actor
        )
    except IntegrityError:  # pressed twice in the same instant
        known = _imported(hashlib.sha256(data).hexdigest())
        if known is None:
            raise
        return known.id


@use_case
def keep(
    data: bytes,
    *,
    name: str,
    key: str,
    actor: Actor,
    unit: str = "auto",
    first: date | None = None,
    last: date | None = None,
) -> int:
    """Write a statement that reads well, and how its operations compare; its id. One kept already is left as it is.

    ``key``: where its file is stored. Raises Forbidden, DomainError as ``preview``.
    """
    require(actor, Permission.SETTLE_PAYMENTS)
    sha256 = hashlib.sha256(data).hexdigest()
    known = _imported(sha256)
    if known is not None:
        return known.id
    reading = read_statement(data, unit=unit)
    if reading.problem_count:
        raise DomainError(_("Ce relevé a des valeurs fausses : rien n'est importé."), field="file")
    period = _period(reading, first, last)
    found = judge(reading.rows)
    statement = StatementImport(
        original_name=name[:255],
        sha256=sha256,
        imported_at=clock.now(),
        imported_by_id=actor.user_id,
        first_at=period.first,
        last_at=period.end,
        row_count=len(reading.rows),
        total=_sum(reading.rows, Operation.PAIEMENT) - _sum(reading.rows, Operation.REMBOURSEMENT),
        storage_key=key,
        matched_at=clock.now(),
    )
    db.session.add(statement)
    db.session.flush()
    lines = [
        _line(statement.id, position, row, each)
        for position, (row, each) in enumerate(zip(reading.rows, found, strict=True), 1)
    ]
    missing = missing_from(period, reading.rows, found, statement.id)
    lines += [_absent(statement.id, len(reading.rows) + n, each) for n, each in enumerate(missing, 1)]
    for at in range(0, len(lines), BATCH):
        db.session.execute(insert(StatementLine), lines[at : at + BATCH])
    facts = {"name": statement.original_name, "rows": statement.row_count, "sha256": sha256, "missing": len(missing)}
    audit.record(actor, "import_statement", statement, after=facts)
    return statement.id


@use_case
def match_again(statement_id: int, *, actor: Actor) -> int:
    """Compare a statement with the books as they are now; how many of its lines changed.

    A line filed for one difference comes back when the difference becomes another. Raises Forbidden, NotFound.
    """
    require(actor, Permission.SETTLE_PAYMENTS)
    statement = lock(StatementImport, statement_id)
    lines = db.session.execute(
        select(
            StatementLine.id,
            StatementLine.position,
            StatementLine.operation,
            StatementLine.order_number,
            StatementLine.gateway_order_id,
            StatementLine.amount,
            StatementLine.currency,
            StatementLine.approval_code,
            StatementLine.at,
            StatementLine.payment_id,
            StatementLine.match,
            StatementLine.difference,
        )
        .where(StatementLine.statement_id == statement.id)
        .order_by(StatementLine.position)
    ).all()
    told = [line for line in lines if line.match != StatementMatch.ABSENT]
    rows = [
        StatementRow(
            line.position,
            Operation(line.operation),
            line.order_number,
            line.gateway_order_id,
            line.amount,
            line.currency,
            line.approval_code,
            line.at,
        )
        for line in told
    ]
    found = judge(rows, statement.id)
    changes = [
        {
            "id": line.id,
            "payment_id": each.payment_id,
            "match": each.match,
            "difference": each.difference,
            "resolved_at": None,
            "resolved_by_id": None,
            "resolution": "",
        }
        for line, each in zip(told, found, strict=True)
        if (line.payment_id, line.match, line.difference) != (each.payment_id, each.match, each.difference)
    ]
    for at in range(0, len(changes), BATCH):
        db.session.execute(update(StatementLine), changes[at : at + BATCH])
    period = Period(statement.first_at or statement.imported_at, statement.last_at or statement.imported_at)
    missing = missing_from(period, rows, found, statement.id)
    absent = [line for line in lines if line.match == StatementMatch.ABSENT]
    changed = len(changes) + _refresh_absent(statement.id, absent, missing, len(lines))
    statement.matched_at = clock.now()
    audit.record(actor, "match_statement", statement, after={"changed": changed})
    return changed


@use_case
def file_line(line_id: int, *, reason: str, actor: Actor) -> StatementLine:
    """« Classer » a difference: why, by whom, when. Raises Forbidden, NotFound, DomainError."""
    require(actor, Permission.SETTLE_PAYMENTS)
    line = lock(StatementLine, line_id)
    if line.verdict in AGREEING:
        raise DomainError(_("Cette ligne concorde avec nos livres : il n'y a rien à classer."))
    if line.resolved_at is not None:
        raise DomainError(_("Cette ligne est déjà classée."))
    reason = reason.strip()
    if not 3 <= len(reason) <= 2000:
        raise DomainError(_("Écrivez la raison : elle est gardée avec la ligne."), field="reason")
    line.resolved_at, line.resolved_by_id, line.resolution = clock.now(), actor.user_id, reason
    facts = {"order_number": line.order_number, "match": line.match, "difference": line.difference, "reason": reason}
    audit.record(actor, "file_statement_line", line, after=facts)
    return line


def _refresh_absent(statement_id: int, lines: Sequence[Any], missing: Sequence[Missing], count: int) -> int:
    """Drop what the statements hold by now, add what they lack; those still lacking stay, filed or not."""
    wanted = Counter((each.payment_id, each.operation, each.amount) for each in missing)
    gone = []
    for line in lines:
        key = (line.payment_id, Operation(line.operation), line.amount)
        if wanted[key] > 0:
            wanted[key] -= 1
        else:
            gone.append(line.id)
    for line_id in gone:
        db.session.delete(db.session.get_one(StatementLine, line_id))
    added = []
    position = max([line.position for line in lines], default=count)
    for each in missing:
        key = (each.payment_id, each.operation, each.amount)
        if wanted[key] > 0:
            wanted[key] -= 1
            position += 1
            added.append(_absent(statement_id, position, each))
    db.session.flush()
    if added:
        db.session.execute(insert(StatementLine), added)
    return len(gone) + len(added)


def _line(statement_id: int, position: int, row: StatementRow, found: Found) -> dict[str, Any]:
    return {
        "statement_id": statement_id,
        "position": position,
        "operation": row.operation,
        "order_number": row.order_number,
        "gateway_order_id": row.gateway_order_id,
        "amount": row.amount,
        "currency": row.currency,
        "approval_code": row.approval_code,
        "at": row.at,
        "payment_id": found.payment_id,
        "match": found.match,
        "difference": found.difference,
        "resolution": "",
    }


def _absent(statement_id: int, position: int, missing: Missing) -> dict[str, Any]:
    number, order_id = missing.order_number, missing.gateway_order_id
    row = StatementRow(position, missing.operation, number, order_id, missing.amount, DINAR, "", missing.at)
    return _line(statement_id, position, row, Found(StatementMatch.ABSENT, missing.payment_id, -missing.amount))


def _period(reading: Reading, first: date | None, last: date | None) -> Period:
    """The statement's days. Raises DomainError on ``first`` or ``last`` when its operations are of other days."""
    days = [clock.local(row.at).date() for row in reading.rows]
    if first is not None and min(days) < first:
        raise DomainError(
            _("Le relevé a des opérations du %(day)s, avant ce jour.", day=min(days).strftime("%d/%m/%Y")),
            field="first",
        )
    if last is not None and max(days) > last:
        raise DomainError(
            _("Le relevé a des opérations du %(day)s, après ce jour.", day=max(days).strftime("%d/%m/%Y")),
            field="last",
        )
    end: datetime | None = start_of(last + timedelta(days=1)) if last is not None else None
    return period_of(reading.rows, start_of(first) if first is not None else None, end)


def _sum(rows: Sequence[StatementRow], operation: Operation) -> int:
    return sum(row.amount for row in rows if row.operation is operation and row.currency == DINAR)


def _imported(sha256: str) -> StatementImport | None:
    return db.session.scalar(select(StatementImport).where(StatementImport.sha256 == sha256))


def _serializer(actor: Actor) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.secret_key or "", salt=f"statement:{actor.user_id}")

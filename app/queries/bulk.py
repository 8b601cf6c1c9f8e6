"""Bulk runs as their pages show them: whose they are, how far they got, row by row (QUE-4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import joinedload

from app.errors import NotFound
from app.extensions import db
from app.models import BulkOutcome, BulkRow, BulkRun, User
from app.permissions import Actor, Permission
from app.queries.lists import Sort, Source, Tab

PAGE = 100


@dataclass(frozen=True, slots=True)
class Progress:
    """How many rows of a run are done, refused and left."""

    done: int
    refused: int
    left: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.done + self.refused + self.left


def _count(outcome: BulkOutcome) -> Any:
    return (
        select(func.count(BulkRow.id))
        .where(BulkRow.run_id == BulkRun.id, BulkRow.outcome == outcome)
        .correlate(BulkRun)
        .scalar_subquery()
    )


@cache
def _rows() -> Select[*tuple[Any, ...]]:
    return select(
        BulkRun.id,
        BulkRun.public_id,
        BulkRun.action,
        BulkRun.created_at,
        BulkRun.finished_at,
        func.trim(User.first_name + " " + User.last_name).label("author"),
        _count(BulkOutcome.FAIT).label("done"),
        _count(BulkOutcome.REFUSE).label("refused"),
        _count(BulkOutcome.A_FAIRE).label("left"),
    ).join(User, User.id == BulkRun.user_id)


def _scope(actor: Actor) -> ColumnElement[bool] | None:
    """Everybody's for supervisors, else one's own."""
    if actor.can(Permission.REASSIGN_FILES):
        return None
    return BulkRun.user_id == actor.user_id if actor.user_id is not None else BulkRun.id.is_(None)


SOURCE = Source(
    model=BulkRun,
    rows=_rows,
    tabs=(
        Tab("les-miens", _l("Les miens"), lambda actor: BulkRun.user_id == actor.user_id, "date", descending=True),
        Tab("en-cours", _l("En cours"), lambda _actor: BulkRun.finished_at.is_(None), "date", descending=True),
        Tab("tous", _l("Tous"), lambda _actor: None, "date", descending=True),
    ),
    sorts={"date": Sort(BulkRun.created_at)},
    scope=_scope,
)


def run_named(actor: Actor, public_id: str) -> BulkRun:
    """A run of the actor's, or anybody's for a supervisor. Raises NotFound."""
    run = db.session.scalar(
        select(BulkRun).where(BulkRun.public_id == public_id[:40]).options(joinedload(BulkRun.user))
    )
    if run is None or not (run.user_id == actor.user_id or actor.can(Permission.REASSIGN_FILES)):
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    return run


def progress_of(run_id: int) -> Progress:
    """One statement."""
    counted = select(BulkRow.outcome, func.count(BulkRow.id)).where(BulkRow.run_id == run_id)
    found = {row[0]: row[1] for row in db.session.execute(counted.group_by(BulkRow.outcome))}
    return Progress(found.get(BulkOutcome.FAIT, 0), found.get(BulkOutcome.REFUSE, 0), found.get(BulkOutcome.A_FAIRE, 0))


def rows_of(run_id: int, *, outcome: BulkOutcome | None = None, after: int = 0, size: int = PAGE) -> list[BulkRow]:
    """Rows in order, from after a position: one more than ``size`` when others follow."""
    statement = select(BulkRow).where(BulkRow.run_id == run_id, BulkRow.position > after)
    if outcome is not None:
        statement = statement.where(BulkRow.outcome == outcome)
    return list(db.session.scalars(statement.order_by(BulkRow.position).limit(size + 1)))


def result_lines(run_id: int) -> Iterator[Any]:
    """Reference, own values, outcome, sentence and moment of every row, for the CSV."""
    yield from db.session.execute(
        select(BulkRow.position, BulkRow.reference, BulkRow.data, BulkRow.outcome, BulkRow.message, BulkRow.done_at)
        .where(BulkRow.run_id == run_id)
        .order_by(BulkRow.position)
    )

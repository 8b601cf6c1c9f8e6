"""References and numbers: one counter row a series, locked until the transaction ends, hence gapless (INV-1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from app import clock
from app.extensions import db
from app.models import Counter


def take_numbers(series: str, count: int = 1) -> range:
    """The next ``count`` numbers of a series. A rollback gives them back; nobody else can take them meanwhile."""
    insert = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    db.session.execute(insert(Counter).values(series=series, last=0).on_conflict_do_nothing())
    db.session.execute(update(Counter).where(Counter.series == series).values(last=Counter.last + count))
    last = db.session.scalar(
        select(Counter.last).where(Counter.series == series).execution_options(populate_existing=True)
    )
    assert last is not None  # noqa: S101 - inserted two lines above
    return range(last - count + 1, last + 1)


@dataclass(frozen=True, slots=True)
class Dated:
    """A number of a series of accounting documents, and when it was taken: the day is Tunis's."""

    number: str
    sequence: int
    moment: datetime
    day: date


def take_dated_number(series: str) -> Dated:
    """``FAC-2026-000042`` with its date, read once the number is ours: dates never go back along a series (INV-1).

    Whoever waited for the series over New Year's midnight keeps the old year's number and the old year's date.
    """
    moment = clock.now()
    year = clock.local(moment).year
    sequence = take_numbers(f"{series}-{year}")[0]
    ours = clock.now()
    if clock.local(ours).year == year:
        moment = ours
    return Dated(f"{series}-{year}-{sequence:06d}", sequence, moment, clock.local(moment).date())


def next_references(prefix: str, count: int = 1) -> list[str]:
    """References such as ``DEM-2026-000001``: the year is the one on Tunis's calendar."""
    year = clock.today().year
    return [f"{prefix}-{year}-{number:06d}" for number in take_numbers(f"{prefix}-{year}", count)]


def next_reference(prefix: str) -> str:
    """One reference; see ``next_references``."""
    return next_references(prefix)[0]

"""The only place that asks the time. Storage is UTC; people read Africa/Tunis.

Tests and rehearsals move it: ``shift`` adds to real time, ``freeze`` stops it. A process started with
``ECERT_CLOCK_SHIFT`` (seconds; refused in production by ``config``) starts shifted.
"""

from __future__ import annotations

import os
from calendar import monthrange
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

TUNIS = ZoneInfo("Africa/Tunis")

_shift = timedelta(seconds=int(os.environ.get("ECERT_CLOCK_SHIFT", "0")))
_frozen: datetime | None = None


def now() -> datetime:
    """The present moment, aware, in UTC."""
    if _frozen is not None:
        return _frozen
    return datetime.now(UTC) + _shift


def today() -> date:
    """The calendar day in Tunis, which is what documents and deadlines count in."""
    return now().astimezone(TUNIS).date()


def local(moment: datetime) -> datetime:
    """The same moment on a clock in Tunis."""
    return moment.astimezone(TUNIS)


def months_before(day: date, months: int) -> date:
    """The same day of the month, so many months earlier; the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def shift(by: timedelta) -> None:
    """Move the clock by that much more, for tests."""
    global _shift, _frozen
    if _frozen is not None:
        _frozen += by
    else:
        _shift += by


def freeze(at: datetime) -> None:
    """Stop the clock at an aware moment, for tests."""
    global _frozen
    if at.tzinfo is None:
        raise ValueError("freeze needs an aware datetime")
    _frozen = at.astimezone(UTC)


def reset() -> None:
    """Back to real time."""
    global _shift, _frozen
    _shift, _frozen = timedelta(), None


@contextmanager
def put_back() -> Iterator[None]:
    """Leave the clock as it was found, whatever is done to it meanwhile: for rehearsals inside a process."""
    global _shift, _frozen
    found = _shift, _frozen
    try:
        yield
    finally:
        _shift, _frozen = found

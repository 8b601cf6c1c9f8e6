"""Plays the organisations' stories together in the order of time, with the clock moved along (OPS-1).

Numbers, invoices and the journal therefore follow the calendar as they would have over three real months.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta

from app import clock
from app.extensions import db

Story = Iterator[datetime]
"""Acts, and between them the moment of the next one."""
PAUSE = timedelta(minutes=4)


class Calendar:
    """Moments counted back from the day of the seeding."""

    def __init__(self) -> None:
        self.present = clock.now()

    def ago(self, days: int, hour: int = 10, minute: int = 0) -> datetime:
        """That many days ago at an hour of Tunis; a weekend's day gives the Friday before."""
        day = clock.local(self.present).date() - timedelta(days=days)
        if day.weekday() > 4:
            day -= timedelta(days=day.weekday() - 4)
        return datetime.combine(day, time(hour, minute), tzinfo=clock.TUNIS)

    def hours_ago(self, hours: float) -> datetime:
        """That many hours ago, whatever the day."""
        return self.present - timedelta(hours=hours)


def play(stories: Iterable[Story], calendar: Calendar) -> None:
    """Run every story to its end, the earliest next act first, the clock stopped at each act's moment.

    A story never goes back in time: an act that would is played a few minutes after the one before it. Nothing
    happens in the future. The clock is put back whatever happens.
    """
    waiting: list[tuple[datetime, int, Story]] = []
    with clock.put_back():
        for number, story in enumerate(stories):
            _queue(waiting, number, story, None, calendar)
        while waiting:
            moment, number, story = heapq.heappop(waiting)
            clock.freeze(moment)
            # As a commit would: services read what the act before wrote, not what it left in memory.
            db.session.flush()
            db.session.expire_all()
            _queue(waiting, number, story, moment, calendar)


def _queue(
    waiting: list[tuple[datetime, int, Story]],
    number: int,
    story: Story,
    before: datetime | None,
    calendar: Calendar,
) -> None:
    """Let a story act until it names its next moment; one that has ended is not queued again."""
    wanted = next(story, None)
    if wanted is None:
        return
    # Seconds apart, so that no two organisations act in the same one.
    wanted += timedelta(seconds=number * 7 % 60)
    if before is not None and wanted <= before:
        wanted = before + PAUSE
    heapq.heappush(waiting, (min(wanted, calendar.present), number, story))

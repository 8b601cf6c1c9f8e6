"""How long one round of a job goes on: so many seconds, and no longer than the scheduler that runs it.

A job takes up where the last round ended, so a round may end between any two of its items. A stop (a release, a
restart) then waits for one item, not for the whole round.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_stop: ContextVar[threading.Event | None] = ContextVar("stop", default=None)


@contextmanager
def ended_by(stop: threading.Event) -> Iterator[None]:
    """Rounds begun inside, in this thread, are over as soon as ``stop`` is set."""
    token = _stop.set(stop)
    try:
        yield
    finally:
        _stop.reset(token)


class Round:
    """One round, from now on."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._stop = _stop.get()

    def over(self) -> bool:
        """Is it time to leave the rest to the next round?"""
        return time.monotonic() >= self._until or (self._stop is not None and self._stop.is_set())

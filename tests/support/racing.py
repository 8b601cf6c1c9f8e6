"""Races: the same moment for several threads, each with a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

from flask import Flask

from app.extensions import db


def race(app: Flask, *works: Callable[[], object]) -> list[object]:
    """Run each work in a thread and application context of its own, all let go at once.

    What each returned, or the exception it raised, in order.
    """
    start = threading.Barrier(len(works))
    results: list[object] = [None] * len(works)

    def run(index: int, work: Callable[[], object]) -> None:
        with app.app_context():
            try:
                start.wait(30)
                results[index] = work()
            except Exception as error:  # noqa: BLE001 - handed to the test
                results[index] = error
            finally:
                db.session.remove()

    db.session.rollback()
    threads = [threading.Thread(target=run, args=(index, work)) for index, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads), "a thread never ended: a deadlock"
    db.session.rollback()
    return results


def errors_of(results: list[object]) -> list[Exception]:
    return [each for each in results if isinstance(each, Exception)]

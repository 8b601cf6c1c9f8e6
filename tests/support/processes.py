"""Real processes on one database, each with connections of its own, ended by their work or by SIGKILL.

``in_processes`` forks the test's own process: quick, closures and all. ``spawn`` forks a clean one that only imported
the product, for work that prints papers: the typesetter's threads, once it was used, do not survive a fork. What a
work patches in its process (a lock taken out) nobody else sees.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import traceback
import warnings
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any

from flask import Flask

from app.extensions import db

_FORK = multiprocessing.get_context("fork")
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["tests.support.clean_process"])

BEGUN = ("begun", None)
# What a child hands back: its work's answer, or the traceback of what it raised
Answer = tuple[str, Any]


def die() -> None:
    """kill -9 of the process that calls it: nothing is flushed, no ``finally`` runs."""
    os.kill(os.getpid(), signal.SIGKILL)


class Child:
    """One process at work."""

    def __init__(self, context: Any, work: Callable[..., None], *given: Any) -> None:
        self._answers, answering = context.Pipe(duplex=False)
        self._process = context.Process(target=work, args=(*given, answering), daemon=True)
        with warnings.catch_warnings():
            # Newer Pythons warn of forking beside threads: the tests' servers are asleep, and no child uses them
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process.start()
        answering.close()

    def await_begin(self, seconds: float = 60) -> None:
        """Until its application stands and its work begins."""
        assert self._answers.poll(seconds), "a process never began"
        assert self._answers.recv() == BEGUN

    @property
    def pid(self) -> int:
        """Its number, for ``os.kill``."""
        return int(self._process.pid or 0)

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self._process.kill()
        self._process.join(30)

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def result(self, seconds: float = 120) -> Any:
        """What the work answered; None for a child that was killed. Raises RuntimeError with its traceback."""
        told: Answer | None = None
        try:
            assert self._answers.poll(seconds), "a process never ended: a deadlock"
            told = self._answers.recv()
            if told == BEGUN:
                assert self._answers.poll(seconds), "a process never ended: a deadlock"
                told = self._answers.recv()
        except EOFError:
            pass  # killed before it answered
        finally:
            if self._process.is_alive() and told is None:
                self._process.kill()
            self._process.join(30)
        if told is None:
            assert self._process.exitcode == -signal.SIGKILL, f"a process ended with {self._process.exitcode}"
            return None
        kind, value = told
        if kind == "raised":
            raise RuntimeError(value)
        return value


def spawn(app: Flask, work: Callable[..., Any], *given: Any) -> Child:
    """``work(app, *given)``, a module's function, in a clean process with an application configured like this one."""
    config = {key: value for key, value in app.config.items() if isinstance(value, (str, int, float, bool, type(None)))}
    db.session.rollback()
    return Child(_SERVER, _run_clean, config, work, given)


def in_processes(app: Flask, works: Sequence[Callable[[], Any]], seconds: float = 120) -> list[Any]:
    """Each work in a process of its own, all let go at once; their answers in order, None for one that was killed."""
    start = _FORK.Barrier(len(works))

    def let_go(work: Callable[[], Any]) -> Callable[[], Any]:
        def run() -> Any:
            start.wait(60)
            return work()

        return run

    db.session.remove()
    db.engine.dispose()
    children = [Child(_FORK, _run, app, let_go(work)) for work in works]
    try:
        return [child.result(seconds) for child in children]
    finally:
        for child in children:
            child.kill()


def in_threads(app: Flask, works: Sequence[Callable[[], Any]]) -> list[Any]:
    """Each work in a thread and application context of its own; its answer, or the exception it raised, in order."""
    results: list[Any] = [None] * len(works)

    def run(index: int) -> None:
        with app.app_context():
            try:
                results[index] = works[index]()
            except Exception as error:  # noqa: BLE001 - handed to the caller
                results[index] = error
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def barrier(parties: int) -> Any:
    """A barrier that processes share."""
    return _FORK.Barrier(parties)


def _run(app: Flask, work: Callable[[], Any], answers: Connection) -> None:
    try:
        with app.app_context():
            for engine in db.engines.values():
                engine.dispose(close=False)  # the parent's, should it hold any
            app.extensions.pop("clictopay", None)  # its connections are the parent's
            value: Answer = ("answered", work())
            db.session.remove()
    except BaseException:  # noqa: BLE001 - told to the parent
        value = ("raised", traceback.format_exc())
    answers.send(value)
    answers.close()


def _run_clean(config: dict[str, Any], work: Callable[..., Any], given: tuple[Any, ...], answers: Connection) -> None:
    from app import create_app

    try:
        app = create_app("testing", config)
        logging.disable(logging.CRITICAL)
        with app.app_context():
            answers.send(BEGUN)
            value: Answer = ("answered", work(app, *given))
    except BaseException:  # noqa: BLE001 - told to the parent
        value = ("raised", traceback.format_exc())
    answers.send(value)
    answers.close()

"""How the two databases are driven: SQLite in WAL with explicit BEGINs, PostgreSQL as it comes.

SQLite ignores FOR UPDATE; a use case therefore begins with BEGIN IMMEDIATE, which is the lock.
"""

from __future__ import annotations

import random
import sqlite3
import time
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import Connection

writing: ContextVar[bool] = ContextVar("writing", default=False)
"""Set by the unit of work while a use case runs."""


BUSY_TIMEOUT = 20_000
"""Milliseconds SQLite itself waits for a lock; a use case waits for its turn on its own (``_begin_in_turn``)."""
PATIENCE = 60.0
"""Seconds a use case waits for its turn to write."""
PAUSE = (0.001, 0.008)


def prepare_engine(engine: Engine) -> None:
    """Attach the SQLite behaviour to an engine; nothing to do for PostgreSQL."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we write BEGIN ourselves
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if writing.get():
            _begin_in_turn(connection)
        else:
            connection.exec_driver_sql("BEGIN")


def _begin_in_turn(connection: Connection) -> None:
    """BEGIN IMMEDIATE, asking again every few milliseconds.

    SQLite's own waiting asks ever more seldom, ten times a second in the end: a writer that has waited long loses to
    whoever comes just then, and under sixteen busy writers one of them ran out of its time (REL-2).
    """
    raw: Any = connection.connection.dbapi_connection
    cursor = raw.cursor()
    until = time.monotonic() + PATIENCE
    cursor.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                cursor.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as refusal:
                busy = refusal.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() >= until:
                    break
                time.sleep(random.uniform(*PAUSE))  # so that no two writers ask in step
            else:
                return
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # once more, for SQLAlchemy to raise what is wrong
    finally:
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT}")
        cursor.close()

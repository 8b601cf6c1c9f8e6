"""Which process leads: a lock that the death of its holder frees at once, whatever killed it (JOB-1)."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Protocol

from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

ADVISORY_KEY = 0x45434552_54000001  # "ECERT", 1


class LeaderLock(Protocol):
    """Held by one process at a time."""

    def acquire(self) -> bool:
        """Try to take it; say whether this process has it now."""

    def held(self) -> bool:
        """Check that it is still ours; False once it was lost."""

    def release(self) -> None:
        """Give it back."""


class PostgresLock:
    """A session-level advisory lock on a connection of its own: the server frees it when the connection ends.

    The connection must reach PostgreSQL itself; a pooler in transaction mode would hand it around.
    """

    def __init__(self, url: URL) -> None:
        self._engine = create_engine(
            url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={
                "application_name": "ecert-scheduler",
                "connect_timeout": 5,
                # A machine that vanishes without a word is noticed within seconds, by both ends.
                "keepalives_idle": 5,
                "keepalives_interval": 2,
                "keepalives_count": 3,
                "tcp_user_timeout": 10_000,
                "options": "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3",
            },
        )
        self._connection: Connection | None = None
        self._taken = False

    def acquire(self) -> bool:
        """Try to take it; False too while the database does not answer."""
        if self._connection is None:
            try:
                self._connection = self._engine.connect()
            except SQLAlchemyError:
                return False
        try:
            taken = self._connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": ADVISORY_KEY})
        except SQLAlchemyError:
            self._drop()
            return False
        self._taken = bool(taken)
        return self._taken

    def held(self) -> bool:
        """A connection that answers still holds what it took."""
        if self._connection is None or not self._taken:
            return False
        try:
            self._connection.scalar(text("SELECT 1"))
        except SQLAlchemyError:
            self._drop()
            return False
        return True

    def release(self) -> None:
        """Close the connection, and with it the lock."""
        self._drop()

    def _drop(self) -> None:
        connection, self._connection, self._taken = self._connection, None, False
        if connection is not None:
            try:
                connection.close()
            except SQLAlchemyError:
                connection.invalidate()


class FileLock:
    """``flock`` on a file beside the SQLite database: one machine, any number of processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Try to take it."""
        self.release()  # of a file that is not there any more
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        if self.held():
            return True
        self.release()
        return False

    def held(self) -> bool:
        """Ours while the file we locked is the one at that path."""
        if self._descriptor is None:
            return False
        try:
            mine, there = os.fstat(self._descriptor), self._path.stat()
        except OSError:
            return False
        return (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino)

    def release(self) -> None:
        """Close the file, and with it the lock; the file itself stays, others may be waiting at it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def leader_lock(url: URL, directory: Path) -> LeaderLock:
    """The lock that goes with a database; ``directory`` serves a database in memory."""
    if url.get_backend_name() == "postgresql":
        return PostgresLock(url)
    path = Path(url.database) if url.database and url.database != ":memory:" else directory / "memory"
    return FileLock(path.with_name(f"{path.name}.scheduler.lock"))

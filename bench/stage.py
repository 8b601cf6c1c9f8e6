"""What the figures of money run on: a fresh database, the gateway's sandbox and a mail server, all real, all local."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.__main__ import ROOT

if TYPE_CHECKING:
    from flask import Flask

    from tests.support.databases import PostgresDatabase, SqliteDatabase
    from tests.support.servers import HttpServer, MailServer


@dataclass(slots=True)
class Stage:
    """The application, inside its context, and what is outside of it."""

    app: Flask
    gateway: HttpServer
    smtp: MailServer
    database: PostgresDatabase | SqliteDatabase

    def fresh(self) -> None:
        """Everything as at the beginning: an empty database with reference data, no orders, no mails."""
        from app import clock
        from app.extensions import db

        clock.reset()
        db.session.remove()
        db.engine.dispose()
        self.database.reset()
        self.smtp.clear()


@contextmanager
def stage(kind: str) -> Iterator[Stage]:
    """``postgres`` (embedded, or TEST_DATABASE_URL) or ``sqlite``; gone afterwards."""
    import flask_migrate

    from app import create_app
    from app.extensions import db
    from app.sandbox.gateway import create_gateway
    from app.services.reference_data import load_reference_data
    from tests.support.databases import PostgresDatabase, SqliteDatabase
    from tests.support.servers import HttpServer, MailServer, Port

    logging.disable(logging.INFO)
    ports = {name: Port() for name in ("smtp", "gateway")}

    with tempfile.TemporaryDirectory() as folder:
        shared = Path(folder, "run")
        shared.mkdir()
        settings = {
            "SECRET_KEY": "for-the-bench-only-0123456789abcdef0123456789",
            "STORAGE_URL": Path(folder, "files").as_uri(),
            "VAR_DIRECTORY": folder,
            "MAIL_SERVER": "127.0.0.1",
            "MAIL_PORT": ports["smtp"].number,
            "MAIL_SUPPRESS_SEND": False,
            "MAIL_DEFAULT_SENDER": "TunTrust ECERT <ne-pas-repondre@demo.tuntrust.tn>",
            "CLICTOPAY_BASE_URL": f"http://127.0.0.1:{ports['gateway'].number}/payment/rest/",
            "CLICTOPAY_USERNAME": "sandbox",
            "CLICTOPAY_PASSWORD": "sandbox",
            "SCHEDULER_IN_PROCESS": False,
        }

        def prepare(url: str) -> None:
            app = create_app("testing", {**settings, "SQLALCHEMY_DATABASE_URI": url})
            with app.app_context():
                flask_migrate.upgrade(directory=str(ROOT / "migrations"))
                load_reference_data()
                db.session.commit()
                db.session.remove()
                db.engine.dispose()

        opened = {"postgres": PostgresDatabase, "sqlite": SqliteDatabase}[kind](shared, "bench", prepare)
        opened.reset()
        gateway, smtp = HttpServer(ports["gateway"]), MailServer(ports["smtp"])
        gateway.start(create_gateway(Path(folder, "gateway.sqlite")))
        smtp.start()
        logging.disable(logging.CRITICAL)
        try:
            app = create_app("testing", {**settings, "SQLALCHEMY_DATABASE_URI": opened.url})
            with app.app_context():
                yield Stage(app, gateway, smtp, opened)
                db.session.remove()
                db.engine.dispose()
        finally:
            gateway.stop()
            smtp.stop()
            opened.close()

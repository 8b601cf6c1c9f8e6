"""Can this process serve? (OPS-2). Reasons are names only: nothing about addresses, versions or errors leaves here."""

from __future__ import annotations

import time
from functools import lru_cache

import structlog
from flask import current_app
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from app.adapters.storage import new_key
from app.config import ROOT
from app.errors import ConfigurationError
from app.extensions import db
from app.models import User
from app.services.files import storage

log = structlog.get_logger()
REMEMBERED = 2.0
SAMPLE_ACCOUNTS = frozenset(
    {"admin@societe-demo.tn", "demandeur@societe-demo.tn"}
    | {f"{name}@demo.tuntrust.tn" for name in ("agent", "agent2", "superviseur", "responsable", "administrateur")}
)
"""The demonstration's accounts, whose password is published (``8-interfaces.md``)."""


def refuse_sample_accounts() -> None:
    """Raises ConfigurationError when the database holds the demonstration's accounts: production never starts on
    them (SEC-5). A database that is not there yet, or not migrated, is ``/readyz``'s business."""
    try:
        found = db.session.scalar(select(User.email).where(User.email.in_(SAMPLE_ACCOUNTS)).limit(1))
    except SQLAlchemyError:
        return
    finally:
        db.session.remove()
        db.engine.dispose()  # no connection is shared with the processes that will be forked
    if found is not None:
        raise ConfigurationError(f"The database holds sample accounts ({found}): give production one of its own.")


def reasons_not_ready() -> tuple[str, ...]:
    """What is missing among « database », « migrations », « storage »; asked anew at most every two seconds."""
    state = current_app.extensions.setdefault("readiness", {"at": None, "reasons": ()})
    moment = time.monotonic()
    if state["at"] is None or moment - state["at"] >= REMEMBERED:
        state["reasons"] = (*_database(), *_storage())
        state["at"] = moment
    reasons: tuple[str, ...] = state["reasons"]
    return reasons


def _database() -> list[str]:
    from alembic.runtime.migration import MigrationContext

    try:
        connection = db.session.connection()
        connection.execute(text("SELECT 1"))
        here = set(MigrationContext.configure(connection).get_current_heads())
    except SQLAlchemyError as error:
        log.warning("not_ready", reason="database", error=type(error).__name__)
        return ["database"]
    finally:
        db.session.rollback()
    return [] if here == _wanted_heads() else ["migrations"]


@lru_cache(maxsize=1)
def _wanted_heads() -> frozenset[str]:
    from alembic.script import ScriptDirectory

    return frozenset(ScriptDirectory(str(ROOT / "migrations")).get_heads())


def _storage() -> list[str]:
    key = new_key("probes")
    try:
        storage().put(key, b"ready?")
        storage().delete(key)
    except (OSError, LookupError, ConfigurationError) as error:
        log.warning("not_ready", reason="storage", error=type(error).__name__)
        return ["storage"]
    return []

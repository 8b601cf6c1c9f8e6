"""The migrations build what the models declare, on both databases."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import inspect, text
from sqlalchemy.exc import DatabaseError

from app.extensions import db
from app.models import AuditEntry


@pytest.mark.spec("OPS-2")
def test_the_migrated_database_is_the_declared_one(app: Flask) -> None:
    def ours(_item: Any, name: str | None, kind: str, *_rest: Any) -> bool:
        own = kind == "index" and name is not None and (name.startswith("uq_") or name.endswith(("_trgm", "_words")))
        return name != "alembic_version" and not own

    with db.engine.connect() as connection, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # indexes on expressions cannot be read back from SQLite
        context = MigrationContext.configure(connection, opts={"include_object": ours})
        found = compare_metadata(context, db.metadata)
        if connection.dialect.name == "sqlite":
            # SQLAlchemy reads the options of a reference added with its column wrongly: the next test asks SQLite.
            found = [each for each in found if each[0] not in ("add_fk", "remove_fk")]
        assert found == []


@pytest.mark.spec("OPS-2")
def test_every_reference_of_the_models_is_held(app: Flask) -> None:
    with db.engine.connect() as connection:
        for table in db.metadata.tables.values():
            if connection.dialect.name == "sqlite":
                rows = connection.execute(text(f"PRAGMA foreign_key_list({table.name})"))
                held = {(row[3], row[2], row[6]) for row in rows}
            else:
                held = {
                    (key["constrained_columns"][0], key["referred_table"], key["options"].get("ondelete", "NO ACTION"))
                    for key in inspect(connection).get_foreign_keys(table.name)
                }
            declared = {
                (key.parent.name, key.column.table.name, key.ondelete or "NO ACTION") for key in table.foreign_keys
            }
            assert held == declared, table.name


@pytest.mark.spec("AUD-1")
@pytest.mark.parametrize("statement", ["UPDATE audit_entries SET action = 'x'", "DELETE FROM audit_entries"])
def test_the_database_refuses_to_change_the_journal(app: Flask, statement: str) -> None:
    from sqlalchemy import text

    from app import clock

    db.session.add(
        AuditEntry(
            at=clock.now(),
            actor_label="x",
            action="x",
            subject_type="users",
            subject_id="1",
            previous_hash="0",
            hash="1",
        )
    )
    db.session.commit()
    with pytest.raises(DatabaseError, match="immutable"):
        db.session.execute(text(statement))
    db.session.rollback()

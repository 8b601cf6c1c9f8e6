"""Alembic's environment: the application's own engine and metadata, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import JSON

from app.column_types import UtcDateTime

database = current_app.extensions["migrate"].db


def render_item(kind: str, item: Any, autogen_context: Any) -> Any:
    """Write migrations in plain SQLAlchemy types, so that they do not change when the application does."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, JSON):
        autogen_context.imports.add("from sqlalchemy.dialects import postgresql")
        return "sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')"
    return False


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """Full-text and trigram helpers of PostgreSQL are the migrations' own."""
    return not (kind == "index" and name is not None and name.endswith(("_trgm", "_words")))


def options() -> dict[str, Any]:
    """What both modes share."""
    arguments = dict(current_app.extensions["migrate"].configure_args)
    arguments.update(
        target_metadata=database.metadata,
        render_item=render_item,
        include_name=include_name,
        compare_type=True,
        render_as_batch=True,
    )
    return arguments


def run_offline() -> None:
    """Print the SQL."""
    context.configure(url=str(database.engine.url), literal_binds=True, **options())
    with context.begin_transaction():
        context.run_migrations()


def run_online() -> None:
    """Run against the database."""
    with database.engine.connect() as connection:
        context.configure(connection=connection, **options())
        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    run_offline()
else:
    run_online()

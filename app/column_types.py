"""Annotated column types that every table shares."""

from __future__ import annotations

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any

from sqlalchemy import JSON, BigInteger, DateTime, Enum, Integer, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import mapped_column
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """Aware moments, stored as UTC: ``timestamptz`` on PostgreSQL, naive UTC text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database: refuse naive moments, which would be somebody's local time."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database: always aware, always UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def enum_column(kind: type[StrEnum], name: str) -> Enum:
    """A StrEnum stored as text with a named CHECK. Member names equal their values (Flask-Admin needs it)."""
    if any(member.name != member.value for member in kind):
        raise ValueError(f"{kind.__name__}: names and values must be equal")
    return Enum(kind, native_enum=False, create_constraint=True, length=40, name=name, validate_strings=True)


# SQLite only auto-increments plain INTEGER keys.
BigId = BigInteger().with_variant(Integer(), "sqlite")
JsonType = JSON().with_variant(JSONB(), "postgresql")

Id = Annotated[int, mapped_column(BigId, primary_key=True)]
Moment = Annotated[datetime, mapped_column(UtcDateTime())]
Day = Annotated[date, mapped_column()]
Str16 = Annotated[str, mapped_column(String(16))]
Str40 = Annotated[str, mapped_column(String(40))]
Str120 = Annotated[str, mapped_column(String(120))]
Str255 = Annotated[str, mapped_column(String(255))]
LongText = Annotated[str, mapped_column(Text())]
Json = Annotated[dict[str, Any], mapped_column(JsonType)]
Millimes = Annotated[int, mapped_column(BigInteger())]

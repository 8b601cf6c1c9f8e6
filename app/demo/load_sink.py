"""Writes many rows fast: COPY on PostgreSQL, batches of core inserts elsewhere; every constraint stays on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Connection, Table, func, select, text
from sqlalchemy.types import JSON

Row = Mapping[str, Any]
INSERT_AT_ONCE = 2_000


def write_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, in order, inside the running transaction. What a row leaves out takes the column's default."""
    if not rows:
        return
    if connection.dialect.name == "postgresql" and connection.dialect.driver == "psycopg":
        _copy(connection, table, rows)
        return
    for start in range(0, len(rows), INSERT_AT_ONCE):
        connection.execute(table.insert(), [dict(row) for row in rows[start : start + INSERT_AT_ONCE]])


def _copy(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    names = [column.name for column in table.columns if column.name in rows[0] or _default(column) is not None]
    defaults = {column.name: _default(column) for column in table.columns}
    as_json = {column.name for column in table.columns if isinstance(column.type, JSON)}
    # Names come from the models, never from outside.
    columns = ", ".join(f'"{name}"' for name in names)
    with (
        cast("Any", connection.connection.driver_connection).cursor() as cursor,
        cursor.copy(f'COPY "{table.name}" ({columns}) FROM STDIN') as copy,
    ):
        for row in rows:
            values = [row.get(name, defaults[name]) for name in names]
            if as_json:
                values = [
                    json.dumps(value, ensure_ascii=False) if name in as_json and value is not None else value
                    for name, value in zip(names, values, strict=True)
                ]
            copy.write_row(values)


def _default(column: Any) -> Any:
    """The constant or empty container the models would fill in; None when there is none."""
    default = column.default
    if default is None:
        return None
    return default.arg if default.is_scalar else default.arg(None)


def hold_still(connection: Connection, tables: Iterable[Table]) -> None:
    """Keep other writers away until the transaction ends, since rows get their keys here.

    SQLite's transactions of a use case hold the only write lock already.
    """
    if connection.dialect.name == "postgresql":
        names = ", ".join(f'"{table.name}"' for table in tables)
        connection.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))


def last_key(connection: Connection, table: Table) -> int:
    """The highest key in use."""
    return int(connection.scalar(select(func.coalesce(func.max(table.c.id), 0))) or 0)


def push_sequence(connection: Connection, table: Table, last: int) -> None:
    """Let the database give keys after ``last``; SQLite reckons them by itself."""
    if connection.dialect.name == "postgresql" and last:
        connection.execute(text("SELECT setval(pg_get_serial_sequence(:t, 'id'), :n)"), {"t": table.name, "n": last})


def refresh_statistics(connection: Connection) -> None:
    """Tell the planner what the tables hold now."""
    connection.execute(text("ANALYZE"))

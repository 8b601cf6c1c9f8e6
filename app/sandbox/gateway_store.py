"""The gateway's own memory: one SQLite file, shared by any number of threads and processes.

Every change of an order happens inside ``BEGIN IMMEDIATE``, reading its state again, so two submissions
of one payment page, or two refunds, can never both win (GAT-6).
"""

from __future__ import annotations

import secrets
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.sandbox import gateway_rules as rules

_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    md_order TEXT PRIMARY KEY, order_number TEXT NOT NULL UNIQUE, amount INTEGER NOT NULL,
    currency TEXT NOT NULL, return_url TEXT NOT NULL, fail_url TEXT NOT NULL, description TEXT NOT NULL,
    language TEXT NOT NULL, mobile INTEGER NOT NULL, client_id TEXT NOT NULL, json_params TEXT NOT NULL,
    two_phase INTEGER NOT NULL, created_at REAL NOT NULL, expires_at REAL NOT NULL, ip TEXT NOT NULL,
    status INTEGER NOT NULL DEFAULT 0, action_code INTEGER NOT NULL DEFAULT -100,
    approved INTEGER NOT NULL DEFAULT 0, deposited INTEGER NOT NULL DEFAULT 0,
    refunded INTEGER NOT NULL DEFAULT 0, pan TEXT, expiry TEXT, cardholder TEXT, email TEXT,
    payment_way TEXT, approval_code TEXT, auth_ref TEXT, authorised_at REAL, deposited_at REAL
);
CREATE TABLE IF NOT EXISTS operations (
    id INTEGER PRIMARY KEY, md_order TEXT NOT NULL REFERENCES orders, kind TEXT NOT NULL,
    amount INTEGER NOT NULL, at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS operations_md_order ON operations (md_order);
CREATE TABLE IF NOT EXISTS behaviours (
    id INTEGER PRIMARY KEY, call TEXT NOT NULL, mode TEXT NOT NULL, seconds REAL NOT NULL, remaining INTEGER
);
PRAGMA user_version = 1;
"""

Row = sqlite3.Row


class Store:
    """Orders, what was done to them, and the misbehaviour asked for by tests."""

    def __init__(self, database: Path) -> None:
        self._database = database

    def _connect(self) -> sqlite3.Connection:
        self._database.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._database, timeout=30, isolation_level=None)
        connection.row_factory = sqlite3.Row
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            self._create(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    def _create(self, connection: sqlite3.Connection) -> None:
        """Two processes may open a new file at once: switching to WAL ignores the busy timeout, so insist."""
        for attempt in range(50):
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                break
            except sqlite3.OperationalError:
                if attempt == 49:
                    raise
                time.sleep(0.05)
        connection.executescript(_SCHEMA)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        connection = self._connect()
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        connection = self._connect()
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        finally:
            connection.close()

    # Orders

    def register(self, order: rules.NewOrder, ip: str) -> str:
        """Keep a new order and give its mdOrder. Raises Refusal 1 when the number was ever used."""
        md_order = str(uuid.uuid4())
        with self._writing() as connection:
            try:
                connection.execute(
                    "INSERT INTO orders (md_order, order_number, amount, currency, return_url, fail_url,"
                    " description, language, mobile, client_id, json_params, two_phase, created_at,"
                    " expires_at, ip) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (md_order, order.order_number, order.amount, order.currency, order.return_url,
                     order.fail_url, order.description, order.language, order.mobile, order.client_id,
                     order.json_params, order.two_phase, time.time(), order.expires_at, ip),
                )  # fmt: skip
            except sqlite3.IntegrityError:
                raise rules.number_taken() from None
        return md_order

    def remember(self, orders: list[dict[str, Any]]) -> None:
        """Keep orders paid before this sandbox was there, so that they can be asked about and given back.

        Each: md_order, order_number, amount, refunded, pan, approval_code, at (epoch). One known already is left.
        """
        with self._writing() as connection:
            for order in orders:
                whole = order["refunded"] >= order["amount"]
                connection.execute(
                    "INSERT OR IGNORE INTO orders (md_order, order_number, amount, currency, return_url, fail_url,"
                    " description, language, mobile, client_id, json_params, two_phase, created_at, expires_at, ip,"
                    " status, action_code, approved, deposited, refunded, pan, approval_code, authorised_at,"
                    " deposited_at) VALUES (?, ?, ?, '788', '', '', '', 'fr', 0, '', '', 0, ?, ?, '', ?, 0, ?, ?, ?, ?,"
                    " ?, ?, ?)",
                    (
                        order["md_order"], order["order_number"], order["amount"], order["at"], order["at"],
                        rules.REFUNDED if whole else rules.PAID, order["amount"], order["amount"], order["refunded"],
                        order["pan"], order["approval_code"], order["at"], order["at"],
                    ),
                )  # fmt: skip

    def find(self, *, md_order: str = "", order_number: str = "") -> Row:
        """The order as of now: a session past its end is declined first. Raises Refusal 6 when unknown."""
        with self._reading() as connection:
            row = self._select(connection, md_order, order_number)
        if row["status"] == rules.REGISTERED and row["expires_at"] <= time.time():
            with self._writing() as connection:
                row = self._locked(connection, row["md_order"])
        return row

    def _select(self, connection: sqlite3.Connection, md_order: str, order_number: str = "") -> Row:
        statement, value = "SELECT * FROM orders WHERE order_number = ?", order_number
        if md_order:
            statement, value = "SELECT * FROM orders WHERE md_order = ?", md_order
        row: Row | None = connection.execute(statement, (value,)).fetchone()
        if row is None:
            raise rules.unknown_order()
        return row

    def _locked(self, connection: sqlite3.Connection, md_order: str) -> Row:
        """The row inside a write transaction, expired when its session has ended."""
        expired = connection.execute(
            "UPDATE orders SET status = ?, action_code = ? WHERE md_order = ? AND status = ? AND expires_at <= ?",
            (rules.REFUSED, rules.SESSION_EXPIRED, md_order, rules.REGISTERED, time.time()),
        ).rowcount
        if expired:
            self._note(connection, md_order, "expire", 0)
        return self._select(connection, md_order)

    def _note(self, connection: sqlite3.Connection, md_order: str, kind: str, amount: int) -> None:
        connection.execute(
            "INSERT INTO operations (md_order, kind, amount, at) VALUES (?, ?, ?, ?)",
            (md_order, kind, amount, time.time()),
        )

    def _set(self, connection: sqlite3.Connection, md_order: str, **values: Any) -> None:
        columns = ", ".join(f"{name} = ?" for name in values)
        statement = f"UPDATE orders SET {columns} WHERE md_order = ?"  # noqa: S608  # names of our own
        connection.execute(statement, (*values.values(), md_order))

    def pay(
        self, md_order: str, *, pan: str, expiry: str, cvv: str, cardholder: str, email: str,
        payment_way: str, ip: str,
    ) -> Row:  # fmt: skip
        """Try a card once. An order that already has its end keeps it, and nothing more is charged."""
        with self._writing() as connection:
            row = self._locked(connection, md_order)
            if row["status"] != rules.REGISTERED:
                return row
            now = time.time()
            code = rules.judge_card(pan, expiry, cvv)
            self._set(
                connection, md_order, action_code=code, pan=rules.mask(pan), expiry=expiry, ip=ip,
                cardholder=cardholder, email=email, payment_way=payment_way, authorised_at=now,
                auth_ref=f"{secrets.randbelow(10**12):012d}",
            )  # fmt: skip
            if code != 0:
                self._set(connection, md_order, status=rules.REFUSED)
                self._note(connection, md_order, "decline", 0)
            else:
                amount = row["amount"]
                self._set(
                    connection, md_order, approved=amount, approval_code=f"{secrets.randbelow(10**6):06d}",
                    status=rules.PREAUTHORISED if row["two_phase"] else rules.PAID,
                )  # fmt: skip
                self._note(connection, md_order, "approve" if row["two_phase"] else "charge", amount)
                if not row["two_phase"]:
                    self._set(connection, md_order, deposited=amount, deposited_at=now)
            return self._select(connection, md_order)

    def deposit(self, md_order: str, amount: int) -> None:
        """Take a pre-authorised amount, once, whole or part. Raises Refusal 6 or 7."""
        with self._writing() as connection:
            row = self._locked(connection, md_order)
            if row["status"] != rules.PREAUTHORISED:
                raise rules.wrong_state()
            if amount > row["approved"]:
                raise rules.too_much()
            self._set(connection, md_order, status=rules.PAID, deposited=amount, deposited_at=time.time())
            self._note(connection, md_order, "charge", amount)

    def reverse(self, md_order: str) -> None:
        """Undo a payment of which nothing has been refunded. Raises Refusal 6 or 7."""
        with self._writing() as connection:
            row = self._locked(connection, md_order)
            if row["status"] not in (rules.PREAUTHORISED, rules.PAID) or row["refunded"]:
                raise rules.wrong_state()
            self._set(connection, md_order, status=rules.REVERSED, approved=0, deposited=0)
            self._note(connection, md_order, "reverse", row["deposited"])

    def refund(self, md_order: str, amount: int) -> None:
        """Give back a part or all; the order becomes 4 once all is given back. Raises Refusal 6 or 7."""
        with self._writing() as connection:
            row = self._locked(connection, md_order)
            if row["status"] != rules.PAID:
                raise rules.wrong_state()
            refunded = row["refunded"] + amount
            if refunded > row["deposited"]:
                raise rules.too_much()
            status = rules.REFUNDED if refunded == row["deposited"] else rules.PAID
            self._set(connection, md_order, status=status, refunded=refunded)
            self._note(connection, md_order, "refund", amount)

    # For tests and demonstrations

    def force(self, md_order: str, *, status: int | None, expires_in: float | None) -> Row:
        """Put an order where a test needs it: an order status, or a session ending in so many seconds."""
        with self._writing() as connection:
            self._select(connection, md_order)
            if expires_in is not None:
                self._set(connection, md_order, expires_at=time.time() + expires_in)
            if status is not None:
                self._set(connection, md_order, status=status)
                self._note(connection, md_order, f"force {status}", 0)
            return self._locked(connection, md_order)

    def operations(self, md_order: str) -> list[Row]:
        with self._reading() as connection:
            return connection.execute(
                "SELECT kind, amount, at FROM operations WHERE md_order = ? ORDER BY id", (md_order,)
            ).fetchall()

    def latest(self, count: int = 20) -> list[Row]:
        with self._reading() as connection:
            return connection.execute("SELECT * FROM orders ORDER BY created_at DESC LIMIT ?", (count,)).fetchall()

    def misbehave(self, call: str, mode: str, seconds: float, times: int | None) -> None:
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO behaviours (call, mode, seconds, remaining) VALUES (?, ?, ?, ?)",
                (call, mode, seconds, times),
            )

    def behave(self) -> None:
        with self._writing() as connection:
            connection.execute("DELETE FROM behaviours")

    def behaviours(self) -> list[Row]:
        with self._reading() as connection:
            return connection.execute("SELECT * FROM behaviours ORDER BY id").fetchall()

    def next_behaviour(self, call: str) -> tuple[str, float] | None:
        """The misbehaviour this call must show, oldest first, using up one of its times."""
        if not self.behaviours():
            return None
        with self._writing() as connection:
            row = connection.execute(
                "SELECT * FROM behaviours WHERE call IN (?, '*') ORDER BY id LIMIT 1", (call,)
            ).fetchone()
            if row is None:
                return None
            if row["remaining"] is not None:
                if row["remaining"] <= 1:
                    connection.execute("DELETE FROM behaviours WHERE id = ?", (row["id"],))
                else:
                    connection.execute("UPDATE behaviours SET remaining = remaining - 1 WHERE id = ?", (row["id"],))
            return row["mode"], row["seconds"]

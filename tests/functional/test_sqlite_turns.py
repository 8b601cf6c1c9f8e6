"""Writers of one SQLite file wait for their turn (REL-2): asked for again every few milliseconds, and not for ever."""

from __future__ import annotations

import sqlite3

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app import database
from app.extensions import db
from app.services.numbering import next_reference
from app.services.unit_of_work import use_case


@use_case
def take() -> str:
    return next_reference("ESSAI")


@pytest.mark.spec("REL-2")
def test_a_writer_that_never_gets_its_turn_is_told_and_the_next_one_writes(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.05)
    path = db.engine.url.database
    assert path is not None
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="locked"):
        take()
    other.execute("ROLLBACK")
    other.close()
    assert take().endswith("-000001")
    assert db.session.scalar(text("PRAGMA busy_timeout")) == database.BUSY_TIMEOUT

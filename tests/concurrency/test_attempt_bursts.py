"""A limit holds for tries made at the very same instant (LOG-2)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.errors import TooManyAttempts
from app.extensions import db
from app.models import Attempt
from app.services import attempts
from tests.support.racing import race

LIMIT, BURST = 5, 24


@pytest.mark.spec("LOG-2", "SEC-4")
def test_a_burst_gets_no_more_tries_than_a_queue(app: Flask) -> None:
    key = attempts.key_for("burst", "somebody")

    def attempt() -> None:
        attempts.count_attempt(key, limit=LIMIT, window=timedelta(minutes=15))

    results = race(app, *[attempt] * BURST)
    assert results.count(None) == LIMIT
    assert all(isinstance(each, TooManyAttempts) for each in results if each is not None)
    assert db.session.scalar(select(func.count()).select_from(Attempt).where(Attempt.key == key)) == LIMIT

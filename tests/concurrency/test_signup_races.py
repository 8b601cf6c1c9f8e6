"""Two clicks at the same instant, two people with one matricule: one organisation (ORG-7, ORG-8)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.extensions import db
from app.models import Organisation, OutboxMail, User
from app.permissions import visitor
from app.services import signup
from tests.support.signup import code_of_draft, finished_draft


def together(app: Flask, tokens: list[str]) -> list[str]:
    """« Enregistrer » on each draft from a connection of its own, at the same instant."""
    codes = [code_of_draft(token) for token in tokens]
    db.session.rollback()
    ready = threading.Barrier(len(tokens))

    def click(token: str, code: str) -> str:
        with app.app_context():
            ready.wait(10)
            return signup.submit(token, code, actor=visitor("127.0.0.1"))

    with ThreadPoolExecutor(len(tokens)) as threads:
        return list(threads.map(click, tokens, codes))


@pytest.mark.spec("ORG-7")
def test_a_double_click_creates_one_organisation_and_says_the_same_twice(app: Flask) -> None:
    token = finished_draft()
    assert together(app, [token, token]) == ["mohamed.gharbi@exemple.tn"] * 2
    for model in (Organisation, User, OutboxMail):
        assert db.session.scalar(select(func.count()).select_from(model)) == 1


@pytest.mark.spec("ORG-2", "ORG-8")
def test_two_sign_ups_of_one_matricule_at_once_make_one(app: Flask) -> None:
    tokens = [finished_draft(representative={"email": f"personne{number}@exemple.tn"}) for number in range(3)]
    assert sorted(together(app, tokens)) == [f"personne{number}@exemple.tn" for number in range(3)]
    assert db.session.scalar(select(func.count()).select_from(Organisation)) == 1
    assert db.session.scalar(select(func.count()).select_from(User)) == 1
    kinds = db.session.scalars(select(OutboxMail.kind)).all()
    assert sorted(kinds) == ["account_created", "already_registered", "already_registered"]

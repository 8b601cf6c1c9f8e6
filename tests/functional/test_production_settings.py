"""Production refuses to start on settings that would hurt people, in one sentence each (SEC-5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from app import create_app, devserver
from app.config import SAMPLE_SECRET
from app.errors import ConfigurationError
from app.services.health import SAMPLE_ACCOUNTS
from tests import factories

pytestmark = pytest.mark.spec("SEC-5")

GOOD = {
    "ECERT_ENV": "production",
    "SECRET_KEY": "une-cle-longue-et-tiree-au-hasard-0123456789",
    "DATABASE_URL": "postgresql://ecert@127.0.0.1:1/ecert",
    "PUBLIC_URL": "https://ecert.exemple.tn",
    "TRUSTED_HOSTS": "ecert.exemple.tn",
    "CLICTOPAY_BASE_URL": "https://paiement.exemple.tn/payment/rest/",
    "CLICTOPAY_USERNAME": "marchand",
    "CLICTOPAY_PASSWORD": "mot-de-passe",
    "IDENTITY_SERVICE_URL": "https://identite.exemple.tn/",
    "IDENTITY_SERVICE_TOKEN": "jeton",
    "MAIL_SERVER": "smtp.exemple.tn",
    "MAIL_DEFAULT_SENDER": "ECERT <ecert@exemple.tn>",
}
Start = Callable[..., Flask]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[Start]:
    """Start production on good settings but for those given; None takes one away."""

    def attempt(**settings: str | None) -> Flask:
        for name, value in {**GOOD, "STORAGE_URL": f"file://{tmp_path}", **settings}.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        return create_app()

    import logging

    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield attempt
    root.handlers[:], root.level = handlers, level


def test_good_settings_start_and_protect_the_session(start: Start) -> None:
    app = start()
    assert not app.debug
    assert app.config["SESSION_COOKIE_NAME"].startswith("__Host-")
    assert app.config["SESSION_COOKIE_SECURE"]
    assert app.config["SESSION_COOKIE_HTTPONLY"]
    assert (app.config["MFA_REQUIRED"], app.config["MFA_EXEMPTS_SAMPLE_ACCOUNTS"]) == ("staff", False)
    assert not any(rule.rule.startswith("/dev") for rule in app.url_map.iter_rules())
    answer = app.test_client().get("/healthz", base_url="https://ecert.exemple.tn")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"SECRET_KEY": None}, "SECRET_KEY is missing"),
        ({"SECRET_KEY": "court"}, "SECRET_KEY is too short"),
        ({"SECRET_KEY": SAMPLE_SECRET}, "SECRET_KEY is the sample one"),
        ({"FLASK_DEBUG": "1"}, "DEBUG is on"),
        ({"PUBLIC_URL": None}, "PUBLIC_URL must be"),
        ({"PUBLIC_URL": "http://ecert.exemple.tn"}, "PUBLIC_URL must be"),
        ({"TRUSTED_HOSTS": None}, "TRUSTED_HOSTS is missing"),
        ({"TRUSTED_HOSTS": " , "}, "TRUSTED_HOSTS is missing"),
        ({"DATABASE_URL": None}, "DATABASE_URL is missing"),
        ({"DATABASE_URL": "sqlite:////tmp/x.sqlite"}, "SQLite serves one process"),  # gunicorn.conf.py starts two
        ({"DATABASE_URL": "sqlite:////tmp/x.sqlite", "WEB_CONCURRENCY": "4"}, "SQLite serves one process"),
        ({"STORAGE_URL": None}, "STORAGE_URL is missing"),
        ({"CLICTOPAY_USERNAME": None}, "CLICTOPAY_BASE_URL, CLICTOPAY_USERNAME and"),
        ({"CLICTOPAY_PASSWORD": None}, "CLICTOPAY_BASE_URL, CLICTOPAY_USERNAME and"),
        ({"CLICTOPAY_USERNAME": "sandbox"}, "points to a sandbox"),
        ({"CLICTOPAY_BASE_URL": "https://ecert.exemple.tn/dev/passerelle/payment/rest/"}, "points to a sandbox"),
        ({"CLICTOPAY_BASE_URL": "http://paiement.exemple.tn/payment/rest/"}, "is not https"),
        ({"IDENTITY_SERVICE_URL": None}, "IDENTITY_SERVICE_URL is missing"),
        ({"IDENTITY_SERVICE_TOKEN": "sandbox"}, "points to the sandbox"),
        ({"MAIL_SERVER": None}, "MAIL_SERVER is missing"),
        ({"ECERT_CLOCK_SHIFT": "+3600"}, "for rehearsals only"),
        ({"MFA_REQUIRED": "none"}, "MFA_REQUIRED is 'none'"),
    ],
)
def test_each_unsafe_setting_is_refused_in_its_own_sentence(
    start: Start, settings: dict[str, str | None], sentence: str
) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        start(**settings)


def test_the_exception_of_the_demonstration_accounts_is_refused(start: Start) -> None:
    start()
    with pytest.raises(ConfigurationError, match="for development only"):
        create_app(overrides={"MFA_EXEMPTS_SAMPLE_ACCOUNTS": True})


def test_a_database_with_the_demonstration_in_it_is_refused(app: Flask, start: Start) -> None:
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    start(DATABASE_URL=url, WEB_CONCURRENCY="1")
    factories.user(email="agent@demo.tuntrust.tn")
    factories.db.session.commit()
    with pytest.raises(ConfigurationError, match=r"sample accounts \(agent@demo.tuntrust.tn\)"):
        start(DATABASE_URL=url, WEB_CONCURRENCY="1")


def test_the_accounts_refused_are_the_published_ones() -> None:
    assert {address for address, _french, _english in devserver.ACCOUNTS} == SAMPLE_ACCOUNTS

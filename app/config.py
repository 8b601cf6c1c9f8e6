"""One class per environment, filled from the process's environment variables (``8-interfaces.md``).

Production refuses to start with settings that would hurt people (SEC-5): ``check_production`` raises
``ConfigurationError`` with one sentence each.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask.helpers import get_debug_flag

from app.errors import ConfigurationError

ROOT = Path(__file__).resolve().parent.parent
SAMPLE_SECRET = "development-only-secret-never-in-production"  # noqa: S105 - refused by check_production


MFA_SCOPES = ("staff", "all")


class Config:
    """What every environment shares."""

    ENVIRONMENT = "development"
    DEBUG = False
    TESTING = False
    LANGUAGES = {"fr": "Français", "ar": "العربية", "en": "English"}
    BABEL_DEFAULT_LOCALE = "fr"
    BABEL_DEFAULT_TIMEZONE = "Africa/Tunis"
    MAX_CONTENT_LENGTH = 32 * 1024 * 1024
    MAX_FORM_MEMORY_SIZE = 2 * 1024 * 1024
    UPLOAD_LIMIT = 10 * 1024 * 1024
    SESSION_COOKIE_NAME = "ecert"
    SESSION_COOKIE_HTTPONLY = True
    SESSION_COOKIE_SAMESITE = "Lax"
    SESSION_IDLE = timedelta(minutes=30)
    SESSION_ABSOLUTE = timedelta(hours=12)
    WTF_CSRF_TIME_LIMIT = None
    FLASK_ADMIN_FLUID_LAYOUT = True
    SQLALCHEMY_TRACK_MODIFICATIONS = False
    SQLALCHEMY_ENGINE_OPTIONS = {
        "pool_pre_ping": True,  # a restarted database costs nobody an error page
        "hide_parameters": True,  # errors of the database do not carry people's data into the logs (SEC-6)
    }
    MFA_REQUIRED = "staff"  # for whom a second factor is compulsory: staff, or all (LOG-4)
    MFA_EXEMPTS_SAMPLE_ACCOUNTS = False
    SECRET_KEY_FALLBACKS: list[str] | None = None
    METRICS_TOKEN: str | None = None
    CLAMAV_SOCKET: str | None = None
    PROXY_HOPS = 0
    TRUSTED_HOSTS: list[str] | None = None
    SCHEDULER_IN_PROCESS = False
    DEV_PAGES = False
    MAIL_TIMEOUT = 15
    MAIL_SUPPRESS_SEND = False

    @classmethod
    def from_environment(cls) -> dict[str, Any]:
        """Settings of this environment, with the process's variables over the defaults."""
        values: dict[str, Any] = {name: getattr(cls, name) for name in dir(cls) if name.isupper()}
        env = os.environ
        values["SECRET_KEY"] = env.get("SECRET_KEY") or values.get("SECRET_KEY")
        url = env.get("DATABASE_URL") or values.get("SQLALCHEMY_DATABASE_URI")
        values["SQLALCHEMY_DATABASE_URI"] = normalise_database_url(url) if url else None
        values["PUBLIC_URL"] = (env.get("PUBLIC_URL") or values.get("PUBLIC_URL") or "").rstrip("/")
        if env.get("TRUSTED_HOSTS"):
            values["TRUSTED_HOSTS"] = [host.strip() for host in env["TRUSTED_HOSTS"].split(",") if host.strip()]
        if env.get("SECRET_KEY_FALLBACKS"):
            values["SECRET_KEY_FALLBACKS"] = env["SECRET_KEY_FALLBACKS"].split()
        values["PROXY_HOPS"] = int(env.get("PROXY_HOPS", values["PROXY_HOPS"]))
        for name in (
            "STORAGE_URL",
            "MAIL_SERVER",
            "MAIL_USERNAME",
            "MAIL_PASSWORD",
            "MAIL_DEFAULT_SENDER",
            "CLICTOPAY_BASE_URL",
            "CLICTOPAY_USERNAME",
            "CLICTOPAY_PASSWORD",
            "IDENTITY_SERVICE_URL",
            "IDENTITY_SERVICE_TOKEN",
            "CLAMAV_SOCKET",
            "MFA_REQUIRED",
            "TEIF_SIGNING_KEY",
            "TEIF_SIGNING_CERTIFICATE",
            "TTN_URL",
            "TTN_LOGIN",
            "TTN_PASSWORD",
            "TTN_TAX_ID",
            "METRICS_TOKEN",
        ):
            values[name] = env.get(name) or values.get(name)
        values["MAIL_PORT"] = int(env.get("MAIL_PORT") or values.get("MAIL_PORT", 25))
        values["MAIL_USE_TLS"] = env.get("MAIL_USE_TLS", "").lower() in {"1", "true", "yes", "on"}
        return values


class Development(Config):
    """``make run``: SQLite and files under var/, sandboxes, a mailbox, demonstration accounts."""

    DEBUG = False
    SECRET_KEY = SAMPLE_SECRET
    SQLALCHEMY_DATABASE_URI = f"sqlite:///{ROOT / 'var' / 'ecert.sqlite'}"
    PUBLIC_URL = "http://127.0.0.1:5000"
    STORAGE_URL = f"file://{ROOT / 'var' / 'files'}"
    VAR_DIRECTORY = str(ROOT / "var")
    MAIL_SERVER = "127.0.0.1"
    MAIL_PORT = 1025
    MAIL_DEFAULT_SENDER = "TunTrust ECERT <ne-pas-repondre@demo.tuntrust.tn>"
    CLICTOPAY_BASE_URL = "http://127.0.0.1:5000/dev/passerelle/payment/rest/"
    CLICTOPAY_USERNAME = "sandbox"
    CLICTOPAY_PASSWORD = "sandbox"  # noqa: S105 - the sandbox's published password
    IDENTITY_SERVICE_URL = "http://127.0.0.1:5000/dev/identite/"
    IDENTITY_SERVICE_TOKEN = "sandbox"  # noqa: S105 - the sandbox's published token
    DEV_PAGES = True
    MFA_EXEMPTS_SAMPLE_ACCOUNTS = True  # their password is published; refused in production

    @classmethod
    def from_environment(cls) -> dict[str, Any]:
        """VAR_DIRECTORY moves everything that development keeps, unless its place is named itself."""
        values = super().from_environment()
        given = os.environ.get("VAR_DIRECTORY")
        if given:
            var = Path(given).resolve()
            values["VAR_DIRECTORY"] = str(var)
            if not os.environ.get("DATABASE_URL"):
                values["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{var / 'ecert.sqlite'}"
            if not os.environ.get("STORAGE_URL"):
                values["STORAGE_URL"] = f"file://{var / 'files'}"
        return values


class Testing(Development):
    """The tests: everything real, each address given by the fixtures."""

    ENVIRONMENT = "testing"
    TESTING = True
    PUBLIC_URL = "http://localhost"
    SERVER_NAME = None


class Production(Config):
    """Nothing is assumed: every address and secret comes from the environment."""

    ENVIRONMENT = "production"
    SESSION_COOKIE_NAME = "__Host-ecert"
    SESSION_COOKIE_SECURE = True
    REMEMBER_COOKIE_SECURE = True
    PREFERRED_URL_SCHEME = "https"


ENVIRONMENTS: dict[str, type[Config]] = {
    "development": Development,
    "testing": Testing,
    "production": Production,
}


def normalise_database_url(url: str) -> str:
    """Operators write postgres:// or postgresql://; the driver is psycopg 3."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url[len(prefix) :]
    return url


def check_production(values: dict[str, Any]) -> None:
    """Refuse a production start that would be unsafe. Raises ConfigurationError, one sentence (SEC-5)."""
    secret = values.get("SECRET_KEY") or ""
    public = urlsplit(values.get("PUBLIC_URL") or "")
    checks: list[tuple[bool, str]] = [
        (not secret, "SECRET_KEY is missing: set it to at least 32 random characters."),
        (secret == SAMPLE_SECRET, "SECRET_KEY is the sample one: set your own."),
        (len(secret) < 32, "SECRET_KEY is too short: at least 32 random characters."),
        (bool(values.get("DEBUG")) or get_debug_flag(), "DEBUG is on: production never runs in debug mode."),
        (
            public.scheme != "https" or not public.hostname,
            "PUBLIC_URL must be the public https address of the portal.",
        ),
        (not values.get("TRUSTED_HOSTS"), "TRUSTED_HOSTS is missing: name the hosts the portal answers to."),
        (not values.get("SQLALCHEMY_DATABASE_URI"), "DATABASE_URL is missing."),
        (
            str(values.get("SQLALCHEMY_DATABASE_URI")).startswith("sqlite")
            and os.environ.get("WEB_CONCURRENCY", "") != "1",  # gunicorn.conf.py starts two unless told
            "SQLite serves one process: use PostgreSQL, or set WEB_CONCURRENCY to 1.",
        ),
        (not values.get("STORAGE_URL"), "STORAGE_URL is missing."),
        (
            not all(values.get(f"CLICTOPAY_{name}") for name in ("BASE_URL", "USERNAME", "PASSWORD")),
            "CLICTOPAY_BASE_URL, CLICTOPAY_USERNAME and CLICTOPAY_PASSWORD are needed.",
        ),
        (
            "/dev/passerelle" in str(values.get("CLICTOPAY_BASE_URL"))
            or values.get("CLICTOPAY_USERNAME") == "sandbox"
            or urlsplit(str(values.get("CLICTOPAY_BASE_URL"))).scheme != "https",
            "CLICTOPAY_BASE_URL points to a sandbox or is not https.",
        ),
        (not values.get("IDENTITY_SERVICE_URL"), "IDENTITY_SERVICE_URL is missing."),
        (
            values.get("IDENTITY_SERVICE_TOKEN") == "sandbox"
            or "/dev/identite" in str(values.get("IDENTITY_SERVICE_URL")),
            "IDENTITY_SERVICE_URL points to the sandbox.",
        ),
        (not values.get("MAIL_SERVER"), "MAIL_SERVER is missing: mail must leave for real."),
        (not values.get("MAIL_DEFAULT_SENDER"), "MAIL_DEFAULT_SENDER is missing."),
        (
            bool(values.get("MFA_EXEMPTS_SAMPLE_ACCOUNTS")),
            "MFA_EXEMPTS_SAMPLE_ACCOUNTS is for development only.",
        ),
        ("ECERT_CLOCK_SHIFT" in os.environ, "ECERT_CLOCK_SHIFT is for rehearsals only."),
    ]
    for wrong, sentence in checks:
        if wrong:
            raise ConfigurationError(sentence)


def load(environment: str | None, overrides: dict[str, Any] | None = None) -> dict[str, Any]:
    """Settings for ``environment`` (or ECERT_ENV, or development), checked. Raises ConfigurationError."""
    name = environment or os.environ.get("ECERT_ENV", "development")
    if name not in ENVIRONMENTS:
        raise ConfigurationError(f"ECERT_ENV is {name!r}: use development, testing or production.")
    values = ENVIRONMENTS[name].from_environment()
    values["ENVIRONMENT"] = name
    values.update(overrides or {})
    if values["MFA_REQUIRED"] not in MFA_SCOPES:
        raise ConfigurationError(f"MFA_REQUIRED is {values['MFA_REQUIRED']!r}: use staff or all.")
    if name == "production":
        check_production(values)
    return values

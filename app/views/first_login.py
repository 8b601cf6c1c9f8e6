"""Somebody who came in with a temporary password chooses their own before anything else (ACT-2)."""

from __future__ import annotations

from flask import Flask, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

OPEN_ENDPOINTS = {
    "auth.choose_password",
    "auth.logout",
    "preferences.set_language",
    "static",
    "pages.cgu",
    "pages.help",
}
OPEN_BLUEPRINTS = {"health", "dev"}  # the password to come in with stands in the mailbox


def init_app(app: Flask) -> None:
    """Attach the guard."""
    app.before_request(_choose_first)


def _choose_first() -> Response | None:
    if request.endpoint in OPEN_ENDPOINTS or request.endpoint is None or request.blueprint in OPEN_BLUEPRINTS:
        return None
    if current_user.is_authenticated and current_user.must_choose_password:
        return redirect(url_for("auth.choose_password"))
    return None

"""What comes before anything else: one's own password (ACT-2), then a second factor where it is compulsory (LOG-4)."""

from __future__ import annotations

from flask import Flask, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

OPEN_ENDPOINTS = {
    "auth.logout",
    "preferences.set_language",
    "static",
    "pages.cgu",
    "pages.help",
}
OPEN_BLUEPRINTS = {"health", "dev"}  # the password to come in with stands in the mailbox
ENROLMENT = {"account.second_factor", "account.set_up_app", "account.add_passkey", "account.passkey_options"}


def init_app(app: Flask) -> None:
    """Attach the guard."""
    app.before_request(_first_things_first)


def _first_things_first() -> Response | None:
    endpoint = request.endpoint
    if endpoint is None or endpoint in OPEN_ENDPOINTS or request.blueprint in OPEN_BLUEPRINTS:
        return None
    if not current_user.is_authenticated:
        return None
    if current_user.must_choose_password:
        return None if endpoint == "auth.choose_password" else redirect(url_for("auth.choose_password"))
    if current_user.must_enrol and endpoint not in ENROLMENT:
        return redirect(url_for("account.second_factor"))
    return None

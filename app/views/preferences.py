"""The language, chosen by the person and kept (I18-1)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, current_app, redirect, request, session, url_for
from flask_login import current_user

from app.services import accounts
from app.views.guards import safe_next

blueprint = Blueprint("preferences", __name__)


@blueprint.post("/langue")
def set_language() -> Any:
    """Switch to a language and come back to the same page."""
    code = request.form.get("lang", "")
    if code not in current_app.config["LANGUAGES"]:
        abort(404)
    session["lang"] = code
    if current_user.is_authenticated:
        accounts.set_locale(current_user.user.id, code)
    return redirect(safe_next(request.form.get("next")) or url_for("auth.login"))

"""Guards of the views: who may enter. Whose object it is, the queries decide (404, PPL-2)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar
from urllib.parse import urlsplit

from flask import abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from app.permissions import Permission
from app.web import current_actor

P = ParamSpec("P")
R = TypeVar("R")


def requires(*permissions: Permission) -> Callable[[Callable[P, R]], Callable[P, R | Response]]:
    """Only people holding one of the permissions; visitors are sent to the login page and come back after."""

    def decorate(view: Callable[P, R]) -> Callable[P, R | Response]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
            if not current_user.is_authenticated:
                return to_login()
            if not any(current_actor().can(permission) for permission in permissions):
                abort(403)
            return view(*args, **kwargs)

        return guarded

    return decorate


def signed_in(view: Callable[P, R]) -> Callable[P, R | Response]:
    """Anybody with an account."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
        if not current_user.is_authenticated:
            return to_login()
        return view(*args, **kwargs)

    return guarded


def to_login() -> Response:
    """The login page, remembering where the person wanted to go: a page of ours, or the one whose form they sent.

    Whose session ended while they were writing is told that nothing was kept.
    """
    if request.method == "POST":
        flash(_("Votre session a expiré : rien n'a été enregistré. Identifiez-vous, puis recommencez."), "error")
    rule = request.url_rule
    wanted = request.full_path.rstrip("?") if rule is not None and "GET" in (rule.methods or ()) else None
    return redirect(url_for("auth.login", next=wanted) if wanted and wanted != "/" else url_for("auth.login"))


def safe_next(target: str | None) -> str | None:
    """A path within the portal, or None: never another site (open redirect)."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return None
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc and "\\" not in target and "\n" not in target else None


def own_organisation_id() -> int:
    """The organisation the signed-in administrator works for; 404 for somebody who administers none."""
    ids = current_actor().organisation_ids
    if not ids:
        abort(404)
    return min(ids)

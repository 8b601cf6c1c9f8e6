"""The login's second step: a code of the app, a passkey or a recovery code, after the password (LOG-4).

Until it is done nobody is logged in: the cookie holds the token of a session that opens nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import login_user

from app.errors import DomainError
from app.forms.account import CodeForm, PasskeyForm, RecoveryForm
from app.forms.base import BaseForm, show_refusal
from app.services import accounts, passkeys, second_factor
from app.services.second_factor import LoginExpired
from app.views.guards import safe_next
from app.views.navigation import home_of
from app.web import LoggedIn

blueprint = Blueprint("second_step", __name__, url_prefix="/identification")
COOKIE_KEY = "second_step"


def begin(token: str) -> Response:
    """The password was right: ask for the second factor. Nothing of the visitor's session survives."""
    _forget_all_but_language()
    session[COOKIE_KEY] = token
    return _to("second_step.code")


def enter(token: str) -> Any:
    """A whole session begins, in a cookie of its own (no fixation)."""
    _forget_all_but_language()
    row = accounts.session_of(token)
    if row is None:
        return redirect(url_for("auth.login"))
    login_user(LoggedIn(row, token))
    if row.user.password_hash is None:
        return redirect(url_for("auth.choose_password"))
    actor = accounts.actor_for(row.user, ip=request.remote_addr, locale=row.user.locale)
    return redirect(safe_next(request.args.get("next")) or home_of(actor))


def _forget_all_but_language() -> None:
    lang = session.get("lang")
    session.clear()
    if lang:
        session["lang"] = lang


def _token() -> str:
    return str(session.get(COOKIE_KEY, ""))


def _to(endpoint: str) -> Response:
    wanted = safe_next(request.args.get("next"))
    return redirect(url_for(endpoint, next=wanted) if wanted else url_for(endpoint))  # type: ignore[return-value]


def _again(expired: LoginExpired) -> Response:
    session.pop(COOKIE_KEY, None)
    flash(str(expired), "error")
    return _to("auth.login")


def _step(template: str, form: BaseForm, give: Callable[[], str], refused: BaseForm | None = None) -> Any:
    """Show the form, or give what it holds and go in; refusals stand on ``form``."""
    try:
        half = second_factor.half_session(_token())
        if (refused or form).validate_on_submit():
            try:
                return enter(give())
            except LoginExpired:
                raise
            except DomainError as refusal:
                show_refusal(form, refusal)
                half = second_factor.half_session(_token())
    except LoginExpired as expired:
        return _again(expired)
    return render_template(
        template,
        form=form,
        has_app=half.user.totp_secret is not None,
        has_passkey=bool(passkeys.passkeys_of(half.user_id)),
        origin=passkeys.site()[1],
        next=safe_next(request.args.get("next")),
    )


@blueprint.route("/code", methods=("GET", "POST"))
def code() -> Any:
    """The six figures of the app; a passkey's button beside."""
    form = CodeForm()
    return _step(
        "views/auth/second_step.html",
        form,
        lambda: second_factor.pass_by_app(_token(), form.code.data or "", ip=request.remote_addr),
    )


@blueprint.post("/cle")
def passkey() -> Any:
    """The signature of a passkey."""
    form = PasskeyForm()
    return _step(
        "views/auth/second_step.html",
        CodeForm(formdata=None),
        lambda: passkeys.pass_by_passkey(_token(), form.credential.data or "", ip=request.remote_addr),
        form,
    )


@blueprint.post("/cle/options")
def options() -> Any:
    """What the browser must sign."""
    try:
        return Response(passkeys.authentication_options(_token()), mimetype="application/json")
    except LoginExpired as expired:
        return Response(str(expired), 410, mimetype="text/plain")


@blueprint.route("/secours", methods=("GET", "POST"))
def recovery() -> Any:
    """One of the codes kept for the day the phone is lost."""
    form = RecoveryForm()
    return _step(
        "views/auth/recovery.html",
        form,
        lambda: second_factor.pass_by_recovery_code(_token(), form.code.data or "", ip=request.remote_addr),
    )


@blueprint.post("/abandon")
def give_up() -> Any:
    """Back to the login page, for somebody else or another day."""
    accounts.log_out(_token())
    session.pop(COOKIE_KEY, None)
    flash(_("L'identification est abandonnée."), "info")
    return redirect(url_for("auth.login"))

"""Login, logout, first password, forgotten password (LOG-1 … LOG-3, ACT-2)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user, logout_user

from app.errors import DomainError
from app.forms.auth import ChoosePasswordForm, ForgottenForm, LoginForm
from app.forms.base import show_refusal
from app.services import accounts, inviting
from app.services.activation import RegistrationExpired
from app.views import second_step
from app.views.guards import safe_next, signed_in
from app.views.navigation import home_of
from app.web import current_actor

blueprint = Blueprint("auth", __name__)


@blueprint.route("/", methods=["GET", "POST"])
def login() -> Any:
    """IDENTIFICATION."""
    if request.method == "GET" and current_user.is_authenticated:
        return redirect(home_of(current_actor()))
    form = LoginForm()
    if form.validate_on_submit():
        try:
            opened = accounts.log_in(
                form.email.data,
                form.password.data,
                ip=request.remote_addr,
                user_agent=request.user_agent.string,
            )
        except accounts.InvitationExpired as late:
            show_refusal(form, DomainError(inviting.renew_expired(late, ip=request.remote_addr)))
        except DomainError as refusal:
            show_refusal(form, refusal)
        else:
            return second_step.begin(opened.token) if opened.factor_due else second_step.enter(opened.token)
    return render_template("views/auth/login.html", form=form, next=safe_next(request.args.get("next")))


@blueprint.post("/deconnexion")
def logout() -> Any:
    """End the session, on the server too."""
    if current_user.is_authenticated:
        accounts.log_out(current_user.token)
        logout_user()
    session.clear()
    flash(_("Vous êtes déconnecté."), "success")
    return redirect(url_for("auth.login"))


def _leave(sentence: str) -> Any:
    """The account exists no more: its session cannot go on, and the login page says why."""
    logout_user()
    session.clear()
    flash(sentence, "error")
    return redirect(url_for("auth.login"))


@blueprint.route("/mot-de-passe", methods=["GET", "POST"])
@signed_in
def choose_password() -> Any:
    """The first password after a temporary one, or a new one."""
    form = ChoosePasswordForm(first=current_user.must_choose_password)
    if form.validate_on_submit():
        try:
            if not form.first:
                accounts.confirm_password(current_user.user.id, form.current.data, ip=request.remote_addr)
            accounts.choose_password(
                current_user.user.id, form.password.data, actor=current_actor(), keep_token=current_user.token
            )
        except RegistrationExpired as late:
            return _leave(str(late))
        except DomainError as refusal:
            show_refusal(form, refusal)
        else:
            flash(_("Votre mot de passe est enregistré."), "success")
            return redirect(home_of(current_actor()))
    return render_template("views/auth/choose_password.html", form=form)


@blueprint.route("/mot-de-passe-oublie", methods=["GET", "POST"])
def forgotten() -> Any:
    """Ask for a link; the answer is the same for everybody."""
    form = ForgottenForm()
    if form.validate_on_submit():
        accounts.ask_for_reset(form.email.data, ip=request.remote_addr)
        return render_template("views/auth/forgotten_sent.html", email=form.email.data)
    return render_template("views/auth/forgotten.html", form=form)


@blueprint.route("/mot-de-passe/nouveau/<token>", methods=["GET", "POST"])
def reset(token: str) -> Any:
    """The link of the mail: looking at it consumes nothing, the POST does."""
    form = ChoosePasswordForm(first=True)
    if form.validate_on_submit():
        try:
            accounts.reset_password(token, form.password.data, ip=request.remote_addr)
        except DomainError as refusal:
            show_refusal(form, refusal)
        else:
            flash(_("Votre nouveau mot de passe est enregistré. Vous pouvez vous identifier."), "success")
            return redirect(url_for("auth.login"))
    usable = accounts.user_of_reset(token) is not None
    return render_template("views/auth/reset.html", form=form, usable=usable), 200 if usable else 410

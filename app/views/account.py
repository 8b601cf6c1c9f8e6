"""« Mon compte »: password, second factor, passkeys, sessions, language, optional mails (LOG-4, SEC-2, I18-1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import segno
from flask import Blueprint, Response, abort, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user, logout_user
from markupsafe import Markup

from app.errors import DomainError
from app.forms.account import AppForm, ConfirmForm, MailsForm, NewPasskeyForm
from app.forms.base import show_refusal
from app.mail_catalogue import OPTIONAL
from app.queries.sessions import live_sessions
from app.services import accounts, passkeys, second_factor
from app.views.guards import signed_in
from app.views.navigation import home_of
from app.web import current_actor

blueprint = Blueprint("account", __name__, url_prefix="/compte")
REFUSED = object()


@blueprint.context_processor
def _frame() -> dict[str, Any]:
    """Staff read these pages in the desk's frame, once they may enter it; nobody has a menu before that."""
    if not current_user.is_authenticated:
        return {}
    owes = current_user.must_enrol
    return {
        "desk_frame": current_actor().is_staff and not owes,
        "owes": owes,
        "required": second_factor.is_required(current_user.user),
        "origin": passkeys.site()[1],
        "has_domain": passkeys.has_domain(),
        **({"nav": []} if owes else {}),
    }


@blueprint.get("")
@signed_in
def show() -> Any:
    """Everything about one's account on one page."""
    user = current_user.user
    return render_template(
        "views/account/show.html",
        user=user,
        passkeys=passkeys.passkeys_of(user.id),
        codes_left=second_factor.codes_left(user.id) if user.second_factor_since else 0,
        sessions=live_sessions(user.id),
        here=current_user.session.id,
        mails=_mails_form(),
        optional=OPTIONAL,
    )


@blueprint.get("/second-facteur", endpoint="second_factor")
@signed_in
def choose_factor() -> Any:
    """Choose a second factor: where people who owe one are led."""
    if not current_user.must_enrol:
        return redirect(url_for("account.show"))
    return render_template("views/account/choose_factor.html")


@blueprint.route("/application", methods=("GET", "POST"))
@signed_in
def set_up_app() -> Any:
    """The QR code and a first code of the app."""
    user = current_user.user
    form = AppForm(fresh=_fresh())
    done = _acted(form, lambda: second_factor.set_up_app(
        user.id, form.sealed.data or "", form.code.data or "", actor=current_actor(), keep_token=current_user.token
    ))  # fmt: skip
    if done is not REFUSED:
        return _after_adding(done, _("L'application est reliée à votre compte."))
    form.sealed.data, seed = second_factor.open_enrolment(user.id, form.sealed.data or "")
    return render_template(
        "views/account/app.html",
        form=form,
        drawing=_drawing(second_factor.provisioning_uri(user, seed)),
        seed=_grouped(seed),
        user=user,
    )


@blueprint.route("/application/retirer", methods=("GET", "POST"))
@signed_in
def remove_app() -> Any:
    """Switch the app off, the password being asked again."""
    if current_user.user.totp_secret is None:
        abort(404)
    form = ConfirmForm()
    if _acted(form, lambda: second_factor.remove_app(current_user.user.id, actor=current_actor())) is not REFUSED:
        return _back(_("L'application est retirée."))
    return render_template("views/account/remove.html", form=form, passkey=None)


@blueprint.route("/codes", methods=("GET", "POST"))
@signed_in
def renew_codes() -> Any:
    """New recovery codes, shown once."""
    if current_user.user.second_factor_since is None:
        abort(404)
    form = ConfirmForm(fresh=_fresh())
    done = _acted(form, lambda: second_factor.renew_codes(current_user.user.id, actor=current_actor()))
    if done is not REFUSED:
        return render_template("views/account/codes.html", codes=done, next_url=url_for("account.show"))
    return render_template("views/account/renew_codes.html", form=form)


@blueprint.route("/cles/nouvelle", methods=("GET", "POST"))
@signed_in
def add_passkey() -> Any:
    """Name a passkey and let the browser make it."""
    form = NewPasskeyForm(fresh=_fresh())
    done = _acted(form, lambda: passkeys.add_passkey(
        current_user.session.id, form.name.data or "", form.credential.data or "", actor=current_actor(),
        keep_token=current_user.token,
    ))  # fmt: skip
    if done is not REFUSED:
        return _after_adding(done, _("La clé d'accès est ajoutée."))
    form.credential.data = ""
    return render_template("views/account/add_passkey.html", form=form)


@blueprint.post("/cles/options")
@signed_in
def passkey_options() -> Any:
    """What the browser needs to make a key (JSON); 422 when the form would be refused, so that no key is made."""
    form = NewPasskeyForm(fresh=_fresh())
    made = _acted(form, lambda: passkeys.registration_options(current_user.session.id, form.name.data or ""))
    if made is REFUSED:
        return Response("", 422, mimetype="text/plain")
    return Response(made, mimetype="application/json")


@blueprint.route("/cles/<int:passkey_id>/retirer", methods=("GET", "POST"))
@signed_in
def remove_passkey(passkey_id: int) -> Any:
    """Take one of one's own keys away, the password being asked again."""
    key = passkeys.passkey_of(current_user.user.id, passkey_id)
    name, form = key.name, ConfirmForm()
    if _acted(form, lambda: passkeys.remove_passkey(passkey_id, actor=current_actor())) is not REFUSED:
        return _back(_("La clé d'accès est retirée."))
    return render_template("views/account/remove.html", form=form, passkey=name)


@blueprint.post("/sessions/<int:session_id>/fermer")
@signed_in
def end_session(session_id: int) -> Any:
    """« Déconnecter » one device."""
    accounts.end_session(session_id, actor=current_actor())
    return _back(_("Cet appareil est déconnecté."))


@blueprint.post("/sessions/fermer")
@signed_in
def end_every_session() -> Any:
    """« Déconnecter partout », this device too."""
    accounts.end_every_session(actor=current_actor())
    logout_user()
    session.clear()
    flash(_("Tous vos appareils sont déconnectés."), "success")
    return redirect(url_for("auth.login"))


@blueprint.post("/courriels")
@signed_in
def choose_mails() -> Any:
    """Which optional mails one wants."""
    form = _mails_form()
    if not form.validate_on_submit():
        abort(400)
    offered = set(_offered())
    kept = set(current_user.user.muted_mails) - offered  # groups of another role of theirs
    accounts.choose_mails(frozenset(kept | (offered - set(form.wanted.data or ()))), actor=current_actor())
    return _back(_("Vos choix de courriels sont enregistrés."))


def _offered() -> list[str]:
    """The groups of optional mails that concern the person."""
    staff = current_actor().is_staff
    return [name for name, group in OPTIONAL.items() if group.for_staff == staff]


def _mails_form() -> MailsForm:
    """Those groups, the ones they want ticked."""
    offered, muted = _offered(), current_user.user.muted_mails
    form = MailsForm(wanted=[name for name in offered if name not in muted])
    form.wanted.choices = [(name, str(OPTIONAL[name].label)) for name in offered]
    return form


def _fresh() -> bool:
    return accounts.is_fresh(current_user.session)


def _acted(form: ConfirmForm, act: Callable[[], Any]) -> Any:
    """What the act gave, once the form holds and the password was right; REFUSED to show the form (again)."""
    if not form.validate_on_submit():
        return REFUSED
    try:
        if not form.fresh:
            accounts.confirm_password(current_user.user.id, form.current.data or "", ip=request.remote_addr)
        return act()
    except DomainError as refusal:
        show_refusal(form, refusal)
        return REFUSED


def _after_adding(codes: list[str], said: str) -> Any:
    """The recovery codes, once, after a first second factor; else back to the account."""
    if not codes:
        return _back(said)
    return render_template("views/account/codes.html", codes=codes, said=said, next_url=home_of(current_actor()))


def _back(said: str) -> Any:
    flash(said, "success")
    return redirect(url_for("account.show"))


def _drawing(uri: str) -> Markup:
    """The QR code as a picture inside the page: no file, no outside service."""
    drawn = segno.make(uri, error="m").svg_inline(scale=5, border=4, light="#ffffff", svgclass="qr")
    return Markup(drawn)  # noqa: S704 - paths drawn from modules, no text of anybody's


def _grouped(seed: str) -> str:
    """The seed in groups of four, as one types it."""
    return " ".join(seed[start : start + 4] for start in range(0, len(seed), 4))

"""« S'inscrire en tant qu'organisation »: the wizard of four steps (ORG-1 … ORG-8)."""

from __future__ import annotations

import io
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, send_file, session, url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from app.errors import DomainError
from app.forms.base import show_refusal
from app.forms.signup_people import FinishForm
from app.models import SignupDraft
from app.queries import reference
from app.services import captchas, drafts, signup
from app.views.documents import SIGNUP_TOKEN
from app.views.signup_pages import LABELS, SLUGS, StepPage, read_back, step_urls
from app.web import current_actor

blueprint = Blueprint("signup", __name__, url_prefix="/inscription")


@blueprint.get("")
def start() -> Any:
    """Where the sign-up stands; after one that was sent, a new one."""
    draft = _draft()
    if draft is None or draft.submitted_at is not None:
        session.pop(SIGNUP_TOKEN, None)
        return redirect(step_urls()["organisation"])
    return redirect(step_urls()[signup.next_step(draft)])


@blueprint.route("/<any(organisation, representant, administrateurs):slug>", methods=["GET", "POST"])
def step(slug: str) -> Any:
    """One of the first three steps."""
    name, draft = SLUGS[slug], _draft()
    elsewhere = _elsewhere(draft, name)
    if elsewhere is not None:
        return elsewhere
    if request.method == "GET":
        return StepPage(name, session.get(SIGNUP_TOKEN)).render()
    if draft is None:
        session[SIGNUP_TOKEN] = drafts.start()
    return StepPage(name, session[SIGNUP_TOKEN]).answer()


@blueprint.route("/terminer", methods=["GET", "POST"])
def finish() -> Any:
    """« Terminer »: everything read back, the code, « Enregistrer »."""
    elsewhere = _elsewhere(_draft(), signup.FINISH)
    if elsewhere is not None:
        return elsewhere
    token, form = session[SIGNUP_TOKEN], FinishForm()
    if request.method == "POST":
        try:
            return _finish(token, request.form.get("go", "save"))
        except drafts.DraftGone:
            raise
        except DomainError as refusal:
            show_refusal(form, refusal)
            form.captcha.raw_data, form.captcha.data = [], ""
    return _finish_page(token, form)


def _finish(token: str, go: str) -> Any:
    if go == "back":
        return redirect(step_urls()["administrators"])
    if go == "captcha":
        drafts.renew_captcha(token)
        return redirect(url_for("signup.finish", _anchor="captcha"))
    signup.submit(token, request.form.get("captcha", ""), actor=current_actor())
    return redirect(url_for("signup.done"))


def _finish_page(token: str, form: FinishForm) -> Any:
    drafts.ensure_captcha(token)
    draft = _draft()
    if draft is None:
        return redirect(url_for("signup.start"))
    return render_template(
        "views/signup/finish.html",
        form=form,
        tables=read_back(draft),
        problems=signup.problems(draft),
        steps=LABELS(),
        urls=step_urls(),
        version=draft.version,
    )


@blueprint.get("/envoyee")
def done() -> Any:
    """« Vérifiez votre messagerie »: the same page whatever was found (ORG-8)."""
    draft = _draft()
    if draft is None or draft.submitted_at is None:
        return redirect(url_for("signup.start"))
    return render_template("views/signup/done.html", email=draft.outcome_email, steps=LABELS())


@blueprint.post("/effacer")
def abandon() -> Any:
    """« Effacer ma saisie », for a shared computer."""
    drafts.abandon(session.pop(SIGNUP_TOKEN, None))
    flash(_("Votre saisie et vos fichiers sont effacés."), "success")
    return redirect(url_for("auth.login"))


@blueprint.get("/localites")
def localities() -> Any:
    """Localities of a postal code, for the field that offers them (ORG-3)."""
    found = reference.localities_of(request.args.get("code", "")[:8].strip())
    towns = {row.delegation for row in found}
    town = towns.pop() if len(towns) == 1 else ""
    return {
        "results": [
            {"locality": row.name, "town": town, "governorate": str(row.governorate_id), "delegation": row.delegation}
            for row in found
        ]
    }


@blueprint.get("/code.png")
def captcha_image() -> Response:
    """The code as a picture."""
    return send_file(io.BytesIO(captchas.image(_code())), mimetype="image/png", max_age=0)


@blueprint.get("/code.wav")
def captcha_audio() -> Response:
    """The code spoken, in the page's language."""
    sound = captchas.audio(_code(), str(get_locale() or "fr")[:2])
    return send_file(io.BytesIO(sound), mimetype="audio/wav", max_age=0)


@blueprint.errorhandler(drafts.DraftGone)
def draft_gone(gone: drafts.DraftGone) -> Any:
    """Too old, or sent from another tab meanwhile."""
    draft = _draft()
    if draft is not None and draft.submitted_at is not None:
        return redirect(url_for("signup.done"))
    session.pop(SIGNUP_TOKEN, None)
    flash(str(gone), "warning")
    return redirect(url_for("signup.start"))


def _draft() -> SignupDraft | None:
    return drafts.find(session.get(SIGNUP_TOKEN))


def _code() -> str:
    return drafts.captcha_of(_draft()) or abort(404)


def _elsewhere(draft: SignupDraft | None, name: str) -> Any:
    """Where to go instead: what was sent is over, and no step can be skipped."""
    if draft is not None and draft.submitted_at is not None:
        return redirect(url_for("signup.done"))
    if signup.reachable(draft, name):
        return None
    if draft is None:
        flash(_("Votre saisie n'est plus là : elle est gardée 24 heures. Recommencez l'inscription."), "warning")
    else:
        flash(_("Terminez d'abord cette étape."), "info")
    return redirect(step_urls()[signup.next_step(draft)])

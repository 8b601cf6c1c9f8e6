"""« Suivre une commande »: the answer goes by mail, the page never discloses (chapter 1)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request

from app.errors import DomainError
from app.forms.auth import FollowForm
from app.forms.base import show_refusal
from app.services import tracking
from app.web import current_actor

blueprint = Blueprint("tracking", __name__)


@blueprint.route("/suivi", methods=["GET", "POST"])
def follow() -> Any:
    """Ask where an order stands."""
    form = FollowForm()
    if form.validate_on_submit():
        try:
            tracking.follow(form.reference.data, form.email.data, ip=request.remote_addr, locale=current_actor().locale)
        except DomainError as refusal:
            show_refusal(form, refusal)
        else:
            return render_template("views/tracking/asked.html", email=form.email.data)
    return render_template("views/tracking/follow.html", form=form)

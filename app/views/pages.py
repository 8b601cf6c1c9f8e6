"""Plain public pages: help, general conditions."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask_login import current_user

from app.papers.text import blocks
from app.queries import reference
from app.services import settings
from app.views.navigation import home_of
from app.web import current_actor

blueprint = Blueprint("pages", __name__)


@blueprint.get("/accueil")
def home() -> Any:
    """Each person's own home (PPL-1); a visitor's is the login page."""
    return redirect(home_of(current_actor()) if current_user.is_authenticated else url_for("auth.login"))


@blueprint.get("/conditions-generales")
def cgu() -> Any:
    """The general conditions in force."""
    version = reference.current_cgu()
    return render_template("views/pages/cgu.html", version=version, blocks=blocks(version.text_fr))


@blueprint.get("/aide", endpoint="help")
def show_help() -> Any:
    """How the portal works, in the manual's order."""
    return render_template("views/pages/help.html", contact=settings.get("seller.email"))

"""« Relances »: who holds the organisation's orders up, and what can be paid already (ORD-7)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from werkzeug.wrappers import Response

from app.errors import DomainError, NotFound
from app.permissions import Permission
from app.queries import chasing as query
from app.queries.chasing import PAGE_SIZE, ChasePage, Stage
from app.services import chasing, ordering
from app.services.chasing import CHASED, Chased
from app.states import Who
from app.views.guards import own_organisation_id, requires
from app.views.requests.showing import wanted
from app.web import current_actor

blueprint = Blueprint("chasing", __name__, url_prefix="/commandes/relances")

TABS = {
    Stage.ACTIVATION: _l("Compte à activer"),
    Stage.VALIDATION: _l("Demande à valider"),
    Stage.CORRECTION: _l("Erreur signalée"),
}


@blueprint.get("")
@requires(Permission.ORDER_CERTIFICATES)
def show() -> Any:
    """One stage's people, the longest wait first; what is ready to be paid above them."""
    organisation_id = own_organisation_id()
    counts = query.counts(organisation_id)
    stage = _stage(request.args.get("etape"), counts)
    page = query.chase_page(organisation_id, stage, counts, _number(request.args.get("page")))
    return render_template(
        "views/orders/chase.html",
        page=page,
        ready=counts[Stage.READY],
        tabs=[
            {"label": label, "url": _address(tab), "current": tab is stage, "count": counts[tab]}
            for tab, label in TABS.items()
        ],
        waits_for_applicant=stage in CHASED,
        me=current_actor().user_id,
        pager=_pager(page),
    )


def _stage(text: str | None, counts: dict[Stage, int]) -> Stage:
    """The tab of the address, else the first where somebody waits."""
    if text in {str(tab) for tab in TABS}:
        return Stage(text)
    return next((tab for tab in TABS if counts[tab]), Stage.ACTIVATION)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 7 else 1


def _address(stage: Stage, page: int | None = None) -> str:
    return url_for("chasing.show", etape=stage, page=page)


def _pager(page: ChasePage) -> dict[str, Any]:
    first = (page.page - 1) * PAGE_SIZE + 1
    text = _("%(first)d à %(last)d sur %(total)d", first=first, last=first + len(page.rows) - 1, total=page.total)
    return {
        "text": text if page.pages > 1 else "",
        "prev_url": _address(page.stage, page.page - 1) if page.page > 1 else None,
        "next_url": _address(page.stage, page.page + 1) if page.page < page.pages else None,
    }


@blueprint.post("/tous")
@requires(Permission.ORDER_CERTIFICATES)
def resend_all() -> Response:
    """« Relancer tout le monde » of a stage."""
    stage = Stage.VALIDATION if request.form.get("etape") == Stage.VALIDATION else Stage.ACTIVATION
    done = chasing.resend_all(current_actor(), own_organisation_id(), stage)
    flash(_said(done), "success" if done.sent else "info")
    return redirect(_address(stage))


def _said(done: Chased) -> str:
    parts = [
        ngettext("%(num)d personne relancée.", "%(num)d personnes relancées.", done.sent)
        if done.sent
        else _("Personne n'a été relancé.")
    ]
    if done.recent:
        parts.append(
            ngettext(
                "%(num)d a déjà reçu un courriel il y a moins d'une heure.",
                "%(num)d ont déjà reçu un courriel il y a moins d'une heure.",
                done.recent,
            )
        )
    if done.left:
        parts.append(ngettext("Il en reste %(num)d : recommencez.", "Il en reste %(num)d : recommencez.", done.left))
    return " ".join(parts)


@blueprint.post("/<reference>")
@requires(Permission.ORDER_CERTIFICATES)
def resend(reference: str) -> Response:
    """« Relancer » one person."""
    row = wanted(reference, hand=Who.ADMINISTRATOR)
    try:
        ordering.resend_invitation(current_actor(), row.id)
    except NotFound:
        raise
    except DomainError as refusal:
        flash(str(refusal), "error")
    else:
        flash(_("L'invitation est renvoyée à %(email)s.", email=row.email), "success")
    return redirect(url_for("chasing.show", etape=request.form.get("etape"), _anchor=row.reference))

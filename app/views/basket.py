"""« Récapitulatif de mon panier » (PAY-1)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from app.errors import DomainError, Forbidden, NotFound
from app.forms.base import strip
from app.forms.payment import PaymentForm
from app.money import format_number, format_rate
from app.permissions import Permission
from app.queries import billing
from app.services import basket, pricing
from app.services.credits import ledger
from app.services.payments import PaymentDone
from app.views.guards import own_organisation_id, requires
from app.web import current_actor

blueprint = Blueprint("basket", __name__, url_prefix="/panier")


@blueprint.get("")
@requires(Permission.PAY)
def show() -> Any:
    """What will be paid, line by line, to the millime."""
    rows = billing.basket_of(own_organisation_id())
    ids = [row.id for row in rows]
    method = request.args.get("moyen", "CARTE")
    live = billing.live_payments_of(ids)
    priced = pricing.quote_requests(rows) if rows else None
    available = ledger.available_to(own_organisation_id(), but=[payment.id for payment in live])
    wanted = request.args.get("avoir") != "non"
    return render_template(
        "views/basket/show.html",
        priced=priced,
        available=available,
        credit=min(available, priced.quote.total) if priced and wanted else 0,
        form=PaymentForm(formdata=None, method=method if method in ("CARTE", "EDINAR") else "CARTE"),
        live=live,
        in_doubt=billing.payments_in_doubt_of(ids),
        dinars=_dinars,
        rate=format_rate,
    )


@blueprint.post("/ajouter")
@requires(Permission.PAY)
def add() -> Any:
    """« Ajouter au panier »: the boxes ticked in the history."""
    try:
        count = basket.add_to_basket(current_actor(), ticked())
    except (NotFound, Forbidden):
        raise
    except DomainError as refusal:
        flash(str(refusal), "error")
        return redirect(url_for("orders.history"))
    if count:
        flash(_added(count), "success")
    return redirect(url_for("basket.show"))


@blueprint.post("/tout")
@requires(Permission.PAY)
def add_ready() -> Any:
    """« Tout mettre au panier »: every request that waits for its payment (ORD-7)."""
    try:
        count = basket.add_all_ready(current_actor(), own_organisation_id())
    except DomainError as refusal:
        flash(str(refusal), "info")
    else:
        flash(_added(count), "success")
    return redirect(url_for("basket.show"))


def _added(count: int) -> str:
    return ngettext("%(num)d demande ajoutée au panier.", "%(num)d demandes ajoutées au panier.", count)


@blueprint.post("/retirer")
@requires(Permission.PAY)
def remove() -> Any:
    """Take one request out of the basket; it stays to be paid."""
    try:
        row = basket.remove_from_basket(current_actor(), next(iter(ticked()), ""))
    except (NotFound, Forbidden):
        raise
    except DomainError as refusal:
        return refused(refusal)
    flash(_("La demande %(reference)s est retirée du panier.", reference=row.reference), "success")
    return redirect(url_for("basket.show"))


def ticked() -> list[str]:
    """The references sent, as forms clean what was typed."""
    return [strip(each) for each in request.form.getlist("request")]


def refused(refusal: DomainError, method: str | None = None) -> Response:
    """Back to the basket with the sentence; to the result when everything turns out to be paid."""
    if isinstance(refusal, PaymentDone):
        flash(str(refusal), "success")
        return redirect(url_for("payments.return_", t=refusal.return_token))
    flash(str(refusal), "error")
    return redirect(url_for("basket.show", moyen=method))


def _dinars(millimes: int) -> str:
    """The manual's way of writing a delivery price: ``7dt``."""
    return f"{millimes // 1000}dt" if millimes % 1000 == 0 else f"{format_number(millimes)}dt"

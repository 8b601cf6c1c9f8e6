"""« Mes certificats »: what an organisation holds; renew, revoke, see somebody off (CRT-5)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app import clock
from app.errors import DomainError, NotFound
from app.models import CertificateRequest
from app.permissions import Permission
from app.queries import own_certificates as queries
from app.queries.own_certificates import PAGE_SIZE, Page, Tab
from app.services import renewing
from app.services.replacing import why_not_renewable
from app.states import VALID_CERTIFICATE_STATES
from app.views.guards import own_organisation_id, requires
from app.web import current_actor

blueprint = Blueprint("certificates", __name__, url_prefix="/certificats")

TABS: dict[Tab, Any] = {
    Tab.VALID: _l("Valables"),
    Tab.SOON: _l("Bientôt expirés"),
    Tab.EXPIRED: _l("Expirés"),
    Tab.REVOKED: _l("Révoqués"),
}


@blueprint.get("")
@requires(Permission.SEE_OWN_ORGANISATION)
def mine() -> Any:
    """The organisation's certificates by what they are worth today."""
    tab = next((each for each in Tab if each == request.args.get("onglet")), Tab.VALID)
    typed, number = request.args.get("q", "")[:100], request.args.get("page", "1")
    page = queries.certificates_page(
        own_organisation_id(),
        tab,
        text=typed,
        page=int(number) if number.isascii() and number.isdigit() and len(number) < 7 else 1,
    )
    return render_template(
        "views/certificates/mine.html",
        page=page,
        tab=tab,
        typed=typed,
        tabs=_tabs(page, tab),
        pager=_pager(page, tab, typed),
        soon=queries.waiting_for_renewal(current_actor()),
        may_renew={row.id for row in page.rows if _is_renewable(page, row)},
        days_left={row.id: _days_left(row) for row in page.rows},
        valid_states=VALID_CERTIFICATE_STATES,
        now=clock.now(),
    )


@blueprint.post("/renouveler")
@requires(Permission.ORDER_CERTIFICATES)
def renew() -> Any:
    """« Renouveler »: the ticked ones, or all near their end, on the list « Commander certificats »."""
    organisation_id = own_organisation_id()
    chosen = request.form.getlist("request")
    if request.form.get("tous"):
        chosen = queries.renewable_soon(organisation_id)[: renewing.MOST]
    try:
        done = renewing.prepare_renewal(current_actor(), organisation_id, [each[:40] for each in chosen])
    except NotFound:
        raise
    except DomainError as refusal:
        flash(str(refusal), "error")
        return redirect(url_for("certificates.mine", onglet=Tab.SOON))
    flash(_said(done.added), "success" if done.added else "info")
    return redirect(url_for("ordering.form", code=done.code, _anchor="liste"))


def _said(added: int) -> str:
    if not added:
        return _("Ces certificats sont déjà sur votre liste : relisez-la, puis envoyez-la.")
    return ngettext(
        "%(num)d renouvellement est sur votre liste. Rien n'est encore commandé : relisez-la, puis envoyez-la.",
        "%(num)d renouvellements sont sur votre liste. Rien n'est encore commandé : relisez-la, puis envoyez-la.",
        added,
    )


def _is_renewable(page: Page, row: CertificateRequest) -> bool:
    return row.id not in page.successors and row.id not in page.listed and not why_not_renewable(row.certificate)


def _days_left(row: CertificateRequest) -> int:
    assert row.certificate is not None  # noqa: S101 - the page's rows have one
    return (clock.local(row.certificate.not_after).date() - clock.today()).days


def _tabs(page: Page, current: Tab) -> list[dict[str, Any]]:
    return [
        {
            "label": label,
            "url": url_for("certificates.mine", onglet=each),
            "count": page.counts[each],
            "current": each is current,
        }
        for each, label in TABS.items()
    ]


def _pager(page: Page, tab: Tab, typed: str) -> dict[str, Any]:
    def url(number: int) -> str:
        return url_for("certificates.mine", onglet=tab, q=typed or None, page=number)

    first = (page.page - 1) * PAGE_SIZE + 1
    text = _(
        "%(first)d à %(last)d sur %(total)d · 30 par page",
        first=first,
        last=first + len(page.rows) - 1,
        total=page.total,
    )
    return {
        "text": text if page.rows else "",
        "prev_url": url(page.page - 1) if page.page > 1 else None,
        "next_url": url(page.page + 1) if page.page < page.pages else None,
    }

"""« Historique des commandes »: an administrator's home (ORD-1)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _

from app.models import CertificateRequest
from app.permissions import Permission
from app.queries import chasing
from app.queries import requests as queries
from app.queries.asks import waiting_at_home
from app.queries.requests import PAGE_SIZE, HistoryFilter, HistoryPage
from app.services import pricing
from app.services.authority import hands_on_request
from app.states import REQUEST_MOVES, RequestState, moves_from
from app.views.guards import own_organisation_id, requires
from app.web import current_actor

blueprint = Blueprint("orders", __name__)


@blueprint.get("/commandes")
@requires(Permission.SEE_OWN_ORGANISATION)
def history() -> Any:
    """Counters, filters, the table, the basket's boxes."""
    organisation_id = own_organisation_id()
    wanted = _filter_of_address()
    page = queries.history_page(organisation_id, wanted)
    counts = queries.counters(organisation_id)
    return render_template(
        "views/orders/history.html",
        page=page,
        wanted=wanted,
        counts=counts,
        states=RequestState,
        types=queries.ordered_types(organisation_id),
        payable=_payable(page.rows, page.held),
        ready=chasing.counts(organisation_id)[chasing.Stage.READY]
        if counts[RequestState.EN_ATTENTE_DE_PAIEMENT]
        else 0,
        may={row.id: _actions(row) for row in page.rows},
        todo=waiting_at_home(current_actor(), organisation_id),
        pager=_pager(page),
        address=_address,
    )


def _actions(row: CertificateRequest) -> set[str]:
    """What the reader may do with a request now, as ``states`` says (STA-1)."""
    return {move.action for move in moves_from(REQUEST_MOVES, row.state, hands_on_request(current_actor(), row))}


def _payable(rows: list[CertificateRequest], held: frozenset[int]) -> dict[str, Any]:
    """What each box of the page adds to the basket, in millimes, and the stamp added once (PRI-1)."""
    waiting = [row for row in rows if row.state is RequestState.EN_ATTENTE_DE_PAIEMENT and row.id not in held]
    if not waiting:
        return {"amounts": {}, "stamp": 0}
    priced = pricing.quote_requests(waiting)
    amounts = {row.request.id: row.line.ttc + row.line.delivery_ttc for row in priced.rows}
    return {"amounts": amounts, "stamp": priced.quote.stamp_duty}


def _pager(page: HistoryPage) -> dict[str, Any]:
    first = (page.page - 1) * PAGE_SIZE + 1
    text = _(
        "%(first)d à %(last)d sur %(total)d · 30 par page",
        first=first,
        last=first + len(page.rows) - 1,
        total=page.total,
    )
    around = sorted({1, page.pages, *range(max(1, page.page - 2), min(page.pages, page.page + 2) + 1)})
    numbers: list[dict[str, Any]] = []
    for index, number in enumerate(around):
        if index and number - around[index - 1] > 1:
            numbers.append({"label": None})
        numbers.append({"label": number, "url": _address(page=number), "current": number == page.page})
    return {
        "text": text if page.rows else "",
        "prev_url": _address(page=page.page - 1) if page.page > 1 else None,
        "next_url": _address(page=page.page + 1) if page.page < page.pages else None,
        "numbers": numbers if page.pages > 1 else [],
    }


def _filter_of_address() -> HistoryFilter:
    """Whatever the address says, wrong values count as none."""
    state = request.args.get("etat", "")
    kind = request.args.get("categorie", "")
    page = request.args.get("page", "1")
    return HistoryFilter(
        text=request.args.get("q", "")[:100],
        state=RequestState(state) if state in RequestState.__members__ else None,
        certificate_type_id=int(kind) if kind.isascii() and kind.isdigit() and len(kind) < 10 else None,
        sort=request.args.get("tri", "date"),
        descending=request.args.get("ordre", "desc") != "asc",
        page=int(page) if page.isascii() and page.isdigit() and len(page) < 7 else 1,
    )


def _address(**changes: Any) -> str:
    """This page's address with some of its filters changed; None takes one out."""
    kept = {name: request.args[name] for name in ("q", "etat", "categorie", "tri", "ordre") if request.args.get(name)}
    kept.update({name: value for name, value in changes.items() if value is not None})
    return url_for(
        "orders.history", **{name: value for name, value in kept.items() if changes.get(name, "") is not None}
    )

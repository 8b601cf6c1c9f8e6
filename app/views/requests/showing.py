"""« Mes demandes » and one request's page (ORD-8)."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _

from app import clock
from app.bilingual import for_reader
from app.errors import DomainError, NotFound
from app.models import CertificateRequest, DocumentAskItem
from app.permissions import Permission
from app.queries import billing
from app.queries.asks import may_answer, open_ask, waiting_for
from app.queries.documents import documents_of_request
from app.queries.history import history_of_request
from app.queries.replacements import replacement_of
from app.queries.requests import held_ids, request_for, requests_of
from app.queries.threads import summary_of
from app.services import ordering
from app.services.authority import hands_on_request
from app.services.replacing import why_not_renewable
from app.services.supplying import item_label
from app.states import REQUEST_MOVES, VALID_CERTIFICATE_STATES, RequestState, Who, moves_from
from app.views.guards import requires
from app.views.requests import blueprint
from app.views.requests.stages import collect_before, stages_of
from app.views.requests.standing import standing
from app.web import current_actor

CLIENT_HANDS = frozenset({Who.ADMINISTRATOR, Who.APPLICANT})
PAGES = {"withdraw": "requests.withdraw", "reopen": "requests.reopen"}
"""Moves whose page the foot of a request's page leads to; the others are the first thing on it."""


def client_hands(request: CertificateRequest) -> frozenset[Who]:
    """In which capacities the reader may touch the request as a client; officers act in the back office."""
    return hands_on_request(current_actor(), request) & CLIENT_HANDS


def wanted(reference: str, *, hand: Who | None = None) -> CertificateRequest:
    """The reader's request; 404 for another's, or when the page is not for their hand."""
    row = request_for(current_actor(), reference)
    if hand is not None and hand not in client_hands(row):
        raise NotFound(_("Cette demande n'existe pas."))
    return row


@blueprint.get("/demandes")
@requires(Permission.SEE_OWN_REQUESTS)
def mine() -> Any:
    """An applicant's home: what waits for them first, then all their requests."""
    actor = current_actor()
    return render_template(
        "views/requests/mine.html",
        rows=requests_of(actor.user_id or 0),
        waiting=waiting_for(actor, own_only=True),
        states=RequestState,
    )


@blueprint.get("/demandes/<reference>")
@requires(Permission.SEE_OWN_REQUESTS, Permission.SEE_OWN_ORGANISATION)
def show(reference: str) -> Any:
    """Where it stands, its people, documents, messages, delivery, invoice and history (ORD-8)."""
    row, actor = wanted(reference), current_actor()
    hands, held, ask = client_hands(row), row.id in held_ids([row.id]), open_ask(row.id)
    administers = Who.ADMINISTRATOR in hands
    return render_template(
        "views/requests/show.html",
        row=row,
        stands=standing(row, actor, hands, held=held, ask=ask),
        stages=stages_of(row, hands, ask),
        asked=[_asked(row, item) for item in ask.items] if ask is not None else [],
        delivery=row.certificate if row.certificate is not None and row.certificate.tracking_number else None,
        collect_before=collect_before,
        administers=administers,
        papers=documents_of_request(row.id),
        talk=summary_of(actor, row.id),
        bill=billing.bill_of_request(row.id) if administers else None,
        days=history_of_request(row.id),
        actions=_actions(row, hands, held=held),
        life=_life(row, hands),
        successor=replacement_of(row.id) if row.certificate is not None else None,
        states=RequestState,
    )


def _asked(row: CertificateRequest, item: DocumentAskItem) -> dict[str, Any]:
    """A point of TunTrust's ask: what, why, whether it was answered, and who may."""
    return {
        "label": item_label(item),
        "reason": for_reader(item.reason, item.reason_ar),
        "answered": item.answered_at,
        "own": may_answer(current_actor(), row, item),
    }


def _life(row: CertificateRequest, hands: frozenset[Who]) -> frozenset[str]:
    """What these hands may do of the certificate itself: revoke, renew, see its holder off (CRT-4, CRT-5)."""
    certificate, found = row.certificate, set()
    if certificate is None:
        return frozenset()
    valid = certificate.state in VALID_CERTIFICATE_STATES and certificate.not_after > clock.now()
    if valid:
        found.add("revoke")
    if Who.ADMINISTRATOR in hands:
        free = replacement_of(row.id) is None
        if valid or free:
            found.add("departure")
        if free and not why_not_renewable(certificate):
            found.add("renew")
    return frozenset(found)


def _actions(row: CertificateRequest, hands: frozenset[Who], *, held: bool) -> list[tuple[str, str, str]]:
    """Code, address and tone of the moves with a page of their own, read from the table (STA-1)."""
    moves = [] if held else moves_from(REQUEST_MOVES, row.state, hands)
    return [
        (move.action, url_for(PAGES[move.action], reference=row.reference), move.tone)
        for move in moves
        if move.action in PAGES
    ]


@blueprint.post("/demandes/<reference>/renvoyer")
@requires(Permission.ORDER_CERTIFICATES)
def resend(reference: str) -> Any:
    """Mail the applicant again (ORD-7)."""
    row = wanted(reference, hand=Who.ADMINISTRATOR)
    try:
        ordering.resend_invitation(current_actor(), row.id)
    except DomainError as refusal:
        flash(str(refusal), "error")
    else:
        flash(_("L'invitation est renvoyée à %(email)s.", email=row.email), "success")
    return redirect(url_for("requests.show", reference=row.reference))

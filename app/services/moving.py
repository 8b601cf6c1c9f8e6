"""The one place where states change (STA-1, STA-2).

Each function locks the row, checks the page's version and the table of moves, writes the new state, stops or
starts the statutory clock (QUE-1), writes one history line and one journal line. The caller's use case adds its
own changes and mails to the transaction.
"""

from __future__ import annotations

from typing import Any, Protocol

from flask_babel import gettext as _
from sqlalchemy import select

from app import clock
from app.errors import DomainError, IllegalTransition, NotFound
from app.extensions import db
from app.models import (
    Certificate,
    CertificateRequest,
    CreditProposal,
    Organisation,
    Payment,
    PaymentRemedy,
    Refund,
    Revocation,
)
from app.permissions import Actor, Permission
from app.services import audit, history
from app.services.authority import checked_move, hands_on_organisation, hands_on_request
from app.services.locking import check_version, lock, overtaken_by
from app.services.statutory_clock import keep_organisation_clock, keep_request_clock
from app.states import (
    CERTIFICATE_MOVES,
    CREDIT_PROPOSAL_MOVES,
    ORGANISATION_MOVES,
    PAYMENT_MOVES,
    REFUND_MOVES,
    REMEDY_MOVES,
    REQUEST_MOVES,
    REVOCATION_MOVES,
    Move,
    RequestState,
    Who,
)

REASON_LIMIT = 2000


class _Moved(Protocol):
    """A row with a state of its own: what every move changes."""

    state: Any
    version: Any


def move_request(
    request_id: int,
    action: str,
    *,
    actor: Actor,
    reason: str = "",
    expected_version: int | None = None,
    details: dict[str, Any] | None = None,
) -> CertificateRequest:
    """Move a request, inside a use case; returns it locked and changed.

    Raises NotFound (another's), IllegalTransition, Forbidden, StaleObject, DomainError (reason missing).
    """
    request = lock(CertificateRequest, request_id)
    move = _current_move(
        REQUEST_MOVES, request, action, hands_on_request(actor, request), actor=actor, expected_version=expected_version
    )
    reason = _checked_reason(move, reason)
    about = {"request_id": request.id, "organisation_id": request.organisation_id}
    if _change(request, move, action, actor=actor, about=about, reason=reason, details=details):
        request.state_changed_at = clock.now()
        if request.state is not RequestState.EN_ATTENTE_DE_PAIEMENT:
            request.basket_added_at = None
        keep_request_clock(request)
    return request


def move_organisation(
    organisation_id: int,
    action: str,
    *,
    actor: Actor,
    reason: str = "",
    expected_version: int | None = None,
    details: dict[str, Any] | None = None,
) -> Organisation:
    """Move an organisation; the same rules and errors as ``move_request``."""
    organisation = lock(Organisation, organisation_id)
    move = _current_move(
        ORGANISATION_MOVES,
        organisation,
        action,
        hands_on_organisation(actor, organisation),
        actor=actor,
        expected_version=expected_version,
    )
    reason = _checked_reason(move, reason)
    about = {"organisation_id": organisation.id}
    if _change(organisation, move, action, actor=actor, about=about, reason=reason, details=details):
        keep_organisation_clock(organisation)
    return organisation


def _current_move(
    moves: tuple[Move, ...],
    row: CertificateRequest | Organisation | Certificate | CreditProposal | Revocation,
    action: str,
    hands: frozenset[Who],
    *,
    actor: Actor,
    expected_version: int | None,
    word: str = "",
) -> Move:
    """``checked_move`` from a page as old as the row; a move gone meanwhile says who changed the file, and when."""
    try:
        move = checked_move(moves, row.state, action, hands, word=word)
    except IllegalTransition as refusal:
        why = overtaken_by(row, expected_version, for_staff=actor.is_staff)
        raise IllegalTransition(f"{refusal} {why}".strip()) from None
    check_version(row, expected_version, for_staff=actor.is_staff)
    return move


def move_payment(
    payment: Payment, action: str, *, actor: Actor, reason: str = "", details: dict[str, Any] | None = None
) -> Payment:
    """Move an attempt that the caller already locked (it also holds the basket's requests). IllegalTransition."""
    hands = frozenset({Who.SYSTEM}) if actor.is_system else frozenset({Who.ADMINISTRATOR, Who.SYSTEM})
    move = checked_move(PAYMENT_MOVES, payment.state, action, hands)
    about = {"payment_id": payment.id, "organisation_id": payment.organisation_id}
    journal = f"payment_{action}"
    _change(payment, move, action, actor=actor, about=about, reason=reason, details=details, journal=journal)
    return payment


def lock_certificate(request_id: int) -> tuple[Certificate, CertificateRequest]:
    """A request and its certificate, locked in that order and read afresh: what every move of a certificate starts
    from (CRT-1). Raises NotFound, also when none was generated.
    """
    request = lock(CertificateRequest, request_id)
    found = db.session.scalar(select(Certificate.id).where(Certificate.request_id == request.id))
    if found is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    return lock(Certificate, found), request


def move_certificate(
    certificate: Certificate,
    request: CertificateRequest,
    action: str,
    *,
    actor: Actor,
    reason: str = "",
    expected_version: int | None = None,
    details: dict[str, Any] | None = None,
) -> Certificate:
    """Move a certificate whose request the caller locked (CRT-1); ``expected_version`` is the certificate's.

    Raises as ``move_request``: NotFound (another's), IllegalTransition, Forbidden, StaleObject, DomainError.
    """
    move = _current_move(
        CERTIFICATE_MOVES,
        certificate,
        action,
        hands_on_request(actor, request),
        actor=actor,
        expected_version=expected_version,
    )
    reason = _checked_reason(move, reason)
    about = {"request_id": request.id, "organisation_id": request.organisation_id}
    word = f"certificate_{action}"
    _change(certificate, move, word, actor=actor, about=about, reason=reason, details=details)
    return certificate


def move_revocation(
    revocation: Revocation, action: str, *, actor: Actor, reason: str = "", expected_version: int | None = None
) -> Revocation:
    """Move a prepared revocation whose certificate the caller locked (CRT-4). Raises as ``move_request``."""
    hands = {Who.SYSTEM} if actor.is_system else set()
    if actor.can(Permission.PREPARE_REVOCATIONS):
        hands.add(Who.AGENT)
    if actor.can(Permission.APPROVE_REVOCATIONS):
        hands.add(Who.SUPERVISOR)
    move = _current_move(
        REVOCATION_MOVES,
        revocation,
        action,
        frozenset(hands),
        actor=actor,
        expected_version=expected_version,
        word=f"revocation_{action}",
    )
    reason = _checked_reason(move, reason)
    request = revocation.certificate.request
    about = {"request_id": request.id, "organisation_id": request.organisation_id}
    _change(revocation, move, f"revocation_{action}", actor=actor, about=about, reason=reason)
    return revocation


def move_credit_proposal(
    proposal: CreditProposal, action: str, *, actor: Actor, reason: str = "", expected_version: int | None = None
) -> CreditProposal:
    """Move a prepared credit note that the caller locked (AVO-2). Raises as ``move_request``."""
    hands = set()
    if actor.can(Permission.PREPARE_CREDIT_NOTES):
        hands.add(Who.AGENT)
    if actor.can(Permission.APPROVE_CREDIT_NOTES):
        hands.add(Who.SUPERVISOR)
    move = _current_move(
        CREDIT_PROPOSAL_MOVES,
        proposal,
        action,
        frozenset(hands),
        actor=actor,
        expected_version=expected_version,
        word=f"credit_{action}",
    )
    reason = _checked_reason(move, reason)
    about = {"payment_id": proposal.invoice.payment_id, "organisation_id": proposal.organisation_id}
    details = {"proposal": proposal.reference, "invoice": proposal.invoice.number}
    _change(proposal, move, f"credit_{action}", actor=actor, about=about, reason=reason, details=details)
    return proposal


def move_refund(refund: Refund, action: str, *, actor: Actor, details: dict[str, Any] | None = None) -> Refund:
    """Move money to give back, locked by the caller (AVO-4). Raises IllegalTransition, Forbidden, NotFound."""
    hands = {Who.SYSTEM} if actor.is_system else set()
    if actor.can(Permission.SETTLE_PAYMENTS):
        hands |= {Who.AGENT, Who.SYSTEM}  # the gateway's answer comes within the press of a person
    move = checked_move(REFUND_MOVES, refund.state, action, frozenset(hands), word=f"refund_{action}")
    about = {"payment_id": refund.payment_id, "organisation_id": refund.credit_note.organisation_id}
    said = {"credit_note": refund.credit_note.number, "amount": refund.amount, **(details or {})}
    _change(refund, move, f"refund_{action}", actor=actor, about=about, details=said, facts=details)
    return refund


def move_remedy(
    remedy: PaymentRemedy, action: str, *, actor: Actor, reason: str = "", details: dict[str, Any] | None = None
) -> PaymentRemedy:
    """Move what was decided of an attempt at the desk, locked by the caller (GAT-4). Raises as ``move_refund``."""
    hands = {Who.SYSTEM} if actor.is_system else set()
    if actor.can(Permission.SETTLE_PAYMENTS):
        hands |= {Who.AGENT, Who.SYSTEM}  # the gateway's answer comes within the press of a person
    if actor.can(Permission.APPROVE_CREDIT_NOTES):
        hands.add(Who.SUPERVISOR)
    move = checked_move(REMEDY_MOVES, remedy.state, action, frozenset(hands))
    reason = _checked_reason(move, reason)
    about = {"payment_id": remedy.payment_id, "organisation_id": remedy.payment.organisation_id}
    facts = {"remedy": remedy.kind, "amount": remedy.amount, "currency": remedy.currency, **(details or {})}
    _change(remedy, move, f"remedy_{action}", actor=actor, about=about, reason=reason, details=facts, facts=facts)
    return remedy


def cancel_approval(request: CertificateRequest, *, actor: Actor, why: str) -> None:
    """A change of the file voids an approval (chapter 1, « approve »); nothing happens when there is none."""
    if request.approved_at is None or request.state is not RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST:
        return
    request.approved_at = None
    request.approved_by_id = None
    request.version += 1
    history.write(
        actor,
        "approval_cancelled",
        request_id=request.id,
        organisation_id=request.organisation_id,
        from_state=request.state,
        to_state=request.state,
        reason=why,
    )
    audit.record(actor, "approval_cancelled", request, after={"why": why})


def _change(
    row: _Moved,
    move: Move,
    word: str,
    *,
    actor: Actor,
    about: dict[str, int],
    reason: str = "",
    details: dict[str, Any] | None = None,
    journal: str = "",
    facts: dict[str, Any] | None = None,
) -> bool:
    """Write the state, the version, the history line and the journal line; is it another state than before?

    ``about``: whose history; ``details``: what its sentence may name; ``facts``: what the journal keeps besides, under
    ``journal`` where its word is another.
    """
    before = row.state
    after = type(before)(move.target) if move.target is not None else before
    row.state = after
    row.version += 1
    history.write(actor, word, **about, from_state=before, to_state=after, reason=reason, details=details)
    audit.record(actor, journal or word, row, before={"state": before}, after={"state": after, **(facts or {})})
    return after is not before


def _checked_reason(move: Move, reason: str) -> str:
    reason = reason.strip()
    if move.needs_reason and len(reason) < 3:
        raise DomainError(_("Écrivez la raison : elle sera gardée dans l'historique."), field="reason")
    if len(reason) > REASON_LIMIT:
        raise DomainError(_("2 000 caractères au plus."), field="reason")
    return reason

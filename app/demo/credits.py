"""The demonstration's credit notes: one partly used, one that waits, one refund that failed once (AVO-1 … AVO-4)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from app import clock
from app.demo.client import Client
from app.demo.desk import Officer
from app.demo.stage import Calendar, Story
from app.extensions import db
from app.models import CertificateRequest, CreditNote, CreditOutcome, CreditProposal, CreditReason
from app.services.credits import issuing, proposing
from app.services.credits.amounts import left_of, proposal_for
from app.services.credits.guided import invoice_of_request
from app.services.moving import move_refund
from app.states import RequestState

NO_ANSWER = "La passerelle n'a pas répondu : interrogez-la avant de recommencer."


def ordered_twice(client: Client, at: Calendar, agent: Officer, supervisor: Officer) -> Story:
    """Two certificates paid, then given up: a credit note, of which the next order uses a half."""
    people = client.people[19:21]
    yield at.ago(49, 9, 30)
    rows = client.order(*people)
    yield at.ago(48, 11, 0)
    client.validate(*rows)
    yield at.ago(47, 10, 5)
    client.pay(*rows)
    yield at.ago(46, 9, 0)
    for request in rows:
        agent.reject(request, "Commande faite par erreur, abandonnée à la demande de l'organisation.")
    prepared = _prepare(
        agent,
        rows,
        CreditReason.RETRAIT_DEMANDE,
        "Deux certificats commandés par erreur.",
        CreditOutcome.CREDIT,
    )
    yield at.ago(46, 15, 10)
    issuing.issue(prepared.id, actor=supervisor.actor)
    yield at.ago(44, 9, 0)
    again = client.order(people[0])
    yield at.ago(43, 10, 0)
    client.validate(*again)
    yield at.ago(42, 10, 30)
    client.start_payment(*again, with_credit=True)
    yield at.ago(41, 9, 0)
    agent.approve(*again)
    yield at.ago(40, 9, 0)
    agent.record_certificate(*again)
    agent.dispatch(*again)
    yield at.ago(37, 10, 0)
    agent.note_collection(*again)


def waiting_for_a_second_person(client: Client, at: Calendar, agent: Officer) -> Story:
    """The request rejected long ago gets its credit note, which nobody has issued yet."""
    yield at.ago(2, 14, 20)
    _prepare(
        agent,
        _rejected(client),
        CreditReason.REJET_APRES_PAIEMENT,
        "Demande rejetée : le demandeur n'est pas la personne désignée par l'organisation.",
        CreditOutcome.CREDIT,
    )


def refund_unanswered(client: Client, at: Calendar, agent: Officer, supervisor: Officer) -> Story:
    """Money to give back at the gateway, which said nothing the first time."""
    yield at.ago(23, 9, 0)
    prepared = _prepare(
        agent,
        _rejected(client),
        CreditReason.REJET_APRES_PAIEMENT,
        "Demande rejetée après paiement.",
        CreditOutcome.REMBOURSEMENT_PASSERELLE,
    )
    yield at.ago(23, 16, 0)
    note = issuing.issue(prepared.id, actor=supervisor.actor)
    yield at.ago(22, 9, 30)
    _refund_once(note, agent)


def _prepare(
    officer: Officer,
    requests: Sequence[CertificateRequest],
    reason: CreditReason,
    text: str,
    outcome: CreditOutcome,
) -> CreditProposal:
    """What the reason usually gives back of these requests, all of one invoice."""
    invoice = invoice_of_request(requests[0].id)
    assert invoice is not None  # noqa: S101 - the stories pay first
    wanted, stamp = proposal_for(left_of(invoice), reason, [request.id for request in requests])
    return proposing.prepare(
        invoice.id,
        wanted,
        stamp_duty=stamp,
        reason=reason,
        reason_text=text,
        outcome=outcome,
        actor=officer.actor,
    )


def _rejected(client: Client) -> list[CertificateRequest]:
    """The first request of theirs that was paid and then rejected."""
    return list(
        db.session.scalars(
            select(CertificateRequest)
            .where(
                CertificateRequest.organisation_id == client.organisation.id,
                CertificateRequest.state == RequestState.ANNULEE,
                CertificateRequest.paid_at.is_not(None),
            )
            .order_by(CertificateRequest.id)
            .limit(1)
        )
    )


def _refund_once(note: CreditNote, officer: Officer) -> None:
    """As ``refunding.refund_by_gateway`` at a gateway that gives no answer; none is asked here."""
    refund = note.refund
    assert refund is not None  # noqa: S101 - issued as a refund above
    move_refund(refund, "ask_gateway", actor=officer.actor)
    refund.attempts += 1
    refund.asked_at, refund.asked_by_id = clock.now(), officer.user.id
    move_refund(refund, "fail", actor=officer.actor, details={"error": NO_ANSWER})
    refund.last_error = NO_ANSWER

"""The desk's guided steps: reject and credit, revoke, credit and order anew, each all or nothing (AVO-5, CRT-3)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app import clock
from app.errors import DomainError, Forbidden, IllegalTransition, StaleObject
from app.extensions import db
from app.models import (
    Certificate,
    CertificateRequest,
    CreditNote,
    CreditOutcome,
    CreditProposal,
    CreditReason,
    HistoryEntry,
    OrderDraftLine,
    OutboxMail,
)
from app.services.credits import issuing, ledger
from app.services.credits.guided import prepare_revocation, reject_and_credit
from app.services.ordering import RequestLine
from app.states import CertificateState, CreditProposalState, RequestState
from tests.services.test_invoices import sell
from tests.support.crediting import Desk, assert_books_add_up
from tests.support.servers import HttpServer


def with_certificate(request: CertificateRequest, state: CertificateState = CertificateState.EXPEDIE) -> Certificate:
    """The request's certificate, sent to the post office."""
    moment = clock.now()
    certificate = Certificate(
        request_id=request.id,
        state=state,
        serial_number=f"4e5a{request.id:06x}",
        issuer="CN=Autorité d'essai",
        subject=f"CN={request.common_name}",
        not_before=moment,
        not_after=moment + timedelta(days=730),
        key_description="RSA 2048",
        fingerprint="00",
        pem="",
        recorded_at=moment,
    )
    db.session.add(certificate)
    if state is not CertificateState.GENERE:
        request.state = RequestState.EXPEDIEE
    db.session.commit()
    return certificate


def mails(kind: str) -> list[str]:
    return sorted(db.session.scalars(select(OutboxMail.recipient).where(OutboxMail.kind == kind)))


@pytest.mark.spec("AVO-5", "AVO-1")
def test_rejecting_and_crediting_is_one_step(gateway: HttpServer, app: Flask) -> None:
    shop, invoice = sell(gateway, 2)
    desk = Desk()
    rejected, kept = shop.request_ids
    proposal = reject_and_credit(
        rejected, reason="La personne n'est pas employée.", outcome=CreditOutcome.CREDIT, actor=desk.agent
    )
    assert [row.state for row in shop.requests] == [RequestState.ANNULEE, RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST]
    assert (proposal.reason, proposal.state) == (CreditReason.REJET_APRES_PAIEMENT, CreditProposalState.A_APPROUVER)
    assert [line.payment_line.request_id for line in proposal.lines] == [rejected]
    note = issuing.issue(proposal.id, actor=desk.supervisor)
    assert note.total_ttc == 423_500  # the stamp stays with the certificate that was kept
    again = reject_and_credit(kept, reason="Doublon.", outcome=CreditOutcome.CREDIT, actor=desk.agent)
    assert issuing.issue(again.id, actor=desk.supervisor).total_ttc == 424_500
    assert ledger.available_to(invoice.organisation_id) == invoice.total_ttc
    assert_books_add_up(invoice.organisation_id)


@pytest.mark.spec("AVO-5", "STA-2")
def test_a_refused_rejection_prepares_nothing(gateway: HttpServer, app: Flask) -> None:
    shop, _invoice = sell(gateway)
    desk = Desk()
    for changed, error in (
        ({"reason": " "}, DomainError),
        ({"expected_version": 99}, StaleObject),
        ({"actor": desk.agent, "outcome": CreditOutcome.CREDIT, "request_id": 10**6}, DomainError),
    ):
        given = {"reason": "Motif.", "outcome": CreditOutcome.CREDIT, "actor": desk.agent, **changed}
        with pytest.raises(error):
            reject_and_credit(given.pop("request_id", shop.request_ids[0]), **given)  # type: ignore[arg-type]
    assert db.session.scalars(select(CreditProposal)).all() == []
    assert shop.states == {RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST}


@pytest.mark.spec("AVO-5", "CRT-3", "PPL-3")
def test_revoking_crediting_and_ordering_anew_waits_for_a_second_person(gateway: HttpServer, app: Flask) -> None:
    shop, invoice = sell(gateway)
    request = shop.requests[0]
    certificate = with_certificate(request)
    desk = Desk()
    proposal = prepare_revocation(
        request.id,
        reason=CreditReason.NON_RETRAIT_90_JOURS,
        reason_text="Non retiré depuis 90 jours.",
        outcome=CreditOutcome.CREDIT,
        reorder=True,
        actor=desk.agent,
    )
    assert db.session.get_one(Certificate, certificate.id).state is CertificateState.EXPEDIE
    with pytest.raises(Forbidden):
        issuing.issue(proposal.id, actor=desk.agent)
    note = issuing.issue(proposal.id, actor=desk.supervisor)
    assert db.session.get_one(Certificate, certificate.id).state is CertificateState.REVOQUE
    assert note.total_ttc == 424_500 == ledger.available_to(invoice.organisation_id)
    draft = db.session.scalars(select(OrderDraftLine)).one()
    line = RequestLine.from_json(draft.data)
    assert (line.identity_number, line.email, draft.user_id) == (
        request.identity_number,
        request.email,
        request.created_by_id,
    )
    assert mails("certificate_revoked")
    assert mails("reorder_prepared") == [shop.administrator.email]
    moved = db.session.scalars(select(HistoryEntry.action).where(HistoryEntry.request_id == request.id)).all()
    assert moved.count("certificate_revoke") == 1


@pytest.mark.spec("AVO-5")
def test_a_token_that_never_left_ends_its_request_too(gateway: HttpServer, app: Flask) -> None:
    shop, _invoice = sell(gateway)
    request = shop.requests[0]
    with_certificate(request, CertificateState.GENERE)
    desk = Desk()
    proposal = prepare_revocation(
        request.id,
        reason=CreditReason.ERREUR_TUNTRUST,
        reason_text="Nom mal gravé.",
        outcome=CreditOutcome.REMBOURSEMENT_MANUEL,
        reorder=False,
        actor=desk.agent,
    )
    issuing.issue(proposal.id, actor=desk.supervisor)
    assert shop.states == {RequestState.ANNULEE}
    assert db.session.scalars(select(OrderDraftLine)).all() == []


@pytest.mark.spec("AVO-5")
def test_without_a_certificate_or_money_left_there_is_nothing_to_prepare(gateway: HttpServer, app: Flask) -> None:
    shop, invoice = sell(gateway)
    desk = Desk()
    given = {
        "reason": CreditReason.NON_RETRAIT_90_JOURS,
        "reason_text": "Non retiré.",
        "outcome": CreditOutcome.CREDIT,
        "reorder": True,
        "actor": desk.agent,
    }
    with pytest.raises(IllegalTransition):
        prepare_revocation(shop.request_ids[0], **given)  # type: ignore[arg-type]
    with_certificate(shop.requests[0])
    desk.issue(invoice)
    with pytest.raises(DomainError):
        prepare_revocation(shop.request_ids[0], **given)  # type: ignore[arg-type]
    assert len(db.session.scalars(select(CreditNote)).all()) == 1

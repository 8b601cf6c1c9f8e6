"""Revoking: at once by its people, by two officers, never twice (CRT-4, PPL-3)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app import clock
from app.errors import DomainError, Forbidden, IllegalTransition, NotFound, StaleObject, TooManyAttempts
from app.extensions import db
from app.models import (
    AuditEntry,
    Certificate,
    CertificateRequest,
    HistoryEntry,
    OutboxMail,
    Revocation,
    RevocationReason,
)
from app.permissions import Role
from app.queries.history import history_of_request
from app.services import revoking
from app.states import CertificateState, RequestState, RevocationState
from tests import factories as f
from tests.support import reviewing as r

LOST = RevocationReason.CLE_COMPROMISE


def sent(state: CertificateState = CertificateState.EXPEDIE, **values: Any) -> CertificateRequest:
    """A request whose certificate went to the post office, or is in another state."""
    moved = RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST if state is CertificateState.GENERE else RequestState.EXPEDIEE
    request = r.request_file(moved, approved=True, **values)
    r.certificate(request, state=state, dispatched_at=clock.now(), tracking_number="RP300000001TN")
    return request


def revoke(request: CertificateRequest, who: Any, **changed: Any) -> Certificate:
    given = {"reason": LOST, "text": "Perdu dans le train.", "password": f.PASSWORD, "actor": f.actor(who), **changed}
    return revoking.revoke_own(request.id, **given)


def mails(kind: str) -> list[str]:
    return sorted(db.session.scalars(select(OutboxMail.recipient).where(OutboxMail.kind == kind)))


def done() -> list[Revocation]:
    return list(db.session.scalars(select(Revocation).where(Revocation.state == RevocationState.FAITE)))


@pytest.mark.spec("CRT-4")
@pytest.mark.parametrize("state", [CertificateState.GENERE, CertificateState.EXPEDIE, CertificateState.RETIRE])
def test_the_holder_revokes_at_once_and_everybody_is_told(app: Flask, state: CertificateState) -> None:
    request = sent(state)
    certificate = revoke(request, request.applicant)
    assert certificate.state is CertificateState.REVOQUE
    row = done()[0]
    assert (row.reason, row.reason_text, row.by_staff) == (LOST, "Perdu dans le train.", False)
    told = mails("certificate_revoked")
    assert request.applicant.email in told
    assert len(told) == len(set(told)) > 1
    body = db.session.scalars(select(OutboxMail.text).where(OutboxMail.kind == "certificate_revoked")).first() or ""
    assert "Perdu dans le train." in body
    assert "perdu, volé, divulgué" in body
    line = db.session.scalars(select(HistoryEntry).where(HistoryEntry.action == "certificate_revoke")).one()
    assert "Perdu dans le train." in line.reason
    assert db.session.scalars(select(AuditEntry).where(AuditEntry.action == "certificate_revoke")).one()
    ended = state is CertificateState.GENERE  # the token never left: the request stops there
    assert db.session.get_one(CertificateRequest, request.id).state is (
        RequestState.ANNULEE if ended else RequestState.EXPEDIEE
    )


@pytest.mark.spec("CRT-4", "LOG-2")
def test_without_the_password_nothing_is_revoked_and_guessing_is_counted(app: Flask) -> None:
    request = sent()
    before = r.traces(request)
    for _try in range(10):
        with pytest.raises(DomainError) as refusal:
            revoke(request, request.applicant, password="autre chose que cela")
        assert refusal.value.field == "current"
    with pytest.raises(TooManyAttempts):
        revoke(request, request.applicant)
    assert r.traces(request) == before
    assert done() == []


@pytest.mark.spec("CRT-4", "PPL-2")
def test_strangers_officers_and_wrong_grounds_revoke_nothing(app: Flask) -> None:
    request = sent()
    for name, actor in r.strangers(request).items():
        if name.startswith("own"):
            continue
        with pytest.raises(NotFound):
            revoking.revoke_own(request.id, reason=LOST, password=f.PASSWORD, actor=actor)
    with pytest.raises(NotFound):
        revoking.revoke_own(request.id, reason=LOST, password=f.PASSWORD, actor=r.agent())
    with pytest.raises(DomainError, match="motif"):  # an officer's ground
        revoke(request, request.applicant, reason=RevocationReason.AUTORITE_COMPROMISE)
    with pytest.raises(DomainError) as refusal:
        revoke(request, request.applicant, text="x" * 1801)
    assert refusal.value.field == "text"
    with pytest.raises(StaleObject):
        revoke(request, request.applicant, expected_version=99)
    with pytest.raises(NotFound):
        revoke(r.request_file(), f.applicant())
    assert done() == []


@pytest.mark.spec("CRT-4")
@pytest.mark.parametrize("state", [CertificateState.REVOQUE, CertificateState.EXPIRE])
def test_what_is_over_is_not_revoked(app: Flask, state: CertificateState) -> None:
    request = sent(state)
    with pytest.raises(IllegalTransition):
        revoke(request, request.applicant)
    with pytest.raises(IllegalTransition):
        revoking.prepare(request.id, reason=LOST, text="Le token est perdu.", actor=r.agent())


@pytest.mark.spec("CRT-4", "PPL-3")
def test_an_officers_revocation_takes_two_people(app: Flask) -> None:
    request = sent()
    preparer, second = r.agent(Role.SUPERVISEUR), r.agent(Role.SUPERVISEUR)
    row = revoking.prepare(request.id, reason=LOST, text="Signalé par téléphone.", actor=preparer)
    assert (row.state, request.certificate.state) == (RevocationState.A_APPROUVER, CertificateState.EXPEDIE)
    assert mails("certificate_revoked") == []
    with pytest.raises(IllegalTransition, match=row.reference):
        revoking.prepare(request.id, reason=LOST, text="Une seconde fois.", actor=second)
    for actor in (preparer, r.agent(Role.AGENT), r.agent(Role.RESPONSABLE)):
        with pytest.raises(Forbidden):
            revoking.approve(row.id, actor=actor)
    with pytest.raises(StaleObject):
        revoking.approve(row.id, actor=second, expected_version=9)
    assert revoking.approve(row.id, actor=second).state is CertificateState.REVOQUE
    assert request.applicant.email in mails("certificate_revoked")
    with pytest.raises(IllegalTransition):
        revoking.approve(row.id, actor=second)
    assert len(done()) == 1


@pytest.mark.spec("CRT-4", "PPL-3")
def test_nobody_revokes_of_their_own_file_as_an_officer(app: Flask) -> None:
    officer = f.user(Role.SUPERVISEUR, Role.DEMANDEUR)
    request = sent(applicant=officer)
    with pytest.raises(Forbidden):
        revoking.prepare(request.id, reason=LOST, text="C'est le mien.", actor=f.actor(officer))
    row = revoking.prepare(request.id, reason=LOST, text="Signalé au guichet.", actor=r.agent())
    for act in (revoking.approve, revoking.withdraw):
        with pytest.raises(Forbidden):
            act(row.id, actor=f.actor(officer))
    with pytest.raises(Forbidden):
        revoking.refuse(row.id, reason="Non.", actor=f.actor(officer))


@pytest.mark.spec("CRT-4")
def test_what_is_refused_or_given_up_revokes_nothing_and_clients_do_not_read_of_it(app: Flask) -> None:
    request = sent()
    second = r.agent(Role.SUPERVISEUR)
    row = revoking.prepare(request.id, reason=LOST, text="Signalé par téléphone.", actor=r.agent())
    with pytest.raises(DomainError):
        revoking.refuse(row.id, reason=" ", actor=second)
    revoking.refuse(row.id, reason="Le titulaire l'a retrouvé.", actor=second)
    again = revoking.prepare(request.id, reason=LOST, text="Finalement perdu.", actor=r.agent())
    revoking.withdraw(again.id, actor=r.agent())
    states = [(each.state, each.decision_reason) for each in db.session.scalars(select(Revocation))]
    assert states == [(RevocationState.REFUSEE, "Le titulaire l'a retrouvé."), (RevocationState.RETIREE, "")]
    assert request.certificate.state is CertificateState.EXPEDIE
    read = [line.text for _day, lines in history_of_request(request.id) for line in lines]
    known = [line.text for _day, lines in history_of_request(request.id, for_staff=True) for line in lines]
    assert (len(read), len(known)) == (0, 4)


@pytest.mark.spec("CRT-4")
def test_the_holder_who_revokes_closes_what_officers_prepared(app: Flask) -> None:
    request = sent()
    row = revoking.prepare(request.id, reason=LOST, text="Signalé par téléphone.", actor=r.agent())
    revoke(request, request.applicant)
    assert db.session.get_one(Revocation, row.id).state is RevocationState.RETIREE
    with pytest.raises(IllegalTransition):
        revoking.approve(row.id, actor=r.agent(Role.SUPERVISEUR))
    assert len(done()) == 1


@pytest.mark.spec("PPL-3")
def test_the_database_keeps_two_people_apart_and_one_revocation_alone(app: Flask) -> None:
    request = sent()
    officer = f.staff()

    def row(reference: str, **values: Any) -> Revocation:
        return Revocation(
            reference=reference, certificate_id=request.certificate.id, state=RevocationState.FAITE, reason=LOST,
            by_staff=True, prepared_by_id=officer.id, prepared_at=clock.now(), **values,
        )  # fmt: skip

    for number, values in enumerate(({"decided_by_id": officer.id}, {})):
        db.session.add(row(f"REV-2026-1{number}", **values))
        with pytest.raises(IntegrityError):
            db.session.flush()
        db.session.rollback()
    second = f.staff().id
    db.session.add(row("REV-2026-20", decided_by_id=second))
    db.session.commit()
    db.session.add(row("REV-2026-21", decided_by_id=second))
    with pytest.raises(IntegrityError):
        db.session.flush()
    db.session.rollback()

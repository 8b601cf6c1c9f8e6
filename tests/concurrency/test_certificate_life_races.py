"""A certificate's life, several connections at once: revoked once, renewed once, announced once (CRT-3 … CRT-5)."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.errors import DomainError
from app.extensions import db
from app.models import CertificateRequest, HistoryEntry, OrderDraftLine, OutboxMail, Revocation, RevocationReason
from app.permissions import Role
from app.services import expiring, ordering, renewing, revoking
from app.states import CertificateState, RevocationState
from tests import factories as f
from tests.services.test_renewal import Firm
from tests.support import reviewing as r
from tests.support.racing import errors_of, race

LOST = RevocationReason.CLE_COMPROMISE


def count(model: type, *where: object) -> int:
    return db.session.scalar(select(func.count()).select_from(model).where(*where)) or 0  # type: ignore[arg-type]


@pytest.mark.spec("CRT-4", "STA-2")
def test_a_certificate_revoked_by_everybody_at_once_is_revoked_once(app: Flask) -> None:
    firm = Firm(300)
    request = firm.requests[0]
    row = revoking.prepare(request.id, reason=LOST, text="Signalé par téléphone.", actor=r.agent()).id
    holder, administrator = f.actor(request.applicant), firm.actor
    seconds = [r.agent(Role.SUPERVISEUR) for _index in range(3)]
    request_id = request.id
    works = [
        *(
            lambda who=who: revoking.revoke_own(request_id, reason=LOST, password=f.PASSWORD, actor=who)
            for who in (holder, administrator, holder)
        ),
        *(lambda who=who: revoking.approve(row, actor=who) for who in seconds),
    ]
    refused = errors_of(race(app, *works))
    assert len(refused) == len(works) - 1
    assert all(isinstance(each, DomainError) for each in refused), refused
    assert count(Revocation, Revocation.state == RevocationState.FAITE) == 1
    assert count(Revocation, Revocation.state == RevocationState.A_APPROUVER) == 0
    assert count(HistoryEntry, HistoryEntry.action == "certificate_revoke") == 1
    assert db.session.get_one(CertificateRequest, request_id).certificate.state is CertificateState.REVOQUE
    recipients = db.session.scalars(select(OutboxMail.recipient).where(OutboxMail.kind == "certificate_revoked")).all()
    assert len(recipients) == len(set(recipients)) == 3


@pytest.mark.spec("CRT-5")
def test_two_administrators_sending_the_same_renewal_order_it_once(app: Flask) -> None:
    firm = Firm(20, 30)
    for person in firm.people:
        for request in firm.requests:
            renewing.lay_line(renewing.line_replacing(request, for_self=False), firm.organisation.id, person.id)
    db.session.commit()
    actors, organisation_id = [f.actor(person) for person in firm.people], firm.organisation.id
    replaced = [request.id for request in firm.requests]
    works = [lambda who=who: ordering.send_order(who, organisation_id, attested=True) for who in actors * 2]
    refused = errors_of(race(app, *works))
    assert len(refused) == 3
    assert all(isinstance(each, DomainError) for each in refused), refused
    assert count(CertificateRequest, CertificateRequest.replaces_id.in_(replaced)) == 2
    assert count(OrderDraftLine) == 2  # the other administrator's, kept


@pytest.mark.spec("CRT-5", "JOB-2")
def test_jobs_run_twice_at_once_announce_and_expire_once(app: Flask) -> None:
    firm = Firm(20, 30, 50)
    for _index in range(3):
        firm.add(-1)
    works = [expiring.announce_expiries, expiring.expire_certificates] * 3
    assert errors_of(race(app, *works)) == []
    assert count(OutboxMail, OutboxMail.kind == "certificates_expiring") == 2
    assert count(OutboxMail, OutboxMail.kind == "certificate_expiring") == 3
    assert count(HistoryEntry, HistoryEntry.action == "certificate_expire") == 3

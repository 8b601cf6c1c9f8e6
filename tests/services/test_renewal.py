"""Renewal: announced once, laid out in one click, ordered once; the end; somebody who leaves (CRT-5)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app import clock
from app.errors import DomainError, IllegalTransition, NotFound, ValidationFailed
from app.extensions import db
from app.models import CertificateRequest, HistoryEntry, OrderDraftLine, Organisation, OutboxMail, User
from app.queries.own_certificates import Tab, certificates_page, counts
from app.services import departing, expiring, ordering, renewing
from app.services.ordering import RequestLine
from app.states import CertificateState, RequestState
from tests import factories as f
from tests.services.test_revoking import mails
from tests.support import reviewing as r


class Firm:
    """An organisation with two administrators, and certificates of so many days left."""

    def __init__(self, *days: int) -> None:
        self.organisation: Organisation = f.organisation()
        self.people = [f.administrator(self.organisation), f.administrator(self.organisation)]
        self.requests = [self.add(number) for number in days]

    @property
    def actor(self) -> Any:
        return f.actor(db.session.get_one(User, self.people[0].id))

    def add(self, days: int, state: CertificateState = CertificateState.RETIRE, **values: Any) -> CertificateRequest:
        request = f.certificate_request(self.organisation, RequestState.EXPEDIEE, by=self.people[0], **values)
        end = clock.now() + timedelta(days=days)
        r.certificate(request, state=state, not_before=end - timedelta(days=730), not_after=end)
        return request

    def renew(self, *requests: CertificateRequest, by: int = 0) -> int:
        actor = f.actor(self.people[by])
        return renewing.prepare_renewal(actor, self.organisation.id, [each.reference for each in requests]).added


def drafts() -> list[OrderDraftLine]:
    return list(db.session.scalars(select(OrderDraftLine).order_by(OrderDraftLine.id)))


def line_for(number: int, **changed: Any) -> RequestLine:
    given = {"certificate_type_id": 1, "validity_years": 2, "domain_ids": (1,), "for_self": False}
    return RequestLine(**{**given, **f.person(number), **changed})


@pytest.mark.spec("CRT-5", "JOB-2")
def test_the_end_is_announced_sixty_thirty_and_seven_days_before_once_each(app: Flask, travel: Any) -> None:
    firm = Firm(61)
    administrator, holder = firm.people[0].email, firm.requests[0].applicant.email
    seen = []
    for step in (0, 1, 0, 10, 20, 0, 22, 1, 0, 6):
        travel(days=step)
        expiring.announce_expiries()
        seen.append((mails("certificates_expiring").count(administrator), mails("certificate_expiring").count(holder)))
    assert [each[0] for each in seen] == [0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert all(one == other for one, other in seen)


@pytest.mark.spec("CRT-5")
def test_one_mail_an_administrator_names_all_that_end_and_missed_days_make_one(app: Flask) -> None:
    firm, other = Firm(5, 29, 59, 61), Firm(59)
    own = firm.add(20, applicant=firm.people[0])
    expiring.announce_expiries()
    told = mails("certificates_expiring")
    assert sorted(told) == sorted(each.email for each in [*firm.people, *other.people])
    text = db.session.scalars(
        select(OutboxMail.text).where(OutboxMail.kind == "certificates_expiring").order_by(OutboxMail.id)
    ).first()
    assert text is not None
    assert "4 certificats" in text
    assert "5 jours" in text
    assert own.applicant.email not in mails("certificate_expiring")  # the administrator's own is in the list
    assert [row.certificate.renewal_notices for row in firm.requests] == [3, 2, 1, 0]


@pytest.mark.spec("CRT-5")
def test_what_is_renewed_revoked_or_over_is_not_announced(app: Flask) -> None:
    firm = Firm(20)
    firm.add(20, CertificateState.REVOQUE)
    firm.add(-1)
    firm.renew(firm.requests[0])
    ordering.send_order(firm.actor, firm.organisation.id, attested=True)
    expiring.announce_expiries()
    assert mails("certificates_expiring") == []


@pytest.mark.spec("CRT-5", "JOB-2")
def test_the_job_writes_the_end_once(app: Flask) -> None:
    firm = Firm(1)
    over = [firm.add(-1, state) for state in (CertificateState.EXPEDIE, CertificateState.RETIRE)]
    revoked = firm.add(-1, CertificateState.REVOQUE)
    assert "2" in expiring.expire_certificates()
    assert "0" in expiring.expire_certificates()
    db.session.expire_all()
    assert {row.certificate.state for row in over} == {CertificateState.EXPIRE}
    assert revoked.certificate.state is CertificateState.REVOQUE
    assert firm.requests[0].certificate.state is CertificateState.RETIRE
    lines = db.session.scalars(select(HistoryEntry.action).where(HistoryEntry.request_id == over[0].id)).all()
    assert lines.count("certificate_expire") == 1


@pytest.mark.spec("CRT-5")
def test_one_click_lays_a_batch_that_is_mended_and_sent_as_any_order(app: Flask) -> None:
    firm = Firm(20, 40)
    own = firm.add(10, applicant=firm.people[0])
    assert firm.renew(*firm.requests, own) == 3
    lines = ordering.draft_lines(firm.actor, firm.organisation.id)
    by_request = {line.replaces_id: (number, line) for number, line in lines}
    assert set(by_request) == {row.id for row in (*firm.requests, own)}
    number, line = by_request[firm.requests[0].id]
    assert (line.email, line.identity_number) == (firm.requests[0].email, firm.requests[0].identity_number)
    assert (by_request[own.id][1].for_self, line.for_self) == (True, False)
    mended = RequestLine(**{**{n: getattr(line, n) for n in line.__slots__}, "mobile": "+21698111222"})
    mended = RequestLine(**{**{n: getattr(mended, n) for n in mended.__slots__}, "replaces_id": None})
    ordering.save_line(firm.actor, firm.organisation.id, mended, line_id=number)
    order = ordering.send_order(firm.actor, firm.organisation.id, attested=True)
    made = db.session.scalars(select(CertificateRequest).where(CertificateRequest.order_id == order.id)).all()
    assert {row.replaces_id for row in made} == {row.id for row in (*firm.requests, own)}
    fresh = next(row for row in made if row.replaces_id == firm.requests[0].id)
    assert (fresh.mobile, fresh.state) == ("+21698111222", RequestState.NON_FINALISEE)
    entry = db.session.scalars(
        select(HistoryEntry).where(HistoryEntry.request_id == fresh.id, HistoryEntry.action == "create")
    ).one()
    assert entry.details["replaces"] == firm.requests[0].reference
    assert drafts() == []


@pytest.mark.spec("CRT-5")
def test_the_same_certificate_is_renewed_once(app: Flask) -> None:
    firm = Firm(20)
    request = firm.requests[0]
    assert (firm.renew(request), firm.renew(request)) == (1, 0)  # a double click
    with pytest.raises(DomainError, match="l'autre administrateur"):
        firm.renew(request, by=1)
    renewing.lay_line(renewing.line_replacing(request, for_self=False), firm.organisation.id, firm.people[1].id)
    db.session.commit()
    ordering.send_order(firm.actor, firm.organisation.id, attested=True)
    with pytest.raises(DomainError, match="déjà remplacé"):
        ordering.send_order(f.actor(firm.people[1]), firm.organisation.id, attested=True)
    db.session.delete(drafts()[0])
    db.session.commit()
    with pytest.raises(DomainError, match="déjà remplacé"):
        firm.renew(request)
    made = db.session.scalars(select(CertificateRequest).where(CertificateRequest.replaces_id == request.id)).one()
    made.state = RequestState.ANNULEE  # given up: it may be renewed after all
    db.session.commit()
    assert firm.renew(request) == 1


@pytest.mark.spec("CRT-5", "PPL-2")
def test_what_may_not_be_renewed_says_why(app: Flask) -> None:
    firm, other = Firm(200), Firm(10)
    with pytest.raises(DomainError, match="90 jours avant sa fin"):
        firm.renew(firm.requests[0])
    with pytest.raises(NotFound):
        firm.renew(other.requests[0])
    with pytest.raises(DomainError, match="au moins un"):
        firm.renew()
    bare = f.certificate_request(firm.organisation, RequestState.EXPEDIEE, by=firm.people[0])
    with pytest.raises(DomainError, match="Aucun certificat"):
        firm.renew(bare)
    stranger = f.actor(f.applicant())
    with pytest.raises(NotFound):
        renewing.prepare_renewal(stranger, firm.organisation.id, [firm.requests[0].reference])
    for state in (CertificateState.REVOQUE, CertificateState.EXPIRE):
        assert firm.renew(firm.add(400, state)) == 1
    assert len(drafts()) == 2


@pytest.mark.spec("CRT-5")
def test_the_database_lets_one_request_take_a_certificates_place(app: Flask) -> None:
    firm = Firm(10)
    for _twice in range(2):
        f_request = f.certificate_request(firm.organisation, by=firm.people[0])
        f_request.replaces_id = firm.requests[0].id
    with pytest.raises(IntegrityError):
        db.session.flush()
    db.session.rollback()


@pytest.mark.spec("CRT-5")
def test_the_page_sorts_certificates_by_what_they_are_worth_today(app: Flask) -> None:
    firm = Firm(300, 59, 5)
    over, revoked = firm.add(-1), firm.add(300, CertificateState.REVOQUE)
    Firm(10)
    assert counts(firm.organisation.id) == {Tab.VALID: 3, Tab.SOON: 2, Tab.EXPIRED: 1, Tab.REVOKED: 1}
    page = certificates_page(firm.organisation.id, Tab.SOON)
    assert [row.id for row in page.rows] == [firm.requests[2].id, firm.requests[1].id]
    assert [row.id for row in certificates_page(firm.organisation.id, Tab.EXPIRED).rows] == [over.id]
    found = certificates_page(firm.organisation.id, Tab.REVOKED, text=revoked.reference.lower())
    assert [row.id for row in found.rows] == [revoked.id]


@pytest.mark.spec("CRT-5", "CRT-4")
def test_a_departure_revokes_and_orders_together_or_not_at_all(app: Flask) -> None:
    firm = Firm(400)
    leaver = firm.requests[0]
    given = {"password": f.PASSWORD, "actor": firm.actor}
    taken = line_for(900_001, email=firm.people[1].email)  # somebody else's address
    with pytest.raises(ValidationFailed):
        departing.say_goodbye(leaver.id, successor=taken, **given)
    db.session.expire_all()
    assert leaver.certificate.state is CertificateState.RETIRE
    done = departing.say_goodbye(leaver.id, successor=line_for(900_002), text="Retraite.", **given)
    db.session.expire_all()
    assert (done.revoked, leaver.certificate.state) == (True, CertificateState.REVOQUE)
    made = db.session.scalars(select(CertificateRequest).where(CertificateRequest.replaces_id == leaver.id)).one()
    assert (made.state, made.identity_number) == (RequestState.NON_FINALISEE, f.person(900_002)["identity_number"])
    assert made.email in mails("request_created")
    assert leaver.applicant.email in mails("certificate_revoked")
    with pytest.raises(DomainError, match="déjà remplacé"):
        departing.say_goodbye(leaver.id, successor=line_for(900_003), **given)


@pytest.mark.spec("CRT-5")
def test_a_departure_without_successor_only_revokes_and_asks_the_password(app: Flask) -> None:
    firm, other = Firm(400), Firm(400)
    leaver = firm.requests[0]
    with pytest.raises(DomainError) as refusal:
        departing.say_goodbye(leaver.id, successor=None, password="autre chose", actor=firm.actor)
    assert refusal.value.field == "current"
    for actor in (other.actor, f.actor(leaver.applicant)):
        with pytest.raises(NotFound):
            departing.say_goodbye(leaver.id, successor=None, password=f.PASSWORD, actor=actor)
    done = departing.say_goodbye(leaver.id, successor=None, password=f.PASSWORD, actor=firm.actor)
    assert (done.revoked, done.order) == (True, None)
    with pytest.raises(IllegalTransition):
        departing.say_goodbye(leaver.id, successor=None, password=f.PASSWORD, actor=firm.actor)
    later = departing.say_goodbye(leaver.id, successor=line_for(900_005), password=f.PASSWORD, actor=firm.actor)
    assert (later.revoked, later.order is not None) == (False, True)

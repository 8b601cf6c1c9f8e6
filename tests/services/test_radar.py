"""The 90-day radar: reminders once each, the agents' queue, and a clock that revokes only when told to (CRT-3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app import clock
from app.extensions import db
from app.models import (
    Certificate,
    CertificateRequest,
    CreditOutcome,
    CreditReason,
    OrderDraftLine,
    OutboxMail,
    Revocation,
    RevocationReason,
)
from app.permissions import Role
from app.queries import desk_requests, lists
from app.queries.lists import Asked
from app.queries.uncollected import is_left_uncollected
from app.services import radar, revoking, settings
from app.services.credits import issuing
from app.services.credits.guided import prepare_revocation
from app.states import CertificateState, RequestState
from tests.services.test_invoices import sell
from tests.services.test_revoking import mails, sent
from tests.support import reviewing as r
from tests.support.crediting import Desk
from tests.support.servers import HttpServer

START = datetime(2027, 3, 1, 9, 0, tzinfo=clock.TUNIS)


@pytest.fixture
def day(travel: Any) -> Callable[[int], None]:
    """Moves to that many days after the generation, at the job's hour."""

    def to(number: int) -> None:
        travel.to(START + timedelta(days=number))

    to(0)
    return to


def switched_on() -> None:
    settings.change("collection.revoke", "oui", actor=r.agent(Role.ADMINISTRATEUR))


def queue() -> list[int]:
    tab = next(each for each in desk_requests.SOURCE.tabs if each.key == "90-jours")
    rows = lists.fetch_page(desk_requests.SOURCE, Asked(tab, tab.sort, tab.descending), r.agent()).rows
    return [row.id for row in rows]


def fresh(request: CertificateRequest) -> Certificate:
    return db.session.scalars(
        select(Certificate).where(Certificate.request_id == request.id).execution_options(populate_existing=True)
    ).one()


@pytest.mark.spec("CRT-3", "JOB-2")
def test_each_reminder_leaves_once_and_missed_days_make_one(app: Flask, day: Callable[[int], None]) -> None:
    request = sent()
    left = []
    for number in (1, 29, 30, 30, 31, 60, 79, 80, 89, 90, 95):
        day(number)
        radar.remind_uncollected()
        radar.remind_uncollected()
        left.append(mails("collection_reminder").count(request.applicant.email))
    assert left == [0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 3]
    late = sent()
    fresh(late).recorded_at = START  # the scheduler was down for two months
    fresh(late).dispatched_at = START + timedelta(days=1)
    db.session.commit()
    radar.remind_uncollected()
    assert mails("collection_reminder").count(late.applicant.email) == 1


@pytest.mark.spec("CRT-3")
def test_reminders_go_to_the_applicant_and_the_administrators_and_say_until_when(
    app: Flask, day: Callable[[int], None]
) -> None:
    request = sent()
    day(80)
    radar.remind_uncollected()
    told = mails("collection_reminder")
    assert request.applicant.email in told
    assert len(told) == len(set(told)) > 1
    text = db.session.scalars(select(OutboxMail.text).where(OutboxMail.recipient == request.applicant.email)).all()[-1]
    assert (START + timedelta(days=90)).strftime("%d/%m/%Y") in text
    assert "peut révoquer" in text


@pytest.mark.spec("CRT-3")
def test_nobody_is_sent_to_a_post_office_for_nothing(app: Flask, day: Callable[[int], None]) -> None:
    """Not dispatched, dispatched after the day, collected, revoked: no reminder."""
    for state in (CertificateState.GENERE, CertificateState.RETIRE, CertificateState.REVOQUE):
        sent(state)
    late = sent()
    day(33)
    fresh(late).dispatched_at = clock.now()
    db.session.commit()
    day(34)
    radar.remind_uncollected()
    assert mails("collection_reminder") == []
    day(60)
    radar.remind_uncollected()
    assert late.applicant.email in mails("collection_reminder")


@pytest.mark.spec("CRT-3")
def test_it_enters_the_queue_on_the_ninetieth_calendar_day(app: Flask, day: Callable[[int], None]) -> None:
    request = sent()
    day(89)
    assert (queue(), is_left_uncollected(request)) == ([], False)
    day(90)
    assert (queue(), is_left_uncollected(request)) == ([request.id], True)
    radar.revoke_uncollected()  # nothing is revoked by that day alone
    assert fresh(request).state is CertificateState.EXPEDIE


@pytest.mark.spec("CRT-3")
def test_nothing_is_revoked_by_the_clock_unless_a_setting_says_so(app: Flask, day: Callable[[int], None]) -> None:
    request = sent()
    day(80)
    radar.remind_uncollected()
    day(120)
    radar.revoke_uncollected()
    assert fresh(request).state is CertificateState.EXPEDIE
    switched_on()
    radar.revoke_uncollected()
    radar.revoke_uncollected()
    assert fresh(request).state is CertificateState.REVOQUE
    row = db.session.scalars(select(Revocation)).one()
    assert (row.reason, row.prepared_by_id) == (RevocationReason.NON_RETRAIT_90_JOURS, None)
    assert mails("certificate_revoked").count(request.applicant.email) == 1


@pytest.mark.spec("CRT-3")
def test_the_clock_revokes_ten_a_run_and_only_who_was_warned(app: Flask, day: Callable[[int], None]) -> None:
    organisation = r.organisation_file()
    requests = [sent(of=organisation) for _index in range(12)]
    unwarned, held = sent(of=organisation), sent(of=organisation)
    day(80)
    radar.remind_uncollected()
    fresh(unwarned).collection_reminded_at = None
    db.session.commit()
    revoking.prepare(held.id, reason=RevocationReason.CLE_COMPROMISE, text="Un agent s'en occupe.", actor=r.agent())
    switched_on()
    day(89)
    radar.revoke_uncollected()
    count = lambda: sum(fresh(each).state is CertificateState.REVOQUE for each in requests)  # noqa: E731
    assert count() == 0
    day(90)
    radar.revoke_uncollected()
    assert count() == 10
    radar.revoke_uncollected()
    assert count() == 12
    assert {fresh(each).state for each in (unwarned, held)} == {CertificateState.EXPEDIE}


@pytest.mark.spec("CRT-3", "AVO-5", "PPL-3")
def test_what_the_clock_revoked_stays_in_the_queue_until_its_credit_note(
    gateway: HttpServer, app: Flask, travel: Any
) -> None:
    shop, _invoice = sell(gateway)
    request, desk = shop.requests[0], Desk()
    request.state = RequestState.EXPEDIEE
    r.certificate(
        request, state=CertificateState.EXPEDIE, dispatched_at=clock.now(), collection_reminded_at=clock.now()
    )
    switched_on()
    travel(days=91)
    radar.revoke_uncollected()
    assert fresh(request).state is CertificateState.REVOQUE
    assert queue() == [request.id]
    proposal = prepare_revocation(
        request.id,
        reason=CreditReason.NON_RETRAIT_90_JOURS,
        reason_text="Non retiré.",
        outcome=CreditOutcome.CREDIT,
        reorder=True,
        actor=desk.agent,
    )
    assert issuing.issue(proposal.id, actor=desk.supervisor).total_ttc == 424_500
    assert queue() == []
    line = db.session.scalars(select(OrderDraftLine)).one()
    assert line.data["replaces_id"] == request.id
    assert mails("certificate_revoked").count(request.applicant.email) == 1

"""The statutory clock never counts the time TunTrust waits for its client (QUE-1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import clock
from app.extensions import db
from app.models import CertificateRequest, DocumentAsk, DocumentKind, Organisation
from app.permissions import Actor, Role
from app.services import asking, deciding, organisations, supplying, verifying
from app.services.asking import Point
from app.states import OrganisationState, RequestState, Verdict
from tests import factories as f
from tests.support import reviewing as r

START = datetime.fromisoformat("2027-03-01T08:00:00+00:00")
OTHER = Point("À joindre.", DocumentKind.OTHER)


def _answer(ask_id: int) -> None:
    for item in db.session.get_one(DocumentAsk, ask_id).items:
        item.answered_at = clock.now()
    db.session.commit()


def _supply(request: CertificateRequest) -> None:
    ask = supplying.open_ask(request.id)
    assert ask is not None
    _answer(ask.id)
    supplying.supply(f.actor(request.applicant), request.id)


def _supply_organisation(organisation_id: int, by: Actor) -> None:
    ask = organisations.open_ask(organisation_id)
    assert ask is not None
    _answer(ask.id)
    organisations.supply_organisation(organisation_id, actor=by)


def _moves(request: CertificateRequest, agent: Actor, owner: Actor) -> dict[str, Callable[[], object]]:
    """What may happen to the request and its organisation, by what is open now."""
    organisation = request.organisation
    found: dict[str, Callable[[], object]] = {}
    if request.state is RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST:
        found["ask"] = lambda: asking.ask_for_documents(request.id, [OTHER], actor=agent)
    if request.state is RequestState.EN_ATTENTE_DE_JUSTIFICATIFS:
        found["supply"] = lambda: _supply(request)
        found["withdraw"] = lambda: asking.withdraw_the_ask(request.id, actor=agent)
    if organisation.state is OrganisationState.A_VERIFIER:
        found["ask organisation"] = lambda: asking.ask_organisation_for_documents(organisation.id, [OTHER], actor=agent)
    if organisation.state is OrganisationState.PIECES_DEMANDEES:
        found["supply organisation"] = lambda: _supply_organisation(organisation.id, owner)
        found["withdraw from organisation"] = lambda: asking.withdraw_the_organisation_ask(organisation.id, actor=agent)
    return found


@pytest.mark.spec("QUE-1")
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 400)), min_size=2, max_size=7))
def test_the_clock_counts_tuntrusts_hours_only(app: Flask, travel, story: list[tuple[int, int]]) -> None:
    travel.to(START)
    organisation = r.organisation_file(OrganisationState.A_VERIFIER)
    request = r.request_file(of=organisation)
    agent, owner = r.agent(), f.actor(f.administrator(organisation))
    counted = counted_for_organisation = timedelta()
    moment = START
    for choice, hours in story:
        possible = _moves(request, agent, owner)
        possible[sorted(possible)[choice % len(possible)]]()
        request = db.session.get_one(CertificateRequest, request.id)
        organisation = db.session.get_one(Organisation, organisation.id)
        asked = organisation.state is OrganisationState.PIECES_DEMANDEES
        waits = asked or request.state is RequestState.EN_ATTENTE_DE_JUSTIFICATIFS
        assert (request.clock_paused_at is not None, organisation.clock_paused_at is not None) == (waits, asked)
        counted += timedelta() if waits else timedelta(hours=hours)
        counted_for_organisation += timedelta() if asked else timedelta(hours=hours)
        moment += timedelta(hours=hours)
        travel.to(moment)
    for row, expected in ((request, counted), (organisation, counted_for_organisation)):
        assert row.complete_since is not None
        assert (row.clock_paused_at or moment) - row.complete_since == expected


@pytest.mark.spec("QUE-1", "REV-5")
def test_an_organisations_ask_stops_the_clock_of_its_requests_that_tuntrust_holds(app: Flask, travel) -> None:
    travel.to(START)
    organisation = r.organisation_file(OrganisationState.A_VERIFIER)
    held = [r.request_file(of=organisation) for _n in range(3)]
    unpaid = r.request_file(RequestState.EN_ATTENTE_DE_PAIEMENT, of=organisation)
    foreign = r.request_file()
    asking.ask_organisation_for_documents(organisation.id, [OTHER], actor=r.agent())
    travel.to(START + timedelta(days=9))
    assert all(each.clock_paused_at == START for each in held)
    assert (unpaid.clock_paused_at, foreign.clock_paused_at) == (None, None)
    versions = [each.version for each in held]
    _supply_organisation(organisation.id, f.actor(f.administrator(organisation)))
    assert all(each.clock_paused_at is None for each in held)
    assert [each.complete_since for each in held] == [START + timedelta(days=9)] * 3
    assert [each.version for each in held] == versions, "nobody's open page of the requests became stale"


@pytest.mark.spec("QUE-1")
@pytest.mark.parametrize("end", ["reject", "suspend organisation"])
def test_a_file_that_ends_leaves_no_stopped_clock(app: Flask, travel, end: str) -> None:
    travel.to(START)
    organisation = r.organisation_file(OrganisationState.A_VERIFIER, verdict=Verdict.A_VERIFIER)
    request = r.request_file(of=organisation)
    if end == "reject":
        asking.ask_for_documents(request.id, [OTHER], actor=r.agent())
        travel.to(START + timedelta(days=2))
        deciding.reject(request.id, actor=r.agent(), reason="Trop tard.")
    else:
        asking.ask_organisation_for_documents(organisation.id, [OTHER], actor=r.agent())
        travel.to(START + timedelta(days=2))
        verifying.suspend_organisation(organisation.id, actor=r.agent(Role.SUPERVISEUR), reason="Fraude.")
    assert request.clock_paused_at is None
    assert organisation.clock_paused_at is None
    assert request.complete_since == START + timedelta(days=2)

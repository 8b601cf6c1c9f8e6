"""« Suivant » goes through the list as the agent filtered it, and a double click takes one file (QUE-3)."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from app.errors import DomainError
from app.extensions import db
from app.models import CertificateRequest, HistoryEntry
from app.permissions import Role
from app.queries import desk_organisations, desk_requests
from app.queries.lists import Asked, Source, fetch_page
from app.services import assigning
from app.states import OrganisationState, RequestState
from tests import factories

NOW = datetime(2026, 11, 17, 9, tzinfo=UTC)
TAKEN_CHARGE = RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST


def asked(source: Source, tab: str, **values: Any) -> Asked:
    chosen = next(each for each in source.tabs if each.key == tab)
    return Asked(**{"tab": chosen, "sort": chosen.sort, "descending": chosen.descending, **values})


@pytest.fixture
def agent(app: Flask) -> Any:
    return factories.actor(factories.staff(Role.AGENT))


def waiting(days: int, organisation: Any = None, **values: Any) -> CertificateRequest:
    return factories.certificate_request(
        organisation or factories.organisation(), TAKEN_CHARGE, complete_since=NOW - timedelta(days=days), **values
    )


def next_of(agent: Any, tab: str = "a-prendre", current: str = "", once: str = "", **values: Any) -> str:
    wanted = asked(desk_requests.SOURCE, tab, **values)
    return assigning.take_next_request(actor=agent, asked=wanted, current=current, once=once).reference


@pytest.mark.spec("QUE-3")
def test_the_next_file_is_the_first_of_the_filtered_list_in_its_order(app: Flask, agent: Any) -> None:
    here, there = factories.organisation(), factories.organisation()
    old, middle, young = waiting(30, there), waiting(20, here), waiting(10, here)
    db.session.commit()
    assert next_of(agent, search=here.reference) == middle.reference
    assert db.session.get_one(CertificateRequest, middle.id).assigned_to_id == agent.user_id
    assert next_of(agent, sort="attente", descending=True) == young.reference
    assert next_of(agent, search=there.reference) == old.reference
    with pytest.raises(DomainError, match="Il ne reste aucune demande à prendre"):
        next_of(agent)


@pytest.mark.spec("QUE-3")
def test_a_file_looked_at_and_left_free_is_passed_over_until_the_list_begins_again(app: Flask, agent: Any) -> None:
    first, second = waiting(30), waiting(20)
    db.session.commit()
    assert next_of(agent, current=first.reference) == second.reference
    assert next_of(agent, current=second.reference) == first.reference
    alone = waiting(5)
    db.session.commit()
    with pytest.raises(DomainError):
        next_of(agent, current=alone.reference)


@pytest.mark.spec("QUE-1", "QUE-3")
def test_a_file_whose_organisation_was_asked_for_papers_waits_with_the_clients(app: Flask, agent: Any) -> None:
    asked_for = factories.organisation(OrganisationState.PIECES_DEMANDEES)
    held, workable = waiting(30, asked_for, clock_paused_at=NOW - timedelta(days=2)), waiting(10)
    db.session.commit()
    source = desk_requests.SOURCE

    def tab(key: str) -> list[Any]:
        return list(fetch_page(source, asked(source, key), agent).rows)

    assert [row.reference for row in tab("a-prendre")] == [workable.reference]
    (row,) = tab("en-attente-du-client")
    assert (row.reference, desk_requests.stage_of(row)) == (
        held.reference,
        desk_requests.Stage.ORGANISATION_ASKED,
    )
    assert next_of(agent) == workable.reference
    with pytest.raises(DomainError, match="Il ne reste aucune demande à prendre"):
        next_of(agent)
    held.clock_paused_at = None  # the organisation answered
    db.session.commit()
    assert next_of(agent) == held.reference


@pytest.mark.spec("QUE-3")
def test_the_next_of_ones_own_files_is_opened_not_taken_though_the_one_left_is_gone(app: Flask, agent: Any) -> None:
    mine = [waiting(days, assigned_to_id=agent.user_id) for days in (30, 20, 10)]
    db.session.commit()
    assert next_of(agent, "les-miennes", mine[0].reference) == mine[1].reference
    mine[1].state = RequestState.ANNULEE
    db.session.commit()
    assert next_of(agent, "les-miennes", mine[1].reference) == mine[2].reference
    assert next_of(agent, "les-miennes", mine[2].reference) == mine[0].reference
    assert db.session.query(HistoryEntry).filter_by(action="take").count() == 0
    mine[0].state = RequestState.ANNULEE
    db.session.commit()
    with pytest.raises(DomainError, match="pas d'autre dossier"):
        next_of(agent, "les-miennes", mine[2].reference)


@pytest.mark.spec("QUE-3")
def test_a_press_sent_twice_takes_one_file_and_the_next_press_another(app: Flask, agent: Any) -> None:
    first, second = waiting(30), waiting(20)
    db.session.commit()
    assert [next_of(agent, once="press-0001") for _n in range(2)] == [first.reference] * 2
    assert next_of(agent, once="press-0002") == second.reference
    assert [entry.details for entry in db.session.query(HistoryEntry).filter_by(action="take")] == [
        {"once": "press-0001"},
        {"once": "press-0002"},
    ]


@pytest.mark.spec("QUE-3")
def test_two_clicks_at_the_same_moment_take_one_file(app: Flask, agent: Any) -> None:
    files = [waiting(days) for days in (30, 20, 10)]
    references = {file.reference for file in files}
    db.session.commit()
    answers: list[str] = []
    together = threading.Barrier(2)

    def press() -> None:
        with app.app_context():
            together.wait()
            answers.append(next_of(agent, once="press-0001"))

    threads = [threading.Thread(target=press) for _n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.expire_all()
    assert len(answers) == 2
    assert answers[0] == answers[1]
    assert answers[0] in references
    assert db.session.query(CertificateRequest).filter_by(assigned_to_id=agent.user_id).count() == 1


@pytest.mark.spec("PPL-3")
def test_the_next_file_is_never_ones_own(app: Flask) -> None:
    officer = factories.staff(Role.AGENT)
    waiting(30, applicant=officer)
    other = waiting(20)
    db.session.commit()
    assert next_of(factories.actor(officer)) == other.reference


@pytest.mark.spec("QUE-3")
def test_the_next_organisation_is_taken_from_its_list(app: Flask, agent: Any) -> None:
    free = factories.organisation(OrganisationState.A_VERIFIER, complete_since=NOW)
    factories.organisation(OrganisationState.A_VERIFIER, complete_since=NOW, assigned_to_id=agent.user_id)
    db.session.commit()
    wanted = asked(desk_organisations.SOURCE, "a-prendre")
    once = {"once": "press-0001"}
    assert assigning.take_next_organisation(actor=agent, asked=wanted, **once).id == free.id
    assert assigning.take_next_organisation(actor=agent, asked=wanted, **once).id == free.id
    with pytest.raises(DomainError, match="aucune organisation"):
        assigning.take_next_organisation(actor=agent)

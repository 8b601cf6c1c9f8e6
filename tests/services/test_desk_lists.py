"""The lists' engine: pages by key, capped counts, exact search, a fixed number of statements (QUE-1, QUE-2, SPD-1)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from app import clock
from app.extensions import db
from app.models import Certificate, CertificateRequest
from app.permissions import Role
from app.queries import desk_certificates, desk_organisations, desk_requests, journal, lists
from app.queries.exact import Kind, identifiers_in
from app.queries.lists import Asked, Source
from app.services import search_columns
from app.states import CertificateState, OrganisationState, RequestState, Verdict
from tests import factories

NOW = datetime(2026, 11, 17, 9, tzinfo=UTC)
TAKEN_CHARGE = RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST


@contextmanager
def statements() -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def asked(source: Source, tab: str = "", **values: Any) -> Asked:
    chosen = next((each for each in source.tabs if each.key == tab), source.tabs[0])
    return Asked(**{"tab": chosen, "sort": chosen.sort, "descending": chosen.descending, **values})


def walk(source: Source, wanted: Asked, actor: Any, size: int) -> tuple[list[int], list[int]]:
    """Every id going forward to the end, and going back to the beginning."""
    forward, page = [], lists.fetch_page(source, wanted, actor, size=size)
    pages = [page]
    while page.following and len(pages) < 40:
        page = lists.fetch_page(source, _at(wanted, after=page.following), actor, size=size)
        pages.append(page)
    for each in pages:
        forward += [row.id for row in each.rows]
    back = [row.id for row in pages[-1].rows]
    while page.previous and len(back) < 40:
        page = lists.fetch_page(source, _at(wanted, before=page.previous), actor, size=size)
        back = [row.id for row in page.rows] + back
    return forward, back


def _at(wanted: Asked, **key: str) -> Asked:
    return Asked(wanted.tab, wanted.sort, wanted.descending, wanted.search, wanted.filters, **key)


@pytest.fixture
def agent(app: Flask) -> Any:
    return factories.actor(factories.staff(Role.AGENT))


@pytest.mark.spec("SPD-1")
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_pages_by_key_hold_every_row_once_though_sort_values_repeat_or_lack(
    app: Flask, agent: Any, descending: bool, size: int
) -> None:
    organisation, by = factories.organisation(), factories.user()
    moments = [NOW, NOW, None, NOW - timedelta(days=1), None, NOW, NOW - timedelta(days=1)]
    for moment in moments:
        factories.certificate_request(organisation, TAKEN_CHARGE, by=by, complete_since=moment)
    source = desk_requests.SOURCE
    forward, back = walk(source, asked(source, descending=descending), agent, size)
    everyone = {row.id: row.complete_since for row in db.session.query(CertificateRequest)}
    assert sorted(forward) == sorted(everyone)
    assert back == forward
    dates = [everyone[row_id] for row_id in forward]
    dated = [each for each in dates if each is not None]
    assert dates == [*sorted(dated, reverse=descending), *[None] * 2]


@pytest.mark.spec("SPD-1")
def test_a_page_and_its_counts_take_the_same_statements_for_one_row_and_for_many(app: Flask, agent: Any) -> None:
    organisation, by = factories.organisation(), factories.user()
    factories.contract(organisation)
    source = desk_requests.SOURCE

    def cost() -> int:
        db.session.commit()
        with statements() as seen:
            lists.fetch_page(source, asked(source), agent)
            lists.capped_counts(source, asked(source), agent)
        return len(seen)

    factories.certificate_request(organisation, TAKEN_CHARGE, by=by)
    one = cost()
    for _n in range(12):
        factories.certificate_request(organisation, TAKEN_CHARGE, by=by)
    assert cost() == one
    assert one <= 4


@pytest.mark.spec("QUE-1")
def test_counts_stop_at_the_cap(app: Flask, agent: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "CAP", 3)
    organisation, by = factories.organisation(), factories.user()
    for _n in range(6):
        factories.certificate_request(organisation, TAKEN_CHARGE, by=by)
    assert lists.capped_counts(desk_requests.SOURCE, asked(desk_requests.SOURCE), agent)["a-prendre"] == 4


@pytest.mark.spec("QUE-1")
def test_each_tab_holds_its_own_files(app: Flask) -> None:
    me = factories.staff(Role.AGENT)
    organisation, by = factories.organisation(), factories.user()

    def make(state: RequestState = TAKEN_CHARGE, **values: Any) -> str:
        return factories.certificate_request(organisation, state, by=by, **values).reference

    free, mine = make(), make(assigned_to_id=me.id)
    asked_for = make(RequestState.EN_ATTENTE_DE_JUSTIFICATIFS)
    approved = make(approved_at=NOW, approved_by_id=me.id)
    generated = make(approved_at=NOW, approved_by_id=me.id)
    request = db.session.query(CertificateRequest).filter_by(reference=generated).one()
    certificate(request, "0a1b2c3d4e5f")
    sent, cancelled = make(RequestState.EXPEDIEE), make(RequestState.ANNULEE)
    today, dispatched = clock.today(), list[str]()
    for serial, days, values in (
        ("aa00000000000001", 90, {"state": CertificateState.EXPEDIE}),
        ("aa00000000000002", 89, {"state": CertificateState.EXPEDIE}),
        ("aa00000000000003", 120, {"state": CertificateState.RETIRE, "collected_at": NOW}),
        ("aa00000000000004", 120, {"state": CertificateState.REVOQUE}),
    ):
        reference = make(RequestState.EXPEDIEE)
        request = db.session.query(CertificateRequest).filter_by(reference=reference).one()
        recorded = lists.start_of(today - timedelta(days=days)) + timedelta(hours=23)
        certificate(request, serial, recorded_at=recorded, **values)
        dispatched.append(reference)
    young = make(RequestState.NON_FINALISEE)
    actor, source = factories.actor(me), desk_requests.SOURCE

    def tab(key: str) -> set[str]:
        return {row.reference for row in lists.fetch_page(source, asked(source, key), actor).rows}

    assert tab("a-prendre") == {free}
    assert tab("les-miennes") == {mine}
    assert tab("en-attente-du-client") == {asked_for}
    assert tab("pretes") == {approved}
    assert tab("a-expedier") == {generated}
    assert tab("90-jours") == {dispatched[0]}
    assert tab("terminees") == {sent, cancelled, *dispatched}
    assert tab("toutes") == {free, mine, asked_for, approved, generated, sent, cancelled, young, *dispatched}
    counts = lists.capped_counts(source, asked(source), actor)
    assert [counts[each.key] for each in source.tabs] == [1, 1, 1, 1, 1, 1, 6, 12]


def certificate(request: CertificateRequest, serial: str, **values: Any) -> Certificate:
    row = Certificate(
        request_id=request.id,
        serial_number=serial,
        issuer="CN=TunTrust",
        subject="CN=x",
        not_before=NOW,
        not_after=NOW + timedelta(days=730),
        key_description="RSA 2048",
        fingerprint="00",
        pem="",
        **{"recorded_at": NOW, **values},
    )
    db.session.add(row)
    db.session.commit()
    return row


@pytest.mark.spec("QUE-2")
def test_an_exact_identifier_finds_its_rows_and_no_other(app: Flask, agent: Any) -> None:
    organisation = factories.organisation(tax_id="1234567R")
    other = factories.organisation()
    request = factories.certificate_request(organisation, TAKEN_CHARGE, identity_number="01234567")
    noise = factories.certificate_request(other, TAKEN_CHARGE, identity_number="11234567")
    certificate(request, "0a1b2c3d4e5f", tracking_number="RR123456789TN")
    source = desk_requests.SOURCE

    def found(text: str) -> list[str]:
        return [row.reference for row in lists.fetch_page(source, asked(source, "toutes", search=text), agent).rows]

    for text in (
        request.reference,
        request.reference.lower(),
        "01234567",
        "1234567R",
        "1234567/R/A/M/000",
        request.email.upper(),
        organisation.reference,
        "0A:1B:2C:3D:4E:5F",
        "RR 123456789 TN",
    ):
        assert found(text) == [request.reference], text
    assert found("11234567") == [noise.reference]
    assert found("DEM-2026-999999") == []
    assert found("%") == []
    assert found("_") == []


@pytest.mark.spec("QUE-2")
@pytest.mark.parametrize("text", ["hédi bouazizi", "HEDI", "bouazizi hedi", "البوعزيزي", "الهادي"])
def test_names_are_found_folded_in_either_script(app: Flask, agent: Any, text: str) -> None:
    organisation = factories.organisation()
    who = factories.applicant(last_name="Bouazizi", first_name="Hédi", last_name_ar="البوعزيزي", first_name_ar="الهادي")
    request = factories.certificate_request(organisation, TAKEN_CHARGE, applicant=who)
    search_columns.fill_request(request, organisation)
    db.session.commit()
    source = desk_requests.SOURCE
    rows = lists.fetch_page(source, asked(source, search=text), agent).rows
    assert [row.reference for row in rows] == [request.reference]


def test_a_search_that_looks_like_an_identifier_is_told_apart() -> None:
    assert identifiers_in("dem 2026 12") == {Kind.REFERENCE: "DEM-2026-000012"}
    assert identifiers_in("Gharbi") == {}
    assert identifiers_in("71 000 000") == {Kind.PHONE: "+21671000000"}
    assert set(identifiers_in("20123456")) == {Kind.CIN, Kind.PHONE}


@pytest.mark.spec("PPL-2")
def test_the_scope_of_a_list_is_empty_for_who_may_not_read_it(app: Flask) -> None:
    factories.certificate_request(factories.organisation(), TAKEN_CHARGE)
    stranger = factories.actor(factories.staff(Role.ADMINISTRATEUR))
    for source in (desk_requests.SOURCE, desk_organisations.SOURCE, desk_certificates.SOURCE):
        last = source.tabs[-1].key
        assert lists.fetch_page(source, asked(source, last), stranger).rows == []
        assert set(lists.capped_counts(source, asked(source), stranger).values()) == {0}
    agent = factories.actor(factories.staff(Role.AGENT))
    assert lists.fetch_page(journal.SOURCE, asked(journal.SOURCE), agent).rows == []


@pytest.mark.parametrize(
    "token", ["x", "W10", "bm9uZQ", "WzEsMl0", "WyIyMDI2IiwxXQ", "W251bGwsLTFd", "é", "AAAA" * 100, "WyJcdTAwMDAiLDFd"]
)
def test_a_forged_key_shows_the_first_page(app: Flask, agent: Any, token: str) -> None:
    request = factories.certificate_request(factories.organisation(), TAKEN_CHARGE)
    source = desk_requests.SOURCE
    for key in ("after", "before"):
        rows = lists.fetch_page(source, asked(source, **{key: token}), agent).rows
        assert [row.id for row in rows] == [request.id]


@pytest.mark.spec("QUE-1")
def test_where_a_file_stands_is_told_from_its_papers(app: Flask, agent: Any) -> None:
    source = desk_requests.SOURCE
    signed, unsigned = factories.organisation(), factories.organisation()
    unverified = factories.organisation(OrganisationState.A_VERIFIER)
    factories.contract(signed)
    factories.contract(unverified, signed=Verdict.A_VERIFIER)
    expected = {
        factories.certificate_request(signed, TAKEN_CHARGE).reference: desk_requests.Stage.COMPLETE,
        factories.certificate_request(unsigned, TAKEN_CHARGE).reference: desk_requests.Stage.CONTRACT_NOT_SIGNED,
        factories.certificate_request(
            unverified, TAKEN_CHARGE
        ).reference: desk_requests.Stage.ORGANISATION_NOT_VERIFIED,
    }
    rows = lists.fetch_page(source, asked(source), agent).rows
    assert {row.reference: desk_requests.stage_of(row) for row in rows} == expected


def test_the_wait_counts_days_of_tunis_against_the_delay() -> None:
    late_evening = datetime(2026, 11, 16, 22, 59, tzinfo=UTC)  # 23:59 in Tunis
    assert desk_requests.waiting_days(late_evening, NOW.date()) == 1
    assert [desk_requests.wait_tone(days, 7) for days in (0, 4, 5, 7, 8)] == ["", "", "soon", "soon", "late"]


@pytest.mark.spec("EXP-2")
def test_an_export_reads_every_row_in_the_lists_order(app: Flask, agent: Any) -> None:
    organisation, by = factories.organisation(), factories.user()
    for moment in (None, NOW, NOW - timedelta(days=3)):
        factories.certificate_request(organisation, TAKEN_CHARGE, by=by, complete_since=moment)
    source = desk_requests.SOURCE
    whole = [row.id for row in lists.fetch_all(source, asked(source), agent)]
    assert whole == walk(source, asked(source), agent, 1)[0]
    assert len(whole) == 3

"""Automatic checks in the background: asked for at once, none lost, none made twice, shown with their age (REV-3)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, update

from app import clock
from app.errors import Forbidden
from app.extensions import db
from app.inspection import text
from app.models import (
    CheckResult,
    Document,
    DocumentKind,
    DocumentText,
    Inspection,
    InspectionFinding,
    Organisation,
)
from app.permissions import Role
from app.queries import inspections, review
from app.queries.inspections import ShownCheck, findings_of_file
from app.services import inspecting, organisations, rounds
from app.services.files import storage
from app.services.inspecting import ask_inspection, inspect_again, run_due_inspections
from app.states import RequestState
from tests import factories
from tests.unit.inspected_papers import EXTRACT, reading

pytestmark = pytest.mark.spec("REV-3")

Travel = Callable[..., Any]


def extract_of(organisation: Organisation) -> str:
    """What its register extract would say, of today."""
    head = organisation.representative
    return (
        EXTRACT.replace("1234567R", organisation.tax_id or "")
        .replace("ALPHA CONSEIL", organisation.legal_name.upper())
        .replace("BEN SALAH Amira", f"{head.last_name.upper()} {head.first_name}")
        .replace("02/10/2026", f"{clock.today():%d/%m/%Y}")
    )


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What every file says when it is read, and how often one was."""
    answer: dict[str, Any] = {"text": EXTRACT, "reads": 0, "error": None}

    def read(_data: bytes, _kind: str = "") -> text.Reading:
        answer["reads"] += 1
        if answer["error"] is not None:
            raise answer["error"]
        return reading(answer["text"])

    monkeypatch.setattr(text, "read", read)
    return answer


def paper(of: Organisation, kind: DocumentKind = DocumentKind.RNE_EXTRACT, **values: Any) -> Document:
    """A received paper with its bytes, asked to be checked."""
    document = factories.document(kind, organisation_id=of.id, **values)
    storage().put(document.storage_key, b"%PDF-1.7")
    ask_inspection(document_id=document.id)
    return document


def answers(document: Document) -> dict[str, CheckResult]:
    """The latest findings of a paper."""
    run = db.session.scalars(
        select(Inspection).where(Inspection.document_id == document.id).order_by(Inspection.id.desc()).limit(1)
    ).one()
    return {finding.check: finding.result for finding in run.findings}


def shown(of: Organisation, check: str) -> ShownCheck:
    """One line of the desk's list."""
    agent = factories.actor(factories.staff())
    found = findings_of_file(review.organisation_file(agent, of.reference))
    return next(each for each in found if each.code == check)


def test_a_scheduler_told_to_stop_leaves_the_rest_to_the_next_round(app: object, said: dict[str, Any]) -> None:
    stop = threading.Event()
    of = factories.organisation()
    for _each in range(3):
        paper(of)
    db.session.commit()
    with rounds.ended_by(stop):
        assert run_due_inspections(limit=1).done == 1
        stop.set()
        assert run_due_inspections().done == 0
    assert run_due_inspections().done == 2


def test_a_paper_is_read_once_and_checked_with_evidence_and_version(app: object, said: dict[str, Any]) -> None:
    organisation = factories.organisation()
    said["text"] = extract_of(organisation)
    document = paper(organisation)
    assert run_due_inspections().done == 1
    assert answers(document)["tax_id_in_text"] is CheckResult.OK
    assert answers(document)["extract_age"] is CheckResult.OK
    kept = db.session.get_one(DocumentText, document.id)
    assert (kept.source, kept.pages["1"]) == ("pdf", said["text"])
    line = shown(organisation, "tax_id_in_text")
    assert (line.result, line.document, line.page, line.stale) == ("ok", document.public_id, 1, False)
    assert line.version
    assert line.at is not None
    ask_inspection(document_id=document.id)
    run_due_inspections()
    assert said["reads"] == 1


def test_asking_twice_before_it_begins_makes_one_run(app: object) -> None:
    document = factories.document(organisation_id=factories.organisation().id)
    ask_inspection(document_id=document.id)
    ask_inspection(document_id=document.id)
    assert len(db.session.scalars(select(Inspection)).all()) == 1


def test_a_changed_declaration_makes_the_answers_stale_and_asks_anew(app: object, said: dict[str, Any]) -> None:
    organisation = factories.organisation(legal_name="Alpha Conseil")
    said["text"] = extract_of(organisation)
    paper(organisation)
    run_due_inspections()
    assert shown(organisation, "legal_name_in_text").result == "ok"
    owner = factories.actor(factories.administrator(organisation))
    organisations.change_data(organisation.id, {"legal_name": "Gamma Travaux"}, actor=owner)
    assert shown(organisation, "legal_name_in_text").stale
    run_due_inspections()
    line = shown(organisation, "legal_name_in_text")
    assert (line.result, line.stale) == ("bad", False)
    assert "Alpha" not in line.title
    assert said["reads"] == 1  # the words are kept


def test_answers_of_older_checks_are_shown_as_such(
    app: object, said: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    organisation = factories.organisation()
    paper(organisation)
    run_due_inspections()
    assert not shown(organisation, "kind").stale
    monkeypatch.setattr(inspections, "VERSION", "newer")
    assert shown(organisation, "kind").stale


def test_an_extract_grows_old_without_another_check(app: object, said: dict[str, Any], travel: Travel) -> None:
    organisation = factories.organisation()
    said["text"] = extract_of(organisation)
    paper(organisation)
    run_due_inspections()
    assert shown(organisation, "extract_age").result == "ok"
    travel(days=100)
    assert shown(organisation, "extract_age").result == "bad"


def test_a_process_that_dies_loses_no_check(app: object, said: dict[str, Any], travel: Travel) -> None:
    document = paper(factories.organisation())
    assert inspecting._claim() is not None  # and nothing more: it died
    assert run_due_inspections().done == 0
    travel(minutes=20)
    assert run_due_inspections().done == 1
    assert answers(document)["file_opens"] is CheckResult.OK


def test_a_run_is_claimed_by_one_process_only(app: object) -> None:
    paper(factories.organisation())
    assert [inspecting._claim() is not None, inspecting._claim() is not None] == [True, False]


def test_a_fault_is_tried_again_later_and_at_last_said(app: object, said: dict[str, Any], travel: Travel) -> None:
    document = paper(factories.organisation())
    other = paper(factories.organisation())
    said["error"] = RuntimeError("broken")
    assert run_due_inspections().delayed == 2
    assert run_due_inspections().delayed == 0  # not at once
    said["error"] = None
    db.session.execute(update(Inspection).where(Inspection.document_id == other.id).values(due_at=clock.now()))
    db.session.commit()
    assert run_due_inspections().done == 1
    said["error"] = RuntimeError("broken")
    for _time in range(inspecting.MAX_ATTEMPTS):
        travel(hours=3)
        run_due_inspections()
    assert answers(document) == {"file_opens": CheckResult.UNVERIFIABLE}
    assert run_due_inspections().delayed == 0


def test_a_paper_in_quarantine_waits_and_a_lost_one_is_said(app: object, said: dict[str, Any], travel: Travel) -> None:
    organisation = factories.organisation()
    waiting = factories.document(organisation_id=organisation.id, storage_key="quarantine/aa/waits")
    lost = factories.document(organisation_id=organisation.id)
    for document in (waiting, lost):
        ask_inspection(document_id=document.id)
    assert (run_due_inspections().delayed, said["reads"]) == (1, 0)
    assert answers(lost)["tax_id_in_text"] is CheckResult.UNVERIFIABLE
    assert answers(waiting) == {}


def test_the_same_file_for_two_organisations_is_told_to_both(app: object, said: dict[str, Any]) -> None:
    one, two = factories.organisation(), factories.organisation()
    first = paper(one, sha256="a" * 64)
    second = paper(two, sha256="a" * 64)
    alone = paper(factories.organisation())
    run_due_inspections()
    results = [answers(each)["same_file"] for each in (first, second, alone)]
    assert results == [CheckResult.ALERT, CheckResult.ALERT, CheckResult.OK]
    assert two.reference in shown(one, "same_file").proof


def test_one_persons_identity_copy_may_serve_several_requests(app: object, said: dict[str, Any]) -> None:
    organisation = factories.organisation()
    person, other = factories.applicant(), factories.applicant()
    copies = []
    for who in (person, person, other):
        request = factories.certificate_request(organisation, applicant=who)
        kind = DocumentKind.APPLICANT_IDENTITY
        copies.append(factories.document(kind, request_id=request.id, sha256="b" * 64, issued_on=None))
    ask_inspection(document_id=copies[0].id)
    run_due_inspections()
    assert answers(copies[0])["same_file"] is CheckResult.ALERT
    copies[2].superseded_at = clock.now()
    db.session.commit()
    ask_inspection(document_id=copies[0].id)
    run_due_inspections()
    assert answers(copies[0])["same_file"] is CheckResult.OK


def test_a_card_number_under_two_names_is_told(app: object) -> None:
    organisation = factories.organisation()
    one = factories.certificate_request(organisation, identity_number="01234567", first_name="Karim")
    factories.certificate_request(organisation, identity_number="01234567", first_name="Sonia", last_name="Jaziri")
    ask_inspection(request_id=one.id)
    run_due_inspections()
    run = db.session.scalars(select(Inspection).where(Inspection.request_id == one.id)).one()
    finding = next(each for each in run.findings if each.check == "cin_names")
    assert (finding.result, finding.found) == (CheckResult.ALERT, "Sonia Jaziri")


def test_a_person_asks_for_all_checks_again_and_only_who_reads_papers_may(app: object, said: dict[str, Any]) -> None:
    organisation = factories.organisation()
    request = factories.certificate_request(organisation, RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST)
    paper(organisation)
    run_due_inspections()
    agent = factories.actor(factories.staff())
    assert inspect_again(request_id=request.id, actor=agent) == 3  # the request, its organisation, the paper
    assert run_due_inspections().done == 3
    with pytest.raises(Forbidden):
        inspect_again(request_id=request.id, actor=factories.actor(factories.user(Role.DEMANDEUR)))


def test_old_runs_are_forgotten_but_for_the_last_ones(app: object, said: dict[str, Any]) -> None:
    document = paper(factories.organisation())
    for _again in range(inspecting.KEPT_RUNS + 2):
        run_due_inspections()
        ask_inspection(document_id=document.id)
    runs = db.session.scalars(select(Inspection.id).where(Inspection.done_at.is_not(None))).all()
    assert len(runs) == inspecting.KEPT_RUNS
    assert set(db.session.scalars(select(InspectionFinding.inspection_id))) == set(runs)


def test_before_its_check_a_paper_is_awaited_and_its_declared_date_is_judged(app: object) -> None:
    organisation = factories.organisation()
    document = paper(organisation, issued_on=clock.today() - timedelta(days=120))
    assert (shown(organisation, "pending").result, shown(organisation, "pending").document) == (
        "wait",
        document.public_id,
    )
    assert shown(organisation, "extract_age").result == "bad"


def test_the_findings_of_a_file_take_one_statement_whatever_its_papers(app: object, said: dict[str, Any]) -> None:
    counts = []
    for papers in (1, 6):
        organisation = factories.organisation()
        for number in range(papers):
            paper(organisation, DocumentKind.TAX_CARD if number else DocumentKind.RNE_EXTRACT)
        run_due_inspections()
        agent = factories.actor(factories.staff())
        file = review.organisation_file(agent, organisation.reference)
        findings_of_file(file)  # settings are read once
        with counted() as seen:
            findings_of_file(file)
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 2


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements executed meanwhile."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)

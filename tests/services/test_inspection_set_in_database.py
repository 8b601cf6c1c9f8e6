"""REV-4: the faults that only show beside other rows: a number of two names, a file of two organisations."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import CheckResult, DocumentKind, Inspection, InspectionFinding, Organisation
from app.permissions import visitor
from app.services import documents
from app.services.inspecting import ask_inspection, run_due_inspections
from app.services.unit_of_work import use_case
from tests import factories
from tests.inspection_set import layouts as look
from tests.inspection_set.case import Paper
from tests.inspection_set.people import TODAY, C, Facts

NOON = datetime.fromisoformat(f"{TODAY}T11:00:00+00:00")


def company(facts: Facts) -> Organisation:
    declared = facts.company.declared or facts.company.name
    return factories.organisation(tax_id=facts.company.tax_id, legal_name=declared)


def received(of: Organisation, data: bytes, facts: Facts) -> int:
    sent = documents.receive(
        data, "extrait.pdf", kind=DocumentKind.RNE_EXTRACT, actor=visitor("127.0.0.1"), organisation_id=of.id,
        issued_on=facts.issued,
    )  # fmt: skip
    return sent.id


@use_case
def ask(**subject: int) -> None:
    ask_inspection(**subject)


def alerts(**subject: int) -> dict[str, InspectionFinding]:
    """What the last run on the subject warned of, by check."""
    (name, value), *_none = subject.items()
    last = db.session.scalars(
        select(Inspection)
        .where(getattr(Inspection, name) == value, Inspection.done_at.is_not(None))
        .order_by(-Inspection.id)
    ).first()
    assert last is not None
    return {each.check: each for each in last.findings if each.result is CheckResult.ALERT}


@pytest.mark.spec("REV-4")
def test_one_file_sent_by_two_organisations_is_found_for_the_second_one(app: Flask, travel) -> None:
    travel.to(NOON)
    facts = Facts(C["oranger"])
    data = Paper(look.rne_table).pdf(facts)
    owner, other = company(facts), company(Facts(C["meditex"]))
    first = received(owner, data, facts)
    ask(document_id=first)
    run_due_inspections()
    assert "same_file" not in alerts(document_id=first)
    travel.to(NOON + timedelta(minutes=1))
    second = received(other, data, facts)
    ask(document_id=second)
    run_due_inspections()
    assert alerts(document_id=second)["same_file"].evidence["why"] == "other_organisation"


@pytest.mark.spec("REV-4")
@pytest.mark.parametrize(
    "first, last, is_found",
    [("Rafika", "Dridi", True), ("Mohamed-Amine", "BENSALAH", False)],
    ids=["another name", "another spelling"],
)
def test_a_card_number_under_two_names_is_found(app: Flask, first: str, last: str, is_found: bool) -> None:
    known = factories.organisation()
    known.representative.first_name, known.representative.last_name = "Mohammed Amine", "Ben Salah"
    known.representative.identity_number = "04512873"
    request = factories.certificate_request(first_name=first, last_name=last, identity_number="04512873")
    db.session.commit()
    ask(request_id=request.id)
    run_due_inspections()
    assert ("cin_names" in alerts(request_id=request.id)) is is_found

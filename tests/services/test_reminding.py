"""Reminders of missing pieces, and the rejection that a setting may switch on (REV-5)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app import clock
from app.errors import DomainError
from app.extensions import db
from app.models import CertificateRequest, DocumentAsk, DocumentKind, HistoryEntry, OutboxMail
from app.permissions import Role
from app.services import asking, settings
from app.services.asking import Point
from app.services.reminding import reject_unanswered, rejection_day, remind_of_documents
from app.states import OrganisationState, RequestState
from tests import factories as f
from tests.support import reviewing as r

START = datetime.fromisoformat("2027-03-01T08:00:00+00:00")
POINTS = [Point("À joindre.", DocumentKind.OTHER), Point("À corriger.", field="email")]


@pytest.fixture
def request_asked(app: Flask, travel) -> CertificateRequest:
    travel.to(START)
    request = r.request_file()
    asking.ask_for_documents(request.id, POINTS, actor=r.agent(), due_on=START.date() + timedelta(days=15))
    return request


def set_to(key: str, text: str) -> None:
    settings.change(key, text, actor=f.actor(f.staff(Role.ADMINISTRATEUR)))


def reminders(kind: str = "documents_reminder") -> list[OutboxMail]:
    return list(db.session.scalars(select(OutboxMail).where(OutboxMail.kind == kind).order_by(OutboxMail.id)))


def open_ask(request: CertificateRequest) -> DocumentAsk:
    return db.session.scalars(select(DocumentAsk).where(DocumentAsk.request_id == request.id)).one()


@pytest.mark.spec("REV-5", "JOB-1")
def test_a_reminder_leaves_once_on_each_of_its_days_and_lists_what_is_left(request_asked, travel) -> None:
    readers = 3  # the applicant and two administrators
    for day, left in ((9, 0), (10, 1), (11, 1), (12, 1), (13, 2), (14, 2), (16, 2), (40, 2)):
        travel.to(START + timedelta(days=day))
        remind_of_documents()
        remind_of_documents()
        assert len(reminders()) == left * readers, f"day {day}"
    first = reminders()[0]
    assert "2 points attendent votre réponse" in first.text
    assert "1. autre document" in first.text.lower()


@pytest.mark.spec("REV-5")
def test_a_reminder_says_only_what_is_left(request_asked, travel) -> None:
    ask = open_ask(request_asked)
    ask.items[0].answered_at = clock.now()
    db.session.commit()
    travel.to(START + timedelta(days=14))
    remind_of_documents()
    mail, *others = reminders()
    assert len(others) == 2, "both days passed while nobody sent: one reminder each"
    assert "1. adresse e-mail" in mail.text.lower() or "1. e-mail" in mail.text.lower()
    assert "autre document" not in mail.text.lower()


@pytest.mark.spec("REV-5")
def test_an_ask_with_a_short_delay_is_not_recalled_the_next_minute(app: Flask) -> None:
    request = r.request_file()
    asking.ask_for_documents(request.id, POINTS, actor=r.agent(), due_on=clock.today() + timedelta(days=2))
    remind_of_documents()
    assert reminders() == []


@pytest.mark.spec("REV-5")
def test_an_organisation_is_recalled_too_and_never_rejected(app: Flask, travel) -> None:
    travel.to(START)
    organisation = r.organisation_file(OrganisationState.A_VERIFIER)
    set_to("documents.reject_after_days", "3")
    asking.ask_organisation_for_documents(organisation.id, POINTS[:1], actor=r.agent())
    for day in (10, 13, 16, 18, 21, 40):
        travel.to(START + timedelta(days=day))
        remind_of_documents()
        reject_unanswered()
    assert len(reminders("organisation_documents_reminder")) == 2
    assert organisation.state is OrganisationState.PIECES_DEMANDEES


@pytest.mark.spec("REV-5")
def test_nothing_is_rejected_unless_an_operator_says_so(request_asked, travel) -> None:
    travel.to(START + timedelta(days=300))
    assert "réglage" in reject_unanswered()
    assert request_asked.state is RequestState.EN_ATTENTE_DE_JUSTIFICATIFS


@pytest.mark.spec("REV-5", "STA-1")
def test_a_request_nobody_answered_is_rejected_after_its_last_notice(request_asked, travel) -> None:
    set_to("documents.reject_after_days", "10")
    assert rejection_day(open_ask(request_asked)) == START.date() + timedelta(days=25)
    travel.to(START + timedelta(days=26))
    reject_unanswered()
    assert request_asked.state is RequestState.EN_ATTENTE_DE_JUSTIFICATIFS, "no last notice left"
    remind_of_documents()
    assert "sera rejetée" in reminders()[-1].text
    travel.to(START + timedelta(days=28))
    assert "1" in reject_unanswered()
    assert request_asked.state is RequestState.ANNULEE
    assert open_ask(request_asked).outcome == "rejected"
    line = db.session.scalars(select(HistoryEntry).where(HistoryEntry.action == "reject")).one()
    assert (line.actor_id, line.by_staff) == (None, False)
    assert "délai annoncé" in request_asked.closing_reason
    assert len(reminders("request_rejected")) == 3


@pytest.mark.spec("REV-5")
def test_what_is_wholly_answered_or_was_late_before_the_setting_is_not_rejected_at_once(request_asked, travel) -> None:
    travel.to(START + timedelta(days=60))
    set_to("documents.reject_after_days", "10")
    assert rejection_day(open_ask(request_asked)) == START.date() + timedelta(days=70)
    travel.to(START + timedelta(days=68))
    remind_of_documents()
    for item in open_ask(request_asked).items:
        item.answered_at = clock.now()
    db.session.commit()
    travel.to(START + timedelta(days=90))
    reject_unanswered()
    assert request_asked.state is RequestState.EN_ATTENTE_DE_JUSTIFICATIFS


@pytest.mark.spec("REF-1")
@pytest.mark.parametrize(("text", "kept"), [("2 ; 5;5", "5, 2"), ("", ""), ("10", "10")])
def test_days_are_kept_in_one_form(app: Flask, text: str, kept: str) -> None:
    set_to("documents.reminder_days", text)
    assert settings.get("documents.reminder_days") == kept


@pytest.mark.spec("REF-1")
@pytest.mark.parametrize("text", ["cinq", "0", "61", "-2", "1,2,3,4,5,6", "²"])
def test_what_is_no_day_is_refused(app: Flask, text: str) -> None:
    with pytest.raises(DomainError) as refusal:
        set_to("documents.reminder_days", text)
    assert refusal.value.field == "value"

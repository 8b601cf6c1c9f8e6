"""Internal notes and their follow-ups (REV-8): agents' alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import clock
from app.errors import DomainError, Forbidden, NotFound
from app.extensions import db
from app.models import FileNote, Organisation
from app.permissions import Role
from app.queries import notes
from app.queries.lists import Asked, fetch_page
from app.queries.threads import Subject
from app.services import noting
from tests import factories as f
from tests.support.reviewing import agent, request_file, strangers

pytestmark = pytest.mark.spec("REV-8")


def about(row: Any) -> Subject:
    if isinstance(row, Organisation):
        return Subject(row)
    return Subject(db.session.get_one(Organisation, row.organisation_id), row)


def shown(actor: Any, key: str) -> list[str]:
    tab = next(tab for tab in notes.SOURCE.tabs if tab.key == key)
    page = fetch_page(notes.SOURCE, Asked(tab=tab, sort=tab.sort, descending=tab.descending), actor)
    return [row.text for row in page.rows]


@pytest.mark.spec("PPL-2")
def test_only_officers_write_and_no_client_reads(app: Flask) -> None:
    request = request_file()
    officer = agent()
    noting.write_note(officer, about(request), "Rappeler le gérant")
    for name, who in strangers(request).items():
        with pytest.raises((NotFound, Forbidden)):
            noting.write_note(who, about(request), f"par {name}")
        expected = 1 if name == "manager" else 0
        assert len(notes.notes_of(who, about(request))) == expected, name


@pytest.mark.spec("PPL-3")
def test_an_officer_who_is_the_files_client_sees_no_note_on_it(app: Flask) -> None:
    request = request_file()
    noting.write_note(agent(), about(request), "Dossier douteux", follow_up_on=clock.today())
    both = f.staff(Role.SUPERVISEUR)
    f.administrator(db.session.get_one(Organisation, request.organisation_id), email="deux@exemple.tn").grants[
        0
    ].user = both
    db.session.commit()
    who = f.actor(both)
    assert who.is_staff
    assert request.organisation_id in who.organisation_ids
    assert notes.notes_of(who, about(request)) == []
    assert notes.open_count(who, about(request)) == 0
    assert shown(who, "de-tous") == []
    with pytest.raises(NotFound):
        noting.write_note(who, about(request), "Effacer")


@pytest.mark.parametrize(
    ("text", "days", "field"),
    [("", None, "text"), ("é" * 5_001, None, "text"), ("Note", -1, "follow_up_on"), ("Note", 731, "follow_up_on")],
)
def test_a_note_is_refused_beside_its_field(app: Flask, text: str, days: int | None, field: str) -> None:
    day = clock.today() + timedelta(days=days) if days is not None else None
    with pytest.raises(DomainError) as refusal:
        noting.write_note(agent(), about(request_file()), text, follow_up_on=day)
    assert refusal.value.field == field


def test_a_double_click_makes_one_note(app: Flask) -> None:
    officer, file = agent(), about(request_file())
    first = noting.write_note(officer, file, "Rappeler").id
    assert noting.write_note(officer, file, "Rappeler").id == first
    noting.write_note(officer, file, "Rappeler", follow_up_on=clock.today())
    assert db.session.scalar(select(func.count()).select_from(FileNote)) == 2


def test_follow_ups_come_back_on_their_day_and_leave_when_done(app: Flask, travel: Any) -> None:
    officer, request = agent(), request_file()
    file = about(request)
    today = clock.today()
    due = noting.write_note(officer, file, "Aujourd'hui", follow_up_on=today)
    noting.write_note(officer, about(file.organisation), "Demain", follow_up_on=today + timedelta(days=1))
    noting.write_note(officer, file, "Sans date")
    noting.write_note(agent(), file, "D'un collègue", follow_up_on=today)
    assert shown(officer, "a-suivre") == ["Aujourd'hui"]
    assert shown(officer, "a-venir") == ["Demain"]
    assert len(shown(officer, "de-tous")) == 3
    assert notes.calling(officer).notes == 1
    assert notes.open_count(officer, file) == 3
    noting.finish_note(officer, file, due.id)
    noting.finish_note(officer, file, due.id)
    assert shown(officer, "a-suivre") == []
    assert shown(officer, "faites") == ["Aujourd'hui"]
    noting.reopen_note(officer, file, due.id)
    travel(hours=25)
    assert shown(officer, "a-suivre") == ["Aujourd'hui", "Demain"]


def test_a_requests_file_shows_its_organisations_notes_and_no_others(app: Flask) -> None:
    officer, request, other = agent(), request_file(), request_file()
    noting.write_note(officer, about(request), "De la demande")
    noting.write_note(officer, about(about(request).organisation), "De l'organisation")
    noting.write_note(officer, about(other), "D'ailleurs")
    assert [note.text for note in notes.notes_of(officer, about(request))] == ["De l'organisation", "De la demande"]
    alien = db.session.scalars(select(FileNote).where(FileNote.request_id == other.id)).one()
    with pytest.raises(NotFound):
        noting.finish_note(officer, about(request), alien.id)

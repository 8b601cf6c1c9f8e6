"""Files change hands for good, and never go to somebody away (QUE-3)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app import clock
from app.errors import DomainError, Forbidden, NotFound, StaleObject
from app.extensions import db
from app.models import CertificateRequest, OutboxMail, StaffAbsence, User
from app.permissions import Role
from app.queries.absences import away_with_files
from app.queries.history import history_of_request
from app.services import absences, assigning
from app.states import OrganisationState, RequestState
from tests import factories as f
from tests.support import reviewing as r
from tests.support.statements import counted

pytestmark = pytest.mark.spec("QUE-3")


def away(user: User, days: int = 0) -> None:
    today = clock.today()
    db.session.add(
        StaffAbsence(user_id=user.id, from_on=today, until_on=today + timedelta(days=days), recorded_at=clock.now())
    )
    db.session.commit()


def test_a_file_handed_over_is_the_colleagues_who_is_told_without_identity_data(app: Flask) -> None:
    holder = f.staff(first_name="Hatem", last_name="Zouari")
    colleague = f.staff(first_name="Olfa", last_name="Karray")
    request = r.request_file(assigned_to_id=holder.id)
    assigning.hand_over_request(request.id, colleague.id, actor=f.actor(holder), note="Voir  le contrat")
    request = db.session.get_one(CertificateRequest, request.id)
    assert request.assigned_to_id == colleague.id
    mail = db.session.scalars(select(OutboxMail).where(OutboxMail.kind == "file_handed_over")).one()
    assert mail.recipient == colleague.email
    assert request.reference in mail.subject
    for secret in (request.last_name, request.identity_number, request.email, "contrat"):
        assert secret not in mail.text
    staff = history_of_request(request.id, for_staff=True)[0][1][0].text
    client = history_of_request(request.id)[0][1][0].text
    assert "À Olfa Karray." in staff
    assert "« Voir le contrat »" in staff
    assert "Olfa" not in client
    assert "contrat" not in client


def test_only_the_holder_or_a_supervisor_hands_a_file_over(app: Flask) -> None:
    holder, colleague = f.staff(), f.staff()
    request, free = r.request_file(assigned_to_id=holder.id), r.request_file()
    for file in (request, free):
        with pytest.raises(Forbidden):
            assigning.hand_over_request(file.id, colleague.id, actor=r.agent())
    for stranger in r.strangers(request).values():
        with pytest.raises((NotFound, Forbidden)):
            assigning.hand_over_request(request.id, colleague.id, actor=stranger)
    supervisor = r.agent(Role.SUPERVISEUR)
    for file in (request, free):
        assert assigning.hand_over_request(file.id, colleague.id, actor=supervisor).assigned_to_id == colleague.id


def test_a_file_goes_to_nobody_who_cannot_examine_it(app: Flask) -> None:
    supervisor = r.agent(Role.SUPERVISEUR)
    request = r.request_file()
    own = f.staff()
    f.administrator(request.organisation)
    applicant = f.staff()
    request.applicant_id = applicant.id
    db.session.commit()
    unfit = [
        f.staff(Role.RESPONSABLE),
        f.staff(disabled_at=clock.now()),
        f.staff(activated=False),
        f.applicant(),
        applicant,
    ]
    for user in unfit:
        with pytest.raises(DomainError) as refusal:
            assigning.hand_over_request(request.id, user.id, actor=supervisor)
        assert refusal.value.field == "to_user_id"
    with pytest.raises(DomainError):
        assigning.hand_over_request(request.id, 999_999_999, actor=supervisor)
    closed = r.request_file(RequestState.EXPEDIEE)
    with pytest.raises(DomainError, match="n'attend personne"):
        assigning.hand_over_request(closed.id, own.id, actor=supervisor)
    with pytest.raises(StaleObject):
        assigning.hand_over_request(request.id, own.id, actor=supervisor, expected_version=request.version - 1)


def test_an_organisation_is_handed_over_too(app: Flask) -> None:
    holder, colleague = f.staff(), f.staff()
    organisation = r.organisation_file(OrganisationState.A_VERIFIER)
    assigning.take_organisation(organisation.id, actor=f.actor(holder))
    done = assigning.hand_over_organisation(organisation.id, colleague.id, actor=f.actor(holder))
    assert done.assigned_to_id == colleague.id


def test_nothing_new_goes_to_somebody_absent_unless_a_supervisor_says_so(app: Flask) -> None:
    holder, absent = f.staff(), f.staff(first_name="Sami", last_name="Jaziri")
    away(absent, 4)
    request = r.request_file(assigned_to_id=holder.id)
    with pytest.raises(DomainError, match="Sami Jaziri est absent jusqu'au"):
        assigning.hand_over_request(request.id, absent.id, actor=f.actor(holder))
    assigning.hand_over_request(request.id, absent.id, actor=r.agent(Role.SUPERVISEUR))
    r.request_file()
    with pytest.raises(DomainError, match="Vous êtes noté absent"):
        assigning.take_next_request(actor=f.actor(absent))


def test_absences_are_whole_days_to_come_that_never_overlap(app: Flask) -> None:
    user, today = f.staff(), clock.today()
    actor, day = f.actor(user), timedelta(days=1)
    absences.record_absence(user.id, today + 5 * day, today + 9 * day, actor=actor)
    wrong = [
        (today - day, today, "from_on"),
        (today + day, today, "until_on"),
        (today + 9 * day, today + 12 * day, "from_on"),
        (today, today + 5 * day, "from_on"),
        (today + 6 * day, today + 7 * day, "from_on"),
        (today + 20 * day, today + 500 * day, "until_on"),
        (today + 800 * day, today + 801 * day, "from_on"),
    ]
    for first, last, field in wrong:
        with pytest.raises(DomainError) as refusal:
            absences.record_absence(user.id, first, last, actor=actor)
        assert refusal.value.field == field
    absences.record_absence(user.id, today, today + 4 * day, actor=actor)
    absences.record_absence(user.id, today + 10 * day, today + 10 * day, actor=actor)


def test_somebody_elses_absence_is_a_supervisors_business(app: Flask) -> None:
    user, today = f.staff(), clock.today()
    with pytest.raises(Forbidden):
        absences.record_absence(user.id, today, today, actor=r.agent())
    for role in (Role.RESPONSABLE, Role.ADMINISTRATEUR):
        with pytest.raises(Forbidden):
            absences.record_absence(user.id, today, today, actor=r.agent(role))
    with pytest.raises(NotFound):
        absences.record_absence(f.applicant().id, today, today, actor=r.agent(Role.SUPERVISEUR))
    absence = absences.record_absence(user.id, today, today, actor=r.agent(Role.SUPERVISEUR))
    with pytest.raises(Forbidden):
        absences.end_absence(absence.id, actor=r.agent())


def test_an_absence_that_began_keeps_its_past_days(app: Flask) -> None:
    user, today = f.staff(), clock.today()
    absence = StaffAbsence(
        user_id=user.id, from_on=today - timedelta(days=2), until_on=today + timedelta(days=2), recorded_at=clock.now()
    )
    db.session.add(absence)
    db.session.commit()
    absences.end_absence(absence.id, actor=f.actor(user))
    assert db.session.get_one(StaffAbsence, absence.id).until_on == today - timedelta(days=1)
    with pytest.raises(DomainError, match="terminée"):
        absences.end_absence(absence.id, actor=f.actor(user))
    later = absences.record_absence(user.id, today, today, actor=f.actor(user)).id
    absences.end_absence(later, actor=f.actor(user))
    assert db.session.get(StaffAbsence, later) is None


def test_whose_files_wait_is_one_statement(app: Flask) -> None:
    one, other, present = f.staff(), f.staff(first_name="Sami", last_name="Jaziri"), f.staff()
    away(one)
    away(other, 3)
    for holder, count in ((other, 2), (present, 1)):
        for _n in range(count):
            r.request_file(assigned_to_id=holder.id)
    r.request_file(RequestState.EXPEDIEE, assigned_to_id=one.id)
    with counted() as heard:
        found = away_with_files()
    assert [(each.name, each.files, each.until_on) for each in found] == [
        ("Sami Jaziri", 2, clock.today() + timedelta(days=3))
    ]
    assert len([each for each in heard if each.startswith("SELECT")]) == 1

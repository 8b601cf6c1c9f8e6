"""The morning mail of TunTrust's officers, and what the retention job forgets (JOB-1)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app import clock
from app.extensions import db
from app.models import FileNote, OutboxMail, StaffAbsence
from app.permissions import Role
from app.services import digests, outbox, retention
from app.states import RequestState
from tests import factories as f

pytestmark = pytest.mark.spec("JOB-1")
HELD = RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST


def _mails() -> list[OutboxMail]:
    db.session.rollback()
    return list(db.session.scalars(select(OutboxMail).where(OutboxMail.kind == digests.KIND).order_by(OutboxMail.id)))


def test_who_has_something_waiting_gets_one_mail_a_day_in_their_language(app: Any, travel: Any) -> None:
    busy, idle = f.staff(locale="en"), f.staff()
    of = f.organisation()
    late = f.certificate_request(of, HELD, assigned_to_id=busy.id, complete_since=clock.now() - timedelta(days=9))
    fresh = f.certificate_request(of, HELD, assigned_to_id=busy.id, complete_since=clock.now())
    paused = f.certificate_request(
        of,
        HELD,
        assigned_to_id=busy.id,
        complete_since=clock.now() - timedelta(days=30),
        clock_paused_at=clock.now() - timedelta(days=29),
    )
    db.session.add(
        FileNote(request_id=fresh.id, author_id=busy.id, text="x", created_at=clock.now(), follow_up_on=clock.today())
    )
    db.session.commit()
    assert digests.send_digests() == "Résumés envoyés : 1."
    digests.send_digests()
    (mail,) = _mails()
    assert (mail.recipient, mail.subject) == (busy.email, "What awaits you today")
    assert "Your requests to review: 3" in mail.text
    assert "Your notes to follow up: 1" in mail.text
    assert "1 of your requests is over the 7-day limit" in mail.text
    assert late.reference in mail.text
    assert fresh.reference not in mail.text
    assert paused.reference not in mail.text
    assert late.common_name not in mail.text  # no identity data in a mail
    travel(days=1)
    digests.send_digests()
    assert len(_mails()) == 2
    assert idle.email not in {each.recipient for each in _mails()}


def test_nobody_away_closed_or_of_another_role_is_written_to(app: Any) -> None:
    away, closed, reader = f.staff(), f.staff(disabled_at=clock.now()), f.staff(Role.RESPONSABLE)
    db.session.add(
        StaffAbsence(user_id=away.id, from_on=clock.today(), until_on=clock.today(), recorded_at=clock.now())
    )
    for person in (away, closed, reader):
        f.certificate_request(f.organisation(), HELD, assigned_to_id=person.id)
    db.session.commit()
    digests.send_digests()
    assert _mails() == []


def test_a_supervisor_learns_of_late_files_that_nobody_has(app: Any) -> None:
    supervisor, agent = f.staff(Role.SUPERVISEUR), f.staff()
    f.certificate_request(f.organisation(), HELD, complete_since=clock.now() - timedelta(days=9))
    db.session.commit()
    digests.send_digests()
    (mail,) = _mails()
    assert mail.recipient == supervisor.email != agent.email
    assert "En retard, sans agent : 1" in mail.text


def test_the_words_of_a_mail_are_forgotten_a_year_after_it_left_and_never_before(app: Any, travel: Any) -> None:
    sent = outbox.write("password_changed", to="a@exemple.tn", name="Rim")
    waiting = outbox.write("password_changed", to="b@exemple.tn", name="Rim")
    db.session.commit()
    outbox.mark_sent(sent.id)
    travel(days=364)
    assert retention.forget_old_mail() == "Textes de courriels effacés : 0."
    travel(days=2)
    assert retention.forget_old_mail() == "Textes de courriels effacés : 1."
    db.session.expire_all()
    assert (sent.text, sent.html, sent.recipient) == ("", "", "a@exemple.tn")
    assert waiting.text

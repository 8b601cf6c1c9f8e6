"""The outbox's other end, against real SMTP servers that refuse, stall and hang up (MAI-1, REL-4)."""

from __future__ import annotations

import socket
import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest

from app import clock
from app.adapters import mailer
from app.adapters.storage import new_key
from app.extensions import db
from app.models import OutboxMail
from app.services import mailing, outbox
from app.services.files import storage
from app.services.unit_of_work import use_case
from tests.support.bad_post import MOODS, deliver_all
from tests.support.servers import MailServer, Port

pytestmark = pytest.mark.spec("MAI-1", "REL-4")


@use_case
def _write(recipient: str = "sonia.gharbi@exemple.tn", **values: Any) -> int:
    moment = clock.now()
    mail = OutboxMail(
        **{
            "message_id": f"<{uuid.uuid4().hex}@ecert.exemple.tn>",
            "kind": "request_created",
            "recipient": recipient,
            "subject": "Création de la demande de certificat",
            "text": "Bonjour,\nvotre demande est créée.\n",
            "html": "<p>Bonjour,</p>",
            "attachments": [],
            "created_at": moment,
            "due_at": moment,
            **values,
        }
    )
    db.session.add(mail)
    db.session.flush()
    return mail.id


def _mail(mail_id: int) -> OutboxMail:
    db.session.rollback()
    return db.session.get_one(OutboxMail, mail_id)


def test_a_due_mail_goes_out_once_with_its_own_message_id(app: Any, smtp: MailServer) -> None:
    mail_id = _write()
    assert str(mailing.send_due_mails()).startswith("1 envoyé(s)")
    mailing.send_due_mails()
    received = smtp.only("sonia.gharbi@exemple.tn", "Création de la demande de certificat")
    assert received.message["Message-ID"] == _mail(mail_id).message_id
    assert "votre demande est créée" in received.text
    assert "<p>Bonjour,</p>" in received.html
    assert received.message["Auto-Submitted"] == "auto-generated"
    assert _mail(mail_id).sent_at is not None


def test_a_mail_not_due_yet_waits(app: Any, smtp: MailServer) -> None:
    _write(due_at=clock.now() + timedelta(minutes=5))
    assert mailing.send_due_mails().sent == 0
    assert smtp.mails == []


def test_attachments_arrive_whole_under_their_name(app: Any, smtp: MailServer) -> None:
    key = new_key("papers")
    storage().put(key, b"%PDF-1.7 " + bytes(range(256)) * 2000)
    _write(attachments=[{"name": "Contrat société.pdf", "media_type": "application/pdf", "storage_key": key}])
    mailing.send_due_mails()
    assert smtp.only().attachments == {"Contrat société.pdf": storage().get(key)}


def test_a_lost_attachment_is_a_dead_letter_and_holds_up_nobody(app: Any, smtp: MailServer) -> None:
    named = {"name": "contrat.pdf", "media_type": "application/pdf", "storage_key": new_key("papers")}
    poison = _write("rim.trabelsi@exemple.tn", attachments=[named])
    malformed = _write("rim.trabelsi@exemple.tn", attachments=[{"name": "x", "storage_key": "../../etc/passwd"}])
    nothing = _write("rim.trabelsi@exemple.tn", attachments=[{"name": "x"}])
    _write()
    done = mailing.send_due_mails()
    assert (done.sent, done.refused) == (1, 3)
    assert len(smtp.mails) == 1
    for each in (poison, malformed, nothing):
        assert _mail(each).dead_at is not None
        assert "introuvable" in _mail(each).last_error


def test_a_recipient_refused_for_good_is_a_dead_letter_that_can_be_sent_again(app: Any, smtp: MailServer) -> None:
    smtp.refuse("sonia.gharbi@exemple.tn", "550 5.1.1 no such user")
    mail_id, other = _write(), _write("khaled.mejri@exemple.tn")
    done = mailing.send_due_mails()
    assert (done.refused, done.sent) == (1, 1)
    assert _mail(mail_id).dead_at is not None
    assert _mail(mail_id).last_error == "550 5.1.1 no such user"
    assert _mail(other).sent_at is not None
    assert mailing.send_due_mails().sent == 0
    smtp.behave()
    outbox.send_again(mail_id)
    mailing.send_due_mails()
    assert smtp.only("sonia.gharbi@exemple.tn").message["Message-ID"] == _mail(mail_id).message_id
    assert _mail(mail_id).dead_at is None


@pytest.mark.parametrize("fault", ["temporary", "greylisted", "hangs up"])
def test_a_passing_fault_delays_a_mail_longer_each_time_and_loses_it_never(
    app: Any, smtp: MailServer, travel: Any, fault: str
) -> None:
    if fault == "temporary":
        smtp.answer("451 4.3.0 later")
    elif fault == "greylisted":
        smtp.refuse("sonia.gharbi@exemple.tn", "450 4.2.0 greylisted")
    else:
        smtp.drop()
    mail_id = _write()
    waits = []
    for attempt in range(3):
        assert mailing.send_due_mails().delayed == 1
        assert _mail(mail_id).attempts == attempt + 1
        waits.append(_mail(mail_id).due_at - clock.now())
        assert mailing.send_due_mails().delayed == 0  # not before its time
        travel.to(_mail(mail_id).due_at)
    assert waits == sorted(waits)
    assert waits[0] > timedelta(seconds=50)
    smtp.behave()
    assert mailing.send_due_mails().sent == 1
    assert smtp.only().message["Message-ID"] == _mail(mail_id).message_id


@pytest.mark.usefixtures("travel")
def test_a_server_that_drops_delays_and_answers_451_in_turn_loses_nothing(app: Any, smtp: MailServer) -> None:
    done = deliver_all(app, smtp, 12, 2026)
    assert done.lost == 0
    assert set(done.moods) == set(MOODS)  # it had them all
    assert done.twice <= done.moods["drop accepted"] + done.moods["delay {late}"]


def test_a_mail_delayed_for_two_days_is_given_to_a_person(app: Any, smtp: MailServer, travel: Any) -> None:
    smtp.answer("451 4.3.0 later")
    mail_id = _write()
    for _ in range(len(outbox.RETRY_AFTER) + 1):
        travel.to(_mail(mail_id).due_at + timedelta(seconds=1))
        mailing.send_due_mails()
    assert _mail(mail_id).dead_at is not None
    assert _mail(mail_id).sent_at is None


def test_an_outage_however_long_makes_no_dead_letter(app: Any, smtp: MailServer, travel: Any) -> None:
    ids = [_write(f"personne{n}@exemple.tn") for n in range(5)]
    smtp.stop()
    for _ in range(40):
        done = mailing.send_due_mails()
        assert done.server_down
        assert (done.sent, done.delayed, done.refused) == (0, 0, 0)
        travel(hours=3)
    smtp.start()
    assert mailing.send_due_mails().sent == 5
    assert {_mail(each).attempts for each in ids} == {1}


def test_a_server_that_wants_another_password_makes_no_dead_letter(app: Any) -> None:
    """535 is the server's last word about us, not about the mail."""
    port = Port()
    listening = port.listen()

    def converse() -> None:
        connection, _address = listening.accept()
        with connection, connection.makefile("rwb", buffering=0) as line:
            line.write(b"220 ready\r\n")
            while command := line.readline():
                verb = command[:4].upper()
                line.write(
                    {b"EHLO": b"250-here\r\n250 AUTH PLAIN\r\n", b"AUTH": b"535 5.7.8 wrong\r\n"}.get(
                        verb, b"221 bye\r\n"
                    )
                )

    thread = threading.Thread(target=converse, daemon=True)
    thread.start()
    mail_id = _write()
    state = app.extensions["mail"]
    before = (state.port, state.username, state.password)
    state.port, state.username, state.password = port.number, "ecert", "out-of-date"
    try:
        assert mailing.send_due_mails().server_down
    finally:
        state.port, state.username, state.password = before
        listening.close()
        port.close()
    assert _mail(mail_id).dead_at is None
    assert _mail(mail_id).last_error == "535 5.7.8 wrong"


def test_a_server_that_stalls_is_given_up_in_time(app: Any) -> None:
    port = Port()
    listening = port.listen()  # takes the connection, and never says a word
    app.config["MAIL_TIMEOUT"] = 0.3
    mail_id = _write()
    state = app.extensions["mail"]
    before, state.port = state.port, port.number
    started = clock.now()
    try:
        assert mailing.send_due_mails().server_down
    finally:
        state.port = before
        listening.close()
        port.close()
    assert clock.now() - started < timedelta(seconds=5)
    assert _mail(mail_id).sent_at is None
    assert _mail(mail_id).dead_at is None


def test_a_server_gone_after_taking_the_mail_has_taken_it(app: Any, smtp: MailServer, monkeypatch: Any) -> None:
    """Hanging up at QUIT is no reason to send twice."""
    quit_ = mailer.CheckedConnection.__exit__
    mail_id = _write()

    def broken(self: Any, *arguments: Any) -> None:
        self.host.sock.shutdown(socket.SHUT_RDWR)
        quit_(self, *arguments)

    monkeypatch.setattr(mailer.CheckedConnection, "__exit__", broken)
    assert mailing.send_due_mails().sent == 1
    assert _mail(mail_id).sent_at is not None
    assert len(smtp.mails) == 1


def test_a_temporary_password_is_erased_once_sent_and_not_before(app: Any, smtp: MailServer, travel: Any) -> None:
    mail_id = _write(secret=True, text="mot de passe : aB3-xY7\n", html="<p>aB3-xY7</p>")
    plain = _write("khaled.mejri@exemple.tn")
    smtp.answer("451 later")
    mailing.send_due_mails()
    assert "aB3-xY7" in _mail(mail_id).text
    smtp.behave()
    travel(minutes=2)
    mailing.send_due_mails()
    assert "aB3-xY7" in smtp.only("sonia.gharbi@exemple.tn").text
    assert (_mail(mail_id).text, _mail(mail_id).html) == ("", "")
    assert _mail(plain).text != ""


def test_a_crash_inside_the_conversation_sends_the_mail_again_under_the_same_id(
    app: Any, smtp: MailServer, travel: Any
) -> None:
    mail_id = _write()
    assert outbox.claim(mail_id) is not None  # and the process dies
    assert mailing.send_due_mails().sent == 0
    travel(minutes=6)
    assert mailing.send_due_mails().sent == 1
    assert smtp.only().message["Message-ID"] == _mail(mail_id).message_id


def test_senders_at_once_send_each_mail_once(app: Any, smtp: MailServer) -> None:
    for number in range(24):
        _write(f"personne{number}@exemple.tn")
    db.session.rollback()
    faults: list[Exception] = []
    together = threading.Barrier(4)

    def send() -> None:
        try:
            with app.app_context():
                together.wait(10)
                mailing.send_due_mails()
        except Exception as error:  # noqa: BLE001 - told to the test
            faults.append(error)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert sorted(mail.recipients[0] for mail in smtp.mails) == sorted(f"personne{n}@exemple.tn" for n in range(24))


def test_no_transaction_is_open_while_the_server_takes_its_time(app: Any, smtp: MailServer, monkeypatch: Any) -> None:
    _write()
    seen: list[bool] = []
    deliver = mailer.deliver

    def watched(**values: Any) -> None:
        seen.append(db.session().in_transaction())
        deliver(**values)

    monkeypatch.setattr(mailer, "deliver", watched)
    mailing.send_due_mails()
    assert seen == [False]


def test_an_address_no_message_can_carry_is_refused_without_holding_up_the_others(app: Any, smtp: MailServer) -> None:
    bad = _write("a@b.tn\r\nBcc: autre@exemple.tn")
    _write()
    done = mailing.send_due_mails()
    assert (done.sent, done.refused) == (1, 1)
    assert _mail(bad).dead_at is not None
    assert smtp.to("autre@exemple.tn") == []

"""Conversations: who reads and writes, taking back, notices, badges, attached files (MSG-1)."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import clock
from app.adapters.storage import FileNotStored
from app.demo.papers import tax_card
from app.errors import DomainError, Forbidden, NotFound, StaleObject, TooManyAttempts
from app.extensions import db
from app.models import (
    AuditEntry,
    CannedReply,
    CertificateRequest,
    Document,
    HistoryEntry,
    Message,
    MessageThread,
    Organisation,
    OutboxMail,
    User,
)
from app.permissions import Actor, Role
from app.queries import desk_messages, notes, threads
from app.queries.documents import document_for
from app.queries.lists import Asked, capped_counts, fetch_page
from app.queries.threads import Subject
from app.services import canned, files, messaging, reference_editing
from app.states import OrganisationState, RequestState
from tests import factories as f
from tests.support.reviewing import agent
from tests.support.statements import counted

pytestmark = pytest.mark.spec("MSG-1")


class Folk:
    """Organisation A with a request, and somebody of every kind on either side."""

    def __init__(self) -> None:
        self.organisation = f.organisation()
        self.admin_user = f.administrator(self.organisation)
        self.applicant_user = f.applicant()
        self.request = f.certificate_request(
            self.organisation,
            RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST,
            applicant=self.applicant_user,
            by=self.admin_user,
        )
        self.admin, self.applicant = f.actor(self.admin_user), f.actor(self.applicant_user)
        self.agent = agent()

    def about(self, *, request: bool = True) -> Subject:
        return subject(self.request if request else self.organisation)

    def write(self, text: str = "Bonjour", *, by: Actor | None = None, request: bool = True, **more: Any) -> Message:
        who = by or self.admin
        return messaging.send_message(who, self.about(request=request), text, as_staff=who.is_staff, **more)

    def thread(self) -> MessageThread:
        db.session.expire_all()
        return db.session.scalars(select(MessageThread)).one()


def subject(row: CertificateRequest | Organisation) -> Subject:
    if isinstance(row, CertificateRequest):
        return Subject(db.session.get_one(Organisation, row.organisation_id), db.session.get_one(type(row), row.id))
    return Subject(db.session.get_one(Organisation, row.id))


def total(model: type) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


@lru_cache(maxsize=1)
def paper() -> bytes:
    return tax_card({"legal_name": "SOCIETE EXEMPLE", "tax_id": "1000001A"})


def everybody(folk: Folk) -> dict[str, Actor]:
    other = f.organisation()
    return {
        "own administrator": folk.admin,
        "own applicant": folk.applicant,
        "another's administrator": f.actor(f.administrator(other)),
        "another applicant": f.actor(f.certificate_request(folk.organisation, by=folk.admin_user).applicant),
        "agent": folk.agent,
        "supervisor": agent(Role.SUPERVISEUR),
        "manager": agent(Role.RESPONSABLE),
        "technician": agent(Role.ADMINISTRATEUR),
    }


# ------------------------------------------------------------------------------------------------- the scope

CLIENTS = {"request": {"own administrator", "own applicant"}, "organisation": {"own administrator"}}
READERS = {"agent", "supervisor", "manager"}
WRITERS = {"agent", "supervisor"}


@pytest.mark.spec("PPL-2")
@pytest.mark.parametrize("kind", ("request", "organisation"))
def test_each_person_reads_and_writes_in_their_own_conversations_only(app: Flask, kind: str) -> None:
    folk = Folk()
    about = folk.about(request=kind == "request")
    mine = folk.write("Une question", request=kind == "request", files=[(paper(), "carte.pdf")])
    public_id = db.session.scalars(select(Document.public_id).where(Document.message_id == mine.id)).one()
    found: dict[str, set[str]] = {key: set() for key in ("reads", "asks", "desk", "answers", "file", "list")}

    def tried(key: str, name: str, act: Callable[[], Any]) -> None:
        try:
            act()
        except (NotFound, Forbidden):
            return
        found[key].add(name)

    for name, who in everybody(folk).items():
        tried("reads", name, lambda who=who: threads.subject_for_client(who, about.reference))
        tried("asks", name, lambda who=who: messaging.send_message(who, about, f"a {who.label}", as_staff=False))
        tried("desk", name, lambda who=who: threads.subject_for_staff(who, about.reference))
        tried("answers", name, lambda who=who: messaging.send_message(who, about, f"b {who.label}", as_staff=True))
        tried("file", name, lambda who=who: document_for(who, public_id))
        if threads.threads_of(who).rows:
            found["list"].add(name)
    assert found == {
        "reads": CLIENTS[kind], "asks": CLIENTS[kind], "list": CLIENTS[kind],
        "desk": READERS, "answers": WRITERS, "file": CLIENTS[kind] | READERS,
    }  # fmt: skip


@pytest.mark.spec("PPL-3")
def test_an_officer_answers_nobody_in_their_own_organisation(app: Flask) -> None:
    folk = Folk()
    officer = f.staff()
    folk.write()
    both = f.administrator(folk.organisation, email="agent.admin@exemple.tn")
    both.grants.append(next(iter(officer.grants)))
    db.session.commit()
    who = f.actor(both)
    assert who.is_staff
    with pytest.raises(Forbidden):
        messaging.send_message(who, folk.about(), "Réponse", as_staff=True)
    written = messaging.send_message(who, folk.about(), "Ma question", as_staff=False)
    assert not written.by_staff
    line = db.session.scalars(select(HistoryEntry).where(HistoryEntry.action == "message_sent")).all()[-1]
    assert not line.by_staff


def test_nobody_writes_to_an_organisation_that_nobody_reads_for(app: Flask) -> None:
    waiting = f.organisation(OrganisationState.EN_ATTENTE_ACTIVATION)
    with pytest.raises(DomainError, match="activé"):
        messaging.send_message(agent(), subject(waiting), "Bonjour", as_staff=True)


def test_a_closed_request_may_still_be_asked_about(app: Flask) -> None:
    folk = Folk()
    folk.request.state = RequestState.EXPEDIEE
    db.session.commit()
    assert folk.write("Où est le colis ?", by=folk.applicant).text == "Où est le colis ?"


# ------------------------------------------------------------------------------------------------- writing


@pytest.mark.parametrize(
    ("text", "names", "field"),
    [
        ("", 0, "text"),
        (" \r\n \x00", 0, "text"),
        ("é" * 5_001, 0, "text"),
        ("Voici", 6, "files"),
    ],
)
def test_a_message_is_refused_beside_its_field_and_leaves_nothing(
    app: Flask, text: str, names: int, field: str
) -> None:
    folk = Folk()
    with pytest.raises(DomainError) as refusal:
        folk.write(text, files=[(b"x", "x.pdf")] * names)
    assert refusal.value.field == field
    assert total(Message) == total(MessageThread) == total(Document) == 0


def test_a_file_that_is_none_refuses_the_whole_message(app: Flask) -> None:
    folk = Folk()
    with pytest.raises(DomainError) as refusal:
        folk.write("Voici", files=[(paper(), "carte.pdf"), (b"MZ\x90 programme", "facture.pdf")])
    assert refusal.value.field == "files"
    assert total(Message) == total(Document) == 0


def test_five_thousand_characters_pass_counted_without_the_browsers_carriage_returns(app: Flask) -> None:
    assert len(Folk().write("a\r\n" * 2_499 + "bc").text) == 5_000


def test_the_same_words_sent_twice_from_one_page_are_one_message(app: Flask) -> None:
    folk = Folk()
    first = folk.write("Bonjour", seen=0).id
    assert folk.write("Bonjour", seen=0).id == first
    assert folk.write("Bonjour", seen=first).id != first  # said again, from the page that shows the first
    assert folk.write("Bonjour", seen=0, files=[(paper(), "a.pdf")]).id not in (first, None)
    assert total(Message) == 3


def test_one_conversation_each_is_made_by_the_first_message(app: Flask) -> None:
    folk = Folk()
    folk.write()
    folk.write("Encore", by=folk.applicant)
    folk.write("Pour l'organisation", request=False)
    kept = db.session.execute(select(MessageThread.request_id).order_by(MessageThread.id)).scalars().all()
    assert kept == [folk.request.id, None]


def test_a_client_who_floods_is_asked_to_wait(app: Flask) -> None:
    folk = Folk()
    for number in range(messaging.AN_HOUR):
        db.session.add(_attempt(folk.admin, number))
    db.session.commit()
    with pytest.raises(TooManyAttempts):
        folk.write()


def _attempt(who: Actor, _number: int) -> Any:
    from app.models import Attempt
    from app.services.attempts import key_for

    return Attempt(key=key_for("message:account", str(who.user_id)), at=clock.now())


# ------------------------------------------------------------------------------------- « attend une réponse »


def test_a_client_waits_until_tuntrust_answers_or_says_that_nothing_is_to_answer(app: Flask) -> None:
    folk = Folk()
    asked = folk.write("Une question", by=folk.applicant)
    assert folk.thread().awaits_staff
    folk.write("Réponse", by=folk.agent, seen=asked.id)
    assert not folk.thread().awaits_staff
    thanks = folk.write("Merci", by=folk.applicant)
    assert folk.thread().awaits_staff
    messaging.need_no_answer(folk.agent, folk.about(), seen=thanks.id)
    assert not folk.thread().awaits_staff


def test_what_a_client_wrote_meanwhile_still_waits(app: Flask) -> None:
    folk = Folk()
    asked = folk.write("Une question")
    folk.write("Et une autre")
    with pytest.raises(StaleObject):
        messaging.need_no_answer(folk.agent, folk.about(), seen=asked.id)
    folk.write("Réponse à la première", by=folk.agent, seen=asked.id)
    assert folk.thread().awaits_staff


@pytest.mark.spec("PPL-2")
def test_only_who_answers_may_say_that_nothing_is_to_answer(app: Flask) -> None:
    folk = Folk()
    folk.write()
    for who in (agent(Role.RESPONSABLE), agent(Role.ADMINISTRATEUR), folk.admin):
        with pytest.raises((Forbidden, NotFound)):
            messaging.need_no_answer(who, folk.about(), seen=None)


# ---------------------------------------------------------------------------------------------- taking back


def test_a_message_goes_with_its_files_within_five_minutes_and_leaves_its_place(app: Flask, travel: Any) -> None:
    folk = Folk()
    message = folk.write("Mon numéro est faux", files=[(paper(), "carte.pdf")])
    key = message.attachments[0].storage_key
    public_id = message.attachments[0].public_id
    travel(minutes=4, seconds=59)
    messaging.retract_message(folk.admin, folk.about(), message.id, as_staff=False)
    messaging.retract_message(folk.admin, folk.about(), message.id, as_staff=False)
    db.session.expire_all()
    kept = db.session.get_one(Message, message.id)
    assert (kept.text, kept.retracted_at is not None, total(Document)) == ("", True, 0)
    with pytest.raises(FileNotStored):
        files.storage().get(key)
    with pytest.raises(NotFound):
        document_for(folk.agent, public_id)
    assert not folk.thread().awaits_staff
    lines = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "retract_message")).all()
    assert [line.before for line in lines] == [{"thread": kept.thread_id, "characters": 19, "files": 1}]


def test_after_five_minutes_it_stays(app: Flask, travel: Any) -> None:
    folk = Folk()
    message = folk.write("Bonjour")
    travel(minutes=5)
    with pytest.raises(DomainError, match="cinq minutes"):
        messaging.retract_message(folk.admin, folk.about(), message.id, as_staff=False)
    assert db.session.get_one(Message, message.id).text == "Bonjour"


@pytest.mark.spec("PPL-2")
def test_nobody_takes_anothers_message_back(app: Flask) -> None:
    folk = Folk()
    message = folk.write()
    elsewhere = folk.write("Ailleurs", request=False)
    for who, as_staff in ((folk.applicant, False), (folk.agent, True), (agent(Role.SUPERVISEUR), True)):
        with pytest.raises(NotFound):
            messaging.retract_message(who, folk.about(), message.id, as_staff=as_staff)
    with pytest.raises(NotFound):  # one's own, named in another conversation
        messaging.retract_message(folk.admin, folk.about(), elsewhere.id, as_staff=False)


def test_an_answer_taken_back_makes_the_client_wait_again(app: Flask) -> None:
    folk = Folk()
    folk.write("Une question")
    answer = folk.write("Une réponse", by=folk.agent)
    messaging.retract_message(folk.agent, folk.about(), answer.id, as_staff=True)
    assert folk.thread().awaits_staff


# -------------------------------------------------------------------------------------------------- notices


def mails() -> list[str]:
    rows = db.session.scalars(select(OutboxMail).where(OutboxMail.kind == "message_received").order_by(OutboxMail.id))
    return [row.recipient for row in rows]


@pytest.mark.spec("MAI-1")
def test_a_notice_leaves_after_five_minutes_and_says_nothing_of_the_message(app: Flask, travel: Any) -> None:
    folk = Folk()
    folk.write("Votre CIN 01234567 est illisible, M. Untel", by=folk.agent)
    assert messaging.send_notices() == 0
    travel(minutes=5)
    assert messaging.send_notices() == 2
    assert messaging.send_notices() == 0
    assert sorted(mails()) == sorted([folk.admin_user.email, folk.applicant_user.email])
    mail = db.session.scalars(select(OutboxMail).where(OutboxMail.kind == "message_received")).first()
    assert mail is not None
    assert mail.subject == f"Vous avez un message au sujet de {folk.request.reference}"
    assert f"/messages/{folk.request.reference}" in mail.text
    people = (folk.admin_user, folk.applicant_user)
    secrets = ["01234567", "illisible", "Untel", *(each for who in people for each in (who.first_name, who.last_name))]
    assert [each for each in secrets if each in mail.text or each in mail.html] == []


def test_messages_in_a_row_make_one_notice(app: Flask, travel: Any) -> None:
    folk = Folk()
    for _number in range(3):
        folk.write(f"Message {_number}", by=folk.agent, request=False)
        travel(minutes=3)
        assert messaging.send_notices() == 0
    travel(minutes=3)
    assert messaging.send_notices() == 1
    folk.write("Un autre jour", by=folk.agent, request=False)
    travel(hours=26)
    assert messaging.send_notices() == 1


def test_someone_who_writes_without_a_pause_is_announced_after_twenty_minutes(app: Flask, travel: Any) -> None:
    folk = Folk()
    for _number in range(6):
        folk.write(f"Message {_number}", by=folk.agent, request=False)
        travel(minutes=4)
    assert messaging.send_notices() == 1
    told = db.session.scalars(select(Message.notified_at).order_by(Message.id)).all()
    assert [each is not None for each in told] == [True] * 5 + [False]  # the last may still be taken back


def test_no_notice_of_what_was_read_or_taken_back_or_said_by_a_client(app: Flask, travel: Any) -> None:
    folk = Folk()
    folk.write("Une question", by=folk.applicant)
    answer = folk.write("Une réponse", by=folk.agent)
    messaging.note_reading(folk.admin, answer.thread_id, answer.id)
    gone = folk.write("Erreur", by=folk.agent, request=False)
    messaging.retract_message(folk.agent, folk.about(request=False), gone.id, as_staff=True)
    travel(minutes=6)
    messaging.send_notices()
    assert mails() == [folk.applicant_user.email]


def test_an_account_that_is_closed_is_not_told(app: Flask, travel: Any) -> None:
    folk = Folk()
    folk.write("Bonjour", by=folk.agent)
    db.session.get_one(User, folk.applicant_user.id).disabled_at = clock.now()
    db.session.commit()
    travel(minutes=6)
    messaging.send_notices()
    assert mails() == [folk.admin_user.email]


# --------------------------------------------------------------------------------------- badges and lists


def test_badges_count_conversations_and_fall_with_reading(app: Flask) -> None:
    folk = Folk()
    folk.write("Bonjour", by=folk.agent)
    second = folk.write("Pour l'organisation", by=folk.agent, request=False)
    folk.write("Encore", by=folk.agent, request=False)
    assert (threads.unread_count(folk.admin), threads.unread_count(folk.applicant)) == (2, 1)
    messaging.note_reading(folk.admin, second.thread_id, second.id)
    assert threads.unread_count(folk.admin) == 2  # one more came after it
    messaging.note_reading(folk.admin, second.thread_id, second.id + 1)
    messaging.note_reading(folk.admin, second.thread_id, second.id)  # never backwards
    assert threads.unread_count(folk.admin) == 1
    folk.write("Ma réponse", by=folk.applicant)
    assert threads.unread_count(folk.applicant) == 0  # writing is reading
    assert notes.calling(folk.agent).messages == 1
    with counted() as sent:
        threads.unread_count(folk.admin)
        notes.calling(folk.agent)
    assert len(sent) == 2


def test_a_message_taken_back_is_not_unread(app: Flask) -> None:
    folk = Folk()
    gone = folk.write("Erreur", by=folk.agent)
    messaging.retract_message(folk.agent, folk.about(), gone.id, as_staff=True)
    assert threads.unread_count(folk.admin) == 0


@pytest.mark.spec("SPD-1")
def test_a_clients_list_goes_by_the_last_message_and_by_key(app: Flask, travel: Any, monkeypatch: Any) -> None:
    folk = Folk()
    rows = [f.certificate_request(folk.organisation, by=folk.admin_user) for _number in range(5)]
    for row in rows:
        travel(seconds=1)
        messaging.send_message(folk.admin, subject(row), "Bonjour", as_staff=False)
    monkeypatch.setattr(threads, "PAGE_SIZE", 2)
    wanted = [row.reference for row in reversed(rows)]
    found: list[str] = []
    after = ""
    while True:
        with counted() as sent:
            page = threads.threads_of(folk.admin, after=after)
        assert len(sent) <= 2
        found += [row.reference for row in page.rows]
        after = page.following
        if not after:
            break
    assert found == wanted
    searched = threads.threads_of(folk.admin, search=wanted[3].lower())
    assert [row.reference for row in searched.rows] == [wanted[3]]
    assert threads.threads_of(folk.admin, search="%").rows == []


def test_agents_find_what_waits_what_is_theirs_and_everything(app: Flask) -> None:
    folk = Folk()
    folk.request.assigned_to_id = folk.agent.user_id
    db.session.commit()
    folk.write("Une question")
    folk.write("Pour information", by=folk.agent, request=False)
    source = desk_messages.SOURCE
    asked = [Asked(tab=tab, sort=tab.sort, descending=tab.descending) for tab in source.tabs]
    assert capped_counts(source, asked[0], folk.agent) == {"attendent": 1, "les-miens": 1, "tous": 2}
    found = [[row.reference for row in fetch_page(source, each, folk.agent).rows] for each in asked]
    assert found[0] == found[1] == [folk.request.reference]
    by_name = Asked(asked[2].tab, "dernier", descending=True, search=folk.organisation.reference)
    assert len(fetch_page(source, by_name, folk.agent).rows) >= 1
    assert fetch_page(source, asked[2], agent(Role.ADMINISTRATEUR)).rows == []


def test_a_conversation_is_a_fixed_number_of_statements(app: Flask) -> None:
    folk = Folk()

    def cost() -> int:
        about = folk.about()
        with counted() as sent:
            talk = threads.conversation(folk.admin, about, as_staff=False)
            assert [each.message.attachments for _day, rows in talk.days for each in rows]
        return len(sent)

    folk.write("Un")
    first = cost()
    for number in range(8):
        folk.write(f"Message {number}", by=folk.agent)
    assert cost() == first <= 4


# -------------------------------------------------------------------------------------------- ready replies


@pytest.mark.spec("REV-8")
def test_a_reply_is_filled_in_the_clients_language_and_what_is_missing_stays(app: Flask) -> None:
    folk = Folk()
    db.session.get_one(Organisation, folk.organisation.id).legal_name_ar = "شركة المثال"
    reply = CannedReply(
        code="essai",
        title="Essai",
        text_fr="{prénom} { Référence } {bureau} {suivi}",
        text_ar="{organisation} {prénom} مرحبا",
    )
    db.session.add(reply)
    db.session.commit()
    filled = canned.filled(reply.id, folk.about(), None, language="fr", actor=folk.agent)
    office = folk.request.post_office.name_fr if folk.request.post_office else ""
    assert filled == f"{folk.applicant_user.first_name} {folk.request.reference} {office} {{suivi}}"
    arabic = canned.filled(reply.id, folk.about(), None, language="ar", actor=folk.agent)
    assert arabic == f"شركة المثال {folk.applicant_user.first_name_ar} مرحبا"
    with pytest.raises(DomainError) as refusal:
        folk.write(filled, by=folk.agent)
    assert refusal.value.field == "text"
    assert folk.write("{suivi}", by=folk.admin).text == "{suivi}"  # a client writes what they like


@pytest.mark.spec("REV-8", "REF-1")
@pytest.mark.parametrize("text", ["Bonjour {prenom}", "{__class__}", "{prénom", "prénom}", "{}", "{{prénom}}"])
def test_a_reply_with_an_unknown_placeholder_is_not_saved(app: Flask, text: str) -> None:
    values = {"code": "essai", "title": "Essai", "text_fr": text, "text_ar": "", "active": True, "position": 1}
    with pytest.raises(DomainError) as refusal:
        reference_editing.save_row(CannedReply, None, values, actor=agent())
    assert refusal.value.field == "text_fr"


@pytest.mark.spec("REV-8", "REF-1")
def test_ready_replies_ship_in_both_languages_and_agents_extend_them(app: Flask) -> None:
    shipped = canned.active_replies()
    assert len(shipped) >= 10
    for reply in shipped:
        assert reply.text_ar
        canned.check_text(reply.text_fr, "text_fr")
        canned.check_text(reply.text_ar, "text_ar")
    values = {
        "code": "essai",
        "title": "Essai",
        "text_fr": "Bonjour {prénom}",
        "text_ar": "",
        "active": True,
        "position": 1,
    }
    assert reference_editing.save_row(CannedReply, None, values, actor=agent())
    with pytest.raises(Forbidden):
        reference_editing.save_row(CannedReply, None, {**values, "code": "x"}, actor=agent(Role.RESPONSABLE))


# ------------------------------------------------------------------------------------------------ history


@pytest.mark.spec("REV-8", "CON-2")
def test_the_history_says_that_a_message_was_sent_and_not_what(app: Flask) -> None:
    from app.queries.history import history_of_organisation, history_of_request

    folk = Folk()
    folk.write("Mot secret", by=folk.agent)
    folk.write("Mot secret", by=folk.agent, request=False)
    for days in (history_of_request(folk.request.id), history_of_organisation(folk.organisation.id)):
        lines = [line for _day, rows in days for line in rows if "message" in line.text]
        assert [(line.text, line.who, line.why) for line in lines] == [("Un message a été envoyé.", "TunTrust", "")]
    kept = db.session.scalars(select(AuditEntry)).all()
    assert not [line for line in kept if "secret" in f"{line.before}{line.after}"]

"""The end of the sign-up: all or nothing, once, and nobody learns who is known (ORG-7, ORG-8, ACT-1)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import clock
from app.errors import DomainError, TooManyAttempts, ValidationFailed
from app.extensions import db
from app.models import (
    AuditEntry,
    Contract,
    Document,
    DocumentKind,
    HistoryEntry,
    IdentityAnswer,
    Organisation,
    OutboxMail,
    RoleGrant,
    SignupDraft,
    User,
)
from app.permissions import Role, visitor
from app.services import captchas, drafts, files, identity_checks, outbox, passwords, registering, signup
from app.states import OrganisationState
from tests import factories
from tests.support.servers import HttpServer
from tests.support.signup import ADMINISTRATOR, answers, code_of_draft, finished_draft, pdf

VISITOR = visitor("127.0.0.1")
PASSPORT = {**{name: ADMINISTRATOR[name] for name in ADMINISTRATOR if name != "email_confirmation"}}


def submit(token: str) -> str:
    return signup.submit(token, code_of_draft(token), actor=VISITOR)


def count(model: type) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


@pytest.mark.spec("ORG-7", "ACT-1", "ACT-3")
def test_everything_declared_is_written_at_once(app: Flask) -> None:
    assert submit(finished_draft()) == "mohamed.gharbi@exemple.tn"
    organisation = db.session.scalars(select(Organisation)).one()
    user = db.session.scalars(select(User)).one()
    grant = db.session.scalars(select(RoleGrant)).one()
    assert organisation.reference.startswith("ORG-")
    assert organisation.state is OrganisationState.EN_ATTENTE_ACTIVATION
    assert organisation.activation_deadline == organisation.created_at + timedelta(hours=48)
    assert (grant.role, grant.organisation_id, grant.user_id) == (Role.ADMIN_ORGANISATION, organisation.id, user.id)
    assert user.temporary_password_expires_at == organisation.activation_deadline
    assert organisation.representative.last_name_ar == "الغربي"
    document = db.session.scalars(select(Document)).one()
    assert (document.kind, document.organisation_id, document.draft_id) == (
        DocumentKind.RNE_EXTRACT,
        organisation.id,
        None,
    )
    assert document.issued_on == clock.today()
    contract = db.session.scalars(select(Contract)).one()
    assert contract.organisation_id == organisation.id
    assert "الغربي" in str(contract.data)
    for word in ("mediterraneenne", "1234567r", "gharbi", "الغربي"):
        assert word in organisation.search_text
    assert db.session.scalars(select(HistoryEntry.action)).one() == "sign_up"
    assert "sign_up" in db.session.scalars(select(AuditEntry.action)).all()


@pytest.mark.spec("ACT-1", "SEC-6")
def test_the_temporary_password_is_in_the_mail_and_only_its_hash_here(app: Flask) -> None:
    submit(finished_draft())
    mail = db.session.scalars(select(OutboxMail)).one()
    password = mail.text.split("temporaire :")[1].split()[0]
    user = db.session.scalars(select(User)).one()
    assert passwords.verify_password(user.temporary_password_hash, password)
    assert password not in str(db.session.scalars(select(AuditEntry.after)).all())
    outbox.mark_sent(mail.id)
    db.session.refresh(mail)
    assert password not in mail.text + mail.html


@pytest.mark.spec("ORG-7")
def test_a_failure_half_way_leaves_nothing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    token = finished_draft()

    def fails(*args: object, **kwargs: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(registering.outbox, "write", fails)
    code = code_of_draft(token)
    with pytest.raises(RuntimeError):
        signup.submit(token, code, actor=VISITOR)
    assert [count(model) for model in (Organisation, User, Contract, OutboxMail)] == [0, 0, 0, 0]
    assert [each.key.split("/")[0] for each in files.storage().keys("")] == ["documents"]
    monkeypatch.undo()
    signup.submit(token, code, actor=VISITOR)
    assert count(Organisation) == 1


@pytest.mark.spec("ORG-7")
def test_submitting_again_changes_nothing_and_says_the_same(app: Flask) -> None:
    token = finished_draft()
    first = submit(token)
    assert signup.submit(token, "000000", actor=VISITOR) == first
    assert (count(Organisation), count(OutboxMail)) == (1, 1)
    draft = db.session.scalars(select(SignupDraft)).one()
    assert draft.data == {}
    with pytest.raises(drafts.DraftGone):
        drafts.keep_typed(token, "organisation", {})


@pytest.mark.spec("ORG-8")
@pytest.mark.parametrize("known", ["tax_id", "email", "foreign"])
def test_what_is_known_gets_the_same_answer_and_the_known_address_the_truth(app: Flask, known: str) -> None:
    changes = {}
    if known == "email":
        told = factories.applicant(email="mohamed.gharbi@exemple.tn").email
    else:
        foreign = {"registration_country": "ETRANGER", "tax_id": None, "country": "FR", "register_number": "RCS 1"}
        existing = factories.organisation(**(foreign if known == "foreign" else {"tax_id": "1234567R"}))
        told = factories.administrator(existing).email
        if known == "foreign":
            changes = {"organisation": {**foreign, "governorate_id": None, "trade_issued_on": str(clock.today())}}
    before = count(Organisation)
    slots = ("trade_register",) if known == "foreign" else ("rne_extract",)
    assert submit(finished_draft(files=slots, **changes)) == "mohamed.gharbi@exemple.tn"
    mail = db.session.scalars(select(OutboxMail)).one()
    assert (mail.kind, mail.recipient) == ("already_registered", told)
    assert count(Organisation) == before
    assert count(Document) == 0


@pytest.mark.spec("ORG-4")
def test_a_file_no_answer_asks_for_any_more_is_not_handed_over(app: Flask) -> None:
    submit(finished_draft(files=("rne_extract", "tax_card", "administrator_identity")))
    assert [row.kind for row in db.session.scalars(select(Document))] == [DocumentKind.RNE_EXTRACT]
    assert len(list(files.storage().keys("documents"))) == 1


@pytest.mark.spec("ORG-4", "ORG-5")
@pytest.mark.parametrize(
    ("step", "changes", "slots"),
    [
        ("organisation", {}, ("rne_extract",)),
        ("organisation", {"rne_in_arabic_only": True}, ("rne_extract", "tax_card")),
        ("organisation", {"has_rne": False}, ("tax_card",)),
        ("organisation", {"registration_country": "ETRANGER"}, ("trade_register",)),
        ("representative", {}, ()),
        ("representative", {"identity_kind": "PASSEPORT"}, ("representative_identity",)),
        ("administrators", {}, ()),
        ("administrators", {"second": {"identity_kind": "CARTE_SEJOUR"}}, ("administrator2_identity",)),
        ("administrators", {"same": False, "first": {"identity_kind": "PASSEPORT"}}, ("administrator_identity",)),
    ],
)
def test_the_answers_say_which_files_are_asked(
    app: Flask, step: str, changes: dict[str, object], slots: tuple[str, ...]
) -> None:
    assert signup.required_papers(step, {**answers()[step], **changes}) == slots


@pytest.mark.spec("ORG-4")
def test_a_step_without_its_file_is_not_done(app: Flask) -> None:
    token = drafts.start()
    with pytest.raises(ValidationFailed) as refusal:
        signup.complete_step(token, "organisation", answers()["organisation"])
    assert "rne_extract" in refusal.value.errors
    assert signup.next_step(drafts.find(token)) == "organisation"


@pytest.mark.spec("ORG-6")
def test_a_representative_changed_into_the_second_administrator_is_caught_at_the_end(app: Flask) -> None:
    token = finished_draft(administrators={"second": {**PASSPORT, "mobile": "+21698123456"}})
    same = {**answers()["representative"], "identity_number": PASSPORT["identity_number"]}
    signup.complete_step(token, "representative", same)
    with pytest.raises(DomainError, match="une autre personne"):
        submit(token)
    assert count(Organisation) == 0


@pytest.mark.spec("ORG-7")
def test_a_code_is_single_use_and_tries_are_few(app: Flask) -> None:
    token = finished_draft()
    for _try in range(drafts.CAPTCHA_TRIES):
        with pytest.raises(DomainError):
            signup.submit(token, "not it", actor=VISITOR)
    with pytest.raises(TooManyAttempts):
        submit(token)
    assert count(Organisation) == 0


@pytest.mark.spec("ORG-7")
@pytest.mark.parametrize("typed", ["123456", " 123 456 ", "١٢٣٤٥٦"])
def test_a_code_may_be_typed_with_spaces_or_on_an_arabic_keyboard(app: Flask, typed: str) -> None:
    assert captchas.matches("123456", typed)
    assert not captchas.matches(None, typed)
    assert not captchas.matches("123457", typed)


@pytest.mark.spec("ORG-7")
@pytest.mark.parametrize("language", ["fr", "ar", "en", "de"])
def test_the_code_is_spoken_in_each_language(app: Flask, language: str) -> None:
    import io
    import wave

    with wave.open(io.BytesIO(captchas.audio("012345", language))) as sound:
        assert 5 < sound.getnframes() / sound.getframerate() < 20


@pytest.mark.spec("ORG-5", "SEC-4")
def test_the_answer_about_the_representative_is_kept_unless_the_tuple_changed(app: Flask, identity: HttpServer) -> None:
    token = finished_draft()
    person = answers()["representative"]
    actor = factories.actor(factories.applicant())
    check = signup.verify_identity(token, "representative", person, code="", actor=actor)
    assert check.answer is IdentityAnswer.CONCORDANT
    signup.complete_step(token, "representative", {**person, "first_name": "Mohamed Ali"})
    draft = drafts.find(token)
    assert draft is not None
    assert signup.answers_that_hold(draft) == {}
    signup.complete_step(token, "representative", person)
    submit(token)
    representative = db.session.scalars(select(Organisation)).one().representative
    assert representative.identity_answer is IdentityAnswer.CONCORDANT
    assert representative.identity_checked_at is not None


@pytest.mark.spec("SEC-4")
@pytest.mark.parametrize("name", identity_checks.TUPLE)
def test_every_part_of_the_tuple_counts(app: Flask, name: str) -> None:
    person = answers()["representative"]
    assert identity_checks.tuple_hash(person) != identity_checks.tuple_hash({**person, name: "other"})
    assert person["identity_number"] not in identity_checks.tuple_hash(person)


@pytest.mark.spec("SEC-4")
def test_no_answer_without_a_code_or_a_login(app: Flask, identity: HttpServer) -> None:
    token = finished_draft()
    with pytest.raises(DomainError) as refusal:
        signup.verify_identity(token, "representative", answers()["representative"], code="", actor=VISITOR)
    assert refusal.value.field == "captcha"
    assert identity.requests == []


@pytest.mark.spec("ORG-1")
def test_a_purge_takes_old_drafts_alone_and_may_run_twice(app: Flask) -> None:
    old = finished_draft()
    clock.shift(timedelta(hours=25))
    try:
        young = finished_draft()
        assert drafts.purge_drafts() == 1
        assert drafts.purge_drafts() == 0
        assert drafts.find(old) is None
        assert drafts.find(young) is not None
        assert len(list(files.storage().keys("documents"))) == 1
    finally:
        clock.reset()


@pytest.mark.spec("SEC-3")
def test_a_draft_takes_only_so_many_files_an_hour(app: Flask) -> None:
    token = drafts.start()
    draft = drafts.find(token)
    assert draft is not None
    from app.services import attempts

    key = attempts.key_for("upload:draft", str(draft.id))
    for _file in range(drafts.UPLOADS_PER_HOUR):
        attempts.count_attempt(key, limit=1000, window=timedelta(hours=1))
    with pytest.raises(TooManyAttempts):
        drafts.keep_file(token, "rne_extract", pdf("x"), "x.pdf", actor=VISITOR)

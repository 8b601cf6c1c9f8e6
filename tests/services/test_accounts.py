"""Logging in, sessions kept on the server, reset links (LOG-2, LOG-3, SEC-2)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from argon2 import extract_parameters
from sqlalchemy import select
from sqlalchemy.event import listen, remove

from app import clock
from app.errors import DomainError, TooManyAttempts
from app.extensions import db
from app.models import OutboxMail, User, UserSession
from app.services import accounts, passwords
from tests import factories

NEW = "une phrase de passe nouvelle"


def log_in(email, password=factories.PASSWORD, ip="127.0.0.1"):
    return accounts.log_in(email, password, ip=ip, user_agent="test")


def refusals(app):
    """Everybody who may not come in: e-mail and password of each."""
    moment = clock.now()
    known = factories.user()
    disabled = factories.user(disabled_at=moment)
    never = factories.user(activated=False)
    temporary = passwords.hash_password("abcd-efgh-jkmn-pqrs")
    late = factories.user(
        activated=False, temporary_password_hash=temporary, temporary_password_expires_at=moment - timedelta(seconds=1)
    )
    both = factories.user(temporary_password_hash=temporary, temporary_password_expires_at=moment + timedelta(hours=1))
    return {
        "unknown": ("personne@exemple.tn", factories.PASSWORD),
        "wrong": (known.email, "pas le bon mot de passe"),
        "empty": (known.email, ""),
        "disabled": (disabled.email, factories.PASSWORD),
        "never activated": (never.email, factories.PASSWORD),
        "temporary too late": (late.email, "abcd-efgh-jkmn-pqrz"),
        "temporary after activation": (both.email, "abcd-efgh-jkmn-pqrs"),
    }


@pytest.mark.spec("LOG-2")
def test_every_refusal_says_the_same(app):
    said = {}
    for name, (email, password) in refusals(app).items():
        with pytest.raises(accounts.LoginRefused) as refusal:
            log_in(email, password)
        said[name] = (str(refusal.value), refusal.value.field)
    assert len(set(said.values())) == 1, said
    assert db.session.scalars(select(UserSession)).all() == []


@pytest.mark.spec("LOG-2")
def test_every_refusal_does_the_same_work(app, monkeypatch):
    """One Argon2 of the same settings, and as many statements, whoever is refused."""
    refused, hashed, asked, work = refusals(app), [], [], {}
    hasher = passwords._hasher

    class Counted:
        def verify(self, stored, typed):
            hashed.append(str(extract_parameters(stored)))
            return hasher.verify(stored, typed)

    def note(_connection, _cursor, statement, *_rest):
        asked.append(statement.split()[0])

    monkeypatch.setattr(passwords, "_hasher", Counted())
    listen(db.engine, "before_cursor_execute", note)
    for name, (email, password) in refused.items():
        hashed.clear()
        asked.clear()
        with pytest.raises(accounts.LoginRefused):
            log_in(email, password)
        work[name] = (tuple(hashed), tuple(asked))
    remove(db.engine, "before_cursor_execute", note)
    assert len(set(work.values())) == 1, work
    assert len(work["unknown"][0]) == 1


@pytest.mark.spec("LOG-2")
def test_nobodys_hash_is_as_dear_as_anybodys(app):
    mine = passwords.hash_password("x")
    assert extract_parameters(passwords.dummy_hash()) == extract_parameters(mine)


@pytest.mark.spec("LOG-2")
def test_the_right_password_opens_a_session_whatever_the_capitals_of_the_address(app):
    who = factories.user()
    login = log_in(f"  {who.email.upper()} ")
    assert not login.must_change_password
    assert accounts.session_of(login.token).user_id == who.id
    assert login.token not in {row.token_hash for row in db.session.scalars(select(UserSession))}


@pytest.mark.spec("LOG-2")
def test_ten_wrong_tries_are_the_limit_and_the_refusal_says_when(app, travel):
    who = factories.user()
    for _try in range(10):
        with pytest.raises(accounts.LoginRefused):
            log_in(who.email, "faux")
    with pytest.raises(TooManyAttempts, match="Réessayez dans 15 minutes") as refusal:
        log_in(who.email)
    assert 0 < refusal.value.retry_after <= 901
    # The owner, from elsewhere, is not locked out; and here, once the window is over.
    assert log_in(who.email, ip="127.0.0.7").token
    travel(minutes=16)
    assert log_in(who.email).token


@pytest.mark.spec("LOG-2")
def test_one_address_trying_many_accounts_is_slowed(app):
    for number in range(60):
        with pytest.raises(accounts.LoginRefused):
            log_in(f"compte{number}@exemple.tn", "faux", ip="127.0.0.66")
    with pytest.raises(TooManyAttempts):
        log_in("compte-nouveau@exemple.tn", "faux", ip="127.0.0.66")


@pytest.mark.spec("LOG-2")
def test_success_clears_the_count(app):
    who = factories.user()
    for _round in range(2):
        for _try in range(9):
            with pytest.raises(accounts.LoginRefused):
                log_in(who.email, "faux")
        log_in(who.email)


@pytest.mark.spec("ACT-1", "ACT-2")
def test_a_temporary_password_opens_a_session_that_must_choose_one(app):
    who = factories.user(
        activated=False,
        temporary_password_hash=passwords.hash_password("abcd-efgh-jkmn-pqrs"),
        temporary_password_expires_at=clock.now() + timedelta(hours=1),
    )
    login = log_in(who.email, "  abcd-efgh-jkmn-pqrs ")
    assert login.must_change_password
    accounts.choose_password(who.id, NEW, actor=factories.actor(who), keep_token=login.token)
    with pytest.raises(accounts.LoginRefused):
        log_in(who.email, "abcd-efgh-jkmn-pqrs")
    assert not log_in(who.email, NEW).must_change_password
    assert db.session.get_one(User, who.id).activated_at is not None


@pytest.mark.spec("ACT-2")
def test_the_temporary_password_is_not_a_new_one(app):
    who = factories.user(activated=False, temporary_password_hash=passwords.hash_password("abcd-efgh-jkmn-pqrs"))
    with pytest.raises(DomainError, match="différent") as refusal:
        accounts.choose_password(who.id, "abcd-efgh-jkmn-pqrs", actor=factories.actor(who), keep_token=None)
    assert refusal.value.field == "password"
    assert db.session.get_one(User, who.id).activated_at is None


# ------------------------------------------------------------------------------------------------ sessions


@pytest.mark.spec("SEC-2")
def test_a_session_ends_when_idle_when_old_and_when_ended(app, travel):
    who = factories.user()
    idle, absolute = app.config["SESSION_IDLE"], app.config["SESSION_ABSOLUTE"]
    token = log_in(who.email).token
    travel(seconds=idle.total_seconds() - 5)
    row = accounts.session_of(token)
    accounts.touch_session(row.id)
    travel(seconds=idle.total_seconds() - 5)
    assert accounts.session_of(token) is not None
    travel(seconds=10)
    assert accounts.session_of(token) is None
    token = log_in(who.email).token
    for _step in range(int(absolute / (idle / 2)) + 1):
        row = accounts.session_of(token)
        if row is None:
            break
        accounts.touch_session(row.id)
        travel(seconds=(idle / 2).total_seconds())
    assert accounts.session_of(token) is None
    token = log_in(who.email).token
    accounts.log_out(token)
    assert accounts.session_of(token) is None


@pytest.mark.spec("PPL-2", "SEC-2")
def test_a_disabled_person_s_session_is_over_at_once(app):
    who = factories.user()
    token = log_in(who.email).token
    who.disabled_at = clock.now()
    db.session.commit()
    assert accounts.session_of(token) is None


@pytest.mark.spec("SEC-2")
def test_a_new_password_ends_the_other_sessions_and_tells_by_mail(app):
    who = factories.user()
    here, there = log_in(who.email).token, log_in(who.email).token
    accounts.choose_password(who.id, NEW, actor=factories.actor(who), keep_token=here)
    assert accounts.session_of(here) is not None
    assert accounts.session_of(there) is None
    mail = db.session.scalars(select(OutboxMail)).one()
    assert (mail.kind, mail.recipient) == ("password_changed", who.email)
    assert NEW not in mail.text + mail.html


def test_a_forged_token_is_nobody_s(app):
    assert accounts.session_of("forged") is None
    assert accounts.session_of("") is None


# ------------------------------------------------------------------------------------------------ reset


def reset_token(email):
    accounts.ask_for_reset(email, ip="127.0.0.1")
    mail = db.session.scalars(select(OutboxMail).where(OutboxMail.kind == "password_reset")).all()[-1]
    assert mail.secret
    return mail.text.split("/mot-de-passe/nouveau/")[1].split()[0], mail


@pytest.mark.spec("LOG-3")
def test_a_reset_link_serves_once(app):
    who = factories.user()
    token, mail = reset_token(who.email)
    assert mail.text.count(app.config["PUBLIC_URL"]) >= 1
    assert accounts.user_of_reset(token).id == who.id
    assert accounts.user_of_reset(token).id == who.id  # looking consumes nothing
    session = log_in(who.email).token
    accounts.reset_password(token, NEW, ip="127.0.0.1")
    assert accounts.session_of(session) is None
    assert log_in(who.email, NEW).token
    with pytest.raises(DomainError, match="déjà servi"):
        accounts.reset_password(token, "une autre phrase de passe", ip="127.0.0.1")
    assert log_in(who.email, NEW).token


@pytest.mark.spec("LOG-3")
def test_a_reset_link_lasts_an_hour(app, travel, monkeypatch):
    import itsdangerous.timed

    who = factories.user()
    token, _mail = reset_token(who.email)
    real = itsdangerous.timed.TimestampSigner.get_timestamp
    for seconds, usable in ((3590, True), (3610, False)):
        monkeypatch.setattr(
            itsdangerous.timed.TimestampSigner, "get_timestamp", lambda self, by=seconds: real(self) + by
        )
        assert (accounts.user_of_reset(token) is not None) is usable


@pytest.mark.spec("LOG-3")
@pytest.mark.parametrize("forged", ["", "x", "a.b.c", "WzEsICJ4Il0.aaaaaa.bbbbbb"])
def test_a_forged_reset_link_is_refused(app, forged):
    with pytest.raises(DomainError, match="déjà servi"):
        accounts.reset_password(forged, NEW, ip="127.0.0.1")


@pytest.mark.spec("LOG-3")
def test_a_reset_tells_nothing_and_mails_nobody_who_may_not(app):
    factories.user(email="inactif@exemple.tn", activated=False)
    factories.user(email="ferme@exemple.tn", disabled_at=clock.now())
    for email in ("inconnu@exemple.tn", "inactif@exemple.tn", "ferme@exemple.tn"):
        accounts.ask_for_reset(email, ip="127.0.0.1")
    assert db.session.scalars(select(OutboxMail)).all() == []


@pytest.mark.spec("LOG-3")
def test_a_weak_password_keeps_the_link(app):
    who = factories.user()
    token, _mail = reset_token(who.email)
    with pytest.raises(DomainError, match="12 caractères"):
        accounts.reset_password(token, "court", ip="127.0.0.1")
    assert accounts.user_of_reset(token) is not None


@pytest.mark.spec("LOG-3")
def test_at_most_three_reset_mails_an_hour_and_no_word_about_it(app):
    who = factories.user()
    for _try in range(6):
        accounts.ask_for_reset(who.email, ip="127.0.0.1")
    assert len(db.session.scalars(select(OutboxMail)).all()) == 3

"""The second factor: app, recovery codes, passkeys, who must have one, resets (LOG-2, LOG-4, TEA-1)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app import clock
from app.errors import DomainError, Forbidden, NotFound, TooManyAttempts
from app.extensions import db
from app.models import AuditEntry, OutboxMail, Passkey, RecoveryCode, User, UserSession
from app.permissions import Role
from app.services import accounts, passkeys, second_factor
from app.services.second_factor import LoginExpired
from tests import factories
from tests.support.authenticator import SoftKey
from tests.support.factors import App

HERE = "127.0.0.1"


@pytest.fixture(autouse=True)
def _early_in_a_half_minute(travel):
    """The clock stands five seconds after a code's beginning: no test runs over its end."""
    travel.to(clock.now().replace(second=5, microsecond=0))


def half(user, ip=HERE):
    """The token of a login whose password was right."""
    login = accounts.log_in(user.email, factories.PASSWORD, ip=ip, user_agent="test")
    assert login.factor_due
    return login.token


def whole(user):
    """The session of a login, for somebody without a second factor."""
    return accounts.session_of(accounts.log_in(user.email, factories.PASSWORD, ip=HERE, user_agent="test").token)


def refused(act, *args, said, kind=DomainError, field="code"):
    with pytest.raises(kind, match=said) as refusal:
        act(*args, ip=HERE)
    assert refusal.value.field == field


def mails(kind):
    return db.session.scalars(select(OutboxMail).where(OutboxMail.kind == kind).order_by(OutboxMail.id)).all()


def actions():
    return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


# ------------------------------------------------------------------------------------------------ the app


@pytest.mark.spec("LOG-4")
def test_a_password_alone_opens_nothing_once_there_is_a_second_factor(app, travel):
    who = factories.applicant()
    phone = App(who)
    travel(seconds=30)
    token = half(who)
    assert accounts.session_of(token) is None
    refused(second_factor.pass_by_app, token, "000000", said="n'est pas le bon")
    refused(second_factor.pass_by_app, token, "", said="n'est pas le bon")
    passed = second_factor.pass_by_app(token, f" {phone.code()[:3]} {phone.code()[3:]} ", ip=HERE)
    assert passed != token  # another token: none that was seen before the login was whole
    assert accounts.session_of(passed).user_id == who.id
    assert accounts.session_of(token) is None
    with pytest.raises(LoginExpired):
        second_factor.pass_by_app(token, phone.code(1), ip=HERE)


@pytest.mark.spec("LOG-4")
def test_a_code_serves_once_and_a_neighbouring_half_minute_is_forgiven(app, travel):
    who = factories.applicant()
    phone = App(who)
    refused(second_factor.pass_by_app, half(who), phone.code(), said="déjà servi")  # the one that set it up
    assert second_factor.pass_by_app(half(who), phone.code(1), ip=HERE)
    refused(second_factor.pass_by_app, half(who), phone.code(1), said="déjà servi")
    refused(second_factor.pass_by_app, half(who), phone.code(2), said="n'est pas le bon")
    travel(seconds=60)
    refused(second_factor.pass_by_app, half(who), phone.code(-1), said="déjà servi")
    arabic = phone.code().translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    assert second_factor.pass_by_app(half(who), arabic, ip=HERE)


@pytest.mark.spec("LOG-2", "LOG-4")
def test_tries_are_limited_and_never_lock_the_owner_out(app, travel):
    who = factories.applicant()
    phone = App(who)
    travel(seconds=30)
    token = half(who)
    for _try in range(10):
        refused(second_factor.pass_by_app, token, "000000", said="n'est pas le bon")
    refused(second_factor.pass_by_app, token, phone.code(), said="Réessayez dans", kind=TooManyAttempts, field=None)
    refused(second_factor.pass_by_recovery_code, token, phone.codes[0], said="dans", kind=TooManyAttempts, field=None)
    assert second_factor.pass_by_app(half(who, "127.0.0.9"), phone.code(), ip="127.0.0.9")
    travel(minutes=16)
    assert second_factor.pass_by_app(half(who), phone.code(), ip=HERE)


@pytest.mark.spec("LOG-4")
def test_many_addresses_guess_no_faster_than_one_owner_types(app, travel):
    who = factories.applicant()
    phone = App(who)
    travel(seconds=30)
    assert second_factor.pass_by_app(half(who), phone.code(), ip=HERE)  # the owner's own place
    token = half(who, "127.0.1.1")
    for number in range(29):  # the owner's first time from there was the thirtieth
        with pytest.raises(DomainError, match="n'est pas le bon"):
            second_factor.pass_by_app(token, "000000", ip=f"127.0.1.{number // 10}")
    with pytest.raises(TooManyAttempts):
        second_factor.pass_by_app(token, "000000", ip="127.0.1.9")
    travel(seconds=30)
    assert second_factor.pass_by_app(half(who), phone.code(), ip=HERE)


@pytest.mark.spec("LOG-4")
def test_guessing_all_day_from_many_addresses_ends_but_not_for_the_owner(app, travel, monkeypatch):
    monkeypatch.setattr(second_factor, "A_DAY_FROM_ELSEWHERE", 12)
    who = factories.applicant()
    phone = App(who)
    travel(seconds=30)
    assert second_factor.pass_by_app(half(who), phone.code(), ip=HERE)  # counts as the first: nobody came from there
    for hour in range(11):
        travel(hours=1)
        with pytest.raises(DomainError, match="n'est pas le bon"):
            second_factor.pass_by_app(half(who, "127.0.1.1"), "000000", ip=f"127.0.1.{hour}")
    travel(hours=1)
    with pytest.raises(TooManyAttempts):
        second_factor.pass_by_app(half(who, "127.0.1.1"), phone.code(), ip="127.0.1.99")
    assert second_factor.pass_by_app(half(who), phone.code(), ip=HERE)


@pytest.mark.spec("LOG-4")
def test_the_second_step_waits_ten_minutes_and_falls_with_the_account(app, travel):
    who = factories.applicant()
    phone = App(who)
    token, other = half(who), half(who)
    accounts.end_sessions(who.id)
    with pytest.raises(LoginExpired):
        second_factor.pass_by_app(other, phone.code(1), ip=HERE)
    token = half(who)
    travel(minutes=10)
    with pytest.raises(LoginExpired):
        second_factor.pass_by_app(token, phone.code(), ip=HERE)
    token = half(who)
    db.session.get_one(User, who.id).disabled_at = who.created_at
    db.session.commit()
    with pytest.raises(LoginExpired):
        second_factor.pass_by_app(token, phone.code(), ip=HERE)


@pytest.mark.spec("LOG-4", "AUD-1")
def test_setting_up_is_proved_sealed_told_and_ends_other_sessions(app):
    who, other = factories.applicant(), factories.applicant()
    elsewhere = accounts.log_in(who.email, factories.PASSWORD, ip=HERE, user_agent="x").token
    sealed, seed = second_factor.open_enrolment(who.id, "")
    for wrong in (sealed[:-2], "", second_factor.open_enrolment(other.id, "")[0]):
        with pytest.raises(DomainError, match="a expiré"):
            second_factor.set_up_app(who.id, wrong, "000000", actor=factories.actor(who), keep_token=None)
    assert second_factor.open_enrolment(who.id, sealed) == (sealed, seed)  # a wrong code keeps the QR code
    assert db.session.get_one(User, who.id).second_factor_since is None
    codes = App(who).codes
    stored = db.session.get_one(User, who.id)
    assert seed not in str(stored.totp_secret)
    assert stored.totp_secret is not None
    assert accounts.session_of(elsewhere) is None
    hashes = set(db.session.scalars(select(RecoveryCode.code_hash)))
    assert len(codes) == len(hashes) == 10
    assert not hashes & {code.replace("-", "") for code in codes}
    assert "second_factor_on" in actions()
    (mail,) = mails("security_changed")
    assert mail.recipient == who.email
    assert "application d'authentification" in mail.text


@pytest.mark.spec("LOG-4")
def test_a_changed_key_of_the_server_asks_for_a_recovery_code_unless_the_old_one_is_named(app, travel):
    who = factories.applicant()
    phone = App(who)
    travel(seconds=30)
    former, app.config["SECRET_KEY"] = app.config["SECRET_KEY"], "another-key-another-key-another-key-another"
    refused(second_factor.pass_by_app, half(who), phone.code(), said="code de secours")
    app.config["SECRET_KEY_FALLBACKS"] = [former]
    assert second_factor.pass_by_app(half(who), phone.code(), ip=HERE)


# ------------------------------------------------------------------------------------------------ recovery codes


@pytest.mark.spec("LOG-4", "AUD-1")
def test_a_recovery_code_serves_once_and_its_owner_is_told(app):
    who, other = factories.applicant(), factories.applicant()
    phone, others = App(who), App(other)
    code = phone.codes[3]
    refused(second_factor.pass_by_recovery_code, half(who), others.codes[0], said="n'est pas le bon")
    assert second_factor.pass_by_recovery_code(half(who), code.upper().replace("-", " "), ip=HERE)
    refused(second_factor.pass_by_recovery_code, half(who), code, said="déjà servi")
    assert second_factor.codes_left(who.id) == 9
    assert "Codes qui restent : 9" in mails("security_changed")[-1].text.replace("\u202f", " ").replace("\xa0", " ")
    assert actions()[-1] == "recovery_code_used"
    fresh = second_factor.renew_codes(who.id, actor=factories.actor(who))
    refused(second_factor.pass_by_recovery_code, half(who), phone.codes[5], said="n'est pas le bon")
    assert second_factor.pass_by_recovery_code(half(who), fresh[0], ip=HERE)


# ------------------------------------------------------------------------------------------------ passkeys


def enrol(user, key, name="Téléphone", session=None):
    session = session or whole(user)
    options = passkeys.registration_options(session.id, name)
    return passkeys.add_passkey(
        session.id, name, key.made(options), actor=factories.actor(user), keep_token=None
    )  # fmt: skip


@pytest.mark.spec("LOG-4", "AUD-1")
def test_a_passkey_is_a_second_factor_and_its_signature_completes_the_login(app):
    who, key = factories.applicant(), SoftKey()
    assert len(enrol(who, key)) == 10
    token = half(who)
    answer = key.signed(passkeys.authentication_options(token))
    passed = passkeys.pass_by_passkey(token, answer, ip=HERE)
    assert accounts.session_of(passed).user_id == who.id
    kept = db.session.scalars(select(Passkey)).one()
    assert (kept.name, kept.sign_count) == ("Téléphone", 1)
    assert kept.last_used_at is not None
    assert "passkey_added" in actions()
    assert "« Téléphone »" in mails("security_changed")[-1].subject + mails("security_changed")[-1].html


@pytest.mark.spec("LOG-4", "PPL-2")
@pytest.mark.parametrize(
    "how", ["another's key", "replayed", "other challenge", "other site", "old", "clone", "nonsense"]
)
def test_a_signature_that_is_not_the_persons_own_and_fresh_is_refused(app, travel, how):
    who, other = factories.applicant(), factories.applicant()
    key, foreign = SoftKey(), SoftKey()
    enrol(who, key)
    enrol(other, foreign)
    token = half(who)
    options = passkeys.authentication_options(token)
    answer = key.signed(options)
    if how == "another's key":
        answer = foreign.signed(options)
    elif how == "replayed":
        passkeys.pass_by_passkey(token, answer, ip=HERE)
        token = half(who)
        passkeys.authentication_options(token)
    elif how == "other challenge":
        passkeys.authentication_options(token)
    elif how == "other site":
        key.origin = "https://evil.example"
        answer = key.signed(options)
    elif how == "old":
        travel(minutes=5)
    elif how == "clone":
        passkeys.pass_by_passkey(token, answer, ip=HERE)
        token, key.count = half(who), 0
        answer = key.signed(passkeys.authentication_options(token))
    else:
        answer = "[" * 19_000
    with pytest.raises(DomainError, match="n'a pas été reconnue"):
        passkeys.pass_by_passkey(token, answer, ip=HERE)
    with pytest.raises(DomainError, match="n'a pas été reconnue"):  # the challenge was used up by the try
        passkeys.pass_by_passkey(token, key.signed(options), ip=HERE)
    assert accounts.session_of(token) is None


@pytest.mark.spec("LOG-4")
def test_a_passkey_is_kept_once_under_a_name_of_its_own(app):
    who, key = factories.applicant(), SoftKey()
    enrol(who, key)
    session = db.session.scalars(select(UserSession).where(UserSession.user_id == who.id)).first()
    for name, said in (("  ", "Donnez un nom"), ("x" * 61, "Donnez un nom"), ("téléphone ", "porte déjà ce nom")):
        with pytest.raises(DomainError, match=said) as refusal:
            passkeys.registration_options(session.id, name)
        assert refusal.value.field == "name"
    with pytest.raises(DomainError, match="déjà enregistrée"):
        enrol(who, key, "Autre", session)
    forged = SoftKey(origin="https://evil.example")
    with pytest.raises(DomainError, match="n'a pas été reconnue"):
        enrol(who, forged, "Autre", session)
    assert enrol(who, SoftKey(), "Clé USB", session) == []  # the recovery codes were shown with the first
    stranger = factories.applicant()
    mine = db.session.scalars(select(Passkey)).first()
    with pytest.raises(NotFound):
        passkeys.remove_passkey(mine.id, actor=factories.actor(stranger))


# ------------------------------------------------------------------------------------------------ who must


@pytest.mark.spec("LOG-4")
def test_staff_owe_it_from_their_second_login_on_and_clients_only_when_set(app):
    officer, client = factories.staff(), factories.applicant()
    assert not second_factor.must_enrol(whole(officer))
    assert second_factor.must_enrol(whole(officer))
    whole(client)
    assert not second_factor.must_enrol(whole(client))
    app.config["MFA_REQUIRED"] = "all"
    assert second_factor.must_enrol(whole(client))
    App(client)
    assert not second_factor.must_enrol(accounts.half_session_of(half(client)))


@pytest.mark.spec("LOG-4")
def test_a_client_who_joins_the_team_owes_it_at_the_next_click(app):
    who = factories.applicant()
    whole(who)
    session = whole(who)
    assert not second_factor.must_enrol(session)
    accounts.grant_role(session.user, Role.AGENT, organisation_id=None, by=factories.actor(factories.staff()))
    assert second_factor.must_enrol(session)


@pytest.mark.spec("LOG-4")
def test_demonstration_accounts_are_free_of_it_by_a_setting_only(app):
    demo = factories.staff(email="agent@demo.tuntrust.tn")
    assert not second_factor.is_required(demo)
    app.config["MFA_EXEMPTS_SAMPLE_ACCOUNTS"] = False
    assert second_factor.is_required(demo)


@pytest.mark.spec("LOG-4", "AUD-1")
def test_who_must_have_one_keeps_the_last_and_others_may_switch_it_off(app):
    officer, client = factories.staff(), factories.applicant()
    for who in (officer, client):
        App(who)
    with pytest.raises(DomainError, match="obligatoire"):
        second_factor.remove_app(officer.id, actor=factories.actor(officer))
    assert db.session.get_one(User, officer.id).totp_secret is not None
    second_factor.remove_app(client.id, actor=factories.actor(client))
    kept = db.session.get_one(User, client.id)
    assert (kept.totp_secret, kept.second_factor_since) == (None, None)
    assert second_factor.codes_left(client.id) == 0
    assert not accounts.log_in(client.email, factories.PASSWORD, ip=HERE, user_agent="x").factor_due
    assert actions()[-1] == "second_factor_off"


@pytest.mark.spec("TEA-1", "AUD-1")
def test_the_technical_administrator_resets_a_lost_second_factor_with_a_reason(app):
    boss, officer, client = factories.staff(Role.ADMINISTRATEUR), factories.staff(), factories.applicant()
    for who in (boss, officer, client):
        App(who)
    by = factories.actor(boss)
    with pytest.raises(Forbidden):
        second_factor.reset(client.id, actor=factories.actor(officer), reason="x")
    for user_id, reason, said in ((boss.id, "x", "son propre"), (officer.id, " ", "assuré")):
        with pytest.raises(DomainError, match=said):
            second_factor.reset(user_id, actor=by, reason=reason)
    with pytest.raises(NotFound):
        second_factor.client_to_reset(officer.email, actor=by)
    token = half(officer)
    second_factor.reset(officer.id, actor=by, reason="Vu au bureau")
    assert accounts.half_session_of(token) is None
    second_factor.reset(second_factor.client_to_reset(client.email.upper(), actor=by), actor=by, reason="Rappelé")
    with pytest.raises(DomainError, match="n'a pas de second facteur"):
        second_factor.reset(client.id, actor=by, reason="x")
    assert [mail.recipient for mail in mails("second_factor_reset")] == [officer.email, client.email]
    assert "vous relierez aussitôt" in mails("second_factor_reset")[0].text
    assert db.session.scalars(select(AuditEntry)).all()[-1].after == {"reason": "Rappelé"}
    assert db.session.get_one(User, officer.id).second_factor_since is None
    whole(officer)
    assert second_factor.must_enrol(whole(officer))

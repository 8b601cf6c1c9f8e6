"""Accounts: logging in, sessions kept on the server, passwords (LOG, ACT-2, SEC-2)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from flask import current_app
from flask_babel import gettext as _
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import delete, select, update
from sqlalchemy.orm import selectinload

from app import clock
from app.errors import DomainError, NotFound, TooManyAttempts
from app.extensions import db
from app.mail_catalogue import OPTIONAL
from app.models import RoleGrant, User, UserSession
from app.permissions import Actor, Role
from app.services import activation, attempts, audit, outbox, passwords
from app.services.links import public_url
from app.services.locking import lock
from app.services.unit_of_work import use_case

LOGIN_WINDOW = timedelta(minutes=15)
LOGINS_PER_ACCOUNT = 10
LOGINS_PER_ADDRESS = 60
SESSIONS_KEPT = timedelta(days=30)
FACTOR_WITHIN = timedelta(minutes=10)
FRESH = timedelta(minutes=10)
TOUCH_EVERY = timedelta(minutes=1)
RESET_LIFE = timedelta(hours=1)


class LoginRefused(DomainError):
    """Unknown, wrong, not activated, disabled: one answer for all (LOG-2)."""


class InvitationExpired(LoginRefused):
    """The temporary password is the right one, but its time is over: its holder may be told (APP-1)."""

    def __init__(self, user_id: int) -> None:
        super().__init__(_("Ce mot de passe temporaire a expiré."))
        self.user_id = user_id


@dataclass(frozen=True, slots=True)
class Login:
    """A fresh session: the token goes into the cookie, only its hash stays here."""

    token: str
    must_change_password: bool
    factor_due: bool


def log_in(email: str, password: str, *, ip: str | None, user_agent: str) -> Login:
    """Open a session; one that opens nothing yet (``factor_due``) for who has a second factor (LOG-4).

    The work done is the same for every refusal. Raises LoginRefused, InvitationExpired (only to who holds the right
    temporary password), TooManyAttempts.
    """
    wanted = email.strip().lower()
    account_key = attempts.key_for("login:account", wanted + "|" + (ip or ""))
    attempts.count_attempt(attempts.key_for("login:address", ip or "?"), limit=LOGINS_PER_ADDRESS, window=LOGIN_WINDOW)
    attempts.count_attempt(account_key, limit=LOGINS_PER_ACCOUNT, window=LOGIN_WINDOW)
    if not has_come_from(wanted, ip):
        # Slow guessing from many addresses is slowed too; whoever keeps at it does not lock the owner's own place out.
        key = attempts.key_for("login:owner", wanted)
        attempts.count_attempt(key, limit=LOGINS_PER_ACCOUNT * 10, window=LOGIN_WINDOW)
    user = db.session.scalar(select(User).where(User.email == wanted))
    temporary = user is not None and user.password_hash is None
    stored = None
    if user is not None:
        stored = user.temporary_password_hash if temporary else user.password_hash
    matches = passwords.verify_password(stored, password.strip() if temporary else password)
    if user is not None and matches and user.disabled_at is None and _temporary_is_over(user, temporary):
        raise InvitationExpired(user.id)
    if user is None or not matches or user.disabled_at is not None:
        raise LoginRefused(
            _("Adresse e-mail ou mot de passe incorrect. Vérifiez-les, ou demandez un nouveau mot de passe.")
        )
    factor_due = user.second_factor_since is not None
    token = open_session(user.id, ip=ip, user_agent=user_agent, factor_due=factor_due)
    attempts.forget_attempts(account_key)
    return Login(token=token, must_change_password=temporary, factor_due=factor_due)


def has_come_from(email: str, ip: str | None) -> bool:
    """Did the person log in, second factor included, from this address during the last thirty days?"""
    found = select(UserSession.id).join(User, User.id == UserSession.user_id)
    found = found.where(User.email == email, UserSession.ip == ip, UserSession.factor_due.is_(False))
    return db.session.scalar(found.limit(1)) is not None


def _temporary_is_over(user: User, temporary: bool) -> bool:
    expires = user.temporary_password_expires_at
    return temporary and (expires is None or expires <= clock.now())


@use_case
def open_session(user_id: int, *, ip: str | None, user_agent: str, factor_due: bool) -> str:
    """A new session's token. While its second factor is due it opens nothing and leaves « last seen » alone."""
    token = secrets.token_urlsafe(32)
    moment = clock.now()
    first = db.session.scalar(select(User.last_seen_at).where(User.id == user_id)) is None
    db.session.add(
        UserSession(
            token_hash=passwords.hash_token(token),
            user_id=user_id,
            created_at=moment,
            last_seen_at=moment,
            ip=ip,
            user_agent=user_agent[:255],
            factor_due=factor_due,
            first_login=first,
        )
    )
    if not factor_due:
        db.session.execute(update(User).where(User.id == user_id).values(last_seen_at=moment))
    return token


def session_of(token: str) -> UserSession | None:
    """The live session behind a cookie: not ended, not idle, not too old, its person not disabled (SEC-2).

    A session whose second factor is still due is none.
    """
    row = _session(token, factor_due=False)
    config, moment = current_app.config, clock.now()
    if row is None or row.last_seen_at + config["SESSION_IDLE"] <= moment:
        return None
    return row if row.created_at + config["SESSION_ABSOLUTE"] > moment else None


def half_session_of(token: str) -> UserSession | None:
    """The session that waits for its second factor, for ten minutes (LOG-4)."""
    row = _session(token, factor_due=True)
    return row if row is not None and row.created_at + FACTOR_WITHIN > clock.now() else None


def _session(token: str, *, factor_due: bool) -> UserSession | None:
    row = db.session.scalar(
        select(UserSession)
        .where(UserSession.token_hash == passwords.hash_token(token), UserSession.factor_due.is_(factor_due))
        .options(selectinload(UserSession.user).selectinload(User.grants))
    )
    return None if row is None or row.ended_at is not None or row.user.disabled_at is not None else row


@use_case
def touch_session(session_id: int) -> None:
    """The person is still there (written at most once a minute)."""
    db.session.execute(update(UserSession).where(UserSession.id == session_id).values(last_seen_at=clock.now()))


@use_case
def log_out(token: str) -> None:
    """End this session for good."""
    db.session.execute(
        update(UserSession)
        .where(UserSession.token_hash == passwords.hash_token(token), UserSession.ended_at.is_(None))
        .values(ended_at=clock.now())
    )


@use_case
def end_sessions(user_id: int, *, except_token: str | None = None) -> None:
    """End a person's sessions: password change, disabling, « déconnecter partout »."""
    statement = update(UserSession).where(UserSession.user_id == user_id, UserSession.ended_at.is_(None))
    if except_token is not None:
        statement = statement.where(UserSession.token_hash != passwords.hash_token(except_token))
    db.session.execute(statement.values(ended_at=clock.now()))


@use_case
def end_session(session_id: int, *, actor: Actor) -> None:
    """« Déconnecter » one device of one's own. Raises NotFound for another's session, or one that is over."""
    session = lock(UserSession, session_id)
    if session.user_id != actor.user_id or session.ended_at is not None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    session.ended_at = clock.now()
    audit.record(actor, "end_session", ("users", session.user_id), after={"session": session.id})


@use_case
def end_every_session(*, actor: Actor) -> None:
    """« Déconnecter partout », here too."""
    if actor.user_id is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    end_sessions(actor.user_id)
    audit.record(actor, "end_every_session", ("users", actor.user_id))


@use_case
def choose_mails(muted: frozenset[str], *, actor: Actor) -> None:
    """Which groups of optional mails the person does not want; unknown groups are left out (MAI-1)."""
    if actor.user_id is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    user = lock(User, actor.user_id)
    before, user.muted_mails = user.muted_mails, sorted(muted & set(OPTIONAL))
    audit.record(actor, "choose_mails", user, before={"muted": before}, after={"muted": user.muted_mails})


@use_case
def purge_old_sessions() -> int:
    """Drop sessions whose cookie cannot be used any more, 30 days after they began; returns how many."""
    result = db.session.execute(delete(UserSession).where(UserSession.created_at < clock.now() - SESSIONS_KEPT))
    return int(getattr(result, "rowcount", 0))


def actor_for(user: User, *, ip: str | None, locale: str) -> Actor:
    """The actor that services take, from rights as they stand now (PPL-2)."""
    live = [grant for grant in user.grants if grant.revoked_at is None]
    return Actor(
        user_id=user.id,
        label=user.display_name,
        roles=frozenset(grant.role for grant in live),
        organisation_ids=frozenset(
            grant.organisation_id
            for grant in live
            if grant.role is Role.ADMIN_ORGANISATION and grant.organisation_id is not None
        ),
        ip=ip,
        locale=locale,
    )


@use_case
def choose_password(user_id: int, password: str, *, actor: Actor, keep_token: str | None) -> None:
    """First password after a temporary one (ACT-2), or a change; activates what was waiting for it.

    Ends the person's other sessions. Raises DomainError when the password is weak, RegistrationExpired when the
    account was purged meanwhile (ACT-3).
    """
    activation.lock_organisations_of(user_id)
    user = activation.lock_account(user_id)
    passwords.check_new_password(password, about=(user.email, user.first_name, user.last_name))
    if user.password_hash is None and passwords.verify_password(user.temporary_password_hash, password):
        raise DomainError(_("Choisissez un mot de passe différent du mot de passe temporaire."), field="password")
    first = user.password_hash is None
    if first:
        activation.activate_user(user, actor=actor)
    else:
        outbox.write("password_changed", to=user.email, locale=user.locale, name=user.display_name)
    user.password_hash = passwords.hash_password(password)
    user.temporary_password_hash = user.temporary_password_expires_at = None
    end_sessions(user.id, except_token=keep_token)
    audit.record(actor, "choose_password", user, after={"first": first})


def is_fresh(session: UserSession) -> bool:
    """Did the person log in within the last ten minutes? Then a grave act asks no password again."""
    return session.created_at + FRESH > clock.now()


def confirm_password(user_id: int, password: str, *, ip: str | None) -> None:
    """« Your password again » before a grave act. Raises DomainError on field ``current``, TooManyAttempts."""
    key = attempts.key_for("confirm:account", f"{user_id}|{ip}")
    attempts.count_attempt(key, limit=LOGINS_PER_ACCOUNT, window=LOGIN_WINDOW)
    user = db.session.get_one(User, user_id)
    if not passwords.verify_password(user.password_hash, password):
        raise DomainError(_("Ce n'est pas votre mot de passe actuel."), field="current")
    attempts.forget_attempts(key)


@use_case
def set_locale(user_id: int, locale: str) -> None:
    """The person's language, for screens and mails (I18-1)."""
    db.session.execute(update(User).where(User.id == user_id).values(locale=locale))


def _reset_serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="password-reset")


def _reset_mark(user: User) -> str:
    """Changes with the password, so that a link works once."""
    return passwords.hash_token(f"{user.id}|{user.password_hash}")[:24]


@use_case
def ask_for_reset(email: str, *, ip: str | None) -> None:
    """Mail a one-hour single-use link if the account exists and is active (LOG-3).

    The page says the same always, and a mail is rendered for nobody where there is no account: answers take as long.
    """
    attempts.count_attempt(attempts.key_for("reset:address", ip or "?"), limit=20, window=timedelta(hours=1))
    wanted = email.strip().lower()
    user = db.session.scalar(select(User).where(User.email == wanted))
    try:
        attempts.count_attempt(attempts.key_for("reset:account", wanted), limit=3, window=timedelta(hours=1))
    except TooManyAttempts:
        return
    mailed = user is not None and user.password_hash is not None and user.disabled_at is None
    token = _reset_serializer().dumps([user.id if user else 0, _reset_mark(user) if user else "0" * 24])
    link = public_url("auth.reset", token=token)
    if user is None or not mailed:
        outbox.preview("password_reset", to=wanted, name=wanted, link=link)
        return
    outbox.write("password_reset", to=wanted, locale=user.locale, secret=True, name=user.display_name, link=link)


def user_of_reset(token: str) -> User | None:
    """Whose valid, unused link this is."""
    try:
        user_id, mark = _reset_serializer().loads(token, max_age=int(RESET_LIFE.total_seconds()))
    except (BadData, ValueError, TypeError):
        return None
    user = db.session.get(User, user_id)
    return user if user is not None and user.disabled_at is None and _reset_mark(user) == mark else None


@use_case
def reset_password(token: str, password: str, *, ip: str | None) -> None:
    """Consume the link. Raises DomainError when it is used, old or forged, or the password is weak."""
    user = user_of_reset(token)
    if user is None:
        raise DomainError(_("Ce lien a déjà servi ou n'est plus valable. Demandez-en un nouveau."))
    user = lock(User, user.id)
    if user_of_reset(token) is None:
        raise DomainError(_("Ce lien a déjà servi ou n'est plus valable. Demandez-en un nouveau."))
    choose_password(user.id, password, actor=actor_for(user, ip=ip, locale=user.locale), keep_token=None)


def grant_role(user: User, role: Role, *, organisation_id: int | None, by: Actor) -> None:
    """Give a role once; a live grant is left as it is. Called inside a use case."""
    for grant in user.grants:
        if grant.role is role and grant.organisation_id == organisation_id and grant.revoked_at is None:
            return
    user.grants.append(
        RoleGrant(role=role, organisation_id=organisation_id, granted_at=clock.now(), granted_by_id=by.user_id)
    )

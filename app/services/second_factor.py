"""The second factor: an authenticator app, and codes for the day the phone is lost (LOG-4).

Passkeys, the other kind, stand in ``passkeys``. A person has a second factor while one of either is there
(``User.second_factor_since``). Who must have one: docs/adr/0100.
"""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from datetime import timedelta

import pyotp
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import delete, func, select

from app import clock
from app.errors import DomainError, NotFound
from app.extensions import db
from app.mail_catalogue import security_sentence
from app.models import Passkey, RecoveryCode, User, UserSession
from app.permissions import STAFF_ROLES, SYSTEM, Actor, Permission
from app.services import accounts, attempts, audit, outbox, sealing
from app.services.authority import require
from app.services.health import SAMPLE_ACCOUNTS
from app.services.links import public_url
from app.services.locking import lock
from app.services.passwords import hash_token
from app.services.unit_of_work import use_case

ISSUER = "TunTrust ECERT"
STEP = 30
WINDOW, DAY = timedelta(minutes=15), timedelta(days=1)
TRIES = 10
TRIES_FROM_ELSEWHERE = 30
A_DAY_FROM_ELSEWHERE = 100
"""Whoever has the password and many addresses: three codes hold at a time, so that 30 tries each quarter of an hour
succeed once in six within three weeks. 100 a day need twenty months for the same chance."""
RECOVERY_CODES = 10
ENROLMENT_LIFE = timedelta(minutes=30)
# 79 bits in four groups: nobody finds one from its hash, and no look-alikes are typed wrong.
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


# ---- who must


def is_required(user: User) -> bool:
    """Must this person have a second factor? MFA_REQUIRED says who, besides the staff."""
    config = current_app.config
    if config["MFA_EXEMPTS_SAMPLE_ACCOUNTS"] and user.email in SAMPLE_ACCOUNTS:
        return False
    of_staff = any(grant.revoked_at is None and grant.role in STAFF_ROLES for grant in user.grants)
    return of_staff or config["MFA_REQUIRED"] == "all"


def must_enrol(session: UserSession) -> bool:
    """Is a second factor owed before anything else? From the second login on (LOG-4)."""
    user = session.user
    return user.second_factor_since is None and not session.first_login and is_required(user)


# ---- the authenticator app: setting it up


def _sealed(user_id: int, seed: str) -> str:
    """A seed sealed for this person: the page's form carries it, nothing is kept before a code proves it."""
    return sealing.seal([user_id, seed, int(clock.now().timestamp())])


def seed_of_enrolment(user_id: int, sealed: str) -> str | None:
    """The seed in a form's sealed value; None when it is forged, another's or older than half an hour."""
    value = sealing.unseal(sealed)
    if not isinstance(value, list) or len(value) != 3 or value[0] != user_id:
        return None
    age = clock.now().timestamp() - value[2]
    return str(value[1]) if 0 <= age <= ENROLMENT_LIFE.total_seconds() else None


def open_enrolment(user_id: int, sealed: str) -> tuple[str, str]:
    """The form's sealed value and its seed, so that a wrong code changes nothing; fresh ones when it holds none."""
    seed = seed_of_enrolment(user_id, sealed)
    if seed is not None:
        return sealed, seed
    fresh = pyotp.random_base32()
    return _sealed(user_id, fresh), fresh


def provisioning_uri(user: User, seed: str) -> str:
    """What the QR code says to the app."""
    return pyotp.TOTP(seed).provisioning_uri(name=user.email, issuer_name=ISSUER)


def set_up_app(user_id: int, sealed: str, code: str, *, actor: Actor, keep_token: str | None) -> list[str]:
    """Switch the app on, or replace it, once a code proves that it works; the recovery codes to show once, if new.

    The person's other sessions end. Raises DomainError on field ``code``, TooManyAttempts.
    """
    attempts.count_attempt(_tries(user_id, actor.ip), limit=TRIES, window=WINDOW)
    codes = _set_up_app(user_id, sealed, code, actor=actor, keep_token=keep_token)
    forget_tries(user_id, actor.ip)
    return codes


@use_case
def _set_up_app(user_id: int, sealed: str, code: str, *, actor: Actor, keep_token: str | None) -> list[str]:
    user = lock(User, user_id)
    seed = seed_of_enrolment(user_id, sealed)
    if seed is None:
        raise DomainError(_("Cette page a expiré : scannez le nouveau code, puis recommencez."), field="code")
    user.totp_last_step = _step_of(seed, code, None)
    replaced = user.totp_secret is not None
    user.totp_secret = sealing.seal(seed)
    audit.record(actor, "second_factor_on", user, after={"replaced": replaced})
    tell(user, "app_linked")
    accounts.end_sessions(user.id, except_token=keep_token)
    return first_factor_added(user)


def first_factor_added(user: User) -> list[str]:
    """After an app or a passkey was added: since when, and the first recovery codes. Inside a use case."""
    if user.second_factor_since is not None:
        return []
    user.second_factor_since = clock.now()
    return _new_codes(user)


# ---- giving it at the login


def pass_by_app(token: str, code: str, *, ip: str | None) -> str:
    """The app's code completes a login; the new session's token. Raises DomainError (``code``), TooManyAttempts."""
    session = half_session(token)
    _count_try(session.user_id, ip)
    passed = _pass_by_app(session.user_id, token, code, ip=ip)
    forget_tries(session.user_id, ip)
    return passed


@use_case
def _pass_by_app(user_id: int, token: str, code: str, *, ip: str | None) -> str:
    user = lock(User, user_id)
    if user.totp_secret is None:
        raise DomainError(_("Aucune application n'est reliée à ce compte : utilisez votre clé d'accès."), field="code")
    seed = sealing.unseal(user.totp_secret)
    if seed is None:
        raise DomainError(
            _("Votre application ne peut plus être vérifiée : utilisez un code de secours, puis reliez-la de nouveau."),
            field="code",
        )
    user.totp_last_step = _step_of(seed, code, user.totp_last_step)
    return complete_login(token, ip=ip)


def pass_by_recovery_code(token: str, code: str, *, ip: str | None) -> str:
    """A recovery code, used up by it, completes a login. Raises DomainError (``code``), TooManyAttempts."""
    session = half_session(token)
    _count_try(session.user_id, ip)
    passed = _pass_by_recovery_code(session.user_id, token, code, ip=ip)
    forget_tries(session.user_id, ip)
    return passed


@use_case
def _pass_by_recovery_code(user_id: int, token: str, code: str, *, ip: str | None) -> str:
    user = lock(User, user_id)
    typed = "".join(char for char in code.lower() if char.isalnum())
    row = db.session.scalar(
        select(RecoveryCode).where(
            RecoveryCode.user_id == user_id, RecoveryCode.code_hash == hash_token(typed), RecoveryCode.used_at.is_(None)
        )
    )
    if row is None:
        raise DomainError(_("Ce code de secours n'est pas le bon, ou il a déjà servi."), field="code")
    row.used_at = clock.now()
    db.session.flush()
    left = codes_left(user_id)
    audit.record(accounts.actor_for(user, ip=ip, locale=user.locale), "recovery_code_used", user, after={"left": left})
    tell(user, "code_used", left=left)
    return complete_login(token, ip=ip)


def half_session(token: str) -> UserSession:
    """The login that waits for its second factor. Raises LoginExpired when it waited too long."""
    session = accounts.half_session_of(token)
    if session is None:
        raise LoginExpired(_("Votre identification a expiré : recommencez."))
    return session


class LoginExpired(DomainError):
    """Ten minutes passed between the password and the second factor, or the login was ended meanwhile."""


def complete_login(token: str, *, ip: str | None) -> str:
    """The half session ends and a whole one begins, under another token. Called inside a use case."""
    half = lock(UserSession, half_session(token).id)
    if half.ended_at is not None:
        raise LoginExpired(_("Votre identification a expiré : recommencez."))
    half.ended_at = clock.now()
    return accounts.open_session(half.user_id, ip=ip, user_agent=half.user_agent or "", factor_due=False)


# ---- afterwards


def codes_left(user_id: int) -> int:
    """How many recovery codes still serve."""
    unused = select(func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return db.session.scalar(unused) or 0


@use_case
def renew_codes(user_id: int, *, actor: Actor) -> list[str]:
    """Ten new recovery codes; the former ones serve no more. Raises DomainError without a second factor."""
    user = lock(User, user_id)
    if user.second_factor_since is None:
        raise DomainError(_("Activez d'abord un second facteur."))
    audit.record(actor, "recovery_codes_renewed", user)
    tell(user, "codes_renewed")
    return _new_codes(user)


@use_case
def remove_app(user_id: int, *, actor: Actor) -> None:
    """Switch the app off. Raises DomainError when there is none, or it is the last of who must have one."""
    user = lock(User, user_id)
    if user.totp_secret is None:
        raise DomainError(_("Aucune application n'est reliée à ce compte."))
    user.totp_secret = user.totp_last_step = None
    audit.record(actor, "second_factor_off", user)
    tell(user, "app_removed")
    factor_removed(user)


def factor_removed(user: User) -> None:
    """After an app or a passkey was taken away: when it was the last, codes go too. Inside a use case."""
    db.session.flush()
    passkeys = db.session.scalar(select(func.count()).where(Passkey.user_id == user.id))
    if user.totp_secret is not None or passkeys:
        return
    if is_required(user):
        raise DomainError(
            _("Le second facteur est obligatoire pour vous : ajoutez-en un autre avant de retirer celui-ci.")
        )
    user.second_factor_since = None
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))


@use_case
def reset(user_id: int, *, actor: Actor, reason: str) -> str:
    """Take a lost second factor away (TEA-1): app, passkeys and codes go, sessions end, the person is told by mail.

    For the technical administrator, who made sure of the person; returns the person's address. The next login asks
    the password alone, and who must have a second factor sets up another at once. Raises Forbidden, NotFound,
    DomainError.
    """
    require(actor, Permission.MANAGE_STAFF)
    user = lock(User, user_id)
    if user.id == actor.user_id:
        raise DomainError(_("Personne ne réinitialise son propre second facteur : demandez-le à un collègue."))
    if not reason.strip():
        raise DomainError(_("Écrivez comment vous vous êtes assuré de la personne."), field="reason")
    _take_away(user, actor, reason.strip()[:500])
    return user.email


@use_case
def reset_by_operator(email: str) -> None:
    """The same from the server itself, for the last technical administrator. Raises NotFound, DomainError."""
    user_id = db.session.scalar(select(User.id).where(User.email == email.strip().lower()))
    if user_id is None:
        raise NotFound(_("Aucun compte ne porte cette adresse."))
    _take_away(lock(User, user_id), SYSTEM, "flask staff reset-factor")


def _take_away(user: User, actor: Actor, reason: str) -> None:
    if user.second_factor_since is None:
        raise DomainError(_("Cette personne n'a pas de second facteur."))
    user.totp_secret = user.totp_last_step = user.second_factor_since = None
    for model in (Passkey, RecoveryCode):
        db.session.execute(delete(model).where(model.user_id == user.id))
    accounts.end_sessions(user.id)
    audit.record(actor, "second_factor_reset", user, after={"reason": reason})
    outbox.write("second_factor_reset", to=user.email, locale=user.locale, name=user.display_name,
                 required=is_required(user), link=public_url("auth.login"))  # fmt: skip


def client_to_reset(email: str, *, actor: Actor) -> int:
    """Whose second factor « Équipe » may reset by address: a client's. Raises Forbidden, NotFound on ``email``."""
    require(actor, Permission.MANAGE_STAFF)
    user = db.session.scalar(select(User).where(User.email == email.strip().lower()))
    if user is None or any(grant.role in STAFF_ROLES for grant in user.grants):
        raise NotFound(_("Aucun compte de client ne porte cette adresse."), field="email")
    return user.id


def tell(user: User, event: str, **details: object) -> None:
    """Mail the person what changed in how they log in: a key of SECURITY_EVENTS and what its sentence names."""
    outbox.write(
        "security_changed",
        to=user.email,
        locale=user.locale,
        name=user.display_name,
        sentence=security_sentence(event, **details),
        link=public_url("account.show"),
    )


# ---- the codes themselves


def _step_of(seed: str, code: str, last: int | None) -> int:
    """The half minute whose code was typed, one around the present; a code serves once. Raises DomainError."""
    typed = "".join(str(unicodedata.digit(char)) for char in code if unicodedata.digit(char, None) is not None)
    present = int(clock.now().timestamp()) // STEP
    generator = pyotp.TOTP(seed, interval=STEP)
    for step in (present, present - 1, present + 1):
        if hmac.compare_digest(generator.generate_otp(step), typed):
            if last is not None and step <= last:
                raise DomainError(_("Ce code a déjà servi : attendez le suivant, 30 secondes au plus."), field="code")
            return step
    raise DomainError(
        _(
            "Ce code n'est pas le bon. Écrivez celui que l'application affiche maintenant ; "
            "l'heure du téléphone doit être juste."
        ),
        field="code",
    )


def _new_codes(user: User) -> list[str]:
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    codes = ["-".join("".join(secrets.choice(_ALPHABET) for _i in range(4)) for _j in range(4))
             for _k in range(RECOVERY_CODES)]  # fmt: skip
    db.session.add_all(RecoveryCode(user_id=user.id, code_hash=hash_token(code.replace("-", ""))) for code in codes)
    return codes


def _tries(user_id: int, ip: str | None) -> str:
    return attempts.key_for("factor:account", f"{user_id}|{ip}")


def _count_try(user_id: int, ip: str | None) -> None:
    """Ten tries a quarter of an hour from one address; from where the person never came from, thirty, 100 a day."""
    attempts.count_attempt(_tries(user_id, ip), limit=TRIES, window=WINDOW)
    user = db.session.get_one(User, user_id)
    if not accounts.has_come_from(user.email, ip):
        key = attempts.key_for("factor:owner", str(user_id))
        attempts.count_attempt(key, limit=TRIES_FROM_ELSEWHERE, window=WINDOW)
        key = attempts.key_for("factor:day", str(user_id))
        attempts.count_attempt(key, limit=A_DAY_FROM_ELSEWHERE, window=DAY)


def forget_tries(user_id: int, ip: str | None) -> None:
    """The second factor was given: its tries no longer count."""
    attempts.forget_attempts(_tries(user_id, ip))

"""Passkeys: WebAuthn registration and authentication, as a second factor (LOG-4, docs/adr/0101).

The challenge is kept with the session it was made for, serves once and lasts five minutes. Addresses come from
PUBLIC_URL; the browser itself refuses keys of another site.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app import clock
from app.errors import DomainError, NotFound
from app.extensions import db
from app.models import Passkey, User, UserSession
from app.permissions import Actor
from app.services import accounts, audit, second_factor
from app.services.locking import lock
from app.services.unit_of_work import use_case

CHALLENGE_LIFE = timedelta(minutes=5)
MOST = 10
LONGEST_NAME = 60
LONGEST_ANSWER = 20_000


def site() -> tuple[str, str]:
    """The domain that keys belong to, and the address pages must be at: both of PUBLIC_URL."""
    parts = urlsplit(current_app.config["PUBLIC_URL"])
    return parts.hostname or "", f"{parts.scheme}://{parts.netloc}"


def has_domain() -> bool:
    """Can keys be made here? A site known by numbers (127.0.0.1) has none: no browser makes a key for it."""
    return re.fullmatch(r"[\d.]+|.*:.*|", site()[0]) is None


def passkeys_of(user_id: int) -> list[Passkey]:
    """A person's passkeys, the oldest first."""
    return list(db.session.scalars(select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id)))


def passkey_of(user_id: int, passkey_id: int) -> Passkey:
    """One of a person's own. Raises NotFound for anybody else's (PPL-2)."""
    found = db.session.scalar(select(Passkey).where(Passkey.id == passkey_id, Passkey.user_id == user_id))
    if found is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    return found


# ---- adding one


@use_case
def registration_options(session_id: int, name: str) -> str:
    """What the browser needs to make a key for the session's person (JSON). Raises DomainError on ``name``."""
    import webauthn
    from webauthn.helpers.structs import AuthenticatorSelectionCriteria, ResidentKeyRequirement

    session = lock(UserSession, session_id)
    user = session.user
    _check_name(user.id, name)
    options = webauthn.generate_registration_options(
        rp_id=site()[0],
        rp_name=second_factor.ISSUER,
        user_id=hashlib.sha256(f"ecert-user-{user.id}".encode()).digest(),
        user_name=user.email,
        user_display_name=user.display_name,
        challenge=_new_challenge(session),
        authenticator_selection=AuthenticatorSelectionCriteria(resident_key=ResidentKeyRequirement.DISCOURAGED),
        exclude_credentials=_descriptors(user.id),
    )
    return webauthn.options_to_json(options)


def add_passkey(session_id: int, name: str, answer: str, *, actor: Actor, keep_token: str | None) -> list[str]:
    """Keep the key the browser made; the recovery codes to show once when it is the first second factor.

    The person's other sessions end. Raises DomainError (``name``, or the browser's answer does not hold).
    """
    challenge = _challenge_of(session_id)
    return _add_passkey(session_id, name, answer, challenge, actor=actor, keep_token=keep_token)


@use_case
def _add_passkey(
    session_id: int, name: str, answer: str, challenge: bytes, *, actor: Actor, keep_token: str | None
) -> list[str]:
    import webauthn
    from webauthn.helpers import bytes_to_base64url

    user = lock(User, db.session.get_one(UserSession, session_id).user_id)
    called = _check_name(user.id, name)
    credential = _parsed(answer)
    host, origin = site()
    try:
        made = webauthn.verify_registration_response(
            credential=credential, expected_challenge=challenge, expected_rp_id=host, expected_origin=origin
        )
    except Exception as refused:  # what is forged may break its reading anywhere
        raise _not_recognised() from refused
    key = Passkey(
        user_id=user.id,
        credential_id=bytes_to_base64url(made.credential_id),
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        transports=_transports(credential),
        name=called,
        created_at=clock.now(),
    )
    db.session.add(key)
    try:
        db.session.flush()
    except IntegrityError:
        raise DomainError(_("Cette clé est déjà enregistrée.")) from None
    audit.record(actor, "passkey_added", user, after={"name": called})
    second_factor.tell(user, "passkey_added", key=called)
    accounts.end_sessions(user.id, except_token=keep_token)
    return second_factor.first_factor_added(user)


def _check_name(user_id: int, name: str) -> str:
    """The key's name, tidied. Raises DomainError on ``name`` (none, too long, taken), or when there are ten keys."""
    called, mine = " ".join(name.split()), passkeys_of(user_id)
    if not called or len(called) > LONGEST_NAME:
        raise DomainError(
            _("Donnez un nom à cette clé, en %(most)d caractères au plus.", most=LONGEST_NAME), field="name"
        )
    if called.casefold() in {each.name.casefold() for each in mine}:
        raise DomainError(_("Une de vos clés porte déjà ce nom."), field="name")
    if len(mine) >= MOST:
        raise DomainError(_("Dix clés au plus : retirez-en une."))
    return called


@use_case
def remove_passkey(passkey_id: int, *, actor: Actor) -> None:
    """Take one of one's own keys away. Raises NotFound, DomainError (the last, where a second factor is compulsory)."""
    if actor.user_id is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    user = lock(User, actor.user_id)
    key = passkey_of(user.id, passkey_id)
    db.session.delete(key)
    audit.record(actor, "passkey_removed", user, before={"name": key.name})
    second_factor.tell(user, "passkey_removed", key=key.name)
    second_factor.factor_removed(user)


# ---- giving one at the login


def authentication_options(token: str) -> str:
    """What the browser needs to sign with one of the person's keys (JSON). Raises LoginExpired."""
    return _authentication_options(second_factor.half_session(token).id)


@use_case
def _authentication_options(session_id: int) -> str:
    import webauthn

    session = lock(UserSession, session_id)
    options = webauthn.generate_authentication_options(
        rp_id=site()[0], challenge=_new_challenge(session), allow_credentials=_descriptors(session.user_id)
    )
    return webauthn.options_to_json(options)


def pass_by_passkey(token: str, answer: str, *, ip: str | None) -> str:
    """A signature by one of the person's keys completes a login; the new session's token.

    Raises DomainError when it does not hold, LoginExpired.
    """
    session = second_factor.half_session(token)
    challenge = _challenge_of(session.id)
    passed = _pass_by_passkey(session.user_id, token, answer, challenge, ip=ip)
    second_factor.forget_tries(session.user_id, ip)
    return passed


@use_case
def _pass_by_passkey(user_id: int, token: str, answer: str, challenge: bytes, *, ip: str | None) -> str:
    import webauthn

    lock(User, user_id)
    credential = _parsed(answer)
    key = db.session.scalar(
        select(Passkey).where(Passkey.user_id == user_id, Passkey.credential_id == str(credential.get("id", "")))
    )
    if key is None:
        raise _not_recognised()
    host, origin = site()
    try:
        signed = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=host,
            expected_origin=origin,
            credential_public_key=key.public_key,
            credential_current_sign_count=key.sign_count,
        )
    except Exception as refused:  # what is forged may break its reading anywhere
        raise _not_recognised() from refused
    key.sign_count, key.last_used_at = signed.new_sign_count, clock.now()
    return second_factor.complete_login(token, ip=ip)


# ---- parts


def _new_challenge(session: UserSession) -> bytes:
    session.challenge, session.challenge_at = secrets.token_urlsafe(32), clock.now()
    return session.challenge.encode()


def _challenge_of(session_id: int) -> bytes:
    """The session's challenge, used up whatever comes of it. Raises DomainError when there is none, or it is old."""
    challenge = _take_challenge(session_id)
    if not challenge:
        raise _not_recognised()
    return challenge.encode()


@use_case
def _take_challenge(session_id: int) -> str | None:
    session = lock(UserSession, session_id)
    challenge, at = session.challenge, session.challenge_at
    session.challenge = session.challenge_at = None
    return challenge if at is not None and at + CHALLENGE_LIFE > clock.now() else None


def _parsed(answer: str) -> dict[str, Any]:
    try:
        value = json.loads(answer) if len(answer) <= LONGEST_ANSWER else None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise _not_recognised()
    return value


def _transports(credential: dict[str, Any]) -> str:
    """How the key talks (usb, internal …): only a hint for the browser, kept when it is well formed."""
    response = credential.get("response")
    given = response.get("transports") if isinstance(response, dict) else None
    if not isinstance(given, list):
        return ""
    known = {"usb", "nfc", "ble", "smart-card", "internal", "cable", "hybrid"}
    return ",".join(sorted(known & {each for each in given if isinstance(each, str)}))


def _descriptors(user_id: int) -> list[Any]:
    from webauthn.helpers import base64url_to_bytes
    from webauthn.helpers.structs import AuthenticatorTransport, PublicKeyCredentialDescriptor

    return [
        PublicKeyCredentialDescriptor(
            id=base64url_to_bytes(key.credential_id),
            transports=[AuthenticatorTransport(each) for each in key.transports.split(",") if each] or None,
        )
        for key in passkeys_of(user_id)
    ]


def _not_recognised() -> DomainError:
    return DomainError(_("Cette clé n'a pas été reconnue. Recommencez, ou choisissez un autre moyen."))

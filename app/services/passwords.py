"""Passwords: Argon2id, temporary ones, and the offline list of breached ones (ACT-1, ACT-2, SEC-6)."""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from flask_babel import gettext as _

from app.errors import DomainError
from app.identifiers import fold

MINIMUM_LENGTH = 12
MAXIMUM_LENGTH = 256
# 47 ms a verification, after OWASP's second recommended setting.
_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
# For random ones alone: 93 bits need no slowness, and five hundred people are invited in one transaction (ADR 92).
_quick_hasher = PasswordHasher(time_cost=1, memory_cost=256, parallelism=1)
_QUICK = "m=256,t=1,"
# Without look-alikes (0 O 1 l I), because people type them from a mail on a phone.
_ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$xGrQ5P9WbNfkNj9KsxlHJw$VGUvJHWbTVQW7Fx1kTWI0puVwWOmhlwrDIistATxSx8"
_BREACHED = Path(__file__).resolve().parent.parent / "data" / "breached_passwords.txt"
_ENDS = re.compile(r"^[\W\d_]+|[\W\d_]+$")


def hash_password(password: str) -> str:
    """Argon2id hash."""
    return _hasher.hash(password)


def hash_temporary_password(password: str) -> str:
    """Argon2id hash of a password that ``new_temporary_password`` made: nobody guesses it, however fast the hash."""
    return _quick_hasher.hash(password)


def dummy_hash() -> str:
    """A hash nobody's password has: verified for unknown accounts, so that they answer in the same time (LOG-2).

    Written down, so that not even the first unknown account of a process costs more than the others.
    """
    return _NOBODY


def verify_password(stored: str | None, password: str) -> bool:
    """Compare in constant cost: with no stored hash, or a quick one, the slow work is done all the same (LOG-2)."""
    quick = stored is not None and _QUICK in stored
    slow = _matches(dummy_hash() if stored is None or quick else stored, password)
    return _matches(stored, password) if stored is not None and quick else slow and stored is not None


def _matches(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password[:MAXIMUM_LENGTH])
    except (Argon2Error, InvalidHashError):
        return False


def new_temporary_password() -> str:
    """Random, 16 characters in four groups: about 93 bits (ACT-1)."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _i in range(4)) for _j in range(4))


def hash_token(token: str) -> str:
    """SHA-256 of a random token: what the database keeps of sessions, drafts and recovery codes."""
    return hashlib.sha256(token.encode()).hexdigest()


@lru_cache(maxsize=1)
def _breached() -> frozenset[str]:
    return frozenset(_BREACHED.read_text(encoding="utf-8").split())


def is_breached(password: str) -> bool:
    """Is it on the offline list: as it is, without what people add at the ends, or repeated? (ACT-2)"""
    lowered = unicodedata.normalize("NFC", password).lower()
    joined = "".join(char for char in lowered if char.isalnum())
    known = _breached()
    return (
        len(set(lowered)) < 5
        or not known.isdisjoint({lowered, joined, _core(lowered), _core(joined), _unit(lowered), _core(_unit(joined))})
        or len(_unit(lowered)) <= 6
        or _is_sequence(lowered)
    )


def _core(text: str) -> str:
    """Without the figures and marks before and after the word: « Motdepasse2026! » is « motdepasse »."""
    return _ENDS.sub("", text)


def _unit(text: str) -> str:
    """The part that is repeated, « abcd12 » of « abcd12abcd12 »; the text itself when nothing is."""
    return text[: (text + text).find(text, 1)] if text else text


def _is_sequence(text: str) -> bool:
    """Mostly a run up or down, « abcdefghijkl » or « 987654321098 »."""
    steps = [ord(after) - ord(before) for before, after in pairwise(text)]
    return sum(step in (1, -1) for step in steps) >= len(steps) * 3 // 4


def check_new_password(password: str, *, about: tuple[str, ...] = ()) -> None:
    """Refuse a short, breached or obvious password. Raises DomainError with the sentence to show (ACT-2).

    ``about`` holds words a guesser would try first: the e-mail, names, the organisation.
    """
    if len(password) < MINIMUM_LENGTH:
        raise DomainError(
            _("Choisissez au moins 12 caractères : une phrase de quelques mots convient très bien."),
            field="password",
        )
    if len(password) > MAXIMUM_LENGTH:
        raise DomainError(_("Choisissez au plus 256 caractères."), field="password")
    if is_breached(password):
        raise DomainError(
            _("Ce mot de passe figure parmi ceux que les pirates essaient en premier. Choisissez-en un autre."),
            field="password",
        )
    plain = fold(password).replace(" ", "")
    for word in about:
        known = fold(word.split("@")[0]).replace(" ", "")
        if len(known) >= 4 and known in plain and len(plain) - len(known) < 6:
            raise DomainError(
                _("Ce mot de passe ressemble trop à votre nom ou à votre adresse. Choisissez-en un autre."),
                field="password",
            )

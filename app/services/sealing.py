"""Secrets that must be read again, kept encrypted: authenticator seeds (LOG-4, docs/adr/0099).

The key is derived from SECRET_KEY, so a copy of the database alone opens nothing. Former keys named in
SECRET_KEY_FALLBACKS still open what they sealed.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app


def _fernet() -> MultiFernet:
    keys = [current_app.config["SECRET_KEY"], *(current_app.config.get("SECRET_KEY_FALLBACKS") or [])]
    return MultiFernet([Fernet(_derived(key)) for key in keys])


def _derived(secret: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"ecert: secrets at rest").derive(secret.encode())
    return base64.urlsafe_b64encode(derived)


def seal(value: Any) -> str:
    """Encrypt a JSON value."""
    return _fernet().encrypt(json.dumps(value).encode()).decode()


def unseal(sealed: str) -> Any:
    """The value; None when it is forged, or sealed with a key we have no more."""
    try:
        return json.loads(_fernet().decrypt(sealed.encode()))
    except (InvalidToken, ValueError):
        return None

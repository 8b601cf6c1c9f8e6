"""Reading the authorities that an operator trusts for signed contracts, as pasted into the settings (REV-3, REF-1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from app.errors import DomainError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

MAX_LENGTH = 200_000
"""Letters pasted: a hundred authorities and more."""
_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)

SENTENCES: dict[str, object] = {
    "too_large": _l("Ce texte est trop long : collez les seuls certificats des autorités, au format PEM."),
    "private_key": _l(
        "Ce texte contient une clé privée : elle ne doit jamais être collée ici. Collez le certificat seul."
    ),
    "not_pem": _l(
        "Collez un ou plusieurs certificats d'autorités au format PEM, de « -----BEGIN CERTIFICATE----- » à "
        "« -----END CERTIFICATE----- » compris."
    ),
}


class UnreadableRoots(DomainError):
    """The text holds something else than authorities' certificates; the sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Root:
    """A trusted authority. ``not_after`` is aware, in UTC; ``pem`` in one spelling, whatever was pasted."""

    name: str
    not_after: datetime
    pem: str
    fingerprint: str


def read_roots(text: str) -> tuple[Root, ...]:
    """The authorities in a text, each once, in order; none in an empty one. Raises UnreadableRoots."""
    if not text.strip():
        return ()
    if len(text) > MAX_LENGTH:
        raise UnreadableRoots(SENTENCES["too_large"])
    labels = {match[1] for match in _BLOCK.finditer(text)}
    if "PRIVATE KEY-----" in text:
        raise UnreadableRoots(SENTENCES["private_key"])
    if labels != {"CERTIFICATE"} or _BLOCK.sub("", text).count("-----BEGIN"):
        raise UnreadableRoots(SENTENCES["not_pem"])
    found: dict[str, Root] = {}
    for place, block in enumerate(_BLOCK.finditer(text), start=1):
        root = _root(block[0], place)
        found.setdefault(root.fingerprint, root)
    return tuple(found.values())


def _root(block: str, place: int) -> Root:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization

    try:
        certificate = x509.load_pem_x509_certificate(block.encode())
        is_authority = _is_authority(certificate)
    except ValueError as error:
        message = _l(
            "Le certificat n° %(place)d est abîmé et ne peut pas être lu. Exportez-le de nouveau.", place=place
        )
        raise UnreadableRoots(message) from error
    if not is_authority:
        raise UnreadableRoots(
            _l(
                "Le certificat n° %(place)d (%(name)s) n'est pas celui d'une autorité. Collez celui de l'autorité qui "
                "l'a émis.",
                place=place,
                name=_name(certificate),
            )
        )
    return Root(
        _name(certificate),
        certificate.not_valid_after_utc,
        certificate.public_bytes(serialization.Encoding.PEM).decode(),
        certificate.fingerprint(hashes.SHA256()).hex(),
    )


def _is_authority(certificate: Certificate) -> bool:
    from cryptography import x509

    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:  # a root of the first version has no extensions at all
        return certificate.version is x509.Version.v1 and certificate.issuer == certificate.subject


def _name(certificate: Certificate) -> str:
    from cryptography.x509.oid import NameOID

    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()

"""What a generated certificate says, read from the certificate itself (CRT-1). Pure: no database, no clock.

PEM or DER, with or without its authorities' certificates around it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l

from app.errors import DomainError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, Name

LIMIT = 64 * 1024
"""Bytes: a certificate with its chain takes some kilobytes."""
BATCH_LIMIT = 4 * 1024 * 1024
"""Bytes of a file that may hold hundreds of them."""
MIN_RSA_BITS = 2048
MIN_CURVE_BITS = 256
_PEM_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_CERTIFICATE_LABELS = frozenset({b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE"})

SENTENCES: dict[str, object] = {
    "empty": _l("Ce fichier est vide. Choisissez le certificat généré (PEM ou DER)."),
    "too_large": _l("Ce fichier est trop grand pour être un certificat. Choisissez le certificat généré (PEM ou DER)."),
    "private_key": _l(
        "Ce fichier contient une clé privée : elle ne doit jamais être envoyée. Choisissez le certificat seul."
    ),
    "request": _l(
        "Ce fichier est une demande de certificat (CSR), pas un certificat. Choisissez le certificat généré."
    ),
    "bundle": _l("Ce fichier est un recueil (PKCS#7 ou PKCS#12). Choisissez le certificat seul, en PEM ou DER."),
    "not_a_certificate": _l("Ce fichier n'est pas un certificat. Choisissez le certificat généré (PEM ou DER)."),
    "damaged": _l("Ce certificat est abîmé et ne peut pas être lu. Exportez-le de nouveau."),
    "several": _l("Ce fichier contient plusieurs certificats de personnes. Choisissez celui de cette demande."),
    "authority": _l("Ce certificat est celui d'une autorité, pas d'une personne."),
}


class UnreadableCertificate(DomainError):
    """The file holds no certificate that could be one person's; ``code`` is a key of ``SENTENCES``."""

    def __init__(self, code: str) -> None:
        super().__init__(SENTENCES[code], field="file")
        self.code = code


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """A certificate's contents. ``serial_number`` in lower-case hexadecimal; moments aware, in UTC.

    ``identifier`` is the subject's serialNumber attribute, where the identity number stands.
    """

    serial_number: str
    issuer: str
    subject: str
    common_name: str
    identifier: str
    organisation: str
    not_before: datetime
    not_after: datetime
    key_description: str
    key_is_strong: bool
    fingerprint: str
    pem: str

    @property
    def identity_number(self) -> str:
        """The identity number without its scheme: « IDCTN-01234567 », « CIN 01234567 » give 01234567."""
        return identity_number(self.identifier)


def identity_number(identifier: str) -> str:
    """The number within a subject's serialNumber: ETSI EN 319 412-1 (« PASTN-… »), a labelled or a bare number."""
    compact = re.sub(r"[\s.:/_]+", "", identifier).upper()
    semantic = re.fullmatch(r"[A-Z]{2}[A-Z:][A-Z]{2}-(.+)", compact)
    if semantic:
        return semantic[1]
    return re.sub(r"^(CIN|CNI|PASSEPORT|PASSPORT|CARTESEJOUR|CS)-?(?=[A-Z0-9]*[0-9])", "", compact)


def read_certificate(data: bytes) -> CertificateFacts:
    """The one person's certificate in a file. Raises UnreadableCertificate, whose sentence says what to do."""
    _check_size(data, LIMIT)
    certificates = _pem_certificates(data) if b"-----BEGIN " in data else [_der_certificate(data)]
    people = [each for each in certificates if not _is_authority(each)]
    if not people:
        raise UnreadableCertificate("authority")
    if len({each.tbs_certificate_bytes for each in people}) > 1:
        raise UnreadableCertificate("several")
    return _facts(people[0])


def read_certificates(data: bytes) -> list[CertificateFacts | UnreadableCertificate]:
    """Every person's certificate in a file, in its order, authorities left out: a PEM bundle holds many (CRT-1).

    A block that is damaged stands in its place as its refusal and stops no other. Raises UnreadableCertificate for
    a file with no person's certificate at all, or with something that must not be there, such as a private key.
    """
    _check_size(data, BATCH_LIMIT)
    if b"-----BEGIN " not in data:
        return [read_certificate(data)]
    found: dict[object, CertificateFacts | UnreadableCertificate] = {}
    blocks = _pem_blocks(data)
    for place, block in enumerate(blocks):
        try:
            certificate = _pem_certificate(block)
            if not _is_authority(certificate):
                facts = _facts(certificate)
                found.setdefault(facts.fingerprint, facts)
        except UnreadableCertificate as refusal:
            found[place] = refusal
    if sum(data.count(b"-----BEGIN " + label + b"-----") for label in _CERTIFICATE_LABELS) > len(blocks):
        found[len(blocks)] = UnreadableCertificate("damaged")  # cut short, or two run into one
    if not found:
        raise UnreadableCertificate("authority")
    return list(found.values())


def is_issued_by(pem: str, authority_pem: str) -> bool:
    """Did this authority sign the certificate? Names and signature both: a name alone is anybody's to write."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature

    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority_pem.encode()))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _check_size(data: bytes, limit: int) -> None:
    if not data.strip():
        raise UnreadableCertificate("empty")
    if len(data) > limit:
        raise UnreadableCertificate("too_large")


def _pem_certificates(data: bytes) -> list[Certificate]:
    return [_pem_certificate(block) for block in _pem_blocks(data)]


def _pem_certificate(block: bytes) -> Certificate:
    from cryptography import x509

    plain = re.sub(rb"(BEGIN|END) (X509|TRUSTED) CERTIFICATE", rb"\1 CERTIFICATE", block)
    try:
        return x509.load_pem_x509_certificate(plain)
    except ValueError as error:
        raise UnreadableCertificate("damaged") from error


def _pem_blocks(data: bytes) -> list[bytes]:
    """The certificates' blocks of a PEM file. Raises UnreadableCertificate when it holds none, or a private key."""
    labels = {match[1] for match in _PEM_BLOCK.finditer(data)} or {data.split(b"-----BEGIN ", 1)[1].split(b"-----")[0]}
    if any(label.endswith(b"PRIVATE KEY") for label in labels):
        raise UnreadableCertificate("private_key")
    if not labels & _CERTIFICATE_LABELS:
        if any(label.endswith(b"CERTIFICATE REQUEST") for label in labels):
            raise UnreadableCertificate("request")
        raise UnreadableCertificate("bundle" if labels & {b"PKCS7", b"CMS"} else "not_a_certificate")
    blocks = [match[0] for match in _PEM_BLOCK.finditer(data) if match[1] in _CERTIFICATE_LABELS]
    if not blocks:
        raise UnreadableCertificate("damaged")
    return blocks


def _der_certificate(data: bytes) -> Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.serialization import pkcs7

    try:
        return x509.load_der_x509_certificate(data)
    except ValueError:
        pass
    kinds: list[tuple[str, Any]] = [
        ("request", x509.load_der_x509_csr),
        ("private_key", lambda raw: serialization.load_der_private_key(raw, None)),
        ("bundle", pkcs7.load_der_pkcs7_certificates),
    ]
    for code, load in kinds:
        try:
            load(data)
        except Exception as error:
            if code == "private_key" and isinstance(error, TypeError):  # it is one, under a password
                raise UnreadableCertificate(code) from error
            continue
        raise UnreadableCertificate(code)
    raise UnreadableCertificate("damaged" if data[:2] in (b"\x30\x82", b"\x30\x81") else "not_a_certificate")


def _is_authority(certificate: Certificate) -> bool:
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
    except ValueError as error:
        raise UnreadableCertificate("damaged") from error


def _facts(certificate: Certificate) -> CertificateFacts:
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509.oid import NameOID

    try:
        description, strong = _key(certificate)
        subject = certificate.subject
        return CertificateFacts(
            serial_number=f"{certificate.serial_number:x}",
            issuer=certificate.issuer.rfc4514_string()[:255],
            subject=subject.rfc4514_string()[:255],
            common_name=_attribute(subject, NameOID.COMMON_NAME),
            identifier=_attribute(subject, NameOID.SERIAL_NUMBER),
            organisation=_attribute(subject, NameOID.ORGANIZATION_NAME),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            key_description=description,
            key_is_strong=strong,
            fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
            pem=certificate.public_bytes(serialization.Encoding.PEM).decode("ascii"),
        )
    except UnreadableCertificate:
        raise
    except Exception as error:  # a parser of strangers' bytes: whatever it raises, the file is unreadable
        raise UnreadableCertificate("damaged") from error


def _attribute(name: Name, oid: Any) -> str:
    found = name.get_attributes_for_oid(oid)
    return " ".join(str(found[0].value).split()) if found else ""


def _key(certificate: Certificate) -> tuple[str, bool]:
    """What the key is called and whether it is long enough (RSA 2048, elliptic curves 256, Edwards curves)."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return "?", False
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}", key.key_size >= MIN_RSA_BITS
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}"[:40], key.curve.key_size >= MIN_CURVE_BITS
    if isinstance(key, (ed25519.Ed25519PublicKey, ed448.Ed448PublicKey)):
        return "EdDSA", True
    return type(key).__name__.removesuffix("PublicKey").lstrip("_")[:40], False

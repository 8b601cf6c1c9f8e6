"""Certificates for the demonstration, issued by an invented authority that only the demonstration trusts (CRT-1)."""

from __future__ import annotations

import functools
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Name

ISSUER = "TunTrust Qualified Gov CA (démonstration)"
# ETSI EN 319 412-1: an identity card (IDC) of Tunisia (TN), in the subject's serialNumber.
CIN_PREFIX = "IDCTN-"


def self_signed_certificate(
    cn: str,
    cin: str,
    org: str,
    serial: int,
    not_before: datetime,
    not_after: datetime,
    *,
    email: str | None = None,
) -> bytes:
    """Return the PEM of a certificate for that person (P-256), issued by ``ISSUER``.

    The authority's key is made once for each process and never leaves it. Moments are aware.
    """
    return certificate_with_key(cn, cin, org, serial, not_before, not_after, email=email)[0]


def certificate_with_key(
    cn: str,
    cin: str,
    org: str,
    serial: int,
    not_before: datetime,
    not_after: datetime,
    *,
    email: str | None = None,
) -> tuple[bytes, EllipticCurvePrivateKey]:
    """The same with its key, to sign with."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    authority = _authority_key()
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "TN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, org[:64]),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, f"{CIN_PREFIX}{cin}"),
            x509.NameAttribute(NameOID.COMMON_NAME, cn[:64]),
        ]
    )
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(_issuer_name())
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.EMAIL_PROTECTION]),
            critical=False,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False)
    )
    if email:
        names = x509.SubjectAlternativeName([x509.RFC822Name(email)])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(authority, hashes.SHA256()).public_bytes(serialization.Encoding.PEM), key


def demo_authority_certificate(not_before: datetime) -> bytes:
    """Return the PEM of the invented authority itself, valid for ten years."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization

    key = _authority_key()
    return (
        x509.CertificateBuilder()
        .subject_name(_issuer_name())
        .issuer_name(_issuer_name())
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_before + timedelta(days=3652))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )


@functools.cache
def _authority_key() -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _issuer_name() -> Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "TN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Agence Nationale de Certification Electronique"),
            x509.NameAttribute(NameOID.COMMON_NAME, ISSUER),
        ]
    )

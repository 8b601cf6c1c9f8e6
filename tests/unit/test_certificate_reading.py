"""Reading a generated certificate: what it says, and every file that is none (CRT-1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from app.inspection.certificates import LIMIT, UnreadableCertificate, identity_number, read_certificate

PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
START = datetime(2026, 11, 1, tzinfo=UTC)


@lru_cache
def key_of(kind: str) -> Any:
    """One key of each kind a run."""
    return {
        "rsa1024": lambda: rsa.generate_private_key(65537, 1024),
        "rsa2048": lambda: rsa.generate_private_key(65537, 2048),
        "p192": lambda: ec.generate_private_key(ec.SECP192R1()),
        "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate,
        "dsa": lambda: dsa.generate_private_key(2048),
    }[kind]()


def issue(kind: str = "p256", *, cn: str = "Foulan Ben Foulan", ca: bool = False, **subject: str) -> x509.Certificate:
    """A certificate signed by an authority of the test's own."""
    names = {NameOID.COMMON_NAME: cn, NameOID.SERIAL_NUMBER: "IDCTN-01234567"}
    names |= {getattr(NameOID, name): text for name, text in subject.items()}
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(oid, text) for oid, text in names.items() if text]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Autorité d'essai")]))
        .public_key(key_of(kind).public_key())
        .serial_number(0xC0FFEE)
        .not_valid_before(START)
        .not_valid_after(START + timedelta(days=730))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    return builder.sign(key_of("p256"), hashes.SHA256())


@pytest.mark.spec("CRT-1")
def test_pem_and_der_say_the_same() -> None:
    certificate = issue()
    facts = read_certificate(certificate.public_bytes(PEM))
    assert read_certificate(certificate.public_bytes(DER)) == facts
    assert (facts.serial_number, facts.common_name, facts.identity_number) == (
        "c0ffee",
        "Foulan Ben Foulan",
        "01234567",
    )
    assert (facts.not_before, facts.not_after) == (START, START + timedelta(days=730))
    assert (facts.key_description, facts.key_is_strong) == ("EC secp256r1", True)
    assert facts.fingerprint == certificate.fingerprint(hashes.SHA256()).hex()
    assert "Autorité d'essai" in facts.issuer


@pytest.mark.spec("CRT-1")
def test_text_around_and_the_chain_do_not_matter() -> None:
    chain = b"subject=Foulan\r\n" + issue().public_bytes(PEM) + issue(cn="Racine", ca=True).public_bytes(PEM)
    assert read_certificate(chain).common_name == "Foulan Ben Foulan"
    windows = issue().public_bytes(PEM).replace(b"\n", b"\r\n")
    assert read_certificate(windows).common_name == "Foulan Ben Foulan"
    old_label = issue().public_bytes(PEM).replace(b" CERTIFICATE-", b" X509 CERTIFICATE-")
    assert read_certificate(old_label).common_name == "Foulan Ben Foulan"


@pytest.mark.parametrize(
    ("kind", "strong"),
    [("rsa1024", False), ("rsa2048", True), ("p192", False), ("p256", True), ("ed25519", True), ("dsa", False)],
)
@pytest.mark.spec("CRT-1")
def test_a_key_is_strong_from_rsa_2048_and_curves_of_256(kind: str, strong: bool) -> None:
    assert read_certificate(issue(kind).public_bytes(PEM)).key_is_strong is strong


def _csr() -> x509.CertificateSigningRequest:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Foulan")])
    return x509.CertificateSigningRequestBuilder().subject_name(name).sign(key_of("p256"), hashes.SHA256())


def _private(encoding: serialization.Encoding) -> bytes:
    raw: bytes = key_of("p256").private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return raw


def wrong_files() -> list[tuple[str, bytes]]:
    """(code expected, file)."""
    good = issue()
    pem = good.public_bytes(PEM)
    return [
        ("empty", b""),
        ("empty", b"  \r\n"),
        ("too_large", pem + b" " * LIMIT),
        ("not_a_certificate", b"%PDF-1.7 ..."),
        ("not_a_certificate", b"Bonjour, voici le certificat"),
        (
            "not_a_certificate",
            key_of("p256").public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        ),
        ("request", _csr().public_bytes(PEM)),
        ("request", _csr().public_bytes(DER)),
        ("private_key", _private(PEM)),
        ("private_key", _private(DER)),
        ("private_key", pem + _private(PEM)),
        ("bundle", pkcs7.serialize_certificates([good], PEM)),
        ("bundle", pkcs7.serialize_certificates([good], DER)),
        (
            "damaged",
            pkcs12.serialize_key_and_certificates(b"x", key_of("p256"), good, None, serialization.NoEncryption()),
        ),
        ("damaged", good.public_bytes(DER)[:-20]),
        ("damaged", pem[:200]),
        ("damaged", pem.replace(b"M", b"!", 3)),
        ("authority", issue(cn="Racine", ca=True).public_bytes(PEM)),
        ("several", pem + issue(cn="Autre").public_bytes(PEM)),
    ]


@pytest.mark.spec("CRT-1")
@pytest.mark.parametrize("place", range(19))
def test_a_file_that_is_no_person_s_certificate_is_refused_with_its_reason(place: int) -> None:
    code, data = wrong_files()[place]
    with pytest.raises(UnreadableCertificate) as refusal:
        read_certificate(data)
    assert refusal.value.code == code
    assert refusal.value.field == "file"


@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with pytest.raises(UnreadableCertificate):
        read_certificate(data)
    with pytest.raises(UnreadableCertificate):
        read_certificate(b"-----BEGIN CERTIFICATE-----\n" + data + b"\n-----END CERTIFICATE-----\n")


@pytest.mark.parametrize(
    ("attribute", "number"),
    [
        ("IDCTN-01234567", "01234567"),
        ("PASTN-X1234567", "X1234567"),
        ("CIN:01234567", "01234567"),
        ("CIN 01234567", "01234567"),
        ("01234567", "01234567"),
        ("passeport X12 345", "X12345"),
        ("", ""),
    ],
)
def test_the_identity_number_is_read_without_its_scheme(attribute: str, number: str) -> None:
    assert identity_number(attribute) == number

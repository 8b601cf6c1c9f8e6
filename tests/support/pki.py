"""Authorities, certificates and PDFs signed with them, for the tests of signed contracts (REV-3, CON-1).

``make_ca()`` an authority, ``issue(ca, cn, serial_number=…, not_before=…, not_after=…)`` a person's certificate,
``sign_pdf(pdf, signer, visible=False)`` the PDF with one more signature, as an incremental update. Keys are P-256 and
made here, at each run; authorities and certificates asked for with the same words are made once a run.
"""

from __future__ import annotations

import functools
import io
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FAR_AWAY = datetime(2040, 1, 1, tzinfo=UTC)
SIGNED_AT = datetime(2026, 10, 1, 9, 30, tzinfo=UTC)
"""When ``sign_pdf`` says it signed, unless told otherwise."""

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Holder:
    """A certificate with its key. ``chain``: the certificates above it, nearest first, the root last."""

    certificate: x509.Certificate
    key: Key
    chain: tuple[x509.Certificate, ...] = field(default=())

    @property
    def pem(self) -> str:
        """What one would paste into the settings."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def name(self) -> str:
        """Its common name."""
        return str(self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


@functools.cache
def make_ca(cn: str = "Autorité d'essai", *, above: Holder | None = None) -> Holder:
    """An authority; under ``above``, or else a root."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(cn, "")
    builder = _builder(name, above.certificate.subject if above else name, key, LONG_AGO, FAR_AWAY)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(_usage(authority=True), critical=True)
    issuer = above.key if above else key
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False
    )
    chain = (above.certificate, *above.chain) if above else ()
    return Holder(builder.sign(issuer, hashes.SHA256()), key, chain)


@functools.cache
def issue(
    ca: Holder | None,
    cn: str,
    *,
    serial_number: str = "",
    not_before: datetime = LONG_AGO,
    not_after: datetime = FAR_AWAY,
    rsa_bits: int = 0,
    may_sign: bool = True,
) -> Holder:
    """A person's certificate from that authority; without one, self-signed.

    ``serial_number`` is the subject's (« IDCTN-01234567 »); ``rsa_bits`` makes an RSA key of that size instead of
    P-256; not ``may_sign``: a certificate for key exchange only.
    """
    key: Key = rsa.generate_private_key(65537, rsa_bits) if rsa_bits else ec.generate_private_key(ec.SECP256R1())
    name = _name(cn, serial_number)
    builder = _builder(name, ca.certificate.subject if ca else name, key, not_before, not_after)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(authority=False, may_sign=may_sign), critical=True)
    if ca:
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key()), critical=False
        )
    chain = (ca.certificate, *ca.chain) if ca else ()
    return Holder(builder.sign(ca.key if ca else key, hashes.SHA256()), key, chain)


def sign_pdf(
    pdf: bytes,
    signer: Holder,
    *,
    visible: bool = False,
    field_name: str | None = None,
    at: datetime = SIGNED_AT,
    digest: str = "sha256",
    page: int = -1,
    with_chain: bool = True,
) -> bytes:
    """The PDF with one more signature, an incremental update; every byte that was there stays.

    ``visible`` draws a box on ``page``; ``digest`` names the hash; not ``with_chain`` leaves the authorities'
    certificates out of it.
    """
    from asn1crypto import keys as asn1_keys
    from asn1crypto import x509 as asn1_x509
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import fields, signers
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    store = SimpleCertificateStore()
    if with_chain:
        store.register_multiple(
            [asn1_x509.Certificate.load(each.public_bytes(serialization.Encoding.DER)) for each in signer.chain]
        )
    plain = signer.key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    hand = _hand_class()(
        signing_cert=asn1_x509.Certificate.load(signer.certificate.public_bytes(serialization.Encoding.DER)),
        signing_key=asn1_keys.PrivateKeyInfo.load(plain),
        cert_registry=store,
    )
    hand.at = at
    name = field_name or f"Signature-{pdf.count(b'/ByteRange') + 1}"
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf), strict=False)
    box = (60, 60, 260, 110) if visible else None
    metadata = signers.PdfSignatureMetadata(
        field_name=name, md_algorithm=digest, name=signer.name, subfilter=fields.SigSeedSubFilter.ADOBE_PKCS7_DETACHED
    )
    output = io.BytesIO()
    signers.PdfSigner(metadata, signer=hand, new_field_spec=fields.SigFieldSpec(name, box=box, on_page=page)).sign_pdf(
        writer, output=output
    )
    return output.getvalue()


def add_text_afterwards(pdf: bytes, text: str = "Clause ajoutee") -> bytes:
    """The PDF altered by an incremental update: one more line drawn on its first page."""
    from pyhanko.pdf_utils import generic
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    writer = IncrementalPdfFileWriter(io.BytesIO(pdf), strict=False)
    content = f"BT /F1 24 Tf 72 400 Td ({text}) Tj ET".encode()
    drawn = writer.add_object(generic.StreamObject(stream_data=content))
    font = generic.DictionaryObject(
        {
            generic.pdf_name("/Type"): generic.pdf_name("/Font"),
            generic.pdf_name("/Subtype"): generic.pdf_name("/Type1"),
            generic.pdf_name("/BaseFont"): generic.pdf_name("/Helvetica"),
        }
    )
    fonts = generic.DictionaryObject({generic.pdf_name("/F1"): writer.add_object(font)})
    resources = generic.DictionaryObject({generic.pdf_name("/Font"): fonts})
    writer.add_stream_to_page(0, drawn, resources)
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()


def damage_signature(pdf: bytes) -> bytes:
    """The PDF with the bytes of its first signature made nonsense, at the same length."""
    start = pdf.index(b"/Contents <") + len(b"/Contents <")
    return pdf[:start] + b"DEADBEEF" * 8 + pdf[start + 64 :]


def damage_content(pdf: bytes) -> bytes:
    """The PDF with one byte of what was signed changed, inside its header's comment."""
    place = pdf.index(b"\n", 0) + 2
    return pdf[:place] + bytes([pdf[place] ^ 1]) + pdf[place + 1 :]


@functools.cache
def _hand_class() -> type[Any]:
    from asn1crypto import cms
    from pyhanko.sign import signers

    class Hand(signers.SimpleSigner):
        """Signs at the moment it is told, whatever the clock says."""

        at = SIGNED_AT

        async def signed_attrs(self, *args: Any, **named: Any) -> Any:
            attributes = await super().signed_attrs(*args, **named)
            kept = [each for each in attributes if each["type"].native != "signing_time"]
            when = cms.CMSAttribute(
                {"type": "signing_time", "values": [cms.Time({"utc_time": self.at.astimezone(UTC)})]}
            )
            return cms.CMSAttributes([*kept, when])

    return Hand


def _name(cn: str, serial_number: str) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COUNTRY_NAME, "TN"), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Essai")]
    if serial_number:
        parts.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, serial_number))
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, cn)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Key, not_before: datetime, not_after: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, authority: bool, may_sign: bool = True) -> x509.KeyUsage:
    signs = not authority and may_sign
    return x509.KeyUsage(
        digital_signature=signs, content_commitment=signs, key_encipherment=not authority and not may_sign,
        data_encipherment=False, key_agreement=False, key_cert_sign=authority, crl_sign=authority,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip

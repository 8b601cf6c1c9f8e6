"""Contracts signed electronically by the demonstration's people (CON-1). Keys live as long as the seeding."""

from __future__ import annotations

import dataclasses
import functools
import io
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from app.demo.papers_certificates import certificate_with_key
from app.demo.people import Person

LASTS = timedelta(days=730)


def signed_electronically(pdf: bytes, people: Sequence[Person], organisation: str, at: datetime) -> bytes:
    """The PDF with a signature of each, a few minutes apart, each an incremental update; the last one is visible."""
    for number, person in enumerate(people, start=1):
        moment = at - timedelta(minutes=7 * (len(people) - number))
        pdf = _signed(pdf, person, organisation, moment, number, visible=number == len(people))
    return pdf


def _signed(pdf: bytes, person: Person, organisation: str, at: datetime, number: int, *, visible: bool) -> bytes:
    from asn1crypto import keys, pem, x509
    from cryptography.hazmat.primitives import serialization
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import fields, signers
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    name = f"{person.first_name} {person.last_name.upper()}"
    serial = random.Random(f"{person.identity_number} {at}").getrandbits(120) | 1 << 119
    certificate, key = certificate_with_key(
        name, person.identity_number, organisation, serial, at - timedelta(days=200), at + LASTS
    )
    no_others: Any = SimpleCertificateStore  # its class is not typed
    plain = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    hand = _hand()(
        signing_cert=x509.Certificate.load(pem.unarmor(certificate)[2]),
        signing_key=keys.PrivateKeyInfo.load(plain),
        cert_registry=no_others(),
    )
    hand.at = at
    field = f"Signature {number}"
    box = (330, 40, 560, 80) if visible else None
    output = io.BytesIO()
    signers.PdfSigner(
        signers.PdfSignatureMetadata(field_name=field, md_algorithm="sha256", name=name),
        signer=hand,
        new_field_spec=fields.SigFieldSpec(field, box=box, on_page=-1),
    ).sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf), strict=False), output=output)
    return output.getvalue()


@functools.cache
def _hand() -> type[Any]:
    from pyhanko.sign import signers

    class Hand(signers.SimpleSigner):
        """Signs at the story's moment rather than the machine's."""

        at: datetime

        async def signed_attrs(
            self, data_digest: bytes, digest_algorithm: str, attr_settings: Any = None, *args: Any, **named: Any
        ) -> Any:
            settings = dataclasses.replace(attr_settings, signing_time=self.at)
            return await super().signed_attrs(data_digest, digest_algorithm, settings, *args, **named)

    return Hand

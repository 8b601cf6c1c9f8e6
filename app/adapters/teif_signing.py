"""Signing an electronic invoice: XAdES-B, enveloped, by a key and certificate given in PEM files (INV-3).

The key stays a file of the operator's, named by the environment; a token or an HSM would take this module's place.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.errors import ConfigurationError

SIGNATURE_ID = "SigFrs"
"""What TTN calls the seller's signature; its own, added later, is « SigTTN »."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key and the certificate that goes with it, in PEM."""

    key: bytes
    certificate: str

    def sign(self, xml: bytes) -> bytes:
        """The document with an enveloped XAdES-B signature (RSA or ECDSA, SHA-256) as its last element.

        Raises ValueError when key and certificate do not fit the algorithm or the document is no XML.
        """
        from lxml import etree
        from signxml.algorithms import SignatureConstructionMethod
        from signxml.xades.xades import XAdESSigner

        parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=False)
        signer = XAdESSigner(
            method=SignatureConstructionMethod.enveloped,
            signature_algorithm=self._algorithm(),
            digest_algorithm="sha256",
        )
        try:
            signed = signer.sign(etree.fromstring(xml, parser), key=self.key, cert=self.certificate)
        except etree.XMLSyntaxError as fault:
            raise ValueError(str(fault)) from None
        signature = signed.find("{http://www.w3.org/2000/09/xmldsig#}Signature")
        signature.set("Id", SIGNATURE_ID)
        return bytes(etree.tostring(signed, xml_declaration=True, encoding="UTF-8"))

    def _algorithm(self) -> str:
        from cryptography.hazmat.primitives.asymmetric import ec, rsa
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        key = load_pem_private_key(self.key, None)
        if isinstance(key, rsa.RSAPrivateKey):
            return "rsa-sha256"
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return "ecdsa-sha256"
        raise ValueError("the signing key must be RSA or ECDSA")


def open_signer(key_file: str | None, certificate_file: str | None) -> Signer:
    """The signer of these files. Raises ConfigurationError, in one sentence, for missing or unfit ones."""
    if not key_file or not certificate_file:
        raise ConfigurationError("Signing invoices needs TEIF_SIGNING_KEY and TEIF_SIGNING_CERTIFICATE (PEM files).")
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
    from cryptography.x509 import load_pem_x509_certificates

    try:
        key, certificate = Path(key_file).read_bytes(), Path(certificate_file).read_bytes()
        own = load_pem_private_key(key, None).public_key()
        named = load_pem_x509_certificates(certificate)[0].public_key()
    except OSError as fault:
        raise ConfigurationError(f"TEIF_SIGNING_KEY or TEIF_SIGNING_CERTIFICATE cannot be read: {fault}") from None
    except (ValueError, TypeError, IndexError):
        raise ConfigurationError(
            "TEIF_SIGNING_KEY and TEIF_SIGNING_CERTIFICATE must be PEM, without a password."
        ) from None
    shape = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if own.public_bytes(*shape) != named.public_bytes(*shape):
        raise ConfigurationError("TEIF_SIGNING_CERTIFICATE is not the certificate of TEIF_SIGNING_KEY.")
    return Signer(key, certificate.decode())

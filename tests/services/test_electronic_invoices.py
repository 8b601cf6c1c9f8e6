"""The electronic form of an invoice: made once, inside its PDF, signed behind a switch (INV-3)."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import pikepdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from flask import Flask
from signxml.exceptions import InvalidDigest, InvalidSignature
from signxml.xades.xades import XAdESVerifier
from sqlalchemy import select

from app import clock
from app.errors import ConfigurationError
from app.extensions import db
from app.models import ElectronicInvoice
from app.papers.teif import check_teif, read_amounts
from app.permissions import Actor, Role
from app.services import drafts, files, settings
from app.services.credit_note_archives import credit_note_pdf_bytes
from app.services.electronic_invoices import ElectronicInvoiceDamaged, teif_of_invoice
from app.services.invoicing import invoice_pdf_bytes
from app.states import TransmissionState
from tests.services.test_invoices import sell
from tests.support.crediting import Desk
from tests.support.servers import HttpServer

TECHNICIAN = Actor(user_id=None, label="Administrateur technique", roles=frozenset({Role.ADMINISTRATEUR}))


def a_key(folder: Path, name: str = "a") -> tuple[Path, Path]:
    """A throw-away key and its self-signed certificate, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Cachet d'essai")])
    moment = clock.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - timedelta(days=1))
        .not_valid_after(moment + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    key_file, certificate_file = folder / f"{name}.key", folder / f"{name}.crt"
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    return key_file, certificate_file


@pytest.mark.spec("INV-3")
def test_the_document_is_made_once_and_stands_in_the_pdf(gateway: HttpServer, app: Flask) -> None:
    _shop, invoice = sell(gateway, 2)
    name, pdf = invoice_pdf_bytes(invoice.id)
    number = invoice.number
    said, xml = teif_of_invoice(invoice.id)
    assert (name, said) == (f"{number}.pdf", f"{number}.xml")
    assert check_teif(xml) == []
    assert read_amounts(xml)["I-180"] == invoice.total_ttc
    with pikepdf.open(io.BytesIO(pdf)) as document:
        assert document.attachments[said].get_file().read_bytes() == xml
        assert b"pdfaid:part>3<" in document.Root.Metadata.read_bytes().replace(b" ", b"")
    assert teif_of_invoice(invoice.id) == (said, xml)
    assert invoice_pdf_bytes(invoice.id)[1] == pdf
    row = db.session.scalars(select(ElectronicInvoice)).one()
    assert (row.signed, row.state) == (False, TransmissionState.NON_ENVOYEE)


@pytest.mark.spec("INV-3")
def test_signed_documents_verify_and_show_any_change(gateway: HttpServer, app: Flask, tmp_path: Path) -> None:
    key, certificate = a_key(tmp_path)
    app.config.update(TEIF_SIGNING_KEY=str(key), TEIF_SIGNING_CERTIFICATE=str(certificate))
    settings.change("teif.sign", "oui", actor=TECHNICIAN)
    settings.change("ttn.send", "oui", actor=TECHNICIAN)
    _shop, invoice = sell(gateway)
    xml = teif_of_invoice(invoice.id)[1]
    assert check_teif(xml) == []
    verify = XAdESVerifier().verify
    assert verify(xml, x509_cert=certificate.read_text())
    with pytest.raises((InvalidDigest, InvalidSignature)):
        verify(xml.replace(b">424.500<", b">424.501<"), x509_cert=certificate.read_text())
    row = db.session.scalars(select(ElectronicInvoice)).one()
    assert (row.signed, row.state) == (True, TransmissionState.A_ENVOYER)


@pytest.mark.spec("INV-3")
def test_without_its_key_a_signature_is_refused_and_the_invoice_prints(
    gateway: HttpServer, app: Flask, tmp_path: Path
) -> None:
    settings.change("teif.sign", "oui", actor=TECHNICIAN)
    _shop, invoice = sell(gateway)
    with pytest.raises(ConfigurationError):
        teif_of_invoice(invoice.id)
    key, _own = a_key(tmp_path)
    _other, certificate = a_key(tmp_path, "b")
    app.config.update(TEIF_SIGNING_KEY=str(key), TEIF_SIGNING_CERTIFICATE=str(certificate))
    with pytest.raises(ConfigurationError):
        teif_of_invoice(invoice.id)
    assert invoice_pdf_bytes(invoice.id)[1].startswith(b"%PDF")
    assert db.session.scalars(select(ElectronicInvoice)).all() == []


@pytest.mark.spec("INV-3")
def test_a_document_that_was_tampered_with_is_not_given_out(gateway: HttpServer, app: Flask) -> None:
    _shop, invoice = sell(gateway)
    teif_of_invoice(invoice.id)
    row = db.session.scalars(select(ElectronicInvoice)).one()
    files.storage().put(row.storage_key, b"<TEIF/>")
    with pytest.raises(ElectronicInvoiceDamaged):
        teif_of_invoice(invoice.id)


@pytest.mark.spec("INV-2", "AVO-2", "JOB-1")
def test_what_was_archived_outlives_the_purge_of_orphan_files(gateway: HttpServer, app: Flask) -> None:
    """Every table that names a stored file keeps it, the archives of credit notes and XML like the others."""
    _shop, invoice = sell(gateway)
    note = Desk().issue(invoice)
    papers = [invoice_pdf_bytes(invoice.id), credit_note_pdf_bytes(note.id), teif_of_invoice(invoice.id)]
    files.storage().put("statements/aa/orphan", b"x")
    clock.shift(timedelta(hours=25))
    try:
        assert drafts.purge_orphan_files() == 1
    finally:
        clock.reset()
    assert [invoice_pdf_bytes(invoice.id), credit_note_pdf_bytes(note.id), teif_of_invoice(invoice.id)] == papers

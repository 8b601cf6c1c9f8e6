"""Electronic invoices on their way to TTN: off by default, over real SOAP, none lost, none twice (INV-3)."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from flask import Flask
from lxml import etree
from sqlalchemy import select

from app.errors import Forbidden, IllegalTransition
from app.extensions import db
from app.models import ElectronicInvoice
from app.permissions import Role
from app.sandbox.ttn import create_ttn
from app.services import files, settings
from app.services.electronic_invoices import teif_of_credit_note, teif_of_invoice
from app.services.transmitting import send_again, transmit_due
from app.states import TransmissionState
from tests import factories
from tests.conftest import Travel
from tests.services.test_electronic_invoices import TECHNICIAN, a_key
from tests.services.test_invoices import sell
from tests.support.crediting import Desk
from tests.support.servers import HttpServer


@pytest.fixture
def ttn(app: Flask, identity: HttpServer, tmp_path: Path) -> HttpServer:
    """El Fatoora's sandbox over real HTTP in the identity service's place, and an operator who signs and sends."""
    server = identity
    server.wsgi = create_ttn()
    key, certificate = a_key(tmp_path)
    app.config.update(
        TEIF_SIGNING_KEY=str(key),
        TEIF_SIGNING_CERTIFICATE=str(certificate),
        TTN_URL=f"{server.url}/ElfatouraServices/EfactService",
        TTN_LOGIN="sandbox",
        TTN_PASSWORD="sandbox",
        TTN_TAX_ID="0000000AAM000",
    )
    settings.change("teif.sign", "oui", actor=TECHNICIAN)
    settings.change("ttn.send", "oui", actor=TECHNICIAN)
    return server


def deposits(ttn: HttpServer) -> dict[str, int]:
    return {each["number"]: each["deposits"] for each in httpx.get(f"{ttn.url}/documents").json()}


def misbehave(ttn: HttpServer, mode: str) -> None:
    httpx.post(f"{ttn.url}/control", json={"mode": mode}).raise_for_status()


def rows() -> list[ElectronicInvoice]:
    db.session.rollback()
    return list(db.session.scalars(select(ElectronicInvoice).order_by(ElectronicInvoice.id)))


@pytest.mark.spec("INV-3")
def test_nothing_is_sent_unless_the_operator_says_so(gateway: HttpServer, ttn: HttpServer, app: Flask) -> None:
    settings.change("ttn.send", "non", actor=TECHNICIAN)
    _shop, invoice = sell(gateway)
    teif_of_invoice(invoice.id)
    transmit_due()
    assert deposits(ttn) == {}
    assert rows()[0].state is TransmissionState.NON_ENVOYEE


@pytest.mark.spec("INV-3")
def test_invoices_and_credit_notes_are_deposited_once_and_bear_ttn_s_reference(
    gateway: HttpServer, ttn: HttpServer, app: Flask
) -> None:
    _shop, invoice = sell(gateway)
    note = Desk().issue(invoice)
    numbers = {invoice.number, note.number}
    for _run in range(2):
        transmit_due()
    assert deposits(ttn) == dict.fromkeys(numbers, 1)
    for row in rows():
        assert (row.state, row.ttn_reference[:3], row.last_error) == (TransmissionState.ACCEPTEE, "TTN", "")
    agent = factories.actor(factories.staff(Role.AGENT))
    with pytest.raises(IllegalTransition):
        send_again(rows()[0].id, actor=agent)
    with pytest.raises(Forbidden):
        send_again(rows()[0].id, actor=factories.actor(factories.staff(Role.RESPONSABLE)))


@pytest.mark.spec("INV-3")
def test_an_outage_loses_nothing_and_deposits_nothing_twice(
    gateway: HttpServer, ttn: HttpServer, app: Flask, travel: Travel
) -> None:
    _shop, invoice = sell(gateway)
    number = invoice.number
    misbehave(ttn, "down")
    transmit_due()
    row = rows()[0]
    assert (row.state, row.attempts) == (TransmissionState.A_ENVOYER, 1)
    assert row.last_error
    misbehave(ttn, "late")
    travel(hours=1)
    transmit_due()
    assert rows()[0].state is TransmissionState.ENVOYEE
    misbehave(ttn, "")
    travel(hours=3)
    transmit_due()
    assert rows()[0].state is TransmissionState.ACCEPTEE
    assert deposits(ttn) == {number: 1}


@pytest.mark.spec("INV-3")
def test_a_rejected_document_says_why_and_waits_for_a_person(gateway: HttpServer, ttn: HttpServer, app: Flask) -> None:
    settings.change("teif.sign", "non", actor=TECHNICIAN)
    _shop, invoice = sell(gateway)
    transmit_due()
    row = rows()[0]
    assert row.state is TransmissionState.REJETEE
    assert "Signature du fournisseur absente" in row.last_error
    app.config["TTN_PASSWORD"] = "autre"
    agent = factories.actor(factories.staff(Role.AGENT))
    send_again(row.id, actor=agent)
    transmit_due()
    assert "mot de passe" in rows()[0].last_error
    app.config["TTN_PASSWORD"] = "sandbox"
    settings.change("teif.sign", "oui", actor=TECHNICIAN)
    send_again(row.id, actor=agent)
    transmit_due()
    assert (rows()[0].state, rows()[0].signed) == (TransmissionState.ACCEPTEE, False)  # signed on its way only
    assert b"Signature" not in teif_of_invoice(invoice.id)[1]


@pytest.mark.spec("INV-3")
def test_a_lost_document_holds_up_no_other_and_the_credit_note_bears_ttn_s_reference(
    gateway: HttpServer, ttn: HttpServer, app: Flask
) -> None:
    _shop, lost = sell(gateway)
    teif_of_invoice(lost.id)
    files.storage().delete(rows()[0].storage_key)
    _shop, invoice = sell(gateway)
    transmit_due()
    first, second = rows()
    assert (first.state, bool(first.last_error)) == (TransmissionState.A_ENVOYER, True)
    assert second.state is TransmissionState.ACCEPTEE
    note = Desk().issue(invoice)
    xml = etree.fromstring(teif_of_credit_note(note.id)[1])
    said = {each.get("refID"): each.text for each in xml.iterfind("InvoiceBody/Bgm/DocumentReferences/Reference")}
    assert (said["I-89"], said["I-88"]) == (invoice.number, second.ttn_reference)

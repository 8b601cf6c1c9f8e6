"""Invoices: numbered, immutable, printed once (INV-1, INV-2)."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime
from typing import Any

import pikepdf
import pypdfium2
import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from app import clock
from app.extensions import db
from app.models import Invoice, InvoiceArchive, RegistrationCountry
from app.permissions import Actor, Role
from app.queries.billing import PAGE_SIZE, invoice_by_code, invoice_for, invoices_of
from app.services import files, invoicing, numbering, settings
from app.services.invoicing import ArchiveDamaged, invoice_pdf_bytes
from app.services.mailing import send_due_mails
from app.services.payments import settle
from app.services.unit_of_work import use_case
from tests import factories
from tests.support.paying import Shop, assert_unpaid, attempt, invoices, pay
from tests.support.servers import HttpServer, MailServer


def sell(gateway: HttpServer, count: int = 1) -> tuple[Shop, Invoice]:
    """A basket paid for, and its invoice."""
    shop = Shop(count)
    opening = shop.start()
    pay(gateway, opening.payment_id)
    settle(opening.payment_id)
    return shop, db.session.scalars(select(Invoice).order_by(Invoice.id.desc()).limit(1)).one()


def words(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    said = "\n".join(page.get_textpage().get_text_range() for page in document)
    return " ".join(said.replace("\u202f", " ").replace("\xa0", " ").split())


@pytest.mark.spec("INV-1", "PRI-1")
def test_an_invoice_is_a_snapshot_of_everything_printed(gateway: HttpServer, app: Flask) -> None:
    shop, invoice = sell(gateway, 3)
    assert invoice.number == f"FAC-{invoice.year}-000001"
    assert invoice.total_ht + invoice.total_vat + invoice.total_delivery + invoice.stamp_duty == invoice.total_ttc
    assert (invoice.total_ht, invoice.total_vat) == (1_050_000, 199_500)
    assert (invoice.total_delivery, invoice.stamp_duty, invoice.total_ttc) == (21_000, 1_000, 1_271_500)
    printed = invoice.snapshot
    assert printed["words"] == "mille deux cent soixante et onze dinars et cinq cents millimes"
    organisation = shop.requests[0].organisation
    assert (printed["client"]["name"], printed["client"]["tax_id"]) == (organisation.legal_name, organisation.tax_id)
    assert [line["reference"] for line in printed["lines"]] == shop.references
    assert [line["applicant_ar"] for line in printed["lines"]] == [
        f"{row.first_name_ar} {row.last_name_ar}" for row in shop.requests
    ]
    assert printed["payment_reference"] == attempt(invoice.payment_id).reference


@pytest.mark.spec("INV-1")
def test_a_foreign_client_is_named_by_its_register_number(gateway: HttpServer, app: Flask) -> None:
    shop = Shop()
    organisation = shop.requests[0].organisation
    organisation.registration_country = RegistrationCountry.ETRANGER
    organisation.tax_id, organisation.register_number, organisation.country = None, "HRB 12345", "DE"
    db.session.commit()
    opening = shop.start()
    pay(gateway, opening.payment_id)
    settle(opening.payment_id)
    client = invoices()[0].snapshot["client"]
    assert (client["tax_id_label"], client["tax_id"]) == ("Numéro de registre", "HRB 12345")


@pytest.mark.spec("INV-1")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invoices SET total_ttc = 1",
        "DELETE FROM invoices",
        "UPDATE invoice_archives SET sha256 = 'x'",
        "DELETE FROM invoice_archives",
        "UPDATE payment_lines SET vat = 0",
        "DELETE FROM payment_lines",
        "UPDATE payments SET amount = 1",
        "UPDATE electronic_invoices SET sha256 = 'x'",
        "DELETE FROM electronic_invoices",
    ],
)
def test_the_database_refuses_to_change_an_invoice(gateway: HttpServer, app: Flask, statement: str) -> None:
    _shop, invoice = sell(gateway)
    invoice_pdf_bytes(invoice.id)
    with pytest.raises(DBAPIError, match="immutable"):
        db.session.execute(text(statement))
    db.session.rollback()
    assert invoices()[0].total_ttc == 424_500


@pytest.mark.spec("INV-1", "INV-2")
def test_an_insert_that_replaces_changes_no_issued_document(gateway: HttpServer, app: Flask) -> None:
    """SQLite deletes the row in the way of « INSERT OR REPLACE » without its DELETE trigger."""
    if db.engine.dialect.name == "postgresql":
        return  # which has no such insert; its « ON CONFLICT DO UPDATE » fires the UPDATE trigger
    _shop, invoice = sell(gateway)
    _name, pdf = invoice_pdf_bytes(invoice.id)
    columns = "id, number, year, sequence, organisation_id, payment_id, issued_at, snapshot, verification_code"
    amounts = "total_ht, total_vat, total_delivery, stamp_duty, total_ttc"
    replacing = f"INSERT OR REPLACE INTO invoices ({columns}, {amounts}) SELECT {columns}, 1, 0, 0, 0, 1 FROM invoices"
    with pytest.raises(DBAPIError, match="immutable"):
        db.session.execute(text(replacing))
    db.session.rollback()
    for table, key in (("invoice_archives", "invoice_id"), ("electronic_invoices", "id")):
        names = [column.name for column in db.metadata.tables[table].columns]
        chosen = ", ".join("'x'" if name == "sha256" else name for name in names)
        db.session.execute(text(f"INSERT OR REPLACE INTO {table} ({', '.join(names)}) SELECT {chosen} FROM {table}"))
        assert db.session.execute(text(f"SELECT sha256 FROM {table} ORDER BY {key}")).scalar() != "x"
    db.session.commit()
    assert invoices()[0].total_ttc == 424_500
    assert invoice_pdf_bytes(invoice.id)[1] == pdf


@pytest.mark.spec("INV-1")
def test_numbers_follow_each_other_and_begin_anew_each_year_in_tunis(
    gateway: HttpServer, app: Flask, travel: Any
) -> None:
    travel.to(datetime(2026, 12, 31, 22, 50, tzinfo=UTC))  # 23:50 in Tunis
    first = sell(gateway)[1].number
    second = sell(gateway)[1].number
    travel(minutes=15)
    third = sell(gateway)[1]
    assert (first, second, third.number) == ("FAC-2026-000001", "FAC-2026-000002", "FAC-2027-000001")
    assert third.snapshot["issued_on"] == "2027-01-01"


@pytest.mark.spec("INV-1", "AVO-2")
@pytest.mark.parametrize(
    ("asked", "number", "day"),
    [
        (datetime(2026, 11, 30, 22, 59, tzinfo=UTC), "AV-2026-000001", "2026-12-01"),
        (datetime(2026, 12, 31, 22, 59, tzinfo=UTC), "AV-2026-000001", "2026-12-31"),
    ],
)
def test_whoever_waits_for_a_number_over_midnight_is_dated_after_those_before(
    app: Flask, travel: Any, monkeypatch: pytest.MonkeyPatch, asked: datetime, number: str, day: str
) -> None:
    """Dates never go back along a series, and no number of a year is dated in another."""
    take = numbering.take_numbers

    def after_two_minutes(series: str) -> range:
        travel(minutes=2)
        return take(series)

    travel.to(asked)
    monkeypatch.setattr(numbering, "take_numbers", after_two_minutes)
    dated = numbering.take_dated_number("AV")
    assert (dated.number, dated.day.isoformat()) == (number, day)
    assert clock.local(dated.moment).date() == dated.day


@pytest.mark.spec("INV-1")
def test_a_confirmation_given_up_gives_its_number_back(
    gateway: HttpServer, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop()
    opening = shop.start()
    pay(gateway, opening.payment_id)
    with monkeypatch.context() as patch:
        patch.setattr(invoicing.outbox, "write", lambda *_given, **_named: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            settle(opening.payment_id)
    assert_unpaid(shop)
    settle(opening.payment_id)
    assert [invoice.sequence for invoice in invoices()] == [1]


@pytest.mark.spec("INV-2")
def test_a_pdf_is_archived_once_and_identical_at_each_download(gateway: HttpServer, app: Flask) -> None:
    _shop, invoice = sell(gateway)
    invoice_id, number = invoice.id, invoice.number
    name, pdf = invoice_pdf_bytes(invoice_id)
    assert name == f"{number}.pdf"
    use_case(settings.change)("seller.name", "Un autre nom", actor=_technician())
    assert invoice_pdf_bytes(invoice_id) == (name, pdf)
    archive = db.session.get_one(InvoiceArchive, invoice_id)
    assert archive.sha256 == hashlib.sha256(pdf).hexdigest()
    assert [each.key for each in files.storage().keys("invoices")] == [archive.storage_key]
    with pikepdf.open(io.BytesIO(pdf)) as document:
        assert len(document.pages) == 1
    said = words(pdf)
    for wanted in (number, "424,500 DT", "quatre cent vingt-quatre dinars et cinq cents millimes", "350,000"):
        assert wanted in said


def _technician() -> Actor:
    return factories.actor(factories.staff(Role.ADMINISTRATEUR))


@pytest.mark.spec("INV-2")
def test_a_lost_file_is_made_again_and_a_changed_one_is_refused(
    gateway: HttpServer, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    _shop, invoice = sell(gateway)
    _name, pdf = invoice_pdf_bytes(invoice.id)
    key = db.session.get_one(InvoiceArchive, invoice.id).storage_key
    files.storage().delete(key)
    assert invoice_pdf_bytes(invoice.id)[1] == pdf
    assert files.storage().get(key) == pdf
    files.storage().put(key, b"%PDF-1.7 something else")
    monkeypatch.setattr("app.services.invoice_archives.invoice_pdf", lambda *_given: b"%PDF-1.7 a newer look")
    with pytest.raises(ArchiveDamaged):
        invoice_pdf_bytes(invoice.id)


@pytest.mark.spec("INV-2")
def test_a_crash_after_keeping_the_file_leaves_the_invoice_printable(
    gateway: HttpServer, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    _shop, invoice = sell(gateway)
    invoice_id = invoice.id
    with monkeypatch.context() as patch:
        patch.setattr("app.services.invoice_archives._write_down", lambda *_given: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            invoice_pdf_bytes(invoice_id)
    assert db.session.scalar(select(func.count()).select_from(InvoiceArchive)) == 0
    assert invoice_pdf_bytes(invoice_id)[1].startswith(b"%PDF")


@pytest.mark.spec("PPL-2", "INV-2")
def test_only_the_organisation_and_staff_who_read_billing_find_an_invoice(gateway: HttpServer, app: Flask) -> None:
    shop, invoice = sell(gateway)
    stranger, applicant = Shop(), factories.actor(factories.applicant())
    assert invoice_for(shop.actor, invoice.number) is not None
    assert invoice_for(factories.actor(factories.staff()), invoice.number) is not None
    for other in (stranger.actor, applicant, _technician()):
        assert invoice_for(other, invoice.number) is None
    assert [row.id for row in invoices_of(shop.actor).rows] == [invoice.id]
    assert invoices_of(stranger.actor).rows == []


@pytest.mark.spec("INV-2")
def test_invoices_are_paged_by_key(gateway: HttpServer, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.queries.billing.PAGE_SIZE", 2)
    shop = Shop()
    numbers = []
    for _index in range(3):
        shop.add()
        opening = shop.start()
        pay(gateway, opening.payment_id)
        settle(opening.payment_id)
        numbers.insert(0, invoices()[-1].number)
    first = invoices_of(shop.actor)
    second = invoices_of(shop.actor, first.next_before)
    assert [row.number for row in first.rows + second.rows] == numbers
    assert second.next_before is None
    assert PAGE_SIZE == 30


@pytest.mark.spec("INV-2")
def test_a_code_is_read_whatever_its_case_and_hyphens(gateway: HttpServer, app: Flask) -> None:
    _shop, invoice = sell(gateway)
    code = invoice.verification_code
    for typed in (code, code.lower(), f"{code[:5]}-{code[5:10]} {code[10:]}"):
        found = invoice_by_code(typed)
        assert found is not None
        assert found.id == invoice.id
    for typed in ("", "-", code[:-1], code + "A", "'; --"):
        assert invoice_by_code(typed) is None


@pytest.mark.spec("INV-2", "MAI-1")
def test_each_administrator_gets_the_pdf_by_mail(gateway: HttpServer, app: Flask, smtp: MailServer) -> None:
    shop, invoice = sell(gateway)
    number, pdf = invoice.number, invoice_pdf_bytes(invoice.id)[1]
    send_due_mails()
    assert len(smtp.mails) == 2
    for email in shop.emails:
        mail = smtp.only(email)
        assert mail.subject == f"Paiement confirmé : facture {number}"
        assert mail.attachments == {f"{number}.pdf": pdf}
        assert shop.requests[0].common_name in mail.text
        assert "424,500" in mail.html

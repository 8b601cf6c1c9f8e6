"""Baskets of one to many certificates, from the basket to the papers (PAY-1, INV-2, INV-3); 500: ``bench invoices``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pypdfium2
import pytest
from flask import Flask

from app.extensions import db
from app.money import amount_in_words
from app.papers.teif import check_teif, read_amounts
from app.services.electronic_invoices import teif_of_invoice
from app.services.invoicing import invoice_pdf_bytes
from app.services.mailing import send_due_mails
from app.services.payments import reconcile_payments, settle
from app.states import PaymentState
from tests.support.crediting import Desk
from tests.support.paying import Shop, assert_paid_once, attempt, invoices, pay
from tests.support.servers import HttpServer, MailServer


@pytest.mark.spec("PRI-1", "INV-1", "INV-2", "INV-3")
@pytest.mark.parametrize(
    ("certificates", "total", "pages"),
    [(1, 424_500, 1), (2, 848_000, 1), (3, 1_271_500, 1), (37, 15_670_500, 3)],
)
def test_a_basket_is_paid_invoiced_printed_and_written_as_teif(
    gateway: HttpServer, app: Flask, smtp: MailServer, certificates: int, total: int, pages: int
) -> None:
    shop = Shop(certificates)
    opening = shop.start()
    assert attempt(opening.payment_id).amount == total
    pay(gateway, opening.payment_id)
    settle(opening.payment_id)
    assert_paid_once(shop)
    invoice = invoices()[0]
    assert invoice.total_ttc == total
    assert len(invoice.snapshot["lines"]) == certificates
    assert invoice.snapshot["words"] == amount_in_words(total)
    pdf = invoice_pdf_bytes(invoice.id)[1]
    assert len(pypdfium2.PdfDocument(pdf)) == pages
    xml = teif_of_invoice(invoice.id)[1]
    assert check_teif(xml) == []
    assert read_amounts(xml)["I-180"] == total
    assert xml.count(b"<Lin>") == certificates + 1  # and the delivery
    send_due_mails()
    assert smtp.only(shop.emails[0]).attachments == {f"{invoice.number}.pdf": pdf}


@pytest.mark.spec("INV-1", "AVO-2", "GAT-3")
def test_what_is_confirmed_after_midnight_in_tunis_is_numbered_in_the_new_year(
    gateway: HttpServer, app: Flask, travel: Any
) -> None:
    """Begun on 31 December at 23:55, typed at 00:05: the new year's first invoice, and its first credit note."""
    travel.to(datetime(2026, 12, 31, 22, 40, tzinfo=UTC))
    before = Shop()
    pay(gateway, opened := before.start().payment_id)
    old = settle(opened).invoice
    travel.to(datetime(2026, 12, 31, 22, 55, tzinfo=UTC))
    shop = Shop()
    opening = shop.start()
    pay(gateway, opening.payment_id)
    travel.to(datetime(2026, 12, 31, 23, 5, tzinfo=UTC))
    reconcile_payments()
    payment = attempt(opening.payment_id)
    assert payment.state is PaymentState.PAYE
    assert (old is not None, payment.invoice is not None) == (True, True)
    assert [invoice.number for invoice in invoices()] == ["FAC-2026-000001", "FAC-2027-000001"]
    assert invoices()[1].snapshot["issued_on"] == "2027-01-01"
    note = Desk().issue(invoices()[0])
    assert note.number == "AV-2027-000001"
    assert note.snapshot["invoice_issued_on"] == "2026-12-31"
    assert db.session.get_one(type(note), note.id).year == 2027

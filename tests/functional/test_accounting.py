"""The books of a period: what the files say is what was issued, to the millime (BIL-1, INV-3)."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import timedelta

import openpyxl
import pytest
from flask import Flask

from app import clock
from app.models import CreditOutcome, CreditReason
from app.papers.teif import check_teif
from app.permissions import Role
from app.queries import accounting
from app.services.credits.refunding import refund_by_gateway
from tests import factories
from tests.pages import CheckingClient
from tests.services.test_invoices import sell
from tests.support.crediting import Desk
from tests.support.reconciling import paid_twice
from tests.support.servers import HttpServer


def amount(text: str) -> int:
    return round(float(text.replace("\u202f", "").replace(" ", "").replace(",", ".").replace("−", "-")) * 1000)


@pytest.fixture
def a_month(gateway: HttpServer, app: Flask) -> None:
    """Two invoices, one credited in part, one refunded whole."""
    desk = Desk()
    shop, first = sell(gateway, 2)
    desk.issue(first, reason=CreditReason.REJET_APRES_PAIEMENT, request_ids=shop.request_ids[:1])
    _shop, second = sell(gateway)
    note = desk.issue(second, outcome=CreditOutcome.REMBOURSEMENT_PASSERELLE)
    assert note.refund is not None
    refund_by_gateway(note.refund.id, actor=desk.agent)


@pytest.mark.spec("BIL-1", "INV-1", "AVO-2")
def test_the_summary_and_the_files_are_the_same_figures(a_month: None, client: CheckingClient) -> None:
    figures = accounting.summary(accounting.period(None, None))
    assert (figures.invoices, figures.credit_notes) == (2, 2)
    assert figures.invoiced == 848_000 + 424_500
    assert figures.credited == 423_500 + 424_500
    assert figures.turnover == figures.total_ht + figures.total_vat + figures.delivery + figures.stamp_duty
    assert sum(vat for _base, vat in figures.vat.values()) == figures.total_vat  # type: ignore[union-attr]
    assert sum(money for _count, money in figures.methods.values()) == 848_000  # type: ignore[union-attr]
    assert figures.credit_left == 423_500
    client.login(factories.staff(Role.RESPONSABLE).email, factories.PASSWORD)
    page = client.get("/admin/comptabilite/")
    assert "1 272,500 DT" in page.text.replace("\u202f", " ").replace("\xa0", " ")
    data = client.get("/admin/comptabilite/ventes.csv").data.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(data), delimiter=";"))
    assert [row["Nature"] for row in rows] == ["Facture", "Facture", "Avoir", "Avoir"]
    assert sum(amount(row["Total TTC (DT)"]) for row in rows) == figures.turnover
    vat = list(
        csv.DictReader(io.StringIO(client.get("/admin/comptabilite/tva.csv").data.decode("utf-8-sig")), delimiter=";")
    )
    assert sum(amount(row["TVA (DT)"]) for row in vat) == figures.total_vat
    book = openpyxl.load_workbook(io.BytesIO(client.get("/admin/comptabilite/encaissements.xlsx").data))
    cells = list(book.active.iter_rows(values_only=True))[1:]
    assert round(sum(float(row[6]) for row in cells) * 1000) == 848_000


@pytest.mark.spec("BIL-1", "GAT-4", "AVO-4")
def test_money_that_stands_in_no_book_is_told(gateway: HttpServer, app: Flask, client: CheckingClient) -> None:
    """Taken by the gateway for requests that another attempt paid; promised by a credit note and not yet given back."""
    paid_twice(gateway)
    _shop, invoice = sell(gateway)
    Desk().issue(invoice, outcome=CreditOutcome.REMBOURSEMENT_MANUEL)
    found = accounting.outstanding()
    assert (found.held_count, found.held, found.refund_count, found.refunds) == (1, 424_500, 1, 424_500)
    client.login(factories.staff(Role.RESPONSABLE).email, factories.PASSWORD)
    assert "Encaissé sans facture, au bureau de rapprochement" in client.get("/admin/comptabilite/").text


@pytest.mark.spec("INV-3", "BIL-1")
def test_the_papers_of_the_period_come_in_one_zip(a_month: None, client: CheckingClient) -> None:
    client.login(factories.staff(Role.AGENT).email, factories.PASSWORD)
    archive = zipfile.ZipFile(io.BytesIO(client.get("/admin/comptabilite/documents-1.zip").data))
    year = clock.today().year
    names = [f"FAC-{year}-000001", f"FAC-{year}-000002", f"AV-{year}-000001", f"AV-{year}-000002"]
    assert sorted(archive.namelist()) == sorted(
        [f"pdf/{name}.pdf" for name in names] + [f"xml/{name}.xml" for name in names]
    )
    assert all(check_teif(archive.read(f"xml/{name}.xml")) == [] for name in names)
    client.get("/admin/comptabilite/documents-2.zip", expect=404)


@pytest.mark.spec("BIL-1")
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("du=2026-02-10&au=2026-02-01", "La fin précède le début."),
        ("du=2020-01-01&au=2026-01-01", "un an au plus"),
        ("du=hier", "date"),
        ("du=9999-12-31&au=9999-12-31", "dates de ce siècle"),
    ],
)
def test_odd_periods_get_their_sentence(client: CheckingClient, asked: str, said: str) -> None:
    client.login(factories.staff(Role.AGENT).email, factories.PASSWORD)
    assert said in client.get(f"/admin/comptabilite/?{asked}").text


@pytest.mark.spec("BIL-1")
def test_another_period_is_empty(a_month: None, client: CheckingClient) -> None:
    last_year = clock.today() - timedelta(days=400)
    assert accounting.summary(accounting.period(last_year, last_year)).invoices == 0

"""A credit note in Chromium: an agent prepares, a supervisor issues, the client orders again for nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import expect
from sqlalchemy import select

from app.extensions import db
from app.models import CreditProposal, Payment, PaymentMethod
from app.permissions import Role
from app.services.credits import ledger
from app.states import PaymentState
from tests import factories
from tests.browser.steps import log_in, press
from tests.services.test_invoices import sell
from tests.support.crediting import assert_books_add_up
from tests.support.servers import HttpServer


@pytest.mark.spec("AVO-1", "AVO-2", "AVO-3", "PAY-2", "PPL-3")
def test_the_new_order_of_a_token_nobody_collected_costs_nothing(
    journey: Any, people: Callable[[str], Any], app: Flask, gateway: HttpServer
) -> None:
    shop, invoice = sell(gateway)
    agent, supervisor = factories.staff(Role.AGENT), factories.staff(Role.SUPERVISEUR)
    emails = agent.email, supervisor.email, shop.administrator.email
    number = invoice.number
    shop.add()
    db.session.commit()

    page = journey.page
    log_in(page, emails[0], factories.PASSWORD)
    page.wait_for_url("**/admin/")
    journey.visit(f"/admin/avoirs/preparer/{number}", "preparer")
    total = page.locator("[data-sum=total]")
    expect(total).to_have_text("424,500 DT")
    page.locator("[data-line-ht]").fill("100")
    expect(page.locator("[data-line-vat]")).to_have_text("19,000 DT")
    expect(total).to_have_text("127,000 DT")
    page.locator("[data-line-box]").uncheck()
    expect(page.locator("[data-line-ht]")).to_be_disabled()
    expect(total).to_have_text("0,000 DT")
    press(page, "Tout cocher")
    page.locator("[data-line-ht]").fill("350,000")
    page.locator("[data-line-ht]").press("Enter")  # counts again, proposes and writes nothing
    expect(page.locator("[data-sum=total]")).to_have_text("424,500 DT")
    page.get_by_label("Motif").select_option("NON_RETRAIT_90_JOURS")
    page.get_by_label("Raison, en toutes lettres").fill("Token non retiré au bureau de poste dans les 90 jours.")
    page.get_by_role("button", name="Préparer l'avoir").dblclick()
    page.wait_for_url("**/admin/avoirs/PAV-*")
    journey.check("prepare")
    db.session.rollback()
    reference = db.session.scalars(select(CreditProposal.reference)).one()
    db.session.rollback()

    second = people("superviseur")
    log_in(second.page, emails[1], factories.PASSWORD)
    second.page.wait_for_url("**/admin/")
    second.page.goto(f"/admin/avoirs/{reference}")
    press(second.page, "Émettre")
    second.page.get_by_role("dialog").get_by_role("button", name="Émettre").click()
    expect(second.page.get_by_role("heading", name="Avoir à valoir")).to_be_visible()
    second.check("emis")

    client = people("cliente")
    log_in(client.page, emails[2], factories.PASSWORD)
    client.page.wait_for_url("**/commandes")
    client.visit("/factures", "mes-avoirs")
    client.page.goto("/panier")
    expect(client.page.get_by_text("0,000 DT", exact=True)).to_be_visible()
    press(client.page, "Confirmer la commande")
    expect(client.page.get_by_role("heading", level=1)).to_have_text("Paiement confirmé")
    db.session.rollback()
    payment = db.session.scalars(select(Payment).order_by(Payment.id.desc()).limit(1)).one()
    assert (payment.method, payment.amount, payment.state) == (PaymentMethod.CREDIT, 0, PaymentState.PAYE)
    assert ledger.available_to(shop.organisation_id) == 0
    assert_books_add_up(shop.organisation_id)

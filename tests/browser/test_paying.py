"""Paying in Chromium: the basket, the real hosted page, coming back, the invoice."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from flask import Flask
from playwright.sync_api import Page

from app.extensions import db
from tests import factories
from tests.support.paying import Shop, assert_paid_once, assert_unpaid, count_payments, invoices
from tests.support.servers import HttpServer


def enter(journey: Any, shop: Shop) -> Page:
    email = shop.administrator.email
    db.session.commit()
    page: Page = journey.page
    page.goto("/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Mot de passe").first.fill(factories.PASSWORD)
    page.get_by_role("button", name="S'identifier").click()
    page.wait_for_url("**/commandes")
    return page


def type_card(page: Page, pan: str, cvv: str) -> None:
    """At the hosted page, by its fields' names in the form."""
    page.locator("#cardholder").fill("Rim Trabelsi")
    page.locator("#pan").fill(pan)
    page.locator("#month").select_option("12")
    page.locator("#year").select_option("2026")
    page.locator("#cvv").fill(cvv)
    page.locator("#payment button[type=submit]").click()


@pytest.mark.spec("PAY-1", "PAY-3", "GAT-5", "GAT-6", "INV-2")
def test_an_administrator_pays_three_certificates(journey: Any, app: Flask, gateway: HttpServer) -> None:
    shop = Shop(3)
    page = enter(journey, shop)
    journey.visit("/panier", "panier")
    page.get_by_role("button", name="Payer").dblclick()
    page.wait_for_url(f"{gateway.url}/**")
    assert page.get_by_role("timer").is_visible()
    db.session.rollback()
    assert count_payments() == 1
    # A card without provision first, then back to the basket and a good one.
    type_card(page, "5104051111111115", "186")
    page.get_by_role("link", name="Revenir au marchand").click()
    page.wait_for_url("**/paiements/retour**")
    journey.check("refuse")
    assert_unpaid(shop)
    page.get_by_role("link", name="Retour au panier").click()
    page.get_by_role("button", name="Payer").click()
    page.wait_for_url(f"{gateway.url}/**")
    type_card(page, "4509211111111119", "748")
    page.wait_for_url("**/paiements/retour**")
    journey.check("confirme")
    assert page.get_by_role("heading", level=1).inner_text() == "Paiement confirmé"
    page.reload()
    assert_paid_once(shop)
    number = invoices()[0].number
    code = invoices()[0].verification_code
    with page.expect_download() as download:
        page.get_by_role("link", name=number).click()
    pdf = Path(download.value.path()).read_bytes()
    assert len(pikepdf.open(io.BytesIO(pdf)).pages) == 1
    journey.visit("/factures", "mes-factures")
    journey.visit(f"/verification/{code}", "verification")
    page.goto("/panier")
    journey.check("panier-vide")


@pytest.mark.spec("GAT-3", "GAT-5")
def test_leaving_the_hosted_page_loses_nothing(
    journey: Any, app: Flask, gateway: HttpServer, travel: Callable[..., Any]
) -> None:
    shop = Shop()
    page = enter(journey, shop)
    page.goto("/panier")
    page.get_by_role("button", name="Payer").click()
    page.wait_for_url(f"{gateway.url}/**")
    hosted = page.url
    page.get_by_role("link", name="Annuler").click()
    page.wait_for_url("**/paiements/retour**")
    journey.check("en-cours")
    page.goto("/panier")
    journey.check("panier-paiement-ouvert")
    page.get_by_role("button", name="Payer").click()
    page.wait_for_url(f"{gateway.url}/**")
    assert page.url == hosted
    page.go_back()
    travel(minutes=21)
    page.goto("/panier")
    page.get_by_role("link", name="Vérifier ce paiement").click()
    journey.check("expire")
    assert page.get_by_role("heading", level=1).inner_text() == "Paiement expiré"
    assert_unpaid(shop)
    assert count_payments() == 1

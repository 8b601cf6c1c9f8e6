"""A file of people in Chromium: progress, the guard of names while they are typed, one confirmation (ORD-3, ORD-5)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import expect
from sqlalchemy import func, select

from app.extensions import db
from app.models import CertificateRequest
from app.states import RequestState
from tests import factories
from tests.browser.steps import log_in
from tests.support.order_files import csv_of, row


@pytest.mark.spec("ORD-3", "ORD-5", "ORD-6")
def test_a_file_is_mended_and_sent(journey: Any, app: Flask, tmp_path: Path) -> None:
    organisation = factories.organisation()
    admin, known = factories.administrator(organisation), factories.applicant()
    factories.certificate_request(organisation, RequestState.NON_FINALISEE, applicant=known, by=admin)
    again = row(identity_number=known.identity_number, email=known.email)
    right = row(first_name="RIM", last_name="trabelsi", first_name_ar="سنية", last_name_ar="الطرابلسي")
    wrong = row(mobile="1", identity_number="12345")
    file = tmp_path / "equipe.csv"
    file.write_bytes(csv_of([right, wrong, again]))
    page = journey.page
    log_in(page, admin.email, factories.PASSWORD)
    page.wait_for_url("**/commandes")
    page.goto("/commandes/import")
    page.locator("input[name=file]").set_input_files(file)
    page.get_by_role("button", name="Vérifier le fichier").click()
    expect(page.get_by_role("table", name="Ce qui est à corriger")).to_be_visible()
    journey.check("a-corriger")
    page.get_by_role("link", name="À confirmer").click()
    journey.check("a-confirmer")
    page.get_by_label("La même raison pour toutes").fill("Second poste")
    page.get_by_role("button", name="Enregistrer les raisons").click()
    page.get_by_role("link", name="À regarder").click()
    expect(page.get_by_text("00012345")).to_be_visible()
    journey.check("a-regarder")
    page.get_by_role("row", name="Rim Trabelsi").get_by_role("link", name="Modifier").click()
    guard = page.locator("[data-name-guard]")
    expect(guard).to_contain_text("vérifiez le prénom")
    page.get_by_label("Prénom en arabe").fill("ريم")
    expect(guard).not_to_contain_text("vérifiez")
    expect(guard).to_contain_text("Rim Trabelsi")
    page.get_by_role("button", name="Enregistrer la ligne").click()
    page.get_by_label("Téléphone mobile").fill("20 111 222")  # the next row to mend
    journey.check("ligne")
    page.get_by_role("button", name="Enregistrer la ligne").click()
    expect(page.get_by_text("Toutes les lignes sont justes")).to_be_visible()
    journey.check("pret")
    page.get_by_label("J'atteste").check()
    page.get_by_role("button", name="Envoyer les 3 demandes").dblclick()
    page.wait_for_url("**/commandes")
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(CertificateRequest)) == 4

"""The client's whole journey in a browser whose JavaScript is switched off: nothing may depend on a script."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import expect
from sqlalchemy import select

from app.extensions import db
from app.models import CertificateRequest
from app.states import RequestState
from tests.browser.steps import (
    LEILA,
    OLIVIERS,
    RIM,
    accept_conditions,
    activate,
    attach_extract,
    attest,
    box,
    choose_office,
    copy_code,
    deliver,
    fill_organisation,
    fill_person,
    on,
    order_for,
    papers_of,
    pay_by_card,
    press,
    read_database,
)
from tests.support.servers import HttpServer, MailServer


def sign_up(journey: Any, folder: Path) -> None:
    page, files = journey.page, papers_of(OLIVIERS, folder)
    page.goto("/")
    page.get_by_role("link", name="S'inscrire en tant qu'organisation").click()
    fill_organisation(page, OLIVIERS, scripted=False)
    attach_extract(page, files)
    press(page, "Suivant")
    on(page, "Informations sur le représentant légal")
    attest(page)
    fill_person(page, LEILA)
    press(page, "Retour")
    on(page, "Informations sur l'organisation")
    expect(page.get_by_text("RNE EXTRAIT REGISTRE.pdf").first).to_be_visible()
    journey.check("organisation", axe=False)
    press(page, "Suivant")
    expect(box(page, "Nom")).to_have_value(LEILA.last_name)
    press(page, "Vérification avec le service web")
    copy_code(page)
    press(page, "Vérification avec le service web")
    expect(page.get_by_text("Concordant", exact=True)).to_be_visible()
    journey.check("representant", axe=False)
    press(page, "Suivant")
    on(page, "Compte(s) administrateur(s)")
    attest(page)
    page.get_by_role("group", name="L'administrateur est-il le représentant légal ?").get_by_label("Oui").check()
    journey.check("administrateurs", axe=False)
    press(page, "Suivant")
    on(page, "Terminer")
    copy_code(page)
    press(page, "Enregistrer")
    on(page, "Vérifiez votre messagerie")


@pytest.mark.browser_context_args(java_script_enabled=False)
@pytest.mark.spec("ORG-1", "ORD-3", "APP-2", "PAY-3")
def test_the_client_s_journey_without_javascript(
    journey: Any,
    people: Callable[..., Any],
    app: Flask,
    smtp: MailServer,
    identity: HttpServer,
    gateway: HttpServer,
    tmp_path: Path,
) -> None:
    page = journey.page
    sign_up(journey, tmp_path)
    activate(page, deliver(smtp).only(LEILA.email), LEILA.email)

    page.goto("/commandes/nouvelle/ID_TRUST")
    order_for(page, None, scripted=False)
    order_for(page, RIM, scripted=False)
    journey.check("liste", axe=False)
    page.get_by_label("J'atteste que toutes les informations de la liste sont exactes.").check()
    press(page, "Envoyer les demandes")
    on(page, "Historique des commandes")

    rim = people("rim")
    activate(rim.page, deliver(smtp).only(RIM.email), RIM.email)
    page.get_by_role("link", name="Valider").first.click()
    rim.page.goto("/demandes")
    rim.page.get_by_role("link", name="Valider la demande").first.click()
    for at, near in ((page, "Tunis"), (rim.page, "Sousse")):
        on(at, "Valider ma demande")
        choose_office(at, near, scripted=False)
        accept_conditions(at, scripted=False)
        press(at, "Valider")
        expect(at.get_by_text("Votre demande est validée").first).to_be_visible()
    rim.check("validee", axe=False)

    page.goto("/commandes")
    rows = page.get_by_role("row").filter(has_text="En attente de paiement")
    for index in range(2):
        rows.nth(index).get_by_role("checkbox").check()
    press(page, "Ajouter au panier")
    expect(page.locator(".receipt")).to_contain_text("848,000")
    journey.check("panier", axe=False)
    press(page, "Payer")
    page.wait_for_url(f"{gateway.url}/**")
    pay_by_card(page)
    page.wait_for_url("**/paiements/retour**")
    on(page, "Paiement confirmé")
    read_database()
    assert set(db.session.scalars(select(CertificateRequest.state))) == {RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST}
    db.session.rollback()
    # Logging out is a form, not a script.
    page.get_by_role("button", name="Se déconnecter").first.click()
    page.goto("/commandes")
    on(page, "IDENTIFICATION")

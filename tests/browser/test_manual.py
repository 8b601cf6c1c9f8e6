"""The manual's chapters I and II, step by step in Chromium: a sign-up, three certificates ordered and paid."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app import clock
from app.extensions import db
from app.models import CertificateRequest, Invoice, Organisation, OutboxMail
from app.states import OrganisationState, RequestState
from tests.browser.steps import (
    HAFENWERK,
    KATRIN,
    LEILA,
    NEW_PASSWORD,
    OLIVIERS,
    RIM,
    SAMI,
    YASSINE,
    Person,
    accept_conditions,
    activate,
    attach_extract,
    attest,
    box,
    choose_office,
    copy_code,
    deliver,
    downloaded,
    fill_organisation,
    fill_person,
    log_in,
    on,
    order_for,
    papers_of,
    pay_by_card,
    press,
    read_database,
    temporary_password,
)
from tests.support.servers import HttpServer, MailServer


def text_of(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(pdf) as document:
        return "\n".join(page.get_textpage().get_text_range() for page in document)


def holds_arabic(text: str, name: str) -> bool:
    """Extraction may give an Arabic word from its last letter, and its letters in their shapes."""
    plain = unicodedata.normalize("NFKC", text)
    return name in plain or name[::-1] in plain


# ---- chapter I


def sign_up(journey: Any, folder: Path) -> None:
    """I.1 to I.3, going back and reloading on the way."""
    page, files = journey.page, papers_of(OLIVIERS, folder)
    page.goto("/")
    journey.check("identification")
    page.get_by_role("link", name="S'inscrire en tant qu'organisation").click()
    on(page, "Informations sur l'organisation")
    journey.check("1-informations-organisation")

    press(page, "Suivant")
    expect(page.locator("[data-summary]")).to_be_visible()
    journey.check("1-champs-manquants")
    fill_organisation(page, OLIVIERS)
    attach_extract(page, files)
    press(page, "Suivant")
    on(page, "Informations sur le représentant légal")
    journey.check("2-representant-legal")

    # « Retour » and a reload keep the fields and the file.
    press(page, "Retour")
    on(page, "Informations sur l'organisation")
    page.reload()
    expect(box(page, "Raison sociale")).to_have_value(OLIVIERS.legal_name)
    expect(box(page, "Téléphone Fixe")).to_have_value("71 284 619")
    expect(page.get_by_text("RNE EXTRAIT REGISTRE.pdf").first).to_be_visible()
    journey.check("1-au-retour")
    # The register holds the name in Arabic only: the tax card is asked for, kept with what was there.
    page.get_by_role("group", name="La raison sociale y figure-t-elle en arabe seulement ?").get_by_label("Oui").check()
    box(page, "Raison sociale en arabe").fill(OLIVIERS.legal_name_ar)
    box(page, "Joindre carte d'identification fiscale (Patente)").set_input_files(files["tax_card"])
    press(page, "Suivant")
    on(page, "Informations sur le représentant légal")

    attest(page)
    fill_person(page, LEILA)
    press(page, "Vérification avec le service web")
    copy_code(page)
    journey.check("2-captcha")
    press(page, "Vérification avec le service web")
    expect(page.get_by_text("Concordant", exact=True)).to_be_visible()
    journey.check("2-concordant")
    page.reload()
    expect(box(page, "Nom")).to_have_value("Jaziri")
    press(page, "Suivant")
    on(page, "Compte(s) administrateur(s)")
    journey.check("3-administrateurs")

    attest(page)
    page.get_by_role("group", name="L'administrateur est-il le représentant légal ?").get_by_label("Oui").check()
    expect(page.get_by_text(LEILA.email)).to_be_visible()
    page.get_by_role("group", name="Voulez vous ajouter un deuxième administrateur ?").get_by_label("Oui").check()
    second = page.get_by_role("group", name="Deuxième administrateur", exact=True)
    fill_person(second, SAMI)
    journey.check("3-deux-administrateurs")
    press(page, "Suivant")
    on(page, "Terminer")
    for shown in (OLIVIERS.legal_name, OLIVIERS.legal_name_ar, "1827364D", SAMI.email, "carte fiscale.jpg"):
        expect(page.get_by_text(shown).first).to_be_visible()
    journey.check("4-terminer")
    copy_code(page)
    press(page, "Enregistrer")
    on(page, "Vérifiez votre messagerie")
    journey.check("5-verifiez-votre-messagerie")


def first_logins(journey: Any, people: Callable[..., Any], smtp: MailServer) -> Any:
    """I.4: the mails, the contract, both administrators' activation; the second's browser."""
    deliver(smtp)
    subject = "Votre inscription au portail ECERT : mot de passe temporaire et contrat"
    mail = smtp.only(LEILA.email, subject)
    (name, contract), *others = mail.attachments.items()
    assert others == []
    assert name.endswith(".pdf")
    words = text_of(contract)
    assert OLIVIERS.legal_name in words
    for arabic in (LEILA.last_name_ar, LEILA.first_name_ar, SAMI.last_name_ar, SAMI.first_name_ar):
        assert holds_arabic(words, arabic), arabic
    page = journey.page
    activate(page, mail, LEILA.email, journey.check)
    log_in_again_is_refused(people, LEILA, temporary_password(mail))
    page.goto("/commandes")
    on(page, "Historique des commandes")
    journey.check("historique-vide")
    read_database()
    assert db.session.scalars(select(Organisation)).one().state is OrganisationState.A_VERIFIER
    sami = people("sami")
    activate(sami.page, smtp.only(SAMI.email, subject), SAMI.email)
    return sami


def log_in_again_is_refused(people: Callable[..., Any], person: Person, password: str) -> None:
    """The temporary password is worth nothing once it was changed."""
    other = people("ailleurs")
    log_in(other.page, person.email, password)
    expect(other.page.get_by_text("incorrect").first).to_be_visible()
    other.check("mot-de-passe-incorrect")


# ---- chapter II


def order_three(journey: Any) -> None:
    """II.1 to II.6."""
    page = journey.page
    page.goto("/commandes")
    page.get_by_role("link", name="Commander des certificats").first.click()
    on(page, "Commander des certificats")
    journey.check("commander")
    page.get_by_role("link", name="Certificat ID-Trust sur token", exact=True).click()
    on(page, "Demande de certificat : Certificat ID-Trust sur token")
    press(page, "Ajouter à la liste des demandes")
    expect(page.locator("[data-summary]")).to_be_visible()
    journey.check("demande-champs-manquants")
    order_for(page, None, domains=("TUNEPS", "TTN"))
    order_for(page, RIM)
    order_for(page, YASSINE, domains=("CNSS",))
    journey.check("liste-des-demandes")
    page.get_by_label("J'atteste que toutes les informations de la liste sont exactes.").check()
    press(page, "Envoyer les demandes")
    on(page, "Historique des commandes")
    expect(page.get_by_role("row").filter(has_text="Non finalisée")).to_have_count(3)
    journey.check("historique-non-finalisees")


def validate(journey: Any, near: str = "Sfax", *, scripted: bool = True) -> None:
    """II.7 and II.8, from the page that offers « Valider »."""
    page = journey.page
    on(page, "Valider ma demande")
    journey.check("valider")
    choose_office(page, near, scripted=scripted)
    accept_conditions(page, scripted=scripted)
    journey.check("conditions-lues")
    press(page, "Valider")
    expect(page.get_by_text("En attente de paiement").first).to_be_visible()
    journey.check("demande-validee")


def employees_validate(people: Callable[..., Any], smtp: MailServer) -> None:
    """Each employee: the mail, the activation, the validation."""
    deliver(smtp)
    for person, near in ((RIM, "Sousse"), (YASSINE, "Bizerte")):
        mail = smtp.only(person.email, "Création de la demande de certificat")
        at = people(person.first_name)
        activate(at.page, mail, person.email)
        at.page.goto("/demandes")
        at.check("mes-demandes")
        at.page.get_by_role("link", name="Valider la demande").first.click()
        validate(at, near)


def pay_three(journey: Any, gateway: HttpServer, smtp: MailServer) -> None:
    """II.9 to II.12."""
    page: Page = journey.page
    page.goto("/commandes")
    rows = page.get_by_role("row").filter(has_text="En attente de paiement")
    expect(rows).to_have_count(3)
    for index in range(3):
        rows.nth(index).get_by_role("checkbox").check()
    expect(page.get_by_text("1 271,500").first).to_be_visible()
    journey.check("historique-en-attente-de-paiement")
    press(page, "Ajouter au panier")
    on(page, "Récapitulatif de mon panier")
    receipt = page.locator(".receipt")
    for amount in ("1 050,000", "199,500", "21,000", "1,000", "1 271,500"):
        expect(receipt).to_contain_text(amount)
    journey.check("recapitulatif-de-mon-panier")
    press(page, "Payer")
    page.wait_for_url(f"{gateway.url}/**")
    expect(page.get_by_role("timer")).to_be_visible()
    journey.check("page-de-paiement")
    pay_by_card(page)
    page.wait_for_url("**/paiements/retour**")
    on(page, "Paiement confirmé")
    journey.check("paiement-confirme")
    read_database()
    number = db.session.scalars(select(Invoice)).one().number
    db.session.rollback()
    with downloaded(page) as files:
        page.get_by_role("link", name=number).click()
    words = text_of(files[0])
    assert "1 271,500" in words.replace("\u202f", " ").replace("\xa0", " ")
    assert len(pikepdf.open(io.BytesIO(files[0])).pages) == 1
    page.get_by_role("link", name="Finir la commande").click()
    on(page, "Historique des commandes")
    expect(page.get_by_role("row").filter(has_text="Prise en charge par TunTrust")).to_have_count(3)
    journey.check("historique-prises-en-charge")
    deliver(smtp)
    assert smtp.only(LEILA.email, f"Paiement confirmé : facture {number}").attachments


@pytest.mark.spec("ORG-1", "ORG-5", "ORG-7", "ACT-1", "ACT-2", "ORD-1", "ORD-3", "APP-1", "APP-2", "PAY-3", "INV-1")
def test_the_manual_s_chapters_one_and_two(
    journey: Any,
    people: Callable[..., Any],
    app: Flask,
    smtp: MailServer,
    identity: HttpServer,
    gateway: HttpServer,
    tmp_path: Path,
) -> None:
    sign_up(journey, tmp_path)
    sami = first_logins(journey, people, smtp)
    order_three(journey)
    page = journey.page
    page.get_by_role("link", name="Valider").first.click()
    validate(journey, "Tunis")
    employees_validate(people, smtp)
    # Either administrator may pay; the second sees the same organisation.
    sami.page.goto("/commandes")
    expect(sami.page.get_by_role("row").filter(has_text="En attente de paiement")).to_have_count(3)
    pay_three(journey, gateway, smtp)
    for path, name in (
        ("/factures", "mes-factures"),
        ("/messages", "mes-messages"),
        ("/organisation", "mon-organisation"),
        ("/aide", "aide"),
    ):
        journey.visit(path, name)
    read_database()
    states = set(db.session.scalars(select(CertificateRequest.state)))
    assert states == {RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST}
    assert db.session.scalars(select(OutboxMail).where(OutboxMail.sent_at.is_(None))).all() == []
    page.goto("/commandes")
    page.get_by_role("link", name="Détails").first.click()
    journey.check("details")


@pytest.mark.spec("ORG-2", "ORG-4", "ORG-5")
def test_a_foreign_organisation_signs_up_with_its_register_and_a_passport(
    journey: Any, app: Flask, smtp: MailServer, identity: HttpServer, tmp_path: Path
) -> None:
    page, files = journey.page, papers_of(HAFENWERK, tmp_path)
    page.goto("/inscription")
    page.get_by_label("Etranger").check()
    expect(box(page, "Matricule Fiscal")).to_be_hidden()
    box(page, "Pays").select_option("Allemagne")
    box(page, "Numéro d'enregistrement").fill("HRB 104412")
    box(page, "Catégorie").select_option("Entreprise privée")
    for label, typed in (
        ("Raison sociale", HAFENWERK.legal_name),
        ("Nom commercial", HAFENWERK.trade_name),
        ("Adresse", HAFENWERK.address),
        ("Code Postal", HAFENWERK.postal_code),
        ("Ville", HAFENWERK.city),
        ("Téléphone Fixe", HAFENWERK.phone),
    ):
        box(page, label).fill(typed)
    box(page, "Joindre l'extrait du registre de commerce, ou son équivalent").set_input_files(files["register"])
    box(page, "Date de l'extrait du registre de commerce").fill((clock.today() - timedelta(days=20)).isoformat())
    journey.check("1-etranger")
    press(page, "Suivant")
    on(page, "Informations sur le représentant légal")
    attest(page)
    fill_person(page, KATRIN)
    box(page, "Joindre une copie de la pièce d'identité").set_input_files(files["passport"])
    press(page, "Suivant")
    on(page, "Compte(s) administrateur(s)")
    attest(page)
    page.get_by_role("group", name="L'administrateur est-il le représentant légal ?").get_by_label("Oui").check()
    press(page, "Suivant")
    on(page, "Terminer")
    expect(page.get_by_text("passeport.jpg").first).to_be_visible()
    journey.check("4-terminer")
    copy_code(page)
    press(page, "Enregistrer")
    on(page, "Vérifiez votre messagerie")
    deliver(smtp)
    activate(page, smtp.only(KATRIN.email), KATRIN.email)
    page.goto("/organisation")
    journey.check("mon-organisation")
    expect(page.get_by_text("HRB 104412").first).to_be_visible()
    assert NEW_PASSWORD not in page.content()

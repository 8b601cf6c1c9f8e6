"""After the manual: TunTrust's desk, from three paid requests to a parcel, in Chromium."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from app import clock
from app.demo.papers import rne_extract, tax_card
from app.demo.papers_certificates import self_signed_certificate
from app.demo.papers_identity import identity_copy
from app.demo.papers_scans import scanned, signed_contract_scan
from app.extensions import db
from app.models import AuditEntry, CertificateRequest, Contract, DocumentKind, Organisation, Tariff
from app.permissions import Actor, Role
from app.services import contracts, documents
from app.services.files import storage
from app.services.unit_of_work import use_case
from app.states import OrganisationState, RequestState
from tests import factories
from tests.browser.steps import (
    LEILA,
    OLIVIERS,
    RIM,
    YASSINE,
    box,
    deliver,
    downloaded,
    log_in,
    on,
    press,
    read_database,
)
from tests.support.servers import MailServer

RECEIVED = timedelta(days=3)


@use_case
def _papers_arrive(organisation_id: int, *, actor: Actor) -> None:
    """What a sign-up leaves: the extract, the tax card, the contract to sign."""
    day = clock.today() - timedelta(days=12)
    extract = rne_extract(OLIVIERS.drawn, day)
    card = scanned(tax_card(OLIVIERS.drawn), angle=0.8)
    owner = {"actor": actor, "organisation_id": organisation_id}
    documents.receive(extract, "extrait.pdf", kind=DocumentKind.RNE_EXTRACT, issued_on=day, **owner)
    documents.receive(card, "patente.jpg", kind=DocumentKind.TAX_CARD, **owner)
    contracts.issue_contract(db.session.get_one(Organisation, organisation_id), actor=actor)


class Story:
    """An organisation as chapters I and II leave it: activated, three requests paid, nothing looked at yet."""

    def __init__(self) -> None:
        moment = clock.now() - RECEIVED
        company = factories.organisation(
            OrganisationState.A_VERIFIER,
            legal_name=OLIVIERS.legal_name,
            legal_name_ar=OLIVIERS.legal_name_ar,
            trade_name=OLIVIERS.trade_name,
            tax_id=OLIVIERS.tax_id,
            phone="+21671284619",
            complete_since=moment,
        )
        admin = factories.administrator(company, **self._person(LEILA))
        for name, value in self._person(LEILA).items():
            setattr(company.representative, name, value)
        db.session.commit()
        _papers_arrive(company.id, actor=factories.actor(admin))
        state = RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST
        applicants = [admin, *(factories.applicant(**self._person(each)) for each in (RIM, YASSINE))]
        rows = [
            factories.certificate_request(company, state, applicant=each, by=admin, complete_since=moment)
            for each in applicants
        ]
        self.organisation_id = company.id
        self.organisation = company.reference
        self.own, self.rim, self.yassine = (row.reference for row in rows)
        self.contract = storage().get(db.session.scalars(select(Contract)).one().storage_key)
        self.staff = {role: factories.staff(role).email for role in (Role.AGENT, Role.RESPONSABLE, Role.ADMINISTRATEUR)}
        db.session.commit()

    @staticmethod
    def _person(person: Any) -> dict[str, Any]:
        return {
            "last_name": person.last_name,
            "first_name": person.first_name,
            "last_name_ar": person.last_name_ar,
            "first_name_ar": person.first_name_ar,
            "birth_date": person.birth_date,
            "identity_number": person.identity_number,
            "email": person.email,
        }

    def state(self, reference: str) -> RequestState:
        """As it stands in the database."""
        read_database()
        state = db.session.scalars(
            select(CertificateRequest.state).where(CertificateRequest.reference == reference)
        ).one()
        db.session.rollback()
        return state


@pytest.fixture
def story(app: Flask) -> Story:
    return Story()


def come_in(journey: Any, email: str) -> Page:
    """Log in; the page that opens."""
    log_in(journey.page, email, factories.PASSWORD)
    expect(journey.page).not_to_have_url(f"{journey.base}/")
    page: Page = journey.page
    return page


def decide(page: Page, label: str) -> None:
    """A button of the decision bar; when it asks again, « Confirmer »."""
    bar = page.get_by_role("group", name="Décision")
    bar.get_by_role("button", name=label, exact=True).or_(bar.get_by_role("link", name=label)).first.click()


def confirmed(page: Page) -> None:
    """The dialog of an action that cannot be undone."""
    page.locator("#confirm-dialog").get_by_role("button").last.click()


def said(page: Page, sentence: str) -> None:
    expect(page.get_by_text(sentence).first).to_be_visible()


# ---- the steps


def verify_organisation(journey: Any, story: Story) -> None:
    """From the queue: take it, look at each paper, accept, verify."""
    page = journey.page
    page.goto("/admin/")
    journey.check("bureau")
    page.goto("/admin/organisations/")
    journey.check("organisations")
    page.get_by_role("link", name=OLIVIERS.legal_name).or_(
        page.get_by_role("link", name=story.organisation)
    ).first.click()
    press(page, "Prendre")
    said(page, "Le dossier est à vous.")
    expect(page.get_by_role("group", name="Décision")).to_be_in_viewport()
    journey.check("dossier-organisation")
    kinds = ("Extrait du registre national des entreprises (RNE)", "Carte d'identification fiscale (Patente)")
    for index, kind in enumerate(kinds):
        page.get_by_role("navigation", name="Documents").get_by_role("link").nth(index).click()
        expect(page.get_by_role("heading", name=kind)).to_be_visible()
        page.get_by_role("button", name=f"Conforme : {kind}", exact=True).click()
        expect(page.get_by_role("button", name=f"Conforme : {kind}", exact=True)).to_have_attribute(
            "aria-pressed", "true"
        )
    picture = page.get_by_role("img", name="Carte d'identification fiscale (Patente), page 1")
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 500
    decide(page, "Déclarer vérifiée")
    if page.locator("#confirm-dialog").is_visible():
        confirmed(page)
    said(page, "L'organisation est vérifiée et ses administrateurs prévenus.")
    journey.check("organisation-verifiee")


def sign_contract(journey: Any, story: Story, folder: Path) -> None:
    """The client prints, signs, scans and hands in the contract."""
    scan = folder / "contrat signé.pdf"
    scan.write_bytes(signed_contract_scan(story.contract, [LEILA.name], stamp="OLIVIERS"))
    page = come_in(journey, LEILA.email)
    page.goto("/organisation")
    page.get_by_role("link", name="Déposer la copie signée").click()
    on(page, "Déposer le contrat signé")
    box(page, "Copie signée").set_input_files(scan)
    press(page, "Déposer")
    on(page, "Mon organisation")
    journey.check("contrat-depose")


def accept_contract(journey: Any, story: Story) -> None:
    page = journey.page
    page.goto(f"/admin/dossiers/{story.own}")
    page.get_by_role("link", name="Contrat", exact=False).first.click()
    page.get_by_role("button", name="Conforme : Contrat signé", exact=True).click()
    expect(page.get_by_role("button", name="Conforme : Contrat signé", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    journey.check("contrat")


def ask_for_a_copy(journey: Any, story: Story) -> None:
    """One datum is wrong and one paper is missing: asked together, read again before they go."""
    page = journey.page
    page.goto(f"/admin/dossiers/{story.rim}?onglet=demandeur")
    page.get_by_role("button", name="Non conforme : الاسم").click()
    page.get_by_label("Motif").last.select_option(index=0)
    page.get_by_label("Précision pour le client").fill("Il diffère de la CIN.")
    press(page, "Enregistrer le motif")
    said(page, "« Pièces manquantes » : 1 point")
    journey.check("dossier-demande")
    decide(page, "Demander")
    page.get_by_role("group", name="Autre document 1").get_by_label("Document").select_option(
        "Pièce d'identité du demandeur"
    )
    page.get_by_role("group", name="Autre document 1").get_by_label("Ce que le client doit savoir").fill(
        "Joignez une copie lisible de la CIN, recto et verso."
    )
    journey.check("demander-des-pieces")
    press(page, "Relire le courriel")
    said(page, "Joignez une copie lisible de la CIN, recto et verso.")
    journey.check("relire-le-courriel")
    press(page, "Envoyer la demande")
    expect(page.get_by_text("En attente de justificatifs").first).to_be_visible()
    assert story.state(story.rim) is RequestState.EN_ATTENTE_DE_JUSTIFICATIFS


def answer(journey: Any, story: Story, folder: Path) -> None:
    """The applicant answers each point and says so."""
    page = come_in(journey, RIM.email)
    page.goto(f"/demandes/{story.rim}/pieces")
    journey.check("pieces-manquantes")
    copy = folder / "cin.jpg"
    copy.write_bytes(identity_copy(RIM.facts, "CIN"))
    box(page, "Votre document").set_input_files(copy)
    press(page, "Enregistrer ce document")
    said(page, "Votre réponse est enregistrée : pièce d'identité du demandeur.")
    expect(page.get_by_role("link", name="cin.jpg")).to_be_visible()
    box(page, "Votre réponse").fill("Ma CIN porte bien ce prénom, voyez la copie.")
    press(page, "Enregistrer cette réponse")
    said(page, "Votre réponse est enregistrée : prénom en arabe.")
    journey.check("pieces-repondues")
    press(page, "J'ai apporté les corrections demandées")
    expect(page.get_by_text("Prise en charge par TunTrust").first).to_be_visible()
    assert story.state(story.rim) is RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST


def approve(journey: Any, story: Story) -> None:
    page = journey.page
    page.goto(f"/admin/dossiers/{story.rim}?onglet=demandeur")
    said(page, "Ma CIN porte bien ce prénom, voyez la copie.")
    page.get_by_role("button", name="Conforme : Pièce d'identité du demandeur", exact=True).click()
    expect(page.get_by_role("button", name="Conforme : Pièce d'identité du demandeur", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    page.get_by_role("button", name="Conforme : الاسم", exact=True).click()
    expect(page.get_by_role("button", name="Conforme : الاسم", exact=True)).to_have_attribute("aria-pressed", "true")
    decide(page, "Approuver")
    if page.locator("#confirm-dialog").is_visible():
        confirmed(page)
    said(page, "La demande est approuvée : enregistrez le certificat dès qu'il est généré.")
    journey.check("approuvee")


def record_and_dispatch(journey: Any, story: Story, folder: Path) -> None:
    page = journey.page
    begin = clock.now()
    pem = folder / "rim.pem"
    pem.write_bytes(
        self_signed_certificate(
            RIM.name, RIM.identity_number, OLIVIERS.legal_name, 0x4E5A11, begin, begin + timedelta(days=730)
        )
    )
    decide(page, "Enregistrer le certificat")
    journey.check("enregistrer-le-certificat")
    press(page, "Enregistrer le certificat")
    said(page, "Choisissez le certificat généré (PEM ou DER).")
    box(page, "Certificat").set_input_files(pem)
    press(page, "Enregistrer le certificat")
    said(page, "Le certificat est enregistré : vous pouvez expédier le token.")
    decide(page, "Expédier")
    page.get_by_label("Numéro de suivi RapidPost").fill("EE123456785TN")
    journey.check("expedier")
    press(page, "Expédier")
    said(page, "Le certificat est expédié et le client prévenu.")
    journey.check("expediee")
    assert story.state(story.rim) is RequestState.EXPEDIEE


def reject(journey: Any, story: Story) -> None:
    page = journey.page
    page.goto(f"/admin/dossiers/{story.yassine}")
    decide(page, "Rejeter")
    press(page, "Rejeter")
    expect(page.locator("[data-summary]")).to_be_visible()
    page.get_by_label("Précision").fill("Cette personne n'est pas employée par l'organisation.")
    journey.check("rejeter")
    press(page, "Rejeter")
    said(page, "La demande est rejetée et le client prévenu.")
    assert story.state(story.yassine) is RequestState.ANNULEE


@pytest.mark.spec("CON-1", "REV-1", "REV-2", "REV-5", "STA-1", "STA-2", "CRT-1")
def test_an_agent_verifies_asks_approves_dispatches_and_rejects(
    journey: Any, people: Callable[..., Any], story: Story, smtp: MailServer, tmp_path: Path
) -> None:
    client, applicant = people("leila"), people("rim")
    sign_contract(client, story, tmp_path)
    come_in(journey, story.staff[Role.AGENT])
    verify_organisation(journey, story)
    accept_contract(journey, story)
    ask_for_a_copy(journey, story)
    mail = deliver(smtp).only(RIM.email, "Pièces manquantes")
    assert "Joignez une copie lisible de la CIN, recto et verso." in mail.text
    answer(applicant, story, tmp_path)
    approve(journey, story)
    record_and_dispatch(journey, story, tmp_path)
    assert "EE123456785TN" in deliver(smtp).only(RIM.email, "Votre certificat est expédié").text
    applicant.page.goto(f"/demandes/{story.rim}")
    said(applicant.page, "EE123456785TN")
    applicant.check("expediee")
    reject(journey, story)
    assert "n'est pas employée" in deliver(smtp).only(YASSINE.email, "Votre demande de certificat est rejetée").text
    page = journey.page
    page.goto("/admin/demandes/")
    journey.check("demandes")
    page.goto(f"/admin/dossiers/{story.rim}?onglet=historique")
    journey.check("historique")
    page.goto(f"/admin/dossiers/{story.rim}?onglet=paiement")
    journey.check("paiement")


@pytest.mark.spec("EXP-1", "PPL-2")
def test_a_manager_exports_the_filtered_list_and_changes_nothing(journey: Any, story: Story) -> None:
    before = db.session.scalar(select(func.count()).select_from(CertificateRequest))
    page = come_in(journey, story.staff[Role.RESPONSABLE])
    page.goto("/admin/demandes/?search=Hammami&onglet=tous")
    expect(page.get_by_text(story.rim).first).to_be_visible()
    expect(page.get_by_text(story.yassine)).to_have_count(0)
    journey.check("demandes-filtrees")
    page.get_by_text("Exporter", exact=False).first.click()
    with downloaded(page) as files:
        page.get_by_role("link", name="CSV").click()
    assert files[0].startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(files[0].decode("utf-8-sig")), delimiter=";"))
    assert len(rows) == 2
    assert RIM.identity_number in rows[1]
    with downloaded(page) as files:
        page.get_by_role("link", name="Excel (XLSX)").click()
    sheet = openpyxl.load_workbook(io.BytesIO(files[0])).active
    assert sheet is not None
    assert [cell.value for cell in sheet[1]] == rows[0]
    assert RIM.identity_number in [cell.value for cell in sheet[2]]
    # Nothing to press on a file, and nothing opens by its address.
    page.goto(f"/admin/dossiers/{story.rim}")
    journey.check("dossier-en-lecture")
    expect(page.get_by_role("group", name="Décision")).to_have_count(0)
    expect(page.get_by_role("button", name="Conforme", exact=False)).to_have_count(0)
    journey.forgive("403")
    page.goto(f"/admin/dossiers/{story.rim}/decision/reject")
    journey.check("refuse")
    read_database()
    assert db.session.scalar(select(func.count()).select_from(CertificateRequest)) == before
    assert (
        db.session.scalar(select(func.count()).select_from(AuditEntry).where(AuditEntry.action.like("%export%"))) == 2
    )
    assert story.state(story.rim) is RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST


@pytest.mark.spec("REF-1", "PRI-1", "TEA-1", "AUD-1")
def test_a_technical_administrator_prepares_a_tariff_and_reads_the_journal(journey: Any, story: Story) -> None:
    page = come_in(journey, story.staff[Role.ADMINISTRATEUR])
    page.goto("/admin/tarifs/")
    journey.check("tarifs")
    page.get_by_role("link", name="Ajouter un tarif").click()
    page.get_by_label("Type de certificat").select_option("Certificat ID-Trust sur token")
    page.get_by_label("Validité (années)").fill("2")
    page.get_by_label("Prix HT").fill("360,000")
    page.get_by_label("TVA").fill("19")
    page.get_by_label("Valable à partir du").fill((clock.today() + timedelta(days=40)).isoformat())
    journey.check("nouveau-tarif")
    page.get_by_role("button", name="Enregistrer").click()
    said(page, "C'est enregistré.")
    page.get_by_role("row").filter(has_text="360,000").get_by_role("link").first.click()
    page.get_by_label("Prix HT").fill("365,500")
    page.get_by_role("button", name="Enregistrer").click()
    said(page, "C'est enregistré.")
    read_database()
    assert sorted(db.session.scalars(select(Tariff.price_ht))) == [350_000, 365_500]
    db.session.rollback()
    for path, name in (
        ("/admin/domaines/", "domaines"),
        ("/admin/postes/", "bureaux-de-poste"),
        ("/admin/equipe/", "equipe"),
        ("/admin/reglages/", "reglages"),
        ("/admin/journal/", "journal"),
    ):
        page.goto(path)
        journey.check(name)
        assert page.get_by_role("heading", level=1).inner_text() != "Page introuvable"

"""« Mon organisation » and the help page in a real browser: axe, 1280 and 320 px."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from PIL import Image

from app import clock
from app.extensions import db
from app.models import DocumentAsk, DocumentAskItem, DocumentKind, Organisation
from app.permissions import visitor
from app.services import contracts, files, organisations
from app.services.unit_of_work import use_case
from app.states import OrganisationState, Verdict
from tests import factories


@use_case
def issue(organisation_id):
    contracts.issue_contract(db.session.get_one(Organisation, organisation_id), actor=visitor("127.0.0.1"))


def paper(of, **values):
    row = factories.document(organisation_id=of.id, **values)
    out = io.BytesIO()
    Image.new("RGB", (600, 800), "white").save(out, "PNG")
    files.storage().put(row.storage_key, out.getvalue())
    row.media_type = "image/png"
    db.session.commit()
    return row


@pytest.fixture
def asked(app):
    """An organisation with everything the page can show, and its administrator."""
    of = factories.organisation(
        OrganisationState.A_VERIFIER,
        legal_name="Société Tunisienne de Traitement des Eaux",
        legal_name_ar="الشركة التونسية لمعالجة المياه",
    )
    who = factories.administrator(of)
    factories.administrator(of, activated=False, temporary_password_expires_at=clock.now() + timedelta(hours=30))
    extract = paper(of, issued_on=clock.today() - timedelta(days=83))
    paper(
        of,
        kind=DocumentKind.TAX_CARD,
        original_name="patente-scannée-un-nom-de-fichier-vraiment-très-long-2026.pdf",
        verdict=Verdict.REFUSE,
        verdict_reason="Le matricule n'est pas lisible.",
    )
    issue(of.id)
    values = {"city": "La Marsa", "phone": "+21671000001"}
    organisations.change_data(of.id, values, actor=factories.actor(who))
    ask = DocumentAsk(organisation_id=of.id, asked_at=clock.now(), message="Merci de compléter votre dossier.")
    ask.items = [
        DocumentAskItem(
            position=0,
            document_kind=DocumentKind.RNE_EXTRACT,
            document_id=extract.id,
            reason="L'extrait est coupé en bas de page.",
        ),
        DocumentAskItem(position=1, field="legal_name", reason="Elle diffère du registre."),
    ]
    db.session.add(ask)
    of.state = OrganisationState.PIECES_DEMANDEES
    db.session.commit()
    return who


@pytest.mark.spec("CON-1", "CON-2")
def test_mon_organisation_on_a_desk_and_on_a_phone(journey, asked):
    page = journey.page
    journey.visit("/")
    page.get_by_label("E-mail").fill(asked.email)
    page.get_by_label("Mot de passe", exact=False).first.fill(factories.PASSWORD)
    page.get_by_role("button", name="S'identifier").click()
    journey.visit("/organisation")
    journey.check("mon-organisation")
    page.get_by_role("link", name="Répondre : Extrait").click()
    journey.check("reponse")
    journey.visit("/organisation/modifier")
    page.get_by_label("Raison sociale", exact=False).first.fill("A & B")
    page.get_by_role("button", name="Enregistrer").click()
    journey.check("modifier-avec-erreur")
    journey.visit("/organisation/contrat/2/signe")
    journey.check("contrat-signe")


@pytest.mark.spec("CON-2")
def test_adding_an_administrator_on_a_desk_and_on_a_phone(journey, app):
    of = factories.organisation(OrganisationState.VERIFIEE)
    who = factories.administrator(of)
    page = journey.page
    journey.visit("/")
    page.get_by_label("E-mail").fill(who.email)
    page.get_by_label("Mot de passe", exact=False).first.fill(factories.PASSWORD)
    page.get_by_role("button", name="S'identifier").click()
    journey.visit("/organisation/administrateurs/nouveau")
    journey.check("deuxieme-administrateur")


def test_the_help_page(journey, app):
    journey.visit("/aide")
    journey.check("aide")

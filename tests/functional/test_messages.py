"""Conversations and notes on the pages of both sides (MSG-1, REV-8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app import clock
from app.demo.papers import tax_card
from app.extensions import db
from app.models import CertificateRequest, Document, FileNote, Message, MessageThread, User
from app.permissions import Role
from app.queries.threads import Subject
from app.services import assigning, messaging, noting
from app.states import RequestState
from tests import factories as f
from tests.pages import CheckingClient

pytestmark = pytest.mark.spec("MSG-1")

NewClient = Callable[[], CheckingClient]


class Folk:
    def __init__(self) -> None:
        self.organisation = f.organisation()
        self.admin = f.administrator(self.organisation)
        self.applicant = f.applicant()
        self.agent = f.staff()
        self.request = f.certificate_request(
            self.organisation, RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST, applicant=self.applicant, by=self.admin
        )
        f.document(organisation_id=self.organisation.id)
        f.contract(self.organisation)
        self.reference = self.request.reference

    def say(self, who: User, text: str = "Bonjour") -> Message:
        actor = f.actor(who)
        row = db.session.get_one(CertificateRequest, self.request.id)
        return messaging.send_message(actor, Subject(row.organisation, row), text, as_staff=actor.is_staff)


@pytest.fixture
def folk(app: Flask) -> Folk:
    return Folk()


def entered(new_client: NewClient, who: User) -> CheckingClient:
    client = new_client()
    client.login(who.email, f.PASSWORD)
    return client


def unread(page: Any) -> bool:
    """Does the menu of the client's space count a conversation?"""
    return 'Mes messages <span class="count">1</span>' in page.data.decode()


def test_a_question_is_asked_from_the_request_answered_beside_the_file_and_read(
    folk: Folk, new_client: NewClient
) -> None:
    client, desk = entered(new_client, folk.applicant), entered(new_client, folk.agent)
    page = client.get(f"/demandes/{folk.reference}").click("Écrire à TunTrust")
    page = page.form("Envoyer").fill(
        {"Votre message": "Où en est mon dossier ?"}, files=("carte.pdf", tax_card({"legal_name": "X"}))
    ).submit("Envoyer")  # fmt: skip
    assert "Où en est mon dossier ?" in page
    assert "carte.pdf" in page
    assert page.flashes == ["Votre message est envoyé : TunTrust vous répondra ici."]
    listed = desk.get("/admin/conversations/")
    assert listed.table(0)[0]["Dossier"] == folk.reference
    assert "Où en est mon dossier ?" in listed
    beside = desk.get(f"/admin/dossiers/{folk.reference}?onglet=messages")
    assert "Attend une réponse" in beside
    public_id = db.session.scalars(select(Document.public_id).where(Document.message_id.is_not(None))).one()
    assert desk.get(f"/documents/{public_id}").status == 200
    other = entered(new_client, f.administrator(f.organisation()))
    assert other.get(f"/documents/{public_id}", expect=404).status == 404
    beside = beside.form("Envoyer").fill(text="Il est en cours de vérification.").submit("Envoyer")
    assert "Attend une réponse" not in beside.text.replace("Attendent une réponse", "")
    home = client.get("/demandes")
    assert unread(home)
    page = client.get("/messages").click(folk.reference)
    assert "Il est en cours de vérification." in page
    assert "Nouveau" in page
    assert f"{folk.agent.first_name} {folk.agent.last_name}" not in page  # clients read TunTrust
    again = client.get(f"/messages/{folk.reference}")
    assert "Nouveau" not in again
    assert not unread(again)


def test_a_refusal_keeps_what_was_typed_on_both_sides(folk: Folk, new_client: NewClient) -> None:
    client, desk = entered(new_client, folk.admin), entered(new_client, folk.agent)
    page = client.get(f"/messages/{folk.reference}").form("Envoyer")
    page = page.fill({"Votre message": "Voici ma pièce"}, files=("x.pdf", b"rien")).submit("Envoyer")
    assert page.error_for("files")
    assert page.form("Envoyer")["text"] == "Voici ma pièce"
    assert client.get(f"/messages/{folk.reference}").form("Envoyer").submit("Envoyer").error_for("text")
    beside = desk.get(f"/admin/dossiers/{folk.reference}?onglet=messages").form("Envoyer")
    beside = beside.fill(text="Bonjour {prénom}").submit("Envoyer")
    assert "{prénom}" in beside.error_for("text")
    assert beside.form("Envoyer")["text"] == "Bonjour {prénom}"


def test_a_double_click_sends_one_message(folk: Folk, new_client: NewClient) -> None:
    client = entered(new_client, folk.admin)
    form = client.get(f"/messages/{folk.reference}").form("Envoyer").fill({"Votre message": "Bonjour"})
    form.submit("Envoyer")
    form.submit("Envoyer")
    assert len(db.session.scalars(select(Message)).all()) == 1


def test_a_message_is_taken_back_from_the_page(folk: Folk, new_client: NewClient, travel: Any) -> None:
    folk.say(folk.admin, "Erreur")
    client, desk = entered(new_client, folk.admin), entered(new_client, folk.agent)
    assert "Retirer" not in desk.get(f"/admin/dossiers/{folk.reference}?onglet=messages")
    page = client.get(f"/messages/{folk.reference}").press("Retirer")
    assert "Message retiré." in page
    assert "Erreur" not in page.text.replace("Erreur :", "")
    assert "Message retiré." in desk.get(f"/admin/dossiers/{folk.reference}?onglet=messages")
    folk.say(folk.admin, "Trop tard")
    travel(minutes=6)
    assert "Retirer" not in client.get(f"/messages/{folk.reference}")


@pytest.mark.spec("REV-8")
def test_a_ready_reply_is_put_into_the_text_and_edited_before_it_is_sent(folk: Folk, new_client: NewClient) -> None:
    folk.say(folk.applicant, "Où en est-il ?")
    desk = entered(new_client, folk.agent)
    page = desk.get(f"/admin/dossiers/{folk.reference}?onglet=messages")
    form = page.form("Envoyer").fill({"Réponse toute prête": "Où en est le dossier"}, text="Merci de votre patience.")
    page = form.submit("Insérer")
    text = page.form("Envoyer")["text"]
    assert text.startswith("Merci de votre patience.\n\nBonjour " + folk.applicant.first_name)
    assert "{" not in text
    page = page.form("Envoyer").fill(text=text + "\nÀ bientôt.").submit("Envoyer")
    assert "À bientôt." in page
    sent = db.session.scalars(select(Message).where(Message.by_staff)).one()
    assert sent.text.endswith("À bientôt.")
    arabic = page.form("Envoyer").fill({"Réponse toute prête": "Message bien reçu", "Langue": "arabe"})
    assert "مرحبا" in arabic.submit("Insérer").form("Envoyer")["text"]


def test_a_conversation_that_needs_no_answer_leaves_the_list(folk: Folk, new_client: NewClient) -> None:
    folk.say(folk.applicant, "Merci !")
    desk = entered(new_client, folk.agent)
    page = desk.get(f"/admin/dossiers/{folk.reference}?onglet=messages").press("Pas de réponse nécessaire")
    assert page.flashes == ["La conversation n'attend plus de réponse."]
    assert folk.reference not in desk.get("/admin/conversations/")
    assert folk.reference in desk.get("/admin/conversations/?onglet=tous")


def test_long_conversations_go_by_pages(folk: Folk, new_client: NewClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.queries import threads

    monkeypatch.setattr(threads, "SHOWN", 2)
    for word in ("premier", "deuxième", "troisième"):
        folk.say(folk.agent, f"Le {word}")
    client = entered(new_client, folk.admin)
    page = client.get(f"/messages/{folk.reference}")
    assert "Le premier" not in page
    assert "Le premier" in page.click("Messages plus anciens")


def test_an_officers_text_links_to_this_portal_only(folk: Folk, new_client: NewClient, app: Flask) -> None:
    own = f"{app.config['PUBLIC_URL']}/demandes/{folk.reference}"
    folk.say(folk.agent, f"Voir {own}. Pas https://exemple.tn/piege <b>")
    page = entered(new_client, folk.admin).get(f"/messages/{folk.reference}")
    assert f'href="{own}"' in page.data.decode()
    assert "piege&lt;" not in page.data.decode()
    assert 'href="https://exemple.tn' not in page.data.decode()
    assert "&lt;b&gt;" in page.data.decode()


@pytest.mark.spec("PPL-2")
def test_anothers_conversation_does_not_exist(folk: Folk, new_client: NewClient) -> None:
    folk.say(folk.admin)
    stranger = entered(new_client, f.applicant())
    for reference in (folk.reference, folk.organisation.reference, "DEM-2026-999999", "x"):
        assert stranger.get(f"/messages/{reference}", expect=404).status == 404
    applicant = entered(new_client, folk.applicant)  # of the request, not of the organisation
    assert applicant.get(f"/messages/{folk.organisation.reference}", expect=404).status == 404


@pytest.mark.spec("REV-8", "PPL-2")
def test_notes_stay_on_tuntrusts_side(folk: Folk, new_client: NewClient, smtp: Any) -> None:
    desk = entered(new_client, folk.agent)
    page = desk.get(f"/admin/dossiers/{folk.reference}?onglet=notes")
    page = page.form("Enregistrer la note").submit("Enregistrer la note")
    assert page.error_for("text")
    page = page.form("Enregistrer la note").fill({"Note": "Gérant suspect ZZTOP", "À suivre le": str(clock.today())})
    page = page.submit("Enregistrer la note")
    assert "Gérant suspect ZZTOP" in page
    assert folk.reference in desk.get("/admin/suivi/")
    assert "Gérant suspect ZZTOP" in desk.get("/admin/").click("À suivre aujourd'hui")
    folk.say(folk.agent, "Bonjour")
    admin, applicant = entered(new_client, folk.admin), entered(new_client, folk.applicant)
    places = (
        "/messages", f"/messages/{folk.reference}", f"/messages/{folk.organisation.reference}", "/commandes",
        f"/demandes/{folk.reference}", "/organisation", "/factures", "/panier",
    )  # fmt: skip
    for path in places:
        assert "ZZTOP" not in admin.get(path), path
    for path in (f"/messages/{folk.reference}", "/messages", "/demandes", f"/demandes/{folk.reference}"):
        assert "ZZTOP" not in applicant.get(path), path
    for name in ("demandes", "organisations"):
        exported = desk.open("GET", f"/admin/{name}/export/csv", fragment=True)
        assert b"ZZTOP" not in exported.data
    page = desk.get(f"/admin/dossiers/{folk.reference}?onglet=notes").press("Fait")
    assert page.flashes == ["C'est noté comme fait."]
    assert folk.reference not in desk.get("/admin/suivi/")


@pytest.mark.spec("REV-8")
def test_a_manager_reads_both_and_writes_neither(folk: Folk, new_client: NewClient) -> None:
    folk.say(folk.admin, "Une question")
    officer = f.actor(folk.agent)
    noting.write_note(officer, Subject(folk.organisation), "À revoir")
    manager = entered(new_client, f.staff(Role.RESPONSABLE))
    page = manager.get(f"/admin/dossiers/{folk.reference}?onglet=messages")
    assert "Une question" in page
    assert "Envoyer" not in page
    page = manager.get(f"/admin/dossiers/{folk.reference}?onglet=notes")
    assert "À revoir" in page
    assert "Enregistrer la note" not in page
    assert len(db.session.scalars(select(FileNote)).all()) == 1
    assert db.session.scalars(select(MessageThread)).one().awaits_staff


@pytest.mark.spec("PPL-3")
def test_an_officer_reads_of_their_own_file_what_a_client_reads(folk: Folk, new_client: NewClient) -> None:
    own, colleague = f.user(Role.AGENT, Role.DEMANDEUR), f.staff()
    request = f.certificate_request(
        folk.organisation, RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST, applicant=own, by=folk.admin
    )
    supervisor = f.actor(f.staff(Role.SUPERVISEUR))
    assigning.hand_over_request(request.id, colleague.id, actor=supervisor, note="Vérifie sa signature.")
    address = f"/admin/dossiers/{request.reference}?onglet=historique"
    assert "Vérifie sa signature." in entered(new_client, colleague).get(address)
    page = entered(new_client, own).get(address)
    assert "Historique" in page
    assert "Vérifie sa signature." not in page


@pytest.mark.spec("ORD-8", "MSG-1")
def test_a_requests_page_says_what_was_written_about_it(folk: Folk, new_client: NewClient) -> None:
    client, desk = entered(new_client, folk.admin), entered(new_client, folk.agent)
    assert "Aucun message pour l'instant." in client.get(f"/demandes/{folk.reference}")
    folk.say(folk.admin, "Où en est mon dossier ?")
    page = client.get(f"/demandes/{folk.reference}")
    assert "1 message échangé avec TunTrust." in page
    assert "Non lu" not in page
    beside = desk.get(f"/admin/dossiers/{folk.reference}?onglet=messages").form("Envoyer")
    beside.fill(text="Il est en cours de vérification.").submit("Envoyer")
    page = client.get(f"/demandes/{folk.reference}")
    assert "2 messages échangés avec TunTrust. Le dernier, de TunTrust" in page
    assert "Non lu" in page
    page.click("Lire et répondre")
    assert "Non lu" not in client.get(f"/demandes/{folk.reference}")

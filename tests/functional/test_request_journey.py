"""One request's pages as people use them: validate, report, correct, reopen, withdraw, answer (APP-2, ORD-8, REV-5)."""

from __future__ import annotations

import io

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import select

from app import clock
from app.extensions import db
from app.models import (
    CertificateRequest,
    CguVersion,
    Document,
    DocumentAsk,
    DocumentAskItem,
    DocumentKind,
    IdentityKind,
    Organisation,
    OutboxMail,
    User,
)
from app.permissions import Role
from app.queries import reference
from app.states import RequestState, Verdict
from tests import factories
from tests.factories import PASSWORD
from tests.pages import CheckingClient

pytestmark = pytest.mark.slow

CONSENT = (
    "J'autorise TunTrust à utiliser mes données pour traiter ma demande de certificat et j'accepte les présentes "
    "conditions générales d'utilisation et m'engage à agir conformément à celles-ci."
)


def picture(tone: int = 200) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (900, 600), (tone, tone, 250)).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def organisation(app: Flask) -> Organisation:
    return factories.organisation()


@pytest.fixture
def admin(organisation: Organisation) -> User:
    return factories.administrator(organisation)


@pytest.fixture
def applicant(app: Flask) -> User:
    return factories.applicant()


@pytest.fixture
def row(organisation: Organisation, applicant: User, admin: User) -> CertificateRequest:
    return factories.certificate_request(organisation, applicant=applicant, by=admin)


def address(row: CertificateRequest, rest: str = "") -> str:
    return f"/demandes/{row.reference}{rest}"


def mails(kind: str) -> list[OutboxMail]:
    return list(db.session.scalars(select(OutboxMail).where(OutboxMail.kind == kind).order_by(OutboxMail.id)))


def ask(row: CertificateRequest, *items: DocumentAskItem, message: str = "") -> DocumentAsk:
    made = DocumentAsk(request_id=row.id, asked_at=clock.now(), due_on=clock.today(), message=message)
    made.items = list(items)
    for place, item in enumerate(items, start=1):
        item.position = place
    db.session.add(made)
    db.session.commit()
    return made


def paper_asked() -> DocumentAskItem:
    return DocumentAskItem(document_kind=DocumentKind.APPLICANT_IDENTITY, reason="La copie est floue.")


def field_asked(name: str = "first_name_ar") -> DocumentAskItem:
    return DocumentAskItem(field=name, reason="Le prénom en arabe diffère de la CIN.")


# ------------------------------------------------------------------------------------------------ validating


@pytest.mark.spec("APP-2", "APP-3")
def test_an_applicant_validates_and_the_version_time_and_address_are_kept(
    client: CheckingClient, row: CertificateRequest, applicant: User, admin: User
) -> None:
    home = client.login(applicant.email, PASSWORD)
    assert home.path == "/demandes"
    assert "À vous de jouer" in home
    page = home.click("Valider la demande")
    assert CONSENT in page
    form = page.form("Bureau de poste RapidPost")
    office = next(iter(form.options("post_office")))
    shown = form.fill({"Téléphone mobile": "22 333 444", CONSENT: True}, post_office=office).submit("Valider")
    assert shown.path == address(row)
    assert "Nous attendons le paiement de votre organisation" in shown
    assert row.state is RequestState.EN_ATTENTE_DE_PAIEMENT
    assert row.mobile == "+21622333444"
    assert row.post_office_id == int(office)
    assert row.cgu_version_id == reference.current_cgu().id
    assert row.cgu_accepted_at is not None
    assert row.cgu_accepted_ip == "127.0.0.1"
    assert [mail.recipient for mail in mails("request_validated")] == [admin.email]


@pytest.mark.spec("APP-2")
def test_missing_choices_are_said_beside_their_fields_and_what_was_typed_stays(
    client: CheckingClient, row: CertificateRequest, applicant: User
) -> None:
    client.login(applicant.email, PASSWORD)
    form = client.get(address(row, "/valider")).form("validation")
    page = form.fill({"Téléphone mobile": "12"}, near="Sfax", governorate="").submit("Valider")
    assert "numéro" in page.error_for("mobile")
    assert page.error_for("accept") == "Cochez la case pour accepter les conditions générales d'utilisation."
    assert page.error_for("post_office") == "Choisissez le bureau de poste où retirer votre certificat."
    form = page.form("validation")
    assert form["mobile"] == "12"
    assert form["near"] == "Sfax"
    assert row.state is RequestState.NON_FINALISEE


@pytest.mark.spec("APP-2")
def test_offices_are_found_by_postal_code_without_script_and_nothing_typed_is_lost(
    client: CheckingClient, row: CertificateRequest, applicant: User
) -> None:
    client.login(applicant.email, PASSWORD)
    form = client.get(address(row, "/valider")).form("validation")
    page = form.fill({"Téléphone mobile": "22333444", CONSENT: True}, near="3000").submit("Chercher les bureaux")
    assert "ceux des autres" in page
    form = page.form("validation")
    assert form.options("post_office")
    assert all("3000" in text for text in form.options("post_office").values())
    assert (form["mobile"], form["accept"]) == ("22333444", "y")
    assert page.errors == []
    assert row.state is RequestState.NON_FINALISEE
    fragment = client.open("GET", "/demandes/bureaux?gouvernorat=&pres_de=3000&choisi=abc", fragment=True)
    assert fragment.status == 200
    assert "3000" in fragment.html


@pytest.mark.spec("APP-2")
def test_a_foreigner_brings_a_copy_before_validating(
    client: CheckingClient, organisation: Organisation, applicant: User
) -> None:
    row = factories.certificate_request(
        organisation,
        applicant=applicant,
        nationality="FR",
        identity_kind=IdentityKind.PASSEPORT,
        identity_number="12AB34567",
    )
    client.login(applicant.email, PASSWORD)
    page = client.get(address(row, "/valider"))
    form = page.form("validation")
    office = next(iter(form.options("post_office")))
    page = form.fill({CONSENT: True}, post_office=office).submit("Valider")
    assert page.error_for("identity_copy") == "Joignez la copie de votre pièce d'identité."
    form = page.form("validation")
    assert form["post_office"] == office
    page = form.fill(identity_copy=("passeport.jpg", b"not a picture")).submit("Valider")
    assert page.error_for("identity_copy") != ""
    assert db.session.scalars(select(Document)).all() == []
    page = page.form("validation").fill(identity_copy=("passeport.jpg", picture())).submit("Envoyer la copie")
    assert page.errors == []
    assert "passeport.jpg" in page
    form = page.form("validation")
    assert form["post_office"] == office
    shown = form.fill({CONSENT: True}).submit("Valider")
    assert shown.path == address(row)
    assert row.state is RequestState.EN_ATTENTE_DE_PAIEMENT
    kept = db.session.scalars(select(Document)).one()
    assert (kept.kind, kept.request_id) == (DocumentKind.APPLICANT_IDENTITY, row.id)


@pytest.mark.spec("APP-2")
def test_conditions_published_meanwhile_are_read_again(
    client: CheckingClient, row: CertificateRequest, applicant: User
) -> None:
    client.login(applicant.email, PASSWORD)
    form = client.get(address(row, "/valider")).form("validation")
    office = next(iter(form.options("post_office")))
    db.session.add(CguVersion(number="2", text_fr="# Nouveau\n\nUn texte nouveau.", published_at=clock.now()))
    page = form.fill({CONSENT: True}, post_office=office).submit("Valider")
    assert "viennent de changer" in page.error_for("accept")
    assert "Un texte nouveau." in page
    form = page.form("validation")
    assert form["accept"] == ""
    assert form["post_office"] == office
    form.fill({CONSENT: True}).submit("Valider")
    assert row.state is RequestState.EN_ATTENTE_DE_PAIEMENT
    assert row.cgu_version.number == "2"


def test_a_second_click_on_valider_changes_nothing_and_says_so(
    client: CheckingClient, row: CertificateRequest, applicant: User
) -> None:
    client.login(applicant.email, PASSWORD)
    form = client.get(address(row, "/valider")).form("validation")
    form.fill({CONSENT: True}, post_office=next(iter(form.options("post_office"))))
    form.submit("Valider")
    again = form.submit("Valider")
    assert again.path == address(row)
    assert any("n'attend plus votre validation" in flash for flash in again.flashes)
    assert len(mails("request_validated")) == 1


@pytest.mark.spec("APP-2")
def test_a_reported_error_goes_to_the_administrator_and_comes_back_corrected(
    client: CheckingClient, new_client, row: CertificateRequest, applicant: User, admin: User
) -> None:
    client.login(applicant.email, PASSWORD)
    page = client.get(address(row, "/valider"))
    refused = page.form("Ce qui est à corriger").submit("Signaler une erreur")
    assert refused.error_for("Ce qui est à corriger") == "Dites ce qui est à corriger."
    page = refused.form("Ce qui est à corriger").fill({"Ce qui est à corriger": "Mon prénom est Rime."}).submit()
    assert "Nous attendons la correction" in page
    assert row.state is RequestState.NON_FINALISEE
    assert [mail.recipient for mail in mails("correction_asked")] == [admin.email]

    desk = new_client()
    desk.login(admin.email, PASSWORD)
    shown = desk.get(address(row))
    assert "Mon prénom est Rime." in shown
    form = shown.click("Corriger").form("Enregistrer la correction")
    assert "email" not in form.fields  # the account is activated
    bad = form.fill({"Prénom": "Rime2"}).submit("Enregistrer la correction")
    assert bad.error_for("first_name") == "Un nom ne contient pas de chiffre."
    done = bad.form("Enregistrer la correction").fill({"Prénom": "Rime"}).submit("Enregistrer la correction")
    assert done.path == address(row)
    assert row.first_name == "Rime"
    assert row.common_name.startswith("Rime ")
    assert "rime" in row.search_text
    assert row.correction_asked_at is None
    assert [mail.recipient for mail in mails("request_reopened")] == [applicant.email]
    assert "À vous de jouer" in client.get("/demandes")


def test_a_report_may_be_taken_back(client: CheckingClient, row: CertificateRequest, applicant: User) -> None:
    client.login(applicant.email, PASSWORD)
    form = client.get(address(row, "/valider")).form("Ce qui est à corriger")
    form.fill({"Ce qui est à corriger": "Une erreur."}).submit()
    page = client.get(address(row, "/valider"))
    assert "Vous avez signalé une erreur" in page
    page = page.press("Retirer mon signalement")
    assert page.form("validation")
    assert row.correction_asked_at is None


# -------------------------------------------------------------------------------------------------- managing


@pytest.mark.spec("ORD-8")
def test_an_administrator_sees_where_a_request_stands_and_its_history(
    client: CheckingClient, row: CertificateRequest, admin: User
) -> None:
    client.login(admin.email, PASSWORD)
    page = client.get(address(row))
    assert f"Nous attendons {row.first_name} {row.last_name}" in page
    for shown in (row.common_name, row.identity_number, row.first_name_ar, "350,000 DT", "TUNEPS"):
        assert shown in page
    page = page.press("Renvoyer l'invitation")
    assert page.flashes
    assert "L'invitation a été renvoyée au demandeur." in page
    again = page.press("Renvoyer l'invitation")
    assert len(mails("request_created")) == 1
    assert again.path == address(row)


@pytest.mark.spec("ORD-8", "PPL-2")
@pytest.mark.parametrize("rest", ["", "/valider", "/corriger", "/rouvrir", "/retirer", "/pieces"])
def test_anothers_request_does_not_exist(client: CheckingClient, row: CertificateRequest, rest: str) -> None:
    stranger = factories.administrator(factories.organisation())
    factories.accounts.grant_role(stranger, Role.DEMANDEUR, organisation_id=None, by=factories.actor(stranger))
    client.login(stranger.email, PASSWORD)
    client.get(address(row, rest), expect=404)
    for action in ("/signaler", "/signaler/retirer", "/renvoyer", "/retirer", "/pieces/1", "/pieces/envoyer"):
        client.get("/demandes")
        client.post(address(row, action), {}, expect=404)


@pytest.mark.spec("PPL-2")
def test_an_applicant_cannot_do_what_is_the_administrators(
    client: CheckingClient, row: CertificateRequest, applicant: User
) -> None:
    client.login(applicant.email, PASSWORD)
    for action in ("/retirer", "/corriger", "/rouvrir"):
        client.get(address(row, action), expect=403)
    assert "Retirer la demande" not in client.get(address(row))


def test_withdrawing_asks_first_tells_the_applicant_and_is_done_once(
    client: CheckingClient, row: CertificateRequest, admin: User, applicant: User
) -> None:
    client.login(admin.email, PASSWORD)
    form = client.get(address(row)).click("Retirer la demande").form("Retirer la demande")
    form.fill({"Raison": "Le collaborateur est parti."})
    page = form.submit("Retirer la demande")
    assert "Cette demande est annulée" in page
    assert "Le collaborateur est parti." in page
    assert row.state is RequestState.ANNULEE
    again = form.submit("Retirer la demande")
    assert any("ne peut plus être retirée" in flash for flash in again.flashes)
    assert [mail.recipient for mail in mails("request_withdrawn")] == [applicant.email]


def test_reopening_corrects_and_asks_for_a_new_validation(
    client: CheckingClient, organisation: Organisation, admin: User, applicant: User
) -> None:
    row = factories.certificate_request(
        organisation, RequestState.EN_ATTENTE_DE_PAIEMENT, applicant=applicant, basket_added_at=clock.now()
    )
    client.login(admin.email, PASSWORD)
    form = client.get(address(row)).click("Rouvrir pour correction").form("Raison de la réouverture")
    page = form.fill({"Nom": "Trabelsi Ayari"}).submit()
    assert page.error_for("reason") == "Écrivez la raison : elle sera gardée dans l'historique."
    form = page.form("Raison de la réouverture")
    assert form["last_name"] == "Trabelsi Ayari"
    form.fill({"Raison de la réouverture": "Nom d'épouse à ajouter."}).submit()
    assert row.state is RequestState.NON_FINALISEE
    assert (row.last_name, row.validated_at, row.cgu_version_id, row.basket_added_at) == (
        "Trabelsi Ayari",
        None,
        None,
        None,
    )
    assert "Nom d'épouse à ajouter." in mails("request_reopened")[0].text


@pytest.mark.spec("ORD-7")
def test_a_wrong_email_is_mended_before_activation(
    client: CheckingClient, organisation: Organisation, admin: User
) -> None:
    wrong = factories.user(Role.DEMANDEUR, activated=False, email="faute@exemple.tn")
    row = factories.certificate_request(organisation, applicant=wrong, by=admin)
    client.login(admin.email, PASSWORD)
    form = client.get(address(row, "/corriger")).form("Enregistrer la correction")
    page = form.fill({"Email": "juste@exemple.tn"}).submit()
    assert page.error_for("email_confirmation") == "Les deux adresses e-mail diffèrent."
    page = page.form("Enregistrer la correction").fill({"Confirmation d'email": "juste@exemple.tn"}).submit()
    assert any("juste@exemple.tn" in flash for flash in page.flashes)
    assert row.email == row.applicant.email == "juste@exemple.tn"
    assert [mail.recipient for mail in mails("request_created")] == ["juste@exemple.tn"]
    assert db.session.scalar(select(User).where(User.email == "faute@exemple.tn")) is None


# ------------------------------------------------------------------------------------------------- answering


@pytest.mark.spec("REV-5")
def test_each_point_is_answered_by_itself_and_supplied_when_all_are(
    client: CheckingClient, organisation: Organisation, applicant: User
) -> None:
    row = factories.certificate_request(
        organisation, RequestState.EN_ATTENTE_DE_JUSTIFICATIFS, applicant=applicant, first_name_ar="ريما"
    )
    made = ask(row, paper_asked(), field_asked(), message="Merci de compléter le dossier.")
    paper, field = made.items
    client.login(applicant.email, PASSWORD)
    page = client.get("/demandes").click("Répondre")
    for shown in ("La copie est floue.", "Le prénom en arabe diffère de la CIN.", "Merci de compléter le dossier."):
        assert shown in page
    assert "Il manque encore 2 réponses" in page

    empty = page.form(f"/demandes/{row.reference}/pieces/{paper.id}").submit()
    assert empty.error_for(f"point{paper.id}-file") == "Choisissez un fichier."
    page = empty.form(f"/demandes/{row.reference}/pieces/{paper.id}")
    page = page.fill({f"point{paper.id}-file": ("cin.jpg", picture())}).submit()
    assert "Il manque encore une réponse : prénom en arabe." in page
    client.post(address(row, "/pieces/envoyer"), {"ask": str(made.id)})
    assert row.state is RequestState.EN_ATTENTE_DE_JUSTIFICATIFS

    form = page.form(f"/demandes/{row.reference}/pieces/{paper.id}")
    same = form.submit("Enregistrer cette réponse")
    assert same.error_for(f"point{field.id}-text") == "Corrigez la donnée, ou expliquez pourquoi elle est juste."
    form = same.form(f"/demandes/{row.reference}/pieces/{paper.id}")
    page = form.fill({f"point{field.id}-value": "ريم"}).submit()
    assert row.first_name_ar == "ريم"
    done = page.press("J'ai apporté les corrections demandées")
    assert row.state is RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST
    assert "La demande est chez TunTrust" in done
    assert (made.outcome, made.closed_at is not None) == ("supplied", True)
    again = client.get(address(row, "/pieces"))
    assert again.path == address(row)


@pytest.mark.spec("REV-5")
def test_the_new_copy_takes_the_place_of_the_refused_one(
    client: CheckingClient, organisation: Organisation, applicant: User
) -> None:
    row = factories.certificate_request(organisation, RequestState.EN_ATTENTE_DE_JUSTIFICATIFS, applicant=applicant)
    refused = factories.document(DocumentKind.APPLICANT_IDENTITY, request_id=row.id, verdict=Verdict.REFUSE)
    item = paper_asked()
    item.document_id = refused.id
    ask(row, item)
    client.login(applicant.email, PASSWORD)
    form = client.get(address(row, "/pieces")).form(f"/demandes/{row.reference}/pieces/{item.id}")
    form.fill({f"point{item.id}-file": ("cin.jpg", picture())})
    form.submit()
    form.submit()  # a double click
    live = db.session.scalars(
        select(Document).where(Document.request_id == row.id, Document.superseded_at.is_(None))
    ).all()
    assert [each.replaces_id for each in live] == [refused.id]
    assert refused.superseded_at is not None


@pytest.mark.spec("REV-5", "PPL-2")
def test_an_applicant_does_not_answer_the_administrators_points(
    client: CheckingClient, organisation: Organisation, applicant: User
) -> None:
    row = factories.certificate_request(organisation, RequestState.EN_ATTENTE_DE_JUSTIFICATIFS, applicant=applicant)
    item = DocumentAskItem(document_kind=DocumentKind.OTHER, reason="Une attestation de travail.")
    ask(row, item)
    client.login(applicant.email, PASSWORD)
    page = client.get(address(row, "/pieces"))
    assert "Ce point est à l'administrateur de votre organisation." in page
    client.post(address(row, f"/pieces/{item.id}"), {}, expect=404)
    client.get(address(row, "/pieces"))
    client.post(address(row, "/pieces/999999"), {}, expect=404)


# -------------------------------------------------------------------------------------------------- messages


@pytest.mark.spec("MSG-1")
def test_my_messages_are_the_mails_sent_to_me_and_no_secret_is_shown(
    client: CheckingClient, row: CertificateRequest, applicant: User, admin: User
) -> None:
    other = factories.certificate_request()
    now = clock.now()

    def mail(to: str, subject: str, **values: object) -> None:
        db.session.add(
            OutboxMail(
                **{
                    "message_id": subject,
                    "kind": "request_created",
                    "recipient": to,
                    "subject": subject,
                    "text": f"Le texte de {subject}.\n\n-- \nTunTrust",
                    "html": "",
                    "created_at": now,
                    "due_at": now,
                    **values,
                }
            )
        )

    mail(applicant.email, "Premier", request_id=row.id)
    mail(applicant.email, "Secret", secret=True)
    mail(applicant.email, "Étranger", request_id=other.id)
    mail(admin.email, "À un autre")
    db.session.commit()
    client.login(applicant.email, PASSWORD)
    page = client.get("/messages")
    assert "À vous de jouer" in page
    assert "Le texte de Premier." in page
    assert f"Demande {row.reference}" in page
    assert other.reference not in page.html
    assert "Le texte de Secret." not in page.html
    assert "À un autre" not in page

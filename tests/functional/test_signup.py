"""The sign-up's pages, as a browser without JavaScript meets them (ORG-1 … ORG-8)."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import func, select

from app import clock
from app.extensions import db
from app.models import Document, DocumentKind, Organisation, OutboxMail, RegistrationCountry, SignupDraft, User
from app.services import drafts, files
from app.services.passwords import hash_token
from app.states import OrganisationState
from tests import factories
from tests.pages import CheckingClient, Form, Page
from tests.support.servers import HttpServer
from tests.support.signup import ADMINISTRATOR, ORGANISATION, REPRESENTATIVE, code_of, jpeg, pdf

NewClient = Callable[..., CheckingClient]
RNE = ("RNE-EXTRAIT.pdf", pdf("extrait"))


def step_1(client: CheckingClient, **changes: Any) -> Form:
    """The first page, filled in rightly but for the changes."""
    values = {**ORGANISATION, "rne_extract": RNE, "rne_issued_on": clock.today().isoformat(), **changes}
    return client.get("/inscription").form("signup").fill(**values)


def step_2(page: Page, **changes: Any) -> Form:
    return page.form("signup").fill(**{**REPRESENTATIVE, **changes})


def to_step_2(client: CheckingClient, **changes: Any) -> Page:
    page = step_1(client, **changes).submit("Suivant")
    assert page.h1 == "Informations sur le représentant légal", page.errors
    return page


def to_step_3(client: CheckingClient, **changes: Any) -> Page:
    page = step_2(to_step_2(client, **changes)).submit("Suivant")
    assert page.h1 == "Compte(s) administrateur(s)", page.errors
    return page


def to_step_4(client: CheckingClient, **changes: Any) -> Page:
    page = to_step_3(client, **changes).form("signup").fill(attestation=True, same_as_representative="oui").submit()
    assert page.h1 == "Terminer", page.errors
    return page


def save(page: Page, **values: Any) -> Page:
    return page.form("finish").fill(captcha=code_of(page.client), **values).submit("Enregistrer")


def organisations() -> int:
    return db.session.scalar(select(func.count()).select_from(Organisation)) or 0


# ---- the way through


@pytest.mark.spec("ORG-1", "ORG-2", "ORG-3", "ORG-4", "ORG-7", "ACT-1")
def test_a_tunisian_organisation_signs_up(app: Flask, client: CheckingClient) -> None:
    page = to_step_4(client)
    for shown in (
        "1234567R", "Société Méditerranéenne de Conseil", "12 rue des Oliviers", "1002", "Tunis", "+216 71 123 456",
        "Mohamed Gharbi", "محمد الغربي", "02345678", "21/06/1970", "Entreprise privée", "RNE-EXTRAIT.pdf",
    ):  # fmt: skip
        assert shown in page, shown
    page = save(page)
    assert page.h1 == "Vérifiez votre messagerie"
    assert "mohamed.gharbi@exemple.tn" in page
    organisation = db.session.scalars(select(Organisation)).one()
    assert organisation.state is OrganisationState.EN_ATTENTE_ACTIVATION
    assert organisation.tax_id == "1234567R"
    assert organisation.phone == "+21671123456"
    assert organisation.activation_deadline - organisation.created_at == timedelta(hours=48)
    user = db.session.scalars(select(User)).one()
    assert user.password_hash is None
    mail = db.session.scalars(select(OutboxMail)).one()
    assert mail.recipient == "mohamed.gharbi@exemple.tn"
    assert mail.secret
    [contract] = mail.attachments
    assert files.storage().get(contract["storage_key"]).startswith(b"%PDF")


@pytest.mark.spec("ACT-1", "ACT-2")
def test_the_mailed_temporary_password_opens_the_account(app: Flask, client: CheckingClient) -> None:
    save(to_step_4(client))
    text = db.session.scalars(select(OutboxMail.text)).one()
    password = text.split("temporaire :")[1].split()[0]
    page = client.login("mohamed.gharbi@exemple.tn", password)
    assert page.path == "/mot-de-passe"
    page = page.form().fill(password="quatre chats sur un toit", confirmation="quatre chats sur un toit").submit()
    assert db.session.scalars(select(Organisation.state)).one() is OrganisationState.A_VERIFIER


@pytest.mark.spec("ORG-2", "ORG-4")
def test_a_foreign_organisation_signs_up_without_javascript(app: Flask, client: CheckingClient) -> None:
    form = step_1(
        client,
        registration_country="Etranger",
        tax_id="",
        country="FR",
        register_number="rcs paris 552 100 554",
        postal_code="75002",
        city="Paris",
        governorate_id="",
        phone="01 42 68 53 00",
        trade_register=("kbis.pdf", pdf("kbis")),
        trade_issued_on=clock.today().isoformat(),
        rne_issued_on="",
    )
    del form.files["rne_extract"]
    page = step_2(form.submit()).submit()
    page = page.form("signup").fill(attestation=True, same_as_representative="oui").submit()
    assert "France" in page
    assert "RCS PARIS 552 100 554" in page
    save(page)
    organisation = db.session.scalars(select(Organisation)).one()
    assert organisation.registration_country is RegistrationCountry.ETRANGER
    assert (organisation.tax_id, organisation.country, organisation.phone) == (None, "FR", "+33142685300")
    [document] = db.session.scalars(select(Document)).all()
    assert document.kind is DocumentKind.TRADE_REGISTER
    assert document.issued_on == clock.today()


@pytest.mark.spec("ORG-6")
def test_two_administrators_each_get_their_account(app: Flask, client: CheckingClient) -> None:
    form = (
        to_step_3(client)
        .form("signup")
        .fill(attestation=True, same_as_representative="non", second_administrator="oui")
    )
    first = {f"first-{name}": value for name, value in ADMINISTRATOR.items()}
    second = {
        f"second-{name}": value
        for name, value in {
            **ADMINISTRATOR,
            "identity_kind": "PASSEPORT",
            "identity_number": "P1234567",
            "nationality": "DE",
            "last_name": "Neumann",
            "email": "k.neumann@exemple.tn",
            "email_confirmation": "k.neumann@exemple.tn",
            "identity_copy": ("passeport.jpg", jpeg()),
        }.items()
    }
    page = form.fill(**first, **second).submit()
    assert page.h1 == "Terminer", page.errors
    save(page)
    users = db.session.scalars(select(User).order_by(User.id)).all()
    assert [user.email for user in users] == ["amira.bensalah@exemple.tn", "k.neumann@exemple.tn"]
    copy = db.session.scalars(select(Document).where(Document.kind == DocumentKind.ADMINISTRATOR_IDENTITY)).one()
    assert copy.user_id == users[1].id
    assert db.session.scalar(select(func.count()).select_from(OutboxMail)) == 2


# ---- nothing typed is lost


@pytest.mark.spec("ORG-1")
def test_a_wrong_field_keeps_every_other_and_the_file(app: Flask, client: CheckingClient) -> None:
    page = step_1(client, legal_name="Dupont & Fils").submit("Suivant")
    assert page.error_for("legal_name") == "Écrivez « et » à la place de « & »."
    form = page.form("signup")
    assert form["legal_name"] == "Dupont & Fils"
    assert form["address"] == "12 rue des Oliviers"
    assert "RNE-EXTRAIT.pdf" in page
    assert "Remplacer" in page
    thumb = page.select("img.thumb")[0]["src"]
    assert client.get(str(thumb)).data.startswith(b"\xff\xd8")
    page = client.get("/inscription").form("signup").fill(legal_name="Dupont et Fils").submit()
    assert page.h1 == "Informations sur le représentant légal"


@pytest.mark.spec("ORG-1")
def test_back_and_reload_keep_fields_and_files(app: Flask, client: CheckingClient) -> None:
    page = to_step_2(client)
    page = page.form("signup").fill(last_name="Gharbi", identity_kind="PASSEPORT", identity_copy=("p.jpg", jpeg()))
    page = page.submit("Retour")
    assert page.h1 == "Informations sur l'organisation"
    assert page.form("signup")["legal_name"] == "Société Méditerranéenne de Conseil"
    assert "RNE-EXTRAIT.pdf" in page
    page = client.get("/inscription/representant")
    assert page.form("signup")["last_name"] == "Gharbi"
    assert "p.jpg" in page


@pytest.mark.spec("ORG-1")
def test_steps_cannot_be_skipped(app: Flask, client: CheckingClient) -> None:
    assert client.get("/inscription/terminer").h1 == "Informations sur l'organisation"
    to_step_2(client)
    assert client.get("/inscription/terminer").h1 == "Informations sur le représentant légal"
    page = client.post("/inscription/terminer", {"captcha": "123456", "go": "save"})
    assert page.h1 == "Informations sur le représentant légal"
    assert organisations() == 0


@pytest.mark.spec("ORG-1")
def test_a_draft_lives_24_hours_on_the_server(app: Flask, client: CheckingClient, travel: Any) -> None:
    to_step_2(client)
    travel(hours=23)
    assert client.get("/inscription").h1 == "Informations sur le représentant légal"
    travel(hours=25)
    assert client.get("/inscription").form("signup")["legal_name"] == ""
    assert drafts.purge_drafts() == 1
    assert list(files.storage().keys("documents")) == []
    assert db.session.scalar(select(func.count()).select_from(Document)) == 0


@pytest.mark.spec("ORG-1")
def test_erasing_takes_the_draft_and_its_files(app: Flask, client: CheckingClient) -> None:
    page = to_step_2(client).press("Effacer ma saisie")
    assert page.path == "/"
    assert list(files.storage().keys("documents")) == []
    assert db.session.scalar(select(func.count()).select_from(SignupDraft)) == 0


# ---- step 1: refusals


@pytest.mark.spec("ORG-2")
def test_a_letter_that_does_not_fit_asks_to_look_again(app: Flask, client: CheckingClient) -> None:
    page = step_1(client, tax_id="1234567 a").submit()
    assert "Vérifiez la lettre : ces chiffres donnent R" in page.error_for("tax_id")
    page = page.form("signup").fill(tax_id_confirmed=True).submit()
    assert page.h1 == "Informations sur le représentant légal"
    # Another number is not confirmed by the box ticked for the first.
    page = client.get("/inscription/organisation").form("signup").fill(tax_id="7654321A").submit()
    assert "Vérifiez la lettre" in page.error_for("tax_id")


@pytest.mark.spec("ORG-2", "ORG-3", "ORG-4")
@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"tax_id": ""}, "tax_id", "Écrivez le matricule fiscal."),
        ({"tax_id": "12345"}, "tax_id", "7 chiffres et 1 lettre"),
        ({"category": ""}, "category", "Choisissez la catégorie."),
        ({"legal_name": ""}, "legal_name", "Écrivez la raison sociale."),
        ({"legal_name": "L'Olivier"}, "legal_name", "sans apostrophe"),
        ({"address": " "}, "address", "Écrivez l'adresse"),
        ({"postal_code": "216"}, "postal_code", "4 chiffres"),
        ({"city": ""}, "city", "Écrivez la ville."),
        ({"governorate_id": ""}, "governorate_id", "Choisissez le gouvernorat."),
        ({"phone": "12"}, "phone", "Ce numéro n'existe pas"),
        ({"phone": "+216 20 123 456"}, "phone", "téléphone fixe"),
        ({"fax": "abc"}, "fax", "Écrivez un numéro de téléphone"),
        ({"rne_issued_on": ""}, "rne_issued_on", "Écrivez la date que porte l'extrait."),
        ({"rne_issued_on": "2019-01-01"}, "rne_issued_on", "il a plus de 3 mois"),
        ({"rne_issued_on": "31/02/2026"}, "rne_issued_on", "Écrivez une date"),
        ({"has_rne": "non"}, "tax_card", "Joignez la carte d'identification fiscale"),
        ({"rne_in_arabic_only": "oui"}, "tax_card", "Joignez la carte d'identification fiscale"),
        ({"rne_in_arabic_only": "oui", "legal_name_ar": "abc"}, "legal_name_ar", "caractères arabes"),
        ({"registration_country": "ETRANGER"}, "country", "Choisissez le pays."),
        ({"registration_country": "ETRANGER"}, "register_number", "Écrivez le numéro d'enregistrement."),
        ({"registration_country": "ETRANGER"}, "trade_register", "Joignez l'extrait du registre de commerce."),
        (
            {"registration_country": "ETRANGER", "trade_valid_until": "2020-05-01"},
            "trade_valid_until",
            "n'est plus valable depuis le 01/05/2020",
        ),
    ],
)
def test_step_1_says_what_to_do_beside_the_field(
    app: Flask, client: CheckingClient, changes: dict[str, str], field: str, sentence: str
) -> None:
    page = step_1(client, **changes).submit()
    assert page.h1 == "Informations sur l'organisation"
    assert sentence in page.error_for(field)
    assert page.select("[data-summary] a[href]")


@pytest.mark.spec("ORG-4")
def test_an_extract_three_months_old_to_the_day_is_taken(app: Flask, client: CheckingClient, travel: Any) -> None:
    from datetime import UTC, datetime

    travel.to(datetime(2026, 5, 31, 10, tzinfo=UTC))
    page = step_1(client, rne_issued_on="2026-02-27").submit()
    assert "il a plus de 3 mois" in page.error_for("rne_issued_on")
    page = page.form("signup").fill(rne_issued_on="2026-02-28").submit()
    assert page.h1 == "Informations sur le représentant légal"


def _encrypted_pdf() -> bytes:
    import pikepdf

    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf("secret"))) as document:
        document.save(out, encryption=pikepdf.Encryption(user="x", owner="y"))
    return out.getvalue()


@pytest.mark.spec("ORG-4", "SEC-3")
@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("vide.pdf", lambda: b"", "Ce fichier est vide"),
        ("gros.pdf", lambda: pdf("x") + b"\0" * (10 * 1024 * 1024), "Ce fichier dépasse 10 Mo"),
        ("lettre.docx", lambda: b"PK\x03\x04word/document.xml" + b"\0" * 100, "Word"),
        ("renomme.pdf", lambda: b"MZ\x90\0 ceci est un programme", "format accepté"),
        ("secret.pdf", _encrypted_pdf, "protégé par un mot de passe"),
        ("casse.pdf", lambda: pdf("x")[:200], "PDF"),
        ("casse.jpg", lambda: jpeg()[:300], "Cette image est endommagée"),
    ],
)
def test_a_bad_file_is_refused_with_its_reason_and_nothing_of_it_is_kept(
    app: Flask, client: CheckingClient, name: str, data: Callable[[], bytes], sentence: str
) -> None:
    page = step_1(client, rne_extract=(name, data())).submit()
    assert sentence in page.error_for("rne_extract")
    assert page.form("signup")["legal_name"] == "Société Méditerranéenne de Conseil"
    assert list(files.storage().keys()) == []
    assert db.session.scalar(select(func.count()).select_from(Document)) == 0


@pytest.mark.spec("ORG-4")
def test_a_refused_file_leaves_the_one_before(app: Flask, client: CheckingClient) -> None:
    to_step_2(client)
    page = client.get("/inscription/organisation").form("signup").fill(rne_extract=("vide.pdf", b"")).submit()
    assert "vide" in page.error_for("rne_extract")
    assert "RNE-EXTRAIT.pdf" in page
    page = page.form("signup").fill(rne_extract=("nouveau.png", _png())).submit()
    assert page.h1 == "Informations sur le représentant légal"
    assert "nouveau.png" in client.get("/inscription/organisation")
    assert len(list(files.storage().keys("documents"))) == 1


def _png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 40), "white").save(out, "PNG")
    return out.getvalue()


@pytest.mark.spec("ORG-3")
def test_the_postal_code_offers_localities_and_fills_the_town(app: Flask, client: CheckingClient) -> None:
    page = step_1(client, postal_code="1002", city="", governorate_id="").submit("Proposer la ville et le gouvernorat")
    assert page.form("signup").options("governorate_id")[page.form("signup")["governorate_id"]] == "Tunis"
    assert page.select("datalist#cities option")
    assert page.errors == []
    results = client.get("/inscription/localites?code=1002").json["results"]
    assert {"Tunis Belvedere", "Hedi Chaker"} <= {row["locality"] for row in results}
    assert client.get("/inscription/localites?code=x").json == {"results": []}


# ---- steps 2 and 3: refusals


@pytest.mark.spec("ORG-5")
@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"attestation": False}, "attestation", "Cochez l'attestation"),
        ({"birth_date": ""}, "birth_date", "Écrivez la date de naissance"),
        ({"identity_kind": "PASSEPORT"}, "identity_kind", "La CIN est obligatoire"),
        ({"identity_number": "123"}, "identity_number", "8 chiffres"),
        ({"nationality": "FR"}, "identity_kind", "carte de séjour"),
        ({"last_name": "Gharbi 2"}, "last_name", "Un nom ne contient pas de chiffre."),
        ({"last_name": "D'Angelo"}, "last_name", "sans apostrophe"),
        ({"last_name_ar": "Gharbi"}, "last_name_ar", "caractères arabes"),
        ({"mobile": "71 123 456"}, "mobile", "téléphone mobile"),
        ({"email": "contact@exemple.tn", "email_confirmation": "contact@exemple.tn"}, "email", "adresse personnelle"),
        ({"email_confirmation": "autre@exemple.tn"}, "email_confirmation", "diffèrent"),
        (
            {"nationality": "FR", "identity_kind": "CARTE_SEJOUR", "identity_number": "CS100001"},
            "identity_copy",
            "Joignez une copie",
        ),
    ],
)
def test_step_2_says_what_to_do_beside_the_field(
    app: Flask, client: CheckingClient, changes: dict[str, Any], field: str, sentence: str
) -> None:
    page = step_2(to_step_2(client), **changes).submit()
    assert page.h1 == "Informations sur le représentant légal"
    assert sentence in page.error_for(field)


@pytest.mark.spec("ORG-5")
def test_a_minor_is_refused(app: Flask, client: CheckingClient) -> None:
    born = clock.today() - timedelta(days=365 * 17)
    page = step_2(to_step_2(client), birth_date=born.isoformat()).submit()
    assert "18 ans" in page.error_for("birth_date")


@pytest.mark.spec("ORG-6")
@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"identity_number": "02345678"}, "second-identity_number", "une autre personne"),
        (
            {"email": "Mohamed.Gharbi@exemple.tn", "email_confirmation": "mohamed.gharbi@exemple.tn"},
            "second-email",
            "une autre adresse e-mail",
        ),
    ],
)
def test_the_second_administrator_is_somebody_else(
    app: Flask, client: CheckingClient, changes: dict[str, str], field: str, sentence: str
) -> None:
    form = (
        to_step_3(client)
        .form("signup")
        .fill(attestation=True, same_as_representative="oui", second_administrator="oui")
    )
    page = form.fill(**{f"second-{name}": value for name, value in {**ADMINISTRATOR, **changes}.items()}).submit()
    assert sentence in page.error_for(field)


@pytest.mark.spec("ORG-6")
def test_the_question_about_the_representative_must_be_answered(app: Flask, client: CheckingClient) -> None:
    page = to_step_3(client).form("signup").fill(attestation=True).submit()
    assert "Répondez Oui ou Non." in page.error_for("same_as_representative")


# ---- the identity service


@pytest.mark.spec("ORG-5", "SEC-4")
def test_the_identity_service_answers_after_a_code_and_a_change_voids_it(
    app: Flask, client: CheckingClient, identity: HttpServer
) -> None:
    page = step_2(to_step_2(client)).submit("Vérification avec le service web")
    assert "Recopiez d'abord ce code" in page
    assert page.errors == []
    page = page.form("signup").fill(captcha="12").submit("Vérification avec le service web")
    assert "Ce n'est pas le code" in page.error_for("captcha")
    assert identity.requests == []
    page = page.form("signup").fill(captcha=code_of(client)).submit("Vérification avec le service web")
    assert "Concordant" in page
    assert not page.form("signup").controls("captcha")
    page = page.form("signup").fill(birth_date="1971-06-21").submit("Vérification avec le service web")
    assert "Non concordant" in page
    page = page.form("signup").fill(birth_date="1970-06-21", last_name="").submit("Vérification avec le service web")
    assert page.errors
    assert "Non concordant" not in page
    assert len(identity.requests) == 2


@pytest.mark.spec("ORG-5")
def test_an_outage_of_the_identity_service_blocks_nothing(app: Flask, client: CheckingClient) -> None:
    page = step_2(to_step_2(client)).submit("Vérification avec le service web")
    page = page.form("signup").fill(captcha=code_of(client)).submit("Vérification avec le service web")
    assert "Indisponible" in page
    assert page.form("signup").submit("Suivant").h1 == "Compte(s) administrateur(s)"


@pytest.mark.spec("SEC-4")
def test_the_identity_service_is_asked_five_times_an_hour(
    app: Flask, client: CheckingClient, identity: HttpServer, travel: Any
) -> None:
    page = step_2(to_step_2(client)).submit("Vérification avec le service web")
    page = page.form("signup").fill(captcha=code_of(client)).submit("Vérification avec le service web")
    for number in range(5):
        page = page.form("signup").fill(identity_number=f"0234567{number}").submit("Vérification avec le service web")
    assert "Trop d'essais" in page.text
    assert len(identity.requests) == 5
    travel(minutes=61)
    page = page.form("signup").fill(identity_number="02345678").submit("Vérification avec le service web")
    assert "Concordant" in page


# ---- the end


@pytest.mark.spec("ORG-7")
def test_a_wrong_code_saves_nothing_and_is_used_up(app: Flask, client: CheckingClient) -> None:
    page = to_step_4(client)
    code = code_of(client)
    wrong = str((int(code) + 1) % 1_000_000).zfill(6)
    page = page.form("finish").fill(captcha=wrong).submit("Enregistrer")
    assert "Ce n'est pas le code" in page.error_for("captcha")
    page = page.form("finish").fill(captcha=code).submit("Enregistrer")
    assert organisations() == 0
    assert save(page).h1 == "Vérifiez votre messagerie"


@pytest.mark.spec("ORG-7")
def test_an_old_code_is_refused(app: Flask, client: CheckingClient, travel: Any) -> None:
    page = to_step_4(client)
    code = code_of(client)
    travel(minutes=11)
    page = page.form("finish").fill(captcha=code).submit("Enregistrer")
    assert "plus de 10 minutes" in page.error_for("captcha")
    assert organisations() == 0


@pytest.mark.spec("ORG-7")
def test_the_code_can_be_seen_heard_and_changed(app: Flask, client: CheckingClient) -> None:
    page = to_step_4(client)
    before = code_of(client)
    image = page.select("img.captcha-image")[0]["src"]
    sound = page.select("audio")[0]["src"]
    assert Image.open(io.BytesIO(client.get(str(image)).data)).size == (240, 80)
    assert client.get(str(sound)).data.startswith(b"RIFF")
    client.get("/inscription/terminer").press("Reprendre captcha")
    assert code_of(client) != before


@pytest.mark.spec("ORG-7")
def test_the_same_click_twice_creates_one(app: Flask, client: CheckingClient) -> None:
    page = to_step_4(client)
    form = page.form("finish").fill(captcha=code_of(client))
    assert form.submit("Enregistrer").h1 == "Vérifiez votre messagerie"
    assert form.submit("Enregistrer").h1 == "Vérifiez votre messagerie"
    assert client.get("/inscription/terminer").h1 == "Vérifiez votre messagerie"
    assert organisations() == 1
    assert db.session.scalar(select(func.count()).select_from(OutboxMail)) == 1


@pytest.mark.spec("ORG-7")
def test_modifying_a_step_comes_back_to_the_end(app: Flask, client: CheckingClient) -> None:
    page = to_step_4(client).click("Modifier : Informations de l'organisation")
    page = page.form("signup").fill(legal_name="Autre Raison").submit("Suivant")
    assert page.h1 == "Terminer"
    assert "Autre Raison" in page


@pytest.mark.spec("ORG-4", "ORG-7")
def test_an_extract_that_grew_old_meanwhile_is_named_at_the_end(
    app: Flask, client: CheckingClient, travel: Any
) -> None:
    from datetime import UTC, datetime

    travel.to(datetime(2026, 5, 20, 22, tzinfo=UTC))
    to_step_4(client, rne_issued_on="2026-02-20")
    travel(hours=12)
    page = client.get("/inscription/terminer")
    assert "L'extrait a maintenant plus de 3 mois" in page
    page = save(page)
    assert page.h1 == "Terminer"
    assert organisations() == 0


@pytest.mark.spec("ORG-8")
def test_a_known_matricule_gives_the_same_page_and_the_truth_by_mail(
    app: Flask, client: CheckingClient, new_client: NewClient
) -> None:
    fresh = save(to_step_4(new_client(), tax_id="0000001B"))
    known = factories.organisation(tax_id="1234567R")
    owner = factories.administrator(known)
    page = save(to_step_4(client))
    assert page.text == fresh.text
    mails = db.session.scalars(select(OutboxMail).where(OutboxMail.kind == "already_registered")).all()
    told = {mail.recipient: mail.text for mail in mails}
    assert set(told) == {owner.email, "mohamed.gharbi@exemple.tn"}
    assert known.legal_name in told[owner.email]
    assert known.legal_name not in told["mohamed.gharbi@exemple.tn"]
    assert (
        db.session.scalar(select(func.count()).select_from(Organisation).where(Organisation.tax_id == "1234567R")) == 1
    )


@pytest.mark.spec("ORG-8", "PPL-1")
def test_a_known_address_gives_the_same_page_and_the_truth_by_mail(app: Flask, client: CheckingClient) -> None:
    factories.applicant(email="mohamed.gharbi@exemple.tn")
    page = save(to_step_4(client))
    assert page.h1 == "Vérifiez votre messagerie"
    mail = db.session.scalars(select(OutboxMail)).one()
    assert (mail.kind, mail.recipient) == ("already_registered", "mohamed.gharbi@exemple.tn")
    assert organisations() == 0
    assert list(files.storage().keys("documents")) == []


@pytest.mark.spec("ORG-1", "PPL-2")
def test_a_draft_s_files_are_its_holder_s_alone(app: Flask, client: CheckingClient, new_client: NewClient) -> None:
    to_step_2(client)
    document = db.session.scalars(select(Document)).one()
    client.get(f"/documents/{document.public_id}")
    new_client().get(f"/documents/{document.public_id}", expect=404)
    agent = new_client()
    agent.login(factories.staff().email, factories.PASSWORD)
    agent.get(f"/documents/{document.public_id}", expect=404)


@pytest.mark.spec("ORG-1")
def test_the_database_holds_only_the_token_s_hash(app: Flask, client: CheckingClient) -> None:
    to_step_2(client)
    with client._browser.session_transaction() as session:
        token = session["signup"]
    draft = db.session.scalars(select(SignupDraft)).one()
    assert draft.token_hash == hash_token(token)
    assert token not in str(draft.data)


@pytest.mark.spec("ORG-1")
def test_the_summary_of_errors_follows_the_order_of_the_page(app: Flask, client: CheckingClient) -> None:
    page = client.get("/inscription").form("signup").submit("Suivant")
    targets = [link.get("href", "").lstrip("#") for link in page.select("[data-summary] a")]
    assert targets.index("rne_extract") < targets.index("rne_issued_on")
    page = to_step_2(client).form("signup").submit("Suivant")
    assert page.select("[data-summary] a")[0].get("href") == "#attestation"


@pytest.mark.spec("ORG-5")
def test_only_countries_are_offered_as_nationality(app: Flask, client: CheckingClient) -> None:
    offered = {option.get("value") for option in to_step_2(client).select("#nationality option")}
    assert {"TN", "FR", "DZ", "LY", "XK", "PS"} <= offered
    assert not offered & {"UN", "EU", "EZ", "XA", "XB", "QO", "AQ"}

"""Ordering and the history, page by page."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import event, select

from app import clock
from app.extensions import db
from app.models import CertificateRequest, User
from app.states import RequestState
from tests import factories
from tests.pages import CheckingClient, Page


@pytest.fixture
def admin(app: Flask, client: CheckingClient) -> User:
    user = factories.administrator(factories.organisation())
    client.login(user.email, factories.PASSWORD)
    return user


def fill(page: Page, **values: object) -> Page:
    person = factories.person()
    given = {
        "attestation": True,
        "domains": ["TUNEPS", "CNSS"],
        "identity_number": person["identity_number"],
        "last_name": person["last_name"],
        "first_name": person["first_name"],
        "last_name_ar": person["last_name_ar"],
        "first_name_ar": person["first_name_ar"],
        "birth_date": "17/03/1985",
        "mobile": "20 123 456",
        "email": person["email"],
        "email_confirmation": person["email"].upper(),
        **values,
    }
    return page.form("Nom").fill(**given).submit("Ajouter à la liste des demandes")


@pytest.mark.spec("ORD-2", "ORD-3", "ORD-4", "ORD-1")
def test_an_administrator_orders_for_three_people(client: CheckingClient, admin: User) -> None:
    page = client.get("/commandes").click("Commander des certificats")
    assert "Certificats d'authentification et de signature" in page
    page = page.click("Certificat ID-Trust sur token")
    assert "350,000" in page
    for _n in range(3):
        page = fill(page)
        assert page.flashes == ["La personne est dans la liste des demandes."]
    assert len(page.table("Liste des demandes")) == 3
    page = page.form("Envoyer les demandes").fill(**{"send-attestation": True}).submit()
    assert page.h1 == "Historique des commandes"
    rows = page.table("Historique des commandes")
    assert [row["Etat"] for row in rows] == ["Non finalisée"] * 3
    assert "350,000" in rows[0]["Prix HT"]


@pytest.mark.spec("ORD-3")
def test_a_person_can_be_corrected_and_taken_off_the_list(client: CheckingClient, admin: User) -> None:
    page = fill(client.get("/commandes/nouvelle/ID_TRUST"))
    page = page.click("Modifier")
    assert page.form("Nom")["birth_date"] == "1985-03-17"
    page = page.form("Nom").fill(last_name="Zouari", last_name_ar="الزواري").submit("Enregistrer la correction")
    assert "Zouari" in page.table("Liste des demandes")[0]["Demandeur"]
    page = page.press("Retirer")
    assert "La liste est vide" in page


@pytest.mark.spec("ORD-3")
def test_i_am_the_applicant_fills_in_my_own_data_without_a_script(client: CheckingClient, admin: User) -> None:
    page = client.get("/commandes/nouvelle/ID_TRUST")
    page = (
        page.form("Nom")
        .fill(attestation=True, for_self=True, domains=["TTN"])
        .submit("Ajouter à la liste des demandes")
    )
    assert page.summary == []
    assert page.flashes == ["La personne est dans la liste des demandes."]
    page.form("Envoyer les demandes").fill(**{"send-attestation": True}).submit()
    request = db.session.scalars(select(CertificateRequest)).one()
    assert request.applicant_id == admin.id
    page = client.get("/commandes")
    assert f"/demandes/{request.reference}/valider" in page.links.values()


@pytest.mark.spec("ORD-3")
@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("identity_number", "1234567", "Le numéro de la CIN compte 8 chiffres."),
        ("last_name", "O'Brien", "Écrivez le nom sans apostrophe"),
        ("first_name", "سنية", "Écrivez en caractères latins."),
        ("last_name_ar", "Gharbi", "Écrivez en caractères arabes."),
        ("birth_date", "01/01/2020", "La personne doit avoir 18 ans révolus."),
        ("birth_date", "31/02/1980", ""),
        ("mobile", "123", ""),
        ("mobile", "71 000 000", "Écrivez un numéro de téléphone mobile"),
        ("email", "sonia@", "Écrivez une adresse e-mail complète"),
        ("email_confirmation", "autre@exemple.tn", "Les deux adresses e-mail diffèrent."),
        ("attestation", False, "Cochez l'attestation pour continuer."),
        ("domains", [], "Choisissez au moins un domaine d'utilisation."),
    ],
)
def test_a_wrong_field_says_what_to_do_and_keeps_the_rest(
    client: CheckingClient, admin: User, field: str, typed: object, sentence: str
) -> None:
    page = fill(client.get("/commandes/nouvelle/ID_TRUST"), **{field: typed})
    assert page.summary
    assert sentence in page.error_for(field)
    assert page.error_for(field)
    form = page.form("Nom")
    if isinstance(typed, str):
        assert form[field] == typed
    if field != "mobile":
        assert form["mobile"] == "20 123 456"
    assert "La liste est vide" in page


def test_one_cannot_order_what_is_not_in_the_catalogue(client: CheckingClient, admin: User) -> None:
    client.get("/commandes/nouvelle/AUTRE", expect=404)


@pytest.mark.spec("ORD-1")
def test_filters_stay_in_the_address_and_wrong_ones_count_as_none(client: CheckingClient, admin: User) -> None:
    owner = admin.grants[0].organisation
    for state in RequestState:
        factories.certificate_request(owner, state, by=admin)
    assert len(client.get("/commandes").table("Historique des commandes")) == len(RequestState)
    page = client.get("/commandes?etat=ANNULEE")
    assert [row["Etat"] for row in page.table("Historique des commandes")] == ["Annulée"]
    page = client.get("/commandes?etat=NIMPORTE&categorie=x&tri=%27&page=-3&ordre=1")
    assert len(page.table("Historique des commandes")) == len(RequestState)
    assert "Aucune demande ne correspond" in client.get("/commandes?q=zzzz")


@pytest.mark.spec("SPD-1")
def test_the_history_costs_the_same_number_of_statements_whatever_its_rows(client: CheckingClient, admin: User) -> None:
    owner = admin.grants[0].organisation

    def statements() -> int:
        counted: list[str] = []
        listener = lambda *args: counted.append(args[2])  # noqa: E731 - SQLAlchemy's event protocol
        event.listen(db.engine, "before_cursor_execute", listener)
        try:
            client.get("/commandes")
        finally:
            event.remove(db.engine, "before_cursor_execute", listener)
        return len(counted)

    factories.certificate_request(owner, RequestState.EN_ATTENTE_DE_PAIEMENT, by=admin)
    client.get("/commandes")
    few = statements()
    for _n in range(12):
        factories.certificate_request(owner, RequestState.EN_ATTENTE_DE_PAIEMENT, by=admin)
    assert statements() <= few


@pytest.mark.spec("PPL-2")
def test_staff_and_applicants_have_no_history_of_orders(app: Flask, client: CheckingClient) -> None:
    client.login(factories.applicant().email, factories.PASSWORD)
    client.get("/commandes", expect=403)


@pytest.mark.spec("ORD-1")
def test_the_home_names_what_waits_for_the_administrator(client: CheckingClient, admin: User) -> None:
    owner = admin.grants[0].organisation
    factories.contract(owner, signed=None)
    own = factories.certificate_request(owner, RequestState.NON_FINALISEE, by=admin, applicant=admin)
    wrong = factories.certificate_request(owner, RequestState.NON_FINALISEE, by=admin, correction_asked_at=clock.now())
    other = factories.certificate_request(owner, RequestState.NON_FINALISEE, by=admin)
    links = {link.get("href") for link in client.get("/commandes").select(".note a")}
    assert f"/demandes/{own.reference}/valider" in links
    assert f"/demandes/{wrong.reference}/corriger" in links
    assert "/organisation#contrat" in links
    assert not any(other.reference in (link or "") for link in links)


@pytest.mark.spec("ORD-4")
def test_the_summary_names_the_fields_as_the_page_does(client: CheckingClient, admin: User) -> None:
    page = client.get("/commandes/nouvelle/ID_TRUST").form("Nom").submit("Ajouter à la liste des demandes")
    assert page.summary[0].startswith("Cochez l'attestation")
    assert any(line.startswith("Numéro pièce d'identité") for line in page.summary)
    assert any(line.startswith("Confirmation d'email") for line in page.summary)

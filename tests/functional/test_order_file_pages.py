"""Ordering from a file, page by page and without a script (ORD-5, ORD-6, ORD-3)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.extensions import db
from app.models import CertificateRequest, OrderImport, User
from app.states import RequestState
from tests import factories
from tests.pages import CheckingClient, Page
from tests.support.order_files import csv_of, row


@pytest.fixture
def admin(app: Flask, client: CheckingClient) -> User:
    user = factories.administrator(factories.organisation())
    client.login(user.email, factories.PASSWORD)
    return user


def sent(client: CheckingClient, data: bytes, name: str = "equipe.csv") -> Page:
    page = client.get("/commandes/nouvelle/ID_TRUST").click("Commander un certificat à partir d'un fichier CSV")
    return page.form("Fichier CSV ou XLSX").fill(file=(name, data)).submit("Vérifier le fichier")


@pytest.mark.spec("ORD-5", "ORD-6")
def test_a_file_is_mended_row_by_row_confirmed_and_sent(client: CheckingClient, admin: User) -> None:
    owner = admin.grants[0].organisation
    known = factories.applicant()
    factories.certificate_request(owner, RequestState.EN_ATTENTE_DE_PAIEMENT, applicant=known, by=admin)
    again = row(identity_number=known.identity_number, email=known.email)
    lost = row(identity_number="0123450")
    page = sent(client, csv_of([lost, row(mobile="1", birth_date="32/01/1980"), again]))
    assert [(each["Colonne"], each["Valeur"]) for each in page.table("Ce qui est à corriger")] == [
        ("Date de naissance", "32/01/1980"),
        ("Téléphone mobile", "1"),
    ]
    assert "rien n'est encore commandé" in page
    page = page.click("Corriger")
    assert page.error_for("mobile")
    page = page.form("Nom").fill(mobile="20 111 222").submit("Enregistrer la ligne")
    assert page.form("Nom")["mobile"] == "20 111 222"  # kept, while the other is still wrong
    assert [line.split(" :")[0] for line in page.summary] == ["Date de naissance"]
    page = page.form("Nom").fill(birth_date="31/01/1980").submit("Enregistrer la ligne")
    assert page.flashes == ["La ligne 3 est juste."]
    assert "déjà ouverte" in page.table("Ce qui est à confirmer")[0]["Ce qu'il y a déjà"]
    page = page.form("raisons").fill(toutes="Second poste").submit("Enregistrer les raisons")
    page = page.click("À regarder")
    assert "00123450" in page.table("Ce qui est à regarder")[0]["À regarder"]
    page = page.form("Envoyer les 3 demandes").submit()
    assert page.summary  # the attestation
    page = page.form("Envoyer les 3 demandes").fill(**{"send-attestation": True}).submit()
    assert page.h1 == "Historique des commandes"
    assert db.session.scalar(select(func.count()).select_from(CertificateRequest)) == 4
    file = db.session.scalars(select(OrderImport)).one()
    assert "Fichier commandé" in client.get(f"/commandes/import/{file.public_id}")


@pytest.mark.spec("ORD-5")
def test_a_file_that_cannot_be_read_says_why_beside_the_field(client: CheckingClient, admin: User) -> None:
    page = sent(client, b"a;b;c\n1;2;3\n")
    assert "doit nommer les colonnes" in page.error_for("file")
    page = page.form("Fichier CSV ou XLSX").submit("Vérifier le fichier")
    assert page.error_for("file") == "Choisissez un fichier."
    assert db.session.scalar(select(func.count()).select_from(OrderImport)) == 0


@pytest.mark.spec("ORD-5")
def test_corrections_come_back_in_a_file(client: CheckingClient, admin: User) -> None:
    page = sent(client, csv_of([row(), row(email="faux")]))
    public_id = page.path.rsplit("/", 1)[1]
    sheet = client.get(f"/commandes/import/{public_id}/a-corriger.csv", expect=200).data.decode("utf-8-sig")
    mended = sheet.replace('"faux"', '"juste@exemple.tn"').encode()
    page = page.form("Fichier corrigé").fill(file=("corrige.csv", mended)).submit("Envoyer les corrections")
    assert "Toutes les lignes sont justes" in page
    assert client.get(f"/commandes/import/{public_id}/progression").json == {"done": 2, "total": 2}
    page = client.get("/commandes/import").press("Abandonner ce fichier")
    client.get(f"/commandes/import/{public_id}", expect=404)


@pytest.mark.spec("ORD-3", "ORD-6")
def test_the_form_asks_why_and_the_agent_reads_it(
    client: CheckingClient, new_client: Callable[..., CheckingClient], admin: User
) -> None:
    owner = admin.grants[0].organisation
    known = factories.applicant(last_name="Gharbi", first_name="Sonia", last_name_ar="الغربي", first_name_ar="سنية")
    factories.certificate_request(owner, RequestState.NON_FINALISEE, applicant=known, by=admin)
    values = {name: getattr(known, name) for name in ("identity_number", "last_name", "last_name_ar", "mobile")}
    page = client.get("/commandes/nouvelle/ID_TRUST").form("Nom")
    page = page.fill(
        attestation=True, domains=["TTN"], first_name="sonia", first_name_ar="منية", birth_date="17/03/1985",
        email=known.email, email_confirmation=known.email, **values,
    ).submit("Ajouter à la liste des demandes")  # fmt: skip
    assert "écrivez pourquoi" in page.error_for("duplicate_reason")
    assert "vérifiez le prénom" in page.error_for("names_confirmed")
    assert "Sonia Gharbi" in page  # as it will be issued
    page = page.form("Nom").fill(duplicate_reason="Clé perdue", names_confirmed=True)
    page = page.submit("Ajouter à la liste des demandes")
    assert "Clé perdue" in page.table("Liste des demandes")[0]["Demandeur"]
    page.form("Envoyer les demandes").fill(**{"send-attestation": True}).submit()
    request = db.session.scalars(select(CertificateRequest).order_by(CertificateRequest.id.desc())).first()
    assert request is not None
    desk = new_client()
    desk.login(factories.staff().email, factories.PASSWORD)
    page = desk.get(f"/admin/dossiers/{request.reference}?onglet=demandeur")
    assert "Raison donnée par l'administrateur : « Clé perdue »" in page
    assert "est déjà ouverte" in page


@pytest.mark.spec("ORD-3", "ORD-6")
def test_the_guard_answers_while_the_names_are_typed(client: CheckingClient, admin: User) -> None:
    typed = {"first_name": "SONIA", "last_name": "gharbi", "first_name_ar": "سنية", "last_name_ar": "الطرابلسي"}
    client.get("/commandes/nouvelle/ID_TRUST")
    answer = client.post("/commandes/nouvelle/noms", typed, fragment=True)
    assert "Sonia Gharbi" in answer
    assert "vérifiez le nom" in answer

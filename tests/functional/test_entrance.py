"""The entrance (LOG-1), forgotten passwords and following an order, page by page."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app.services.mailing import send_due_mails
from tests import factories
from tests.pages import CheckingClient
from tests.support.servers import MailServer


@pytest.mark.spec("LOG-1")
def test_the_entrance_has_the_manuals_words_and_ways_out(client: CheckingClient) -> None:
    page = client.get("/")
    assert page.h1 == "IDENTIFICATION"
    form = page.form("E-mail")
    assert {"email", "password"} <= set(form.fields)
    assert page.links["Mot de passe oublié ?"] == "/mot-de-passe-oublie"
    assert page.links["Suivre une commande"] == "/suivi"
    assert page.select("button.blue")[0].get_text(strip=True) == "S'identifier"
    # A link, so that it never validates the login fields.
    assert page.links["S'inscrire en tant qu'organisation"] == "/inscription"
    assert page.select("[data-reveal=password]")[0]["aria-label"] == "Afficher le mot de passe"


@pytest.mark.spec("LOG-1", "LOG-2")
def test_a_wrong_login_says_so_and_keeps_the_email(app: Flask, client: CheckingClient) -> None:
    user = factories.applicant()
    page = client.get("/").form("E-mail").fill(email=user.email, password="faux").submit("S'identifier")
    assert page.summary == [
        "Adresse e-mail ou mot de passe incorrect. Vérifiez-les, ou demandez un nouveau mot de passe."
    ]
    assert page.form("E-mail")["email"] == user.email
    page = client.get("/").form("E-mail").submit("S'identifier")
    assert page.error_for("email")
    assert page.error_for("password")


@pytest.mark.spec("PPL-1")
def test_each_person_lands_on_their_own_home_or_where_they_wanted_to_go(app: Flask, client: CheckingClient) -> None:
    admin = factories.administrator(factories.organisation())
    assert client.login(admin.email, factories.PASSWORD).path == "/commandes"
    client.forget_cookies()
    assert client.login(factories.applicant().email, factories.PASSWORD).path == "/demandes"
    client.forget_cookies()
    assert client.login(factories.staff().email, factories.PASSWORD).path == "/admin/"
    client.forget_cookies()
    page = client.get("/factures").form("E-mail").fill(email=admin.email, password=factories.PASSWORD).submit()
    assert page.path == "/factures"


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
@pytest.mark.spec("SEC-2")
def test_the_login_never_leads_to_another_site(app: Flask, client: CheckingClient, target: str) -> None:
    admin = factories.administrator(factories.organisation())
    client.get("/", follow=False)
    page = client.post(
        f"/?next={target}", {"email": admin.email, "password": factories.PASSWORD}, follow=False, expect=302
    )
    assert page.location == "/commandes"


@pytest.mark.spec("LOG-3")
def test_a_forgotten_password_is_replaced_by_the_mailed_link_once(
    app: Flask, client: CheckingClient, smtp: MailServer
) -> None:
    user = factories.applicant()
    app.config["PUBLIC_URL"] = "https://ecert.exemple.tn"  # not the Host that the request names
    known = client.get("/mot-de-passe-oublie").form("E-mail").fill(email=user.email).submit("Envoyer le lien")
    unknown = client.get("/mot-de-passe-oublie").form("E-mail").fill(email="x@exemple.tn").submit("Envoyer le lien")
    assert known.text.replace(user.email, "") == unknown.text.replace("x@exemple.tn", "")
    send_due_mails()
    mail = smtp.only(user.email, "Réinitialisation de votre mot de passe ECERT")
    link = next(word for word in mail.text.split() if "/mot-de-passe/nouveau/" in word)
    assert link.startswith(app.config["PUBLIC_URL"] + "/mot-de-passe/")
    path = link[link.index("/mot-de-passe") :]
    client.get(path)  # a mail scanner looks at it
    client.open("HEAD", path, fragment=True)
    page = client.get(path).form("Nouveau mot de passe")
    page = page.fill(password="une autre phrase secrète", confirmation="une autre phrase secrète").submit("Enregistrer")
    assert page.h1 == "IDENTIFICATION"
    assert client.login(user.email, "une autre phrase secrète").path == "/demandes"
    client.forget_cookies()
    assert "déjà servi" in client.get(path, expect=410)


def test_following_an_order_answers_by_mail_only(app: Flask, client: CheckingClient, smtp: MailServer) -> None:
    request = factories.certificate_request()
    page = client.get("/suivi").form("Référence").fill(reference=request.reference.lower(), email=request.email)
    right = page.submit("Recevoir l'état par courriel")
    page = client.get("/suivi").form("Référence").fill(reference="DEM-2026-999999", email=request.email)
    wrong = page.submit("Recevoir l'état par courriel")
    assert right.text == wrong.text
    send_due_mails()
    assert "Non finalisée" in smtp.only(request.email, f"Suivi de la commande {request.reference}").text


@pytest.mark.spec("STA-1")
@pytest.mark.parametrize(
    ("address", "above"),
    [("/panier/ajouter", "/panier"), ("/commandes/nouvelle/ID_TRUST/envoyer", "/commandes/nouvelle/ID_TRUST")],
)
def test_an_address_that_only_takes_forms_leads_back_to_its_page(
    app: Flask, client: CheckingClient, address: str, above: str
) -> None:
    page = client.get(address, expect=405)
    assert page.h1 == "Cette page ne se rouvre pas"
    assert page.links["Reprendre"] == above


@pytest.mark.spec("SEC-2")
def test_a_form_of_a_session_that_ended_says_how_to_send_it_again(app: Flask, client: CheckingClient) -> None:
    who = factories.administrator(factories.organisation())
    form = client.login(who.email, factories.PASSWORD).form("Se déconnecter")
    form.submit()
    page = client.post("/deconnexion", {"csrf_token": form["csrf_token"]}, expect=400)
    assert page.h1 == "Votre session est terminée"
    assert "ce que vous avez écrit y est d’ordinaire encore" in page


@pytest.mark.spec("SEC-2")
def test_a_form_sent_after_the_session_ran_out_says_so_and_leads_back(
    app: Flask, client: CheckingClient, travel: Any
) -> None:
    who = factories.administrator(factories.organisation())
    client.login(who.email, factories.PASSWORD)
    form = client.get("/organisation/modifier").form("Enregistrer")
    travel(minutes=31)
    page = form.submit("Enregistrer")
    assert page.path == "/"
    assert page.flashes == ["Votre session a expiré : rien n'a été enregistré. Identifiez-vous, puis recommencez."]
    page = page.form("Mot de passe").fill(email=who.email, password=factories.PASSWORD).submit("S'identifier")
    assert page.path == "/organisation/modifier"

"""« Mon compte » and the login's second step, page by page, and tried by somebody who means harm (LOG-4, SEC-2)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from flask import Flask, url_for
from sqlalchemy import select

from app import clock
from app.extensions import db
from app.models import OutboxMail, Passkey, User, UserSession
from app.permissions import Role
from app.services import outbox
from app.services.unit_of_work import use_case
from tests import factories
from tests.pages import CheckingClient, Page
from tests.support.authenticator import SoftKey
from tests.support.factors import App
from tests.support.matrix import MATRIX

NewClient = Callable[..., CheckingClient]
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"


@pytest.fixture(autouse=True)
def _early_in_a_half_minute(travel: Any) -> None:
    """The clock stands five seconds after a code's beginning: no test runs over its end."""
    travel.to(clock.now().replace(second=5, microsecond=0))


def shown_code(page: Page) -> str:
    """What an app shows that was given the page's typed key."""
    return pyotp.TOTP(page.select(".seed")[0].get_text().replace(" ", "")).at(clock.now())


def enter(client: CheckingClient, user: User, code: str) -> Page:
    page = client.login(user.email, factories.PASSWORD)
    assert page.h1 == "Confirmez que c'est vous"
    return page.form("Code de l'application").fill(code=code).submit("Continuer")


# ------------------------------------------------------------------------------------------------ setting up


@pytest.mark.spec("LOG-4")
def test_an_app_is_linked_by_its_qr_code_and_asked_at_the_next_login(
    app: Flask, client: CheckingClient, travel: Any
) -> None:
    who = factories.applicant()
    client.login(who.email, factories.PASSWORD)
    page = client.get("/compte").click("Relier une application")
    assert page.select("svg.qr path")
    assert "style" not in str(page.select("svg.qr")[0])
    seed = page.select(".seed")[0].get_text()
    page = page.form("Code de l'application").fill(code="000000").submit("Activer")
    assert "n'est pas le bon" in page.error_for("code")
    assert page.select(".seed")[0].get_text() == seed  # the code scanned a minute ago still holds
    page = page.form("Code de l'application").fill(code=shown_code(page)).submit("Activer")
    assert page.h1 == "Vos codes de secours"
    codes = [each.get_text() for each in page.select(".codes li")]
    assert len(codes) == 10
    assert all(re.fullmatch(r"([a-z2-9]{4}-){3}[a-z2-9]{4}", code) for code in codes)
    assert "Il vous reste 10 codes de secours" in client.get("/compte")
    client.post("/deconnexion", {}, csrf=True)
    travel(seconds=30)
    page = client.login(who.email, factories.PASSWORD).click("Utiliser un code de secours")
    assert "n'est pas le bon" in page.form("Code de secours").fill(code="x").submit("Continuer").error_for("code")
    page = page.form("Code de secours").fill(code=codes[0]).submit("Continuer")
    assert page.path == "/demandes"
    assert "Il vous reste 9 codes de secours" in client.get("/compte")


@pytest.mark.spec("LOG-4")
def test_switching_off_and_late_changes_ask_the_password_again(app: Flask, client: CheckingClient, travel: Any) -> None:
    who = factories.applicant()
    phone = App(who)
    travel(seconds=30)
    enter(client, who, phone.code())
    page = client.get("/compte").click("Retirer")
    assert "pas votre mot de passe" in page.form().fill(current="faux").submit("Retirer").error_for("current")
    travel(minutes=11)
    assert "current" in client.get("/compte/codes").form("Votre mot de passe").fields
    assert "current" in client.get("/compte/cles/nouvelle").form("Nom de la clé").fields
    page = client.get("/compte/application").form("Code de l'application")
    page = page.fill(code="000000", current="faux").submit("Activer")
    assert "pas votre mot de passe" in page.error_for("current")
    page = client.get("/compte/application/retirer").form().fill(current=factories.PASSWORD).submit("Retirer")
    assert "L'application est retirée." in page.flashes
    assert db.session.get_one(User, who.id).second_factor_since is None


@pytest.mark.spec("LOG-4")
def test_a_passkey_is_added_named_used_and_removed(app: Flask, client: CheckingClient) -> None:
    who, key = factories.applicant(), SoftKey()
    client.login(who.email, factories.PASSWORD)
    page = client.get("/compte").click("Ajouter une clé d'accès")
    assert client.open("POST", "/compte/cles/options", data={"csrf_token": page.csrf_token, "name": ""}, fragment=True,
                       expect=422).data == b""  # fmt: skip
    options = client.open(
        "POST", "/compte/cles/options", data={"csrf_token": page.csrf_token, "name": "Téléphone"}, fragment=True
    ).data.decode()
    assert json.loads(options)["rp"]["id"] == "localhost"
    page = page.form("Nom de la clé").force(name="Téléphone", credential=key.made(options)).submit()
    assert page.h1 == "Vos codes de secours"
    assert "Clé d'accès « Téléphone »" in client.get("/compte")
    client.post("/deconnexion", {}, csrf=True)
    page = client.login(who.email, factories.PASSWORD)
    options = client.open(
        "POST", "/identification/cle/options", data={"csrf_token": page.csrf_token}, fragment=True
    ).data.decode()
    wrong = client.post("/identification/cle", {"credential": SoftKey().signed(options)}, csrf=True)
    assert "n'a pas été reconnue" in wrong.summary[0]
    options = client.open(
        "POST", "/identification/cle/options", data={"csrf_token": page.csrf_token}, fragment=True
    ).data.decode()
    assert client.post("/identification/cle", {"credential": key.signed(options)}, csrf=True).path == "/demandes"
    page = client.get("/compte").click("Retirer Téléphone").form().fill(current=factories.PASSWORD).submit("Retirer")
    assert "La clé d'accès est retirée." in page.flashes
    assert db.session.scalars(select(Passkey)).all() == []


# ------------------------------------------------------------------------------------------------ compulsory


@pytest.mark.spec("LOG-4")
def test_nothing_opens_to_staff_at_their_second_login_before_they_enrol(
    app: Flask, client: CheckingClient, new_client: NewClient
) -> None:
    officer = factories.staff(Role.ADMINISTRATEUR)
    assert client.login(officer.email, factories.PASSWORD).path == "/admin/"  # the first
    again = new_client()
    page = again.login(officer.email, factories.PASSWORD)
    assert page.path == "/compte/second-facteur"
    assert page.select(".nav a") == []
    kept_open = {"account.second_factor", "account.set_up_app", "account.add_passkey", "account.passkey_options",
                 "preferences.set_language", "pages.cgu", "pages.help", "auth.logout", "static"}  # fmt: skip
    for endpoint, row in MATRIX.items():
        if endpoint in kept_open or endpoint.split(".")[0] in ("health", "dev"):
            continue
        with app.test_request_context():
            given = {
                name: 1 if str(value).startswith("<") and "id" in name else value for name, value in row.address.items()
            }
            address = url_for(endpoint, **given)
        method = row.methods.split()[0]
        sent = {"csrf_token": page.csrf_token} if method == "POST" else None
        answer = again._browser.open(address, method=method, data=sent)  # nothing to check of so many redirects
        assert (answer.status_code, answer.location) == (302, "/compte/second-facteur"), endpoint
    page = page.click("Relier une application")
    page = page.form("Code de l'application").fill(code=shown_code(page)).submit("Activer")
    assert page.click("Je les ai gardés : continuer").path == "/admin/"
    page = (
        again.get("/compte")
        .click("Retirer")
        .form("Votre mot de passe")
        .fill(current=factories.PASSWORD)
        .submit("Retirer")
    )
    assert "obligatoire" in page.summary[0]
    assert client.get("/admin/").path == "/"  # the session of the password alone is over


# ------------------------------------------------------------------------------------------------ sessions, mails


@pytest.mark.spec("SEC-2")
def test_devices_are_listed_in_words_and_disconnected_one_by_one_or_all(app: Flask, new_client: NewClient) -> None:
    who = factories.applicant()
    here = new_client(headers={"User-Agent": CHROME})
    there = new_client(address="127.0.0.9", headers={"User-Agent": IPHONE})
    for browser in (there, here):
        browser.login(who.email, factories.PASSWORD)
    page = here.get("/compte")
    rows = [each.get_text(" ", strip=True) for each in page.select("#sessions + ul li")]
    assert "Chrome sur Windows" in rows[0]
    assert "cet appareil" in rows[0]
    assert "Safari sur iPhone" in rows[1]
    assert "127.0.0.9" in rows[1]
    assert "Cet appareil est déconnecté." in page.press("Déconnecter").flashes
    assert there.get("/compte").path == "/"
    there.login(who.email, factories.PASSWORD)
    page = here.get("/compte").press("Déconnecter partout")
    assert page.path == "/"
    assert here.get("/compte").path == there.get("/compte").path == "/"


@pytest.mark.spec("MAI-1")
def test_optional_mails_may_be_switched_off_and_necessary_ones_not(app: Flask, client: CheckingClient) -> None:
    who = factories.administrator(factories.organisation())
    client.login(who.email, factories.PASSWORD)
    page = client.get("/compte")
    assert "partent toujours" in page
    form = page.form("Courriels que je souhaite recevoir")
    assert "handovers" not in str(form.options("wanted"))
    page = form.fill(wanted=["reminders"]).submit("Enregistrer mes choix")
    assert db.session.get_one(User, who.id).muted_mails == ["messages", "progress"]
    assert page.form("Courriels que je souhaite recevoir")["wanted"] == "reminders"

    @use_case
    def write() -> list[str]:
        for kind, necessary in (("message_received", False), ("message_received", True), ("password_changed", False)):
            outbox.write(kind, to=who.email, necessary=necessary, name="x", reference="DEM", link="https://x.tn/")
        return [mail.kind for mail in db.session.scalars(select(OutboxMail).order_by(OutboxMail.id))]

    assert write() == ["message_received", "password_changed"]
    client.post("/compte/courriels", {"wanted": "password_changed"}, csrf=True, expect=400)  # forged


# ------------------------------------------------------------------------------------------------ harm


@pytest.mark.spec("LOG-4", "SEC-2")
@pytest.mark.parametrize("path", ["/demandes", "/compte", "/compte/application", "/messages", "/mot-de-passe"])
def test_the_second_step_cannot_be_walked_around(app: Flask, client: CheckingClient, path: str) -> None:
    who = factories.applicant()
    App(who)
    client.login(who.email, factories.PASSWORD)
    assert client.get(path).path == "/"  # the password alone is nobody
    half = db.session.scalars(select(UserSession).where(UserSession.factor_due)).one()
    with client._browser.session_transaction() as cookie:  # even with the token where a whole login keeps its own
        cookie["_user_id"] = cookie["second_step"]
    assert client.get(path).path == "/"
    assert half.ended_at is None


@pytest.mark.spec("SEC-2")
def test_a_session_given_beforehand_is_not_the_one_that_is_used(app: Flask, client: CheckingClient) -> None:
    who = factories.applicant()
    phone = App(who)
    client.get("/")
    with client._browser.session_transaction() as cookie:
        planted = dict(cookie) | {"_user_id": "planted", "second_step": "planted", "extra": "planted"}
        cookie.update(planted)
    client.get("/")
    with client._browser.session_transaction() as cookie:
        before = cookie.get("csrf_token")
    enter(client, who, phone.code(1))
    with client._browser.session_transaction() as cookie:
        assert "planted" not in cookie.values()
        assert cookie.get("csrf_token") != before
        token = cookie["_user_id"]
    client.post("/deconnexion", {}, csrf=True)
    with client._browser.session_transaction() as cookie:
        cookie["_user_id"] = token  # a cookie kept by a thief
    assert client.get("/compte").path == "/"


@pytest.mark.spec("SEC-2")
@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/", "/\\evil.example", "/%0d%0aevil"])
def test_the_second_step_never_leads_to_another_site(app: Flask, client: CheckingClient, target: str) -> None:
    who = factories.applicant()
    phone = App(who)
    client.login(who.email, factories.PASSWORD)
    page = client.post(f"/identification/code?next={target}", {"code": phone.code(1)}, csrf=True, follow=False)
    assert page.location in ("/demandes", "/%0D%0Aevil", "/%0d%0aevil")
    client.forget_cookies()
    page = client.get("/compte").form("E-mail").fill(email=who.email, password=factories.PASSWORD).submit()
    assert "next=" in page.url


@pytest.mark.spec("PPL-2", "LOG-4")
def test_another_persons_key_and_session_do_not_exist(app: Flask, client: CheckingClient) -> None:
    who, victim = factories.applicant(), factories.applicant()
    key = Passkey(user_id=victim.id, credential_id="x", public_key=b"x", sign_count=0, name="x", created_at=clock.now())
    session = UserSession(user_id=victim.id, token_hash="x", created_at=clock.now(), last_seen_at=clock.now())
    db.session.add_all([key, session])
    token = client.login(who.email, factories.PASSWORD).csrf_token
    client.get(f"/compte/cles/{key.id}/retirer", expect=404)
    sent = {"csrf_token": token, "current": factories.PASSWORD}
    client.post(f"/compte/cles/{key.id}/retirer", sent, expect=404)
    client.post(f"/compte/sessions/{session.id}/fermer", sent, expect=404)
    assert db.session.get_one(UserSession, session.id).ended_at is None


@pytest.mark.spec("LOG-4")
def test_a_second_step_that_waited_too_long_says_so(app: Flask, client: CheckingClient, travel: Any) -> None:
    who = factories.applicant()
    phone = App(who)
    page = client.login(who.email, factories.PASSWORD)
    travel(minutes=10)
    page = page.form("Code de l'application").fill(code=phone.code()).submit("Continuer")
    assert page.path == "/"
    assert "Votre identification a expiré : recommencez." in page.flashes
    assert client.get("/identification/code").path == "/"
    assert client.open("POST", "/identification/cle/options", data={"csrf_token": page.csrf_token}, fragment=True,
                       expect=410)  # fmt: skip


@pytest.mark.spec("TEA-1")
def test_the_desk_resets_a_lost_second_factor(app: Flask, client: CheckingClient) -> None:
    boss, officer, customer = factories.staff(Role.ADMINISTRATEUR), factories.staff(), factories.applicant()
    App(officer)
    App(customer)
    client.login(boss.email, factories.PASSWORD)
    page = client.get(f"/admin/equipe/{officer.id}").click("Réinitialiser le second facteur")
    assert page.form("Comment").submit("Réinitialiser").error_for("reason")
    page = page.form("Comment").fill(reason="Vu au bureau").submit("Réinitialiser")
    assert officer.email in page.flashes[0]
    page = client.get("/admin/equipe/").click("Second facteur d'un client")
    wrong = page.form("Comment").fill(email="x@exemple.tn", reason="Appel").submit("Réinitialiser")
    assert "Aucun compte de client" in wrong.error_for("email")
    page = page.form("Comment").fill(email=customer.email, reason="Appel").submit("Réinitialiser")
    assert customer.email in page.flashes[0]
    assert db.session.get_one(User, customer.id).second_factor_since is None
    App(boss)
    runner = app.test_cli_runner()
    assert runner.invoke(args=["staff", "reset-factor", boss.email]).output == "done\n"
    assert "pas de second facteur" in runner.invoke(args=["staff", "reset-factor", boss.email]).output

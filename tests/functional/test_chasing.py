"""« Relances » and the invitation's end, page by page (ORD-7, APP-1)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from app import clock
from app.extensions import db
from app.models import CertificateRequest, OutboxMail, User
from app.permissions import Role
from app.services import passwords
from app.states import RequestState
from tests import factories
from tests.pages import CheckingClient

TEMPORARY = "abcd-efgh-jkmn-pqrs"


@pytest.fixture
def admin(app: Flask, client: CheckingClient) -> User:
    user = factories.administrator(factories.organisation())
    client.login(user.email, factories.PASSWORD)
    return user


def awaited(admin: User, email: str, *, days_left: int = 7) -> CertificateRequest:
    person = factories.user(
        Role.DEMANDEUR,
        activated=False,
        email=email,
        temporary_password_hash=passwords.hash_password(TEMPORARY),
        temporary_password_expires_at=clock.now() + timedelta(days=days_left),
    )
    return factories.certificate_request(admin.grants[0].organisation, applicant=person, by=admin)


@pytest.mark.spec("ORD-7")
def test_the_list_says_who_is_waited_for_and_tells_them_again(admin: User, client: CheckingClient) -> None:
    reference = awaited(admin, "lent@exemple.tn", days_left=-1).reference
    page = client.get("/commandes").click("Relancer les demandeurs")
    [row] = page.table(0)
    assert "lent@exemple.tn" in row["Adresse e-mail"]
    assert row["Attend depuis"].startswith("aujourd'hui")
    assert "Invitation expirée" in row["Dernier courriel"]
    page = page.form(f"/commandes/relances/{reference}").submit()
    assert page.flashes == ["L'invitation est renvoyée à lent@exemple.tn."]
    assert "relance possible à" in page.table(0)[0]["Actions"]
    page = page.press("Relancer tout le monde")
    assert page.flashes == ["Personne n'a été relancé. 1 a déjà reçu un courriel il y a moins d'une heure."]
    assert len(db.session.scalars(select(OutboxMail)).all()) == 1


@pytest.mark.spec("ORD-7")
def test_a_wrong_address_is_mended_from_the_list(admin: User, client: CheckingClient) -> None:
    row = awaited(admin, "faute@exemple.tn")
    page = client.get("/commandes/relances").click("Corriger l'adresse " + row.reference)
    page = page.form("Nouvelle adresse e-mail").fill(email="juste@exemple", email_confirmation="autre").submit()
    assert page.error_for("email")
    assert page.error_for("email_confirmation") == "Les deux adresses e-mail diffèrent."
    page = page.form("Nouvelle adresse e-mail").fill(email=admin.email, email_confirmation=admin.email).submit()
    assert "C'est votre adresse" in str(page.error_for("email"))
    right = "Juste@exemple.tn"
    page = page.form("Nouvelle adresse e-mail").fill(email=right, email_confirmation=right.lower()).submit()
    assert page.flashes == ["L'adresse est corrigée et l'invitation envoyée à juste@exemple.tn."]
    assert "juste@exemple.tn" in page.table(0)[0]["Adresse e-mail"]
    row.applicant.password_hash = "x"
    db.session.commit()
    page = client.get(f"/demandes/{row.reference}/adresse")
    assert "l'adresse ne change plus" in page.flashes[0]


@pytest.mark.spec("ORD-7", "PAY-1")
def test_what_is_ready_is_paid_without_waiting_for_the_rest(admin: User, client: CheckingClient) -> None:
    awaited(admin, "lent@exemple.tn")
    for _n in range(2):
        factories.certificate_request(admin.grants[0].organisation, RequestState.EN_ATTENTE_DE_PAIEMENT, by=admin)
    page = client.get("/commandes/relances").press("Tout mettre au panier")
    assert page.path == "/panier"
    assert page.flashes == ["2 demandes ajoutées au panier."]
    assert len(page.table(0)) == 2


@pytest.mark.spec("ORD-7", "SPD-1")
def test_the_list_is_a_fixed_number_of_statements(admin: User, client: CheckingClient) -> None:
    def statements() -> int:
        found: list[str] = []
        listen = lambda _c, _cur, statement, *_rest: found.append(statement)  # noqa: E731
        event.listen(db.engine, "before_cursor_execute", listen)
        client.get("/commandes/relances?etape=a-activer")
        event.remove(db.engine, "before_cursor_execute", listen)
        return len(found)

    awaited(admin, "a@exemple.tn")
    one = statements()
    for name in "bcde":
        awaited(admin, f"{name}@exemple.tn")
    assert statements() == one


@pytest.mark.spec("APP-1", "LOG-2")
def test_the_login_page_says_that_an_invitation_ran_out_and_sends_another(admin: User, new_client: Any) -> None:
    awaited(admin, "lent@exemple.tn", days_left=-1)
    visitor = new_client()
    page = visitor.login("lent@exemple.tn", TEMPORARY)
    assert page.path == "/"
    assert "Un nouveau vient de partir à votre adresse e-mail" in page
    [mail] = db.session.scalars(select(OutboxMail))
    assert mail.recipient == "lent@exemple.tn"
    page = visitor.login("lent@exemple.tn", TEMPORARY)  # the old one is nothing now
    assert "incorrect" in page

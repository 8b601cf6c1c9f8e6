"""The first login with a temporary password, as a person meets it (ACT-2, ACT-3)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app import clock
from app.extensions import db
from app.models import Organisation, User
from app.services import passwords, purging
from app.states import OrganisationState
from tests import factories

TEMPORARY = "abcd-efgh-jkmn-pqrs"
NEW = "une phrase de passe nouvelle"


@pytest.fixture
def newcomer(app):
    """The administrator of a fresh registration, with the mail's temporary password in hand."""
    of = factories.organisation(OrganisationState.EN_ATTENTE_ACTIVATION)
    return factories.administrator(
        of,
        activated=False,
        temporary_password_hash=passwords.hash_password(TEMPORARY),
        temporary_password_expires_at=of.activation_deadline,
    )


def choose(page, password=NEW, confirmation=None):
    return page.form().fill(password=password, confirmation=confirmation or password).submit("Activer mon compte")


@pytest.mark.spec("ACT-2")
def test_the_first_login_forces_a_new_password_and_activates(newcomer, client):
    page = client.login(newcomer.email, TEMPORARY)
    assert page.path == "/mot-de-passe"
    assert page.h1 == "Choisissez votre mot de passe"
    page = choose(page)
    assert "Votre mot de passe est enregistré" in page
    user = db.session.get_one(User, newcomer.id)
    assert user.activated_at is not None
    assert db.session.scalars(db.select(Organisation)).one().state is OrganisationState.A_VERIFIER
    client.post("/deconnexion", {}, csrf=True)
    assert "incorrect" in client.login(newcomer.email, TEMPORARY)
    assert client.login(newcomer.email, NEW).path != "/mot-de-passe"


@pytest.mark.spec("ACT-2")
@pytest.mark.parametrize("path", ["/organisation", "/commandes", "/panier", "/factures", "/accueil"])
def test_nothing_else_opens_before_the_password_is_chosen(newcomer, client, path):
    client.login(newcomer.email, TEMPORARY)
    assert client.get(path).path == "/mot-de-passe"


@pytest.mark.parametrize("path", ["/aide", "/conditions-generales"])
def test_help_and_conditions_stay_open(newcomer, client, path):
    client.login(newcomer.email, TEMPORARY)
    assert client.get(path).path == path


@pytest.mark.spec("ACT-2")
@pytest.mark.parametrize(
    ("password", "confirmation", "field", "said"),
    [
        ("court", "court", "password", "12 caractères"),
        ("motdepasse1234", "motdepasse1234", "password", "pirates"),
        (TEMPORARY, TEMPORARY, "password", "différent"),
        (NEW, NEW + "!", "confirmation", "diffèrent"),
    ],
)
def test_a_weak_or_mistyped_password_is_told_beside_its_field(newcomer, client, password, confirmation, field, said):
    page = choose(client.login(newcomer.email, TEMPORARY), password, confirmation)
    assert said in page.error_for(field)
    assert db.session.get_one(User, newcomer.id).activated_at is None
    assert choose(page).path != "/mot-de-passe"


@pytest.mark.spec("ACT-2")
def test_the_form_sent_twice_activates_once_and_never_fails(newcomer, client):
    page = client.login(newcomer.email, TEMPORARY)
    form = page.form().fill(password=NEW, confirmation=NEW)
    form.submit("Activer mon compte")
    activated = db.session.get_one(User, newcomer.id).activated_at
    form.submit("Activer mon compte")
    assert db.session.get_one(User, newcomer.id).activated_at == activated


@pytest.mark.spec("ACT-3")
def test_whoever_the_purge_overtook_is_told_on_the_login_page(newcomer, client, travel):
    email = newcomer.email
    form = client.login(email, TEMPORARY).form().fill(password=NEW, confirmation=NEW)
    travel(hours=47, minutes=59)
    of = db.session.scalars(db.select(Organisation)).one()
    of.activation_deadline = clock.now() - timedelta(seconds=1)
    db.session.commit()
    purging.purge_unactivated()
    landed = form.submit("Activer mon compte", expect=(200, 400))
    assert landed.path in ("/", "/mot-de-passe")
    assert "incorrect" in client.login(email, TEMPORARY)


@pytest.mark.spec("ACT-3")
def test_the_purge_between_the_page_and_the_save_is_told(newcomer, client, monkeypatch):
    from app.services import accounts, activation

    page = client.login(newcomer.email, TEMPORARY)

    def overtaken(*_args, **_values):
        raise activation.RegistrationExpired

    monkeypatch.setattr(accounts, "choose_password", overtaken)
    landed = choose(page)
    assert landed.path == "/"
    assert "Votre inscription n'a pas été activée à temps" in landed
    assert client.get("/organisation").path == "/"


@pytest.mark.spec("ACT-1")
def test_a_temporary_password_past_its_time_opens_nothing(newcomer, client, travel):
    travel(hours=48, seconds=1)
    page = client.login(newcomer.email, TEMPORARY)
    assert page.path == "/"
    assert "Ce mot de passe temporaire a expiré." in page
    assert "recommencez l'inscription" in page


@pytest.mark.spec("LOG-3")
def test_a_forgotten_password_is_replaced_by_the_mail_s_link(app, client):
    from app.models import OutboxMail

    who = factories.administrator(factories.organisation())
    said = client.get("/mot-de-passe-oublie").form().fill(email=who.email).submit().text
    other = client.get("/mot-de-passe-oublie").form().fill(email="personne@exemple.tn").submit().text
    assert said.replace(who.email, "") == other.replace("personne@exemple.tn", "")
    mail = db.session.scalars(db.select(OutboxMail)).one()
    link = next(word for word in mail.text.split() if "/mot-de-passe/nouveau/" in word)
    path = link.removeprefix(app.config["PUBLIC_URL"])
    page = client.get(path).form().fill(password=NEW, confirmation=NEW).submit()
    assert "nouveau mot de passe est enregistré" in page
    assert client.login(who.email, NEW).path != "/"
    client.post("/deconnexion", {}, csrf=True)
    assert client.get(path, expect=410)

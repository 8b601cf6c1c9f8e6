"""A second factor in a browser: an officer is led to it, makes a passkey with Chromium's own, and comes in by it."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import expect

from app.permissions import Role
from app.services import accounts
from tests import factories

DEVICE = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


@pytest.mark.spec("LOG-4", "A11-1")
def test_an_officer_is_led_to_a_second_factor_and_comes_in_by_a_passkey(journey: Any, app: Flask) -> None:
    officer = factories.staff(Role.AGENT)
    accounts.log_in(officer.email, factories.PASSWORD, ip="127.0.0.1", user_agent="x")  # the first time
    base = journey.base.replace("127.0.0.1", "localhost")  # keys belong to names, not to numbers
    app.config["PUBLIC_URL"] = base
    page = journey.page
    chromium = page.context.new_cdp_session(page)
    chromium.send("WebAuthn.enable")
    chromium.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})

    def password() -> None:
        page.goto(f"{base}/")
        page.get_by_label("E-mail").fill(officer.email)
        page.get_by_label("Mot de passe").first.fill(factories.PASSWORD)
        page.get_by_role("button", name="S'identifier").click()

    password()
    expect(page.get_by_role("heading", level=1)).to_have_text("Protégez votre compte")
    journey.check("obligatoire", phone=False)
    page.goto(f"{base}/compte/cles/nouvelle")
    page.get_by_role("button", name="Créer la clé").click()
    expect(page.locator("#name-error")).to_contain_text("Donnez un nom")  # and no key was made in vain
    journey.forgive("422")
    page.get_by_label("Nom de la clé").fill("Ordinateur du bureau")
    page.get_by_role("button", name="Créer la clé").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Vos codes de secours")
    journey.check("codes")
    page.get_by_role("link", name="Je les ai gardés : continuer").click()
    expect(page).to_have_url(f"{base}/admin/")

    page.context.clear_cookies()
    password()
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirmez que c'est vous")
    journey.check("seconde-etape")
    page.get_by_role("button", name="Utiliser ma clé d'accès").click()
    expect(page).to_have_url(f"{base}/admin/")

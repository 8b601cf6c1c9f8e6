"""The desk's lists and forms in Chromium: axe, 320 px, filters without a script (A11-1, QUE-1, REF-1)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app.permissions import Role
from app.services import staff
from app.states import OrganisationState, RequestState
from tests import factories


def _enter(journey: Any, role: Role) -> None:
    journey.visit("/")
    journey.page.get_by_label("E-mail").fill(factories.staff(role).email)
    journey.page.locator("#password").fill(factories.PASSWORD)
    journey.page.get_by_role("button", name="S'identifier").click()
    journey.page.wait_for_url("**/admin/**")


@pytest.mark.spec("A11-1", "QUE-1")
def test_the_lists_are_readable_by_everybody_at_every_width(journey: Any, app: Flask) -> None:
    organisation = factories.organisation(OrganisationState.A_VERIFIER)
    for state in (RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST, RequestState.EN_ATTENTE_DE_JUSTIFICATIFS):
        factories.certificate_request(organisation, state)
    _enter(journey, Role.AGENT)
    journey.check("bureau")
    for room in ("demandes", "organisations", "paiements", "factures", "certificats"):
        journey.visit(f"/admin/{room}/?onglet=toutes&search=societe")
    journey.visit("/admin/demandes/?onglet=toutes")
    journey.page.get_by_text("Filtrer", exact=True).click()
    journey.page.get_by_label("État").select_option(label="En attente de justificatifs")
    journey.page.get_by_role("button", name="Appliquer").click()
    journey.page.get_by_text("État : En attente de justificatifs").wait_for()
    journey.check("filtres")


@pytest.mark.spec("A11-1", "REF-1", "TEA-1")
def test_the_generated_forms_and_the_team_are_too(journey: Any, app: Flask) -> None:
    staff.invite_staff(
        "nadia@exemple.tn",
        "Nadia",
        "Khelifi",
        Role.AGENT,
        actor=factories.actor(factories.staff(Role.ADMINISTRATEUR)),
    )
    _enter(journey, Role.ADMINISTRATEUR)
    for path in (
        "tarifs/nouveau", "postes/1", "motifs/1", "conditions/1", "conditions/nouveau", "domaines/1/supprimer",
        "postes/import", "reglages/", "reglages/review.days", "equipe/", "equipe/inviter", "equipe/1", "journal/",
        "journal/1", "courriels/", "taches/",
    ):  # fmt: skip
        journey.visit(f"/admin/{path}")
    journey.visit("/admin/tarifs/nouveau")
    journey.page.get_by_role("button", name="Enregistrer").click()
    journey.check("formulaire-refuse")

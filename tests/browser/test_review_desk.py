"""The review desk in Chromium: verdicts saved in place, the focus kept, nothing lost by a reload (REV-2)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import Document, DocumentKind
from app.states import OrganisationState, Verdict
from tests import factories as f
from tests.functional.test_review_desk import put_picture
from tests.support import reviewing as r


@pytest.mark.spec("REV-1", "REV-2")
def test_verdicts_are_saved_without_leaving_the_page(journey: Any, app: Flask) -> None:
    organisation = r.organisation_file(OrganisationState.A_VERIFIER, verdict=Verdict.A_VERIFIER)
    for paper in db.session.scalars(select(Document)):
        put_picture(paper)
    request, agent = r.request_file(of=organisation), f.staff()
    page = journey.page
    journey.visit(f"/admin/dossiers/{request.reference}")
    page.get_by_label("E-mail").fill(agent.email)
    page.locator("input[name=password]").fill(f.PASSWORD)
    page.get_by_role("button", name="S'identifier").click()
    page.wait_for_url("**/admin/dossiers/**")
    page.evaluate("window.stayed = true")
    journey.check("dossier")

    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # « Aller à la décision »: within the page, which is not asked for again
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#decision') !== null")
    assert page.evaluate("window.stayed") is True

    yes = page.get_by_role("button", name="Conforme\u00a0: Raison sociale", exact=True)
    yes.focus()
    page.keyboard.press("Enter")
    page.locator("#decl-legal_name .yes[aria-pressed=true]").wait_for()
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Conforme\u00a0: Raison sociale"
    page.get_by_text("Enregistré à").wait_for()

    page.locator("#paper-head .no").click()
    page.locator("#why-text-document").fill("Illisible à gauche.")
    journey.check("motif")
    page.get_by_role("button", name="Enregistrer le motif").click()
    page.locator("#paper-head .no[aria-pressed=true]").wait_for()
    assert page.evaluate("window.stayed") is True
    page.reload()
    assert page.locator("#decl-legal_name .yes").get_attribute("aria-pressed") == "true"
    db.session.rollback()
    refused = db.session.scalars(select(Document).where(Document.kind == DocumentKind.RNE_EXTRACT)).one()
    assert (refused.verdict, refused.verdict_reason) == (Verdict.REFUSE, "Illisible à gauche.")

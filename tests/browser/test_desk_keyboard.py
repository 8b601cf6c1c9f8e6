"""A clean file by keyboard alone, from the queue to the next file in six presses at most (REV-6)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import CertificateRequest, Document
from app.states import OrganisationState, Verdict
from tests import factories as f
from tests.functional.test_review_desk import put_picture
from tests.support import reviewing as r


@pytest.mark.spec("REV-6", "REV-1", "QUE-3")
def test_a_new_file_goes_from_the_queue_to_the_next_one_by_keyboard_alone(journey: Any, app: Flask) -> None:
    new = r.organisation_file(OrganisationState.A_VERIFIER, verdict=Verdict.A_VERIFIER)
    for paper in db.session.scalars(select(Document)):
        put_picture(paper)
    request = r.request_file(of=new)
    following = r.request_file(of=new)
    agent = f.staff()
    page = journey.page
    journey.visit("/admin/demandes/", phone=False)
    page.get_by_label("E-mail").fill(agent.email)
    page.locator("input[name=password]").fill(f.PASSWORD)
    page.keyboard.press("Enter")
    page.locator("td.lead-cell a").first.wait_for()
    page.wait_for_load_state("load")

    page.keyboard.press("s")  # 1: the next file of the queue
    page.wait_for_url(f"**/{request.reference}**")
    page.keyboard.press("?")
    page.locator("#desk-keys[open]").wait_for()
    journey.axe("touches")
    page.keyboard.press("Escape")
    page.keyboard.press("c")  # 2: the organisation as declared, and its extract
    page.locator("#desk-tabs [aria-current]", has_text="Demandeur").wait_for()
    assert "onglet=demandeur" in page.url
    page.keyboard.press("c")  # 3: the applicant
    page.locator("#desk-tabs [aria-current]", has_text="Contrat").wait_for()
    page.keyboard.press("c")  # 4: the signed contract
    page.locator("#paper-head .yes[aria-pressed=true]").wait_for()
    journey.check("tout-conforme")
    page.keyboard.press("a")  # 5: verified, approved, and on to the next
    page.wait_for_url(f"**/{following.reference}**")
    db.session.rollback()
    row = db.session.get_one(CertificateRequest, request.id)
    assert row.approved_at is not None
    assert row.organisation.state is OrganisationState.VERIFIEE
    other = db.session.get_one(CertificateRequest, following.id)
    assert (other.assigned_to_id, other.approved_at) == (agent.id, None)

    page.keyboard.press("j")  # the first point
    page.keyboard.press("v")
    page.locator("#decl-last_name .yes[aria-pressed=true]").wait_for()
    page.keyboard.press("j")
    page.keyboard.press("x")  # ✗ opens its reason; letters typed there are words, not keys
    page.locator("#why-first_name").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.type("avec la CIN")
    page.keyboard.press("Control+Enter")
    page.locator("#decl-first_name .no[aria-pressed=true]").wait_for()
    assert "avec la CIN" in page.locator("#decl-first_name").inner_text()
    page.keyboard.press("1")
    page.wait_for_url("**onglet=organisation**")
    page.keyboard.press("+")
    page.wait_for_url("**zoom=125**")
    page.keyboard.press("r")
    page.wait_for_url("**rotation=90**")
    page.reload()
    assert page.locator(".paper-tools .num").last.inner_text() == "125 %"


@pytest.mark.spec("REV-7", "QUE-3")
def test_two_agents_see_each_other_without_reloading(journey: Any, people: Any, app: Flask) -> None:
    request = r.request_file()
    sonia, leila = f.staff(first_name="Sonia", last_name="Ferjani"), f.staff(first_name="Leïla", last_name="Trabelsi")
    other = people("leila")
    for who, at in ((sonia, journey), (leila, other)):
        at.visit(f"/admin/dossiers/{request.reference}", phone=False)
        at.page.get_by_label("E-mail").fill(who.email)
        at.page.locator("input[name=password]").fill(f.PASSWORD)
        at.page.keyboard.press("Enter")
        at.page.locator("#desk-presence[data-said]").wait_for(state="attached")
    assert "Sonia Ferjani regarde ce dossier depuis" in other.page.locator("#desk-presence").inner_text()
    journey.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # sooner than the next beat
    journey.page.get_by_text("Leïla Trabelsi regarde ce dossier depuis").wait_for()
    other.check("a-deux")

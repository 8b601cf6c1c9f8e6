"""Each page without a part to fill in its address, by the first role that may see it: axe, and the phone's width."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import expect

from app import clock
from app.permissions import Role
from app.states import OrganisationState, RequestState
from tests import factories
from tests.browser.steps import log_in

BESIDE = (
    "/static/",
    "/dev/",
    "/healthz",
    "/readyz",
    "/metrics",
    "/inscription/code",
    "/inscription/localites",
    "/demandes/bureaux",
    "/admin/listes/",  # leads to the desk
)


def paths(app: Flask) -> list[str]:
    """Every address without a part to fill in that answers GET with a page."""
    rules = {rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments}
    files = ("/export/", ".csv", ".xlsx", ".zip")  # the browser downloads these, and shows no page
    return sorted(rule for rule in rules if not rule.startswith(BESIDE) and not any(part in rule for part in files))


def people() -> list[str]:
    """Somebody of each role, with something of theirs to see in each state; their addresses."""
    company = factories.organisation(OrganisationState.VERIFIEE)
    admin = factories.administrator(company)
    applicant = factories.applicant()
    for state in RequestState:
        factories.certificate_request(company, state, applicant=applicant, by=admin, basket_added_at=clock.now())
    factories.organisation(OrganisationState.A_VERIFIER)
    staff = [factories.staff(role) for role in (Role.AGENT, Role.RESPONSABLE, Role.ADMINISTRATEUR, Role.SUPERVISEUR)]
    return [each.email for each in (admin, applicant, *staff)]


@pytest.mark.spec("REF-1")
def test_every_page_is_accessible_and_fits_a_phone(journey: Any, app: Flask) -> None:
    emails = people()
    left, page = paths(app), journey.page
    faults: list[str] = []
    journey.forgive("403|404")
    for email in ("", *emails):
        if email:
            page.context.clear_cookies()
            log_in(page, email, factories.PASSWORD)
            expect(page).not_to_have_url(f"{journey.base}/")
        for path in [each for each in left if each.startswith("/admin") == ("@tuntrust" in email)]:
            answer = page.goto(path)
            shown = answer is not None and answer.status == 200 and page.url == f"{journey.base}{path}"
            if not shown or "text/html" not in answer.headers.get("content-type", ""):
                continue
            left.remove(path)
            for look in (lambda path=path: journey.axe(path), journey.phone):
                try:
                    look()
                except AssertionError as fault:
                    faults.append(str(fault))
    assert not faults, "\n".join(faults)
    # What is left only leads elsewhere: a redirect, or a step of a journey that is not begun.
    assert [path for path in left if path.startswith("/admin/") and not path.startswith("/admin/dossiers")] == []

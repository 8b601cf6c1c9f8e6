"""Answering « Pièces manquantes » in a browser, in French and in Arabic (REV-5, I18-1)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app.models import DocumentKind
from app.services import asking, verdicts
from app.services.asking import Point
from tests import factories as f
from tests.support import reviewing as r


@pytest.mark.spec("REV-5", "I18-1")
@pytest.mark.parametrize("locale", ["fr", "ar"])
def test_the_page_of_missing_pieces_in_both_directions(journey: Any, app: Flask, locale: str) -> None:
    applicant = f.applicant(locale=locale)
    request = r.request_file(applicant=applicant)
    points = []
    for code, about in (("identity_one_side", {"document_kind": DocumentKind.APPLICANT_IDENTITY}), ("misspelt", {})):
        why, why_ar = verdicts.worded(code, "")
        points.append(Point(why, reason_ar=why_ar, **(about or {"field": "first_name"})))
    asking.ask_for_documents(request.id, points, actor=r.agent())
    page = journey.page
    page.goto("/")
    page.locator("input[type=email]").fill(applicant.email)
    page.locator("input[type=password]").first.fill(f.PASSWORD)
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url("**/demandes*")
    page.goto(f"/demandes/{request.reference}/pieces")
    assert page.locator("html").get_attribute("dir") == ("rtl" if locale == "ar" else "ltr")
    journey.check("pieces")
    page.locator("textarea").fill("C'est mon prénom.")
    page.locator("section button[type=submit]").nth(0).click()
    page.get_by_text("1 من 2" if locale == "ar" else "Répondu : 1 sur 2").wait_for()
    assert page.get_by_text("C'est mon prénom.").is_visible()

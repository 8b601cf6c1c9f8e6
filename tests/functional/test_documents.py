"""Received papers over HTTP: attachments and pictures, nothing that opens in our origin (SEC-3)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.extensions import db
from app.models import AuditEntry, Document, DocumentKind
from app.permissions import Role, visitor
from app.services import documents
from tests import factories
from tests.pages import CheckingClient
from tests.support.signup import jpeg, pdf


def received(kind: DocumentKind = DocumentKind.RNE_EXTRACT, data: bytes | None = None) -> Document:
    organisation = factories.organisation()
    return documents.receive(
        data or pdf("x"), "pièce d'identité.pdf", kind=kind, actor=visitor(None), organisation_id=organisation.id
    )


def journal_lines() -> int:
    wanted = AuditEntry.action == "view_identity_paper"
    return db.session.scalar(select(func.count()).select_from(AuditEntry).where(wanted)) or 0


@pytest.mark.spec("SEC-3")
def test_a_file_is_served_as_an_attachment_that_nothing_runs(app: Flask, client: CheckingClient) -> None:
    document = received()
    client.login(factories.staff(Role.AGENT).email, factories.PASSWORD)
    page = client.get(f"/documents/{document.public_id}")
    assert page.data == pdf("x")
    assert page.headers["Content-Disposition"].startswith("attachment;")
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert page.headers["Content-Type"] == "application/pdf"


@pytest.mark.spec("SEC-3", "REV-1")
def test_pages_and_thumbnails_are_pictures(app: Flask, client: CheckingClient) -> None:
    document = received()
    client.login(factories.staff(Role.AGENT).email, factories.PASSWORD)
    for address in ("pages/1", "pages/1?largeur=480&rotation=90", "vignette", "pages/1?largeur=abc"):
        page = client.get(f"/documents/{document.public_id}/{address}")
        assert page.headers["Content-Type"] == "image/jpeg"
        assert page.data.startswith(b"\xff\xd8")
    for address in ("pages/0", "pages/2", "pages/1?rotation=45"):
        client.get(f"/documents/{document.public_id}/{address}", expect=404)
    assert journal_lines() == 0


@pytest.mark.spec("SEC-3")
def test_staff_see_identity_papers_under_a_watermark_and_the_journal_says_so(
    app: Flask, client: CheckingClient
) -> None:
    document = received(DocumentKind.REPRESENTATIVE_IDENTITY, jpeg())
    client.login(factories.staff(Role.AGENT).email, factories.PASSWORD)
    picture = client.get(f"/documents/{document.public_id}/pages/1")
    assert picture.data != documents.picture(document)
    copy = client.get(f"/documents/{document.public_id}")
    assert copy.data.startswith(b"%PDF")
    assert jpeg() not in copy.data
    assert journal_lines() == 2


@pytest.mark.spec("PPL-2", "SEC-1")
def test_others_and_visitors_find_nothing(app: Flask, new_client: Callable[..., CheckingClient]) -> None:
    document = received()
    other = new_client()
    other.login(factories.administrator(factories.organisation()).email, factories.PASSWORD)
    for browser in (other, new_client()):
        for address in ("", "/pages/1", "/vignette"):
            browser.get(f"/documents/{document.public_id}{address}", expect=404)
    other.get("/documents/unknown", expect=404)

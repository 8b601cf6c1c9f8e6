"""The development mailbox: what the mail sandbox received, shown without letting a mail run anything (MAI-2)."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from app.mail_catalogue import SUBJECTS
from app.sandbox.mailbox import Mailbox
from tests.pages import CheckingClient

pytestmark = pytest.mark.spec("MAI-2")


@pytest.fixture
def mailbox(app: Any, tmp_path: Path) -> Iterator[Mailbox]:
    app.config["VAR_DIRECTORY"] = str(tmp_path)
    opened = Mailbox(tmp_path / "courrier")
    opened.start()
    yield opened
    opened.stop()


def _send(mailbox: Mailbox, to: str, subject: str, html: str = "<p>Bonjour</p>", attachment: bytes = b"") -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "TunTrust <ne-pas-repondre@demo.tuntrust.tn>", to, subject
    message.set_content("Bonjour, en texte.")
    message.add_alternative(f"<html><head></head><body>{html}</body></html>", subtype="html")
    if attachment:
        message.add_attachment(attachment, maintype="application", subtype="pdf", filename="Contrat société.pdf")
    with smtplib.SMTP(mailbox.host, mailbox.port) as server:
        server.send_message(message)


def test_mails_stand_newest_first_and_can_be_narrowed_to_a_recipient(mailbox: Mailbox, client: CheckingClient) -> None:
    assert "Aucun e-mail" in client.get("/dev/courrier")
    _send(mailbox, "sonia@exemple.tn", "Le premier")
    _send(mailbox, "rim@exemple.tn", "Le second")
    page = client.get("/dev/courrier")
    assert [row["Objet"] for row in page.table()] == ["Le second", "Le premier"]
    page = page.form("destinataire").fill(destinataire="SONIA@").submit()
    assert [row["Objet"] for row in page.table()] == ["Le premier"]
    assert "Aucun e-mail" in client.get("/dev/courrier?destinataire=personne")


def test_a_mail_shows_its_html_in_a_frame_its_text_and_its_attachments(
    mailbox: Mailbox, client: CheckingClient, app: Any
) -> None:
    _send(mailbox, "sonia@exemple.tn", "Votre contrat", "<script>alert(1)</script><p>Ouvrez.</p>", b"%PDF-1.7 corps")
    page = client.get("/dev/courrier").click("Votre contrat")
    assert page.h1 == "Votre contrat"
    assert "Bonjour, en texte." in page
    assert "sonia@exemple.tn" in page
    (frame,) = page.select("iframe")
    assert "allow-scripts" not in frame["sandbox"]
    body = app.test_client().get(str(frame["src"]))  # somebody else's page, not one of ours to check
    assert b"<p>Ouvrez.</p>" in body.data
    policy = body.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy
    attachment = client.open("GET", page.links["Contrat société.pdf"])
    assert attachment.data == b"%PDF-1.7 corps"
    assert attachment.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("key", ["inconnu", "..%2F..%2Frun", "20260101T000000000000Z-deadbeef"])
def test_what_is_no_kept_mail_is_not_found(mailbox: Mailbox, client: CheckingClient, key: str) -> None:
    client.get(f"/dev/courrier/{key}", expect=404)
    client.open("GET", f"/dev/courrier/{key}/html", expect=404)
    client.open("GET", f"/dev/courrier/{key}/pieces/0", expect=404)


def test_the_mailbox_exists_in_development_only(create: Any, database_url: str) -> None:
    hidden = create(database_url, DEV_PAGES=False)
    answer = hidden.test_client().get("/dev/courrier")
    assert answer.status_code == 404
    assert b"/dev/courrier" not in hidden.test_client().get("/suivi").data


def test_a_malformed_mail_is_kept_and_shown_all_the_same(mailbox: Mailbox, client: CheckingClient) -> None:
    with smtplib.SMTP(mailbox.host, mailbox.port) as server:
        raw = b"Subject: =?utf-8?q?caf=E9?=\r\nContent-Type: text/plain; charset=nonsense\r\n\r\ncaf\xe9 \x00\r\n"
        server.sendmail("a@exemple.tn", ["b@exemple.tn"], raw)
    page = client.get("/dev/courrier")
    assert len(page.table()) == 1
    client.get(str(page.select("tbody a")[0]["href"]))


@pytest.mark.spec("MAI-1")
def test_the_gallery_shows_each_mail_in_each_language_html_beside_text(client: CheckingClient, app: Any) -> None:
    gallery = client.get("/dev/courrier/galerie")
    assert {row["Modèle"].split()[0] for row in gallery.table()} == set(SUBJECTS)
    for locale, subject in (
        ("fr", "Création de la demande de certificat"),
        ("en", "Certificate request created"),
        ("ar", "إنشاء طلب الشهادة"),
    ):
        page = client.get(f"/dev/courrier/galerie/request_created/1/{locale}")
        assert page.h1 == subject
        assert "tK7-mP2-vX9" in page
        (frame,) = page.select("iframe")
        body = app.test_client().get(str(frame["src"]))
        assert f'lang="{locale}"' in body.text
        assert "default-src 'none'" in body.headers["Content-Security-Policy"]
    for wrong in ("nothing/1/fr", "request_created/9/fr", "request_created/1/de"):
        client.get(f"/dev/courrier/galerie/{wrong}", expect=404)

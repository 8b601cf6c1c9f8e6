"""The development mailbox (MAI-2): what the mail sandbox received; the gallery: every mail in every language (MAI-1).

Registered only where DEV_PAGES is on.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, current_app, render_template, request, send_file

from app.mail_samples import LOCALES, RECIPIENT, Sample, samples
from app.queries import mailbox
from app.services import outbox
from app.web import csp_nonce

blueprint = Blueprint("dev", __name__, url_prefix="/dev/courrier")
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


def _directory() -> Path:
    return Path(current_app.config["VAR_DIRECTORY"]) / "courrier"


@blueprint.get("", endpoint="mailbox")
def show_mailbox() -> Any:
    """Mails, newest first."""
    recipient = request.args.get("destinataire", "").strip()[:255]
    return render_template(
        "views/dev/mailbox.html", mails=mailbox.kept_mails(_directory(), recipient), recipient=recipient
    )


@blueprint.get("/<key>", endpoint="mail")
def show_mail(key: str) -> Any:
    """One mail: its HTML in a frame, its text, its attachments."""
    return _framing(render_template("views/dev/mail.html", mail=mailbox.kept_mail(_directory(), key)))


def _framing(page: str) -> Response:
    """A page of ours that shows a mail in a frame."""
    response = Response(page)
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'nonce-{csp_nonce()}'; style-src 'self'; font-src 'self'; "
        "img-src 'self' data:; connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    return response


@blueprint.get("/<key>/html", endpoint="body")
def show_body(key: str) -> Response:
    """The HTML as a mail program would show it: no script, nothing from outside."""
    return _body(mailbox.kept_mail(_directory(), key).html)


def _body(html: str) -> Response:
    response = Response(html.replace("<head>", '<head><base target="_blank">', 1), mimetype="text/html")
    response.headers["Content-Security-Policy"] = MAIL_POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


@blueprint.get("/<key>/pieces/<int:number>", endpoint="attachment")
def download_attachment(key: str, number: int) -> Any:
    """One attachment."""
    attachments = mailbox.kept_mail(_directory(), key).attachments
    if number >= len(attachments):
        abort(404)
    kept = attachments[number]
    return send_file(io.BytesIO(kept.data), mimetype=kept.media_type, as_attachment=True, download_name=kept.name)


@blueprint.get("/galerie", endpoint="gallery")
def show_gallery() -> str:
    """Every mail the product may write."""
    rows = [(each, outbox.subject_of(each.kind, each.context)) for each in samples()]
    return render_template("views/dev/gallery.html", rows=rows, locales=LOCALES)


@blueprint.get("/galerie/<kind>/<int:case>/<locale>", endpoint="sample")
def show_sample(kind: str, case: int, locale: str) -> Response:
    """One of them in one language, its HTML beside its text."""
    sample = _sample(kind, case, locale)
    subject, text, _html = outbox.render(kind, to=RECIPIENT, locale=locale, **sample.context)
    others = [each for each in samples() if each.kind == kind]
    return _framing(
        render_template(
            "views/dev/sample.html",
            subject=subject,
            text=text,
            sample=sample,
            others=others,
            locales=LOCALES,
            shown=locale,
        )
    )


@blueprint.get("/galerie/<kind>/<int:case>/<locale>/html", endpoint="sample_body")
def show_sample_body(kind: str, case: int, locale: str) -> Response:
    """Its HTML alone, for the frame."""
    return _body(outbox.render(kind, to=RECIPIENT, locale=locale, **_sample(kind, case, locale).context)[2])


def _sample(kind: str, case: int, locale: str) -> Sample:
    found = next((each for each in samples() if (each.kind, each.case) == (kind, case)), None)
    if found is None or locale not in LOCALES:
        abort(404)
    return found

"""The development mailbox (MAI-2): what the mail sandbox received. Registered only where DEV_PAGES is on."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, current_app, render_template, request, send_file

from app.queries import mailbox
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
    response = Response(render_template("views/dev/mail.html", mail=mailbox.kept_mail(_directory(), key)))
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'nonce-{csp_nonce()}'; style-src 'self'; font-src 'self'; "
        "img-src 'self' data:; connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    return response


@blueprint.get("/<key>/html", endpoint="body")
def show_body(key: str) -> Response:
    """The HTML as a mail program would show it: no script, nothing from outside."""
    html = mailbox.kept_mail(_directory(), key).html.replace("<head>", '<head><base target="_blank">', 1)
    response = Response(html, mimetype="text/html")
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

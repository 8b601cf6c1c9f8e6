"""Received papers as attachments and as pictures made by the server, never opened in our origin (SEC-3)."""

from __future__ import annotations

import io
from typing import Any

from babel.numbers import format_decimal
from flask import Blueprint, request, send_file, session, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.inspection.pictures import MEDIA_TYPE, THUMBNAIL_WIDTH
from app.models import Document
from app.queries.documents import document_for
from app.services import documents
from app.state_labels import state_label
from app.web import current_actor

blueprint = Blueprint("documents", __name__)

SIGNUP_TOKEN = "signup"  # noqa: S105 - the name of the session's entry
_LOCKED = "default-src 'none'; sandbox"


def shown_file(document: Document) -> dict[str, Any]:
    """A received file as the upload field and the document card show it."""
    waiting = documents.in_quarantine(document)
    return {
        "kind": state_label(document.kind),
        "name": document.original_name,
        "size": file_size(document.size),
        "pages": document.pages,
        "thumb_url": None if waiting else url_for("documents.thumbnail", public_id=document.public_id),
        "url": None if waiting else url_for("documents.download", public_id=document.public_id),
        "status": _("reçu, contrôle de l'antivirus en cours") if waiting else _("reçu"),
    }


def file_size(size: int) -> str:
    """Bytes as people read them: « 1,2 Mo », « 350 ko »."""
    locale = get_locale() or "fr"
    if size >= 1024 * 1024:
        return _("%(n)s Mo", n=format_decimal(size / 1024 / 1024, format="#,##0.#", locale=locale))
    return _("%(n)s ko", n=format_decimal(max(1, round(size / 1024)), locale=locale))


def _wanted(public_id: str) -> Document:
    return document_for(current_actor(), public_id, draft_token=session.get(SIGNUP_TOKEN))


@blueprint.get("/documents/<public_id>")
def download(public_id: str) -> Any:
    """The file as it is kept; staff get identity papers as a watermarked copy."""
    document, actor = _wanted(public_id), current_actor()
    name, media_type = documents.download_name(document), document.media_type
    if documents.needs_watermark(document, actor):
        watermark = documents.note_view(document.id, actor=actor, what="download")
        data = documents.watermarked_copy(document, watermark)
        name, media_type = f"{name.rpartition('.')[0]}.pdf", "application/pdf"
    else:
        data = documents.content(document)
    answer = send_file(io.BytesIO(data), mimetype=media_type, as_attachment=True, download_name=name, max_age=0)
    return _locked(answer)


@blueprint.get("/documents/<public_id>/pages/<int:page>")
def picture(public_id: str, page: int) -> Any:
    """A page, counted from 1, as a JPEG: ``largeur`` in pixels, ``rotation`` in degrees."""
    width = request.args.get("largeur", 960, type=int)
    return _picture(public_id, page - 1, width, request.args.get("rotation", 0, type=int))


@blueprint.get("/documents/<public_id>/vignette")
def thumbnail(public_id: str) -> Any:
    """The first page, small."""
    return _picture(public_id, 0, THUMBNAIL_WIDTH, 0)


def _picture(public_id: str, page: int, width: int, rotate: int) -> Response:
    document, actor = _wanted(public_id), current_actor()
    watermark, mark = None, ""
    if documents.needs_watermark(document, actor):
        watermark = documents.note_view(document.id, actor=actor, what=f"page {page + 1}")
    elif actor.is_staff and not documents.in_quarantine(document):
        mark = f"{document.public_id}-{page}-{width}-{rotate}"
        if request.if_none_match.contains(mark):
            return _kept_by_browser(Response(status=304), mark)
    data = documents.picture(document, page, width, rotate, watermark)
    answer = _locked(send_file(io.BytesIO(data), mimetype=MEDIA_TYPE, max_age=0))
    return _kept_by_browser(answer, mark) if mark else answer


def _kept_by_browser(answer: Response, mark: str) -> Response:
    """An agent's browser keeps a picture that shows nobody's identity, and asks each time whether it may show it."""
    answer.set_etag(mark)
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


def _locked(answer: Response) -> Response:
    answer.headers["Content-Security-Policy"] = _LOCKED
    answer.headers["Cache-Control"] = "no-store, private"
    return answer

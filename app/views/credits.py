"""A credit note's PDF and electronic form, for its organisation and for staff who read billing (AVO-2, INV-3)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from app.errors import NotFound
from app.models import CreditNote
from app.permissions import Permission
from app.queries import credit_accounts
from app.services import electronic_invoices
from app.services.credit_note_archives import credit_note_pdf_bytes
from app.views.guards import requires
from app.web import current_actor

blueprint = Blueprint("credits", __name__)


@blueprint.get("/avoirs/<number>.pdf")
@requires(Permission.PAY, Permission.READ_BILLING)
def download(number: str) -> Any:
    """The archived PDF, the same bytes at each download."""
    name, pdf = credit_note_pdf_bytes(_own(number).id)
    return _file(name, pdf, "application/pdf")


@blueprint.get("/avoirs/<number>.xml")
@requires(Permission.PAY, Permission.READ_BILLING)
def electronic(number: str) -> Any:
    """The electronic form of the same credit note (INV-3)."""
    name, xml = electronic_invoices.teif_of_credit_note(_own(number).id)
    return _file(name, xml, "application/xml")


def _own(number: str) -> CreditNote:
    note = credit_accounts.credit_note_for(current_actor(), number)
    if note is None:
        raise NotFound("")
    return note


def _file(name: str, content: bytes, kind: str) -> Response:
    return Response(content, mimetype=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})

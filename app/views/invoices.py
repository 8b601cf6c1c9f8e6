"""« Mes factures » with « Mes avoirs », the invoices' PDF, and the public check of either paper (INV-2, AVO-3)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template, request

from app.errors import NotFound
from app.permissions import Permission
from app.queries import billing, credit_accounts
from app.services import electronic_invoices, invoicing
from app.views.guards import requires
from app.web import current_actor

blueprint = Blueprint("invoices", __name__)


@blueprint.get("/factures")
@requires(Permission.PAY)
def index() -> Any:
    """The organisation's invoices, newest first, and its credit notes with what is left of them (AVO-3)."""
    actor, key = current_actor(), _key("avant")
    notes_key, moves_key = _key("avoirs"), _key("mouvements")
    return render_template(
        "views/invoices/index.html",
        page=billing.invoices_of(actor, key),
        older=key,
        own=credit_accounts.own_credits(actor, notes_key, moves_key),
        older_notes=notes_key,
        older_moves=moves_key,
    )


def _key(name: str) -> int | None:
    """The key of a page in the address; None for the first one, and for what is no key."""
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


@blueprint.get("/factures/<number>.pdf")
@requires(Permission.PAY, Permission.READ_BILLING)
def download(number: str) -> Any:
    """The archived PDF, the same bytes at each download."""
    invoice = billing.invoice_for(current_actor(), number)
    if invoice is None:
        raise NotFound("")
    name, pdf = invoicing.invoice_pdf_bytes(invoice.id)
    return Response(pdf, mimetype="application/pdf", headers={"Content-Disposition": f'attachment; filename="{name}"'})


@blueprint.get("/factures/<number>.xml")
@requires(Permission.PAY, Permission.READ_BILLING)
def electronic(number: str) -> Any:
    """The electronic form of the same invoice (INV-3)."""
    invoice = billing.invoice_for(current_actor(), number)
    if invoice is None:
        raise NotFound("")
    name, xml = electronic_invoices.teif_of_invoice(invoice.id)
    return Response(xml, mimetype="application/xml", headers={"Content-Disposition": f'attachment; filename="{name}"'})


@blueprint.get("/verification/<code>")
def verify(code: str) -> Any:
    """What a QR code leads to: an invoice's or credit note's number, date and total, nothing more, for anybody."""
    invoice = billing.invoice_by_code(code)
    note = None if invoice else credit_accounts.credit_note_by_code(code)
    paper = invoice or note
    return render_template("views/invoices/verify.html", paper=paper, is_credit=note is not None), 200 if paper else 404

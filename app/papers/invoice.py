"""The invoice (INV-1, INV-2): what VAT code article 18-II asks, the total in words, a QR code."""

import io
from collections.abc import Sequence
from datetime import date
from typing import Any

from app import money
from app.identifiers import format_phone
from app.papers.data import Attachment, CreditNoteData, InvoiceData, PaperError, Party
from app.papers.typesetting import day, typeset


def invoice_pdf(data: InvoiceData, attachments: Sequence[Attachment] = ()) -> bytes:
    """The invoice as PDF/A-3b; the same data give the same bytes (INV-2).

    One page for one line, the table's head repeated over hundreds. `attachments` (the TEIF) are embedded.
    Raises `PaperError` when lines and totals do not add up: a wrong invoice is not printed.
    """
    check_amounts(data)
    qr = _qr(data.verification_url)
    return typeset("invoice", _printed(data), created=data.issued_at, attachments=attachments, qr=qr)


def credit_note_pdf(data: CreditNoteData, attachments: Sequence[Attachment] = ()) -> bytes:
    """The credit note as PDF/A-3b: negative lines, the invoice it corrects, why, and what becomes of the money (AVO-2).

    Raises `PaperError` as `invoice_pdf` does, and for one that names no invoice.
    """
    if not data.invoice_number:
        raise PaperError("a credit note names its invoice")
    check_amounts(data)
    printed = _printed(data)
    printed["payment"] |= {"credit": "", "rest": ""}
    printed["words"] = money.amount_in_words(abs(data.amounts.total_ttc))
    printed["credit"] = {
        "invoice": data.invoice_number,
        "invoice_date": day(date.fromisoformat(data.invoice_issued_on)) if data.invoice_issued_on else "",
        "reason_kind": data.reason_kind,
        "reason": data.reason,
        "outcome": data.outcome,
    }
    qr = _qr(data.verification_url)
    return typeset("invoice", printed, created=data.issued_at, attachments=attachments, qr=qr)


def check_amounts(data: InvoiceData) -> None:
    """Refuse, with `PaperError`, an invoice whose printed figures contradict each other."""
    amounts = data.amounts
    if not data.lines:
        raise PaperError("an invoice has a line")
    if any(line.unit_ht * line.quantity != line.ht for line in data.lines):
        raise PaperError("a line is not its quantity times its unit price")
    if (sum(line.ht for line in data.lines), sum(line.vat for line in data.lines)) != (
        amounts.total_ht,
        amounts.total_vat,
    ):
        raise PaperError("the lines do not add up to the totals")
    if sum(row.vat for row in amounts.vat) != amounts.total_vat + amounts.delivery_vat:
        raise PaperError("the VAT by rate does not add up to the VAT")
    if amounts.total_ht + amounts.total_vat + amounts.delivery_ttc + amounts.stamp_duty != amounts.total_ttc:
        raise PaperError("the parts do not add up to the total")


def _printed(data: InvoiceData) -> dict[str, Any]:
    amounts = data.amounts
    return {
        "number": data.number,
        "date": day(data.issued_on),
        "order": data.order_reference,
        "seller": _party(data.seller),
        "client": _party(data.client),
        "lines": [
            {
                "designation": line.designation,
                "applicant": line.applicant,
                "applicant_ar": line.applicant_ar,
                "reference": line.reference,
                "quantity": str(line.quantity),
                "unit": money.format_number(line.unit_ht),
                "rate": money.format_rate(line.vat_rate_bp),
                "ht": money.format_number(line.ht),
            }
            for line in data.lines
        ],
        "vat": [
            {
                "rate": money.format_rate(row.rate_bp),
                "base": money.format_number(row.base),
                "vat": money.format_number(row.vat),
            }
            for row in amounts.vat
        ],
        "delivery": _delivery(data),
        "total_ht": money.format_millimes(amounts.total_ht),
        "total_vat": money.format_millimes(amounts.total_vat),
        "stamp": money.format_millimes(amounts.stamp_duty),
        "total": money.format_millimes(amounts.total_ttc),
        "words": money.amount_in_words(amounts.total_ttc),
        "payment": {
            "method": data.payment_method,
            "reference": data.payment_reference,
            "date": day(data.paid_on),
            "credit": money.format_millimes(data.credit_used) if data.credit_used else "",
            "rest": money.format_millimes(data.amounts.total_ttc - data.credit_used) if data.credit_used else "",
        },
        "url": data.verification_url,
    }


def _delivery(data: InvoiceData) -> dict[str, str] | None:
    amounts = data.amounts
    if not amounts.delivery_quantity:
        return None
    unit, rest = divmod(amounts.delivery_ttc, amounts.delivery_quantity)
    return {
        "quantity": str(amounts.delivery_quantity),
        "unit": "" if rest else money.format_number(unit),
        "rate": money.format_rate(amounts.delivery_vat_bp) if amounts.delivery_vat_bp else "",
        "ttc": money.format_millimes(amounts.delivery_ttc),
    }


def _party(party: Party) -> dict[str, Any]:
    return {
        "name": party.name,
        "name_ar": party.name_ar,
        "address": [line for line in party.address if line],
        "tax_id_label": party.tax_id_label,
        "tax_id": party.tax_id,
        "phone": format_phone(party.phone) if party.phone else "",
        "email": party.email,
        "bank_account": party.bank_account,
    }


def _qr(url: str) -> str:
    """The address as an SVG code, margin of four modules included; middle error correction stands a fold."""
    import segno

    drawn = io.BytesIO()
    # The mask is chosen for all: weighing the eight takes longer than the rest of the code, and any of them reads
    segno.make_qr(url, error="m", mask=3).save(drawn, kind="svg", border=4, dark="#16232b", xmldecl=False, svgns=True)
    return drawn.getvalue().decode()

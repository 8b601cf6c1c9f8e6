"""Invoices (INV-1): numbered without a gap inside the transaction that confirms the payment, then never changed."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from flask_babel import force_locale, ngettext
from flask_babel import gettext as _
from sqlalchemy import select

from app.extensions import db
from app.models import CertificateRequest, Invoice, Order, Organisation, Payment, PaymentMethod
from app.money import amount_in_words
from app.papers import InvoiceAmounts, InvoiceData, InvoiceLine, Party, check_amounts, snapshot
from app.permissions import SYSTEM
from app.queries.people import administrators_of
from app.services import audit, history, outbox, settings
from app.services.invoice_archives import ArchiveDamaged, invoice_pdf_bytes
from app.services.links import public_url
from app.services.numbering import take_dated_number
from app.services.pricing import quote_payment
from app.state_labels import state_label

__all__ = ["ArchiveDamaged", "invoice_pdf_bytes", "issue_invoice", "mail_invoice"]

_CODE_ALPHABET = "ABCDEFGHJKLMNPQRSTVWXYZ23456789"
_CODE_LENGTH = 20  # 99 bits


def issue_invoice(payment: Payment, requests: Sequence[CertificateRequest]) -> Invoice:
    """Issue the invoice of a payment being confirmed; called inside that use case, its locks held (INV-1).

    The number is taken here, in the same transaction: a rollback gives it back. Everything printed is written
    into the snapshot, so that the paper never depends on what changes later. Raises PaperError when the frozen
    prices do not add up, in which case nothing is confirmed.
    """
    dated = take_dated_number("FAC")
    code = "".join(secrets.choice(_CODE_ALPHABET) for _index in range(_CODE_LENGTH))
    quote = quote_payment(payment)
    with force_locale("fr"):
        data = InvoiceData(
            number=dated.number,
            issued_at=dated.moment,
            issued_on=dated.day,
            seller=_seller(),
            client=_client(payment.organisation),
            lines=_lines(payment, requests),
            amounts=InvoiceAmounts.of(quote),
            payment_method=_method(payment),
            payment_reference=payment.reference,
            paid_on=dated.day,
            verification_url=public_url("invoices.verify", code=code),
            order_reference=_order_reference(requests),
            credit_used=payment.credit_used,
        )
    check_amounts(data)
    if quote.total != payment.amount + payment.credit_used:
        raise AssertionError("an invoice is what was paid")
    invoice = Invoice(
        number=dated.number,
        year=dated.day.year,
        sequence=dated.sequence,
        organisation_id=payment.organisation_id,
        payment_id=payment.id,
        issued_at=dated.moment,
        total_ht=quote.ht,
        total_vat=quote.vat,
        total_delivery=quote.delivery_ttc,
        stamp_duty=quote.stamp_duty,
        total_ttc=quote.total,
        snapshot={**snapshot(data), "words": amount_in_words(quote.total)},
        verification_code=code,
    )
    db.session.add(invoice)
    db.session.flush()
    history.write(
        SYSTEM,
        "issue_invoice",
        payment_id=payment.id,
        organisation_id=payment.organisation_id,
        details={"invoice": invoice.number},
    )
    audit.record(SYSTEM, "issue_invoice", invoice, after={"number": invoice.number, "total": quote.total})
    return invoice


def mail_invoice(invoice: Invoice, payment: Payment) -> None:
    """One mail with the PDF to each administrator of the organisation, in this transaction (GAT-3, INV-2)."""
    for administrator in administrators_of(invoice.organisation_id):
        if administrator.disabled_at is not None:
            continue
        outbox.write(
            "payment_confirmed",
            to=administrator.email,
            locale=administrator.locale,
            attachments=[{"name": f"{invoice.number}.pdf", "invoice_id": invoice.id}],
            organisation_id=invoice.organisation_id,
            invoice_number=invoice.number,
            payment_reference=payment.reference,
            amount=invoice.total_ttc,
            method=payment.method,
            applicants=[line["applicant"] for line in invoice.snapshot["lines"]],
            name=administrator.display_name,
            history_url=public_url("orders.history"),
            verification_url=invoice.snapshot["verification_url"],
        )


def _method(payment: Payment) -> str:
    """« Carte bancaire », « Avoir », or both."""
    if payment.method is PaymentMethod.CREDIT or not payment.credit_used:
        return state_label(payment.method)
    return _("%(method)s et avoir", method=state_label(payment.method))


def _seller() -> Party:
    told = {name: str(value) for name, value in settings.group("seller").items()}
    return Party(
        name=told["name"],
        address=(told["address"],),
        tax_id=told["tax_id"],
        phone=told["phone"],
        email=told["email"],
        bank_account=told["bank_account"],
    )


def _client(organisation: Organisation) -> Party:
    foreign = organisation.tax_id is None
    return Party(
        name=organisation.legal_name,
        name_ar=organisation.legal_name_ar,
        address=(organisation.address, f"{organisation.postal_code} {organisation.city}".strip()),
        tax_id=organisation.tax_id or organisation.register_number or "",
        tax_id_label=_("Numéro de registre") if foreign else _("Matricule fiscal"),
        phone=organisation.phone,
    )


def _lines(payment: Payment, requests: Sequence[CertificateRequest]) -> tuple[InvoiceLine, ...]:
    by_id = {request.id: request for request in requests}
    return tuple(
        InvoiceLine(
            designation=_designation(by_id[line.request_id]),
            applicant=by_id[line.request_id].common_name,
            applicant_ar=_arabic_name(by_id[line.request_id]),
            reference=by_id[line.request_id].reference,
            unit_ht=line.price_ht,
            vat_rate_bp=line.vat_rate_bp,
            ht=line.price_ht,
            vat=line.vat,
        )
        for line in payment.lines
    )


def _designation(request: CertificateRequest) -> str:
    years = ngettext("%(num)d an", "%(num)d ans", request.validity_years)
    return f"{request.certificate_type.name}, {years}"


def _arabic_name(request: CertificateRequest) -> str:
    return f"{request.first_name_ar} {request.last_name_ar}".strip()


def _order_reference(requests: Sequence[CertificateRequest]) -> str:
    """The orders these requests came with; a long list says nothing on a paper."""
    ids = {request.order_id for request in requests}
    references = db.session.scalars(select(Order.reference).where(Order.id.in_(ids)).order_by(Order.id).limit(4)).all()
    return ", ".join(references) if len(references) <= 3 else ""

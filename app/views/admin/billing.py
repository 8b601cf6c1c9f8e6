"""« Paiements » and « Factures » (BIL-1, EXP-1)."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, send_file, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.permissions import Permission
from app.queries import credit_pages, desk_billing
from app.state_labels import state_label
from app.views.admin import columns as c
from app.views.admin import transmission
from app.views.admin.base import ReadOnlyAdmin
from app.views.admin.columns import Cell, Column
from app.web import current_actor


def invoice_url(number: str) -> str:
    """The page of an invoice."""
    return url_for("factures.show", number=number)


def _invoice(row: Any) -> Cell:
    return Cell("code", row.invoice_number or "", url=invoice_url(row.invoice_number) if row.invoice_number else "")


def _papers(row: Any) -> Cell:
    return Cell("code", "PDF", url=url_for("factures.pdf", row_id=row.id))


def _credit(row: Any) -> Cell:
    if not current_actor().can(Permission.PREPARE_CREDIT_NOTES):
        return Cell("note", "")
    return Cell("text", _("Préparer"), url=url_for("avoirs.new", number=row.number))


class Payments(ReadOnlyAdmin):
    """One line an attempt at the gateway. Its state moves by what the gateway answers, never by hand."""

    read = (Permission.READ_BILLING,)
    write = (Permission.SETTLE_PAYMENTS,)
    source = desk_billing.PAYMENTS
    title = _l("Paiements")
    slug = "paiements"
    exportable = True
    search_hint = _l("Référence du paiement, de la demande ou de la facture, organisation…")
    act_label = _l("Interroger la passerelle")
    columns = (
        c.code(
            "reference",
            _l("Référence"),
            url=lambda row: url_for("rapprochement.show", reference=row.reference),
            sort="reference",
            lead=True,
        ),
        c.text("organisation", _l("Organisation")),
        c.moment("created_at", _l("Créé le"), sort="creation"),
        c.word("method", _l("Moyen")),
        Column("requests", _l("Demandes"), lambda row: Cell("code", str(row.requests)), lambda row: row.requests),
        c.amount("amount", _l("Montant")),
        c.badge("state", _l("État")),
        Column("invoice_number", _l("Facture"), _invoice, lambda row: row.invoice_number or ""),
    )
    export_columns = (
        c.code("reference", _l("Référence")),
        c.code("organisation_reference", _l("Référence de l'organisation")),
        c.text("organisation", _l("Organisation")),
        c.moment("created_at", _l("Créé le")),
        c.moment("settled_at", _l("Réglé le")),
        c.word("method", _l("Moyen")),
        Column("requests", _l("Demandes"), lambda row: Cell("code", str(row.requests)), lambda row: row.requests),
        c.amount("amount", _l("Montant (DT)")),
        c.badge("state", _l("État")),
        c.text("refusal", _l("Refus")),
        c.code("masked_pan", _l("Carte")),
        c.code("approval_code", _l("Autorisation")),
        c.code("gateway_order_id", _l("Numéro à la passerelle")),
        c.code("invoice_number", _l("Facture")),
    )

    def act_url(self, row: Any) -> str | None:
        """« Interroger la passerelle » for attempts that reached it."""
        return url_for("paiements.ask", row_id=row.id) if row.gateway_order_id else None

    @expose("/<int:row_id>/interroger", methods=("POST",))
    def ask(self, row_id: int) -> Response:
        """Ask the gateway now and apply its answer (PAY-3)."""
        from app.services.payments.reconciling import query_gateway

        payment = self.row_or_404(row_id)
        reference = payment.reference

        def act() -> str:
            state = state_label(query_gateway(payment.id, current_actor()).state)
            return _(
                "%(reference)s : la passerelle a répondu, l'état est « %(state)s ».", reference=reference, state=state
            )

        return self.attempt(act, back=self.list_url(onglet="tous", search=reference))


class Invoices(ReadOnlyAdmin):
    """Immutable papers: read, downloaded, exported."""

    read = (Permission.READ_BILLING,)
    write = (Permission.SETTLE_PAYMENTS,)
    source = desk_billing.INVOICES
    title = _l("Factures")
    slug = "factures"
    exportable = True
    search_hint = _l("Numéro de facture, référence, matricule fiscal, organisation…")
    columns = (
        c.code("number", _l("Numéro"), url=lambda row: invoice_url(row.number), sort="numero", lead=True),
        c.day("issued_at", _l("Date"), sort="date"),
        c.text("organisation", _l("Organisation")),
        c.code("tax_id", _l("Matricule fiscal")),
        c.amount("total_ht", _l("Total HT")),
        c.amount("total_ttc", _l("Total TTC"), sort="montant"),
        c.code(
            "payment_reference",
            _l("Paiement"),
            url=lambda row: url_for("paiements.index_view", onglet="tous", search=row.payment_reference),
        ),
        Column("pdf", _l("Document"), _papers),
        Column("credit", _l("Avoir"), _credit),
    )
    export_columns = (
        c.code("number", _l("Numéro")),
        c.day("issued_at", _l("Date")),
        c.code("organisation_reference", _l("Référence de l'organisation")),
        c.text("organisation", _l("Organisation")),
        c.code("tax_id", _l("Matricule fiscal")),
        c.amount("total_ht", _l("Total HT (DT)")),
        c.amount("total_vat", _l("TVA (DT)")),
        c.amount("total_delivery", _l("Livraison (DT)")),
        c.amount("stamp_duty", _l("Timbre fiscal (DT)")),
        c.amount("total_ttc", _l("Total TTC (DT)")),
        c.code("payment_reference", _l("Paiement")),
    )

    @expose("/<number>")
    def show(self, number: str) -> str:
        """An invoice with its lines, payment and credit notes (BIL-1)."""
        actor = current_actor()
        page = credit_pages.invoice_page(actor, number)
        may_prepare = actor.can(Permission.PREPARE_CREDIT_NOTES)
        may_send = transmission.may_send_again(actor, page.electronic)
        return str(self.render("admin/credits/invoice.html", page=page, may_prepare=may_prepare, may_send=may_send))

    @expose("/<number>/ttn", methods=("POST",))
    def send_again(self, number: str) -> Response:
        """« Renvoyer à TTN » (INV-3)."""
        electronic = credit_pages.invoice_page(current_actor(), number).electronic or abort(404)
        return self.attempt(lambda: transmission.send_again(electronic), back=invoice_url(number))

    @expose("/<int:row_id>/pdf")
    def pdf(self, row_id: int) -> Response:
        """The archived PDF, the same at each download (INV-2)."""
        import io

        from app.services.invoice_archives import invoice_pdf_bytes

        name, content = invoice_pdf_bytes(self.row_or_404(row_id).id)
        return send_file(io.BytesIO(content), mimetype="application/pdf", as_attachment=True, download_name=name)


VIEWS = (Payments, Invoices)

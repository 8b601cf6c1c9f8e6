"""« Comptabilité »: the books of a period, on screen and as files (BIL-1, INV-3)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from typing import Any

from flask import Response, abort, request, send_file, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.errors import DomainError
from app.exports import csv_file, xlsx_file
from app.exports.values import Amount, Value
from app.forms.accounting import PeriodForm
from app.forms.base import show_refusal
from app.money import format_rate
from app.permissions import Permission
from app.queries import accounting
from app.queries.accounting import Period
from app.services.bundling import write_bundle
from app.services.exports import note_export
from app.state_labels import state_label
from app.views.admin.gate import Gate
from app.web import current_actor

SALES = (
    _l("Date"),
    _l("Numéro"),
    _l("Nature"),
    _l("Facture d'origine"),
    _l("Référence de l'organisation"),
    _l("Client"),
    _l("Matricule fiscal"),
    _l("Certificats HT (DT)"),
    _l("TVA certificats (DT)"),
    _l("Livraison HT (DT)"),
    _l("TVA livraison (DT)"),
    _l("Timbre fiscal (DT)"),
    _l("Total TTC (DT)"),
    _l("Réglé par avoir (DT)"),
    _l("Moyen de paiement"),
    _l("Référence du paiement"),
)
VAT = (_l("Numéro"), _l("Date"), _l("Taux"), _l("Base HT (DT)"), _l("TVA (DT)"))
MONEY = (
    _l("Date"),
    _l("Nature"),
    _l("Moyen"),
    _l("Référence du paiement"),
    _l("Document"),
    _l("Client"),
    _l("Montant (DT)"),
    _l("Autorisation ou virement"),
)


def _sales(span: Period) -> Iterator[list[Value]]:
    for row in accounting.sales(span):
        yield [
            row.issued_on, row.number, _("Avoir") if row.is_credit else _("Facture"), row.corrects,
            row.organisation_reference, row.organisation, row.tax_id,
            *map(Amount, (row.total_ht, row.total_vat, row.delivery_ht, row.delivery_vat, row.stamp_duty,
                          row.total_ttc, row.credit_used)),
            row.method, row.payment_reference,
        ]  # fmt: skip


def _vat(span: Period) -> Iterator[list[Value]]:
    for row in accounting.sales(span):
        for rate, base, vat in row.vat:
            yield [row.number, row.issued_on, format_rate(rate), Amount(base), Amount(vat)]


def _money(span: Period) -> Iterator[list[Value]]:
    for row in accounting.movements(span):
        kind = _("Remboursement") if row.kind == "REMBOURSEMENT" else _("Paiement")
        yield [row.on, kind, state_label(row.method), row.reference, row.document, row.organisation,
               Amount(row.amount), row.approval_code]  # fmt: skip


FILES: dict[str, tuple[Any, Any, Any]] = {
    "ventes": (_l("Journal des ventes"), SALES, _sales),
    "tva": (_l("TVA par document et par taux"), VAT, _vat),
    "encaissements": (_l("Encaissements et remboursements"), MONEY, _money),
}


class Accounting(Gate):
    """Those who read billing see the figures; those who export take the files."""

    read = (Permission.READ_BILLING,)

    def __init__(self) -> None:
        super().__init__(name=_l("Comptabilité"), endpoint="comptabilite", url="/admin/comptabilite")

    @expose("/")
    def index(self) -> str:
        """The period's totals."""
        form = PeriodForm(request.args)
        span = self._span(form)
        if not form.errors:
            form.process(data={"first": span.first, "last": span.last})
        figures, parts = accounting.summary(span), accounting.documents(span, 1)[1]
        dated = {"du": span.first.isoformat(), "au": span.last.isoformat()}
        return str(
            self.render(
                "admin/accounting.html",
                form=form, span=span, figures=figures, today=accounting.outstanding(), parts=parts, dated=dated,
                files=FILES, rate=format_rate,
                may_export=current_actor().can(Permission.EXPORT_LISTS), back=url_for("factures.index_view"),
            )
        )  # fmt: skip

    @expose("/<book>.<kind>")
    def file(self, book: str, kind: str) -> Response:
        """One of the books, as CSV or XLSX."""
        if book not in FILES or kind not in ("csv", "xlsx"):
            abort(404)
        span = self._asked_span()
        title, header, rows = FILES[book]
        return self._sent(book, kind, [str(each) for each in header], rows(span), str(title), span)

    @expose("/documents-<int:part>.zip")
    def bundle(self, part: int) -> Response:
        """The period's PDFs and electronic forms, so many at a time."""
        span = self._asked_span()
        papers, parts = accounting.documents(span, part) if 1 <= part < 10_000 else ([], 0)
        if not 1 <= part <= parts:
            abort(404)
        target = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
        count, _missing = write_bundle(target, papers)
        return self._noted(target, "documents", "zip", "application/zip", count, span, f"-{part}" if parts > 1 else "")

    def _span(self, form: PeriodForm) -> Period:
        """The days asked for; this month, and why, for days that make no period."""
        try:
            if form.validate():
                return accounting.period(form.first.data, form.last.data)
        except DomainError as refusal:
            show_refusal(form, refusal)
        return accounting.period(None, None)

    def _asked_span(self) -> Period:
        if not current_actor().can(Permission.EXPORT_LISTS):
            abort(403)
        form = PeriodForm(request.args)
        if not form.validate():
            abort(404)
        return accounting.period(form.first.data, form.last.data)

    def _sent(
        self, name: str, kind: str, header: list[str], rows: Iterable[list[Value]], title: str, span: Period
    ) -> Response:
        target = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
        if kind == "csv":
            count, media_type = csv_file.write_csv(target, header, rows), csv_file.MEDIA_TYPE
        else:
            count, media_type = xlsx_file.write_xlsx(target, title[:31], header, rows), xlsx_file.MEDIA_TYPE
        return self._noted(target, name, kind, media_type, count, span)

    def _noted(
        self, target: Any, name: str, kind: str, media_type: str, count: int, span: Period, suffix: str = ""
    ) -> Response:
        target.seek(0)
        days = {"du": span.first.isoformat(), "au": span.last.isoformat()}
        note_export(f"comptabilite-{name}", kind=kind, asked=days, rows=count, actor=current_actor())
        file_name = f"{name}-{span.first:%Y-%m-%d}-{span.last:%Y-%m-%d}{suffix}.{kind}"
        return send_file(target, mimetype=media_type, as_attachment=True, download_name=file_name)


VIEWS = (Accounting,)

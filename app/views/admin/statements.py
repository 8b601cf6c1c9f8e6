"""« Relevés »: the gateway's statements, imported and compared line by line with our books (GAT-4)."""

from __future__ import annotations

import io
from typing import Any

from flask import Response, abort, flash, redirect, request, send_file, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.errors import DomainError, Forbidden, NotFound
from app.forms.base import BaseForm, show_refusal
from app.forms.reconciliation import StatementForm, WhyForm
from app.forms.requests import number
from app.models import AGREEING, Operation, StatementLine, StatementMatch
from app.money import THOUSANDS
from app.permissions import Permission
from app.queries import statements as queries
from app.queries.statements import money_text
from app.services.statements import importing
from app.services.statements.reading import MAX_BYTES, MAX_ROWS
from app.state_labels import state_label, state_tone
from app.views.admin import columns as c
from app.views.admin.base import ReadOnlyAdmin
from app.views.admin.columns import Cell, Column
from app.web import current_actor

SAMPLE = (
    "date;operation;numero_de_commande;identifiant;montant_dt;devise;autorisation\r\n"
    "27/11/2026 14:05;paiement;PAY261127EXEMPLE01;;424,500;TND;123456\r\n"
    "28/11/2026;remboursement;PAY261127EXEMPLE01;;424,500;TND;123456\r\n"
)


def _number(row: Any) -> Cell:
    return Cell("code", row.order_number or row.gateway_order_id, url=url_for("releves.line", row_id=row.id))


def _amount(row: Any) -> Cell:
    return Cell("amount", money_text(row.amount, row.currency))


def _verdict(row: Any) -> Cell:
    verdict = StatementMatch(row.match)
    tone = state_tone(verdict) if row.resolved_at is None else "calm"
    return Cell("badge", state_label(verdict), tone)


def _difference(row: Any) -> Cell:
    return Cell("amount", money_text(row.difference, row.currency) if row.difference else "")


class Statements(ReadOnlyAdmin):
    """Lines of statements. A line is right, or it waits for a remedy in the books or for being filed."""

    read = (Permission.READ_BILLING,)
    write = (Permission.SETTLE_PAYMENTS,)
    source = queries.SOURCE
    title = _l("Relevés de la passerelle")
    slug = "releves"
    exportable = True
    search_hint = _l("Numéro de commande, identifiant à la passerelle, organisation…")
    empty_text = _l("Aucune ligne ici. Importez un relevé, changez d'onglet ou retirez un filtre.")
    columns = (
        Column("order_number", _l("Commande"), _number, lambda row: row.order_number, lead=True),
        Column("at", _l("Le"), lambda row: Cell("code", queries.day_text(row)), lambda row: row.at, "date"),
        Column("operation", _l("Opération"), lambda row: Cell("text", state_label(Operation(row.operation)))),
        Column("amount", _l("Montant"), _amount, None, "montant"),
        Column("verdict", _l("Constat"), _verdict),
        Column("difference", _l("Écart"), _difference),
        c.text("organisation", _l("Organisation")),
    )  # fmt: skip
    export_columns = (
        c.text("statement", _l("Relevé")),
        c.code("order_number", _l("Numéro de commande")),
        c.code("gateway_order_id", _l("Identifiant à la passerelle")),
        c.moment("at", _l("Date")),
        Column("operation", _l("Opération"), _verdict, lambda row: state_label(Operation(row.operation))),
        c.amount("amount", _l("Montant")),
        c.code("currency", _l("Devise")),
        c.code("approval_code", _l("Autorisation")),
        Column("verdict", _l("Constat"), _verdict, lambda row: _verdict(row).text),
        c.amount("difference", _l("Écart")),
        c.code("payment_reference", _l("Paiement")),
        c.code("invoice_number", _l("Facture")),
        c.text("organisation", _l("Organisation")),
        c.moment("resolved_at", _l("Classé le")),
        c.text("resolved_by", _l("Classé par")),
        c.text("resolution", _l("Raison")),
    )

    def tools(self) -> list[tuple[Any, str]]:
        """Importing, and the statements themselves."""
        return [
            (_("Importer un relevé"), url_for("releves.import_file")),
            (_("Relevés importés"), url_for("releves.statements")),
        ]

    # -- one line

    @expose("/lignes/<int:row_id>")
    def line(self, row_id: int) -> Any:
        """A line, what differs, and what to do."""
        return self._line_page(self._line(row_id), WhyForm(formdata=None))

    def _line_page(self, line: StatementLine, form: BaseForm) -> str:
        happened, advice = queries.explanation(line)
        return str(
            self.render(
                "admin/reconciliation/line.html",
                line=line,
                happened=happened,
                advice=advice,
                same=queries.same_attempt(line),
                waits=line.verdict not in AGREEING and line.resolved_at is None,
                may_settle=current_actor().can(Permission.SETTLE_PAYMENTS),
                money_text=money_text,
                day_text=queries.day_text,
                form=form,
            )
        )

    @expose("/lignes/<int:row_id>/classer", methods=("POST",))
    def file_line(self, row_id: int) -> Any:
        """« Classer », and why."""
        line, form = self._line(row_id), WhyForm()
        if line.verdict in AGREEING or line.resolved_at is not None:
            flash(_("Cette ligne n'attend plus rien."), "error")
            return redirect(url_for("releves.line", row_id=line.id))
        if form.validate():
            try:
                importing.file_line(line.id, reason=form.reason.data or "", actor=current_actor())
            except (NotFound, Forbidden):
                raise
            except DomainError as refusal:
                show_refusal(form, refusal)
            else:
                flash(_("La ligne est classée."), "success")
                return redirect(self.list_url())
        return self._line_page(line, form)

    @staticmethod
    def _line(row_id: int) -> StatementLine:
        return queries.line_named(current_actor(), row_id) or abort(404)

    # -- importing

    @expose("/importer", methods=("GET", "POST"))
    def import_file(self) -> Any:
        """A CSV: read and shown, nothing kept yet."""
        if not current_actor().can(Permission.SETTLE_PAYMENTS):
            abort(403)
        form = StatementForm()
        if form.validate_on_submit():
            file = form.file.data
            try:
                shown = importing.preview(
                    file.read(MAX_BYTES + 1),
                    file.filename or _("relevé"),
                    actor=current_actor(),
                    unit=form.unit.data,
                    first=form.first.data,
                    last=form.last.data,
                )
            except DomainError as refusal:
                show_refusal(form, refusal)
            else:
                return self.render(
                    "admin/reconciliation/preview.html", shown=shown, form=form, money_text=money_text,
                    day_text=queries.day_text, period_text=queries.period_text,
                )  # fmt: skip
        return self.render("admin/reconciliation/import.html", form=form, most=f"{MAX_ROWS:,}".replace(",", THOUSANDS))

    @expose("/confirmer", methods=("POST",))
    def confirm(self) -> Any:
        """« Importer »: all of it, once."""
        try:
            statement_id = importing.confirm(request.form.get("token", ""), actor=current_actor())
        except Forbidden:
            raise
        except DomainError as refusal:
            flash(str(refusal), "error")
            return redirect(url_for("releves.import_file"))
        flash(_("Le relevé est importé et comparé avec nos livres."), "success")
        return redirect(url_for("releves.statement", row_id=statement_id))

    @expose("/modele.csv")
    def sample(self) -> Response:
        """The columns, with an example of each operation."""
        data = io.BytesIO(("\ufeff" + SAMPLE).encode())
        return send_file(data, mimetype="text/csv", as_attachment=True, download_name="modele-releve.csv")

    # -- the statements

    @expose("/fichiers")
    def statements(self) -> str:
        """What was imported, and what of it waits."""
        rows, following = queries.latest_statements(number(request.args.get("avant")))
        may_settle = current_actor().can(Permission.SETTLE_PAYMENTS)
        return str(
            self.render(
                "admin/reconciliation/statements.html", rows=rows, following=following, may_settle=may_settle,
                period_text=queries.period_text,
            )
        )  # fmt: skip

    @expose("/fichiers/<int:row_id>")
    def statement(self, row_id: int) -> str:
        """One statement in figures, each leading to its lines."""
        file = queries.statement_file(row_id) or abort(404)
        may_settle = current_actor().can(Permission.SETTLE_PAYMENTS)
        return str(
            self.render(
                "admin/reconciliation/statement.html", file=file, may_settle=may_settle, period_text=queries.period_text
            )
        )

    @expose("/fichiers/<int:row_id>/comparer", methods=("POST",))
    def match_again(self, row_id: int) -> Any:
        """Compare it with the books as they are now."""

        def act() -> str:
            changed = importing.match_again(row_id, actor=current_actor())
            if not changed:
                return _("Rien n'a changé : le relevé et nos livres se comparent comme avant.")
            return _("Le relevé est comparé de nouveau : %(count)d lignes ont changé.", count=changed)

        return self.attempt(act, back=url_for("releves.statement", row_id=row_id))


VIEWS = (Statements,)

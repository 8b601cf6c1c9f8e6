"""« Lots »: bulk actions on requests, prepared, confirmed, followed row by row (QUE-4)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Response, abort, flash, redirect, request, send_file, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app import clock
from app.errors import DomainError, Forbidden, NotFound
from app.forms.base import BaseForm, show_refusal
from app.forms.bulk import TrackingFileForm
from app.forms.certificates import CollectionFileForm
from app.models import BulkOutcome
from app.permissions import Permission
from app.queries import bulk as runs
from app.services import bulk, bulk_preview
from app.services.bulk import Line
from app.services.bulk_actions import ACTIONS
from app.services.bulk_files import lines_of_collection, lines_of_tracking
from app.services.bulk_preview import Plan
from app.services.collection_file import read_collection_file
from app.services.csv_lines import MAX_BYTES
from app.services.exports import note_export
from app.services.tracking_file import read_tracking_file
from app.state_labels import action_label, state_label
from app.views.admin import bulk_choice, bulk_details
from app.views.admin import columns as c
from app.views.admin.base import ReadOnlyAdmin
from app.views.admin.columns import Cell, Column
from app.web import current_actor


def _state(row: Any) -> Cell:
    if row.finished_at is None:
        return Cell("badge", _("%(left)d à faire", left=row.left), "wait")
    return (
        Cell("badge", ngettext("%(num)d refusée", "%(num)d refusées", row.refused), "bad")
        if row.refused
        else Cell("badge", _("Tout est fait"), "ok")
    )


def _title(row: Any) -> Cell:
    return Cell("text", action_label(row.action), url=url_for("lots.show", public_id=row.public_id))


FILE_PAGES = {"dispatch": "lots.dispatch", "collect": "lots.collected", "record_certificate": "certificats_lots.index"}
"""Where the actions begin that take files instead of ticked rows."""


class Lots(ReadOnlyAdmin):
    """Nothing is done on the way to « Confirmer »; afterwards each row goes through its own service."""

    read = (Permission.REVIEW_FILES,)
    write = (Permission.REVIEW_FILES,)
    source = runs.SOURCE
    title = _l("Actions en masse")
    slug = "lots"
    empty_text = _l("Cochez des lignes dans « Demandes », choisissez une action, relisez puis confirmez.")
    columns = (
        Column("action", _l("Action"), _title, lead=True),
        Column("total", _l("Lignes"), lambda row: Cell("code", str(row.done + row.refused + row.left))),
        Column("done", _l("Faites"), lambda row: Cell("code", str(row.done))),
        Column("state", _l("Résultat"), _state),
        c.moment("created_at", _l("Confirmée le"), sort="date"),
        c.text("author", _l("Par"), muted=True),
    )

    def tools(self) -> list[tuple[Any, str]]:
        """The actions that start from files."""
        return [
            (_("Enregistrer des certificats"), url_for("certificats_lots.index")),
            (_("Expédier depuis un CSV"), url_for("lots.dispatch")),
            (_("Retraits depuis un CSV"), url_for("lots.collected")),
        ]

    # -- before

    @expose("/preparer", methods=("POST",))
    def begin(self) -> Any:
        """From the list: the rows and the action; what else is asked, or the page of confirmation."""
        actor, action = current_actor(), request.form.get("action", "")
        back = url_for("demandes.index_view", **bulk_choice.back_address(request.form))
        if action not in ACTIONS:
            flash(_("Choisissez une action."), "error")
            return redirect(back)
        if ACTIONS[action].needs == "file":
            return redirect(url_for(FILE_PAGES[action]))
        lines = bulk_preview.lines_of(bulk_choice.chosen(request.form, actor))
        if not lines:
            flash(_("Cochez au moins une ligne."), "error")
            return redirect(back)
        plan = Plan(action, lines, token=bulk_preview.new_token())
        return self._details(plan, back) if ACTIONS[action].needs else self.confirmation(plan, back)

    @expose("/preciser", methods=("POST",))
    def details(self) -> Any:
        """What the action needs besides its rows: a colleague, a document and its reason."""
        back = url_for("demandes.index_view", **bulk_choice.back_address(request.form))
        try:
            plan = bulk_preview.unseal(request.form.get("plan", ""), current_actor())
        except DomainError as refusal:
            flash(str(refusal), "error")
            return redirect(back)
        return self._details(plan, back, sent=True)

    def _details(self, plan: Plan, back: str, *, sent: bool = False) -> Any:
        form = bulk_details.form_of(plan.action, current_actor())
        if form is None:
            abort(404)
        if sent and form.validate():
            try:
                data = bulk_details.data_of(plan.action, form)
            except DomainError as refusal:
                show_refusal(form, refusal)
            else:
                return self.confirmation(replace(plan, data=data, token=bulk_preview.new_token()), back)
        return self.render(
            "admin/bulk/details.html",
            form=form,
            plan=plan,
            sealed=bulk_preview.seal(plan, current_actor()),
            word=action_label(plan.action),
            back=back,
            listed=request.form.get("liste", ""),
        )

    def confirmation(self, plan: Plan, back: str) -> str:
        """What will happen, with nothing done yet."""
        plan = plan if plan.token else replace(plan, token=bulk_preview.new_token())
        shown = bulk_preview.forecast(plan, current_actor())
        return str(
            self.render(
                "admin/bulk/confirm.html",
                plan=plan,
                shown=shown,
                tells=ACTIONS[plan.action].tells,
                said=bulk_details.said(plan),
                word=action_label(plan.action),
                sealed=bulk_preview.seal(plan, current_actor()),
                back=back,
            )
        )

    @expose("/expedier", methods=("GET", "POST"))
    def dispatch(self) -> Any:
        """A CSV of RapidPost numbers (QUE-4): read, shown, not yet done."""
        return self._from_file(
            "dispatch",
            TrackingFileForm(),
            "admin/bulk/dispatch.html",
            lambda data: lines_of_tracking(read_tracking_file(data), current_actor()),
        )

    @expose("/retraits", methods=("GET", "POST"))
    def collected(self) -> Any:
        """A CSV of parcels that the post office handed over (CRT-2)."""
        return self._from_file(
            "collect",
            CollectionFileForm(),
            "admin/bulk/collected.html",
            lambda data: lines_of_collection(read_collection_file(data), current_actor()),
        )

    def _from_file(
        self, action: str, form: BaseForm, template: str, lines_in: Callable[[bytes], tuple[Line, ...]]
    ) -> Any:
        if form.validate_on_submit():
            try:
                lines = lines_in(form["file"].data.read(MAX_BYTES + 1))
            except DomainError as refusal:
                show_refusal(form, refusal)
            else:
                plan = Plan(action, lines, token=bulk_preview.new_token())
                return self.confirmation(plan, url_for(FILE_PAGES[action]))
        return self.render(template, form=form)

    @expose("/confirmer", methods=("POST",))
    def confirm(self) -> Any:
        """« Confirmer »: the run exists, small ones are done at once."""
        actor = current_actor()
        try:
            plan = bulk_preview.unseal(request.form.get("plan", ""), actor)
            token = bulk.start_run(plan.action, plan.lines, token=plan.token, actor=actor, data=plan.data)
        except (NotFound, Forbidden):
            raise
        except DomainError as refusal:
            flash(str(refusal), "error")
            return redirect(url_for("demandes.index_view"))
        if len(plan.lines) <= bulk.AT_ONCE:
            bulk.work_run(token)
        return redirect(url_for("lots.show", public_id=token))

    # -- after

    @expose("/<public_id>")
    def show(self, public_id: str) -> str:
        """How far the run got, and each row's outcome."""
        run = runs.run_named(current_actor(), public_id)
        wanted = {"faites": BulkOutcome.FAIT, "refusees": BulkOutcome.REFUSE}.get(request.args.get("lignes", ""))
        after = request.args.get("apres", "")
        rows = runs.rows_of(run.id, outcome=wanted, after=int(after) if after.isdecimal() and len(after) < 9 else 0)
        return str(
            self.render(
                "admin/bulk/run.html",
                run=run,
                word=action_label(run.action),
                progress=runs.progress_of(run.id),
                rows=rows[: runs.PAGE],
                following=rows[runs.PAGE - 1].position if len(rows) > runs.PAGE else None,
                wanted=request.args.get("lignes", "") if wanted else "",
                said=bulk_details.said(Plan(run.action, (), run.data)),
            )
        )

    @expose("/<public_id>/resultat.csv")
    def result(self, public_id: str) -> Response:
        """Every row's outcome in a file."""
        from app.exports import csv_file

        run = runs.run_named(current_actor(), public_id)
        target = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
        header = [_("Ligne"), _("Fichier"), _("Référence"), _("Résultat"), _("Explication"), _("Traitée le")]
        count = csv_file.write_csv(
            target,
            header,
            (
                [
                    row.position,
                    row.data.get("file", ""),
                    row.reference,
                    state_label(row.outcome),
                    row.message,
                    clock.local(row.done_at) if row.done_at else None,
                ]
                for row in runs.result_lines(run.id)
            ),
        )
        note_export("lots", kind="csv", asked={"lot": run.public_id}, rows=count, actor=current_actor())
        target.seek(0)
        name = f"lot-{clock.local(run.created_at).strftime('%Y-%m-%d-%Hh%M')}.csv"
        return send_file(target, mimetype=csv_file.MEDIA_TYPE, as_attachment=True, download_name=name)


VIEWS = (Lots,)

"""« Révocations »: prepared by one officer, approved by another; and the list of what is revoked (CRT-4, EXP-1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.clock import local
from app.errors import DomainError, Forbidden, NotFound
from app.forms.base import show_refusal
from app.forms.credits import RefuseForm
from app.forms.requests import number
from app.permissions import Permission
from app.queries import desk_revocations
from app.services import revoking
from app.states import RevocationState
from app.views.admin import columns as c
from app.views.admin.base import ReadOnlyAdmin
from app.views.admin.columns import Cell, Column
from app.views.admin.requests import file_url
from app.web import current_actor


def revocation_url(reference: str) -> str:
    """A revocation's own page."""
    return url_for("revocations.show", reference=reference)


def _holder(row: Any) -> Cell:
    return Cell("names", row.common_name, row.name_ar.strip())


def _by(row: Any) -> str:
    return row.prepared_by or _("automatiquement")


def _prepared(row: Any) -> Cell:
    return Cell("note", f"{_by(row)}, {local(row.prepared_at).strftime('%d/%m/%Y')}")


class Revocations(ReadOnlyAdmin):
    """Every revocation asked for. It moves through the services only."""

    read = (Permission.READ_CERTIFICATES,)
    write = (Permission.PREPARE_REVOCATIONS, Permission.APPROVE_REVOCATIONS)
    source = desk_revocations.SOURCE
    title = _l("Révocations")
    slug = "revocations"
    exportable = True
    search_hint = _l("Référence, n° de série, nom, CIN, organisation…")
    columns = (
        c.code("reference", _l("Référence"), url=lambda row: revocation_url(row.reference), lead=True),
        Column("common_name", _l("Titulaire"), _holder),
        c.text("organisation", _l("Organisation")),
        c.code("request_reference", _l("Demande"), url=lambda row: file_url(row.request_reference)),
        c.word("reason", _l("Motif")),
        c.badge("state", _l("État")),
        Column("prepared", _l("Demandée"), _prepared, sort="preparation"),
    )
    export_columns = (
        c.code("reference", _l("Référence")),
        c.badge("state", _l("État")),
        c.code("serial_number", _l("N° de série")),
        c.text("common_name", _l("Titulaire")),
        c.text("organisation", _l("Organisation")),
        c.code("request_reference", _l("Demande")),
        c.word("reason", _l("Motif")),
        c.text("reason_text", _l("Précision")),
        Column("prepared_by", _l("Demandée par"), _prepared, _by),
        c.moment("prepared_at", _l("Demandée le")),
        c.text("decided_by", _l("Décidée par")),
        c.moment("decided_at", _l("Décidée le")),
        c.text("decision_reason", _l("Raison de la décision")),
        c.moment("not_after", _l("Valable jusqu'au")),
    )

    @expose("/<reference>")
    def show(self, reference: str) -> Any:
        """What is asked, of which certificate, by whom."""
        return self._show(reference)

    def _show(self, reference: str, form: RefuseForm | None = None) -> str:
        actor = current_actor()
        row = desk_revocations.revocation_named(actor, reference)
        waits = row.state is RevocationState.A_APPROUVER
        return str(
            self.render(
                "admin/revocations/show.html",
                row=row,
                certificate=row.certificate,
                request_row=row.certificate.request,
                waits=waits,
                why_not=revoking.why_not_by(row, actor) if waits else "",
                may_approve=waits and actor.can(Permission.APPROVE_REVOCATIONS),
                may_withdraw=waits and actor.can(Permission.PREPARE_REVOCATIONS),
                form=form or RefuseForm(formdata=None, data={"version": row.version}),
                opened=form is not None,
            )
        )

    @expose("/<reference>/approuver", methods=("POST",))
    def approve(self, reference: str) -> Any:
        """« Approuver »: by a second person; the certificate is revoked (PPL-3)."""

        def act(revocation_id: int, version: int | None) -> str:
            revoking.approve(revocation_id, actor=current_actor(), expected_version=version)
            return _("Le certificat est révoqué. Le titulaire et ses administrateurs sont prévenus.")

        return self._on(reference, act)

    @expose("/<reference>/abandonner", methods=("POST",))
    def withdraw(self, reference: str) -> Any:
        """« Abandonner » what was prepared."""

        def act(revocation_id: int, version: int | None) -> str:
            revoking.withdraw(revocation_id, actor=current_actor(), expected_version=version)
            return _("La révocation préparée est abandonnée : rien n'a été révoqué.")

        return self._on(reference, act)

    @expose("/<reference>/refuser", methods=("POST",))
    def refuse(self, reference: str) -> Any:
        """« Refuser », and why."""
        row, form = desk_revocations.revocation_named(current_actor(), reference), RefuseForm()
        if form.validate():
            try:
                revoking.refuse(
                    row.id, reason=form.reason.data or "", actor=current_actor(), expected_version=form.version.data
                )
            except (NotFound, Forbidden):
                raise
            except DomainError as refusal:
                fresh = desk_revocations.revocation_named(current_actor(), reference)
                form.version.data, form.version.raw_data = fresh.version, None
                show_refusal(form, refusal)
            else:
                flash(_("La révocation est refusée : la personne qui l'a préparée en lira la raison ici."), "success")
                return redirect(revocation_url(reference))
        return self._show(reference, form)

    def _on(self, reference: str, act: Callable[[int, int | None], str]) -> Any:
        row_id = desk_revocations.revocation_named(current_actor(), reference).id
        version = number(request.form.get("version"))
        return self.attempt(lambda: act(row_id, version), back=revocation_url(reference))


VIEWS = (Revocations,)

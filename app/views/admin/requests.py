"""« Demandes »: the list agents work from (QUE-1, QUE-2, EXP-1)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import abort, flash, g, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app import clock
from app.permissions import Permission
from app.queries import desk_requests, lists
from app.queries.desk_requests import Stage, stage_of, wait_tone, waiting_days
from app.queries.lists import Asked
from app.services import settings
from app.states import RequestState
from app.views.admin import bulk_choice
from app.views.admin import columns as c
from app.views.admin.base import EXPORTS
from app.views.admin.columns import Cell, Column
from app.views.admin.queue_list import QueueAdmin
from app.web import current_actor

STAGES: dict[Stage, tuple[Any, str]] = {
    Stage.AT_THE_CLIENT: (_l("Réponse attendue"), "calm"),
    Stage.ANSWERED_IN_PART: (_l("Réponse commencée"), "calm"),
    Stage.GENERATED: (_l("Certificat généré"), "blue"),
    Stage.APPROVED: (_l("Approuvée"), "ok"),
    Stage.ORGANISATION_ASKED: (_l("Organisation attendue"), "calm"),
    Stage.ORGANISATION_NOT_VERIFIED: (_l("Organisation non vérifiée"), "wait"),
    Stage.CONTRACT_NOT_SIGNED: (_l("Contrat non signé"), "wait"),
    Stage.CONTRACT_TO_VERIFY: (_l("Contrat à vérifier"), "wait"),
    Stage.ANSWER_RECEIVED: (_l("Réponse reçue"), "blue"),
    Stage.COMPLETE: (_l("Dossier complet"), "ok"),
}


def file_url(reference: str) -> str:
    """The review desk of a file: /admin/dossiers/<reference>, which remembers the list it was opened from."""
    return url_for("dossiers.show", reference=reference, **g.get("trail", {}))


def _applicant(row: Any) -> Cell:
    return Cell("names", row.common_name, row.name_ar.strip())


def _organisation(row: Any) -> Cell:
    return Cell("text", row.organisation)


def _wait(row: Any) -> Cell:
    if row.state not in (RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST, RequestState.EN_ATTENTE_DE_JUSTIFICATIFS):
        return Cell("note", "")
    days = waiting_days(row.complete_since, clock.today())
    if days is None:
        return Cell("note", "")
    if row.clock_paused_at is not None or row.state is RequestState.EN_ATTENTE_DE_JUSTIFICATIFS:
        return paused(row.clock_paused_at)
    return Cell("age", ngettext("%(num)d j", "%(num)d j", days), wait_tone(days, review_days()))


def paused(since: datetime | None) -> Cell:
    """TunTrust waits for the client: the statutory clock stands still."""
    if since is None:
        return Cell("note", _("en pause"))
    return Cell("note", _("en pause depuis le %(day)s", day=clock.local(since).strftime("%d/%m")))


def review_days() -> int:
    """The statutory delay, read once a request and not once a row."""
    if "review_days" not in g:
        g.review_days = settings.get("review.days")
    return int(g.review_days)


def _days(row: Any) -> int | None:
    return (
        waiting_days(row.complete_since, clock.today())
        if row.state in (RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST, RequestState.EN_ATTENTE_DE_JUSTIFICATIFS)
        else None
    )


def _stage(row: Any) -> Cell:
    stage = stage_of(row)
    if stage is None:
        return Cell("note", "")
    if stage in (Stage.AT_THE_CLIENT, Stage.ANSWERED_IN_PART) and row.points_asked:
        text = _("%(done)d / %(total)d réponses", done=row.points_answered, total=row.points_asked)
        return Cell("badge", text, "calm")
    word, tone = STAGES[stage]
    return Cell("badge", str(word), tone)


def _stage_word(row: Any) -> str:
    stage = stage_of(row)
    return "" if stage is None else str(STAGES[stage][0])


FROM_FILES: dict[str, tuple[tuple[object, str], ...]] = {
    "pretes": ((_l("Enregistrer des certificats"), "certificats_lots.index"),),
    "a-expedier": ((_l("Expédier depuis un CSV"), "lots.dispatch"), (_l("Bordereaux"), "bordereaux.index")),
    "90-jours": ((_l("Retraits depuis un CSV"), "lots.collected"),),
}
"""Pages that do a tab's work from files (CRT-1, CRT-2)."""


class Requests(QueueAdmin):
    """A state moves from the review desk only, through the services."""

    read = (Permission.READ_REQUESTS,)
    write = (Permission.REVIEW_FILES,)
    act_label = _l("Prendre")
    source = desk_requests.SOURCE
    title = _l("Demandes")
    slug = "demandes"
    exportable = True
    next_endpoint = "dossiers.take_next"
    search_hint = _l("Référence, nom, الاسم, CIN, matricule, e-mail, facture, n° de série…")
    columns = (
        c.code("reference", _l("Référence"), url=lambda row: file_url(row.reference), sort="reference", lead=True),
        Column("applicant", _l("Demandeur"), _applicant),
        Column("organisation", _l("Organisation"), _organisation),
        c.code("identity_number", _l("Pièce d'identité")),
        Column("wait", _l("Attente"), _wait, sort="attente"),
        c.badge("state", _l("État")),
        Column("stage", _l("Où ça en est"), _stage),
        c.text("agent", _l("Agent"), muted=True),
    )
    export_columns = (
        c.code("reference", _l("Référence")),
        c.code("order_reference", _l("Commande")),
        c.badge("state", _l("État")),
        Column("stage", _l("Où ça en est"), _stage, _stage_word),
        c.text("common_name", _l("Nom du certificat (CN)")),
        c.text("last_name", _l("Nom")),
        c.text("first_name", _l("Prénom")),
        c.text("last_name_ar", _l("اللقب")),
        c.text("first_name_ar", _l("الاسم")),
        c.word("identity_kind", _l("Type de pièce")),
        c.code("identity_number", _l("Pièce d'identité")),
        c.text("email", _l("E-mail")),
        c.phone("mobile", _l("Mobile")),
        c.text("organisation", _l("Organisation")),
        c.code("tax_id", _l("Matricule fiscal")),
        c.badge("organisation_state", _l("État de l'organisation")),
        c.text("certificate_type", _l("Type de certificat")),
        Column(
            "validity_years",
            _l("Validité (années)"),
            lambda row: Cell("code", str(row.validity_years)),
            lambda row: row.validity_years,
        ),
        c.amount("price_ht", _l("Prix HT (DT)")),
        c.moment("created_at", _l("Créée le")),
        c.moment("paid_at", _l("Payée le")),
        c.moment("complete_since", _l("Complète depuis le")),
        Column("days", _l("Attente (jours)"), _wait, _days),
        c.moment("approved_at", _l("Approuvée le")),
        c.text("post_office", _l("Bureau de poste")),
        c.code("tracking_number", _l("N° d'envoi")),
        c.code("serial_number", _l("N° de série")),
        c.text("agent", _l("Agent")),
    )

    def columns_of(self, asked: Asked) -> tuple[Column, ...]:
        """A tab of one state does not repeat it on each line."""
        mixed = asked.tab.key in ("les-miennes", "90-jours", "terminees", "toutes")
        return self.columns if mixed else tuple(column for column in self.columns if column.key != "state")

    def _list_context(self, asked: Asked, page: lists.Page, counts: dict[str, int], *rest: Any) -> dict[str, Any]:
        context = super()._list_context(asked, page, counts, *rest)
        bulk = bulk_choice.offer(asked, page.rows, counts[asked.tab.key], current_actor())
        tools = [(label, url_for(page_of)) for label, page_of in FROM_FILES.get(asked.tab.key, ())]
        context["tools"] = tools if self.may_write(current_actor()) else []
        return {**context, "bulk": bulk, "bulk_key": bulk_choice.key_of, "bulk_exports": EXPORTS.items()}

    @expose("/selection", methods=("POST",))
    def export_selection(self) -> Any:
        """The chosen rows in a file, with the columns and order of the list (QUE-4, EXP-1)."""
        kind, actor = request.form.get("kind", ""), current_actor()
        if kind not in EXPORTS:
            abort(404)
        ids = [each[0] for each in bulk_choice.chosen(request.form, actor)]
        asked = bulk_choice.asked_in(request.form)
        if not ids:
            flash(_("Cochez au moins une ligne."), "error")
            return redirect(self.list_url(**bulk_choice.back_address(request.form)))
        rows = lists.fetch_all(bulk_choice.only(ids), asked, actor)
        columns = [column for column in self.export_columns if column.export is not None]
        values = ([column.export(row) for column in columns] for row in rows)  # type: ignore[misc]  # filtered above
        return self._file(kind, [str(column.label) for column in columns], values, asked)

    def act_url(self, row: Any) -> str | None:
        """« Prendre » for files nobody has."""
        free = row.state is RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST and row.assigned_to_id is None
        return url_for("dossiers.take", reference=row.reference) if free else None


VIEWS = (Requests,)

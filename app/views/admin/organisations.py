"""« Organisations »: the list they are verified from (QUE-1, QUE-2, EXP-1)."""

from __future__ import annotations

from typing import Any

from flask import g, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app import clock
from app.permissions import Permission
from app.queries import desk_organisations
from app.queries.desk_requests import wait_tone, waiting_days
from app.queries.lists import Asked
from app.states import OrganisationState, Verdict
from app.views.admin import columns as c
from app.views.admin.columns import Cell, Column
from app.views.admin.queue_list import QueueAdmin
from app.views.admin.requests import paused, review_days


def organisation_url(reference: str) -> str:
    """The review desk of an organisation, which remembers the list it was opened from."""
    return url_for("dossiers.organisation", reference=reference, **g.get("trail", {}))


def _name(row: Any) -> Cell:
    return Cell("names", row.legal_name, row.legal_name_ar)


def _wait(row: Any) -> Cell:
    if row.state is OrganisationState.PIECES_DEMANDEES:
        return paused(row.clock_paused_at)
    days = waiting_days(row.complete_since, clock.today()) if row.state is OrganisationState.A_VERIFIER else None
    if days is None:
        return Cell("note", "")
    return Cell("age", ngettext("%(num)d j", "%(num)d j", days), wait_tone(days, review_days()))


def _contract(row: Any) -> Cell:
    return Cell("badge", *_contract_words(row))


def _contract_words(row: Any) -> tuple[str, str]:
    if row.signed_verdict is None:
        return _("Non signé"), "calm"
    if row.signed_verdict is Verdict.ACCEPTE:
        return _("Vérifié"), "ok"
    return (_("Refusé"), "bad") if row.signed_verdict is Verdict.REFUSE else (_("À vérifier"), "blue")


class Organisations(QueueAdmin):
    """A state moves from the review desk only, through the services."""

    read = (Permission.READ_ORGANISATIONS,)
    write = (Permission.VERIFY_ORGANISATIONS,)
    act_label = _l("Prendre")
    source = desk_organisations.SOURCE
    title = _l("Organisations")
    slug = "organisations"
    exportable = True
    next_endpoint = "dossiers.take_next_organisation"
    search_hint = _l("Référence, raison sociale, الاسم, matricule fiscal, e-mail d'un administrateur…")
    columns = (
        c.code(
            "reference", _l("Référence"), url=lambda row: organisation_url(row.reference), sort="reference", lead=True
        ),
        Column("legal_name", _l("Raison sociale"), _name, sort="nom"),
        c.code("number", _l("Matricule fiscal")),
        c.word("category", _l("Catégorie")),
        c.text("governorate", _l("Gouvernorat")),
        Column("wait", _l("Attente"), _wait, sort="attente"),
        c.badge("state", _l("État")),
        Column("contract", _l("Contrat"), _contract),
        c.text("agent", _l("Agent"), muted=True),
    )
    export_columns = (
        c.code("reference", _l("Référence")),
        c.badge("state", _l("État")),
        c.text("legal_name", _l("Raison sociale")),
        c.text("legal_name_ar", _l("Raison sociale en arabe")),
        c.text("trade_name", _l("Nom commercial")),
        c.code("tax_id", _l("Matricule fiscal")),
        c.code("register_number", _l("N° de registre")),
        c.word("category", _l("Catégorie")),
        c.word("registration_country", _l("Pays d'enregistrement")),
        c.code("country", _l("Code du pays")),
        c.text("address", _l("Adresse")),
        c.code("postal_code", _l("Code postal")),
        c.text("city", _l("Localité")),
        c.text("governorate", _l("Gouvernorat")),
        c.phone("phone", _l("Téléphone")),
        c.text("representative", _l("Représentant légal")),
        Column("contract", _l("Contrat signé"), _contract, lambda row: _contract_words(row)[0]),
        c.moment("created_at", _l("Inscrite le")),
        c.moment("activated_at", _l("Activée le")),
        c.moment("complete_since", _l("Complète depuis le")),
        c.moment("verified_at", _l("Vérifiée le")),
        c.text("agent", _l("Agent")),
    )

    def columns_of(self, asked: Asked) -> tuple[Column, ...]:
        """A tab of one state does not repeat it on each line."""
        mixed = asked.tab.key in ("les-miennes", "fermees", "toutes")
        return self.columns if mixed else tuple(column for column in self.columns if column.key != "state")

    def act_url(self, row: Any) -> str | None:
        """« Prendre » for organisations nobody has."""
        free = row.state is OrganisationState.A_VERIFIER and row.assigned_to_id is None
        return url_for("dossiers.take_organisation", reference=row.reference) if free else None


VIEWS = (Organisations,)

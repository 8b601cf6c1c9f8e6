"""« Réponses toutes prêtes »: what agents answer with, in French and Arabic, kept by them (REV-8, REF-1)."""

from __future__ import annotations

from typing import Any

from flask import url_for
from flask_babel import lazy_gettext as _l

from app.permissions import Permission
from app.queries import desk_messages
from app.services.canned import PLACEHOLDERS
from app.views.admin import columns as c
from app.views.admin.columns import Cell, Column
from app.views.admin.crud import ReferenceAdmin
from app.views.admin.reference import OFFERED


class CannedReplies(ReferenceAdmin):
    """Agents add to them and mend them; a placeholder that nobody knows is refused."""

    read = write = (Permission.EDIT_REASONS,)
    source = desk_messages.REPLIES
    title = _l("Réponses toutes prêtes")
    slug = "reponses"
    new_label = _l("Ajouter une réponse")
    area_rows = 8
    intro = _l(
        "Entre accolades, les champs se remplissent pour chaque dossier : %(fields)s.",
        fields=", ".join(f"{{{name}}}" for name in PLACEHOLDERS),
    )
    columns = (
        Column(
            "title",
            _l("Titre"),
            lambda row: Cell("text", row.title, url=url_for("reponses.edit_view", row_id=row.id)),
            sort="titre",
            lead=True,
        ),
        c.text("text_fr", _l("En français")),
        Column("arabic", _l("En arabe"), lambda row: Cell("badge", *_arabic(row))),
        c.yes_no("active", _l("État"), OFFERED),
    )
    form_columns = ("code", "title", "text_fr", "text_ar", "active", "position")
    form_labels = {
        "code": _l("Code"),
        "title": _l("Titre"),
        "text_fr": _l("En français"),
        "text_ar": _l("En arabe"),
        "active": _l("Proposée aux agents"),
        "position": _l("Ordre"),
    }
    hints = {
        "code": _l("Il ne changera plus."),
        "title": _l("Ce que l'agent lit dans la liste."),
        "text_ar": _l("Facultatif : sans lui, le texte français est proposé."),
        "position": _l("Les plus petits d'abord."),
    }
    widths = {"code": "m", "position": "xs"}

    def row_name(self, row: Any) -> str:
        """Its title."""
        return str(row.title)


def _arabic(row: Any) -> tuple[str, str]:
    return (str(_l("oui")), "ok") if row.text_ar else (str(_l("non")), "calm")


VIEWS = (CannedReplies,)

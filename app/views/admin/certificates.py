"""« Certificats »: what was generated, and where each stands (CRT-1, EXP-1)."""

from __future__ import annotations

from typing import Any

from flask import url_for
from flask_babel import lazy_gettext as _l

from app.permissions import Permission
from app.queries import desk_certificates
from app.queries.lists import Asked
from app.views.admin import columns as c
from app.views.admin.base import ReadOnlyAdmin
from app.views.admin.columns import Cell, Column
from app.views.admin.requests import file_url


def _holder(row: Any) -> Cell:
    return Cell("names", row.common_name, row.name_ar.strip())


_LEFT_OUT: dict[str, tuple[str, ...]] = {
    "generes": ("state", "tracking_number", "dispatched_at", "collected_at", "revoked_at"),
    "expedies": ("state", "recorded_at", "collected_at", "revoked_at"),
    "retires": ("state", "recorded_at", "revoked_at"),
    "valides": ("tracking_number", "dispatched_at", "collected_at", "revoked_at"),
    "revoques": ("state", "tracking_number", "dispatched_at", "collected_at"),
    "expires": ("state", "tracking_number", "dispatched_at", "collected_at", "revoked_at"),
    "tous": ("dispatched_at", "collected_at", "revoked_at"),
}


class Certificates(ReadOnlyAdmin):
    """A certificate moves from its request's desk, or with others from files."""

    read = (Permission.READ_CERTIFICATES,)
    write = (Permission.RECORD_CERTIFICATES,)
    source = desk_certificates.SOURCE
    title = _l("Certificats")
    slug = "certificats"
    exportable = True
    search_hint = _l("N° de série, n° d'envoi, référence, nom, CIN…")
    columns = (
        c.code("serial_number", _l("N° de série"), lead=True),
        Column("common_name", _l("Titulaire"), _holder),
        c.text("organisation", _l("Organisation")),
        c.code("reference", _l("Demande"), url=lambda row: file_url(row.reference)),
        c.badge("state", _l("État")),
        c.day("recorded_at", _l("Enregistré le"), sort="enregistre"),
        c.code("tracking_number", _l("N° d'envoi")),
        c.day("dispatched_at", _l("Expédié le"), sort="envoi"),
        c.day("collected_at", _l("Retiré le"), sort="retrait"),
        c.day("not_after", _l("Expire le"), sort="fin"),
        c.day("revoked_at", _l("Révoqué le")),
    )
    export_columns = (
        c.code("serial_number", _l("N° de série")),
        c.badge("state", _l("État")),
        c.text("common_name", _l("Titulaire")),
        c.code("identity_number", _l("Pièce d'identité")),
        c.text("email", _l("E-mail")),
        c.text("organisation", _l("Organisation")),
        c.code("tax_id", _l("Matricule fiscal")),
        c.code("reference", _l("Demande")),
        c.text("certificate_type", _l("Type de certificat")),
        c.text("subject", _l("Sujet")),
        c.text("issuer", _l("Émetteur")),
        c.text("key_description", _l("Clé")),
        c.moment("not_before", _l("Valable du")),
        c.moment("not_after", _l("Valable jusqu'au")),
        c.moment("recorded_at", _l("Enregistré le")),
        c.text("post_office", _l("Bureau de poste")),
        c.code("tracking_number", _l("N° d'envoi")),
        c.moment("dispatched_at", _l("Expédié le")),
        c.moment("collected_at", _l("Retiré le")),
        c.moment("revoked_at", _l("Révoqué le")),
        c.word("revocation_reason", _l("Motif de la révocation")),
    )

    def columns_of(self, asked: Asked) -> tuple[Column, ...]:
        """A tab leaves out what none of its rows has, or all of them share."""
        left_out = _LEFT_OUT.get(asked.tab.key, ())
        return tuple(column for column in self.columns if column.key not in left_out)

    def tools(self) -> list[tuple[Any, str]]:
        """What is done to many from files."""
        return [
            (_l("Enregistrer des certificats"), url_for("certificats_lots.index")),
            (_l("Retraits depuis un CSV"), url_for("lots.collected")),
            (_l("Bordereaux"), url_for("bordereaux.index")),
        ]


VIEWS = (Certificates,)

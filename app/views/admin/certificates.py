"""« Certificats »: what was generated, and where each stands (CRT-1, EXP-1)."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from app.permissions import Permission
from app.queries import desk_certificates
from app.views.admin import columns as c
from app.views.admin.base import ReadOnlyAdmin
from app.views.admin.columns import Cell, Column
from app.views.admin.requests import file_url


def _holder(row: Any) -> Cell:
    return Cell("names", row.common_name, row.name_ar.strip())


class Certificates(ReadOnlyAdmin):
    """A certificate moves from its request's desk."""

    read = (Permission.READ_CERTIFICATES,)
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
        c.day("not_after", _l("Expire le"), sort="fin"),
        c.code("tracking_number", _l("N° d'envoi")),
    )
    export_columns = (
        c.code("serial_number", _l("N° de série")),
        c.badge("state", _l("État")),
        c.text("common_name", _l("Titulaire")),
        c.text("email", _l("E-mail")),
        c.text("organisation", _l("Organisation")),
        c.code("reference", _l("Demande")),
        c.text("certificate_type", _l("Type de certificat")),
        c.text("subject", _l("Sujet")),
        c.text("issuer", _l("Émetteur")),
        c.text("key_description", _l("Clé")),
        c.moment("not_before", _l("Valable du")),
        c.moment("not_after", _l("Valable jusqu'au")),
        c.moment("recorded_at", _l("Enregistré le")),
        c.code("tracking_number", _l("N° d'envoi")),
        c.moment("dispatched_at", _l("Expédié le")),
        c.moment("collected_at", _l("Retiré le")),
    )


VIEWS = (Certificates,)

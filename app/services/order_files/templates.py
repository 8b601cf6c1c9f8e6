"""What is handed out to be filled in: the template, and a file's rows still to mend (ORD-5)."""

from __future__ import annotations

import io
from collections.abc import Sequence

from flask_babel import gettext as _

from app.exports.order_template import write_csv_template, write_xlsx_template
from app.models import ImportRowStatus, OrderImportRow
from app.queries import reference
from app.services.order_files.columns import COLUMNS, LINE_TITLE, WRONG_TITLE, label_of

KINDS = ("csv", "xlsx")
_TITLES = [column.title for column in COLUMNS]


def template(kind: str, certificate_type_id: int) -> bytes:
    """The titles, an example row and the lists of values; ``kind``: csv or xlsx."""
    lists = _lists(certificate_type_id)
    example = [column.example for column in COLUMNS]
    example[_TITLES.index("Domaines d'utilisation")] = " / ".join(lists["Domaines d'utilisation"][:2])
    example[_TITLES.index("Validité (ans)")] = (lists["Validité (ans)"] or [""])[-1]
    target = io.BytesIO()
    if kind == "xlsx":
        write_xlsx_template(target, _TITLES, [example], lists, hints=_hints())
    else:
        explained = [
            _("La ligne de l'exemple et celles qui commencent par # ne sont pas lues."),
            *(f"{title} : {', '.join(words)}" for title, words in lists.items()),
        ]
        write_csv_template(target, _TITLES, [example], explained)
    return target.getvalue()


def rows_to_mend(kind: str, certificate_type_id: int, rows: Sequence[OrderImportRow]) -> bytes:
    """The rows that are not right, with their numbers and why: mended and sent back, each takes its row's place."""
    titles = [LINE_TITLE, *_TITLES, WRONG_TITLE]
    wrong = [
        [
            str(row.number),
            *(row.cells.get(column.key, "") for column in COLUMNS),
            " · ".join(f"{label_of(key)} : {why}" for key, why in row.problems),
        ]
        for row in rows
        if row.status is not ImportRowStatus.PRETE
    ]
    target = io.BytesIO()
    if kind == "xlsx":
        write_xlsx_template(target, titles, wrong, _lists(certificate_type_id))
    else:
        write_csv_template(target, titles, wrong)
    return target.getvalue()


def _lists(certificate_type_id: int) -> dict[str, list[str]]:
    return {
        "Domaines d'utilisation": [domain.label for domain in reference.usage_domains()],
        "Validité (ans)": [str(years) for years in reference.validities(certificate_type_id)],
        "Nationalité": ["Tunisienne", "Algérie", "Maroc", "Libye", "France", "Italie"],
        "Pièce d'identité": ["CIN", "Carte de séjour", "Passeport"],
    }


def _hints() -> dict[str, str]:
    return {
        "Numéro pièce d'identité": _("8 chiffres pour une CIN, zéros compris."),
        "Domaines d'utilisation": _("Un ou plusieurs, séparés par « / »."),
        "Date de naissance": _("Jour/mois/année."),
        "Nationalité": _("Vide : tunisienne. Sinon le pays."),
        "Pièce d'identité": _("Vide : CIN."),
        "Raison d'un autre certificat": _("Seulement pour une personne qui en a déjà un, ou une demande ouverte."),
    }

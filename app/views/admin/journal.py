"""« Journal »: who did what to which object, when, from where, before and after (AUD-1). Read only."""

from __future__ import annotations

import json
from typing import Any

from flask import url_for
from flask_admin import expose
from flask_babel import lazy_gettext as _l

from app.journal_words import journal_words
from app.permissions import Permission
from app.queries import journal
from app.views.admin import columns as c
from app.views.admin.base import ReadOnlyAdmin
from app.views.admin.columns import Cell, Column


def subject_words(row: Any) -> str:
    """The kind of the object and its number."""
    kind = journal.SUBJECTS.get(row.subject_type, row.subject_type)
    return f"{kind} {row.subject_id}"


def shown(value: Any) -> str:
    """A value of a journal line as text."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "oui" if value else "non"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def differences(entry: Any) -> list[tuple[str, str, str, bool]]:
    """(what, before, after, did it change) for each thing the entry holds."""
    before, after = entry.before or {}, entry.after or {}
    return [
        (key, shown(before.get(key)), shown(after.get(key)), before.get(key) != after.get(key))
        for key in dict.fromkeys((*before, *after))
    ]


class Journal(ReadOnlyAdmin):
    """Append-only: the database itself refuses changes."""

    read = (Permission.READ_JOURNAL,)
    source = journal.SOURCE
    title = _l("Journal")
    slug = "journal"
    exportable = False
    search_hint = _l("Référence, facture, e-mail, nom de la personne…")
    columns = (
        Column(
            "at",
            _l("Date"),
            lambda row: Cell("code", c.local_text(row.at), url=url_for("journal.entry", row_id=row.id)),
            sort="date",
            lead=True,
        ),
        c.text("actor_label", _l("Qui")),
        Column("action", _l("Action"), lambda row: Cell("text", journal_words(row.action))),
        Column("subject", _l("Objet"), lambda row: Cell("text", subject_words(row))),
        c.code("ip", _l("Depuis")),
    )

    @expose("/<int:row_id>")
    def entry(self, row_id: int) -> str:
        """One line, whole."""
        entry = self.row_or_404(row_id)
        return str(
            self.render(
                "admin/journal_entry.html",
                entry=entry,
                action=journal_words(entry.action),
                kind=journal.SUBJECTS.get(entry.subject_type, entry.subject_type),
                name=journal.subject_name(entry),
                differences=differences(entry),
                same_subject=self.list_url(objet=entry.subject_type, numero=entry.subject_id)
                if entry.subject_type in journal.SUBJECTS
                else None,
                same_person=self.list_url(personne=entry.actor_id) if entry.actor_id else None,
            )
        )


VIEWS = (Journal,)

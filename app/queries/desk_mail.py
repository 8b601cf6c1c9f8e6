"""The outbox, for whoever runs the portal (MAI-1): what waits, what left, what could not be delivered."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, select

from app.models import OutboxMail
from app.permissions import Actor, Permission
from app.queries.lists import Filter, Sort, Source, Tab, since, until

M = OutboxMail


def _rows() -> Select[*tuple[Any, ...]]:
    """Never the bodies: they may hold a temporary password."""
    return select(
        M.id,
        M.kind,
        M.recipient,
        M.subject,
        M.created_at,
        M.due_at,
        M.attempts,
        M.last_error,
        M.sent_at,
        M.dead_at,
    )


def _search(text: str) -> ColumnElement[bool]:
    if "@" in text and " " not in text:
        return M.recipient == text.lower()
    return M.subject.icontains(text, autoescape=True) | M.recipient.icontains(text, autoescape=True)


def _scope(actor: Actor) -> ColumnElement[bool] | None:
    return None if actor.can(Permission.MANAGE_MAIL) else M.id.is_(None)


SOURCE = Source(
    model=M,
    rows=_rows,
    tabs=(
        Tab("en-attente", _l("En attente"), lambda _a: and_(M.sent_at.is_(None), M.dead_at.is_(None)), "prevu"),
        Tab("non-remis", _l("Non remis"), lambda _a: M.dead_at.is_not(None), "creation", descending=True),
        Tab("envoyes", _l("Envoyés"), lambda _a: M.sent_at.is_not(None), "creation", descending=True),
        Tab("tous", _l("Tous"), lambda _a: None, "creation", descending=True),
    ),
    filters=(
        Filter("depuis", _l("Depuis le"), "day_from", since(M.created_at)),
        Filter("jusqu", _l("Jusqu'au"), "day_to", until(M.created_at)),
    ),
    sorts={"creation": Sort(M.created_at), "prevu": Sort(M.due_at)},
    search=_search,
    scope=_scope,
)

"""Exports of lists: each is in the journal with its filter and its number of rows (EXP-3, AUD-1)."""

from __future__ import annotations

from collections.abc import Mapping

from app.permissions import Actor, Permission
from app.services import audit
from app.services.authority import require
from app.services.unit_of_work import use_case


@use_case
def note_export(name: str, *, kind: str, asked: Mapping[str, str], rows: int, actor: Actor) -> None:
    """Write the journal's line before the file leaves. Raises Forbidden without EXPORT_LISTS."""
    require(actor, Permission.EXPORT_LISTS)
    audit.record(actor, "export", ("lists", name), after={"format": kind, "rows": rows, "asked": dict(asked)})

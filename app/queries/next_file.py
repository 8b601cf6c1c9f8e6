"""Which file « Suivant » opens: the next of the list as the agent filtered it (QUE-3)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, select

from app.extensions import db
from app.models import CertificateRequest, HistoryEntry, Organisation
from app.permissions import Actor
from app.queries import desk_organisations, desk_requests
from app.queries.lists import Asked, Source, next_id
from app.states import OrganisationState, RequestState

File = CertificateRequest | Organisation
TO_TAKE = "a-prendre"
"""The tab whose files « Suivant » takes; of any other tab it opens the next as listed."""


def source_of(model: type[File]) -> Source:
    """The list that the model's files are worked from."""
    return desk_requests.SOURCE if model is CertificateRequest else desk_organisations.SOURCE


def id_of(model: type[File], reference: str) -> int | None:
    """The row that a page was about, from what its form says."""
    if not reference or "\x00" in reference:  # PostgreSQL refuses to look for a NUL
        return None
    return db.session.scalar(select(model.id).where(model.reference == reference))


def next_to_take(model: type[File], actor: Actor, asked: Asked | None, current: int | None) -> int | None:
    """The next free file of the list, never the actor's own nor their organisation's (PPL-3).

    From the top, the oldest first; after the current file when that one was left free (looked at, and left).
    Without a list: the oldest request that can be decided, else the oldest.
    """
    if model is CertificateRequest:
        if asked is None:
            return desk_requests.next_to_take(actor)
        own = desk_requests.foreign_to(actor)
    else:
        own = Organisation.id.not_in(actor.organisation_ids)
    source = source_of(model)
    asked = asked or Asked(source.tabs[0], source.tabs[0].sort, source.tabs[0].descending)
    return next_id(source, asked, actor, own, after=current if _left_free(model, current) else None)


def next_listed(model: type[File], actor: Actor, asked: Asked, current: int | None) -> int | None:
    """The file after the current one in the list, then the first."""
    return next_id(source_of(model), asked, actor, after=current)


def taken_once(model: type[File], actor: Actor, once: str) -> int | None:
    """The file that this very press of « Suivant » already took: a double click takes one file."""
    if not once:
        return None
    subject, state = _subject(model)
    mine = select(model.id).where(model.assigned_to_id == actor.user_id, state)
    entries = db.session.execute(
        select(subject, HistoryEntry.details)
        .where(subject.in_(mine), HistoryEntry.action == "take", HistoryEntry.actor_id == actor.user_id)
        .order_by(HistoryEntry.id.desc())
        .limit(10)
    )
    return next((row[0] for row in entries if row.details.get("once") == once), None)


def free_to_take(file: File) -> bool:
    """Nobody has the file, and it waits for somebody of TunTrust."""
    if isinstance(file, Organisation):
        return file.assigned_to_id is None and file.state is OrganisationState.A_VERIFIER
    taken_charge = file.state is RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST and file.clock_paused_at is None
    return file.assigned_to_id is None and taken_charge and file.approved_at is None


def _left_free(model: type[File], current: int | None) -> bool:
    row: Any = db.session.get(model, current) if current is not None else None
    return row is not None and free_to_take(row)


def _subject(model: type[File]) -> tuple[Any, ColumnElement[bool]]:
    if model is CertificateRequest:
        return HistoryEntry.request_id, desk_requests.under_review()
    return HistoryEntry.organisation_id, Organisation.state == OrganisationState.A_VERIFIER

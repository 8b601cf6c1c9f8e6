"""A list's address saved under a name, by each person for themselves (QUE-2)."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import func, select

from app import clock
from app.errors import DomainError, NotFound
from app.extensions import db
from app.identifiers import fold, tidy_text
from app.models import SavedFilter
from app.permissions import Actor
from app.services.unit_of_work import use_case

MOST = 30
"""Filters a person may keep for one list."""
LONGEST_NAME = 60
LONGEST_QUERY = 2_000


def saved_filters(actor: Actor, list_name: str) -> list[SavedFilter]:
    """The person's own filters of a list, by name."""
    return list(
        db.session.scalars(
            select(SavedFilter)
            .where(SavedFilter.user_id == actor.user_id, SavedFilter.list_name == list_name)
            .order_by(func.lower(SavedFilter.name), SavedFilter.id)
        )
    )


@use_case
def save_filter(list_name: str, name: str, query: str, *, actor: Actor) -> SavedFilter:
    """Keep the address's arguments under a name.

    Raises DomainError beside ``name``: empty, too long, taken, too many.
    """
    kept = saved_filters(actor, list_name)
    tidy = _free_name(name, kept)
    if len(kept) >= MOST:
        raise DomainError(
            _("Vous avez déjà %(most)d filtres enregistrés pour cette liste : supprimez-en un d'abord.", most=MOST),
            field="name",
        )
    if len(query) > LONGEST_QUERY:
        raise DomainError(_("Cette liste a trop de filtres pour être enregistrée."), field="name")
    row = SavedFilter(user_id=actor.user_id, list_name=list_name[:40], name=tidy, query=query, created_at=clock.now())
    db.session.add(row)
    return row


@use_case
def rename_filter(filter_id: int, name: str, *, actor: Actor) -> SavedFilter:
    """Raises NotFound for another's, DomainError beside ``name``."""
    row = _own(filter_id, actor)
    row.name = _free_name(name, [each for each in saved_filters(actor, row.list_name) if each.id != row.id])
    return row


@use_case
def delete_filter(filter_id: int, *, actor: Actor) -> SavedFilter:
    """Raises NotFound for another's."""
    row = _own(filter_id, actor)
    db.session.delete(row)
    return row


def _own(filter_id: int, actor: Actor) -> SavedFilter:
    row = db.session.scalar(
        select(SavedFilter).where(SavedFilter.id == filter_id, SavedFilter.user_id == actor.user_id).with_for_update()
    )
    if row is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    return row


def _free_name(name: str, others: list[SavedFilter]) -> str:
    tidy = tidy_text(name.replace("\x00", ""))
    if not tidy:
        raise DomainError(_("Donnez un nom à ce filtre."), field="name")
    if len(tidy) > LONGEST_NAME:
        raise DomainError(_("Ce nom dépasse %(most)d caractères.", most=LONGEST_NAME), field="name")
    if any(each.name == tidy or (fold(each.name) and fold(each.name) == fold(tidy)) for each in others):
        raise DomainError(_("Vous avez déjà un filtre de ce nom."), field="name")
    return tidy

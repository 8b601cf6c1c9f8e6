"""TunTrust's own people, for those who manage them (TEA-1)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, exists, func, select
from sqlalchemy.orm import joinedload

from app.extensions import db
from app.models import RoleGrant, StaffRoleChange, User
from app.permissions import STAFF_ROLES, Actor, Permission, Role
from app.queries.lists import Filter, Sort, Source, Tab
from app.state_labels import state_label

_ROLES = tuple(sorted(STAFF_ROLES))


def _live_role(role: Role | None = None) -> ColumnElement[bool]:
    roles = _ROLES if role is None else (role,)
    return exists(
        select(RoleGrant.id).where(
            RoleGrant.user_id == User.id, RoleGrant.role.in_(roles), RoleGrant.revoked_at.is_(None)
        )
    )


def _of_staff() -> ColumnElement[bool]:
    """Whoever holds or held a staff role, or is about to."""
    held = exists(select(RoleGrant.id).where(RoleGrant.user_id == User.id, RoleGrant.role.in_(_ROLES)))
    return held | exists(select(StaffRoleChange.id).where(StaffRoleChange.user_id == User.id))


def _scope(actor: Actor) -> ColumnElement[bool]:
    allowed = actor.can(Permission.MANAGE_STAFF) or actor.can(Permission.APPROVE_STAFF_CHANGES)
    return _of_staff() if allowed else User.id.is_(None)


@cache
def _rows() -> Select[*tuple[Any, ...]]:
    role = (
        select(func.min(RoleGrant.role))
        .where(RoleGrant.user_id == User.id, RoleGrant.role.in_(_ROLES), RoleGrant.revoked_at.is_(None))
        .correlate(User)
        .scalar_subquery()
    )
    waiting = (
        select(StaffRoleChange.role)
        .where(StaffRoleChange.user_id == User.id, StaffRoleChange.decided_at.is_(None))
        .order_by(StaffRoleChange.id.desc())
        .limit(1)
        .correlate(User)
        .scalar_subquery()
    )
    return select(
        User.id,
        User.email,
        func.trim(User.first_name + " " + User.last_name).label("name"),
        role.label("role"),
        waiting.label("waiting_role"),
        User.invited_at,
        User.activated_at,
        User.disabled_at,
        User.second_factor_since,
        User.last_seen_at,
    )


def _search(text: str) -> ColumnElement[bool]:
    """Staff are few: names and addresses are compared as they are written."""
    if "@" in text:
        return User.email == text.lower()
    whole = func.lower(User.first_name + " " + User.last_name + " " + User.email)
    return and_(*(whole.contains(word.lower(), autoescape=True) for word in text.split()[:8]))


def _roles() -> Sequence[tuple[str, str]]:
    return [(role.value, state_label(role)) for role in _ROLES]


def _waiting() -> ColumnElement[bool]:
    return exists(
        select(StaffRoleChange.id).where(StaffRoleChange.user_id == User.id, StaffRoleChange.decided_at.is_(None))
    )


SOURCE = Source(
    model=User,
    rows=_rows,
    tabs=(
        Tab("actifs", _l("En activité"), lambda _a: and_(User.disabled_at.is_(None), _live_role()), "nom"),
        Tab("a-approuver", _l("À approuver"), lambda _a: _waiting(), "nom"),
        Tab("desactives", _l("Désactivés"), lambda _a: User.disabled_at.is_not(None), "nom"),
        Tab("tous", _l("Tous"), lambda _a: None, "nom"),
    ),
    filters=(Filter("role", _l("Rôle"), "choice", lambda value: _live_role(Role(value)), choices=_roles),),
    sorts={"nom": Sort(User.last_name), "vu": Sort(User.last_seen_at, nullable=True)},
    search=_search,
    scope=_scope,
)


def pending_changes() -> list[StaffRoleChange]:
    """Changes of roles that wait for their second person, oldest first (PPL-3)."""
    return list(
        db.session.scalars(
            select(StaffRoleChange)
            .where(StaffRoleChange.decided_at.is_(None))
            .options(joinedload(StaffRoleChange.user), joinedload(StaffRoleChange.prepared_by))
            .order_by(StaffRoleChange.id)
            .limit(100)
        )
    )


def pending_changes_count() -> int:
    """How many of them."""
    statement = select(func.count()).select_from(StaffRoleChange).where(StaffRoleChange.decided_at.is_(None))
    return db.session.scalar(statement) or 0


def changes_of(user_id: int, limit: int = 20) -> list[StaffRoleChange]:
    """What was prepared and decided for a person, newest first."""
    return list(
        db.session.scalars(
            select(StaffRoleChange)
            .where(StaffRoleChange.user_id == user_id)
            .options(joinedload(StaffRoleChange.prepared_by))
            .order_by(StaffRoleChange.id.desc())
            .limit(limit)
        )
    )

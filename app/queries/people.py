"""Who is who in an organisation."""

from __future__ import annotations

from sqlalchemy import select

from app.extensions import db
from app.models import RoleGrant, User
from app.permissions import Role


def administrators_of(organisation_id: int) -> list[User]:
    """The one or two people who administer an organisation now, in the order they were named."""
    return list(
        db.session.scalars(
            select(User)
            .join(RoleGrant, RoleGrant.user_id == User.id)
            .where(
                RoleGrant.organisation_id == organisation_id,
                RoleGrant.role == Role.ADMIN_ORGANISATION,
                RoleGrant.revoked_at.is_(None),
            )
            .order_by(RoleGrant.id)
        )
    )


def administers_something(user: User) -> bool:
    """Does the person administer an organisation, or is awaited as its administrator?"""
    return any(grant.role is Role.ADMIN_ORGANISATION and grant.revoked_at is None for grant in user.grants)

"""What an agent or a supervisor decides of an organisation (chapter 1, CON-1)."""

from __future__ import annotations

from flask_babel import gettext as _

from app import clock
from app.errors import DomainError
from app.models import Organisation
from app.permissions import Actor
from app.queries.asks import open_ask_of_organisation
from app.queries.readiness import verification_obstacles_of
from app.services.announcing import tell_administrators
from app.services.links import public_url
from app.services.moving import move_organisation
from app.services.organisations import cancel_approvals
from app.services.supplying import close_ask
from app.services.unit_of_work import use_case


@use_case
def verify_organisation(organisation_id: int, *, actor: Actor, expected_version: int | None = None) -> Organisation:
    """Its papers prove what it declared. The signed contract is a condition of its requests' approval, not of this.

    Raises NotFound, IllegalTransition, Forbidden, StaleObject, DomainError naming every obstacle.
    """
    organisation = move_organisation(organisation_id, "verify", actor=actor, expected_version=expected_version)
    obstacles = verification_obstacles_of(organisation)
    if obstacles:
        raise DomainError(
            _("Cette organisation ne peut pas encore être déclarée vérifiée : %(why)s.", why=" ; ".join(obstacles))
        )
    organisation.verified_at = clock.now()
    organisation.verified_by_id = actor.user_id
    tell_administrators("organisation_verified", organisation, link=public_url("organisation.show"))
    return organisation


@use_case
def reject_organisation(
    organisation_id: int, *, actor: Actor, reason: str, expected_version: int | None = None
) -> Organisation:
    """It may no longer order or pay; the reason is mailed. Raises as ``verify_organisation``."""
    return _closed("reject", "organisation_rejected", "rejected", organisation_id, actor, reason, expected_version)


@use_case
def suspend_organisation(
    organisation_id: int, *, actor: Actor, reason: str, expected_version: int | None = None
) -> Organisation:
    """A supervisor stops it; the reason is mailed. Raises as ``verify_organisation``."""
    return _closed("suspend", "organisation_suspended", "withdrawn", organisation_id, actor, reason, expected_version)


def _closed(
    action: str,
    mail: str,
    outcome: str,
    organisation_id: int,
    actor: Actor,
    reason: str,
    expected_version: int | None,
) -> Organisation:
    organisation = move_organisation(
        organisation_id, action, actor=actor, reason=reason, expected_version=expected_version
    )
    organisation.verified_at = organisation.verified_by_id = None
    ask = open_ask_of_organisation(organisation.id)
    if ask is not None:
        close_ask(ask, outcome)
    cancel_approvals(organisation.id, actor=actor)
    tell_administrators(mail, organisation, reason=reason.strip())
    return organisation


@use_case
def restore_organisation(
    organisation_id: int, *, actor: Actor, reason: str, expected_version: int | None = None
) -> Organisation:
    """A supervisor lets it back in, to be verified anew; mailed. Raises as ``verify_organisation``."""
    organisation = move_organisation(
        organisation_id, "restore", actor=actor, reason=reason, expected_version=expected_version
    )
    organisation.complete_since = clock.now()
    tell_administrators("organisation_restored", organisation, link=public_url("organisation.show"))
    return organisation

"""Activation within 48 hours and its reminder (ACT-1, ACT-2, ACT-4). What comes after is ``purging``'s business."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import or_, select

from app import clock
from app.errors import DomainError, NotFound
from app.extensions import db
from app.models import Organisation, RoleGrant, User
from app.permissions import SYSTEM, Actor, Role
from app.queries.people import administrators_of
from app.services import audit, contracts, history, outbox, passwords, settings
from app.services.links import public_url
from app.services.locking import lock
from app.services.unit_of_work import use_case
from app.states import OrganisationState


class RegistrationExpired(DomainError):
    """The purge was faster: the account that wanted to activate exists no more (ACT-3)."""

    def __init__(self) -> None:
        super().__init__(
            _l(
                "Votre inscription n'a pas été activée à temps : elle a été supprimée. Vous pouvez inscrire de "
                "nouveau votre organisation ; si elle est déjà active, demandez une nouvelle invitation à son "
                "administrateur."
            )
        )


def lock_organisations_of(user_id: int) -> None:
    """Lock the organisations a person administers, before the person: the order the purge locks in too."""
    ids = select(RoleGrant.organisation_id).where(RoleGrant.user_id == user_id, RoleGrant.organisation_id.is_not(None))
    db.session.execute(
        select(Organisation.id).where(Organisation.id.in_(ids)).order_by(Organisation.id).with_for_update()
    ).all()


def lock_account(user_id: int) -> User:
    """The person, locked after their organisations. Raises RegistrationExpired when the purge was faster."""
    try:
        return lock(User, user_id)
    except NotFound:
        raise RegistrationExpired from None


def activate_user(user: User, *, actor: Actor) -> None:
    """The person chose a password: the account is active, and so is an organisation that waited for it.

    Called inside the use case that stores the password. The organisation's row is locked, so that a purge
    running at the same moment wins or loses whole (ACT-3).
    """
    moment = clock.now()
    user.activated_at = moment
    audit.record(actor, "activate_account", user)
    for grant in user.grants:
        if grant.role is not Role.ADMIN_ORGANISATION or grant.revoked_at is not None or grant.organisation_id is None:
            continue
        organisation = lock(Organisation, grant.organisation_id)
        if organisation.state is OrganisationState.EN_ATTENTE_ACTIVATION:
            organisation.state = OrganisationState.A_VERIFIER
            organisation.activated_at = moment
            organisation.complete_since = moment
            organisation.version += 1
            history.write(
                actor,
                "activate",
                organisation_id=organisation.id,
                from_state=OrganisationState.EN_ATTENTE_ACTIVATION,
                to_state=OrganisationState.A_VERIFIER,
            )
            audit.record(actor, "activate", organisation, after={"state": organisation.state})
    db.session.flush()


def activation_period() -> timedelta:
    """How long a registration or an invitation waits for its first password."""
    return timedelta(hours=settings.get("activation.hours"))


def give_temporary_password(user: User, *, until: datetime) -> str:
    """A fresh temporary password, good until then; the one before it opens nothing any more (ACT-1)."""
    password = passwords.new_temporary_password()
    user.temporary_password_hash = passwords.hash_temporary_password(password)
    user.temporary_password_expires_at = until
    return password


def remind_unactivated() -> str:
    """The reminder, once, halfway through the 48 hours; returns a summary for the list of jobs.

    Only hashes of temporary passwords are kept, so the reminder carries a fresh one with the same deadline.
    """
    sent = sum(_remind(organisation_id) for organisation_id in _to_remind())
    return _("Rappels envoyés : %(count)d.", count=sent)


def _to_remind() -> list[int]:
    moment = clock.now()
    waiting = select(RoleGrant.organisation_id).join(User, User.id == RoleGrant.user_id)
    waiting = waiting.where(RoleGrant.revoked_at.is_(None), User.password_hash.is_(None))
    return list(
        db.session.scalars(
            select(Organisation.id)
            .where(
                Organisation.activation_reminded_at.is_(None),
                Organisation.activation_deadline > moment,
                Organisation.created_at <= moment - timedelta(hours=settings.get("activation.reminder_hours")),
                or_(Organisation.state == OrganisationState.EN_ATTENTE_ACTIVATION, Organisation.id.in_(waiting)),
            )
            .order_by(Organisation.id)
            .limit(500)
        )
    )


@use_case
def _remind(organisation_id: int) -> int:
    organisation = db.session.execute(
        select(Organisation)
        .where(Organisation.id == organisation_id, Organisation.activation_reminded_at.is_(None))
        .with_for_update(of=Organisation)
    ).scalar_one_or_none()
    if organisation is None or organisation.activation_deadline <= clock.now():
        return 0
    organisation.activation_reminded_at = clock.now()
    sent = 0
    for one in administrators_of(organisation_id):
        user = lock(User, one.id)
        if user.password_hash is not None or user.disabled_at is not None:
            continue
        write_invitation("activation_reminder", user, organisation, until=organisation.activation_deadline)
        sent += 1
    audit.record(SYSTEM, "remind_activation", organisation, after={"mails": sent})
    return sent


def write_invitation(kind: str, user: User, organisation: Organisation, *, until: datetime, inviter: str = "") -> None:
    """Mail somebody who has not activated a fresh temporary password, with the contract. Inside a use case."""
    contract = contracts.current_contract(organisation.id)
    outbox.write(
        kind,
        to=user.email,
        locale=user.locale,
        attachments=[contracts.contract_attachment(contract)] if contract is not None else [],
        secret=True,
        organisation_id=organisation.id,
        name=user.display_name,
        organisation=organisation.legal_name,
        password=give_temporary_password(user, until=until),
        deadline=until,
        link=public_url("auth.login"),
        inviter=inviter,
    )

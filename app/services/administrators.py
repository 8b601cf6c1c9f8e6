"""The one or two administrators of an organisation: invite, invite again, replace (CON-2, ACT-3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app import clock
from app.errors import DomainError, NotFound
from app.extensions import db
from app.models import DocumentKind, IdentityKind, Organisation, RoleGrant, User
from app.permissions import Actor, Role
from app.queries.people import administrators_of
from app.services import accounts, activation, attempts, audit, contracts, documents, history, outbox, purging
from app.services.documents import Examined
from app.services.links import public_url
from app.services.locking import lock
from app.services.organisations import lock_own_organisation, note_change
from app.services.search_columns import refill_organisation
from app.services.unit_of_work import use_case

MOST = 2
INVITATION_EVERY = timedelta(hours=1)


@use_case
def add_administrator(
    organisation_id: int,
    person: Mapping[str, Any],
    *,
    actor: Actor,
    identity_copy: Examined | None = None,
    in_place_of: int | None = None,
) -> User:
    """Name a second administrator, or one in place of the other (``in_place_of``: whose account).

    Their e-mail and person differ from the first's; an e-mail that already has an account must be the same
    person's. They are mailed an invitation with the contract, whose next version names them. Raises NotFound,
    IllegalTransition, DomainError beside the field concerned.
    """
    organisation = lock_own_organisation(actor, organisation_id)
    if in_place_of is not None:
        _let_go(organisation, in_place_of, actor)
    others = administrators_of(organisation.id)
    if len(others) >= MOST:
        raise DomainError(_("Votre organisation a déjà deux administrateurs : remplacez le deuxième."))
    _refuse_same_person(person, others)
    if person["identity_kind"] != IdentityKind.CIN and identity_copy is None:
        raise DomainError(_("Joignez la copie de la pièce d'identité."), field="identity_copy")
    user = _account(person, organisation)
    accounts.grant_role(user, Role.ADMIN_ORGANISATION, organisation_id=organisation.id, by=actor)
    db.session.flush()
    if identity_copy is not None:
        documents.keep(
            identity_copy,
            kind=DocumentKind.ADMINISTRATOR_IDENTITY,
            actor=actor,
            organisation_id=organisation.id,
            user_id=user.id,
        )
    action = "administrator_invited" if in_place_of is None else "administrator_replaced"
    refill_organisation(organisation)
    note_change(organisation, actor=actor, action=action, details={})
    _invite(user, organisation, actor)
    audit.record(actor, action, organisation, after={"user_id": user.id, "in_place_of": in_place_of})
    return user


def _refuse_same_person(person: Mapping[str, Any], others: list[User]) -> None:
    for other in others:
        if other.email == person["email"]:
            raise DomainError(_("Cette adresse est celle de l'autre administrateur."), field="email")
        if (other.identity_kind, other.identity_number) == (person["identity_kind"], person["identity_number"]):
            raise DomainError(_("Cette personne est déjà administrateur."), field="identity_number")


def _account(person: Mapping[str, Any], organisation: Organisation) -> User:
    """The person's account: one person, one account (PPL-1), and one organisation that it administers.

    Naming another organisation's administrator would take them away from it, without their word.
    """
    known = db.session.scalar(select(User).where(User.email == person["email"]).with_for_update(of=User))
    if known is None:
        user = User(**person, locale="fr", created_at=clock.now())
        db.session.add(user)
        try:
            db.session.flush()
        except IntegrityError:  # registered at the very same moment
            raise DomainError(_("Cette adresse vient d'être enregistrée. Recommencez."), field="email") from None
        return user
    same = (known.identity_kind, known.identity_number) == (person["identity_kind"], person["identity_number"])
    elsewhere = any(
        grant.role is Role.ADMIN_ORGANISATION and grant.revoked_at is None and grant.organisation_id != organisation.id
        for grant in known.grants
    )
    if not same or elsewhere or known.disabled_at is not None:
        raise DomainError(_("Cette adresse ne peut pas être utilisée pour cette personne."), field="email")
    return known


def _invite(user: User, organisation: Organisation, actor: Actor) -> None:
    """The invitation: with a temporary password, or none for somebody who has an active account."""
    user.invited_at = clock.now()
    if user.password_hash is None:
        until = clock.now() + activation.activation_period()
        activation.write_invitation("administrator_invited", user, organisation, until=until, inviter=actor.label)
        return
    contract = contracts.current_contract(organisation.id)
    outbox.write(
        "administrator_invited",
        to=user.email,
        locale=user.locale,
        attachments=[contracts.contract_attachment(contract)] if contract is not None else [],
        organisation_id=organisation.id,
        name=user.display_name,
        organisation=organisation.legal_name,
        password=None,
        deadline=None,
        inviter=actor.label,
        link=public_url("auth.login"),
    )


def _let_go(organisation: Organisation, user_id: int, actor: Actor) -> None:
    """The administrator who is replaced: never oneself, so that somebody stays."""
    if user_id == actor.user_id:
        raise DomainError(_("Vous ne pouvez pas vous remplacer vous-même : demandez-le à l'autre administrateur."))
    grant = _grant(organisation.id, user_id)
    user = lock(User, user_id)
    if user.password_hash is None:
        purging.remove_administrator(organisation, user, reason="Administrateur remplacé avant l'activation")
    else:
        grant.revoked_at = clock.now()
        outbox.write(
            "administrator_replaced",
            to=user.email,
            locale=user.locale,
            organisation_id=organisation.id,
            name=user.display_name,
            organisation=organisation.legal_name,
            by=actor.label,
        )
    db.session.flush()


def _grant(organisation_id: int, user_id: int) -> RoleGrant:
    grant = db.session.scalar(
        select(RoleGrant).where(
            RoleGrant.organisation_id == organisation_id,
            RoleGrant.user_id == user_id,
            RoleGrant.role == Role.ADMIN_ORGANISATION,
            RoleGrant.revoked_at.is_(None),
        )
    )
    if grant is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    return grant


@use_case
def resend_invitation(organisation_id: int, user_id: int, *, actor: Actor) -> None:
    """Invite again an administrator who has not activated, at most once an hour; their 48 hours start anew.

    Raises NotFound, IllegalTransition, TooManyAttempts, DomainError when they have activated meanwhile.
    """
    organisation = lock_own_organisation(actor, organisation_id)
    _grant(organisation.id, user_id)
    user = lock(User, user_id)
    if user.password_hash is not None:
        raise DomainError(_("Cette personne a déjà activé son compte."))
    key = attempts.key_for("invite:administrator", f"{organisation.id}|{user.id}")
    attempts.count_attempt(key, limit=1, window=INVITATION_EVERY)
    _invite(user, organisation, actor)
    history.write(actor, "invitation_resent", organisation_id=organisation.id)
    audit.record(actor, "resend_invitation", organisation, after={"user_id": user.id})

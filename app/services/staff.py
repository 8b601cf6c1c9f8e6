"""TunTrust's own accounts (TEA-1): invite, change a role with a second person (PPL-3), disable.

A role is given in two steps: somebody prepares it, somebody else approves it. An invitation is no exception, or
one person could make another account for themselves; its mail leaves at the approval.
"""

from __future__ import annotations

from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import select

from app import clock
from app.errors import DomainError
from app.extensions import db
from app.identifiers import InvalidIdentifier, normalise_email, tidy_name
from app.models import RoleGrant, StaffRoleChange, User
from app.permissions import STAFF_ROLES, SYSTEM, Actor, Permission, Role
from app.services import accounts, audit, outbox, settings
from app.services.activation import give_temporary_password
from app.services.authority import require
from app.services.links import public_url
from app.services.locking import lock
from app.services.unit_of_work import use_case


@use_case
def invite_staff(email: str, first_name: str, last_name: str, role: Role, *, actor: Actor) -> int:
    """Prepare an account and its role; returns the account's id. The invitation leaves once the role is approved.

    An address that already has an account keeps it (PPL-1): it is only given the role. Raises Forbidden,
    DomainError (address, role, already of the team).
    """
    require(actor, Permission.MANAGE_STAFF)
    address = _address(email)
    user = db.session.scalar(select(User).where(User.email == address))
    if user is None:
        user = User(
            email=address, first_name=tidy_name(first_name), last_name=tidy_name(last_name), created_at=clock.now()
        )
        db.session.add(user)
        db.session.flush()
    else:
        user = lock(User, user.id)
        if staff_role(user) is not None:
            raise DomainError(_("Cette personne fait déjà partie de l'équipe : changez son rôle."), field="email")
    audit.record(actor, "invite_staff", user, after={"email": user.email, "role": role})
    _prepare(user, role, actor)
    return user.id


@use_case
def prepare_role(user_id: int, role: Role, *, actor: Actor) -> None:
    """Ask for another role for somebody of the team. Raises Forbidden, NotFound, DomainError."""
    require(actor, Permission.MANAGE_STAFF)
    user = lock(User, user_id)
    current = staff_role(user)
    if current is None and not db.session.scalar(select(StaffRoleChange.id).where(StaffRoleChange.user_id == user.id)):
        raise DomainError(_("Cette personne ne fait pas partie de l'équipe : invitez-la."))
    if current is role:
        raise DomainError(_("Cette personne a déjà ce rôle."), field="role")
    if user.disabled_at is not None:
        raise DomainError(_("Ce compte est désactivé : réactivez-le d'abord."))
    _prepare(user, role, actor)


def _prepare(user: User, role: Role, actor: Actor) -> None:
    if role not in STAFF_ROLES:
        raise DomainError(_("Choisissez un rôle de l'équipe."), field="role")
    if actor.user_id is None or user.id == actor.user_id:
        raise DomainError(_("Personne ne change son propre rôle."))
    if db.session.scalar(
        select(StaffRoleChange.id).where(StaffRoleChange.user_id == user.id, StaffRoleChange.decided_at.is_(None))
    ):
        raise DomainError(_("Un changement de rôle attend déjà son approbation pour cette personne."))
    change = StaffRoleChange(user_id=user.id, role=role, prepared_by_id=actor.user_id, prepared_at=clock.now())
    db.session.add(change)
    db.session.flush()
    audit.record(actor, "prepare_role", user, before={"role": staff_role(user)}, after={"role": role})


@use_case
def decide_role(change_id: int, *, approve: bool, actor: Actor) -> None:
    """The second person's word (PPL-3).

    Who prepared a change may only withdraw it; the person concerned decides nothing. Raises Forbidden, NotFound,
    DomainError (second person, already decided, disabled, last administrator).
    """
    require(actor, Permission.APPROVE_STAFF_CHANGES)
    user_id = db.session.scalar(select(StaffRoleChange.user_id).where(StaffRoleChange.id == change_id))
    user = lock(User, user_id) if user_id is not None else None
    change = lock(StaffRoleChange, change_id)
    if user is None or change.decided_at is not None:
        raise DomainError(_("Ce changement de rôle est déjà décidé."))
    if actor.user_id == change.user_id or (approve and actor.user_id == change.prepared_by_id):
        raise DomainError(
            _("Une seconde personne doit décider : ni celle qui a préparé le changement, ni celle qu'il concerne.")
        )
    change.decided_at, change.decided_by_id, change.approved = clock.now(), actor.user_id, approve
    before = staff_role(user)
    if approve:
        if user.disabled_at is not None:
            raise DomainError(_("Ce compte est désactivé : réactivez-le d'abord."))
        _keep_an_administrator(user, losing=before is Role.ADMINISTRATEUR and change.role is not Role.ADMINISTRATEUR)
        _give(user, change.role, actor)
        if before is None:
            _send_invitation(user, change.role)
    audit.record(
        actor,
        "approve_role" if approve else "refuse_role",
        user,
        before={"role": before},
        after={"role": change.role, "prepared_by": change.prepared_by_id},
    )


def _give(user: User, role: Role, actor: Actor) -> None:
    moment = clock.now()
    for grant in user.grants:
        if grant.role in STAFF_ROLES and grant.revoked_at is None:
            grant.revoked_at = moment
    db.session.flush()
    user.grants.append(RoleGrant(role=role, granted_at=moment, granted_by_id=actor.user_id))
    user.version += 1


def _send_invitation(user: User, role: Role) -> None:
    """The mail « staff_invited »: with a temporary password for somebody who has no password yet."""
    until = clock.now() + timedelta(days=settings.get("invitation.days"))
    user.invited_at = clock.now()
    password = give_temporary_password(user, until=until) if user.password_hash is None else None
    outbox.write(
        "staff_invited",
        to=user.email,
        locale=user.locale,
        secret=password is not None,
        name=user.display_name,
        role=role,
        password=password,
        deadline=until if password is not None else None,
        link=public_url("auth.login"),
    )


@use_case
def found_team(email: str, role: Role) -> str:
    """The first members of a new installation, given by its operator on the server; returns the temporary password.

    Raises DomainError once two people can approve: from then on the desk's invitations serve (PPL-3).
    """
    approvers = select(User.id).join(RoleGrant, RoleGrant.user_id == User.id)
    approvers = approvers.where(
        RoleGrant.role.in_((Role.ADMINISTRATEUR, Role.SUPERVISEUR)),
        RoleGrant.revoked_at.is_(None),
        User.disabled_at.is_(None),
    )
    if len(db.session.scalars(approvers.distinct()).all()) >= 2:
        raise DomainError(_("L'équipe a déjà deux personnes qui approuvent : invitez depuis le bureau."))
    if role not in (Role.ADMINISTRATEUR, Role.SUPERVISEUR):
        raise DomainError(_("Choisissez ADMINISTRATEUR ou SUPERVISEUR : ils invitent et approuvent les autres."))
    address = _address(email)
    if db.session.scalar(select(User.id).where(User.email == address)) is not None:
        raise DomainError(_("Cette adresse a déjà un compte."))
    user = User(email=address, created_at=clock.now(), invited_at=clock.now())
    db.session.add(user)
    db.session.flush()
    user.grants.append(RoleGrant(role=role, granted_at=clock.now()))
    password = give_temporary_password(user, until=clock.now() + timedelta(days=settings.get("invitation.days")))
    audit.record(SYSTEM, "found_team", user, after={"role": role})
    return password


@use_case
def resend_staff_invitation(user_id: int, *, actor: Actor) -> str:
    """A fresh temporary password for somebody who never came in; returns the address."""
    require(actor, Permission.MANAGE_STAFF)
    user = lock(User, user_id)
    role = staff_role(user)
    if role is None or user.disabled_at is not None or user.password_hash is not None:
        raise DomainError(_("Cette personne n'attend pas d'invitation."))
    _send_invitation(user, role)
    audit.record(actor, "resend_invitation", user)
    return user.email


@use_case
def disable_staff(user_id: int, *, actor: Actor) -> None:
    """Close an account: its sessions end at once (SEC-2). Raises DomainError for oneself or the last administrator."""
    require(actor, Permission.MANAGE_STAFF)
    user = lock(User, user_id)
    _require_staff(user)
    if user.id == actor.user_id:
        raise DomainError(_("Personne ne désactive son propre compte."))
    if user.disabled_at is not None:
        raise DomainError(_("Ce compte est déjà désactivé."))
    _keep_an_administrator(user, losing=staff_role(user) is Role.ADMINISTRATEUR)
    user.disabled_at = clock.now()
    user.version += 1
    accounts.end_sessions(user.id)
    audit.record(actor, "disable_staff", user, after={"disabled": True})


@use_case
def enable_staff(user_id: int, *, actor: Actor) -> None:
    """Open a closed account again, with the role it had. Raises DomainError when it is open."""
    require(actor, Permission.MANAGE_STAFF)
    user = lock(User, user_id)
    _require_staff(user)
    if user.disabled_at is None:
        raise DomainError(_("Ce compte est déjà actif."))
    if user.id == actor.user_id:
        raise DomainError(_("Personne ne réactive son propre compte."))
    user.disabled_at = None
    user.version += 1
    audit.record(actor, "enable_staff", user, after={"disabled": False})


def staff_role(user: User) -> Role | None:
    """The live role of somebody of the team, or None."""
    return next((grant.role for grant in user.grants if grant.role in STAFF_ROLES and grant.revoked_at is None), None)


def _require_staff(user: User) -> None:
    if staff_role(user) is None:
        raise DomainError(_("Cette personne ne fait pas partie de l'équipe."))


def _keep_an_administrator(user: User, *, losing: bool) -> None:
    """The portal never loses its last technical administrator."""
    if not losing:
        return
    # The others' rows are locked, so that two administrators cannot close each other at the same moment.
    others = db.session.scalars(
        select(User)
        .join(RoleGrant, RoleGrant.user_id == User.id)
        .where(
            RoleGrant.role == Role.ADMINISTRATEUR,
            RoleGrant.revoked_at.is_(None),
            User.disabled_at.is_(None),
            User.id != user.id,
        )
        .order_by(User.id)
        .with_for_update(of=User)
    ).all()
    if not others:
        raise DomainError(_("C'est le dernier administrateur technique : il en faut un autre d'abord."))


def _address(email: str) -> str:
    try:
        return normalise_email(email)
    except InvalidIdentifier:
        raise DomainError(
            _("Écrivez une adresse e-mail complète, par exemple nom@domaine.tn."), field="email"
        ) from None

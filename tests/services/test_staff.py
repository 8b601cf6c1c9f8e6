"""TunTrust's own accounts: two people for a role, closed accounts, the last administrator (TEA-1, PPL-3)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app import clock
from app.errors import DomainError, Forbidden
from app.extensions import db
from app.models import AuditEntry, OutboxMail, StaffRoleChange, User
from app.permissions import Actor, Role
from app.services import accounts, staff
from tests import factories


@pytest.fixture
def administrator(app: Flask) -> Actor:
    return factories.actor(factories.staff(Role.ADMINISTRATEUR))


@pytest.fixture
def supervisor(app: Flask) -> Actor:
    return factories.actor(factories.staff(Role.SUPERVISEUR))


def invite(by: Actor, role: Role = Role.AGENT, email: str = "Nadia.K@Exemple.tn") -> tuple[int, int]:
    user_id = staff.invite_staff(email, "Nadia", "Khelifi", role, actor=by)
    change = db.session.scalars(select(StaffRoleChange).where(StaffRoleChange.user_id == user_id)).one()
    return user_id, change.id


@pytest.mark.spec("TEA-1", "PPL-3")
def test_an_invitation_opens_nothing_until_a_second_person_approves(administrator: Actor, supervisor: Actor) -> None:
    user_id, change_id = invite(administrator)
    user = db.session.get_one(User, user_id)
    assert (user.email, staff.staff_role(user), user.temporary_password_hash) == ("nadia.k@exemple.tn", None, None)
    assert db.session.scalars(select(OutboxMail)).all() == []
    staff.decide_role(change_id, approve=True, actor=supervisor)
    mail = db.session.scalars(select(OutboxMail)).one()
    assert (mail.kind, mail.recipient, mail.secret) == ("staff_invited", "nadia.k@exemple.tn", True)
    user = db.session.get_one(User, user_id)
    assert staff.staff_role(user) is Role.AGENT
    assert user.temporary_password_expires_at is not None
    assert user.temporary_password_expires_at - clock.now() > timedelta(days=6)
    password = next(word for word in mail.text.split() if word.count("-") == 3 and len(word) == 19)
    assert accounts.log_in("nadia.k@exemple.tn", password, ip=None, user_agent="").must_change_password


@pytest.mark.spec("PPL-3")
def test_nobody_approves_what_they_prepared_or_their_own_role(administrator: Actor, supervisor: Actor) -> None:
    _user_id, change_id = invite(administrator)
    with pytest.raises(DomainError, match="seconde personne"):
        staff.decide_role(change_id, approve=True, actor=administrator)
    assert supervisor.user_id is not None
    staff.prepare_role(supervisor.user_id, Role.AGENT, actor=administrator)
    own = db.session.scalars(select(StaffRoleChange).where(StaffRoleChange.user_id == supervisor.user_id)).one()
    for approve in (True, False):
        with pytest.raises(DomainError, match="seconde personne"):
            staff.decide_role(own.id, approve=approve, actor=supervisor)
    assert db.session.get_one(StaffRoleChange, own.id).decided_at is None


@pytest.mark.spec("PPL-3")
def test_who_prepared_a_change_may_withdraw_it(administrator: Actor) -> None:
    user_id, change_id = invite(administrator)
    staff.decide_role(change_id, approve=False, actor=administrator)
    assert staff.staff_role(db.session.get_one(User, user_id)) is None
    assert db.session.scalars(select(OutboxMail)).all() == []


@pytest.mark.spec("PPL-3", "TEA-1")
def test_an_approved_change_replaces_the_role_and_is_in_the_journal(administrator: Actor, supervisor: Actor) -> None:
    agent = factories.staff(Role.AGENT)
    staff.prepare_role(agent.id, Role.SUPERVISEUR, actor=administrator)
    change = db.session.scalars(select(StaffRoleChange)).one()
    staff.decide_role(change.id, approve=True, actor=supervisor)
    live = [g.role for g in db.session.get_one(User, agent.id).grants if g.revoked_at is None]
    assert live == [Role.SUPERVISEUR]
    with pytest.raises(DomainError, match="déjà décidé"):
        staff.decide_role(change.id, approve=True, actor=supervisor)
    line = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "approve_role")).one()
    assert (line.before, line.after) == (
        {"role": "AGENT"},
        {"role": "SUPERVISEUR", "prepared_by": administrator.user_id},
    )


def test_two_changes_do_not_wait_for_one_person(administrator: Actor) -> None:
    agent = factories.staff(Role.AGENT)
    staff.prepare_role(agent.id, Role.SUPERVISEUR, actor=administrator)
    with pytest.raises(DomainError, match="attend déjà"):
        staff.prepare_role(agent.id, Role.RESPONSABLE, actor=administrator)


@pytest.mark.spec("PPL-2")
@pytest.mark.parametrize("role", [Role.AGENT, Role.RESPONSABLE, Role.DEMANDEUR])
def test_others_neither_invite_nor_approve(app: Flask, administrator: Actor, role: Role) -> None:
    other = factories.actor(factories.user(role))
    _user_id, change_id = invite(administrator)
    with pytest.raises(Forbidden):
        staff.invite_staff("x@exemple.tn", "X", "Y", Role.AGENT, actor=other)
    with pytest.raises(Forbidden):
        staff.decide_role(change_id, approve=True, actor=other)


def test_a_client_of_the_portal_keeps_the_account(administrator: Actor, supervisor: Actor) -> None:
    known = factories.applicant(email="rim@exemple.tn")
    user_id, change_id = invite(administrator, email="rim@exemple.tn")
    assert user_id == known.id
    staff.decide_role(change_id, approve=True, actor=supervisor)
    user = db.session.get_one(User, user_id)
    assert {g.role for g in user.grants if g.revoked_at is None} == {Role.DEMANDEUR, Role.AGENT}
    assert user.password_hash is not None
    assert user.temporary_password_hash is None


@pytest.mark.parametrize("role", [Role.DEMANDEUR, Role.ADMIN_ORGANISATION])
def test_only_roles_of_the_team_are_given(administrator: Actor, role: Role) -> None:
    with pytest.raises(DomainError, match="rôle de l'équipe"):
        staff.invite_staff("x@exemple.tn", "X", "Y", role, actor=administrator)
    assert db.session.scalar(select(User).where(User.email == "x@exemple.tn")) is None


@pytest.mark.parametrize("email", ["", "nadia", "nadia@", "a b@c.tn"])
def test_an_address_must_be_whole(administrator: Actor, email: str) -> None:
    with pytest.raises(DomainError) as refusal:
        staff.invite_staff(email, "X", "Y", Role.AGENT, actor=administrator)
    assert refusal.value.field == "email"


@pytest.mark.spec("TEA-1", "SEC-2")
def test_disabling_ends_sessions_at_once_and_enabling_gives_the_role_back(administrator: Actor) -> None:
    agent = factories.staff(Role.AGENT)
    token = accounts.log_in(agent.email, factories.PASSWORD, ip=None, user_agent="").token
    staff.disable_staff(agent.id, actor=administrator)
    assert accounts.session_of(token) is None
    with pytest.raises(accounts.LoginRefused):
        accounts.log_in(agent.email, factories.PASSWORD, ip=None, user_agent="")
    staff.enable_staff(agent.id, actor=administrator)
    assert accounts.session_of(token) is None
    assert staff.staff_role(db.session.get_one(User, agent.id)) is Role.AGENT


@pytest.mark.spec("TEA-1")
def test_nobody_closes_themselves_nor_the_last_administrator(administrator: Actor, supervisor: Actor) -> None:
    assert administrator.user_id is not None
    with pytest.raises(DomainError, match="propre compte"):
        staff.disable_staff(administrator.user_id, actor=administrator)
    second = factories.staff(Role.ADMINISTRATEUR)
    staff.disable_staff(second.id, actor=administrator)
    third = factories.staff(Role.ADMINISTRATEUR)
    staff.prepare_role(administrator.user_id, Role.AGENT, actor=factories.actor(third))
    change = db.session.scalars(select(StaffRoleChange)).one()
    staff.disable_staff(third.id, actor=administrator)
    with pytest.raises(DomainError, match="dernier administrateur"):
        staff.decide_role(change.id, approve=True, actor=supervisor)


@pytest.mark.spec("TEA-1")
def test_a_resent_invitation_voids_the_password_before_it(administrator: Actor, supervisor: Actor) -> None:
    user_id, change_id = invite(administrator)
    staff.decide_role(change_id, approve=True, actor=supervisor)
    before = db.session.get_one(User, user_id).temporary_password_hash
    staff.resend_staff_invitation(user_id, actor=administrator)
    assert db.session.get_one(User, user_id).temporary_password_hash != before
    agent = factories.staff(Role.AGENT)
    with pytest.raises(DomainError, match="n'attend pas"):
        staff.resend_staff_invitation(agent.id, actor=administrator)


@pytest.mark.spec("TEA-1", "PPL-3")
def test_a_new_installation_gets_its_first_two_approvers_and_no_third(app: Flask) -> None:
    for email, role in (("un@exemple.tn", Role.ADMINISTRATEUR), ("deux@exemple.tn", Role.SUPERVISEUR)):
        password = staff.found_team(email, role)
        assert accounts.log_in(email, password, ip=None, user_agent="").must_change_password
    with pytest.raises(DomainError, match="deux personnes"):
        staff.found_team("trois@exemple.tn", Role.ADMINISTRATEUR)


@pytest.mark.spec("PPL-3")
def test_the_operator_founds_no_other_role(app: Flask) -> None:
    with pytest.raises(DomainError, match="ADMINISTRATEUR ou SUPERVISEUR"):
        staff.found_team("un@exemple.tn", Role.AGENT)

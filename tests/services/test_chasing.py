"""The chase list: who is waited for, told again at most once an hour, a wrong address mended (ORD-7, APP-1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import clock
from app.errors import DomainError, NotFound, TooManyAttempts, ValidationFailed
from app.extensions import db
from app.models import AuditEntry, CertificateRequest, HistoryEntry, Organisation, OutboxMail, User
from app.permissions import Actor, Role
from app.queries import chasing as query
from app.queries.chasing import Stage
from app.services import accounts, basket, chasing, inviting, ordering, passwords, withdrawing
from app.states import RequestState
from tests import factories
from tests.support.sold import payments_under_way


@dataclass
class Team:
    """An organisation, its administrator, and people whom it ordered certificates for."""

    organisation: Organisation
    administrator: User
    actor: Actor
    rows: dict[str, CertificateRequest] = field(default_factory=dict)

    def order_for(self, name: str, *, activated: bool = False, **values: Any) -> CertificateRequest:
        person = factories.user(Role.DEMANDEUR, activated=activated, email=f"{name}@exemple.tn")
        row = factories.certificate_request(self.organisation, applicant=person, by=self.administrator, **values)
        self.rows[name] = row
        return row


@pytest.fixture
def team(app: Flask) -> Team:
    organisation = factories.organisation()
    administrator = factories.administrator(organisation)
    return Team(organisation, administrator, factories.actor(administrator))


def page(team: Team, stage: Stage) -> list[str]:
    found = query.chase_page(team.organisation.id, stage, query.counts(team.organisation.id))
    return [one.request.email.split("@")[0] for one in found.rows]


def mails(kind: str = "request_created") -> list[str]:
    rows = db.session.scalars(select(OutboxMail).where(OutboxMail.kind == kind).order_by(OutboxMail.id))
    return [row.recipient.split("@")[0] for row in rows]


@pytest.mark.spec("ORD-7")
def test_each_request_waits_in_one_stage_the_longest_first(team: Team, travel: Any) -> None:
    moment = clock.now()
    team.order_for("tard", created_at=moment, state_changed_at=moment)
    team.order_for("tot", created_at=moment - timedelta(days=5), state_changed_at=moment - timedelta(days=5))
    team.order_for("actif", activated=True)
    team.order_for("signale", activated=True, correction_asked_at=moment, applicant_remark="Nom")
    team.order_for("valide", activated=True, state=RequestState.EN_ATTENTE_DE_PAIEMENT)
    team.order_for("panier", activated=True, state=RequestState.EN_ATTENTE_DE_PAIEMENT, basket_added_at=moment)
    team.order_for("retire", state=RequestState.ANNULEE)
    stranger = factories.organisation()
    factories.certificate_request(stranger, by=factories.administrator(stranger))
    assert page(team, Stage.ACTIVATION) == ["tot", "tard"]
    assert page(team, Stage.VALIDATION) == ["actif"]
    assert page(team, Stage.CORRECTION) == ["signale"]
    assert page(team, Stage.READY) == ["valide"]
    assert query.counts(team.organisation.id) == {
        Stage.ACTIVATION: 2,
        Stage.VALIDATION: 1,
        Stage.CORRECTION: 1,
        Stage.READY: 1,
    }
    found = query.chase_page(team.organisation.id, Stage.ACTIVATION, query.counts(team.organisation.id))
    assert [one.days for one in found.rows] == [5, 0]


@pytest.mark.spec("ORD-7", "APP-1")
def test_everybody_is_told_again_once_a_person_and_at_most_once_an_hour(team: Team, travel: Any) -> None:
    first = team.order_for("deux")
    factories.certificate_request(team.organisation, applicant=first.applicant, by=team.administrator)
    team.order_for("un")
    team.order_for("moi", state=RequestState.ANNULEE)
    factories.certificate_request(team.organisation, applicant=team.administrator, by=team.administrator)
    for row in db.session.scalars(select(CertificateRequest)):
        db.session.add(HistoryEntry(request_id=row.id, at=clock.now(), action="create", actor_label="A"))
    db.session.commit()
    done = chasing.resend_all(team.actor, team.organisation.id, Stage.ACTIVATION)
    assert (done.sent, done.recent, done.left) == (0, 2, 0)  # just invited
    travel(hours=1, minutes=1)
    done = chasing.resend_all(team.actor, team.organisation.id, Stage.ACTIVATION)
    assert (done.sent, done.recent, done.left) == (2, 0, 0)
    done = chasing.resend_all(team.actor, team.organisation.id, Stage.ACTIVATION)
    assert (done.sent, done.recent) == (0, 2)
    assert sorted(mails()) == ["deux", "un"]
    with pytest.raises(TooManyAttempts, match=r"a déjà été relancé\(e\) il y a moins d'une heure"):
        ordering.resend_invitation(team.actor, team.rows["un"].id)
    assert chasing.resend_all(team.actor, team.organisation.id, Stage.VALIDATION).sent == 0  # one's own is not chased


@pytest.mark.spec("ORD-7")
def test_a_click_tells_a_bounded_number_and_says_how_many_are_left(team: Team, monkeypatch: Any) -> None:
    monkeypatch.setattr(chasing, "AT_ONCE", 1)
    for name in ("a", "b", "c"):
        team.order_for(name, activated=True)
    done = chasing.resend_all(team.actor, team.organisation.id, Stage.VALIDATION)
    assert (done.sent, done.left) == (1, 2)
    assert mails() == ["a"]


@pytest.mark.spec("ORD-7", "PPL-2")
def test_nobody_chases_for_another_organisation(team: Team) -> None:
    stranger = factories.actor(factories.administrator(factories.organisation()))
    for act in (
        lambda: chasing.resend_all(stranger, team.organisation.id, Stage.ACTIVATION),
        lambda: basket.add_all_ready(stranger, team.organisation.id),
    ):
        with pytest.raises(NotFound):
            act()
    with pytest.raises(DomainError):
        chasing.resend_all(team.actor, team.organisation.id, Stage.READY)


@pytest.mark.spec("ORD-7", "PAY-1")
def test_what_is_ready_goes_into_the_basket_without_the_rest(team: Team, monkeypatch: Any) -> None:
    team.order_for("attend")
    for name in ("un", "deux"):
        team.order_for(name, activated=True, state=RequestState.EN_ATTENTE_DE_PAIEMENT)
    payments_under_way(1, administrator=team.administrator)
    assert basket.add_all_ready(team.actor, team.organisation.id) == 2
    inside = {name for name, row in team.rows.items() if row.basket_added_at is not None}
    assert inside == {"un", "deux"}
    with pytest.raises(DomainError, match="Aucune autre demande n'est prête"):
        basket.add_all_ready(team.actor, team.organisation.id)
    team.order_for("trois", activated=True, state=RequestState.EN_ATTENTE_DE_PAIEMENT)
    monkeypatch.setattr(basket, "BASKET_LIMIT", 2)
    with pytest.raises(DomainError, match="panier est plein"):
        basket.add_all_ready(team.actor, team.organisation.id)


def mend(team: Team, name: str, email: str) -> None:
    withdrawing.correct(team.actor, team.rows[name].id, {"email": email})


@pytest.mark.spec("ORD-7")
def test_changing_an_address_to_and_fro_floods_nobody(team: Team) -> None:
    row = team.order_for("faute")
    for turn in range(3):
        mend(team, "faute", f"autre{turn}@exemple.tn")
        mend(team, "faute", "victime@exemple.tn")
    mend(team, "faute", "autre@exemple.tn")
    with pytest.raises(TooManyAttempts):
        mend(team, "faute", "victime@exemple.tn")
    assert row.email == "autre@exemple.tn"
    to_victim = select(func.count()).where(OutboxMail.recipient == "victime@exemple.tn")
    assert db.session.scalar(to_victim) == 3


@pytest.mark.spec("ORD-7")
def test_a_mended_address_takes_all_that_waits_and_the_old_invitation_opens_nothing(team: Team) -> None:
    row = team.order_for("faute")
    old = row.applicant
    twin = factories.certificate_request(team.organisation, applicant=old, by=team.administrator)
    ended = factories.certificate_request(
        team.organisation, applicant=old, by=team.administrator, state=RequestState.ANNULEE
    )
    old.temporary_password_hash = passwords.hash_password("abcd-efgh-jkmn-pqrs")
    old.temporary_password_expires_at = clock.now() + timedelta(days=7)
    db.session.commit()
    mend(team, "faute", "juste@exemple.tn")
    assert row.applicant_id == twin.applicant_id != old.id
    assert row.email == twin.email == "juste@exemple.tn"
    assert ended.applicant_id == old.id  # its history stays, without a key to it
    assert old.temporary_password_hash is None
    with pytest.raises(accounts.LoginRefused):
        accounts.log_in(old.email, "abcd-efgh-jkmn-pqrs", ip="127.0.0.1", user_agent="")
    assert mails() == ["juste"]  # one invitation, to the new address
    for each in (row, twin):
        [line] = db.session.scalars(select(HistoryEntry).where(HistoryEntry.request_id == each.id))
        assert line.action == "email_mended"
    journal = select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "email_mended")
    assert db.session.scalar(journal) == 2


@pytest.mark.spec("ORD-7")
def test_a_wrong_address_that_waits_for_another_organisation_keeps_its_invitation(team: Team) -> None:
    row = team.order_for("faute")
    other = factories.organisation()
    factories.certificate_request(other, applicant=row.applicant, by=factories.administrator(other))
    old = row.applicant
    old.temporary_password_hash = passwords.hash_password("abcd-efgh-jkmn-pqrs")
    db.session.commit()
    mend(team, "faute", "juste@exemple.tn")
    assert old.temporary_password_hash is not None


@pytest.mark.spec("ORD-7")
def test_an_activated_account_keeps_its_address(team: Team) -> None:
    team.order_for("actif", activated=True)
    with pytest.raises(ValidationFailed) as refusal:
        mend(team, "actif", "autre@exemple.tn")
    assert "a activé son compte" in str(refusal.value.errors["email"])


# ------------------------------------------------------------------------------------- the invitation's end


def expired(row: CertificateRequest) -> accounts.InvitationExpired:
    """What the login says of the right temporary password, too late."""
    row.applicant.temporary_password_hash = passwords.hash_password("abcd-efgh-jkmn-pqrs")
    row.applicant.temporary_password_expires_at = clock.now() - timedelta(minutes=1)
    db.session.commit()
    with pytest.raises(accounts.InvitationExpired) as late:
        accounts.log_in(row.applicant.email, "abcd-efgh-jkmn-pqrs", ip="127.0.0.1", user_agent="")
    return late.value


@pytest.mark.spec("APP-1")
def test_an_expired_invitation_sends_a_new_one_to_its_own_address_once_an_hour(team: Team, travel: Any) -> None:
    row = team.order_for("lent")
    said = inviting.renew_expired(expired(row), ip="127.0.0.1")
    assert "Un nouveau vient de partir" in said
    assert mails() == ["lent"]
    assert row.applicant.temporary_password_expires_at > clock.now() + timedelta(days=6)
    assert row.state is RequestState.NON_FINALISEE
    again = inviting.renew_expired(accounts.InvitationExpired(row.applicant_id), ip="127.0.0.1")
    assert "il y a moins d'une heure" in again
    assert mails() == ["lent"]


@pytest.mark.spec("APP-1", "LOG-2")
def test_an_expired_invitation_with_nothing_left_to_validate_is_only_told(team: Team) -> None:
    row = team.order_for("retire", state=RequestState.ANNULEE)
    assert "Demandez une nouvelle invitation" in inviting.renew_expired(expired(row), ip="127.0.0.1")
    assert mails() == []

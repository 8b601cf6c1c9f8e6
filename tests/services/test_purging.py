"""The reminder and the purge of registrations nobody activated (ACT-3, ACT-4), and what stays of them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app import clock
from app.extensions import db
from app.models import (
    AuditEntry,
    CertificateRequest,
    Contract,
    DestructionRecord,
    Document,
    DocumentKind,
    HistoryEntry,
    LegalRepresentative,
    Organisation,
    OutboxMail,
    RoleGrant,
    User,
)
from app.permissions import Role, visitor
from app.services import accounts, activation, contracts, documents, files, outbox, passwords, purging
from app.services.unit_of_work import use_case
from app.states import OrganisationState, Verdict
from tests import factories

PDF = b"%PDF-1.4\n%test\n"


def registration(*, administrators: int = 1):
    """An organisation as sign-up leaves it: people with temporary passwords, a stored document and contract."""
    of = factories.organisation(OrganisationState.EN_ATTENTE_ACTIVATION)
    people = [
        factories.administrator(
            of,
            activated=False,
            temporary_password_hash=passwords.hash_password("Temporaire-2026"),
            temporary_password_expires_at=of.activation_deadline,
            invited_at=clock.now(),
        )
        for _place in range(administrators)
    ]
    paper = factories.document(organisation_id=of.id)
    files.storage().put(paper.storage_key, PDF)
    _sign_up(of.id)
    return of, people, paper


@use_case
def _sign_up(organisation_id):
    of = db.session.get_one(Organisation, organisation_id)
    contract = contracts.issue_contract(of, actor=visitor("203.0.113.9"))
    for user in contracts.administrators_of(of.id):
        activation.write_invitation("activation_reminder", user, of, until=of.activation_deadline)
    assert contract.version_number == 1


def first_password(user_id, password="une phrase de passe nouvelle"):
    user = db.session.get_one(User, user_id)
    accounts.choose_password(user_id, password, actor=factories.actor(user), keep_token=None)


@pytest.mark.spec("ACT-3")
def test_an_overdue_registration_goes_with_its_people_files_mails_and_history(app, travel):
    of, people, paper = registration(administrators=2)
    organisation_id, ids, tax_id = of.id, [user.id for user in people], of.tax_id
    emails = [user.email for user in people]
    keys = [paper.storage_key, *db.session.scalars(select(Contract.storage_key))]
    assert all(files.storage().exists(key) for key in keys)
    travel(hours=47, minutes=59)
    purging.purge_unactivated()
    assert db.session.get(Organisation, organisation_id) is not None
    travel(minutes=2)
    assert purging.purge_unactivated() == "Inscriptions supprimées : 1. Administrateurs retirés : 0."
    for model in (Organisation, LegalRepresentative, Contract, Document, HistoryEntry, RoleGrant):
        assert db.session.scalar(select(func.count()).select_from(model)) == 0, model
    assert not db.session.scalars(select(User).where(User.id.in_(ids))).all()
    assert not any(files.storage().exists(key) for key in keys)
    # The matricule and the e-mails are free again.
    again = factories.organisation(OrganisationState.EN_ATTENTE_ACTIVATION, tax_id=tax_id)
    factories.administrator(again, email=emails[0])


@pytest.mark.spec("ACT-3")
def test_the_register_and_the_journal_keep_nothing_personal(app, travel):
    of, people, _paper = registration()
    private = {of.legal_name, of.tax_id, of.representative.identity_number, of.representative.email}
    private |= {people[0].email, people[0].last_name, people[0].identity_number, people[0].mobile}
    reference = of.reference
    travel(hours=49)
    purging.purge_unactivated()
    line = db.session.scalars(select(DestructionRecord)).one()
    assert line.what == f"Organisation {reference}"
    assert line.counts["people"] == 1
    assert line.counts["documents"] == 1
    assert line.counts["contracts"] == 1
    kept = json.dumps([line.what, line.reason, line.counts], ensure_ascii=False)
    for entry in db.session.scalars(select(AuditEntry)):
        kept += json.dumps([entry.actor_label, entry.before, entry.after, entry.subject_id], ensure_ascii=False)
    assert [word for word in private if word in kept] == []


@pytest.mark.spec("ACT-3")
def test_each_person_is_told_and_the_mail_leaves_no_trace_once_sent(app, travel):
    of, people, _paper = registration(administrators=2)
    emails, name = {user.email for user in people}, of.legal_name
    travel(hours=49)
    purging.purge_unactivated()
    mails = db.session.scalars(select(OutboxMail)).all()
    assert {mail.recipient for mail in mails} == emails
    for mail in mails:
        assert mail.subject == "Votre inscription au portail ECERT a été supprimée"
        assert mail.organisation_id is None
        assert name not in mail.text + mail.html
        outbox.mark_sent(mail.id)
    purging.purge_unactivated()
    assert db.session.scalar(select(func.count()).select_from(OutboxMail)) == 0


@pytest.mark.spec("ACT-3")
def test_somebody_with_another_role_loses_only_the_registration(app, travel):
    of, people, _paper = registration()
    known = factories.applicant()
    known.grants.append(
        RoleGrant(role=Role.ADMIN_ORGANISATION, organisation_id=of.id, granted_at=clock.now()),
    )
    db.session.commit()
    known_id, gone = known.id, people[0].id
    request = factories.certificate_request(applicant=known)
    travel(hours=49)
    purging.purge_unactivated()
    assert db.session.get(User, gone) is None
    kept = db.session.get_one(User, known_id)
    assert [grant.role for grant in kept.grants] == [Role.DEMANDEUR]
    assert db.session.get(CertificateRequest, request.id) is not None


@pytest.mark.spec("ACT-3", "ACT-4")
@pytest.mark.parametrize("state", [state for state in OrganisationState if state != "EN_ATTENTE_ACTIVATION"])
def test_an_activated_organisation_is_never_purged_however_long_tuntrust_takes(app, travel, state):
    of = factories.organisation(state)
    who = factories.administrator(of)
    travel(days=400)
    purging.purge_unactivated()
    assert db.session.get_one(Organisation, of.id).state is state
    assert db.session.get(User, who.id) is not None


@pytest.mark.spec("ACT-2", "ACT-4")
def test_the_first_password_activates_the_organisation_without_any_agent(app, travel):
    of, people, _paper = registration()
    travel(hours=47)
    first_password(people[0].id)
    changed = db.session.get_one(Organisation, of.id)
    assert changed.state is OrganisationState.A_VERIFIER
    assert changed.complete_since == changed.activated_at
    travel(hours=10)
    purging.purge_unactivated()
    assert db.session.get(Organisation, of.id) is not None


@pytest.mark.spec("ACT-3")
def test_the_reminder_goes_once_after_a_day_with_a_fresh_password_and_the_contract(app, travel):
    of, people, _paper = registration(administrators=2)
    earlier = set(db.session.scalars(select(OutboxMail.id)))
    travel(hours=23, minutes=59)
    activation.remind_unactivated()
    assert set(db.session.scalars(select(OutboxMail.id))) == earlier
    travel(minutes=2)
    assert activation.remind_unactivated() == "Rappels envoyés : 2."
    assert activation.remind_unactivated() == "Rappels envoyés : 0."
    mails = db.session.scalars(select(OutboxMail).where(OutboxMail.id.not_in(earlier))).all()
    assert {mail.recipient for mail in mails} == {user.email for user in people}
    for mail in mails:
        assert mail.subject == "Il vous reste 24 heures pour activer votre compte ECERT"
        assert mail.secret
        assert [part["media_type"] for part in mail.attachments] == ["application/pdf"]
    user = db.session.get_one(User, people[0].id)
    assert user.temporary_password_expires_at == db.session.get_one(Organisation, of.id).activation_deadline
    mine = next(mail for mail in mails if mail.recipient == user.email)
    fresh = mine.text.split("Mot de passe temporaire :")[1].split()[0]
    login = accounts.log_in(user.email, fresh, ip="127.0.0.1", user_agent="test")
    assert login.must_change_password


@pytest.mark.spec("ACT-3")
def test_nobody_who_activated_is_reminded(app, travel):
    _of, people, _paper = registration(administrators=2)
    first_password(people[0].id)
    before = set(db.session.scalars(select(OutboxMail.id)))
    travel(hours=25)
    assert activation.remind_unactivated() == "Rappels envoyés : 1."
    mails = db.session.scalars(select(OutboxMail).where(OutboxMail.id.not_in(before))).all()
    assert [mail.recipient for mail in mails] == [people[1].email]


@pytest.mark.spec("ACT-3")
def test_a_second_administrator_who_did_not_activate_goes_alone_and_the_contract_follows(app, travel):
    of, people, _paper = registration(administrators=2)
    first_password(people[0].id)
    identity = factories.document(DocumentKind.ADMINISTRATOR_IDENTITY, organisation_id=of.id, user_id=people[1].id)
    files.storage().put(identity.storage_key, PDF)
    key, second = identity.storage_key, people[1].id
    travel(hours=49)
    assert purging.purge_unactivated() == "Inscriptions supprimées : 0. Administrateurs retirés : 1."
    assert db.session.get(User, second) is None
    assert not files.storage().exists(key)
    assert [user.id for user in contracts.administrators_of(of.id)] == [people[0].id]
    current = contracts.current_contract(of.id)
    assert current.version_number == 2
    assert len(current.data["administrators"]) == 1
    assert db.session.get_one(Organisation, of.id).state is OrganisationState.A_VERIFIER
    assert purging.purge_unactivated() == "Inscriptions supprimées : 0. Administrateurs retirés : 0."


@pytest.mark.spec("ACT-3")
def test_an_accepted_contract_is_not_issued_again_for_a_second_administrator_s_silence(app, travel):
    of, people, _paper = registration(administrators=2)
    first_password(people[0].id)
    contract = contracts.current_contract(of.id)
    copy = factories.document(
        DocumentKind.SIGNED_CONTRACT, organisation_id=of.id, contract_id=contract.id, verdict=Verdict.ACCEPTE
    )
    contract.signed_document_id = copy.id
    db.session.commit()
    travel(hours=49)
    purging.purge_unactivated()
    assert contracts.current_contract(of.id).version_number == 1


@pytest.mark.spec("ACT-3")
def test_an_invitation_given_again_has_its_own_48_hours(app, travel):
    of, people, _paper = registration(administrators=2)
    first_password(people[0].id)
    travel(hours=47)
    second = db.session.get_one(User, people[1].id)
    second.invited_at = clock.now()
    db.session.commit()
    travel(hours=2)
    purging.purge_unactivated()
    assert len(contracts.administrators_of(of.id)) == 2
    travel(hours=47)
    purging.purge_unactivated()
    assert len(contracts.administrators_of(of.id)) == 1


@pytest.mark.spec("ACT-3")
def test_whoever_comes_after_the_purge_is_told_and_nothing_fails(app, travel):
    _of, people, _paper = registration()
    user = people[0]
    actor, user_id = factories.actor(user), user.id
    travel(hours=49)
    purging.purge_unactivated()
    with pytest.raises(activation.RegistrationExpired, match="n'a pas été activée à temps"):
        accounts.choose_password(user_id, "une phrase de passe nouvelle", actor=actor, keep_token=None)


@pytest.mark.spec("ACT-3")
def test_a_purge_given_up_in_the_middle_leaves_everything(app, travel, monkeypatch):
    of, people, paper = registration()
    travel(hours=49)

    def broken(*_args, **_values):
        raise RuntimeError("power cut")

    monkeypatch.setattr(purging, "_register", broken)
    with pytest.raises(RuntimeError):
        purging.purge_organisation(of.id)
    db.session.rollback()
    assert db.session.get(Organisation, of.id) is not None
    assert db.session.get(User, people[0].id) is not None
    assert files.storage().exists(paper.storage_key)
    assert documents.content(db.session.get_one(Document, paper.id)) == PDF


@pytest.mark.spec("ACT-4")
def test_the_delay_follows_the_setting(app, travel):
    from app.services import settings

    settings.change("activation.hours", "72", actor=factories.actor(factories.staff(Role.ADMINISTRATEUR)))
    assert activation.activation_period() == timedelta(hours=72)

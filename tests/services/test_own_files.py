"""Nobody examines their own file; nobody is taken away from their organisation; nobody is shut out of their place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import clock
from app.errors import DomainError, Forbidden, TooManyAttempts
from app.extensions import db
from app.models import Document, DocumentKind, RoleGrant, User
from app.permissions import Actor, Role, visitor
from app.services import accounts, administrators, attempts, certificates, deciding, drafts, verdicts, verifying
from app.states import OrganisationState, RequestState, Verdict
from tests import factories as f
from tests.support import reviewing as r

Act = Callable[[Actor], Any]


@pytest.fixture
def two_hats(app: Flask) -> User:
    """An agent who is also the applicant of a certificate."""
    return f.user(Role.AGENT, Role.DEMANDEUR)


# ------------------------------------------------------------------------------------------ one's own file


@pytest.mark.spec("PPL-3")
def test_an_agent_decides_nothing_about_their_own_certificate(two_hats: User) -> None:
    own = r.request_file(applicant=two_hats)
    paper = f.document(DocumentKind.APPLICANT_IDENTITY, request_id=own.id)
    acts: list[Act] = [
        lambda actor: deciding.approve(own.id, actor=actor),
        lambda actor: deciding.reject(own.id, actor=actor, reason="À la place d'un autre."),
        lambda actor: verdicts.accept_document(paper.id, actor=actor),
        lambda actor: verdicts.give_field_verdict(
            "last_name", Verdict.ACCEPTE, actor=actor, value_seen=own.last_name, request_id=own.id
        ),
    ]
    for act in acts:
        with pytest.raises(Forbidden):
            act(f.actor(two_hats))
    db.session.rollback()
    assert db.session.get_one(Document, paper.id).verdict is Verdict.A_VERIFIER
    assert r.request_file(applicant=f.applicant()).id  # somebody else's is theirs to decide
    verdicts.accept_document(paper.id, actor=f.actor(f.staff()))
    assert deciding.approve(own.id, actor=f.actor(f.staff())).approved_at is not None


@pytest.mark.spec("PPL-3")
def test_an_agent_records_no_certificate_for_themselves(two_hats: User) -> None:
    own = r.request_file(approved=True, applicant=two_hats)
    with pytest.raises(Forbidden):
        certificates.record_certificate(own.id, b"not looked at", actor=f.actor(two_hats))


@pytest.mark.spec("PPL-3")
def test_an_officer_neither_verifies_nor_suspends_their_own_organisation(app: Flask) -> None:
    of = r.organisation_file(OrganisationState.A_VERIFIER)
    officer = f.user(Role.SUPERVISEUR)
    officer.grants.append(RoleGrant(role=Role.ADMIN_ORGANISATION, organisation_id=of.id, granted_at=clock.now()))
    db.session.commit()
    paper = db.session.scalars(select(Document).where(Document.organisation_id == of.id).limit(1)).one()
    request = f.certificate_request(of, RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST)
    acts: list[Act] = [
        lambda actor: verifying.verify_organisation(of.id, actor=actor),
        lambda actor: verifying.suspend_organisation(of.id, actor=actor, reason="Une raison."),
        lambda actor: verdicts.refuse_document(paper.id, actor=actor, reason="Illisible."),
        lambda actor: deciding.reject(request.id, actor=actor, reason="Une raison."),
    ]
    for act in acts:
        with pytest.raises(Forbidden):
            act(f.actor(officer))
    other = r.organisation_file(OrganisationState.A_VERIFIER)
    verifying.verify_organisation(other.id, actor=f.actor(officer))


# -------------------------------------------------------------------------- somebody else's administrator


@pytest.mark.spec("PPL-2")
def test_an_administrator_of_another_organisation_cannot_be_named_here(app: Flask) -> None:
    here, there = f.organisation(OrganisationState.A_VERIFIER), f.organisation(OrganisationState.A_VERIFIER)
    mine, theirs = f.administrator(here), f.administrator(there)
    person = {name: getattr(theirs, name) for name in f.person(0)}
    with pytest.raises(DomainError) as refusal:
        administrators.add_administrator(here.id, person, actor=f.actor(mine))
    assert refusal.value.field == "email"
    db.session.rollback()
    assert accounts.actor_for(theirs, ip=None, locale="fr").organisation_ids == {there.id}


@pytest.mark.spec("CON-2", "PPL-1")
def test_an_applicant_with_an_account_can_be_named(app: Flask) -> None:
    here = f.organisation(OrganisationState.A_VERIFIER)
    mine, colleague = f.administrator(here), f.applicant()
    person = {name: getattr(colleague, name) for name in f.person(0)}
    assert administrators.add_administrator(here.id, person, actor=f.actor(mine)).id == colleague.id


# -------------------------------------------------------------------------------------------- limits


@pytest.mark.spec("LOG-2")
def test_guessing_from_everywhere_does_not_shut_the_owner_out_of_their_usual_place(app: Flask) -> None:
    owner = f.user()
    accounts.log_in(owner.email, f.PASSWORD, ip="192.0.2.1", user_agent="test")
    key = attempts.key_for("login:owner", owner.email)
    for _guess in range(accounts.LOGINS_PER_ACCOUNT * 10):
        attempts.count_attempt(key, limit=10_000, window=accounts.LOGIN_WINDOW)
    with pytest.raises(TooManyAttempts):
        accounts.log_in(owner.email, f.PASSWORD, ip="198.51.100.9", user_agent="test")
    assert accounts.log_in(owner.email, f.PASSWORD, ip="192.0.2.1", user_agent="test").token
    for _guess in range(accounts.LOGINS_PER_ACCOUNT):  # and this place has its own limit
        with pytest.raises(accounts.LoginRefused):
            accounts.log_in(owner.email, "faux", ip="192.0.2.1", user_agent="test")
    with pytest.raises(TooManyAttempts):
        accounts.log_in(owner.email, "faux", ip="192.0.2.1", user_agent="test")


@pytest.mark.spec("SEC-3")
def test_new_drafts_do_not_renew_the_uploads_of_an_address(app: Flask) -> None:
    key = attempts.key_for("upload:address", "192.0.2.1")
    for _file in range(drafts.UPLOADS_PER_HOUR * 2):
        attempts.count_attempt(key, limit=10_000, window=accounts.LOGIN_WINDOW)
    with pytest.raises(TooManyAttempts):
        drafts.keep_file(drafts.start(), "rne_extract", b"%PDF-", "x.pdf", actor=visitor("192.0.2.1"))
    with pytest.raises(DomainError, match="PDF"):  # looked at, and refused for what it is
        drafts.keep_file(drafts.start(), "rne_extract", b"%PDF-", "x.pdf", actor=visitor("192.0.2.2"))
    assert db.session.scalar(select(func.count()).select_from(Document)) == 0

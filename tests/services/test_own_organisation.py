"""Rules of changing one's own organisation, on both databases (CON-1, CON-2, STA-1)."""

from __future__ import annotations

import io
from datetime import date

import pytest
from PIL import Image
from sqlalchemy import func, select

from app import clock
from app.errors import DomainError, IllegalTransition, NotFound, StaleObject
from app.extensions import db
from app.models import (
    Contract,
    Document,
    DocumentAsk,
    DocumentAskItem,
    DocumentKind,
    HistoryEntry,
    IdentityKind,
    Organisation,
    User,
)
from app.permissions import Role, visitor
from app.queries import own_organisation
from app.services import administrators, contracts, documents, files, organisations
from app.services.unit_of_work import use_case
from app.states import OrganisationState, Verdict
from tests import factories


def examined(colour="white"):
    out = io.BytesIO()
    Image.new("RGB", (300, 300), colour).save(out, "PNG")
    return documents.examine(out.getvalue(), "papier.png")


@use_case
def issue(organisation_id):
    return contracts.issue_contract(db.session.get_one(Organisation, organisation_id), actor=visitor("127.0.0.1")).id


@pytest.fixture
def own(app):
    of = factories.organisation(OrganisationState.A_VERIFIER)
    who = factories.administrator(of)
    issue(of.id)
    return of, factories.actor(who)


@pytest.mark.spec("CON-1")
def test_the_contract_keeps_its_number_over_versions_and_its_data_as_printed(own):
    of, actor = own
    organisations.change_data(of.id, {"city": "Bizerte"}, actor=actor)
    first, second = db.session.scalars(select(Contract).order_by(Contract.version_number))
    assert first.number == second.number
    assert (first.version_number, second.version_number) == (1, 2)
    assert first.data["organisation"]["city"] == "Tunis"
    assert second.data["organisation"]["city"] == "Bizerte"
    assert contracts.changes_between(first.data, second.data) == [("organisation.city", "Tunis", "Bizerte")]
    for version in (first, second):
        assert files.storage().get(version.storage_key).startswith(b"%PDF-")


@pytest.mark.spec("CON-1")
def test_a_contract_given_up_leaves_no_file_and_no_number(own):
    of, _actor = own
    before = {stored.key for stored in files.storage().keys("contracts")}

    @use_case
    def fail():
        contracts.issue_contract(db.session.get_one(Organisation, of.id), actor=visitor("127.0.0.1"))
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        fail()
    assert {stored.key for stored in files.storage().keys("contracts")} == before
    assert db.session.scalar(select(func.count()).select_from(Contract)) == 1


def test_two_organisations_have_two_numbers(own):
    other = factories.organisation(OrganisationState.A_VERIFIER)
    factories.administrator(other)
    issue(other.id)
    numbers = set(db.session.scalars(select(Contract.number)))
    assert len(numbers) == 2


@pytest.mark.spec("CON-1")
def test_a_signed_copy_of_a_superseded_version_is_refused(own):
    of, actor = own
    old = contracts.current_contract(of.id).id
    organisations.change_data(of.id, {"city": "Bizerte"}, actor=actor)
    with pytest.raises(StaleObject, match="nouvelle version"):
        organisations.upload_signed_contract(old, examined(), actor=actor)
    assert db.session.scalar(select(func.count()).select_from(Document)) == 0
    assert list(files.storage().keys("documents")) == []


@pytest.mark.spec("CON-1")
def test_who_signs_is_named_once_even_when_representative_and_administrator_are_one(app):
    of = factories.organisation(OrganisationState.A_VERIFIER)
    boss = of.representative
    who = factories.administrator(
        of,
        last_name=boss.last_name,
        first_name=boss.first_name,
        identity_number=boss.identity_number,
        identity_kind=boss.identity_kind,
    )
    issue(of.id)
    page = own_organisation.overview(factories.actor(who), of.id)
    assert page.contract.signatories == [f"{boss.first_name} {boss.last_name}"]


@pytest.mark.spec("CON-1", "STA-1")
@pytest.mark.parametrize("state", [OrganisationState.REJETEE, OrganisationState.SUSPENDUE])
def test_nothing_changes_in_a_rejected_or_suspended_organisation(own, state):
    of, actor = own
    of.state = state
    db.session.commit()
    with pytest.raises(IllegalTransition):
        organisations.change_data(of.id, {"city": "Bizerte"}, actor=actor)
    with pytest.raises(IllegalTransition):
        organisations.upload_signed_contract(contracts.current_contract(of.id).id, examined(), actor=actor)
    with pytest.raises(IllegalTransition):
        organisations.supply_organisation(of.id, actor=actor)


@pytest.mark.spec("PPL-2")
def test_another_s_organisation_does_not_exist(own):
    of, _actor = own
    stranger = factories.actor(factories.administrator(factories.organisation()))
    with pytest.raises(NotFound):
        organisations.change_data(of.id, {"city": "Bizerte"}, actor=stranger)
    with pytest.raises(NotFound):
        organisations.upload_signed_contract(contracts.current_contract(of.id).id, examined(), actor=stranger)
    with pytest.raises(NotFound):
        own_organisation.overview(stranger, of.id)


@pytest.mark.spec("CON-2")
def test_the_same_file_sent_twice_is_one_document(own):
    of, actor = own
    paper = factories.document(organisation_id=of.id)
    first = organisations.replace_document(paper.id, examined(), actor=actor, issued_on=clock.today()).id
    second = organisations.replace_document(paper.id, examined(), actor=actor, issued_on=clock.today()).id
    assert first == second
    with pytest.raises(StaleObject):
        organisations.replace_document(paper.id, examined("red"), actor=actor, issued_on=clock.today())


@pytest.mark.spec("ORG-4")
@pytest.mark.parametrize(
    ("issued", "last"),
    [
        (date(2026, 1, 15), date(2026, 4, 15)),
        (date(2026, 11, 30), date(2027, 2, 28)),
        (date(2027, 11, 30), date(2028, 2, 29)),
        (date(2026, 10, 31), date(2027, 1, 31)),
    ],
)
def test_three_months_after_an_extract_s_date(app, issued, last):
    assert organisations.fresh_until(issued) == last


@pytest.mark.spec("ORG-4")
def test_an_extract_of_exactly_three_months_still_counts(app, travel):
    from datetime import UTC, datetime

    travel.to(datetime(2026, 4, 15, 22, 30, tzinfo=UTC))  # still the 15th in Tunis
    organisations.check_extract_date(DocumentKind.RNE_EXTRACT, date(2026, 1, 15))
    travel.to(datetime(2026, 4, 15, 23, 30, tzinfo=UTC))  # the 16th in Tunis
    with pytest.raises(DomainError, match="plus de 3 mois"):
        organisations.check_extract_date(DocumentKind.RNE_EXTRACT, date(2026, 1, 15))


@pytest.mark.spec("STA-1")
def test_supply_needs_an_open_ask_and_every_answer(own):
    of, actor = own
    with pytest.raises(IllegalTransition):
        organisations.supply_organisation(of.id, actor=actor)
    ask = DocumentAsk(organisation_id=of.id, asked_at=clock.now())
    ask.items = [DocumentAskItem(position=0, document_kind=DocumentKind.SIGNED_CONTRACT, reason="À signer.")]
    db.session.add(ask)
    of.state = OrganisationState.PIECES_DEMANDEES
    db.session.commit()
    with pytest.raises(DomainError, match="Il reste 1 point"):
        organisations.supply_organisation(of.id, actor=actor)
    organisations.upload_signed_contract(contracts.current_contract(of.id).id, examined(), actor=actor)
    organisations.supply_organisation(of.id, actor=actor)
    assert db.session.get_one(Organisation, of.id).state is OrganisationState.A_VERIFIER
    with pytest.raises(IllegalTransition):
        organisations.supply_organisation(of.id, actor=actor)


@pytest.mark.spec("CON-2", "PPL-1")
def test_somebody_with_an_account_is_named_without_a_new_password(own):
    of, actor = own
    known = factories.applicant()
    hash_before = known.password_hash
    person = {name: getattr(known, name) for name in factories.person(0)}
    administrators.add_administrator(of.id, person, actor=actor)
    user = db.session.get_one(User, known.id)
    assert user.password_hash == hash_before
    assert {grant.role for grant in user.grants} == {Role.DEMANDEUR, Role.ADMIN_ORGANISATION}
    with pytest.raises(DomainError):
        administrators.resend_invitation(of.id, known.id, actor=actor)


@pytest.mark.spec("PPL-1", "SEC-1")
def test_an_account_is_not_given_to_somebody_else_s_identity(own):
    of, actor = own
    staff = factories.staff()
    for known in (staff, factories.applicant()):
        person = {**factories.person(), "email": known.email}
        with pytest.raises(DomainError) as refusal:
            administrators.add_administrator(of.id, person, actor=actor)
        assert refusal.value.field == "email"
    assert len(contracts.administrators_of(of.id)) == 1


@pytest.mark.spec("CON-2")
def test_a_replacement_that_fails_leaves_the_one_who_was_to_go(own):
    of, actor = own
    second = factories.administrator(of)
    first = db.session.get_one(User, actor.user_id)
    with pytest.raises(DomainError):
        administrators.add_administrator(
            of.id, {**factories.person(), "email": first.email}, actor=actor, in_place_of=second.id
        )
    assert second.id in {user.id for user in contracts.administrators_of(of.id)}


@pytest.mark.spec("CON-2", "ACT-3")
def test_replacing_somebody_who_never_activated_removes_their_account(own):
    of, actor = own
    second = factories.administrator(of, activated=False)
    email, gone = second.email, second.id
    administrators.add_administrator(of.id, factories.person(), actor=actor, in_place_of=gone)
    assert db.session.scalar(select(func.count()).where(User.email == email)) == 0
    assert email not in {user.email for user in contracts.administrators_of(of.id)}
    assert len(contracts.administrators_of(of.id)) == 2


@pytest.mark.spec("CON-1")
def test_naming_an_administrator_sends_a_verified_organisation_back(own):
    of, actor = own
    of.state = OrganisationState.VERIFIEE
    db.session.commit()
    administrators.add_administrator(of.id, factories.person(), actor=actor)
    assert db.session.get_one(Organisation, of.id).state is OrganisationState.A_VERIFIER
    actions = set(db.session.scalars(select(HistoryEntry.action)))
    assert {"change_data", "administrator_invited", "contract_issued"} <= actions


def test_a_foreigner_is_named_with_a_copy(own):
    of, actor = own
    person = {**factories.person(), "nationality": "FR", "identity_kind": IdentityKind.PASSEPORT}
    with pytest.raises(DomainError) as refusal:
        administrators.add_administrator(of.id, person, actor=actor)
    assert refusal.value.field == "identity_copy"
    user = administrators.add_administrator(of.id, person, actor=actor, identity_copy=examined())
    kept = db.session.scalars(select(Document)).one()
    assert (kept.kind, kept.user_id, kept.verdict) == (
        DocumentKind.ADMINISTRATOR_IDENTITY,
        user.id,
        Verdict.A_VERIFIER,
    )

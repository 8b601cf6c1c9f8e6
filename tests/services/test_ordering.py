"""Ordering: the list under way becomes one order, whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import clock
from app.errors import DomainError, NotFound, TooManyAttempts, ValidationFailed
from app.extensions import db
from app.models import CertificateRequest, CertificateType, HistoryEntry, IdentityKind, Order, OutboxMail, User
from app.permissions import Actor, Role
from app.queries import reference
from app.queries import requests as queries
from app.queries.requests import HistoryFilter
from app.services import ordering
from app.services.ordering import RequestLine
from app.states import OrganisationState, RequestState
from tests import factories


def line(**values: object) -> RequestLine:
    product = db.session.scalars(select(CertificateType)).one()
    declared = factories.person()
    return RequestLine(
        **{
            "certificate_type_id": product.id,
            "validity_years": 2,
            "domain_ids": (reference.usage_domains()[0].id,),
            "for_self": False,
            **declared,
            **values,
        }
    )


@pytest.fixture
def admin(app: Flask) -> Actor:
    return factories.actor(factories.administrator(factories.organisation()))


def requests_of_order(order_id: int) -> list[CertificateRequest]:
    return list(
        db.session.scalars(
            select(CertificateRequest).where(CertificateRequest.order_id == order_id).order_by(CertificateRequest.id)
        )
    )


def organisation_id(actor: Actor) -> int:
    return min(actor.organisation_ids)


def add(actor: Actor, *lines: RequestLine) -> None:
    for each in lines:
        ordering.save_line(actor, organisation_id(actor), each)


@pytest.mark.spec("ORD-4", "APP-1")
def test_the_list_becomes_one_order_of_unfinished_requests_and_invites_each_person(admin: Actor) -> None:
    people = [line(), line(), line()]
    add(admin, *people)
    order = ordering.send_order(admin, organisation_id(admin), attested=True)
    requests = requests_of_order(order.id)
    assert [request.state for request in requests] == [RequestState.NON_FINALISEE] * 3
    assert [request.email for request in requests] == [person.email for person in people]
    assert all(request.price_ht == 350_000 for request in requests)
    mails = db.session.scalars(select(OutboxMail).where(OutboxMail.kind == "request_created")).all()
    assert {mail.recipient for mail in mails} == {person.email for person in people}
    assert {mail.subject for mail in mails} == {"Création de la demande de certificat"}
    assert all(mail.secret for mail in mails)
    lines = db.session.scalars(select(HistoryEntry).where(HistoryEntry.action == "create")).all()
    assert len(lines) == 3
    assert ordering.draft_lines(admin, organisation_id(admin)) == []


@pytest.mark.spec("APP-1")
def test_the_temporary_password_is_mailed_in_clear_once_and_kept_only_as_a_hash(admin: Actor) -> None:
    person = line()
    add(admin, person)
    ordering.send_order(admin, organisation_id(admin), attested=True)
    user = db.session.scalars(select(User).where(User.email == person.email)).one()
    mail = db.session.scalars(select(OutboxMail).where(OutboxMail.recipient == person.email)).one()
    assert user.temporary_password_hash.startswith("$argon2id$")
    assert user.temporary_password_hash not in mail.text
    assert user.temporary_password_expires_at - clock.now() > timedelta(days=6, hours=23)


@pytest.mark.spec("APP-1")
def test_a_person_with_an_account_gets_only_the_notice(admin: Actor) -> None:
    known = factories.applicant()
    add(admin, line(**{name: getattr(known, name) for name in factories.person(0)}))
    ordering.send_order(admin, organisation_id(admin), attested=True)
    mail = db.session.scalars(select(OutboxMail).where(OutboxMail.recipient == known.email)).one()
    assert not mail.secret
    assert "temporaire" not in mail.text
    assert db.session.scalar(select(func.count()).select_from(User).where(User.email == known.email)) == 1


@pytest.mark.spec("ORD-3")
def test_the_administrator_as_applicant_keeps_one_account(admin: Actor) -> None:
    user = db.session.get_one(User, admin.user_id)
    own = {name: getattr(user, name) for name in factories.person(0)}
    add(admin, line(**{**own, "email": "autre@exemple.tn"}, for_self=True))
    order = ordering.send_order(admin, organisation_id(admin), attested=True)
    [request] = requests_of_order(order.id)
    assert request.applicant_id == admin.user_id
    assert request.email == user.email
    db.session.expire_all()
    assert {grant.role for grant in user.grants} == {Role.ADMIN_ORGANISATION, Role.DEMANDEUR}


@pytest.mark.spec("ORD-4")
def test_sending_twice_creates_one_order(admin: Actor) -> None:
    add(admin, line())
    ordering.send_order(admin, organisation_id(admin), attested=True)
    with pytest.raises(DomainError, match="déjà été envoyée"):
        ordering.send_order(admin, organisation_id(admin), attested=True)
    assert db.session.scalar(select(func.count()).select_from(Order)) == 1


@pytest.mark.spec("ORD-4")
def test_one_wrong_line_creates_nothing(admin: Actor) -> None:
    add(admin, line(), stale := line())
    stranger = factories.applicant()  # somebody takes the second person's address meanwhile
    stranger.email = stale.email
    db.session.commit()
    with pytest.raises(DomainError, match=stale.first_name):
        ordering.send_order(admin, organisation_id(admin), attested=True)
    assert db.session.scalar(select(func.count()).select_from(CertificateRequest)) == 0
    assert db.session.scalar(select(func.count()).select_from(OutboxMail)) == 0
    assert len(ordering.draft_lines(admin, organisation_id(admin))) == 2


@pytest.mark.spec("ORD-3")
def test_without_attestation_nothing_is_sent(admin: Actor) -> None:
    add(admin, line())
    with pytest.raises(DomainError) as refusal:
        ordering.send_order(admin, organisation_id(admin), attested=False)
    assert refusal.value.field == "attestation"


@pytest.mark.spec("ORD-3")
@pytest.mark.parametrize("shared", ["identity_number", "email"])
def test_one_email_one_person_on_the_list(admin: Actor, shared: str) -> None:
    first = line()
    add(admin, first)
    with pytest.raises(ValidationFailed) as refusal:
        add(admin, replace(line(), **{shared: getattr(first, shared)}))
    assert list(refusal.value.errors) == [shared]


@pytest.mark.spec("ORD-3")
@pytest.mark.parametrize("whose", ["another person", "staff", "myself"])
def test_somebody_elses_email_is_refused(admin: Actor, whose: str) -> None:
    owner = {
        "another person": lambda: factories.applicant(),
        "staff": lambda: factories.staff(identity_number=None, identity_kind=None),
        "myself": lambda: db.session.get_one(User, admin.user_id),
    }[whose]()
    with pytest.raises(ValidationFailed) as refusal:
        add(admin, line(email=owner.email))
    assert list(refusal.value.errors) == ["email"]


@pytest.mark.spec("ORD-3")
@pytest.mark.parametrize("wrong", [{"domain_ids": ()}, {"domain_ids": (999_999,)}, {"validity_years": 7}])
def test_what_is_not_on_offer_is_refused(admin: Actor, wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationFailed):
        add(admin, line(**wrong))


@pytest.mark.spec("PPL-2")
def test_another_organisations_list_does_not_exist(admin: Actor) -> None:
    other = factories.actor(factories.administrator(factories.organisation()))
    number = ordering.save_line(other, organisation_id(other), line())
    with pytest.raises(NotFound):
        ordering.save_line(admin, organisation_id(other), line())
    with pytest.raises(NotFound):
        ordering.save_line(admin, organisation_id(admin), line(), line_id=number)
    ordering.remove_line(admin, organisation_id(admin), number)
    assert len(ordering.draft_lines(other, organisation_id(other))) == 1


@pytest.mark.parametrize(
    "state", [OrganisationState.EN_ATTENTE_ACTIVATION, OrganisationState.REJETEE, OrganisationState.SUSPENDUE]
)
@pytest.mark.spec("STA-1")
def test_ordering_is_closed_outside_the_open_states(app: Flask, state: OrganisationState) -> None:
    actor = factories.actor(factories.administrator(factories.organisation(state)))
    with pytest.raises(DomainError, match="ne peut pas commander"):
        add(actor, line())


@pytest.mark.spec("APP-1", "ORD-7")
def test_an_invitation_is_resent_at_most_once_an_hour(admin: Actor, travel: object) -> None:
    person = line()
    add(admin, person)
    order = ordering.send_order(admin, organisation_id(admin), attested=True)
    [request] = requests_of_order(order.id)
    ordering.resend_invitation(admin, request.id)
    with pytest.raises(TooManyAttempts):
        ordering.resend_invitation(admin, request.id)
    travel(hours=1, minutes=1)  # type: ignore[operator]  # the fixture is a callable
    ordering.resend_invitation(admin, request.id)
    assert db.session.scalar(select(func.count()).select_from(OutboxMail)) == 3


@pytest.mark.spec("ORD-1")
def test_the_history_counts_filters_sorts_and_pages(admin: Actor) -> None:
    owner = db.session.get_one(User, admin.user_id).grants[0].organisation
    by = db.session.get_one(User, admin.user_id)
    who = factories.applicant(first_name="Sélima", last_name="Zouari")
    for _n in range(31):
        factories.certificate_request(owner, RequestState.EN_ATTENTE_DE_PAIEMENT, applicant=who, by=by)
    factories.certificate_request(owner, RequestState.ANNULEE, by=by)
    factories.certificate_request()  # another organisation's
    counts = queries.counters(owner.id)
    assert counts[RequestState.EN_ATTENTE_DE_PAIEMENT] == 31
    assert counts[RequestState.ANNULEE] == 1
    assert counts[RequestState.EN_ATTENTE_DE_JUSTIFICATIFS] == 0
    first = queries.history_page(owner.id, HistoryFilter(text="selima zouari"))
    assert (first.total, len(first.rows), first.pages) == (31, 30, 2)
    last = queries.history_page(owner.id, HistoryFilter(text="selima zouari", page=99))
    assert (last.page, len(last.rows)) == (2, 1)
    assert queries.history_page(owner.id, HistoryFilter(state=RequestState.ANNULEE)).total == 1


def test_a_line_survives_its_stored_form() -> None:
    entry = RequestLine(
        1, 2, (1, 2), False, "Gharbi", "Sonia", "الغربي", "سنية", date(1980, 2, 29), "TN", IdentityKind.CIN,
        "01234567", "+21620000000", "s@exemple.tn",
    )  # fmt: skip
    assert RequestLine.from_json(entry.to_json()) == entry

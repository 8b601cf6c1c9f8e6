"""Orders from a file: kept, checked, mended, ordered once and whole (ORD-5, ORD-6)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.errors import DomainError, NotFound
from app.extensions import db
from app.models import (
    CertificateRequest,
    CertificateType,
    HistoryEntry,
    ImportRowStatus,
    Order,
    OrderImport,
    OrderImportRow,
    OutboxMail,
    User,
)
from app.permissions import Actor
from app.services.order_files import confirming, drafting, templates
from app.services.order_files.reading import FileRefused
from app.states import RequestState
from bench.__main__ import counted_statements
from tests import factories
from tests.support.order_files import TITLES, csv_of, row, xlsx_of

STATUS = ImportRowStatus


@pytest.fixture
def admin(app: Flask) -> Actor:
    return factories.actor(factories.administrator(factories.organisation()))


def org(actor: Actor) -> int:
    return min(actor.organisation_ids)


def kind() -> int:
    return db.session.scalars(select(CertificateType.id)).one()


def send(actor: Actor, *rows: dict[str, str], **options: object) -> str:
    return drafting.receive(actor, org(actor), kind(), csv_of(rows), "equipe.csv", **options)  # type: ignore[arg-type]


def rows_of(actor: Actor, public_id: str) -> dict[int, OrderImportRow]:
    db.session.expire_all()
    return {each.number: each for each in drafting.rows_of(drafting.find(actor, org(actor), public_id))}


def statuses(actor: Actor, public_id: str) -> list[ImportRowStatus]:
    return [each.status for each in rows_of(actor, public_id).values()]


def wrong(actor: Actor, public_id: str, number: int) -> dict[str, str]:
    return dict(rows_of(actor, public_id)[number].problems)


def order(actor: Actor, public_id: str) -> Order:
    return confirming.confirm(actor, org(actor), public_id, attested=True)


def count(model: type) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


@pytest.mark.spec("ORD-5", "APP-1")
def test_a_file_becomes_one_order_of_everybody_in_it(admin: Actor) -> None:
    people = [row(), row(), row()]
    draft = send(admin, *people)
    assert statuses(admin, draft) == [STATUS.PRETE] * 3
    assert count(CertificateRequest) == 0
    made = order(admin, draft)
    requests = db.session.scalars(select(CertificateRequest).where(CertificateRequest.order_id == made.id)).all()
    assert {(each.email, each.identity_number, each.state) for each in requests} == {
        (each["email"], each["identity_number"], RequestState.NON_FINALISEE) for each in people
    }
    assert [len(each.domains) for each in requests] == [2, 2, 2]
    mails = db.session.scalars(select(OutboxMail).where(OutboxMail.kind == "request_created")).all()
    assert {mail.recipient for mail in mails} == {each["email"] for each in people}
    assert all(mail.secret for mail in mails)
    assert count(OrderImportRow) == 0
    assert order(admin, draft).id == made.id  # pressed again, it answers the same


@pytest.mark.spec("ORD-5")
def test_one_wrong_row_keeps_all_of_them_and_loses_none(admin: Actor) -> None:
    draft = send(admin, row(), row(birth_date="31/02/1980", mobile="71 000 000"), row())
    assert statuses(admin, draft) == [STATUS.PRETE, STATUS.A_CORRIGER, STATUS.PRETE]
    assert set(wrong(admin, draft, 3)) == {"birth_date", "mobile"}
    with pytest.raises(DomainError, match="attendent encore"):
        order(admin, draft)
    assert (count(Order), count(User)) == (0, 1)
    cells = rows_of(admin, draft)[3].cells
    drafting.mend_row(admin, org(admin), draft, 3, {**cells, "birth_date": "28/02/1980", "mobile": "2"})
    assert set(wrong(admin, draft, 3)) == {"mobile"}
    drafting.mend_row(admin, org(admin), draft, 3, {**cells, "birth_date": "28/02/1980", "mobile": "20 111 222"})
    assert len(order(admin, draft).reference) == 15
    assert count(CertificateRequest) == 3


@pytest.mark.spec("ORD-5")
def test_the_same_file_is_ordered_once_however_it_is_saved(admin: Actor) -> None:
    people = [row(), row()]
    made = order(admin, send(admin, *people))
    for data in (csv_of(reversed(people), mark=","), xlsx_of(people)):
        with pytest.raises(FileRefused, match=made.reference):
            drafting.receive(admin, org(admin), kind(), data, "encore.csv")
    other = factories.actor(factories.administrator(factories.organisation()))
    assert wrong(other, send(other, *people), 2) == {}  # another organisation's file is its own
    for request in db.session.scalars(select(CertificateRequest)):
        request.state = RequestState.ANNULEE
    db.session.commit()
    assert order(admin, send(admin, *people)).id != made.id


@pytest.mark.spec("ORD-5", "ORD-3")
def test_a_person_twice_in_a_file_and_somebody_elses_address(admin: Actor) -> None:
    first, second = row(), row()
    stranger = factories.applicant()
    twice = {**row(), "identity_number": first["identity_number"]}
    draft = send(admin, first, second, twice, row(email=second["email"]), row(email=stranger.email))
    assert statuses(admin, draft) == [STATUS.PRETE] * 2 + [STATUS.A_CORRIGER] * 3
    assert "à la ligne 2" in wrong(admin, draft, 4)["identity_number"]
    assert "ligne 3" in wrong(admin, draft, 5)["email"]
    assert "celle d'une autre personne" in wrong(admin, draft, 6)["email"]
    drafting.remove_row(admin, org(admin), draft, 2)
    assert wrong(admin, draft, 4) == {}


@pytest.mark.spec("ORD-6")
def test_who_has_one_already_is_ordered_with_a_reason_that_the_file_keeps(admin: Actor) -> None:
    known = factories.applicant()
    organisation = db.session.get_one(User, admin.user_id).grants[0].organisation
    open_one = factories.certificate_request(organisation, RequestState.EN_ATTENTE_DE_PAIEMENT, applicant=known)
    again = row(
        identity_number=known.identity_number,
        email=known.email,
        last_name=known.last_name,
        first_name=known.first_name,
        last_name_ar=known.last_name_ar,
        first_name_ar=known.first_name_ar,
    )
    draft = send(admin, row(), again)
    assert statuses(admin, draft) == [STATUS.PRETE, STATUS.A_CONFIRMER]
    assert open_one.reference in wrong(admin, draft, 3)["duplicate_reason"]
    with pytest.raises(DomainError):
        order(admin, draft)
    assert drafting.give_reasons(admin, org(admin), draft, {3: "  Second  poste "}) == 0
    made = order(admin, draft)
    request = db.session.scalars(
        select(CertificateRequest).where(
            CertificateRequest.order_id == made.id, CertificateRequest.identity_number == known.identity_number
        )
    ).one()
    assert request.duplicate_reason == "Second poste"
    line = db.session.scalars(select(HistoryEntry).where(HistoryEntry.request_id == request.id)).one()
    assert line.reason == "Second poste"


@pytest.mark.spec("ORD-5")
def test_what_a_spreadsheet_lost_is_put_back_and_said(admin: Actor) -> None:
    person = row()
    cells = {
        **person,
        "identity_number": int(person["identity_number"]),
        "mobile": int(person["mobile"].removeprefix("+")),
        "birth_date": (date(1985, 3, 17) - date(1899, 12, 30)).days,
    }
    data = xlsx_of([cells])
    draft = drafting.receive(admin, org(admin), kind(), data, "equipe.xlsx")
    [kept] = rows_of(admin, draft).values()
    assert kept.status is STATUS.PRETE
    assert (kept.line["identity_number"], kept.line["mobile"]) == (person["identity_number"], person["mobile"])
    assert kept.line["birth_date"] == "1985-03-17"
    said = dict(kept.remarks)
    assert person["identity_number"] in said["identity_number"]
    assert "17/03/1985" in said["birth_date"]


@pytest.mark.spec("ORD-5")
def test_a_line_named_twice_loses_nobody(admin: Actor) -> None:
    draft = send(admin, row(), row(email="faux"))
    twice = csv_of([{"line": "3", **row()}, {"line": "3", **row()}], titles={"line": "Ligne", **TITLES})
    with pytest.raises(DomainError, match="deux fois la même ligne"):
        drafting.add_file(admin, org(admin), draft, twice)
    assert statuses(admin, draft) == [STATUS.PRETE, STATUS.A_CORRIGER]


@pytest.mark.spec("ORD-5")
def test_a_file_of_mended_rows_takes_their_places_and_keeps_the_others(admin: Actor) -> None:
    draft = send(admin, row(), row(email="faux"), row(mobile="1"))
    sheet = templates.rows_to_mend("csv", kind(), list(rows_of(admin, draft).values())).decode("utf-8-sig")
    assert "Ligne" in sheet.splitlines()[0]
    assert len(sheet.splitlines()) == 3
    titles = {"line": "Ligne", **TITLES}
    mended = csv_of([{"line": "3", **row()}], titles=titles)
    said = drafting.add_file(admin, org(admin), draft, mended)
    assert said == ["1 ligne lue dans le nouveau fichier.", "2 lignes du premier sont gardées."]
    assert statuses(admin, draft) == [STATUS.PRETE, STATUS.PRETE, STATUS.A_CORRIGER]
    whole = [row(), row()]
    drafting.add_file(admin, org(admin), draft, csv_of(whole))  # without « Ligne »: the wrong ones go
    assert statuses(admin, draft) == [STATUS.PRETE] * 4


@pytest.mark.spec("ORD-5", "PPL-2")
def test_a_file_belongs_to_who_sent_it(admin: Actor) -> None:
    draft = send(admin, row())
    colleague = factories.actor(factories.administrator(db.session.get_one(User, admin.user_id).grants[0].organisation))
    for stranger in (colleague, factories.actor(factories.administrator(factories.organisation()))):
        with pytest.raises(NotFound):
            order(stranger, draft) if org(stranger) != org(admin) else drafting.find(stranger, org(stranger), draft)
        drafting.abandon(stranger, org(stranger), draft)
    assert statuses(admin, draft) == [STATUS.PRETE]
    drafting.abandon(admin, org(admin), draft)
    assert (count(OrderImport), count(OrderImportRow)) == (0, 0)


@pytest.mark.spec("ORD-5")
def test_what_changed_since_the_check_creates_nothing_and_says_which(admin: Actor) -> None:
    stale = row()
    draft = send(admin, row(), stale)
    factories.applicant(email=stale["email"])
    with pytest.raises(confirming.RowsChanged):
        order(admin, draft)
    assert (count(Order), count(OutboxMail)) == (0, 0)
    assert statuses(admin, draft) == [STATUS.PRETE, STATUS.A_CORRIGER]


@pytest.mark.spec("ORD-3", "ORD-5")
def test_the_administrator_in_the_file_keeps_one_account(admin: Actor) -> None:
    user = db.session.get_one(User, admin.user_id)
    own = {key: str(getattr(user, key)) for key in TITLES if key not in ("domains", "birth_date")}
    draft = send(admin, row(**own), row(email=user.email))
    assert statuses(admin, draft) == [STATUS.PRETE, STATUS.A_CORRIGER]
    drafting.remove_row(admin, org(admin), draft, 3)
    order(admin, draft)
    assert db.session.scalars(select(CertificateRequest.applicant_id)).all() == [admin.user_id]


@pytest.mark.spec("ORD-5")
def test_sent_twice_a_file_is_one_draft_and_an_old_one_goes(admin: Actor, travel: object) -> None:
    key = drafting.new_public_id()
    person = row()
    assert send(admin, person, public_id=key) == send(admin, person, public_id=key) == key
    assert send(admin, row(), public_id=key) != key  # back in the browser, and another file chosen
    assert (count(OrderImport), count(OrderImportRow)) == (1, 1)
    travel(hours=drafting.LIFE / timedelta(hours=1) + 1)  # type: ignore[operator]  # the fixture is a callable
    assert drafting.purge_files() == 1
    assert (count(OrderImport), count(OrderImportRow)) == (0, 0)


@pytest.mark.spec("ORD-5")
def test_the_templates_read_back_as_nobody_and_every_column(admin: Actor) -> None:
    for form in templates.KINDS:
        with pytest.raises(FileRefused, match="ne contient personne"):
            drafting.receive(admin, org(admin), kind(), templates.template(form, kind()), f"modele.{form}")


@pytest.mark.spec("ORD-5", "SPD-1")
def test_what_is_asked_of_the_database_does_not_grow_with_the_rows(admin: Actor) -> None:
    def selects(people: int) -> int:
        with counted_statements() as seen:
            order(admin, send(admin, *(row() for _n in range(people))))
        return sum(statement.startswith("SELECT") for statement in seen)

    assert selects(60) <= selects(2) + 2

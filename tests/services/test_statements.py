"""The gateway's statements against our books, to the millime (GAT-4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import clock
from app.errors import DomainError, Forbidden, NotFound
from app.extensions import db
from app.models import CreditOutcome, Organisation, Payment, PaymentMethod, StatementImport, StatementLine, User
from app.models import StatementMatch as M
from app.money import format_number
from app.permissions import Actor, Role
from app.queries import reconciliation, statements
from app.services import files
from app.services.credits.amounts import Wanted, left_of
from app.services.credits.refunding import refund_by_gateway
from app.services.payments import settle
from app.services.regularising import carrying, closing
from app.services.statements import importing
from app.services.unit_of_work import use_case
from app.states import PaymentState
from tests import factories
from tests.services.test_invoices import sell
from tests.support.crediting import Desk
from tests.support.paying import Shop, attempt, pay
from tests.support.reconciling import DUE, forced, paid_twice, to_carry_out, withdrawn
from tests.support.servers import HttpServer
from tests.support.statements import counted

HEAD = "date;operation;numero_de_commande;identifiant;montant_dt;devise"


def agent() -> Actor:
    return factories.actor(factories.staff())


def said(
    payment_id: int, amount: int = DUE, *, operation: str = "paiement", at: datetime | None = None, **other: str
) -> str:
    """A line about an attempt."""
    payment = attempt(payment_id)
    day = clock.local(at or clock.now()).strftime("%d/%m/%Y %H:%M:%S")
    number, order_id = other.get("number", payment.reference), other.get("order_id", payment.gateway_order_id)
    return f"{day};{operation};{number};{order_id};{format_number(amount, plain=True)};{other.get('currency', 'TND')}"


def imported(*lines: str, actor: Actor | None = None) -> int:
    """A statement read, confirmed and kept."""
    who = actor or agent()
    shown = importing.preview("\n".join([HEAD, *lines]).encode(), "releve.csv", actor=who)
    return importing.confirm(shown.token, actor=who)


def verdicts(statement_id: int) -> list[tuple[M, int]]:
    """How each line compares, and its difference in millimes."""
    db.session.rollback()
    rows = db.session.scalars(
        select(StatementLine).where(StatementLine.statement_id == statement_id).order_by(StatementLine.position)
    )
    return [(row.verdict, row.difference) for row in rows]


@pytest.mark.spec("GAT-4")
def test_every_operation_is_told_from_the_others_to_the_millime(gateway: HttpServer, app: Flask) -> None:
    desk = Desk()
    (_one, right), (_two, other), (_three, back) = sell(gateway), sell(gateway), sell(gateway)
    note = desk.issue(back, outcome=CreditOutcome.REMBOURSEMENT_PASSERELLE)
    assert note.refund is not None
    refund_by_gateway(note.refund.id, actor=desk.agent)
    _shop, twice = paid_twice(gateway)
    ids = [right.payment_id, other.payment_id, back.payment_id]
    paid = [each for each in db.session.scalars(select(Payment.id).order_by(Payment.id)) if each not in (*ids, twice)]
    statement = imported(
        said(right.payment_id),
        said(right.payment_id, at=clock.now() - timedelta(minutes=5)),
        said(other.payment_id, DUE + 1),
        said(back.payment_id),
        said(back.payment_id, operation="remboursement"),
        said(back.payment_id, 1_000, operation="remboursement"),
        said(twice),
        said(right.payment_id, number="PAYDAILLEURS", order_id=""),
        said(right.payment_id, order_id=attempt(other.payment_id).gateway_order_id or ""),
        said(right.payment_id, currency="EUR"),
        said(paid[0], number=""),
    )
    assert verdicts(statement) == [
        (M.CONFORME, 0),
        (M.EN_DOUBLE, DUE),
        (M.MONTANT, 1),
        (M.CONFORME, 0),
        (M.CONFORME, 0),
        (M.SANS_AVOIR, 1_000),
        (M.NON_PAYE, DUE),
        (M.INCONNU, DUE),
        (M.IDENTITE, DUE),
        (M.DEVISE, DUE),
        (M.CONFORME, 0),
    ]
    assert reconciliation.waiting().differences == 7
    for line in db.session.scalars(select(StatementLine)):
        happened, advice = statements.explanation(line)
        assert happened
        assert bool(advice) == (line.verdict not in (M.CONFORME, M.DEJA_RELEVE))
    file = statements.statement_file(statement)
    assert file is not None
    assert (file.waiting, file.given_back) == (7, DUE + 1_000)


@pytest.mark.spec("GAT-4")
def test_refunds_go_with_the_refunds_of_our_books(gateway: HttpServer, app: Flask) -> None:
    _shop, invoice = sell(gateway)
    desk = Desk()
    line_id = left_of(invoice).lines[0].line.id
    for part in (100_000, 50_000):
        note = desk.issue(
            invoice,
            outcome=CreditOutcome.REMBOURSEMENT_PASSERELLE,
            wanted=[Wanted(line_id, part, 0)],
            stamp_duty=0,
        )
        assert note.refund is not None
        refund_by_gateway(note.refund.id, actor=desk.agent)
    first = imported(
        said(invoice.payment_id),
        said(invoice.payment_id, 59_500, operation="refund"),
        said(invoice.payment_id, 118_000, operation="refund"),
    )
    assert verdicts(first) == [(M.CONFORME, 0), (M.CONFORME, 0), (M.MONTANT_REMBOURSE, -1_000)]
    second = imported(said(invoice.payment_id, 119_000, operation="refund", at=clock.now() - timedelta(hours=1)))
    assert verdicts(second) == [(M.SANS_AVOIR, 119_000)]  # 118,000 too many in all: our books gave back two parts


@pytest.mark.spec("GAT-4")
def test_what_the_desk_gave_back_agrees_with_the_statement(gateway: HttpServer, app: Flask) -> None:
    desk = Desk()
    _one, twice = paid_twice(gateway)
    carrying.carry_out(to_carry_out(desk, twice), actor=desk.agent)
    _two, gone = forced(4)(gateway)
    closing.acknowledge(gone, actor=desk.agent)
    statement = imported(
        said(twice),
        said(twice, operation="remboursement"),
        said(gone),
        said(gone, operation="remboursement"),
    )
    assert [match for match, _gap in verdicts(statement)][:4] == [M.CONFORME] * 4


@pytest.mark.spec("GAT-4")
def test_when_the_books_change_the_lines_follow_and_filed_ones_come_back(gateway: HttpServer, app: Flask) -> None:
    shop = Shop()
    opening = shop.start()
    _other, late = withdrawn(gateway)
    _shop, invoice = sell(gateway)
    desk, who = Desk(), agent()
    sold = invoice.payment_id
    lines = (said(opening.payment_id), said(late), said(sold), said(sold, 60_000, operation="refund"))
    statement = imported(*lines, actor=who)
    assert [match for match, _gap in verdicts(statement)] == [M.NON_PAYE, M.NON_PAYE, M.CONFORME, M.SANS_AVOIR]
    first, second, _third, given_back = db.session.scalars(
        select(StatementLine.id).order_by(StatementLine.position)
    ).all()
    for wrong in ("", " x "):
        with pytest.raises(DomainError):
            importing.file_line(given_back, reason=wrong, actor=who)
    filed = importing.file_line(given_back, reason="Geste commercial de la banque.", actor=who)
    assert (filed.resolved_by_id, filed.resolution) == (who.user_id, "Geste commercial de la banque.")
    with pytest.raises(DomainError, match="déjà classée"):
        importing.file_line(given_back, reason="Encore.", actor=who)
    assert importing.match_again(statement, actor=who) == 0
    assert db.session.get_one(StatementLine, given_back).resolved_at is not None
    part = [Wanted(left_of(invoice).lines[0].line.id, 50_000, 0)]
    note = desk.issue(invoice, outcome=CreditOutcome.REMBOURSEMENT_PASSERELLE, wanted=part, stamp_duty=0)
    assert note.refund is not None
    refund_by_gateway(note.refund.id, actor=desk.agent)
    assert importing.match_again(statement, actor=who) == 1
    again = db.session.get_one(StatementLine, given_back)
    assert (again.verdict, again.difference, again.resolved_at) == (M.MONTANT_REMBOURSE, 500, None)
    pay(gateway, opening.payment_id)
    settle(opening.payment_id)
    assert importing.match_again(statement, actor=who) == 1
    assert verdicts(statement)[:2] == [(M.CONFORME, 0), (M.NON_PAYE, DUE)]
    with pytest.raises(DomainError, match="concorde"):
        importing.file_line(first, reason="Rien à dire.", actor=who)
    assert db.session.get_one(StatementLine, second).resolved_at is None
    with pytest.raises(NotFound):
        importing.match_again(statement + 1, actor=who)


@pytest.mark.spec("GAT-4")
def test_what_no_statement_holds_is_listed_until_one_does(
    gateway: HttpServer, app: Flask, travel: Callable[..., datetime]
) -> None:
    """A payment made before midnight and confirmed after it belongs to two days: only both together lack it."""
    noon = clock.local(clock.now()).replace(hour=12, minute=0, second=0, microsecond=0)
    travel.to(noon)  # type: ignore[attr-defined]  # the fixture's own class
    desk = Desk()
    _one, present = sell(gateway)
    _two, lost = sell(gateway)
    note = desk.issue(lost, outcome=CreditOutcome.REMBOURSEMENT_PASSERELLE)
    assert note.refund is not None
    refund_by_gateway(note.refund.id, actor=desk.agent)
    straddling = Shop().start()
    payment = attempt(straddling.payment_id)
    payment.created_at = noon.replace(hour=23, minute=58)
    payment.state, payment.settled_at = PaymentState.PAYE, noon.replace(hour=0, minute=2) + timedelta(days=1)
    db.session.commit()
    travel(days=3)
    at = noon + timedelta(minutes=1)
    who = agent()
    first = imported(said(present.payment_id, at=at), actor=who)
    assert verdicts(first) == [(M.CONFORME, 0), (M.ABSENT, -DUE), (M.ABSENT, -DUE)]
    _three, later = sell(gateway)
    next_day = imported(said(later.payment_id, at=noon + timedelta(days=1)), actor=who)
    assert (M.ABSENT, -DUE) in verdicts(next_day)
    [line] = db.session.scalars(
        select(StatementLine).where(StatementLine.statement_id == next_day, StatementLine.match == M.ABSENT)
    )
    assert line.payment_id == straddling.payment_id
    complement = imported(
        said(lost.payment_id, at=at), said(lost.payment_id, at=at, operation="remboursement"), actor=who
    )
    assert [match for match, _gap in verdicts(complement)] == [M.CONFORME] * 2
    assert importing.match_again(first, actor=who) == 2
    assert verdicts(first) == [(M.CONFORME, 0)]


@pytest.mark.spec("GAT-4")
def test_periods_that_overlap_count_nothing_twice(gateway: HttpServer, app: Flask) -> None:
    _shop, invoice = sell(gateway)
    at = clock.now() - timedelta(minutes=2)
    imported(said(invoice.payment_id, at=at))
    month = imported(said(invoice.payment_id, at=at), said(invoice.payment_id, at=at + timedelta(minutes=2)))
    assert [match for match, _gap in verdicts(month)] == [M.DEJA_RELEVE, M.EN_DOUBLE]


@pytest.mark.spec("GAT-4")
def test_a_statement_is_kept_once_and_whole(gateway: HttpServer, app: Flask) -> None:
    _shop, invoice = sell(gateway)
    data = "\n".join([HEAD, said(invoice.payment_id)]).encode()
    who, other = agent(), agent()
    shown = importing.preview(data, "releve.csv", actor=who)
    assert (shown.rows, shown.paid, shown.counts) == (1, DUE, {M.CONFORME: 1})
    assert db.session.scalar(select(func.count()).select_from(StatementImport)) == 0
    for token, person in (("x", who), (shown.token, other), (shown.token[:-2], who)):
        with pytest.raises(DomainError, match="plus valable"):
            importing.confirm(token, actor=person)
    statement = importing.confirm(shown.token, actor=who)
    assert importing.confirm(shown.token, actor=who) == statement
    kept = db.session.get_one(StatementImport, statement)
    assert (kept.row_count, kept.total, kept.imported_by_id) == (1, DUE, who.user_id)
    assert files.storage().get(kept.storage_key) == data
    with pytest.raises(DomainError, match="déjà importé") as told:
        importing.preview(data, "autre-nom.csv", actor=other)
    assert told.value.field == "file"
    wrong = importing.preview(data + b"\nhier;paiement;PAY1;;1,000;TND", "faux.csv", actor=who)
    assert (wrong.token, wrong.problem_count) == ("", 1)
    for role in (Role.RESPONSABLE, Role.ADMINISTRATEUR):
        reader = factories.actor(factories.staff(role))
        with pytest.raises(Forbidden):
            importing.preview(data, "releve.csv", actor=reader)
        with pytest.raises(Forbidden):
            importing.confirm(shown.token, actor=reader)
        with pytest.raises(Forbidden):
            importing.file_line(1, reason="Non.", actor=reader)


@pytest.mark.spec("GAT-4")
def test_days_that_are_not_the_files_are_refused(gateway: HttpServer, app: Flask) -> None:
    _shop, invoice = sell(gateway)
    data = "\n".join([HEAD, said(invoice.payment_id)]).encode()
    today, who = clock.today(), agent()
    for field, days in (
        ("first", {"first": today + timedelta(days=1)}),
        ("last", {"last": today - timedelta(days=1)}),
    ):
        with pytest.raises(DomainError) as told:
            importing.preview(data, "releve.csv", actor=who, **days)
        assert told.value.field == field
    shown = importing.preview(data, "releve.csv", actor=who, first=today - timedelta(days=3), last=today)
    assert shown.period is not None
    assert clock.local(shown.period.first).date() == today - timedelta(days=3)
    assert shown.period.end <= clock.now() + timedelta(seconds=1)


def many(count: int) -> Sequence[str]:
    """Lines about as many paid attempts."""
    organisation, user = factories.organisation(), factories.user()
    use_case(lambda: _attempts(organisation, user, count))()
    return [f"{clock.today():%d/%m/%Y};paiement;PAYMASSE{n:06d};;424,500;TND" for n in range(count)]


def _attempts(organisation: Organisation, user: User, count: int) -> None:
    moment = clock.now()
    db.session.add_all(
        Payment(
            reference=f"PAYMASSE{n:06d}", return_token=f"masse-{n}", organisation_id=organisation.id,
            created_by_id=user.id, method=PaymentMethod.CARTE, state=PaymentState.PAYE, amount=DUE, stamp_duty=1_000,
            created_at=moment, expires_at=moment, settled_at=moment,
        )
        for n in range(count)
    )  # fmt: skip


@pytest.mark.spec("GAT-4", "SPD-1")
def test_many_lines_take_few_statements(app: Flask) -> None:
    lines, who = many(1_200), agent()
    shown = importing.preview("\n".join([HEAD, *lines]).encode(), "masse.csv", actor=who)
    assert shown.counts == {M.CONFORME: 1_200}
    with counted() as heard:
        statement = importing.confirm(shown.token, actor=who)
    assert len([one for one in heard if one.startswith("SELECT")]) < 15
    with counted() as heard:
        assert importing.match_again(statement, actor=who) == 0
    assert len(heard) < 15

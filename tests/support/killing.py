"""REL-3: kill -9 between the gateway's answer, the invoice, its paper and the mail; then a restart runs the jobs."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from unittest import mock

from flask import Flask
from sqlalchemy import func, select

from app import clock, scheduler
from app.extensions import db
from app.models import (
    CertificateRequest,
    ElectronicInvoice,
    Invoice,
    InvoiceArchive,
    OutboxMail,
    Payment,
    PaymentLine,
)
from app.services import files, invoice_archives, invoicing, mailing
from app.services.mailing import send_due_mails
from app.services.outbox import LEASE
from app.services.payments import reconcile_payments, settle, settling
from app.states import PaymentState, RequestState
from tests.support.paying import Shop, pay
from tests.support.processes import die, spawn
from tests.support.servers import HttpServer, MailServer


def _dies(*_given: object, **_named: object) -> None:
    die()


ADMINISTRATORS = 2  # of each shop

POINTS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "the gateway answered": lambda: mock.patch.object(settling, "apply_answer", _dies),
    "the invoice is written, nothing committed": lambda: mock.patch.object(invoicing, "mail_invoice", _dies),
    "confirmed, no paper yet": lambda: mock.patch.object(mailing, "_attachment", _dies),
    "the PDF is kept, its row is not": lambda: mock.patch.object(invoice_archives, "_write_down", _dies),
    "the server took the mail, nobody noted it": lambda: mock.patch.object(mailing.outbox, "mark_sent", _dies),
}
"""Places where a process dies, each the whole of its machine as far as this payment goes."""


@dataclass(slots=True)
class Kills:
    """What a series of kills did: where each one fell, and the seconds each restart took to put things right."""

    shops: list[Shop] = field(default_factory=list)
    fell: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)


def confirm_and_mail(_app: Flask, payment_id: int, dies_at: str = "") -> None:
    """All that follows a payment: confirmation, invoice, PDF with its TEIF, mails; or as far as the process lives."""
    with POINTS[dies_at]() if dies_at else nullcontext():
        settle(payment_id)
        send_due_mails()


def run_jobs(_app: Flask) -> float:
    """What the scheduler runs after a restart, once; the seconds it takes."""
    begun = time.perf_counter()
    reconcile_payments()
    send_due_mails()
    return time.perf_counter() - begun


def lead(app: Flask) -> None:
    """The scheduler itself, until it is killed."""
    scheduler.run(app, threading.Event())


def kill_at(app: Flask, gateway: HttpServer, point: str, kills: Kills) -> None:
    """A process that dies at a named point, then a restart."""
    _restart(app, paid_and_killed(app, gateway, point, kills), kills)


def paid_and_killed(app: Flask, gateway: HttpServer, point: str, kills: Kills) -> int:
    """A payment whose process died at that point; its id. Nothing was restarted yet."""
    shop, payment_id = _paid(gateway)
    kills.shops.append(shop)
    assert spawn(app, confirm_and_mail, payment_id, point).result() is None
    return payment_id


def kill_after(app: Flask, gateway: HttpServer, seconds: float, kills: Kills) -> None:
    """A process killed so long after it began, wherever it is then."""
    shop, payment_id = _paid(gateway)
    kills.shops.append(shop)
    child = spawn(app, confirm_and_mail, payment_id)
    child.await_begin()
    time.sleep(seconds)
    child.kill()
    _restart(app, payment_id, kills)


def whole_seconds(app: Flask, gateway: HttpServer, kills: Kills) -> float:
    """How long it takes when nobody kills it, the slowest of three."""
    taken = []
    for _run in range(3):
        shop, payment_id = _paid(gateway)
        child = spawn(app, confirm_and_mail, payment_id)
        child.await_begin()
        begun = time.perf_counter()
        child.result()
        taken.append(time.perf_counter() - begun)
        kills.shops.append(shop)
    return max(taken)


def random_kills(app: Flask, gateway: HttpServer, count: int, kills: Kills, seed: int) -> None:
    """``count`` kills at moments spread over the whole of the work."""
    dice = random.Random(seed)
    whole = whole_seconds(app, gateway, kills)
    for _index in range(count):
        kill_after(app, gateway, dice.uniform(0, whole), kills)


def _paid(gateway: HttpServer) -> tuple[Shop, int]:
    shop = Shop()
    payment_id = shop.start().payment_id
    pay(gateway, payment_id)
    return shop, payment_id


def _restart(app: Flask, payment_id: int, kills: Kills) -> None:
    """What the scheduler runs again; how long until the payment is confirmed, invoiced and its mails are queued."""
    kills.fell[_where(payment_id)] += 1
    kills.seconds.append(spawn(app, run_jobs).result())
    assert settled(payment_id), "not put right by one round of the jobs"


def settled(payment_id: int) -> bool:
    """Paid, invoiced, and a mail queued or sent for each administrator."""
    db.session.rollback()
    return _queued(payment_id) == ADMINISTRATORS


def _where(payment_id: int) -> str:
    """What the dead process left."""
    db.session.rollback()
    payment = db.session.get_one(Payment, payment_id, populate_existing=True)
    if payment.invoice is None:
        return "before the confirmation"
    if payment.invoice.archive is None:
        return "before the PDF"
    sent = db.session.scalar(
        select(func.count()).where(
            OutboxMail.sent_at.is_not(None), OutboxMail.organisation_id == payment.organisation_id
        )
    )
    return f"{sent} mails sent"


def _queued(payment_id: int) -> int:
    payment = db.session.get_one(Payment, payment_id, populate_existing=True)
    return (
        db.session.scalar(
            select(func.count()).where(
                OutboxMail.kind == "payment_confirmed",
                OutboxMail.organisation_id == payment.organisation_id,
                OutboxMail.dead_at.is_(None),
            )
        )
        or 0
    )


def check_kills(kills: Kills, smtp: MailServer) -> int:
    """Paid = invoiced = mailed, one each; archives whole; no row without what it points to. The files left over."""
    clock.shift(LEASE)  # what a dead process had claimed is due again
    while send_due_mails(limit=1000).sent:
        pass
    db.session.rollback()
    db.session.expire_all()
    for shop in kills.shops:
        _check_shop(shop, smtp)
    sequences = sorted(db.session.scalars(select(Invoice.sequence)))
    assert sequences == list(range(1, len(kills.shops) + 1))
    assert not db.session.scalars(select(PaymentLine.id).where(PaymentLine.live)).all()
    return _check_files()


def _check_shop(shop: Shop, smtp: MailServer) -> None:
    payment = db.session.scalars(select(Payment).where(Payment.organisation_id == shop.organisation_id)).one()
    invoice = db.session.scalars(select(Invoice).where(Invoice.organisation_id == shop.organisation_id)).one()
    assert (payment.state, payment.invoice) == (PaymentState.PAYE, invoice)
    states = db.session.scalars(
        select(CertificateRequest.state).where(CertificateRequest.organisation_id == shop.organisation_id)
    ).all()
    assert set(states) == {RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST}
    mails = db.session.scalars(
        select(OutboxMail).where(
            OutboxMail.organisation_id == shop.organisation_id, OutboxMail.kind == "payment_confirmed"
        )
    ).all()
    assert sorted(mail.recipient for mail in mails) == shop.emails
    for email in shop.emails:
        received = smtp.to(email)
        assert received, f"{email} received nothing"
        # A death between the server's « taken » and our note sends it again, under the same identifier
        assert len({str(mail.message["Message-ID"]) for mail in received}) == 1
        pdf = received[0].attachments[f"{invoice.number}.pdf"]
        assert invoice.archive is not None
        assert hashlib.sha256(pdf).hexdigest() == invoice.archive.sha256


def _check_files() -> int:
    """Every archive's bytes are those written down; how many files no row names."""
    kept: dict[str, str] = {}
    for model in (InvoiceArchive, ElectronicInvoice):
        for row in db.session.scalars(select(model)):
            kept[row.storage_key] = row.sha256
    assert len(kept) == 2 * (db.session.scalar(select(func.count()).select_from(Invoice)) or 0)
    for key, sha256 in kept.items():
        assert hashlib.sha256(files.storage().get(key)).hexdigest() == sha256
    return sum(stored.key not in kept for prefix in ("invoices", "teif") for stored in files.storage().keys(prefix))

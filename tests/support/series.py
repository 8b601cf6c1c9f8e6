"""REL-2: many writers of one series of numbers, some of whom give up or die holding the number they took."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import CreditNote, Invoice
from app.permissions import Actor, Role
from app.services.credits import issuing
from app.services.payments.settling import apply_answer
from app.services.unit_of_work import use_case
from tests import factories
from tests.support.crediting import Desk
from tests.support.processes import die, in_processes, in_threads
from tests.support.sold import paid_answer, payments_under_way

PROCESSES = 4
WRITERS = 16
GIVEN_UP = 0.2


class GaveUp(Exception):
    """The writer's transaction is rolled back after its number was taken."""


@dataclass(frozen=True, slots=True)
class Run:
    """What the writers report and what is in the table."""

    committed: int
    given_up: int
    killed: int
    errors: list[str]
    sequences: list[int]

    def check(self) -> None:
        """1 … n, each once: no gap, no duplicate (INV-1, AVO-2)."""
        assert self.errors == [], self.errors
        assert self.sequences == list(range(1, len(self.sequences) + 1)), "a gap or a duplicate"
        assert len(self.sequences) == self.committed, f"{len(self.sequences)} for {self.committed} committed"
        assert self.given_up > 0
        assert self.killed > 0, "nobody died"


@use_case
def _invoice(payment_id: int, *, end: str) -> None:
    apply_answer(payment_id, paid_answer(payment_id))
    _end(end)


@use_case
def _credit_note(proposal_id: int, *, actor: Actor, end: str) -> None:
    issuing.issue(proposal_id, actor=actor)
    _end(end)


def _end(how: str) -> None:
    db.session.flush()
    if how == "killed":
        die()
    if how == "given up":
        raise GaveUp


def write_invoices(app: Flask, each: int, *, writers: int = WRITERS, killed: int = 2) -> Run:
    """``writers`` × ``each`` payments confirmed, a fifth rolled back once and tried again; some writers die."""
    people = [factories.administrator(factories.organisation()) for _index in range(writers + killed)]
    work = [payments_under_way(each, administrator=person) for person in people[:writers]]
    doomed = [payments_under_way(2, administrator=person) for person in people[writers:]]
    return _run(app, work, doomed, _invoice, Invoice)


def write_credit_notes(app: Flask, each: int, *, writers: int = WRITERS, killed: int = 2) -> Run:
    """The same for credit notes: each writer has invoices of its own, a credit note a line."""
    desk = Desk()
    work = [_proposals(desk, each) for _index in range(writers)]
    doomed = [_proposals(desk, 2) for _index in range(killed)]
    supervisor = factories.actor(factories.staff(Role.SUPERVISEUR))

    def write(proposal_id: int, *, end: str) -> None:
        _credit_note(proposal_id, actor=supervisor, end=end)

    return _run(app, work, doomed, write, CreditNote)


def _proposals(desk: Desk, count: int) -> list[int]:
    lines = min(count, 25)
    person = factories.administrator(factories.organisation())
    found: list[int] = []
    for payment_id in payments_under_way(-(-count // lines), lines=lines, administrator=person):
        apply_answer(payment_id, paid_answer(payment_id))
        invoice = db.session.scalars(select(Invoice).where(Invoice.payment_id == payment_id)).one()
        requests = [line.request_id for line in invoice.payment.lines]
        found += [desk.prepare(invoice, request_ids=[each], stamp_duty=0) for each in requests]
    return found[:count]


def _run(
    app: Flask, work: list[list[int]], doomed: list[list[int]], write: Callable[..., Any], model: type[Any]
) -> Run:
    """The writers in threads of four processes; the doomed in processes of their own, dead at their last number."""

    def writer(ids: list[int], seed: int) -> Callable[[], tuple[int, int]]:
        dice = random.Random(seed)

        def run() -> tuple[int, int]:
            done = given_up = 0
            for each in ids:
                if dice.random() < GIVEN_UP:
                    try:
                        write(each, end="given up")
                    except GaveUp:
                        given_up += 1
                        if dice.random() < 0.5:
                            continue  # for good; the others are tried again
                write(each, end="committed")
                done += 1
            return done, given_up

        return run

    def process(mine: list[Callable[[], tuple[int, int]]]) -> Callable[[], list[Any]]:
        return lambda: [repr(each) if isinstance(each, Exception) else each for each in in_threads(app, mine)]

    def dies(ids: list[int]) -> Callable[[], None]:
        def run() -> None:
            for each in ids[:-1]:
                write(each, end="committed")
            write(ids[-1], end="killed")

        return run

    writers = [writer(ids, seed) for seed, ids in enumerate(work)]
    living: list[Callable[[], Any]] = [process(writers[first::PROCESSES]) for first in range(PROCESSES)]
    before = len(db.session.scalars(select(model.id)).all())
    patience = 600 + 5 * max(len(ids) for ids in work)  # one after the other at the series, on a busy machine too
    answers = in_processes(app, living + [dies(ids) for ids in doomed], seconds=patience)
    told = [each for answer in answers[: len(living)] for each in answer]
    db.session.rollback()
    return Run(
        committed=before
        + sum(each[0] for each in told if isinstance(each, tuple))
        + sum(len(ids) - 1 for ids in doomed),
        given_up=sum(each[1] for each in told if isinstance(each, tuple)),
        killed=sum(answer is None for answer in answers[len(living) :]),
        errors=[each for each in told if isinstance(each, str)],
        sequences=sorted(db.session.scalars(select(model.sequence))),
    )

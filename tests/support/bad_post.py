"""A mail server in bad moods: it drops, delays and answers 451; nothing may be lost on the way (REL-4)."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from flask import Flask

from app import clock
from app.extensions import db
from app.models import OutboxMail
from app.services import mailing, outbox
from tests.support.servers import MailServer

MOODS = ("", "drop", "drop accepted", "delay {late}", "451 4.3.0 later", "421 4.3.2 shutting down")
TIMEOUT = 0.2
ROUNDS = 80


@dataclass
class Delivery:
    """What became of so many mails."""

    mails: int
    lost: int
    twice: int
    tries: int
    moods: Counter[str]

    def __str__(self) -> str:
        faults = sum(self.moods.values()) - self.moods[""]
        return (
            f"{self.mails} mails, {self.tries} tries, {faults} faults: {self.lost} lost, {self.twice} received twice "
            "(each taken by the server before it fell silent, under the same Message-ID)"
        )


def deliver_all(app: Flask, smtp: MailServer, mails: int, seed: int) -> Delivery:
    """Send ``mails`` through it, moving the clock to the next try, until the outbox is empty. Raises AssertionError."""
    choice, moods = random.Random(seed), Counter[str]()

    first = choice.sample(MOODS, len(MOODS))

    def mood() -> str:
        chosen = first.pop() if first else choice.choice((*MOODS, *[""] * len(MOODS)))  # then it works half of the time
        moods[chosen] += 1
        return chosen.format(late=TIMEOUT * 2)

    moment = clock.now()
    for number in range(mails):
        db.session.add(
            OutboxMail(
                message_id=f"<{uuid.uuid4().hex}@ecert.exemple.tn>",
                kind="password_changed",
                recipient=f"personne{number}@exemple.tn",
                subject="Votre mot de passe ECERT a été modifié",
                text="Bonjour,\n",
                html="<p>Bonjour,</p>",
                attachments=[],
                created_at=moment,
                due_at=moment,
            )
        )
    db.session.commit()
    app.config["MAIL_TIMEOUT"] = TIMEOUT
    smtp.moods(mood)
    for _ in range(ROUNDS):
        while mailing.send_due_mails(limit=mails).sent:
            pass
        waiting = db.session.scalar(db.select(db.func.min(OutboxMail.due_at)).where(OutboxMail.sent_at.is_(None)))
        db.session.rollback()
        if waiting is None:
            break
        clock.shift(max(waiting - clock.now(), timedelta()) + timedelta(seconds=1))
    received = Counter(str(mail.message["Message-ID"]) for mail in smtp.mails)
    rows = db.session.scalars(db.select(OutboxMail)).all()
    assert all(row.sent_at is not None and row.dead_at is None for row in rows), "some were given up"
    assert outbox.due_mail_ids() == []
    return Delivery(
        mails=mails,
        lost=sum(row.message_id not in received for row in rows),
        twice=sum(times > 1 for times in received.values()),
        tries=sum(moods.values()),
        moods=moods,
    )

"""The life of certificates in the demonstration: near their end, renewed, revoked, expired (CRT-4, CRT-5).

Nobody's certificate can be two years old in three months of stories: these were issued before the portal, and are
recorded with the dates that their own file says.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime, timedelta

from app.demo.client import Client
from app.demo.desk import Officer
from app.demo.people import Person
from app.demo.stage import Calendar, Story
from app.extensions import db
from app.models import CertificateRequest, RevocationReason, User
from app.services import expiring, ordering, renewing, revoking
from app.services.accounts import actor_for


def near_their_end(client: Client, at: Calendar, agent: Officer) -> Story:
    """One to renew, one whose renewal is ordered, one revoked online by its holder."""
    rows = yield from _held(client, at, agent, client.people[21:24], since=70, days_left=(25, 6, 300))
    yield at.ago(12, 19, 5)
    holder = actor_for(db.session.get_one(User, rows[2].applicant_id), ip="203.0.113.77", locale="fr")
    revoking.revoke_confirmed(
        rows[2].id, reason=RevocationReason.CLE_COMPROMISE, text="Sac volé dans le métro, token dedans.", actor=holder
    )
    yield at.ago(4, 11, 20)
    renewing.prepare_renewal(client.actor(), client.organisation.id, [rows[1].reference])
    ordering.send_order(client.actor(), client.organisation.id, attested=True)


def left_and_lost(client: Client, at: Calendar, agent: Officer) -> Story:
    """One that expired, and one whose revocation an agent prepared for a second person."""
    rows = yield from _held(client, at, agent, client.people[12:14], since=60, days_left=(-3, 400))
    yield at.hours_ago(4)
    expiring.expire_certificates()
    revoking.prepare(
        rows[1].id,
        reason=RevocationReason.DEPART_DU_TITULAIRE,
        text="L'administrateur a signalé au guichet le départ du titulaire, lettre à l'appui.",
        actor=agent.actor,
    )


def _held(
    client: Client, at: Calendar, agent: Officer, people: Sequence[Person], *, since: int, days_left: Sequence[int]
) -> Generator[datetime, None, list[CertificateRequest]]:
    """Ordered, paid, generated and collected within eight days; each with so many days left today."""
    yield at.ago(since, 9, 10)
    rows = client.order(*people)
    yield at.ago(since - 1, 11, 0)
    client.validate(*rows)
    yield at.ago(since - 2, 10, 0)
    client.pay(*rows)
    yield at.ago(since - 3, 9, 0)
    agent.approve(*rows)
    yield at.ago(since - 4, 9, 0)
    for request, days in zip(rows, days_left, strict=True):
        agent.record_certificate(request, ends=at.present + timedelta(days=days))
    agent.dispatch(*rows)
    yield at.ago(since - 8, 15, 0)
    agent.note_collection(*rows)
    return rows

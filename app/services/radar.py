"""The 90-day radar: reminders to collect, and the revocation by the clock when it is switched on (CRT-3).

Which reminders are due follows from days, and ``Certificate.collection_reminders`` counts those whose day has come:
each leaves once, however often the job runs, and a week without a scheduler makes one mail. A day that came before
the parcel left is none: nobody is sent to a post office for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, and_, literal, or_, select, tuple_

from app import clock
from app.errors import DomainError
from app.extensions import db
from app.models import Certificate, RevocationReason
from app.permissions import SYSTEM
from app.queries.lists import start_of
from app.queries.uncollected import generated_on, last_day, left_uncollected
from app.services import audit, history, revoking, settings
from app.services.announcing import tell_people_of_request
from app.services.credits.guided import waiting_revocation
from app.services.links import public_url
from app.services.moving import lock_certificate
from app.services.unit_of_work import use_case
from app.states import CertificateState

REVOKED_A_RUN = 10
"""At most so many a run (CRT-3): a wrong setting is noticed before it has cost many people their signature."""
LAST_NOTICE = 2
"""Days between the last reminder and a revocation by the clock, at least."""
BATCH = 500


def remind_uncollected() -> str:
    """Recall every certificate that waits at its post office and whose day has come; a summary for the jobs' list."""
    days = _days()
    sent = sum(_remind(request_id, days) for request_id in _waiting(_overdue(days))) if days else 0
    return _("Rappels envoyés : %(count)d.", count=sent)


def revoke_uncollected() -> str:
    """Revoke what waited ninety days, the oldest first, at most ``REVOKED_A_RUN``; nothing unless the setting says so.

    The credit note and the new order stay in the agents' queue: money takes two people (PPL-3).
    """
    if not settings.get("collection.revoke"):
        return _("Aucune révocation : le réglage est à non.")
    told = Certificate.collection_reminded_at < start_of(clock.today() - timedelta(days=LAST_NOTICE - 1))
    done = 0
    for request_id in _waiting(and_(Certificate.request_id.in_(left_uncollected()), told)):
        done += _revoke(request_id)
        if done >= REVOKED_A_RUN:
            break
    return _("Certificats révoqués faute de retrait : %(count)d.", count=done)


def _days() -> list[int]:
    """The setting's days after generation, the earliest first."""
    return settings.days("collection.reminder_days")[::-1]


def _overdue(days: list[int]) -> ColumnElement[bool]:
    """Fewer reminders left than days have come."""
    return or_(
        *(
            and_(
                Certificate.recorded_at < start_of(clock.today() - timedelta(days=number - 1)),
                Certificate.collection_reminders < position,
            )
            for position, number in enumerate(days, 1)
        )
    )


def _reached(certificate: Certificate, days: list[int], on: date) -> int:
    """How many reminders' days have come by then."""
    return sum(generated_on(certificate) + timedelta(days=number) <= on for number in days)


def _due(certificate: Certificate, days: list[int]) -> bool:
    if certificate.state is not CertificateState.EXPEDIE or certificate.dispatched_at is None:
        return False
    for_nothing = _reached(certificate, days, clock.local(certificate.dispatched_at).date())
    return _reached(certificate, days, clock.today()) > max(certificate.collection_reminders, for_nothing)


def _waiting(condition: ColumnElement[bool]) -> Iterator[int]:
    """The requests whose token waits at its post office, the oldest first; read in batches, by key."""
    last: tuple[datetime, int] | None = None
    key = tuple_(Certificate.recorded_at, Certificate.request_id)
    while True:
        wanted = select(Certificate.recorded_at, Certificate.request_id).where(
            Certificate.state == CertificateState.EXPEDIE, Certificate.collected_at.is_(None), condition
        )
        if last is not None:
            moment, request_id = last
            wanted = wanted.where(
                key > tuple_(literal(moment, Certificate.recorded_at.type), literal(request_id))
            )  # fmt: skip
        rows = db.session.execute(
            wanted.order_by(Certificate.recorded_at, Certificate.request_id).limit(BATCH)
        ).all()  # fmt: skip
        yield from (row.request_id for row in rows)
        if len(rows) < BATCH:
            return
        last = (rows[-1].recorded_at, rows[-1].request_id)


@use_case
def _remind(request_id: int, days: list[int]) -> bool:
    certificate, request = lock_certificate(request_id)
    if not _due(certificate, days):
        return False
    certificate.collection_reminders = _reached(certificate, days, clock.today())
    certificate.collection_reminded_at = clock.now()
    tell_people_of_request(
        "collection_reminder",
        request,
        generated_on=generated_on(certificate),
        last_day=last_day(certificate),
        late=last_day(certificate) <= clock.today(),
        by_itself=bool(settings.get("collection.revoke")),
        office=request.post_office,
        tracking_number=certificate.tracking_number,
        link=public_url("requests.show", reference=request.reference),
    )
    history.write(SYSTEM, "collection_reminder", request_id=request.id, organisation_id=request.organisation_id)
    audit.record(SYSTEM, "collection_reminder", certificate, after={"reminder": certificate.collection_reminders})
    return True


def _revoke(request_id: int) -> bool:
    try:
        return _revoke_left(request_id)
    except DomainError:  # moved meanwhile: somebody came for it, or revoked it
        return False


@use_case
def _revoke_left(request_id: int) -> bool:
    """Only what was recalled in time, and that no officer has in hand."""
    certificate, request = lock_certificate(request_id)
    reminded = certificate.collection_reminded_at
    if (
        certificate.state is not CertificateState.EXPEDIE
        or last_day(certificate) > clock.today()
        or reminded is None
        or clock.local(reminded).date() > clock.today() - timedelta(days=LAST_NOTICE)
        or waiting_revocation(request.id) is not None
        or revoking.waiting_for(certificate.id) is not None
    ):
        return False
    revoking.carry_out(certificate, request, reason=RevocationReason.NON_RETRAIT_90_JOURS, text="", actor=SYSTEM)
    return True

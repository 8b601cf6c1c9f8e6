"""The end of certificates: announced 60, 30 and 7 days before, an organisation at a time, then written (CRT-5).

Which announcements are due follows from days, and ``Certificate.renewal_notices`` counts those whose day has come:
each leaves once, however often the job runs, and missed days make one mail. What is being replaced is not announced.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import contains_eager

from app import clock
from app.extensions import db
from app.models import Certificate, CertificateRequest, Organisation
from app.permissions import SYSTEM
from app.queries.lists import start_of
from app.queries.replacements import replaced
from app.services import audit, outbox, settings
from app.services.announcing import recipients_of_organisation, tell_administrators
from app.services.links import public_url
from app.services.locking import lock
from app.services.moving import lock_certificate, move_certificate
from app.services.unit_of_work import use_case
from app.states import VALID_CERTIFICATE_STATES

BATCH = 500
NAMED = 100
"""Certificates that a mail names one by one; the page it leads to has them all."""


@dataclass(frozen=True, slots=True)
class Ending:
    """One certificate of the mail."""

    holder: str
    serial_number: str
    reference: str
    last_day: date
    days_left: int


def expire_certificates() -> str:
    """Write the end of every certificate whose last moment has passed; a summary for the jobs' list."""
    done, last = 0, 0
    while True:
        ids = db.session.scalars(
            select(Certificate.request_id)
            .where(
                Certificate.state.in_(VALID_CERTIFICATE_STATES),
                Certificate.not_after <= clock.now(),
                Certificate.request_id > last,
            )
            .order_by(Certificate.request_id)
            .limit(BATCH)
        ).all()
        done += sum(_expire(request_id) for request_id in ids)
        if len(ids) < BATCH:
            return _("Certificats expirés : %(count)d.", count=done)
        last = ids[-1]


@use_case
def _expire(request_id: int) -> bool:
    certificate, request = lock_certificate(request_id)
    if certificate.state not in VALID_CERTIFICATE_STATES or certificate.not_after > clock.now():
        return False
    move_certificate(certificate, request, "expire", actor=SYSTEM)
    return True


def announce_expiries() -> str:
    """Announce what reached one of the setting's days: one mail an administrator, one to each other holder."""
    days = settings.days("renewal.notice_days")
    told = sum(_announce(organisation_id, days) for organisation_id in _organisations(days)) if days else 0
    return _("Certificats annoncés : %(count)d.", count=told)


def _due(days: Sequence[int]) -> ColumnElement[bool]:
    """Valid, not being replaced, and fewer notices left than days have come."""
    return and_(
        Certificate.state.in_(VALID_CERTIFICATE_STATES),
        Certificate.not_after > clock.now(),
        ~replaced(),
        or_(
            *(
                and_(
                    Certificate.not_after < start_of(clock.today() + timedelta(days=number + 1)),
                    Certificate.renewal_notices < position,
                )
                for position, number in enumerate(days, 1)
            )
        ),
    )


def _organisations(days: Sequence[int]) -> Iterator[int]:
    last = 0
    while True:
        ids = db.session.scalars(
            select(CertificateRequest.organisation_id)
            .join(Certificate, Certificate.request_id == CertificateRequest.id)
            .where(_due(days), CertificateRequest.organisation_id > last)
            .distinct()
            .order_by(CertificateRequest.organisation_id)
            .limit(BATCH)
        ).all()
        yield from ids
        if len(ids) < BATCH:
            return
        last = ids[-1]


@use_case
def _announce(organisation_id: int, days: Sequence[int]) -> int:
    """An organisation's certificates at once, under its lock: a second run finds them announced."""
    organisation = lock(Organisation, organisation_id)
    certificates = db.session.scalars(
        select(Certificate)
        .join(CertificateRequest, CertificateRequest.id == Certificate.request_id)
        .where(CertificateRequest.organisation_id == organisation.id, _due(days))
        .options(contains_eager(Certificate.request).joinedload(CertificateRequest.applicant))
        .order_by(Certificate.not_after, Certificate.id)
        .with_for_update(of=Certificate)
        .execution_options(populate_existing=True)
    ).all()
    if not certificates:
        return 0
    endings = []
    for certificate in certificates:
        last_day = clock.local(certificate.not_after).date()
        certificate.renewal_notices = sum(last_day - timedelta(days=number) <= clock.today() for number in days)
        endings.append(
            Ending(
                certificate.request.common_name,
                certificate.serial_number,
                certificate.request.reference,
                last_day,
                (last_day - clock.today()).days,
            )
        )
    tell_administrators(
        "certificates_expiring",
        organisation,
        endings=endings[:NAMED],
        more=len(endings) - NAMED if len(endings) > NAMED else 0,
        count=len(endings),
        link=public_url("certificates.mine", onglet="bientot"),
    )
    _tell_holders(organisation, certificates, endings)
    audit.record(SYSTEM, "announce_expiries", organisation, after={"certificates": len(endings)})
    return len(endings)


def _tell_holders(organisation: Organisation, certificates: Sequence[Certificate], endings: Sequence[Ending]) -> None:
    """Each holder who has an account and did not get the organisation's own mail."""
    administrators = {person.id for person in recipients_of_organisation(organisation.id)}
    for certificate, ending in zip(certificates, endings, strict=True):
        holder = certificate.request.applicant
        if holder.id in administrators or holder.password_hash is None or holder.disabled_at is not None:
            continue
        outbox.write(
            "certificate_expiring",
            to=holder.email,
            locale=holder.locale,
            organisation_id=organisation.id,
            request_id=certificate.request_id,
            name=holder.display_name,
            organisation=organisation.legal_name,
            ending=ending,
            link=public_url("requests.show", reference=ending.reference),
        )

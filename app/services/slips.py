"""Dispatch slips as PDF (CRT-2): made when asked for, from what was recorded; each leaves a line in the journal."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import contains_eager

from app import clock
from app.errors import DomainError, NotFound
from app.extensions import db
from app.models import Certificate, CertificateRequest, PostOffice
from app.papers import Parcel, Party, day_slip_pdf, parcel_slip_pdf
from app.permissions import Actor, Permission
from app.queries.lists import start_of
from app.services import audit, settings
from app.services.authority import require
from app.services.unit_of_work import use_case

MOST = 1000
"""Parcels of one file."""
DAYS_SHOWN = 14
LOOKED_BACK = 90
"""Days; a day longer ago is asked for by its date."""


@use_case
def parcel_slip(reference: str, *, actor: Actor) -> tuple[str, bytes]:
    """The slip of one request's parcel, as (file name, PDF). Raises Forbidden, NotFound before the dispatch."""
    require(actor, Permission.REVIEW_FILES)
    certificate = db.session.scalar(_sent().where(CertificateRequest.reference == reference.strip().upper()))
    if certificate is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    audit.record(actor, "print_slip", certificate, after={"tracking_number": certificate.tracking_number})
    pdf = parcel_slip_pdf(_sender(), [_parcel(certificate)], created=certificate.dispatched_at or clock.now())
    return f"bordereau-{certificate.tracking_number}.pdf", pdf


@use_case
def day_slip(day: date, *, each: bool, actor: Actor) -> tuple[str, bytes]:
    """A day's parcels as (file name, PDF): the list the post office signs, or ``each`` parcel's own page.

    Raises Forbidden, DomainError on ``day`` when nothing left that day.
    """
    require(actor, Permission.REVIEW_FILES)
    in_order = _sent().where(*_on(day)).order_by(Certificate.dispatched_at, Certificate.id)
    rows = db.session.scalars(in_order.limit(MOST)).all()
    if not rows:
        raise DomainError(_("Aucun colis n'a été expédié le %(day)s.", day=day.strftime("%d/%m/%Y")), field="day")
    parcels, created = [_parcel(row) for row in rows], rows[-1].dispatched_at or clock.now()
    audit.record(
        actor, "print_slip", ("lists", "bordereaux"), after={"day": day.isoformat(), "rows": len(rows), "each": each}
    )
    if each:
        return f"bordereaux-{day.isoformat()}.pdf", parcel_slip_pdf(_sender(), parcels, created=created)
    return f"bordereau-de-depot-{day.isoformat()}.pdf", day_slip_pdf(_sender(), parcels, sent_on=day, created=created)


def days_sent(*, until: date) -> list[tuple[date, int]]:
    """The last days on which parcels left, with how many tokens, the latest first; one statement."""
    start = start_of(until - timedelta(days=LOOKED_BACK))
    moments = db.session.scalars(
        select(Certificate.dispatched_at)
        .where(Certificate.dispatched_at >= start, Certificate.dispatched_at < start_of(until + timedelta(days=1)))
        .order_by(Certificate.dispatched_at.desc())
        .limit(MOST * DAYS_SHOWN)
    )
    found = Counter(clock.local(moment).date() for moment in moments if moment is not None)
    return list(found.items())[:DAYS_SHOWN]


def _sent() -> Select[Certificate]:
    return (
        select(Certificate)
        .join(Certificate.request)
        .where(Certificate.tracking_number.is_not(None), Certificate.dispatched_at.is_not(None))
        .options(
            contains_eager(Certificate.request).joinedload(CertificateRequest.organisation),
            contains_eager(Certificate.request)
            .joinedload(CertificateRequest.post_office)
            .joinedload(PostOffice.governorate),
        )
    )


def _on(day: date) -> tuple[ColumnElement[bool], ...]:
    return Certificate.dispatched_at >= start_of(day), Certificate.dispatched_at < start_of(day + timedelta(days=1))


def _sender() -> Party:
    told = {name: str(value) for name, value in settings.group("seller").items()}
    return Party(name=told["name"], address=(told["address"],), tax_id=told["tax_id"], phone=told["phone"])


def _parcel(certificate: Certificate) -> Parcel:
    request = certificate.request
    office, sent = request.post_office, certificate.dispatched_at or clock.now()
    place = (
        ("", "", "")
        if office is None
        else (
            office.address,
            " ".join(part for part in (office.postal_code, office.delegation) if part),
            office.governorate.name_fr,
        )
    )
    return Parcel(
        tracking_number=certificate.tracking_number or "",
        reference=request.reference,
        recipient=f"{request.first_name} {request.last_name}",
        recipient_ar=f"{request.first_name_ar} {request.last_name_ar}".strip(),
        mobile=request.mobile,
        organisation=request.organisation.legal_name,
        office=office.name_fr if office is not None else "",
        office_ar=office.name_ar if office is not None else "",
        office_address=place,
        dispatched_on=clock.local(sent).date(),
    )

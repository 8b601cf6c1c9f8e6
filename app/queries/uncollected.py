"""Certificates that nobody came for: ninety calendar days after their generation (CRT-3, CGU art. 5 p)."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import Select, exists, select

from app import clock
from app.extensions import db
from app.models import (
    Certificate,
    CertificateRequest,
    CreditProposal,
    CreditProposalLine,
    PaymentLine,
    Revocation,
    RevocationReason,
)
from app.queries.lists import start_of
from app.states import CertificateState, CreditProposalState, RevocationState

UNCOLLECTED_DAYS = 90
"""The conditions' own number: no setting, as every holder accepted it."""
WAITING = (CertificateState.GENERE, CertificateState.EXPEDIE)


def generated_on(certificate: Certificate) -> date:
    """The day in Tunis that the ninety are counted from."""
    return clock.local(certificate.recorded_at).date()


def last_day(certificate: Certificate) -> date:
    """D+90: from this day on TunTrust may revoke it."""
    return generated_on(certificate) + timedelta(days=UNCOLLECTED_DAYS)


def is_left_uncollected(request: CertificateRequest) -> bool:
    """Has its certificate waited for ninety days, and does it still?"""
    certificate = request.certificate
    return (
        certificate is not None
        and certificate.state in WAITING
        and certificate.collected_at is None
        and last_day(certificate) <= clock.today()
    )


def left_uncollected() -> Select[int]:
    """The ids of the requests of which that is true."""
    return select(Certificate.request_id).where(
        Certificate.state.in_(WAITING),
        Certificate.collected_at.is_(None),
        Certificate.recorded_at < start_of(clock.today() - timedelta(days=UNCOLLECTED_DAYS - 1)),
    )


def revoked_uncredited() -> Select[int]:
    """The ids of the requests whose certificate the clock revoked, and whose credit note nobody issued yet."""
    credited = (
        select(PaymentLine.id)
        .join(CreditProposalLine, CreditProposalLine.payment_line_id == PaymentLine.id)
        .join(CreditProposal, CreditProposal.id == CreditProposalLine.proposal_id)
        .where(PaymentLine.request_id == Certificate.request_id, CreditProposal.state == CreditProposalState.EMIS)
    )
    return (
        select(Certificate.request_id)
        .join(Revocation, Revocation.certificate_id == Certificate.id)
        .where(
            Revocation.state == RevocationState.FAITE,
            Revocation.reason == RevocationReason.NON_RETRAIT_90_JOURS,
            Revocation.prepared_by_id.is_(None),
            ~exists(credited),
        )
    )


def is_revoked_uncredited(certificate: Certificate) -> bool:
    """Is this certificate one of those?"""
    if certificate.state is not CertificateState.REVOQUE:
        return False
    found = revoked_uncredited().where(Certificate.id == certificate.id)
    return db.session.scalar(found.limit(1)) is not None

"""Requests that a generated certificate may belong to: found by identity number, or by name (CRT-1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from app.extensions import db
from app.models import Certificate, CertificateRequest, Organisation
from app.states import RequestState

R = CertificateRequest
MOST = 20_000
"""Requests looked through for a name; more than ever wait for a certificate together."""


@dataclass(frozen=True, slots=True)
class Person:
    """One request of somebody, and whether a certificate is awaited for it."""

    id: int
    reference: str
    version: int
    common_name: str
    identity_number: str
    organisation: str
    validity_years: int
    state: RequestState
    approved_at: datetime | None
    serial_number: str | None

    @property
    def awaits(self) -> bool:
        """Approved, with TunTrust, no certificate recorded yet."""
        taken = self.state is RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST
        return taken and self.approved_at is not None and self.serial_number is None


def _rows() -> Select[*tuple[Any, ...]]:
    return (
        select(
            R.id,
            R.reference,
            R.version,
            R.common_name,
            R.identity_number,
            Organisation.legal_name.label("organisation"),
            R.validity_years,
            R.state,
            R.approved_at,
            Certificate.serial_number,
        )
        .join(Organisation, Organisation.id == R.organisation_id)
        .outerjoin(Certificate, Certificate.request_id == R.id)
        .order_by(R.id)
    )


def of_numbers(numbers: Iterable[str]) -> list[Person]:
    """Every request of the people with these identity numbers, whatever its state; one statement."""
    wanted = sorted(set(numbers))
    if not wanted:
        return []
    return [Person(**row._mapping) for row in db.session.execute(_rows().where(R.identity_number.in_(wanted)))]


def awaiting_certificate() -> list[Person]:
    """Every request that waits for its certificate, the oldest first; one statement."""
    awaited = (
        R.state == RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST,
        R.approved_at.is_not(None),
        Certificate.id.is_(None),
    )
    return [Person(**row._mapping) for row in db.session.execute(_rows().where(*awaited).limit(MOST))]


def recorded(serials: Iterable[str]) -> dict[tuple[str, str], str]:
    """Of certificates known already, by (issuer, serial number), the request each was recorded for."""
    wanted = sorted(set(serials))
    if not wanted:
        return {}
    rows = db.session.execute(
        select(Certificate.issuer, Certificate.serial_number, R.reference)
        .join(R, R.id == Certificate.request_id)
        .where(Certificate.serial_number.in_(wanted))
    )
    return {(row.issuer, row.serial_number): row.reference for row in rows}

"""The same person asked for twice: what is open or still valid for a CIN (ORD-6)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, or_, select

from app import clock
from app.extensions import db
from app.models import Certificate, CertificateRequest, IdentityKind, Organisation
from app.state_labels import state_label
from app.states import CertificateState, RequestState

Identity = tuple[IdentityKind, str, str]
"""Kind and number of the document, nationality: what makes two declarations the same person."""
SHOWN = 5
_BATCH = 400
_DONE = (RequestState.ANNULEE, RequestState.EXPEDIEE)
_ALIVE = (CertificateState.GENERE, CertificateState.EXPEDIE, CertificateState.RETIRE)


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A request that is open, or whose certificate is valid until ``valid_until``."""

    request_id: int
    reference: str
    certificate_type_id: int
    state: RequestState
    organisation: str
    identity: Identity
    valid_until: datetime | None

    @property
    def sentence(self) -> str:
        """What there is already, in words."""
        if self.valid_until is not None:
            return _(
                "Cette personne a déjà un certificat valable jusqu'au %(day)s (%(reference)s).",
                day=clock.local(self.valid_until).strftime("%d/%m/%Y"),
                reference=self.reference,
            )
        return _(
            "La demande %(reference)s de cette personne est déjà ouverte (%(state)s).",
            reference=self.reference,
            state=str(state_label(self.state)).lower(),
        )


def duplicates_in(
    organisation_id: int, identities: Collection[Identity], certificate_type_id: int
) -> dict[Identity, list[Duplicate]]:
    """What an organisation has open or valid, of that kind, for each of these people; the latest first.

    Only the organisation's own: another's is none of its business (PPL-2). A statement for four hundred people.
    """
    numbers = sorted({identity[1] for identity in identities})
    found: dict[Identity, list[Duplicate]] = {}
    for start in range(0, len(numbers), _BATCH):
        wanted = _alive().where(
            CertificateRequest.organisation_id == organisation_id,
            CertificateRequest.certificate_type_id == certificate_type_id,
            CertificateRequest.identity_number.in_(numbers[start : start + _BATCH]),
        )
        for each in _read(wanted):
            if each.identity in identities:
                found.setdefault(each.identity, []).append(each)
    return found


def duplicates_of_request(request: CertificateRequest) -> list[Duplicate]:
    """What is open or valid of the same kind for a request's person, in any organisation: for the desk."""
    wanted = _alive().where(
        CertificateRequest.identity_number == request.identity_number,
        CertificateRequest.identity_kind == request.identity_kind,
        CertificateRequest.nationality == request.nationality,
        CertificateRequest.certificate_type_id == request.certificate_type_id,
        CertificateRequest.id != request.id,
    )
    return list(_read(wanted.limit(SHOWN)))


def _alive() -> Select[*tuple[Any, ...]]:
    valid = Certificate.state.in_(_ALIVE) & (Certificate.not_after > clock.now())
    return (
        select(
            CertificateRequest.id,
            CertificateRequest.reference,
            CertificateRequest.certificate_type_id,
            CertificateRequest.state,
            Organisation.legal_name,
            CertificateRequest.identity_kind,
            CertificateRequest.identity_number,
            CertificateRequest.nationality,
            Certificate.not_after,
        )
        .join(Organisation, Organisation.id == CertificateRequest.organisation_id)
        .outerjoin(Certificate, Certificate.request_id == CertificateRequest.id)
        .where(
            or_(
                CertificateRequest.state.not_in(_DONE),
                (CertificateRequest.state == RequestState.EXPEDIEE) & valid,
            )
        )
        .order_by(CertificateRequest.id.desc())
    )


def _read(statement: Select[*tuple[Any, ...]]) -> Iterable[Duplicate]:
    for row in db.session.execute(statement):
        valid_until = row.not_after if row.state is RequestState.EXPEDIEE else None
        yield Duplicate(
            row.id,
            row.reference,
            row.certificate_type_id,
            row.state,
            row.legal_name,
            (row.identity_kind, row.identity_number, row.nationality),
            valid_until,
        )

"""Certificates that were generated (CRT-1, QUE-2)."""

from __future__ import annotations

from functools import cache
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, or_, select

from app import clock
from app.models import Certificate, CertificateRequest, CertificateType, Organisation, PostOffice, Revocation
from app.permissions import Actor, Permission
from app.queries import desk_requests
from app.queries.lists import Filter, Sort, Source, Tab, since, until
from app.queries.request_filters import governorates, whole_number
from app.state_labels import choices_of
from app.states import VALID_CERTIFICATE_STATES, CertificateState, RevocationState

C = Certificate


@cache
def _rows() -> Select[*tuple[Any, ...]]:
    request = CertificateRequest
    return (
        select(
            C.id,
            C.serial_number,
            C.issuer,
            C.subject,
            C.state,
            C.not_before,
            C.not_after,
            C.key_description,
            C.tracking_number,
            C.recorded_at,
            C.dispatched_at,
            C.collected_at,
            request.reference,
            request.common_name,
            (request.first_name_ar + " " + request.last_name_ar).label("name_ar"),
            request.email,
            request.identity_number,
            Organisation.legal_name.label("organisation"),
            Organisation.tax_id,
            PostOffice.name_fr.label("post_office"),
            CertificateType.name.label("certificate_type"),
            Revocation.decided_at.label("revoked_at"),
            Revocation.reason.label("revocation_reason"),
        )
        .join(request, request.id == C.request_id)
        .join(Organisation, Organisation.id == request.organisation_id)
        .join(CertificateType, CertificateType.id == request.certificate_type_id)
        .outerjoin(PostOffice, PostOffice.id == request.post_office_id)
        .outerjoin(Revocation, and_(Revocation.certificate_id == C.id, Revocation.state == RevocationState.FAITE))
    )


def _search(text: str) -> ColumnElement[bool]:
    """Whatever finds the request finds its certificate."""
    return C.request_id.in_(select(CertificateRequest.id).where(desk_requests.search(text).condition))


def _scope(actor: Actor) -> ColumnElement[bool] | None:
    return None if actor.can(Permission.READ_CERTIFICATES) else C.id.is_(None)


def _in(*states: CertificateState) -> Any:
    return lambda _actor: C.state.in_(states)


def _valid(_actor: Actor) -> ColumnElement[bool]:
    """Usable today: neither revoked nor past its end, whether or not the job has noted that yet."""
    return and_(C.state.in_(VALID_CERTIFICATE_STATES), C.not_after > clock.now())


def _ended(_actor: Actor) -> ColumnElement[bool]:
    """Past its end, whether or not the job has noted that yet."""
    return or_(C.state == _S.EXPIRE, and_(C.state.in_(VALID_CERTIFICATE_STATES), C.not_after <= clock.now()))


def _sent_to(governorate_id: int) -> ColumnElement[bool]:
    offices = select(PostOffice.id).where(PostOffice.governorate_id == governorate_id)
    return C.request_id.in_(select(CertificateRequest.id).where(CertificateRequest.post_office_id.in_(offices)))


_S = CertificateState
SOURCE = Source(
    model=C,
    rows=_rows,
    tabs=(
        Tab("generes", _l("À expédier"), _in(_S.GENERE), "enregistre"),
        Tab("expedies", _l("Expédiés"), _in(_S.EXPEDIE), "envoi"),
        Tab("retires", _l("Retirés"), _in(_S.RETIRE), "retrait", descending=True),
        Tab("valides", _l("Valables"), _valid, "fin"),
        Tab("revoques", _l("Révoqués"), _in(_S.REVOQUE), "enregistre", descending=True),
        Tab("expires", _l("Expirés"), _ended, "fin", descending=True),
        Tab("tous", _l("Tous"), lambda _actor: None, "enregistre", descending=True, large=True),
    ),
    filters=(
        Filter(
            "etat",
            _l("État"),
            "choice",
            lambda value: C.state == CertificateState(value),
            choices=lambda: choices_of(CertificateState),
        ),
        Filter(
            "gouvernorat",
            _l("Gouvernorat du bureau de poste"),
            "choice",
            _sent_to,
            choices=governorates,
            parse=whole_number,
        ),
        Filter("genere-depuis", _l("Enregistré depuis le"), "day_from", since(C.recorded_at)),
        Filter("genere-jusqu", _l("Enregistré jusqu'au"), "day_to", until(C.recorded_at)),
        Filter("envoi-depuis", _l("Expédié depuis le"), "day_from", since(C.dispatched_at)),
        Filter("envoi-jusqu", _l("Expédié jusqu'au"), "day_to", until(C.dispatched_at)),
        Filter("fin-depuis", _l("Expire à partir du"), "day_from", since(C.not_after)),
        Filter("fin-jusqu", _l("Expire jusqu'au"), "day_to", until(C.not_after)),
    ),
    sorts={
        "enregistre": Sort(C.recorded_at),
        "envoi": Sort(C.dispatched_at, nullable=True),
        "retrait": Sort(C.collected_at, nullable=True),
        "fin": Sort(C.not_after),
    },
    search=_search,
    scope=_scope,
)

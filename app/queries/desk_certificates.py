"""Certificates that were generated (CRT-1, QUE-2)."""

from __future__ import annotations

from functools import cache
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, select

from app.models import Certificate, CertificateRequest, CertificateType, Organisation
from app.permissions import Actor, Permission
from app.queries import desk_requests
from app.queries.lists import Filter, Sort, Source, Tab, since, until
from app.state_labels import choices_of
from app.states import CertificateState

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
            Organisation.legal_name.label("organisation"),
            CertificateType.name.label("certificate_type"),
        )
        .join(request, request.id == C.request_id)
        .join(Organisation, Organisation.id == request.organisation_id)
        .join(CertificateType, CertificateType.id == request.certificate_type_id)
    )


def _search(text: str) -> ColumnElement[bool]:
    """Whatever finds the request finds its certificate."""
    return C.request_id.in_(select(CertificateRequest.id).where(desk_requests.search(text).condition))


def _scope(actor: Actor) -> ColumnElement[bool] | None:
    return None if actor.can(Permission.READ_CERTIFICATES) else C.id.is_(None)


def _in(*states: CertificateState) -> Any:
    return lambda _actor: C.state.in_(states)


_S = CertificateState
SOURCE = Source(
    model=C,
    rows=_rows,
    tabs=(
        Tab("generes", _l("À expédier"), _in(_S.GENERE), "enregistre"),
        Tab("expedies", _l("Expédiés"), _in(_S.EXPEDIE), "enregistre"),
        Tab("retires", _l("Retirés"), _in(_S.RETIRE), "enregistre", descending=True),
        Tab("clos", _l("Révoqués et expirés"), _in(_S.REVOQUE, _S.EXPIRE), "enregistre", descending=True),
        Tab("tous", _l("Tous"), lambda _actor: None, "enregistre", descending=True),
    ),
    filters=(
        Filter(
            "etat",
            _l("État"),
            "choice",
            lambda value: C.state == CertificateState(value),
            choices=lambda: choices_of(CertificateState),
        ),
        Filter("fin-depuis", _l("Expire à partir du"), "day_from", since(C.not_after)),
        Filter("fin-jusqu", _l("Expire jusqu'au"), "day_to", until(C.not_after)),
    ),
    sorts={"enregistre": Sort(C.recorded_at), "fin": Sort(C.not_after)},
    search=_search,
    scope=_scope,
)

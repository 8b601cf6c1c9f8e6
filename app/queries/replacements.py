"""Which certificates are being replaced, and by what (CRT-5)."""

from __future__ import annotations

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased
from sqlalchemy.sql.elements import ColumnElement

from app.extensions import db
from app.models import CertificateRequest
from app.states import RequestState

_Successor = aliased(CertificateRequest, name="successor")


def replaced() -> ColumnElement[bool]:
    """Has another request, not given up, taken this one's place? For a statement over requests."""
    return exists(
        select(_Successor.id)
        .where(_Successor.replaces_id == CertificateRequest.id, _Successor.state != RequestState.ANNULEE)
        .correlate(CertificateRequest)
    )


def replacement_of(request_id: int) -> CertificateRequest | None:
    """The request that renews or succeeds this one and was not given up, if there is one."""
    return db.session.scalar(
        select(CertificateRequest).where(
            CertificateRequest.replaces_id == request_id, CertificateRequest.state != RequestState.ANNULEE
        )
    )


def is_being_replaced(request: CertificateRequest) -> bool:
    """Is there such a request?"""
    return replacement_of(request.id) is not None

"""« Révocations »: what waits for a second person, and what became of the others (CRT-4)."""

from __future__ import annotations

from functools import cache
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, func, literal, select
from sqlalchemy.orm import aliased, joinedload, selectinload

from app.errors import NotFound
from app.extensions import db
from app.models import Certificate, CertificateRequest, Organisation, Revocation, RevocationReason, User
from app.permissions import Actor, Permission
from app.queries import desk_requests
from app.queries.lists import CAP, Filter, Sort, Source, Tab, since, until
from app.state_labels import choices_of
from app.states import RevocationState

V = Revocation
CLOSED = (RevocationState.REFUSEE, RevocationState.RETIREE)


@cache
def _rows() -> Select[*tuple[Any, ...]]:
    preparer, decider, request = aliased(User), aliased(User), CertificateRequest
    return (
        select(
            V.id,
            V.reference,
            V.state,
            V.reason,
            V.reason_text,
            V.by_staff,
            V.prepared_at,
            V.decided_at,
            V.decision_reason,
            Certificate.serial_number,
            Certificate.not_after,
            request.reference.label("request_reference"),
            request.common_name,
            (request.first_name_ar + " " + request.last_name_ar).label("name_ar"),
            Organisation.legal_name.label("organisation"),
            func.trim(preparer.first_name + " " + preparer.last_name).label("prepared_by"),
            func.trim(decider.first_name + " " + decider.last_name).label("decided_by"),
        )
        .join(Certificate, Certificate.id == V.certificate_id)
        .join(request, request.id == Certificate.request_id)
        .join(Organisation, Organisation.id == request.organisation_id)
        .outerjoin(preparer, preparer.id == V.prepared_by_id)
        .outerjoin(decider, decider.id == V.decided_by_id)
    )


def _search(text: str) -> ColumnElement[bool]:
    """Its own reference; else whatever finds the request finds its revocations."""
    wanted = text.strip().upper()
    if wanted.startswith("REV-"):
        return V.reference == wanted[:40]
    found = select(CertificateRequest.id).where(desk_requests.search(text).condition)
    return V.certificate_id.in_(select(Certificate.id).where(Certificate.request_id.in_(found)))


def _in(*states: RevocationState) -> Any:
    return lambda _actor: V.state.in_(states)


def _scope(actor: Actor) -> ColumnElement[bool] | None:
    return None if actor.can(Permission.READ_CERTIFICATES) else V.id.is_(None)


SOURCE = Source(
    model=V,
    rows=_rows,
    tabs=(
        Tab("a-approuver", _l("À approuver"), _in(RevocationState.A_APPROUVER), "preparation"),
        Tab("faites", _l("Faites"), _in(RevocationState.FAITE), "preparation", descending=True),
        Tab("closes", _l("Refusées et abandonnées"), _in(*CLOSED), "preparation", descending=True),
        Tab("toutes", _l("Toutes"), lambda _actor: None, "preparation", descending=True),
    ),
    filters=(
        Filter(
            "motif",
            _l("Motif"),
            "choice",
            lambda value: V.reason == RevocationReason(value),
            choices=lambda: choices_of(RevocationReason),
        ),
        Filter("depuis", _l("Demandée depuis le"), "day_from", since(V.prepared_at)),
        Filter("jusqu", _l("Demandée jusqu'au"), "day_to", until(V.prepared_at)),
    ),
    # References are given in the order of preparation: the key itself is that order.
    sorts={"preparation": Sort(V.id)},
    search=_search,
    scope=_scope,
)


def waiting() -> int:
    """How many wait for a second person; no further than the lists count."""
    found = select(literal(1)).where(V.state == RevocationState.A_APPROUVER).limit(CAP + 1)
    return db.session.scalar(select(func.count()).select_from(found.subquery())) or 0


def revocation_named(actor: Actor, reference: str) -> Revocation:
    """One revocation with its certificate and request, for staff who read certificates. Raises NotFound."""
    found = db.session.scalar(
        select(V)
        .where(V.reference == reference.strip().upper()[:40])
        .options(
            joinedload(V.certificate).joinedload(Certificate.request).joinedload(CertificateRequest.organisation),
            joinedload(V.certificate).joinedload(Certificate.request).selectinload(CertificateRequest.domains),
            joinedload(V.prepared_by),
            joinedload(V.decided_by),
        )
        .execution_options(populate_existing=True)
    )
    if found is None or not actor.can(Permission.READ_CERTIFICATES):
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    return found


def done_of(certificate_id: int) -> Revocation | None:
    """How a certificate was revoked; None for one that was not, or before this was kept."""
    return db.session.scalar(
        select(V)
        .where(V.certificate_id == certificate_id, V.state == RevocationState.FAITE)
        .options(selectinload(V.decided_by))
    )

"""Requests as clients see them: scoped to the organisation they administer or to themselves (PPL-2)."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from app.errors import NotFound
from app.extensions import db
from app.identifiers import fold
from app.models import CertificateRequest, CertificateType, Payment, PaymentLine, PostOffice
from app.permissions import Actor
from app.states import LIVE_PAYMENT_STATES, RequestState

PAGE_SIZE = 30
SORTS = {
    "date": (CertificateRequest.created_at, CertificateRequest.id),
    "nom": (CertificateRequest.common_name, CertificateRequest.id),
    "etat": (CertificateRequest.state, CertificateRequest.id),
}


@dataclass(frozen=True, slots=True)
class HistoryFilter:
    """What the page's address says (ORD-1)."""

    text: str = ""
    state: RequestState | None = None
    certificate_type_id: int | None = None
    sort: str = "date"
    descending: bool = True
    page: int = 1


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """One page of « Historique des commandes ». ``held`` are the ids that a live payment holds."""

    rows: list[CertificateRequest]
    total: int
    page: int
    held: frozenset[int]

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // PAGE_SIZE))


def counters(organisation_id: int) -> dict[RequestState, int]:
    """Live counts by state, zero included (ORD-1)."""
    rows = db.session.execute(
        select(CertificateRequest.state, func.count())
        .where(CertificateRequest.organisation_id == organisation_id)
        .group_by(CertificateRequest.state)
    )
    found = {row[0]: row[1] for row in rows}
    return {state: found.get(state, 0) for state in RequestState}


def history_page(organisation_id: int, wanted: HistoryFilter) -> HistoryPage:
    """An organisation's requests, filtered and sorted, 30 a page; three statements whatever the rows."""
    base = _filtered(select(CertificateRequest).where(CertificateRequest.organisation_id == organisation_id), wanted)
    total = db.session.scalar(select(func.count()).select_from(base.order_by(None).subquery())) or 0
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(1, wanted.page), pages)
    keys = [key.desc() if wanted.descending else key.asc() for key in SORTS.get(wanted.sort, SORTS["date"])]
    rows = list(
        db.session.scalars(
            base.options(joinedload(CertificateRequest.certificate_type), selectinload(CertificateRequest.certificate))
            .order_by(*keys)
            .limit(PAGE_SIZE)
            .offset((page - 1) * PAGE_SIZE)
        )
    )
    return HistoryPage(rows=rows, total=total, page=page, held=held_ids([row.id for row in rows]))


def _filtered(statement: Select[CertificateRequest], wanted: HistoryFilter) -> Select[CertificateRequest]:
    if wanted.state is not None:
        statement = statement.where(CertificateRequest.state == wanted.state)
    if wanted.certificate_type_id is not None:
        statement = statement.where(CertificateRequest.certificate_type_id == wanted.certificate_type_id)
    for word in fold(wanted.text).split():
        statement = statement.where(CertificateRequest.search_text.contains(word, autoescape=True))
    return statement


def held_ids(request_ids: list[int]) -> frozenset[int]:
    """Which of these requests a live payment holds: they cannot be paid elsewhere, withdrawn or reopened."""
    if not request_ids:
        return frozenset()
    return frozenset(
        db.session.scalars(
            select(PaymentLine.request_id)
            .join(Payment, PaymentLine.payment_id == Payment.id)
            .where(PaymentLine.request_id.in_(request_ids), PaymentLine.live, Payment.state.in_(LIVE_PAYMENT_STATES))
        )
    )


def ordered_types(organisation_id: int) -> list[CertificateType]:
    """The certificate types this organisation ever ordered: the filter « Catégorie »."""
    used = select(CertificateRequest.certificate_type_id).where(CertificateRequest.organisation_id == organisation_id)
    return list(
        db.session.scalars(select(CertificateType).where(CertificateType.id.in_(used)).order_by(CertificateType.name))
    )


def request_for(actor: Actor, reference: str) -> CertificateRequest:
    """One request with what its page shows; another's does not exist (404). Raises NotFound."""
    request = db.session.scalar(
        select(CertificateRequest)
        .where(
            CertificateRequest.reference == reference.strip().upper(),
            or_(
                CertificateRequest.organisation_id.in_(actor.organisation_ids),
                CertificateRequest.applicant_id == actor.user_id,
            ),
        )
        .options(
            joinedload(CertificateRequest.organisation),
            joinedload(CertificateRequest.order),
            joinedload(CertificateRequest.certificate_type),
            joinedload(CertificateRequest.post_office).joinedload(PostOffice.governorate),
            joinedload(CertificateRequest.certificate),
            joinedload(CertificateRequest.applicant),
            joinedload(CertificateRequest.replaces).joinedload(CertificateRequest.certificate),
            selectinload(CertificateRequest.domains),
        )
    )
    if request is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    return request


def requests_of(user_id: int) -> list[CertificateRequest]:
    """A person's own requests, the ones that wait for them first."""
    rows = db.session.scalars(
        select(CertificateRequest)
        .where(CertificateRequest.applicant_id == user_id)
        .options(
            joinedload(CertificateRequest.organisation),
            joinedload(CertificateRequest.certificate_type),
            joinedload(CertificateRequest.certificate),
        )
        .order_by(CertificateRequest.id.desc())
        .limit(200)
    ).all()
    waiting = (RequestState.NON_FINALISEE, RequestState.EN_ATTENTE_DE_JUSTIFICATIFS)
    return sorted(rows, key=lambda row: row.state not in waiting)

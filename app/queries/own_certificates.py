"""« Mes certificats »: what an organisation holds, and what may be done of each (CRT-5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from app import clock
from app.extensions import db
from app.identifiers import fold
from app.models import Certificate, CertificateRequest, OrderDraftLine
from app.permissions import Actor
from app.queries.lists import start_of
from app.queries.replacements import replaced
from app.states import VALID_CERTIFICATE_STATES, CertificateState, RequestState

PAGE_SIZE = 30
SOON_DAYS = 60
"""« Bientôt expirés »: as the first announcement."""


class Tab(StrEnum):
    """The page's tabs, by their word in the address."""

    VALID = "valides"
    SOON = "bientot"
    EXPIRED = "expires"
    REVOKED = "revoques"


def condition_of(tab: Tab) -> ColumnElement[bool]:
    """Which certificates a tab holds. The clock decides as well as the state: the job writes the end a little later."""
    alive = and_(Certificate.state.in_(VALID_CERTIFICATE_STATES), Certificate.not_after > clock.now())
    soon = and_(alive, Certificate.not_after < start_of(clock.today() + timedelta(days=SOON_DAYS + 1)))
    ended = or_(
        Certificate.state == CertificateState.EXPIRE,
        and_(Certificate.state.in_(VALID_CERTIFICATE_STATES), Certificate.not_after <= clock.now()),
    )
    conditions = {
        Tab.VALID: alive,
        Tab.SOON: soon,
        Tab.EXPIRED: ended,
        Tab.REVOKED: Certificate.state == CertificateState.REVOQUE,
    }
    return conditions[tab]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a tab. ``successors``: by id of a request, what replaces it; ``listed``: on a list, not sent."""

    rows: list[CertificateRequest]
    total: int
    page: int
    counts: dict[Tab, int]
    successors: dict[int, CertificateRequest]
    listed: frozenset[int]

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // PAGE_SIZE))


def certificates_page(organisation_id: int, tab: Tab, *, text: str = "", page: int = 1) -> Page:
    """An organisation's certificates, 30 a page; the number of statements does not grow with the rows."""
    base = _of(organisation_id).where(condition_of(tab))
    for word in fold(text).split():
        matches = or_(
            CertificateRequest.search_text.contains(word, autoescape=True),
            func.lower(Certificate.serial_number).contains(word, autoescape=True),
        )
        base = base.where(matches)
    total = db.session.scalar(select(func.count()).select_from(base.subquery())) or 0
    page = min(max(1, page), max(1, -(-total // PAGE_SIZE)))
    newest_first = tab in (Tab.EXPIRED, Tab.REVOKED)
    order = Certificate.not_after.desc() if newest_first else Certificate.not_after.asc()
    rows = list(
        db.session.scalars(
            base.options(
                joinedload(CertificateRequest.certificate),
                joinedload(CertificateRequest.certificate_type),
                selectinload(CertificateRequest.domains),
            )
            .order_by(order, CertificateRequest.id)
            .limit(PAGE_SIZE)
            .offset((page - 1) * PAGE_SIZE)
        )
    )
    return Page(
        rows, total, page, counts(organisation_id), _successors([row.id for row in rows]), _listed(organisation_id)
    )


def counts(organisation_id: int) -> dict[Tab, int]:
    """How many each tab holds, in one statement."""
    sums = [func.coalesce(func.sum(case((condition_of(tab), 1), else_=0)), 0) for tab in Tab]
    row = db.session.execute(
        select(*sums)
        .select_from(CertificateRequest)
        .join(Certificate, Certificate.request_id == CertificateRequest.id)
        .where(CertificateRequest.organisation_id == organisation_id)
    ).one()
    return dict(zip(Tab, (int(each) for each in row), strict=True))


def waiting_for_renewal(actor: Actor) -> int:
    """How many certificates near their end nobody has ordered anew: what the page's first note is about."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(CertificateRequest)
            .join(Certificate, Certificate.request_id == CertificateRequest.id)
            .where(
                CertificateRequest.organisation_id.in_(actor.organisation_ids), condition_of(Tab.SOON), ~replaced()
            )
        )
        or 0
    )  # fmt: skip


def renewable_soon(organisation_id: int) -> list[str]:
    """The references of all of those, for « tout renouveler »."""
    return list(
        db.session.scalars(
            select(CertificateRequest.reference)
            .join(Certificate, Certificate.request_id == CertificateRequest.id)
            .where(CertificateRequest.organisation_id == organisation_id, condition_of(Tab.SOON), ~replaced())
            .order_by(Certificate.not_after, CertificateRequest.id)
        )
    )


def _of(organisation_id: int) -> Select[CertificateRequest]:
    return (
        select(CertificateRequest)
        .join(Certificate, Certificate.request_id == CertificateRequest.id)
        .where(CertificateRequest.organisation_id == organisation_id)
    )


def _successors(request_ids: list[int]) -> dict[int, CertificateRequest]:
    rows = db.session.scalars(
        select(CertificateRequest).where(
            CertificateRequest.replaces_id.in_(request_ids), CertificateRequest.state != RequestState.ANNULEE
        )
    )
    return {row.replaces_id: row for row in rows if row.replaces_id is not None}


def _listed(organisation_id: int) -> frozenset[int]:
    rows = db.session.scalars(select(OrderDraftLine).where(OrderDraftLine.organisation_id == organisation_id))
    return frozenset(row.data["replaces_id"] for row in rows if row.data.get("replaces_id"))

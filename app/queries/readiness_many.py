"""What stands in the way of many requests at once, in a fixed number of statements (QUE-4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from app.extensions import db
from app.models import CertificateRequest, Contract, Document, FieldVerdict, Organisation, RoleGrant, User
from app.permissions import Role
from app.queries.declared_fields import declared_of_organisation, declared_of_request
from app.queries.readiness import current_papers, holding, obstacles_to_approval


def requests_whole(ids: Sequence[int]) -> dict[int, CertificateRequest]:
    """Requests by id with all that a decision reads of them."""
    organisation = joinedload(CertificateRequest.organisation)
    rows = db.session.scalars(
        select(CertificateRequest)
        .where(CertificateRequest.id.in_(ids))
        .options(
            organisation.joinedload(Organisation.representative),
            organisation.joinedload(Organisation.governorate),
            joinedload(CertificateRequest.applicant),
            joinedload(CertificateRequest.assigned_to),
            joinedload(CertificateRequest.certificate),
            joinedload(CertificateRequest.post_office),
            selectinload(CertificateRequest.domains),
        )
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in rows}


def administrators_of_many(organisation_ids: Sequence[int]) -> dict[int, list[User]]:
    """Who administers each organisation now, in the order they were named."""
    found: dict[int, list[User]] = defaultdict(list)
    rows = db.session.execute(
        select(RoleGrant.organisation_id, User)
        .join(User, User.id == RoleGrant.user_id)
        .where(
            RoleGrant.organisation_id.in_(organisation_ids),
            RoleGrant.role == Role.ADMIN_ORGANISATION,
            RoleGrant.revoked_at.is_(None),
        )
        .order_by(RoleGrant.id)
    )
    for organisation_id, person in rows:
        found[organisation_id or 0].append(person)
    return found


def approval_obstacles_of_many(requests: Sequence[CertificateRequest]) -> dict[int, list[str]]:
    """By request id, the same sentences as ``readiness.approval_obstacles_of`` gives for one."""
    organisations = sorted({request.organisation_id for request in requests})
    people = administrators_of_many(organisations)
    contracts: dict[int, Contract] = {
        row.organisation_id: row
        for row in db.session.scalars(
            select(Contract)
            .where(Contract.organisation_id.in_(organisations))
            .options(joinedload(Contract.signed_document))
            .order_by(Contract.version_number)
        )
    }
    ids = [request.id for request in requests]
    papers: dict[tuple[int | None, int | None], list[Document]] = defaultdict(list)
    of_organisation = Document.organisation_id.in_(organisations) & Document.request_id.is_(None)
    for paper in db.session.scalars(
        select(Document).where(of_organisation | Document.request_id.in_(ids)).order_by(Document.id)
    ):
        key = (None, paper.request_id) if paper.request_id is not None else (paper.organisation_id, None)
        papers[key].append(paper)
    given: dict[tuple[int | None, int | None], list[FieldVerdict]] = defaultdict(list)
    subject = FieldVerdict.organisation_id.in_(organisations) | FieldVerdict.request_id.in_(ids)
    for verdict in db.session.scalars(select(FieldVerdict).where(subject).order_by(FieldVerdict.id)):
        given[verdict.organisation_id, verdict.request_id].append(verdict)
    found = {}
    for request in requests:
        organisation = request.organisation
        administrators = people[organisation.id]
        contract = contracts.get(organisation.id)
        own = sorted([*papers[organisation.id, None], *papers[None, request.id]], key=lambda paper: paper.id)
        verdicts = {
            **holding(given[organisation.id, None], declared_of_organisation(organisation, administrators)),
            **holding(given[None, request.id], declared_of_request(request)),
        }
        current = current_papers(own, contract, administrators)
        found[request.id] = obstacles_to_approval(request, current, contract, verdicts)
    return found

"""A file as the review desk shows it: everything in a fixed number of statements (REV-1, SPD-1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from app.errors import NotFound
from app.extensions import db
from app.models import (
    CertificateRequest,
    Contract,
    Document,
    DocumentAsk,
    DocumentAskItem,
    DocumentKind,
    FieldVerdict,
    Invoice,
    Organisation,
    Payment,
    PaymentLine,
    User,
)
from app.permissions import Actor, Permission
from app.queries.declared_fields import Declared, declared_of_organisation, declared_of_request
from app.queries.people import administrators_of
from app.queries.readiness import (
    contract_in_force,
    current_papers,
    holding,
    missing_kinds,
    obstacles_to_approval,
    obstacles_to_verification,
    papers_of,
    verdicts_of,
)
from app.states import PaymentState

REQUESTS_SHOWN = 50


@dataclass(slots=True)
class OrganisationFile:
    """An organisation with all that its decision rests on."""

    organisation: Organisation
    administrators: list[User]
    papers: list[Document]
    earlier: dict[int, Document]
    contract: Contract | None
    declared: list[Declared]
    verdicts: dict[str, FieldVerdict]
    asks: list[DocumentAsk]
    names: dict[int, str] = field(default_factory=dict)
    copies: dict[str, list[str]] = field(default_factory=dict)
    """Fingerprint of a paper → other organisations that gave the same file."""

    @property
    def open_ask(self) -> DocumentAsk | None:
        """What TunTrust still waits for from the organisation."""
        return next((ask for ask in self.asks if ask.organisation_id and ask.closed_at is None), None)

    @property
    def own_papers(self) -> list[Document]:
        """The organisation's papers, the contract apart."""
        return [p for p in self.papers if p.request_id is None and p.kind is not DocumentKind.SIGNED_CONTRACT]

    @property
    def signed_contract(self) -> Document | None:
        """The copy of the contract in force that the organisation signed."""
        return self.contract.signed_document if self.contract is not None else None

    @property
    def missing(self) -> list[DocumentKind]:
        """Papers the organisation has not given."""
        return missing_kinds(self.organisation, self.own_papers, self.administrators)

    @property
    def verification_obstacles(self) -> list[str]:
        """Why it cannot be declared verified yet."""
        return obstacles_to_verification(self.organisation, self.papers, self.administrators, self.verdicts)


@dataclass(slots=True)
class RequestFile(OrganisationFile):
    """A request with its organisation's file."""

    request: CertificateRequest = field(kw_only=True)
    request_declared: list[Declared] = field(default_factory=list)
    request_verdicts: dict[str, FieldVerdict] = field(default_factory=dict)
    payment: Payment | None = None
    invoice: Invoice | None = None

    @property
    def open_request_ask(self) -> DocumentAsk | None:
        """What TunTrust still waits for from the applicant."""
        return next((ask for ask in self.asks if ask.request_id and ask.closed_at is None), None)

    @property
    def request_papers(self) -> list[Document]:
        """The papers given for this request."""
        return [paper for paper in self.papers if paper.request_id is not None]

    @property
    def approval_obstacles(self) -> list[str]:
        """Why it cannot be approved yet."""
        verdicts = {**self.verdicts, **self.request_verdicts}
        return obstacles_to_approval(self.request, self.papers, self.contract, verdicts)


def request_file(actor: Actor, reference: str) -> RequestFile:
    """A request's file, for staff who read requests. Raises NotFound."""
    request = _request(actor, reference)
    base = _organisation_parts(request.organisation, request.id)
    declared = declared_of_request(request)
    given = verdicts_of(request_id=request.id)
    payment, invoice = _money(request.id)
    found = RequestFile(
        **base,
        request=request,
        request_declared=declared,
        request_verdicts=holding(given, declared),
        payment=payment,
        invoice=invoice,
    )
    found.names = _names(found, request.assigned_to_id, request.approved_by_id)
    return found


def organisation_file(actor: Actor, reference: str) -> OrganisationFile:
    """An organisation's file, for staff who read organisations. Raises NotFound."""
    organisation = _organisation(actor, reference)
    found = OrganisationFile(**_organisation_parts(organisation, None))
    found.names = _names(found)
    return found


def request_named(actor: Actor, reference: str) -> CertificateRequest:
    """The request alone, in the same scope: what a POST acts on. Raises NotFound."""
    return _request(actor, reference)


def organisation_named(actor: Actor, reference: str) -> Organisation:
    """The organisation alone, in the same scope. Raises NotFound."""
    return _organisation(actor, reference)


def requests_of_organisation(organisation_id: int) -> list[CertificateRequest]:
    """Its latest requests, for its file."""
    return list(
        db.session.scalars(
            select(CertificateRequest)
            .where(CertificateRequest.organisation_id == organisation_id)
            .options(joinedload(CertificateRequest.certificate_type))
            .order_by(CertificateRequest.id.desc())
            .limit(REQUESTS_SHOWN)
        )
    )


def paper_of(actor: Actor, public_id: str, *, request: CertificateRequest | None, organisation_id: int) -> Document:
    """A paper of this very file. Raises NotFound for any other."""
    about = (Document.organisation_id == organisation_id) & Document.request_id.is_(None)
    if request is not None:
        about = about | (Document.request_id == request.id)
    found = db.session.scalar(select(Document).where(Document.public_id == public_id, about))
    if found is None or not actor.can(Permission.READ_DOCUMENTS):
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    return found


def contract_of(actor: Actor, reference: str, version: int) -> Contract:
    """A version of an organisation's contract, for staff. Raises NotFound."""
    organisation = _organisation(actor, reference)
    contract = db.session.scalar(
        select(Contract).where(Contract.organisation_id == organisation.id, Contract.version_number == version)
    )
    if contract is None or not actor.can(Permission.READ_DOCUMENTS):
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    return contract


def _request(actor: Actor, reference: str) -> CertificateRequest:
    request = db.session.scalar(
        select(CertificateRequest)
        .where(CertificateRequest.reference == reference.strip().upper())
        .options(
            joinedload(CertificateRequest.organisation).joinedload(Organisation.representative),
            joinedload(CertificateRequest.organisation).joinedload(Organisation.governorate),
            joinedload(CertificateRequest.order),
            joinedload(CertificateRequest.certificate_type),
            joinedload(CertificateRequest.post_office),
            joinedload(CertificateRequest.certificate),
            joinedload(CertificateRequest.cgu_version),
            selectinload(CertificateRequest.domains),
        )
    )
    if request is None or not actor.can(Permission.READ_REQUESTS):
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    return request


def _organisation(actor: Actor, reference: str) -> Organisation:
    organisation = db.session.scalar(
        select(Organisation)
        .where(Organisation.reference == reference.strip().upper())
        .options(joinedload(Organisation.representative), joinedload(Organisation.governorate))
    )
    if organisation is None or not actor.can(Permission.READ_ORGANISATIONS):
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    return organisation


def _organisation_parts(organisation: Organisation, request_id: int | None) -> dict[str, Any]:
    people = administrators_of(organisation.id)
    contract = contract_in_force(organisation.id)
    versions = papers_of(organisation.id, request_id)
    papers = current_papers(versions, contract, people)
    declared = declared_of_organisation(organisation, people)
    return {
        "organisation": organisation,
        "administrators": people,
        "papers": papers,
        "earlier": _earlier(versions),
        "contract": contract,
        "declared": declared,
        "verdicts": holding(verdicts_of(organisation_id=organisation.id), declared),
        "asks": _asks(organisation.id, request_id),
        "copies": _copies(organisation.id, papers),
    }


def _earlier(versions: list[Document]) -> dict[int, Document]:
    """Id of a paper → the version it replaced."""
    by_id = {paper.id: paper for paper in versions}
    return {
        paper.id: by_id[paper.replaces_id]
        for paper in versions
        if paper.replaces_id is not None and paper.replaces_id in by_id
    }


def _asks(organisation_id: int, request_id: int | None) -> list[DocumentAsk]:
    about = DocumentAsk.organisation_id == organisation_id
    if request_id is not None:
        about = or_(about, DocumentAsk.request_id == request_id)
    return list(
        db.session.scalars(
            select(DocumentAsk)
            .where(about)
            .options(selectinload(DocumentAsk.items).joinedload(DocumentAskItem.answer_document))
            .order_by(DocumentAsk.id.desc())
            .limit(20)
        )
    )


def _copies(organisation_id: int, papers: list[Document]) -> dict[str, list[str]]:
    """Which of these very files other organisations gave too (REV-3)."""
    if not papers:
        return {}
    rows = db.session.execute(
        select(Document.sha256, func.min(Organisation.reference))
        .join(Organisation, Document.organisation_id == Organisation.id)
        .where(Document.sha256.in_({paper.sha256 for paper in papers}), Organisation.id != organisation_id)
        .group_by(Document.sha256, Organisation.id)
        .limit(20)
    )
    found: dict[str, list[str]] = {}
    for sha256, reference in rows:
        found.setdefault(sha256, []).append(reference)
    return found


def _money(request_id: int) -> tuple[Payment | None, Invoice | None]:
    """The payment that settled the request, and its invoice."""
    row = db.session.execute(
        select(Payment, Invoice)
        .join(PaymentLine, PaymentLine.payment_id == Payment.id)
        .outerjoin(Invoice, Invoice.payment_id == Payment.id)
        .where(PaymentLine.request_id == request_id, Payment.state == PaymentState.PAYE)
        .order_by(Payment.id.desc())
        .limit(1)
    ).first()
    return (row[0], row[1]) if row is not None else (None, None)


def _names(file: OrganisationFile, *more: int | None) -> dict[int, str]:
    """Who gave the verdicts and holds the file, by account."""
    wanted = {paper.verdict_by_id for paper in file.papers} | {verdict.by_id for verdict in file.verdicts.values()}
    if isinstance(file, RequestFile):
        wanted |= {verdict.by_id for verdict in file.request_verdicts.values()}
    wanted |= {file.organisation.assigned_to_id, file.organisation.verified_by_id, *more}
    ids = {each for each in wanted if each is not None}
    if not ids:
        return {}
    return {user.id: user.display_name for user in db.session.scalars(select(User).where(User.id.in_(ids)))}

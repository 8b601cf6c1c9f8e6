"""What a file still lacks before TunTrust can decide (chapter 1: approve; CON-1, ORG-4, ORG-5).

Services refuse with these sentences, the review desk shows them beforehand.
"""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.extensions import db
from app.models import (
    CertificateRequest,
    Contract,
    Document,
    DocumentKind,
    FieldVerdict,
    IdentityKind,
    Organisation,
    RegistrationCountry,
    User,
)
from app.queries.declared_fields import Declared, declared_of_organisation, declared_of_request, field_name
from app.queries.people import administrators_of
from app.state_labels import state_label
from app.states import CertificateState, OrganisationState, Verdict


def contract_in_force(organisation_id: int) -> Contract | None:
    """The latest version of the contract, with its signed copy (CON-1)."""
    return db.session.scalar(
        select(Contract)
        .where(Contract.organisation_id == organisation_id)
        .options(joinedload(Contract.signed_document))
        .order_by(Contract.version_number.desc())
        .limit(1)
    )


def papers_of(organisation_id: int, request_id: int | None = None) -> list[Document]:
    """Every version of every paper of the organisation itself and, if named, of one request; oldest first."""
    own = (Document.organisation_id == organisation_id) & Document.request_id.is_(None)
    about = own if request_id is None else own | (Document.request_id == request_id)
    return list(db.session.scalars(select(Document).where(about).order_by(Document.id)))


def current_papers(
    papers: Iterable[Document], contract: Contract | None, administrators: Iterable[User]
) -> list[Document]:
    """The versions that hold today: no replaced one, no copy of an earlier contract, of a former administrator."""
    people = {person.id for person in administrators}
    signed = contract.signed_document_id if contract is not None else None
    return [
        paper
        for paper in papers
        if paper.superseded_at is None
        and (paper.kind is not DocumentKind.SIGNED_CONTRACT or paper.id == signed)
        and (paper.kind is not DocumentKind.ADMINISTRATOR_IDENTITY or paper.user_id is None or paper.user_id in people)
    ]


def verdicts_of(*, organisation_id: int | None = None, request_id: int | None = None) -> list[FieldVerdict]:
    """The verdicts given on an organisation's and a request's declared fields, valid or void."""
    wanted = []
    if organisation_id is not None:
        wanted.append(FieldVerdict.organisation_id == organisation_id)
    if request_id is not None:
        wanted.append(FieldVerdict.request_id == request_id)
    condition = wanted[0] if len(wanted) == 1 else wanted[0] | wanted[1]
    return list(db.session.scalars(select(FieldVerdict).where(condition).order_by(FieldVerdict.id)))


def holding(verdicts: Iterable[FieldVerdict], declared: Iterable[Declared]) -> dict[str, FieldVerdict]:
    """The verdicts given on the values of today: one given on another value is void (REV-2)."""
    values = {each.name: each.stored for each in declared}
    return {verdict.field: verdict for verdict in verdicts if values.get(verdict.field) == verdict.value_seen}


def missing_kinds(
    organisation: Organisation, papers: Iterable[Document], administrators: Iterable[User]
) -> list[DocumentKind]:
    """The papers the organisation should have given and has not (ORG-4, ORG-5); the contract apart."""
    given = {(paper.kind, paper.user_id) for paper in papers}
    kinds = {kind for kind, _owner in given}
    wanted = []
    if organisation.registration_country is RegistrationCountry.ETRANGER:
        wanted.append(DocumentKind.TRADE_REGISTER)
    else:
        if organisation.has_rne:
            wanted.append(DocumentKind.RNE_EXTRACT)
        if not organisation.has_rne or organisation.rne_in_arabic_only:
            wanted.append(DocumentKind.TAX_CARD)
    head = organisation.representative
    if head.identity_kind is not IdentityKind.CIN:
        wanted.append(DocumentKind.REPRESENTATIVE_IDENTITY)
    missing = [kind for kind in wanted if kind not in kinds]
    for person in administrators:
        foreign = person.identity_kind not in (None, IdentityKind.CIN)
        same = (person.identity_kind, person.identity_number) == (head.identity_kind, head.identity_number)
        known = (DocumentKind.ADMINISTRATOR_IDENTITY, person.id) in given or (
            DocumentKind.ADMINISTRATOR_IDENTITY,
            None,
        ) in given
        if foreign and not same and not known:
            missing.append(DocumentKind.ADMINISTRATOR_IDENTITY)
    return missing


def lacks_identity_copy(request: CertificateRequest, papers: Iterable[Document]) -> bool:
    """A foreigner gives a copy of the residence card or passport (APP-2)."""
    return request.identity_kind is not IdentityKind.CIN and not any(
        paper.kind is DocumentKind.APPLICANT_IDENTITY and paper.request_id == request.id for paper in papers
    )


def obstacles_to_verification(
    organisation: Organisation,
    papers: Iterable[Document],
    administrators: list[User],
    verdicts: dict[str, FieldVerdict],
) -> list[str]:
    """Why the organisation cannot be declared verified yet: its papers and data; the contract is apart (CON-1)."""
    own = [paper for paper in papers if paper.request_id is None and paper.kind is not DocumentKind.SIGNED_CONTRACT]
    return [
        *(
            _("il manque : %(what)s", what=state_label(kind))
            for kind in missing_kinds(organisation, own, administrators)
        ),
        *_of_papers(own),
        *_of_fields(verdicts),
    ]


def obstacles_to_approval(
    request: CertificateRequest,
    papers: Iterable[Document],
    contract: Contract | None,
    verdicts: dict[str, FieldVerdict],
) -> list[str]:
    """Why the request cannot be approved yet: every reason, in the order of chapter 1."""
    found = []
    if request.organisation.state is not OrganisationState.VERIFIEE:
        found.append(
            _("l'organisation n'est pas vérifiée (« %(state)s »)", state=state_label(request.organisation.state))
        )
    found += _of_contract(contract)
    papers = [paper for paper in papers if paper.kind is not DocumentKind.SIGNED_CONTRACT]
    found += _of_papers(papers)
    if lacks_identity_copy(request, papers):
        found.append(_("il manque : %(what)s", what=state_label(DocumentKind.APPLICANT_IDENTITY)))
    return found + _of_fields(verdicts)


def _of_contract(contract: Contract | None) -> list[str]:
    if contract is None:
        return [_("l'organisation n'a pas de contrat")]
    copy = contract.signed_document
    if copy is None:
        return [_("le contrat signé n'est pas reçu")]
    if copy.verdict is Verdict.REFUSE:
        return [_("le contrat signé est refusé")]
    return [] if copy.verdict is Verdict.ACCEPTE else [_("le contrat signé n'est pas vérifié")]


def _of_papers(papers: Iterable[Document]) -> list[str]:
    words = {Verdict.REFUSE: _("document refusé : %(what)s"), Verdict.A_VERIFIER: _("document à vérifier : %(what)s")}
    return [
        words[paper.verdict] % {"what": state_label(paper.kind)}
        for paper in papers
        if paper.verdict is not Verdict.ACCEPTE
    ]


def _of_fields(verdicts: dict[str, FieldVerdict]) -> list[str]:
    return [
        _("donnée non conforme : %(what)s", what=str(field_name(name)))
        for name, verdict in verdicts.items()
        if verdict.verdict is Verdict.REFUSE
    ]


def obstacles_to_dispatch(request: CertificateRequest) -> list[str]:
    """Why the token cannot leave yet: approved, a certificate generated, somewhere to go (chapter 1)."""
    found = []
    if request.approved_at is None:
        found.append(_("la demande n'est pas approuvée"))
    if request.certificate is None:
        found.append(_("le certificat généré n'est pas enregistré"))
    elif request.certificate.state is not CertificateState.GENERE:
        found.append(_("le certificat est « %(state)s »", state=state_label(request.certificate.state)))
    if request.post_office is None:
        found.append(_("aucun bureau de poste n'est choisi"))
    return found


def approval_obstacles_of(request: CertificateRequest) -> list[str]:
    """The same as ``obstacles_to_approval``, everything read afresh: for the service that decides."""
    organisation = request.organisation
    people = administrators_of(organisation.id)
    contract = contract_in_force(organisation.id)
    papers = current_papers(papers_of(organisation.id, request.id), contract, people)
    given = verdicts_of(organisation_id=organisation.id, request_id=request.id)
    verdicts = {
        **holding([v for v in given if v.organisation_id], declared_of_organisation(organisation, people)),
        **holding([v for v in given if v.request_id], declared_of_request(request)),
    }
    return obstacles_to_approval(request, papers, contract, verdicts)


def verification_obstacles_of(organisation: Organisation) -> list[str]:
    """The same for ``obstacles_to_verification``."""
    people = administrators_of(organisation.id)
    papers = current_papers(papers_of(organisation.id), contract_in_force(organisation.id), people)
    declared = declared_of_organisation(organisation, people)
    return obstacles_to_verification(
        organisation, papers, people, holding(verdicts_of(organisation_id=organisation.id), declared)
    )

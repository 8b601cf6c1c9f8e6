"""Files for the tests of the review desk: what an agent finds, in any state, ready for a decision."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from app import clock
from app.demo.papers_certificates import self_signed_certificate
from app.extensions import db
from app.models import (
    AuditEntry,
    Certificate,
    CertificateRequest,
    DocumentAsk,
    DocumentAskItem,
    DocumentKind,
    HistoryEntry,
    Organisation,
    OutboxMail,
)
from app.permissions import Actor, Role
from app.states import CertificateState, OrganisationState, RequestState, Verdict
from tests import factories as f


def organisation_file(
    state: OrganisationState = OrganisationState.VERIFIEE, *, verdict: Verdict = Verdict.ACCEPTE, **values: Any
) -> Organisation:
    """An organisation with an extract and a signed contract of that verdict, one administrator, an ask if asked."""
    organisation = f.organisation(state, **values)
    f.administrator(organisation)
    f.document(organisation_id=organisation.id, verdict=verdict)
    f.contract(organisation, signed=verdict)
    if state is OrganisationState.PIECES_DEMANDEES:
        _ask(organisation_id=organisation.id)
    return organisation


def request_file(
    state: RequestState = RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST,
    of: Organisation | None = None,
    *,
    approved: bool = False,
    generated: bool = False,
    **values: Any,
) -> CertificateRequest:
    """A request whose organisation's file is in order; ``generated``: with its certificate."""
    organisation = of if of is not None else organisation_file()
    request = f.certificate_request(organisation, state, **values)
    if state is RequestState.EN_ATTENTE_DE_JUSTIFICATIFS:
        _ask(request_id=request.id)
    if approved or generated:
        request.approved_at = clock.now()
    if generated:
        certificate(request)
    db.session.commit()
    return request


def certificate(request: CertificateRequest, **values: Any) -> Certificate:
    """A recorded certificate's row."""
    row = Certificate(
        **{
            "request_id": request.id,
            "state": CertificateState.GENERE,
            "serial_number": f"{request.id:x}",
            "issuer": "CN=Autorité d'essai",
            "subject": f"CN={request.common_name}",
            "not_before": clock.now(),
            "not_after": clock.now() + timedelta(days=730),
            "key_description": "EC secp256r1",
            "fingerprint": "0" * 64,
            "pem": "",
            "recorded_at": clock.now(),
            **values,
        }
    )
    db.session.add(row)
    db.session.commit()
    return row


def _ask(**about: int) -> None:
    ask = DocumentAsk(asked_at=clock.now(), due_on=clock.today() + timedelta(days=15), **about)
    ask.items.append(DocumentAskItem(position=1, document_kind=DocumentKind.OTHER, reason="À joindre."))
    db.session.add(ask)
    db.session.commit()


def pem_for(request: CertificateRequest, **values: Any) -> bytes:
    """The PEM that an authority would issue for this request; any value may be another."""
    moment: datetime = clock.now()
    given: dict[str, Any] = {
        "cn": request.common_name,
        "cin": request.identity_number,
        "org": "Exemple",
        "serial": 0x1234ABCD,
        "not_before": moment - timedelta(minutes=5),
        "not_after": moment + timedelta(days=730),
        **values,
    }
    return self_signed_certificate(**given)


def agent(role: Role = Role.AGENT) -> Actor:
    """An actor of TunTrust's."""
    return f.actor(f.staff(role))


def strangers(request_or_organisation: CertificateRequest | Organisation) -> dict[str, Actor]:
    """Everybody who must not decide of this file, its own people included."""
    row = request_or_organisation
    organisation_id = row.organisation_id if isinstance(row, CertificateRequest) else row.id
    people = {
        "manager": agent(Role.RESPONSABLE),
        "technician": agent(Role.ADMINISTRATEUR),
        "own administrator": f.actor(f.administrator(db.session.get_one(Organisation, organisation_id))),
        "another's administrator": f.actor(f.administrator(f.organisation())),
        "another's applicant": f.actor(f.applicant()),
    }
    if isinstance(row, CertificateRequest):
        people["own applicant"] = f.actor(row.applicant)
    return people


def traces(row: CertificateRequest | Organisation) -> tuple[Any, ...]:
    """What a refusal must leave as it was."""
    model, row_id = type(row), row.id
    db.session.expire_all()
    fresh = db.session.get_one(model, row_id)
    counts = [db.session.scalar(select(func.count()).select_from(m)) for m in (HistoryEntry, OutboxMail, AuditEntry)]
    return (fresh.state, fresh.version, *counts)

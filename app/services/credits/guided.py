"""The desk's guided steps: one form, one transaction, everything that belongs together (AVO-5).

« Annuler et préparer l'avoir » rejects a paid request and writes its credit note for a second person. « Révoquer,
avoir et nouvelle demande pré-remplie » writes one proposal; when the second person issues it, the certificate is
revoked, the credit given and the new order laid on the client's list, in the same transaction.
"""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select

from app import clock
from app.errors import DomainError, IllegalTransition, NotFound
from app.extensions import db
from app.models import (
    CertificateRequest,
    CreditOutcome,
    CreditProposal,
    CreditProposalLine,
    CreditReason,
    Invoice,
    OrderDraftLine,
    PaymentLine,
    User,
)
from app.permissions import Actor
from app.queries.people import administrators_of
from app.services import outbox
from app.services.announcing import tell_people_of_request
from app.services.credits import proposing
from app.services.credits.amounts import left_of, proposal_for
from app.services.deciding import reject
from app.services.links import public_url
from app.services.locking import lock
from app.services.moving import move_certificate, move_request
from app.services.ordering import RequestLine
from app.services.unit_of_work import use_case
from app.states import CertificateState, CreditProposalState, RequestState

REVOCABLE = (CertificateState.GENERE, CertificateState.EXPEDIE, CertificateState.RETIRE)


def invoice_of_request(request_id: int) -> Invoice | None:
    """The invoice that this request was paid by; None when it was not."""
    return db.session.scalar(
        select(Invoice)
        .join(PaymentLine, PaymentLine.payment_id == Invoice.payment_id)
        .where(PaymentLine.request_id == request_id)
        .order_by(Invoice.id.desc())
        .limit(1)
    )


@use_case
def reject_and_credit(
    request_id: int,
    *,
    reason: str,
    outcome: CreditOutcome,
    actor: Actor,
    expected_version: int | None = None,
) -> CreditProposal:
    """« Annuler et préparer l'avoir »: the request ends, its credit note waits for a second person (AVO-5).

    Raises as ``deciding.reject`` and ``proposing.prepare``; IllegalTransition for a request that was not paid.
    """
    invoice = _locked_invoice(request_id)
    request = reject(request_id, actor=actor, reason=reason, expected_version=expected_version)
    wanted, stamp = proposal_for(left_of(invoice), CreditReason.REJET_APRES_PAIEMENT, [request.id])
    return proposing.prepare(
        invoice.id,
        wanted,
        stamp_duty=stamp,
        reason=CreditReason.REJET_APRES_PAIEMENT,
        reason_text=reason,
        outcome=outcome,
        actor=actor,
    )


@use_case
def prepare_revocation(
    request_id: int,
    *,
    reason: CreditReason,
    reason_text: str,
    outcome: CreditOutcome,
    reorder: bool,
    actor: Actor,
    expected_version: int | None = None,
) -> CreditProposal:
    """« Révoquer, avoir et nouvelle demande pré-remplie », for a second person to carry out (AVO-5, CRT-3).

    Nothing is revoked before that. Raises NotFound, Forbidden, StaleObject, IllegalTransition (no certificate that
    can be revoked, never paid), DomainError.
    """
    invoice = _locked_invoice(request_id)
    request = lock(CertificateRequest, request_id)
    if expected_version is not None:
        from app.services.locking import check_version

        check_version(request, expected_version, for_staff=actor.is_staff)
    if request.certificate is None or request.certificate.state not in REVOCABLE:
        raise IllegalTransition(_("Cette demande n'a pas de certificat à révoquer."))
    waiting = waiting_revocation(request.id)
    if waiting is not None:
        raise IllegalTransition(
            _("L'avoir %(reference)s, qui révoque ce certificat, attend déjà d'être émis.", reference=waiting.reference)
        )
    wanted, stamp = proposal_for(left_of(invoice), reason, [request.id])
    if not wanted:
        raise DomainError(_("Cette demande a déjà été remboursée ou créditée."))
    return proposing.prepare(
        invoice.id,
        wanted,
        stamp_duty=stamp,
        reason=reason,
        reason_text=reason_text,
        outcome=outcome,
        actor=actor,
        revokes=True,
        reorders=reorder,
    )


def waiting_revocation(request_id: int) -> CreditProposal | None:
    """The proposal that will revoke this request's certificate once a second person issues it, if there is one."""
    return db.session.scalar(
        select(CreditProposal)
        .join(CreditProposalLine, CreditProposalLine.proposal_id == CreditProposal.id)
        .join(PaymentLine, PaymentLine.id == CreditProposalLine.payment_line_id)
        .where(
            PaymentLine.request_id == request_id,
            CreditProposal.revokes,
            CreditProposal.state == CreditProposalState.A_APPROUVER,
        )
        .limit(1)
    )


def carry_out(proposal: CreditProposal, *, actor: Actor) -> None:
    """Inside the issuing use case: what the proposal promised besides the money. Raises IllegalTransition."""
    if not (proposal.revokes or proposal.reorders):
        return
    ids = sorted(line.payment_line.request_id for line in proposal.lines)
    requests = [lock(CertificateRequest, request_id) for request_id in ids]
    if proposal.revokes:
        for request in requests:
            _revoke(request, proposal, actor)
    if proposal.reorders:
        _lay_out(requests)


def _locked_invoice(request_id: int) -> Invoice:
    found = db.session.get(CertificateRequest, request_id)
    if found is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    invoice = invoice_of_request(request_id)
    if invoice is None:
        raise IllegalTransition(_("Cette demande n'a pas été payée : il n'y a pas d'avoir à préparer."))
    return proposing.locked_invoice(invoice.id)


def _revoke(request: CertificateRequest, proposal: CreditProposal, actor: Actor) -> None:
    certificate = request.certificate
    if certificate is None:
        raise IllegalTransition(_("Cette demande n'a pas de certificat à révoquer."))
    if certificate.state is not CertificateState.REVOQUE:  # revoked meanwhile by its holder: nothing more to do
        move_certificate(certificate, request, "revoke", actor=actor, reason=proposal.reason_text)
        tell_people_of_request(
            "certificate_revoked",
            request,
            reason=proposal.reason_text,
            serial_number=certificate.serial_number,
            link=public_url("requests.show", reference=request.reference),
        )
    if request.state is RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST:  # generated and never dispatched: it ends here
        move_request(request.id, "reject", actor=actor, reason=proposal.reason_text)
        request.closing_reason = proposal.reason_text


def _lay_out(requests: list[CertificateRequest]) -> None:
    """The same people on the list « Commander certificats » of whoever ordered them, to be read and sent."""
    owner = _orderer(requests[0])
    if owner is None:
        return
    moment = clock.now()
    for request in requests:
        line = RequestLine(
            certificate_type_id=request.certificate_type_id,
            validity_years=request.validity_years,
            domain_ids=tuple(domain.id for domain in request.domains),
            for_self=request.applicant_id == owner.id,
            last_name=request.last_name,
            first_name=request.first_name,
            last_name_ar=request.last_name_ar,
            first_name_ar=request.first_name_ar,
            birth_date=request.birth_date,
            nationality=request.nationality,
            identity_kind=request.identity_kind,
            identity_number=request.identity_number,
            mobile=request.mobile,
            email=request.email,
        )
        db.session.add(
            OrderDraftLine(
                organisation_id=request.organisation_id,
                user_id=owner.id,
                data=line.to_json(),
                created_at=moment,
                updated_at=moment,
            )
        )
    outbox.write(
        "reorder_prepared",
        to=owner.email,
        locale=owner.locale,
        organisation_id=requests[0].organisation_id,
        name=owner.display_name,
        applicants=[request.common_name for request in requests],
        link=public_url("ordering.form", code=requests[0].certificate_type.code),
    )


def _orderer(request: CertificateRequest) -> User | None:
    """Who ordered it, if still an administrator there; else the first one who is."""
    people = [one for one in administrators_of(request.organisation_id) if one.disabled_at is None]
    return next((one for one in people if one.id == request.created_by_id), people[0] if people else None)

"""The desk's guided steps: one form, one transaction, everything that belongs together (AVO-5).

« Annuler et préparer l'avoir » rejects a paid request and writes its credit note for a second person. « Révoquer,
avoir et nouvelle demande pré-remplie » writes one proposal; when the second person issues it, the certificate is
revoked, the credit given and the new order laid on the client's list, in the same transaction.
"""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select

from app.errors import DomainError, IllegalTransition, NotFound
from app.extensions import db
from app.models import (
    CertificateRequest,
    CreditOutcome,
    CreditProposal,
    CreditProposalLine,
    CreditReason,
    Invoice,
    PaymentLine,
    RevocationReason,
    User,
)
from app.permissions import Actor
from app.queries.people import administrators_of
from app.queries.replacements import is_being_replaced
from app.queries.uncollected import is_revoked_uncredited
from app.services import outbox, revoking
from app.services.credits import proposing
from app.services.credits.amounts import left_of, proposal_for
from app.services.deciding import reject
from app.services.links import public_url
from app.services.locking import lock
from app.services.moving import lock_certificate
from app.services.renewing import lay_line, line_replacing
from app.services.unit_of_work import use_case
from app.states import VALID_CERTIFICATE_STATES, CertificateState, CreditProposalState

GROUNDS = {
    CreditReason.NON_RETRAIT_90_JOURS: RevocationReason.NON_RETRAIT_90_JOURS,
    CreditReason.ERREUR_TUNTRUST: RevocationReason.EMISSION_NON_CONFORME,
}
"""The ground of the general conditions behind a credit note's reason; any other is the client's own wish."""


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
    if not may_revoke_and_credit(request):
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


def may_revoke_and_credit(request: CertificateRequest) -> bool:
    """Has it a certificate to revoke, or one the clock revoked and nobody credited yet (CRT-3)?"""
    certificate = request.certificate
    return certificate is not None and (
        certificate.state in VALID_CERTIFICATE_STATES or is_revoked_uncredited(certificate)
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
        _lay_out([request for request in requests if not is_being_replaced(request)])


def _locked_invoice(request_id: int) -> Invoice:
    found = db.session.get(CertificateRequest, request_id)
    if found is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    invoice = invoice_of_request(request_id)
    if invoice is None:
        raise IllegalTransition(_("Cette demande n'a pas été payée : il n'y a pas d'avoir à préparer."))
    return proposing.locked_invoice(invoice.id)


def _revoke(request: CertificateRequest, proposal: CreditProposal, actor: Actor) -> None:
    if request.certificate is None:
        raise IllegalTransition(_("Cette demande n'a pas de certificat à révoquer."))
    certificate, request = lock_certificate(request.id)
    if certificate.state is CertificateState.REVOQUE:  # meanwhile, by its people or by the clock: nothing more to do
        return
    revoking.carry_out(
        certificate,
        request,
        reason=GROUNDS.get(proposal.reason, RevocationReason.DEMANDE_DU_CLIENT),
        text=proposal.reason_text,
        actor=actor,
        prepared_by_id=proposal.prepared_by_id,
    )


def _lay_out(requests: list[CertificateRequest]) -> None:
    """The same people on the list « Commander certificats » of whoever ordered them, to be read and sent."""
    owner = _orderer(requests[0]) if requests else None
    if owner is None:
        return
    for request in requests:
        lay_line(line_replacing(request, for_self=request.applicant_id == owner.id), request.organisation_id, owner.id)
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

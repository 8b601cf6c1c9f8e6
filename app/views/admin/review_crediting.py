"""The desk's guided steps about money: reject and credit; revoke, credit and order anew (AVO-5, CRT-3)."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _

from app.errors import DomainError, Forbidden, NotFound, StaleObject
from app.extensions import db
from app.forms.base import show_refusal
from app.forms.credits import RejectAndCreditForm, RevocationForm
from app.models import CertificateRequest, CreditOutcome, CreditReason, Invoice, ReasonKind
from app.permissions import Actor, Permission
from app.queries import reference as reference_data
from app.queries.review import RequestFile
from app.queries.uncollected import is_left_uncollected
from app.services.authority import checked_move, hands_on_request
from app.services.credits import guided
from app.services.credits.amounts import left_of, proposal_for
from app.services.credits.proposing import refundable
from app.state_labels import choices_of, state_label
from app.states import REQUEST_MOVES
from app.views.admin.review_gate import FileGate, address_of, file_of, row_of
from app.views.admin.review_page import Desk
from app.web import current_actor

REVOCATION_REASONS = (
    CreditReason.NON_RETRAIT_90_JOURS,
    CreditReason.ERREUR_TUNTRUST,
    CreditReason.RETRAIT_DEMANDE,
)


def to_credit(request_id: int, actor: Actor) -> str | None:
    """Where a plain « Rejeter » of a paid request leads: the sheet of its credit note, filled (AVO-5)."""
    row = db.session.get(CertificateRequest, request_id)
    if row is None or row.paid_at is None or not actor.can(Permission.PREPARE_CREDIT_NOTES):
        return None
    invoice = guided.invoice_of_request(request_id)
    if invoice is None or not proposal_for(left_of(invoice), CreditReason.REJET_APRES_PAIEMENT, [request_id])[0]:
        return None
    flash(_("Cette demande était payée : préparez l'avoir qui rend son montant."), "info")
    return url_for(
        "avoirs.new", number=invoice.number, demande=row.reference, motif=CreditReason.REJET_APRES_PAIEMENT.value
    )


class Crediting(FileGate):
    """One page each, which says what happens now and what waits for the second person."""

    @expose("/<reference>/annuler-et-avoir", methods=("GET", "POST"))
    def reject_and_credit(self, reference: str) -> Any:
        """« Annuler et préparer l'avoir »."""
        file, invoice = self._paid(reference)
        hands = hands_on_request(current_actor(), file.request)
        try:
            if request.method == "GET":
                checked_move(REQUEST_MOVES, file.request.state, "reject", hands)
                self._check_left(file, invoice)
        except DomainError as refusal:
            return self._back(reference, refusal)
        form = self._reject_form(file, invoice)
        if form.validate_on_submit():
            try:
                proposal = guided.reject_and_credit(
                    file.request.id,
                    reason=form.text,
                    outcome=CreditOutcome(form.outcome.data),
                    actor=current_actor(),
                    expected_version=form.expected_version,
                )
            except (NotFound, Forbidden):
                raise
            except DomainError as refusal:
                self._keep(form, reference, refusal)
            else:
                said = _("La demande est annulée et le client prévenu. L'avoir attend qu'une autre personne l'émette.")
                return self._done(said, proposal.reference)
        return self._guided_page("admin/review/reject_and_credit.html", reference, form, invoice)

    @expose("/<reference>/revoquer-et-avoir", methods=("GET", "POST"))
    def revoke_and_credit(self, reference: str) -> Any:
        """« Révoquer, avoir et nouvelle demande pré-remplie »."""
        file, invoice = self._paid(reference)
        waiting = guided.waiting_revocation(file.request.id)
        if waiting is not None and request.method == "GET":
            flash(_("Cette révocation est déjà préparée : elle attend une autre personne."), "info")
            return redirect(url_for("avoirs.show", reference=waiting.reference))
        if not guided.may_revoke_and_credit(file.request):
            return self._back(reference, DomainError(_("Cette demande n'a pas de certificat à révoquer.")))
        form = self._revocation_form(file, invoice)
        if form.validate_on_submit():
            try:
                proposal = guided.prepare_revocation(
                    file.request.id,
                    reason=CreditReason(form.credit_reason.data),
                    reason_text=form.reason_text.data or "",
                    outcome=CreditOutcome(form.outcome.data),
                    reorder=bool(form.reorder.data),
                    actor=current_actor(),
                    expected_version=form.expected_version,
                )
            except (NotFound, Forbidden):
                raise
            except DomainError as refusal:
                self._keep(form, reference, refusal)
            else:
                said = _("Tout est préparé. Rien n'est révoqué tant qu'une autre personne n'a pas émis l'avoir.")
                return self._done(said, proposal.reference)
        return self._guided_page("admin/review/revoke_and_credit.html", reference, form, invoice)

    # -- what both need

    def _paid(self, reference: str) -> tuple[RequestFile, Invoice]:
        """The file of a paid request, for somebody who prepares credit notes. NotFound for any other."""
        file = self._writable(reference)
        if not current_actor().can(Permission.PREPARE_CREDIT_NOTES):
            abort(403)
        invoice = guided.invoice_of_request(file.request.id) if isinstance(file, RequestFile) else None
        if not isinstance(file, RequestFile) or invoice is None:
            raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
        return file, invoice

    @staticmethod
    def _check_left(file: RequestFile, invoice: Invoice) -> None:
        """Raises DomainError when nothing of the request's line is left to give back."""
        if not proposal_for(left_of(invoice), CreditReason.REJET_APRES_PAIEMENT, [file.request.id])[0]:
            raise DomainError(_("Cette demande a déjà été remboursée ou créditée : il suffit de la rejeter."))

    @staticmethod
    def _reject_form(file: RequestFile, invoice: Invoice) -> RejectAndCreditForm:
        ready = [each.text_fr for each in reference_data.reasons(ReasonKind.REJECTION)]
        data = {"version": file.request.version, "outcome": CreditOutcome.CREDIT.value}
        form = RejectAndCreditForm(data=data, reasons=ready)
        form.outcome.choices = _outcomes(invoice)
        return form

    @staticmethod
    def _revocation_form(file: RequestFile, invoice: Invoice) -> RevocationForm:
        late = is_left_uncollected(file.request)
        reason = CreditReason.NON_RETRAIT_90_JOURS if late else CreditReason.ERREUR_TUNTRUST
        data = {
            "version": file.request.version,
            "credit_reason": reason.value,
            "reason_text": _("Token non retiré au bureau de poste dans les 90 jours.") if late else "",
            "outcome": CreditOutcome.CREDIT.value,
            "reorder": True,
        }
        form = RevocationForm(data=data)
        form.credit_reason.choices = [(each.value, state_label(each)) for each in REVOCATION_REASONS]
        form.outcome.choices = _outcomes(invoice)
        return form

    def _guided_page(self, template: str, reference: str, form: Any, invoice: Invoice) -> str:
        file = file_of(reference)
        assert isinstance(file, RequestFile)  # noqa: S101 - _paid said so
        left = left_of(invoice)
        amounts = {}
        for reason in (CreditReason.REJET_APRES_PAIEMENT, *REVOCATION_REASONS):
            wanted, stamp = proposal_for(left, reason, [file.request.id])
            line = next((each for each in left.lines if each.line.request_id == file.request.id), None)
            amounts[reason.value] = (line.total if line is not None and wanted else 0) + stamp
        desk = Desk(file, current_actor(), request.args)
        return str(self.render(template, desk=desk, form=form, invoice=invoice, amounts=amounts))

    @staticmethod
    def _keep(form: Any, reference: str, refusal: DomainError) -> None:
        """Why not, beside its field; after a stale page the form takes the present version."""
        if isinstance(refusal, StaleObject):
            form.version.data, form.version.raw_data = row_of(reference).version, None
        show_refusal(form, refusal)

    @staticmethod
    def _done(said: str, reference: str) -> Any:
        flash(said, "success")
        return redirect(url_for("avoirs.show", reference=reference))

    @staticmethod
    def _back(reference: str, refusal: DomainError) -> Any:
        flash(str(refusal), "error")
        return redirect(address_of(reference))


def _outcomes(invoice: Invoice) -> list[tuple[str, str]]:
    """What may become of the money: back to the card only as far as it came from one."""
    if refundable(invoice) <= 0:
        return [each for each in choices_of(CreditOutcome) if each[0] == CreditOutcome.CREDIT.value]
    return choices_of(CreditOutcome)

"""« Avoirs »: what waits for a second person, what is to be paid back, what was issued (AVO-1 … AVO-4, EXP-1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.clock import local
from app.errors import DomainError, Forbidden, NotFound
from app.forms.base import BaseForm, show_refusal
from app.forms.credits import RefuseForm, TransferForm
from app.forms.requests import number
from app.models import CreditOutcome, Refund, RefundMethod
from app.money import format_millimes
from app.permissions import Permission
from app.queries import credit_accounts, credit_pages, desk_credits
from app.queries.history import history_of_credit
from app.services.credits import issuing, proposing, refunding
from app.services.payments.gateway import GatewayDown
from app.state_labels import state_label, state_tone
from app.states import CreditProposalState, RefundState
from app.views.admin import columns as c
from app.views.admin import transmission
from app.views.admin.base import ReadOnlyAdmin
from app.views.admin.columns import Cell, Column
from app.views.admin.credit_preparing import Preparing, proposal_url
from app.web import current_actor


def _issued(row: Any) -> Cell:
    if not row.credit_note_number:
        return Cell("code", "")
    return Cell("code", row.credit_note_number, url=proposal_url(row.reference))


def _state(row: Any) -> Cell:
    """Where the money stands once it is issued, else where the proposal stands."""
    state = row.refund_state or row.state
    return Cell("badge", state_label(state), state_tone(state))


def _prepared(row: Any) -> Cell:
    return Cell("note", f"{row.prepared_by}, {local(row.prepared_at).strftime('%d/%m/%Y')}")


SHORT = {
    CreditOutcome.CREDIT: _l("À valoir"),
    CreditOutcome.REMBOURSEMENT_PASSERELLE: _l("Passerelle"),
    CreditOutcome.REMBOURSEMENT_MANUEL: _l("Virement"),
}
"""What becomes of the money, in the width of a column."""


class Credits(Preparing, ReadOnlyAdmin):
    """Credit notes from their preparation to the last dinar given back. They move through the services only."""

    read = (Permission.READ_BILLING,)
    write = (Permission.PREPARE_CREDIT_NOTES, Permission.APPROVE_CREDIT_NOTES, Permission.SETTLE_PAYMENTS)
    source = desk_credits.SOURCE
    title = _l("Avoirs")
    slug = "avoirs"
    exportable = True
    search_hint = _l("Numéro d'avoir (AV, PAV), de facture, référence d'une demande, organisation…")
    columns = (
        c.code("reference", _l("Préparé sous"), url=lambda x: proposal_url(x.reference), sort="reference", lead=True),
        Column("credit_note_number", _l("Avoir"), _issued, lambda row: row.credit_note_number or ""),
        c.code(
            "invoice_number", _l("Facture"), url=lambda row: url_for("factures.show", number=row.invoice_number)
        ),
        c.text("organisation", _l("Organisation")),
        c.word("reason", _l("Motif")),
        Column("outcome", _l("Suite"), lambda row: Cell("text", str(SHORT[row.outcome]))),
        c.amount("total", _l("Montant")),
        Column("state", _l("État"), _state, lambda row: state_label(row.refund_state or row.state)),
        Column("prepared", _l("Préparé"), _prepared, sort="preparation"),
    )  # fmt: skip
    export_columns = (
        c.code("reference", _l("Préparé sous")),
        c.badge("state", _l("État")),
        c.code("credit_note_number", _l("Avoir")),
        c.moment("issued_at", _l("Émis le")),
        c.code("invoice_number", _l("Facture")),
        c.code("organisation_reference", _l("Référence de l'organisation")),
        c.text("organisation", _l("Organisation")),
        c.code("tax_id", _l("Matricule fiscal")),
        c.word("reason", _l("Motif")),
        c.text("reason_text", _l("Raison")),
        c.word("outcome", _l("Suite")),
        c.amount("total_ht", _l("Total HT (DT)")),
        c.amount("total_vat", _l("TVA (DT)")),
        c.amount("total_delivery", _l("Livraison (DT)")),
        c.amount("stamp_duty", _l("Timbre fiscal (DT)")),
        c.amount("total", _l("Total TTC (DT)")),
        c.text("prepared_by", _l("Préparé par")),
        c.moment("prepared_at", _l("Préparé le")),
        c.text("decided_by", _l("Décidé par")),
        c.moment("decided_at", _l("Décidé le")),
        c.text("decision_reason", _l("Raison du refus")),
        c.word("refund_state", _l("Remboursement")),
        c.moment("refunded_at", _l("Remboursé le")),
        c.code("bank_reference", _l("Référence du virement")),
        c.text("last_error", _l("Dernière erreur")),
    )

    # -- one credit note

    @expose("/<reference>")
    def show(self, reference: str) -> Any:
        """A proposal, and the credit note it became."""
        return self._show(reference)

    def _show(self, reference: str, **typed: BaseForm) -> str:
        actor = current_actor()
        page = credit_pages.proposal_page(actor, reference)
        proposal, refund = page.proposal, page.note.refund if page.note else None
        open_ = proposal.state is CreditProposalState.A_APPROUVER
        own = issuing.why_not_by(proposal, proposal.invoice, actor) if open_ else ""
        foreign = proposal.organisation_id not in actor.organisation_ids  # one's own is a colleague's (PPL-3)
        return str(
            self.render(
                "admin/credits/show.html",
                page=page,
                proposal=proposal,
                note=page.note,
                refund=refund,
                total=proposing.total_of(proposal),
                days=history_of_credit(proposal),
                changed=_changed(page) if open_ else "",
                own=own,
                may_prepare=open_ and foreign and actor.can(Permission.PREPARE_CREDIT_NOTES),
                may_decide=open_ and actor.can(Permission.APPROVE_CREDIT_NOTES),
                may_refuse=open_ and foreign and actor.can(Permission.APPROVE_CREDIT_NOTES),
                may_settle=refund is not None and foreign and actor.can(Permission.SETTLE_PAYMENTS),
                refuse_form=typed.get("refuse_form") or RefuseForm(formdata=None, data={"version": proposal.version}),
                transfer_form=typed.get("transfer_form")
                or TransferForm(formdata=None, data={"version": refund.version if refund else None}),
                opened=set(typed),
                may_send=transmission.may_send_again(actor, page.electronic),
            )
        )

    # -- the proposal's fate

    @expose("/<reference>/emettre", methods=("POST",))
    def issue(self, reference: str) -> Any:
        """« Émettre »: by a second person (AVO-2, PPL-3)."""

        def act(proposal_id: int, version: int | None) -> str:
            note = issuing.issue(proposal_id, actor=current_actor(), expected_version=version)
            return _("L'avoir %(number)s est émis et envoyé à l'organisation.", number=note.number)

        return self._on_proposal(reference, act)

    @expose("/<reference>/abandonner", methods=("POST",))
    def withdraw(self, reference: str) -> Any:
        """« Abandonner » what was prepared."""

        def act(proposal_id: int, version: int | None) -> str:
            proposing.withdraw(proposal_id, actor=current_actor(), expected_version=version)
            return _("L'avoir en préparation est abandonné : rien n'a été émis.")

        return self._on_proposal(reference, act)

    @expose("/<reference>/refuser", methods=("POST",))
    def refuse(self, reference: str) -> Any:
        """« Refuser », and why."""
        proposal, form = self._proposal(reference), RefuseForm()
        if form.validate():
            try:
                proposing.refuse(
                    proposal.id,
                    reason=form.reason.data or "",
                    actor=current_actor(),
                    expected_version=form.version.data,
                )
            except (NotFound, Forbidden):
                raise
            except DomainError as refusal:
                self._freshen(form, reference, refusal)
            else:
                flash(_("L'avoir est refusé : la personne qui l'a préparé en lira la raison ici."), "success")
                return redirect(proposal_url(reference))
        return self._show(reference, refuse_form=form)

    def _on_proposal(self, reference: str, act: Callable[[int, int | None], str]) -> Any:
        proposal_id = self._proposal(reference).id
        version = number(request.form.get("version"))
        return self.attempt(lambda: act(proposal_id, version), back=proposal_url(reference))

    @staticmethod
    def _proposal(reference: str) -> Any:
        return credit_pages.proposal_named(current_actor(), reference)

    @staticmethod
    def _freshen(form: RefuseForm | TransferForm, reference: str, refusal: DomainError) -> None:
        """The sentence beside its field; the form takes the present version, so that one may read, then send again."""
        proposal = credit_pages.proposal_named(current_actor(), reference)
        refund = proposal.credit_note.refund if proposal.credit_note else None
        row = proposal if isinstance(form, RefuseForm) else refund
        form.version.data, form.version.raw_data = getattr(row, "version", None), None
        show_refusal(form, refusal)

    # -- the money given back (AVO-4)

    @expose("/<reference>/rembourser", methods=("POST",))
    def refund(self, reference: str) -> Any:
        """« Rembourser par la passerelle »: asked once."""

        def act(refund_id: int) -> Refund:
            version = number(request.form.get("version"))
            return refunding.refund_by_gateway(refund_id, actor=current_actor(), expected_version=version)

        return self._on_refund(reference, act)

    @expose("/<reference>/interroger", methods=("POST",))
    def ask(self, reference: str) -> Any:
        """« Interroger la passerelle »: did the money go back?"""
        return self._on_refund(reference, lambda refund_id: refunding.query_refund(refund_id, actor=current_actor()))

    @expose("/<reference>/virement", methods=("POST",))
    def transfer(self, reference: str) -> Any:
        """« Virement fait », under the bank's reference."""
        refund_id, form = self._refund_id(reference), TransferForm()
        if form.validate():
            try:
                done = refunding.transfer_done(
                    refund_id,
                    bank_reference=form.bank_reference.data or "",
                    actor=current_actor(),
                    expected_version=form.version.data,
                )
            except (NotFound, Forbidden):
                raise
            except GatewayDown:
                form.form_errors.append(_gateway_silent())
            except DomainError as refusal:
                self._freshen(form, reference, refusal)
            else:
                _say(done)
                return redirect(proposal_url(reference))
        return self._show(reference, transfer_form=form)

    def _on_refund(self, reference: str, act: Callable[[int], Refund]) -> Any:
        refund_id = self._refund_id(reference)
        try:
            _say(act(refund_id))
        except (NotFound, Forbidden):
            raise
        except GatewayDown:
            flash(_gateway_silent(), "error")
        except DomainError as refusal:
            flash(str(refusal), "error")
        return redirect(proposal_url(reference))

    def _refund_id(self, reference: str) -> int:
        note = self._proposal(reference).credit_note
        return note.refund.id if note is not None and note.refund is not None else abort(404)

    @expose("/<reference>/ttn", methods=("POST",))
    def send_again(self, reference: str) -> Any:
        """« Renvoyer à TTN » (INV-3)."""
        electronic = credit_pages.proposal_page(current_actor(), reference).electronic or abort(404)
        return self.attempt(lambda: transmission.send_again(electronic), back=proposal_url(reference))

    # -- an organisation's account (AVO-3)

    @expose("/compte/<reference>")
    def account(self, reference: str) -> str:
        """What was given, used, held and left, line by line."""
        organisation = credit_pages.organisation_account(current_actor(), reference)
        own, older = [organisation.id], number(request.args.get("avant"))
        notes = credit_accounts.notes_of(own, number(request.args.get("avoirs")), credit_only=True)
        return str(
            self.render(
                "admin/credits/account.html",
                organisation=organisation,
                standing=credit_accounts.standing_of(own),
                notes=notes,
                by_note=credit_accounts.standings_by_note([note.id for note in notes.rows]),
                movements=credit_accounts.movements_of(own, older),
                holds=credit_accounts.holds_of(own),
            )
        )


def _changed(page: credit_pages.ProposalPage) -> str:
    """Why it can no longer be issued as it is, when another credit note took its amounts meanwhile."""
    try:
        issuing.check_amounts(page.proposal, page.proposal.invoice)
    except DomainError as refusal:
        return str(refusal)
    return ""


def _say(refund: Refund) -> None:
    """What became of the money, whichever button was pressed."""
    amount = format_millimes(refund.amount)
    if refund.state is RefundState.EN_COURS:
        flash(_("La passerelle traite encore la demande : interrogez-la dans une minute."), "error")
    elif refund.state is not RefundState.REMBOURSE:
        flash(
            _("Le remboursement de %(amount)s reste à faire : %(why)s", amount=amount, why=refund.last_error), "error"
        )
    elif refund.method is RefundMethod.MANUEL:
        flash(_("Le virement de %(amount)s est noté ; l'organisation en est prévenue.", amount=amount), "success")
    else:
        flash(_("La passerelle a rendu %(amount)s ; l'organisation en est prévenue.", amount=amount), "success")


def _gateway_silent() -> str:
    return _("La passerelle ne répond pas : rien n'a été changé. Réessayez dans quelques minutes.")


VIEWS = (Credits,)

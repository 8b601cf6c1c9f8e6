"""Preparing a credit note from an invoice, and changing what was prepared (AVO-1)."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _

from app.errors import DomainError, Forbidden, NotFound, StaleObject
from app.models import CreditProposal
from app.permissions import Permission
from app.queries import credit_pages
from app.services.credits import proposing
from app.services.credits.proposing import AlreadyPrepared
from app.views.admin.credit_sheet import Sheet
from app.views.admin.gate import Gate
from app.web import current_actor


def proposal_url(reference: str) -> str:
    """The page of a credit note, by its own number or its proposal's."""
    return url_for("avoirs.show", reference=reference)


class Preparing(Gate):
    """The sheet of a credit note: each button of the form is a step, the last one writes."""

    @expose("/preparer/<number>", methods=("GET", "POST"))
    def new(self, number: str) -> Any:
        """A new proposal."""
        self._preparer()
        sheet = Sheet(credit_pages.invoice_named(current_actor(), number))
        if request.method == "GET":
            sheet.begin(request.args)
        elif self._sent(sheet):
            try:
                return self._prepared(self._prepare(sheet))
            except (NotFound, Forbidden):
                raise
            except AlreadyPrepared as refusal:
                if refusal.prepared_by_id == current_actor().user_id and refusal.total == sheet.sums()["total"]:
                    return self._prepared(refusal.reference)
                sheet.form.seen.data, sheet.form.seen.raw_data = refusal.proposal_id, None
                sheet.refuse(refusal)
            except DomainError as refusal:
                sheet.refuse(refusal)
        return self._sheet_page(sheet)

    @expose("/<reference>/modifier", methods=("GET", "POST"))
    def change(self, reference: str) -> Any:
        """The same sheet, as the proposal stands."""
        self._preparer()
        proposal = credit_pages.proposal_named(current_actor(), reference)
        sheet = Sheet(proposal.invoice, proposal)
        if request.method == "GET":
            sheet.reopen()
        elif self._sent(sheet):
            try:
                self._change(sheet, proposal)
            except (NotFound, Forbidden):
                raise
            except DomainError as refusal:
                if isinstance(refusal, StaleObject):
                    fresh = credit_pages.proposal_named(current_actor(), reference)
                    sheet.form.version.data, sheet.form.version.raw_data = fresh.version, None
                sheet.refuse(refusal)
            else:
                flash(_("L'avoir est modifié. Une autre personne que vous doit l'émettre."), "success")
                return redirect(proposal_url(proposal.reference))
        return self._sheet_page(sheet)

    def _preparer(self) -> None:
        """Readers see credit notes; the sheet is for those who prepare them."""
        if not current_actor().can(Permission.PREPARE_CREDIT_NOTES):
            abort(403)

    @staticmethod
    def _sent(sheet: Sheet) -> bool:
        """Is it the button that writes, and everything well written?"""
        sheet.read(request.form)
        step = request.form.get("step", "")
        if step == "propose":
            sheet.propose()
            return False
        if step in ("all", "none"):
            sheet.tick(step == "all")
            return False
        return sheet.check() and step == "write"

    @staticmethod
    def _prepare(sheet: Sheet) -> str:
        return proposing.prepare(
            sheet.invoice.id,
            sheet.wanted,
            stamp_duty=sheet.stamp,
            reason=sheet.reason,
            reason_text=sheet.form.reason_text.data or "",
            outcome=sheet.outcome,
            actor=current_actor(),
            latest_seen=sheet.form.seen.data or 0,
        ).reference

    @staticmethod
    def _change(sheet: Sheet, proposal: CreditProposal) -> None:
        proposing.edit(
            proposal.id,
            sheet.wanted,
            stamp_duty=sheet.stamp,
            reason=sheet.reason,
            reason_text=sheet.form.reason_text.data or "",
            outcome=sheet.outcome,
            actor=current_actor(),
            expected_version=sheet.form.version.data,
        )

    @staticmethod
    def _prepared(reference: str) -> Any:
        flash(
            _("L'avoir %(reference)s est préparé. Une autre personne doit maintenant l'émettre.", reference=reference),
            "success",
        )
        return redirect(proposal_url(reference))

    def _sheet_page(self, sheet: Sheet) -> str:
        pending = [each for each in credit_pages.proposals_of(sheet.invoice.id) if each is not sheet.proposal]
        return str(self.render("admin/credits/sheet.html", sheet=sheet, form=sheet.form, proposals=pending))

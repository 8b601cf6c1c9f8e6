"""✓ and ✗ sent by the desk: on a paper, on a declared field (REV-2, REV-7)."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect
from flask_admin import expose
from flask_babel import gettext as _

from app.errors import DomainError, Forbidden, NotFound, StaleObject
from app.forms.review import VerdictForm
from app.models import Organisation
from app.queries import review
from app.queries.review import OrganisationFile, RequestFile
from app.services import verdicts
from app.services.inspecting import inspect_again
from app.states import Verdict
from app.views.admin.review_gate import FileGate, address_of, file_of, row_of
from app.views.admin.review_place import Typed
from app.web import current_actor


class Judging(FileGate):
    """The routes that give verdicts."""

    @expose("/<reference>/pieces/<public_id>", methods=("POST",))
    def judge_document(self, reference: str, public_id: str) -> Any:
        """✓ or ✗ on a paper of this file."""
        form, file = VerdictForm(), file_of(reference)
        asked = file.request if isinstance(file, RequestFile) else None
        paper = review.paper_of(current_actor(), public_id, request=asked, organisation_id=file.organisation.id)
        values: dict[str, Any] = {"actor": current_actor(), "expected_version": form.version.data}
        if not form.refused:
            return self._judged(form, file, lambda: verdicts.accept_document(paper.id, **values), "document")
        if form.opens:
            return self._opened(file, "document", verdicts.document_verdict_since(paper.id, form.version.data))
        why, why_ar = verdicts.worded(*form.words)
        return self._judged(
            form, file, lambda: verdicts.refuse_document(paper.id, reason=why, reason_ar=why_ar, **values), "document"
        )

    @expose("/<reference>/champs", methods=("POST",))
    def judge_field(self, reference: str) -> Any:
        """✓ or ✗ on a declared field of the request, or of its organisation."""
        form, file = VerdictForm(), file_of(reference)
        of_request = isinstance(file, RequestFile) and form.about.data == "demande"
        subject = (
            {"request_id": file.request.id}
            if of_request and isinstance(file, RequestFile)
            else {"organisation_id": file.organisation.id}
        )
        name = form.field.data or ""
        seen: dict[str, Any] = {"value_seen": form.value_seen.data or "", "seen_at": form.seen_at.data, **subject}
        if form.opens:
            return self._opened(file, name, verdicts.field_verdict_since(name, **seen), f"decl-{name}")
        verdict = Verdict.REFUSE if form.refused else Verdict.ACCEPTE
        why, why_ar = verdicts.worded(*form.words)
        given = {"actor": current_actor(), "reason": why, "reason_ar": why_ar, **seen}
        return self._judged(form, file, lambda: verdicts.give_field_verdict(name, verdict, **given), f"decl-{name}")

    @expose("/<reference>/controles", methods=("POST",))
    def check_again(self, reference: str) -> Any:
        """« Vérifier à nouveau »: every automatic check of the file, in the background."""
        row = row_of(reference)
        subject = {"organisation_id" if isinstance(row, Organisation) else "request_id": row.id}
        inspect_again(actor=current_actor(), **subject)
        flash(_("Les contrôles reprennent : leurs réponses s'afficheront sur cette page."), "success")
        return redirect(address_of(reference, "pane-beside"))

    def _opened(self, file: OrganisationFile, name: str, newer: StaleObject | None, anchor: str = "document") -> Any:
        """A first ✗ opens the form of its reason, and says there what a colleague gave meanwhile (REV-7)."""
        reference = file.request.reference if isinstance(file, RequestFile) else file.organisation.reference
        if newer is None:
            return redirect(address_of(reference, anchor, motif=name))
        return self._page(file_of(reference), Typed(name, problem=str(newer)))

    def _judged(self, form: VerdictForm, file: OrganisationFile, act: Any, anchor: str) -> Any:
        """A refusal shows the page again with what was typed."""
        reference = file.request.reference if isinstance(file, RequestFile) else file.organisation.reference
        name = form.field.data or ""
        if not form.validate():
            raise DomainError(_("Rechargez la page, puis recommencez."))
        try:
            act()
        except (NotFound, Forbidden):
            raise
        except DomainError as refusal:
            if not form.refused:
                flash(str(refusal), "error")
                return redirect(address_of(reference, anchor))
            code, text, text_ar = form.words
            typed = Typed(name, code, text, str(refusal), text_ar)
            return self._page(file_of(reference), typed)
        return redirect(address_of(reference, anchor))

"""Decisions sent by the desk: ask, approve, reject, record the certificate, dispatch (STA-1, REV-5, CRT-1)."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _

from app.errors import DomainError, Forbidden, IllegalTransition, NotFound, StaleObject
from app.forms.base import show_refusal
from app.forms.review import AskForm, CertificateForm, DecisionForm, DispatchForm, ReasonForm
from app.inspection.certificates import LIMIT
from app.models import ReasonKind
from app.queries import reference as reference_data
from app.queries.offices import ALL
from app.queries.review import OrganisationFile, RequestFile
from app.services import certificates
from app.services.authority import checked_move, hands_on_organisation, hands_on_request
from app.services.deciding import AlreadyTracked
from app.states import ORGANISATION_MOVES, REQUEST_MOVES
from app.views.admin import review_asking
from app.views.admin.review_crediting import to_credit
from app.views.admin.review_decisions import ORGANISATION_DECISIONS, REQUEST_DECISIONS, Decision
from app.views.admin.review_gate import FileGate, address_of, file_of, row_of
from app.views.admin.review_page import Desk
from app.web import current_actor


class Deciding(FileGate):
    """The routes that move a file."""

    @expose("/<reference>/decision/ask_for_documents", methods=("GET", "POST"))
    def ask(self, reference: str) -> Any:
        """« Pièces manquantes »: choose the points, read the mail, send it."""
        file = self._writable(reference)
        if (elsewhere := self._not_possible(file, "ask_for_documents")) is not None:
            return elsewhere
        form = review_asking.ask_form(file)
        step = request.form.get("step", "")
        shown: list[review_asking.Preview] = []
        if form.is_submitted() and step != "change" and form.validate():
            try:
                points = review_asking.points_of(form, file)
                if step == "send":
                    review_asking.send(file, points, form, current_actor())
                    flash(_("Les pièces sont demandées : le client est prévenu."), "success")
                    return redirect(address_of(request.args.get("retour") or reference))
                shown = review_asking.previews(file, points, form)
            except StaleObject as refusal:
                self._refresh(form, reference, refusal)
            except DomainError as refusal:
                _place(form, refusal)
        return self._ask_page(form, reference, shown)

    def _ask_page(self, form: AskForm, reference: str, shown: list[review_asking.Preview]) -> str:
        file = file_of(reference)
        context = {"desk": Desk(file, current_actor(), request.args), "form": form}
        if shown:
            sent = [(k, v) for k, v in request.form.items(multi=True) if k not in ("csrf_token", "step")]
            return str(self.render("admin/review/ask_preview.html", mails=shown, sent=sent, **context))
        return str(self.render("admin/review/ask.html", labels=review_asking.labels_of(file), **context))

    @expose("/<reference>/decision/<action>", methods=("GET", "POST"))
    def decide(self, reference: str, action: str) -> Any:
        """One of the table's moves: its form, then its service."""
        file = self._writable(reference)
        decision = (REQUEST_DECISIONS if isinstance(file, RequestFile) else ORGANISATION_DECISIONS).get(action)
        if decision is None:
            abort(404)
        if (elsewhere := self._not_possible(file, action)) is not None:
            return elsewhere
        form = self._decision_form(decision, file)
        if form.validate_on_submit():
            row = file.request if isinstance(file, RequestFile) else file.organisation
            try:
                decision.run(row.id, form, current_actor())
            except (NotFound, Forbidden):
                raise
            except DomainError as refusal:
                self._refresh(form, reference, refusal)
            else:
                flash(str(decision.done), "success")
                after = to_credit(row.id, current_actor()) if action == "reject" else None
                return redirect(after or address_of(request.args.get("retour") or reference))
        return self._decision_page(form, decision, action, reference)

    def _decision_form(self, decision: Decision, file: OrganisationFile) -> DecisionForm:
        row = file.request if isinstance(file, RequestFile) else file.organisation
        if issubclass(decision.form, ReasonForm):
            ready = [each.text_fr for each in reference_data.reasons(ReasonKind.REJECTION)]
            return decision.form(data={"version": row.version}, reasons=ready)
        form = decision.form(data={"version": row.version})
        if isinstance(form, DispatchForm):
            form.offer(_offices())
        return form

    def _decision_page(self, form: DecisionForm, decision: Decision, action: str, reference: str) -> str:
        desk = Desk(file_of(reference), current_actor(), request.args)
        context = {"form": form, "decision": decision, "action": action}
        return str(self.render("admin/review/decide.html", desk=desk, **context))

    @expose("/<reference>/certificat", methods=("GET", "POST"))
    def certificate(self, reference: str) -> Any:
        """Record the generated certificate from its file (CRT-1)."""
        file = self._writable(reference)
        if not isinstance(file, RequestFile):
            raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
        form = CertificateForm(data={"version": file.request.version})
        if form.validate_on_submit():
            data = form.file.data.read(LIMIT + 1)
            try:
                certificates.record_certificate(
                    file.request.id, data, actor=current_actor(), expected_version=form.expected_version
                )
            except (NotFound, Forbidden):
                raise
            except DomainError as refusal:
                self._refresh(form, reference, refusal)
            else:
                flash(_("Le certificat est enregistré : vous pouvez expédier le token."), "success")
                return redirect(address_of(reference))
        return str(
            self.render(
                "admin/review/certificate.html", desk=Desk(file_of(reference), current_actor(), request.args), form=form
            )
        )

    def _not_possible(self, file: OrganisationFile, action: str) -> Any:
        """A page opened for a move that is gone (the back button, an old tab) is the file's, with why."""
        if request.method != "GET":
            return None
        actor = current_actor()
        try:
            if isinstance(file, RequestFile):
                checked_move(REQUEST_MOVES, file.request.state, action, hands_on_request(actor, file.request))
            else:
                hands = hands_on_organisation(actor, file.organisation)
                checked_move(ORGANISATION_MOVES, file.organisation.state, action, hands)
        except IllegalTransition as refusal:
            flash(str(refusal), "error")
            row = file.request if isinstance(file, RequestFile) else file.organisation
            return redirect(address_of(row.reference))
        return None

    def _refresh(self, form: DecisionForm, reference: str, refusal: DomainError) -> None:
        """Say why; after a stale page the form takes the present version, so that one may read, then send again."""
        if isinstance(refusal, AlreadyTracked) and isinstance(form, DispatchForm):
            form.asks_same_parcel = True
        if isinstance(refusal, StaleObject):
            form.version.data = row_of(reference).version
            form.version.raw_data = None
        show_refusal(form, refusal)


def _offices() -> dict[str, list[tuple[str, str]]]:
    """Every active post office under its gouvernorat."""
    names = {each.id: each.name_fr for each in reference_data.governorates()}
    found: dict[str, list[tuple[str, str]]] = {name: [] for name in names.values()}
    for office in reference_data.post_offices(limit=ALL):
        found[names[office.governorate_id]].append((str(office.id), f"{office.name_fr} · {office.postal_code}"))
    return {name: offices for name, offices in found.items() if offices}


def _place(form: AskForm, refusal: DomainError) -> None:
    """A sentence about the points belongs to the page: the list of points is no field that shows errors."""
    if refusal.field in ("message", "due_on"):
        show_refusal(form, refusal)
    else:
        form.form_errors.append(str(refusal))

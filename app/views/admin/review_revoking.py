"""« Révoquer le certificat », from the review desk: for a second person to approve (CRT-4, PPL-3)."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _

from app.errors import DomainError, Forbidden, NotFound
from app.forms.base import show_refusal
from app.forms.revoking import PrepareRevocationForm
from app.models import Certificate, RevocationReason
from app.permissions import Permission
from app.queries.review import RequestFile
from app.services import revoking
from app.services.credits.guided import may_revoke_and_credit
from app.state_labels import choices_of
from app.states import VALID_CERTIFICATE_STATES
from app.views.admin.review_gate import FileGate, address_of
from app.views.admin.review_page import Desk
from app.web import current_actor


class Revoking(FileGate):
    """One page, which says what happens now and what waits for the second person."""

    @expose("/<reference>/revoquer", methods=("GET", "POST"))
    def revoke(self, reference: str) -> Any:
        """« Révoquer le certificat », without money."""
        file, certificate = self._revocable(reference)
        if certificate is None:
            flash(_("Cette demande n'a pas de certificat à révoquer."), "error")
            return redirect(address_of(reference))
        waiting = revoking.waiting_for(certificate.id)
        if waiting is not None and request.method == "GET":
            flash(_("Cette révocation est déjà préparée : elle attend une autre personne."), "info")
            return redirect(url_for("revocations.show", reference=waiting.reference))
        form = PrepareRevocationForm(data={"version": certificate.version})
        form.reason.choices = [("", _("Choisir un motif")), *choices_of(RevocationReason)]
        if form.validate_on_submit():
            try:
                row = revoking.prepare(
                    file.request.id,
                    reason=RevocationReason(form.reason.data),
                    text=form.text.data or "",
                    actor=current_actor(),
                    expected_version=form.expected_version,
                )
            except (NotFound, Forbidden):
                raise
            except DomainError as refusal:
                form.version.data, form.version.raw_data = certificate.version, None
                show_refusal(form, refusal)
            else:
                flash(_("Tout est préparé. Rien n'est révoqué tant qu'une autre personne n'a pas approuvé."), "success")
                return redirect(url_for("revocations.show", reference=row.reference))
        desk = Desk(file, current_actor(), request.args)
        with_credit = file.request.paid_at is not None and may_revoke_and_credit(file.request)
        return str(self.render("admin/review/revoke.html", desk=desk, form=form, with_credit=with_credit))

    def _revocable(self, reference: str) -> tuple[RequestFile, Certificate | None]:
        """A request's file, for somebody who prepares revocations, and what can be revoked of it."""
        file = self._writable(reference)
        if not current_actor().can(Permission.PREPARE_REVOCATIONS):
            abort(403)
        if not isinstance(file, RequestFile):
            raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
        certificate = file.request.certificate
        return file, certificate if certificate and certificate.state in VALID_CERTIFICATE_STATES else None

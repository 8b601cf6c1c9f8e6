"""« Confirmer le retrait » at the desk: an agent who knows that the post office handed the token over (CRT-2)."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _

from app import clock
from app.errors import DomainError, Forbidden, NotFound, StaleObject
from app.forms.base import show_refusal
from app.forms.certificates import CollectedForm
from app.models import Certificate
from app.queries.review import RequestFile
from app.services import collecting
from app.states import CertificateState
from app.views.admin.review_gate import FileGate, address_of, file_of
from app.views.admin.review_page import Desk
from app.web import current_actor


class Collecting(FileGate):
    """The route that records a collection."""

    @expose("/<reference>/retrait", methods=("GET", "POST"))
    def collect(self, reference: str) -> Any:
        """The day, then the service."""
        certificate, request_id = self._certificate(reference)
        if request.method == "GET" and certificate.state is not CertificateState.EXPEDIE:
            flash(collecting.refusal_to_collect(certificate, None), "error")
            return redirect(address_of(reference))
        form = CollectedForm(data={"version": certificate.version, "collected_on": clock.today()})
        if form.validate_on_submit():
            try:
                collecting.confirm_collection(
                    request_id,
                    actor=current_actor(),
                    collected_on=form.collected_on.data,
                    expected_version=form.expected_version,
                )
            except (NotFound, Forbidden):
                raise
            except DomainError as refusal:
                if isinstance(refusal, StaleObject):
                    form.version.data, form.version.raw_data = self._certificate(reference)[0].version, None
                show_refusal(form, refusal)
            else:
                flash(_("Le retrait est noté : le titulaire en est prévenu."), "success")
                return redirect(address_of(reference))
        desk = Desk(file_of(reference), current_actor(), request.args)
        return str(self.render("admin/review/collect.html", desk=desk, form=form, certificate=certificate))

    def _certificate(self, reference: str) -> tuple[Certificate, int]:
        file = self._writable(reference)
        if not isinstance(file, RequestFile) or file.request.certificate is None:
            raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
        return file.request.certificate, file.request.id

"""« Bordereaux »: the slip of a parcel, the list of a day's parcels (CRT-2)."""

from __future__ import annotations

import io
from typing import Any

from flask import Response, request, send_file
from flask_admin import expose
from flask_babel import lazy_gettext as _l

from app import clock
from app.errors import DomainError
from app.forms.base import show_refusal
from app.forms.certificates import DayForm
from app.permissions import Permission
from app.services import slips
from app.views.admin.gate import Gate
from app.web import current_actor


class Slips(Gate):
    """Papers of the dispatch: they change nothing, and each leaves a line in the journal."""

    read = (Permission.REVIEW_FILES,)

    def __init__(self) -> None:
        super().__init__(name=_l("Bordereaux"), endpoint="bordereaux", url="/admin/bordereaux")

    @expose("/")
    def index(self) -> Any:
        """The last days on which parcels left, and any other day by its date."""
        return self._page(DayForm(request.args) if "jour" in request.args else DayForm(jour=clock.today()))

    @expose("/jour.pdf")
    def day(self) -> Any:
        """A day's parcels: the list to be signed, or with ``forme=colis`` each parcel's page."""
        form = DayForm(request.args)
        if not form.validate():
            return self._page(form)
        try:
            name, pdf = slips.day_slip(form.day, each=request.args.get("forme") == "colis", actor=current_actor())
        except DomainError as refusal:
            show_refusal(form, DomainError(refusal.message, field="jour"))
            return self._page(form)
        return _pdf(name, pdf)

    @expose("/<reference>.pdf")
    def parcel(self, reference: str) -> Response:
        """The slip of one request's parcel."""
        return _pdf(*slips.parcel_slip(reference, actor=current_actor()))

    def _page(self, form: DayForm) -> str:
        return str(self.render("admin/certificates/slips.html", form=form, days=slips.days_sent(until=clock.today())))


def _pdf(name: str, pdf: bytes) -> Response:
    return send_file(io.BytesIO(pdf), mimetype="application/pdf", as_attachment=True, download_name=name)


VIEWS = (Slips,)

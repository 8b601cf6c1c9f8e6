"""« Dossiers »: the review desk of requests and organisations (REV-1, REV-2, REV-5, REV-7, CRT-1).

One set of addresses for both: a reference says what it is (DEM-…, ORG-…). Every POST fetches the file afresh in
the actor's scope and calls one service.
"""

from __future__ import annotations

import io
from typing import Any

from flask import redirect, send_file, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.errors import NotFound
from app.queries import review
from app.services.contracts import contract_file_name
from app.services.files import storage
from app.views.admin.review_clearing import Clearing
from app.views.admin.review_collecting import Collecting
from app.views.admin.review_crediting import Crediting
from app.views.admin.review_deciding import Deciding
from app.views.admin.review_gate import address_of, file_of, is_organisation
from app.views.admin.review_judging import Judging
from app.views.admin.review_revoking import Revoking
from app.views.admin.review_taking import Taking
from app.web import current_actor


class Dossiers(Taking, Judging, Clearing, Deciding, Collecting, Crediting, Revoking):
    """The desk: looking here, the rest by subject."""

    def __init__(self) -> None:
        super().__init__(name=_l("Dossiers"), endpoint="dossiers", url="/admin/dossiers")

    @expose("/")
    def index(self) -> Any:
        """The desk begins at its lists."""
        return redirect(url_for("demandes.index_view"))

    @expose("/<reference>")
    def show(self, reference: str) -> Any:
        """A request's file."""
        if is_organisation(reference):
            return redirect(address_of(reference))
        return self._page(file_of(reference))

    @expose("/organisations/<reference>")
    def organisation(self, reference: str) -> Any:
        """An organisation's file."""
        if not is_organisation(reference):
            raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
        return self._page(file_of(reference))

    @expose("/organisations/<reference>/contrat/<int:version>")
    def contract(self, reference: str, version: int) -> Any:
        """A version of the contract as we issued it."""
        contract = review.contract_of(current_actor(), reference, version)
        data = io.BytesIO(storage().get(contract.storage_key))
        return send_file(
            data, mimetype="application/pdf", as_attachment=True, download_name=contract_file_name(contract)
        )


VIEWS = (Dossiers,)

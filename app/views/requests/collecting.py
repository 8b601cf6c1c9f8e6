"""« J'ai retiré mon certificat »: the holder says that the post office handed it over (CRT-2)."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _

from app.errors import DomainError, Forbidden, NotFound
from app.forms.requests import number
from app.permissions import Permission
from app.services import collecting
from app.states import Who
from app.views.guards import requires
from app.views.requests import blueprint
from app.views.requests.showing import wanted
from app.web import current_actor


@blueprint.post("/demandes/<reference>/retrait")
@requires(Permission.SEE_OWN_REQUESTS)
def collect(reference: str) -> Any:
    """Confirm it; a second press says that it is noted already."""
    row = wanted(reference, hand=Who.APPLICANT)
    try:
        collecting.confirm_collection(
            row.id, actor=current_actor(), expected_version=number(request.form.get("version"))
        )
    except (NotFound, Forbidden):
        raise
    except DomainError as refusal:
        flash(str(refusal), "error")
    else:
        flash(_("Merci : le retrait de votre certificat est noté."), "success")
    return redirect(url_for("requests.show", reference=row.reference))

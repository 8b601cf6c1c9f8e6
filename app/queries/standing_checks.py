"""What a file lacks or says by itself, shown among the automatic checks: read when shown, never stored (REV-3)."""

from __future__ import annotations

from flask_babel import gettext as _

from app import clock
from app.queries.review import OrganisationFile, RequestFile
from app.state_labels import state_label

Standing = tuple[str, str, str]
"""Result (ok, bad, wait), title, proof."""


def standing_of_organisation(file: OrganisationFile) -> list[Standing]:
    """Papers that are missing."""
    return [("bad", _("Document manquant"), state_label(kind)) for kind in file.missing]


def standing_of_request(file: RequestFile) -> list[Standing]:
    """The CN's length, the Arabic name, the conditions accepted, the applicant's remark."""
    request = file.request
    found: list[Standing] = []
    if len(request.common_name) > 64:
        found.append(("bad", _("CN trop long pour un certificat"), request.common_name))
    if not request.last_name_ar or not request.first_name_ar:
        found.append(("wait", _("Nom en arabe non renseigné"), ""))
    if request.cgu_accepted_at is not None and request.cgu_version is not None:
        when = clock.local(request.cgu_accepted_at).strftime("%d/%m/%Y à %H:%M")
        proof = _("version %(number)s, le %(when)s", number=request.cgu_version.number, when=when)
        found.append(("ok", _("Conditions générales acceptées"), proof))
    else:
        found.append(("bad", _("Conditions générales non acceptées"), ""))
    if request.applicant_remark:
        found.append(("wait", _("Remarque du demandeur"), request.applicant_remark))
    return found

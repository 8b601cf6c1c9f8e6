"""What every address of the review desk does first: who enters, which file, where one comes back to (REV-1)."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import abort, request, url_for

from app.models import CertificateRequest, Organisation
from app.permissions import Permission
from app.queries import review
from app.queries.review import OrganisationFile
from app.views.admin.gate import Gate
from app.views.admin.review_page import Desk
from app.views.admin.review_place import KEPT, Typed
from app.web import current_actor


def is_organisation(reference: str) -> bool:
    return reference.upper().startswith("ORG-")


def file_of(reference: str) -> OrganisationFile:
    """The whole file. NotFound answers 404."""
    fetch = review.organisation_file if is_organisation(reference) else review.request_file
    return fetch(current_actor(), reference)


def row_of(reference: str) -> CertificateRequest | Organisation:
    """The request or organisation alone."""
    fetch = review.organisation_named if is_organisation(reference) else review.request_named
    row: CertificateRequest | Organisation = fetch(current_actor(), reference)
    return row


def address_of(reference: str, anchor: str = "", *, kept: bool = True, **more: Any) -> str:
    """The file's page as the person left it; another file's begins anew (``kept=False``)."""
    endpoint = "dossiers.organisation" if is_organisation(reference) else "dossiers.show"
    args = {name: request.args[name] for name in KEPT if kept and name in request.args}
    return url_for(endpoint, reference=reference.upper(), _anchor=anchor or None, **{**args, **more})


class FileGate(Gate):
    """Who reads requests and organisations enters; who reviews or verifies may send. Services check each right."""

    read: ClassVar = (Permission.READ_REQUESTS, Permission.READ_ORGANISATIONS)
    write: ClassVar = (Permission.REVIEW_FILES, Permission.VERIFY_ORGANISATIONS, Permission.SUSPEND_ORGANISATIONS)

    def _page(self, file: OrganisationFile, typed: Typed | None = None) -> str:
        return str(self.render("admin/review/file.html", desk=Desk(file, current_actor(), request.args, typed)))

    def _writable(self, reference: str) -> OrganisationFile:
        """The file, for somebody who may act on it: a page that only leads to a refusal is not shown."""
        if not self.may_write(current_actor()):
            abort(403)
        return file_of(reference)

"""A clean file in few actions: « Tout conforme », « Approuver et suivant » (REV-6)."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import ngettext

from app.errors import DomainError, Forbidden, NotFound
from app.extensions import db
from app.forms.review_clearing import AllGoodForm, AndNextForm
from app.models import CertificateRequest, Organisation
from app.queries import next_file, review
from app.queries.review import OrganisationFile, RequestFile
from app.services import clearing, verifying
from app.services.clearing import SeenField, SeenPaper
from app.states import Verdict
from app.views.admin import trail
from app.views.admin.review_gate import FileGate, address_of, file_of, row_of
from app.views.admin.review_page import Desk
from app.web import current_actor


class Clearing(FileGate):
    """The routes of a clean file."""

    @expose("/<reference>/conforme", methods=("POST",))
    def all_good(self, reference: str) -> Any:
        """« Tout conforme »: ✓ on what the page showed without a verdict, each with its own line."""
        form, file = AllGoodForm(), file_of(reference)
        of_request = isinstance(file, RequestFile) and form.about.data == "demande"
        subject = {"request_id": file.request.id} if of_request and isinstance(file, RequestFile) else None
        try:
            given = clearing.accept_all(
                [SeenField(*each) for each in form.fields_seen],
                _seen_paper(form, file),
                actor=current_actor(),
                **(subject or {"organisation_id": file.organisation.id}),
            )
        except (NotFound, Forbidden):
            raise
        except DomainError as refusal:
            flash(str(refusal), "error")
            return redirect(address_of(reference))
        flash(ngettext("Un point est conforme.", "%(num)d points sont conformes.", given), "success")
        return redirect(_where_something_waits(reference))

    @expose("/<reference>/decision/suivant", methods=("POST",))
    def decide_and_next(self, reference: str) -> Any:
        """« Approuver et suivant », « Déclarer vérifiée et suivant »: decided, then the next file is opened."""
        row, form = row_of(reference), AndNextForm()
        try:
            _decide(row, form)
        except (NotFound, Forbidden):
            raise
        except DomainError as refusal:
            # The same press twice: the file that the first one opened.
            if (opened := _opened_by_this_press(row)) is not None:
                return redirect(_address_in_list(opened))
            flash(str(refusal), "error")
            return redirect(address_of(reference))
        flash(_("%(reference)s : c'est fait, le client est prévenu.", reference=row.reference), "success")
        return open_next(_slug(row))


def _slug(row: CertificateRequest | Organisation) -> str:
    return "organisations" if isinstance(row, Organisation) else "demandes"


def _decide(row: CertificateRequest | Organisation, form: AndNextForm) -> None:
    actor, version = current_actor(), form.expected_version
    if isinstance(row, Organisation):
        verifying.verify_organisation(row.id, actor=actor, expected_version=version)
    else:
        clearing.approve_with_organisation(
            row.id, actor=actor, expected_version=version, organisation_version=form.organisation_version.data
        )


def open_next(slug: str) -> Any:
    """The next file of the list one works from; the list itself when none is left."""
    where = trail.trail_of(slug, request.form)
    try:
        following, _where = trail.open_next(slug, request.form, current_actor())
    except DomainError as refusal:
        flash(str(refusal), "info")
        return redirect(where.back_url)
    return redirect(_address_in_list(following))


def _address_in_list(row: CertificateRequest | Organisation) -> str:
    return address_of(row.reference, kept=False, **trail.trail_of(_slug(row), request.form).args)


def _opened_by_this_press(row: CertificateRequest | Organisation) -> CertificateRequest | Organisation | None:
    token = request.form.get(trail.ONCE, "")
    if isinstance(row, Organisation):
        taken = next_file.taken_once(Organisation, current_actor(), token)
        return db.session.get(Organisation, taken) if taken is not None else None
    taken = next_file.taken_once(CertificateRequest, current_actor(), token)
    return db.session.get(CertificateRequest, taken) if taken is not None else None


def _seen_paper(form: AllGoodForm, file: OrganisationFile) -> SeenPaper | None:
    """The paper on screen, of this very file. Raises NotFound for any other."""
    if not form.paper.data:
        return None
    asked = file.request if isinstance(file, RequestFile) else None
    paper = review.paper_of(current_actor(), form.paper.data, request=asked, organisation_id=file.organisation.id)
    return SeenPaper(paper.id, form.paper_version.data)


def _where_something_waits(reference: str) -> str:
    """The next paper of the tab that nobody judged, else the next tab with something to judge, else here."""
    args = request.args.copy()
    args.poplist("piece")
    args.poplist("page")
    desk = Desk(file_of(reference), current_actor(), args)
    if desk.paper is not None and desk.paper.verdict is Verdict.A_VERIFIER:
        return desk.url()
    for tab in desk.tabs:
        if tab is not desk.tab and desk.waits_in(tab):
            return desk.url(onglet=tab.key, piece=None, page=1, zoom=100, rotation=0, cote=None)
    return desk.url()

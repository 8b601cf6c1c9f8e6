"""Who works on a file: take it, give it back, hand it over, go on to the next, say that one is there (QUE-3)."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _

from app.errors import DomainError, Forbidden, NotFound, StaleObject
from app.extensions import db
from app.forms.base import show_refusal
from app.forms.review_clearing import HandOverForm
from app.models import CertificateRequest, Organisation, User
from app.permissions import Actor
from app.queries.absences import colleagues
from app.queries.presence import others_on
from app.services import assigning
from app.services.locking import overtaken_by
from app.services.presence import note_presence
from app.views.admin.review_clearing import open_next
from app.views.admin.review_gate import FileGate, address_of, row_of
from app.views.admin.review_page import Desk
from app.web import current_actor


class Watch:
    """Of a file, only who else is there and what changed: what an open page asks every few seconds."""

    def __init__(self, row: CertificateRequest | Organisation, actor: Actor) -> None:
        self.row = row
        self.actor = actor
        self.others = others_on(row, actor)

    def holder(self) -> tuple[str, bool]:
        """Who has the file, and whether it is this person."""
        holder = db.session.get(User, self.row.assigned_to_id) if self.row.assigned_to_id is not None else None
        return holder.display_name if holder is not None else "", self.row.assigned_to_id == self.actor.user_id

    def meanwhile(self) -> str:
        """Who changed the file since the version that the page showed; « » when nobody."""
        return overtaken_by(self.row, request.form.get("version", type=int), for_staff=True)

    def url(self) -> str:
        """The page, afresh."""
        return address_of(self.row.reference)


class Taking(FileGate):
    """The routes that give a file to somebody."""

    def _assign(self, reference: str, on_request: Any, on_organisation: Any, done: str) -> Any:
        row = row_of(reference)
        try:
            (on_organisation if isinstance(row, Organisation) else on_request)(row.id, actor=current_actor())
        except DomainError as refusal:
            flash(str(refusal), "error")
        else:
            flash(done, "success")
        return redirect(address_of(reference))

    @expose("/suivant", methods=("POST",))
    def take_next(self) -> Any:
        """« Suivant »: the queue's next request is opened."""
        return open_next("demandes")

    @expose("/organisations/suivant", methods=("POST",))
    def take_next_organisation(self) -> Any:
        """The same of organisations."""
        return open_next("organisations")

    @expose("/<reference>/prendre", methods=("POST",))
    def take(self, reference: str) -> Any:
        """« Prendre »."""
        return self._assign(reference, assigning.take_request, assigning.take_organisation, _("Le dossier est à vous."))

    @expose("/organisations/<reference>/prendre", methods=("POST",))
    def take_organisation(self, reference: str) -> Any:
        """The same, as the list of organisations names it."""
        return self.take(reference)

    @expose("/<reference>/rendre", methods=("POST",))
    def release(self, reference: str) -> Any:
        """Back to the queue."""
        return self._assign(
            reference, assigning.release_request, assigning.release_organisation, _("Le dossier est rendu à la file.")
        )

    @expose("/<reference>/confier", methods=("GET", "POST"))
    def hand_over(self, reference: str) -> Any:
        """« Confier »: the file becomes a colleague's, who is told."""
        desk = Desk(self._writable(reference), current_actor(), request.args)
        form = _hand_over_form(desk)
        if form.validate_on_submit():
            try:
                _hand_over(desk, form)
            except (NotFound, Forbidden):
                raise
            except DomainError as refusal:
                if isinstance(refusal, StaleObject):  # one may read, then send again
                    form.version.data, form.version.raw_data = row_of(reference).version, None
                show_refusal(form, refusal)
            else:
                flash(_("Le dossier est confié à votre collègue, qui en est prévenu."), "success")
                return redirect(address_of(reference))
        return str(self.render("admin/review/hand_over.html", desk=desk, form=form))

    @expose("/<reference>/presence", methods=("POST",))
    def presence(self, reference: str) -> Any:
        """The open page says so; the answer is who else is there, and whether the file changed meanwhile."""
        row, leaving = row_of(reference), "parti" in request.form
        note_presence(row, actor=current_actor(), leaving=leaving)
        if leaving:
            return "", 204
        return str(self.render("admin/review/presence.html", desk=Watch(row, current_actor())))


def _hand_over_form(desk: Desk) -> HandOverForm:
    people = colleagues(except_ids=[desk.row.assigned_to_id])
    words = [
        (str(each.id), _("%(name)s (absent)", name=each.name) if each.absent_until else each.name) for each in people
    ]
    return HandOverForm(data={"version": desk.row.version}, people=words)


def _hand_over(desk: Desk, form: HandOverForm) -> None:
    give = assigning.hand_over_request if desk.request is not None else assigning.hand_over_organisation
    give(
        desk.row.id,
        int(form.to_user_id.data),
        actor=current_actor(),
        note=form.note.data or "",
        expected_version=form.expected_version,
    )

"""« Absences »: who is away, and their files shared out among those present (QUE-3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from flask import abort, flash, redirect, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app import clock
from app.errors import DomainError, Forbidden, NotFound
from app.forms.base import show_refusal
from app.forms.bulk import AbsenceForm, ShareForm
from app.permissions import Actor, Permission
from app.queries.absences import Colleague, absences, away_with_files, colleagues, files_held_by
from app.services import absences as service
from app.services import bulk_preview
from app.services.bulk import LIMIT, Line
from app.services.bulk_actions import ACTIONS
from app.services.bulk_preview import Plan
from app.state_labels import action_label
from app.views.admin import bulk_details
from app.views.admin.gate import Gate
from app.web import current_actor


class Absences(Gate):
    """One's own for agents; everybody's, and the sharing out of files, for supervisors."""

    read: ClassVar = (Permission.REVIEW_FILES,)
    write: ClassVar = (Permission.REVIEW_FILES,)

    def __init__(self) -> None:
        super().__init__(name=_l("Absences"), endpoint="absences", url="/admin/absences")

    def _form(self, actor: Actor) -> AbsenceForm:
        people = [each for each in colleagues() if actor.can(Permission.REASSIGN_FILES) or each.id == actor.user_id]
        form = AbsenceForm(data={"user_id": str(actor.user_id)})
        form.user_id.choices = [(str(each.id), each.name) for each in people]
        return form

    @expose("/", methods=("GET", "POST"))
    def index_view(self) -> Any:
        """The periods to come, and the form of a new one."""
        actor = current_actor()
        form = self._form(actor)
        if form.validate_on_submit():
            try:
                service.record_absence(int(form.user_id.data), form.from_on.data, form.until_on.data, actor=actor)
            except (NotFound, Forbidden):
                raise
            except DomainError as refusal:
                show_refusal(form, refusal)
            else:
                flash(_("L'absence est notée."), "success")
                return redirect(url_for("absences.index_view"))
        supervises = actor.can(Permission.REASSIGN_FILES)
        return self.render(
            "admin/absences/index.html",
            form=form,
            supervises=supervises,
            rows=absences(user_id=None if supervises else actor.user_id),
            away=away_with_files() if supervises else [],
            today=clock.today(),
            me=actor.user_id,
        )

    @expose("/<int:row_id>/fin", methods=("POST",))
    def end(self, row_id: int) -> Any:
        """Taken back before it begins, or ended today."""
        try:
            service.end_absence(row_id, actor=current_actor())
        except (NotFound, Forbidden):
            raise NotFound(_("Cet élément n'existe pas ou n'existe plus.")) from None
        except DomainError as refusal:
            flash(str(refusal), "error")
        else:
            flash(_("L'absence est retirée."), "success")
        return redirect(url_for("absences.index_view"))

    @expose("/<int:user_id>/repartir", methods=("GET", "POST"))
    def share(self, user_id: int) -> Any:
        """The files of somebody, to be shared out: how many and to whom, then the page of confirmation."""
        actor = current_actor()
        if not actor.can(Permission.REASSIGN_FILES):
            abort(403)
        everybody = colleagues()
        holder = next((each for each in everybody if each.id == user_id), None) or abort(404)
        requests, organisations = files_held_by(user_id, LIMIT)
        lines = bulk_preview.lines_of_files(requests, organisations)
        others = [each for each in everybody if each.id != user_id]
        present = [each for each in others if each.absent_until is None]
        form = ShareForm()
        form.to_user_id.choices = [("", _("Choisissez")), *bulk_details.colleague_choices(others)]
        if form.validate_on_submit():
            try:
                plan = _planned(form, lines, present, holder)
            except DomainError as refusal:
                show_refusal(form, refusal)
            else:
                return self._confirmation(plan, user_id)
        return self.render(
            "admin/absences/share.html",
            form=form,
            holder=holder,
            requests=len(requests),
            organisations=len(organisations),
            present=_shares(len(lines), present),
            limit=LIMIT,
        )

    def _confirmation(self, plan: Plan, user_id: int) -> str:
        actor = current_actor()
        return str(
            self.render(
                "admin/bulk/confirm.html",
                plan=plan,
                shown=bulk_preview.forecast(plan, actor),
                tells=ACTIONS[plan.action].tells,
                said=bulk_details.said(plan),
                word=action_label(plan.action),
                sealed=bulk_preview.seal(plan, actor),
                back=url_for("absences.share", user_id=user_id),
            )
        )


def _planned(form: ShareForm, lines: tuple[Line, ...], present: list[Colleague], holder: Colleague) -> Plan:
    """Who gets what. Raises DomainError on the form's fields."""
    if not lines:
        raise DomainError(_("Aucun dossier ouvert n'est avec %(who)s.", who=holder.name))
    data = {"from": holder.name}
    token = bulk_preview.new_token()
    if form.how.data == "queue":
        return Plan("release", lines, data, token)
    if form.how.data == "one":
        if not form.to_user_id.data:
            raise DomainError(_("Choisissez un collègue."), field="to_user_id")
        return Plan("hand_over", lines, {**data, "to": int(form.to_user_id.data)}, token)
    if not present:
        raise DomainError(_("Personne n'est présent : choisissez un collègue ou la file."), field="how")
    # Dealt like cards, so that each kind of file is shared evenly too.
    dealt = (replace(line, data={**line.data, "to": present[n % len(present)].id}) for n, line in enumerate(lines))
    return Plan("hand_over", tuple(dealt), data, token)


def _shares(files: int, present: list[Colleague]) -> list[tuple[str, int]]:
    """How many files each would get, shared out evenly."""
    return [(each.name, files // len(present) + (n < files % len(present))) for n, each in enumerate(present)]


VIEWS = (Absences,)

"""« Équipe »: who works here, in which role, approved by whom (TEA-1, PPL-3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.errors import DomainError
from app.forms.account import ClientResetForm, StaffResetForm
from app.forms.base import show_refusal
from app.forms.reference import InviteForm, RoleForm
from app.permissions import STAFF_ROLES, Permission, Role
from app.queries import desk_staff
from app.services import second_factor, staff
from app.state_labels import state_label
from app.views.admin import columns as c
from app.views.admin.base import ReadOnlyAdmin
from app.views.admin.columns import Cell, Column
from app.web import current_actor


def _role(row: Any) -> Cell:
    word = state_label(Role(row.role)) if row.role else _("Aucun rôle")
    if row.waiting_role is None:
        return Cell("text", word)
    return Cell("badge", _("%(role)s à approuver", role=state_label(row.waiting_role)), "wait")


def _state(row: Any) -> Cell:
    if row.disabled_at is not None:
        return Cell("badge", _("Désactivé"), "bad")
    if row.role is None:
        return Cell("badge", _("En attente"), "wait")
    return Cell("badge", _("Actif"), "ok") if row.activated_at else Cell("badge", _("Invité"), "calm")


def _second_factor(row: Any) -> Cell:
    return Cell("badge", _("Activé"), "ok") if row.second_factor_since else Cell("badge", _("Pas encore"), "calm")


def _roles() -> list[tuple[str, str]]:
    return [(role.value, state_label(role)) for role in sorted(STAFF_ROLES)]


class Staff(ReadOnlyAdmin):
    """Accounts change through the services: an invitation or a role needs a second person."""

    read = (Permission.MANAGE_STAFF, Permission.APPROVE_STAFF_CHANGES)
    write = (Permission.MANAGE_STAFF, Permission.APPROVE_STAFF_CHANGES)
    source = desk_staff.SOURCE
    title = _l("Équipe")
    slug = "equipe"
    list_template = "admin/staff.html"
    search_hint = _l("Nom ou e-mail")
    columns = (
        Column(
            "name",
            _l("Nom"),
            lambda row: Cell("text", row.name or row.email, url=url_for("equipe.person", row_id=row.id)),
            sort="nom",
            lead=True,
        ),
        c.text("email", _l("E-mail")),
        Column("role", _l("Rôle"), _role),
        Column("state", _l("État"), _state),
        Column("second_factor", _l("Second facteur"), _second_factor),
        c.moment("last_seen_at", _l("Vu pour la dernière fois"), sort="vu"),
    )

    def _list_context(self, *args: Any) -> dict[str, Any]:
        actor = current_actor()
        changes = desk_staff.pending_changes() if actor.can(Permission.APPROVE_STAFF_CHANGES) else []
        return {
            **super()._list_context(*args),
            "changes": changes,
            "me": actor.user_id,
        }

    def role_word(self, role: Role) -> str:
        """A role in words, for the template."""
        return state_label(role)

    def tools(self) -> list[tuple[Any, str]]:
        """« Inviter », and what a client who lost their second factor asks for."""
        if not current_actor().can(Permission.MANAGE_STAFF):
            return []
        return [
            (_("Inviter"), url_for("equipe.invite")),
            (_("Second facteur d'un client"), url_for("equipe.reset_client")),
        ]

    @expose("/inviter", methods=("GET", "POST"))
    def invite(self) -> Any:
        """A new member."""
        if not current_actor().can(Permission.MANAGE_STAFF):
            abort(403)
        form = InviteForm()
        form.role.choices = [("", _("Choisissez")), *_roles()]
        if form.validate_on_submit():
            try:
                staff.invite_staff(
                    form.email.data,
                    form.first_name.data,
                    form.last_name.data,
                    Role(form.role.data),
                    actor=current_actor(),
                )
            except DomainError as refusal:
                show_refusal(form, refusal)
            else:
                flash(_("L'invitation partira dès qu'une seconde personne aura approuvé le rôle."), "success")
                return redirect(self.list_url(onglet="a-approuver"))
        return self.render("admin/staff_invite.html", form=form)

    @expose("/<int:row_id>", methods=("GET", "POST"))
    def person(self, row_id: int) -> Any:
        """Somebody's page: role, state, what was decided; a POST prepares another role."""
        user = self.row_or_404(row_id)
        current = staff.staff_role(user)
        form = RoleForm()
        form.role.choices = [("", _("Choisissez")), *(pair for pair in _roles() if pair[0] != current)]
        if request.method == "POST" and not current_actor().can(Permission.MANAGE_STAFF):
            abort(403)
        if form.validate_on_submit():
            try:
                staff.prepare_role(row_id, Role(form.role.data), actor=current_actor())
            except DomainError as refusal:
                show_refusal(form, refusal)
            else:
                flash(_("Le changement attend l'approbation d'une seconde personne."), "success")
                return redirect(url_for("equipe.person", row_id=row_id))
        user = self.row_or_404(row_id)
        return self.render(
            "admin/staff_person.html",
            user=user,
            role=staff.staff_role(user),
            form=form,
            changes=desk_staff.changes_of(row_id),
            me=current_actor().user_id,
            manages=current_actor().can(Permission.MANAGE_STAFF),
            word=state_label,
        )

    @expose("/roles/<int:change_id>", methods=("POST",))
    def decide(self, change_id: int) -> Any:
        """The second person's word."""
        approve = request.form.get("decision") == "approuver"

        def act() -> str:
            staff.decide_role(change_id, approve=approve, actor=current_actor())
            return _("Le rôle est approuvé.") if approve else _("Le changement de rôle est refusé.")

        return self.attempt(act, back=self.list_url())

    @expose("/<int:row_id>/desactiver", methods=("POST",))
    def disable(self, row_id: int) -> Any:
        """Close the account."""

        def act() -> str:
            staff.disable_staff(self.row_or_404(row_id).id, actor=current_actor())
            return _("Le compte est désactivé et ses sessions sont fermées.")

        return self.attempt(act, back=url_for("equipe.person", row_id=row_id))

    @expose("/<int:row_id>/reactiver", methods=("POST",))
    def enable(self, row_id: int) -> Any:
        """Open it again."""

        def act() -> str:
            staff.enable_staff(self.row_or_404(row_id).id, actor=current_actor())
            return _("Le compte est réactivé.")

        return self.attempt(act, back=url_for("equipe.person", row_id=row_id))

    @expose("/<int:row_id>/second-facteur", methods=("GET", "POST"))
    def reset_factor(self, row_id: int) -> Any:
        """A colleague lost their second factor (TEA-1)."""
        self._only_managers()
        user, form = self.row_or_404(row_id), StaffResetForm()
        return self._reset(form, lambda: row_id, user=user, back=url_for("equipe.person", row_id=row_id))

    @expose("/client", methods=("GET", "POST"))
    def reset_client(self) -> Any:
        """A client lost theirs: found by the address they gave."""
        self._only_managers()
        form = ClientResetForm()

        def whose() -> int:
            return second_factor.client_to_reset(form.email.data or "", actor=current_actor())

        return self._reset(form, whose, user=None, back=self.list_url())

    def _only_managers(self) -> None:
        if not current_actor().can(Permission.MANAGE_STAFF):
            abort(403)

    def _reset(self, form: Any, whose: Callable[[], int], *, user: Any, back: str) -> Any:
        if form.validate_on_submit():
            try:
                address = second_factor.reset(whose(), actor=current_actor(), reason=form.reason.data or "")
            except DomainError as refusal:
                show_refusal(form, refusal)
            else:
                flash(_("Le second facteur est réinitialisé ; %(address)s en est averti.", address=address), "success")
                return redirect(back)
        return self.render("admin/second_factor_reset.html", form=form, user=user, back=back)

    @expose("/<int:row_id>/inviter", methods=("POST",))
    def invite_again(self, row_id: int) -> Any:
        """A fresh invitation."""

        def act() -> str:
            address = staff.resend_staff_invitation(self.row_or_404(row_id).id, actor=current_actor())
            return _("Une nouvelle invitation part à %(address)s.", address=address)

        return self.attempt(act, back=url_for("equipe.person", row_id=row_id))


VIEWS = (Staff,)

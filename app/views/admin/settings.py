"""« Réglages »: typed, explained, validated (REF-1)."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.clock import local
from app.errors import DomainError
from app.forms.base import show_refusal
from app.forms.reference import CertificatesForm, SettingForm, SwitchForm
from app.inspection.roots import read_roots
from app.permissions import Permission
from app.queries.settings_history import settings_now
from app.services import settings
from app.services.settings import DEFINITIONS, Definition
from app.views.admin.gate import Gate
from app.web import current_actor

GROUPS: dict[str, Any] = {
    "seller": _l("Vendeur"),
    "activation": _l("Inscription et invitations"),
    "invitation": _l("Inscription et invitations"),
    "extract": _l("Dossiers"),
    "review": _l("Dossiers"),
    "documents": _l("Dossiers"),
    "signatures": _l("Dossiers"),
    "payment": _l("Paiement"),
}


def in_words(definition: Definition, value: Any) -> str:
    """A value as people read it."""
    if definition.kind == "boolean":
        return _("Oui") if value else _("Non")
    if definition.kind == "certificates" and value:
        return " ; ".join(
            _("%(name)s, jusqu'au %(day)s", name=root.name, day=local(root.not_after).strftime("%d/%m/%Y"))
            for root in read_roots(value)
        )
    return str(value) if value not in ("", None) else _("non renseigné")


def _form_of(definition: Definition, now: Any) -> SwitchForm | CertificatesForm | SettingForm:
    if definition.kind == "boolean":
        return SwitchForm(data={"value": now})
    kind = CertificatesForm if definition.kind == "certificates" else SettingForm
    return kind(data={"value": str(now)})


class Settings(Gate):
    """What an operator may set; the list of settings is code (``services/settings.py``)."""

    read = (Permission.MANAGE_SETTINGS,)
    write = (Permission.MANAGE_SETTINGS,)

    def __init__(self) -> None:
        super().__init__(name=_l("Réglages"), endpoint="reglages", url="/admin/reglages")

    @expose("/")
    def index_view(self) -> Any:
        """Every setting, its value and who set it."""
        now = settings_now()
        groups: dict[str, list[Any]] = {}
        for key, definition in DEFINITIONS.items():
            set_by = now.get(key)
            value = definition.default if set_by is None else set_by.value
            title = str(GROUPS.get(key.split(".")[0], _("Divers")))
            groups.setdefault(title, []).append((definition, in_words(definition, value), set_by))
        return self.render("admin/settings.html", groups=groups)

    @expose("/<key>", methods=("GET", "POST"))
    def edit(self, key: str) -> Any:
        """One setting."""
        definition = DEFINITIONS.get(key) or abort(404)
        form = _form_of(definition, settings.get(key))
        if form.validate_on_submit():
            text = ("oui" if form.value.data else "non") if definition.kind == "boolean" else (form.value.data or "")
            try:
                settings.change(key, text, actor=current_actor())
            except DomainError as refusal:
                show_refusal(form, refusal)
            else:
                flash(_("« %(label)s » est enregistré.", label=definition.label), "success")
                return redirect(url_for("reglages.index_view"))
        default = in_words(definition, definition.default)
        return self.render(
            "admin/setting.html", form=form, definition=definition, default=default, sent=request.method == "POST"
        )


VIEWS = (Settings,)

"""Generated CRUD of plain reference data (REF-1): forms by Flask-Admin, saves by one service."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField

from app.errors import DomainError
from app.forms.base import BaseForm, show_refusal
from app.permissions import Permission
from app.queries.lists import Asked
from app.services import reference_editing
from app.views.admin.base import BaseAdmin
from app.views.admin.generated import Converter
from app.web import current_actor


class ReferenceForm(BaseForm):
    """What every generated form carries: the state of the row it was made from."""

    seen = HiddenField()


class ReferenceAdmin(BaseAdmin):
    """A table an operator keeps. A class names its ``form_columns``; the service knows the rule of each table."""

    read = (Permission.MANAGE_REFERENCE_DATA,)
    write = (Permission.MANAGE_REFERENCE_DATA,)
    offered = frozenset({"index_view", "create_view", "edit_view", "delete_view"})
    can_create = can_edit = can_delete = True
    model_form_converter = Converter
    form_base_class = ReferenceForm
    form_args: ClassVar[dict[str, Any]] = {}
    form_labels: ClassVar[dict[str, Any]] = {}
    hints: ClassVar[dict[str, Any]] = {}
    widths: ClassVar[dict[str, str]] = {}
    units: ClassVar[dict[str, Any]] = {}
    delete_right: ClassVar[Permission] = Permission.MANAGE_REFERENCE_DATA
    area_rows: ClassVar[int] = 3
    form_template: ClassVar[str] = "admin/model/form.html"
    new_label: ClassVar[Any] = _l("Ajouter")

    def scaffold_form(self) -> Any:
        """The generated form, with this class's labels."""
        self.column_labels = {**self.column_labels, **self.form_labels}
        self.column_descriptions = self.hints
        return super().scaffold_form()

    def row_name(self, row: Any) -> str:
        """What a row is called in sentences."""
        return str(row)

    def locked_reason(self, row: Any) -> str:
        """Why the row can no longer change; "" when it can."""
        return ""

    def shown_value(self, row: Any, name: str) -> str:
        """A fixed value in words."""
        value = getattr(row, name)
        label = self.form_args.get(name, {}).get("get_label")
        if label is not None:
            return str(getattr(value, label))
        return next((column.cell(row).text for column in self.columns if column.key == name), str(value))

    def control_attrs(self, field: Any) -> dict[str, Any]:
        """More attributes of a field's control: Arabic text from right to left, roomy areas."""
        attrs: dict[str, Any] = {"lang": "ar", "dir": "rtl"} if field.short_name.endswith("_ar") else {}
        return {**attrs, "rows": self.area_rows} if field.type == "TextAreaField" else attrs

    def tools(self) -> list[tuple[Any, str]]:
        """« Ajouter »."""
        return [(self.new_label, url_for(f"{self.slug}.create_view"))]

    def edit_url(self, row: Any) -> str:
        """A row's own page."""
        return url_for(f"{self.slug}.edit_view", row_id=row.id)

    @expose("/nouveau", methods=("GET", "POST"))
    def create_view(self) -> Any:
        """Add a row."""
        form = self.create_form()
        if form.validate_on_submit() and self._save(form, None):
            return redirect(self.list_url())
        return self._form_page(form, None)

    @expose("/<int:row_id>", methods=("GET", "POST"))
    def edit_view(self, row_id: int) -> Any:
        """Change a row, or read it when it is fixed for good."""
        row = self.row_or_404(row_id)
        locked = self.locked_reason(row)
        if locked and request.method == "POST":
            flash(locked, "error")
            return redirect(url_for(f"{self.slug}.edit_view", row_id=row_id))
        form = self.edit_form(obj=row)
        for name in reference_editing.rule_of(self.model).fixed:
            del form[name]
        if request.method == "GET":
            form.seen.data = reference_editing.fingerprint(row)
        elif form.validate() and self._save(form, row_id):
            return redirect(self.list_url())
        return self._form_page(form, self.row_or_404(row_id))

    @expose("/<int:row_id>/supprimer", methods=("GET", "POST"))
    def delete_view(self, row_id: int) -> Any:
        """A page that names what goes, then the deletion."""
        if not current_actor().can(self.delete_right):
            abort(403)
        row = self.row_or_404(row_id)
        name = self.row_name(row)
        if request.method == "POST":
            try:
                seen = request.form.get("seen", "")  # none: the confirmation page was not read
                reference_editing.delete_row(self.model, row_id, actor=current_actor(), seen=seen)
            except DomainError as refusal:
                flash(str(refusal), "error")
                return redirect(url_for(f"{self.slug}.edit_view", row_id=row_id))
            flash(_("« %(name)s » est supprimé.", name=name), "success")
            return redirect(self.list_url())
        seen = reference_editing.fingerprint(row)
        return self.render("admin/model/delete.html", row=row, name=name, seen=seen, title=self.title)

    def values_of(self, form: Any) -> dict[str, Any]:
        """What the form holds, as the service takes it: relations by their id."""
        values: dict[str, Any] = {}
        for name in (each for each in self.form_columns if each in form):
            data = form[name].data
            if hasattr(getattr(self.model, name).property, "local_remote_pairs"):
                values[f"{name}_id"] = data.id if data is not None else None
            else:
                values[name] = "" if data is None and getattr(self.model, name).type.python_type is str else data
        return values

    def _save(self, form: Any, row_id: int | None) -> bool:
        try:
            seen = (form.seen.data or "") if row_id is not None else None
            values = self.values_of(form)
            reference_editing.save_row(self.model, row_id, values, actor=current_actor(), seen=seen)
        except DomainError as refusal:
            show_refusal(form, refusal)
            return False
        flash(_("C'est enregistré."), "success")
        return True

    def _form_page(self, form: Any, row: Any) -> Any:
        rule = reference_editing.rule_of(self.model)
        return self.render(
            self.form_template,
            form=form,
            row=row,
            name=self.row_name(row) if row is not None else "",
            locked=self.locked_reason(row) if row is not None else "",
            fields=[name for name in self.form_columns if row is None or name not in rule.fixed],
            read_only=[
                (self.column_labels.get(name, name), self.shown_value(row, name))
                for name in self.form_columns
                if row is not None and (name in rule.fixed or self.locked_reason(row))
            ],
            title=self.title,
            may_delete=self.can_delete and row is not None and current_actor().can(self.delete_right),
        )

    def _list_context(self, asked: Asked, *args: Any) -> dict[str, Any]:
        context = super()._list_context(asked, *args)
        context["empty_text"] = _("Ajoutez-en, ou cherchez autre chose.")
        return context

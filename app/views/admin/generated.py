"""Forms that Flask-Admin generates from a model, in our fields: plain selects and dates, sentences in French."""

from __future__ import annotations

from typing import Any

from flask_admin.contrib.sqla.fields import QuerySelectField
from flask_admin.contrib.sqla.form import AdminModelConverter
from flask_admin.contrib.sqla.validators import Unique
from flask_admin.model.form import converts
from flask_babel import lazy_gettext as _l
from wtforms import DateField, IntegerField, SelectField, validators, widgets

from app.forms.base import strip
from app.state_labels import choices_of


class Converter(AdminModelConverter):
    """The stock converter, without select2, date pickers, and look-ups in the database by validators."""

    def convert(self, *args: Any, **kwargs: Any) -> Any:
        """One field; a duplicate is the service's to refuse, inside its transaction."""
        field = super().convert(*args, **kwargs)
        if field is not None and "validators" in field.kwargs:
            kept = [each for each in field.kwargs["validators"] if not isinstance(each, Unique)]
            required = [each for each in kept if isinstance(each, validators.InputRequired)]
            for each in required:
                each.message = _l("À remplir.")
            field.kwargs["validators"] = kept
        return field

    @converts("String", "Text")
    def conv_String(self, column: Any, field_args: dict[str, Any], **extra: Any) -> Any:  # noqa: N802 - its name
        """One line or several, stripped."""
        field_args["filters"] = [strip]
        if getattr(column.type, "length", None):
            field_args["validators"].append(validators.Length(max=column.type.length))
            from wtforms import StringField

            return StringField(**field_args)
        from wtforms import TextAreaField

        field_args["validators"].append(validators.Length(max=200_000))
        return TextAreaField(**field_args)

    @converts("sqlalchemy.sql.sqltypes.Enum")
    def convert_enum(self, column: Any, field_args: dict[str, Any], **extra: Any) -> Any:
        """A select in words; the value is the enum's member, so that the present one is chosen."""
        kind = column.type.enum_class
        return SelectField(**{**field_args, "choices": choices_of(kind), "coerce": kind})

    @converts("Date")
    def convert_date(self, field_args: dict[str, Any], **extra: Any) -> Any:
        """The browser's own date field; jj/mm/aaaa is taken too."""
        return DateField(**{**field_args, "format": ["%Y-%m-%d", "%d/%m/%Y"]})

    @converts("Integer")
    def handle_integer_types(self, column: Any, field_args: dict[str, Any], **extra: Any) -> Any:
        """A whole number a column can hold."""
        field_args["validators"].append(
            validators.NumberRange(min=0, max=1_000_000, message=_l("Écrivez un nombre entre 0 et 1 000 000."))
        )
        return IntegerField(**field_args)

    def _model_select_field(self, prop: Any, multiple: Any, remote_model: Any, **kwargs: Any) -> Any:
        kwargs["validators"] = [validators.DataRequired(_l("Choisissez."))]
        kwargs.pop("allow_blank", None)
        kwargs["query_factory"] = lambda: self._choices(remote_model)
        return QuerySelectField(allow_blank=True, blank_text=_l("Choisissez"), widget=widgets.Select(), **kwargs)

    def _choices(self, remote_model: Any) -> Any:
        from app.queries.reference import all_rows

        return all_rows(remote_model)

"""What every form shares. Forms check shape, never the database; views hand them their choices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import Field

from app.errors import DomainError, ValidationFailed


def _texts(sent: Any) -> Iterator[str]:
    return (value for name in sent for value in sent.getlist(name) if isinstance(value, str))


def strip(value: Any) -> Any:
    """Filter: outer white space never counts, and no text holds a NUL (PostgreSQL refuses it)."""
    return value.replace("\x00", "").strip() if isinstance(value, str) else value


class BaseForm(FlaskForm):
    """A form whose refusals, by validators or by services, stand beside their fields and in the summary."""

    class Meta(FlaskForm.Meta):
        """WTForms' own messages follow the person's language; French by default."""

        locales = ("fr",)

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            """What was sent, without NULs: PostgreSQL refuses them, in whatever field a forged form holds them."""
            sent = super().wrap_formdata(form, formdata)
            if sent is None or not any("\x00" in value for value in _texts(sent)):
                return sent
            return MultiDict(
                (name, value.replace("\x00", "") if isinstance(value, str) else value)
                for name in sent
                for value in sent.getlist(name)
            )

    page_order: tuple[str, ...] = ()
    """Names of the fields that the page shows first, in its order: the summary of errors follows the page."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Field] = self.__dict__["_fields"]
        first = {name: fields[name] for name in self.page_order if name in fields}
        self.__dict__["_fields"] = {**first, **fields}

    @property
    def general_errors(self) -> list[str]:
        """Refusals that belong to no field, and an expired form token."""
        errors = [str(error) for error in self.form_errors]
        token = getattr(self, "csrf_token", None)
        return errors + ([str(error) for error in token.errors] if token is not None else [])


def show_refusal(form: BaseForm, refusal: DomainError) -> None:
    """Put a service's sentence beside its field, or at the top of the form; what was typed stays."""
    if isinstance(refusal, ValidationFailed):
        for name, sentence in refusal.errors.items():
            _add(form, name, sentence)
        if not refusal.errors:
            form.form_errors.append(str(refusal))
        return
    _add(form, refusal.field, refusal.message)


def _add(form: BaseForm, name: str | None, sentence: object) -> None:
    field: Field | None = form._fields.get(name) if name else None
    if field is None:
        form.form_errors.append(str(sentence))
    else:
        field.errors = [*field.errors, str(sentence)]

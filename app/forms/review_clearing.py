"""What the desk's quick ways send: everything conforming, decide and go on, hand over (REV-6, QUE-3)."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import FieldList, FormField, HiddenField, IntegerField, SelectField, TextAreaField
from wtforms import Form as PlainForm
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import HiddenInput

from app.forms.base import BaseForm, strip
from app.forms.review import DecisionForm


class SeenForm(PlainForm):
    """One declared value that the page showed."""

    name = HiddenField()
    value = HiddenField()


class AllGoodForm(BaseForm):
    """« Tout conforme »: what was on screen without a verdict."""

    about = HiddenField()
    seen = FieldList(FormField(SeenForm), max_entries=80)
    paper = HiddenField(filters=[strip])
    paper_version = IntegerField(widget=HiddenInput(), validators=[Optional()])

    @property
    def fields_seen(self) -> list[tuple[str, str]]:
        """(name, value) of each."""
        return [(each.form.name.data or "", each.form.value.data or "") for each in self.seen]


class AndNextForm(DecisionForm):
    """A decision that leads on; ``organisation_version`` where it verifies the organisation too."""

    organisation_version = IntegerField(widget=HiddenInput(), validators=[Optional()])


class HandOverForm(DecisionForm):
    """To whom, and a word that stays between officers."""

    to_user_id = SelectField(_l("Collègue"), [InputRequired(_l("Choisissez un collègue."))], coerce=str)
    note = TextAreaField(
        _l("Note pour votre collègue"),
        [Length(max=500, message=_l("500 caractères au plus."))],
        filters=[strip],
        description=_l("Facultatif. Le client ne la lit pas."),
        render_kw={"rows": 3, "maxlength": 500},
    )

    def __init__(self, *args: Any, people: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.to_user_id.choices = [("", _l("Choisir un collègue")), *people]

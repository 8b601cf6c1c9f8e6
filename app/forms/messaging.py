"""Forms of the conversations and of internal notes (MSG-1, REV-8)."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf.file import MultipleFileField
from wtforms import DateField, IntegerField, SelectField, TextAreaField
from wtforms.validators import InputRequired, Optional
from wtforms.widgets import HiddenInput

from app.forms.base import BaseForm, strip

LIMIT = 5_000


class SeenField(IntegerField):
    """The last message of a page. A number that no message has counts as none: the database could not compare it."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """The number, or 0."""
        super().process_formdata(valuelist)
        if self.data is not None and not 0 <= self.data < 2**63:
            self.data = 0


class MessageForm(BaseForm):
    """A message with its files. ``seen`` is the last message of the page it is written on."""

    text = TextAreaField(_l("Votre message"), filters=[strip], render_kw={"rows": 5, "maxlength": LIMIT})
    files = MultipleFileField(
        _l("Fichiers joints"),
        description=_l("Facultatif : 5 fichiers au plus, PDF, JPG, JPEG, PNG ou GIF, 10 Mo chacun."),
        render_kw={"accept": ".pdf,.jpg,.jpeg,.png,.gif,application/pdf,image/jpeg,image/png,image/gif"},
    )
    seen = SeenField(widget=HiddenInput(), validators=[Optional()])

    def attached(self) -> list[tuple[bytes, str]]:
        """The files that were chosen, read."""
        given: list[Any] = [each for each in self.files.data or [] if getattr(each, "filename", "")]
        return [(each.read(), each.filename) for each in given]


class ReplyForm(MessageForm):
    """TunTrust's answer: a ready-made reply may be put into the text, which stays editable."""

    reply = SelectField(_l("Réponse toute prête"), [Optional()], choices=[], coerce=str, validate_choice=False)
    language = SelectField(_l("Langue"), choices=[("fr", _l("français")), ("ar", _l("arabe"))], validate_choice=False)


class NoteForm(BaseForm):
    """An internal note."""

    text = TextAreaField(_l("Note"), filters=[strip], render_kw={"rows": 3, "maxlength": LIMIT})
    follow_up_on = DateField(_l("À suivre le"), [Optional()], format=["%Y-%m-%d", "%d/%m/%Y"])


class SeenForm(BaseForm):
    """Nothing but the last message that the page showed."""

    seen = SeenField(widget=HiddenInput(), validators=[InputRequired()])

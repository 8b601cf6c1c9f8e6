"""What the reconciliation desk asks: a remedy and why, a transfer's reference, a statement (GAT-4)."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import DateField, HiddenField, IntegerField, RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import HiddenInput

from app.forms.base import BaseForm, strip

_LONG = Length(max=2000, message=_l("2 000 caractères au plus."))
_SHORT = Length(max=120, message=_l("120 caractères au plus."))


class RemedyForm(BaseForm):
    """What is to be done with an attempt. The choices are those that its case allows."""

    kind = RadioField(_l("Comment le régler"), [InputRequired(_l("Choisissez comment le régler."))])
    outside_reference = StringField(
        _l("Référence de la preuve"),
        [_SHORT],
        filters=[strip],
        description=_l("Courrier de SMT, ligne de relevé, virement : ce qu'un contrôleur pourra retrouver."),
    )
    reason = TextAreaField(
        _l("Raison"),
        [InputRequired(_l("Écrivez la raison : elle est gardée dans l'historique.")), _LONG],
        filters=[strip],
        render_kw={"rows": 3, "maxlength": 2000},
    )
    anomaly = HiddenField()


class WhyForm(BaseForm):
    """A reason in words: why something is refused, opened again, filed."""

    reason = TextAreaField(
        _l("Raison"),
        [InputRequired(_l("Écrivez la raison : elle est gardée dans l'historique.")), _LONG],
        filters=[strip],
        render_kw={"rows": 3, "maxlength": 2000},
    )
    version = IntegerField(widget=HiddenInput(), validators=[Optional()])


class TransferDoneForm(BaseForm):
    """The bank's reference of a transfer made."""

    bank_reference = StringField(
        _l("Référence du virement"),
        [InputRequired(_l("Écrivez la référence du virement.")), _SHORT],
        filters=[strip],
    )
    version = IntegerField(widget=HiddenInput(), validators=[Optional()])


class StatementForm(BaseForm):
    """The CSV of the gateway's settled operations; the period and the unit only when the file does not say them."""

    file = FileField(_l("Relevé (CSV)"), [FileRequired(_l("Choisissez un fichier."))])
    unit = RadioField(
        _l("Montants"),
        choices=[
            ("auto", _l("comme le fichier le montre")),
            ("dinars", _l("en dinars")),
            ("millimes", _l("en millimes")),
        ],
        default="auto",
    )
    first = DateField(_l("Premier jour du relevé"), [Optional()], description=_l("Facultatif."))
    last = DateField(_l("Dernier jour du relevé"), [Optional()], description=_l("Facultatif."))

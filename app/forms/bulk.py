"""What a bulk action asks besides its rows (QUE-4), and absences (QUE-3)."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import DateField, RadioField, SelectField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from app.forms.base import BaseForm, strip

_CHOOSE = [("", _l("Choisissez"))]


class ColleagueForm(BaseForm):
    """To whom files go."""

    to_user_id = SelectField(_l("Collègue"), [InputRequired(_l("Choisissez un collègue."))])
    note = TextAreaField(
        _l("Note pour le collègue"),
        [Length(max=500, message=_l("500 caractères au plus."))],
        filters=[strip],
        description=_l("Facultative. Elle reste entre agents, dans l'historique de chaque dossier."),
        render_kw={"rows": 3, "maxlength": 500},
    )


class SamePointForm(BaseForm):
    """The one document asked of every file, and why, in both languages."""

    kind = SelectField(_l("Document à demander"), [InputRequired(_l("Choisissez un document."))])
    ready = SelectField(_l("Motif"), [Optional()], default="")
    reason = TextAreaField(
        _l("Motif en français"),
        [Length(max=2000, message=_l("2 000 caractères au plus."))],
        filters=[strip],
        description=_l("Inutile si un motif est choisi ci-dessus."),
        render_kw={"rows": 3, "maxlength": 2000},
    )
    reason_ar = TextAreaField(
        _l("Motif en arabe"),
        [Length(max=2000, message=_l("2 000 caractères au plus."))],
        filters=[strip],
        description=_l("Facultatif : sans lui, les clients qui lisent l'arabe reçoivent le texte français."),
        render_kw={"rows": 3, "maxlength": 2000, "lang": "ar", "dir": "rtl"},
    )


class TrackingFileForm(BaseForm):
    """The CSV of RapidPost numbers."""

    file = FileField(
        _l("Fichier CSV des numéros de suivi"),
        [FileRequired(_l("Choisissez un fichier."))],
        description=_l("Deux colonnes, « reference » et « tracking_number » ; 500 lignes au plus."),
    )


class AbsenceForm(BaseForm):
    """Who is away, from which day to which."""

    user_id = SelectField(_l("Personne"), [InputRequired(_l("Choisissez une personne."))])
    from_on = DateField(_l("Premier jour d'absence"), [InputRequired(_l("Choisissez un jour."))])
    until_on = DateField(_l("Dernier jour d'absence"), [InputRequired(_l("Choisissez un jour."))])


class ShareForm(BaseForm):
    """Where the files of somebody absent go."""

    how = RadioField(
        _l("Ces dossiers vont"),
        choices=[
            ("shared", _l("aux collègues présents, à parts égales")),
            ("one", _l("à un seul collègue")),
            ("queue", _l("à la file, pour qui les prendra")),
        ],
        default="shared",
    )
    to_user_id = SelectField(_l("Collègue"), [Optional()])

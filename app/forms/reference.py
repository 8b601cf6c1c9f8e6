"""Forms of the back office that no model generates."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, EmailField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from app.forms.base import BaseForm, strip


class PostOfficeImportForm(BaseForm):
    """The official list (REF-1)."""

    file = FileField(
        _l("Fichier CSV"),
        [FileRequired(_l("Choisissez un fichier."))],
        description=_l("CSV, 5 Mo au plus."),
        render_kw={"accept": ".csv,text/csv"},
    )
    disable_missing = BooleanField(_l("Ne plus proposer les bureaux absents du fichier"))


class SettingForm(BaseForm):
    """One setting (REF-1)."""

    value = StringField(_l("Valeur"), [Length(max=2000)])


class CertificatesForm(BaseForm):
    """Certificates of authorities, pasted one after the other."""

    value = TextAreaField(_l("Certificats (PEM)"), [Length(max=200_000)])


class SwitchForm(BaseForm):
    """One setting that is on or off."""

    value = BooleanField(_l("Activé"))


class InviteForm(BaseForm):
    """A new member of the team (TEA-1)."""

    first_name = StringField(_l("Prénom"), [InputRequired(_l("Écrivez le prénom.")), Length(max=120)], filters=[strip])
    last_name = StringField(_l("Nom"), [InputRequired(_l("Écrivez le nom.")), Length(max=120)], filters=[strip])
    email = EmailField(
        _l("E-mail professionnel"),
        [InputRequired(_l("Écrivez l'adresse e-mail.")), Length(max=255)],
        filters=[strip],
    )
    role = SelectField(_l("Rôle"), [InputRequired(_l("Choisissez un rôle."))])


class RoleForm(BaseForm):
    """Another role for somebody of the team (PPL-3)."""

    role = SelectField(_l("Nouveau rôle"), [InputRequired(_l("Choisissez un rôle."))])

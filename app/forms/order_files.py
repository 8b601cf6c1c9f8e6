"""What a bulk order asks: a file, a row's cells, why people are ordered for again (ORD-5, ORD-6)."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import HiddenField, SelectField, StringField
from wtforms.validators import InputRequired, Optional

from app.forms.base import BaseForm, strip

_OFF = {"autocomplete": "off", "maxlength": 500}


class OrderFileForm(BaseForm):
    """The file of people. ``key`` names the draft to come, so that its progress can be asked for."""

    product = SelectField(_l("Certificat"), [InputRequired(_l("Choisissez un certificat."))])
    file = FileField(_l("Fichier CSV ou XLSX"), [FileRequired(_l("Choisissez un fichier."))])
    key = HiddenField(validators=[Optional()])


class MendingFileForm(BaseForm):
    """Another file, whose rows take the place of those to mend."""

    file = FileField(_l("Fichier corrigé"), [FileRequired(_l("Choisissez un fichier."))])


class FileRowForm(BaseForm):
    """A row's cells, as texts: the same checks read them as read the file."""

    nationality = StringField(
        _l("Nationalité"), filters=[strip], description=_l("Vide : tunisienne. Sinon le pays."), render_kw=_OFF
    )
    identity_kind = StringField(
        _l("Pièce d'identité"),
        filters=[strip],
        description=_l("CIN, Carte de séjour ou Passeport."),
        render_kw=_OFF,
    )
    identity_number = StringField(_l("Numéro pièce d'identité"), filters=[strip], render_kw=_OFF)
    duplicate_reason = StringField(
        _l("Raison d'un autre certificat"),
        filters=[strip],
        description=_l("Seulement pour une personne qui en a déjà un, ou une demande ouverte."),
        render_kw=_OFF,
    )
    last_name = StringField(_l("Nom"), filters=[strip], description=_l("En caractères latins"), render_kw=_OFF)
    first_name = StringField(_l("Prénom"), filters=[strip], description=_l("En caractères latins"), render_kw=_OFF)
    last_name_ar = StringField(_l("Nom en arabe"), filters=[strip], render_kw=_OFF)
    first_name_ar = StringField(_l("Prénom en arabe"), filters=[strip], render_kw=_OFF)
    birth_date = StringField(
        _l("Date de naissance"),
        filters=[strip],
        description=_l("jj/mm/aaaa, par exemple 27/11/1980"),
        render_kw=_OFF,
    )
    mobile = StringField(
        _l("Téléphone mobile"), filters=[strip], description=_l("Par exemple +216 20 000 000"), render_kw=_OFF
    )
    email = StringField(_l("Email"), filters=[strip], render_kw=_OFF)
    domains = StringField(
        _l("Domaines d'utilisation"),
        filters=[strip],
        description=_l("Un ou plusieurs, séparés par « / »."),
        render_kw=_OFF,
    )
    validity_years = StringField(_l("Validité"), filters=[strip], description=_l("En années"), render_kw=_OFF)

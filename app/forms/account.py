"""Forms of « Mon compte » and of the login's second step (LOG-4)."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import EmailField, HiddenField, PasswordField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from app.forms.base import BaseForm, strip


def _app_code() -> StringField:
    return StringField(
        _l("Code de l'application"),
        [InputRequired(_l("Écrivez les six chiffres affichés par l'application.")), Length(max=40)],
        filters=[strip],
        description=_l("Six chiffres, qui changent toutes les 30 secondes."),
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "dir": "ltr"},
    )


def _assurance() -> TextAreaField:
    return TextAreaField(
        _l("Comment vous êtes-vous assuré de la personne ?"),
        [InputRequired(_l("Écrivez comment vous vous êtes assuré de la personne.")), Length(max=500)],
        filters=[strip],
        description=_l("Par exemple : rappelée au numéro fixe de l'organisation. Noté au journal."),
        render_kw={"rows": 3},
    )


class CodeForm(BaseForm):
    """The code of the authenticator app."""

    code = _app_code()


class RecoveryForm(BaseForm):
    """One of the recovery codes."""

    code = StringField(
        _l("Code de secours"),
        [InputRequired(_l("Écrivez un de vos codes de secours.")), Length(max=60)],
        filters=[strip],
        description=_l("Quatre groupes de quatre signes. Un code ne sert qu'une fois."),
        render_kw={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "dir": "ltr"},
    )


class PasskeyForm(BaseForm):
    """What the browser answers for a passkey (JSON, read by the service)."""

    credential = HiddenField()


class ConfirmForm(BaseForm):
    """One's password again, before a grave act; not asked of who has just logged in."""

    current = PasswordField(
        _l("Votre mot de passe"),
        [InputRequired(_l("Écrivez votre mot de passe actuel.")), Length(max=256)],
        description=_l("Pour vérifier que c'est bien vous."),
        render_kw={"autocomplete": "current-password"},
    )

    def __init__(self, *args: Any, fresh: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fresh = fresh
        if fresh:
            del self.current


class AppForm(ConfirmForm):
    """Setting the app up: the sealed seed the page showed, and a code that proves it works."""

    page_order = ("code", "current")
    sealed = HiddenField()
    code = _app_code()


class NewPasskeyForm(ConfirmForm):
    """Adding a passkey: its name, and what the browser answers."""

    page_order = ("name", "current")
    name = StringField(
        _l("Nom de la clé"),
        [InputRequired(_l("Donnez un nom à cette clé."))],
        filters=[strip],
        description=_l("Pour la reconnaître, par exemple « Téléphone » ou « Clé USB du bureau »."),
        render_kw={"autocomplete": "off", "maxlength": 60},
    )
    credential = HiddenField()


class MailsForm(BaseForm):
    """Which optional mails one wants."""

    wanted = SelectMultipleField(
        _l("Courriels que je souhaite recevoir"),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )


class ClientResetForm(BaseForm):
    """« Équipe »: a client who lost their second factor."""

    email = EmailField(
        _l("E-mail du client"),
        [InputRequired(_l("Écrivez l'adresse e-mail du client.")), Length(max=255)],
        filters=[strip],
        render_kw={"autocomplete": "off"},
    )
    reason = _assurance()


class StaffResetForm(BaseForm):
    """« Équipe »: a colleague who lost their second factor."""

    reason = _assurance()

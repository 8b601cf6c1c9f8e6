"""Forms of login, passwords and following an order."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import EmailField, PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired, Length

from app.forms.base import BaseForm, strip


class LoginForm(BaseForm):
    """IDENTIFICATION (LOG-1)."""

    email = EmailField(
        _l("E-mail"),
        [InputRequired(_l("Écrivez votre adresse e-mail.")), Length(max=255)],
        filters=[strip],
        render_kw={"autocomplete": "username", "placeholder": _l("Votre adresse e-mail")},
    )
    password = PasswordField(
        _l("Mot de passe"),
        [InputRequired(_l("Écrivez votre mot de passe.")), Length(max=256)],
        render_kw={"autocomplete": "current-password"},
    )


class ChoosePasswordForm(BaseForm):
    """A new password, twice; the present one too unless it is the first (ACT-2)."""

    current = PasswordField(
        _l("Mot de passe actuel"),
        [InputRequired(_l("Écrivez votre mot de passe actuel.")), Length(max=256)],
        render_kw={"autocomplete": "current-password"},
    )
    password = PasswordField(
        _l("Nouveau mot de passe"),
        [InputRequired(_l("Choisissez un mot de passe."))],
        description=_l("Au moins 12 caractères. Une phrase de quelques mots est facile à retenir."),
        render_kw={"autocomplete": "new-password"},
    )
    confirmation = PasswordField(
        _l("Confirmation du mot de passe"),
        [
            InputRequired(_l("Écrivez le mot de passe une seconde fois.")),
            EqualTo("password", _l("Les deux mots de passe diffèrent.")),
        ],
        render_kw={"autocomplete": "new-password"},
    )

    def __init__(self, *args: Any, first: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.first = first
        if first:
            del self.current


class ForgottenForm(BaseForm):
    """Mot de passe oublié (LOG-3)."""

    email = EmailField(
        _l("E-mail"),
        [InputRequired(_l("Écrivez votre adresse e-mail.")), Length(max=255)],
        filters=[strip],
        render_kw={"autocomplete": "username"},
    )


class FollowForm(BaseForm):
    """Suivre une commande."""

    reference = StringField(
        _l("Référence"),
        [InputRequired(_l("Écrivez la référence.")), Length(max=40)],
        filters=[strip],
        description=_l("Elle figure dans nos courriels, par exemple DEM-2026-000001 ou CMD-2026-000001."),
        render_kw={"autocomplete": "off"},
    )
    email = EmailField(
        _l("E-mail"),
        [InputRequired(_l("Écrivez votre adresse e-mail.")), Length(max=255)],
        filters=[strip],
        description=_l("Celle du demandeur, ou de l'administrateur qui a passé la commande."),
        render_kw={"autocomplete": "email"},
    )

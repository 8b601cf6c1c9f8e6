"""Forms of a certificate's end and its renewal (CRT-4, CRT-5)."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, PasswordField, RadioField, SelectField, TextAreaField
from wtforms.validators import InputRequired, Length

from app.forms.base import strip
from app.forms.ordering import OrderLineForm
from app.forms.requests import VersionedForm
from app.forms.review import DecisionForm

LONGEST = 1800


def _words(label: Any, description: Any) -> TextAreaField:
    return TextAreaField(
        label,
        [Length(max=LONGEST, message=_l("1 800 caractères au plus."))],
        filters=[strip],
        description=description,
        render_kw={"rows": 3, "maxlength": LONGEST},
    )


def _password() -> PasswordField:
    return PasswordField(
        _l("Votre mot de passe"),
        [InputRequired(_l("Écrivez votre mot de passe.")), Length(max=256)],
        description=_l("Demandé de nouveau, parce qu'une révocation ne se reprend pas."),
        render_kw={"autocomplete": "current-password"},
    )


class RevokeForm(VersionedForm):
    """« Révoquer mon certificat »: why, « I know », and the password again."""

    reason = RadioField(_l("Motif"), [InputRequired(_l("Choisissez un motif."))])
    text = _words(_l("Précision"), _l("Facultative. Toutes les personnes prévenues la liront."))
    sure = BooleanField(
        _l("J'ai compris que ce certificat ne pourra plus jamais servir."),
        [InputRequired(_l("Cochez la case : une révocation ne se reprend pas."))],
    )
    current = _password()


class DepartureForm(OrderLineForm, VersionedForm):
    """« Départ du titulaire »: the revocation, and the successor's data unless they come later."""

    page_order: tuple[str, ...] = ("succession", *OrderLineForm.page_order)
    LATER = ("plus-tard", _l("Révoquer seulement : je commanderai plus tard, ou pas"))
    ALWAYS = ("csrf_token", "version", "succession", "text", "sure", "current")

    succession = RadioField(
        _l("Et ensuite ?"),
        [InputRequired(_l("Dites si vous commandez pour un successeur."))],
        choices=[
            ("maintenant", _l("Commander maintenant le certificat de son successeur")),
            LATER,
        ],
    )
    text = _words(_l("Précision"), _l("Facultative. Toutes les personnes prévenues la liront."))
    sure = BooleanField(
        _l("J'ai compris que le certificat de la personne qui part ne pourra plus jamais servir."),
        [InputRequired(_l("Cochez la case : une révocation ne se reprend pas."))],
    )
    current = _password()

    @property
    def has_successor(self) -> bool:
        """Are the successor's data to be read?"""
        return bool(self.succession.data != "plus-tard")

    def validate(self, extra_validators: Any = None) -> bool:
        """Without a successor, only what revokes is looked at; what was typed of one stays on the page."""
        if self.has_successor:
            return bool(super().validate(extra_validators))
        whole = self.__dict__["_fields"]
        self.__dict__["_fields"] = {name: field for name, field in whole.items() if name in self.ALWAYS}
        try:
            return bool(super().validate(extra_validators))
        finally:
            self.__dict__["_fields"] = whole


class PrepareRevocationForm(DecisionForm):
    """An officer's revocation, for a second person."""

    reason = SelectField(_l("Motif"), [InputRequired(_l("Choisissez un motif."))])
    text = TextAreaField(
        _l("Ce qui s'est passé"),
        [
            InputRequired(_l("Écrivez ce qui s'est passé : la seconde personne décide là-dessus.")),
            Length(max=LONGEST, message=_l("1 800 caractères au plus.")),
        ],
        filters=[strip],
        description=_l("La seconde personne décide là-dessus ; le client le lira dans le courriel qui le prévient."),
        render_kw={"rows": 4, "maxlength": LONGEST},
    )

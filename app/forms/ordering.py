"""The order's form (ORD-3) and the history's filters (ORD-1)."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from app.forms.base import BaseForm, strip
from app.forms.person import PersonForm


class CheckboxGroup(SelectMultipleField):
    """Several of a few: a box each."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class OrderLineForm(PersonForm):
    """« Demande de certificat ID-Trust »: one person."""

    attestation = BooleanField(
        _l(
            "J'atteste que ces coordonnées sont correctes et j'autorise l'utilisation de ces données pour le "
            "traitement de la demande du certificat"
        ),
        [InputRequired(_l("Cochez l'attestation pour continuer."))],
    )
    for_self = BooleanField(_l("Je suis le demandeur du certificat"))
    validity_years = SelectField(_l("Validité"), [InputRequired(_l("Choisissez une durée."))], coerce=int)
    domains = CheckboxGroup(
        _l("Domaines d'utilisation"),
        [InputRequired(_l("Choisissez au moins un domaine d'utilisation."))],
        coerce=int,
    )

    names_confirmed = BooleanField(_l("Ces deux noms, en français et en arabe, sont bien ceux de cette personne."))
    duplicate_reason = TextAreaField(
        _l("Pourquoi un autre certificat pour cette personne ?"),
        [Length(max=500, message=_l("500 caractères au plus."))],
        filters=[strip],
        description=_l("Par exemple : clé perdue, certificat à renouveler, second poste. TunTrust lira cette raison."),
        render_kw={"rows": 2, "maxlength": 500},
    )

    page_order: tuple[str, ...] = (
        "attestation",
        "for_self",
        "validity_years",
        "domains",
        "nationality",
        "identity_kind",
        "identity_number",
        "duplicate_reason",
        "last_name",
        "first_name",
        "last_name_ar",
        "first_name_ar",
        "names_confirmed",
        "birth_date",
    )

    def __init__(
        self, *args: Any, validities: list[tuple[int, str]], domains: list[tuple[int, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.identity_number.label.text = _("Numéro pièce d'identité")
        self.email_confirmation.label.text = _("Confirmation d'email")
        self.validity_years.choices = validities
        self.domains.choices = domains


class SendOrderForm(BaseForm):
    """« Envoyer les demandes »."""

    attestation = BooleanField(
        _l("J'atteste que toutes les informations de la liste sont exactes."),
        [InputRequired(_l("Cochez l'attestation pour envoyer les demandes."))],
    )


class NamesForm(BaseForm):
    """A name in both scripts as it is being typed, for its preview (ORD-3)."""

    first_name = StringField(filters=[strip])
    last_name = StringField(filters=[strip])
    first_name_ar = StringField(filters=[strip])
    last_name_ar = StringField(filters=[strip])
    nationality = StringField(filters=[strip])

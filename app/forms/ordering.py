"""The order's form (ORD-3) and the history's filters (ORD-1)."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField, SelectMultipleField
from wtforms.validators import InputRequired
from wtforms.widgets import CheckboxInput, ListWidget

from app.forms.base import BaseForm
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

    page_order = (
        "attestation",
        "for_self",
        "validity_years",
        "domains",
        "nationality",
        "identity_kind",
        "identity_number",
        "last_name",
        "first_name",
        "last_name_ar",
        "first_name_ar",
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

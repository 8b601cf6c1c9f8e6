"""The basket's form: how to pay, and what the page showed."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, RadioField
from wtforms.validators import InputRequired, Regexp

from app.forms.base import BaseForm


class PaymentForm(BaseForm):
    """Carte bancaire or E-dinar (PAY-3). ``total`` is the page's total, in millimes: it must still hold.

    ``credit`` is what it counted on of the organisation's credit (PAY-2)."""

    method = RadioField(
        _l("Moyen de paiement"),
        [InputRequired(_l("Choisissez un moyen de paiement."))],
        choices=[("CARTE", _l("Carte bancaire")), ("EDINAR", _l("E-dinar"))],
        default="CARTE",
    )
    total = HiddenField(validators=[Regexp(r"^[0-9]{1,12}$", message=_l("Rechargez la page, puis recommencez."))])
    credit = HiddenField(
        default="0", validators=[Regexp(r"^[0-9]{1,12}$", message=_l("Rechargez la page, puis recommencez."))]
    )

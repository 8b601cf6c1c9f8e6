"""The period of the accounting page."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import DateField
from wtforms.validators import Optional

from app.forms.base import BaseForm


class PeriodForm(BaseForm):
    """Two days, both included; sent by GET, so that the address can be kept."""

    class Meta(BaseForm.Meta):
        """Nothing changes: no token."""

        csrf = False

    first = DateField(_l("Du"), [Optional()], name="du")
    last = DateField(_l("Au"), [Optional()], name="au")

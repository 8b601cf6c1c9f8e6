"""Forms of credit notes: preparing, deciding, giving back (AVO-1 … AVO-5).

The lines of an invoice are read by hand: three inputs for each of up to 500 lines, of which only the ticked ones count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import HiddenInput

from app.forms.amounts import DinarField
from app.forms.base import BaseForm, strip
from app.forms.review import LONG, DecisionForm, ReasonForm
from app.money import InvalidAmount, format_number, parse_millimes

MOST = 10**12


@dataclass(slots=True)
class LineTyped:
    """What is typed beside one line of the invoice: a box, an amount before tax, a delivery; texts as typed."""

    line_id: int
    chosen: bool = False
    price_ht: str = ""
    delivery: str = ""
    error: str = ""

    @property
    def error_id(self) -> str:
        """Where the summary of errors leads, and what the boxes are described by."""
        return f"line-{self.line_id}"


@dataclass(slots=True)
class LinesTyped:
    """The lines of the form, by id. ``wanted`` holds the amounts of those that are ticked and well written."""

    rows: dict[int, LineTyped] = field(default_factory=dict)
    wanted: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def faulty(self) -> bool:
        """Is something wrong on a line?"""
        return any(row.error for row in self.rows.values())

    def refuse(self, name: str | None, sentence: str) -> bool:
        """Put a service's sentence beside the line it is about (``line-<id>``); False when it is about none."""
        number = (name or "").removeprefix("line-")
        row = self.rows.get(int(number)) if name != number and number.isdigit() else None
        if row is None:
            return False
        row.error = sentence
        return True


def shown(amounts: Mapping[int, tuple[int, int, bool]]) -> LinesTyped:
    """The form as proposed: millimes before tax, of delivery, and whether the line is ticked, by line."""
    return LinesTyped(
        {
            line_id: LineTyped(line_id, chosen, format_number(ht, plain=True), format_number(delivery, plain=True))
            for line_id, (ht, delivery, chosen) in amounts.items()
        }
    )


def read(form: Mapping[str, str], left: Mapping[int, tuple[int, int]]) -> LinesTyped:
    """What was sent for the lines of ``left`` (their amounts still to give back); lines that were not sent are as left.

    An amount left empty on a ticked line counts for nothing.
    """
    found = LinesTyped()
    for line_id, (ht, delivery) in left.items():
        row = LineTyped(
            line_id,
            f"line-{line_id}" in form,
            form.get(f"ht-{line_id}", format_number(ht, plain=True))[:40],
            form.get(f"delivery-{line_id}", format_number(delivery, plain=True))[:40],
        )
        found.rows[line_id] = row
        if row.chosen:
            try:
                found.wanted[line_id] = (_amount(row.price_ht), _amount(row.delivery))
            except InvalidAmount as fault:
                row.error = _sentence(fault)
    return found


def amounts(row: LineTyped) -> tuple[int, int] | None:
    """What is written on a line, in millimes; None when it is no amount."""
    try:
        return _amount(row.price_ht), _amount(row.delivery)
    except InvalidAmount:
        return None


def _amount(text: str) -> int:
    text = strip(text)
    amount = parse_millimes(text) if text else 0
    if amount > MOST:
        raise InvalidAmount("amount_shape")
    return amount


def _sentence(fault: InvalidAmount) -> str:
    if fault.code == "amount_negative":
        return _("Un avoir rend un montant : écrivez-le sans signe moins.")
    return _("Écrivez un montant en dinars, par exemple 350,000.")


class CreditForm(BaseForm):
    """A credit note being prepared; its lines are ``LinesTyped``."""

    page_order = ("reason", "reason_text", "stamp_duty", "outcome")

    reason = SelectField(_l("Motif"), [InputRequired(_l("Choisissez un motif."))])
    reason_text = TextAreaField(
        _l("Raison, en toutes lettres"),
        [LONG],
        filters=[strip],
        description=_l("Elle est imprimée sur l'avoir et lue par le client."),
        render_kw={"rows": 3, "maxlength": 2000},
    )
    stamp_duty = DinarField(_l("Timbre fiscal rendu"), [Optional()])
    outcome = RadioField(_l("Ce que devient ce montant"), [InputRequired(_l("Choisissez ce que devient ce montant."))])
    seen = IntegerField(widget=HiddenInput(), validators=[Optional()])
    version = IntegerField(widget=HiddenInput(), validators=[Optional()])


class RefuseForm(BaseForm):
    """Why a proposal is refused, for the colleague who prepared it."""

    reason = TextAreaField(
        _l("Raison du refus"),
        [LONG],
        filters=[strip],
        description=_l("Elle reste entre agents : le client n'en sait rien."),
        render_kw={"rows": 3, "maxlength": 2000},
    )
    version = IntegerField(widget=HiddenInput(), validators=[Optional()])


class TransferForm(BaseForm):
    """The bank's reference of a transfer that was made."""

    bank_reference = StringField(
        _l("Référence du virement"),
        [Length(max=120, message=_l("120 caractères au plus."))],
        filters=[strip],
        description=_l("Celle de l'ordre de virement, telle que la banque la donne."),
        render_kw={"autocomplete": "off", "spellcheck": "false", "maxlength": 120},
    )
    version = IntegerField(widget=HiddenInput(), validators=[Optional()])


class RejectAndCreditForm(ReasonForm):
    """« Annuler et préparer l'avoir »: why, and what becomes of the money."""

    outcome = RadioField(_l("Ce que devient ce montant"), [InputRequired(_l("Choisissez ce que devient ce montant."))])


class RevocationForm(DecisionForm):
    """« Révoquer, avoir et nouvelle demande pré-remplie »."""

    page_order = ("credit_reason", "reason_text", "outcome", "reorder")

    credit_reason = RadioField(_l("Motif"), [InputRequired(_l("Choisissez un motif."))])
    reason_text = TextAreaField(
        _l("Raison, en toutes lettres"),
        [LONG],
        filters=[strip],
        description=_l("Elle est imprimée sur l'avoir, gardée avec la révocation et lue par le client."),
        render_kw={"rows": 3, "maxlength": 2000},
    )
    outcome = RadioField(_l("Ce que devient ce montant"), [InputRequired(_l("Choisissez ce que devient ce montant."))])
    reorder = BooleanField(_l("Préparer la nouvelle demande, avec les mêmes données, sur la liste de l'organisation"))

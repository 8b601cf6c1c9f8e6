"""Amounts and rates as people type them: dinars for millimes, percents for basis points."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation, Overflow
from typing import Any

from flask_babel import gettext as _
from wtforms import StringField

from app.money import InvalidAmount, format_number, parse_millimes


class DinarField(StringField):
    """``350,000``: an amount in dinars, kept in integer millimes."""

    data: Any

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else format_number(self.data, plain=True)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Millimes, or a sentence."""
        self.data = None
        if not valuelist or not valuelist[0].strip():
            return
        try:
            amount = parse_millimes(valuelist[0])
        except InvalidAmount:
            raise ValueError(_("Écrivez un montant en dinars, par exemple 350,000.")) from None
        if amount > 10**12:
            raise ValueError(_("Ce montant est trop grand."))
        self.data = amount


class PercentField(StringField):
    """``19`` or ``19,5``: a rate in percent, kept in basis points."""

    data: Any

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        if self.data is None:
            return ""
        whole, part = divmod(self.data, 100)
        return f"{whole},{part:02d}".rstrip("0") if part else str(whole)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Basis points, or a sentence."""
        self.data = None
        text = (valuelist[0] if valuelist else "").replace("%", "").replace(",", ".").strip()
        if not text:
            return
        try:
            points = Decimal(text) * 100
        except (InvalidOperation, Overflow):
            raise ValueError(_("Écrivez un taux en pour cent, par exemple 19.")) from None
        if not points.is_finite() or points != points.to_integral_value() or not 0 <= points <= 10_000:
            raise ValueError(_("Écrivez un taux entre 0 et 100, avec deux décimales au plus."))
        self.data = int(points)

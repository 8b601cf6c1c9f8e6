"""Money: integer millimes (1 DT = 1,000), VAT, totals, and amounts in words (PRI-1, PRI-2, INV-1).

Pure: no database, no clock. Rates are basis points (19 % = 1,900 bp). VAT is rounded half up, line by line;
a total is always the sum of what is printed above it.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

MILLIMES_PER_DINAR: Final = 1000
FULL_RATE_BP: Final = 10_000
THOUSANDS: Final = "\u202f"
"""Narrow no-break space between thousands, as French sets them."""
NO_BREAK: Final = "\u00a0"

_AMOUNT = re.compile(
    r"(?P<sign>[-−]?)"
    r"(?P<whole>[0-9]+|[0-9]{1,3}(?P<group>[ .,])[0-9]{3}(?:(?P=group)[0-9]{3})*)"
    r"(?:(?P<point>[.,])(?P<part>[0-9]{1,3}))?"
)
MOST_FIGURES: Final = 15
"""Of an amount's dinars: more is no amount, and past 4,300 Python reads no number at all."""
_CURRENCY = re.compile(r"\s*(?:DT|TND|د\.ت\.?)$", re.IGNORECASE)


class InvalidAmount(ValueError):
    """A text that is no amount in dinars; ``code``: ``amount_`` + empty, shape or negative."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Split:
    """An amount taken apart: ``ht + vat`` gives it back."""

    ht: int
    vat: int


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """What one certificate costs, in millimes: price before tax, VAT rate (bp), delivery tax included."""

    ht: int
    vat_rate_bp: int
    delivery_ttc: int


@dataclass(frozen=True, slots=True)
class Line:
    """One certificate of a quote; `delivery` is tax included and not part of `ttc`."""

    ht: int
    vat_rate_bp: int
    vat: int
    delivery: Split

    @property
    def ttc(self) -> int:
        return self.ht + self.vat

    @property
    def delivery_ttc(self) -> int:
        return self.delivery.ht + self.delivery.vat


@dataclass(frozen=True, slots=True)
class VatRow:
    """The VAT of one rate: its base before tax and its amount."""

    rate_bp: int
    base: int
    vat: int


@dataclass(frozen=True, slots=True)
class Quote:
    """The totals of a basket; every total is a sum of its lines, `stamp_duty` is once per invoice (PRI-1)."""

    lines: tuple[Line, ...]
    stamp_duty: int
    delivery_vat_bp: int

    @property
    def ht(self) -> int:
        return sum(line.ht for line in self.lines)

    @property
    def vat(self) -> int:
        """VAT of the certificates; that of the delivery is `delivery_vat`."""
        return sum(line.vat for line in self.lines)

    @property
    def ttc(self) -> int:
        return self.ht + self.vat

    @property
    def delivery_ht(self) -> int:
        return sum(line.delivery.ht for line in self.lines)

    @property
    def delivery_vat(self) -> int:
        return sum(line.delivery.vat for line in self.lines)

    @property
    def delivery_ttc(self) -> int:
        return self.delivery_ht + self.delivery_vat

    @property
    def vat_by_rate(self) -> tuple[VatRow, ...]:
        """One row for each rate, highest first; a delivery without VAT stands in none."""
        parts = [(line.vat_rate_bp, Split(line.ht, line.vat)) for line in self.lines]
        if self.delivery_vat_bp:
            parts += [(self.delivery_vat_bp, line.delivery) for line in self.lines]
        return vat_rows(parts)

    @property
    def total(self) -> int:
        """What is to be paid: certificates, delivery, stamp, tax included."""
        return self.ttc + self.delivery_ttc + self.stamp_duty


def vat_half_up(amount_ht: int, rate_bp: int) -> int:
    """VAT on an amount before tax, rounded half up (PRI-2); a credit mirrors its invoice."""
    if rate_bp < 0:
        raise ValueError("a VAT rate is not negative")
    size = (2 * abs(amount_ht) * rate_bp + FULL_RATE_BP) // (2 * FULL_RATE_BP)
    return size if amount_ht >= 0 else -size


def split(amount_ttc: int, rate_bp: int) -> Split:
    """An amount with tax included taken apart at a rate; at 0 it is all before tax (PRI-1, delivery)."""
    if rate_bp < 0:
        raise ValueError("a VAT rate is not negative")
    whole = FULL_RATE_BP + rate_bp
    size = (2 * abs(amount_ttc) * rate_bp + whole) // (2 * whole)
    vat = size if amount_ttc >= 0 else -size
    return Split(ht=amount_ttc - vat, vat=vat)


def vat_rows(parts: Iterable[tuple[int, Split]]) -> tuple[VatRow, ...]:
    """Sum (rate, amounts) into one row for each rate, highest rate first."""
    sums: dict[int, Split] = {}
    for rate_bp, part in parts:
        before = sums.get(rate_bp, Split(0, 0))
        sums[rate_bp] = Split(before.ht + part.ht, before.vat + part.vat)
    return tuple(VatRow(rate_bp, sums[rate_bp].ht, sums[rate_bp].vat) for rate_bp in sorted(sums, reverse=True))


def quote(units: Sequence[UnitPrice], stamp_duty: int, delivery_vat_bp: int = 0) -> Quote:
    """The price of these certificates bought together (PRI-1): n × 416,500 + n × 7,000 + 1,000.

    VAT is rounded on each line; the stamp duty is counted once, and not at all when there is nothing to buy.
    Raises ValueError on a negative price, rate or duty.
    """
    if stamp_duty < 0 or any(unit.ht < 0 or unit.delivery_ttc < 0 for unit in units):
        raise ValueError("a price is not negative")
    lines = tuple(
        Line(
            ht=unit.ht,
            vat_rate_bp=unit.vat_rate_bp,
            vat=vat_half_up(unit.ht, unit.vat_rate_bp),
            delivery=split(unit.delivery_ttc, delivery_vat_bp),
        )
        for unit in units
    )
    return Quote(lines=lines, stamp_duty=stamp_duty if lines else 0, delivery_vat_bp=delivery_vat_bp)


def format_number(millimes: int, *, plain: bool = False) -> str:
    """``1 271,500`` without the currency, for a table whose head names it."""
    dinars, part = divmod(abs(millimes), MILLIMES_PER_DINAR)
    sign = "" if millimes >= 0 else "-" if plain else "−"
    return f"{sign}{dinars:,}".replace(",", " " if plain else THOUSANDS) + f",{part:03d}"


def format_millimes(millimes: int, *, plain: bool = False) -> str:
    """``424,500 DT``, ``1 271,500 DT`` (PRI-2), never broken over lines.

    `plain` takes ordinary spaces and a hyphen for minus: for subjects of mails and for what machines compare.
    """
    return f"{format_number(millimes, plain=plain)}{' ' if plain else NO_BREAK}DT"


def format_arabic(millimes: int) -> str:
    """``424,500 د.ت``: the figures Tunisia uses, read left to right inside right-to-left text (PRI-2)."""
    mark = "\u200e" if millimes < 0 else ""
    return f"{mark}{format_number(millimes)}{NO_BREAK}د.ت"


def format_english(millimes: int) -> str:
    """``TND 1,271.500``: English separates the other way round, and has the currency's code before the figures."""
    dinars, part = divmod(abs(millimes), MILLIMES_PER_DINAR)
    return f"{'−' if millimes < 0 else ''}TND{NO_BREAK}{dinars:,}.{part:03d}"


def format_rate(rate_bp: int) -> str:
    """``19 %``, ``19,25 %``: a rate of basis points as French writes it."""
    whole, part = divmod(rate_bp, 100)
    decimals = f",{part:02d}".rstrip("0") if part else ""
    return f"{whole}{decimals}{NO_BREAK}%"


def parse_millimes(text: str, *, negative: bool = False) -> int:
    """Millimes from what a person types: ``350``, ``350,000``, ``350.000``, ``1 271,500 DT``, ``1.271,500``.

    The last comma or dot starts the millimes (at most three figures), so ``1,500`` is a dinar and a half;
    before it, thousands may be grouped. Raises `InvalidAmount`; a minus sign is refused unless `negative`.
    """
    tidy = " ".join("".join(_ascii(char) for char in text).split())
    if not tidy:
        raise InvalidAmount("amount_empty")
    found = _AMOUNT.fullmatch(_CURRENCY.sub("", tidy))
    if not found or (found["group"] in (".", ",") and found["point"] in (None, found["group"])):
        raise InvalidAmount("amount_shape")
    if found["sign"] and not negative:
        raise InvalidAmount("amount_negative")
    figures = re.sub(r"[^0-9]", "", found["whole"]).lstrip("0") or "0"
    if len(figures) > MOST_FIGURES:
        raise InvalidAmount("amount_shape")
    dinars = int(figures)
    amount = dinars * MILLIMES_PER_DINAR + int((found["part"] or "0").ljust(3, "0"))
    return -amount if found["sign"] else amount


def _ascii(char: str) -> str:
    kind = unicodedata.category(char)
    if kind == "Nd":
        return str(unicodedata.digit(char))
    if char == "٫":
        return ","
    return "" if kind == "Cf" else char


def amount_in_words(millimes: int) -> str:
    """The amount in French, for « Arrêtée la présente facture à la somme de … » (INV-1).

    ``quatre cent vingt-quatre dinars et cinq cents millimes``; made from integers, never from a float.
    """
    dinars, part = divmod(abs(millimes), MILLIMES_PER_DINAR)
    said = []
    if dinars or not part:
        said.append(_counted(dinars, "dinar"))
    if part:
        said.append(_counted(part, "millime"))
    return ("moins " if millimes < 0 else "") + " et ".join(said)


def _counted(number: int, unit: str) -> str:
    """« un dinar », « deux dinars », « un million de dinars »: French counts plural from two."""
    from num2words import num2words

    words = str(num2words(number, lang="fr"))
    link = "de " if number >= 1_000_000 and number % 1_000_000 == 0 else ""
    return f"{words} {link}{unit}{'s' if number >= 2 else ''}"

"""What a basket costs (PRI-1, PRI-2): tariffs in force today, or the prices a payment froze."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.models import CertificateRequest, Payment, Tariff
from app.money import Line, Quote, UnitPrice, quote, split
from app.queries.reference import current_billing_rate, current_tariff


@dataclass(frozen=True, slots=True)
class PricedRequest:
    """One request and its line of the quote; millimes."""

    request: CertificateRequest
    line: Line


@dataclass(frozen=True, slots=True)
class PricedBasket:
    """Requests with their prices, in the order given. ``delivery_unit`` is for one certificate, tax included."""

    rows: tuple[PricedRequest, ...]
    quote: Quote
    delivery_unit: int


def quote_requests(requests: Sequence[CertificateRequest]) -> PricedBasket:
    """The price of these requests bought together today (PRI-1): 1 → 424.500 DT, 3 → 1 271.500 DT.

    Raises DomainError when the operator defined no tariff for one of them.
    """
    rate = current_billing_rate()
    known: dict[tuple[int, int], Tariff] = {}
    units = []
    for request in requests:
        product = (request.certificate_type_id, request.validity_years)
        if product not in known:
            known[product] = current_tariff(*product)
        tariff = known[product]
        units.append(UnitPrice(ht=tariff.price_ht, vat_rate_bp=tariff.vat_rate_bp, delivery_ttc=rate.delivery_ttc))
    total = quote(units, stamp_duty=rate.stamp_duty, delivery_vat_bp=rate.delivery_vat_bp)
    rows = tuple(PricedRequest(request, line) for request, line in zip(requests, total.lines, strict=True))
    return PricedBasket(rows=rows, quote=total, delivery_unit=rate.delivery_ttc)


def quote_payment(payment: Payment) -> Quote:
    """The price a payment froze in its lines (PRI-2): nothing is reckoned again but the delivery's split."""
    lines = tuple(
        Line(
            ht=line.price_ht,
            vat_rate_bp=line.vat_rate_bp,
            vat=line.vat,
            delivery=split(line.delivery, payment.delivery_vat_bp),
        )
        for line in payment.lines
    )
    return Quote(lines=lines, stamp_duty=payment.stamp_duty, delivery_vat_bp=payment.delivery_vat_bp)

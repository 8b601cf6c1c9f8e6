"""What a credit note may give back of an invoice, line by line, in millimes (AVO-1, AVO-2).

A line given back whole takes exactly the VAT it was invoiced with; a part takes the VAT of the part, rounded half
up (PRI-2), and never more than is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import func, select

from app.errors import DomainError
from app.extensions import db
from app.models import (
    CreditNote,
    CreditProposal,
    CreditProposalLine,
    CreditReason,
    Invoice,
    PaymentLine,
)
from app.money import format_millimes, vat_half_up
from app.states import CreditProposalState


@dataclass(frozen=True, slots=True)
class LineLeft:
    """A line of the invoice and what of it was not given back yet; millimes."""

    line: PaymentLine
    price_ht: int
    vat: int
    delivery: int

    @property
    def total(self) -> int:
        """All that can still be given back of the line."""
        return self.price_ht + self.vat + self.delivery


@dataclass(frozen=True, slots=True)
class InvoiceLeft:
    """An invoice and what of it was not given back yet."""

    invoice: Invoice
    lines: tuple[LineLeft, ...]
    stamp_duty: int

    @property
    def total(self) -> int:
        """All that can still be given back."""
        return self.stamp_duty + sum(each.total for each in self.lines)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asks to give back of one line: before tax and delivery (tax included); VAT follows."""

    payment_line_id: int
    price_ht: int
    delivery: int


@dataclass(frozen=True, slots=True)
class Part:
    """What is given back of one line, VAT worked out."""

    payment_line_id: int
    price_ht: int
    vat: int
    delivery: int

    @property
    def total(self) -> int:
        """Tax included, delivery included."""
        return self.price_ht + self.vat + self.delivery


def left_of(invoice: Invoice) -> InvoiceLeft:
    """What the issued credit notes leave of an invoice (AVO-2)."""
    lines = db.session.scalars(
        select(PaymentLine).where(PaymentLine.payment_id == invoice.payment_id).order_by(PaymentLine.position)
    ).all()
    given = {
        row.payment_line_id: row
        for row in db.session.execute(
            select(
                CreditProposalLine.payment_line_id,
                func.sum(CreditProposalLine.price_ht).label("price_ht"),
                func.sum(CreditProposalLine.vat).label("vat"),
                func.sum(CreditProposalLine.delivery).label("delivery"),
            )
            .join(CreditProposal, CreditProposal.id == CreditProposalLine.proposal_id)
            .where(CreditProposal.invoice_id == invoice.id, CreditProposal.state == CreditProposalState.EMIS)
            .group_by(CreditProposalLine.payment_line_id)
        )
    }
    stamp = db.session.scalar(
        select(func.coalesce(func.sum(CreditNote.stamp_duty), 0)).where(CreditNote.invoice_id == invoice.id)
    )
    left = []
    for line in lines:
        row = given.get(line.id)
        left.append(
            LineLeft(
                line,
                line.price_ht - int(row.price_ht if row else 0),
                line.vat - int(row.vat if row else 0),
                line.delivery - int(row.delivery if row else 0),
            )
        )
    return InvoiceLeft(invoice, tuple(left), invoice.stamp_duty - int(stamp or 0))


KEEPS_STAMP = frozenset({CreditReason.REJET_APRES_PAIEMENT, CreditReason.RETRAIT_DEMANDE})
"""The stamp was owed for an invoice that stands; given back all the same when nothing else is left of it."""


def proposal_for(
    left: InvoiceLeft, reason: CreditReason, request_ids: Sequence[int] | None = None
) -> tuple[list[Wanted], int]:
    """The lines and the stamp a reason usually gives back, of these requests or of all (AVO-1).

    « Not collected in 90 days » gives everything back, the stamp included, so that the new order costs 0.000.
    """
    chosen = [
        each for each in left.lines if each.total and (request_ids is None or each.line.request_id in request_ids)
    ]
    wanted = [Wanted(each.line.id, each.price_ht, each.delivery) for each in chosen]
    everything = sum(each.total for each in chosen) == left.total - left.stamp_duty
    stamp = left.stamp_duty if everything or reason not in KEEPS_STAMP else 0
    return wanted, stamp if wanted else 0


def parts_of(left: InvoiceLeft, wanted: Sequence[Wanted], stamp_duty: int) -> list[Part]:
    """The amounts asked for, checked against what is left, VAT worked out; lines of nothing are dropped.

    Raises DomainError on field ``line-<id>`` or ``stamp_duty``, or on none when nothing is given back.
    """
    known: Mapping[int, LineLeft] = {each.line.id: each for each in left.lines}
    parts = []
    for each in wanted:
        line = known.get(each.payment_line_id)
        if line is None:
            raise DomainError(_("Cette ligne n'est pas de cette facture."), field=f"line-{each.payment_line_id}")
        parts.append(part_of(line, each))
    if not 0 <= stamp_duty <= left.stamp_duty:
        raise DomainError(
            _("Timbre fiscal : au plus %(amount)s.", amount=format_millimes(left.stamp_duty)), field="stamp_duty"
        )
    parts = [part for part in parts if part.total]
    if not parts:  # a stamp alone is no line of a paper
        raise DomainError(_("Un avoir rend au moins un montant : remplissez une ligne."))
    return parts


def vat_of(line: LineLeft, price_ht: int) -> int:
    """The VAT given back with a price before tax: all that is left with all that is left, else rounded half up."""
    whole = price_ht == line.price_ht
    return line.vat if whole else min(vat_half_up(price_ht, line.line.vat_rate_bp), line.vat)


def part_of(line: LineLeft, wanted: Wanted) -> Part:
    """What is asked of one line, VAT worked out. Raises DomainError on field ``line-<id>``."""
    field = f"line-{line.line.id}"
    if not 0 <= wanted.price_ht <= line.price_ht:
        raise DomainError(
            _("Prix HT : il reste %(amount)s à rendre sur cette ligne.", amount=format_millimes(line.price_ht)),
            field=field,
        )
    if not 0 <= wanted.delivery <= line.delivery:
        raise DomainError(
            _("Livraison : il reste %(amount)s à rendre sur cette ligne.", amount=format_millimes(line.delivery)),
            field=field,
        )
    return Part(line.line.id, wanted.price_ht, vat_of(line, wanted.price_ht), wanted.delivery)

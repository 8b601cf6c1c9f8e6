"""Credit notes in tests: invoices paid for, two officers, and what must hold of the books after anything."""

from __future__ import annotations

from sqlalchemy import func, select

from app.extensions import db
from app.models import CreditNote, CreditOutcome, CreditReason, Invoice, LedgerEntry, PaymentCredit
from app.permissions import Actor, Role
from app.services.credits import issuing, proposing
from app.services.credits.amounts import Wanted, left_of, proposal_for
from tests import factories


class Desk:
    """An agent who prepares and a supervisor who issues."""

    def __init__(self) -> None:
        self.agent: Actor = factories.actor(factories.staff(Role.AGENT))
        self.supervisor: Actor = factories.actor(factories.staff(Role.SUPERVISEUR))

    def prepare(
        self,
        invoice: Invoice,
        *,
        reason: CreditReason = CreditReason.NON_RETRAIT_90_JOURS,
        outcome: CreditOutcome = CreditOutcome.CREDIT,
        wanted: list[Wanted] | None = None,
        stamp_duty: int | None = None,
        request_ids: list[int] | None = None,
        by: Actor | None = None,
    ) -> int:
        """A proposal's id, with the reason's defaults where nothing else is said."""
        usual, stamp = proposal_for(left_of(invoice), reason, request_ids)
        proposal = proposing.prepare(
            invoice.id,
            usual if wanted is None else wanted,
            stamp_duty=stamp if stamp_duty is None else stamp_duty,
            reason=reason,
            reason_text="Le jeton n'a pas été retiré.",
            outcome=outcome,
            actor=by or self.agent,
        )
        return proposal.id

    def issue(self, invoice: Invoice, **changed: object) -> CreditNote:
        """Prepared and issued."""
        return issuing.issue(self.prepare(invoice, **changed), actor=self.supervisor)  # type: ignore[arg-type]  # passed on


def assert_books_add_up(organisation_id: int) -> None:
    """The ledger's sum is what credit notes gave less what was used; none is overdrawn, none above its invoice."""
    db.session.rollback()
    given = db.session.scalar(
        select(func.coalesce(func.sum(CreditNote.total_ttc), 0)).where(
            CreditNote.organisation_id == organisation_id, CreditNote.outcome == CreditOutcome.CREDIT
        )
    )
    entries = db.session.scalars(select(LedgerEntry).where(LedgerEntry.organisation_id == organisation_id)).all()
    used = -sum(entry.amount for entry in entries if entry.amount < 0)
    assert sum(entry.amount for entry in entries) == (given or 0) - used >= 0
    by_note: dict[int, int] = {}
    for entry in entries:
        by_note[entry.credit_note_id] = by_note.get(entry.credit_note_id, 0) + entry.amount
    assert all(left >= 0 for left in by_note.values())
    held = db.session.execute(
        select(PaymentCredit.credit_note_id, func.sum(PaymentCredit.amount))
        .where(PaymentCredit.live)
        .group_by(PaymentCredit.credit_note_id)
    )
    assert all(amount <= by_note.get(note_id, amount) for note_id, amount in held)
    for invoice in db.session.scalars(select(Invoice).where(Invoice.organisation_id == organisation_id)):
        credited = db.session.scalar(
            select(func.coalesce(func.sum(CreditNote.total_ttc), 0)).where(CreditNote.invoice_id == invoice.id)
        )
        assert (credited or 0) <= invoice.total_ttc

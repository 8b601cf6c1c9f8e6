"""The money of a file: its invoices and credit notes, linked from its tabs (BIL-1)."""

from __future__ import annotations

from app.models import CreditProposal, Invoice
from app.permissions import Permission
from app.queries import credit_pages
from app.views.admin.review_place import Place


class Money(Place):
    """What the tabs « Paiement » and « Demandes » show, for those who read billing."""

    @property
    def reads_billing(self) -> bool:
        """May the person follow the links to invoices and credit notes?"""
        return self.actor.can(Permission.READ_BILLING)

    @property
    def may_credit(self) -> bool:
        """« Préparer un avoir »."""
        return self.actor.can(Permission.PREPARE_CREDIT_NOTES) and self.actor.can(Permission.READ_BILLING)

    def credits(self) -> list[CreditProposal]:
        """What was prepared or issued of the request's line."""
        return credit_pages.proposals_of_request(self.request.id) if self.request is not None else []

    def invoices(self) -> list[Invoice]:
        """The organisation's latest invoices."""
        return credit_pages.invoices_of_organisation(self.organisation.id)

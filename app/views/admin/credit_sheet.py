"""The sheet on which a credit note is prepared: an invoice's lines, what is typed on them, the totals (AVO-1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from flask_babel import gettext as _

from app.errors import DomainError
from app.forms import credits as typing_forms
from app.forms.base import show_refusal
from app.forms.credits import CreditForm, LinesTyped, LineTyped
from app.models import CreditOutcome, CreditProposal, CreditReason, Invoice, PaymentLine, PaymentMethod
from app.money import format_millimes
from app.queries import credit_pages
from app.services.credits.amounts import KEEPS_STAMP, LineLeft, Wanted, left_of, part_of, proposal_for, vat_of
from app.services.credits.proposing import refundable
from app.state_labels import choices_of, state_label


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the sheet; ``vat`` and ``total`` of what is typed, in millimes."""

    line: PaymentLine
    left: LineLeft
    typed: LineTyped
    vat: int
    total: int

    @property
    def invoiced(self) -> int:
        """What the line cost, everything included."""
        return self.line.price_ht + self.line.vat + self.line.delivery

    @property
    def given_back(self) -> int:
        """What earlier credit notes gave back of it."""
        return self.invoiced - self.left.total


class Sheet:
    """An invoice's sheet, for a new proposal or for one that is changed."""

    def __init__(self, invoice: Invoice, proposal: CreditProposal | None = None) -> None:
        self.invoice = invoice
        self.proposal = proposal
        self.lines = credit_pages.lines_of(invoice)
        self.left = left_of(invoice)
        self.by_id = {each.line.id: each for each in self.left.lines}
        self.typed = LinesTyped()
        self.form = CreditForm(formdata=None)
        self.most = refundable(invoice)

    # -- filling it

    def begin(self, args: Mapping[str, str]) -> None:
        """As a page opened from elsewhere asks: ``motif`` and ``demande``; else what the invoice's requests say."""
        wanted = args.get("demande", "").strip().upper()
        only = [line.request_id for line in self.lines if line.request.reference == wanted] or None
        reason = _reason(args.get("motif", "")) or self._likely(only)
        self.form = self._form(
            CreditForm(formdata=None, data={"seen": credit_pages.latest_proposal_id(self.invoice.id)})
        )
        if reason is not None:
            self.form.reason.data = reason.value
        self.form.outcome.data = CreditOutcome.CREDIT.value
        self._fill(reason, only)
        if only:
            self.form.reason_text.data = next(
                line for line in self.lines if line.request_id == only[0]
            ).request.closing_reason

    def reopen(self) -> None:
        """As the proposal stands."""
        proposal = self.proposal
        assert proposal is not None  # noqa: S101 - called when changing one
        given = {line.payment_line_id: line for line in proposal.lines}
        self.typed = typing_forms.shown(
            {
                line_id: (given[line_id].price_ht, given[line_id].delivery, True)
                if line_id in given
                else (left.price_ht, left.delivery, False)
                for line_id, left in self.by_id.items()
            }
        )
        data = {
            "reason": proposal.reason.value,
            "reason_text": proposal.reason_text,
            "stamp_duty": proposal.stamp_duty,
            "outcome": proposal.outcome.value,
            "version": proposal.version,
        }
        self.form = self._form(CreditForm(formdata=None, data=data))

    def read(self, sent: Mapping[str, str]) -> None:
        """As it was sent."""
        self.form = self._form(CreditForm())
        self.typed = typing_forms.read(sent, {key: (left.price_ht, left.delivery) for key, left in self.by_id.items()})

    def propose(self) -> None:
        """« Proposer les montants »: the reason's defaults in place of what was typed."""
        reason = _reason(self.form.reason.data or "")
        if reason is None:
            self.form.reason.errors = [_("Choisissez un motif.")]
            return
        self._fill(reason, credit_pages.usual_requests(self.lines, reason))

    def tick(self, everything: bool) -> None:
        """« Tout cocher », « Tout décocher »; the amounts stay as typed."""
        for line_id, row in self.typed.rows.items():
            row.chosen, row.error = everything and self.by_id[line_id].total > 0, ""

    def _fill(self, reason: CreditReason | None, only: list[int] | None) -> None:
        if only is None and reason is not None:
            only = credit_pages.usual_requests(self.lines, reason)
        wanted, stamp = proposal_for(self.left, reason or CreditReason.ERREUR_TUNTRUST, only)
        chosen = {each.payment_line_id for each in wanted}
        self.typed = typing_forms.shown(
            {key: (left.price_ht, left.delivery, key in chosen) for key, left in self.by_id.items()}
        )
        self.form.stamp_duty.data, self.form.stamp_duty.raw_data = stamp, None

    def _likely(self, only: list[int] | None) -> CreditReason | None:
        lines = [line for line in self.lines if only is None or line.request_id in only]
        for reason in (CreditReason.REJET_APRES_PAIEMENT, CreditReason.NON_RETRAIT_90_JOURS):
            if credit_pages.usual_requests(lines, reason):
                return reason
        return None

    def _form(self, form: CreditForm) -> CreditForm:
        form.reason.choices = [("", _("Choisissez un motif")), *choices_of(CreditReason)]
        form.outcome.choices = choices_of(CreditOutcome)
        return form

    # -- reading it

    def check(self) -> bool:
        """Is everything well written and possible? Every fault is put beside its field."""
        well = self.form.validate()
        for line_id, (price_ht, delivery) in self.typed.wanted.items():
            try:
                part_of(self.by_id[line_id], Wanted(line_id, price_ht, delivery))
            except DomainError as refusal:
                self.refuse(refusal)
        if not any(row.chosen for row in self.typed.rows.values()):
            self.form.form_errors.append(_("Cochez au moins une ligne à rendre."))
        return well and not self.typed.faulty and not self.form.form_errors

    def refuse(self, refusal: DomainError) -> None:
        """A service's sentence, beside what it is about."""
        if not self.typed.refuse(refusal.field, str(refusal)):
            show_refusal(self.form, refusal)

    @property
    def wanted(self) -> list[Wanted]:
        """What is asked, line by line."""
        return [Wanted(line_id, *amounts) for line_id, amounts in self.typed.wanted.items()]

    @property
    def stamp(self) -> int:
        """The stamp given back; millimes."""
        return int(self.form.stamp_duty.data or 0)

    @property
    def reason(self) -> CreditReason:
        """The reason chosen, once ``check`` said yes."""
        return CreditReason(self.form.reason.data)

    @property
    def outcome(self) -> CreditOutcome:
        """What becomes of the money, once ``check`` said yes."""
        return CreditOutcome(self.form.outcome.data)

    # -- showing it

    def line_errors(self) -> list[tuple[str, str]]:
        """For the summary at the top: where each fault is, and its sentence with the request it is about."""
        names = {line.id: line.request.reference for line in self.lines}
        return [
            (f"ht-{row.line_id}", f"{names[row.line_id]} : {row.error}")
            for row in self.typed.rows.values()
            if row.error
        ]

    @cached_property
    def rows(self) -> list[Row]:
        """The lines that still hold something, or on which something is typed."""
        found = []
        for line in self.lines:
            left, typed = self.by_id[line.id], self.typed.rows[line.id]
            if not left.total and not typed.chosen:
                continue
            price_ht, delivery = (0, 0) if typed.error else typing_forms.amounts(typed) or (0, 0)
            vat = vat_of(left, price_ht)
            found.append(Row(line, left, typed, vat, price_ht + vat + delivery))
        return found

    @property
    def emptied(self) -> int:
        """Lines of which nothing is left: they are not shown."""
        return len(self.lines) - len(self.rows)

    def sums(self) -> dict[str, int]:
        """The totals of the ticked lines, in millimes."""
        ticked = [row for row in self.rows if row.typed.chosen and not row.typed.error]
        found = {"count": len(ticked), "ht": 0, "vat": sum(row.vat for row in ticked), "stamp": self.stamp}
        found["total"] = sum(row.total for row in ticked) + self.stamp
        amounts = [typing_forms.amounts(row.typed) or (0, 0) for row in ticked]
        found["ht"], found["delivery"] = sum(each[0] for each in amounts), sum(each[1] for each in amounts)
        return found

    @property
    def keeps_stamp(self) -> str:
        """The reasons that leave the stamp where something is left, for the script."""
        return " ".join(sorted(KEEPS_STAMP))

    def outcome_hints(self) -> dict[str, str]:
        """What each way of giving back means, under its button; the form then offers only what is possible."""
        most = format_millimes(self.most)
        hints = {
            CreditOutcome.CREDIT.value: _("Utilisable dès l'émission, sur les prochaines commandes de l'organisation."),
            CreditOutcome.REMBOURSEMENT_PASSERELLE.value: _(
                "Sur le moyen de paiement d'origine, demandé par une personne après l'émission ; au plus %(most)s.",
                most=most,
            ),
            CreditOutcome.REMBOURSEMENT_MANUEL.value: _(
                "Fait à la banque par TunTrust, puis noté ici avec sa référence ; au plus %(most)s.", most=most
            ),
        }
        refused = self.refused_outcomes()
        self.form.outcome.choices = [each for each in choices_of(CreditOutcome) if each[0] not in refused]
        return hints

    def refused_outcomes(self) -> dict[str, str]:
        """What is not offered, and why."""
        gateway, by_hand = CreditOutcome.REMBOURSEMENT_PASSERELLE, CreditOutcome.REMBOURSEMENT_MANUEL
        payment = self.invoice.payment
        if payment.method is PaymentMethod.CREDIT:
            why = _("cette facture a été payée entièrement par avoir, ce qui en revient redevient un avoir.")
        elif self.most <= 0:
            why = _("tout ce qui avait été payé par carte a déjà été remboursé.")
        elif not payment.gateway_order_id:
            return {gateway.value: _("la passerelle n'a pas de numéro pour ce paiement.")}
        else:
            return {}
        return {gateway.value: why, by_hand.value: why}

    def refused_labels(self) -> list[tuple[str, str]]:
        """The same in words."""
        return [(state_label(CreditOutcome(code)), why) for code, why in self.refused_outcomes().items()]


def _reason(code: str) -> CreditReason | None:
    return CreditReason(code) if code in set(CreditReason) else None

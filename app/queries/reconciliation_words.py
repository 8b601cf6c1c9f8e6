"""What happened to an attempt, what the gateway says, what our books say, in plain words and to the millime (GAT-4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app import clock
from app.adapters.clictopay import DECLINED, DINAR, PAID, PREAUTHORISED
from app.models import Payment, RemedyKind
from app.money import format_millimes
from app.queries.billing import refunded_in_books
from app.queries.reconciliation import AttemptFile
from app.states import LIVE_PAYMENT_STATES, Anomaly, PaymentState, RequestState

STATUSES: dict[int, object] = {
    0: _l("commande ouverte, rien n'est payé"),
    1: _l("somme bloquée sur la carte, pas encore prise"),
    2: _l("payée"),
    3: _l("paiement annulé et rendu"),
    4: _l("paiement remboursé"),
    5: _l("en attente de la banque du porteur de la carte"),
    6: _l("paiement refusé ou expiré"),
}
"""The gateway's orderStatus."""


@dataclass(frozen=True, slots=True)
class Case:
    """One attempt's story. Amounts in millimes (of ``currency``)."""

    happened: str
    gateway: str
    books: str
    advice: str
    expected: int
    taken: int
    booked: int
    currency: str

    @property
    def difference(self) -> int:
        """What the gateway holds above what our books account for."""
        return self.taken - self.booked

    @property
    def from_expected(self) -> int:
        """What the gateway took above what this attempt was to pay; 0 when it took nothing."""
        return self.taken - self.expected if self.taken else 0


def explained(file: AttemptFile) -> Case:
    """The attempt in words, as things stand now."""
    payment = file.payment
    answer = payment.gateway_answer or {}
    held = answer.get("status") in (PAID, PREAUTHORISED)
    taken = int(answer.get("amount", 0)) - int(answer.get("refunded", 0)) if held else 0
    booked = payment.amount - refunded_in_books(payment.id) if payment.state is PaymentState.PAYE else 0
    if payment.state is PaymentState.PAYE and not answer:
        taken = payment.amount - payment.refunded
    return Case(
        happened=_happened(file),
        gateway=_gateway(payment),
        books=_books(file),
        advice=_advice(file),
        expected=payment.amount,
        taken=max(taken, 0),
        booked=booked,
        currency=str(answer.get("currency") or payment.currency),
    )


def amount_text(amount: int, currency: str = DINAR) -> str:
    """An amount with its currency: ours in dinars, another in its own smallest units under its ISO number."""
    if currency == DINAR:
        return format_millimes(amount)
    return _("%(amount)d unités de la devise %(currency)s", amount=amount, currency=currency)


def _happened(file: AttemptFile) -> str:
    payment = file.payment
    if payment.state is PaymentState.PAYE:
        if payment.anomaly == Anomaly.GIVEN_BACK:
            return _("Ce paiement est facturé, et la passerelle a rendu de l'argent sans avoir de notre part.")
        return _("Ce paiement est confirmé : la passerelle l'a pris et la facture est émise.")
    if payment.state in LIVE_PAYMENT_STATES:
        return _("La page de paiement est ouverte, ou la banque décide encore : cette tentative n'a pas de fin.")
    words = {
        Anomaly.PAID_TWICE: _("Les demandes de ce paiement ont été payées une autre fois : cette somme est de trop."),
        Anomaly.NOT_PAYABLE: _(
            "L'argent est arrivé quand des demandes n'étaient plus à payer : annulées, ou rouvertes pour correction."
        ),
        Anomaly.HELD_ELSEWHERE: _("L'argent est arrivé alors qu'une autre tentative retenait les mêmes demandes."),
        Anomaly.CREDIT_GONE: _(
            "L'argent est arrivé trop tard : l'avoir de %(credit)s qui complétait le paiement a servi ailleurs.",
            credit=format_millimes(payment.credit_used),
        ),
        Anomaly.AMOUNT_DIFFERS: _("La passerelle a pris un autre montant que celui de la commande."),
        Anomaly.CURRENCY_DIFFERS: _("La passerelle a pris le paiement dans une autre devise que le dinar."),
        Anomaly.IDENTITY_DIFFERS: _("La passerelle dit payée une commande qui n'est pas la nôtre."),
        Anomaly.GIVEN_BACK: _("La passerelle a annulé ou remboursé ce paiement, qui n'a réglé aucune commande."),
        Anomaly.PREAUTHORISED: _("La somme a été bloquée sur la carte et jamais prise."),
        Anomaly.NO_ANSWER: _("La passerelle n'a donné aucune réponse utilisable pendant plus d'un jour."),
    }
    if payment.anomaly is None:
        return _("Cette tentative a pris fin sans paiement.")
    return words.get(Anomaly(payment.anomaly), _("Ce paiement est à régulariser."))


def _gateway(payment: Payment) -> str:
    answer = payment.gateway_answer
    if not answer:
        return _("Elle n'a pas encore été interrogée, ou n'a jamais répondu.")
    when = clock.local(datetime.fromisoformat(str(answer["at"]))).strftime("%d/%m/%Y à %H:%M")
    if not answer.get("known"):
        return _("Interrogée le %(when)s, elle ne connaît pas cette commande.", when=when)
    currency = str(answer.get("currency", DINAR))
    said = [
        _(
            "Interrogée le %(when)s : %(status)s, %(amount)s.",
            when=when,
            status=str(STATUSES.get(int(answer["status"]), answer["status"])),
            amount=amount_text(int(answer["amount"]), currency),
        )
    ]
    if answer.get("refunded"):
        said.append(_("Elle a rendu %(amount)s.", amount=amount_text(int(answer["refunded"]), currency)))
    named = (answer.get("order_number"), answer.get("order_id"))
    if named != (payment.reference, payment.gateway_order_id):
        said.append(
            _(
                "Elle nomme la commande « %(number)s », identifiant « %(order_id)s ».",
                number=answer.get("order_number") or "—",
                order_id=answer.get("order_id") or "—",
            )
        )
    if answer.get("description") and int(answer["status"]) == DECLINED:
        said.append(_("Son motif : « %(text)s ».", text=answer["description"]))
    return " ".join(said)


def _books(file: AttemptFile) -> str:
    payment = file.payment
    if file.invoice is not None:
        said = [
            _("Payé, facture %(number)s de %(total)s.", number=file.invoice.number,
              total=format_millimes(file.invoice.total_ttc))
        ]  # fmt: skip
        given = sum(note.total_ttc for note in file.credit_notes)
        if given:
            said.append(_("Avoirs émis : %(total)s.", total=format_millimes(given)))
        back = refunded_in_books(payment.id)
        said.append(_("Remboursé : %(total)s.", total=format_millimes(back)))
        return " ".join(said)
    said = [_("Rien n'est facturé pour ce paiement.")]
    other = file.paid_by
    if other is not None and other.invoice is not None:
        said.append(
            _("Les demandes sont facturées par %(invoice)s, paiement %(reference)s.", invoice=other.invoice.number,
              reference=other.reference)
        )  # fmt: skip
    return " ".join(said)


def _advice(file: AttemptFile) -> str:
    payment = file.payment
    if payment.remedied_at is not None:
        return _("Le cas est réglé : il n'y a plus rien à faire.")
    if payment.state in LIVE_PAYMENT_STATES:
        return _("Interrogez la passerelle. Sans réponse pendant un jour, le cas viendra ici de lui-même.")
    if payment.state is PaymentState.PAYE and payment.anomaly == Anomaly.GIVEN_BACK:
        return _(
            "Préparez l'avoir de la facture, à rembourser par virement, puis notez le virement sous la référence de "
            "l'opération de la passerelle : l'argent est déjà rendu. Interrogez-la ensuite : le cas se ferme."
        )
    gone = [row for row in file.requests if row.state is RequestState.ANNULEE]
    advice = {
        Anomaly.PAID_TWICE: _(
            "Rendez la somme, de préférence par la passerelle : elle revient sur la carte du client."
        ),
        Anomaly.HELD_ELSEWHERE: _(
            "Attendez la fin de l'autre tentative, puis interrogez la passerelle : la facture part si les demandes "
            "sont encore à payer. Sinon, rendez la somme."
        ),
        Anomaly.CREDIT_GONE: _(
            "Interrogez la passerelle si l'organisation a de nouveau assez d'avoir : la facture sera émise. Sinon, "
            "rendez la somme."
        ),
        Anomaly.AMOUNT_DIFFERS: _(
            "Une facture ne peut pas dire un autre montant que celui qui a été payé : rendez tout, le client paiera de "
            "nouveau."
        ),
        Anomaly.CURRENCY_DIFFERS: _("Rendez tout par la passerelle, dans la devise du paiement."),
        Anomaly.IDENTITY_DIFFERS: _(
            "N'y touchez pas depuis ici : l'argent peut être celui de quelqu'un d'autre. Écrivez à SMT, puis classez "
            "sous la référence de sa réponse."
        ),
        Anomaly.GIVEN_BACK: _("Constatez-le : l'argent est déjà rendu, les demandes restent à payer."),
        Anomaly.PREAUTHORISED: _("Faites débloquer la somme par la passerelle."),
        Anomaly.NO_ANSWER: _(
            "Interrogez la passerelle : une réponse claire clôt le cas d'elle-même. Sinon, cherchez l'opération au "
            "relevé, écrivez à SMT, puis classez sous la référence de sa réponse."
        ),
    }
    if payment.anomaly == Anomaly.NOT_PAYABLE:
        if gone:
            return _("Une demande annulée ne se paie plus : rendez la somme.")
        return _(
            "Si les demandes redeviennent à payer, interrogez la passerelle : la facture sera émise aussitôt. Sinon, "
            "rendez la somme."
        )
    return advice.get(Anomaly(payment.anomaly), "") if payment.anomaly else ""


KIND_HINTS: dict[RemedyKind, object] = {
    RemedyKind.PASSERELLE: _l("La passerelle rend la somme sur la carte du client, ou la débloque."),
    RemedyKind.VIREMENT: _l("La banque de TunTrust la rend ; la référence du virement sera notée."),
    RemedyKind.CLASSEMENT: _l("Rien ne part d'ici : la preuve de ce qui a été fait ailleurs est notée."),
}

"""History in sentences, by day: what was done, by whom, why (ORD-8, CON-2, REV-8).

The lines are written by the services; only here do they become words. Clients read « TunTrust » where an
officer acted, staff read the name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from app import clock
from app.extensions import db
from app.models import CreditProposal, DocumentKind, HistoryEntry, RemedyKind
from app.permissions import SYSTEM, VISITOR_LABEL
from app.queries.declared_fields import field_name
from app.state_labels import action_label, state_label
from app.states import Anomaly

LIMIT = 300
"""Lines shown; a file with more has a story no page can tell."""


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence of the timeline (``components/page.html``)."""

    time: str
    iso: str
    text: str
    who: str
    why: str
    tone: str


Day = tuple[str, list[Line]]

REQUEST_SENTENCES: dict[str, tuple[object, str]] = {
    "create": (_l("La demande a été créée."), ""),
    "validate": (_l("Le demandeur a validé la demande et accepté les conditions générales d'utilisation."), "ok"),
    "withdraw": (_l("La demande a été retirée."), "bad"),
    "reopen": (_l("La demande a été rouverte pour correction ; une nouvelle validation est demandée."), "wait"),
    "pay": (_l("Le paiement a été confirmé ; TunTrust prend la demande en charge."), "ok"),
    "ask_for_documents": (_l("TunTrust a demandé des pièces ou des corrections."), "wait"),
    "supply": (_l("Les corrections demandées ont été apportées."), "ok"),
    "withdraw_the_ask": (_l("TunTrust ne demande plus ces pièces."), ""),
    "reject": (_l("TunTrust a rejeté la demande."), "bad"),
    "approve": (_l("TunTrust a approuvé la demande ; le certificat peut être généré."), "ok"),
    "dispatch": (_l("Le certificat a été expédié au bureau de poste choisi."), "ok"),
    "approval_cancelled": (_l("L'approbation a été annulée : le dossier a changé depuis."), "wait"),
    "invitation_resent": (_l("L'invitation a été renvoyée au demandeur."), ""),
    "correction_asked": (_l("Le demandeur a signalé une erreur dans ses données."), "wait"),
    "correction_taken_back": (_l("Le demandeur a retiré son signalement."), ""),
    "correct": (_l("Les données du demandeur ont été corrigées."), ""),
    "email_mended": (_l("L'adresse e-mail du demandeur a été corrigée et l'invitation envoyée à la nouvelle."), ""),
    "identity_copy_received": (_l("La copie de la pièce d'identité du demandeur a été reçue."), ""),
    "answer_item": (_l("Une réponse a été donnée à une demande de TunTrust."), ""),
    "document_received": (_l("Un document a été reçu."), ""),
    "document_accepted": (_l("Un document a été accepté."), "ok"),
    "document_refused": (_l("Un document a été refusé."), "bad"),
    "record_certificate": (_l("Le certificat a été généré."), "ok"),
    "certificate_dispatch": (_l("Le certificat est en route vers le bureau de poste."), "ok"),
    "certificate_collect": (_l("Le certificat a été retiré au bureau de poste."), "ok"),
    "certificate_revoke": (_l("Le certificat a été révoqué."), "bad"),
    "certificate_expire": (_l("Le certificat a expiré."), ""),
    "revocation_prepared": (_l("La révocation du certificat a été préparée pour une seconde personne."), "wait"),
    "revocation_approve": (_l("La révocation a été approuvée."), ""),
    "revocation_refuse": (_l("La révocation a été refusée."), "bad"),
    "revocation_withdraw": (_l("La révocation préparée a été abandonnée."), ""),
    "collection_reminder": (_l("TunTrust a rappelé le certificat à retirer."), ""),
    "assign": (_l("Le dossier a été confié à un agent."), ""),
    "reminder_sent": (_l("TunTrust a rappelé les pièces demandées."), ""),
    "hand_over": (_l("Le dossier a été confié à un autre agent."), ""),
    "take": (_l("Un agent a pris le dossier."), ""),
    "release": (_l("Le dossier a été rendu à la file."), ""),
    "identity_checked": (_l("L'identité du demandeur a été vérifiée auprès du service d'identité."), ""),
    "message_sent": (_l("Un message a été envoyé."), ""),
    "message_retracted": (_l("Un message a été retiré par son auteur."), ""),
}

ORGANISATION_SENTENCES: dict[str, tuple[object, str]] = {
    "sign_up": (_l("L'organisation s'est inscrite."), ""),
    "activate": (_l("Le compte de l'organisation a été activé ; TunTrust peut la vérifier."), "ok"),
    "verify": (_l("TunTrust a vérifié l'organisation."), "ok"),
    "ask_for_documents": (_l("TunTrust a demandé des pièces ou des corrections."), "wait"),
    "supply": (_l("Les corrections demandées ont été apportées."), "ok"),
    "withdraw_the_ask": (_l("TunTrust ne demande plus ces pièces."), ""),
    "reject": (_l("TunTrust a rejeté l'inscription."), "bad"),
    "change_data": (_l("Les données de l'organisation ont changé : TunTrust les vérifie de nouveau."), "wait"),
    "suspend": (_l("L'organisation a été suspendue."), "bad"),
    "restore": (_l("L'organisation a été rétablie."), "ok"),
    "administrator_invited": (_l("Un administrateur a été invité."), ""),
    "administrator_removed": (_l("Un administrateur a été retiré."), ""),
    "administrator_replaced": (_l("Un administrateur a été remplacé."), ""),
    "invitation_resent": (_l("L'invitation d'un administrateur a été renvoyée."), ""),
    "contract_issued": (_l("Une version du contrat a été établie."), ""),
    "contract_signed": (_l("Le contrat signé a été reçu."), ""),
    "document_received": (_l("Un document a été reçu."), ""),
    "document_accepted": (_l("Un document a été accepté."), "ok"),
    "document_refused": (_l("Un document a été refusé."), "bad"),
    "answer_item": (_l("Une réponse a été donnée à une demande de TunTrust."), ""),
    "assign": (_l("Le dossier a été confié à un agent."), ""),
    "hand_over": (_l("Le dossier a été confié à un autre agent."), ""),
    "take": (_l("Un agent a pris le dossier."), ""),
    "release": (_l("Le dossier a été rendu à la file."), ""),
    "data_changed": (_l("Des données de l'organisation ont été modifiées."), ""),
    "message_sent": (_l("Un message a été envoyé."), ""),
    "message_retracted": (_l("Un message a été retiré par son auteur."), ""),
}

PAYMENT_SENTENCES: dict[str, tuple[object, str]] = {
    "start_payment": (_l("Un paiement a été commencé."), ""),
    "register": (_l("La page de paiement a été ouverte."), ""),
    "confirm": (_l("Un paiement a été confirmé."), "ok"),
    "set_aside": (_l("Un paiement est à régulariser : TunTrust s'en occupe."), "wait"),
    "refuse": (_l("Un paiement a été refusé."), "bad"),
    "expire": (_l("Un paiement a expiré sans être fait."), ""),
    "abandon": (_l("Un paiement a été abandonné."), ""),
    "issue_invoice": (_l("Une facture a été émise."), "ok"),
    "credit_prepared": (_l("Un avoir a été préparé."), ""),
    "credit_edit": (_l("Un avoir en préparation a été modifié."), ""),
    "credit_withdraw": (_l("Un avoir en préparation a été abandonné."), ""),
    "credit_refuse": (_l("Un avoir a été refusé."), "bad"),
    "credit_issue": (_l("Un avoir a été approuvé."), ""),
    "issue_credit_note": (_l("Un avoir a été émis."), "ok"),
    "refund_ask_gateway": (_l("Un remboursement a été demandé."), ""),
    "refund_confirm": (_l("Un remboursement a été fait."), "ok"),
    "refund_fail": (_l("Un remboursement n'a pas abouti : il sera refait."), "wait"),
    "refund_done_by_hand": (_l("Un remboursement a été fait par virement."), "ok"),
    "given_back": (_l("La passerelle a rendu de l'argent dont nos livres ne savent rien."), "wait"),
    "remedy_prepared": (_l("Le règlement d'un paiement à régulariser a été préparé."), ""),
    "remedy_approve": (_l("Le règlement d'un paiement a été approuvé."), ""),
    "remedy_refuse": (_l("Le règlement d'un paiement a été refusé."), "bad"),
    "remedy_withdraw": (_l("Le règlement d'un paiement a été abandonné."), ""),
    "remedy_ask_gateway": (_l("La restitution d'un paiement a été demandée à la passerelle."), ""),
    "remedy_fail": (_l("La restitution d'un paiement n'a pas abouti : elle sera refaite."), "wait"),
    "remedy_confirm": (_l("Un paiement à régulariser est réglé."), "ok"),
    "remedy_done_by_hand": (_l("Un paiement a été rendu par virement."), "ok"),
    "remedy_acknowledged": (_l("La passerelle avait rendu ce paiement."), "ok"),
    "remedy_reopened": (_l("Un paiement est de nouveau à régulariser."), "wait"),
}


BETWEEN_OFFICERS = (
    "credit_prepared",
    "credit_edit",
    "credit_withdraw",
    "credit_refuse",
    "credit_issue",
    "refund_ask_gateway",
    "refund_fail",
    "revocation_prepared",
    "revocation_approve",
    "revocation_refuse",
    "revocation_withdraw",
)
"""What a credit note or a revocation goes through before it is done: clients read of its end only (PPL-3)."""

STEPS_OF_A_PAYMENT = ("start_payment", "register")
"""What every attempt begins with: clients read its outcome, or a day of refused cards buries everything else."""


def history_of_request(request_id: int, *, for_staff: bool = False) -> list[Day]:
    """A request's life, newest day first."""
    about = HistoryEntry.request_id == request_id
    if not for_staff:
        about &= HistoryEntry.action.not_in(BETWEEN_OFFICERS)
    return _days(about, REQUEST_SENTENCES, for_staff=for_staff)


def history_of_organisation(organisation_id: int, *, for_staff: bool = False) -> list[Day]:
    """An organisation's life with its payments, newest day first; its requests have their own."""
    about = (HistoryEntry.organisation_id == organisation_id) & HistoryEntry.request_id.is_(None)
    if not for_staff:
        about &= HistoryEntry.action.not_in((*BETWEEN_OFFICERS, *STEPS_OF_A_PAYMENT))
    return _days(about, ORGANISATION_SENTENCES, for_staff=for_staff)


def history_of_credit(proposal: CreditProposal) -> list[Day]:
    """A credit note's life from its preparation to the refund, newest day first; its lines are its payment's."""
    number = proposal.credit_note.number if proposal.credit_note is not None else None
    entries = _entries(HistoryEntry.payment_id == proposal.invoice.payment_id)
    own = [
        entry
        for entry in entries
        if entry.details.get("proposal") == proposal.reference
        or (number is not None and entry.details.get("credit_note") == number)
    ]
    return _by_day(own, PAYMENT_SENTENCES, for_staff=True)


def history_of_payment(payment_id: int) -> list[Day]:
    """An attempt's life as staff read it, newest day first (GAT-4)."""
    return _days(HistoryEntry.payment_id == payment_id, PAYMENT_SENTENCES, for_staff=True)


def _days(about: Any, sentences: dict[str, tuple[object, str]], *, for_staff: bool) -> list[Day]:
    return _by_day(_entries(about), sentences, for_staff=for_staff)


def _entries(about: Any) -> Sequence[HistoryEntry]:
    return db.session.scalars(select(HistoryEntry).where(about).order_by(HistoryEntry.id.desc()).limit(LIMIT)).all()


def _by_day(entries: Sequence[HistoryEntry], sentences: dict[str, tuple[object, str]], *, for_staff: bool) -> list[Day]:
    by_day = groupby(entries, key=lambda entry: clock.local(entry.at).date())
    return [
        (day.strftime("%d/%m/%Y"), [_line(entry, sentences, for_staff=for_staff) for entry in group])
        for day, group in by_day
    ]


def _line(entry: HistoryEntry, sentences: dict[str, tuple[object, str]], *, for_staff: bool) -> Line:
    known = PAYMENT_SENTENCES if entry.payment_id is not None else sentences
    text, tone = known.get(entry.action, (action_label(entry.action), ""))
    return Line(
        time=clock.local(entry.at).strftime("%H:%M"),
        iso=entry.at.isoformat(timespec="seconds"),
        text=" ".join([str(text), *_precisions(entry), *(_between_officers(entry) if for_staff else [])]),
        who=_who(entry, for_staff=for_staff),
        why=entry.reason,
        tone=tone,
    )


def _who(entry: HistoryEntry, *, for_staff: bool) -> str:
    if entry.actor_id is None and entry.actor_label == SYSTEM.label:
        return _("automatiquement")
    if entry.actor_id is None and entry.actor_label == VISITOR_LABEL:
        return ""  # somebody not known yet: the sentence says what they did
    if entry.by_staff and not for_staff:
        return "TunTrust"
    return entry.actor_label


def _precisions(entry: HistoryEntry) -> list[str]:
    """What the details add to the sentence: plain values the services left for it."""
    details = entry.details or {}
    found = []
    if details.get("order"):
        found.append(_("Commande %(reference)s.", reference=details["order"]))
    if details.get("invoice"):
        found.append(_("Facture %(number)s.", number=details["invoice"]))
    if details.get("credit_note"):
        found.append(_("Avoir %(number)s.", number=details["credit_note"]))
    if details.get("replaces"):
        found.append(_("Remplace le certificat de la demande %(reference)s.", reference=details["replaces"]))
    if details.get("field"):
        found.append(_("Donnée : %(field)s.", field=field_label(details["field"])))
    if details.get("serial_number"):
        found.append(_("Numéro de série : %(number)s.", number=details["serial_number"]))
    if details.get("tracking_number"):
        found.append(_("Numéro de suivi RapidPost : %(number)s.", number=details["tracking_number"]))
    if details.get("cgu_version"):
        found.append(_("Version %(number)s des conditions.", number=details["cgu_version"]))
    if details.get("fields"):
        names = ", ".join(field_label(name) for name in details["fields"])
        found.append(_("Champs concernés : %(fields)s.", fields=names))
    if entry.action.startswith("remedy_") and details.get("remedy"):
        found.append(f"{state_label(RemedyKind(details['remedy']))}.")
    if details.get("anomaly") in set(Anomaly):
        found.append(_("Cas : %(what)s.", what=state_label(Anomaly(details["anomaly"]))))
    if entry.action == "remedy_fail" and details.get("error"):
        found.append(_("Réponse : %(error)s", error=details["error"]))
    if details.get("version"):
        found.append(_("Version %(number)s.", number=details["version"]))
    if details.get("kind") in set(DocumentKind):
        found.append(_("Document : %(what)s.", what=state_label(DocumentKind(details["kind"]))))
    if details.get("why") == "not_activated":
        found.append(_("Le compte n'avait pas été activé à temps."))
    return found


def _between_officers(entry: HistoryEntry) -> list[str]:
    """What only TunTrust's people read: to whom a file was handed, and what was said of it (QUE-3)."""
    details = entry.details or {}
    found = []
    if entry.action == "hand_over" and details.get("to"):
        found.append(_("À %(who)s.", who=details["to"]))
    if entry.action == "hand_over" and details.get("note"):
        found.append(_("« %(note)s »", note=details["note"]))
    if entry.action == "refund_fail" and details.get("error"):
        found.append(_("Réponse : %(error)s", error=details["error"]))
    if entry.action == "refund_done_by_hand" and details.get("reference"):
        found.append(_("Référence du virement : %(reference)s.", reference=details["reference"]))
    return found


FIELD_LABELS: dict[str, object] = {
    "last_name": _l("nom"),
    "first_name": _l("prénom"),
    "last_name_ar": _l("nom en arabe"),
    "first_name_ar": _l("prénom en arabe"),
    "birth_date": _l("date de naissance"),
    "nationality": _l("nationalité"),
    "identity_kind": _l("pièce d'identité"),
    "identity_number": _l("numéro de la pièce d'identité"),
    "mobile": _l("téléphone mobile"),
    "email": _l("adresse e-mail"),
    "legal_name": _l("raison sociale"),
    "legal_name_ar": _l("raison sociale en arabe"),
    "trade_name": _l("nom commercial"),
    "address": _l("adresse"),
    "postal_code": _l("code postal"),
    "city": _l("ville"),
    "governorate_id": _l("gouvernorat"),
    "phone": _l("téléphone fixe"),
    "fax": _l("fax"),
    "common_name": _l("nom du certificat (CN)"),
    "domains": _l("domaines d'utilisation"),
}


def field_label(name: str) -> str:
    """What a declared field of a person is called in a sentence."""
    label = FIELD_LABELS.get(name)
    return str(label if label is not None else field_name(name))

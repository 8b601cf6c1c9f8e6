"""Every mail the product sends and its subject; the manual's are exact (MAI-1)."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

SUBJECTS: dict[str, object] = {
    "account_created": _l("Votre inscription au portail ECERT : mot de passe temporaire et contrat"),
    "already_registered": _l("Votre inscription au portail ECERT"),
    "activation_reminder": _l("Il vous reste 24 heures pour activer votre compte ECERT"),
    "registration_deleted": _l("Votre inscription au portail ECERT a été supprimée"),
    "request_created": _l("Création de la demande de certificat"),
    "request_validated": _l("Une demande de certificat est prête à être payée"),
    "correction_asked": _l("Le demandeur signale une correction à faire"),
    "request_reopened": _l("Votre demande de certificat est à valider de nouveau"),
    "request_withdrawn": _l("Votre demande de certificat est annulée"),
    "payment_confirmed": _l("Paiement confirmé : facture %(invoice_number)s"),
    "credit_note_issued": _l("Avoir %(credit_note_number)s sur la facture %(invoice_number)s"),
    "certificate_revoked": _l("Votre certificat est révoqué"),
    "collection_reminder": _l("Votre certificat vous attend au bureau de poste"),
    "certificates_expiring": _l("Certificats à renouveler : %(organisation)s"),
    "certificate_expiring": _l("Votre certificat arrive à sa fin"),
    "reorder_prepared": _l("Une nouvelle demande de certificat vous attend, préremplie"),
    "refund_done": _l("Remboursement de %(amount)s"),
    "payment_given_back": _l("Votre paiement %(payment_reference)s vous est rendu"),
    "documents_missing": _l("Pièces manquantes"),
    "documents_reminder": _l("Rappel : pièces manquantes"),
    "organisation_documents_reminder": _l("Rappel : pièces manquantes"),
    "documents_no_longer_needed": _l("Les pièces demandées ne sont plus nécessaires"),
    "request_rejected": _l("Votre demande de certificat est rejetée"),
    "request_approved": _l("Votre demande de certificat est acceptée"),
    "certificate_dispatched": _l("Votre certificat est expédié"),
    "certificate_collected": _l("Le retrait de votre certificat est noté"),
    "organisation_verified": _l("Votre organisation est vérifiée"),
    "organisation_documents_missing": _l("Pièces manquantes"),
    "organisation_rejected": _l("L'inscription de votre organisation est rejetée"),
    "organisation_suspended": _l("Votre organisation est suspendue"),
    "organisation_restored": _l("Votre organisation est rétablie"),
    "message_received": _l("Vous avez un message au sujet de %(reference)s"),
    "password_reset": _l("Réinitialisation de votre mot de passe ECERT"),
    "password_changed": _l("Votre mot de passe ECERT a été modifié"),
    "order_followed": _l("Suivi de la commande %(reference)s"),
    "administrator_invited": _l("Vous êtes invité à administrer une organisation sur le portail ECERT"),
    "administrator_replaced": _l("Vous n'administrez plus %(organisation)s sur le portail ECERT"),
    "file_handed_over": _l("Un dossier vous est confié : %(reference)s"),
    "files_handed_over": _l("%(count)s dossiers vous sont confiés"),
    "staff_digest": _l("Ce qui vous attend aujourd'hui"),
    "staff_invited": _l("Votre accès au bureau d'enregistrement ECERT"),
    "security_changed": _l("Sécurité de votre compte ECERT"),
    "second_factor_reset": _l("Le second facteur de votre compte ECERT est réinitialisé"),
}


SECURITY_EVENTS: dict[str, object] = {
    "app_linked": _l("Une application d'authentification est désormais demandée après votre mot de passe."),
    "app_removed": _l("L'application d'authentification n'est plus demandée après votre mot de passe."),
    "passkey_added": _l("La clé d'accès « %(key)s » est ajoutée à votre compte."),
    "passkey_removed": _l("La clé d'accès « %(key)s » est retirée de votre compte."),
    "code_used": _l("Un code de secours a servi à entrer dans votre compte. Codes qui restent : %(left)d."),
    "codes_renewed": _l("De nouveaux codes de secours sont établis pour votre compte : les anciens ne servent plus."),
}
"""What the mail « security_changed » may say happened to somebody's login (LOG-4)."""


def security_sentence(event: str, **details: object) -> LazyString:
    """What happened, said in the language of whoever reads it."""
    return LazyString(lambda: str(SECURITY_EVENTS[event]) % details)


@dataclass(frozen=True, slots=True)
class OptionalMails:
    """A group of mails that a person may do without: everything else is necessary and always goes."""

    label: object
    help: object
    kinds: frozenset[str]
    for_staff: bool = False


OPTIONAL: dict[str, OptionalMails] = {
    "reminders": OptionalMails(
        _l("Rappels"),
        _l("Pièces manquantes qui attendent une réponse. L'avis qui annonce un rejet part toujours."),
        frozenset({"documents_reminder", "organisation_documents_reminder"}),
    ),
    "messages": OptionalMails(
        _l("Nouveaux messages"),
        _l("Un message de TunTrust vous attend dans « Mes messages »."),
        frozenset({"message_received"}),
    ),
    "progress": OptionalMails(
        _l("Avancement des demandes"),
        _l("Une demande est prête à être payée, ou acceptée ; des pièces ne sont plus nécessaires."),
        frozenset({"request_validated", "request_approved", "documents_no_longer_needed"}),
    ),
    "digests": OptionalMails(
        _l("Résumé du matin"),
        _l("Ce qui vous attend, chaque jour ouvré."),
        frozenset({"staff_digest"}),
        for_staff=True,
    ),
    "handovers": OptionalMails(
        _l("Dossiers confiés"),
        _l("Un collègue vous a confié un ou plusieurs dossiers."),
        frozenset({"file_handed_over", "files_handed_over"}),
        for_staff=True,
    ),
}
"""What « Mon compte » offers to switch off; ``outbox.write`` honours it."""


def group_of(kind: str) -> str | None:
    """The optional group a mail belongs to, None for a necessary one."""
    return next((name for name, group in OPTIONAL.items() if kind in group.kinds), None)

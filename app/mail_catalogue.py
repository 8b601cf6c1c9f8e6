"""Every mail the product sends and its subject; the manual's are exact (MAI-1)."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

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
    "file_handed_over": _l("Un dossier vous est confié : %(reference)s"),
    "files_handed_over": _l("%(count)s dossiers vous sont confiés"),
    "staff_invited": _l("Votre accès au bureau d'enregistrement ECERT"),
}

"""What states, actions, kinds and roles are called on screen, and the tone of their badges."""

from __future__ import annotations

from enum import StrEnum

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.states import RequestState

LABELS: dict[str, tuple[object, str]] = {
    "BulkOutcome.A_FAIRE": (_l("À faire"), "wait"),
    "BulkOutcome.FAIT": (_l("Faite"), "ok"),
    "BulkOutcome.REFUSE": (_l("Refusée"), "bad"),
    # rows of a file to order from
    "ImportRowStatus.A_CONTROLER": (_l("À vérifier"), "calm"),
    "ImportRowStatus.A_CORRIGER": (_l("À corriger"), "bad"),
    "ImportRowStatus.A_CONFIRMER": (_l("À confirmer"), "wait"),
    "ImportRowStatus.PRETE": (_l("Juste"), "ok"),
    # certificate requests
    "RequestState.NON_FINALISEE": (_l("Non finalisée"), "calm"),
    "RequestState.EN_ATTENTE_DE_PAIEMENT": (_l("En attente de paiement"), "wait"),
    "RequestState.PRISE_EN_CHARGE_PAR_TUNTRUST": (_l("Prise en charge par TunTrust"), "blue"),
    "RequestState.EN_ATTENTE_DE_JUSTIFICATIFS": (_l("En attente de justificatifs"), "bad"),
    "RequestState.ANNULEE": (_l("Annulée"), "bad"),
    "RequestState.EXPEDIEE": (_l("Certificat expédié"), "ok"),
    # organisations
    "OrganisationState.EN_ATTENTE_ACTIVATION": (_l("En attente d'activation"), "calm"),
    "OrganisationState.A_VERIFIER": (_l("À vérifier"), "blue"),
    "OrganisationState.PIECES_DEMANDEES": (_l("Pièces demandées"), "wait"),
    "OrganisationState.VERIFIEE": (_l("Vérifiée"), "ok"),
    "OrganisationState.REJETEE": (_l("Rejetée"), "bad"),
    "OrganisationState.SUSPENDUE": (_l("Suspendue"), "bad"),
    # payments
    "PaymentState.INITIE": (_l("Initié"), "calm"),
    "PaymentState.EN_COURS": (_l("En cours"), "wait"),
    "PaymentState.PAYE": (_l("Payé"), "ok"),
    "PaymentState.REFUSE": (_l("Refusé"), "bad"),
    "PaymentState.EXPIRE": (_l("Expiré"), "calm"),
    "PaymentState.ABANDONNE": (_l("Abandonné"), "calm"),
    "PaymentState.A_REGULARISER": (_l("À régulariser"), "bad"),
    # credit notes, refunds, electronic invoices
    "CreditProposalState.A_APPROUVER": (_l("À approuver"), "wait"),
    "CreditProposalState.EMIS": (_l("Émis"), "ok"),
    "CreditProposalState.REFUSE": (_l("Refusé"), "bad"),
    "CreditProposalState.RETIRE": (_l("Abandonné"), "calm"),
    "RefundState.A_REMBOURSER": (_l("À rembourser"), "wait"),
    "RefundState.EN_COURS": (_l("Réponse attendue"), "blue"),
    "RefundState.REMBOURSE": (_l("Remboursé"), "ok"),
    "RemedyState.A_APPROUVER": (_l("À approuver"), "wait"),
    "RemedyState.A_FAIRE": (_l("À faire"), "wait"),
    "RemedyState.EN_COURS": (_l("Réponse attendue"), "blue"),
    "RemedyState.FAIT": (_l("Fait"), "ok"),
    "RemedyState.REFUSE": (_l("Refusé"), "bad"),
    "RemedyState.RETIRE": (_l("Abandonné"), "calm"),
    "RemedyKind.PASSERELLE": (_l("Rendre par la passerelle"), "calm"),
    "RemedyKind.VIREMENT": (_l("Rendre par virement"), "calm"),
    "RemedyKind.CLASSEMENT": (_l("Classer sans rendre d'argent"), "calm"),
    "RemedyKind.CONSTAT": (_l("Rendu par la passerelle"), "calm"),
    "Anomaly.IDENTITY_DIFFERS": (_l("Autre commande"), "bad"),
    "Anomaly.AMOUNT_DIFFERS": (_l("Autre montant"), "bad"),
    "Anomaly.CURRENCY_DIFFERS": (_l("Autre devise"), "bad"),
    "Anomaly.PAID_TWICE": (_l("Payé deux fois"), "bad"),
    "Anomaly.HELD_ELSEWHERE": (_l("Demandes retenues ailleurs"), "wait"),
    "Anomaly.NOT_PAYABLE": (_l("Demandes non payables"), "bad"),
    "Anomaly.GIVEN_BACK": (_l("Rendu par la passerelle"), "wait"),
    "Anomaly.CREDIT_GONE": (_l("Avoir utilisé ailleurs"), "bad"),
    "Anomaly.PREAUTHORISED": (_l("Somme bloquée, non prise"), "wait"),
    "Anomaly.NO_ANSWER": (_l("Sans réponse"), "bad"),
    "Operation.PAIEMENT": (_l("Paiement"), "calm"),
    "Operation.REMBOURSEMENT": (_l("Remboursement"), "calm"),
    "StatementMatch.CONFORME": (_l("Conforme"), "ok"),
    "StatementMatch.DEJA_RELEVE": (_l("Déjà dans un autre relevé"), "calm"),
    "StatementMatch.INCONNU": (_l("Commande inconnue"), "bad"),
    "StatementMatch.IDENTITE": (_l("Identifiants discordants"), "bad"),
    "StatementMatch.MONTANT": (_l("Montant différent"), "bad"),
    "StatementMatch.DEVISE": (_l("Autre devise"), "bad"),
    "StatementMatch.NON_PAYE": (_l("Non payé dans nos livres"), "bad"),
    "StatementMatch.EN_DOUBLE": (_l("Compté deux fois"), "bad"),
    "StatementMatch.SANS_AVOIR": (_l("Remboursé sans avoir"), "bad"),
    "StatementMatch.MONTANT_REMBOURSE": (_l("Montant remboursé différent"), "bad"),
    "StatementMatch.ABSENT": (_l("Absent du relevé"), "wait"),
    "TransmissionState.NON_ENVOYEE": (_l("Non envoyée"), "calm"),
    "TransmissionState.A_ENVOYER": (_l("À envoyer"), "wait"),
    "TransmissionState.ENVOYEE": (_l("Envoyée"), "blue"),
    "TransmissionState.ACCEPTEE": (_l("Acceptée par TTN"), "ok"),
    "TransmissionState.REJETEE": (_l("Rejetée par TTN"), "bad"),
    "CreditReason.REJET_APRES_PAIEMENT": (_l("Demande rejetée après paiement"), "calm"),
    "CreditReason.NON_RETRAIT_90_JOURS": (_l("Non retiré dans les 90 jours"), "calm"),
    "CreditReason.RETRAIT_DEMANDE": (_l("Demande retirée"), "calm"),
    "CreditReason.ERREUR_TUNTRUST": (_l("Erreur de TunTrust"), "calm"),
    "CreditReason.PAIEMENT_EN_DOUBLE": (_l("Paiement en double"), "calm"),
    "CreditOutcome.CREDIT": (_l("Avoir à valoir sur les prochaines commandes"), "calm"),
    "CreditOutcome.REMBOURSEMENT_PASSERELLE": (_l("Remboursement par la passerelle"), "calm"),
    "CreditOutcome.REMBOURSEMENT_MANUEL": (_l("Remboursement par virement"), "calm"),
    "LedgerKind.AVOIR": (_l("Avoir émis"), "ok"),
    "LedgerKind.UTILISATION": (_l("Avoir utilisé"), "calm"),
    "RefundMethod.PASSERELLE": (_l("Par la passerelle"), "calm"),
    "RefundMethod.MANUEL": (_l("Par virement"), "calm"),
    # certificates
    "CertificateState.GENERE": (_l("Généré"), "blue"),
    "CertificateState.EXPEDIE": (_l("Expédié"), "blue"),
    "CertificateState.RETIRE": (_l("Retiré"), "ok"),
    "CertificateState.REVOQUE": (_l("Révoqué"), "bad"),
    "CertificateState.EXPIRE": (_l("Expiré"), "calm"),
    # revocations and their grounds: article 5 of the general conditions
    "RevocationState.A_APPROUVER": (_l("À approuver"), "wait"),
    "RevocationState.FAITE": (_l("Révoqué"), "ok"),
    "RevocationState.REFUSEE": (_l("Refusée"), "bad"),
    "RevocationState.RETIREE": (_l("Abandonnée"), "calm"),
    "RevocationReason.DEMANDE_DU_CLIENT": (_l("Le certificat n'est plus utile"), "calm"),
    "RevocationReason.DEMANDE_NON_AUTORISEE": (_l("La demande initiale n'était pas autorisée"), "calm"),
    "RevocationReason.CLE_COMPROMISE": (
        _l("Token, code PIN ou clé perdu, volé, divulgué, ou soupçonné de l'être"),
        "calm",
    ),
    "RevocationReason.CLE_NON_CONFORME": (_l("La clé ne répond plus aux exigences cryptographiques"), "calm"),
    "RevocationReason.USAGE_CONTRAIRE": (_l("Usage contraire à la loi, aux conditions ou à la PC/DPC"), "calm"),
    "RevocationReason.OBLIGATION_NON_RESPECTEE": (_l("Le titulaire manque à une obligation essentielle"), "calm"),
    "RevocationReason.INFORMATION_INEXACTE": (_l("Une information du certificat est inexacte ou a changé"), "calm"),
    "RevocationReason.DEPART_DU_TITULAIRE": (_l("Le titulaire quitte l'organisation ou change de fonctions"), "calm"),
    "RevocationReason.ORGANISATION_DISSOUTE": (_l("L'organisation est dissoute, radiée ou cesse son activité"), "calm"),
    "RevocationReason.DECES_OU_INCAPACITE": (_l("Décès ou incapacité juridique du titulaire"), "calm"),
    "RevocationReason.EMISSION_NON_CONFORME": (_l("Le certificat n'a pas été émis selon la PC/DPC"), "calm"),
    "RevocationReason.FIN_DU_SERVICE": (_l("TunTrust cesse le service ou perd le droit d'émettre"), "calm"),
    "RevocationReason.AUTORITE_COMPROMISE": (_l("Possible compromission de la clé de l'autorité émettrice"), "calm"),
    "RevocationReason.EXIGENCE_PC_DPC": (_l("La PC/DPC de TunTrust l'exige"), "calm"),
    "RevocationReason.RISQUE_TECHNIQUE": (_l("Le contenu technique ou le format présente un risque"), "calm"),
    "RevocationReason.NON_RETRAIT_90_JOURS": (_l("Non retiré dans les 90 jours"), "calm"),
    # verdicts
    "Verdict.A_VERIFIER": (_l("À vérifier"), "calm"),
    "Verdict.ACCEPTE": (_l("Accepté"), "ok"),
    "Verdict.REFUSE": (_l("Refusé"), "bad"),
    # kinds of things
    "DocumentKind.RNE_EXTRACT": (_l("Extrait du registre national des entreprises (RNE)"), "calm"),
    "DocumentKind.TAX_CARD": (_l("Carte d'identification fiscale (Patente)"), "calm"),
    "DocumentKind.TRADE_REGISTER": (_l("Extrait du registre de commerce"), "calm"),
    "DocumentKind.REPRESENTATIVE_IDENTITY": (_l("Pièce d'identité du représentant légal"), "calm"),
    "DocumentKind.ADMINISTRATOR_IDENTITY": (_l("Pièce d'identité de l'administrateur"), "calm"),
    "DocumentKind.APPLICANT_IDENTITY": (_l("Pièce d'identité du demandeur"), "calm"),
    "DocumentKind.SIGNED_CONTRACT": (_l("Contrat signé"), "calm"),
    "DocumentKind.OTHER": (_l("Autre document"), "calm"),
    "IdentityKind.CIN": (_l("CIN"), "calm"),
    "IdentityKind.CARTE_SEJOUR": (_l("Carte de séjour"), "calm"),
    "IdentityKind.PASSEPORT": (_l("Passeport"), "calm"),
    "IdentityAnswer.CONCORDANT": (_l("Concordant"), "ok"),
    "IdentityAnswer.NON_CONCORDANT": (_l("Non concordant"), "bad"),
    "IdentityAnswer.INDISPONIBLE": (_l("Indisponible"), "calm"),
    "OrganisationCategory.ENTREPRISE_PRIVEE": (_l("Entreprise privée"), "calm"),
    "OrganisationCategory.ASSOCIATION": (_l("Association"), "calm"),
    "OrganisationCategory.MINISTERE_ADMINISTRATION": (_l("Ministère, Administration"), "calm"),
    "OrganisationCategory.ENTITE_PUBLIQUE": (_l("Entité publique EPNA, EPIC"), "calm"),
    "RegistrationCountry.TUNISIE": (_l("Tunisie"), "calm"),
    "RegistrationCountry.ETRANGER": (_l("Etranger"), "calm"),
    "ReasonKind.DOCUMENT": (_l("Document refusé"), "calm"),
    "ReasonKind.FIELD": (_l("Donnée refusée"), "calm"),
    "ReasonKind.REJECTION": (_l("Rejet d'un dossier"), "calm"),
    "PaymentMethod.CARTE": (_l("Carte bancaire"), "calm"),
    "PaymentMethod.EDINAR": (_l("E-dinar"), "calm"),
    "PaymentMethod.CREDIT": (_l("Avoir"), "calm"),
    "Role.ADMIN_ORGANISATION": (_l("Administrateur d'organisation"), "calm"),
    "Role.DEMANDEUR": (_l("Demandeur"), "calm"),
    "Role.AGENT": (_l("Agent d'enregistrement"), "calm"),
    "Role.SUPERVISEUR": (_l("Superviseur"), "calm"),
    "Role.RESPONSABLE": (_l("Responsable"), "calm"),
    "Role.ADMINISTRATEUR": (_l("Administrateur technique"), "calm"),
}

ACTIONS: dict[str, object] = {
    "create": _l("Créer"),
    "validate": _l("Valider"),
    "withdraw": _l("Retirer la demande"),
    "reopen": _l("Rouvrir pour correction"),
    "pay": _l("Payer"),
    "ask_for_documents": _l("Demander des pièces"),
    "supply": _l("J'ai apporté les corrections demandées"),
    "withdraw_the_ask": _l("Ne plus demander ces pièces"),
    "reject": _l("Rejeter"),
    "approve": _l("Approuver"),
    "dispatch": _l("Expédier"),
    "record_certificate": _l("Enregistrer les certificats"),
    "take": _l("Prendre"),
    "release": _l("Rendre à la file"),
    "hand_over": _l("Confier à un collègue"),
    "resend": _l("Renvoyer le courriel"),
    "activate": _l("Activer"),
    "verify": _l("Déclarer vérifiée"),
    "change_data": _l("Modifier les données"),
    "suspend": _l("Suspendre"),
    "restore": _l("Rétablir"),
    "collect": _l("Confirmer le retrait"),
    "revoke": _l("Révoquer"),
    "revocation_approve": _l("Approuver la révocation"),
    "revocation_refuse": _l("Refuser la révocation"),
    "revocation_withdraw": _l("Abandonner la révocation"),
    "register": _l("Ouvrir à la passerelle"),
    "confirm": _l("Confirmer"),
    "set_aside": _l("Mettre à régulariser"),
    "refuse": _l("Refuser"),
    "expire": _l("Expirer"),
    "abandon": _l("Abandonner"),
    "credit_edit": _l("Modifier l'avoir"),
    "credit_issue": _l("Émettre l'avoir"),
    "credit_refuse": _l("Refuser l'avoir"),
    "credit_withdraw": _l("Abandonner l'avoir"),
    "refund_ask_gateway": _l("Rembourser par la passerelle"),
    "refund_done_by_hand": _l("Virement fait"),
    "refund_confirm": _l("Confirmer le remboursement"),
    "refund_fail": _l("Remettre à rembourser"),
}


def state_label(state: object) -> str:
    """The screen's word for a state, kind, role or verdict."""
    if state is None:
        return ""
    if not isinstance(state, StrEnum):
        return str(state)
    return str(LABELS[f"{type(state).__name__}.{state.name}"][0])


def state_tone(state: object) -> str:
    """The tone of its badge."""
    return LABELS[f"{type(state).__name__}.{state.name}"][1] if isinstance(state, StrEnum) else "calm"


def tone_for_applicant(state: RequestState) -> str:
    """The same for the person a request is for: amber waits on the reader, grey on somebody else."""
    turned = {RequestState.NON_FINALISEE: "wait", RequestState.EN_ATTENTE_DE_PAIEMENT: "calm"}
    return turned.get(state) or state_tone(state)


def action_label(action: str) -> str:
    """The word on an action's button."""
    label = ACTIONS.get(action)
    return str(label) if label is not None else _(action)


def choices_of(kind: type[StrEnum]) -> list[tuple[str, str]]:
    """(code, word) of every member, for a form's choices."""
    return [(member.value, state_label(member)) for member in kind]

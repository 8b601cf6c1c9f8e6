"""What is wrong with a contract's signatures, in sentences (REV-3); codes: ``inspection/signatures.py``."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

REASONS: dict[str, dict[str, object]] = {
    "signatures": {
        "unsigned": _l("Ce PDF n'est pas signé électroniquement."),
        "handwritten": _l("Document numérisé : signatures manuscrites à comparer."),
        "nonsense": _l("Une signature est abîmée et ne peut pas être lue."),
        "encrypted": _l("PDF protégé par un mot de passe : signatures non vérifiables."),
        "unreadable": _l("PDF illisible : signatures non vérifiables."),
        "too_complex": _l("Fichier trop complexe : signatures non vérifiables."),
        "broken": _l("Fichier abîmé : signatures non vérifiables."),
    },
    "signer": {
        "missing": _l("Signature absente."),
        "stranger": _l("Signature d'une personne qui n'est pas attendue."),
        "broken": _l("Signature à ce nom, mais abîmée."),
    },
    "signature_certificate": {
        "untrusted": _l("Le certificat ne vient d'aucune autorité de confiance."),
        "self_signed": _l("Certificat fait par la personne elle-même : il ne prouve rien."),
        "expired": _l("Le certificat était expiré à la signature."),
        "not_yet_valid": _l("Le certificat n'était pas encore valable à la signature."),
        "revoked": _l("Le certificat était révoqué à la signature."),
        "weak": _l("Algorithme ou clé trop faible."),
        "usage": _l("Ce certificat n'est pas fait pour signer."),
        "future": _l("La signature porte une date future."),
        "no_roots": _l("Aucune autorité de confiance n'est configurée : certificat non vérifiable."),
    },
    "signature_integrity": {
        "altered": _l("Le document a été modifié après cette signature."),
        "broken": _l("Le contenu ne correspond pas à cette signature."),
    },
    "contract_original": {
        "text": _l("Ce n'est pas le contrat établi : le texte diffère."),
        "pages": _l("Ce n'est pas le contrat établi : le nombre de pages diffère."),
        "drawing": _l("Ce n'est pas le contrat établi : une page est dessinée autrement."),
        "scanned": _l("Document numérisé : texte à comparer avec le contrat établi."),
    },
}
"""The sentences of the findings' ``why``, by check."""


def sentence(check: str, why: str) -> str:
    """The sentence of a reason; empty where there is none. A signer may be doubted for the certificate's reasons."""
    found = REASONS.get(check, {}).get(why)
    if found is None and check == "signer":
        found = REASONS["signature_certificate"].get(why)
    return str(found) if found is not None else ""


def proof(check: str, why: str, declared: str, found: str) -> str:
    """The sentence with whose signature it is about, or with the two texts that differ."""
    words = sentence(check, why)
    if check == "contract_original" and (declared or found):
        return _(
            "%(sentence)s « %(ours)s » → « %(theirs)s »", sentence=words, ours=declared or "—", theirs=found or "—"
        )
    if check in ("signer", "signature_certificate", "signature_integrity") and found:
        return _("« %(name)s » : %(sentence)s", name=found, sentence=words)
    return words

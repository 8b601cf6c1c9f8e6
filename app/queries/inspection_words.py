"""What the automatic checks say, in the reader's language: titles, and what was compared with what (REV-3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.inspection.declared import day_from
from app.inspection.findings import Outcome
from app.models import DocumentKind
from app.queries import signature_words
from app.state_labels import state_label

TITLES: dict[str, object] = {
    "file_opens": _l("Fichier lisible et sans risque"),
    "size": _l("Taille du document"),
    "blank": _l("Pages vides"),
    "upright": _l("Sens de la page"),
    "readable": _l("Lisibilité"),
    "kind": _l("Nature du document"),
    "same_file": _l("Fichier reçu une seule fois"),
    "tax_id_in_text": _l("Matricule fiscal sur le document"),
    "register_number": _l("Numéro de registre sur le document"),
    "legal_name_in_text": _l("Raison sociale sur le document"),
    "legal_name_ar_in_text": _l("Raison sociale en arabe sur le document"),
    "representative_in_text": _l("Représentant légal sur le document"),
    "representative_ar_in_text": _l("Représentant légal en arabe sur le document"),
    "extract_date": _l("Date imprimée sur l'extrait"),
    "extract_age": _l("Date de l'extrait"),
    "code": _l("Code QR"),
    "identity_number": _l("Numéro de la pièce d'identité"),
    "identity_name": _l("Nom sur la pièce d'identité"),
    "identity_name_ar": _l("Nom en arabe sur la pièce d'identité"),
    "identity_expiry": _l("Validité de la pièce d'identité"),
    "tax_id_letter": _l("Lettre du matricule"),
    "generic_email": _l("Adresse e-mail personnelle"),
    "latin_arabic": _l("Noms latin et arabe"),
    "cin_names": _l("CIN portée par un seul nom"),
    "identity_answer": _l("Service d'identité"),
    "signatures": _l("Signatures électroniques du contrat"),
    "signer": _l("Signataire du contrat"),
    "signature_certificate": _l("Certificat du signataire"),
    "signature_integrity": _l("Intégrité de la signature"),
    "contract_original": _l("Contrat établi par TunTrust"),
    "contract_number": _l("Numéro du contrat"),
}

GOOD: dict[str, object] = {
    "tax_id_letter": _l("Lettre du matricule exacte"),
    "generic_email": _l("Adresse e-mail personnelle"),
}
"""Titles that say the good answer itself."""

WHY: dict[str, object] = {
    # the file
    "encrypted": _l("le fichier est protégé par un mot de passe"),
    "script": _l("le PDF contient un programme (JavaScript)"),
    "active_content": _l("le PDF contient des éléments actifs"),
    "attachment": _l("le PDF contient un fichier joint"),
    "dynamic_form": _l("le PDF est un formulaire dynamique (XFA)"),
    "truncated": _l("le fichier est coupé"),
    "no_page": _l("le fichier n'a aucune page"),
    "broken_pdf": _l("le PDF est endommagé"),
    "broken_picture": _l("l'image est endommagée"),
    "broken": _l("le fichier n'a pas pu être lu"),
    "too_complex": _l("le fichier est trop complexe pour être contrôlé"),
    "too_many_pixels": _l("l'image est trop grande"),
    "page_too_large": _l("la page est trop grande"),
    "too_many_pages": _l("le document a trop de pages"),
    "empty": _l("le fichier est vide"),
    "unknown_kind": _l("le fichier n'est ni un PDF ni une image"),
    "lost": _l("le fichier n'est plus disponible"),
    "no_such_file": _l("le fichier est introuvable"),
    "failed": _l("le contrôle a échoué"),
    "huge": _l("démesurée : %(found)s"),
    "tiny": _l("trop petite pour être lue : %(found)s"),
    "turned": _l("la page est tournée de %(found)s°"),
    "all": _l("le document est vide"),
    "some": _l("page vide : %(found)s"),
    "dark": _l("image trop sombre"),
    "pale": _l("image trop pâle"),
    "blurred": _l("image floue"),
    "unclear": _l("le texte ne se lit pas"),
    "few_words": _l("trop peu de mots lus pour conclure"),
    "no_ocr": _l("reconnaissance de texte (OCR) absente de ce serveur"),
    "no_words": _l("aucun mot lisible"),
    "other_kind": _l("le document ressemble à : %(found)s"),
    "no_such_words": _l("aucun des mots attendus n'y figure"),
    "other_organisation": _l("le même fichier a été remis pour %(found)s"),
    "other_document": _l("le même fichier sert pour une autre pièce : %(found)s"),
    # numbers and names
    "other_letter": _l("déclaré %(declared)s, lu %(found)s : la lettre diffère"),
    "other_id": _l("déclaré %(declared)s, lu %(found)s"),
    "digits_only": _l("%(declared)s : les chiffres y sont, sans la lettre"),
    "absent": _l("« %(declared)s » n'y figure pas"),
    "not_found": _l("« %(declared)s » n'a pas été trouvé"),
    "other_script": _l("le document ne le porte pas dans cette écriture"),
    "longer": _l("déclaré « %(declared)s », lu « %(found)s » : le nom est plus long"),
    "former": _l("« %(declared)s » n'y figure que comme ancien nom ou ancien dirigeant"),
    "other_name": _l("déclaré « %(declared)s », lu « %(found)s »"),
    "other_person": _l("déclaré « %(declared)s », lu « %(found)s »"),
    "other_number": _l("déclaré %(declared)s, lu %(found)s"),
    "letter": _l("%(declared)s : la règle donne %(found)s"),
    "shape": _l("« %(declared)s » n'a pas la forme d'un matricule"),
    "generic": _l("adresse de fonction : %(found)s"),
    "unknown_spelling": _l("« %(declared)s » et « %(found)s » ne se comparent pas"),
    # days
    "no_date": _l("aucune date de délivrance lue"),
    "future": _l("%(found)s est dans le futur"),
    "other_date": _l("déclarée %(declared)s, imprimée %(found)s"),
    "old": _l("du %(found)s, récent jusqu'au %(until)s"),
    "at_request": _l("du %(found)s : récent au jour de la demande"),
    "expired": _l("expirée depuis le %(found)s"),
    # codes
    "no_code": _l("aucun code lu"),
    "code_other_id": _l("le code porte %(found)s, et non %(declared)s"),
    "code_other_name": _l("le code porte « %(found)s », et non « %(declared)s »"),
    "code_other_day": _l("le code porte la date du %(found)s, absente du texte"),
    "nothing_to_compare": _l("le code ne contient rien de comparable"),
    # persons
    "does_not_match": _l("non concordant, le %(on)s"),
    "unavailable": _l("indisponible, le %(on)s"),
    "not_asked": _l("non interrogé"),
    # signatures
    "unsigned": _l("aucune signature électronique"),
    "handwritten": _l("copie numérisée : signatures à vérifier à l'œil"),
    "missing": _l("« %(declared)s » n'a pas signé"),
    "stranger": _l("signature de « %(found)s », qui n'est pas attendue"),
}
"""Reasons, by the ``why`` of the evidence. A reason that is not here shows the values alone."""

SPECIAL: dict[tuple[str, str], object] = {
    ("cin_names", "two_names"): _l("CIN %(number)s aussi déclarée pour : %(found)s"),
    ("latin_arabic", "two_names"): _l("« %(declared)s » et « %(found)s » semblent deux personnes"),
    ("kind", "no_words"): _l("aucun mot : est-ce la photo d'autre chose ?"),
    ("extract_age", "old"): _l("du %(found)s : valable jusqu'au %(until)s"),
}
"""Reasons of one check where the general sentence would not do."""

KIND_NAMES: dict[str, object] = {
    "rne": _l("extrait du registre national des entreprises"),
    "tax_card": _l("carte d'identification fiscale"),
    "trade_register": _l("extrait du registre du commerce"),
    "identity": _l("pièce d'identité"),
    "contract": _l("contrat"),
    "invoice": _l("facture ou devis"),
    "bank": _l("document bancaire"),
    "letter": _l("document d'un autre genre"),
}
_WHO: dict[str, object] = {"representative": _l("Représentant légal"), "applicant": _l("Demandeur")}
_OK: dict[str, Callable[[Mapping[str, str]], str]] = {
    "file_opens": lambda _v: "",
    "size": lambda _v: "",
    "blank": lambda _v: _("aucune"),
    "upright": lambda _v: _("à l'endroit"),
    "readable": lambda _v: "",
    "same_file": lambda _v: "",
    "kind": lambda v: v["found"],
    "code": lambda _v: _("concorde avec ce qui est déclaré"),
    "extract_age": lambda v: _("du %(found)s, récent jusqu'au %(until)s", **v),
    "identity_expiry": lambda v: _("jusqu'au %(found)s", **v),
    "identity_answer": lambda v: _("concordant, le %(on)s", **v),
    "tax_id_letter": lambda v: v["declared"],
    "generic_email": lambda v: v["declared"],
    "cin_names": lambda v: v["found"],
    "latin_arabic": lambda v: f"{v['declared']} · {v['found']}",
    "signatures": lambda v: v["found"],
    "signer": lambda v: _("signé par « %(found)s »", **v),
    "signature_certificate": lambda v: _("« %(found)s » : autorité de confiance", **v),
    "signature_integrity": lambda v: _("« %(found)s » : rien n'a changé depuis", **v),
    "contract_original": lambda _v: _("c'est bien le contrat établi"),
}
"""What a good answer shows; « lu : … » for the others."""


def title_of(check: str, declared: str, result: Outcome) -> str:
    """The check's name; of the identity service, whose answer it is."""
    if check == "identity_answer":
        return _("%(who)s : service d'identité", who=str(_WHO.get(declared, declared)))
    if result is Outcome.OK and check in GOOD:
        return str(GOOD[check])
    return str(TITLES.get(check, check))


def proof_of(check: str, result: Outcome, declared: str, found: str, evidence: Mapping[str, Any]) -> str:
    """What was compared, in one sentence; dates as people write them."""
    why = str(evidence.get("why", ""))
    values = {
        "declared": _shown(check, declared),
        "found": _shown(check, found),
        "until": _shown_day(str(evidence.get("until", ""))),
        "on": _shown_day(str(evidence.get("on", ""))),
        "number": str(evidence.get("number", "")),
    }
    if why and check in signature_words.REASONS and why not in ("missing", "stranger"):
        return signature_words.proof(check, why, values["declared"], values["found"])
    sentence = SPECIAL.get((check, why)) or WHY.get(why)
    if sentence is not None:
        return str(sentence) % values
    if result is Outcome.OK:
        if check in _OK:
            return _OK[check](values)
        return _("lu : %(found)s", found=values["found"]) if values["found"] else ""
    return " · ".join(filter(None, (values["declared"], values["found"])))


def _shown(check: str, value: str) -> str:
    if check == "kind":
        return str(KIND_NAMES.get(value, value))
    if check == "same_file":
        parts = value.split(", ")
        return ", ".join(
            state_label(DocumentKind(each)) if each in DocumentKind.__members__ else each for each in parts
        )
    return _shown_day(value)


def _shown_day(value: str) -> str:
    day = day_from(value) if len(value) == len("2026-01-31") else None
    return day.strftime("%d/%m/%Y") if isinstance(day, date) else value

"""What to tell people about each way an identifier or a name can be wrong: the codes are ``identifiers``'s."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

SENTENCES: dict[str, object] = {
    "tax_id_empty": _l("Écrivez le matricule fiscal."),
    "tax_id_shape": _l("Écrivez 7 chiffres et 1 lettre, par exemple 0000000A."),
    "register_number_empty": _l("Écrivez le numéro d'enregistrement."),
    "register_number_length": _l("Le numéro d'enregistrement compte de 2 à 40 caractères."),
    "register_number_shape": _l("Écrivez le numéro d'enregistrement tel qu'il figure au registre."),
    "cin_empty": _l("Écrivez le numéro de la CIN."),
    "cin_length": _l("Le numéro de la CIN compte 8 chiffres."),
    "cin_characters": _l("Le numéro de la CIN ne compte que des chiffres."),
    "passport_empty": _l("Écrivez le numéro du passeport."),
    "passport_shape": _l("Écrivez le numéro du passeport tel qu'il y figure : lettres et chiffres, sans espace."),
    "residence_card_empty": _l("Écrivez le numéro de la carte de séjour."),
    "residence_card_shape": _l("Écrivez le numéro de la carte de séjour tel qu'il y figure."),
    "postal_code_empty": _l("Écrivez le code postal."),
    "postal_code_shape": _l("Le code postal compte 4 chiffres."),
    "foreign_postal_code_shape": _l("Écrivez le code postal tel qu'il figure dans l'adresse."),
    "phone_empty": _l("Écrivez le numéro de téléphone."),
    "phone_shape": _l("Écrivez un numéro de téléphone, par exemple +216 71 000 000."),
    "phone_not_real": _l("Ce numéro n'existe pas. Vérifiez-le ; pour l'étranger, commencez par + et l'indicatif."),
    "phone_not_fixed": _l("Écrivez un numéro de téléphone fixe, par exemple +216 71 000 000."),
    "phone_not_mobile": _l("Écrivez un numéro de téléphone mobile, par exemple +216 20 000 000."),
    "email_empty": _l("Écrivez l'adresse e-mail."),
    "email_length": _l("Cette adresse e-mail est trop longue."),
    "email_shape": _l("Écrivez une adresse e-mail complète, par exemple nom@exemple.tn."),
    "email_generic": _l("Donnez une adresse personnelle : contact@, info@, direction@… ne conviennent pas."),
    "name_empty": _l("À remplir, en caractères latins."),
    "name_digit": _l("Un nom ne contient pas de chiffre."),
    "name_symbol": _l("Seuls les lettres, l'espace et le trait d'union sont admis."),
    "name_apostrophe": _l("Écrivez le nom sans apostrophe : mettez un espace à la place."),
    "name_script": _l("Écrivez en caractères latins."),
    "name_hyphen": _l("Le trait d'union relie deux parties du nom : ôtez-le du début ou de la fin."),
    "name_too_long": _l("Ce nom est trop long."),
    "arabic_name_empty": _l("À remplir, en caractères arabes."),
    "arabic_name_digit": _l("Un nom ne contient pas de chiffre."),
    "arabic_name_symbol": _l("Seuls les lettres arabes et l'espace sont admis."),
    "arabic_name_apostrophe": _l("Écrivez le nom sans apostrophe."),
    "arabic_name_script": _l("Écrivez en caractères arabes."),
    "arabic_name_too_long": _l("Ce nom est trop long."),
    "organisation_name_empty": _l("Écrivez la raison sociale."),
    "organisation_name_ampersand": _l("Écrivez « et » à la place de « & »."),
    "organisation_name_apostrophe": _l("Écrivez sans apostrophe : mettez un espace à la place."),
    "organisation_name_dot": _l("Écrivez sans point : mettez un espace à la place."),
    "organisation_name_hyphen": _l("Écrivez sans trait d'union : mettez un espace à la place."),
    "organisation_name_script": _l("Écrivez en caractères latins."),
    "organisation_name_symbol": _l("Seuls les lettres, les chiffres et l'espace sont admis."),
    "organisation_name_too_long": _l("Ce nom est trop long."),
    "common_name_too_long": _l("Nom et prénom ensemble dépassent les 64 caractères d'un certificat."),
    "identity_kind_tunisian": _l("La CIN est obligatoire pour les personnes de nationalité tunisienne."),
    "identity_kind_foreign": _l(
        "Une personne étrangère donne sa carte de séjour si elle réside en Tunisie, sinon son passeport."
    ),
    "birth_date_future": _l("Cette date est dans l'avenir."),
    "birth_date_too_old": _l("Vérifiez l'année de naissance."),
    "birth_date_minor": _l("La personne doit avoir 18 ans révolus."),
}


def sentence(code: str) -> object:
    """The sentence of a code; one that has none of its own asks to look again."""
    return SENTENCES.get(code, _l("Vérifiez cette saisie."))

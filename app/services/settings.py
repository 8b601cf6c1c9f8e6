"""Typed settings an operator may change (REF-1): each has a type, a default and an explanation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from app import clock
from app.errors import DomainError
from app.extensions import db
from app.identifiers import InvalidIdentifier, format_phone, normalise_email, normalise_phone
from app.inspection.roots import Root, UnreadableRoots, read_roots
from app.models import Setting
from app.permissions import Actor, Permission
from app.services import audit
from app.services.unit_of_work import use_case


@dataclass(frozen=True, slots=True)
class Definition:
    """One setting. ``kind`` is text, email, phone, integer, boolean, days (« 5, 2 ») or certificates
    (PEM); numbers have bounds.

    What has a default in words is printed on papers or given to clients: it is never emptied.
    """

    key: str
    kind: str
    default: Any
    label: object
    help: object
    minimum: int = 0
    maximum: int = 1_000_000


DEFINITIONS: dict[str, Definition] = {
    d.key: d
    for d in (
        Definition(
            "seller.name",
            "text",
            "Agence Nationale de Certification Electronique - TunTrust",
            _l("Vendeur : raison sociale"),
            _l("Imprimée sur les contrats et les factures."),
        ),
        Definition(
            "seller.tax_id",
            "text",
            "0000000A/A/M/000",
            _l("Vendeur : matricule fiscal"),
            _l("Imprimé sur les factures (code de la TVA, art. 18-II)."),
        ),
        Definition(
            "seller.address",
            "text",
            "Technopark El Ghazala, Route de Raoued, 2083 Ariana",
            _l("Vendeur : adresse"),
            _l("Imprimée sur les contrats et les factures."),
        ),
        Definition(
            "seller.phone",
            "phone",
            "+216 70 834 600",
            _l("Vendeur : téléphone"),
            _l("Imprimé sur les factures et dans les courriels."),
        ),
        Definition(
            "seller.email",
            "email",
            "contact@demo.tuntrust.tn",
            _l("Vendeur : e-mail"),
            _l("Adresse de contact donnée aux clients."),
        ),
        Definition(
            "seller.bank_account",
            "text",
            "",
            _l("Vendeur : RIB"),
            _l("Imprimé sur les factures quand il est rempli."),
        ),
        Definition(
            "teif.tax_id_suffix",
            "text",
            "AM000",
            _l("Facture électronique : fin des matricules"),
            _l("Complète les matricules de huit caractères : code TVA, catégorie, établissement."),
        ),
        Definition(
            "teif.sign",
            "boolean",
            False,
            _l("Facture électronique : signer"),
            _l("Signature XAdES des nouveaux documents TEIF, par la clé que le serveur détient."),
        ),
        Definition(
            "ttn.send",
            "boolean",
            False,
            _l("Facture électronique : envoyer à TTN"),
            _l("Dépôt de chaque nouveau document signé auprès de Tunisie TradeNet."),
        ),
        Definition(
            "activation.hours",
            "integer",
            48,
            _l("Délai d'activation (heures)"),
            _l("Passé ce délai, une inscription non activée est supprimée."),
            2,
            720,
        ),
        Definition(
            "activation.reminder_hours",
            "integer",
            24,
            _l("Rappel d'activation (heures)"),
            _l("Un rappel part ce nombre d'heures après l'inscription."),
            1,
            719,
        ),
        Definition(
            "invitation.days",
            "integer",
            7,
            _l("Validité d'une invitation (jours)"),
            _l("Le mot de passe temporaire d'un demandeur expire après ce délai ; il peut être renvoyé."),
            1,
            90,
        ),
        Definition(
            "extract.months",
            "integer",
            3,
            _l("Âge maximal d'un extrait (mois)"),
            _l("Extrait du RNE ou du registre de commerce."),
            1,
            24,
        ),
        Definition(
            "review.days",
            "integer",
            7,
            _l("Délai de traitement (jours)"),
            _l("Horloge affichée aux agents, arrêtée quand TunTrust attend le client."),
            1,
            90,
        ),
        Definition(
            "documents.days",
            "integer",
            15,
            _l("Délai de réponse aux pièces manquantes (jours)"),
            _l("Échéance annoncée au client."),
            1,
            180,
        ),
        Definition(
            "documents.reminder_days",
            "days",
            "5, 2",
            _l("Rappels des pièces manquantes (jours avant l'échéance)"),
            _l("Des nombres séparés par des virgules : un rappel part à chacun de ces jours. Vide : aucun rappel."),
            1,
            60,
        ),
        Definition(
            "documents.reject_after_days",
            "integer",
            0,
            _l("Rejet sans réponse (jours après l'échéance)"),
            _l(
                "0 : jamais. Sinon, une demande dont un point reste sans réponse est rejetée ce nombre de jours après "
                "l'échéance, et au plus tôt ce nombre de jours après ce réglage ; le client est prévenu deux jours "
                "avant. Les organisations ne sont jamais rejetées ainsi."
            ),
            0,
            365,
        ),
        Definition(
            "mail.retention_days",
            "integer",
            365,
            _l("Conservation du texte des courriels (jours)"),
            _l("Passé ce délai, le texte d'un courriel envoyé est effacé ; son destinataire et sa date restent."),
            30,
            3650,
        ),
        Definition(
            "collection.reminder_days",
            "days",
            "80, 60, 30",
            _l("Rappels de retrait (jours après la génération)"),
            _l(
                "Des nombres séparés par des virgules : tant qu'un certificat expédié n'est pas retiré, un rappel part "
                "à chacun de ces jours au demandeur et aux administrateurs. Vide : aucun rappel."
            ),
            1,
            89,
        ),
        Definition(
            "collection.revoke",
            "boolean",
            False,
            _l("Révoquer seul après 90 jours"),
            _l(
                "Non : un certificat non retiré attend un agent dans la file « 90 jours ». Oui : il est aussi révoqué "
                "par une tâche du matin, 10 au plus à chaque fois, s'il a été rappelé au moins 2 jours avant ; "
                "l'avoir et la nouvelle demande restent à préparer dans la file."
            ),
        ),
        Definition(
            "renewal.notice_days",
            "days",
            "60, 30, 7",
            _l("Annonces d'expiration (jours avant la fin)"),
            _l(
                "Des nombres séparés par des virgules : à chacun de ces jours, les administrateurs reçoivent la liste "
                "des certificats qui arrivent à leur fin, et chaque titulaire l'annonce du sien. Vide : aucune annonce."
            ),
            1,
            365,
        ),
        Definition(
            "signatures.roots",
            "certificates",
            "",
            _l("Contrats signés : autorités de confiance"),
            _l(
                "Certificats (PEM) des autorités dont les signatures électroniques sont reconnues sur les contrats, "
                "l'un après l'autre. Vide : le certificat d'un signataire reste « non vérifiable »."
            ),
        ),
        Definition(
            "certificates.issuers",
            "certificates",
            "",
            _l("Certificats générés : autorités émettrices"),
            _l(
                "Certificats (PEM) des autorités qui émettent les certificats des demandeurs, l'un après l'autre. Un "
                "certificat d'un autre émetteur est refusé. Vide : l'émetteur n'est pas vérifié."
            ),
        ),
        Definition(
            "payment.session_minutes",
            "integer",
            20,
            _l("Durée d'une tentative de paiement (minutes)"),
            _l("Transmise à la passerelle (sessionTimeoutSecs)."),
            5,
            60,
        ),
    )
}


_EXAMPLES = {
    "email": _l("Écrivez une adresse e-mail, par exemple contact@exemple.tn."),
    "phone": _l("Écrivez un numéro de téléphone, par exemple +216 71 000 000."),
}


def get(key: str) -> Any:
    """The operator's value, or the default. KeyError for a key that is not defined."""
    definition = DEFINITIONS[key]
    row = db.session.get(Setting, key)
    return definition.default if row is None else row.value


def days(key: str) -> list[int]:
    """The numbers of a setting of kind ``days``, the largest first."""
    return sorted((int(part) for part in str(get(key)).split(",") if part.strip()), reverse=True)


def group(prefix: str) -> dict[str, Any]:
    """The values of all keys under ``prefix.``, named without it, in one statement: ``group("seller")["name"]``."""
    rows = db.session.execute(select(Setting.key, Setting.value).where(Setting.key.startswith(f"{prefix}.")))
    set_by_hand = {row.key: row.value for row in rows}
    return {
        key.removeprefix(f"{prefix}."): set_by_hand.get(key, definition.default)
        for key, definition in DEFINITIONS.items()
        if key.startswith(f"{prefix}.")
    }


def set_at(key: str) -> datetime | None:
    """When an operator last set it; None while the default holds."""
    row = db.session.get(Setting, key)
    return None if row is None else row.updated_at


def parse(definition: Definition, text: str) -> Any:
    """The typed value of what an operator typed. Raises DomainError with the sentence to show."""
    text = text.replace("\x00", "")  # PostgreSQL refuses it
    if definition.kind == "boolean":
        return text.strip().lower() in {"1", "true", "oui", "on", "y"}
    if definition.kind == "integer":
        try:
            number = int(text.strip())
        except ValueError:
            raise DomainError(_("Écrivez un nombre entier."), field="value") from None
        if not definition.minimum <= number <= definition.maximum:
            raise DomainError(
                _(
                    "Choisissez un nombre entre %(low)d et %(high)d.",
                    low=definition.minimum,
                    high=definition.maximum,
                ),
                field="value",
            )
        return number
    if definition.kind == "certificates":
        return "".join(root.pem for root in _roots(text))
    if definition.kind == "days":
        return _days(definition, text)
    cleaned = " ".join(text.split())
    if len(cleaned) > 255:
        raise DomainError(_("255 caractères au plus."), field="value")
    if not cleaned and definition.default:
        raise DomainError(_("À remplir : cette valeur est imprimée ou donnée aux clients."), field="value")
    try:
        if definition.kind == "email":
            return normalise_email(cleaned)
        if definition.kind == "phone":
            return format_phone(normalise_phone(cleaned))
    except InvalidIdentifier:
        raise DomainError(_EXAMPLES[definition.kind], field="value") from None
    return cleaned


def _days(definition: Definition, text: str) -> str:
    """« 5, 2 »: at most five whole numbers, the largest first, each once; empty for none."""
    parts = [part for part in re.split(r"[,;\s]+", text) if part]
    if not all(part.isascii() and part.isdigit() and len(part) < 5 for part in parts) or len(parts) > 5:
        raise DomainError(_("Écrivez des nombres de jours séparés par des virgules, par exemple 5, 2."), field="value")
    numbers = sorted({int(part) for part in parts}, reverse=True)
    if any(not definition.minimum <= number <= definition.maximum for number in numbers):
        raise DomainError(
            _("Choisissez des nombres entre %(low)d et %(high)d.", low=definition.minimum, high=definition.maximum),
            field="value",
        )
    return ", ".join(str(number) for number in numbers)


def _check_reminder(key: str, value: Any) -> None:
    """A reminder after the deletion it announces would never leave (ACT-3)."""
    hours = value if key == "activation.hours" else get("activation.hours")
    reminder = value if key == "activation.reminder_hours" else get("activation.reminder_hours")
    if reminder >= hours:
        raise DomainError(
            _(
                "Le rappel (%(reminder)d h) doit précéder la suppression (%(hours)d h).",
                reminder=reminder,
                hours=hours,
            ),
            field="value",
        )


@use_case
def change(key: str, text: str, *, actor: Actor) -> None:
    """Set a setting. Raises DomainError for a value out of bounds, Forbidden without the right."""
    from app.services.authority import require

    require(actor, Permission.MANAGE_SETTINGS)
    definition = DEFINITIONS[key]
    value = parse(definition, text)
    if key.startswith("activation."):
        _check_reminder(key, value)
    row = db.session.get(Setting, key)
    before = definition.default if row is None else row.value
    if row is None:
        row = Setting(key=key)
        db.session.add(row)
    row.value, row.updated_at, row.updated_by_id = value, clock.now(), actor.user_id
    audit.record(
        actor,
        "change_setting",
        ("settings", key),
        before={"value": _for_journal(definition, before)},
        after={"value": _for_journal(definition, value)},
    )


def trusted_roots() -> tuple[Root, ...]:
    """The authorities whose signatures on contracts are trusted (REV-3); none until an operator names some."""
    return read_roots(get("signatures.roots"))


def certificate_issuers() -> tuple[Root, ...]:
    """The authorities whose certificates may be recorded for requests (CRT-1); none: whoever issued them."""
    return read_roots(get("certificates.issuers"))


def _roots(text: str) -> tuple[Root, ...]:
    try:
        return read_roots(text)
    except UnreadableRoots as unreadable:
        raise DomainError(unreadable.message, field="value") from unreadable


def _for_journal(definition: Definition, value: Any) -> Any:
    """Certificates by name and fingerprint: their text says nothing to a reader."""
    if definition.kind != "certificates":
        return value
    return [f"{root.name} ({root.fingerprint[:16]})" for root in read_roots(value)]

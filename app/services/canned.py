"""Ready-made replies and their placeholders (REV-8): what may stand in one, and what it becomes for a client."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from app.errors import DomainError
from app.extensions import db
from app.models import CannedReply, Message, MessageThread, User
from app.permissions import Actor
from app.queries.people import administrators_of
from app.queries.threads import Subject
from app.services import settings
from app.services.links import public_url
from app.state_labels import state_label

PLACEHOLDERS: dict[str, object] = {
    "prénom": _l("le prénom de la personne à qui l'on écrit"),
    "nom": _l("son nom"),
    "référence": _l("la référence de la demande ou de l'organisation"),
    "organisation": _l("la raison sociale"),
    "état": _l("l'état de la demande ou de l'organisation"),
    "bureau": _l("le bureau de poste choisi"),
    "suivi": _l("le numéro de suivi RapidPost"),
    "délai": _l("le délai de vérification, en jours"),
    "agent": _l("votre nom"),
    "lien": _l("l'adresse de la page du dossier"),
}
"""What may stand between braces, and what it means."""

TEXT_LIMIT = 5_000
"""Characters of a message, ready-made or not."""
LANGUAGES = ("fr", "ar")
_BRACED = re.compile(r"\{([^{}]*)\}")


def _name(inside: str) -> str:
    return unicodedata.normalize("NFC", inside).strip().casefold()


def placeholders_in(text: str) -> list[str]:
    """The known placeholders that stand in a text, each once, with their braces."""
    found = [match.group(0) for match in _BRACED.finditer(text) if _name(match.group(1)) in PLACEHOLDERS]
    return list(dict.fromkeys(found))


def check_text(text: str, field: str) -> None:
    """Refuse a placeholder nobody knows, and a brace without its other. Raises DomainError on ``field``."""
    unknown = [match.group(0) for match in _BRACED.finditer(text) if _name(match.group(1)) not in PLACEHOLDERS]
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise DomainError(
            _(
                "%(what)s n'existe pas. Les champs possibles sont : %(known)s.",
                what=", ".join(dict.fromkeys(unknown)),
                known=known,
            ),
            field=field,
        )
    if re.search(r"[{}]", _BRACED.sub("", text)):
        raise DomainError(_("Une accolade est seule : écrivez par exemple {prénom}."), field=field)


def active_replies() -> list[CannedReply]:
    """The replies agents may choose from, in their order."""
    return list(
        db.session.scalars(
            select(CannedReply).where(CannedReply.active).order_by(CannedReply.position, CannedReply.title)
        )
    )


def addressee(subject: Subject, thread: MessageThread | None) -> User | None:
    """Whom an answer is for: the client who wrote last, else the applicant or the first administrator."""
    if thread is not None:
        last = db.session.scalar(
            select(User)
            .join(Message, Message.author_id == User.id)
            .where(Message.thread_id == thread.id, Message.by_staff.is_(False), Message.retracted_at.is_(None))
            .order_by(Message.id.desc())
            .limit(1)
        )
        if last is not None:
            return last
    if subject.request is not None:
        return db.session.get(User, subject.request.applicant_id)
    return next(iter(administrators_of(subject.organisation.id)), None)


def language_for(person: User | None) -> str:
    """The language a reply to this person is proposed in."""
    return person.locale[:2] if person is not None and person.locale[:2] in LANGUAGES else LANGUAGES[0]


def filled(reply_id: int, subject: Subject, thread: MessageThread | None, *, language: str, actor: Actor) -> str:
    """A reply's text for this conversation; a placeholder without a value stays, for the agent to complete.

    In Arabic where the reply has an Arabic text, else in French. Raises DomainError on ``reply``.
    """
    reply = db.session.get(CannedReply, reply_id)
    if reply is None or not reply.active:
        raise DomainError(_("Choisissez une réponse."), field="reply")
    language = "ar" if language == "ar" and reply.text_ar else "fr"
    known = _values(subject, addressee(subject, thread), language, actor)
    return fill(reply.text_ar if language == "ar" else reply.text_fr, known)


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with each placeholder's value; one without a value is left as it stands."""
    return _BRACED.sub(lambda match: values.get(_name(match.group(1))) or match.group(0), text)


def _values(subject: Subject, person: User | None, language: str, actor: Actor) -> dict[str, str]:
    arabic, organisation, request = language == "ar", subject.organisation, subject.request
    office = request.post_office if request is not None else None
    certificate = request.certificate if request is not None else None
    with force_locale(language):
        state = state_label(subject.row.state)
    return {
        "prénom": (arabic and person.first_name_ar) or person.first_name if person is not None else "",
        "nom": (arabic and person.last_name_ar) or person.last_name if person is not None else "",
        "référence": subject.reference,
        "organisation": (arabic and organisation.legal_name_ar) or organisation.legal_name,
        "état": state,
        "bureau": ((arabic and office.name_ar) or office.name_fr) if office is not None else "",
        "suivi": (certificate.tracking_number or "") if certificate is not None else "",
        "délai": str(settings.get("review.days")),
        "agent": actor.label,
        "lien": public_url("requests.show", reference=subject.reference)
        if request is not None
        else public_url("organisation.show"),
    }

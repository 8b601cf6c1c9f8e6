"""Answering « Pièces manquantes » point by point, then handing the file back (REV-5, chapter 1: supply)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from app import clock
from app.errors import DomainError, IllegalTransition, NotFound, StaleObject
from app.extensions import db
from app.models import CertificateRequest, Document, DocumentAsk, DocumentAskItem, DocumentKind
from app.permissions import Actor, Permission
from app.queries.asks import answered_by, item_of, left_of, may_answer, open_ask, stamp
from app.queries.declared_fields import declared_of_request
from app.queries.history import field_label
from app.services import audit, documents, history
from app.services.authority import hands_on_request, require
from app.services.declared import apply_person
from app.services.documents import Examined
from app.services.locking import lock
from app.services.moving import REASON_LIMIT, cancel_approval, move_request
from app.services.unit_of_work import use_case
from app.state_labels import state_label
from app.states import RequestState

CORRECTABLE_FIELDS = frozenset(
    {"last_name", "first_name", "last_name_ar", "first_name_ar", "birth_date", "identity_number", "mobile"}
)
"""Declared fields whose right value may be given in an answer; anything else is explained in words."""


@dataclass(frozen=True, slots=True)
class FieldAnswer:
    """What was written under a point about a declared field; ``value`` is in stored form, None when not asked for."""

    text: str
    value: Any = None


def answer_with_document(actor: Actor, request_id: int, item_id: int, data: bytes, filename: str) -> DocumentAskItem:
    """Bring the document a point asks for; it takes the place of the one that was refused, and is kept at once.

    Raises UploadRefused with its reason (nothing of the file is kept), NotFound, Forbidden, IllegalTransition.
    """
    return _keep(actor, request_id, item_id, documents.examine(data, filename))


@use_case
def _keep(actor: Actor, request_id: int, item_id: int, examined: Examined) -> DocumentAskItem:
    request, item = _locked(actor, request_id, item_id)
    if item.document_kind is None:
        raise DomainError(_("Ce point attend une réponse écrite."))
    earlier = item.answer_document
    if earlier is not None and earlier.superseded_at is None and earlier.sha256 == examined.intake.sha256:
        return item  # the same file again: a double click
    document = documents.keep(
        examined,
        kind=item.document_kind,
        actor=actor,
        request_id=request.id,
        user_id=request.applicant_id,
        replaces=_replaced_by(request, item),
    )
    item.answer_document_id = document.id
    _answered(actor, request, item)
    return item


def _replaced_by(request: CertificateRequest, item: DocumentAskItem) -> Document | None:
    """The earlier answer, else the refused document, else the one of the same kind that holds today."""
    for document_id in (item.answer_document_id, item.document_id):
        found = db.session.get(Document, document_id) if document_id is not None else None
        if found is not None and found.superseded_at is None and found.request_id == request.id:
            return found
    if item.document_kind is DocumentKind.OTHER:
        return None
    return db.session.scalar(
        select(Document)
        .where(
            Document.request_id == request.id,
            Document.kind == item.document_kind,
            Document.superseded_at.is_(None),
        )
        .order_by(Document.id.desc())
        .limit(1)
    )


@use_case
def answer_in_words(
    actor: Actor, request_id: int, item_id: int, answer: FieldAnswer, *, seen: str | None = None
) -> DocumentAskItem:
    """Correct a declared field, or explain it; a corrected value goes into the file at once.

    ``seen`` is the ``stamp`` of the answer the page showed, None not to compare. Raises DomainError on field
    ``text`` when there is neither another value nor an explanation, StaleObject when somebody else answered
    meanwhile; NotFound, Forbidden, IllegalTransition.
    """
    request, item = _locked(actor, request_id, item_id)
    if item.field is None:
        raise DomainError(_("Ce point attend un document."), field="file")
    text = answer.text.strip()
    if len(text) > REASON_LIMIT:
        raise DomainError(_("2 000 caractères au plus."), field="text")
    if seen is not None and seen != stamp(item):
        if _says_the_same(request, item, text, answer.value):
            return item  # the same click twice
        raise overtaken(item)
    changed: list[str] = []
    before = _shown(request, item.field)
    if answer.value is not None and item.field in CORRECTABLE_FIELDS:
        changed = apply_person(request, {item.field: answer.value})
    if not changed and len(text) < 3 and item.answered_at is None:
        raise DomainError(_("Corrigez la donnée, ou expliquez pourquoi elle est juste."), field="text")
    corrected = (
        _("Donnée corrigée : « %(old)s » devient « %(new)s ».", old=before, new=_shown(request, item.field))
        if changed
        else ""
    )
    item.answer_text = " ".join(part for part in (corrected, text) if part) or item.answer_text
    _answered(actor, request, item, changed)
    return item


def _says_the_same(request: CertificateRequest, item: DocumentAskItem, text: str, value: Any) -> bool:
    same_value = value is None or item.field is None or str(getattr(request, item.field, value)) == str(value)
    return same_value and item.answer_text.endswith(text)


def overtaken(item: DocumentAskItem) -> StaleObject:
    """Somebody answered the point after the page was opened: both answers are to be read."""
    when = clock.local(item.answered_at or clock.now()).strftime("%d/%m/%Y à %H:%M")
    return StaleObject(
        _(
            "%(who)s a répondu à ce point le %(when)s, après l'ouverture de votre page. Sa réponse est ci-dessus, "
            "la vôtre est gardée ici : enregistrez-la de nouveau pour la remplacer.",
            who=answered_by(item) or _("Quelqu'un"),
            when=when,
        ),
        field="text",
    )


def _shown(request: CertificateRequest, field: str) -> str:
    """The field's value as a person reads it."""
    return next((each.shown for each in declared_of_request(request) if each.name == field), "")


def _answered(
    actor: Actor, request: CertificateRequest, item: DocumentAskItem, changed: list[str] | None = None
) -> None:
    item.answered_at = clock.now()
    history.write(
        actor,
        "answer_item",
        request_id=request.id,
        organisation_id=request.organisation_id,
        from_state=request.state,
        to_state=request.state,
        details={"item": item.id, **({"fields": changed} if changed else {})},
    )
    audit.record(
        actor, "answer_item", request, after={"item": item.id, "document": item.answer_document_id, "fields": changed}
    )


@use_case
def supply(
    actor: Actor, request_id: int, *, ask_id: int | None = None, expected_version: int | None = None
) -> CertificateRequest:
    """« J'ai apporté les corrections demandées »: back to TunTrust, only when every point is answered.

    ``ask_id`` is the ask the page showed. Raises NotFound, IllegalTransition, Forbidden, StaleObject,
    DomainError naming what is missing.
    """
    require(actor, Permission.SUPPLY_DOCUMENTS)
    request = move_request(request_id, "supply", actor=actor, expected_version=expected_version)
    ask = open_ask(request.id)
    if ask is None or (ask_id is not None and ask.id != ask_id):
        raise StaleObject(_("La demande de TunTrust a changé depuis l'ouverture de la page. Relisez-la."))
    missing = left_of(ask)
    if missing:
        raise DomainError(
            ngettext(
                "Il manque encore une réponse : %(what)s.",
                "Il manque encore %(num)d réponses : %(what)s.",
                len(missing),
                what=", ".join(item_label(item) for item in missing),
            )
        )
    close_ask(ask, "supplied")
    cancel_approval(request, actor=actor, why=_("Des pièces ou des corrections ont été apportées."))
    return request


def close_ask(ask: DocumentAsk, outcome: str) -> None:
    """End an ask: ``supplied``, ``withdrawn`` or ``rejected``. Inside a use case."""
    ask.closed_at = clock.now()
    ask.outcome = outcome


def item_label(item: DocumentAskItem) -> str:
    """What a point is about, in a word or two."""
    if item.document_kind is not None:
        return state_label(item.document_kind)
    return field_label(item.field or "")


def _locked(actor: Actor, request_id: int, item_id: int) -> tuple[CertificateRequest, DocumentAskItem]:
    """The request, locked while it waits for answers, and a point of its open ask that the actor may answer."""
    request = lock(CertificateRequest, request_id)
    if not hands_on_request(actor, request):
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    require(actor, Permission.SUPPLY_DOCUMENTS)
    if request.state is not RequestState.EN_ATTENTE_DE_JUSTIFICATIFS:
        raise IllegalTransition(_("TunTrust n'attend plus de réponse pour cette demande."))
    item = item_of(open_ask(request.id), item_id)
    if not may_answer(actor, request, item):
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    return request, item

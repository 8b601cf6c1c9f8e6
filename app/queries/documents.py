"""Documents, each in the scope of who asks (PPL-2)."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select

from app import clock
from app.errors import NotFound
from app.extensions import db
from app.models import CertificateRequest, Document, DocumentKind, Message, SignupDraft
from app.permissions import Actor, Permission
from app.queries.threads import may_read_thread
from app.services.passwords import hash_token


def document_for(actor: Actor, public_id: str, *, draft_token: str | None = None) -> Document:
    """The document, if the actor may see it; anything else does not exist for them. Raises NotFound.

    Staff who read documents; an administrator of its organisation; the applicant of its request; and, while a
    sign-up is under way, whoever holds the draft's token. What came with a message: the conversation's people.
    """
    document = db.session.scalar(select(Document).where(Document.public_id == public_id))
    if document is None or not _may_see(actor, document, draft_token):
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    return document


def _may_see(actor: Actor, document: Document, draft_token: str | None) -> bool:
    if document.message_id is not None:
        return _came_with_own_message(actor, document.message_id)
    if document.organisation_id is None and document.request_id is None:
        return _is_own_draft(document, draft_token)
    if actor.can(Permission.READ_DOCUMENTS):
        return True
    if document.organisation_id is not None and document.organisation_id in actor.organisation_ids:
        return True
    if document.request_id is None or actor.user_id is None:
        return False
    request = db.session.get_one(CertificateRequest, document.request_id)
    return request.applicant_id == actor.user_id or request.organisation_id in actor.organisation_ids


def _came_with_own_message(actor: Actor, message_id: int) -> bool:
    message = db.session.get(Message, message_id)
    return message is not None and message.retracted_at is None and may_read_thread(actor, message.thread_id)


def _is_own_draft(document: Document, token: str | None) -> bool:
    if not token or document.draft_id is None:
        return False
    draft = db.session.get(SignupDraft, document.draft_id)
    return draft is not None and draft.token_hash == hash_token(token) and draft.expires_at > clock.now()


def live_documents(organisation_id: int) -> list[Document]:
    """The organisation's own papers that hold today, in the order received; requests' papers left out."""
    return list(
        db.session.scalars(
            select(Document)
            .where(
                Document.organisation_id == organisation_id,
                Document.request_id.is_(None),
                Document.superseded_at.is_(None),
            )
            .order_by(Document.id)
        )
    )


def documents_of_request(request_id: int) -> list[Document]:
    """The papers given for a request that hold today, in the order received."""
    return list(
        db.session.scalars(
            select(Document)
            .where(Document.request_id == request_id, Document.superseded_at.is_(None))
            .order_by(Document.id)
        )
    )


def identity_copy_of(request_id: int) -> Document | None:
    """The copy of the applicant's identity document that holds today (APP-2)."""
    return db.session.scalar(
        select(Document)
        .where(
            Document.request_id == request_id,
            Document.kind == DocumentKind.APPLICANT_IDENTITY,
            Document.superseded_at.is_(None),
        )
        .order_by(Document.id.desc())
        .limit(1)
    )

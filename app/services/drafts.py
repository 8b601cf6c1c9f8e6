"""A sign-up under way: kept on the server for 24 hours, known by a random token (ORG-1)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from copy import deepcopy
from datetime import timedelta
from typing import Any

import structlog
from flask_babel import gettext as _
from sqlalchemy import delete, select

from app import clock
from app.errors import DomainError
from app.extensions import db
from app.models import Document, DocumentKind, OutboxMail, SignupDraft
from app.permissions import Actor
from app.services import anchoring, attempts, captchas, documents, files
from app.services.documents import Examined
from app.services.passwords import hash_token
from app.services.unit_of_work import use_case

log = structlog.get_logger()

LIFE = timedelta(hours=24)
CAPTCHA_LIFE = timedelta(minutes=10)
CAPTCHA_TRIES = 10
CAPTCHA_WINDOW = timedelta(minutes=15)
UPLOADS_PER_HOUR = 60
ORPHAN_AGE = timedelta(hours=24)

SLOTS: dict[str, DocumentKind] = {
    "rne_extract": DocumentKind.RNE_EXTRACT,
    "tax_card": DocumentKind.TAX_CARD,
    "trade_register": DocumentKind.TRADE_REGISTER,
    "representative_identity": DocumentKind.REPRESENTATIVE_IDENTITY,
    "administrator_identity": DocumentKind.ADMINISTRATOR_IDENTITY,
    "administrator2_identity": DocumentKind.ADMINISTRATOR_IDENTITY,
}
"""The upload fields of the sign-up."""


class DraftGone(DomainError):
    """The draft is older than 24 hours, or never was."""


def find(token: str | None) -> SignupDraft | None:
    """The live draft of a token, submitted or not."""
    if not token:
        return None
    return db.session.scalar(
        select(SignupDraft).where(SignupDraft.token_hash == hash_token(token), SignupDraft.expires_at > clock.now())
    )


@use_case
def start() -> str:
    """A new draft; the token is kept in the session, only its hash here."""
    token = secrets.token_urlsafe(32)
    moment = clock.now()
    db.session.add(SignupDraft(token_hash=hash_token(token), data={}, created_at=moment, expires_at=moment + LIFE))
    return token


def locked(token: str | None) -> SignupDraft:
    """The draft, locked, inside a use case. Raises DraftGone."""
    draft = db.session.execute(
        select(SignupDraft)
        .where(SignupDraft.token_hash == hash_token(token or ""), SignupDraft.expires_at > clock.now())
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if draft is None:
        raise DraftGone(_("Votre saisie a plus de 24 heures : elle a été effacée. Recommencez l'inscription."))
    return draft


def edited(token: str | None) -> SignupDraft:
    """The same, for a change: what was submitted is not edited any more. Raises DraftGone."""
    draft = locked(token)
    if draft.submitted_at is not None:
        raise DraftGone(_("Cette inscription est déjà enregistrée."))
    draft.expires_at = clock.now() + LIFE
    draft.version += 1
    return draft


def rewrite(draft: SignupDraft, section: str, **values: Any) -> None:
    """Change a part of the draft's data; JSON columns notice only a new value."""
    data = deepcopy(draft.data)
    data.setdefault(section, {}).update(values)
    draft.data = data


# -------------------------------------------------------------------------------------------- what is typed


@use_case
def keep_typed(token: str, step: str, typed: Mapping[str, list[str]]) -> None:
    """Keep a page as it was typed, right or wrong; once changed, its checked answers hold no more. DraftGone."""
    draft = edited(token)
    kept = draft.data.get(step) or {}
    rewrite(draft, step, typed=dict(typed), stored=kept.get("stored") if kept.get("typed") == dict(typed) else None)


@use_case
def keep_stored(token: str, step: str, stored: Mapping[str, Any]) -> None:
    """Keep a step's checked answers: the step is done. Raises DraftGone."""
    rewrite(edited(token), step, stored=dict(stored))


def stored(draft: SignupDraft | None, step: str) -> dict[str, Any] | None:
    """A step's checked answers, or None while it is not done."""
    return ((draft.data if draft is not None else {}).get(step) or {}).get("stored")


def typed(draft: SignupDraft | None, step: str) -> dict[str, list[str]] | None:
    """A page as it was last typed."""
    return ((draft.data if draft is not None else {}).get(step) or {}).get("typed")


# ----------------------------------------------------------------------------------------------------- files


def keep_file(token: str, slot: str, data: bytes, filename: str, *, actor: Actor) -> None:
    """Receive the file of an upload field; it takes the place of the one before, which is deleted.

    Raises UploadRefused with its sentence (the file before stays), TooManyAttempts, DraftGone.
    """
    draft = find(token)
    if draft is None:
        raise DraftGone(_("Votre saisie a plus de 24 heures : elle a été effacée. Recommencez l'inscription."))
    attempts.count_attempt(
        attempts.key_for("upload:draft", str(draft.id)), limit=UPLOADS_PER_HOUR, window=timedelta(hours=1)
    )
    attempts.count_attempt(  # a new draft costs nothing: without this one, neither would filling the storage
        attempts.key_for("upload:address", actor.ip or "?"), limit=UPLOADS_PER_HOUR * 2, window=timedelta(hours=1)
    )
    _keep_file(token, slot, documents.examine(data, filename), actor=actor)


@use_case
def _keep_file(token: str, slot: str, examined: Examined, *, actor: Actor) -> None:
    draft = edited(token)
    for old in _papers(draft.id).get(slot, []):
        documents.forget_file(old)
        db.session.delete(old)
    documents.keep(examined, kind=SLOTS[slot], actor=actor, draft_id=draft.id, draft_slot=slot)


def _papers(draft_id: int) -> dict[str, list[Document]]:
    found: dict[str, list[Document]] = {}
    for document in db.session.scalars(
        select(Document)
        .where(Document.draft_id == draft_id, Document.organisation_id.is_(None), Document.draft_slot.is_not(None))
        .order_by(Document.id)
    ):
        found.setdefault(str(document.draft_slot), []).append(document)
    return found


def papers(draft: SignupDraft | None) -> dict[str, Document]:
    """The files received so far, by upload field."""
    return {slot: rows[-1] for slot, rows in _papers(draft.id).items()} if draft is not None else {}


# ----------------------------------------------------------------------------------------------- the captcha


@use_case
def renew_captcha(token: str) -> None:
    """« Une autre image »: a new code, whatever the one before. Raises DraftGone, TooManyAttempts."""
    draft = edited(token)
    attempts.count_attempt(
        attempts.key_for("captcha:new", str(draft.id)), limit=CAPTCHA_TRIES * 3, window=CAPTCHA_WINDOW
    )
    new_captcha(draft)


@use_case
def ensure_captcha(token: str) -> None:
    """A page that shows the code needs one that still holds. Raises DraftGone."""
    draft = locked(token)
    if draft.submitted_at is None and not _captcha_holds(draft):
        new_captcha(draft)


def new_captcha(draft: SignupDraft) -> None:
    """Put a fresh code on a locked draft."""
    draft.captcha, draft.captcha_at = captchas.new_code(), clock.now()


def captcha_of(draft: SignupDraft | None) -> str | None:
    """The code to show or to say, while it holds."""
    return draft.captcha if draft is not None and _captcha_holds(draft) else None


def _captcha_holds(draft: SignupDraft) -> bool:
    made = draft.captcha_at
    return draft.captcha is not None and made is not None and made + CAPTCHA_LIFE > clock.now()


def take_captcha(draft: SignupDraft, typed_code: str) -> DomainError | None:
    """Compare and use the code up, right or wrong, on a locked draft; the refusal to show, or None when right.

    The caller commits and only then raises it, so that a wrong try is never a free one.
    """
    held, code = _captcha_holds(draft), draft.captcha
    new_captcha(draft)
    if not typed_code.strip():
        return DomainError(_("Recopiez les 6 chiffres de l'image, ou écoutez-les."), field="captcha")
    if not held:
        return DomainError(_("Ce code a plus de 10 minutes. Recopiez le nouveau."), field="captcha")
    if not captchas.matches(code, typed_code):
        return DomainError(_("Ce n'est pas le code de l'image. Recopiez le nouveau code."), field="captcha")
    return None


def count_captcha_try(token: str, ip: str | None) -> None:
    """A few tries a draft, some more an address. Raises TooManyAttempts."""
    attempts.count_attempt(attempts.key_for("captcha:draft", token), limit=CAPTCHA_TRIES, window=CAPTCHA_WINDOW)
    attempts.count_attempt(
        attempts.key_for("captcha:address", ip or "?"), limit=CAPTCHA_TRIES * 6, window=CAPTCHA_WINDOW
    )


# ------------------------------------------------------------------------------------------------- the purges


@use_case
def abandon(token: str | None) -> None:
    """« Effacer ma saisie »: the draft and its files go at once; a draft already gone is no error."""
    draft = find(token)
    if draft is not None:
        _delete_draft(draft)


def purge_drafts() -> int:
    """Delete the sign-ups given up more than 24 hours ago, with their files; how many. Safe to run twice."""
    expired = db.session.scalars(
        select(SignupDraft.id).where(SignupDraft.expires_at <= clock.now()).order_by(SignupDraft.id)
    ).all()
    return sum(_purge_draft(draft_id) for draft_id in expired)


@use_case
def _purge_draft(draft_id: int) -> int:
    draft = db.session.get(SignupDraft, draft_id, with_for_update=True, populate_existing=True)
    if draft is None or draft.expires_at > clock.now():
        return 0
    _delete_draft(draft)
    return 1


def drop_papers(draft: SignupDraft) -> None:
    """Delete what was received for a draft, inside a use case."""
    for rows in _papers(draft.id).values():
        for document in rows:
            documents.forget_file(document)
            db.session.delete(document)
    db.session.flush()


def _delete_draft(draft: SignupDraft) -> None:
    drop_papers(draft)
    draft_id = draft.id
    db.session.execute(delete(SignupDraft).where(SignupDraft.id == draft_id))


def purge_orphan_files() -> int:
    """Delete stored files older than a day that no row names, and pictures of documents that are gone; how many.

    A file is stored before its row is committed: its age keeps a transaction under way safe.
    """
    storage = files.storage()
    limit = clock.now() - ORPHAN_AGE
    listed = storage.keys()
    old = [stored_file.key for stored_file in listed if stored_file.modified_at < limit]
    deleted = 0
    for start_at in range(0, len(old), 500):
        batch = old[start_at : start_at + 500]
        for key in set(batch) - _named(batch):
            deleted += storage.delete(key)
    db.session.rollback()
    return deleted


def _named(keys: list[str]) -> set[str]:
    """Those of the keys that a row names, or a picture's document does."""
    named: set[str] = {anchoring.KEY} & set(keys)
    tables = (table for table in db.metadata.tables.values() if "storage_key" in table.columns)
    for column in (table.columns["storage_key"] for table in tables):  # read off the tables: none can be forgotten
        named.update(db.session.scalars(select(column).where(column.in_(keys))))
    if len(named) < len(keys):
        waiting = select(OutboxMail.attachments).where(OutboxMail.sent_at.is_(None), OutboxMail.dead_at.is_(None))
        named.update(
            part["storage_key"] for parts in db.session.scalars(waiting) for part in parts if "storage_key" in part
        )
    pictured = {key: key.split("/")[2] for key in keys if key.startswith("pictures/") and key.count("/") >= 3}
    alive = set(db.session.scalars(select(Document.public_id).where(Document.public_id.in_(set(pictured.values())))))
    return named | {key for key, public_id in pictured.items() if public_id in alive}

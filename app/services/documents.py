"""Received papers: checked, kept under random keys, shown as pictures made here (SEC-3, ORG-4)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime

import structlog
from flask import current_app
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from app import clock
from app.adapters import antivirus
from app.adapters.storage import QUARANTINE, FileNotStored, new_key
from app.errors import DomainError, NotFound, StaleObject
from app.extensions import db
from app.inspection import intake, pictures
from app.models import AuditEntry, Document, DocumentKind
from app.permissions import SYSTEM, Actor
from app.services import audit
from app.services.files import storage
from app.services.inspecting import ask_inspection
from app.services.locking import lock
from app.services.unit_of_work import after_commit, after_rollback, use_case
from app.states import Verdict

log = structlog.get_logger()

IDENTITY_PAPERS = frozenset(
    {
        DocumentKind.REPRESENTATIVE_IDENTITY,
        DocumentKind.ADMINISTRATOR_IDENTITY,
        DocumentKind.APPLICANT_IDENTITY,
    }
)
PICTURE_WIDTHS = (pictures.THUMBNAIL_WIDTH, 480, 960, 1600, 2400)
"""Pixels; a width asked for is raised to the next of these, so that the cache stays small."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A file that was read and may be kept; ``scanned_at`` is None while no antivirus has read it."""

    intake: intake.IntakeResult
    scanned_at: datetime | None
    waits_for_antivirus: bool


def examine(data: bytes, filename: str) -> Examined:
    """Open the file for real and ask the antivirus; touches no database, so call it before a transaction.

    Raises UploadRefused, a DomainError whose sentence says what to do; nothing of the file is kept.
    """
    result = intake.read_upload(data, filename, limit=current_app.config["UPLOAD_LIMIT"])
    address = current_app.config.get("CLAMAV_SOCKET")
    if not address:
        return Examined(result, None, waits_for_antivirus=False)
    verdict = antivirus.scan(data, address)
    if isinstance(verdict, antivirus.Infected):
        log.warning("infected upload refused", malware=verdict.name, sha256=result.sha256)
        raise intake.UploadRefused("infected", _l("L'antivirus a reconnu un programme dangereux dans ce fichier."))
    if isinstance(verdict, antivirus.Unavailable):
        log.warning("antivirus unavailable", reason=verdict.reason)
        return Examined(result, None, waits_for_antivirus=True)
    return Examined(result, clock.now(), waits_for_antivirus=False)


def receive(
    data: bytes,
    filename: str,
    *,
    kind: DocumentKind,
    actor: Actor,
    organisation_id: int | None = None,
    request_id: int | None = None,
    draft_id: int | None = None,
    draft_slot: str | None = None,
    user_id: int | None = None,
    contract_id: int | None = None,
    issued_on: date | None = None,
    replaces: Document | None = None,
) -> Document:
    """Check a file and keep it as a document, whole or not at all; the caller has checked the actor's rights.

    The document it replaces is superseded. Raises UploadRefused (a DomainError: too large, of another kind,
    encrypted, broken, empty, infected…), StaleObject when the one to replace was replaced meanwhile. The
    stored bytes go when the transaction is given up.
    """
    return keep(
        examine(data, filename),
        kind=kind,
        actor=actor,
        organisation_id=organisation_id,
        request_id=request_id,
        draft_id=draft_id,
        draft_slot=draft_slot,
        user_id=user_id,
        contract_id=contract_id,
        issued_on=issued_on,
        replaces=replaces,
    )


@use_case
def keep(
    examined: Examined,
    *,
    kind: DocumentKind,
    actor: Actor,
    organisation_id: int | None = None,
    request_id: int | None = None,
    draft_id: int | None = None,
    draft_slot: str | None = None,
    user_id: int | None = None,
    contract_id: int | None = None,
    message_id: int | None = None,
    issued_on: date | None = None,
    replaces: Document | None = None,
) -> Document:
    """The second half of ``receive``: store the bytes and write the row. Raises StaleObject."""
    found = examined.intake
    moment = clock.now()
    if replaces is not None:
        replaces = lock(Document, replaces.id)
        if replaces.superseded_at is not None:
            return _already_received(replaces, found.sha256)
        replaces.superseded_at = moment
        replaces.version += 1
    key = new_key(QUARANTINE if examined.waits_for_antivirus else "documents")
    after_rollback(lambda: _delete_key(key))
    storage().put(key, found.data)
    document = Document(
        public_id=uuid.uuid4().hex,
        kind=kind,
        organisation_id=organisation_id,
        request_id=request_id,
        draft_id=draft_id,
        draft_slot=draft_slot,
        user_id=user_id,
        contract_id=contract_id,
        message_id=message_id,
        issued_on=issued_on,
        original_name=found.original_name,
        media_type=found.media_type,
        size=found.size,
        pages=found.pages,
        sha256=found.sha256,
        storage_key=key,
        scanned_at=examined.scanned_at,
        uploaded_by_id=actor.user_id,
        uploaded_at=moment,
        replaces_id=replaces.id if replaces is not None else None,
    )
    db.session.add(document)
    db.session.flush()
    audit.record(actor, "receive_document", document, after={"kind": kind, "sha256": found.sha256})
    if organisation_id is not None or request_id is not None:  # a sign-up's papers are checked once it is sent
        ask_inspection(document_id=document.id, actor=actor, new=True)
    return document


def _already_received(replaced: Document, sha256: str) -> Document:
    """The successor, when the same file was sent twice (double click). Raises StaleObject for another file."""
    successor = db.session.scalar(
        select(Document).where(Document.replaces_id == replaced.id, Document.superseded_at.is_(None)).limit(1)
    )
    if successor is not None and successor.sha256 == sha256:
        return successor
    raise StaleObject(_("Ce document a été remplacé entre-temps. Rechargez la page, puis recommencez."))


# ------------------------------------------------------------------------------------------------- reading


def in_quarantine(document: Document) -> bool:
    """Is it still waiting for the antivirus? Its contents are then shown to nobody."""
    return document.storage_key.startswith(f"{QUARANTINE}/")


def content(document: Document) -> bytes:
    """The kept bytes. Raises DomainError while in quarantine, NotFound when the storage lost them."""
    if in_quarantine(document):
        raise DomainError(_("Ce fichier attend le contrôle de l'antivirus. Réessayez dans quelques minutes."))
    try:
        return storage().get(document.storage_key)
    except FileNotStored:
        log.exception("document without its file", document=document.id, key=document.storage_key)
        raise NotFound(_("Ce fichier n'est plus disponible.")) from None


def picture(
    document: Document, page: int = 0, width: int = 960, rotate: int = 0, watermark: str | None = None
) -> bytes:
    """A JPEG of the page (from 0), ``width`` pixels or the next larger of ``PICTURE_WIDTHS``; kept once made.

    A watermark is laid over the kept one each time. Raises NotFound for a page that is not there, DomainError when it
    cannot be drawn or is in quarantine.
    """
    width = next((each for each in PICTURE_WIDTHS if each >= width), PICTURE_WIDTHS[-1])
    rotate %= 360
    if rotate % 90 or not 0 <= page < max(document.pages, 1):
        raise NotFound(_("Cette page n'existe pas dans le document."))
    plain = _plain_picture(document, page, width, rotate)
    if watermark is None:
        return plain
    return pictures.render_page(plain, pictures.MEDIA_TYPE, 0, width, watermark=watermark)


def _plain_picture(document: Document, page: int, width: int, rotate: int) -> bytes:
    """Drawn once, then read from the storage; never while in quarantine."""
    if in_quarantine(document):
        content(document)  # says so
    key = f"{_picture_prefix(document)}/{page}-{width}-{rotate}.jpg"
    try:
        return storage().get(key)
    except FileNotStored:
        drawn = _draw(document, page, width, rotate)
        storage().put(key, drawn)
        return drawn


def _draw(document: Document, page: int, width: int, rotate: int) -> bytes:
    return pictures.render_page(content(document), document.media_type, page, width, rotate=rotate)


def _picture_prefix(document: Document) -> str:
    return f"pictures/{document.public_id[-2:]}/{document.public_id}"


def watermarked_copy(document: Document, watermark: str) -> bytes:
    """The whole document as a PDF of watermarked pictures: all that staff may take away of an identity paper."""
    import io

    from PIL import Image

    pages = [
        Image.open(io.BytesIO(picture(document, page, 1600, watermark=watermark))) for page in range(document.pages)
    ]
    out = io.BytesIO()
    pages[0].save(out, "PDF", save_all=True, append_images=pages[1:], resolution=150.0)
    return out.getvalue()


def download_name(document: Document) -> str:
    """What the downloaded file is called: its own name, with the ending of what it really is."""
    extension = intake.EXTENSIONS.get(document.media_type, "bin")
    stem, dot, ending = document.original_name.rpartition(".")
    same = {"jpg": {"jpg", "jpeg"}}.get(extension, {extension})
    if dot and ending.lower() in same:
        return document.original_name
    return f"{stem if dot and stem and len(ending) <= 5 else document.original_name}.{extension}"


def needs_watermark(document: Document, actor: Actor) -> bool:
    """Identity papers are shown to staff with who looked and when laid over them (SEC-3)."""
    return actor.is_staff and document.kind in IDENTITY_PAPERS


@use_case
def note_view(document_id: int, *, actor: Actor, what: str) -> str:
    """Write in the journal that staff looked at an identity paper; the watermark of that look (SEC-3).

    The same page looked at again within the minute that the watermark names (enlarged, turned) is the same look.
    """
    now = clock.now()
    latest = db.session.scalar(
        select(AuditEntry)
        .where(AuditEntry.subject_type == "documents", AuditEntry.subject_id == str(document_id))
        .where(AuditEntry.actor_id == actor.user_id, AuditEntry.action == "view_identity_paper")
        .where(AuditEntry.at >= now.replace(second=0, microsecond=0))
        .order_by(AuditEntry.id.desc())
        .limit(1)
    )
    if latest is None or (latest.after or {}).get("what") != what:
        audit.record(actor, "view_identity_paper", ("documents", document_id), after={"what": what})
    return f"{actor.label} · {clock.local(now):%d/%m/%Y %H:%M}"


# ------------------------------------------------------------------------------------------------ deleting


def forget_file(document: Document) -> None:
    """Delete a document's bytes and pictures once the running use case has committed (its row goes with it)."""
    key, prefix = document.storage_key, _picture_prefix(document)
    after_commit(lambda: _delete_all(key, prefix))


def _delete_key(key: str) -> None:
    storage().delete(key)


def _delete_all(key: str, prefix: str) -> None:
    try:
        storage().delete(key)
        for stored in list(storage().keys(prefix)):
            storage().delete(stored.key)
    except OSError:  # the purge of orphan files finds what is left
        log.exception("file not deleted", key=key)


# ---------------------------------------------------------------------------------------------- quarantine


def scan_quarantined(limit: int = 50) -> int:
    """Ask the antivirus again for what it has not read yet; how many left quarantine. A job calls it."""
    address = current_app.config.get("CLAMAV_SOCKET")
    waiting = db.session.execute(
        select(Document.id, Document.storage_key)
        .where(Document.storage_key.startswith(f"{QUARANTINE}/"))
        .order_by(Document.id)
        .limit(limit)
    ).all()
    settled = 0
    for document_id, key in waiting:
        try:
            verdict = antivirus.scan(storage().get(key), address) if address else antivirus.Clean()
        except FileNotStored:
            continue
        if isinstance(verdict, antivirus.Unavailable):
            break
        _settle(document_id, key, infected=isinstance(verdict, antivirus.Infected), scanned=bool(address))
        settled += 1
    return settled


@use_case
def _settle(document_id: int, key: str, *, infected: bool, scanned: bool) -> None:
    """Out of quarantine, or refused and its bytes deleted."""
    document = db.session.get(Document, document_id, with_for_update=True, populate_existing=True)
    if document is None or document.storage_key != key:
        return
    document.scanned_at = clock.now() if scanned else None
    document.version += 1
    if infected:
        document.verdict = Verdict.REFUSE
        document.verdict_reason = str(_l("L'antivirus a reconnu un programme dangereux dans ce fichier."))
        document.verdict_at = clock.now()
        after_commit(lambda: _delete_key(key))
    else:
        # A copy first: a crash between the two leaves an orphan, never a row without its file.
        destination = new_key("documents")
        after_rollback(lambda: _delete_key(destination))
        storage().put(destination, storage().get(key))
        document.storage_key = destination
        after_commit(lambda: _delete_key(key))
    audit.record(SYSTEM, "leave_quarantine", document, after={"infected": infected})

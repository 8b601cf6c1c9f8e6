"""The journal's head, written down outside the database (AUD-1).

The chain tells a change or a gap within the journal; its end cut off, it would still be whole. So a job copies the
last line's number and hash to the files, and ``audit verify`` asks that this line is still there.
"""

from __future__ import annotations

import json

from sqlalchemy import select

from app import clock
from app.adapters.storage import FileNotStored
from app.extensions import db
from app.models import AuditEntry
from app.services.files import storage

KEY = "anchors/journal.json"


def anchor_head() -> str:
    """Write the head down, unless the last one written is gone from the journal; says what was done.

    An anchor that the journal contradicts is kept: it is the proof.
    """
    if missing_anchor() is not None:
        return "the journal no longer holds its anchor: run « flask audit verify »"
    head = db.session.execute(select(AuditEntry.id, AuditEntry.hash).order_by(AuditEntry.id.desc()).limit(1)).first()
    if head is None:
        return "the journal is empty"
    anchor = {"id": head.id, "hash": head.hash, "at": clock.now().isoformat()}
    storage().put(KEY, json.dumps(anchor).encode())
    return f"entry {head.id}"


def missing_anchor() -> int | None:
    """The number of the anchored line when the journal does not hold it any more; None when all is well."""
    try:
        anchor = json.loads(storage().get(KEY))
    except FileNotStored:
        return None
    found = db.session.scalar(select(AuditEntry.hash).where(AuditEntry.id == anchor["id"]))
    return None if found == anchor["hash"] else int(anchor["id"])

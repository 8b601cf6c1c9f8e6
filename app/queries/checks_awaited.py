"""Whether a file's automatic checks are still running (REV-3): the desk says so."""

from __future__ import annotations

from sqlalchemy import exists, or_, select

from app.extensions import db
from app.models import Inspection
from app.queries.review import OrganisationFile, RequestFile


def checks_awaited(file: OrganisationFile) -> bool:
    """Is a run over the file or one of its papers asked for and not done? One statement."""
    about = [Inspection.organisation_id == file.organisation.id]
    if file.papers:
        about.append(Inspection.document_id.in_([paper.id for paper in file.papers]))
    if isinstance(file, RequestFile):
        about.append(Inspection.request_id == file.request.id)
    awaited = exists(select(Inspection.id).where(or_(*about), Inspection.done_at.is_(None)))
    return bool(db.session.scalar(select(awaited)))

"""Batches of generated certificates (CRT-1): read, matched to requests, shown, then confirmed once.

A batch is kept as it was read until it is confirmed or a day old: the page of confirmation shows what will be done,
and exactly that is done, each certificate by the same service as one alone and in its own transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete, select

from app import clock
from app.errors import DomainError, NotFound
from app.extensions import db
from app.inspection.certificates import BATCH_LIMIT, CertificateFacts, UnreadableCertificate, read_certificates
from app.models import CertificateBatch
from app.permissions import Actor, Permission
from app.services.authority import require
from app.services.bulk import LIMIT, Line
from app.services.bulk_preview import Plan, new_token
from app.services.certificate_matching import Match, match_all
from app.services.unit_of_work import use_case

ACTION = "record_certificate"
KEPT = timedelta(hours=24)
NAME_LENGTH = 120

Piece = tuple[str, CertificateFacts | UnreadableCertificate]
"""A file's name and one certificate of it, or why there is none."""


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was sent."""

    name: str
    data: bytes


@use_case
def prepare_batch(files: Sequence[File], *, actor: Actor) -> str:
    """Read the files and match each certificate to its request; nothing is recorded yet. Returns the batch's id.

    A file that holds no certificate is one refused line and stops no other. Raises Forbidden, DomainError on
    ``files`` (none, more than 500 certificates).
    """
    require(actor, Permission.RECORD_CERTIFICATES)
    pieces = [piece for file in files for piece in _read(file)]
    if not pieces:
        raise DomainError(_("Choisissez au moins un fichier."), field="files")
    if len(pieces) > LIMIT:
        raise DomainError(
            _(
                "Ces fichiers contiennent %(count)d certificats : %(limit)d au plus à la fois.",
                count=len(pieces),
                limit=LIMIT,
            ),
            field="files",
        )
    names = [name for name, _found in pieces]
    matches = match_all([found if isinstance(found, CertificateFacts) else None for _name, found in pieces], names)
    batch = CertificateBatch(
        public_id=new_token(),
        user_id=actor.user_id,
        created_at=clock.now(),
        lines=[_line(piece, match) for piece, match in zip(pieces, matches, strict=True)],
    )
    db.session.add(batch)
    return batch.public_id


def _read(file: File) -> list[Piece]:
    name = " ".join(file.name.replace("\\", "/").rsplit("/", 1)[-1].split())[:NAME_LENGTH] or _("sans nom")
    try:
        return [(name, found) for found in read_certificates(file.data[: BATCH_LIMIT + 1])]
    except UnreadableCertificate as refusal:
        return [(name, refusal)]


def _line(piece: Piece, match: Match | None) -> dict[str, Any]:
    """One line as it is kept: what the page shows, and what the confirmed action takes."""
    name, facts = piece
    if match is None or not isinstance(facts, CertificateFacts):
        return {"reference": "", "data": {"file": name, "refused": str(facts)}}
    data: dict[str, Any] = {
        "file": name,
        "serial": facts.serial_number,
        "subject": facts.common_name,
        "number": facts.identity_number,
        "issuer": facts.issuer,
        "key": facts.key_description,
        "not_before": facts.not_before.isoformat(),
        "not_after": facts.not_after.isoformat(),
    }
    if match.person is None:
        return {"reference": "", "data": {**data, "refused": match.refused}}
    return {
        "reference": match.person.reference,
        "request_id": match.person.id,
        "version": match.person.version,
        "data": {**data, "doubt": match.doubt, "pem": facts.pem},
    }


def plan_of(public_id: str, actor: Actor) -> Plan:
    """What confirming the batch will do. Raises NotFound for another's, and for one that is gone."""
    batch = db.session.scalar(
        select(CertificateBatch).where(
            CertificateBatch.public_id == public_id[:40], CertificateBatch.user_id == (actor.user_id or 0)
        )
    )
    if batch is None or batch.created_at < clock.now() - KEPT:
        raise NotFound(_("Ce lot de certificats n'existe plus : choisissez de nouveau les fichiers."))
    return Plan(ACTION, tuple(Line(**line) for line in batch.lines), token=batch.public_id)


@use_case
def forget_old_batches() -> int:
    """Batches of more than a day: confirmed, they live on as bulk actions; the others were given up."""
    old = delete(CertificateBatch).where(CertificateBatch.created_at < clock.now() - KEPT)
    return int(getattr(db.session.execute(old), "rowcount", 0))

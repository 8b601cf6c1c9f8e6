"""Lines of a bulk action from a file that names requests: what is wrong with one is already its refusal (QUE-4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from app.extensions import db
from app.models import Certificate, CertificateRequest
from app.permissions import Actor, Permission
from app.services.bulk import Line
from app.services.collection_file import CollectionLine
from app.services.tracking_file import TrackingLine


def lines_of_tracking(given: Sequence[TrackingLine], actor: Actor) -> tuple[Line, ...]:
    """Lines of dispatch from a file of RapidPost numbers."""
    if not actor.can(Permission.READ_REQUESTS):
        return ()
    known = _by_reference(line.reference for line in given)
    return tuple(
        _line(
            line.reference,
            known.get(line.reference),
            {"tracking_number": line.tracking_number, "line": line.number},
            line.refused or ("" if line.reference in known else _unknown()),
        )
        for line in given
    )


def lines_of_collection(given: Sequence[CollectionLine], actor: Actor) -> tuple[Line, ...]:
    """Lines of collection from a file of parcels handed over: by reference, by parcel, or by both if they agree."""
    if not actor.can(Permission.READ_REQUESTS):
        return ()
    known = _by_reference(line.reference for line in given if line.reference)
    parcels = _by_parcel(line.tracking_number for line in given if line.tracking_number)
    lines, first = [], dict[str, int]()
    for line in given:
        rows = parcels.get(line.tracking_number, [])
        row = known.get(line.reference) if line.reference else (rows[0] if len(rows) == 1 else None)
        refused = line.refused or _refusal(line, row, rows)
        if row is not None and not refused:
            if row.reference in first:
                refused = _("Déjà donnée à la ligne %(first)d du fichier.", first=first[row.reference])
            first.setdefault(row.reference, line.number)
        data = {"tracking_number": line.tracking_number, "line": line.number}
        if line.collected_on is not None:
            data["day"] = line.collected_on.isoformat()
        lines.append(_line(line.reference or line.tracking_number, row, data, refused))
    return tuple(lines)


def _refusal(line: CollectionLine, row: Any, rows: Sequence[Any]) -> str:
    if line.reference and row is None:
        return _unknown()
    if line.tracking_number and not rows:
        return _("Aucun certificat n'a été expédié sous ce numéro de suivi.")
    if row is None:
        references = ", ".join(each.reference for each in rows)
        return _("Ce numéro est celui de plusieurs demandes (%(references)s) : nommez-les.", references=references)
    if line.tracking_number and row.reference not in [each.reference for each in rows]:
        return _(
            "Ce numéro de suivi est celui de %(other)s, pas de %(reference)s.",
            other=rows[0].reference,
            reference=row.reference,
        )
    return ""


def _unknown() -> str:
    return _("Aucune demande n'a cette référence.")


def _line(reference: str, row: Any, data: dict[str, Any], refused: str) -> Line:
    if refused or row is None:
        return Line(reference, None, None, {**data, "refused": refused})
    return Line(row.reference, row.id, row.version, data)


def _by_reference(references: Iterable[str]) -> dict[str, Any]:
    rows = db.session.execute(
        select(CertificateRequest.id, CertificateRequest.reference, CertificateRequest.version).where(
            CertificateRequest.reference.in_(sorted(set(references)))
        )
    )
    return {row.reference: row for row in rows}


def _by_parcel(numbers: Iterable[str]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    rows = db.session.execute(
        select(
            CertificateRequest.id,
            CertificateRequest.reference,
            CertificateRequest.version,
            Certificate.tracking_number,
        )
        .join(Certificate, Certificate.request_id == CertificateRequest.id)
        .where(Certificate.tracking_number.in_(sorted(set(numbers))))
        .order_by(CertificateRequest.id)
    )
    for row in rows:
        found.setdefault(row.tracking_number or "", []).append(row)
    return found

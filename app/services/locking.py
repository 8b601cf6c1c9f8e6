"""Row locks and stale pages (STA-2)."""

from __future__ import annotations

from typing import Any, TypeVar

from flask_babel import gettext as _
from sqlalchemy import select

from app.clock import local
from app.errors import NotFound, StaleObject
from app.extensions import db
from app.models import HistoryEntry

M = TypeVar("M")

TALK = ("message_sent", "message_retracted")
"""Lines of the history that change nothing of the file: they explain no newer version."""

OF_A_PAYMENT = 300
"""Lines of a payment's history that are looked through."""


def lock(model: type[M], row_id: int) -> M:
    """The row, locked and read afresh, for the rest of the transaction. Raises NotFound."""
    entity: Any = model
    row = db.session.execute(
        select(model).where(entity.id == row_id).with_for_update(of=entity).execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if row is None:
        raise NotFound(_("Cet élément n'existe pas ou n'existe plus."))
    return row


def check_version(row: Any, expected: int | None, *, for_staff: bool = False) -> None:
    """Refuse to act from a page older than the row. Raises StaleObject naming who changed it and when (REV-7).

    Clients read « TunTrust » where an officer acted, staff read the name.
    """
    if expected is None or row.version == expected:
        return
    entry = _latest_history(row)
    if entry is None:
        raise StaleObject(_("Cet élément a changé depuis l'ouverture de la page. Relisez-le avant de continuer."))
    raise StaleObject(
        _(
            "%(who)s a modifié cet élément le %(when)s, après l'ouverture de votre page. "
            "Votre saisie est conservée : relisez avant de continuer.",
            who=_who(entry, for_staff=for_staff),
            when=_moment(entry),
        )
    )


def overtaken_by(row: Any, expected: int | None, *, for_staff: bool = False) -> str:
    """Who changed the row after the actor's page, and when: what explains a move no longer possible. Else « »."""
    entry = _latest_history(row) if expected is not None and row.version != expected else None
    if entry is None:
        return ""
    who = _who(entry, for_staff=for_staff)
    return _("%(who)s a modifié ce dossier le %(when)s.", who=who, when=_moment(entry))


def _who(entry: HistoryEntry, *, for_staff: bool) -> str:
    return "TunTrust" if entry.by_staff and not for_staff else entry.actor_label


def _moment(entry: HistoryEntry) -> str:
    return local(entry.at).strftime("%d/%m/%Y à %H:%M")


def _latest_history(row: Any) -> HistoryEntry | None:
    """The latest line about the row itself: an organisation's own, not one of a request or payment of it."""
    if row.__tablename__ == "credit_proposals":
        return _latest_of_payment(row.invoice.payment_id, "proposal", row.reference)
    if row.__tablename__ == "refunds":
        return _latest_of_payment(row.payment_id, "credit_note", row.credit_note.number)
    if row.__tablename__ == "revocations":
        about = (
            HistoryEntry.request_id == row.certificate.request_id,
            HistoryEntry.action.startswith("revocation_", autoescape=True),
        )
        return db.session.scalar(select(HistoryEntry).where(*about).order_by(HistoryEntry.id.desc()).limit(1))
    if row.__tablename__ == "certificates":
        about = (HistoryEntry.request_id == row.request_id, HistoryEntry.action.startswith("certificate_"))
        return db.session.scalar(select(HistoryEntry).where(*about).order_by(HistoryEntry.id.desc()).limit(1))
    column = {
        "certificate_requests": HistoryEntry.request_id,
        "organisations": HistoryEntry.organisation_id,
        "payments": HistoryEntry.payment_id,
    }.get(row.__tablename__)
    if column is None:
        return None
    wanted = select(HistoryEntry).where(column == row.id, HistoryEntry.action.not_in(TALK))
    if column is HistoryEntry.organisation_id:
        wanted = wanted.where(HistoryEntry.request_id.is_(None), HistoryEntry.payment_id.is_(None))
    return db.session.execute(wanted.order_by(HistoryEntry.id.desc()).limit(1)).scalar_one_or_none()


def _latest_of_payment(payment_id: int, name: str, value: str) -> HistoryEntry | None:
    """Credit notes and refunds have their lines among their payment's: the latest that names this one."""
    entries = db.session.scalars(
        select(HistoryEntry)
        .where(HistoryEntry.payment_id == payment_id)
        .order_by(HistoryEntry.id.desc())
        .limit(OF_A_PAYMENT)
    )
    return next((entry for entry in entries if entry.details.get(name) == value), None)

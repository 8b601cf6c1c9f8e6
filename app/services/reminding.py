"""Reminders of missing pieces, and the rejection of a request that nobody answered, when switched on (REV-5).

Which reminders are due follows from days, and ``DocumentAsk.reminders`` counts those that left or whose day had
come before the ask: each leaves once, however often the job runs, and a week without a scheduler makes one mail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from flask_babel import gettext as _
from sqlalchemy import select

from app import clock
from app.extensions import db
from app.models import CertificateRequest, DocumentAsk, DocumentAskItem, Organisation
from app.permissions import SYSTEM
from app.queries.asks import left_of
from app.services import audit, settings
from app.services.announcing import tell_administrators, tell_people_of_request
from app.services.deciding import reject
from app.services.links import public_url
from app.services.locking import lock
from app.services.supplying import item_label
from app.services.unit_of_work import use_case
from app.states import RequestState

LAST_NOTICE = 2
"""Days before a rejection at which the client is told once more."""
BATCH = 500
REJECTED_A_RUN = 50
"""At most so many rejections a run: a wrong setting is noticed before it has emptied the desk."""


@dataclass(frozen=True, slots=True)
class Left:
    """A point without an answer, called in the language of each mail's reader."""

    item: DocumentAskItem

    @property
    def label(self) -> str:
        """What it is about."""
        return item_label(self.item)


def rejection_day(ask: DocumentAsk) -> date | None:
    """When the request is rejected if a point stays unanswered; None: never (the setting's default).

    Counted from the day the client was to answer, and never from before the setting: nobody is surprised.
    """
    days = settings.get("documents.reject_after_days")
    if not days or ask.request_id is None or ask.due_on is None:
        return None
    set_at = settings.set_at("documents.reject_after_days")
    start = max(ask.due_on, clock.local(set_at).date()) if set_at is not None else ask.due_on
    return start + timedelta(days=days)


def reminder_days(ask: DocumentAsk) -> list[date]:
    """The days on which this ask is recalled, the earliest first."""
    if ask.due_on is None:
        return []
    numbers = [int(part) for part in str(settings.get("documents.reminder_days")).split(",") if part.strip()]
    days = sorted(ask.due_on - timedelta(days=number) for number in numbers)
    rejected_on = rejection_day(ask)
    return [*days, rejected_on - timedelta(days=LAST_NOTICE)] if rejected_on is not None else days


def reminders_before(ask: DocumentAsk) -> int:
    """How many of them have come on the day of the ask itself: a short delay brings no reminder the next minute."""
    return sum(day <= clock.today() for day in reminder_days(ask))


def remind_of_documents() -> str:
    """Recall every open ask whose day has come, once each; a summary for the list of jobs."""
    sent = _each(_reminder_due, _remind)
    return _("Rappels envoyés : %(count)d.", count=sent)


def reject_unanswered() -> str:
    """Reject the requests whose day has come, at most ``REJECTED_A_RUN``; nothing while the setting is 0."""
    if not settings.get("documents.reject_after_days"):
        return _("Aucun rejet : le réglage est à 0.")
    done = _each(_rejection_due, _reject, limit=REJECTED_A_RUN)
    return _("Demandes rejetées sans réponse : %(count)d.", count=done)


def _each(due: Callable[[DocumentAsk], bool], act: Callable[[int], bool], *, limit: int | None = None) -> int:
    """Act on the open asks that are due, each in its own transaction, read in batches by id; how many it acted on."""
    done, last = 0, 0
    while True:
        asks = db.session.scalars(
            select(DocumentAsk)
            .where(DocumentAsk.closed_at.is_(None), DocumentAsk.due_on.is_not(None), DocumentAsk.id > last)
            .order_by(DocumentAsk.id)
            .limit(BATCH)
        ).all()
        last = asks[-1].id if asks else last
        for ask_id in [ask.id for ask in asks if due(ask)]:
            done += act(ask_id)
            if limit is not None and done >= limit:
                return done
        if len(asks) < BATCH:
            return done


def _locked(ask_id: int) -> DocumentAsk | None:
    """The ask, still open, under its file's lock (the order everybody locks in)."""
    found = db.session.get_one(DocumentAsk, ask_id)
    if found.request_id is not None:
        lock(CertificateRequest, found.request_id)
    elif found.organisation_id is not None:
        lock(Organisation, found.organisation_id)
    ask = lock(DocumentAsk, ask_id)
    return ask if ask.closed_at is None else None


def _reminder_due(ask: DocumentAsk) -> bool:
    over = ask.due_on is None or (clock.today() > ask.due_on and rejection_day(ask) is None)
    return not over and reminders_before(ask) > ask.reminders


@use_case
def _remind(ask_id: int) -> bool:
    ask = _locked(ask_id)
    if ask is None or ask.due_on is None or not _reminder_due(ask):
        return False
    ask.reminders, ask.reminded_at = reminders_before(ask), clock.now()
    left = left_of(ask)
    context = {
        "left": [Left(item) for item in left],
        "due_on": ask.due_on,
        "late": ask.due_on < clock.today(),
        "rejected_on": rejection_day(ask),
        "necessary": rejection_day(ask) is not None,
    }
    if ask.request_id is not None:
        request = db.session.get_one(CertificateRequest, ask.request_id)
        link = public_url("requests.answer", reference=request.reference)
        tell_people_of_request("documents_reminder", request, link=link, **context)
    else:
        organisation = db.session.get_one(Organisation, ask.organisation_id)
        tell_administrators(
            "organisation_documents_reminder", organisation, link=public_url("organisation.show"), **context
        )
    audit.record(SYSTEM, "remind_documents", ask, after={"left": len(left), "reminder": ask.reminders})
    return True


def _rejection_due(ask: DocumentAsk) -> bool:
    """Its day has come, and the last notice left two days ago or more."""
    rejected_on = rejection_day(ask)
    if rejected_on is None or rejected_on > clock.today() or ask.reminded_at is None:
        return False
    notice = clock.local(ask.reminded_at).date()
    return rejected_on - timedelta(days=LAST_NOTICE) <= notice <= clock.today() - timedelta(days=LAST_NOTICE)


@use_case
def _reject(ask_id: int) -> bool:
    """Never when every point is answered: then the client only forgot a button."""
    ask = _locked(ask_id)
    if ask is None or ask.request_id is None or not _rejection_due(ask) or not left_of(ask):
        return False
    request = db.session.get_one(CertificateRequest, ask.request_id)
    if request.state is not RequestState.EN_ATTENTE_DE_JUSTIFICATIFS:
        return False
    why = _("Les pièces demandées n'ont pas été apportées dans le délai annoncé.")
    reject(request.id, actor=SYSTEM, reason=why)
    return True

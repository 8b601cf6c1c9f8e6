"""The scheduled jobs: thin calls of services, safe to run twice, and when each runs (JOB-1, JOB-2).

A slot is a moment at which a job is due, the same for every process; ``job_runs`` lets each slot run once.
Services are imported where they are called, so that a web process does not load what only jobs use.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext as _n
from sqlalchemy.exc import SQLAlchemyError

from app import clock
from app.errors import NotFound
from app.extensions import db
from app.services import job_runs

log = structlog.get_logger()
_EPOCH = datetime.fromisoformat("2026-01-01T00:00:00+00:00")


class When(Protocol):
    """When a job is due."""

    def latest(self, moment: datetime) -> datetime:
        """The last time it was due, up to and including ``moment``."""

    def following(self, moment: datetime) -> datetime:
        """The first time it is due after ``moment``."""


@dataclass(frozen=True, slots=True)
class Every:
    """Due every so many seconds, counted from a fixed moment, so that all processes mean the same slots."""

    seconds: int

    def latest(self, moment: datetime) -> datetime:
        """The last multiple."""
        step = timedelta(seconds=self.seconds)
        return _EPOCH + (moment - _EPOCH) // step * step

    def following(self, moment: datetime) -> datetime:
        """The next multiple."""
        return self.latest(moment) + timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class Daily:
    """Due at a time of day in Tunis; on working days only (Monday to Friday) when asked."""

    hour: int
    minute: int = 0
    weekdays: bool = False

    def latest(self, moment: datetime) -> datetime:
        """Today's time when it has come, else the day before's."""
        local = clock.local(moment)
        day = local.replace(hour=self.hour, minute=self.minute, second=0, microsecond=0)
        if day > local:
            day -= timedelta(days=1)
        while self.weekdays and day.weekday() > 4:
            day -= timedelta(days=1)
        return day

    def following(self, moment: datetime) -> datetime:
        """The next day's time that counts."""
        day = self.latest(moment) + timedelta(days=1)
        while self.weekdays and day.weekday() > 4:
            day += timedelta(days=1)
        return day


@dataclass(frozen=True, slots=True)
class Job:
    """One line of the schedule. ``grace``: a slot missed (the scheduler was down) is made up for within it."""

    name: str
    when: When
    grace: timedelta
    run: Callable[[], object]
    description: object


def send_mails() -> object:
    """MAI-1."""
    from app.services.mailing import send_due_mails

    return send_due_mails(limit=100)


def message_notices() -> object:
    """MSG-1."""
    from app.services.messaging import send_notices

    return _n("%(num)d courriel", "%(num)d courriels", send_notices())


def work_bulk_runs() -> object:
    """QUE-4."""
    from app.services.bulk import work_open_runs

    return work_open_runs()


def reconcile_payments() -> object:
    """PAY-3."""
    from app.services.payments import reconcile_payments as service

    return service()


def transmit_invoices() -> object:
    """INV-3."""
    from app.services.transmitting import transmit_due

    return transmit_due()


def activation_reminders() -> object:
    """ACT-3."""
    from app.services.activation import remind_unactivated

    return remind_unactivated()


def activation_purge() -> object:
    """ACT-3."""
    from app.services.purging import purge_unactivated

    return purge_unactivated()


def remind_of_documents() -> object:
    """REV-5."""
    from app.services.reminding import remind_of_documents as service

    return service()


def reject_unanswered() -> object:
    """REV-5: nothing unless a setting says so."""
    from app.services.reminding import reject_unanswered as service

    return service()


def remind_uncollected() -> object:
    """CRT-3."""
    from app.services.radar import remind_uncollected as service

    return service()


def revoke_uncollected() -> object:
    """CRT-3: nothing unless a setting says so."""
    from app.services.radar import revoke_uncollected as service

    return service()


def expire_certificates() -> object:
    """CRT-5."""
    from app.services.expiring import expire_certificates as service

    return service()


def announce_expiries() -> object:
    """CRT-5."""
    from app.services.expiring import announce_expiries as service

    return service()


def purge_drafts() -> object:
    """Sign-ups and files of people given up."""
    from app.services.drafts import purge_drafts as service
    from app.services.order_files.drafting import purge_files

    return _forgotten(service() + purge_files())


def purge_certificate_batches() -> object:
    """CRT-1: batches that nobody confirmed."""
    from app.services.certificate_batches import forget_old_batches

    return _forgotten(forget_old_batches())


def scan_quarantined() -> object:
    """Files that the antivirus could not read when they came."""
    from app.services.documents import scan_quarantined as service

    return _n("%(num)d fichier libéré", "%(num)d fichiers libérés", service())


def run_inspections() -> object:
    """REV-3."""
    from app.services.inspecting import run_due_inspections

    return run_due_inspections()


def purge_orphan_files() -> object:
    """Files that no row names."""
    from app.services.drafts import purge_orphan_files as service

    return _forgotten(service())


def anchor_journal() -> object:
    """AUD-1."""
    from app.services.anchoring import anchor_head

    return anchor_head()


def purge_attempts() -> object:
    """LOG-2."""
    from app.services.attempts import purge_old_attempts

    return _forgotten(purge_old_attempts())


def purge_presences() -> object:
    """QUE-3."""
    from app.services.presence import forget_presences

    return _forgotten(forget_presences())


def purge_sessions() -> object:
    """SEC-2."""
    from app.services.accounts import purge_old_sessions

    return _forgotten(purge_old_sessions())


def send_digests() -> object:
    """JOB-1: digests for agents."""
    from app.services.digests import send_digests as service

    return service()


def retention() -> object:
    """JOB-1: what is not kept for ever."""
    from app.services.retention import forget_old_mail

    return forget_old_mail()


def trim_runs() -> object:
    """JOB-2."""
    return _forgotten(job_runs.trim_runs())


def _forgotten(count: int) -> str:
    """What a purge did, for the list of jobs."""
    return _n("%(num)d élément effacé", "%(num)d éléments effacés", count) if count else _("Rien à effacer")


_SOON = timedelta(hours=1)
_DAY = timedelta(hours=23)
_OFFICE_HOURS = timedelta(hours=8)

SCHEDULE: tuple[Job, ...] = (
    Job("send_mails", Every(5), _SOON, send_mails, _l("Envoyer les e-mails en attente")),
    Job("message_notices", Every(60), _SOON, message_notices, _l("Annoncer les messages de TunTrust")),
    Job("bulk_runs", Every(4), _SOON, work_bulk_runs, _l("Traiter les actions en masse")),
    # REL-3: what a crash left unconfirmed is put right within a minute of the restart, whatever slot had run before it
    Job("reconcile_payments", Every(45), _SOON, reconcile_payments, _l("Rapprocher les paiements en cours")),
    Job("transmit_invoices", Every(300), _DAY, transmit_invoices, _l("Envoyer les factures électroniques à TTN")),
    Job("activation_reminders", Every(600), _SOON, activation_reminders, _l("Rappeler les comptes à activer")),
    Job("activation_purge", Every(600), _SOON, activation_purge, _l("Supprimer les inscriptions non activées")),
    Job("remind_of_documents", Daily(8, 45), _DAY, remind_of_documents, _l("Rappeler les pièces manquantes")),
    Job("reject_unanswered", Daily(9, 30), _DAY, reject_unanswered, _l("Rejeter les demandes restées sans réponse")),
    # a digest of the morning is no use in the night: made up for until five in the afternoon
    Job("send_digests", Daily(9, weekdays=True), _OFFICE_HOURS, send_digests, _l("Résumer leur journée aux agents")),
    Job("remind_uncollected", Daily(8, 15), _DAY, remind_uncollected, _l("Rappeler les certificats à retirer")),
    Job("revoke_uncollected", Daily(9, 40), _DAY, revoke_uncollected, _l("Révoquer les certificats non retirés")),
    Job("expire_certificates", Daily(0, 20), _DAY, expire_certificates, _l("Clore les certificats expirés")),
    Job("announce_expiries", Daily(8, 30), _DAY, announce_expiries, _l("Annoncer les certificats à renouveler")),
    Job("scan_quarantined", Every(300), _SOON, scan_quarantined, _l("Contrôler les fichiers en quarantaine")),
    Job("run_inspections", Every(5), _SOON, run_inspections, _l("Contrôler les documents reçus")),
    Job("purge_drafts", Every(3600), _DAY, purge_drafts, _l("Supprimer les inscriptions et les fichiers abandonnés")),
    Job(
        "purge_certificate_batches",
        Every(3600),
        _DAY,
        purge_certificate_batches,
        _l("Oublier les lots de certificats non confirmés"),
    ),
    Job("purge_orphan_files", Every(3600), _DAY, purge_orphan_files, _l("Supprimer les fichiers orphelins")),
    Job("anchor_journal", Every(3600), _DAY, anchor_journal, _l("Noter la fin du journal hors de la base")),
    Job("trim_runs", Every(3600), _DAY, trim_runs, _l("Raccourcir l'historique des tâches")),
    Job("purge_attempts", Daily(3, 10), _DAY, purge_attempts, _l("Oublier les essais de connexion anciens")),
    Job("purge_presences", Daily(3, 15), _DAY, purge_presences, _l("Oublier qui regardait quel dossier")),
    Job("retention", Daily(3, 30), _DAY, retention, _l("Effacer le texte des courriels anciens")),
    Job("purge_sessions", Daily(3, 20), _DAY, purge_sessions, _l("Oublier les sessions terminées")),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    run_id: int
    result: str
    error: str
    seconds: float


def job_named(name: str) -> Job:
    """A line of the schedule. Raises NotFound."""
    for job in SCHEDULE:
        if job.name == name:
            return job
    raise NotFound(_("Il n'y a pas de tâche de ce nom."))


def run_slot(job: Job, *, left_behind: set[int] | None = None) -> Outcome | None:
    """Run the job's present slot, unless it ran before; None then. Needs an application context."""
    slot = job.when.latest(clock.now()).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    run_id = job_runs.start_run(job.name, slot, left_behind=left_behind or ())
    if left_behind is not None and run_id is not None:
        left_behind.discard(run_id)  # ours now: nobody takes it from us
    return None if run_id is None else _perform(job, run_id)


def run_by_hand(name: str) -> Outcome:
    """``flask jobs run``: run a job now, in this process, whatever its slots. Raises NotFound."""
    job = job_named(name)
    run_id = job_runs.start_run(job.name, f"manuel-{uuid.uuid4().hex[:24]}")
    assert run_id is not None  # noqa: S101 - a random slot is free
    return _perform(job, run_id)


def run_asked(run_id: int, name: str) -> Outcome:
    """A run that was asked for on the page, taken up by the scheduler (JOB-2). Needs an application context."""
    try:
        return _perform(job_named(name), run_id)
    except NotFound as gone:  # asked of an older release
        job_runs.finish_run(run_id, error=str(gone))
        return Outcome(run_id, "", str(gone), 0.0)


def _perform(job: Job, run_id: int) -> Outcome:
    started = time.monotonic()
    result = error = ""
    try:
        done = job.run()
        result = "" if done is None else str(done)
    except Exception as fault:
        db.session.rollback()
        error = _reason(fault)
        log.exception("job_failed", job=job.name, run=run_id)
    seconds = time.monotonic() - started
    job_runs.finish_run(run_id, result=result, error=error)
    log.debug("job_ran", job=job.name, run=run_id, result=result, error=error, seconds=round(seconds, 3))
    return Outcome(run_id, result, error, seconds)


def _reason(fault: Exception) -> str:
    """What may be shown: a database error's statement and values may hold people's data (SEC-6)."""
    if isinstance(fault, SQLAlchemyError):
        inner = getattr(fault, "orig", None)
        return f"{type(fault).__name__} ({type(inner).__name__})" if inner is not None else type(fault).__name__
    return f"{type(fault).__name__}: {fault}".split("\n", 1)[0][:500]

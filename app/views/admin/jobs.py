"""« Tâches »: what the scheduler does, how it went, and « Lancer » (JOB-2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import flash, redirect, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app import clock, jobs
from app.models import JobRun
from app.permissions import Permission
from app.queries.jobs import last_runs, latest_activity, recent_runs
from app.services.job_desk import launch_job
from app.views.admin.gate import Gate
from app.web import current_actor

LATE = timedelta(minutes=10)
SILENT = timedelta(minutes=2)
"""The busiest jobs run every few seconds: a scheduler that began nothing for so long does not run."""


@dataclass(frozen=True, slots=True)
class JobLine:
    """A job as the page shows it."""

    job: jobs.Job
    last: JobRun | None
    following: datetime
    seconds: str
    outcome: str
    tone: str


def _line(job: jobs.Job, last: JobRun | None) -> JobLine:
    moment = clock.now()
    return JobLine(job, last, job.when.following(moment), duration(last), *_outcome(last, moment))


def _silence() -> datetime | None:
    """Since when the scheduler has begun nothing, if it should have."""
    latest = latest_activity()
    return latest if latest is not None and clock.now() - latest > SILENT else None


def duration(run: JobRun | None) -> str:
    """How long a run took, in seconds."""
    if run is None or run.finished_at is None:
        return ""
    return _("%(seconds)s s", seconds=f"{(run.finished_at - run.started_at).total_seconds():.1f}".replace(".", ","))


def _outcome(run: JobRun | None, moment: datetime) -> tuple[str, str]:
    if run is None:
        return _("Jamais lancée"), "calm"
    if run.waiting:
        return _("Demandée"), "blue"
    if run.finished_at is None:
        return (_("Interrompue"), "bad") if moment - run.started_at > LATE else (_("En cours"), "blue")
    return (_("Échec"), "bad") if run.error else (_("Réussie"), "ok")


class Jobs(Gate):
    """The schedule is code (``app/jobs.py``); this page shows it and runs a job by hand."""

    read = (Permission.RUN_JOBS,)
    write = (Permission.RUN_JOBS,)
    offered = frozenset({"index_view"})

    def __init__(self) -> None:
        super().__init__(name=_l("Tâches"), endpoint="taches", url="/admin/taches")

    @expose("/")
    def index_view(self) -> str:
        """The schedule."""
        last = last_runs()
        lines = [_line(job, last.get(job.name)) for job in jobs.SCHEDULE]
        failed = sum(line.tone == "bad" for line in lines)
        return str(self.render("admin/jobs.html", lines=lines, failed=failed, silent_since=_silence()))

    @expose("/<job_name>")
    def history(self, job_name: str) -> str:
        """A job's last runs."""
        job = jobs.job_named(job_name)
        runs = [(run, duration(run), *_outcome(run, clock.now())) for run in recent_runs(job.name)]
        open_run = any(run.waiting or run.finished_at is None for run, *_rest in runs)
        return str(self.render("admin/job.html", job=job, runs=runs, open_run=open_run, silent_since=_silence()))

    @expose("/<job_name>/lancer", methods=("POST",))
    def run(self, job_name: str) -> Any:
        """Have it run now, whatever its hour: the scheduler takes it up within a second, nobody waits here."""
        job = jobs.job_named(job_name)
        launch_job(job.name, actor=current_actor())
        flash(_("« %(job)s » est demandée : l'ordonnanceur la lance dans la seconde.", job=job.description), "success")
        return redirect(url_for("taches.history", job_name=job.name))


VIEWS = (Jobs,)

"""The runs of the scheduled jobs, kept so that a slot runs once and people see what happened (JOB-1, JOB-2)."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from app import clock
from app.extensions import db
from app.models import JobRun
from app.services.unit_of_work import use_case

KEPT_RUNS = 300
KEPT_FOR = timedelta(days=30)


@use_case
def start_run(job: str, slot: str, *, take_over: bool = False) -> int | None:
    """Take a slot of a job; the run's id, or None when the slot was taken before, by whichever process.

    ``take_over``: a run of that slot that never ended is taken too. Only a scheduler that has just been elected
    may ask it: whoever led before it is gone.
    """
    run = JobRun(job=job, slot=slot, started_at=clock.now())
    try:
        with db.session.begin_nested():
            db.session.add(run)
    except IntegrityError:
        if not take_over:
            return None
    else:
        return run.id
    unfinished = db.session.scalar(
        select(JobRun)
        .where(JobRun.job == job, JobRun.slot == slot, JobRun.finished_at.is_(None))
        .with_for_update(skip_locked=True)
    )
    if unfinished is None:
        return None
    unfinished.started_at = clock.now()
    return unfinished.id


@use_case
def finish_run(run_id: int, *, result: str = "", error: str = "") -> None:
    """Say how a run ended: what it did, or why it failed."""
    run = db.session.get(JobRun, run_id)
    if run is not None:
        run.finished_at = clock.now()
        run.result = result[:2000]
        run.error = error[:2000]


@use_case
def trim_runs() -> int:
    """Forget old runs: of each job its last 300, and none older than 30 days but its very last; returns how many.

    A slot is never asked for again once a later one has run, so what is forgotten cannot run twice.
    """
    forgotten = 0
    for job in db.session.scalars(select(JobRun.job).distinct()).all():
        newest = select(JobRun.id).where(JobRun.job == job).order_by(JobRun.id.desc())
        last = db.session.scalar(newest.limit(1))
        first_kept = db.session.scalar(newest.offset(KEPT_RUNS - 1).limit(1)) or 0
        old = (JobRun.id < first_kept) | (JobRun.started_at < clock.now() - KEPT_FOR)
        result = db.session.execute(delete(JobRun).where(JobRun.job == job, JobRun.id != last, old))
        forgotten += int(getattr(result, "rowcount", 0))
    return forgotten

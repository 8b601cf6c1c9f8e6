"""The runs of the scheduled jobs, kept so that a slot runs once and people see what happened (JOB-1, JOB-2)."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from app import clock
from app.extensions import db
from app.models import JobRun
from app.services.unit_of_work import use_case

KEPT_RUNS = 300
KEPT_FOR = timedelta(days=30)
KEPT_ALL = timedelta(hours=3)
"""Every run so young is remembered: a clock put back by less makes no slot run twice."""
ASKED = "demande-"
"""How the slot of a run begins that a person asked for on the page; the scheduler's own are moments."""


@use_case
def start_run(job: str, slot: str, *, left_behind: Collection[int] = ()) -> int | None:
    """Take a slot of a job; the run's id, or None when the slot was taken before, by whichever process.

    ``left_behind``: runs that a scheduler which is gone had begun; one of them is taken over by who was elected.
    """
    run = JobRun(job=job, slot=slot, started_at=clock.now())
    try:
        with db.session.begin_nested():
            db.session.add(run)
    except IntegrityError:
        if not left_behind:
            return None
    else:
        return run.id
    unfinished = db.session.scalar(
        select(JobRun)
        .where(JobRun.job == job, JobRun.slot == slot, JobRun.finished_at.is_(None), JobRun.id.in_(left_behind))
        .with_for_update(skip_locked=True)
    )
    if unfinished is None:
        return None
    unfinished.started_at = clock.now()
    return unfinished.id


@use_case
def ask_run(job: str) -> int:
    """Leave word that the job shall run now; the run's id. One that waits already is that run (a double click)."""
    waiting = db.session.scalar(select(JobRun.id).where(JobRun.job == job, JobRun.waiting))
    if waiting is not None:
        return waiting
    run = JobRun(job=job, slot=f"{ASKED}{uuid.uuid4().hex[:24]}", started_at=clock.now(), waiting=True)
    db.session.add(run)
    db.session.flush()
    return run.id


def claim_asked() -> list[tuple[int, str]]:
    """Take up what was asked for, each by one process: the ids of the runs and the names of their jobs."""
    if db.session.scalar(select(JobRun.id).where(JobRun.waiting).limit(1)) is None:
        return []
    return _claim_asked()


@use_case
def _claim_asked() -> list[tuple[int, str]]:
    asked = db.session.scalars(
        select(JobRun).where(JobRun.waiting).order_by(JobRun.id).with_for_update(skip_locked=True)
    ).all()
    for run in asked:
        run.waiting, run.started_at = False, clock.now()
    return [(run.id, run.job) for run in asked]


def left_behind() -> set[int]:
    """The runs that never ended, asked by a scheduler just elected before it begins any: nobody works on them."""
    unfinished = db.session.scalars(
        select(JobRun.id).where(
            JobRun.finished_at.is_(None), JobRun.waiting.is_(False), JobRun.started_at > clock.now() - KEPT_FOR
        )
    )
    return set(unfinished)


@use_case
def put_back_asked() -> None:
    """What was asked for and begun by a scheduler that is gone is taken up again. Only for one just elected."""
    lost = JobRun.slot.startswith(ASKED) & JobRun.finished_at.is_(None)
    db.session.execute(update(JobRun).where(lost).values(waiting=True))


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
    """Forget old runs; returns how many. Of each job its last 300 stay, those of the last three hours, its very last.

    A slot is never asked for again once a later one has run, so what is forgotten cannot run twice.
    """
    forgotten = 0
    for job in db.session.scalars(select(JobRun.job).distinct()).all():
        newest = select(JobRun.id).where(JobRun.job == job).order_by(JobRun.id.desc())
        last = db.session.scalar(newest.limit(1))
        first_kept = db.session.scalar(newest.offset(KEPT_RUNS - 1).limit(1)) or 0
        many = (JobRun.id < first_kept) & (JobRun.started_at < clock.now() - KEPT_ALL)
        old = many | (JobRun.started_at < clock.now() - KEPT_FOR)
        result = db.session.execute(delete(JobRun).where(JobRun.job == job, JobRun.id != last, old))
        forgotten += int(getattr(result, "rowcount", 0))
    return forgotten

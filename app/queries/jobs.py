"""What the scheduled jobs did (JOB-2) and how far behind the outbox is (OPS-2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from app.extensions import db
from app.models import JobRun, OutboxMail


@dataclass(frozen=True, slots=True)
class OutboxBacklog:
    """Mails not sent: waiting (and since when the oldest of them), and given up."""

    waiting: int
    oldest: datetime | None
    dead: int


def last_runs() -> dict[str, JobRun]:
    """The latest run of each job that ever ran."""
    latest = select(func.max(JobRun.id)).group_by(JobRun.job)
    return {run.job: run for run in db.session.scalars(select(JobRun).where(JobRun.id.in_(latest)))}


def last_successes() -> dict[str, datetime]:
    """When each job last ended well."""
    statement = (
        select(JobRun.job, func.max(JobRun.finished_at))
        .where(JobRun.finished_at.is_not(None), JobRun.error == "")
        .group_by(JobRun.job)
    )
    return {job: moment for job, moment in db.session.execute(statement) if moment is not None}


def recent_runs(job: str, limit: int = 20) -> list[JobRun]:
    """The latest runs of one job, newest first."""
    statement = select(JobRun).where(JobRun.job == job).order_by(JobRun.id.desc()).limit(limit)
    return list(db.session.scalars(statement))


def latest_activity() -> datetime | None:
    """When the scheduler last began anything: None when it never did."""
    return db.session.scalar(select(func.max(JobRun.started_at)).where(JobRun.waiting.is_(False)))


def outbox_backlog() -> OutboxBacklog:
    """How many mails wait, and how many were given up."""
    waiting = select(func.count(), func.min(OutboxMail.created_at)).where(
        OutboxMail.sent_at.is_(None), OutboxMail.dead_at.is_(None)
    )
    dead = select(func.count()).where(OutboxMail.sent_at.is_(None), OutboxMail.dead_at.is_not(None))
    count, oldest = db.session.execute(waiting).one()
    return OutboxBacklog(waiting=count, oldest=oldest, dead=db.session.scalar(dead) or 0)

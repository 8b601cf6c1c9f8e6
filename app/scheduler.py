"""One scheduler over any number of processes and machines (JOB-1).

Every process that may schedule waits for the leader's lock; the one that has it runs APScheduler. Its death frees
the lock, and the next one makes up for the slots that were missed, each once. A leader that lost its lock without
noticing yet does no harm: a slot's row in ``job_runs`` can be taken once.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from app import clock
from app.adapters.leadership import LeaderLock, leader_lock
from app.extensions import db
from app.jobs import SCHEDULE, Job, When, run_slot
from app.services import rounds

log = structlog.get_logger()

HEARTBEAT = 0.5
"""Seconds between two looks at the lock: how long a death goes unnoticed."""
WORKERS = 4


class SlotTrigger(BaseTrigger):
    """APScheduler's view of ``When``: it fires at the slots, on this machine's clock."""

    def __init__(self, when: When) -> None:
        self._when = when

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """The slot after the previous one, or after now."""
        return self._when.following(max(previous_fire_time, now) if previous_fire_time else now)


def run(app: Flask, stop: threading.Event, *, schedule: tuple[Job, ...] = SCHEDULE) -> None:
    """Lead or wait to lead until ``stop`` is set; then let the running jobs end, and give the lock back."""
    with app.app_context():
        lock = leader_lock(db.engine.url, Path(app.config.get("VAR_DIRECTORY") or app.instance_path))
    try:
        while not stop.is_set():
            if lock.acquire():
                log.info("scheduler_leads")
                _lead(app, lock, stop, schedule)
                lock.release()
                log.info("scheduler_stopped" if stop.is_set() else "scheduler_lost_the_lead")
            stop.wait(HEARTBEAT)
    finally:
        lock.release()


def start_in_thread(app: Flask, stop: threading.Event) -> threading.Thread:
    """The scheduler beside a web server, for development."""
    thread = threading.Thread(target=run, args=(app, stop), name="scheduler")
    thread.start()
    return thread


def _lead(app: Flask, lock: LeaderLock, stop: threading.Event, schedule: tuple[Job, ...]) -> None:
    scheduler = BackgroundScheduler(
        executors={"default": ThreadPoolExecutor(WORKERS)},
        # A job that is late runs once, however late; a job still running is not started a second time.
        job_defaults={"coalesce": True, "max_instances": 1},
        timezone=UTC,
    )
    for job in schedule:
        late = {"misfire_grace_time": max(1, int(job.grace.total_seconds()))}
        scheduler.add_job(_fire, SlotTrigger(job.when), args=(app, job, stop), id=job.name, **late)
        if clock.now() - job.when.latest(clock.now()) <= job.grace:
            scheduler.add_job(
                _fire, args=(app, job, stop, True), id=f"{job.name}, made up for", misfire_grace_time=None
            )
    scheduler.start()
    try:
        while not stop.wait(HEARTBEAT) and lock.held():
            pass
    finally:
        scheduler.shutdown(wait=True)


def _fire(app: Flask, job: Job, stop: threading.Event, take_over: bool = False) -> Any:
    with app.app_context(), rounds.ended_by(stop):
        try:
            return run_slot(job, take_over=take_over)
        except SQLAlchemyError as error:  # the database is away: the slot stays free, or is taken over
            log.warning("job_not_run", job=job.name, error=type(error).__name__)
            return None

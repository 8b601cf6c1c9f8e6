"""One scheduler over any number of processes and machines (JOB-1).

Every process that may schedule waits for the leader's lock; the one that has it runs APScheduler. Its death frees
the lock, and the next one makes up for the slots that were missed, each once. A leader that lost its lock without
noticing yet does no harm: a slot's row in ``job_runs`` can be taken once. A clock that is set, forwards or back, is
noticed too, and the jobs are laid out anew from what it says. Runs asked by hand wait in ``job_runs`` for the leader.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from app import clock
from app.adapters.leadership import LeaderLock, leader_lock
from app.extensions import db
from app.jobs import SCHEDULE, Job, When, run_asked, run_slot
from app.services import job_runs, rounds

log = structlog.get_logger()
T = TypeVar("T")

HEARTBEAT = 0.5
"""Seconds between two looks at the lock: how long a death goes unnoticed."""
WORKERS = 4
CLOCK_JUMP = timedelta(seconds=2)
"""A clock that moves so much more, or less, than time went by was set by somebody."""


class SlotTrigger(BaseTrigger):
    """APScheduler's view of ``When``: it fires at the slots of ``app.clock``, told in this machine's time."""

    def __init__(self, when: When) -> None:
        self._when = when

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """The slot after the previous one, or after now."""
        moved = clock.now() - now
        return self._when.following((max(previous_fire_time, now) if previous_fire_time else now) + moved) - moved


class ClockWatch:
    """Compares the clock with the time that really went by."""

    def __init__(self) -> None:
        self._known = self._difference()

    def jumped(self) -> bool:
        """Was the clock set since it was asked last?"""
        before, self._known = self._known, self._difference()
        return abs(self._known - before) > CLOCK_JUMP

    @staticmethod
    def _difference() -> timedelta:
        return clock.now() - datetime.fromtimestamp(time.monotonic(), UTC)


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
    with app.app_context():  # whoever led before is gone, and what it had begun or was asked is for us
        _quietly(job_runs.put_back_asked)
        left_behind = _quietly(job_runs.left_behind) or set()
    _lay_out(scheduler, app, stop, schedule, left_behind)
    scheduler.start()
    watch = ClockWatch()
    try:
        while not stop.wait(HEARTBEAT) and lock.held():
            if watch.jumped():
                log.warning("scheduler_clock_set")
                _lay_out(scheduler, app, stop, schedule, left_behind)
            for run_id, name in _asked(app):
                scheduler.add_job(
                    _fire_asked, args=(app, run_id, name, stop), id=f"asked {run_id}", misfire_grace_time=None
                )
    finally:
        scheduler.shutdown(wait=True)


def _lay_out(
    scheduler: BackgroundScheduler,
    app: Flask,
    stop: threading.Event,
    schedule: tuple[Job, ...],
    left_behind: set[int],
) -> None:
    """Each job at its slots from now on, and once for the latest one when that was missed or left behind."""
    for job in schedule:
        late = {"misfire_grace_time": max(1, int(job.grace.total_seconds())), "replace_existing": True}
        scheduler.add_job(_fire, SlotTrigger(job.when), args=(app, job, stop), id=job.name, **late)
        if clock.now() - job.when.latest(clock.now()) <= job.grace:
            scheduler.add_job(
                _fire,
                args=(app, job, stop, left_behind),
                id=f"{job.name}, made up for",
                misfire_grace_time=None,
                replace_existing=True,
            )


def _asked(app: Flask) -> list[tuple[int, str]]:
    """The runs that people asked for meanwhile, claimed."""
    with app.app_context():
        return _quietly(job_runs.claim_asked) or []


def _quietly(work: Callable[[], T]) -> T | None:
    try:
        return work()
    except SQLAlchemyError as error:  # the database is away: what was asked waits in it
        log.warning("asked_runs_not_read", error=type(error).__name__)
        return None
    finally:
        db.session.remove()


def _fire_asked(app: Flask, run_id: int, name: str, stop: threading.Event) -> None:
    with app.app_context(), rounds.ended_by(stop):
        run_asked(run_id, name)


def _fire(app: Flask, job: Job, stop: threading.Event, left_behind: set[int] | None = None) -> Any:
    with app.app_context(), rounds.ended_by(stop):
        try:
            return run_slot(job, left_behind=left_behind)
        except SQLAlchemyError as error:  # the database is away: the slot stays free, or is taken over
            log.warning("job_not_run", job=job.name, error=type(error).__name__)
            return None

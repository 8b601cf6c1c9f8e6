"""One scheduler over several processes, on both databases: elected, replaced, each slot once (JOB-1, JOB-2)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app import clock, jobs, scheduler
from app.adapters.leadership import leader_lock
from app.extensions import db
from app.models import JobRun
from app.queries.jobs import last_runs, last_successes, recent_runs
from app.services import job_runs

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent.parent
PROCESS = """
import signal, sys, threading, time
from datetime import timedelta
from pathlib import Path
from app import create_app, jobs, scheduler


journal = Path(sys.argv[2])
name = sys.argv[3]

def note():
    with journal.open("a") as file:
        file.write(f"{name} {time.time():.3f}\\n")

def slow():
    note()
    time.sleep(60 if name == "killed" else 0)
    return "whole"

app = create_app("testing", {"SQLALCHEMY_DATABASE_URI": sys.argv[1], "VAR_DIRECTORY": str(journal.parent)})
table = (jobs.Job("tick", jobs.Every(1), timedelta(hours=1), note, "tick"),)
if len(sys.argv) > 4:
    table = (jobs.Job("yearly", jobs.Every(365 * 86400), timedelta(days=400), slow, "yearly"),)
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
scheduler.run(app, stop, schedule=table)
"""


class Processes:
    """Schedulers in processes of their own, and what they wrote down."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.journal = folder / "journal"
        self.journal.touch()
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, *options: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-c", PROCESS, self.url, str(self.journal), name, *options],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.started.append(process)
        return process

    @property
    def ran(self) -> list[str]:
        return [line.split()[0] for line in self.journal.read_text().splitlines()]

    def wait_for(self, name: str, count: int = 1) -> None:
        until = time.monotonic() + 30
        while self.ran.count(name) < count:
            assert time.monotonic() < until, f"{name} ran {self.ran.count(name)} times; in all: {Counter(self.ran)}"
            time.sleep(0.02)


@pytest.fixture
def processes(app: Any, database_url: str, tmp_path: Path) -> Iterator[Processes]:
    started = Processes(database_url, tmp_path)
    yield started
    for process in started.started:
        process.kill()
        process.wait()


def _runs(job: str) -> list[JobRun]:
    db.session.rollback()
    return list(db.session.scalars(select(JobRun).where(JobRun.job == job).order_by(JobRun.id)))


@pytest.mark.spec("JOB-1")
def test_one_process_leads_and_another_takes_over_within_seconds_of_its_death(processes: Processes) -> None:
    first = processes.start("first")
    processes.wait_for("first", 2)
    processes.start("second")
    processes.start("third")
    processes.wait_for("first", 6)
    assert set(processes.ran) == {"first"}

    os.kill(first.pid, signal.SIGKILL)
    killed = time.monotonic()
    while set(processes.ran) == {"first"}:
        assert time.monotonic() < killed + 8, "nobody took over"  # half a second on an idle machine
        time.sleep(0.02)
    heir = processes.ran[-1]
    processes.wait_for(heir, 3)
    assert set(processes.ran) == {"first", heir}

    slots = [run.slot for run in _runs("tick")]
    assert len(slots) == len(set(slots))
    done = [run for run in _runs("tick") if run.finished_at is not None]
    assert len(processes.ran) - len(done) <= 1  # the one being run at the kill, or just now


@pytest.mark.spec("JOB-1")
def test_a_slot_whose_run_was_killed_is_run_again_by_the_next_leader_once(processes: Processes) -> None:
    killed = processes.start("killed", "yearly")
    processes.wait_for("killed")
    os.kill(killed.pid, signal.SIGKILL)
    processes.start("heir", "yearly")
    processes.wait_for("heir")
    time.sleep(1)
    assert processes.ran == ["killed", "heir"]
    (run,) = _runs("yearly")
    assert (run.result, run.error) == ("whole", "")

    processes.start("another", "yearly")
    processes.started[-2].terminate()
    processes.started[-2].wait(10)
    time.sleep(2)
    assert processes.ran == ["killed", "heir"]


@pytest.mark.spec("JOB-1")
def test_told_to_stop_it_stops_at_once_and_frees_the_lead(processes: Processes) -> None:
    first = processes.start("first")
    processes.wait_for("first")
    first.terminate()
    assert first.wait(10) == 0
    processes.start("second")
    processes.wait_for("second")
    assert all(run.finished_at for run in _runs("tick")[:-1])


def soon(acquire: Callable[[], bool]) -> bool:
    """PostgreSQL frees a lock when the connection's process has ended, a moment after the connection was closed."""
    until = time.monotonic() + 5
    while not (taken := acquire()) and time.monotonic() < until:
        time.sleep(0.02)
    return taken


@pytest.mark.spec("JOB-1")
def test_the_lead_is_one_and_comes_free(app: Any, tmp_path: Path) -> None:
    one, other = (leader_lock(db.engine.url, tmp_path) for _ in range(2))
    assert one.acquire()
    assert not other.acquire()
    assert one.held()
    assert not other.held()
    one.release()
    assert not one.held()
    assert soon(other.acquire)
    other.release()


@pytest.mark.spec("JOB-1")
def test_a_lead_lost_is_noticed(app: Any, tmp_path: Path) -> None:
    """PostgreSQL ends the connection; somebody deletes the file: whoever led must know, and another may lead."""
    one, other = (leader_lock(db.engine.url, tmp_path) for _ in range(2))
    assert one.acquire()
    if db.engine.dialect.name == "postgresql":
        ours = "datname = current_database() AND application_name = 'ecert-scheduler'"
        db.session.execute(db.text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}"))
        db.session.rollback()
    else:
        Path(f"{db.engine.url.database}.scheduler.lock").unlink()
    assert not one.held()
    assert soon(other.acquire)
    assert not one.acquire()
    other.release()
    assert soon(one.acquire)
    one.release()


@pytest.mark.spec("JOB-1")
def test_a_slot_is_taken_once(app: Any) -> None:
    first = job_runs.start_run("tick", "2026-11-17T10:00:00Z")
    assert first is not None
    assert job_runs.start_run("tick", "2026-11-17T10:00:00Z") is None
    assert job_runs.start_run("tick", "2026-11-17T10:00:05Z") is not None
    assert job_runs.start_run("tock", "2026-11-17T10:00:00Z") is not None
    left = job_runs.left_behind()
    assert first in left
    begun = job_runs.start_run("tick", "2026-11-17T10:00:01Z")  # by the scheduler just elected, meanwhile
    assert job_runs.start_run("tick", "2026-11-17T10:00:01Z", left_behind=left) is None
    assert begun is not None
    assert job_runs.start_run("tick", "2026-11-17T10:00:00Z", left_behind=left) == first
    job_runs.finish_run(first, result="fait")
    assert job_runs.start_run("tick", "2026-11-17T10:00:00Z", left_behind=left) is None


@pytest.mark.spec("JOB-1")
def test_missed_slots_are_made_up_for_once(app: Any, travel: Any) -> None:
    ran: list[datetime] = []
    job = jobs.Job("tick", jobs.Every(600), timedelta(hours=1), lambda: ran.append(clock.now()), "tick")
    travel.to(datetime(2026, 11, 17, 10, 0, 1, tzinfo=UTC))
    assert jobs.run_slot(job) is not None
    travel(hours=8)
    assert jobs.run_slot(job) is not None
    assert jobs.run_slot(job) is None
    assert len(ran) == 2
    assert [run.slot for run in _runs("tick")] == ["2026-11-17T10:00:00Z", "2026-11-17T18:00:00Z"]


@pytest.mark.spec("JOB-2")
def test_a_job_that_fails_says_why_without_peoples_data_and_does_not_end_the_schedule(app: Any) -> None:
    def fail() -> None:
        db.session.execute(select(JobRun).where(JobRun.job == "01234567").with_only_columns(db.text("no_such")))

    outcome = jobs.run_slot(jobs.Job("broken", jobs.Every(5), timedelta(hours=1), fail, "broken"))
    assert outcome is not None
    assert outcome.error
    assert "01234567" not in outcome.error
    assert "SELECT" not in outcome.error
    assert last_runs()["broken"].error == outcome.error
    assert "broken" not in last_successes()


@pytest.mark.spec("JOB-2")
def test_every_job_runs_twice_by_hand_without_harm(app: Any, smtp: Any, gateway: Any) -> None:
    for job in jobs.SCHEDULE:
        for _ in range(2):
            outcome = jobs.run_by_hand(job.name)
            assert outcome.error == "", f"{job.name}: {outcome.error}"
    assert len(recent_runs("send_mails")) == 2


@pytest.mark.spec("JOB-2")
def test_what_was_asked_is_claimed_once_and_taken_up_again_by_the_next_leader(app: Any) -> None:
    asked = job_runs.ask_run("trim_runs")
    assert job_runs.ask_run("trim_runs") == asked
    assert job_runs.claim_asked() == [(asked, "trim_runs")]
    assert job_runs.claim_asked() == []
    job_runs.put_back_asked()  # its leader was killed
    assert job_runs.claim_asked() == [(asked, "trim_runs")]
    assert jobs.run_asked(asked, "trim_runs").error == ""
    gone = job_runs.ask_run("gone")
    job_runs.claim_asked()
    assert "pas de tâche de ce nom" in jobs.run_asked(gone, "gone").error
    by_hand = job_runs.start_run("tick", "manuel-1")  # of somebody's shell, alive for all we know
    job_runs.put_back_asked()
    assert job_runs.claim_asked() == []
    assert by_hand is not None


@pytest.mark.spec("JOB-1")
def test_a_clock_that_is_set_is_noticed_and_the_hands_of_time_are_not(app: Any, travel: Any) -> None:
    watch = scheduler.ClockWatch()
    assert not watch.jumped()
    for moved in (timedelta(days=3), timedelta(minutes=-10)):
        travel(hours=moved.total_seconds() / 3600)
        assert watch.jumped()
        assert not watch.jumped()


@pytest.mark.spec("JOB-1")
def test_a_trigger_fires_at_the_slots_of_the_clock_as_it_is_set(app: Any, travel: Any) -> None:
    real = datetime.now(UTC)
    travel.to(datetime(2026, 11, 17, 7, 59, 30, tzinfo=UTC))
    due = scheduler.SlotTrigger(jobs.Daily(9)).get_next_fire_time(None, real)
    assert due - real == timedelta(seconds=30)


@pytest.mark.spec("JOB-2")
def test_the_history_keeps_each_jobs_latest_runs(app: Any, travel: Any) -> None:
    old = job_runs.start_run("rare", "2025")
    assert old is not None
    job_runs.finish_run(old)
    travel(days=40)
    for number in range(job_runs.KEPT_RUNS + 20):
        db.session.add(JobRun(job="tick", slot=str(number), started_at=clock.now(), finished_at=clock.now()))
    db.session.commit()
    assert job_runs.trim_runs() == 0  # a clock put back by an hour meets them all
    travel(hours=4)
    assert job_runs.trim_runs() == 20
    assert len(_runs("tick")) == job_runs.KEPT_RUNS
    assert _runs("tick")[-1].slot == str(job_runs.KEPT_RUNS + 19)
    assert len(_runs("rare")) == 1

"""Schedulers in processes of their own, on clocks that are set under them and killed as they come (JOB-1).

Each process perceives the same wall clock: the machine's, plus a shift that the storm moves forwards and back, for
APScheduler and for ``app.clock`` alike. What ran is written down by the jobs themselves, beside the database.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import apscheduler.executors.base
import apscheduler.schedulers.base
import apscheduler.triggers.date
from flask import Flask
from sqlalchemy import select

from app import clock, jobs, scheduler
from app.extensions import db
from app.models import JobRun
from tests.support.processes import Child, spawn

PROCESSES = 4
PATIENCE = 30.0
DAY = jobs.Daily(9)


@dataclass
class Table:
    """The storm's schedule, as a module's function can take it to another process."""

    tick_seconds: int = 1
    work_seconds: float = 0.02


class Wall:
    """The shift of the storm's clock, in a file that every process reads."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "shift"

    @property
    def shift(self) -> timedelta:
        try:
            return timedelta(seconds=float(self._file.read_text() or 0))
        except FileNotFoundError:
            return timedelta()

    def set_by(self, **by: float) -> None:
        """Set the clock, forwards or back."""
        moved = self.shift + timedelta(**by)
        other = self._file.with_suffix(".new")
        other.write_text(str(moved.total_seconds()))
        os.replace(other, self._file)

    def now(self) -> dt.datetime:
        return dt.datetime.now(UTC) + self.shift


def lead_or_wait(app: Flask, folder: str, table: Table) -> None:
    """One process's work: the real scheduler, on the storm's clock, with the storm's jobs."""
    wall = Wall(Path(folder))

    class Set(dt.datetime):
        """The machine's clock as it is set."""

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return dt.datetime.now(tz) + wall.shift

    for module in (clock, apscheduler.schedulers.base, apscheduler.executors.base, apscheduler.triggers.date):
        module.datetime = Set  # in this process only
    journal = Path(folder, "ran")

    def work(name: str) -> Callable[[], str]:
        mine = select(JobRun.slot).where(JobRun.job == name, JobRun.finished_at.is_(None)).order_by(JobRun.id.desc())

        def run() -> str:
            slot = db.session.scalar(mine.limit(1))
            db.session.rollback()
            _write(journal, f"begun {name} {slot} {os.getpid()}")
            time.sleep(table.work_seconds)
            _write(journal, f"ended {name} {slot} {os.getpid()}")
            return "done"

        return run

    schedule = (
        jobs.Job("tick", jobs.Every(table.tick_seconds), timedelta(hours=1), work("tick"), "tick"),
        jobs.Job("day", DAY, timedelta(hours=23, minutes=59), work("day"), "day"),
    )
    scheduler.run(app, threading.Event(), schedule=schedule)


def _write(journal: Path, line: str) -> None:
    with journal.open("a") as file:  # one short line: appended whole
        file.write(line + "\n")


@dataclass
class Storm:
    """Four schedulers, and what happens to them."""

    app: Flask
    folder: Path
    table: Table = field(default_factory=Table)
    kills: int = 0
    jumps: int = 0
    takeovers: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.wall = Wall(self.folder)
        self._journal = self.folder / "ran"
        self._journal.touch()
        self._children: dict[int, Child] = {}
        self._days: set[str] = set()
        self._killed: set[str] = set()  # one killed between its work and its word may have worked: the heir repeats it

    @contextmanager
    def raging(self) -> Iterator[None]:
        """The processes live inside; each is killed at the end."""
        try:
            for _ in range(PROCESSES):
                self._start()
            self._note_the_day()
            yield
        finally:
            for child in self._children.values():
                child.kill()

    def _start(self) -> None:
        child = spawn(self.app, lead_or_wait, str(self.folder), self.table)
        self._children[child.pid] = child

    @property
    def lines(self) -> list[list[str]]:
        return [line.split() for line in self._journal.read_text().splitlines()]

    def ended(self, name: str) -> list[str]:
        """The slots that ran to their end, as often as they did."""
        return [slot for what, job, slot, _pid in self.lines if (what, job) == ("ended", name)]

    def leader(self) -> int:
        return int(self.lines[-1][3])

    def await_ticks(self, more: int = 1) -> None:
        """Until so many ticks more have ended."""
        wanted, until = len(self.ended("tick")) + more, time.monotonic() + PATIENCE
        while len(self.ended("tick")) < wanted:
            assert time.monotonic() < until, "the schedulers stand still"
            time.sleep(0.01)

    def kill_the_leader(self, *, replace: bool = True) -> None:
        """kill -9; another process leads, and a new one waits in its place."""
        leader, killed = self.leader(), time.monotonic()
        os.kill(leader, signal.SIGKILL)
        self._children.pop(leader).kill()
        self.kills += 1
        self._killed.add(str(leader))
        until = killed + PATIENCE
        while self.leader() == leader:
            assert time.monotonic() < until, "nobody took over"
            time.sleep(0.01)
        self.takeovers.append(time.monotonic() - killed)
        if replace:
            self._start()

    def set_the_clock(self, **by: float) -> None:
        """Forwards or back, under all of them; then they go on.

        A slot that waits for the next leader is run first: a later one would make up for it.
        """
        self.await_days()
        self.wall.set_by(**by)
        self.jumps += 1
        self._note_the_day()
        self.await_ticks()

    def _note_the_day(self) -> None:
        """The daily slot that is due as the clock stands: it must run, once, whatever is killed."""
        self._days.add(DAY.latest(self.wall.now()).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))

    def await_days(self) -> None:
        """Until every daily slot that came has run."""
        until = time.monotonic() + PATIENCE
        while set(self.ended("day")) != self._days:
            assert time.monotonic() < until, f"came: {sorted(self._days)}; ran: {sorted(self.ended('day'))}"
            time.sleep(0.02)

    def told(self) -> str:
        """What came of it, or AssertionError: every slot once, every day's slot run, nothing left behind."""
        self.await_days()
        lived = Counter(
            (job, slot) for what, job, slot, pid in self.lines if what == "ended" and pid not in self._killed
        )
        twice = {slot: times for slot, times in lived.items() if times > 1}
        assert not twice, f"ran twice: {twice}"
        db.session.rollback()
        runs = db.session.scalars(select(JobRun).order_by(JobRun.id)).all()
        cut = [run.id for run in runs if run.job == "tick" and run.finished_at is None]
        assert len(cut) <= self.kills + 1, "more ticks begun and never ended than leaders killed"
        return (
            f"{len(runs)} slots in {PROCESSES} processes, each once; {len(self._days)} daily slots due, none lost; "
            f"{self.kills} kill -9, {self.jumps} clock jumps, slowest take-over {max(self.takeovers, default=0):.1f} s"
        )

"""``flask scheduler``, ``flask jobs list``, ``flask jobs run NAME`` (JOB-1, JOB-2)."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

import click
from flask import Flask, current_app
from sqlalchemy.exc import DBAPIError


def register(app: Flask) -> None:
    """Attach the commands."""

    @app.cli.command("scheduler")
    def run_scheduler() -> None:
        """Run the scheduled jobs, or wait until the process that does is gone. SIGTERM lets them end."""
        from app import scheduler

        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        scheduler.run(current_app._get_current_object(), stop)  # type: ignore[attr-defined]  # werkzeug's proxy

    @app.cli.group("jobs")
    def jobs_group() -> None:
        """The scheduled jobs, by hand."""

    @jobs_group.command("list")
    def list_jobs() -> None:
        """Each job: its last run, what it did, when it is due next."""
        from app import clock
        from app.jobs import SCHEDULE
        from app.queries.jobs import last_runs

        with _database_or_sentence():
            runs, present = last_runs(), clock.now()
        for job in SCHEDULE:
            run = runs.get(job.name)
            due = clock.local(job.when.following(present)).strftime("%d/%m/%Y %H:%M:%S")
            last = clock.local(run.started_at).strftime("%d/%m/%Y %H:%M:%S") if run else "-"
            outcome = "-"
            if run is not None:
                outcome = "asked" if run.waiting else "running" if run.finished_at is None else "ok"
                outcome = f"FAILED {run.error}" if run.error else outcome
            click.echo(f"{job.name:<24} last {last:<20} {outcome:<10} next {due}  {job.description}")

    @jobs_group.command("run")
    @click.argument("name")
    def run_job(name: str) -> None:
        """Run one job now, beside its schedule. Exit 1 when it failed."""
        from app.jobs import SCHEDULE, run_by_hand

        names = [job.name for job in SCHEDULE]
        if name not in names:
            raise click.BadParameter(f"no job {name!r}; there are: {', '.join(names)}", param_hint="NAME")
        with _database_or_sentence():
            outcome = run_by_hand(name)
        if outcome.error:
            click.echo(f"{name} failed after {outcome.seconds:.1f} s: {outcome.error}", err=True)
            raise SystemExit(1)
        click.echo(f"{name}: {outcome.result or 'done'} ({outcome.seconds:.1f} s)")


@contextlib.contextmanager
def _database_or_sentence() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        reason = str(error.orig).strip().split("\n", 1)[0]
        raise click.ClickException(f"the database cannot be used ({reason}); was `flask prepare` run?") from error

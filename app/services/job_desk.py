"""« Lancer »: who may have a job run, the order left for the scheduler, the journal's line (JOB-2)."""

from __future__ import annotations

from app.permissions import Actor, Permission
from app.services import audit, job_runs
from app.services.authority import require
from app.services.unit_of_work import use_case


@use_case
def launch_job(name: str, *, actor: Actor) -> int:
    """Ask the scheduler to run a job at once; the run's id. The request does not wait for it.

    Raises Forbidden without RUN_JOBS.
    """
    require(actor, Permission.RUN_JOBS)
    audit.record(actor, "run_job", ("jobs", name))
    return job_runs.ask_run(name)

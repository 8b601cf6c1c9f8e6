"""« Lancer »: who may run a job by hand, and the journal's line (JOB-2)."""

from __future__ import annotations

from app.permissions import Actor, Permission
from app.services import audit
from app.services.authority import require
from app.services.unit_of_work import use_case


@use_case
def note_job_by_hand(name: str, *, actor: Actor) -> None:
    """Write that somebody is about to run a job. Raises Forbidden without RUN_JOBS."""
    require(actor, Permission.RUN_JOBS)
    audit.record(actor, "run_job", ("jobs", name))

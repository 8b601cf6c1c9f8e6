"""kill -9 from the gateway's answer to the mail, then a restart (REL-3); 100 random moments: ``bench money``."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app.jobs import SCHEDULE, Every
from tests.support.killing import POINTS, Kills, check_kills, kill_at
from tests.support.servers import HttpServer, MailServer


@pytest.mark.spec("REL-3", "INV-1", "INV-2", "MAI-1")
def test_a_process_killed_anywhere_leaves_what_the_jobs_put_right(
    gateway: HttpServer, app: Flask, smtp: MailServer, travel: Any
) -> None:
    kills = Kills()
    for point in POINTS:
        kill_at(app, gateway, point, kills)
    assert kills.fell == {"before the confirmation": 2, "before the PDF": 2, "0 mails sent": 1}
    assert max(kills.seconds) < 60
    assert check_kills(kills, smtp) == 1  # the PDF whose row was never written


@pytest.mark.spec("REL-3", "JOB-1")
def test_the_jobs_that_put_it_right_come_round_within_the_minute() -> None:
    """Fails at two minutes: a slot done just before the crash would let the payer wait for the next one."""
    every = {job.name: job.when.seconds for job in SCHEDULE if isinstance(job.when, Every)}
    assert every["reconcile_payments"] + every["send_mails"] < 60

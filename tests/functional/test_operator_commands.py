"""``flask jobs …``, ``flask scheduler``, ``flask sandbox …`` as operators call them (JOB-2, GAT-6, MAI-2)."""

from __future__ import annotations

import os
import re
import signal
import smtplib
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app import jobs
from app.extensions import db

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent.parent


def _call(app: Any, *arguments: str) -> Any:
    return app.test_cli_runner().invoke(args=list(arguments))


@pytest.mark.spec("JOB-2")
def test_the_list_names_each_job_its_last_run_and_its_next(app: Any) -> None:
    jobs.run_by_hand("trim_runs")
    output = _call(app, "jobs", "list").output
    assert len(output.strip().splitlines()) == len(jobs.SCHEDULE)
    (line,) = [each for each in output.splitlines() if each.startswith("trim_runs ")]
    assert re.search(r"last \d\d/\d\d/\d{4} \d\d:\d\d:\d\d\s+ok\s+next \d\d/\d\d/\d{4}", line)


@pytest.mark.spec("JOB-2")
def test_a_job_runs_by_hand_and_says_what_it_did(app: Any, smtp: Any) -> None:
    result = _call(app, "jobs", "run", "send_mails")
    assert result.exit_code == 0
    assert "0 envoyé(s)" in result.output


@pytest.mark.spec("JOB-2")
def test_a_job_that_fails_ends_with_1(app: Any, monkeypatch: Any) -> None:
    def fail() -> None:
        raise OSError("disque plein")

    broken = jobs.Job("broken", jobs.Every(5), jobs.SCHEDULE[0].grace, fail, "broken")
    monkeypatch.setattr(jobs, "SCHEDULE", (broken,))
    result = _call(app, "jobs", "run", "broken")
    assert result.exit_code == 1
    assert "disque plein" in result.output
    assert "FAILED" in _call(app, "jobs", "list").output


@pytest.mark.spec("JOB-2")
def test_an_unknown_job_is_refused_with_the_names_there_are(app: Any) -> None:
    result = _call(app, "jobs", "run", "rien")
    assert result.exit_code == 2
    assert "send_mails" in result.output


def _start(tmp_path: Path, *arguments: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "run", *arguments],
        cwd=ROOT,
        env={**os.environ, "VAR_DIRECTORY": str(tmp_path), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline()


@pytest.mark.spec("GAT-6")
@pytest.mark.parametrize(("name", "path"), [("gateway", "/payment/rest/getOrderStatus.do"), ("identity", "/")])
def test_a_sandbox_serves_alone_until_it_is_told_to_stop(tmp_path: Path, name: str, path: str) -> None:
    process, said = _start(tmp_path, "sandbox", name, "--port", "0")
    try:
        address = re.search(r"http://127\.0\.0\.1:\d+", said)
        assert address, said
        with urllib.request.urlopen(address.group() + path, timeout=10) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()


@pytest.mark.spec("MAI-2")
def test_the_mail_sandbox_keeps_what_it_receives(tmp_path: Path) -> None:
    process, said = _start(tmp_path, "sandbox", "mail", "--port", "0")
    try:
        port = re.search(r"127\.0\.0\.1:(\d+)", said)
        assert port, said
        with smtplib.SMTP("127.0.0.1", int(port.group(1))) as server:
            server.sendmail("a@exemple.tn", ["b@exemple.tn"], "Subject: essai\r\n\r\nBonjour\r\n")
        (kept,) = (tmp_path / "courrier").glob("*.eml")
        assert "Subject: essai" in kept.read_text()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    finally:
        process.kill()


@pytest.mark.spec("GAT-6")
def test_no_sandbox_runs_in_production(app: Any) -> None:
    app.config["ENVIRONMENT"] = "production"
    result = _call(app, "sandbox", "gateway", "--port", "0")
    assert result.exit_code == 1
    assert "production" in result.output


@pytest.mark.spec("JOB-1")
def test_the_scheduler_process_runs_the_jobs_and_stops_when_told(app: Any, database_url: str, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "run", "scheduler"],
        cwd=ROOT,
        env={**os.environ, "VAR_DIRECTORY": str(tmp_path), "DATABASE_URL": database_url},
    )
    try:
        until = time.monotonic() + 30
        while "last -" in _line(app, "trim_runs"):
            assert time.monotonic() < until
            time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()


def _line(app: Any, name: str) -> str:
    db.session.rollback()  # to see what others wrote since
    return next(line for line in _call(app, "jobs", "list").output.splitlines() if line.startswith(f"{name} "))


@pytest.mark.spec("ORG-2")
def test_control_letters_are_told_one_line_each(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["tax-id", "0000000A", "1234567a", "1234567R/A/M/000", "12"])
    assert result.output.splitlines() == ["0000000A ok", "1234567A expected R", "1234567R ok", "12 malformed"]
    assert result.exit_code == 0

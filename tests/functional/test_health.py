"""Health, readiness, metrics (OPS-2)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app import clock, jobs
from app.extensions import db
from app.models import OutboxMail
from tests.pages import CheckingClient

pytestmark = pytest.mark.spec("OPS-2")


@pytest.fixture(autouse=True)
def _asked_anew(app: Any) -> None:
    app.extensions.pop("readiness", None)


def test_a_process_that_answers_is_alive_whatever_else(client: CheckingClient, app: Any) -> None:
    assert client.get("/healthz").data == b"ok\n"


@pytest.mark.postgres
def test_it_is_ready_when_database_migrations_and_storage_are(client: CheckingClient) -> None:
    answer = client.get("/readyz")
    assert answer.json == {"ready": True, "reasons": []}


@pytest.mark.postgres
def test_an_old_schema_is_told_by_name(app: Any) -> None:
    db.session.execute(db.text("UPDATE alembic_version SET version_num = '0000'"))
    db.session.commit()
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json) == (503, {"ready": False, "reasons": ["migrations"]})


def test_a_database_away_is_told_by_name_and_nothing_else(create: Any, tmp_path: Path) -> None:
    away = create("postgresql+psycopg://ecert:motdepasse@127.0.0.1:1/ecert")
    answer = away.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {"ready": False, "reasons": ["database"]}
    assert away.test_client().get("/healthz").status_code == 200


def test_a_storage_that_cannot_be_written_is_told_by_name(app: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    app.config["STORAGE_URL"] = f"file://{tmp_path}/file"
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json) == (503, {"ready": False, "reasons": ["storage"]})


def test_metrics_tell_the_backlog_and_the_jobs(client: CheckingClient, app: Any) -> None:
    moment = clock.now() - timedelta(minutes=10)
    for number, dead in enumerate((None, None, moment)):
        db.session.add(
            OutboxMail(
                message_id=f"<{number}@exemple.tn>", kind="password_reset", recipient="a@exemple.tn", subject="s",
                text="t", html="h", attachments=[], created_at=moment, due_at=moment, dead_at=dead,
            )
        )  # fmt: skip
    db.session.commit()
    jobs.run_by_hand("trim_runs")
    text = client.get("/metrics").data.decode()
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert lines["ecert_outbox_waiting"] == "2"
    assert lines["ecert_outbox_dead"] == "1"
    assert 600 <= float(lines["ecert_outbox_oldest_seconds"]) < 700
    assert float(lines['ecert_job_lag_seconds{job="trim_runs"}']) == 0
    assert abs(float(lines['ecert_job_last_success_timestamp_seconds{job="trim_runs"}']) - clock.now().timestamp()) < 60


def test_metrics_are_for_this_machine_or_for_who_has_the_token(app: Any, new_client: Any) -> None:
    new_client(address="10.1.2.3").get("/metrics", expect=404)
    new_client(headers={"X-Forwarded-For": "127.0.0.1"}).get("/metrics", expect=404)  # through a proxy here
    app.config["METRICS_TOKEN"] = "jeton-de-supervision-2026"
    new_client(address="10.1.2.3").get("/metrics", expect=404)
    new_client(address="10.1.2.3", headers={"Authorization": "Bearer faux"}).get("/metrics", expect=404)
    new_client(address="10.1.2.3", headers={"Authorization": "Bearer jeton-de-supervision-2026"}).get("/metrics")

"""A request and the job that meet on a bulk run never do a row twice (QUE-4)."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.extensions import db
from app.models import BulkOutcome, BulkRow, BulkRun, CertificateRequest, HistoryEntry, OutboxMail
from app.services import bulk, bulk_preview
from app.services.bulk import Line
from tests import factories as f
from tests.support import reviewing as r
from tests.support.racing import errors_of, race

pytestmark = pytest.mark.spec("QUE-4")


def test_a_request_and_the_job_on_one_run_do_each_row_once_and_tell_once(app: Flask) -> None:
    holder, colleague = f.staff(), f.staff()
    actor = f.actor(holder)
    requests = [r.request_file(assigned_to_id=holder.id) for _n in range(8)]
    lines = [Line(each.reference, each.id, each.version, {"holder": holder.id}) for each in requests]
    token = bulk.start_run("hand_over", lines, token=bulk_preview.new_token(), actor=actor, data={"to": colleague.id})
    results = race(app, lambda: bulk.work_run(token), bulk.work_open_runs, lambda: bulk.work_run(token))
    bulk.work_open_runs()
    assert errors_of(results) == []
    outcomes = db.session.execute(select(BulkRow.outcome, func.count()).group_by(BulkRow.outcome)).tuples().all()
    assert outcomes == [(BulkOutcome.FAIT, 8)]
    handed = select(func.count(HistoryEntry.id)).where(HistoryEntry.action == "hand_over")
    assert db.session.scalar(handed) == 8
    mails = select(func.count(OutboxMail.id)).where(OutboxMail.recipient == colleague.email)
    assert db.session.scalar(mails) == 1
    held = select(func.count(CertificateRequest.id)).where(CertificateRequest.assigned_to_id == colleague.id)
    assert db.session.scalar(held) == 8


def test_two_clicks_on_confirm_at_the_same_moment_make_one_run(app: Flask) -> None:
    actor, request = r.agent(), r.request_file()
    token = bulk_preview.new_token()
    lines = [Line(request.reference, request.id, request.version)]

    def click() -> str:
        return bulk.start_run("take", lines, token=token, actor=actor, data={})

    assert race(app, click, click) == [token, token]
    assert db.session.scalar(select(func.count(BulkRun.id))) == 1
    assert db.session.scalar(select(func.count(BulkRow.id))) == 1

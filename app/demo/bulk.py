"""An agent away with files, and a bulk action with refusals, for the demonstration's last hour (QUE-3, QUE-4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pyotp
from sqlalchemy import select

from app import clock
from app.demo.desk import Officer
from app.errors import DomainError
from app.extensions import db
from app.models import BulkOutcome, BulkRun, CertificateRequest, RoleGrant, User
from app.permissions import Role
from app.queries.desk_requests import SOURCE
from app.queries.lists import Asked, fetch_page
from app.services import absences, bulk, bulk_actions, second_factor
from app.services.bulk import Line


def an_agent_away(password_hash: str, since: object) -> None:
    """Sami took two files, then left for the week: a supervisor finds them waiting."""
    sami = User(
        email="sami.jaziri@demo.tuntrust.tn",
        first_name="Sami",
        last_name="Jaziri",
        password_hash=password_hash,
        activated_at=since,
        invited_at=since,
        created_at=since,
    )
    sami.grants = [RoleGrant(role=Role.AGENT, granted_at=since)]
    db.session.add(sami)
    db.session.flush()
    officer = Officer(sami)
    _link_an_app(officer)
    officer.take(*_waiting(officer)[-2:])
    today = clock.today()
    absences.record_absence(sami.id, today, today + timedelta(days=5), actor=officer.actor)


def _link_an_app(officer: Officer) -> None:
    """A second factor nobody can give: Sami's account is no demonstration account, « Équipe » shows how it looks."""
    sealed, seed = second_factor.open_enrolment(officer.user.id, "")
    code = pyotp.TOTP(seed).at(clock.now())
    second_factor.set_up_app(officer.user.id, sealed, code, actor=officer.actor, keep_token=None)


def a_bulk_run(officer: Officer) -> None:
    """Some files taken together, one of them a colleague's already."""
    held = db.session.scalars(
        select(CertificateRequest)
        .where(CertificateRequest.assigned_to_id.is_not(None), CertificateRequest.assigned_to_id != officer.user.id)
        .order_by(CertificateRequest.id)
        .limit(2)
    ).all()
    rows = sorted([*_waiting(officer)[:2], *held], key=lambda one: one.id)
    token = bulk.start_run(
        "take", [Line(row.reference, row.id, row.version) for row in rows], token="demonstration-run",  # noqa: S106 - no secret
        actor=officer.actor, data={},
    )  # fmt: skip
    run = db.session.scalars(select(BulkRun).where(BulkRun.public_id == token)).one()
    for row in run.rows:
        # As ``bulk.work_run``, which commits row by row; the demonstration is one transaction.
        try:
            row.message = bulk_actions.perform(run, row, officer.actor)
            row.outcome = BulkOutcome.FAIT
        except DomainError as refusal:
            row.message, row.outcome = str(refusal), BulkOutcome.REFUSE
        row.done_at = clock.now()
    run.finished_at = clock.now()


def _waiting(officer: Officer) -> Sequence[CertificateRequest]:
    """The queue « À prendre », the oldest first."""
    tab = SOURCE.tabs[0]
    ids = [row.id for row in fetch_page(SOURCE, Asked(tab, tab.sort, tab.descending), officer.actor).rows]
    rows = {row.id: row for row in db.session.scalars(select(CertificateRequest).where(CertificateRequest.id.in_(ids)))}
    return [rows[row_id] for row_id in ids]
